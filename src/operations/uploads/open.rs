//! Opening a name in the drop-box: a new upload, one that goes on, or the marker of one.

use std::sync::Arc;

use super::super::intake::{may_go_on, unregister};
use super::super::{Caller, Failure, Operations};
use super::handle::{Append, Receiving, Use};
use super::live::{Live, Phase};
use super::{event, put_slot, put_upload, sums_of, upload_named, upload_of};
use crate::domain::decision::Decision;
use crate::domain::delivery::Payload;
use crate::domain::history::Happening;
use crate::domain::ids::UploadId;
use crate::domain::moment::Moment;
use crate::domain::names::{ProductCode, UploadName};
use crate::domain::record::DoomedPayload;
use crate::domain::refusal::{Refusal, What};
use crate::domain::retention::ShredSlot;
use crate::domain::upload::{ReceivedStage, Upload, UploadEnd, UploadEntry, UploadHeader, UploadState};
use crate::domain::upload_plan::UploadPlan;
use crate::ports::catalog::CatalogView;

/// How a name is opened for writing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct UploadMode {
    /// Every write goes to the end.
    pub append: bool,
    /// A name that is not there is begun.
    pub create: bool,
    /// What is there is thrown away.
    pub truncate: bool,
    /// A name that is there is refused.
    pub exclusive: bool,
}

/// A name that is begun.
pub(super) struct Beginning<'a> {
    pub(super) product: &'a ProductCode,
    pub(super) name: &'a UploadName,
    pub(super) id: UploadId,
    /// What was said of it before.
    pub(super) plan: Option<UploadPlan>,
}

impl Operations {
    /// Opens a name for writing. An upload that another connection of the same account has open is taken over:
    /// that is a client that lost its connection and comes back before the server noticed.
    ///
    /// # Errors
    /// `NotFound` for a folder that the caller may not know; `WrongState` for a received upload that can no
    /// longer be resumed; `Exists` for a name that differs by case alone; `TooMuch` beyond a bound.
    pub fn open_upload(
        self: &Arc<Self>,
        caller: &Caller,
        product: &ProductCode,
        name: &UploadName,
        mode: UploadMode,
    ) -> Result<Receiving, Failure> {
        let opened = self.open_named(caller, product, name, mode);
        if let Err(Failure::Refused(refusal @ (Refusal::TooMuch(_) | Refusal::WrongState(_) | Refusal::Exists(..)))) =
            &opened
        {
            self.record_refused_upload(caller, product, name.as_str(), refusal);
        }
        opened
    }

    /// Puts on record that a name was refused before it could become one.
    pub fn refuse_upload_name(&self, caller: &Caller, product: &ProductCode, name: &str, why: &str) {
        self.record_refused_upload(caller, product, name, &Refusal::BadRequest(why.to_owned()));
    }

    fn open_named(
        self: &Arc<Self>,
        caller: &Caller,
        product: &ProductCode,
        name: &UploadName,
        mode: UploadMode,
    ) -> Result<Receiving, Failure> {
        let now = self.now();
        let version = self.catalog.version();
        let organisation = caller.recipient();
        let (there, marked) = self.catalog.look(|view| {
            self.may_deliver(view, caller, product, now)?;
            let there = upload_named(view, organisation, product, name)?;
            let marked = match name.marks() {
                Some(marked) if there.is_none() => upload_named(view, organisation, product, &marked)?,
                _ => None,
            };
            Ok((there, marked))
        })?;
        let Some(there) = there else {
            if !mode.create {
                return Err(Refusal::NotFound(What::File).into());
            }
            if let Some(marked) = marked.filter(|marked| marked.login == caller.login) {
                return Ok(Receiving::new(self, caller, marked, Use::Mark, version));
            }
            let (upload, live) = {
                let id = UploadId::from_random(self.entropy.sixteen());
                self.begin_upload(caller, Beginning { product, name, id, plan: None }, now)?
            };
            let append = mode.append.then(|| Append::new(false));
            return Ok(Receiving::new(self, caller, upload, Use::Write { live, append }, version));
        };
        if there.name != *name {
            let why =
                format!("{} is there already, and names may not differ by upper and lower case alone", there.name);
            return Err(Refusal::WrongState(why).into());
        }
        if mode.create && mode.exclusive {
            return Err(Refusal::Exists(What::File, name.to_string()).into());
        }
        let _turn = self.uploads.turn(there.id);
        let append = mode.append.then(|| Append::new(self.uploads.find(there.id).is_some()));
        let (upload, live) = self.go_on(caller, there.id, mode.truncate, now)?;
        Ok(Receiving::new(self, caller, upload, Use::Write { live, append }, version))
    }

