//! What the back office asks by the command line or by files: collecting, accepting, rejecting, acknowledging.

use std::path::Path;

use super::{both_of, put_intake};
use crate::domain::decision::Decision;
use crate::domain::history::{Channel, Happening, Who};
use crate::domain::ids::UploadId;
use crate::domain::intake::{HandOverWay, Intake, IntakeState};
use crate::domain::intake_rows::IntakeDue;
use crate::domain::receipt::Report;
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::{Act, Case, Ground, permits};
use crate::domain::upload::Upload;
use crate::operations::back_up::all;
use crate::operations::uploads::event;
use crate::operations::{Failure, Officer, Operations};
use crate::ports::handover::ResultFile;

/// Results that one round takes.
const MOST_RESULTS: usize = 100;

impl Operations {
    /// Hands an accepted file over into a folder that the operator names. Asked again after it was cut off, it goes
    /// on; asked again after it was done, it is refused.
    ///
    /// # Errors
    /// `NotFound`; `WrongState` unless it is accepted and not handed over; `NoSpace`.
    pub fn collect_upload(&self, id: UploadId, folder: &Path, channel: Channel) -> Result<Upload, Failure> {
        permits(Act::HandleUploads, Case::operator(Ground::None))?;
        let _busy = self.busy_with(id)?;
        self.hand_over(id, &Who::operator(channel), HandOverWay::Command, Some(folder))
    }

    /// The back office accepts a file that waits, or says that it processed one that it has.
    ///
    /// # Errors
    /// `NotAllowed`; `NotFound`; `WrongState` for one that ended.
    pub fn accept_upload(
        &self,
        id: UploadId,
        report: Option<Report>,
        by: impl Into<Officer>,
    ) -> Result<Upload, Failure> {
        let who = self.acting(by, Act::HandleUploads)?;
        self.decide_office(id, who, true, report)
    }

    /// The back office rejects a file that waits, which it then never gets, or says that it did not process one that
    /// it has.
    ///
    /// # Errors
    /// As `accept_upload`; also while the file is being handed over.
    pub fn reject_upload(
        &self,
        id: UploadId,
        report: Option<Report>,
        by: impl Into<Officer>,
    ) -> Result<Upload, Failure> {
        let who = self.acting(by, Act::HandleUploads)?;
        self.decide_office(id, who, false, report)
    }

    /// The back office took a file away.
    ///
    /// # Errors
    /// `NotFound`; `WrongState` unless it was handed over.
    pub fn acknowledge_upload(&self, id: UploadId, channel: Channel) -> Result<(), Failure> {
        permits(Act::HandleUploads, Case::operator(Ground::None))?;
        self.decide_acknowledged(id, Who::operator(channel), "")
    }

    /// What was on its way when the backup was made waits: the back office may have it already (U1). Returns how many.
    ///
    /// # Errors
    /// A fault of the store; what waits already stays so.
    pub(in crate::operations) fn hold_intakes_back(&self, channel: Channel) -> Result<usize, Failure> {
        let key_of = |due: &IntakeDue| IntakeDue::key_of(due.at, due.upload);
        let due = self.catalog.look(|view| all(view, key_of, |due| due.upload))?;
        let mut held_back = 0;
        for id in due {
            let intake = self.catalog.look(|view| Ok(view.row::<Intake>(&Intake::key_of(id))?))?;
            if intake.and_then(Intake::held_back).is_none() {
                continue;
            }
            let (now, who) = (self.now(), Who::operator(channel));
            self.catalog.decide(Box::new(move |view| {
                let (upload, before) = both_of(view, id)?;
                let after = before.clone().held_back().ok_or(Refusal::NotFound(What::File))?;
                let note = "restored: waits for `upload accept` or `upload collect`";
                let decision = Decision::new(now, event(Happening::UploadHeldBack, who, &upload, note));
                Ok(put_intake(decision, Some(&before), after))
            }))?;
            held_back += 1;
        }
        Ok(held_back)
    }

    pub(super) fn decide_acknowledged(&self, id: UploadId, who: Who, note: &'static str) -> Result<(), Failure> {
        let now = self.now();
        self.catalog.decide(Box::new(move |view| {
            let (upload, before) = both_of(view, id)?;
            let after = before.clone().acknowledged(now)?;
            let decision = Decision::new(now, event(Happening::UploadAcknowledged, who, &upload, note));
            Ok(put_intake(decision, Some(&before), after))
        }))?;
        Ok(())
    }

    /// Takes the results that the back office put down. What cannot be taken is put aside, with the reason.
    pub(super) fn take_results(&self) -> Result<usize, Failure> {
        let mut taken = 0;
        for result in self.handover.results(MOST_RESULTS)? {
            match self.take_result(&result) {
                Ok(()) => {
                    self.handover.settle_result(&result, None)?;
                    taken += 1;
                }
                Err(Failure::Refused(Refusal::NoSpace)) => return Err(Refusal::NoSpace.into()),
                Err(Failure::Refused(refusal)) => self.handover.settle_result(&result, Some(&refusal.to_string()))?,
                Err(failure) => return Err(failure),
            }
        }
        Ok(taken)
    }

    fn take_result(&self, result: &ResultFile) -> Result<(), Failure> {
        let (is_accepted, report) = result.said.clone().map_err(Refusal::BadRequest)?;
        let (upload, intake) = self.catalog.look(|view| both_of(view, result.upload))?;
        if upload.product != result.product {
            return Err(Refusal::NotFound(What::File).into());
        }
        if is_on_record(&intake, is_accepted) {
            // it was taken already, and a crash came before the file went
            return Ok(());
        }
        self.decide_office(result.upload, Who::operator(Channel::Spool), is_accepted, Some(report)).map(|_| ())
    }
}

fn is_on_record(intake: &Intake, is_accepted: bool) -> bool {
    matches!(intake.state, IntakeState::Collected { answer: Some(answer), .. } if answer.accepted == is_accepted)
}
