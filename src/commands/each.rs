//! `decide --each`: a stream of tickets, one decision a line.

use std::io::{BufRead, Write};

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value as Json;

use super::lines::{self, Lines};
use crate::facts::gather;
use crate::facts::sources::Ids;
use crate::policy::Policy;
use crate::work::line::{Line, Rule};

/// Decides every line of `input` into one line of `output`; a line without a time of its own at `now`.
///
/// # Errors
/// Input that cannot be read, or output that cannot be written.
pub fn decide(
    policy: &Policy,
    now: DateTime<Utc>,
    input: &mut dyn BufRead,
    output: &mut dyn Write,
) -> anyhow::Result<Lines> {
    let ids = Ids::new(&policy.binding, &Ids::default());
    let without_ticket = gather::facts(policy, &ids, None, &[], now).facts;
    let rule = Rule { policy, ids, unstated: policy.unstated(&without_ticket) };
    lines::each(input, output, |line, written| one(&rule, now, line, written))
}

/// A line that could not be decided.
#[derive(Serialize)]
struct Bad {
    id: Json,
    error: String,
}

fn one(rule: &Rule<'_>, now: DateTime<Utc>, line: &[u8], written: &mut Vec<u8>) -> Lines {
    let decided = match serde_json::from_slice::<Line>(line) {
        Ok(mut line) => {
            let id = line.own_id();
            match line.decide(rule, now) {
                Ok(decided) => write(written, &decided),
                Err(error) => write(written, &Bad { id, error }).and(Err(())),
            }
        }
        Err(error) => {
            let id = serde_json::from_slice::<Json>(line).ok().and_then(|line| line.get("id").cloned());
            let error = format!("this line is not a ticket: {error}");
            write(written, &Bad { id: id.unwrap_or_default(), error }).and(Err(()))
        }
    };
    decided.map_or(Lines::SomeBad, |()| Lines::AllGood)
}

fn write(written: &mut Vec<u8>, value: &impl Serialize) -> Result<(), ()> {
    serde_json::to_writer(&mut *written, value).map_err(drop)?;
    written.push(b'\n');
    Ok(())
}