    pub(super) fn begin_upload(
        &self,
        caller: &Caller,
        Beginning { product, name, id, plan }: Beginning<'_>,
        now: Moment,
    ) -> Result<(Upload, Arc<Live>), Failure> {
        let unfinished_until = self.clock.midnight_closing(now.after(self.settings.uploads.unfinished_kept));
        let upload = Upload {
            id,
            organisation: caller.recipient().clone(),
            product: product.clone(),
            name: name.clone(),
            login: caller.login.clone(),
            begun_at: now,
            changed_at: now,
            mtime_seconds: None,
            size_bytes: 0,
            unfinished_until,
            slot: ShredSlot::of_day(unfinished_until),
            state: UploadState::Unfinished,
        };
        self.keyring.ensure_organisation(&upload.organisation)?;
        self.keyring.ensure_slot(&upload.slot)?;
        let file = self.unfinished.begin(upload.id, self.part_keys(&upload), self.settings.uploads.limits())?;
        let (row, who, most) = (upload.clone(), caller.who(), self.settings.uploads.max_unfinished);
        let decided = self.catalog.decide(Box::new(move |view| {
            if let Some(there) = upload_named(view, &row.organisation, &row.product, &row.name)? {
                return Err(Refusal::Exists(What::File, there.name.to_string()).into());
            }
            if sums_of(view, &row)?.unfinished >= most {
                let why = format!("{most} uploads of this account are unfinished: finish or remove some first");
                return Err(Refusal::TooMuch(why).into());
            }
            let event = event(Happening::UploadStarted, who, &row, "").with_until(row.unfinished_until);
            let mut decision = put_slot(view, Decision::new(now, event), &row.slot)?
                .put(UploadEntry {
                    organisation: row.organisation.clone(),
                    product: row.product.clone(),
                    name: row.name.clone(),
                    upload: row.id,
                })
                .put(UploadEnd { at: row.unfinished_until, upload: row.id });
            if let Some(plan) = plan {
                decision = decision.put(plan);
            }
            put_upload(view, decision, None, row)
        }));
        if let Err(failure) = decided {
            // One that may be on record all the same stays; a start finds out.
            if !matches!(&failure, Failure::Faulted(fault) if fault.outcome_unknown()) {
                self.unfinished.remove(upload.id)?;
            }
            return Err(failure);
        }
        let live = self.note_live(&upload, file, true)?;
        Ok((upload, live))
    }

