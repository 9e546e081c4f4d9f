//! The papers about a received participant file: the receipt at once, the result later, as JSON and in words
//! (4.5). Pure functions of facts; what was given out is kept as it was, so a new form changes no old paper.

use super::digest::Digest;
use super::ids::UploadId;
use super::intake::{Intake, IntakeState};
use super::moment::Moment;
use super::names::{LoginName, OrganisationCode, ProductCode, UploadName};
use super::upload::Upload;
use super::verdict::CheckVerdict;

/// Version of the form of receipts and results.
pub const FORM: u32 = 1;

/// What signatures of receipts and results are for (`ssh-keygen -Y verify -n`).
pub const NAMESPACE: &str = "postkluis-receipt";

/// What a receipt says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// The upload.
    pub id: UploadId,
    /// When it was whole and durable.
    pub received_at: Moment,
    /// The account that uploaded it.
    pub account: LoginName,
    /// The organisation of that account.
    pub organisation: OrganisationCode,
    /// The organisation that it was uploaded for, when that is another one (D6).
    pub client: Option<OrganisationCode>,
    /// For which product.
    pub product: ProductCode,
    /// The name of the file.
    pub name: UploadName,
    /// Its size.
    pub size_bytes: u64,
    /// Its digest.
    pub sha256: Digest,
    /// The upload with the same bytes that came before.
    pub duplicate_of: Option<UploadId>,
}

impl Receipt {
    /// The receipt of an upload by an account of `organisation`.
    #[must_use]
    pub fn of(
        upload: &Upload,
        organisation: &OrganisationCode,
        (received_at, sha256): (Moment, Digest),
        duplicate_of: Option<UploadId>,
    ) -> Self {
        Self {
            id: upload.id,
            received_at,
            account: upload.login.clone(),
            organisation: organisation.clone(),
            client: Some(upload.organisation.clone()).filter(|client| client != organisation),
            product: upload.product.clone(),
            name: upload.name.clone(),
            size_bytes: upload.size_bytes,
            sha256,
            duplicate_of,
        }
    }

    /// As JSON; `signer` is whose signature lies beside it.
    #[must_use]
    pub fn json(&self, signer: &str) -> String {
        let mut object = Object::new();
        object.number("form", u64::from(FORM));
        object.text("kind", "receipt");
        object.text("id", &self.id.to_string());
        object.text("state", if self.duplicate_of.is_some() { "duplicate" } else { "received" });
        object.text("receivedAt", &self.received_at.to_string());
        object.text("account", self.account.as_str());
        object.text("organisation", self.organisation.as_str());
        object.maybe("onBehalfOf", self.client.as_ref().map(OrganisationCode::as_str));
        object.text("product", self.product.as_str());
        object.text("fileName", self.name.as_str());
        object.number("size", self.size_bytes);
        object.text("sha256", &self.sha256.to_string());
        object.maybe("duplicateOf", self.duplicate_of.map(|id| id.to_string()).as_deref());
        object.text("signer", signer);
        object.closed()
    }
}

/// What a result says besides what became of the upload.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Findings {
    /// What the checks found.
    pub verdict: Option<CheckVerdict>,
    /// A report of the back office: JSON as it was given, or text.
    pub report: Option<Report>,
}

/// A report of the back office.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Report {
    /// A JSON value, as it was written.
    Json(String),
    /// Anything else.
    Text(String),
}

/// The result of an upload as JSON. `by` is who decided, at `now`.
#[must_use]
pub fn result_json(upload: &Upload, intake: &Intake, (by, now): (&str, Moment), findings: &Findings) -> String {
    let mut object = Object::new();
    object.number("form", u64::from(FORM));
    object.text("kind", "result");
    object.text("id", &upload.id.to_string());
    object.text("state", said(intake));
    object.text("by", by);
    object.text("decidedAt", &now.to_string());
    object.text("receivedAt", &intake.received_at.to_string());
    object.text("product", upload.product.as_str());
    object.text("fileName", upload.name.as_str());
    object.number("size", upload.size_bytes);
    object.maybe("sha256", upload.state.sha256().map(|sha256| sha256.to_string()).as_deref());
    let (duplicate_of, replaced_by) = others(intake);
    object.maybe("duplicateOf", duplicate_of.map(|id| id.to_string()).as_deref());
    object.maybe("replacedBy", replaced_by.map(|id| id.to_string()).as_deref());
    if let Some(verdict) = &findings.verdict {
        let counts: Vec<String> =
            verdict.counts().iter().map(|(name, count)| format!("{}: {count}", quoted(name))).collect();
        object.raw("counts", &format!("{{{}}}", counts.join(", ")));
        object.number("errorCount", verdict.fault_count());
        let faults: Vec<String> = verdict
            .faults()
            .iter()
            .map(|fault| {
                format!("{{\"line\": {}, \"column\": {}, \"code\": {}}}", fault.line, fault.column, quoted(&fault.code))
            })
            .collect();
        object.raw("errors", &format!("[{}]", faults.join(", ")));
    }
    match &findings.report {
        Some(Report::Json(json)) => object.raw("report", json.trim()),
        Some(Report::Text(text)) => object.text("report", text),
        None => {}
    }
    object.closed()
}

