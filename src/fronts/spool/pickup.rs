//! Claims whole drops, publishes them, and puts refused ones aside with a
//! reason. Every step can be cut off and is taken up again at the next start.
#![expect(clippy::disallowed_methods, reason = "the spool is a folder on disk")]

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::drops::{self, DELIVERY, DONE, Drop, Watchlist, Wholeness};
use super::{CLAIMED, REFUSED, writers};
use crate::config::sections::SpoolSettings;
use crate::domain::history::Channel;
use crate::domain::names::{FileName, Line, OrganisationCode, ProductCode};
use crate::domain::refusal::Refusal;
use crate::fronts::source_file::{FileSource, make_durable};
use crate::operations::{Failure, Offer, OfferedFile, Operations, Recipients};

/// One scan looks at no more drops than this; the next sees the rest.
const MOST_DROPS: usize = 10_000;

/// Description of a delivery folder; it is not delivered.
const DESCRIPTION: &str = "delivery.toml";

/// A refused drop keeps so much of its name: with `.<uuid>` and `.reason.txt` it stays within the
/// 255 bytes that file systems take (255 - 37 - 11).
const MOST_KEPT_NAME_BYTES: usize = 207;

/// The largest description that is read.
const MOST_DESCRIPTION_BYTES: u64 = 1 << 20;

pub(super) struct Pickup {
    spool: PathBuf,
    settings: SpoolSettings,
    operations: Arc<Operations>,
    watchlist: Watchlist,
    moved_in: HashSet<PathBuf>,
    /// Drops that were put back while they were being written: our own rename of them says nothing.
    put_back: HashSet<PathBuf>,
}

/// What the description of a delivery folder may say.
#[derive(Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    period: Option<String>,
    sequence: Option<u32>,
    #[serde(default)]
    counts: std::collections::BTreeMap<String, u64>,
}

impl Pickup {
    pub(super) fn new(spool: PathBuf, settings: SpoolSettings, operations: Arc<Operations>) -> Self {
        let (moved_in, put_back) = (HashSet::new(), HashSet::new());
        Self { spool, settings, operations, watchlist: Watchlist::default(), moved_in, put_back }
    }

    /// A hint that this path was moved in, and is whole therefore.
    pub(super) fn moved_in(&mut self, path: PathBuf) {
        if self.moved_in.len() < MOST_DROPS {
            self.moved_in.insert(path);
        }
    }

    /// One scan: publishes every whole drop. Returns how long to wait for the next.
    pub(super) fn scan(&mut self) -> Duration {
        self.retry_claims();
        let found = match drops::find(&self.spool, MOST_DROPS) {
            Ok(found) => found,
            Err(error) => {
                tracing::error!(%error, "the spool cannot be read");
                return self.settings.rescan;
            }
        };
        self.watchlist.keep_only(&found);
        self.put_back.retain(|path| found.iter().any(|drop| drop.path == *path));
        let now = Instant::now();
        let mut wait = self.settings.rescan;
        let mut settled = Vec::new();
        for drop in found {
            let was_moved_in = self.moved_in.contains(&drop.path) && !self.put_back.contains(&drop.path);
            let needs_marker = self.needs_marker(&drop);
            match self.watchlist.judge(&drop, was_moved_in, needs_marker, self.settings.settle, now) {
                Wholeness::Whole => self.take(&drop),
                Wholeness::Settled => settled.push(drop),
                Wholeness::Waiting(left) => wait = wait.min(left),
                Wholeness::NeedsMarker => {}
            }
        }
        self.moved_in.clear();
        self.take_settled(&settled);
        wait.max(Duration::from_millis(1))
    }

    /// Claims that a crash left: a claim with its drop is published, an empty one is undone.
    pub(super) fn recover_claims(&mut self) {
        self.retry_claims();
    }

    fn take_settled(&mut self, settled: &[Drop]) {
        let wanted = settled.iter().filter_map(|drop| writers::identity(&drop.path)).collect::<HashSet<_>>();
        if wanted.is_empty() {
            return;
        }
        let written = writers::open_for_writing(&wanted);
        for drop in settled {
            match writers::identity(&drop.path) {
                Some(id) if !written.contains(&id) => self.take(drop),
                _ => self.watchlist.restart(&drop.path),
            }
        }
    }

    fn needs_marker(&self, drop: &Drop) -> bool {
        let product = drop.folders.first().and_then(|code| ProductCode::parse(code).ok());
        product.and_then(|code| self.operations.product(&code).ok()).is_some_and(|product| product.requires_marker)
    }

    fn take(&mut self, drop: &Drop) {
        self.watchlist.restart(&drop.path);
        match self.claim(drop) {
            Ok(claim) => self.publish_claim(&claim),
            Err(error) => tracing::error!(%error, drop = %drop.path.display(), "a drop cannot be claimed"),
        }
    }

