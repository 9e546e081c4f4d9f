//! What clients do while the server is about to be killed, and the moments the
//! kill is aimed at. Writes down what was asked and answered, judges nothing.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::ledger::{Asked, Dice, Fetched, for_a_moment, for_command_line, for_spool};
use super::stage::{Desk, Stage};
use super::{Killed, traces};
use crate::support::clients::SftpClient;
use crate::support::programs::finish;

/// A moment that is aimed at comes within this time, or the kill comes anyway.
const AIM_PATIENCE: Duration = Duration::from_secs(6);
/// How often the disk is looked at while aiming.
const GLANCE: Duration = Duration::from_micros(300);
/// Large enough to be killed while it is sealed.
const LARGE: usize = 8_000_000;
/// A part of a fetch that is worth cutting off.
const PART_BYTES: u64 = 64 * 1024;
/// At most so many publications of one client per round.
const MOST_PER_CLIENT: u64 = 3;

/// What the kill of a round is aimed at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Aim {
    Anywhen,
    Sealing,
    Sealed,
    Answer,
    Claimed,
    Dropped,
    MidFetch,
    WindowEnd,
    Expired,
    KeyGone,
}

impl Aim {
    /// A run goes through these again and again.
    pub(crate) const CYCLE: [Self; 12] = [
        Self::Anywhen,
        Self::Sealing,
        Self::Claimed,
        Self::MidFetch,
        Self::WindowEnd,
        Self::Dropped,
        Self::Anywhen,
        Self::Sealed,
        Self::Expired,
        Self::Answer,
        Self::KeyGone,
        Self::Anywhen,
    ];
}

/// What the clients of one round did.
#[derive(Default)]
pub(crate) struct Round {
    pub(crate) asked: Vec<Asked>,
    pub(crate) fetched: Vec<Fetched>,
    /// Clients that were cut off with a part of a file.
    pub(crate) cut_off: usize,
}

/// Where files to publish wait.
pub(crate) struct Places {
    pub(crate) offers: PathBuf,
    pub(crate) spool: PathBuf,
}

/// A file that a robot can fetch.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) delivery: String,
    pub(crate) path: String,
    pub(crate) file: String,
    pub(crate) size: u64,
}

/// Lets clients work, kills the server at the moment aimed at, and tells what the clients saw.
pub(crate) fn work_and_kill(
    stage: &mut Stage,
    places: &Places,
    aim: Aim,
    round: u64,
    shown: Vec<Shown>,
    dice: &mut Dice,
) -> (Round, Killed) {
    let stop = Arc::new(AtomicBool::new(false));
    let done = Arc::new(Mutex::new(Round::default()));
    let (home, desk) = (stage.home(), stage.desk());
    let before = Marks::of(&home);
    let robot = stage.robot("alpha");
    let parts = robot.folder().to_owned();
    // Before anybody looks: a part of an earlier round is no sign that this round's fetch is on its way.
    for name in traces::names(&parts).iter().filter(|name| name.ends_with(".part")) {
        fs::remove_file(parts.join(name)).expect("an old part");
    }
    let mut clients = Vec::new();
    let mut seed = || Dice(dice.below(1 << 31));
    let publisher = Publisher { desk: desk.clone(), offers: places.offers.clone(), round, aim };
    clients.push(start("publisher", &stop, &done, seed(), move |stop, done, dice| publisher.run(stop, done, dice)));
    if matches!(aim, Aim::Anywhen | Aim::Claimed | Aim::Dropped) {
        let dropper = Dropper { offers: places.offers.clone(), spool: places.spool.clone(), round, aim };
        clients.push(start("dropper", &stop, &done, seed(), move |stop, done, dice| dropper.run(stop, done, dice)));
    }
    if matches!(aim, Aim::Anywhen | Aim::MidFetch | Aim::WindowEnd) {
        let is_slow = aim == Aim::MidFetch;
        clients.push(start("robot", &stop, &done, seed(), move |stop, done, dice| {
            fetch(&robot, is_slow, &shown, stop, done, dice);
        }));
    }
    before.wait_for(aim, &home, &parts, dice);
    let from = super::now_millis();
    stage.server.kill9();
    let killed = Killed { from, until: super::now_millis() };
    stop.store(true, Ordering::SeqCst);
    for client in clients {
        client.join().expect("a client of the round");
    }
    let round = std::mem::take(&mut *done.lock().expect("the round"));
    (round, killed)
}

