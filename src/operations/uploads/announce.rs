//! Uploads that are announced before their bytes come, and known by their id: at the API and as resumable uploads.
//! The rules are those of every upload; what was said before is held against what comes.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::super::{Caller, Failure, Operations};
use super::browse::UploadView;
use super::complete::Renaming;
use super::handle::{Receiving, Use};
use super::open::Beginning;
use super::{upload_named, upload_of};
use crate::domain::digest::Digest;
use crate::domain::ids::UploadId;
use crate::domain::names::{Line, ProductCode, UploadName};
use crate::domain::refusal::{Refusal, What};
use crate::domain::upload::{Upload, UploadState};
use crate::domain::upload_plan::{MOST_METADATA_BYTES, UploadPlan};

/// A key to repeat a request with has at most so many bytes.
const MOST_KEY_BYTES: usize = 255;

/// An upload that is announced.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewUpload {
    /// For which product.
    pub product: ProductCode,
    /// Under which name.
    pub name: UploadName,
    /// Its size in bytes, when it is known.
    pub size_bytes: Option<u64>,
    /// SHA-256 of its bytes, when it is known.
    pub sha256: Option<Digest>,
    /// Its media type.
    pub media_type: Option<Line>,
    /// What a tus client says of it, as it says it.
    pub metadata: String,
    /// It takes the place of the caller's upload of this name, once it is complete.
    pub replaces: bool,
    /// What the same request is known by when it is repeated.
    pub key: Option<String>,
}

/// An upload and what was said of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Announced {
    /// The upload as it is now.
    pub view: UploadView,
    /// What was said of it; `None` for one that came by SFTP.
    pub plan: Option<UploadPlan>,
}

impl Announced {
    /// The name that it has when it is complete.
    #[must_use]
    pub fn name(&self) -> &UploadName {
        self.plan.as_ref().and_then(|plan| plan.takes.as_ref()).unwrap_or(&self.view.upload.name)
    }

    /// Its size in bytes when it is complete: as it was said, or as it came.
    #[must_use]
    pub fn whole_bytes(&self) -> Option<u64> {
        match self.view.upload.state {
            UploadState::Received { .. } => Some(self.view.upload.size_bytes),
            UploadState::Unfinished | UploadState::Removed { .. } | UploadState::Expired { .. } => {
                self.plan.as_ref().and_then(|plan| plan.size_bytes)
            }
        }
    }
}

/// Whether an announcement made an upload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Announcement {
    /// It did, now or when the same was asked before.
    Made(Box<Announced>),
    /// The key was used for something else before.
    KeyReused,
}

/// Where an upload is gone on with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UploadFrom {
    /// At its first byte: what came before is thrown away.
    Beginning,
    /// At this byte, which must be its end.
    Offset(u64),
}

impl Operations {
    /// Bytes that one upload may have.
    #[must_use]
    pub const fn most_upload_bytes(&self) -> u64 {
        self.settings.uploads.max_file_bytes
    }

    /// Announces an upload: it is unfinished and empty, under its name, or under a temporary one when it is to take
    /// the place of another.
    ///
    /// # Errors
    /// `NotFound` for a product that the caller may not know; `BadRequest` for a name that no finished file has;
    /// `Exists` for one that is taken; `WrongState` when what bears it can no longer be replaced; `TooMuch`, `NoSpace`.
    pub fn announce_upload(&self, caller: &Caller, new: &NewUpload) -> Result<Announcement, Failure> {
        let announced = self.announce(caller, new);
        if let Err(Failure::Refused(
            refusal @ (Refusal::TooMuch(_) | Refusal::WrongState(_) | Refusal::Exists(..) | Refusal::BadRequest(_)),
        )) = &announced
        {
            self.record_refused_upload(caller, &new.product, new.name.as_str(), refusal);
        }
        announced
    }

