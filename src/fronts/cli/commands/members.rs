//! Commands about organisations, accounts and their keys and tokens.

use std::path::Path;

use serde_json::{Value, json};

use super::texts::{all_pages, read_text};
use super::{Office, blocks};
use crate::domain::account::{AccountKind, Language};
use crate::domain::allow_list::AllowList;
use crate::domain::credential_block::token_credential;
use crate::domain::history::Channel;
use crate::domain::ids::{LinkId, TokenId};
use crate::domain::names::{EmailAddress, Kvk, Line, LoginName, MailDomain, NameFault, Oin, OrganisationCode};
use crate::domain::proposal::ProposedAct;
use crate::domain::refusal::{Refusal, What};
use crate::domain::restriction::Restricted;
use crate::fronts::cli::{Answer, args};
use crate::fronts::forms;
use crate::fronts::ssh_keys::judge_key;
use crate::operations::{
    Attempt, Failure, Judge, NewAccount, NewOrganisation, Officer, OrganisationChange, StandingChange, Telling,
};

const CHANNEL: Channel = Channel::CommandLine;

pub(super) fn organisation(office: &Office, command: args::Organisation) -> Result<Answer, Failure> {
    let operations = &office.operations;
    match command {
        args::Organisation::Add { code, name, oin, kvk, mail_domains } => {
            let new = NewOrganisation {
                code: OrganisationCode::parse(&code)?,
                name: Line::parse(&name)?,
                oin: oin.as_deref().map(Oin::parse).transpose()?,
                kvk: kvk.as_deref().map(Kvk::parse).transpose()?,
                mail_domains: domains(&mail_domains)?,
            };
            let added = operations.add_organisation(new, CHANNEL)?;
            Ok(Answer::said(format!("added organisation {code}"), forms::organisation(&added)))
        }
        args::Organisation::List => {
            let rows = all_pages(|last| {
                operations.organisations(last.map(|row: &crate::domain::organisation::Organisation| &row.code))
            })?;
            Ok(Answer::list(
                rows.iter().map(forms::organisation).collect(),
                &["code", "name", "oin", "kvk", "standing", "allowFrom"],
            ))
        }
        args::Organisation::Show { code } => shown(office, &OrganisationCode::parse(&code)?),
        args::Organisation::Change { code, name, oin, kvk, mail_domains, allow_from } => {
            let code = OrganisationCode::parse(&code)?;
            let change = OrganisationChange {
                name: name.as_deref().map(Line::parse).transpose()?,
                oin: oin.as_deref().map(Oin::parse).transpose()?,
                kvk: kvk.as_deref().map(Kvk::parse).transpose()?,
                mail_domains: if mail_domains.is_empty() { None } else { Some(domains(&mail_domains)?) },
                allow_from: if allow_from.is_empty() { None } else { Some(AllowList::parse(&allow_from)?) },
            };
            operations.change_organisation(&code, change, CHANNEL)?;
            shown(office, &code)
        }
        args::Organisation::Block(block) => {
            let code = OrganisationCode::parse(&block.code)?;
            let telling = blocks::telling(block.inform_user, block.reason_code);
            operations.change_organisation_standing_telling(&code, blocking(office, &block)?, telling, CHANNEL)?;
            shown(office, &code)
        }
        args::Organisation::Unblock { code } => {
            let code = OrganisationCode::parse(&code)?;
            operations.change_organisation_standing(&code, StandingChange::Unblock, CHANNEL)?;
            shown(office, &code)
        }
        args::Organisation::ChangeRequest(command) => super::identity::change_request(office, command),
        args::Organisation::RotateKey { code } => super::keys::rotate_organisation(office, &code),
        args::Organisation::End(end) => {
            let code = OrganisationCode::parse(&end.code)?;
            let telling = blocks::telling(end.inform_user, None);
            operations.change_organisation_standing_telling(&code, ending(&end)?, telling, CHANNEL)?;
            shown(office, &code)
        }
        args::Organisation::Restrict(end) => {
            let code = OrganisationCode::parse(&end.code)?;
            blocks::restrict(office, Restricted::Organisation(code.clone()), &end)?;
            shown(office, &code)
        }
        args::Organisation::Lift(lift) => {
            let code = OrganisationCode::parse(&lift.code)?;
            blocks::lift(office, Restricted::Organisation(code.clone()), &lift)?;
            shown(office, &code)
        }
    }
}

