//! What an index holds, in a few bytes: how many pairs, and the sum of their
//! hashes. The order in which they came does not matter, so it can be kept up
//! with each change, and counted anew by whoever doubts it.

use sha2::{Digest as _, Sha256};

/// Number of pairs 8, sum of their hashes 16.
pub(super) const TALLY_BYTES: usize = 24;

/// Number of pairs and the sum, modulo 2^128, of the first 128 bits of the SHA-256 of each. Two sets of pairs
/// with one tally do not come about by damage; it is no protection from who can write the index, and so the tally.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Tally {
    pairs: u64,
    sum: u128,
}

impl Tally {
    /// With one more pair.
    pub(super) fn add(&mut self, key: &[u8], value: &[u8]) {
        self.pairs = self.pairs.wrapping_add(1);
        self.sum = self.sum.wrapping_add(hash(key, value));
    }

    /// With one pair less.
    pub(super) fn take(&mut self, key: &[u8], value: &[u8]) {
        self.pairs = self.pairs.wrapping_sub(1);
        self.sum = self.sum.wrapping_sub(hash(key, value));
    }

    /// With the pairs of another one, which are none of these.
    pub(super) fn add_all(&mut self, other: &Self) {
        self.pairs = self.pairs.wrapping_add(other.pairs);
        self.sum = self.sum.wrapping_add(other.sum);
    }

    /// With `new` instead of `old` at one key; `None`: nothing there.
    pub(super) fn change(&mut self, key: &[u8], old: Option<&[u8]>, new: Option<&[u8]>) {
        if old == new {
            return;
        }
        if let Some(old) = old {
            self.take(key, old);
        }
        if let Some(new) = new {
            self.add(key, new);
        }
    }

    /// Number of pairs.
    pub(super) const fn pairs(&self) -> u64 {
        self.pairs
    }

    /// As bytes.
    pub(super) fn to_bytes(self) -> [u8; TALLY_BYTES] {
        let mut bytes = [0; TALLY_BYTES];
        let (pairs, sum) = bytes.split_at_mut(8);
        pairs.copy_from_slice(&self.pairs.to_be_bytes());
        sum.copy_from_slice(&self.sum.to_be_bytes());
        bytes
    }

    /// From these bytes; `None` when they are not as many.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (pairs, sum) = bytes.split_first_chunk::<8>()?;
        Some(Self { pairs: u64::from_be_bytes(*pairs), sum: u128::from_be_bytes(sum.try_into().ok()?) })
    }
}

/// The length of the key comes first: no byte can move from key to value unseen.
fn hash(key: &[u8], value: &[u8]) -> u128 {
    let mut hash = Sha256::new();
    hash.update((key.len() as u64).to_be_bytes());
    hash.update(key);
    hash.update(value);
    let hash: [u8; 32] = hash.finalize().into();
    hash.first_chunk::<16>().map_or(0, |first| u128::from_be_bytes(*first))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn counted(pairs: &BTreeMap<Vec<u8>, Vec<u8>>) -> Tally {
        let mut tally = Tally::default();
        pairs.iter().for_each(|(key, value)| tally.add(key, value));
        tally
    }

    proptest! {
        #[test]
        fn kept_up_with_each_change_it_is_what_counting_anew_finds(
            changes in prop::collection::vec((0_u8..20, prop::option::of(any::<[u8; 2]>())), 0..200)
        ) {
            let (mut kept, mut pairs) = (Tally::default(), BTreeMap::new());
            for (key, new) in changes {
                let (key, new) = (vec![key], new.map(|value| value.to_vec()));
                let old = match &new {
                    Some(new) => pairs.insert(key.clone(), new.clone()),
                    None => pairs.remove(&key),
                };
                kept.change(&key, old.as_deref(), new.as_deref());
            }
            prop_assert_eq!(kept, counted(&pairs));
            prop_assert_eq!(kept.pairs(), pairs.len() as u64);
            prop_assert_eq!(Tally::from_bytes(&kept.to_bytes()), Some(kept));
        }
    }

    #[test]
    fn whatever_is_other_in_one_pair_is_another_tally() {
        let of = |key: &[u8], value: &[u8]| {
            let mut tally = Tally::default();
            tally.add(key, value);
            tally
        };
        let one = of(b"ab", b"cd");
        for other in [of(b"a", b"bcd"), of(b"abc", b"d"), of(b"ab", b"cc"), of(b"", b"abcd"), Tally::default()] {
            assert_ne!(one, other);
        }
        let mut twice = one;
        twice.add(b"ab", b"cd");
        twice.take(b"ab", b"cd");
        assert_eq!(twice, one);
        assert_eq!(Tally::from_bytes(&[0; 23]), None);
        assert_eq!(Tally::from_bytes(&[0; 25]), None);
    }
}
