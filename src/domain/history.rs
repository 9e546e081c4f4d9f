//! History events: what happened, who did it, what it was about. The history
//! is append-only; it never holds file contents, secrets or citizen numbers.

use core::fmt;
use core::net::IpAddr;

use super::ids::{DeliveryId, PublicationId};
use super::moment::Moment;
use super::names::{FileName, LoginName, OrganisationCode, ProductCode};

/// One thing that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// What.
    pub what: Happening,
    /// Who did it, and how they came in.
    pub who: Who,
    /// What it was about.
    pub about: About,
    /// Particulars.
    pub detail: Detail,
}

macro_rules! happenings {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $word:literal;)*) => {
        /// Kinds of events. Numbers are part of the disk form and never reused.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Happening {
            $($(#[$doc])* $name,)*
        }

        impl Happening {
            /// Every kind, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The number of the disk form.
            #[must_use]
            pub const fn number(self) -> u16 {
                match self { $(Self::$name => $number,)* }
            }

            /// The kind with this number.
            #[must_use]
            pub const fn from_number(number: u16) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }

            /// The word shown in lists, JSON and CSV.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }
        }
    };
}

happenings! {
    /// An organisation was added.
    OrganisationAdded = 1, "organisation-added";
    /// An organisation's data were changed.
    OrganisationChanged = 2, "organisation-changed";
    /// An organisation was blocked.
    OrganisationBlocked = 3, "organisation-blocked";
    /// An organisation's block was lifted.
    OrganisationUnblocked = 4, "organisation-unblocked";
    /// An organisation was ended.
    OrganisationEnded = 5, "organisation-ended";
    /// A recipient key was added.
    RecipientKeyAdded = 6, "recipient-key-added";
    /// A recipient key was retired.
    RecipientKeyRetired = 7, "recipient-key-retired";
    /// A product was added.
    ProductAdded = 10, "product-added";
    /// A product was changed.
    ProductChanged = 11, "product-changed";
    /// An agreement was added.
    AgreementAdded = 12, "agreement-added";
    /// An agreement was ended.
    AgreementEnded = 13, "agreement-ended";
    /// An account was added.
    AccountAdded = 20, "account-added";
    /// An account was blocked.
    AccountBlocked = 21, "account-blocked";
    /// An account's block was lifted.
    AccountUnblocked = 22, "account-unblocked";
    /// An account was ended.
    AccountEnded = 23, "account-ended";
    /// An SSH key was added.
    KeyAdded = 24, "key-added";
    /// An SSH key was revoked.
    KeyRevoked = 25, "key-revoked";
    /// An API token was added.
    TokenAdded = 26, "token-added";
    /// An API token was revoked.
    TokenRevoked = 27, "token-revoked";
    /// A right was coupled.
    RightCoupled = 28, "right-coupled";
    /// A right was decoupled.
    RightDecoupled = 29, "right-decoupled";
    /// A session began.
    SignedIn = 30, "signed-in";
    /// A session ended.
    SignedOut = 31, "signed-out";
    /// A known account was refused at the door.
    SignInRefused = 32, "sign-in-refused";
    /// A delivery appeared in an outbox.
    DeliveryPublished = 40, "delivery-published";
    /// A drop or publication was refused.
    PublicationRefused = 41, "publication-refused";
    /// A delivery was withdrawn.
    DeliveryWithdrawn = 42, "delivery-withdrawn";
    /// A delivery was replaced by a corrected one.
    DeliveryReplaced = 43, "delivery-replaced";
    /// A delivery's window was extended.
    DeliveryExtended = 44, "delivery-extended";
    /// A delivery is kept from destruction.
    DeliveryHeld = 45, "delivery-held";
    /// A hold was released.
    DeliveryReleased = 46, "delivery-released";
    /// A delivery's window ended.
    DeliveryExpired = 47, "delivery-expired";
    /// A delivery's shred key was destroyed.
    DeliveryShredded = 48, "delivery-shredded";
    /// A publication left an organisation out: it cannot receive now, and the publisher allowed that.
    RecipientLeftOut = 49, "recipient-left-out";
    /// A first byte of a file left.
    FetchStarted = 50, "fetch-started";
    /// The last uncovered byte of a file was let go.
    FileReleased = 51, "file-released";
    /// Every byte of a file was taken by the transport.
    FileFetched = 52, "file-fetched";
    /// An opened file was closed or its connection ended.
    FetchEnded = 53, "fetch-ended";
    /// The recipient confirmed the digest.
    DeliveryAcknowledged = 54, "delivery-acknowledged";
    /// An account removed a file from its own view of the outbox.
    FileSignedOff = 55, "file-signed-off";
    /// The operator undid what an account had signed off of a delivery.
    SignOffUndone = 56, "sign-off-undone";
    /// Digests of parts of a file were asked for over SFTP: nothing of it left but these.
    DigestsAsked = 59, "digests-asked";
    /// An e-mail was accepted by the relay.
    MailSent = 60, "mail-sent";
    /// An e-mail was put off to a later try.
    MailDeferred = 61, "mail-deferred";
    /// An e-mail was given up.
    MailFailed = 62, "mail-failed";
    /// An account's data were changed.
    AccountChanged = 63, "account-changed";
    /// An address is refused for a while, because too many connections of it came to nothing.
    AddressPenalised = 64, "address-penalised";
    /// A shred key was destroyed.
    SlotDestroyed = 70, "shred-key-destroyed";
    /// A payload without headers was removed from the vault.
    PayloadRemoved = 71, "payload-removed";
    /// The operator confirmed the clock.
    TimeConfirmed = 72, "time-confirmed";
    /// A new master is made; keys are being sealed to it.
    MasterRotationBegun = 73, "master-key-rotation-begun";
    /// Every key is sealed to the new master, and the old one goes.
    MasterRotated = 74, "master-key-rotated";
    /// An organisation got a new identity; its headers are being made anew.
    OrganisationKeyRotationBegun = 75, "organisation-key-rotation-begun";
    /// Headers were made anew for the new identity of their organisation.
    HeadersRewrapped = 76, "headers-rewrapped";
    /// Nothing needs the older identity of an organisation any more, and it goes.
    OrganisationKeyRotated = 77, "organisation-key-rotated";
    /// What lies in the vault is not what was stored.
    PayloadDamaged = 78, "payload-damaged";
    /// Every payload was read once and held against its digest.
    VaultScrubbed = 79, "vault-scrubbed";
    /// An upload was begun.
    UploadStarted = 80, "upload-started";
    /// An unfinished upload was opened again for writing.
    UploadResumed = 81, "upload-resumed";
    /// An upload was closed or interrupted and is not finished.
    UploadPaused = 82, "upload-paused";
    /// An upload is whole, durable and sealed.
    UploadReceived = 83, "upload-received";
    /// An upload, or a part of one, was refused.
    UploadRefused = 84, "upload-refused";
    /// An upload got another name.
    UploadRenamed = 85, "upload-renamed";
    /// The time of last change of an upload was set.
    UploadDated = 86, "upload-dated";
    /// An unfinished upload was removed by its account.
    UploadRemoved = 87, "upload-removed";
    /// An upload can no longer be resumed, or is no longer shown.
    UploadSettled = 88, "upload-settled";
    /// The time of an upload was over and its bytes are gone.
    UploadExpired = 89, "upload-expired";
    /// A key of event bodies was destroyed: its period was over.
    BodyKeyDestroyed = 90, "body-key-destroyed";
    /// Shown in the place of an event whose body ended with its key, and once in the place of all that were removed;
    /// never stored.
    EventDestroyed = 91, "event-destroyed";
    /// E-mails whose period is over left the record.
    MailRemoved = 92, "mail-removed";
    /// A backup was made.
    BackupMade = 100, "backup-made";
    /// The home was restored from a backup; the numbers of events skip ahead with it.
    BackupRestored = 101, "backup-restored";
    /// After a restore the numbers of deliveries skip ahead.
    NumbersSkipped = 102, "numbers-skipped";
    /// A delivery cannot be read any more after a restore.
    DeliveryLost = 103, "delivery-lost";
    /// The operator confirmed a restored home; it is open from then on.
    RestoreConfirmed = 104, "restore-confirmed";
    /// A received upload cannot be read any more after a restore.
    UploadLost = 105, "upload-lost";
    /// A payload that was lost or damaged was put back out of a copy.
    PayloadRepaired = 106, "payload-repaired";
    /// The oldest segments of the journal are removed: the longest period of the history is over for all of them.
    HistoryCompacted = 107, "history-compacted";
    /// A link to activate an account or choose a new password was made.
    AccountLinkMade = 110, "account-link-made";
    /// A person chose a password; the account is activated with the first one.
    PasswordSet = 111, "password-set";
    /// An app for one-time codes was added.
    SecondFactorAdded = 112, "second-factor-added";
    /// An app for one-time codes was removed.
    SecondFactorRemoved = 113, "second-factor-removed";
    /// Recovery codes were made; those before count no more.
    RecoveryCodesMade = 114, "recovery-codes-made";
    /// A recovery code was used.
    RecoveryCodeUsed = 115, "recovery-code-used";
    /// An account was requested, or asked for again (A2).
    AccountRequested = 116, "account-requested";
    /// Who requested an account, or was invited, confirmed the address.
    RequestConfirmed = 117, "request-confirmed";
    /// A request was approved: the account is there (B12).
    RequestApproved = 118, "request-approved";
    /// A request was rejected.
    RequestRejected = 119, "request-rejected";
    /// A request was not confirmed in time.
    RequestExpired = 120, "request-expired";
    /// An administrator invited somebody (B13).
    AccountInvited = 121, "account-invited";
    /// An account became administrator of its organisation (A13, B9).
    AdministratorAppointed = 122, "administrator-appointed";
    /// An account is no longer administrator.
    AdministratorDismissed = 123, "administrator-dismissed";
    /// An interruption of access was announced.
    InterruptionAnnounced = 130, "interruption-announced";
    /// An interruption of access began.
    InterruptionBegun = 131, "interruption-begun";
    /// An interruption of access ended, or was called off.
    InterruptionEnded = 132, "interruption-ended";
    /// A window ran out while its recipient was shut out: it waits for the end of that.
    WindowPaused = 133, "window-paused";
    /// Every window that a block or an interruption touched runs on.
    WindowsResumed = 134, "windows-resumed";
    /// A version of the terms of use was published (I12, I14).
    TermsPublished = 150, "terms-published";
    /// The terms of use were accepted for an account (I6).
    TermsAccepted = 151, "terms-accepted";
    /// A person did not accept the terms of use and cancelled the account (I13).
    TermsRefused = 152, "terms-refused";
    /// E-mails about a version of the terms of use were queued.
    TermsTold = 153, "terms-told";
    /// The time that accounts of before the first terms of use have was changed (terms.grace).
    TermsGraceChanged = 154, "terms-grace-changed";
    /// An API token was used: once an hour for each token and network.
    TokenUsed = 160, "token-used";
    /// The owner of an account was told that a key or token ends soon (M23).
    CredentialEndTold = 161, "credential-end-told";
    /// Somebody got an account in the office.
    OfficeMemberAdded = 175, "office-member-added";
    /// Somebody got another role in the office.
    OfficeRoleChanged = 176, "office-role-changed";
    /// An act was proposed that two people have to want.
    ProposalMade = 177, "proposal-made";
    /// A second person confirmed a proposal; what it was about is done.
    ProposalConfirmed = 178, "proposal-confirmed";
    /// A proposal was rejected or taken back.
    ProposalRejected = 179, "proposal-rejected";
    /// Nobody confirmed a proposal in time.
    ProposalExpired = 180, "proposal-expired";
    /// An administrator changed how to reach the organisation, or its contact persons (A17, K4).
    OrganisationCardChanged = 185, "organisation-card-changed";
    /// An administrator asked the operator to change the identity of the organisation (A17).
    IdentityChangeAsked = 186, "identity-change-asked";
    /// The operator approved that; the identity is changed.
    IdentityChangeApproved = 187, "identity-change-approved";
    /// The operator rejected that.
    IdentityChangeRejected = 188, "identity-change-rejected";
    /// A document was added to a product (F7).
    ProductDocumentAdded = 189, "product-document-added";
    /// A document of a product was removed, or was lost with a restore.
    ProductDocumentRemoved = 190, "product-document-removed";
    /// An account opened a document of a product and read from it (F7).
    ProductDocumentRead = 191, "product-document-read";
    /// An SSH key was blocked (J8).
    KeyBlocked = 240, "key-blocked";
    /// The block of an SSH key was lifted.
    KeyUnblocked = 241, "key-unblocked";
    /// An API token was blocked (J8).
    TokenBlocked = 242, "token-blocked";
    /// The block of an API token was lifted.
    TokenUnblocked = 243, "token-unblocked";
    /// A service was ended for an account or organisation (J7).
    ServiceEnded = 244, "service-ended";
    /// A service that was ended is there again.
    ServiceRestored = 245, "service-restored";
    /// Somebody who forgot the password asked for a link (P03).
    NewPasswordAsked = 195, "new-password-asked";
    /// The time of a link was over: it is gone, and whom it concerns are told (M08).
    AccountLinkExpired = 196, "account-link-expired";
    /// Who was to activate an account, and the administrators, are told that the time is almost over (M08).
    ActivationReminded = 197, "activation-reminded";
    /// The sign-in records of a month left the record with the key that they lay under.
    SignInRecordsRemoved = 198, "sign-in-records-removed";
    /// A passkey was added.
    PasskeyAdded = 199, "passkey-added";
    /// A passkey was removed.
    PasskeyRemoved = 200, "passkey-removed";
    /// An intermediary got a mandate of a client (D4).
    MandateAdded = 140, "mandate-added";
    /// The products or the end of a mandate were changed.
    MandateChanged = 141, "mandate-changed";
    /// A mandate was blocked (J8).
    MandateBlocked = 142, "mandate-blocked";
    /// The block of a mandate was lifted.
    MandateUnblocked = 143, "mandate-unblocked";
    /// A mandate was ended, by the operator or by the client's administrator.
    MandateEnded = 144, "mandate-ended";
    /// The time of a mandate is over.
    MandateExpired = 145, "mandate-expired";
    /// Both organisations were told that a mandate ends soon (M23).
    MandateExpiring = 146, "mandate-expiring";
    /// The check of a received upload began.
    UploadCheckBegun = 205, "upload-check-begun";
    /// A received upload is in order.
    UploadAccepted = 206, "upload-accepted";
    /// A received upload is not in order; it is never handed over.
    UploadRejected = 207, "upload-rejected";
    /// A received upload is the same as one before; it is never handed over.
    UploadDuplicate = 208, "upload-duplicate";
    /// An accepted upload is about to be handed to the back office.
    UploadHandOverBegun = 209, "upload-hand-over-begun";
    /// An accepted upload was handed to the back office.
    UploadCollected = 210, "upload-collected";
    /// The back office took a handed-over upload away.
    UploadAcknowledged = 211, "upload-acknowledged";
    /// The back office said what it made of a handed-over upload.
    UploadAnswered = 212, "upload-answered";
    /// A received upload was taken back by its account before it was handed over.
    UploadWithdrawn = 213, "upload-withdrawn";
    /// A received upload was replaced by another before it was handed over.
    UploadReplaced = 214, "upload-replaced";
    /// It was set by when an organisation is to deliver participant files.
    UploadExpected = 255, "upload-expected";
    /// An organisation is not expected to deliver any more.
    UploadNotExpected = 256, "upload-not-expected";
    /// Who is to deliver was reminded of it (M19).
    UploadReminded = 257, "upload-reminded";
    /// A day went by without the participant file that was expected (M19).
    UploadMissing = 258, "upload-missing";
    /// The participant file that was expected had come by its day.
    UploadCameInTime = 259, "upload-came-in-time";
    /// The bytes of a received upload that had come to its end are gone.
    UploadCleared = 215, "upload-cleared";
    /// Receipt and result of an upload are no longer kept.
    UploadForgotten = 216, "upload-forgotten";
    /// E-mails about an interruption were queued for administrators (M21).
    InterruptionTold = 246, "interruption-told";
    /// The operator gave its users an instruction (I7).
    InstructionGiven = 250, "instruction-given";
    /// An instruction was withdrawn.
    InstructionWithdrawn = 251, "instruction-withdrawn";
    /// A security incident was put on record (I3).
    IncidentOpened = 263, "incident-opened";
    /// Something that was found or done was noted of it.
    IncidentNoted = 264, "incident-noted";
    /// What is on record of it was changed, or it was contained.
    IncidentChanged = 265, "incident-changed";
    /// What was reported of it, or need not be, was put on record.
    IncidentReported = 266, "incident-reported";
    /// It was closed.
    IncidentClosed = 267, "incident-closed";
    /// It was opened again.
    IncidentReopened = 268, "incident-reopened";
    /// The operator was reminded of a report that is due.
    IncidentReminded = 269, "incident-reminded";
    /// A received upload waits for the back office since a restore.
    UploadHeldBack = 217, "upload-held-back";
}

