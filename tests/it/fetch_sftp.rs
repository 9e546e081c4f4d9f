//! A whole outbox fetched by each client that recipients really use, and clients at
//! work at the same time. What was cut off, refused or asked oddly is elsewhere.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::fetch_stage::{ALPHA, OnItsWay, SECOND, World, eventually, pattern, same, text};
use crate::support::programs::finish;

/// More than one SFTP window (2 MiB), not a multiple of any chunk.
pub(crate) const SOME_MIB: usize = 3 * 1024 * 1024 + 77;

/// A world with three deliveries in two folders: an empty file, a byte, a chunk, and some MiB.
pub(crate) fn world() -> World {
    let mut world = World::start();
    world.publish("wages", &[("salaries.csv", pattern(1, SOME_MIB)), ("empty.txt", Vec::new())]);
    world.publish(
        "wages",
        &[("one.bin", pattern(2, 1)), ("chunk.bin", pattern(3, 65_536)), ("more.bin", pattern(4, 65_537))],
    );
    world.publish("letters", &[("letter.txt", b"Dear reader,\n".to_vec())]);
    world
}

/// A folder of the world's own to fetch into; not there yet.
pub(crate) fn target(world: &World) -> PathBuf {
    world.server.desk("fetched").join("outbox")
}

#[track_caller]
pub(crate) fn all_fetched(world: &World, outbox: &Path) {
    world.holds_everything(outbox);
    for id in &world.deliveries {
        world.becomes_fetched(id);
    }
}

#[test]
fn openssh_fetches_the_whole_outbox() {
    let world = world();
    let to = target(&world);
    let line = format!("get -r outbox {}\n", to.parent().expect("a folder").display());
    world.client(ALPHA).batch(&line).expect_code(0);
    all_fetched(&world, &to);
}

#[test]
fn lftp_mirrors_the_whole_outbox() {
    let world = world();
    let to = target(&world);
    let client = world.client(ALPHA);
    finish(&mut world.lftp(&client, ALPHA, &format!("mirror outbox {}", to.display()))).expect_code(0);
    all_fetched(&world, &to);
    // Of two connections lftp may end one before it has closed the last file there, so only the bytes are judged.
    let again = world.server.desk("fetched-again");
    let script = format!("mirror --parallel=2 outbox {}", again.display());
    finish(&mut world.lftp(&client, ALPHA, &script)).expect_code(0);
    world.holds_everything(&again);
}

#[test]
fn rclone_copies_and_checks_the_whole_outbox() {
    let world = world();
    let to = target(&world);
    let (client, local) = (world.client(ALPHA), to.display().to_string());
    finish(&mut world.rclone(&client, ALPHA, &["copy", ":sftp:outbox", &local])).expect_code(0);
    all_fetched(&world, &to);
    let check = ["check", "--download", ":sftp:outbox", &local];
    let said = finish(&mut world.rclone(&client, ALPHA, &check)).expect_code(0).stderr;
    assert!(said.contains("0 differences found"), "{said}");
    // Six files, and the digest list and the packing slip of each of three deliveries.
    assert!(said.contains("12 matching files"), "{said}");
    fs::write(to.join("wages/one.bin"), b"x").expect("a changed file");
    let said = finish(&mut world.rclone(&client, ALPHA, &check)).expect_code(1).stderr;
    assert!(said.contains("1 differences found"), "the check can fail: {said}");
}

#[test]
fn paramiko_fetches_the_whole_outbox() {
    let world = world();
    let to = target(&world);
    finish(world.python(include_str!("../clients/paramiko_folder.py"), ALPHA).arg(&to)).expect_code(0);
    all_fetched(&world, &to);
}

#[test]
fn asyncssh_fetches_the_whole_outbox() {
    let world = world();
    let to = target(&world);
    finish(world.python(include_str!("../clients/asyncssh_folder.py"), ALPHA).arg(&to)).expect_code(0);
    all_fetched(&world, &to);
}

/// A mounted folder; unmounted when dropped.
pub(crate) struct Mounted {
    sshfs: Child,
    at: PathBuf,
}

impl Mounted {
    /// A folder of the account, mounted with these options; none, and that is told, when this machine does not let
    /// sshfs mount anything.
    pub(crate) fn told(world: &World, folder: &str, options: &[&str]) -> Option<Self> {
        // Past the test harness, which keeps the output of tests that pass.
        let tell = |reason| writeln!(std::io::stderr(), "sshfs: NOT RUN: {reason}").expect("standard error");
        Self::mount(world, folder, options).map_err(tell).ok()
    }

    /// Where it is mounted.
    pub(crate) fn at(&self) -> &Path {
        &self.at
    }

