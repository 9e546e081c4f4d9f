//! Uploads that break off: the client or the server is killed in the middle, and the same file
//! goes on from where it was, with the same digest at the end.

use std::process::Command;

use serde_json::Value;

use crate::fetch_stage::{ALPHA, LARGE_BYTES, OnItsWay, World, eventually, pattern, text};
use crate::support::clients::SftpClient;
use crate::upload_stage::{events, is_received, local, upload, uploads, world, world_with};

const NAME: &str = "large.bin";
/// Enough to be worth resuming, a small part of the whole.
const WORTH_BYTES: u64 = 1024 * 1024;

fn size(row: &Value) -> u64 {
    row.get("sizeBytes").and_then(Value::as_u64).expect("a size")
}

/// A client that uploads slowly enough to be killed: 16,000 kbit/s are twelve seconds for the whole file.
#[track_caller]
fn slow_put(client: &SftpClient, line: &str) -> OnItsWay {
    let mut slow = Command::new("sftp");
    slow.args(["-l", "16000", "-F"]).arg(client.config()).args(["-b", "-", "vault"]).current_dir(client.folder());
    let mut slow = OnItsWay::start(&mut slow);
    slow.tell(line);
    slow
}

/// Waits until enough of the file has arrived.
#[track_caller]
fn a_part_arrives(world: &World) -> u64 {
    eventually("a part of the upload", || {
        uploads(world, NAME).first().map(size).filter(|arrived| *arrived >= WORTH_BYTES)
    })
}

/// The upload once nobody has it open any more.
#[track_caller]
fn left_behind(world: &World) -> Value {
    eventually("the end of the broken upload", || {
        Some(upload(world, NAME)).filter(|shown| shown.get("isOpen").and_then(Value::as_bool) == Some(false))
    })
}

#[test]
fn openssh_is_killed_and_puts_the_rest() {
    let world = world();
    let client = world.client(ALPHA);
    let bytes = pattern(5, LARGE_BYTES);
    let from = local(&world, NAME, &bytes);
    let slow = slow_put(&client, &format!("put {} dropbox/intake/", from.display()));
    let seen = a_part_arrives(&world);
    slow.kill();
    let left = left_behind(&world);
    assert_eq!(text(&left, "state"), "unfinished", "{left}");
    assert!(size(&left) >= seen && size(&left) < bytes.len() as u64, "{left}");
    assert!(events(&world, "upload-received").is_empty());
    client.batch(&format!("reput {} dropbox/intake/\n", from.display())).expect_code(0);
    is_received(&world, NAME, &bytes);
    let resumed = events(&world, "upload-resumed");
    assert_eq!(resumed.len(), 1, "{resumed:?}");
    assert_eq!(resumed[0].get("bytes").and_then(Value::as_u64), Some(size(&left)), "it went on, not anew");
    client.batch(&format!("get dropbox/intake/{NAME} back\n")).expect_code(0);
    crate::fetch_stage::same(&client.folder().join("back"), &bytes);
}

#[test]
fn the_server_is_killed_and_the_client_puts_the_rest() {
    let mut world = world();
    let client = world.client(ALPHA);
    let bytes = pattern(6, LARGE_BYTES);
    let from = local(&world, NAME, &bytes);
    let slow = slow_put(&client, &format!("put {} dropbox/intake/", from.display()));
    a_part_arrives(&world);
    world.server.kill9();
    drop(slow);
    world.server.serve();
    let left = upload(&world, NAME);
    assert_eq!(text(&left, "state"), "unfinished", "{left}");
    assert!(size(&left) > 0 && size(&left) < bytes.len() as u64, "{left}");
    let client = world.client(ALPHA);
    client.batch(&format!("reput {} dropbox/intake/\n", from.display())).expect_code(0);
    is_received(&world, NAME, &bytes);
}

#[test]
fn a_server_that_stops_in_order_keeps_what_arrived() {
    let mut world = world_with(&[("POSTKLUIS_SFTP__DRAIN_GRACE", "1s")]);
    let program = include_str!("../clients/paramiko_upload_halfway.py");
    let halfway = OnItsWay::start(world.python(program, ALPHA).arg(format!("/dropbox/intake/{NAME}")));
    assert_eq!(halfway.hear(), "written");
    // the client goes on waiting with its file open; the stop does not wait for it for ever
    world.server.stop();
    drop(halfway);
    world.server.serve();
    let left = upload(&world, NAME);
    assert_eq!((text(&left, "state"), size(&left)), ("unfinished".to_owned(), 100_000));
}

#[test]
fn a_received_half_can_be_gone_on_with_for_a_while() {
    let world = world();
    let client = world.client(ALPHA);
    let bytes = pattern(7, 3_000_001);
    local(&world, NAME, bytes.get(..1_000_000).expect("the half"));
    let from = local(&world, NAME, bytes.get(..1_000_000).expect("the half"));
    client.batch(&format!("put {} dropbox/intake/\n", from.display())).expect_code(0);
    is_received(&world, NAME, bytes.get(..1_000_000).expect("the half"));
    local(&world, NAME, &bytes);
    client.batch(&format!("put {} dropbox/intake/\n", from.display())).expect_code(1);
    client.batch(&format!("reput {} dropbox/intake/\n", from.display())).expect_code(0);
    is_received(&world, NAME, &bytes);
    assert_eq!(events(&world, "upload-received").len(), 2);
}
