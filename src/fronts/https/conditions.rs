//! Conditional requests and ranges (RFC 9110 §13, §14): what a GET or HEAD of a
//! file is to answer. Pure.

use jiff::Timestamp;
use jiff::fmt::rfc2822::{DateTimeParser, DateTimePrinter};

/// What may be asked of a file, and what it is compared with.
#[derive(Clone, Debug)]
pub(super) struct Validators {
    /// Strong entity tag, with its quotes.
    pub etag: String,
    /// Seconds since 1970 at which it appeared; it never changes.
    pub modified_seconds: u64,
    /// Size in bytes.
    pub size_bytes: u64,
}

/// The conditions of a request.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Conditions<'a> {
    pub if_match: Option<&'a str>,
    pub if_none_match: Option<&'a str>,
    pub if_modified_since: Option<&'a str>,
    pub if_unmodified_since: Option<&'a str>,
    pub if_range: Option<&'a str>,
    pub range: Option<&'a str>,
}

/// What to answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    /// 200 with everything.
    Whole,
    /// 206 with this part; never empty.
    Part {
        /// First byte.
        start: u64,
        /// How many.
        length: u64,
    },
    /// 304.
    NotModified,
    /// 412.
    Failed,
    /// 416.
    Outside,
}

/// Judges in the order of RFC 9110 §13.2.2.
pub(super) fn judge(asked: Conditions<'_>, file: &Validators) -> Answer {
    let is_failed = match (asked.if_match, asked.if_unmodified_since.and_then(seconds_of)) {
        (Some(tags), _) => !names_strongly(tags, &file.etag),
        (None, Some(since)) => file.modified_seconds > since,
        (None, None) => false,
    };
    if is_failed {
        return Answer::Failed;
    }
    let is_known = match (asked.if_none_match, asked.if_modified_since.and_then(seconds_of)) {
        (Some(tags), _) => names_weakly(tags, &file.etag),
        (None, Some(since)) => file.modified_seconds <= since,
        (None, None) => false,
    };
    if is_known {
        return Answer::NotModified;
    }
    let may_part = asked.if_range.is_none_or(|given| {
        given == file.etag || seconds_of(given).is_some_and(|seconds| seconds == file.modified_seconds)
    });
    match asked.range {
        Some(range) if may_part => part(range, file.size_bytes),
        _ => Answer::Whole,
    }
}

/// One byte range, its end inclusive. Another unit, several ranges or a malformed
/// one are ignored, as RFC 9110 §14.2 has it.
fn part(range: &str, size: u64) -> Answer {
    let Some((unit, set)) = range.split_once('=') else { return Answer::Whole };
    let Some((first, last)) = set.trim().split_once('-') else { return Answer::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") || set.contains(',') {
        return Answer::Whole;
    }
    let (start, end) = match (number(first), number(last), first.is_empty(), last.is_empty()) {
        // The last so many bytes.
        (None, Some(count), true, false) => (size.saturating_sub(count), if count == 0 { 0 } else { size }),
        (Some(start), None, false, true) => (start, size),
        (Some(start), Some(last), false, false) if start <= last => (start, last.saturating_add(1).min(size)),
        _ => return Answer::Whole,
    };
    if start < end { Answer::Part { start, length: end - start } } else { Answer::Outside }
}

