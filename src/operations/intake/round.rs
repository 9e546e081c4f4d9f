//! One round of the intake: what is due now, in order of moment. What fails waits, and holds up nothing else.

use super::withdraw::clear;
use super::{both_of, hand_over, reception};
use crate::domain::decision::Decision;
use crate::domain::history::{Channel, Happening, Who};
use crate::domain::ids::UploadId;
use crate::domain::intake::{HandOverWay, Intake, IntakeState};
use crate::domain::intake_rows::IntakeDue;
use crate::domain::moment::{Moment, Span};
use crate::domain::record::Row;
use crate::domain::refusal::Refusal;
use crate::domain::upload_plan::UploadPlan;
use crate::operations::uploads::{event, is_held_back, upload_of};
use crate::operations::{Failure, Operations, locked};

/// One round does so many things at most; the next one goes on.
const MOST_PER_ROUND: usize = 1_000;

/// One round passes over so many that wait at most: as many as are remembered as waiting.
const MOST_PASSED_OVER: usize = MOST_WAITING;

/// So many handed-over files are looked for in one round.
const LOOKS_PER_ROUND: usize = 500;

/// What failed is tried again after so long.
const WAIT: Span = Span::from_seconds(30);

/// So many that failed are remembered; beyond that some are tried sooner.
const MOST_WAITING: usize = 10_000;

/// What one round did.
#[derive(Debug, Default)]
pub struct IntakeRound {
    /// Files that were judged.
    pub judged: usize,
    /// Files that were handed over.
    pub handed_over: usize,
    /// Files that the back office took away.
    pub acknowledged: usize,
    /// Results that were taken.
    pub results: usize,
    /// A file could not be judged: the scanner is down, or its bytes could not be read.
    pub cannot_judge: bool,
    /// What failed, and is tried again.
    pub failed: Vec<(UploadId, Failure)>,
}

impl Operations {
    /// Judges, hands over and ends what is due, and takes what the back office left. Idempotent: a round that was cut
    /// off is completed by the next.
    ///
    /// # Errors
    /// A fault of the store. What concerns one file alone is told in the round.
    pub fn advance_intake(&self) -> Result<IntakeRound, Failure> {
        let now = self.now();
        let mut round = IntakeRound::default();
        let (mut after, mut done, mut passed_over) = (None, 0, 0);
        while done < MOST_PER_ROUND && passed_over < MOST_PASSED_OVER {
            let next = self.catalog.look(|view| Ok(view.rows::<IntakeDue>(&IntakeDue::all(), after.as_ref(), 1)?))?;
            let Some(due) = next.into_iter().next().filter(|due| due.at <= now) else { break };
            after = Some(IntakeDue::key_of(due.at, due.upload));
            if self.waits(due.upload, now) {
                passed_over += 1;
                continue;
            }
            match self.do_due(due.upload, &mut round) {
                Ok(true) => done += 1,
                Ok(false) => passed_over += 1,
                // it changed meanwhile: the next round sees it as it is
                Err(Failure::Refused(Refusal::WrongState(_))) => done += 1,
                Err(failure) => {
                    done += 1;
                    self.wait(due.upload, now);
                    round.failed.push((due.upload, failure));
                }
            }
        }
        round.results = self.take_results()?;
        round.acknowledged = self.note_taken()?;
        Ok(round)
    }

    /// Removes what a crash left half handed over, at a start.
    pub(in crate::operations) fn sweep_handover(&self) -> Result<usize, Failure> {
        self.handover.sweep(&|id| {
            let intake = self.catalog.look(|view| Ok(view.row::<Intake>(&Intake::key_of(id))?))?;
            Ok(intake.is_some_and(|intake| matches!(intake.state, IntakeState::HandingOver { .. })))
        })
    }

