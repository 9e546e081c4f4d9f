//! Takes the files of a form as they come in. Nothing of their content is taken before the form's token, which comes
//! first in it, was that of the session; the product comes before the files. Each refusal is a page of its own.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use askama::Template;
use http_body_util::BodyDataStream;
use hyper::StatusCode;
use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE};
use multer::{Constraints, Field, Multipart, SizeLimit};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::pour::{Paced, Way, Why};
use super::{Place, texts, upload_id};
use crate::domain::ids::UploadId;
use crate::domain::names::{ProductCode, UploadName};
use crate::domain::refusal::Refusal;
use crate::fronts::https::portal::access::onward;
use crate::fronts::https::portal::page::{Frame, broken, elsewhere, shown};
use crate::fronts::https::portal::texts::{upload_form, uploads};
use crate::fronts::https::portal::{Ask, Failure, Member, told};
use crate::fronts::https::reply::Reply;
use crate::fronts::offload;
use crate::telemetry;

/// Files of one form.
pub(super) const MOST_FILES: usize = 100;

/// The token and the product have at most so many bytes.
const MOST_FIELD_BYTES: u64 = 200;

/// What a form has besides its files: heads of parts, token, product. 64 KiB.
const MOST_AROUND_BYTES: u64 = 64 * 1024;

/// Content that is refused is read past so far, so that the answer is seen and further files are taken: 64 MiB.
const MOST_PASSED_BYTES: u64 = 64 * 1024 * 1024;

/// A name is shown in an answer up to so many characters.
const MOST_SHOWN_CHARS: usize = 120;

/// What is taken.
#[derive(Clone, Copy)]
pub(in crate::fronts::https) enum Taking {
    /// New files.
    Files,
    /// One that takes the place of the upload that the path names.
    Replacement,
}

/// What became of a form.
struct Taken {
    received: Vec<(UploadId, UploadName)>,
    refused: Vec<(String, Why)>,
    /// What came after the last of these was not read.
    is_cut: bool,
}

/// The upload that a new file takes the place of.
struct Replaced {
    id: UploadId,
    product: ProductCode,
    name: UploadName,
}

#[derive(Template)]
#[template(path = "uploads/some.html", config = "src/fronts/https/portal/askama.toml")]
struct NotAll {
    frame: Frame,
    t: &'static uploads::Texts,
    f: &'static upload_form::Texts,
    place: Place,
    received: Vec<Shown>,
    refused: Vec<Refused>,
    is_cut: bool,
    again: String,
}

struct Shown {
    name: String,
    link: String,
}

struct Refused {
    name: String,
    why: String,
}

/// Takes the files of a form from a member for whom all is in order, and answers with the way to the receipt, or
/// with what was refused.
pub(in crate::fronts::https) async fn take_in(
    ask: Arc<Ask>,
    member: Member,
    taking: Taking,
    incoming: Incoming,
    alive: mpsc::Sender<()>,
) -> Reply {
    let member = Arc::new(member);
    let (paced, unread_bytes) = Paced::new(incoming);
    let way = Way { ask: Arc::clone(&ask), member: Arc::clone(&member), alive, unread_bytes };
    let outcome = way.read(taking, paced).await;
    let answered = offload(move || {
        let answered = match outcome {
            Ok(taken) => answer(&ask, &member, taking, taken),
            Err(Early::Elsewhere) => elsewhere(&ask, &member.guest),
            Err(Early::Failed(failure)) => Err(failure),
        };
        answered.or_else(|failure| broken(&ask, &member.guest, &failure))
    });
    answered.await.unwrap_or_else(|failure| Reply::failure("taking in files", &failure))
}

/// Why no file was looked at.
enum Early {
    /// The token is not that of the session.
    Elsewhere,
    Failed(Failure),
}

