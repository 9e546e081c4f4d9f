//! How far the slow check of the vault came: one row, so that a restart goes on with it.

use super::ids::PayloadId;
use super::moment::Moment;

/// The round that is under way, or the last one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScrubPosition {
    /// When the round began.
    pub begun_at: Moment,
    /// The last payload that was read whole.
    pub after: Option<PayloadId>,
    /// How many payloads were read.
    pub checked: u64,
    /// How many of them are not what was stored.
    pub damaged: u64,
    /// When the round ended.
    pub ended_at: Option<Moment>,
}

impl ScrubPosition {
    /// A round that begins.
    #[must_use]
    pub const fn beginning(at: Moment) -> Self {
        Self { begun_at: at, after: None, checked: 0, damaged: 0, ended_at: None }
    }
}
