//! Resumable uploads (tus 1.0) with `curl` and with the clients that people use: `tus-js-client` and `tuspy`. By token
//! and by the session of the portal (issue 6, point 1; domain 3.15).

use std::path::Path;

use data_encoding::BASE64;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::abuse::{ANNE, stage_with};
use crate::doors_stage::{Robot, Said, desk_file, sha256, url};
use crate::fetch_stage::{ALPHA, BETA, SECOND, eventually, pattern, text};
use crate::support::programs::{finish, node, python};
use crate::upload_stage::{INTAKE, events, is_received, upload, uploads, world_with};

const WAITING: (&str, &str) = ("POSTKLUIS_UPLOADS__COLLECT_ONLY", INTAKE);
const TUS: &str = "Tus-Resumable: 1.0.0";
const BYTES: &str = "Content-Type: application/offset+octet-stream";
const ALL: &str = "/resumable-uploads";

fn metadata(name: &str, product: &str) -> String {
    let value = |text: &str| BASE64.encode(text.as_bytes());
    format!("Upload-Metadata: filename {},product {}", value(name), value(product))
}

impl Robot<'_> {
    /// Asks with the header of tus and these.
    #[track_caller]
    fn tus(&self, method: &str, path: &str, headers: &[&str], file: Option<&Path>) -> Said {
        let mut arguments = if method == "HEAD" { vec!["--head"] } else { vec!["--request", method] };
        headers.iter().chain([&TUS]).for_each(|header| arguments.extend(["--header", header]));
        let data = file.map(|file| format!("@{}", file.display()));
        data.iter().for_each(|data| arguments.extend(["--data-binary", data]));
        let said = self.ask(path, &arguments);
        assert_eq!(said.header("tus-resumable"), Some("1.0.0"), "{said:?}");
        said
    }

    /// Begins an upload; its path below the base.
    #[track_caller]
    fn begun(&self, name: &str, size: usize, more: &[&str]) -> String {
        let length = format!("Upload-Length: {size}");
        let named = metadata(name, INTAKE);
        let made = self.tus("POST", ALL, &[&[length.as_str(), &named][..], more].concat(), None).expect(201);
        let place = made.header("location").expect("a place");
        place.strip_prefix(&self.base).unwrap_or_else(|| panic!("{place}")).to_owned()
    }

    #[track_caller]
    fn patch(&self, path: &str, offset: usize, file: &Path, more: &[&str]) -> Said {
        let at = format!("Upload-Offset: {offset}");
        self.tus("PATCH", path, &[&[at.as_str(), BYTES][..], more].concat(), Some(file))
    }

    #[track_caller]
    fn offset(&self, path: &str) -> usize {
        let said = self.tus("HEAD", path, &[], None).expect(200);
        said.header("upload-offset").and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{said:?}"))
    }
}

