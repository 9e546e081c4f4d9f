//! The end of personal data in the history, over a catalog and keys on disk: once
//! the period of a class is over, neither the home nor a copy of it without
//! `keys/bodies` gives an address or a client, with every key that is left.

use std::fs;
use std::path::Path;

use postkluis::adapters::catalog_journal::{CatalogJournal, JournalSettings};
use postkluis::adapters::keyring_folder::{KeyringFolder, MasterSource};
use postkluis::adapters::one_time_codes_totp::OneTimeCodesTotp;
use postkluis::adapters::passwords_argon2::{KnownPasswords, PasswordsArgon2};
use postkluis::domain::bodies::BodySlot;
use postkluis::domain::history::HistoryLine;
use postkluis::operations::MonthlyBodies;
use postkluis::operations::{Keyring, MailOutcome, NoChecks};

use super::*;

const CLIENT: &str = "ZeldzameKlant_9";
const ADDRESS: [u8; 16] = [0x20, 0x01, 0x0d, 0xb8, 0x5e, 0xc2, 0xe7, 0xa1, 0, 0x77, 0, 0x66, 0, 0x55, 0, 0x44];

/// Operations over a home on disk; what is not about the history is in memory.
pub(super) struct Home {
    clock: Arc<FixedClock>,
    keyring: Arc<dyn Keyring>,
    mailer: Arc<MemoryMailer>,
    pub(super) operations: Operations,
}

impl Home {
    pub(super) fn make(folder: &Path) -> Self {
        KeyringFolder::create(&folder.join("keys")).unwrap();
        let home = Self::open(folder, START);
        let new = NewOrganisation { code: org("one"), name: line("one"), oin: None, kvk: None, mail_domains: vec![] };
        home.operations.add_organisation(new, CHANNEL).unwrap();
        let new = NewAccount {
            login: login("one-robot"),
            organisation: org("one"),
            kind: AccountKind::Machine { owner: EmailAddress::parse("owner@one.example").unwrap() },
            is_administrator: false,
            language: Language::Dutch,
        };
        home.operations.add_account(new, CHANNEL).unwrap();
        home.operations.add_key(&login("one-robot"), "SHA256:key", "ssh-ed25519 AAAA", None, CHANNEL).unwrap();
        home
    }

    pub(super) fn open(folder: &Path, now: Moment) -> Self {
        let clock = Arc::new(FixedClock::at(now));
        let keys = folder.join("keys");
        let master = MasterSource::plain(KeyringFolder::master_in(&keys));
        let opened = Arc::new(KeyringFolder::open(keys, &master).unwrap());
        let keyring: Arc<dyn Keyring> = Arc::<KeyringFolder>::clone(&opened);
        let bodies = MonthlyBodies::new(Arc::clone(&keyring), Arc::<FixedClock>::clone(&clock));
        let settings = JournalSettings {
            reserve_bytes: 0,
            segment_bytes: 3_000,
            snapshot_after_bytes: 1,
            ..JournalSettings::default()
        };
        let catalog = CatalogJournal::open_sealing(&folder.join("catalog"), settings, || Ok(Arc::new(bodies)));
        let vault = Arc::new(MemoryVault::new());
        let mailer = Arc::new(MemoryMailer::new());
        let ports = Ports {
            catalog: Arc::new(catalog.unwrap()),
            unfinished: Arc::new(MemoryUnfinished::new(Arc::<MemoryVault>::clone(&vault))),
            vault,
            keyring: Arc::clone(&keyring),
            clock: Arc::<FixedClock>::clone(&clock),
            entropy: Arc::new(CountingEntropy::new()),
            mailer: Arc::<MemoryMailer>::clone(&mailer),
            passwords: Arc::new(PasswordsArgon2::new(CHEAP, KnownPasswords::of_lines("")).unwrap()),
            codes: Arc::new(OneTimeCodesTotp),
            passkeys: Arc::new(MemoryPasskeys::default()),
            office_passkeys: Arc::new(MemoryPasskeys::default()),
            secrets: Arc::<KeyringFolder>::clone(&opened),
            signer: opened,
            checker: Arc::new(NoChecks),
            handover: Arc::new(MemoryHandover::new()),
        };
        Self { clock, keyring, mailer, operations: Operations::new(ports, settings_of_world()) }
    }

