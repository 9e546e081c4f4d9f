//! What becomes of a received participant file (5.1): checked, accepted or rejected, handed to the back office
//! once, cleared; or recognised as a duplicate, replaced, withdrawn. Pure: moments are arguments.

use super::ids::UploadId;
pub use super::intake_ways::{Answer, Ended, HandOverWay, Judge};
use super::moment::Moment;
use super::record::{Key, Row};
use super::refusal::Refusal;

/// What became of one received upload. There is one as long as the upload is received or has ended since.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Intake {
    /// The upload.
    pub upload: UploadId,
    /// When it was received.
    pub received_at: Moment,
    /// How far it came.
    pub state: IntakeState,
    /// When something is due about it, if anything is; its `IntakeDue` says the same.
    pub due: Option<Moment>,
    /// Uploads that were recognised as the same: it can no longer become another file.
    pub twins: u32,
}

/// How far a received upload came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum IntakeState {
    /// Its account may still go on with it; then it is checked.
    Received,
    /// Being checked, or to be checked again after a crash.
    Checking {
        /// Since when.
        since: Moment,
    },
    /// In order: it is handed over, or waits to be collected.
    Accepted {
        /// When.
        at: Moment,
    },
    /// Not in order: it is never handed over.
    Rejected {
        /// When.
        at: Moment,
        /// Who said so.
        by: Judge,
    },
    /// The same file came before: it is never handed over.
    Duplicate {
        /// When it was recognised.
        at: Moment,
        /// The upload that has the same bytes.
        of: UploadId,
    },
    /// Another upload took its place before it was handed over.
    Replaced {
        /// When.
        at: Moment,
        /// The other one.
        by: UploadId,
    },
    /// Its account withdrew it before it was handed over.
    Withdrawn {
        /// When.
        at: Moment,
    },
    /// Being handed over: on record before anything of it lies outside, so that a crash hands it over once.
    HandingOver {
        /// Since when.
        since: Moment,
        /// How.
        way: HandOverWay,
        /// Into which folder, when somebody named one.
        place: String,
    },
    /// The back office has it.
    Collected {
        /// When.
        at: Moment,
        /// How.
        way: HandOverWay,
        /// Into which folder, when somebody named one.
        place: String,
        /// When the back office said that it took it away.
        acknowledged_at: Option<Moment>,
        /// What the back office made of it, once it said so.
        answer: Option<Answer>,
    },
    /// Its bytes are gone.
    Cleared {
        /// When.
        at: Moment,
        /// What it was before.
        after: Ended,
    },
}

impl IntakeState {
    /// The one word for it (5.1).
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Checking { .. } => "checking",
            Self::Accepted { .. } | Self::HandingOver { .. } => "accepted",
            Self::Rejected { .. } => "rejected",
            Self::Duplicate { .. } => "duplicate",
            Self::Replaced { .. } => "replaced",
            Self::Withdrawn { .. } => "withdrawn",
            Self::Collected { .. } => "collected",
            Self::Cleared { .. } => "cleared",
        }
    }

    /// Whether it was, or may have been, handed over.
    #[must_use]
    pub const fn has_left(&self) -> bool {
        match self {
            Self::HandingOver { .. } | Self::Collected { .. } | Self::Cleared { after: Ended::Collected, .. } => true,
            Self::Received
            | Self::Checking { .. }
            | Self::Accepted { .. }
            | Self::Rejected { .. }
            | Self::Duplicate { .. }
            | Self::Replaced { .. }
            | Self::Withdrawn { .. }
            | Self::Cleared { .. } => false,
        }
    }

    /// Whether a later file of the same bytes is the same once more: one that was refused or taken back may be sent
    /// again.
    #[must_use]
    pub const fn makes_duplicates(&self) -> bool {
        match self {
            Self::Received
            | Self::Checking { .. }
            | Self::Accepted { .. }
            | Self::HandingOver { .. }
            | Self::Collected { .. }
            | Self::Cleared { after: Ended::Collected, .. } => true,
            Self::Rejected { .. }
            | Self::Duplicate { .. }
            | Self::Replaced { .. }
            | Self::Withdrawn { .. }
            | Self::Cleared { .. } => false,
        }
    }
}

