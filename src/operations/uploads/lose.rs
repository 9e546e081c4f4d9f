//! What a restore lost of received uploads: those whose bytes or shred key are not
//! there end on record. Parts of unfinished ones are no matter of this file.

use std::collections::BTreeSet;

use super::super::back_up::all;
use super::super::intake::ended_upload;
use super::super::{Failure, Operations};
use super::{event, put_upload, upload_of};
use crate::domain::decision::Decision;
use crate::domain::delivery::Payload;
use crate::domain::history::{Happening, Who};
use crate::domain::ids::UploadId;
use crate::domain::record::DoomedPayload;
use crate::domain::retention::ShredSlot;
use crate::domain::upload::{ReceivedStage, Upload, UploadEntry, UploadHeader, UploadState};

impl Operations {
    /// Received uploads of which the payload or the shred key is not there.
    pub(in crate::operations) fn lost_uploads(&self, slots: &BTreeSet<ShredSlot>) -> Result<Vec<UploadId>, Failure> {
        let received = self.catalog.look(|view| {
            let key_of = |upload: &Upload| Upload::key_of(upload.id);
            all(view, key_of, |upload| match upload.state {
                UploadState::Received { payload, .. } => Some((upload.id, payload)),
                UploadState::Unfinished | UploadState::Removed { .. } | UploadState::Expired { .. } => None,
            })
        })?;
        let mut lost = Vec::new();
        for (id, payload) in received.into_iter().flatten() {
            let (row, header) = self.catalog.look(|view| {
                let row = view.row::<Payload>(&Payload::key_of(payload))?;
                Ok((row, view.row::<UploadHeader>(&UploadHeader::key_of(id))?))
            })?;
            let is_whole = match row {
                Some(row) => self.vault.find(payload)? == Some(row.sealed_bytes),
                None => false,
            };
            if !is_whole || header.is_none_or(|header| !slots.contains(&header.slot)) {
                lost.push(id);
            }
        }
        Ok(lost)
    }

    /// Ends a received upload whose bytes nobody can read.
    pub(in crate::operations) fn end_lost_upload(
        &self,
        id: UploadId,
        who: Who,
        why: &'static str,
    ) -> Result<(), Failure> {
        let _turn = self.uploads.turn(id);
        let (now, desk) = (self.now(), self.desk());
        self.catalog.decide(Box::new(move |view| {
            let before = upload_of(view, id)?;
            let mut after = before.clone();
            after.state = UploadState::Expired { at: now, received_sha256: before.state.sha256() };
            let mut decision = Decision::new(now, event(Happening::UploadLost, who, &before, why));
            if let UploadState::Received { payload, stage, .. } = before.state {
                // the moment at which something would be due about it stays: it is passed over when it comes
                decision = decision.remove(UploadHeader::key_of(id));
                if stage != ReceivedStage::Kept {
                    decision = decision.remove(UploadEntry::key_of(&after.organisation, &after.product, &after.name));
                }
                if let Some(mut row) = view.row::<Payload>(&Payload::key_of(payload))? {
                    row.headers = 0;
                    decision = decision.put(row).put(DoomedPayload { payload });
                }
            }
            decision = ended_upload(view, decision, &desk, &before, now)?;
            put_upload(view, decision, Some(&before), after)
        }))?;
        self.unfinished.remove(id)?;
        Ok(())
    }
}