impl Way {
    async fn read(&self, taking: Taking, paced: Paced) -> Result<Taken, Early> {
        let alone = |why: Why| Ok(Taken { received: Vec::new(), refused: vec![(String::new(), why)], is_cut: true });
        let boundary = self.ask.header(CONTENT_TYPE).and_then(|kind| multer::parse_boundary(kind).ok());
        let Some(boundary) = boundary.filter(|boundary| boundary.len() <= 200) else { return alone(Why::NotAForm) };
        let limits = SizeLimit::new().for_field("token", MOST_FIELD_BYTES).for_field("product", MOST_FIELD_BYTES);
        let constraints = Constraints::new().allowed_fields(vec!["token", "product", "file"]).size_limit(limits);
        let mut form = Multipart::with_constraints(BodyDataStream::new(paced), boundary, constraints);
        let token = match self.text(&mut form, "token").await {
            Ok(Read::Text(token)) => token,
            Ok(Read::Other(_)) => return Err(Early::Elsewhere),
            Ok(Read::Nothing) | Err(_) => return alone(Why::NotAForm),
        };
        if token != self.member.visit.form_token {
            return Err(Early::Elsewhere);
        }
        let replaced = match taking {
            Taking::Files => None,
            Taking::Replacement => match self.replaced().await.map_err(Early::Failed)? {
                Some(replaced) => Some(replaced),
                None => return alone(Why::Late),
            },
        };
        if let Some(why) = self.is_too_much(taking).await.map_err(Early::Failed)? {
            return alone(why);
        }
        let (product, first) = match self.text(&mut form, "product").await {
            Ok(Read::Text(code)) => (ProductCode::parse(&code).ok(), None),
            Ok(Read::Other(field)) => (None, Some(*field)),
            Ok(Read::Nothing) => return alone(Why::NoFile),
            Err(why) => return alone(why),
        };
        let Some(product) = replaced.as_ref().map(|replaced| replaced.product.clone()).or(product) else {
            return alone(Why::NoProduct);
        };
        Ok(self.files(&mut form, first, &product, replaced.as_ref()).await)
    }

    async fn files(
        &self,
        form: &mut Multipart<'static>,
        first: Option<Field<'static>>,
        product: &ProductCode,
        replaced: Option<&Replaced>,
    ) -> Taken {
        let mut taken = Taken { received: Vec::new(), refused: Vec::new(), is_cut: false };
        let (mut next, mut count) = (first, 0);
        let most = if replaced.is_some() { 1 } else { MOST_FILES };
        loop {
            let field = match next.take() {
                Some(field) => Ok(Some(field)),
                None => self.next_field(form).await,
            };
            let mut field = match field {
                Ok(Some(field)) if field.name() == Some("file") => field,
                Ok(None) => break,
                Ok(Some(_)) => {
                    taken.cut(String::new(), Why::NotAForm);
                    break;
                }
                Err(why) => {
                    taken.cut(String::new(), why);
                    break;
                }
            };
            let given = base_name(field.file_name().unwrap_or_default()).to_owned();
            if given.is_empty() {
                // a form in which no file was chosen has one without a name
                if self.pass_over(&mut field, 0).await {
                    continue;
                }
                taken.cut(String::new(), Why::NoFile);
                break;
            }
            count += 1;
            if count > most {
                taken.cut(shown_name(&given), Why::TooMany);
                break;
            }
            match self.one(&mut field, &given, product, replaced).await {
                Ok(received) => taken.received.push(received),
                Err(why) => {
                    let goes_on = !why.ends_all() && self.pass_over(&mut field, MOST_PASSED_BYTES).await;
                    taken.refused.push((shown_name(&given), why));
                    if !goes_on {
                        taken.is_cut = true;
                        break;
                    }
                }
            }
        }
        if taken.received.is_empty() && taken.refused.is_empty() {
            taken.refused.push((String::new(), Why::NoFile));
        }
        taken
    }

    async fn one(
        &self,
        field: &mut Field<'static>,
        given: &str,
        product: &ProductCode,
        replaced: Option<&Replaced>,
    ) -> Result<(UploadId, UploadName), Why> {
        let Ok(name) = UploadName::parse(given) else { return Err(self.refuse_name(given, product, Why::Name).await) };
        if name.is_temporary() {
            return Err(self.refuse_name(given, product, Why::TemporaryName).await);
        }
        let Some(replaced) = replaced else {
            let coming = self.open(product, &name).await?;
            return match self.pour(field, &coming).await {
                Ok(()) => Ok((coming.finish().await?, name)),
                Err(why) => {
                    coming.throw_away().await;
                    Err(why)
                }
            };
        };
        if name != replaced.name {
            return Err(Why::OtherName);
        }
        let Ok(temporary) = UploadName::parse(&format!(".{}.part", replaced.id)) else { return Err(Why::Name) };
        let coming = self.open(product, &temporary).await?;
        match self.pour(field, &coming).await {
            Ok(()) => Ok((coming.replace(product, &temporary, (replaced.id, &name)).await?, name)),
            Err(why) => {
                coming.throw_away().await;
                Err(why)
            }
        }
    }

