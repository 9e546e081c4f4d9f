//! Whether a file is one well-formed XML document. A document type is refused: nothing is expanded or fetched.

use std::io::{BufRead, BufReader, Read};

use quick_xml::Reader;
use quick_xml::events::Event;

use super::BLOCK_BYTES;
use super::findings::Findings;
use crate::ports::failure::Fault;

/// One tag or piece of text has at most so many bytes: it is held in memory.
const MOST_PIECE_BYTES: usize = 1024 * 1024;

/// Elements inside each other.
const MOST_DEPTH: usize = 256;

/// Reads one document to its end, or to the first place where it is none.
pub(super) fn judge(bytes: &mut dyn Read, findings: &mut Findings) -> Result<(), Fault> {
    let mut reader = Reader::from_reader(Piecewise::new(BufReader::with_capacity(BLOCK_BYTES, bytes)));
    reader.config_mut().check_comments = true;
    let mut piece = Vec::new();
    let (mut depth, mut roots, mut elements) = (0_usize, 0_u32, 0_u64);
    loop {
        piece.clear();
        reader.get_mut().left = MOST_PIECE_BYTES;
        let code = match reader.read_event_into(&mut piece) {
            Ok(Event::Eof) => break,
            Ok(Event::Start(tag)) => {
                elements += 1;
                roots += u32::from(depth == 0);
                depth += 1;
                let is_sound = tag.attributes().all(|attribute| attribute.is_ok());
                if depth > MOST_DEPTH { Some("nested-too-deep") } else { (!is_sound).then_some("not-xml") }
            }
            Ok(Event::Empty(tag)) => {
                elements += 1;
                roots += u32::from(depth == 0);
                (!tag.attributes().all(|attribute| attribute.is_ok())).then_some("not-xml")
            }
            Ok(Event::End(_)) => {
                depth = depth.saturating_sub(1);
                None
            }
            Ok(Event::DocType(_)) => Some("document-type"),
            Ok(Event::Text(text)) => {
                (depth == 0 && !text.bytes().all(|byte| byte.is_ascii_whitespace())).then_some("not-xml")
            }
            Ok(Event::CData(_) | Event::GeneralRef(_)) if depth == 0 => Some("not-xml"),
            Ok(_) => None,
            Err(quick_xml::Error::Io(error)) if error.get_ref().is_some_and(|inner| inner.is::<TooLong>()) => {
                Some("piece-too-long")
            }
            Err(quick_xml::Error::Io(error)) => {
                return Err(Fault::from_error("read a participant file for its checks", error));
            }
            Err(_) => Some("not-xml"),
        };
        if let Some(code) = code.or((roots > 1).then_some("not-xml")) {
            findings.at(reader.get_ref().line, 0, code);
            return Ok(());
        }
    }
    if depth > 0 || roots == 0 {
        findings.at(reader.get_ref().line, 0, "not-xml");
    }
    findings.counted("elements", elements);
    Ok(())
}

/// Counts lines, and ends what is read as one piece when it is too long.
struct Piecewise<R> {
    inner: R,
    left: usize,
    line: u64,
}

impl<R> Piecewise<R> {
    const fn new(inner: R) -> Self {
        Self { inner, left: MOST_PIECE_BYTES, line: 1 }
    }
}

#[derive(Debug)]
struct TooLong;

impl core::fmt::Display for TooLong {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("a tag or text is too long")
    }
}

impl core::error::Error for TooLong {}

impl<R: BufRead> Read for Piecewise<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let held = self.fill_buf()?;
        let length = held.len().min(into.len());
        if let (Some(to), Some(from)) = (into.get_mut(..length), held.get(..length)) {
            to.copy_from_slice(from);
        }
        self.consume(length);
        Ok(length)
    }
}

impl<R: BufRead> BufRead for Piecewise<R> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        let left = self.left;
        let held = self.inner.fill_buf()?;
        if left == 0 && !held.is_empty() {
            return Err(std::io::Error::other(TooLong));
        }
        Ok(held.get(..held.len().min(left)).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        if let Ok(held) = self.inner.fill_buf() {
            let taken = held.get(..amount.min(held.len())).unwrap_or_default();
            self.line += memchr::memchr_iter(b'\n', taken).count() as u64;
        }
        self.left = self.left.saturating_sub(amount);
        self.inner.consume(amount);
    }
}
