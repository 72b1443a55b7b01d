//! What a Druid requires of its callers: a login, and a private certificate authority. Taken from
//! the environment and from files only, because others can read a command line.

use std::path::{Path, PathBuf};

use base64::Engine;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use super::DruidError;
use crate::net;

/// User and password for HTTP basic authentication.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub user: String,
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}

impl Credentials {
    /// The header's value.
    pub(super) fn header(&self) -> String {
        let Self { user, password } = self;
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}")))
    }
}

/// How to authenticate to a Druid, and what to trust.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// The login, if any.
    pub credentials: Option<Credentials>,
    /// Certificates of the authorities to trust, in PEM; `None`: the public ones.
    pub ca_file: Option<PathBuf>,
}

impl Access {
    /// `TWEETBLAST_DRUID_USER` with `TWEETBLAST_DRUID_PASSWORD` or the first line of the file
    /// `TWEETBLAST_DRUID_PASSWORD_FILE`; `TWEETBLAST_DRUID_CA`, a file.
    ///
    /// # Errors
    /// When the file with the password cannot be read.
    pub fn from_env() -> Result<Self, DruidError> {
        let text = |name: &str| std::env::var(name).ok();
        let password = match (text("TWEETBLAST_DRUID_PASSWORD"), text("TWEETBLAST_DRUID_PASSWORD_FILE")) {
            (Some(password), _) => password,
            (None, Some(path)) => {
                let whole = read(Path::new(&path))?;
                String::from_utf8_lossy(&whole).lines().next().unwrap_or_default().to_owned()
            }
            (None, None) => String::new(),
        };
        Ok(Self {
            credentials: text("TWEETBLAST_DRUID_USER").map(|user| Credentials { user, password }),
            ca_file: std::env::var_os("TWEETBLAST_DRUID_CA").map(PathBuf::from),
        })
    }

    /// The TLS settings for the certificates to trust.
    pub(super) fn tls(&self) -> Result<TlsConfig, DruidError> {
        let Some(path) = &self.ca_file else { return Ok(TlsConfig::default()) };
        let pem = read(path)?;
        let certificates: Vec<Certificate<'static>> = parse_pem(&pem)
            .filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            })
            .collect();
        if certificates.is_empty() {
            let reason = "it holds no certificate in PEM (-----BEGIN CERTIFICATE-----)".to_owned();
            return Err(DruidError::File { path: path.clone(), reason });
        }
        Ok(TlsConfig::builder().root_certs(RootCerts::new_with_certs(&certificates)).build())
    }
}

fn read(path: &Path) -> Result<Vec<u8>, DruidError> {
    std::fs::read(path)
        .map_err(|error| DruidError::File { path: path.to_owned(), reason: net::words(&error) })
}
