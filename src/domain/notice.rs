//! Notices: e-mails that a decision causes, queued in the same transaction
//! (I5). Holds no text: texts are made when a notice is sent.

use super::account::Language;
use super::ids::{DeliveryId, MailId};
use super::moment::Moment;
use super::names::{EmailAddress, LoginName};

/// One e-mail to one address, and how far it came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mail {
    /// Its id; the Message-ID is made of it.
    pub id: MailId,
    /// What it says.
    pub kind: NoticeKind,
    /// The delivery it is about.
    pub delivery: DeliveryId,
    /// To whom.
    pub to: EmailAddress,
    /// For which account.
    pub login: LoginName,
    /// In which language.
    pub language: Language,
    /// When it was queued.
    pub queued_at: Moment,
    /// How far it came.
    pub state: MailState,
}

/// What a notice says (domain §5.7).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum NoticeKind {
    /// M13: a delivery is ready.
    DeliveryReady,
    /// M16: a delivery was withdrawn.
    DeliveryWithdrawn,
    /// M16: a delivery was replaced.
    DeliveryReplaced,
}

impl NoticeKind {
    /// The word shown in lists.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::DeliveryReady => "delivery-ready",
            Self::DeliveryWithdrawn => "delivery-withdrawn",
            Self::DeliveryReplaced => "delivery-replaced",
        }
    }
}

/// How far an e-mail came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MailState {
    /// Waits for its next try.
    Queued {
        /// Tries so far.
        attempts: u32,
        /// When the next try is due.
        next_at: Moment,
        /// What the last try said.
        last_error: Option<String>,
    },
    /// The relay accepted it.
    Sent {
        /// When.
        at: Moment,
    },
    /// Given up; stays visible.
    Failed {
        /// When.
        at: Moment,
        /// What the last try said.
        error: String,
    },
}
