//! Which issue is a ticket's: GitLab's search is fuzzy, so the number or the address must stand there letter by letter.

use crate::decide::ticket::TicketKey;
use crate::elsewhere::gitlab::Issue;

/// What the issues that a search found come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named<'a> {
    /// One issue is the ticket's.
    One(&'a Issue),
    /// None is.
    None,
    /// Several may be, by their numbers.
    Several(Vec<u64>),
}

/// The issue of a ticket of the helpdesk at `host`.
///
/// Issues that hold the ticket's address come first. Only where none does may its bare number tell, and then in an issue
/// that holds no other ticket's address.
pub fn among<'a>(issues: &'a [Issue], ticket: &TicketKey, host: &str) -> Named<'a> {
    let number = ticket.id.to_string();
    let by_address: Vec<&Issue> =
        issues.iter().filter(|issue| tickets(issue).iter().any(|(at, id)| at == host && *id == number)).collect();
    let found = match by_address.is_empty() {
        false => by_address,
        true => issues.iter().filter(|issue| tickets(issue).is_empty() && bears(issue, &number)).collect(),
    };
    match found.as_slice() {
        [] => Named::None,
        [one] => Named::One(one),
        several => Named::Several(several.iter().map(|issue| issue.iid).collect()),
    }
}

fn texts(issue: &Issue) -> [&str; 2] {
    [&issue.title, issue.description.as_deref().unwrap_or_default()]
}

/// Every helpdesk ticket whose address an issue holds, as host and number.
fn tickets(issue: &Issue) -> Vec<(String, String)> {
    let ends = |c: char| c.is_whitespace() || "()[]<>\"'`|".contains(c);
    let words = texts(issue).into_iter().flat_map(|text| text.split(ends));
    words.filter_map(|word| ticket(word.trim_end_matches(['.', ',', ';', ':', '!', '?', '*', '_']))).collect()
}

/// The ticket behind an address: `https://HOST/agent/tickets/NUMBER`, `/tickets/NUMBER` or `…/requests/NUMBER`.
fn ticket(address: &str) -> Option<(String, String)> {
    let url: reqwest::Url =
        address.parse().ok().filter(|url: &reqwest::Url| ["http", "https"].contains(&url.scheme()))?;
    let segments: Vec<&str> = url.path_segments()?.collect();
    let pair = segments.windows(2).find(|pair| matches!(pair, ["tickets" | "requests", id] if is_number(id)))?;
    Some((authority(&url)?, (*pair.get(1)?).to_owned()))
}

/// A URL's host, with its port where that is not the usual one.
pub fn authority(url: &reqwest::Url) -> Option<String> {
    let host = url.host_str()?.to_lowercase();
    Some(url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}")))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether the number stands in an issue by itself, and not within another number, a version, a path or a word.
fn bears(issue: &Issue, number: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || "/-_=&%".contains(c);
    texts(issue).into_iter().any(|text| {
        text.match_indices(number).any(|(at, _)| {
            let (before, after) =
                (text.get(..at).unwrap_or_default(), text.get(at + number.len()..).unwrap_or_default());
            let begins = match before.chars().next_back() {
                Some('.' | ',') => !before.trim_end_matches(['.', ',']).ends_with(|c: char| c.is_ascii_digit()),
                other => !other.is_some_and(joins),
            };
            let mut behind = after.chars();
            let ends = match behind.next() {
                Some('.' | ',') => !behind.next().is_some_and(|c| c.is_ascii_digit()),
                other => !other.is_some_and(joins),
            };
            begins && ends
        })
    })
}
