//! Verbs: one `impl Operations` block per file, synchronous. Names ports and
//! domain only; every change goes through one catalog decision.

mod back_up;
mod block_access;
mod block_credentials;
mod browse;
mod browse_newest;
mod case;
mod check_deep;
mod collect_delivery;
mod compact_history;
mod connections;
mod documents;
mod end_bodies;
mod end_delivery;
mod enforce_retention;
mod expect_uploads;
mod fetch;
mod incidents;
mod instructions;
mod intake;
mod interrupt;
mod manage_accounts;
mod manage_agreements;
mod manage_organisations;
mod manage_products;
mod manage_rights;
mod mandates;
mod monthly_bodies;
mod note_strangers;
mod offer;
mod office;
mod organisation_card;
mod pause_windows;
mod people;
mod post;
mod publish_delivery;
mod publish_rule;
mod read_history;
mod repair_vault;
mod restrict;
mod rotate_keys;
mod scrub_vault;
mod send_notices;
mod sign_in;
mod sign_off;
mod steer_delivery;
mod sweep_vault;
mod tell_access;
mod tell_interruptions;
mod terms;
pub mod texts;
mod uploads;
mod zip_delivery;

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

pub use crate::ports::catalog::Catalog;
pub use crate::ports::checker::{Checked, Checker, NoChecks};
pub use crate::ports::clock::{Clock, Date};
pub use crate::ports::failure::{Failure, Fault};
pub use crate::ports::handover::Handover;
pub use crate::ports::keyring::{KeyFact, Keyring, Rewrapped};
pub use crate::ports::mailer::{MailOutcome, Mailer};
pub use crate::ports::one_time_codes::{Enrolment, OneTimeCodes};
pub use crate::ports::passkeys::Passkeys;
pub use crate::ports::passwords::Passwords;
pub use crate::ports::secrets::Secrets;
pub use crate::ports::signer::{Signer, VerifyingKey};
pub use crate::ports::source::Source;
pub use back_up::{BackupScope, RESTORE_GAP_DELIVERIES, RestoredState, shut_until_confirmed};
pub use block_access::StandingChange;
pub use block_credentials::Credential;
pub use browse::{DeliveryFilter, DeliveryView};
pub use browse_newest::{DeliveryWish, FoundDeliveries};
pub use check_deep::{VaultLook, look_at_vault};
pub use connections::{
    Attempt, AttemptOutcome, ConnectionSettings, JudgedKey, KeyView, LastUse, MachineView, NewMachine, TokenView,
};
pub use documents::{DocumentRead, DocumentSettings, MOST_DOCUMENTS};
pub use end_bodies::BodyKeyState;
pub use enforce_retention::RetentionReport;
pub use expect_uploads::{ExpectedView, NewExpectation};
pub use fetch::Fetch;
pub use incidents::{IncidentChange, IncidentReminder, IncidentView, IncidentsWanted};
pub use instructions::NewInstruction;
pub use intake::{CollectedRead, IntakeRound, IntakeSettings, Paper, ReceiptFile, ReceiptKey, ReceiptView, Tried};
pub use interrupt::{Closure, NewInterruption};
pub use manage_accounts::{NewAccount, NewToken, fingerprint};
pub use manage_agreements::NewAgreement;
pub use manage_organisations::{NewOrganisation, OrganisationChange};
pub use manage_products::{NewProduct, ProductChange, QuotaChange};
pub use mandates::{
    ClientCounts, ClientRights, ClientView, CopiedRight, MandateChange, MandateSheet, MandateView, NewMandate,
};
pub use monthly_bodies::MonthlyBodies;
pub use note_strangers::PenaltyImposed;
pub use offer::{Offer, OfferedFile, Published, PublishedDelivery, Recipients};
pub use office::{
    Confirming, NewOfficeMember, OfficeMemberView, OfficeVisit, Officer, PersonView, QueuedDelivery, QueuedMail,
    WorkQueue,
};
pub use organisation_card::OrganisationView;
pub use people::{
    Activation, Applicant, CouplableProduct, EmployerChoice, EndedSessions, Judge, LinkOffer, LinkRound, MemberView,
    OpenSession, OwnCredentials, OwnPasskey, OwnSignIn, PasswordAccepted, PeopleSettings, PortalVisit, RequestDraft,
    RequestLook, RequestView, RightsChange,
};
pub use repair_vault::{CopyOf, RepairReport};
pub use restrict::ServiceEnd;
pub use rotate_keys::OrganisationRotation;
pub use scrub_vault::ScrubReport;
pub use send_notices::MailRound;
pub use sign_in::Visitor;
pub use sweep_vault::Recovery;
pub use tell_access::Telling;
pub use terms::{AccountTerms, MachineTerms, NewTerms, TermsOverview, TermsState};
pub use uploads::{
    Announced, Announcement, NewUpload, OneUpload, Receiving, SeenFilter, SeenUpload, SeenUploads, SettledUploads,
    UploadFilter, UploadFrom, UploadMode, UploadRoom, UploadSettings, UploadView, UploadWish,
};
pub use zip_delivery::DeliveryZip;

