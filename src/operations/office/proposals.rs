//! Acts that two people of the operator have to want (`operator.four_eyes`): one proposes, another
//! confirms, and only then is anything done, in one decision with the confirmation.

use super::super::manage_organisations::organisation_of;
use super::super::mandates::judge_proposed;
use super::super::{MandateChange, NewMandate};
use super::{Failure, Officer, Operations, identity_may};
use crate::domain::decision::Decision;
use crate::domain::history::{About, Event, Happening, Who};
use crate::domain::ids::ProposalId;
use crate::domain::moment::Moment;
use crate::domain::names::Line;
use crate::domain::proposal::{MOST_PROPOSALS, PROPOSED_FOR, Proposal, ProposedAct};
use crate::domain::record::Row as _;
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::{Act, Ground};
use crate::ports::catalog::{CatalogView, Rule};

/// What whoever acts alone is told.
pub(in crate::operations) const WANTED_BY_TWO: Refusal =
    Refusal::NotAllowed("two people of the operator have to want this: propose it");

/// Somebody who confirms what another proposed: only `confirm_proposal` makes one.
#[derive(Clone, Debug)]
pub struct Confirming {
    proposal: ProposalId,
    by: Box<Officer>,
}

impl Confirming {
    pub(super) const fn by(&self) -> &Officer {
        &self.by
    }
}

impl Operations {
    /// Whether acts of the kind that matters most wait for a second person.
    #[must_use]
    pub const fn asks_two(&self) -> bool {
        self.settings.four_eyes
    }

    /// Does an act, or proposes it where two people are asked: then the proposal is returned, and nothing is done.
    ///
    /// # Errors
    /// As the act itself; as `propose`.
    pub fn do_or_propose(&self, act: ProposedAct, by: impl Into<Officer>) -> Result<Option<Proposal>, Failure> {
        let by = by.into();
        if self.waits_for_two(&act)? {
            return self.propose(act, by).map(Some);
        }
        self.perform(act, by)?;
        Ok(None)
    }

    /// Whether this act would wait for a second person: a change of a mandate does only where it reaches further.
    ///
    /// # Errors
    /// `NotFound` and `BadRequest` for a change of a mandate that cannot be.
    pub fn waits_for_two(&self, act: &ProposedAct) -> Result<bool, Failure> {
        Ok(self.asks_two() && self.reaches_further(act)?)
    }

    /// Puts on record what somebody wants to be done.
    ///
    /// # Errors
    /// `NotAllowed` for who may not do it, or is nobody in particular; `Exists` when the same waits already; `TooMuch`;
    /// `NotFound` for the organisation; `BadRequest` for a key that is none; what speaks against a mandate already.
    pub fn propose(&self, act: ProposedAct, by: impl Into<Officer>) -> Result<Proposal, Failure> {
        let by = by.into();
        let who = self.acting(by.clone(), Act::Administer)?;
        let name = by.identity().ok_or(Refusal::NotAllowed("it must be known who proposes"))?;
        let act = self.judged_act(act)?;
        let now = self.now();
        let id = ProposalId::from_random(self.entropy.sixteen());
        let proposal = Proposal { id, act, by: name, made_at: now, until: now.after(PROPOSED_FOR) };
        let row = proposal.clone();
        self.catalog.decide(Box::new(move |view| {
            organisation_of(view, row.act.organisation())?;
            judge_proposed(view, &row.act, now)?;
            let waiting = waiting(view, now)?;
            if waiting.iter().any(|known| known.act == row.act) {
                return Err(Refusal::Exists(What::Proposal, row.act.subject()).into());
            }
            if view.rows::<Proposal>(&Proposal::all(), None, MOST_PROPOSALS)?.len() >= MOST_PROPOSALS {
                return Err(Refusal::TooMuch(format!("{MOST_PROPOSALS} proposals wait; judge those first")).into());
            }
            let event = told(Happening::ProposalMade, who, &row, "").with_until(row.until);
            Ok(Decision::new(now, event).put(row).leaving_access_as_it_is())
        }))?;
        Ok(proposal)
    }

    /// Proposals that wait, the oldest first.
    ///
    /// # Errors
    /// `NotAllowed`.
    pub fn proposals(&self, by: impl Into<Officer>) -> Result<Vec<Proposal>, Failure> {
        self.oversee(by)?;
        let now = self.now();
        self.catalog.look(|view| waiting(view, now))
    }

    /// Confirms what somebody else proposed: it is done, judged anew, in one decision.
    ///
    /// # Errors
    /// `NotFound` when it is not there or too late; `NotAllowed` for who proposed it, for who may not do it, or when who
    /// proposed it may not do it any more; as the act itself. The proposal waits on then.
    pub fn confirm_proposal(&self, id: ProposalId, by: impl Into<Officer>) -> Result<Proposal, Failure> {
        let (by, now) = (by.into(), self.now());
        self.acting(by.clone(), Act::Administer)?;
        let proposal = self.catalog.look(|view| found(view, id, now))?;
        self.perform(proposal.act.clone(), Officer::Confirming(Confirming { proposal: id, by: Box::new(by) }))?;
        Ok(proposal)
    }

    /// Rejects a proposal; who made it can take it back so.
    ///
    /// # Errors
    /// `NotFound` when it is not there; `NotAllowed`.
    pub fn reject_proposal(
        &self,
        id: ProposalId,
        reason: Option<Line>,
        by: impl Into<Officer>,
    ) -> Result<Proposal, Failure> {
        let (who, now) = (self.acting(by, Act::Administer)?, self.now());
        let proposal = self.catalog.look(|view| found(view, id, now))?;
        self.catalog.decide(Box::new(move |view| {
            let row = found(view, id, now)?;
            let event = told(Happening::ProposalRejected, who, &row, reason.as_ref().map_or("", Line::as_str));
            Ok(Decision::new(now, event).remove(Proposal::key_of(id)).leaving_access_as_it_is())
        }))?;
        Ok(proposal)
    }

