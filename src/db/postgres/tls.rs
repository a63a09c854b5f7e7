//! TLS on the way to PostgreSQL, with certificates checked as far as libpq's `sslmode` says.

use std::{
    io,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use postgres::{
    Socket,
    tls::{ChannelBinding, MakeTlsConnect, TlsConnect},
};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
    server::ParsedCertificate,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::error::{Error, Result};

/// Against whom the server's certificate is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// Nobody: what is sent is encrypted, perhaps to somebody else.
    Nothing,
    /// It is signed by a certificate of this file (`verify-ca`).
    Signer(PathBuf),
    /// It is, and it is the named host's (`verify-full`).
    Host(PathBuf),
    /// The same with the certificates that the system trusts (`sslrootcert=system`).
    HostBySystem,
}

/// Makes connections encrypted.
#[derive(Clone)]
pub(super) struct Connector {
    config: Arc<ClientConfig>,
    begun: Arc<AtomicBool>,
}

impl Connector {
    /// # Errors
    /// `BadRequest` when the certificates to check against cannot be read.
    pub(super) fn new(check: &Check) -> Result<Self> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let signed_by = |checked| Arc::new(Verifier { provider: Arc::clone(&provider), checked });
        let verifier: Arc<dyn ServerCertVerifier> = match check {
            Check::Nothing => signed_by(None),
            Check::Signer(file) => signed_by(Some(Checked::by(file, false, &provider)?)),
            Check::Host(file) => signed_by(Some(Checked::by(file, true, &provider)?)),
            Check::HostBySystem => {
                Arc::new(rustls_platform_verifier::Verifier::new(Arc::clone(&provider)).map_err(|cause| unusable(&cause))?)
            }
        };
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(|cause| unusable(&cause))?;
        let config = config.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
        Ok(Self { config: Arc::new(config), begun: Arc::default() })
    }

    /// Whether a server has agreed to encrypt, whatever came of it.
    pub(super) fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed)
    }
}

fn unusable(cause: &TlsError) -> Error {
    Error::BadRequest(format!("TLS to PostgreSQL cannot be set up: {cause}"))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let wrong = |why: &dyn std::fmt::Display| {
        Error::BadRequest(format!(
            "the root certificate of PostgreSQL, {}, cannot be used: {why}; name a file in PEM by sslrootcert=FILE in the address in [database], or sslrootcert=system",
            file.display()
        ))
    };
    let found = CertificateDer::pem_file_iter(file).map_err(|cause| wrong(&cause))?.collect::<Result<Vec<_>, _>>();
    let found = found.map_err(|cause| wrong(&cause))?;
    if found.is_empty() { Err(wrong(&"it holds no certificate")) } else { Ok(found) }
}

impl MakeTlsConnect<Socket> for Connector {
    type Stream = Encrypted;
    type TlsConnect = Handshake;
    type Error = TlsError;

    fn make_tls_connect(&mut self, host: &str) -> Result<Handshake, TlsError> {
        // A name that no certificate can have passes no check of it.
        let nobody = || ServerName::from(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let name = ServerName::try_from(host.to_owned()).unwrap_or_else(|_| nobody());
        Ok(Handshake { connector: self.clone(), name })
    }
}

/// One handshake.
pub(super) struct Handshake {
    connector: Connector,
    name: ServerName<'static>,
}

impl TlsConnect<Socket> for Handshake {
    type Stream = Encrypted;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Encrypted>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        self.connector.begun.store(true, Ordering::Relaxed);
        let connector = TlsConnector::from(self.connector.config);
        Box::pin(async move { connector.connect(self.name, socket).await.map(Encrypted) })
    }
}

/// An encrypted connection.
pub(super) struct Encrypted(TlsStream<Socket>);

impl postgres::tls::TlsStream for Encrypted {
    /// None: `channel_binding=require` in the address is refused by the driver.
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// Looks at the server's certificate, which proves itself with its key in either case.
#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    /// By whom it must be signed; nothing takes any.
    checked: Option<Checked>,
}

/// Takes certificates that are signed by ours.
#[derive(Debug)]
struct Checked {
    inner: Arc<WebPkiServerVerifier>,
    roots: Vec<CertificateDer<'static>>,
    /// Whether it must be the host's, too.
    is_host: bool,
}

impl Checked {
    fn by(file: &Path, is_host: bool, provider: &Arc<CryptoProvider>) -> Result<Self> {
        let roots = certificates(file)?;
        let mut store = RootCertStore::empty();
        let (taken, _) = store.add_parsable_certificates(roots.iter().cloned());
        let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider)).build();
        let inner = inner.map_err(|cause| {
            Error::BadRequest(format!("the root certificate of PostgreSQL, {} ({taken} usable): {cause}", file.display()))
        })?;
        Ok(Self { inner, roots, is_host })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let Some(Checked { inner, roots, is_host }) = &self.checked else { return Ok(ServerCertVerified::assertion()) };
        match inner.verify_server_cert(certificate, between, name, ocsp, now) {
            // Its signer was checked before its name was.
            Err(TlsError::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !is_host => Ok(ServerCertVerified::assertion()),
            // One that signs itself, as PostgreSQL's documentation makes it, says of itself that it signs others; webpki takes
            // none of those for a server, after it has looked at the dates.
            Err(TlsError::InvalidCertificate(CertificateError::Other(_))) if roots.iter().any(|root| root == certificate) => {
                if *is_host {
                    verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                }
                Ok(ServerCertVerified::assertion())
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
