//! What is seen of uploads: by accounts that may deliver there, and by the operator.

use std::sync::{Arc, Mutex};

use super::super::{Caller, Failure, Operations, locked};
use super::handle::{Receiving, Use};
use super::{accepting, refuse_quarantined, upload_named, upload_of};
use crate::domain::ids::UploadId;
use crate::domain::names::{LoginName, OrganisationCode, ProductCode, UploadName};
use crate::domain::product::Product;
use crate::domain::record::Row;
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::{Act, Case, Ground, Right, permits};
use crate::domain::upload::{Upload, UploadEntry, UploadState, UploadSums};

/// One account has at most so many rights that are looked at.
const MOST_RIGHTS: usize = 100_000;

/// Uploads are looked through so many at a time.
const PAGE: usize = 1_000;

/// An upload as it is now: with what an open one has got since it was opened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UploadView {
    /// The upload.
    pub upload: Upload,
    /// Somebody is writing it.
    pub is_open: bool,
}

/// Which uploads are asked for.
#[derive(Clone, Debug, Default)]
pub struct UploadFilter {
    /// Only of this organisation.
    pub organisation: Option<OrganisationCode>,
    /// Only of this product.
    pub product: Option<ProductCode>,
    /// Only those after this one, in the order of the list.
    pub after: Option<UploadId>,
    /// At most so many; bounded by `limits.max_page_size`.
    pub limit: usize,
}

/// What the uploads of an account take, and what they may.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UploadRoom {
    /// Bytes that they take.
    pub used_bytes: u64,
    /// Bytes that they may take.
    pub most_bytes: u64,
    /// Unfinished uploads.
    pub unfinished: u64,
    /// Unfinished uploads that there may be.
    pub most_unfinished: u64,
}

