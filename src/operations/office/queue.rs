//! What waits for somebody of the office (P21, *Werkvoorraad*): requests that no administrator can
//! judge, interruptions, deliveries that nobody fetches, e-mails that do not arrive.

use super::super::browse::delivery_of;
use super::super::people::{Judge, RequestView, can_be_judged_there};
use super::{Failure, Officer, Operations};
use crate::domain::delivery::{Delivery, ProgressState};
use crate::domain::ids::MailId;
use crate::domain::interruption::Interruption;
use crate::domain::notice::{Mail, MailState, NoticeKind};
use crate::domain::record::{MailDue, Row as _, WindowEnd};
use crate::domain::request::{Employer, RequestStage};
use crate::domain::rights::Act;

/// So many of each are shown; the lists have the rest.
const MOST_SHOWN: usize = 20;

/// So many windows are looked at, those that end first.
const MOST_WINDOWS: usize = 2_000;

/// So many e-mails are looked at.
const MOST_MAILS: usize = 10_000;

/// An e-mail that was given up, or is tried again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueuedMail {
    /// Which.
    pub id: MailId,
    /// What it says.
    pub kind: NoticeKind,
    /// To whom; `None` once that ended with its key.
    pub to: Option<String>,
    /// It was given up.
    pub is_given_up: bool,
    /// What the relay said last.
    pub error: Option<String>,
}

/// A delivery that was not fetched in full.
pub type QueuedDelivery = Delivery;

/// Everything that waits.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct WorkQueue {
    /// Requests that only the operator can judge, the oldest first.
    pub requests: Vec<RequestView>,
    /// Interruptions that run or are announced.
    pub interruptions: Vec<Interruption>,
    /// Deliveries that nobody has fetched in full, those that end first.
    pub unfetched: Vec<QueuedDelivery>,
    /// E-mails that do not arrive.
    pub mails: Vec<QueuedMail>,
    /// How many e-mails wait to be sent, counted up to 10,000.
    pub waiting_mails: usize,
}

impl Operations {
    /// What waits for the office.
    ///
    /// # Errors
    /// `NotAllowed`.
    pub fn work_queue(&self, by: impl Into<Officer>) -> Result<WorkQueue, Failure> {
        let by = by.into();
        self.acting(by.clone(), Act::Oversee)?;
        let judge = Judge::Officer { by, organisation: None };
        let mut requests = self.account_requests(&judge)?;
        requests.retain(|view| matches!(view.request.stage, RequestStage::Waiting { .. }));
        let requests = self.catalog.look(|view| {
            let mut own = Vec::new();
            for request in &requests {
                let is_judged_there = match &request.request.organisation {
                    Employer::Known(code) => can_be_judged_there(view, code, self.now())?,
                    Employer::Stated { .. } => false,
                };
                if !is_judged_there {
                    own.push(request.clone());
                }
            }
            Ok(own)
        })?;
        let (now, most) = (self.now(), MOST_SHOWN);
        let unfetched = self.catalog.look(|view| {
            let mut found = Vec::new();
            for end in view.rows::<WindowEnd>(&WindowEnd::all(), None, MOST_WINDOWS)? {
                let delivery = delivery_of(view, end.delivery)?;
                if delivery.is_fetchable(now) && delivery.progress.state() < ProgressState::Fetched {
                    found.push(delivery);
                    if found.len() >= most {
                        break;
                    }
                }
            }
            Ok(found)
        })?;
        let (mails, waiting_mails) = self.catalog.look(|view| {
            let failing =
                view.rows::<Mail>(&Mail::all(), None, MOST_MAILS)?.into_iter().filter(|mail| match mail.state {
                    MailState::Failed { .. } => true,
                    MailState::Queued { attempts, .. } => attempts > 0,
                    MailState::Sent { .. } => false,
                });
            Ok((failing.collect::<Vec<_>>(), view.rows::<MailDue>(&MailDue::all(), None, MOST_MAILS)?.len()))
        })?;
        let mut shown = Vec::new();
        for mail in mails {
            // what went to somebody whose address has ended with its key needs nobody's care
            let Some(to) = self.post.open(&mail)? else { continue };
            shown.push(QueuedMail {
                id: mail.id,
                kind: mail.kind,
                to: Some(to.to.to_string()),
                is_given_up: matches!(mail.state, MailState::Failed { .. }),
                error: to.last_error,
            });
            if shown.len() >= most {
                break;
            }
        }
        Ok(WorkQueue { requests, interruptions: self.interruptions()?, unfetched, mails: shown, waiting_mails })
    }
}
