//! What people are told of the state of a participant file, and of its result. Pure.

use serde_json::Value;

use crate::domain::account::Language;
use crate::domain::intake::{Answer, Ended, IntakeState};
use crate::domain::upload_stage::UploadStage;
use crate::fronts::https::portal::texts::upload_faults;
use crate::fronts::https::portal::texts::uploads::Texts;
use crate::operations::SeenUpload;

/// A state in a word, its tone for the style sheet, and in a sentence.
pub(in crate::fronts::https::portal) struct State {
    pub(in crate::fronts::https::portal) word: &'static str,
    /// `new`, `done`, `busy` or `gone`.
    pub(in crate::fronts::https::portal) tone: &'static str,
    pub(in crate::fronts::https::portal) sentence: &'static str,
}

impl State {
    pub(in crate::fronts::https::portal) fn of(t: &'static Texts, seen: &SeenUpload) -> Self {
        let (word, tone, sentence) = match seen.intake.as_ref().map(|intake| &intake.state) {
            None if seen.view.is_open => (t.state_receiving, "busy", t.said_receiving),
            None => (t.state_interrupted, "busy", t.said_interrupted),
            Some(IntakeState::Received) => (t.state_received, "new", t.said_received),
            Some(IntakeState::Checking { .. }) => (t.state_checking, "busy", t.said_checking),
            Some(IntakeState::Accepted { .. } | IntakeState::HandingOver { .. }) => {
                (t.state_accepted, "done", t.said_accepted)
            }
            Some(IntakeState::Rejected { .. }) => (t.state_rejected, "wrong", t.said_rejected),
            Some(IntakeState::Duplicate { .. }) => (t.state_duplicate, "gone", t.said_duplicate),
            Some(IntakeState::Replaced { .. }) => (t.state_replaced, "gone", t.said_replaced),
            Some(IntakeState::Withdrawn { .. }) => (t.state_withdrawn, "gone", t.said_withdrawn),
            Some(IntakeState::Collected { answer: None, .. }) => (t.state_collected, "done", t.said_collected),
            Some(IntakeState::Collected { answer: Some(Answer { accepted: true, .. }), .. }) => {
                (t.state_processed, "done", t.said_processed)
            }
            Some(IntakeState::Collected { answer: Some(_), .. }) => (t.state_rejected, "wrong", t.said_not_processed),
            Some(IntakeState::Cleared { after: Ended::Collected, .. }) => (t.state_cleared, "gone", t.said_cleared),
            Some(IntakeState::Cleared { .. }) => (t.state_cleared, "gone", t.said_never),
        };
        Self { word, tone, sentence }
    }
}

