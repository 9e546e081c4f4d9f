//! Commands about terms of use.

use std::path::Path;

use serde_json::{Value, json};

use super::Office;
use super::texts::read_text;
use crate::domain::history::Channel;
use crate::domain::names::{Line, LoginName, VersionName};
use crate::domain::terms::{AcceptedBy, TermsStanding};
use crate::fronts::cli::{Answer, args};
use crate::operations::{AccountTerms, Failure, NewTerms, TermsOverview};

const CHANNEL: Channel = Channel::CommandLine;

pub(super) fn terms(office: &Office, command: args::Terms, folder: &Path) -> Result<Answer, Failure> {
    let operations = &office.operations;
    match command {
        args::Terms::Publish { file, version, effective, english } => {
            let new = NewTerms {
                name: VersionName::parse(&version)?,
                text: read_text(folder, &file)?,
                english: english.map(|file| read_text(folder, &file)).transpose()?,
                effective_at: office.from(&effective)?,
            };
            let published = operations.publish_terms(new, CHANNEL)?;
            let rows = operations.terms_overview(CHANNEL)?;
            let row = rows.iter().find(|row| row.version.number == published.number);
            Ok(Answer::one(row.map_or(Value::Null, form)))
        }
        args::Terms::List => {
            let rows = operations.terms_overview(CHANNEL)?;
            let columns = ["version", "state", "publishedAt", "effectiveAt", "refusableUntil", "accepted", "sha256"];
            Ok(Answer::list(rows.iter().map(form).collect(), &columns))
        }
        args::Terms::Acceptance { account } => {
            let login = LoginName::parse(&account)?;
            Ok(Answer::one(acceptance(&login, &operations.terms_of_account(&login, CHANNEL)?)))
        }
        args::Terms::Accept { account, by } => {
            let login = LoginName::parse(&account)?;
            operations.record_acceptance(&login, Line::parse(&by)?, CHANNEL)?;
            Ok(Answer::said(format!("recorded for {login}"), json!({ "login": login.as_str() })))
        }
    }
}

fn acceptance(login: &LoginName, terms: &AccountTerms) -> Value {
    let (standing, until) = match terms.standing {
        TermsStanding::Unbound => ("not-asked", None),
        TermsStanding::Accepted => ("accepted", None),
        TermsStanding::InGrace(until) => ("in-grace", Some(until.to_string())),
        TermsStanding::Open => ("not-accepted", None),
    };
    let row = terms.accepted.as_ref();
    let by = row.map(|(row, _)| match &row.by {
        AcceptedBy::Oneself => "oneself".to_owned(),
        AcceptedBy::Owner(address) => format!("owner {address}"),
        AcceptedBy::Administrator(login) => format!("administrator {login}"),
        AcceptedBy::Operator(line) => format!("operator: {line}"),
    });
    json!({
        "login": login.as_str(),
        "standing": standing,
        "graceUntil": until,
        "version": row.map(|(_, name)| name.as_str()),
        "acceptedAt": row.map(|(row, _)| row.at.to_string()),
        "address": row.and_then(|(row, _)| row.address).map(|address| address.to_string()),
        "by": by,
        "emailInsteadOfPaper": row.map(|(row, _)| row.states_reachable),
    })
}

fn form(row: &TermsOverview) -> Value {
    let version = &row.version;
    json!({
        "version": version.name.as_str(),
        "state": row.state.word(),
        "publishedAt": version.published_at.to_string(),
        "effectiveAt": version.effective_at.to_string(),
        "refusableUntil": version.refusable_until.to_string(),
        "graceUntil": (version.number == 1).then(|| version.grace_until.to_string()),
        "sha256": version.sha256.to_string(),
        "englishSha256": version.english_sha256.map(|digest| digest.to_string()),
        "accepted": row.accepted,
    })
}
