//! The end of an opening: the upload is complete, or it waits to be resumed.
//!
//! Order: the bytes become a payload of the vault, durable; then one decision makes the upload
//! received. Killed between them, it is unfinished as before, and the payload that no row names
//! is set aside by the next start. The parts go only when nobody can resume them any more.

use std::sync::Arc;

use super::super::intake::{Desk, Reception};
use super::super::{Caller, Failure, Operations, case_of, locked};
use super::live::Live;
use super::{event, part_binding, payload_binding, put_slot, put_two, put_upload, upload_of};
use crate::domain::decision::Decision;
use crate::domain::delivery::Payload;
use crate::domain::digest::Digest;
use crate::domain::history::{Happening, Who};
use crate::domain::ids::{PayloadId, UploadId};
use crate::domain::moment::Moment;
use crate::domain::names::UploadName;
use crate::domain::refusal::{Refusal, What};
use crate::domain::retention::ShredSlot;
use crate::domain::rights::{Act, permits};
use crate::domain::upload::{ReceivedStage, Upload, UploadEnd, UploadEntry, UploadHeader, UploadState};
use crate::domain::upload_plan::UploadPlan;
use crate::ports::catalog::CatalogView;
use crate::ports::unfinished::Finished;

/// A new name that an upload gets.
#[derive(Clone)]
pub(super) struct Renaming {
    pub(super) to: UploadName,
    /// The unfinished upload that bears it now and goes.
    pub(super) replaced: Option<UploadId>,
}

/// What is said when a part of the file never arrived.
pub(super) fn missing(name: &UploadName, (start, end): (u64, u64)) -> Failure {
    let why = format!("bytes {start} to {end} of {name} never arrived: the file stays unfinished, resume it there");
    Refusal::WrongState(why).into()
}

fn unlike(name: &UploadName) -> Failure {
    let why = format!("the bytes of {name} do not have the digest that was given: send the file anew");
    Refusal::BadRequest(why).into()
}

impl Operations {
    /// Makes a received upload of one that is open. The caller of this holds its turn.
    pub(super) fn complete(
        &self,
        caller: &Caller,
        upload: &Upload,
        live: &Arc<Live>,
        (reception, renaming): (Reception, Option<Renaming>),
    ) -> Result<(), Failure> {
        let said = self.catalog.look(|view| Ok(view.row::<UploadPlan>(&UploadPlan::key_of(upload.id))?))?;
        let name = renaming.as_ref().map_or(&upload.name, |renaming| &renaming.to);
        let is_whole = match live.file.first_gap() {
            Some(gap) => Err(missing(name, gap)),
            None => said.as_ref().map_or(Ok(()), |said| Ok(said.check_size(name, live.file.size_bytes())?)),
        };
        let expected = [said.and_then(|said| said.sha256), *locked(&live.expected)];
        let how = (reception, renaming, expected);
        let completed = is_whole.and_then(|()| self.receive(caller, upload, live, how));
        if completed.is_err() {
            self.pause(caller.who(), upload.id, live, "could not be completed")?;
            return completed;
        }
        live.end("the file was received");
        self.uploads.remove(upload, live, || self.recorded_shares(upload).ok());
        Ok(())
    }

    fn receive(
        &self,
        caller: &Caller,
        upload: &Upload,
        live: &Arc<Live>,
        (reception, renaming, expected): (Reception, Option<Renaming>, [Option<Digest>; 2]),
    ) -> Result<(), Failure> {
        let _ticket = self.headers_in_hand.take();
        let payload = PayloadId::from_random(self.entropy.sixteen());
        let key = self.keyring.new_file_key();
        // a write that is under way ends first, and none begins
        let phase = locked(&live.phase);
        phase.check()?;
        let finished = live.file.finish(payload, &key)?;
        if expected.into_iter().flatten().any(|expected| expected != finished.stored.sha256) {
            self.vault.remove(payload)?;
            // nobody knows which byte is wrong: none is kept
            live.file.set_size(0)?;
            live.look_for_gap();
            return Err(unlike(&upload.name));
        }
        drop(phase);
        let decided = self.seal_received(upload, payload, &key, &finished).and_then(|header| {
            let shown = *locked(&live.shown);
            self.decide_received(caller.clone(), upload.id, header, (&finished, shown), (reception, renaming))
        });
        match &decided {
            // it may be on record: what no row names is found by the next start
            Err(Failure::Faulted(fault)) if fault.outcome_unknown() => {}
            Err(_) => self.vault.remove(payload)?,
            Ok(()) => {}
        }
        decided
    }

