//! Uploads as the office looks at them: of all organisations or one, the newest first, each with who uploaded it for
//! whom. Nobody of the office reads what is in them.

use std::collections::BTreeMap;

use super::browse::UploadView;
use super::seen::{SeenUploads, seen};
use super::upload_of;
use crate::domain::account::Account;
use crate::domain::ids::UploadId;
use crate::domain::intake::Intake;
use crate::domain::intake_rows::IntakeEntry;
use crate::domain::moment::Moment;
use crate::domain::names::{OrganisationCode, ProductCode};
use crate::domain::record::{Key, Row};
use crate::domain::refusal::Refusal;
use crate::domain::rights::Act;
use crate::domain::upload::{Upload, UploadEntry, UploadState};
use crate::domain::upload_stage::UploadStage;
use crate::operations::{Failure, Officer, Operations, SeenUpload};
use crate::ports::catalog::CatalogView;

/// Rows that are read at once.
const PAGE: usize = 1_000;

/// One look passes at most so many uploads: a year of eight hundred files each workday.
const MOST_PASSED: usize = 200_000;

/// Which uploads the office wants to see.
#[derive(Clone, Debug, Default)]
pub struct UploadWish {
    /// Only those for this organisation.
    pub organisation: Option<OrganisationCode>,
    /// Only those that this organisation's accounts uploaded.
    pub by: Option<OrganisationCode>,
    /// Only of this product.
    pub product: Option<ProductCode>,
    /// Only those that came so far.
    pub stage: Option<UploadStage>,
    /// Only those older than this one.
    pub before: Option<UploadId>,
    /// At most so many; bounded by `limits.max_page_size`.
    pub limit: usize,
}

/// When an upload came, or began when it is still coming; and which.
type Place = (Moment, UploadId);

impl Operations {
    /// Uploads for the office: by when they were received, or begun while they are not yet.
    ///
    /// # Errors
    /// `NotAllowed`; `NotFound` when `before` is no upload; `TooMuch` where there are more than can be looked through.
    pub fn wished_uploads(&self, wish: &UploadWish, by: impl Into<Officer>) -> Result<SeenUploads, Failure> {
        self.acting(by, Act::ReadDeliveries)?;
        let limit = wish.limit.clamp(1, self.settings.max_page);
        let newest = self.catalog.look(|view| {
            let before = wish.before.map(|id| place_of(view, id)).transpose()?;
            let mut newest = Newest { before, limit, found: BTreeMap::new() };
            match wish.stage {
                Some(UploadStage::Receiving) => unfinished(view, wish, &mut newest)?,
                None => {
                    unfinished(view, wish, &mut newest)?;
                    received(view, wish, &mut newest)?;
                }
                Some(_) => received(view, wish, &mut newest)?,
            }
            Ok(newest)
        })?;
        let is_full = newest.found.len() == limit;
        let found: Vec<_> = newest.found.into_iter().rev().collect();
        let next = found.last().filter(|_| is_full).map(|((_, id), _)| *id);
        let found = found.into_iter().map(|(_, (upload, intake))| (self.as_it_is(upload), intake));
        let found: Vec<(UploadView, Option<Intake>)> = found.collect();
        let uploads = self
            .catalog
            .look(|catalog| found.into_iter().map(|(upload, intake)| seen(catalog, upload, intake)).collect())?;
        Ok(SeenUploads { uploads, next })
    }

    /// One upload for the office, with what became of it.
    ///
    /// # Errors
    /// `NotAllowed`; `NotFound`.
    pub fn wished_upload(&self, id: UploadId, by: impl Into<Officer>) -> Result<SeenUpload, Failure> {
        self.acting(by, Act::ReadDeliveries)?;
        let upload = self.view_upload(id)?;
        self.catalog.look(|view| {
            let intake = view.row::<Intake>(&Intake::key_of(id))?;
            seen(view, upload, intake)
        })
    }
}

