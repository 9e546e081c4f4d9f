//! Takes a document of a product as it comes in from a form of the office. Nothing of its content is taken before
//! the form's token, which comes first in it, was that of the session; it is sealed as it comes, two pieces ahead at
//! most, with the session looked at on the way. A form that ends early leaves nothing.
#![expect(clippy::disallowed_methods, reason = "a front may time its own connections")]

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use http_body_util::BodyDataStream;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use multer::{Constraints, Field, Multipart, SizeLimit};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::super::words::size;
use super::Desk;
use super::documents::{listing, showing};
use super::sheet::Mistake;
use crate::domain::names::{FileName, Line};
use crate::domain::refusal::Refusal;
use crate::fronts::https::portal::page::{broken, elsewhere};
use crate::fronts::https::portal::uploads::Paced;
use crate::fronts::https::portal::{Ask, Failure};
use crate::fronts::https::reply::Reply;
use crate::fronts::offload;
use crate::operations::Operations;

/// Token and version have at most so many bytes.
const MOST_FIELD_BYTES: u64 = 1_000;

/// It is asked so often whether who sends it still may, however little comes.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Pieces that wait for the vault; each is what the transport gave, 1 MiB at most.
const PIECES_AHEAD: usize = 2;

/// Content that is refused is read past so far, so that the answer is seen: 64 MiB.
const MOST_PASSED_BYTES: u64 = 64 * 1024 * 1024;

/// What is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::fronts::https) enum Shelving {
    /// A new document.
    New,
    /// Another version of the document that the path names.
    Version,
}

/// Why nothing was taken.
enum Why {
    /// The token is not that of the session.
    Elsewhere,
    Mistake(Mistake),
    /// It ended before its end, or took too long.
    Ended,
    NoFile,
}

/// Takes it in, and answers with the way on, or with the form and what is wrong.
pub(in crate::fronts::https) async fn take_in(
    ask: Arc<Ask>,
    desk: Arc<Desk>,
    which: Shelving,
    incoming: Incoming,
    alive: mpsc::Sender<()>,
) -> Reply {
    let (paced, unread_bytes) = Paced::new(incoming);
    let way = Way { ask: Arc::clone(&ask), desk: Arc::clone(&desk), unread_bytes, alive };
    let outcome = way.read(which, paced).await;
    let answered = offload(move || {
        let answered = answer(&ask, &desk, which, outcome);
        answered.or_else(|failure| broken(&ask, &desk.guest, &failure))
    });
    answered.await.unwrap_or_else(|failure| Reply::failure("taking in a document", &failure))
}

fn answer(ask: &Ask, desk: &Desk, which: Shelving, outcome: Result<(), Why>) -> Result<Reply, Failure> {
    let words = desk.document_words();
    let outcome = match outcome {
        Err(Why::Elsewhere) => return elsewhere(ask, &desk.guest),
        Err(Why::Ended) => Err(Mistake::Said(words.ended_early.to_owned())),
        Err(Why::NoFile) => Err(Mistake::Said(words.choose_file.to_owned())),
        Err(Why::Mistake(Mistake::Failed(Failure::Refused(Refusal::TooMuch(_))))) => {
            let storage = &ask.site.config.storage;
            let most = size(desk.guest.language, storage.max_document_bytes);
            Err(Mistake::Said(format!(
                "{} {most}. {} {}.",
                words.at_most, words.at_most_of_product, storage.max_documents
            )))
        }
        Err(Why::Mistake(Mistake::Failed(Failure::Refused(Refusal::Exists(..))))) => {
            Err(Mistake::Said(words.exists.to_owned()))
        }
        Err(Why::Mistake(Mistake::Failed(Failure::Refused(Refusal::BadRequest(_))))) => {
            Err(Mistake::Said(words.empty.to_owned()))
        }
        Err(Why::Mistake(mistake)) => Err(mistake),
        Ok(()) => Ok(()),
    };
    let word = if which == Shelving::New { "added" } else { "saved" };
    let to = super::documents::base(ask)?;
    desk.after(outcome, (&to, word), |error| match which {
        Shelving::New => listing(ask, desk, error),
        Shelving::Version => showing(ask, desk, error),
    })
}

