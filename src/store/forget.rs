//! Forgetting: all that people wrote about a ticket goes, and what was counted of it stays.

use serde_json::{Value, json};

use super::database::{Database, Outcome, Session, values};
use super::operators::Did;
use super::{Store, StoreError};
use crate::decide::ticket::TicketKey;
use crate::learn::report::gist;

const DECISIONS: &str = "SELECT id, decision FROM decisions WHERE account = $1 AND ticket = $2";

const DECISION: &str = "UPDATE decisions SET decision = $2, note = '', basis = '{}' WHERE id = $1";

const EVENTS: &str = "SELECT id, did FROM operator_events WHERE account = $1 AND ticket = $2";

/// What is written anew without words, or deleted. A corrected verdict is no word of a person's own.
const WORDS: [&str; 6] = [
    "UPDATE watches SET subject = NULL, organization = NULL, why = NULL, last_error = NULL, hand = NULL, hand_who = NULL,
        hand_at = NULL WHERE account = $1 AND ticket = $2",
    // A reply is known by its comment when it is read again; what was said in the console is known by who said it.
    "UPDATE feedback SET key = CASE WHEN way = 'reply' THEN key ELSE 'forgotten ' || CAST(id AS TEXT) END, who = '',
        detail = CASE WHEN opinion = 'corrected' THEN detail ELSE '' END WHERE account = $1 AND ticket = $2",
    "UPDATE follow_ups SET told = NULL WHERE account = $1 AND ticket = $2",
    "UPDATE comparisons SET difference = CASE WHEN difference IS NULL THEN NULL ELSE '{}' END
        WHERE account = $1 AND ticket = $2",
    "DELETE FROM failures WHERE account = $1 AND ticket = $2",
    "DELETE FROM vectors WHERE account = $1 AND ticket = $2",
];

/// The tables that hold words. Freed rows keep their bytes in a page until others overwrite them, and a new file has none.
const WRITTEN_ANEW: &str =
    "VACUUM (FULL, ANALYZE) watches, decisions, feedback, follow_ups, comparisons, failures, vectors, operator_events";

impl Store {
    /// Forgets all that people wrote about a ticket; decisions stay counted. Traces of it stay where the database keeps
    /// what was overwritten, until [`Store::erase_traces`].
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn forget(&self, ticket: &TicketKey) -> Result<(), StoreError> {
        let which = values![&ticket.account, ticket.id];
        self.transaction(move |t| async move {
            let decisions: Vec<(i64, String)> = t.all(DECISIONS, which.clone()).await?;
            for (id, decision) in decisions {
                t.run(DECISION, values![id, bare(&decision)?]).await?;
            }
            wordless(&t, t.all(EVENTS, which.clone()).await?).await?;
            for statement in WORDS {
                t.run(statement, which.clone()).await?;
            }
            Ok(())
        })
        .await?;
        self.0.forgot.notify_one();
        Ok(())
    }

    /// Comes back once something was forgotten in this process since the last time.
    pub async fn forgot(&self) {
        self.0.forgot.notified().await;
    }

    /// Erases what was forgotten from the database's files: SQLite's log is emptied, PostgreSQL's tables are written anew,
    /// which holds them for as long. What the server archives is the server's.
    ///
    /// # Errors
    /// A store that cannot be used; SQLite where something reads for long.
    pub async fn erase_traces(&self) -> Result<(), StoreError> {
        match &self.0.database {
            Database::Sqlite(sqlite) => sqlite.empty_log().await,
            Database::Postgres(_) => self.run(WRITTEN_ANEW, values![]).await.map(drop),
        }
    }
}

/// Takes what operators wrote out of what they did.
async fn wordless(t: &Session, events: Vec<(i64, String)>) -> Outcome<()> {
    for (id, did) in events {
        let mut did: Did = serde_json::from_str(&did).map_err(|_| StoreError::odd("operator event"))?;
        if let Did::Answered { value: words, .. } | Did::Disagreed { why: words } = &mut did {
            words.clear();
        }
        let did = serde_json::to_string(&did).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        t.run("UPDATE operator_events SET did = $2 WHERE id = $1", values![id, did]).await?;
    }
    Ok(())
}

/// What of a decision's JSON holds no words of people, or is kept without them.
const WORDLESS: [&str; 15] = [
    "verdict",
    "likely",
    "possible",
    "outcome_node",
    "trust",
    "path",
    "beyond",
    "walked",
    "missing",
    "tasks",
    "workflow",
    "valid_until",
    "reader",
    "tags",
    "policy",
];

/// A decision's JSON with what counts and lists go by, and no words of people.
fn bare(decision: &str) -> Outcome<String> {
    let corrupt = |error: serde_json::Error| StoreError::Corrupt(format!("a decision: {error}"));
    let mut whole: Value = serde_json::from_str(decision).map_err(corrupt)?;
    let counted = gist::counted(decision).map_err(corrupt)?;
    if let Some(whole) = whole.as_object_mut() {
        whole.retain(|key, _| WORDLESS.contains(&key.as_str()));
        for (list, answered) in [("path", counted.path), ("beyond", counted.beyond)] {
            if !answered.is_empty() {
                whole.insert(list.to_owned(), json!(answered));
            }
        }
        for missing in whole.get_mut("missing").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(missing) = missing.as_object_mut() {
                missing.insert("suggested".to_owned(), Value::Null);
            }
        }
    }
    Ok(whole.to_string())
}
