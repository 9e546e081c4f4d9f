//! What somebody signs in with, and where they are signed in (P17 in part, PV12, PV14). Each change
//! asks for the password again; a key or code is shown once, in the answer that makes it.

use askama::Template;
use hyper::StatusCode;

use super::access::{done_in, onward};
use super::activate::{in_groups, qr};
use super::form::Form;
use super::page::{Frame, shown};
use super::texts::passkeys;
use super::texts::security::Texts;
use super::{Ask, Failure, Member, told, words};
use crate::domain::account::Language;
use crate::domain::credentials::Assurance;
use crate::domain::ids::SessionId;
use crate::domain::moment::Moment;
use crate::domain::refusal::{Refusal, What};
use crate::domain::sign_in_record::SessionEnd;
use crate::fronts::https::reply::Reply;
use crate::operations::{Operations, OwnSignIn};

/// Rows of one page.
const PAGE: usize = 50;

#[derive(Template)]
#[template(path = "security.html", config = "src/fronts/https/portal/askama.toml")]
struct Overview {
    frame: Frame,
    texts: &'static Texts,
    token: String,
    notice: &'static str,
    password_set: String,
    app_added: String,
    codes_left: usize,
    /// This portal offers passkeys.
    has_passkeys: bool,
    more: &'static passkeys::Texts,
    passkeys: Vec<Key>,
    sessions: Vec<Session>,
}

/// A passkey.
struct Key {
    id: String,
    name: String,
    added: String,
    used: String,
}

struct Session {
    id: String,
    is_this: bool,
    device: String,
    since: String,
    last_seen: String,
    address: String,
}

/// A page that asks for the password before something is changed; for a new one too when `least` is not 0.
#[derive(Template)]
#[template(path = "security_ask.html", config = "src/fronts/https/portal/askama.toml")]
struct AskAgain {
    frame: Frame,
    texts: &'static Texts,
    token: String,
    login: String,
    title: &'static str,
    lead: &'static str,
    action: &'static str,
    button: &'static str,
    error: String,
    least: usize,
}

#[derive(Template)]
#[template(path = "security_app.html", config = "src/fronts/https/portal/askama.toml")]
struct NewApp {
    frame: Frame,
    texts: &'static Texts,
    token: String,
    typed: String,
    qr_size: i32,
    qr_path: String,
}

#[derive(Template)]
#[template(path = "security_code.html", config = "src/fronts/https/portal/askama.toml")]
struct CodeAgain {
    frame: Frame,
    texts: &'static Texts,
    token: String,
    error: String,
}

#[derive(Template)]
#[template(path = "security_codes.html", config = "src/fronts/https/portal/askama.toml")]
struct Codes {
    frame: Frame,
    texts: &'static Texts,
    codes: Vec<String>,
}

#[derive(Template)]
#[template(path = "sign_ins.html", config = "src/fronts/https/portal/askama.toml")]
struct SignIns {
    frame: Frame,
    texts: &'static Texts,
    rows: Vec<SignInRow>,
    more: String,
}

struct SignInRow {
    begin: String,
    end: String,
    how: &'static str,
    with: &'static str,
    address: String,
    device: String,
}

fn texts_of(member: &Member) -> &'static Texts {
    Texts::of(member.guest.language)
}

/// What one signs in with, and where one is signed in.
pub(in crate::fronts::https) fn own_security(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let (operations, texts, language) = (&ask.site.operations, texts_of(member), member.guest.language);
    let own = operations.own_credentials(&member.visit)?;
    let moment = |at| moment(operations, language, at);
    let open = operations.own_open_sessions(&member.visit)?;
    let sessions = open.into_iter().map(|one| Session {
        id: one.session.to_string(),
        is_this: one.is_this,
        device: device(texts, &one.client),
        since: moment(one.begun_at),
        last_seen: moment(one.last_seen),
        address: one.address.map_or_else(|| texts.unknown.to_owned(), |address| address.to_string()),
    });
    let more = passkeys::Texts::of(language);
    let passkeys = operations.own_passkeys(&member.visit)?.into_iter().map(|one| Key {
        id: one.id.to_string(),
        name: one.name.to_string(),
        added: moment(one.added_at),
        used: one.last_used_at.map(moment).unwrap_or_default(),
    });
    member.shown(&Overview {
        frame: member.frame(ask),
        texts,
        token: member.visit.form_token.clone(),
        notice: match done_in(&ask.query) {
            "password" => texts.done_password,
            "app" => texts.done_app,
            "ended" => texts.done_ended,
            "others" => texts.done_others,
            "passkey" => more.done_added,
            "passkey-removed" => more.done_removed,
            _ => "",
        },
        password_set: own.password_set_at.map(moment).unwrap_or_default(),
        app_added: own.apps.last().copied().map(moment).unwrap_or_default(),
        codes_left: own.recovery_codes_left,
        has_passkeys: operations.offers_passkeys(ask.door()),
        more,
        passkeys: passkeys.collect(),
        sessions: sessions.collect(),
    })
}

