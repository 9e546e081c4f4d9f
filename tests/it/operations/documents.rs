//! Documents of products over adapters in memory: who sees and reads them, that it is on record, and
//! what becomes of them when they are removed, a right ends, or a restore lost them (F7, C10, J6).

use std::sync::{Arc, Mutex};

use postkluis::domain::block::EndReason;
use postkluis::domain::names::FileName;
use postkluis::domain::product_document::ProductDocument;
use postkluis::domain::refusal::{Refusal, What};
use postkluis::domain::restriction::{Restricted, Service};
use postkluis::operations::{ServiceEnd, StandingChange};
use postkluis::ports::vault::Vault as _;

use super::mandates::Bureau;
use super::{CHANNEL, Text, World, line, login, name, org, product, refusal};

impl World {
    fn add(&self, code: &str, file: &str, bytes: &[u8]) -> Result<ProductDocument, postkluis::operations::Failure> {
        let source = Text { bytes: bytes.to_vec(), changed: Mutex::new(false) };
        self.operations.add_document(&product(code), (&name(file), Some(&line("1.0"))), &source, CHANNEL)
    }

    /// What must stay as it is when something is refused.
    fn everything(&self) -> (Vec<&'static str>, usize, usize) {
        (self.history(), self.payloads(), self.mails())
    }
}

fn names(documents: &[ProductDocument]) -> Vec<&str> {
    documents.iter().map(|row| row.name.as_str()).collect()
}

#[test]
fn those_coupled_to_a_product_read_its_documents_and_it_is_on_record() {
    let world = World::new();
    world.add("daily", "daily-1.0.pdf", b"the first specification").unwrap();
    world.add("daily", "daily-1.1.pdf", b"the second").unwrap();
    world.add("short", "short.txt", b"of another product").unwrap();
    let robot = world.caller("one");
    let listed = world.operations.documents(&robot, &product("daily")).unwrap();
    assert_eq!(names(&listed), ["daily-1.0.pdf", "daily-1.1.pdf"]);
    let products = world.operations.documented_products(&robot).unwrap();
    assert_eq!(products.iter().map(|row| row.code.as_str()).collect::<Vec<_>>(), ["daily"], "coupled to that alone");
    let read = world.operations.open_document(&robot, &product("daily"), &name("daily-1.0.pdf")).unwrap();
    assert!(!world.history().contains(&"product-document-read"), "opening alone reads nothing");
    assert_eq!(read.read_vec(4, 5).unwrap(), b"first");
    assert_eq!(read.read_vec(0, 100).unwrap(), b"the first specification");
    assert_eq!(world.history().iter().filter(|word| **word == "product-document-read").count(), 1, "once per opening");
    // nobody is mailed
    assert_eq!(world.mails(), 0);
    // a start leaves them where they are
    let recovered = world.operations.recover().unwrap();
    assert!(recovered.set_aside.is_empty() && recovered.missing.is_empty(), "{recovered:?}");
    assert_eq!(read.read_vec(4, 5).unwrap(), b"first");
}

#[test]
fn who_is_not_coupled_is_told_that_there_is_nothing() {
    let world = World::new();
    world.add("short", "short.txt", b"of another product").unwrap();
    let robot = world.caller("one");
    let before = world.everything();
    let nothing = Refusal::NotFound(What::Folder);
    for code in ["short", "unknown"] {
        assert!(matches!(refusal(world.operations.documents(&robot, &product(code))), Refusal::NotFound(_)), "{code}");
        let opened = world.operations.open_document(&robot, &product(code), &name("short.txt")).map(|_| ());
        assert_eq!(refusal(opened), nothing, "{code}");
    }
    let missing = world.operations.document(&robot, &product("daily"), &name("absent.pdf"));
    assert_eq!(refusal(missing), Refusal::NotFound(What::File));
    assert!(world.operations.documented_products(&robot).unwrap().is_empty());
    assert_eq!(world.everything(), before);
}

#[test]
fn what_breaks_a_bound_is_refused_and_nothing_is_kept() {
    let world = World::new();
    for file in ["a.pdf", "b.pdf", "c.pdf"] {
        world.add("daily", file, b"content").unwrap();
    }
    let before = world.everything();
    assert!(matches!(refusal(world.add("daily", "a.pdf", b"another")), Refusal::Exists(What::File, _)));
    assert!(matches!(refusal(world.add("daily", "d.pdf", b"one too many")), Refusal::TooMuch(_)));
    assert!(matches!(refusal(world.add("short", "big.pdf", &vec![0; 100_001])), Refusal::TooMuch(_)));
    assert!(matches!(refusal(world.add("short", "empty.pdf", b"")), Refusal::BadRequest(_)));
    assert_eq!(refusal(world.add("unknown", "a.pdf", b"x")), Refusal::NotFound(What::Product));
    let changing = Text { bytes: b"content".to_vec(), changed: Mutex::new(true) };
    let outcome = world.operations.add_document(&product("short"), (&name("x.pdf"), None), &changing, CHANNEL);
    assert!(matches!(refusal(outcome), Refusal::Changed(_)));
    let absent = world.operations.remove_document(&product("short"), &name("x.pdf"), CHANNEL);
    assert_eq!(refusal(absent), Refusal::NotFound(What::File));
    assert_eq!(world.everything(), before);
}

