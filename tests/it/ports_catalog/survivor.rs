//! The index after a kill: used as it is when it holds just what it must, else
//! found out and built anew. Killed here means: the files are put back, in place,
//! as they lay while the catalog was open. `crash` kills real processes.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use postkluis::adapters::catalog_journal::{CatalogJournal, JournalSettings};
use postkluis::domain::history::{HistoryLine, HistoryQuery};
use postkluis::domain::record::Record;
use postkluis::ports::catalog::Catalog;

use super::{all, commit, key, kill, put, settings};

/// Put into the folder of the index: gone when that was built anew.
const WITNESS: &str = "index/witness";

fn small() -> JournalSettings {
    JournalSettings { segment_bytes: 20_000, snapshot_after_bytes: 40_000, ..settings() }
}

fn open(folder: &Path) -> CatalogJournal {
    CatalogJournal::open(folder, small()).unwrap()
}

/// Rows, history and version.
type Everything = (Vec<Record>, Vec<HistoryLine>, u64);

fn everything(catalog: &dyn Catalog) -> Everything {
    let history = catalog.history(&HistoryQuery { limit: 10_000, ..HistoryQuery::default() }).unwrap();
    (all(catalog), history, catalog.version())
}

/// The files of the index and what is promised of it.
type Files = BTreeMap<PathBuf, Vec<u8>>;

fn files_of(folder: &Path) -> Files {
    let mut files = Files::new();
    files.insert(folder.join("applied"), fs::read(folder.join("applied")).unwrap());
    for entry in fs::read_dir(folder.join("index")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            files.insert(path.clone(), fs::read(path).unwrap());
        }
    }
    files
}

/// The same files with other content, so that a promise still is of them.
fn put_back(folder: &Path, files: &Files) {
    for path in files_of(folder).into_keys().filter(|path| !files.contains_key(path) && !path.ends_with(WITNESS)) {
        fs::remove_file(path).unwrap();
    }
    for (path, bytes) in files {
        let file = fs::OpenOptions::new().write(true).create(true).truncate(false).open(path).unwrap();
        file.write_all_at(bytes, 0).unwrap();
        file.set_len(bytes.len() as u64).unwrap();
    }
}

/// A catalog of `rounds` times 200 decisions, killed: what it held, and the files as they lay after each round.
fn killed(rounds: u32) -> (tempfile::TempDir, Everything, Vec<Files>) {
    let folder = tempfile::tempdir().unwrap();
    let mut catalog = open(folder.path());
    let mut kept = Vec::new();
    for round in 0..rounds {
        if round % 2 == 1 {
            // sled writes half a megabyte at a time, and all of it at a stop in order
            drop(catalog);
            catalog = open(folder.path());
        }
        for n in 0..200 {
            let decision = put(&format!("n{}", n % 120), round * 1_000 + n);
            commit(&catalog, if n % 7 == 0 { decision.remove(key(&format!("n{}", n / 2))) } else { decision });
        }
        kept.push(files_of(folder.path()));
    }
    let before = everything(&catalog);
    drop(catalog);
    kill(folder.path());
    put_back(folder.path(), kept.last().unwrap());
    fs::write(folder.path().join(WITNESS), b"").unwrap();
    (folder, before, kept)
}

fn is_as_it_was(folder: &Path) -> bool {
    folder.join(WITNESS).exists()
}

#[test]
fn after_a_kill_the_index_is_used_and_brought_up_to_the_end_of_the_journal() {
    let (folder, before, _) = killed(4);
    for _ in 0..3 {
        let catalog = open(folder.path());
        assert!(catalog.was_repaired());
        assert!(everything(&catalog) == before);
        assert!(is_as_it_was(folder.path()));
        let now = files_of(folder.path());
        drop(catalog);
        kill(folder.path());
        put_back(folder.path(), &now);
    }
    // and it is written on, closed in order, opened, killed: what is promised of it still fits
    let catalog = open(folder.path());
    commit(&catalog, put("more", 1));
    let before = everything(&catalog);
    drop(catalog);
    assert!(!open(folder.path()).was_repaired());
    kill(folder.path());
    assert!(everything(&open(folder.path())) == before);
    assert!(is_as_it_was(folder.path()));
}

