//! The journal's oldest segments go when their period is over: on record first, with two
//! snapshots in their place, and what is missing without a record is an alarm.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use postkluis::adapters::catalog_journal::{Audit, CatalogJournal, DeepLook};
use postkluis::domain::compaction::HistoryCut;
use postkluis::domain::decision::Decision;
use postkluis::domain::history::{Happening, HistoryLine, HistoryQuery};
use postkluis::domain::moment::Moment;
use postkluis::ports::catalog::Catalog;

use super::snapshots::{everything, flip, found, open, snapshots};
use super::{all, commit, event, organisation, power_cut, row, settings};

const MANY: usize = 1_000;

fn at(millis: u64, name: &str, sequence: u32) -> Decision {
    Decision::new(Moment::from_millis(millis), event(Some(name), Some(1))).put(row(name, sequence))
}

/// Four rounds of decisions, each a thousand milliseconds later, each closed in order.
fn lived() -> tempfile::TempDir {
    lived_with(|round, n| round * 1_000 + n)
}

fn lived_with(moment: impl Fn(u64, u64) -> u64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..4_u32 {
        let catalog = open(folder.path());
        for n in 0..30 {
            commit(&catalog, at(moment(u64::from(round), u64::from(n)), &format!("n{n}"), round * 100 + n));
        }
    }
    folder
}

fn segments(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(folder.join("journal")).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.extension().is_some_and(|ending| ending == "seg"));
    found.sort();
    found
}

fn number(path: &Path) -> u64 {
    path.file_stem().unwrap().to_str().unwrap().parse().unwrap()
}

fn record(catalog: &dyn Catalog, cut: HistoryCut) {
    commit(catalog, Decision::new(Moment::from_millis(9_000), cut.event()).put(cut));
}

/// One round, as retention does it; the cut, and how many segments went.
fn compact(catalog: &dyn Catalog) -> (HistoryCut, usize) {
    let cut = catalog.removable(&|_| true, MANY).unwrap().expect("something is over");
    record(catalog, cut.clone());
    (cut, catalog.remove_before_cut().unwrap())
}

fn history(catalog: &dyn Catalog, query: HistoryQuery) -> Vec<HistoryLine> {
    catalog.history(&HistoryQuery { limit: MANY, ..query }).unwrap()
}