fn id_in(path: &str) -> String {
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

#[test]
fn the_protocol_is_spoken_as_it_is_written() {
    let world = world_with(&[WAITING]);
    let alpha = Robot::new(&world, ALPHA);
    let can = alpha.ask(ALL, &["--request", "OPTIONS"]).expect(204);
    assert_eq!((can.header("tus-version"), can.header("tus-max-size")), (Some("1.0.0"), Some("1099511627776")));
    assert_eq!(can.header("tus-checksum-algorithm"), Some("sha1,sha256"));
    for extension in ["creation", "creation-with-upload", "expiration", "termination", "checksum"] {
        assert!(can.header("tus-extension").is_some_and(|all| all.split(',').any(|one| one == extension)), "{can:?}");
    }
    let other = alpha.ask(ALL, &["--request", "POST", "--header", "Tus-Resumable: 0.2.2"]).expect(412);
    assert_eq!(other.header("tus-version"), Some("1.0.0"));
    alpha.ask(ALL, &["--request", "POST"]).expect(412);

    let bytes = pattern(1, 100_000);
    let named = metadata("a.csv", INTAKE);
    let path = alpha.begun("a.csv", bytes.len(), &[]);
    let id = id_in(&path);
    let said = alpha.tus("HEAD", &path, &[], None).expect(200);
    assert_eq!([said.header("upload-offset"), said.header("upload-length")], [Some("0"), Some("100000")]);
    assert_eq!(said.header("upload-metadata").map(|said| format!("Upload-Metadata: {said}")), Some(named));
    assert!(said.header("upload-expires").is_some_and(|date| date.ends_with(" GMT")), "{said:?}");
    assert_eq!(said.header("cache-control"), Some("no-store"));
    // the same upload at the other doors
    assert_eq!(text(&alpha.shown(&id), "stage"), "receiving");
    assert!(world.client(ALPHA).batch("ls -1 dropbox/intake\n").text().contains("a.csv"));

    let first = desk_file(&world, "1", &bytes[..40_000]);
    let done = alpha.patch(&path, 0, &first, &[]).expect(204);
    assert_eq!(done.header("upload-offset"), Some("40000"));
    assert!(done.header("upload-expires").is_some());
    // at another byte; without saying what it is; beyond its end
    let conflict = alpha.patch(&path, 39_999, &first, &[]).expect(409);
    assert_eq!(conflict.header("upload-offset"), Some("40000"));
    alpha.patch(&path, 0, &first, &[]).expect(409);
    alpha.tus("PATCH", &path, &["Upload-Offset: 40000"], Some(&first)).expect(415);
    alpha.tus("PATCH", &path, &[BYTES], Some(&first)).expect(400);
    alpha.patch(&path, 40_000, &desk_file(&world, "long", &bytes[..60_001]), &[]).expect(413);
    assert_eq!(alpha.offset(&path), 40_000);
    // checksums: a wrong one keeps nothing of it
    let second = &bytes[40_000..70_000];
    let file = desk_file(&world, "2", second);
    let sums = |bytes: &[u8]| {
        let sha1 = BASE64.encode(&<[u8; 20]>::from(<sha1::Sha1 as sha1::Digest>::digest(bytes)));
        [
            format!("Upload-Checksum: sha256 {}", BASE64.encode(&Sha256::digest(bytes))),
            format!("Upload-Checksum: sha1 {sha1}"),
        ]
    };
    for wrong in sums(b"something else") {
        let said = alpha.patch(&path, 40_000, &file, &[&wrong]).expect(460);
        assert_eq!(said.header("upload-offset"), Some("40000"));
        assert_eq!(alpha.offset(&path), 40_000);
    }
    alpha.patch(&path, 40_000, &file, &["Upload-Checksum: md5 AAAA"]).expect(400);
    alpha.patch(&path, 40_000, &file, &[&sums(second)[0]]).expect(204);
    // by another method, for clients that have no PATCH
    let last = &bytes[70_000..];
    let file = desk_file(&world, "3", last);
    let headers = ["X-HTTP-Method-Override: PATCH", "Upload-Offset: 70000", BYTES, &sums(last)[1]];
    let done = alpha.tus("POST", &path, &headers, Some(&file)).expect(204);
    assert_eq!(done.header("upload-offset"), Some("100000"));
    assert!(done.header("link").is_some_and(|link| link.contains("/receipt>")), "{done:?}");
    is_received(&world, "a.csv", &bytes);
    // a client that did not hear it finds it whole
    assert_eq!(alpha.offset(&path), 100_000);
    alpha.patch(&path, 100_000, &file, &[]).expect(409);
    assert_eq!(events(&world, "upload-received").len(), 1);
    // and may take it back, while it was not handed over
    alpha.tus("DELETE", &path, &[], None).expect(204);
    alpha.tus("HEAD", &path, &[], None).expect(404);
    assert_eq!(text(&alpha.shown(&id), "stage"), "withdrawn");
    let path = alpha.begun("b.csv", 5, &[]);
    alpha.tus("POST", &path, &["X-HTTP-Method-Override: DELETE"], None).expect(204);
    alpha.tus("HEAD", &path, &[], None).expect(404);
    alpha.tus("POST", &path, &["X-HTTP-Method-Override: PUT"], None).expect(405);
    assert_eq!(events(&world, "upload-removed").len(), 1);
}

#[test]
fn an_upload_is_made_in_every_way_that_is_offered_and_in_no_other() {
    let world = world_with(&[WAITING]);
    let alpha = Robot::new(&world, ALPHA);
    let bytes = pattern(2, 50_000);
    let file = desk_file(&world, "whole", &bytes);
    let length = format!("Upload-Length: {}", bytes.len());
    // with its bytes, or with some of them
    let made = alpha.tus("POST", ALL, &[&length, &metadata("at-once.csv", INTAKE), BYTES], Some(&file)).expect(201);
    assert_eq!(made.header("upload-offset"), Some("50000"));
    is_received(&world, "at-once.csv", &bytes);
    let part = desk_file(&world, "part", &bytes[..20_000]);
    let made = alpha.tus("POST", ALL, &[&length, &metadata("part.csv", INTAKE), BYTES], Some(&part)).expect(201);
    assert_eq!(made.header("upload-offset"), Some("20000"));
    assert_eq!(text(&upload(&world, "part.csv"), "state"), "unfinished");
    // empty ones are whole at once
    alpha.begun("empty.csv", 0, &[]);
    is_received(&world, "empty.csv", b"");
    // without a length, which comes with the last bytes; one that SFTP began has none either
    let made = alpha.tus("POST", ALL, &["Upload-Defer-Length: 1", &metadata("later.csv", INTAKE)], None).expect(201);
    let path = made.header("location").and_then(|place| place.strip_prefix("/api/v1")).expect("a place").to_owned();
    assert_eq!(alpha.tus("HEAD", &path, &[], None).header("upload-defer-length"), Some("1"));
    alpha.patch(&path, 0, &part, &[]).expect(204);
    let rest = desk_file(&world, "rest", &bytes[20_000..]);
    alpha.patch(&path, 20_000, &rest, &[&length]).expect(204);
    assert_eq!(text(&upload(&world, "later.csv"), "state"), "received");
    let other = pattern(3, 70_000);
    let from = desk_file(&world, "sftp", &other[..30_000]);
    world.client(ALPHA).batch(&format!("put {} dropbox/intake/s.csv.part\n", from.display())).expect_code(0);
    let path = format!("{ALL}/{}", text(&upload(&world, "s.csv.part"), "id"));
    assert_eq!(alpha.offset(&path), 30_000);
    alpha.patch(&path, 30_000, &desk_file(&world, "sftp", &other[30_000..]), &[]).expect(204);
    world.client(ALPHA).batch("rename dropbox/intake/s.csv.part dropbox/intake/s.csv\n").expect_code(0);
    is_received(&world, "s.csv", &other);
    // a digest of the whole
    let named = format!("{},sha256 {}", metadata("sum.csv", INTAKE), BASE64.encode(sha256(&bytes).as_bytes()));
    let length_two = "Upload-Length: 50000";
    let made = alpha.tus("POST", ALL, &[length_two, &named], None).expect(201);
    let path = made.header("location").and_then(|place| place.strip_prefix("/api/v1")).expect("a place").to_owned();
    alpha.patch(&path, 0, &desk_file(&world, "wrong", &pattern(4, 50_000)), &[]).expect(400);
    assert_eq!(alpha.offset(&path), 0, "nobody knows which byte is wrong");
    alpha.tus("DELETE", &path, &[], None).expect(204);

    let begun = || events(&world, "upload-started").len();
    let before = begun();
    let named = metadata("x.csv", INTAKE);
    for (headers, status) in [
        (vec![named.as_str()], 400),
        (vec!["Upload-Length: -1", &named], 400),
        (vec!["Upload-Length: 5", "Upload-Defer-Length: 1", &named], 400),
        (vec!["Upload-Length: 5"], 400),
        (vec!["Upload-Length: 5", "Upload-Metadata: filename !!"], 400),
        (vec!["Upload-Length: 99999999999999", &named], 413),
    ] {
        alpha.tus("POST", ALL, &headers, None).expect(status);
    }
    for name in ["../x", "a/b", "x.part", ".x", "x.done", "a:b", "a\u{0}b", "\u{202e}", ""] {
        alpha.tus("POST", ALL, &["Upload-Length: 5", &metadata(name, INTAKE)], None).expect(400);
    }
    alpha.tus("POST", ALL, &["Upload-Length: 5", &metadata("x.csv", "wages")], None).expect(404);
    let client = format!("{named},client {}", BASE64.encode(b"beta"));
    alpha.tus("POST", ALL, &["Upload-Length: 5", &client], None).expect(404);
    assert_eq!(begun(), before, "nothing was kept");
}

#[test]
fn what_is_another_s_is_not_there() {
    let world = world_with(&[WAITING]);
    let (alpha, second, beta) = (Robot::new(&world, ALPHA), Robot::new(&world, SECOND), Robot::new(&world, BETA));
    let path = alpha.begun("a.csv", 5, &[]);
    let file = desk_file(&world, "5", b"12345");
    let made_up = format!("{ALL}/0b9d6f7e-1111-4222-8333-0123456789ab");
    let answers = |robot: &Robot<'_>, path: &str| {
        let all = [
            robot.tus("HEAD", path, &[], None),
            robot.patch(path, 0, &file, &[]),
            robot.tus("DELETE", path, &[], None),
        ];
        all.map(|said| (said.status, said.body.clone(), said.header("upload-offset").map(str::to_owned)))
    };
    for robot in [&second, &beta] {
        assert_eq!(answers(robot, &path), answers(robot, &made_up), "colleague and stranger alike");
        assert_eq!(answers(robot, &path)[0].0, 404);
    }
    assert_eq!(answers(&alpha, &format!("{ALL}/none"))[0].0, 404);
    assert_eq!(alpha.offset(&path), 0);
    world.server.done(&["account", "block", ALPHA, "--reason", "test"]);
    assert_eq!(answers(&alpha, &path).map(|(status, _, _)| status), [403, 403, 403]);
    assert_eq!(text(&upload(&world, "a.csv"), "state"), "unfinished");
}

