//! `check --deep` on a stopped home: nothing is wrong and nothing changes; one flipped bit anywhere
//! is found, and named with its file.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::server::Server;
use crate::support::stock::{organisation, product, robot, write_file};

const SIZE: usize = 200_000;
/// Files of each delivery: each takes about a thousand bytes of the journal.
const FILES: usize = 500;

/// A stopped home with deliveries, an upload, snapshots and several segments.
fn stage() -> Server {
    let mut server = Server::prepare();
    for key in ["JOURNAL_SEGMENT_BYTES", "MAX_FRAME_BYTES", "SNAPSHOT_AFTER_BYTES"] {
        server.set(&format!("POSTKLUIS_STORAGE__{key}"), "1 MiB");
    }
    server.serve();
    product(&server, "wages");
    organisation(&server, "alpha", &["wages"]);
    server.done(&["product", "add", "intake", "--name", "intake", "--retention", "30d", "--accepts-uploads"]);
    server.done(&["agreement", "add", "--organisation", "alpha", "--product", "intake", "--purpose", "test"]);
    let client = robot(&server, "alpha", &["wages", "intake"]);
    // a journal of more than two segments
    for round in 0..5 {
        let names = (0..FILES).map(|number| server.desk("files").join(format!("file-{round}-{number}.bin")));
        let names: Vec<String> = names.map(|path| path.display().to_string()).collect();
        for (number, name) in names.iter().enumerate() {
            write_file(Path::new(name), if (round, number) == (0, 0) { SIZE } else { 100 }, number);
        }
        let names = names.iter().map(String::as_str);
        server.done(&["delivery", "publish", "--product", "wages"].into_iter().chain(names).collect::<Vec<_>>());
    }
    write_file(&client.folder().join("up.csv"), SIZE, 99);
    client.batch("put up.csv dropbox/intake/up.csv\nget outbox/wages/file-0-0.bin\n").expect_code(0);
    server.stop();
    server
}

/// Every file of a home with its content.
fn everything(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")) {
        let kind = entry.file_type().expect("a kind");
        if kind.is_dir() {
            found.extend(everything(&entry.path()));
        } else if kind.is_file() {
            found.insert(entry.path(), fs::read(entry.path()).expect("read"));
        }
    }
    found
}

fn below(server: &Server, folder: &str) -> Vec<(PathBuf, u64)> {
    let mut files: Vec<(PathBuf, u64)> =
        everything(&server.home().join(folder)).into_iter().map(|(path, bytes)| (path, bytes.len() as u64)).collect();
    files.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    files
}

/// Payloads, the largest first; what is being uploaded is none.
fn payloads(server: &Server) -> Vec<(PathBuf, u64)> {
    let mut files = below(server, "data/vault");
    files.retain(|(path, _)| !path.components().any(|part| part.as_os_str() == "unfinished"));
    files
}

fn flip(path: &Path, at: u64) {
    let mut bytes = fs::read(path).expect("read");
    bytes[usize::try_from(at).expect("a place")] ^= 0x10;
    fs::write(path, bytes).expect("written");
}

#[test]
fn nothing_is_wrong_and_nothing_changes() {
    let server = stage();
    let mut before = everything(&server.home());
    let told = server.run(&["check", "--deep"]).expect_code(0).text();
    for wanted in [
        "journal: ",
        " records with ",
        "snapshot: ",
        "pairs are as the journal says",
        format!("{} headers open", 5 * FILES + 1).as_str(),
    ] {
        assert!(told.contains(wanted), "no {wanted:?} in\n{told}");
    }
    let mut after = everything(&server.home());
    // the lock holds the number of the process that had it last
    for found in [&mut before, &mut after] {
        found.retain(|path, _| !path.ends_with("data/catalog/lock"));
    }
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    assert!(before == after, "a file was changed");
}

#[test]
fn a_running_server_is_not_looked_into() {
    let server = Server::start();
    let told = server.run(&["check", "--deep"]).expect_code(1).text();
    assert!(told.contains("already in use by process") && told.contains("needs the server to be stopped"), "{told}");
}

