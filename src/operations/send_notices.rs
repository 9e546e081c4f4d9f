//! The e-mail queue: sends what is due, tries again with growing waits, keeps
//! failures visible. Publication never waits for it (H3, H4, H7).

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::browse::delivery_of;
use super::manage_accounts::account_of;
use super::mandates::has_force;
use super::restrict::services_of;
use super::sign_in::may_enter;
use super::terms::has_dead_link;
use super::texts;
use super::{Failure, Operations};
use crate::domain::account::{Account, Language};
use crate::domain::decision::Decision;
use crate::domain::delivery::Availability;
use crate::domain::history::{About, Channel, Event, Happening, Who};
use crate::domain::ids::{DeliveryId, LinkId, MailId};
use crate::domain::moment::{Moment, Span};
use crate::domain::names::LoginName;
use crate::domain::notice::{Addressed, Fact, Mail, MailState, NoticeKind};
use crate::domain::record::{MailDue, Row};
use crate::domain::restriction::Service;
use crate::domain::rights::{Act, Case, Ground, permits};
use crate::domain::sign_in_record::CredentialChange;
use crate::ports::catalog::CatalogView;
use crate::ports::mailer::{MailOutcome, Message};

/// What one round of sending did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MailRound {
    /// Accepted by the relay.
    pub sent: usize,
    /// Put off to a later try.
    pub deferred: usize,
    /// Given up.
    pub failed: usize,
}

impl Operations {
    /// Sends at most `limit` e-mails that are due now.
    ///
    /// # Errors
    /// A fault of the store; an e-mail whose outcome was not recorded is tried again with the same Message-ID.
    pub fn send_due_mail(&self, limit: usize) -> Result<MailRound, Failure> {
        let now = self.now();
        let due = self.catalog.look(|view| {
            let due = view.rows::<MailDue>(&MailDue::all(), None, limit)?;
            Ok(due.into_iter().take_while(|due| due.at <= now).collect::<Vec<_>>())
        })?;
        let mut round = MailRound::default();
        for due in due {
            match self.send_one(&due)? {
                Some(Happening::MailSent) => round.sent += 1,
                Some(Happening::MailDeferred) => round.deferred += 1,
                Some(_) => round.failed += 1,
                None => {}
            }
        }
        Ok(round)
    }

