//! A stand-in helpdesk, and a stand-in for where follow-ups go, for the demo and for tests.

pub mod admin;
mod api;
pub mod elsewhere;
mod export;
mod gate;
pub mod helpdesk;
pub mod limit;
pub mod pages;
mod paging;
pub mod samples;
mod scopes;
mod settings;
mod shape;
pub mod troubles;
