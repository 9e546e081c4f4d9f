//! The port to e-mail: hands one finished message to a relay and tells how it
//! went. Knows nothing of why it is sent, of queues or of retries.

use crate::domain::names::EmailAddress;

/// One message, ready to send. Text only holds what may leave by mail:
/// no personal data of data subjects, no tokens, no file contents.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// Unique id; the adapter makes `Message-ID: <id@domain>` of it, the same on every try.
    pub id: String,
    /// To whom.
    pub to: EmailAddress,
    /// Subject, without the portal prefix.
    pub subject: String,
    /// Complete plain text.
    pub text: String,
    /// The same as an HTML body, without remote content.
    pub html: String,
    /// `nl` or `en`, for `Content-Language`.
    pub language: &'static str,
    /// Unix time in seconds for the `Date` header.
    pub date_seconds: u64,
}

/// How one try went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MailOutcome {
    /// The relay took responsibility.
    Accepted,
    /// Worth trying again: refused for now, timed out or not reached. The text is fit for a log.
    Deferred(String),
    /// The relay refused for good. The text is fit for a log.
    Rejected(String),
}

/// Sends mail.
pub trait Mailer: Send + Sync {
    /// Hands over one message. Blocks at most as long as the configured time limits.
    fn send(&self, message: &Message) -> MailOutcome;
}
