//! Terms of use: versions with their text, who accepted them and how, and what that means for an
//! account at a moment (I1-I14, domain 1Z-8). Reads no clock and knows no calendar.

use core::net::IpAddr;

use super::account::Language;
use super::digest::Digest;
use super::history::Channel;
use super::moment::Moment;
use super::names::{EmailAddress, Line, LoginName, NameFault, VersionName};
use super::record::{Key, Row};

/// Who does not accept a change says so within so many days after its publication, to the end of the last one (I13).
pub const REFUSABLE_DAYS: u64 = 42;

/// One language of a text: about 40 pages. Both lie in one decision, well below the largest frame of the journal.
pub const MOST_TEXT_BYTES: usize = 128 * 1024;

/// So much of a text lies in one row: a value of the index has 16 KiB at most.
const PART_BYTES: usize = 12 * 1024;

/// A version of the terms of use (I1). Versions are numbered in the order of their publication, and apply in that
/// order too.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TermsVersion {
    /// The first is 1.
    pub number: u32,
    /// As people name it.
    pub name: VersionName,
    /// When it was published.
    pub published_at: Moment,
    /// From when it applies; later than its publication (I12).
    pub effective_at: Moment,
    /// Until when it can be refused (I13).
    pub refusable_until: Moment,
    /// Of the first version: until when accounts of before it sign in to SFTP and the API without it.
    pub grace_until: Moment,
    /// SHA-256 of the Dutch text.
    pub sha256: Digest,
    /// SHA-256 of the English text, if there is one.
    pub english_sha256: Option<Digest>,
    /// How far everybody was told of it by e-mail (M22).
    pub telling: Telling,
}

/// How far everybody was told of a version.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Telling {
    /// Under way, in the order of logins.
    UnderWay {
        /// The last account that was looked at.
        after: Option<LoginName>,
    },
    /// Every account was looked at.
    Done,
}

/// A part of the text of a version.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TermsText {
    /// Number of the version.
    pub number: u32,
    /// In which language.
    pub language: Language,
    /// Which part, from 0.
    pub part: u32,
    /// The part.
    pub text: String,
}

/// That the terms were accepted for an account. Later versions apply by themselves (I13).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TermsAcceptance {
    /// The account.
    pub login: LoginName,
    /// Number of the version that was accepted.
    pub number: u32,
    /// When.
    pub at: Moment,
    /// From which address, where that is known.
    pub address: Option<IpAddr>,
    /// Who did.
    pub by: AcceptedBy,
    /// It was stated that e-mail may take the place of paper (H5).
    pub states_reachable: bool,
}

/// Who accepted the terms for an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AcceptedBy {
    /// The person whose account it is.
    Oneself,
    /// The owner of a machine account, by the link of an e-mail.
    Owner(EmailAddress),
    /// An administrator of the organisation, for a machine account.
    Administrator(LoginName),
    /// The operator put on record that this was done on paper or otherwise.
    Operator(Line),
}

/// What the terms of use mean for an account at a moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TermsStanding {
    /// Nothing was published, or this channel does not ask.
    Unbound,
    /// They were accepted; later versions apply by themselves (I13).
    Accepted,
    /// They are to be accepted, but the account is of before them and may go on until then.
    InGrace(Moment),
    /// They are to be accepted before anything else (I6).
    Open,
}

impl TermsVersion {
    /// The key of the version with this number.
    #[must_use]
    pub fn key_of(number: u32) -> Key {
        Key::of(Self::KIND).bytes(&number.to_be_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(self.number)
    }
}

impl TermsText {
    /// The beginning of the keys of a text, in the order of its parts.
    #[must_use]
    pub fn keys_of(number: u32, language: Language) -> Key {
        let language = match language {
            Language::Dutch => 0,
            Language::English => 1,
        };
        Key::of(Self::KIND).bytes(&number.to_be_bytes()).bytes(&[language])
    }

    pub(super) fn key(&self) -> Key {
        Self::keys_of(self.number, self.language).bytes(&self.part.to_be_bytes())
    }

    /// The rows of a text.
    #[must_use]
    pub fn rows_of(number: u32, language: Language, text: &str) -> Vec<Self> {
        let mut rows = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.floor_char_boundary(PART_BYTES);
            let (head, tail) = rest.split_at(end);
            let part = u32::try_from(rows.len()).unwrap_or(u32::MAX);
            rows.push(Self { number, language, part, text: head.to_owned() });
            rest = tail;
        }
        rows
    }
}

impl TermsAcceptance {
    /// The key of the acceptance of an account.
    #[must_use]
    pub fn key_of(login: &LoginName) -> Key {
        Key::of(Self::KIND).text(login.as_str())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.login)
    }
}

/// The version that applies at `now`.
#[must_use]
pub fn in_force(versions: &[TermsVersion], now: Moment) -> Option<&TermsVersion> {
    versions.iter().rev().find(|version| version.effective_at <= now)
}

