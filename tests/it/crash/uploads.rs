//! The same for uploads: kills the program while clients put files, restarts it, and lets the clients go on.
//! What was answered is there with its bytes; what was not is received whole, or goes on where it was.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::ledger::{Content, Dice, digest, write};
use super::verdict::text;
use super::{number, traces};
use crate::fetch_stage::{ALPHA, World, eventually};
use crate::support::programs::{Ended, finish};
use crate::upload_stage::{events, world_with};

/// Rounds when nobody asks for another number.
const ROUNDS: u64 = 15;
/// So many rounds must meet every step.
const MANY: u64 = 100;
/// A moment that is aimed at comes within this time, or the kill comes anyway.
const AIM_PATIENCE: Duration = Duration::from_secs(5);
const GLANCE: Duration = Duration::from_micros(200);
/// Large enough to be killed while it comes.
const LARGE: usize = 12_000_000;

/// What the kill of a round is aimed at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Aim {
    Anywhen,
    Begun,
    Writing,
    Completing,
    Recorded,
}

const CYCLE: [Aim; 5] = [Aim::Writing, Aim::Completing, Aim::Recorded, Aim::Begun, Aim::Anywhen];

/// Where a kill came, by what lay on the disk and what the record said afterwards.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Step {
    Begun,
    Writing,
    PayloadNotOnRecord,
    ReceivedUnanswered,
}

impl Step {
    const ALL: [Self; 4] = [Self::Begun, Self::Writing, Self::PayloadNotOnRecord, Self::ReceivedUnanswered];

    const fn words(self) -> &'static str {
        match self {
            Self::Begun => "upload begun, nothing of it on the disk",
            Self::Writing => "a part of it sealed on the disk, the client sends on",
            Self::PayloadNotOnRecord => "made a payload, not on record as received",
            Self::ReceivedUnanswered => "on record as received, the client not answered",
        }
    }

    /// Beginning and completing take a moment each: a few rounds cannot hit them for certain.
    const fn must_be_hit(self, rounds: u64) -> bool {
        matches!(self, Self::Writing) || rounds >= MANY
    }
}

/// One file that a client puts, and whether it was told that it is complete.
struct Put {
    content: Content,
    /// Under a temporary name first.
    is_renamed: bool,
    answered: bool,
}

impl Put {
    fn sent_as(&self) -> String {
        if self.is_renamed { format!("{}.part", self.content.name) } else { self.content.name.clone() }
    }

    /// What the client is told to do: `put` or `reput`, and to rename.
    fn lines(&self, verb: &str) -> String {
        let (name, sent_as) = (&self.content.name, self.sent_as());
        let rename = if self.is_renamed { format!("rename {sent_as} {name}\n") } else { String::new() };
        format!("cd dropbox/intake\n{verb} {name} {sent_as}\n{rename}")
    }

    /// A client has nothing to send any more: it says that the file is whole.
    fn lines_when_all_is_there(&self) -> String {
        let (name, sent_as) = (&self.content.name, self.sent_as());
        let last =
            if self.is_renamed { format!("rename {sent_as} {name}") } else { format!("put nothing {name}.done") };
        format!("cd dropbox/intake\n{last}\n")
    }
}

pub(crate) fn size(row: Option<&Value>) -> Option<u64> {
    row?.get("sizeBytes")?.as_u64()
}

struct Run {
    world: World,
    offers: PathBuf,
    dice: Dice,
    puts: Vec<Put>,
    /// Payloads of earlier rounds that no row names.
    unnamed: usize,
    /// Uploads of earlier rounds whose parts were seen.
    parts: BTreeSet<String>,
    hits: BTreeMap<Step, u64>,
    checks: BTreeMap<&'static str, u64>,
}

