//! The back office collects participant files by the API of the operator listener: it takes one under a key, reads it
//! sealed, confirms its digest, and says later what it made of it.

use std::sync::Arc;

use hyper::StatusCode;
use hyper::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, HeaderValue, LINK};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::digest::Digest;
use crate::domain::history::Channel;
use crate::domain::ids::UploadId;
use crate::domain::intake_rows::MOST_REPORT_BYTES;
use crate::domain::receipt::Report;
use crate::domain::refusal::{Refusal, What};
use crate::fronts::https::ask::Ask;
use crate::fronts::https::body::{Download, Opened};
use crate::fronts::https::reply::{Content, Reply};
use crate::fronts::{forms, intake_forms};
use crate::operations::{Failure, UploadFilter};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// One page looks at so many files at most, some 50 µs each; then it ends, with fewer rows and the place to go on.
const MOST_LOOKED_AT: usize = 10_000;

/// One page of participant files in order of id; with `stage` only those that came so far.
pub(in crate::fronts::https) fn list(ask: &Ask) -> Result<Reply, Failure> {
    is_of_this_machine(ask)?;
    let (limits, operations) = (&ask.site.config.limits, &ask.site.operations);
    let mut query = ask.query();
    let (product, stage) = (query.product("product"), query.word("stage"));
    let (after, limit) = (query.upload("after"), query.limit(limits.page_size, limits.max_page_size));
    query.finish()?;
    let (mut files, mut after, mut looked_at) = (Vec::new(), after, 0);
    // a page is filled, also when few of many came so far
    loop {
        let filter = UploadFilter { organisation: None, product: product.clone(), after, limit: limits.max_page_size };
        let page = operations.all_uploads(&filter)?;
        let is_last = page.len() < limits.max_page_size;
        for view in page {
            after = Some(view.upload.id);
            looked_at += 1;
            let receipt = operations.any_receipt(view.upload.id)?;
            let word = receipt.as_ref().map(|receipt| receipt.intake.state.word());
            if stage.as_deref().is_none_or(|stage| word == Some(stage)) {
                files.push(intake_forms::with_stage(forms::upload(&view), receipt.as_ref()));
            }
            if files.len() == limit || looked_at == MOST_LOOKED_AT {
                let more = [("product", product.as_ref().map(ToString::to_string)), ("stage", stage.clone())];
                let more = more.into_iter().filter_map(|(name, value)| Some(format!("&{name}={}", value?)));
                let more: String = more.collect();
                let next = format!("<{}?limit={limit}&after={}{more}>; rel=\"next\"", ask.path, view.upload.id);
                let reply = Reply::json(StatusCode::OK, &json!({ "participantFiles": files }));
                return Ok(reply.with_text(LINK, &next));
            }
        }
        if is_last {
            return Ok(Reply::json(StatusCode::OK, &json!({ "participantFiles": files })));
        }
    }
}

/// One participant file and what became of it.
pub(in crate::fronts::https) fn show(ask: &Ask) -> Result<Reply, Failure> {
    is_of_this_machine(ask)?;
    ask.query().finish()?;
    shown(ask, upload_id(ask)?)
}

/// Takes an accepted file, under the key in `Idempotency-Key`.
pub(in crate::fronts::https) fn collect(ask: &Ask) -> Result<Reply, Failure> {
    is_of_this_machine(ask)?;
    ask.query().finish()?;
    let id = upload_id(ask)?;
    let key = ask.header(&IDEMPOTENCY_KEY).unwrap_or_default();
    ask.site.operations.begin_collection(id, key)?;
    shown(ask, id)
}

