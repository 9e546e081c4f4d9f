//! The back office collects by the API of the operator listener: once, sealed, confirmed by its digest, whatever is
//! killed on the way (issue 6, point 5).

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::doors_stage::{Robot, Said, desk_file, said_by, sha256};
use crate::fetch_stage::{ALPHA, OnItsWay, World, eventually, pattern, same, text};
use crate::support::programs::finish;
use crate::upload_stage::{INTAKE, events, upload, world_with};

/// Keys of the back office: the file with its identity, and the recipient.
fn back_office(folder: &Path) -> (std::path::PathBuf, String) {
    let identity = folder.join("identity");
    finish(Command::new("age-keygen").arg("-o").arg(&identity)).expect_code(0);
    let public = finish(Command::new("age-keygen").arg("-y").arg(&identity)).expect_code(0).text();
    (identity, public.trim().to_owned())
}

/// Asks the operator listener, as its back office does.
#[track_caller]
fn ask(world: &World, path: &str, arguments: &[&str]) -> Said {
    let place = format!("http://{}/operator/participant-files{path}", world.server.address("operator"));
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--max-time", "60", "--include"]).args(arguments).arg(place);
    said_by(&finish(&mut curl).expect_code(0).text())
}

#[track_caller]
fn post(world: &World, path: &str, json: &str, headers: &[&str]) -> Said {
    let mut arguments = vec!["--header", "Content-Type: application/json", "--data", json];
    headers.iter().for_each(|header| arguments.extend(["--header", header]));
    ask(world, path, &arguments)
}

fn world_of(settings: &[(&str, &str)]) -> World {
    let more = [
        ("POSTKLUIS_OPERATOR__LISTEN", "127.0.0.1:0"),
        ("POSTKLUIS_UPLOADS__COLLECT_ONLY", INTAKE),
        ("POSTKLUIS_UPLOADS__SETTLE", "0s"),
    ];
    world_with(&[&more[..], settings].concat())
}

#[track_caller]
fn brought(world: &World, name: &str, bytes: &[u8]) -> String {
    let alpha = Robot::new(world, ALPHA);
    let id = alpha.announced(name);
    alpha.put(&id, &desk_file(world, name, bytes), &[]).expect(204);
    eventually("it to be accepted", || (text(&upload(world, name), "stage") == "accepted").then_some(()));
    id
}

#[test]
fn a_file_is_collected_once_confirmed_and_answered() {
    let desk = tempfile::tempdir().expect("a desk");
    let (identity, recipient) = back_office(desk.path());
    let mut world = world_of(&[("POSTKLUIS_UPLOADS__SEALED_INTAKE", &recipient)]);
    let bytes = pattern(1, 2 * 1024 * 1024 + 3);
    let id = brought(&world, "a.csv", &bytes);
    let key = "Idempotency-Key: run 7";
    let listed = ask(&world, "?stage=accepted", &[]).expect(200).json();
    assert_eq!(listed.pointer("/participantFiles/0/id").and_then(Value::as_str), Some(id.as_str()), "{listed}");
    assert_eq!(ask(&world, "?stage=rejected", &[]).expect(200).json()["participantFiles"], Value::Array(Vec::new()));
    ask(&world, &format!("/{id}/content"), &[]).expect(409);
    post(&world, &format!("/{id}/acknowledgement"), &format!("{{\"sha256\": \"{}\"}}", sha256(&bytes)), &[])
        .expect(409);
    post(&world, &format!("/{id}/collection"), "{}", &[]).expect(400);
    assert!(events(&world, "upload-hand-over-begun").is_empty());

    post(&world, &format!("/{id}/collection"), "{}", &[key]).expect(200);
    // taken: nobody else gets it, and its account cannot take it back
    post(&world, &format!("/{id}/collection"), "{}", &["Idempotency-Key: run 8"]).expect(409);
    let other = world.server.desk("by-hand").display().to_string();
    world.server.refused(&["upload", "collect", &id, "--to", &other]);
    let alpha = Robot::new(&world, ALPHA);
    alpha.ask(&format!("/participant-files/{id}"), &["--request", "DELETE"]).expect(409);
    // the same again, also after the server was killed
    world.server.kill9();
    world.server.serve();
    post(&world, &format!("/{id}/collection"), "{}", &[key]).expect(200);
    assert_eq!(events(&world, "upload-hand-over-begun").len(), 1);
    for number in 0..2 {
        let sealed = desk.path().join(format!("{number}.age"));
        let said = ask(&world, &format!("/{id}/content"), &["--output", sealed.to_str().expect("a path")]);
        assert_eq!(said.status, 0, "it is in the file");
        let raw = std::fs::read(&sealed).expect("an answer");
        let body = raw.windows(4).position(|part| part == b"\r\n\r\n").expect("a head") + 4;
        std::fs::write(&sealed, &raw[body..]).expect("its body");
        let opened = desk.path().join(format!("{number}.csv"));
        finish(Command::new("age").arg("-d").arg("-i").arg(&identity).arg("-o").arg(&opened).arg(&sealed))
            .expect_code(0);
        same(&opened, &bytes);
    }
    // confirmed by its digest, and by no other
    let path = format!("/{id}/acknowledgement");
    post(&world, &path, &format!("{{\"sha256\": \"{}\"}}", sha256(b"another")), &[]).expect(400);
    post(&world, &path, "{\"sha256\": \"12\"}", &[]).expect(400);
    assert!(events(&world, "upload-collected").is_empty());
    for _ in 0..2 {
        let shown = post(&world, &path, &format!("{{\"sha256\": \"{}\"}}", sha256(&bytes)), &[]).expect(200).json();
        assert_eq!((text(&shown, "stage"), text(&shown, "collectedBy")), ("collected".to_owned(), "api".to_owned()));
        assert!(shown["acknowledgedAt"].is_string(), "{shown}");
    }
    assert_eq!(events(&world, "upload-collected").len(), 1);
    post(&world, &format!("/{id}/collection"), "{}", &[key]).expect(409);
    // and answered
    post(&world, &format!("/{id}/result"), "{\"accepted\": true, \"report\": {\"rows\": 12}}", &[]).expect(200);
    let alpha = Robot::new(&world, ALPHA);
    let result = alpha.ask(&format!("/participant-files/{id}/result"), &[]).expect(200);
    assert!(result.body.contains("\"rows\":12") && result.body.contains("back-office"), "{result:?}");
    post(&world, &format!("/{id}/result"), "{\"accepted\": 1}", &[]).expect(400);
}

