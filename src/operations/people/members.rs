//! The people of an organisation, as their administrator manages them (B9-B13, C2, C8-C11): who is
//! there and sees what, invitations, administrators. Never beyond the own organisation.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use super::super::mandates::{coupled_under, mandate_for, with_right, without_right};
use super::super::post::{Notice, Post, addressed};
use super::super::send_notices::mail_id;
use super::super::{Caller, agreement_in_force, case_of, locked};
use super::judge::activation_mail;
use super::requests::login_of;
use super::{Failure, Operations, credentials_of, ends, event, person_of};
use crate::domain::account::{Account, AccountKind, Language};
use crate::domain::agreement::Agreement;
use crate::domain::block::{Access, Standing};
use crate::domain::credentials::{ACTIVATION_DAYS, AccountLink, LinkPurpose};
use crate::domain::decision::Decision;
use crate::domain::history::{About, Event, Happening, Who};
use crate::domain::ids::LinkId;
use crate::domain::moment::{Moment, Span};
use crate::domain::names::{EmailAddress, Line, LoginName, OrganisationCode, ProductCode};
use crate::domain::notice::{Addressed, Fact, NoticeKind};
use crate::domain::organisation::Organisation;
use crate::domain::product::Product;
use crate::domain::record::Row;
use crate::domain::refusal::{Refusal, What};
use crate::domain::request::{
    AccountRequest, Employer, INVITED_FOR, RequestAddress, RequestStage, Salutation, is_free_mail,
};
use crate::domain::rights::{Act, Right, permits};
use crate::ports::catalog::CatalogView;

/// Accounts are read so many at a time.
const PAGE: usize = 1_000;

/// One organisation has agreements for at most so many products.
const MOST_PRODUCTS: usize = 1_000;

/// Somebody of the organisation, or one of its machines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MemberView {
    /// The account.
    pub account: Account,
    /// A person has chosen a password and a second factor; a machine always counts as activated.
    pub is_activated: bool,
    /// Products of the own organisation that are coupled to it.
    pub products: Vec<ProductCode>,
}

/// A product that may be coupled: the organisation has an agreement for it (B11).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CouplableProduct {
    /// Its code.
    pub code: ProductCode,
    /// Its name.
    pub name: Line,
}

/// What one save changed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RightsChange {
    /// Coupled.
    pub added: Vec<ProductCode>,
    /// Decoupled.
    pub removed: Vec<ProductCode>,
}

impl Operations {
    /// Everybody of the caller's organisation who has not ended, by login.
    ///
    /// # Errors
    /// `NotAllowed` for who is no administrator.
    pub fn members(&self, caller: &Caller) -> Result<Vec<MemberView>, Failure> {
        let now = self.now();
        self.catalog.look(|view| {
            may_manage(view, caller, now)?;
            let own = accounts_of(view, &caller.organisation)?;
            let living = own.into_iter().filter(|account| account.standing.at(now) != Access::Ended);
            living.map(|account| member(view, account)).collect()
        })
    }

    /// One of them.
    ///
    /// # Errors
    /// `NotFound` for an account of another organisation too.
    pub fn member(&self, caller: &Caller, login: &LoginName) -> Result<MemberView, Failure> {
        let now = self.now();
        self.catalog.look(|view| {
            may_manage(view, caller, now)?;
            member(view, own_account(view, caller, login, now)?)
        })
    }

    /// Products that can be coupled to accounts of the caller's organisation: its own, or those of the client for
    /// which it acts, within the mandate (D6).
    ///
    /// # Errors
    /// `NotAllowed` for who is no administrator.
    pub fn couplable_products(&self, caller: &Caller) -> Result<Vec<CouplableProduct>, Failure> {
        let now = self.now();
        self.catalog.look(|view| {
            may_manage(view, caller, now)?;
            let mut products = couplable(view, caller.recipient(), now)?;
            if caller.recipient() != &caller.organisation {
                let mandate = mandate_for(view, caller, now)?;
                products.retain(|product| mandate.scope.contains(&product.code));
            }
            Ok(products)
        })
    }

