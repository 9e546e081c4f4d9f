//! Notices: e-mails that a decision causes, queued in the same transaction
//! (I5). Holds no text: texts are made when a notice is sent. Whom it is to lies
//! sealed under the key of its class and month, and ends with it.

use super::account::Language;
use super::bodies::BodySlot;
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
    /// The delivery it is about, if it is about one.
    pub delivery: Option<DeliveryId>,
    /// To whom, and what the relay said of them.
    pub letter: Letter,
    /// In which language.
    pub language: Language,
    /// When it was queued.
    pub queued_at: Moment,
    /// How far it came.
    pub state: MailState,
}

/// The personal fields of an e-mail, as they are kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Letter {
    /// As they were written before they were sealed.
    Plain(Addressed),
    /// Under the key of the month in which it last changed.
    Sealed {
        /// Which key.
        slot: BodySlot,
        /// The sealed bytes.
        bytes: Vec<u8>,
    },
}

impl Letter {
    /// The key that it lies under, if it is sealed.
    #[must_use]
    pub const fn slot(&self) -> Option<BodySlot> {
        match self {
            Self::Plain(_) => None,
            Self::Sealed { slot, .. } => Some(*slot),
        }
    }
}

/// The personal fields of an e-mail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Addressed {
    /// To whom.
    pub to: EmailAddress,
    /// For which account.
    pub login: LoginName,
    /// What the last try said; relays repeat addresses in it.
    pub last_error: Option<String>,
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
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MailState {
    /// Waits for its next try.
    Queued {
        /// Tries so far.
        attempts: u32,
        /// When the next try is due.
        next_at: Moment,
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
    },
}
