//! A stand-in helpdesk, for the demo and for tests.

pub mod admin;
mod api;
pub mod helpdesk;
pub mod samples;
mod settings;