#[test]
fn killed_at_any_moment_an_upload_is_kept_or_goes_on() {
    let rounds = number("POSTKLUIS_CRASH_ROUNDS").unwrap_or(ROUNDS);
    let seed = number("POSTKLUIS_CRASH_SEED").unwrap_or_else(super::now_millis);
    println!("{rounds} rounds, POSTKLUIS_CRASH_SEED={seed}");
    let begun = Instant::now();
    let world = world_with(&[
        ("POSTKLUIS_STORAGE__JOURNAL_SEGMENT_BYTES", "1 MiB"),
        ("POSTKLUIS_STORAGE__MAX_FRAME_BYTES", "1 MiB"),
    ]);
    let offers = world.client(ALPHA).folder().to_owned();
    fs::write(offers.join("nothing"), b"").expect("an empty file");
    let (hits, checks) = (BTreeMap::new(), BTreeMap::new());
    let (dice, puts, parts) = (Dice(seed), Vec::new(), BTreeSet::new());
    let mut run = Run { world, offers, dice, puts, unnamed: 0, parts, hits, checks };
    for round in 0..rounds {
        run.round(round, CYCLE[usize::try_from(round).expect("a round") % CYCLE.len()]);
    }
    run.nothing_is_left_over();
    let shown = run.shown(&format!("{rounds} rounds in {} s, seed {seed}.", begun.elapsed().as_secs()), rounds);
    println!("{shown}");
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    fs::create_dir_all(&target).expect("the target folder");
    fs::write(target.join("crash-table-uploads.txt"), shown).expect("the table");
    let is_missed = |step: &Step| step.must_be_hit(rounds) && !run.hits.contains_key(step);
    let missed: Vec<_> = Step::ALL.into_iter().filter(is_missed).collect();
    assert!(missed.is_empty(), "no kill came in {missed:?}: more rounds or other aims are needed");
}

impl Run {
    fn round(&mut self, round: u64, aim: Aim) {
        let from = self.puts.len();
        for at in 0..=self.dice.below(2) {
            let size = if aim == Aim::Writing { LARGE } else { self.dice.size() };
            let content = write(&self.offers, &format!("up-{round}-{at}.bin"), size, &mut self.dice);
            let is_renamed = self.dice.below(2) == 0;
            self.puts.push(Put { content, is_renamed, answered: false });
        }
        self.put_and_kill(from, aim);
        let home = self.world.server.home();
        let (parts, stored) = (parts(&home), traces::payloads(&home));
        self.world.server.serve();
        let rows = self.rows();
        // A start that follows a kill leaves payloads without a row alone.
        let received = rows.iter().filter(|row| text(row, "state") == "received").count();
        let unnamed = stored - received;
        self.hit(Step::PayloadNotOnRecord, unnamed - self.unnamed);
        self.unnamed = unnamed;
        let old = self.parts.clone();
        for (id, bytes) in parts.iter().filter(|(id, _)| !old.contains(*id)) {
            let row = rows.iter().find(|row| text(row, "id") == id);
            if row.is_none_or(|row| text(row, "state") == "unfinished") {
                self.hit(if *bytes > 0 { Step::Writing } else { Step::Begun }, 1);
            }
        }
        self.parts.extend(parts.into_keys());
        for at in from..self.puts.len() {
            self.go_on(at, &rows, false);
        }
        let rows = self.rows();
        assert_eq!(rows.len(), self.puts.len(), "uploads that nobody sent, or sent twice: {rows:?}");
        for at in 0..self.puts.len() {
            self.is_kept(&self.puts[at].content, &rows);
        }
        self.checked("what was answered, or gone on with, is received with its size and SHA-256", rows.len());
        self.read_back();
        let client = self.world.client(ALPHA);
        for put in &self.puts[from..] {
            fs::remove_file(client.folder().join(&put.content.name)).expect("what was sent");
        }
    }

