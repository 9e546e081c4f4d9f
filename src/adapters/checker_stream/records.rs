//! Records: parted by a delimiter (csv-core, RFC 4180) or by widths, each column held against its kind, and the
//! records that frame the others against the client and the count.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::findings::Findings;
use crate::domain::check_plan::{Encoding, FramePlan, MOST_COLUMNS, RecordForm, RecordPlan, TextPlan, is_one_of};

/// The records so far.
#[derive(Debug)]
pub(super) struct Records<'a> {
    parts: Parts<'a>,
    judge: Judge<'a>,
    /// A record cannot be read: nothing after it is a record.
    is_lost: bool,
}

#[derive(Debug)]
enum Parts<'a> {
    Delimited { reader: Box<Reader>, fields: Vec<u8>, filled: usize, ends: Vec<usize>, ended: usize },
    Fixed { widths: &'a [usize], line: Vec<u8>, most_bytes: usize, number: u64 },
}

impl<'a> Records<'a> {
    pub(super) fn new(plan: &'a RecordPlan, text: &TextPlan, client_marks: &'a [String]) -> Self {
        let parts = match &plan.form {
            RecordForm::Delimited { delimiter, quote } => Parts::Delimited {
                reader: Box::new(ReaderBuilder::new().delimiter(*delimiter).quote(*quote).build()),
                // a record may have quoted line ends: room for a few of the longest lines
                fields: vec![0; text.most_line_bytes.saturating_mul(4)],
                filled: 0,
                ends: vec![0; MOST_COLUMNS + 1],
                ended: 0,
            },
            RecordForm::Fixed(widths) => {
                Parts::Fixed { widths, line: Vec::new(), most_bytes: text.most_line_bytes, number: 0 }
            }
        };
        Self { parts, judge: Judge::new(plan, text.encoding, client_marks), is_lost: false }
    }

    /// Takes the next bytes.
    pub(super) fn take(&mut self, part: &[u8], findings: &mut Findings) {
        if self.is_lost || part.is_empty() {
            return;
        }
        match &mut self.parts {
            Parts::Delimited { .. } => self.take_delimited(part, findings),
            Parts::Fixed { .. } => self.take_fixed(part, findings),
        }
    }

    fn take_delimited(&mut self, mut part: &[u8], findings: &mut Findings) {
        let Parts::Delimited { reader, fields, filled, ends, ended } = &mut self.parts else { return };
        // the end is told to csv-core by an empty part, once: see `end`
        let is_end = part.is_empty();
        while is_end || !part.is_empty() {
            let (room, ends_room) =
                (fields.get_mut(*filled..).unwrap_or_default(), ends.get_mut(*ended..).unwrap_or_default());
            let (result, read, written, told) = reader.read_record(part, room, ends_room);
            part = part.get(read..).unwrap_or_default();
            *filled += written;
            *ended += told;
            match result {
                ReadRecordResult::InputEmpty if is_end => {}
                ReadRecordResult::InputEmpty => return,
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    let code =
                        if result == ReadRecordResult::OutputFull { "record-too-long" } else { "too-many-columns" };
                    findings.at(reader.line(), 0, code);
                    self.is_lost = true;
                    return;
                }
                ReadRecordResult::Record => {
                    let ends = ends.get(..*ended).unwrap_or_default();
                    // the line after the record is counted already, unless the end of the file ends it
                    let line = self.judge.line_of(reader.line(), is_end);
                    let values = Values::Delimited { fields, ends };
                    self.judge.record(line, &values, findings);
                    (*filled, *ended) = (0, 0);
                }
                ReadRecordResult::End => return,
            }
        }
    }

    fn take_fixed(&mut self, part: &[u8], findings: &mut Findings) {
        let Parts::Fixed { widths, line, most_bytes, number } = &mut self.parts else { return };
        for piece in part.split_inclusive(|byte| *byte == b'\n') {
            let (body, is_complete) = match piece.strip_suffix(b"\n") {
                Some(body) => (body, true),
                None => (piece, false),
            };
            if line.len() + body.len() > *most_bytes + 1 {
                findings.at(*number + 1, 0, "record-too-long");
                self.is_lost = true;
                return;
            }
            line.extend_from_slice(body);
            if is_complete {
                *number += 1;
                let whole = line.strip_suffix(b"\r").unwrap_or(line);
                self.judge.fixed(*number, whole, widths, findings);
                line.clear();
            }
        }
    }

    /// Nothing comes any more.
    pub(super) fn end(mut self, findings: &mut Findings) {
        if !self.is_lost {
            match &mut self.parts {
                Parts::Delimited { .. } => self.take_delimited(&[], findings),
                Parts::Fixed { widths, line, number, .. } => {
                    let whole = line.strip_suffix(b"\r").unwrap_or(line);
                    if !whole.is_empty() {
                        self.judge.fixed(*number + 1, whole, widths, findings);
                    }
                }
            }
        }
        findings.counted("records", self.judge.records);
        if !self.is_lost {
            self.judge.end(findings);
        }
    }
}

