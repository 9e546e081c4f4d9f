//! Links whose time is almost over, or over (M08): who was to activate an account and the
//! administrators are told, once each; links that are over go. A round at a time, bounded.

use std::sync::Arc;

use super::super::office::{administrators_of_office, door_of};
use super::super::post::{Notice, Post, addressed};
use super::super::send_notices::mail_id;
use super::super::sign_in::may_enter;
use super::members::administrators_of;
use super::{Failure, Operations, credentials_of, event};
use crate::domain::account::Account;
use crate::domain::credentials::{AccountLink, LinkPurpose};
use crate::domain::decision::Decision;
use crate::domain::history::{About, Channel, Event, Happening, Who};
use crate::domain::moment::{Moment, Span};
use crate::domain::names::LoginName;
use crate::domain::notice::{Addressed, Fact, Mail, NoticeKind};
use crate::domain::organisation::Organisation;
use crate::domain::record::Row;
use crate::domain::refusal::Refusal;
use crate::ports::catalog::CatalogView;

/// So long before the end of an activation people are told.
const REMIND_BEFORE: Span = Span::from_days(3);

/// Rows that are looked at together.
const PAGE: usize = 1_000;

/// One round decides on so many links; the next goes on.
const MOST_PER_ROUND: usize = 100;

/// What one round did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LinkRound {
    /// Activations whose end is near, of which people were told.
    pub reminded: usize,
    /// Links that were over and are gone.
    pub expired: usize,
}

