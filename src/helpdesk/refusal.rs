//! What the body of a refusal says: names of errors and keys, scopes, and sentences that are the helpdesk's own. A
//! customer's words, which a refusal may quote, are never told.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value as Json;

/// What a call was about: a ticket's refusal may quote its customer, that of a webhook or a search only us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// A ticket, a user, an organisation.
    Customers,
    /// Webhooks, triggers, searches, tokens.
    Ourselves,
}

/// What a refusal says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    /// The ticket is closed.
    pub closed: bool,
    /// Scopes that are missing.
    pub scopes: Vec<String>,
    /// The user's role does not allow it.
    pub role: bool,
    /// The reason, in a few words.
    pub why: Option<String>,
}

/// The longest text that is told of a refusal, characters.
const LONGEST: usize = 200;

/// Reads the body of a refusal.
pub fn of(body: &[u8], about: About) -> Refusal {
    let Ok(json) = serde_json::from_slice::<Json>(body) else {
        let html = body.trim_ascii_start().starts_with(b"<");
        return Refusal { why: html.then(|| "an HTML page instead of a reason".into()), ..Refusal::default() };
    };
    let texts: Vec<&str> =
        ["/description", "/error/message", "/error/description", "/error_description", "/message", "/error"]
            .iter()
            .filter_map(|pointer| json.pointer(pointer)?.as_str())
            .collect();
    let scopes = texts.iter().find_map(|text| missing_scopes(text)).unwrap_or_default();
    let role = texts.iter().any(|text| ROLE.is_match(text));
    let details = details(&json, about);
    let closed = json.pointer("/details/status").and_then(Json::as_array).is_some_and(|faults| {
        let says = |fault: &Json| fault.get("description").and_then(Json::as_str).map(str::to_lowercase);
        faults.iter().filter_map(says).any(|text| text.contains("closed"))
    });
    let mut parts: Vec<String> = name(&json).into_iter().collect();
    parts.extend(details);
    if texts.iter().any(|text| COMMENTS.is_match(text)) || COMMENTS.is_match(&json.to_string()) {
        parts.push("the ticket has as many comments as the helpdesk allows".into());
    }
    for text in
        texts.iter().filter(|text| !parts.iter().any(|part| part == *text)).map(|text| text.trim()).collect::<Vec<_>>()
    {
        if about == About::Ourselves || is_own(text) {
            parts.push(plain(text));
        }
    }
    parts.dedup();
    let why = Some(parts.join(": ")).filter(|why| !why.is_empty());
    Refusal { closed, scopes, role, why: why.map(|why| why.chars().take(LONGEST).collect()) }
}

/// The error's name: a word, or an object with a title.
fn name(json: &Json) -> Option<String> {
    let error = json.get("error")?;
    let name = error.as_str().or_else(|| error.get("title")?.as_str()).or_else(|| error.get("code")?.as_str())?;
    Some(plain(name).chars().take(80).collect())
}

/// What each key of `details` says, `requester: UserSuspended`, and each of `errors`.
fn details(json: &Json, about: About) -> Vec<String> {
    let mut all = Vec::new();
    for (key, faults) in json.get("details").and_then(Json::as_object).into_iter().flatten() {
        for fault in faults.as_array().into_iter().flatten() {
            let code = fault.get("error").and_then(Json::as_str).filter(|code| CODE.is_match(code)).map(str::to_owned);
            let said = fault.get("description").and_then(Json::as_str);
            let said = said.filter(|said| about == About::Ourselves || is_own(said)).map(plain);
            let says: Vec<String> = [code, said].into_iter().flatten().collect();
            let key = plain(key);
            all.push(if says.is_empty() { key } else { format!("{key}: {}", says.join(", ")) });
        }
    }
    for fault in json.get("errors").and_then(Json::as_array).into_iter().flatten() {
        let text = |key: &str| fault.get(key).and_then(Json::as_str);
        let code = text("code").filter(|code| CODE.is_match(code));
        let told = |text: &&str| about == About::Ourselves || is_own(text);
        let says: Vec<String> =
            [code, text("title").filter(told), text("detail").filter(told)].into_iter().flatten().map(plain).collect();
        if !says.is_empty() {
            all.push(says.join(", "));
        }
    }
    all
}

fn missing_scopes(text: &str) -> Option<Vec<String>> {
    let named = SCOPES.captures(text)?.get(1)?.as_str();
    let scopes = named.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, ':' | '_' | '-')));
    Some(scopes.filter(|scope| !scope.is_empty() && *scope != "and").map(str::to_owned).collect())
}

/// Whether a sentence is known to be the helpdesk's own: the name of a field, and what is the matter with it.
fn is_own(text: &str) -> bool {
    OWN.is_match(text.trim())
}

fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect()
}

macro_rules! pattern {
    ($name:ident, $pattern:expr) => {
        static $name: LazyLock<Regex> = LazyLock::new(|| Regex::new($pattern).expect("a pattern"));
    };
}

pattern!(SCOPES, r"(?i)missing the following required scopes?:?\s*(.+)");
pattern!(ROLE, r"(?i)you do not have access to this page|not authorized to|you don't have permission|not allowed to");
pattern!(CODE, r"^[A-Za-z][A-Za-z0-9_]{0,60}$");
pattern!(COMMENTS, r"(?i)5,?000 comments|comments? limit|too many comments|maximum number of comments");
pattern!(
    OWN,
    r"^(?:Status closed prevents ticket update|Record validation errors|Couldn't authenticate you|Not found|[A-Z][A-Za-z ]{0,40}:? ?(?:is required|cannot be blank|can't be blank|is invalid|is not valid|is missing|is too long|is too short|is not included in the list|has already been taken))\.?$"
);
