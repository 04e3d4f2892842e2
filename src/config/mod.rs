//! `starwarden.toml`: what is configured, with the environment's overrides.

pub mod console;
mod faults;
pub mod follow_ups;
pub mod policy;
pub mod reader;
pub mod schema;
pub mod secret;
pub mod systems;
pub mod work;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, de::Error};

use crate::decide::facts::sources::Ids;
use crate::decide::policy::misread::reworded;
use crate::elsewhere::address::{AddressFault, secrets_may_go_to};
use secret::Secret;
pub use work::Work;

/// The whole configuration.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where deliveries come in.
    #[serde(default)]
    pub server: Server,
    /// Where things are kept.
    #[serde(default)]
    pub store: Store,
    /// The rule.
    pub policy: PolicyFile,
    /// Who may use the console and the API.
    #[serde(default)]
    pub console: console::Console,
    /// How tickets are worked.
    #[serde(default)]
    pub work: Work,
    /// Helpdesk instances by name.
    #[serde(default)]
    pub accounts: BTreeMap<String, Account>,
    /// By which vectors words are read.
    #[serde(default)]
    pub reader: reader::ReaderServer,
    /// Systems of record by the names the policy's lookups use. Absent: none is asked.
    #[serde(default)]
    pub lookups: BTreeMap<String, systems::System>,
    /// The GitLab project that has the STAR issues. Absent: none is touched.
    pub star_issues: Option<follow_ups::StarIssues>,
    /// The chat that hears of what is urgent. Absent: none does.
    pub chat: Option<follow_ups::ChatChannel>,
    /// Teams' weekly hours by the names the policy uses. Absent: not known.
    #[serde(default)]
    pub hours: BTreeMap<String, systems::Hours>,
}

/// Where deliveries come in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// The address listened on. Absent: `127.0.0.1:8080`.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// Our own address as people reach it, for links in notes. Absent: no links.
    pub public_url: Option<String>,
    /// A certificate with its chain, PEM, relative to the configuration; with `tls_key`. Absent: no TLS, behind a proxy.
    pub tls_certificate: Option<PathBuf>,
    /// The certificate's key, PEM.
    pub tls_key: Option<PathBuf>,
    /// How many connections are open at once, half of them for one address; where all are taken the one that waits
    /// longest for its peer is closed. Absent: 1,024, or what the limit on open files allows.
    #[serde(default = "default_connections")]
    pub connections: NonZeroUsize,
    /// How many requests a second one address may make, ten times as many at once. Absent: any number, for behind a
    /// proxy all have the proxy's address.
    pub requests_per_second_per_address: Option<NonZeroU32>,
    /// How long a request's head may take to arrive; also how long an idle connection is kept. Absent: 10 seconds.
    #[serde(default = "default_head_timeout", deserialize_with = "span")]
    #[schemars(with = "String")]
    pub head_timeout: Duration,
    /// How long a whole request may take, its body and the making of its answer; and then the answer's taking, longer by a
    /// second for each 16 KiB. Absent: 30 seconds.
    #[serde(default = "default_request_timeout", deserialize_with = "span")]
    #[schemars(with = "String")]
    pub request_timeout: Duration,
}

impl Default for Server {
    fn default() -> Self {
        Server {
            listen: default_listen(),
            public_url: None,
            tls_certificate: None,
            tls_key: None,
            connections: default_connections(),
            requests_per_second_per_address: None,
            head_timeout: default_head_timeout(),
            request_timeout: default_request_timeout(),
        }
    }
}

fn default_connections() -> NonZeroUsize {
    NonZeroUsize::MIN.saturating_add(1023)
}

fn default_head_timeout() -> Duration {
    Duration::from_secs(10)
}

fn default_request_timeout() -> Duration {
    Duration::from_secs(30)
}

fn default_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8080))
}

/// Where things are kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// `sqlite:PATH`, the path relative to the configuration, for one process; or `postgres://…`, for several.
    /// A secret, for a server's may hold a password. Absent: `sqlite:starwarden.db`.
    #[serde(default = "default_store")]
    #[schemars(with = "String")]
    pub url: Secret,
    /// How long deliveries, and decisions of tickets that are watched no longer, are kept; "off" for ever. Absent: 400 days.
    #[serde(default = "default_keep", deserialize_with = "span_or_off")]
    #[schemars(with = "String")]
    pub keep: Option<Duration>,
    /// The configuration's folder.
    #[serde(skip)]
    pub home: PathBuf,
}

fn default_store() -> Secret {
    "sqlite:starwarden.db".into()
}

#[expect(clippy::unnecessary_wraps, reason = "none means for ever")]
fn default_keep() -> Option<Duration> {
    Some(Duration::from_hours(400 * 24))
}

