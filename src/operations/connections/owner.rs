//! The owner of a machine account (BIO2 5.16.02): who may be one, and what a change brings with it,
//! whoever makes it. The link to accept the terms of use dies with the old owner.

use std::sync::Arc;

use super::super::Officer;
use super::super::manage_accounts::{account_of, event as event_about};
use super::super::people::accounts_of;
use super::super::post::Post;
use super::super::terms::new_owner_mail;
use super::machines::{flaw, owned};
use super::tell::{Told, told};
use super::{Caller, Failure, Operations, event, own_machine};
use crate::domain::account::{Account, AccountKind, Language};
use crate::domain::block::Access;
use crate::domain::connections::{ConnectionFlaw, is_machine};
use crate::domain::decision::Decision;
use crate::domain::history::{Event, Happening};
use crate::domain::ids::LinkId;
use crate::domain::moment::Moment;
use crate::domain::names::{EmailAddress, LoginName};
use crate::domain::notice::{Fact, NoticeKind};
use crate::domain::organisation::Organisation;
use crate::domain::refusal::{Refusal, What};
use crate::domain::request::domain_of;
use crate::domain::rights::Act;
use crate::ports::catalog::CatalogView;

/// Who is told, and as whose doing.
struct Telling<'a> {
    post: &'a Post,
    /// Of this change: the ids of its e-mails follow from it.
    id: LinkId,
    by: &'a str,
    now: Moment,
}

impl Operations {
    /// Gives a machine account another owner, or its e-mails another language. Nothing changes when both are so
    /// already. The owner before is told too; where the terms of use are still to be accepted, their link is dead from
    /// here on and the new owner gets one.
    ///
    /// # Errors
    /// `NotFound`; `Connection` for an owner of elsewhere.
    pub fn change_owner(
        &self,
        caller: &Caller,
        login: &LoginName,
        owner: EmailAddress,
        language: Language,
    ) -> Result<(), Failure> {
        let now = self.now();
        let kind = AccountKind::Machine { owner };
        let row = self.catalog.look(|view| own_machine(view, caller, login, now))?;
        if row.kind == kind && row.language == language {
            return Ok(());
        }
        let (caller, login) = (caller.clone(), login.clone());
        let (id, post) = (LinkId::from_random(self.entropy.sixteen()), Arc::clone(&self.post));
        self.catalog.decide(Box::new(move |view| {
            let before = own_machine(view, &caller, &login, now)?;
            let account = Account { kind, language, ..before.clone() };
            let organisation = organisation_of(view, &account)?;
            refuse_foreign(view, &organisation, account.mail_address(), now)?;
            let event = event(Happening::AccountChanged, &caller, &login).with_note(&owned(&account));
            let telling = Telling { post: &post, id, by: caller.login.as_str(), now };
            changed(view, event, &before, (&account, &organisation), &telling)
        }))?;
        Ok(())
    }

    /// The same by the operator, who may name an owner of elsewhere too, as when the account is added. Nothing
    /// changes for who owns it already.
    ///
    /// # Errors
    /// `NotFound`; `BadRequest` for the account of a person; `Ended`.
    pub fn give_to_owner(&self, login: &LoginName, owner: EmailAddress, by: impl Into<Officer>) -> Result<(), Failure> {
        let who = self.acting(by, Act::Administer)?;
        let now = self.now();
        let kind = AccountKind::Machine { owner };
        if self.catalog.look(|view| account_of(view, login))?.kind == kind {
            return Ok(());
        }
        let (login, operator) = (login.clone(), self.settings.sender.organisation.clone());
        let (id, post) = (LinkId::from_random(self.entropy.sixteen()), Arc::clone(&self.post));
        self.catalog.decide(Box::new(move |view| {
            let before = account_of(view, &login)?;
            if !is_machine(&before) {
                return Err(Refusal::BadRequest("a person owns the own account".to_owned()).into());
            }
            if before.standing.at(now) == Access::Ended {
                return Err(Refusal::Ended(What::Account).into());
            }
            let account = Account { kind, ..before.clone() };
            let organisation = organisation_of(view, &account)?;
            let event = event_about(Happening::AccountChanged, &account, who).with_note(&owned(&account));
            let telling = Telling { post: &post, id, by: &operator, now };
            changed(view, event, &before, (&account, &organisation), &telling)
        }))?;
        Ok(())
    }
}

/// The decision in which an account changes hands, with all its e-mails.
fn changed(
    view: &dyn CatalogView,
    event: Event,
    before: &Account,
    (account, organisation): (&Account, &Organisation),
    telling: &Telling<'_>,
) -> Result<Decision, Failure> {
    let &Telling { post, id, by, now } = telling;
    let mut decision = Decision::new(now, event).put(account.clone());
    if account.mail_address() != before.mail_address() {
        decision = new_owner_mail(view, post, decision, account, (id, now))?;
    }
    let owner = account.mail_address().to_string();
    let also = Some(before.mail_address().clone());
    let what = Told { kind: NoticeKind::OwnerChanged, id, facts: vec![(Fact::Person, owner)], also };
    told(post, view, decision, (account, organisation, by), what, now)
}

fn organisation_of(view: &dyn CatalogView, account: &Account) -> Result<Organisation, Failure> {
    let row = view.row::<Organisation>(&Organisation::key_of(&account.organisation))?;
    Ok(row.ok_or(Refusal::NotFound(What::Organisation))?)
}

/// The owner is of the organisation's mail domains, or one of its people who has not ended.
pub(super) fn refuse_foreign(
    view: &dyn CatalogView,
    organisation: &Organisation,
    owner: &EmailAddress,
    now: Moment,
) -> Result<(), Failure> {
    if organisation.mail_domains.iter().any(|own| own.as_str() == domain_of(owner)) {
        return Ok(());
    }
    let people = accounts_of(view, &organisation.code)?.into_iter();
    let mut people = people.filter(|account| !is_machine(account) && account.standing.at(now) != Access::Ended);
    if people.any(|account| account.mail_address().as_str().eq_ignore_ascii_case(owner.as_str())) {
        return Ok(());
    }
    Err(flaw(ConnectionFlaw::ForeignOwner))
}
