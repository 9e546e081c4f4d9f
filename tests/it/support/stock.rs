//! What most servers under test need: recipients with a robot, products,
//! agreements; and waiting for an event within a bound. Judges nothing.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::clients::{SftpClient, ssh_key};
use super::server::Server;

/// Nothing that is waited for takes longer on a slow machine.
const EVENTUALLY: Duration = Duration::from_secs(60);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(40);

/// Looks again and again until there is something to see.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(begun.elapsed() < EVENTUALLY, "waited {} s in vain for: {what}", EVENTUALLY.as_secs());
        thread::sleep(PAUSE);
    }
}

/// Adds a product whose deliveries can be fetched for 30 days.
#[track_caller]
pub(crate) fn product(server: &Server, code: &str) {
    server.done(&["product", "add", code, "--name", code, "--retention", "30d"]);
}

/// Adds an organisation with agreements in force for these products.
#[track_caller]
pub(crate) fn organisation(server: &Server, code: &str, products: &[&str]) {
    server.done(&["organisation", "add", code, "--name", code]);
    for product in products {
        server.done(&["agreement", "add", "--organisation", code, "--product", product, "--purpose", "test"]);
    }
}

/// Gives an organisation a robot, `<code>-robot`, that may fetch these products; its client.
#[track_caller]
pub(crate) fn robot(server: &Server, code: &str, products: &[&str]) -> SftpClient {
    let login = robot_login(code);
    let owner = format!("owner@{code}.example");
    let key = ssh_key(&server.desk("keys-of-robots"), code);
    let public = format!("{}.pub", key.display());
    server.done(&["account", "add", &login, "--organisation", code, "--kind", "machine", "--owner", &owner]);
    server.done(&["key", "add", "--account", &login, "--file", &public]);
    for product in products {
        server.done(&["right", "couple", "--account", &login, "--product", product]);
    }
    SftpClient::new(server, &login, &key)
}

/// The login name of an organisation's robot.
pub(crate) fn robot_login(code: &str) -> String {
    format!("{code}-robot")
}

/// Every delivery, as the command line lists them.
#[track_caller]
pub(crate) fn deliveries(server: &Server) -> Vec<Value> {
    server.done(&["delivery", "list"]).as_array().expect("a list").clone()
}

/// A member of a document that is text.
#[track_caller]
pub(crate) fn text<'a>(row: &'a Value, member: &str) -> &'a str {
    row[member].as_str().unwrap_or_else(|| panic!("no text `{member}` in {row}"))
}

/// The names of the files of a delivery, sorted.
#[track_caller]
pub(crate) fn file_names(server: &Server, delivery: &Value) -> Vec<String> {
    let shown = server.done(&["delivery", "show", text(delivery, "id")]);
    let files = shown["files"].as_array().unwrap_or_else(|| panic!("no files in {shown}"));
    let mut names: Vec<String> = files.iter().map(|file| text(file, "fileName").to_owned()).collect();
    names.sort();
    names
}

/// The history's lines of one kind of event.
#[track_caller]
pub(crate) fn events(server: &Server, event: &str) -> Vec<Value> {
    let history = server.done(&["history", "list"]);
    history.as_array().expect("a list").iter().filter(|line| line["event"] == event).cloned().collect()
}

/// Makes a file of this size whose bytes depend on `seed`; returns the bytes.
#[track_caller]
pub(crate) fn write_file(path: &Path, size: usize, seed: usize) -> Vec<u8> {
    let bytes: Vec<u8> =
        (0..size).map(|at| u8::try_from((at * 31 + at / 251 + seed * 7) % 251).expect("a byte")).collect();
    fs::write(path, &bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    bytes
}