    fn put_and_kill(&mut self, from: usize, aim: Aim) {
        let client = self.world.client(ALPHA);
        let home = self.world.server.home();
        let stored = traces::payloads(&home);
        let lines: Vec<String> = self.puts[from..].iter().map(|put| put.lines("put")).collect();
        let (config, folder) = (client.config(), client.folder().to_owned());
        let is_slow = aim == Aim::Writing;
        let sending = thread::spawn(move || {
            let sent = lines.iter().map(|lines| sftp(&config, &folder, lines, is_slow).status.success());
            sent.take_while(|is_answered| *is_answered).count()
        });
        match aim {
            Aim::Anywhen => thread::sleep(Duration::from_millis(self.dice.below(900))),
            Aim::Begun => {
                let before = parts(&home).len();
                until(|| parts(&home).len() > before);
            }
            Aim::Writing => {
                until(|| parts(&home).values().any(|bytes| *bytes > 500_000));
                thread::sleep(Duration::from_millis(self.dice.below(400)));
            }
            Aim::Completing => until(|| traces::payloads(&home) > stored),
            Aim::Recorded => {
                until(|| traces::payloads(&home) > stored);
                let before = traces::journal_bytes(&home);
                until(|| traces::journal_bytes(&home) > before);
            }
        }
        self.world.server.kill9();
        let answered = sending.join().expect("the client");
        for put in self.puts.iter_mut().skip(from).take(answered) {
            put.answered = true;
        }
    }

    /// What its client does after the restart, by what it is shown.
    fn go_on(&mut self, at: usize, rows: &[Value], is_again: bool) {
        let put = &self.puts[at];
        let (sent_as, is_answered) = (put.sent_as(), put.answered);
        let row = rows.iter().find(|row| [put.content.name.as_str(), &sent_as].contains(&text(row, "name")));
        let state = row.map_or("", |row| text(row, "state")).to_owned();
        if put.answered {
            assert_eq!(state, "received", "{} was answered: {row:?}", put.content.name);
        }
        let (lines, what) = match state.as_str() {
            "received" => {
                let unanswered = usize::from(!is_answered);
                self.hit(Step::ReceivedUnanswered, unanswered);
                self.checked("received without an answer, it is whole", unanswered);
                return;
            }
            "unfinished" if size(row) == Some(put.content.size) => {
                (put.lines_when_all_is_there(), "unfinished with every byte there, it was renamed or marked")
            }
            "unfinished" => (put.lines("reput"), "unfinished, it was gone on with"),
            "" => (put.lines("put"), "not on record, it was sent anew"),
            other => panic!("{}: {other}", put.content.name),
        };
        let client = self.world.client(ALPHA);
        let said = client.batch(&lines);
        if said.status.success() {
            self.checked(what, 1);
            return;
        }
        // A kill between the last chunk and the name that says so is found when the upload is opened.
        let refused = events(&self.world, "upload-refused");
        let why = refused.last().map_or("", |line| text(line, "note"));
        assert!(why.contains("look at its size again"), "{lines}: {}: {why}", said.stderr);
        assert!(!is_again, "{lines}: refused again: {why}");
        self.checked("a size that was not true was refused, and was true from then on", 1);
        let rows = self.rows();
        self.go_on(at, &rows, true);
    }

    #[track_caller]
    fn is_kept(&self, content: &Content, rows: &[Value]) {
        let row = rows.iter().find(|row| text(row, "name") == content.name).expect("a row for what was sent");
        let shown = (text(row, "state"), size(Some(row)), text(row, "sha256"));
        assert_eq!(shown, ("received", Some(content.size), content.sha256.as_str()), "{row}");
    }

    /// One of all, by chance, over SFTP.
    fn read_back(&mut self) {
        let at = usize::try_from(self.dice.below(self.puts.len() as u64)).expect("a place in a list");
        let content = &self.puts[at].content;
        let client = self.world.client(ALPHA);
        client.batch(&format!("get dropbox/intake/{} back\n", content.name)).expect_code(0);
        let back = fs::read(client.folder().join("back")).expect("what was fetched");
        assert_eq!(digest(&back), content.sha256, "{}", content.name);
        self.checked("read back over SFTP, it has its SHA-256 (sample)", 1);
    }