fn copy(from: &Path) -> tempfile::TempDir {
    fn all_of(from: &Path, to: &Path) {
        for entry in fs::read_dir(from).unwrap() {
            let (path, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
            if path.is_dir() {
                fs::create_dir(&to).unwrap();
                all_of(&path, &to);
            } else {
                fs::copy(path, to).unwrap();
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    all_of(from, folder.path());
    folder
}

fn deep(folder: &Path) -> DeepLook {
    DeepLook::at(folder, 1 << 20, None, &mut |_| {}).unwrap()
}

#[test]
fn what_is_over_goes_and_everything_else_stays_in_every_kind_of_start() {
    let folder = lived();
    let before = segments(folder.path());
    let catalog = open(folder.path());
    let (state, lines) = (all(&catalog), history(&catalog, HistoryQuery::default()));
    let older = number(snapshots(folder.path()).first().unwrap());
    let (cut, removed) = compact(&catalog);
    let left = segments(folder.path());
    assert_eq!(
        (removed, left.len()),
        (before.iter().filter(|path| number(path) < older).count(), before.len() - removed)
    );
    assert!(removed > 3);
    assert_eq!((number(left.first().unwrap()), cut.next_sequence), (older, older));
    assert_eq!((cut.from_sequence, cut.from_event), (1, 1));
    assert_eq!(all(&catalog), state);
    // one line for what is gone, then what is kept as it was, then the fact
    let shown = history(&catalog, HistoryQuery::default());
    let gone = usize::try_from(cut.next_event).unwrap() - 1;
    assert_eq!(shown[0], cut.line());
    assert!(shown[0].event.detail.note.as_ref().unwrap().contains(&format!("events 1 to {gone} were removed")));
    assert_eq!(shown[1..shown.len() - 1], lines[gone..]);
    let fact = &shown.last().unwrap().event;
    assert_eq!(fact.what, Happening::HistoryCompacted);
    assert!(fact.detail.note.as_ref().unwrap().contains(&cut.hash.to_string()));
    let filters = [
        HistoryQuery { organisation: Some(organisation("n29")), ..HistoryQuery::default() },
        HistoryQuery { delivery: event(None, Some(1)).about.delivery, ..HistoryQuery::default() },
    ];
    for query in filters {
        let shown = history(&catalog, query);
        assert_eq!(shown[0], cut.line());
        assert!(shown.len() > 1 && shown[1..].iter().all(|line| line.sequence >= cut.next_event));
    }
    let later = HistoryQuery { after: Some(cut.next_event - 1), ..HistoryQuery::default() };
    assert_eq!(history(&catalog, later)[0].sequence, cut.next_event);
    let since = HistoryQuery {
        since: Some(cut.last_at.after(postkluis::domain::moment::Span::from_millis(1))),
        ..HistoryQuery::default()
    };
    assert!(history(&catalog, since)[0] != cut.line());
    let whole = everything(&catalog);
    drop(catalog);
    let look = deep(folder.path());
    assert!(look.damage.is_empty(), "{:?}", look.damage);
    assert!(look.index_pairs.is_some() && look.cut == Some(cut));
    drop(look);
    let catalog = open(folder.path());
    assert!(!catalog.was_repaired() && everything(&catalog) == whole, "closed in order");
    drop(catalog);
    let restart = |folder: &Path| {
        power_cut(folder);
        let catalog = CatalogJournal::open(folder, settings()).unwrap();
        assert!(catalog.was_repaired());
        everything(&catalog)
    };
    assert!(restart(folder.path()) == whole, "from the newest snapshot");
    flip(snapshots(folder.path()).last().unwrap(), 12_345);
    assert!(restart(folder.path()) == whole, "from the older one");
    assert!(deep(folder.path()).damage.is_empty());
}

#[test]
fn nothing_goes_before_it_is_over_or_without_two_whole_snapshots() {
    let folder = lived();
    let catalog = open(folder.path());
    assert_eq!(catalog.removable(&|_| false, MANY).unwrap(), None);
    let first_round = |moment: Moment| moment < Moment::from_millis(1_000);
    let cut = catalog.removable(&first_round, MANY).unwrap().unwrap();
    assert!(cut.last_at < Moment::from_millis(1_000) && cut.next_sequence <= 31, "{cut:?}");
    let one = catalog.removable(&|_| true, 1).unwrap().unwrap();
    assert_eq!(one.next_sequence, number(&segments(folder.path())[1]));
    assert_eq!(one.bytes, fs::metadata(&segments(folder.path())[0]).unwrap().len());
    assert_eq!(catalog.remove_before_cut().unwrap(), 0, "nothing is on record");
    let kept = segments(folder.path());
    flip(snapshots(folder.path()).last().unwrap(), 4_321);
    let fault = catalog.removable(&|_| true, MANY).unwrap_err().to_string();
    assert!(fault.contains("keep the journal as it is") && fault.contains("damaged at byte"), "{fault}");
    assert_eq!(found(folder.path(), "rejected").len(), 1);
    assert_eq!(catalog.removable(&|_| true, MANY).unwrap(), None, "one snapshot is not enough");
    assert_eq!(segments(folder.path()), kept);
}

#[test]
fn one_moment_that_is_not_over_keeps_its_segment_and_all_after_it() {
    let is_odd = |round: u64, n: u64| round == 0 && n == 3;
    let folder = lived_with(|round, n| if is_odd(round, n) { 50_000 } else { round * 1_000 + n });
    let catalog = open(folder.path());
    assert_eq!(catalog.removable(&|moment| moment < Moment::from_millis(40_000), MANY).unwrap(), None);
    assert!(catalog.removable(&|_| true, MANY).unwrap().is_some());
}

#[test]
fn a_snapshot_that_was_damaged_after_the_record_keeps_the_segments() {
    let folder = lived();
    {
        let catalog = open(folder.path());
        record(&catalog, catalog.removable(&|_| true, MANY).unwrap().unwrap());
    }
    let kept = segments(folder.path());
    let catalog = open(folder.path());
    flip(snapshots(folder.path()).first().unwrap(), 4_321);
    assert!(catalog.remove_before_cut().is_err());
    assert_eq!(segments(folder.path()), kept);
}

#[test]
fn segments_that_are_missing_without_a_record_are_an_alarm_that_names_them() {
    for after_a_cut in [false, true] {
        let folder = lived();
        if after_a_cut {
            compact(&open(folder.path()));
        }
        let first = segments(folder.path()).remove(0);
        let next = number(&segments(folder.path())[1]);
        fs::remove_file(&first).unwrap();
        let wanted = format!("decisions {} to {} are missing", number(&first), next - 1);
        let look = deep(folder.path());
        assert!(look.damage.iter().any(|fault| fault.to_string().contains(&wanted)), "{:?}", look.damage);
        drop(look);
        for in_order in [true, false] {
            let home = copy(folder.path());
            if !in_order {
                power_cut(home.path());
            }
            let fault = CatalogJournal::open(home.path(), settings()).unwrap_err().to_string();
            assert!(fault.contains("ALARM") && fault.contains(&wanted) && fault.contains("not on record"), "{fault}");
        }
        let home = copy(folder.path());
        power_cut(home.path());
        fs::remove_dir_all(home.path().join("snapshots")).unwrap();
        let fault = CatalogJournal::open(home.path(), settings()).unwrap_err().to_string();
        assert!(fault.contains(&wanted), "{fault}");
    }
}

#[test]
fn without_a_snapshot_the_start_says_that_the_journal_alone_cannot_rebuild() {
    let folder = lived();
    compact(&open(folder.path()));
    power_cut(folder.path());
    for path in snapshots(folder.path()) {
        flip(&path, 999);
    }
    let fault = CatalogJournal::open(folder.path(), settings()).unwrap_err().to_string();
    assert!(fault.contains("ALARM") && fault.contains("cannot rebuild it any more"), "{fault}");
    assert!(fault.contains("as the record says; restore the home from a backup"), "{fault}");
    let look = deep(folder.path());
    assert!(look.view().is_none() && look.damage.iter().any(|fault| fault.to_string().contains("cannot rebuild")));
}

/// Where it stopped, and what makes a copied catalog look so.
type Step<'a> = (&'a str, &'a dyn Fn(&Path));

#[test]
fn a_stop_at_every_step_of_a_snapshot_and_a_removal_rebuilds_the_same() {
    let folder = lived();
    let kept = snapshots(folder.path());
    let before_newest = copy(folder.path());
    let catalog = open(folder.path());
    for n in 0..30 {
        commit(&catalog, at(5_000 + u64::from(n), &format!("n{n}"), 500 + n));
    }
    let state = everything(&catalog);
    drop(catalog);
    let newest = snapshots(folder.path()).pop().unwrap();
    assert!(!kept.contains(&newest), "the close made another snapshot");
    let steps: [Step<'_>; 4] = [
        ("half written", &|home| {
            let (own, name) = (home.join("snapshots"), newest.file_name().unwrap());
            let whole = fs::read(own.join(name)).unwrap();
            fs::remove_file(own.join(name)).unwrap();
            fs::write(own.join(name).with_extension("new"), &whole[..whole.len() / 2]).unwrap();
            put_back(&kept, before_newest.path(), home);
        }),
        ("written and verified, not named", &|home| {
            let path = home.join("snapshots").join(newest.file_name().unwrap());
            fs::rename(&path, path.with_extension("new")).unwrap();
            put_back(&kept, before_newest.path(), home);
        }),
        ("named, the old one is there", &|home| put_back(&kept, before_newest.path(), home)),
        ("the old one is removed", &|_| {}),
    ];
    for (what, stop) in steps {
        let home = copy(folder.path());
        stop(home.path());
        power_cut(home.path());
        let catalog = open(home.path());
        assert!(catalog.was_repaired() && everything(&catalog) == state, "{what}");
        drop(catalog);
        assert!(found(home.path(), "new").is_empty(), "{what}");
        let catalog = open(home.path());
        for n in 0..30 {
            commit(&catalog, at(6_000, &format!("n{n}"), n));
        }
        drop(catalog);
        assert_eq!(snapshots(home.path()).len(), 2, "{what}: the next one clears up");
    }
    // the cut is on record, and nothing, a part or all of what it means is removed
    let catalog = open(folder.path());
    let cut = catalog.removable(&|_| true, MANY).unwrap().unwrap();
    record(&catalog, cut.clone());
    let state = everything(&catalog);
    drop(catalog);
    let meant = segments(folder.path()).into_iter().filter(|path| number(path) < cut.next_sequence).count();
    assert!(meant > 3);
    for gone in 0..=meant {
        for in_order in [false, true] {
            let home = copy(folder.path());
            for path in segments(home.path()).into_iter().take(gone) {
                fs::remove_file(path).unwrap();
            }
            assert!(deep(home.path()).damage.is_empty(), "{gone}");
            if !in_order {
                power_cut(home.path());
            }
            let catalog = open(home.path());
            assert!(everything(&catalog) == state, "{gone} segments removed");
            // the next round goes on
            assert_eq!(catalog.remove_before_cut().unwrap(), meant - gone);
            assert!(everything(&catalog) == state, "{gone} segments removed, then the rest");
            assert_eq!(number(&segments(home.path())[0]), cut.next_sequence);
        }
    }
}

/// The snapshots that were there before the newest.
fn put_back(kept: &[PathBuf], from: &Path, home: &Path) {
    for path in kept {
        let name = Path::new("snapshots").join(path.file_name().unwrap());
        fs::copy(from.join(&name), home.join(&name)).unwrap();
    }
}

#[test]
fn it_goes_on_round_after_round_and_new_snapshots_hold_no_place_that_is_gone() {
    let folder = lived();
    let (mut cuts, mut pairs) = (Vec::<HistoryCut>::new(), Vec::new());
    for round in 5..9_u32 {
        let catalog = open(folder.path());
        cuts.push(compact(&catalog).0);
        for n in 0..30 {
            commit(&catalog, at(u64::from(round) * 1_000, &format!("n{n}"), round * 100 + n));
        }
        let shown = history(&catalog, HistoryQuery::default());
        assert_eq!(shown.iter().filter(|line| line.event.what == Happening::EventDestroyed).count(), 1);
        drop(catalog);
        let look = deep(folder.path());
        assert!(look.damage.is_empty(), "{:?}", look.damage);
        pairs.push(look.snapshots.iter().map(|(_, count)| *count).max().unwrap());
    }
    for (one, next) in cuts.iter().zip(cuts.iter().skip(1)) {
        assert_eq!((next.from_sequence, next.from_event), (one.next_sequence, one.next_event));
        assert!(next.next_sequence > one.next_sequence);
    }
    // thirty events a round leave ninety places a round; without an end there would be as many more each time
    assert!(pairs.last().unwrap() <= &(pairs.first().unwrap() + 60), "{pairs:?}");
}

#[test]
fn who_copies_the_catalog_keeps_its_files_and_a_copy_is_accounted_for() {
    let folder = lived();
    let catalog = open(folder.path());
    let held = catalog.hold_files();
    assert_eq!(catalog.removable(&|_| true, MANY).unwrap(), None);
    drop(held);
    let cut = catalog.removable(&|_| true, MANY).unwrap().unwrap();
    record(&catalog, cut.clone());
    let held = catalog.hold_files();
    assert_eq!(catalog.remove_before_cut().unwrap(), 0);
    let audit = |skipped: usize| {
        let standing = catalog.standing().unwrap().unwrap();
        let mut audit = Audit::default();
        let journal = standing.files.iter().filter(|file| file.path.starts_with("journal/"));
        for file in journal.skip(skipped) {
            audit.read(&file.path, File::open(folder.path().join(&file.path)).unwrap()).unwrap();
        }
        audit.end().map(|end| assert_eq!(end.unwrap().0, standing.sequence)).map_err(|fault| fault.to_string())
    };
    let meant = segments(folder.path()).iter().filter(|path| number(path) < cut.next_sequence).count();
    assert_eq!(audit(0), Ok(()));
    assert_eq!(audit(meant), Ok(()));
    let fault = audit(meant + 1).unwrap_err();
    assert!(fault.contains("ALARM") && fault.contains("not on record"), "{fault}");
    drop(held);
    assert_eq!(catalog.remove_before_cut().unwrap(), meant);
    assert_eq!(audit(0), Ok(()));
}