pub(super) fn shown(office: &Office, code: &OrganisationCode) -> Result<Answer, Failure> {
    let mut form = forms::organisation(&office.operations.organisation(code)?);
    if let Some(members) = form.as_object_mut() {
        members.insert("contacts".to_owned(), super::identity::contacts(office, code)?);
    }
    Ok(Answer::one(blocks::with_ended_services(office, form, &Restricted::Organisation(code.clone()))?))
}

fn domains(texts: &[String]) -> Result<Vec<MailDomain>, NameFault> {
    texts.iter().map(|text| MailDomain::parse(text)).collect()
}

pub(super) fn blocking(office: &Office, block: &args::Block) -> Result<StandingChange, Failure> {
    let until = block.until.as_deref().map(|text| office.until(text)).transpose()?;
    Ok(StandingChange::Block { reason: Line::parse(&block.reason)?, until })
}

pub(super) fn ending(end: &args::End) -> Result<StandingChange, Failure> {
    Ok(StandingChange::End {
        reason: end.reason.map(blocks::end_reason),
        note: end.note.as_deref().map(Line::parse).transpose()?,
    })
}

pub(super) fn recipient_key(
    office: &Office,
    command: args::RecipientKey,
    folder: &Path,
    by: Officer,
) -> Result<Answer, Failure> {
    let operations = &office.operations;
    match command {
        args::RecipientKey::Add { organisation, file } => {
            let code = OrganisationCode::parse(&organisation)?;
            let text = read_text(folder, &file)?;
            let lines: Vec<&str> =
                text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
            if lines.is_empty() {
                return Err(Refusal::BadRequest(format!("{} holds no key", file.display())).into());
            }
            if operations.asks_two() {
                return super::proposals::keys(office, &code, &lines, by);
            }
            let mut added = Vec::new();
            for line in lines {
                added.push(forms::recipient_key(&operations.add_recipient_key(&code, line, CHANNEL)?));
            }
            Ok(Answer::list(added, RECIPIENT_KEY_COLUMNS))
        }
        args::RecipientKey::List { organisation } => {
            let keys = operations.recipient_keys(&OrganisationCode::parse(&organisation)?)?;
            Ok(Answer::list(keys.iter().map(forms::recipient_key).collect(), RECIPIENT_KEY_COLUMNS))
        }
        args::RecipientKey::Retire { organisation, fingerprint, from } => {
            let code = OrganisationCode::parse(&organisation)?;
            let from = from.as_deref().map(|text| office.from(text)).transpose()?;
            let act = ProposedAct::RetireRecipientKey { organisation: code, fingerprint: fingerprint.clone(), from };
            if let Some(proposal) = operations.do_or_propose(act, by)? {
                return Ok(super::proposals::waits(&[proposal]));
            }
            Ok(Answer::said(format!("retired {fingerprint}"), json!({ "fingerprint": fingerprint })))
        }
    }
}

const RECIPIENT_KEY_COLUMNS: &[&str] = &["organisation", "fingerprint", "addedAt", "retiredAt"];