    /// Removes proposals that nobody confirmed in time. Returns how many.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn expire_proposals(&self) -> Result<usize, Failure> {
        let now = self.now();
        let all = self.catalog.look(|view| Ok(view.rows::<Proposal>(&Proposal::all(), None, MOST_PROPOSALS)?))?;
        let mut number = 0;
        for late in all.into_iter().filter(|proposal| !proposal.waits(now)) {
            let outcome = self.catalog.decide(Box::new(move |view| {
                if view.find(&Proposal::key_of(late.id))?.is_none() {
                    return Err(Refusal::NotFound(What::Proposal).into());
                }
                let event = told(Happening::ProposalExpired, Who::system(), &late, "");
                Ok(Decision::new(now, event).remove(Proposal::key_of(late.id)).leaving_access_as_it_is())
            }));
            match outcome {
                Ok(_) => number += 1,
                Err(Failure::Refused(_)) => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(number)
    }

    /// Decides an act for which two people can be asked: what `rule` decides, if one person is enough, or if this is the
    /// second one; then the confirmation is part of the same decision.
    pub(in crate::operations) fn decide_by_two(&self, by: &Officer, rule: Rule) -> Result<(), Failure> {
        if self.lacks_second(by) {
            return Err(WANTED_BY_TWO.into());
        }
        self.decide_for(by, rule)
    }

    /// Whether two people are asked, and this is not the second one.
    pub(in crate::operations) const fn lacks_second(&self, by: &Officer) -> bool {
        self.asks_two() && !matches!(by, Officer::Confirming(_))
    }

    /// The same for an act that one person may do by itself in some cases; `rule` judges in which.
    pub(in crate::operations) fn decide_for(&self, by: &Officer, rule: Rule) -> Result<(), Failure> {
        let Officer::Confirming(confirming) = by else {
            self.catalog.decide(rule)?;
            return Ok(());
        };
        let (id, now) = (confirming.proposal, self.now());
        let (who, name) = (by.who(), by.identity());
        self.catalog.decide(Box::new(move |view| {
            let proposal = found(view, id, now)?;
            if name.as_ref().is_none_or(|name| *name == proposal.by) {
                return Err(Refusal::NotAllowed("who proposed it cannot confirm it").into());
            }
            // whoever has lost the right meanwhile does not count as the first of two
            identity_may(view, &proposal.by, Act::Administer, Ground::None, now)?;
            let event = told(Happening::ProposalConfirmed, who, &proposal, "");
            Ok(rule(view)?.and(event).remove(Proposal::key_of(id)))
        }))?;
        Ok(())
    }

    fn perform(&self, act: ProposedAct, by: Officer) -> Result<(), Failure> {
        match act {
            ProposedAct::AddRecipientKey { organisation, line, .. } => {
                self.add_recipient_key(&organisation, &line, by).map(drop)
            }
            ProposedAct::RetireRecipientKey { organisation, fingerprint, from } => {
                self.retire_recipient_key(&organisation, &fingerprint, from, by)
            }
            ProposedAct::AddMandate { intermediary, client, scope, from, until } => {
                let products = scope.products().clone();
                self.add_mandate(NewMandate { intermediary, client, products, from, until }, by).map(drop)
            }
            ProposedAct::WidenMandate { mandate, added, removed, until, .. } => {
                self.change_mandate(mandate, MandateChange { added, removed, until }, by).map(drop)
            }
        }
    }

    /// The act with what is known of it: a key is read before anybody is asked about it, and a mandate names its two.
    fn judged_act(&self, act: ProposedAct) -> Result<ProposedAct, Failure> {
        Ok(match act {
            ProposedAct::AddRecipientKey { organisation, line, .. } => {
                let judged = self.keyring.judge_recipient(&line)?;
                ProposedAct::AddRecipientKey { organisation, fingerprint: judged.fingerprint, line: judged.line }
            }
            ProposedAct::WidenMandate { mandate, added, removed, until, .. } => {
                let known = self.mandate(mandate)?;
                let (intermediary, client) = (known.intermediary, known.client);
                ProposedAct::WidenMandate { mandate, intermediary, client, added, removed, until }
            }
            act @ (ProposedAct::RetireRecipientKey { .. } | ProposedAct::AddMandate { .. }) => act,
        })
    }
}

fn waiting(view: &dyn CatalogView, now: Moment) -> Result<Vec<Proposal>, Failure> {
    let mut all = view.rows::<Proposal>(&Proposal::all(), None, MOST_PROPOSALS)?;
    all.retain(|proposal| proposal.waits(now));
    all.sort_by_key(|proposal| (proposal.made_at, proposal.id));
    Ok(all)
}

fn found(view: &dyn CatalogView, id: ProposalId, now: Moment) -> Result<Proposal, Failure> {
    let row = view.row::<Proposal>(&Proposal::key_of(id))?.filter(|proposal| proposal.waits(now));
    Ok(row.ok_or(Refusal::NotFound(What::Proposal))?)
}

fn told(what: Happening, who: Who, proposal: &Proposal, more: &str) -> Event {
    let about = About { organisation: Some(proposal.act.organisation().clone()), ..About::default() };
    let mut note = format!("{} {}, proposed by {}", proposal.act.word(), proposal.act.subject(), proposal.by);
    if !more.is_empty() {
        note = format!("{note}: {more}");
    }
    Event::new(what, who, about).with_note(&note)
}
