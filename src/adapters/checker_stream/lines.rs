//! Lines: how they end and how long they are. Quotes of CSV do not count here: a line end is one wherever it stands.

use memchr::memchr2_iter;

use super::findings::Findings;
use crate::domain::check_plan::{LineEnds, TextPlan};

/// The lines so far.
#[derive(Debug)]
pub(super) struct Lines {
    wanted: LineEnds,
    last_line_ends: bool,
    most_bytes: usize,
    complete: u64,
    /// Bytes of the line that is not complete.
    open_bytes: usize,
    /// It was said already that this line is too long.
    is_told: bool,
    /// The last byte so far was CR.
    after_cr: bool,
    /// How the first line ended.
    first: Option<Ended>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ended {
    Lf,
    CrLf,
}

impl Lines {
    pub(super) const fn new(plan: &TextPlan) -> Self {
        Self {
            wanted: plan.line_ends,
            last_line_ends: plan.last_line_ends,
            most_bytes: plan.most_line_bytes,
            complete: 0,
            open_bytes: 0,
            is_told: false,
            after_cr: false,
            first: None,
        }
    }

    /// Number of the line that comes next or is open.
    pub(super) const fn number(&self) -> u64 {
        self.complete + 1
    }

    /// How many lines there are, the last one that does not end included.
    pub(super) const fn complete(&self) -> u64 {
        self.complete + (self.open_bytes > 0) as u64
    }

    /// Takes the next bytes.
    pub(super) fn take(&mut self, part: &[u8], findings: &mut Findings) {
        let mut from = 0;
        for at in memchr2_iter(b'\r', b'\n', part) {
            let before = at - from;
            if self.after_cr && (before > 0 || part.get(at) == Some(&b'\r')) {
                findings.at(self.number(), 0, "line-end");
            }
            self.grow(before, findings);
            from = at + 1;
            if part.get(at) == Some(&b'\r') {
                self.after_cr = true;
                continue;
            }
            let ended = if self.after_cr && before == 0 { Ended::CrLf } else { Ended::Lf };
            self.after_cr = false;
            let first = *self.first.get_or_insert(ended);
            let fits = match self.wanted {
                LineEnds::Uniform => ended == first,
                LineEnds::Lf => ended == Ended::Lf,
                LineEnds::CrLf => ended == Ended::CrLf,
            };
            if !fits {
                findings.at(self.number(), 0, "line-end");
            }
            self.complete += 1;
            self.open_bytes = 0;
            self.is_told = false;
        }
        let rest = part.len() - from;
        if rest > 0 {
            if self.after_cr {
                findings.at(self.number(), 0, "line-end");
                self.after_cr = false;
            }
            self.grow(rest, findings);
        }
    }

    fn grow(&mut self, bytes: usize, findings: &mut Findings) {
        self.open_bytes += bytes;
        if self.open_bytes > self.most_bytes && !self.is_told {
            self.is_told = true;
            findings.at(self.number(), 0, "line-too-long");
        }
    }

    /// Nothing comes any more.
    pub(super) fn end(&self, findings: &mut Findings) {
        if self.after_cr || (self.last_line_ends && self.open_bytes > 0) {
            findings.at(self.number(), 0, "line-end");
        }
    }
}
