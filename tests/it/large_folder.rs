//! A folder of 10,000 files, listed and fetched by the common clients, and by every client of
//! the matrix with as many files as POSTKLUIS_FOLDER_FILES says (1,000). Each must see every
//! name once and get every byte; how fast is a matter for the benches.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::client_matrix::{psftp, surroundings};
use crate::fetch_stage::{ALPHA, World, pattern, same};
use crate::support::programs::{finish_with, node};

const MANY: usize = 10_000;
/// Files for each of the slower clients, unless POSTKLUIS_FOLDER_FILES says otherwise.
const FEWER: usize = 1_000;
/// A robot may need so long for all of it on a slow machine.
const WITHIN: Duration = Duration::from_secs(900);
/// So many of the fetched files are compared byte for byte; of all of them names and sizes are.
const LOOKED_AT_EVERY: usize = 97;

fn name(number: usize) -> String {
    format!("record-{number:05}.csv")
}

/// Sizes differ, so that one file in the place of another is seen.
fn bytes(number: usize) -> Vec<u8> {
    pattern(number, 1 + number % 700)
}

/// A world with the folder: one delivery of so many files.
fn world(files: usize) -> World {
    let world = World::start_with(&[("POSTKLUIS_SPOOL__MAX_FILES_PER_DELIVERY", "10000")]);
    let offers = world.server.desk("offers");
    let mut command = world.server.command();
    command.args(["delivery", "publish", "--product", "wages", "--organisation", "alpha"]).current_dir(&offers);
    for number in 0..files {
        fs::write(offers.join(name(number)), bytes(number)).expect("a file to publish");
        command.arg(name(number));
    }
    finish_with(&mut command, b"", WITHIN).expect_code(0);
    world
}

/// Fails unless every name is there once, beside the packing slip and the digest list.
#[track_caller]
fn all_named<'a>(files: usize, names: impl Iterator<Item = &'a str>) {
    let mut seen = BTreeSet::new();
    let mut others = Vec::new();
    for name in names {
        if name.starts_with("record-") {
            assert!(seen.insert(name.to_owned()), "{name} is listed twice");
        } else {
            others.push(name.to_owned());
        }
    }
    let missing = (0..files).map(name).find(|name| !seen.contains(name));
    assert_eq!((seen.len(), missing), (files, None));
    assert_eq!(others.len(), 2, "{others:?}");
}

/// Fails unless everything lies in the folder.
#[track_caller]
fn all_there(files: usize, folder: &Path) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let names: Vec<_> =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("text")).collect();
    all_named(files, names.iter().map(String::as_str));
    for number in 0..files {
        let path = folder.join(name(number));
        if number % LOOKED_AT_EVERY == 0 {
            same(&path, &bytes(number));
        } else {
            let size = fs::metadata(&path).expect("a file").len();
            assert_eq!(usize::try_from(size).expect("a size"), bytes(number).len(), "{}", path.display());
        }
    }
    fs::remove_dir_all(folder).expect("room for the next client");
}

/// Runs a client to its end, which must be in order, and tells how long it took when output is shown.
#[track_caller]
fn run(what: &str, command: &mut Command) -> String {
    let begun = std::time::Instant::now();
    let said = finish_with(command, b"", WITHIN).expect_code(0).text();
    println!("{what}: {:.1} s", begun.elapsed().as_secs_f64());
    said
}

#[test]
fn the_common_clients_list_and_fetch_ten_thousand_files() {
    let world = world(MANY);
    let client = world.client(ALPHA);
    let desk = world.server.desk("fetched");
    let to = |name: &str| desk.join(name);

    let mut sftp = Command::new("sftp");
    fs::write(client.folder().join("list"), "ls -1 outbox/wages\n").expect("a batch");
    sftp.args(["-q", "-F"]).arg(client.config()).args(["-b", "list", "vault"]).current_dir(client.folder());
    let said = run("sftp ls", &mut sftp);
    all_named(MANY, said.lines().filter_map(|line| line.trim().strip_prefix("outbox/wages/")));
    let mut scp = Command::new("scp");
    scp.args(["-s", "-q", "-r", "-F"]).arg(client.config()).arg("vault:outbox/wages").arg(to("scp"));
    run("scp", &mut scp);
    all_there(MANY, &to("scp"));

    let script = format!("mirror --parallel=4 outbox/wages {}", to("lftp").display());
    run("lftp", &mut world.lftp(&client, ALPHA, &script));
    all_there(MANY, &to("lftp"));

    let said = run("rclone lsf", &mut world.rclone(&client, ALPHA, &["lsf", ":sftp:outbox/wages"]));
    all_named(MANY, said.lines());
    let into = to("rclone").display().to_string();
    run("rclone", &mut world.rclone(&client, ALPHA, &["copy", "--transfers", "8", ":sftp:outbox/wages", &into]));
    all_there(MANY, &to("rclone"));
}

#[test]
fn every_other_client_lists_and_fetches_a_large_folder() {
    let asked = std::env::var("POSTKLUIS_FOLDER_FILES").ok();
    let files = asked.map_or(FEWER, |text| text.parse().expect("POSTKLUIS_FOLDER_FILES is a number from 700 on"));
    assert!((700..=MANY).contains(&files), "POSTKLUIS_FOLDER_FILES is from 700 to {MANY}: {files}");
    let world = world(files);
    let client = world.client(ALPHA);
    let desk = world.server.desk("fetched");
    let to = |name: &str| desk.join(name);

    let lines = format!("lcd {}\nget -r outbox/wages psftp\n", desk.display());
    run("psftp", &mut psftp(&world, ALPHA, &lines));
    all_there(files, &to("psftp"));

    run("paramiko", world.python(include_str!("../clients/paramiko_folder.py"), ALPHA).arg(to("paramiko")));
    all_there(files, &to("paramiko").join("wages"));
    run("asyncssh", world.python(include_str!("../clients/asyncssh_folder.py"), ALPHA).arg(to("asyncssh")));
    all_there(files, &to("asyncssh").join("wages"));
    run("libssh2", world.python(include_str!("../clients/libssh2_folder.py"), ALPHA).arg(to("libssh2")));
    all_there(files, &to("libssh2").join("wages"));

    let mut command = node();
    let (fast, range) = (to("node-fast"), to("node-range"));
    command
        .args(["-e", include_str!("../clients/ssh2_sftp_client.js")])
        .args(surroundings(&world, ALPHA))
        .arg(to("node"))
        .arg(format!("/outbox/wages/{}", name(699)))
        .args([&fast, &range])
        .args(["0", "9"]);
    run("ssh2-sftp-client", &mut command);
    all_there(files, &to("node").join("wages"));

    let half = to("half");
    fs::write(&half, b"").expect("an empty file");
    let mut perl = Command::new("perl");
    perl.args(["-e", include_str!("../clients/net_sftp_foreign.pl")]).arg(client.config()).arg(to("perl"));
    run("Net::SFTP::Foreign", perl.arg(format!("/outbox/wages/{}", name(699))).arg(&half));
    all_there(files, &to("perl").join("wages"));
}
