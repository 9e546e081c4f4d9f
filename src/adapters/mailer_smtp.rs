//! Mail by SMTP submission: TLS from the start, or STARTTLS. Sorts every answer
//! into accepted, deferred or rejected. Keeps no queue and retries nothing;
//! the relay's own words stay out of logs, since they repeat addresses.

use std::error::Error as _;
use std::fmt;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{Certificate, SmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use zeroize::Zeroizing;

use super::letter::{Letter, Letterhead};
use crate::ports::failure::Fault;
use crate::ports::mailer::{MailOutcome, Mailer, Message};

/// Messages on one connection before a new one is made (relays commonly cut at 100).
const MESSAGES_PER_CONNECTION: u32 = 100;

/// Answers about the login, not about the message (RFC 4954): mending the
/// configuration mends the message.
const LOGIN_ANSWERS: [u16; 4] = [530, 534, 535, 538];

/// How the connection is protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protection {
    /// TLS from the start (RFC 8314).
    Tls,
    /// STARTTLS, or nothing is sent.
    StartTls,
    /// STARTTLS when offered.
    StartTlsIfOffered,
    /// None.
    Plain,
}

/// A relay and how to talk to it.
#[derive(Clone)]
pub struct SmtpServer {
    /// Host name or address; also the name that its certificate must bear.
    pub host: String,
    /// Port.
    pub port: u16,
    /// How the connection is protected.
    pub protection: Protection,
    /// User name and password, if it asks for them.
    pub login: Option<(String, Zeroizing<String>)>,
    /// An extra certification authority, PEM.
    pub trust_pem: Option<Vec<u8>>,
    /// Limit of connecting and of each wait for an answer.
    pub timeout: Duration,
}

impl fmt::Debug for SmtpServer {
    /// Without the login.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpServer")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("protection", &self.protection)
            .finish_non_exhaustive()
    }
}

/// Hands messages to a relay, one after another over at most one connection.
pub struct SmtpMailer {
    server: SmtpServer,
    tls: Option<TlsParameters>,
    letterhead: Letterhead,
    hello: ClientId,
    line: Mutex<Option<Line>>,
}

/// An open connection and how many messages it has taken.
struct Line {
    connection: SmtpConnection,
    messages: u32,
}

impl fmt::Debug for SmtpMailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpMailer").field("server", &self.server).finish_non_exhaustive()
    }
}

impl SmtpMailer {
    /// Makes ready; connects at the first message. Trusts the certification
    /// authorities of the system and, if given, one more.
    ///
    /// # Errors
    /// A `trust_pem` that holds no certificate.
    pub fn new(server: SmtpServer, letterhead: Letterhead) -> Result<Self, Fault> {
        let tls = match server.protection {
            Protection::Plain => None,
            Protection::Tls | Protection::StartTls | Protection::StartTlsIfOffered => Some(tls_parameters(&server)?),
        };
        Ok(Self { server, tls, letterhead, hello: ClientId::default(), line: Mutex::new(None) })
    }

    fn hand_over(&self, letter: &Letter) -> MailOutcome {
        // Held while talking: one message at a time is the bound on connections.
        let mut slot = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        let mut line = match slot.take().and_then(still_good) {
            Some(line) => line,
            None => match self.connect() {
                Ok(connection) => Line { connection, messages: 0 },
                Err(why) => return MailOutcome::Deferred(why),
            },
        };
        match line.connection.send(&letter.envelope, &letter.bytes) {
            Ok(_) => {
                line.messages += 1;
                *slot = Some(line);
                MailOutcome::Accepted
            }
            Err(error) => {
                let about_login = error.status().is_some_and(|code| LOGIN_ANSWERS.contains(&code.into()));
                let told = told("sending", &error);
                if error.is_permanent() && !about_login {
                    MailOutcome::Rejected(told)
                } else {
                    MailOutcome::Deferred(told)
                }
            }
        }
    }

