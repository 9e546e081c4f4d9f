//! New keys in the place of old ones on a real folder: cut off anywhere, every key
//! opens; when it is done, the old one opens nothing.

use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt};

use super::*;
use crate::domain::bodies::BodyClass;
use crate::domain::ids::{DeliveryId, PayloadId};

const PASSPHRASE: &str = "juist paard batterij nietje";

struct Fixture {
    home: tempfile::TempDir,
    code: OrganisationCode,
    slots: Vec<ShredSlot>,
    key: FileKey,
    header: Vec<u8>,
    sealed: Vec<u8>,
    body: Vec<u8>,
}

const PLACE: BodyBinding = BodyBinding::Events { sequence: 7, group: 0 };

fn month() -> BodySlot {
    BodySlot::new(BodyClass::Fetches, 2026, 11).unwrap()
}

fn binding() -> HeaderBinding {
    HeaderBinding { payload: PayloadId::from_random([1; 16]), delivery: DeliveryId::from_random([2; 16]) }
}

impl Fixture {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let keys = home.path().join("keys");
        KeyringFolder::create(&keys).unwrap();
        let keyring = KeyringFolder::open(keys.clone(), &MasterSource::plain(keys.join(MASTER))).unwrap();
        let code = OrganisationCode::parse("own").unwrap();
        let slots: Vec<_> = (1..6).map(|day| ShredSlot::of_day(Moment::from_millis(day * 1_000))).collect();
        keyring.ensure_organisation(&code).unwrap();
        for slot in &slots {
            keyring.ensure_slot(slot).unwrap();
        }
        let key = keyring.new_file_key();
        let header = keyring.header_for_organisation(&code, &key).unwrap();
        let sealed = keyring.seal_header(slots.first().unwrap(), binding(), &header).unwrap();
        assert!(keyring.ensure_body_key(month()).unwrap());
        let body = keyring.seal_body(month(), PLACE, b"events").unwrap();
        Self { home, code, slots, key, header, sealed, body }
    }

    fn keys(&self) -> PathBuf {
        self.home.path().join("keys")
    }

    fn open(&self) -> KeyringFolder {
        KeyringFolder::open(self.keys(), &MasterSource::plain(self.keys().join(MASTER))).unwrap()
    }

    fn master_text(&self) -> String {
        fs::read_to_string(self.keys().join(MASTER)).unwrap()
    }

    /// What was sealed in the beginning opens, read from the disk.
    fn assert_opens(&self, keyring: &KeyringFolder) {
        let header = keyring.unseal_header(self.slots.first().unwrap(), binding(), &self.sealed).unwrap();
        assert_eq!(header, self.header);
        let body = keyring.open_body(month(), PLACE, &self.body).unwrap();
        assert_eq!(body, OpenedBody::Plain(b"events".to_vec()));
        assert_eq!(keyring.open_header(&self.code, &header).unwrap().expose(), self.key.expose());
        for slot in &self.slots {
            keyring.seal_header(slot, binding(), b"more").unwrap();
        }
    }

    fn key_files(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for folder in [ORGANISATIONS, SHRED, BODIES] {
            for entry in fs::read_dir(self.keys().join(folder)).unwrap() {
                found.push(entry.unwrap().path());
            }
        }
        found
    }

    fn opens_with(&self, identity: &Identity) -> usize {
        self.key_files().iter().filter(|path| age::decrypt(identity, &fs::read(path).unwrap()).is_ok()).count()
    }
}

fn first_identity(text: &str) -> Identity {
    text.lines().next().unwrap().parse().unwrap()
}

