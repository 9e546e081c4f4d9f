//! What surrounds the server, for tests: a clock that stands still, bytes that
//! count up, a relay that remembers. Nothing here is random or waits.

use std::collections::VecDeque;
use std::sync::Mutex;

use super::locked;
use crate::domain::moment::{Moment, Span};
use crate::ports::clock::{Clock, Date, Reading};
use crate::ports::entropy::Entropy;
use crate::ports::mailer::{MailOutcome, Mailer, Message};

const DAY_MILLIS: u64 = 24 * 60 * 60 * 1_000;

/// A clock that moves only when told; its days are those of UTC.
#[derive(Debug)]
pub struct FixedClock {
    reading: Mutex<Reading>,
}

impl FixedClock {
    /// A clock that stands at `wall`, with a monotonic clock at zero.
    #[must_use]
    pub const fn at(wall: Moment) -> Self {
        Self { reading: Mutex::new(Reading { wall, monotonic: Span::ZERO }) }
    }

    /// Lets both clocks go on by `span`.
    pub fn advance(&self, span: Span) {
        let mut reading = locked(&self.reading);
        reading.wall = reading.wall.after(span);
        reading.monotonic = Span::from_millis(reading.monotonic.millis().saturating_add(span.millis()));
    }

    /// Sets the wall clock alone, as somebody who resets the machine's time.
    pub fn set(&self, wall: Moment) {
        locked(&self.reading).wall = wall;
    }
}

impl Clock for FixedClock {
    fn read(&self) -> Reading {
        *locked(&self.reading)
    }

    fn date_of(&self, moment: Moment) -> Date {
        let (year, month, day) = moment.utc_date();
        Date {
            year: i16::try_from(year).unwrap_or(i16::MAX),
            month: i8::try_from(month).unwrap_or(i8::MAX),
            day: i8::try_from(day).unwrap_or(i8::MAX),
        }
    }

    fn time_of(&self, moment: Moment) -> String {
        let minutes = moment.seconds() / 60;
        format!("{:02}:{:02}", minutes / 60 % 24, minutes % 60)
    }

    fn midnight_closing(&self, moment: Moment) -> Moment {
        let days = (moment.millis() / DAY_MILLIS).saturating_add(1);
        Moment::from_millis(days.saturating_mul(DAY_MILLIS))
    }
}

/// Bytes that are different at every call, and the same in every run.
#[derive(Debug, Default)]
pub struct CountingEntropy {
    calls: Mutex<u64>,
}

impl CountingEntropy {
    /// Begins at one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Entropy for CountingEntropy {
    fn fill(&self, into: &mut [u8]) {
        let mut calls = locked(&self.calls);
        *calls += 1;
        // The count stands at the end, where no version bits of an id lie over it.
        let count = calls.to_be_bytes();
        into.fill(0);
        for (byte, part) in into.iter_mut().rev().zip(count.iter().rev()) {
            *byte = *part;
        }
    }
}

/// A relay that accepts everything, unless the test scripted other outcomes.
#[derive(Debug, Default)]
pub struct MemoryMailer {
    messages: Mutex<Vec<Message>>,
    outcomes: Mutex<VecDeque<MailOutcome>>,
}

impl MemoryMailer {
    /// A relay that accepts everything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The next message that no script covers yet ends so.
    pub fn script(&self, outcome: MailOutcome) {
        locked(&self.outcomes).push_back(outcome);
    }

    /// Every message that was handed over, in order, whatever its outcome.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        locked(&self.messages).clone()
    }
}

impl Mailer for MemoryMailer {
    fn send(&self, message: &Message) -> MailOutcome {
        locked(&self.messages).push(message.clone());
        locked(&self.outcomes).pop_front().unwrap_or(MailOutcome::Accepted)
    }
}
