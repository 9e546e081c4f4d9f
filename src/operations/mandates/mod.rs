//! Mandates of clients to intermediaries (D1-D6, 4.3-8, 4.4, J8): adding, changing, blocking, ending.
//! Of two organisations at most one mandate is not over. Whatever ends one takes with it, in the same
//! decision, every right that follows from it; a later mandate begins without any.

mod clients;
mod derived;
mod due;
mod force;
mod on_behalf;
mod two;

use std::collections::BTreeSet;

pub use clients::{ClientCounts, ClientView};
pub use on_behalf::{ClientRights, CopiedRight};

pub(super) use derived::{with_right, without_right};
pub(super) use force::{coupled_under, follows_from, has_force, mandate_for, mandate_in_force};
pub(super) use two::judge_proposed;

use super::block_access::{changed, detailed};
use super::manage_organisations::organisation_of;
use super::manage_products::product_of;
use super::office::WANTED_BY_TWO;
use super::tell_access::Telling;
use super::{Caller, Failure, Officer, Operations, StandingChange, case_of};
use crate::domain::block::{Access, Standing};
use crate::domain::decision::Decision;
use crate::domain::history::{About, Event, Happening, Who};
use crate::domain::ids::MandateId;
use crate::domain::mandate::{Mandate, MandateDue, MandatePhase, MandatedRight, Scope};
use crate::domain::moment::Moment;
use crate::domain::names::{Line, OrganisationCode, ProductCode};
use crate::domain::office::OFFICE;
use crate::domain::organisation::Organisation;
use crate::domain::record::Row;
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::{Act, permits};
use crate::ports::catalog::CatalogView;
use derived::without_derived;
use force::{of_pair, running};

/// Of two organisations there were at most so many mandates.
const MOST_OF_PAIR: usize = 1_000;

/// Rights that follow from one mandate, as 40 colleagues with 50 products each: with three rows and an event each
/// the decision that ends them stays well below a frame of the journal.
const MOST_RIGHTS: usize = 2_000;

/// Read when they end: what one decision adds (at most 700) may have come beyond the bound.
const MOST_ENDED: usize = 2 * MOST_RIGHTS;

/// Mandates are looked through so many at a time.
const PAGE: usize = 1_000;

/// One organisation has, or has given, at most so many mandates that are not over; those beyond are refused.
const MOST_LIVING: usize = 1_000;

/// A mandate that the operator puts on record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewMandate {
    /// Who is to act.
    pub intermediary: OrganisationCode,
    /// For whom.
    pub client: OrganisationCode,
    /// For which products.
    pub products: BTreeSet<ProductCode>,
    /// From when; now when `None`.
    pub from: Option<Moment>,
    /// Until when; without end when `None`.
    pub until: Option<Moment>,
}

/// A change of a mandate that is not over.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MandateChange {
    /// Products that come to it.
    pub added: BTreeSet<ProductCode>,
    /// Products that go from it, with every right to them that follows from it.
    pub removed: BTreeSet<ProductCode>,
    /// Its new end.
    pub until: Option<Moment>,
}

/// A mandate, and what follows from it, as the operator sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MandateSheet {
    /// The mandate, with the names of both.
    pub view: MandateView,
    /// Rights that follow from it, by account and product, so many as were asked for.
    pub rights: Vec<MandatedRight>,
}

/// A mandate with the names of both organisations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MandateView {
    /// The mandate.
    pub mandate: Mandate,
    /// Name of who acts.
    pub intermediary_name: Line,
    /// Name of who is acted for.
    pub client_name: Line,
    /// Where it stands now.
    pub phase: MandatePhase,
}

impl Operations {
    /// Adds a mandate. Where two people of the operator are asked, only the second one does.
    ///
    /// # Errors
    /// `NotFound` for an organisation or product; `BadRequest` for an organisation that acts for itself or a period
    /// that is none; `Exists` while another mandate of the two is not over; `TooMuch` beyond a bound; `NotAllowed`.
    pub fn add_mandate(&self, new: NewMandate, by: impl Into<Officer>) -> Result<Mandate, Failure> {
        let by = by.into();
        let (who, now) = (self.acting(by.clone(), Act::Administer)?, self.now());
        let mut mandate = Mandate {
            id: MandateId::from_random(self.entropy.sixteen()),
            intermediary: new.intermediary.clone(),
            client: new.client.clone(),
            scope: Scope::new(new.products.clone())?,
            from: new.from.unwrap_or(now),
            until: new.until,
            standing: Standing::Active,
            added_at: now,
            warned: false,
            due: None,
        };
        mandate.due = mandate.next_due();
        let row = mandate.clone();
        self.decide_by_two(
            &by,
            Box::new(move |view| {
                let before = judged(view, &new, now)?;
                let mut decision = Decision::new(now, event(Happening::MandateAdded, who, &row));
                // what is over by the clock alone is put on record first: nothing of it may reach into the new one
                for old in before.into_iter().filter(|old| !old.is_ended()) {
                    decision = due::expire(view, decision, old)?;
                }
                Ok(scheduled(decision, None, &row).put(row))
            }),
        )?;
        Ok(mandate)
    }

