//! What checks found in a received participant file: a verdict, counts, and where what is wrong.
//! Holds places and codes only: never a value that stands in the file.

/// Faults named in one verdict; further ones are counted.
pub const MOST_FAULTS: usize = 100;

/// Counts named in one verdict.
pub const MOST_COUNTS: usize = 16;

/// Longest code of a fault or name of a count, in bytes.
const LONGEST_WORD_BYTES: usize = 40;

/// One thing that is wrong, by its place. Lines and columns count from one; zero: of the file as a whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CheckFault {
    /// The line.
    pub line: u64,
    /// The column (field) in that line.
    pub column: u64,
    /// What is wrong: a code such as `not-a-date`, of the closed list of the check that found it.
    pub code: String,
}

/// What the checks of a product say of one file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CheckVerdict {
    accepted: bool,
    counts: Vec<(String, u64)>,
    faults: Vec<CheckFault>,
    fault_count: u64,
    sequence: Option<u64>,
}

impl CheckVerdict {
    /// Nothing is wrong, and so much was counted.
    #[must_use]
    pub fn accepted(counts: Vec<(String, u64)>) -> Self {
        Self { accepted: true, counts: bounded(counts), faults: Vec::new(), fault_count: 0, sequence: None }
    }

    /// Something is wrong: the first faults in order, and how many there are in all.
    #[must_use]
    pub fn rejected(counts: Vec<(String, u64)>, mut faults: Vec<CheckFault>, fault_count: u64) -> Self {
        let fault_count = fault_count.max(faults.len() as u64);
        faults.truncate(MOST_FAULTS);
        for fault in &mut faults {
            fault.code = word(&fault.code);
        }
        Self { accepted: false, counts: bounded(counts), faults, fault_count, sequence: None }
    }

    /// The same of a file that carries a number, which is the last one of its product once the file is accepted.
    #[must_use]
    pub const fn with_sequence(mut self, number: Option<u64>) -> Self {
        self.sequence = number;
        self
    }

    /// The number that is the last one of the product from now on, if the file is accepted.
    #[must_use]
    pub const fn sequence(&self) -> Option<u64> {
        self.sequence
    }

    /// Whether the file is accepted.
    #[must_use]
    pub const fn is_accepted(&self) -> bool {
        self.accepted
    }

    /// What was counted, such as records.
    #[must_use]
    pub fn counts(&self) -> &[(String, u64)] {
        &self.counts
    }

    /// The first faults, at most [`MOST_FAULTS`].
    #[must_use]
    pub fn faults(&self) -> &[CheckFault] {
        &self.faults
    }

    /// How many faults there are, those not named included.
    #[must_use]
    pub const fn fault_count(&self) -> u64 {
        self.fault_count
    }
}

fn bounded(mut counts: Vec<(String, u64)>) -> Vec<(String, u64)> {
    counts.truncate(MOST_COUNTS);
    counts.into_iter().map(|(name, count)| (word(&name), count)).collect()
}

/// Codes are words: whatever else a check hands over cannot carry content of the file outside.
fn word(text: &str) -> String {
    text.chars().take(LONGEST_WORD_BYTES).map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_bounded_and_its_words_are_plain() {
        let fault = |line| CheckFault { line, column: 2, code: "bad \"1234\"\n".to_owned() };
        let verdict = CheckVerdict::rejected(vec![("records".to_owned(), 7)], (1..=150).map(fault).collect(), 9);
        assert!(!verdict.is_accepted());
        assert_eq!((verdict.faults().len(), verdict.fault_count()), (MOST_FAULTS, 150));
        assert_eq!(verdict.faults()[0].code, "bad--1234--");
        let many = (0..99).map(|n| ("x".repeat(99), n)).collect();
        let verdict = CheckVerdict::accepted(many);
        assert_eq!((verdict.counts().len(), verdict.counts()[0].0.len()), (MOST_COUNTS, LONGEST_WORD_BYTES));
        assert!(verdict.is_accepted() && verdict.faults().is_empty());
    }
}
