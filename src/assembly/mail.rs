//! The mailer that the configuration names, and the test e-mail.
#![expect(clippy::disallowed_methods, reason = "reads the files that the configuration names")]

use std::sync::Arc;

use crate::adapters::letter::Letterhead;
use crate::adapters::mailer_folder::FolderMailer;
use crate::adapters::mailer_smtp::{Protection, SmtpMailer, SmtpServer};
use crate::config::Config;
use crate::config::mail::{MailEncryption, Relay, SmtpRelay};
use crate::domain::names::EmailAddress;
use crate::domain::refusal::Refusal;
use crate::fronts::cli::commands::MailTest;
use crate::operations::{Failure, Fault, MailOutcome, Mailer};
use crate::ports::mailer::Message;

/// The mailer of this configuration.
pub(super) fn mailer(config: &Config) -> Result<Arc<dyn Mailer>, Failure> {
    let letterhead = Letterhead::new(config.portal.name.as_str(), &config.mail.from)?;
    Ok(match &config.mail.relay {
        Relay::Folder(folder) => Arc::new(FolderMailer::new(folder.clone(), letterhead)),
        Relay::Smtp(relay) => Arc::new(SmtpMailer::new(smtp_server(relay, config)?, letterhead)?),
    })
}

fn smtp_server(relay: &SmtpRelay, config: &Config) -> Result<SmtpServer, Failure> {
    let trust_pem = match &relay.trust {
        Some(path) => Some(
            std::fs::read(path)
                .map_err(|error| Fault::from_error(format!("read mail.trust {}", path.display()), error))?,
        ),
        None => None,
    };
    Ok(SmtpServer {
        host: relay.host.clone(),
        port: relay.port,
        protection: match relay.encryption {
            MailEncryption::Implicit => Protection::Tls,
            MailEncryption::StartTls => Protection::StartTls,
            MailEncryption::StartTlsIfOffered => Protection::StartTlsIfOffered,
            MailEncryption::Plain => Protection::Plain,
        },
        login: relay.login.as_ref().map(|(user, password)| (user.clone(), password.reveal().to_owned().into())),
        trust_pem,
        timeout: config.mail.timeout,
    })
}

/// A tester over the mailer of this configuration.
pub(super) fn tester(config: &Config) -> Result<MailTest, Failure> {
    let mailer = mailer(config)?;
    let portal = config.portal.name.to_string();
    Ok(Box::new(move |address| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let message = Message {
            id: uuid::Uuid::new_v4().to_string(),
            to: EmailAddress::parse(address)?,
            subject: "Testbericht".to_owned(),
            text: format!("Dit is een testbericht van {portal}. U hoeft niets te doen.\n"),
            html: "<p>Dit is een testbericht. U hoeft niets te doen.</p>".to_owned(),
            language: "nl",
            date_seconds: now.as_secs(),
        };
        match mailer.send(&message) {
            MailOutcome::Accepted => Ok("the relay accepted the e-mail".to_owned()),
            MailOutcome::Deferred(why) => Err(Refusal::WrongState(format!("the relay refused for now: {why}")).into()),
            MailOutcome::Rejected(why) => Err(Refusal::WrongState(format!("the relay refused: {why}")).into()),
        }
    }))
}
