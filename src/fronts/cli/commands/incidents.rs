//! Commands about the register of security incidents.

use serde_json::{Value, json};

use super::Office;
use super::texts::all_pages;
use crate::domain::ids::DeliveryId;
use crate::domain::incident::{
    Concerned, Incident, IncidentFacts, IncidentText, Origin, PersonalData, Property, ReportDecision, Severity,
};
use crate::domain::moment::Moment;
use crate::domain::names::{Line, NameFault, OrganisationCode, ProductCode};
use crate::fronts::cli::{Answer, args};
use crate::operations::{Failure, IncidentChange, IncidentsWanted, Officer};

pub(super) fn incident(office: &Office, command: args::Incident, by: &Officer) -> Result<Answer, Failure> {
    let operations = &office.operations;
    match command {
        args::Incident::Open { title, description, threatens, origin, severity, personal_data, facts } => {
            let discovered = facts.discovered.as_deref().map(|text| office.from(text)).transpose()?;
            let new = IncidentFacts {
                title: Line::parse(&title)?,
                description: IncidentText::parse(&description)?,
                threatens: each(&threatens, Property::parse)?,
                origin: Origin::parse(&origin)?,
                severity: Severity::parse(&severity)?,
                personal_data: PersonalData::parse(&personal_data)?,
                discovered_at: discovered.unwrap_or_else(|| operations.now()),
                occurred_from: moment(office, facts.from.as_deref())?.flatten(),
                occurred_until: moment(office, facts.until.as_deref())?.flatten(),
                concerned: Concerned {
                    organisations: each(&facts.organisations, OrganisationCode::parse)?,
                    products: each(&facts.products, ProductCode::parse)?,
                    deliveries: each(&facts.deliveries, DeliveryId::parse)?,
                },
            };
            let opened = operations.open_incident(new, by.clone())?;
            Ok(Answer::said(format!("opened incident {}", opened.number), form(&opened)))
        }
        args::Incident::Note { number, text, measure } => {
            operations.note_incident(number, &IncidentText::parse(&text)?, measure, by.clone())?;
            shown(office, number, by)
        }
        args::Incident::Change {
            number,
            title,
            description,
            threatens,
            origin,
            severity,
            personal_data,
            concerns_none,
            facts,
        } => {
            // a list that is named takes the place of the one before; `--concerns-none` empties the others
            let is_named = |list: &[String]| concerns_none || !list.is_empty();
            let change = IncidentChange {
                title: title.as_deref().map(Line::parse).transpose()?,
                description: description.as_deref().map(IncidentText::parse).transpose()?,
                threatens: (!threatens.is_empty()).then(|| each(&threatens, Property::parse)).transpose()?,
                origin: origin.as_deref().map(Origin::parse).transpose()?,
                severity: severity.as_deref().map(Severity::parse).transpose()?,
                personal_data: personal_data.as_deref().map(PersonalData::parse).transpose()?,
                discovered_at: facts.discovered.as_deref().map(|text| office.from(text)).transpose()?,
                occurred_from: moment(office, facts.from.as_deref())?,
                occurred_until: moment(office, facts.until.as_deref())?,
                organisations: is_named(&facts.organisations)
                    .then(|| each(&facts.organisations, OrganisationCode::parse))
                    .transpose()?,
                products: is_named(&facts.products).then(|| each(&facts.products, ProductCode::parse)).transpose()?,
                deliveries: is_named(&facts.deliveries)
                    .then(|| each(&facts.deliveries, DeliveryId::parse))
                    .transpose()?,
            };
            operations.change_incident(number, change, None, by.clone())?;
            shown(office, number, by)
        }
        args::Incident::Report { number, reference, not_needed, persons_told, at } => {
            let at = at.as_deref().map(|text| office.from(text)).transpose()?;
            match (reference, not_needed, persons_told) {
                (Some(reference), ..) => {
                    operations.report_incident(number, Line::parse(&reference)?, at, by.clone())?
                }
                (_, Some(why), _) => operations.report_no_incident(number, Line::parse(&why)?, by.clone())?,
                (.., how) => {
                    let how = IncidentText::parse(&how.unwrap_or_default())?;
                    operations.tell_persons_of_incident(number, &how, at, by.clone())?;
                }
            }
            shown(office, number, by)
        }
        args::Incident::Contain { number, text } => {
            operations.contain_incident(number, &IncidentText::parse(&text)?, by.clone())?;
            shown(office, number, by)
        }
        args::Incident::Close { number, text } => {
            operations.close_incident(number, &IncidentText::parse(&text)?, by.clone())?;
            shown(office, number, by)
        }
        args::Incident::Reopen { number, text } => {
            operations.reopen_incident(number, &IncidentText::parse(&text)?, by.clone())?;
            shown(office, number, by)
        }
        args::Incident::List { state } => {
            let wanted = match state.as_deref() {
                Some("open") => IncidentsWanted::Open,
                Some("contained") => IncidentsWanted::Contained,
                Some("closed") => IncidentsWanted::Closed,
                Some("pending") => IncidentsWanted::Pending,
                _ => IncidentsWanted::All,
            };
            let rows = all_pages(|last: Option<&Incident>| {
                operations.incidents(wanted, last.map(|row| row.number), by.clone())
            })?;
            let columns = ["number", "state", "severity", "title", "discoveredAt", "reportDeadline", "reportedAt"];
            Ok(Answer::list(rows.iter().map(form).collect(), &columns))
        }
        args::Incident::Show { number } => shown(office, number, by),
    }
}

