//! Which addresses are this machine's, and which a secret may be sent to.

use std::net::IpAddr;

use reqwest::Url;

/// Whether a host, by name or address, is the machine of whoever names it; an IPv6 address may be in brackets.
pub fn is_this_machine(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Why no secret may be sent somewhere. It does not show the address, which may hold one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    /// Not an address of the web.
    #[error("this is no address: write it like https://gitlab.com")]
    NoAddress,
    /// Everybody on the way could read what is sent.
    #[error("this address is not https, and secrets are sent there")]
    NotHttps,
}

/// An address that secrets may be sent to: https, or this machine itself.
///
/// # Errors
/// Any other.
pub fn secrets_may_go_to(text: &str) -> Result<Url, AddressFault> {
    let url = text.parse::<Url>().ok().filter(Url::has_host).ok_or(AddressFault::NoAddress)?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if url.host_str().is_some_and(is_this_machine) => Ok(url),
        "http" => Err(AddressFault::NotHttps),
        _ => Err(AddressFault::NoAddress),
    }
}