#[test]
fn one_flipped_bit_anywhere_is_found_and_named() {
    let server = stage();
    let payload = payloads(&server).swap_remove(0);
    let journal = below(&server, "data/catalog/journal").swap_remove(0);
    let snapshot = below(&server, "data/catalog/snapshots").swap_remove(0);
    let shred =
        below(&server, "keys/shred").into_iter().find(|(path, _)| !path.ends_with(".destroyed")).expect("a key");
    let organisation = below(&server, "keys/organisations").swap_remove(0);
    for (what, (path, size), wanted) in [
        ("payload", payload, "is not that of what was stored"),
        ("journal", journal, "the journal segment"),
        ("snapshot", snapshot, ".snap"),
        ("shred key", shred, "does not open"),
        ("identity", organisation, "does not open"),
    ] {
        let good = fs::read(&path).expect("read");
        flip(&path, size / 2);
        let told = server.run(&["check", "--deep"]).expect_code(1).text();
        let named = path.file_name().expect("a name").to_string_lossy().into_owned();
        assert!(told.contains(wanted) && told.contains("FAIL"), "{what}: no {wanted:?} in\n{told}");
        assert!(told.contains(&named), "{what}: {named} is not named in\n{told}");
        fs::write(&path, good).expect("written back");
    }
    server.run(&["check", "--deep"]).expect_code(0);
}

#[test]
fn an_index_that_is_not_the_journals_is_found_and_what_is_missing_too() {
    let server = stage();
    // another home's index, closed in order as well
    let other = stage();
    let (own, foreign) = (server.home().join("data/catalog/index"), other.home().join("data/catalog/index"));
    let kept = server.home().join("data/catalog/index.kept");
    fs::rename(&own, &kept).expect("renamed");
    fs::rename(&foreign, &own).expect("moved");
    let told = server.run(&["check", "--deep"]).expect_code(1).text();
    assert!(told.contains("differs from the journal") && told.contains("the next start builds it anew"), "{told}");
    fs::remove_dir_all(&own).expect("removed");
    fs::rename(&kept, &own).expect("back");
    let payload = payloads(&server).swap_remove(0).0;
    let shred: Vec<PathBuf> = below(&server, "keys/shred").into_iter().map(|(path, _)| path).collect();
    fs::remove_file(&payload).expect("removed");
    for key in shred.iter().filter(|path| !path.ends_with(".destroyed")) {
        fs::remove_file(key).expect("removed");
    }
    let told = server.run(&["check", "--deep"]).expect_code(1).text();
    let named = payload.file_name().expect("a name").to_string_lossy().into_owned();
    assert!(told.contains(&named) && told.contains("put it back from a backup"), "{told}");
    assert!(told.contains("no record says that it was destroyed"), "{told}");
}

#[test]
fn what_was_lost_or_damaged_is_put_back_out_of_a_backup() {
    let mut server = stage();
    let backup = server.desk("backups").join("one");
    let identity = server.desk("identity").join("identity");
    let made = std::process::Command::new("age-keygen").arg("-o").arg(&identity).output().expect("age-keygen");
    assert!(made.status.success());
    let text = fs::read_to_string(&identity).expect("an identity");
    let public = text.lines().find_map(|line| line.strip_prefix("# public key: ")).expect("a public key").to_owned();
    server.set("POSTKLUIS_STORAGE__BACKUP_RECIPIENT", &public);
    let backup = backup.display().to_string();
    server.done(&["backup", "create", &backup]);
    let payloads: Vec<PathBuf> = payloads(&server).into_iter().map(|(path, _)| path).collect();
    let good: Vec<Vec<u8>> = payloads.iter().map(|path| fs::read(path).expect("read")).collect();
    // one flipped, one cut short, one gone; and one whose copy is damaged as well
    flip(&payloads[0], 70_000);
    fs::write(&payloads[1], &good[1][..good[1].len() - 1]).expect("written");
    fs::remove_file(&payloads[2]).expect("removed");
    flip(&payloads[3], 20);
    let name = payloads[3].file_name().expect("a name").to_string_lossy().into_owned();
    flip(&Path::new(&backup).join("vault").join(&name[..2]).join(&name), 21);
    server.serve();
    let document = server.done(&["backup", "repair", &backup]);
    assert_eq!(document["repaired"].as_array().map(Vec::len), Some(3), "{document}");
    assert_eq!(document["left"][0]["payload"], *name, "{document}");
    for at in 0..3 {
        assert!(fs::read(&payloads[at]).expect("read") == good[at], "{}", payloads[at].display());
    }
    assert_eq!(crate::support::stock::events(&server, "payload-repaired").len(), 3);
    let again = server.done(&["backup", "repair", &backup]);
    assert_eq!(again["repaired"].as_array().map(Vec::len), Some(0), "{again}");
    server.stop();
    let told = server.run(&["check", "--deep"]).expect_code(1).text();
    assert_eq!(told.matches("FAIL").count(), 1, "{told}");
    let no_backup = server.desk("nothing").display().to_string();
    assert!(server.refused(&["backup", "repair", &no_backup]).contains("holds no whole backup"));
}
