//! Cuts the power of the machine under the real program: clones the disk image that its home lies on while
//! clients work, starts a server on the clone, and checks that everything that had been answered is there.
//! `docs/CRASH.md`, "Power cuts", says what this proves and how to ask for more.

mod clients;
mod disk;
mod judge;
mod table;

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use age::secrecy::ExposeSecret as _;
use serde_json::Value;

use self::clients::{Known, Moment, Put, work_and_cut};
use self::disk::{Disk, Ground, Kind};
use self::judge::{Cut, history, sequence};
use self::table::{Counts, Step};
use crate::backup::files_below;
use crate::crash::ledger::{Asked, Dice, Fetched, digest, write};
use crate::crash::stage::{DAILY, Stage};
use crate::crash::verdict::deliveries;
use crate::crash::work::{Aim, Places, publish};
use crate::crash::{now_millis, number, traces};
use crate::support::programs::finish;
use crate::support::server::Server;
use crate::support::stock::eventually;

/// Cuts when nobody asks for another number.
const CUTS: u64 = 6;
/// Cuts of one world at most: every cut looks at everything that was published so far.
const CUTS_OF_A_WORLD: u64 = 10;
/// Cuts that show whether a loss would be seen.
const CONTROL_CUTS: u64 = 4;
/// Cuts that look for a claim, on each kind of file system.
const CLAIM_CUTS: usize = 4;
/// What is sealed long enough for a cut to meet its claim.
const DROP_BYTES: usize = 16 << 20;
/// The machine's disk never holds more of it than this.
const MOST_BYTES: u64 = 6 << 30;
/// One cut of so many is followed by another one while the server starts.
const AGAIN: u64 = 4;

/// Ends in this order: the server before its disk.
struct World {
    stage: Stage,
    places: Places,
    ledger: Vec<Asked>,
    puts: Vec<Put>,
    fetched: Vec<Fetched>,
    live: BTreeMap<u64, Value>,
    backup: Option<u64>,
    identity: PathBuf,
    disk: Disk,
}

impl World {
    fn begin(ground: &Ground, kind: Kind, name: &str, preload: Option<&Path>, dice: &mut Dice) -> Self {
        let disk = ground.disk(kind, name);
        let identity = age::x25519::Identity::generate();
        let path = ground.folder().join(name).with_extension("identity");
        fs::write(&path, identity.to_string().expose_secret()).expect("the identity");
        let mut server = Server::prepare_in(disk.at());
        server.set("POSTKLUIS_STORAGE__RESERVE_BYTES", "8 MiB");
        server.set("POSTKLUIS_STORAGE__BACKUP_RECIPIENT", &identity.to_public().to_string());
        if let Some(preload) = preload {
            server.set("LD_PRELOAD", &preload.display().to_string());
        }
        let stage = Stage::on(server, identity);
        let server = &stage.server;
        server.done(&["product", "add", "intake", "--name", "intake", "--retention", "30d", "--accepts-uploads"]);
        server.done(&["agreement", "add", "--organisation", "alpha", "--product", "intake", "--purpose", "test"]);
        server.done(&["right", "couple", "--account", "robot-alpha", "--product", "intake"]);
        let offers = server.desk("offers");
        let places = Places { offers, spool: stage.spool() };
        let content = write(&places.offers, "large.bin", crate::crash::LARGE, dice);
        let mut large = Asked {
            key: "large".to_owned(),
            product: "daily",
            recipients: DAILY.to_vec(),
            files: vec![content],
            answered: false,
            abandoned: false,
        };
        large.answered = publish(&stage.desk(), &places.offers, &large).is_some();
        assert!(large.answered, "the first publication");
        // What the operator set up lies there for long.
        if preload.is_none() {
            disk.settle();
        }
        let (puts, fetched, live) = (Vec::new(), Vec::new(), BTreeMap::new());
        let mut world =
            Self { stage, places, ledger: vec![large], puts, fetched, live, backup: None, identity: path, disk };
        world.read_history();
        world
    }

    fn read_history(&mut self) {
        let seen = self.live.last_key_value().map_or(0, |(number, _)| *number);
        self.live.extend(history(&self.stage, seen).into_iter().map(|line| (sequence(&line), line)));
    }

