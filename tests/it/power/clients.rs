//! What clients do while the power is about to be cut, and the moments that a cut is aimed at. Writes down what
//! was asked and, before a cut begins, what had been answered; judges nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::crash::ledger::{Asked, Content, Dice, Fetched, for_a_moment, write};
use crate::crash::stage::{BRIEF, Desk, Stage};
use crate::crash::traces::{self, Traces};
use crate::crash::work::{Aim, Dropper, Marks, Places, Publisher, Round, Shown, fetch, start};
use crate::crash::{now_millis, uploads};
use crate::support::programs::finish;

use super::disk::Disk;

/// A moment that is aimed at comes within this time, or the cut comes anyway.
const PATIENCE: Duration = Duration::from_secs(30);
const GLANCE: Duration = Duration::from_micros(200);
/// A part of the time in which a file is made durable.
const SYNC: Duration = Duration::from_micros(600);
/// Between two looks at the history.
const LOOK: Duration = Duration::from_millis(25);
/// Large enough for its key to be made well before it is on record.
const LARGE: usize = 6_000_000;
/// Of a file that is uploaded slowly.
const UPLOAD: usize = 4_000_000;
/// Files of one publication that makes the journal grow: it has to be ready well within its short window.
const BULK: usize = 30;
/// Publications of many files in one round, at most.
const MOST_BULK: u64 = 60;

/// What a cut is aimed at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Moment {
    Work(Aim),
    KeyMade,
    UploadWriting,
    UploadCompleting,
    UploadRecorded,
    Snapshot,
    Backup,
    Rotation,
}

impl Moment {
    /// A run goes through these again and again, on each kind of file system.
    pub(super) const CYCLE: [Self; 18] = [
        Self::Work(Aim::Sealing),
        Self::UploadCompleting,
        Self::Work(Aim::Answer),
        Self::Work(Aim::Claimed),
        Self::Backup,
        Self::Work(Aim::Expired),
        Self::KeyMade,
        Self::UploadWriting,
        Self::Work(Aim::Sealed),
        Self::Snapshot,
        Self::Work(Aim::KeyGone),
        Self::Rotation,
        Self::UploadRecorded,
        Self::Work(Aim::MidFetch),
        Self::Work(Aim::WindowEnd),
        Self::Work(Aim::Dropped),
        Self::Work(Aim::Anywhen),
        Self::Work(Aim::Anywhen),
    ];

    const fn aim(self) -> Aim {
        match self {
            Self::Work(aim) => aim,
            _ => Aim::Anywhen,
        }
    }

    pub(super) const fn is_upload(self) -> bool {
        matches!(self, Self::UploadWriting | Self::UploadCompleting | Self::UploadRecorded)
    }
}

/// One file that a client puts.
#[derive(Clone)]
pub(super) struct Put {
    pub(super) content: Content,
    /// The client ended with success.
    pub(super) answered: bool,
}

/// What is not a publication or a fetch.
#[derive(Clone, Default)]
struct More {
    puts: Vec<Put>,
    /// The last line of the history that anybody was shown.
    shown: u64,
    /// The last backup that was answered.
    backup: Option<u64>,
    is_backing_up: bool,
}

/// What had been answered before the cut began, and what was under way on both sides of it.
#[derive(Default)]
pub(super) struct Known {
    /// Keys of publications that were answered, and of drops that were durable.
    pub(super) answered: Vec<String>,
    pub(super) fetched: Vec<Fetched>,
    /// Names of uploads that were answered.
    pub(super) received: Vec<String>,
    pub(super) shown: u64,
    pub(super) backup: Option<u64>,
    /// Bytes of the journal as the running server saw it.
    pub(super) journal_bytes: u64,
    pub(super) was_backing_up: bool,
    pub(super) was_sealing: bool,
    pub(super) was_making_snapshot: bool,
    /// Just before the cut was begun.
    pub(super) from: u64,
    pub(super) image: PathBuf,
}

/// What the clients asked in one round, up to its end.
pub(super) struct Told {
    pub(super) round: Round,
    pub(super) puts: Vec<Put>,
    pub(super) backup: Option<u64>,
}