pub(crate) fn start(
    name: &str,
    stop: &Arc<AtomicBool>,
    done: &Arc<Mutex<Round>>,
    mut dice: Dice,
    work: impl FnOnce(&AtomicBool, &Mutex<Round>, &mut Dice) + Send + 'static,
) -> thread::JoinHandle<()> {
    let (stop, done) = (Arc::clone(stop), Arc::clone(done));
    let client = move || work(&stop, &done, &mut dice);
    thread::Builder::new().name(name.to_owned()).spawn(client).expect("a thread")
}

/// What the disk showed before the clients began.
pub(crate) struct Marks {
    destroyed_bytes: u64,
    journal_bytes: u64,
}

impl Marks {
    pub(crate) fn of(home: &Path) -> Self {
        Self { destroyed_bytes: size(&traces::destroyed(home)), journal_bytes: traces::journal_bytes(home) }
    }

    /// Waits for the moment, then a little longer or not at all.
    pub(crate) fn wait_for(&self, aim: Aim, home: &Path, parts: &Path, dice: &mut Dice) {
        let tmp = traces::unfinished(home);
        match aim {
            Aim::Anywhen => thread::sleep(Duration::from_millis(dice.below(2_200))),
            Aim::Sealing => {
                until(|| traces::names(&tmp).iter().any(|name| size(&tmp.join(name)) > 0));
                thread::sleep(Duration::from_micros(dice.below(4_000)));
            }
            Aim::Sealed => self.sealed(&tmp),
            Aim::Answer => {
                self.sealed(&tmp);
                self.recorded(home);
            }
            Aim::Claimed => {
                until(|| !traces::claimed(home).is_empty());
                thread::sleep(Duration::from_micros(dice.below(4) * 1_500));
            }
            Aim::Dropped => {
                until(|| !traces::claimed(home).is_empty());
                self.recorded(home);
            }
            Aim::MidFetch => {
                until(|| largest(parts) >= PART_BYTES);
                thread::sleep(Duration::from_millis(dice.below(200)));
            }
            Aim::WindowEnd => {
                until(|| !overdue(home).is_empty());
                thread::sleep(Duration::from_millis(dice.below(300)));
            }
            Aim::Expired => {
                until(|| !overdue(home).is_empty());
                self.recorded(home);
            }
            Aim::KeyGone => {
                until(|| size(&traces::destroyed(home)) > self.destroyed_bytes);
                thread::sleep(Duration::from_micros(dice.below(3) * 700));
            }
        }
    }

    /// Until the journal has grown once more.
    fn recorded(&self, home: &Path) {
        let before = traces::journal_bytes(home).max(self.journal_bytes);
        until(|| traces::journal_bytes(home) > before);
    }

    /// Until a payload has left the place where it was sealed.
    fn sealed(&self, tmp: &Path) {
        let mut seen = Vec::new();
        until(|| {
            let now = traces::names(tmp);
            let has_left = seen.iter().any(|name| !now.contains(name));
            seen = now;
            has_left
        });
    }
}

/// Slots whose window has ended and whose key is still there.
fn overdue(home: &Path) -> Vec<String> {
    traces::overdue_slots(home, super::now_millis())
}

pub(crate) fn until(mut is_reached: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_reached() && begun.elapsed() < AIM_PATIENCE {
        thread::sleep(GLANCE);
    }
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |found| found.len())
}

fn largest(folder: &Path) -> u64 {
    let parts = traces::names(folder).into_iter().filter(|name| name.ends_with(".part"));
    parts.map(|name| size(&folder.join(name))).max().unwrap_or_default()
}

pub(crate) struct Publisher {
    pub(crate) desk: Desk,
    pub(crate) offers: PathBuf,
    pub(crate) round: u64,
    pub(crate) aim: Aim,
}

impl Publisher {
    pub(crate) fn run(&self, stop: &AtomicBool, done: &Mutex<Round>, dice: &mut Dice) {
        if self.aim == Aim::Dropped {
            // The journal is to grow by the drop.
            return;
        }
        let size = matches!(self.aim, Aim::Sealing).then_some(LARGE);
        if matches!(self.aim, Aim::Anywhen | Aim::WindowEnd | Aim::Expired | Aim::KeyGone) {
            self.publish(for_a_moment(&self.offers, &format!("brief-{}", self.round), dice), done);
        }
        for number in 0..MOST_PER_CLIENT {
            if stop.load(Ordering::SeqCst) {
                return;
            }
            if matches!(self.aim, Aim::WindowEnd | Aim::Expired | Aim::KeyGone | Aim::MidFetch) && number > 0 {
                return;
            }
            let key = format!("daily-{}-{number}", self.round);
            if !self.publish(for_command_line(&self.offers, &key, size, dice), done) {
                return;
            }
        }
    }

