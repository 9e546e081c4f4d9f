//! What came of the last attempts to sign in as a machine account, for its administrator's
//! test of a connection (4.1-7). In memory, bounded; who asks at the door learns nothing of it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;

use super::super::Officer;
use super::super::manage_accounts::account_of;
use super::{Caller, Failure, Operations, own_machine};
use crate::domain::account::Account;
use crate::domain::connections::is_machine;
use crate::domain::history::Channel;
use crate::domain::moment::Moment;
use crate::domain::names::LoginName;
use crate::domain::refusal::{Refusal, What};
use crate::operations::locked;

/// Different attempts of one account whose key or token was its own.
const MOST_OWN: usize = 12;

/// Different attempts of one account with a key that is not its own: strangers can push out each other only.
const MOST_STRANGE: usize = 6;

/// Accounts of which attempts are known; the one that was quiet longest goes first.
const MOST_ACCOUNTS: usize = 4_096;

/// What came of an attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AttemptOutcome {
    /// It signed in.
    Entered,
    /// The key is not one of the account.
    UnknownKey,
    /// The key or token was revoked.
    Revoked,
    /// The key or token ran out.
    RanOut,
    /// The address is outside the allow list of the account or of its organisation.
    OutsideList(What),
    /// The account or its organisation is blocked.
    Blocked,
    /// The key or token alone is blocked (J8).
    CredentialBlocked,
    /// The account or its organisation has ended.
    Ended,
    /// Access was interrupted for everybody.
    Interrupted,
    /// Anything else, in the words of the refusal.
    Refused(String),
}

/// An attempt, and how often it came the same way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// When it came last.
    pub at: Moment,
    /// How often, one after another or between others.
    pub times: u32,
    /// From where.
    pub address: IpAddr,
    /// How.
    pub channel: Channel,
    /// Fingerprint of the key, or `token:<id>`.
    pub credential: String,
    /// What the client called itself last.
    pub client: Option<String>,
    /// What came of it.
    pub outcome: AttemptOutcome,
}

/// Attempts since the start.
#[derive(Default)]
pub(in crate::operations) struct KnownAttempts {
    of: Mutex<HashMap<LoginName, Vec<Attempt>>>,
}

impl AttemptOutcome {
    /// The word shown to the operator.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Entered => "entered",
            Self::UnknownKey => "unknown-key",
            Self::Revoked => "revoked",
            Self::RanOut => "ran-out",
            Self::OutsideList(_) => "outside-allow-list",
            Self::Blocked => "blocked",
            Self::CredentialBlocked => "credential-blocked",
            Self::Ended => "ended",
            Self::Interrupted => "interrupted",
            Self::Refused(_) => "refused",
        }
    }

    /// What a refusal of a known account means to its administrator.
    pub(in crate::operations) fn of_refusal(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::NotFromHere(list_of) => Self::OutsideList(*list_of),
            Refusal::Blocked => Self::Blocked,
            Refusal::BlockedCredential(_) => Self::CredentialBlocked,
            Refusal::Ended(What::Key | What::Token) => Self::RanOut,
            Refusal::Ended(_) => Self::Ended,
            Refusal::Interrupted { .. } => Self::Interrupted,
            refusal => Self::Refused(refusal.to_string()),
        }
    }

    const fn is_strange(&self) -> bool {
        matches!(self, Self::UnknownKey)
    }
}

impl KnownAttempts {
    fn note(&self, login: &LoginName, attempt: Attempt) {
        let mut of = locked(&self.of);
        if !of.contains_key(login) && of.len() >= MOST_ACCOUNTS {
            let newest = |attempts: &Vec<Attempt>| attempts.iter().map(|one| one.at).max();
            let quiet = of.iter().min_by_key(|(_, attempts)| newest(attempts)).map(|(login, _)| login.clone());
            quiet.iter().for_each(|login| drop(of.remove(login)));
        }
        let known = of.entry(login.clone()).or_default();
        let same = known.iter_mut().find(|one| {
            (&one.outcome, one.address, one.channel, &one.credential)
                == (&attempt.outcome, attempt.address, attempt.channel, &attempt.credential)
        });
        if let Some(same) = same {
            same.at = same.at.max(attempt.at);
            same.times = same.times.saturating_add(1);
            same.client = attempt.client;
            return;
        }
        let is_strange = attempt.outcome.is_strange();
        let most = if is_strange { MOST_STRANGE } else { MOST_OWN };
        if known.iter().filter(|one| one.outcome.is_strange() == is_strange).count() >= most {
            let of_kind = known.iter().enumerate().filter(|(_, one)| one.outcome.is_strange() == is_strange);
            let oldest = of_kind.min_by_key(|(_, one)| one.at).map(|(index, _)| index);
            oldest.iter().for_each(|index| drop(known.remove(*index)));
        }
        known.push(attempt);
    }
}

