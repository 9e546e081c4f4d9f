//! One suite for every catalog adapter, and what the journal alone promises:
//! it outlives the process, repairs what a crash leaves, alarms on damage.

mod bodies;
mod compaction;
mod journal;
mod model;
mod snapshots;
mod survivor;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use postkluis::adapters::catalog_journal::{CatalogJournal, JournalSettings};
use postkluis::adapters::memory::MemoryCatalog;
use postkluis::domain::decision::Decision;
use postkluis::domain::history::{About, Event, Happening, HistoryQuery, Who};
use postkluis::domain::ids::DeliveryId;
use postkluis::domain::moment::Moment;
use postkluis::domain::names::{OrganisationCode, ProductCode};
use postkluis::domain::record::{LastSequence, Record, Row as _};
use postkluis::domain::refusal::{Refusal, What};
use postkluis::ports::catalog::{Catalog, CatalogView, Committed};
use postkluis::ports::failure::Failure;

fn settings() -> JournalSettings {
    JournalSettings { reserve_bytes: 0, ..JournalSettings::default() }
}

/// As after a kill: the catalog was not closed in order.
fn kill(folder: &Path) {
    fs::remove_file(folder.join("closed")).unwrap();
}

/// As after a power cut: nor is there anything that was never synced.
fn power_cut(folder: &Path) {
    kill(folder);
    fs::remove_file(folder.join("applied")).unwrap();
}

/// Runs `suite` on every adapter.
fn on_each(suite: impl Fn(&dyn Catalog)) {
    suite(&MemoryCatalog::new());
    let folder = tempfile::tempdir().unwrap();
    suite(&CatalogJournal::open(folder.path(), settings()).unwrap());
    let folder = tempfile::tempdir().unwrap();
    suite(&bodies::sealing_with(folder.path(), &Arc::default(), settings()));
}

fn organisation(name: &str) -> OrganisationCode {
    OrganisationCode::parse(name).unwrap()
}

fn product() -> ProductCode {
    ProductCode::parse("pp").unwrap()
}

fn row(name: &str, sequence: u32) -> LastSequence {
    LastSequence { organisation: organisation(name), product: product(), sequence }
}

fn key(name: &str) -> postkluis::domain::record::Key {
    LastSequence::key_of(&organisation(name), &product())
}

fn event(about: Option<&str>, delivery: Option<u8>) -> Event {
    let about = About {
        organisation: about.map(organisation),
        delivery: delivery.map(|byte| DeliveryId::from_bytes([byte; 16])),
        ..About::default()
    };
    Event::new(Happening::DeliveryPublished, Who::system(), about)
}

fn put(name: &str, sequence: u32) -> Decision {
    Decision::new(Moment::from_millis(1), event(Some(name), None)).put(row(name, sequence))
}

fn commit(catalog: &dyn Catalog, decision: Decision) -> Committed {
    catalog.decide(Box::new(move |_| Ok(decision))).unwrap()
}

fn sequence_of(view: &dyn CatalogView, name: &str) -> Option<u32> {
    view.row::<LastSequence>(&key(name)).unwrap().map(|row| row.sequence)
}

fn stored(catalog: &dyn Catalog, name: &str) -> Option<u32> {
    catalog.look(|view| Ok(sequence_of(view, name))).unwrap()
}

fn all(catalog: &dyn Catalog) -> Vec<Record> {
    catalog.look(|view| Ok(view.list(&LastSequence::all(), None, usize::MAX)?)).unwrap()
}

fn increment(catalog: &dyn Catalog, name: &'static str) {
    let rule = move |view: &dyn CatalogView| Ok(put(name, sequence_of(view, name).unwrap_or(0) + 1));
    catalog.decide(Box::new(rule)).unwrap();
}

#[test]
fn a_commit_is_visible_and_counted() {
    on_each(|catalog| {
        assert_eq!((catalog.version(), catalog.last_moment()), (0, None));
        assert_eq!(commit(catalog, put("aa", 5)).first_event, 1);
        assert_eq!(stored(catalog, "aa"), Some(5));
        let before = catalog.version();
        let two = Decision::new(Moment::from_millis(9), event(None, None)).and(event(None, None)).remove(key("aa"));
        assert_eq!(commit(catalog, two).first_event, 2);
        assert!(catalog.version() > before);
        assert_eq!(catalog.last_moment(), Some(Moment::from_millis(9)));
        assert_eq!(stored(catalog, "aa"), None);
        assert_eq!(commit(catalog, put("bb", 1)).first_event, 4);
        assert!(!catalog.was_repaired());
    });
}