use crate::domain::bodies::BodyPeriods;
use crate::domain::digest::Digest;
use crate::domain::history::{Channel, Who};
use crate::domain::ids::DeliveryId;
use crate::domain::moment::{Moment, Span};
use crate::domain::names::{LoginName, OrganisationCode};
use crate::domain::retention::ShredSlot;
use crate::domain::rights::Right;
use crate::domain::trust::ClockTrust;
use crate::ports::entropy::Entropy;
use crate::ports::unfinished::Unfinished;
use crate::ports::vault::Vault;
use case::{MOST_AGREEMENTS, agreement_in_force, case_of, with_presence};

/// Every port that the operations need.
pub struct Ports {
    /// The catalog.
    pub catalog: Arc<dyn Catalog>,
    /// Sealed payloads.
    pub vault: Arc<dyn Vault>,
    /// Files that are being uploaded.
    pub unfinished: Arc<dyn Unfinished>,
    /// Keys.
    pub keyring: Arc<dyn Keyring>,
    /// Time and calendar.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// E-mail.
    pub mailer: Arc<dyn Mailer>,
    /// Hashes of passwords.
    pub passwords: Arc<dyn Passwords>,
    /// One-time codes.
    pub codes: Arc<dyn OneTimeCodes>,
    /// Passkeys.
    pub passkeys: Arc<dyn Passkeys>,
    /// The same, bound to the address of the office.
    pub office_passkeys: Arc<dyn Passkeys>,
    /// Secrets that follow from a name.
    pub secrets: Arc<dyn Secrets>,
    /// The server's own signature.
    pub signer: Arc<dyn Signer>,
    /// Checks of participant files.
    pub checker: Arc<dyn Checker>,
    /// Where participant files reach the back office.
    pub handover: Arc<dyn Handover>,
}

/// Bounds and texts that the operations need; each has its default in the configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who writes the e-mails.
    pub sender: MailSender,
    /// Handles that were open when a window ended may go on so long.
    pub open_grace: Span,
    /// A shred key is destroyed so long after its slot closes.
    pub shred_delay: Span,
    /// How long events of each class are kept after the end of their month.
    pub history_kept: BodyPeriods,
    /// Coverage of a running fetch is made durable every so many bytes (64 MiB).
    pub coverage_step_bytes: u64,
    /// One account may have so many files open at once.
    pub max_open_fetches: usize,
    /// One delivery may hold so many files.
    pub max_files_per_delivery: usize,
    /// One file that is published has at most so many bytes.
    pub max_file_bytes: u64,
    /// Events an hour, of each kind, about those who were refused before they signed in.
    pub max_stranger_events: usize,
    /// One list answers at most so many rows.
    pub max_page: usize,
    /// Waits before each further try of an e-mail; after the last it is given up.
    pub mail_retries: Vec<Span>,
    /// Bounds and periods of uploads.
    pub uploads: UploadSettings,
    /// What becomes of received uploads.
    pub intake: IntakeSettings,
    /// A round of the check of the vault begins so long after the one before.
    pub scrub_every: Span,
    /// Bounds of documents of products.
    pub documents: DocumentSettings,
    /// One round of retention removes at most so many segments of the journal; 0 for none.
    pub compact_segments: usize,
    /// How people sign in.
    pub people: PeopleSettings,
    /// Accounts of before the first terms of use sign in to SFTP and the API for so long without accepting them.
    pub terms_grace: Span,
    /// Acts that matter most wait for a second person of the operator.
    pub four_eyes: bool,
    /// Periods and bounds of connections.
    pub connections: ConnectionSettings,
}

