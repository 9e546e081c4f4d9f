//! What is asked of the participant files of one product (4.5-6, 4.4-4): name, size, text, records and their
//! columns. Values that cannot be wrong, and the rules of one value. Reads no file.

use super::check_sequence::SequencePlan;

/// Columns of one record.
pub const MOST_COLUMNS: usize = 1_000;

/// Words of one list of allowed values.
pub const MOST_CHOICES: usize = 1_000;

/// What is asked of the files of a product.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CheckPlan {
    /// Of the name; anything when `None`.
    pub name: Option<NamePattern>,
    /// Of the end of the name after its last dot, in lower case; any when empty.
    pub extensions: Vec<String>,
    /// At least so many bytes.
    pub least_bytes: u64,
    /// At most so many bytes.
    pub most_bytes: u64,
    /// Of the number that it carries, if its product numbers its files.
    pub sequence: Option<SequencePlan>,
    /// What stands in it.
    pub content: Content,
}

/// What kind of content.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Content {
    /// Any bytes.
    Opaque {
        /// Archives and compressed files too. Nothing here ever unpacks one.
        archives: bool,
    },
    /// Lines of text.
    Text(Box<TextPlan>),
    /// One JSON value (RFC 8259).
    Json,
    /// One XML document (XML 1.0), without a document type.
    Xml,
}

/// What is asked of text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TextPlan {
    /// How its characters are written.
    pub encoding: Encoding,
    /// The mark at the beginning of UTF-8 text.
    pub byte_order_mark: Presence,
    /// How its lines end.
    pub line_ends: LineEnds,
    /// Whether the last line must end as the others do.
    pub last_line_ends: bool,
    /// A line has at most so many bytes.
    pub most_line_bytes: usize,
    /// Its records.
    pub records: Option<RecordPlan>,
}

/// How characters are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// ASCII alone.
    Ascii,
    /// UTF-8.
    Utf8,
    /// ISO 8859-1: one byte for each character.
    Latin1,
}

/// Whether something may, must or must not be there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Presence {
    /// It may.
    Allowed,
    /// It must.
    Required,
    /// It must not.
    Refused,
}

/// How lines end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LineEnds {
    /// With either, but one of them all through.
    Uniform,
    /// With LF.
    Lf,
    /// With CR LF.
    CrLf,
}

/// What is asked of records: one for each line, but for quoted line ends in CSV.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordPlan {
    /// How the columns of a record are told apart.
    pub form: RecordForm,
    /// The first line names the columns.
    pub names_first: bool,
    /// The columns.
    pub columns: Vec<Column>,
    /// The record that comes first, if there is one.
    pub first: Option<FramePlan>,
    /// The record that comes last, if there is one.
    pub last: Option<FramePlan>,
}

/// How the columns of a record are told apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RecordForm {
    /// By a delimiter (RFC 4180 with that delimiter and quote).
    Delimited {
        /// Between two columns.
        delimiter: u8,
        /// Around a column.
        quote: u8,
    },
    /// By their widths, in characters.
    Fixed(Vec<usize>),
}

/// A record that frames the others: it begins with a mark and may say whose file it is and how many there are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FramePlan {
    /// What stands in its first column.
    pub mark: String,
    /// In which column, from zero, the client stands: code, OIN or KVK number of the organisation of the path.
    pub client: Option<usize>,
    /// In which column, from zero, the number of records stands, those that frame them not counted.
    pub count: Option<usize>,
    /// In which column, from zero, the number of the file stands.
    pub sequence: Option<usize>,
    /// The widths of its columns, in characters, where columns are told apart by widths.
    pub widths: Vec<usize>,
}

/// One column.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What stands in it.
    pub kind: ColumnKind,
    /// Whether it may be empty.
    pub required: bool,
    /// At most so many characters.
    pub most_chars: usize,
}

/// What stands in a column.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ColumnKind {
    /// Any text.
    Text,
    /// Digits, with a minus in front or not.
    Integer,
    /// Digits with one separator among them or none.
    Decimal {
        /// The separator.
        separator: u8,
    },
    /// A day of the calendar.
    Date(DateForm),
    /// A citizen number: nine digits that pass the eleven-test. It is never repeated anywhere.
    CitizenNumber,
    /// One of these words.
    OneOf(Vec<String>),
    /// The client: code, OIN or KVK number of the organisation of the path.
    Client,
}

/// How a day is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DateForm {
    /// `2026-11-30`.
    Iso,
    /// `20261130`.
    Compact,
    /// `30-11-2026`.
    Dutch,
}

