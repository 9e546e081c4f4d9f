//! The manifest: what belongs to a backup, with sizes and digests. One line
//! with the digest of the rest, then JSON. Written whole, switched last.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};

use super::disk::{self, Measured, Meter};
use super::not_fit;
use crate::domain::digest::Digest;
use crate::ports::failure::{Failure, Fault};

/// The file.
pub(super) const MANIFEST: &str = "manifest";
const FIRST_WORDS: &str = "postkluis-backup 1 sha256=";
/// About 200 bytes a payload: ten million of them.
const MOST_BYTES: u64 = 2 << 30;

/// What belongs to a backup.
#[derive(Serialize, Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Manifest {
    /// Version of the program that made it.
    pub(super) version: String,
    /// Counts the runs into this folder, from 1.
    pub(super) run: u64,
    /// When it was made, in milliseconds since 1970.
    pub(super) made_at: u64,
    /// The public key that it is sealed to.
    pub(super) recipient: String,
    /// The last decision that it holds, the last event, and the hash of the chain there.
    pub(super) sequence: u64,
    pub(super) last_event: u64,
    pub(super) chain_hash: String,
    /// The catalog's files, in order.
    pub(super) catalog: Vec<CatalogFile>,
    /// Keys and configuration.
    pub(super) keys: Item,
    /// The living shred keys.
    pub(super) shred_keys: Item,
    /// Payloads, as they lie in the vault.
    pub(super) payloads: Vec<Item>,
    pub(super) left_out: LeftOut,
}

/// A file of the backup.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Item {
    pub(super) path: String,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

/// A file of the catalog, in pieces that were sealed by one run each.
#[derive(Serialize, Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct CatalogFile {
    pub(super) path: String,
    pub(super) pieces: Vec<Piece>,
}

/// The bytes `from..to` of a file of the catalog.
#[derive(Serialize, Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Piece {
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) plain_sha256: String,
    pub(super) sealed: Item,
}

/// What the backup does not hold, and says so.
#[derive(Serialize, Deserialize, Clone, Debug, Default)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct LeftOut {
    /// Uploads that are not finished: their bytes are not in the backup.
    pub(super) unfinished_uploads: usize,
    /// Payloads whose end came on record while the backup was made.
    pub(super) ended_meanwhile: Vec<String>,
    /// Payloads on record that were missing or damaged in the vault.
    pub(super) missing: Vec<String>,
}

impl Item {
    pub(super) fn new(path: String, measured: Measured) -> Self {
        Self { path, bytes: measured.bytes, sha256: measured.sha256.to_string() }
    }

    /// Whether a file with this measure is what the manifest means.
    pub(super) fn fits(&self, measured: Measured) -> bool {
        self.bytes == measured.bytes && self.sha256 == measured.sha256.to_string()
    }
}

impl Manifest {
    /// The manifest of a folder; `None` when there is none.
    ///
    /// # Errors
    /// It is damaged.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, Failure> {
        let path = folder.join(MANIFEST);
        if disk::size(&path)?.is_none() {
            return Ok(None);
        }
        let text = disk::read_bounded(&path, MOST_BYTES)?;
        let damaged = |why: &str| not_fit(format!("the manifest {} is damaged: {why}", path.display()));
        let (head, body) = text
            .iter()
            .position(|byte| *byte == b'\n')
            .and_then(|end| Some((text.get(..end)?, text.get(end + 1..)?)))
            .ok_or_else(|| damaged("it has no first line"))?;
        let digest = std::str::from_utf8(head).ok().and_then(|head| head.strip_prefix(FIRST_WORDS));
        let digest = digest.and_then(|digest| Digest::parse(digest).ok());
        let digest = digest.ok_or_else(|| damaged("its first line is not that of a manifest of version 1"))?;
        if digest_of(body)? != digest {
            return Err(damaged("its digest does not fit"));
        }
        let manifest: Self = serde_json::from_slice(body).map_err(|error| damaged(&error.to_string()))?;
        let files = manifest.catalog.iter().map(|file| file.path.as_str());
        if let Some(path) = manifest.paths().into_iter().chain(files).find(|path| !is_plain_path(path)) {
            return Err(damaged(&format!("it names {path}")));
        }
        Ok(Some(manifest))
    }

    /// Puts this manifest in the place of the one before. Durable on return.
    pub(super) fn switch(&self, folder: &Path) -> Result<u64, Failure> {
        let body = serde_json::to_vec(self).map_err(|error| Fault::from_error("write the manifest", error))?;
        let head = format!("{FIRST_WORDS}{}\n", digest_of(&body)?);
        let written = disk::write(&folder.join(MANIFEST), 0o600, |file| {
            file.write_all(head.as_bytes())?;
            file.write_all(&body)
        })?;
        disk::sync_folder(folder)?;
        Ok(written.bytes)
    }

    /// Every file that it names.
    pub(super) fn items(&self) -> impl Iterator<Item = &Item> {
        let pieces = self.catalog.iter().flat_map(|file| &file.pieces).map(|piece| &piece.sealed);
        pieces.chain([&self.keys, &self.shred_keys]).chain(&self.payloads)
    }

    /// The paths of every file that it names.
    pub(super) fn paths(&self) -> BTreeSet<&str> {
        self.items().map(|item| item.path.as_str()).collect()
    }
}

fn digest_of(bytes: &[u8]) -> Result<Digest, Fault> {
    let mut meter = Meter::new(std::io::sink());
    meter.write_all(bytes).map_err(|error| Fault::from_error("hash the manifest", error))?;
    Ok(meter.end().1.sha256)
}

/// Whether a path stays below the folder that it is joined to.
pub(super) fn is_plain_path(path: &str) -> bool {
    !path.is_empty() && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}
