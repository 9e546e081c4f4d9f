//! Throwing away what arrived of an upload that its door could not complete and cannot resume: a form of a browser.

use super::{event, put_upload, upload_of};
use crate::domain::decision::Decision;
use crate::domain::history::Happening;
use crate::domain::ids::UploadId;
use crate::domain::refusal::{Refusal, What};
use crate::domain::upload::{UploadEnd, UploadEntry, UploadState};
use crate::domain::upload_plan::UploadPlan;
use crate::operations::{Caller, Failure, Operations};

impl Operations {
    /// Removes an unfinished upload of the caller that nobody writes now. One that was received, that somebody
    /// else went on with, or whose account may not deliver any more stays as it is (J6): false.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn discard_upload(&self, caller: &Caller, id: UploadId) -> Result<bool, Failure> {
        let _turn = self.uploads.turn(id);
        if self.uploads.find(id).is_some() {
            return Ok(false);
        }
        let (now, who, login) = (self.now(), caller.who(), caller.login.clone());
        let product = self.catalog.look(|view| upload_of(view, id))?.product;
        if let Err(failure) = self.catalog.look(|view| self.may_deliver(view, caller, &product, now).map(|_| ())) {
            return match failure {
                Failure::Refused(_) => Ok(false),
                Failure::Faulted(fault) => Err(fault.into()),
            };
        }
        let decided = self.catalog.decide(Box::new(move |view| {
            let before = upload_of(view, id)?;
            if before.state != UploadState::Unfinished || before.login != login {
                return Err(Refusal::NotFound(What::File).into());
            }
            let mut after = before.clone();
            after.state = UploadState::Removed { at: now };
            let decision = Decision::new(now, event(Happening::UploadRemoved, who, &after, "it did not arrive whole"))
                .remove(UploadEntry::key_of(&after.organisation, &after.product, &after.name))
                .remove(UploadEnd::key_of(after.unfinished_until, id))
                .remove(UploadPlan::key_of(id));
            put_upload(view, decision, Some(&before), after)
        }));
        match decided {
            Ok(_) => {
                self.unfinished.remove(id)?;
                Ok(true)
            }
            Err(Failure::Refused(_)) => Ok(false),
            Err(failure) => Err(failure),
        }
    }
}
