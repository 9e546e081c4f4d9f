//! What must hold after a restart, checked through the command line, SFTP and
//! the disk. Kills nothing and publishes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::ledger::{Asked, Dice, Fetched, digest};
use super::stage::{DAILY, END_TO_END, Stage};
use super::table::Table;
use super::{now_millis, traces};
use crate::support::programs::finish;
use crate::support::server::Server;

/// Within this time after a restart everything that was pending is done, without a hand.
const QUIET_WITHIN: Duration = Duration::from_secs(45);
/// How often it is looked at until then.
const LOOK_AGAIN: Duration = Duration::from_millis(60);

/// Every delivery on record, over all pages.
#[track_caller]
pub(crate) fn deliveries(server: &Server) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    loop {
        let last = all.last().map(|row| text(row, "id").to_owned());
        let mut arguments = vec!["delivery", "list"];
        if let Some(last) = &last {
            arguments.extend(["--after", last]);
        }
        let page = server.done(&arguments);
        let page = page.as_array().expect("a list");
        if page.is_empty() {
            return all;
        }
        all.extend(page.iter().cloned());
    }
}

/// History lines after this number.
#[track_caller]
pub(crate) fn history_after(server: &Server, sequence: u64) -> Vec<Value> {
    let after = sequence.to_string();
    server.done(&["history", "list", "--after", &after]).as_array().expect("a list").clone()
}

pub(crate) fn text<'a>(row: &'a Value, member: &str) -> &'a str {
    row.get(member).and_then(Value::as_str).unwrap_or_default()
}

/// A moment of a row in milliseconds; none when it has none.
pub(crate) fn millis(row: &Value, member: &str) -> Option<u64> {
    let moment: jiff::Timestamp = text(row, member).parse().ok()?;
    u64::try_from(moment.as_millisecond()).ok()
}

pub(crate) fn files(row: &Value) -> &[Value] {
    row.get("files").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

pub(crate) fn is_available(row: &Value) -> bool {
    text(row, "availability") == "available"
}

/// The deliveries of what was asked: those that hold its first file.
pub(crate) fn of<'a>(list: &'a [Value], asked: &Asked) -> Vec<&'a Value> {
    let first = &asked.files.first().expect("a file").name;
    list.iter().filter(|row| files(row).iter().any(|file| text(file, "originalName") == first)).collect()
}

/// Waits until nothing is pending any more; returns the deliveries then.
#[track_caller]
pub(crate) fn quiet(stage: &Stage, ledger: &[Asked], left_alone: usize, table: &mut Table) -> Vec<Value> {
    let begun = Instant::now();
    let home = stage.home();
    let mut list = Vec::new();
    let mut pending = Vec::new();
    while begun.elapsed() < QUIET_WITHIN {
        let looked_at = now_millis();
        pending.clear();
        let mut note = |is_pending: bool, what: &str| pending.extend(is_pending.then(|| what.to_owned()));
        note(traces::unclaimed(&home) > 0, "drops that nobody claimed");
        note(traces::claims(&home) > 0, "claims");
        note(!traces::names(&traces::unfinished(&home)).is_empty(), "unfinished payloads");
        note(!traces::overdue_slots(&home, looked_at).is_empty(), "shred keys of ended windows");
        if pending.is_empty() {
            list = deliveries(&stage.server);
            let is_due = |row: &&Value| millis(row, "availableUntil").is_some_and(|until| until <= looked_at);
            let unshredded = list.iter().filter(is_due).filter(|row| text(row, "availability") != "shredded").count();
            let unpublished = ledger.iter().filter(|asked| asked.is_spooled() && of(&list, asked).is_empty()).count();
            let (stored, wanted) = (traces::payloads(&home), wanted_payloads(&list) + left_alone);
            for (number, what) in [(unshredded, "ended windows"), (unpublished, "drops not published")] {
                pending.extend((number > 0).then(|| format!("{number} {what}")));
            }
            pending.extend((stored != wanted).then(|| format!("{stored} payloads in the vault, {wanted} wanted")));
        }
        if pending.is_empty() {
            assert_eq!(traces::refused(&home), Vec::<String>::new(), "drops were refused");
            table.checked("all pending work was done after the restart, without a hand", 1);
            table.checked("no unfinished payload, no claim and no ended shred key is left", 1);
            table.checked("the vault holds exactly the payloads that are on record (count)", wanted_payloads(&list));
            return list;
        }
        thread::sleep(LOOK_AGAIN);
    }
    panic!("still pending after {} s: {pending:?}; {} deliveries listed", QUIET_WITHIN.as_secs(), list.len());
}

