//! What a check found so far: the first faults with their places, and counts.

use crate::domain::verdict::{CheckFault, CheckVerdict, MOST_FAULTS};

/// Found so far.
#[derive(Debug)]
pub(super) struct Findings {
    faults: Vec<CheckFault>,
    fault_count: u64,
    counts: Vec<(String, u64)>,
    sequence: Option<u64>,
}

impl Findings {
    pub(super) const fn new() -> Self {
        Self { faults: Vec::new(), fault_count: 0, counts: Vec::new(), sequence: None }
    }

    /// Something is wrong with the file as a whole.
    pub(super) fn of_file(&mut self, code: &str) {
        self.at(0, 0, code);
    }

    /// Something is wrong at a place; lines and columns count from one.
    pub(super) fn at(&mut self, line: u64, column: u64, code: &str) {
        self.fault_count += 1;
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(CheckFault { line, column, code: code.to_owned() });
        }
    }

    /// So many of something were met.
    pub(super) fn counted(&mut self, what: &str, count: u64) {
        self.counts.push((what.to_owned(), count));
    }

    /// The file carries this number; where it carries two, they are the same.
    pub(super) fn numbered(&mut self, number: u64) {
        if *self.sequence.get_or_insert(number) != number {
            self.of_file("sequence-differs");
        }
    }

    pub(super) const fn number(&self) -> Option<u64> {
        self.sequence
    }

    /// What another check of the same bytes found, in the order of places: it must not show how the bytes were cut
    /// into blocks.
    pub(super) fn absorb(&mut self, other: Self) {
        self.fault_count += other.fault_count;
        self.faults.extend(other.faults);
        self.faults.sort_by_key(|fault| (fault.line, fault.column));
        self.faults.truncate(MOST_FAULTS);
        self.counts.extend(other.counts);
        if let Some(number) = other.sequence {
            self.numbered(number);
        }
    }

    pub(super) fn verdict(self) -> CheckVerdict {
        if self.fault_count == 0 {
            CheckVerdict::accepted(self.counts)
        } else {
            CheckVerdict::rejected(self.counts, self.faults, self.fault_count)
        }
    }
}
