//! Gathers what clients must know of this server: host keys and certificate, as they are at
//! the start. Reads public halves only.
#![expect(clippy::disallowed_methods, reason = "reads the certificate")]

use sha2::{Digest as _, Sha256};

use super::host_keys::{HostKey, host_name};
use crate::config::Config;
use crate::domain::moment::Moment;
use crate::fronts::server_facts::{CertificateFact, HostKeyFact, ServerFacts};

/// The port that clients take without being told.
const SSH_PORT: u16 = 22;

/// What is shown of this server, which answers SFTP on this port.
pub(super) fn gather(config: &Config, host_keys: &[HostKey], port: u16) -> ServerFacts {
    let (sftp_host, sftp_port) = config.connections.sftp_address.clone().unwrap_or_else(|| (host_name(config), port));
    let host_keys = host_keys.iter().map(|key| fact(key, &sftp_host, sftp_port)).collect();
    let certificate = certificate(config);
    if certificate.is_none() {
        tracing::warn!("the certificate of https.certificate cannot be shown in the portal: it could not be read");
    }
    ServerFacts { sftp_host, sftp_port, host_keys, certificate }
}

fn fact(key: &HostKey, host: &str, port: u16) -> HostKeyFact {
    let public = key.key.public_key().to_openssh().unwrap_or_default();
    // without the comment
    let public = public.split(' ').take(2).collect::<Vec<_>>().join(" ");
    let name = if port == SSH_PORT { host.to_owned() } else { format!("[{host}]:{port}") };
    HostKeyFact {
        in_use: key.in_use,
        algorithm: key.algorithm_and_size(),
        fingerprint: key.fingerprint(),
        known_hosts: format!("{name} {public}"),
        sshfp: key.sshfp(host),
    }
}

fn certificate(config: &Config) -> Option<CertificateFact> {
    let pem = std::fs::read(&config.https.certificate).ok()?;
    let (_, pem) = x509_parser::pem::parse_x509_pem(&pem).ok()?;
    let until = pem.parse_x509().ok()?.validity().not_after.timestamp();
    let pairs: Vec<String> = Sha256::digest(&pem.contents).iter().map(|byte| format!("{byte:02X}")).collect();
    let until = u64::try_from(until).ok().map(|seconds| Moment::from_millis(seconds * 1_000));
    Some(CertificateFact { sha256: pairs.join(":"), until })
}