/// The newest version, while it does not apply yet.
#[must_use]
pub fn coming(versions: &[TermsVersion], now: Moment) -> Option<&TermsVersion> {
    versions.last().filter(|version| now < version.effective_at)
}

/// The version that who has accepted none is asked for: the one that applies, else the first one that will.
#[must_use]
pub fn to_accept(versions: &[TermsVersion], now: Moment) -> Option<&TermsVersion> {
    in_force(versions, now).or_else(|| versions.first())
}

/// The version that can be refused at `now`: the newest one, until the end of day 42 after its publication, whether
/// it applies by then or not (I13, domain 1Z-8).
#[must_use]
pub fn refusable(versions: &[TermsVersion], now: Moment) -> Option<&TermsVersion> {
    versions.last().filter(|version| now < version.refusable_until)
}

/// What the terms mean at `now` for an account that was added at `added_at` and comes in by `channel`. The portal
/// asks from the first publication on. SFTP and the API give accounts of before it their time, so that a first
/// publication locks out no robot.
#[must_use]
pub fn standing_under_terms(
    first: Option<&TermsVersion>,
    acceptance: Option<&TermsAcceptance>,
    (added_at, channel): (Moment, Channel),
    now: Moment,
) -> TermsStanding {
    let Some(first) = first else { return TermsStanding::Unbound };
    match channel {
        Channel::Spool | Channel::Office | Channel::CommandLine | Channel::System => TermsStanding::Unbound,
        Channel::Portal | Channel::Sftp | Channel::Api if acceptance.is_some() => TermsStanding::Accepted,
        Channel::Sftp | Channel::Api if added_at <= first.published_at && now < first.grace_until => {
            TermsStanding::InGrace(first.grace_until)
        }
        Channel::Portal | Channel::Sftp | Channel::Api => TermsStanding::Open,
    }
}

/// Reads a text: plain, or Markdown as far as `blocks` knows it. Ends of lines are made one kind.
///
/// # Errors
/// An empty text, one that is too long, and one with control characters.
pub fn parse_text(text: &str) -> Result<String, NameFault> {
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let text = text.trim();
    let fits = !text.is_empty()
        && text.len() <= MOST_TEXT_BYTES
        && !text.chars().any(|c| c.is_control() && c != '\n' && c != '\t');
    let rule = format!("1 to {MOST_TEXT_BYTES} bytes of plain text or Markdown, without control characters");
    if fits { Ok(text.to_owned()) } else { Err(NameFault::new(text, "a text of terms of use", rule)) }
}

/// A piece of a text as it is shown. All that it holds is text: no markup is taken over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Block {
    /// A heading; the highest is 1.
    Heading(u8, String),
    /// A paragraph, line by line.
    Paragraph(Vec<String>),
    /// A list without numbers.
    List(Vec<String>),
}

