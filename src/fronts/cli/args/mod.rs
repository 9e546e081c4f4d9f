//! The grammar of the command line: `postkluis <noun> <verb>` (interfaces §2).
//! Parses only; texts become domain names where a command runs.

mod backup;
mod blocks;
mod documents;
mod ending;
mod identity;
mod incident;
mod instruction;
mod interruption;
mod language;
mod mandate;
mod office;
mod proposal;
mod recipient_key;
mod records;
mod terms;
mod upload;

use std::net::SocketAddr;
use std::path::PathBuf;

pub use backup::{Backup, CONFIRM, Restore};
pub use blocks::{Block, BlockReason, KeyBlock, KeyName, Lift, Restrict, Service, TokenBlock};
use clap::{Args, Parser, Subcommand, ValueEnum};
pub use documents::ProductDocument;
pub use ending::{End, Why};
pub use identity::ChangeRequest;
pub use incident::{Incident, IncidentFacts};
pub use instruction::Instruction;
pub use interruption::{ClosedChannel, Interruption};
pub use language::Language;
pub use mandate::{Change as MandateChange, Mandate};
pub use office::{OfficePeople, Role};
pub use proposal::Proposal;
pub use recipient_key::RecipientKey;
pub use records::{Delivery, History, Mail, Publish, Report, Retention, Session};
pub use terms::Terms;
pub use upload::{ReceiptKeyCommand, Upload};

/// Secure file delivery over SFTP and HTTPS.
#[derive(Parser, Debug)]
#[command(name = "postkluis", version, propagate_version = true, subcommand_required = true)]
pub struct CommandLine {
    /// Home folder [default: $POSTKLUIS_HOME, else ./postkluis-home]
    #[arg(long, global = true, value_name = "DIR")]
    pub home: Option<PathBuf>,
    /// Print one JSON document on standard output
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The nouns.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Make a home: configuration, keys, self-signed certificate
    Init {
        /// Where SFTP listens
        #[arg(long, default_value = "127.0.0.1:2222", value_name = "ADDR")]
        sftp_listen: SocketAddr,
        /// Where HTTPS listens
        #[arg(long, default_value = "127.0.0.1:8443", value_name = "ADDR")]
        https_listen: SocketAddr,
    },
    /// Check configuration, keys, permissions, ports, disk and certificate
    Check {
        /// Also print the DNS records that the outside world needs
        #[arg(long)]
        dns: bool,
        /// Also read every record, snapshot, payload and header, on a stopped server; it takes as long as the disk does
        #[arg(long)]
        deep: bool,
    },
    /// Serve; prints `ready sftp=ADDR https=ADDR` once it answers
    Serve,
    /// SSH host keys; changes count from the next start of the server on
    #[command(subcommand)]
    HostKey(HostKey),
    /// The sample world: a full round trip with a report
    Demo {
        /// Go on serving afterwards
        #[arg(long)]
        keep: bool,
    },
    /// What a running server does
    #[command(flatten)]
    Running(Running),
}

/// `host-key …`
#[derive(Subcommand, Clone, Copy, Debug)]
pub enum HostKey {
    /// Fingerprints and DNS records, to be published
    List,
    /// Make the first key of a kind, or the next one
    Add {
        /// Kind of key
        #[arg(long, value_enum, default_value = "ed25519")]
        kind: HostKeyKind,
    },
    /// Put the key in use aside, and the next one of its kind in its place
    Retire {
        /// Kind of key
        #[arg(long, value_enum, default_value = "ed25519")]
        kind: HostKeyKind,
    },
}

/// A kind of host key.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum HostKeyKind {
    /// Ed25519
    Ed25519,
    /// RSA with 4096 bits
    Rsa,
}

impl HostKeyKind {
    /// As the names of key files say it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::Rsa => "rsa",
        }
    }
}

