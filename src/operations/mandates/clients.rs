//! The clients of an intermediary as one of its accounts sees them: only those of which something is
//! coupled to it, each with what is new and what ends soon (4.4-3).

use std::collections::BTreeSet;

use super::super::browse::delivery_of;
use super::super::manage_accounts::account_of;
use super::super::manage_organisations::organisation_of;
use super::super::{Caller, Failure, NewAccount, Officer, Operations, case_of};
use super::force::mandate_for;
use super::name_of;
use crate::domain::account::{Account, AccountKind};
use crate::domain::history::{About, Event, Happening};
use crate::domain::mandate::AccountScope;
use crate::domain::moment::{Moment, Span};
use crate::domain::names::{Line, LoginName, OrganisationCode, ProductCode};
use crate::domain::record::{DeliveryNumber, LastSequence};
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::{Act, Right, permits};
use crate::ports::catalog::CatalogView;

/// Rights of one account that are looked at; as many as of uploads and outbox.
const MOST_LOOKED_AT: usize = 100_000;

/// Of each product the newest so many deliveries are counted: with one a day, more than half a year.
const MOST_COUNTED: u32 = 200;

/// What ends within so many days ends soon.
const SOON: Span = Span::from_days(3);

/// A client, as an account of its intermediary sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientView {
    /// Its code.
    pub code: OrganisationCode,
    /// Its name.
    pub name: Line,
    /// Until when the mandate runs.
    pub until: Option<Moment>,
    /// Its deliveries, as far as they are coupled to the account.
    pub counts: ClientCounts,
}

/// How many of the newest 200 deliveries of each product that can be fetched now are so.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ClientCounts {
    /// Nothing of it was fetched yet, by nobody.
    pub new: u32,
    /// Not fetched whole.
    pub not_fetched: u32,
    /// Not fetched whole, and gone within three days.
    pub ends_soon: u32,
}

impl Operations {
    /// The clients of which something is coupled to the caller, by code.
    ///
    /// # Errors
    /// `Blocked` or `Ended` for the caller; a fault of the store.
    pub fn clients(&self, caller: &Caller) -> Result<Vec<ClientView>, Failure> {
        let codes = self.client_codes(caller)?;
        self.catalog.settle()?;
        let now = self.now();
        self.catalog.look(|view| codes.iter().map(|code| client(view, caller, code, now)).collect())
    }

