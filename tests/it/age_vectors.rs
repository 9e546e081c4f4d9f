//! The age test vectors of C2SP/CCTV, as the `age` crate carries them: each is judged by the code that opens
//! deliveries, and must come out as it says itself. The vectors are read where cargo unpacked the crate.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use age::Identity;
use age::secrecy::SecretString;
use postkluis::sealing::stream::{CHUNK_BYTES, Layout, NONCE_BYTES, PayloadKey, SEALED_CHUNK_BYTES};
use postkluis::sealing::{SealingError, header};
use sha2::{Digest as _, Sha256};

use crate::support::programs::{PATIENCE, finish, finish_with, python};

/// Scrypt work that a vector may ask for: one asks for far too much, and must be refused.
const MOST_SCRYPT_LOG_N: u8 = 20;

/// One vector: what it says of itself, and the file.
struct Vector {
    name: String,
    said: BTreeMap<String, Vec<String>>,
    file: Vec<u8>,
}

impl Vector {
    #[track_caller]
    fn read(name: String, bytes: &[u8]) -> Self {
        let end =
            bytes.windows(2).position(|two| two == b"\n\n").unwrap_or_else(|| panic!("{name} has no end of head"));
        let mut said: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in std::str::from_utf8(&bytes[..end]).expect("a head of text").lines() {
            let (key, value) = line.split_once(": ").unwrap_or_else(|| panic!("{name}: {line}"));
            said.entry(key.to_owned()).or_default().push(value.to_owned());
        }
        let mut file = bytes[end + 2..].to_vec();
        if said.contains_key("compressed") {
            let program = "import sys, zlib; sys.stdout.buffer.write(zlib.decompress(sys.stdin.buffer.read()))";
            file = finish_with(python().args(["-c", program]), &file, PATIENCE).expect_code(0).stdout;
        }
        Self { name, said, file }
    }

    fn all(&self, key: &str) -> &[String] {
        self.said.get(key).map_or(&[], Vec::as_slice)
    }

    fn one(&self, key: &str) -> &str {
        self.all(key).first().map_or("", String::as_str)
    }

    fn identities(&self) -> Vec<Box<dyn Identity>> {
        let keys = self.all("identity").iter().map(|key| {
            let key: age::x25519::Identity = key.parse().expect("an identity");
            Box::new(key) as Box<dyn Identity>
        });
        let passphrases = self.all("passphrase").iter().map(|passphrase| {
            let mut key = age::scrypt::Identity::new(SecretString::from(passphrase.clone()));
            key.set_max_work_factor(MOST_SCRYPT_LOG_N);
            Box::new(key) as Box<dyn Identity>
        });
        keys.chain(passphrases).collect()
    }
}

