//! The operations over adapters in memory, with a clock that the test sets.
//! Every refusal also asserts that nothing was stored or mailed.

mod allow_lists;
mod announce;
mod blocks;
mod bodies;
mod cards;
mod checks;
mod collect;
mod compaction;
mod connections;
mod documents;
mod expected;
mod hidden;
mod incidents;
mod instructions;
mod intake;
mod interrupt;
mod mandates;
mod mandates_by_two;
mod office;
mod office_credentials;
mod on_behalf;
mod owners;
mod passkeys;
mod people;
mod proposals;
mod publish;
mod quota;
mod requests;
mod retention;
mod rotate;
mod search;
mod security;
mod seen;
mod sign_off;
mod steer;
mod terms;
mod told;
mod upload;
mod zip;

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};

use postkluis::adapters::memory::{
    CountingEntropy, FixedClock, MemoryCatalog, MemoryChecker, MemoryHandover, MemoryKeyring, MemoryMailer,
    MemoryPasskeys, MemoryUnfinished, MemoryVault,
};
use postkluis::adapters::one_time_codes_totp::OneTimeCodesTotp;
use postkluis::adapters::passwords_argon2::{HashCost, KnownPasswords, PasswordsArgon2};
use postkluis::domain::account::{AccountKind, Language};
use postkluis::domain::bodies::BodyPeriods;
use postkluis::domain::history::{Channel, HistoryQuery};
use postkluis::domain::moment::{Moment, Span};
use postkluis::domain::names::{EmailAddress, FileName, Line, LoginName, OrganisationCode, ProductCode};
use postkluis::domain::refusal::Refusal;
use postkluis::operations::DocumentSettings;
use postkluis::operations::{
    Caller, ConnectionSettings, Failure, IntakeSettings, MailSender, NewAccount, NewAgreement, NewOrganisation,
    NewProduct, Offer, OfferedFile, Operations, PeopleSettings, Ports, Published, Recipients, Settings, UploadSettings,
    Visitor,
};
use postkluis::ports::failure::Fault;
use postkluis::ports::keyring::Keyring as _;
use postkluis::ports::source::Source;
use postkluis::ports::vault::Vault;

/// 2026-11-23T10:00:00Z.
const START: Moment = Moment::from_millis(1_795_428_000_000);

const CHANNEL: Channel = Channel::CommandLine;

/// Hashes that cost next to nothing.
const CHEAP: HashCost = HashCost { memory_kib: 64, passes: 1 };

/// A small world with everything in memory.
struct World {
    operations: Arc<Operations>,
    clock: Arc<FixedClock>,
    catalog: Arc<MemoryCatalog>,
    vault: Arc<MemoryVault>,
    unfinished: Arc<MemoryUnfinished>,
    keyring: Arc<MemoryKeyring>,
    mailer: Arc<MemoryMailer>,
    checker: Arc<MemoryChecker>,
    handover: Arc<MemoryHandover>,
}

/// Content that may pretend to have changed.
struct Text {
    bytes: Vec<u8>,
    changed: Mutex<bool>,
}

impl Source for Text {
    fn open(&self) -> Result<Box<dyn Read + Send>, Fault> {
        Ok(Box::new(std::io::Cursor::new(self.bytes.clone())))
    }

    fn size_bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn verify_unchanged(&self) -> Result<(), Failure> {
        if *self.changed.lock().unwrap() { Err(Refusal::Changed("text".to_owned()).into()) } else { Ok(()) }
    }
}

fn org(code: &str) -> OrganisationCode {
    OrganisationCode::parse(code).unwrap()
}

fn product(code: &str) -> ProductCode {
    ProductCode::parse(code).unwrap()
}

fn login(login: &str) -> LoginName {
    LoginName::parse(login).unwrap()
}

fn line(text: &str) -> Line {
    Line::parse(text).unwrap()
}

fn name(text: &str) -> FileName {
    FileName::parse(text).unwrap()
}

fn file(file_name: &str, bytes: &[u8]) -> OfferedFile {
    OfferedFile { name: name(file_name), source: Arc::new(Text { bytes: bytes.to_vec(), changed: Mutex::new(false) }) }
}

fn offer(key: &str, product_code: &str, recipients: &[&str], files: Vec<OfferedFile>) -> Offer {
    Offer {
        source_key: key.to_owned(),
        product: product(product_code),
        recipients: if recipients.is_empty() {
            Recipients::All
        } else {
            Recipients::Listed(recipients.iter().map(|code| org(code)).collect())
        },
        files,
        period: None,
        counts: vec![(line("records"), 3)],
        sequence: None,
        replaces: None,
        skip_unready: false,
        channel: CHANNEL,
    }
}

fn refusal<T: std::fmt::Debug>(outcome: Result<T, Failure>) -> Refusal {
    match outcome {
        Err(Failure::Refused(refusal)) => refusal,
        other => panic!("a refusal was expected: {other:?}"),
    }
}

