//! Events under keys that end: the journal tells them like plain ones, holds
//! nothing personal in the clear, and goes on without the keys that were destroyed.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use postkluis::adapters::catalog_journal::{CatalogJournal, JournalSettings};
use postkluis::adapters::memory::{FixedClock, MemoryCatalog, MemoryKeyring};
use postkluis::domain::bodies::{BodyClass, BodyKey, BodySlot};
use postkluis::domain::decision::Decision;
use postkluis::domain::history::{About, Channel, Event, Happening, HistoryLine, HistoryQuery, Who};
use postkluis::domain::ids::DeliveryId;
use postkluis::domain::moment::{Moment, Span};
use postkluis::domain::names::{FileName, LoginName};
use postkluis::domain::record::Row as _;
use postkluis::operations::MonthlyBodies;
use postkluis::ports::catalog::Catalog;
use postkluis::ports::keyring::Keyring as _;

use super::snapshots::snapshots;
use super::{commit, organisation, power_cut, put, row, settings};

/// 23 November 2026, noon.
const NOVEMBER: Moment = Moment::from_millis(1_795_435_200_000);
const DECEMBER: Moment = NOVEMBER.after(Span::from_days(20));
const LOGIN: &str = "geheime.naam";
const FILE: &str = "dossier-jansen.csv";
const CLIENT: &str = "ZeldzameKlant_9";
const ADDRESS: &str = "2001:db8:5ec2:e7a1:77:66:55:44";

/// Small segments, so that there are snapshots.
fn sealing(folder: &Path, keyring: &Arc<MemoryKeyring>) -> CatalogJournal {
    sealing_with(folder, keyring, JournalSettings { segment_bytes: 2_000, snapshot_after_bytes: 1, ..settings() })
}

pub(super) fn sealing_with(folder: &Path, keyring: &Arc<MemoryKeyring>, settings: JournalSettings) -> CatalogJournal {
    let bodies = MonthlyBodies::new(Arc::<MemoryKeyring>::clone(keyring), Arc::new(FixedClock::at(NOVEMBER)));
    CatalogJournal::open_sealing(folder, settings, || Ok(Arc::new(bodies))).unwrap()
}

/// What somebody did with a delivery.
fn personal(what: Happening, delivery: u8) -> Event {
    let who = Who {
        login: Some(LoginName::parse(LOGIN).unwrap()),
        organisation: Some(organisation("aa")),
        channel: Channel::Sftp,
        address: Some(ADDRESS.parse().unwrap()),
        credential: Some("SHA256:vingerafdruk".to_owned()),
        client: Some(CLIENT.to_owned()),
    };
    let about = About {
        organisation: Some(organisation("bb")),
        login: Some(LoginName::parse(LOGIN).unwrap()),
        delivery: Some(DeliveryId::from_bytes([delivery; 16])),
        file: Some(FileName::parse(FILE).unwrap()),
        ..About::default()
    };
    Event::new(what, who, about).with_bytes(7)
}

/// Decisions of each class, mixed ones among them, in two months.
fn decisions() -> Vec<Decision> {
    let system = || Event::new(Happening::SlotDestroyed, Who::system(), About::default());
    let mixed = Decision::new(NOVEMBER, personal(Happening::FetchStarted, 1))
        .and(system())
        .and(personal(Happening::SignedOut, 2))
        .and(personal(Happening::FileFetched, 2))
        .put(row("mixed", 1));
    let mut all = vec![mixed, put("plain", 1), Decision::new(NOVEMBER, system())];
    for number in 0..20 {
        all.push(Decision::new(NOVEMBER, personal(Happening::SignedIn, number)));
        all.push(Decision::new(DECEMBER, personal(Happening::FetchEnded, number)).put(row("count", number.into())));
    }
    all
}

fn history(catalog: &dyn Catalog) -> Vec<HistoryLine> {
    catalog.history(&HistoryQuery { limit: 1_000, ..HistoryQuery::default() }).unwrap()
}

fn queries() -> Vec<HistoryQuery> {
    let every = HistoryQuery { limit: 1_000, ..HistoryQuery::default() };
    let delivery = Some(DeliveryId::from_bytes([2; 16]));
    vec![
        every.clone(),
        HistoryQuery { organisation: Some(organisation("aa")), ..every.clone() },
        HistoryQuery { organisation: Some(organisation("bb")), after: Some(5), ..every.clone() },
        HistoryQuery { delivery, ..every.clone() },
        HistoryQuery { organisation: Some(organisation("bb")), delivery, ..every.clone() },
        HistoryQuery { since: Some(DECEMBER), limit: 3, ..every },
    ]
}