    /// Connects, protects and signs in. All that can go wrong here concerns the
    /// relay, not a message, and is worth trying again.
    fn connect(&self) -> Result<SmtpConnection, String> {
        let server = &self.server;
        let wrapped = self.tls.as_ref().filter(|_| server.protection == Protection::Tls);
        let address = (server.host.as_str(), server.port);
        let mut connection = SmtpConnection::connect(address, Some(server.timeout), &self.hello, wrapped, None)
            .map_err(|error| told("connecting", &error))?;
        let upgrade = match server.protection {
            Protection::StartTls => true,
            Protection::StartTlsIfOffered => connection.can_starttls(),
            Protection::Tls | Protection::Plain => false,
        };
        if let Some(tls) = self.tls.as_ref().filter(|_| upgrade) {
            connection.starttls(tls, &self.hello).map_err(|error| told("STARTTLS", &error))?;
        }
        if let Some((user, password)) = &server.login {
            let credentials = Credentials::new(user.clone(), password.to_string());
            connection.auth(DEFAULT_MECHANISMS, &credentials).map_err(|error| told("signing in", &error))?;
        }
        Ok(connection)
    }
}

impl Mailer for SmtpMailer {
    fn send(&self, message: &Message) -> MailOutcome {
        match self.letterhead.letter(message) {
            Ok(letter) => self.hand_over(&letter),
            Err(why) => MailOutcome::Rejected(why),
        }
    }
}

fn still_good(mut line: Line) -> Option<Line> {
    let fresh = line.messages < MESSAGES_PER_CONNECTION;
    if fresh && line.connection.test_connected() {
        return Some(line);
    }
    line.connection.abort();
    None
}

/// lettre takes the process-wide provider or aws-lc-rs, the only one compiled in.
fn tls_parameters(server: &SmtpServer) -> Result<TlsParameters, Fault> {
    let fault = |error| Fault::from_error(format!("TLS settings for the mail relay {}", server.host), error);
    let mut builder = TlsParameters::builder(server.host.clone());
    if let Some(pem) = &server.trust_pem {
        builder = builder.add_root_certificate(Certificate::from_pem(pem).map_err(fault)?);
    }
    builder.build_rustls().map_err(fault)
}

/// What went wrong while `doing`, fit for a log: codes and causes, no replies.
fn told(doing: &str, error: &Error) -> String {
    if let Some(code) = error.status() {
        let enhanced = error.source().and_then(|text| enhanced_code(&text.to_string())).unwrap_or_default();
        return format!("the relay answered {code}{enhanced} ({doing})");
    }
    let mut cause = error.source();
    while let Some(source) = cause {
        if let Some(broken) = source.downcast_ref::<io::Error>() {
            return match broken.kind() {
                io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {
                    format!("the relay did not answer in time ({doing})")
                }
                _ => format!("the connection with the relay failed ({doing}): {broken}"),
            };
        }
        cause = source.source();
    }
    if error.is_tls() {
        return format!("TLS with the relay failed ({doing})");
    }
    if error.is_client() {
        // lettre's own words, such as that the relay lacks STARTTLS.
        return format!(
            "the relay cannot be used ({doing}): {}",
            error.source().map(ToString::to_string).unwrap_or_default()
        );
    }
    format!("the relay answered in a way that cannot be understood ({doing})")
}

/// The enhanced status code (RFC 3463) that a reply begins with, after a space.
fn enhanced_code(reply: &str) -> Option<String> {
    let first = reply.split_whitespace().next()?;
    let parts: Vec<&str> = first.split('.').collect();
    let number = |part: &&str| (1..=3).contains(&part.len()) && part.chars().all(|c| c.is_ascii_digit());
    (parts.len() == 3 && parts.iter().all(number)).then(|| format!(" {first}"))
}

#[cfg(test)]
#[path = "mailer_smtp_tests.rs"]
mod tests;
