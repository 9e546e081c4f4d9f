//! Dates, times and sizes as people read them. Pure.

use crate::domain::account::Language;
use crate::operations::Date;

const DUTCH_MONTHS: [&str; 12] = [
    "januari",
    "februari",
    "maart",
    "april",
    "mei",
    "juni",
    "juli",
    "augustus",
    "september",
    "oktober",
    "november",
    "december",
];

const ENGLISH_MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Such as `23 november 2026`.
pub(super) fn date(language: Language, date: Date) -> String {
    let months = match language {
        Language::Dutch => DUTCH_MONTHS,
        Language::English => ENGLISH_MONTHS,
    };
    let month = usize::try_from(date.month).ok().and_then(|month| months.get(month.checked_sub(1)?));
    format!("{} {} {}", date.day, month.copied().unwrap_or_default(), date.year)
}

/// Such as `1,4 MB`; powers of 1,000, as file managers of people have them.
pub(super) fn size(language: Language, bytes: u64) -> String {
    let (unit, name) = match bytes {
        0..1_000 => return format!("{bytes} bytes"),
        1_000..1_000_000 => (1_000, "kB"),
        1_000_000..1_000_000_000 => (1_000_000, "MB"),
        _ => (1_000_000_000, "GB"),
    };
    let tenths = bytes / (unit / 10);
    let mark = if language == Language::Dutch { ',' } else { '.' };
    format!("{}{mark}{} {name}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_sizes_are_said_in_words() {
        let day = Date { year: 2026, month: 11, day: 3 };
        assert_eq!(date(Language::Dutch, day), "3 november 2026");
        assert_eq!(date(Language::English, day), "3 November 2026");
        assert_eq!(size(Language::Dutch, 999), "999 bytes");
        assert_eq!(size(Language::Dutch, 1_440_000), "1,4 MB");
        assert_eq!(size(Language::English, 5 << 30), "5.3 GB");
    }
}