/// The pieces of a text: `#` begins a heading, `-` or `*` an item of a list, an empty line ends a paragraph. A
/// heading is at most one level below the one before it.
#[must_use]
pub fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let (mut goes_on, mut level_before) = (false, 0);
    for line in text.lines().map(str::trim) {
        let marks = line.bytes().take_while(|byte| *byte == b'#').count();
        let heading = line.get(marks..).and_then(|rest| rest.strip_prefix(' ')).map(str::trim);
        let item = line.strip_prefix("- ").or_else(|| line.strip_prefix("* "));
        match (line.is_empty(), heading.filter(|_| (1..=6).contains(&marks)), item, blocks.last_mut()) {
            (true, ..) => {
                goes_on = false;
                continue;
            }
            (_, Some(heading), ..) => {
                let level = u8::try_from(marks).unwrap_or(1).min(level_before + 1);
                level_before = level;
                blocks.push(Block::Heading(level, heading.to_owned()));
                goes_on = false;
                continue;
            }
            (_, _, Some(item), Some(Block::List(items))) if goes_on => items.push(item.trim().to_owned()),
            (_, _, Some(item), _) => blocks.push(Block::List(vec![item.trim().to_owned()])),
            (_, _, None, Some(Block::Paragraph(lines))) if goes_on => lines.push(line.to_owned()),
            (_, _, None, Some(Block::List(items))) if goes_on => {
                if let Some(last) = items.last_mut() {
                    last.push(' ');
                    last.push_str(line);
                }
            }
            (_, _, None, _) => blocks.push(Block::Paragraph(vec![line.to_owned()])),
        }
        goes_on = true;
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::moment::Span;

    const DAY: Span = Span::from_days(1);

    fn day(number: u64) -> Moment {
        Moment::from_millis(1_790_000_000_000).after(Span::from_days(number))
    }

    fn version(number: u32, published: u64, effective: u64) -> TermsVersion {
        TermsVersion {
            number,
            name: VersionName::parse(&format!("{number}.0")).unwrap(),
            published_at: day(published),
            effective_at: day(effective),
            refusable_until: day(published + REFUSABLE_DAYS + 1),
            grace_until: day(published + 42),
            sha256: Digest::new([1; 32]),
            english_sha256: None,
            telling: Telling::Done,
        }
    }

    fn acceptance() -> TermsAcceptance {
        TermsAcceptance {
            login: LoginName::parse("robot-1").unwrap(),
            number: 1,
            at: day(11),
            address: None,
            by: AcceptedBy::Oneself,
            states_reachable: true,
        }
    }

    #[test]
    fn which_version_applies_comes_and_can_be_refused() {
        let versions = [version(1, 10, 20), version(2, 100, 110)];
        let at = |now: Moment| {
            let number = |version: Option<&TermsVersion>| version.map_or(0, |version| version.number);
            let all = versions.get(..if now < day(100) { 1 } else { 2 }).unwrap();
            [in_force(all, now), coming(all, now), to_accept(all, now), refusable(all, now)].map(number)
        };
        assert_eq!(at(day(10)), [0, 1, 1, 1], "published, not in force");
        assert_eq!(at(day(20)), [1, 0, 1, 1], "in force, and still refusable (1Z-8)");
        assert_eq!(at(day(53).before(Span::from_millis(1))), [1, 0, 1, 1], "to the end of day 42");
        assert_eq!(at(day(53)), [1, 0, 1, 0]);
        assert_eq!(at(day(105)), [1, 2, 1, 2]);
        assert_eq!(at(day(110)), [2, 0, 2, 2], "by itself (I13)");
        assert_eq!((in_force(&[], day(1)), to_accept(&[], day(1)), refusable(&[], day(1))), (None, None, None));
    }

    #[test]
    fn every_channel_asks_as_the_terms_say() {
        let first = version(1, 10, 20);
        let (accepted, portal, sftp, api) = (acceptance(), Channel::Portal, Channel::Sftp, Channel::Api);
        let standing = |acceptance: Option<&TermsAcceptance>, added_at, channel, now| {
            standing_under_terms(Some(&first), acceptance, (added_at, channel), now)
        };
        for channel in [portal, sftp, api] {
            assert_eq!(standing_under_terms(None, None, (day(1), channel), day(99)), TermsStanding::Unbound);
            assert_eq!(standing(Some(&accepted), day(12), channel, day(12)), TermsStanding::Accepted);
            assert_eq!(standing(None, day(12), channel, day(12)), TermsStanding::Open, "made after it");
        }
        for channel in [sftp, api] {
            assert_eq!(standing(None, day(9), channel, day(12)), TermsStanding::InGrace(day(52)));
            assert_eq!(standing(None, day(10), channel, day(52).before(DAY)), TermsStanding::InGrace(day(52)));
            assert_eq!(standing(None, day(9), channel, day(52)), TermsStanding::Open, "the time is over");
        }
        assert_eq!(standing(None, day(9), portal, day(10)), TermsStanding::Open, "people are asked at once");
        for channel in [Channel::Spool, Channel::Office, Channel::CommandLine, Channel::System] {
            assert_eq!(standing(None, day(12), channel, day(99)), TermsStanding::Unbound);
        }
    }

    #[test]
    fn a_text_reads_back_from_its_rows_whatever_it_holds() {
        let text = "é".repeat(MOST_TEXT_BYTES / 2);
        let rows = TermsText::rows_of(3, Language::English, &text);
        assert!(rows.iter().all(|row| row.text.len() <= PART_BYTES) && rows.len() == 11, "{}", rows.len());
        assert_eq!(rows.iter().map(|row| row.text.as_str()).collect::<String>(), text);
        assert!(rows.is_sorted_by_key(TermsText::key));
        assert_eq!(parse_text(&text).as_deref(), Ok(text.as_str()));
        assert_eq!(parse_text("\u{feff}\r\na\r\nb\r\n").as_deref(), Ok("a\nb"));
        for bad in ["", " \n\t\n", "a\u{7}b", "a\u{0}b", &format!("{text}x")] {
            assert!(parse_text(bad).is_err());
        }
    }

    #[test]
    fn a_text_falls_into_headings_paragraphs_and_lists() {
        let text = "# One\nfirst line\nsecond line\n\nnext\n### Deep\n- a\n  goes on\n* b\n\n- c\n#no heading\n";
        let line = |text: &str| text.to_owned();
        let expected = vec![
            Block::Heading(1, line("One")),
            Block::Paragraph(vec![line("first line"), line("second line")]),
            Block::Paragraph(vec![line("next")]),
            Block::Heading(2, line("Deep")),
            Block::List(vec![line("a goes on"), line("b")]),
            Block::List(vec![line("c #no heading")]),
        ];
        assert_eq!(blocks(text), expected);
        let script = "<script>alert(1)</script> [a](javascript:b)";
        assert_eq!(blocks(script), [Block::Paragraph(vec![line(script)])], "markup stays text");
    }
}
