//! The certificate that Codex itself encrypts connections with, read anew when its files change.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio_rustls::TlsAcceptor;

/// How often it is looked whether the files are others.
const LOOK: Duration = Duration::from_secs(2);

/// A certificate with its key, as the files had them when they were last good.
#[derive(Debug)]
pub struct Certificate {
    files: (PathBuf, PathBuf),
    current: RwLock<Arc<CertifiedKey>>,
    seen: RwLock<Bytes>,
}

/// What the two files hold.
#[derive(Default, PartialEq, Eq)]
struct Bytes(Vec<u8>, Vec<u8>);

impl std::fmt::Debug for Bytes {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("***")
    }
}

impl Bytes {
    fn read((certificate, key): &(PathBuf, PathBuf)) -> Result<Self, String> {
        let read = |file: &Path| std::fs::read(file).map_err(|cause| format!("{}: {cause}", file.display()));
        Ok(Self(read(certificate)?, read(key)?))
    }

    fn parse(&self, (certificate, key): &(PathBuf, PathBuf)) -> Result<CertifiedKey, String> {
        let in_file = |file: &Path, why: &dyn std::fmt::Display| format!("{}: {why}", file.display());
        let chain = CertificateDer::pem_slice_iter(&self.0).collect::<Result<Vec<_>, _>>();
        let chain = chain.map_err(|cause| in_file(certificate, &cause))?;
        if chain.is_empty() {
            return Err(in_file(certificate, &"holds no certificate in PEM"));
        }
        let private = PrivateKeyDer::from_pem_slice(&self.1).map_err(|cause| in_file(key, &cause))?;
        CertifiedKey::from_der(chain, private, &aws_lc_rs::default_provider())
            .map_err(|cause| format!("{} with {}: {cause}", certificate.display(), key.display()))
    }
}

impl Certificate {
    /// Reads a certificate with those that vouch for it, and its key, both in PEM.
    ///
    /// # Errors
    /// Which file cannot be used, and why.
    pub fn open(certificate: &Path, key: &Path) -> Result<Arc<Self>, String> {
        let files = (certificate.to_owned(), key.to_owned());
        let bytes = Bytes::read(&files)?;
        let current = RwLock::new(Arc::new(bytes.parse(&files)?));
        Ok(Arc::new(Self { files, current, seen: RwLock::new(bytes) }))
    }

    /// The certificate itself, in DER.
    #[must_use]
    pub fn leaf(&self) -> Option<Vec<u8>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.cert.first().map(|certificate| certificate.as_ref().to_vec())
    }

    /// Does handshakes with it.
    ///
    /// # Errors
    /// When TLS cannot be set up at all.
    pub fn acceptor(self: &Arc<Self>) -> Result<TlsAcceptor, String> {
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|cause| cause.to_string())?;
        let mut config = config.with_no_client_auth().with_cert_resolver(self.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// Takes over what the files hold now, for connections to come. When that cannot be used, the last good one goes on.
    pub async fn watch(self: Arc<Self>) {
        let mut tick = tokio::time::interval(LOOK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut told = String::new();
        loop {
            tick.tick().await;
            let this = Arc::clone(&self);
            let looked = tokio::task::spawn_blocking(move || this.look()).await;
            match looked.unwrap_or_else(|cause| Err(cause.to_string())) {
                Ok(false) => {}
                Ok(true) => {
                    told.clear();
                    tracing::info!(certificate = %self.files.0.display(), "a new certificate is in use");
                }
                Err(why) if why == told => {}
                Err(why) => {
                    tracing::warn!(%why, "the certificate cannot be renewed; the last one goes on");
                    told = why;
                }
            }
        }
    }

    /// Whether there was another pair, which is now in use.
    fn look(&self) -> Result<bool, String> {
        let bytes = Bytes::read(&self.files)?;
        if *self.seen.read().unwrap_or_else(PoisonError::into_inner) == bytes {
            return Ok(false);
        }
        let certified = bytes.parse(&self.files)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(certified);
        *self.seen.write().unwrap_or_else(PoisonError::into_inner) = bytes;
        Ok(true)
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}
