//! The register of security incidents (I3): opening, noting, changing, reporting, closing, and reading it.
//! Each step is one decision with its entry, its event and what is due next.

mod remind;

pub use remind::IncidentReminder;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::browse::delivery_of;
use super::manage_organisations::organisation_of;
use super::manage_products::product_of;
use super::{Failure, Officer, Operations};
use crate::domain::decision::Decision;
use crate::domain::history::{About, Event, Happening, Who};
use crate::domain::ids::DeliveryId;
use crate::domain::incident::{
    Concerned, EntryKind, Incident, IncidentDue, IncidentEntry, IncidentFacts, IncidentText, MOST_ENTRIES, MOST_NOTES,
    Origin, PersonalData, Property, ReportDecision, Severity,
};
use crate::domain::moment::Moment;
use crate::domain::names::{Line, OrganisationCode, ProductCode};
use crate::domain::record::Row as _;
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::Act;
use crate::ports::catalog::CatalogView;

/// So many incidents are looked through for one page of a filtered list.
const MOST_LOOKED_AT: usize = 20_000;

/// Which incidents are listed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum IncidentsWanted {
    /// All.
    #[default]
    All,
    /// Those that are not closed.
    Open,
    /// Those that were contained and are not closed.
    Contained,
    /// Those that are closed.
    Closed,
    /// Those with a deadline that is still to be met.
    Pending,
}

/// What is said otherwise of an incident from now on.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct IncidentChange {
    /// In a few words.
    pub title: Option<Line>,
    /// What happened.
    pub description: Option<IncidentText>,
    /// What it threatens.
    pub threatens: Option<Vec<Property>>,
    /// Where it comes from.
    pub origin: Option<Origin>,
    /// How grave it is.
    pub severity: Option<Severity>,
    /// Whether personal data are involved.
    pub personal_data: Option<PersonalData>,
    /// When it was discovered.
    pub discovered_at: Option<Moment>,
    /// Since when it was so; `Some(None)` when that is not known after all.
    pub occurred_from: Option<Option<Moment>>,
    /// Until when it was so; `Some(None)` when that is not known after all.
    pub occurred_until: Option<Option<Moment>>,
    /// Which organisations it concerns.
    pub organisations: Option<Vec<OrganisationCode>>,
    /// Which products.
    pub products: Option<Vec<ProductCode>>,
    /// Which deliveries.
    pub deliveries: Option<Vec<DeliveryId>>,
}

/// An incident with everything that became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IncidentView {
    /// The incident.
    pub incident: Incident,
    /// What became of it, in order.
    pub entries: Vec<IncidentEntry>,
}

/// A step of an incident: how it is told in the history and in the register.
struct Step {
    what: Happening,
    kind: EntryKind,
    text: String,
}

/// Who takes it, for the history and for the register.
#[derive(Clone)]
struct Author {
    who: Who,
    name: String,
}

impl IncidentChange {
    fn on(self, facts: IncidentFacts) -> IncidentFacts {
        let Concerned { organisations, products, deliveries } = facts.concerned;
        IncidentFacts {
            title: self.title.unwrap_or(facts.title),
            description: self.description.unwrap_or(facts.description),
            threatens: self.threatens.unwrap_or(facts.threatens),
            origin: self.origin.unwrap_or(facts.origin),
            severity: self.severity.unwrap_or(facts.severity),
            personal_data: self.personal_data.unwrap_or(facts.personal_data),
            discovered_at: self.discovered_at.unwrap_or(facts.discovered_at),
            occurred_from: self.occurred_from.unwrap_or(facts.occurred_from),
            occurred_until: self.occurred_until.unwrap_or(facts.occurred_until),
            concerned: Concerned {
                organisations: self.organisations.unwrap_or(organisations),
                products: self.products.unwrap_or(products),
                deliveries: self.deliveries.unwrap_or(deliveries),
            },
        }
    }
}

impl IncidentsWanted {
    fn include(self, row: &Incident) -> bool {
        use crate::domain::incident::IncidentState;
        match self {
            Self::All => true,
            Self::Open => !row.state.is_closed(),
            Self::Contained => matches!(row.state, IncidentState::Contained(_)),
            Self::Closed => row.state.is_closed(),
            Self::Pending => row.pending_deadline().is_some(),
        }
    }
}