/// What a store's URL names.
pub enum StoreAt {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL database, by its URL.
    Postgres(SecretString),
}

impl Default for Store {
    fn default() -> Self {
        Store { url: default_store(), keep: default_keep(), home: PathBuf::new() }
    }
}

impl Store {
    /// What the URL names.
    ///
    /// # Errors
    /// A URL of another kind, or one that is kept elsewhere and is not there.
    pub fn at(&self) -> anyhow::Result<StoreAt> {
        let url = self.url.read(Path::new("")).context("store.url")?;
        match url.expose_secret().split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => Ok(StoreAt::Sqlite(self.home.join(path))),
            Some(("postgres" | "postgresql", _)) => Ok(StoreAt::Postgres(url)),
            _ => bail!("store.url is not one this version can use: write `sqlite:PATH` or `postgres://…`"),
        }
    }
}

/// The rule.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyFile {
    /// The policy's binding, relative to the configuration.
    pub file: PathBuf,
    /// The binding of a policy that is tried beside it: every decision is also made by it, and never acted on. Absent: none.
    pub candidate: Option<PathBuf>,
    /// Whether a promotion takes two people: one asks for it, and another puts it in force.
    #[serde(default)]
    pub second_person: bool,
}

impl PolicyFile {
    /// The same, relative to where `configuration` is no more.
    fn beside(self, configuration: &Path) -> PolicyFile {
        let home = configuration.parent().unwrap_or(Path::new("."));
        let candidate = self.candidate.map(|candidate| home.join(candidate));
        PolicyFile { file: home.join(self.file), candidate, ..self }
    }
}

/// One helpdesk instance.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Where its API is: `https://example.zendesk.com`.
    pub base_url: String,
    /// Whether notes and tags are written.
    #[serde(default)]
    pub mode: Mode,
    /// What its webhooks are signed with: one, or several while rotating.
    #[serde(deserialize_with = "secret::one_or_several")]
    #[schemars(schema_with = "crate::config::schema::one_or_several")]
    pub webhook_secrets: Vec<Secret>,
    /// The helpdesk's own number; deliveries that name another are refused. Absent: any.
    pub account_id: Option<u64>,
    /// How old a signature may be. Absent: 5 minutes.
    #[serde(default = "default_replay_window", deserialize_with = "span")]
    #[schemars(with = "String")]
    pub replay_window: Duration,
    /// How often starred tickets are looked for that no delivery told of; "off" for never. Absent: 10 minutes.
    #[serde(default = "default_catch_up", deserialize_with = "span_or_off")]
    #[schemars(with = "String")]
    pub catch_up_every: Option<Duration>,
    /// `"built-in"` sends none of its words to the server of `[reader]`. Absent: they are, where there is one.
    pub reader: Option<reader::AccountReader>,
    /// Our share of the helpdesk's API limit. Absent: 60.
    #[serde(default = "default_budget")]
    pub requests_per_minute: u32,
    /// How we are known to the helpdesk.
    pub auth: Auth,
    /// Ids of ticket forms, by the names the policy uses.
    #[serde(default)]
    pub forms: BTreeMap<String, OneOrMany>,
    /// Ids of ticket fields, by the names the policy uses.
    #[serde(default)]
    pub fields: BTreeMap<String, OneOrMany>,
}

/// Whether notes and tags are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// They are.
    #[default]
    Live,
    /// Decisions are made and recorded, and nothing is written.
    Shadow,
}

/// How we are known to the helpdesk: exactly one of an OAuth client, a token, or e-mail with API token.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// An OAuth client's id, with `client_secret`.
    #[serde(default, deserialize_with = "some_text")]
    #[schemars(schema_with = "crate::config::schema::text_or_number")]
    pub client_id: Option<String>,
    /// An OAuth client's secret.
    #[schemars(with = "Option<String>")]
    pub client_secret: Option<Secret>,
    /// What an OAuth client's tokens may be used for, with a blank between. Absent: what the bot's calls need, which
    /// `setup` and `doctor` name.
    #[serde(default, deserialize_with = "some_text")]
    #[schemars(schema_with = "crate::config::schema::text_or_number")]
    pub scopes: Option<String>,
    /// A ready bearer token.
    #[schemars(with = "Option<String>")]
    pub oauth_token: Option<Secret>,
    /// An agent's address, with `api_token`; the helpdesk ends these on 2027-04-30.
    pub email: Option<String>,
    /// An API token.
    #[schemars(with = "Option<String>")]
    pub api_token: Option<Secret>,
}

/// One id or several.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(u64),
    /// Several.
    Many(Vec<u64>),
}

