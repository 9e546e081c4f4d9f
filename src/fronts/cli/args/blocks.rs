//! `block`, `unblock`, `restrict` and `lift`, of accounts, organisations, keys and
//! tokens (J5-J8).

use clap::{Args, ValueEnum};

use super::Why;

/// Who is blocked, why and until when.
#[derive(Args, Debug)]
pub struct Block {
    /// Code, login or id
    pub code: String,
    /// Why; shown to the operator
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Until when: a date, or a moment such as 2026-12-01T12:00:00Z
    #[arg(long, value_name = "T")]
    pub until: Option<String>,
    /// The reason of the terms of use, as e-mails tell it; the text of --reason they never do
    #[arg(long, value_enum)]
    pub reason_code: Option<Why>,
    /// Tell the user by e-mail too, and not only the administrators
    #[arg(long)]
    pub inform_user: bool,
}

/// A key.
#[derive(Args, Debug)]
pub struct KeyName {
    /// Whose key
    #[arg(long, value_name = "LOGIN")]
    pub account: String,
    /// SHA256:… as shown by `list`
    #[arg(required_unless_present = "named")]
    pub fingerprint: Option<String>,
    /// The same, by its word
    #[arg(long = "fingerprint", value_name = "SHA256:…", conflicts_with = "fingerprint")]
    pub named: Option<String>,
}

impl KeyName {
    /// The fingerprint, however it was given.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        self.fingerprint.as_deref().or(self.named.as_deref()).unwrap_or_default()
    }
}

/// Why a key or token is blocked, and until when.
#[derive(Args, Debug)]
pub struct BlockReason {
    /// Why; shown to the operator
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Until when: a date, or a moment such as 2026-12-01T12:00:00Z [default: until it is unblocked]
    #[arg(long, value_name = "T")]
    pub until: Option<String>,
    /// The reason of the terms of use, as e-mails tell it; the text of --reason they never do
    #[arg(long, value_enum)]
    pub reason_code: Option<Why>,
    /// Tell the user by e-mail too, and not only the administrators
    #[arg(long)]
    pub inform_user: bool,
}

/// A key that is blocked.
#[derive(Args, Debug)]
pub struct KeyBlock {
    /// Which
    #[command(flatten)]
    pub key: KeyName,
    /// Why
    #[command(flatten)]
    pub why: BlockReason,
}

/// A token that is blocked.
#[derive(Args, Debug)]
pub struct TokenBlock {
    /// Id as shown by `list`
    pub id: String,
    /// Why
    #[command(flatten)]
    pub why: BlockReason,
}

/// A part of access that ends.
#[derive(Args, Debug)]
pub struct Restrict {
    /// Code or login
    pub code: String,
    /// What ends
    #[arg(long, value_enum)]
    pub service: Service,
    /// The reason of the terms of use
    #[arg(long, value_enum, visible_alias = "reason-code")]
    pub reason: Why,
    /// What led to it, in one line, for the history
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// Tell the user by e-mail too, and not only the administrators
    #[arg(long)]
    pub inform_user: bool,
}

/// A part of access that is given back.
#[derive(Args, Debug)]
pub struct Lift {
    /// Code, login or id
    pub code: String,
    /// What is given back
    #[arg(long, value_enum)]
    pub service: Service,
}

/// A part of access.
#[derive(Clone, Copy, ValueEnum, Debug)]
pub enum Service {
    /// Fetching deliveries
    Fetch,
    /// Delivering participant files
    Deliver,
    /// Requesting products
    Request,
}
