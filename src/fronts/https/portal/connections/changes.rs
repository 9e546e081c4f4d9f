//! What the forms of a machine account do: keys, tokens, addresses, owner, its end. What
//! cannot be undone is asked again on a page of its own.

use askama::Template;
use hyper::StatusCode;
use jiff::civil::Date;

use super::account::{Wrong, showing, until};
use super::{
    Ask, Failure, Member, account_path, fingerprint_in, language_in, login_in, networks_in, onward, texts, told,
};
use crate::domain::ids::TokenId;
use crate::domain::moment::Moment;
use crate::domain::names::{EmailAddress, LoginName};
use crate::domain::refusal::{Refusal, What};
use crate::fronts::https::portal::form::Form;
use crate::fronts::https::portal::page::{Frame, message};
use crate::fronts::https::portal::texts::ConnectionTexts;
use crate::fronts::https::reply::Reply;
use crate::fronts::ssh_keys::judge_key;

/// A page that asks whether something is really meant.
#[derive(Template)]
#[template(path = "connections/confirm.html", config = "src/fronts/https/portal/askama.toml")]
struct Confirm {
    frame: Frame,
    t: &'static ConnectionTexts,
    token: String,
    title: &'static str,
    lead: &'static str,
    facts: Vec<(&'static str, String)>,
    action: String,
    button: &'static str,
    back: String,
    /// Fields that are sent again.
    hidden: Vec<(&'static str, String)>,
}

/// A token that was just made.
#[derive(Template)]
#[template(path = "connections/token.html", config = "src/fronts/https/portal/askama.toml")]
struct TokenMade {
    frame: Frame,
    t: &'static ConnectionTexts,
    login: String,
    secret: String,
    until: String,
    back: String,
}

/// Adds a key.
pub(in crate::fronts::https) fn add_key(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let (form, login) = (Form::read(&ask.content), login_in(ask)?);
    let given = form.field("until").trim();
    let expires_at = match (given, day_end(ask, given)) {
        ("", _) => None,
        (_, Some(at)) => Some(at),
        (_, None) => return wrong(ask, member, "key", texts(member).wrong_date.to_owned()),
    };
    let outcome = match judge_key(form.field("key")) {
        Ok(key) => ask.site.operations.add_machine_key(&member.visit.caller, &login, key, expires_at),
        Err(flaw) => {
            // whoever may not add one is not told what is wrong with it
            ask.site.operations.machine(&member.visit.caller, &login)?;
            Err(Refusal::from(flaw).into())
        }
    };
    done(ask, member, outcome, "key", &login, "key")
}

/// Whether a key is to be revoked.
pub(in crate::fronts::https) fn ask_revoke_key(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let (login, t) = (login_in(ask)?, texts(member));
    let fingerprint = fingerprint_in(ask.segment(1));
    let view = ask.site.operations.machine(&member.visit.caller, &login)?;
    let found = view.keys.iter().find(|one| one.key.fingerprint == fingerprint && one.key.revoked_at.is_none());
    let found = found.ok_or(Refusal::NotFound(What::Key))?;
    let facts = vec![(t.account, login.to_string()), (t.fingerprint, found.key.fingerprint.clone())];
    let path = format!("{}/keys/{}/revoke", account_path(&login), ask.segment(1));
    confirming(ask, member, &login, (t.revoke_key, t.revoke_key_lead, t.revoke), facts, (path, Vec::new()))
}

/// Revokes a key.
pub(in crate::fronts::https) fn revoke_key(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let (login, fingerprint) = (login_in(ask)?, fingerprint_in(ask.segment(1)));
    let outcome = ask.site.operations.revoke_machine_key(&member.visit.caller, &login, &fingerprint);
    done(ask, member, outcome, "key", &login, "key-revoked")
}

/// Makes a token and shows its secret, this once.
pub(in crate::fronts::https) fn add_token(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let (form, login, t) = (Form::read(&ask.content), login_in(ask)?, texts(member));
    let Some(expires_at) = day_end(ask, form.field("until").trim()) else {
        return wrong(ask, member, "token", t.wrong_date.to_owned());
    };
    let id = TokenId::parse(form.field("id")).map_err(|_| Refusal::NotFound(What::Token))?;
    match ask.site.operations.add_machine_token(&member.visit.caller, &login, id, expires_at) {
        Ok(made) => member.shown(&TokenMade {
            frame: member.frame(ask),
            t,
            login: login.to_string(),
            secret: made.secret,
            until: until(ask, member, made.token.expires_at),
            back: member.guest.link(&account_path(&login)),
        }),
        Err(failure) => done(ask, member, Err(failure), "token", &login, ""),
    }
}

/// Whether a token is to be revoked.
pub(in crate::fronts::https) fn ask_revoke_token(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let (login, id, t) = (login_in(ask)?, token_in(ask)?, texts(member));
    let view = ask.site.operations.machine(&member.visit.caller, &login)?;
    let found = view.tokens.iter().find(|one| one.token.id == id && one.token.revoked_at.is_none());
    found.ok_or(Refusal::NotFound(What::Token))?;
    let facts = vec![(t.account, login.to_string()), (t.token, id.to_string())];
    let path = format!("{}/tokens/{id}/revoke", account_path(&login));
    confirming(ask, member, &login, (t.revoke_token, t.revoke_token_lead, t.revoke), facts, (path, Vec::new()))
}

/// Revokes a token.
pub(in crate::fronts::https) fn revoke_token(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let (login, id) = (login_in(ask)?, token_in(ask)?);
    let outcome = ask.site.operations.revoke_machine_token(&member.visit.caller, &login, id);
    done(ask, member, outcome, "token", &login, "token-revoked")
}

/// Sets from where the account may sign in. Asks again when the address it came from last is not in the list.
pub(in crate::fronts::https) fn allow(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let (form, login, t) = (Form::read(&ask.content), login_in(ask)?, texts(member));
    let given = form.field("networks");
    let list = match networks_in(given) {
        Ok(list) => list,
        Err(refusal) => {
            let error = told::networks(t, &refusal);
            let networks = Some(given.chars().take(4_000).collect());
            return showing(ask, member, Some(Wrong { form: "networks", error, networks }));
        }
    };
    let view = ask.site.operations.machine(&member.visit.caller, &login)?;
    let left_out = view.last_use.and_then(|found| found.address).filter(|address| !list.allows(*address));
    if let Some(address) = left_out.filter(|_| form.field("sure") != "yes") {
        let facts = vec![
            (t.account, login.to_string()),
            (t.last_address, address.to_string()),
            (t.new_list, list.to_string().replace(',', ", ")),
        ];
        let hidden = vec![("networks", list.to_string()), ("sure", "yes".to_owned())];
        let path = format!("{}/allow-list", account_path(&login));
        let words = (t.left_out_title, t.left_out_lead, t.save_anyway);
        return confirming(ask, member, &login, words, facts, (path, hidden));
    }
    let outcome = ask.site.operations.change_allow_list(&member.visit.caller, &login, list);
    done(ask, member, outcome, "networks", &login, "networks")
}

/// Gives the account another owner, or its e-mails another language.
pub(in crate::fronts::https) fn own(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let (form, login) = (Form::read(&ask.content), login_in(ask)?);
    let Ok(owner) = EmailAddress::parse(form.field("owner").trim()) else {
        return wrong(ask, member, "owner", texts(member).wrong_owner.to_owned());
    };
    let outcome = ask.site.operations.change_owner(&member.visit.caller, &login, owner, language_in(&form));
    done(ask, member, outcome, "owner", &login, "owner")
}

/// Whether the account is to be ended.
pub(in crate::fronts::https) fn ask_end(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let (login, t) = (login_in(ask)?, texts(member));
    let view = ask.site.operations.machine(&member.visit.caller, &login)?;
    let facts = vec![(t.account, login.to_string()), (t.owner, view.account.mail_address().to_string())];
    let path = format!("{}/end", account_path(&login));
    confirming(ask, member, &login, (t.end_title, t.end_lead, t.end), facts, (path, Vec::new()))
}

/// Ends the account.
pub(in crate::fronts::https) fn end(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    ask.site.operations.end_machine(&member.visit.caller, &login_in(ask)?)?;
    Ok(onward(member, "/connections", "ended"))
}

fn confirming(
    ask: &Ask,
    member: &Member,
    login: &LoginName,
    (title, lead, button): (&'static str, &'static str, &'static str),
    facts: Vec<(&'static str, String)>,
    (path, hidden): (String, Vec<(&'static str, String)>),
) -> Result<Reply, Failure> {
    member.shown(&Confirm {
        frame: member.frame(ask),
        t: texts(member),
        token: member.visit.form_token.clone(),
        title,
        lead,
        facts,
        action: member.guest.link(&path),
        button,
        back: member.guest.link(&account_path(login)),
        hidden,
    })
}

/// Leads on after a change, or shows the page with what is wrong.
fn done(
    ask: &Ask,
    member: &Member,
    outcome: Result<(), Failure>,
    form: &'static str,
    login: &LoginName,
    word: &str,
) -> Result<Reply, Failure> {
    let t = texts(member);
    match outcome {
        Ok(()) => Ok(onward(member, &account_path(login), word)),
        Err(Failure::Refused(Refusal::Connection(flaw))) => {
            wrong(ask, member, form, told::flaw(t, member.guest.language, &flaw))
        }
        Err(Failure::Refused(Refusal::WrongState(_))) => {
            let (guest, texts) = (&member.guest, member.guest.texts());
            message(ask, guest, StatusCode::CONFLICT, texts.refused_title, texts.changed_meanwhile)
        }
        Err(failure) => Err(failure),
    }
}

fn wrong(ask: &Ask, member: &Member, form: &'static str, error: String) -> Result<Reply, Failure> {
    showing(ask, member, Some(Wrong { form, error, networks: None }))
}

fn token_in(ask: &Ask) -> Result<TokenId, Failure> {
    TokenId::parse(ask.segment(1)).map_err(|_| Refusal::NotFound(What::Token).into())
}

/// The end of a day that a form names.
fn day_end(ask: &Ask, text: &str) -> Option<Moment> {
    let day: Date = text.parse().ok()?;
    let begins = day.to_zoned(ask.site.config.portal.time_zone.clone()).ok()?.timestamp().as_millisecond();
    let begins = Moment::from_millis(u64::try_from(begins).ok()?);
    Some(ask.site.operations.calendar().midnight_closing(begins))
}
