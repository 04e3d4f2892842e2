//! A stand-in helpdesk, for the demo and for tests.

pub mod admin;
mod api;
mod gate;
pub mod helpdesk;
pub mod limit;
pub mod samples;
mod settings;
pub mod troubles;
