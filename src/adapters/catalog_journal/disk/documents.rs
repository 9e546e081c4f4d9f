//! Disk form of documents of products (F7). Field order is the form.

use super::struct_form;
use crate::domain::digest::Digest;
use crate::domain::ids::PayloadId;
use crate::domain::moment::Moment;
use crate::domain::names::{FileName, Line, ProductCode};
use crate::domain::product_document::ProductDocument;

struct_form! {
    ProductDocumentV1 = ProductDocument {
        product: ProductCode,
        name: FileName,
        version: Option<Line>,
        size_bytes: u64,
        sha256: Digest,
        payload: PayloadId,
        added_at: Moment,
    }
}
