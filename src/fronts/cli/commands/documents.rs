//! Commands about documents of products (F7).

use std::path::Path;

use serde_json::json;

use super::Office;
use crate::domain::history::Channel;
use crate::domain::names::{FileName, Line, ProductCode};
use crate::domain::refusal::Refusal;
use crate::fronts::cli::{Answer, args};
use crate::fronts::forms;
use crate::fronts::source_file::FileSource;
use crate::operations::Failure;

const CHANNEL: Channel = Channel::CommandLine;

pub(super) fn document(office: &Office, command: args::ProductDocument, folder: &Path) -> Result<Answer, Failure> {
    let operations = &office.operations;
    match command {
        args::ProductDocument::Add { code, file, version } => {
            let product = ProductCode::parse(&code)?;
            let name = file.file_name().and_then(|name| name.to_str());
            let name = name.ok_or_else(|| Refusal::BadRequest("the file has no name that can be shown".to_owned()))?;
            let name = FileName::parse(name)?;
            let version = version.as_deref().map(Line::parse).transpose()?;
            let source = FileSource::open(&folder.join(&file))?;
            let added = operations.add_document(&product, (&name, version.as_ref()), source.as_ref(), CHANNEL)?;
            Ok(Answer::said(format!("added {name} to {code}"), forms::product_document(&added)))
        }
        args::ProductDocument::List { code } => {
            let rows = operations.all_documents(&ProductCode::parse(&code)?, CHANNEL)?;
            let columns = ["product", "fileName", "version", "contentType", "size", "sha256", "addedAt"];
            Ok(Answer::list(rows.iter().map(forms::product_document).collect(), &columns))
        }
        args::ProductDocument::Remove { code, name } => {
            operations.remove_document(&ProductCode::parse(&code)?, &FileName::parse(&name)?, CHANNEL)?;
            Ok(Answer::said(format!("removed {name} from {code}"), json!({ "product": code, "fileName": name })))
        }
    }
}
