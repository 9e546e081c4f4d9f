//! What the uploads of an organisation for one product take together, whoever of its accounts brings them, and what an
//! operator lets them take. Reads no clock, stores nothing.

use super::names::{OrganisationCode, ProductCode};
use super::record::{Key, Row};
use super::upload::Upload;

/// What the uploads in one folder of a drop-box take, as of their last close or interruption.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FolderSums {
    /// Whose drop-box.
    pub organisation: OrganisationCode,
    /// Which folder of it.
    pub product: ProductCode,
    /// Bytes of those that are unfinished or received and not yet gone.
    pub bytes: u64,
}

/// What the operator lets each organisation take for one product, instead of what the configuration says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UploadQuota {
    /// The product.
    pub product: ProductCode,
    /// Bytes of all uploads of one organisation for it.
    pub bytes: u64,
}

impl FolderSums {
    /// Nothing yet.
    #[must_use]
    pub const fn none(organisation: OrganisationCode, product: ProductCode) -> Self {
        Self { organisation, product, bytes: 0 }
    }

    /// The sums when an upload of the folder that was as `before` is as `after`.
    #[must_use]
    pub fn after(mut self, before: Option<&Upload>, after: &Upload) -> Self {
        let part = |upload: &Upload| if upload.takes_room() { upload.size_bytes } else { 0 };
        self.bytes = self.bytes.saturating_add(part(after)).saturating_sub(before.map_or(0, part));
        self
    }

    /// The key of the sums of one folder.
    #[must_use]
    pub fn key_of(organisation: &OrganisationCode, product: &ProductCode) -> Key {
        Key::of(Self::KIND).text(organisation.as_str()).text(product.as_str())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.organisation, &self.product)
    }
}

impl UploadQuota {
    /// The key of what was set for one product.
    #[must_use]
    pub fn key_of(product: &ProductCode) -> Key {
        Key::of(Self::KIND).text(product.as_str())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.product)
    }
}