#[test]
fn a_refusal_or_a_panic_changes_nothing() {
    on_each(|catalog| {
        commit(catalog, put("aa", 5));
        let before = (catalog.version(), all(catalog));
        let refused = catalog.decide(Box::new(|_| Err(Refusal::NotFound(What::Product).into())));
        assert!(matches!(refused, Err(Failure::Refused(Refusal::NotFound(What::Product)))));
        let panicked = catalog.decide(Box::new(|_| panic!("a broken rule")));
        assert!(matches!(panicked, Err(Failure::Faulted(fault)) if !fault.outcome_unknown()));
        assert_eq!((catalog.version(), all(catalog)), before);
        assert_eq!(catalog.history(&HistoryQuery { limit: 9, ..HistoryQuery::default() }).unwrap().len(), 1);
        assert_eq!(commit(catalog, put("aa", 6)).first_event, 2);
    });
}

#[test]
fn lists_are_in_key_order_after_and_limited() {
    on_each(|catalog| {
        for name in ["cc", "ab", "aa", "bb", "a1"] {
            commit(catalog, put(name, 1));
        }
        let names = |after: Option<&str>, limit| -> Vec<String> {
            let after = after.map(key);
            let rows = catalog
                .look(|view| Ok(view.rows::<LastSequence>(&LastSequence::all(), after.as_ref(), limit)?))
                .unwrap();
            rows.iter().map(|row| row.organisation.to_string()).collect()
        };
        assert_eq!(names(None, 10), ["a1", "aa", "ab", "bb", "cc"]);
        assert_eq!(names(None, 2), ["a1", "aa"]);
        assert_eq!(names(Some("aa"), 2), ["ab", "bb"]);
        assert_eq!(names(Some("ac"), 9), ["bb", "cc"]);
        assert_eq!(names(Some("cc"), 9), Vec::<String>::new());
        assert_eq!(names(None, 0), Vec::<String>::new());
        let exact = catalog.look(|view| Ok(view.list(&key("aa"), None, 9)?)).unwrap();
        assert_eq!(exact, [Record::from(row("aa", 1))]);
    });
}

#[test]
fn rules_of_one_batch_see_each_other() {
    on_each(|catalog| {
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..50).for_each(|_| increment(catalog, "aa")));
            }
        });
        assert_eq!(stored(catalog, "aa"), Some(400));
    });
}

#[test]
fn listing_in_a_rule_sees_the_batch() {
    on_each(|catalog| {
        // Every rule lists what is there and adds or removes one: the count never leaves the model.
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..25 {
                        let rule = |view: &dyn CatalogView| {
                            let rows = view.rows::<LastSequence>(&LastSequence::all(), None, 100)?;
                            let decision = Decision::new(Moment::from_millis(1), event(None, None));
                            Ok(match rows.as_slice() {
                                [.., last] if rows.len() >= 3 => decision.remove(key(last.organisation.as_str())),
                                rows => decision.put(row(&format!("n{}", rows.len()), 1)),
                            })
                        };
                        catalog.decide(Box::new(rule)).unwrap();
                    }
                });
            }
        });
        // 200 steps of: 0, 1, 2, 3, 2, 3, 2 … end on two rows.
        assert_eq!(all(catalog), [Record::from(row("n0", 1)), Record::from(row("n1", 1))]);
    });
}

#[test]
fn a_look_shows_one_state_while_others_commit() {
    on_each(|catalog| {
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                for n in 1..=300 {
                    commit(catalog, put("aa", n).put(row("bb", n)));
                }
                done.store(true, Ordering::Release);
            });
            while !done.load(Ordering::Acquire) {
                catalog.consult(&mut |view| assert_eq!(sequence_of(view, "aa"), sequence_of(view, "bb")));
            }
        });
        assert_eq!(stored(catalog, "bb"), Some(300));
    });
}

