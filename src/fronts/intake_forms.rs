//! The JSON forms of what became of participant files: the same in the API and behind `--json`.

use serde_json::{Value, json};

use super::forms;
use crate::domain::expected_upload::ExpectedState;
use crate::domain::intake::{Intake, IntakeState};
use crate::domain::moment::Moment;
use crate::domain::upload::UploadState;
use crate::operations::{Announced, ExpectedView, ReceiptFile, ReceiptKey, ReceiptView, Tried, UploadView};

fn moment(at: Option<Moment>) -> Value {
    at.map_or(Value::Null, |at| json!(at.to_string()))
}

/// What would become of a file that was not submitted; places and codes, as in a result.
#[must_use]
pub fn tried(tried: &Tried) -> Value {
    let verdict = &tried.verdict;
    let counts: serde_json::Map<String, Value> =
        verdict.counts().iter().map(|(name, count)| (name.clone(), json!(count))).collect();
    let errors = verdict.faults().iter();
    let errors = errors.map(|fault| json!({ "line": fault.line, "column": fault.column, "code": fault.code }));
    json!({
        "kind": "check",
        "state": tried.word(),
        "duplicateOf": tried.duplicate_of.map(|id| id.to_string()),
        "size": tried.whole.map(|(size, _)| size),
        "sha256": tried.whole.map(|(_, sha256)| sha256.to_string()),
        "counts": counts,
        "errorCount": verdict.fault_count(),
        "errors": errors.collect::<Vec<_>>(),
    })
}

/// The form of an upload with how far it came since it was received; `null` before.
#[must_use]
pub fn with_stage(mut form: Value, receipt: Option<&ReceiptView>) -> Value {
    if let Value::Object(members) = &mut form {
        members.insert("stage".to_owned(), receipt.map_or(Value::Null, |view| json!(view.intake.state.word())));
        if let Some(view) = receipt {
            members.extend(stages(&view.intake));
        }
    }
    form
}

fn stages(intake: &Intake) -> serde_json::Map<String, Value> {
    let mut members = serde_json::Map::new();
    let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
    match &intake.state {
        IntakeState::Received | IntakeState::Checking { .. } => {}
        IntakeState::HandingOver { since, way, .. } => {
            put("handOverBegunAt", moment(Some(*since)));
            put("handOverBy", json!(way.word()));
        }
        IntakeState::Accepted { at } | IntakeState::Withdrawn { at } => {
            put("decidedAt", moment(Some(*at)));
        }
        IntakeState::Rejected { at, by } => {
            put("decidedAt", moment(Some(*at)));
            put("decidedBy", json!(by.word()));
        }
        IntakeState::Duplicate { at, of } => {
            put("decidedAt", moment(Some(*at)));
            put("duplicateOf", json!(of.to_string()));
        }
        IntakeState::Replaced { at, by } => {
            put("decidedAt", moment(Some(*at)));
            put("replacedBy", json!(by.to_string()));
        }
        IntakeState::Collected { at, way, acknowledged_at, answer, .. } => {
            put("collectedAt", moment(Some(*at)));
            put("collectedBy", json!(way.word()));
            put("acknowledgedAt", moment(*acknowledged_at));
            put("processed", json!(answer.map(|answer| answer.accepted)));
        }
        IntakeState::Cleared { at, after } => {
            put("clearedAt", moment(Some(*at)));
            put("clearedAfter", json!(after.word()));
        }
    }
    members
}

/// A received participant file as its organisation sees it; `base` is the address under which its resources lie.
#[must_use]
pub fn participant_file(view: &ReceiptView, base: &str) -> Value {
    let upload = UploadView { upload: view.upload.clone(), is_open: false };
    let mut form = with_stage(forms::upload(&upload), Some(view));
    if let Value::Object(members) = &mut form {
        // where the back office has it is the back office's
        for name in ["collectedBy", "handOverBy", "handOverBegunAt"] {
            members.remove(name);
        }
        members.insert("receivedAt".to_owned(), json!(view.intake.received_at.to_string()));
        let papers = format!("{base}/participant-files/{}", view.upload.id);
        let has = |ending| view.papers.iter().any(|paper| paper.file == ending);
        let uri = |name: &str, is_there: bool| is_there.then(|| format!("{papers}/{name}"));
        members.insert("receiptUri".to_owned(), json!(uri("receipt", has(ReceiptFile::Receipt))));
        members.insert("resultUri".to_owned(), json!(uri("result", has(ReceiptFile::Result))));
    }
    form
}

/// A received participant file with its receipt and the signature of that, as they are given out.
#[must_use]
pub fn received(view: &ReceiptView, base: &str) -> Value {
    let mut form = participant_file(view, base);
    let text =
        |file| view.papers.iter().find(|paper| paper.file == file).map(|paper| String::from_utf8_lossy(&paper.bytes));
    if let Value::Object(members) = &mut form {
        members.insert("receipt".to_owned(), json!(text(ReceiptFile::Receipt)));
        members.insert("receiptSignature".to_owned(), json!(text(ReceiptFile::ReceiptSignature)));
    }
    form
}

/// An announced participant file before it is received, or one that was taken back before that.
#[must_use]
pub fn announced(announced: &Announced, base: &str) -> Value {
    let mut form = forms::upload(&announced.view);
    let upload = &announced.view.upload;
    if let Value::Object(members) = &mut form {
        let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
        let is_coming = upload.state == UploadState::Unfinished;
        let plan = announced.plan.as_ref();
        put("name", json!(announced.name().as_str()));
        put("stage", json!(if is_coming { "receiving" } else { upload.state.word() }));
        put("fileName", json!(announced.name().as_str()));
        let media_type = plan.and_then(|plan| plan.media_type.as_ref());
        put("contentType", json!(media_type.map_or("application/octet-stream", |line| line.as_str())));
        put("size", json!(announced.whole_bytes()));
        put("createdAt", json!(upload.begun_at.to_string()));
        put("expiresAt", moment(Some(upload.unfinished_until).filter(|_| is_coming)));
        let files = format!("{base}/participant-files/{}", upload.id);
        put("contentUri", json!(is_coming.then(|| format!("{files}/content"))));
        put("receiptUri", Value::Null);
        put("resultUri", Value::Null);
    }
    form
}

/// With which key receipts and results are checked.
#[must_use]
pub fn receipt_key(key: &ReceiptKey) -> Value {
    json!({
        "identity": key.identity,
        "namespace": key.namespace,
        "publicKey": key.public_key,
        "fingerprint": key.fingerprint,
        "allowedSigners": key.allowed_signers,
    })
}

/// A participant file that is expected, and how it stands.
#[must_use]
pub fn expected(view: &ExpectedView) -> Value {
    let row = &view.expected;
    let (upload, at) = match view.state {
        ExpectedState::Received(id, at) | ExpectedState::Late(id, at) => (json!(id.to_string()), moment(Some(at))),
        ExpectedState::Waiting | ExpectedState::Missing => (Value::Null, Value::Null),
    };
    json!({
        "organisation": row.organisation.as_str(),
        "product": row.product.as_str(),
        "every": row.rhythm.to_string(),
        "remindDays": row.remind_days,
        "expectedBy": view.day,
        "state": view.state.word(),
        "uploadId": upload,
        "receivedAt": at,
        "missedInARow": row.missed,
        "setAt": row.set_at.to_string(),
    })
}
