//! Terms of use of machine accounts: an administrator accepts them in the portal, the owner by the
//! link of an e-mail. Looking changes nothing.

use askama::Template;
use hyper::StatusCode;
use hyper::header::LOCATION;

use super::page::{Frame, last_day, message, shown};
use super::terms::{Accepting, number_in, text_of, too_late, until};
use super::texts::TermsTexts;
use super::{Ask, Failure, Guest, Member, words};
use crate::domain::names::LoginName;
use crate::domain::refusal::{Refusal, What};
use crate::fronts::https::reply::Reply;

#[derive(Template)]
#[template(path = "terms_machines.html", config = "src/fronts/https/portal/askama.toml")]
struct Machines {
    frame: Frame,
    words: &'static TermsTexts,
    token: String,
    name: String,
    number: u32,
    is_done: bool,
    is_changed: bool,
    rows: Vec<Machine>,
}

struct Machine {
    login: String,
    owner: String,
    /// Empty when it has no access any more.
    until: String,
}

/// Machine accounts for which the terms are to be accepted.
pub(in crate::fronts::https) fn machines(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let is_done = ask.query.split('&').any(|pair| pair == "done=accepted");
    listing(ask, member, is_done, false)
}

/// Accepts for one of them.
pub(in crate::fronts::https) fn accept_for_machine(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let login = LoginName::parse(ask.segment(0)).map_err(|_| Refusal::NotFound(What::Account))?;
    match ask.site.operations.accept_terms_for_machine(&member.visit.caller, &login, number_in(ask)) {
        Ok(()) => {
            let address = member.guest.link("/terms/machines");
            let joint = if address.contains('?') { '&' } else { '?' };
            Ok(Reply::empty(StatusCode::SEE_OTHER).with_text(LOCATION, &format!("{address}{joint}done=accepted")))
        }
        Err(Failure::Refused(Refusal::WrongState(_))) => listing(ask, member, false, true),
        Err(failure) => Err(failure),
    }
}

fn listing(ask: &Ask, member: &Member, is_done: bool, is_changed: bool) -> Result<Reply, Failure> {
    let operations = &ask.site.operations;
    let found = operations.machines_without_terms(&member.visit.caller)?;
    let version = operations.terms_to_accept()?;
    let rows = found.into_iter().map(|machine| Machine {
        login: machine.account.login.to_string(),
        owner: machine.account.mail_address().to_string(),
        until: machine.until.map(|until| last_day(operations, member.guest.language, until)).unwrap_or_default(),
    });
    member.shown(&Machines {
        frame: member.frame(ask),
        words: member.guest.terms_texts(),
        token: member.visit.form_token.clone(),
        name: version.as_ref().map(|version| version.name.to_string()).unwrap_or_default(),
        number: version.map_or(0, |version| version.number),
        is_done,
        is_changed,
        rows: rows.collect(),
    })
}

/// What the link of an e-mail to an owner opens.
pub(in crate::fronts::https) fn ask_owner(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    asking(ask, guest, false)
}

/// Takes the acceptance of an owner.
pub(in crate::fronts::https) fn accept_by_owner(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    let (login, code) = (ask.segment(0), ask.segment(1));
    match ask.site.operations.accept_terms_by_link(login, code, number_in(ask), &guest.visitor) {
        Ok(()) => {
            let texts = guest.terms_texts();
            let lead = format!("{} {login}", texts.owner_done_lead);
            message(ask, guest, StatusCode::OK, texts.owner_done_title, lead)
        }
        Err(Failure::Refused(Refusal::WrongState(_))) => asking(ask, guest, true),
        Err(Failure::Refused(Refusal::LinkClosed)) => closed(ask, guest),
        Err(failure) => Err(failure),
    }
}

fn asking(ask: &Ask, guest: &Guest, is_changed: bool) -> Result<Reply, Failure> {
    let (operations, texts) = (&ask.site.operations, guest.terms_texts());
    let (login, code) = (ask.segment(0), ask.segment(1));
    let account = match operations.look_at_terms_link(login, code) {
        Ok(account) => account,
        Err(Failure::Refused(Refusal::LinkClosed)) => return closed(ask, guest),
        Err(failure) => return Err(failure),
    };
    let Some(version) = operations.terms_to_accept()? else { return closed(ask, guest) };
    let page = Accepting {
        frame: Frame::of(ask, guest).on_terms(version.name.as_str()),
        words: texts,
        title: texts.owner_title,
        lead: texts.owner_lead,
        account: account.login.to_string(),
        name: version.name.to_string(),
        from: words::date(guest.language, operations.calendar().date_of(version.effective_at)),
        text: text_of(ask, guest, &version)?,
        action: format!("/terms/for/{}/{}", account.login, code.to_ascii_lowercase()),
        token: String::new(),
        number: version.number,
        is_own: false,
        is_changed,
        refusable_until: operations.terms_refusable()?.map(|one| until(ask, guest, &one)).unwrap_or_default(),
    };
    shown(StatusCode::OK, guest, &page)
}

#[derive(Template)]
#[template(path = "terms_refuse_machine.html", config = "src/fronts/https/portal/askama.toml")]
struct Refusing {
    frame: Frame,
    words: &'static TermsTexts,
    login: String,
    name: String,
    until: String,
    /// Where the owner came from.
    back: String,
}

/// Asks an owner whether they are sure (WCAG 2.2, 3.3.4).
pub(in crate::fronts::https) fn ask_owner_to_refuse(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    let (operations, code) = (&ask.site.operations, ask.segment(1));
    let account = match operations.look_at_terms_link(ask.segment(0), code) {
        Ok(account) => account,
        Err(Failure::Refused(Refusal::LinkClosed)) => return closed(ask, guest),
        Err(failure) => return Err(failure),
    };
    let Some(version) = operations.terms_refusable()? else { return too_late(ask, guest) };
    let page = Refusing {
        frame: Frame::of(ask, guest).on_terms(version.name.as_str()),
        words: guest.terms_texts(),
        login: account.login.to_string(),
        name: version.name.to_string(),
        until: until(ask, guest, &version),
        back: format!("/terms/for/{}/{}", account.login, code.to_ascii_lowercase()),
    };
    shown(StatusCode::OK, guest, &page)
}

/// Cancels a machine account for its owner, who does not accept the terms (I13).
pub(in crate::fronts::https) fn refuse_by_owner(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    let login = ask.segment(0);
    match ask.site.operations.refuse_terms_by_link(login, ask.segment(1), &guest.visitor) {
        Ok(()) => {
            let texts = guest.terms_texts();
            let lead = format!("{} {login}", texts.owner_refused_lead);
            message(ask, guest, StatusCode::OK, texts.owner_refused_title, lead)
        }
        Err(Failure::Refused(Refusal::WrongState(_))) => too_late(ask, guest),
        Err(Failure::Refused(Refusal::LinkClosed)) => closed(ask, guest),
        Err(failure) => Err(failure),
    }
}

fn closed(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    message(ask, guest, StatusCode::GONE, guest.texts().refused_title, guest.terms_texts().link_closed_lead)
}
