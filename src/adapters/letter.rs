//! The form of a message on its way: RFC 5322 headers, multipart/alternative
//! with the plain text first. Below both mail adapters, so that a relay and a
//! folder get the same bytes; opens no file and no connection.

use std::time::{Duration, UNIX_EPOCH};

use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message as Mail};

use crate::domain::names::EmailAddress;
use crate::ports::failure::Fault;
use crate::ports::mailer::Message;

/// An id appears in a header and in a file name; UUIDs have 36 characters.
const MAX_ID_CHARS: usize = 64;

/// What every message of this portal has in common.
#[derive(Clone, Debug)]
pub struct Letterhead {
    portal: String,
    from: Address,
}

/// A message in its final form.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Sender and recipient as the relay is told them.
    pub envelope: Envelope,
    /// The message, lines ending in CR LF.
    pub bytes: Vec<u8>,
}

impl Letterhead {
    /// Messages of the portal named `portal`, sent by `from`; its domain is that
    /// of every `Message-ID`.
    ///
    /// # Errors
    /// A sender that mail cannot carry.
    pub fn new(portal: &str, from: &EmailAddress) -> Result<Self, Fault> {
        let from = from.as_str().parse().map_err(|error| Fault::from_error(format!("mail.from {from}"), error))?;
        Ok(Self { portal: portal.to_owned(), from })
    }

    /// Writes one message; the same message gives the same bytes on every try.
    ///
    /// # Errors
    /// A message that can never be sent; the text is fit for a log.
    pub fn letter(&self, message: &Message) -> Result<Letter, String> {
        let id = safe_id(&message.id)?;
        let to: Address = message
            .to
            .as_str()
            .parse()
            .map_err(|_| "the address of the recipient cannot be used in mail".to_owned())?;
        let plain = SinglePart::plain(message.text.clone());
        let rich = SinglePart::html(message.html.clone());
        let parts = MultiPart::alternative().boundary(format!("=_{id}")).singlepart(plain).singlepart(rich);
        let domain = self.from.domain();
        let mail = Mail::builder()
            .date(UNIX_EPOCH + Duration::from_secs(message.date_seconds))
            .from(Mailbox::new(Some(self.portal.clone()), self.from.clone()))
            .to(Mailbox::new(None, to))
            .message_id(Some(format!("<{id}@{domain}>")))
            .subject(format!("[{}] {}", self.portal, message.subject))
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .raw_header(header("Content-Language", message.language))
            .multipart(parts)
            .map_err(|error| format!("the message cannot be written: {error}"))?;
        Ok(Letter { envelope: mail.envelope().clone(), bytes: mail.formatted() })
    }
}

/// The id when it is safe in a header and as a file name.
///
/// # Errors
/// Anything but letters, digits and hyphens; the text is fit for a log.
pub fn safe_id(id: &str) -> Result<&str, String> {
    let fits = (1..=MAX_ID_CHARS).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if fits { Ok(id) } else { Err("the id of the message is not made of letters, digits and hyphens".to_owned()) }
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        Message {
            id: "2d1f4a5e-0000-4000-8000-000000000001".to_owned(),
            to: EmailAddress::parse("jan@example.net").unwrap(),
            subject: "Nieuwe levering klaar: Café".to_owned(),
            text: "Één levering.\nTweede regel.\n".to_owned(),
            html: "<p>Eén levering.</p>".to_owned(),
            language: "nl",
            date_seconds: 1_795_569_041,
        }
    }

    fn letterhead() -> Letterhead {
        Letterhead::new("Postkluis", &EmailAddress::parse("portal@example.org").unwrap()).unwrap()
    }

    #[test]
    fn the_headers_are_those_of_automatic_mail() {
        let letter = letterhead().letter(&message()).unwrap();
        let text = String::from_utf8(letter.bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        for line in [
            "Date: Wed, 25 Nov 2026 01:10:41 +0000",
            "From: Postkluis <portal@example.org>",
            "To: jan@example.net",
            "Message-ID: <2d1f4a5e-0000-4000-8000-000000000001@example.org>",
            "Auto-Submitted: auto-generated",
            "Content-Language: nl",
            "MIME-Version: 1.0",
        ] {
            assert!(head.lines().any(|l| l == line), "{line}\nnot in\n{head}");
        }
        assert!(head.contains("multipart/alternative"), "{head}");
        assert!(head.contains("Subject: [Postkluis] Nieuwe levering klaar: =?utf-8?b?"), "{head}");
        let (plain, html) = (body.find("text/plain; charset=utf-8"), body.find("text/html; charset=utf-8"));
        assert!(plain.is_some() && plain < html, "{body}");
        assert_eq!(letter.envelope.from().map(ToString::to_string).as_deref(), Some("portal@example.org"));
    }

    #[test]
    fn every_try_gives_the_same_bytes() {
        let (first, second) = (letterhead().letter(&message()), letterhead().letter(&message()));
        assert_eq!(first.unwrap().bytes, second.unwrap().bytes);
    }

    #[test]
    fn no_value_can_add_a_header() {
        let mut evil = message();
        evil.subject = "a\r\nBcc: x@y.nl".to_owned();
        let text = String::from_utf8(letterhead().letter(&evil).unwrap().bytes).unwrap();
        let head = text.split_once("\r\n\r\n").unwrap().0;
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
        evil.id = "../x".to_owned();
        assert!(letterhead().letter(&evil).is_err());
    }
}