fn slot(class: BodyClass, month: u8) -> BodySlot {
    BodySlot::new(class, 2026, month).unwrap()
}

fn files_under(folder: &Path) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files_under(&path)) } else { found.push(fs::read(path).unwrap()) }
    }
    found
}

/// Whether journal, index or snapshots hold one of the personal values.
fn shows_somebody(folder: &Path) -> Option<&'static str> {
    let address: std::net::Ipv6Addr = ADDRESS.parse().unwrap();
    let wanted = [
        ("login", LOGIN.as_bytes()),
        ("file", FILE.as_bytes()),
        ("client", CLIENT.as_bytes()),
        ("credential", b"vingerafdruk"),
        ("address", ADDRESS.as_bytes()),
        ("address in bytes", &address.octets()),
    ];
    let files = files_under(folder);
    wanted
        .into_iter()
        .find(|(_, bytes)| files.iter().any(|file| file.windows(bytes.len()).any(|part| part == *bytes)))
        .map(|(what, _)| what)
}

fn ended(slot: BodySlot, at: Moment) -> Decision {
    let event = Event::new(Happening::BodyKeyDestroyed, Who::system(), About::default());
    Decision::new(at, event).put(BodyKey { slot, closes_at: at, destroyed_at: Some(at) })
}

#[test]
fn sealed_events_are_told_like_plain_ones_and_lie_nowhere_in_the_clear() {
    let (folder, plain_folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (keyring, memory) = (Arc::new(MemoryKeyring::new()), MemoryCatalog::new());
    let catalog = sealing(folder.path(), &keyring);
    let plain = CatalogJournal::open(plain_folder.path(), settings()).unwrap();
    for decision in decisions() {
        for catalog in [&catalog as &dyn Catalog, &plain, &memory] {
            commit(catalog, decision.clone());
        }
    }
    let keys: Vec<BodySlot> = keyring.living_body_keys().unwrap();
    let used = [(BodyClass::SignIns, 11), (BodyClass::Fetches, 11), (BodyClass::Fetches, 12)];
    for (class, month) in used {
        assert!(keys.contains(&slot(class, month)), "{keys:?}");
        let on_record =
            (&catalog as &dyn Catalog).look(|view| Ok(view.row::<BodyKey>(&BodyKey::key_of(slot(class, month)))?));
        assert_eq!(on_record.unwrap().unwrap().destroyed_at, None);
    }
    drop(plain);
    assert!(shows_somebody(plain_folder.path()).is_some(), "the search finds what is plain");
    assert_tells_as(&catalog, &memory);
    drop(catalog);
    assert_tells_as(&sealing(folder.path(), &keyring), &memory);
    // as after a crash: rebuilt from a snapshot and the journal, without any key
    power_cut(folder.path());
    assert!(!snapshots(folder.path()).is_empty());
    let rebuilt = CatalogJournal::open(folder.path(), settings()).unwrap();
    assert!(rebuilt.was_repaired());
    let fault = rebuilt.history(&HistoryQuery { limit: 10, ..HistoryQuery::default() }).unwrap_err().to_string();
    assert!(fault.contains("no keys were given"), "{fault}");
    drop(rebuilt);
    assert_tells_as(&sealing(folder.path(), &keyring), &memory);
    assert_eq!(shows_somebody(folder.path()), None);
}

fn assert_tells_as(catalog: &dyn Catalog, memory: &dyn Catalog) {
    for query in queries() {
        assert_eq!(catalog.history(&query).unwrap(), memory.history(&query).unwrap(), "{query:?}");
    }
}

#[test]
fn what_was_under_a_destroyed_key_is_told_as_gone_and_the_rest_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let keyring = Arc::new(MemoryKeyring::new());
    let catalog = sealing(folder.path(), &keyring);
    for decision in decisions() {
        commit(&catalog, decision);
    }
    let before = history(&catalog);
    let found = queries().iter().map(|query| catalog.history(query).unwrap().len()).collect::<Vec<_>>();
    let gone = slot(BodyClass::Fetches, 11);
    keyring.destroy_body_key(gone).unwrap();
    let unrecorded = history(&catalog);
    commit(&catalog, ended(gone, DECEMBER));
    let check = |catalog: &dyn Catalog, ended_at: Option<Moment>, lines: Vec<HistoryLine>| {
        assert_eq!(lines.iter().filter(|line| line.event.what == Happening::EventDestroyed).count(), 2);
        for (line, was) in lines.iter().zip(&before) {
            assert_eq!((line.sequence, line.at), (was.sequence, was.at));
            let is_gone = matches!(was.event.what, Happening::FetchStarted | Happening::FileFetched);
            if !is_gone {
                assert_eq!(line, was);
                continue;
            }
            assert_eq!(line.event.what, Happening::EventDestroyed);
            assert_eq!(line.event.about.delivery, was.event.about.delivery);
            assert_eq!((line.event.who.login.as_ref(), line.event.about.file.as_ref()), (None, None));
            assert_eq!(line.event.detail.until, ended_at);
            let note = line.event.detail.note.as_deref();
            assert_eq!(note, Some("fetches of 2026-11: destroyed with its period"));
        }
        if ended_at.is_some() {
            let mut now: Vec<usize> = queries().iter().map(|query| catalog.history(query).unwrap().len()).collect();
            // the record of the destruction is one event more, for those who see all
            now[0] -= 1;
            assert_eq!(now, found);
        }
    };
    check(&catalog, None, unrecorded);
    check(&catalog, Some(DECEMBER), history(&catalog));
    drop(catalog);
    power_cut(folder.path());
    fs::remove_dir_all(folder.path().join("snapshots")).unwrap();
    let rebuilt = sealing(folder.path(), &keyring);
    assert!(rebuilt.was_repaired());
    check(&rebuilt, Some(DECEMBER), history(&rebuilt));
    // another keyring that never knew the key, as after a restore: what is on record decides
    drop(rebuilt);
    let fresh = Arc::new(MemoryKeyring::new());
    for lives in [slot(BodyClass::Fetches, 12), slot(BodyClass::SignIns, 11), slot(BodyClass::Changes, 11)] {
        fresh.ensure_body_key(lives).unwrap();
    }
    fresh.ensure_body_key(BodySlot::new(BodyClass::Changes, 1970, 1).unwrap()).unwrap();
    let restored = sealing(folder.path(), &fresh);
    check(&restored, Some(DECEMBER), history(&restored));
}