/// The same for people, in Dutch and English.
#[must_use]
pub fn result_text(upload: &Upload, intake: &Intake, (by, now): (&str, Moment), findings: &Findings) -> String {
    let (dutch, english) = match said(intake) {
        "accepted" => ("Uw bestand is goedgekeurd.", "Your file was accepted."),
        "duplicate" => (
            "U heeft ditzelfde bestand al eerder aangeleverd. Wij verwerken het niet nog een keer.",
            "You delivered the same file before. We do not process it again.",
        ),
        "replaced" => ("Uw bestand is vervangen door een nieuw bestand.", "Your file was replaced by a new one."),
        "withdrawn" => ("Uw bestand is ingetrokken.", "Your file was withdrawn."),
        _ => ("Uw bestand is afgekeurd. Wij verwerken het niet.", "Your file was rejected. We do not process it."),
    };
    let mut text = format!("{dutch}\n{english}\n\n");
    let mut row = |name: &str, value: &str| text.push_str(&format!("{name}: {value}\n"));
    row("Bestand / file", upload.name.as_str());
    row("Nummer / id", &upload.id.to_string());
    row("Product / product", upload.product.as_str());
    row("Grootte / size", &upload.size_bytes.to_string());
    row("Ontvangen / received", &intake.received_at.to_string());
    row("Besloten / decided", &now.to_string());
    row("Door / by", by);
    let (duplicate_of, replaced_by) = others(intake);
    if let Some(id) = duplicate_of {
        row("Gelijk aan / same as", &id.to_string());
    }
    if let Some(id) = replaced_by {
        row("Vervangen door / replaced by", &id.to_string());
    }
    if let Some(verdict) = &findings.verdict {
        for (name, count) in verdict.counts() {
            row(name, &count.to_string());
        }
        row("Fouten / errors", &verdict.fault_count().to_string());
        for fault in verdict.faults() {
            row(&format!("  regel / line {}, kolom / column {}", fault.line, fault.column), &fault.code);
        }
    }
    if let Some(Report::Json(report) | Report::Text(report)) = &findings.report {
        text.push('\n');
        text.push_str(report.trim_end());
        text.push('\n');
    }
    text
}

/// What a result says of a file: `accepted` also once it was handed over.
fn said(intake: &Intake) -> &'static str {
    let IntakeState::Collected { answer, .. } = &intake.state else { return intake.state.word() };
    if answer.is_some_and(|answer| !answer.accepted) { "rejected" } else { "accepted" }
}

const fn others(intake: &Intake) -> (Option<UploadId>, Option<UploadId>) {
    if let IntakeState::Duplicate { of, .. } = intake.state {
        (Some(of), None)
    } else if let IntakeState::Replaced { by, .. } = intake.state {
        (None, Some(by))
    } else {
        (None, None)
    }
}

/// What lies beside a handed-over file: the facts that the back office needs, as JSON.
#[must_use]
pub fn hand_over_note(upload: &Upload, organisation: &OrganisationCode, intake: &Intake, file: &str) -> String {
    let mut object = Object::new();
    object.number("form", u64::from(FORM));
    object.text("kind", "participant-file");
    object.text("id", &upload.id.to_string());
    object.text("file", file);
    object.text("fileName", upload.name.as_str());
    object.text("product", upload.product.as_str());
    object.text("organisation", upload.organisation.as_str());
    object.text("account", upload.login.as_str());
    object.maybe("uploadedBy", Some(organisation.as_str()).filter(|code| *code != upload.organisation.as_str()));
    object.text("receivedAt", &intake.received_at.to_string());
    object.number("size", upload.size_bytes);
    object.maybe("sha256", upload.state.sha256().map(|sha256| sha256.to_string()).as_deref());
    object.closed()
}

/// A JSON object in the making, one member on a line.
struct Object(Vec<String>);

impl Object {
    const fn new() -> Self {
        Self(Vec::new())
    }