    pub(super) fn sign_in(&self) {
        let visitor = Visitor { address: IpAddr::from(ADDRESS), client: Some(CLIENT.to_owned()) };
        drop(self.operations.sign_in_with_key("one-robot", "SHA256:key", &visitor).unwrap());
    }

    /// Publishes `text` to the account's organisation.
    fn publish(&self, key: &str) -> Published {
        self.operations.publish(&offer(key, "daily", &["one"], vec![file("a.csv", b"text")])).unwrap()
    }

    fn agree(&self) {
        let new = NewProduct {
            code: product("daily"),
            name: line("daily"),
            retention: Span::from_days(30),
            requires_marker: false,
            accepts_uploads: false,
            end_to_end: false,
        };
        self.operations.add_product(new, CHANNEL).unwrap();
        let new = NewAgreement {
            organisation: org("one"),
            product: product("daily"),
            purpose: line("testing"),
            retention: None,
            from: None,
            until: None,
            end_to_end: false,
            history_hidden: false,
        };
        self.operations.add_agreement(new, CHANNEL).unwrap();
        self.operations.couple(&login("one-robot"), None, &product("daily"), CHANNEL).unwrap();
    }

    /// Lets time pass in steps, as a server that runs sees it.
    pub(super) fn pass(&self, days: u64) {
        for _ in 0..days {
            self.clock.advance(Span::from_days(1));
            let _ = self.operations.now();
        }
    }

    pub(super) fn history(&self) -> Vec<HistoryLine> {
        self.operations.history(&HistoryQuery { limit: 1_000, ..HistoryQuery::default() }).unwrap()
    }

    pub(super) fn count(&self, word: &str) -> usize {
        self.history().iter().filter(|line| line.event.what.word() == word).count()
    }
}

fn copy(from: &Path, to: &Path, without: &str) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() == without {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()), without);
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

fn holds(folder: &Path, wanted: &[u8]) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds(&path, wanted);
        }
        fs::read(path).unwrap().windows(wanted.len()).any(|part| part == wanted)
    })
}

/// Three sessions in November, one in December; then the day before the keys of November are due.
fn lived(folder: &Path) -> Home {
    let home = Home::make(folder);
    for _ in 0..3 {
        home.sign_in();
    }
    home.pass(20);
    home.sign_in();
    // November ends a week after the start; sign-ins are kept for 365 days after that
    home.pass(352);
    assert!(home.operations.enforce_retention().unwrap().bodies_destroyed.is_empty());
    assert_eq!(home.count("signed-in"), 4);
    home
}

