//! Uploads over HTTPS when things break: connection, client and server are killed at many moments of both doors, the disk
//! is full, two hundred come at once. Whole in the end, each once, and no byte another (issue 6).

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::doors_stage::{ask, curl, desk_file, sha256, url};
use crate::fetch_stage::{ALPHA, OnItsWay, World, eventually, pattern, text};
use crate::support::disk::Disk;
use crate::support::programs::finish;
use crate::support::server::Server;
use crate::support::stock::{organisation, product, robot, robot_login};
use crate::upload_stage::{INTAKE, events, uploads, world_with};

/// Kills in one run; more with `POSTKLUIS_TEST_KILLS`.
const KILLS: usize = 8;

/// Of each file.
const FILE_BYTES: usize = 6 * 1024 * 1024 + 13;

const TUS: &str = "Tus-Resumable: 1.0.0";
const BYTES: &str = "Content-Type: application/offset+octet-stream";

fn kills() -> usize {
    std::env::var("POSTKLUIS_TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS)
}

/// The command that brings what is missing of a file from this offset on.
fn rest(server: &Server, bearer: &str, id: &str, (by_tus, offset, rate): (bool, usize, &str), file: &Path) -> Command {
    let mut command = curl(server);
    command.args(["--limit-rate", rate, "--header", bearer, "--write-out", "%{http_code}", "--output", "/dev/null"]);
    if by_tus {
        command.args(["--request", "PATCH", "--header", TUS, "--header", BYTES]);
        command.args(["--header", &format!("Upload-Offset: {offset}"), "--upload-file"]).arg(file);
        command.arg(url(server, &format!("/api/v1/resumable-uploads/{id}")));
    } else {
        let range = format!("Content-Range: bytes {offset}-{}/{FILE_BYTES}", FILE_BYTES - 1);
        command.args(["--header", &range, "--upload-file"]).arg(file);
        command.arg(url(server, &format!("/api/v1/participant-files/{id}/content")));
    }
    command
}

/// How far the upload came; `None` when it is received.
#[track_caller]
fn offset(world: &World, bearer: &str, id: &str) -> Option<usize> {
    let said = ask(&world.server, &format!("/api/v1/participant-files/{id}"), &["--header", bearer]).expect(200).json();
    let size = usize::try_from(said["sizeBytes"].as_u64().expect("a size")).expect("a size");
    (text(&said, "state") == "unfinished").then_some(size)
}

#[test]
fn killed_at_any_moment_it_is_gone_on_with_and_arrives_once() {
    let mut world = world_with(&[("POSTKLUIS_STORAGE__SCRUB_BYTES_PER_SECOND", "0")]);
    let bearer = crate::doors_stage::bearer(&world, ALPHA);
    let mut given = Vec::new();
    for round in 0..kills() {
        let (name, bytes) = (format!("r{round}.bin"), pattern(round + 1, FILE_BYTES));
        let json = format!("{{\"product\": \"{INTAKE}\", \"fileName\": \"{name}\", \"size\": {FILE_BYTES}}}");
        let key = format!("Idempotency-Key: {name}");
        let arguments =
            ["--header", &bearer, "--header", &key, "--header", "Content-Type: application/json", "--data", &json];
        let made = ask(&world.server, "/api/v1/participant-files", &arguments).expect(201);
        let id = text(&made.json(), "id");
        let (by_tus, kills_server) = (round % 2 == 0, round % 4 < 2);
        // twice at another place, then to the end
        for part in 0..2 {
            let Some(at) = offset(&world, &bearer, &id) else { break };
            let file = desk_file(&world, "rest.bin", &bytes[at..]);
            let client = OnItsWay::start(&mut rest(&world.server, &bearer, &id, (by_tus, at, "4M"), &file));
            thread::sleep(Duration::from_millis(100 + (round as u64 * 311 + part * 173) % 900));
            if kills_server {
                world.server.kill9();
                world.server.serve();
            }
            client.cut();
        }
        // the last bytes and the end: whatever answer was lost, asking again tells
        while let Some(at) = offset(&world, &bearer, &id) {
            let file = desk_file(&world, "rest.bin", &bytes[at..]);
            let client = OnItsWay::start(&mut rest(&world.server, &bearer, &id, (by_tus, at, "200M"), &file));
            if kills_server && round % 3 == 0 {
                // somewhere around its end, once
                thread::sleep(Duration::from_millis(round as u64 * 37 % 400));
                world.server.kill9();
                world.server.serve();
                client.cut();
                if let Some(at) = offset(&world, &bearer, &id) {
                    let file = desk_file(&world, "rest.bin", &bytes[at..]);
                    finish(&mut rest(&world.server, &bearer, &id, (by_tus, at, "200M"), &file)).expect_code(0);
                }
            } else {
                client.hear_rest();
            }
        }
        let again = ask(&world.server, "/api/v1/participant-files", &arguments).expect(201);
        assert_eq!(text(&again.json(), "id"), id, "the same request is the same file, whatever was killed");
        given.push((name, sha256(&bytes)));
    }
    for (name, wanted) in &given {
        eventually(&format!("{name} to be handed over"), || {
            let rows = uploads(&world, name);
            assert_eq!(rows.len(), 1, "{name} came once");
            assert_eq!(&text(&rows[0], "sha256"), wanted, "{name}");
            (text(&rows[0], "stage") == "collected").then_some(())
        });
    }
    let intake = world.server.home().join("intake").join(INTAKE);
    let files = fs::read_dir(&intake).expect("the intake").map(|entry| entry.expect("an entry").path());
    let files: Vec<_> = files.filter(|path| path.extension().is_some_and(|ending| ending == "bin")).collect();
    assert_eq!(files.len(), given.len(), "handed over once each");
    for file in files {
        let digest = sha256(&fs::read(&file).expect("a file"));
        assert!(given.iter().any(|(_, wanted)| *wanted == digest), "{}", file.display());
    }
    assert_eq!(events(&world, "upload-received").len(), given.len());
}

#[test]
fn two_hundred_come_at_once() {
    const MANY: usize = 200;
    let world = world_with(&[("POSTKLUIS_UPLOADS__COLLECT_ONLY", INTAKE)]);
    let bearer = crate::doors_stage::bearer(&world, ALPHA);
    let desk = world.server.desk("many");
    // all of them in one client, announced and then brought
    let run = |config: &str| {
        let file = desk.join("config");
        fs::write(&file, config).expect("a configuration");
        let mut many = curl(&world.server);
        many.args(["--parallel", "--parallel-immediate", "--parallel-max", "200", "--config"]).arg(&file);
        finish(&mut many).expect_code(0);
    };
    let mut config = String::new();
    for number in 0..MANY {
        let json = format!("{{\\\"product\\\": \\\"{INTAKE}\\\", \\\"fileName\\\": \\\"n{number}.bin\\\"}}");
        let answer = desk.join(format!("{number}.json")).display().to_string();
        let place = url(&world.server, "/api/v1/participant-files");
        let certificate = world.server.certificate().display().to_string();
        let _ = write!(
            config,
            "next\ncacert = \"{certificate}\"\nurl = \"{place}\"\nheader = \"{bearer}\"\n\
             header = \"Content-Type: application/json\"\ndata = \"{json}\"\noutput = \"{answer}\"\n"
        );
    }
    run(&config);
    let mut config = String::new();
    for number in 0..MANY {
        let answer = fs::read(desk.join(format!("{number}.json"))).expect("an answer");
        let answer: Value = serde_json::from_slice(&answer).expect("JSON");
        let place = url(&world.server, &format!("/api/v1/participant-files/{}/content", text(&answer, "id")));
        let file = desk_file(&world, &format!("n{number}.bin"), &pattern(number, 100_000 + number));
        let certificate = world.server.certificate().display().to_string();
        let _ = write!(
            config,
            "next\ncacert = \"{certificate}\"\nurl = \"{place}\"\nheader = \"{bearer}\"\n\
             upload-file = \"{}\"\noutput = \"/dev/null\"\n",
            file.display()
        );
    }
    run(&config);
    let listed = world.server.done(&["upload", "list"]);
    let rows = listed.as_array().expect("a list");
    assert!(rows.iter().all(|row| text(row, "state") == "received"), "{listed}");
    assert_eq!(events(&world, "upload-received").len(), MANY);
    for number in [0, 1, 57, 199] {
        let row = &uploads(&world, &format!("n{number}.bin"))[0];
        assert_eq!(text(row, "sha256"), sha256(&pattern(number, 100_000 + number)), "{row}");
    }
}

#[test]
fn a_full_disk_refuses_and_room_lets_it_go_on() {
    let mut server = Server::prepare();
    let (home, before) = (server.home(), server.home().with_file_name("home-of-before"));
    fs::rename(&home, &before).expect("moved");
    fs::create_dir(&home).expect("a folder");
    let Some(disk) = Disk::mount(&home, "size=32m,mode=0750") else { return };
    finish(Command::new("cp").arg("-a").arg(before.join(".")).arg(&home)).expect_code(0);
    for (variable, value) in [
        ("POSTKLUIS_STORAGE__RESERVE_BYTES", "8 MiB"),
        ("POSTKLUIS_STORAGE__JOURNAL_SEGMENT_BYTES", "1 MiB"),
        ("POSTKLUIS_STORAGE__MAX_FRAME_BYTES", "1 MiB"),
        ("POSTKLUIS_STORAGE__INDEX_CACHE_BYTES", "1 MiB"),
        ("POSTKLUIS_UPLOADS__COLLECT_ONLY", INTAKE),
    ] {
        server.set(variable, value);
    }
    server.serve();
    product(&server, "wages");
    server.done(&["product", "add", INTAKE, "--name", INTAKE, "--retention", "30d", "--accepts-uploads"]);
    organisation(&server, "alpha", &["wages", INTAKE]);
    robot(&server, "alpha", &[INTAKE]);
    let token = server.done(&["token", "add", "--account", &robot_login("alpha")]);
    let bearer = format!("Authorization: Bearer {}", text(&token, "secret"));
    let bytes = pattern(9, 30 * 1024 * 1024);
    let file = server.desk("large").join("large.bin");
    fs::write(&file, &bytes).expect("a file");
    let json = format!("{{\"product\": \"{INTAKE}\", \"fileName\": \"large.bin\"}}");
    let arguments = ["--header", &bearer, "--header", "Content-Type: application/json", "--data", &json];
    let id = text(&ask(&server, "/api/v1/participant-files", &arguments).expect(201).json(), "id");
    let put = ["--header", &bearer, "--upload-file", file.to_str().expect("a path")];
    let path = format!("/api/v1/participant-files/{id}");
    ask(&server, &format!("{path}/content"), &put).expect(507);
    let shown = ask(&server, &path, &["--header", &bearer]).expect(200).json();
    assert_eq!(text(&shown, "stage"), "receiving", "{shown}");
    assert!(crate::support::stock::events(&server, "upload-received").is_empty());
    disk.resize("128m");
    ask(&server, &format!("{path}/content"), &put).expect(204);
    let shown = ask(&server, &path, &["--header", &bearer]).expect(200).json();
    assert_eq!(text(&shown, "sha256"), sha256(&bytes));
    server.stop();
}