/// What clients need to work in a world.
pub(super) struct Ground<'a> {
    pub(super) stage: &'a mut Stage,
    pub(super) places: &'a Places,
    pub(super) disk: &'a Disk,
    pub(super) shown: Vec<Shown>,
    /// The last line of the history and the last backup that are known already.
    pub(super) seen: u64,
    pub(super) backup: Option<u64>,
}

struct Crew {
    stop: Arc<AtomicBool>,
    done: Arc<Mutex<Round>>,
    more: Arc<Mutex<More>>,
    clients: Vec<JoinHandle<()>>,
}

impl Crew {
    fn start(
        &mut self,
        name: &str,
        dice: Dice,
        work: impl FnOnce(&AtomicBool, &Mutex<Round>, &mut Dice) + Send + 'static,
    ) {
        self.clients.push(start(name, &self.stop, &self.done, dice, work));
    }
}

/// Lets clients work, cuts the power of a copy at the moment aimed at, and lets them end.
pub(super) fn work_and_cut(ground: Ground<'_>, moment: Moment, number: u64, dice: &mut Dice) -> (Told, Known) {
    let Ground { stage, places, disk, shown, seen, backup } = ground;
    let home = stage.home();
    let robot = stage.robot("alpha");
    let parts = robot.folder().to_owned();
    for name in traces::names(&parts).iter().filter(|name| name.ends_with(".part")) {
        fs::remove_file(parts.join(name)).expect("an old part");
    }
    let more = Arc::new(Mutex::new(More { shown: seen, backup, ..More::default() }));
    let mut crew = Crew { stop: Arc::default(), done: Arc::default(), more, clients: Vec::new() };
    let marks = Before::of(&home);
    crew.look(stage.desk());
    crew.publish(stage, places, moment, number, dice);
    let aim = moment.aim();
    if matches!(moment, Moment::Work(Aim::Anywhen | Aim::Claimed | Aim::Dropped) | Moment::Backup) {
        let dropper = Dropper { offers: places.offers.clone(), spool: places.spool.clone(), round: number, aim };
        crew.start("dropper", own(dice), move |stop, done, dice| dropper.run(stop, done, dice));
    }
    let config = robot.config();
    if matches!(moment, Moment::Work(Aim::Anywhen | Aim::MidFetch | Aim::WindowEnd) | Moment::Rotation) {
        let is_slow = aim == Aim::MidFetch;
        crew.start("robot", own(dice), move |stop, done, dice| fetch(&robot, is_slow, &shown, stop, done, dice));
    }
    if moment.is_upload() || moment == Moment::Work(Aim::Anywhen) {
        crew.upload(config, places.offers.clone(), number, moment, own(dice));
    }
    match moment {
        Moment::Backup => crew.back_up(stage.desk(), &home),
        Moment::Rotation => crew.rotate(stage.desk(), number),
        _ => {}
    }
    marks.wait_for(moment, &home, &parts, dice);
    let known = crew.cut(disk, &home, number);
    crew.stop.store(true, Ordering::SeqCst);
    for client in crew.clients {
        client.join().expect("a client of the round");
    }
    let round = std::mem::take(&mut *crew.done.lock().expect("the round"));
    let more = crew.more.lock().expect("the round").clone();
    (Told { round, puts: more.puts, backup: more.backup }, known)
}

fn own(dice: &mut Dice) -> Dice {
    Dice(dice.below(1 << 31))
}

impl Crew {
    /// What is shown is on record, so it is never taken back: looks at the history again and again.
    fn look(&mut self, desk: Desk) {
        let more = Arc::clone(&self.more);
        let look = move |stop: &AtomicBool, _: &Mutex<Round>, _: &mut Dice| {
            while !stop.load(Ordering::SeqCst) {
                let after = more.lock().expect("the round").shown.to_string();
                let said = finish(&mut desk.command(&["history", "list", "--after", &after])).expect_code(0).json();
                if let Some(last) = said.as_array().and_then(|lines| lines.last()) {
                    more.lock().expect("the round").shown = last["sequence"].as_u64().expect("a sequence");
                }
                thread::sleep(LOOK);
            }
        };
        self.start("auditor", Dice(0), look);
    }

