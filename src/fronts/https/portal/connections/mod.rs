//! Connections (P14): machine accounts of the own organisation, with their keys, tokens and
//! addresses; what clients must know of the server. For administrators.

mod account;
mod changes;
mod commands;
mod server;
mod told;

use askama::Template;

pub(in crate::fronts::https) use account::one;
pub(in crate::fronts::https) use changes::{
    add_key, add_token, allow, ask_end, ask_revoke_key, ask_revoke_token, end, own, revoke_key, revoke_token,
};
pub(in crate::fronts::https) use server::server;

use super::form::Form;
use super::page::Frame;
use super::texts::ConnectionTexts;
use super::{Ask, Failure, Member, words};
use crate::domain::account::{Account, Language};
use crate::domain::allow_list::AllowList;
use crate::domain::block::Access;
use crate::domain::connections::login_prefix;
use crate::domain::moment::Moment;
use crate::domain::names::{EmailAddress, LoginName};
use crate::domain::refusal::{Refusal, What};
use crate::fronts::https::reply::Reply;
use crate::operations::{LastUse, MachineView, NewMachine};

#[derive(Template)]
#[template(path = "connections/overview.html", config = "src/fronts/https/portal/askama.toml")]
struct Overview {
    frame: Frame,
    t: &'static ConnectionTexts,
    token: String,
    notice: &'static str,
    error: String,
    rows: Vec<Row>,
    login: String,
    owner: String,
    english: bool,
    networks: String,
}

struct Row {
    login: String,
    owner: String,
    keys: usize,
    tokens: usize,
    used: String,
    state: &'static str,
    tone: &'static str,
}

/// What stands in the form for a new account.
struct Given {
    login: String,
    owner: String,
    language: Language,
    networks: String,
}

/// The machine accounts of the organisation.
pub(in crate::fronts::https) fn overview(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let account = &member.visit.account;
    let given = Given {
        login: format!("{}sftp", login_prefix(&account.organisation)),
        owner: account.mail_address().to_string(),
        language: account.language,
        networks: String::new(),
    };
    overviewing(ask, member, given, String::new())
}

/// Makes a machine account.
pub(in crate::fronts::https) fn add(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let (form, t) = (Form::read(&ask.content), texts(member));
    let given = Given {
        login: form.field("login").trim().to_owned(),
        owner: form.field("owner").trim().to_owned(),
        language: language_in(&form),
        networks: form.field("networks").to_owned(),
    };
    let Ok(login) = LoginName::parse(&given.login) else {
        let prefix = login_prefix(&member.visit.account.organisation);
        return overviewing(ask, member, given, format!("{} {prefix}…", t.wrong_login));
    };
    let Ok(owner) = EmailAddress::parse(&given.owner) else {
        return overviewing(ask, member, given, t.wrong_owner.to_owned());
    };
    let allow_from = match networks_in(&given.networks) {
        Ok(list) => list,
        Err(refusal) => return overviewing(ask, member, given, told::networks(t, &refusal)),
    };
    let new = NewMachine { login: login.clone(), owner, language: given.language, allow_from };
    match ask.site.operations.add_machine(&member.visit.caller, new) {
        Ok(()) => Ok(onward(member, &account_path(&login), "made")),
        Err(Failure::Refused(Refusal::Connection(flaw))) => {
            overviewing(ask, member, given, told::flaw(t, member.guest.language, &flaw))
        }
        Err(failure) => Err(failure),
    }
}

fn overviewing(ask: &Ask, member: &Member, given: Given, error: String) -> Result<Reply, Failure> {
    let (machines, t) = (ask.site.operations.machines(&member.visit.caller)?, texts(member));
    let notice = if done_in(&ask.query) == "ended" { t.done_ended } else { "" };
    member.shown(&Overview {
        frame: member.frame(ask),
        t,
        token: member.visit.form_token.clone(),
        notice,
        error,
        rows: machines.iter().map(|view| row(ask, member, view)).collect(),
        login: given.login,
        owner: given.owner,
        english: given.language == Language::English,
        networks: given.networks,
    })
}