/// The columns of one record.
enum Values<'a> {
    Delimited { fields: &'a [u8], ends: &'a [usize] },
    Fixed { line: &'a [u8], bounds: &'a [(usize, usize)] },
}

impl Values<'_> {
    const fn count(&self) -> usize {
        match self {
            Self::Delimited { ends, .. } => ends.len(),
            Self::Fixed { bounds, .. } => bounds.len(),
        }
    }

    fn at(&self, column: usize) -> &[u8] {
        match self {
            Self::Delimited { fields, ends } => {
                let from = column.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
                ends.get(column).and_then(|end| fields.get(from..*end)).unwrap_or_default()
            }
            Self::Fixed { line, bounds } => {
                let value = bounds.get(column).and_then(|(from, to)| line.get(*from..*to)).unwrap_or_default();
                value.trim_ascii()
            }
        }
    }
}

/// Holds records against the plan.
#[derive(Debug)]
struct Judge<'a> {
    plan: &'a RecordPlan,
    encoding: Encoding,
    client_marks: &'a [String],
    /// Records that frame no others.
    records: u64,
    /// The line on which the next record begins.
    next_line: u64,
    is_first: bool,
    names_are_read: bool,
    last_is_read: bool,
    bounds: Vec<(usize, usize)>,
}

impl<'a> Judge<'a> {
    fn new(plan: &'a RecordPlan, encoding: Encoding, client_marks: &'a [String]) -> Self {
        Self {
            plan,
            encoding,
            client_marks,
            records: 0,
            next_line: 1,
            is_first: true,
            names_are_read: !plan.names_first,
            last_is_read: false,
            bounds: Vec::new(),
        }
    }

    /// The line on which the record that was just read began.
    const fn line_of(&mut self, now: u64, is_end: bool) -> u64 {
        let began = self.next_line;
        self.next_line = if is_end { now + 1 } else { now };
        began
    }

    fn fixed(&mut self, number: u64, line: &[u8], widths: &[usize], findings: &mut Findings) {
        let plan = self.plan;
        let begins = |frame: &&FramePlan| line.starts_with(frame.mark.as_bytes());
        let first = plan.first.as_ref().filter(|_| self.is_first).filter(begins);
        let frame = first.or_else(|| plan.last.as_ref().filter(begins));
        let widths = frame.map_or(widths, |frame| frame.widths.as_slice());
        let mut bounds = core::mem::take(&mut self.bounds);
        if part_by_width(line, widths, self.encoding, &mut bounds) {
            self.record(number, &Values::Fixed { line, bounds: &bounds }, findings);
        } else {
            findings.at(number, 0, "record-length");
            self.is_first = false;
            self.records += 1;
        }
        self.bounds = bounds;
    }

