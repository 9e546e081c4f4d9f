//! Commands about acts that wait for a second person, and who is at the command line.

use serde_json::{Value, json};

use super::Office;
use crate::domain::ids::ProposalId;
use crate::domain::names::{Line, OrganisationCode};
use crate::domain::proposal::{Proposal, ProposedAct};
use crate::fronts::cli::{Answer, args};
use crate::operations::{Failure, Officer};

pub(super) fn proposal(office: &Office, command: args::Proposal, by: Officer) -> Result<Answer, Failure> {
    let operations = &office.operations;
    match command {
        args::Proposal::List => {
            let rows = operations.proposals(by)?;
            let columns = ["id", "act", "organisation", "subject", "by", "until"];
            Ok(Answer::list(rows.iter().map(form).collect(), &columns))
        }
        args::Proposal::Confirm { id } => {
            let done = operations.confirm_proposal(ProposalId::parse(&id)?, by)?;
            Ok(Answer::said(format!("done: {} {}", done.act.word(), done.act.subject()), form(&done)))
        }
        args::Proposal::Reject { id, reason } => {
            let reason = reason.as_deref().map(Line::parse).transpose()?;
            let rejected = operations.reject_proposal(ProposalId::parse(&id)?, reason, by)?;
            Ok(Answer::said(format!("rejected {id}"), form(&rejected)))
        }
    }
}

/// Proposes keys of an organisation.
pub(super) fn keys(office: &Office, code: &OrganisationCode, lines: &[&str], by: Officer) -> Result<Answer, Failure> {
    let mut proposals = Vec::new();
    for line in lines {
        let (organisation, line) = (code.clone(), (*line).to_owned());
        let act = ProposedAct::AddRecipientKey { organisation, fingerprint: String::new(), line };
        proposals.push(office.operations.propose(act, by.clone())?);
    }
    Ok(waits(&proposals))
}

/// What is said of acts that wait for a second person.
pub(super) fn waits(proposals: &[Proposal]) -> Answer {
    let ids = proposals.iter().map(|proposal| proposal.id.to_string()).collect::<Vec<_>>().join(", ");
    let text = format!("this waits for a second person, in the office or with `postkluis proposal confirm`: {ids}");
    Answer::said(text, Value::Array(proposals.iter().map(form).collect()))
}

fn form(row: &Proposal) -> Value {
    json!({
        "id": row.id.to_string(),
        "act": row.act.word(),
        "organisation": row.act.organisation().as_str(),
        "subject": row.act.subject(),
        "by": row.by,
        "madeAt": row.made_at.to_string(),
        "until": row.until.to_string(),
    })
}
