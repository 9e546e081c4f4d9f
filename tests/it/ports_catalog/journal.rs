//! What the journal alone promises: restarts, repairs, alarms, full disks.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use postkluis::adapters::catalog_journal::{CatalogJournal, DiskFiles, JournalSettings, SegmentFile, SegmentFiles};
use postkluis::domain::history::HistoryQuery;
use postkluis::domain::record::Record;
use postkluis::domain::refusal::Refusal;
use postkluis::ports::catalog::Catalog;
use postkluis::ports::failure::{Failure, Fault};

use super::{all, commit, power_cut, put, row, settings, stored};

fn open(folder: &Path) -> CatalogJournal {
    CatalogJournal::open(folder, settings()).unwrap()
}

fn open_fault(folder: &Path) -> Fault {
    CatalogJournal::open(folder, settings()).unwrap_err()
}

fn segments(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder.join("journal"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "seg"))
        .collect();
    found.sort();
    found
}

fn with_rows(count: u32) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let catalog = open(folder.path());
    for n in 0..count {
        commit(&catalog, put(&format!("n{n}"), n));
    }
    folder
}

fn everything(catalog: &dyn Catalog) -> (Vec<Record>, Vec<postkluis::domain::history::HistoryLine>, u64) {
    let history = catalog.history(&HistoryQuery { limit: 10_000, ..HistoryQuery::default() }).unwrap();
    (all(catalog), history, catalog.version())
}

#[test]
fn nobody_waits_for_the_catalog_on_its_own_thread() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = Arc::new(open(folder.path()));
    let (told, heard) = std::sync::mpsc::channel();
    let own = Arc::clone(&catalog);
    let then = move |first: Result<_, Failure>| {
        // what is told or dropped here may ask again, by mistake: it must come back
        let again = own.decide(Box::new(|_| Ok(put("n2", 2))));
        let later = own.decide_later("try", Box::new(|_| Ok(put("n3", 3))));
        let settled = own.settle();
        drop(own);
        told.send((first.is_ok(), again.is_err(), later.is_ok() && settled.is_ok())).unwrap();
    };
    catalog.decide_then(Box::new(|_| Ok(put("n1", 1))), Box::new(then));
    assert_eq!(heard.recv_timeout(std::time::Duration::from_secs(30)).unwrap(), (true, true, true));
    catalog.settle().unwrap();
    let names = ["n1", "n2", "n3"].map(|name| stored(catalog.as_ref(), name));
    assert_eq!(names, [Some(1), None, Some(3)]);
}

#[test]
fn a_restart_keeps_everything() {
    let folder = with_rows(30);
    let catalog = open(folder.path());
    let before = everything(&catalog);
    assert!(!catalog.was_repaired());
    assert_eq!((before.0.len(), before.1.len(), before.2), (30, 30, 30));
    drop(catalog);
    let catalog = open(folder.path());
    assert!(!catalog.was_repaired());
    assert_eq!(everything(&catalog), before);
    assert_eq!(commit(&catalog, put("zz", 1)).first_event, 31);
}

#[test]
fn a_lost_or_foreign_index_is_rebuilt_equal() {
    let folder = with_rows(30);
    let before = everything(&open(folder.path()));
    fs::remove_dir_all(folder.path().join("index")).unwrap();
    let catalog = open(folder.path());
    assert!(catalog.was_repaired());
    assert_eq!(everything(&catalog), before);
    drop(catalog);
    fs::write(folder.path().join("index/db"), b"no database").unwrap();
    let catalog = open(folder.path());
    assert!(catalog.was_repaired());
    assert_eq!(everything(&catalog), before);
    drop(catalog);
    power_cut(folder.path());
    let catalog = open(folder.path());
    assert!(catalog.was_repaired());
    assert_eq!(everything(&catalog), before);
}

#[test]
fn small_segments_hold_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let small = JournalSettings { segment_bytes: 300, ..settings() };
    let catalog = CatalogJournal::open(folder.path(), small.clone()).unwrap();
    for n in 0..40 {
        commit(&catalog, put(&format!("n{n}"), n));
    }
    let before = everything(&catalog);
    drop(catalog);
    assert!(segments(folder.path()).len() > 10);
    assert_eq!(everything(&CatalogJournal::open(folder.path(), small.clone()).unwrap()), before);
    power_cut(folder.path());
    assert_eq!(everything(&CatalogJournal::open(folder.path(), small.clone()).unwrap()), before);
    power_cut(folder.path());
    fs::remove_file(segments(folder.path()).get(3).unwrap()).unwrap();
    let fault = CatalogJournal::open(folder.path(), small).unwrap_err().to_string();
    assert!(fault.contains("ALARM") && fault.contains("does not continue"), "{fault}");
}

