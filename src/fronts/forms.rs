//! The JSON forms of the product's nouns (camelCase, UTC): the same in the
//! API and behind `--json`. Knows no protocol and no command.

use serde_json::{Value, json};

use crate::domain::account::{Account, AccountKind, Language, SshKey, Token};
use crate::domain::agreement::Agreement;
use crate::domain::allow_list::AllowList;
use crate::domain::block::{EndReason, Standing};
use crate::domain::delivery::{Availability, DeliveredFile, Delivery, Ending, FileCoverage};
use crate::domain::history::{Channel, HistoryLine};
use crate::domain::interruption::Interruption;
use crate::domain::moment::Moment;
use crate::domain::names::{FileName, Line, LoginName};
use crate::domain::notice::{Addressed, Mail, MailState};
use crate::domain::organisation::{Organisation, RecipientKey};
use crate::domain::product::Product;
use crate::domain::product_document::ProductDocument;
use crate::domain::request::{Employer, RequestStage};
use crate::domain::rights::Right;
use crate::domain::upload::{ReceivedStage, UploadState};
use crate::fronts::sessions::{Arrival, LiveSession};
use crate::operations::{DeliveryView, Published, RequestView, RetentionReport, UploadView};

pub(super) fn moment(moment: Option<Moment>) -> Value {
    moment.map_or(Value::Null, |moment| json!(moment.to_string()))
}

fn text(text: Option<&impl ToString>) -> Value {
    text.map_or(Value::Null, |text| json!(text.to_string()))
}

/// The networks, none when every address is allowed.
fn allow_from(list: &AllowList) -> Vec<String> {
    list.networks().iter().map(ToString::to_string).collect()
}

/// `active`, `blocked` or `ended`, with the particulars of a block.
pub(super) fn standing(standing: &Standing) -> (Value, Value, Value) {
    match standing {
        Standing::Active => (json!("active"), Value::Null, Value::Null),
        Standing::Blocked(block) => (json!("blocked"), json!(block.reason.as_str()), moment(block.until)),
        Standing::Ended { .. } => (json!("ended"), Value::Null, Value::Null),
    }
}

/// Why it was ended, when the operator did that for a reason of the terms of use (J7).
pub(super) fn end_reason(standing: &Standing) -> Value {
    match standing {
        Standing::Ended { reason, .. } => json!(reason.map(EndReason::word)),
        Standing::Active | Standing::Blocked(_) => Value::Null,
    }
}

/// An organisation.
#[must_use]
pub fn organisation(row: &Organisation) -> Value {
    let (standing, reason, until) = standing(&row.standing);
    json!({
        "code": row.code.as_str(),
        "name": row.name.as_str(),
        "oin": text(row.oin.as_ref()),
        "kvk": text(row.kvk.as_ref()),
        "mailDomains": row.mail_domains.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "allowFrom": allow_from(&row.allow_from),
        "standing": standing,
        "blockReason": reason,
        "blockedUntil": until,
        "endReason": end_reason(&row.standing),
        "addedAt": row.added_at.to_string(),
    })
}

/// A recipient key.
#[must_use]
pub fn recipient_key(row: &RecipientKey) -> Value {
    json!({
        "organisation": row.organisation.as_str(),
        "fingerprint": row.fingerprint,
        "key": row.line,
        "addedAt": row.added_at.to_string(),
        "retiredAt": moment(row.retired_at),
    })
}

/// A product.
#[must_use]
pub fn product(row: &Product) -> Value {
    json!({
        "code": row.code.as_str(),
        "name": row.name.as_str(),
        "retention": row.retention.to_string(),
        "requiresMarker": row.requires_marker,
        "acceptsUploads": row.accepts_uploads,
        "endToEnd": row.end_to_end,
        "addedAt": row.added_at.to_string(),
    })
}

/// An agreement.
#[must_use]
pub fn agreement(row: &Agreement) -> Value {
    json!({
        "id": row.id.to_string(),
        "organisation": row.organisation.as_str(),
        "product": row.product.as_str(),
        "purpose": row.purpose.as_str(),
        "retention": text(row.retention.as_ref()),
        "from": row.from.to_string(),
        "until": moment(row.until),
        "endToEnd": row.end_to_end,
        "historyHidden": row.history_hidden,
        "addedAt": row.added_at.to_string(),
        "endedAt": moment(row.ended_at),
    })
}

