//! `backup`: a whole copy of what is kept, while the bot runs.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::config::Host;

use super::{ConfigFile, Done, ExitAs, print};
use crate::config::{self, StoreAt};
use crate::store::sqlite::copy::copy;

/// Copy what is kept into one file, while the bot runs
///
/// The copy is as of one moment, checked, and readable by its owner alone: it holds what customers wrote. To restore it,
/// stop the bot, put the copy in the place of the store's file, take away what lies beside that with the endings -wal and
/// -shm, and start the bot. What happened since is found again: starred tickets by catch-up, and our own notes by their ids.
///
/// A PostgreSQL server has programs of its own for this; the command says how to call them.
#[derive(Debug, clap::Args)]
pub(super) struct Backup {
    #[command(flatten)]
    file: ConfigFile,
    /// The file to write, which must not be there yet
    #[arg(value_name = "TO")]
    to: PathBuf,
}

impl Backup {
    pub(super) fn run(&self) -> Done {
        self.copy().exit_as(1)?;
        Ok(ExitCode::SUCCESS)
    }

    fn copy(&self) -> anyhow::Result<()> {
        let settings = config::read(&self.file.file()?, std::env::vars())?;
        match settings.store.at()? {
            StoreAt::Sqlite(file) => copy(&file, &self.to)?,
            StoreAt::Postgres(url) => bail!(
                "the store is a PostgreSQL server; copy it with\n  pg_dump --format custom --file {to} {at}\nand restore it, with the bot stopped, into an empty database with\n  pg_restore --no-owner --exit-on-error {at} {to}",
                to = self.to.display(),
                at = connection(&url)?
            ),
        }
        let bytes = std::fs::metadata(&self.to).context("the copy cannot be seen")?.len();
        print(&format!("{}: {} kB, whole and checked\n", self.to.display(), bytes.div_ceil(1000)));
        Ok(())
    }
}

/// Where a server is, as its programs take it; never with the password, which they ask for or read from `PGPASSFILE`.
fn connection(url: &SecretString) -> anyhow::Result<String> {
    let config: tokio_postgres::Config = url.expose_secret().parse().ok().context("store.url cannot be read")?;
    let mut words = Vec::new();
    for host in config.get_hosts() {
        words.push(match host {
            Host::Tcp(name) => format!("--host {name}"),
            Host::Unix(folder) => format!("--host {}", folder.display()),
        });
    }
    words.extend(config.get_ports().iter().map(|port| format!("--port {port}")));
    words.extend(config.get_user().map(|user| format!("--username {user}")));
    words.extend(config.get_dbname().map(|name| format!("--dbname {name}")));
    Ok(words.join(" "))
}
