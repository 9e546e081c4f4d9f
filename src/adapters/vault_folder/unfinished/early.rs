//! Bytes that came before those that belong before them: they wait in memory, bounded by the
//! caller. Invariant: what waits never overlaps; what came later has overridden what came before.

use std::collections::BTreeMap;

/// Pieces that wait, by their offset.
#[derive(Default)]
pub(super) struct Early {
    pieces: BTreeMap<u64, Vec<u8>>,
    bytes: usize,
}

impl Early {
    /// How many bytes wait.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The byte after the last that waits; 0 when none does.
    pub(super) fn end(&self) -> u64 {
        self.pieces.last_key_value().map_or(0, |(start, piece)| start + piece.len() as u64)
    }

    /// The offset of the first piece.
    pub(super) fn first(&self) -> Option<u64> {
        self.pieces.first_key_value().map(|(start, _)| *start)
    }

    /// The offset of the first piece after `position`.
    pub(super) fn next_start(&self, position: u64) -> Option<u64> {
        self.pieces.range(position.saturating_add(1)..).next().map(|(start, _)| *start)
    }

    /// How far what waits goes on from `position`.
    pub(super) fn covered_from(&self, position: u64) -> u64 {
        let mut position = position;
        while let Some((start, piece)) = self.pieces.range(..=position).next_back() {
            let end = start + piece.len() as u64;
            if end <= position {
                break;
            }
            position = end;
        }
        position
    }

    /// Lets bytes wait; they override those that wait in the same place.
    pub(super) fn insert(&mut self, offset: u64, data: &[u8]) {
        self.put_back(offset, data.to_vec());
    }

    /// As `insert`, of memory that is there already.
    pub(super) fn put_back(&mut self, offset: u64, piece: Vec<u8>) {
        self.clear(offset, offset.saturating_add(piece.len() as u64));
        self.bytes += piece.len();
        self.pieces.insert(offset, piece);
    }

    /// Takes the first piece out.
    pub(super) fn take_first(&mut self) -> Option<(u64, Vec<u8>)> {
        let (start, piece) = self.pieces.pop_first()?;
        self.bytes -= piece.len();
        Some((start, piece))
    }

    /// Forgets everything.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Forgets a range.
    pub(super) fn clear(&mut self, start: u64, end: u64) {
        let inside = |offset: u64, from: u64| usize::try_from(offset.saturating_sub(from)).unwrap_or(usize::MAX);
        if let Some((&at, before)) = self.pieces.range_mut(..start).next_back()
            && at + before.len() as u64 > start
        {
            let rest = before.get(inside(end, at)..).map(<[u8]>::to_vec).unwrap_or_default();
            self.bytes -= before.len() - inside(start, at);
            before.truncate(inside(start, at));
            if !rest.is_empty() {
                self.bytes += rest.len();
                self.pieces.insert(end, rest);
            }
        }
        while let Some((&at, _)) = self.pieces.range(start..end.max(start)).next() {
            let piece = self.pieces.remove(&at).unwrap_or_default();
            self.bytes -= piece.len();
            let rest = piece.get(inside(end, at)..).unwrap_or_default();
            if !rest.is_empty() {
                self.bytes += rest.len();
                self.pieces.insert(end, rest.to_vec());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_waits_is_what_came_last(
            steps in prop::collection::vec((any::<bool>(), 0u64..60, 1usize..30), 1..40),
        ) {
            let mut early = Early::default();
            let mut model = vec![None; 100];
            for (value, (is_clear, start, length)) in (0u8..).zip(steps) {
                let at = usize::try_from(start).unwrap();
                if is_clear {
                    early.clear(start, start + length as u64);
                    model.get_mut(at..at + length).unwrap().fill(None);
                } else {
                    early.insert(start, &vec![value; length]);
                    model.get_mut(at..at + length).unwrap().fill(Some(value));
                }
                prop_assert_eq!(early.bytes(), model.iter().flatten().count());
                let end = model.iter().rposition(Option::is_some).map_or(0, |at| at + 1);
                prop_assert_eq!(early.end(), end as u64);
                let covered = model.iter().skip(10).position(Option::is_none).unwrap() + 10;
                prop_assert_eq!(early.covered_from(10), covered as u64);
            }
            let mut left = vec![None; 100];
            while let Some((start, piece)) = early.take_first() {
                let at = usize::try_from(start).unwrap();
                for (to, from) in left.get_mut(at..at + piece.len()).unwrap().iter_mut().zip(piece) {
                    *to = Some(from);
                }
            }
            prop_assert_eq!(left, model);
            prop_assert_eq!(early.bytes(), 0);
        }
    }
}
