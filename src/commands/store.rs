//! The store that the configuration names.

use anyhow::Context;
use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::config::Host;

use crate::config::{self, StoreAt};
use crate::learn::report::text::many;
use crate::store::{Store, StoreError};

/// Opens it, with its schema up to date.
pub(super) async fn open(store: &config::Store) -> anyhow::Result<Store> {
    Ok(match store.at()? {
        StoreAt::Sqlite(file) => Store::sqlite(&file)?,
        StoreAt::Postgres(url) => {
            Store::postgres(url.expose_secret()).await.map_err(|error| at_its_server(&url, error))?
        }
    })
}

/// The same for the bot, of which there is one a SQLite file; with where it is and how many tickets it knows, for the log's
/// first line.
pub(super) async fn open_for_bot(store: &config::Store) -> anyhow::Result<(Store, String)> {
    let (opened, place, is_new) = match store.at()? {
        StoreAt::Sqlite(file) => {
            let is_new = !file.exists();
            (Store::sqlite_for_bot(&file).await?, file.display().to_string(), is_new)
        }
        StoreAt::Postgres(url) => (open(store).await?, places(&url).unwrap_or_default(), false),
    };
    let known = match opened.tickets_known().await? {
        0 if is_new => "new".to_owned(),
        tickets => many(tickets, "ticket"),
    };
    Ok((opened, format!("store {place}, {known}")))
}

/// What went wrong with a server, with where it is, and never with the password.
fn at_its_server(url: &SecretString, error: StoreError) -> anyhow::Error {
    let (StoreError::Unavailable(why), Some(places)) = (&error, places(url)) else { return error.into() };
    anyhow::anyhow!(
        "[store] url: the PostgreSQL server at {places} cannot be used: {why}; see that it runs and takes this url"
    )
}

/// Where the servers are that a URL names.
fn places(url: &SecretString) -> Option<String> {
    let config = url.expose_secret().parse::<tokio_postgres::Config>().ok()?;
    let ports = config.get_ports();
    let port = |nth: usize| ports.get(nth).or(ports.first()).copied().unwrap_or(5432);
    let places = config.get_hosts().iter().enumerate().map(|(nth, host)| match host {
        Host::Tcp(name) => format!("{name}:{}", port(nth)),
        Host::Unix(folder) => folder.display().to_string(),
    });
    Some(places.collect::<Vec<_>>().join(", "))
}

/// A store that is not there is not made where it is only asked: it would be an empty one.
///
/// # Errors
/// A SQLite file that is not there.
pub(super) fn must_be_there(store: &config::Store) -> anyhow::Result<()> {
    if let StoreAt::Sqlite(file) = store.at()? {
        std::fs::metadata(&file).with_context(|| {
            format!(
                "the store {} cannot be read: nothing was kept yet, or [store] url names another place than the bot's",
                file.display()
            )
        })?;
    }
    Ok(())
}