    /// Couples exactly these products, of the own organisation or of the client for which the caller acts (D2), to an
    /// account: those that are missing are added, others removed, in one decision with one e-mail (C8-C11, M07). Nothing changes and no e-mail goes when they are coupled already.
    /// What an earlier agreement left coupled can be removed, never added.
    ///
    /// # Errors
    /// `NotFound` for the account, `NotAllowed`, `NoAgreement`.
    pub fn save_rights(
        &self,
        caller: &Caller,
        login: &LoginName,
        wanted: BTreeSet<ProductCode>,
    ) -> Result<RightsChange, Failure> {
        let now = self.now();
        let unchanged = self.catalog.look(|view| {
            may_manage(view, caller, now)?;
            let account = own_account(view, caller, login, now)?;
            Ok(coupled_for(view, caller, &account, now)? == wanted)
        })?;
        if unchanged {
            return Ok(RightsChange::default());
        }
        let (caller, login, post) = (caller.clone(), login.clone(), Arc::clone(&self.post));
        let id = LinkId::from_random(self.entropy.sixteen());
        let made = Arc::new(Mutex::new(RightsChange::default()));
        let out = Arc::clone(&made);
        self.catalog.decide(Box::new(move |view| {
            may_manage(view, &caller, now)?;
            let account = own_account(view, &caller, &login, now)?;
            let organisation = organisation_row(view, caller.recipient())?;
            let coupled = coupled_for(view, &caller, &account, now)?;
            let added: Vec<_> = wanted.difference(&coupled).cloned().collect();
            let removed: Vec<_> = coupled.difference(&wanted).cloned().collect();
            let mut decision: Option<Decision> = None;
            let mut facts =
                vec![(Fact::Address, account.login.to_string()), (Fact::Organisation, organisation.name.to_string())];
            if organisation.code != account.organisation {
                facts.push((Fact::Client, organisation.name.to_string()));
            }
            for (product, is_added) in added.iter().map(|p| (p, true)).chain(removed.iter().map(|p| (p, false))) {
                let what = if is_added { Happening::RightCoupled } else { Happening::RightDecoupled };
                let about = About {
                    organisation: Some(organisation.code.clone()),
                    login: Some(login.clone()),
                    product: Some(product.clone()),
                    ..About::default()
                };
                let event = Event::new(what, caller.who(), about);
                let next = match decision.take() {
                    None => Decision::new(now, event),
                    Some(decision) => decision.and(event),
                };
                decision = Some(if is_added {
                    if agreement_in_force(view, &organisation.code, product, now)?.is_none() {
                        let organisation = organisation.code.to_string();
                        return Err(Refusal::NoAgreement { organisation, product: product.to_string() }.into());
                    }
                    permits(Act::Couple, case_of(view, &caller, &organisation.code, Some(product), now)?)?;
                    with_right(view, next, &account, &organisation.code, product, now)?
                } else {
                    without_right(view, next, &account, &organisation.code, product)?
                });
                let name = view.row::<Product>(&Product::key_of(product))?.map(|row| row.name.to_string());
                let fact = if is_added { Fact::Added } else { Fact::Removed };
                facts.push((fact, name.unwrap_or_else(|| product.to_string())));
            }
            let decision = decision.ok_or_else(|| Refusal::WrongState("nothing changed".to_owned()))?;
            *locked(&out) = RightsChange { added, removed };
            let kind = NoticeKind::RightsChanged;
            let notice = Notice { id: mail_id(kind, id.as_bytes(), login.as_str()), kind, delivery: None };
            post.queue(decision, notice, &addressed(&account, facts), account.language, now)
        }))?;
        Ok(std::mem::take(&mut *locked(&made)))
    }

