//! The interval set against a plain set of bytes: equal while it has room, and never more than the model.

use postkluis::domain::coverage::{Coverage, MOST_INTERVALS};

/// Bytes of the model; 4,096 apart fit more separate intervals than are kept.
const SIZE: usize = 4_096;

pub(crate) fn run(data: &[u8]) {
    let mut coverage = Coverage::default();
    let mut model = vec![false; SIZE + 64];
    let mut has_forgotten = false;
    for step in data.chunks_exact(3).take(3_000) {
        let start = usize::from(u16::from_be_bytes([step[0], step[1]])) % SIZE;
        let length = usize::from(step[2] % 64);
        if step[2] >= 192 {
            wide(&coverage, step);
        }
        let mut fresh = 0;
        for byte in &mut model[start..start + length] {
            fresh += u64::from(!*byte);
            *byte = true;
        }
        let may_forget = coverage.ranges().len() == MOST_INTERVALS;
        let told = coverage.add(start as u64, length as u64);
        has_forgotten |= may_forget;
        assert!(told >= fresh, "bytes that are new were not told as new");
        assert!(has_forgotten || told == fresh, "{told} told as new, {fresh} are");
        assert!(coverage.ranges().len() <= MOST_INTERVALS);
    }
    check(&coverage, &model, has_forgotten);
}

fn check(coverage: &Coverage, model: &[bool], has_forgotten: bool) {
    let mut last = None;
    for (start, end) in coverage.ranges() {
        assert!(start < end && last.is_none_or(|last| last < *start), "unsorted, empty or touching");
        assert!(model[*start as usize..*end as usize].iter().all(|byte| *byte), "{start}..{end} overstates");
        last = Some(*end);
    }
    let bytes = model.iter().filter(|byte| **byte).count() as u64;
    assert!(coverage.bytes() <= bytes && (has_forgotten || coverage.bytes() == bytes));
    let whole = model.iter().take_while(|byte| **byte).count() as u64;
    for size in [0, 1, whole, whole + 1, SIZE as u64] {
        assert!(!coverage.covers(size) || size <= whole, "covers({size}) with {whole} at the start");
        assert!(has_forgotten || coverage.covers(size) == (size <= whole));
    }
    assert_eq!(&Coverage::from_ranges(coverage.ranges()), coverage);
    let mut merged = Coverage::default();
    merged.merge(coverage);
    assert_eq!(&merged, coverage);
}

/// Ranges at the end of the number space stand apart from the model: they must not wrap or stumble.
fn wide(coverage: &Coverage, step: &[u8]) {
    let mut wide = coverage.clone();
    let start = u64::MAX - u64::from(step[0]);
    wide.add(start, u64::MAX - u64::from(step[1]));
    assert!(wide.ranges().iter().all(|(start, end)| start < end));
    assert!(wide.ranges().len() <= MOST_INTERVALS);
}