    pub(crate) fn publish(&self, mut asked: Asked, done: &Mutex<Round>) -> bool {
        let at = {
            let mut done = done.lock().expect("the round");
            done.asked.push(asked.clone());
            done.asked.len() - 1
        };
        asked.answered = publish(&self.desk, &self.offers, &asked).is_some();
        done.lock().expect("the round").asked[at] = asked.clone();
        asked.answered
    }
}

/// Publishes by command line; the answer, or nothing when the client did not end with success.
pub(crate) fn publish(desk: &Desk, offers: &Path, asked: &Asked) -> Option<Value> {
    let mut arguments = vec!["delivery".to_owned(), "publish".to_owned()];
    arguments.extend(asked.files.iter().map(|file| offers.join(&file.name).display().to_string()));
    arguments.extend(["--product".to_owned(), asked.product.to_owned()]);
    arguments.extend(["--idempotency-key".to_owned(), asked.key.clone()]);
    for recipient in &asked.recipients {
        arguments.extend(["--organisation".to_owned(), (*recipient).to_owned()]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ended = finish(&mut desk.command(&arguments));
    ended.status.success().then(|| ended.json())
}

pub(crate) struct Dropper {
    pub(crate) offers: PathBuf,
    pub(crate) spool: PathBuf,
    pub(crate) round: u64,
    pub(crate) aim: Aim,
}

impl Dropper {
    pub(crate) fn run(&self, stop: &AtomicBool, done: &Mutex<Round>, dice: &mut Dice) {
        let size = (self.aim == Aim::Claimed).then_some(LARGE / 4);
        for number in 0..2 {
            if stop.load(Ordering::SeqCst) {
                return;
            }
            let key = format!("drop-{}-{number}", self.round);
            let mut asked = for_spool(&self.offers, &key, size, dice);
            let folder = format!("{key}.delivery");
            let name = if self.offers.join(&folder).exists() { folder } else { format!("{key}.bin") };
            let to = self.spool.join("spooled");
            if dice.below(3) == 0 {
                // The marker first, so that the claim has two moves to be cut between.
                fs::write(to.join(format!("{name}.done")), b"").expect("a marker");
            }
            durable(&self.offers.join(&name));
            fs::rename(self.offers.join(&name), to.join(&name)).expect("a drop");
            // Of a drop that is gone at once nothing needs to be durable any more.
            File::open(&to).and_then(|folder| folder.sync_all()).expect("the folder of the spool");
            // From here on the drop must be published, whatever happens.
            asked.answered = true;
            done.lock().expect("the round").asked.push(asked);
            thread::sleep(Duration::from_millis(dice.below(400)));
        }
    }
}

/// As a careful dropper does before the move: a file, or a folder with its files, is on the disk.
fn durable(path: &Path) {
    for name in traces::names(path) {
        File::open(path.join(name)).and_then(|file| file.sync_all()).expect("a file to drop");
    }
    File::open(path).and_then(|found| found.sync_all()).expect("what is dropped");
}

/// Fetches files that are there; the slow robot fetches the largest at a low rate.
pub(crate) fn fetch(
    robot: &SftpClient,
    is_slow: bool,
    shown: &[Shown],
    stop: &AtomicBool,
    done: &Mutex<Round>,
    dice: &mut Dice,
) {
    for number in 0..MOST_PER_CLIENT {
        let wanted = if is_slow {
            shown.iter().max_by_key(|shown| shown.size)
        } else {
            let at = usize::try_from(dice.below(shown.len() as u64)).expect("a place in a list");
            shown.get(at)
        };
        let Some(wanted) = wanted else { return };
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let part = format!("{number}.part");
        let mut command = Command::new("sftp");
        if is_slow {
            command.args(["-l", "4000"]);
        }
        command.arg("-F").arg(robot.config()).arg(format!("vault:{}", wanted.path)).arg(&part);
        let ended = finish(command.current_dir(robot.folder()).stdin(Stdio::null()));
        let got = size(&robot.folder().join(&part));
        let mut done = done.lock().expect("the round");
        if ended.status.success() && got == wanted.size {
            let Shown { delivery, file, size, .. } = wanted.clone();
            done.fetched.push(Fetched { delivery, file, size });
        } else {
            assert!(got < wanted.size || !ended.status.success(), "{} bytes of {wanted:?}: {}", got, ended.stderr);
            done.cut_off += usize::from(got > 0);
            return;
        }
    }
}
