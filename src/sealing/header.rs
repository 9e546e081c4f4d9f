//! Detached age headers: the stanzas that wrap a file key, and the MAC over
//! them. `header || payload` is a whole age file.

use std::iter;

use age::{Identity, Recipient};
use age_core::format::{FileKey as AgeFileKey, Stanza, is_arbitrary_string};
use age_core::secrecy::ExposeSecret;
use aws_lc_rs::hmac;
use data_encoding::BASE64_NOPAD;
use zeroize::Zeroizing;

use super::SealingError;
use super::derive::derive;

const INTRO: &str = "age-encryption.org/v1";
const MAC_PREFIX: &str = "---";

/// A stanza that a passphrase opens; whoever knows it could make the file, so it must stand alone.
const PASSPHRASE_TAG: &str = "scrypt";

/// Columns of a stanza body line.
const BODY_COLUMNS: usize = 64;

/// A header is small: each recipient adds a few hundred bytes.
const MOST_HEADER_BYTES: usize = 256 * 1024;

/// Builds a whole header that wraps `file_key` to each recipient.
///
/// # Errors
/// `UnusableKey` when there is no recipient, or one cannot wrap a key.
pub fn build(recipients: &[&dyn Recipient], file_key: &[u8; 16]) -> Result<Vec<u8>, SealingError> {
    if recipients.is_empty() {
        return Err(SealingError::UnusableKey("a header needs at least one recipient key"));
    }
    let wrapped = AgeFileKey::new(Box::new(*file_key));
    let mut text = format!("{INTRO}\n");
    for recipient in recipients {
        let (stanzas, _) = recipient
            .wrap_file_key(&wrapped)
            .map_err(|_| SealingError::UnusableKey("the key cannot wrap a file key"))?;
        for stanza in stanzas {
            write_stanza(&mut text, &stanza);
        }
    }
    text.push_str(MAC_PREFIX);
    let mac = mac_of(file_key, text.as_bytes())?;
    text.push(' ');
    text.push_str(&BASE64_NOPAD.encode(mac.as_ref()));
    text.push('\n');
    Ok(text.into_bytes())
}

/// Opens a header with an identity and checks its MAC.
///
/// # Errors
/// `MalformedHeader`, `NoMatchingIdentity`, or `NotAuthentic` when the MAC does not fit.
pub fn open(header: &[u8], identity: &dyn Identity) -> Result<Zeroizing<[u8; 16]>, SealingError> {
    let parsed = Parsed::of(header)?;
    let key = match identity.unwrap_stanzas(&parsed.stanzas) {
        Some(Ok(key)) => Zeroizing::new(*key.expose_secret()),
        Some(Err(_)) => return Err(SealingError::NotAuthentic),
        None => return Err(SealingError::NoMatchingIdentity),
    };
    let mac_key = derive(key.as_slice(), &[], &[b"header"])?;
    let mac_key = hmac::Key::new(hmac::HMAC_SHA256, mac_key.as_slice());
    hmac::verify(&mac_key, parsed.covered, &parsed.mac).map_err(|_| SealingError::NotAuthentic)?;
    Ok(key)
}

fn mac_of(file_key: &[u8; 16], covered: &[u8]) -> Result<hmac::Tag, SealingError> {
    let key = derive(file_key, &[], &[b"header"])?;
    Ok(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_slice()), covered))
}

fn write_stanza(text: &mut String, stanza: &Stanza) {
    text.push_str("->");
    for word in iter::once(&stanza.tag).chain(&stanza.args) {
        text.push(' ');
        text.push_str(word);
    }
    text.push('\n');
    let body = BASE64_NOPAD.encode(&stanza.body);
    let mut rest = body.as_str();
    // The last line is always shorter than a full one, even when it is empty.
    loop {
        let (line, after) = rest.split_at_checked(BODY_COLUMNS).unwrap_or((rest, ""));
        text.push_str(line);
        text.push('\n');
        if line.len() < BODY_COLUMNS {
            return;
        }
        rest = after;
    }
}

struct Parsed<'a> {
    stanzas: Vec<Stanza>,
    covered: &'a [u8],
    mac: Vec<u8>,
}

