//! Disk form of what was said of an upload before its bytes came. Field order is the form.

use super::struct_form;
use crate::domain::digest::Digest;
use crate::domain::ids::UploadId;
use crate::domain::names::{Line, UploadName};
use crate::domain::upload_plan::UploadPlan;

struct_form! {
    UploadPlanV1 = UploadPlan {
        upload: UploadId,
        takes: Option<UploadName>,
        size_bytes: Option<u64>,
        sha256: Option<Digest>,
        media_type: Option<Line>,
        metadata: String,
        asked: Option<Digest>,
    }
}
