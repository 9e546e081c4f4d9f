//! The calendar of participant files: by which days an organisation is to deliver for a product, a reminder before,
//! and word of it when nothing came (M19). Each day is judged once, in one decision with its event and e-mails; while
//! who is to deliver cannot, it waits, and what comes meanwhile counts. Knows no file, only that one was received.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::interrupt::is_closed;
use super::manage_organisations::organisation_of;
use super::manage_products::product_of;
use super::mandates::has_force;
use super::people::administrators_of;
use super::post::{Notice, Post, addressed};
use super::restrict::services_of;
use super::send_notices::mail_id;
use super::uploads::upload_of;
use super::{Failure, Officer, Operations, agreement_in_force};
use crate::domain::account::Account;
use crate::domain::block::Access;
use crate::domain::decision::Decision;
use crate::domain::expected_upload::{ExpectedDue, ExpectedState, ExpectedUpload, Rhythm};
use crate::domain::history::{About, Channel, Event, Happening, Who};
use crate::domain::ids::UploadId;
use crate::domain::intake::Intake;
use crate::domain::intake_rows::IntakeEntry;
use crate::domain::moment::{Moment, Span};
use crate::domain::names::{OrganisationCode, ProductCode};
use crate::domain::notice::{Fact, NoticeKind};
use crate::domain::organisation::Organisation;
use crate::domain::product::Product;
use crate::domain::record::{RightHolder, Row};
use crate::domain::refusal::{Refusal, What};
use crate::domain::restriction::Service;
use crate::domain::rights::Act;
use crate::ports::catalog::CatalogView;

/// One round decides about so many at most.
const MOST_PER_ROUND: usize = 100;
/// One page of what is due.
const PAGE: usize = 1_000;
/// So many received uploads are looked at for one day; where there are more, one of them is taken to be it, rather
/// than raise a false alarm.
const MOST_LOOKED_AT: usize = 100_000;
/// So many accounts are told of one day.
const MOST_TOLD: usize = 1_000;
/// The next day of a rhythm lies within so many days.
const MOST_DAYS: usize = 366 + 1;

/// By when an organisation is to deliver.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewExpectation {
    /// Who is to deliver.
    pub organisation: OrganisationCode,
    /// For which product.
    pub product: ProductCode,
    /// On which days.
    pub rhythm: Rhythm,
    /// So many days ahead it is reminded of; 0 for never.
    pub remind_days: u32,
}

/// What is expected, and how it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExpectedView {
    /// What is expected.
    pub expected: ExpectedUpload,
    /// The day by which the next one is, such as `2026-11-30`.
    pub day: String,
    /// How it stands.
    pub state: ExpectedState,
}

impl Operations {
    /// Sets by which days an organisation is to deliver for a product; what was set before is replaced, and days are
    /// counted from now on. The day of today counts.
    ///
    /// # Errors
    /// `NotFound` without an agreement in force, or for a product that takes no uploads; `BadRequest` for a reminder
    /// that would come before the day before.
    pub fn expect_uploads(&self, new: NewExpectation, by: impl Into<Officer>) -> Result<ExpectedUpload, Failure> {
        let who = self.acting(by, Act::Administer)?;
        let now = self.now();
        let NewExpectation { organisation, product, rhythm, remind_days } = new;
        if remind_days > rhythm.most_days_ahead() {
            let most = rhythm.most_days_ahead();
            let why = format!("a reminder of {rhythm} comes at most {most} days before the day");
            return Err(Refusal::BadRequest(why).into());
        }
        let until = self.expected_day(rhythm, now)?;
        let row = ExpectedUpload {
            organisation,
            product,
            rhythm,
            remind_days,
            from: now,
            until,
            due: until,
            missed: 0,
            set_at: now,
        }
        .scheduled(now);
        let kept = row.clone();
        self.catalog.decide(Box::new(move |view| {
            organisation_of(view, &row.organisation)?;
            if !product_of(view, &row.product)?.accepts_uploads {
                return Err(Refusal::WrongState(format!("product {} takes no uploads", row.product)).into());
            }
            agreement_in_force(view, &row.organisation, &row.product, now)?
                .ok_or(Refusal::NotFound(What::Agreement))?;
            let before = view.row::<ExpectedUpload>(&ExpectedUpload::key_of(&row.organisation, &row.product))?;
            let note = format!("{}, reminder {} days before", row.rhythm, row.remind_days);
            let told = event(Happening::UploadExpected, who, &row).with_note(&note);
            Ok(put(Decision::new(now, told), before.as_ref(), row))
        }))?;
        Ok(kept)
    }