#[test]
fn an_index_that_lags_behind_is_brought_up_and_one_of_another_content_is_built_anew() {
    let (folder, before, kept) = killed(4);
    // sled's file as it lay earlier, under the newest promise: a part of the journal is missing in it
    for (at, older) in kept.iter().enumerate() {
        let mut mixed = older.clone();
        mixed.insert(folder.path().join("applied"), kept.last().unwrap()[&folder.path().join("applied")].clone());
        put_back(folder.path(), &mixed);
        let catalog = open(folder.path());
        assert!(catalog.was_repaired());
        assert!(everything(&catalog) == before, "{at}");
        drop(catalog);
        kill(folder.path());
        // an older promise of a newer index
        if at + 1 < kept.len() && is_as_it_was(folder.path()) {
            let mut mixed = files_of(folder.path());
            mixed.insert(folder.path().join("applied"), older[&folder.path().join("applied")].clone());
            put_back(folder.path(), &mixed);
            assert!(everything(&open(folder.path())) == before, "{at}");
            assert!(!is_as_it_was(folder.path()), "{at}");
            kill(folder.path());
        }
    }
}

/// Changes the pairs of a closed index behind the catalog's back, in the same file.
fn meddle(folder: &Path, change: impl FnOnce(&sled::Db)) {
    let tree = sled::Config::new().path(folder.join("index")).use_compression(false).open().unwrap();
    change(&tree);
    tree.flush().unwrap();
}

fn some_pair(tree: &sled::Db) -> (sled::IVec, sled::IVec) {
    tree.scan_prefix(b"r").nth(17).unwrap().unwrap()
}

type Meddling = fn(&sled::Db);

#[test]
fn a_row_that_is_gone_other_or_too_much_is_found_out() {
    let meddlings: [(&str, Meddling); 6] = [
        ("a row is gone", |tree| drop(tree.remove(some_pair(tree).0).unwrap())),
        ("a row is another", |tree| {
            let (key, value) = some_pair(tree);
            let mut value = value.to_vec();
            *value.last_mut().unwrap() ^= 1;
            tree.insert(key, value).unwrap();
        }),
        ("a row is too much", |tree| drop(tree.insert(b"r\x14zz", b"1").unwrap())),
        ("a place of an event is gone", |tree| {
            let (key, _) = tree.scan_prefix(b"e").nth(30).unwrap().unwrap();
            tree.remove(key).unwrap();
        }),
        ("two rows have changed places", |tree| {
            let two: Vec<_> = tree.scan_prefix(b"r").take(2).map(Result::unwrap).collect();
            tree.insert(&two[0].0, two[1].1.clone()).unwrap();
            tree.insert(&two[1].0, two[0].1.clone()).unwrap();
        }),
        ("the mark is gone", |tree| drop(tree.remove(b"m").unwrap())),
    ];
    for (what, meddling) in meddlings {
        let (folder, before, _) = killed(2);
        drop(open(folder.path()));
        kill(folder.path());
        meddle(folder.path(), meddling);
        let catalog = open(folder.path());
        assert!(catalog.was_repaired(), "{what}");
        assert!(everything(&catalog) == before, "{what}");
        assert!(!is_as_it_was(folder.path()), "{what}");
    }
    // and a look alone changes nothing
    let (folder, before, _) = killed(2);
    drop(open(folder.path()));
    kill(folder.path());
    meddle(folder.path(), |_| ());
    assert!(everything(&open(folder.path())) == before);
    assert!(is_as_it_was(folder.path()));
}

#[test]
fn a_flipped_bit_or_a_cut_file_is_found_out_or_of_no_concern() {
    let (folder, before, kept) = killed(3);
    let (index, db) = (folder.path().join("index"), folder.path().join("index/db"));
    // a second name keeps the very file when the folder of the index goes
    let same_file = folder.path().join("same-file");
    fs::hard_link(&db, &same_file).unwrap();
    let whole = kept.last().unwrap();
    let bytes = whole[&db].len();
    let used = whole[&db].iter().rposition(|byte| *byte != 0).unwrap();
    let mut built_anew = 0;
    let damages = (0..24).map(|n| (used * n / 24, true)).chain((0..8).map(|n| (bytes * n / 8, false)));
    for (place, is_flip) in damages {
        fs::remove_dir_all(&index).unwrap();
        fs::create_dir(&index).unwrap();
        fs::hard_link(&same_file, &db).unwrap();
        fs::write(folder.path().join(WITNESS), b"").unwrap();
        let mut damaged = whole.clone();
        let content = damaged.get_mut(&db).unwrap();
        if is_flip {
            content[place] ^= 0x10;
        } else {
            content.truncate(place);
        }
        put_back(folder.path(), &damaged);
        let catalog = open(folder.path());
        assert!(catalog.was_repaired(), "{place} {is_flip}");
        assert!(everything(&catalog) == before, "{place} {is_flip}");
        drop(catalog);
        kill(folder.path());
        built_anew += u32::from(!is_as_it_was(folder.path()));
    }
    // most places of the file hold what later ones replace, or nothing that is in use
    assert!(built_anew > 4, "{built_anew}");
}