    /// Whether the account works for any client, as far as its rights tell: whether they have force is not asked.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn works_for_clients(&self, caller: &Caller) -> Result<bool, Failure> {
        let rights = self
            .catalog
            .look(|view| Ok(view.rows::<Right>(&Right::keys_of(&caller.login, None), None, MOST_LOOKED_AT)?))?;
        Ok(rights.iter().any(|right| right.recipient != caller.organisation))
    }

    /// Their codes alone.
    ///
    /// # Errors
    /// As `clients`.
    pub fn client_codes(&self, caller: &Caller) -> Result<Vec<OrganisationCode>, Failure> {
        let now = self.now();
        self.catalog.look(|view| {
            let own = case_of(view, &caller.itself(), &caller.organisation, None, now)?;
            match permits(Act::Browse, own) {
                Ok(()) | Err(Refusal::NotFound(_)) => {}
                Err(refusal) => return Err(refusal.into()),
            }
            let rights = view.rows::<Right>(&Right::keys_of(&caller.login, None), None, MOST_LOOKED_AT)?;
            let codes: BTreeSet<_> = rights.into_iter().map(|right| right.recipient).collect();
            let mut seen = Vec::new();
            for code in codes.into_iter().filter(|code| *code != caller.organisation) {
                if !products(view, &caller.for_client(&code), now)?.is_empty() {
                    seen.push(code);
                }
            }
            Ok(seen)
        })
    }

    /// One client with its counts.
    ///
    /// # Errors
    /// `NotFound` for an organisation of which nothing is coupled to the caller, whether it exists or not.
    pub fn client(&self, caller: &Caller, code: &OrganisationCode) -> Result<ClientView, Failure> {
        self.catalog.settle()?;
        let now = self.now();
        self.catalog.look(|view| {
            if products(view, &caller.for_client(code), now)?.is_empty() {
                return Err(Refusal::NotFound(What::Organisation).into());
            }
            client(view, caller, code, now)
        })
    }

    /// Adds a machine account of an intermediary that reaches this one client and nothing else, whatever anybody
    /// couples to it later.
    ///
    /// # Errors
    /// As `add_account`; `BadRequest` for a person, or for the own organisation; `NotFound` for the client.
    pub fn add_account_for_client(
        &self,
        new: NewAccount,
        client: OrganisationCode,
        by: impl Into<Officer>,
    ) -> Result<Account, Failure> {
        if new.organisation == client {
            return Err(Refusal::BadRequest("an account of the organisation itself needs no --for".to_owned()).into());
        }
        if matches!(new.kind, AccountKind::Person { .. }) {
            return Err(Refusal::BadRequest("only a machine account can be for one client alone".to_owned()).into());
        }
        let by = by.into();
        let who = by.who();
        self.add_account_with(new, by, move |view, account, decision| {
            organisation_of(view, &client)?;
            let about =
                About { organisation: Some(client.clone()), login: Some(account.login.clone()), ..About::default() };
            let note = format!("of {}, for this client alone", account.organisation);
            let event = Event::new(Happening::AccountChanged, who, about).with_note(&note);
            Ok(decision.and(event).put(AccountScope { login: account.login.clone(), client }))
        })
    }

    /// The one client that an account reaches, for the operator; `None` for any other account.
    ///
    /// # Errors
    /// `NotFound` for an unknown login.
    pub fn only_client_of(&self, login: &LoginName) -> Result<Option<OrganisationCode>, Failure> {
        self.catalog.look(|view| {
            account_of(view, login)?;
            Ok(view.row::<AccountScope>(&AccountScope::key_of(login))?.map(|scope| scope.client))
        })
    }
}

/// The products of the client for which the caller acts that are coupled to it; none when it may not know the client.
fn products(view: &dyn CatalogView, caller: &Caller, now: Moment) -> Result<Vec<ProductCode>, Failure> {
    let recipient = caller.recipient();
    let rights = view.rows::<Right>(&Right::keys_of(&caller.login, Some(recipient)), None, MOST_LOOKED_AT)?;
    let mut found = Vec::new();
    for right in rights {
        let case = case_of(view, caller, recipient, Some(&right.product), now)?;
        if permits(Act::Browse, case).is_ok() {
            found.push(right.product);
        }
    }
    Ok(found)
}

fn client(
    view: &dyn CatalogView,
    caller: &Caller,
    code: &OrganisationCode,
    now: Moment,
) -> Result<ClientView, Failure> {
    let caller = caller.for_client(code);
    let mut counts = ClientCounts::default();
    for product in products(view, &caller, now)? {
        count(view, code, &product, &mut counts, now)?;
    }
    let until = mandate_for(view, &caller, now)?.until;
    Ok(ClientView { code: code.clone(), name: name_of(view, code)?, until, counts })
}

fn count(
    view: &dyn CatalogView,
    recipient: &OrganisationCode,
    product: &ProductCode,
    counts: &mut ClientCounts,
    now: Moment,
) -> Result<(), Failure> {
    let last = view.row::<LastSequence>(&LastSequence::key_of(recipient, product))?.map_or(0, |last| last.sequence);
    for number in (last.saturating_sub(MOST_COUNTED)..last).rev() {
        let key = DeliveryNumber::key_of(recipient, product, number + 1);
        let Some(row) = view.row::<DeliveryNumber>(&key)? else { continue };
        let delivery = delivery_of(view, row.delivery)?;
        if !delivery.is_fetchable(now) || delivery.progress.fetched_at.is_some() {
            continue;
        }
        counts.not_fetched += 1;
        counts.new += u32::from(delivery.progress.started_at.is_none());
        counts.ends_soon += u32::from(delivery.available_until <= now.after(SOON));
    }
    Ok(())
}
