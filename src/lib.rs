//! `starwarden` works GitLab's STAR flowchart on a starred helpdesk ticket and leaves one internal
//! note and one tag, with its reasons.
//!
//! The rooms, in the way of one event:
//!
//! 1. [`receive`] verifies a signed delivery and has it on disk before it answers;
//! 2. [`store`] keeps deliveries, the tickets being watched, and every decision;
//! 3. [`work`] takes due tickets one at a time and joins the next four;
//! 4. [`helpdesk`] reads the ticket and, at the end, writes the note and the tags;
//! 5. [`facts`] says what is known of the ticket, from where, and how sure (pure);
//! 6. [`policy`] walks the handbook's diagram over the facts and decides (pure);
//! 7. [`note`] words the decision for a manager (pure).
//!
//! [`report`] counts decisions and what people thought of them, with [`charts`] (pure).
//! [`backtest`] tries a policy on cases and past tickets before it is let loose (pure).
//!
//! [`console`] shows all of it to people, and to other programs as JSON; it reads the store and never calls the
//! helpdesk.
//!
//! [`destinations`] are written to besides the helpdesk: GitLab's issues and a chat.
//! [`server`] takes connections, [`metrics`] counts what happens, [`config`] reads `starwarden.toml`, [`commands`] is
//! the command line, [`demo`] a stand-in helpdesk with sample tickets.

pub mod backtest;
pub mod charts;
pub mod commands;
pub mod config;
pub mod console;
pub mod demo;
pub mod destinations;
pub mod facts;
pub mod helpdesk;
pub mod metrics;
pub mod note;
pub mod policy;
pub mod receive;
pub mod report;
pub mod server;
pub mod store;
pub mod work;