    /// Works, and cuts at the moment aimed at.
    fn cut(&mut self, moment: Moment, number: u64, dice: &mut Dice) -> Known {
        let shown = clients::shown(&deliveries(&self.stage.server));
        let World { stage, places, disk, live, backup, .. } = self;
        let seen = live.last_key_value().map_or(0, |(number, _)| *number);
        let ground = clients::Ground { stage, places, disk, shown, seen, backup: *backup };
        let (told, mut known) = work_and_cut(ground, moment, number, dice);
        known.answered.extend(self.ledger.iter().filter(|asked| asked.answered).map(|asked| asked.key.clone()));
        known.received.extend(self.puts.iter().map(|put| put.content.name.clone()));
        known.fetched.extend(self.fetched.iter().cloned());
        self.ledger.extend(told.round.asked);
        self.puts.extend(told.puts);
        self.fetched.extend(told.round.fetched);
        self.backup = told.backup;
        // What takes longer to be sealed than its window is open is refused.
        let unanswered = self.ledger.iter().find(|asked| !asked.answered && !asked.is_brief());
        assert!(unanswered.is_none(), "with the power on everything is answered: {unanswered:?}");
        self.read_history();
        known
    }

    /// Brings the machine back on what the cut left.
    fn mounted(&self, ground: &Ground, known: &Known) -> Disk {
        ground.mounted(self.disk.kind, known.image.clone())
    }

    /// Starts the server there, and looks.
    fn judge(&self, disk: &Disk, known: &Known, moment: Moment, counts: &mut Counts) {
        let mut stage = self.stage.with(self.stage.server.copied_to(disk.at()));
        let cut = Cut {
            known,
            asked: &self.ledger,
            puts: &self.puts,
            live: &self.live,
            moment,
            kind: disk.kind,
            identity: &self.identity,
        };
        cut.judge(&mut stage, counts);
    }

    /// The power fails again while the server starts.
    fn cut_again(&self, ground: &Ground, disk: &Disk, dice: &mut Dice) -> Disk {
        let server = self.stage.server.copied_to(disk.at());
        let mut starting = server.command();
        starting.arg("serve").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut starting = starting.spawn().expect("the program");
        thread::sleep(Duration::from_millis(dice.below(700)));
        let image = disk.cut("again");
        starting.kill().expect("the server can be ended");
        starting.wait().expect("the server's end");
        ground.mounted(disk.kind, image)
    }
}

#[test]
fn a_power_cut_at_any_moment_loses_nothing_that_was_answered() {
    let cuts = number("POSTKLUIS_POWER_CUTS").unwrap_or(CUTS);
    let seed = number("POSTKLUIS_POWER_SEED").unwrap_or_else(now_millis);
    println!("{cuts} cuts, POSTKLUIS_POWER_SEED={seed}");
    let Some(ground) = Ground::set() else { return };
    let (begun, mut dice, mut counts) = (Instant::now(), Dice(seed), Counts::default());
    let of_a_world = CUTS_OF_A_WORLD.min(cuts.div_ceil(2)).max(1);
    let (mut done, mut moments, mut largest) = (0, [0_usize; 2], 0);
    while done < cuts {
        let at = usize::try_from(done / of_a_world % 2).expect("0 or 1");
        let kind = [Kind::Ext4, Kind::Xfs][at];
        let mut world = World::begin(&ground, kind, &format!("world-{done}"), None, &mut dice);
        for _ in 0..of_a_world.min(cuts - done) {
            // The kinds begin at different moments, so that few cuts meet many.
            let moment = Moment::CYCLE[(moments[at] + at * 4) % Moment::CYCLE.len()];
            let from = Instant::now();
            let known = world.cut(moment, done, &mut dice);
            let worked = from.elapsed().as_millis();
            let mut cut = world.mounted(&ground, &known);
            if done % AGAIN == AGAIN - 1 {
                cut = world.cut_again(&ground, &cut, &mut dice);
                counts.hit(Step::Recovery, kind, 1);
            }
            world.judge(&cut, &known, moment, &mut counts);
            println!("cut {done} {kind:?} {moment:?} {worked} ms, judged after {} ms", from.elapsed().as_millis());
            largest = largest.max(ground.bytes());
            assert!(largest < MOST_BYTES, "{largest} bytes of the disk are taken");
            moments[at] += 1;
            done += 1;
        }
        world.stage.server.stop();
    }
    let title =
        format!("{cuts} cuts in {} s, at most {} MiB of disk, seed {seed}.", begun.elapsed().as_secs(), largest >> 20);
    let shown = counts.shown(&title, cuts);
    println!("{shown}");
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    fs::create_dir_all(&target).expect("the target folder");
    fs::write(target.join("power-table.txt"), shown).expect("the table");
    assert_eq!(counts.missed(cuts), None, "more cuts or other moments are needed");
}

