//! `starwarden` works GitLab's STAR flowchart on a starred helpdesk ticket and leaves one internal
//! note and one tag, with its reasons.
//!
//! The rooms, in the way of one event:
//!
//! 1. [`receive`] verifies a signed delivery and has it on disk before it answers;
//! 2. [`store`] keeps deliveries, the tickets being watched, and every decision;
//! 3. [`work`] takes due tickets one at a time and joins the next four;
//! 4. [`helpdesk`] reads the ticket and, at the end, writes the note and the tags;
//! 5. [`decide`] says what is known of the ticket, from where, and how sure; walks the handbook's diagram over it; and
//!    words the decision for a manager. It is pure: a ticket goes in, a decision and its note come out.
//!
//! [`learn`] tries a policy on cases and past tickets before it is let loose, and counts what was decided (pure).
//!
//! [`console`] shows all of it to people, and to other programs as JSON; it reads the store and never calls the
//! helpdesk itself.
//!
//! [`elsewhere`] is what is asked or written to besides the helpdesk: systems of record, GitLab's issues and a chat.
//! [`server`] takes connections, [`metrics`] counts what happens, [`config`] reads `starwarden.toml`, [`commands`] is
//! the command line, [`demo`] a stand-in helpdesk with sample tickets.

pub mod commands;
pub mod config;
pub mod console;
pub mod decide;
pub mod demo;
pub mod elsewhere;
pub mod helpdesk;
pub mod learn;
pub mod metrics;
pub mod receive;
pub mod server;
pub mod store;
pub mod work;