#[test]
fn one_that_is_being_written_is_not_written_twice() {
    let world = world_with(&[WAITING]);
    let alpha = Robot::new(&world, ALPHA);
    let bytes = pattern(5, 16 * 1024 * 1024);
    let file = desk_file(&world, "large.bin", &bytes);
    let path = alpha.begun("large.bin", bytes.len(), &[]);
    let id = id_in(&path);
    let mut slow = crate::doors_stage::curl(&world.server);
    slow.args([
        "--limit-rate",
        "8M",
        "--request",
        "PATCH",
        "--write-out",
        "%{http_code}",
        "--header",
        TUS,
        "--header",
        BYTES,
    ]);
    slow.args([
        "--header",
        "Upload-Offset: 0",
        "--header",
        &alpha.bearer,
        "--data-binary",
        &format!("@{}", file.display()),
    ]);
    slow.arg(url(&world.server, &format!("/api/v1{path}")));
    let writing = crate::fetch_stage::OnItsWay::start(&mut slow);
    eventually("some of it", || (alpha.shown(&id)["sizeBytes"].as_u64() > Some(1_000_000)).then_some(()));
    let small = desk_file(&world, "small", &bytes[..10]);
    for _ in 0..5 {
        let said = alpha.patch(&path, 0, &small, &[]).expect(409);
        assert!(said.header("upload-offset").is_some_and(|offset| offset != "0"), "{said:?}");
    }
    assert_eq!(writing.hear_rest(), "204", "the first one goes on undisturbed");
    is_received(&world, "large.bin", &bytes);
}