    /// Nothing is expected of an organisation for a product any more.
    ///
    /// # Errors
    /// `NotFound` when nothing is.
    pub fn expect_no_uploads(
        &self,
        organisation: &OrganisationCode,
        product: &ProductCode,
        by: impl Into<Officer>,
    ) -> Result<(), Failure> {
        let who = self.acting(by, Act::Administer)?;
        let (now, key) = (self.now(), ExpectedUpload::key_of(organisation, product));
        self.catalog.decide(Box::new(move |view| {
            let row = view.row::<ExpectedUpload>(&key)?.ok_or(Refusal::NotFound(What::Agreement))?;
            let told = event(Happening::UploadNotExpected, who, &row);
            Ok(gone(Decision::new(now, told), &row))
        }))?;
        Ok(())
    }

    /// What is expected, of one organisation or all, in order of organisation and product; for the operator.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn expected_uploads(
        &self,
        organisation: Option<&OrganisationCode>,
        after: Option<&ExpectedUpload>,
    ) -> Result<Vec<ExpectedView>, Failure> {
        let prefix = organisation.map_or_else(ExpectedUpload::all, |code| ExpectedUpload::keys_of(code, None));
        let after = after.map(|row| ExpectedUpload::key_of(&row.organisation, &row.product));
        let now = self.now();
        self.catalog.look(|view| {
            let rows = view.rows::<ExpectedUpload>(&prefix, after.as_ref(), self.settings.max_page)?;
            rows.into_iter().map(|row| self.expected_view(view, row, now)).collect()
        })
    }

    /// What is expected of whom the caller delivers for, of the products that it may deliver.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn own_expected_uploads(&self, caller: &super::Caller) -> Result<Vec<ExpectedView>, Failure> {
        let (now, organisation) = (self.now(), caller.recipient());
        let allowed: BTreeSet<ProductCode> =
            self.receipt_products(caller)?.into_iter().map(|product| product.code).collect();
        self.catalog.look(|view| {
            let mut views = Vec::new();
            for code in &allowed {
                if let Some(row) = view.row::<ExpectedUpload>(&ExpectedUpload::key_of(organisation, code))? {
                    views.push(self.expected_view(view, row, now)?);
                }
            }
            Ok(views)
        })
    }

    /// Reminds of the days that come near, and judges those that are over. Returns how many. Idempotent: a round that
    /// was cut off is completed by the next.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn judge_expected_uploads(&self) -> Result<usize, Failure> {
        let (now, mut count, mut after) = (self.now(), 0, None);
        loop {
            let page =
                self.catalog.look(|view| Ok(view.rows::<ExpectedDue>(&ExpectedDue::all(), after.as_ref(), PAGE)?))?;
            let is_last = page.len() < PAGE;
            after = page.last().map(|due| ExpectedDue::key_of(due.at, &due.organisation, &due.product));
            for due in page {
                if due.at > now || count >= MOST_PER_ROUND {
                    return Ok(count);
                }
                count += usize::from(self.judge_expected(due, now)?);
            }
            if is_last {
                return Ok(count);
            }
        }
    }

    fn judge_expected(&self, due: ExpectedDue, now: Moment) -> Result<bool, Failure> {
        let key = ExpectedUpload::key_of(&due.organisation, &due.product);
        let row = self.catalog.look(|view| {
            let row = view.row::<ExpectedUpload>(&key)?;
            // what waits is looked at often: no decision is asked for it
            match row {
                Some(row) if !is_held(view, &row, now)? => Ok(Some(row)),
                Some(_) | None => Ok(None),
            }
        })?;
        let Some(row) = row else { return Ok(false) };
        // of the day after the one that is over; of a server that was off for long, days that nobody could meet
        let next = self.expected_day(row.rhythm, now)?;
        let post = Arc::clone(&self.post);
        let decided = self.catalog.decide(Box::new(move |view| {
            let row = view.row::<ExpectedUpload>(&key)?.filter(|row| row.due == due.at);
            // changed meanwhile
            let row = row.ok_or(Refusal::NotFound(What::Agreement))?;
            let agreement = agreement_in_force(view, &row.organisation, &row.product, now)?;
            if agreement.is_none() || standing_of(view, &row, now)? == Access::Ended {
                let why = if agreement.is_none() { "no agreement is in force" } else { "the organisation has ended" };
                let told = event(Happening::UploadNotExpected, Who::system(), &row).with_note(why);
                return Ok(gone(Decision::new(now, told), &row));
            }
            decided(view, &post, row, next, now)
        }));
        match decided {
            Ok(_) => Ok(true),
            Err(Failure::Refused(_)) => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    /// The end of the first day of a rhythm that is not over.
    fn expected_day(&self, rhythm: Rhythm, now: Moment) -> Result<Moment, Failure> {
        let mut closing = self.clock.midnight_closing(now);
        for _ in 0..MOST_DAYS {
            let date = self.clock.date_of(closing.before(Span::from_millis(1)));
            let (month, day) = (u8::try_from(date.month), u8::try_from(date.day));
            if let (Ok(month), Ok(day)) = (month, day)
                && rhythm.falls_on(date.year, month, day)
            {
                return Ok(closing);
            }
            closing = self.clock.midnight_closing(closing);
        }
        Err(Refusal::BadRequest(format!("no day of {rhythm} lies within a year")).into())
    }

    fn expected_view(&self, view: &dyn CatalogView, row: ExpectedUpload, now: Moment) -> Result<ExpectedView, Failure> {
        let is_missed = row.missed > 0;
        let soon = now.after(Span::from_millis(1));
        let state = match newest_of(view, &row, row.counts_from(), soon)? {
            Some((id, at)) => ExpectedState::Received(id, at),
            None if is_missed => match newest_of(view, &row, row.from, row.counts_from())? {
                Some((id, at)) => ExpectedState::Late(id, at),
                None => ExpectedState::Missing,
            },
            None => ExpectedState::Waiting,
        };
        let day = self.last_day(row.until).to_string();
        Ok(ExpectedView { expected: row, day, state })
    }
}

/// The reminder, or the judgement of the day.
fn decided(
    view: &dyn CatalogView,
    post: &Post,
    before: ExpectedUpload,
    next: Moment,
    now: Moment,
) -> Result<Decision, Failure> {
    let found = newest_of(view, &before, before.counts_from(), now)?;
    if before.due < before.until && now < before.until {
        let after = ExpectedUpload { due: before.until, ..before.clone() };
        let told = event(Happening::UploadReminded, Who::system(), &before).with_until(before.until);
        // what came already needs no reminder
        let Some((id, _)) = found else {
            let decision = tell(view, post, Decision::new(now, told), &before, NoticeKind::UploadExpected, now)?;
            return Ok(put(decision, Some(&before), after));
        };
        let note = format!("nobody was: upload {id} has come");
        return Ok(put(Decision::new(now, told.with_note(&note)), Some(&before), after));
    }
    let missed = if found.is_some() { 0 } else { before.missed.saturating_add(1) };
    let after = ExpectedUpload { from: now, until: next, missed, ..before.clone() }.scheduled(now);
    let what = if found.is_some() { Happening::UploadCameInTime } else { Happening::UploadMissing };
    let mut told = event(what, Who::system(), &before).with_until(before.until);
    if let Some((id, _)) = found {
        told = told.with_note(&format!("upload {id}"));
    }
    let mut decision = Decision::new(now, told);
    if found.is_none() {
        decision = tell(view, post, decision, &before, NoticeKind::UploadMissing, now)?;
    }
    Ok(put(decision, Some(&before), after))
}

/// The newest upload that counts and was received from `from` on, before `to`.
fn newest_of(
    view: &dyn CatalogView,
    row: &ExpectedUpload,
    from: Moment,
    to: Moment,
) -> Result<Option<(UploadId, Moment)>, Failure> {
    let prefix = IntakeEntry::keys_of(&row.organisation);
    let mut after = Some(IntakeEntry::key_of(&row.organisation, from, UploadId::from_bytes([0; 16])));
    let (mut looked_at, mut newest) = (0, None);
    loop {
        let page = view.rows::<IntakeEntry>(&prefix, after.as_ref(), PAGE)?;
        for entry in &page {
            if entry.received_at >= to {
                return Ok(newest);
            }
            if upload_of(view, entry.upload)?.product == row.product && does_count(view, entry.upload)? {
                newest = Some((entry.upload, entry.received_at));
            }
        }
        looked_at += page.len();
        after = page.last().map(|entry| IntakeEntry::key_of(&row.organisation, entry.received_at, entry.upload));
        if page.len() < PAGE {
            return Ok(newest);
        }
        if looked_at >= MOST_LOOKED_AT {
            return Ok(newest.or(page.last().map(|entry| (entry.upload, entry.received_at))));
        }
    }
}

/// Whether it stands: the same uploads that a later one of the same bytes is a duplicate of.
fn does_count(view: &dyn CatalogView, id: UploadId) -> Result<bool, Failure> {
    Ok(view.row::<Intake>(&Intake::key_of(id))?.is_some_and(|intake| intake.state.makes_duplicates()))
}

/// Whether who is to deliver cannot for now: nothing is held against them.
fn is_held(view: &dyn CatalogView, row: &ExpectedUpload, now: Moment) -> Result<bool, Failure> {
    let is_blocked = match standing_of(view, row, now)? {
        Access::Open => !services_of(view, None, [&row.organisation])?.include(Service::Deliver),
        Access::Blocked => true,
        // it waits for nothing any more
        Access::Ended => return Ok(false),
    };
    Ok(is_blocked || is_closed(view, Channel::Sftp, now)? || is_closed(view, Channel::Portal, now)?)
}

fn standing_of(view: &dyn CatalogView, row: &ExpectedUpload, now: Moment) -> Result<Access, Failure> {
    let organisation = view.row::<Organisation>(&Organisation::key_of(&row.organisation))?;
    Ok(organisation.map_or(Access::Ended, |row| row.standing.at(now)))
}

/// M19 to the administrators, and to whoever answers for an account that may deliver.
fn tell(
    view: &dyn CatalogView,
    post: &Post,
    mut decision: Decision,
    row: &ExpectedUpload,
    kind: NoticeKind,
    now: Moment,
) -> Result<Decision, Failure> {
    let organisation = view.row::<Organisation>(&Organisation::key_of(&row.organisation))?;
    let product = view.row::<Product>(&Product::key_of(&row.product))?;
    let facts = vec![
        (Fact::Organisation, organisation.map_or_else(|| row.organisation.to_string(), |row| row.name.to_string())),
        (Fact::Thing, product.map_or_else(|| row.product.to_string(), |product| product.name.to_string())),
        (Fact::Until, row.until.millis().to_string()),
    ];
    let mut readers = administrators_of(view, &row.organisation, now)?;
    let prefix = RightHolder::keys_of(&row.organisation, &row.product);
    for holder in view.rows::<RightHolder>(&prefix, None, MOST_TOLD)? {
        let Some(account) = view.row::<Account>(&Account::key_of(&holder.login))? else { continue };
        let may_act = account.standing.at(now) == Access::Open
            && has_force(view, &account, &row.organisation, &row.product, now)?;
        let services = services_of(view, Some(&account.login), [&account.organisation, &row.organisation])?;
        if may_act && services.include(Service::Deliver) {
            readers.push(account);
        }
    }
    // one for each day and product, to each address
    let mut about = [0; 16];
    about.iter_mut().zip(row.until.millis().to_be_bytes()).for_each(|(to, from)| *to = from);
    let mut known = BTreeSet::new();
    for account in readers.into_iter().take(MOST_TOLD) {
        if !known.insert(account.mail_address().as_str().to_lowercase()) {
            continue;
        }
        let reader = format!("{}/{}/{}", row.organisation, row.product, account.mail_address());
        let id = mail_id(kind, &about, &reader);
        let to = addressed(&account, facts.clone());
        decision = post.queue(decision, Notice { id, kind, delivery: None }, &to, account.language, now)?;
    }
    Ok(decision)
}

fn put(decision: Decision, before: Option<&ExpectedUpload>, after: ExpectedUpload) -> Decision {
    let mut decision = decision;
    if let Some(before) = before.filter(|before| before.due != after.due) {
        decision = decision.remove(ExpectedDue::key_of(before.due, &before.organisation, &before.product));
    }
    let due = ExpectedDue { at: after.due, organisation: after.organisation.clone(), product: after.product.clone() };
    decision.put(due).put(after).leaving_access_as_it_is()
}

fn gone(decision: Decision, row: &ExpectedUpload) -> Decision {
    decision
        .remove(ExpectedDue::key_of(row.due, &row.organisation, &row.product))
        .remove(ExpectedUpload::key_of(&row.organisation, &row.product))
        .leaving_access_as_it_is()
}

fn event(what: Happening, who: Who, row: &ExpectedUpload) -> Event {
    let about =
        About { organisation: Some(row.organisation.clone()), product: Some(row.product.clone()), ..About::default() };
    Event::new(what, who, about)
}
