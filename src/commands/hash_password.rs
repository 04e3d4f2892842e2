//! `hash-password`: a console user's password as the configuration takes it.

use std::process::ExitCode;

use anyhow::{Context, bail};

use super::{Done, ExitAs, print};
use crate::console::sign_in;

/// Hash a console user's password for the configuration
///
/// The password is one line on standard input, of 12 characters or more; the hash goes into `password_hash` of
/// `[console.users.NAME]`.
#[derive(Debug, clap::Args)]
pub(super) struct HashPassword {}

impl HashPassword {
    pub(super) fn run(&self) -> Done {
        let hash = hashed().exit_as(2)?;
        print(&format!("{hash}\n"));
        Ok(ExitCode::SUCCESS)
    }
}

fn hashed() -> anyhow::Result<String> {
    let mut password = String::new();
    std::io::stdin().read_line(&mut password).context("the password cannot be read")?;
    let password = password.trim_end_matches(['\r', '\n']);
    if password.chars().count() < 12 {
        bail!("the password has fewer than 12 characters: type a longer one on standard input");
    }
    sign_in::hash(password).map_err(|error| anyhow::anyhow!("the password cannot be hashed: {error}"))
}
