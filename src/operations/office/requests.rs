//! People of customers, as the office sees them: who they are, and their link sent anew.

use std::sync::Arc;

use super::super::manage_accounts::account_of;
use super::super::manage_organisations::organisation_of;
use super::super::people::{activation_mail, credentials_of, ends, event, person_of};
use super::members::invited;
use super::{Failure, Officer, Operations, role_of};
use crate::domain::account::{Account, AccountKind};
use crate::domain::block::Access;
use crate::domain::credentials::{ACTIVATION_DAYS, AccountLink, LinkPurpose, WebSession};
use crate::domain::decision::Decision;
use crate::domain::history::Happening;
use crate::domain::ids::LinkId;
use crate::domain::moment::Span;
use crate::domain::names::LoginName;
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::{Act, Right};

/// One account has at most so many rights that are shown.
const MOST_RIGHTS: usize = 1_000;

/// An account with what belongs to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PersonView {
    /// The account.
    pub account: Account,
    /// What it signs in with is complete; always for machines.
    pub is_activated: bool,
    /// It belongs to somebody of the office.
    pub is_of_office: bool,
    /// What it is coupled to.
    pub rights: Vec<Right>,
    /// Its sessions in the portal or the office, the oldest first.
    pub sessions: Vec<WebSession>,
}

impl Operations {
    /// One account.
    ///
    /// # Errors
    /// `NotFound`; `NotAllowed`.
    pub fn look_at_account(&self, login: &LoginName, by: impl Into<Officer>) -> Result<PersonView, Failure> {
        self.oversee(by)?;
        let mut sessions = self.live_sessions.of_account(login);
        sessions.sort_by_key(|session| session.begun_at);
        self.catalog.look(|view| {
            let account = account_of(view, login)?;
            let is_activated = match account.kind {
                AccountKind::Machine { .. } => true,
                AccountKind::Person { .. } => credentials_of(view, login)?.are_complete(),
            };
            Ok(PersonView {
                is_activated,
                is_of_office: role_of(view, login)?.is_some(),
                rights: view.rows::<Right>(&Right::keys_of(login, None), None, MOST_RIGHTS)?,
                sessions: sessions.clone(),
                account,
            })
        })
    }

    /// Sends the link to activate an account anew; an earlier one closes (B15).
    ///
    /// # Errors
    /// `NotFound` for an unknown login or a machine; `WrongState` when it is activated or has ended; `NotAllowed`.
    pub fn send_link_anew(&self, login: &LoginName, by: impl Into<Officer>) -> Result<(), Failure> {
        let by = by.into();
        let is_of_office = self.catalog.look(|view| Ok(role_of(view, login)?.is_some()))?;
        let who = self.acting(by, if is_of_office { Act::ManageOffice } else { Act::ManageMembers })?;
        let (now, login, post) = (self.now(), login.clone(), Arc::clone(&self.post));
        let id = LinkId::from_random(self.entropy.sixteen());
        self.catalog.decide(Box::new(move |view| {
            let account = person_of(view, &login)?.ok_or(Refusal::NotFound(What::Account))?;
            let mut row = credentials_of(view, &login)?;
            if row.are_complete() || account.standing.at(now) != Access::Open {
                return Err(Refusal::WrongState("there is nothing to activate".to_owned()).into());
            }
            let until = ends(now, Span::from_days(ACTIVATION_DAYS));
            let link = AccountLink { id, login, purpose: LinkPurpose::Activate, until };
            let before = row.link.replace(id);
            let made = event(Happening::AccountLinkMade, who, &account).with_until(until);
            let decision = Decision::new(now, made).put(row).put(link);
            let decision = before.into_iter().fold(decision, |all, id| all.remove(AccountLink::key_of(id)));
            if is_of_office {
                return invited(&post, decision, &account, (id, until), now);
            }
            let organisation = organisation_of(view, &account.organisation)?;
            activation_mail(&post, decision, &account, &organisation, (id, until), now)
        }))?;
        Ok(())
    }
}
