//! The spool, as a back office uses it: what is published, when, to whom,
//! and what becomes of a drop that cannot be published.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::clients::SftpClient;
use crate::support::programs::{PATIENCE, finish, finish_with, python};
use crate::support::server::Server;
use crate::support::stock::{
    deliveries, events, eventually, file_names, organisation, product, robot, robot_login, text, write_file,
};

/// Two recipients of `wages`, one organisation without agreement, a quick spool.
struct Stage {
    server: Server,
    desk: PathBuf,
}

impl Stage {
    #[track_caller]
    fn set() -> Self {
        let mut server = Server::prepare();
        server.set("POSTKLUIS_SPOOL__SETTLE_SECONDS", "1");
        server.set("POSTKLUIS_SPOOL__RESCAN_SECONDS", "1");
        server.serve();
        product(&server, "wages");
        organisation(&server, "alpha", &["wages"]);
        organisation(&server, "beta", &["wages"]);
        organisation(&server, "gamma", &[]);
        let desk = server.desk("desk");
        let stage = Self { server, desk };
        for folder in ["wages/alpha", "wages/gamma"] {
            fs::create_dir_all(stage.spool(folder)).expect("a folder of the spool");
        }
        stage
    }

    fn spool(&self, path: &str) -> PathBuf {
        self.server.home().join("spool").join(path)
    }

    /// Makes a file elsewhere and moves it in.
    #[track_caller]
    fn move_in(&self, place: &str, size: usize) -> Vec<u8> {
        let to = self.spool(place);
        let from = self.desk.join(to.file_name().expect("a name"));
        let bytes = write_file(&from, size, place.len());
        fs::rename(&from, &to).unwrap_or_else(|error| panic!("{}: {error}", to.display()));
        bytes
    }

    /// The deliveries, once there are so many.
    #[track_caller]
    fn published(&self, count: usize) -> Vec<Value> {
        eventually(&format!("{count} deliveries"), || {
            let found = deliveries(&self.server);
            assert!(found.len() <= count, "more than {count} deliveries: {found:?}");
            (found.len() == count).then_some(found)
        })
    }

