//! Uploads, snapshots, backups and rotations under the shim: what is done while calls are struck, and
//! what must hold afterwards.

use std::fs;
use std::path::PathBuf;

use super::super::ledger::{self, Asked, digest};
use super::super::stage::{Stage, login};
use super::super::table::Table;
use super::super::verdict::{deliveries, text};
use super::super::work;
use super::{Operation, Run, Template};
use crate::support::programs::finish;
use crate::support::server::Server;

/// Small files of one publication that fills the journal.
const FILLING: usize = 40;
/// The journal begins a new segment when it has this much; it is filled up to somewhat less.
const FILLED_BYTES: u64 = 700 << 10;
/// So many publications fill what is left of a segment.
const MOST_PUBLICATIONS: usize = 12;

/// Backups are sealed to an identity that lies beside the home.
pub(super) fn seal_backups(server: &mut Server) {
    let identity = server.desk("desk").join("backup-identity");
    finish(std::process::Command::new("age-keygen").arg("-o").arg(&identity)).expect_code(0);
    let public = finish(std::process::Command::new("age-keygen").arg("-y").arg(&identity)).expect_code(0).text();
    server.set("POSTKLUIS_STORAGE__BACKUP_RECIPIENT", public.trim());
}

/// A product that takes uploads of one organisation.
pub(super) fn furnish(stage: &Stage) {
    let run = |arguments: &[&str]| drop(stage.server.done(arguments));
    run(&["product", "add", "intake", "--name", "intake", "--retention", "30d", "--accepts-uploads"]);
    run(&["agreement", "add", "--organisation", "alpha", "--product", "intake", "--purpose", "test"]);
    run(&["right", "couple", "--account", &login("alpha"), "--product", "intake"]);
}

fn filling(offers: &std::path::Path, key: &str, dice: &mut ledger::Dice) -> Asked {
    let files = (0..FILLING).map(|at| ledger::write(offers, &format!("{key}-{at}.bin"), 40, dice)).collect();
    Asked {
        key: key.to_owned(),
        product: "daily",
        recipients: super::DAILY.to_vec(),
        files,
        answered: false,
        abandoned: false,
    }
}

impl Template {
    /// A home whose journal is about to begin a new segment, made once.
    pub(super) fn filled(&mut self) -> (&Stage, &Vec<Asked>) {
        if self.filled.is_none() {
            let mut stage = self.stage.copied();
            stage.server.serve();
            let offers = stage.server.desk("offers");
            let mut ledger = vec![self.before.clone()];
            let newest = || {
                let segments = fs::read_dir(stage.home().join("data/catalog/journal")).expect("the journal").flatten();
                segments.filter_map(|entry| entry.metadata().ok()).map(|data| data.len()).max().unwrap_or_default()
            };
            while newest() < FILLED_BYTES {
                let mut asked = filling(&offers, &format!("fill-{}", ledger.len()), &mut self.dice);
                asked.answered = work::publish(&stage.desk(), &offers, &asked).is_some();
                assert!(asked.answered, "a publication that fills the journal");
                ledger.push(asked);
            }
            stage.server.stop();
            self.filled = Some((stage, ledger));
        }
        let (stage, ledger) = self.filled.as_ref().expect("made above");
        (stage, ledger)
    }
}

impl Run {
    pub(super) fn backup(&self) -> PathBuf {
        self.stage.server.desk("backup").join("one")
    }

    /// What has to be there before calls are struck.
    pub(super) fn prepare(&mut self, operation: Operation) {
        if operation == Operation::BackUp {
            self.stage.server.done(&["backup", "create", &self.backup().display().to_string()]);
            // the next run has something to copy
            let offers = self.stage.server.desk("offers");
            let mut asked = ledger::for_command_line(&offers, "between", Some(70_000), &mut self.dice);
            asked.answered = work::publish(&self.stage.desk(), &offers, &asked).is_some();
            assert!(asked.answered, "a publication between two backups");
            self.ledger.push(asked);
        }
    }

