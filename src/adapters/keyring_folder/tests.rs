//! The keyring on a real folder: what is durable, what is refused, what is gone.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::domain::bodies::BodyClass;
use crate::domain::ids::{DeliveryId, MailId, PayloadId};
use crate::domain::moment::Moment;

fn binding(byte: u8) -> HeaderBinding {
    HeaderBinding { payload: PayloadId::from_random([byte; 16]), delivery: DeliveryId::from_random([byte; 16]) }
}

fn open(home: &Path) -> Result<KeyringFolder, Failure> {
    let keys = home.join("keys");
    KeyringFolder::open(keys.clone(), &MasterSource::plain(KeyringFolder::master_in(&keys)))
}

fn reopened(home: &Path) -> KeyringFolder {
    open(home).unwrap()
}

fn keyring() -> (tempfile::TempDir, KeyringFolder) {
    let home = tempfile::tempdir().unwrap();
    let keys = home.path().join("keys");
    KeyringFolder::create(&keys).unwrap();
    let keyring = reopened(home.path());
    (home, keyring)
}

#[test]
fn a_header_opens_only_for_its_organisation_also_after_a_restart() {
    let (home, keyring) = keyring();
    let (own, other) = (OrganisationCode::parse("own").unwrap(), OrganisationCode::parse("other").unwrap());
    keyring.ensure_organisation(&own).unwrap();
    keyring.ensure_organisation(&other).unwrap();
    let key = keyring.new_file_key();
    let header = keyring.header_for_organisation(&own, &key).unwrap();
    let again = reopened(home.path());
    assert_eq!(again.open_header(&own, &header).unwrap().expose(), key.expose());
    assert!(again.open_header(&other, &header).is_err());
}

#[test]
fn a_destroyed_slot_is_gone_and_stays_gone() {
    let (home, keyring) = keyring();
    let slot = ShredSlot::of_day(Moment::from_millis(1_000));
    keyring.ensure_slot(&slot).unwrap();
    let sealed = keyring.seal_header(&slot, binding(1), b"header").unwrap();
    assert_eq!(keyring.unseal_header(&slot, binding(1), &sealed).unwrap(), b"header");
    assert!(keyring.unseal_header(&slot, binding(2), &sealed).is_err());
    assert_eq!(keyring.living_slots().unwrap(), vec![slot.clone()]);
    keyring.destroy_slot(&slot).unwrap();
    keyring.destroy_slot(&slot).unwrap();
    for keyring in [keyring, reopened(home.path())] {
        assert!(keyring.living_slots().unwrap().is_empty());
        let gone = keyring.unseal_header(&slot, binding(1), &sealed);
        assert!(matches!(gone, Err(Failure::Refused(Refusal::Gone(_)))));
        assert!(matches!(keyring.ensure_slot(&slot), Err(Failure::Faulted(_))));
    }
}

#[test]
fn a_destruction_that_was_cut_off_is_completed_at_the_next_start() {
    let (home, keyring) = keyring();
    let slot = ShredSlot::of_day(Moment::from_millis(1_000));
    keyring.ensure_slot(&slot).unwrap();
    let shred = home.path().join("keys/shred");
    files::append_line(&shred.join(DESTROYED), &slot.to_string()).unwrap();
    drop(keyring);
    assert!(shred.join(slot.to_string()).exists());
    let keyring = reopened(home.path());
    assert!(!shred.join(slot.to_string()).exists());
    assert!(keyring.living_slots().unwrap().is_empty());
}

#[test]
fn a_master_that_others_can_read_is_refused_with_the_remedy() {
    let (home, keyring) = keyring();
    drop(keyring);
    let master = home.path().join("keys").join(MASTER);
    std::fs::set_permissions(&master, std::fs::Permissions::from_mode(0o640)).unwrap();
    let error = open(home.path()).err().unwrap().to_string();
    assert!(error.contains("chmod 600") && error.contains("master.age"), "{error}");
    assert!(KeyringFolder::create(&home.path().join("keys")).is_err());
}

#[test]
fn recipient_keys_are_judged() {
    let (_home, keyring) = keyring();
    let age = Identity::generate().to_public().to_string();
    assert_eq!(keyring.judge_recipient(&age).unwrap().kind, "age-x25519");
    let ed25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN someone@example";
    let judged = keyring.judge_recipient(ed25519).unwrap();
    assert_eq!(judged.kind, "ssh-ed25519");
    assert!(!judged.line.contains("someone"));
    for line in ["", "age1x", "ssh-dss AAAA", "ecdsa-sha2-nistp256 AAAA", "AGE-SECRET-KEY-1ABC", "ssh-rsa AAAA"] {
        assert!(matches!(keyring.judge_recipient(line), Err(Failure::Refused(_))), "{line}");
    }
}

