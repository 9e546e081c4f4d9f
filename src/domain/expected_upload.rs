//! What an organisation is to deliver, and by which day: participant files that are expected under an agreement.
//! Days are given as year, month and day: knows no clock and no time zone.

use core::fmt;

use super::ids::UploadId;
use super::moment::{Moment, Span};
use super::names::{NameFault, OrganisationCode, ProductCode};
use super::record::{Key, Row};

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// On which days a file is expected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rhythm {
    /// Monday to Friday.
    Workdays,
    /// One day of the week, Monday is 1.
    Weekly(u8),
    /// One day of the month, 1 to 31; the last one of a month that has fewer.
    Monthly(u8),
    /// One day of January, April, July and October.
    Quarterly(u8),
    /// One day of the year: month and day.
    Yearly(u8, u8),
}

impl Rhythm {
    /// Reads `workdays`, `weekly:mon`, `monthly:15`, `quarterly:15` or `yearly:03-31`.
    ///
    /// # Errors
    /// Any other text.
    pub fn parse(text: &str) -> Result<Self, NameFault> {
        let (word, day) = text.split_once(':').unwrap_or((text, ""));
        let number = |text: &str, most: u8| {
            let is_digits = !text.is_empty() && text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|number| is_digits && (1..=most).contains(number))
        };
        let found = match word {
            "workdays" if day.is_empty() && !text.ends_with(':') => Some(Self::Workdays),
            "weekly" => (1..).zip(WEEKDAYS).find(|(_, name)| *name == day).map(|(number, _)| Self::Weekly(number)),
            "monthly" => number(day, 31).map(Self::Monthly),
            "quarterly" => number(day, 31).map(Self::Quarterly),
            "yearly" => day.split_once('-').and_then(|(month, day)| {
                let month = number(month, 12)?;
                let longest = if month == 2 { 29 } else { days_of(2028, month) };
                Some(Self::Yearly(month, number(day, longest)?))
            }),
            _ => None,
        };
        let examples = "workdays, weekly:mon, monthly:15, quarterly:15 or yearly:03-31";
        found.ok_or_else(|| NameFault::new(text, "a rhythm", examples))
    }

    /// Whether a file is expected by the end of this day.
    #[must_use]
    pub fn falls_on(self, year: i16, month: u8, day: u8) -> bool {
        let is_day = |wanted: u8| day == wanted.min(days_of(year, month));
        match self {
            Self::Workdays => weekday(year, month, day) <= 5,
            Self::Weekly(wanted) => weekday(year, month, day) == wanted,
            Self::Monthly(wanted) => is_day(wanted),
            Self::Quarterly(wanted) => matches!(month, 1 | 4 | 7 | 10) && is_day(wanted),
            Self::Yearly(wanted, of) => month == wanted && is_day(of),
        }
    }

    /// So many days ahead may be reminded of it: always less than lie between two.
    #[must_use]
    pub const fn most_days_ahead(self) -> u32 {
        match self {
            Self::Workdays => 0,
            Self::Weekly(_) => 5,
            Self::Monthly(_) => 26,
            Self::Quarterly(_) => 80,
            Self::Yearly(..) => 180,
        }
    }
}

impl fmt::Display for Rhythm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Workdays => f.write_str("workdays"),
            Self::Weekly(day) => {
                let name = WEEKDAYS.get(usize::from(day.saturating_sub(1))).copied().unwrap_or_default();
                write!(f, "weekly:{name}")
            }
            Self::Monthly(day) => write!(f, "monthly:{day}"),
            Self::Quarterly(day) => write!(f, "quarterly:{day}"),
            Self::Yearly(month, day) => write!(f, "yearly:{month:02}-{day:02}"),
        }
    }
}

const fn days_of(year: i16, month: u8) -> u8 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Monday is 1, Sunday 7 (Zeller's congruence).
fn weekday(year: i16, month: u8, day: u8) -> u8 {
    let (year, month) = if month < 3 { (i32::from(year) - 1, month + 12) } else { (i32::from(year), month) };
    let (century, of_century) = (year.div_euclid(100), year.rem_euclid(100));
    let sum =
        i32::from(day) + 13 * (i32::from(month) + 1) / 5 + of_century + of_century / 4 + century / 4 + 5 * century;
    // 0 is Saturday here
    u8::try_from((sum + 5).rem_euclid(7) + 1).unwrap_or_default()
}

/// A participant file that is expected, again and again, while an agreement is in force.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExpectedUpload {
    /// Who is to deliver.
    pub organisation: OrganisationCode,
    /// For which product.
    pub product: ProductCode,
    /// On which days.
    pub rhythm: Rhythm,
    /// So many days ahead it is reminded of; 0 for never.
    pub remind_days: u32,
    /// What came since then counts for the next day.
    pub from: Moment,
    /// The end of the day by which the next one is expected.
    pub until: Moment,
    /// When something is due about it: the reminder, or the end of the day.
    pub due: Moment,
    /// So many days in a row went by without a file.
    pub missed: u32,
    /// When it was set.
    pub set_at: Moment,
}

impl ExpectedUpload {
    /// The beginning of the keys of all, or of one organisation or product of it.
    #[must_use]
    pub fn keys_of(organisation: &OrganisationCode, product: Option<&ProductCode>) -> Key {
        let key = Key::of(Self::KIND).text(organisation.as_str());
        match product {
            Some(product) => key.text(product.as_str()),
            None => key,
        }
    }

