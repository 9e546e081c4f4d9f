//! One run of a backup: what is new is added, then the manifest is switched,
//! then what it no longer names is removed. Killed anywhere, the one before holds.
#![expect(clippy::disallowed_methods, reason = "this adapter is the disk")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use age::x25519::Recipient;

use super::disk::{self, Measured, Meter};
use super::manifest::{CatalogFile, Item, LeftOut, MANIFEST, Manifest, Piece};
use super::{
    CATALOG, CONFIG, HOME_CATALOG, HOME_VAULT, KEYS, LOCK, MARKER, MARKER_TEXT, MORTAL, SHRED_DIGESTS, SHRED_KEYS,
    VAULT, archive, not_fit, recipient,
};
use crate::domain::digest::Digest;
use crate::domain::ids::PayloadId;
use crate::domain::moment::Moment;
use crate::ports::catalog::{Standing, StandingFile};
use crate::ports::failure::{Failure, Fault};

/// So often the keys are read again when they were changed meanwhile.
const KEY_TRIES: usize = 5;

/// What one run is to hold.
pub struct BackupJob<'a> {
    /// The home.
    pub home: &'a Path,
    /// The public key that it is sealed to.
    pub recipient: &'a str,
    /// How far the catalog has come.
    pub standing: Standing,
    /// The payloads on record there.
    pub payloads: Vec<PayloadToCopy>,
    /// Uploads that are not finished: left out, and said so.
    pub unfinished_uploads: usize,
    /// When it is made.
    pub made_at: Moment,
    /// Whether a payload that is not in the vault any more has ended on record meanwhile.
    pub has_ended: &'a dyn Fn(PayloadId) -> Result<bool, Failure>,
}

/// A payload on record: its sealed size and digest.
#[derive(Clone, Copy, Debug)]
pub struct PayloadToCopy {
    /// Its id.
    pub id: PayloadId,
    /// Sealed size.
    pub bytes: u64,
    /// SHA-256 of the sealed bytes.
    pub sha256: Digest,
}

/// What a run did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BackupReport {
    /// Which run into this folder it was, from 1.
    pub run: u64,
    /// The last decision and the last event that it holds.
    pub sequence: u64,
    /// The last event that it holds.
    pub last_event: u64,
    /// Bytes written into the folder by this run.
    pub written_bytes: u64,
    /// Bytes that the backup has in all.
    pub total_bytes: u64,
    /// Payloads copied by this run.
    pub payloads_copied: usize,
    /// Payloads that were there already.
    pub payloads_kept: usize,
    /// Files removed, because the manifest no longer names them.
    pub removed: usize,
    /// Uploads left out because they are not finished.
    pub unfinished_uploads: usize,
    /// Payloads whose end came on record during the run.
    pub ended_meanwhile: Vec<String>,
    /// Payloads on record that the vault does not hold as they should be: an alarm.
    pub missing: Vec<String>,
}

/// A run in progress.
struct Run<'a> {
    target: &'a Path,
    job: BackupJob<'a>,
    recipient: Recipient,
    former: Option<Manifest>,
    report: BackupReport,
    /// Folders with new names, synced before the manifest is switched.
    touched: BTreeSet<PathBuf>,
    _lock: File,
}

/// Makes or continues the backup in `target`.
///
/// # Errors
/// The folder is something else, is in use, or holds a backup of another home or recipient; a disk
/// is full or fails. The backup that was there before can still be used.
pub fn create(target: &Path, job: BackupJob<'_>) -> Result<BackupReport, Failure> {
    let recipient = recipient(job.recipient)?;
    let lock = claim(target)?;
    let former = Manifest::read(target)?;
    if let Some(former) = &former
        && former.recipient != job.recipient
    {
        let (shown, other) = (target.display(), &former.recipient);
        return Err(not_fit(format!("{shown} is sealed to another recipient ({other}); use an empty folder")));
    }
    let report = BackupReport {
        run: former.as_ref().map_or(1, |former| former.run + 1),
        sequence: job.standing.sequence,
        last_event: job.standing.last_event,
        unfinished_uploads: job.unfinished_uploads,
        ..BackupReport::default()
    };
    let mut run = Run { target, job, recipient, former, report, touched: BTreeSet::new(), _lock: lock };
    run.refuse_another_history()?;
    let catalog = run.copy_catalog()?;
    let payloads = run.copy_payloads()?;
    let (keys, shred_keys) = run.seal_all_keys()?;
    run.finish(catalog, payloads, keys, shred_keys)
}

