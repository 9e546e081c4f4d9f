//! The queue before the writer: rules in the order in which they were asked. The
//! writer is woken for those that somebody waits for; others linger until it comes by.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use super::later::UnderWay;
use super::writer_ended;
use crate::ports::catalog::{Committed, Rule, Then};
use crate::ports::failure::Failure;

/// A decision that nobody waits for waits so long for one to be written with: half the syncs.
const LINGER: Duration = Duration::from_millis(20);

/// A rule and who waits for it.
pub(super) struct Job {
    pub(super) rule: Rule,
    pub(super) reply: Reply,
}

/// What becomes of a rule's outcome.
pub(super) enum Reply {
    /// Somebody waits for it.
    Awaited(Awaiting),
    /// Nobody does: a failure is logged.
    Logged(UnderWay),
}

impl Reply {
    /// Tells the outcome; who does not wait any more needs none.
    pub(super) fn answer(self, outcome: Result<Committed, Failure>) {
        match self {
            Self::Awaited(awaiting) => awaiting.tell(outcome),
            Self::Logged(under_way) => under_way.report(&outcome.map(|_| ())),
        }
    }
}

/// Somebody who waits: told once, also when the writer ends without a word.
pub(super) struct Awaiting(Option<Then>);

impl Awaiting {
    pub(super) fn new(then: Then) -> Self {
        Self(Some(then))
    }

    fn tell(mut self, outcome: Result<Committed, Failure>) {
        if let Some(then) = self.0.take() {
            then(outcome);
        }
    }
}

impl Drop for Awaiting {
    fn drop(&mut self) {
        if let Some(then) = self.0.take() {
            then(Err(writer_ended().with_outcome_unknown().into()));
        }
    }
}

/// The queue.
#[derive(Default)]
pub(super) struct Queue {
    most: usize,
    state: Mutex<State>,
    /// The writer has something to do.
    work: Condvar,
    /// There is room for another.
    room: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    /// How many of them somebody waits for.
    awaited: usize,
    /// Somebody waits for what nobody waited for.
    is_urgent: bool,
    is_closed: bool,
    /// The thread that takes jobs.
    writer: Option<ThreadId>,
    /// How many wait for room.
    crowd: usize,
    /// What the writer waits for, if it does: a wake that nobody needs costs as much as one that is.
    waiting: Waiting,
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Waiting {
    #[default]
    Not,
    ForAny,
    ForAwaited,
}

impl Queue {
    /// A queue for at most `most` rules.
    pub(super) fn new(most: usize) -> Self {
        Self { most: most.max(1), ..Self::default() }
    }

    /// Queues a job; waits while the queue is full. False, and the job is dropped, once it is closed.
    /// The writer itself, on whose thread outcomes are told and what they held is dropped, never waits.
    pub(super) fn push(&self, job: Job) -> bool {
        let may_wait = !self.is_writer();
        let mut state = self.state();
        while may_wait && state.jobs.len() >= self.most && !state.is_closed {
            state.crowd += 1;
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.crowd -= 1;
        }
        if state.is_closed {
            drop(state);
            return false;
        }
        let is_awaited = matches!(job.reply, Reply::Awaited(_));
        state.awaited += usize::from(is_awaited);
        state.jobs.push_back(job);
        self.wake(state, is_awaited);
        true
    }

    /// Whether this is the writer's thread: whoever waits there for the catalog waits for ever.
    pub(super) fn is_writer(&self) -> bool {
        self.state().writer == Some(thread::current().id())
    }

    /// Somebody now waits for all that is queued.
    pub(super) fn hurry(&self) {
        let mut state = self.state();
        state.is_urgent = !state.jobs.is_empty();
        self.wake(state, true);
    }

    /// Nothing more is taken on; what is queued is still to be done.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.is_closed = true;
        self.wake(state, true);
        self.room.notify_all();
    }

