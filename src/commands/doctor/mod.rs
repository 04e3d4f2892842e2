//! `doctor`: a line for each thing that can be wrong, in the order in which a person would mend them.

mod account;
mod calls;
mod elsewhere;
pub(in crate::commands) mod finding;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use clap::ValueEnum;
use serde_json::json;

use super::front::LetsIn;
use super::{ConfigFile, Done, ExitAs, print};
use crate::config::{self, Settings, StoreAt};
use crate::elsewhere::address::is_this_machine;
use account::Checkup;
use finding::{Finding, Found};

/// Check everything the bot needs, and say what to do about what is wrong
///
/// In order: configuration, policy, store, the server of embeddings where there is one, public address, console; then for each account: secrets, helpdesk,
/// credentials, clock, each kind of call the bot makes, scopes, forms, fields, the star's tag, webhook, trigger, and what became of the newest
/// deliveries; then where follow-ups go, as far as that is configured. It changes nothing.
/// Exit code 0 where all is well, 1 where something is not.
#[derive(Debug, clap::Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    config: ConfigFile,
    /// How it is shown
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// A line for each check
    Text,
    /// One JSON object
    Json,
}

impl Doctor {
    pub(super) fn run(self) -> Done {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.context("the runtime cannot start").exit_as(1)?;
        let findings = runtime.block_on(self.look());
        let well = findings.iter().all(Finding::is_well);
        match self.format {
            Format::Text => {
                print(&findings.iter().map(Finding::text).collect::<String>());
                print(if well { "all is well\n" } else { "not all is well\n" });
            }
            Format::Json => print(&format!("{:#}\n", json!({ "well": well, "checks": findings }))),
        }
        Ok(if well { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }

    async fn look(&self) -> Vec<Finding> {
        let overall = |check, found| Finding { check, account: None, found };
        let read = self.config.file().and_then(|file| Ok((config::read(&file, std::env::vars())?, file)));
        let (settings, file) = match read {
            Ok(read) => read,
            Err(error) => {
                let cure = "mend it at the place shown; config/starwarden.toml has every key";
                return vec![overall("configuration", Found::wrong(format!("{error:#}"), cure))];
            }
        };
        let home = file.parent().unwrap_or(Path::new("."));
        let accounts = settings.accounts.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let says = format!("{} is sound; accounts: {accounts}", file.display());
        let mut findings = vec![overall("configuration", Found::well(says))];

        let policy = config::policy::read(&settings.policy.file);
        findings.push(overall(
            "policy",
            match &policy {
                Ok(policy) => Found::well(format!("{} is sound, {}", settings.policy.file.display(), policy.hash)),
                Err(error) => Found::wrong(format!("{error:#}"), "mend it at the place shown"),
            },
        ));
        findings.push(overall("store", store(&settings).await));
        if let Some(found) = elsewhere::reader(&settings.reader, home).await {
            findings.push(overall("reader", found));
        }
        findings.push(overall("public address", public_url(settings.server.public_url.as_deref())));
        findings.push(overall("console", console(LetsIn::of(&settings))));
        for (name, account) in &settings.accounts {
            let policy = policy.as_ref().ok();
            let public_url = settings.server.public_url.as_deref();
            let found = Checkup { name, account, home, policy, public_url }.run().await;
            findings.extend(found.into_iter().map(|(check, found)| Finding {
                check,
                account: Some(name.clone()),
                found,
            }));
        }
        if let Some(star_issues) = &settings.star_issues {
            findings.push(overall("STAR issues", elsewhere::star_issues(star_issues, home).await));
        }
        if let Some(chat) = &settings.chat {
            findings.push(overall("chat", elsewhere::chat(chat, home)));
        }
        findings
    }
}

async fn store(settings: &Settings) -> Found {
    let cure = "see [store] url";
    match settings.store.at() {
        Ok(StoreAt::Sqlite(file)) if !file.exists() => return no_store_yet(&file), // Opening it would make it.
        Ok(StoreAt::Sqlite(_) | StoreAt::Postgres(_)) => {}
        Err(error) => return Found::wrong(format!("{error:#}"), cure),
    }
    let ready = match super::store::open(&settings.store).await {
        Ok(store) => match store.ready().await {
            Ok(()) => store.sound().await.map_err(anyhow::Error::from),
            Err(error) => Err(error.into()),
        },
        Err(error) => Err(error),
    };
    match ready {
        Ok(()) => Found::well("can be read and written"),
        Err(error) => Found::wrong(format!("{error:#}"), cure),
    }
}

/// Whether a store could be made here.
fn no_store_yet(file: &Path) -> Found {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let writable = folder.metadata().map(|about| about.is_dir() && !about.permissions().readonly());
    match writable {
        Ok(true) => Found::well(format!("no store yet: the bot makes {} when it starts", file.display())),
        Ok(false) | Err(_) => Found::wrong(
            format!("no store yet, and {} cannot be made", file.display()),
            "see that its folder exists and can be written, or mend [store] url",
        ),
    }
}

pub(super) fn public_url(url: Option<&str>) -> Found {
    let Some(url) = url else {
        return Found::advice("server.public_url is not set", "set it: setup needs it, and notes link to it");
    };
    match url.parse::<reqwest::Url>() {
        Ok(url) if url.scheme() == "https" => Found::well(url.to_string()),
        Ok(parsed) if parsed.scheme() == "http" && parsed.host_str().is_some_and(is_this_machine) => {
            Found::well(format!("{url}, on this machine"))
        }
        Ok(_) => {
            Found::wrong(format!("{url} is not https"), "the helpdesk delivers over https: put TLS before the bot")
        }
        Err(_) => Found::wrong(format!("{url} is no address"), "write it like https://star.example.com"),
    }
}

fn console(lets_in: LetsIn) -> Found {
    let cure = "name users or oidc in [console]; starwarden hash-password makes a password's hash";
    match lets_in {
        LetsIn::People => Found::well("people sign in"),
        LetsIn::ThisMachine => Found::well("open to whoever is on this machine"),
        LetsIn::Programs => Found::advice("programs have tokens, and nobody can sign in", cure),
        LetsIn::Nobody => Found::advice("closed: it could be reached from elsewhere, and nobody can sign in", cure),
    }
}
