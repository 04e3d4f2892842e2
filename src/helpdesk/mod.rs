//! The Zendesk API, as values in and out.

pub mod ticket;
