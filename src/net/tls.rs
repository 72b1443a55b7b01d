//! TLS on our listeners: the certificates, and the handshake with each client.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{AlertDescription, Error, RootCertStore, ServerConfig};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Longest handshake, as the wait for MQTT's CONNECT.
const HANDSHAKE_WAIT: Duration = Duration::from_secs(10);

/// The files, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// Our certificate and those between it and its authority.
    pub cert: PathBuf,
    pub key: PathBuf,
    /// Certificates of the authorities from which clients must have theirs; `None`: clients need none.
    pub client_ca: Option<PathBuf>,
}

/// What a listener needs for TLS 1.2 and 1.3.
pub struct ServerTls {
    acceptor: TlsAcceptor,
    asks_clients: bool,
    is_refusal_said: AtomicBool,
}

impl ServerTls {
    /// Reads the files.
    ///
    /// # Errors
    /// Names the file that is wrong, and shows nothing of what is in it.
    pub fn load(files: &TlsFiles) -> Result<Self, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let wrong = |path: &Path, error: &dyn fmt::Display| format!("{}: {error}", path.display());
        let chain = certificates(&files.cert)?;
        let key = PrivateKeyDer::from_pem_file(&files.key)
            .map_err(|error| wrong(&files.key, &pem_words(&error, "private key")))?;
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let builder = match &files.client_ca {
            None => builder.with_no_client_auth(),
            Some(path) => {
                let mut roots = RootCertStore::empty();
                for authority in certificates(path)? {
                    roots.add(authority).map_err(|error| wrong(path, &error))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
                builder.with_client_cert_verifier(verifier.build().map_err(|error| wrong(path, &error))?)
            }
        };
        let config = builder.with_single_cert(chain, key).map_err(|error| match error {
            Error::InconsistentKeys(_) => format!(
                "{} is not the key of the certificate in {}",
                files.key.display(),
                files.cert.display()
            ),
            error => wrong(&files.cert, &error),
        })?;
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            asks_clients: files.client_ca.is_some(),
            is_refusal_said: AtomicBool::new(false),
        })
    }

    /// Whether clients must show a certificate.
    pub fn asks_clients(&self) -> bool {
        self.asks_clients
    }

    /// Shakes hands with a client of the `what` port. `None`: it is refused; the first one is said in the log.
    pub async fn accept(&self, what: &str, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
        let refused = match timeout(HANDSHAKE_WAIT, self.acceptor.accept(stream)).await {
            Ok(Ok(stream)) => return Some(stream),
            // Somebody who only looked whether the port is there.
            Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => return None,
            Ok(Err(error)) => words(&error),
            Err(_) => format!("no handshake within {} s", HANDSHAKE_WAIT.as_secs()),
        };
        match self.is_refusal_said.swap(true, Ordering::Relaxed) {
            false => tracing::warn!(
                "a client of the {what} port, which speaks TLS, was refused: {refused}; more are not said"
            ),
            true => tracing::debug!("a client of the {what} port, which speaks TLS, was refused: {refused}"),
        }
        None
    }
}

/// Two are the same if they are one.
impl PartialEq for ServerTls {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for ServerTls {}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTls").field("asks_clients", &self.asks_clients).finish_non_exhaustive()
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let named = |error: &PemError| format!("{}: {}", path.display(), pem_words(error, "certificate"));
    let all = CertificateDer::pem_file_iter(path).map_err(|error| named(&error))?;
    let all: Vec<_> = all.collect::<Result<_, _>>().map_err(|error| named(&error))?;
    match all.is_empty() {
        true => Err(named(&PemError::NoItemsFound)),
        false => Ok(all),
    }
}

fn pem_words(error: &PemError, what: &str) -> String {
    match error {
        PemError::NoItemsFound => format!("there is no {what} in it (-----BEGIN ...)"),
        PemError::Io(error) => super::words(error),
        // What these hold is a part of the file.
        _ => "it is not PEM".to_owned(),
    }
}

/// Why a handshake failed.
fn words(error: &io::Error) -> String {
    let of_tls = error.get_ref().and_then(|error| error.downcast_ref::<Error>());
    match of_tls {
        Some(Error::InvalidMessage(_)) => "it does not speak TLS".to_owned(),
        Some(Error::NoCertificatesPresented) => "it has no certificate".to_owned(),
        Some(Error::InvalidCertificate(why)) => format!("its certificate is not accepted ({why})"),
        Some(Error::AlertReceived(
            AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown,
        )) => "it does not trust our certificate".to_owned(),
        Some(error) => error.to_string(),
        None => super::words(error),
    }
}
