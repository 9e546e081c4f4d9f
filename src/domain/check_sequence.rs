//! Numbers that files of one organisation for one product carry in order: what a number means after the last one that
//! stands, and the row that remembers it. Knows nothing of where a number is read.

use super::ids::UploadId;
use super::intake::{Answer, Ended, Intake, IntakeState};
use super::names::{OrganisationCode, ProductCode};
use super::record::{Key, Row};

/// What is asked of the numbers of a product's files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SequencePlan {
    /// Numbers are missing between the last one and this one.
    pub gap: WhenBroken,
    /// The number, or a higher one, came before.
    pub repeat: WhenBroken,
    /// After any number, 1 may begin anew.
    pub restarts: bool,
}

/// What becomes of a file whose number is not the next one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WhenBroken {
    /// Nothing.
    Ignore,
    /// It is accepted, and its result says so.
    Warn,
    /// It is rejected.
    Refuse,
}

/// How a number stands to the last one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sequenced {
    /// It comes next, is the first, or begins anew.
    Next,
    /// So many numbers are missing before it.
    Gap(u64),
    /// It does not come after the last one.
    Repeat,
}

impl SequencePlan {
    /// How a number stands to the last one that stands.
    #[must_use]
    pub fn judge(&self, last: Option<u64>, number: u64) -> Sequenced {
        match last {
            None => Sequenced::Next,
            Some(_) if self.restarts && number == 1 => Sequenced::Next,
            Some(last) if number <= last => Sequenced::Repeat,
            Some(last) => match number - last {
                1 => Sequenced::Next,
                step => Sequenced::Gap(step - 1),
            },
        }
    }
}

/// The last number of the files of an organisation for a product.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UploadSequence {
    /// Whose.
    pub organisation: OrganisationCode,
    /// For which product.
    pub product: ProductCode,
    /// The number.
    pub last: u64,
    /// The upload that bore it.
    pub upload: UploadId,
    /// The number before it, that stands again when that upload does not.
    pub before: Option<u64>,
}

impl UploadSequence {
    /// The key of one organisation and product.
    #[must_use]
    pub fn key_of(organisation: &OrganisationCode, product: &ProductCode) -> Key {
        Key::of(Self::KIND).text(organisation.as_str()).text(product.as_str())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.organisation, &self.product)
    }

    /// The last number that stands, by what became of the upload that bore the last one; `None`: it is forgotten.
    #[must_use]
    pub fn standing(&self, intake: Option<&Intake>) -> Option<u64> {
        let has_ended = intake.is_some_and(|intake| match &intake.state {
            IntakeState::Rejected { .. }
            | IntakeState::Replaced { .. }
            | IntakeState::Withdrawn { .. }
            | IntakeState::Collected { answer: Some(Answer { accepted: false, .. }), .. }
            | IntakeState::Cleared { after: Ended::Rejected | Ended::Replaced | Ended::Withdrawn, .. } => true,
            IntakeState::Received
            | IntakeState::Checking { .. }
            | IntakeState::Accepted { .. }
            | IntakeState::Duplicate { .. }
            | IntakeState::HandingOver { .. }
            | IntakeState::Collected { .. }
            | IntakeState::Cleared { .. } => false,
        });
        if has_ended { self.before } else { Some(self.last) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::intake::Judge;
    use crate::domain::moment::Moment;

    #[test]
    fn a_number_is_next_late_or_again() {
        let plan = SequencePlan { gap: WhenBroken::Warn, repeat: WhenBroken::Refuse, restarts: false };
        for (last, number, is) in [
            (None, 7, Sequenced::Next),
            (Some(7), 8, Sequenced::Next),
            (Some(7), 9, Sequenced::Gap(1)),
            (Some(7), u64::MAX, Sequenced::Gap(u64::MAX - 8)),
            (Some(7), 7, Sequenced::Repeat),
            (Some(7), 1, Sequenced::Repeat),
            (Some(u64::MAX), 0, Sequenced::Repeat),
        ] {
            assert_eq!(plan.judge(last, number), is, "{last:?} {number}");
        }
        let restarts = SequencePlan { restarts: true, ..plan };
        assert_eq!(restarts.judge(Some(7), 1), Sequenced::Next);
        assert_eq!(restarts.judge(Some(7), 2), Sequenced::Repeat);
    }

    #[test]
    fn the_number_of_a_file_that_was_taken_back_may_come_again() {
        let upload = UploadId::from_bytes([1; 16]);
        let row = UploadSequence {
            organisation: OrganisationCode::parse("duinstad").unwrap(),
            product: ProductCode::parse("daily").unwrap(),
            last: 8,
            upload,
            before: Some(7),
        };
        let at = Moment::from_millis(1);
        let received = Intake::received(upload, at, at);
        let accepted = received.clone().accepted(at, Judge::Checks, None).unwrap();
        let withdrawn = Intake { state: IntakeState::Withdrawn { at }, ..received };
        assert_eq!(row.standing(None), Some(8));
        assert_eq!(row.standing(Some(&accepted)), Some(8));
        assert_eq!(row.standing(Some(&withdrawn)), Some(7));
    }
}
