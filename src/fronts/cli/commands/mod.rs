//! The commands of a running server: each turns its arguments into domain
//! names, calls one operation, and answers with the API's forms.

mod blocks;
mod deliveries;
mod documents;
mod identity;
mod incidents;
mod instructions;
mod interruptions;
mod keys;
mod mandates;
mod members;
mod office;
mod products;
mod proposals;
mod records;
mod terms;
mod texts;
mod uploads;

use std::path::Path;
use std::sync::Arc;

use super::Answer;
use super::args::{Backup, CONFIRM, Delivery, Mail, Organisation, Retention, Running, Terms, Upload};
use crate::domain::refusal::Refusal;
use crate::fronts::sessions::Sessions;
use crate::operations::{Failure, KeyFact, Officer, Operations, shut_until_confirmed};

/// Sends one test e-mail to an address and says how it went.
pub type MailTest = Box<dyn Fn(&str) -> Result<String, Failure> + Send + Sync>;

/// Tells of keys, without any secret.
pub type KeyFacts = Box<dyn Fn() -> Result<Vec<KeyFact>, Failure> + Send + Sync>;
/// Makes a backup into a folder and says how it went.
pub type BackUp = Box<dyn Fn(&Path) -> Result<Answer, Failure> + Send + Sync>;

/// What a restored home is told: whether it is confirmed.
pub type ConfirmRestore = Box<dyn Fn(bool) -> Result<Answer, Failure> + Send + Sync>;

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
    /// Backups of this home.
    pub back_up: BackUp,
    /// Repairs out of a backup.
    pub repair: BackUp,
    /// Set while the home is restored and not confirmed: then nothing is published, mailed or ended.
    pub restored: Option<ConfirmRestore>,
}

/// Runs one command for whoever is at the socket. Relative paths start from `folder`.
///
/// # Errors
/// What the operation refuses or fails with; nothing was changed then.
pub fn run(office: &Office, command: Running, folder: &Path, by: Officer) -> Result<Answer, Failure> {
    if office.restored.is_some() && !is_open_while_restored(&command) {
        return Err(shut_until_confirmed().into());
    }
    match command {
        Running::Backup(Backup::Create { dir }) => (office.back_up)(&folder.join(dir)),
        Running::Backup(Backup::Repair { dir }) => (office.repair)(&folder.join(dir)),
        Running::Backup(Backup::Verify { .. }) => Err(without_server("backup verify")),
        Running::Restore(restore) if restore.from.as_os_str() == CONFIRM => match &office.restored {
            Some(confirm) => confirm(restore.yes),
            None => Err(Refusal::WrongState("this home waits for no confirmation".to_owned()).into()),
        },
        Running::Restore(_) => Err(without_server("restore DIR")),
        Running::Organisation(command) => members::organisation(office, command),
        Running::RecipientKey(command) => members::recipient_key(office, command, folder, by),
        Running::Account(command) => members::account(office, command),
        Running::Proposal(command) => proposals::proposal(office, command, by),
        Running::Office(command) => office::office(office, command),
        Running::Key(command) => members::key(office, command, folder),
        Running::Token(command) => members::token(office, command),
        Running::Product(command) => products::product(office, command, folder),
        Running::Agreement(command) => products::agreement(office, command),
        Running::Right(command) => products::right(office, command),
        Running::Delivery(command) => deliveries::delivery(office, command, folder),
        Running::Upload(command) => uploads::upload(office, command, folder),
        Running::ReceiptKey(command) => uploads::receipt_key(office, command),
        Running::KeyRing(command) => keys::key_ring(office, command),
        Running::Session(command) => Ok(records::session(office, &command)),
        Running::Mandate(command) => mandates::mandate(office, command, by),
        Running::Interruption(command) => interruptions::interruption(office, command),
        Running::Terms(command) => terms::terms(office, command, folder),
        Running::Instruction(command) => instructions::instruction(office, command, folder),
        Running::Incident(command) => incidents::incident(office, command, &by),
        Running::History(command) => records::history(office, command),
        Running::Retention(command) => records::retention(office, command),
        Running::Mail(command) => records::mail(office, command),
        Running::Report(command) => records::report(office, command),
    }
}

/// Whoever restored may look at everything and take access away before the home is open; what reaches recipients
/// or destroys waits.
fn is_open_while_restored(command: &Running) -> bool {
    match command {
        Running::Organisation(Organisation::RotateKey { .. }) | Running::KeyRing(_) => false,
        Running::Organisation(_)
        | Running::RecipientKey(_)
        | Running::Account(_)
        | Running::Office(_)
        | Running::Proposal(_)
        | Running::Key(_)
        | Running::Token(_)
        | Running::Product(_)
        | Running::Agreement(_)
        | Running::Right(_)
        | Running::Restore(_)
        | Running::ReceiptKey(_)
        | Running::Upload(Upload::List { .. } | Upload::Show { .. } | Upload::Receipt { .. } | Upload::Result { .. })
        | Running::Session(_)
        | Running::Mandate(_)
        | Running::Interruption(_)
        | Running::Instruction(_)
        | Running::Incident(_)
        | Running::Terms(Terms::List | Terms::Acceptance { .. })
        | Running::History(_)
        | Running::Report(_)
        | Running::Delivery(Delivery::List { .. } | Delivery::Show { .. })
        | Running::Mail(Mail::Queue { .. })
        | Running::Retention(Retention::Run { dry_run: true, .. }) => true,
        Running::Upload(_)
        | Running::Backup(_)
        | Running::Delivery(_)
        | Running::Mail(_)
        | Running::Retention(_)
        | Running::Terms(_) => false,
    }
}

fn without_server(command: &str) -> Failure {
    Refusal::WrongState(format!("`postkluis {command}` runs without a server")).into()
}
