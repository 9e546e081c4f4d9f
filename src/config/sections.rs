//! The typed sections of the configuration, mail and SFTP limits apart.
//! Only nouns: how they are read is in `build`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::checks::CheckSettings;
use super::secrets::Secret;
use super::sftp::SftpSettings;
use crate::domain::bodies::BodyPeriods;
use crate::domain::moment::Span;
use crate::domain::names::{EmailAddress, Line, Oin, ProductCode};

/// A language that people are addressed in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Language {
    /// Dutch.
    Dutch,
    /// English.
    English,
}

impl Language {
    /// `nl` or `en` (RFC 5646).
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Dutch => "nl",
            Self::English => "en",
        }
    }
}

/// `[portal]`.
#[derive(Clone, Debug)]
pub struct PortalSettings {
    /// Name on pages and in mail.
    pub name: Line,
    /// Where days end.
    pub time_zone: TimeZone,
    /// Address as users reach it, without a slash at its end.
    pub base_url: String,
    /// Language for those who state no other.
    pub language: Language,
    /// A style sheet that is laid over ours.
    pub style_sheet: Option<PathBuf>,
    /// What the start page says in Dutch.
    pub start_text: Option<PathBuf>,
    /// What it says in English.
    pub start_text_english: Option<PathBuf>,
    /// Where employers go.
    pub employer_link: Option<String>,
    /// What the welcome page says to them.
    pub employer_notice: Option<Line>,
}

/// `[organisation]`.
#[derive(Clone, Debug)]
pub struct OrganisationSettings {
    /// Name; the portal's name when not given.
    pub name: Line,
    /// Mail for questions and misuse.
    pub contact_mail: Option<EmailAddress>,
    /// Telephone for questions and misuse.
    pub contact_phone: Option<Line>,
    /// Organisatie-identificatienummer.
    pub oin: Option<Oin>,
}

/// `[storage]`.
#[derive(Clone, Debug)]
pub struct StorageSettings {
    /// Free disk below which writes are refused.
    pub reserve_bytes: u64,
    /// Size of the file that an operator can remove to get out of a full disk; 0: none.
    pub ballast_bytes: u64,
    /// Size at which a new journal segment begins.
    pub journal_segment_bytes: u64,
    /// Memory for the index.
    pub index_cache_bytes: u64,
    /// Largest single journal frame.
    pub max_frame_bytes: u64,
    /// How fast the check of the vault reads; 0 for no check.
    pub scrub_bytes_per_second: u64,
    /// A round of that check begins so long after the one before.
    pub scrub_every: Span,
    /// Public key that backups are sealed to.
    pub backup_recipient: Option<String>,
    /// Growth of the journal after which a snapshot is made.
    pub snapshot_after_bytes: u64,
    /// Segments of the journal that one round of retention removes at most; 0 for none.
    pub compact_segments: usize,
    /// Documents of one product.
    pub max_documents: usize,
    /// Largest document of a product.
    pub max_document_bytes: u64,
}

/// `[sealing]`.
#[derive(Clone, Debug)]
pub struct SealingSettings {
    /// File of the master identity.
    pub master_file: PathBuf,
    /// Whether that is a systemd credential.
    pub is_credential: bool,
    /// The passphrase of the master, when it is kept in a file; else it is asked for on the terminal.
    pub passphrase: Option<Secret>,
}

/// `[sftp]` without its folders.
#[derive(Clone, Debug)]
pub struct SftpFront {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Limits and time limits.
    pub settings: SftpSettings,
}

/// `[sftp.folders]`: five different plain names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FolderNames {
    /// Deliveries to fetch.
    pub outbox: String,
    /// Where participant files are written.
    pub dropbox: String,
    /// Receipts and results.
    pub receipts: String,
    /// Product specifications.
    pub documents: String,
    /// Clients of an intermediary.
    pub clients: String,
}

/// Oldest TLS version spoken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TlsMinimum {
    /// TLS 1.2 (NCSC-NL: sufficient).
    Tls12,
    /// TLS 1.3 (NCSC-NL: good).
    Tls13,
}

/// `[https]`.
#[derive(Clone, Debug)]
pub struct HttpsSettings {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Certificate chain, PEM.
    pub certificate: PathBuf,
    /// Private key, PEM.
    pub key: PathBuf,
    /// Oldest TLS version spoken.
    pub tls_minimum: TlsMinimum,
    /// Connections at once.
    pub max_connections: usize,
    /// Time for the TLS handshake.
    pub handshake_timeout: Duration,
    /// Time for the head of a request.
    pub header_timeout: Duration,
    /// Time in which a body makes progress and a request is answered.
    pub request_timeout: Duration,
    /// A connection without a request for this long is closed.
    pub idle_timeout: Duration,
    /// Time that requests get to finish at a stop.
    pub drain_grace: Duration,
}

