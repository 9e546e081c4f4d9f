//! The port to time: the wall clock, the monotonic one, and the calendar of
//! `portal.time_zone`. Decides nothing: trust in the clock is a domain rule.

use crate::domain::moment::{Moment, Span};

/// Both clocks, read together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reading {
    /// The wall clock.
    pub wall: Moment,
    /// Time since the process began, never set back.
    pub monotonic: Span,
}

/// A calendar date in the portal's time zone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Date {
    /// Year, such as 2026.
    pub year: i16,
    /// Month, 1 to 12.
    pub month: i8,
    /// Day of the month, 1 to 31.
    pub day: i8,
}

impl core::fmt::Display for Date {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

const LONGEST_MONTH_DAYS: usize = 31;

/// Time and calendar.
pub trait Clock: Send + Sync {
    /// Both clocks now.
    fn read(&self) -> Reading;

    /// The date of a moment in the portal's time zone.
    fn date_of(&self, moment: Moment) -> Date;

    /// The time of day of a moment in the portal's time zone, such as `14:05`.
    fn time_of(&self, moment: Moment) -> String;

    /// The midnight that closes the day of `moment` in the portal's time zone
    /// (on days of 23 or 25 hours too).
    fn midnight_closing(&self, moment: Moment) -> Moment;

    /// The midnight that closes the month of `moment` in the portal's time zone.
    fn month_closing(&self, moment: Moment) -> Moment {
        let month = self.date_of(moment).month;
        let mut closing = self.midnight_closing(moment);
        for _ in 0..LONGEST_MONTH_DAYS {
            let next = self.midnight_closing(closing);
            // at the end of time the day no longer changes
            if self.date_of(closing).month != month || next <= closing {
                break;
            }
            closing = next;
        }
        closing
    }
}
