//! A webhook's signing secret, brought to where the configuration reads it.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;
use secrecy::{ExposeSecret, SecretString};

use super::Apply;
use crate::config::secret::Secret;

/// Keeps the secret in the first file that the configuration names for one; in words what was done. The secret itself
/// is never in them.
///
/// # Errors
/// The file cannot be written.
pub(super) fn keep(secret: &SecretString, configured: &[Secret], home: &Path, mode: Apply) -> anyhow::Result<String> {
    let same = |one: &Secret| one.read(home).is_ok_and(|read| read.expose_secret() == secret.expose_secret());
    if configured.iter().any(same) {
        return Ok("is where the configuration says".into());
    }
    let files: Vec<_> = configured.iter().filter_map(|one| one.file(home)).collect();
    // A file that is still empty first: what stands in another may be the secret that is being rotated out.
    let Some(file) = files.iter().find(|file| !file.exists()).or(files.first()) else {
        let places: Vec<String> = configured.iter().filter_map(Secret::variable).map(str::to_owned).collect();
        let place = if places.is_empty() { "accounts.NAME.webhook_secrets".to_owned() } else { places.join(" or ") };
        return Ok(format!("set {place} to it: the helpdesk shows it on the webhook's own page (Reveal secret)"));
    };
    if mode == Apply::No {
        return Ok(format!("would be written to {}", file.display()));
    }
    write(file, secret).with_context(|| format!("{} cannot be written", file.display()))?;
    Ok(format!("written to {}", file.display()))
}

/// Whole or not at all, and for the owner's eyes only.
fn write(file: &Path, secret: &SecretString) -> std::io::Result<()> {
    let beside = file.with_extension("new");
    let _left_over = std::fs::remove_file(&beside);
    let mut new = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    writeln!(new, "{}", secret.expose_secret())?;
    new.sync_all()?;
    std::fs::rename(&beside, file)
}
