//! Those who have not signed in: how many may wait, in all and of one address, and
//! which addresses are refused for a while because they came to nothing too often.
//! Knows nothing of sockets; the time is an argument.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::config::sftp::{PenaltySettings, SftpSettings};
use crate::domain::network::Network;

/// Addresses remembered at most, about 100 bytes each; beyond that the one soonest forgotten makes way.
const MAX_SOURCES: usize = 16_384;
/// Refused connections are counted, and told no more often than this.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// Why a connection is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Turned {
    /// As many wait for sign-in as may.
    Full,
    /// As many of this address wait for sign-in as may.
    FullOfAddress,
    /// The address came to nothing too often.
    Penalised,
}

/// An address begins to be refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Penalty {
    /// What is refused.
    pub(super) source: Network,
    /// For how long.
    pub(super) lasts: Duration,
    /// Connections that came to nothing so far.
    pub(super) faults: usize,
    /// Connections refused by earlier penalties.
    pub(super) refused: u64,
}

/// Everybody who has not signed in, and the memory of those who did not.
pub(super) struct Strangers {
    most: usize,
    most_of_address: usize,
    penalties: PenaltySettings,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    waiting: usize,
    waiting_of: HashMap<Network, usize>,
    records: HashMap<Network, Record>,
    turned_away: u64,
    told: Option<Instant>,
}

struct Record {
    faults: usize,
    last: Instant,
    penalties: u32,
    until: Option<Instant>,
    refused: u64,
}

impl Record {
    /// When all is forgotten.
    fn ends(&self, window: Duration) -> Instant {
        let last = self.until.map_or(self.last, |until| until.max(self.last));
        last.checked_add(window).unwrap_or(last)
    }
}

/// Counts as waiting until dropped.
pub(super) struct Place {
    strangers: Arc<Strangers>,
    source: Network,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut book = self.strangers.book();
        book.waiting = book.waiting.saturating_sub(1);
        if let Some(count) = book.waiting_of.get_mut(&self.source) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                book.waiting_of.remove(&self.source);
            }
        }
    }
}

impl Strangers {
    /// Nobody waits, nothing is remembered.
    pub(super) fn new(settings: &SftpSettings) -> Arc<Self> {
        Arc::new(Self {
            most: settings.max_unauthenticated,
            most_of_address: settings.max_unauthenticated_per_address,
            penalties: settings.penalties.clone(),
            book: Mutex::default(),
        })
    }