    fn announce(&self, caller: &Caller, new: &NewUpload) -> Result<Announcement, Failure> {
        let now = self.now();
        let there = self.catalog.look(|view| {
            self.may_deliver(view, caller, &new.product, now)?;
            upload_named(view, caller.recipient(), &new.product, &new.name)
        })?;
        check(new)?;
        let (id, asked) = match &new.key {
            Some(key) => (id_of(caller, key)?, Some(digest_of(new))),
            None => (UploadId::from_random(self.entropy.sixteen()), None),
        };
        let _turn = self.uploads.turn(id);
        if let Some(known) = self.catalog.look(|view| known(view, id))? {
            let is_same = known.1.as_ref().is_none_or(|plan| plan.asked == asked);
            let view = self.view_upload(id)?;
            let made = Announced { view, plan: known.1 };
            return Ok(if is_same { Announcement::Made(Box::new(made)) } else { Announcement::KeyReused });
        }
        self.has_room_for(caller, new)?;
        let mut plan = UploadPlan {
            size_bytes: new.size_bytes,
            sha256: new.sha256,
            media_type: new.media_type.clone(),
            metadata: new.metadata.clone(),
            asked,
            ..UploadPlan::new(id)
        };
        let mut name = new.name.clone();
        if let Some(there) = there {
            if !new.replaces {
                return Err(Refusal::Exists(What::File, there.name.to_string()).into());
            }
            self.may_replace(caller, &there, true)?;
            plan.takes = Some(name);
            name = UploadName::parse(&format!(".{id}.part"))?;
        }
        let beginning = Beginning { product: &new.product, name: &name, id, plan: Some(plan.clone()) };
        let (upload, live) = self.begin_upload(caller, beginning, now)?;
        // it waits for its bytes: nobody has it open
        self.pause(caller.who(), upload.id, &live, "announced")?;
        let view = self.view_upload(id)?;
        Ok(Announcement::Made(Box::new(Announced { view, plan: Some(plan) })))
    }

    fn has_room_for(&self, caller: &Caller, new: &NewUpload) -> Result<(), Failure> {
        let Some(size_bytes) = new.size_bytes else { return Ok(()) };
        let most = self.settings.uploads.max_file_bytes;
        if size_bytes > most {
            let why = format!("an upload may have {most} bytes: {} is larger", new.name);
            return Err(Refusal::TooMuch(why).into());
        }
        if let Some(full) = self.shares_now(caller, &new.product)?.full(size_bytes) {
            return Err(full.refusal(&new.product, &new.name).into());
        }
        Ok(())
    }

    /// An upload of the caller's organisation that the caller may deliver beside, finished or not.
    ///
    /// # Errors
    /// `NotFound` when it is not there or not for the caller.
    pub fn announced(&self, caller: &Caller, id: UploadId) -> Result<Announced, Failure> {
        let now = self.now();
        let plan = self.catalog.look(|view| {
            let not_found = || Failure::from(Refusal::NotFound(What::File));
            let (upload, plan) = known(view, id)?.ok_or_else(not_found)?;
            if upload.organisation != *caller.recipient() {
                return Err(not_found());
            }
            match self.may_deliver(view, caller, &upload.product, now) {
                Ok(_) => Ok(plan),
                Err(Failure::Refused(Refusal::NotFound(_))) => Err(not_found()),
                Err(failure) => Err(failure),
            }
        })?;
        Ok(Announced { view: self.view_upload(id)?, plan })
    }

    /// The same where only the caller's own are asked for: those of colleagues are not there.
    ///
    /// # Errors
    /// As `announced`.
    pub fn own_announced(&self, caller: &Caller, id: UploadId) -> Result<Announced, Failure> {
        let announced = self.announced(caller, id)?;
        if announced.view.upload.login != caller.login {
            return Err(Refusal::NotFound(What::File).into());
        }
        Ok(announced)
    }

    /// Opens an upload of the caller for writing. One that another connection has open is taken over when that stands
    /// still at the same byte: it is a client that lost its connection. One that is being written elsewhere is not.
    ///
    /// # Errors
    /// As `announced`; `NotAllowed` for a colleague's; `WrongState` for one that was received or whose end is at
    /// another byte.
    pub fn open_announced(
        self: &Arc<Self>,
        caller: &Caller,
        id: UploadId,
        from: UploadFrom,
    ) -> Result<Receiving, Failure> {
        let (now, version) = (self.now(), self.catalog.version());
        let upload = self.announced(caller, id)?.view.upload;
        if upload.login != caller.login {
            return Err(Refusal::NotAllowed("another account of the organisation uploads this file").into());
        }
        let _turn = self.uploads.turn(id);
        let upload = self.catalog.look(|view| super::complete::unfinished(view, id))?;
        if let UploadFrom::Offset(offset) = from {
            let end = match self.uploads.find(id) {
                Some(live) => live.end_at(offset, TAKEN_OVER),
                None => upload.size_bytes,
            };
            if end != offset {
                return Err(elsewhere(&upload, end));
            }
        }
        let (upload, live) = self.go_on(caller, id, from == UploadFrom::Beginning, now)?;
        Ok(Receiving::new(self, caller, upload, Use::Write { live, append: None }, version))
    }

