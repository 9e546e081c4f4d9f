//! A disk of its own for the home (tmpfs, so root is needed), filled to the
//! brim: what was promised stays readable, what cannot be kept is refused, and
//! with room again everything goes on without a restart.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::support::clients::{SftpClient, curl};
use crate::support::disk::Disk;
use crate::support::programs::finish;
use crate::support::server::Server;
use crate::support::stock::{
    deliveries, events, eventually, organisation, product, robot, robot_login, text, write_file,
};

/// Of the whole disk at first.
const DISK: &str = "32m";
/// Of the whole disk when there is room again.
const MORE_DISK: &str = "64m";
const MIB: u64 = 1024 * 1024;
/// Of each delivered file, in bytes.
const SIZE: usize = 1_500_000;

/// Fields end in this order: the server before its disk.
struct Stage {
    server: Server,
    client: SftpClient,
    token: String,
    files: Vec<(String, Vec<u8>)>,
    disk: Disk,
}

impl Stage {
    fn set() -> Option<Self> {
        let mut server = Server::prepare();
        let (home, before) = (server.home(), server.home().with_file_name("home-of-before"));
        fs::rename(&home, &before).expect("moved");
        fs::create_dir(&home).expect("a folder");
        let disk = Disk::mount(&home, &format!("size={DISK},mode=0750"))?;
        finish(Command::new("cp").arg("-a").arg(before.join(".")).arg(&home)).expect_code(0);
        for (variable, value) in [
            ("POSTKLUIS_STORAGE__RESERVE_BYTES", "8 MiB"),
            ("POSTKLUIS_STORAGE__JOURNAL_SEGMENT_BYTES", "1 MiB"),
            ("POSTKLUIS_STORAGE__MAX_FRAME_BYTES", "1 MiB"),
            ("POSTKLUIS_STORAGE__INDEX_CACHE_BYTES", "1 MiB"),
            ("POSTKLUIS_SPOOL__RESCAN_SECONDS", "1"),
        ] {
            server.set(variable, value);
        }
        server.serve();
        product(&server, "wages");
        organisation(&server, "alpha", &["wages"]);
        let client = robot(&server, "alpha", &["wages"]);
        let token = server.done(&["token", "add", "--account", &robot_login("alpha"), "--expires", "1d"]);
        let token = text(&token, "secret").to_owned();
        fs::create_dir_all(home.join("spool/wages")).expect("a folder of the spool");
        Some(Self { server, client, token, files: Vec::new(), disk })
    }

    /// Offers one more file, from another disk; whether it was published.
    #[track_caller]
    fn publish(&mut self) -> Result<(), String> {
        let name = format!("part-{}.bin", self.files.len());
        let path = self.server.desk("desk").join(&name);
        let bytes = write_file(&path, SIZE, self.files.len());
        let arguments = ["delivery", "publish", path.to_str().expect("a path"), "--product", "wages", "--json"];
        let ended = finish(self.server.command().args(arguments));
        if ended.status.success() {
            self.files.push((name, bytes));
            return Ok(());
        }
        let ended = ended.expect_code(1);
        let error = text(&ended.json(), "error").to_owned();
        assert_eq!(ended.stderr, format!("postkluis: {error}\n"));
        Err(error)
    }