/// Begin and end of one's sessions.
pub(in crate::fronts::https) fn own_sign_ins(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let (operations, texts) = (&ask.site.operations, texts_of(member));
    let after = ask.query.split('&').find_map(|pair| pair.strip_prefix("after=")).and_then(place_in);
    let page = operations.own_sign_ins(&member.visit, after, PAGE)?;
    let more = page.last().filter(|_| page.len() >= PAGE).map(|last| {
        let next = member.guest.link("/security/sign-ins");
        let joint = if next.contains('?') { '&' } else { '?' };
        format!("{next}{joint}after={}.{}", last.begun_at.millis(), last.session)
    });
    let rows = page.iter().map(|one| row(operations, texts, member.guest.language, one)).collect();
    member.shown(&SignIns { frame: member.frame(ask), texts, rows, more: more.unwrap_or_default() })
}

fn place_in(text: &str) -> Option<(Moment, SessionId)> {
    let (begun_at, session) = text.split_once('.')?;
    Some((Moment::from_millis(begun_at.parse().ok()?), SessionId::parse(session).ok()?))
}

fn row(operations: &Operations, texts: &'static Texts, language: Language, one: &OwnSignIn) -> SignInRow {
    let place = one.place.as_ref();
    SignInRow {
        begin: moment(operations, language, one.begun_at),
        end: one.ended_at.map(|at| moment(operations, language, at)).unwrap_or_default(),
        how: one.ending.map(|ending| how(texts, ending)).unwrap_or_default(),
        with: with(texts, one.assurance),
        address: place.map_or_else(|| texts.unknown.to_owned(), |place| place.address.to_string()),
        device: place.map_or_else(|| texts.unknown.to_owned(), |place| device(texts, &place.client)),
    }
}

/// Asks for the old and the new password.
pub(in crate::fronts::https) fn ask_new_password(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    asking_password(ask, member, StatusCode::OK, String::new())
}

/// Takes them.
pub(in crate::fronts::https) fn change_password(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let (form, texts) = (Form::read(&ask.content), member.guest.texts());
    let wanted = form.field("password");
    if wanted != form.field("again") {
        return asking_password(ask, member, StatusCode::OK, texts.not_the_same.to_owned());
    }
    let outcome =
        ask.site.operations.change_password(&member.visit, form.field("current"), wanted, &member.guest.visitor);
    match outcome {
        Ok(()) => Ok(onward(member, "/security", "password")),
        Err(failure) => {
            let (status, error) = mistake(member, failure)?;
            asking_password(ask, member, status, error)
        }
    }
}

fn asking_password(ask: &Ask, member: &Member, status: StatusCode, error: String) -> Result<Reply, Failure> {
    let texts = texts_of(member);
    let least = ask.site.config.sign_in.min_password_chars;
    let words = (texts.change_password, texts.password_lead, "/security/password", texts.change_password);
    asking(ask, member, status, words, error, least)
}

/// Asks for the password before the app is replaced.
pub(in crate::fronts::https) fn ask_app(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    asking_app(ask, member, StatusCode::OK, String::new())
}

/// Shows the key of the new app, this once.
pub(in crate::fronts::https) fn begin_app(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let form = Form::read(&ask.content);
    match ask.site.operations.begin_app(&member.visit, form.field("current"), &member.guest.visitor) {
        Ok(enrolment) => {
            let (qr_size, qr_path) = qr(&enrolment)?;
            member.shown(&NewApp {
                frame: member.frame(ask),
                texts: texts_of(member),
                token: member.visit.form_token.clone(),
                typed: in_groups(&enrolment.typed),
                qr_size,
                qr_path,
            })
        }
        Err(failure) => {
            let (status, error) = mistake(member, failure)?;
            asking_app(ask, member, status, error)
        }
    }
}

/// Takes the first code of the new app.
pub(in crate::fronts::https) fn finish_app(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let form = Form::read(&ask.content);
    match ask.site.operations.finish_app(&member.visit, form.field("code"), &member.guest.visitor) {
        Ok(()) => Ok(onward(member, "/security", "app")),
        Err(Failure::Refused(Refusal::WrongState(_))) => {
            asking_app(ask, member, StatusCode::OK, texts_of(member).again_app.to_owned())
        }
        Err(failure) => {
            let (status, error) = mistake(member, failure)?;
            let (frame, texts) = (member.frame(ask), texts_of(member));
            let page = CodeAgain { frame, texts, token: member.visit.form_token.clone(), error };
            shown(status, &member.guest, &page)
        }
    }
}

fn asking_app(ask: &Ask, member: &Member, status: StatusCode, error: String) -> Result<Reply, Failure> {
    let texts = texts_of(member);
    let words = (texts.replace_app, texts.app_lead, "/security/app", member.guest.texts().next);
    asking(ask, member, status, words, error, 0)
}

/// Asks for the password before new recovery codes are made.
pub(in crate::fronts::https) fn ask_codes(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    asking_codes(ask, member, StatusCode::OK, String::new())
}

