//! What happens to a transfer that is under way when its right ends, or the server
//! is told to stop. Blocks and revoked keys are in `sessions`.

use std::net::TcpStream;
use std::path::Path;
use std::thread;

use crate::fetch_stage::{ALPHA, LARGE_BYTES, OnItsWay, World, eventually, pattern, same};

/// A client that has a file open, some of it read.
fn under_way(world: &World, to: &Path) -> OnItsWay {
    let mut command = world.python(include_str!("../clients/paramiko_halfway.py"), ALPHA);
    let client = OnItsWay::start(command.arg("/outbox/wages/large.bin").arg(to).arg("100000"));
    assert_eq!(client.hear(), "halfway");
    client
}

#[test]
fn a_decoupled_right_ends_the_reading_of_an_open_file() {
    let mut world = World::start();
    let bytes = pattern(1, LARGE_BYTES);
    let id = world.publish("wages", &[("large.bin", bytes)]);
    let to = world.server.desk("fetched").join("large.bin");
    let mut client = under_way(&world, &to);
    world.server.done(&["right", "decouple", "--account", ALPHA, "--product", "wages"]);
    client.tell("go on");
    assert!(!client.ended().success(), "the client got the rest");
    assert!(crate::fetch_stage::size(&to) < LARGE_BYTES as u64);
    assert_ne!(world.progress(&id), "fetched");
}

#[test]
fn a_transfer_finishes_while_the_server_stops_and_nobody_else_comes_in() {
    let mut world = World::start();
    let bytes = pattern(2, LARGE_BYTES);
    world.publish("wages", &[("large.bin", bytes.clone())]);
    let to = world.server.desk("fetched").join("large.bin");
    let mut client = under_way(&world, &to);
    let address = world.server.address("sftp");
    let server = &mut world.server;
    thread::scope(|scope| {
        // it must end in order, with exit code 0
        let stopping = scope.spawn(move || server.stop());
        eventually("new connections to be refused", || TcpStream::connect(address).err());
        assert!(!stopping.is_finished(), "the server did not wait for the transfer");
        client.tell("go on");
        client.finish();
    });
    same(&to, &bytes);
}
