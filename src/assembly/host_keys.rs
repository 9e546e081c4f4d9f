//! The SSH host keys of a home: made, read, listed and changed for others. Of each
//! kind there may be a key in use and the next one, which is announced before.
#![expect(clippy::disallowed_methods, reason = "reads and makes the files of host keys")]

use std::fs;
use std::path::{Path, PathBuf};

use russh::keys::{Algorithm, HashAlg, PrivateKey, ssh_key};
use serde_json::{Value, json};

use super::home::write_new;
use crate::config::secrets::refuse_readable_by_others;
use crate::config::{Config, environment};
use crate::domain::refusal::Refusal;
use crate::fronts::cli::args::HostKeyKind;
use crate::operations::{Failure, Fault};

/// The smallest RSA key that is used (domain 3.3).
const LEAST_RSA_BITS: u32 = 3_072;

/// A host key with its file.
pub(super) struct HostKey {
    /// The private key's file.
    pub(super) path: PathBuf,
    /// The key.
    pub(super) key: PrivateKey,
    /// Whether clients meet it now; else it is the next one.
    pub(super) in_use: bool,
}

impl HostKey {
    /// `SHA256:…`
    pub(super) fn fingerprint(&self) -> String {
        self.key.fingerprint(HashAlg::Sha256).to_string()
    }

    /// Its algorithm and size, for people.
    pub(super) fn algorithm_and_size(&self) -> String {
        match self.key.public_key().key_data().rsa() {
            Some(rsa) => format!("RSA, {} bits", rsa.key_size()),
            None => "Ed25519, 256 bits".to_owned(),
        }
    }

    /// The DNS record by which clients can know it (RFC 4255, RFC 7479): algorithm 4 is Ed25519, 1 RSA;
    /// type 2 is SHA-256.
    pub(super) fn sshfp(&self, host: &str) -> String {
        let algorithm = if self.key.algorithm().is_rsa() { 1 } else { 4 };
        let digest = data_encoding::HEXLOWER.encode(self.key.fingerprint(HashAlg::Sha256).as_ref());
        format!("{host}. IN SSHFP  {algorithm} 2 {digest}")
    }

    fn file(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn is_next(&self) -> bool {
        self.file().ends_with("_next_key")
    }
}

/// Every `ssh_host_*_key` in the keys folder, those in use first.
///
/// # Errors
/// There is none, or one that others can read, that is none, or that is too weak.
pub(super) fn read(keys: &Path) -> Result<Vec<HostKey>, Failure> {
    let failed =
        |error: std::io::Error| Fault::from_error(format!("read the SSH host keys in {}", keys.display()), error);
    let mut paths: Vec<_> = fs::read_dir(keys)
        .map_err(failed)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| is_host_key(path))
        .collect();
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        refuse_readable_by_others(&path).map_err(Fault::new)?;
        let key = russh::keys::load_secret_key(&path, None)
            .map_err(|error| Fault::from_error(format!("read the SSH host key {}", path.display()), error))?;
        refuse_weak(&path, &key)?;
        found.push(HostKey { path, key, in_use: false });
    }
    // clients meet one of a kind; the next one only when there is no other
    found.sort_by_key(HostKey::is_next);
    let mut kinds = Vec::new();
    for key in &mut found {
        let kind = key.key.algorithm();
        key.in_use = !kinds.contains(&kind);
        kinds.push(kind);
    }
    if found.is_empty() {
        let keys = keys.display();
        return Err(Fault::new(format!("find an SSH host key ssh_host_*_key in {keys}; run `postkluis init`")).into());
    }
    Ok(found)
}

/// Whether a file in the keys folder is a private SSH host key.
fn is_host_key(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with("ssh_host_") && name.ends_with("_key")
}

fn refuse_weak(path: &Path, key: &PrivateKey) -> Result<(), Failure> {
    let why = match key.algorithm() {
        Algorithm::Ed25519 => return Ok(()),
        Algorithm::Rsa { .. } => {
            match key.public_key().key_data().rsa().map_or(0, ssh_key::public::RsaPublicKey::key_size) {
                LEAST_RSA_BITS.. => return Ok(()),
                bits => format!("an RSA key needs at least {LEAST_RSA_BITS} bits, this one has {bits}"),
            }
        }
        other => format!("keys of kind {other} are not used, only ed25519 and rsa"),
    };
    let shown = path.display();
    Err(Fault::new(format!("use the SSH host key {shown}: {why}; make one with `postkluis host-key add`")).into())
}

/// Makes a key in this file, and the public one beside it.
///
/// # Errors
/// The file exists or cannot be written.
pub(super) fn make(path: &Path, kind: HostKeyKind) -> Result<PrivateKey, Failure> {
    let failed = |error: ssh_key::Error| Fault::from_error("make an SSH host key", error);
    let algorithm = match kind {
        HostKeyKind::Ed25519 => Algorithm::Ed25519,
        // made with 4096 bits
        HostKeyKind::Rsa => Algorithm::Rsa { hash: None },
    };
    let mut key = PrivateKey::random(&mut russh::keys::key::safe_rng(), algorithm).map_err(failed)?;
    key.set_comment("postkluis");
    let private = key.to_openssh(ssh_key::LineEnding::LF).map_err(failed)?;
    write_new(path, private.as_bytes(), 0o600)?;
    write_public(path, &key)?;
    Ok(key)
}

