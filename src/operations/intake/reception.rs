//! The moment at which an upload is received: receipt, name in the receipts, recognition of a file that came before.
//! Part of the decision that receives it, so that none of it can be missing.

use super::{Desk, put_intake};
use crate::domain::account::Account;
use crate::domain::decision::Decision;
use crate::domain::digest::Digest;
use crate::domain::history::{Happening, Who};
use crate::domain::ids::UploadId;
use crate::domain::intake::{Intake, Judge};
use crate::domain::intake_rows::{IntakeDue, IntakeEntry, IntakePaper, PaperKind, ReceiptEntry, UploadDigest};
use crate::domain::moment::{Moment, Span};
use crate::domain::names::{OrganisationCode, ProductCode};
use crate::domain::notice::NoticeKind;
use crate::domain::receipt::{Findings, Receipt};
use crate::domain::upload::{Upload, UploadState};
use crate::operations::Failure;
use crate::operations::uploads::{event, upload_of};
use crate::ports::catalog::CatalogView;

/// How a file was said to be whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::operations) enum Reception {
    /// By its close alone: clients that were interrupted close too, and go on later.
    Closed,
    /// By a rename from a temporary name or a marker: nothing comes after that.
    Declared,
}

impl Desk {
    /// The decision that receives `upload`, with its receipt and all that follows from it. What it takes the place of
    /// in the same decision is no earlier file.
    pub(in crate::operations) fn receive(
        &self,
        view: &dyn CatalogView,
        decision: Decision,
        (upload, replaced): (&Upload, Option<UploadId>),
        reception: Reception,
        now: Moment,
    ) -> Result<Decision, Failure> {
        let UploadState::Received { sha256, .. } = upload.state else { return Ok(decision) };
        let account = view.row::<Account>(&Account::key_of(&upload.login))?;
        let organisation = account.map_or_else(|| upload.organisation.clone(), |account| account.organisation);
        let place = (&upload.organisation, &upload.product);
        let twin =
            self.twin_of(view, place, (Some(upload.id), sha256), now)?.filter(|twin| Some(twin.upload) != replaced);
        let receipt = Receipt::of(upload, &organisation, (now, sha256), twin.as_ref().map(|twin| twin.upload));
        let receipt = self.signed(upload.id, PaperKind::Receipt, now, receipt.json(&self.signer_name))?;
        let (code, product) = (upload.organisation.clone(), upload.product.clone());
        let mut decision = decision
            .put(receipt)
            .put(IntakeEntry { organisation: code.clone(), received_at: now, upload: upload.id })
            .put(ReceiptEntry {
                organisation: code.clone(),
                product: product.clone(),
                name: upload.name.clone(),
                upload: upload.id,
            });
        let mut finding = String::new();
        let intake = if let Some(twin) = twin {
            let of = twin.upload;
            finding = of.to_string();
            let note = format!("the same as upload {of}");
            decision = put_intake(
                decision.and(event(Happening::UploadDuplicate, Who::system(), upload, &note)),
                Some(&twin.clone()),
                twin.with_twin(),
            );
            let intake = Intake::duplicate(upload.id, now, of, self.cleared_at(now));
            decision =
                self.put_result(decision, (upload, &intake), (Judge::Checks.word(), now), &Findings::default())?;
            intake
        } else {
            decision =
                decision.put(UploadDigest { organisation: code, product, sha256, upload: upload.id, received_at: now });
            let settle = match reception {
                Reception::Closed => self.settings.settle,
                Reception::Declared => Span::ZERO,
            };
            Intake::received(upload.id, now, now.after(settle))
        };
        let decision = put_intake(decision, None, intake);
        self.notify(view, decision, (NoticeKind::UploadReceived, upload), finding, now)
    }