    /// The next jobs, at most `most`; waits for them. `None` when closed and empty.
    pub(super) fn take(&self, most: usize) -> Option<Vec<Job>> {
        let mut state = self.state();
        // Whoever follows soon needs not wake the writer for what nobody waits for.
        let mut until = Instant::now() + LINGER;
        loop {
            let is_due = state.awaited > 0 || state.is_urgent || state.is_closed || state.jobs.len() >= most;
            let left = until.saturating_duration_since(Instant::now());
            if state.jobs.is_empty() && state.is_closed {
                return None;
            }
            if !state.jobs.is_empty() && (is_due || left.is_zero()) {
                break;
            }
            if left.is_zero() {
                state.waiting = Waiting::ForAny;
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                until = Instant::now() + LINGER;
            } else {
                state.waiting = Waiting::ForAwaited;
                state = self.work.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
            }
            state.waiting = Waiting::Not;
        }
        let count = state.jobs.len().min(most.max(1));
        let taken: Vec<Job> = state.jobs.drain(..count).collect();
        state.awaited -= taken.iter().filter(|job| matches!(job.reply, Reply::Awaited(_))).count();
        if state.jobs.is_empty() {
            state.is_urgent = false;
        }
        let is_crowded = state.crowd > 0;
        drop(state);
        if is_crowded {
            self.room.notify_all();
        }
        Some(taken)
    }

    fn wake(&self, mut state: MutexGuard<'_, State>, is_awaited: bool) {
        let due = match state.waiting {
            Waiting::Not => false,
            Waiting::ForAny => true,
            Waiting::ForAwaited => is_awaited || state.jobs.len() >= self.most,
        };
        if due {
            // told once: until it has looked, nobody else need tell it again
            state.waiting = Waiting::Not;
        }
        drop(state);
        if due {
            self.work.notify_one();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Held by the writer on its thread: however it ends, nobody waits for it for ever.
pub(super) struct Working<'a>(&'a Queue);

impl<'a> Working<'a> {
    pub(super) fn begin(queue: &'a Queue) -> Self {
        queue.state().writer = Some(thread::current().id());
        Self(queue)
    }
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        self.0.close();
        let left = std::mem::take(&mut self.0.state().jobs);
        drop(left);
    }
}

#[cfg(test)]
mod tests {
    use super::super::later::Later;
    use super::*;
    use crate::domain::refusal::Refusal;
    use std::sync::Arc;
    use std::sync::mpsc::channel;

    fn refuse() -> Rule {
        Box::new(|_| Err(Refusal::NoSpace.into()))
    }

    fn logged(later: &Arc<Later>) -> Job {
        Job { rule: refuse(), reply: Reply::Logged(Arc::clone(later).begin("try the queue")) }
    }

    #[test]
    fn order_is_kept_and_an_awaited_one_brings_the_others_along() {
        let (queue, later) = (Queue::new(10), Arc::<Later>::default());
        let (told, heard) = channel();
        assert!(queue.push(logged(&later)) && queue.push(logged(&later)));
        let then: Then = Box::new(move |outcome| told.send(outcome.is_err()).unwrap());
        assert!(queue.push(Job { rule: refuse(), reply: Reply::Awaited(Awaiting::new(then)) }));
        let jobs = queue.take(10).unwrap();
        let awaited: Vec<bool> = jobs.iter().map(|job| matches!(job.reply, Reply::Awaited(_))).collect();
        assert_eq!(awaited, [false, false, true]);
        drop(jobs);
        assert!(heard.recv().unwrap(), "who waits is told when a job is dropped");
    }

    #[test]
    fn what_nobody_waits_for_is_taken_in_the_end() {
        let (queue, later) = (Queue::new(10), Arc::<Later>::default());
        queue.push(logged(&later));
        assert_eq!(queue.take(10).unwrap().len(), 1);
    }

    #[test]
    fn the_writer_itself_never_waits_for_room() {
        let (queue, later) = (Queue::new(1), Arc::<Later>::default());
        let _working = Working::begin(&queue);
        assert!(queue.push(logged(&later)) && queue.push(logged(&later)), "else it would stand still for ever");
        assert_eq!(queue.take(10).unwrap().len(), 2);
    }

    #[test]
    fn a_full_queue_makes_wait_and_a_closed_one_takes_nothing() {
        let (queue, later) = (Arc::new(Queue::new(1)), Arc::<Later>::default());
        assert!(queue.push(logged(&later)));
        let pusher = {
            let (queue, job) = (Arc::clone(&queue), logged(&later));
            thread::spawn(move || queue.push(job))
        };
        assert_eq!(queue.take(1).unwrap().len(), 1);
        assert!(pusher.join().unwrap());
        drop(Working::begin(&queue));
        assert!(!queue.push(logged(&later)));
        assert!(queue.take(1).is_none());
        assert!(later.is_empty(), "those left were ended");
    }
}
