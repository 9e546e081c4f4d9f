//! E-mails about blocks and ends (M20): to the administrators of the organisation, and to the user
//! only if the operator says so. They tell the reason of the terms of use, never what led to it.

use super::block_access::StandingChange;
use super::people::administrators_of;
use super::post::{Notice, Post};
use super::send_notices::mail_id;
use super::{Failure, Operations, texts};
use crate::domain::account::{Account, Language};
use crate::domain::block::{Access, EndReason};
use crate::domain::decision::Decision;
use crate::domain::ids::LinkId;
use crate::domain::moment::Moment;
use crate::domain::names::OrganisationCode;
use crate::domain::notice::{Addressed, Fact, NoticeKind};
use crate::domain::organisation::Organisation;
use crate::domain::restriction::Service;
use crate::ports::catalog::CatalogView;

/// So many administrators of one organisation are told: a decision holds their e-mails.
const MOST_TOLD: usize = 100;

/// Whom a change of access is told, besides the administrators, and what of its reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Telling {
    /// The user too; of an organisation, its administrators although they are blocked (M20 over J6).
    pub inform_user: bool,
    /// The reason of the terms of use that is told of a block, which has none of its own.
    pub reason: Option<EndReason>,
}

/// A change of access, as it is told.
#[derive(Clone, Debug)]
pub(super) struct AccessChange {
    word: &'static str,
    facts: Vec<(Fact, String)>,
}

impl AccessChange {
    pub(super) fn new(word: &'static str) -> Self {
        Self { word, facts: vec![(Fact::Change, word.to_owned())] }
    }

    pub(super) fn of_standing(change: &StandingChange, telling: Telling) -> Self {
        match change {
            StandingChange::Block { until, .. } => Self::new("blocked").because(telling.reason).until(*until),
            StandingChange::Unblock => Self::new("unblocked"),
            StandingChange::End { reason, .. } => Self::new("ended").because(*reason),
        }
    }

    pub(super) fn because(mut self, reason: Option<EndReason>) -> Self {
        self.facts.extend(reason.map(|reason| (Fact::Reason, letter(reason).to_owned())));
        self
    }

    pub(super) fn until(mut self, until: Option<Moment>) -> Self {
        self.facts.extend(until.map(|until| (Fact::Until, until.millis().to_string())));
        self
    }

    pub(super) fn service(mut self, service: Service) -> Self {
        self.facts.push((Fact::Service, service.word().to_owned()));
        self
    }

    pub(super) fn credential(mut self, credential: &str) -> Self {
        self.facts.push((Fact::Credential, credential.to_owned()));
        self
    }

    /// Whether who is concerned gets no other mail from now on (J6).
    fn shuts(&self) -> bool {
        matches!(self.word, "blocked" | "ended")
    }
}

/// The letter of the terms of use.
const fn letter(reason: EndReason) -> &'static str {
    match reason {
        EndReason::Misuse => "a",
        EndReason::TermsNotAccepted => "b",
        EndReason::SpecialCircumstances => "c",
    }
}

/// Of which change the e-mails are: each change has its own, once for each reader.
#[derive(Clone, Copy)]
pub(super) struct Occasion {
    pub(super) id: LinkId,
    pub(super) now: Moment,
}

impl Operations {
    pub(super) fn occasion(&self, now: Moment) -> Occasion {
        Occasion { id: LinkId::from_random(self.entropy.sixteen()), now }
    }
}

/// The decision with the e-mails about an account: to the administrators that can act, without the account itself, and
/// to whoever answers for it if so asked.
pub(super) fn tell_of_account(
    view: &dyn CatalogView,
    post: &Post,
    mut decision: Decision,
    account: &Account,
    (change, telling): (AccessChange, Telling),
    occasion: Occasion,
) -> Result<Decision, Failure> {
    let organisation = view.row::<Organisation>(&Organisation::key_of(&account.organisation))?;
    let mut facts = change.facts.clone();
    facts.push((Fact::Address, account.login.to_string()));
    facts.extend(organisation.as_ref().map(|row| (Fact::Organisation, row.name.to_string())));
    let can_act = organisation.is_some_and(|row| row.standing.at(occasion.now) == Access::Open);
    let readers = if can_act { readers(view, &account.organisation, occasion.now)? } else { Vec::new() };
    let mut is_told = false;
    for reader in readers.iter().filter(|reader| reader.login != account.login) {
        is_told |= reader.mail_address() == account.mail_address();
        decision = queue(post, decision, NoticeKind::AccessChanged, reader, facts.clone(), occasion)?;
    }
    // an administrator who answers for the account knows already
    if telling.inform_user && !is_told {
        decision = queue(post, decision, NoticeKind::OwnAccessChanged, account, facts, occasion)?;
    }
    Ok(decision)
}

/// The decision with the e-mails about an organisation, to its administrators. When it is shut out they are too, and
/// are told only if so asked.
pub(super) fn tell_of_organisation(
    view: &dyn CatalogView,
    post: &Post,
    mut decision: Decision,
    organisation: &Organisation,
    (change, telling): (AccessChange, Telling),
    occasion: Occasion,
) -> Result<Decision, Failure> {
    if change.shuts() && !telling.inform_user {
        return Ok(decision);
    }
    let mut facts = change.facts;
    facts.push((Fact::Organisation, organisation.name.to_string()));
    for reader in readers(view, &organisation.code, occasion.now)? {
        decision = queue(post, decision, NoticeKind::OwnAccessChanged, &reader, facts.clone(), occasion)?;
    }
    Ok(decision)
}

fn readers(view: &dyn CatalogView, organisation: &OrganisationCode, now: Moment) -> Result<Vec<Account>, Failure> {
    let mut readers = administrators_of(view, organisation, now)?;
    readers.truncate(MOST_TOLD);
    Ok(readers)
}

fn queue(
    post: &Post,
    decision: Decision,
    kind: NoticeKind,
    reader: &Account,
    facts: Vec<(Fact, String)>,
    occasion: Occasion,
) -> Result<Decision, Failure> {
    let id = mail_id(kind, occasion.id.as_bytes(), reader.login.as_str());
    let notice = Notice { id, kind, delivery: None };
    let to = super::post::addressed(reader, facts);
    let language: Language = reader.language;
    post.queue(decision, notice, &to, language, occasion.now)
}

impl Operations {
    /// What an e-mail about access tells.
    pub(super) fn access_facts(&self, to: &Addressed) -> texts::AccessFacts {
        let mut facts = texts::AccessFacts::default();
        for (fact, value) in &to.facts {
            let moment = || Moment::from_millis(value.parse().unwrap_or_default());
            let in_words = |at: Moment| format!("{} {}", self.clock.date_of(at), self.clock.time_of(at));
            match fact {
                Fact::Change => facts.change.clone_from(value),
                Fact::Address => facts.account.clone_from(value),
                Fact::Organisation => facts.organisation.clone_from(value),
                Fact::Service => facts.service.clone_from(value),
                Fact::Credential => facts.credential.clone_from(value),
                Fact::Reason => facts.reason.clone_from(value),
                Fact::Until => facts.until = self.last_day(moment()).to_string(),
                Fact::Nature => facts.nature.clone_from(value),
                Fact::Channel => facts.channel.clone_from(value),
                Fact::At => facts.at = in_words(moment()),
                Fact::Ends => facts.ends = in_words(moment()),
                // nothing of that kind is told of access
                _ => {}
            }
        }
        facts
    }
}
