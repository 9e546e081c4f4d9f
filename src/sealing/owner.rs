//! A stanza that wraps a file key to an organisation by symmetric means, beside the
//! X25519 one that every age program reads: opening it costs microseconds, not two
//! curve multiplications. age.md has readers pass over stanzas that they do not know.

use std::collections::HashSet;

use age::{DecryptError, EncryptError, Identity, Recipient};
use age_core::format::{FileKey as AgeFileKey, Stanza};
use age_core::secrecy::ExposeSecret;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use data_encoding::BASE64_NOPAD;
use zeroize::Zeroizing;

use super::SealingError;
use super::derive::derive;

/// First word of the stanza.
const TAG: &str = "postkluis-owner";

/// Random bytes of each stanza, from which its key is derived.
const SALT_BYTES: usize = 16;

const FILE_KEY_BYTES: usize = 16;

/// The symmetric key of an organisation: made from its age identity, so who holds the one
/// holds the other, and nobody else does.
pub struct OwnerKey(Zeroizing<[u8; 32]>);

impl OwnerKey {
    /// The key that goes with the secret of an identity (`AGE-SECRET-KEY-1…`).
    ///
    /// # Errors
    /// `Library` when the derivation fails.
    pub fn of_identity(secret: &str) -> Result<Self, SealingError> {
        Ok(Self(derive(secret.as_bytes(), &[], &[b"postkluis owner key 1"])?))
    }

    /// The key of one stanza. Its salt is fresh, so the key seals once and its nonce may be zero.
    fn stanza_key(&self, salt: &[u8; SALT_BYTES]) -> Result<LessSafeKey, SealingError> {
        let key = derive(self.0.as_slice(), salt, &[b"postkluis owner stanza 1"])?;
        let key = UnboundKey::new(&AES_256_GCM, key.as_slice()).map_err(|_| SealingError::Library)?;
        Ok(LessSafeKey::new(key))
    }

    fn wrap(&self, file_key: &[u8; FILE_KEY_BYTES]) -> Result<Stanza, SealingError> {
        let mut salt = [0; SALT_BYTES];
        SystemRandom::new().fill(&mut salt).map_err(|_| SealingError::Library)?;
        // with room for the tag: growing would leave a copy of the key behind
        let mut body = Zeroizing::new(Vec::with_capacity(FILE_KEY_BYTES + AES_256_GCM.tag_len()));
        body.extend_from_slice(file_key);
        self.stanza_key(&salt)?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key([0; NONCE_LEN]), Aad::empty(), &mut *body)
            .map_err(|_| SealingError::Library)?;
        Ok(Stanza { tag: TAG.to_owned(), args: vec![BASE64_NOPAD.encode(&salt)], body: std::mem::take(&mut *body) })
    }

    /// The file key, unless the stanza is malformed or another's.
    fn unwrap(&self, stanza: &Stanza) -> Option<AgeFileKey> {
        let [salt] = stanza.args.as_slice() else { return None };
        let salt = <[u8; SALT_BYTES]>::try_from(BASE64_NOPAD.decode(salt.as_bytes()).ok()?).ok()?;
        let mut body = Zeroizing::new(stanza.body.clone());
        let key = self.stanza_key(&salt).ok()?;
        let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
        let plain = key.open_in_place(nonce, Aad::empty(), &mut body).ok()?;
        let plain = <[u8; FILE_KEY_BYTES]>::try_from(&*plain).ok()?;
        Some(AgeFileKey::new(Box::new(plain)))
    }
}

impl Recipient for OwnerKey {
    fn wrap_file_key(&self, file_key: &AgeFileKey) -> Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        let stanza =
            self.wrap(file_key.expose_secret()).map_err(|error| EncryptError::Io(std::io::Error::other(error)))?;
        Ok((vec![stanza], HashSet::new()))
    }
}

impl Identity for OwnerKey {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<AgeFileKey, DecryptError>> {
        // one that does not open is passed over: the stanza beside it decides
        (stanza.tag == TAG).then(|| self.unwrap(stanza)).flatten().map(Ok)
    }
}

#[cfg(test)]
mod tests {
    use age::secrecy::ExposeSecret as _;
    use age::x25519;

    use super::*;
    use crate::sealing::header;

    const KEY: [u8; 16] = [42; 16];

    fn owner(identity: &x25519::Identity) -> OwnerKey {
        OwnerKey::of_identity(identity.to_string().expose_secret()).unwrap()
    }

    #[test]
    fn both_stanzas_open_to_the_same_key_and_to_nobody_elses() {
        let (identity, other) = (x25519::Identity::generate(), x25519::Identity::generate());
        let header = header::build(&[&owner(&identity), &identity.to_public()], &KEY).unwrap();
        assert_eq!(*header::open(&header, &owner(&identity)).unwrap(), KEY);
        assert_eq!(*header::open(&header, &identity).unwrap(), KEY);
        assert_eq!(header::open(&header, &owner(&other)), Err(SealingError::NoMatchingIdentity));
        assert_eq!(header::open(&header, &other), Err(SealingError::NoMatchingIdentity));
    }

    #[test]
    fn any_changed_bit_is_found() {
        let identity = x25519::Identity::generate();
        let header = header::build(&[&owner(&identity), &identity.to_public()], &KEY).unwrap();
        for at in 0..header.len() {
            let mut changed = header.clone();
            if let Some(byte) = changed.get_mut(at) {
                *byte ^= 1;
            }
            assert!(header::open(&changed, &owner(&identity)).is_err(), "byte {at}");
        }
    }

    #[test]
    fn each_stanza_has_a_salt_of_its_own() {
        let identity = x25519::Identity::generate();
        assert_ne!(owner(&identity).wrap(&KEY).unwrap().args, owner(&identity).wrap(&KEY).unwrap().args);
    }
}