#[test]
fn who_begins_uploads_finds_those_that_are_not_whole() {
    let world = world_with(&[WAITING]);
    let (alpha, beta) = (Robot::new(&world, ALPHA), Robot::new(&world, BETA));
    let names = |robot: &Robot<'_>| -> Vec<(String, Value, Value)> {
        let said = robot.tus("GET", ALL, &[], None).expect(200).json();
        let list = said["resumableUploads"].as_array().expect("a list");
        list.iter().map(|one| (text(one, "fileName"), one["sizeBytes"].clone(), one["size"].clone())).collect()
    };
    assert_eq!(names(&alpha), []);
    let path = alpha.begun("half.csv", 1_000, &[]);
    alpha.patch(&path, 0, &desk_file(&world, "half", &pattern(1, 400)), &[]).expect(204);
    let whole = alpha.begun("whole.csv", 400, &[]);
    alpha.patch(&whole, 0, &desk_file(&world, "half", &pattern(1, 400)), &[]).expect(204);
    assert_eq!(names(&alpha), [("half.csv".to_owned(), json!(400), json!(1_000))]);
    // neither another organisation nor a colleague nor who says nothing of the protocol; nor for somebody else
    assert_eq!((names(&beta), names(&Robot::new(&world, SECOND))), (vec![], vec![]));
    alpha.ask(ALL, &[]).expect(412);
    alpha.tus("GET", &format!("{ALL}?limit=1"), &[], None).expect(400);
    alpha.tus("GET", "/clients/beta/resumable-uploads", &[], None).expect(404);
    alpha.tus("DELETE", &path, &[], None).expect(204);
    assert_eq!(names(&alpha), []);
}

