//! Whole conversations: the input holds bounds, a schedule and the client's bytes. Whatever the cut of the
//! bytes and the order in which jobs end, each request is answered once, in order, as the oracle says.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use postkluis::fronts::sftp::request_names::admitted;
use postkluis::fronts::sftp::requests::{Core, CoreLimits, Finished, Job};
use postkluis::fronts::sftp::wire::MAX_PACKET_BYTES;

use super::Chance;
use super::oracle::{Expected, MOST_CHECKED_BYTES, Oracle};
use super::packets::{Plain, frames};
use super::shelf::MemoryShelf;

/// Bounds and schedule before the client's bytes.
pub(crate) const HEAD_BYTES: usize = 8;
/// Longest input; more of the same finds nothing new.
const MOST_BYTES: usize = 300_000;
/// An answer that is no data and no names is shorter: two paths of 4,096 bytes.
const SMALL_ANSWER_BYTES: usize = 16 * 1024;

pub(crate) fn run(data: &[u8]) {
    let Some((head, stream)) = data.split_at_checked(HEAD_BYTES) else { return };
    let stream = &stream[..stream.len().min(MOST_BYTES)];
    let limits = CoreLimits {
        max_handles: 1 + usize::from(head[0] % 8),
        window_requests: 1 + usize::from(head[1] % 16),
        window_bytes: [1 << 10, 1 << 16, 1 << 20, 1 << 22][usize::from(head[2] % 4)],
        check_file_bytes: MOST_CHECKED_BYTES,
    };
    let page_entries = 1 + usize::from(head[3] % 4);
    let seed = Plain(&head[4..]).number(4).unwrap_or_default();
    let plain = Drive::new(CoreLimits { window_requests: 1, ..limits }, page_entries, None).whole(stream);
    check(stream, limits.max_handles, &plain);
    let mixed = Drive::new(limits, page_entries, Some(Chance::new(seed))).whole(stream);
    assert!(plain == mixed, "another cut or another order of jobs gives other answers");
}

/// One conversation under way. Without chance, all is fed at once and run in order.
struct Drive {
    core: Core,
    shelf: Arc<MemoryShelf>,
    limits: CoreLimits,
    chance: Option<Chance>,
    running: Vec<Job>,
    ended: Vec<Finished>,
    /// Answers that the transport has not yet sent.
    held: Vec<Bytes>,
    answers: Vec<u8>,
}

impl Drive {
    fn new(limits: CoreLimits, page_entries: usize, chance: Option<Chance>) -> Self {
        let shelf = Arc::new(MemoryShelf::new(page_entries));
        let core = Core::new(limits, admitted(&*shelf));
        let (running, ended, held, answers) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { core, shelf, limits, chance, running, ended, held, answers }
    }

    fn whole(mut self, stream: &[u8]) -> Vec<u8> {
        let quiet = quiet_points(stream);
        let mut at = 0;
        while at < stream.len() {
            let next = quiet.iter().copied().find(|point| *point > at).unwrap_or(stream.len());
            let left = next - at;
            let length = match &mut self.chance {
                Some(chance) => match chance.below(4) {
                    0 => left,
                    _ => 1 + chance.below(left.min(64)),
                },
                None => left,
            };
            let fed = self.core.feed(&stream[at..at + length]);
            at += length;
            if fed.is_err() {
                break;
            }
            if at == next {
                self.settle();
            } else {
                let steps = self.chance.as_mut().map_or(0, |chance| chance.below(6));
                for _ in 0..steps {
                    self.step();
                }
            }
        }
        self.settle();
        assert!(self.core.is_idle() && !self.core.has_outgoing() && !self.core.has_waiting());
        assert!(self.core.has_nothing_under_way());
        for file in self.core.end() {
            file.abandon();
        }
        let tally = &self.shelf.tally;
        let [opened, closed, abandoned] =
            [&tally.opened, &tally.closed, &tally.abandoned].map(|count| count.load(Ordering::Relaxed));
        assert_eq!(opened, closed + abandoned, "a file was opened and neither closed nor abandoned, or both");
        self.answers
    }

    /// Goes on until all that was fed is answered and sent.
    fn settle(&mut self) {
        while !self.core.is_idle() {
            assert!(self.step() || self.all(), "requests wait and nothing can go on");
        }
    }

    /// Tries each kind of step once.
    fn all(&mut self) -> bool {
        (0..4).any(|step| self.do_step(step, 0))
    }

    fn step(&mut self) -> bool {
        let Some(chance) = &mut self.chance else { return self.all() };
        let (step, which) = (chance.below(5), chance.below(1 << 16));
        self.do_step(step, which)
    }

