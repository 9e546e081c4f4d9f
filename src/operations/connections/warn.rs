//! Tells, once, that a key or token ends soon (M23): its owner and the administrators. A round
//! of housekeeping; what was told is on record, so a restart tells nothing twice.

use std::sync::Arc;

use super::super::enforce_retention::system_case;
use super::tell::{Told, told_by_nobody};
use super::{Failure, Operations, PAGE};
use crate::domain::account::{Account, SshKey, Token};
use crate::domain::block::Access;
use crate::domain::connections::{EndWarning, warns_from};
use crate::domain::decision::Decision;
use crate::domain::history::{About, Event, Happening, Who};
use crate::domain::ids::LinkId;
use crate::domain::moment::{Moment, Span};
use crate::domain::names::LoginName;
use crate::domain::notice::{Fact, NoticeKind};
use crate::domain::organisation::Organisation;
use crate::domain::record::{Key, Row};
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::{Act, permits};
use crate::ports::catalog::CatalogView;

/// One round tells so many ends at most; the next goes on.
const MOST_PER_ROUND: usize = 100;

/// An end that is to be told.
struct Ending {
    kind: NoticeKind,
    login: LoginName,
    credential: String,
    /// The key of its row.
    row: Key,
    /// As the list of the account shows it.
    shown: String,
    expires_at: Moment,
}

impl Operations {
    /// Tells the ends that are near and were not told yet. Returns how many.
    ///
    /// # Errors
    /// A fault of the store; what was told before it is on record.
    pub fn tell_ends(&self) -> Result<usize, Failure> {
        permits(Act::Maintain, system_case())?;
        let (now, before) = (self.now(), self.settings.connections.warn_before);
        let mut due: Vec<Ending> = Vec::new();
        self.page_through(
            &mut due,
            |key: &SshKey| SshKey::key_of(&key.login, &key.fingerprint),
            |key: SshKey| {
                let expires_at = near(key.added_at, key.expires_at.filter(|_| key.is_valid(now))?, before, now)?;
                let row = SshKey::key_of(&key.login, &key.fingerprint);
                let (login, credential, kind) = (key.login, key.fingerprint, NoticeKind::KeyEnds);
                Some(Ending { kind, login, shown: credential.clone(), credential, row, expires_at })
            },
        )?;
        self.page_through(
            &mut due,
            |token: &Token| Token::key_of(&token.secret_sha256),
            |token: Token| {
                let expires_at = near(token.added_at, token.expires_at.filter(|_| token.is_valid(now))?, before, now)?;
                let (shown, row) = (token.id.to_string(), Token::key_of(&token.secret_sha256));
                let (kind, credential) = (NoticeKind::TokenEnds, format!("token:{shown}"));
                Some(Ending { kind, login: token.login, credential, row, shown, expires_at })
            },
        )?;
        let mut told = 0;
        for ending in due {
            match self.tell_end(ending, now) {
                Ok(()) => told += 1,
                // revoked or told meanwhile
                Err(Failure::Refused(_)) => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(told)
    }

    /// Looks at all rows of a kind, a page at a time, for ends that are to be told.
    fn page_through<R: Row>(
        &self,
        due: &mut Vec<Ending>,
        key_of: impl Fn(&R) -> Key,
        ending: impl Fn(R) -> Option<Ending>,
    ) -> Result<(), Failure> {
        let now = self.now();
        let mut after = None;
        loop {
            let last = self.catalog.look(|view| {
                let page = view.rows::<R>(&R::all(), after.as_ref(), PAGE)?;
                let last = page.last().map(&key_of);
                for ending in page.into_iter().filter_map(&ending) {
                    if due.len() < MOST_PER_ROUND && account_to_tell(view, &ending, now)?.is_some() {
                        due.push(ending);
                    }
                }
                Ok(last)
            })?;
            if last.is_none() || due.len() >= MOST_PER_ROUND {
                return Ok(());
            }
            after = last;
        }
    }

    fn tell_end(&self, ending: Ending, now: Moment) -> Result<(), Failure> {
        let (id, post) = (LinkId::from_random(self.entropy.sixteen()), Arc::clone(&self.post));
        self.catalog.decide(Box::new(move |view| {
            let account = account_to_tell(view, &ending, now)?.ok_or(Refusal::NotFound(What::Key))?;
            let is_valid = match ending.kind {
                NoticeKind::KeyEnds => view.row::<SshKey>(&ending.row)?.is_some_and(|key| key.is_valid(now)),
                _ => view.row::<Token>(&ending.row)?.is_some_and(|token| token.is_valid(now)),
            };
            if !is_valid {
                return Err(Refusal::NotFound(What::Key).into());
            }
            let organisation = view.row::<Organisation>(&Organisation::key_of(&account.organisation))?;
            let organisation = organisation.ok_or(Refusal::NotFound(What::Organisation))?;
            let about = About {
                organisation: Some(organisation.code.clone()),
                login: Some(account.login.clone()),
                ..About::default()
            };
            let event = Event::new(Happening::CredentialEndTold, Who::system(), about);
            let event = event.with_note(&ending.shown).with_until(ending.expires_at);
            let Ending { kind, login, credential, shown, expires_at, .. } = ending;
            let row = EndWarning { login, credential, expires_at, told_at: now };
            let decision = Decision::new(now, event).leaving_access_as_it_is().put(row);
            let facts = vec![(Fact::Thing, shown), (Fact::Until, expires_at.millis().to_string())];
            told_by_nobody(&post, view, decision, (&account, &organisation), Told { kind, id, facts, also: None }, now)
        }))?;
        Ok(())
    }
}

fn near(added_at: Moment, expires_at: Moment, before: Span, now: Moment) -> Option<Moment> {
    (warns_from(added_at, expires_at, before) <= now).then_some(expires_at)
}

/// The account, when it may act and this end was not told yet. Who is blocked is told afterwards.
fn account_to_tell(view: &dyn CatalogView, ending: &Ending, now: Moment) -> Result<Option<Account>, Failure> {
    let told = view.row::<EndWarning>(&EndWarning::key_of(&ending.login, &ending.credential))?;
    if told.is_some_and(|told| told.expires_at == ending.expires_at) {
        return Ok(None);
    }
    let account = view.row::<Account>(&Account::key_of(&ending.login))?;
    Ok(account.filter(|account| account.standing.at(now) == Access::Open))
}
