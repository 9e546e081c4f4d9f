//! The drop-box as OpenSSH's client meets it: what is shown, put, refused and counted, and to whom.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::fetch_stage::{ALPHA, BETA, OnItsWay, SECOND, pattern, same, text};
use crate::support::programs::{PATIENCE, finish_with};
use crate::upload_stage::{events, is_received, local, upload, uploads, world, world_with};

/// More than one SFTP window, not a multiple of any chunk.
const SOME_MIB: usize = 5 * 1024 * 1024 + 77;

#[test]
fn openssh_puts_a_file_which_is_sealed_received_and_reads_back() {
    let world = world();
    let client = world.client(ALPHA);
    let bytes = pattern(1, SOME_MIB);
    let from = local(&world, "data.csv", &bytes);
    let said = client
        .batch(&format!(
            "ls -1\ncd dropbox/intake\nput -p {0}\nput {0} empty.csv.part\nls -l\nget data.csv back.csv\n",
            from.display()
        ))
        .expect_code(0)
        .text();
    assert!(said.contains("dropbox") && said.contains("outbox"), "{said}");
    assert!(said.contains("-r--r-----") && said.contains("-rw-rw----"), "{said}");
    same(&client.folder().join("back.csv"), &bytes);
    is_received(&world, "data.csv", &bytes);
    let mtime = fs::metadata(&from).and_then(|found| found.modified()).expect("a time");
    let mtime = mtime.duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    assert_eq!(upload(&world, "data.csv").get("mtimeSeconds").and_then(Value::as_u64), Some(mtime));
    assert_eq!(text(&upload(&world, "empty.csv.part"), "state"), "unfinished");
    assert_eq!((events(&world, "upload-started").len(), events(&world, "upload-received").len()), (2, 1));
    // nothing of the file lies on the disk as it was
    let marker = bytes.get(..64).expect("64 bytes");
    for file in files_below(&world.server.home().join("data")) {
        let held = fs::read(&file).expect("a file");
        assert!(!held.windows(marker.len()).any(|window| window == marker), "{}", file.display());
    }
}

fn files_below(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() { found.extend(files_below(&entry)) } else { found.push(entry) }
    }
    found
}

#[test]
fn deep_pipelines_and_new_keys_on_either_side_lose_nothing() {
    const BYTES: usize = 40 * 1024 * 1024 + 3;
    let world = world_with(&[("POSTKLUIS_SFTP__REKEY_LIMIT_BYTES", "1 MiB")]);
    let client = world.client(ALPHA);
    let bytes = pattern(8, BYTES);
    let from = local(&world, "large.bin", &bytes);
    let ways: [&[&str]; 3] = [
        &["-R", "256", "-B", "261120"],
        &["-R", "256", "-B", "32768", "-o", "RekeyLimit=1M"],
        &["-R", "64", "-B", "261120", "-o", "RekeyLimit=512K"],
    ];
    for (number, way) in ways.into_iter().enumerate() {
        let lines =
            format!("put {} dropbox/intake/{number}.bin\nget dropbox/intake/{number}.bin back\n", from.display());
        let mut sftp = Command::new("sftp");
        sftp.args(way).arg("-F").arg(client.config()).args(["-b", "-", "vault"]).current_dir(client.folder());
        finish_with(&mut sftp, lines.as_bytes(), PATIENCE).expect_code(0);
        is_received(&world, &format!("{number}.bin"), &bytes);
        same(&client.folder().join("back"), &bytes);
    }
}

#[test]
fn the_vault_holds_one_copy_of_what_came_in_one_go() {
    let world = world();
    let bytes = pattern(2, SOME_MIB);
    let from = local(&world, "data.csv", &bytes);
    world.client(ALPHA).batch(&format!("put {} dropbox/intake/\n", from.display())).expect_code(0);
    is_received(&world, "data.csv", &bytes);
    use std::os::unix::fs::MetadataExt as _;
    let large = files_below(&world.server.home().join("data/vault"));
    let inodes: std::collections::BTreeSet<u64> = large
        .iter()
        .filter_map(|file| fs::metadata(file).ok())
        .filter(|found| found.len() > 1024 * 1024)
        .map(|found| found.ino())
        .collect();
    assert_eq!(inodes.len(), 1, "the part and the payload are the same file");
}

