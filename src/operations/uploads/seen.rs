//! Uploads as the people of an organisation look at them: those that are on their way and those that were received,
//! the newest first, each with who uploaded it for whom (D6, 4.4-2, 4.5-8). Who may see them is decided where robots
//! ask for them.

use super::backwards::Backwards;
use super::browse::UploadView;
use super::upload_of;
use crate::domain::account::Account;
use crate::domain::ids::UploadId;
use crate::domain::intake::Intake;
use crate::domain::moment::Moment;
use crate::domain::names::{Line, OrganisationCode, ProductCode};
use crate::domain::organisation::Organisation;
use crate::domain::product::Product;
use crate::domain::refusal::{Refusal, What};
use crate::domain::upload::{UploadEntry, UploadState};
use crate::domain::upload_stage::UploadStage;
use crate::operations::{Caller, Failure, Operations, ReceiptView};
use crate::ports::catalog::CatalogView;

/// One look passes at most so many received uploads; it is gone on from the last of them.
const MOST_PASSED: usize = 10_000;

/// Which uploads people want to see.
#[derive(Clone, Debug, Default)]
pub struct SeenFilter {
    /// Only of this product.
    pub product: Option<ProductCode>,
    /// Only those that came so far.
    pub stage: Option<UploadStage>,
    /// Only what was received before this one.
    pub before: Option<UploadId>,
    /// At most so many received ones; bounded by `limits.max_page_size`.
    pub limit: usize,
}

/// What was found of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SeenUploads {
    /// The newest first; those that are on their way before those that were received.
    pub uploads: Vec<SeenUpload>,
    /// There may be more, before this one.
    pub next: Option<UploadId>,
}

/// An upload and what became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SeenUpload {
    /// The upload as it is now.
    pub view: UploadView,
    /// What became of it, once it was received.
    pub intake: Option<Intake>,
    /// Name of the product.
    pub product_name: Line,
    /// The organisation whose account uploaded it, with its name.
    pub by: (OrganisationCode, Line),
    /// The organisation that it is for, with its name.
    pub of: (OrganisationCode, Line),
}

impl SeenUpload {
    /// How far it came.
    #[must_use]
    pub fn stage(&self) -> UploadStage {
        UploadStage::of(self.intake.as_ref())
    }

    /// Whether somebody uploaded it for another organisation than their own.
    #[must_use]
    pub fn is_on_behalf(&self) -> bool {
        self.by.0 != self.of.0
    }
}

/// One upload, as far as the caller may see and change it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OneUpload {
    /// The upload.
    pub seen: SeenUpload,
    /// Its papers, once it was received.
    pub receipt: Option<ReceiptView>,
    /// The caller may take it back now: it is its own, and was not handed over.
    pub may_take_back: bool,
    /// And another file can take its place under its name.
    pub may_replace: bool,
}

impl Operations {
    /// Uploads of whom the caller is there for, of the products that the caller is coupled to.
    ///
    /// # Errors
    /// `NotFound` when `before` is not one of them; a fault of the store.
    pub fn seen_uploads(&self, caller: &Caller, filter: &SeenFilter) -> Result<SeenUploads, Failure> {
        let before = filter.before.map(|id| self.seen_up_to(caller, id)).transpose()?;
        let mut found = SeenUploads { uploads: Vec::new(), next: None };
        let wants = |stage: UploadStage| filter.stage.is_none_or(|wanted| wanted == stage);
        if before.is_none() && wants(UploadStage::Receiving) {
            found.uploads = self.on_their_way(caller, filter.product.as_ref())?;
        }
        if filter.stage == Some(UploadStage::Receiving) {
            return Ok(found);
        }
        let products = self.receipt_products(caller)?;
        let is_wanted = |code: &ProductCode| {
            filter.product.as_ref().is_none_or(|wanted| wanted == code)
                && products.iter().any(|product| product.code == *code)
        };
        let (now, limit) = (self.now(), filter.limit.clamp(1, self.settings.max_page));
        found.next = self.catalog.look(|view| {
            let (mut passed, mut taken, mut last) = (0, 0, None);
            let mut backwards = Backwards::new(view, caller.recipient(), before, now)?;
            loop {
                let entries = backwards.next(view)?;
                if entries.is_empty() {
                    return Ok(None);
                }
                for entry in entries {
                    if taken == limit || passed == MOST_PASSED {
                        return Ok(last);
                    }
                    passed += 1;
                    last = Some(entry.upload);
                    let upload = upload_of(view, entry.upload)?;
                    let Some(intake) = view.row::<Intake>(&Intake::key_of(entry.upload))? else { continue };
                    if is_wanted(&upload.product) && wants(UploadStage::of(Some(&intake))) {
                        taken += 1;
                        let upload = UploadView { upload, is_open: false };
                        found.uploads.push(seen(view, upload, Some(intake))?);
                    }
                }
            }
        })?;
        Ok(found)
    }