pub(super) fn account(office: &Office, command: args::Account) -> Result<Answer, Failure> {
    let operations = &office.operations;
    match command {
        args::Account::Add { login, organisation, kind, owner, administrator, client, language } => {
            let login = LoginName::parse(&login)?;
            let kind = match (kind, owner) {
                (args::Kind::Machine, Some(owner)) => AccountKind::Machine { owner: EmailAddress::parse(&owner)? },
                (args::Kind::Machine, None) => {
                    return Err(
                        Refusal::BadRequest("a machine account needs a named owner: --owner EMAIL".to_owned()).into()
                    );
                }
                (args::Kind::Person, None) => AccountKind::Person { email: EmailAddress::parse(login.as_str())? },
                (args::Kind::Person, Some(_)) => {
                    return Err(
                        Refusal::BadRequest("a person owns the own account; leave --owner out".to_owned()).into()
                    );
                }
            };
            let new = NewAccount {
                login,
                organisation: OrganisationCode::parse(&organisation)?,
                kind,
                is_administrator: administrator,
                language: match language {
                    args::Language::Nl => Language::Dutch,
                    args::Language::En => Language::English,
                },
            };
            let client = client.as_deref().map(OrganisationCode::parse).transpose()?;
            let added = match client {
                Some(client) => operations.add_account_for_client(new, client, CHANNEL)?,
                None => operations.add_account(new, CHANNEL)?,
            };
            Ok(Answer::said(format!("added account {} of {organisation}", added.login), forms::account(&added)))
        }
        args::Account::List => {
            let rows =
                all_pages(|last| operations.accounts(last.map(|row: &crate::domain::account::Account| &row.login)))?;
            let columns = ["login", "organisation", "kind", "owner", "administrator", "standing", "allowFrom"];
            Ok(Answer::list(rows.iter().map(forms::account).collect(), &columns))
        }
        args::Account::Show { login } => shown_account(office, &LoginName::parse(&login)?),
        args::Account::Attempts { login } => {
            let seen = operations.attempts_seen(&LoginName::parse(&login)?, CHANNEL)?;
            let columns = ["at", "times", "channel", "address", "credential", "outcome", "client"];
            Ok(Answer::list(seen.iter().map(attempt).collect(), &columns))
        }
        args::Account::Change { login, allow_from, owner } => {
            let login = LoginName::parse(&login)?;
            match owner {
                Some(owner) => operations.give_to_owner(&login, EmailAddress::parse(&owner)?, CHANNEL)?,
                None => operations.change_account(&login, AllowList::parse(&allow_from)?, CHANNEL)?,
            }
            shown_account(office, &login)
        }
        args::Account::Requests => {
            let views = operations.account_requests(&operator(None))?;
            let columns = ["email", "name", "organisation", "organisationName", "state", "madeAt"];
            Ok(Answer::list(views.iter().map(forms::request).collect(), &columns))
        }
        args::Account::Approve { email, organisation } => {
            let organisation = organisation.map(|code| OrganisationCode::parse(&code)).transpose()?;
            let account = operations.approve_request(request_of(office, &email)?, operator(organisation))?;
            Ok(Answer::one(forms::account(&account)))
        }
        args::Account::Reject { email, reason } => {
            operations.reject_request(request_of(office, &email)?, Line::parse(&reason)?, operator(None))?;
            Ok(Answer::said(format!("rejected; {email} is told why"), json!({ "email": email, "rejected": true })))
        }
        args::Account::Link { login } => account_link(office, &LoginName::parse(&login)?),
        args::Account::Block(block) => {
            let telling = blocks::telling(block.inform_user, block.reason_code);
            changed_account(office, &block.code, blocking(office, &block)?, telling)
        }
        args::Account::Unblock { login, inform_user } => {
            changed_account(office, &login, StandingChange::Unblock, blocks::telling(inform_user, None))
        }
        args::Account::End(end) => {
            changed_account(office, &end.code, ending(&end)?, blocks::telling(end.inform_user, None))
        }
        args::Account::Restrict(end) => {
            let login = LoginName::parse(&end.code)?;
            blocks::restrict(office, Restricted::Account(login.clone()), &end)?;
            shown_account(office, &login)
        }
        args::Account::Lift(lift) => {
            let login = LoginName::parse(&lift.code)?;
            blocks::lift(office, Restricted::Account(login.clone()), &lift)?;
            shown_account(office, &login)
        }
    }
}

const fn operator(organisation: Option<OrganisationCode>) -> Judge {
    Judge::Operator { channel: CHANNEL, organisation }
}

fn request_of(office: &Office, email: &str) -> Result<LinkId, Failure> {
    let views = office.operations.account_requests(&operator(None))?;
    let found = views.into_iter().find(|view| view.request.email.as_str().eq_ignore_ascii_case(email));
    Ok(found.map(|view| view.request.id).ok_or(Refusal::NotFound(What::Request))?)
}

fn account_link(office: &Office, login: &LoginName) -> Result<Answer, Failure> {
    let link = office.operations.make_account_link(login, CHANNEL)?;
    Ok(Answer::said(
        format!("give this link to {login} alone:\n{link}"),
        json!({ "login": login.as_str(), "link": link }),
    ))
}

