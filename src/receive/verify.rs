//! The signature of a delivery: HMAC-SHA256 over timestamp and raw body, as Zendesk's "verifying webhooks" page has it.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, SecondsFormat, Utc};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// A delivery whose signature and age were checked. Only [`verify`] makes one.
#[derive(Debug, Clone, Copy)]
pub struct Verified<'a> {
    body: &'a [u8],
}

impl<'a> Verified<'a> {
    /// The raw bytes that were signed.
    pub fn body(&self) -> &'a [u8] {
        self.body
    }
}

/// Why a delivery is not to be trusted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// A header is missing.
    #[error("the header {0} is missing")]
    Missing(&'static str),
    /// The signature is not 44 characters of base64.
    #[error("the signature is not a base64 SHA-256")]
    Malformed,
    /// The timestamp is not one.
    #[error("the signature's timestamp is not ISO 8601")]
    Undated,
    /// Signed too long ago, or in the future.
    #[error("signed {age_s} s ago, and {limit_s} s is the limit")]
    Stale {
        /// Seconds since it was signed; negative in the future.
        age_s: i64,
        /// The limit either way.
        limit_s: u64,
    },
    /// No secret makes this signature.
    #[error("the signature is wrong")]
    Wrong,
}

/// A signature as it was sent, of which nothing is known yet.
#[derive(Debug, Clone)]
pub struct Given<'a> {
    signature: Vec<u8>,
    timestamp: &'a str,
}

/// The signature in a delivery's headers, which can be told before its body is read.
///
/// # Errors
/// A header that is missing, or a signature that cannot be one.
pub fn given<'a>(signature: Option<&str>, timestamp: Option<&'a str>) -> Result<Given<'a>, VerifyError> {
    let signature = signature.ok_or(VerifyError::Missing("X-Zendesk-Webhook-Signature"))?;
    let timestamp = timestamp.ok_or(VerifyError::Missing("X-Zendesk-Webhook-Signature-Timestamp"))?;
    let signature = STANDARD.decode(signature).ok().filter(|bytes| bytes.len() == 32).ok_or(VerifyError::Malformed)?;
    Ok(Given { signature, timestamp })
}

/// Checks a delivery against every secret, in constant time, and its age against `window`.
///
/// # Errors
/// Why it is not to be trusted.
pub fn verify<'a>(
    signature: Option<&str>,
    timestamp: Option<&str>,
    body: &'a [u8],
    secrets: &[SecretString],
    window: Duration,
    now: DateTime<Utc>,
) -> Result<Verified<'a>, VerifyError> {
    given(signature, timestamp)?.verify(body, secrets, window, now)
}

impl Given<'_> {
    /// Checks the signature against every secret, in constant time, and its age against `window`.
    ///
    /// # Errors
    /// Why the delivery is not to be trusted.
    pub fn verify<'a>(
        &self,
        body: &'a [u8],
        secrets: &[SecretString],
        window: Duration,
        now: DateTime<Utc>,
    ) -> Result<Verified<'a>, VerifyError> {
        // Every secret is tried, whichever fits, so that the time taken tells nothing.
        let matches = secrets
            .iter()
            .filter(|secret| {
                mac(secret, self.timestamp, body).is_some_and(|mac| mac.verify_slice(&self.signature).is_ok())
            })
            .count();
        if matches == 0 {
            return Err(VerifyError::Wrong);
        }
        let signed = DateTime::parse_from_rfc3339(self.timestamp).map_err(|_| VerifyError::Undated)?.to_utc();
        let age = now - signed;
        if age.abs().to_std().map_or(true, |age| age > window) {
            return Err(VerifyError::Stale { age_s: age.num_seconds(), limit_s: window.as_secs() });
        }
        Ok(Verified { body })
    }
}

/// Signs a body as the helpdesk does; for the stand-in helpdesk and for tests.
pub fn sign(secret: &SecretString, timestamp: &str, body: &[u8]) -> String {
    mac(secret, timestamp, body).map(|mac| STANDARD.encode(mac.finalize().into_bytes())).unwrap_or_default()
}

/// A moment as the signature's timestamp has it.
pub fn timestamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The key is the secret's own characters, not what they decode to; nothing stands between timestamp and body.
fn mac(secret: &SecretString, timestamp: &str, body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).ok()?;
    mac.update(timestamp.as_bytes());
    mac.update(body);
    Some(mac)
}