impl Intake {
    /// A file that was received, to be checked at `checked_at`.
    #[must_use]
    pub const fn received(upload: UploadId, at: Moment, checked_at: Moment) -> Self {
        Self { upload, received_at: at, state: IntakeState::Received, due: Some(checked_at), twins: 0 }
    }

    /// A file that was received and has the bytes of another.
    #[must_use]
    pub const fn duplicate(upload: UploadId, at: Moment, of: UploadId, cleared_at: Moment) -> Self {
        let state = IntakeState::Duplicate { at, of };
        Self { upload, received_at: at, state, due: Some(cleared_at), twins: 0 }
    }

    /// The same, once more file was recognised as it.
    #[must_use]
    pub const fn with_twin(mut self) -> Self {
        self.twins = self.twins.saturating_add(1);
        self
    }

    /// It waits until the back office says how it goes on: a restored home does not know what was handed over since.
    /// `None` for one that is not on its way.
    #[must_use]
    pub fn held_back(self) -> Option<Self> {
        let is_on_its_way = self.may_be_taken_back() || matches!(self.state, IntakeState::HandingOver { .. });
        (is_on_its_way && self.due.is_some()).then_some(Self { due: None, ..self })
    }

    /// Whether its account may still go on with it: nobody has judged it, and nothing was judged by it.
    ///
    /// # Errors
    /// `WrongState`.
    pub fn may_be_resumed(&self) -> Result<(), Refusal> {
        if self.state == IntakeState::Received && self.twins == 0 {
            return Ok(());
        }
        Err(self.wrong("can no longer be changed: use another name"))
    }

    /// Its check begins, or begins again.
    ///
    /// # Errors
    /// `WrongState` unless it waits for that.
    pub fn checking(self, now: Moment) -> Result<Self, Refusal> {
        if matches!(self.state, IntakeState::Checking { .. }) {
            return Ok(self);
        }
        if self.state == IntakeState::Received {
            return Ok(self.into_state(IntakeState::Checking { since: now }, Some(now)));
        }
        Err(self.wrong("is not to be checked"))
    }

    /// It is accepted; it is handed over at `due`, or waits to be collected.
    ///
    /// # Errors
    /// `WrongState` for one that left, ended, or was judged; the back office may overrule the checks.
    pub fn accepted(self, now: Moment, by: Judge, due: Option<Moment>) -> Result<Self, Refusal> {
        let overrules =
            by == Judge::BackOffice && matches!(self.state, IntakeState::Rejected { by: Judge::Checks, .. });
        if self.waits_for_a_verdict() || overrules {
            return Ok(self.into_state(IntakeState::Accepted { at: now }, due));
        }
        // one that was held back goes on where it was
        let goes_on = matches!(
            self.state,
            IntakeState::Accepted { .. } | IntakeState::HandingOver { way: HandOverWay::Folder, .. }
        );
        if by == Judge::BackOffice && goes_on && self.due.is_none() && due.is_some() {
            return Ok(Self { due, ..self });
        }
        Err(self.wrong("cannot be accepted"))
    }

    /// It is rejected, and its bytes go at `cleared_at`.
    ///
    /// # Errors
    /// `WrongState` for one that left or ended; the checks judge once.
    pub fn rejected(self, now: Moment, by: Judge, cleared_at: Moment) -> Result<Self, Refusal> {
        let overrules = by == Judge::BackOffice && matches!(self.state, IntakeState::Accepted { .. });
        if self.waits_for_a_verdict() || overrules {
            return Ok(self.into_state(IntakeState::Rejected { at: now, by }, Some(cleared_at)));
        }
        Err(self.wrong("cannot be rejected"))
    }