    /// Everything that was acknowledged, by SFTP and by HTTPS.
    #[track_caller]
    fn everything_is_readable(&self) {
        self.client.batch("get outbox/wages/part-*.bin\n").expect_code(0);
        let rows = deliveries(&self.server);
        assert_eq!(rows.len(), self.files.len(), "what was acknowledged, no more and no less");
        let header = format!("Authorization: Bearer {}", self.token);
        for (name, bytes) in &self.files {
            let got = fs::read(self.client.folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(&got == bytes, "{name} has other bytes over SFTP");
            fs::remove_file(self.client.folder().join(name)).expect("removed");
            let row =
                rows.iter().find(|row| row["files"][0]["fileName"] == **name).unwrap_or_else(|| panic!("no {name}"));
            let path = format!("/api/v1/deliveries/{}/files/1/content", text(row, "id"));
            let got = curl(&self.server, &path, &["--fail", "--header", &header]).expect_code(0).stdout;
            assert!(&got == bytes, "{name} has other bytes over HTTPS");
        }
    }
}

const NO_ROOM: &str = "the server cannot store more now; nothing was changed, try again later";

#[test]
fn a_full_disk_refuses_keeps_and_recovers() {
    let Some(mut stage) = Stage::set() else { return };
    let home = stage.server.home();
    // Lies on the same disk already, so that it can be dropped when nothing more fits.
    let dropped = write_file(&home.join("dropped.bin"), SIZE, 99);
    let refusal = loop {
        if let Err(why) = stage.publish() {
            break why;
        }
        assert!(stage.files.len() < 24, "the disk never became full");
    };
    assert_eq!(refusal, NO_ROOM);
    assert!(stage.files.len() > 3, "only {} files fitted", stage.files.len());
    stage.everything_is_readable();

    // Below the reserve no file is taken, but the reserve is there for the records of what is fetched.
    stage.disk.take(stage.disk.free() - 4 * MIB);
    assert_eq!(stage.publish(), Err(NO_ROOM.to_owned()));
    stage.everything_is_readable();

    // Not a byte is left, as when something else filled the disk.
    let filler = stage.disk.fill();
    fs::rename(home.join("dropped.bin"), home.join("spool/wages/dropped.bin")).expect("moved in");
    assert_eq!(stage.publish(), Err(NO_ROOM.to_owned()));
    let ended = stage.server.run(&["organisation", "add", "beta", "--name", "Beta"]).expect_code(1);
    assert!(ended.stderr.contains(NO_ROOM), "{}", ended.stderr);
    let ended = stage.server.run(&["check"]).expect_code(1).text();
    assert!(ended.contains("FAIL  disk: 0 MiB free") && ended.contains("free some space"), "{ended}");
    assert_eq!(deliveries(&stage.server).len(), stage.files.len());
    eventually("the drop waits for room", || stage.server.logged().contains("no space to publish").then_some(()));
    assert_eq!(fs::read_dir(home.join("spool/.refused")).expect("the folder").count(), 0, "it is not refused");

    // Room again: no restart is needed, and the drop that waited is published.
    stage.disk.resize(MORE_DISK);
    stage.files.push(("dropped.bin".to_owned(), dropped));
    let count = stage.files.len();
    eventually("the drop is published", || (deliveries(&stage.server).len() == count).then_some(()));
    let (name, bytes) = stage.files.pop().expect("the drop");
    stage.client.batch("get outbox/wages/dropped.bin\n").expect_code(0);
    assert!(fs::read(stage.client.folder().join(&name)).expect("the drop") == bytes);
    let row = deliveries(&stage.server).into_iter().find(|row| row["files"][0]["fileName"] == name.as_str());
    let row: Value = row.expect("its delivery");
    stage.server.done(&["delivery", "show", text(&row, "id")]);
    fs::remove_file(filler).expect("removed");
    stage.server.done(&["organisation", "add", "beta", "--name", "Beta"]);
    let published = stage.server.done(&["organisation", "list"]);
    assert_eq!(published.as_array().map(Vec::len), Some(2), "{published}");
    fs::remove_file(home.join("taken")).expect("removed");
    let path = stage.server.desk("desk").join("after.bin");
    write_file(&path, SIZE, 5);
    stage.server.done(&["delivery", "publish", path.to_str().expect("a path"), "--product", "wages"]);
    assert_eq!(events(&stage.server, "delivery-published").len(), count + 1);

    // Nothing of it was only in memory.
    stage.server.stop();
    stage.server.serve();
    assert_eq!(deliveries(&stage.server).len(), count + 1);
    let log = stage.server.logged();
    assert!(!log.contains("ALARM"), "{log}");
    stage.server.stop();
}

#[test]
fn a_file_larger_than_the_room_leaves_nothing_behind() {
    let Some(mut stage) = Stage::set() else { return };
    stage.publish().expect("the first fits");
    let free = stage.disk.free();
    let path = stage.server.desk("desk").join("large.bin");
    fs::write(&path, vec![1; 40_000_000]).expect("a file");
    let said = stage.server.refused(&["delivery", "publish", path.to_str().expect("a path"), "--product", "wages"]);
    assert!(said.contains(NO_ROOM), "{said}");
    let after = stage.disk.free();
    assert!(after + 1_000_000 > free, "{free} bytes were free, {after} are");
    stage.everything_is_readable();
    stage.publish().expect("what fits is published at once");
    stage.everything_is_readable();
    stage.server.stop();
}

#[test]
fn check_names_a_folder_that_cannot_be_written() {
    let server = Server::prepare();
    finish(server.command().arg("check")).expect_code(0);
    let spool = server.home().join("spool");
    let Some(mut disk) = Disk::mount(&spool, "size=1m,ro") else { return };
    let said = finish(server.command().arg("check")).expect_code(1).text();
    assert!(said.contains(&format!("FAIL  folder: {} cannot be written", spool.display())), "{said}");
    disk.unmount();
    finish(server.command().arg("check")).expect_code(0);
    drop(server);
    drop(disk);
}

#[test]
fn an_upload_that_finds_no_room_stays_unfinished_and_goes_on_when_there_is_some() {
    let Some(stage) = Stage::set() else { return };
    let server = &stage.server;
    server.done(&["product", "add", "intake", "--name", "intake", "--retention", "30d", "--accepts-uploads"]);
    server.done(&["agreement", "add", "--organisation", "alpha", "--product", "intake", "--purpose", "test"]);
    server.done(&["right", "couple", "--account", &robot_login("alpha"), "--product", "intake"]);
    let large = server.desk("desk").join("large.bin");
    write_file(&large, 30 * 1024 * 1024, 5);
    let said = stage.client.batch(&format!("put {} dropbox/intake/\n", large.display())).expect_code(1).stderr;
    assert!(said.contains("write remote"), "{said}");
    let only = |server: &Server| {
        let listed = server.done(&["upload", "list"]);
        assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
        listed[0].clone()
    };
    let left = only(server);
    assert_eq!(text(&left, "state"), "unfinished", "{left}");
    let arrived = left["sizeBytes"].as_u64().expect("a size");
    assert!(arrived > MIB && arrived < 30 * MIB, "{left}");
    assert!(stage.disk.free() >= 6 * MIB, "of the reserve of 8 MiB no more than a step and some records were taken");
    assert!(!events(server, "upload-refused").is_empty() && events(server, "upload-received").is_empty());

    stage.disk.resize("128m");
    stage.client.batch(&format!("reput {} dropbox/intake/\n", large.display())).expect_code(0);
    let received = only(server);
    assert_eq!((text(&received, "state"), received["sizeBytes"].as_u64()), ("received", Some(30 * MIB)));
    stage.client.batch("get dropbox/intake/large.bin\n").expect_code(0);
    let back = fs::read(stage.client.folder().join("large.bin")).expect("the file");
    assert!(back == fs::read(&large).expect("the file"), "it has other bytes");
}
