//! What a person answers to the terms of use: accepts them, or refuses them and is gone (I6, I13, H5).

use std::sync::Arc;

use super::super::post::{Notice, Post, addressed};
use super::super::send_notices::mail_id;
use super::super::{Caller, Officer, case_of};
use super::{Failure, Operations, all, event};
use crate::domain::account::{Account, AccountKind, Language};
use crate::domain::block::{Access, EndReason, Standing};
use crate::domain::decision::Decision;
use crate::domain::history::{Happening, Who};
use crate::domain::moment::Moment;
use crate::domain::names::{EmailAddress, Line, LoginName};
use crate::domain::notice::{Addressed, Fact, NoticeKind};
use crate::domain::organisation::Organisation;
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::{Act, permits};
use crate::domain::sign_in_record::SessionEnd;
use crate::domain::terms::{AcceptedBy, TermsAcceptance, TermsVersion, refusable, to_accept};
use crate::ports::catalog::CatalogView;

impl Operations {
    /// Accepts the terms for oneself (I6): the version that is asked for, which must be the one that was shown.
    /// It is stated, and put on record, that e-mail may take the place of paper (H5).
    ///
    /// # Errors
    /// `WrongState` when another version is asked for by now, or they were accepted already; what `permits` refuses.
    pub fn accept_terms(&self, caller: &Caller, number: u32) -> Result<(), Failure> {
        let (now, caller) = (self.now(), caller.clone());
        self.catalog.decide(Box::new(move |view| {
            permits(Act::AnswerTerms, case_of(view, &caller, &caller.organisation, None, now)?)?;
            let account = account_of(view, &caller.login)?;
            let version = asked_for(view, Some(number), now)?;
            let acceptance = TermsAcceptance {
                login: caller.login.clone(),
                number: version.number,
                at: now,
                address: Some(caller.address),
                by: AcceptedBy::Oneself,
                states_reachable: true,
            };
            accepted(view, caller.who(), &account, &version, acceptance)
        }))?;
        Ok(())
    }

    /// Puts on record that the terms were accepted for an account on paper or otherwise. Nothing is stated about
    /// e-mail in the place of paper.
    ///
    /// # Errors
    /// `NotFound` for the account, or when nothing was published; `WrongState` when they were accepted already.
    pub fn record_acceptance(&self, login: &LoginName, by: Line, officer: impl Into<Officer>) -> Result<(), Failure> {
        let who = self.acting(officer, Act::Administer)?;
        let (now, login) = (self.now(), login.clone());
        self.catalog.decide(Box::new(move |view| {
            let account = account_of(view, &login)?;
            if account.standing.at(now) == Access::Ended {
                return Err(Refusal::Ended(What::Account).into());
            }
            let version = asked_for(view, None, now)?;
            let acceptance = TermsAcceptance {
                login,
                number: version.number,
                at: now,
                address: None,
                by: AcceptedBy::Operator(by),
                states_reachable: false,
            };
            accepted(view, who, &account, &version, acceptance)
        }))?;
        Ok(())
    }

    /// Does not accept the newest terms, and cancels the own account with that (I13): it ends for reason b of the
    /// terms, with its sessions, keys and rights. The administrators of the organisation are told; where none is
    /// left, the operator.
    ///
    /// # Errors
    /// `WrongState` after the last day on which they can be refused; what `permits` refuses.
    pub fn refuse_terms(&self, caller: &Caller) -> Result<(), Failure> {
        let (now, own) = (self.now(), caller.clone());
        let (post, operator) = (Arc::clone(&self.post), self.operator_address());
        self.catalog.decide(Box::new(move |view| {
            permits(Act::AnswerTerms, case_of(view, &own, &own.organisation, None, now)?)?;
            let mut account = account_of(view, &own.login)?;
            if !matches!(account.kind, AccountKind::Person { .. }) {
                return Err(Refusal::NotAllowed("only a person may, for themselves").into());
            }
            let versions = all(view)?;
            let version = refusable(&versions, now).ok_or_else(|| {
                Refusal::WrongState("the time in which the terms of use can be refused is over".to_owned())
            })?;
            account.standing = Standing::Ended { at: now, reason: Some(EndReason::TermsNotAccepted) };
            let decision = left(view, (&post, operator), own.who(), &account, version, now)?;
            Ok(decision.put(account))
        }))?;
        self.end_sessions_of(&caller.login, None, SessionEnd::NotAllowed).map(drop)
    }
}

