//! The Zendesk API, as values in and out.

pub mod addresses;
pub mod ahead;
pub mod auth;
pub mod client;
pub mod error;
pub mod export;
pub mod limits;
pub mod pace;
pub mod refusal;
pub mod settings;
mod wire;