/// What opening came to.
#[derive(PartialEq, Eq, Debug)]
enum Outcome {
    /// All of it, by its digest.
    Opened(String),
    /// The header is not one.
    Header,
    /// The header's MAC, or a stanza that should have opened, does not fit.
    NotAuthentic,
    NoMatch,
    /// The payload does not open to its end.
    Payload,
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The header ends with the line of its MAC; a file without one has no payload.
fn split(file: &[u8]) -> (&[u8], &[u8]) {
    let mac = file.windows(5).position(|found| found == b"\n--- ");
    let end = mac.and_then(|at| file[at + 1..].iter().position(|byte| *byte == b'\n').map(|line| at + 2 + line));
    file.split_at(end.unwrap_or(file.len()))
}

fn open(vector: &Vector) -> Outcome {
    let (head, sealed) = split(&vector.file);
    // A header is judged also when nobody's key is given.
    let mut key = header::open(head, &age::x25519::Identity::generate());
    for identity in vector.identities() {
        key = header::open(head, identity.as_ref());
        if key != Err(SealingError::NoMatchingIdentity) {
            break;
        }
    }
    match key {
        Ok(key) => opened(&key, sealed),
        Err(SealingError::MalformedHeader(_)) => Outcome::Header,
        Err(SealingError::NoMatchingIdentity) => Outcome::NoMatch,
        Err(_) => Outcome::NotAuthentic,
    }
}

/// Chunk by chunk, as a reader does that knows the size beforehand: of a file that is cut or has more behind its end
/// less leaves than of one that is read as it comes, whose digest the vectors name.
fn opened(key: &[u8; 16], sealed: &[u8]) -> Outcome {
    let Some((nonce, mut rest)) = sealed.split_first_chunk::<NONCE_BYTES>() else { return Outcome::Header };
    let key = PayloadKey::new(key, nonce).expect("a key");
    let mut plain = Vec::new();
    let mut number = 0;
    loop {
        let (chunk, behind) = rest.split_at(rest.len().min(SEALED_CHUNK_BYTES));
        let is_last = behind.is_empty();
        let mut buffer = chunk.to_vec();
        match key.open_chunk(number, is_last, &mut buffer) {
            // An empty last chunk stands alone or not at all.
            Ok([]) if number > 0 => break,
            Ok(piece) => plain.extend_from_slice(piece),
            Err(_) => break,
        }
        if is_last {
            let layout = Layout::of_sealed(sealed.len() as u64).expect("what opened has a layout");
            assert_eq!(layout, Layout::of_plain(plain.len() as u64));
            return Outcome::Opened(sha256(&plain));
        }
        (rest, number) = (behind, number + 1);
    }
    assert!(plain.len().is_multiple_of(CHUNK_BYTES), "a break comes between chunks");
    Outcome::Payload
}

/// Where cargo unpacked the crate.
#[track_caller]
fn vectors() -> Vec<Vector> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["metadata", "--format-version", "1", "--offline", "--locked"]);
    let metadata = finish(command.current_dir(env!("CARGO_MANIFEST_DIR"))).expect_code(0).json();
    let packages = metadata.get("packages").and_then(serde_json::Value::as_array).expect("packages");
    let age = packages.iter().find(|package| package.get("name").and_then(|name| name.as_str()) == Some("age"));
    let manifest = age.and_then(|age| age.get("manifest_path")?.as_str()).expect("the crate's manifest");
    let folder = PathBuf::from(manifest).with_file_name("tests").join("testdata/testkit");
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut vectors: Vec<_> = entries
        .map(|entry| {
            let entry = entry.expect("a vector");
            let name = entry.file_name().to_string_lossy().into_owned();
            Vector::read(name, &fs::read(entry.path()).expect("a vector"))
        })
        .collect();
    vectors.sort_by(|one, other| one.name.cmp(&other.name));
    vectors
}

#[test]
fn every_vector_of_the_binary_format_comes_out_as_it_says() {
    let (mut judged, mut armored) = (BTreeMap::<&str, usize>::new(), 0);
    let mut wrong = Vec::new();
    let vectors = vectors();
    for vector in &vectors {
        if vector.one("armored") == "yes" {
            // Nothing here reads or writes armor.
            armored += 1;
            continue;
        }
        let payload = vector.one("payload").to_owned();
        let expected = match vector.one("expect") {
            "success" => vec![Outcome::Opened(payload)],
            "payload failure" => vec![Outcome::Payload],
            // A stanza that is of the right kind and malformed is a broken header to the specification.
            "header failure" => vec![Outcome::Header, Outcome::NotAuthentic],
            "HMAC failure" => vec![Outcome::NotAuthentic],
            // A wrong passphrase looks like a changed stanza.
            "no match" if !vector.one("passphrase").is_empty() => vec![Outcome::NoMatch, Outcome::NotAuthentic],
            "no match" => vec![Outcome::NoMatch],
            other => panic!("{} expects {other}", vector.name),
        };
        let outcome = open(vector);
        if !expected.contains(&outcome) {
            wrong.push(format!("{} expects {}: {outcome:?}", vector.name, vector.one("expect")));
        }
        *judged.entry(vector.one("expect")).or_default() += 1;
    }
    println!("{judged:?}, {armored} armored");
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), vectors.len(), wrong.join("\n"));
    assert!(judged.values().sum::<usize>() >= 92 && judged.len() == 5, "{judged:?}: vectors are missing");
}
