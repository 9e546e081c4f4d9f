//! `/products/{id}/documents`: documents of a product, such as its specification (F7), their
//! metadata and their bytes.

use std::sync::Arc;

use hyper::StatusCode;
use serde_json::json;

use super::content::{Sent, send_opened};
use crate::domain::names::{FileName, ProductCode};
use crate::domain::refusal::{Refusal, What};
use crate::fronts::forms;
use crate::fronts::https::ask::Ask;
use crate::fronts::https::body::Opened;
use crate::fronts::https::reply::Reply;
use crate::operations::{Caller, Failure};

/// The documents of a product, in order of name.
pub(in crate::fronts::https) fn list(ask: &Ask, caller: &Caller) -> Result<Reply, Failure> {
    ask.query().finish()?;
    let documents = ask.site.operations.documents(caller, &product(ask)?)?;
    let documents: Vec<_> = documents.iter().map(forms::product_document).collect();
    Ok(Reply::json(StatusCode::OK, &json!({ "documents": documents })))
}

/// One of them.
pub(in crate::fronts::https) fn show(ask: &Ask, caller: &Caller) -> Result<Reply, Failure> {
    ask.query().finish()?;
    let document = ask.site.operations.document(caller, &product(ask)?, &name(ask)?)?;
    Ok(Reply::json(StatusCode::OK, &forms::product_document(&document)))
}

/// Its bytes, as those of a delivered file: whole or a range, with digests and validators.
pub(in crate::fronts::https) fn content(ask: &Ask, caller: &Caller) -> Result<Reply, Failure> {
    ask.query().finish()?;
    let read = ask.site.operations.open_document(caller, &product(ask)?, &name(ask)?)?;
    let document = read.document();
    let what = Sent {
        name: document.name.clone(),
        tag: document.sha256,
        sha256: Some(document.sha256),
        size_bytes: document.size_bytes,
        modified_seconds: document.added_at.seconds(),
        // whatever it is, a browser saves it and shows nothing of it on this site
        media_type: document.media_type(),
    };
    send_opened(ask, Opened::Document(Arc::new(read)), &what)
}

fn product(ask: &Ask) -> Result<ProductCode, Failure> {
    ProductCode::parse(ask.segment(0)).map_err(|_| Refusal::NotFound(What::Product).into())
}

fn name(ask: &Ask) -> Result<FileName, Failure> {
    FileName::parse(ask.segment(1)).map_err(|_| Refusal::NotFound(What::File).into())
}
