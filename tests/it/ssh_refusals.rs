//! What SSH offers elsewhere and this server does not, and who is refused before
//! signing in: each refusal can be understood, and the server goes on.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::ssh_algorithms::World;
use crate::support::clients::{SftpClient, ssh_key};
use crate::support::programs::{PATIENCE, finish, finish_with};
use crate::support::stock::eventually;

const SENTENCE: &str = "This server offers file transfer by SFTP only.";
const LOGIN: &str = "alpha-robot";

#[test]
fn commands_and_shells_get_a_sentence() {
    let world = World::start(&[]);
    for arguments in [
        &["vault"][..],
        &["-tt", "vault"],
        &["vault", "id"],
        &["vault", "/usr/lib/openssh/sftp-server"],
        &["vault", "rsync --server --sender -logDtpre.iLsfxC . /"],
        &["-X", "vault", "xterm"],
        &["-A", "vault", "id"],
        &["-o", "SetEnv=LANG=C", "vault", "id"],
    ] {
        let said = finish(&mut world.ssh(arguments)).expect_code(1);
        assert!(format!("{}{}", said.stderr, said.text()).contains(SENTENCE), "{arguments:?}: {}", said.stderr);
        assert!(!said.stderr.contains("PTY"), "{}", said.stderr);
    }
    let said = finish(&mut world.ssh(&["-s", "vault", "netconf"]));
    assert!(!said.status.success() && said.stderr.contains("subsystem request failed"), "{}", said.stderr);
    world.sftp(&[]).expect_code(0);
}