#[test]
fn who_signed_in_ends_with_the_key_of_the_month_in_every_copy() {
    let (folder, thief) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let home = lived(folder.path());
    copy(folder.path(), thief.path(), "bodies");
    let before = home.history();
    home.pass(1);
    let preview = home.operations.preview_retention().unwrap();
    assert_eq!(preview.bodies_destroyed, ["signins-202611"]);
    assert_eq!(home.count("signed-in"), 4, "a preview changes nothing");
    let report = home.operations.enforce_retention().unwrap();
    assert_eq!(report.bodies_destroyed, ["signins-202611"]);
    assert!(home.operations.enforce_retention().unwrap().bodies_destroyed.is_empty());
    let told = |home: &Home| {
        assert_eq!(
            (home.count("signed-in"), home.count("event-destroyed"), home.count("body-key-destroyed")),
            (1, 3, 1)
        );
        for (line, was) in home.history().iter().zip(&before) {
            assert_eq!((line.sequence, line.at), (was.sequence, was.at));
        }
        let states = home.operations.body_keys().unwrap();
        let ended: Vec<_> = states.iter().filter(|state| state.key.destroyed_at.is_some()).collect();
        assert_eq!(ended.len(), 1);
        assert_eq!(ended[0].kept_until.to_string(), "2027-12-01T00:00:00Z");
    };
    told(&home);
    let now = home.operations.now();
    drop(home);
    // rebuilt from the journal, and once more from a snapshot
    fs::remove_file(folder.path().join("catalog/closed")).unwrap();
    let home = Home::open(folder.path(), now);
    assert!(home.operations.recover().unwrap().lost_body_keys.is_empty());
    told(&home);
    drop(home);
    for (whose, place) in [("the home", folder.path()), ("the copy", thief.path())] {
        for wanted in [CLIENT.as_bytes(), &ADDRESS] {
            assert!(!holds(place, wanted), "{whose} holds {}", String::from_utf8_lossy(wanted));
        }
    }
    // the copy of the catalog with the keys that are left tells no more of November
    fs::create_dir_all(thief.path().join("keys/bodies")).unwrap();
    fs::copy(folder.path().join("keys/bodies/.destroyed"), thief.path().join("keys/bodies/.destroyed")).unwrap();
    for name in fs::read_dir(folder.path().join("keys/bodies")).unwrap().map(|entry| entry.unwrap().file_name()) {
        let to = thief.path().join("keys/bodies").join(&name);
        fs::copy(folder.path().join("keys/bodies").join(&name), to).unwrap();
    }
    let copy = Home::open(thief.path(), now);
    assert_eq!((copy.count("signed-in"), copy.count("event-destroyed")), (1, 3));
}

#[test]
fn a_destruction_that_is_cut_off_anywhere_is_completed_once() {
    let list = "keys/bodies/.destroyed";
    let key = "keys/bodies/signins-202611";
    type Cut = fn(&Path, &Home);
    let cuts: [(&str, Cut); 4] = [
        ("a line cut short", |home, _| fs::write(home.join("keys/bodies/.destroyed"), "signins-20").unwrap()),
        ("listed", |home, _| fs::write(home.join("keys/bodies/.destroyed"), "signins-202611\n").unwrap()),
        ("listed and overwritten", |home, _| {
            fs::write(home.join("keys/bodies/.destroyed"), "signins-202611\n").unwrap();
            let path = home.join("keys/bodies/signins-202611");
            let length = fs::metadata(&path).unwrap().len();
            fs::write(path, vec![0; usize::try_from(length).unwrap()]).unwrap();
        }),
        ("destroyed, not on record", |_, home| {
            home.keyring.destroy_body_key(BodySlot::parse("signins-202611").unwrap()).unwrap();
        }),
    ];
    for (what, cut) in cuts {
        let folder = tempfile::tempdir().unwrap();
        let home = lived(folder.path());
        home.pass(1);
        cut(folder.path(), &home);
        let now = home.operations.now();
        drop(home);
        let home = Home::open(folder.path(), now);
        // a year without a record: the operator says that the time is right
        assert!(home.operations.enforce_retention().unwrap().clock_not_trusted, "{what}");
        home.operations.confirm_time(CHANNEL).unwrap();
        let is_listed = what != "a line cut short";
        assert!(home.operations.recover().unwrap().lost_body_keys.is_empty(), "{what}");
        assert_eq!(home.count("event-destroyed"), if is_listed { 3 } else { 0 }, "{what}");
        assert_eq!(home.operations.enforce_retention().unwrap().bodies_destroyed, ["signins-202611"], "{what}");
        assert!(home.operations.enforce_retention().unwrap().bodies_destroyed.is_empty(), "{what}");
        assert_eq!((home.count("event-destroyed"), home.count("body-key-destroyed")), (3, 1), "{what}");
        assert!(!folder.path().join(key).exists(), "{what}");
        let listed = fs::read_to_string(folder.path().join(list)).unwrap();
        assert_eq!(listed.lines().filter(|line| *line == "signins-202611").count(), 1, "{what}");
    }
}

