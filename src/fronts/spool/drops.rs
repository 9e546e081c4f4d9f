//! What lies in the spool: finds drops and tells which are whole. Publishes nothing.
#![expect(clippy::disallowed_methods, reason = "the spool is a folder on disk")]

use std::collections::HashMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::domain::names::FileName;

/// Ending of a folder that is one delivery of several files.
pub(super) const DELIVERY: &str = ".delivery";

/// Ending of the marker that says a drop is whole.
pub(super) const DONE: &str = ".done";

/// A drop that was found.
#[derive(Clone, Debug)]
pub(super) struct Drop {
    /// Where it lies.
    pub(super) path: PathBuf,
    /// Its file name.
    pub(super) name: String,
    /// Folder names between the spool and it: product, then organisation.
    pub(super) folders: Vec<String>,
    /// Whether it is a folder.
    pub(super) is_folder: bool,
    /// The marker beside it, if any.
    pub(super) marker: Option<PathBuf>,
    /// What changes when it is still being written.
    pub(super) state: State,
}

/// What changes while a drop is being written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct State {
    size: u64,
    changed: (i64, i64),
    entries: u64,
    inode: u64,
    was_renamed: bool,
    /// When it was written last.
    written: (i64, i64),
}

/// What was seen of drops that are not whole yet.
#[derive(Default)]
pub(super) struct Watchlist {
    seen: HashMap<PathBuf, (State, Instant)>,
}

/// How whole a drop is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wholeness {
    /// Marked or moved in.
    Whole,
    /// Unchanged for the settle time; still to be checked for writers.
    Settled,
    /// Look again after so long.
    Waiting(Duration),
    /// Only a marker or a rename makes it whole.
    NeedsMarker,
}

/// Lists every drop below the spool, at most `limit`; the next scan sees the rest.
pub(super) fn find(spool: &Path, limit: usize) -> std::io::Result<Vec<Drop>> {
    let mut found = Vec::new();
    find_below(spool, &[], &mut found, limit)?;
    Ok(found)
}

fn find_below(folder: &Path, folders: &[String], found: &mut Vec<Drop>, limit: usize) -> std::io::Result<()> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let real = entry?.file_name();
        // A name that is not UTF-8 is shown with marks in its place; no drop may bear those, so it is refused.
        names.push((real.to_string_lossy().into_owned(), real));
    }
    names.sort();
    for (name, real) in &names {
        if found.len() >= limit {
            return Ok(());
        }
        if FileName::is_unfinished(name) {
            continue;
        }
        let path = folder.join(real);
        // Gone meanwhile: the next scan will know.
        let Ok(metadata) = std::fs::symlink_metadata(&path) else { continue };
        if is_marker(&metadata) && name.strip_suffix(DONE).is_some_and(|of| !of.is_empty()) {
            continue;
        }
        let is_folder = metadata.is_dir();
        // Product and organisation folders are ways to drops, everything deeper is a drop.
        if is_folder && folders.len() < 2 && !name.ends_with(DELIVERY) {
            let mut below = folders.to_vec();
            below.push(name.clone());
            if let Err(error) = find_below(&path, &below, found, limit) {
                tracing::warn!(%error, folder = %path.display(), "a spool folder cannot be read");
            }
            continue;
        }
        let Ok(state) = State::of(&path, &metadata) else { continue };
        let marker = folder.join(format!("{name}{DONE}"));
        // one that is older than what was written last speaks of an earlier drop
        let marker = marked_at(&marker).filter(|at| *at >= state.written).map(|_| marker);
        found.push(Drop { path, name: name.clone(), folders: folders.to_vec(), is_folder, marker, state });
    }
    Ok(())
}

/// A marker is an empty file: one with content is a drop.
fn is_marker(metadata: &Metadata) -> bool {
    metadata.is_file() && metadata.len() == 0
}

/// When the marker under this name was put there; nothing when there is none.
pub(super) fn marked_at(path: &Path) -> Option<(i64, i64)> {
    let metadata = std::fs::symlink_metadata(path).ok().filter(is_marker)?;
    Some((metadata.mtime(), metadata.mtime_nsec()).max((metadata.ctime(), metadata.ctime_nsec())))
}

/// When its bytes were written, at the latest: the time of change may have been set to any other one, and the time of
/// status moves with a rename too.
fn written_at(metadata: &Metadata) -> (i64, i64) {
    (metadata.mtime(), metadata.mtime_nsec()).min((metadata.ctime(), metadata.ctime_nsec()))
}

impl State {
    fn of(path: &Path, metadata: &Metadata) -> std::io::Result<Self> {
        let own = (metadata.mtime(), metadata.mtime_nsec());
        let renamed = (metadata.ctime(), metadata.ctime_nsec());
        let mut state = Self {
            size: metadata.len(),
            changed: own,
            entries: 0,
            inode: metadata.ino(),
            // A folder that was only made and filled changed last when its last entry came; a later
            // change of its status alone is a rename.
            was_renamed: renamed > own,
            written: written_at(metadata),
        };
        if metadata.is_dir() {
            for entry in std::fs::read_dir(path)? {
                let metadata = entry?.metadata()?;
                state.entries += 1;
                state.size = state.size.wrapping_add(metadata.len());
                state.changed = state.changed.max((metadata.mtime(), metadata.mtime_nsec()));
                state.written = state.written.max(written_at(&metadata));
            }
        }
        Ok(state)
    }
}

impl Watchlist {
    /// Judges one drop at `now`; remembers it while it is not whole.
    pub(super) fn judge(
        &mut self,
        drop: &Drop,
        was_moved_in: bool,
        needs_marker: bool,
        settle: Duration,
        now: Instant,
    ) -> Wholeness {
        if drop.marker.is_some() || (was_moved_in && !needs_marker) {
            self.seen.remove(&drop.path);
            return Wholeness::Whole;
        }
        if needs_marker || (drop.is_folder && !drop.state.was_renamed) {
            return Wholeness::NeedsMarker;
        }
        let since = match self.seen.get(&drop.path) {
            Some((state, since)) if *state == drop.state => *since,
            _ => {
                self.seen.insert(drop.path.clone(), (drop.state, now));
                now
            }
        };
        match settle.checked_sub(now.duration_since(since)) {
            Some(left) if !left.is_zero() => Wholeness::Waiting(left),
            _ => Wholeness::Settled,
        }
    }

    /// Forgets everything that is not among `present`, so that the list stays as small as the spool.
    pub(super) fn keep_only(&mut self, present: &[Drop]) {
        let present: std::collections::HashSet<_> = present.iter().map(|drop| &drop.path).collect();
        self.seen.retain(|path, _| present.contains(path));
    }

    /// Begins to wait anew for a drop that turned out to be still written.
    pub(super) fn restart(&mut self, path: &Path) {
        self.seen.remove(path);
    }
}