#[test]
fn after_a_rotation_the_old_master_opens_nothing_and_the_new_one_everything() {
    let fixture = Fixture::new();
    let keyring = fixture.open();
    let old = first_identity(&fixture.master_text());
    assert_eq!(fixture.opens_with(&old), 7);
    keyring.begin_master_rotation().unwrap();
    assert!(keyring.is_master_rotating());
    fixture.assert_opens(&keyring);
    let done = keyring.rewrap_to_master().unwrap();
    assert_eq!(done, Rewrapped { organisations: 1, shred_keys: 5, body_keys: 1 });
    keyring.forget_older_masters().unwrap();
    assert!(!keyring.is_master_rotating());
    fixture.assert_opens(&keyring);
    fixture.assert_opens(&fixture.open());
    assert_eq!(fixture.opens_with(&old), 0);
    assert_eq!(fixture.opens_with(&first_identity(&fixture.master_text())), 7);
    assert_eq!(fixture.master_text().lines().count(), 1);
    assert!(!fixture.master_text().contains(old.to_string().expose_secret()));
    let mode = fs::metadata(fixture.keys().join(MASTER)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
}

#[test]
fn a_rotation_that_was_cut_off_after_any_file_goes_on() {
    for files_done in 0..=6 {
        let fixture = Fixture::new();
        let keyring = fixture.open();
        keyring.begin_master_rotation().unwrap();
        for path in fixture.key_files().iter().take(files_done) {
            let (secret, _) = keyring.masters.open_file(path).unwrap();
            files::replace_durably(path, &keyring.masters.seal(&secret).unwrap()).unwrap();
        }
        // what a write that was cut off leaves
        let cut_off = fixture.keys().join(ORGANISATIONS).join("own.age.tmp");
        fs::write(&cut_off, b"half").unwrap();
        drop(keyring);
        let keyring = fixture.open();
        assert!(keyring.is_master_rotating(), "{files_done}");
        assert!(!cut_off.exists());
        fixture.assert_opens(&keyring);
        // asked again, it makes no third master
        let before = fixture.master_text();
        keyring.begin_master_rotation().unwrap();
        assert_eq!(fixture.master_text(), before);
        let done = keyring.rewrap_to_master().unwrap();
        assert_eq!(done.organisations + done.shred_keys, 6 - files_done);
        keyring.forget_older_masters().unwrap();
        fixture.assert_opens(&fixture.open());
        assert_eq!(fixture.opens_with(&first_identity(&fixture.master_text())), 7);
    }
}

#[test]
fn the_old_master_is_not_forgotten_while_a_key_is_under_it() {
    let fixture = Fixture::new();
    let keyring = fixture.open();
    keyring.begin_master_rotation().unwrap();
    let error = keyring.forget_older_masters().unwrap_err().to_string();
    assert!(error.contains("7 keys"), "{error}");
    assert!(keyring.is_master_rotating());
    fixture.assert_opens(&fixture.open());
}

#[test]
fn a_key_that_is_destroyed_during_a_rotation_stays_gone() {
    let fixture = Fixture::new();
    let keyring = fixture.open();
    keyring.begin_master_rotation().unwrap();
    keyring.destroy_slot(fixture.slots.first().unwrap()).unwrap();
    assert_eq!(keyring.rewrap_to_master().unwrap().shred_keys, 4);
    keyring.forget_older_masters().unwrap();
    assert_eq!(fixture.open().living_slots().unwrap(), fixture.slots.get(1..).unwrap());
}

#[test]
fn what_a_key_file_held_is_overwritten_unless_it_has_another_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    files::write_durably(&path, b"old secret").unwrap();
    let before = fs::File::open(&path).unwrap();
    files::replace_durably(&path, b"new").unwrap();
    let mut held = [1; 10];
    before.read_exact_at(&mut held, 0).unwrap();
    assert_eq!(held, [0; 10]);
    let copy = folder.path().join("copy");
    fs::hard_link(&path, &copy).unwrap();
    files::replace_durably(&path, b"newer").unwrap();
    assert_eq!((fs::read(&copy).unwrap(), fs::read(&path).unwrap()), (b"new".to_vec(), b"newer".to_vec()));
}

fn with_passphrase(file: PathBuf, passphrase: &'static str) -> MasterSource {
    let passphrase = move || Ok(Zeroizing::new(passphrase.to_owned()));
    MasterSource { file, is_credential: false, passphrase: Box::new(passphrase) }
}