    /// Opens an upload again. The caller of this holds its turn.
    pub(super) fn go_on(
        &self,
        caller: &Caller,
        id: UploadId,
        truncate: bool,
        now: Moment,
    ) -> Result<(Upload, Arc<Live>), Failure> {
        let upload = self.catalog.look(|view| upload_of(view, id))?;
        self.may_go_on(caller, &upload, truncate, now)?;
        let mut shown_bytes = upload.size_bytes;
        if let Some(live) = self.uploads.find(id) {
            live.end("the file was opened again by another connection");
            shown_bytes = live.size_bytes();
            self.uploads.remove(&upload, &live, || None);
        }
        let limits = self.settings.uploads.limits();
        let is_received = upload.state != UploadState::Unfinished;
        let is_there = self.unfinished.size_bytes(id)?.is_some();
        let is_free = !is_received || self.catalog.look(|view| may_go_on(view, id))?;
        if is_received && !(is_there && is_free) {
            return Err(Refusal::WrongState(format!("{} was received already: use another name", upload.name)).into());
        }
        let file = if truncate || !is_there {
            self.unfinished.remove(id)?;
            self.unfinished.begin(id, self.part_keys(&upload), limits)?
        } else {
            self.unfinished.resume(id, self.part_keys(&upload), limits)?
        };
        let (who, size_bytes) = (caller.who(), file.size_bytes());
        if !truncate && size_bytes != shown_bytes {
            file.abandon();
            return Err(self.refuse_unlike_shown(&upload, size_bytes));
        }
        let settings = self.settings.uploads.clone();
        let resumed = self.catalog.decide(Box::new(move |view| {
            let before = upload_of(view, id)?;
            let mut after = before.clone();
            after.size_bytes = size_bytes;
            after.state = UploadState::Unfinished;
            let note = if truncate { "from the beginning" } else { "" };
            let mut decision = Decision::new(now, event(Happening::UploadResumed, who, &after, note));
            match before.state {
                UploadState::Unfinished => {}
                UploadState::Received { at, payload, .. } => {
                    decision = unregister(view, decision, &before)?;
                    decision = unreceive(view, decision, id, payload)?
                        .remove(UploadEnd::key_of(at.after(settings.resume_grace), id))
                        .put(UploadEnd { at: after.unfinished_until, upload: id });
                }
                UploadState::Removed { .. } | UploadState::Expired { .. } => {
                    return Err(Refusal::NotFound(What::File).into());
                }
            }
            put_upload(view, decision, Some(&before), after)
        }));
        if let Err(failure) = resumed {
            file.abandon();
            return Err(failure);
        }
        let upload = self.catalog.look(|view| upload_of(view, id))?;
        let live = self.note_live(&upload, file, truncate)?;
        Ok((upload, live))
    }

    /// A disk that failed or was full kept less, or more, than a client was shown: one that goes on from what it saw
    /// would leave out a piece or send it twice. It is refused once, and sees the true size from then on.
    fn refuse_unlike_shown(&self, upload: &Upload, size_bytes: u64) -> Failure {
        if upload.state == UploadState::Unfinished
            && let Err(failure) = self.record_size(upload)
        {
            return failure;
        }
        let why = format!("{} has {size_bytes} bytes: look at its size again and go on from there", upload.name);
        Refusal::WrongState(why).into()
    }

    fn may_go_on(&self, caller: &Caller, upload: &Upload, truncate: bool, now: Moment) -> Result<(), Failure> {
        if upload.login != caller.login {
            return Err(Refusal::NotAllowed("another account of the organisation uploads this file").into());
        }
        match &upload.state {
            UploadState::Unfinished if now < upload.unfinished_until => Ok(()),
            UploadState::Unfinished => Err(Refusal::WrongState(format!(
                "{} was unfinished for too long and is being removed: use another name",
                upload.name
            ))
            .into()),
            UploadState::Received { at, stage: ReceivedStage::Resumable, .. }
                if !truncate && now < at.after(self.settings.uploads.resume_grace) && now < upload.unfinished_until =>
            {
                Ok(())
            }
            UploadState::Received { .. } => {
                Err(Refusal::WrongState(format!("{} was received already: use another name", upload.name)).into())
            }
            UploadState::Removed { .. } | UploadState::Expired { .. } => Err(Refusal::NotFound(What::File).into()),
        }
    }

    fn note_live(
        &self,
        upload: &Upload,
        file: Arc<dyn crate::ports::unfinished::UnfinishedFile>,
        touched: bool,
    ) -> Result<Arc<Live>, Failure> {
        self.uploads.add(upload, || self.recorded_shares(upload), file, touched)
    }
}

/// The payload of an upload that is resumed goes; its parts are still there.
fn unreceive(
    view: &dyn CatalogView,
    decision: Decision,
    upload: UploadId,
    payload: crate::domain::ids::PayloadId,
) -> Result<Decision, Failure> {
    let mut decision = decision.remove(UploadHeader::key_of(upload));
    if let Some(mut row) = view.row::<Payload>(&Payload::key_of(payload))? {
        row.headers = 0;
        decision = decision.put(row).put(DoomedPayload { payload });
    }
    Ok(decision)
}

impl Phase {
    /// Whether it may be written.
    pub(super) fn check(self) -> Result<(), Failure> {
        match self {
            Self::Open { .. } => Ok(()),
            Self::Over(why) => Err(Refusal::WrongState(why.to_owned()).into()),
        }
    }
}
