//! What becomes of received participant files: receipt, check, hand-over, result, end. One decision for each step,
//! and one round that does what is due. Knows who may, and nothing of folders or signatures.

mod collect;
mod dry_run;
mod hand_over;
mod judge;
mod office;
mod papers;
mod reception;
mod round;
mod withdraw;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

pub use collect::CollectedRead;
pub use dry_run::Tried;
pub use papers::{Paper, ReceiptFile, ReceiptKey, ReceiptView};
pub use round::IntakeRound;

pub(super) use reception::{Reception, may_be_replaced, may_go_on, unregister};
pub(super) use withdraw::ended_upload;

use super::post::{Notice, Post, addressed};
use super::send_notices::mail_id;
use super::uploads::upload_of;
use super::{Failure, Operations};
use crate::domain::account::Account;
use crate::domain::decision::Decision;
use crate::domain::ids::UploadId;
use crate::domain::intake::{Intake, IntakeState};
use crate::domain::intake_rows::{IntakeDue, IntakePaper, MOST_PAPER_BYTES, PaperKind};
use crate::domain::moment::{Moment, Span};
use crate::domain::names::ProductCode;
use crate::domain::notice::{Fact, NoticeKind};
use crate::domain::receipt::{Findings, NAMESPACE, result_json, result_text};
use crate::domain::refusal::Refusal;
use crate::domain::upload::{Upload, UploadState};
use crate::ports::catalog::CatalogView;
use crate::ports::signer::Signer;

/// Periods and ways of the intake; each has its default in the configuration.
#[derive(Clone, Debug)]
pub struct IntakeSettings {
    /// A file that was merely closed is checked when its account did not go on with it for so long.
    pub settle: Span,
    /// The same bytes are a duplicate for so long; zero for never.
    pub duplicate_window: Span,
    /// The bytes of a file that was collected or rejected, or is a duplicate, go after so long.
    pub cleared_after: Span,
    /// Receipt and result are kept for so long after a file was received.
    pub receipts_kept: Span,
    /// Files are handed over sealed to this age recipient.
    pub sealed_to: Option<String>,
    /// Products whose files are not put into the folder: they wait to be collected.
    pub collect_only: Vec<ProductCode>,
}

/// What the intake holds in memory.
#[derive(Default)]
pub(super) struct UnderWay {
    /// Files that are being handed over or checked now: one at a time for each.
    busy: Mutex<HashSet<UploadId>>,
    /// When those that failed are tried again.
    waits: Mutex<HashMap<UploadId, Moment>>,
    /// How far the look for what the back office took away came.
    looked_up_to: Mutex<Option<(Moment, UploadId)>>,
    /// Files that are checked now without being submitted.
    dry_runs: dry_run::Running,
    /// The server stops: what is being copied ends.
    stops: AtomicBool,
}

/// What rules about received uploads need: they run where nothing else is at hand.
#[derive(Clone)]
pub(super) struct Desk {
    signer: Arc<dyn Signer>,
    post: Arc<Post>,
    settings: IntakeSettings,
    signer_name: String,
}

impl Operations {
    pub(super) fn desk(&self) -> Desk {
        Desk {
            signer: Arc::clone(&self.signer),
            post: Arc::clone(&self.post),
            settings: self.settings.intake.clone(),
            signer_name: self.signer_name(),
        }
    }

    /// As whom this server signs: `postkluis@` and its host name.
    fn signer_name(&self) -> String {
        let url = self.settings.sender.portal_url.as_str();
        let host = url.trim_start_matches("https://").split([':', '/']).next().unwrap_or_default();
        format!("postkluis@{}", if host.is_empty() { "localhost" } else { host })
    }

    /// No copy of a file goes on: the server stops. What was begun goes on after the next start.
    pub fn stop_handing_over(&self) {
        self.intake.stops.store(true, Ordering::Release);
    }
}

impl Desk {
    /// When what is known of a file is forgotten.
    fn forgotten_at(&self, intake: &Intake) -> Moment {
        intake.received_at.after(self.settings.receipts_kept)
    }

    fn cleared_at(&self, now: Moment) -> Moment {
        now.after(self.settings.cleared_after)
    }

    /// When an accepted file of a product is handed over; `None`: when it is collected.
    fn handed_over_at(&self, product: &ProductCode, now: Moment) -> Option<Moment> {
        Some(now).filter(|_| !self.settings.collect_only.contains(product))
    }