#[test]
fn a_document_ends_with_its_removal_and_with_the_right_to_it() {
    let world = World::new();
    let (robot, file) = (world.caller("one"), name("daily.pdf"));
    world.add("daily", "daily.pdf", b"content").unwrap();
    let open = |world: &World| world.operations.open_document(&robot, &product("daily"), &file);
    let read = open(&world).unwrap();
    assert_eq!(read.read_vec(0, 7).unwrap(), b"content");
    world.operations.decouple(&login("one-robot"), None, &product("daily"), CHANNEL).unwrap();
    assert_eq!(refusal(read.read_vec(0, 7)), Refusal::NotFound(What::Folder), "removals act at once (C10)");
    world.operations.couple(&login("one-robot"), None, &product("daily"), CHANNEL).unwrap();
    assert_eq!(open(&world).unwrap().read_vec(0, 7).unwrap(), b"content");
    let read = open(&world).unwrap();
    let block = StandingChange::Block { reason: line("suspicion"), until: None };
    world.operations.change_organisation_standing(&org("one"), block, CHANNEL).unwrap();
    assert_eq!(refusal(read.read_vec(0, 7)), Refusal::Blocked, "J6");
    assert_eq!(refusal(world.operations.documents(&robot, &product("daily"))), Refusal::Blocked);
    world.operations.change_organisation_standing(&org("one"), StandingChange::Unblock, CHANNEL).unwrap();
    assert_eq!(read.read_vec(0, 7).unwrap(), b"content");
    world.operations.remove_document(&product("daily"), &file, CHANNEL).unwrap();
    assert_eq!(refusal(read.read_vec(0, 7)), Refusal::NotFound(What::File));
    assert_eq!((world.payloads(), world.history().last().copied()), (0, Some("payload-removed")));
    // the name is free again
    world.add("daily", "daily.pdf", b"newer").unwrap();
    assert_eq!(open(&world).unwrap().read_vec(0, 7).unwrap(), b"newer");
}

#[test]
fn open_documents_count_among_the_open_files_of_an_account() {
    let world = World::new();
    world.add("daily", "daily.pdf", b"content").unwrap();
    let (robot, file) = (world.caller("one"), name("daily.pdf"));
    let open = || world.operations.open_document(&robot, &product("daily"), &file);
    let mut held: Vec<_> = (0..4).map(|_| Arc::new(open().unwrap())).collect();
    assert!(matches!(refusal(open().map(|_| ())), Refusal::TooMuch(_)));
    held[0].close();
    held[0].close();
    assert!(open().is_ok());
    held.clear();
    assert!(open().is_ok());
}

#[test]
fn what_a_restore_lost_is_told_and_ends_with_its_confirmation() {
    let world = World::new();
    let lost = world.add("daily", "lost.pdf", b"content").unwrap();
    world.add("daily", "kept.pdf", b"content").unwrap();
    world.vault.remove(lost.payload).unwrap();
    let state = world.operations.restored_state().unwrap();
    assert_eq!(names(&state.lost_documents), ["lost.pdf"]);
    world.operations.confirm_restore(CHANNEL).unwrap();
    let left = world.operations.all_documents(&product("daily"), CHANNEL).unwrap();
    assert_eq!(names(&left), ["kept.pdf"]);
    assert!(world.history().contains(&"product-document-removed"));
    let name = FileName::parse("kept.pdf").unwrap();
    assert!(world.operations.open_document(&world.caller("one"), &product("daily"), &name).is_ok());
}

