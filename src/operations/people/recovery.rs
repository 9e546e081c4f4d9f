//! Recovery codes: each opens the account once, with the password, when the app is lost. Shown
//! when they are made; only their digests are kept.

use data_encoding::BASE32_NOPAD;
use sha2::{Digest as _, Sha256};

use super::Operations;
use crate::domain::credentials::RECOVERY_CODES;
use crate::domain::digest::Digest;

/// 10 bytes are 16 characters of Base32: 80 bits.
const CODE_BYTES: usize = 10;

impl Operations {
    /// New codes as they are shown, in groups of four, and their digests.
    pub(super) fn new_recovery_codes(&self) -> (Vec<String>, Vec<Digest>) {
        let codes: Vec<String> = (0..RECOVERY_CODES)
            .map(|_| {
                let mut random = [0; CODE_BYTES];
                self.entropy.fill(&mut random);
                let code = BASE32_NOPAD.encode(&random).to_ascii_lowercase();
                let groups: Vec<&str> = (0..4).filter_map(|at| code.get(at * 4..at * 4 + 4)).collect();
                groups.join("-")
            })
            .collect();
        let digests = codes.iter().filter_map(|code| recovery_digest(code)).collect();
        (codes, digests)
    }
}

/// The digest of a code as somebody typed it: case, spaces and hyphens do not count.
pub(super) fn recovery_digest(typed: &str) -> Option<Digest> {
    let plain: String = typed.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
    let bytes = BASE32_NOPAD.decode(plain.to_ascii_uppercase().as_bytes()).ok()?;
    (bytes.len() == CODE_BYTES).then(|| Digest::new(Sha256::digest(&bytes).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let digest = recovery_digest("abcd-efgh-ijkl-mnop");
        assert!(digest.is_some());
        assert_eq!(recovery_digest(" ABCD efgh IJKLMNOP "), digest);
        for text in ["", "abcd", "abcd-efgh-ijkl-mno1", "abcd-efgh-ijkl-mnop-abcd"] {
            assert_eq!(recovery_digest(text), None, "{text}");
        }
    }
}
