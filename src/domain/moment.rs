//! Points in time and spans between them, in whole milliseconds of UTC.
//! Reads no clock and knows no time zone: both are ports.

use core::fmt;

use super::names::NameFault;

const MILLIS_PER_SECOND: u64 = 1_000;
const MILLIS_PER_DAY: u64 = 24 * 60 * 60 * MILLIS_PER_SECOND;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Moment(u64);

/// A length of time in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Span(u64);

impl Moment {
    /// The moment `millis` milliseconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0 / MILLIS_PER_SECOND
    }

    /// The moment `span` later; the end of time when it would overflow.
    #[must_use]
    pub const fn after(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// The moment `span` earlier; 1970 when it would underflow.
    #[must_use]
    pub const fn before(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }

    /// How long after `earlier` this is; zero when it is not after it.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// Year, month and day in UTC.
    #[must_use]
    pub const fn utc_date(self) -> (u64, u64, u64) {
        // Days to civil date, with March as first month so that the leap day
        // comes last (era of 400 years = 146,097 days).
        let days = self.0 / MILLIS_PER_DAY + 719_468;
        let era = days / 146_097;
        let day_of_era = days % 146_097;
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
        (year, month, day)
    }
}

impl fmt::Display for Moment {
    /// RFC 3339 in UTC with milliseconds left out when zero: `2026-11-23T01:10:41Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.utc_date();
        let seconds = self.0 % MILLIS_PER_DAY / MILLIS_PER_SECOND;
        let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        match self.0 % MILLIS_PER_SECOND {
            0 => f.write_str("Z"),
            millis => write!(f, ".{millis:03}Z"),
        }
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A span of `millis` milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// A span of `seconds` seconds.
    #[must_use]
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(MILLIS_PER_SECOND))
    }

    /// A span of `days` times 24 hours.
    #[must_use]
    pub const fn from_days(days: u64) -> Self {
        Self(days.saturating_mul(MILLIS_PER_DAY))
    }

    /// The span in milliseconds.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// Reads `30d`, `12h`, `45m`, `10s` or `500ms`.
    ///
    /// # Errors
    /// A text without a whole number and one of these units, or more than 100 years.
    pub fn parse(text: &str) -> Result<Self, NameFault> {
        let fault = || NameFault::new(text, "a period", "a whole number with a unit: 30d, 12h, 45m, 10s or 500ms");
        let unit_at = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(fault)?;
        let (number, unit) = text.split_at(unit_at);
        let number: u64 = number.parse().map_err(|_| fault())?;
        let unit_millis = match unit {
            "d" => MILLIS_PER_DAY,
            "h" => 3_600 * MILLIS_PER_SECOND,
            "m" => 60 * MILLIS_PER_SECOND,
            "s" => MILLIS_PER_SECOND,
            "ms" => 1,
            _ => return Err(fault()),
        };
        let millis = number.checked_mul(unit_millis).ok_or_else(fault)?;
        if millis > 36_525 * MILLIS_PER_DAY {
            return Err(fault());
        }
        Ok(Self(millis))
    }
}

impl fmt::Display for Span {
    /// The largest unit that divides the span: `30d`, `90m`, `1500ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(MILLIS_PER_DAY, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")];
        for (size, unit) in units {
            if self.0 >= size && self.0.is_multiple_of(size) {
                return write!(f, "{}{unit}", self.0 / size);
            }
        }
        f.write_str("0s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_shown_in_utc() {
        assert_eq!(Moment::from_millis(0).to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(Moment::from_millis(951_782_400_000).to_string(), "2000-02-29T00:00:00Z");
        assert_eq!(Moment::from_millis(1_795_569_041_123).to_string(), "2026-11-25T01:10:41.123Z");
    }

    #[test]
    fn spans_read_back_as_shown() {
        for text in ["30d", "12h", "45m", "10s", "500ms"] {
            assert_eq!(Span::parse(text).map(|s| s.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "d", "30", "-1d", "1.5d", "30 d", "99999999999d", "40000d"] {
            assert!(Span::parse(text).is_err(), "{text}");
        }
    }
}