/// Makes the folder ours, or refuses it, and keeps other runs out.
fn claim(target: &Path) -> Result<File, Failure> {
    disk::make_folder(target)?;
    let marker = target.join(MARKER);
    let names = disk::names(target)?;
    if !names.iter().any(|name| name == MARKER) {
        if names.iter().any(|name| !name.ends_with(disk::UNFINISHED)) {
            let why = format!("{} is not empty and no backup; give an empty folder", target.display());
            return Err(not_fit(why));
        }
        disk::write(&marker, 0o600, |file| file.write_all(MARKER_TEXT.as_bytes()))?;
        disk::sync_folder(target)?;
    }
    let path = target.join(LOCK);
    let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
    let lock = opened.map_err(|error| disk::failure("open", &path, error))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            Err(not_fit(format!("another backup into {} is running; wait for its end", target.display())))
        }
        Err(TryLockError::Error(error)) => Err(disk::failure("lock", &path, error)),
    }
}

impl Run<'_> {
    /// A home that was restored to an earlier point, or another home, must not continue this backup: the last
    /// piece of the last file that both have must hold the same bytes in both.
    fn refuse_another_history(&self) -> Result<(), Failure> {
        let Some(former) = &self.former else { return Ok(()) };
        let another = |why: &str| {
            not_fit(format!("{} is a backup of another history ({why}); use an empty folder", self.target.display()))
        };
        if former.sequence > self.job.standing.sequence {
            return Err(another("it is further than this home"));
        }
        let living: BTreeMap<&str, u64> = self.job.standing.files.iter().map(|f| (f.path.as_str(), f.bytes)).collect();
        let shared = former.catalog.iter().rev().find_map(|file| {
            let bytes = living.get(file.path.as_str())?;
            Some((file, file.pieces.last()?, *bytes))
        });
        let Some((file, piece, bytes)) = shared else { return Err(another("they have no file in common")) };
        if bytes < piece.to {
            return Err(another(&format!("{} is shorter than it was", file.path)));
        }
        let path = self.job.home.join(HOME_CATALOG).join(&file.path);
        let mut plain = Meter::new(part_of(&path, piece.from, piece.to)?);
        let read = disk::pour(&mut plain, &mut io::sink());
        read.map_err(|error| disk::fault("read", &path, error))?;
        if plain.end().1.sha256.to_string() != piece.plain_sha256 {
            return Err(another(&format!("{} differs", file.path)));
        }
        Ok(())
    }

    /// Seals what the catalog's files have more than the backup.
    fn copy_catalog(&mut self) -> Result<Vec<CatalogFile>, Failure> {
        let mut former: BTreeMap<String, CatalogFile> = BTreeMap::new();
        for file in self.former.iter().flat_map(|former| &former.catalog) {
            former.insert(file.path.clone(), file.clone());
        }
        let mut copied = Vec::new();
        for file in self.job.standing.files.clone() {
            let known = former.remove(&file.path);
            let mut pieces = known.map(|known| known.pieces).unwrap_or_default();
            let from = pieces.last().map_or(0, |last| last.to);
            if from > file.bytes {
                let shown = self.target.display();
                return Err(not_fit(format!("{} is shorter than in {shown}; use an empty folder", file.path)));
            }
            if from < file.bytes || pieces.is_empty() {
                pieces.push(self.seal_piece(&file, from)?);
            }
            copied.push(CatalogFile { path: file.path, pieces });
        }
        Ok(copied)
    }

    fn seal_piece(&mut self, file: &StandingFile, from: u64) -> Result<Piece, Failure> {
        let source = self.job.home.join(HOME_CATALOG).join(&file.path);
        let path = format!("{CATALOG}/{}/{from:020}.age", file.path);
        let to = self.place(&path)?;
        let mut plain = Meter::new(part_of(&source, from, file.bytes)?);
        let sealed = disk::write(&to, 0o600, |sink| disk::seal(&self.recipient, &mut plain, sink))?;
        let plain = plain.end().1;
        if plain.bytes != file.bytes - from {
            return Err(Fault::new(format!("{} became shorter while it was copied", source.display())).into());
        }
        self.report.written_bytes += sealed.bytes;
        let plain_sha256 = plain.sha256.to_string();
        Ok(Piece { from, to: file.bytes, plain_sha256, sealed: Item::new(path, sealed) })
    }

    /// Copies the payloads that are not there yet, as they lie in the vault.
    fn copy_payloads(&mut self) -> Result<Vec<Item>, Failure> {
        let former: BTreeSet<(String, String)> = match &self.former {
            Some(former) => former.payloads.iter().map(|item| (item.path.clone(), item.sha256.clone())).collect(),
            None => BTreeSet::new(),
        };
        let mut items = Vec::new();
        for payload in std::mem::take(&mut self.job.payloads) {
            let name = payload.id.to_string();
            let below = format!("{}/{name}", name.get(..2).unwrap_or_default());
            let item =
                Item { path: format!("{VAULT}/{below}"), bytes: payload.bytes, sha256: payload.sha256.to_string() };
            let is_known = former.contains(&(item.path.clone(), item.sha256.clone()));
            if is_known && disk::size(&self.target.join(&item.path))? == Some(item.bytes) {
                self.report.payloads_kept += 1;
                items.push(item);
                continue;
            }
            let source = self.job.home.join(HOME_VAULT).join(&below);
            let file = match File::open(&source) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    let ended = (self.job.has_ended)(payload.id)?;
                    let list = if ended { &mut self.report.ended_meanwhile } else { &mut self.report.missing };
                    list.push(name);
                    continue;
                }
                Err(error) => return Err(disk::fault("open", &source, error).into()),
            };
            let to = self.place(&item.path)?;
            let mut source_bytes = file;
            let measured = disk::write_unfinished(&to, 0o600, |sink| disk::pour(&mut source_bytes, sink))?;
            if !item.fits(measured) {
                self.report.missing.push(name);
                continue;
            }
            disk::settle(&to)?;
            self.report.written_bytes += measured.bytes;
            self.report.payloads_copied += 1;
            items.push(item);
        }
        Ok(items)
    }

    /// Both archives of keys, of one and the same time: while keys are rotated, shred keys of after it could not be
    /// opened by a master of before it.
    fn seal_all_keys(&mut self) -> Result<(Item, Item), Failure> {
        for _ in 0..KEY_TRIES {
            let before = self.keys()?;
            let keys = self.seal_keys()?;
            // last of what is copied: it holds every key that the catalog's files need
            let shred_keys = self.seal_shred_keys()?;
            if self.keys()? == before {
                return Ok((keys, shred_keys));
            }
        }
        Err(not_fit("the keys are being changed; make the backup when that has ended".to_owned()))
    }

    /// Everything under `keys/` but what can be destroyed: shred keys and body keys.
    fn keys(&self) -> Result<Vec<archive::Packed>, Failure> {
        let mut files = Vec::new();
        let mortal = MORTAL.map(|folder| format!("{KEYS}/{folder}"));
        archive::gather(&self.job.home.join(KEYS), KEYS, &|name| mortal.iter().any(|left| left == name), &mut files)?;
        Ok(files)
    }

    /// These keys, and the configuration.
    fn seal_keys(&mut self) -> Result<Item, Failure> {
        let mut files = self.keys()?;
        let config = self.job.home.join(CONFIG);
        if disk::size(&config)?.is_some() {
            let bytes = disk::read_bounded(&config, 1 << 20)?.into();
            files.push(archive::Packed { name: CONFIG.to_owned(), mode: 0o640, bytes });
        }
        let path = format!("{KEYS}-{:08}.age", self.report.run);
        let to = self.place(&path)?;
        let plain = archive::pack(&files)?;
        let sealed = disk::write(&to, 0o600, |sink| disk::seal(&self.recipient, &mut plain.as_slice(), sink))?;
        self.report.written_bytes += sealed.bytes;
        Ok(Item::new(path, sealed))
    }

    /// The living shred keys and body keys, in the place of those before. Which digests the file may have is on disk first, so
    /// that the manifest before fits as well when the run ends here.
    fn seal_shred_keys(&mut self) -> Result<Item, Failure> {
        let mut files = Vec::new();
        for folder in MORTAL {
            let (from, prefix) = (self.job.home.join(KEYS).join(folder), format!("{KEYS}/{folder}"));
            archive::gather(&from, &prefix, &|_| false, &mut files)?;
        }
        let plain = archive::pack(&files)?;
        let to = self.target.join(SHRED_KEYS);
        let seal = |sink: &mut Meter<File>| disk::seal(&self.recipient, &mut plain.as_slice(), sink);
        let sealed = disk::write_unfinished(&to, 0o600, seal)?;
        self.report.written_bytes += sealed.bytes;
        let mut digests = vec![sealed.sha256.to_string()];
        if let (Some(former), Some(now)) = (&self.former, disk::measure(&to)?) {
            let known = [former.shred_keys.sha256.clone()].into_iter().chain(shred_digests(self.target)?);
            digests.extend(known.filter(|digest| *digest == now.sha256.to_string()));
        }
        let text = digests.join("\n");
        disk::write(&self.target.join(SHRED_DIGESTS), 0o600, |file| writeln!(file, "{text}"))?;
        disk::sync_folder(self.target)?;
        replace_and_wipe(&to)?;
        disk::sync_folder(self.target)?;
        Ok(Item::new(SHRED_KEYS.to_owned(), sealed))
    }

    fn finish(
        mut self,
        catalog: Vec<CatalogFile>,
        payloads: Vec<Item>,
        keys: Item,
        shred_keys: Item,
    ) -> Result<BackupReport, Failure> {
        for folder in &self.touched {
            disk::sync_folder(folder)?;
        }
        let manifest = Manifest {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            run: self.report.run,
            made_at: self.job.made_at.millis(),
            recipient: self.job.recipient.to_owned(),
            sequence: self.job.standing.sequence,
            last_event: self.job.standing.last_event,
            chain_hash: self.job.standing.hash.to_string(),
            catalog,
            keys,
            shred_keys,
            payloads,
            left_out: LeftOut {
                unfinished_uploads: self.job.unfinished_uploads,
                ended_meanwhile: self.report.ended_meanwhile.clone(),
                missing: self.report.missing.clone(),
            },
        };
        self.report.written_bytes += manifest.switch(self.target)?;
        self.report.total_bytes = manifest.items().map(|item| item.bytes).sum();
        let named = manifest.paths();
        for folder in [CATALOG, VAULT] {
            self.report.removed += sweep(self.target, folder, &named)?;
        }
        for name in disk::names(self.target)? {
            let is_ours = name.ends_with(disk::UNFINISHED) || name.starts_with("keys-");
            if is_ours && !named.contains(name.as_str()) {
                remove(&self.target.join(&name))?;
                self.report.removed += 1;
            }
        }
        disk::sync_folder(self.target)?;
        Ok(self.report)
    }

    /// The path below the target, its folder made.
    fn place(&mut self, path: &str) -> Result<PathBuf, Failure> {
        let place = self.target.join(path);
        if let Some(folder) = place.parent() {
            disk::make_folder(folder)?;
            let below = folder.ancestors().take_while(|folder| folder.starts_with(self.target));
            self.touched.extend(below.map(Path::to_path_buf));
        }
        Ok(place)
    }
}

