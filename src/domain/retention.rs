//! How long a delivery can be fetched, which shred key its headers lie under,
//! and the order in which its end comes. Reads no clock: moments are arguments.

use core::fmt;

use super::moment::{Moment, Span};
use super::names::NameFault;

/// Windows shorter than this get a shred slot of their own instead of their day's.
pub const SHORT_WINDOW: Span = Span::from_days(1);

/// Which shred key a header is sealed under: its expiry day, or one of its own
/// (short windows and holds). The text form is the name of the key file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ShredSlot {
    closes_at: Moment,
    label: String,
}

impl ShredSlot {
    /// The slot of the day that closes at `closes_at` (a midnight in `portal.time_zone`).
    #[must_use]
    pub fn of_day(closes_at: Moment) -> Self {
        Self { closes_at, label: "day".to_owned() }
    }

    /// A slot for one short window or one hold; `label` is the id it belongs to.
    #[must_use]
    pub fn of_its_own(closes_at: Moment, label: &str) -> Self {
        let label = label.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
        Self { closes_at, label }
    }

    /// When every window of this slot has ended; its key goes at some time after.
    #[must_use]
    pub const fn closes_at(&self) -> Moment {
        self.closes_at
    }

    /// Reads the text form.
    ///
    /// # Errors
    /// Anything but `<milliseconds>-<label>`.
    pub fn parse(text: &str) -> Result<Self, NameFault> {
        let fault = || NameFault::new(text, "a shred slot", "milliseconds, a hyphen and letters or digits");
        let (millis, label) = text.split_once('-').ok_or_else(fault)?;
        let millis = millis.parse().map_err(|_| fault())?;
        let slot = Self::of_its_own(Moment::from_millis(millis), label);
        if slot.label != label || label.is_empty() || slot.to_string() != text {
            return Err(fault());
        }
        Ok(slot)
    }
}

impl fmt::Display for ShredSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:015}-{}", self.closes_at.millis(), self.label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_reads_back_as_named() {
        for slot in [
            ShredSlot::of_day(Moment::from_millis(1_795_569_041_000)),
            ShredSlot::of_its_own(Moment::from_millis(5), "ab12-34"),
        ] {
            assert_eq!(ShredSlot::parse(&slot.to_string()), Ok(slot));
        }
        for text in ["", "x", "12-", "12-a/b", "../x", "1-day"] {
            assert!(ShredSlot::parse(text).is_err(), "{text}");
        }
    }
}