    /// Takes back an upload of the caller: an unfinished one goes, a received one is withdrawn while it was not handed
    /// over.
    ///
    /// # Errors
    /// As `announced`; `NotAllowed` for a colleague's; `WrongState`.
    pub fn take_back_upload(&self, caller: &Caller, id: UploadId) -> Result<(), Failure> {
        let upload = match self.announced(caller, id) {
            Ok(announced) => announced.view.upload,
            // who may no longer deliver may still read what came: there it is said why nothing is done
            Err(Failure::Refused(_)) => return self.withdraw_upload(caller, id),
            Err(failure) => return Err(failure),
        };
        match upload.state {
            UploadState::Unfinished => self.remove_upload(caller, &upload.product, &upload.name),
            UploadState::Received { .. } | UploadState::Expired { .. } => self.withdraw_upload(caller, id),
            UploadState::Removed { .. } => Err(Refusal::NotFound(What::File).into()),
        }
    }

    /// The name that an upload takes from another with its completion, and that one.
    pub(super) fn taking(&self, caller: &Caller, upload: &Upload) -> Result<Option<Renaming>, Failure> {
        let (plan, there) = self.catalog.look(|view| {
            let plan = view.row::<UploadPlan>(&UploadPlan::key_of(upload.id))?;
            let takes = plan.and_then(|plan| plan.takes);
            let there = match &takes {
                Some(name) => upload_named(view, &upload.organisation, &upload.product, name)?,
                None => None,
            };
            Ok((takes, there))
        })?;
        let Some(to) = plan else { return Ok(None) };
        if let Some(there) = &there {
            self.may_replace(caller, there, true)?;
        }
        Ok(Some(Renaming { to, replaced: there.map(|there| there.id) }))
    }
}

const TAKEN_OVER: &str = "the file was opened again by another connection";

/// What is said to who goes on elsewhere than at the end.
fn elsewhere(upload: &Upload, end: u64) -> Failure {
    Refusal::WrongState(format!("{} has {end} bytes: go on from there", upload.name)).into()
}

fn known(
    view: &dyn crate::ports::catalog::CatalogView,
    id: UploadId,
) -> Result<Option<(Upload, Option<UploadPlan>)>, Failure> {
    match upload_of(view, id) {
        Ok(upload) => Ok(Some((upload, view.row::<UploadPlan>(&UploadPlan::key_of(id))?))),
        Err(Failure::Refused(Refusal::NotFound(_))) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// What cannot become a file whatever its bytes are.
fn check(new: &NewUpload) -> Result<(), Failure> {
    if new.name.is_temporary() {
        let why =
            format!("{} is a name of a file that is still being written: send the name that it has then", new.name);
        return Err(Refusal::BadRequest(why).into());
    }
    if new.name.marks().is_some() {
        let why = format!("{} is the name of a marker, which is not needed here and no file has", new.name);
        return Err(Refusal::BadRequest(why).into());
    }
    if new.metadata.len() > MOST_METADATA_BYTES {
        let why = format!("what is said of a file has at most {MOST_METADATA_BYTES} bytes");
        return Err(Refusal::BadRequest(why).into());
    }
    Ok(())
}

/// The id of an upload that is announced with a key: the same for the same account, client and key, and for nobody
/// else. Ids are no secrets.
fn id_of(caller: &Caller, key: &str) -> Result<UploadId, Failure> {
    if key.is_empty() || key.len() > MOST_KEY_BYTES || !key.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        let why = format!("a key to repeat a request with has 1 to {MOST_KEY_BYTES} printable ASCII characters");
        return Err(Refusal::BadRequest(why).into());
    }
    let digest = hashed(&["postkluis upload", caller.login.as_str(), caller.recipient().as_str(), key]);
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(digest.as_bytes()).for_each(|(byte, from)| *byte = *from);
    Ok(UploadId::from_random(bytes))
}

/// What an announcement says, in one digest.
fn digest_of(new: &NewUpload) -> Digest {
    let text = |part: Option<String>| part.unwrap_or_default();
    hashed(&[
        new.product.as_str(),
        new.name.as_str(),
        &text(new.size_bytes.map(|size| size.to_string())),
        &text(new.sha256.map(|sha256| sha256.to_string())),
        new.media_type.as_ref().map_or("", Line::as_str),
        &new.metadata,
        if new.replaces { "replaces" } else { "" },
    ])
}

/// Texts in order, each with its length before it.
fn hashed(parts: &[&str]) -> Digest {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    Digest::new(hash.finalize().into())
}