    /// Does what is due about one upload; false: nothing, it waits.
    fn do_due(&self, id: UploadId, round: &mut IntakeRound) -> Result<bool, Failure> {
        let Some(intake) = self.catalog.look(|view| Ok(view.row::<Intake>(&Intake::key_of(id))?))? else {
            return Ok(false);
        };
        let now = self.now();
        match intake.state {
            // what was handed in by somebody who is blocked goes no further until the block is lifted (J6)
            IntakeState::Received | IntakeState::Checking { .. } | IntakeState::Accepted { .. }
                if self.catalog.look(|view| is_held_back(view, &upload_of(view, id)?, now))? =>
            {
                self.wait(id, now);
                return Ok(false);
            }
            // what cannot be judged now is most likely down for the others too: one try in each round
            IntakeState::Received | IntakeState::Checking { .. } if round.cannot_judge => return Ok(false),
            IntakeState::Received | IntakeState::Checking { .. } => {
                let _busy = self.busy_with(id)?;
                self.judge(id).inspect_err(|failure| round.cannot_judge |= matches!(failure, Failure::Faulted(_)))?;
                round.judged += 1;
            }
            IntakeState::Accepted { .. } | IntakeState::HandingOver { .. } => {
                let _busy = self.busy_with(id)?;
                self.hand_over(id, &Who::system(), HandOverWay::Folder, None)?;
                round.handed_over += 1;
            }
            // what destroys waits for a clock that is right (I10)
            _ if !self.is_clock_trusted() => return Ok(false),
            IntakeState::Rejected { .. } | IntakeState::Duplicate { .. } | IntakeState::Collected { .. } => {
                self.clear_upload(id)?;
            }
            IntakeState::Replaced { .. } | IntakeState::Withdrawn { .. } | IntakeState::Cleared { .. } => {
                self.forget_upload(id)?;
            }
        }
        Ok(true)
    }

    fn clear_upload(&self, id: UploadId) -> Result<(), Failure> {
        let _turn = self.uploads.turn(id);
        let (now, desk) = (self.now(), self.desk());
        self.catalog.decide(Box::new(move |view| {
            let (upload, _) = both_of(view, id)?;
            let decision = Decision::new(now, event(Happening::UploadCleared, Who::system(), &upload, ""));
            clear(view, decision, &desk, &upload, now)
        }))?;
        self.unfinished.remove(id)?;
        Ok(())
    }

    fn forget_upload(&self, id: UploadId) -> Result<(), Failure> {
        let now = self.now();
        self.catalog.decide(Box::new(move |view| {
            let upload = upload_of(view, id)?;
            let Some(intake) = view.row::<Intake>(&Intake::key_of(id))? else {
                return Err(Refusal::WrongState("it is forgotten already".to_owned()).into());
            };
            let decision = Decision::new(now, event(Happening::UploadForgotten, Who::system(), &upload, ""));
            let decision = reception::forget_digest(view, decision, &upload)?;
            reception::forget(view, decision.remove(UploadPlan::key_of(id)), &upload, &intake)
        }))?;
        Ok(())
    }

    /// Looks for handed-over files that are not there any more, some in each round, and begins anew after the last.
    fn note_taken(&self) -> Result<usize, Failure> {
        let from = *locked(&self.intake.looked_up_to);
        let after = from.map(|(at, id)| IntakeDue::key_of(at, id));
        let is_sealed = self.settings.intake.sealed_to.is_some();
        let (page, lying) = self.catalog.look(|view| {
            let page = view.rows::<IntakeDue>(&IntakeDue::all(), after.as_ref(), LOOKS_PER_ROUND)?;
            let mut lying = Vec::new();
            for due in &page {
                let Some(intake) = view.row::<Intake>(&Intake::key_of(due.upload))? else { continue };
                if let IntakeState::Collected { way: HandOverWay::Folder, acknowledged_at: None, .. } = intake.state {
                    lying.push(upload_of(view, due.upload)?);
                }
            }
            Ok((page, lying))
        })?;
        let last = page.last().filter(|_| page.len() == LOOKS_PER_ROUND);
        *locked(&self.intake.looked_up_to) = last.map(|due| (due.at, due.upload));
        let mut taken = 0;
        for upload in lying {
            // it may have been handed over before the sealing of the intake was switched
            let mut is_taken = true;
            for sealed in [is_sealed, !is_sealed] {
                let file = hand_over::file_name(upload.id, &upload.name, sealed);
                is_taken &= self.handover.is_taken(&upload.product, &file, &hand_over::note_name(&file))?;
            }
            if is_taken {
                self.decide_acknowledged(upload.id, Who::operator(Channel::Spool), "taken")?;
                taken += 1;
            }
        }
        Ok(taken)
    }

    fn waits(&self, id: UploadId, now: Moment) -> bool {
        locked(&self.intake.waits).get(&id).is_some_and(|until| now < *until)
    }

    fn wait(&self, id: UploadId, now: Moment) {
        let mut waits = locked(&self.intake.waits);
        if waits.len() >= MOST_WAITING {
            waits.clear();
        }
        waits.insert(id, now.after(WAIT));
    }
}