#[test]
fn a_torn_end_is_cut_and_kept_aside_at_every_length() {
    let folder = with_rows(3);
    let segment = segments(folder.path()).pop().unwrap();
    let two = fs::metadata(&segment).unwrap().len();
    commit(&open(folder.path()), put("last", 9));
    let whole = fs::read(&segment).unwrap();
    let first_torn = usize::try_from(two).unwrap() + 1;
    for (cut, length) in (first_torn..whole.len()).step_by(7).enumerate() {
        fs::write(&segment, whole.get(..length).unwrap()).unwrap();
        power_cut(folder.path());
        let catalog = open(folder.path());
        assert!(catalog.was_repaired());
        assert_eq!((stored(&catalog, "n2"), stored(&catalog, "last")), (Some(2), None));
        let kept = fs::read(folder.path().join(format!("journal/cut-{}", cut + 1))).unwrap();
        assert_eq!(Some(kept.as_slice()), whole.get(first_torn - 1..length));
        assert_eq!(fs::metadata(&segment).unwrap().len(), two);
    }
    assert_eq!(commit(&open(folder.path()), put("last", 9)).first_event, 4);
}

#[test]
fn a_segment_without_its_header_is_cut_too() {
    let folder = with_rows(3);
    power_cut(folder.path());
    fs::write(folder.path().join("journal/00000000000000000004.seg"), b"PKJ").unwrap();
    let catalog = open(folder.path());
    assert!(catalog.was_repaired());
    assert_eq!(stored(&catalog, "n2"), Some(2));
    assert_eq!(segments(folder.path()).len(), 1);
}

#[test]
fn damage_is_an_alarm_that_names_segment_and_byte_and_stays_one() {
    let folder = with_rows(3);
    power_cut(folder.path());
    let segment = segments(folder.path()).pop().unwrap();
    let whole = fs::read(&segment).unwrap();
    let last_frame = whole.windows(4).rposition(|bytes| bytes == b"PKFR").unwrap();
    for at in (68..last_frame).step_by(5) {
        let mut damaged = whole.clone();
        *damaged.get_mut(at).unwrap() ^= 0x10;
        fs::write(&segment, &damaged).unwrap();
        for _ in 0..2 {
            let fault = open_fault(folder.path()).to_string();
            assert!(fault.contains("ALARM") && fault.contains(segment.to_str().unwrap()), "{at}: {fault}");
            assert!(fault.contains("at byte "), "{fault}");
        }
    }
    fs::write(&segment, &whole).unwrap();
    assert_eq!(stored(&open(folder.path()), "n2"), Some(2));
}

#[test]
fn after_a_close_in_order_nothing_counts_as_torn() {
    let folder = with_rows(3);
    let segment = segments(folder.path()).pop().unwrap();
    let whole = fs::read(&segment).unwrap();
    fs::write(&segment, whole.get(..whole.len() - 1).unwrap()).unwrap();
    for _ in 0..2 {
        let fault = open_fault(folder.path()).to_string();
        assert!(fault.contains("ALARM") && fault.contains("durable"), "{fault}");
    }
    fs::remove_file(&segment).unwrap();
    assert!(open_fault(folder.path()).to_string().contains("ALARM"));
}

#[test]
fn a_folder_is_opened_once() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = open(folder.path());
    let fault = open_fault(folder.path()).to_string();
    assert!(fault.contains(&format!("already in use by process {}", std::process::id())), "{fault}");
    commit(&catalog, put("aa", 1));
    drop(catalog);
    assert_eq!(stored(&open(folder.path()), "aa"), Some(1));
}

#[test]
fn too_large_a_decision_harms_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let small = JournalSettings { max_frame_bytes: 2_000, ..settings() };
    let catalog = CatalogJournal::open(folder.path(), small).unwrap();
    let large = (0..100).fold(put("aa", 1), |decision, n| decision.put(row(&format!("n{n}"), n)));
    let refused = catalog.decide(Box::new(move |_| Ok(large)));
    assert!(matches!(refused, Err(Failure::Faulted(fault)) if fault.to_string().contains("max_frame_bytes")));
    assert_eq!((stored(&catalog, "aa"), catalog.version()), (None, 0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let rule = |view: &dyn postkluis::ports::catalog::CatalogView| {
                        let next = super::sequence_of(view, "aa").unwrap_or(0) + 1;
                        Ok((0..10).fold(put("aa", next), |decision, n| decision.put(row(&format!("n{n}"), n))))
                    };
                    catalog.decide(Box::new(rule)).unwrap();
                }
            });
        }
    });
    assert_eq!(stored(&catalog, "aa"), Some(160));
    drop(catalog);
    power_cut(folder.path());
    assert_eq!(stored(&open(folder.path()), "aa"), Some(160));
}

