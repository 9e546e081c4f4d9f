//! Commands about mandates of clients to intermediaries.

use std::collections::BTreeSet;

use super::Office;
use super::members::{blocking, ending};
use super::texts::all_pages;
use crate::domain::history::Channel;
use crate::domain::ids::MandateId;
use crate::domain::mandate::{Mandate, Scope};
use crate::domain::names::{NameFault, OrganisationCode, ProductCode};
use crate::domain::proposal::ProposedAct;
use crate::fronts::cli::{Answer, args};
use crate::fronts::mandate_forms;
use crate::operations::{Failure, MandateChange, NewMandate, Officer, StandingChange};

const CHANNEL: Channel = Channel::CommandLine;

pub(super) fn mandate(office: &Office, command: args::Mandate, by: Officer) -> Result<Answer, Failure> {
    let operations = &office.operations;
    match command {
        args::Mandate::Add { intermediary, client, products, from, until } => {
            let new = NewMandate {
                intermediary: OrganisationCode::parse(&intermediary)?,
                client: OrganisationCode::parse(&client)?,
                products: codes(&products)?,
                from: from.as_deref().map(|text| office.from(text)).transpose()?,
                until: until.as_deref().map(|text| office.until(text)).transpose()?,
            };
            if operations.asks_two() {
                let NewMandate { intermediary, client, products, from, until } = new;
                let scope = Scope::new(products)?;
                let act = ProposedAct::AddMandate { intermediary, client, scope, from, until };
                return Ok(super::proposals::waits(&[operations.propose(act, by)?]));
            }
            let added = operations.add_mandate(new, CHANNEL)?;
            let said = format!("added mandate {} of {client} to {intermediary}", added.id);
            Ok(Answer::said(said, shown(office, &added)))
        }
        args::Mandate::Change(change) => {
            let id = MandateId::parse(&change.id)?;
            let change = MandateChange {
                added: codes(&change.products)?,
                removed: codes(&change.without)?,
                until: change.until.as_deref().map(|text| office.until(text)).transpose()?,
            };
            let Mandate { intermediary, client, .. } = operations.mandate(id)?;
            let (added, removed, until) = (change.added.clone(), change.removed.clone(), change.until);
            let act = ProposedAct::WidenMandate { mandate: id, intermediary, client, added, removed, until };
            if operations.waits_for_two(&act)? {
                return Ok(super::proposals::waits(&[operations.propose(act, by)?]));
            }
            Ok(Answer::one(shown(office, &operations.change_mandate(id, change, CHANNEL)?)))
        }
        args::Mandate::List { intermediary, client } => {
            let intermediary = intermediary.as_deref().map(OrganisationCode::parse).transpose()?;
            let client = client.as_deref().map(OrganisationCode::parse).transpose()?;
            let rows = all_pages(|last| operations.mandates(last))?.into_iter().filter(|row: &Mandate| {
                intermediary.as_ref().is_none_or(|code| *code == row.intermediary)
                    && client.as_ref().is_none_or(|code| *code == row.client)
            });
            let columns = ["id", "intermediary", "client", "products", "from", "until", "state"];
            Ok(Answer::list(rows.map(|row| shown(office, &row)).collect(), &columns))
        }
        args::Mandate::Block(block) => stand(office, &block.code, blocking(office, &block)?),
        args::Mandate::Unblock { id } => stand(office, &id, StandingChange::Unblock),
        args::Mandate::End(end) => stand(office, &end.code, ending(&end)?),
    }
}

fn stand(office: &Office, id: &str, change: StandingChange) -> Result<Answer, Failure> {
    let mandate = office.operations.change_mandate_standing(MandateId::parse(id)?, change, CHANNEL)?;
    Ok(Answer::one(shown(office, &mandate)))
}

fn shown(office: &Office, mandate: &Mandate) -> serde_json::Value {
    mandate_forms::mandate(mandate, office.operations.now())
}

fn codes(texts: &[String]) -> Result<BTreeSet<ProductCode>, NameFault> {
    texts.iter().map(|text| ProductCode::parse(text)).collect()
}