/// A claim is published after a cut, whatever it holds: then it has to hold everything.
#[test]
fn a_drop_that_its_owner_never_synced_is_claimed_whole() {
    let Some(ground) = Ground::set() else { return };
    let mut dice = Dice(number("POSTKLUIS_POWER_SEED").unwrap_or_else(now_millis));
    for (kind, name) in [(Kind::Ext4, "drops-ext4"), (Kind::Xfs, "drops-xfs")] {
        let world = World::begin(&ground, kind, name, None, &mut dice);
        let home = world.stage.home();
        let mut seen = 0;
        for round in 0..CLAIM_CUTS {
            let content = write(&world.places.offers, &format!("drop-{round}.bin"), DROP_BYTES, &mut dice);
            let to = world.places.spool.join("spooled").join(&content.name);
            fs::rename(world.places.offers.join(&content.name), &to).expect("a drop");
            // a claim that comes and goes between two looks is none to cut
            eventually("a claim", || (!traces::claimed(&home).is_empty() || !to.exists()).then_some(()));
            let cut = ground.mounted(kind, world.disk.cut("claim"));
            let folder = world.stage.server.copied_to(cut.at()).home().join("spool/.claimed");
            for path in files_below(&folder) {
                assert_eq!(digest(&fs::read(&path).expect("a drop")), content.sha256, "{}", path.display());
                seen += 1;
            }
            eventually("the end of the claim", || (traces::claims(&home) == 0).then_some(()));
        }
        assert!(seen > 0, "no cut met a claim on {kind:?}");
    }
}

/// Does nothing when a file of the journal is to be made durable.
const NO_SYNC: &str = r#"
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
static int is_journal(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strstr(path, "/catalog/journal/") != 0;
}
int fsync(int fd) { return is_journal(fd) ? 0 : (int)syscall(SYS_fsync, fd); }
int fdatasync(int fd) { return is_journal(fd) ? 0 : (int)syscall(SYS_fdatasync, fd); }
"#;

#[test]
fn a_journal_that_is_never_synced_shows_that_a_loss_would_be_seen() {
    let Some(ground) = Ground::set() else { return };
    let (source, preload) = (ground.folder().join("no_sync.c"), ground.folder().join("no_sync.so"));
    fs::write(&source, NO_SYNC).expect("the source");
    finish(Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&preload).arg(&source)).expect_code(0);
    let mut dice = Dice(number("POSTKLUIS_POWER_SEED").unwrap_or_else(now_millis));
    let mut losses = Vec::new();
    for (kind, name) in [(Kind::Ext4, "never-ext4"), (Kind::Xfs, "never-xfs")] {
        let mut world = World::begin(&ground, kind, name, Some(&preload), &mut dice);
        for number in 0..CONTROL_CUTS / 2 {
            let moment = Moment::Work(Aim::Anywhen);
            let known = world.cut(moment, number, &mut dice);
            let cut = world.mounted(&ground, &known);
            let mut counts = Counts::default();
            let judged = catch_unwind(AssertUnwindSafe(|| world.judge(&cut, &known, moment, &mut counts)));
            if let Err(why) = judged {
                let why = why.downcast_ref::<String>().map_or("", String::as_str);
                losses.push(format!("{kind:?}: {}", why.lines().next().unwrap_or_default()));
            }
        }
        world.stage.server.stop();
    }
    println!("{} of {CONTROL_CUTS} cuts showed a loss: {losses:#?}", losses.len());
    assert_eq!(losses.len() as u64, CONTROL_CUTS, "a journal that was never synced looks whole: {losses:?}");
}
