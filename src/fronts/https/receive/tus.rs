//! `/resumable-uploads`: tus 1.0 with creation, creation-with-upload, creation-defer-length, expiration, termination
//! and checksum. A resumable upload is an upload like any other: what is begun here can be gone on with elsewhere.

use std::sync::Arc;

use data_encoding::BASE64;
use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use hyper::{Method, StatusCode};

use super::asker::TUS_RESUMABLE;
use super::digests::{self, Checksum};
use super::stream::{Broken, Held, take_in};
use super::{UPLOAD_OFFSET, asker, failed, is_plain, number, read_past, received, upload_id};
use crate::domain::digest::Digest;
use crate::domain::ids::UploadId;
use crate::domain::names::{Line, ProductCode, UploadName};
use crate::domain::refusal::{Refusal, What};
use crate::domain::upload::UploadState;
use crate::fronts::https::answer::Door;
use crate::fronts::https::ask::Ask;
use crate::fronts::https::conditions::http_date;
use crate::fronts::https::reply::{BAD_REQUEST, KEY_REUSED, Reply, TOO_LARGE, WRONG_MEDIA, WRONG_VERSION};
use crate::fronts::intake_forms;
use crate::operations::{Announced, Announcement, Caller, Failure, NewUpload, UploadFrom};

/// The version of the protocol.
const TUS_VERSION: &str = "1.0.0";

const EXTENSIONS: &str = "creation,creation-with-upload,creation-defer-length,expiration,termination,checksum";

const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
const UPLOAD_DEFER_LENGTH: HeaderName = HeaderName::from_static("upload-defer-length");
const UPLOAD_METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const UPLOAD_EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
const METHOD_OVERRIDE: HeaderName = HeaderName::from_static("x-http-method-override");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const MEDIA_TYPE: &str = "application/offset+octet-stream";

/// A handler for who brings resumable uploads.
pub(in crate::fronts::https) type Tus = fn(&Ask, &Caller) -> Result<Reply, Failure>;

/// Whether a path is of this protocol: each of its answers says so.
pub(in crate::fronts::https) fn is_tus(path: &str) -> bool {
    path.starts_with("/api/v1/") && path.contains("/resumable-uploads")
}

/// What every answer of the protocol has.
pub(in crate::fronts::https) fn with_version(reply: Reply) -> Reply {
    reply.with(TUS_RESUMABLE, HeaderValue::from_static(TUS_VERSION))
}

/// The refusal of a request of another version, or of none.
pub(in crate::fronts::https) fn version_refused(ask: &Ask) -> Option<Reply> {
    if ask.method == Method::OPTIONS || ask.header(TUS_RESUMABLE) == Some(TUS_VERSION) {
        return None;
    }
    let reply = Reply::problem(WRONG_VERSION, "send Tus-Resumable: 1.0.0");
    Some(reply.with(HeaderName::from_static("tus-version"), HeaderValue::from_static(TUS_VERSION)))
}

/// What this server can.
pub(in crate::fronts::https) fn options(ask: &Ask) -> Result<Reply, Failure> {
    let text = HeaderValue::from_static;
    Ok(Reply::empty(StatusCode::NO_CONTENT)
        .with(HeaderName::from_static("tus-version"), text(TUS_VERSION))
        .with(HeaderName::from_static("tus-extension"), text(EXTENSIONS))
        .with(HeaderName::from_static("tus-max-size"), number(ask.site.operations.most_upload_bytes()))
        .with(HeaderName::from_static("tus-checksum-algorithm"), text(digests::ALGORITHMS)))
}

/// The caller's own uploads that are not whole yet: what it can go on with, at whatever door it was begun.
pub(in crate::fronts::https) fn list(ask: &Ask, caller: &Caller) -> Result<Reply, Failure> {
    ask.query().finish()?;
    if caller.recipient() != &caller.organisation {
        ask.site.operations.client(caller, caller.recipient())?;
    }
    let (own, base) = (ask.site.operations.own_unfinished(caller)?, ask.api_base());
    let forms: Vec<_> = own.iter().map(|announced| intake_forms::announced(announced, &base)).collect();
    Ok(Reply::json(StatusCode::OK, &serde_json::json!({ "resumableUploads": forms })))
}

/// How far an upload came.
pub(in crate::fronts::https) fn show(ask: &Ask, caller: &Caller) -> Result<Reply, Failure> {
    let announced = mine(ask, caller)?;
    let reply = Reply::empty(StatusCode::OK).with(UPLOAD_OFFSET, number(announced.view.upload.size_bytes));
    let reply = match announced.whole_bytes() {
        Some(whole) => reply.with(UPLOAD_LENGTH, number(whole)),
        None => reply.with(UPLOAD_DEFER_LENGTH, HeaderValue::from_static("1")),
    };
    let metadata = announced.plan.as_ref().map(|plan| plan.metadata.as_str()).filter(|metadata| !metadata.is_empty());
    let reply = metadata.iter().fold(reply, |reply, metadata| reply.with_text(UPLOAD_METADATA, metadata));
    Ok(with_expiry(reply, &announced))
}

