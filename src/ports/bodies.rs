//! The port through which a catalog seals the bodies of its events: which key
//! one lies under, and whether it still opens. Knows neither keyring nor journal.

use core::fmt;

use super::failure::{Failure, Fault};
use crate::domain::bodies::{BodyClass, BodySlot};
use crate::domain::ids::{MailId, SessionId};
use crate::domain::moment::Moment;

/// Which body a sealed body is: bound into its seal, so that bodies cannot be swapped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BodyBinding {
    /// Events of a decision.
    Events {
        /// Sequence of the decision.
        sequence: u64,
        /// Place among the groups of events of the decision, from 0.
        group: u32,
    },
    /// The personal fields of an e-mail.
    Letter(MailId),
    /// From where a session was begun.
    SignIn(SessionId),
}

impl BodyBinding {
    /// The bytes that are bound into the seal.
    #[must_use]
    pub fn to_bytes(self) -> Vec<u8> {
        match self {
            Self::Events { sequence, group } => [&sequence.to_be_bytes()[..], &group.to_be_bytes()[..]].concat(),
            Self::Letter(id) => [b"letter", &id.as_bytes()[..]].concat(),
            Self::SignIn(id) => [b"sign-in", &id.as_bytes()[..]].concat(),
        }
    }
}

impl fmt::Display for BodyBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Events { sequence, .. } => write!(f, "the events of decision {sequence}"),
            Self::Letter(id) => write!(f, "the e-mail {id}"),
            Self::SignIn(id) => write!(f, "the session {id}"),
        }
    }
}

/// What became of a sealed body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OpenedBody {
    /// Its events, as they were sealed.
    Plain(Vec<u8>),
    /// Its key was destroyed.
    Destroyed,
    /// Its key is not there, and nothing says that it was destroyed.
    Missing,
}

/// Seals and opens bodies of events. Called by the catalog's writer, so it must be quick; only the first body of
/// a month may wait for the disk.
pub trait BodySeal: Send + Sync {
    /// The slot for events of a class at a moment, and when its month ends. Its key is durable on return. When
    /// the key of that month was destroyed already (a clock that was set back), a later month that has one.
    fn slot_for(&self, class: BodyClass, at: Moment) -> Result<(BodySlot, Moment), Failure>;

    /// Seals a body under the key of a slot that `slot_for` gave.
    fn seal(&self, slot: BodySlot, binding: BodyBinding, plain: &[u8]) -> Result<Vec<u8>, Failure>;

    /// Opens what `seal` made. A body that was changed or moved is a fault.
    fn open(&self, slot: BodySlot, binding: BodyBinding, sealed: &[u8]) -> Result<OpenedBody, Fault>;
}