#[test]
fn history_is_filtered_and_paged() {
    on_each(|catalog| {
        let at = |millis, event| Decision::new(Moment::from_millis(millis), event);
        commit(catalog, at(10, event(Some("aa"), Some(1))).and(event(Some("bb"), Some(2))));
        commit(catalog, at(20, event(None, None)));
        let mut who = Who::system();
        who.organisation = Some(organisation("aa"));
        let acted = Event::new(Happening::SignedIn, who, About::default());
        commit(catalog, at(30, acted).and(event(Some("aa"), Some(2))).and(event(Some("bb"), None)));
        let numbers = |query: HistoryQuery| -> Vec<u64> {
            catalog.history(&query).unwrap().iter().map(|line| line.sequence).collect()
        };
        let every = HistoryQuery { limit: 100, ..HistoryQuery::default() };
        let of_aa = HistoryQuery { organisation: Some(organisation("aa")), ..every.clone() };
        let of_two = HistoryQuery { delivery: Some(DeliveryId::from_bytes([2; 16])), ..every.clone() };
        assert_eq!(numbers(every.clone()), [1, 2, 3, 4, 5, 6]);
        for after in 0..7 {
            let page = numbers(HistoryQuery { after: Some(after), limit: 2, ..every.clone() });
            assert_eq!(page, (after + 1..=6).take(2).collect::<Vec<_>>());
        }
        assert_eq!(numbers(of_aa.clone()), [1, 4, 5]);
        assert_eq!(numbers(HistoryQuery { after: Some(1), limit: 1, ..of_aa.clone() }), [4]);
        assert_eq!(numbers(of_two.clone()), [2, 5]);
        assert_eq!(numbers(HistoryQuery { organisation: Some(organisation("aa")), ..of_two }), [5]);
        assert_eq!(numbers(HistoryQuery { since: Some(Moment::from_millis(20)), ..every.clone() }), [3, 4, 5, 6]);
        assert_eq!(numbers(HistoryQuery { since: Some(Moment::from_millis(31)), ..every.clone() }), Vec::<u64>::new());
        assert_eq!(numbers(HistoryQuery { limit: 0, ..every.clone() }), Vec::<u64>::new());
        let lines = catalog.history(&of_aa).unwrap();
        assert_eq!(lines.first().map(|line| line.at), Some(Moment::from_millis(10)));
        assert_eq!(lines.first().map(|line| line.event.clone()), Some(event(Some("aa"), Some(1))));
    });
}

#[test]
fn a_catalog_is_shared_between_threads() {
    let folder = tempfile::tempdir().unwrap();
    let catalog: Arc<dyn Catalog> = Arc::new(CatalogJournal::open(folder.path(), settings()).unwrap());
    let other = Arc::clone(&catalog);
    thread::spawn(move || increment(other.as_ref(), "aa")).join().unwrap();
    assert_eq!(stored(catalog.as_ref(), "aa"), Some(1));
}

#[test]
fn what_nobody_waits_for_is_stored_in_order_and_seen_after_settling() {
    on_each(|catalog| {
        for number in 1..=50 {
            let rule = move |view: &dyn CatalogView| {
                let before = view.row::<LastSequence>(&key("later"))?.map_or(0, |row| row.sequence);
                assert_eq!(before + 1, number);
                Ok(put("later", number))
            };
            catalog.decide_later("count", Box::new(rule)).unwrap();
        }
        catalog.settle().unwrap();
        assert_eq!(stored(catalog, "later"), Some(50));
        catalog.settle().unwrap();
        // One that is refused, and one that panics, harm nobody.
        catalog.decide_later("be refused", Box::new(|_| Err(Refusal::NotFound(What::File).into()))).unwrap();
        catalog.decide_later("panic", Box::new(|_| panic!("on purpose"))).unwrap();
        catalog.decide_later("count", Box::new(|_| Ok(put("later", 51)))).unwrap();
        assert_eq!(commit(catalog, put("awaited", 1)).first_event, 52);
        assert_eq!((stored(catalog, "later"), stored(catalog, "awaited")), (Some(51), Some(1)));
    });
}

#[test]
fn a_close_in_order_stores_what_nobody_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = CatalogJournal::open(folder.path(), settings()).unwrap();
    catalog.decide_later("count", Box::new(|_| Ok(put("later", 7)))).unwrap();
    drop(catalog);
    let catalog = CatalogJournal::open(folder.path(), settings()).unwrap();
    assert!(!catalog.was_repaired());
    assert_eq!(stored(&catalog, "later"), Some(7));
}
