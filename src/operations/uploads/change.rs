//! What is changed of an upload by its name: removing, renaming, time of last change, size.

use super::super::intake::{Reception, may_be_replaced};
use super::super::{Caller, Failure, Operations, locked};
use super::complete::{Renaming, rename, unfinished};
use super::{event, put_two, put_upload, upload_named, upload_of};
use crate::domain::decision::Decision;
use crate::domain::history::Happening;
use crate::domain::names::{ProductCode, UploadName};
use crate::domain::refusal::{Refusal, What};
use crate::domain::upload::{Upload, UploadEnd, UploadEntry, UploadState};
use crate::domain::upload_plan::UploadPlan;

const REMOVED: &str = "the file was removed";

impl Operations {
    /// Removes an unfinished upload of the caller, or withdraws a received one that was not handed over.
    ///
    /// # Errors
    /// `NotFound`; `NotAllowed` for another account's; `WrongState` for one that the back office has, or that was
    /// judged already.
    pub fn remove_upload(&self, caller: &Caller, product: &ProductCode, name: &UploadName) -> Result<(), Failure> {
        let upload = self.own_upload(caller, product, name)?;
        let id = upload.id;
        if let UploadState::Received { .. } = upload.state {
            return self.withdraw_received(caller.who(), id);
        }
        let _turn = self.uploads.turn(id);
        let (now, who) = (self.now(), caller.who());
        self.catalog.decide(Box::new(move |view| {
            let before = unfinished(view, id)?;
            let mut after = before.clone();
            after.state = UploadState::Removed { at: now };
            let decision = Decision::new(now, event(Happening::UploadRemoved, who, &after, ""))
                .remove(UploadEntry::key_of(&after.organisation, &after.product, &after.name))
                .remove(UploadEnd::key_of(after.unfinished_until, id))
                .remove(UploadPlan::key_of(id));
            put_upload(view, decision, Some(&before), after)
        }))?;
        self.end_live(&upload, REMOVED);
        Ok(self.unfinished.remove(id)?)
    }

    /// Gives an unfinished upload of the caller another name in the same folder. From a temporary name to a
    /// final one it is complete with that, unless it is still open: then its close completes it. With `replace`
    /// an upload of the caller that bears the name goes: an unfinished one, or, when this one is complete with it, a
    /// received one that was not handed over.
    ///
    /// # Errors
    /// `NotFound`; `Exists` for a name that is taken; `NotAllowed` for another account's; `WrongState` for a
    /// received one that cannot be replaced any more, or one that misses a part.
    pub fn rename_upload(
        &self,
        caller: &Caller,
        product: &ProductCode,
        from: &UploadName,
        to: &UploadName,
        replace: bool,
    ) -> Result<(), Failure> {
        let upload = self.own_upload(caller, product, from)?;
        let there = self.catalog.look(|view| upload_named(view, caller.recipient(), product, to))?;
        let there = there.filter(|there| there.id != upload.id);
        if let Some(there) = &there {
            self.may_replace(caller, there, replace)?;
        }
        let _turn = self.uploads.turn(upload.id);
        let upload = self.catalog.look(|view| unfinished(view, upload.id))?;
        let renaming = Renaming { to: to.clone(), replaced: there.as_ref().map(|there| there.id) };
        let is_open = self.uploads.find(upload.id).is_some();
        if from.is_temporary() && !to.is_temporary() && !is_open {
            let live = self.live_or_resumed(caller, &upload)?;
            self.complete(caller, &upload, &live, (Reception::Declared, Some(renaming)))?;
        } else {
            if let Some(there) = there.as_ref().filter(|there| matches!(there.state, UploadState::Received { .. })) {
                return Err(received(there));
            }
            let (now, who, id, replaced) = (self.now(), caller.who(), upload.id, renaming.replaced);
            let desk = self.desk();
            self.catalog.decide(Box::new(move |view| {
                let before = unfinished(view, id)?;
                let mut after = before.clone();
                after.name = renaming.to.clone();
                let decision = Decision::new(now, event(Happening::UploadPaused, who.clone(), &before, "renamed"));
                let (decision, gone) = rename(view, decision, &desk, (&who, now), &before, renaming)?;
                put_two(view, decision, (&before, after), gone)
            }))?;
            self.forget_replaced(replaced)?;
        }
        if let Some(there) = there {
            self.end_live(&there, REMOVED);
            if matches!(there.state, UploadState::Received { .. }) {
                self.sweep_doomed()?;
            }
        }
        Ok(())
    }

