//! Public keys of recipients for end-to-end deliveries: which can be used, in
//! which canonical form (engine §2: X25519, ssh-ed25519, ssh-rsa).

use std::str::FromStr;

use data_encoding::{BASE64, BASE64_NOPAD};
use sha2::{Digest, Sha256};

use crate::domain::refusal::Refusal;
use crate::ports::failure::Failure;
use crate::ports::keyring::JudgedRecipient;

/// The smallest RSA modulus that is accepted.
const LEAST_RSA_BITS: usize = 3_072;

/// The largest that the age crate wraps to.
const MOST_RSA_BITS: usize = 4_096;

fn refused(why: &str) -> Failure {
    Refusal::BadRequest(why.to_owned()).into()
}

/// The recipient of a line that `judge` accepted.
pub(super) fn parse(line: &str) -> Result<Box<dyn age::Recipient>, Failure> {
    if line.starts_with("age1") {
        let recipient = age::x25519::Recipient::from_str(line);
        return Ok(Box::new(recipient.map_err(|_| refused("this age recipient cannot be read; copy it whole"))?));
    }
    // The crate stops reading at the end of the key: whatever follows would stay in the line.
    let recipient = age::ssh::Recipient::from_str(line).ok().filter(|recipient| recipient.to_string() == line);
    Ok(Box::new(recipient.ok_or_else(|| refused("this SSH key cannot be read; copy the whole line of the .pub file"))?))
}

/// Judges one line.
pub(super) fn judge(text: &str) -> Result<JudgedRecipient, Failure> {
    if text.trim().lines().count() > 1 {
        return Err(refused("there is more than one line; give one key at a time"));
    }
    let mut words = text.split_whitespace();
    let (Some(first), second) = (words.next(), words.next()) else {
        return Err(refused("the line is empty; give age1…, ssh-ed25519 … or ssh-rsa …"));
    };
    if first.to_ascii_uppercase().starts_with("AGE-SECRET-KEY") || text.contains("PRIVATE KEY") {
        return Err(refused("this is a secret key: give the public one, and keep this one to yourself"));
    }
    let (line, kind) = match (first, second) {
        (age, _) if age.starts_with("age1") => (age.to_owned(), "age-x25519"),
        ("ssh-ed25519", Some(blob)) => (format!("ssh-ed25519 {blob}"), "ssh-ed25519"),
        ("ssh-rsa", Some(blob)) => {
            let bits = rsa_modulus_bits(blob);
            if !bits.is_some_and(|bits| (LEAST_RSA_BITS..=MOST_RSA_BITS).contains(&bits)) {
                return Err(refused("an RSA key needs 3072 to 4096 bits; better give an age or ed25519 key"));
            }
            (format!("ssh-rsa {blob}"), "ssh-rsa")
        }
        _ => return Err(refused("keys of this kind cannot be used; give age1…, ssh-ed25519 … or ssh-rsa …")),
    };
    parse(&line)?;
    let fingerprint = format!("SHA256:{}", BASE64_NOPAD.encode(&Sha256::digest(line.as_bytes())));
    Ok(JudgedRecipient { line, kind, fingerprint })
}

/// Bits of the modulus in an `ssh-rsa` blob (RFC 4253 §6.6): name, exponent, modulus.
fn rsa_modulus_bits(blob: &str) -> Option<usize> {
    let bytes = BASE64.decode(blob.as_bytes()).ok()?;
    let mut rest = bytes.as_slice();
    let mut field = || {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (field, after) = after.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        rest = after;
        Some(field)
    };
    field()?;
    field()?;
    let modulus = field()?;
    let mut significant = modulus.iter().skip_while(|byte| **byte == 0);
    let first = usize::try_from(significant.next()?.leading_zeros()).ok()?;
    Some((significant.count() + 1) * 8 - first)
}
