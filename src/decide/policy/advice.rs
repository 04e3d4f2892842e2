//! What is worth telling a manager though it is not on the chart; none of it ever changes a verdict.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::length::Span;
use super::source::Pattern;

/// Which lines of advice a note may have; each is off where it is absent.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Advice {
    /// Tell where the last public comment is ours: a request that waits for the customer seldom qualifies.
    #[serde(default)]
    pub waiting_for_customer: bool,
    /// Tell where the ticket is younger than this.
    #[schemars(with = "Option<String>")]
    pub younger_than: Option<Span>,
    /// Ticket fields a request must have filled, with what each is called; told where the helpdesk has the field and it is empty.
    #[serde(default)]
    pub required: BTreeMap<String, String>,
    /// Words that show a request for convenience; quoted where the expiry is far off as well.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub convenience_any: Vec<Pattern>,
    /// Tell where the expiry is at least this far off: the request may be one for convenience.
    #[schemars(with = "Option<String>")]
    pub convenience_beyond: Option<Span>,
}
