//! Backups of a home that is in use, and what a restored home does: it stays shut until it is
//! confirmed, then OpenSSH fetches what was delivered. The whole program, as its operator sees it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::clients::SftpClient;
use crate::support::programs::finish;
use crate::support::server::Server;
use crate::support::stock::{
    deliveries, events, eventually, organisation, product, robot, robot_login, text, write_file,
};

/// Of each delivered file: more than two chunks of 64 KiB.
const SIZE: usize = 200_001;

/// A server whose backups are sealed to an identity that lies beside its home.
pub(crate) struct Stage {
    pub(crate) server: Server,
    pub(crate) client: SftpClient,
    pub(crate) identity: PathBuf,
    pub(crate) target: PathBuf,
}

impl Stage {
    #[track_caller]
    pub(crate) fn set(settings: &[(&str, &str)]) -> Self {
        let mut server = Server::prepare();
        let desk = server.desk("desk");
        let (identity, public) = age_key(&desk, "backup-identity");
        server.set("POSTKLUIS_STORAGE__BACKUP_RECIPIENT", &public);
        settings.iter().for_each(|(variable, value)| server.set(variable, value));
        server.serve();
        product(&server, "wages");
        organisation(&server, "alpha", &["wages"]);
        let client = robot(&server, "alpha", &["wages"]);
        Self { client, identity, target: desk.join("backup"), server }
    }

    /// Publishes a file for everybody; its bytes.
    #[track_caller]
    pub(crate) fn publish(&self, product: &str, name: &str, seed: usize) -> Vec<u8> {
        let file = self.server.desk("desk").join(name);
        let bytes = write_file(&file, SIZE, seed);
        self.server.done(&["delivery", "publish", file.to_str().expect("a path"), "--product", product]);
        bytes
    }

    #[track_caller]
    pub(crate) fn back_up(&self) -> Value {
        self.server.done(&["backup", "create", path(&self.target)])
    }

    /// `backup verify`, with the identity or without; whether it is whole, and what it says.
    #[track_caller]
    pub(crate) fn verify(&self, with_identity: bool) -> (bool, Value) {
        let mut command = self.server.command();
        command.args(["backup", "verify", path(&self.target), "--json"]);
        if with_identity {
            command.args(["--identity", path(&self.identity)]);
        }
        let ended = finish(&mut command);
        let is_whole = ended.status.success();
        (is_whole, ended.json())
    }

    /// A new home from a backup, not served yet.
    #[track_caller]
    pub(crate) fn restore_from(&self, target: &Path, more: &[&str]) -> (Server, Value) {
        let server = Server::without_home();
        let arguments = ["restore", path(target), "--identity", path(&self.identity)];
        let document = server.done(&[&arguments[..], more].concat());
        (server, document)
    }

    /// The robot's client on a restored server: the same key, the same host key.
    #[track_caller]
    fn client_on(&self, server: &Server) -> SftpClient {
        let key = self.server.desk("keys-of-robots").join("alpha");
        SftpClient::new(server, &robot_login("alpha"), &key)
    }
}

#[track_caller]
pub(crate) fn path(path: &Path) -> &str {
    path.to_str().expect("a path")
}

/// An identity made by `age-keygen`, and its public key.
#[track_caller]
fn age_key(folder: &Path, name: &str) -> (PathBuf, String) {
    let file = folder.join(name);
    finish(Command::new("age-keygen").arg("-o").arg(&file)).expect_code(0);
    let public = finish(Command::new("age-keygen").arg("-y").arg(&file)).expect_code(0).text();
    (file, public.trim().to_owned())
}

