//! Reads a public SSH key as people paste it and judges its kind and size (domain 3.3): a line
//! of `authorized_keys` or `.pub`, or the form of RFC 4716. A private key is refused unread.

use data_encoding::BASE64;
use russh::keys::{Algorithm, HashAlg, PublicKey};

use crate::domain::connections::{ConnectionFlaw, LEAST_RSA_BITS, MOST_RSA_BITS};
use crate::operations::JudgedKey;

/// What marks a private key, whole or in part: PEM and OpenSSH, PuTTY, an OpenSSH key without its first line, age.
const PRIVATE_MARKS: [&str; 5] =
    ["PRIVATE KEY", "PuTTY-User-Key-File", "Private-Lines:", "b3BlbnNzaC1rZXktdjEA", "AGE-SECRET-KEY-"];

const BEGIN_RFC_4716: &str = "---- BEGIN SSH2 PUBLIC KEY ----";
const END_RFC_4716: &str = "---- END SSH2 PUBLIC KEY ----";

/// Kinds of keys begin so, in `authorized_keys`.
const KINDS: [&str; 3] = ["ssh-", "ecdsa-", "sk-"];

/// Fingerprint and plain line of a public key that may sign in.
///
/// # Errors
/// What is wrong with it. The text is in no error.
pub fn judge_key(text: &str) -> Result<JudgedKey, ConnectionFlaw> {
    if PRIVATE_MARKS.iter().any(|mark| text.contains(mark)) {
        return Err(ConnectionFlaw::PrivateKey);
    }
    let mut key = read(text)?;
    match key.algorithm() {
        Algorithm::Ed25519 | Algorithm::Ecdsa { .. } | Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256 => {}
        Algorithm::Rsa { .. } => {
            let bits = key.key_data().rsa().map_or(0, rsa_bits);
            if !(LEAST_RSA_BITS..=MOST_RSA_BITS).contains(&bits) {
                return Err(ConnectionFlaw::RsaBits(bits));
            }
        }
        other => return Err(ConnectionFlaw::KeyKind(other.to_string())),
    }
    key.set_comment("");
    let line = key.to_openssh().map_err(|_| ConnectionFlaw::NoKey)?;
    Ok(JudgedKey { fingerprint: key.fingerprint(HashAlg::Sha256).to_string(), line: line.trim().to_owned() })
}

/// The kind of key in a line that was judged, such as `ssh-ed25519`.
#[must_use]
pub fn kind_of(line: &str) -> &str {
    line.split(' ').next().unwrap_or_default()
}

fn read(text: &str) -> Result<PublicKey, ConnectionFlaw> {
    if let Some((_, rest)) = text.split_once(BEGIN_RFC_4716) {
        let (body, after) = rest.split_once(END_RFC_4716).ok_or(ConnectionFlaw::NoKey)?;
        if after.contains(BEGIN_RFC_4716) {
            return Err(ConnectionFlaw::SeveralKeys);
        }
        return read_rfc_4716(body);
    }
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let line = lines.next().ok_or(ConnectionFlaw::NoKey)?;
    if lines.any(is_key_line) {
        return Err(ConnectionFlaw::SeveralKeys);
    }
    if !is_key_line(line) && line.split_whitespace().skip(1).any(|word| KINDS.iter().any(|kind| word.starts_with(kind)))
    {
        return Err(ConnectionFlaw::KeyOptions);
    }
    line.parse().map_err(|_| ConnectionFlaw::NoKey)
}

fn is_key_line(line: &str) -> bool {
    KINDS.iter().any(|kind| line.starts_with(kind))
}

/// Headers (`Tag: value`, going on where a line ends in a backslash), then the key in base64.
fn read_rfc_4716(body: &str) -> Result<PublicKey, ConnectionFlaw> {
    let (mut base64, mut goes_on) = (String::new(), false);
    for line in body.lines().map(str::trim) {
        let is_header = goes_on || line.contains(':');
        goes_on = is_header && line.ends_with('\\');
        if !is_header {
            base64.push_str(line);
        }
    }
    let blob = BASE64.decode(base64.as_bytes()).map_err(|_| ConnectionFlaw::NoKey)?;
    PublicKey::from_bytes(&blob).map_err(|_| ConnectionFlaw::NoKey)
}

fn rsa_bits(key: &russh::keys::ssh_key::public::RsaPublicKey) -> u32 {
    let modulus = key.n().as_positive_bytes().unwrap_or_default();
    let leading = modulus.first().map_or(0, |byte| byte.leading_zeros());
    u32::try_from(modulus.len()).unwrap_or_default().saturating_mul(8).saturating_sub(leading)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6eq7ZyXoBH/EprJ8IJsVRcpqSAt0MaIAzeZ3IZmBNz";

    fn rfc_4716(comment: &str) -> String {
        let blob = LINE.split(' ').nth(1).unwrap();
        let (first, second) = blob.split_at(40);
        format!("{BEGIN_RFC_4716}\r\n{comment}\r\n{first}\r\n{second}\r\n{END_RFC_4716}\r\n")
    }

    #[test]
    fn every_form_that_people_paste_is_the_same_key() {
        let judged = judge_key(LINE).unwrap();
        assert_eq!((judged.line.as_str(), kind_of(&judged.line)), (LINE, "ssh-ed25519"));
        assert!(judged.fingerprint.starts_with("SHA256:"));
        let comment = "Comment: \"key of \\\r\n the robot\"";
        for text in [
            format!("{LINE} robot@alpha\n"),
            format!("# from the desk\n\n  {LINE} a comment of words \r\n"),
            rfc_4716(comment),
            rfc_4716("Comment: x\r\nSubject: robot"),
        ] {
            assert_eq!(judge_key(&text), Ok(judged.clone()), "{text}");
        }
    }

    #[test]
    fn private_keys_are_known_in_every_dress() {
        for text in [
            "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl",
            "-----BEGIN RSA PRIVATE KEY-----",
            "-----BEGIN ENCRYPTED PRIVATE KEY-----",
            "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----",
            "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none",
            "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU",
            "AGE-SECRET-KEY-1QQQ",
            &format!("{LINE}\n-----BEGIN PRIVATE KEY-----"),
        ] {
            assert_eq!(judge_key(text), Err(ConnectionFlaw::PrivateKey), "{text}");
        }
    }

    #[test]
    fn what_is_no_single_plain_key_is_refused_for_what_it_is() {
        let dsa = include_str!("../../tests/clients/dsa.pub");
        let two = format!("{LINE}\n{LINE}");
        let twice = format!("{}{}", rfc_4716("Comment: x"), rfc_4716("Comment: y"));
        let options = format!("from=\"10.0.0.1\",no-pty {LINE}");
        for (text, flaw) in [
            ("", ConnectionFlaw::NoKey),
            ("hello", ConnectionFlaw::NoKey),
            ("ssh-ed25519 AAAA", ConnectionFlaw::NoKey),
            (BEGIN_RFC_4716, ConnectionFlaw::NoKey),
            (&two, ConnectionFlaw::SeveralKeys),
            (&twice, ConnectionFlaw::SeveralKeys),
            (&options, ConnectionFlaw::KeyOptions),
            (dsa, ConnectionFlaw::KeyKind("ssh-dss".to_owned())),
        ] {
            assert_eq!(judge_key(text), Err(flaw), "{text}");
        }
    }
}