impl Operations {
    /// The products for which the caller may upload, in order of code.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn dropbox_products(&self, caller: &Caller) -> Result<Vec<Product>, Failure> {
        let now = self.now();
        self.catalog.look(|view| {
            let prefix = Right::keys_of(&caller.login, Some(caller.recipient()));
            let mut products = Vec::new();
            for right in view.rows::<Right>(&prefix, None, MOST_RIGHTS)? {
                match self.may_deliver(view, caller, &right.product, now) {
                    Ok(product) => products.push(product),
                    Err(Failure::Refused(Refusal::NotFound(_))) => {}
                    // the folder stays, and says why nothing can be done in it
                    Err(Failure::Refused(Refusal::ServiceEnded(_))) => {
                        products.extend(accepting(view, &right.product)?)
                    }
                    Err(failure) => return Err(failure),
                }
            }
            Ok(products)
        })
    }

    /// One page of a drop-box folder in order of name: unfinished uploads, and received ones while they are shown.
    ///
    /// # Errors
    /// `NotFound` for a folder that the caller may not know; a fault of the store.
    pub fn upload_page(
        &self,
        caller: &Caller,
        product: &ProductCode,
        after: Option<&UploadName>,
        limit: usize,
    ) -> Result<Vec<UploadView>, Failure> {
        let (now, organisation) = (self.now(), caller.recipient());
        let uploads = self.catalog.look(|view| {
            self.may_deliver(view, caller, product, now)?;
            let after = after.map(|name| UploadEntry::key_of(organisation, product, name));
            let prefix = UploadEntry::keys_of(organisation, product);
            let entries = view.rows::<UploadEntry>(&prefix, after.as_ref(), limit)?;
            entries.iter().map(|entry| upload_of(view, entry.upload)).collect::<Result<Vec<_>, _>>()
        })?;
        Ok(uploads.into_iter().map(|upload| self.as_it_is(upload)).collect())
    }

    /// One name in a drop-box folder.
    ///
    /// # Errors
    /// `NotFound` when it is not there or not for the caller.
    pub fn upload_entry(
        &self,
        caller: &Caller,
        product: &ProductCode,
        name: &UploadName,
    ) -> Result<UploadView, Failure> {
        let now = self.now();
        let upload = self.catalog.look(|view| {
            self.may_deliver(view, caller, product, now)?;
            upload_named(view, caller.recipient(), product, name)
        })?;
        let upload = upload.filter(|upload| upload.name == *name).ok_or(Refusal::NotFound(What::File))?;
        Ok(self.as_it_is(upload))
    }

    /// Opens a name for reading. Nothing of the disk is touched before the first read.
    ///
    /// # Errors
    /// As `upload_entry`.
    pub fn read_upload(
        self: &Arc<Self>,
        caller: &Caller,
        product: &ProductCode,
        name: &UploadName,
    ) -> Result<Receiving, Failure> {
        let (now, version) = (self.now(), self.catalog.version());
        let view = self.upload_entry(caller, product, name)?;
        self.catalog.look(|catalog| refuse_quarantined(catalog, &view.upload, now))?;
        Ok(Receiving::new(self, caller, view.upload, Use::Read(Mutex::default()), version))
    }

    /// What the uploads of the caller take, and what they may.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn upload_room(&self, caller: &Caller) -> Result<UploadRoom, Failure> {
        let sums = self.catalog.look(|view| Ok(view.row::<UploadSums>(&UploadSums::key_of(&caller.login))?))?;
        let sums = sums.unwrap_or_else(|| UploadSums::none(caller.login.clone()));
        let settings = &self.settings.uploads;
        Ok(UploadRoom {
            used_bytes: sums.bytes.saturating_add(self.growing(&caller.login)),
            most_bytes: settings.max_account_bytes,
            unfinished: sums.unfinished,
            most_unfinished: settings.max_unfinished,
        })
    }

    /// Uploads in order of id, for the operator.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn all_uploads(&self, filter: &UploadFilter) -> Result<Vec<UploadView>, Failure> {
        permits(Act::ReadDeliveries, Case::operator(Ground::None))?;
        let limit = filter.limit.clamp(1, self.settings.max_page);
        let found = self.catalog.look(|view| {
            let mut found = Vec::new();
            let mut after = filter.after.map(Upload::key_of);
            loop {
                let page = view.rows::<Upload>(&Upload::all(), after.as_ref(), PAGE)?;
                let Some(last) = page.last() else { return Ok(found) };
                after = Some(Upload::key_of(last.id));
                for upload in page {
                    let is_asked = filter.organisation.as_ref().is_none_or(|code| *code == upload.organisation)
                        && filter.product.as_ref().is_none_or(|code| *code == upload.product);
                    if is_asked {
                        found.push(upload);
                    }
                    if found.len() == limit {
                        return Ok(found);
                    }
                }
            }
        })?;
        Ok(found.into_iter().map(|upload| self.as_it_is(upload)).collect())
    }

    /// One upload, for the operator.
    ///
    /// # Errors
    /// `NotFound` when it does not exist.
    pub fn any_upload(&self, id: UploadId) -> Result<UploadView, Failure> {
        permits(Act::ReadDeliveries, Case::operator(Ground::None))?;
        self.view_upload(id)
    }

    pub(super) fn view_upload(&self, id: UploadId) -> Result<UploadView, Failure> {
        let upload = self.catalog.look(|view| upload_of(view, id))?;
        Ok(self.as_it_is(upload))
    }

    fn growing(&self, login: &LoginName) -> u64 {
        self.uploads.growing_bytes(login)
    }

    pub(super) fn as_it_is(&self, mut upload: Upload) -> UploadView {
        let live = self.uploads.find(upload.id).filter(|_| upload.state == UploadState::Unfinished);
        if let Some(live) = &live {
            let shown = *locked(&live.shown);
            upload.size_bytes = live.size_bytes();
            upload.changed_at = shown.changed_at;
            upload.mtime_seconds = shown.mtime_seconds;
        }
        UploadView { upload, is_open: live.is_some() }
    }
}
