//! What time does to uploads, and what a start does: unfinished ones go, received ones can no
//! longer be resumed, are no longer shown, and are gone when nobody collected them.

use super::super::intake::ended_upload;
use super::super::{Failure, Operations};
use super::complete::unfinished;
use super::{event, put_upload, upload_of};
use crate::domain::decision::Decision;
use crate::domain::delivery::Payload;
use crate::domain::history::{Happening, Who};
use crate::domain::ids::UploadId;
use crate::domain::moment::Moment;
use crate::domain::record::{DoomedPayload, Key, Row};
use crate::domain::upload::{ReceivedStage, Upload, UploadEnd, UploadEntry, UploadHeader, UploadState};
use crate::domain::upload_plan::UploadPlan;
use crate::ports::catalog::CatalogView;

/// Ends are looked up so many at a time.
const PAGE: usize = 1_000;

/// What one round did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SettledUploads {
    /// Uploads whose bytes are gone.
    pub expired: Vec<UploadId>,
    /// Received uploads that can no longer be resumed, or are no longer shown.
    pub settled: usize,
}

impl Operations {
    /// Does what is due. Idempotent: a round that was cut off is completed by the next. Asked only while the
    /// clock is trusted (I10).
    pub(in crate::operations) fn settle_uploads(&self, now: Moment) -> Result<SettledUploads, Failure> {
        let mut report = SettledUploads::default();
        loop {
            let due = self.catalog.look(|view| Ok(view.rows::<UploadEnd>(&UploadEnd::all(), None, PAGE)?))?;
            let due: Vec<UploadEnd> = due.into_iter().take_while(|end| end.at <= now).collect();
            if due.is_empty() {
                return Ok(report);
            }
            for end in due {
                self.settle_one(end, now, &mut report)?;
            }
        }
    }

    fn settle_one(&self, end: UploadEnd, now: Moment, report: &mut SettledUploads) -> Result<(), Failure> {
        let _turn = self.uploads.turn(end.upload);
        let upload = self.catalog.look(|view| upload_of(view, end.upload))?;
        match upload.state {
            UploadState::Unfinished if upload.unfinished_until <= now => {
                self.expire_unfinished(&upload, end, now)?;
                report.expired.push(upload.id);
            }
            UploadState::Received { stage: ReceivedStage::Kept, .. } => {
                self.expire_received(upload.id, end, now)?;
                report.expired.push(upload.id);
            }
            UploadState::Received { stage, .. } => {
                self.next_stage(&upload, stage, end, now)?;
                report.settled += 1;
            }
            // a moment of an earlier state: nothing is due
            UploadState::Unfinished | UploadState::Removed { .. } | UploadState::Expired { .. } => {
                let id = end.upload;
                let drop = end_key(&end);
                self.catalog.decide(Box::new(move |view| {
                    let upload = upload_of(view, id)?;
                    let event = event(Happening::UploadSettled, Who::system(), &upload, "nothing is due");
                    Ok(Decision::new(now, event).remove(drop).leaving_access_as_it_is())
                }))?;
            }
        }
        Ok(())
    }

    fn expire_unfinished(&self, upload: &Upload, end: UploadEnd, now: Moment) -> Result<(), Failure> {
        let id = upload.id;
        self.end_live(upload, "its time to be finished is over");
        self.catalog.decide(Box::new(move |view| {
            let before = unfinished(view, id)?;
            let mut after = before.clone();
            after.state = UploadState::Expired { at: now, received_sha256: None };
            let decision = Decision::new(now, event(Happening::UploadExpired, Who::system(), &after, "unfinished"))
                .remove(UploadEntry::key_of(&after.organisation, &after.product, &after.name))
                .remove(UploadPlan::key_of(id))
                .remove(end_key(&end));
            put_upload(view, decision, Some(&before), after)
        }))?;
        Ok(self.unfinished.remove(id)?)
    }