/// Bounds that a test reaches soon.
fn settings_of_world() -> Settings {
    Settings {
        sender: MailSender {
            portal: "Test".to_owned(),
            portal_url: "https://test.example".to_owned(),
            contact_mail: "contact@test.example".to_owned(),
            ..MailSender::default()
        },
        open_grace: Span::from_seconds(3_600),
        shred_delay: Span::from_days(1),
        history_kept: BodyPeriods {
            sign_ins: Span::from_days(365),
            fetches: Span::from_days(730),
            mail: Span::from_days(180),
            changes: Span::from_days(730),
        },
        coverage_step_bytes: 1_000,
        max_open_fetches: 4,
        max_files_per_delivery: 100,
        max_file_bytes: u64::MAX,
        max_stranger_events: 3,
        max_page: 1_000,
        mail_retries: vec![Span::from_seconds(60), Span::from_seconds(300)],
        uploads: UploadSettings {
            max_file_bytes: 1_000_000,
            max_unfinished: 3,
            max_account_bytes: 1_500_000,
            max_product_bytes: 2_000_000,
            max_extents: 64,
            max_early_bytes: 100_000,
            unfinished_kept: Span::from_days(7),
            resume_grace: Span::from_seconds(900),
            received_kept: Span::from_days(7),
            uncollected_kept: Span::from_days(90),
        },
        intake: IntakeSettings {
            settle: Span::from_seconds(5),
            duplicate_window: Span::from_days(7),
            cleared_after: Span::from_days(7),
            receipts_kept: Span::from_days(730),
            sealed_to: None,
            collect_only: vec![product("by-hand")],
        },
        scrub_every: Span::from_days(30),
        compact_segments: 16,
        four_eyes: false,
        documents: DocumentSettings { max_per_product: 3, max_bytes: 100_000 },
        people: PeopleSettings {
            idle_timeout: Span::from_seconds(1_200),
            session_lasts: Span::from_seconds(28_800),
            min_password_chars: 12,
            max_sessions_per_account: 2,
            attempts: 3,
            refused_mail_domains: vec!["school.example".to_owned()],
            max_requests: 20,
        },
        terms_grace: Span::from_days(42),
        connections: ConnectionSettings {
            max_machines: 4,
            token_lasts: Span::from_days(90),
            max_token_lasts: Span::from_days(365),
            warn_before: Span::from_days(30),
        },
    }
}

impl World {
    /// Organisations `one`, `two`, `sealed` (end to end, no key yet); products `daily` (30 days) and
    /// `short` (10 s); `one-robot`, `two-robot` and `sealed-robot`, each coupled to `daily`.
    fn new() -> Self {
        Self::with(settings_of_world())
    }

    /// The same, where two people of the operator are asked.
    fn with_two() -> Self {
        Self::with(Settings { four_eyes: true, ..settings_of_world() })
    }

    fn with(settings: Settings) -> Self {
        let clock = Arc::new(FixedClock::at(START));
        let (vault, mailer) = (Arc::new(MemoryVault::new()), Arc::new(MemoryMailer::new()));
        let unfinished = Arc::new(MemoryUnfinished::new(Arc::<MemoryVault>::clone(&vault)));
        let keyring = Arc::new(MemoryKeyring::new());
        let (checker, handover) = (Arc::new(MemoryChecker::new()), Arc::new(MemoryHandover::new()));
        let catalog = Arc::new(MemoryCatalog::new());
        let ports = Ports {
            catalog: Arc::<MemoryCatalog>::clone(&catalog),
            vault: Arc::<MemoryVault>::clone(&vault),
            unfinished: Arc::<MemoryUnfinished>::clone(&unfinished),
            keyring: Arc::<MemoryKeyring>::clone(&keyring),
            clock: Arc::<FixedClock>::clone(&clock),
            entropy: Arc::new(CountingEntropy::new()),
            mailer: Arc::<MemoryMailer>::clone(&mailer),
            passwords: Arc::new(
                PasswordsArgon2::new(CHEAP, KnownPasswords::of_lines("a password from a breach\n")).unwrap(),
            ),
            codes: Arc::new(OneTimeCodesTotp),
            passkeys: Arc::new(MemoryPasskeys::default()),
            office_passkeys: Arc::new(MemoryPasskeys::default()),
            secrets: Arc::<MemoryKeyring>::clone(&keyring),
            signer: Arc::<MemoryKeyring>::clone(&keyring),
            checker: Arc::<MemoryChecker>::clone(&checker),
            handover: Arc::<MemoryHandover>::clone(&handover),
        };
        let operations = Arc::new(Operations::new(ports, settings));
        let world = Self { operations, clock, catalog, vault, unfinished, keyring, mailer, checker, handover };
        world.populate();
        world
    }