/// Nouns that need a running server.
#[derive(Subcommand, Debug)]
pub enum Running {
    /// Organisations
    #[command(subcommand)]
    Organisation(Organisation),
    /// Public keys of organisations for end-to-end deliveries
    #[command(subcommand)]
    RecipientKey(RecipientKey),
    /// Products
    #[command(subcommand)]
    Product(Product),
    /// Agreements
    #[command(subcommand)]
    Agreement(Agreement),
    /// Accounts
    #[command(subcommand)]
    Account(Account),
    /// The operator's own people, in the office on operator.listen
    #[command(subcommand)]
    Office(OfficePeople),
    /// Acts that wait for a second person of the operator
    #[command(subcommand)]
    Proposal(Proposal),
    /// SSH keys of accounts
    #[command(subcommand)]
    Key(Key),
    /// API tokens of accounts
    #[command(subcommand)]
    Token(Token),
    /// Rights: which account may fetch which product
    #[command(subcommand)]
    Right(Right),
    /// Deliveries
    #[command(subcommand)]
    Delivery(Delivery),
    /// Participant files that recipients upload
    #[command(subcommand)]
    Upload(Upload),
    /// The key under receipts and results
    #[command(subcommand)]
    ReceiptKey(ReceiptKeyCommand),
    /// The keys of the server itself
    #[command(subcommand)]
    KeyRing(KeyRing),
    /// Backups of this home
    #[command(subcommand)]
    Backup(Backup),
    /// Restore a new home from a backup; then confirm it, which opens it
    Restore(Restore),
    /// Live SFTP sessions
    #[command(subcommand)]
    Session(Session),
    /// Mandates: which intermediary acts for which client
    #[command(subcommand)]
    Mandate(Mandate),
    /// Interruptions of access for everybody
    #[command(subcommand)]
    Interruption(Interruption),
    /// Terms of use
    #[command(subcommand)]
    Terms(Terms),
    /// Instructions to all users
    #[command(subcommand)]
    Instruction(Instruction),
    /// The register of security incidents
    #[command(subcommand)]
    Incident(Incident),
    /// The history
    #[command(subcommand)]
    History(History),
    /// Retention
    #[command(subcommand)]
    Retention(Retention),
    /// E-mail
    #[command(subcommand)]
    Mail(Mail),
    /// Reports
    #[command(subcommand)]
    Report(Report),
}

/// `organisation …`
#[derive(Subcommand, Debug)]
pub enum Organisation {
    /// Add an organisation
    Add {
        /// Short code
        code: String,
        /// Full name
        #[arg(long)]
        name: String,
        /// OIN, 20 digits
        #[arg(long)]
        oin: Option<String>,
        /// KVK number, 8 digits
        #[arg(long)]
        kvk: Option<String>,
        /// Mail domain; may be given more than once
        #[arg(long = "mail-domain", value_name = "D")]
        mail_domains: Vec<String>,
    },
    /// List organisations
    List,
    /// Show one organisation
    Show {
        /// Short code
        code: String,
    },
    /// Change an organisation
    Change {
        /// Short code
        code: String,
        /// Full name
        #[arg(long)]
        name: Option<String>,
        /// OIN, 20 digits
        #[arg(long)]
        oin: Option<String>,
        /// KVK number, 8 digits
        #[arg(long)]
        kvk: Option<String>,
        /// Mail domains; replace the present ones
        #[arg(long = "mail-domain", value_name = "D")]
        mail_domains: Vec<String>,
        /// Networks from which its accounts may sign in, in place of the present ones; `any` lifts it
        #[arg(long, value_name = "CIDR[,CIDR…]", value_delimiter = ',')]
        allow_from: Vec<String>,
    },
    /// Block an organisation and all its accounts
    Block(Block),
    /// Lift a block
    Unblock {
        /// Short code
        code: String,
    },
    /// Changes of name, KVK number or OIN that organisations asked for
    #[command(subcommand)]
    ChangeRequest(ChangeRequest),
    /// Make a new key for its deliveries; those that can be fetched are wrapped to it anew
    RotateKey {
        /// Short code
        code: String,
    },
    /// End one service for everybody of an organisation, for a reason of the terms of use
    Restrict(Restrict),
    /// Give a service back that was ended
    Lift(Lift),
    /// End an organisation for good
    End(End),
}

/// `key-ring …`
#[derive(Subcommand, Clone, Copy, Debug)]
pub enum KeyRing {
    /// Make a new master key and seal every key to it
    RotateMaster,
}

