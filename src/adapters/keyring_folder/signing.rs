//! The server's signing key: an Ed25519 seed, sealed to the master as every other key. Receipts are signed with it.

use std::path::PathBuf;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::{KeyringFolder, files, locked};
use crate::ports::failure::{Failure, Fault};
use crate::ports::keyring::KeyFact;
use crate::ports::signer::{Signer, VerifyingKey};
use crate::sealing::ssh_signature::{SEED_BYTES, SigningKey};

/// The file of the key, in `keys/`.
const SIGNING: &str = "signing.age";

impl KeyringFolder {
    pub(super) fn path_of_signing(&self) -> PathBuf {
        self.folder.join(SIGNING)
    }

    /// The key; made when it is asked for first.
    fn signing(&self) -> Result<Arc<SigningKey>, Failure> {
        // Held while making: two askers must not make two keys.
        let mut kept = locked(&self.signing);
        if let Some(key) = kept.as_ref() {
            return Ok(Arc::clone(key));
        }
        let path = self.path_of_signing();
        let seed = if files::exists(&path)? {
            let (secret, _) = self.masters.open_file(&path)?;
            let seed = <[u8; SEED_BYTES]>::try_from(secret.as_slice())
                .map_err(|error| Fault::from_error(format!("read the key {}", path.display()), error))?;
            Zeroizing::new(seed)
        } else {
            let mut seed = Zeroizing::new([0; SEED_BYTES]);
            self.fill(seed.as_mut_slice())?;
            files::write_durably(&path, &self.masters.seal(seed.as_slice())?)?;
            seed
        };
        let key = SigningKey::from_seed(&seed)
            .map_err(|error| Fault::from_error(format!("use the key {}", path.display()), error))?;
        Ok(Arc::clone(kept.insert(Arc::new(key))))
    }

    /// What there is of the signing key, once there is one.
    pub(super) fn signing_fact(&self) -> Result<Option<KeyFact>, Fault> {
        let path = self.path_of_signing();
        if !files::exists(&path)? {
            return Ok(None);
        }
        let key = self.verifying_key().map_err(|failure| Fault::from_error("read the signing key", failure))?;
        Ok(Some(KeyFact {
            kind: "signing key".to_owned(),
            name: key.fingerprint,
            count: 1,
            algorithm: "Ed25519, 256 bits; SSHSIG over SHA-512".to_owned(),
            since: super::rotation::moment_of(files::changed_at(&path)?),
            until: None,
            note: "sealed to the master; signs receipts and results".to_owned(),
        }))
    }
}

impl Signer for KeyringFolder {
    fn sign(&self, namespace: &str, message: &[u8]) -> Result<String, Failure> {
        Ok(self.signing()?.sign(namespace, message))
    }

    fn verifying_key(&self) -> Result<VerifyingKey, Failure> {
        let key = self.signing()?;
        Ok(VerifyingKey { line: key.public_line(), fingerprint: key.fingerprint() })
    }
}