    /// Invites somebody by a business address (B13, M05). They give their name, and the administrator approves.
    ///
    /// # Errors
    /// `FreeMail`; `BadRequest` for an address of another domain than the organisation's; `Exists` for an account or
    /// a request that is there.
    pub fn invite(&self, caller: &Caller, email: EmailAddress, language: Language) -> Result<(), Failure> {
        if is_free_mail(&email, &self.settings.people.refused_mail_domains) {
            return Err(Refusal::FreeMail.into());
        }
        let (now, login, caller) = (self.now(), login_of(&email)?, caller.clone());
        let id = LinkId::from_random(self.entropy.sixteen());
        let (post, most) = (Arc::clone(&self.post), self.settings.people.max_requests);
        self.catalog.decide(Box::new(move |view| {
            may_manage(view, &caller, now)?;
            let organisation = organisation_row(view, &caller.organisation)?;
            let domain = crate::domain::request::domain_of(&email);
            let domains = &organisation.mail_domains;
            if !domains.is_empty() && !domains.iter().any(|own| own.as_str() == domain) {
                let own = domains.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                return Err(Refusal::BadRequest(format!("use an address of your organisation: {own}")).into());
            }
            if view.find(&Account::key_of(&login))?.is_some() {
                return Err(Refusal::Exists(What::Account, login.to_string()).into());
            }
            if let Some(there) = view.row::<RequestAddress>(&RequestAddress::key_of(&login))? {
                let there = view.row::<AccountRequest>(&AccountRequest::key_of(there.request))?;
                if there.is_some() {
                    return Err(Refusal::Exists(What::Request, login.to_string()).into());
                }
            }
            if view.rows::<AccountRequest>(&AccountRequest::all(), None, most)?.len() >= most {
                return Err(Refusal::TooMuch("too many requests wait; try again later".to_owned()).into());
            }
            let until = ends(now, INVITED_FOR);
            let request = AccountRequest {
                id,
                email: email.clone(),
                salutation: Salutation::Neutral,
                name: None,
                organisation: Employer::Known(organisation.code.clone()),
                language,
                invited_by: Some(caller.login.clone()),
                made_at: now,
                mails: 1,
                stage: RequestStage::Unconfirmed { until },
            };
            let facts = vec![
                (Fact::By, caller.login.to_string()),
                (Fact::Organisation, organisation.name.to_string()),
                (Fact::RequestLink, id.to_string()),
                (Fact::Until, until.millis().to_string()),
            ];
            let to = Addressed { to: email, login: None, facts, last_error: None };
            let about = About { organisation: Some(organisation.code), login: Some(login.clone()), ..About::default() };
            let event = Event::new(Happening::AccountInvited, caller.who(), about).with_until(until);
            let decision = Decision::new(now, event).put(request).put(RequestAddress { login, request: id });
            let kind = NoticeKind::Invited;
            let notice = Notice { id: mail_id(kind, id.as_bytes(), to.to.as_str()), kind, delivery: None };
            post.queue(decision, notice, &to, language, now)
        }))?;
        Ok(())
    }

    /// Sends the link to activate an account, or to choose a new password, anew (B15); an earlier link closes.
    ///
    /// # Errors
    /// `NotFound` for the account or a machine.
    pub fn resend_link(&self, caller: &Caller, login: &LoginName) -> Result<(), Failure> {
        let (now, caller, login) = (self.now(), caller.clone(), login.clone());
        let id = LinkId::from_random(self.entropy.sixteen());
        let post = Arc::clone(&self.post);
        self.catalog.decide(Box::new(move |view| {
            may_manage(view, &caller, now)?;
            let account = own_account(view, &caller, &login, now)?;
            person_of(view, &login)?.ok_or(Refusal::NotFound(What::Account))?;
            let organisation = organisation_row(view, &account.organisation)?;
            let mut row = credentials_of(view, &login)?;
            if row.are_complete() {
                return Err(Refusal::WrongState("the account is activated already".to_owned()).into());
            }
            let until = ends(now, Span::from_days(ACTIVATION_DAYS));
            let link = AccountLink { id, login: login.clone(), purpose: LinkPurpose::Activate, until };
            let before = row.link.replace(id);
            let event = event(Happening::AccountLinkMade, caller.who(), &account).with_until(until);
            let decision = Decision::new(now, event).put(row).put(link);
            let decision = before.into_iter().fold(decision, |all, id| all.remove(AccountLink::key_of(id)));
            activation_mail(&post, decision, &account, &organisation, (id, until), now)
        }))?;
        Ok(())
    }

