//! What is known of a ticket, from where, and how sure.

pub mod expiry;
pub mod fact;
pub mod gather;
pub mod replies;
pub mod sources;
pub mod words;