#[test]
fn organisations_do_not_see_each_other_and_accounts_do_not_change_each_others_files() {
    let world = world();
    let from = local(&world, "a.csv", b"of alpha");
    let other = local(&world, "b.csv", b"of beta");
    world.client(ALPHA).batch(&format!("put {} dropbox/intake/a.csv.part\n", from.display())).expect_code(0);
    let beta = world.client(BETA);
    let said = beta.batch("ls -1 dropbox/intake\n").expect_code(0).text();
    assert!(!said.contains("a.csv"), "{said}");
    beta.batch("get dropbox/intake/a.csv.part stolen\n").expect_code(1);
    beta.batch(&format!("put {} dropbox/intake/a.csv.part\n", other.display())).expect_code(0);
    let second = world.client(SECOND);
    second.batch("get dropbox/intake/a.csv.part seen\n").expect_code(0);
    same(&second.folder().join("seen"), b"of alpha");
    for line in ["rm dropbox/intake/a.csv.part", "rename dropbox/intake/a.csv.part dropbox/intake/mine.csv"] {
        let said = second.batch(&format!("{line}\n")).expect_code(1).stderr;
        assert!(said.contains("ermission denied"), "{said}");
    }
    second.batch(&format!("put {} dropbox/intake/a.csv.part\n", other.display())).expect_code(1);
    world.client(ALPHA).batch("rename dropbox/intake/a.csv.part dropbox/intake/a.csv\n").expect_code(0);
    is_received(&world, "a.csv", b"of alpha");
    assert_eq!(text(&upload(&world, "a.csv.part"), "organisation"), "beta");
}

#[test]
fn who_may_not_upload_sees_no_drop_box() {
    let world = world();
    world.server.done(&["right", "decouple", "--account", BETA, "--product", "intake"]);
    let beta = world.client(BETA);
    let said = beta.batch("ls -1\n").expect_code(0).text();
    assert!(!said.contains("dropbox") && said.contains("outbox"), "{said}");
    let from = local(&world, "a.csv", b"x");
    for path in ["dropbox/intake/a.csv", "dropbox/wages/a.csv", "outbox/wages/a.csv", "a.csv"] {
        beta.batch(&format!("put {} {path}\n", from.display())).expect_code(1);
    }
    let alpha = world.client(ALPHA);
    // coupled, but the product takes no files
    alpha.batch(&format!("put {} dropbox/wages/a.csv\n", from.display())).expect_code(1);
    assert!(uploads(&world, "a.csv").is_empty() && events(&world, "upload-started").is_empty());
}

#[test]
fn a_right_that_is_taken_away_stops_an_open_file() {
    let world = world();
    let program = include_str!("../clients/paramiko_upload_halfway.py");
    let mut halfway = OnItsWay::start(world.python(program, ALPHA).arg("/dropbox/intake/a.csv"));
    assert_eq!(halfway.hear(), "written");
    halfway.tell("write");
    assert_eq!(halfway.hear(), "ok");
    world.server.done(&["right", "decouple", "--account", ALPHA, "--product", "intake"]);
    halfway.tell("write");
    let said = halfway.hear();
    assert!(said.starts_with("refused"), "{said}");
    halfway.tell("close");
    let said = halfway.hear();
    assert!(said.starts_with("refused"), "{said}");
    let shown = upload(&world, "a.csv");
    assert_eq!(text(&shown, "state"), "unfinished", "{shown}");
    assert_eq!(shown.get("sizeBytes").and_then(Value::as_u64), Some(101_000), "{shown}");
    assert!(events(&world, "upload-received").is_empty());
}

#[test]
fn bounds_are_said_and_the_room_is_told() {
    let world = world_with(&[
        ("POSTKLUIS_UPLOADS__MAX_FILE_BYTES", "2 MiB"),
        ("POSTKLUIS_UPLOADS__MAX_ACCOUNT_BYTES", "3 MiB"),
    ]);
    let client = world.client(ALPHA);
    let (large, fits) = (pattern(1, 2 * 1024 * 1024 + 1), pattern(2, 2 * 1024 * 1024));
    let (large, fits_from) = (local(&world, "large.bin", &large), local(&world, "fits.bin", &fits));
    let said = client.batch(&format!("put {} dropbox/intake/\n", large.display())).expect_code(1).stderr;
    assert!(said.contains("is larger") || said.contains("Failure"), "{said}");
    assert_eq!(text(&upload(&world, "large.bin"), "state"), "unfinished");
    client.batch("rm dropbox/intake/large.bin\n").expect_code(0);
    client.batch(&format!("put {} dropbox/intake/\n", fits_from.display())).expect_code(0);
    is_received(&world, "fits.bin", &fits);
    let said = client.batch("df dropbox/intake\n").expect_code(0).text();
    // KiB: size, used, available
    let numbers: Vec<&str> = said.lines().last().unwrap_or_default().split_whitespace().collect();
    assert_eq!(numbers.get(..3), Some(&["3072", "2048", "1024"][..]), "{said}");
    client.batch(&format!("put {} dropbox/intake/second.bin\n", fits_from.display())).expect_code(1);
    assert_eq!(text(&upload(&world, "second.bin"), "state"), "unfinished");
    let refused = events(&world, "upload-refused");
    assert_eq!(refused.len(), 2, "{refused:?}");
}