    /// Makes an account administrator, or ends that (B9). One who can act always stays.
    ///
    /// # Errors
    /// `NotFound`; `BadRequest` for a machine; `WrongState` for the last administrator.
    pub fn set_administrator(&self, caller: &Caller, login: &LoginName, is_one: bool) -> Result<(), Failure> {
        let (now, caller, login) = (self.now(), caller.clone(), login.clone());
        let post = Arc::clone(&self.post);
        self.catalog.decide(Box::new(move |view| {
            may_manage(view, &caller, now)?;
            let mut account = own_account(view, &caller, &login, now)?;
            if matches!(account.kind, AccountKind::Machine { .. }) {
                return Err(Refusal::BadRequest("only a person can be an administrator".to_owned()).into());
            }
            let organisation = organisation_row(view, &account.organisation)?;
            if account.is_administrator == is_one {
                return Err(Refusal::WrongState("nothing changed".to_owned()).into());
            }
            account.is_administrator = is_one;
            if is_one {
                let decision = Decision::new(now, event(Happening::AccountChanged, caller.who(), &account));
                return Ok(appointed(&post, decision, &account, &organisation, caller.who(), now)?.put(account));
            }
            let others = administrators_of(view, &organisation.code, now)?.into_iter().filter(|one| one.login != login);
            if others.count() == 0 {
                return Err(Refusal::WrongState("an organisation keeps at least one administrator".to_owned()).into());
            }
            Ok(Decision::new(now, event(Happening::AdministratorDismissed, caller.who(), &account)).put(account))
        }))?;
        Ok(())
    }

    /// How many administrators can act for an organisation: with fewer than two, a second one is advised (B8).
    ///
    /// # Errors
    /// A fault of the store.
    pub fn administrators(&self, organisation: &OrganisationCode) -> Result<usize, Failure> {
        let now = self.now();
        self.catalog.look(|view| Ok(administrators_of(view, organisation, now)?.len()))
    }
}

/// The decision with the appointment of an administrator on record, and M06.
pub(super) fn appointed(
    post: &Post,
    decision: Decision,
    account: &Account,
    organisation: &Organisation,
    who: Who,
    now: Moment,
) -> Result<Decision, Failure> {
    let kind = NoticeKind::BecameAdministrator;
    let mut about = [0; 16];
    about.iter_mut().zip(now.millis().to_be_bytes()).for_each(|(to, from)| *to = from);
    let notice = Notice { id: mail_id(kind, &about, account.login.as_str()), kind, delivery: None };
    let facts = vec![(Fact::Organisation, organisation.name.to_string()), (Fact::Address, account.login.to_string())];
    let decision = decision.and(event(Happening::AdministratorAppointed, who, account));
    post.queue(decision, notice, &addressed(account, facts), account.language, now)
}

/// Administrators of an organisation who are neither blocked nor ended.
pub(in crate::operations) fn administrators_of(
    view: &dyn CatalogView,
    organisation: &OrganisationCode,
    now: Moment,
) -> Result<Vec<Account>, Failure> {
    let own = accounts_of(view, organisation)?.into_iter();
    Ok(own.filter(|account| account.is_administrator && account.standing.at(now) == Access::Open).collect())
}

/// Whether anybody administers an organisation, blocked or not: who is blocked may come back.
pub(super) fn has_administrator(view: &dyn CatalogView, organisation: &OrganisationCode) -> Result<bool, Failure> {
    let mut own = accounts_of(view, organisation)?.into_iter();
    Ok(own.any(|account| account.is_administrator && !matches!(account.standing, Standing::Ended { .. })))
}

/// Whether the organisation has somebody who judges its own requests.
pub(in crate::operations) fn can_be_judged_there(
    view: &dyn CatalogView,
    organisation: &OrganisationCode,
    now: Moment,
) -> Result<bool, Failure> {
    Ok(!administrators_of(view, organisation, now)?.is_empty())
}

/// Everybody and every machine of an organisation, those that ended too.
pub(in crate::operations) fn accounts_of(
    view: &dyn CatalogView,
    organisation: &OrganisationCode,
) -> Result<Vec<Account>, Failure> {
    let (mut own, mut after) = (Vec::new(), None);
    loop {
        let page = view.rows::<Account>(&Account::all(), after.as_ref(), PAGE)?;
        let Some(last) = page.last() else { return Ok(own) };
        after = Some(Account::key_of(&last.login));
        own.extend(page.into_iter().filter(|account| account.organisation == *organisation));
    }
}

