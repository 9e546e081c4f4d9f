//! What a client says of the digest of what it sends: `Content-Digest` and `Repr-Digest` (RFC 9530), and
//! `Upload-Checksum` (tus 1.0). Holds nothing.

use data_encoding::BASE64;
use hyper::HeaderMap;
use hyper::header::HeaderName;
use sha1::Sha1;
use sha2::Sha256;

use crate::domain::digest::Digest;

const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");
const UPLOAD_CHECKSUM: HeaderName = HeaderName::from_static("upload-checksum");

/// What the content of one request has to hash to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Checksum {
    Sha256([u8; 32]),
    Sha1([u8; 20]),
}

/// The digest of the content of a request, as far as it came.
pub(super) enum Hash {
    Sha256(Sha256),
    Sha1(Sha1),
}

impl Checksum {
    /// Begins to hash what is held against this.
    pub(super) fn begin(&self) -> Hash {
        match self {
            Self::Sha256(_) => Hash::Sha256(Sha256::default()),
            Self::Sha1(_) => Hash::Sha1(Sha1::default()),
        }
    }

    /// Whether that is what came.
    pub(super) fn is(&self, hash: Hash) -> bool {
        match (self, hash) {
            (Self::Sha256(said), Hash::Sha256(hash)) => *said == <[u8; 32]>::from(sha2::Digest::finalize(hash)),
            (Self::Sha1(said), Hash::Sha1(hash)) => *said == <[u8; 20]>::from(sha1::Digest::finalize(hash)),
            _ => false,
        }
    }
}

impl Hash {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hash) => sha2::Digest::update(hash, bytes),
            Self::Sha1(hash) => sha1::Digest::update(hash, bytes),
        }
    }
}

/// SHA-256 in `Content-Digest`, when it is given. Other algorithms are passed over (RFC 9530 §5).
///
/// # Errors
/// What is no such field.
pub(super) fn content(headers: &HeaderMap) -> Result<Option<Checksum>, &'static str> {
    Ok(sha256_in(headers, &CONTENT_DIGEST)?.map(|digest| Checksum::Sha256(*digest.as_bytes())))
}

/// SHA-256 in `Repr-Digest`: of the whole file, whatever part of it is sent.
///
/// # Errors
/// As `content`.
pub(super) fn representation(headers: &HeaderMap) -> Result<Option<Digest>, &'static str> {
    sha256_in(headers, &super::REPR_DIGEST)
}

fn sha256_in(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Digest>, &'static str> {
    let mut found = None;
    for value in headers.get_all(name) {
        let value = value.to_str().map_err(|_| WRONG_FIELD)?;
        for member in value.split(',').map(str::trim).filter(|member| !member.is_empty()) {
            let (algorithm, bytes) = member.split_once('=').ok_or(WRONG_FIELD)?;
            if !algorithm.eq_ignore_ascii_case("sha-256") {
                continue;
            }
            let bytes = bytes.strip_prefix(':').and_then(|rest| rest.strip_suffix(':')).ok_or(WRONG_FIELD)?;
            let bytes = BASE64.decode(bytes.as_bytes()).map_err(|_| WRONG_FIELD)?;
            let digest = Digest::new(bytes.try_into().map_err(|_| WRONG_FIELD)?);
            if found.is_some_and(|other| other != digest) {
                return Err(WRONG_FIELD);
            }
            found = Some(digest);
        }
    }
    Ok(found)
}

const WRONG_FIELD: &str = "a digest is given as sha-256=:<base64>:";

/// What `Upload-Checksum` says, when it is there.
///
/// # Errors
/// What is no such header, or an algorithm that is not known here.
pub(super) fn checksum(headers: &HeaderMap) -> Result<Option<Checksum>, &'static str> {
    let mut values = headers.get_all(UPLOAD_CHECKSUM).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let value = value.to_str().ok().filter(|_| values.next().is_none()).ok_or(WRONG_CHECKSUM)?;
    let (algorithm, bytes) = value.trim().split_once(' ').ok_or(WRONG_CHECKSUM)?;
    let bytes = BASE64.decode(bytes.trim().as_bytes()).map_err(|_| WRONG_CHECKSUM)?;
    let wrong = |_| WRONG_CHECKSUM;
    Ok(Some(match algorithm {
        "sha256" => Checksum::Sha256(bytes.try_into().map_err(wrong)?),
        "sha1" => Checksum::Sha1(bytes.try_into().map_err(wrong)?),
        _ => return Err("the algorithms of Upload-Checksum are sha1 and sha256"),
    }))
}

/// The algorithms of `Upload-Checksum`: tus 1.0 wants SHA-1 of every server.
pub(super) const ALGORITHMS: &str = "sha1,sha256";

const WRONG_CHECKSUM: &str = "Upload-Checksum is an algorithm, a space and the digest in base64";

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        let value = HeaderValue::from_str(value).unwrap();
        [(HeaderName::from_static(name), value)].into_iter().collect()
    }

    #[test]
    fn digests_are_read_and_held_against_what_came() {
        let empty = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        let said = content(&headers("content-digest", &format!("sha-512=:AA==:, sha-256=:{empty}:"))).unwrap().unwrap();
        assert!(said.is(said.begin()));
        let mut other = said.begin();
        other.update(b"x");
        assert!(!said.is(other));
        assert_eq!(content(&headers("content-digest", "sha-512=:AA==:")), Ok(None));
        for wrong in ["sha-256=abc", "sha-256=:abc:", "sha-256", &format!("sha-256=:{empty}:, sha-256=:AAAA:")] {
            assert!(content(&headers("content-digest", wrong)).is_err(), "{wrong}");
        }
        let sha1 = checksum(&headers("upload-checksum", "sha1 2jmj7l5rSw0yVb/vlWAYkK/YBwk=")).unwrap().unwrap();
        assert!(sha1.is(sha1.begin()));
        for wrong in ["md5 1B2M2Y8AsgTpgAmY7PhCfg==", "sha1", "sha1 AAAA", "sha256 2jmj7l5rSw0yVb/vlWAYkK/YBwk="] {
            assert!(checksum(&headers("upload-checksum", wrong)).is_err(), "{wrong}");
        }
    }
}