    /// The key of what is expected of one organisation for one product: there is one at most.
    #[must_use]
    pub fn key_of(organisation: &OrganisationCode, product: &ProductCode) -> Key {
        Self::keys_of(organisation, Some(product))
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.organisation, &self.product)
    }

    /// From when on a file counts for the next day: one that came in the first half after a day that was missed is
    /// late for that day, and does not stand for the next.
    #[must_use]
    pub fn counts_from(&self) -> Moment {
        if self.missed == 0 {
            return self.from;
        }
        let half = self.until.since(self.from).millis() / 2;
        self.from.after(Span::from_millis(half))
    }

    /// The same with its next moment: the reminder where that is yet to come, else the end of the day.
    #[must_use]
    pub fn scheduled(self, now: Moment) -> Self {
        // at the midnight that begins that day
        let reminder = self.until.before(Span::from_days(u64::from(self.remind_days) + 1));
        let due = if self.remind_days > 0 && reminder > now { reminder } else { self.until };
        Self { due, ..self }
    }
}

/// When something is due about an expected upload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExpectedDue {
    /// When.
    pub at: Moment,
    /// Of whom.
    pub organisation: OrganisationCode,
    /// For which product.
    pub product: ProductCode,
}

impl ExpectedDue {
    /// The key of one; in order of moment.
    #[must_use]
    pub fn key_of(at: Moment, organisation: &OrganisationCode, product: &ProductCode) -> Key {
        Key::of(Self::KIND).bytes(&at.millis().to_be_bytes()).text(organisation.as_str()).text(product.as_str())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(self.at, &self.organisation, &self.product)
    }
}

/// How it stands with what is expected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExpectedState {
    /// Nothing came for the next day yet.
    Waiting,
    /// A file came for the next day.
    Received(UploadId, Moment),
    /// The last day went by without a file, and none came since.
    Missing,
    /// The last day went by without a file; one came afterwards.
    Late(UploadId, Moment),
}

impl ExpectedState {
    /// The word shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Received(..) => "received",
            Self::Missing => "missing",
            Self::Late(..) => "late",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rhythm(text: &str) -> Rhythm {
        Rhythm::parse(text).unwrap()
    }

    #[test]
    fn rhythms_read_as_written_and_nothing_else_does() {
        for text in ["workdays", "weekly:mon", "weekly:sun", "monthly:1", "monthly:31", "quarterly:15", "yearly:02-29"]
        {
            assert_eq!(rhythm(text).to_string(), text);
        }
        for text in [
            "",
            "workdays:",
            "workdays:mon",
            "weekly",
            "weekly:",
            "weekly:ma",
            "weekly:1",
            "monthly:0",
            "monthly:32",
            "monthly:+1",
            "monthly:001",
            "quarterly:",
            "yearly:13-01",
            "yearly:02-30",
            "yearly:04-31",
            "yearly:3",
            "daily",
            "MONTHLY:1",
        ] {
            assert!(Rhythm::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn days_fall_where_the_calendar_has_them() {
        // 2026-11-28 is a Saturday
        for (text, year, month, day, falls) in [
            ("workdays", 2026, 11, 27, true),
            ("workdays", 2026, 11, 28, false),
            ("workdays", 2026, 11, 29, false),
            ("workdays", 2026, 11, 30, true),
            ("weekly:sat", 2026, 11, 28, true),
            ("weekly:sun", 2026, 11, 28, false),
            ("weekly:thu", 2028, 2, 29, false),
            ("weekly:tue", 2028, 2, 29, true),
            ("weekly:fri", 2027, 1, 1, true),
            ("monthly:15", 2026, 11, 15, true),
            ("monthly:31", 2026, 11, 30, true),
            ("monthly:31", 2026, 11, 29, false),
            ("monthly:31", 2027, 2, 28, true),
            ("monthly:30", 2028, 2, 29, true),
            ("monthly:30", 2028, 2, 28, false),
            ("quarterly:31", 2026, 4, 30, true),
            ("quarterly:31", 2026, 5, 31, false),
            ("yearly:02-29", 2027, 2, 28, true),
            ("yearly:02-29", 2028, 2, 28, false),
            ("yearly:03-31", 2026, 3, 31, true),
            ("yearly:03-31", 2026, 4, 30, false),
        ] {
            assert_eq!(rhythm(text).falls_on(year, month, day), falls, "{text} {year}-{month}-{day}");
        }
    }

    #[test]
    fn what_comes_soon_after_a_missed_day_is_late_for_that_day() {
        let at = |days: u64| Moment::from_millis(days * 86_400_000);
        let mut row = ExpectedUpload {
            organisation: OrganisationCode::parse("one").unwrap(),
            product: ProductCode::parse("intake").unwrap(),
            rhythm: rhythm("weekly:mon"),
            remind_days: 2,
            from: at(10),
            until: at(17),
            due: at(17),
            missed: 0,
            set_at: at(1),
        };
        assert_eq!(row.counts_from(), at(10));
        row.missed = 1;
        assert_eq!(row.counts_from(), Moment::from_millis(13 * 86_400_000 + 43_200_000));
        assert_eq!(row.clone().scheduled(at(10)).due, at(14));
        assert_eq!(row.clone().scheduled(at(14)).due, at(17), "the reminder is over");
        row.remind_days = 0;
        assert_eq!(row.scheduled(at(10)).due, at(17));
    }
}