/// How many payloads the record names: shared by those the server can read, one more per end-to-end recipient.
fn wanted_payloads(list: &[Value]) -> usize {
    let mut shared: BTreeMap<&str, usize> = BTreeMap::new();
    let mut own = 0;
    for row in list.iter().filter(|row| text(row, "availability") != "shredded") {
        if row.get("endToEnd").and_then(Value::as_bool).unwrap_or_default() {
            own += files(row).len();
        } else {
            shared.insert(text(row, "publicationId"), files(row).len());
        }
    }
    own + shared.values().sum::<usize>()
}

/// Everything asked is there whole and once, and nothing else is.
#[track_caller]
pub(crate) fn whole_and_once(list: &[Value], ledger: &[Asked], table: &mut Table) {
    let mut by_file: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for row in list {
        by_file.entry(text(files(row).first().expect("a file"), "originalName")).or_default().push(row);
    }
    let mut expected = 0;
    for asked in ledger {
        let first = asked.files.first().expect("a file");
        let found = by_file.get(first.name.as_str()).map(Vec::as_slice).unwrap_or_default();
        if asked.abandoned {
            assert!(found.is_empty(), "{} was never published and appeared: {found:?}", asked.key);
            table.checked("what was not on record and not asked again never appeared", 1);
            continue;
        }
        let codes: Vec<_> = found.iter().map(|row| text(row, "organisation")).collect();
        let unique: BTreeSet<_> = codes.iter().copied().collect();
        assert_eq!(codes.len(), unique.len(), "{} was published more than once: {codes:?}", asked.key);
        assert_eq!(unique, asked.recipients.iter().copied().collect(), "recipients of {}", asked.key);
        for row in found {
            whole(row, asked);
        }
        expected += found.len();
        table.checked("an acknowledged publication is listed whole, once, for all its recipients", 1);
        if asked.is_spooled() {
            table.checked("a drop was published exactly once", 1);
        }
    }
    assert_eq!(list.len(), expected, "deliveries that nobody asked for");
}

#[track_caller]
fn whole(row: &Value, asked: &Asked) {
    assert_eq!(files(row).len(), asked.files.len(), "{row}");
    for (shown, content) in files(row).iter().zip(&asked.files) {
        assert_eq!(text(shown, "originalName"), content.name, "{row}");
        if text(row, "organisation") != END_TO_END {
            assert_eq!(shown.get("size").and_then(Value::as_u64), Some(content.size), "{row}");
            assert_eq!(text(shown, "sha256"), content.sha256, "{row}");
        }
    }
    if !asked.is_brief() {
        assert!(is_available(row), "a long window has ended: {row}");
    }
}

/// What the recipients' folders show is exactly what can be fetched, packing slips and digest lists included.
#[track_caller]
pub(crate) fn shown_in_outbox(stage: &Stage, organisation: &str, list: &[Value], table: &mut Table) {
    let looked_at = now_millis();
    let own = || list.iter().filter(|row| text(row, "organisation") == organisation && is_available(row));
    // A short window may end between the two lists.
    let is_lasting = |row: &&Value| text(row, "product") != "brief";
    let must: BTreeSet<String> = own().filter(is_lasting).flat_map(outbox_names).collect();
    let may: BTreeSet<String> = own().flat_map(outbox_names).collect();
    let said = stage.robot(organisation).batch("-ls -1 outbox/daily\n-ls -1 outbox/spooled\n-ls -1 outbox/brief\n");
    let said = said.expect_code(0).text();
    let seen: BTreeSet<String> =
        said.lines().map(str::trim).filter(|line| line.starts_with("outbox/")).map(ToOwned::to_owned).collect();
    let missing: Vec<_> = must.difference(&seen).collect();
    let extra: Vec<_> = seen.difference(&may).collect();
    assert!(missing.is_empty(), "{organisation}'s outbox lacks {missing:?}");
    assert!(extra.is_empty(), "{organisation}'s outbox shows {extra:?} at {looked_at}");
    table.checked("an outbox shows every file, packing slip and digest list, and nothing else (names)", seen.len());
}

fn outbox_names(row: &Value) -> Vec<String> {
    let (product, name) = (text(row, "product"), text(row, "name"));
    let mut names: Vec<_> =
        files(row).iter().map(|file| format!("outbox/{product}/{}", text(file, "fileName"))).collect();
    names.push(format!("outbox/{product}/{name}.packing-slip.json"));
    names.push(format!("outbox/{product}/{name}.sha256"));
    names
}

