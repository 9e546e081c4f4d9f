//! `PUT` of the content of an announced participant file: whole, or from where an interrupted one ends
//! (`Content-Range`, RFC 9110 §14.5). Idempotent: the same file once more is the same answer once more.

use std::sync::Arc;

use hyper::StatusCode;
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderName, TRANSFER_ENCODING};

use super::digests::{self, Checksum};
use super::stream::{Broken, Held, take_in};
use super::{UPLOAD_OFFSET, failed, is_plain, number, read_past, received, upload_id};
use crate::domain::digest::Digest;
use crate::domain::history::Channel;
use crate::domain::ids::UploadId;
use crate::domain::refusal::{Refusal, What};
use crate::domain::upload::UploadState;
use crate::fronts::https::answer::Door;
use crate::fronts::https::ask::Ask;
use crate::fronts::https::bearer;
use crate::fronts::https::reply::{BAD_REQUEST, LENGTH_WANTED, Reply, TOO_LARGE, WRONG_CODING};
use crate::fronts::{intake_forms, offload};
use crate::operations::{Announced, Caller, Failure, UploadFrom};

const PREFER: HeaderName = HeaderName::from_static("prefer");

/// What is asked with the content.
#[derive(Clone)]
struct Asked {
    /// Where the content begins, and where it ends if that is said.
    range: Option<Range>,
    length: Option<u64>,
    checksum: Option<Checksum>,
    whole: Option<Digest>,
    wants_receipt: bool,
}

/// `Content-Range: bytes FIRST-LAST/SIZE`, the size perhaps unknown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Range {
    first: u64,
    end: u64,
    size: Option<u64>,
}

/// Where content goes.
enum Place {
    /// Into this upload; from where, how far at most, and with which size it is whole.
    Open(Held, u64, u64, Option<u64>),
    /// Nowhere: the file was received, with this digest. The same once more is answered the same.
    Received(Digest, u64),
}

/// Answers it.
pub(super) async fn put(door: &Door, ask: Ask, mut incoming: Incoming) -> Reply {
    let ask = Arc::new(ask);
    let asked = match asked(&ask, &incoming) {
        Ok(asked) => asked,
        Err(reply) => {
            read_past(incoming);
            return *reply;
        }
    };
    let (place, caller, id) = match begin(door, &ask, &asked).await {
        Ok(begun) => begun,
        Err(reply) => {
            read_past(incoming);
            return *reply;
        }
    };
    let outcome = match place {
        Place::Received(sha256, size) => again(door, &mut incoming, sha256, size).await,
        Place::Open(held, start, most, whole) => go_on(door, &asked, &mut incoming, (held, start, most, whole)).await,
    };
    // what was refused on its way may still be coming
    read_past(incoming);
    let is_whole = match outcome {
        Ok(is_whole) => is_whole,
        Err(reply) => return *reply,
    };
    let told = offload(move || {
        if is_whole {
            return received(&ask, &caller, id, asked.wants_receipt);
        }
        let announced = ask.site.operations.announced(&caller, id)?;
        let end = announced.view.upload.size_bytes;
        let document = intake_forms::announced(&announced, &ask.api_base());
        Ok(Reply::json(StatusCode::ACCEPTED, &document).with(UPLOAD_OFFSET, number(end)))
    });
    told.await.unwrap_or_else(|failure| *failed(&failure))
}

