//! Random decisions: both adapters always agree, also across restarts.

use postkluis::adapters::catalog_journal::{CatalogJournal, JournalSettings};
use postkluis::adapters::memory::MemoryCatalog;
use postkluis::domain::decision::Decision;
use postkluis::domain::history::HistoryQuery;
use postkluis::domain::ids::DeliveryId;
use postkluis::domain::moment::Moment;
use postkluis::ports::catalog::Catalog;
use proptest::prelude::*;

use super::snapshots::{flip, snapshots};
use super::{all, commit, event, key, kill, organisation, power_cut, row, settings};

const NAMES: [&str; 4] = ["aa", "ab", "b1", "cc"];

#[derive(Clone, Debug)]
enum Step {
    Decide(Vec<(usize, Option<u32>)>),
    Restart,
    Crash,
    /// As a crash, and then the newest snapshot is damaged at this place.
    CrashAndFlip(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => prop::collection::vec((0..NAMES.len(), prop::option::of(0u32..9)), 1..4).prop_map(Step::Decide),
        1 => Just(Step::Restart),
        2 => Just(Step::Crash),
        1 => any::<usize>().prop_map(Step::CrashAndFlip),
    ]
}

fn decision(at: u64, changes: &[(usize, Option<u32>)]) -> Decision {
    let mut decision = Decision::new(Moment::from_millis(at), event(None, Some(1)));
    for (name, sequence) in changes {
        let name = NAMES.get(*name).unwrap();
        decision = decision.and(event(Some(name), None));
        decision = match sequence {
            Some(sequence) => decision.put(row(name, *sequence)),
            None => decision.remove(key(name)),
        };
    }
    decision
}

fn assert_same(left: &dyn Catalog, right: &dyn Catalog) {
    assert_eq!(all(left), all(right));
    assert_eq!((left.version(), left.last_moment()), (right.version(), right.last_moment()));
    for organisation in [None, Some(organisation("aa"))] {
        for delivery in [None, Some(DeliveryId::from_bytes([1; 16]))] {
            let query =
                HistoryQuery { organisation: organisation.clone(), delivery, limit: 50, ..HistoryQuery::default() };
            assert_eq!(left.history(&query).unwrap(), right.history(&query).unwrap());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn the_journal_equals_the_catalog_in_memory(steps in prop::collection::vec(step(), 1..24)) {
        let folder = tempfile::tempdir().unwrap();
        let settings = JournalSettings { segment_bytes: 500, snapshot_after_bytes: 1, ..settings() };
        let open = || CatalogJournal::open(folder.path(), settings.clone()).unwrap();
        let memory = MemoryCatalog::new();
        let mut journal = Some(open());
        for (at, step) in steps.into_iter().enumerate() {
            match step {
                Step::Decide(changes) => {
                    let decision = decision(at as u64, &changes);
                    commit(&memory, decision.clone());
                    commit(journal.as_ref().unwrap(), decision);
                }
                Step::Restart => {
                    drop(journal.take());
                    journal = Some(open());
                }
                Step::Crash => {
                    drop(journal.take());
                    kill(folder.path());
                    journal = Some(open());
                }
                Step::CrashAndFlip(place) => {
                    drop(journal.take());
                    power_cut(folder.path());
                    if let Some(newest) = snapshots(folder.path()).pop() {
                        flip(&newest, place);
                    }
                    journal = Some(open());
                }
            }
            assert_same(&memory, journal.as_ref().unwrap());
        }
        // The same out of the whole journal alone.
        drop(journal.take());
        std::fs::remove_dir_all(folder.path().join("snapshots")).unwrap();
        std::fs::remove_dir_all(folder.path().join("index")).unwrap();
        assert_same(&memory, &open());
    }
}
