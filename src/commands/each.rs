//! `decide --each`: a stream of tickets, one decision a line.

use std::io::{BufRead, Write};

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value as Json;

use super::lines::{self, Lines};
use crate::decide::facts::sources::Ids;
use crate::decide::line::{Case, Line, WithFacts};
use crate::decide::policy::Policy;

/// Decides every line of `input` into one line of `output`; a line without a time of its own at `now`.
///
/// # Errors
/// Input that cannot be read, or output that cannot be written.
pub fn decide(
    policy: &Policy,
    now: DateTime<Utc>,
    with: WithFacts,
    input: &mut (dyn BufRead + Send),
    output: &mut (dyn Write + Send),
) -> anyhow::Result<Lines> {
    decide_reading(policy, now, with, &|_, _| {}, input, output)
}

/// The same, where `read` reads the words of each line's ticket before it is decided.
///
/// # Errors
/// See [`decide`].
pub(super) fn decide_reading(
    policy: &Policy,
    now: DateTime<Utc>,
    with: WithFacts,
    read: &(dyn Fn(&Ids, &mut Case) + Sync),
    input: &mut (dyn BufRead + Send),
    output: &mut (dyn Write + Send),
) -> anyhow::Result<Lines> {
    let ids = Ids::new(&policy.binding, &Ids::default());
    lines::each(input, output, |line, written| one(policy, &ids, (now, with), read, line, written))
}

/// A line that could not be decided.
#[derive(Serialize)]
struct Bad {
    id: Json,
    error: String,
}

fn one(
    policy: &Policy,
    ids: &Ids,
    (now, with): (DateTime<Utc>, WithFacts),
    read: &(dyn Fn(&Ids, &mut Case) + Sync),
    line: &[u8],
    written: &mut Vec<u8>,
) -> Lines {
    let decided = match serde_json::from_slice::<Line>(line) {
        // A list would be read as an object's members in their order.
        _ if line.trim_ascii_start().starts_with(b"[") => {
            bad(written, Json::Null, "this line is not a ticket: it is a list, and an object is expected".into())
        }
        Ok(line) => {
            let id = line.own_id();
            match line.case(policy, now) {
                Ok(mut case) => {
                    read(ids, &mut case);
                    serde_json::to_writer(&mut *written, &case.decide(policy, ids, with)).is_ok()
                }
                Err(error) => bad(written, id, error),
            }
        }
        Err(error) => {
            let id = serde_json::from_slice::<Json>(line).ok().and_then(|line| line.get("id").cloned());
            bad(written, id.unwrap_or_default(), format!("this line is not a ticket: {error}"))
        }
    };
    written.push(b'\n');
    if decided { Lines::AllGood } else { Lines::SomeBad }
}

/// Writes what is wrong with a line, which is not decided.
fn bad(written: &mut Vec<u8>, id: Json, error: String) -> bool {
    let _infallible = serde_json::to_writer(written, &Bad { id, error });
    false
}