#[test]
fn tus_js_client_uploads_stops_and_goes_on() {
    let world = world_with(&[WAITING]);
    let alpha = Robot::new(&world, ALPHA);
    let bytes = pattern(6, 6 * 1024 * 1024 + 3);
    let file = desk_file(&world, "js.bin", &bytes);
    let mut command = node();
    command
        .args(["-e", include_str!("../clients/tus_js_client.js")])
        .arg(url(&world.server, "/api/v1/resumable-uploads"));
    command.arg(alpha.bearer.trim_start_matches("Authorization: ")).args([INTAKE]).arg(&file);
    let said = finish(command.env("NODE_EXTRA_CA_CERTS", world.server.certificate())).expect_code(0).text();
    assert!(said.contains("resumed at") && said.contains("terminated"), "{said}");
    for name in ["plain.bin", "chunks.bin", "resumed.bin"] {
        // the same bytes once more are a duplicate, and whole all the same
        let shown = upload(&world, name);
        assert_eq!((text(&shown, "state"), text(&shown, "sha256")), ("received".to_owned(), sha256(&bytes)), "{shown}");
    }
    assert_eq!(text(&uploads(&world, "terminated.bin")[0], "state"), "removed");
}

#[test]
fn tuspy_uploads_with_checksums_and_goes_on() {
    let world = world_with(&[WAITING]);
    let alpha = Robot::new(&world, ALPHA);
    let bytes = pattern(7, 3 * 1024 * 1024 + 1);
    let file = desk_file(&world, "py.bin", &bytes);
    let mut command = python();
    command
        .args(["-c", include_str!("../clients/tuspy_upload.py")])
        .arg(url(&world.server, "/api/v1/resumable-uploads"));
    command.arg(alpha.bearer.trim_start_matches("Authorization: ")).args([INTAKE]).arg(&file);
    let said = finish(command.env("REQUESTS_CA_BUNDLE", world.server.certificate())).expect_code(0).text();
    assert!(said.contains("resumed at 1048576"), "{said}");
    for name in ["plain.bin", "summed.bin", "resumed.bin"] {
        let shown = upload(&world, name);
        assert_eq!((text(&shown, "state"), text(&shown, "sha256")), ("received".to_owned(), sha256(&bytes)), "{shown}");
    }
}