    /// Changes the products or the end of a mandate that is not over. Where two people of the operator are asked, only
    /// the second one lets it reach further.
    ///
    /// # Errors
    /// `NotFound` for the mandate or a product; `WrongState` for one that is over, which never comes back;
    /// `BadRequest` for an end that has passed, or when nothing would be left or change; `NotAllowed`.
    pub fn change_mandate(
        &self,
        id: MandateId,
        change: MandateChange,
        by: impl Into<Officer>,
    ) -> Result<Mandate, Failure> {
        let by = by.into();
        let (who, now) = (self.acting(by.clone(), Act::Administer)?, self.now());
        let (intermediary, client) = self.parties(id)?;
        let key = Mandate::key_of(&intermediary, &client, id);
        let (of_row, lacks_second) = (key.clone(), self.lacks_second(&by));
        self.decide_for(
            &by,
            Box::new(move |view| {
                let before = mandate_of(view, &of_row)?;
                let after = two::altered(view, &before, &change, now)?;
                if lacks_second && two::is_wider(&before, &after) {
                    return Err(WANTED_BY_TWO.into());
                }
                let decision = Decision::new(now, event(Happening::MandateChanged, who.clone(), &after));
                let decision = without_derived(view, decision, (&before, Some(&after)), &who)?;
                Ok(scheduled(decision, Some(&before), &after).put(after))
            }),
        )?;
        self.catalog.look(|view| mandate_of(view, &key))
    }

    /// Blocks, unblocks or ends a mandate (J8). With its end every right that follows from it is gone.
    ///
    /// # Errors
    /// `NotFound`; `WrongState` when it is over or not blocked.
    pub fn change_mandate_standing(
        &self,
        id: MandateId,
        change: StandingChange,
        by: impl Into<Officer>,
    ) -> Result<Mandate, Failure> {
        let act = match &change {
            StandingChange::Block { .. } => Act::Block,
            StandingChange::Unblock | StandingChange::End { .. } => Act::Administer,
        };
        let (who, now) = (self.acting(by, act)?, self.now());
        let (intermediary, client) = self.parties(id)?;
        let key = Mandate::key_of(&intermediary, &client, id);
        let of_row = key.clone();
        self.catalog.decide(Box::new(move |view| {
            let before = mandate_of(view, &of_row)?;
            stood(view, before, change, (who, now))
        }))?;
        self.catalog.look(|view| mandate_of(view, &key))
    }

    /// Ends a mandate that the caller's organisation gave (4.3-8): an administrator may, and needs nobody for it.
    ///
    /// # Errors
    /// `NotAllowed` for who is no administrator; `NotFound` for a mandate of others; `WrongState` for one that is over.
    pub fn stop_mandate(&self, caller: &Caller, id: MandateId) -> Result<Mandate, Failure> {
        let now = self.now();
        let (caller, change) = (caller.itself(), StandingChange::End { reason: None, note: None });
        let key = self.catalog.look(|view| {
            may_manage(view, &caller, now)?;
            let given = every(view, |mandate| mandate.id == id && mandate.client == caller.organisation)?;
            let mandate = given.into_iter().next().ok_or(Refusal::NotFound(What::Mandate))?;
            Ok(Mandate::key_of(&mandate.intermediary, &mandate.client, id))
        })?;
        let of_row = key.clone();
        self.catalog.decide(Box::new(move |view| {
            may_manage(view, &caller, now)?;
            stood(view, mandate_of(view, &of_row)?, change, (caller.who(), now))
        }))?;
        self.catalog.look(|view| mandate_of(view, &key))
    }