    /// The upload that has the bytes of this digest and stands for them, if it is another one than `upload`.
    pub(super) fn twin_of(
        &self,
        view: &dyn CatalogView,
        (organisation, product): (&OrganisationCode, &ProductCode),
        (upload, sha256): (Option<UploadId>, Digest),
        now: Moment,
    ) -> Result<Option<Intake>, Failure> {
        if self.settings.duplicate_window == Span::ZERO {
            return Ok(None);
        }
        let key = UploadDigest::key_of(organisation, product, &sha256);
        let Some(known) = view.row::<UploadDigest>(&key)?.filter(|known| Some(known.upload) != upload) else {
            return Ok(None);
        };
        if known.received_at.after(self.settings.duplicate_window) <= now {
            return Ok(None);
        }
        let Some(intake) = view.row::<Intake>(&Intake::key_of(known.upload))? else { return Ok(None) };
        let has_the_same = upload_of(view, known.upload)?.state.sha256() == Some(sha256);
        Ok(Some(intake).filter(|intake| has_the_same && intake.state.makes_duplicates()))
    }
}

/// The decision with which an upload that was received is unfinished again: its receipt goes, and comes anew.
///
/// # Errors
/// `WrongState` once it was judged, or something was judged by it.
pub(in crate::operations) fn unregister(
    view: &dyn CatalogView,
    decision: Decision,
    upload: &Upload,
) -> Result<Decision, Failure> {
    let Some(intake) = view.row::<Intake>(&Intake::key_of(upload.id))? else { return Ok(decision) };
    intake.may_be_resumed()?;
    let decision = forget_digest(view, decision, upload)?;
    forget(view, decision, upload, &intake)
}

/// The decision that forgets all papers and names of an upload.
pub(super) fn forget(
    view: &dyn CatalogView,
    decision: Decision,
    upload: &Upload,
    intake: &Intake,
) -> Result<Decision, Failure> {
    let mut decision = decision.remove(Intake::key_of(upload.id)).remove(IntakeEntry::key_of(
        &upload.organisation,
        intake.received_at,
        upload.id,
    ));
    if let Some(due) = intake.due {
        decision = decision.remove(IntakeDue::key_of(due, upload.id));
    }
    for which in [PaperKind::Receipt, PaperKind::Result, PaperKind::ResultText] {
        decision = decision.remove(IntakePaper::key_of(upload.id, which));
    }
    let key = ReceiptEntry::key_of(&upload.organisation, &upload.product, &upload.name);
    if view.row::<ReceiptEntry>(&key)?.is_some_and(|entry| entry.upload == upload.id) {
        decision = decision.remove(key);
    }
    Ok(decision.leaving_access_as_it_is())
}

/// The decision after which these bytes are no duplicate of this upload any more.
pub(super) fn forget_digest(view: &dyn CatalogView, decision: Decision, upload: &Upload) -> Result<Decision, Failure> {
    let Some(sha256) = upload.state.sha256() else { return Ok(decision) };
    let key = UploadDigest::key_of(&upload.organisation, &upload.product, &sha256);
    let is_its_own = view.row::<UploadDigest>(&key)?.is_some_and(|known| known.upload == upload.id);
    Ok(if is_its_own { decision.remove(key) } else { decision })
}

/// Whether another upload may take the place of a received one.
///
/// # Errors
/// `WrongState` once it was, or may have been, handed over, or has ended otherwise.
pub(in crate::operations) fn may_be_replaced(view: &dyn CatalogView, upload: &Upload) -> Result<(), Failure> {
    let (intake, now) = (super::intake_of(view, upload)?, upload.changed_at);
    intake.replaced(now, upload.id, now)?;
    Ok(())
}

/// Whether a received upload may be opened again: nobody has judged it.
pub(in crate::operations) fn may_go_on(view: &dyn CatalogView, id: UploadId) -> Result<bool, Failure> {
    let intake = view.row::<Intake>(&Intake::key_of(id))?;
    Ok(intake.is_none_or(|intake| intake.may_be_resumed().is_ok()))
}