fn row(ask: &Ask, member: &Member, view: &MachineView) -> Row {
    let now = ask.site.operations.now();
    let (state, tone) = state_of(ask, texts(member), &view.account);
    Row {
        login: view.account.login.to_string(),
        owner: view.account.mail_address().to_string(),
        keys: view.keys.iter().filter(|one| one.key.is_valid(now)).count(),
        tokens: view.tokens.iter().filter(|one| one.token.is_valid(now)).count(),
        used: used(ask, member, view.last_use.as_ref()),
        state,
        tone,
    }
}

/// The texts of these pages, in the language of the member.
const fn texts(member: &Member) -> &'static ConnectionTexts {
    ConnectionTexts::of(member.guest.language)
}

fn state_of(ask: &Ask, t: &'static ConnectionTexts, account: &Account) -> (&'static str, &'static str) {
    match account.standing.at(ask.site.operations.now()) {
        Access::Open => (t.state_active, "done"),
        Access::Blocked => (t.state_blocked, "gone"),
        Access::Ended => (t.state_ended, "gone"),
    }
}

/// Day and time, such as `23 november 2026, 14:05`.
fn moment(ask: &Ask, member: &Member, at: Moment) -> String {
    let calendar = ask.site.operations.calendar();
    format!("{}, {}", words::date(member.guest.language, calendar.date_of(at)), calendar.time_of(at))
}

fn day(ask: &Ask, member: &Member, at: Moment) -> String {
    words::date(member.guest.language, ask.site.operations.calendar().date_of(at))
}

fn used(ask: &Ask, member: &Member, found: Option<&LastUse>) -> String {
    found.map_or_else(|| texts(member).never_used.to_owned(), |found| moment(ask, member, found.at))
}

fn language_in(form: &Form) -> Language {
    if form.field("language") == "en" { Language::English } else { Language::Dutch }
}

/// Networks with commas, spaces or lines between them; none for every address.
fn networks_in(text: &str) -> Result<AllowList, Refusal> {
    let given: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c == ',' || c == ';').filter(|part| !part.is_empty()).collect();
    if given.is_empty() { Ok(AllowList::default()) } else { AllowList::parse(&given) }
}

fn login_in(ask: &Ask) -> Result<LoginName, Failure> {
    LoginName::parse(ask.segment(0)).map_err(|_| Refusal::NotFound(What::Account).into())
}

fn account_path(login: &LoginName) -> String {
    format!("/connections/accounts/{login}")
}

/// A fingerprint as it stands in a path.
fn key_segment(fingerprint: &str) -> String {
    fingerprint.trim_start_matches("SHA256:").replace('+', "-").replace('/', "_")
}

/// The fingerprint in a path.
fn fingerprint_in(segment: &str) -> String {
    format!("SHA256:{}", segment.replace('-', "+").replace('_', "/"))
}

fn done_in(query: &str) -> &str {
    query.split('&').find_map(|pair| pair.strip_prefix("done=")).unwrap_or_default()
}

/// Leads on to a page that says what was done.
fn onward(member: &Member, to: &str, word: &str) -> Reply {
    let address = member.guest.link(to);
    let joint = if address.contains('?') { '&' } else { '?' };
    Reply::empty(hyper::StatusCode::SEE_OTHER)
        .with_text(hyper::header::LOCATION, &format!("{address}{joint}done={word}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_passes_through_a_path() {
        let fingerprint = "SHA256:a+b/c+d/eFGH0123";
        assert_eq!(key_segment(fingerprint), "a-b_c-d_eFGH0123");
        assert_eq!(fingerprint_in(&key_segment(fingerprint)), fingerprint);
    }

    #[test]
    fn networks_stand_on_lines_or_between_commas() {
        let list = networks_in(" 192.0.2.0/24,\r\n2001:db8::/32;198.51.100.7 ").unwrap();
        assert_eq!(list.to_string(), "192.0.2.0/24,198.51.100.7,2001:db8::/32");
        assert!(networks_in(" \r\n ").unwrap().is_open() && networks_in("any").unwrap().is_open());
        assert!(networks_in("192.0.2.7/24").is_err());
    }
}