/// An account.
#[must_use]
pub fn account(row: &Account) -> Value {
    let (standing, reason, until) = standing(&row.standing);
    let (kind, owner) = match &row.kind {
        AccountKind::Machine { owner } => ("machine", owner),
        AccountKind::Person { email } => ("person", email),
    };
    json!({
        "login": row.login.as_str(),
        "organisation": row.organisation.as_str(),
        "kind": kind,
        "owner": owner.as_str(),
        "administrator": row.is_administrator,
        "allowFrom": allow_from(&row.allow_from),
        "language": match row.language { Language::Dutch => "nl", Language::English => "en" },
        "standing": standing,
        "blockReason": reason,
        "blockedUntil": until,
        "endReason": end_reason(&row.standing),
        "addedAt": row.added_at.to_string(),
    })
}

/// A request for an account.
#[must_use]
pub fn request(view: &RequestView) -> Value {
    let request = &view.request;
    let (organisation, kvk) = match &request.organisation {
        Employer::Known(code) => (Some(code.as_str()), None),
        Employer::Stated { kvk, .. } => (None, kvk.as_ref()),
    };
    let state = match request.stage {
        RequestStage::Unconfirmed { .. } => "invited",
        RequestStage::Waiting { .. } => "waiting",
    };
    json!({
        "email": request.email.as_str(),
        "name": request.name.as_ref().map(Line::as_str),
        "organisation": organisation,
        "organisationName": view.organisation_name,
        "kvk": kvk.map(ToString::to_string),
        "domainFits": view.domain_fits,
        "invitedBy": request.invited_by.as_ref().map(LoginName::as_str),
        "state": state,
        "madeAt": request.made_at.to_string(),
    })
}

/// An SSH key.
#[must_use]
pub fn ssh_key(row: &SshKey) -> Value {
    json!({
        "login": row.login.as_str(),
        "fingerprint": row.fingerprint,
        "key": row.line,
        "addedAt": row.added_at.to_string(),
        "expiresAt": moment(row.expires_at),
        "revokedAt": moment(row.revoked_at),
    })
}

/// An API token, without its secret.
#[must_use]
pub fn token(row: &Token) -> Value {
    json!({
        "id": row.id.to_string(),
        "login": row.login.as_str(),
        "addedAt": row.added_at.to_string(),
        "expiresAt": moment(row.expires_at),
        "revokedAt": moment(row.revoked_at),
    })
}

/// A right.
#[must_use]
pub fn right(row: &Right) -> Value {
    json!({
        "login": row.login.as_str(),
        "recipient": row.recipient.as_str(),
        "product": row.product.as_str(),
        "since": row.since.to_string(),
    })
}