impl Operations {
    /// Puts an incident on record. It gets the next number.
    ///
    /// # Errors
    /// `BadRequest` and `TooMuch` with what is wrong in the facts; `NotFound` for whom or what it would concern;
    /// `NotAllowed`.
    pub fn open_incident(&self, facts: IncidentFacts, by: impl Into<Officer>) -> Result<Incident, Failure> {
        let (author, now) = (self.keeping(by)?, self.now());
        let facts = facts.judged(now)?;
        let given = Arc::new(AtomicU32::new(0));
        let number_given = Arc::clone(&given);
        self.catalog.decide(Box::new(move |view| {
            refuse_unknown(view, &facts.concerned, &Concerned::default())?;
            let newest = view.rows::<Incident>(&Incident::all(), None, 1)?;
            let number = newest.first().map_or(0, |row| row.number).checked_add(1);
            let number = number.ok_or_else(|| Refusal::TooMuch("no numbers of incidents are left".to_owned()))?;
            let text = facts.title.to_string();
            number_given.store(number, Ordering::Relaxed);
            let row = Incident::opened(number, facts, now);
            let note = format!(
                "{}, {}",
                row.facts.severity.word(),
                format_args!("personal data: {}", row.facts.personal_data.word())
            );
            let step = Step { what: Happening::IncidentOpened, kind: EntryKind::Opened, text };
            recorded(None, row, step, &note, (&author, now))
        }))?;
        self.catalog.look(|view| incident_of(view, given.load(Ordering::Relaxed)))
    }

    /// Says otherwise what is on record of an incident. `seen` is how many entries whoever changes it had seen.
    ///
    /// # Errors
    /// `WrongState` when it is closed, was changed since it was seen, or nothing is said otherwise; as `open_incident`.
    pub fn change_incident(
        &self,
        number: u32,
        change: IncidentChange,
        seen: Option<u32>,
        by: impl Into<Officer>,
    ) -> Result<(), Failure> {
        let (author, now) = (self.keeping(by)?, self.now());
        self.catalog.decide(Box::new(move |view| {
            let before = incident_of(view, number)?;
            if seen.is_some_and(|seen| seen != before.entries) {
                return Err(Refusal::WrongState("it was changed meanwhile; look at it again".to_owned()).into());
            }
            let after = before.clone().changed(change.on(before.facts.clone()), now)?;
            refuse_unknown(view, &after.facts.concerned, &before.facts.concerned)?;
            let differing = before.facts.differing(&after.facts);
            if differing.is_empty() {
                return Err(Refusal::WrongState("all of it is on record so already".to_owned()).into());
            }
            let names: Vec<&str> = differing.iter().map(|(name, ..)| *name).collect();
            let note = names.join(", ");
            let lines = differing.iter().map(|(name, before, after)| match *name {
                // the new one stands above; what stood there before is kept here
                "description" => format!("description, before: {before}"),
                name => format!("{name}: {before} -> {after}"),
            });
            let text = lines.collect::<Vec<_>>().join("\n");
            let step = Step { what: Happening::IncidentChanged, kind: EntryKind::Changed, text };
            recorded(Some(&before), after, step, &note, (&author, now))
        }))?;
        Ok(())
    }

    /// Notes what was found, or what was done against it.
    ///
    /// # Errors
    /// `NotFound`; `WrongState` when it is closed; `TooMuch`.
    pub fn note_incident(
        &self,
        number: u32,
        text: &IncidentText,
        is_measure: bool,
        by: impl Into<Officer>,
    ) -> Result<(), Failure> {
        let kind = if is_measure { EntryKind::Measure } else { EntryKind::Note };
        let step = Step { what: Happening::IncidentNoted, kind, text: text.to_string() };
        self.take_step(number, step, by, |row, _| row.while_open())
    }

