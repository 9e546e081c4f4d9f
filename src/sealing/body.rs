//! The seal of event bodies under the key of their class and month (engine §3).
//! A key seals very many of them, so each gets one of its own, derived with half
//! of a 192-bit random nonce, and bound to the record and the place in it.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use super::SealingError;
use super::derive::derive;

/// Bytes of a body key.
pub const BODY_KEY_BYTES: usize = 32;

/// Bytes of random nonce: the first half goes into the derived key, the second is the nonce of AES-GCM.
pub const BODY_NONCE_BYTES: usize = 2 * NONCE_LEN;

/// First byte of a sealed body: the version of this form.
const FORM: u8 = 1;

/// Seals `plain`: form byte, nonce, AES-256-GCM. `binding` says which body it is.
///
/// # Errors
/// `Library` when sealing fails.
pub fn seal(
    body_key: &[u8; BODY_KEY_BYTES],
    binding: &[u8],
    nonce: [u8; BODY_NONCE_BYTES],
    plain: &[u8],
) -> Result<Vec<u8>, SealingError> {
    let (key, gcm_nonce) = own_key(body_key, binding, &nonce)?;
    let mut whole = Vec::with_capacity(1 + BODY_NONCE_BYTES + plain.len() + AES_256_GCM.tag_len());
    whole.push(FORM);
    whole.extend_from_slice(&nonce);
    let mut sealed = plain.to_vec();
    key.seal_in_place_append_tag(gcm_nonce, Aad::from([FORM]), &mut sealed).map_err(|_| SealingError::Library)?;
    whole.append(&mut sealed);
    Ok(whole)
}

/// Opens what `seal` made with the same binding.
///
/// # Errors
/// `NotAuthentic` when anything does not fit.
pub fn open(body_key: &[u8; BODY_KEY_BYTES], binding: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealingError> {
    let (form, rest) = sealed.split_first().ok_or(SealingError::NotAuthentic)?;
    let (nonce, text) = rest.split_first_chunk::<BODY_NONCE_BYTES>().ok_or(SealingError::NotAuthentic)?;
    if *form != FORM {
        return Err(SealingError::NotAuthentic);
    }
    let (key, gcm_nonce) = own_key(body_key, binding, nonce)?;
    let mut text = text.to_vec();
    let length =
        key.open_in_place(gcm_nonce, Aad::from([FORM]), &mut text).map_err(|_| SealingError::NotAuthentic)?.len();
    text.truncate(length);
    Ok(text)
}

fn own_key(
    body_key: &[u8; BODY_KEY_BYTES],
    binding: &[u8],
    nonce: &[u8; BODY_NONCE_BYTES],
) -> Result<(LessSafeKey, Nonce), SealingError> {
    let (salt, gcm_nonce) = nonce.split_at(NONCE_LEN);
    let key = derive(body_key, salt, &[b"postkluis event body 1", binding])?;
    let key = UnboundKey::new(&AES_256_GCM, key.as_slice()).map_err(|_| SealingError::Library)?;
    let gcm_nonce = Nonce::try_assume_unique_for_key(gcm_nonce).map_err(|_| SealingError::Library)?;
    Ok((LessSafeKey::new(key), gcm_nonce))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_opens_only_in_its_place_and_unchanged() {
        let sealed = seal(&[1; 32], b"place", [4; 24], b"events").unwrap();
        assert_eq!(open(&[1; 32], b"place", &sealed), Ok(b"events".to_vec()));
        assert!(open(&[9; 32], b"place", &sealed).is_err());
        assert!(open(&[1; 32], b"other", &sealed).is_err());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            if let Some(byte) = changed.get_mut(at) {
                *byte ^= 1;
            }
            assert!(open(&[1; 32], b"place", &changed).is_err(), "byte {at}");
        }
        assert!(open(&[1; 32], b"place", sealed.get(..24).unwrap()).is_err());
    }
}
