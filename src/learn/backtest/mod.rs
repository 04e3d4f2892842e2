//! What a policy would do, tried on cases and on past tickets before it is let loose on new ones (pure).
//!
//! A past ticket is brought back to its own time first ([`past`]): what happened since is undone, and the verdict
//! managers left on it is taken off, for it is the outcome and not an input. Then it is decided, by one policy or by
//! two, and counted ([`tally`], [`comparison`], [`agreement`]).

pub mod agreement;
pub mod attached;
pub mod cases;
pub mod comparison;
pub mod page;
pub mod past;
pub mod reason;
pub mod rewind;
pub mod summary;
pub mod tally;
pub mod unnoticed;
