//! The terms of use of machine accounts: their owner accepts by the link of an e-mail, or an
//! administrator of the organisation does in the portal.

use std::sync::Arc;

use data_encoding::BASE32_NOPAD;

use super::super::block_access::with_what_it_came_in_by;
use super::super::people::accounts_of;
use super::super::post::{Notice, Post, addressed};
use super::super::send_notices::mail_id;
use super::super::{Caller, Visitor, case_of};
use super::answer::{accepted, account_of, asked_for, left};
use super::{Failure, Operations, all, has_terms_open, terms_standing};
use crate::domain::account::{Account, AccountKind};
use crate::domain::block::{Access, EndReason, Standing};
use crate::domain::decision::Decision;
use crate::domain::history::{Channel, Who};
use crate::domain::ids::LinkId;
use crate::domain::moment::Moment;
use crate::domain::names::LoginName;
use crate::domain::notice::{Addressed, Fact, Mail, NoticeKind};
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::{Act, permits};
use crate::domain::terms::{AcceptedBy, TermsAcceptance, TermsStanding, TermsVersion, refusable};
use crate::ports::catalog::CatalogView;

/// Purpose for which the secret of a link is derived.
const LINK_SECRET: &str = "terms of a machine account";

/// The secret of a link: 128 bits.
const LINK_SECRET_BYTES: usize = 16;

/// A machine account for which the terms are to be accepted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MachineTerms {
    /// The account.
    pub account: Account,
    /// Until when it goes on without; it is refused already when `None`.
    pub until: Option<Moment>,
}

impl Operations {
    /// Machine accounts of the caller's organisation for which the terms are not accepted yet.
    ///
    /// # Errors
    /// `NotAllowed` for who is no administrator.
    pub fn machines_without_terms(&self, caller: &Caller) -> Result<Vec<MachineTerms>, Failure> {
        let now = self.now();
        self.catalog.look(|view| {
            permits(Act::ManageMembers, case_of(view, caller, &caller.organisation, None, now)?)?;
            let mut machines = Vec::new();
            for account in accounts_of(view, &caller.organisation)? {
                if !is_living_machine(&account, now) {
                    continue;
                }
                match terms_standing(view, &account, Channel::Sftp, now)? {
                    TermsStanding::Unbound | TermsStanding::Accepted => {}
                    TermsStanding::InGrace(until) => machines.push(MachineTerms { account, until: Some(until) }),
                    TermsStanding::Open => machines.push(MachineTerms { account, until: None }),
                }
            }
            Ok(machines)
        })
    }

    /// Accepts the terms for a machine account of the caller's organisation.
    ///
    /// # Errors
    /// `NotFound` for an account of another organisation or a person's; `WrongState` as `accept_terms`.
    pub fn accept_terms_for_machine(&self, caller: &Caller, login: &LoginName, number: u32) -> Result<(), Failure> {
        let (now, caller, login) = (self.now(), caller.clone(), login.clone());
        self.catalog.decide(Box::new(move |view| {
            permits(Act::ManageMembers, case_of(view, &caller, &caller.organisation, None, now)?)?;
            let account = account_of(view, &login)?;
            if account.organisation != caller.organisation || !is_living_machine(&account, now) {
                return Err(Refusal::NotFound(What::Account).into());
            }
            let version = asked_for(view, Some(number), now)?;
            let acceptance = TermsAcceptance {
                login: account.login.clone(),
                number: version.number,
                at: now,
                address: Some(caller.address),
                by: AcceptedBy::Administrator(caller.login.clone()),
                states_reachable: true,
            };
            accepted(view, caller.who(), &account, &version, acceptance)
        }))?;
        Ok(())
    }

