//! What the operator says on the start page (A15): text files that are read once, and shown as
//! headings, lists and paragraphs. No markup of theirs reaches a page.

#![expect(clippy::disallowed_methods, reason = "the operator's texts are files, read once at a start")]

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use crate::domain::account::Language;

/// A text is no larger: 32 KiB.
const MOST_BYTES: u64 = 32 * 1024;

/// A part of a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::fronts::https) enum Block {
    /// A line that began with `#`.
    Heading(String),
    /// Lines that began with `-`.
    List(Vec<String>),
    /// Any other lines, up to an empty one.
    Paragraph(String),
}

/// The operator's texts, in each language that has one.
#[derive(Clone, Default, Debug)]
pub(in crate::fronts::https) struct StartTexts {
    dutch: Vec<Block>,
    english: Vec<Block>,
}

impl StartTexts {
    /// Reads the files.
    ///
    /// # Errors
    /// A file that cannot be read, is too large, or is no UTF-8.
    pub(in crate::fronts::https) fn read(dutch: Option<&Path>, english: Option<&Path>) -> io::Result<Self> {
        Ok(Self { dutch: blocks_of(dutch)?, english: blocks_of(english)? })
    }

    /// The text in a language; empty when the operator gave none.
    pub(super) fn in_language(&self, language: Language) -> &[Block] {
        match language {
            Language::Dutch => &self.dutch,
            Language::English => &self.english,
        }
    }
}

fn blocks_of(path: Option<&Path>) -> io::Result<Vec<Block>> {
    let Some(path) = path else { return Ok(Vec::new()) };
    let mut text = String::new();
    let file = File::open(path)?;
    if file.metadata()?.len() > MOST_BYTES {
        return Err(io::Error::other("it is larger than 32 KiB"));
    }
    file.take(MOST_BYTES).read_to_string(&mut text)?;
    Ok(blocks(&text))
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut is_new = true;
    for line in text.lines() {
        let line: String = line.trim().chars().filter(|c| !c.is_control()).collect();
        if line.is_empty() {
            is_new = true;
            continue;
        }
        let heading = line.strip_prefix('#').map(|rest| rest.trim_start_matches('#').trim().to_owned());
        let item = line.strip_prefix("- ").map(|rest| rest.trim().to_owned());
        match (heading, item, blocks.last_mut()) {
            (Some(heading), _, _) => {
                blocks.push(Block::Heading(heading));
                is_new = true;
                continue;
            }
            (None, Some(item), Some(Block::List(items))) if !is_new => items.push(item),
            (None, Some(item), _) => blocks.push(Block::List(vec![item])),
            (None, None, Some(Block::Paragraph(text))) if !is_new => {
                text.push(' ');
                text.push_str(&line);
            }
            (None, None, _) => blocks.push(Block::Paragraph(line)),
        }
        is_new = false;
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_headings_lists_and_paragraphs_and_nothing_else() {
        let text = "# Zo vraagt u aan\n\nBel ons.\nWij helpen.\n\n- een\n- twee\n<b>vet</b>\n\n- drie\u{7}\n## Klaar\n";
        let wanted = [
            Block::Heading("Zo vraagt u aan".to_owned()),
            Block::Paragraph("Bel ons. Wij helpen.".to_owned()),
            Block::List(vec!["een".to_owned(), "twee".to_owned()]),
            Block::Paragraph("<b>vet</b>".to_owned()),
            Block::List(vec!["drie".to_owned()]),
            Block::Heading("Klaar".to_owned()),
        ];
        assert_eq!(blocks(text), wanted);
        assert_eq!(blocks(" \n\r\n"), []);
    }
}
