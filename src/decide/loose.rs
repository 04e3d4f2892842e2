//! Reads what others wrote: what cannot be read is left out and named, and all else stands.

use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde_json::Value as Json;
use serde_path_to_error::Segment;

/// How many parts are left out of one text at most; one with more faults is another text than was expected.
const MOST_LEFT_OUT: usize = 200;

/// What was read, and what had to be left out for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Read<T> {
    /// What was read.
    pub read: T,
    /// The places of what was left out: `comments[3].created_at`.
    pub left_out: Vec<String>,
}

/// Reads JSON. An item of a list that cannot be read is left out, and so is a member of an object where the rest can do
/// without it.
///
/// # Errors
/// The place of the first fault that all hangs on: `ticket.id`; what stands there is never told.
pub fn from_json<T: DeserializeOwned>(mut json: Json) -> Result<Read<T>, String> {
    let mut left_out = Vec::new();
    let mut first = None;
    loop {
        let error = match serde_path_to_error::deserialize::<_, T>(&json) {
            Ok(read) => return Ok(Read { read, left_out }),
            Err(error) => error,
        };
        let path = error.path();
        let place = path.to_string();
        let place = if place == "." { "the whole of it".to_owned() } else { place };
        let segments: Vec<&Segment> = path.iter().collect();
        let removed = left_out.len() < MOST_LEFT_OUT && remove(&mut json, &segments);
        let fault = first.get_or_insert_with(|| place.clone()).clone();
        if !removed {
            return Err(fault);
        }
        left_out.push(place);
    }
}

/// Takes the outermost item of a list on the way out, or else the member at its end; whether there was one to take out.
fn remove(json: &mut Json, way: &[&Segment]) -> bool {
    let item = way.iter().position(|segment| matches!(segment, Segment::Seq { .. }));
    let upto = match item {
        Some(at) => at,
        None => match way.len().checked_sub(1) {
            // What all hangs on: without its ticket an answer about one is none.
            Some(0) | None => return false,
            Some(last) => last,
        },
    };
    let mut place = json;
    for segment in way.iter().take(upto) {
        let next = match segment {
            Segment::Map { key } => place.get_mut(key),
            Segment::Seq { index } => place.get_mut(index),
            Segment::Enum { .. } | Segment::Unknown => None,
        };
        let Some(next) = next else { return false };
        place = next;
    }
    match (way.get(upto), place) {
        (Some(Segment::Seq { index }), Json::Array(items)) if *index < items.len() => {
            items.remove(*index);
            true
        }
        (Some(Segment::Map { key }), Json::Object(members)) => members.shift_remove(key).is_some(),
        _ => false,
    }
}

/// An id as the helpdesk gives it: a positive number, or one in a text. Whatever else stands there, `-1` for the helpdesk
/// itself above all, is nobody's.
pub(crate) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(positive(&Json::deserialize(deserializer)?))
}

/// The same, where nobody is 0.
pub(super) fn id_or_zero<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Ok(id(deserializer)?.unwrap_or_default())
}

/// The same, where there must be one.
pub(crate) fn some_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    id(deserializer)?.ok_or_else(|| serde::de::Error::custom("an id is expected here"))
}

fn positive(given: &Json) -> Option<u64> {
    let id = given.as_u64().or_else(|| given.as_str()?.trim().parse().ok())?;
    (1..=i64::MAX.unsigned_abs()).contains(&id).then_some(id)
}
