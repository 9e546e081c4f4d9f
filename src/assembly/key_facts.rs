//! What `report crypto` says of keys outside the keyring: SSH host keys and the
//! certificate. Reads public halves and dates only.
#![expect(clippy::disallowed_methods, reason = "reads the certificate and the times of key files")]

use std::path::Path;
use std::time::SystemTime;

use super::host_keys;
use crate::config::Config;
use crate::domain::moment::Moment;
use crate::fronts::cli::commands::KeyFacts;
use crate::operations::{Failure, Fault, KeyFact};

/// Tells of the keys of this configuration, as they are when it is asked.
pub(super) fn teller(config: &Config) -> KeyFacts {
    let (keys, certificate) = (config.home.join("keys"), config.https.certificate.clone());
    Box::new(move || {
        let mut facts = Vec::new();
        for key in host_keys::read(&keys)? {
            facts.push(KeyFact {
                kind: "SSH host key".to_owned(),
                name: key.fingerprint(),
                count: 1,
                algorithm: key.algorithm_and_size(),
                since: written_at(&key.path),
                until: None,
                note: if key.in_use { "in use" } else { "next" }.to_owned(),
            });
        }
        facts.push(certificate_fact(&certificate)?);
        Ok(facts)
    })
}

fn written_at(path: &Path) -> Option<Moment> {
    let at = std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok()?;
    let since = at.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    u64::try_from(since.as_millis()).ok().map(Moment::from_millis)
}

fn certificate_fact(path: &Path) -> Result<KeyFact, Failure> {
    let doing = || format!("read the certificate {}", path.display());
    let pem = std::fs::read(path).map_err(|error| Fault::from_error(doing(), error))?;
    let (_, pem) = x509_parser::pem::parse_x509_pem(&pem).map_err(|error| Fault::from_error(doing(), error))?;
    let certificate = pem.parse_x509().map_err(|error| Fault::from_error(doing(), error))?;
    let moment = |seconds: i64| u64::try_from(seconds).ok().map(|seconds| Moment::from_millis(seconds * 1_000));
    let key = certificate.public_key();
    let kind = match key.parsed() {
        Ok(x509_parser::public_key::PublicKey::RSA(rsa)) => format!("RSA, {} bits", rsa.key_size()),
        Ok(x509_parser::public_key::PublicKey::EC(point)) => format!("ECDSA, {} bits", point.key_size()),
        _ => format!("algorithm {}", key.algorithm.algorithm),
    };
    Ok(KeyFact {
        kind: "TLS certificate".to_owned(),
        name: certificate.subject().to_string(),
        count: 1,
        algorithm: kind,
        since: moment(certificate.validity().not_before.timestamp()),
        until: moment(certificate.validity().not_after.timestamp()),
        note: format!("issued by {}", certificate.issuer()),
    })
}
