//! Taking a received file back before it was handed over, and the end of its bytes in any case.

use super::{Desk, both_of, intake_of, put_intake, reception};
use crate::domain::decision::Decision;
use crate::domain::delivery::Payload;
use crate::domain::history::{Happening, Who};
use crate::domain::ids::UploadId;
use crate::domain::intake::Intake;
use crate::domain::moment::Moment;
use crate::domain::receipt::Findings;
use crate::domain::record::DoomedPayload;
use crate::domain::refusal::Refusal;
use crate::domain::upload::{ReceivedStage, Upload, UploadEntry, UploadHeader, UploadState};
use crate::operations::uploads::{event, put_upload};
use crate::operations::{Caller, Failure, Operations};
use crate::ports::catalog::CatalogView;

/// Who decided what an account asked for itself.
const BY_ACCOUNT: &str = "account";

impl Operations {
    /// Takes a received file back for the account that uploaded it. Its bytes go, its result says so.
    ///
    /// # Errors
    /// `NotFound`; `NotAllowed` for another account's; `WrongState` once it was, or may have been, handed over.
    pub(in crate::operations) fn withdraw_received(&self, who: Who, id: UploadId) -> Result<(), Failure> {
        let _turn = self.uploads.turn(id);
        let (now, desk) = (self.now(), self.desk());
        self.catalog.decide(Box::new(move |view| {
            let (upload, before) = both_of(view, id)?;
            let after = before.clone().withdrawn(now, desk.forgotten_at(&before))?;
            let decision = Decision::new(now, event(Happening::UploadWithdrawn, who, &upload, ""));
            desk.taken_back(view, decision, (&upload, &before), after, now)
        }))?;
        self.unfinished.remove(id)?;
        self.sweep_doomed()?;
        Ok(())
    }

    /// The same by its id, as the API asks for it.
    ///
    /// # Errors
    /// As `withdraw_received`.
    pub fn withdraw_upload(&self, caller: &Caller, id: UploadId) -> Result<(), Failure> {
        let view = self.own_receipt(caller, id)?;
        if view.upload.login != caller.login {
            return Err(Refusal::NotAllowed("another account of the organisation uploaded this file").into());
        }
        let (now, product) = (self.now(), view.upload.product);
        self.catalog.look(|view| self.may_deliver(view, caller, &product, now).map(|_| ()))?;
        self.withdraw_received(caller.who(), id)
    }
}

impl Desk {
    /// The decision that takes a received upload back: its bytes and its name go, its result is told.
    pub(in crate::operations) fn taken_back(
        &self,
        view: &dyn CatalogView,
        decision: Decision,
        (upload, before): (&Upload, &Intake),
        after: Intake,
        now: Moment,
    ) -> Result<Decision, Failure> {
        let (decision, ended) = self.ended_by_account(view, decision, (upload, before), after, now)?;
        put_upload(view, decision, Some(upload), ended)
    }

    /// The decision in which another upload takes the place of a received one, and that one as it is then.
    ///
    /// # Errors
    /// `WrongState` once it was, or may have been, handed over, or has ended otherwise.
    pub(in crate::operations) fn replaced(
        &self,
        view: &dyn CatalogView,
        decision: Decision,
        upload: &Upload,
        by: UploadId,
        now: Moment,
    ) -> Result<(Decision, Upload), Failure> {
        let before = intake_of(view, upload)?;
        let after = before.clone().replaced(now, by, self.forgotten_at(&before))?;
        self.ended_by_account(view, decision, (upload, &before), after, now)
    }

    fn ended_by_account(
        &self,
        view: &dyn CatalogView,
        decision: Decision,
        (upload, before): (&Upload, &Intake),
        after: Intake,
        now: Moment,
    ) -> Result<(Decision, Upload), Failure> {
        let decision = self.put_result(decision, (upload, &after), (BY_ACCOUNT, now), &Findings::default())?;
        let decision = reception::forget_digest(view, decision, upload)?;
        let decision = put_intake(decision, Some(before), after);
        without_bytes(view, decision, upload, now)
    }
}

/// The decision after which the bytes of a received upload are gone, and what became of it says so.
pub(super) fn clear(
    view: &dyn CatalogView,
    decision: Decision,
    desk: &Desk,
    upload: &Upload,
    now: Moment,
) -> Result<Decision, Failure> {
    let decision = ended_upload(view, decision, desk, upload, now)?;
    let (decision, ended) = without_bytes(view, decision, upload, now)?;
    put_upload(view, decision, Some(upload), ended)
}

/// The decision in which the bytes of a received upload go: what became of it follows.
pub(in crate::operations) fn ended_upload(
    view: &dyn CatalogView,
    decision: Decision,
    desk: &Desk,
    upload: &Upload,
    now: Moment,
) -> Result<Decision, Failure> {
    let Some(before) = view.row::<Intake>(&Intake::key_of(upload.id))? else { return Ok(decision) };
    let after = before.clone().cleared(now, desk.forgotten_at(&before).max(now));
    Ok(put_intake(decision, Some(&before), after))
}

/// Its payload is doomed, its name is free; the upload as it is then. The moment at which something would be due
/// about its keeping stays: it is passed over when it comes.
fn without_bytes(
    view: &dyn CatalogView,
    decision: Decision,
    upload: &Upload,
    now: Moment,
) -> Result<(Decision, Upload), Failure> {
    let mut ended = upload.clone();
    ended.state = UploadState::Expired { at: now, received_sha256: upload.state.sha256() };
    let UploadState::Received { payload, stage, .. } = upload.state else { return Ok((decision, upload.clone())) };
    let mut decision = decision.remove(UploadHeader::key_of(upload.id));
    if stage != ReceivedStage::Kept {
        decision = decision.remove(UploadEntry::key_of(&upload.organisation, &upload.product, &upload.name));
    }
    if let Some(mut row) = view.row::<Payload>(&Payload::key_of(payload))? {
        row.headers = 0;
        decision = decision.put(row).put(DoomedPayload { payload });
    }
    Ok((decision, ended))
}