/// `[operator]`.
#[derive(Clone, Debug)]
pub struct OperatorSettings {
    /// Where to listen, if at all.
    pub listen: Option<SocketAddr>,
    /// Acts that matter most wait for a second person of the operator.
    pub four_eyes: bool,
    /// Web address of the office as its people reach it, without slash at the end.
    pub base_url: String,
}

/// `[spool]`.
#[derive(Clone, Debug)]
pub struct SpoolSettings {
    /// Time without change after which a file without marker is complete.
    pub settle: Duration,
    /// Time between full scans.
    pub rescan: Duration,
    /// Files in one `.delivery` folder.
    pub max_files_per_delivery: usize,
    /// Age after which a staged file that no publication took is deleted.
    pub staging_kept: Duration,
}

/// Least grave message still logged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogLevel {
    /// Something broke.
    Error,
    /// Something to look at.
    Warn,
    /// The course of things.
    Info,
    /// For finding faults.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// The word in the configuration and in filters.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// Form of log lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON document per line.
    Json,
}

/// `[logging]`.
#[derive(Clone, Debug)]
pub struct LoggingSettings {
    /// Least grave message still logged.
    pub level: LogLevel,
    /// Form of lines.
    pub format: LogFormat,
}

/// `[retention]`.
#[derive(Clone, Debug)]
pub struct RetentionSettings {
    /// How long a running download may go on after its window.
    pub open_grace: Span,
    /// From the end of a day's windows to the destruction of its key.
    pub shred_delay: Span,
    /// How long history is kept, by class, after the end of its month.
    pub history: BodyPeriods,
    /// Between looks for ended windows.
    pub tick: Duration,
}

/// `[limits]`.
#[derive(Clone, Debug)]
pub struct LimitSettings {
    /// Items on a page when the request names no number.
    pub page_size: usize,
    /// Items on a page at most; not below `page_size`.
    pub max_page_size: usize,
    /// Files one account may have open at once.
    pub max_open_fetches_per_account: usize,
    /// Events an hour, of each kind, about those who were refused before they signed in.
    pub max_stranger_events_per_hour: usize,
    /// Largest single file that may be published.
    pub max_delivery_bytes: u64,
}

/// `[sign-in]`.
#[derive(Clone, Debug)]
pub struct SignInSettings {
    /// A session that was not used for so long ends.
    pub idle_timeout: Span,
    /// A session ends after so long in any case.
    pub session_lasts: Span,
    /// Sessions of one account at once.
    pub max_sessions_per_account: usize,
    /// Wrong passwords and codes before somebody has to wait.
    pub attempts: usize,
    /// Shortest password, in characters.
    pub min_password_chars: usize,
    /// Mail domains with which no account can be requested.
    pub refused_mail_domains: Vec<String>,
    /// Requests and invitations that may wait at once.
    pub max_requests: usize,
    /// Passwords that nobody can choose: lines of them, or of sorted digests.
    pub known_passwords: Option<PathBuf>,
    /// Memory of one check of a password, in bytes.
    pub password_memory: usize,
}

/// `[terms]`.
#[derive(Clone, Copy, Debug)]
pub struct TermsSettings {
    /// How long accounts of before the first publication go on without accepting.
    pub grace: Span,
}

/// `[uploads]`.
#[derive(Clone, Debug)]
pub struct UploadLimits {
    /// Largest upload.
    pub max_file_bytes: u64,
    /// Unfinished uploads of one account.
    pub max_unfinished_per_account: u64,
    /// Bytes of all uploads of one account.
    pub max_account_bytes: u64,
    /// Bytes of all uploads of one organisation for one product.
    pub max_product_bytes: u64,
    /// Parts of one unfinished upload.
    pub max_extents: usize,
    /// Bytes of one upload that wait in memory for those before them.
    pub reorder_bytes: usize,
    /// How long an unfinished upload is kept.
    pub unfinished_kept: Span,
    /// How long a received upload can be resumed.
    pub resume_grace: Span,
    /// How long a received upload is shown.
    pub received_kept: Span,
    /// How long the bytes of one that nobody collected are kept.
    pub uncollected_kept: Span,
    /// How long a received upload is waited for.
    pub settle: Span,
    /// How long the same bytes are a duplicate.
    pub duplicate_window: Span,
    /// How long the bytes of one that came to its end are kept.
    pub cleared_after: Span,
    /// How long receipts and results are kept.
    pub receipts_kept: Span,
    /// Key of the back office that files are handed over sealed to.
    pub sealed_intake: Option<String>,
    /// Products whose files wait to be collected.
    pub collect_only: Vec<ProductCode>,
    /// What is declared of checks, and the scanner.
    pub checks: CheckSettings,
}