    /// Moves a drop, its marker first, to `.claimed/<uuid>/<product>/<organisation>/`; durable on return.
    fn claim(&self, drop: &Drop) -> std::io::Result<PathBuf> {
        let claim = self.spool.join(CLAIMED).join(uuid::Uuid::new_v4().to_string());
        let inner = drop.folders.iter().fold(claim.clone(), |path, folder| path.join(folder));
        // A claim is published after a power cut whatever it holds: its bytes are on the disk before its name is.
        self.make_durable(drop)?;
        fs::create_dir_all(&inner)?;
        // also one that the scan did not see, since it came at the same moment, or that speaks of an earlier drop: left
        // behind, it would say of the next one of this name that it is whole
        let marker = drop.path.with_file_name(format!("{}{DONE}", drop.name));
        if drops::marked_at(&marker).is_some() {
            fs::rename(marker, inner.join(format!("{}{DONE}", drop.name)))?;
        }
        fs::rename(&drop.path, inner.join(&drop.name))?;
        sync_folder(&inner)?;
        sync_folder(&self.spool.join(CLAIMED))?;
        if let Some(parent) = drop.path.parent() {
            sync_folder(parent)?;
        }
        Ok(claim)
    }

    /// What cannot be opened here is refused with its reason later.
    fn make_durable(&self, drop: &Drop) -> std::io::Result<()> {
        if !drop.is_folder {
            return make_durable(&drop.path);
        }
        let Ok(entries) = fs::read_dir(&drop.path) else { return Ok(()) };
        for entry in entries.take(self.settings.max_files_per_delivery.saturating_add(1)) {
            make_durable(&entry?.path())?;
        }
        sync_folder(&drop.path)
    }

    fn retry_claims(&mut self) {
        let Ok(claims) = fs::read_dir(self.spool.join(CLAIMED)) else { return };
        for claim in claims.flatten() {
            self.publish_claim(&claim.path());
        }
    }

    fn publish_claim(&mut self, claim: &Path) {
        let found = match drops::find(claim, 2) {
            Ok(found) => found,
            Err(error) => {
                tracing::error!(%error, claim = %claim.display(), "a claim cannot be read");
                return;
            }
        };
        let Some(drop) = found.into_iter().next() else {
            self.undo_claim(claim);
            return;
        };
        let source_key = format!("spool:{}", claim.file_name().unwrap_or_default().to_string_lossy());
        let offer = self.offer(&drop, source_key).inspect_err(|failure| self.record_refused(&drop, failure));
        match offer.and_then(|offer| self.operations.publish(&offer)) {
            Ok(published) => {
                tracing::info!(publication = %published.publication, deliveries = published.deliveries.len(), "published from the spool");
                remove_claim(claim);
            }
            // Nothing is wrong with the drop: it stays claimed and is tried again at the next scan.
            Err(Failure::Refused(Refusal::NoSpace)) => tracing::warn!("no space to publish a drop; it is tried again"),
            Err(Failure::Faulted(fault)) => {
                let reference = crate::telemetry::report("publish a drop", &fault);
                tracing::error!(%reference, "a drop could not be published; it is tried again");
            }
            Err(Failure::Refused(Refusal::Changed(name))) => {
                tracing::warn!(%name, "a drop was still being written; it is put back");
                self.put_back(claim, &drop);
            }
            Err(Failure::Refused(refusal)) => self.refuse(claim, &drop, &refusal),
        }
    }

    fn offer(&self, drop: &Drop, source_key: String) -> Result<Offer, Failure> {
        let (product, recipients) = match drop.folders.as_slice() {
            [product] => (ProductCode::parse(product)?, Recipients::All),
            [product, organisation] => {
                let product = ProductCode::parse(product)?;
                (product, Recipients::Listed(vec![OrganisationCode::parse(organisation)?]))
            }
            _ => {
                let why = "put it in spool/<product>/ or spool/<product>/<organisation>/";
                return Err(Refusal::BadRequest(why.to_owned()).into());
            }
        };
        let (files, description) =
            if drop.is_folder { self.folder_files(drop)? } else { (one_file(drop)?, Description::default()) };
        let counts = description.counts.iter().map(|(label, count)| Ok((Line::parse(label)?, *count)));
        Ok(Offer {
            source_key,
            product,
            recipients,
            files,
            period: description.period.as_deref().map(Line::parse).transpose()?,
            counts: counts.collect::<Result<_, Failure>>()?,
            sequence: description.sequence,
            replaces: None,
            skip_unready: false,
            channel: Channel::Spool,
        })
    }

    fn folder_files(&self, drop: &Drop) -> Result<(Vec<OfferedFile>, Description), Failure> {
        if !drop.name.ends_with(DELIVERY) {
            let why = "a folder of files is one delivery only when its name ends in .delivery";
            return Err(Refusal::BadRequest(why.to_owned()).into());
        }
        let unreadable = |error: std::io::Error| Refusal::BadRequest(format!("the folder cannot be read: {error}"));
        let mut paths = Vec::new();
        for entry in fs::read_dir(&drop.path).map_err(unreadable)? {
            paths.push(entry.map_err(unreadable)?.path());
            if paths.len() > self.settings.max_files_per_delivery + 1 {
                let most = self.settings.max_files_per_delivery;
                return Err(Refusal::TooMuch(format!("a delivery may hold at most {most} files")).into());
            }
        }
        paths.sort();
        let mut files = Vec::new();
        let mut description = Description::default();
        for path in paths {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name == DESCRIPTION {
                description = read_description(&path)?;
            } else {
                let source = FileSource::open(&path)?;
                files.push(OfferedFile { name: FileName::parse(&name)?, source });
            }
        }
        Ok((files, description))
    }