struct Way {
    ask: Arc<Ask>,
    desk: Arc<Desk>,
    unread_bytes: Arc<AtomicUsize>,
    /// Held by everything that still runs.
    alive: mpsc::Sender<()>,
}

impl Way {
    async fn read(&self, which: Shelving, paced: Paced) -> Result<(), Why> {
        let boundary = self.ask.header(CONTENT_TYPE).and_then(|kind| multer::parse_boundary(kind).ok());
        let boundary = boundary.filter(|boundary| boundary.len() <= 200).ok_or(Why::Elsewhere)?;
        let limits = SizeLimit::new().for_field("token", MOST_FIELD_BYTES).for_field("version", MOST_FIELD_BYTES);
        let constraints = Constraints::new().allowed_fields(vec!["token", "version", "file"]).size_limit(limits);
        let mut form = Multipart::with_constraints(BodyDataStream::new(paced), boundary, constraints);
        let token = self.text(&mut form, "token").await?.ok_or(Why::Elsewhere)?;
        if token != self.desk.visit.visit.form_token {
            return Err(Why::Elsewhere);
        }
        let version = self.text(&mut form, "version").await?.ok_or(Why::Ended)?;
        let words = self.desk.document_words();
        let fault = |label: &str| Why::Mistake(Mistake::Said(format!("{} {label}", self.desk.words().check_field)));
        let version = match version.trim() {
            "" => None,
            version => Some(Line::parse(version).map_err(|_| fault(words.version))?),
        };
        let field = self.next_field(&mut form).await?.filter(|field| field.name() == Some("file"));
        let mut field = field.ok_or(Why::NoFile)?;
        let given = field.file_name().map(base_name).unwrap_or_default().to_owned();
        if given.is_empty() {
            return Err(Why::NoFile);
        }
        let name = match which {
            Shelving::New => {
                FileName::parse(&given).map_err(|_| Why::Mistake(Mistake::Said(words.bad_name.to_owned())))
            }
            Shelving::Version => super::documents::name(&self.ask).map_err(|failure| Why::Mistake(failure.into())),
        }?;
        let outcome = self.pour(&mut field, which, name, version).await;
        if matches!(outcome, Err(Why::Mistake(_))) {
            self.pass_over(&mut field).await;
        }
        outcome
    }

    async fn pour(
        &self,
        field: &mut Field<'static>,
        which: Shelving,
        name: FileName,
        version: Option<Line>,
    ) -> Result<(), Why> {
        let (to, from) = mpsc::channel(PIECES_AHEAD);
        let (ask, desk, alive) = (Arc::clone(&self.ask), Arc::clone(&self.desk), self.alive.clone());
        let taking = tokio::task::spawn_blocking(move || {
            let mut pieces = Pieces { from, current: Bytes::new(), is_whole: false };
            let product = super::documents::product(&ask)?;
            let operations: &Operations = &ask.site.operations;
            let replaces = which == Shelving::Version;
            let taken =
                operations.take_document(&product, (&name, version.as_ref()), &mut pieces, replaces, &desk.visit);
            drop(alive);
            taken.map(|_| ())
        });
        let sent = self.send(field, &to).await;
        // without the word that it was whole, the other side keeps nothing
        drop(to);
        let taken = taking.await;
        match (sent, taken) {
            (Err(why), _) => Err(why),
            (Ok(()), Ok(Ok(()))) => Ok(()),
            (Ok(()), Ok(Err(failure))) => Err(Why::Mistake(failure.into())),
            (Ok(()), Err(error)) => {
                let fault = crate::operations::Fault::from_error("take in a document", error);
                Err(Why::Mistake(Mistake::Failed(fault.into())))
            }
        }
    }

