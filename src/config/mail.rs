//! `[mail]`: the relay and how it is reached, valid by type. Reads the
//! password from its file. Knows nothing of messages or queues.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::file::Settings;
use super::secrets::{Secret, read_secret, secret_path};
use crate::domain::moment::Span;
use crate::domain::names::EmailAddress;

/// Port for submission with STARTTLS (RFC 6409).
const SUBMISSION_PORT: u16 = 587;
/// Port for submission with TLS from the start (RFC 8314).
const SUBMISSIONS_PORT: u16 = 465;

const RELAY_RULE: &str = "smtp://HOST:PORT, smtps://HOST:PORT or folder:PATH";

/// `[mail]`.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// Where messages go.
    pub relay: Relay,
    /// Sender of every message.
    pub from: EmailAddress,
    /// Limit of one step of talking to the relay.
    pub timeout: Duration,
    /// Waits between tries after a temporary failure; then it is given up.
    pub retry: Vec<Span>,
    /// Messages handed over per minute.
    pub max_per_minute: u32,
    /// Messages waiting, above which an alarm is raised.
    pub max_queue: usize,
}

/// Where messages go.
#[derive(Clone, Debug)]
pub enum Relay {
    /// One file per message in this folder.
    Folder(PathBuf),
    /// A mail server.
    Smtp(SmtpRelay),
}

/// A mail server and how to talk to it.
#[derive(Clone, Debug)]
pub struct SmtpRelay {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// How the connection is protected.
    pub encryption: MailEncryption,
    /// User name and password, if the relay asks for them.
    pub login: Option<(String, Secret)>,
    /// PEM file with an extra certification authority.
    pub trust: Option<PathBuf>,
}

/// How the connection to the relay is protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MailEncryption {
    /// TLS from the start.
    Implicit,
    /// STARTTLS, or nothing is sent.
    StartTls,
    /// STARTTLS when offered; only to this host itself.
    StartTlsIfOffered,
    /// None; only to this host itself.
    Plain,
}

/// Reads the section; breaches are recorded in `settings`.
pub(super) fn read(settings: &mut Settings, home: &Path, credentials: Option<&str>) -> Option<MailSettings> {
    let address = settings.parsed("mail.relay", RELAY_RULE, parse_relay);
    let from = settings.parsed("mail.from", "one address such as portal@example.org", EmailAddress::parse);
    let retry = settings.periods("mail.retry").filter(|list| !list.is_empty());
    if retry.is_none() && settings.is_faultless() {
        settings.refuse("mail.retry", "is empty".to_owned(), "at least one period");
    }
    let login = login(settings, home, credentials);
    let trust = settings.text("mail.trust").map(|text| home.join(text));
    if let Some(path) = trust.as_ref().filter(|path| !path.is_file()) {
        settings.refuse("mail.trust", format!("{} is not a file", path.display()), "a PEM file");
    }
    let relay = match address? {
        Address::Folder(path) => Relay::Folder(home.join(path)),
        Address::Server { host, port, implicit } => {
            let local = is_loopback(&host);
            let encryption = encryption(settings, implicit, local);
            if !local && settings.is_default("mail.from") {
                settings.refuse(
                    "mail.from",
                    "must be set for a relay on another host".to_owned(),
                    "an address in a domain of your own",
                );
            }
            Relay::Smtp(SmtpRelay { host, port, encryption: encryption?, login: login?, trust })
        }
    };
    Some(MailSettings {
        relay,
        from: from?,
        timeout: Duration::from_secs(settings.whole("mail.timeout_seconds")?),
        retry: retry?,
        max_per_minute: u32::try_from(settings.whole("mail.max_per_minute")?).ok()?,
        max_queue: settings.count("mail.max_queue")?,
    })
}