#[test]
fn a_key_that_ran_out_and_an_unknown_one_look_alike_outside_and_apart_inside() {
    let world = World::start(&[]);
    let keys = world.server.desk("more-keys");
    let (brief, foreign) = (ssh_key(&keys, "brief"), ssh_key(&keys, "foreign"));
    let public = format!("{}.pub", brief.display());
    world.server.done(&["key", "add", "--account", LOGIN, "--file", &public, "--expires", "3s"]);
    let with_brief = SftpClient::new(&world.server, LOGIN, &brief);
    let ran_out = eventually("the key runs out", || {
        let ended = with_brief.batch("ls\n");
        (!ended.status.success()).then_some(ended.stderr)
    });
    let unknown = SftpClient::new(&world.server, LOGIN, &foreign).batch("ls\n").expect_code(255).stderr;
    assert_eq!(ran_out, unknown, "the door tells nothing (4.1-7)");
    let seen = world.server.done(&["account", "attempts", LOGIN]);
    let outcome = |key: &Path| {
        let fingerprint = fingerprint(Path::new(&format!("{}.pub", key.display())));
        let rows = seen.as_array().expect("a list").iter().filter(|row| row["credential"] == fingerprint.as_str());
        rows.map(|row| row["outcome"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert!(outcome(&brief).contains(&"ran-out".to_owned()), "{seen}");
    assert_eq!(outcome(&foreign), ["unknown-key"]);
    assert!(world.server.refused(&["account", "attempts", "nobody"]).contains("no such"));
}

#[test]
fn scp_works_by_sftp_and_says_why_not_otherwise() {
    let world = World::start(&[]);
    let scp = |arguments: &[&str]| {
        let mut command = Command::new("scp");
        command.arg("-F").arg(world.client.config()).args(arguments).current_dir(world.client.folder());
        finish(&mut command)
    };
    let refused = scp(&["-O", "vault:/outbox/nothing", "."]).expect_code(1);
    assert!(refused.stderr.contains(SENTENCE), "{}", refused.stderr);
    let missing = scp(&["-s", "vault:/outbox/nothing", "."]).expect_code(1);
    assert!(missing.stderr.contains("No such file"), "{}", missing.stderr);
}

#[test]
fn nothing_is_forwarded_and_sftp_goes_on_beside_it() {
    let world = World::start(&[]);
    let socket = world.server.desk("sockets").join("s");
    let back = format!("{}:127.0.0.1:9", socket.display());
    for options in
        [&["-R", "0:127.0.0.1:9"][..], &["-R", &back], &["-o", "ForwardAgent=yes"], &["-o", "RequestTTY=force"]]
    {
        let options: Vec<&str> = options.iter().flat_map(|option| option.split("\0")).collect();
        let mut command =
            world.ssh(&[&options[..], &["-o", "ExitOnForwardFailure=no", "-s", "vault", "sftp"]].concat());
        // the first message of SFTP: its length, its kind (1), the version
        let answer = finish_with(&mut command, &[0, 0, 0, 5, 1, 0, 0, 0, 3], PATIENCE).expect_code(0);
        assert_eq!(answer.stdout.get(4..9), Some(&[2, 0, 0, 0, 3][..]), "{options:?}: {}", answer.stderr);
    }
    for (options, what) in [(["-W", "127.0.0.1:9"], "stdio"), (["-W", "[::1]:9"], "stdio")] {
        let refused = finish(&mut world.ssh(&[&options[..], &["-o", "LogLevel=INFO", "vault"]].concat()));
        assert!(!refused.status.success() && refused.stderr.contains(what), "{}", refused.stderr);
    }
    let refused = finish(&mut world.ssh(&["-N", "-R", "0:127.0.0.1:9", "-o", "ExitOnForwardFailure=yes", "vault"]));
    assert!(refused.stderr.contains("remote port forwarding failed"), "{}", refused.stderr);
    world.sftp(&[]).expect_code(0);
}

/// What the server says to a connection, up to the end it puts to it.
fn heard(address: SocketAddr, said: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a bound");
    // it may have been ended already
    let _ = stream.write_all(said);
    let mut all = Vec::new();
    match stream.read_to_end(&mut all) {
        Ok(_) => all,
        Err(error) => {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
            all
        }
    }
}

#[test]
fn an_address_that_comes_to_nothing_is_refused_for_a_while() {
    let settings = [
        ("POSTKLUIS_SFTP__PENALTY_AFTER", "3"),
        ("POSTKLUIS_SFTP__PENALTY_BASE", "1h"),
        ("POSTKLUIS_SFTP__PENALTY_MAX", "1h"),
    ];
    let world = World::start(&settings);
    let stranger = ssh_key(&world.server.desk("strangers"), "stranger");
    let stranger = SftpClient::new(&world.server, LOGIN, &stranger);
    let refused = |times: usize| {
        for _ in 0..times {
            let refused = stranger.batch("ls\n").expect_code(255);
            assert!(refused.stderr.contains("Permission denied"), "{}", refused.stderr);
        }
    };
    refused(2);
    // the same login from its own folder, since both clients have one
    let known = SftpClient::new(&world.server, LOGIN, &world.key);
    known.batch("ls\n").expect_code(0);
    let address = world.server.address("sftp");
    assert!(heard(address, b"GET / HTTP/1.1\r\n\r\n").starts_with(b"SSH-2.0-"), "signing in made good");
    assert!(heard(address, b"GET / HTTP/1.1\r\n\r\n").starts_with(b"SSH-2.0-"));
    assert!(heard(address, b"GET / HTTP/1.1\r\n\r\n").starts_with(b"SSH-2.0-"));
    // The third one is put on record when its connection ends, which the client does not see.
    let begun = std::time::Instant::now();
    while !heard(address, b"\r\n").is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(30), "the address is not refused");
    }
    let known = known.batch("ls\n").expect_code(255);
    assert!(!known.stderr.contains("Permission denied"), "{}", known.stderr);
    let log = world.server.logged();
    assert!(log.contains("is refused for a while") && log.contains("3600"), "{log}");
    let begun = std::time::Instant::now();
    let penalties = loop {
        let lines = world.server.done(&["history", "list"]);
        let lines = lines.as_array().expect("a list").iter();
        let found: Vec<Value> =
            lines.filter(|line| line.get("event") == Some(&"address-penalised".into())).cloned().collect();
        if !found.is_empty() {
            break found;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "the penalty is not in the history");
    };
    assert_eq!(penalties.len(), 1, "one for each penalty, however many are refused by it: {penalties:?}");
    let text = |member: &str| penalties[0].get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
    assert_eq!((text("address").as_str(), text("channel").as_str()), ("127.0.0.1", "sftp"));
    assert!(text("note").starts_with("127.0.0.1: 3 connections came to nothing") && text("until") > text("at"));
    assert!(text("login").is_empty() && text("organisation").is_empty(), "{penalties:?}");
}

#[test]
fn exempt_addresses_are_never_refused() {
    let settings = [("POSTKLUIS_SFTP__PENALTY_AFTER", "1"), ("POSTKLUIS_SFTP__PENALTY_EXEMPT", "127.0.0.0/8, ::1")];
    let world = World::start(&settings);
    for _ in 0..3 {
        assert!(heard(world.server.address("sftp"), b"GET / HTTP/1.1\r\n\r\n").starts_with(b"SSH-2.0-"));
    }
    world.sftp(&[]).expect_code(0);
}

#[test]
fn one_address_may_not_take_all_places() {
    let settings = [("POSTKLUIS_SFTP__MAX_UNAUTHENTICATED_PER_ADDRESS", "2")];
    let world = World::start(&settings);
    let address = world.server.address("sftp");
    let mut waiting = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(address).expect("a connection");
        let mut line = [0; 8];
        stream.read_exact(&mut line).expect("a greeting");
        waiting.push(stream);
    }
    assert!(heard(address, b"").is_empty(), "no place is left");
    world.sftp(&[]).expect_code(255);
    drop(waiting);
    let begun = std::time::Instant::now();
    while world.sftp(&[]).status.code() != Some(0) {
        assert!(begun.elapsed() < Duration::from_secs(30), "the places are not given back");
    }
}