    /// Sets the time of last change of an upload of the caller, received or not, in seconds since 1970.
    ///
    /// # Errors
    /// `NotFound`; `NotAllowed` for another account's.
    pub fn set_upload_mtime(
        &self,
        caller: &Caller,
        product: &ProductCode,
        name: &UploadName,
        seconds: u32,
    ) -> Result<(), Failure> {
        let upload = self.own_upload(caller, product, name)?;
        if let Some(live) = self.uploads.find(upload.id) {
            locked(&live.shown).mtime_seconds = Some(seconds);
            return Ok(());
        }
        if upload.mtime_seconds == Some(seconds) {
            return Ok(());
        }
        let (now, who, id) = (self.now(), caller.who(), upload.id);
        self.catalog.decide(Box::new(move |view| {
            let before = upload_of(view, id)?;
            let mut after = before.clone();
            after.mtime_seconds = Some(seconds);
            let decision = Decision::new(now, event(Happening::UploadDated, who, &after, ""));
            put_upload(view, decision, Some(&before), after)
        }))?;
        Ok(())
    }

    /// Makes an unfinished upload of the caller so long; it stays unfinished. A received one keeps its size.
    ///
    /// # Errors
    /// `NotFound`; `NotAllowed` for another account's; `WrongState` for a received one; as a write.
    pub fn set_upload_size(
        self: &std::sync::Arc<Self>,
        caller: &Caller,
        product: &ProductCode,
        name: &UploadName,
        size_bytes: u64,
    ) -> Result<(), Failure> {
        let upload = self.own_upload(caller, product, name)?;
        if upload.state != UploadState::Unfinished {
            return if upload.size_bytes == size_bytes { Ok(()) } else { Err(received(&upload)) };
        }
        let opened = self.open_upload(caller, product, name, super::UploadMode::default())?;
        let sized = opened.set_size(size_bytes);
        // not closed: a size alone completes nothing
        opened.abandon().and(sized)
    }

    /// The upload of this name, if the caller may deliver there and uploads it.
    fn own_upload(&self, caller: &Caller, product: &ProductCode, name: &UploadName) -> Result<Upload, Failure> {
        let upload = self.upload_entry(caller, product, name)?.upload;
        if upload.login != caller.login {
            return Err(Refusal::NotAllowed("another account of the organisation uploads this file").into());
        }
        Ok(upload)
    }

    pub(super) fn may_replace(&self, caller: &Caller, there: &Upload, replace: bool) -> Result<(), Failure> {
        match there.state {
            UploadState::Unfinished if !replace => Err(Refusal::Exists(What::File, there.name.to_string()).into()),
            UploadState::Unfinished if there.login != caller.login => {
                Err(Refusal::NotAllowed("another account of the organisation uploads this file").into())
            }
            UploadState::Unfinished => Ok(()),
            UploadState::Received { .. } if replace => {
                if there.login != caller.login {
                    return Err(Refusal::NotAllowed("another account of the organisation uploaded this file").into());
                }
                Ok(self.catalog.look(|view| may_be_replaced(view, there))?)
            }
            UploadState::Received { .. } => Err(received(there)),
            UploadState::Removed { .. } | UploadState::Expired { .. } => {
                Err(Refusal::Exists(What::File, there.name.to_string()).into())
            }
        }
    }

    /// Ends writing of an upload that is gone.
    pub(super) fn end_live(&self, upload: &Upload, why: &'static str) {
        if let Some(live) = self.uploads.find(upload.id) {
            live.end(why);
            self.uploads.remove(upload, &live, || self.recorded_shares(upload).ok());
        }
    }
}

fn received(upload: &Upload) -> Failure {
    Refusal::WrongState(format!("{} was received already and cannot be changed: use another name", upload.name)).into()
}