/// The next write or sync fails so; 0 is not at all.
const FULL: u8 = 1;
const SHORT_WRITE: u8 = 2;
const SYNC: u8 = 3;
const NO_SPACE_LEFT: u8 = 4;

struct Failing(Arc<AtomicU8>);
struct FailingFile(Box<dyn SegmentFile>, Arc<AtomicU8>);

impl SegmentFiles for Failing {
    fn create(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        Ok(Box::new(FailingFile(DiskFiles.create(path)?, Arc::clone(&self.0))))
    }

    fn reopen(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        Ok(Box::new(FailingFile(DiskFiles.reopen(path)?, Arc::clone(&self.0))))
    }

    fn free_bytes(&self, _folder: &Path) -> io::Result<u64> {
        Ok(if self.0.load(Ordering::SeqCst) == NO_SPACE_LEFT { 10 } else { 1 << 40 })
    }
}

impl SegmentFile for FailingFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let failure = self.1.load(Ordering::SeqCst);
        if failure == FULL || failure == SHORT_WRITE {
            self.0.append(bytes.get(..bytes.len() / 2).unwrap())?;
            let kind = if failure == FULL { io::ErrorKind::StorageFull } else { io::ErrorKind::Other };
            return Err(kind.into());
        }
        self.0.append(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        match self.1.load(Ordering::SeqCst) {
            SYNC => Err(io::ErrorKind::Other.into()),
            _ => self.0.sync(),
        }
    }

    fn truncate(&mut self, length_bytes: u64) -> io::Result<()> {
        self.0.truncate(length_bytes)
    }
}

fn failing(folder: &Path) -> (CatalogJournal, Arc<AtomicU8>) {
    let failure = Arc::new(AtomicU8::new(0));
    let settings = JournalSettings { reserve_bytes: 100, ..settings() };
    let catalog = CatalogJournal::open_on(folder, settings, Box::new(Failing(Arc::clone(&failure)))).unwrap();
    commit(&catalog, put("aa", 1));
    (catalog, failure)
}

#[test]
fn a_full_disk_refuses_and_leaves_a_whole_journal() {
    let folder = tempfile::tempdir().unwrap();
    let (catalog, failure) = failing(folder.path());
    let length = fs::metadata(segments(folder.path()).pop().unwrap()).unwrap().len();
    failure.store(FULL, Ordering::SeqCst);
    for _ in 0..2 {
        let refused = catalog.decide(Box::new(|_| Ok(put("bb", 1))));
        assert!(matches!(refused, Err(Failure::Refused(Refusal::NoSpace))));
    }
    assert_eq!(fs::metadata(segments(folder.path()).pop().unwrap()).unwrap().len(), length);
    assert_eq!((stored(&catalog, "aa"), stored(&catalog, "bb")), (Some(1), None));
    drop(catalog);
    let catalog = open(folder.path());
    assert_eq!(all(&catalog), [Record::from(row("aa", 1))]);
}

#[test]
fn below_the_reserve_nothing_is_written_until_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let (catalog, failure) = failing(folder.path());
    failure.store(NO_SPACE_LEFT, Ordering::SeqCst);
    let refused = catalog.decide(Box::new(|_| Ok(put("bb", 1))));
    assert!(matches!(refused, Err(Failure::Refused(Refusal::NoSpace))));
    failure.store(0, Ordering::SeqCst);
    commit(&catalog, put("bb", 2));
    assert_eq!(stored(&catalog, "bb"), Some(2));
}

#[test]
fn a_failed_write_or_sync_stops_writing_and_its_outcome_is_unknown() {
    for kind in [SHORT_WRITE, SYNC] {
        let folder = tempfile::tempdir().unwrap();
        let (catalog, failure) = failing(folder.path());
        failure.store(kind, Ordering::SeqCst);
        let failed = catalog.decide(Box::new(|_| Ok(put("bb", 1))));
        assert!(matches!(failed, Err(Failure::Faulted(fault)) if fault.outcome_unknown()));
        failure.store(0, Ordering::SeqCst);
        let refused = catalog.decide(Box::new(|_| Ok(put("cc", 1))));
        assert!(matches!(refused, Err(Failure::Faulted(fault)) if !fault.outcome_unknown()));
        assert_eq!((stored(&catalog, "aa"), stored(&catalog, "bb")), (Some(1), None));
        drop(catalog);
        let catalog = open(folder.path());
        assert!(catalog.was_repaired());
        assert_eq!((stored(&catalog, "aa"), stored(&catalog, "cc")), (Some(1), None));
        commit(&catalog, put("dd", 1));
    }
}