    fn record(&mut self, line: u64, values: &Values<'_>, findings: &mut Findings) {
        let plan = self.plan;
        if self.last_is_read {
            findings.at(line, 0, "after-the-last-record");
            return;
        }
        let is_marked = |frame: &FramePlan| values.at(0) == frame.mark.as_bytes();
        if self.is_first {
            self.is_first = false;
            if let Some(first) = &plan.first {
                if is_marked(first) {
                    self.frame(first, line, values, findings);
                    return;
                }
                findings.at(line, 1, "no-first-record");
            }
        }
        if let Some(last) = plan.last.as_ref().filter(|last| is_marked(last)) {
            self.last_is_read = true;
            self.frame(last, line, values, findings);
            return;
        }
        if !self.names_are_read {
            self.names_are_read = true;
            self.names(line, values, findings);
            return;
        }
        self.records += 1;
        if values.count() != plan.columns.len() {
            findings.at(line, 0, "column-count");
            return;
        }
        for (at, column) in plan.columns.iter().enumerate() {
            let value = values.at(at);
            let fault = if value.is_empty() {
                column.required.then_some("missing")
            } else if self.chars(value) > column.most_chars {
                Some("too-long")
            } else {
                column.kind.fault(value, self.client_marks)
            };
            if let Some(code) = fault {
                findings.at(line, at as u64 + 1, code);
            }
        }
    }

    fn names(&self, line: u64, values: &Values<'_>, findings: &mut Findings) {
        if values.count() != self.plan.columns.len() {
            findings.at(line, 0, "column-names");
            return;
        }
        for (at, column) in self.plan.columns.iter().enumerate() {
            if !values.at(at).eq_ignore_ascii_case(column.name.as_bytes()) {
                findings.at(line, at as u64 + 1, "column-names");
            }
        }
    }

    fn frame(&self, frame: &FramePlan, line: u64, values: &Values<'_>, findings: &mut Findings) {
        if let Some(at) = frame.client
            && !is_one_of(values.at(at), self.client_marks)
        {
            findings.at(line, at as u64 + 1, "wrong-client");
        }
        if let Some(at) = frame.sequence {
            match whole(values.at(at)) {
                Some(number) => findings.numbered(number),
                None => findings.at(line, at as u64 + 1, "not-an-integer"),
            }
        }
        let Some(at) = frame.count else { return };
        let said = whole(values.at(at));
        // a record that comes first cannot be held against what has not been read
        let is_last = self.last_is_read;
        if said.is_none() || (is_last && said != Some(self.records)) {
            findings.at(line, at as u64 + 1, "record-count");
        }
    }

    /// Characters of a value.
    fn chars(&self, value: &[u8]) -> usize {
        match self.encoding {
            Encoding::Utf8 if !value.is_ascii() => value.iter().filter(|byte| (**byte & 0xC0) != 0x80).count(),
            Encoding::Ascii | Encoding::Latin1 | Encoding::Utf8 => value.len(),
        }
    }

    fn end(&self, findings: &mut Findings) {
        if self.plan.last.is_some() && !self.last_is_read {
            findings.of_file("no-last-record");
        }
        if self.plan.first.is_some() && self.is_first {
            findings.of_file("no-first-record");
        }
        if !self.names_are_read {
            findings.of_file("column-names");
        }
    }
}

fn whole(value: &[u8]) -> Option<u64> {
    core::str::from_utf8(value).ok()?.trim().parse().ok()
}

/// Parts a line by widths in characters; false when it is longer or shorter than they are.
fn part_by_width(line: &[u8], widths: &[usize], encoding: Encoding, bounds: &mut Vec<(usize, usize)>) -> bool {
    bounds.clear();
    let mut from = 0;
    for width in widths {
        let to = if encoding == Encoding::Utf8 && !line.is_ascii() {
            let rest = core::str::from_utf8(line.get(from..).unwrap_or_default()).unwrap_or_default();
            match rest.char_indices().map(|(at, _)| at).chain([rest.len()]).nth(*width) {
                Some(length) => from + length,
                None => return false,
            }
        } else {
            from + width
        };
        if to > line.len() {
            return false;
        }
        bounds.push((from, to));
        from = to;
    }
    from == line.len()
}
