//! Sessions of people in the portal. A row per session outlives a restart, so that every begin
//! has its end on record (PV14); when it was used last is known in memory alone.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest as _, Sha256};

use super::super::office::door_of;
use super::super::sign_in::{caller_of, may_enter, outside_of, secret_digest};
use super::super::terms::has_terms_open;
use super::super::{Caller, Proof, Visitor, locked};
use super::own_sign_ins::with_end;
use super::{Failure, Operations, event, person_at, person_of};
use crate::domain::account::Account;
use crate::domain::credentials::{Assurance, WebSession, is_idle};
use crate::domain::decision::Decision;
use crate::domain::digest::Digest;
use crate::domain::history::{Channel, Happening, Who};
use crate::domain::ids::SessionId;
use crate::domain::moment::Moment;
use crate::domain::names::LoginName;
use crate::domain::record::Row;
use crate::domain::refusal::Refusal;
use crate::domain::sign_in_record::SessionEnd;

/// Rows are read so many at a time.
const PAGE: usize = 1_000;

/// Sessions that have begun and not ended, by the digest of their secret. Bounded by the rows, of which an account
/// has at most `sign-in.max_sessions_per_account`.
#[derive(Default)]
pub(in crate::operations) struct LiveSessions {
    live: Mutex<HashMap<Digest, Live>>,
}

#[derive(Clone)]
pub(super) struct Live {
    pub(super) session: WebSession,
    pub(super) last_seen: Moment,
    /// From where it was used last; unknown after a restart.
    pub(super) address: Option<IpAddr>,
}

/// Somebody who is signed in asks for a page.
#[derive(Clone, Debug)]
pub struct PortalVisit {
    /// As whom.
    pub caller: Caller,
    /// The account.
    pub account: Account,
    /// They have to accept the terms of use before anything else.
    pub has_terms_open: bool,
    /// Which session.
    pub session: SessionId,
    /// How they proved it.
    pub assurance: Assurance,
    /// When the session began.
    pub begun_at: Moment,
    /// When it ends if nothing more is asked.
    pub idle_until: Moment,
    /// When it ends in any case.
    pub ends_at: Moment,
    /// What every form has to send back.
    pub form_token: String,
}

/// Sessions that a round of housekeeping ended.
pub type EndedSessions = usize;

impl LiveSessions {
    pub(super) fn add(&self, session: WebSession, address: IpAddr, now: Moment) {
        let live = Live { session, last_seen: now, address: Some(address) };
        locked(&self.live).insert(live.session.secret_sha256, live);
    }

    /// The sessions of an account.
    pub(in crate::operations) fn of_account(&self, login: &LoginName) -> Vec<WebSession> {
        let live = locked(&self.live);
        live.values().filter(|live| live.session.login == *login).map(|live| live.session.clone()).collect()
    }

    /// All of an account, the oldest first.
    pub(super) fn of(&self, login: &LoginName) -> Vec<Live> {
        let live = locked(&self.live);
        let mut own: Vec<Live> = live.values().filter(|live| live.session.login == *login).cloned().collect();
        own.sort_by_key(|live| live.session.begun_at);
        own
    }

    /// The oldest sessions of an account that are too many when one more begins.
    pub(super) fn oldest_beyond(&self, login: &LoginName, most: usize) -> Vec<WebSession> {
        let mut own: Vec<WebSession> = self.of(login).into_iter().map(|live| live.session).collect();
        let excess = (own.len() + 1).saturating_sub(most.max(1));
        own.truncate(excess);
        own
    }
}

impl Operations {
    /// The session with this secret; using it puts off its end.
    ///
    /// # Errors
    /// `NotSignedIn` when there is none or it has ended, is idle, or its account may not act from here any more.
    pub fn visit(&self, secret: &str, visitor: &Visitor) -> Result<PortalVisit, Failure> {
        self.visit_at(Channel::Portal, secret, visitor)
    }

    /// The session in the portal with this secret, as it is: to look at it does not put off its end.
    ///
    /// # Errors
    /// As `visit`.
    pub fn look_at_session(&self, secret: &str, visitor: &Visitor) -> Result<PortalVisit, Failure> {
        self.visit_with(Channel::Portal, secret, visitor, false)
    }

    /// The same at a door: a session of the other one is none here, and goes on there.
    pub(in crate::operations) fn visit_at(
        &self,
        door: Channel,
        secret: &str,
        visitor: &Visitor,
    ) -> Result<PortalVisit, Failure> {
        self.visit_with(door, secret, visitor, true)
    }

