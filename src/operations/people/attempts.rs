//! Guessing made slow. Waits are counted per account and network, so that nobody's guesses
//! keep the owner out who comes from where they came before. In memory, bounded.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;

use super::super::locked;
use crate::domain::moment::{Moment, Span};
use crate::domain::names::LoginName;
use crate::domain::network::Network;
use crate::domain::refusal::Refusal;

/// The first wait; each further failure doubles it.
const FIRST_WAIT: Span = Span::from_seconds(15);

/// No wait is longer: 15 minutes.
const LONGEST_WAIT: Span = Span::from_seconds(900);

/// Failures are forgotten after so long without one.
const FORGOTTEN_AFTER: Span = Span::from_seconds(3_600);

/// Failures of one network over all accounts, in an hour, before it has to wait.
const MOST_PER_SOURCE: usize = 60;

/// Failures for one account, in an hour, from all networks that it never signed in from.
const MOST_FROM_STRANGERS: usize = 100;

/// So many counters of each kind are kept; the oldest give way.
const MOST_KEPT: usize = 16_384;

/// Failures that are remembered.
#[derive(Default)]
pub(in crate::operations) struct Attempts {
    pairs: Mutex<HashMap<(LoginName, Network), Failures>>,
    sources: Mutex<HashMap<Network, Failures>>,
    accounts: Mutex<HashMap<LoginName, Failures>>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Failures {
    pub(super) count: usize,
    last: Moment,
}

/// Who tries, as far as waits depend on it.
pub(super) struct Attempt<'a> {
    pub(super) login: &'a LoginName,
    pub(super) address: IpAddr,
    /// The account signed in from there before.
    pub(super) is_known_source: bool,
}

impl Attempts {
    /// Whether this may be tried now, the same for accounts that exist and those that do not.
    pub(super) fn may_try(&self, attempt: &Attempt<'_>, free: usize, now: Moment) -> Result<(), Refusal> {
        let source = Network::source_of(attempt.address);
        let pair = found(&self.pairs, &(attempt.login.clone(), source), now);
        let mut until = pair.map_or(now, |failures| waits_until(failures, free));
        if let Some(failures) = found(&self.sources, &source, now) {
            until = until.max(waits_until(failures, MOST_PER_SOURCE));
        }
        if !attempt.is_known_source
            && let Some(failures) = found(&self.accounts, attempt.login, now)
        {
            until = until.max(waits_until(failures, MOST_FROM_STRANGERS));
        }
        if until <= now {
            return Ok(());
        }
        Err(Refusal::TriedTooOften { seconds: until.since(now).millis().div_ceil(1_000) })
    }

    pub(super) fn failed(&self, attempt: &Attempt<'_>, now: Moment) {
        let source = Network::source_of(attempt.address);
        count(&self.pairs, (attempt.login.clone(), source), now);
        count(&self.sources, source, now);
        if !attempt.is_known_source {
            count(&self.accounts, attempt.login.clone(), now);
        }
    }

    /// Who got in need not wait any more.
    pub(super) fn succeeded(&self, attempt: &Attempt<'_>) {
        locked(&self.pairs).remove(&(attempt.login.clone(), Network::source_of(attempt.address)));
    }
}

pub(super) fn found<K: Eq + std::hash::Hash>(
    kept: &Mutex<HashMap<K, Failures>>,
    key: &K,
    now: Moment,
) -> Option<Failures> {
    locked(kept).get(key).copied().filter(|failures| now < failures.last.after(FORGOTTEN_AFTER))
}

pub(super) fn count<K: Eq + std::hash::Hash + Clone>(kept: &Mutex<HashMap<K, Failures>>, key: K, now: Moment) {
    let mut kept = locked(kept);
    if kept.len() >= MOST_KEPT && !kept.contains_key(&key) {
        kept.retain(|_, failures| now < failures.last.after(FORGOTTEN_AFTER));
        if kept.len() >= MOST_KEPT
            && let Some(oldest) = kept.iter().min_by_key(|(_, failures)| failures.last).map(|(key, _)| key.clone())
        {
            kept.remove(&oldest);
        }
    }
    let failures = kept.entry(key).or_insert(Failures { count: 0, last: now });
    if failures.last.after(FORGOTTEN_AFTER) <= now {
        failures.count = 0;
    }
    *failures = Failures { count: failures.count.saturating_add(1), last: now };
}