impl Settings {
    /// The files whose change is taken up while the bot runs: the policies' and their diagrams', the certificate's, and every
    /// secret's but the store's and what sessions are signed with, which ask for a restart.
    pub fn files(&self, home: &Path) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> =
            std::iter::once(&self.policy.file).chain(&self.policy.candidate).cloned().collect();
        let diagrams: Vec<PathBuf> = files.iter().filter_map(|file| policy::diagram(file)).collect();
        files.extend(diagrams);
        files.extend([&self.server.tls_certificate, &self.server.tls_key].into_iter().flatten().cloned());
        let accounts = self.accounts.values();
        let secrets = accounts.flat_map(|account| account.webhook_secrets.iter().chain(account.auth.secrets()));
        let elsewhere = self.star_issues.iter().map(|there| &there.token);
        let secrets = secrets.chain(elsewhere).chain(self.chat.iter().map(|chat| &chat.webhook_url));
        let secrets = secrets.chain(self.lookups.values().filter_map(|system| system.token.as_ref()));
        let console = self.console.tokens.values().map(|program| &program.token);
        let secrets = secrets.chain(console).chain(self.console.oidc.iter().map(|oidc| &oidc.client_secret));
        let secrets = secrets.chain(&self.reader.token);
        files.extend(secrets.filter_map(|secret| secret.file(home)));
        files
    }
}

impl Auth {
    /// Whether it is exactly one of the three ways.
    fn is_clear(&self) -> bool {
        let Auth { client_id, client_secret, oauth_token, email, api_token, scopes: _ } = self;
        let given =
            [client_id.is_some(), client_secret.is_some(), oauth_token.is_some(), email.is_some(), api_token.is_some()];
        matches!(
            given,
            [true, true, false, false, false] | [false, false, true, false, false] | [false, false, false, true, true]
        )
    }

    fn secrets(&self) -> impl Iterator<Item = &Secret> {
        [&self.client_secret, &self.oauth_token, &self.api_token].into_iter().flatten()
    }
}

impl Account {
    /// The account's ids of forms and fields.
    pub fn ids(&self) -> Ids {
        let all = |named: &BTreeMap<String, OneOrMany>| {
            let ids = |ids: &OneOrMany| match ids {
                OneOrMany::One(one) => vec![*one],
                OneOrMany::Many(many) => many.clone(),
            };
            named.iter().map(|(name, some)| (name.clone(), ids(some))).collect()
        };
        Ids { forms: all(&self.forms), fields: all(&self.fields), ..Ids::default() }
    }

    fn validate(&self, name: &str, faults: &mut Vec<String>) {
        let mut fault = |key: &str, what: &str| faults.push(format!("accounts.{name}.{key} {what}"));
        if self.webhook_secrets.is_empty() {
            fault("webhook_secrets", "is empty, so no delivery could be trusted: give at least one");
        }
        match secrets_may_go_to(&self.base_url) {
            Ok(_) => {}
            Err(AddressFault::NoAddress) => {
                fault("base_url", "is no address: write it like https://example.zendesk.com")
            }
            Err(fault_of @ AddressFault::NotHttps) => fault("base_url", &format!("cannot be used: {fault_of}")),
        }
        if self.requests_per_minute == 0 {
            fault("requests_per_minute", "is 0: give at least 1");
        }
        if !self.auth.is_clear() {
            let ways = "give client_id and client_secret, or oauth_token, or email and api_token";
            fault("auth", &format!("is unclear: {ways}"));
        }
    }
}

/// Reads the configuration, and over it the `STARWARDEN__SECTION__KEY` of `environment`.
///
/// # Errors
/// A file that cannot be read; or, all at once and each with its place, unknown keys and values of the wrong shape; or,
/// where there are none of these, all that makes no sense: an account without webhook secrets, or with unclear credentials.
pub fn read(file: &Path, environment: impl Iterator<Item = (String, String)>) -> anyhow::Result<Settings> {
    let Written { text, table, overridden } = Written::read(file, environment)?;
    let mut settings: Settings = if overridden {
        table.try_into().map_err(|error: toml::de::Error| {
            let (why, help) = reworded(&secret::without_values(error.message()));
            let help = help.map(|help| format!("; {help}")).unwrap_or_default();
            anyhow::anyhow!("{} with the environment's STARWARDEN__ variables: {why}{help}", file.display())
        })?
    } else {
        toml::from_str(&text).map_err(|error| faults::of_text(file, &text, error))?
    };
    let home = file.parent().unwrap_or(Path::new("."));
    settings.policy = settings.policy.beside(file);
    for file in [&mut settings.server.tls_certificate, &mut settings.server.tls_key].into_iter().flatten() {
        *file = home.join(&*file);
    }
    settings.store.url = settings.store.url.beside(home);
    settings.store.home = home.to_owned();
    let unsound = unsound(&settings);
    if unsound.is_empty() { Ok(settings) } else { Err(faults::of_sense(file, &text, &unsound)) }
}