impl<'a> Parsed<'a> {
    fn of(header: &'a [u8]) -> Result<Self, SealingError> {
        use SealingError::MalformedHeader as Malformed;
        if header.len() > MOST_HEADER_BYTES {
            return Err(Malformed("it is too long"));
        }
        let text = std::str::from_utf8(header).map_err(|_| Malformed("it is not text"))?;
        let mut lines = text.strip_suffix('\n').ok_or(Malformed("it is cut off"))?.split('\n');
        if lines.next() != Some(INTRO) {
            return Err(Malformed("it is of another version"));
        }
        let mut stanzas = Vec::new();
        let mut line = lines.next();
        while let Some(head) = line.and_then(|line| line.strip_prefix("-> ")) {
            let mut words = head.split(' ').map(str::to_owned);
            let tag = words.next().ok_or(Malformed("a stanza has no tag"))?;
            let args: Vec<String> = words.collect();
            if !iter::once(&tag).chain(&args).all(is_arbitrary_string) {
                return Err(Malformed("a stanza has an empty word, or one outside ASCII"));
            }
            let mut body = String::new();
            loop {
                let part = lines.next().ok_or(Malformed("a stanza is cut off"))?;
                if part.len() > BODY_COLUMNS {
                    return Err(Malformed("a stanza line is too long"));
                }
                body.push_str(part);
                if part.len() < BODY_COLUMNS {
                    break;
                }
            }
            let body = BASE64_NOPAD.decode(body.as_bytes()).map_err(|_| Malformed("a stanza body is not base64"))?;
            stanzas.push(Stanza { tag, args, body });
            line = lines.next();
        }
        let mac_line = line.ok_or(Malformed("it has no MAC"))?;
        let mac = mac_line.strip_prefix("--- ").ok_or(Malformed("it has no MAC"))?;
        if stanzas.is_empty() || lines.next().is_some() {
            return Err(Malformed("it has no stanza, or more than a header"));
        }
        if stanzas.len() > 1 && stanzas.iter().any(|stanza| stanza.tag == PASSPHRASE_TAG) {
            return Err(Malformed("a passphrase stands beside other recipients"));
        }
        let covered_bytes = header.len() - 1 - mac_line.len() + MAC_PREFIX.len();
        let covered = header.get(..covered_bytes).ok_or(Malformed("it has no MAC"))?;
        let mac = BASE64_NOPAD.decode(mac.as_bytes()).map_err(|_| Malformed("the MAC is not base64"))?;
        Ok(Self { stanzas, covered, mac })
    }
}

#[cfg(test)]
mod tests {
    use age::x25519;

    use super::*;

    const KEY: [u8; 16] = [42; 16];

    #[test]
    fn a_header_opens_for_each_of_its_recipients_and_nobody_else() {
        let (one, two, other) =
            (x25519::Identity::generate(), x25519::Identity::generate(), x25519::Identity::generate());
        let header = build(&[&one.to_public(), &two.to_public()], &KEY).unwrap();
        assert_eq!(*open(&header, &one).unwrap(), KEY);
        assert_eq!(*open(&header, &two).unwrap(), KEY);
        assert_eq!(open(&header, &other), Err(SealingError::NoMatchingIdentity));
        assert!(build(&[], &KEY).is_err());
    }

    #[test]
    fn any_changed_bit_and_any_cut_is_found() {
        let identity = x25519::Identity::generate();
        let header = build(&[&identity.to_public()], &KEY).unwrap();
        for at in 0..header.len() {
            for bit in 0..8 {
                let mut changed = header.clone();
                if let Some(byte) = changed.get_mut(at) {
                    *byte ^= 1 << bit;
                }
                assert!(open(&changed, &identity).is_err(), "bit {bit} of byte {at}");
            }
            assert!(open(header.get(..at).unwrap(), &identity).is_err(), "cut at {at}");
        }
        assert!(open(&[header.as_slice(), b"\n"].concat(), &identity).is_err());
    }

    #[test]
    fn a_stanza_that_was_added_is_found_by_the_mac() {
        let identity = x25519::Identity::generate();
        let header = String::from_utf8(build(&[&identity.to_public()], &KEY).unwrap()).unwrap();
        let added = header.replacen(INTRO, &format!("{INTRO}\n-> more words\n"), 1);
        assert_eq!(open(added.as_bytes(), &identity), Err(SealingError::NotAuthentic));
    }

    #[test]
    fn stanza_bodies_of_any_length_read_back() {
        for length in 0..200 {
            let body = vec![u8::try_from(length).unwrap(); length];
            let stanza = Stanza { tag: "tag".into(), args: vec!["one".into(), "two".into()], body };
            let mut text = format!("{INTRO}\n");
            write_stanza(&mut text, &stanza);
            text.push_str("--- AAAA\n");
            assert_eq!(Parsed::of(text.as_bytes()).unwrap().stanzas, vec![stanza], "{length}");
        }
    }
}
