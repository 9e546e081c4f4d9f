//! Whether the clock may destroy (I10): a wall clock that leaves the monotonic
//! one, or that a start finds far from the last record, is not trusted. Reads
//! no clock itself.

use super::moment::{Moment, Span};

/// The wall clock may leave the monotonic one by so much.
pub const LARGEST_JUMP: Span = Span::from_seconds(5 * 60);

/// A start may find the wall clock so far past the last record.
pub const LONGEST_SILENCE: Span = Span::from_seconds(72 * 60 * 60);

/// What is held of the two clocks.
#[derive(Clone, Debug)]
pub struct ClockTrust {
    anchor: Moment,
    anchor_monotonic: Span,
    trusted: bool,
}

impl ClockTrust {
    /// At start: trusted unless the wall clock lies behind the last record by more than
    /// `LARGEST_JUMP`, or more than `LONGEST_SILENCE` past it. A new catalog trusts it.
    #[must_use]
    pub fn at_start(wall: Moment, monotonic: Span, last_record: Option<Moment>) -> Self {
        let trusted =
            last_record.is_none_or(|last| wall.after(LARGEST_JUMP) >= last && wall.since(last) <= LONGEST_SILENCE);
        let anchor = match last_record {
            Some(last) if !trusted => last,
            Some(last) => wall.max(last),
            None => wall,
        };
        Self { anchor, anchor_monotonic: monotonic, trusted }
    }

    /// The moment to put on record now: the wall clock while it is trusted (never going
    /// back), else the last trusted moment plus what the monotonic clock says elapsed.
    pub fn observe(&mut self, wall: Moment, monotonic: Span) -> Moment {
        let elapsed = Span::from_millis(monotonic.millis().saturating_sub(self.anchor_monotonic.millis()));
        let expected = self.anchor.after(elapsed);
        let apart = wall.since(expected).max(expected.since(wall));
        if apart > LARGEST_JUMP {
            self.trusted = false;
        }
        if !self.trusted {
            return expected;
        }
        self.anchor = wall.max(self.anchor);
        self.anchor_monotonic = monotonic;
        self.anchor
    }

    /// Whether anything may be destroyed.
    #[must_use]
    pub const fn is_trusted(&self) -> bool {
        self.trusted
    }

    /// The operator says that the wall clock is right.
    pub fn confirm(&mut self, wall: Moment, monotonic: Span) {
        self.anchor = wall;
        self.anchor_monotonic = monotonic;
        self.trusted = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Span = Span::from_days(1);

    fn at(days: u64) -> Moment {
        Moment::from_millis(0).after(Span::from_days(days))
    }

    #[test]
    fn a_clock_that_keeps_pace_is_trusted() {
        let mut trust = ClockTrust::at_start(at(100), Span::ZERO, Some(at(99)));
        assert_eq!(trust.observe(at(101), DAY), at(101));
        assert!(trust.is_trusted());
    }

    #[test]
    fn a_jump_is_not_followed_until_confirmed() {
        for wall in [at(200), at(1)] {
            let mut trust = ClockTrust::at_start(at(100), Span::ZERO, None);
            assert_eq!(trust.observe(wall, DAY), at(101));
            assert!(!trust.is_trusted());
            trust.confirm(wall, DAY);
            assert_eq!(trust.observe(wall, DAY), wall);
            assert!(trust.is_trusted());
        }
    }

    #[test]
    fn a_start_far_from_the_last_record_is_not_trusted() {
        for (wall, last, trusted) in [(at(100), at(98), true), (at(100), at(96), false), (at(100), at(101), false)] {
            let mut trust = ClockTrust::at_start(wall, Span::ZERO, Some(last));
            assert_eq!(trust.is_trusted(), trusted);
            assert_eq!(trust.observe(wall, Span::ZERO), if trusted { wall } else { last });
        }
    }

    #[test]
    fn time_on_record_never_goes_back() {
        let mut trust = ClockTrust::at_start(at(100), Span::ZERO, None);
        let before = trust.observe(at(100).after(Span::from_seconds(60)), Span::from_seconds(1));
        assert_eq!(trust.observe(at(100), Span::from_seconds(2)), before);
    }
}