/// Who writes the e-mails.
#[derive(Clone, Debug, Default)]
pub struct MailSender {
    /// Name of the portal.
    pub portal: String,
    /// Name of the organisation that runs it.
    pub organisation: String,
    /// Web address of the portal.
    pub portal_url: String,
    /// E-mail address for questions; may be empty.
    pub contact_mail: String,
    /// Telephone number for questions; may be empty.
    pub contact_phone: String,
    /// Web address of the office.
    pub office_url: String,
}

/// The verbs of the product. Shared by all fronts; every method may block on the disk.
pub struct Operations {
    catalog: Arc<dyn Catalog>,
    vault: Arc<dyn Vault>,
    unfinished: Arc<dyn Unfinished>,
    keyring: Arc<dyn Keyring>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    mailer: Arc<dyn Mailer>,
    passwords: Arc<dyn Passwords>,
    codes: Arc<dyn OneTimeCodes>,
    passkeys: Arc<dyn Passkeys>,
    office_passkeys: Arc<dyn Passkeys>,
    secrets: Arc<dyn Secrets>,
    signer: Arc<dyn Signer>,
    checker: Arc<dyn Checker>,
    handover: Arc<dyn Handover>,
    post: Arc<post::Post>,
    settings: Settings,
    trust: Mutex<ClockTrust>,
    /// Up to here every shred key on record is destroyed; a start looks again from the first.
    destroyed_up_to: Mutex<Option<ShredSlot>>,
    trackers: Mutex<HashMap<(DeliveryId, u32), Weak<fetch::Tracker>>>,
    kept_trackers: Mutex<VecDeque<Arc<fetch::Tracker>>>,
    open_fetches: Mutex<HashMap<LoginName, usize>>,
    known_cases: case::KnownCases,
    strangers: note_strangers::Noted,
    uploads: uploads::LiveUploads,
    intake: intake::UnderWay,
    scrub: Mutex<scrub_vault::Scrub>,
    /// This start found that keys or payloads are missing.
    start_missed: AtomicBool,
    headers_in_hand: rotate_keys::HeadersInHand,
    attempts: people::Attempts,
    drafts: people::Drafts,
    pending: people::Pending,
    live_sessions: people::LiveSessions,
    sign_in_book: Arc<people::SignInBook>,
    enrolments: people::Enrolments,
    adding: people::Adding,
    forgotten: people::Forgotten,
    closures: interrupt::KnownClosures,
    pauses: pause_windows::Reached,
    known_terms: terms::KnownTerms,
    uses: connections::KnownUses,
    known_attempts: connections::KnownAttempts,
    checksums: zip_delivery::KnownChecksums,
}

/// Somebody who has signed in; only a sign-in makes one. Cheap to clone; holds no secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caller {
    /// The account.
    pub login: LoginName,
    /// Its organisation.
    pub organisation: OrganisationCode,
    /// How they came in.
    pub channel: Channel,
    /// From which address.
    pub address: IpAddr,
    /// Fingerprint of the key, or `token:<id>`.
    pub credential: String,
    /// What the client called itself.
    pub client: Option<String>,
    /// Rights that were coupled after this are not seen yet (C10); `None` for robots, who see them at once.
    pub rights_as_of: Option<Moment>,
    /// For whom an intermediary acts here and now; `None` for the own organisation.
    acts_for: Option<OrganisationCode>,
    proof: Proof,
}

/// What no front can make: a front that merely claims an account gets nowhere. Says which row they came in by, for
/// as long as that must go on to be valid.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Proof {
    /// The key of an SSH key's row, which the credential names.
    SshKey,
    /// The key of a token's row.
    Token(Digest),
    /// A session in the portal, which is looked after with its own row.
    WebSession,
}

impl Caller {
    /// The same caller where it acts for this client, and for nobody else: neither for the own organisation nor for
    /// another client. Whether it may is judged by every operation; whoever names no client acts for itself.
    #[must_use]
    pub fn for_client(&self, client: &OrganisationCode) -> Self {
        Self { acts_for: Some(client.clone()), ..self.clone() }
    }