/// The bytes `from..to` of a file.
fn part_of(path: &Path, from: u64, to: u64) -> Result<io::Take<File>, Fault> {
    let open = || {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(from))?;
        Ok(file.take(to - from))
    };
    open().map_err(|error| disk::fault("open", path, error))
}

/// Digests that the shred keys may have besides the one of the manifest: a run may have ended just before.
pub(super) fn shred_digests(target: &Path) -> Result<Vec<String>, Fault> {
    let path = target.join(SHRED_DIGESTS);
    if disk::size(&path)?.is_none() {
        return Ok(Vec::new());
    }
    let text = disk::read_bounded(&path, 4_096)?;
    Ok(String::from_utf8_lossy(&text).lines().map(ToOwned::to_owned).collect())
}

/// Puts the new file in the place of the one before, and overwrites what was before.
fn replace_and_wipe(path: &Path) -> Result<(), Failure> {
    let replace = || -> io::Result<()> {
        let before = match OpenOptions::new().write(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            opened => Some(opened?),
        };
        fs::rename(disk::unfinished(path), path)?;
        if let Some(mut before) = before {
            let length = before.metadata()?.len();
            disk::pour(&mut io::repeat(0).take(length), &mut before)?;
            before.sync_all()?;
        }
        Ok(())
    };
    replace().map_err(|error| disk::failure("write", path, error))
}

