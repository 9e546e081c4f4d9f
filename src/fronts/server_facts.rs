//! What clients must know of this server before they trust it: names, ports, fingerprints.
//! Plain data: assembly gathers it, the portal shows it, no front names another.

use crate::domain::moment::Moment;

/// Where clients connect, and by what they know the server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerFacts {
    /// Host name by which clients reach SFTP.
    pub sftp_host: String,
    /// Its port.
    pub sftp_port: u16,
    /// SSH host keys, those in use first.
    pub host_keys: Vec<HostKeyFact>,
    /// The certificate of HTTPS; `None` when it could not be read.
    pub certificate: Option<CertificateFact>,
}

/// An SSH host key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostKeyFact {
    /// Clients meet it now; else it is announced.
    pub in_use: bool,
    /// Kind and size, such as `Ed25519, 256 bits`.
    pub algorithm: String,
    /// `SHA256:…`
    pub fingerprint: String,
    /// The line for `known_hosts`.
    pub known_hosts: String,
    /// The DNS record (RFC 4255).
    pub sshfp: String,
}

/// The certificate of HTTPS.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CertificateFact {
    /// SHA-256 of the certificate, in pairs of hexadecimal digits as browsers show it.
    pub sha256: String,
    /// When it ends.
    pub until: Option<Moment>,
}
