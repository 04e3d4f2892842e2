//! What a check found, as a line for people and as data for scripts.

use serde::Serialize;

/// One check and what it found.
#[derive(Debug, Serialize)]
pub(in crate::commands) struct Finding {
    /// What was checked.
    pub check: &'static str,
    /// Which account it was checked for; none where it is not an account's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    #[serde(flatten)]
    pub found: Found,
}

/// What a check found.
#[derive(Debug, Serialize)]
#[serde(tag = "found", rename_all = "snake_case")]
pub(in crate::commands) enum Found {
    /// All is well.
    Well { says: String },
    /// It works, and something better can be done.
    Advice {
        says: String,
        #[serde(rename = "do")]
        cure: String,
    },
    /// It does not work.
    Wrong {
        says: String,
        #[serde(rename = "do")]
        cure: String,
    },
    /// It cannot be checked before something else is mended.
    Unchecked { says: String },
}

impl Found {
    pub(super) fn well(says: impl Into<String>) -> Found {
        Found::Well { says: says.into() }
    }

    pub(super) fn wrong(says: impl Into<String>, cure: impl Into<String>) -> Found {
        Found::Wrong { says: says.into(), cure: cure.into() }
    }

    pub(super) fn advice(says: impl Into<String>, cure: impl Into<String>) -> Found {
        Found::Advice { says: says.into(), cure: cure.into() }
    }
}

impl Finding {
    /// Whether nothing here stops the bot.
    pub(super) fn is_well(&self) -> bool {
        match self.found {
            Found::Well { .. } | Found::Advice { .. } => true,
            Found::Wrong { .. } | Found::Unchecked { .. } => false,
        }
    }

    /// As a line, and what to do on the next.
    pub(super) fn text(&self) -> String {
        let (mark, says, cure) = match &self.found {
            Found::Well { says } => ("✓", says, None),
            Found::Advice { says, cure } => ("!", says, Some(cure)),
            Found::Wrong { says, cure } => ("✗", says, Some(cure)),
            Found::Unchecked { says } => ("?", says, None),
        };
        let of = self.account.as_ref().map(|account| format!(" ({account})")).unwrap_or_default();
        let what = format!("{}{of}", self.check);
        let cure = cure.map(|cure| format!("{:26}→ {cure}\n", "")).unwrap_or_default();
        format!("{mark} {what:<22}  {says}\n{cure}")
    }
}