/// Removes every file below `folder` that is not named, and folders that become empty. Returns how many files.
fn sweep(target: &Path, folder: &str, named: &BTreeSet<&str>) -> Result<usize, Failure> {
    let mut removed = 0;
    let at = target.join(folder);
    for name in disk::names(&at)? {
        let path = format!("{folder}/{name}");
        let place = target.join(&path);
        if place.is_dir() {
            removed += sweep(target, &path, named)?;
            if disk::names(&place)?.is_empty() {
                fs::remove_dir(&place).map_err(|error| disk::failure("remove", &place, error))?;
            }
        } else if !named.contains(path.as_str()) {
            remove(&place)?;
            removed += 1;
        }
    }
    if removed > 0 {
        disk::sync_folder(&at)?;
    }
    Ok(removed)
}

fn remove(path: &Path) -> Result<(), Failure> {
    fs::remove_file(path).map_err(|error| disk::failure("remove", path, error))
}

/// Whether the folder holds a whole backup.
pub(super) fn manifest_of(target: &Path) -> Result<Manifest, Failure> {
    Manifest::read(target)?
        .ok_or_else(|| not_fit(format!("{} holds no whole backup: there is no {MANIFEST}", target.display())))
}

/// Whether a measure of the shred keys is one that they may have.
pub(super) fn fits_shred_keys(target: &Path, manifest: &Manifest, measured: Measured) -> Result<bool, Fault> {
    let digests = shred_digests(target)?;
    Ok(manifest.shred_keys.fits(measured) || digests.contains(&measured.sha256.to_string()))
}
