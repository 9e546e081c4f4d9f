//! The keyring on a real folder: what is durable, what is refused, what is gone.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::domain::ids::{DeliveryId, PayloadId};
use crate::domain::moment::Moment;

fn binding(byte: u8) -> HeaderBinding {
    HeaderBinding { payload: PayloadId::from_random([byte; 16]), delivery: DeliveryId::from_random([byte; 16]) }
}

fn keyring() -> (tempfile::TempDir, KeyringFolder) {
    let home = tempfile::tempdir().unwrap();
    let keys = home.path().join("keys");
    KeyringFolder::create(&keys).unwrap();
    let keyring = KeyringFolder::open(keys).unwrap();
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
    let again = KeyringFolder::open(home.path().join("keys")).unwrap();
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
    for keyring in [keyring, KeyringFolder::open(home.path().join("keys")).unwrap()] {
        assert!(keyring.living_slots().unwrap().is_empty());
        let gone = keyring.unseal_header(&slot, binding(1), &sealed);
        assert!(matches!(gone, Err(Failure::Refused(Refusal::Gone(_)))));
        assert!(matches!(keyring.ensure_slot(&slot), Err(Failure::Refused(Refusal::Gone(_)))));
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
    let keyring = KeyringFolder::open(home.path().join("keys")).unwrap();
    assert!(!shred.join(slot.to_string()).exists());
    assert!(keyring.living_slots().unwrap().is_empty());
}

#[test]
fn a_master_that_others_can_read_is_refused_with_the_remedy() {
    let (home, keyring) = keyring();
    drop(keyring);
    let master = home.path().join("keys").join(MASTER);
    std::fs::set_permissions(&master, std::fs::Permissions::from_mode(0o640)).unwrap();
    let error = KeyringFolder::open(home.path().join("keys")).err().unwrap().to_string();
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
