//! How far the e-mails about an interruption came (M21): one row for each interruption that
//! administrators are told of by e-mail, until it is over and they know. Reads no clock.

use super::ids::InterruptionId;
use super::interruption::{Interruption, Reach};
use super::moment::Moment;
use super::names::{Line, LoginName};
use super::record::{Key, Row};

/// The e-mails about one interruption.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InterruptionMailing {
    /// The interruption.
    pub interruption: InterruptionId,
    /// Which doors it closes.
    pub reach: Reach,
    /// What it is.
    pub nature: Line,
    /// From when.
    pub from: Moment,
    /// When it is expected to end.
    pub until: Moment,
    /// What is told.
    pub news: News,
    /// Administrators up to this login have their e-mail; the next round goes on after it.
    pub after: Option<LoginName>,
    /// Everybody has it.
    pub is_done: bool,
}

/// What administrators are told of an interruption.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum News {
    /// It is going to be.
    Announced,
    /// It began at once.
    Begun,
    /// It was announced and will not be.
    CalledOff,
    /// It ended before it was expected to.
    Over,
}

impl News {
    /// The word under which e-mails hold it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Announced => "announced",
            Self::Begun => "begun",
            Self::CalledOff => "called-off",
            Self::Over => "over",
        }
    }

    /// Whether it takes back what was told before: only those who were told that hear it.
    #[must_use]
    pub const fn takes_back(self) -> bool {
        matches!(self, Self::CalledOff | Self::Over)
    }
}

impl InterruptionMailing {
    /// The mailing that begins to tell this of an interruption.
    #[must_use]
    pub fn beginning(interruption: &Interruption, news: News) -> Self {
        Self {
            interruption: interruption.id,
            reach: interruption.reach,
            nature: interruption.nature.clone(),
            from: interruption.from,
            until: interruption.until,
            news,
            after: None,
            is_done: false,
        }
    }

    /// The key of the mailing about this interruption.
    #[must_use]
    pub fn key_of(interruption: InterruptionId) -> Key {
        Key::of(Self::KIND).bytes(interruption.as_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(self.interruption)
    }
}
