//! Jumps of the wall clock (I10): while the clock cannot be trusted nothing is destroyed, and what is due is
//! hidden; the operator's word alone lets time go on.

use std::fs;

use super::super::ledger::Dice;
use super::super::stage::Stage;
use super::super::verdict::{self, deliveries, text};
use super::Template;
use super::shim::Shim;

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

struct Shown {
    /// Day keys that live.
    keys: usize,
    payloads: usize,
    destroyed: usize,
}

fn shown(stage: &Stage) -> Shown {
    let keys = fs::read_dir(stage.home().join("keys/shred")).expect("the day keys").flatten();
    let history = stage.server.done(&["history", "list"]);
    let is_end = |line: &&serde_json::Value| {
        ["delivery-expired", "delivery-shredded", "shred-key-destroyed", "body-key-destroyed"]
            .contains(&text(line, "event"))
    };
    Shown {
        keys: keys.filter(|entry| !entry.file_name().to_string_lossy().starts_with('.')).count(),
        payloads: super::super::traces::payloads(&stage.home()),
        destroyed: history.as_array().expect("a list").iter().filter(is_end).count(),
    }
}

fn is_trusted(stage: &Stage) -> bool {
    let said = stage.server.run(&["retention", "run", "--json"]);
    said.expect_code(0).json()["clockTrusted"] == true
}

fn fetches(stage: &Stage) -> bool {
    let list = deliveries(&stage.server);
    let row = list.iter().find(|row| text(row, "organisation") == "alpha").expect("a delivery");
    let name = text(verdict::files(row).first().expect("a file"), "fileName");
    stage.robot("alpha").batch(&format!("get outbox/daily/{name}\n")).status.success()
}

/// A copy of the template under the shim, served with this offset.
fn served(template: &Template, offset_ms: i64) -> (Stage, Shim) {
    let mut stage = template.stage.copied();
    let shim = Shim::before(&mut stage.server, &["serve"]);
    shim.set_clock(offset_ms);
    stage.server.serve();
    (stage, shim)
}

#[test]
fn nothing_is_destroyed_by_a_clock_that_jumps() {
    let template = Template::made(Dice(super::super::now_millis()));
    // while it runs: the window is 30 days, so only the farthest jump makes it due by the wall
    for offset in [6 * MINUTE, -6 * MINUTE, DAY, -DAY, 100 * DAY, -100 * DAY] {
        let (mut stage, shim) = served(&template, 0);
        assert!(is_trusted(&stage), "before the jump");
        let before = shown(&stage);
        shim.set_clock(offset);
        assert!(!is_trusted(&stage), "a jump of {offset} ms was followed");
        let after = shown(&stage);
        assert_eq!(
            (after.keys, after.payloads, after.destroyed),
            (before.keys, before.payloads, before.destroyed),
            "{offset}"
        );
        assert!(fetches(&stage), "{offset}: by the last time that was trusted the window is open");
        // back again: the operator has to say so
        shim.set_clock(0);
        assert!(!is_trusted(&stage), "trust does not come back by itself");
        stage.server.done(&["retention", "run", "--confirm-time"]);
        assert!(is_trusted(&stage));
        stage.server.stop();
    }
    // a small step, as time services make them, changes nothing
    for offset in [2 * MINUTE, -2 * MINUTE] {
        let (mut stage, shim) = served(&template, 0);
        assert!(is_trusted(&stage));
        shim.set_clock(offset);
        assert!(is_trusted(&stage), "{offset} ms are no jump");
        stage.server.stop();
    }
    // found at a start: behind the last record, or more than 72 hours past it
    for (offset, trusted) in [(-DAY, false), (-100 * DAY, false), (100 * DAY, false), (DAY, true), (4 * DAY, false)] {
        let (mut stage, _shim) = served(&template, offset);
        assert_eq!(is_trusted(&stage), trusted, "a start {offset} ms away");
        let after = shown(&stage);
        assert_eq!(after.destroyed, 0, "{offset}");
        assert!(after.keys > 0 && after.payloads > 0, "{offset}");
        stage.server.stop();
    }
    // and by the operator's word what is due by the wall ends, and is shredded
    let (mut stage, _shim) = served(&template, 100 * DAY);
    assert!(!is_trusted(&stage) && fetches(&stage));
    stage.server.done(&["retention", "run", "--confirm-time"]);
    crate::support::stock::eventually("the windows end", || {
        let list = deliveries(&stage.server);
        list.iter().all(|row| text(row, "availability") == "shredded").then_some(())
    });
    assert!(!fetches(&stage));
    assert_eq!(shown(&stage).payloads, 0);
    stage.server.stop();
}