impl ColumnKind {
    /// What is wrong with a value that is not empty; a code, never the value.
    #[must_use]
    pub fn fault(&self, value: &[u8], client_marks: &[String]) -> Option<&'static str> {
        match self {
            Self::Text => None,
            Self::Integer => {
                let digits = value.strip_prefix(b"-").unwrap_or(value);
                (!is_digits(digits)).then_some("not-an-integer")
            }
            Self::Decimal { separator } => {
                let digits = value.strip_prefix(b"-").unwrap_or(value);
                let mut parts = digits.splitn(2, |byte| byte == separator);
                let whole = parts.next().is_some_and(is_digits);
                (!whole || !parts.next().is_none_or(is_digits)).then_some("not-a-number")
            }
            Self::Date(form) => (!is_date(*form, value)).then_some("not-a-date"),
            Self::CitizenNumber => (!is_citizen_number(value)).then_some("not-a-citizen-number"),
            Self::OneOf(words) => (!words.iter().any(|word| word.as_bytes() == value)).then_some("not-in-list"),
            Self::Client => (!is_one_of(value, client_marks)).then_some("wrong-client"),
        }
    }
}

/// Whether a value is one of the marks of the client.
#[must_use]
pub fn is_one_of(value: &[u8], client_marks: &[String]) -> bool {
    client_marks.iter().any(|mark| mark.as_bytes().eq_ignore_ascii_case(value))
}

fn is_digits(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

/// The eleven-test (*elfproef*): nine digits, not all of them zero, whose sum with the weights 9 to 2 and -1 is a
/// multiple of eleven.
#[must_use]
pub fn is_citizen_number(value: &[u8]) -> bool {
    const WEIGHTS: [i32; 9] = [9, 8, 7, 6, 5, 4, 3, 2, -1];
    if value.len() != WEIGHTS.len() || !is_digits(value) {
        return false;
    }
    let digits = value.iter().map(|byte| i32::from(byte - b'0'));
    let sum: i32 = digits.zip(WEIGHTS).map(|(digit, weight)| digit * weight).sum();
    sum % 11 == 0 && value.iter().any(|byte| *byte != b'0')
}

/// Whether a value is a day of the calendar, from 1000 to 9999.
fn is_date(form: DateForm, value: &[u8]) -> bool {
    let parts = match (form, value) {
        (DateForm::Iso, [a, b, c, d, b'-', e, f, b'-', g, h])
        | (DateForm::Compact, [a, b, c, d, e, f, g, h])
        | (DateForm::Dutch, [g, h, b'-', e, f, b'-', a, b, c, d]) => {
            (number(&[*a, *b, *c, *d]), number(&[*e, *f]), number(&[*g, *h]))
        }
        _ => return false,
    };
    let (Some(year), Some(month), Some(day)) = parts else { return false };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => return false,
    };
    year >= 1000 && (1..=last).contains(&day)
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0_u32, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
}

/// A pattern of names: fixed text, `{client}` (a mark of the organisation of the path), `{date}` (eight digits that
/// are a day), `{sequence}` (digits) and `*` (anything).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamePattern {
    parts: Vec<NamePart>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum NamePart {
    Fixed(String),
    Client,
    Date,
    Sequence,
    Anything,
}

/// Parts of one pattern; matching tries each end of a part, so they are few.
const MOST_PARTS: usize = 16;

/// How a name stands to a pattern.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NameMatch {
    /// It fits; with the number in the place of `{sequence}`, if the pattern has one.
    Fits(Option<u64>),
    /// It would fit for another client.
    OtherClient,
    /// It does not fit.
    Differs,
}

impl NamePattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let mut parts = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (part, length) = if let Some(inner) = rest.strip_prefix('{') {
                let (word, _) = inner.split_once('}').ok_or("a brace is not closed")?;
                let part = match word {
                    "client" => NamePart::Client,
                    "date" => NamePart::Date,
                    "sequence" => NamePart::Sequence,
                    _ => return Err("in braces stands client, date or sequence"),
                };
                (part, word.len() + 2)
            } else if rest.starts_with('*') {
                (NamePart::Anything, 1)
            } else {
                let end = rest.find(['{', '*']).unwrap_or(rest.len());
                (NamePart::Fixed(rest.chars().take_while(|c| !"{*".contains(*c)).collect()), end)
            };
            parts.push(part);
            rest = rest.get(length..).unwrap_or_default();
        }
        if parts.is_empty() || parts.len() > MOST_PARTS {
            return Err("a pattern has 1 to 16 parts");
        }
        let count = |wanted: NamePart| parts.iter().filter(|part| **part == wanted).count();
        if count(NamePart::Sequence) > 1 || count(NamePart::Client) > 1 || count(NamePart::Anything) > 2 {
            return Err("a pattern has one {sequence}, one {client} and two * at most");
        }
        Ok(Self { parts })
    }

    /// Whether a number stands in it.
    #[must_use]
    pub fn has_sequence(&self) -> bool {
        self.parts.contains(&NamePart::Sequence)
    }

    /// How a name stands to the pattern.
    #[must_use]
    pub fn matches(&self, name: &str, client_marks: &[String]) -> NameMatch {
        let name = name.as_bytes();
        if let Some(found) = fits(&self.parts, name, Some(client_marks)) {
            return NameMatch::Fits(found);
        }
        if fits(&self.parts, name, None).is_some() { NameMatch::OtherClient } else { NameMatch::Differs }
    }
}