#[test]
fn nothing_ends_by_a_clock_that_is_not_trusted_and_a_lost_key_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let home = lived(folder.path());
    home.clock.set(START.after(Span::from_days(4_000)));
    let report = home.operations.enforce_retention().unwrap();
    assert!(report.clock_not_trusted && report.bodies_destroyed.is_empty());
    assert_eq!(home.count("event-destroyed"), 0);
    let now = home.operations.now();
    drop(home);
    fs::remove_file(folder.path().join("keys/bodies/signins-202612")).unwrap();
    let home = Home::open(folder.path(), now);
    let lost = home.operations.recover().unwrap().lost_body_keys;
    assert_eq!(lost.iter().map(ToString::to_string).collect::<Vec<_>>(), ["signins-202612"]);
    let fault = home.operations.history(&HistoryQuery { limit: 1_000, ..HistoryQuery::default() });
    assert!(fault.is_err(), "what is lost without a record is never passed over");
}

#[test]
fn the_master_is_rotated_with_keys_of_the_history() {
    let folder = tempfile::tempdir().unwrap();
    let home = lived(folder.path());
    let before = home.history();
    let done = home.operations.rotate_master(CHANNEL).unwrap();
    assert_eq!(done.body_keys, home.keyring.living_body_keys().unwrap().len());
    let now = home.operations.now();
    drop(home);
    let home = Home::open(folder.path(), now);
    assert_eq!(home.history().get(..before.len()), Some(before.as_slice()));
}

#[test]
fn whom_a_mail_was_to_and_what_the_relay_said_end_with_the_key_of_the_month() {
    const SAID: &str = "550 ZeldzaamAntwoord <owner@one.example>";
    let (folder, thief) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let home = Home::make(folder.path());
    home.agree();
    home.mailer.script(MailOutcome::Rejected(SAID.to_owned()));
    home.publish("rejected");
    assert_eq!(home.operations.send_due_mail(10).unwrap().failed, 1);
    home.pass(20);
    // December: one is sent, one waits for a relay that never comes
    home.publish("sent");
    assert_eq!(home.operations.send_due_mail(10).unwrap().sent, 1);
    home.publish("waits");
    let letters = |home: &Home| {
        let rows = home.operations.mail_queue(None).unwrap();
        rows.into_iter().map(|(mail, to)| (mail.letter.slot().unwrap().to_string(), to.unwrap())).collect::<Vec<_>>()
    };
    let (failed, others): (Vec<_>, Vec<_>) = letters(&home).into_iter().partition(|(slot, _)| slot == "mail-202611");
    assert_eq!((failed.len(), others.len()), (1, 2));
    assert_eq!(failed[0].1.to.as_str(), "owner@one.example");
    assert_eq!(failed[0].1.last_error.as_deref(), Some(SAID));
    // November's e-mails are kept for 180 days after its end
    home.pass(167);
    assert!(home.operations.enforce_retention().unwrap().bodies_destroyed.is_empty());
    copy(folder.path(), thief.path(), "bodies");
    home.pass(1);
    assert_eq!(home.operations.enforce_retention().unwrap().bodies_destroyed, ["mail-202611"]);
    assert_eq!((letters(&home).len(), home.count("mail-removed"), home.count("event-destroyed")), (2, 1, 1));
    // December's too, though one was never sent: it goes to nobody
    home.pass(31);
    assert_eq!(home.operations.enforce_retention().unwrap().bodies_destroyed, ["mail-202612"]);
    assert_eq!((letters(&home).len(), home.operations.waiting_mail(10).unwrap()), (0, 0));
    assert_eq!(home.operations.send_due_mail(10).unwrap(), postkluis::operations::MailRound::default());
    let now = home.operations.now();
    drop(home);
    fs::remove_file(folder.path().join("catalog/closed")).unwrap();
    let home = Home::open(folder.path(), now);
    assert!(home.operations.recover().unwrap().lost_body_keys.is_empty());
    assert!(letters(&home).is_empty(), "rebuilt from records whose e-mails cannot be opened any more");
    drop(home);
    for (whose, place) in [("the home", folder.path()), ("the copy", thief.path())] {
        assert!(!holds(place, b"ZeldzaamAntwoord"), "{whose} holds what the relay said");
    }
}
