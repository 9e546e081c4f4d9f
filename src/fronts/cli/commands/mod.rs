//! The commands of a running server: each turns its arguments into domain
//! names, calls one operation, and answers with the API's forms.

mod deliveries;
mod keys;
mod members;
mod products;
mod records;
mod texts;
mod uploads;

use std::path::Path;
use std::sync::Arc;

use super::Answer;
use super::args::Running;
use crate::fronts::sessions::Sessions;
use crate::operations::{Failure, KeyFact, Operations};

/// Sends one test e-mail to an address and says how it went.
pub type MailTest = Box<dyn Fn(&str) -> Result<String, Failure> + Send + Sync>;

/// Tells of keys, without any secret.
pub type KeyFacts = Box<dyn Fn() -> Result<Vec<KeyFact>, Failure> + Send + Sync>;

/// What commands need: the operations and where time is told.
pub struct Office {
    /// The operations.
    pub operations: Arc<Operations>,
    /// Who is connected.
    pub sessions: Sessions,
    /// Where days end.
    pub time_zone: jiff::tz::TimeZone,
    /// Keys that the keyring does not know: SSH host keys, the certificate.
    pub key_facts: KeyFacts,
    /// One test e-mail goes to this relay.
    pub mail_test: MailTest,
}

/// Runs one command. Relative paths start from `folder`.
///
/// # Errors
/// What the operation refuses or fails with; nothing was changed then.
pub fn run(office: &Office, command: Running, folder: &Path) -> Result<Answer, Failure> {
    match command {
        Running::Organisation(command) => members::organisation(office, command),
        Running::RecipientKey(command) => members::recipient_key(office, command, folder),
        Running::Account(command) => members::account(office, command),
        Running::Key(command) => members::key(office, command, folder),
        Running::Token(command) => members::token(office, command),
        Running::Product(command) => products::product(office, command),
        Running::Agreement(command) => products::agreement(office, command),
        Running::Right(command) => products::right(office, command),
        Running::Delivery(command) => deliveries::delivery(office, command, folder),
        Running::Upload(command) => uploads::upload(office, command),
        Running::KeyRing(command) => keys::key_ring(office, command),
        Running::Session(command) => Ok(records::session(office, &command)),
        Running::History(command) => records::history(office, command),
        Running::Retention(command) => records::retention(office, command),
        Running::Mail(command) => records::mail(office, command),
        Running::Report(command) => records::report(office, command),
    }
}