    fn do_step(&mut self, step: usize, which: usize) -> bool {
        let went_on = match step {
            0 => self.core.take_job().map(|job| self.running.push(job)).is_some(),
            1 => take(&mut self.running, which).map(|job| self.ended.push(job.run(&*self.shelf))).is_some(),
            2 => take(&mut self.ended, which).map(|finished| self.core.finish(finished)).is_some(),
            3 if !self.held.is_empty() => {
                self.held.clear();
                true
            }
            _ => false,
        };
        let sends = step == 4 || self.chance.is_none() || (step == 3 && !went_on);
        let sent = sends && self.send();
        self.hold_bounds();
        went_on || sent
    }

    fn send(&mut self) -> bool {
        let Some(bytes) = self.core.take_outgoing() else { return false };
        self.answers.extend_from_slice(&bytes);
        self.held.push(bytes);
        true
    }

    fn hold_bounds(&self) {
        let under_way = self.running.len() + self.ended.len();
        assert!(under_way <= self.limits.window_requests, "{under_way} requests run");
        let tally = &self.shelf.tally;
        let ended = tally.closed.load(Ordering::Relaxed) + tally.abandoned.load(Ordering::Relaxed);
        let open = tally.opened.load(Ordering::Relaxed) - ended;
        let most = self.limits.max_handles + self.limits.window_requests;
        assert!(open <= most, "{open} files are open");
        let held: usize = self.held.iter().map(Bytes::len).sum();
        let most = self.limits.window_bytes + MAX_PACKET_BYTES + self.limits.window_requests * SMALL_ANSWER_BYTES;
        assert!(held <= most, "{held} bytes are with the transport");
    }
}

fn take<T>(from: &mut Vec<T>, which: usize) -> Option<T> {
    (!from.is_empty()).then(|| from.swap_remove(which % from.len()))
}

/// Where a client waits for its answers, since the outcome would rightly depend on the order: before and
/// after it opens a folder (which handle has which number) and changes a file through a handle.
fn quiet_points(stream: &[u8]) -> Vec<usize> {
    let (bodies, starts) = frames(stream);
    let waits = |body: &[u8]| matches!(body.first(), Some(6 | 10 | 11));
    let around = bodies.iter().zip(starts.windows(2)).filter(|(body, _)| waits(body));
    let mut points: Vec<usize> = around.flat_map(|(_, ends)| ends.iter().copied()).collect();
    points.dedup();
    points
}

/// Holds the answers against the oracle's, one by one.
fn check(stream: &[u8], max_handles: usize, answers: &[u8]) {
    let (bodies, _) = frames(stream);
    let (given, ends) = answer_frames(answers);
    assert_eq!(ends, answers.len(), "half an answer");
    let mut given = given.into_iter();
    let mut oracle = Oracle::new(max_handles);
    for (at, body) in bodies.iter().enumerate() {
        let is_init = body[0] == 1;
        // from here on it is no conversation
        if body.len() < 5 || is_init != (at == 0) {
            break;
        }
        let answer = given.next().expect("each request is answered");
        if is_init {
            assert_eq!((answer[0], &answer[1..5]), (2, &[0, 0, 0, 3][..]));
            continue;
        }
        assert_eq!(answer[1..5], body[1..5], "the ids of the answers are those of the requests, in order");
        let expected = oracle.expect(body);
        hold(&mut oracle, &expected, answer[0], &mut Plain(&answer[5..]));
    }
    assert!(given.next().is_none(), "an answer that nobody asked for");
}

fn hold(oracle: &mut Oracle, expected: &Expected, kind: u8, fields: &mut Plain<'_>) {
    match expected {
        Expected::Status(code) => assert_eq!((kind, fields.number(4)), (101, Some(*code))),
        Expected::Handle(number) => assert_eq!((kind, fields.string()), (102, Some(&number.to_be_bytes()[..]))),
        Expected::Data(bytes) => assert!(kind == 103 && fields.string() == Some(bytes), "wrong data"),
        Expected::Size(size) => assert_eq!((kind, fields.attributes()), (105, Some(Some(*size)))),
        Expected::Reply(bytes) => assert_eq!((kind, fields.0.len()), (201, *bytes)),
        Expected::Path(path) => {
            assert_eq!((kind, fields.number(4), fields.string()), (104, Some(1), Some(path.as_bytes())));
        }
        Expected::NamesOf(number) => {
            let left = oracle.left(*number);
            if left.is_empty() {
                assert_eq!((kind, fields.number(4)), (101, Some(1)));
                return;
            }
            let count = fields.number(4).unwrap_or_default() as usize;
            assert!(kind == 104 && count > 0 && count <= left.len(), "{count} of {} names", left.len());
            for name in left.drain(..count) {
                assert_eq!(fields.string(), Some(name.as_bytes()));
                assert!(fields.string().is_some() && fields.attributes().is_some());
            }
            assert!(fields.0.is_empty());
        }
    }
}

/// The answers, and where the last whole one ends. Answers obey the packet limit too.
fn answer_frames(answers: &[u8]) -> (Vec<&[u8]>, usize) {
    let (bodies, starts) = frames(answers);
    (bodies, starts.last().copied().unwrap_or_default())
}