    fn next_stage(&self, upload: &Upload, stage: ReceivedStage, end: UploadEnd, now: Moment) -> Result<(), Failure> {
        let (id, settings) = (upload.id, self.settings.uploads.clone());
        self.catalog.decide(Box::new(move |view| {
            let before = upload_of(view, id)?;
            let mut after = before.clone();
            let UploadState::Received { at, stage: next, .. } = &mut after.state else {
                return Err(crate::domain::refusal::Refusal::WrongState("it is not received".to_owned()).into());
            };
            let (until, note) = if stage == ReceivedStage::Resumable {
                *next = ReceivedStage::Shown;
                (at.after(settings.received_kept), "can no longer be resumed")
            } else {
                *next = ReceivedStage::Kept;
                (kept_until(view, id, at.after(settings.uncollected_kept))?, "is no longer shown")
            };
            let event = event(Happening::UploadSettled, Who::system(), &before, note).with_until(until);
            let mut decision = Decision::new(now, event).remove(end_key(&end)).put(UploadEnd { at: until, upload: id });
            if stage != ReceivedStage::Resumable {
                decision = decision.remove(UploadEntry::key_of(&after.organisation, &after.product, &after.name));
            }
            put_upload(view, decision, Some(&before), after)
        }))?;
        if stage == ReceivedStage::Resumable {
            self.unfinished.remove(id)?;
        }
        Ok(())
    }

    fn expire_received(&self, id: UploadId, end: UploadEnd, now: Moment) -> Result<(), Failure> {
        let desk = self.desk();
        self.catalog.decide(Box::new(move |view| {
            let before = upload_of(view, id)?;
            let mut after = before.clone();
            after.state = UploadState::Expired { at: now, received_sha256: before.state.sha256() };
            let mut decision =
                Decision::new(now, event(Happening::UploadExpired, Who::system(), &after, "never collected"))
                    .remove(end_key(&end))
                    .remove(UploadHeader::key_of(id));
            if let UploadState::Received { payload, .. } = before.state
                && let Some(mut row) = view.row::<Payload>(&Payload::key_of(payload))?
            {
                row.headers = 0;
                decision = decision.put(row).put(DoomedPayload { payload });
            }
            decision = ended_upload(view, decision, &desk, &before, now)?;
            put_upload(view, decision, Some(&before), after)
        }))?;
        Ok(())
    }

    /// Brings the parts on the disk and the record together, at a start: what no unfinished or resumable upload
    /// needs goes, and the record gets the sizes that really arrived. Returns how many were removed.
    ///
    /// # Errors
    /// A fault of catalog or vault.
    pub(in crate::operations) fn recover_uploads(&self) -> Result<usize, Failure> {
        let mut removed = 0;
        for id in self.unfinished.inventory()? {
            let row = self.catalog.look(|view| Ok(view.row::<Upload>(&Upload::key_of(id))?))?;
            match row.as_ref().map(|upload| &upload.state) {
                Some(UploadState::Unfinished) => {}
                Some(UploadState::Received { stage: ReceivedStage::Resumable, .. }) => {}
                // what a repaired catalog does not know may still be somebody's
                None if self.catalog.was_repaired() => {}
                _ => {
                    self.unfinished.remove(id)?;
                    removed += 1;
                }
            }
        }
        let mut after = None;
        loop {
            let page: Vec<UploadEntry> =
                self.catalog.look(|view| Ok(view.rows(&UploadEntry::all(), after.as_ref(), PAGE)?))?;
            let Some(last) = page.last() else { return Ok(removed) };
            after = Some(UploadEntry::key_of(&last.organisation, &last.product, &last.name));
            for entry in page {
                let upload = self.catalog.look(|view| upload_of(view, entry.upload))?;
                if upload.state == UploadState::Unfinished {
                    self.record_size(&upload)?;
                }
            }
        }
    }

    /// The size that really arrived; nothing, when a crash came between throwing it away and beginning anew.
    pub(super) fn record_size(&self, upload: &Upload) -> Result<(), Failure> {
        let (id, size_bytes) = (upload.id, self.unfinished.size_bytes(upload.id)?.unwrap_or_default());
        if size_bytes == upload.size_bytes {
            return Ok(());
        }
        let now = self.now();
        self.catalog.decide(Box::new(move |view| {
            let before = unfinished(view, id)?;
            let mut after = before.clone();
            after.size_bytes = size_bytes;
            let decision =
                Decision::new(now, event(Happening::UploadPaused, Who::system(), &after, "its size as it was found"));
            put_upload(view, decision, Some(&before), after)
        }))?;
        Ok(())
    }
}

/// The end of what nobody collects: never after the shred key of its header.
fn kept_until(view: &dyn CatalogView, id: UploadId, wanted: Moment) -> Result<Moment, Failure> {
    let header = view.row::<UploadHeader>(&UploadHeader::key_of(id))?;
    Ok(header.map_or(wanted, |header| wanted.min(header.slot.closes_at())))
}

fn end_key(end: &UploadEnd) -> Key {
    UploadEnd::key_of(end.at, end.upload)
}