/// The bytes of a file that was taken, sealed to the key of the back office.
pub(in crate::fronts::https) fn content(ask: &Ask) -> Result<Reply, Failure> {
    is_of_this_machine(ask)?;
    ask.query().finish()?;
    let read = ask.site.operations.read_collection(upload_id(ask)?)?;
    let (size, disposition) = (read.size_bytes(), format!("attachment; filename=\"{}\"", read.file_name()));
    let reply = Reply::empty(StatusCode::OK)
        .with(CONTENT_TYPE, HeaderValue::from_static("application/age"))
        .with_text(CONTENT_DISPOSITION, &disposition);
    if ask.method == hyper::Method::HEAD {
        return Ok(Reply { content: Content::Promised(size), ..reply });
    }
    let download = Download::begin(Opened::Collected(Arc::new(read)), 0, size)?;
    Ok(Reply { content: Content::Download(download), ..reply }.with(CONTENT_LENGTH, size.into()))
}

/// What is confirmed, as it comes in.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Confirmed {
    sha256: String,
}

/// The back office has the file: its digest, opened, is that on record.
pub(in crate::fronts::https) fn acknowledge(ask: &Ask) -> Result<Reply, Failure> {
    is_of_this_machine(ask)?;
    ask.query().finish()?;
    let confirmed: Confirmed = read(ask)?;
    let id = upload_id(ask)?;
    ask.site.operations.confirm_collection(id, Digest::parse(&confirmed.sha256)?)?;
    shown(ask, id)
}

/// What the back office made of a file, as it comes in.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Answered {
    accepted: bool,
    report: Option<Value>,
}

/// What the back office made of a file that it has, or whether it is to have one that waits.
pub(in crate::fronts::https) fn answer(ask: &Ask) -> Result<Reply, Failure> {
    is_of_this_machine(ask)?;
    ask.query().finish()?;
    let answered: Answered = read(ask)?;
    let report = match answered.report {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(Report::Text(text)),
        Some(value) => Some(Report::Json(value.to_string())),
    };
    if let Some(Report::Text(text) | Report::Json(text)) = &report
        && text.len() > MOST_REPORT_BYTES
    {
        return Err(Refusal::TooMuch(format!("a report has at most {MOST_REPORT_BYTES} bytes")).into());
    }
    let id = upload_id(ask)?;
    if answered.accepted {
        ask.site.operations.accept_upload(id, report, Channel::Api)?;
    } else {
        ask.site.operations.reject_upload(id, report, Channel::Api)?;
    }
    shown(ask, id)
}

fn shown(ask: &Ask, id: UploadId) -> Result<Reply, Failure> {
    let (view, receipt) = (ask.site.operations.any_upload(id)?, ask.site.operations.any_receipt(id)?);
    let form = intake_forms::with_stage(forms::upload(&view), receipt.as_ref());
    Ok(Reply::json(StatusCode::OK, &form))
}

fn upload_id(ask: &Ask) -> Result<UploadId, Failure> {
    UploadId::parse(ask.segment(0)).map_err(|_| Refusal::NotFound(What::File).into())
}

fn read<T: serde::de::DeserializeOwned>(ask: &Ask) -> Result<T, Failure> {
    let media_type = ask.header(CONTENT_TYPE).unwrap_or_default();
    if !media_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        return Err(Refusal::BadRequest("send JSON with Content-Type: application/json".to_owned()).into());
    }
    let read = serde_json::from_slice(&ask.content);
    Ok(read.map_err(|error| Refusal::BadRequest(format!("the JSON is not as described: {error}")))?)
}

/// Only by an address of this machine, or its name of old: a page that gave its own name our address (DNS rebinding)
/// asks under that name.
fn is_of_this_machine(ask: &Ask) -> Result<(), Failure> {
    let host = ask.header(HOST).or(ask.authority.as_deref()).unwrap_or_default();
    let name = if host.starts_with('[') {
        host.split_once(']').map_or("", |(address, _)| address.trim_start_matches('['))
    } else {
        host.split(':').next().unwrap_or_default()
    };
    let is_ours = name.eq_ignore_ascii_case("localhost")
        || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback());
    if is_ours { Ok(()) } else { Err(Refusal::NotAllowed("ask by the address of this machine").into()) }
}
