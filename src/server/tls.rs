//! TLS by rustls: certificate and key from PEM files, changed while the bot runs.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::stream::Bounded;

/// What new connections are secured with; clones share it.
#[derive(Clone)]
pub struct Tls(Arc<ArcSwap<ServerConfig>>);

impl Tls {
    /// This, to begin with.
    pub fn new(certified: Arc<ServerConfig>) -> Tls {
        Tls(Arc::new(ArcSwap::new(certified)))
    }

    /// Secures connections with another certificate from here on; those that are open keep theirs.
    pub fn replace(&self, certified: Arc<ServerConfig>) {
        self.0.store(certified);
    }

    pub(super) async fn accept(&self, stream: Bounded) -> std::io::Result<TlsStream<Bounded>> {
        TlsAcceptor::from(self.0.load_full()).accept(stream).await
    }
}

/// Reads a certificate with its chain, and its key.
///
/// # Errors
/// A file that cannot be read or is no PEM, or a key that does not belong to the certificate.
pub fn certified(certificate: &Path, key: &Path) -> anyhow::Result<Arc<ServerConfig>> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .with_context(|| format!("server.tls_certificate: {} cannot be read", certificate.display()))?;
    if chain.is_empty() {
        bail!("server.tls_certificate: {} holds no certificate", certificate.display());
    }
    let secret = PrivateKeyDer::from_pem_file(key)
        .with_context(|| format!("server.tls_key: {} cannot be read", key.display()))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(chain, secret))
        .context("server.tls_certificate and server.tls_key do not go together")?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