impl Operations {
    /// What came of the last attempts to sign in as a machine account, the newest first: of those since the server
    /// started. Those with the account's own keys and tokens, and those that named it with another key.
    ///
    /// # Errors
    /// `NotFound` for an account that is not the organisation's.
    pub fn attempts(&self, caller: &Caller, login: &LoginName) -> Result<Vec<Attempt>, Failure> {
        let now = self.now();
        self.catalog.look(|view| own_machine(view, caller, login, now))?;
        Ok(self.attempts_of(login))
    }

    /// The same of any account, for the operator: who is asked why a robot does not get in can tell a key that ran out
    /// from one that nobody knows (4.1-7).
    ///
    /// # Errors
    /// `NotFound`; `NotAllowed`.
    pub fn attempts_seen(&self, login: &LoginName, by: impl Into<Officer>) -> Result<Vec<Attempt>, Failure> {
        self.oversee(by)?;
        self.catalog.look(|view| account_of(view, login))?;
        Ok(self.attempts_of(login))
    }

    fn attempts_of(&self, login: &LoginName) -> Vec<Attempt> {
        let mut known = locked(&self.known_attempts.of).get(login).cloned().unwrap_or_default();
        known.sort_by_key(|one| core::cmp::Reverse(one.at));
        known
    }

    /// Notes an attempt to sign in as an account. People have a history of their own.
    pub(in crate::operations) fn note_attempt(
        &self,
        account: &Account,
        caller: &Caller,
        outcome: AttemptOutcome,
        now: Moment,
    ) {
        if is_machine(account) {
            let attempt = Attempt {
                at: now,
                times: 1,
                address: caller.address,
                channel: caller.channel,
                credential: caller.credential.clone(),
                client: caller.client.clone(),
                outcome,
            };
            self.known_attempts.note(&account.login, attempt);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(at: u64, number: u8, outcome: AttemptOutcome) -> Attempt {
        Attempt {
            at: Moment::from_millis(at),
            times: 1,
            address: IpAddr::from([192, 0, 2, number]),
            channel: Channel::Sftp,
            credential: "SHA256:abc".to_owned(),
            client: None,
            outcome,
        }
    }

    #[test]
    fn strangers_push_out_each_other_and_nothing_else() {
        let (known, login) = (KnownAttempts::default(), LoginName::parse("alpha-robot").unwrap());
        known.note(&login, attempt(1, 1, AttemptOutcome::Entered));
        for number in 0..100 {
            known.note(&login, attempt(u64::from(number) + 2, number, AttemptOutcome::UnknownKey));
        }
        let found = locked(&known.of).get(&login).cloned().unwrap();
        assert_eq!(found.len(), 1 + MOST_STRANGE);
        assert!(found.iter().any(|one| one.outcome == AttemptOutcome::Entered));
        assert!(found.iter().all(|one| one.address == IpAddr::from([192, 0, 2, 1]) || one.at.millis() > 95));
    }

    #[test]
    fn the_same_is_counted_and_the_quietest_account_goes() {
        let known = KnownAttempts::default();
        for number in 0..=MOST_ACCOUNTS {
            let login = LoginName::parse(&format!("robot-{number}")).unwrap();
            for _ in 0..3 {
                known.note(&login, attempt(number as u64 + 1, 1, AttemptOutcome::Blocked));
            }
        }
        let of = locked(&known.of);
        assert_eq!(of.len(), MOST_ACCOUNTS);
        assert!(!of.contains_key(&LoginName::parse("robot-0").unwrap()));
        assert_eq!(of.get(&LoginName::parse("robot-9").unwrap()).unwrap().first().unwrap().times, 3);
    }
}