/// Signs in and opens, off the async threads.
async fn begin(door: &Door, ask: &Arc<Ask>, asked: &Asked) -> Result<(Place, Caller, UploadId), Box<Reply>> {
    let (ask, asked, alive, address) = (Arc::clone(ask), asked.clone(), door.alive.clone(), door.address);
    let begun = tokio::task::spawn_blocking(move || {
        let operations = &ask.site.operations;
        match operations.closure(Channel::Api).map_err(|failure| failed(&failure))? {
            None => {}
            Some(closure) => return Err(Box::new(Reply::refusal(&closure.refusal()))),
        }
        let caller = bearer::sign_in(operations, &ask.site.penalties, &ask.headers, address)?;
        let caller = ask.place(&caller).map_err(|failure| failed(&failure))?;
        let id = upload_id(&ask).map_err(|failure| failed(&failure))?;
        let announced = operations.announced(&caller, id).map_err(|failure| failed(&failure))?;
        let place = place(&ask, &asked, &caller, (&announced, alive)).map_err(|failure| {
            let reply = failed(&failure);
            // where to go on
            match operations.announced(&caller, id) {
                Ok(now) if reply.status == StatusCode::CONFLICT && now.view.upload.state == UploadState::Unfinished => {
                    Box::new(reply.with(UPLOAD_OFFSET, number(now.view.upload.size_bytes)))
                }
                _ => reply,
            }
        })?;
        Ok((place, caller, id))
    });
    begun.await.unwrap_or_else(|error| Err(failed(&crate::operations::Fault::from_error("handler", error).into())))
}

fn place(
    ask: &Ask,
    asked: &Asked,
    caller: &Caller,
    (announced, alive): (&Announced, tokio::sync::mpsc::Sender<()>),
) -> Result<Place, Failure> {
    let (operations, upload) = (&ask.site.operations, &announced.view.upload);
    let name = announced.name();
    match &upload.state {
        UploadState::Removed { .. } | UploadState::Expired { .. } => return Err(Refusal::NotFound(What::File).into()),
        UploadState::Received { sha256, .. } if asked.range.is_none() && upload.login == caller.login => {
            return Ok(Place::Received(*sha256, upload.size_bytes));
        }
        UploadState::Received { .. } | UploadState::Unfinished => {}
    }
    let said = announced.whole_bytes();
    let whole = asked.range.map_or(said, |range| range.size.or(said));
    if let (Some(said), Some(whole)) = (said, whole)
        && said != whole
    {
        let why = format!("{name} was announced with {said} bytes: send those");
        return Err(Refusal::BadRequest(why).into());
    }
    let (from, start, most) = match asked.range {
        None => {
            let most = said.or(asked.length).unwrap_or_else(|| operations.most_upload_bytes());
            if asked.length.is_some_and(|length| said.is_some_and(|said| said != length)) {
                let why = format!("{name} was announced with {} bytes: send those", said.unwrap_or_default());
                return Err(Refusal::BadRequest(why).into());
            }
            (UploadFrom::Beginning, 0, most)
        }
        Some(range) => (UploadFrom::Offset(range.first), range.first, range.end),
    };
    let opened = operations.open_announced(caller, upload.id, from)?;
    if let Some(whole) = asked.whole {
        opened.expect(whole);
    }
    Ok(Place::Open(Held::new(opened, alive), start, most, whole.filter(|_| asked.range.is_some())))
}

/// Takes the content in; whether the file is whole then and received.
async fn go_on(
    door: &Door,
    asked: &Asked,
    incoming: &mut Incoming,
    (held, start, most, whole): (Held, u64, u64, Option<u64>),
) -> Result<bool, Box<Reply>> {
    let taken = take_in(&door.site, Channel::Api, incoming, Some(&held), (start, most), asked.checksum.as_ref()).await;
    let is_short = |end: u64| asked.range.is_some_and(|range| range.end != end);
    match taken {
        Ok(taken) if !taken.is_as_said => {
            let cut = held.end(move |upload| upload.set_size(start)).await;
            cut.map_err(|failure| failed(&failure))?;
            Err(Box::new(Reply::problem(BAD_REQUEST, "the content is not as its Content-Digest says; send it again")))
        }
        Ok(taken) if is_short(taken.end) => {
            held.end(|_| Ok(())).await.map_err(|failure| failed(&failure))?;
            Err(Box::new(Reply::problem(BAD_REQUEST, "the content is not as long as its Content-Range says")))
        }
        Ok(taken) => {
            let is_whole = asked.range.is_none() || whole == Some(taken.end);
            let ended = held.end(move |upload| if is_whole { upload.finish() } else { Ok(()) }).await;
            ended.map_err(|failure| failed(&failure))?;
            Ok(is_whole)
        }
        Err(broken) => {
            let is_checked = asked.checksum.is_some();
            // what was not held against its digest is not kept
            let cut = held.end(move |upload| if is_checked { upload.set_size(start) } else { Ok(()) }).await;
            if let (Broken::Cut(_), Err(failure)) = (&broken, &cut) {
                tracing::info!(%failure, "an interrupted upload keeps nothing of its last request");
            }
            Err(broken.into_reply())
        }
    }
}