/// `product …`
#[derive(Subcommand, Debug)]
pub enum Product {
    /// Add a product
    Add {
        /// Short code
        code: String,
        /// Full name
        #[arg(long)]
        name: String,
        /// How long deliveries can be fetched, such as 30d
        #[arg(long, value_name = "PERIOD")]
        retention: String,
        /// The spool accepts it only with a .done marker
        #[arg(long)]
        require_marker: bool,
        /// Recipients may upload participant files
        #[arg(long)]
        accepts_uploads: bool,
        /// Seal every delivery to the recipients' own keys
        #[arg(long)]
        end_to_end: bool,
    },
    /// List products
    List,
    /// Show one product
    Show {
        /// Short code
        code: String,
    },
    /// Documents of a product, such as specifications
    #[command(subcommand)]
    Document(ProductDocument),
    /// Change a product; deliveries that are there keep their window
    Change {
        /// Short code
        code: String,
        /// Full name
        #[arg(long)]
        name: Option<String>,
        /// How long new deliveries can be fetched
        #[arg(long, value_name = "PERIOD")]
        retention: Option<String>,
        /// Whether the spool accepts it only with a .done marker
        #[arg(long, value_name = "true|false")]
        require_marker: Option<bool>,
        /// Whether new deliveries are sealed to the recipients' own keys
        #[arg(long, value_name = "true|false")]
        end_to_end: Option<bool>,
        /// Bytes that the uploads of one organisation may take, such as "2 GiB"
        #[arg(long, value_name = "SIZE|default")]
        upload_quota: Option<String>,
    },
}

/// `agreement …`
#[derive(Subcommand, Debug)]
pub enum Agreement {
    /// Add an agreement
    Add {
        /// The recipient
        #[arg(long, value_name = "CODE")]
        organisation: String,
        /// The product
        #[arg(long, value_name = "CODE")]
        product: String,
        /// What the data may be used for
        #[arg(long, value_name = "TEXT")]
        purpose: String,
        /// Own retention, such as 14d [default: the product's]
        #[arg(long, value_name = "PERIOD")]
        retention: Option<String>,
        /// In force from [default: now]
        #[arg(long, value_name = "DATE")]
        from: Option<String>,
        /// In force until and including
        #[arg(long, value_name = "DATE")]
        until: Option<String>,
        /// Seal to the recipient's own keys, also where the product does not demand it
        #[arg(long)]
        end_to_end: bool,
        /// Hide the history from the recipient
        #[arg(long)]
        history_hidden: bool,
    },
    /// List agreements
    List {
        /// Only of this organisation
        #[arg(long, value_name = "CODE")]
        organisation: Option<String>,
    },
    /// Show the agreements of an organisation for a product
    Show {
        /// The recipient
        #[arg(long, value_name = "CODE")]
        organisation: String,
        /// The product
        #[arg(long, value_name = "CODE")]
        product: String,
    },
    /// End the agreement in force
    End {
        /// The recipient
        #[arg(long, value_name = "CODE")]
        organisation: String,
        /// The product
        #[arg(long, value_name = "CODE")]
        product: String,
    },
}

/// Machine or person.
#[derive(Clone, Copy, ValueEnum, Debug)]
pub enum Kind {
    /// A robot with a named owner
    Machine,
    /// A person; the login is the e-mail address
    Person,
}

