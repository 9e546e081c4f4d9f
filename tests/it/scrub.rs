//! The slow check of the vault finds what a disk forgot, names it, and leaves the rest alone.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::fetch_stage::{ALPHA, World, eventually, pattern, text};

/// Lines of the history with this event, about anything.
fn lines(world: &World, event: &str) -> Vec<Value> {
    let all = world.server.done(&["history", "list"]);
    let all = all.as_array().expect("a list").iter();
    all.filter(|line| text(line, "event") == event).cloned().collect()
}

/// The payload of about this size.
fn payload(world: &World, size: u64) -> PathBuf {
    let vault = world.server.home().join("data/vault");
    let folders = fs::read_dir(&vault).expect("the vault").map(|entry| entry.expect("a name").path());
    let files = folders.filter(|path| path.is_dir()).flat_map(|path| fs::read_dir(path).expect("a folder"));
    let mut found = files.map(|entry| entry.expect("a name").path()).filter(|path| {
        let bytes = fs::metadata(path).map_or(0, |found| found.len());
        path.is_file() && (size..size + 1_000).contains(&bytes)
    });
    found.next().expect("the payload")
}

#[test]
fn a_flipped_bit_is_found_and_named_while_the_rest_is_served() {
    let mut world = World::start_with(&[("POSTKLUIS_STORAGE__SCRUB_EVERY", "1s")]);
    let damaged = world.publish("wages", &[("damaged.bin", pattern(1, 300_000))]);
    world.publish("wages", &[("sound.bin", pattern(2, 200_000))]);
    eventually("a round over both", || {
        let rounds = lines(&world, "vault-scrubbed");
        rounds.iter().any(|line| text(line, "note") == "2 payloads, all of them; 0 damaged").then_some(())
    });
    assert!(lines(&world, "payload-damaged").is_empty());

    let path = payload(&world, 300_000);
    let mut bytes = fs::read(&path).expect("the payload");
    bytes[150_000] ^= 1;
    fs::write(&path, bytes).expect("a flipped bit");
    let found = eventually("the damage", || lines(&world, "payload-damaged").into_iter().next());
    assert_eq!(text(&found, "deliveryId"), damaged, "{found}");
    let name = path.file_name().expect("a name").to_string_lossy().into_owned();
    assert_eq!(text(&found, "note"), format!("payload {name} has other bytes; 1 deliveries have it"), "{found}");
    eventually("the end of that round", || {
        let rounds = lines(&world, "vault-scrubbed");
        rounds.iter().any(|line| text(line, "note") == "2 payloads, all of them; 1 damaged").then_some(())
    });
    assert!(world.log().contains("ALARM: a payload is not what was stored"), "{}", world.log());
    // Nobody gets the wrong bytes, and what is sound is served.
    let client = world.client(ALPHA);
    client.batch("get outbox/wages/damaged.bin\n").expect_code(1);
    client.batch("get outbox/wages/sound.bin\n").expect_code(0);

    fs::remove_file(&path).expect("a payload that is gone");
    eventually("that it is gone", || {
        lines(&world, "payload-damaged")
            .iter()
            .any(|line| text(line, "note").contains("cannot be opened"))
            .then_some(())
    });
}
