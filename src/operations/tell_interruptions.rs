//! E-mails to every administrator about interruptions (M21), if the operator says so: in batches, each
//! in one decision with how far it came, so that nobody gets one twice, also over restarts.

use std::sync::Arc;

use super::post::{Notice, addressed};
use super::send_notices::mail_id;
use super::sign_in::may_enter;
use super::{Failure, Operations};
use crate::domain::account::{Account, AccountKind};
use crate::domain::decision::Decision;
use crate::domain::history::{About, Event, Happening, Who};
use crate::domain::ids::{InterruptionId, MailId};
use crate::domain::interruption::Interruption;
use crate::domain::interruption_mailing::{InterruptionMailing, News};
use crate::domain::moment::Moment;
use crate::domain::names::LoginName;
use crate::domain::notice::{Fact, Mail, NoticeKind};
use crate::domain::record::Row as _;
use crate::domain::refusal::Refusal;
use crate::ports::catalog::CatalogView;

/// One decision queues at most so many e-mails.
const BATCH: usize = 100;

/// Accounts are looked through so many at a time; a round looks at one such page of each mailing.
const PAGE: usize = 1_000;

/// As many mailings as there may be interruptions at once, and as many again that take one back.
const MOST_MAILINGS: usize = 200;

/// The decision with the begin of the e-mails about a new interruption.
pub(super) fn begin_mailing(decision: Decision, interruption: &Interruption) -> Decision {
    let news = if interruption.pause.is_some() { News::Begun } else { News::Announced };
    decision.put(InterruptionMailing::beginning(interruption, news))
}

/// The decision with the end of the e-mails about an interruption that ends now: those who were told hear that it was
/// called off or ended early. Who was not told yet hears nothing, and nobody hears of an end that was expected.
pub(super) fn end_mailing(
    view: &dyn CatalogView,
    decision: Decision,
    interruption: &Interruption,
    now: Moment,
) -> Result<Decision, Failure> {
    let key = InterruptionMailing::key_of(interruption.id);
    let Some(told) = view.row::<InterruptionMailing>(&key)? else { return Ok(decision) };
    let is_early = now < interruption.until;
    if !is_early || told.news.takes_back() {
        return Ok(decision.remove(key));
    }
    let news = if interruption.from <= now { News::Over } else { News::CalledOff };
    Ok(decision.put(InterruptionMailing::beginning(interruption, news)))
}

impl Operations {
    /// Queues the next e-mails of every mailing that is not done. Returns how many.
    ///
    /// # Errors
    /// A fault of the store; what was queued before it stays, and is not queued again.
    pub fn continue_interruption_mail(&self) -> Result<usize, Failure> {
        let mailings = self
            .catalog
            .look(|view| Ok(view.rows::<InterruptionMailing>(&InterruptionMailing::all(), None, MOST_MAILINGS)?))?;
        let mut queued = 0;
        for mailing in mailings.into_iter().filter(|mailing| !mailing.is_done) {
            queued += self.continue_one(mailing)?;
        }
        Ok(queued)
    }

    fn continue_one(&self, mailing: InterruptionMailing) -> Result<usize, Failure> {
        let (now, post) = (self.now(), Arc::clone(&self.post));
        let (readers, after, is_done) = self.catalog.look(|view| next_readers(view, &mailing, now))?;
        let number = readers.len();
        let queued = self.catalog.decide(Box::new(move |view| {
            let key = InterruptionMailing::key_of(mailing.interruption);
            if view.row::<InterruptionMailing>(&key)?.as_ref() != Some(&mailing) {
                return Err(Refusal::WrongState("the interruption was ended meanwhile".to_owned()).into());
            }
            let news = mailing.news;
            let note = format!("{}: {number} administrators", news.word());
            let event = Event::new(Happening::InterruptionTold, Who::system(), About::default()).with_note(&note);
            let mut decision = Decision::new(now, event).leaving_access_as_it_is();
            for reader in &readers {
                let id = id_of(mailing.interruption, news, &reader.login);
                let notice = Notice { id, kind: NoticeKind::InterruptionNews, delivery: None };
                let to = addressed(reader, facts_of(&mailing));
                decision = post.queue(decision, notice, &to, reader.language, now)?;
            }
            // what takes back is over with its last e-mail; what announces is remembered for that
            Ok(if is_done && news.takes_back() {
                decision.remove(key)
            } else {
                decision.put(InterruptionMailing { after, is_done, ..mailing })
            })
        }));
        match queued {
            Ok(_) => Ok(number),
            Err(Failure::Refused(_)) => Ok(0),
            Err(fault) => Err(fault),
        }
    }
}

/// The next administrators who can read it, up to where accounts were looked through, and whether these were the last.
fn next_readers(
    view: &dyn CatalogView,
    mailing: &InterruptionMailing,
    now: Moment,
) -> Result<(Vec<Account>, Option<LoginName>, bool), Failure> {
    let start = mailing.after.as_ref().map(Account::key_of);
    let page = view.rows::<Account>(&Account::all(), start.as_ref(), PAGE)?;
    let is_last_page = page.len() < PAGE;
    let (mut readers, mut after) = (Vec::new(), mailing.after.clone());
    for account in page {
        if readers.len() == BATCH {
            return Ok((readers, after, false));
        }
        after = Some(account.login.clone());
        let is_person = matches!(account.kind, AccountKind::Person { .. });
        if !is_person || !account.is_administrator || may_enter(view, &account, now)?.is_err() {
            continue;
        }
        if mailing.news.takes_back() && !was_told(view, mailing.interruption, &account.login)? {
            continue;
        }
        readers.push(account);
    }
    Ok((readers, after, is_last_page))
}

/// Whether somebody was told by e-mail that there would be an interruption.
fn was_told(view: &dyn CatalogView, interruption: InterruptionId, login: &LoginName) -> Result<bool, Failure> {
    for news in [News::Announced, News::Begun] {
        if view.find(&Mail::key_of(id_of(interruption, news, login)))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The id of an e-mail follows from the interruption, what is told of it, and the reader.
fn id_of(interruption: InterruptionId, news: News, login: &LoginName) -> MailId {
    mail_id(NoticeKind::InterruptionNews, interruption.as_bytes(), &format!("{} {login}", news.word()))
}

fn facts_of(mailing: &InterruptionMailing) -> Vec<(Fact, String)> {
    let InterruptionMailing { nature, reach, from, until, .. } = mailing;
    let mut facts = vec![
        (Fact::Change, mailing.news.word().to_owned()),
        (Fact::Nature, nature.to_string()),
        (Fact::Channel, reach.word().to_owned()),
        (Fact::At, from.millis().to_string()),
    ];
    match mailing.news {
        News::Announced | News::Begun => facts.push((Fact::Ends, until.millis().to_string())),
        News::CalledOff | News::Over => {}
    }
    facts
}