/// After `free` failures each one doubles the wait.
fn waits_until(failures: Failures, free: usize) -> Moment {
    let Some(over) = failures.count.checked_sub(free.max(1)) else { return failures.last };
    let doublings = u32::try_from(over).unwrap_or(u32::MAX).min(20);
    let wait = FIRST_WAIT.millis().saturating_mul(1 << doublings).min(LONGEST_WAIT.millis());
    failures.last.after(Span::from_millis(wait))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREE: usize = 5;

    fn attempt<'a>(login: &'a LoginName, address: &str, is_known_source: bool) -> Attempt<'a> {
        Attempt { login, address: address.parse().unwrap(), is_known_source }
    }

    fn fails(attempts: &Attempts, attempt: &Attempt<'_>, times: usize, now: Moment) {
        (0..times).for_each(|_| attempts.failed(attempt, now));
    }

    #[test]
    fn waits_double_up_to_a_quarter_of_an_hour_and_are_forgotten() {
        let (attempts, now) = (Attempts::default(), Moment::from_millis(1_000_000));
        let login = LoginName::parse("jan@example.org").unwrap();
        let jan = attempt(&login, "192.0.2.1", false);
        fails(&attempts, &jan, FREE - 1, now);
        assert!(attempts.may_try(&jan, FREE, now).is_ok());
        fails(&attempts, &jan, 1, now);
        assert_eq!(attempts.may_try(&jan, FREE, now), Err(Refusal::TriedTooOften { seconds: 15 }));
        fails(&attempts, &jan, 1, now);
        assert_eq!(attempts.may_try(&jan, FREE, now), Err(Refusal::TriedTooOften { seconds: 30 }));
        fails(&attempts, &jan, 40, now);
        assert_eq!(attempts.may_try(&jan, FREE, now), Err(Refusal::TriedTooOften { seconds: 900 }));
        assert!(attempts.may_try(&jan, FREE, now.after(FORGOTTEN_AFTER)).is_ok());
    }

    #[test]
    fn the_guesses_of_others_do_not_keep_the_owner_out() {
        let (attempts, now) = (Attempts::default(), Moment::from_millis(1_000_000));
        let login = LoginName::parse("jan@example.org").unwrap();
        // a thousand guesses, from as many networks
        for third in 0..4 {
            for fourth in 0..250 {
                fails(&attempts, &attempt(&login, &format!("198.51.{third}.{fourth}"), false), 1, now);
            }
        }
        assert!(attempts.may_try(&attempt(&login, "192.0.2.1", true), FREE, now).is_ok(), "from where it came before");
        assert!(attempts.may_try(&attempt(&login, "192.0.2.9", false), FREE, now).is_err(), "from anywhere else");
        let other = LoginName::parse("piet@example.org").unwrap();
        assert!(attempts.may_try(&attempt(&other, "192.0.2.9", false), FREE, now).is_ok(), "other accounts are free");
    }

    #[test]
    fn one_network_cannot_try_many_accounts() {
        let (attempts, now) = (Attempts::default(), Moment::from_millis(1_000_000));
        for number in 0..MOST_PER_SOURCE {
            let login = LoginName::parse(&format!("user{number}@example.org")).unwrap();
            fails(&attempts, &attempt(&login, "2001:db8::1", false), 1, now);
        }
        let login = LoginName::parse("jan@example.org").unwrap();
        assert!(attempts.may_try(&attempt(&login, "2001:db8::2", false), FREE, now).is_err(), "the same /64");
        assert!(attempts.may_try(&attempt(&login, "2001:db8:1::2", false), FREE, now).is_ok());
    }

    #[test]
    fn memory_is_bounded() {
        let (attempts, now) = (Attempts::default(), Moment::from_millis(1_000_000));
        for number in 0..MOST_KEPT + 10 {
            let login = LoginName::parse(&format!("user{number}@example.org")).unwrap();
            attempts.failed(&attempt(&login, "192.0.2.1", false), now.after(Span::from_millis(number as u64 % 1_000)));
        }
        assert!(locked(&attempts.pairs).len() <= MOST_KEPT);
    }
}
