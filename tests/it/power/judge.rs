//! What must hold on a cut disk once a server was started on it, held against what had been answered before the
//! cut and against the world that went on. Cuts nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::crash::ledger::{Asked, digest};
use crate::crash::stage::{DAILY, Stage};
use crate::crash::traces::{self, Traces};
use crate::crash::verdict::{deliveries, is_available, millis, of, text};
use crate::crash::{uploads, verdict};
use crate::support::programs::finish;
use crate::support::stock::eventually;

use super::clients::{Known, Moment, Put, is_making_snapshot, is_rotating};
use super::disk::Kind;
use super::table::{Counts, Step};

/// A cut, and what is known of the world that it was taken of.
pub(super) struct Cut<'a> {
    pub(super) known: &'a Known,
    /// Everything that was asked up to the end of the round.
    pub(super) asked: &'a [Asked],
    pub(super) puts: &'a [Put],
    /// The history of the world that went on, by sequence.
    pub(super) live: &'a BTreeMap<u64, Value>,
    pub(super) moment: Moment,
    pub(super) kind: Kind,
    /// Reads backups.
    pub(super) identity: &'a Path,
}

/// Every line of the history, over all pages.
#[track_caller]
pub(super) fn history(stage: &Stage, after: u64) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    loop {
        let page = verdict::history_after(&stage.server, all.last().map_or(after, sequence));
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

pub(super) fn sequence(line: &Value) -> u64 {
    line["sequence"].as_u64().expect("a sequence")
}

impl Cut<'_> {
    /// Starts the server on the cut disk and looks at everything.
    pub(super) fn judge(&self, stage: &mut Stage, counts: &mut Counts) {
        let home = stage.home();
        let traces = Traces::of(&home);
        let was_making = is_making_snapshot(&home);
        let was_rotating = self.moment == Moment::Rotation && is_rotating(&home);
        let is_behind = traces::journal_bytes(&home) < self.known.journal_bytes;
        counts.hit(Step::JournalNotDurable, self.kind, usize::from(is_behind));
        forget_bare_markers(&home, &traces);
        // The log is no part of what is promised: its end may be missing.
        drop(fs::remove_file(stage.server.log()));
        stage.server.serve();
        self.no_alarm(stage, counts);
        let left_alone = traces::left_alone(&traces::log(&home));
        let lines = history(stage, 0);
        self.history_holds(&lines, counts);
        let rows = self.uploads_hold(stage, counts);
        let received = rows.iter().filter(|row| text(row, "state") == "received").count();
        eventually("the end of the short windows", || {
            let list = deliveries(&stage.server);
            let is_short = |row: &&Value| text(row, "product") == "brief" && is_available(row);
            (list.iter().filter(is_short).count() == 0).then_some(())
        });
        let answered: BTreeSet<_> = self.known.answered.iter().collect();
        let mut asked = self.asked.to_vec();
        asked.iter_mut().for_each(|asked| asked.answered &= answered.contains(&asked.key));
        let durable: Vec<_> = asked.iter().filter(|asked| asked.answered).cloned().collect();
        let list = verdict::quiet(stage, &durable, left_alone + received, &mut counts.checks);
        for asked in asked.iter_mut().filter(|asked| !asked.answered) {
            asked.abandoned = of(&list, asked).is_empty();
            let is_new = !asked.abandoned && !asked.is_spooled();
            counts.hit(Step::OnRecordUnanswered, self.kind, usize::from(is_new));
            counts.checks.checked("an unanswered publication is there for all recipients or for none", 1);
        }
        verdict::whole_and_once(&list, &asked, &mut counts.checks);
        verdict::fetches_on_record(&lines, &self.known.fetched, &mut counts.checks);
        let mails = stage.server.done(&["mail", "queue"]);
        verdict::mail_for_each(&list, received, mails.as_array().expect("a list"), &mut counts.checks);
        let at = usize::try_from(self.known.from % 3).expect("a place in a list");
        verdict::shown_in_outbox(stage, DAILY[at], &list, &mut counts.checks);
        verdict::everything_fetched(stage, &list, &mut counts.checks);
        self.backup_holds(stage, counts);
        eventually("the end of a rotation", || (!is_rotating(&home)).then_some(()));
        stage.server.run(&["check"]).expect_code(0);
        counts.checks.checked("`postkluis check` found nothing wrong", 1);
        self.no_alarm(stage, counts);
        self.count_steps(&traces, left_alone, &lines, &list, counts);
        counts.hit(Step::Snapshot, self.kind, usize::from(was_making || self.known.was_making_snapshot));
        counts.hit(Step::Rotation, self.kind, usize::from(was_rotating));
        counts.hit(Step::Backup, self.kind, usize::from(self.known.was_backing_up));
        // What arrived last is not synced: on the cut disk its parts may be short or empty.
        let is_partial = |row: &&Value| {
            let whole = self.puts.iter().find(|put| put.content.name == text(row, "name")).map(|put| put.content.size);
            text(row, "state") == "unfinished" && uploads::size(Some(*row)) < whole
        };
        counts.hit(Step::UploadWriting, self.kind, rows.iter().filter(is_partial).count());
        stage.server.stop();
    }

    #[track_caller]
    fn no_alarm(&self, stage: &Stage, counts: &mut Counts) {
        let log = stage.server.logged();
        let alarms: Vec<_> = log.lines().filter(|line| line.contains("ALARM") || line.contains("ERROR")).collect();
        assert!(alarms.is_empty(), "{:?} {:?}: {alarms:#?}", self.kind, self.moment);
        counts.checks.checked("the server opened everything without an alarm or an error", 1);
    }

    /// What was shown to anybody is there; before the cut it is the history of the world that went on; what the
    /// start added came after the cut, and tells of no fetch.
    #[track_caller]
    fn history_holds(&self, lines: &[Value], counts: &mut Counts) {
        let by_sequence: BTreeMap<u64, &Value> = lines.iter().map(|line| (sequence(line), line)).collect();
        for (number, wanted) in self.live.range(..=self.known.shown) {
            assert_eq!(by_sequence.get(number).copied(), Some(wanted), "a line of the history that had been shown");
        }
        counts.checks.checked(
            "a line of the history that had been shown is there, the same",
            self.live.range(..=self.known.shown).count(),
        );
        let mut is_before = true;
        for line in lines {
            is_before &= self.live.get(&sequence(line)) == Some(line);
            if !is_before {
                assert!(millis(line, "at").is_some_and(|at| at >= self.known.from), "from before the cut: {line}");
                let is_fetch = ["file-released", "file-fetched", "fetch-started"].contains(&text(line, "event"));
                assert!(!is_fetch, "a fetch that nobody made: {line}");
            }
        }
        counts.checks.checked("a line after the cut tells of no fetch, and of nothing before", lines.len());
    }

    /// Returns every upload on record.
    #[track_caller]
    fn uploads_hold(&self, stage: &Stage, counts: &mut Counts) -> Vec<Value> {
        let mut rows: Vec<Value> = Vec::new();
        loop {
            let last = rows.last().map(|row| text(row, "id").to_owned());
            let mut arguments = vec!["upload", "list"];
            if let Some(last) = &last {
                arguments.extend(["--after", last]);
            }
            let page = stage.server.done(&arguments);
            let page = page.as_array().expect("a list");
            if page.is_empty() {
                break;
            }
            rows.extend(page.iter().cloned());
        }
        let (robot, mut received) = (stage.robot("alpha"), Vec::new());
        for put in self.puts {
            let row = rows.iter().find(|row| text(row, "name") == put.content.name);
            let state = row.map_or("", |row| text(row, "state"));
            let was_answered = self.known.received.contains(&put.content.name);
            assert!(!was_answered || state == "received", "{} was answered: {row:?}", put.content.name);
            if state != "received" {
                let every_byte = uploads::size(row) == Some(put.content.size);
                let is_late = self.moment.is_upload() && every_byte && put.content.size > 0;
                counts.hit(Step::UploadNotOnRecord, self.kind, usize::from(is_late));
                continue;
            }
            counts.hit(Step::UploadUnanswered, self.kind, usize::from(!was_answered));
            let shown = (uploads::size(row), text(row.expect("a row"), "sha256"));
            assert_eq!(shown, (Some(put.content.size), put.content.sha256.as_str()), "{row:?}");
            received.push(&put.content);
        }
        let lines: String = received.iter().map(|content| format!("get dropbox/intake/{}\n", content.name)).collect();
        robot.batch(&lines).expect_code(0);
        for content in received {
            let back = fs::read(robot.folder().join(&content.name)).expect("what was fetched");
            assert_eq!(digest(&back), content.sha256, "{}", content.name);
            counts.checks.checked("a received upload was read back over SFTP and has its SHA-256", 1);
        }
        let names: BTreeSet<_> = self.puts.iter().map(|put| put.content.name.as_str()).collect();
        assert!(rows.iter().all(|row| names.contains(text(row, "name"))), "uploads that nobody sent: {rows:?}");
        rows
    }

    /// The last backup that was answered, or a later one, is whole; and another can be made.
    #[track_caller]
    fn backup_holds(&self, stage: &Stage, counts: &mut Counts) {
        let target = stage.home().with_file_name("backup");
        let verify = |least: u64| {
            let mut command = stage.server.command();
            command.args(["backup", "verify", "--json", "--identity"]).arg(self.identity).arg(&target);
            let found = finish(&mut command).expect_code(0).json();
            assert!(found["run"].as_u64() >= Some(least), "run {least} was answered: {found}");
        };
        if let Some(run) = self.known.backup {
            verify(run);
            counts.checks.checked("the last backup that was answered is whole", 1);
        }
        if self.known.was_backing_up {
            let made = stage.server.done(&["backup", "create", &target.display().to_string()]);
            verify(made["run"].as_u64().expect("a run"));
            counts.checks.checked("where a backup was cut off, the next one is whole", 1);
        }
    }

    fn count_steps(&self, traces: &Traces, left_alone: usize, lines: &[Value], list: &[Value], counts: &mut Counts) {
        let kind = self.kind;
        counts.hit(Step::Sealing, kind, usize::from(self.known.was_sealing || traces.unfinished > 0));
        let unnamed = if self.moment.is_upload() { Step::UploadNotOnRecord } else { Step::SealedNotOnRecord };
        counts.hit(unnamed, kind, left_alone);
        let before: Vec<&Value> = lines.iter().filter(|line| self.live.get(&sequence(line)) == Some(line)).collect();
        let events = |word: &'static str| before.iter().filter(move |line| text(line, "event") == word);
        counts.hit(Step::MidFetch, kind, events("fetch-started").count().saturating_sub(events("fetch-ended").count()));
        for name in &traces.claimed {
            let key = name.split('.').next().unwrap_or_default();
            let asked = self.asked.iter().find(|asked| asked.key == key).expect("what was dropped");
            let is_of = |line: &&&Value| of(list, asked).iter().any(|row| text(row, "id") == text(line, "deliveryId"));
            let outlived = events("delivery-published").any(|line| is_of(&line));
            counts.hit(if outlived { Step::ClaimOutlived } else { Step::Claimed }, kind, 1);
        }
        let published: BTreeSet<String> = list.iter().map(|row| label(text(row, "publicationId"))).collect();
        let is_bare = |slot: &&String| !slot.ends_with("-day") && !published.contains(label_of(slot));
        counts.hit(Step::KeyMade, kind, traces.living_slots.iter().filter(is_bare).count());
        for row in list.iter().filter(|row| text(row, "product") == "brief") {
            let has = |word: &'static str| events(word).any(|line| text(line, "deliveryId") == text(row, "id"));
            let (expired, shredded) = (has("delivery-expired"), has("delivery-shredded"));
            let label = label(text(row, "publicationId"));
            let is_listed = traces.destroyed_slots.iter().any(|slot| slot.ends_with(&label));
            let is_living = traces.living_slots.iter().any(|slot| slot.ends_with(&label));
            let is_due = millis(row, "availableUntil").is_some_and(|until| until <= self.known.from);
            counts.hit(Step::WindowEnded, kind, usize::from(is_due && !expired));
            counts.hit(Step::ExpiredNotDestroyed, kind, usize::from(expired && is_living && !is_listed));
            counts.hit(Step::DestroyedNotOnRecord, kind, usize::from(expired && is_listed && !shredded));
        }
    }
}

/// The power was cut between the two steps of a dropper: its marker is there, its drop never came.
fn forget_bare_markers(home: &Path, traces: &Traces) {
    let folder = home.join("spool/spooled");
    let names = traces::names(&folder);
    for name in &names {
        let Some(drop) = name.strip_suffix(".done").map(ToOwned::to_owned) else { continue };
        if !names.contains(&drop) && !traces.claimed.contains(&drop) {
            fs::remove_file(folder.join(name)).expect("a marker");
        }
    }
}

fn label(publication: &str) -> String {
    publication.chars().filter(char::is_ascii_alphanumeric).collect()
}

fn label_of(slot: &str) -> &str {
    slot.split_once('-').map_or("", |(_, label)| label)
}
