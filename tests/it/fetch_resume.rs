//! A client is killed in the middle of a file: the history says that the fetch was
//! started and no more. A client that goes on from there gets the rest, and then the
//! history says that the file was fetched.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::fetch_stage::{ALPHA, LARGE_BYTES, OnItsWay, World, eventually, pattern, same, size};
use crate::support::programs::finish;

const NAME: &str = "large.bin";
/// Enough to be worth resuming, a small part of the whole.
const WORTH_BYTES: u64 = 1024 * 1024;

/// A world with one large file in one delivery.
fn world() -> (World, String) {
    let mut world = World::start();
    let id = world.publish("wages", &[(NAME, pattern(5, LARGE_BYTES))]);
    assert_eq!(world.progress(&id), "published");
    (world, id)
}

fn large() -> u64 {
    u64::try_from(LARGE_BYTES).expect("a size")
}

/// Kills the client once enough lies in its file; what lies there then must be the beginning of the file.
#[track_caller]
fn kill_midway(world: &World, client: OnItsWay, local: &Path) -> u64 {
    eventually("a part of the file", || (size(local) >= WORTH_BYTES).then_some(()));
    client.kill();
    let part = fs::read(local).expect("the part");
    let wanted = world.given[0].bytes.get(..part.len()).expect("no more than the file");
    assert!(part.len() < LARGE_BYTES, "the client had fetched everything before it was killed");
    same(local, wanted);
    size(local)
}

/// Fails unless the record says "started" and no more, and tells of one fetch that ended early.
#[track_caller]
fn only_started(world: &World, id: &str) {
    let ended = world.ended(id, 1);
    let sent = bytes(&ended[0]);
    assert!(sent < large(), "{sent} bytes are said to have left, of {}", large());
    assert_eq!(world.events(id, "fetch-started").len(), 1);
    for event in ["file-released", "file-fetched"] {
        assert!(world.events(id, event).is_empty(), "{event} after an interrupted fetch");
    }
    assert_eq!(world.progress(id), "started");
}

/// Fails unless the file is whole and the record says so; the bytes of the fetch that went on.
#[track_caller]
fn went_on(world: &World, id: &str, local: &Path) -> u64 {
    same(local, &world.given[0].bytes);
    world.becomes_fetched(id);
    assert_eq!(world.events(id, "fetch-started").len(), 2);
    bytes(&world.ended(id, 2)[1])
}

fn bytes(line: &Value) -> u64 {
    line.get("bytes").and_then(Value::as_u64).unwrap_or_else(|| panic!("no bytes: {line}"))
}

#[test]
fn openssh_is_killed_and_resumes() {
    let (world, id) = world();
    let client = world.client(ALPHA);
    let local = client.folder().join(NAME);
    let mut slow = Command::new("sftp");
    // 16,000 kbit/s: twelve seconds for the whole file.
    slow.args(["-l", "16000", "-F"]).arg(client.config()).args(["-b", "-", "vault"]).current_dir(client.folder());
    let mut slow = OnItsWay::start(&mut slow);
    slow.tell(&format!("get outbox/wages/{NAME}"));
    let had = kill_midway(&world, slow, &local);
    only_started(&world, &id);
    client.batch(&format!("reget outbox/wages/{NAME}\n")).expect_code(0);
    assert_eq!(went_on(&world, &id, &local), large() - had, "only the rest was sent again");
}

#[test]
fn lftp_is_killed_and_resumes() {
    let (world, id) = world();
    let client = world.client(ALPHA);
    let local = client.folder().join(NAME);
    let slow = format!("set net:limit-rate 2000000; get outbox/wages/{NAME}");
    let slow = OnItsWay::start(&mut world.lftp(&client, ALPHA, &slow));
    let had = kill_midway(&world, slow, &local);
    only_started(&world, &id);
    finish(&mut world.lftp(&client, ALPHA, &format!("get -c outbox/wages/{NAME}"))).expect_code(0);
    same(&local, &world.given[0].bytes);
    // lftp kills its ssh once it has all; without a CLOSE the last piece is then not counted now and then
    // (docs/ARCHITECTURE.md, section 5). That every byte may have left is on record in any case.
    assert_eq!(world.events(&id, "file-released").len(), 1);
    let sent = bytes(&world.ended(&id, 2)[1]);
    assert!(sent <= large() - had, "only the rest was sent again, not {sent} bytes after {had}");
}