/// A delivery with its files and states (interfaces §7).
#[must_use]
pub fn delivery(view: &DeliveryView) -> Value {
    let row = &view.delivery;
    let (reason, since) = match &row.availability {
        Availability::Available => (Value::Null, Value::Null),
        Availability::Held { reason, since } => (json!(reason.as_str()), moment(Some(*since))),
        Availability::Withdrawn { at, reason } => (json!(reason.as_str()), moment(Some(*at))),
        Availability::Expired { at } | Availability::Replaced { at, .. } => (Value::Null, moment(Some(*at))),
        Availability::Shredded { at, after } => {
            let ended = match after {
                Ending::Expired => "expired",
                Ending::Withdrawn => "withdrawn",
                Ending::Replaced => "replaced",
            };
            (json!(ended), moment(Some(*at)))
        }
    };
    let replaced_by = match row.availability {
        Availability::Replaced { by, .. } => Some(by),
        _ => None,
    };
    let counts: serde_json::Map<String, Value> =
        row.counts.iter().map(|(label, count)| (label.as_str().to_owned(), json!(count))).collect();
    let files: Vec<Value> = view.files.iter().map(|file| delivered_file(file, &view.coverage)).collect();
    json!({
        "id": row.id.to_string(),
        "name": row.name(),
        "publicationId": row.publication.to_string(),
        "organisation": row.organisation.as_str(),
        "organisationName": row.organisation_name.as_str(),
        "product": row.product.as_str(),
        "productName": row.product_name.as_str(),
        "purpose": row.purpose.as_str(),
        "sequence": row.sequence,
        "period": text(row.period.as_ref()),
        "counts": counts,
        "publishedAt": row.published_at.to_string(),
        "availableUntil": row.available_until.to_string(),
        "endToEnd": row.end_to_end,
        "fileCount": row.file_count,
        "totalBytes": row.total_bytes,
        "progress": row.progress.state().to_string(),
        "startedAt": moment(row.progress.started_at),
        "fetchedAt": moment(row.progress.fetched_at),
        "acknowledgedAt": moment(row.progress.acknowledged_at),
        "filesFetched": row.progress.files_fetched,
        "availability": row.availability.word(),
        "availabilitySince": since,
        "availabilityReason": reason,
        "replaces": text(row.replaces.as_ref()),
        "replacedBy": text(replaced_by.as_ref()),
        "files": files,
    })
}

fn delivered_file(file: &DeliveredFile, coverage: &[FileCoverage]) -> Value {
    let left = coverage.iter().find(|coverage| coverage.number == file.number);
    json!({
        "id": file.number,
        "fileName": file.name.as_str(),
        "originalName": file.original_name.as_str(),
        "size": file.size_bytes,
        "sha256": file.sha256.to_string(),
        "bytesSent": left.map_or(0, |left| left.coverage.bytes()),
        "fetchedAt": moment(left.and_then(|left| left.fetched_at)),
    })
}

/// The media type under which a file is given: sealed files as such, anything else unread.
#[must_use]
pub fn content_type(name: &FileName) -> &'static str {
    if name.as_str().ends_with(".age") { "application/age" } else { "application/octet-stream" }
}

/// The metadata of one file (API Design Rules, module Transfer), whose resources lie below `base`.
#[must_use]
pub fn file(base: &str, delivery: &Delivery, file: &DeliveredFile) -> Value {
    json!({
        "id": file.number,
        "fileName": file.name.as_str(),
        "originalName": file.original_name.as_str(),
        "contentType": content_type(&file.name),
        "size": file.size_bytes,
        "sha256": file.sha256.to_string(),
        "contentUri": format!("{base}/deliveries/{}/files/{}/content", delivery.id, file.number),
        "createdAt": delivery.published_at.to_string(),
        "expiresAt": delivery.available_until.to_string(),
    })
}

/// A delivery as its recipient sees it: files with their metadata, no reason of a hold, and
/// nothing of who fetched what when the agreement hides the history (A20).
#[must_use]
pub fn delivery_for_recipient(base: &str, view: &DeliveryView) -> Value {
    let mut form = delivery(view);
    let Value::Object(members) = &mut form else { return form };
    if matches!(view.delivery.availability, Availability::Held { .. }) {
        members.remove("availabilitySince");
        members.remove("availabilityReason");
    }
    if view.history_hidden {
        for name in ["progress", "startedAt", "fetchedAt", "acknowledgedAt", "filesFetched"] {
            members.remove(name);
        }
    }
    let shown = view.files.iter().map(|shown| {
        let mut form = file(base, &view.delivery, shown);
        if let (Value::Object(form), Value::Object(more), false) =
            (&mut form, delivered_file(shown, &view.coverage), view.history_hidden)
        {
            form.extend(more);
        }
        form
    });
    members.insert("files".to_owned(), shown.collect());
    members.insert("archiveUri".to_owned(), format!("{base}/deliveries/{}/archive", view.delivery.id).into());
    form
}

/// The form of an organisation or account without the reason of its block or end: those are the operator's.
#[must_use]
pub fn without_block_reason(mut form: Value) -> Value {
    if let Value::Object(members) = &mut form {
        members.remove("blockReason");
        members.remove("endReason");
    }
    form
}