/// Every file below a folder.
#[track_caller]
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())).flatten() {
        if entry.path().is_dir() {
            found.extend(files_below(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}

/// Sockets on which a process listens, as the kernel lists them.
#[track_caller]
fn listens(process: u32) -> usize {
    let own: BTreeSet<String> = fs::read_dir(format!("/proc/{process}/fd"))
        .expect("the open files")
        .flatten()
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .filter_map(|link| Some(link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let tables = ["tcp", "tcp6"].map(|table| fs::read_to_string(format!("/proc/{process}/net/{table}")));
    let lines: Vec<String> = tables.into_iter().flatten().flat_map(|table| lines_of(&table)).collect();
    assert!(lines.len() >= 2, "the kernel lists sockets");
    // columns: slot, local, remote, state (0A listens), …, inode is the tenth
    let columns = lines.iter().map(|line| line.split_whitespace().collect::<Vec<_>>());
    columns.filter(|c| c.get(3) == Some(&"0A") && c.get(9).is_some_and(|inode| own.contains(*inode))).count()
}

fn lines_of(table: &str) -> Vec<String> {
    table.lines().map(ToOwned::to_owned).collect()
}

fn sequence_of(row: &Value) -> u64 {
    row["sequence"].as_u64().unwrap_or_else(|| panic!("no sequence in {row}"))
}

#[test]
fn a_backup_holds_what_was_answered_and_a_restored_home_serves_it_once_confirmed() {
    let mut stage = Stage::set(&[]);
    let first = stage.publish("wages", "first.bin", 1);
    // half of it is fetched: the coverage is part of what is kept
    stage.client.batch("get outbox/wages/first.bin\n").expect_code(0);
    let full = stage.back_up();
    assert_eq!(full["run"], 1);
    let (is_whole, found) = stage.verify(true);
    assert!(is_whole, "{found}");

    // more work, then a second run: only what is new is written
    let second = stage.publish("wages", "second.bin", 2);
    let more = stage.back_up();
    assert_eq!((&more["run"], &more["payloadsCopied"]), (&Value::from(2), &Value::from(1)), "{more}");
    assert_eq!(more["payloadsKept"], full["payloadsCopied"], "{more}");
    let (written, before) = (more["writtenBytes"].as_u64().expect("bytes"), full["writtenBytes"].as_u64());
    assert!(written < SIZE as u64 + 60_000, "the second run wrote {written} bytes, the first {before:?}");
    let idle = stage.back_up();
    assert_eq!(idle["payloadsCopied"], 0, "{idle}");
    assert!(idle["writtenBytes"].as_u64().expect("bytes") < 60_000, "nothing new but records: {idle}");
    assert_eq!(events(&stage.server, "backup-made").len(), 3);

    // what happens after the backup is lost; it must not be given out again under the same number
    stage.publish("wages", "lost.bin", 3);
    let lost = deliveries(&stage.server).into_iter().map(|row| sequence_of(&row)).max().expect("deliveries");
    let last_event = stage.server.done(&["history", "list"]).as_array().and_then(|lines| lines.last().cloned());
    let last_event = last_event.map(|line| sequence_of(&line)).expect("a history");
    stage.server.stop();

    let (mut server, document) = stage.restore_from(&stage.target, &[]);
    assert_eq!(document["missingPayloads"], Value::Array(Vec::new()), "{document}");
    let again = server.refused(&["restore", path(&stage.target), "--identity", path(&stage.identity)]);
    assert!(again.contains("is not empty"), "{again}");

    server.serve_shut();
    assert_eq!(listens(server.process()), 0, "nothing listens before it is confirmed");
    let refused = server.refused(&["mail", "retry"]);
    assert!(refused.contains("restore confirm"), "{refused}");
    let file = stage.server.desk("desk").join("first.bin");
    let refused = server.refused(&["delivery", "publish", path(&file), "--product", "wages"]);
    assert!(refused.contains("restore confirm"), "{refused}");
    let told = server.refused(&["restore", "confirm"]);
    for wanted in ["1 accounts", "1 SSH keys", "1 rights", "0 deliveries cannot be read", "--yes"] {
        assert!(told.contains(wanted), "`{wanted}` is not in:\n{told}");
    }
    assert_eq!(listens(server.process()), 0, "without --yes it stays shut");
    server.done(&["restore", "confirm", "--yes"]);
    server.await_ready();
    assert!(listens(server.process()) >= 2, "now it listens");

    let client = stage.client_on(&server);
    client.batch("get outbox/wages/*.bin\n").expect_code(0);
    for (name, bytes) in [("first.bin", &first), ("second.bin", &second)] {
        assert!(&fs::read(client.folder().join(name)).expect("fetched") == bytes, "{name} has other bytes");
    }
    assert!(!client.folder().join("lost.bin").exists(), "what came after the backup is not there");
    let row = deliveries(&server).into_iter().find(|row| sequence_of(row) == 1).expect("the first delivery");
    let id = text(&row, "id").to_owned();
    assert_eq!(text(&server.done(&["delivery", "show", &id]), "progress"), "fetched", "as it was fetched before");

    for event in ["backup-restored", "numbers-skipped", "restore-confirmed"] {
        assert_eq!(events(&server, event).len(), 1, "{event}");
    }
    let restored = sequence_of(&events(&server, "backup-restored")[0]);
    assert!(restored > last_event, "event {last_event} was given out, {restored} comes after the gap");
    server.done(&["delivery", "publish", path(&file), "--product", "wages", "--name", "after.bin"]);
    let newest = deliveries(&server).into_iter().map(|row| sequence_of(&row)).max().expect("deliveries");
    assert!(newest > lost, "delivery {lost} was given out, {newest} comes after the gap");

    // an unclean end: the gap in the numbers is read back from the journal
    server.kill9();
    server.serve();
    assert_eq!(events(&server, "backup-restored").len(), 1);
    server.stop();
    // what was restored from the newest point goes on in the same folder
    server.set("POSTKLUIS_STORAGE__BACKUP_RECIPIENT", &public_of(&stage.identity));
    assert_eq!(server.done(&["backup", "create", path(&stage.target)])["run"], 4);
    let (is_whole, found) = stage.verify(true);
    assert!(is_whole, "{found}");
}

#[track_caller]
fn public_of(identity: &Path) -> String {
    finish(Command::new("age-keygen").arg("-y").arg(identity)).expect_code(0).text().trim().to_owned()
}

#[test]
fn without_the_identity_a_backup_tells_nothing() {
    let stage = Stage::set(&[]);
    let file = stage.server.desk("desk").join("plain.csv");
    let line = "name;citizen;wage of november twenty-six\n";
    fs::write(&file, line.repeat(4_000)).expect("a file");
    stage.server.done(&["delivery", "publish", path(&file), "--product", "wages"]);
    stage.back_up();
    let mortal = ["keys/shred", "keys/bodies"].map(|keys| files_below(&stage.server.home().join(keys)));
    assert!(mortal.iter().all(|keys| !keys.is_empty()), "{mortal:?}");
    let shred: Vec<Vec<u8>> =
        mortal.into_iter().flatten().filter_map(|file| fs::read(file).ok()).filter(|bytes| bytes.len() > 64).collect();
    assert!(!shred.is_empty(), "there are shred keys to look for");
    let organisation = fs::read(stage.server.home().join("keys/organisations/alpha.age")).expect("an identity");
    let mut secrets: Vec<Vec<u8>> = shred;
    secrets.push(organisation);
    for word in [line, "owner@alpha.example", "alpha-robot", "plain.csv", "AGE-SECRET-KEY-", "PRIVATE KEY"] {
        secrets.push(word.as_bytes().to_vec());
    }
    let is_in = |bytes: &[u8], secret: &[u8]| bytes.windows(secret.len()).any(|window| window == secret);
    // they are what the home holds: looking for them can find something
    let journal: Vec<u8> = files_below(&stage.server.home().join("data/catalog/journal"))
        .iter()
        .flat_map(|file| fs::read(file).expect("a segment"))
        .collect();
    assert!(is_in(&journal, b"owner@alpha.example"), "the journal of the home has it in plain");
    let kept = files_below(&stage.target);
    assert!(kept.len() >= 5, "{kept:?}");
    for file in kept {
        let bytes = fs::read(&file).expect("a file of the backup");
        for secret in &secrets {
            assert!(!is_in(&bytes, secret), "{} holds {:?}", file.display(), String::from_utf8_lossy(secret));
        }
    }
    // the increments hold no shred key, not even for whoever has the identity
    let opened = stage.server.desk("opened");
    let archive = opened.join("keys.tar");
    let keys = stage.target.join("keys-00000001.age");
    let mut age = Command::new("age");
    age.arg("-d").arg("-i").arg(&stage.identity).arg("-o").arg(&archive).arg(&keys);
    finish(&mut age).expect_code(0);
    let listed = finish(Command::new("tar").arg("-tf").arg(&archive)).expect_code(0).text();
    assert!(listed.contains("keys/master.age") && listed.contains("postkluis.toml"), "{listed}");
    assert!(listed.contains("keys/organisations/alpha.age"), "{listed}");
    assert!(!listed.contains("shred"), "{listed}");
    // somebody else's identity opens nothing
    let (stranger, _) = age_key(&opened, "stranger");
    let server = Server::without_home();
    let refused = server.refused(&["restore", path(&stage.target), "--identity", path(&stranger)]);
    assert!(refused.contains("open the seal"), "{refused}");
}

#[test]
fn a_delivery_that_was_shredded_after_the_backup_stays_unreadable() {
    let mut stage = Stage::set(&[
        ("POSTKLUIS_RETENTION__TICK_SECONDS", "1"),
        ("POSTKLUIS_RETENTION__SHRED_DELAY", "0s"),
        ("POSTKLUIS_RETENTION__OPEN_GRACE", "0s"),
    ]);
    stage.server.done(&["product", "add", "brief", "--name", "brief", "--retention", "20s"]);
    let brief = ["--organisation", "alpha", "--product", "brief", "--purpose", "test"];
    stage.server.done(&[&["agreement", "add"][..], &brief].concat());
    stage.server.done(&["right", "couple", "--account", "alpha-robot", "--product", "brief"]);
    let kept = stage.publish("wages", "kept.bin", 1);
    stage.publish("brief", "brief.bin", 2);
    let slots = |server: &Server| -> BTreeSet<String> {
        let names = files_below(&server.home().join("keys/shred")).into_iter();
        let names = names.filter_map(|file| Some(file.file_name()?.to_str()?.to_owned()));
        names.filter(|name| !name.starts_with('.')).collect()
    };
    let before = slots(&stage.server);
    stage.back_up();
    assert!(events(&stage.server, "delivery-shredded").is_empty(), "the backup was made while it lived");
    let older = stage.server.desk("desk").join("older-copy");
    finish(Command::new("cp").arg("-a").arg(&stage.target).arg(&older)).expect_code(0);
    eventually("the brief delivery to be shredded", || events(&stage.server, "delivery-shredded").pop());
    let after = slots(&stage.server);
    let gone: Vec<&String> = before.difference(&after).collect();
    assert_eq!(gone.len(), 1, "one key was destroyed: {before:?} {after:?}");
    let report = stage.back_up();
    assert!(report["filesRemoved"].as_u64().expect("files") >= 1, "its payload left the backup: {report}");
    stage.server.stop();

    // the older point with the newest bundle: the key is not in what can be restored
    let newest = stage.target.join("shred-keys.age");
    let (mut server, _) = stage.restore_from(&older, &["--shred-keys", path(&newest)]);
    assert!(!slots(&server).contains(gone[0]), "the key came back");
    server.serve_shut();
    server.done(&["restore", "confirm", "--yes"]);
    server.await_ready();
    let client = stage.client_on(&server);
    client.batch("get outbox/wages/kept.bin\n").expect_code(0);
    assert!(fs::read(client.folder().join("kept.bin")).expect("fetched") == kept);
    client.batch("get outbox/brief/brief.bin\n").expect_code(1);
    server.stop();

    // the older bundle brings the key back: the window has ended all the same, and retention destroys it anew
    let (mut server, _) = stage.restore_from(&older, &[]);
    assert!(slots(&server).contains(gone[0]), "the older bundle holds the key: a copy of it must end with it");
    server.set("POSTKLUIS_RETENTION__TICK_SECONDS", "1");
    server.set("POSTKLUIS_RETENTION__SHRED_DELAY", "0s");
    server.set("POSTKLUIS_RETENTION__OPEN_GRACE", "0s");
    server.serve_shut();
    server.done(&["restore", "confirm", "--yes"]);
    server.await_ready();
    eventually("it to be shredded again", || events(&server, "delivery-shredded").pop());
    assert!(!slots(&server).contains(gone[0]));
    stage.client_on(&server).batch("get outbox/brief/brief.bin\n").expect_code(1);
    server.stop();
    server.set("POSTKLUIS_STORAGE__BACKUP_RECIPIENT", &public_of(&stage.identity));
    let refused = server.refused(&["backup", "create", path(&stage.target)]);
    assert!(refused.contains("another history"), "an older point does not go on in a newer backup: {refused}");
}

#[test]
fn a_delivery_whose_payload_is_not_in_the_backup_ends_on_record() {
    let mut stage = Stage::set(&[]);
    stage.publish("wages", "lost.bin", 1);
    let lost = text(&deliveries(&stage.server)[0], "id").to_owned();
    let kept = stage.publish("wages", "kept.bin", 2);
    stage.back_up();
    stage.server.stop();
    let payloads = files_below(&stage.target.join("vault"));
    let large = payloads.iter().filter(|file| fs::metadata(file).expect("a payload").len() > SIZE as u64);
    let large: Vec<&PathBuf> = large.collect();
    assert_eq!(large.len(), 2, "{payloads:?}");
    // which payload is whose only the record says: one goes, and its delivery is to end
    fs::remove_file(large[0]).expect("removed");
    let (mut server, document) = stage.restore_from(&stage.target, &[]);
    assert_eq!(document["missingPayloads"].as_array().map(Vec::len), Some(1), "{document}");
    server.serve_shut();
    let told = server.refused(&["restore", "confirm"]);
    assert!(told.contains("1 deliveries cannot be read"), "{told}");
    let confirmed = server.done(&["restore", "confirm", "--yes"]);
    assert_eq!(confirmed["lostDeliveries"], 1, "{confirmed}");
    server.await_ready();
    assert!(!events(&server, "delivery-lost").is_empty());
    let client = stage.client_on(&server);
    let is_first_lost = told.contains(&lost);
    let (there, gone) = if is_first_lost { ("kept.bin", "lost.bin") } else { ("lost.bin", "kept.bin") };
    client.batch(&format!("get outbox/wages/{there}\n")).expect_code(0);
    client.batch(&format!("get outbox/wages/{gone}\n")).expect_code(1);
    if is_first_lost {
        assert!(fs::read(client.folder().join("kept.bin")).expect("fetched") == kept);
    }
    server.stop();
}

#[test]
fn an_unfinished_upload_is_left_out_and_can_be_sent_again() {
    let mut stage = Stage::set(&[]);
    stage.server.done(&["product", "add", "intake", "--name", "intake", "--retention", "30d", "--accepts-uploads"]);
    let of = ["--organisation", "alpha", "--product", "intake", "--purpose", "test"];
    stage.server.done(&[&["agreement", "add"][..], &of].concat());
    stage.server.done(&["right", "couple", "--account", "alpha-robot", "--product", "intake"]);
    let whole = write_file(&stage.client.folder().join("whole.csv"), SIZE, 4);
    write_file(&stage.client.folder().join("half.csv"), SIZE, 5);
    // closed under a temporary name, it waits for the rest
    stage
        .client
        .batch("put whole.csv dropbox/intake/whole.csv\nput half.csv dropbox/intake/half.csv.part\n")
        .expect_code(0);
    let made = stage.back_up();
    assert_eq!(made["unfinishedUploadsLeftOut"], 1, "{made}");
    assert!(stage.verify(true).0);
    stage.server.stop();
    let (mut server, document) = stage.restore_from(&stage.target, &[]);
    assert_eq!(document["unfinishedUploadsLeftOut"], 1, "{document}");
    server.serve_shut();
    let told = server.refused(&["restore", "confirm"]);
    assert!(told.contains("1 uploads were not finished"), "{told}");
    server.done(&["restore", "confirm", "--yes"]);
    server.await_ready();
    let client = stage.client_on(&server);
    client.batch("get dropbox/intake/whole.csv\n").expect_code(0);
    assert!(fs::read(client.folder().join("whole.csv")).expect("fetched") == whole);
    let half = write_file(&client.folder().join("half.csv"), SIZE, 5);
    let again = "put half.csv dropbox/intake/half.csv.part\nrename dropbox/intake/half.csv.part dropbox/intake/half.csv\n\
                 get dropbox/intake/half.csv back.csv\n";
    client.batch(again).expect_code(0);
    assert!(fs::read(client.folder().join("back.csv")).expect("fetched") == half);
    server.stop();
}

#[test]
fn a_received_upload_whose_payload_is_not_in_the_backup_ends_on_record() {
    let mut stage = Stage::set(&[]);
    stage.server.done(&["product", "add", "intake", "--name", "intake", "--retention", "30d", "--accepts-uploads"]);
    let of = ["--organisation", "alpha", "--product", "intake", "--purpose", "test"];
    stage.server.done(&[&["agreement", "add"][..], &of].concat());
    stage.server.done(&["right", "couple", "--account", "alpha-robot", "--product", "intake"]);
    write_file(&stage.client.folder().join("lost.csv"), SIZE, 4);
    stage.client.batch("put lost.csv dropbox/intake/lost.csv\n").expect_code(0);
    stage.back_up();
    stage.server.stop();
    let payloads = files_below(&stage.target.join("vault"));
    let large: Vec<_> =
        payloads.iter().filter(|file| fs::metadata(file).expect("a payload").len() > SIZE as u64).collect();
    assert_eq!(large.len(), 1, "{payloads:?}");
    fs::remove_file(large[0]).expect("removed");
    let (mut server, _) = stage.restore_from(&stage.target, &[]);
    server.serve_shut();
    let told = server.refused(&["restore", "confirm"]);
    assert!(told.contains("1 received uploads cannot be read"), "{told}");
    let confirmed = server.done(&["restore", "confirm", "--yes"]);
    assert_eq!((&confirmed["lostUploads"], &confirmed["lostDeliveries"]), (&1.into(), &0.into()), "{confirmed}");
    server.await_ready();
    assert_eq!(events(&server, "upload-lost").len(), 1);
    let client = stage.client_on(&server);
    client.batch("get dropbox/intake/lost.csv\n").expect_code(1);
    // its name is free again: the recipient sends it anew
    let again = write_file(&client.folder().join("lost.csv"), SIZE, 4);
    client.batch("put lost.csv dropbox/intake/lost.csv\nget dropbox/intake/lost.csv back.csv\n").expect_code(0);
    assert!(fs::read(client.folder().join("back.csv")).expect("fetched") == again);
    server.stop();
}