fn encryption(settings: &mut Settings, implicit: bool, local: bool) -> Option<MailEncryption> {
    let word = settings.text("mail.starttls")?;
    let encryption = match (implicit, word.as_str()) {
        (true, _) => MailEncryption::Implicit,
        (false, "none") => MailEncryption::Plain,
        (false, "opportunistic") => MailEncryption::StartTlsIfOffered,
        (false, _) => MailEncryption::StartTls,
    };
    let weak = matches!(encryption, MailEncryption::Plain | MailEncryption::StartTlsIfOffered);
    if weak && !local {
        settings.refuse(
            "mail.starttls",
            format!("\"{word}\" with a relay on another host"),
            "\"required\", or a relay on localhost",
        );
        return None;
    }
    Some(encryption)
}

fn login(settings: &mut Settings, home: &Path, credentials: Option<&str>) -> Option<Option<(String, Secret)>> {
    match (settings.text("mail.user"), settings.text("mail.password_file")) {
        (None, None) => Some(None),
        (Some(user), Some(_)) => {
            let rule = "a file with mode 0600, or credential:NAME";
            let read = |text: &str| secret_path(home, credentials, text).and_then(|path| read_secret(&path));
            settings.parsed("mail.password_file", rule, read).map(|secret| Some((user, secret)))
        }
        (Some(_), None) => {
            settings.refuse("mail.user", "is set without mail.password_file".to_owned(), "both or neither");
            None
        }
        (None, Some(_)) => {
            settings.refuse("mail.password_file", "is set without mail.user".to_owned(), "both or neither");
            None
        }
    }
}

#[derive(PartialEq, Eq, Debug)]
enum Address {
    Folder(String),
    Server { host: String, port: u16, implicit: bool },
}

fn parse_relay(text: &str) -> Result<Address, &'static str> {
    if let Some(path) = text.strip_prefix("folder:") {
        return if path.is_empty() { Err("names no folder") } else { Ok(Address::Folder(path.to_owned())) };
    }
    let (rest, implicit) = match (text.strip_prefix("smtp://"), text.strip_prefix("smtps://")) {
        (Some(rest), _) => (rest, false),
        (None, Some(rest)) => (rest, true),
        (None, None) => return Err("is no relay"),
    };
    // Never echo this text: someone may have put a password in it.
    if rest.contains('@') {
        return Err("holds a user name: use mail.user and mail.password_file");
    }
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let default_port = if implicit { SUBMISSIONS_PORT } else { SUBMISSION_PORT };
    let (host, port) = match rest.strip_prefix('[').map(|inner| inner.split_once(']')) {
        Some(Some((host, after))) => (host, after.strip_prefix(':')),
        Some(None) => return Err("has a [ without a ]"),
        None => rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port))),
    };
    let port = port.map_or(Ok(default_port), str::parse).map_err(|_| "has a port that is no number up to 65535")?;
    let plain = host.chars().all(|c| c.is_ascii_alphanumeric() || "-._:".contains(c));
    if host.is_empty() || !plain || port == 0 {
        return Err("has no proper host and port");
    }
    Ok(Address::Server { host: host.to_owned(), port, implicit })
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relays_are_read() {
        let server = |host: &str, port, implicit| Ok(Address::Server { host: host.to_owned(), port, implicit });
        assert_eq!(parse_relay("smtp://mail.example.org"), server("mail.example.org", 587, false));
        assert_eq!(parse_relay("smtps://mail.example.org/"), server("mail.example.org", 465, true));
        assert_eq!(parse_relay("smtp://127.0.0.1:2525"), server("127.0.0.1", 2525, false));
        assert_eq!(parse_relay("smtp://[::1]:25"), server("::1", 25, false));
        assert_eq!(parse_relay("folder:out/mail"), Ok(Address::Folder("out/mail".to_owned())));
    }

    #[test]
    fn other_texts_are_no_relays() {
        for text in [
            "",
            "mail.example.org",
            "http://x",
            "smtp://",
            "smtp://a:b",
            "smtp://a:0",
            "smtp://u:p@a",
            "smtp://[::1",
            "folder:",
            "smtp://a b",
        ] {
            assert!(parse_relay(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_this_host_is_loopback() {
        for host in ["localhost", "127.0.0.1", "127.9.9.9", "::1"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["localhost.example.org", "10.0.0.1", "127.example.org", "::2"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
