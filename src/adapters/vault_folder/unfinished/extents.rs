//! The map of an upload: which extent holds which bytes. Later numbers override earlier ones.
//! Invariant: pieces never overlap, and the last one ends where the file ends. Knows no files.

use std::collections::BTreeMap;

use super::names::Name;

/// What is known of one range of bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Piece {
    /// First byte.
    pub(super) start: u64,
    /// The byte after the last.
    pub(super) end: u64,
    /// Who wrote it: an extent, or a change of size.
    pub(super) number: u64,
    /// First byte of that extent; `None` for zeros, which lie nowhere.
    pub(super) extent_start: Option<u64>,
}

/// The map: pieces by their first byte.
#[derive(Clone, Default, Debug)]
pub(super) struct Extents {
    pieces: BTreeMap<u64, Piece>,
}

impl Extents {
    /// The map that follows from the names in the folder. `growing_bytes` says how much of an extent that a crash
    /// left is there.
    pub(super) fn of_names(names: &[Name], growing_bytes: impl Fn(u64) -> u64) -> Self {
        let mut names = names.to_vec();
        names.sort_by_key(|name| name.number());
        let mut map = Self::default();
        for name in names {
            match name {
                Name::Growing { number, start } => map.put(number, start, start, growing_bytes(number)),
                Name::Whole { number, start, length } | Name::Cut { number, start, length } => {
                    map.put(number, start, start, length);
                }
                Name::Header { .. } => {}
                Name::Truncate { number, size } => map.set_size(number, size),
            }
        }
        map
    }

    /// `length` bytes from `start` now lie in the extent `number`, which begins at `extent_start`.
    pub(super) fn put(&mut self, number: u64, extent_start: u64, start: u64, length: u64) {
        if length > 0 {
            let end = start.saturating_add(length);
            self.insert(Piece { start, end, number, extent_start: Some(extent_start) });
        }
    }

    /// Cuts what is beyond `size`; what is missing after the last byte becomes zeros. A gap before that byte stays one.
    pub(super) fn set_size(&mut self, number: u64, size: u64) {
        self.clear(size, u64::MAX);
        let end = self.size();
        if end < size {
            self.insert(Piece { start: end, end: size, number, extent_start: None });
        }
    }

    /// Where the last piece ends.
    pub(super) fn size(&self) -> u64 {
        self.pieces.last_key_value().map_or(0, |(_, piece)| piece.end)
    }

    /// Where the first gap begins, or the size.
    pub(super) fn contiguous(&self) -> u64 {
        self.covered_from(0)
    }

    /// How far it goes on without a gap from `position`.
    pub(super) fn covered_from(&self, position: u64) -> u64 {
        let mut position = position;
        while let Some(piece) = self.at(position) {
            position = piece.end;
        }
        position
    }

    /// The piece in which this byte lies.
    pub(super) fn at(&self, position: u64) -> Option<Piece> {
        let (_, piece) = self.pieces.range(..=position).next_back()?;
        (piece.end > position).then_some(*piece)
    }

    /// The first byte of the next piece that begins after `position`.
    pub(super) fn next_start(&self, position: u64) -> Option<u64> {
        self.pieces.range(position.saturating_add(1)..).next().map(|(start, _)| *start)
    }

    /// The latest number in a range.
    pub(super) fn newest_in(&self, start: u64, end: u64) -> Option<u64> {
        let first = self.at(start).map(|piece| piece.number);
        let rest = if start < end { self.pieces.range(start..end).map(|(_, piece)| piece.number).max() } else { None };
        first.max(rest)
    }

    /// The extent that alone holds the whole file from its own first byte; a file of size 0 has none.
    pub(super) fn single(&self) -> Option<u64> {
        let (_, piece) = self.pieces.first_key_value()?;
        (self.pieces.len() == 1 && piece.start == 0 && piece.extent_start == Some(0)).then_some(piece.number)
    }

    fn insert(&mut self, piece: Piece) {
        self.clear(piece.start, piece.end);
        // An extent that grows stays one piece.
        if let Some((_, before)) = self.pieces.range_mut(..piece.start).next_back()
            && before.end == piece.start
            && before.number == piece.number
        {
            before.end = piece.end;
            return;
        }
        self.pieces.insert(piece.start, piece);
    }

    /// Forgets a range; pieces that reach over its ends keep their rest.
    fn clear(&mut self, start: u64, end: u64) {
        if let Some((_, before)) = self.pieces.range_mut(..start).next_back()
            && before.end > start
        {
            let rest = Piece { start: end, ..*before };
            before.end = start;
            if rest.end > end {
                self.pieces.insert(end, rest);
            }
        }
        while let Some((&at, &piece)) = self.pieces.range(start..end).next() {
            self.pieces.remove(&at);
            if piece.end > end {
                self.pieces.insert(end, Piece { start: end, ..piece });
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
        fn the_map_is_what_a_vector_of_numbers_says(
            steps in prop::collection::vec((any::<bool>(), 0u64..60, 1u64..30), 1..40),
        ) {
            let mut map = Extents::default();
            let mut model: Vec<Option<u64>> = Vec::new();
            for (number, (is_size, start, length)) in (0u64..).zip(steps) {
                if is_size {
                    map.set_size(number, start);
                    model.resize(usize::try_from(start).unwrap(), Some(number));
                    while model.last() == Some(&None) {
                        // Not reachable otherwise: a cut into a gap ends in zeros.
                        let from = model.iter().rposition(Option::is_some).map_or(0, |at| at + 1);
                        model.iter_mut().skip(from).for_each(|owner| *owner = Some(number));
                    }
                } else {
                    map.put(number, start, start, length);
                    let end = usize::try_from(start + length).unwrap();
                    if model.len() < end {
                        model.resize(end, None);
                    }
                    let range = usize::try_from(start).unwrap()..end;
                    model.get_mut(range).unwrap().fill(Some(number));
                }
                prop_assert_eq!(map.size(), model.len() as u64);
                for (at, owner) in (0u64..).zip(&model) {
                    prop_assert_eq!(map.at(at).map(|piece| piece.number), *owner);
                }
                let gap = model.iter().position(Option::is_none).unwrap_or(model.len());
                prop_assert_eq!(map.contiguous(), gap as u64);
                let newest = model.iter().skip(5).take(7).copied().max().flatten();
                prop_assert_eq!(map.newest_in(5, 12), newest);
            }
        }
    }

    #[test]
    fn one_extent_from_the_first_byte_is_single() {
        let mut map = Extents::default();
        assert_eq!(map.single(), None);
        map.put(3, 0, 0, 10);
        map.put(3, 0, 10, 10);
        assert_eq!(map.single(), Some(3));
        map.set_size(4, 21);
        assert_eq!(map.single(), None);
        map.set_size(5, 20);
        assert_eq!(map.single(), Some(3));
        map.put(6, 5, 5, 1);
        assert_eq!(map.single(), None);
    }
}
