//! Who forgot the password asks for a link (P03). The answer and the work are the same for every
//! address; bounded per network and per address, so that nobody's mailbox is filled by others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::super::post::{Notice, addressed};
use super::super::send_notices::mail_id;
use super::super::sign_in::may_enter;
use super::super::{Visitor, locked};
use super::activate::NEW_PASSWORD_LASTS;
use super::attempts::{Failures, count, found};
use super::requests::visitor_who;
use super::{Failure, Operations, credentials_of, ends, event, person_at};
use crate::domain::account::Account;
use crate::domain::credentials::{AccountLink, LinkPurpose};
use crate::domain::decision::Decision;
use crate::domain::history::{About, Channel, Event, Happening, Who};
use crate::domain::ids::LinkId;
use crate::domain::moment::Moment;
use crate::domain::names::LoginName;
use crate::domain::network::Network;
use crate::domain::notice::{Fact, NoticeKind};
use crate::domain::refusal::Refusal;
use crate::ports::catalog::CatalogView;

/// One network may ask so often in an hour.
const MOST_FROM_SOURCE: usize = 20;

/// One address gets so many links in an hour. The last one stays open as long as no new one is made, so that who
/// asks for somebody else's address takes nothing from them.
const MOST_FOR_ADDRESS: usize = 3;

/// Who asked, and for which addresses. In memory, bounded.
#[derive(Default)]
pub(in crate::operations) struct Forgotten {
    sources: Mutex<HashMap<Network, Failures>>,
    addresses: Mutex<HashMap<LoginName, Failures>>,
    /// One at a time: what is counted is what was made.
    turn: Mutex<()>,
}

impl Operations {
    /// Sends a link for a new password, if the address has an active account. Nobody can tell from the answer.
    ///
    /// # Errors
    /// `TriedTooOften` when this network asked too often, whatever it asked; a fault of the store.
    pub fn ask_new_password(&self, address: &str, visitor: &Visitor) -> Result<(), Failure> {
        self.ask_new_password_at(Channel::Portal, address, visitor)
    }

    /// The same at a door: who signs in at the other one is told what a stranger is told, and gets no link.
    ///
    /// # Errors
    /// As `ask_new_password`.
    pub fn ask_new_password_at(&self, door: Channel, address: &str, visitor: &Visitor) -> Result<(), Failure> {
        let _turn = locked(&self.forgotten.turn);
        let (now, source) = (self.now(), Network::source_of(visitor.address));
        if found(&self.forgotten.sources, &source, now).map_or(0, |asked| asked.count) >= MOST_FROM_SOURCE {
            return Err(Refusal::TriedTooOften { seconds: 3_600 }.into());
        }
        count(&self.forgotten.sources, source, now);
        let login = LoginName::parse(address.trim()).ok();
        let links = login.as_ref().and_then(|login| found(&self.forgotten.addresses, login, now));
        let is_often = links.is_some_and(|links| links.count >= MOST_FOR_ADDRESS);
        if let Some(login) = login.clone().filter(|_| !is_often) {
            count(&self.forgotten.addresses, login, now);
        }
        let id = LinkId::from_random(self.entropy.sixteen());
        let (post, visitor) = (Arc::clone(&self.post), visitor.clone());
        self.catalog.decide(Box::new(move |view| {
            let account = match &login {
                Some(login) => able(view, login, door, now)?,
                None => None,
            };
            let who = Who { channel: door, ..visitor_who(&visitor) };
            let Some(account) = account.filter(|_| !is_often) else {
                // what was typed is not kept: it may be anything
                let asked = Event::new(Happening::NewPasswordAsked, who, About::default());
                let note = "no e-mail was sent: no account that has a password, or asked too often";
                return Ok(Decision::new(now, asked.with_note(note)).leaving_access_as_it_is());
            };
            let until = ends(now, NEW_PASSWORD_LASTS);
            let mut row = credentials_of(view, &account.login)?;
            let before = row.link.replace(id);
            let link = AccountLink { id, login: account.login.clone(), purpose: LinkPurpose::NewPassword, until };
            let asked = event(Happening::NewPasswordAsked, who, &account).with_until(until);
            let decision = Decision::new(now, asked).put(row).put(link).leaving_access_as_it_is();
            let decision = before.into_iter().fold(decision, |all, id| all.remove(AccountLink::key_of(id)));
            let kind = NoticeKind::NewPasswordLink;
            let facts = vec![
                (Fact::Address, account.login.to_string()),
                (Fact::At, now.millis().to_string()),
                (Fact::Network, Network::around(visitor.address).to_string()),
                (Fact::AccountLink, id.to_string()),
            ];
            let notice = Notice { id: mail_id(kind, id.as_bytes(), account.login.as_str()), kind, delivery: None };
            post.queue(decision, notice, &addressed(&account, facts), account.language, now)
        }))?;
        Ok(())
    }
}

/// The person's account, when it is open, active and of this door.
fn able(view: &dyn CatalogView, login: &LoginName, door: Channel, now: Moment) -> Result<Option<Account>, Failure> {
    let Some(account) = person_at(view, login, door)? else { return Ok(None) };
    let is_able = may_enter(view, &account, now)?.is_ok() && credentials_of(view, login)?.are_complete();
    Ok(is_able.then_some(account))
}
