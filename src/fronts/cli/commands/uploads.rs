//! Commands about participant files: looking at them.

use super::Office;
use crate::domain::ids::UploadId;
use crate::domain::names::{OrganisationCode, ProductCode};
use crate::fronts::cli::{Answer, args};
use crate::fronts::forms;
use crate::operations::{Failure, UploadFilter};

pub(super) fn upload(office: &Office, command: args::Upload) -> Result<Answer, Failure> {
    let operations = &office.operations;
    match command {
        args::Upload::List { organisation, product, after } => {
            let filter = UploadFilter {
                organisation: organisation.as_deref().map(OrganisationCode::parse).transpose()?,
                product: product.as_deref().map(ProductCode::parse).transpose()?,
                after: after.as_deref().map(UploadId::parse).transpose()?,
                limit: usize::MAX,
            };
            let rows = operations.all_uploads(&filter)?;
            let columns = ["id", "organisation", "product", "name", "state", "sizeBytes", "changedAt"];
            Ok(Answer::list(rows.iter().map(forms::upload).collect(), &columns))
        }
        args::Upload::Show { id } => Ok(Answer::one(forms::upload(&operations.any_upload(UploadId::parse(&id)?)?))),
    }
}