/// The content of a file that was received already: the same, or another.
async fn again(door: &Door, incoming: &mut Incoming, sha256: Digest, size: u64) -> Result<bool, Box<Reply>> {
    let checksum = Checksum::Sha256(*sha256.as_bytes());
    let another =
        || Box::new(Reply::refusal(&Refusal::WrongState("the file was received already, with other bytes".to_owned())));
    match take_in(&door.site, Channel::Api, incoming, None, (0, size), Some(&checksum)).await {
        Ok(taken) if taken.is_as_said && taken.end == size => Ok(true),
        Ok(_) | Err(Broken::TooMuch) => Err(another()),
        Err(broken) => Err(broken.into_reply()),
    }
}

fn asked(ask: &Ask, incoming: &Incoming) -> Result<Asked, Box<Reply>> {
    let bad = |why: &str| Box::new(Reply::problem(BAD_REQUEST, why));
    ask.query().finish().map_err(|failure| failed(&failure))?;
    if !is_plain(&ask.headers) {
        return Err(Box::new(Reply::problem(WRONG_CODING, "send the content as it is, without Content-Encoding")));
    }
    let length = ask.header(CONTENT_LENGTH).and_then(|text| text.parse().ok());
    let is_chunked = ask.headers.contains_key(TRANSFER_ENCODING);
    // a request that says nothing of its content may have lost it
    if length.is_none() && !is_chunked && incoming.is_end_stream() {
        return Err(Box::new(Reply::problem(LENGTH_WANTED, "an empty file is sent with Content-Length: 0")));
    }
    let most = ask.site.operations.most_upload_bytes();
    if length.is_some_and(|length| length > most) {
        return Err(Box::new(Reply::problem(TOO_LARGE, &format!("a file has at most {most} bytes"))));
    }
    let range = match ask.headers.get(CONTENT_RANGE) {
        None => None,
        Some(_) => {
            let range = ask.header(CONTENT_RANGE).and_then(Range::parse);
            Some(
                range
                    .ok_or_else(|| bad("Content-Range is bytes FIRST-LAST/SIZE, or * for a size that is not known"))?,
            )
        }
    };
    if let (Some(range), Some(length)) = (range, length)
        && range.end - range.first != length
    {
        return Err(bad("the content is not as long as its Content-Range says"));
    }
    let checksum = digests::content(&ask.headers).map_err(bad)?;
    let whole = digests::representation(&ask.headers).map_err(bad)?;
    let preferences = ask.headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
    let mut preferences = preferences.flat_map(|value| value.split([',', ';'])).map(str::trim);
    let wants_receipt = preferences.any(|one| one.eq_ignore_ascii_case("return=representation"));
    Ok(Asked { range, length, checksum, whole, wants_receipt })
}

impl Range {
    fn parse(text: &str) -> Option<Self> {
        let (range, size) = text.strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok())?;
        let (first, end) = (digits(first)?, digits(last)?.checked_add(1)?);
        let size = if size == "*" { None } else { Some(digits(size)?) };
        (first < end && size.is_none_or(|size| end <= size)).then_some(Self { first, end, size })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_content_is_read_strictly() {
        assert_eq!(Range::parse("bytes 5-9/10"), Some(Range { first: 5, end: 10, size: Some(10) }));
        assert_eq!(Range::parse("bytes 0-0/*"), Some(Range { first: 0, end: 1, size: None }));
        for wrong in ["bytes 5-4/10", "bytes 0-10/10", "bytes */10", "bytes 5-/10", "items 0-1/2", "bytes +1-2/3", ""] {
            assert_eq!(Range::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Range::parse("bytes 0-18446744073709551615/*"), None);
    }
}