/// The newest of what is offered.
struct Newest {
    before: Option<Place>,
    limit: usize,
    found: BTreeMap<Place, (Upload, Option<Intake>)>,
}

impl Newest {
    /// Whether this one would be among them.
    fn takes(&self, place: Place) -> bool {
        self.before.is_none_or(|before| place < before)
            && (self.found.len() < self.limit
                || self.found.first_key_value().is_some_and(|(oldest, _)| *oldest < place))
    }

    fn take(&mut self, place: Place, upload: Upload, intake: Option<Intake>) {
        self.found.insert(place, (upload, intake));
        if self.found.len() > self.limit {
            self.found.pop_first();
        }
    }
}

fn place_of(view: &dyn CatalogView, id: UploadId) -> Result<Place, Failure> {
    let intake = view.row::<Intake>(&Intake::key_of(id))?;
    let at = match intake {
        Some(intake) => intake.received_at,
        None => upload_of(view, id)?.begun_at,
    };
    Ok((at, id))
}

fn received(view: &dyn CatalogView, wish: &UploadWish, newest: &mut Newest) -> Result<(), Failure> {
    let prefix = wish.organisation.as_ref().map_or_else(IntakeEntry::all, IntakeEntry::keys_of);
    each(
        view,
        &prefix,
        |entry: &IntakeEntry| IntakeEntry::key_of(&entry.organisation, entry.received_at, entry.upload),
        |entry| {
            let place = (entry.received_at, entry.upload);
            // most are older than what was found already: nothing more of them is read
            if !newest.takes(place) {
                return Ok(());
            }
            let upload = upload_of(view, entry.upload)?;
            let Some(intake) = view.row::<Intake>(&Intake::key_of(entry.upload))? else { return Ok(()) };
            if wish.stage.is_none_or(|stage| stage == UploadStage::of(Some(&intake))) && is_wanted(view, wish, &upload)?
            {
                newest.take(place, upload, Some(intake));
            }
            Ok(())
        },
    )
}

fn unfinished(view: &dyn CatalogView, wish: &UploadWish, newest: &mut Newest) -> Result<(), Failure> {
    let prefix = match (&wish.organisation, &wish.product) {
        (Some(organisation), Some(product)) => UploadEntry::keys_of(organisation, product),
        (Some(_), None) | (None, _) => UploadEntry::all(),
    };
    each(
        view,
        &prefix,
        |entry: &UploadEntry| UploadEntry::key_of(&entry.organisation, &entry.product, &entry.name),
        |entry| {
            let upload = upload_of(view, entry.upload)?;
            let place = (upload.begun_at, upload.id);
            if upload.state == UploadState::Unfinished && newest.takes(place) && is_wanted(view, wish, &upload)? {
                newest.take(place, upload, None);
            }
            Ok(())
        },
    )
}

fn is_wanted(view: &dyn CatalogView, wish: &UploadWish, upload: &Upload) -> Result<bool, Failure> {
    if wish.product.as_ref().is_some_and(|product| *product != upload.product)
        || wish.organisation.as_ref().is_some_and(|organisation| *organisation != upload.organisation)
    {
        return Ok(false);
    }
    let Some(by) = &wish.by else { return Ok(true) };
    let account = view.row::<Account>(&Account::key_of(&upload.login))?;
    Ok(account.is_some_and(|account| account.organisation == *by))
}

/// Every row below a prefix, a page at a time.
fn each<R: Row>(
    view: &dyn CatalogView,
    prefix: &Key,
    key_of: impl Fn(&R) -> Key,
    mut look: impl FnMut(R) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (mut passed, mut after) = (0, None);
    loop {
        let page = view.rows::<R>(prefix, after.as_ref(), PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(key_of(last));
        let is_last = page.len() < PAGE;
        passed += page.len();
        for row in page {
            look(row)?;
        }
        if is_last {
            return Ok(());
        }
        if passed >= MOST_PASSED {
            return Err(
                Refusal::TooMuch("name an organisation: there are too many uploads to look through".into()).into()
            );
        }
    }
}