/// Makes them and shows them, this once.
pub(in crate::fronts::https) fn make_codes(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let form = Form::read(&ask.content);
    match ask.site.operations.make_recovery_codes(&member.visit, form.field("current"), &member.guest.visitor) {
        Ok(codes) => member.shown(&Codes { frame: member.frame(ask), texts: texts_of(member), codes }),
        Err(failure) => {
            let (status, error) = mistake(member, failure)?;
            asking_codes(ask, member, status, error)
        }
    }
}

fn asking_codes(ask: &Ask, member: &Member, status: StatusCode, error: String) -> Result<Reply, Failure> {
    let texts = texts_of(member);
    let words = (texts.new_codes, texts.codes_lead, "/security/recovery-codes", texts.new_codes);
    asking(ask, member, status, words, error, 0)
}

/// Ends another session of one's own.
pub(in crate::fronts::https) fn end_session(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let session = SessionId::parse(ask.segment(0)).map_err(|_| Refusal::NotFound(What::Session))?;
    match ask.site.operations.end_own_session(&member.visit, session) {
        // it may have ended by itself since the page was made
        Ok(()) | Err(Failure::Refused(Refusal::NotFound(What::Session))) => Ok(onward(member, "/security", "ended")),
        Err(failure) => Err(failure),
    }
}

/// Ends all others.
pub(in crate::fronts::https) fn end_others(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    ask.site.operations.end_other_sessions(&member.visit)?;
    Ok(onward(member, "/security", "others"))
}

fn asking(
    ask: &Ask,
    member: &Member,
    status: StatusCode,
    (title, lead, action, button): (&'static str, &'static str, &'static str, &'static str),
    error: String,
    least: usize,
) -> Result<Reply, Failure> {
    let page = AskAgain {
        frame: member.frame(ask),
        texts: texts_of(member),
        token: member.visit.form_token.clone(),
        login: member.visit.account.login.to_string(),
        title,
        lead,
        action,
        button,
        error,
        least,
    };
    shown(status, &member.guest, &page)
}

/// What is said of a mistake in a form, and the status of the page; anything else is a page of its own.
fn mistake(member: &Member, failure: Failure) -> Result<(StatusCode, String), Failure> {
    match failure {
        Failure::Refused(Refusal::NotSignedIn) => Ok((StatusCode::OK, texts_of(member).current_wrong.to_owned())),
        Failure::Refused(refusal @ Refusal::TriedTooOften { .. }) => {
            Ok((StatusCode::TOO_MANY_REQUESTS, told(member.guest.texts(), &refusal)))
        }
        Failure::Refused(refusal @ (Refusal::WeakPassword(_) | Refusal::WrongCode)) => {
            Ok((StatusCode::OK, told(member.guest.texts(), &refusal)))
        }
        other => Err(other),
    }
}

/// Such as `23 november 2026 14:05`.
fn moment(operations: &Operations, language: Language, at: Moment) -> String {
    let calendar = operations.calendar();
    format!("{} {}", words::date(language, calendar.date_of(at)), calendar.time_of(at))
}

const fn how(texts: &'static Texts, ending: SessionEnd) -> &'static str {
    match ending {
        SessionEnd::SignedOut => texts.ended_out,
        SessionEnd::Unused => texts.ended_unused,
        SessionEnd::LastedLongest => texts.ended_longest,
        SessionEnd::NotAllowed => texts.ended_not_allowed,
        SessionEnd::Crowded => texts.ended_crowded,
        SessionEnd::PasswordChanged => texts.ended_password,
        SessionEnd::EndedElsewhere => texts.ended_elsewhere,
        SessionEnd::FactorChanged => texts.ended_factor,
    }
}

const fn with(texts: &'static Texts, assurance: Assurance) -> &'static str {
    match assurance {
        Assurance::PasswordAndCode => texts.by_code,
        Assurance::PasswordAndRecoveryCode => texts.by_recovery,
        Assurance::PasswordAndPasskey => texts.by_passkey_second,
    }
}

/// What a browser calls itself, as people know it; the first of each list that is found in it.
fn device(texts: &'static Texts, client: &str) -> String {
    const BROWSERS: [(&str, &str); 6] = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ];
    const SYSTEMS: [(&str, &str); 7] = [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS X", "Mac"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ];
    let first = |of: &[(&str, &'static str)]| of.iter().find(|(mark, _)| client.contains(mark)).map(|(_, name)| *name);
    match (first(&BROWSERS), first(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser}, {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) if client.is_empty() => texts.unknown.to_owned(),
        (None, None) => client.chars().take(60).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_named_as_people_know_them() {
        let name = |client| device(Texts::of(Language::Dutch), client);
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0";
        assert_eq!(name(edge), "Edge, Windows");
        assert_eq!(name("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"), "Firefox, Linux");
        assert_eq!(name("curl/8.5"), "curl");
        assert_eq!((name(""), name("robot")), ("onbekend".to_owned(), "robot".to_owned()));
    }
}
