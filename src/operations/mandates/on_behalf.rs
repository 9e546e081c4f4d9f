//! What an administrator of an intermediary couples for clients: to whom which product of whom, and the same as a
//! colleague has, looked through first (D2, D3, 4.4-5). Accounts are always of the own organisation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::people::own_account;
use super::super::post::{Notice, addressed};
use super::super::send_notices::mail_id;
use super::super::{Caller, Failure, Operations, agreement_in_force, case_of};
use super::derived::with_right;
use super::force::coupled_under;
use super::{MandateView, living, may_manage, name_of, seen};
use crate::domain::account::Account;
use crate::domain::decision::Decision;
use crate::domain::history::{About, Event, Happening};
use crate::domain::ids::LinkId;
use crate::domain::mandate::AccountScope;
use crate::domain::moment::Moment;
use crate::domain::names::{Line, LoginName, OrganisationCode, ProductCode};
use crate::domain::notice::{Fact, NoticeKind};
use crate::domain::product::Product;
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::{Act, permits};
use crate::ports::catalog::CatalogView;

/// So many rights are taken over from a colleague at once, as 40 clients with 17 products each: with codes of 32
/// characters each a form of them has 56 KiB, and forms have at most 64.
const MOST_COPIED: usize = 700;

/// An e-mail names so many clients; of more it says how many.
const MOST_NAMED: usize = 40;

/// What is coupled to an account for one client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientRights {
    /// Under which mandate.
    pub mandate: MandateView,
    /// Which products.
    pub coupled: BTreeSet<ProductCode>,
}

/// A right of a colleague that an account has not yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CopiedRight {
    /// The client.
    pub client: OrganisationCode,
    /// Its name.
    pub client_name: Line,
    /// The product.
    pub product: ProductCode,
    /// Its name.
    pub product_name: Line,
}

impl Operations {
    /// What is coupled to an account of the caller's organisation, for every client that it may be coupled to.
    ///
    /// # Errors
    /// `NotAllowed` for who is no administrator, `NotFound` for an account of others.
    pub fn client_rights(&self, caller: &Caller, login: &LoginName) -> Result<Vec<ClientRights>, Failure> {
        let now = self.now();
        self.catalog.look(|view| {
            may_manage(view, caller, now)?;
            let account = own_account(view, caller, login, now)?;
            rights_of(view, &account, now)
        })
    }

    /// What a colleague has for clients and this account has not, as far as it may be coupled now; at most 700, those that are left then come with the next look.
    ///
    /// # Errors
    /// As `client_rights`.
    pub fn copyable_rights(
        &self,
        caller: &Caller,
        from: &LoginName,
        to: &LoginName,
    ) -> Result<Vec<CopiedRight>, Failure> {
        let now = self.now();
        self.catalog.look(|view| {
            may_manage(view, caller, now)?;
            let (from, to) = (own_account(view, caller, from, now)?, own_account(view, caller, to, now)?);
            copyable(view, caller, (&from, &to), now)
        })
    }