#[test]
fn lines_with_more_than_a_key_are_refused() {
    let (_home, keyring) = keyring();
    let ed25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN";
    assert_eq!(keyring.judge_recipient(&format!("{ed25519}\n")).unwrap().line, ed25519);
    for line in [format!("{ed25519}AAAA"), format!("{ed25519}!"), format!("{ed25519}\n{ed25519}")] {
        assert!(matches!(keyring.judge_recipient(&line), Err(Failure::Refused(Refusal::BadRequest(_)))), "{line}");
    }
    assert!(keyring.header_for_recipients(&[], &keyring.new_file_key()).is_err());
}

#[test]
fn a_torn_or_foreign_line_in_the_list_of_destroyed_keys_harms_nothing() {
    let (home, keyring) = keyring();
    let (gone, living) = (ShredSlot::of_day(Moment::from_millis(1)), ShredSlot::of_day(Moment::from_millis(2)));
    keyring.ensure_slot(&gone).unwrap();
    keyring.ensure_slot(&living).unwrap();
    let list = home.path().join("keys/shred").join(DESTROYED);
    std::fs::write(&list, "../master.age\n\n0000").unwrap();
    keyring.destroy_slot(&gone).unwrap();
    drop(keyring);
    let keyring = reopened(home.path());
    assert!(home.path().join("keys").join(MASTER).exists());
    assert_eq!(keyring.living_slots().unwrap(), vec![living]);
    assert!(matches!(keyring.ensure_slot(&gone), Err(Failure::Faulted(_))));
}

#[test]
fn a_destruction_that_cannot_be_listed_destroys_nothing_and_can_be_asked_again() {
    let (home, keyring) = keyring();
    let slot = ShredSlot::of_day(Moment::from_millis(1_000));
    keyring.ensure_slot(&slot).unwrap();
    let sealed = keyring.seal_header(&slot, binding(1), b"header").unwrap();
    let list = home.path().join("keys/shred").join(DESTROYED);
    // A folder in place of the list: the append fails, whoever runs this test.
    std::fs::create_dir(&list).unwrap();
    assert!(keyring.destroy_slot(&slot).is_err());
    assert_eq!(keyring.unseal_header(&slot, binding(1), &sealed).unwrap(), b"header");
    std::fs::remove_dir(&list).unwrap();
    keyring.destroy_slot(&slot).unwrap();
    assert_eq!(std::fs::read_to_string(&list).unwrap(), format!("{slot}\n"));
    assert!(keyring.living_slots().unwrap().is_empty());
}

#[test]
fn an_identity_that_cannot_be_looked_at_is_never_replaced() {
    let (home, keyring) = keyring();
    let code = OrganisationCode::parse("own").unwrap();
    let path = home.path().join("keys/organisations/own.age");
    // A link to itself: looking at it fails with ELOOP, also for root.
    std::os::unix::fs::symlink(&path, &path).unwrap();
    assert!(matches!(keyring.ensure_organisation(&code), Err(Failure::Faulted(_))));
    assert!(path.symlink_metadata().unwrap().file_type().is_symlink());
}

