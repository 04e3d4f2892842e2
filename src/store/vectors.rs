//! Vectors: what a model made of a text, kept by the text's content, so that no text is sent twice.
//!
//! A text is known by its hash alone. A vector goes with the ticket it was first made for, and by age.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::database::{Value, list, values};
use super::{Store, StoreError};
use crate::decide::ticket::TicketKey;

/// A text by its content: 64 hex digits of SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextHash(String);

impl TextHash {
    /// The hash of a text.
    pub fn of(text: &str) -> TextHash {
        TextHash(Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

const KEPT: &str = "SELECT text, vector FROM vectors WHERE model = $1 AND text IN (
    SELECT value FROM /*sqlite json_each($2)*/
        /*postgres jsonb_array_elements_text(CAST(CAST($2 AS TEXT) AS JSONB)) AS told (value)*/)";

const KEEP: &str = "INSERT INTO vectors (model, text, vector, account, ticket, kept_at) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT DO NOTHING";

pub(super) const SWEEP: &str = "DELETE FROM vectors WHERE (model, text) IN (
    SELECT model, text FROM vectors WHERE kept_at < $1 ORDER BY kept_at LIMIT $2)";

impl Store {
    /// The vectors of those texts that are kept, as this model made them.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn vectors(&self, model: &str, texts: &[TextHash]) -> Result<BTreeMap<TextHash, Vec<f32>>, StoreError> {
        let hashes: Vec<&str> = texts.iter().map(|text| text.0.as_str()).collect();
        let kept = self.all(KEPT, values![model, list(&hashes)?]).await?.into_iter();
        kept.map(|(text, bytes): (String, Vec<u8>)| Ok((TextHash(text), numbers(&bytes)?))).collect()
    }

    /// Keeps what this model made of a ticket's texts at `at`; what is kept already stays.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn keep_vectors(
        &self,
        ticket: &TicketKey,
        model: &str,
        vectors: &[(TextHash, Vec<f32>)],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let row = |(text, vector): &(TextHash, Vec<f32>)| {
            values![model, &text.0, bytes(vector), &ticket.account, ticket.id, at]
        };
        let rows: Vec<Vec<Value>> = vectors.iter().map(row).collect();
        self.transaction(move |t| async move {
            for row in rows {
                t.run(KEEP, row).await?;
            }
            Ok(())
        })
        .await
    }
}

fn bytes(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn numbers(bytes: &[u8]) -> Result<Vec<f32>, StoreError> {
    let (whole, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(StoreError::odd("vector"));
    }
    Ok(whole.iter().map(|number| f32::from_le_bytes(*number)).collect())
}
