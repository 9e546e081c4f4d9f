//! `POST /participant-files`: announces a participant file; its content follows with `PUT`. With `Idempotency-Key`
//! the same request once more is the same file, not another.

use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderName, LOCATION};
use serde::Deserialize;

use crate::domain::digest::Digest;
use crate::domain::names::{Line, ProductCode, UploadName};
use crate::domain::refusal::Refusal;
use crate::fronts::https::ask::Ask;
use crate::fronts::https::reply::{KEY_REUSED, Reply, TOO_LARGE};
use crate::fronts::intake_forms;
use crate::operations::{Announcement, Caller, Failure, NewUpload};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What is said of a file, as it comes in.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wanted {
    product: String,
    file_name: String,
    size: Option<u64>,
    content_type: Option<String>,
    sha256: Option<String>,
    #[serde(default)]
    replace: bool,
}

/// Announces a participant file: 201 with its address.
pub(in crate::fronts::https) fn announce(ask: &Ask, caller: &Caller) -> Result<Reply, Failure> {
    ask.query().finish()?;
    let media_type = ask.header(CONTENT_TYPE).unwrap_or_default();
    if !media_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        return Err(Refusal::BadRequest("send JSON with Content-Type: application/json".to_owned()).into());
    }
    let wanted: Wanted = serde_json::from_slice(&ask.content)
        .map_err(|error| Refusal::BadRequest(format!("the JSON is not as described: {error}")))?;
    let key = match (ask.headers.contains_key(&IDEMPOTENCY_KEY), ask.header(&IDEMPOTENCY_KEY)) {
        (true, None) => return Err(Refusal::BadRequest("Idempotency-Key is one text".to_owned()).into()),
        (_, key) => key.map(str::to_owned),
    };
    let new = new_upload(wanted, key)?;
    let most = ask.site.operations.most_upload_bytes();
    if new.size_bytes.is_some_and(|size| size > most) {
        return Ok(Reply::problem(TOO_LARGE, &format!("a file has at most {most} bytes")));
    }
    let announced = match ask.site.operations.announce_upload(caller, &new)? {
        Announcement::Made(announced) => announced,
        Announcement::KeyReused => {
            return Ok(Reply::problem(KEY_REUSED, "this Idempotency-Key was used for another request"));
        }
    };
    let base = ask.api_base();
    let place = format!("{base}/participant-files/{}", announced.view.upload.id);
    Ok(Reply::json(StatusCode::CREATED, &intake_forms::announced(&announced, &base)).with_text(LOCATION, &place))
}

/// All that is wrong is told at once.
fn new_upload(wanted: Wanted, key: Option<String>) -> Result<NewUpload, Failure> {
    let product = ProductCode::parse(&wanted.product);
    let name = UploadName::parse(&wanted.file_name);
    let sha256 = wanted.sha256.as_deref().map(Digest::parse).transpose();
    let media_type = wanted.content_type.as_deref().map(Line::parse).transpose();
    match (product, name, sha256, media_type) {
        (Ok(product), Ok(name), Ok(sha256), Ok(media_type)) => Ok(NewUpload {
            product,
            name,
            size_bytes: wanted.size,
            sha256,
            media_type,
            metadata: String::new(),
            replaces: wanted.replace,
            key,
        }),
        (product, name, sha256, media_type) => {
            let faults = [product.err(), name.err(), sha256.err(), media_type.err()];
            let faults: Vec<String> = faults.into_iter().flatten().map(|fault| fault.to_string()).collect();
            Err(Refusal::BadRequest(faults.join("; ")).into())
        }
    }
}