/// Takes an upload back.
pub(in crate::fronts::https) fn terminate(ask: &Ask, caller: &Caller) -> Result<Reply, Failure> {
    mine(ask, caller)?;
    ask.site.operations.take_back_upload(caller, upload_id(ask)?)?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// An upload of the caller that is there; any other is not.
fn mine(ask: &Ask, caller: &Caller) -> Result<Announced, Failure> {
    let announced = ask.site.operations.own_announced(caller, upload_id(ask)?)?;
    match announced.view.upload.state {
        UploadState::Unfinished | UploadState::Received { .. } => Ok(announced),
        UploadState::Removed { .. } | UploadState::Expired { .. } => Err(Refusal::NotFound(What::File).into()),
    }
}

fn with_expiry(reply: Reply, announced: &Announced) -> Reply {
    let upload = &announced.view.upload;
    if upload.state != UploadState::Unfinished {
        return reply;
    }
    let date = http_date(upload.unfinished_until.seconds());
    date.iter().fold(reply, |reply, date| reply.with_text(UPLOAD_EXPIRES, date))
}

/// Makes a resumable upload, perhaps with its first bytes.
pub(super) async fn create(door: &Door, ask: Ask, incoming: Incoming) -> Reply {
    let ask = Arc::new(ask);
    let (asked, address) = (Arc::clone(&ask), door.address);
    let made = blocking(move || {
        refuse_other_versions(&asked)?;
        let caller = asker(&asked, address)?;
        let new = new_upload(&asked).map_err(|failure| failed(&failure))?;
        let most = asked.site.operations.most_upload_bytes();
        if new.size_bytes.is_some_and(|size| size > most) {
            return Err(Box::new(Reply::problem(TOO_LARGE, &format!("a file has at most {most} bytes"))));
        }
        match asked.site.operations.announce_upload(&caller, &new).map_err(|failure| failed(&failure))? {
            Announcement::Made(announced) => Ok((caller, announced)),
            Announcement::KeyReused => {
                Err(Box::new(Reply::problem(KEY_REUSED, "this key was used for another upload")))
            }
        }
    });
    let (caller, announced) = match made.await {
        Ok(made) => made,
        Err(reply) => {
            read_past(incoming);
            return *reply;
        }
    };
    let id = announced.view.upload.id;
    let place = format!("{}/resumable-uploads/{id}", ask.api_base());
    let made = |reply: Reply| reply.with_text(LOCATION, &place);
    let brings = ask.header(CONTENT_TYPE) == Some(MEDIA_TYPE);
    // an empty file is whole as soon as it is there
    if !brings && announced.whole_bytes() != Some(0) {
        read_past(incoming);
        let reply = Reply::empty(StatusCode::CREATED).with(UPLOAD_OFFSET, number(announced.view.upload.size_bytes));
        return made(with_expiry(reply, &announced));
    }
    let offset = announced.view.upload.size_bytes;
    match write(door, &ask, incoming, (caller, id, offset)).await {
        Ok(mut reply) => {
            reply.status = StatusCode::CREATED;
            made(reply)
        }
        Err(reply) => made(*reply),
    }
}

/// Takes the next bytes of an upload.
pub(super) async fn append(door: &Door, ask: Ask, incoming: Incoming) -> Reply {
    let ask = Arc::new(ask);
    let (asked, address) = (Arc::clone(&ask), door.address);
    let begun = blocking(move || {
        refuse_other_versions(&asked)?;
        let caller = asker(&asked, address)?;
        let announced = mine(&asked, &caller).map_err(|failure| failed(&failure))?;
        if asked.header(CONTENT_TYPE) != Some(MEDIA_TYPE) {
            return Err(Box::new(Reply::problem(WRONG_MEDIA, &format!("send Content-Type: {MEDIA_TYPE}"))));
        }
        let offset = asked.header(UPLOAD_OFFSET).and_then(whole_number);
        let offset = offset.ok_or_else(|| bad("Upload-Offset is where the bytes belong"))?;
        let size = announced.view.upload.size_bytes;
        if !matches!(announced.view.upload.state, UploadState::Unfinished) {
            let why = format!("{} was received already", announced.name());
            let reply = Reply::refusal(&Refusal::WrongState(why));
            return Err(Box::new(reply.with(UPLOAD_OFFSET, number(size))));
        }
        Ok((caller, announced.view.upload.id, offset))
    });
    let begun = match begun.await {
        Ok(begun) => begun,
        Err(reply) => {
            read_past(incoming);
            return *reply;
        }
    };
    write(door, &ask, incoming, begun).await.unwrap_or_else(|reply| *reply)
}

/// Does what another header says: some clients can send no PATCH and no DELETE.
pub(super) async fn instead(door: &Door, mut ask: Ask, incoming: Incoming) -> Reply {
    match ask.header(METHOD_OVERRIDE) {
        Some("PATCH") => append(door, ask, incoming).await,
        Some("DELETE") => {
            ask.method = Method::DELETE;
            read_past(incoming);
            let address = door.address;
            let done = blocking(move || {
                refuse_other_versions(&ask)?;
                let caller = asker(&ask, address)?;
                terminate(&ask, &caller).map_err(|failure| failed(&failure))
            });
            done.await.unwrap_or_else(|reply| *reply)
        }
        _ => {
            read_past(incoming);
            Reply::wrong_method(&[Method::HEAD, Method::PATCH, Method::DELETE])
        }
    }
}

/// Writes the content at this offset; the answer says how far the upload is then.
async fn write(
    door: &Door,
    ask: &Arc<Ask>,
    mut incoming: Incoming,
    (caller, id, offset): (Caller, UploadId, u64),
) -> Result<Reply, Box<Reply>> {
    let (asked, alive, as_whom) = (Arc::clone(ask), door.alive.clone(), caller.clone());
    let begun = blocking(move || {
        if !is_plain(&asked.headers) {
            return Err(bad("send the content as it is, without Content-Encoding"));
        }
        let checksum = digests::checksum(&asked.headers).map_err(bad)?;
        let operations = &asked.site.operations;
        let announced = operations.own_announced(&as_whom, id).map_err(|failure| failed(&failure))?;
        let given =
            asked.header(UPLOAD_LENGTH).map(|text| whole_number(text).ok_or_else(|| bad("Upload-Length is a size")));
        let whole = match (announced.whole_bytes(), given.transpose()?) {
            (Some(said), Some(given)) if said != given => {
                return Err(bad("Upload-Length was said before, and is another"));
            }
            (said, given) => said.or(given),
        };
        let most = whole.unwrap_or_else(|| operations.most_upload_bytes());
        let length = asked.header(CONTENT_LENGTH).and_then(whole_number).unwrap_or_default();
        if offset.saturating_add(length) > most {
            return Err(Box::new(Reply::problem(TOO_LARGE, &format!("the file ends at byte {most}"))));
        }
        let opened = operations.open_announced(&as_whom, id, UploadFrom::Offset(offset));
        let opened = opened.map_err(|failure| match operations.own_announced(&as_whom, id) {
            Ok(now) => Box::new(failed(&failure).with(UPLOAD_OFFSET, number(now.view.upload.size_bytes))),
            Err(_) => failed(&failure),
        })?;
        Ok((Held::new(opened, alive), checksum, whole, most))
    });
    let (held, checksum, whole, most) = match begun.await {
        Ok(begun) => begun,
        Err(reply) => {
            read_past(incoming);
            return Err(reply);
        }
    };
    let taken =
        take_in(&door.site, caller.channel, &mut incoming, Some(&held), (offset, most), checksum.as_ref()).await;
    // what was refused on its way may still be coming
    read_past(incoming);
    let is_whole = ended(held, taken, (offset, whole), checksum.as_ref()).await?;
    let ask = Arc::clone(ask);
    blocking(move || {
        let shown = ask.site.operations.own_announced(&caller, id).map_err(|failure| failed(&failure))?;
        let reply = if is_whole {
            received(&ask, &caller, id, false).map_err(|failure| failed(&failure))?
        } else {
            with_expiry(Reply::empty(StatusCode::NO_CONTENT), &shown)
        };
        Ok(reply.with(UPLOAD_OFFSET, number(shown.view.upload.size_bytes)))
    })
    .await
}

/// Ends the opening; whether the file is whole and received.
async fn ended(
    held: Held,
    taken: Result<super::stream::Taken, Broken>,
    (offset, whole): (u64, Option<u64>),
    checksum: Option<&Checksum>,
) -> Result<bool, Box<Reply>> {
    match taken {
        Ok(taken) if !taken.is_as_said => {
            let cut = held.end(move |upload| upload.set_size(offset)).await;
            cut.map_err(|failure| failed(&failure))?;
            let reply = Reply::wrong_sum("the bytes are not as Upload-Checksum says: send them again");
            Err(Box::new(reply.with(UPLOAD_OFFSET, number(offset))))
        }
        Ok(taken) => {
            let is_whole = whole == Some(taken.end);
            let ended = held.end(move |upload| if is_whole { upload.finish() } else { Ok(()) }).await;
            ended.map_err(|failure| failed(&failure))?;
            Ok(is_whole)
        }
        Err(broken) => {
            let is_checked = checksum.is_some();
            // what was not held against its checksum is not kept
            let cut = held.end(move |upload| if is_checked { upload.set_size(offset) } else { Ok(()) }).await;
            if let Err(failure) = cut {
                tracing::info!(%failure, "an interrupted upload keeps nothing of its last request");
            }
            Err(broken.into_reply())
        }
    }
}

fn refuse_other_versions(ask: &Ask) -> Result<(), Box<Reply>> {
    version_refused(ask).map_or(Ok(()), |reply| Err(Box::new(reply)))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Box<Reply>> + Send + 'static,
) -> Result<T, Box<Reply>> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(failed(&crate::operations::Fault::from_error("handler", error).into())))
}