#[test]
fn rclone_is_killed_and_copies_again() {
    let (world, id) = world();
    let client = world.client(ALPHA);
    let to = client.folder().join("copied");
    let local = to.join(NAME);
    let target = to.display().to_string();
    let slow = ["--bwlimit", "2M", "copy", ":sftp:outbox/wages", &target];
    let slow = OnItsWay::start(&mut world.rclone(&client, ALPHA, &slow));
    kill_midway(&world, slow, &local);
    only_started(&world, &id);
    finish(&mut world.rclone(&client, ALPHA, &["copy", ":sftp:outbox/wages", &target])).expect_code(0);
    // It does not resume over SFTP, but begins again.
    assert_eq!(went_on(&world, &id, &local), large());
}

#[test]
fn paramiko_is_killed_and_openssh_goes_on() {
    let (world, id) = world();
    let client = world.client(ALPHA);
    let local = client.folder().join(NAME);
    let first = LARGE_BYTES / 3;
    let mut halfway = world.python(include_str!("../clients/paramiko_halfway.py"), ALPHA);
    halfway.arg(format!("/outbox/wages/{NAME}")).arg(&local).arg(first.to_string());
    let halfway = OnItsWay::start(&mut halfway);
    assert_eq!(halfway.hear(), "halfway");
    let had = kill_midway(&world, halfway, &local);
    assert_eq!(had, u64::try_from(first).expect("a size"));
    only_started(&world, &id);
    client.batch(&format!("reget outbox/wages/{NAME}\n")).expect_code(0);
    assert_eq!(went_on(&world, &id, &local), large() - had);
    assert_eq!(bytes(&world.events(&id, "file-fetched")[0]), large());
}

#[test]
fn answers_come_in_the_order_of_the_requests() {
    // A client that is killed leaves its part as it was written: what came early would leave a hole
    // in it, and OpenSSH's `reget` goes on behind the hole.
    let (world, _) = world();
    let mut client = world.python(include_str!("../clients/paramiko_order.py"), ALPHA);
    let order = finish(client.arg(format!("/outbox/wages/{NAME}"))).expect_code(0).json();
    let order: Vec<u64> = order.as_array().expect("a list").iter().filter_map(Value::as_u64).collect();
    assert!(order.len() > 100 && order.is_sorted(), "{order:?}");
}

#[test]
fn what_a_killed_openssh_leaves_is_the_beginning_of_the_file() {
    let (world, id) = world();
    let client = world.client(ALPHA);
    let local = client.folder().join(NAME);
    for round in 1..=8 {
        let mut fast = Command::new("sftp");
        fast.arg("-F").arg(client.config()).args(["-b", "-", "vault"]).current_dir(client.folder());
        let mut fast = OnItsWay::start(&mut fast);
        fast.tell(&format!("get outbox/wages/{NAME}"));
        eventually("a part of the file", || (size(&local) >= round * WORTH_BYTES).then_some(()));
        // It may have come to its end by now: then it waits for another line.
        fast.kill();
        let part = fs::read(&local).expect("the part");
        same(&local, world.given[0].bytes.get(..part.len()).expect("no more than the file"));
        client.batch(&format!("reget outbox/wages/{NAME}\n")).expect_code(0);
        same(&local, &world.given[0].bytes);
        fs::remove_file(&local).expect("a file to begin with again");
    }
    world.becomes_fetched(&id);
}
