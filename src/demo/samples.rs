//! The sample tickets, moved to today.

use chrono::{DateTime, NaiveDate, SecondsFormat, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::Value as Json;

use crate::decide::ticket::{Comment, Organization, Reading, Ticket};

/// The samples as they are kept, one a line.
const SAMPLES: &str = include_str!("../../tests/cases/tickets.ndjson");

/// One sample ticket.
#[derive(Debug, Clone)]
pub struct Sample {
    /// What it shows, in a few words.
    pub name: String,
    /// The ticket with all that belongs to it.
    pub reading: Reading,
    /// What a manager answers, as a `star:` line; none where the ticket speaks for itself.
    pub answer: Option<String>,
    /// The verdict it is to end in.
    pub expect: String,
}

#[derive(Deserialize)]
struct Line {
    name: String,
    now: DateTime<Utc>,
    ticket: Ticket,
    #[serde(default)]
    organization: Option<Organization>,
    #[serde(default)]
    comments: Vec<Comment>,
    #[serde(default)]
    facts: std::collections::BTreeMap<String, String>,
    expect: String,
}

/// Every sample, its dates moved by whole days so that its day is `now`'s.
///
/// # Errors
/// A line that is no sample.
pub fn at(now: DateTime<Utc>) -> serde_json::Result<Vec<Sample>> {
    SAMPLES.lines().filter(|line| !line.trim().is_empty()).map(|line| sample(line, now)).collect()
}

fn sample(line: &str, now: DateTime<Utc>) -> serde_json::Result<Sample> {
    let mut json: Json = serde_json::from_str(line)?;
    let written: Line = serde_json::from_value(json.clone())?;
    move_dates(&mut json, TimeDelta::days((now.date_naive() - written.now.date_naive()).num_days()));
    let Line { name, mut ticket, organization, comments, facts, expect, .. } = serde_json::from_value(json)?;
    // The samples were last touched in the morning, and it may still be night.
    let hour_ago = now - TimeDelta::hours(1);
    ticket.updated_at = ticket.updated_at.map(|at| at.min(hour_ago));
    let answer: Vec<String> = facts.iter().map(|(fact, value)| format!("{fact}={value}")).collect();
    let answer = (!answer.is_empty()).then(|| format!("star: {}", answer.join(", ")));
    Ok(Sample { name, reading: Reading { ticket, organization, comments, ..Reading::default() }, answer, expect })
}

/// Moves every date in the sample by whole days.
fn move_dates(json: &mut Json, days: TimeDelta) {
    match json {
        Json::String(text) => {
            if let Ok(at) = DateTime::parse_from_rfc3339(text) {
                *text = (at.to_utc() + days).to_rfc3339_opts(SecondsFormat::Secs, true);
            } else if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
                *text = (date + days).to_string();
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| move_dates(item, days)),
        Json::Object(fields) => fields.values_mut().for_each(|field| move_dates(field, days)),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}