fn bad(why: &str) -> Box<Reply> {
    Box::new(Reply::problem(BAD_REQUEST, why))
}

fn whole_number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// What is asked for with `Upload-Length` and `Upload-Metadata`. All that is wrong is told at once.
fn new_upload(ask: &Ask) -> Result<NewUpload, Failure> {
    ask.query().finish()?;
    let metadata = ask.header(UPLOAD_METADATA).unwrap_or_default();
    let said = Metadata::read(metadata)?;
    // the path says for whom; who says it once more says the same
    if said.value("client").is_some() && said.value("client") != ask.client.as_deref() {
        return Err(Refusal::NotFound(What::Organisation).into());
    }
    let mut faults = Vec::new();
    let product = said.value("product").map(ProductCode::parse);
    let name = said.value("filename").or_else(|| said.value("name")).map(UploadName::parse);
    let sha256 = said.value("sha256").filter(|text| !text.is_empty()).map(Digest::parse);
    let media_type = said.value("filetype").or_else(|| said.value("type")).filter(|text| !text.is_empty());
    let media_type = media_type.map(Line::parse);
    for (key, is_there) in [("product", product.is_some()), ("filename", name.is_some())] {
        if !is_there {
            faults.push(format!("Upload-Metadata has no {key}"));
        }
    }
    let length = ask.header(UPLOAD_LENGTH).map(whole_number);
    match (length, ask.header(UPLOAD_DEFER_LENGTH)) {
        (Some(Some(_)), None) | (None, Some("1")) => {}
        _ => faults.push("say Upload-Length in bytes, or Upload-Defer-Length: 1".to_owned()),
    }
    let wrong = [
        product.as_ref().and_then(|read| read.as_ref().err()),
        name.as_ref().and_then(|read| read.as_ref().err()),
        sha256.as_ref().and_then(|read| read.as_ref().err()),
        media_type.as_ref().and_then(|read| read.as_ref().err()),
    ];
    faults.extend(wrong.into_iter().flatten().map(ToString::to_string));
    let (Some(Ok(product)), Some(Ok(name)), []) = (product, name, faults.as_slice()) else {
        return Err(Refusal::BadRequest(faults.join("; ")).into());
    };
    Ok(NewUpload {
        product,
        name,
        size_bytes: length.flatten(),
        sha256: sha256.and_then(Result::ok),
        media_type: media_type.and_then(Result::ok),
        metadata: metadata.to_owned(),
        replaces: said.value("replace") == Some("true"),
        key: ask.header(IDEMPOTENCY_KEY).map(str::to_owned),
    })
}

