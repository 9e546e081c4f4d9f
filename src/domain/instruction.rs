//! Instructions of the operator to all users (I7, *aanwijzingen*): what they read on a board and act
//! by, beside the terms of use. Reads no clock.

use super::account::Language;
use super::ids::InstructionId;
use super::moment::Moment;
use super::names::{Line, NameFault};
use super::record::{Key, Row as _};

/// So many are on the board at once, those that are over included: all are read in one go.
pub const MOST_INSTRUCTIONS: usize = 100;

/// One language of a text: about a page.
pub const MOST_INSTRUCTION_BYTES: usize = 4 * 1024;

/// An instruction. One that was withdrawn is in the history only.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Instruction {
    /// Its id.
    pub id: InstructionId,
    /// What it is about, in Dutch.
    pub title: Line,
    /// What users are to do, in Dutch.
    pub text: String,
    /// The same in English.
    pub english: Option<(Line, String)>,
    /// Since when.
    pub given_at: Moment,
    /// Until when it is on the board; until it is withdrawn when `None`.
    pub until: Option<Moment>,
}

impl Instruction {
    /// The key of the instruction with this id.
    #[must_use]
    pub fn key_of(id: InstructionId) -> Key {
        Key::of(Self::KIND).bytes(id.as_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(self.id)
    }

    /// Whether users see it at `now`.
    #[must_use]
    pub fn counts(&self, now: Moment) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// Title and text in a language, and which language it is: the Dutch one where there is no other.
    #[must_use]
    pub fn in_language(&self, language: Language) -> (&Line, &str, Language) {
        match (&self.english, language) {
            (Some((title, text)), Language::English) => (title, text, Language::English),
            (_, Language::English | Language::Dutch) => (&self.title, &self.text, Language::Dutch),
        }
    }
}

/// Reads a text: plain, or Markdown as far as the terms of use know it.
///
/// # Errors
/// An empty text, one that is too long, and one with control characters.
pub fn parse_text(text: &str) -> Result<String, NameFault> {
    let rule = || format!("1 to {MOST_INSTRUCTION_BYTES} bytes of plain text, without control characters");
    let fault = |_| NameFault::new(text, "the text of an instruction", rule());
    let text = super::terms::parse_text(text).map_err(fault)?;
    if text.len() <= MOST_INSTRUCTION_BYTES {
        Ok(text)
    } else {
        Err(NameFault::new(&text, "the text of an instruction", rule()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instruction(english: bool, until: Option<u64>) -> Instruction {
        let line = |text: &str| Line::parse(text).unwrap();
        Instruction {
            id: InstructionId::from_bytes([1; 16]),
            title: line("Nieuwe sleutels"),
            text: "Vervang uw sleutel.".to_owned(),
            english: english.then(|| (line("New keys"), "Replace your key.".to_owned())),
            given_at: Moment::from_millis(1),
            until: until.map(Moment::from_millis),
        }
    }

    #[test]
    fn it_counts_until_its_end_and_is_read_in_the_language_that_is_there() {
        let row = instruction(true, Some(10));
        assert!(row.counts(Moment::from_millis(9)) && !row.counts(Moment::from_millis(10)));
        assert!(instruction(true, None).counts(Moment::from_millis(u64::MAX)));
        assert_eq!(row.in_language(Language::English).0.as_str(), "New keys");
        assert_eq!(row.in_language(Language::Dutch).2, Language::Dutch);
        assert_eq!(instruction(false, None).in_language(Language::English).2, Language::Dutch);
    }

    #[test]
    fn a_text_is_bounded() {
        assert_eq!(parse_text(" a\r\nb ").as_deref(), Ok("a\nb"));
        assert!(parse_text(&"x".repeat(MOST_INSTRUCTION_BYTES)).is_ok());
        for bad in ["", "a\u{7}", &"x".repeat(MOST_INSTRUCTION_BYTES + 1)] {
            assert!(parse_text(bad).is_err());
        }
    }
}