    /// Puts on record what was refused before it was an offer; `publish` records the rest itself.
    fn record_refused(&self, drop: &Drop, failure: &Failure) {
        let Failure::Refused(refusal) = failure else { return };
        let product = drop.folders.first().and_then(|code| ProductCode::parse(code).ok());
        let recorded = self.operations.record_refused_drop(product.as_ref(), &refusal.to_string(), Channel::Spool);
        if let Err(error) = recorded {
            tracing::error!(%error, "a refused drop is not in the history");
        }
    }

    /// Moves a refused drop to `.refused/`, with its reason beside it.
    fn refuse(&self, claim: &Path, drop: &Drop, refusal: &Refusal) {
        tracing::warn!(%refusal, "a drop was refused");
        let folder = self.spool.join(REFUSED);
        let end = drop.name.floor_char_boundary(MOST_KEPT_NAME_BYTES);
        let mut name = drop.name.get(..end).unwrap_or_default().to_owned();
        if end < drop.name.len() || fs::symlink_metadata(folder.join(&name)).is_ok() {
            let claim = claim.file_name().unwrap_or_default().to_string_lossy();
            name = format!("{name}.{claim}");
        }
        let where_from = drop.folders.join("/");
        let reason =
            format!("{refusal}\n\nDropped as: {where_from}/{}\nRefused at: {}\n", drop.name, self.operations.now());
        // whoever sees the reason sees all of it; what a crash leaves half is written over when it is tried again
        let claimed = claim.file_name().unwrap_or_default().to_string_lossy();
        let half = folder.join(format!(".reason-{claimed}"));
        let outcome = fs::write(&half, reason)
            .and_then(|()| fs::rename(&half, folder.join(format!("{name}.reason.txt"))))
            .and_then(|()| fs::rename(&drop.path, folder.join(&name)))
            .and_then(|()| sync_folder(&folder));
        match outcome {
            Ok(()) => remove_claim(claim),
            Err(error) => tracing::error!(%error, "a refused drop cannot be put aside; it is tried again"),
        }
    }

    fn put_back(&mut self, claim: &Path, drop: &Drop) {
        let home = drop.folders.iter().fold(self.spool.clone(), |path, folder| path.join(folder)).join(&drop.name);
        if fs::symlink_metadata(&home).is_ok() {
            let why = "it was still being written, and a new file of its name has come";
            self.refuse(claim, drop, &Refusal::WrongState(why.to_owned()));
        } else if let Err(error) = fs::rename(&drop.path, &home) {
            tracing::error!(%error, "a drop cannot be put back");
        } else {
            remove_claim(claim);
            self.put_back.insert(home);
        }
    }

    /// A claim without a drop: the crash came before the move. A marker goes back beside its drop.
    fn undo_claim(&self, claim: &Path) {
        let mut pending = vec![(claim.to_owned(), self.spool.clone())];
        while let Some((folder, home)) = pending.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let (path, home) = (entry.path(), home.join(entry.file_name()));
                if path.is_dir() {
                    pending.push((path, home));
                } else if let Err(error) = fs::rename(&path, &home) {
                    tracing::error!(%error, "a marker cannot be put back");
                }
            }
        }
        remove_claim(claim);
    }
}

fn one_file(drop: &Drop) -> Result<Vec<OfferedFile>, Failure> {
    let name = FileName::parse(&drop.name)?;
    Ok(vec![OfferedFile { name, source: FileSource::open(&drop.path)? }])
}

fn read_description(path: &Path) -> Result<Description, Failure> {
    let bad = |why: String| Refusal::BadRequest(format!("{DESCRIPTION} {why}"));
    let size = fs::symlink_metadata(path).map_err(|error| bad(format!("cannot be read: {error}")))?.len();
    if size > MOST_DESCRIPTION_BYTES {
        return Err(bad(format!("is larger than {MOST_DESCRIPTION_BYTES} bytes")).into());
    }
    let text = fs::read_to_string(path).map_err(|error| bad(format!("cannot be read: {error}")))?;
    toml::from_str(&text).map_err(|error| {
        bad(format!("is wrong: {}; it may hold period, sequence and [counts]", error.message())).into()
    })
}

fn remove_claim(claim: &Path) {
    // What cannot be removed is found again at the next scan; its publication exists already.
    if let Err(error) = fs::remove_dir_all(claim) {
        tracing::error!(%error, "a finished claim cannot be removed");
    }
}

fn sync_folder(folder: &Path) -> std::io::Result<()> {
    fs::File::open(folder)?.sync_all()
}