fn number(text: &str) -> Option<u64> {
    // More digits than 64 bits hold lie behind every file.
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

fn names_strongly(tags: &str, etag: &str) -> bool {
    tags.split(',').map(str::trim).any(|tag| tag == "*" || tag == etag)
}

fn names_weakly(tags: &str, etag: &str) -> bool {
    tags.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}

fn seconds_of(date: &str) -> Option<u64> {
    let at = DateTimeParser::new().parse_timestamp(date).ok()?;
    u64::try_from(at.as_second()).ok()
}

/// A date as HTTP writes it (RFC 9110 §5.6.7).
pub(super) fn http_date(seconds: u64) -> Option<String> {
    let at = Timestamp::from_second(i64::try_from(seconds).ok()?).ok()?;
    DateTimePrinter::new().timestamp_to_rfc9110_string(&at).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Validators {
        Validators { etag: "\"abc\"".to_owned(), modified_seconds: 784_111_777, size_bytes: 10 }
    }

    fn ranged(range: &str) -> Answer {
        judge(Conditions { range: Some(range), ..Conditions::default() }, &file())
    }

    #[test]
    fn ranges_have_an_inclusive_end_and_are_cut_to_the_file() {
        assert_eq!(ranged("bytes=0-0"), Answer::Part { start: 0, length: 1 });
        assert_eq!(ranged("bytes=2-5"), Answer::Part { start: 2, length: 4 });
        assert_eq!(ranged("bytes=7-"), Answer::Part { start: 7, length: 3 });
        assert_eq!(ranged("bytes=-4"), Answer::Part { start: 6, length: 4 });
        assert_eq!(ranged("bytes=-40"), Answer::Part { start: 0, length: 10 });
        assert_eq!(ranged("Bytes=9-99999999999999999999999"), Answer::Part { start: 9, length: 1 });
    }

    #[test]
    fn unsatisfiable_ranges_are_told_and_malformed_ones_ignored() {
        for outside in ["bytes=10-", "bytes=10-12", "bytes=-0", "bytes=99999999999999999999999-"] {
            assert_eq!(ranged(outside), Answer::Outside, "{outside}");
        }
        for malformed in ["bytes=5-2", "bytes=a-b", "bytes=-", "bytes", "lines=1-2", "bytes=0-1,3-4", "bytes=+1-2"] {
            assert_eq!(ranged(malformed), Answer::Whole, "{malformed}");
        }
        let empty = Validators { size_bytes: 0, ..file() };
        let asked = Conditions { range: Some("bytes=0-"), ..Conditions::default() };
        assert_eq!(judge(asked, &empty), Answer::Outside);
    }

    #[test]
    fn if_range_needs_the_same_tag_or_date() {
        let asked =
            |if_range| Conditions { range: Some("bytes=1-"), if_range: Some(if_range), ..Conditions::default() };
        let part = Answer::Part { start: 1, length: 9 };
        assert_eq!(judge(asked("\"abc\""), &file()), part);
        assert_eq!(judge(asked("Sun, 06 Nov 1994 08:49:37 GMT"), &file()), part);
        for other in ["\"abd\"", "W/\"abc\"", "Sun, 06 Nov 1994 08:49:38 GMT", "nonsense"] {
            assert_eq!(judge(asked(other), &file()), Answer::Whole, "{other}");
        }
    }

    #[test]
    fn preconditions_come_before_ranges() {
        let range = Some("bytes=99-");
        let asked = Conditions { if_match: Some("\"x\", \"y\""), range, ..Conditions::default() };
        assert_eq!(judge(asked, &file()), Answer::Failed);
        let asked = Conditions { if_match: Some("W/\"abc\""), ..Conditions::default() };
        assert_eq!(judge(asked, &file()), Answer::Failed);
        let asked = Conditions { if_match: Some("\"x\", \"abc\""), ..Conditions::default() };
        assert_eq!(judge(asked, &file()), Answer::Whole);
        let asked = Conditions { if_none_match: Some("\"x\", W/\"abc\""), range, ..Conditions::default() };
        assert_eq!(judge(asked, &file()), Answer::NotModified);
        let date = http_date(784_111_776).unwrap();
        let asked = Conditions { if_unmodified_since: Some(&date), ..Conditions::default() };
        assert_eq!(judge(asked, &file()), Answer::Failed);
    }

    #[test]
    fn dates_are_written_as_http_has_them() {
        assert_eq!(http_date(784_111_777).as_deref(), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
    }
}