    /// The back office says what it made of a file that it has.
    ///
    /// # Errors
    /// `WrongState` for one that it has not.
    pub fn answered(mut self, answer: Answer) -> Result<Self, Refusal> {
        let IntakeState::Collected { answer: kept, .. } = &mut self.state else {
            return Err(self.wrong("was not handed over"));
        };
        *kept = Some(answer);
        Ok(self)
    }

    /// It is about to be handed over. One that is already, in the same way and to the same place, goes on: the time
    /// before ended in a crash.
    ///
    /// # Errors
    /// `WrongState` unless it is accepted.
    pub fn handing_over(self, now: Moment, way: HandOverWay, place: &str) -> Result<Self, Refusal> {
        // what somebody asked for goes on when it is asked for again, the folder by itself
        let due = Some(now).filter(|_| way == HandOverWay::Folder);
        if let IntakeState::HandingOver { way: begun, place: there, .. } = &self.state {
            if *begun == way && there == place {
                return Ok(self);
            }
            let there = if there.is_empty() { "the intake folder" } else { there };
            return Err(self.wrong(&format!("goes on only to {there}, where it may lie already")));
        }
        if matches!(self.state, IntakeState::Accepted { .. }) {
            let state = IntakeState::HandingOver { since: now, way, place: place.to_owned() };
            return Ok(self.into_state(state, due));
        }
        Err(self.wrong("cannot be handed over"))
    }

    /// It was handed over, and its bytes go at `cleared_at`.
    ///
    /// # Errors
    /// `WrongState` unless it was being handed over.
    pub fn collected(self, now: Moment, cleared_at: Moment) -> Result<Self, Refusal> {
        let IntakeState::HandingOver { way, place, .. } = &self.state else {
            return Err(self.wrong("is not being handed over"));
        };
        let (way, place) = (*way, place.clone());
        let state = IntakeState::Collected { at: now, way, place, acknowledged_at: None, answer: None };
        Ok(self.into_state(state, Some(cleared_at)))
    }

    /// The back office took it away. Said once more, it stays what it was.
    ///
    /// # Errors
    /// `WrongState` unless it was handed over.
    pub fn acknowledged(mut self, now: Moment) -> Result<Self, Refusal> {
        let IntakeState::Collected { acknowledged_at, .. } = &mut self.state else {
            return Err(self.wrong("was not handed over"));
        };
        acknowledged_at.get_or_insert(now);
        Ok(self)
    }

    /// Its account takes it back; what is known of it is forgotten at `forgotten_at`.
    ///
    /// # Errors
    /// `WrongState` once it was, or may have been, handed over, or has ended otherwise.
    pub fn withdrawn(self, now: Moment, forgotten_at: Moment) -> Result<Self, Refusal> {
        if self.may_be_taken_back() {
            return Ok(self.into_state(IntakeState::Withdrawn { at: now }, Some(forgotten_at)));
        }
        Err(self.wrong("cannot be withdrawn"))
    }

    /// Another upload of its account takes its place.
    ///
    /// # Errors
    /// As `withdrawn`.
    pub fn replaced(self, now: Moment, by: UploadId, forgotten_at: Moment) -> Result<Self, Refusal> {
        if self.may_be_taken_back() {
            return Ok(self.into_state(IntakeState::Replaced { at: now, by }, Some(forgotten_at)));
        }
        Err(self.wrong("cannot be replaced"))
    }

    /// Its bytes are gone; of one that ended so already nothing changes. What is known of it is forgotten at
    /// `forgotten_at`.
    #[must_use]
    pub fn cleared(self, now: Moment, forgotten_at: Moment) -> Self {
        let after = match self.state {
            IntakeState::Collected { .. } | IntakeState::HandingOver { .. } => Ended::Collected,
            IntakeState::Rejected { .. } => Ended::Rejected,
            IntakeState::Duplicate { .. } => Ended::Duplicate,
            IntakeState::Received | IntakeState::Checking { .. } | IntakeState::Accepted { .. } => {
                Ended::NeverCollected
            }
            IntakeState::Replaced { .. } => Ended::Replaced,
            IntakeState::Withdrawn { .. } => Ended::Withdrawn,
            IntakeState::Cleared { .. } => return self,
        };
        self.into_state(IntakeState::Cleared { at: now, after }, Some(forgotten_at))
    }