    /// Puts on record that it goes no further.
    ///
    /// # Errors
    /// `NotFound`; `WrongState`; `TooMuch`.
    pub fn contain_incident(&self, number: u32, text: &IncidentText, by: impl Into<Officer>) -> Result<(), Failure> {
        let step = Step { what: Happening::IncidentChanged, kind: EntryKind::Contained, text: text.to_string() };
        self.take_step(number, step, by, Incident::contained)
    }

    /// Closes it, with what came of it.
    ///
    /// # Errors
    /// `NotFound`; `WrongState`; `TooMuch`.
    pub fn close_incident(&self, number: u32, text: &IncidentText, by: impl Into<Officer>) -> Result<(), Failure> {
        let step = Step { what: Happening::IncidentClosed, kind: EntryKind::Closed, text: text.to_string() };
        self.take_step(number, step, by, Incident::closed)
    }

    /// Opens it again, with the reason.
    ///
    /// # Errors
    /// `NotFound`; `WrongState`; `TooMuch`.
    pub fn reopen_incident(&self, number: u32, text: &IncidentText, by: impl Into<Officer>) -> Result<(), Failure> {
        let step = Step { what: Happening::IncidentReopened, kind: EntryKind::Reopened, text: text.to_string() };
        self.take_step(number, step, by, |row, _| row.reopened())
    }

    /// Puts on record that the authority was told: then, or now when `None`. It may be told more later (art. 33.4).
    ///
    /// # Errors
    /// `NotFound`; `BadRequest` for the moment; `WrongState`; `TooMuch`.
    pub fn report_incident(
        &self,
        number: u32,
        reference: Line,
        at: Option<Moment>,
        by: impl Into<Officer>,
    ) -> Result<(), Failure> {
        let at = at.unwrap_or_else(|| self.now());
        let text = format!("{reference} ({at})");
        let step = Step { what: Happening::IncidentReported, kind: EntryKind::Reported, text };
        self.take_step(number, step, by, move |row, now| row.decided(ReportDecision::Reported { at, reference }, now))
    }

    /// Puts on record that the authority need not be told, and why (art. 33.1, 33.5).
    ///
    /// # Errors
    /// `NotFound`; `WrongState`; `TooMuch`.
    pub fn report_no_incident(&self, number: u32, why: Line, by: impl Into<Officer>) -> Result<(), Failure> {
        let (at, text) = (self.now(), why.to_string());
        let step = Step { what: Happening::IncidentReported, kind: EntryKind::NotReported, text };
        self.take_step(number, step, by, move |row, now| row.decided(ReportDecision::NotNeeded { at, why }, now))
    }

    /// Puts on record that those whose data are involved were told, and how (art. 34).
    ///
    /// # Errors
    /// `NotFound`; `BadRequest` for the moment; `WrongState`; `TooMuch`.
    pub fn tell_persons_of_incident(
        &self,
        number: u32,
        how: &IncidentText,
        at: Option<Moment>,
        by: impl Into<Officer>,
    ) -> Result<(), Failure> {
        let at = at.unwrap_or_else(|| self.now());
        let text = format!("{how} ({at})");
        let step = Step { what: Happening::IncidentReported, kind: EntryKind::PersonsTold, text };
        self.take_step(number, step, by, move |row, now| row.told_persons(at, now))
    }

    /// A page of the register, the newest first, those before number `after` only.
    ///
    /// # Errors
    /// `NotAllowed`.
    pub fn incidents(
        &self,
        wanted: IncidentsWanted,
        after: Option<u32>,
        by: impl Into<Officer>,
    ) -> Result<Vec<Incident>, Failure> {
        self.oversee(by)?;
        let (mut found, mut after, mut looked_at) = (Vec::new(), after.map(Incident::key_of), 0);
        let most = self.settings.max_page;
        loop {
            let page =
                self.catalog.look(|view| Ok(view.rows::<Incident>(&Incident::all(), after.as_ref(), most)?))?;
            looked_at += page.len();
            let is_last = page.len() < most || looked_at >= MOST_LOOKED_AT;
            after = page.last().map(|row| Incident::key_of(row.number));
            found.extend(page.into_iter().filter(|row| wanted.include(row)));
            if is_last || found.len() >= most {
                found.truncate(most);
                return Ok(found);
            }
        }
    }

