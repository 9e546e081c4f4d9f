//! An accepted file reaches the back office once: the intent on record, the file and then its note in their place,
//! the deed on record. Killed anywhere between, it goes on where it was; what lies there already stays.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use sha2::{Digest as _, Sha256};

use super::{both_of, put_intake};
use crate::domain::account::Account;
use crate::domain::decision::Decision;
use crate::domain::digest::Digest;
use crate::domain::history::{Happening, Who};
use crate::domain::ids::UploadId;
use crate::domain::intake::{HandOverWay, Intake};
use crate::domain::names::UploadName;
use crate::domain::receipt::hand_over_note;
use crate::domain::refusal::Refusal;
use crate::domain::upload::Upload;
use crate::operations::uploads::event;
use crate::operations::{Failure, Fault, Operations, locked};
use crate::ports::handover::{HandedOver, Place, Sink};
use crate::ports::vault::PayloadReader;

/// Copied at a time.
const PIECE_BYTES: usize = 1 << 20;

/// The name under which a file is handed over: its id makes it one of its own, and it is the same each time.
pub(super) fn file_name(id: UploadId, name: &UploadName, is_sealed: bool) -> String {
    format!("{id}_{name}{}", if is_sealed { ".age" } else { "" })
}

/// The name of the note beside it.
pub(super) fn note_name(file: &str) -> String {
    format!("{file}.json")
}

/// Held while one file is handed over or checked: nobody else does at the same time.
pub(super) struct Busy<'a> {
    operations: &'a Operations,
    id: UploadId,
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        locked(&self.operations.intake.busy).remove(&self.id);
    }
}

impl Operations {
    pub(super) fn busy_with(&self, id: UploadId) -> Result<Busy<'_>, Failure> {
        if locked(&self.intake.busy).insert(id) {
            Ok(Busy { operations: self, id })
        } else {
            Err(Refusal::WrongState(format!("upload {id} is being handed over now")).into())
        }
    }

    /// Hands a file over. The caller of this holds that it is busy with it.
    pub(super) fn hand_over(
        &self,
        id: UploadId,
        who: &Who,
        way: HandOverWay,
        folder: Option<&Path>,
    ) -> Result<Upload, Failure> {
        let place_name = folder.map(|folder| folder.display().to_string()).unwrap_or_default();
        let (upload, intake) = self.begin_hand_over(id, who.clone(), way, place_name)?;
        let is_sealed = self.settings.intake.sealed_to.is_some();
        let (reader, expected) = self.what_is_handed_over(&upload)?;
        let uploader = self.catalog.look(|view| Ok(view.row::<Account>(&Account::key_of(&upload.login))?))?;
        let organisation = uploader.map_or_else(|| upload.organisation.clone(), |account| account.organisation);
        let file = file_name(id, &upload.name, is_sealed);
        let note = hand_over_note(&upload, &organisation, &intake, &file);
        let copy = |sink: &mut Sink<'_>| self.copy(&*reader, expected, sink);
        let offered =
            HandedOver { upload: id, file: &file, bytes: &copy, note_name: &note_name(&file), note: note.as_bytes() };
        let place = folder.map_or(Place::Intake(&upload.product), Place::Folder);
        self.handover.put(place, &offered)?;
        self.end_hand_over(id, who.clone(), file)?;
        // it is on record; what cannot be removed now is removed at the next start
        self.handover.settle(place, id).ok();
        Ok(upload)
    }

    pub(super) fn begin_hand_over(
        &self,
        id: UploadId,
        who: Who,
        way: HandOverWay,
        place: String,
    ) -> Result<(Upload, Intake), Failure> {
        let (upload, before) = self.catalog.look(|view| both_of(view, id))?;
        if before.clone().handing_over(self.now(), way, &place)? == before {
            return Ok((upload, before));
        }
        let now = self.now();
        self.catalog.decide(Box::new(move |view| {
            let (upload, before) = both_of(view, id)?;
            let after = before.clone().handing_over(now, way, &place)?;
            let decision = Decision::new(now, event(Happening::UploadHandOverBegun, who, &upload, way.word()));
            Ok(put_intake(decision, Some(&before), after))
        }))?;
        self.catalog.look(|view| both_of(view, id))
    }

    fn end_hand_over(&self, id: UploadId, who: Who, file: String) -> Result<(), Failure> {
        let (now, desk) = (self.now(), self.desk());
        self.catalog.decide(Box::new(move |view| {
            let (upload, before) = both_of(view, id)?;
            let after = before.clone().collected(now, desk.cleared_at(now))?;
            let decision = Decision::new(now, event(Happening::UploadCollected, who, &upload, &format!("as {file}")));
            Ok(put_intake(decision, Some(&before), after))
        }))?;
        Ok(())
    }

    /// What is handed over, and the digest that it must have: the file itself, or what only the back office opens.
    pub(super) fn what_is_handed_over(
        &self,
        upload: &Upload,
    ) -> Result<(Arc<dyn PayloadReader>, Option<Digest>), Failure> {
        let Some(recipient) = &self.settings.intake.sealed_to else {
            return Ok((self.open_received(upload)?, upload.state.sha256()));
        };
        let (payload, key) = self.key_of_received(upload)?;
        // the payload as it lies there, with a header for the back office alone: nothing is opened here
        let header = self.keyring.header_for_recipients(std::slice::from_ref(recipient), &key)?;
        Ok((self.vault.open_sealed(payload, header)?, None))
    }

    fn copy(&self, reader: &dyn PayloadReader, expected: Option<Digest>, sink: &mut Sink<'_>) -> Result<(), Failure> {
        let (mut at, mut hash) = (0, Sha256::new());
        loop {
            if self.intake.stops.load(Ordering::Acquire) {
                return Err(Refusal::WrongState("the server stops".to_owned()).into());
            }
            let piece = reader.read_vec(at, PIECE_BYTES)?;
            if piece.is_empty() {
                break;
            }
            at = at.saturating_add(piece.len() as u64);
            hash.update(&piece);
            sink(&piece)?;
        }
        let found = Digest::new(hash.finalize().into());
        match expected {
            Some(expected) if expected != found || at != reader.size_bytes() => {
                Err(Fault::new(format!("hand a file over: it has the digest {found}, {expected} is on record")).into())
            }
            _ => Ok(()),
        }
    }
}
