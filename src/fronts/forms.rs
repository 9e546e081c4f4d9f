//! The outside forms of domain nouns as JSON (camelCase, UTC times, states of
//! interfaces §7) and history as CSV: the same in the API and behind `--json`.
//! Decides nothing and asks nothing; must not know HTTP or the command line.

use serde_json::{Map, Value, json};

use crate::domain::account::{Account, AccountKind, Language, SshKey, Token};
use crate::domain::agreement::Agreement;
use crate::domain::block::Standing;
use crate::domain::delivery::{Availability, DeliveredFile, Delivery, Ending, FileCoverage};
use crate::domain::history::HistoryLine;
use crate::domain::moment::Moment;
use crate::domain::names::FileName;
use crate::domain::notice::{Mail, MailState};
use crate::domain::organisation::{Organisation, RecipientKey};
use crate::domain::product::Product;
use crate::domain::rights::Right;
use crate::operations::{DeliveryView, MailRound, NewToken, Published, Recovery, RetentionReport};

/// A moment as RFC 3339 in UTC; `null` when there is none.
#[must_use]
pub fn moment(at: Option<Moment>) -> Value {
    at.map_or(Value::Null, |at| Value::String(at.to_string()))
}

fn text(given: Option<&impl ToString>) -> Value {
    given.map_or(Value::Null, |given| Value::String(given.to_string()))
}

/// The media type under which a file is given: sealed files as such, anything else unread.
#[must_use]
pub fn content_type(name: &FileName) -> &'static str {
    if name.as_str().ends_with(".age") { "application/age" } else { "application/octet-stream" }
}

/// A delivery with the metadata of its files. With a hidden history (A20) `progress` and
/// the fetch times are left out when `for_recipient`.
#[must_use]
pub fn delivery(view: &DeliveryView, for_recipient: bool) -> Value {
    let delivery = &view.delivery;
    let shows_history = !(for_recipient && view.history_hidden);
    let mut form = json!({
        "id": delivery.id.to_string(),
        "name": delivery.name(),
        "publication": delivery.publication.to_string(),
        "organisation": delivery.organisation.as_str(),
        "organisationName": delivery.organisation_name.as_str(),
        "product": delivery.product.as_str(),
        "productName": delivery.product_name.as_str(),
        "purpose": delivery.purpose.as_str(),
        "agreement": delivery.agreement.to_string(),
        "sequence": delivery.sequence,
        "period": text(delivery.period.as_ref()),
        "counts": delivery.counts.iter().map(|(label, count)| (label.to_string(), json!(count))).collect::<Map<_, _>>(),
        "publishedAt": delivery.published_at.to_string(),
        "availableUntil": delivery.available_until.to_string(),
        "endToEnd": delivery.end_to_end,
        "fileCount": delivery.file_count,
        "totalBytes": delivery.total_bytes,
        "replaces": text(delivery.replaces.as_ref()),
        "files": view.files.iter().map(|file| self::file(delivery, file)).collect::<Vec<_>>(),
    });
    if let Value::Object(members) = &mut form {
        members.extend(availability(&delivery.availability, for_recipient));
        if shows_history {
            let progress = &delivery.progress;
            members.insert("progress".to_owned(), json!(progress.state().to_string()));
            members.insert("filesFetched".to_owned(), json!(progress.files_fetched));
            members.insert("startedAt".to_owned(), moment(progress.started_at));
            members.insert("fetchedAt".to_owned(), moment(progress.fetched_at));
            members.insert("acknowledgedAt".to_owned(), moment(progress.acknowledged_at));
            let coverage: Vec<Value> = view.coverage.iter().map(coverage).collect();
            members.insert("coverage".to_owned(), Value::Array(coverage));
        }
    }
    form
}

fn coverage(row: &FileCoverage) -> Value {
    json!({
        "file": row.number,
        "bytes": row.coverage.bytes(),
        "releasedAt": moment(row.released_at),
        "fetchedAt": moment(row.fetched_at),
    })
}

