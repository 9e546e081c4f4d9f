//! Looks through a backup: every file with its digest, and with the identity
//! everything sealed and the catalog's own chain. Writes nothing to the disk.

use std::fs::File;
use std::io;
use std::path::Path;

use age::x25519::Identity;
use rustix::fs::{MemfdFlags, memfd_create};

use super::create::{fits_shred_keys, manifest_of};
use super::disk::{self, Meter};
use super::manifest::{CatalogFile, Manifest};
use super::{CONFIG, SHRED_KEYS, archive};
use crate::domain::digest::Digest;
use crate::domain::moment::Moment;
use crate::ports::failure::{Failure, Fault};

/// What a look through a backup found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verified {
    /// Which run made it.
    pub run: u64,
    /// When.
    pub made_at: Moment,
    /// The last decision that it holds.
    pub sequence: u64,
    /// The last event that it holds.
    pub last_event: u64,
    /// Files that were looked at.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Whether the sealed parts were opened too.
    pub was_opened: bool,
    /// Uploads that were left out because they were not finished.
    pub unfinished_uploads: usize,
    /// What is wrong, one sentence each; nothing when the backup is whole.
    pub wrong: Vec<String>,
}

/// Reads one file of the catalog and follows its chain; at the end: last sequence, last event, hash.
pub trait FollowChain {
    /// The next file, whole, in memory.
    ///
    /// # Errors
    /// The chain does not hold there.
    fn read(&mut self, path: &str, file: File) -> Result<(), Fault>;

    /// Where the chain ends.
    ///
    /// # Errors
    /// What is missing before its first file is not accounted for.
    fn end(&self) -> Result<Option<(u64, u64, Digest)>, Fault>;
}

/// Looks through the backup in `target`.
///
/// # Errors
/// There is no backup, its manifest is damaged, or the disk fails.
pub fn verify(target: &Path, identity: Option<&Identity>, chain: &mut dyn FollowChain) -> Result<Verified, Failure> {
    let manifest = manifest_of(target)?;
    let mut found = Verified {
        run: manifest.run,
        made_at: Moment::from_millis(manifest.made_at),
        sequence: manifest.sequence,
        last_event: manifest.last_event,
        files: 0,
        bytes: 0,
        was_opened: identity.is_some(),
        unfinished_uploads: manifest.left_out.unfinished_uploads,
        wrong: Vec::new(),
    };
    for name in &manifest.left_out.missing {
        found.wrong.push(format!("payload {name} was missing or damaged in the vault when the backup was made"));
    }
    for item in manifest.items() {
        found.files += 1;
        match disk::measure(&target.join(&item.path)) {
            Ok(None) => found.wrong.push(format!("{} is not there", item.path)),
            Ok(Some(measured)) => {
                found.bytes += measured.bytes;
                let is_fit =
                    item.fits(measured) || (item.path == SHRED_KEYS && fits_shred_keys(target, &manifest, measured)?);
                if !is_fit {
                    found.wrong.push(format!("{} is not what the manifest says: it was changed or damaged", item.path));
                }
            }
            Err(fault) => found.wrong.push(fault.to_string()),
        }
    }
    found.wrong.extend(gaps(&manifest));
    if let Some(identity) = identity {
        open_all(target, &manifest, identity, chain, &mut found.wrong);
    }
    Ok(found)
}

/// Pieces must follow each other without a gap.
fn gaps(manifest: &Manifest) -> Vec<String> {
    let mut wrong = Vec::new();
    for file in &manifest.catalog {
        let mut at = 0;
        for piece in &file.pieces {
            if piece.from != at {
                wrong.push(format!("{}: there is a gap at byte {at}", file.path));
            }
            at = piece.to;
        }
    }
    wrong
}

fn open_all(
    target: &Path,
    manifest: &Manifest,
    identity: &Identity,
    chain: &mut dyn FollowChain,
    wrong: &mut Vec<String>,
) {
    let keys = disk::open_sealed(&target.join(&manifest.keys.path), identity, |plain| archive::unpack(plain));
    match keys {
        Ok(files) if !files.iter().any(|file| file.name == CONFIG) => {
            wrong.push(format!("{CONFIG} is not among the keys"))
        }
        Ok(_) => {}
        Err(fault) => wrong.push(fault.to_string()),
    }
    if let Err(fault) = disk::open_sealed(&target.join(SHRED_KEYS), identity, |plain| archive::unpack(plain)) {
        wrong.push(fault.to_string());
    }
    for file in &manifest.catalog {
        if let Err(fault) = in_memory(target, file, identity).and_then(|plain| chain.read(&file.path, plain)) {
            wrong.push(fault.to_string());
            return;
        }
    }
    let says = (manifest.sequence, manifest.last_event, manifest.chain_hash.clone());
    let end = match chain.end() {
        Ok(end) => end,
        Err(fault) => return wrong.push(fault.to_string()),
    };
    let holds = end.map(|(sequence, event, hash)| (sequence, event, hash.to_string()));
    if holds != Some(says) {
        wrong.push("the journal does not end where the manifest says".to_owned());
    }
}

/// The plaintext of a file of the catalog: in memory, because it holds personal data.
fn in_memory(target: &Path, file: &CatalogFile, identity: &Identity) -> Result<File, Fault> {
    let made = memfd_create("postkluis-backup", MemfdFlags::CLOEXEC);
    let mut memory = File::from(made.map_err(|error| Fault::from_error("make a file in memory", error))?);
    write_plain(target, file, identity, &mut memory)?;
    Ok(memory)
}

/// Writes the plaintext of a file of the catalog, each piece with its digest checked.
pub(super) fn write_plain(
    target: &Path,
    file: &CatalogFile,
    identity: &Identity,
    into: &mut dyn io::Write,
) -> Result<(), Fault> {
    for piece in &file.pieces {
        let path = target.join(&piece.sealed.path);
        let measured = disk::open_sealed(&path, identity, |plain| {
            let mut meter = Meter::new(plain);
            disk::pour(&mut meter, into)?;
            Ok(meter.end().1)
        })?;
        let fits = measured.bytes == piece.to - piece.from && measured.sha256.to_string() == piece.plain_sha256;
        if !fits {
            return Err(Fault::new(format!("{} does not hold what the manifest says", path.display())));
        }
    }
    Ok(())
}
