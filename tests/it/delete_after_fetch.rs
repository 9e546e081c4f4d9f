//! Robots that delete what they have fetched: it is hidden from that account, from
//! nobody else, recorded, and comes back when the operator says so. Nothing is destroyed.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::fetch_sftp::{all_fetched, target, world};
use crate::fetch_stage::{ALPHA, BETA, SECOND, World, same, text};
use crate::support::programs::finish;

/// Every file that an account sees below its outbox, digest lists and packing slips too, sorted.
#[track_caller]
fn seen(world: &World, login: &str) -> Vec<String> {
    let said = world.client(login).batch("ls -1 outbox/wages\nls -1 outbox/letters\n").expect_code(0).text();
    let mut names: Vec<_> = said.lines().filter(|line| !line.starts_with("sftp>")).map(str::to_owned).collect();
    names.sort();
    names
}

/// Fails unless the account sees nothing any more, the other sees and fetches all, each file is on record as
/// signed off once, and everything comes back.
#[track_caller]
fn only_hidden(world: &World, all: &[String]) {
    assert_eq!(all.len(), 12, "six files and what belongs to three deliveries: {all:?}");
    assert_eq!(seen(world, ALPHA), Vec::<String>::new());
    assert_eq!(seen(world, SECOND), all, "another account sees what it saw");
    let mut on_record = Vec::new();
    for id in &world.deliveries {
        for line in world.events(id, "file-signed-off") {
            assert_eq!((text(&line, "login"), text(&line, "channel")), (ALPHA.to_owned(), "sftp".to_owned()));
            on_record.push(text(&line, "file"));
        }
    }
    on_record.sort();
    assert_eq!(on_record, format_names(all), "each is on record once");
    let again = world.server.desk("again").join("outbox");
    let line = format!("get -r outbox {}\n", again.parent().expect("a folder").display());
    world.client(SECOND).batch(&line).expect_code(0);
    world.holds_everything(&again);
    for id in &world.deliveries {
        let restored = world.server.done(&["delivery", "restore", id, "--account", ALPHA]);
        let files = world.delivery(id).get("fileCount").and_then(Value::as_u64).expect("a count");
        assert_eq!(restored.get("restored").and_then(Value::as_u64), Some(files + 2), "{restored}");
        assert_eq!(world.events(id, "sign-off-undone").len(), 1);
    }
    assert_eq!(seen(world, ALPHA), all);
}

/// The names alone: `ls -1` shows them with their folder.
fn format_names(paths: &[String]) -> Vec<String> {
    let mut names: Vec<_> =
        paths.iter().map(|path| Path::new(path).file_name().expect("a name").to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn openssh_fetches_and_removes() {
    let world = world();
    let all = seen(&world, ALPHA);
    let to = target(&world);
    let client = world.client(ALPHA);
    let get = format!("get -r outbox {}\n", to.parent().expect("a folder").display());
    client.batch(&format!("{get}rm outbox/wages/*\nrm outbox/letters/*\n")).expect_code(0);
    all_fetched(&world, &to);
    let said = client.batch("rmdir outbox/wages\n").expect_code(1).stderr;
    assert!(said.contains("Permission denied"), "{said}");
    let said = client.batch("get outbox/wages/salaries.csv\n").expect_code(1).stderr;
    assert!(said.contains("not found"), "{said}");
    client.batch("rm outbox/wages/salaries.csv\n").expect_code(1);
    only_hidden(&world, &all);
}

#[test]
fn rclone_moves() {
    let world = world();
    let all = seen(&world, ALPHA);
    let to = target(&world);
    let (client, local) = (world.client(ALPHA), to.display().to_string());
    finish(&mut world.rclone(&client, ALPHA, &["move", ":sftp:outbox", &local])).expect_code(0);
    all_fetched(&world, &to);
    only_hidden(&world, &all);
}

#[test]
fn lftp_mirrors_and_removes_the_sources() {
    let world = world();
    let all = seen(&world, ALPHA);
    let to = target(&world);
    let client = world.client(ALPHA);
    let script = format!("mirror --Remove-source-files outbox {}", to.display());
    finish(&mut world.lftp(&client, ALPHA, &script)).expect_code(0);
    world.holds_everything(&to);
    only_hidden(&world, &all);
}

#[test]
fn paramiko_gets_and_deletes_file_by_file() {
    let world = world();
    let all = seen(&world, ALPHA);
    let to = target(&world);
    for product in ["wages", "letters"] {
        let mut command = world.python(include_str!("../clients/paramiko_move.py"), ALPHA);
        command.arg(format!("/outbox/{product}")).arg(to.join(product));
        assert_eq!(finish(&mut command).expect_code(0).json(), serde_json::json!([]));
    }
    all_fetched(&world, &to);
    only_hidden(&world, &all);
}

#[test]
fn what_was_signed_off_outlives_a_restart_and_comes_again_with_a_corrected_delivery() {
    let mut world = world();
    world.client(ALPHA).batch("rm outbox/letters/letter.txt\n").expect_code(0);
    let hidden = seen(&world, ALPHA);
    assert!(!hidden.iter().any(|name| name.ends_with("letter.txt")), "{hidden:?}");
    for end in [crate::support::server::Server::stop, crate::support::server::Server::kill9] {
        end(&mut world.server);
        world.server.serve();
        assert_eq!(seen(&world, ALPHA), hidden);
    }
    let corrected = world.server.desk("corrected").join("letter.txt");
    fs::write(&corrected, b"Dear reader, excuse us.\n").expect("a file");
    let id = world.deliveries[2].clone();
    world.server.done(&["delivery", "replace", &id, &corrected.display().to_string()]);
    let client = world.client(ALPHA);
    client.batch("get outbox/letters/letter.txt\n").expect_code(0);
    same(&client.folder().join("letter.txt"), b"Dear reader, excuse us.\n");
}

#[test]
fn nothing_is_restored_that_was_not_signed_off() {
    let world = world();
    let id = &world.deliveries[0];
    // e-mails of the publication may be on their way still
    let told = || -> Vec<Value> {
        let lines = world.server.done(&["history", "list"]);
        lines.as_array().expect("a list").iter().filter(|line| line["channel"] != "system").cloned().collect()
    };
    let before = told();
    let unknown = "00000000-0000-4000-8000-000000000000";
    for (arguments, wanted) in [
        (["delivery", "restore", id, "--account", ALPHA], "has signed nothing of this delivery off"),
        (["delivery", "restore", id, "--account", BETA], "has signed nothing of this delivery off"),
        (["delivery", "restore", id, "--account", "nobody"], "no such account"),
        (["delivery", "restore", unknown, "--account", ALPHA], "no such delivery"),
    ] {
        let said = world.server.refused(&arguments);
        assert!(said.contains(wanted), "{arguments:?}: {said}");
    }
    assert_eq!(told(), before);
}