    /// Hands all of a field over, as long as the other side takes it.
    async fn send(&self, field: &mut Field<'static>, to: &mpsc::Sender<Part>) -> Result<(), Why> {
        let mut looked = Instant::now();
        let mut waited = Duration::ZERO;
        loop {
            let chunk = match timeout(LOOK_AGAIN, field.chunk()).await {
                Ok(Ok(chunk)) => {
                    self.unread_bytes.store(0, Ordering::Release);
                    waited = Duration::ZERO;
                    Some(chunk)
                }
                Ok(Err(_)) => return Err(Why::Ended),
                Err(_) => {
                    waited += LOOK_AGAIN;
                    None
                }
            };
            if waited >= self.ask.site.config.https.request_timeout {
                return Err(Why::Ended);
            }
            if looked.elapsed() >= LOOK_AGAIN {
                self.stay().await?;
                looked = Instant::now();
            }
            let part = match chunk {
                None => continue,
                Some(Some(bytes)) => Part::Bytes(bytes),
                Some(None) => Part::End,
            };
            let is_end = matches!(part, Part::End);
            // whoever takes no more says itself why
            if to.send(part).await.is_err() || is_end {
                return Ok(());
            }
        }
    }

    /// Uses the session: who sends for long stays signed in, and who was signed out sends no further.
    async fn stay(&self) -> Result<(), Why> {
        let (ask, desk) = (Arc::clone(&self.ask), Arc::clone(&self.desk));
        let looked = offload(move || {
            let secret = desk.guest.secret.as_deref().unwrap_or_default();
            ask.site.operations.office_visit(secret, &desk.guest.visitor).map(|_| ())
        });
        looked.await.map_err(|failure| Why::Mistake(failure.into()))
    }

    async fn pass_over(&self, field: &mut Field<'static>) {
        let mut passed = 0;
        while passed <= MOST_PASSED_BYTES {
            match timeout(LOOK_AGAIN, field.chunk()).await {
                Ok(Ok(Some(chunk))) => {
                    self.unread_bytes.store(0, Ordering::Release);
                    passed += chunk.len() as u64;
                }
                _ => return,
            }
        }
    }

    async fn next_field(&self, form: &mut Multipart<'static>) -> Result<Option<Field<'static>>, Why> {
        let field = timeout(self.ask.site.config.https.request_timeout, form.next_field()).await;
        self.unread_bytes.store(0, Ordering::Release);
        match field {
            Ok(Ok(field)) => Ok(field),
            Ok(Err(_)) | Err(_) => Err(Why::Ended),
        }
    }

    /// The text of the next field, which must have this name.
    async fn text(&self, form: &mut Multipart<'static>, name: &str) -> Result<Option<String>, Why> {
        let Some(field) = self.next_field(form).await?.filter(|field| field.name() == Some(name)) else {
            return Ok(None);
        };
        match timeout(self.ask.site.config.https.request_timeout, field.text()).await {
            Ok(Ok(text)) => Ok(Some(text)),
            Ok(Err(_)) | Err(_) => Err(Why::Ended),
        }
    }
}

/// What goes over to the thread that seals.
enum Part {
    Bytes(Bytes),
    /// The field came to its end.
    End,
}

/// The parts as something to read; one that ends without `End` is an error.
struct Pieces {
    from: mpsc::Receiver<Part>,
    current: Bytes,
    is_whole: bool,
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() && !self.is_whole {
            match self.from.blocking_recv() {
                Some(Part::Bytes(bytes)) => self.current = bytes,
                Some(Part::End) => self.is_whole = true,
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        let length = self.current.len().min(into.len());
        if let Some(into) = into.get_mut(..length) {
            self.current.copy_to_slice(into);
        }
        Ok(length)
    }
}

/// Some browsers send the way to a file too.
fn base_name(given: &str) -> &str {
    given.rsplit(['/', '\\']).next().unwrap_or(given)
}
