//! A stand-in helpdesk, for the demo and for tests.

mod api;
pub mod helpdesk;
pub mod samples;