    /// Takes a connection from this address among those that wait for sign-in.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr, now: Instant) -> Result<Place, Turned> {
        let source = Network::source_of(address);
        let exempt = self.is_exempt(address);
        let mut book = self.book();
        if let Some(record) = book.records.get_mut(&source)
            && !exempt
            && record.until.is_some_and(|until| now < until)
        {
            record.refused = record.refused.saturating_add(1);
            return Err(Turned::Penalised);
        }
        if book.waiting >= self.most {
            return Err(Turned::Full);
        }
        let of_address = book.waiting_of.get(&source).copied().unwrap_or(0);
        if of_address >= self.most_of_address && !exempt {
            return Err(Turned::FullOfAddress);
        }
        book.waiting = book.waiting.saturating_add(1);
        book.waiting_of.insert(source, of_address.saturating_add(1));
        Ok(Place { strangers: Arc::clone(self), source })
    }

    /// A connection from this address came to nothing; the penalty that begins by it, if one does.
    pub(super) fn fault(&self, address: IpAddr, now: Instant) -> Option<Penalty> {
        if self.penalties.after == 0 || self.is_exempt(address) {
            return None;
        }
        let source = Network::source_of(address);
        let window = self.penalties.window;
        let mut book = self.book();
        if book.records.get(&source).is_none_or(|record| record.ends(window) <= now) {
            book.make_room(window, now);
            book.records.insert(source, Record { faults: 0, last: now, penalties: 0, until: None, refused: 0 });
        }
        let record = book.records.get_mut(&source)?;
        record.faults = record.faults.saturating_add(1);
        record.last = now;
        // those that were under way when the penalty began must not make it longer
        if record.faults < self.penalties.after || record.until.is_some_and(|until| now < until) {
            return None;
        }
        let doubled = 1_u32.checked_shl(record.penalties).unwrap_or(u32::MAX);
        let lasts = self.penalties.base.saturating_mul(doubled).min(self.penalties.most);
        record.penalties = record.penalties.saturating_add(1).min(u32::BITS);
        record.until = now.checked_add(lasts);
        Some(Penalty { source, lasts, faults: record.faults, refused: std::mem::take(&mut record.refused) })
    }

    /// Somebody of this address signed in: what came to nothing before is forgotten.
    pub(super) fn forgive(&self, address: IpAddr) {
        self.book().records.remove(&Network::source_of(address));
    }

    /// Counts a connection turned away; how many there were, when it is time to tell.
    pub(super) fn turned_away(&self, now: Instant) -> Option<u64> {
        let mut book = self.book();
        book.turned_away = book.turned_away.saturating_add(1);
        if book.told.is_some_and(|told| now < told + TELL_EVERY) {
            return None;
        }
        book.told = Some(now);
        Some(std::mem::take(&mut book.turned_away))
    }

    fn is_exempt(&self, address: IpAddr) -> bool {
        self.penalties.exempt.iter().any(|network| network.contains(address))
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn make_room(&mut self, window: Duration, now: Instant) {
        if self.records.len() < MAX_SOURCES {
            return;
        }
        self.records.retain(|_, record| record.ends(window) > now);
        if self.records.len() >= MAX_SOURCES {
            let soonest = self.records.iter().min_by_key(|(_, record)| record.ends(window)).map(|(source, _)| *source);
            soonest.map(|source| self.records.remove(&source));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strangers(after: usize, exempt: &[&str]) -> Arc<Strangers> {
        let exempt = exempt.iter().map(|text| Network::parse(text).unwrap()).collect();
        Strangers::new(&SftpSettings {
            max_unauthenticated: 5,
            max_unauthenticated_per_address: 2,
            penalties: PenaltySettings {
                after,
                window: Duration::from_secs(600),
                base: Duration::from_secs(30),
                most: Duration::from_secs(100),
                exempt,
            },
            ..SftpSettings::default()
        })
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    const fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn start() -> Instant {
        #[expect(clippy::disallowed_methods, reason = "a begin to count from; there is no other way to make one")]
        Instant::now()
    }

    #[test]
    fn places_are_bound_in_all_and_of_one_address() {
        let (strangers, now) = (strangers(0, &["192.0.2.9"]), start());
        let one = ip("2001:db8::1");
        let first = strangers.admit(one, now).ok().unwrap();
        let _second = strangers.admit(ip("2001:db8::2"), now).ok().unwrap();
        assert_eq!(strangers.admit(ip("2001:db8::3"), now).err(), Some(Turned::FullOfAddress), "of one /64");
        let _exempt: Vec<_> = (0..3).map(|_| strangers.admit(ip("192.0.2.9"), now).ok().unwrap()).collect();
        assert_eq!(strangers.admit(ip("192.0.2.1"), now).err(), Some(Turned::Full));
        drop(first);
        let _again = strangers.admit(one, now).ok().unwrap();
        assert_eq!(strangers.admit(ip("192.0.2.9"), now).err(), Some(Turned::Full), "nobody is exempt from the whole");
    }

    #[test]
    fn penalties_begin_grow_end_and_are_forgotten() {
        let (strangers, begin) = (strangers(3, &[]), start());
        let bad = ip("192.0.2.1");
        assert_eq!(strangers.fault(bad, begin), None);
        assert_eq!(strangers.fault(bad, begin), None);
        let first = strangers.fault(bad, begin).unwrap();
        assert_eq!((first.lasts, first.faults, first.refused), (seconds(30), 3, 0));
        assert_eq!(strangers.fault(bad, begin + seconds(1)), None, "it was under way when the penalty began");
        assert_eq!(strangers.admit(bad, begin + seconds(29)).err(), Some(Turned::Penalised));
        assert!(strangers.admit(ip("192.0.2.2"), begin).is_ok(), "others are not refused");
        assert!(strangers.admit(bad, begin + seconds(30)).is_ok());
        let second = strangers.fault(bad, begin + seconds(31)).unwrap();
        assert_eq!((second.lasts, second.refused), (seconds(60), 1));
        let third = strangers.fault(bad, begin + seconds(91)).unwrap();
        assert_eq!(third.lasts, seconds(100), "bounded");
        assert_eq!(strangers.fault(bad, begin + seconds(191 + 600)), None, "forgotten a window after its end");
    }

    #[test]
    fn signing_in_makes_good_and_the_exempt_are_never_refused() {
        let (strangers, now) = (strangers(2, &["198.51.100.0/24"]), start());
        let address = ip("192.0.2.1");
        strangers.fault(address, now);
        strangers.forgive(address);
        assert_eq!(strangers.fault(address, now), None);
        assert!(strangers.fault(address, now).is_some());
        for _ in 0..9 {
            assert_eq!(strangers.fault(ip("198.51.100.7"), now), None);
        }
        assert!(strangers.admit(ip("198.51.100.7"), now).is_ok());
    }

    #[test]
    fn the_table_is_bounded_and_keeps_the_latest() {
        let (strangers, now) = (strangers(1, &[]), start());
        for number in 0..=u32::try_from(MAX_SOURCES).unwrap() {
            let address = IpAddr::from(number.to_be_bytes());
            strangers.fault(address, now + Duration::from_millis(u64::from(number)));
        }
        assert_eq!(strangers.book().records.len(), MAX_SOURCES);
        let later = now + seconds(20);
        assert!(strangers.admit(ip("0.0.0.0"), later).is_ok(), "the first made way");
        assert_eq!(strangers.admit(ip("0.0.64.0"), later).err(), Some(Turned::Penalised));
    }

    #[test]
    fn those_turned_away_are_told_in_numbers() {
        let (strangers, now) = (strangers(0, &[]), start());
        assert_eq!(strangers.turned_away(now), Some(1));
        assert_eq!(strangers.turned_away(now + seconds(1)), None);
        assert_eq!(strangers.turned_away(now + TELL_EVERY), Some(2));
    }
}