/// What follows when an account is cancelled for the terms: its end for reason b on record, and an e-mail to the other
/// administrators, or to the operator when the last one left.
pub(super) fn left(
    view: &dyn CatalogView,
    (post, operator): (&Post, Option<EmailAddress>),
    who: Who,
    account: &Account,
    version: &TermsVersion,
    now: Moment,
) -> Result<Decision, Failure> {
    let reason = EndReason::TermsNotAccepted;
    let ended = event(Happening::AccountEnded, who.clone(), account, version).with_note(reason.word());
    let mut decision = Decision::new(now, event(Happening::TermsRefused, who, account, version)).and(ended);
    let (organisation, readers) = told_of_leaving(view, account, now)?;
    let mut facts = vec![(Fact::Organisation, organisation), (Fact::Address, account.login.to_string())];
    let mut readers: Vec<(Addressed, Language)> =
        readers.iter().map(|one| (addressed(one, facts.clone()), one.language)).collect();
    if readers.is_empty() && account.is_administrator {
        facts.push((Fact::Reason, "no administrator is left".to_owned()));
        let to = operator.map(|to| Addressed { to, login: None, facts, last_error: None });
        readers.extend(to.map(|to| (to, Language::Dutch)));
    }
    let kind = NoticeKind::MemberLeft;
    let about = moment_bytes(now);
    for (to, language) in readers {
        let key = format!("{} {}", account.login, to.to);
        let notice = Notice { id: mail_id(kind, &about, &key), kind, delivery: None };
        decision = post.queue(decision, notice, &to, language, now)?;
    }
    Ok(decision)
}

/// The version to accept; it must be this one, where one was shown.
pub(super) fn asked_for(view: &dyn CatalogView, shown: Option<u32>, now: Moment) -> Result<TermsVersion, Failure> {
    let versions = all(view)?;
    let version = to_accept(&versions, now).ok_or(Refusal::NotFound(What::Terms))?;
    if shown.is_some_and(|shown| shown != version.number) {
        return Err(
            Refusal::WrongState("another version of the terms of use applies by now; read it".to_owned()).into()
        );
    }
    Ok(version.clone())
}

/// The decision with an acceptance; refused when there is one.
pub(super) fn accepted(
    view: &dyn CatalogView,
    who: Who,
    account: &Account,
    version: &TermsVersion,
    acceptance: TermsAcceptance,
) -> Result<Decision, Failure> {
    if view.find(&TermsAcceptance::key_of(&account.login))?.is_some() {
        return Err(Refusal::WrongState("the terms of use are accepted for this account already".to_owned()).into());
    }
    let by = match &acceptance.by {
        AcceptedBy::Oneself => String::new(),
        AcceptedBy::Owner(address) => format!(", by the owner {address}"),
        AcceptedBy::Administrator(login) => format!(", by the administrator {login}"),
        AcceptedBy::Operator(line) => format!(", recorded by the operator: {line}"),
    };
    let paper = if acceptance.states_reachable { ", e-mail instead of paper" } else { "" };
    let note = format!("version {}{by}{paper}", version.name);
    let event = event(Happening::TermsAccepted, who, account, version).with_note(&note);
    Ok(Decision::new(acceptance.at, event).put(acceptance))
}

pub(super) fn account_of(view: &dyn CatalogView, login: &LoginName) -> Result<Account, Failure> {
    Ok(view.row::<Account>(&Account::key_of(login))?.ok_or(Refusal::NotFound(What::Account))?)
}

/// The name of the organisation, and its other administrators who can act.
fn told_of_leaving(view: &dyn CatalogView, account: &Account, now: Moment) -> Result<(String, Vec<Account>), Failure> {
    let organisation = view.row::<Organisation>(&Organisation::key_of(&account.organisation))?;
    let name = organisation.map_or_else(|| account.organisation.to_string(), |row| row.name.to_string());
    let others = super::super::people::administrators_of(view, &account.organisation, now)?;
    Ok((name, others.into_iter().filter(|other| other.login != account.login).collect()))
}

fn moment_bytes(at: Moment) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(at.millis().to_be_bytes()).for_each(|(to, from)| *to = from);
    bytes
}