    /// Another server over what this one left, with other settings.
    fn restarted_with(&self, change: impl FnOnce(&mut Settings)) -> Operations {
        let ports = Ports {
            catalog: Arc::<MemoryCatalog>::clone(&self.catalog),
            vault: Arc::<MemoryVault>::clone(&self.vault),
            unfinished: Arc::<MemoryUnfinished>::clone(&self.unfinished),
            keyring: Arc::<MemoryKeyring>::clone(&self.keyring),
            clock: Arc::<FixedClock>::clone(&self.clock),
            entropy: Arc::new(CountingEntropy::new()),
            mailer: Arc::<MemoryMailer>::clone(&self.mailer),
            passwords: Arc::new(PasswordsArgon2::new(CHEAP, KnownPasswords::of_lines("")).unwrap()),
            codes: Arc::new(OneTimeCodesTotp),
            passkeys: Arc::new(MemoryPasskeys::default()),
            office_passkeys: Arc::new(MemoryPasskeys::default()),
            secrets: Arc::<MemoryKeyring>::clone(&self.keyring),
            signer: Arc::<MemoryKeyring>::clone(&self.keyring),
            checker: Arc::<MemoryChecker>::clone(&self.checker),
            handover: Arc::<MemoryHandover>::clone(&self.handover),
        };
        let mut settings = settings_of_world();
        change(&mut settings);
        Operations::new(ports, settings)
    }

    fn populate(&self) {
        let operations = &self.operations;
        for (code, retention) in [("daily", Span::from_days(30)), ("short", Span::from_seconds(10))] {
            let new = NewProduct {
                code: product(code),
                name: line(code),
                retention,
                requires_marker: false,
                accepts_uploads: false,
                end_to_end: false,
            };
            operations.add_product(new, CHANNEL).unwrap();
        }
        for code in ["one", "two", "sealed"] {
            let new = NewOrganisation { code: org(code), name: line(code), oin: None, kvk: None, mail_domains: vec![] };
            operations.add_organisation(new, CHANNEL).unwrap();
            for product_code in ["daily", "short"] {
                self.agree(code, product_code, code == "sealed");
            }
            let owner = EmailAddress::parse(&format!("owner@{code}.example")).unwrap();
            let new = NewAccount {
                login: login(&format!("{code}-robot")),
                organisation: org(code),
                kind: AccountKind::Machine { owner },
                is_administrator: false,
                language: Language::Dutch,
            };
            operations.add_account(new, CHANNEL).unwrap();
            operations.couple(&login(&format!("{code}-robot")), None, &product("daily"), CHANNEL).unwrap();
            operations
                .add_key(&login(&format!("{code}-robot")), "SHA256:key", "ssh-ed25519 AAAA", None, CHANNEL)
                .unwrap();
        }
    }

    fn agree(&self, code: &str, product_code: &str, end_to_end: bool) {
        let new = NewAgreement {
            organisation: org(code),
            product: product(product_code),
            purpose: line("testing"),
            retention: None,
            from: None,
            until: None,
            end_to_end,
            history_hidden: false,
        };
        self.operations.add_agreement(new, CHANNEL).unwrap();
    }

    /// Lets in a caller that a test makes of another one: by a key of its own account, as far as that is there.
    fn let_in(&self, caller: &Caller) {
        let (login, fingerprint) = (&caller.login, &caller.credential);
        match self.operations.add_key(login, fingerprint, "ssh-ed25519 AAAA", None, CHANNEL) {
            Ok(_) | Err(Failure::Refused(Refusal::Exists(..) | Refusal::NotFound(_))) => {}
            Err(failure) => panic!("{failure}"),
        }
    }

    fn caller(&self, code: &str) -> Caller {
        let visitor = Visitor { address: IpAddr::V4(Ipv4Addr::LOCALHOST), client: Some("test".to_owned()) };
        self.operations.sign_in_with_key(&format!("{code}-robot"), "SHA256:key", &visitor).unwrap()
    }

    fn publish(&self, key: &str, recipients: &[&str], files: Vec<OfferedFile>) -> Published {
        self.operations.publish(&offer(key, "daily", recipients, files)).unwrap()
    }

    /// The names in the caller's outbox folder of `daily`.
    fn names(&self, code: &str) -> Vec<String> {
        let caller = self.caller(code);
        let page = self.operations.outbox_page(&caller, &org(code), &product("daily"), None, 1_000).unwrap();
        page.into_iter().map(|entry| entry.name.to_string()).collect()
    }

    /// Opens, reads and closes a whole file by its name, as a client whose bytes were all taken.
    fn fetch(&self, caller: &Caller, file_name: &str) -> Result<Vec<u8>, Failure> {
        let entry = self.operations.outbox_entry(caller, &caller.organisation, &product("daily"), &name(file_name))?;
        let fetch = self.operations.open_part(caller, entry.delivery, entry.part)?;
        let mut bytes = vec![0; usize::try_from(fetch.size_bytes()).unwrap()];
        let length = fetch.read(0, &mut bytes)?;
        assert_eq!(length, bytes.len());
        fetch.taken(0, length)?;
        fetch.close()?;
        Ok(bytes)
    }

    /// The words of the whole history, oldest first.
    fn history(&self) -> Vec<&'static str> {
        let query = HistoryQuery { limit: 1_000, ..HistoryQuery::default() };
        self.operations.history(&query).unwrap().iter().map(|line| line.event.what.word()).collect()
    }

    fn payloads(&self) -> usize {
        self.vault.inventory().unwrap().len()
    }

    fn mails(&self) -> usize {
        self.operations.mail_queue(None).unwrap().len()
    }
}