    /// Whether its account may still withdraw or replace it.
    #[must_use]
    pub const fn may_be_taken_back(&self) -> bool {
        match self.state {
            IntakeState::Received | IntakeState::Checking { .. } | IntakeState::Accepted { .. } => true,
            IntakeState::Rejected { .. }
            | IntakeState::Duplicate { .. }
            | IntakeState::Replaced { .. }
            | IntakeState::Withdrawn { .. }
            | IntakeState::HandingOver { .. }
            | IntakeState::Collected { .. }
            | IntakeState::Cleared { .. } => false,
        }
    }

    const fn waits_for_a_verdict(&self) -> bool {
        matches!(self.state, IntakeState::Received | IntakeState::Checking { .. })
    }

    fn into_state(mut self, state: IntakeState, due: Option<Moment>) -> Self {
        self.state = state;
        self.due = due;
        self
    }

    fn wrong(&self, what: &str) -> Refusal {
        let is_under_way = matches!(self.state, IntakeState::HandingOver { .. });
        let word = if is_under_way { "being handed over" } else { self.state.word() };
        Refusal::WrongState(format!("upload {} is {word}: it {what}", self.upload))
    }

    /// The key of what became of one upload.
    #[must_use]
    pub fn key_of(upload: UploadId) -> Key {
        Key::of(Self::KIND).bytes(upload.as_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(self.upload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Moment = Moment::from_millis(1_000);
    const LATER: Moment = Moment::from_millis(2_000);

    fn id(n: u8) -> UploadId {
        UploadId::from_bytes([n; 16])
    }

    fn new() -> Intake {
        Intake::received(id(1), AT, LATER)
    }

    fn accepted() -> Intake {
        new().accepted(AT, Judge::Checks, Some(LATER)).unwrap()
    }

    fn handing() -> Intake {
        accepted().handing_over(AT, HandOverWay::Folder, "").unwrap()
    }

    fn collected() -> Intake {
        handing().collected(AT, LATER).unwrap()
    }

    fn rejected(by: Judge) -> Intake {
        new().rejected(AT, by, LATER).unwrap()
    }

    /// One of each state.
    fn all() -> Vec<Intake> {
        vec![
            new(),
            new().checking(AT).unwrap(),
            accepted(),
            rejected(Judge::Checks),
            rejected(Judge::BackOffice),
            Intake::duplicate(id(1), AT, id(2), LATER),
            new().replaced(AT, id(2), LATER).unwrap(),
            new().withdrawn(AT, LATER).unwrap(),
            handing(),
            collected(),
            collected().cleared(AT, LATER),
            new().cleared(AT, LATER),
        ]
    }

    #[test]
    fn the_way_of_a_file_that_is_in_order() {
        let words: Vec<&str> = [new(), new().checking(AT).unwrap(), accepted(), handing(), collected()]
            .iter()
            .map(|intake| intake.state.word())
            .collect();
        assert_eq!(words, ["received", "checking", "accepted", "accepted", "collected"]);
        let taken = collected().acknowledged(AT).unwrap();
        assert_eq!(taken.clone().acknowledged(LATER).unwrap(), taken, "said twice");
        assert_eq!(taken.cleared(LATER, LATER).state, IntakeState::Cleared { at: LATER, after: Ended::Collected });
    }

    #[test]
    fn only_what_is_accepted_is_handed_over_and_only_once() {
        for intake in all() {
            let may = matches!(
                intake.state,
                IntakeState::Accepted { .. } | IntakeState::HandingOver { way: HandOverWay::Folder, .. }
            );
            assert_eq!(intake.clone().handing_over(AT, HandOverWay::Folder, "").is_ok(), may, "{intake:?}");
            let done = intake.clone().collected(AT, LATER).is_ok();
            assert_eq!(done, matches!(intake.state, IntakeState::HandingOver { .. }), "{intake:?}");
        }
        assert!(handing().handing_over(AT, HandOverWay::Command, "/x").is_err(), "another way");
        let command = accepted().handing_over(AT, HandOverWay::Command, "/x").unwrap();
        assert_eq!(command.due, None, "who asked asks again");
        assert_eq!(command.clone().handing_over(LATER, HandOverWay::Command, "/x").unwrap(), command);
        assert!(command.handing_over(AT, HandOverWay::Command, "/y").is_err(), "another place");
    }

    #[test]
    fn what_left_or_ended_is_never_taken_back_nor_judged_again() {
        for intake in all() {
            let waits = matches!(
                intake.state,
                IntakeState::Received | IntakeState::Checking { .. } | IntakeState::Accepted { .. }
            );
            assert_eq!(intake.clone().withdrawn(AT, LATER).is_ok(), waits, "{intake:?}");
            assert_eq!(intake.clone().replaced(AT, id(3), LATER).is_ok(), waits, "{intake:?}");
            if intake.state.has_left() {
                assert!(intake.clone().rejected(AT, Judge::BackOffice, LATER).is_err());
                assert!(intake.clone().accepted(AT, Judge::BackOffice, Some(LATER)).is_err());
            }
        }
        assert!(rejected(Judge::Checks).accepted(AT, Judge::Checks, Some(LATER)).is_err());
        assert!(
            rejected(Judge::Checks).accepted(AT, Judge::BackOffice, Some(LATER)).is_ok(),
            "the back office overrules"
        );
        assert!(rejected(Judge::BackOffice).accepted(AT, Judge::BackOffice, Some(LATER)).is_err());
        assert!(accepted().rejected(AT, Judge::Checks, LATER).is_err());
    }

    #[test]
    fn the_back_office_answers_about_what_it_has() {
        let answer = Answer { accepted: false, at: LATER };
        for intake in all() {
            let has = matches!(intake.state, IntakeState::Collected { .. });
            assert_eq!(intake.clone().answered(answer).is_ok(), has, "{intake:?}");
            assert_eq!(intake.clone().acknowledged(AT).is_ok(), has, "{intake:?}");
        }
    }

    #[test]
    fn a_file_can_be_gone_on_with_until_somebody_judged_by_it() {
        for intake in all() {
            assert_eq!(intake.may_be_resumed().is_ok(), intake.state == IntakeState::Received, "{intake:?}");
        }
        assert!(new().with_twin().may_be_resumed().is_err());
    }

    #[test]
    fn a_file_that_was_refused_or_taken_back_may_be_sent_again() {
        let again = ["rejected", "duplicate", "replaced", "withdrawn"];
        for intake in all() {
            let is_over = matches!(intake.state, IntakeState::Cleared { after: Ended::NeverCollected, .. });
            let may = again.contains(&intake.state.word()) || is_over;
            assert_eq!(!intake.state.makes_duplicates(), may, "{intake:?}");
        }
    }

    #[test]
    fn what_was_on_its_way_when_a_backup_was_made_waits_for_the_back_office() {
        for intake in all() {
            let Some(held) = intake.clone().held_back() else {
                assert!(intake.state.word() != "accepted" && intake.state.word() != "received", "{intake:?}");
                continue;
            };
            assert_eq!((held.due, held.clone().held_back()), (None, None));
            let goes_on = held.clone().accepted(AT, Judge::BackOffice, Some(LATER)).unwrap();
            assert_eq!(goes_on.due, Some(LATER), "{intake:?}");
            assert!(held.accepted(AT, Judge::Checks, Some(LATER)).is_err() || intake.waits_for_a_verdict());
        }
    }

    #[test]
    fn something_is_due_until_it_is_forgotten() {
        for intake in all() {
            assert!(intake.due.is_some(), "{intake:?}");
            let cleared = intake.clone().cleared(LATER, LATER);
            assert_eq!(cleared.clone().cleared(AT, AT), cleared, "cleared once");
        }
    }
}