    /// One incident with everything that became of it.
    ///
    /// # Errors
    /// `NotFound`; `NotAllowed`.
    pub fn incident(&self, number: u32, by: impl Into<Officer>) -> Result<IncidentView, Failure> {
        self.oversee(by)?;
        self.catalog.look(|view| {
            let incident = incident_of(view, number)?;
            let most = usize::try_from(MOST_ENTRIES).unwrap_or(usize::MAX);
            Ok(IncidentView { incident, entries: view.rows(&IncidentEntry::keys_of(number), None, most)? })
        })
    }

    fn keeping(&self, by: impl Into<Officer>) -> Result<Author, Failure> {
        let by = by.into();
        let name = by.identity();
        let who = self.acting(by, Act::KeepIncidents)?;
        Ok(Author { name: name.unwrap_or_else(|| who.channel.word().to_owned()), who })
    }

    fn take_step(
        &self,
        number: u32,
        step: Step,
        by: impl Into<Officer>,
        rule: impl FnOnce(Incident, Moment) -> Result<Incident, Refusal> + Send + 'static,
    ) -> Result<(), Failure> {
        let (author, now) = (self.keeping(by)?, self.now());
        self.catalog.decide(Box::new(move |view| {
            let before = incident_of(view, number)?;
            let after = rule(before.clone(), now)?;
            let note = step.kind.word();
            recorded(Some(&before), after, step, note, (&author, now))
        }))?;
        Ok(())
    }
}

fn incident_of(view: &dyn CatalogView, number: u32) -> Result<Incident, Failure> {
    view.row::<Incident>(&Incident::key_of(number))?.ok_or_else(|| Refusal::NotFound(What::Incident).into())
}

/// Whom and what an incident concerns is there; what was named before may be gone by now.
fn refuse_unknown(view: &dyn CatalogView, concerned: &Concerned, before: &Concerned) -> Result<(), Failure> {
    for code in concerned.organisations.iter().filter(|code| !before.organisations.contains(code)) {
        organisation_of(view, code)?;
    }
    for code in concerned.products.iter().filter(|code| !before.products.contains(code)) {
        product_of(view, code)?;
    }
    for id in concerned.deliveries.iter().filter(|id| !before.deliveries.contains(id)) {
        delivery_of(view, *id)?;
    }
    Ok(())
}

/// The decision with a step: the incident as it is then, the entry, the event, and what is due next.
fn recorded(
    before: Option<&Incident>,
    mut after: Incident,
    step: Step,
    note: &str,
    (author, now): (&Author, Moment),
) -> Result<Decision, Failure> {
    let most = match step.kind {
        EntryKind::Note | EntryKind::Measure | EntryKind::Changed => MOST_NOTES,
        EntryKind::Opened
        | EntryKind::Contained
        | EntryKind::Closed
        | EntryKind::Reopened
        | EntryKind::Reported
        | EntryKind::NotReported
        | EntryKind::PersonsTold
        | EntryKind::Reminded => MOST_ENTRIES,
    };
    if after.entries >= most {
        return Err(Refusal::TooMuch(format!("{most} entries of this incident are on record; open another one")).into());
    }
    let number = after.number;
    let event =
        Event::new(step.what, author.who.clone(), About::default()).with_note(&format!("incident {number}: {note}"));
    let entry = IncidentEntry {
        incident: number,
        index: after.entries,
        at: now,
        by: author.name.clone(),
        kind: step.kind,
        text: step.text,
    };
    after.entries += 1;
    Ok(due(Decision::new(now, event).put(entry), before, after))
}

/// The decision with the incident and when something is due about it.
fn due(mut decision: Decision, before: Option<&Incident>, after: Incident) -> Decision {
    let (was, is) = (before.and_then(Incident::due), after.due());
    if was != is {
        decision = was.into_iter().fold(decision, |kept, at| kept.remove(IncidentDue::key_of(at, after.number)));
        decision = is.into_iter().fold(decision, |kept, at| kept.put(IncidentDue { at, incident: after.number }));
    }
    decision.put(after).leaving_access_as_it_is()
}
