//! Snapshots: made beside the catalog, used after a crash, named and passed over when damaged.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use postkluis::adapters::catalog_journal::{CatalogJournal, JournalSettings};
use postkluis::domain::history::HistoryQuery;
use postkluis::ports::catalog::Catalog;

use super::{all, commit, key, power_cut, put, settings};

fn often() -> JournalSettings {
    JournalSettings { segment_bytes: 2_000, snapshot_after_bytes: 1, ..settings() }
}

pub(super) fn open(folder: &Path) -> CatalogJournal {
    CatalogJournal::open(folder, often()).unwrap()
}

pub(super) fn found(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder.join("snapshots")) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.extension().is_some_and(|found| found == ending));
    found.sort();
    found
}

/// The snapshots of a catalog, oldest first.
pub(super) fn snapshots(folder: &Path) -> Vec<PathBuf> {
    found(folder, "snap")
}

/// Flips one bit of a file.
pub(super) fn flip(path: &Path, place: usize) {
    let mut bytes = fs::read(path).unwrap();
    let bit = place % (bytes.len() * 8);
    *bytes.get_mut(bit / 8).unwrap() ^= 1 << (bit % 8);
    fs::write(path, bytes).unwrap();
}

pub(super) fn everything(catalog: &dyn Catalog) -> impl PartialEq + use<> {
    let history = catalog.history(&HistoryQuery { limit: 10_000, ..HistoryQuery::default() }).unwrap();
    (all(catalog), history, catalog.version(), catalog.last_moment())
}

/// A catalog with a few segments, closed in order in several steps, so that it has snapshots.
fn with_snapshots() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..4 {
        let catalog = open(folder.path());
        for n in 0..30 {
            commit(&catalog, put(&format!("n{n}"), round * 100 + n));
        }
        commit(&catalog, put(&format!("only{round}"), round));
        commit(&catalog, put("gone", round));
        commit(&catalog, put("gone2", round).remove(key("gone")));
    }
    folder
}

/// Damages all frames of the journal before the newest snapshot: whoever reads them cannot start.
fn spoil_journal_before(folder: &Path, snapshot: &Path) -> usize {
    let position = snapshot.file_stem().unwrap().to_owned();
    let mut spoilt = 0;
    for entry in fs::read_dir(folder.join("journal")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "seg") && path.file_stem().unwrap() < position {
            let mut bytes = fs::read(&path).unwrap();
            *bytes.get_mut(100).unwrap() ^= 1;
            fs::write(&path, bytes).unwrap();
            spoilt += 1;
        }
    }
    spoilt
}

#[test]
fn two_snapshots_are_kept_and_a_crash_needs_only_the_newest_and_what_came_after() {
    let folder = with_snapshots();
    let before = all(&open(folder.path()));
    let kept = snapshots(folder.path());
    assert_eq!(kept.len(), 2);
    assert!(found(folder.path(), "new").is_empty());
    assert!(spoil_journal_before(folder.path(), kept.last().unwrap()) > 2);
    power_cut(folder.path());
    let catalog = open(folder.path());
    assert!(catalog.was_repaired());
    assert_eq!(all(&catalog), before);
    drop(catalog);
    // and without them the damage is met
    power_cut(folder.path());
    fs::remove_dir_all(folder.path().join("snapshots")).unwrap();
    let fault = CatalogJournal::open(folder.path(), often()).unwrap_err().to_string();
    assert!(fault.contains("ALARM"), "{fault}");
}

#[test]
fn a_snapshot_is_made_while_the_catalog_serves() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = open(folder.path());
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut n = 0;
    while snapshots(folder.path()).len() < 2 {
        assert!(Instant::now() < deadline, "no snapshot was made in a minute of decisions");
        commit(&catalog, put(&format!("n{}", n % 50), n));
        n += 1;
    }
    let before = everything(&catalog);
    drop(catalog);
    power_cut(folder.path());
    assert!(everything(&open(folder.path())) == before);
}

#[test]
fn the_index_is_the_same_from_a_snapshot_from_an_older_one_and_from_the_whole_journal() {
    let folder = with_snapshots();
    let before = everything(&open(folder.path()));
    let restart = |folder: &Path| {
        power_cut(folder);
        everything(&CatalogJournal::open(folder, settings()).unwrap())
    };
    assert!(restart(folder.path()) == before, "newest snapshot");
    let [older, newest] = snapshots(folder.path()).try_into().unwrap();
    flip(&newest, 12_345);
    assert!(restart(folder.path()) == before, "older snapshot");
    assert_eq!(snapshots(folder.path()), std::slice::from_ref(&older), "the damaged one counts no more");
    assert_eq!(found(folder.path(), "rejected"), [newest.with_extension("rejected")], "but is kept to be looked at");
    flip(&older, 54_321);
    assert!(restart(folder.path()) == before, "whole journal");
    assert!(snapshots(folder.path()).is_empty());
}

#[test]
fn a_snapshot_that_cannot_be_read_now_is_passed_over_and_not_set_aside() {
    let folder = with_snapshots();
    let before = all(&open(folder.path()));
    let newest = snapshots(folder.path()).pop().unwrap();
    // a folder opens and does not read: a fault of the disk, and no damage
    let hidden = folder.path().join("hidden");
    fs::rename(&newest, &hidden).unwrap();
    fs::create_dir(&newest).unwrap();
    power_cut(folder.path());
    assert_eq!(all(&CatalogJournal::open(folder.path(), settings()).unwrap()), before, "from the older one");
    assert!(found(folder.path(), "rejected").is_empty());
    assert!(newest.is_dir());
    fs::remove_dir(&newest).unwrap();
    fs::rename(&hidden, &newest).unwrap();
    spoil_journal_before(folder.path(), &newest);
    power_cut(folder.path());
    assert_eq!(all(&open(folder.path())), before, "it is used when it reads again");
}

#[test]
fn a_snapshot_of_another_journal_is_not_used() {
    let (folder, other) = (with_snapshots(), tempfile::tempdir().unwrap());
    {
        let catalog = open(other.path());
        for n in 0..200 {
            commit(&catalog, put(&format!("x{n}"), n));
        }
    }
    let before = everything(&open(folder.path()));
    let newest = snapshots(folder.path()).pop().unwrap();
    let foreign = snapshots(other.path()).pop().unwrap();
    fs::copy(&foreign, &newest).unwrap();
    fs::copy(&foreign, newest.with_file_name("00000000000000099999.snap")).unwrap();
    power_cut(folder.path());
    assert!(everything(&open(folder.path())) == before);
    assert_eq!(found(folder.path(), "rejected").len(), 2);
}

#[test]
fn a_snapshot_that_was_half_written_is_removed_at_the_next_start() {
    let folder = with_snapshots();
    let before = everything(&open(folder.path()));
    let newest = snapshots(folder.path()).pop().unwrap();
    let whole = fs::read(&newest).unwrap();
    let half_written = newest.with_extension("new");
    for length in [0, 1, 68, whole.len() / 2, whole.len()] {
        fs::write(&half_written, whole.get(..length).unwrap()).unwrap();
        power_cut(folder.path());
        assert!(everything(&open(folder.path())) == before);
        assert!(!half_written.exists(), "what was left half written goes at the next start");
    }
}
