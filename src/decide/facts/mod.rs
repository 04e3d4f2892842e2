//! What is known of a ticket, from where, and how sure.

pub mod answers;
mod dated;
pub mod dates;
pub mod expiry;
pub mod fact;
pub mod gather;
pub mod hours;
mod pieces;
mod quotes;
pub mod replies;
pub mod said;
pub mod screenshot;
pub mod source;
pub mod sources;
pub mod span;
pub mod texts;
pub mod words;
