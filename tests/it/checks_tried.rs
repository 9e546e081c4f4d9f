//! A file is tried without being submitted, on the command line and over the API: the same verdict, and nothing of it is
//! kept, mailed or put on record (4.5-6).

use std::path::Path;

use serde_json::Value;

use crate::checks::{BSN, CSV, NO_BSN, becomes, checked_by, errors, put};
use crate::doors_stage::{Robot, Said, curl, desk_file, url};
use crate::fetch_stage::{ALPHA, BETA, OnItsWay, World, eventually, text};
use crate::upload_stage::{INTAKE, local, world_with};

fn good(number: u32) -> Vec<u8> {
    format!("bsn;geboren;klant\n{BSN};;alpha\nT;{number}\n").into_bytes()
}

fn bad() -> Vec<u8> {
    format!("bsn;geboren;klant\n{NO_BSN};;beta\nT;1\n").into_bytes()
}

/// What must not change by trying a file, and whatever is kept of a file.
fn kept(world: &World) -> (Value, Value, Value) {
    let list = |words: &[&str]| world.server.done(words);
    (list(&["history", "list"]), list(&["upload", "list"]), list(&["mail", "queue"]))
}

/// Tries a file over the API.
#[track_caller]
fn tries(robot: &Robot<'_>, name: &str, bytes: &[u8], headers: &[&str]) -> Said {
    let file = desk_file(robot.world, "tried", bytes);
    let file = format!("@{}", file.display());
    let mut arguments = vec!["--data-binary", &file, "--header", "Content-Type: application/octet-stream"];
    headers.iter().for_each(|header| arguments.extend(["--header", header]));
    robot.ask(&format!("/participant-files/_check?product={INTAKE}&fileName={name}"), &arguments)
}

#[test]
fn a_file_is_tried_without_being_submitted() {
    let (world, _folder) = checked_by(CSV, &[]);
    let (good, bad) = (local(&world, "DN_alpha_1.csv", &good(1)), local(&world, "bad.csv", &bad()));
    let before = world.server.done(&["history", "list"]);
    let tried = |file: &Path, more: &[&str]| {
        let file = file.display().to_string();
        let asked = ["upload", "check", &file, "--product", INTAKE, "--organisation", "alpha"];
        world.server.done(&[&asked[..], more].concat())
    };
    let told = tried(&good, &[]);
    assert_eq!((text(&told, "state"), errors(&told)), ("accepted".to_owned(), Vec::new()));
    assert_eq!(told.pointer("/counts/records").and_then(Value::as_u64), Some(1));
    // it is tried again and again: its number was not used
    let told = tried(&bad, &["--name", "DN_alpha_1.csv"]);
    assert_eq!(text(&told, "state"), "rejected");
    assert_eq!(errors(&told), ["2:1 not-a-citizen-number", "2:3 wrong-client"]);
    assert!(!told.to_string().contains(NO_BSN), "{told}");
    let told = tried(&bad, &[]);
    assert!(errors(&told).contains(&"0:0 name".to_owned()), "{told}");
    let good = good.display().to_string();
    for (product, organisation) in [("nothing", "alpha"), (INTAKE, "nobody")] {
        world.server.refused(&["upload", "check", &good, "--product", product, "--organisation", organisation]);
    }
    // nothing of it is kept
    assert_eq!(world.server.done(&["history", "list"]), before);
    assert_eq!(world.server.done(&["upload", "list"]).as_array().map(Vec::len), Some(0));
}

