//! A person's own sessions (PV12, PV14): those that are open, and begin, end and place of those
//! before. Rows of their own beside the history, so that looking costs what one person did.

use std::net::IpAddr;
use std::sync::Arc;

use super::super::case_of;
use super::super::monthly_bodies::MonthlyBodies;
use super::super::office::own_case_in_office;
use super::{Failure, Operations, PortalVisit};
use crate::domain::bodies::{BodyClass, BodySlot};
use crate::domain::credentials::{Assurance, WebSession};
use crate::domain::decision::Decision;
use crate::domain::history::{About, Channel, Event, Happening, Who};
use crate::domain::ids::SessionId;
use crate::domain::moment::Moment;
use crate::domain::record::Row;
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::{Act, permits};
use crate::domain::sign_in_record::{MOST_SIGN_IN_RECORDS, SessionEnd, SignInPlace, SignInRecord};
use crate::ports::bodies::{BodyBinding, BodySeal as _, OpenedBody};
use crate::ports::catalog::CatalogView;
use crate::ports::clock::Clock;
use crate::ports::failure::Fault;
use crate::ports::keyring::Keyring;

/// Rows that are looked at together.
const PAGE: usize = 1_000;

/// A session of oneself, from begin to end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnSignIn {
    /// Which.
    pub session: SessionId,
    /// When it began.
    pub begun_at: Moment,
    /// When it ended; it is open when `None`.
    pub ended_at: Option<Moment>,
    /// How it ended.
    pub ending: Option<SessionEnd>,
    /// How one proved who one is.
    pub assurance: Assurance,
    /// From where and with what; unknown once that ended with its key.
    pub place: Option<SignInPlace>,
}

/// A session of oneself that is open.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenSession {
    /// Which.
    pub session: SessionId,
    /// It is the one that asks.
    pub is_this: bool,
    /// When it began.
    pub begun_at: Moment,
    /// When it was used last, as far as this start of the server knows.
    pub last_seen: Moment,
    /// From where it was used last.
    pub address: Option<IpAddr>,
    /// With what it was begun; empty when that is not known.
    pub client: String,
}

/// Seals and opens the places of sessions. Shared with the rule that begins one.
pub(in crate::operations) struct SignInBook {
    bodies: MonthlyBodies,
}

impl SignInBook {
    pub(in crate::operations) fn new(keyring: Arc<dyn Keyring>, clock: Arc<dyn Clock>) -> Self {
        Self { bodies: MonthlyBodies::new(keyring, clock) }
    }

    /// The decision with the begin of a session in it; the oldest rows beyond the bound go.
    pub(super) fn begun(
        &self,
        view: &dyn CatalogView,
        decision: Decision,
        session: &WebSession,
        place: &SignInPlace,
        now: Moment,
    ) -> Result<Decision, Failure> {
        let id = SessionId::of(&session.secret_sha256);
        let (slot, closes_at) = self.bodies.slot_for(BodyClass::SignIns, now)?;
        let place = self.bodies.seal(slot, BodyBinding::SignIn(id), &place.to_bytes())?;
        let row = SignInRecord {
            login: session.login.clone(),
            begun_at: session.begun_at,
            session: id,
            assurance: session.assurance,
            ended_at: None,
            ending: None,
            slot,
            place,
        };
        let own = view.rows::<SignInRecord>(&SignInRecord::keys_of(&session.login), None, PAGE)?;
        let beyond = own.into_iter().skip(MOST_SIGN_IN_RECORDS - 1);
        let decision = beyond.fold(decision, |decision, old| decision.remove(old.key()));
        Ok(decision.under(slot, closes_at).put(row))
    }

    fn place_of(&self, row: &SignInRecord) -> Result<Option<SignInPlace>, Failure> {
        match self.bodies.open(row.slot, BodyBinding::SignIn(row.session), &row.place)? {
            OpenedBody::Plain(bytes) => {
                let place = SignInPlace::from_bytes(&bytes);
                let fault =
                    || Fault::new(format!("read the place of session {}: it is not what was written", row.session));
                Ok(Some(place.ok_or_else(fault)?))
            }
            // the check of the home names a key that is missing
            OpenedBody::Destroyed | OpenedBody::Missing => Ok(None),
        }
    }
}

/// The decision with the end of a session in its row; sessions from before such rows have none.
pub(super) fn with_end(
    view: &dyn CatalogView,
    decision: Decision,
    session: &WebSession,
    how: SessionEnd,
    now: Moment,
) -> Result<Decision, Failure> {
    let id = SessionId::of(&session.secret_sha256);
    let row = view.row::<SignInRecord>(&SignInRecord::key_of(&session.login, session.begun_at, id))?;
    Ok(match row {
        Some(row) => decision.put(SignInRecord { ended_at: Some(now), ending: Some(how), ..row }),
        None => decision,
    })
}

