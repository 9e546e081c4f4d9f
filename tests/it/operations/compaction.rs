//! The end of the history itself, over a catalog on disk: what is older than the longest
//! period goes, with the clock trusted and the start in order, and the history says so.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::bodies::Home;
use super::*;

/// The start is in November, which ends a week later; the longest period is 730 days.
const LAST_DAY: u64 = 737;

fn files(folder: &Path, ending: &str) -> usize {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|found| found == ending)).count()
}

/// Sessions until there are two snapshots, all in November.
fn busy(folder: &Path) -> Home {
    let home = Home::make(folder);
    let deadline = Instant::now() + Duration::from_secs(60);
    while files(&folder.join("catalog/snapshots"), "snap") < 2 {
        assert!(Instant::now() < deadline, "no two snapshots in a minute of sessions");
        home.sign_in();
    }
    home
}

#[test]
fn the_history_ends_with_the_longest_period_and_says_so_to_everybody() {
    let folder = tempfile::tempdir().unwrap();
    let home = busy(folder.path());
    let journal = folder.path().join("catalog/journal");
    home.pass(LAST_DAY);
    let before = files(&journal, "seg");
    let report = home.operations.enforce_retention().unwrap();
    assert_eq!((report.history_removed_to, report.segments_removed), (None, 0));
    assert_eq!(home.operations.history_cut().unwrap(), None);
    home.pass(1);
    let wanted = home.operations.preview_retention().unwrap().history_removed_to;
    assert!(wanted.is_some() && files(&journal, "seg") == before, "a preview removes nothing");
    let report = home.operations.enforce_retention().unwrap();
    // a snapshot that was made meanwhile lets more go
    assert!(report.history_removed_to >= wanted);
    assert!(report.segments_removed > 0);
    assert_eq!(files(&journal, "seg"), before - report.segments_removed);
    let cut = home.operations.history_cut().unwrap().unwrap();
    assert_eq!(Some(cut.next_event - 1), report.history_removed_to);
    let history = home.history();
    assert_eq!(history[0], cut.line());
    assert!(history[1].sequence == cut.next_event && home.count("history-compacted") == 1);
    // an account that is no administrator sees the line too
    let visitor = Visitor { address: IpAddr::V4(Ipv4Addr::LOCALHOST), client: None };
    let caller = home.operations.sign_in_with_key("one-robot", "SHA256:key", &visitor).unwrap();
    let query = HistoryQuery { limit: 1_000, ..HistoryQuery::default() };
    let own = home.operations.own_history(&caller, &query).unwrap();
    assert_eq!(own.iter().filter(|line| **line == cut.line()).count(), 1);
}

#[test]
fn nothing_goes_by_an_untrusted_clock_nor_after_a_start_that_rebuilt_or_missed_something() {
    for what in ["in order", "killed", "a key is missing"] {
        let folder = tempfile::tempdir().unwrap();
        let home = busy(folder.path());
        home.pass(LAST_DAY + 1);
        let now = home.operations.now();
        drop(home);
        match what {
            "killed" => fs::remove_file(folder.path().join("catalog/closed")).unwrap(),
            "a key is missing" => fs::remove_file(folder.path().join("keys/bodies/changes-202611")).unwrap(),
            _ => {}
        }
        let home = Home::open(folder.path(), now);
        let missing = home.operations.recover().unwrap().lost_body_keys.len();
        assert_eq!(missing, usize::from(what == "a key is missing"));
        // two years without a record: the operator says that the time is right
        let report = home.operations.enforce_retention().unwrap();
        assert!(report.clock_not_trusted && report.segments_removed == 0, "{what}");
        assert_eq!(home.operations.preview_retention().unwrap().history_removed_to, None, "{what}");
        home.operations.confirm_time(CHANNEL).unwrap();
        let report = home.operations.enforce_retention().unwrap();
        assert_eq!(report.segments_removed > 0, what == "in order", "{what}");
        assert_eq!(report.history_removed_to.is_some(), what == "in order", "{what}");
        drop(home);
        let home = Home::open(folder.path(), now);
        assert!(home.operations.recover().unwrap().lost_body_keys.is_empty(), "{what}");
        let report = home.operations.enforce_retention().unwrap();
        // what went in the start before does not come again
        assert!(report.segments_removed > 0 || what == "in order", "{what}");
        assert!(home.count("history-compacted") > 0, "{what}");
    }
}
