//! Documents of a product, such as its specification (F7): whoever is coupled to the product reads
//! them. A new version has a name of its own. Reads no clock.

use super::digest::Digest;
use super::ids::PayloadId;
use super::moment::Moment;
use super::names::{FileName, Line, ProductCode};
use super::record::{Key, Row};

/// A document of a product. It has no window: it is there until the operator removes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProductDocument {
    /// Of which product.
    pub product: ProductCode,
    /// Its name; unique within the product.
    pub name: FileName,
    /// Which version it is, as people name it.
    pub version: Option<Line>,
    /// Size in bytes.
    pub size_bytes: u64,
    /// SHA-256 of its content.
    pub sha256: Digest,
    /// Where its bytes lie; its file key follows from this id.
    pub payload: PayloadId,
    /// When it was added.
    pub added_at: Moment,
}

impl ProductDocument {
    /// The beginning of the keys of a product's documents, in order of name.
    #[must_use]
    pub fn keys_of(product: &ProductCode) -> Key {
        Key::of(Self::KIND).text(product.as_str())
    }

    /// The key of one document.
    #[must_use]
    pub fn key_of(product: &ProductCode, name: &FileName) -> Key {
        Self::keys_of(product).text(name.as_str())
    }

    /// What kind of file it is by its name. Nothing here is a kind that a browser runs.
    #[must_use]
    pub fn media_type(&self) -> &'static str {
        let ending = self.name.as_str().rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
        match ending.as_deref() {
            Some("pdf") => "application/pdf",
            Some("txt" | "md") => "text/plain; charset=utf-8",
            Some("csv") => "text/csv; charset=utf-8",
            Some("xml" | "xsd") => "application/xml",
            Some("json") => "application/json",
            Some("zip") => "application/zip",
            Some("docx") => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Some("xlsx") => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Some("odt") => "application/vnd.oasis.opendocument.text",
            Some("ods") => "application/vnd.oasis.opendocument.spreadsheet",
            _ => "application/octet-stream",
        }
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.product, &self.name)
    }
}
