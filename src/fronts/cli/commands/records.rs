//! Commands about the history, retention, e-mail and reports.

use serde_json::json;

use super::Office;
use super::texts::{MOST_ROWS, all_pages};
use crate::domain::delivery::ProgressState;
use crate::domain::history::Channel;
use crate::domain::history::HistoryQuery;
use crate::domain::ids::{DeliveryId, MailId};
use crate::domain::names::OrganisationCode;
use crate::domain::notice::{Addressed, Mail};
use crate::fronts::cli::{Answer, args};
use crate::fronts::forms;
use crate::operations::{DeliveryFilter, DeliveryView, Failure};

pub(super) fn history(office: &Office, command: args::History) -> Result<Answer, Failure> {
    let args::History::List { organisation, delivery, since, after, csv } = command;
    let mut query = HistoryQuery {
        organisation: organisation.as_deref().map(OrganisationCode::parse).transpose()?,
        delivery: delivery.as_deref().map(DeliveryId::parse).transpose()?,
        since: since.as_deref().map(|text| office.from(text)).transpose()?,
        after,
        limit: usize::MAX,
    };
    let mut lines = Vec::new();
    loop {
        let page = office.operations.history(&query)?;
        let Some(last) = page.last() else { break };
        query.after = Some(last.sequence);
        lines.extend(page);
        if lines.len() >= MOST_ROWS {
            lines.truncate(MOST_ROWS);
            break;
        }
    }
    let rows: Vec<_> = lines.iter().map(forms::history_line).collect();
    if csv {
        let text = forms::history_csv(&lines);
        return Ok(Answer::said(text.trim_end(), json!(rows)));
    }
    let columns = [
        "sequence",
        "at",
        "event",
        "organisation",
        "login",
        "channel",
        "address",
        "deliveryId",
        "file",
        "bytes",
        "note",
    ];
    Ok(Answer::list(rows, &columns))
}

pub(super) fn retention(office: &Office, command: args::Retention) -> Result<Answer, Failure> {
    let args::Retention::Run { dry_run, confirm_time } = command;
    if confirm_time && !dry_run {
        office.operations.confirm_time(Channel::CommandLine)?;
    }
    let report =
        if dry_run { office.operations.preview_retention()? } else { office.operations.enforce_retention()? };
    let mut document = forms::retention_report(&report);
    if let (true, Some(members)) = (dry_run, document.as_object_mut()) {
        members.insert("dryRun".to_owned(), json!(true));
    }
    Ok(Answer::one(document))
}

pub(super) fn mail(office: &Office, command: args::Mail) -> Result<Answer, Failure> {
    match command {
        args::Mail::Queue { after } => {
            let start = after.as_deref().map(MailId::parse).transpose()?;
            let rows = all_pages(|last: Option<&(Mail, Option<Addressed>)>| {
                office.operations.mail_queue(last.map(|(mail, _)| mail.id).or(start))
            })?;
            let columns = ["id", "kind", "to", "state", "attempts", "nextAt", "error"];
            Ok(Answer::list(rows.iter().map(|(mail, to)| forms::mail(mail, to.as_ref())).collect(), &columns))
        }
        args::Mail::Retry => {
            let count = office.operations.retry_mail()?;
            Ok(Answer::said(format!("{count} e-mails are tried again now"), json!({ "retried": count })))
        }
        args::Mail::Test { address } => {
            let outcome = (office.mail_test)(&address)?;
            Ok(Answer::said(outcome.clone(), json!({ "to": address, "outcome": outcome })))
        }
    }
}

pub(super) fn report(office: &Office, command: args::Report) -> Result<Answer, Failure> {
    match command {
        args::Report::Unfetched => unfetched(office),
        args::Report::Crypto => super::keys::crypto(office),
        args::Report::Retention => super::keys::destroyed(office),
    }
}

fn unfetched(office: &Office) -> Result<Answer, Failure> {
    let filter = |last: Option<&DeliveryView>| DeliveryFilter {
        only_available: true,
        after: last.map(|view| view.delivery.id),
        limit: usize::MAX,
        ..DeliveryFilter::default()
    };
    let rows = all_pages(|last| office.operations.all_deliveries(&filter(last)))?;
    let rows = rows.iter().filter(|view| view.delivery.progress.state() < ProgressState::Fetched).map(forms::delivery);
    let columns = ["name", "organisation", "progress", "publishedAt", "availableUntil", "id"];
    Ok(Answer::list(rows.collect(), &columns))
}

pub(super) fn session(office: &Office, command: &args::Session) -> Answer {
    let args::Session::List = command;
    let rows = office.sessions.list();
    let columns = ["number", "login", "organisation", "address", "since", "sentBytes", "receivedBytes"];
    Answer::list(rows.iter().map(forms::session).collect(), &columns)
}
