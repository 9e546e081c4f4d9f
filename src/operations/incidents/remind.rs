//! Reminds the operator that the authority is to be told of an incident: a day before the period ends, and when it
//! is over. Each once for one deadline, in one decision with the e-mail; a late server tells the last of them only.

use std::sync::Arc;

use super::super::enforce_retention::system_case;
use super::super::post::{Notice, Post};
use super::super::send_notices::mail_id;
use super::{Author, Failure, Operations, Step, due, incident_of, recorded};
use crate::domain::account::Language;
use crate::domain::decision::Decision;
use crate::domain::history::{About, Event, Happening, Who};
use crate::domain::incident::{EntryKind, Incident, IncidentDue, MOST_ENTRIES, Reminded};
use crate::domain::moment::Moment;
use crate::domain::names::EmailAddress;
use crate::domain::notice::{Addressed, Fact, Mail, NoticeKind};
use crate::domain::record::Row as _;
use crate::domain::refusal::Refusal;
use crate::domain::rights::{Act, permits};
use crate::ports::catalog::CatalogView;

/// One round reminds of so many at most; the rest comes with the next.
const MOST_PER_ROUND: usize = 100;

/// That the operator was reminded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IncidentReminder {
    /// Of which incident.
    pub number: u32,
    /// Whether the period is over.
    pub is_late: bool,
}

impl Operations {
    /// Reminds of every report that is due. Idempotent: a round that was cut off is completed by the next.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn remind_of_incidents(&self) -> Result<Vec<IncidentReminder>, Failure> {
        let now = self.now();
        let due = self.catalog.look(|view| {
            let rows = view.rows::<IncidentDue>(&IncidentDue::all(), None, MOST_PER_ROUND)?;
            Ok(rows.into_iter().take_while(|row| row.at <= now).collect::<Vec<_>>())
        })?;
        if due.is_empty() {
            return Ok(Vec::new());
        }
        permits(Act::Maintain, system_case())?;
        let mut reminders = Vec::new();
        for row in due {
            reminders.extend(self.remind_of(row, now)?);
        }
        Ok(reminders)
    }

    fn remind_of(&self, row: IncidentDue, now: Moment) -> Result<Option<IncidentReminder>, Failure> {
        let (post, to) = (Arc::clone(&self.post), self.operator_address());
        let is_late = |incident: &Incident| incident.deadline().is_some_and(|deadline| deadline <= now);
        let number = row.incident;
        let seen = self.catalog.look(|view| incident_of(view, number))?;
        let decided = self.catalog.decide(Box::new(move |view| {
            let incident = incident_of(view, number)?;
            let deadline = incident.pending_deadline().filter(|_| incident.due() == Some(row.at));
            // changed meanwhile
            let deadline = deadline.ok_or_else(|| Refusal::WrongState("nothing is due".to_owned()))?;
            reminded(view, &post, (incident, deadline), to, now)
        }));
        match decided {
            Ok(_) => Ok(Some(IncidentReminder { number, is_late: is_late(&seen) })),
            Err(Failure::Refused(_)) => Ok(None),
            Err(fault) => Err(fault),
        }
    }
}

fn reminded(
    view: &dyn CatalogView,
    post: &Post,
    (before, deadline): (Incident, Moment),
    to: Option<EmailAddress>,
    now: Moment,
) -> Result<Decision, Failure> {
    let (kind, reminded) = if deadline <= now {
        (NoticeKind::IncidentReportLate, Reminded::Past)
    } else {
        (NoticeKind::IncidentReportDue, Reminded::Near)
    };
    let after = Incident { reminded, ..before.clone() };
    let note = match &to {
        Some(_) => kind.word().to_owned(),
        None => format!("{}; nobody, since organisation.contact_mail is not set", kind.word()),
    };
    let (number, what) = (before.number, Happening::IncidentReminded);
    let mut decision = if before.entries < MOST_ENTRIES {
        let author = Author { who: Who::system(), name: "system".to_owned() };
        let step = Step { what, kind: EntryKind::Reminded, text: format!("{} ({deadline})", kind.word()) };
        recorded(Some(&before), after, step, &note, (&author, now))?
    } else {
        let event = Event::new(what, Who::system(), About::default()).with_note(&format!("incident {number}: {note}"));
        due(Decision::new(now, event), Some(&before), after)
    };
    let Some(to) = to else { return Ok(decision) };
    let mut about = [0; 16];
    let bytes = number.to_be_bytes().into_iter().chain(deadline.millis().to_be_bytes());
    about.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    let id = mail_id(kind, &about, to.as_str());
    // the same deadline came back after it was another one: it was told
    if view.find(&Mail::key_of(id))?.is_some() {
        return Ok(decision);
    }
    let facts = vec![
        (Fact::Thing, number.to_string()),
        (Fact::Reason, before.facts.severity.word().to_owned()),
        (Fact::At, deadline.millis().to_string()),
    ];
    let addressed = Addressed { to, login: None, facts, last_error: None };
    decision = post.queue(decision, Notice { id, kind, delivery: None }, &addressed, Language::Dutch, now)?;
    Ok(decision)
}