    fn seal_received(
        &self,
        upload: &Upload,
        payload: PayloadId,
        key: &crate::ports::keyring::FileKey,
        finished: &Finished,
    ) -> Result<UploadHeader, Failure> {
        let until = self.clock.midnight_closing(self.now().after(self.settings.uploads.uncollected_kept));
        let slot = ShredSlot::of_day(until);
        self.keyring.ensure_slot(&slot)?;
        let header = match &finished.sealed_header {
            Some(sealed) => self.keyring.unseal_header(&upload.slot, part_binding(upload.id), sealed)?,
            None => self.keyring.header_for_organisation(&upload.organisation, key)?,
        };
        let sealed = self.keyring.seal_header(&slot, payload_binding(upload.id, payload), &header)?;
        Ok(UploadHeader { upload: upload.id, payload, slot, sealed })
    }

    fn decide_received(
        &self,
        caller: Caller,
        id: UploadId,
        header: UploadHeader,
        (finished, shown): (&Finished, super::live::Shown),
        (reception, renaming): (Reception, Option<Renaming>),
    ) -> Result<(), Failure> {
        let (now, desk) = (self.now(), self.desk());
        let grace = self.settings.uploads.resume_grace;
        let stored = finished.stored.clone();
        let replaced = renaming.as_ref().and_then(|renaming| renaming.replaced);
        self.catalog.decide(Box::new(move |view| {
            let before = unfinished(view, id)?;
            // sealing took its time: who was blocked meanwhile hands nothing in
            permits(Act::Deliver, case_of(view, &caller, &before.organisation, Some(&before.product), now)?)?;
            let who = caller.who();
            let mut after = before.clone();
            after.size_bytes = stored.size_bytes;
            after.changed_at = shown.changed_at;
            after.mtime_seconds = shown.mtime_seconds;
            let (sha256, payload) = (stored.sha256, header.payload);
            after.state = UploadState::Received { at: now, sha256, payload, stage: ReceivedStage::Resumable };
            if let Some(renaming) = &renaming {
                after.name = renaming.to.clone();
            }
            let note = format!("sha256 {sha256}");
            let mut decision = Decision::new(now, event(Happening::UploadReceived, who.clone(), &after, &note));
            let mut gone = None;
            if let Some(renaming) = renaming {
                (decision, gone) = rename(view, decision, &desk, (&who, now), &before, renaming)?;
            }
            decision = put_slot(view, decision, &header.slot)?
                .remove(UploadEnd::key_of(before.unfinished_until, id))
                .put(UploadEnd { at: now.after(grace), upload: id })
                .put(Payload {
                    id: payload,
                    size_bytes: stored.size_bytes,
                    sha256,
                    sealed_bytes: stored.sealed_bytes,
                    sealed_sha256: stored.sealed_sha256,
                    headers: 1,
                })
                .put(header);
            decision = desk.receive(view, decision, (&after, replaced), reception, now)?;
            put_two(view, decision, (&before, after), gone)
        }))?;
        self.forget_replaced(replaced)
    }

    /// What is left to do about an upload that another took the name of.
    pub(super) fn end_replaced(&self, id: UploadId) -> Result<(), Failure> {
        let there = self.catalog.look(|view| upload_of(view, id))?;
        self.end_live(&there, "the file was removed");
        self.sweep_doomed()?;
        Ok(())
    }

    /// The parts of an upload that another took the name of.
    pub(super) fn forget_replaced(&self, replaced: Option<UploadId>) -> Result<(), Failure> {
        if let Some(id) = replaced {
            self.unfinished.remove(id)?;
        }
        Ok(())
    }