/// `availability` with the moments and reasons that belong to it. Why a delivery is held is
/// the operator's business alone.
fn availability(state: &Availability, for_recipient: bool) -> Map<String, Value> {
    let mut members = Map::new();
    let mut member = |name: &str, value: Value| members.insert(name.to_owned(), value);
    member("availability", json!(state.word()));
    match state {
        Availability::Available => {}
        Availability::Held { reason, since } => {
            if !for_recipient {
                member("heldSince", json!(since.to_string()));
                member("heldReason", json!(reason.as_str()));
            }
        }
        Availability::Expired { at } => {
            member("expiredAt", json!(at.to_string()));
        }
        Availability::Withdrawn { at, reason } => {
            member("withdrawnAt", json!(at.to_string()));
            member("withdrawnReason", json!(reason.as_str()));
        }
        Availability::Replaced { at, by } => {
            member("replacedAt", json!(at.to_string()));
            member("replacedBy", json!(by.to_string()));
        }
        Availability::Shredded { at, after } => {
            member("shreddedAt", json!(at.to_string()));
            member(
                "endedAs",
                json!(match after {
                    Ending::Expired => "expired",
                    Ending::Withdrawn => "withdrawn",
                    Ending::Replaced => "replaced",
                }),
            );
        }
    }
    members
}

/// The metadata of one file (API Design Rules, module Transfer).
#[must_use]
pub fn file(delivery: &Delivery, file: &DeliveredFile) -> Value {
    json!({
        "id": file.number,
        "fileName": file.name.as_str(),
        "originalName": file.original_name.as_str(),
        "contentType": content_type(&file.name),
        "size": file.size_bytes,
        "sha256": file.sha256.to_string(),
        "contentUri": format!("/api/v1/deliveries/{}/files/{}/content", delivery.id, file.number),
        "createdAt": delivery.published_at.to_string(),
        "expiresAt": delivery.available_until.to_string(),
    })
}

/// The standing of an organisation or account as it was last decided.
fn standing(state: &Standing, for_operator: bool) -> Map<String, Value> {
    let mut members = Map::new();
    let mut member = |name: &str, value: Value| members.insert(name.to_owned(), value);
    match state {
        Standing::Active => {
            member("standing", json!("active"));
        }
        Standing::Blocked(block) => {
            member("standing", json!("blocked"));
            member("blockedSince", json!(block.since.to_string()));
            member("blockedUntil", moment(block.until));
            if for_operator {
                member("blockedReason", json!(block.reason.as_str()));
            }
        }
        Standing::Ended { at } => {
            member("standing", json!("ended"));
            member("endedAt", json!(at.to_string()));
        }
    }
    members
}

fn with(mut form: Value, more: Map<String, Value>) -> Value {
    if let Value::Object(members) = &mut form {
        members.extend(more);
    }
    form
}

/// An organisation. The reason of a block is shown to the operator only.
#[must_use]
pub fn organisation(organisation: &Organisation, for_operator: bool) -> Value {
    let form = json!({
        "code": organisation.code.as_str(),
        "name": organisation.name.as_str(),
        "oin": text(organisation.oin.as_ref()),
        "kvk": text(organisation.kvk.as_ref()),
        "mailDomains": organisation.mail_domains.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "addedAt": organisation.added_at.to_string(),
    });
    with(form, standing(&organisation.standing, for_operator))
}

/// A recipient key of an organisation.
#[must_use]
pub fn recipient_key(key: &RecipientKey) -> Value {
    json!({
        "organisation": key.organisation.as_str(),
        "fingerprint": key.fingerprint,
        "key": key.line,
        "addedAt": key.added_at.to_string(),
        "retiredAt": moment(key.retired_at),
    })
}

/// An account. The reason of a block is shown to the operator only.
#[must_use]
pub fn account(account: &Account, for_operator: bool) -> Value {
    let (kind, owner) = match &account.kind {
        AccountKind::Machine { owner } => ("machine", owner),
        AccountKind::Person { email } => ("person", email),
    };
    let form = json!({
        "login": account.login.as_str(),
        "organisation": account.organisation.as_str(),
        "kind": kind,
        "email": owner.as_str(),
        "isAdministrator": account.is_administrator,
        "language": match account.language {
            Language::Dutch => "nl",
            Language::English => "en",
        },
        "addedAt": account.added_at.to_string(),
    });
    with(form, standing(&account.standing, for_operator))
}

/// An SSH key of an account.
#[must_use]
pub fn ssh_key(key: &SshKey) -> Value {
    json!({
        "account": key.login.as_str(),
        "fingerprint": key.fingerprint,
        "key": key.line,
        "addedAt": key.added_at.to_string(),
        "expiresAt": moment(key.expires_at),
        "revokedAt": moment(key.revoked_at),
    })
}