fn shown(office: &Office, number: u32, by: &Officer) -> Result<Answer, Failure> {
    let view = office.operations.incident(number, by.clone())?;
    let entries: Vec<Value> = view
        .entries
        .iter()
        .map(|entry| {
            json!({
                "at": entry.at.to_string(),
                "by": entry.by,
                "kind": entry.kind.word(),
                "text": entry.text,
            })
        })
        .collect();
    let mut document = form(&view.incident);
    if let Some(members) = document.as_object_mut() {
        members.insert("entries".to_owned(), json!(entries));
    }
    Ok(Answer::one(document))
}

/// The moment that an argument names; `unknown` takes one back.
fn moment(office: &Office, text: Option<&str>) -> Result<Option<Option<Moment>>, Failure> {
    match text {
        None => Ok(None),
        Some("unknown") => Ok(Some(None)),
        Some(text) => Ok(Some(Some(office.from(text)?))),
    }
}

fn each<T>(texts: &[String], parse: impl Fn(&str) -> Result<T, NameFault>) -> Result<Vec<T>, NameFault> {
    texts.iter().map(|text| parse(text)).collect()
}

fn form(row: &Incident) -> Value {
    let facts = &row.facts;
    let (reported, reference, not_needed) = match &row.report {
        Some(ReportDecision::Reported { at, reference }) => (Some(at), Some(reference), None),
        Some(ReportDecision::NotNeeded { why, .. }) => (None, None, Some(why)),
        None => (None, None, None),
    };
    let moment = |at: Option<Moment>| at.map(|at| at.to_string());
    json!({
        "number": row.number,
        "state": row.state.word(),
        "title": facts.title.as_str(),
        "description": facts.description.as_str(),
        "threatens": facts.threatens.iter().map(|one| one.word()).collect::<Vec<_>>(),
        "origin": facts.origin.word(),
        "severity": facts.severity.word(),
        "personalData": facts.personal_data.word(),
        "openedAt": row.opened_at.to_string(),
        "discoveredAt": facts.discovered_at.to_string(),
        "occurredFrom": moment(facts.occurred_from),
        "occurredUntil": moment(facts.occurred_until),
        "organisations": facts.concerned.organisations.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "products": facts.concerned.products.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "deliveries": facts.concerned.deliveries.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "reportDeadline": moment(row.deadline()),
        "isReportPending": row.pending_deadline().is_some(),
        "reportedAt": moment(reported.copied()),
        "reportReference": reference.map(Line::as_str),
        "reportNotNeeded": not_needed.map(Line::as_str),
        "personsToldAt": moment(row.persons_told_at),
    })
}
