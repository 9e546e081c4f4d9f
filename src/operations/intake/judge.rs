//! Between received and accepted: the checks of the product, if it has any, and what they say on record.

use super::{both_of, put_intake};
use crate::domain::decision::Decision;
use crate::domain::history::{Happening, Who};
use crate::domain::ids::UploadId;
use crate::domain::intake::{Answer, IntakeState, Judge};
use crate::domain::notice::NoticeKind;
use crate::domain::receipt::{Findings, Report};
use crate::domain::upload::Upload;
use crate::domain::verdict::CheckVerdict;
use crate::operations::uploads::{Contents, event, upload_of};
use crate::operations::{Failure, Operations};
use crate::ports::checker::Checked;

impl Operations {
    /// Judges a file that is due: accepted at once where nothing is to be checked.
    pub(super) fn judge(&self, id: UploadId) -> Result<(), Failure> {
        let (upload, _) = self.catalog.look(|view| both_of(view, id))?;
        let verdict = if self.checker.is_wanted(&upload.product)? {
            self.begin_check(id)?;
            let file = Checked {
                product: upload.product.clone(),
                organisation: upload.organisation.clone(),
                name: upload.name.clone(),
                size_bytes: upload.size_bytes,
            };
            Some(self.checker.check(&file, &mut Contents::of(self.open_received(&upload)?))?)
        } else {
            None
        };
        self.decide_verdict(id, verdict)
    }

    fn begin_check(&self, id: UploadId) -> Result<(), Failure> {
        let now = self.now();
        self.catalog.decide(Box::new(move |view| {
            let (upload, before) = both_of(view, id)?;
            let after = before.clone().checking(now)?;
            let decision = Decision::new(now, event(Happening::UploadCheckBegun, Who::system(), &upload, ""));
            Ok(put_intake(decision, Some(&before), after))
        }))?;
        Ok(())
    }

    fn decide_verdict(&self, id: UploadId, verdict: Option<CheckVerdict>) -> Result<(), Failure> {
        let (now, desk) = (self.now(), self.desk());
        self.catalog.decide(Box::new(move |view| {
            let (upload, before) = both_of(view, id)?;
            let is_accepted = verdict.as_ref().is_none_or(CheckVerdict::is_accepted);
            let (after, what, kind) = if is_accepted {
                let due = desk.handed_over_at(&upload.product, now);
                let after = before.clone().accepted(now, Judge::Checks, due)?;
                (after, Happening::UploadAccepted, NoticeKind::UploadAccepted)
            } else {
                let after = before.clone().rejected(now, Judge::Checks, desk.cleared_at(now))?;
                (after, Happening::UploadRejected, NoticeKind::UploadRejected)
            };
            let note = verdict.as_ref().map(counted).unwrap_or_default();
            let decision = Decision::new(now, event(what, Who::system(), &upload, &note));
            let findings = Findings { verdict, report: None };
            let decision = desk.put_result(decision, (&upload, &after), (Judge::Checks.word(), now), &findings)?;
            // what nothing was checked of needs no second e-mail: the first said that it was received
            let decision = match &findings.verdict {
                Some(_) => desk.notify(view, decision, (kind, &upload), note, now)?,
                None => decision,
            };
            Ok(put_intake(decision, Some(&before), after))
        }))?;
        Ok(())
    }

    /// What the back office says of a file: of one that it has, what it made of it; of one that waits, whether it is
    /// to have it.
    pub(super) fn decide_office(
        &self,
        id: UploadId,
        who: Who,
        is_accepted: bool,
        report: Option<Report>,
    ) -> Result<Upload, Failure> {
        let (now, desk) = (self.now(), self.desk());
        self.catalog.decide(Box::new(move |view| {
            let (upload, before) = both_of(view, id)?;
            let has_it = matches!(before.state, IntakeState::Collected { .. });
            let after = if has_it {
                before.clone().answered(Answer { accepted: is_accepted, at: now })?
            } else if is_accepted {
                before.clone().accepted(now, Judge::BackOffice, desk.handed_over_at(&upload.product, now))?
            } else {
                before.clone().rejected(now, Judge::BackOffice, desk.cleared_at(now))?
            };
            let kind = if is_accepted { NoticeKind::UploadAccepted } else { NoticeKind::UploadRejected };
            let what = match (has_it, is_accepted) {
                (true, _) => Happening::UploadAnswered,
                (false, true) => Happening::UploadAccepted,
                (false, false) => Happening::UploadRejected,
            };
            let note = if is_accepted { "accepted by the back office" } else { "rejected by the back office" };
            let decision = Decision::new(now, event(what, who, &upload, note));
            let findings = Findings { verdict: None, report };
            let decision = desk.put_result(decision, (&upload, &after), (Judge::BackOffice.word(), now), &findings)?;
            let decision = desk.notify(view, decision, (kind, &upload), String::new(), now)?;
            Ok(put_intake(decision, Some(&before), after))
        }))?;
        self.catalog.look(|view| upload_of(view, id))
    }
}

/// Counts and the number of faults, in one line.
fn counted(verdict: &CheckVerdict) -> String {
    let mut parts: Vec<String> = verdict.counts().iter().map(|(name, count)| format!("{name} {count}")).collect();
    if !verdict.is_accepted() {
        parts.push(format!("errors {}", verdict.fault_count()));
    }
    parts.join(", ")
}