/// Whether `name` fits; any client does when there are no marks. Names have 200 bytes at most, parts are few.
#[expect(clippy::option_option, reason = "outside: whether it fits; inside: whether it has a number")]
fn fits(parts: &[NamePart], name: &[u8], marks: Option<&[String]>) -> Option<Option<u64>> {
    let Some((part, others)) = parts.split_first() else { return name.is_empty().then_some(None) };
    let rest_fits = |length: usize| fits(others, name.get(length..)?, marks);
    match part {
        NamePart::Fixed(text) => name.starts_with(text.as_bytes()).then(|| rest_fits(text.len())).flatten(),
        NamePart::Date => {
            let day = name.get(..8).filter(|day| is_date(DateForm::Compact, day));
            day.and_then(|_| rest_fits(8))
        }
        NamePart::Sequence => {
            let digits = name.iter().take_while(|byte| byte.is_ascii_digit()).count().min(18);
            let digits_fit = |length: usize| {
                let number = core::str::from_utf8(name.get(..length)?).ok()?.parse().ok()?;
                rest_fits(length).map(|_| Some(number))
            };
            (1..=digits).rev().find_map(digits_fit)
        }
        NamePart::Client => match marks {
            Some(marks) => {
                let begins = |mark: &&String| {
                    name.get(..mark.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(mark.as_bytes()))
                };
                marks.iter().filter(begins).find_map(|mark| rest_fits(mark.len()))
            }
            None => (1..=name.len()).find_map(rest_fits),
        },
        NamePart::Anything => (0..=name.len()).find_map(rest_fits),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks() -> Vec<String> {
        vec!["duinstad".to_owned(), "00000003123456780000".to_owned(), "12345678".to_owned()]
    }

    #[test]
    fn the_eleven_test() {
        for number in ["111222333", "123456782", "000000012"] {
            assert!(is_citizen_number(number.as_bytes()), "{number}");
        }
        for number in ["111222334", "000000000", "12345678", "1234567820", "12345678a", ""] {
            assert!(!is_citizen_number(number.as_bytes()), "{number}");
        }
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        for (form, text) in [
            (DateForm::Iso, "2026-02-28"),
            (DateForm::Iso, "2024-02-29"),
            (DateForm::Compact, "20001231"),
            (DateForm::Dutch, "29-02-2000"),
        ] {
            assert!(is_date(form, text.as_bytes()), "{text}");
        }
        for (form, text) in [
            (DateForm::Iso, "2026-02-29"),
            (DateForm::Iso, "1900-02-29"),
            (DateForm::Iso, "2026-13-01"),
            (DateForm::Iso, "2026-00-01"),
            (DateForm::Iso, "20260101"),
            (DateForm::Compact, "2026-1-1"),
            (DateForm::Dutch, "2026-01-01"),
            (DateForm::Dutch, "31-04-2026"),
        ] {
            assert!(!is_date(form, text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn values_are_judged_by_their_kind() {
        let fault = |kind: &ColumnKind, value: &str| kind.fault(value.as_bytes(), &marks());
        let decimal = ColumnKind::Decimal { separator: b',' };
        for (kind, good, bad) in [
            (&ColumnKind::Integer, "-12", "1-2"),
            (&ColumnKind::Integer, "0", "-"),
            (&decimal, "12,50", "12.50"),
            (&decimal, "-0,1", ",1"),
            (&decimal, "7", "7,"),
            (&ColumnKind::Client, "DuinStad", "bergdorp"),
            (&ColumnKind::Client, "12345678", "1234567"),
            (&ColumnKind::OneOf(vec!["in".to_owned(), "uit".to_owned()]), "uit", "UIT"),
        ] {
            assert_eq!(fault(kind, good), None, "{good}");
            assert!(fault(kind, bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn names_are_held_against_their_pattern() {
        let pattern = NamePattern::parse("DN_{client}_{date}_{sequence}.csv").unwrap();
        let of = |name: &str| pattern.matches(name, &marks());
        assert_eq!(of("DN_duinstad_20261130_000017.csv"), NameMatch::Fits(Some(17)));
        assert_eq!(of("DN_12345678_20261130_1.csv"), NameMatch::Fits(Some(1)));
        assert_eq!(of("DN_bergdorp_20261130_1.csv"), NameMatch::OtherClient);
        assert_eq!(of("DN_duinstad_20261131_1.csv"), NameMatch::Differs);
        assert_eq!(of("DN_duinstad_20261130_x.csv"), NameMatch::Differs);
        assert_eq!(of("DN_duinstad_20261130_1.csv.txt"), NameMatch::Differs);
        assert_eq!(NamePattern::parse("*.txt").unwrap().matches("a.txt", &[]), NameMatch::Fits(None));
        for bad in ["", "{", "{bsn}", "{sequence}{sequence}", "{client}{client}", "*a*b*"] {
            assert!(NamePattern::parse(bad).is_err(), "{bad}");
        }
        // no name makes matching slow
        let slow = NamePattern::parse("*{client}a*b{sequence}c").unwrap();
        assert_eq!(slow.matches(&"a".repeat(200), &[]), NameMatch::Differs);
    }
}
