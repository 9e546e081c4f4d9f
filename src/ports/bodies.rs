//! The port through which a catalog seals the bodies of its events: which key
//! one lies under, and whether it still opens. Knows neither keyring nor journal.

use super::failure::{Failure, Fault};
use crate::domain::bodies::{BodyClass, BodySlot};
use crate::domain::moment::Moment;

/// Which body a sealed body is: bound into its seal, so that bodies cannot be swapped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BodyBinding {
    /// Sequence of the decision.
    pub sequence: u64,
    /// Place among the groups of events of the decision, from 0.
    pub group: u32,
}

impl BodyBinding {
    /// The bytes that are bound into the seal.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        let (sequence, group) = bytes.split_at_mut(8);
        sequence.copy_from_slice(&self.sequence.to_be_bytes());
        group.copy_from_slice(&self.group.to_be_bytes());
        bytes
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