/// `Upload-Metadata`: keys, each with a value in base64.
struct Metadata(Vec<(String, String)>);

/// There are at most so many keys; others are kept and mean nothing here.
const MOST_KEYS: usize = 32;

impl Metadata {
    fn read(text: &str) -> Result<Self, Failure> {
        let fault = || Failure::from(Refusal::BadRequest("Upload-Metadata is KEY BASE64, KEY BASE64, …".to_owned()));
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
            let value = BASE64.decode(value.trim().as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let value = value.ok_or_else(fault)?;
            if pairs.len() >= MOST_KEYS || pairs.iter().any(|(known, _)| known == key) {
                return Err(fault());
            }
            pairs.push((key.to_owned(), value));
        }
        Ok(Self(pairs))
    }

    fn value(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_read_strictly() {
        let said = Metadata::read("filename YS5jc3Y=,product aW50YWtl, is_confidential").unwrap();
        assert_eq!(said.value("filename"), Some("a.csv"));
        assert_eq!((said.value("product"), said.value("is_confidential")), (Some("intake"), Some("")));
        for wrong in ["filename a", "filename YQ==,filename YQ==", "filename /w=="] {
            assert!(Metadata::read(wrong).is_err(), "{wrong}");
        }
        assert!(Metadata::read("").is_ok());
    }
}
