//! TLS as NCSC-NL asks it (guidelines 2025-05, domain §3.1): versions, suites,
//! groups and certificate from files. Knows nothing of HTTP but the names of ALPN.

use std::error::Error;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs::{cipher_suite, default_provider, kx_group};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, SupportedProtocolVersion, version};
use tokio_rustls::TlsAcceptor;

use crate::config::sections::TlsMinimum;

/// Why no TLS could be made of the configured files; names the file, never its content.
#[derive(Debug)]
pub struct TlsFault {
    doing: String,
    source: Box<dyn Error + Send + Sync>,
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.doing, self.source)
    }
}

impl Error for TlsFault {}

impl TlsFault {
    /// A file that the configuration names cannot be used.
    pub(super) fn of_file(key: &str, file: &Path, error: std::io::Error) -> Self {
        Self { doing: format!("reading {} ({key})", file.display()), source: error.into() }
    }
}

/// Reads certificate chain and key (PEM) and makes the TLS side of the listener.
///
/// # Errors
/// Unreadable files, a key that does not belong to the certificate, or one that TLS does not take.
pub fn acceptor(certificate: &Path, key: &Path, minimum: TlsMinimum) -> Result<TlsAcceptor, TlsFault> {
    let fault = |file: &Path, source: Box<dyn Error + Send + Sync>| TlsFault {
        doing: format!("reading {} for HTTPS", file.display()),
        source,
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| fault(certificate, error.into()))?;
    if chain.is_empty() {
        return Err(fault(certificate, "it holds no certificate".into()));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| fault(key, error.into()))?;
    let versions: &[&SupportedProtocolVersion] = match minimum {
        TlsMinimum::Tls12 => &[&version::TLS13, &version::TLS12],
        TlsMinimum::Tls13 => &[&version::TLS13],
    };
    let mut provider = default_provider();
    // Good before sufficient; AES-256-GCM first. No CBC, no DHE, no RSA key exchange exist here.
    provider.cipher_suites = vec![
        cipher_suite::TLS13_AES_256_GCM_SHA384,
        cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
        cipher_suite::TLS13_AES_128_GCM_SHA256,
        cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    ];
    provider.kx_groups = vec![kx_group::X25519MLKEM768, kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1];
    let built = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(versions)
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private));
    let mut config = built.map_err(|error| fault(key, error.into()))?;
    config.ignore_client_order = true;
    config.require_ems = true;
    config.max_early_data_size = 0;
    config.alpn_protocols = vec![H2.to_vec(), HTTP11.to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// ALPN name of HTTP/2 (RFC 9113).
pub(super) const H2: &[u8] = b"h2";

/// ALPN name of HTTP/1.1 (RFC 7301).
const HTTP11: &[u8] = b"http/1.1";