    /// Couples these rights of a colleague to an account too, in one decision with one e-mail (C9).
    ///
    /// # Errors
    /// As `client_rights`; `WrongState` when one of them cannot be taken over any more: nothing is coupled then.
    pub fn copy_rights(
        &self,
        caller: &Caller,
        from: &LoginName,
        to: &LoginName,
        wanted: BTreeSet<(OrganisationCode, ProductCode)>,
    ) -> Result<(), Failure> {
        if wanted.is_empty() {
            return Ok(());
        }
        let (now, caller, from, to) = (self.now(), caller.itself(), from.clone(), to.clone());
        let (id, post) = (LinkId::from_random(self.entropy.sixteen()), Arc::clone(&self.post));
        self.catalog.decide(Box::new(move |view| {
            may_manage(view, &caller, now)?;
            let (from, to) = (own_account(view, &caller, &from, now)?, own_account(view, &caller, &to, now)?);
            let there = copyable(view, &caller, (&from, &to), now)?;
            let chosen: Vec<CopiedRight> = there
                .into_iter()
                .filter(|right| wanted.contains(&(right.client.clone(), right.product.clone())))
                .collect();
            if chosen.len() != wanted.len() {
                return Err(Refusal::WrongState("the rights were changed meanwhile; look again".to_owned()).into());
            }
            let mut decision: Option<Decision> = None;
            for right in &chosen {
                let about = About {
                    organisation: Some(right.client.clone()),
                    login: Some(to.login.clone()),
                    product: Some(right.product.clone()),
                    ..About::default()
                };
                let event = Event::new(Happening::RightCoupled, caller.who(), about);
                let next = match decision.take() {
                    None => Decision::new(now, event),
                    Some(decision) => decision.and(event),
                };
                decision = Some(with_right(view, next, &to, &right.client, &right.product, now)?);
            }
            let decision = decision.ok_or_else(|| Refusal::WrongState("nothing changed".to_owned()))?;
            let kind = NoticeKind::RightsChanged;
            let notice = Notice { id: mail_id(kind, id.as_bytes(), to.login.as_str()), kind, delivery: None };
            post.queue(decision, notice, &addressed(&to, told(&to, &chosen)), to.language, now)
        }))?;
        Ok(())
    }
}

fn rights_of(view: &dyn CatalogView, account: &Account, now: Moment) -> Result<Vec<ClientRights>, Failure> {
    let scope = view.row::<AccountScope>(&AccountScope::key_of(&account.login))?;
    let may_be = |client: &OrganisationCode| scope.as_ref().is_none_or(|scope| scope.client == *client);
    let own = living(view, now, |mandate| mandate.intermediary == account.organisation && may_be(&mandate.client))?;
    own.into_iter()
        .map(|mandate| {
            let coupled = coupled_under(view, mandate.id, &account.login)?;
            Ok(ClientRights { mandate: seen(view, mandate, now)?, coupled })
        })
        .collect()
}

fn copyable(
    view: &dyn CatalogView,
    caller: &Caller,
    (from, to): (&Account, &Account),
    now: Moment,
) -> Result<Vec<CopiedRight>, Failure> {
    let mut found = Vec::new();
    let theirs: BTreeMap<OrganisationCode, BTreeSet<ProductCode>> =
        rights_of(view, from, now)?.into_iter().map(|rights| (rights.mandate.mandate.client, rights.coupled)).collect();
    for ClientRights { mandate, coupled } in rights_of(view, to, now)? {
        let client = &mandate.mandate.client;
        for product in theirs.get(client).into_iter().flatten().filter(|product| !coupled.contains(*product)) {
            let case = case_of(view, &caller.for_client(client), client, Some(product), now)?;
            let may = agreement_in_force(view, client, product, now)?.is_some() && permits(Act::Couple, case).is_ok();
            if may && found.len() < MOST_COPIED {
                let row = view.row::<Product>(&Product::key_of(product))?.ok_or(Refusal::NotFound(What::Product))?;
                found.push(CopiedRight {
                    client: client.clone(),
                    client_name: name_of(view, client)?,
                    product: product.clone(),
                    product_name: row.name,
                });
            }
        }
    }
    Ok(found)
}

/// What the e-mail says: each client with what was coupled, shortened where there are very many.
fn told(to: &Account, chosen: &[CopiedRight]) -> Vec<(Fact, String)> {
    let mut clients: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for right in chosen {
        clients.entry(right.client_name.as_str()).or_default().push(right.product_name.as_str());
    }
    let count = clients.len();
    let short = |text: String| text.chars().take(200).collect::<String>();
    let names = clients.keys().take(3).copied().collect::<Vec<_>>().join(", ");
    let names = if count > 3 { format!("{names} (+{})", count - 3) } else { names };
    let mut facts = vec![
        (Fact::Address, to.login.to_string()),
        (Fact::Organisation, short(names.clone())),
        (Fact::Client, short(names)),
    ];
    for (client, products) in clients.iter().take(MOST_NAMED) {
        facts.push((Fact::Added, short(format!("{client}: {}", products.join(", ")))));
    }
    if count > MOST_NAMED {
        facts.push((Fact::Added, format!("(+{})", count - MOST_NAMED)));
    }
    facts
}
