//! Collecting by the operator's API: a file is taken under a key, read sealed to the back office as often as it takes,
//! and handed over once its digest is confirmed. Until then nobody else gets it.

use std::sync::Arc;

use super::hand_over::file_name;
use super::{both_of, put_intake};
use crate::domain::decision::Decision;
use crate::domain::digest::Digest;
use crate::domain::history::{Channel, Happening, Who};
use crate::domain::ids::UploadId;
use crate::domain::intake::{HandOverWay, Intake, IntakeState};
use crate::domain::refusal::Refusal;
use crate::domain::rights::{Act, Case, Ground, permits};
use crate::domain::upload::Upload;
use crate::operations::uploads::{event, is_held_back};
use crate::operations::{Failure, Operations};
use crate::ports::vault::PayloadReader;

/// A key under which files are collected has at most so many bytes.
const MOST_KEY_BYTES: usize = 255;

/// A collected file that is read: sealed to the key of the back office.
pub struct CollectedRead {
    operations: Arc<Operations>,
    upload: Upload,
    reader: Arc<dyn PayloadReader>,
}

impl CollectedRead {
    /// The name under which it is handed over.
    #[must_use]
    pub fn file_name(&self) -> String {
        file_name(self.upload.id, &self.upload.name, true)
    }

    /// Its size in bytes, as it is sealed.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.reader.size_bytes()
    }

    /// Fills `into` from `offset`, never short before the end.
    ///
    /// # Errors
    /// A fault of the vault.
    pub fn read(&self, offset: u64, into: &mut [u8]) -> Result<usize, Failure> {
        Ok(self.reader.read_at(offset, into)?)
    }

    /// Whether it may be read on.
    ///
    /// # Errors
    /// `WrongState` once it is not the API's any more.
    pub fn may_go_on(&self) -> Result<(), Failure> {
        let (_, intake) = self.operations.catalog.look(|view| both_of(view, self.upload.id))?;
        by_api(&intake)
    }
}

impl Operations {
    /// Takes an accepted file for whoever shows this key. Asked again with the same key it is the same; with another,
    /// or when it goes to the folder or the command line, it is refused.
    ///
    /// # Errors
    /// `NotFound`; `BadRequest` for what is no key; `WrongState` unless it is accepted, and while files would leave
    /// unsealed.
    pub fn begin_collection(&self, id: UploadId, key: &str) -> Result<(), Failure> {
        permits(Act::HandleUploads, Case::operator(Ground::None))?;
        if key.is_empty() || key.len() > MOST_KEY_BYTES || !key.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
            let why = format!("a key has 1 to {MOST_KEY_BYTES} printable ASCII characters");
            return Err(Refusal::BadRequest(why).into());
        }
        self.leaves_sealed()?;
        let _busy = self.busy_with(id)?;
        let now = self.now();
        // what was handed in by somebody who is blocked goes no further until the block is lifted (J6)
        if self.catalog.look(|view| is_held_back(view, &both_of(view, id)?.0, now))? {
            return Err(
                Refusal::WrongState(format!("upload {id} waits: its account or organisation is blocked")).into()
            );
        }
        self.begin_hand_over(id, Who::operator(Channel::Api), HandOverWay::Api, key.to_owned()).map(|_| ())
    }

    /// Opens a file that was taken so, as often as it takes.
    ///
    /// # Errors
    /// `NotFound`; `WrongState` unless it was taken by the API and is still there.
    pub fn read_collection(self: &Arc<Self>, id: UploadId) -> Result<CollectedRead, Failure> {
        permits(Act::HandleUploads, Case::operator(Ground::None))?;
        self.leaves_sealed()?;
        let (upload, intake) = self.catalog.look(|view| both_of(view, id))?;
        by_api(&intake)?;
        let (reader, _) = self.what_is_handed_over(&upload)?;
        Ok(CollectedRead { operations: Arc::clone(self), upload, reader })
    }

    /// The back office has a file that was taken so, whole: it is handed over and acknowledged. Said once more, it
    /// stays what it was. Of a file that went another way it is said that it was taken away.
    ///
    /// # Errors
    /// `NotFound`; `BadRequest` for another digest; `WrongState` for one that was not taken.
    pub fn confirm_collection(&self, id: UploadId, sha256: Digest) -> Result<(), Failure> {
        permits(Act::HandleUploads, Case::operator(Ground::None))?;
        let _busy = self.busy_with(id)?;
        let (now, desk, who) = (self.now(), self.desk(), Who::operator(Channel::Api));
        self.catalog.decide(Box::new(move |view| {
            let (upload, before) = both_of(view, id)?;
            if upload.state.sha256() != Some(sha256) {
                let why = "that is not the digest of this file: fetch it again".to_owned();
                return Err(Refusal::BadRequest(why).into());
            }
            let is_first = matches!(before.state, IntakeState::HandingOver { way: HandOverWay::Api, .. });
            if is_first {
                let file = file_name(id, &upload.name, true);
                let after = before.clone().collected(now, desk.cleared_at(now))?.acknowledged(now)?;
                let note = format!("as {file}");
                let decision = Decision::new(now, event(Happening::UploadCollected, who.clone(), &upload, &note))
                    .and(event(Happening::UploadAcknowledged, who, &upload, "by its digest"));
                return Ok(put_intake(decision, Some(&before), after));
            }
            let after = before.clone().acknowledged(now)?;
            let decision = Decision::new(now, event(Happening::UploadAcknowledged, who, &upload, "by its digest"));
            Ok(put_intake(decision, Some(&before), after))
        }))?;
        Ok(())
    }

    /// Nothing leaves in the clear by a door that everybody on this machine can reach.
    fn leaves_sealed(&self) -> Result<(), Failure> {
        if self.settings.intake.sealed_to.is_some() {
            return Ok(());
        }
        let why = "files are collected by the API only sealed: set uploads.sealed_intake to the back office's key";
        Err(Refusal::WrongState(why.to_owned()).into())
    }
}

fn by_api(intake: &Intake) -> Result<(), Failure> {
    match intake.state {
        IntakeState::HandingOver { way: HandOverWay::Api, .. }
        | IntakeState::Collected { way: HandOverWay::Api, .. } => Ok(()),
        _ => {
            Err(Refusal::WrongState(format!("upload {} was not taken by the API: collect it first", intake.upload))
                .into())
        }
    }
}