    /// The e-mails on record, those in the queue and those that ended, at most `limits.page`, and whom each is to:
    /// `None` once that ended with its key.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn mail_queue(&self, after: Option<MailId>) -> Result<Vec<(Mail, Option<Addressed>)>, Failure> {
        permits(Act::Maintain, Case::operator(Ground::None))?;
        let mails = self.mails(after)?.into_iter();
        mails.map(|mail| self.post.open(&mail).map(|to| (mail, to))).collect()
    }

    pub(super) fn mails(&self, after: Option<MailId>) -> Result<Vec<Mail>, Failure> {
        let after = after.map(Mail::key_of);
        self.catalog.look(|view| Ok(view.rows(&Mail::all(), after.as_ref(), self.settings.max_page)?))
    }

    /// How many e-mails wait to be sent, counted up to `most`.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn waiting_mail(&self, most: usize) -> Result<usize, Failure> {
        self.catalog.look(|view| Ok(view.rows::<MailDue>(&MailDue::all(), None, most)?.len()))
    }

    /// Makes every queued and every failed e-mail due now. Returns how many.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn retry_mail(&self) -> Result<usize, Failure> {
        let mut count = 0;
        let mut after = None;
        loop {
            let page = self.mails(after)?;
            let Some(last) = page.last() else { return Ok(count) };
            after = Some(last.id);
            for mail in page {
                if matches!(mail.state, MailState::Sent { .. }) {
                    continue;
                }
                // one whose personal fields have ended goes to nobody any more
                let Some(to) = self.post.open(&mail)? else { continue };
                count += 1;
                let now = self.now();
                let event = Event::new(Happening::MailDeferred, Who::system(), mail_about(&mail, Some(&to)))
                    .with_note("tried again on request");
                let to = Addressed { last_error: None, ..to };
                self.record(mail, to, MailState::Queued { attempts: 0, next_at: now }, now, event)?;
            }
        }
    }

    fn send_one(&self, due: &MailDue) -> Result<Option<Happening>, Failure> {
        let now = self.now();
        let Some(mail) = self.catalog.look(|view| Ok(view.row::<Mail>(&Mail::key_of(due.mail))?))? else {
            return Ok(None);
        };
        let attempts = match mail.state {
            MailState::Queued { attempts, next_at } if next_at == due.at => attempts,
            MailState::Queued { .. } | MailState::Sent { .. } | MailState::Failed { .. } => {
                return self.drop_turn(due, &mail, now);
            }
        };
        let Some(to) = self.post.open(&mail)? else { return self.drop_ended(mail, now).map(Some) };
        let outcome = match self.reason_to_keep(&mail, &to, now)? {
            Some(reason) => MailOutcome::Rejected(reason),
            None => self.mailer.send(&self.message(&mail, &to)?),
        };
        let now = self.now();
        let (what, state, note) = match outcome {
            MailOutcome::Accepted => (Happening::MailSent, MailState::Sent { at: now }, None),
            MailOutcome::Rejected(error) => (Happening::MailFailed, MailState::Failed { at: now }, Some(error)),
            MailOutcome::Deferred(error) => match self.retry_wait(attempts) {
                Some(wait) => {
                    let state = MailState::Queued { attempts: attempts + 1, next_at: now.after(wait) };
                    (Happening::MailDeferred, state, Some(error))
                }
                None => (Happening::MailFailed, MailState::Failed { at: now }, Some(error)),
            },
        };
        let mut event = Event::new(what, Who::system(), mail_about(&mail, Some(&to)));
        if let Some(note) = &note {
            event = event.with_note(note);
        }
        self.record(mail, Addressed { last_error: note, ..to }, state, now, event)?;
        Ok(Some(what))
    }

    /// Why an e-mail that is due is not sent after all.
    fn reason_to_keep(&self, mail: &Mail, to: &Addressed, now: Moment) -> Result<Option<String>, Failure> {
        self.catalog.look(|view| {
            // M20 is the one that goes to who is blocked, and only if the operator said so
            if mail.kind != NoticeKind::OwnAccessChanged && !may_be_written_to(view, to, now)? {
                return Ok(Some("not sent: the account is blocked or has ended, or its organisation is".to_owned()));
            }
            if mail.kind == NoticeKind::TermsForMachine && has_dead_link(view, to)? {
                return Ok(Some("not sent: the account has another owner by now".to_owned()));
            }
            if let (Some(login), Some(delivery)) = (&to.login, mail.delivery) {
                let (account, delivery) = (account_of(view, login)?, delivery_of(view, delivery)?);
                let is_for_client = account.organisation != delivery.organisation;
                if is_for_client && !has_force(view, &account, &delivery.organisation, &delivery.product, now)? {
                    return Ok(Some("not sent: the account no longer acts for this client".to_owned()));
                }
            }
            let Some(delivery) = mail.delivery.filter(|_| mail.kind == NoticeKind::DeliveryReady) else {
                return Ok(None);
            };
            let delivery = delivery_of(view, delivery)?;
            if !delivery.is_fetchable(now) {
                return Ok(Some(format!("not sent: the delivery is {}", delivery.availability.word())));
            }
            let services = services_of(view, to.login.as_ref(), [&delivery.organisation])?;
            Ok((!services.include(Service::Fetch)).then(|| "not sent: fetching was ended".to_owned()))
        })
    }

    /// An e-mail whose key ended before it could be sent: nobody can tell any more to whom it was.
    fn drop_ended(&self, mail: Mail, now: Moment) -> Result<Happening, Failure> {
        self.catalog.decide(Box::new(move |_| {
            let event = Event::new(Happening::MailFailed, Who::system(), mail_about(&mail, None))
                .with_note("not sent: the period for which e-mails are kept has ended");
            let mut decision = Decision::new(now, event);
            if let MailState::Queued { next_at, .. } = mail.state {
                decision = decision.remove(MailDue::key_of(next_at, mail.id));
            }
            Ok(decision.remove(Mail::key_of(mail.id)))
        }))?;
        Ok(Happening::MailFailed)
    }

    /// A turn in the queue that is not the e-mail's own: it stands elsewhere by now, or was sent. Nothing behind it may
    /// wait for it.
    fn drop_turn(&self, due: &MailDue, mail: &Mail, now: Moment) -> Result<Option<Happening>, Failure> {
        let key = MailDue::key_of(due.at, due.mail);
        if self.catalog.look(|view| Ok(view.find(&key)?.is_none()))? {
            return Ok(None);
        }
        let event = Event::new(Happening::MailRemoved, Who::system(), mail_about(mail, None))
            .with_note("a second turn of this e-mail in the queue");
        self.catalog.decide(Box::new(move |_| Ok(Decision::new(now, event).remove(key))))?;
        Ok(None)
    }

    fn retry_wait(&self, attempts: u32) -> Option<Span> {
        self.settings.mail_retries.get(usize::try_from(attempts).unwrap_or(usize::MAX)).copied()
    }

    fn record(
        &self,
        mut mail: Mail,
        to: Addressed,
        state: MailState,
        now: Moment,
        event: Event,
    ) -> Result<(), Failure> {
        let post = Arc::clone(&self.post);
        self.catalog.decide(Box::new(move |_| {
            let mut decision = Decision::new(now, event);
            if let MailState::Queued { next_at, .. } = mail.state {
                decision = decision.remove(MailDue::key_of(next_at, mail.id));
            }
            mail.state = state;
            post.change(decision, mail, &to, now)
        }))?;
        Ok(())
    }

    fn message(&self, mail: &Mail, to: &Addressed) -> Result<Message, Failure> {
        let tongue = match mail.language {
            Language::Dutch => texts::Tongue::Dutch,
            Language::English => texts::Tongue::English,
        };
        let sender = texts::Sender {
            portal: &self.settings.sender.portal,
            organisation: &self.settings.sender.organisation,
            portal_url: &self.settings.sender.portal_url,
            contact_mail: &self.settings.sender.contact_mail,
            contact_phone: &self.settings.sender.contact_phone,
        };
        let words = match mail.delivery {
            Some(delivery) => self.words_on_delivery(mail.kind, delivery, tongue, &sender)?,
            None if texts::is_about_terms(mail.kind) => {
                texts::about_terms(mail.kind, tongue, &sender, &self.person_facts(to)?)
            }
            None if mail.kind == NoticeKind::MandateExpiring => {
                texts::mandate_expiring(tongue, &sender, &self.person_facts(to)?)
            }
            None if matches!(mail.kind, NoticeKind::UploadExpected | NoticeKind::UploadMissing) => {
                texts::about_expected(mail.kind, tongue, &sender, &self.person_facts(to)?)
            }
            None if mail.kind.is_about_incident() => {
                texts::about_incident(mail.kind, tongue, &sender, &self.person_facts(to)?)
            }
            None if mail.kind.is_about_upload() => {
                texts::about_upload(mail.kind, tongue, &sender, &self.upload_facts(to))
            }
            None if is_about_access(mail.kind) => {
                texts::about_access(mail.kind, tongue, &sender, &self.access_facts(to))
            }
            None => texts::about_person(mail.kind, tongue, &sender, &self.person_facts(to)?),
        };
        Ok(Message {
            id: mail.id.to_string(),
            to: to.to.clone(),
            subject: words.subject,
            text: words.text,
            html: words.html,
            language: tongue.tag(),
            date_seconds: mail.queued_at.seconds(),
        })
    }

    fn words_on_delivery(
        &self,
        kind: NoticeKind,
        delivery: DeliveryId,
        tongue: texts::Tongue,
        sender: &texts::Sender<'_>,
    ) -> Result<texts::Words, Failure> {
        let (delivery, successor) = self.catalog.look(|view| {
            let delivery = delivery_of(view, delivery)?;
            let successor = match delivery.availability {
                Availability::Replaced { by, .. } => Some(delivery_of(view, by)?),
                _ => None,
            };
            Ok((delivery, successor))
        })?;
        let available_until = self.last_day(delivery.available_until).to_string();
        let number = delivery.name();
        let facts = texts::DeliveryFacts {
            product: delivery.product_name.as_str(),
            recipient: delivery.organisation_name.as_str(),
            number: &number,
            period: delivery.period.as_ref().map_or("", crate::domain::names::Line::as_str),
            files: usize::try_from(delivery.file_count).unwrap_or(usize::MAX),
            available_until: &available_until,
        };
        Ok(match (kind, &delivery.availability) {
            (NoticeKind::DeliveryWithdrawn, Availability::Withdrawn { reason, .. }) => {
                texts::delivery_withdrawn(tongue, sender, &facts, reason.as_str())
            }
            (NoticeKind::DeliveryWithdrawn, _) => texts::delivery_withdrawn(tongue, sender, &facts, "-"),
            (NoticeKind::DeliveryReplaced, _) => {
                let (new_number, new_until) = match &successor {
                    Some(new) => (new.name(), self.last_day(new.available_until).to_string()),
                    None => ("-".to_owned(), "-".to_owned()),
                };
                texts::delivery_replaced(tongue, sender, &facts, &new_number, &new_until)
            }
            _ => texts::delivery_ready(tongue, sender, &facts),
        })
    }

    /// What an e-mail about an account tells; links are made here, and lie nowhere.
    fn person_facts(&self, to: &Addressed) -> Result<texts::PersonFacts, Failure> {
        let mut facts = texts::PersonFacts::default();
        // whoever works in the office opens it there, whatever the mail is about
        let door = match &to.login {
            Some(login) => self.catalog.look(|view| super::office::door_of(view, login))?,
            None => Channel::Portal,
        };
        for (fact, value) in &to.facts {
            let moment = || Moment::from_millis(value.parse().unwrap_or_default());
            match fact {
                Fact::Organisation => facts.organisation.clone_from(value),
                Fact::Person => facts.person.clone_from(value),
                Fact::Address => facts.address.clone_from(value),
                Fact::By => facts.by.clone_from(value),
                Fact::Reason => facts.reason.clone_from(value),
                Fact::Until => facts.until = self.last_day(moment()).to_string(),
                Fact::At => facts.at = format!("{} {}", self.clock.date_of(moment()), self.clock.time_of(moment())),
                Fact::RequestLink => facts.link = self.request_address(LinkId::parse(value)?)?,
                Fact::AccountLink => facts.link = self.account_address(LinkId::parse(value)?, door)?,
                Fact::Added => facts.added.push(value.clone()),
                Fact::Removed => facts.removed.push(value.clone()),
                Fact::Thing => facts.thing.clone_from(value),
                Fact::Change => facts.change = CredentialChange::from_word(value),
                Fact::Network => facts.network.clone_from(value),
                Fact::Client => facts.client.clone_from(value),
                Fact::Intermediary => facts.intermediary.clone_from(value),
                Fact::Upload | Fact::Product | Fact::FileName | Fact::FileSize | Fact::Sha256 | Fact::Finding => {}
                // told of access alone
                Fact::Service | Fact::Credential | Fact::Nature | Fact::Channel | Fact::Ends => {}
                Fact::TermsVersion => facts.terms_version.clone_from(value),
                Fact::TermsFrom => facts.terms_from = self.clock.date_of(moment()).to_string(),
                Fact::TermsLink => {
                    if let Some(login) = &to.login {
                        facts.link = self.terms_address(login, value)?;
                    }
                }
            }
        }
        Ok(facts)
    }

    /// What an e-mail about an upload tells.
    fn upload_facts(&self, to: &Addressed) -> texts::UploadFacts {
        let mut facts = texts::UploadFacts::default();
        for (fact, value) in &to.facts {
            match fact {
                Fact::Upload => facts.number.clone_from(value),
                Fact::Organisation => facts.organisation.clone_from(value),
                Fact::Product => facts.product.clone_from(value),
                Fact::FileName => facts.file.clone_from(value),
                Fact::FileSize => facts.size.clone_from(value),
                Fact::Sha256 => facts.sha256.clone_from(value),
                Fact::Finding => facts.finding.clone_from(value),
                Fact::At => {
                    let at = Moment::from_millis(value.parse().unwrap_or_default());
                    facts.at = format!("{} {}", self.clock.date_of(at), self.clock.time_of(at));
                }
                _ => {}
            }
        }
        facts
    }

    /// The last day on which something that ends at `until` can still be fetched.
    #[must_use]
    pub fn last_day(&self, until: Moment) -> super::Date {
        self.clock.date_of(until.before(Span::from_millis(1)))
    }
}

