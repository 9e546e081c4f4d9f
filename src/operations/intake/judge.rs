//! Between received and accepted: the checks of the product, if it has any, and what they say on record.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};

use super::{both_of, put_intake};
use crate::domain::check_sequence::UploadSequence;
use crate::domain::decision::Decision;
use crate::domain::history::{Happening, Who};
use crate::domain::ids::UploadId;
use crate::domain::intake::{Answer, Intake, IntakeState, Judge};
use crate::domain::names::{OrganisationCode, ProductCode, UploadName};
use crate::domain::notice::NoticeKind;
use crate::domain::organisation::Organisation;
use crate::domain::receipt::{Findings, Report};
use crate::domain::refusal::Refusal;
use crate::domain::upload::Upload;
use crate::domain::verdict::CheckVerdict;
use crate::operations::uploads::{Contents, event, upload_of};
use crate::operations::{Failure, Fault, Operations};
use crate::ports::catalog::CatalogView;
use crate::ports::checker::Checked;

impl Operations {
    /// Judges a file that is due: accepted at once where nothing is to be checked.
    pub(super) fn judge(&self, id: UploadId) -> Result<(), Failure> {
        let (upload, intake) = self.catalog.look(|view| both_of(view, id))?;
        let verdict = if self.checker.is_wanted(&upload.product)? {
            // one that waits for the scanner is tried often, and begins once
            if intake.state == IntakeState::Received {
                self.begin_check(id)?;
            }
            let of = Of { organisation: &upload.organisation, product: &upload.product, name: &upload.name };
            let file = self.catalog.look(|view| checked(view, of, Some(upload.size_bytes)))?;
            let verdict = self.check_contents(&file, &mut Contents::of(self.open_received(&upload)?))?;
            Some((verdict, file.last_sequence))
        } else {
            None
        };
        self.decide_verdict(id, verdict)
    }

    /// Checks bytes; not to their end when the server stops.
    pub(super) fn check_contents(&self, file: &Checked, bytes: &mut dyn Read) -> Result<CheckVerdict, Failure> {
        let mut bytes = UntilStop { bytes, stops: &self.intake.stops };
        self.checker.check(file, &mut bytes).map_err(|failure| {
            if self.intake.stops.load(Ordering::Acquire) {
                return Refusal::WrongState("the server stops".to_owned()).into();
            }
            failure
        })
    }

    /// Reads to the end what the checks left; not when the server stops.
    pub(super) fn read_on(&self, bytes: &mut dyn Read, piece_bytes: usize) -> Result<(), Failure> {
        let mut bytes = UntilStop { bytes, stops: &self.intake.stops };
        let mut piece = vec![0; piece_bytes];
        loop {
            match bytes.read(&mut piece) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Fault::from_error("read a participant file to its end", error).into()),
            }
        }
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

    /// The verdict on record, with the last number of the files of its product that it was judged by.
    fn decide_verdict(&self, id: UploadId, verdict: Option<(CheckVerdict, Option<u64>)>) -> Result<(), Failure> {
        let (verdict, judged_by) = verdict.map_or((None, None), |(verdict, last)| (Some(verdict), last));
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
            let number = verdict.as_ref().filter(|_| is_accepted).and_then(CheckVerdict::sequence);
            let decision = put_sequence(view, decision, &upload, (judged_by, number))?;
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

/// Which file is checked.
#[derive(Clone, Copy)]
pub(super) struct Of<'a> {
    pub(super) organisation: &'a OrganisationCode,
    pub(super) product: &'a ProductCode,
    pub(super) name: &'a UploadName,
}

/// What the checks of a file need to know of it.
pub(super) fn checked(view: &dyn CatalogView, of: Of<'_>, size_bytes: Option<u64>) -> Result<Checked, Failure> {
    let organisation = view.row::<Organisation>(&Organisation::key_of(of.organisation))?;
    let mut client_marks = vec![of.organisation.to_string()];
    if let Some(organisation) = organisation {
        client_marks.extend(organisation.oin.map(|oin| oin.to_string()));
        client_marks.extend(organisation.kvk.map(|kvk| kvk.to_string()));
    }
    Ok(Checked {
        product: of.product.clone(),
        organisation: of.organisation.clone(),
        client_marks,
        last_sequence: last_sequence(view, of.organisation, of.product)?,
        name: of.name.clone(),
        size_bytes,
    })
}

/// The last number of the files of an organisation for a product that stands.
fn last_sequence(
    view: &dyn CatalogView,
    organisation: &OrganisationCode,
    product: &ProductCode,
) -> Result<Option<u64>, Failure> {
    let Some(row) = view.row::<UploadSequence>(&UploadSequence::key_of(organisation, product))? else {
        return Ok(None);
    };
    let intake = view.row::<Intake>(&Intake::key_of(row.upload))?;
    Ok(row.standing(intake.as_ref()))
}

/// The decision with the number of an accepted file as the last one of its product.
fn put_sequence(
    view: &dyn CatalogView,
    decision: Decision,
    upload: &Upload,
    (judged_by, number): (Option<u64>, Option<u64>),
) -> Result<Decision, Failure> {
    let Some(number) = number else { return Ok(decision) };
    let before = last_sequence(view, &upload.organisation, &upload.product)?;
    if before != judged_by {
        // another file was accepted or taken back meanwhile: this one is judged again
        return Err(Refusal::WrongState("the last number of its product changed".to_owned()).into());
    }
    let (organisation, product) = (upload.organisation.clone(), upload.product.clone());
    Ok(decision.put(UploadSequence { organisation, product, last: number, upload: upload.id, before }))
}

/// Bytes that end with an error when the server stops.
struct UntilStop<'a> {
    bytes: &'a mut dyn Read,
    stops: &'a AtomicBool,
}

impl Read for UntilStop<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.stops.load(Ordering::Acquire) {
            return Err(io::Error::other("the server stops"));
        }
        self.bytes.read(into)
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