impl Operations {
    /// One round: tells of activations that end within three days and of those that ended, and removes links that
    /// are over. What was told is not told again, also after a restart: the e-mail on record is the mark.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn attend_to_links(&self) -> Result<LinkRound, Failure> {
        let now = self.now();
        let mut round = LinkRound::default();
        for (link, is_over) in self.links_to_attend(now)? {
            let post = Arc::clone(&self.post);
            let outcome = self.catalog.decide(Box::new(move |view| {
                // it may have been used or replaced meanwhile
                if view.row::<AccountLink>(&AccountLink::key_of(link.id))?.as_ref() != Some(&link) {
                    return Err(Refusal::LinkClosed.into());
                }
                if is_over { expired(view, &post, link, now) } else { reminded(view, &post, &link, now) }
            }));
            match outcome {
                Ok(_) if is_over => round.expired += 1,
                Ok(_) => round.reminded += 1,
                Err(Failure::Refused(_)) => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(round)
    }

    /// Links that are due, and whether their time is over.
    fn links_to_attend(&self, now: Moment) -> Result<Vec<(AccountLink, bool)>, Failure> {
        self.catalog.look(|view| {
            let (mut due, mut after) = (Vec::new(), None);
            loop {
                let page = view.rows::<AccountLink>(&AccountLink::all(), after.as_ref(), PAGE)?;
                let Some(last) = page.last() else { return Ok(due) };
                after = Some(AccountLink::key_of(last.id));
                for link in page {
                    let is_over = link.until <= now;
                    // nobody is told of an account that may not act: it must not hold up the others either
                    let is_due = is_over
                        || (is_near(&link, now)
                            && !is_told(view, &link)?
                            && concerned(view, &link.login, now)?.is_some());
                    if is_due {
                        due.push((link, is_over));
                    }
                    if due.len() >= MOST_PER_ROUND {
                        return Ok(due);
                    }
                }
            }
        })
    }
}

fn is_near(link: &AccountLink, now: Moment) -> bool {
    link.purpose == LinkPurpose::Activate && link.until <= now.after(REMIND_BEFORE)
}

fn is_told(view: &dyn CatalogView, link: &AccountLink) -> Result<bool, Failure> {
    let kind = match door_of(view, &link.login)? {
        Channel::Office => NoticeKind::OfficeActivationEnds,
        _ => NoticeKind::ActivationEnds,
    };
    let id = mail_id(kind, link.id.as_bytes(), link.login.as_str());
    Ok(view.find(&Mail::key_of(id))?.is_some())
}

fn reminded(view: &dyn CatalogView, post: &Post, link: &AccountLink, now: Moment) -> Result<Decision, Failure> {
    let (account, organisation) = concerned(view, &link.login, now)?.ok_or(Refusal::LinkClosed)?;
    let decision =
        Decision::new(now, event(Happening::ActivationReminded, Who::system(), &account).with_until(link.until));
    let facts = vec![
        (Fact::Organisation, organisation.name.to_string()),
        (Fact::AccountLink, link.id.to_string()),
        (Fact::Until, link.until.millis().to_string()),
    ];
    let kinds = match door_of(view, &account.login)? {
        Channel::Office => (NoticeKind::OfficeActivationEnds, NoticeKind::ColleagueActivationEnds),
        _ => (NoticeKind::ActivationEnds, NoticeKind::MemberActivationEnds),
    };
    let decision = told(view, post, decision, (link, &account, &organisation), kinds, facts, now)?;
    Ok(decision.leaving_access_as_it_is())
}

fn expired(view: &dyn CatalogView, post: &Post, link: AccountLink, now: Moment) -> Result<Decision, Failure> {
    let account = view.row::<Account>(&Account::key_of(&link.login))?;
    let gone = match &account {
        Some(account) => event(Happening::AccountLinkExpired, Who::system(), account),
        None => Event::new(
            Happening::AccountLinkExpired,
            Who::system(),
            About { login: Some(link.login.clone()), ..About::default() },
        ),
    };
    let mut decision = Decision::new(now, gone.with_until(link.until)).remove(AccountLink::key_of(link.id));
    let mut row = credentials_of(view, &link.login)?;
    if row.link == Some(link.id) {
        row.link = None;
        decision = decision.put(row);
    }
    if link.purpose == LinkPurpose::Activate
        && let Some((account, organisation)) = concerned(view, &link.login, now)?
    {
        let facts =
            vec![(Fact::Organisation, organisation.name.to_string()), (Fact::Until, link.until.millis().to_string())];
        let kinds = match door_of(view, &account.login)? {
            Channel::Office => (NoticeKind::OfficeActivationEnded, NoticeKind::ColleagueActivationEnds),
            _ => (NoticeKind::ActivationEnded, NoticeKind::MemberActivationEnded),
        };
        decision = told(view, post, decision, (&link, &account, &organisation), kinds, facts, now)?;
    }
    Ok(decision.leaving_access_as_it_is())
}

/// Account and organisation, when they may act and the account still waits to be activated.
fn concerned(
    view: &dyn CatalogView,
    login: &LoginName,
    now: Moment,
) -> Result<Option<(Account, Organisation)>, Failure> {
    let Some(account) = view.row::<Account>(&Account::key_of(login))? else { return Ok(None) };
    let organisation = view.row::<Organisation>(&Organisation::key_of(&account.organisation))?;
    let waits = may_enter(view, &account, now)?.is_ok() && !credentials_of(view, login)?.are_complete();
    Ok(organisation.filter(|_| waits).map(|organisation| (account, organisation)))
}

/// The e-mails of one link: to whom it is for, and to each administrator.
fn told(
    view: &dyn CatalogView,
    post: &Post,
    decision: Decision,
    (link, account, organisation): (&AccountLink, &Account, &Organisation),
    (own, of_others): (NoticeKind, NoticeKind),
    facts: Vec<(Fact, String)>,
    now: Moment,
) -> Result<Decision, Failure> {
    let notice = |kind, key: &str| Notice { id: mail_id(kind, link.id.as_bytes(), key), kind, delivery: None };
    let to = addressed(account, facts);
    let mut decision = post.queue(decision, notice(own, account.login.as_str()), &to, account.language, now)?;
    let readers = if of_others == NoticeKind::ColleagueActivationEnds {
        administrators_of_office(view, now)?
    } else {
        administrators_of(view, &organisation.code, now)?
    };
    let facts = vec![
        (Fact::Address, account.login.to_string()),
        (Fact::Organisation, organisation.name.to_string()),
        (Fact::Until, link.until.millis().to_string()),
    ];
    for one in readers {
        if one.login == account.login {
            continue;
        }
        let to: Addressed = addressed(&one, facts.clone());
        // colleagues of the office have one kind for both, told once each
        let key = if own == NoticeKind::OfficeActivationEnded {
            format!("{} over", one.login)
        } else {
            one.login.to_string()
        };
        decision = post.queue(decision, notice(of_others, &key), &to, one.language, now)?;
    }
    Ok(decision)
}