impl fmt::Display for Happening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// After a restore the numbers of events skip so far ahead of the last one in the backup: more than a server
/// puts on record between two backups (1,000 a second for a day are 86 million).
pub const RESTORE_GAP_EVENTS: u64 = 100_000_000;

/// How somebody came in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Channel {
    /// SFTP.
    Sftp,
    /// The HTTPS API.
    Api,
    /// The portal.
    Portal,
    /// The spool folder.
    Spool,
    /// The operator's office.
    Office,
    /// The command line.
    CommandLine,
    /// The server itself.
    System,
}

impl Channel {
    /// The word shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sftp => "sftp",
            Self::Api => "api",
            Self::Portal => "portal",
            Self::Office => "office",
            Self::Spool => "spool",
            Self::CommandLine => "command-line",
            Self::System => "system",
        }
    }
}

/// Who did it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Who {
    /// The account; `None` for the operator and the server itself.
    pub login: Option<LoginName>,
    /// The organisation that the account belongs to.
    pub organisation: Option<OrganisationCode>,
    /// How they came in.
    pub channel: Channel,
    /// From which address.
    pub address: Option<IpAddr>,
    /// Fingerprint of the key, or `token:<id>`.
    pub credential: Option<String>,
    /// What the client called itself, cut to 120 printable characters.
    pub client: Option<String>,
}

