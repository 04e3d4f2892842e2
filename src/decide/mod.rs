//! The heart, and it is pure: a ticket goes in, a decision and its note come out. No clock, no I/O, no async.

pub mod basis;
pub mod facts;
pub mod guard;
pub mod judge;
pub mod line;
pub mod loose;
pub(crate) mod near;
pub mod note;
pub mod policy;
pub mod reader;
pub mod reference;
pub mod signature;
pub(crate) mod text;
pub mod ticket;
