//! Signing off (*afmelden*): one account no longer wants to see a file in its
//! outbox. Nothing is destroyed; for every other account the file stays.

use super::delivery::DeliveryPart;
use super::ids::DeliveryId;
use super::moment::Moment;
use super::names::LoginName;

/// What one account has signed off of one delivery (domain 3.14, "Delete after fetch").
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignOff {
    /// The delivery.
    pub delivery: DeliveryId,
    /// The account.
    pub login: LoginName,
    /// Which of its files.
    pub parts: PartSet,
    /// When the first of them was signed off.
    pub since: Moment,
}

/// A set of parts of one delivery: a bit for each number of [`DeliveryPart::number`], without zero bytes
/// at the end. A delivery of 10,000 files needs 1,251 bytes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PartSet(Vec<u8>);

impl PartSet {
    /// The set with these bits.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        Self(bytes.iter().take(end).copied().collect())
    }

    /// The bits.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether the part is in it.
    #[must_use]
    pub fn contains(&self, part: DeliveryPart) -> bool {
        let (byte, bit) = place(part);
        self.0.get(byte).is_some_and(|bits| bits & bit != 0)
    }

    /// The set with this part in it too.
    #[must_use]
    pub fn with(mut self, part: DeliveryPart) -> Self {
        let (byte, bit) = place(part);
        if self.0.len() <= byte {
            self.0.resize(byte + 1, 0);
        }
        if let Some(bits) = self.0.get_mut(byte) {
            *bits |= bit;
        }
        self
    }

    /// How many parts are in it.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.0.iter().map(|bits| bits.count_ones()).sum()
    }
}

/// Byte and bit of a part.
fn place(part: DeliveryPart) -> (usize, u8) {
    let number = part.number();
    (usize::try_from(number / 8).unwrap_or_default(), 1 << (number % 8))
}

#[cfg(test)]
mod tests {
    use super::PartSet;
    use crate::domain::delivery::DeliveryPart;

    #[test]
    fn a_set_holds_what_was_put_into_it_and_nothing_else() {
        let parts =
            [DeliveryPart::PackingSlip, DeliveryPart::Data(1), DeliveryPart::Data(7), DeliveryPart::Data(10_000)];
        let set = parts.into_iter().chain(parts).fold(PartSet::default(), PartSet::with);
        for part in parts {
            assert!(set.contains(part), "{part:?}");
        }
        for part in
            [DeliveryPart::DigestList, DeliveryPart::Data(2), DeliveryPart::Data(9_999), DeliveryPart::Data(20_000)]
        {
            assert!(!set.contains(part), "{part:?}");
        }
        assert_eq!((set.count(), set.as_bytes().len()), (4, 1_251));
        assert_eq!(PartSet::default().count(), 0);
    }

    #[test]
    fn the_bits_read_back_in_one_form_only() {
        let set = PartSet::default().with(DeliveryPart::DigestList);
        assert_eq!(PartSet::from_bytes(&[2, 0, 0]), set);
        assert_eq!(PartSet::from_bytes(set.as_bytes()), set);
        assert_eq!(PartSet::from_bytes(&[0, 0]), PartSet::default());
    }
}