impl Who {
    /// The server itself.
    #[must_use]
    pub const fn system() -> Self {
        Self::operator(Channel::System)
    }

    /// The operator, through a channel of the operator.
    #[must_use]
    pub const fn operator(channel: Channel) -> Self {
        Self { login: None, organisation: None, channel, address: None, credential: None, client: None }
    }

    /// Somebody who has not signed in, on a channel of accounts.
    #[must_use]
    pub const fn stranger(channel: Channel, address: IpAddr) -> Self {
        Self { login: None, organisation: None, channel, address: Some(address), credential: None, client: None }
    }
}

impl From<Channel> for Who {
    /// The operator, through this channel.
    fn from(channel: Channel) -> Self {
        Self::operator(channel)
    }
}

/// What it was about. The organisation is the recipient: when it differs from
/// `Who::organisation`, the actor acted on its behalf (D6).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct About {
    /// The recipient or the organisation concerned.
    pub organisation: Option<OrganisationCode>,
    /// The account concerned.
    pub login: Option<LoginName>,
    /// The product.
    pub product: Option<ProductCode>,
    /// The publication.
    pub publication: Option<PublicationId>,
    /// The delivery.
    pub delivery: Option<DeliveryId>,
    /// The file.
    pub file: Option<FileName>,
}