    /// Ends an opening without completing: what arrived without a gap is durable and on record. The caller of
    /// this holds the turn.
    pub(super) fn pause(&self, who: Who, id: UploadId, live: &Arc<Live>, note: &'static str) -> Result<(), Failure> {
        if !live.end(note) {
            // another opening took over, or it was removed: that is on record already
            return Ok(());
        }
        let (now, size_bytes, shown) = (self.now(), live.file.size_bytes(), *locked(&live.shown));
        let upload = self.catalog.look(|view| upload_of(view, id))?;
        let is_changed = (upload.size_bytes, upload.changed_at, upload.mtime_seconds)
            != (size_bytes, shown.changed_at, shown.mtime_seconds);
        let paused = if is_changed {
            let rule = move |view: &dyn CatalogView| {
                let before = unfinished(view, id)?;
                let mut after = before.clone();
                after.size_bytes = size_bytes;
                after.changed_at = shown.changed_at;
                after.mtime_seconds = shown.mtime_seconds;
                let decision = Decision::new(now, event(Happening::UploadPaused, who, &after, note));
                put_upload(view, decision, Some(&before), after)
            };
            self.catalog.decide(Box::new(rule)).map(|_| ())
        } else {
            Ok(())
        };
        self.uploads.remove(&upload, live, || self.recorded_shares(&upload).ok());
        paused
    }

    /// A marker was closed: the upload that it marks is whole. One that was received already stays what it is.
    pub(super) fn complete_marked(&self, caller: &Caller, id: UploadId) -> Result<(), Failure> {
        let _turn = self.uploads.turn(id);
        let upload = self.catalog.look(|view| upload_of(view, id))?;
        match upload.state {
            UploadState::Received { .. } => Ok(()),
            UploadState::Removed { .. } | UploadState::Expired { .. } => Err(Refusal::NotFound(What::File).into()),
            UploadState::Unfinished => {
                let live = self.live_or_resumed(caller, &upload)?;
                self.complete(caller, &upload, &live, (Reception::Declared, None))
            }
        }
    }

    /// The upload as it is open, or opened for this. The caller of this holds its turn.
    pub(super) fn live_or_resumed(&self, caller: &Caller, upload: &Upload) -> Result<Arc<Live>, Failure> {
        match self.uploads.find(upload.id) {
            Some(live) => Ok(live),
            None => Ok(self.go_on(caller, upload.id, false, self.now())?.1),
        }
    }
}

/// The upload, if it is still unfinished.
pub(super) fn unfinished(view: &dyn CatalogView, id: UploadId) -> Result<Upload, Failure> {
    let upload = upload_of(view, id)?;
    match upload.state {
        UploadState::Unfinished => Ok(upload),
        UploadState::Received { .. } => {
            Err(Refusal::WrongState(format!("{} was received already", upload.name)).into())
        }
        UploadState::Removed { .. } | UploadState::Expired { .. } => Err(Refusal::NotFound(What::File).into()),
    }
}

/// The decision with the new name, and the upload of the same account that bore it and goes: before, and as it is
/// to be put.
pub(super) fn rename(
    view: &dyn CatalogView,
    mut decision: Decision,
    desk: &Desk,
    (who, now): (&Who, Moment),
    upload: &Upload,
    renaming: Renaming,
) -> Result<(Decision, Option<(Upload, Upload)>), Failure> {
    let key = UploadEntry::key_of(&upload.organisation, &upload.product, &renaming.to);
    let there = view.row::<UploadEntry>(&key)?.filter(|there| there.upload != upload.id);
    if there.as_ref().map(|there| there.upload) != renaming.replaced {
        return Err(Refusal::Exists(What::File, renaming.to.to_string()).into());
    }
    let mut gone = None;
    if let Some(there) = there {
        let before = upload_of(view, there.upload)?;
        let note = format!("replaced by upload {}", upload.id);
        if matches!(before.state, UploadState::Received { .. }) {
            let with_event = decision.and(event(Happening::UploadReplaced, who.clone(), &before, &note));
            let (replaced, after) = desk.replaced(view, with_event, &before, upload.id, now)?;
            decision = replaced;
            gone = Some((before, after));
        } else {
            let before = unfinished(view, there.upload)?;
            let mut after = before.clone();
            after.state = UploadState::Removed { at: now };
            decision = decision
                .and(event(Happening::UploadRemoved, who.clone(), &after, &note))
                .remove(UploadEnd::key_of(before.unfinished_until, before.id));
            gone = Some((before, after));
        }
    }
    let note = format!("now {}", renaming.to);
    let decision = decision
        .and(event(Happening::UploadRenamed, who.clone(), upload, &note))
        .remove(UploadEntry::key_of(&upload.organisation, &upload.product, &upload.name))
        .put(UploadEntry {
            organisation: upload.organisation.clone(),
            product: upload.product.clone(),
            name: renaming.to,
            upload: upload.id,
        });
    Ok((decision, gone))
}
