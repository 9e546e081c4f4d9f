//! Digests over SFTP (`check-file`) of deliveries, asked by paramiko of the real program.

use sha2::{Digest as _, Sha256};

use crate::fetch_stage::{ALPHA, OnItsWay, World, pattern};

const SIZE: usize = 700_001;

/// A client with the file open that asks for what it is told.
fn asker(world: &World, name: &str) -> OnItsWay {
    let mut command = world.python(include_str!("../clients/paramiko_check.py"), ALPHA);
    let client = OnItsWay::start(command.arg(format!("/outbox/wages/{name}")));
    assert_eq!(client.hear(), "open");
    client
}

#[track_caller]
fn ask(client: &mut OnItsWay, line: &str) -> String {
    client.tell(line);
    client.hear()
}

fn digests(bytes: &[u8], block: usize) -> String {
    bytes.chunks(block).map(|block| data_encoding::HEXLOWER.encode(&Sha256::digest(block))).collect()
}

#[test]
fn paramiko_checks_the_whole_and_the_parts_and_nothing_counts_as_fetched() {
    let mut world = World::start();
    let bytes = pattern(1, SIZE);
    let id = world.publish("wages", &[("large.bin", bytes.clone())]);
    let mut client = asker(&world, "large.bin");
    let whole = digests(&bytes, SIZE);
    for form in ["check", "handle", "name"] {
        assert_eq!(ask(&mut client, &format!("{form} sha256 0 0 0")), whole);
        assert_eq!(ask(&mut client, &format!("{form} md5,sha256 0 {SIZE} 0")), whole);
    }
    assert_eq!(world.events(&id, "digests-asked").len(), 0, "the digest of the whole is in the packing slip too");
    for form in ["check", "handle", "name"] {
        assert_eq!(ask(&mut client, &format!("{form} sha256 0 0 65536")), digests(&bytes, 65_536));
        assert_eq!(ask(&mut client, &format!("{form} sha256 70000 1024 512")), digests(&bytes[70_000..71_024], 512));
        assert_eq!(ask(&mut client, &format!("{form} sha256 699999 99999999999 0")), digests(&bytes[699_999..], 2));
    }
    // one opening with the handle, and three by name
    let asked = world.events(&id, "digests-asked");
    assert_eq!(asked.len(), 4, "{asked:?}");
    client.tell("end");
    client.finish();
    assert_eq!(world.progress(&id), "published");
    for event in ["fetch-started", "file-released", "file-fetched", "fetch-ended"] {
        assert_eq!(world.events(&id, event).len(), 0, "{event}");
    }
}

#[test]
fn what_cannot_be_checked_is_refused_with_a_sentence_and_the_session_goes_on() {
    let mut world = World::start();
    let bytes = pattern(2, 3 * 1024 * 1024);
    world.publish("wages", &[("large.bin", bytes.clone()), ("empty.txt", Vec::new())]);
    let mut client = asker(&world, "large.bin");
    for form in ["check", "handle", "name"] {
        for (asked, answer) in [
            ("md5,sha1 0 0 0", "8 of the hash algorithms only sha256"),
            ("sha256 0 0 1", "5 a block must have 256 bytes at least"),
            ("sha256 0 0 255", "5 a block must have 256 bytes at least"),
            ("sha256 0 0 256", "4 more than 8190 digests do not fit"),
            ("sha256 3145729 0 0", "1 End of file"),
            ("sha256 18446744073709551615 18446744073709551615 256", "1 End of file"),
        ] {
            let said = ask(&mut client, &format!("{form} {asked}"));
            assert!(said.starts_with(answer), "{form} {asked}: {said}");
        }
        assert_eq!(ask(&mut client, &format!("{form} sha256 0 18446744073709551615 0")), digests(&bytes, bytes.len()));
    }
    client.tell("end");
    client.finish();
    let mut client = asker(&world, "empty.txt");
    assert_eq!(ask(&mut client, "name sha256 0 0 0"), empty());
    client.tell("end");
    client.finish();
}

fn empty() -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest([]))
}

#[test]
fn without_the_right_no_digest_is_told() {
    let mut world = World::start();
    let bytes = pattern(3, SIZE);
    let id = world.publish("wages", &[("large.bin", bytes.clone())]);
    let mut client = asker(&world, "large.bin");
    assert_eq!(ask(&mut client, "check sha256 0 0 0"), digests(&bytes, SIZE));
    world.server.done(&["right", "decouple", "--account", ALPHA, "--product", "wages"]);
    for form in ["check", "handle", "name"] {
        for asked in ["sha256 0 0 0", "sha256 1 0 0", "sha256 0 0 65536"] {
            let said = ask(&mut client, &format!("{form} {asked}"));
            assert!(said.starts_with("2 ") || said.starts_with("3 "), "{form} {asked}: {said}");
        }
    }
    client.tell("end");
    client.finish();
    assert_eq!(world.events(&id, "digests-asked").len(), 0);
}