/// Writes the public part of a key beside it, unless it is there.
pub(super) fn write_public(path: &Path, key: &PrivateKey) -> Result<(), Failure> {
    let path = public_of(path);
    if path.exists() {
        return Ok(());
    }
    let public = key.public_key().to_openssh();
    let public = public.map_err(|error| Fault::from_error("write an SSH host key", error))?;
    write_new(&path, format!("{public}\n").as_bytes(), 0o644)
}

/// The file of the key in use, or of the next one.
pub(super) fn path_of(keys: &Path, kind: HostKeyKind, is_next: bool) -> PathBuf {
    keys.join(format!("ssh_host_{}{}_key", kind.word(), if is_next { "_next" } else { "" }))
}

fn public_of(path: &Path) -> PathBuf {
    path.with_extension("pub")
}

/// What a command about host keys answers: a document and text for people.
pub type Told = (Value, String);

/// The host keys with their fingerprints and DNS records, to be published.
///
/// # Errors
/// As for serving: no key, or one that cannot be used.
pub fn list(home: &Path) -> Result<Told, Failure> {
    let host = Config::load(home, environment()).map_or_else(|_| "<host name>".to_owned(), |config| host_name(&config));
    let keys = read(&home.join("keys"))?;
    let mut text = Vec::new();
    let mut documents = Vec::new();
    for key in &keys {
        let (file, fingerprint, record) = (key.file(), key.fingerprint(), key.sshfp(&host));
        let state = if key.in_use { "in use" } else { "next" };
        let kind = if key.key.algorithm().is_rsa() { "rsa" } else { "ed25519" };
        text.push(format!("{state:<6} {kind:<7} {fingerprint}  {file}\n       {record}"));
        documents.push(json!({
            "state": if key.in_use { "inUse" } else { "next" },
            "kind": kind,
            "fingerprint": fingerprint,
            "file": file,
            "sshfp": record,
            "publicKey": key.key.public_key().to_openssh().unwrap_or_default(),
        }));
    }
    Ok((Value::Array(documents), text.join("\n")))
}

/// Makes the first host key of a kind, or the next one.
///
/// # Errors
/// There is a next one already, or it cannot be written.
pub fn add(home: &Path, kind: HostKeyKind) -> Result<Told, Failure> {
    let keys = home.join("keys");
    let first = path_of(&keys, kind, false);
    let is_next = first.exists();
    let path = if is_next { path_of(&keys, kind, true) } else { first };
    if path.exists() {
        let why = format!("{} exists already; `postkluis host-key retire` puts it in use", path.display());
        return Err(Refusal::WrongState(why).into());
    }
    let fingerprint = make(&path, kind)?.fingerprint(HashAlg::Sha256).to_string();
    let then = if is_next {
        "publish this fingerprint and the DNS record of `postkluis host-key list`; on the day that you announced, \
         `postkluis host-key retire` and a restart put it in use"
    } else {
        "it is in use from the next start of the server on"
    };
    let shown = path.display().to_string();
    Ok((json!({ "file": shown, "fingerprint": fingerprint }), format!("made {shown}\n{fingerprint}\n{then}")))
}

/// Puts the key in use aside as `….retired`, and the next one of its kind in its place.
///
/// # Errors
/// There is none of this kind, no other key would be left, or a file cannot be renamed.
pub fn retire(home: &Path, kind: HostKeyKind) -> Result<Told, Failure> {
    let keys = home.join("keys");
    let (first, next) = (path_of(&keys, kind, false), path_of(&keys, kind, true));
    let all = read(&keys)?;
    let others = all.iter().any(|key| key.path != first);
    if !all.iter().any(|key| key.path == first || key.path == next) {
        return Err(Refusal::WrongState("there is no host key of this kind".to_owned()).into());
    }
    if !others {
        let why = "it is the only host key; make the next one first, with `postkluis host-key add`, and announce it";
        return Err(Refusal::WrongState(why.to_owned()).into());
    }
    // A stop between the two leaves only the next key, which is used then; the command can be repeated.
    if first.exists() {
        move_pair(&first, &first.with_extension("retired"))?;
    }
    if next.exists() {
        move_pair(&next, &first)?;
    }
    let left = read(&keys)?;
    let used = left.iter().filter(|key| key.in_use).map(HostKey::fingerprint).collect::<Vec<_>>();
    let text = format!("in use from the next start of the server on:\n{}", used.join("\n"));
    Ok((json!({ "inUse": used }), text))
}

fn move_pair(from: &Path, to: &Path) -> Result<(), Failure> {
    let rename = |from: &Path, to: &Path| {
        fs::rename(from, to).map_err(|error| Fault::from_error(format!("rename {}", from.display()), error))
    };
    // the public file is for people: it may have been taken away
    let public = public_of(from);
    if public.exists() {
        let to = if to.extension().is_some() { to.with_extension("retired.pub") } else { public_of(to) };
        rename(&public, &to)?;
    }
    rename(from, to)?;
    let folder = from.parent().unwrap_or(from);
    let sync = fs::File::open(folder).and_then(|folder| folder.sync_all());
    sync.map_err(|error| Fault::from_error(format!("sync {}", folder.display()), error).into())
}

/// The name by which clients know this server.
pub(super) fn host_name(config: &Config) -> String {
    config.portal.base_url.trim_start_matches("https://").split([':', '/']).next().unwrap_or_default().to_owned()
}
