//! The clock of the machine: wall clock, monotonic clock, and the calendar of
//! one time zone (system tzdb, or the one built in). Decides nothing about trust.
#![expect(clippy::disallowed_methods, reason = "this adapter is the clock")]

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use crate::domain::moment::{Moment, Span};
use crate::ports::clock::{Clock, Date, Reading};

/// The clock of the machine.
#[derive(Debug)]
pub struct SystemClock {
    began: Instant,
    zone: TimeZone,
}

impl SystemClock {
    /// Begins the monotonic clock now; days end at midnight in `zone`.
    #[must_use]
    pub fn new(zone: TimeZone) -> Self {
        Self { began: Instant::now(), zone }
    }
}

impl Clock for SystemClock {
    fn read(&self) -> Reading {
        // Before 1970 the wall clock is plainly wrong: zero says so to the rule on trust.
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Reading {
            wall: Moment::from_millis(u64::try_from(wall.as_millis()).unwrap_or(u64::MAX)),
            monotonic: Span::from_millis(u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)),
        }
    }

    fn date_of(&self, moment: Moment) -> Date {
        let date = timestamp(moment).to_zoned(self.zone.clone()).date();
        Date { year: date.year(), month: date.month(), day: date.day() }
    }

    fn time_of(&self, moment: Moment) -> String {
        timestamp(moment).to_zoned(self.zone.clone()).strftime("%H:%M").to_string()
    }

    fn midnight_closing(&self, moment: Moment) -> Moment {
        let today = timestamp(moment).to_zoned(self.zone.clone()).date();
        // Where a zone skips midnight itself, the day closes at the first moment after it.
        let closing = today.checked_add(1.day()).and_then(|day| day.to_zoned(self.zone.clone()));
        let millis = closing.map_or(i64::MAX, |zoned| zoned.timestamp().as_millisecond());
        Moment::from_millis(u64::try_from(millis).unwrap_or_default())
    }
}

/// Moments past the calendar's end (the year 9999) count as its end.
fn timestamp(moment: Moment) -> Timestamp {
    i64::try_from(moment.millis())
        .ok()
        .and_then(|millis| Timestamp::from_millisecond(millis).ok())
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amsterdam() -> SystemClock {
        SystemClock::new(TimeZone::get("Europe/Amsterdam").unwrap())
    }

    fn at(text: &str) -> Moment {
        Moment::from_millis(u64::try_from(text.parse::<Timestamp>().unwrap().as_millisecond()).unwrap())
    }

    #[test]
    fn days_of_23_24_and_25_hours_close_at_midnight() {
        let clock = amsterdam();
        for (opens, closes, hours) in [
            ("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", 23),
            ("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", 25),
            ("2026-11-22T23:00:00Z", "2026-11-23T23:00:00Z", 24),
        ] {
            assert_eq!(clock.midnight_closing(at(opens)), at(closes), "{opens}");
            assert_eq!(at(closes).since(at(opens)), Span::from_seconds(hours * 3_600));
            let last = at(closes).before(Span::from_millis(1));
            assert_eq!(clock.midnight_closing(last), at(closes));
            assert!(clock.midnight_closing(at(closes)) > at(closes), "midnight opens the next day");
        }
    }

    #[test]
    fn both_passes_of_the_doubled_hour_are_one_day() {
        let clock = amsterdam();
        for text in ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"] {
            assert_eq!(clock.date_of(at(text)).to_string(), "2026-10-25");
            assert_eq!(clock.midnight_closing(at(text)), at("2026-10-25T23:00:00Z"));
        }
    }

    #[test]
    fn a_date_is_that_of_the_zone() {
        assert_eq!(amsterdam().date_of(at("2026-06-30T22:30:00Z")).to_string(), "2026-07-01");
        assert_eq!(SystemClock::new(TimeZone::UTC).date_of(at("2026-06-30T22:30:00Z")).to_string(), "2026-06-30");
    }

    #[test]
    fn months_close_at_midnight_of_the_zone() {
        for (text, closes) in [
            ("2026-10-31T22:59:59Z", "2026-10-31T23:00:00Z"),
            ("2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z"),
            ("2028-02-01T12:00:00Z", "2028-02-29T23:00:00Z"),
            ("2026-12-31T23:00:00Z", "2027-01-31T23:00:00Z"),
        ] {
            assert_eq!(amsterdam().month_closing(at(text)), at(closes), "{text}");
        }
    }

    #[test]
    fn the_end_of_time_does_not_wrap() {
        let clock = amsterdam();
        assert!(clock.month_closing(Moment::from_millis(u64::MAX)) > at("9000-01-01T00:00:00Z"));
        assert!(clock.midnight_closing(Moment::from_millis(u64::MAX)) > at("9000-01-01T00:00:00Z"));
        assert_eq!(clock.date_of(Moment::from_millis(u64::MAX)).year, 9999);
    }

    #[test]
    fn the_monotonic_clock_never_goes_back() {
        let clock = amsterdam();
        let (first, second) = (clock.read(), clock.read());
        assert!(second.monotonic >= first.monotonic);
        assert!(first.wall > at("2020-01-01T00:00:00Z"));
    }
}
