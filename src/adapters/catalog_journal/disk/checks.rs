//! Disk form of the last number of an organisation's participant files. Field order is the form.

use super::struct_form;
use crate::domain::check_sequence::UploadSequence;
use crate::domain::ids::UploadId;
use crate::domain::names::{OrganisationCode, ProductCode};

struct_form! {
    UploadSequenceV1 = UploadSequence {
        organisation: OrganisationCode,
        product: ProductCode,
        last: u64,
        upload: UploadId,
        before: Option<u64>,
    }
}