/// What serde cannot see, a sentence each, which begins with the key.
fn unsound(settings: &Settings) -> Vec<String> {
    let mut faults = Vec::new();
    if settings.store.url.is_here()
        && let Err(error) = settings.store.at()
    {
        faults.push(format!("{error:#}"));
    }
    if settings.server.tls_certificate.is_some() != settings.server.tls_key.is_some() {
        let wanted = "go together: give both, or neither behind a proxy";
        faults.push(format!("server.tls_certificate and server.tls_key {wanted}"));
    }
    settings.console.validate(settings.server.public_url.as_deref(), &mut faults);
    settings.work.validate(&mut faults);
    settings.reader.validate(&mut faults);
    settings.star_issues.iter().for_each(|star_issues| star_issues.validate(&mut faults));
    if settings.accounts.is_empty() {
        faults.push("no account is configured: add a table [accounts.NAME]".into());
    }
    settings.accounts.iter().for_each(|(name, account)| account.validate(name, &mut faults));
    faults
}

/// The policies that a configuration names, whatever else is wrong with it; none where it does not say.
pub fn policies(file: &Path, environment: impl Iterator<Item = (String, String)>) -> Option<PolicyFile> {
    let mut table = Written::read(file, environment).ok()?.table;
    Some(PolicyFile::deserialize(table.remove("policy")?).ok()?.beside(file))
}

/// A configuration before its values are looked at.
struct Written {
    /// The file's.
    text: String,
    /// What is in it, and over it what the environment says.
    table: toml::Table,
    /// Whether the environment says anything.
    overridden: bool,
}

impl Written {
    fn read(file: &Path, environment: impl Iterator<Item = (String, String)>) -> anyhow::Result<Written> {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("the configuration {} cannot be read", file.display()))?;
        let mut table: toml::Table = toml::from_str(&text).map_err(|error| faults::of_text(file, &text, error))?;
        let mut overridden = false;
        for (name, value) in environment.filter(|(name, _)| name.starts_with("STARWARDEN__")) {
            let path: Vec<String> = name.split("__").skip(1).map(str::to_lowercase).collect();
            set(&mut table, &path, &value).with_context(|| format!("the environment variable {name} names no key"))?;
            overridden = true;
        }
        Ok(Written { text, table, overridden })
    }
}

/// Puts a value from the environment into the table: as TOML where it is, else as text. A secret is always a text, or a
/// list of them, though it may look like a number.
fn set(table: &mut toml::Table, path: &[String], value: &str) -> Option<()> {
    let (key, inner) = path.split_first()?;
    if inner.is_empty() {
        let typed = toml::from_str::<toml::Table>(&format!("value = {value}"))
            .ok()
            .and_then(|mut parsed| parsed.remove("value"));
        let plain = typed.filter(|typed| match secret::is_named(key) {
            true => typed.is_str() || typed.is_array(),
            false => !typed.is_datetime() && !typed.is_float(),
        });
        table.insert(key.clone(), plain.unwrap_or_else(|| toml::Value::String(value.to_owned())));
        return Some(());
    }
    let entry = table.entry(key.clone()).or_insert_with(|| toml::Value::Table(toml::Table::new()));
    set(entry.as_table_mut()?, inner, value)
}

fn default_replay_window() -> Duration {
    Duration::from_secs(300)
}

#[expect(clippy::unnecessary_wraps, reason = "serde's default has the field's type")]
fn default_catch_up() -> Option<Duration> {
    Some(Duration::from_secs(600))
}

fn default_budget() -> u32 {
    60
}

/// A text; a number stands for itself, as a project's, or as one from the environment that looks like a number.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let given = toml::Value::deserialize(deserializer)?;
    let text = given.as_str().map(str::to_owned).or_else(|| Some(given.as_integer()?.to_string()));
    text.ok_or_else(|| D::Error::custom("a text is wanted here: put it in quotes"))
}

fn some_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    text(deserializer).map(Some)
}

fn span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text)
        .map_err(|_| D::Error::custom(format!("{} is not a span of time; write it like \"5m\"", secret::short(&text))))
}

fn span_or_off<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text == "off" {
        return Ok(None);
    }
    humantime::parse_duration(&text).map(Some).map_err(|_| {
        D::Error::custom(format!("{} is not a span of time; write it like \"10m\", or \"off\"", secret::short(&text)))
    })
}