/// The word for a stage in the filter of the list.
pub(in crate::fronts::https::portal) const fn stage(t: &'static Texts, stage: UploadStage) -> &'static str {
    match stage {
        UploadStage::Receiving => t.state_interrupted,
        UploadStage::Received => t.state_received,
        UploadStage::Checking => t.state_checking,
        UploadStage::Accepted => t.state_accepted,
        UploadStage::Rejected => t.state_rejected,
        UploadStage::Collected => t.state_collected,
        UploadStage::Cleared => t.state_cleared,
        UploadStage::Duplicate => t.state_duplicate,
        UploadStage::Replaced => t.state_replaced,
        UploadStage::Withdrawn => t.state_withdrawn,
    }
}

/// A result as people read it, out of the paper that was given out.
#[derive(PartialEq, Eq, Debug)]
pub(in crate::fronts::https::portal) struct Found {
    /// Whether the file was accepted, and who said so.
    pub(in crate::fronts::https::portal) verdict: &'static str,
    pub(in crate::fronts::https::portal) by: &'static str,
    pub(in crate::fronts::https::portal) was_checked: bool,
    pub(in crate::fronts::https::portal) counts: Vec<(String, String)>,
    pub(in crate::fronts::https::portal) faults: Vec<Fault>,
    /// How many faults there are; empty when all are listed.
    pub(in crate::fronts::https::portal) in_all: String,
    pub(in crate::fronts::https::portal) report: String,
}

#[derive(PartialEq, Eq, Debug)]
pub(in crate::fronts::https::portal) struct Fault {
    pub(in crate::fronts::https::portal) line: String,
    pub(in crate::fronts::https::portal) column: String,
    pub(in crate::fronts::https::portal) text: String,
}

impl Found {
    /// Reads the paper. What a later version wrote into it and this one does not know is left out.
    pub(in crate::fronts::https::portal) fn read(t: &'static Texts, language: Language, paper: &[u8]) -> Option<Self> {
        let paper: Value = serde_json::from_slice(paper).ok()?;
        let word = |member: &str| paper.get(member).and_then(Value::as_str).unwrap_or_default();
        let verdict = match word("state") {
            "accepted" => t.result_accepted,
            "duplicate" => t.said_duplicate,
            "replaced" => t.said_replaced,
            "withdrawn" => t.said_withdrawn,
            _ => t.result_rejected,
        };
        let by = match word("by") {
            "checks" if word("state") != "duplicate" => t.result_by_checks,
            "back-office" => t.result_by_office,
            _ => "",
        };
        let counts = paper.get("counts").and_then(Value::as_object);
        let counts = counts.into_iter().flatten().map(|(name, count)| (counted(t, name), count.to_string())).collect();
        let faults: Vec<Fault> = paper
            .get("errors")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|fault| told(t, language, fault))
            .collect();
        let in_all = paper.get("errorCount").and_then(Value::as_u64).unwrap_or_default();
        let is_cut = in_all > faults.len() as u64;
        let report = match paper.get("report") {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => serde_json::to_string_pretty(other).unwrap_or_default(),
        };
        Some(Self {
            verdict,
            by,
            was_checked: paper.get("errorCount").is_some(),
            counts,
            faults,
            in_all: if is_cut { in_all.to_string() } else { String::new() },
            report,
        })
    }
}

fn told(t: &'static Texts, language: Language, fault: &Value) -> Fault {
    let number = |member: &str| fault.get(member).and_then(Value::as_u64).unwrap_or_default();
    let (line, column) = (number("line"), number("column"));
    let code = fault.get("code").and_then(Value::as_str).unwrap_or_default();
    Fault {
        line: if line == 0 { t.whole.to_owned() } else { line.to_string() },
        column: match (line, column) {
            (0, 0) => String::new(),
            (_, 0) => t.whole_line.to_owned(),
            (_, column) => column.to_string(),
        },
        text: upload_faults::said(upload_faults::Texts::of(language), code),
    }
}

fn counted(t: &'static Texts, name: &str) -> String {
    let text = match name {
        "lines" => t.count_lines,
        "records" => t.count_records,
        "elements" => t.count_elements,
        "not-scanned" => t.count_unscanned,
        other => other,
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_read_as_it_was_given_out() {
        let t = Texts::of(Language::Dutch);
        let paper = br#"{"state": "rejected", "by": "checks", "counts": {"records": 3}, "errorCount": 7, "errors":
            [{"line": 2, "column": 4, "code": "not-a-date"}, {"line": 0, "column": 0, "code": "made-up"}]}"#;
        let found = Found::read(t, Language::Dutch, paper).unwrap();
        assert_eq!((found.verdict, found.by, found.in_all.as_str()), (t.result_rejected, t.result_by_checks, "7"));
        assert_eq!(found.counts, [("records".to_owned(), "3".to_owned())]);
        assert_eq!((found.faults[0].line.as_str(), found.faults[0].column.as_str()), ("2", "4"));
        assert!(found.faults[0].text.contains("datum"));
        assert_eq!((found.faults[1].line.as_str(), found.faults[1].text.as_str()), (t.whole, "made-up"));
        let answer =
            Found::read(t, Language::English, br#"{"state": "accepted", "by": "back-office", "report": {"a": 1}}"#);
        assert!(answer.is_some_and(|found| found.report.contains("\"a\": 1") && !found.was_checked));
        assert_eq!(Found::read(t, Language::Dutch, b"not JSON"), None);
    }
}