/// A document of a product.
#[must_use]
pub fn product_document(row: &ProductDocument) -> Value {
    json!({
        "product": row.product.as_str(),
        "fileName": row.name.as_str(),
        "version": row.version.as_ref().map(Line::as_str),
        "contentType": row.media_type(),
        "size": row.size_bytes,
        "sha256": row.sha256.to_string(),
        "contentUri": format!("/api/v1/products/{}/documents/{}/content", row.product, row.name),
        "addedAt": row.added_at.to_string(),
    })
}

/// A participant file on its way in, or received.
#[must_use]
pub fn upload(view: &UploadView) -> Value {
    let row = &view.upload;
    let (received, ended, is_shown) = match row.state {
        UploadState::Unfinished => (None, None, true),
        UploadState::Received { at, stage, .. } => (Some(at), None, stage < ReceivedStage::Kept),
        UploadState::Removed { at } | UploadState::Expired { at, .. } => (None, Some(at), false),
    };
    json!({
        "id": row.id.to_string(),
        "organisation": row.organisation.as_str(),
        "product": row.product.as_str(),
        "name": row.name.as_str(),
        "login": row.login.as_str(),
        "state": row.state.word(),
        "isOpen": view.is_open,
        "isShown": is_shown,
        "sizeBytes": row.size_bytes,
        "sha256": row.state.sha256().map(|sha256| sha256.to_string()),
        "startedAt": row.begun_at.to_string(),
        "changedAt": row.changed_at.to_string(),
        "mtimeSeconds": row.shown_mtime_seconds(),
        "unfinishedUntil": moment(Some(row.unfinished_until).filter(|_| row.state == UploadState::Unfinished)),
        "receivedAt": moment(received),
        "endedAt": moment(ended),
    })
}

/// A live session.
#[must_use]
pub fn session(session: &LiveSession) -> Value {
    let Arrival { login, organisation, credential, address, since } = &session.arrival;
    json!({
        "number": session.number,
        "login": login,
        "organisation": organisation,
        "credential": credential,
        "address": address.to_string(),
        "since": since.to_string(),
        "sentBytes": session.sent_bytes,
        "receivedBytes": session.received_bytes,
    })
}

/// An interruption that is announced or runs.
#[must_use]
pub fn interruption(row: &Interruption) -> Value {
    json!({
        "id": row.id.to_string(),
        "channel": row.reach.word(),
        "nature": row.nature.as_str(),
        "from": row.from.to_string(),
        "until": row.until.to_string(),
        "state": if row.pause.is_some() { "running" } else { "announced" },
    })
}

/// An e-mail in the queue; whom it is to is `null` once that ended with its key.
#[must_use]
pub fn mail(row: &Mail, to: Option<&Addressed>) -> Value {
    let (state, attempts, next_at, ended_at) = match row.state {
        MailState::Queued { attempts, next_at } => ("queued", json!(attempts), moment(Some(next_at)), Value::Null),
        MailState::Sent { at } => ("sent", Value::Null, Value::Null, moment(Some(at))),
        MailState::Failed { at } => ("failed", Value::Null, Value::Null, moment(Some(at))),
    };
    json!({
        "id": row.id.to_string(),
        "kind": row.kind.word(),
        "deliveryId": row.delivery.map(|id| id.to_string()),
        "to": to.map(|to| to.to.as_str()),
        "login": to.and_then(|to| to.login.as_ref()).map(LoginName::as_str),
        "queuedAt": row.queued_at.to_string(),
        "state": state,
        "attempts": attempts,
        "nextAt": next_at,
        "endedAt": ended_at,
        "error": to.and_then(|to| to.last_error.as_deref()),
    })
}

/// The members of a history line, in the order of the CSV columns.
const HISTORY_COLUMNS: &[&str] = &[
    "sequence",
    "at",
    "event",
    "organisation",
    "login",
    "onBehalfOf",
    "channel",
    "address",
    "credential",
    "client",
    "product",
    "publicationId",
    "deliveryId",
    "file",
    "bytes",
    "until",
    "note",
    "account",
];