    fn publish(&mut self, stage: &Stage, places: &Places, moment: Moment, round: u64, dice: &mut Dice) {
        let publisher = Publisher { desk: stage.desk(), offers: places.offers.clone(), round, aim: moment.aim() };
        let offers = places.offers.clone();
        match moment {
            Moment::UploadWriting | Moment::UploadCompleting | Moment::UploadRecorded => {}
            Moment::KeyMade => self.start("publisher", own(dice), move |_, done, dice| {
                let mut asked = for_a_moment(&offers, &format!("key-{round}"), dice);
                let name = format!("key-{round}-large.bin");
                asked.files.push(write(&offers, &name, LARGE, dice));
                publisher.publish(asked, done);
            }),
            Moment::Snapshot => self.start("publisher", own(dice), move |stop, done, dice| {
                for number in (0..MOST_BULK).take_while(|_| !stop.load(Ordering::SeqCst)) {
                    publisher.publish(bulk(&offers, &format!("bulk-{round}-{number}"), dice), done);
                }
            }),
            Moment::Work(_) | Moment::Backup | Moment::Rotation => {
                self.start("publisher", own(dice), move |stop, done, dice| publisher.run(stop, done, dice));
            }
        }
    }

    fn upload(&mut self, config: PathBuf, offers: PathBuf, round: u64, moment: Moment, dice: Dice) {
        let more = Arc::clone(&self.more);
        let is_slow = moment == Moment::UploadWriting;
        self.start("uploader", dice, move |stop, _, dice| {
            for number in 0..2 {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let size = if is_slow { UPLOAD } else { dice.size() };
                let content = write(&offers, &format!("up-{round}-{number}.bin"), size, dice);
                let lines = format!("cd dropbox/intake\nput {}\n", content.name);
                let at = {
                    let mut more = more.lock().expect("the round");
                    more.puts.push(Put { content, answered: false });
                    more.puts.len() - 1
                };
                uploads::sftp(&config, &offers, &lines, is_slow).expect_code(0);
                more.lock().expect("the round").puts[at].answered = true;
            }
        });
    }

    fn back_up(&mut self, desk: Desk, home: &Path) {
        let more = Arc::clone(&self.more);
        let target = home.with_file_name("backup");
        self.start("backup", Dice(0), move |_, _, _| {
            more.lock().expect("the round").is_backing_up = true;
            let target = target.display().to_string();
            let said = finish(&mut desk.command(&["backup", "create", &target])).expect_code(0).json();
            let mut more = more.lock().expect("the round");
            more.backup = Some(said["run"].as_u64().expect("a run"));
            more.is_backing_up = false;
        });
    }

    fn rotate(&mut self, desk: Desk, round: u64) {
        self.start("rotation", Dice(0), move |_, _, _| {
            let commands = [["key-ring", "rotate-master"].as_slice(), &["organisation", "rotate-key", "beta"]];
            let at = usize::from(round % 2 == 1);
            finish(&mut desk.command(commands[at])).expect_code(0);
        });
    }

    /// First what was answered is noted; then the copy is taken, within a moment.
    fn cut(&self, disk: &Disk, home: &Path, number: u64) -> Known {
        let sealing = traces::names(&traces::unfinished(home));
        let is_making_before = is_making_snapshot(home);
        let done = self.done.lock().expect("the round");
        let more = self.more.lock().expect("the round");
        let mut known = Known {
            answered: done.asked.iter().filter(|asked| asked.answered).map(|asked| asked.key.clone()).collect(),
            fetched: done.fetched.clone(),
            received: more.puts.iter().filter(|put| put.answered).map(|put| put.content.name.clone()).collect(),
            shown: more.shown,
            backup: more.backup,
            was_backing_up: more.is_backing_up,
            journal_bytes: traces::journal_bytes(home),
            from: now_millis(),
            ..Known::default()
        };
        // No client waits for the note while the copy is made.
        drop((done, more));
        known.image = disk.cut(&format!("cut-{number}"));
        known.was_backing_up &= self.more.lock().expect("the round").is_backing_up;
        known.was_sealing = traces::names(&traces::unfinished(home)).iter().any(|name| sealing.contains(name));
        known.was_making_snapshot = is_making_before && is_making_snapshot(home);
        known
    }
}