fn changed_account(office: &Office, login: &str, change: StandingChange, telling: Telling) -> Result<Answer, Failure> {
    let login = LoginName::parse(login)?;
    office.operations.change_account_standing_telling(&login, change, telling, CHANNEL)?;
    shown_account(office, &login)
}

fn shown_account(office: &Office, login: &LoginName) -> Result<Answer, Failure> {
    let mut form = forms::account(&office.operations.account(login)?);
    if let (Some(members), Some(client)) = (form.as_object_mut(), office.operations.only_client_of(login)?) {
        members.insert("onlyClient".to_owned(), json!(client.as_str()));
    }
    Ok(Answer::one(blocks::with_ended_services(office, form, &Restricted::Account(login.clone()))?))
}

pub(super) fn key(office: &Office, command: args::Key, folder: &Path) -> Result<Answer, Failure> {
    let operations = &office.operations;
    match command {
        args::Key::Add { account, file, expires } => {
            let login = LoginName::parse(&account)?;
            let expires = expires.as_deref().map(|text| office.until(text)).transpose()?;
            let judged = judge_key(&read_text(folder, &file)?).map_err(Refusal::from)?;
            let key = operations.add_key(&login, &judged.fingerprint, &judged.line, expires, CHANNEL)?;
            Ok(Answer::said(format!("added key {} to {login}", key.fingerprint), forms::ssh_key(&key)))
        }
        args::Key::List { account } => {
            let login = LoginName::parse(&account)?;
            let (keys, blocked) = (operations.keys(&login)?, operations.blocked_credentials(&login)?);
            let columns = ["login", "fingerprint", "addedAt", "expiresAt", "revokedAt", "blocked"];
            let form = |key| blocks::with_block(forms::ssh_key(key), &key.fingerprint, &blocked);
            Ok(Answer::list(keys.iter().map(form).collect(), &columns))
        }
        args::Key::Block(block) => blocks::block_key(office, &block),
        args::Key::Unblock(name) => blocks::unblock_key(office, &name),
        args::Key::Revoke { account, fingerprint } => {
            operations.revoke_key(&LoginName::parse(&account)?, &fingerprint, CHANNEL)?;
            Ok(Answer::said(format!("revoked {fingerprint}"), json!({ "fingerprint": fingerprint })))
        }
    }
}

pub(super) fn token(office: &Office, command: args::Token) -> Result<Answer, Failure> {
    let operations = &office.operations;
    match command {
        args::Token::Add { account, expires } => {
            let expires = expires.as_deref().map(|text| office.until(text)).transpose()?;
            let new = operations.add_token(&LoginName::parse(&account)?, expires, CHANNEL)?;
            let mut document = forms::token(&new.token);
            if let Some(members) = document.as_object_mut() {
                members.insert("secret".to_owned(), json!(new.secret));
            }
            Ok(Answer::said(format!("{}\nThis is the only time that the secret is shown.", new.secret), document))
        }
        args::Token::List { account } => {
            let login = LoginName::parse(&account)?;
            let (tokens, blocked) = (operations.tokens(&login)?, operations.blocked_credentials(&login)?);
            let columns = ["id", "login", "addedAt", "expiresAt", "revokedAt", "blocked"];
            let form = |token| blocks::with_block(forms::token(token), &token_credential(token.id), &blocked);
            Ok(Answer::list(tokens.iter().map(form).collect(), &columns))
        }
        args::Token::Block(block) => blocks::block_token(office, &block),
        args::Token::Unblock { id } => blocks::unblock_token(office, &id),
        args::Token::Revoke { id } => {
            operations.revoke_token(TokenId::parse(&id)?, CHANNEL)?;
            Ok(Answer::said(format!("revoked {id}"), json!({ "id": id })))
        }
    }
}

fn attempt(one: &Attempt) -> Value {
    json!({
        "at": one.at.to_string(),
        "times": one.times,
        "channel": one.channel.word(),
        "address": one.address.to_string(),
        "credential": one.credential,
        "outcome": one.outcome.word(),
        "client": one.client,
    })
}
