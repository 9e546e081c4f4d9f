//! One participant file: its state, receipt and result, and taking it back.

use askama::Template;
use hyper::StatusCode;

use super::said::{Found, State};
use super::{Place, Uploader, moment, texts, upload_id};
use crate::domain::intake::IntakeState;
use crate::domain::refusal::Refusal;
use crate::domain::upload::UploadState;
use crate::fronts::https::portal::access::{done_in, onward};
use crate::fronts::https::portal::page::{Frame, message};
use crate::fronts::https::portal::texts::uploads::Texts;
use crate::fronts::https::portal::{Ask, Failure, Member, words};
use crate::fronts::https::reply::Reply;
use crate::operations::{OneUpload, ReceiptFile, ReceiptKey};

#[derive(Template)]
#[template(path = "uploads/one.html", config = "src/fronts/https/portal/askama.toml")]
struct One {
    frame: Frame,
    t: &'static Texts,
    place: Place,
    notice: &'static str,
    name: String,
    /// Where this page lies, and what is below it.
    path: String,
    id: String,
    product: String,
    by: Uploader,
    begun: String,
    received: String,
    size: String,
    digest: String,
    goes: String,
    state: State,
    /// The upload that this one is the same as, or that took its place.
    other: String,
    is_received: bool,
    may_take_back: bool,
    may_replace: bool,
    /// Only another account could change it.
    is_others: bool,
    key: Option<ReceiptKey>,
    result: Option<Found>,
}

#[derive(Template)]
#[template(path = "uploads/withdraw.html", config = "src/fronts/https/portal/askama.toml")]
struct Withdraw {
    frame: Frame,
    t: &'static Texts,
    place: Place,
    token: String,
    name: String,
    product: String,
    by: Uploader,
    is_received: bool,
    action: String,
    back: String,
}

/// The page of one upload.
pub(in crate::fronts::https) fn one(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let (operations, t, language) = (&ask.site.operations, texts(member), member.guest.language);
    let place = Place::of(ask, member)?;
    let found = operations.seen_upload(&member.visit.caller, upload_id(ask)?)?;
    let OneUpload { seen, receipt, may_take_back, may_replace } = &found;
    let upload = &seen.view.upload;
    let notice = match done_in(&ask.query) {
        "received" => t.done_received,
        "replaced" => t.done_replaced,
        "withdrawn" => t.done_withdrawn,
        _ => "",
    };
    let other = match seen.intake.as_ref().map(|intake| &intake.state) {
        Some(IntakeState::Duplicate { of, .. }) => place.link(member, &of.to_string()),
        Some(IntakeState::Replaced { by, .. }) => place.link(member, &by.to_string()),
        _ => String::new(),
    };
    let paper = |file: ReceiptFile| receipt.as_ref()?.papers.iter().find(|paper| paper.file == file);
    let is_unfinished = upload.state == UploadState::Unfinished;
    let can_change = seen.intake.as_ref().is_none_or(|intake| intake.may_be_taken_back());
    member.shown(&One {
        frame: member.frame(ask),
        t,
        notice,
        name: upload.name.to_string(),
        path: format!("{}/{}", place.base, upload.id),
        id: upload.id.to_string(),
        product: seen.product_name.to_string(),
        by: Uploader::of(seen),
        begun: moment(ask, member, upload.begun_at),
        received: seen.intake.as_ref().map(|intake| moment(ask, member, intake.received_at)).unwrap_or_default(),
        size: words::size(language, upload.size_bytes),
        digest: upload.state.sha256().map(|sha256| sha256.to_string()).unwrap_or_default(),
        goes: if is_unfinished {
            words::date(language, operations.last_day(upload.unfinished_until))
        } else {
            String::new()
        },
        state: State::of(t, seen),
        other,
        is_received: receipt.is_some(),
        may_take_back: *may_take_back,
        may_replace: *may_replace,
        is_others: can_change && upload.login != member.visit.caller.login,
        key: match paper(ReceiptFile::Receipt) {
            Some(_) => Some(operations.receipt_key()?),
            None => None,
        },
        result: paper(ReceiptFile::Result).and_then(|paper| Found::read(t, language, &paper.bytes)),
        place,
    })
}

/// Whether an upload is to be taken back.
pub(in crate::fronts::https) fn ask_withdrawal(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let place = Place::of(ask, member)?;
    let found = ask.site.operations.seen_upload(&member.visit.caller, upload_id(ask)?)?;
    let upload = &found.seen.view.upload;
    if !found.may_take_back {
        return too_late(ask, member);
    }
    member.shown(&Withdraw {
        frame: member.frame(ask),
        t: texts(member),
        token: member.visit.form_token.clone(),
        name: upload.name.to_string(),
        product: found.seen.product_name.to_string(),
        by: Uploader::of(&found.seen),
        is_received: found.receipt.is_some(),
        action: place.link(member, &format!("{}/withdraw", upload.id)),
        back: place.link(member, &upload.id.to_string()),
        place,
    })
}

/// Takes an upload back: one that was received is withdrawn, one that is on its way is removed.
pub(in crate::fronts::https) fn withdraw(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let (operations, caller, id) = (&ask.site.operations, &member.visit.caller, upload_id(ask)?);
    let place = Place::of(ask, member)?;
    let found = operations.seen_upload(caller, id)?;
    let upload = &found.seen.view.upload;
    let outcome = if found.receipt.is_some() {
        operations.withdraw_upload(caller, id)
    } else {
        operations.remove_upload(caller, &upload.product, &upload.name)
    };
    match outcome {
        Ok(()) if found.receipt.is_some() => Ok(onward(member, &format!("{}/{id}", place.base), "withdrawn")),
        Ok(()) => Ok(onward(member, &place.base, "removed")),
        Err(Failure::Refused(Refusal::WrongState(_) | Refusal::NotAllowed(_))) => too_late(ask, member),
        Err(failure) => Err(failure),
    }
}

/// It was handed over or ended meanwhile, or it is somebody else's.
pub(super) fn too_late(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let (t, guest) = (texts(member), &member.guest);
    message(ask, guest, StatusCode::CONFLICT, guest.texts().refused_title, t.changes_over)
}