    /// Every mandate, by intermediary and client, for the operator.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn mandates(&self, after: Option<&Mandate>) -> Result<Vec<Mandate>, Failure> {
        let after = after.map(|mandate| Mandate::key_of(&mandate.intermediary, &mandate.client, mandate.id));
        self.catalog.look(|view| Ok(view.rows(&Mandate::all(), after.as_ref(), self.settings.max_page)?))
    }

    /// One mandate, over or not.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn mandate(&self, id: MandateId) -> Result<Mandate, Failure> {
        let found = self.catalog.look(|view| every(view, |mandate| mandate.id == id))?.into_iter().next();
        found.ok_or_else(|| Refusal::NotFound(What::Mandate).into())
    }

    /// One mandate with at most `most` of the rights that follow from it.
    ///
    /// # Errors
    /// `NotFound`; `NotAllowed`.
    pub fn mandate_sheet(&self, id: MandateId, most: usize, by: impl Into<Officer>) -> Result<MandateSheet, Failure> {
        self.oversee(by)?;
        let (mandate, now) = (self.mandate(id)?, self.now());
        self.catalog.look(|view| {
            let rights = view.rows::<MandatedRight>(&MandatedRight::keys_of(id), None, most)?;
            Ok(MandateSheet { view: seen(view, mandate.clone(), now)?, rights })
        })
    }

    /// Mandates that the caller's organisation gave and that are not over: which intermediaries act for it (4.3-8).
    ///
    /// # Errors
    /// `NotAllowed` for who is no administrator.
    pub fn given_mandates(&self, caller: &Caller) -> Result<Vec<MandateView>, Failure> {
        self.own_mandates(caller, |mandate, own| mandate.client == *own)
    }

    /// Mandates that the caller's organisation has and that are not over: the organisations under its management (D1).
    ///
    /// # Errors
    /// `NotAllowed` for who is no administrator.
    pub fn held_mandates(&self, caller: &Caller) -> Result<Vec<MandateView>, Failure> {
        self.own_mandates(caller, |mandate, own| mandate.intermediary == *own)
    }

    /// Whether an organisation has any mandate that is not over, as an intermediary or as a client.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn has_mandates(&self, code: &OrganisationCode) -> Result<bool, Failure> {
        let now = self.now();
        self.catalog.look(|view| Ok(!living(view, now, |mandate| concerns(mandate, code))?.is_empty()))
    }

    fn own_mandates(
        &self,
        caller: &Caller,
        is_meant: impl Fn(&Mandate, &OrganisationCode) -> bool,
    ) -> Result<Vec<MandateView>, Failure> {
        let now = self.now();
        self.catalog.look(|view| {
            may_manage(view, caller, now)?;
            let own = living(view, now, |mandate| is_meant(mandate, &caller.organisation))?;
            own.into_iter().map(|mandate| seen(view, mandate, now)).collect()
        })
    }

    fn parties(&self, id: MandateId) -> Result<(OrganisationCode, OrganisationCode), Failure> {
        let found = self.mandate(id)?;
        Ok((found.intermediary, found.client))
    }
}

/// What speaks against a new mandate, whoever wants it. Returns those that the two had before.
fn judged(view: &dyn CatalogView, new: &NewMandate, now: Moment) -> Result<Vec<Mandate>, Failure> {
    if new.intermediary == new.client {
        return Err(Refusal::BadRequest("an organisation needs no mandate to act for itself".to_owned()).into());
    }
    if new.until.is_some_and(|until| until <= new.from.unwrap_or(now).max(now)) {
        return Err(Refusal::BadRequest("a mandate must end after it begins, and later than now".to_owned()).into());
    }
    for code in [&new.intermediary, &new.client] {
        if code.as_str() == OFFICE {
            return Err(Refusal::NotFound(What::Organisation).into());
        }
        if organisation_of(view, code)?.standing.at(now) == Access::Ended {
            return Err(Refusal::Ended(What::Organisation).into());
        }
    }
    for product in &new.products {
        product_of(view, product)?;
    }
    let before = of_pair(view, &new.intermediary, &new.client)?;
    if let Some(other) = running(&before, now) {
        let name = format!("{} of {} to {}", other.id, new.client, new.intermediary);
        return Err(Refusal::Exists(What::Mandate, name).into());
    }
    if before.len() >= MOST_OF_PAIR {
        return Err(Refusal::TooMuch(format!("at most {MOST_OF_PAIR} mandates of the same two")).into());
    }
    let of_one = |code: &OrganisationCode| living(view, now, |mandate| concerns(mandate, code));
    if of_one(&new.intermediary)?.len() >= MOST_LIVING || of_one(&new.client)?.len() >= MOST_LIVING {
        return Err(Refusal::TooMuch(format!("at most {MOST_LIVING} mandates of one organisation")).into());
    }
    Ok(before)
}

