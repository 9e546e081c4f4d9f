//! `POST /participant-files/_check`: what would become of a file, without submitting it (4.5-6). The content goes from
//! the connection through the checks in pieces, and nothing of it is kept.

use std::io::{self, Read};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use hyper::StatusCode;
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONTENT_LENGTH, RETRY_AFTER, TRANSFER_ENCODING};
use tokio::sync::mpsc;

use super::stream::{Broken, End, gather};
use super::{failed, is_plain, read_past};
use crate::domain::history::Channel;
use crate::domain::names::{ProductCode, UploadName};
use crate::fronts::https::answer::Door;
use crate::fronts::https::ask::Ask;
use crate::fronts::https::bearer;
use crate::fronts::https::reply::{BAD_REQUEST, CANNOT_CHECK, LENGTH_WANTED, Reply, TOO_LARGE, WRONG_CODING};
use crate::fronts::intake_forms;
use crate::operations::{Failure, Fault, Tried};
use crate::telemetry;

/// Pieces that wait for the checks; each is what one read of the connection gave.
const QUEUE: usize = 4;

/// What cannot be checked now may be tried again after so long.
const AGAIN_SECONDS: u32 = 60;

/// What is asked with the content.
struct Asked {
    product: ProductCode,
    name: UploadName,
    size_bytes: Option<u64>,
}

/// Answers it.
pub(super) async fn check(door: &Door, ask: Ask, mut incoming: Incoming) -> Reply {
    let asked = match asked(&ask, &incoming) {
        Ok(asked) => asked,
        Err(reply) => {
            read_past(incoming);
            return *reply;
        }
    };
    let most = asked.size_bytes.unwrap_or_else(|| ask.site.operations.most_upload_bytes());
    let (to, from) = mpsc::channel(QUEUE);
    let (alive, address) = (door.alive.clone(), door.address);
    let work = tokio::task::spawn_blocking(move || {
        let judged = judge(&ask, &asked, address, from);
        drop(alive);
        judged
    });
    let broken = feed(door, &mut incoming, most, to).await;
    // what was refused, or judged before its end, may still be coming
    read_past(incoming);
    match (broken, work.await) {
        (Some(broken), Ok(_)) => *broken.into_reply(),
        (None, Ok(Ok(tried))) => Reply::json(StatusCode::OK, &intake_forms::tried(&tried)),
        (None, Ok(Err(reply))) => *reply,
        (_, Err(error)) => *failed(&Fault::from_error("check a file", error).into()),
    }
}

/// Signs in and checks, off the async threads. Who may not deliver is refused before a byte is looked at.
fn judge(
    ask: &Ask,
    asked: &Asked,
    address: std::net::IpAddr,
    from: mpsc::Receiver<Option<Bytes>>,
) -> Result<Tried, Box<Reply>> {
    let operations = &ask.site.operations;
    if let Some(closure) = operations.closure(Channel::Api).map_err(|failure| failed(&failure))? {
        return Err(Box::new(Reply::refusal(&closure.refusal())));
    }
    let caller = bearer::sign_in(operations, &ask.site.penalties, &ask.headers, address)?;
    let caller = ask.place(&caller).map_err(|failure| failed(&failure))?;
    let mut bytes = Piped { from, piece: Bytes::new(), state: Flow::Open };
    let judged = operations.try_upload(&caller, (&asked.product, &asked.name), asked.size_bytes, &mut bytes);
    if bytes.state == Flow::Broken {
        return Err(Box::new(Reply::problem(BAD_REQUEST, "the content ended early")));
    }
    judged.map_err(|failure| match failure {
        // such as a scanner that does not answer
        Failure::Faulted(fault) => {
            let reference = telemetry::report("checking a participant file", &fault);
            let told = format!("the file cannot be checked now, reference {reference}; try later");
            Box::new(Reply::problem(CANNOT_CHECK, &told).with(RETRY_AFTER, AGAIN_SECONDS.into()))
        }
        Failure::Refused(_) => failed(&failure),
    })
}

fn asked(ask: &Ask, incoming: &Incoming) -> Result<Asked, Box<Reply>> {
    let mut query = ask.query();
    let (product, name) = (query.product("product"), query.upload_name("fileName"));
    query.finish().map_err(|failure| failed(&failure))?;
    let (Some(product), Some(name)) = (product, name) else {
        return Err(Box::new(Reply::problem(BAD_REQUEST, "say product and fileName in the query")));
    };
    if !is_plain(&ask.headers) {
        return Err(Box::new(Reply::problem(WRONG_CODING, "send the content as it is, without Content-Encoding")));
    }
    let size_bytes = ask.header(CONTENT_LENGTH).and_then(|text| text.parse().ok());
    let most = ask.site.operations.most_upload_bytes();
    if size_bytes.is_some_and(|size| size > most) {
        return Err(Box::new(Reply::problem(TOO_LARGE, &format!("a file has at most {most} bytes"))));
    }
    // a request that says nothing of its content may have lost it
    if size_bytes.is_none() && !ask.headers.contains_key(TRANSFER_ENCODING) && incoming.is_end_stream() {
        return Err(Box::new(Reply::problem(LENGTH_WANTED, "an empty file is sent with Content-Length: 0")));
    }
    Ok(Asked { product, name, size_bytes })
}

/// Hands the content on as it comes; why not all of it, unless the checks wanted no more.
async fn feed(door: &Door, incoming: &mut Incoming, most: u64, to: mpsc::Sender<Option<Bytes>>) -> Option<Broken> {
    let (mut came, mut waited) = (0, Duration::ZERO);
    let patience = door.site.config.https.request_timeout;
    loop {
        let (pieces, end) = gather(incoming, &mut came, most, &mut waited, patience).await;
        for piece in pieces {
            if to.send(Some(piece)).await.is_err() {
                return None;
            }
        }
        match end {
            End::More if to.is_closed() => return None,
            End::More => {}
            End::Whole => {
                // an end that is said: without it the checks see a break
                let _ = to.send(None).await;
                return None;
            }
            End::Broken(broken) => return Some(broken),
        }
    }
}

/// What comes from the connection, for the checks. Ends in order only where the end was said.
struct Piped {
    from: mpsc::Receiver<Option<Bytes>>,
    piece: Bytes,
    state: Flow,
}

/// How far it came.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Open,
    Ended,
    Broken,
}

impl Read for Piped {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() && self.state == Flow::Open {
            match self.from.blocking_recv() {
                Some(Some(piece)) => self.piece = piece,
                Some(None) => self.state = Flow::Ended,
                None => self.state = Flow::Broken,
            }
        }
        if self.state == Flow::Broken {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        let length = self.piece.len().min(into.len());
        self.piece.copy_to_slice(into.get_mut(..length).unwrap_or_default());
        Ok(length)
    }
}
