//! The portal: pages made on the server, in Dutch and English, that need no script. One file per
//! page, its template beside it. Whoever asks is a guest or a member; `permits` judges members.

mod access;
mod activate;
mod clients;
pub(super) mod connections;
mod deliveries;
mod delivery;
mod documents;
mod forgotten;
mod form;
mod glossary;
mod help;
mod instructions;
mod intermediary;
pub(super) mod office;
mod organisation;
mod page;
mod passkeys;
mod request;
mod security;
mod session;
mod sign_in;
mod start;
mod start_text;
mod style;
mod terms;
mod terms_machines;
mod texts;
pub(super) mod uploads;
mod words;

use std::net::IpAddr;

use hyper::StatusCode;
use hyper::header::{LOCATION, USER_AGENT};

pub(super) use access::{account, appoint, approve, grid, grid_csv, invite, overview, reject, resend, save};
pub(super) use activate::{app, choose, look};
pub(super) use clients::clients;
pub(super) use deliveries::list;
pub(super) use delivery::{archive, digests, download, one, packing_slip, slip};
pub(super) use documents::{document, documents};
pub(super) use forgotten::{ask_address, link_sent, take_address};
pub(super) use form::{Form, is_from_elsewhere};
pub(super) use glossary::glossary;
pub(super) use help::{contact, maintenance, misuse};
pub(super) use instructions::instructions;
pub(super) use intermediary::{
    ask_end, client_rights_csv, copy, end, intermediary, intermediary_account, intermediary_client, look_at_copy,
    save_client,
};
pub(super) use organisation::{ask_identity, organisation, save_card};
pub(super) use page::{broken, closed, elsewhere, missing};
pub(super) use passkeys::{
    add_passkey, ask_passkey, ask_removal, begin_passkey, check_passkey, remove_passkey, script,
};
pub(super) use request::{
    ask_organisation, ask_person, cancel, confirm_request, look_at_request, sent, take_organisation, take_person,
};
pub(super) use security::{
    ask_app, ask_codes, ask_new_password, begin_app, change_password, end_others, end_session, finish_app, make_codes,
    own_security, own_sign_ins,
};
pub(super) use session::{PATH as SESSION_PATH, stay, watch};
pub(super) use sign_in::{ask_code, ask_password, check_code, check_password, sign_out};
pub(super) use start::{start, welcome};
pub(super) use start_text::StartTexts;
pub(super) use style::{icon, laid_over, style_sheet};
pub(super) use terms::{accept, ask_to_accept, ask_to_refuse, one_version, refuse, terms};
pub(super) use terms_machines::{
    accept_by_owner, accept_for_machine, ask_owner, ask_owner_to_refuse, machines, refuse_by_owner,
};

use super::ask::Ask;
use super::reply::Reply;
use crate::config::sections::Language as Configured;
use crate::domain::account::Language;
use crate::domain::refusal::Refusal;
use crate::domain::restriction::Service;
use crate::operations::{Failure, OfficeVisit, PortalVisit, Visitor};
use texts::Texts;

/// Whoever asks for a page.
#[derive(Clone)]
pub(super) struct Guest {
    /// From where, and with what.
    pub(super) visitor: Visitor,
    /// The secret in the cookie, whatever it is worth.
    secret: Option<String>,
    /// The session, if it is worth one.
    pub(super) visit: Option<PortalVisit>,
    /// The session in the office, on the listener that has it.
    pub(super) desk: Option<OfficeVisit>,
    /// In which language to answer.
    language: Language,
    /// The language was asked for in the address: links keep it.
    language_was_asked: bool,
}

/// Somebody who is signed in.
pub(super) struct Member {
    guest: Guest,
    /// As whom.
    pub(super) visit: PortalVisit,
}

impl Guest {
    /// Whoever asks this. A session that has ended makes a guest without one.
    ///
    /// # Errors
    /// A fault of the store.
    pub(super) fn of(ask: &Ask, address: IpAddr) -> Result<Self, Failure> {
        let client = ask.header(USER_AGENT).map(str::to_owned);
        let visitor = Visitor { address, client };
        let operations = &ask.site.operations;
        // how long a session lasts is looked at by the page itself, not by a person
        let is_look = ask.is_at(session::PATH) && ask.method == hyper::Method::GET;
        let in_office = ask.is_in_office();
        let secret = if in_office { form::office_cookie(&ask.headers) } else { form::cookie(&ask.headers) };
        let secret = secret.map(str::to_owned);
        let found = match secret.as_deref() {
            Some(secret) if in_office => operations.office_visit(secret, &visitor).map(|desk| (None, Some(desk))),
            Some(secret) if is_look => operations.look_at_session(secret, &visitor).map(|visit| (Some(visit), None)),
            Some(secret) => operations.visit(secret, &visitor).map(|visit| (Some(visit), None)),
            None => Ok((None, None)),
        };
        let (visit, desk) = match found {
            Err(Failure::Refused(_)) => (None, None),
            found => found?,
        };
        let asked = language_in(&ask.query);
        let of_desk = desk.as_ref().map(|desk| desk.visit.account.language);
        let of_account = visit.as_ref().map(|visit| visit.account.language).or(of_desk);
        let of_browser = || {
            let accepted = ask.header(hyper::header::ACCEPT_LANGUAGE)?;
            let first = accepted.split([',', ';', '-']).next()?.trim();
            if first.eq_ignore_ascii_case("en") { Some(Language::English) } else { None }
        };
        let configured = match ask.site.config.portal.language {
            Configured::Dutch => Language::Dutch,
            Configured::English => Language::English,
        };
        let language = asked.or(of_account).or_else(of_browser).unwrap_or(configured);
        Ok(Self { visitor, secret, visit, desk, language, language_was_asked: asked.is_some() })
    }