/// A mandate that changes its standing, with all that follows.
fn stood(
    view: &dyn CatalogView,
    before: Mandate,
    change: StandingChange,
    (who, now): (Who, Moment),
) -> Result<Decision, Failure> {
    refuse_over(&before, now)?;
    let what = match &change {
        StandingChange::Block { .. } => Happening::MandateBlocked,
        StandingChange::Unblock => Happening::MandateUnblocked,
        StandingChange::End { .. } => Happening::MandateEnded,
    };
    let told = event(what, who.clone(), &before);
    let (note, told) = (told.detail.note.clone(), detailed(told, &change, Telling::default()));
    // the reason beside whom it concerns
    let told = match (note, &told.detail.note) {
        (Some(note), Some(reason)) if note != *reason => {
            let both = format!("{note}; {reason}");
            told.with_note(&both)
        }
        _ => told,
    };
    let mut after = Mandate { standing: changed(&before.standing, change, now)?, ..before.clone() };
    let mut decision = Decision::new(now, told);
    if after.is_ended() {
        decision = without_derived(view, decision, (&before, None), &who)?;
    }
    after.due = after.next_due();
    Ok(scheduled(decision, Some(&before), &after).put(after))
}

/// The decision with the row in the list of what is due as the mandate has it now.
fn scheduled(mut decision: Decision, before: Option<&Mandate>, after: &Mandate) -> Decision {
    if let Some((at, id)) = before.and_then(|before| before.due.map(|at| (at, before.id))) {
        decision = decision.remove(MandateDue::key_of(at, id));
    }
    match after.due {
        Some(at) => decision.put(MandateDue {
            at,
            mandate: after.id,
            intermediary: after.intermediary.clone(),
            client: after.client.clone(),
        }),
        None => decision,
    }
}

fn refuse_over(mandate: &Mandate, now: Moment) -> Result<(), Refusal> {
    if mandate.phase(now) == MandatePhase::Over {
        return Err(Refusal::WrongState("the mandate is over; add a new one".to_owned()));
    }
    Ok(())
}

fn mandate_of(view: &dyn CatalogView, key: &crate::domain::record::Key) -> Result<Mandate, Failure> {
    Ok(view.row::<Mandate>(key)?.ok_or(Refusal::NotFound(What::Mandate))?)
}

fn may_manage(view: &dyn CatalogView, caller: &Caller, now: Moment) -> Result<(), Failure> {
    Ok(permits(Act::ManageMembers, case_of(view, &caller.itself(), &caller.organisation, None, now)?)?)
}

fn concerns(mandate: &Mandate, code: &OrganisationCode) -> bool {
    mandate.intermediary == *code || mandate.client == *code
}

fn living(view: &dyn CatalogView, now: Moment, is_meant: impl Fn(&Mandate) -> bool) -> Result<Vec<Mandate>, Failure> {
    every(view, |mandate| mandate.phase(now) != MandatePhase::Over && is_meant(mandate))
}

/// Every mandate that is meant, by intermediary and client.
fn every(view: &dyn CatalogView, is_meant: impl Fn(&Mandate) -> bool) -> Result<Vec<Mandate>, Failure> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = view.rows::<Mandate>(&Mandate::all(), after.as_ref(), PAGE)?;
        let Some(last) = page.last() else { return Ok(found) };
        after = Some(Mandate::key_of(&last.intermediary, &last.client, last.id));
        found.extend(page.into_iter().filter(&is_meant));
    }
}

fn seen(view: &dyn CatalogView, mandate: Mandate, now: Moment) -> Result<MandateView, Failure> {
    Ok(MandateView {
        intermediary_name: name_of(view, &mandate.intermediary)?,
        client_name: name_of(view, &mandate.client)?,
        phase: mandate.phase(now),
        mandate,
    })
}

fn name_of(view: &dyn CatalogView, code: &OrganisationCode) -> Result<Line, Failure> {
    let row = view.row::<Organisation>(&Organisation::key_of(code))?;
    Ok(row.ok_or(Refusal::NotFound(What::Organisation))?.name)
}

/// What a mandate is about, for its events: the client; who acts stands in the note.
fn about(mandate: &Mandate) -> About {
    About { organisation: Some(mandate.client.clone()), ..About::default() }
}

fn event(what: Happening, who: Who, mandate: &Mandate) -> Event {
    let products = mandate.scope.products().iter().map(ProductCode::as_str).collect::<Vec<_>>().join(", ");
    let note = format!("mandate {} to {}: {products}", mandate.id, mandate.intermediary);
    let event = Event::new(what, who, about(mandate)).with_note(&note);
    match mandate.until {
        Some(until) => event.with_until(until),
        None => event,
    }
}
