//! One key of the keyring from which secrets follow by name (HKDF, RFC 5869): those of
//! links and of one-time-code apps. Sealed to the master as every other key.

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use zeroize::Zeroizing;

use super::{KeyringFolder, files, locked};
use crate::ports::failure::{Failure, Fault};
use crate::ports::secrets::Secrets;

/// The file of the key, in `keys/`.
pub(super) const DERIVING: &str = "deriving.age";

/// Length of the key and of what is derived.
const BYTES: usize = 32;

/// Says to HKDF how much is wanted.
struct Wanted;

impl KeyType for Wanted {
    fn len(&self) -> usize {
        BYTES
    }
}

impl KeyringFolder {
    /// The key; made when it is asked for first.
    fn deriving(&self) -> Result<Zeroizing<[u8; BYTES]>, Failure> {
        // Held while making: two askers must not make two keys.
        let mut kept = locked(&self.deriving);
        if let Some(key) = kept.as_ref() {
            return Ok(key.clone());
        }
        let path = self.folder.join(DERIVING);
        let key = if files::exists(&path)? {
            let (secret, _) = self.masters.open_file(&path)?;
            <[u8; BYTES]>::try_from(secret.as_slice())
                .map_err(|error| Fault::from_error(format!("read the key {}", path.display()), error))?
        } else {
            let mut key = [0; BYTES];
            self.fill(&mut key)?;
            files::write_durably(&path, &self.masters.seal(&key)?)?;
            key
        };
        Ok(kept.insert(Zeroizing::new(key)).clone())
    }
}

impl Secrets for KeyringFolder {
    fn derive(&self, purpose: &str, id: &[u8]) -> Result<[u8; 32], Failure> {
        let key = self.deriving()?;
        let extracted = Salt::new(HKDF_SHA256, b"postkluis derived secrets").extract(key.as_slice());
        // the length in front keeps one purpose and id from being another's
        let length = [u8::try_from(purpose.len()).unwrap_or(u8::MAX)];
        let info = [length.as_slice(), purpose.as_bytes(), id];
        let mut derived = [0; BYTES];
        let expanded = extracted.expand(&info, Wanted).and_then(|okm| okm.fill(&mut derived));
        expanded.map_err(|_| Fault::new("derive a secret: the key derivation failed"))?;
        Ok(derived)
    }
}
