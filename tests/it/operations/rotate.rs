//! New keys for organisations while publications, uploads and fetches go on: headers
//! are made anew, and the older key goes when nothing needs it, not before.

use std::sync::OnceLock;

use super::upload::{NEW, upload_name};
use super::*;

/// Content that rotates a key between the making of its headers and their coming on record.
struct Rotating {
    operations: Arc<Operations>,
    seen: Arc<OnceLock<postkluis::operations::OrganisationRotation>>,
}

impl Source for Rotating {
    fn open(&self) -> Result<Box<dyn Read + Send>, Fault> {
        Ok(Box::new(std::io::Cursor::new(b"aaa".to_vec())))
    }

    fn size_bytes(&self) -> u64 {
        3
    }

    fn verify_unchanged(&self) -> Result<(), Failure> {
        if self.seen.get().is_none() {
            let seen = self.operations.rotate_organisation_key(&org("one"), CHANNEL)?;
            self.seen.set(seen).unwrap();
        }
        Ok(())
    }
}

fn count(world: &World, word: &str) -> usize {
    world.history().into_iter().filter(|seen| *seen == word).count()
}

#[test]
fn headers_are_made_anew_and_payloads_stay() {
    let world = World::new();
    for number in 0..3 {
        world.publish(&format!("k{number}"), &["one", "two"], vec![file(&format!("{number}.csv"), b"aaa")]);
    }
    let open = world.operations.outbox_entry(&world.caller("one"), &org("one"), &product("daily"), &name("0.csv"));
    let open = world.operations.open_part(&world.caller("one"), open.as_ref().unwrap().delivery, open.unwrap().part);
    let open = open.unwrap();
    let payloads = world.vault.inventory().unwrap();
    let done = world.operations.rotate_organisation_key(&org("one"), CHANNEL).unwrap();
    assert_eq!((done.headers, done.waits_for), (3, None));
    assert_eq!(world.vault.inventory().unwrap(), payloads);
    assert!(world.keyring.rotating_organisations().unwrap().is_empty());
    let mut bytes = [0; 3];
    assert_eq!((open.read(0, &mut bytes).unwrap(), &bytes), (3, b"aaa"));
    for number in 0..3 {
        for code in ["one", "two"] {
            assert_eq!(world.fetch(&world.caller(code), &format!("{number}.csv")).unwrap(), b"aaa");
        }
    }
    assert_eq!((count(&world, "organisation-key-rotation-begun"), count(&world, "organisation-key-rotated")), (1, 1));
    let again = world.operations.rotate_organisation_key(&org("one"), CHANNEL).unwrap();
    assert_eq!((again.headers, again.waits_for), (3, None));
    assert_eq!(world.fetch(&world.caller("one"), "2.csv").unwrap(), b"aaa");
}

#[test]
fn an_unknown_organisation_has_no_key_to_rotate() {
    let world = World::new();
    let before = world.history();
    let refused = world.operations.rotate_organisation_key(&org("nobody"), CHANNEL);
    assert!(matches!(refusal(refused), Refusal::NotFound(_)));
    assert_eq!(world.history(), before);
    assert!(world.keyring.rotating_organisations().unwrap().is_empty());
}

#[test]
fn a_publication_that_is_under_way_keeps_the_older_key() {
    let world = World::new();
    world.publish("k0", &["one"], vec![file("0.csv", b"aaa")]);
    let seen = Arc::new(OnceLock::new());
    let source = Rotating { operations: Arc::clone(&world.operations), seen: Arc::clone(&seen) };
    world.publish("k1", &["one"], vec![OfferedFile { name: name("1.csv"), source: Arc::new(source) }]);
    let seen = seen.get().unwrap();
    assert_eq!(seen.headers, 1, "what is on record is made anew at once");
    assert!(seen.waits_for.is_some());
    assert_eq!(world.keyring.rotating_organisations().unwrap().len(), 1);
    assert_eq!(world.fetch(&world.caller("one"), "1.csv").unwrap(), b"aaa");
    assert_eq!(count(&world, "organisation-key-rotated"), 0);
    world.operations.continue_rotations().unwrap();
    assert!(world.keyring.rotating_organisations().unwrap().is_empty());
    assert_eq!(count(&world, "organisation-key-rotated"), 1);
    for number in 0..2 {
        assert_eq!(world.fetch(&world.caller("one"), &format!("{number}.csv")).unwrap(), b"aaa");
    }
}

#[test]
fn an_unfinished_upload_keeps_the_older_key_until_it_is_received() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    let file = world.operations.open_upload(&caller, &product("intake"), &upload_name("a.csv"), NEW).unwrap();
    file.write(0, b"begun before").unwrap();
    let done = world.operations.rotate_organisation_key(&org("one"), CHANNEL).unwrap();
    assert!(done.waits_for.unwrap().contains("uploads"));
    file.write(12, b" and after").unwrap();
    file.close().unwrap();
    world.operations.continue_rotations().unwrap();
    assert_eq!(world.keyring.rotating_organisations().unwrap().len(), 1, "its parts can still be resumed");
    world.clock.advance(Span::from_seconds(901));
    world.operations.enforce_retention().unwrap();
    world.operations.continue_rotations().unwrap();
    assert!(world.keyring.rotating_organisations().unwrap().is_empty());
}

#[test]
fn what_was_withdrawn_extended_or_held_meanwhile_is_as_it_should_be() {
    let world = World::new();
    let ids: Vec<_> = (0..3)
        .map(|number| {
            let published =
                world.publish(&format!("k{number}"), &["one"], vec![file(&format!("{number}.csv"), b"aaa")]);
            published.deliveries.first().unwrap().id
        })
        .collect();
    let [withdrawn, extended, held] = ids.as_slice() else { panic!("three deliveries") };
    world.operations.withdraw(*withdrawn, &line("wrong"), CHANNEL).unwrap();
    world.operations.hold(*held, &line("asked"), CHANNEL).unwrap();
    let done = world.operations.rotate_organisation_key(&org("one"), CHANNEL).unwrap();
    assert_eq!(done.headers, 2);
    world.operations.extend(*extended, START.after(Span::from_days(60)), CHANNEL).unwrap();
    world.operations.release(*held, CHANNEL).unwrap();
    for number in 1..3 {
        assert_eq!(world.fetch(&world.caller("one"), &format!("{number}.csv")).unwrap(), b"aaa");
    }
}

#[test]
fn a_new_master_is_on_record() {
    let world = World::new();
    world.publish("k1", &["one"], vec![file("a.csv", b"aaa")]);
    world.operations.rotate_master(CHANNEL).unwrap();
    assert!(!world.keyring.is_master_rotating());
    assert_eq!((count(&world, "master-key-rotation-begun"), count(&world, "master-key-rotated")), (1, 1));
    world.operations.continue_rotations().unwrap();
    assert_eq!(count(&world, "master-key-rotated"), 1);
    // one that a crash cut off
    world.keyring.begin_master_rotation().unwrap();
    world.operations.continue_rotations().unwrap();
    assert!(!world.keyring.is_master_rotating());
    assert_eq!(count(&world, "master-key-rotated"), 2);
}