#[test]
fn a_key_that_is_lost_is_an_alarm() {
    let folder = tempfile::tempdir().unwrap();
    let keyring = Arc::new(MemoryKeyring::new());
    let catalog = sealing(folder.path(), &keyring);
    commit(&catalog, Decision::new(NOVEMBER, personal(Happening::SignedIn, 1)));
    drop(catalog);
    let catalog = sealing(folder.path(), &Arc::new(MemoryKeyring::new()));
    let fault = catalog.history(&HistoryQuery { limit: 10, ..HistoryQuery::default() }).unwrap_err();
    let told = format!("{fault} {:?}", std::error::Error::source(&fault).map(ToString::to_string));
    assert!(told.contains("ALARM") && told.contains("keys/bodies/signins-202611"), "{told}");
}

#[test]
fn a_catalog_of_plain_events_goes_on_with_sealed_ones() {
    let folder = tempfile::tempdir().unwrap();
    let keyring = Arc::new(MemoryKeyring::new());
    let before = CatalogJournal::open(folder.path(), settings()).unwrap();
    commit(&before, Decision::new(NOVEMBER, personal(Happening::SignedIn, 1)));
    drop(before);
    let catalog = sealing(folder.path(), &keyring);
    commit(&catalog, Decision::new(NOVEMBER, personal(Happening::SignedOut, 1)));
    keyring.destroy_body_key(slot(BodyClass::SignIns, 11)).unwrap();
    // a clock that was set back into the month whose key is gone: the next month takes it
    commit(&catalog, Decision::new(NOVEMBER, personal(Happening::SignedIn, 3)));
    let words = history(&catalog).iter().map(|line| line.event.what.word()).collect::<Vec<_>>();
    assert_eq!(words, ["signed-in", "event-destroyed", "signed-in"]);
    assert_eq!(keyring.living_body_keys().unwrap(), [slot(BodyClass::SignIns, 12)]);
    let rows = (&catalog as &dyn Catalog).look(|view| Ok(view.rows::<BodyKey>(&BodyKey::all(), None, 10)?)).unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows.last().unwrap().closes_at.to_string(), "2027-01-01T00:00:00Z");
}