fn members(list: &Value, member: &str) -> Vec<String> {
    let items = list.as_array().expect("a list").iter();
    items.map(|item| item.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()).collect()
}

fn fingerprint(public: &Path) -> String {
    let said = finish(Command::new("ssh-keygen").arg("-lf").arg(public)).expect_code(0).text();
    said.split(' ').nth(1).expect("a fingerprint").to_owned()
}

#[test]
fn a_host_key_is_announced_before_it_is_used() {
    let mut world = World::start(&[]);
    let keys = world.server.home().join("keys");
    let list = |world: &World| world.server.done(&["host-key", "list"]);
    let old = fingerprint(&keys.join("ssh_host_ed25519_key.pub"));
    assert_eq!(members(&list(&world), "fingerprint"), std::slice::from_ref(&old));
    let said = world.server.refused(&["host-key", "retire"]);
    assert!(said.contains("it is the only host key"), "{said}");

    world.server.done(&["host-key", "add"]);
    let new = fingerprint(&keys.join("ssh_host_ed25519_next_key.pub"));
    assert_eq!(members(&list(&world), "fingerprint"), [old.clone(), new.clone()]);
    assert_eq!(members(&list(&world), "state"), ["inUse", "next"]);
    let mut command = Command::new("ssh-keygen");
    let records = finish(command.args(["-r", "localhost.", "-f"]).arg(keys.join("ssh_host_ed25519_next_key.pub")));
    let record = records.text().lines().find(|line| line.contains(" 4 2 ")).map(str::to_owned).expect("a record");
    let digest = record.rsplit(' ').next().expect("a digest").to_owned();
    assert!(members(&list(&world), "sshfp")[1].ends_with(&format!("IN SSHFP  4 2 {digest}")), "{record}");
    let said = world.server.refused(&["host-key", "add"]);
    assert!(said.contains("host-key retire"), "{said}");
    // a restart changes nothing yet: clients still meet the old key
    world.server.stop();
    world.server.serve();
    SftpClient::new(&world.server, LOGIN, &world.key).batch("ls\n").expect_code(0);

    let known = fs::read_to_string(world.client.folder().join("known_hosts")).expect("known_hosts");
    world.server.done(&["host-key", "retire"]);
    assert_eq!(members(&list(&world), "fingerprint"), std::slice::from_ref(&new));
    assert_eq!(fingerprint(&keys.join("ssh_host_ed25519_key.retired.pub")), old);
    world.server.stop();
    world.server.serve();
    let client = SftpClient::new(&world.server, LOGIN, &world.key);
    client.batch("ls\n").expect_code(0);
    let moved = known.replace('\n', "");
    let port = format!("[127.0.0.1]:{} ", world.server.address("sftp").port());
    let key = moved.split_once(' ').expect("a line").1;
    fs::write(client.folder().join("known_hosts"), format!("{port}{key}\n")).expect("known_hosts");
    let refused = client.batch("ls\n").expect_code(255);
    assert!(refused.stderr.contains("HOST IDENTIFICATION HAS CHANGED"), "{}", refused.stderr);
}

#[test]
fn rsa_host_keys_sign_with_sha2_and_weak_ones_are_refused() {
    let mut world = World::start(&[]);
    world.server.stop();
    let keys = world.server.home().join("keys");
    let path = keys.join("ssh_host_rsa_key");
    let make = |kind: &[&str]| {
        let _ = fs::remove_file(&path);
        let mut command = Command::new("ssh-keygen");
        finish(command.arg("-q").args(kind).args(["-N", "", "-f"]).arg(&path)).expect_code(0);
    };
    make(&["-t", "rsa", "-b", "2048"]);
    let said = world.server.run(&["check"]).expect_code(1).text();
    assert!(said.contains("at least 3072 bits, this one has 2048"), "{said}");
    make(&["-t", "ecdsa"]);
    let said = world.server.run(&["check"]).expect_code(1).text();
    assert!(said.contains("only ed25519 and rsa"), "{said}");
    make(&["-t", "rsa", "-b", "3072"]);
    world.server.serve();
    let client = SftpClient::new(&world.server, LOGIN, &world.key);
    let at = world.server.address("sftp");
    let public = fs::read_to_string(keys.join("ssh_host_rsa_key.pub")).expect("a public key");
    fs::write(client.folder().join("known_hosts"), format!("[{}]:{} {public}", at.ip(), at.port())).expect("a file");
    for (algorithm, code) in [("rsa-sha2-512", 0), ("rsa-sha2-256", 0), ("ssh-rsa", 255)] {
        world.sftp(&["-o", &format!("HostKeyAlgorithms={algorithm}")]).expect_code(code);
    }
}