/// A line of the history. `organisation` is the one concerned; `actingOrganisation` the actor's own.
#[must_use]
pub fn history_line(line: &HistoryLine) -> Value {
    let (who, about, detail) = (&line.event.who, &line.event.about, &line.event.detail);
    let on_behalf =
        about.organisation.as_ref().filter(|_| who.organisation.is_some() && who.organisation != about.organisation);
    // the office acts for the operator, not for whom it is about
    let on_behalf = on_behalf.filter(|_| who.channel != Channel::Office);
    let concerned = about.login.as_ref().filter(|_| who.login.is_some() && who.login != about.login);
    json!({
        "sequence": line.sequence,
        "at": line.at.to_string(),
        "event": line.event.what.word(),
        "organisation": text(about.organisation.as_ref()),
        "actingOrganisation": text(who.organisation.as_ref()),
        "onBehalfOf": text(on_behalf),
        "login": text(who.login.as_ref().or(about.login.as_ref())),
        "channel": who.channel.word(),
        "address": text(who.address.as_ref()),
        "credential": who.credential,
        "client": who.client,
        "product": text(about.product.as_ref()),
        "publicationId": text(about.publication.as_ref()),
        "deliveryId": text(about.delivery.as_ref()),
        "file": text(about.file.as_ref()),
        "bytes": detail.bytes,
        "until": moment(detail.until),
        "note": detail.note,
        "account": text(concerned),
    })
}

/// Lines of the history as comma-separated values (RFC 4180, UTF-8, with a header line). Cells that
/// a spreadsheet would take for a formula begin with an apostrophe.
#[must_use]
pub fn history_csv(lines: &[HistoryLine]) -> String {
    let mut csv = HISTORY_COLUMNS.join(",") + "\r\n";
    for line in lines {
        let line = history_line(line);
        let cells: Vec<String> = HISTORY_COLUMNS.iter().map(|column| csv_cell(line.get(*column))).collect();
        csv.push_str(&cells.join(","));
        csv.push_str("\r\n");
    }
    csv
}

fn csv_cell(value: Option<&Value>) -> String {
    let text = match value {
        None | Some(Value::Null) => return String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    };
    let text = if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// What a publication became.
#[must_use]
pub fn published(published: &Published) -> Value {
    let deliveries: Vec<Value> = published
        .deliveries
        .iter()
        .map(|delivery| {
            json!({
                "id": delivery.id.to_string(),
                "name": delivery.name,
                "organisation": delivery.organisation.as_str(),
                "availableUntil": delivery.available_until.to_string(),
                "fileCount": delivery.file_count,
            })
        })
        .collect();
    let skipped: Vec<Value> = published
        .skipped
        .iter()
        .map(|(organisation, reason)| json!({ "organisation": organisation.as_str(), "reason": reason }))
        .collect();
    json!({
        "publication": published.publication.to_string(),
        "existed": published.existed,
        "deliveries": deliveries,
        "skipped": skipped,
    })
}

/// What a publication would become: as `published`, without the ids and names that do not exist yet.
#[must_use]
pub fn planned(plan: &Published) -> Value {
    let mut form = published(plan);
    if let Value::Object(members) = &mut form {
        members.remove("publication");
        members.insert("dryRun".to_owned(), json!(true));
        let deliveries = members.get_mut("deliveries").and_then(Value::as_array_mut);
        for delivery in deliveries.into_iter().flatten().filter_map(Value::as_object_mut) {
            delivery.remove("id");
            delivery.remove("name");
        }
    }
    form
}

/// What a round of retention did.
#[must_use]
pub fn retention_report(report: &RetentionReport) -> Value {
    json!({
        "expired": report.expired.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "shredKeysDestroyed": report.slots_destroyed,
        "bodyKeysDestroyed": report.bodies_destroyed,
        "shredded": report.shredded.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "uploadsExpired": report.uploads_expired.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "payloadsRemoved": report.payloads_removed,
        "historyRemovedToEvent": report.history_removed_to,
        "segmentsRemoved": report.segments_removed,
        "clockTrusted": !report.clock_not_trusted,
    })
}