/// Particulars of an event.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Detail {
    /// Bytes concerned: of a file or of a transfer.
    pub bytes: Option<u64>,
    /// A moment concerned: the end of a window, block or key.
    pub until: Option<Moment>,
    /// A reason or note in one line.
    pub note: Option<String>,
}

impl Event {
    /// An event without particulars.
    #[must_use]
    pub const fn new(what: Happening, who: Who, about: About) -> Self {
        Self { what, who, about, detail: Detail { bytes: None, until: None, note: None } }
    }

    /// With a number of bytes.
    #[must_use]
    pub const fn with_bytes(mut self, bytes: u64) -> Self {
        self.detail.bytes = Some(bytes);
        self
    }

    /// With a moment.
    #[must_use]
    pub const fn with_until(mut self, until: Moment) -> Self {
        self.detail.until = Some(until);
        self
    }

    /// With a note, cut to 300 characters and to one line.
    #[must_use]
    pub fn with_note(mut self, note: &str) -> Self {
        self.detail.note = Some(note.chars().take(300).map(|c| if c.is_control() { ' ' } else { c }).collect());
        self
    }
}

/// What is shown in the place of an event whose body ended with its key: of which class and month it was, the
/// organisations and the delivery it concerned, and since when it is gone, if that is on record.
#[must_use]
pub fn destroyed(
    class: &str,
    month: &str,
    (about, who, delivery): (Option<OrganisationCode>, Option<OrganisationCode>, Option<DeliveryId>),
    at: Option<Moment>,
) -> Event {
    let about = About { organisation: about, delivery, ..About::default() };
    let who = Who { organisation: who, ..Who::system() };
    let detail =
        Detail { bytes: None, until: at, note: Some(format!("{class} of {month}: destroyed with its period")) };
    Event { what: Happening::EventDestroyed, who, about, detail }
}

/// An event as it stands in the history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HistoryLine {
    /// Its number, ascending.
    pub sequence: u64,
    /// When.
    pub at: Moment,
    /// What happened.
    pub event: Event,
}

/// Which part of the history is asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HistoryQuery {
    /// Only what concerns this organisation.
    pub organisation: Option<OrganisationCode>,
    /// Only what concerns this delivery.
    pub delivery: Option<DeliveryId>,
    /// Only from this moment on.
    pub since: Option<Moment>,
    /// Only after this number.
    pub after: Option<u64>,
    /// At most so many lines, oldest first.
    pub limit: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_words_are_unique() {
        let numbers: std::collections::BTreeSet<_> = Happening::ALL.iter().map(|h| h.number()).collect();
        let words: std::collections::BTreeSet<_> = Happening::ALL.iter().map(|h| h.word()).collect();
        assert_eq!((numbers.len(), words.len()), (Happening::ALL.len(), Happening::ALL.len()));
        for happening in Happening::ALL {
            assert_eq!(Happening::from_number(happening.number()), Some(*happening));
        }
    }
}