    const fn texts(&self) -> &'static Texts {
        Texts::of(self.language)
    }

    /// The address of another page, in the language that was asked for.
    fn link(&self, path: &str) -> String {
        let tag = self.texts().tag;
        if self.language_was_asked { format!("{path}?lang={tag}") } else { path.to_owned() }
    }

    /// Leads on to a page that says what was done.
    fn onward_with(&self, path: &str, done: &str) -> Reply {
        let address = self.link(path);
        let joint = if address.contains('?') { '&' } else { '?' };
        Reply::empty(StatusCode::SEE_OTHER).with_text(LOCATION, &format!("{address}{joint}done={done}"))
    }

    /// Leads on to another page, which is asked for with GET.
    fn onward(&self, path: &str) -> Reply {
        Reply::empty(StatusCode::SEE_OTHER).with_text(LOCATION, &self.link(path))
    }
}

impl Member {
    /// The member, or where a guest who has to sign in first is led.
    ///
    /// # Errors
    /// The way to the page where they sign in.
    pub(super) fn of(guest: &Guest) -> Result<Self, Box<Reply>> {
        match guest.visit.clone() {
            Some(visit) => Ok(Self { guest: guest.clone(), visit }),
            None => {
                let has_been = guest.secret.is_some();
                let reply = guest.onward(if has_been { "/sign-in/again" } else { "/sign-in" });
                Err(Box::new(if has_been { form::without_cookie(reply) } else { reply }))
            }
        }
    }

    /// The way to the page where the terms of use are accepted.
    pub(super) fn to_the_terms(&self) -> Reply {
        self.guest.onward("/terms/accept")
    }

    /// The member, there where the path says.
    ///
    /// # Errors
    /// As `Ask::place`.
    pub(super) fn placed(mut self, ask: &Ask) -> Result<Self, Failure> {
        self.visit.caller = ask.place(&self.visit.caller)?;
        Ok(self)
    }

    /// Whether a form was made for this session.
    pub(super) fn sent(&self, form: &Form) -> bool {
        form.field("token") == self.visit.form_token
    }
}

/// The language that an address asks for.
fn language_in(query: &str) -> Option<Language> {
    query.split('&').find_map(|pair| match pair {
        "lang=nl" => Some(Language::Dutch),
        "lang=en" => Some(Language::English),
        _ => None,
    })
}

/// What a person is told of a refusal.
fn told(texts: &Texts, refusal: &Refusal) -> String {
    use crate::domain::refusal::PasswordFlaw as Flaw;
    match refusal {
        Refusal::WeakPassword(Flaw::TooShort { least }) => format!("{} {least}", texts.too_short),
        Refusal::WeakPassword(Flaw::TooLong { most }) => format!("{} {most}", texts.too_long),
        Refusal::WeakPassword(Flaw::OwnName) => texts.own_name.to_owned(),
        Refusal::WeakPassword(Flaw::Known) => texts.known.to_owned(),
        Refusal::WrongCode => texts.wrong_code.to_owned(),
        Refusal::FreeMail => texts.free_mail.to_owned(),
        Refusal::TriedTooOften { seconds } => format!("{} {seconds}", texts.tried_too_often),
        Refusal::NotSignedIn => texts.wrong_password.to_owned(),
        Refusal::NotFromHere(_) => texts.not_from_here.to_owned(),
        Refusal::Blocked | Refusal::BlockedCredential(_) => texts.blocked.to_owned(),
        Refusal::ServiceEnded(service) => match service {
            Service::Fetch => texts.fetch_ended.to_owned(),
            Service::Deliver => texts.deliver_ended.to_owned(),
            Service::Request => texts.request_ended.to_owned(),
        },
        Refusal::Ended(_) => texts.ended.to_owned(),
        Refusal::TermsNotAccepted { .. } => texts.terms_first.to_owned(),
        Refusal::LinkClosed => texts.link_closed_lead.to_owned(),
        Refusal::NotFound(_) => texts.not_found_lead.to_owned(),
        Refusal::Gone(_) => texts.gone_lead.to_owned(),
        Refusal::NotAllowed(_)
        | Refusal::Interrupted { .. }
        | Refusal::Exists(..)
        | Refusal::BadName(_)
        | Refusal::BadRequest(_)
        | Refusal::WrongState(_)
        | Refusal::NoAgreement { .. }
        | Refusal::NoRecipientKey(_)
        | Refusal::TooMuch(_)
        | Refusal::Connection(_)
        | Refusal::NoSpace
        | Refusal::Changed(_)
        | Refusal::ClockNotTrusted => refusal.to_string(),
    }
}