#[test]
fn who_is_signed_in_to_the_portal_uploads_from_its_pages() {
    let stage = stage_with(&[WAITING]);
    let server = &stage.server;
    server.done(&["product", "add", INTAKE, "--name", INTAKE, "--retention", "30d", "--accepts-uploads"]);
    server.done(&["agreement", "add", "--organisation", "alpha", "--product", INTAKE, "--purpose", "testing"]);
    server.done(&["right", "couple", "--account", ANNE, "--product", INTAKE]);
    let (_, codes) = stage.activate();
    let anne = stage.enter(&codes[0]);
    let origin = format!("Origin: {}", url(server, ""));
    let cookie = format!("Cookie: {}", anne.cookie);
    let from_here = ["Sec-Fetch-Site: same-origin", origin.as_str(), &cookie, TUS];
    let send = |method: &str, path: &str, headers: &[&str], data: &str| {
        let mut arguments = if method == "HEAD" { vec!["--head"] } else { vec!["--request", method] };
        headers.iter().chain(&from_here).for_each(|header| arguments.extend(["--header", header]));
        if !data.is_empty() {
            arguments.extend(["--data-binary", data]);
        }
        crate::doors_stage::ask(server, path, &arguments)
    };
    let named = metadata("a.csv", INTAKE);
    let made = send("POST", "/api/v1/resumable-uploads", &["Upload-Length: 10", &named], "").expect(201);
    let path = made.header("location").expect("a place").to_owned();
    send("PATCH", &path, &["Upload-Offset: 0", BYTES], "12345").expect(204);
    assert_eq!(send("HEAD", &path, &[], "").expect(200).header("upload-offset"), Some("5"));
    send("PATCH", &path, &["Upload-Offset: 5", BYTES], "67890").expect(204);
    let listed = server.done(&["upload", "list"]);
    assert_eq!((text(&listed[0], "state"), text(&listed[0], "sha256")), ("received".to_owned(), sha256(b"1234567890")));
    let history = server.done(&["history", "list"]);
    let line = history.as_array().expect("a list").iter().find(|line| text(line, "event") == "upload-received");
    assert_eq!(line.map(|line| text(line, "channel")), Some("portal".to_owned()));
    // the API itself takes no cookie
    let said = crate::doors_stage::ask(server, "/api/v1/participant-files", &["--header", &cookie]);
    assert_eq!(said.status, 401);
    // whoever signs out is out
    server.done(&["account", "block", ANNE, "--reason", "test"]);
    let said = send("POST", "/api/v1/resumable-uploads", &["Upload-Length: 10", &metadata("b.csv", INTAKE)], "");
    assert!([401, 403].contains(&said.status), "{said:?}");
    assert_eq!(server.done(&["upload", "list"]).as_array().map(Vec::len), Some(1));
}

#[test]
fn an_unfinished_one_is_there_after_the_server_was_killed() {
    let mut world = world_with(&[WAITING]);
    let bytes = pattern(8, 200_000);
    let path = {
        let alpha = Robot::new(&world, ALPHA);
        let path = alpha.begun("a.csv", bytes.len(), &[]);
        alpha.patch(&path, 0, &desk_file(&world, "half", &bytes[..100_000]), &[]).expect(204);
        path
    };
    world.server.kill9();
    world.server.serve();
    let alpha = Robot::new(&world, ALPHA);
    assert_eq!(alpha.offset(&path), 100_000, "what was answered is kept");
    alpha.patch(&path, 100_000, &desk_file(&world, "rest", &bytes[100_000..]), &[]).expect(204);
    is_received(&world, "a.csv", &bytes);
}
