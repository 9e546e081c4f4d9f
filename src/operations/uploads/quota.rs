//! How much room uploads have: of one account, and of one organisation for one product. Counts by the record; what
//! open uploads take beyond it, `live` knows.

use super::super::{Caller, Failure, Operations};
use super::browse::UploadRoom;
use super::sums_of;
use crate::domain::names::{OrganisationCode, ProductCode, UploadName};
use crate::domain::record::Row;
use crate::domain::refusal::Refusal;
use crate::domain::upload::Upload;
use crate::domain::upload_share::{FolderSums, UploadQuota};
use crate::ports::catalog::CatalogView;

/// Uploads are looked through so many at a time.
const PAGE: usize = 1_000;

/// What is on record of a room, and what it may hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Share {
    pub(super) used_bytes: u64,
    pub(super) most_bytes: u64,
}

/// The two rooms that an upload takes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Shares {
    pub(super) account: Share,
    pub(super) folder: Share,
}

/// Which room is full.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Full {
    /// That of the account, which holds so many bytes.
    Account(u64),
    /// That of the organisation for the product.
    Folder(u64),
}

impl Full {
    /// What is said to who brings more.
    pub(super) fn refusal(self, product: &ProductCode, name: &UploadName) -> Refusal {
        Refusal::TooMuch(match self {
            Self::Account(most) => {
                format!("the uploads of this account may take {most} bytes together: {name} does not fit")
            }
            Self::Folder(most) => format!(
                "the uploads of this organisation for {product} may take {most} bytes together: {name} does not fit"
            ),
        })
    }
}

impl Share {
    const fn left_bytes(self) -> u64 {
        self.most_bytes.saturating_sub(self.used_bytes)
    }
}

impl Shares {
    /// Which of the rooms does not hold so many bytes more.
    pub(super) const fn full(self, more_bytes: u64) -> Option<Full> {
        if more_bytes > self.account.left_bytes() {
            Some(Full::Account(self.account.most_bytes))
        } else if more_bytes > self.folder.left_bytes() {
            Some(Full::Folder(self.folder.most_bytes))
        } else {
            None
        }
    }
}

impl Operations {
    /// What the uploads of the caller take, and what they may, where it delivers for this product: of the account or
    /// of the organisation, whichever leaves less.
    ///
    /// # Errors
    /// `NotFound` for a product that the caller may not know; a fault of the store.
    pub fn upload_room_for(&self, caller: &Caller, product: &ProductCode) -> Result<UploadRoom, Failure> {
        let (now, room) = (self.now(), self.upload_room(caller)?);
        self.catalog.look(|view| self.may_deliver(view, caller, product, now))?;
        let folder = self.shares_now(caller, product)?.folder;
        if folder.left_bytes() >= room.most_bytes.saturating_sub(room.used_bytes) {
            return Ok(room);
        }
        Ok(UploadRoom { used_bytes: folder.used_bytes, most_bytes: folder.most_bytes, ..room })
    }

    /// Both rooms with what open uploads take.
    pub(super) fn shares_now(&self, caller: &Caller, product: &ProductCode) -> Result<Shares, Failure> {
        let (room, recipient) = (self.upload_room(caller)?, caller.recipient());
        let mut folder = self.catalog.look(|view| self.folder_share(view, recipient, product))?;
        folder.used_bytes = folder.used_bytes.saturating_add(self.uploads.growing_in_folder(recipient, product));
        Ok(Shares { account: Share { used_bytes: room.used_bytes, most_bytes: room.most_bytes }, folder })
    }

    /// Both rooms of an upload by the record.
    pub(super) fn recorded_shares(&self, upload: &Upload) -> Result<Shares, Failure> {
        self.catalog.look(|view| {
            let most_bytes = self.settings.uploads.max_account_bytes;
            let account = Share { used_bytes: sums_of(view, upload)?.bytes, most_bytes };
            Ok(Shares { account, folder: self.folder_share(view, &upload.organisation, &upload.product)? })
        })
    }

    fn folder_share(
        &self,
        view: &dyn CatalogView,
        organisation: &OrganisationCode,
        product: &ProductCode,
    ) -> Result<Share, Failure> {
        let set = view.row::<UploadQuota>(&UploadQuota::key_of(product))?;
        Ok(Share {
            used_bytes: folder_sums_of(view, organisation, product)?.bytes,
            most_bytes: set.map_or(self.settings.uploads.max_product_bytes, |quota| quota.bytes),
        })
    }

    /// Bytes that the uploads of one organisation for a product may take, where the operator set them for it.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn upload_quota(&self, product: &ProductCode) -> Result<Option<u64>, Failure> {
        let set = self.catalog.look(|view| Ok(view.row::<UploadQuota>(&UploadQuota::key_of(product))?))?;
        Ok(set.map(|quota| quota.bytes))
    }
}

/// What the uploads in one folder take. The first time they are counted: a catalog of before this was kept has no
/// sums of them.
pub(super) fn folder_sums_of(
    view: &dyn CatalogView,
    organisation: &OrganisationCode,
    product: &ProductCode,
) -> Result<FolderSums, Failure> {
    if let Some(sums) = view.row::<FolderSums>(&FolderSums::key_of(organisation, product))? {
        return Ok(sums);
    }
    let mut sums = FolderSums::none(organisation.clone(), product.clone());
    let mut after = None;
    loop {
        let page = view.rows::<Upload>(&Upload::all(), after.as_ref(), PAGE)?;
        let Some(last) = page.last() else { return Ok(sums) };
        after = Some(Upload::key_of(last.id));
        for upload in page.iter().filter(|row| row.organisation == *organisation && row.product == *product) {
            sums = sums.after(None, upload);
        }
    }
}
