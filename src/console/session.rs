//! Sessions in signed cookies: who is signed in, what they may, and the token their forms carry.

use axum::http::{HeaderMap, HeaderValue, header};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// How long a session lasts.
pub(super) const LASTS: TimeDelta = TimeDelta::hours(12);

/// Who it is that did not have to sign in.
pub(super) const SOMEBODY: &str = "somebody on this machine";

/// The session's cookie.
const NAME: &str = "starwarden";

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// See everything.
    Read,
    /// And tell the bot what to do.
    Act,
}

/// Who is at the other end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Who, as they signed in.
    #[serde(rename = "sub")]
    pub name: String,
    /// How they signed in, by which the settings say what they may.
    pub by: By,
    /// What they may, by the settings in force; never what a cookie says.
    #[serde(skip, default = "least")]
    pub role: Role,
    /// What every form of theirs repeats.
    pub csrf: String,
    /// When it ends, seconds since 1970.
    pub exp: i64,
}

/// How somebody signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// Not at all: they are on this machine.
    ThisMachine,
    /// With a password from the configuration.
    Password,
    /// With the provider.
    Provider {
        /// What of their claim counted.
        values: Vec<String>,
    },
}

fn least() -> Role {
    Role::Read
}

impl Session {
    /// What it is known by where it is kept that it is over: nobody can make the session from it.
    pub(super) fn number(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(&self.csrf))
    }
}

/// Signs sessions and reads them back.
pub struct Sessions {
    sign: EncodingKey,
    verify: DecodingKey,
    secure: Secure,
}

/// Whether cookies are for HTTPS alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secure {
    /// They are: people reach the console by HTTPS.
    HttpsOnly,
    /// Plain HTTP is used, as on loopback.
    PlainHttp,
}

impl Sessions {
    /// Sessions signed with this key.
    pub fn new(key: &[u8], secure: Secure) -> Sessions {
        Sessions { sign: EncodingKey::from_secret(key), verify: DecodingKey::from_secret(key), secure }
    }

    /// Begins a session.
    ///
    /// # Errors
    /// A machine that gives no randomness.
    pub fn begin(&self, name: &str, by: By, role: Role, now: DateTime<Utc>) -> Result<Session, NoRandomness> {
        Ok(Session { name: name.to_owned(), by, role, csrf: random()?, exp: (now + LASTS).timestamp() })
    }

    /// The session a request belongs to; none where there is none, it ended, or it is not ours.
    pub fn of(&self, headers: &HeaderMap) -> Option<Session> {
        let session: Session = self.read(cookie(headers, NAME)?)?;
        // No session that was begun here ends later, whoever signed it.
        let latest = (Utc::now() + LASTS + TimeDelta::minutes(1)).timestamp();
        (session.exp <= latest).then_some(session)
    }

    /// The header that gives a browser its session.
    pub fn cookie(&self, session: &Session) -> Option<HeaderValue> {
        self.header(NAME, &self.sign(session)?, "/", LASTS)
    }

    /// The header that takes it away.
    pub fn no_cookie(&self) -> Option<HeaderValue> {
        self.header(NAME, "", "/", TimeDelta::zero())
    }

    /// Signs what a browser is to bring back; its `exp` says until when.
    pub fn sign(&self, claims: &impl Serialize) -> Option<String> {
        encode(&Header::new(Algorithm::HS256), claims, &self.sign).ok()
    }

    /// Reads what was signed here and has not ended.
    pub fn read<T: DeserializeOwned + Clone>(&self, token: &str) -> Option<T> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        decode(token, &self.verify, &validation).ok().map(|data| data.claims)
    }

    /// A cookie for a path, out of reach of scripts.
    pub fn header(&self, name: &str, value: &str, path: &str, lasts: TimeDelta) -> Option<HeaderValue> {
        let secure = match self.secure {
            Secure::HttpsOnly => "; Secure",
            Secure::PlainHttp => "",
        };
        let seconds = lasts.num_seconds();
        format!("{name}={value}; Path={path}; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}").parse().ok()
    }
}

/// The value of a request's cookie.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// The machine gives no randomness, and what could be guessed is no secret.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("this machine gives no randomness, which secrets are made of: see that /dev/urandom can be read")]
pub struct NoRandomness;

/// 32 random bytes as text.
///
/// # Errors
/// A machine that gives none.
pub fn random() -> Result<String, NoRandomness> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
