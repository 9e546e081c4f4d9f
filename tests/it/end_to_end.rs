//! End-to-end deliveries, opened by the recipient with Debian's `age` command
//! and its own keys; and the demonstration, word for word as a newcomer runs it.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::support::clients::ssh_key;
use crate::support::programs::{finish, finish_with};
use crate::support::server::{Server, postkluis};
use crate::support::stock::{deliveries, organisation, product, robot, text, write_file};

/// The demonstration waits for a window of seconds, and is not optimised here.
const DEMO_WITHIN: Duration = Duration::from_secs(300);

fn run(program: &str, arguments: &[&Path]) -> String {
    finish(Command::new(program).args(arguments)).expect_code(0).text()
}

#[test]
fn age_opens_what_an_end_to_end_organisation_receives() {
    let server = Server::start();
    let desk = server.desk("desk");
    let age_key = desk.join("age-key");
    run("age-keygen", &[Path::new("-o"), &age_key]);
    let age_public = desk.join("age-key.pub");
    fs::write(&age_public, run("age-keygen", &[Path::new("-y"), &age_key])).expect("the public key");
    let ssh = ssh_key(&desk, "ssh-key");
    let ssh_public = desk.join("ssh-key.pub");

    product(&server, "wages");
    server.done(&["organisation", "add", "alpha", "--name", "Alpha"]);
    let agreement = ["agreement", "add", "--organisation", "alpha", "--product", "wages", "--purpose", "test"];
    server.done(&[&agreement[..], &["--end-to-end"]].concat());
    // Beside one that the server can read.
    organisation(&server, "beta", &["wages"]);
    let file = desk.join("wages.csv");
    // Two chunks of 64 KiB and a part of a third.
    let bytes = write_file(&file, 150_001, 1);
    let publish = ["delivery", "publish", "--product", "wages", file.to_str().expect("a path")];
    let refused = server.refused(&publish);
    assert!(refused.contains("alpha"), "without a key nothing is published: {refused}");
    assert!(deliveries(&server).is_empty());
    for public in [&age_public, &ssh_public] {
        let public = public.to_str().expect("a path");
        server.done(&["recipient-key", "add", "--organisation", "alpha", "--file", public]);
    }
    server.done(&publish);

    let client = robot(&server, "alpha", &["wages"]);
    client.batch("get -r outbox/wages\n").expect_code(0);
    let folder = client.folder().join("wages");
    let sealed = folder.join("wages.csv.age");
    for key in [&age_key, &ssh] {
        let opened = desk.join("opened.csv");
        run("age", &[Path::new("-d"), Path::new("-i"), key, Path::new("-o"), &opened, &sealed]);
        assert!(fs::read(&opened).expect("the opened file") == bytes, "opened with {}", key.display());
    }
    let found = fs::read(&sealed).expect("the sealed file");
    assert!(!found.windows(64).any(|window| window == &bytes[1_000..1_064]), "it is sealed");
    let list = deliveries(&server);
    let own = list.iter().find(|row| text(row, "organisation") == "alpha").expect("alpha's delivery");
    let check = format!("{}.sha256", text(own, "name"));
    finish(Command::new("sha256sum").args(["--check", "--strict", &check]).current_dir(&folder)).expect_code(0);
    let stranger = ssh_key(&desk, "stranger");
    let refused = finish(Command::new("age").arg("-d").arg("-i").arg(&stranger).arg(&sealed));
    assert!(!refused.status.success(), "somebody else's key opens it");

    let client = robot(&server, "beta", &["wages"]);
    client.batch("get outbox/wages/wages.csv\n").expect_code(0);
    assert!(fs::read(client.folder().join("wages.csv")).expect("beta's file") == bytes);
}

#[test]
fn the_demonstration_runs_to_its_end() {
    let folder = tempfile::Builder::new().prefix("postkluis-demo-").tempdir().expect("a temporary folder");
    let mut demo = postkluis();
    demo.arg("demo").env("TMPDIR", folder.path()).current_dir(folder.path());
    let ended = finish_with(&mut demo, b"", DEMO_WITHIN).expect_code(0);
    let said = ended.text();
    for wanted in ["serving: sftp=", "age -d", "shredded", "The closing table", "files fetched with the right digest"] {
        assert!(said.contains(wanted), "`{wanted}` is not in:\n{said}");
    }
    let left: Vec<_> = fs::read_dir(folder.path()).expect("the folder").flatten().map(|entry| entry.path()).collect();
    assert!(left.is_empty(), "it left {left:?}");
}