/// Whether somebody may see and change what they sign in with.
pub(super) fn may_keep(view: &dyn CatalogView, visit: &PortalVisit, now: Moment) -> Result<(), Failure> {
    let case = if visit.caller.channel == Channel::Office {
        own_case_in_office(view, &visit.caller, now)?
    } else {
        case_of(view, &visit.caller, &visit.caller.organisation, None, now)?
    };
    Ok(permits(Act::KeepCredentials, case)?)
}

impl Operations {
    /// Sessions of oneself, the newest first; those after the one that is named.
    ///
    /// # Errors
    /// A refusal of `permits`; a fault of the store.
    pub fn own_sign_ins(
        &self,
        visit: &PortalVisit,
        after: Option<(Moment, SessionId)>,
        limit: usize,
    ) -> Result<Vec<OwnSignIn>, Failure> {
        let (now, login) = (self.now(), &visit.account.login);
        let after = after.map(|(begun_at, session)| SignInRecord::key_of(login, begun_at, session));
        let rows = self.catalog.look(|view| {
            may_keep(view, visit, now)?;
            Ok(view.rows::<SignInRecord>(&SignInRecord::keys_of(login), after.as_ref(), limit)?)
        })?;
        let seen = |row: SignInRecord| {
            Ok(OwnSignIn {
                session: row.session,
                begun_at: row.begun_at,
                ended_at: row.ended_at,
                ending: row.ending,
                assurance: row.assurance,
                place: self.sign_in_book.place_of(&row)?,
            })
        };
        rows.into_iter().map(seen).collect()
    }

    /// Sessions of oneself that are open now, the oldest first.
    ///
    /// # Errors
    /// As `own_sign_ins`.
    pub fn own_open_sessions(&self, visit: &PortalVisit) -> Result<Vec<OpenSession>, Failure> {
        let (now, login) = (self.now(), &visit.account.login);
        let mut open = Vec::new();
        for live in self.live_sessions.of(login) {
            let session = SessionId::of(&live.session.secret_sha256);
            let row = self.catalog.look(|view| {
                may_keep(view, visit, now)?;
                Ok(view.row::<SignInRecord>(&SignInRecord::key_of(login, live.session.begun_at, session))?)
            })?;
            let place = match &row {
                Some(row) => self.sign_in_book.place_of(row)?,
                None => None,
            };
            open.push(OpenSession {
                session,
                is_this: session == visit.session,
                begun_at: live.session.begun_at,
                last_seen: live.last_seen,
                address: live.address.or_else(|| place.as_ref().map(|place| place.address)),
                client: place.map(|place| place.client).unwrap_or_default(),
            });
        }
        Ok(open)
    }

    /// Ends another session of oneself.
    ///
    /// # Errors
    /// `NotFound` when there is none of one's own that is open.
    pub fn end_own_session(&self, visit: &PortalVisit, session: SessionId) -> Result<(), Failure> {
        let now = self.now();
        self.catalog.look(|view| may_keep(view, visit, now))?;
        let own = self.live_sessions.of(&visit.account.login);
        let found = own.into_iter().find(|live| SessionId::of(&live.session.secret_sha256) == session);
        let live = found.ok_or(Refusal::NotFound(What::Session))?;
        let is_this = session == visit.session;
        self.end_session_on_record(
            &live.session,
            if is_this { SessionEnd::SignedOut } else { SessionEnd::EndedElsewhere },
        )
    }

    /// Ends all sessions of oneself but the one that asks. Returns how many.
    ///
    /// # Errors
    /// As `end_own_session`.
    pub fn end_other_sessions(&self, visit: &PortalVisit) -> Result<usize, Failure> {
        let now = self.now();
        self.catalog.look(|view| may_keep(view, visit, now))?;
        self.end_sessions_of(&visit.account.login, Some(visit.session), SessionEnd::EndedElsewhere)
    }

    /// Removes the rows whose places lie under a key, a page at a time, before that key goes.
    pub(in crate::operations) fn remove_sign_in_records(&self, slot: BodySlot, now: Moment) -> Result<(), Failure> {
        let mut after = None;
        loop {
            let page = self
                .catalog
                .look(|view| Ok(view.rows::<SignInRecord>(&SignInRecord::all(), after.as_ref(), PAGE)?))?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.key());
            let ended: Vec<SignInRecord> = page.into_iter().filter(|row| row.slot == slot).collect();
            if ended.is_empty() {
                continue;
            }
            self.catalog.decide(Box::new(move |_| {
                let note = format!("{} sessions of {}", ended.len(), slot.month_text());
                let event =
                    Event::new(Happening::SignInRecordsRemoved, Who::system(), About::default()).with_note(&note);
                let decision = Decision::new(now, event).leaving_access_as_it_is();
                Ok(ended.into_iter().fold(decision, |decision, row| decision.remove(row.key())))
            }))?;
        }
    }
}