#[test]
fn many_threads_make_one_identity_and_one_key() {
    let (_home, keyring) = keyring();
    let (code, slot) = (OrganisationCode::parse("own").unwrap(), ShredSlot::of_day(Moment::from_millis(9)));
    let made = std::thread::scope(|scope| {
        let threads: Vec<_> = (1..9)
            .map(|at| {
                let (keyring, code, slot) = (&keyring, &code, &slot);
                scope.spawn(move || {
                    keyring.ensure_organisation(code).unwrap();
                    keyring.ensure_slot(slot).unwrap();
                    let key = FileKey::new([at; 16]);
                    let header = keyring.header_for_organisation(code, &key).unwrap();
                    (at, keyring.seal_header(slot, binding(at), &header).unwrap())
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    for (at, sealed) in made {
        let header = keyring.unseal_header(&slot, binding(at), &sealed).unwrap();
        assert_eq!(keyring.open_header(&code, &header).unwrap().expose(), &[at; 16]);
    }
}

#[test]
fn what_lies_on_disk_is_sealed_and_closed_to_others() {
    let (home, keyring) = keyring();
    let (code, slot) = (OrganisationCode::parse("own").unwrap(), ShredSlot::of_day(Moment::from_millis(9)));
    keyring.ensure_organisation(&code).unwrap();
    keyring.ensure_slot(&slot).unwrap();
    let keys = home.path().join("keys");
    for (path, is_sealed) in [
        (keys.join(MASTER), false),
        (keys.join("organisations/own.age"), true),
        (keys.join("shred").join(slot.to_string()), true),
    ] {
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
        assert_eq!(std::fs::read(&path).unwrap().starts_with(b"age-encryption.org/v1\n"), is_sealed);
    }
    assert_eq!(std::fs::metadata(&keys).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn judging_a_keyring_leaves_alone_what_a_server_is_writing() {
    let (home, _keyring) = keyring();
    let keys = home.path().join("keys");
    let being_written = ["master.age.tmp", "organisations/own.age.tmp", "shred/1-day.tmp"].map(|name| keys.join(name));
    for path in &being_written {
        std::fs::write(path, b"key").unwrap();
    }
    KeyringFolder::judge(&keys, &MasterSource::plain(KeyringFolder::master_in(&keys))).unwrap();
    assert!(being_written.iter().all(|path| std::fs::read(path).unwrap() == b"key"));
    reopened(home.path());
    assert!(being_written.iter().all(|path| !path.exists()));
}

const PLACE: BodyBinding = BodyBinding::Events { sequence: 7, group: 1 };

fn month(month: u8) -> BodySlot {
    BodySlot::new(BodyClass::SignIns, 2026, month).unwrap()
}

#[test]
fn a_body_opens_in_its_place_under_its_key_alone() {
    let (home, keyring) = keyring();
    assert!(keyring.ensure_body_key(month(1)).unwrap() && keyring.ensure_body_key(month(2)).unwrap());
    assert_eq!(keyring.living_body_keys().unwrap(), [month(1), month(2)]);
    let sealed = keyring.seal_body(month(1), PLACE, b"events").unwrap();
    assert_ne!(keyring.seal_body(month(1), PLACE, b"events").unwrap(), sealed, "each has a nonce of its own");
    for keyring in [keyring, reopened(home.path())] {
        assert_eq!(keyring.open_body(month(1), PLACE, &sealed).unwrap(), OpenedBody::Plain(b"events".to_vec()));
        assert!(keyring.open_body(month(2), PLACE, &sealed).is_err());
        for place in [
            BodyBinding::Events { sequence: 8, group: 1 },
            BodyBinding::Events { sequence: 7, group: 0 },
            BodyBinding::Letter(MailId::from_bytes([7; 16])),
        ] {
            assert!(keyring.open_body(month(1), place, &sealed).is_err());
        }
    }
}

#[test]
fn a_body_key_that_was_destroyed_is_told_apart_from_one_that_is_lost() {
    let (home, keyring) = keyring();
    for number in [1, 2] {
        keyring.ensure_body_key(month(number)).unwrap();
    }
    let sealed = [1, 2].map(|number| keyring.seal_body(month(number), PLACE, b"events").unwrap());
    keyring.destroy_body_key(month(1)).unwrap();
    keyring.destroy_body_key(month(1)).unwrap();
    let bodies = home.path().join("keys/bodies");
    assert!(!bodies.join(month(1).to_string()).exists());
    std::fs::remove_file(bodies.join(month(2).to_string())).unwrap();
    for keyring in [keyring, reopened(home.path())] {
        assert!(!keyring.ensure_body_key(month(1)).unwrap(), "it does not come back");
        assert!(keyring.is_body_key_destroyed(month(1)) && !keyring.is_body_key_destroyed(month(2)));
        assert!(matches!(keyring.seal_body(month(1), PLACE, b"events"), Err(Failure::Refused(Refusal::Gone(_)))));
        assert_eq!(keyring.open_body(month(1), PLACE, &sealed[0]).unwrap(), OpenedBody::Destroyed);
        assert!(keyring.living_body_keys().unwrap().is_empty());
    }
    assert_eq!(reopened(home.path()).open_body(month(2), PLACE, &sealed[1]).unwrap(), OpenedBody::Missing);
}

#[test]
fn the_destruction_of_a_body_key_that_was_cut_off_is_completed_at_the_next_start() {
    let (home, keyring) = keyring();
    keyring.ensure_body_key(month(1)).unwrap();
    drop(keyring);
    let bodies = home.path().join("keys/bodies");
    files::append_line(&bodies.join(DESTROYED), &month(1).to_string()).unwrap();
    assert!(bodies.join(month(1).to_string()).exists());
    assert!(!reopened(home.path()).ensure_body_key(month(1)).unwrap());
    assert!(!bodies.join(month(1).to_string()).exists());
}