    /// The machine account that a link of an e-mail is for, while its terms are to be accepted. Looking changes
    /// nothing.
    ///
    /// # Errors
    /// `LinkClosed` for a link that is wrong, and once they were accepted or the owner or account changed.
    pub fn look_at_terms_link(&self, login: &str, code: &str) -> Result<Account, Failure> {
        let (now, login) = (self.now(), LoginName::parse(login).map_err(|_| Refusal::LinkClosed)?);
        let account = self.catalog.look(|view| {
            let account = view.row::<Account>(&Account::key_of(&login))?.filter(|one| is_living_machine(one, now));
            let is_accepted = view.find(&TermsAcceptance::key_of(&login))?.is_some();
            Ok(account.filter(|_| !is_accepted))
        })?;
        // the same work for an account that is not there
        let wanted = self.terms_code(&login, account.as_ref().map_or("", |account| account.mail_address().as_str()))?;
        let given = code.to_ascii_lowercase();
        let differs = given.len() != wanted.len()
            || given.bytes().zip(wanted.bytes()).fold(0, |differs, (a, b)| differs | (a ^ b)) != 0;
        match account {
            Some(account) if !differs => Ok(account),
            _ => Err(Refusal::LinkClosed.into()),
        }
    }

    /// Accepts the terms for a machine account by the link that its owner got.
    ///
    /// # Errors
    /// As `look_at_terms_link`; `WrongState` when another version is asked for by now.
    pub fn accept_terms_by_link(&self, login: &str, code: &str, number: u32, visitor: &Visitor) -> Result<(), Failure> {
        let seen = self.look_at_terms_link(login, code)?;
        let (now, address) = (self.now(), visitor.address);
        self.catalog.decide(Box::new(move |view| {
            let account = account_of(view, &seen.login)?;
            let AccountKind::Machine { owner } = &account.kind else { return Err(Refusal::LinkClosed.into()) };
            if account.kind != seen.kind || !is_living_machine(&account, now) {
                return Err(Refusal::LinkClosed.into());
            }
            let version = asked_for(view, Some(number), now)?;
            let acceptance = TermsAcceptance {
                login: account.login.clone(),
                number: version.number,
                at: now,
                address: Some(address),
                by: AcceptedBy::Owner(owner.clone()),
                states_reachable: true,
            };
            let who = Who::stranger(Channel::Portal, address);
            accepted(view, who, &account, &version, acceptance)
        }))?;
        Ok(())
    }

    /// Does not accept the terms for a machine account, by the link that its owner got, and cancels the account with
    /// that (I13): it ends for reason b, its keys and tokens are revoked in the same decision, and the administrators
    /// of its organisation are told.
    ///
    /// # Errors
    /// As `look_at_terms_link`; `WrongState` after the last day on which the newest terms can be refused.
    pub fn refuse_terms_by_link(&self, login: &str, code: &str, visitor: &Visitor) -> Result<(), Failure> {
        let seen = self.look_at_terms_link(login, code)?;
        let (now, address, post) = (self.now(), visitor.address, Arc::clone(&self.post));
        self.catalog.decide(Box::new(move |view| {
            let mut account = account_of(view, &seen.login)?;
            let is_accepted = view.find(&TermsAcceptance::key_of(&seen.login))?.is_some();
            if account.kind != seen.kind || !is_living_machine(&account, now) || is_accepted {
                return Err(Refusal::LinkClosed.into());
            }
            let versions = all(view)?;
            let version = refusable(&versions, now).ok_or_else(|| {
                Refusal::WrongState("the time in which the terms of use can be refused is over".to_owned())
            })?;
            account.standing = Standing::Ended { at: now, reason: Some(EndReason::TermsNotAccepted) };
            let who = Who::stranger(Channel::Portal, address);
            let decision = left(view, (&post, None), who.clone(), &account, version, now)?;
            Ok(with_what_it_came_in_by(view, decision, &account, &who, now)?.put(account))
        }))?;
        Ok(())
    }

    /// The address of the page on which the owner accepts: a secret.
    pub(in crate::operations) fn terms_address(&self, login: &LoginName, owner: &str) -> Result<String, Failure> {
        Ok(format!("{}/terms/for/{login}/{}", self.settings.sender.portal_url, self.terms_code(login, owner)?))
    }