pub(super) fn may_manage(view: &dyn CatalogView, caller: &Caller, now: Moment) -> Result<(), Failure> {
    Ok(permits(Act::ManageMembers, case_of(view, &caller.itself(), &caller.organisation, None, now)?)?)
}

/// An account of the caller's organisation that has not ended; any other does not exist for them.
pub(in crate::operations) fn own_account(
    view: &dyn CatalogView,
    caller: &Caller,
    login: &LoginName,
    now: Moment,
) -> Result<Account, Failure> {
    let account = view.row::<Account>(&Account::key_of(login))?;
    let own = account
        .filter(|account| account.organisation == caller.organisation && account.standing.at(now) != Access::Ended);
    Ok(own.ok_or(Refusal::NotFound(What::Account))?)
}

fn organisation_row(view: &dyn CatalogView, code: &OrganisationCode) -> Result<Organisation, Failure> {
    let row = view.row::<Organisation>(&Organisation::key_of(code))?;
    Ok(row.ok_or(Refusal::NotFound(What::Organisation))?)
}

fn member(view: &dyn CatalogView, account: Account) -> Result<MemberView, Failure> {
    let is_activated = match account.kind {
        AccountKind::Machine { .. } => true,
        AccountKind::Person { .. } => credentials_of(view, &account.login)?.are_complete(),
    };
    Ok(MemberView { is_activated, products: coupled_to(view, &account)?, account })
}

/// Products of the own organisation that are coupled to an account.
fn coupled_to(view: &dyn CatalogView, account: &Account) -> Result<Vec<ProductCode>, Failure> {
    let rights = view.rows::<Right>(&Right::keys_of(&account.login, None), None, MOST_PRODUCTS)?;
    let own = rights.into_iter().filter(|right| right.recipient == account.organisation);
    Ok(own.map(|right| right.product).collect())
}

/// The same, or what is coupled to it for the client for which the caller acts.
fn coupled_for(
    view: &dyn CatalogView,
    caller: &Caller,
    account: &Account,
    now: Moment,
) -> Result<BTreeSet<ProductCode>, Failure> {
    if *caller.recipient() == account.organisation {
        return Ok(coupled_to(view, account)?.into_iter().collect());
    }
    let mandate = mandate_for(view, caller, now)?;
    coupled_under(view, mandate.id, &account.login)
}

/// The decision with every right of an account taken away, each on record: to its own organisation, and to clients.
pub(in crate::operations) fn without_rights(
    view: &dyn CatalogView,
    mut decision: Decision,
    account: &Account,
    who: &Who,
) -> Result<Decision, Failure> {
    for right in view.rows::<Right>(&Right::keys_of(&account.login, None), None, MOST_PRODUCTS)? {
        let about = About {
            organisation: Some(right.recipient.clone()),
            login: Some(right.login.clone()),
            product: Some(right.product.clone()),
            ..About::default()
        };
        decision = decision.and(Event::new(Happening::RightDecoupled, who.clone(), about));
        decision = without_right(view, decision, account, &right.recipient, &right.product)?;
    }
    Ok(decision)
}

pub(super) fn couplable(
    view: &dyn CatalogView,
    organisation: &OrganisationCode,
    now: Moment,
) -> Result<Vec<CouplableProduct>, Failure> {
    let agreements = view.rows::<Agreement>(&Agreement::keys_of(organisation, None), None, MOST_PRODUCTS)?;
    let codes: BTreeSet<ProductCode> = agreements
        .into_iter()
        .filter(|agreement| agreement.is_in_force(now))
        .map(|agreement| agreement.product)
        .collect();
    let mut products = Vec::new();
    for code in codes {
        let name = view.row::<Product>(&Product::key_of(&code))?.map(|row| row.name);
        products.extend(name.map(|name| CouplableProduct { code, name }));
    }
    Ok(products)
}