    fn mount(world: &World, folder: &str, options: &[&str]) -> Result<Self, String> {
        if let Err(error) = fs::File::options().read(true).write(true).open("/dev/fuse") {
            return Err(format!("/dev/fuse cannot be opened ({error})"));
        }
        let (client, at) = (world.client(ALPHA), world.server.desk("mounted"));
        let said = world.server.desk("sshfs").join("said.txt");
        let mut command = Command::new("sshfs");
        command.arg(format!("vault:{folder}")).arg(&at).arg("-F").arg(client.config()).arg("-f").args(options);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(fs::File::create(&said).expect("a file"));
        let sshfs = command.spawn().unwrap_or_else(|error| panic!("sshfs cannot be started: {error}"));
        let mut mounted = Self { sshfs, at };
        let refused = eventually("sshfs to mount or to end", || {
            let ended = mounted.sshfs.try_wait().expect("the state of sshfs");
            if is_mounted(&mounted.at) { Some(None) } else { ended.map(Some) }
        });
        if let Some(status) = refused {
            let said = fs::read_to_string(&said).unwrap_or_default();
            // Only what the machine refuses is an excuse; what the server refuses is a failure.
            assert!(said.contains("fuse") && !status.success(), "sshfs ended with {status}: {said}");
            return Err(said.trim().to_owned());
        }
        Ok(mounted)
    }
}

fn is_mounted(at: &Path) -> bool {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    mounts.lines().any(|line| line.split(' ').nth(1).is_some_and(|place| Path::new(place) == at))
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // What is not mounted any more needs no unmounting; its own process is ended either way.
        let _ = Command::new("fusermount3").arg("-u").arg(&self.at).stderr(Stdio::null()).status();
        let _ = self.sshfs.kill();
        let _ = self.sshfs.wait();
    }
}

#[test]
fn sshfs_shows_the_whole_outbox_where_the_machine_lets_it_mount() {
    let world = world();
    let Some(mounted) = Mounted::told(&world, "outbox", &["-o", "ro"]) else { return };
    world.holds_everything(&mounted.at);
    fs::write(mounted.at.join("wages/forged.csv"), b"x").expect_err("the outbox is read-only");
    let mut unmount = Command::new("fusermount3");
    finish(unmount.arg("-u").arg(&mounted.at)).expect_code(0);
    assert!(!is_mounted(&mounted.at));
    drop(mounted);
    for id in &world.deliveries {
        // A mount need not open an empty file to read it: see the size.
        let delivery = world.delivery(id);
        let files = delivery.get("files").and_then(Value::as_array).expect("files");
        for file in files.iter().filter(|file| file.get("size").and_then(Value::as_u64) != Some(0)) {
            let name = text(file, "fileName");
            eventually(&format!("{name} to be fetched"), || {
                let lines = world.events(id, "file-fetched");
                lines.iter().any(|line| text(line, "file") == name).then_some(())
            });
        }
    }
}

/// A client that holds a file open, half of it read.
#[track_caller]
fn halfway(world: &World, login: &str, name: &str, to: &Path, first: usize) -> OnItsWay {
    let mut command = world.python(include_str!("../clients/paramiko_halfway.py"), login);
    command.arg(format!("/outbox/wages/{name}")).arg(to).arg(first.to_string());
    let client = OnItsWay::start(&mut command);
    assert_eq!(client.hear(), "halfway");
    client
}

#[test]
fn clients_at_once_on_the_same_and_on_other_files_each_get_all() {
    let mut world = World::start();
    let files = [("first.bin", pattern(1, SOME_MIB)), ("second.bin", pattern(2, SOME_MIB))];
    let id = world.publish("wages", &files);
    let desk = world.server.desk("fetched");
    let to = |login: &str, name: &str| desk.join(format!("{login}-{name}"));
    let half = SOME_MIB / 2;
    let mut waiting = Vec::new();
    for (login, name) in [(ALPHA, "first.bin"), (SECOND, "first.bin"), (SECOND, "second.bin")] {
        waiting.push(halfway(&world, login, name, &to(login, name), half));
    }
    assert_eq!(world.events(&id, "fetch-started").len(), 3, "all three are on their way at once");
    assert_eq!(world.progress(&id), "started");
    // A fourth one begins and ends while three files are open.
    let line = format!("get outbox/wages/second.bin {}\n", to(ALPHA, "second.bin").display());
    world.client(ALPHA).batch(&line).expect_code(0);
    for client in &mut waiting {
        client.tell("go on");
    }
    waiting.into_iter().for_each(OnItsWay::finish);
    for login in [ALPHA, SECOND] {
        for (name, bytes) in &files {
            same(&to(login, name), bytes);
        }
    }
    world.becomes_fetched(&id);
    let ended = world.ended(&id, 4);
    for login in [ALPHA, SECOND] {
        for (name, bytes) in &files {
            let of = |line: &&Value| text(line, "login") == login && text(line, "file") == *name;
            assert_eq!(world.events(&id, "fetch-started").iter().filter(of).count(), 1, "{login} {name}");
            let lines: Vec<_> = ended.iter().filter(of).collect();
            assert_eq!(lines.len(), 1, "{login} {name}: {ended:?}");
            let sent = lines[0].get("bytes").and_then(Value::as_u64).expect("bytes");
            assert_eq!(usize::try_from(sent).expect("a size"), bytes.len(), "{login} {name}");
        }
    }
}
