//! Files larger than memory ought to hold, through each door, cut and gone on with: the same SHA-256 on record and in
//! the intake, in bounded memory (issue 6). `POSTKLUIS_TEST_LARGE_MIB` says how large, such as 5121.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::doors_stage::{Robot, curl, url};
use crate::fetch_stage::{ALPHA, OnItsWay, World, eventually, pattern, size, text};
use crate::support::programs::finish_with;
use crate::upload_stage::{INTAKE, upload, world_with};

/// When nobody asks for another size.
const MIB: u64 = 192;
const BYTES_PER_MIB: u64 = 1 << 20;
/// One request, and the hand-over of one file, take no longer than this.
const WITHIN: Duration = Duration::from_secs(1_200);
/// What the process may have held in memory at most, over all of it; far less than the file.
const MOST_PEAK_KIB: u64 = 160 * 1024;

/// A file that repeats nothing at the distance of a chunk, and its length.
fn write_large(path: &Path, mib: u64) -> u64 {
    let piece = pattern(11, usize::try_from(BYTES_PER_MIB).expect("a size"));
    let mut file = File::create(path).expect("a large file");
    for number in 0..mib {
        file.write_all(&number.to_be_bytes()).expect("room");
        file.write_all(&piece).expect("room");
    }
    // a length that is no multiple of anything
    file.write_all(b"end").expect("room");
    size(path)
}

/// Another file by its first bytes: the same one again would be recognised.
fn change(path: &Path, mark: u8) -> String {
    OpenOptions::new().write(true).open(path).and_then(|file| file.write_all_at(&[mark; 4], 0)).expect("a mark");
    sha256_of(path)
}

fn sha256_of(path: &Path) -> String {
    let (mut file, mut hash, mut buffer) = (File::open(path).expect("a file"), Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer).expect("its bytes") {
            0 => return hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect(),
            length => hash.update(&buffer[..length]),
        }
    }
}

fn peak_kib(world: &World) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", world.server.process())).expect("the process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Bytes of the unfinished uploads on the disk.
fn sealed_so_far(world: &World) -> u64 {
    let folder = world.server.home().join("data/vault/unfinished");
    let uploads = fs::read_dir(folder).into_iter().flatten().flatten();
    uploads
        .flat_map(|upload| fs::read_dir(upload.path()).into_iter().flatten().flatten())
        .map(|part| size(&part.path()))
        .sum()
}

fn sftp(world: &World, lines: &str) -> Command {
    let client = world.client(ALPHA);
    let batch = world.server.desk("to-upload").join("batch");
    fs::write(&batch, lines).expect("a batch");
    let mut command = Command::new("sftp");
    command.arg("-F").arg(client.config()).arg("-b").arg(&batch).arg("vault").current_dir(client.folder());
    command
}

/// Handed over with these bytes and taken away, which frees their room.
#[track_caller]
fn arrives(world: &World, name: &str, (bytes, sha256): (u64, &str)) {
    let shown = eventually_long(&format!("{name} to be handed over"), || {
        let shown = upload(world, name);
        (text(&shown, "stage") == "collected").then_some(shown)
    });
    assert_eq!((shown["sizeBytes"].as_u64(), text(&shown, "sha256").as_str()), (Some(bytes), sha256), "{shown}");
    let intake = world.server.home().join("intake").join(INTAKE);
    let file = intake.join(format!("{}_{name}", text(&shown, "id")));
    assert_eq!(sha256_of(&file), sha256, "{name} in the intake");
    fs::remove_file(&file).expect("taken away");
    fs::remove_file(file.with_file_name(format!("{}_{name}.json", text(&shown, "id")))).expect("taken away");
}

#[track_caller]
fn eventually_long<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = std::time::Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(begun.elapsed() < WITHIN, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_very_large_file_comes_through_each_door_in_bounded_memory() {
    let mib = std::env::var("POSTKLUIS_TEST_LARGE_MIB").ok().and_then(|text| text.parse().ok()).unwrap_or(MIB);
    let world = world_with(&[("POSTKLUIS_STORAGE__SCRUB_BYTES_PER_SECOND", "0")]);
    let file = world.server.desk("to-upload").join("large.bin");
    let bytes = write_large(&file, mib);
    let path = file.display();

    // SFTP: the client is killed on its way, and another one goes on
    let sha256 = change(&file, 1);
    let client = OnItsWay::start(&mut sftp(&world, &format!("put {path} dropbox/{INTAKE}/a.bin.part\n")));
    eventually_long("a third of it to be sealed", || (sealed_so_far(&world) > bytes / 3).then_some(()));
    client.kill();
    eventually("the session's end", || {
        let rows = crate::upload_stage::uploads(&world, "a.bin.part");
        rows.iter().all(|row| row["isOpen"] == false).then_some(())
    });
    let before = upload(&world, "a.bin.part")["sizeBytes"].as_u64().expect("a size");
    assert!(before > 0 && before < bytes, "{before}");
    let rest = format!(
        "reput {path} dropbox/{INTAKE}/a.bin.part\nrename dropbox/{INTAKE}/a.bin.part dropbox/{INTAKE}/a.bin\n"
    );
    finish_with(&mut sftp(&world, &rest), b"", WITHIN).expect_code(0);
    arrives(&world, "a.bin", (bytes, &sha256));

    // the API: one PUT
    let sha256 = change(&file, 2);
    let robot = Robot::new(&world, ALPHA);
    let id = robot.announced("b.bin");
    let long = WITHIN.as_secs().to_string();
    let mut put = curl(&world.server);
    put.args(["--fail", "--max-time", &long, "--header", &robot.bearer, "--upload-file"]).arg(&file);
    put.arg(url(&world.server, &format!("/api/v1/participant-files/{id}/content")));
    finish_with(&mut put, b"", WITHIN).expect_code(0);
    arrives(&world, "b.bin", (bytes, &sha256));

    // tus: created with its length, then one PATCH
    let sha256 = change(&file, 3);
    let id = text(&robot.announce("c.bin", &format!(", \"size\": {bytes}"), &[]).expect(201).json(), "id");
    let mut patch = curl(&world.server);
    patch.args(["--fail", "--max-time", &long, "--header", &robot.bearer, "--request", "PATCH"]);
    for header in
        ["Tus-Resumable: 1.0.0", "Content-Type: application/offset+octet-stream", "Upload-Offset: 0", "Expect:"]
    {
        patch.args(["--header", header]);
    }
    patch.arg("--upload-file").arg(&file).arg(url(&world.server, &format!("/api/v1/resumable-uploads/{id}")));
    finish_with(&mut patch, b"", WITHIN).expect_code(0);
    arrives(&world, "c.bin", (bytes, &sha256));

    let peak = peak_kib(&world);
    println!("three files of {bytes} bytes, at most {peak} KiB in memory");
    assert!(peak < MOST_PEAK_KIB, "{peak} KiB");
    // room for the next test
    fs::remove_file(&file).expect("the large file");
}