/// Fetches one delivery by SFTP; its digests are right, and what was sent end to end opens to what was offered.
#[track_caller]
pub(crate) fn fetched_whole(stage: &Stage, row: &Value, ledger: &[Asked], table: &mut Table) {
    let robot = stage.robot(text(row, "organisation"));
    let lines: String = outbox_names(row).iter().map(|path| format!("get {path}\n")).collect();
    robot.batch(&lines).expect_code(0);
    right_digests(robot.folder(), &format!("{}.sha256", text(row, "name")));
    let slip = fs::read_to_string(robot.folder().join(format!("{}.packing-slip.json", text(row, "name"))));
    assert!(slip.expect("the packing slip").contains(text(row, "id")), "{row}");
    for file in files(row) {
        let path = robot.folder().join(text(file, "fileName"));
        let offered =
            ledger.iter().flat_map(|asked| &asked.files).find(|content| content.name == text(file, "originalName"));
        let plain = if text(row, "organisation") == END_TO_END {
            stage.opened(&path)
        } else {
            fs::read(&path).expect("a file")
        };
        assert_eq!(digest(&plain), offered.expect("an offered file").sha256, "{row}");
    }
    for name in outbox_names(row) {
        fs::remove_file(robot.folder().join(name.rsplit('/').next().expect("a name"))).expect("a fetched file");
    }
    table.checked("a delivery was fetched by SFTP and `sha256sum -c` passed (sample)", 1);
}

#[track_caller]
fn right_digests(folder: &Path, list: &str) {
    finish(Command::new("sha256sum").args(["--check", "--strict", "--quiet", list]).current_dir(folder)).expect_code(0);
}

/// A delivery whose window has ended is not given out, whether or not its end is on record.
#[track_caller]
pub(crate) fn ended_is_refused(stage: &Stage, row: &Value, table: &mut Table) {
    let robot = stage.robot(text(row, "organisation"));
    let name = text(files(row).first().expect("a file"), "fileName");
    let ended = robot.batch(&format!("get outbox/brief/{name}\n"));
    let got = fs::metadata(robot.folder().join(name)).map_or(0, |found| found.len());
    assert!(!ended.status.success() && got == 0, "{got} bytes of an ended delivery were given out: {row}");
    table.checked("content whose window had ended was refused", 1);
}

/// Every fetch that a client ended with success is on record.
#[track_caller]
pub(crate) fn fetches_on_record(history: &[Value], fetched: &[Fetched], table: &mut Table) {
    let count = |fetch: &Fetched| {
        let is_it = |line: &&Value| {
            text(line, "event") == "file-released"
                && text(line, "deliveryId") == fetch.delivery
                && text(line, "file") == fetch.file
        };
        history.iter().filter(is_it).count()
    };
    for fetch in fetched.iter().filter(|fetch| fetch.size > 0) {
        let same = fetched.iter().filter(|other| other.delivery == fetch.delivery && other.file == fetch.file).count();
        assert!(count(fetch) >= same, "a client has all of {fetch:?} ({same} times), and it is not on record");
        table.checked("a fetch that its client finished is on record as released", 1);
    }
}

/// There is one mail per delivery and robot, exactly for the deliveries that exist, and one receipt by mail for
/// each upload that was received.
#[track_caller]
pub(crate) fn mail_for_each(list: &[Value], received: usize, mails: &[Value], table: &mut Table) {
    let mut left: BTreeSet<&str> = list.iter().map(|row| text(row, "id")).collect();
    let (mut receipts, mut results) = (0, 0);
    for mail in mails {
        match text(mail, "kind") {
            "upload-received" => receipts += 1,
            "upload-accepted" => results += 1,
            _ => assert!(left.remove(text(mail, "deliveryId")), "a second mail, or one without its delivery: {mail}"),
        }
    }
    assert!(left.is_empty(), "deliveries without a mail: {left:?}");
    assert_eq!(receipts, received, "receipts by mail, and uploads that were received: {mails:#?}");
    assert!(results <= received, "more results than uploads: {mails:#?}");
    table.checked("a mail is on record exactly for each delivery and each received upload", mails.len());
}

/// At the end: whole outboxes, every digest.
#[track_caller]
pub(crate) fn everything_fetched(stage: &Stage, list: &[Value], table: &mut Table) {
    for organisation in DAILY {
        let robot = stage.robot(organisation);
        robot.batch("get -r outbox everything\n").expect_code(0);
        let own = |row: &&Value| text(row, "organisation") == organisation && is_available(row);
        for row in list.iter().filter(own).filter(|row| text(row, "product") != "brief") {
            let folder = robot.folder().join("everything").join(text(row, "product"));
            right_digests(&folder, &format!("{}.sha256", text(row, "name")));
            for path in outbox_names(row) {
                let name = path.rsplit('/').next().expect("a name");
                assert!(folder.join(name).exists(), "{path} was not fetched");
            }
            table.checked("at the end, fetched by SFTP and `sha256sum -c` passed (all deliveries)", 1);
        }
    }
}

/// One delivery that can be fetched, by chance.
pub(crate) fn any_available<'a>(list: &'a [Value], dice: &mut Dice) -> Option<&'a Value> {
    let available: Vec<_> = list.iter().filter(|row| is_available(row) && text(row, "product") != "brief").collect();
    available.get(usize::try_from(dice.below(available.len() as u64)).ok()?).copied()
}