/// An API token; neither the secret nor its digest is in it.
#[must_use]
pub fn token(token: &Token) -> Value {
    json!({
        "id": token.id.to_string(),
        "account": token.login.as_str(),
        "addedAt": token.added_at.to_string(),
        "expiresAt": moment(token.expires_at),
        "revokedAt": moment(token.revoked_at),
    })
}

/// A token that was just made, with its secret: shown this once.
#[must_use]
pub fn new_token(new: &NewToken) -> Value {
    let mut secret = Map::new();
    secret.insert("secret".to_owned(), json!(new.secret));
    with(token(&new.token), secret)
}

/// A product. Retention as `30d`.
#[must_use]
pub fn product(product: &Product) -> Value {
    json!({
        "code": product.code.as_str(),
        "name": product.name.as_str(),
        "retention": product.retention.to_string(),
        "requiresMarker": product.requires_marker,
        "acceptsUploads": product.accepts_uploads,
        "addedAt": product.added_at.to_string(),
    })
}

/// An agreement. `retention` is `null` when the product's own counts.
#[must_use]
pub fn agreement(agreement: &Agreement) -> Value {
    json!({
        "id": agreement.id.to_string(),
        "organisation": agreement.organisation.as_str(),
        "product": agreement.product.as_str(),
        "purpose": agreement.purpose.as_str(),
        "retention": text(agreement.retention.as_ref()),
        "from": agreement.from.to_string(),
        "until": moment(agreement.until),
        "endToEnd": agreement.end_to_end,
        "historyHidden": agreement.history_hidden,
        "addedAt": agreement.added_at.to_string(),
        "endedAt": moment(agreement.ended_at),
    })
}

/// A right of an account.
#[must_use]
pub fn right(right: &Right) -> Value {
    json!({
        "account": right.login.as_str(),
        "organisation": right.recipient.as_str(),
        "product": right.product.as_str(),
        "since": right.since.to_string(),
    })
}

/// An e-mail of the queue. Its address is whole: for the operator only.
#[must_use]
pub fn mail(mail: &Mail) -> Value {
    let form = json!({
        "id": mail.id.to_string(),
        "kind": mail.kind.word(),
        "delivery": mail.delivery.to_string(),
        "account": mail.login.as_str(),
        "to": mail.to.as_str(),
        "queuedAt": mail.queued_at.to_string(),
    });
    let state = match &mail.state {
        MailState::Queued { attempts, next_at, last_error } => json!({
            "state": "queued", "attempts": attempts, "nextAt": next_at.to_string(), "lastError": last_error,
        }),
        MailState::Sent { at } => json!({ "state": "sent", "sentAt": at.to_string() }),
        MailState::Failed { at, error } => json!({ "state": "failed", "failedAt": at.to_string(), "lastError": error }),
    };
    match state {
        Value::Object(members) => with(form, members),
        _ => form,
    }
}

/// What a round of e-mail did.
#[must_use]
pub fn mail_round(round: &MailRound) -> Value {
    json!({ "sent": round.sent, "deferred": round.deferred, "failed": round.failed })
}

/// A line of the history.
#[must_use]
pub fn history_line(line: &HistoryLine) -> Value {
    let (who, about, detail) = (&line.event.who, &line.event.about, &line.event.detail);
    json!({
        "sequence": line.sequence,
        "at": line.at.to_string(),
        "what": line.event.what.word(),
        "who": {
            "account": text(who.login.as_ref()),
            "organisation": text(who.organisation.as_ref()),
            "channel": who.channel.word(),
            "address": text(who.address.as_ref()),
            "credential": who.credential,
            "client": who.client,
        },
        "about": {
            "organisation": text(about.organisation.as_ref()),
            "account": text(about.login.as_ref()),
            "product": text(about.product.as_ref()),
            "publication": text(about.publication.as_ref()),
            "delivery": text(about.delivery.as_ref()),
            "file": text(about.file.as_ref()),
        },
        "bytes": detail.bytes,
        "until": moment(detail.until),
        "note": detail.note,
    })
}

/// The head of the history as CSV (RFC 4180), with its line end.
pub const HISTORY_CSV_HEAD: &str = "sequence,at,what,account,organisation,channel,address,credential,client,\
aboutOrganisation,aboutAccount,product,publication,delivery,file,bytes,until,note\r\n";