    fn signed(
        &self,
        upload: UploadId,
        which: PaperKind,
        made_at: Moment,
        text: String,
    ) -> Result<IntakePaper, Failure> {
        let bytes = text.into_bytes();
        let signature = self.signer.sign(NAMESPACE, &bytes)?.into_bytes();
        Ok(IntakePaper { upload, which, made_at, bytes, signature })
    }

    /// The decision with the result of an upload, for machines and for people.
    fn put_result(
        &self,
        decision: Decision,
        (upload, intake): (&Upload, &Intake),
        (by, now): (&str, Moment),
        findings: &Findings,
    ) -> Result<Decision, Failure> {
        let json = result_json(upload, intake, (by, now), findings);
        let text = result_text(upload, intake, (by, now), findings).into_bytes();
        if json.len().max(text.len()) > MOST_PAPER_BYTES {
            let why = format!("a result has at most {MOST_PAPER_BYTES} bytes: shorten the report");
            return Err(Refusal::TooMuch(why).into());
        }
        let paper = IntakePaper {
            upload: upload.id,
            which: PaperKind::ResultText,
            made_at: now,
            bytes: text,
            signature: Vec::new(),
        };
        Ok(decision.put(self.signed(upload.id, PaperKind::Result, now, json)?).put(paper))
    }

    /// The decision with an e-mail to whoever answers for the account of an upload (M17, M18): no name of a person,
    /// nothing of what is in the file.
    fn notify(
        &self,
        view: &dyn CatalogView,
        decision: Decision,
        (kind, upload): (NoticeKind, &Upload),
        finding: String,
        now: Moment,
    ) -> Result<Decision, Failure> {
        let Some(account) = view.row::<Account>(&Account::key_of(&upload.login))? else { return Ok(decision) };
        let mut facts = vec![
            (Fact::Upload, upload.id.to_string()),
            (Fact::Organisation, upload.organisation.to_string()),
            (Fact::Product, upload.product.to_string()),
            (Fact::FileName, upload.name.to_string()),
            (Fact::FileSize, upload.size_bytes.to_string()),
            (Fact::At, now.millis().to_string()),
        ];
        facts.extend(upload.state.sha256().map(|sha256| (Fact::Sha256, sha256.to_string())));
        if !finding.is_empty() {
            facts.push((Fact::Finding, finding));
        }
        let to = addressed(&account, facts);
        // one that goes on and is received again is told again
        let about = about_of(upload, now);
        let id = mail_id(kind, &about, to.to.as_str());
        self.post.queue(decision, Notice { id, kind, delivery: None }, &to, account.language, now)
    }
}

fn about_of(upload: &Upload, now: Moment) -> [u8; 16] {
    let mut about = *upload.id.as_bytes();
    about.iter_mut().zip(now.millis().to_be_bytes()).for_each(|(byte, part)| *byte ^= part);
    about
}

/// What became of a received upload. One that an older version received waits to be judged by hand.
fn intake_of(view: &dyn CatalogView, upload: &Upload) -> Result<Intake, Failure> {
    if let Some(intake) = view.row::<Intake>(&Intake::key_of(upload.id))? {
        return Ok(intake);
    }
    match upload.state {
        UploadState::Received { at, .. } => {
            Ok(Intake { upload: upload.id, received_at: at, state: IntakeState::Received, due: None, twins: 0 })
        }
        UploadState::Unfinished | UploadState::Removed { .. } | UploadState::Expired { .. } => {
            Err(Refusal::WrongState(format!("upload {} is {}", upload.id, upload.state.word())).into())
        }
    }
}

/// An upload and what became of it.
fn both_of(view: &dyn CatalogView, id: UploadId) -> Result<(Upload, Intake), Failure> {
    let upload = upload_of(view, id)?;
    let intake = intake_of(view, &upload)?;
    Ok((upload, intake))
}

/// The decision with what became of an upload as it is now, and when something is due about it.
fn put_intake(decision: Decision, before: Option<&Intake>, after: Intake) -> Decision {
    let mut decision = decision;
    if let Some(at) = before.and_then(|before| before.due).filter(|at| after.due != Some(*at)) {
        decision = decision.remove(IntakeDue::key_of(at, after.upload));
    }
    if let Some(at) = after.due {
        decision = decision.put(IntakeDue { at, upload: after.upload });
    }
    decision.put(after).leaving_access_as_it_is()
}
