//! HKDF-SHA-256 (RFC 5869) for 32-byte keys.

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use zeroize::Zeroizing;

use super::SealingError;

struct ThirtyTwo;

impl KeyType for ThirtyTwo {
    fn len(&self) -> usize {
        32
    }
}

/// 32 bytes of key material from `secret`.
pub(super) fn derive(secret: &[u8], salt: &[u8], info: &[&[u8]]) -> Result<Zeroizing<[u8; 32]>, SealingError> {
    let mut key = Zeroizing::new([0; 32]);
    Salt::new(HKDF_SHA256, salt)
        .extract(secret)
        .expand(info, ThirtyTwo)
        .and_then(|okm| okm.fill(key.as_mut_slice()))
        .map_err(|_| SealingError::Library)?;
    Ok(key)
}
