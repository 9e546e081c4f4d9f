//! Commands that block one key or token, and that end access in part (J7, J8).

use serde_json::{Value, json};

use super::Office;
use crate::domain::block::EndReason;
use crate::domain::credential_block::CredentialBlock;
use crate::domain::history::Channel;
use crate::domain::ids::TokenId;
use crate::domain::names::{Line, LoginName};
use crate::domain::restriction::{Restricted, Service};
use crate::fronts::cli::{Answer, args};
use crate::operations::{Credential, Failure, ServiceEnd, Telling};

const CHANNEL: Channel = Channel::CommandLine;

/// The reason of the terms of use.
pub(super) const fn end_reason(why: args::Why) -> EndReason {
    match why {
        args::Why::A => EndReason::Misuse,
        args::Why::B => EndReason::TermsNotAccepted,
        args::Why::C => EndReason::SpecialCircumstances,
    }
}

/// Whom a change of access is told.
pub(super) fn telling(inform_user: bool, code: Option<args::Why>) -> Telling {
    Telling { inform_user, reason: code.map(end_reason) }
}

const fn service(service: args::Service) -> Service {
    match service {
        args::Service::Fetch => Service::Fetch,
        args::Service::Deliver => Service::Deliver,
        args::Service::Request => Service::Request,
    }
}

pub(super) fn block_key(office: &Office, block: &args::KeyBlock) -> Result<Answer, Failure> {
    blocked(office, key(&block.key)?, block.key.fingerprint(), &block.why)
}

pub(super) fn unblock_key(office: &Office, name: &args::KeyName) -> Result<Answer, Failure> {
    unblocked(office, key(name)?, name.fingerprint())
}

pub(super) fn block_token(office: &Office, block: &args::TokenBlock) -> Result<Answer, Failure> {
    blocked(office, Credential::Token(TokenId::parse(&block.id)?), &block.id, &block.why)
}

pub(super) fn unblock_token(office: &Office, id: &str) -> Result<Answer, Failure> {
    unblocked(office, Credential::Token(TokenId::parse(id)?), id)
}

fn key(name: &args::KeyName) -> Result<Credential, Failure> {
    let login = LoginName::parse(&name.account)?;
    Ok(Credential::Key { login, fingerprint: name.fingerprint().to_owned() })
}

fn blocked(office: &Office, which: Credential, name: &str, why: &args::BlockReason) -> Result<Answer, Failure> {
    let until = why.until.as_deref().map(|text| office.until(text)).transpose()?;
    let telling = telling(why.inform_user, why.reason_code);
    office.operations.block_credential_telling(which, Line::parse(&why.reason)?, until, telling, CHANNEL)?;
    let document = json!({
        "credential": name,
        "blocked": true,
        "blockReason": why.reason,
        "blockedUntil": until.map(|until| until.to_string()),
    });
    Ok(Answer::said(format!("blocked {name}; what came in with it is cut off"), document))
}

fn unblocked(office: &Office, which: Credential, name: &str) -> Result<Answer, Failure> {
    office.operations.unblock_credential(which, CHANNEL)?;
    Ok(Answer::said(format!("unblocked {name}"), json!({ "credential": name, "blocked": false })))
}

/// The form of a key or token with what is to be told of its block.
pub(super) fn with_block(mut form: Value, credential: &str, blocks: &[CredentialBlock]) -> Value {
    let block = blocks.iter().find(|row| row.credential == credential).map(|row| &row.block);
    if let Some(members) = form.as_object_mut() {
        members.insert("blocked".to_owned(), json!(block.is_some()));
        members.insert("blockReason".to_owned(), json!(block.map(|block| block.reason.as_str())));
        members.insert("blockedUntil".to_owned(), json!(block.and_then(|block| block.until).map(|at| at.to_string())));
    }
    form
}

/// Ends a service; who asked shows what is left.
pub(super) fn restrict(office: &Office, subject: Restricted, end: &args::Restrict) -> Result<(), Failure> {
    let note = end.note.as_deref().map(Line::parse).transpose()?;
    let telling = telling(end.inform_user, None);
    let end = ServiceEnd { service: service(end.service), reason: end_reason(end.reason), note };
    office.operations.end_service_telling(subject, end, telling, CHANNEL)
}

/// Gives a service back.
pub(super) fn lift(office: &Office, subject: Restricted, lift: &args::Lift) -> Result<(), Failure> {
    office.operations.restore_service(subject, service(lift.service), CHANNEL)
}

/// The form of an account or organisation with the services that were ended for it.
pub(super) fn with_ended_services(office: &Office, mut form: Value, subject: &Restricted) -> Result<Value, Failure> {
    let ended = office.operations.ended_services(subject)?;
    let ended = ended.iter().map(|row| {
        json!({
            "service": row.service.word(),
            "reason": row.reason.word(),
            "note": row.note.as_ref().map(Line::as_str),
            "since": row.since.to_string(),
        })
    });
    if let Some(members) = form.as_object_mut() {
        members.insert("endedServices".to_owned(), ended.collect());
    }
    Ok(form)
}
