//! The store that the configuration names.

use anyhow::Context;
use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::config::Host;

use crate::config::{self, StoreAt};
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

/// What went wrong with a server, with where it is, and never with the password.
fn at_its_server(url: &SecretString, error: StoreError) -> anyhow::Error {
    let (StoreError::Unavailable(why), Ok(config)) = (&error, url.expose_secret().parse::<tokio_postgres::Config>())
    else {
        return error.into();
    };
    let ports = config.get_ports();
    let port = |nth: usize| ports.get(nth).or(ports.first()).copied().unwrap_or(5432);
    let places = config.get_hosts().iter().enumerate().map(|(nth, host)| match host {
        Host::Tcp(name) => format!("{name}:{}", port(nth)),
        Host::Unix(folder) => folder.display().to_string(),
    });
    let places = places.collect::<Vec<_>>().join(", ");
    anyhow::anyhow!(
        "[store] url: the PostgreSQL server at {places} cannot be used: {why}; see that it runs and takes this url"
    )
}

/// A store that is not there is not made where it is only asked: it would be an empty one.
///
/// # Errors
/// A SQLite file that is not there.
pub(super) fn must_be_there(store: &config::Store) -> anyhow::Result<()> {
    if let StoreAt::Sqlite(file) = store.at()? {
        std::fs::metadata(&file).with_context(|| format!("the store {} cannot be read: nothing was kept yet, or the command is started in another folder than the bot", file.display()))?;
    }
    Ok(())
}
