//! One machine account: what it signs in with, from where, what came of its last attempts,
//! and how to test it.

use askama::Template;

use super::commands::{Client, Steps, clients, steps};
use super::{
    Ask, Failure, Member, account_path, day, done_in, key_segment, login_in, moment, state_of, texts, told, used,
};
use crate::domain::account::Language;
use crate::domain::history::Channel;
use crate::domain::moment::Moment;
use crate::fronts::https::portal::page::{Frame, last_day};
use crate::fronts::https::portal::texts::ConnectionTexts;
use crate::fronts::https::reply::Reply;
use crate::fronts::ssh_keys::kind_of;
use crate::operations::{Attempt, MachineView};

#[derive(Template)]
#[template(path = "connections/account.html", config = "src/fronts/https/portal/askama.toml")]
struct One {
    frame: Frame,
    t: &'static ConnectionTexts,
    token: String,
    notice: &'static str,
    error: String,
    /// The form that the error is about.
    wrong: &'static str,
    path: String,
    login: String,
    owner: String,
    english: bool,
    state: &'static str,
    tone: &'static str,
    used: String,
    used_from: String,
    networks: String,
    keys: Vec<Line>,
    tokens: Vec<Line>,
    token_id: String,
    token_until: String,
    token_latest: String,
    today: String,
    attempts: Vec<AttemptRow>,
    steps: Steps,
    clients: Vec<Client>,
}

/// A key or token in its table.
struct Line {
    name: String,
    kind: String,
    added: String,
    until: String,
    used: String,
    state: &'static str,
    tone: &'static str,
    /// Where it is revoked; empty when it is not valid any more.
    revoke: String,
}

struct AttemptRow {
    at: String,
    times: u32,
    how: &'static str,
    from: String,
    credential: String,
    client: String,
    text: String,
    tone: &'static str,
}

/// What was wrong with a form of the page.
pub(super) struct Wrong {
    pub(super) form: &'static str,
    pub(super) error: String,
    /// Networks as they were given.
    pub(super) networks: Option<String>,
}

/// The page of one machine account.
pub(in crate::fronts::https) fn one(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    showing(ask, member, None)
}

pub(super) fn showing(ask: &Ask, member: &Member, wrong: Option<Wrong>) -> Result<Reply, Failure> {
    let (operations, config) = (&ask.site.operations, &ask.site.config);
    let (login, t) = (login_in(ask)?, texts(member));
    let view = operations.machine(&member.visit.caller, &login)?;
    let attempts = operations.attempts(&member.visit.caller, &login)?;
    let facts = ask.site.facts()?;
    let notice = match done_in(&ask.query) {
        "made" => t.done_made,
        "key" => t.done_key,
        "key-revoked" => t.done_key_revoked,
        "token-revoked" => t.done_token_revoked,
        "owner" => t.done_owner,
        "networks" => t.done_networks,
        _ => "",
    };
    let (state, tone) = state_of(ask, t, &view.account);
    let outbox = &config.folders.outbox;
    let date = |at: Moment| operations.last_day(at).to_string();
    let (form, error, given) = match wrong {
        Some(Wrong { form, error, networks }) => (form, error, networks),
        None => ("", String::new(), None),
    };
    let list = &view.account.allow_from;
    let networks =
        given.unwrap_or_else(|| if list.is_open() { String::new() } else { list.to_string().replace(',', "\n") });
    member.shown(&One {
        frame: member.frame(ask),
        t,
        token: member.visit.form_token.clone(),
        notice,
        error,
        wrong: form,
        path: account_path(&login),
        login: login.to_string(),
        owner: view.account.mail_address().to_string(),
        english: view.account.language == Language::English,
        state,
        tone,
        used: used(ask, member, view.last_use.as_ref()),
        used_from: view
            .last_use
            .as_ref()
            .and_then(|found| found.address)
            .map(|address| address.to_string())
            .unwrap_or_default(),
        networks,
        keys: keys(ask, member, &view),
        tokens: tokens(ask, member, &view),
        token_id: operations.token_id().to_string(),
        token_until: date(operations.usual_token_end()),
        token_latest: date(operations.latest_token_end()),
        today: operations.calendar().date_of(operations.now()).to_string(),
        attempts: attempts.iter().map(|one| attempt_row(ask, member, one)).collect(),
        steps: steps(facts, login.as_str(), outbox),
        clients: clients(facts, &config.portal.base_url, login.as_str(), outbox),
    })
}

fn keys(ask: &Ask, member: &Member, view: &MachineView) -> Vec<Line> {
    let path = account_path(&view.account.login);
    let lines = view.keys.iter().map(|one| {
        let key = &one.key;
        let (state, tone) = validity(ask, texts(member), (key.revoked_at, key.expires_at), one.is_blocked);
        let revoke = if key.revoked_at.is_none() {
            member.guest.link(&format!("{path}/keys/{}/revoke", key_segment(&key.fingerprint)))
        } else {
            String::new()
        };
        Line {
            name: key.fingerprint.clone(),
            kind: kind_of(&key.line).to_owned(),
            added: day(ask, member, key.added_at),
            until: until(ask, member, key.expires_at),
            used: used(ask, member, one.last_use.as_ref()),
            state,
            tone,
            revoke,
        }
    });
    lines.collect()
}

fn tokens(ask: &Ask, member: &Member, view: &MachineView) -> Vec<Line> {
    let path = account_path(&view.account.login);
    let lines = view.tokens.iter().map(|one| {
        let token = &one.token;
        let (state, tone) = validity(ask, texts(member), (token.revoked_at, token.expires_at), one.is_blocked);
        let revoke = if token.revoked_at.is_none() {
            member.guest.link(&format!("{path}/tokens/{}/revoke", token.id))
        } else {
            String::new()
        };
        Line {
            name: token.id.to_string(),
            kind: String::new(),
            added: day(ask, member, token.added_at),
            until: until(ask, member, token.expires_at),
            used: used(ask, member, one.last_use.as_ref()),
            state,
            tone,
            revoke,
        }
    });
    lines.collect()
}

/// The last day on which it works, in words.
pub(super) fn until(ask: &Ask, member: &Member, expires_at: Option<Moment>) -> String {
    expires_at
        .map_or_else(|| texts(member).no_end.to_owned(), |at| last_day(&ask.site.operations, member.guest.language, at))
}

fn validity(
    ask: &Ask,
    t: &'static ConnectionTexts,
    (revoked_at, expires_at): (Option<Moment>, Option<Moment>),
    is_blocked: bool,
) -> (&'static str, &'static str) {
    let now = ask.site.operations.now();
    if revoked_at.is_some() {
        (t.state_revoked, "gone")
    } else if expires_at.is_some_and(|at| at <= now) {
        (t.state_ran_out, "gone")
    } else if is_blocked {
        (t.state_blocked, "gone")
    } else if expires_at.is_some_and(|at| at <= now.after(ask.site.config.connections.warn_before)) {
        (t.state_ends_soon, "busy")
    } else {
        (t.state_valid, "done")
    }
}

fn attempt_row(ask: &Ask, member: &Member, one: &Attempt) -> AttemptRow {
    let (text, tone) = told::attempt(texts(member), &one.outcome);
    AttemptRow {
        at: moment(ask, member, one.at),
        times: one.times,
        how: if one.channel == Channel::Sftp { "SFTP" } else { "API" },
        from: one.address.to_string(),
        credential: one.credential.trim_start_matches("token:").to_owned(),
        client: one.client.clone().unwrap_or_default(),
        text,
        tone,
    }
}