#[test]
fn an_intermediary_reads_the_documents_of_what_it_fetches_for_a_client_until_its_mandate_ends() {
    let bureau = Bureau::new();
    let (world, operations) = (&bureau.world, &bureau.world.operations);
    operations.decouple(&login("two-robot"), None, &product("daily"), CHANNEL).unwrap();
    world.add("daily", "daily.pdf", b"content").unwrap();
    world.add("short", "short.pdf", b"content").unwrap();
    // the same from where it acts for itself and from where it acts for the client
    for robot in [world.caller("two"), bureau.acting("one")] {
        let products = operations.documented_products(&robot).unwrap();
        assert_eq!(products.iter().map(|row| row.code.as_str()).collect::<Vec<_>>(), ["daily"]);
        assert!(matches!(refusal(operations.documents(&robot, &product("short"))), Refusal::NotFound(_)));
    }
    let robot = world.caller("two");
    let read = operations.open_document(&robot, &product("daily"), &name("daily.pdf")).unwrap();
    assert_eq!(read.read_vec(0, 7).unwrap(), b"content");
    let told = bureau.told("product-document-read");
    assert_eq!(told[0].event.about.organisation, Some(org("two")), "it reads for itself");
    let acting = bureau.acting("one");
    bureau.end();
    let before = world.everything();
    assert!(matches!(refusal(read.read_vec(0, 7)), Refusal::NotFound(_)));
    for robot in [robot, acting] {
        assert!(operations.documented_products(&robot).unwrap().is_empty());
        assert!(matches!(refusal(operations.documents(&robot, &product("daily"))), Refusal::NotFound(_)));
    }
    assert_eq!(world.everything(), before);
}

#[test]
fn who_may_not_fetch_any_more_sees_what_there_is_and_reads_nothing() {
    let world = World::new();
    world.add("daily", "daily.pdf", b"content").unwrap();
    let robot = world.caller("one");
    let open = || world.operations.open_document(&robot, &product("daily"), &name("daily.pdf"));
    let read = open().unwrap();
    let end = ServiceEnd { service: Service::Fetch, reason: EndReason::Misuse, note: None };
    world.operations.end_service(Restricted::Account(login("one-robot")), end, CHANNEL).unwrap();
    let before = world.everything();
    assert_eq!(refusal(read.read_vec(0, 7)), Refusal::ServiceEnded(Service::Fetch), "J7");
    assert_eq!(refusal(open().map(|_| ())), Refusal::ServiceEnded(Service::Fetch));
    assert_eq!(names(&world.operations.documents(&robot, &product("daily")).unwrap()), ["daily.pdf"]);
    assert_eq!(world.everything(), before);
}

/// Bytes that come in from somebody; they may break off.
struct Coming<'a>(&'a [u8], bool);

impl std::io::Read for Coming<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.0.is_empty() && self.1 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        self.0.read(into)
    }
}

fn take(
    world: &World,
    file: &str,
    version: &str,
    content: &[u8],
    replaces: bool,
) -> Result<ProductDocument, postkluis::operations::Failure> {
    let (code, version) = (product("daily"), line(version));
    world.operations.take_document(&code, (&name(file), Some(&version)), &mut Coming(content, false), replaces, CHANNEL)
}

#[test]
fn another_version_takes_the_place_of_the_one_before_in_one_decision() {
    let world = World::new();
    let first = take(&world, "daily.pdf", "1.0", b"the first", false).unwrap();
    let robot = world.caller("one");
    let open = || world.operations.open_document(&robot, &product("daily"), &name("daily.pdf")).unwrap();
    let read = open();
    let (payloads, before) = (world.payloads(), world.history().len());
    let second = take(&world, "daily.pdf", "1.1", b"the second one", true).unwrap();
    assert_eq!((second.name.as_str(), second.version.as_ref().unwrap().as_str()), ("daily.pdf", "1.1"));
    assert_ne!(second.payload, first.payload);
    assert_eq!(world.payloads(), payloads, "the bytes of the first are gone");
    assert_eq!(world.history()[before..], ["product-document-removed", "product-document-added", "payload-removed"]);
    assert!(read.read_vec(0, 5).is_err(), "who has the first open reads it no further");
    assert_eq!(open().read_vec(0, 100).unwrap(), b"the second one");
    assert_eq!(world.operations.documents(&robot, &product("daily")).unwrap().len(), 1);
}

#[test]
fn what_comes_in_is_bounded_and_leaves_nothing_when_it_is_refused_or_breaks_off() {
    let world = World::new();
    take(&world, "daily.pdf", "1.0", b"the first", false).unwrap();
    let before = world.everything();
    assert!(matches!(refusal(take(&world, "daily.pdf", "1.0", b"again", false)), Refusal::Exists(What::File, _)));
    assert_eq!(refusal(take(&world, "absent.pdf", "1.0", b"again", true)), Refusal::NotFound(What::File));
    for replaces in [false, true] {
        let file = if replaces { "daily.pdf" } else { "new.pdf" };
        assert!(matches!(refusal(take(&world, file, "2", b"", replaces)), Refusal::BadRequest(_)));
        assert!(matches!(refusal(take(&world, file, "2", &vec![7; 100_001], replaces)), Refusal::TooMuch(_)));
        let mut broken = Coming(b"half of it", true);
        let code = product("daily");
        assert!(world.operations.take_document(&code, (&name(file), None), &mut broken, replaces, CHANNEL).is_err());
    }
    assert_eq!(world.everything(), before);
    assert_eq!(take(&world, "most.pdf", "1", &vec![7; 100_000], false).unwrap().size_bytes, 100_000);
}
