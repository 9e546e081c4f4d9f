//! How the program starts, ends, is killed and starts again, as its operator
//! sees it. What it serves is the matter of other files.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::clients::{SftpClient, curl, ssh_key};
use crate::support::programs::finish;
use crate::support::server::{Server, postkluis};

#[test]
fn it_says_ready_answers_and_ends_in_order() {
    let mut server = Server::start();
    let stranger = ssh_key(&server.desk("keys-of-the-test"), "stranger");
    let refused = SftpClient::new(&server, "nobody@example.org", &stranger).batch("ls\n").expect_code(255);
    assert!(refused.stderr.contains("Permission denied"), "{}", refused.stderr);
    let code = ["--output", "/dev/null", "--write-out", "%{http_code}"];
    assert_eq!(curl(&server, "/api/v1/deliveries", &code).expect_code(0).text(), "401");
    server.stop();
}

#[test]
fn what_was_answered_is_there_after_a_kill() {
    let mut server = Server::start();
    server.done(&["organisation", "add", "alpha", "--name", "Alpha"]);
    server.kill9();
    server.serve();
    let shown = server.done(&["organisation", "show", "alpha"]);
    assert!(shown.to_string().contains("Alpha"), "{shown}");
    server.stop();
}

#[test]
fn init_overwrites_nothing() {
    let server = Server::prepare();
    let before = fs::read(server.home().join("postkluis.toml")).expect("the configuration");
    let said = server.refused(&["init"]);
    assert!(said.contains("exists already"), "{said}");
    assert_eq!(fs::read(server.home().join("postkluis.toml")).expect("the configuration"), before);
}

#[test]
fn keys_are_for_the_service_alone() {
    let server = Server::prepare();
    let keys = server.home().join("keys");
    assert_eq!(fs::metadata(&keys).expect("keys").permissions().mode() & 0o777, 0o700);
    for entry in fs::read_dir(&keys).expect("keys").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let mode = entry.metadata().expect("a key's metadata").permissions().mode() & 0o777;
        let may_be_seen = name.ends_with(".pub") || name == "https-cert.pem" || entry.path().is_dir();
        assert!(may_be_seen || mode & 0o077 == 0, "{name} has mode {mode:o}");
    }
}

#[test]
fn a_command_without_a_server_says_what_to_do() {
    let server = Server::prepare();
    let said = server.refused(&["organisation", "list"]);
    assert!(said.contains("postkluis serve"), "{said}");
}

#[test]
fn wrong_usage_has_an_exit_code_of_its_own() {
    finish(postkluis().arg("no-such-noun")).expect_code(2);
    finish(postkluis().args(["organisation", "add"])).expect_code(2);
}