    /// Every upload on record, over all pages, once nobody has one open any more.
    fn rows(&self) -> Vec<Value> {
        eventually("no upload to be open", || {
            let mut all: Vec<Value> = Vec::new();
            loop {
                let last = all.last().map(|row| text(row, "id").to_owned());
                let mut arguments = vec!["upload", "list"];
                if let Some(last) = &last {
                    arguments.extend(["--after", last]);
                }
                let page = self.world.server.done(&arguments);
                let page = page.as_array().expect("a list");
                if page.is_empty() {
                    let is_open = |row: &Value| row.get("isOpen").and_then(Value::as_bool) == Some(true);
                    return (!all.iter().any(is_open)).then_some(all);
                }
                all.extend(page.iter().cloned());
            }
        })
    }

    /// A start that follows a kill leaves alone what no row names; the next one in order does not.
    fn nothing_is_left_over(&mut self) {
        self.world.server.stop();
        self.world.server.serve();
        let (home, rows) = (self.world.server.home(), self.rows());
        assert_eq!(traces::payloads(&home), rows.len(), "payloads of uploads");
        let ids: BTreeSet<_> = rows.iter().map(|row| text(row, "id").to_owned()).collect();
        let parts: BTreeSet<_> = traces::names(&home.join("data/vault/unfinished")).into_iter().collect();
        assert!(parts.is_subset(&ids), "parts of no upload: {:?}", parts.difference(&ids));
        self.checked("after a stop in order the vault has the payloads and parts of these uploads alone", rows.len());
    }

    fn hit(&mut self, step: Step, times: usize) {
        if times > 0 {
            *self.hits.entry(step).or_default() += times as u64;
        }
    }

    fn checked(&mut self, invariant: &'static str, times: usize) {
        *self.checks.entry(invariant).or_default() += times as u64;
    }

    fn shown(&self, title: &str, rounds: u64) -> String {
        let mut text = format!("{title}\n\n| step in which a kill came | times |\n|---|---:|\n");
        for step in Step::ALL {
            let times = self.hits.get(&step).copied().unwrap_or_default();
            let must = if step.must_be_hit(rounds) { " (must be hit)" } else { "" };
            writeln!(text, "| {}{must} | {times} |", step.words()).expect("a text");
        }
        text.push_str("\n| what held after the restart | times checked |\n|---|---:|\n");
        for (invariant, times) in &self.checks {
            writeln!(text, "| {invariant} | {times} |").expect("a text");
        }
        text
    }
}

pub(crate) fn sftp(config: &Path, folder: &Path, lines: &str, is_slow: bool) -> Ended {
    let batch = folder.join("batch");
    fs::write(&batch, lines).expect("a batch");
    let mut command = Command::new("sftp");
    if is_slow {
        command.args(["-l", "40000"]);
    }
    command.arg("-F").arg(config).arg("-b").arg(&batch).arg("vault").current_dir(folder).stdin(Stdio::null());
    finish(&mut command)
}

/// Of each upload whose parts lie on the disk and are not closed: the sealed bytes.
pub(crate) fn parts(home: &Path) -> BTreeMap<String, u64> {
    let folder = home.join("data/vault/unfinished");
    let sealed = |id: String| {
        let folder = folder.join(&id);
        let names = traces::names(&folder);
        if names.iter().any(|name| name.contains("whole") || name.contains("cut")) {
            return None;
        }
        let bytes = names.iter().filter(|name| !name.ends_with(".header")).map(|name| fs::metadata(folder.join(name)));
        Some((id, bytes.map(|found| found.map_or(0, |found| found.len())).sum()))
    };
    traces::names(&folder).into_iter().filter_map(sealed).collect()
}

fn until(mut is_reached: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_reached() && begun.elapsed() < AIM_PATIENCE {
        thread::sleep(GLANCE);
    }
}