/// `account …`
#[derive(Subcommand, Debug)]
pub enum Account {
    /// Add an account
    Add {
        /// Login name
        login: String,
        /// Its organisation
        #[arg(long, value_name = "CODE")]
        organisation: String,
        /// Machine or person
        #[arg(long, value_enum)]
        kind: Kind,
        /// The responsible person of a machine
        #[arg(long, value_name = "EMAIL")]
        owner: Option<String>,
        /// Administers its organisation
        #[arg(long)]
        administrator: bool,
        /// A machine account of an intermediary that reaches this one client and nothing else, for good
        #[arg(long = "for", value_name = "CODE")]
        client: Option<String>,
        /// Language of its e-mails
        #[arg(long, value_enum, default_value = "nl")]
        language: Language,
    },
    /// List accounts
    List,
    /// Show one account
    Show {
        /// Login name
        login: String,
    },
    /// What came of the last attempts to sign in as a machine account, since the server started
    Attempts {
        /// Login name
        login: String,
    },
    /// Change an account, one thing at a time
    Change {
        /// Login name
        login: String,
        /// Networks from which it may sign in, in place of the present ones; `any` lifts it
        #[arg(long, value_name = "CIDR[,CIDR…]", value_delimiter = ',', required_unless_present = "owner")]
        allow_from: Vec<String>,
        /// The responsible person of a machine, in place of the present one; both are told
        #[arg(long, value_name = "EMAIL", conflicts_with = "allow_from")]
        owner: Option<String>,
    },
    /// List requests for accounts that wait to be judged, and invitations that were not taken up yet
    Requests,
    /// Approve a request: the person gets an e-mail to activate the account
    Approve {
        /// E-mail address of the request
        email: String,
        /// The organisation that the person belongs to, where the request names none that is known
        #[arg(long, value_name = "CODE")]
        organisation: Option<String>,
    },
    /// Reject a request: the person gets an e-mail with the reason
    Reject {
        /// E-mail address of the request
        email: String,
        /// Why; the person gets to read it
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Make the link with which a person activates the account or chooses a new password; an earlier one closes
    Link {
        /// Login name
        login: String,
    },
    /// Block an account
    Block(Block),
    /// Lift a block
    Unblock {
        /// Login name
        login: String,
        /// Tell the user by e-mail too
        #[arg(long)]
        inform_user: bool,
    },
    /// End one service for an account, for a reason of the terms of use
    Restrict(Restrict),
    /// Give a service back that was ended
    Lift(Lift),
    /// End an account for good
    End(End),
}

/// `key …`
#[derive(Subcommand, Debug)]
pub enum Key {
    /// Add a public SSH key
    Add {
        /// Whose key
        #[arg(long, value_name = "LOGIN")]
        account: String,
        /// Public key file, as ssh-keygen makes it
        #[arg(long, value_name = "PUBKEY")]
        file: PathBuf,
        /// Refused from then on: a date, or a period such as 90d
        #[arg(long, value_name = "DATE")]
        expires: Option<String>,
    },
    /// List the keys of an account
    List {
        /// Whose keys
        #[arg(long, value_name = "LOGIN")]
        account: String,
    },
    /// Revoke a key
    Revoke {
        /// Whose key
        #[arg(long, value_name = "LOGIN")]
        account: String,
        /// SHA256:… as shown by `list`
        fingerprint: String,
    },
    /// Block a key: nobody comes in with it, until it is unblocked
    Block(KeyBlock),
    /// Lift the block of a key
    Unblock(KeyName),
}

/// `token …`
#[derive(Subcommand, Debug)]
pub enum Token {
    /// Make an API token; its secret is shown once
    Add {
        /// Whose token
        #[arg(long, value_name = "LOGIN")]
        account: String,
        /// Refused from then on: a date, or a period such as 90d
        #[arg(long, value_name = "DATE")]
        expires: Option<String>,
    },
    /// List the tokens of an account
    List {
        /// Whose tokens
        #[arg(long, value_name = "LOGIN")]
        account: String,
    },
    /// Revoke a token
    Revoke {
        /// Id as shown by `list`
        id: String,
    },
    /// Block a token: it is refused until it is unblocked
    Block(TokenBlock),
    /// Lift the block of a token
    Unblock {
        /// Id as shown by `list`
        id: String,
    },
}

/// `right …`
#[derive(Subcommand, Debug)]
pub enum Right {
    /// Let an account fetch a product
    Couple(Coupling),
    /// Undo it, at once
    Decouple(Coupling),
    /// List rights
    List {
        /// Only of this account
        #[arg(long, value_name = "LOGIN")]
        account: Option<String>,
    },
}

/// Account, product, recipient.
#[derive(Args, Debug)]
pub struct Coupling {
    /// The account
    #[arg(long, value_name = "LOGIN")]
    pub account: String,
    /// The product
    #[arg(long, value_name = "CODE")]
    pub product: String,
    /// The recipient [default: the account's organisation]
    #[arg(long = "for", value_name = "CODE")]
    pub recipient: Option<String>,
}