    fn raw(&mut self, name: &str, value: &str) {
        self.0.push(format!("  {}: {value}", quoted(name)));
    }

    fn text(&mut self, name: &str, value: &str) {
        self.raw(name, &quoted(value));
    }

    fn maybe(&mut self, name: &str, value: Option<&str>) {
        match value {
            Some(value) => self.text(name, value),
            None => self.raw(name, "null"),
        }
    }

    fn number(&mut self, name: &str, value: u64) {
        self.raw(name, &value.to_string());
    }

    fn closed(self) -> String {
        format!("{{\n{}\n}}\n", self.0.join(",\n"))
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::PayloadId;
    use crate::domain::intake::Judge;
    use crate::domain::moment::Span;
    use crate::domain::retention::ShredSlot;
    use crate::domain::upload::{ReceivedStage, UploadState};
    use crate::domain::verdict::CheckFault;

    const AT: Moment = Moment::from_millis(1_795_428_000_000);

    fn upload() -> Upload {
        let sha256 = Digest::new([0xab; 32]);
        let payload = PayloadId::from_bytes([2; 16]);
        let until = AT.after(Span::from_days(7));
        Upload {
            id: UploadId::from_bytes([1; 16]),
            organisation: OrganisationCode::parse("client").unwrap(),
            product: ProductCode::parse("daily").unwrap(),
            name: UploadName::parse("a-b.csv").unwrap(),
            login: LoginName::parse("robot").unwrap(),
            begun_at: AT,
            changed_at: AT,
            mtime_seconds: None,
            size_bytes: 17,
            unfinished_until: until,
            slot: ShredSlot::of_day(until),
            state: UploadState::Received { at: AT, sha256, payload, stage: ReceivedStage::Shown },
        }
    }

    fn receipt(organisation: &str) -> Receipt {
        let organisation = OrganisationCode::parse(organisation).unwrap();
        Receipt::of(&upload(), &organisation, (AT, Digest::new([0xab; 32])), None)
    }

    #[test]
    fn a_receipt_keeps_its_form() {
        let expected = format!(
            "{{\n  \"form\": 1,\n  \"kind\": \"receipt\",\n  \"id\": \"{}\",\n  \"state\": \"received\",\n  \
             \"receivedAt\": \"{AT}\",\n  \"account\": \"robot\",\n  \"organisation\": \"office\",\n  \
             \"onBehalfOf\": \"client\",\n  \"product\": \"daily\",\n  \"fileName\": \"a-b.csv\",\n  \"size\": 17,\n  \
             \"sha256\": \"{}\",\n  \"duplicateOf\": null,\n  \"signer\": \"postkluis@files.example\"\n}}\n",
            upload().id,
            "ab".repeat(32)
        );
        assert_eq!(receipt("office").json("postkluis@files.example"), expected);
        assert!(receipt("client").json("x").contains("\"onBehalfOf\": null"), "its own organisation");
    }

    #[test]
    fn a_result_tells_places_and_counts() {
        let faults = vec![CheckFault { line: 3, column: 2, code: "not-a-date".to_owned() }];
        let verdict = Some(CheckVerdict::rejected(vec![("records".to_owned(), 5)], faults, 8));
        let intake = Intake::received(upload().id, AT, AT).rejected(AT, Judge::Checks, AT).unwrap();
        let findings = Findings { verdict, report: None };
        let json = result_json(&upload(), &intake, (Judge::Checks.word(), AT), &findings);
        for part in [
            "\"state\": \"rejected\"",
            "\"by\": \"checks\"",
            "\"counts\": {\"records\": 5}",
            "\"errorCount\": 8",
            "\"errors\": [{\"line\": 3, \"column\": 2, \"code\": \"not-a-date\"}]",
        ] {
            assert!(json.contains(part), "{part} in {json}");
        }
        let text = result_text(&upload(), &intake, (Judge::Checks.word(), AT), &findings);
        assert!(text.contains("afgekeurd") && text.contains("line 3, kolom / column 2: not-a-date"), "{text}");
    }

    #[test]
    fn texts_cannot_leave_their_quotes() {
        let intake = Intake::received(upload().id, AT, AT).accepted(AT, Judge::Checks, Some(AT)).unwrap();
        let report = Some(Report::Text("a \"b\"\n\\".to_owned()));
        let json = result_json(&upload(), &intake, (Judge::Checks.word(), AT), &Findings { verdict: None, report });
        assert!(json.contains(r#""report": "a \"b\"\u000a\\""#), "{json}");
    }
}