    /// Where a page ended. That may be at an upload that the caller does not see: of another product.
    fn seen_up_to(&self, caller: &Caller, id: UploadId) -> Result<(Moment, UploadId), Failure> {
        self.catalog.look(|view| {
            let upload = upload_of(view, id)?;
            let intake =
                view.row::<Intake>(&Intake::key_of(id))?.filter(|_| upload.organisation == *caller.recipient());
            Ok((intake.ok_or(Refusal::NotFound(What::File))?.received_at, id))
        })
    }

    /// One upload of whom the caller is there for: with its papers when it was received.
    ///
    /// # Errors
    /// `NotFound` when it is not there or not for the caller.
    pub fn seen_upload(&self, caller: &Caller, id: UploadId) -> Result<OneUpload, Failure> {
        let not_found = || Failure::from(Refusal::NotFound(What::File));
        let now = self.now();
        let upload = self.catalog.look(|view| upload_of(view, id))?;
        if upload.organisation != *caller.recipient() {
            return Err(not_found());
        }
        let may_deliver = self.catalog.look(|view| self.may_deliver(view, caller, &upload.product, now).map(|_| ()));
        if upload.state == UploadState::Unfinished {
            return match may_deliver {
                Ok(()) => {
                    let view = self.view_upload(id)?;
                    let may_take_back = view.upload.login == caller.login;
                    let seen = self.catalog.look(|catalog| seen(catalog, view, None))?;
                    Ok(OneUpload { seen, receipt: None, may_take_back, may_replace: false })
                }
                Err(Failure::Refused(Refusal::NotFound(_) | Refusal::NotAllowed(_))) => Err(not_found()),
                Err(failure) => Err(failure),
            };
        }
        let receipt = self.own_receipt(caller, id)?;
        let is_own = receipt.upload.login == caller.login;
        let may_take_back = is_own && receipt.intake.may_be_taken_back() && may_deliver.is_ok();
        let view = UploadView { upload: receipt.upload.clone(), is_open: false };
        let seen = self.catalog.look(|catalog| seen(catalog, view, Some(receipt.intake.clone())))?;
        // its name is free again once it is not shown any more: then nothing can be replaced by that
        let key = UploadEntry::key_of(&receipt.upload.organisation, &receipt.upload.product, &receipt.upload.name);
        let named = self.catalog.look(|catalog| Ok(catalog.row::<UploadEntry>(&key)?))?;
        let may_replace = may_take_back && named.is_some_and(|entry| entry.upload == id);
        Ok(OneUpload { seen, receipt: Some(receipt), may_take_back, may_replace })
    }

    /// Uploads that are not whole yet, of the products that the caller may upload for.
    fn on_their_way(&self, caller: &Caller, product: Option<&ProductCode>) -> Result<Vec<SeenUpload>, Failure> {
        let views = self.unfinished_of(caller, product, None)?;
        self.catalog.look(|catalog| views.into_iter().map(|view| seen(catalog, view, None)).collect())
    }
}

pub(super) fn seen(view: &dyn CatalogView, upload: UploadView, intake: Option<Intake>) -> Result<SeenUpload, Failure> {
    let row = &upload.upload;
    let account = view.row::<Account>(&Account::key_of(&row.login))?;
    let by = account.map_or_else(|| row.organisation.clone(), |account| account.organisation);
    let product = view.row::<Product>(&Product::key_of(&row.product))?;
    let product_name = product.map_or_else(|| Line::parse(row.product.as_str()).ok(), |product| Some(product.name));
    let product_name = product_name.ok_or(Refusal::NotFound(What::Product))?;
    let (by, of) = ((by.clone(), named(view, &by)?), (row.organisation.clone(), named(view, &row.organisation)?));
    Ok(SeenUpload { view: upload, intake, product_name, by, of })
}

fn named(view: &dyn CatalogView, code: &OrganisationCode) -> Result<Line, Failure> {
    let organisation = view.row::<Organisation>(&Organisation::key_of(code))?;
    organisation.map(|organisation| organisation.name).ok_or_else(|| Refusal::NotFound(What::Organisation).into())
}