/// Whether the account that an e-mail is about may act, and the person whose address it goes to (J6).
fn may_be_written_to(view: &dyn CatalogView, to: &Addressed, now: Moment) -> Result<bool, Failure> {
    if let Some(login) = &to.login {
        let Some(account) = view.row::<Account>(&Account::key_of(login))? else { return Ok(false) };
        if may_enter(view, &account, now)?.is_err() {
            return Ok(false);
        }
    }
    // a robot's owner may be somebody with an account of their own
    let Ok(login) = LoginName::parse(&to.to.as_str().to_ascii_lowercase()) else { return Ok(true) };
    match view.row::<Account>(&Account::key_of(&login))? {
        Some(person) => Ok(may_enter(view, &person, now)?.is_ok()),
        None => Ok(true),
    }
}

const fn is_about_access(kind: NoticeKind) -> bool {
    matches!(kind, NoticeKind::AccessChanged | NoticeKind::OwnAccessChanged | NoticeKind::InterruptionNews)
}

/// The id of an e-mail follows from what it says to whom: the same notice is never queued twice.
pub(super) fn mail_id(kind: NoticeKind, about: &[u8; 16], to: &str) -> MailId {
    let mut hash = Sha256::new();
    hash.update(kind.word().as_bytes());
    hash.update(about);
    hash.update(to.as_bytes());
    let digest: [u8; 32] = hash.finalize().into();
    let mut id = [0; 16];
    id.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    MailId::from_random(id)
}

fn mail_about(mail: &Mail, to: Option<&Addressed>) -> About {
    About { login: to.and_then(|to| to.login.clone()), delivery: mail.delivery, ..About::default() }
}
