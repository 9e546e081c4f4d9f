//! Who judged a participant file, how it reached the back office, what that made of it, and how it ended: the words
//! beside the states in `intake`.

use super::moment::Moment;

/// Who judged a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Judge {
    /// The checks of the product.
    Checks,
    /// The back office.
    BackOffice,
}

impl Judge {
    /// The word in results.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Checks => "checks",
            Self::BackOffice => "back-office",
        }
    }
}

/// How a file reaches the back office.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HandOverWay {
    /// Put into the folder `intake/`.
    Folder,
    /// Collected with the command line.
    Command,
    /// Collected by the API of the operator listener.
    Api,
}

impl HandOverWay {
    /// The word shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Folder => "folder",
            Self::Command => "command",
            Self::Api => "api",
        }
    }
}

/// What the back office made of a file that it has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answer {
    /// Whether it processed it.
    pub accepted: bool,
    /// When it said so.
    pub at: Moment,
}

/// What a file was when its bytes went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// The back office had it.
    Collected,
    /// It was rejected.
    Rejected,
    /// It was the same as another.
    Duplicate,
    /// Another took its place.
    Replaced,
    /// It was withdrawn.
    Withdrawn,
    /// Nobody collected it in time, or a restore lost it.
    NeverCollected,
}

impl Ended {
    /// The word shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Collected => "collected",
            Self::Rejected => "rejected",
            Self::Duplicate => "duplicate",
            Self::Replaced => "replaced",
            Self::Withdrawn => "withdrawn",
            Self::NeverCollected => "never-collected",
        }
    }
}