    /// Nothing is left of drops that were taken.
    #[track_caller]
    fn is_swept(&self) {
        eventually("no claims are left", || names(&self.spool(".claimed")).is_empty().then_some(()));
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[track_caller]
fn fetch_all(client: &SftpClient) {
    client.batch("get outbox/wages/*\n").expect_code(0);
    let mut check = Command::new("sh");
    check.args(["-c", "cat ./*.sha256 | sha256sum --check --strict"]).current_dir(client.folder());
    finish(&mut check).expect_code(0);
}

#[test]
fn a_file_moved_in_goes_to_every_agreement_in_force() {
    let stage = Stage::set();
    let client = robot(&stage.server, "alpha", &["wages"]);
    let bytes = stage.move_in("wages/october.csv", 300_000);
    let found = stage.published(2);
    let mut recipients: Vec<&str> = found.iter().map(|row| text(row, "organisation")).collect();
    recipients.sort_unstable();
    assert_eq!(recipients, ["alpha", "beta"]);
    assert_eq!(found[0]["publicationId"], found[1]["publicationId"]);
    assert!(!stage.spool("wages/october.csv").exists(), "the source leaves the spool");

    // One folder deeper it is for one organisation.
    let own = stage.move_in("wages/alpha/own.csv", 1_000);
    let found = stage.published(3);
    assert_eq!(found.iter().filter(|row| row["organisation"] == "alpha").count(), 2);
    stage.is_swept();

    fetch_all(&client);
    assert!(fs::read(client.folder().join("october.csv")).expect("october.csv") == bytes);
    assert!(fs::read(client.folder().join("own.csv")).expect("own.csv") == own);
    assert_eq!(names(&stage.spool(".refused")), Vec::<String>::new());
}

#[test]
fn a_name_that_comes_again_is_a_delivery_of_its_own() {
    let stage = Stage::set();
    let client = robot(&stage.server, "alpha", &["wages"]);
    let first = stage.move_in("wages/alpha/october.csv", 1_000);
    stage.published(1);
    let second = stage.move_in("wages/alpha/october.csv", 1_001);
    let found = stage.published(2);
    let later = found.iter().find(|row| row["sequence"] == 2).expect("the second delivery");
    let renamed = file_names(&stage.server, later).remove(0);
    assert!(renamed.starts_with("october_") && renamed.ends_with("_000002.csv"), "{renamed}");
    fetch_all(&client);
    assert!(fs::read(client.folder().join("october.csv")).expect("the first") == first);
    assert!(fs::read(client.folder().join(renamed)).expect("the second") == second);
}

#[test]
fn several_files_appear_at_the_same_instant() {
    let stage = Stage::set();
    let client = robot(&stage.server, "alpha", &["wages"]);
    let folder = stage.desk.join("october.delivery");
    fs::create_dir(&folder).expect("the folder");
    let parts: Vec<Vec<u8>> =
        (1..=3).map(|part| write_file(&folder.join(format!("part-{part}.csv")), 2_000_000, part)).collect();
    fs::write(folder.join("delivery.toml"), "period = \"2026-10\"\n[counts]\nrows = 1234\n").expect("the description");

    let begun = stage.desk.join("watching");
    let address = stage.server.address("sftp");
    let mut watch = python();
    watch
        .args(["-", &address.ip().to_string(), &address.port().to_string(), &robot_login("alpha")])
        .arg(stage.server.desk("keys-of-robots").join("alpha"))
        .arg(stage.server.home().join("keys/ssh_host_ed25519_key.pub"))
        .args(["/outbox/wages", begun.to_str().expect("a path"), "5"]);
    let program = include_str!("../clients/paramiko_watch.py");
    let watching = thread::spawn(move || finish_with(&mut watch, program.as_bytes(), PATIENCE));
    eventually("the first listing", || begun.exists().then_some(()));
    fs::rename(&folder, stage.spool("wages/october.delivery")).expect("moved in");

    let seen = watching.join().expect("the watcher").expect_code(0).json();
    let delivery = stage.published(2).into_iter().find(|row| row["organisation"] == "alpha").expect("alpha's");
    let name = text(&delivery, "name");
    let mut whole: Vec<String> = (1..=3).map(|part| format!("part-{part}.csv")).collect();
    whole.extend([format!("{name}.packing-slip.json"), format!("{name}.sha256")]);
    whole.sort();
    assert_eq!(seen["seen"], json!([[], whole]), "nothing or everything is seen: {seen}");
    assert_eq!((&delivery["period"], &delivery["counts"]), (&json!("2026-10"), &json!({ "rows": 1234 })));

    fetch_all(&client);
    for (at, bytes) in parts.iter().enumerate() {
        assert!(&fs::read(client.folder().join(format!("part-{}.csv", at + 1))).expect("a part") == bytes);
    }
    let slip = fs::read_to_string(client.folder().join(format!("{name}.packing-slip.json"))).expect("the slip");
    let slip: Value = serde_json::from_str(&slip).expect("a packing slip");
    assert!(slip.to_string().contains("part-3.csv") && slip.to_string().contains("1234"), "{slip}");
}

#[test]
fn where_a_marker_is_required_nothing_else_counts() {
    let stage = Stage::set();
    stage.server.done(&["product", "change", "wages", "--require-marker", "true"]);
    product(&stage.server, "notes");
    stage.server.done(&["agreement", "add", "--organisation", "alpha", "--product", "notes", "--purpose", "test"]);
    fs::create_dir(stage.spool("notes")).expect("a folder of the spool");
    stage.move_in("wages/alpha/waits.csv", 500);
    fs::create_dir(stage.spool("wages/alpha/both.delivery")).expect("a folder");
    write_file(&stage.spool("wages/alpha/both.delivery/one.csv"), 10, 1);
    // This one begins to settle later: when it is published, the others had their time.
    write_file(&stage.spool("notes/later.csv"), 10, 2);
    let found = stage.published(1);
    assert_eq!(found[0]["product"], "notes");
    assert!(stage.spool("wages/alpha/waits.csv").exists());

    File::create(stage.spool("wages/alpha/waits.csv.done")).expect("the marker");
    let found = stage.published(2);
    let marked = found.iter().find(|row| row["product"] == "wages").expect("the marked one");
    assert_eq!(file_names(&stage.server, marked), ["waits.csv"]);
    File::create(stage.spool("wages/alpha/both.delivery.done")).expect("the marker");
    stage.published(3);
    stage.is_swept();
    assert_eq!(names(&stage.spool("wages/alpha")), Vec::<String>::new(), "the markers went along");
}

#[test]
fn a_file_that_is_open_for_writing_waits() {
    let stage = Stage::set();
    let mut open = File::create(stage.spool("wages/alpha/open.csv")).expect("a drop");
    open.write_all(b"first half\n").expect("written");
    write_file(&stage.spool("wages/alpha/unnamed.csv.part"), 10, 1);
    write_file(&stage.spool("wages/alpha/.hidden.csv"), 10, 1);
    write_file(&stage.spool("wages/alpha/closed.csv"), 10, 2);
    let found = stage.published(1);
    assert_eq!(file_names(&stage.server, &found[0]), ["closed.csv"]);
    open.write_all(b"second half\n").expect("written");
    drop(open);
    let found = stage.published(2);
    let whole = found.iter().find(|row| row["totalBytes"] == 23).expect("the whole file");
    assert_eq!(file_names(&stage.server, whole), ["open.csv"]);
    assert_eq!(names(&stage.spool("wages/alpha")), [".hidden.csv", "unnamed.csv.part"]);
}

#[test]
fn a_marker_that_was_left_says_nothing_of_the_next_file_of_its_name() {
    let stage = Stage::set();
    stage.move_in("wages/alpha/daily.csv", 500);
    stage.published(1);
    // too late for the file, which was whole by its move
    let marker = File::create(stage.spool("wages/alpha/daily.csv.done")).expect("the marker");
    let marked = marker.metadata().and_then(|found| found.modified()).expect("its time");
    // the clock of a file system moves in steps
    eventually("a later moment", || {
        let probe = File::create(stage.desk.join("probe")).expect("a probe");
        (probe.metadata().and_then(|found| found.modified()).expect("its time") > marked).then_some(())
    });
    let mut open = File::create(stage.spool("wages/alpha/daily.csv")).expect("the next one");
    open.write_all(b"first half\n").expect("written");
    write_file(&stage.spool("wages/alpha/closed.csv"), 10, 2);
    // what was closed settles as long as the other one would have to
    let found = stage.published(2);
    assert!(found.iter().any(|row| file_names(&stage.server, row) == ["closed.csv"]), "{found:?}");
    open.write_all(b"second half\n").expect("written");
    drop(open);
    let found = stage.published(3);
    assert!(found.iter().any(|row| row["totalBytes"] == 23), "{found:?}");
    stage.is_swept();
    assert_eq!(names(&stage.spool("wages/alpha")), Vec::<String>::new(), "the marker went along");
    // a file with content is a drop, whatever its name
    stage.move_in("wages/alpha/other.csv.done", 40);
    stage.move_in("wages/alpha/other.csv", 50);
    let found = stage.published(5);
    assert!(found.iter().any(|row| row["totalBytes"] == 40) && found.iter().any(|row| row["totalBytes"] == 50));
}

#[test]
fn a_file_that_grows_while_it_is_read_is_never_published_half() {
    const FIRST: usize = 12_000_000;
    let stage = Stage::set();
    let place = stage.spool("wages/alpha/grows.csv");
    let from = stage.desk.join("grows.csv");
    write_file(&from, FIRST, 3);
    let mut open = File::options().append(true).open(&from).expect("the file");
    let caught = AtomicBool::new(false);
    let size = thread::scope(|scope| {
        // Somebody still writes it: first without a pause until that was noticed, then by fits and starts.
        let writing = scope.spawn(|| {
            let (mut size, mut pauses) = (FIRST, 0);
            while pauses < 5 && size < FIRST * 4 {
                open.write_all(&[b'x'; 5_000]).expect("written");
                size += 5_000;
                let is_caught = caught.load(Ordering::Relaxed);
                pauses += usize::from(is_caught);
                thread::sleep(Duration::from_millis(if is_caught { 400 } else { 3 }));
            }
            drop(open);
            size
        });
        fs::rename(&from, &place).expect("moved in");
        eventually("the spool notices", || stage.server.logged().contains("still being written").then_some(()));
        caught.store(true, Ordering::Relaxed);
        writing.join().expect("the writer")
    });
    let found = stage.published(1);
    assert_eq!(found[0]["totalBytes"], size, "{found:?}");
    stage.is_swept();
    assert_eq!(names(&stage.spool(".refused")), Vec::<String>::new());
}

#[test]
fn what_came_while_the_server_was_down_is_published_once_at_start() {
    let mut stage = Stage::set();
    stage.server.stop();
    stage.move_in("wages/alpha/night.csv", 2_000);
    // A claim that a crash left, before it was published.
    let claim = stage.spool(".claimed/6f1d5c3a-0c1e-4c55-9d5e-2f6d1b6d9f10/wages/alpha");
    fs::create_dir_all(&claim).expect("a claim");
    write_file(&claim.join("claimed.csv"), 1_000, 1);
    stage.server.serve();
    let found = stage.published(2);
    stage.is_swept();
    // And one that a crash left after it was published.
    stage.server.kill9();
    fs::create_dir_all(&claim).expect("a claim");
    write_file(&claim.join("claimed.csv"), 1_000, 1);
    stage.server.serve();
    stage.is_swept();
    let ids = |rows: &[Value]| rows.iter().map(|row| text(row, "id").to_owned()).collect::<Vec<_>>();
    assert_eq!(ids(&deliveries(&stage.server)), ids(&found));
    assert_eq!(names(&stage.spool(".refused")), Vec::<String>::new());
}

/// Makes a drop elsewhere, to be moved in.
type Make = fn(&Path);

fn a_file(path: &Path) {
    fs::write(path, b"content of the drop\n").expect("a drop");
}

fn a_folder_of(path: &Path, files: &[&str]) {
    fs::create_dir(path).expect("a folder");
    for file in files {
        a_file(&path.join(file));
    }
}

fn a_fifo(path: &Path) {
    finish(Command::new("mkfifo").arg(path)).expect_code(0);
}

/// Place in the spool, what lies there, a part of the reason.
const REFUSED: &[(&str, Make, &str)] = &[
    ("at-the-root.csv", a_file, "put it in spool/<product>/"),
    ("nothing/unknown.csv", a_file, "no such product"),
    ("wages/gamma/no-agreement.csv", a_file, "organisation gamma has no agreement in force for product wages"),
    ("wages/nobody/unknown-recipient.csv", a_file, "there is no organisation nobody"),
    ("wages/over/ended.csv", a_file, "ended"),
    ("wages/was/agreement-ended.csv", a_file, "organisation was has no agreement in force"),
    ("wages/alpha/a name with spaces.csv", a_file, "is not a file name"),
    ("wages/alpha/-option.csv", a_file, "is not a file name"),
    ("wages/alpha/deep/too-deep.csv", a_file, ".delivery"),
    ("wages/alpha/link-out.csv", |path| symlink("/etc/passwd", path).expect("a link"), "symbolic link"),
    ("wages/alpha/link-loop.csv", |path| symlink(path.file_name().expect("a name"), path).expect("a link"), "symbolic"),
    ("wages/alpha/pipe.csv", a_fifo, "not a regular file"),
    ("wages/alpha/empty.delivery", |path| a_folder_of(path, &[]), "at least one file"),
    ("wages/alpha/twice.delivery", |path| a_folder_of(path, &["list.csv", "LIST.csv"]), "differ only by case"),
    ("wages/alpha/bad-name.delivery", |path| a_folder_of(path, &["good.csv", "not good.csv"]), "is not a file name"),
    (
        "wages/alpha/link-inside.delivery",
        |path| {
            a_folder_of(path, &["good.csv"]);
            symlink("/etc/passwd", path.join("passwd.csv")).expect("a link");
        },
        "passwd.csv is a symbolic link",
    ),
    (
        "wages/alpha/folder-inside.delivery",
        |path| {
            a_folder_of(path, &["good.csv"]);
            symlink("..", path.join("loop")).expect("a link");
            a_folder_of(&path.join("inner"), &["hidden.csv"]);
        },
        "inner is not a regular file",
    ),
    (
        "wages/alpha/described.delivery",
        |path| {
            a_folder_of(path, &["good.csv"]);
            fs::write(path.join("delivery.toml"), "perriod = \"2026-10\"\n").expect("a description");
        },
        "delivery.toml is wrong",
    ),
];

#[test]
fn a_refused_drop_is_kept_beside_its_reason() {
    let stage = Stage::set();
    organisation(&stage.server, "over", &["wages"]);
    organisation(&stage.server, "was", &["wages"]);
    stage.server.done(&["organisation", "end", "over"]);
    stage.server.done(&["agreement", "end", "--organisation", "was", "--product", "wages"]);
    for (at, (place, make, _)) in REFUSED.iter().enumerate() {
        let to = stage.spool(place);
        // Some places are folders that only the drop itself brings.
        let (from, to) = match *place {
            "wages/alpha/deep/too-deep.csv" => (stage.desk.join("deep"), stage.spool("wages/alpha/deep")),
            _ => (stage.desk.join(format!("{at}-made")), to),
        };
        fs::create_dir_all(to.parent().expect("a folder")).expect("the folder");
        if from.file_name().is_some_and(|name| name == "deep") {
            fs::create_dir(&from).expect("a folder");
            make(&from.join("too-deep.csv"));
        } else {
            make(&from);
        }
        // Made before it is moved in by more than the step of the file system's clock (some milliseconds): a scan can
        // tell a folder that was moved in from one that is being filled by nothing else, should the event get lost.
        if from.is_dir() {
            let a_second_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(1);
            fs::File::open(&from).and_then(|folder| folder.set_modified(a_second_ago)).expect("an older folder");
        }
        fs::rename(&from, &to).unwrap_or_else(|error| panic!("{place}: {error}"));
    }
    for (place, _, reason) in REFUSED {
        let dropped = place.strip_suffix("/too-deep.csv").unwrap_or(place);
        let name = Path::new(dropped).file_name().expect("a name").to_string_lossy().into_owned();
        let told = stage.spool(&format!(".refused/{name}.reason.txt"));
        // it is whole as soon as it is there
        let told = eventually(&format!("the reason of {place}"), || fs::read_to_string(&told).ok());
        assert!(told.contains("Refused at: "), "{place}: {told}");
        assert!(told.contains(reason), "{place} was refused with: {told}");
        let dropped_as = told.lines().find(|line| line.starts_with("Dropped as: ")).unwrap_or_default();
        assert!(dropped_as.ends_with(dropped), "{place}: {told}");
        let kept = stage.spool(&format!(".refused/{name}"));
        let kept = eventually(&format!("{place} is kept"), || fs::symlink_metadata(&kept).ok());
        if kept.is_file() {
            let content = fs::read_to_string(stage.spool(&format!(".refused/{name}"))).expect("the drop");
            assert_eq!(content, "content of the drop\n", "{place}");
        }
        assert!(fs::symlink_metadata(stage.spool(dropped)).is_err(), "{place} has left the spool");
    }
    stage.is_swept();
    assert_eq!(deliveries(&stage.server), Vec::<Value>::new());
    // Each is in the history, with its reason.
    let notes: Vec<String> =
        events(&stage.server, "publication-refused").iter().map(|line| text(line, "note").to_owned()).collect();
    for (place, _, reason) in REFUSED {
        assert!(notes.iter().any(|note| note.contains(reason)), "{place} is not in the history: {notes:?}");
    }
    // The spool goes on.
    stage.move_in("wages/alpha/good.csv", 100);
    stage.published(1);
}

#[test]
fn a_very_long_name_is_refused_like_any_other() {
    let stage = Stage::set();
    // 255 is the most that the file system takes; 200 the most that a file name may have.
    for length in [201, 244, 255] {
        let name = format!("{}.csv", "n".repeat(length - 4));
        stage.move_in(&format!("wages/alpha/{name}"), 100);
        let (reason, kept) = eventually("the refused drop", || {
            let refused = names(&stage.spool(".refused"));
            let refused: Vec<String> = refused.into_iter().filter(|name| !name.starts_with('.')).collect();
            let reason = refused.iter().find(|name| name.ends_with(".reason.txt"))?.clone();
            let kept = refused.iter().find(|name| !name.ends_with(".reason.txt"))?.clone();
            Some((reason, kept))
        });
        let told = fs::read_to_string(stage.spool(".refused").join(&reason)).expect("the reason");
        assert!(told.contains("1 to 200 letters"), "{told}");
        assert!(told.contains(&name), "the whole name is told: {told}");
        assert_eq!(fs::read(stage.spool(".refused").join(&kept)).expect("the drop").len(), 100);
        assert!(reason.starts_with(kept.as_str()), "{kept} lies beside {reason}");
        fs::remove_file(stage.spool(".refused").join(reason)).expect("removed");
        fs::remove_file(stage.spool(".refused").join(kept)).expect("removed");
        stage.is_swept();
    }
    assert_eq!(deliveries(&stage.server), Vec::<Value>::new());
}

#[test]
fn a_name_that_is_not_utf8_is_refused_too() {
    let stage = Stage::set();
    let made = stage.desk.join("made");
    fs::write(&made, "content of the drop\n").expect("a file");
    fs::rename(&made, stage.spool("wages/alpha").join(OsStr::from_bytes(b"loon\xfflijst.csv"))).expect("a drop");
    let kept = stage.spool(".refused").join("loon\u{fffd}lijst.csv");
    let content = eventually("the refused drop", || fs::read_to_string(&kept).ok());
    assert_eq!(content, "content of the drop\n");
    let told = fs::read_to_string(kept.with_file_name("loon\u{fffd}lijst.csv.reason.txt")).expect("the reason");
    assert!(told.contains("is not a file name"), "{told}");
    stage.is_swept();
    assert_eq!(deliveries(&stage.server), Vec::<Value>::new());
}
