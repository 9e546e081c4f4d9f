//! The interval set of bytes that left: what "fetched" means (interfaces §7).
//! Bounded; when full it forgets the smallest interval, so it may understate
//! but never overstates (I8).

/// At most this many separate intervals are kept per file.
pub const MOST_INTERVALS: usize = 1_024;

/// Half-open byte ranges, sorted, apart from each other.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Coverage {
    ranges: Vec<(u64, u64)>,
}

impl Coverage {
    /// Takes over stored ranges; anything unsorted or overlapping is merged.
    #[must_use]
    pub fn from_ranges(ranges: &[(u64, u64)]) -> Self {
        let mut coverage = Self::default();
        for (start, end) in ranges {
            coverage.add(*start, end.saturating_sub(*start));
        }
        coverage
    }

    /// The ranges `start..end`, in order.
    #[must_use]
    pub fn ranges(&self) -> &[(u64, u64)] {
        &self.ranges
    }

    /// Adds `length` bytes from `start`. Returns how many of them are new.
    pub fn add(&mut self, start: u64, length: u64) -> u64 {
        let end = start.saturating_add(length);
        if start >= end {
            return 0;
        }
        let first = self.ranges.partition_point(|(_, e)| *e < start);
        let last = self.ranges.partition_point(|(s, _)| *s <= end);
        let touched = self.ranges.get(first..last).unwrap_or_default();
        let already: u64 = touched.iter().map(|(s, e)| (*e).min(end).saturating_sub((*s).max(start))).sum();
        let merged_start = touched.first().map_or(start, |(s, _)| (*s).min(start));
        let merged_end = touched.last().map_or(end, |(_, e)| (*e).max(end));
        self.ranges.splice(first..last, [(merged_start, merged_end)]);
        if self.ranges.len() > MOST_INTERVALS {
            self.forget_smallest();
        }
        (end - start) - already
    }

    /// Adds all ranges of another set.
    pub fn merge(&mut self, other: &Self) {
        for (start, end) in &other.ranges {
            self.add(*start, end - start);
        }
    }

    /// How many bytes are covered.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.ranges.iter().map(|(s, e)| e - s).sum()
    }

    /// Whether every byte of a file of `size` bytes is covered. An empty file always is.
    #[must_use]
    pub fn covers(&self, size: u64) -> bool {
        size == 0 || matches!(self.ranges.first(), Some((0, end)) if *end >= size)
    }

    fn forget_smallest(&mut self) {
        let smallest = self.ranges.iter().enumerate().min_by_key(|(_, (s, e))| e - s).map(|(at, _)| at);
        if let Some(at) = smallest {
            self.ranges.remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn equals_a_set_of_bytes(adds in prop::collection::vec((0u64..200, 0u64..40), 0..60)) {
            let mut coverage = Coverage::default();
            let mut model = std::collections::BTreeSet::new();
            for (start, length) in adds {
                let new = (start..start + length).filter(|b| model.insert(*b)).count() as u64;
                prop_assert_eq!(coverage.add(start, length), new);
                prop_assert_eq!(coverage.bytes(), model.len() as u64);
            }
            for size in 0..240u64 {
                prop_assert_eq!(coverage.covers(size), (0..size).all(|b| model.contains(&b)));
            }
            prop_assert_eq!(Coverage::from_ranges(coverage.ranges()), coverage);
        }
    }

    #[test]
    fn it_is_bounded_and_then_understates() {
        let mut coverage = Coverage::default();
        for at in 0..5_000u64 {
            coverage.add(at * 10, 1 + at % 3);
        }
        assert!(coverage.ranges().len() <= MOST_INTERVALS);
        assert!(coverage.bytes() < 10_000);
        assert_eq!(
            coverage.add(0, 60_000),
            60_000 - {
                let mut before = Coverage::default();
                for at in 0..5_000u64 {
                    before.add(at * 10, 1 + at % 3);
                }
                before.bytes()
            }
        );
        assert!(coverage.covers(60_000));
    }
}