/// A line of the history as CSV (RFC 4180), with its line end.
#[must_use]
pub fn history_csv_line(line: &HistoryLine) -> String {
    let (who, about, detail) = (&line.event.who, &line.event.about, &line.event.detail);
    let fields = [
        line.sequence.to_string(),
        line.at.to_string(),
        line.event.what.word().to_owned(),
        csv_text(who.login.as_ref()),
        csv_text(who.organisation.as_ref()),
        who.channel.word().to_owned(),
        csv_text(who.address.as_ref()),
        csv_text(who.credential.as_ref()),
        csv_text(who.client.as_ref()),
        csv_text(about.organisation.as_ref()),
        csv_text(about.login.as_ref()),
        csv_text(about.product.as_ref()),
        csv_text(about.publication.as_ref()),
        csv_text(about.delivery.as_ref()),
        csv_text(about.file.as_ref()),
        csv_text(detail.bytes.as_ref()),
        csv_text(detail.until.as_ref()),
        csv_text(detail.note.as_ref()),
    ];
    fields.join(",") + "\r\n"
}

/// One CSV field. A text that a spreadsheet would run as a formula is led by an apostrophe.
fn csv_text(given: Option<&impl ToString>) -> String {
    let text = given.map(ToString::to_string).unwrap_or_default();
    let text = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text };
    if text.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// What a publication became.
#[must_use]
pub fn published(published: &Published) -> Value {
    let deliveries = published.deliveries.iter().map(|delivery| {
        json!({
            "id": delivery.id.to_string(),
            "organisation": delivery.organisation.as_str(),
            "name": delivery.name,
            "availableUntil": delivery.available_until.to_string(),
            "fileCount": delivery.file_count,
        })
    });
    let skipped = published
        .skipped
        .iter()
        .map(|(organisation, reason)| json!({ "organisation": organisation.as_str(), "reason": reason }));
    json!({
        "publication": published.publication.to_string(),
        "deliveries": deliveries.collect::<Vec<_>>(),
        "skipped": skipped.collect::<Vec<_>>(),
        "existed": published.existed,
    })
}

/// What a publication would become: as `published`, without ids and names that do not exist yet.
#[must_use]
pub fn planned(published: &Published) -> Value {
    let deliveries = published.deliveries.iter().map(|delivery| {
        json!({
            "organisation": delivery.organisation.as_str(),
            "availableUntil": delivery.available_until.to_string(),
            "fileCount": delivery.file_count,
        })
    });
    let skipped = published
        .skipped
        .iter()
        .map(|(organisation, reason)| json!({ "organisation": organisation.as_str(), "reason": reason }));
    json!({
        "dryRun": true,
        "deliveries": deliveries.collect::<Vec<_>>(),
        "skipped": skipped.collect::<Vec<_>>(),
    })
}

/// What a round of retention did or would do.
#[must_use]
pub fn retention_report(report: &RetentionReport) -> Value {
    json!({
        "expired": report.expired.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "slotsDestroyed": report.slots_destroyed,
        "shredded": report.shredded.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "payloadsRemoved": report.payloads_removed,
        "clockNotTrusted": report.clock_not_trusted,
    })
}

/// What recovery found and did.
#[must_use]
pub fn recovery(recovery: &Recovery) -> Value {
    json!({
        "temporaries": recovery.temporaries,
        "setAside": recovery.set_aside.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "leftAlone": recovery.left_alone.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "missing": recovery.missing.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "removed": recovery.removed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::history::{About, Channel, Event, Happening, Who};

    fn line() -> HistoryLine {
        let mut who = Who::operator(Channel::Api);
        who.client = Some("=cmd|'/c calc'!A1, \"x\"".to_owned());
        let event = Event::new(Happening::SignedIn, who, About::default()).with_bytes(7);
        HistoryLine { sequence: 3, at: Moment::from_millis(0), event }
    }

    #[test]
    fn a_csv_line_has_the_columns_of_the_head_and_runs_no_formula() {
        let csv = history_csv_line(&line());
        assert_eq!(
            csv,
            "3,1970-01-01T00:00:00Z,signed-in,,,api,,,\"'=cmd|'/c calc'!A1, \"\"x\"\"\",,,,,,,7,,\r\n"
        );
        assert_eq!(HISTORY_CSV_HEAD.split(',').count(), 18);
    }

    #[test]
    fn a_history_line_names_who_and_what() {
        let form = history_line(&line());
        assert_eq!(form.pointer("/what"), Some(&json!("signed-in")));
        assert_eq!(form.pointer("/who/channel"), Some(&json!("api")));
        assert_eq!(form.pointer("/about/delivery"), Some(&Value::Null));
        assert_eq!(form.pointer("/bytes"), Some(&json!(7)));
    }
}