    /// Whose deliveries, drop-box and history the caller reaches here: the client's, else the own organisation's.
    #[must_use]
    pub fn recipient(&self) -> &OrganisationCode {
        self.acts_for.as_ref().unwrap_or(&self.organisation)
    }

    /// The same caller where it acts for its own organisation.
    fn itself(&self) -> Self {
        Self { acts_for: None, ..self.clone() }
    }

    /// Whether a right counts for them already.
    fn sees(&self, right: &Right) -> bool {
        self.rights_as_of.is_none_or(|as_of| right.since <= as_of)
    }

    /// The caller as the history names it.
    #[must_use]
    pub fn who(&self) -> Who {
        Who {
            login: Some(self.login.clone()),
            organisation: Some(self.organisation.clone()),
            channel: self.channel,
            address: Some(self.address),
            credential: Some(self.credential.clone()),
            client: self.client.clone(),
        }
    }
}

impl Operations {
    /// Takes over the ports. Judges the clock against the last record (I10).
    #[must_use]
    pub fn new(ports: Ports, settings: Settings) -> Self {
        let reading = ports.clock.read();
        let trust = ClockTrust::at_start(reading.wall, reading.monotonic, ports.catalog.last_moment());
        let post = Arc::new(post::Post::new(Arc::clone(&ports.keyring), Arc::clone(&ports.clock)));
        let sign_in_book = people::SignInBook::new(Arc::clone(&ports.keyring), Arc::clone(&ports.clock));
        Self {
            post,
            catalog: ports.catalog,
            vault: ports.vault,
            unfinished: ports.unfinished,
            keyring: ports.keyring,
            clock: ports.clock,
            entropy: ports.entropy,
            mailer: ports.mailer,
            passwords: ports.passwords,
            codes: ports.codes,
            passkeys: ports.passkeys,
            office_passkeys: ports.office_passkeys,
            secrets: ports.secrets,
            signer: ports.signer,
            checker: ports.checker,
            handover: ports.handover,
            settings,
            trust: Mutex::new(trust),
            destroyed_up_to: Mutex::default(),
            trackers: Mutex::new(HashMap::new()),
            kept_trackers: Mutex::default(),
            open_fetches: Mutex::new(HashMap::new()),
            known_cases: case::KnownCases::default(),
            strangers: note_strangers::Noted::default(),
            uploads: uploads::LiveUploads::default(),
            intake: intake::UnderWay::default(),
            scrub: Mutex::default(),
            start_missed: AtomicBool::default(),
            headers_in_hand: rotate_keys::HeadersInHand::default(),
            attempts: people::Attempts::default(),
            drafts: people::Drafts::default(),
            pending: people::Pending::default(),
            live_sessions: people::LiveSessions::default(),
            sign_in_book: Arc::new(sign_in_book),
            enrolments: people::Enrolments::default(),
            adding: people::Adding::default(),
            forgotten: people::Forgotten::default(),
            closures: interrupt::KnownClosures::default(),
            pauses: pause_windows::Reached::default(),
            known_terms: terms::KnownTerms::default(),
            uses: connections::KnownUses::default(),
            known_attempts: connections::KnownAttempts::default(),
            checksums: zip_delivery::KnownChecksums::default(),
        }
    }

    /// The moment to put on record now (I10).
    #[must_use]
    pub fn now(&self) -> Moment {
        let reading = self.clock.read();
        locked(&self.trust).observe(reading.wall, reading.monotonic)
    }

    /// Whether the clock may destroy (I10).
    #[must_use]
    pub fn is_clock_trusted(&self) -> bool {
        let _ = self.now();
        locked(&self.trust).is_trusted()
    }

    /// The portal's calendar.
    #[must_use]
    pub fn calendar(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// Whether what is asked of the catalog would be answered at once.
    #[must_use]
    pub fn is_at_hand(&self) -> bool {
        self.catalog.is_at_hand()
    }

    /// A number that grows with every change of who may do or see what.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.catalog.version()
    }
}

/// The value behind a lock; a thread that panicked with it leaves it usable.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