    pub(super) fn put(&mut self) {
        let robot = self.stage.robot("alpha");
        let content = ledger::write(robot.folder(), "people.csv", 150_000, &mut self.dice);
        let answered = robot.batch("put people.csv dropbox/intake/people.csv\n").status.success();
        self.put = Some((content, answered));
    }

    pub(super) fn publish_until_a_snapshot(&mut self) {
        let offers = self.stage.server.desk("offers");
        let snapshots = self.stage.home().join("data/catalog/snapshots");
        let is_made = || {
            let names = fs::read_dir(&snapshots).into_iter().flatten().flatten();
            names.filter_map(|entry| entry.file_name().into_string().ok()).any(|name| !name.contains('.'))
        };
        for number in 0..MOST_PUBLICATIONS {
            let mut asked = filling(&offers, &format!("during-{number}"), &mut self.dice);
            asked.answered = work::publish(&self.stage.desk(), &offers, &asked).is_some();
            let is_answered = asked.answered;
            self.ledger.push(asked);
            if !is_answered || is_made() {
                return;
            }
        }
    }

    /// What was answered is there with its bytes; what was not is put again.
    pub(super) fn judge_upload(mut self, table: &mut Table) {
        let (content, answered) = self.put.take().expect("what was put");
        let listed = |run: &Self| {
            let list = run.stage.server.done(&["upload", "list"]);
            let mut rows = list.as_array().expect("a list").iter();
            rows.find(|row| text(row, "name") == content.name && text(row, "state") == "received").cloned()
        };
        let found = listed(&self);
        assert!(found.is_some() || !answered, "an upload that was answered is not there");
        let robot = self.stage.robot("alpha");
        if found.is_none() {
            // the client of before may have left a part: it puts the whole file over it
            let again = ledger::write(robot.folder(), &content.name, 150_000, &mut self.dice);
            robot.batch("put people.csv dropbox/intake/people.csv\n").expect_code(0);
            let found = listed(&self).expect("what was put again");
            assert_eq!(text(&found, "sha256"), again.sha256);
            table.checked("an upload that was not answered was put again", 1);
        } else {
            robot.batch("get dropbox/intake/people.csv back.csv\n").expect_code(0);
            let back = fs::read(robot.folder().join("back.csv")).expect("what was put");
            assert_eq!(digest(&back), content.sha256, "what was received is not what was put");
            table.checked("a received upload was read back with its SHA-256", 1);
        }
        for row in deliveries(&self.stage.server) {
            super::verdict::fetched_whole(&self.stage, &row, &self.ledger, table);
        }
        self.end(table);
    }

    /// The backup that was answered is whole, and the next one too.
    pub(super) fn judge_backup(&mut self, table: &mut Table) {
        let target = self.backup().display().to_string();
        let identity = self.stage.server.desk("desk").join("backup-identity").display().to_string();
        let verified = || self.stage.server.run(&["backup", "verify", &target, "--identity", &identity]).expect_code(0);
        verified();
        table.checked("after a backup that was struck, the backup is whole", 1);
        self.stage.server.done(&["backup", "create", &target]);
        verified();
        table.checked("the next backup was made and is whole", 1);
    }

    /// A rotation that was begun ends, or is asked for again and then ends.
    pub(super) fn judge_rotated(&mut self, operation: Operation, table: &mut Table) {
        let words: &[&str] = match operation {
            Operation::RotateKey => &["organisation", "rotate-key", "alpha"],
            _ => &["key-ring", "rotate-master"],
        };
        self.stage.server.run(words).expect_code(0);
        let master = fs::read_to_string(self.stage.home().join("keys/master.age")).expect("the master");
        let identities = master.lines().filter(|line| line.starts_with("AGE-SECRET-KEY-")).count();
        assert_eq!(identities, 1, "the rotation of the master has not ended");
        let event = if operation == Operation::RotateKey { "organisation-key-rotated" } else { "master-key-rotated" };
        let history = self.stage.server.done(&["history", "list"]);
        let ended = history.as_array().expect("a list").iter().filter(|line| text(line, "event") == event).count();
        assert!(ended >= 1, "no {event} on record");
        table.checked("a rotation that was struck was asked for again, and ended on record", 1);
    }
}