#[test]
fn a_master_under_a_passphrase_opens_with_it_alone_and_stays_under_it() {
    let fixture = Fixture::new();
    let master = fixture.keys().join(MASTER);
    let mut recipient = age::scrypt::Recipient::new(PASSPHRASE.to_owned().into());
    recipient.set_work_factor(4);
    fs::write(&master, age::encrypt(&recipient, fixture.master_text().as_bytes()).unwrap()).unwrap();
    let open = |passphrase| KeyringFolder::open(fixture.keys(), &with_passphrase(master.clone(), passphrase));
    assert!(open("wrong").is_err());
    let unconfigured = KeyringFolder::open(fixture.keys(), &MasterSource::plain(master.clone()));
    assert!(unconfigured.err().unwrap().to_string().contains("passphrase"));
    let keyring = open(PASSPHRASE).unwrap();
    fixture.assert_opens(&keyring);
    keyring.begin_master_rotation().unwrap();
    keyring.rewrap_to_master().unwrap();
    keyring.forget_older_masters().unwrap();
    assert!(fs::read(&master).unwrap().starts_with(b"age-encryption.org/"));
    fixture.assert_opens(&open(PASSPHRASE).unwrap());
}

#[test]
fn a_credential_is_rotated_by_whoever_writes_it() {
    let fixture = Fixture::new();
    let credential = fixture.home.path().join("credential");
    fs::rename(fixture.keys().join(MASTER), &credential).unwrap();
    let source = || MasterSource { is_credential: true, ..MasterSource::plain(credential.clone()) };
    let keyring = KeyringFolder::open(fixture.keys(), &source()).unwrap();
    let refused = keyring.begin_master_rotation().unwrap_err().to_string();
    assert!(refused.contains("credential"), "{refused}");
    let old = fs::read_to_string(&credential).unwrap();
    let new = Identity::generate();
    let both = format!("{}\n{old}", new.to_string().expose_secret());
    fs::write(&credential, &both).unwrap();
    let keyring = KeyringFolder::open(fixture.keys(), &source()).unwrap();
    assert!(keyring.is_master_rotating());
    assert_eq!(keyring.rewrap_to_master().unwrap(), Rewrapped { organisations: 1, shred_keys: 5, body_keys: 1 });
    keyring.forget_older_masters().unwrap();
    assert_eq!(fs::read_to_string(&credential).unwrap(), both);
    assert_eq!((fixture.opens_with(&first_identity(&old)), fixture.opens_with(&new)), (0, 7));
    fixture.assert_opens(&keyring);
}

#[test]
fn a_new_identity_makes_new_headers_and_the_old_one_opens_its_own_until_it_is_forgotten() {
    let fixture = Fixture::new();
    let keyring = fixture.open();
    let now = Moment::from_millis(77);
    keyring.begin_organisation_rotation(&fixture.code, now).unwrap();
    keyring.begin_organisation_rotation(&fixture.code, Moment::from_millis(88)).unwrap();
    // read again from the disk, as after a crash
    let keyring = fixture.open();
    assert_eq!(keyring.rotating_organisations().unwrap(), vec![(fixture.code.clone(), now)]);
    assert_eq!(keyring.open_header(&fixture.code, &fixture.header).unwrap().expose(), fixture.key.expose());
    let fresh = keyring.rewrap_header(&fixture.code, &fixture.header).unwrap().unwrap();
    assert_eq!(keyring.rewrap_header(&fixture.code, &fresh).unwrap(), None);
    keyring.forget_older_identities(&fixture.code).unwrap();
    for keyring in [keyring, fixture.open()] {
        assert!(keyring.rotating_organisations().unwrap().is_empty());
        assert!(keyring.open_header(&fixture.code, &fixture.header).is_err());
        assert_eq!(keyring.open_header(&fixture.code, &fresh).unwrap().expose(), fixture.key.expose());
    }
}

#[test]
fn facts_tell_of_every_key_and_of_no_secret() {
    let fixture = Fixture::new();
    let keyring = fixture.open();
    let facts = keyring.facts().unwrap();
    let count = |kind: &str| facts.iter().filter(|fact| fact.kind == kind).count();
    assert_eq!((count("master"), count("organisation identity"), count("shred key")), (1, 1, 5));
    assert!(facts.iter().all(|fact| fact.since.is_some()));
    let secret = fixture.master_text();
    assert!(!format!("{facts:?}").contains(secret.trim()) && !format!("{facts:?}").contains("SECRET"));
    // sealing anew does not make a key younger
    keyring.begin_master_rotation().unwrap();
    keyring.rewrap_to_master().unwrap();
    keyring.forget_older_masters().unwrap();
    let of_days = |facts: Vec<KeyFact>| facts.into_iter().filter(|fact| fact.kind == "shred key").collect::<Vec<_>>();
    assert_eq!(of_days(keyring.facts().unwrap()), of_days(facts));
}