/// A short-lived publication of many small files: a long record, and as many keys.
fn bulk(offers: &Path, key: &str, dice: &mut Dice) -> Asked {
    let files = (0..BULK).map(|at| write(offers, &format!("{key}-{at}.bin"), 40, dice)).collect();
    let (key, recipients) = (key.to_owned(), BRIEF.to_vec());
    Asked { key, product: "brief", recipients, files, answered: false, abandoned: false }
}

pub(super) fn is_making_snapshot(home: &Path) -> bool {
    traces::names(&home.join("data/catalog/snapshots")).iter().any(|name| name.ends_with(".new"))
}

pub(super) fn is_rotating(home: &Path) -> bool {
    let master = fs::read_to_string(home.join("keys/master.age")).map_or(0, |text| text.lines().count());
    master > 1 || home.join("keys/organisations/beta.rotating").exists()
}

/// What the disk showed before the clients began.
struct Before {
    marks: Marks,
    traces: Traces,
    payloads: usize,
}

impl Before {
    fn of(home: &Path) -> Self {
        Self { marks: Marks::of(home), traces: Traces::of(home), payloads: traces::payloads(home) }
    }

    fn wait_for(&self, moment: Moment, home: &Path, parts: &Path, dice: &mut Dice) {
        match moment {
            Moment::Work(aim) => self.marks.wait_for(aim, home, parts, dice),
            Moment::KeyMade => until(|| {
                let living = Traces::of(home).living_slots;
                living.difference(&self.traces.living_slots).next().is_some()
            }),
            Moment::UploadWriting => {
                until(|| uploads::parts(home).values().any(|bytes| *bytes > 300_000));
                thread::sleep(Duration::from_millis(dice.below(300)));
            }
            Moment::UploadCompleting => until(|| traces::payloads(home) > self.payloads),
            Moment::UploadRecorded => {
                until(|| traces::payloads(home) > self.payloads);
                let before = traces::journal_bytes(home);
                until(|| traces::journal_bytes(home) > before);
            }
            Moment::Snapshot => until(|| is_making_snapshot(home)),
            Moment::Backup => {
                let target = home.with_file_name("backup");
                until(|| has_unfinished(&target));
                thread::sleep(Duration::from_millis(dice.below(20)));
            }
            Moment::Rotation => {
                until(|| is_rotating(home));
                thread::sleep(Duration::from_millis(dice.below(8)));
            }
        }
        // What was seen is in memory; on the disk it is a little later.
        thread::sleep(SYNC * u32::try_from(dice.below(5)).expect("a small number"));
    }
}

fn has_unfinished(folder: &Path) -> bool {
    traces::names(folder).iter().any(|name| {
        let path = folder.join(name);
        name.ends_with(".tmp") || (path.is_dir() && has_unfinished(&path))
    })
}

fn until(mut is_reached: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_reached() && begun.elapsed() < PATIENCE {
        thread::sleep(GLANCE);
    }
}

/// What alpha's robot can fetch.
pub(super) fn shown(list: &[Value]) -> Vec<Shown> {
    use crate::crash::verdict::{files, is_available, text};
    let is_own = |row: &&Value| text(row, "organisation") == "alpha" && is_available(row);
    let lasting = list.iter().filter(is_own).filter(|row| text(row, "product") != "brief");
    let file = |row: &Value, file: &Value| Shown {
        delivery: text(row, "id").to_owned(),
        path: format!("outbox/{}/{}", text(row, "product"), text(file, "fileName")),
        file: text(file, "fileName").to_owned(),
        size: file.get("size").and_then(Value::as_u64).unwrap_or_default(),
    };
    lasting.flat_map(|row| files(row).iter().map(move |found| file(row, found))).collect()
}
