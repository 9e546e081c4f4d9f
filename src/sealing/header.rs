//! Detached age headers: the stanzas that wrap a file key, and the MAC over
//! them. `header || payload` is a whole age file.

use std::iter;

use age::{Identity, Recipient};
use age_core::format::{FileKey as AgeFileKey, Stanza};
use age_core::secrecy::ExposeSecret;
use aws_lc_rs::hmac;
use data_encoding::BASE64_NOPAD;

use super::SealingError;
use super::derive::derive;

const INTRO: &str = "age-encryption.org/v1";
const MAC_PREFIX: &str = "---";

/// Columns of a stanza body line.
const BODY_COLUMNS: usize = 64;

/// A header is small: each recipient adds a few hundred bytes.
const MOST_HEADER_BYTES: usize = 256 * 1024;

/// Builds a whole header that wraps `file_key` to each recipient.
///
/// # Errors
/// `UnusableKey` when a recipient cannot wrap a key.
pub fn build(recipients: &[&dyn Recipient], file_key: &[u8; 16]) -> Result<Vec<u8>, SealingError> {
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
pub fn open(header: &[u8], identity: &dyn Identity) -> Result<[u8; 16], SealingError> {
    let parsed = Parsed::of(header)?;
    let key = match identity.unwrap_stanzas(&parsed.stanzas) {
        Some(Ok(key)) => *key.expose_secret(),
        Some(Err(_)) => return Err(SealingError::NotAuthentic),
        None => return Err(SealingError::NoMatchingIdentity),
    };
    let mac_key = derive(&key, &[], &[b"header"])?;
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
            let tag = words.next().filter(|tag| !tag.is_empty()).ok_or(Malformed("a stanza has no tag"))?;
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
            stanzas.push(Stanza { tag, args: words.collect(), body });
            line = lines.next();
        }
        let mac_line = line.ok_or(Malformed("it has no MAC"))?;
        let mac = mac_line.strip_prefix("--- ").ok_or(Malformed("it has no MAC"))?;
        if stanzas.is_empty() || lines.next().is_some() {
            return Err(Malformed("it has no stanza, or more than a header"));
        }
        let covered_bytes = header.len() - 1 - mac_line.len() + MAC_PREFIX.len();
        let covered = header.get(..covered_bytes).ok_or(Malformed("it has no MAC"))?;
        let mac = BASE64_NOPAD.decode(mac.as_bytes()).map_err(|_| Malformed("the MAC is not base64"))?;
        Ok(Self { stanzas, covered, mac })
    }
}