    fn visit_with(&self, door: Channel, secret: &str, visitor: &Visitor, is_use: bool) -> Result<PortalVisit, Failure> {
        let (now, digest) = (self.now(), secret_digest(secret));
        let idle = self.settings.people.idle_timeout;
        let (session, last_seen) = {
            let mut live = locked(&self.live_sessions.live);
            let found = live.get_mut(&digest).ok_or(Refusal::NotSignedIn)?;
            if found.session.ends_at <= now || is_idle(found.last_seen, now, idle) {
                // housekeeping puts its end on record
                return Err(Refusal::NotSignedIn.into());
            }
            if is_use {
                found.last_seen = found.last_seen.max(now);
                found.address = Some(visitor.address);
            }
            (found.session.clone(), found.last_seen)
        };
        let (account, has_terms_open) = self.catalog.look(|view| {
            let account = person_at(view, &session.login, door)?.ok_or(Refusal::NotSignedIn)?;
            let may_stay =
                may_enter(view, &account, now)?.is_ok() && outside_of(view, &account, visitor.address)?.is_none();
            let has_terms_open = has_terms_open(view, &account, door, now)?;
            if may_stay { Ok((account, has_terms_open)) } else { Err(Refusal::NotSignedIn.into()) }
        })?;
        let mut caller =
            caller_of(account.clone(), door, session.assurance.word().to_owned(), visitor, Proof::WebSession);
        caller.rights_as_of = Some(session.begun_at);
        Ok(PortalVisit {
            caller,
            account,
            has_terms_open,
            session: SessionId::of(&session.secret_sha256),
            assurance: session.assurance,
            begun_at: session.begun_at,
            idle_until: last_seen.after(idle).min(session.ends_at),
            ends_at: session.ends_at,
            form_token: form_token(secret),
        })
    }

    /// Ends the session with this secret, on record.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn leave(&self, secret: &str) -> Result<(), Failure> {
        let found = locked(&self.live_sessions.live).get(&secret_digest(secret)).cloned();
        match found {
            Some(live) => self.end_session_on_record(&live.session, SessionEnd::SignedOut),
            None => Ok(()),
        }
    }

    /// Ends every session of an account, but for the one that is to stay.
    pub(in crate::operations) fn end_sessions_of(
        &self,
        login: &LoginName,
        stays: Option<SessionId>,
        how: SessionEnd,
    ) -> Result<usize, Failure> {
        let own = self.live_sessions.of(login).into_iter().map(|live| live.session);
        let ending: Vec<WebSession> =
            own.filter(|session| stays != Some(SessionId::of(&session.secret_sha256))).collect();
        ending.iter().try_for_each(|session| self.end_session_on_record(session, how))?;
        Ok(ending.len())
    }

    /// Ends the sessions that were not used for too long, have lasted too long, or whose account may not act any more.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn end_idle_sessions(&self) -> Result<EndedSessions, Failure> {
        let (now, idle) = (self.now(), self.settings.people.idle_timeout);
        let live: Vec<Live> = locked(&self.live_sessions.live).values().cloned().collect();
        let mut ended = 0;
        for live in live {
            let how = if live.session.ends_at <= now {
                SessionEnd::LastedLongest
            } else if is_idle(live.last_seen, now, idle) {
                SessionEnd::Unused
            } else if !self.may_stay_in(&live, now)? {
                SessionEnd::NotAllowed
            } else {
                continue;
            };
            self.end_session_on_record(&live.session, how)?;
            ended += 1;
        }
        Ok(ended)
    }

    fn may_stay_in(&self, live: &Live, now: Moment) -> Result<bool, Failure> {
        self.catalog.look(|view| {
            let Some(account) = person_of(view, &live.session.login)? else { return Ok(false) };
            let is_outside = match live.address {
                Some(address) => outside_of(view, &account, address)?.is_some(),
                None => false,
            };
            Ok(!is_outside && may_enter(view, &account, now)?.is_ok())
        })
    }

    /// At a start: sessions that were open when the server stopped go on.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn take_up_sessions(&self) -> Result<usize, Failure> {
        let now = self.now();
        let mut after = None;
        loop {
            let page =
                self.catalog.look(|view| Ok(view.rows::<WebSession>(&WebSession::all(), after.as_ref(), PAGE)?))?;
            let mut live = locked(&self.live_sessions.live);
            let Some(last) = page.last() else { return Ok(live.len()) };
            after = Some(WebSession::key_of(&last.secret_sha256));
            for session in page {
                live.insert(session.secret_sha256, Live { session, last_seen: now, address: None });
            }
        }
    }

    pub(super) fn end_session_on_record(&self, session: &WebSession, how: SessionEnd) -> Result<(), Failure> {
        let live = locked(&self.live_sessions.live).remove(&session.secret_sha256);
        let (now, key, login) = (self.now(), WebSession::key_of(&session.secret_sha256), session.login.clone());
        let address = live.and_then(|live| live.address);
        let (assurance, session) = (session.assurance.word().to_owned(), session.clone());
        self.catalog
            .decide(Box::new(move |view| {
                if view.find(&key)?.is_none() {
                    return Err(Refusal::NotSignedIn.into());
                }
                let account = view.row::<Account>(&Account::key_of(&login))?;
                let account = account.ok_or(Refusal::NotSignedIn)?;
                let who = Who {
                    login: Some(account.login.clone()),
                    organisation: Some(account.organisation.clone()),
                    channel: door_of(view, &login)?,
                    address,
                    credential: Some(assurance),
                    client: None,
                };
                let mut ended = event(Happening::SignedOut, who, &account);
                if !how.note().is_empty() {
                    ended = ended.with_note(how.note());
                }
                let decision = Decision::new(now, ended).remove(key).leaving_access_as_it_is();
                with_end(view, decision, &session, how, now)
            }))
            .map(|_| ())
            .or_else(|failure| match failure {
                // somebody else ended it at the same time
                Failure::Refused(_) => Ok(()),
                Failure::Faulted(_) => Err(failure),
            })
    }
}

/// Follows from the session's secret, which no other site knows (CSRF).
fn form_token(secret: &str) -> String {
    let digest = Sha256::digest(format!("form token of {secret}"));
    BASE64URL_NOPAD.encode(digest.get(..18).unwrap_or_default())
}