    /// Puts a refused name on record. Who may not know the folder learns nothing of its rules.
    async fn refuse_name(&self, given: &str, product: &ProductCode, why: Why) -> Why {
        let (operations, caller) = (Arc::clone(&self.ask.site.operations), self.member.visit.caller.clone());
        let (given, product) = (shown_name(given), product.clone());
        let recorded = offload(move || {
            let known = operations.dropbox_products(&caller)?.iter().any(|known| known.code == product);
            if !known {
                return Err(Refusal::NotFound(crate::domain::refusal::What::Folder).into());
            }
            operations.refuse_upload_name(&caller, &product, &given, "a name that cannot be used");
            Ok(())
        });
        recorded.await.map_or_else(Why::Open, |()| why)
    }

    async fn replaced(&self) -> Result<Option<Replaced>, Failure> {
        let (ask, member) = (Arc::clone(&self.ask), Arc::clone(&self.member));
        offload(move || {
            let found = ask.site.operations.seen_upload(&member.visit.caller, upload_id(&ask)?)?;
            let upload = found.seen.view.upload;
            let replaced = Replaced { id: upload.id, product: upload.product, name: upload.name };
            Ok(Some(replaced).filter(|_| found.may_replace))
        })
        .await
    }

    /// Whether what is announced can never fit.
    async fn is_too_much(&self, taking: Taking) -> Result<Option<Why>, Failure> {
        let announced = self.ask.header(CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
        let Some(least) = announced.map(|bytes| bytes.saturating_sub(MOST_AROUND_BYTES)) else { return Ok(None) };
        if matches!(taking, Taking::Replacement) && least > self.ask.site.config.uploads.max_file_bytes {
            return Ok(Some(Why::TooLarge));
        }
        let (operations, caller) = (Arc::clone(&self.ask.site.operations), self.member.visit.caller.clone());
        let room = offload(move || operations.upload_room(&caller)).await?;
        Ok((least > room.most_bytes.saturating_sub(room.used_bytes)).then_some(Why::TooFull))
    }

    async fn next_field(&self, form: &mut Multipart<'static>) -> Result<Option<Field<'static>>, Why> {
        let field = match timeout(self.patience(), form.next_field()).await {
            Ok(Ok(field)) => Ok(field),
            Ok(Err(multer::Error::UnknownField { .. } | multer::Error::FieldSizeExceeded { .. })) => Err(Why::NotAForm),
            Ok(Err(_)) => Err(Why::Ended),
            Err(_) => Err(Why::TooSlow),
        };
        self.unread_bytes.store(0, Ordering::Release);
        field
    }

    /// The text of the next field, if it has this name.
    async fn text(&self, form: &mut Multipart<'static>, name: &str) -> Result<Read, Why> {
        match self.next_field(form).await? {
            None => Ok(Read::Nothing),
            Some(field) if field.name() != Some(name) => Ok(Read::Other(Box::new(field))),
            Some(field) => match timeout(self.patience(), field.text()).await {
                Ok(Ok(text)) => Ok(Read::Text(text)),
                Ok(Err(_)) => Err(Why::NotAForm),
                Err(_) => Err(Why::TooSlow),
            },
        }
    }
}

/// What the next field of a form is.
enum Read {
    Text(String),
    Other(Box<Field<'static>>),
    Nothing,
}

impl Taken {
    fn cut(&mut self, name: String, why: Why) {
        self.refused.push((name, why));
        self.is_cut = true;
    }
}

impl Why {
    /// Whether nothing that comes after it can be taken.
    const fn ends_all(&self) -> bool {
        matches!(self, Self::Ended | Self::TooSlow | Self::SignedOut)
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::NotAForm | Self::NoProduct | Self::NoFile | Self::TooMany | Self::Ended => StatusCode::BAD_REQUEST,
            Self::Name | Self::TemporaryName | Self::OtherName => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooFull => StatusCode::TOO_MANY_REQUESTS,
            Self::Late => StatusCode::CONFLICT,
            Self::Open(failure) | Self::Coming(failure) => match failure {
                Failure::Refused(refusal) => Reply::refusal(refusal).status,
                Failure::Faulted(_) => StatusCode::INTERNAL_SERVER_ERROR,
            },
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::SignedOut => StatusCode::FORBIDDEN,
        }
    }

    /// In words; a fault is logged here, and only its reference is told.
    fn said(&self, member: &Member, given: &str) -> String {
        let (f, texts) = (upload_form::Texts::of(member.guest.language), member.guest.texts());
        let refused = |refusal: &Refusal, is_open: bool| match refusal {
            Refusal::NotFound(_) => f.no_right.to_owned(),
            Refusal::NotAllowed(_) => f.not_yours.to_owned(),
            Refusal::TooMuch(_) => f.too_full.to_owned(),
            Refusal::NoSpace => f.no_space.to_owned(),
            Refusal::Exists(..) | Refusal::WrongState(_) if is_open => f.name_taken.to_owned(),
            Refusal::Exists(..) | Refusal::WrongState(_) => f.taken_over.to_owned(),
            other => told(texts, other),
        };
        match self {
            Self::NotAForm => f.not_a_form.to_owned(),
            Self::NoProduct => f.no_product.to_owned(),
            Self::NoFile => f.no_file.to_owned(),
            Self::TooMany => format!("{}: {MOST_FILES}.", f.too_many),
            Self::Name => match suggested(given) {
                Some(name) => format!("{} {} {}: {name}", f.wrong_name, f.name_hint, f.try_name),
                None => format!("{} {}", f.wrong_name, f.name_hint),
            },
            Self::TemporaryName => f.temporary_name.to_owned(),
            Self::OtherName => f.other_name.to_owned(),
            Self::TooLarge => f.too_large.to_owned(),
            Self::TooFull => f.too_full.to_owned(),
            Self::Late => f.replaced_late.to_owned(),
            Self::Open(Failure::Refused(refusal)) => refused(refusal, true),
            Self::Coming(Failure::Refused(refusal)) => refused(refusal, false),
            Self::Open(Failure::Faulted(fault)) | Self::Coming(Failure::Faulted(fault)) => {
                format!("{} {}", texts.fault_lead, telemetry::report("taking in a file", fault))
            }
            Self::Ended => f.interrupted.to_owned(),
            Self::TooSlow => f.too_slow.to_owned(),
            Self::SignedOut => f.signed_out.to_owned(),
        }
    }
}

fn answer(ask: &Ask, member: &Member, taking: Taking, taken: Taken) -> Result<Reply, Failure> {
    let place = Place::of(ask, member)?;
    if let (true, [(id, _)]) = (taken.refused.is_empty(), taken.received.as_slice()) {
        let word = if matches!(taking, Taking::Replacement) { "replaced" } else { "received" };
        return Ok(onward(member, &format!("{}/{id}", place.base), word));
    }
    if taken.refused.is_empty() {
        return Ok(onward(member, &place.base, "several"));
    }
    let status = taken.refused.first().map_or(StatusCode::BAD_REQUEST, |(_, why)| why.status());
    let received = taken
        .received
        .iter()
        .map(|(id, name)| Shown { name: name.to_string(), link: place.link(member, &id.to_string()) });
    let refused = taken.refused.iter().map(|(name, why)| Refused { why: why.said(member, name), name: name.clone() });
    let page = NotAll {
        frame: member.frame(ask),
        t: texts(member),
        f: upload_form::Texts::of(member.guest.language),
        received: received.collect(),
        refused: refused.collect(),
        is_cut: taken.is_cut,
        again: member.guest.link(&ask.path),
        place,
    };
    shown(status, &member.guest, &page)
}

/// The last part of a name: some browsers send the folder with it.
fn base_name(given: &str) -> &str {
    given.rsplit(['/', '\\']).next().unwrap_or_default().trim()
}

/// A name as it is shown again, which may be anything.
fn shown_name(given: &str) -> String {
    given.chars().filter(|c| !c.is_control()).take(MOST_SHOWN_CHARS).collect()
}

/// A name like this one that can be used.
fn suggested(given: &str) -> Option<String> {
    let plain = given.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' });
    let plain: String = plain.collect();
    let name = plain.trim_matches(|c| "._-".contains(c));
    UploadName::parse(name).ok().filter(|name| !name.is_temporary()).map(|name| name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_browsers_are_shown_and_suggested_without_harm() {
        assert_eq!(base_name("C:\\fakepath\\a.csv"), "a.csv");
        assert_eq!(base_name("../../etc/passwd"), "passwd");
        assert_eq!(base_name(".."), "..");
        assert_eq!(shown_name("a\r\nSet-Cookie: x\u{7}.csv"), "aSet-Cookie: x.csv");
        assert_eq!(shown_name(&"x".repeat(500)).len(), MOST_SHOWN_CHARS);
        assert_eq!(suggested("Deelnemers november (2).csv").as_deref(), Some("Deelnemers_november__2_.csv"));
        assert_eq!(suggested(".."), None);
    }
}
