//! Telling everybody of a new version (M22): in batches, each one decision that also says how far
//! it came, so that everybody gets it exactly once, also across a restart. And the time of grace.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::enforce_retention::system_case;
use super::super::post::{Notice, addressed};
use super::super::send_notices::mail_id;
use super::machines::{about, is_asked, owner_mail, told};
use super::{Failure, Operations};
use crate::domain::account::{Account, AccountKind};
use crate::domain::block::Access;
use crate::domain::decision::Decision;
use crate::domain::history::{About, Event, Happening, Who};
use crate::domain::notice::{Fact, Mail, NoticeKind};
use crate::domain::office::OFFICE;
use crate::domain::record::Row as _;
use crate::domain::refusal::Refusal;
use crate::domain::rights::{Act, permits};
use crate::domain::terms::{Telling, TermsVersion};

/// Accounts of one batch: with 700 bytes for each e-mail a decision stays below the smallest frame of the journal.
const BATCH: usize = 50;

/// While so many e-mails wait for the relay, no more are added.
const MOST_WAITING: usize = 1_000;

impl Operations {
    /// Goes on with what the terms of use ask of the server itself: telling of the newest version, and the time that
    /// accounts of before the first one have. Returns whether there is more to do at once.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn keep_terms(&self) -> Result<bool, Failure> {
        if self.terms()?.is_empty() {
            return Ok(false);
        }
        permits(Act::Maintain, system_case())?;
        self.keep_grace()?;
        self.tell_of_terms()
    }

    /// Holds the time of grace on record to what the configuration says.
    fn keep_grace(&self) -> Result<(), Failure> {
        let now = self.now();
        let Some(first) = self.terms()?.first().cloned() else { return Ok(()) };
        let until = self.grace_end(first.published_at);
        if first.grace_until == until {
            return Ok(());
        }
        self.catalog.decide(Box::new(move |view| {
            let row = view.row::<TermsVersion>(&TermsVersion::key_of(first.number))?;
            let mut row = row.ok_or_else(|| Refusal::WrongState("the version is gone".to_owned()))?;
            let event = Event::new(Happening::TermsGraceChanged, Who::system(), About::default())
                .with_until(until)
                .with_note(&format!("it was {}", row.grace_until));
            row.grace_until = until;
            Ok(Decision::new(now, event).put(row))
        }))?;
        Ok(())
    }

    /// Queues the e-mails of the next accounts. An earlier version that was not told to its end is not told further.
    fn tell_of_terms(&self) -> Result<bool, Failure> {
        let Some(number) = self.terms()?.last().map(|newest| newest.number) else { return Ok(false) };
        let newest = self.catalog.look(|view| Ok(view.row::<TermsVersion>(&TermsVersion::key_of(number))?))?;
        if newest.is_none_or(|newest| newest.telling == Telling::Done) {
            return Ok(false);
        }
        if self.waiting_mail(MOST_WAITING)? >= MOST_WAITING {
            return Ok(false);
        }
        let (now, post) = (self.now(), Arc::clone(&self.post));
        let outcome = self.catalog.decide(Box::new(move |view| {
            let done = || Refusal::WrongState("everybody was told".to_owned());
            let mut version = view.row::<TermsVersion>(&TermsVersion::key_of(number))?.ok_or_else(done)?;
            let Telling::UnderWay { after } = &version.telling else { return Err(done().into()) };
            let after = after.as_ref().map(Account::key_of);
            let accounts = view.rows::<Account>(&Account::all(), after.as_ref(), BATCH)?;
            let is_last = accounts.len() < BATCH;
            let event = Event::new(Happening::TermsTold, Who::system(), About::default()).with_note(&format!(
                "version {}: {} accounts",
                version.name,
                accounts.len()
            ));
            let mut decision = Decision::new(now, event).leaving_access_as_it_is();
            version.telling = match accounts.last() {
                Some(last) if !is_last => Telling::UnderWay { after: Some(last.login.clone()) },
                _ => Telling::Done,
            };
            let mut in_batch = BTreeSet::new();
            // who works in the office is not bound by them
            let users = accounts.iter().filter(|account| account.organisation.as_str() != OFFICE);
            for account in users.filter(|account| account.standing.at(now) == Access::Open) {
                if matches!(account.kind, AccountKind::Machine { .. }) && is_asked(view, account, now)? {
                    decision = owner_mail(view, &post, decision, account, now)?;
                    continue;
                }
                // one e-mail for one address, however many accounts it answers for
                let kind = NoticeKind::TermsPublished;
                let id = mail_id(kind, &about(&version), account.mail_address().as_str());
                if !in_batch.insert(id) || view.find(&Mail::key_of(id))?.is_some() {
                    continue;
                }
                let mut facts = told(&version);
                facts.push((Fact::Until, version.refusable_until.millis().to_string()));
                let notice = Notice { id, kind, delivery: None };
                decision = post.queue(decision, notice, &addressed(account, facts), account.language, now)?;
            }
            Ok(decision.put(version))
        }));
        match outcome {
            Ok(_) => Ok(true),
            // somebody else did it at the same time
            Err(Failure::Refused(_)) => Ok(false),
            Err(fault) => Err(fault),
        }
    }
}