#[test]
fn the_api_says_what_would_become_of_a_file() {
    let (world, _folder) = checked_by(CSV, &[("POSTKLUIS_UPLOADS__MAX_FILE_BYTES", "1 MiB")]);
    let client = world.client(ALPHA);
    put(&world, &client, "DN_alpha_1.csv", &good(1));
    becomes(&world, "DN_alpha_1.csv", "collected");
    let first = text(&crate::upload_stage::upload(&world, "DN_alpha_1.csv"), "id");
    let (robot, beta) = (Robot::new(&world, ALPHA), Robot::new(&world, BETA));
    // the first use of a token is on record
    robot.ask("/participant-files", &[]).expect(200);
    beta.ask("/participant-files", &[]).expect(200);
    let unfinished = || std::fs::read_dir(world.server.home().join("data/vault/unfinished")).map_or(0, Iterator::count);
    let (before, parts) = (kept(&world), unfinished());

    let second = [&good(1)[..], b""].concat();
    let other = String::from_utf8(second).expect("a text").replace(";;", ";20000101;").into_bytes();
    let told = tries(&robot, "DN_alpha_2.csv", &other, &[]).expect(200).json();
    assert_eq!((text(&told, "kind"), text(&told, "state")), ("check".to_owned(), "accepted".to_owned()), "{told}");
    assert_eq!(told["size"].as_u64(), Some(other.len() as u64));
    assert_eq!(text(&told, "sha256"), crate::doors_stage::sha256(&other));
    assert_eq!(told.pointer("/counts/records").and_then(Value::as_u64), Some(1));
    // the same, with its size not said before
    let chunked = tries(&robot, "DN_alpha_2.csv", &other, &["Transfer-Encoding: chunked"]).expect(200).json();
    assert_eq!(chunked, told);
    // a number that was used, a wrong name, wrong content: places and codes, never a value
    let told = tries(&robot, "DN_alpha_1.csv", &other, &[]).expect(200).json();
    assert_eq!(errors(&told), ["0:0 sequence-repeated"]);
    let told = tries(&robot, "DN_alpha_2.csv", &bad(), &[]).expect(200);
    assert_eq!(text(&told.json(), "state"), "rejected");
    assert_eq!(errors(&told.json()), ["2:1 not-a-citizen-number", "2:3 wrong-client"]);
    assert!(!told.body.contains(NO_BSN), "{}", told.body);
    assert!(errors(&tries(&robot, "other.csv", &other, &[]).expect(200).json()).contains(&"0:0 name".to_owned()));
    assert_eq!(
        errors(&tries(&robot, "DN_alpha_2.csv", b"", &[]).expect(200).json()).first(),
        Some(&"0:0 empty".to_owned())
    );
    // bytes that were received before
    let told = tries(&robot, "DN_alpha_2.csv", &good(1), &[]).expect(200).json();
    assert_eq!((text(&told, "state"), text(&told, "duplicateOf")), ("duplicate".to_owned(), first));
    // another organisation: its own marks count, and it is told nothing of the others' files
    let told = tries(&beta, "DN_beta_1.csv", &good(1), &[]).expect(200).json();
    assert_eq!(errors(&told), ["2:3 wrong-client"]);
    assert_eq!(told["duplicateOf"], Value::Null);

    // what cannot be tried
    let large = vec![b'x'; 1_100_000];
    tries(&robot, "DN_alpha_2.csv", &large, &[]).expect(413);
    let chunked = tries(&robot, "DN_alpha_2.csv", &large, &["Transfer-Encoding: chunked"]);
    assert_eq!(chunked.status, 413, "{chunked:?}");
    tries(&robot, "DN_alpha_2.csv", &other, &["Content-Encoding: gzip"]).expect(415);
    let at = |query: &str| robot.ask(&format!("/participant-files/_check{query}"), &["--data-binary", "x"]);
    at("").expect(400);
    at("?product=nothing&fileName=a.csv").expect(404);
    at("?product=wages&fileName=a.csv").expect(404);
    assert!(at(&format!("?product={INTAKE}&fileName=..%2Fa.csv")).expect(400).body.contains("fileName"));
    at(&format!("?product={INTAKE}&fileName=a.csv&more=1")).expect(400);
    let unknown = Robot { world: &world, bearer: "Authorization: Bearer nobody".to_owned(), base: robot.base.clone() };
    tries(&unknown, "DN_alpha_2.csv", &other, &[]).expect(401);
    let after = kept(&world);
    assert_eq!((&before.1, &before.2), (&after.1, &after.2), "no upload, no e-mail");
    let lines = |kept: &Value| kept.as_array().expect("lines").len();
    let new: Vec<_> =
        after.0.as_array().expect("lines")[lines(&before.0)..].iter().map(|line| text(line, "event")).collect();
    assert!(new.iter().all(|event| event == "sign-in-refused" || event.starts_with("strangers")), "{new:?}");
    assert_eq!(unfinished(), parts, "no part of a file lies anywhere");
}

#[test]
fn one_at_a_time_and_a_cut_connection_frees_the_place() {
    let (world, _folder) = checked_by(CSV, &[]);
    let (robot, beta) = (Robot::new(&world, ALPHA), Robot::new(&world, BETA));
    let large = local(&world, "large.csv", &[&good(1)[..], &vec![b'x'; 4 * 1024 * 1024]].concat());
    let mut slow = curl(&world.server);
    slow.args(["--limit-rate", "100k", "--header", &robot.bearer, "--header", "Expect:", "--data-binary"]);
    slow.arg(format!("@{}", large.display()));
    slow.arg(url(&world.server, &format!("/api/v1/participant-files/_check?product={INTAKE}&fileName=DN_alpha_1.csv")));
    let client = OnItsWay::start(&mut slow);
    eventually("the account's place to be taken", || {
        let said = tries(&robot, "DN_alpha_1.csv", &good(1), &[]);
        (said.status == 429).then_some(())
    });
    tries(&beta, "DN_beta_1.csv", &good(1), &[]).expect(200);
    client.cut();
    eventually("the place to be free", || (tries(&robot, "DN_alpha_1.csv", &good(1), &[]).status == 200).then_some(()));
}

#[test]
fn while_the_scanner_is_down_nothing_is_said_of_a_file() {
    let down = ("POSTKLUIS_UPLOADS__SCANNER", "unix:/run/no-such-scanner.ctl");
    let world = world_with(&[down]);
    let robot = Robot::new(&world, ALPHA);
    let said = tries(&robot, "a.csv", b"anything", &[]).expect(503);
    assert_eq!(said.header("retry-after"), Some("60"));
    assert!(said.body.contains("cannot be checked now") && !said.body.contains("no-such-scanner"), "{}", said.body);
}

#[test]
fn a_removed_right_tries_nothing() {
    let (world, _folder) = checked_by(CSV, &[]);
    let robot = Robot::new(&world, ALPHA);
    tries(&robot, "DN_alpha_1.csv", &good(1), &[]).expect(200);
    world.server.done(&["right", "decouple", "--account", ALPHA, "--product", INTAKE]);
    tries(&robot, "DN_alpha_1.csv", &good(1), &[]).expect(404);
}