/// Takes, fetches and confirms a file, as a script of the back office does.
fn script(world: &World, (id, key): (&str, &str), to: &Path, sha256: &str) -> Command {
    let place = format!("http://{}/operator/participant-files/{id}", world.server.address("operator"));
    let curl = "curl --silent --show-error --fail --max-time 60";
    let text = format!(
        "{curl} -o /dev/null -X POST -H 'Idempotency-Key: {key}' {place}/collection \
         && {curl} -o {} {place}/content \
         && {curl} -o /dev/null -H 'Content-Type: application/json' -d '{{\"sha256\": \"{sha256}\"}}' {place}/acknowledgement",
        to.display()
    );
    let mut command = Command::new("sh");
    command.args(["-c", &text]);
    command
}

/// Kills in one run; more with `POSTKLUIS_TEST_KILLS`.
const KILLS: usize = 6;

#[test]
fn killed_at_any_step_each_file_is_collected_once() {
    let desk = tempfile::tempdir().expect("a desk");
    let (identity, recipient) = back_office(desk.path());
    let mut world = world_of(&[("POSTKLUIS_UPLOADS__SEALED_INTAKE", &recipient)]);
    let kills = std::env::var("POSTKLUIS_TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    for round in 0..kills {
        let name = format!("r{round}.csv");
        let bytes = [name.as_bytes(), &pattern(round + 1, 3 * 1024 * 1024)].concat();
        let id = brought(&world, &name, &bytes);
        let (sealed, wanted) = (desk.path().join("sealed.age"), sha256(&bytes));
        let client = OnItsWay::start(&mut script(&world, (&id, "run"), &sealed, &wanted));
        // at another place each time: taking, fetching, confirming
        std::thread::sleep(Duration::from_millis(round as u64 * 23 % 140));
        world.server.kill9();
        client.cut();
        world.server.serve();
        // another run may not have it, once it was taken
        let was_taken = events(&world, "upload-hand-over-begun").iter().any(|line| text(line, "file") == name);
        if was_taken {
            post(&world, &format!("/{id}/collection"), "{}", &["Idempotency-Key: other"]).expect(409);
        }
        let is_confirmed = text(&upload(&world, &name), "stage") == "collected";
        if !is_confirmed {
            finish(&mut script(&world, (&id, "run"), &sealed, &wanted)).expect_code(0);
        }
        let opened = desk.path().join("opened.csv");
        finish(Command::new("age").arg("-d").arg("-i").arg(&identity).arg("-o").arg(&opened).arg(&sealed))
            .expect_code(0);
        same(&opened, &bytes);
        assert_eq!(text(&upload(&world, &name), "stage"), "collected");
    }
    for event in ["upload-hand-over-begun", "upload-collected", "upload-acknowledged"] {
        assert_eq!(events(&world, event).len(), kills, "{event}");
    }
    let intake = world.server.home().join("intake").join(INTAKE);
    assert!(!intake.exists(), "nothing was put into the folder too");
}

#[test]
fn nothing_leaves_unsealed_or_to_a_page_or_by_another_listener() {
    let world = world_of(&[]);
    let id = brought(&world, "a.csv", b"of alpha");
    let key = "Idempotency-Key: run 7";
    let said = post(&world, &format!("/{id}/collection"), "{}", &[key]).expect(409);
    assert!(said.body.contains("sealed_intake"), "{said:?}");
    assert_eq!(text(&upload(&world, "a.csv"), "stage"), "accepted");
    // a page that is open in a browser of this machine
    ask(&world, "", &["--header", "Host: evil.example"]).expect(403);
    post(&world, &format!("/{id}/result"), "{\"accepted\": false}", &["Origin: https://evil.example"]).expect(403);
    post(&world, &format!("/{id}/result"), "{\"accepted\": false}", &["Host: evil.example"]).expect(403);
    assert_eq!(text(&upload(&world, "a.csv"), "stage"), "accepted");
    let public = crate::doors_stage::ask(&world.server, &format!("/operator/participant-files/{id}"), &[]);
    assert_eq!(public.status, 404);
    ask(&world, "/0b9d6f7e-1111-4222-8333-0123456789ab", &[]).expect(404);
    ask(&world, "?owner=1", &[]).expect(400);
    // what it rejects, nobody collects
    post(&world, &format!("/{id}/result"), "{\"accepted\": false, \"report\": \"wrong month\"}", &[]).expect(200);
    let alpha = Robot::new(&world, ALPHA);
    assert!(alpha.ask(&format!("/participant-files/{id}/result"), &[]).expect(200).body.contains("wrong month"));
}
