//! The stand-in helpdesk's OAuth scopes: what a token was given for, and what a call needs.

use std::collections::BTreeSet;

use axum::Json;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::helpdesk::StandIn;

/// What a token may be used for; none for everything.
pub(super) type Granted = Option<BTreeSet<String>>;

impl StandIn {
    /// Gives tokens no other scopes than these from here on, whatever they are asked for with.
    pub fn allow_scopes(&self, scopes: &str) {
        self.lock().allowed = Some(words(scopes));
    }

    /// Gives a token for what is asked for and allowed.
    pub(super) fn give_token(&self, asked: &str) -> (String, String) {
        let mut held = self.lock();
        held.tokens_given += 1;
        let token = format!("granted-{}", held.tokens_given);
        let mut scopes = words(asked);
        if let Some(allowed) = &held.allowed {
            scopes.retain(|scope| allowed.contains(scope));
        }
        let told = scopes.iter().cloned().collect::<Vec<_>>().join(" ");
        held.tokens.push((token.clone(), Some(scopes)));
        (token, told)
    }
}

fn words(scopes: &str) -> BTreeSet<String> {
    scopes.split_whitespace().map(str::to_owned).collect()
}

/// The refusal of a call that a token may not make; none where it may.
///
/// Tickets, users, organisations, webhooks and triggers have scopes of their own; all else, the search and the fields among
/// it, asks for the global ones. Webhooks are in no global scope.
pub(super) fn refused(method: &Method, path: &str, granted: &Granted) -> Option<Response> {
    let granted = granted.as_ref()?;
    let verb = if *method == Method::GET { "read" } else { "write" };
    let part = path.trim_start_matches("/api/v2/").split(['/', '.']).next().unwrap_or_default();
    let audits = path.contains("/audits");
    let own = ["tickets", "users", "organizations", "webhooks", "triggers"].contains(&part) && !audits;
    let needed = if own { format!("{part}:{verb}") } else { verb.to_owned() };
    let global = granted.contains(verb) && part != "webhooks";
    if granted.contains(&needed) || global {
        return None;
    }
    let says = format!("You are missing the following required scopes: {needed}");
    Some((StatusCode::FORBIDDEN, Json(json!({ "error": "Forbidden", "description": says }))).into_response())
}
