//! The seal of a header under the shred key of its expiry day (engine §3).
//! Each header gets a key of its own, derived from the shred key and bound to
//! payload and delivery, so that headers cannot be swapped.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use super::SealingError;
use super::derive::derive;

/// Bytes of a shred key.
pub const SHRED_KEY_BYTES: usize = 32;

/// First byte of a sealed header: the version of this form.
const FORM: u8 = 1;

/// Seals `header`: form byte, 96-bit random nonce, AES-256-GCM.
///
/// # Errors
/// `Library` when sealing fails.
pub fn seal(
    shred_key: &[u8; SHRED_KEY_BYTES],
    payload: &[u8; 16],
    delivery: &[u8; 16],
    nonce: [u8; NONCE_LEN],
    header: &[u8],
) -> Result<Vec<u8>, SealingError> {
    let key = header_key(shred_key, payload, delivery)?;
    let mut sealed = header.to_vec();
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from([FORM]), &mut sealed)
        .map_err(|_| SealingError::Library)?;
    let mut whole = Vec::with_capacity(1 + NONCE_LEN + sealed.len());
    whole.push(FORM);
    whole.extend_from_slice(&nonce);
    whole.append(&mut sealed);
    Ok(whole)
}

/// Opens what `seal` made for the same payload and delivery.
///
/// # Errors
/// `NotAuthentic` when anything does not fit.
pub fn open(
    shred_key: &[u8; SHRED_KEY_BYTES],
    payload: &[u8; 16],
    delivery: &[u8; 16],
    sealed: &[u8],
) -> Result<Vec<u8>, SealingError> {
    let (form, rest) = sealed.split_first().ok_or(SealingError::NotAuthentic)?;
    let (nonce, text) = rest.split_first_chunk::<NONCE_LEN>().ok_or(SealingError::NotAuthentic)?;
    if *form != FORM {
        return Err(SealingError::NotAuthentic);
    }
    let key = header_key(shred_key, payload, delivery)?;
    let mut text = text.to_vec();
    let plain = key
        .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from([FORM]), &mut text)
        .map_err(|_| SealingError::NotAuthentic)?;
    Ok(plain.to_vec())
}

fn header_key(
    shred_key: &[u8; SHRED_KEY_BYTES],
    payload: &[u8; 16],
    delivery: &[u8; 16],
) -> Result<LessSafeKey, SealingError> {
    let key = derive(shred_key, payload, &[b"postkluis header 1", delivery])?;
    let key = UnboundKey::new(&AES_256_GCM, key.as_slice()).map_err(|_| SealingError::Library)?;
    Ok(LessSafeKey::new(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_opens_only_for_its_payload_and_delivery() {
        let sealed = seal(&[1; 32], &[2; 16], &[3; 16], [4; 12], b"header").unwrap();
        assert_eq!(open(&[1; 32], &[2; 16], &[3; 16], &sealed), Ok(b"header".to_vec()));
        assert!(open(&[9; 32], &[2; 16], &[3; 16], &sealed).is_err());
        assert!(open(&[1; 32], &[9; 16], &[3; 16], &sealed).is_err());
        assert!(open(&[1; 32], &[2; 16], &[9; 16], &sealed).is_err());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            if let Some(byte) = changed.get_mut(at) {
                *byte ^= 1;
            }
            assert!(open(&[1; 32], &[2; 16], &[3; 16], &changed).is_err(), "byte {at}");
        }
        assert!(open(&[1; 32], &[2; 16], &[3; 16], sealed.get(..12).unwrap()).is_err());
    }
}