    /// Follows from account and owner, in Base32, 26 characters; a new owner gets another.
    fn terms_code(&self, login: &LoginName, owner: &str) -> Result<String, Failure> {
        let derived = self.secrets.derive(LINK_SECRET, format!("{login}\0{owner}").as_bytes())?;
        Ok(BASE32_NOPAD.encode(derived.get(..LINK_SECRET_BYTES).unwrap_or_default()).to_ascii_lowercase())
    }
}

fn is_living_machine(account: &Account, now: Moment) -> bool {
    matches!(account.kind, AccountKind::Machine { .. }) && account.standing.at(now) != Access::Ended
}

/// The decision with the e-mail that asks the owner of a machine account to accept; as it is when nothing is asked.
pub(in crate::operations) fn owner_mail(
    view: &dyn CatalogView,
    post: &Post,
    decision: Decision,
    account: &Account,
    now: Moment,
) -> Result<Decision, Failure> {
    asking_owner(view, post, decision, (account, None), now)
}

/// The same when the account gets another owner: an e-mail of its own, beside the one that the owner before had.
pub(in crate::operations) fn new_owner_mail(
    view: &dyn CatalogView,
    post: &Post,
    decision: Decision,
    account: &Account,
    (change, now): (LinkId, Moment),
) -> Result<Decision, Failure> {
    asking_owner(view, post, decision, (account, Some(change)), now)
}

fn asking_owner(
    view: &dyn CatalogView,
    post: &Post,
    decision: Decision,
    (account, change): (&Account, Option<LinkId>),
    now: Moment,
) -> Result<Decision, Failure> {
    if !is_living_machine(account, now) {
        return Ok(decision);
    }
    let grace = match terms_standing(view, account, Channel::Sftp, now)? {
        TermsStanding::Unbound | TermsStanding::Accepted => return Ok(decision),
        TermsStanding::InGrace(until) => Some(until),
        TermsStanding::Open => None,
    };
    let Ok(version) = asked_for(view, None, now) else { return Ok(decision) };
    let mut facts = told(&version);
    facts.push((Fact::By, account.login.to_string()));
    facts.push((Fact::TermsLink, account.mail_address().to_string()));
    facts.extend(grace.map(|until| (Fact::Until, until.millis().to_string())));
    let kind = NoticeKind::TermsForMachine;
    let about = change.map_or_else(|| about(&version), |change| *change.as_bytes());
    let notice = Notice { id: mail_id(kind, &about, account.login.as_str()), kind, delivery: None };
    // who was added while everybody is told has it already
    if view.find(&Mail::key_of(notice.id))?.is_some() {
        return Ok(decision);
    }
    post.queue(decision, notice, &addressed(account, facts), account.language, now)
}

/// Whether the link in an e-mail to an owner opens nothing any more: the account is somebody else's by now.
pub(in crate::operations) fn has_dead_link(view: &dyn CatalogView, to: &Addressed) -> Result<bool, Failure> {
    let asked = to.facts.iter().find(|(fact, _)| *fact == Fact::TermsLink).map(|(_, owner)| owner);
    let (Some(login), Some(asked)) = (&to.login, asked) else { return Ok(false) };
    let account = view.row::<Account>(&Account::key_of(login))?;
    Ok(account.is_none_or(|account| account.mail_address().as_str() != asked))
}

/// What every e-mail about a version tells.
pub(super) fn told(version: &TermsVersion) -> Vec<(Fact, String)> {
    vec![(Fact::TermsVersion, version.name.to_string()), (Fact::TermsFrom, version.effective_at.millis().to_string())]
}

/// What the id of an e-mail about a version is made of.
pub(super) fn about(version: &TermsVersion) -> [u8; 16] {
    let mut about = [0; 16];
    about.iter_mut().zip(version.number.to_be_bytes()).for_each(|(to, from)| *to = from);
    about
}

/// Whether the owner still has to be asked.
pub(super) fn is_asked(view: &dyn CatalogView, account: &Account, now: Moment) -> Result<bool, Failure> {
    Ok(has_terms_open(view, account, Channel::Sftp, now)?
        || matches!(terms_standing(view, account, Channel::Sftp, now)?, TermsStanding::InGrace(_)))
}
