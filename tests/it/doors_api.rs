//! Participant files by the API: announced with `POST`, brought with `PUT`, gone on with after a cut, receipted; and the
//! other doors see the same upload (issue 6, points 1 to 3; interfaces §5; domain 3.5, 3.15, 4.5).

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::doors_stage::{Robot, ask, bearer, curl, desk_file, digest_field, sha256, url};
use crate::fetch_stage::{ALPHA, BETA, OnItsWay, SECOND, World, eventually, pattern, text};
use crate::support::programs::finish_with;
use crate::support::stock::{organisation, robot, robot_login};
use crate::upload_stage::{INTAKE, events, is_received, upload, uploads, world_with};

/// More than sockets and windows on the way can swallow.
const LARGE_BYTES: usize = 24 * 1024 * 1024 + 77;

/// What is accepted waits to be collected.
const WAITING: (&str, &str) = ("POSTKLUIS_UPLOADS__COLLECT_ONLY", INTAKE);

/// Nothing of the file lies in the home in the clear.
#[track_caller]
fn is_nowhere_plain(world: &World, bytes: &[u8]) {
    let needle = &bytes[1000..1064];
    let mut folders = vec![world.server.home()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(content) = fs::read(&path) {
                assert!(!content.windows(64).any(|window| window == needle), "{} has plaintext", path.display());
            }
        }
    }
}

#[test]
fn a_file_is_announced_brought_and_receipted() {
    let world = world_with(&[WAITING]);
    let alpha = Robot::new(&world, ALPHA);
    let bytes = pattern(1, 3 * 1024 * 1024 + 5);
    let file = desk_file(&world, "data.csv", &bytes);
    let more =
        format!(", \"size\": {}, \"contentType\": \"text/csv\", \"sha256\": \"{}\"", bytes.len(), sha256(&bytes));
    let made = alpha.announce("data.csv", &more, &[]).expect(201);
    let form = made.json();
    let id = text(&form, "id");
    assert_eq!(made.header("location"), Some(format!("/api/v1/participant-files/{id}").as_str()));
    assert_eq!(text(&form, "contentUri"), format!("/api/v1/participant-files/{id}/content"));
    let member = |name: &str| text(&form, name);
    assert_eq!([member("fileName"), member("contentType"), member("stage")], ["data.csv", "text/csv", "receiving"]);
    assert_eq!(form["size"], bytes.len());
    // the same upload at the other doors
    let listed = world.client(ALPHA).batch("ls -la dropbox/intake\n").expect_code(0).text();
    assert!(listed.contains("data.csv"), "{listed}");
    assert_eq!(text(&upload(&world, "data.csv"), "id"), id);

    let digest = format!("Content-Digest: {}", digest_field(&bytes));
    let done = alpha.put(&id, &file, &[&digest, "Prefer: return=representation"]).expect(200);
    assert_eq!(done.header("repr-digest"), Some(digest_field(&bytes).as_str()));
    assert!(done.header("link").is_some_and(|link| link.contains(&format!("{id}/receipt>"))), "{done:?}");
    is_received(&world, "data.csv", &bytes);
    let receipt = done.json();
    let papers = alpha.ask(&format!("/participant-files/{id}/receipt"), &[]).expect(200);
    assert_eq!(text(&receipt, "receipt"), papers.body, "byte for byte");
    assert!(text(&receipt, "receiptSignature").starts_with("-----BEGIN SSH SIGNATURE-----"), "{receipt}");
    let paper: Value = serde_json::from_str(&papers.body).expect("a receipt is JSON");
    assert_eq!((text(&paper, "sha256"), text(&paper, "id")), (sha256(&bytes), id.clone()));
    // the signature holds
    let key = world.server.done(&["receipt-key", "show"]);
    let folder = world.server.desk("receipts");
    fs::write(folder.join("signers"), format!("{}\n", text(&key, "allowedSigners"))).expect("the signers");
    fs::write(folder.join("sig"), text(&receipt, "receiptSignature")).expect("the signature");
    let mut verify = Command::new("ssh-keygen");
    verify.args([
        "-Y",
        "verify",
        "-n",
        "postkluis-receipt",
        "-I",
        &text(&key, "identity"),
        "-f",
        "signers",
        "-s",
        "sig",
    ]);
    verify.current_dir(&folder);
    let within = crate::support::programs::PATIENCE;
    finish_with(&mut verify, papers.body.as_bytes(), within).expect_code(0);

    // the answer was lost: the same once more is the same once more, another file is none
    let again = alpha.put(&id, &file, &[]).expect(204);
    assert_eq!(again.header("repr-digest"), Some(digest_field(&bytes).as_str()));
    let other = desk_file(&world, "other.csv", &pattern(2, bytes.len()));
    alpha.put(&id, &other, &[]).expect(409);
    alpha.put(&id, &desk_file(&world, "more.csv", &pattern(1, bytes.len() + 1)), &["Expect:"]);
    assert_eq!((events(&world, "upload-received").len(), events(&world, "upload-started").len()), (1, 1));
    is_received(&world, "data.csv", &bytes);
    is_nowhere_plain(&world, &bytes);
    assert!(world.client(ALPHA).batch("ls -1 receipts/intake\n").text().contains("data.csv.receipt.json"));
    let mails: Vec<_> = fs::read_dir(world.server.mail_folder()).into_iter().flatten().collect();
    assert!(mails.len() <= 1, "one e-mail at most says that it came: {mails:?}");
}

#[test]
fn a_cut_connection_completes_nothing_and_is_gone_on_with() {
    let world = world_with(&[WAITING]);
    let alpha = Robot::new(&world, ALPHA);
    let bytes = pattern(3, LARGE_BYTES);
    let file = desk_file(&world, "large.bin", &bytes);
    for (name, version) in [("one.bin", "--http1.1"), ("two.bin", "--http2")] {
        let id = text(&alpha.announce(name, &format!(", \"size\": {LARGE_BYTES}"), &[]).expect(201).json(), "id");
        let mut slow = curl(&world.server);
        slow.args([version, "--limit-rate", "4M", "--header", &alpha.bearer, "--upload-file"]).arg(&file);
        slow.arg(url(&world.server, &format!("/api/v1/participant-files/{id}/content")));
        let client = OnItsWay::start(&mut slow);
        let arrived = |shown: &Value| shown["sizeBytes"].as_u64().expect("a size");
        eventually("some of it to arrive", || (arrived(&alpha.shown(&id)) > 2 * 1024 * 1024).then_some(()));
        client.kill();
        eventually("the break to be seen", || (alpha.shown(&id)["isOpen"] == false).then_some(()));
        let shown = alpha.shown(&id);
        let came = arrived(&shown);
        assert!((1..LARGE_BYTES as u64).contains(&came), "{shown}");
        assert_eq!(text(&shown, "stage"), "receiving");
        assert!(events(&world, "upload-received").iter().all(|line| !text(line, "note").contains(name)));
        // at another byte than its end: nothing is changed, and the end is said
        let at = usize::try_from(came).expect("a size");
        let rest = desk_file(&world, "rest.bin", &bytes[at - 1..]);
        let wrong = format!("Content-Range: bytes {}-{}/{LARGE_BYTES}", at - 1, LARGE_BYTES - 1);
        let refused = alpha.put(&id, &rest, &[&wrong, version_header(version)]);
        assert_eq!((refused.status, refused.header("upload-offset")), (409, Some(came.to_string().as_str())));
        assert_eq!(arrived(&alpha.shown(&id)), came);
        // a part of it, then the rest
        let part = desk_file(&world, "part.bin", &bytes[at..at + 1000]);
        let range = format!("Content-Range: bytes {at}-{}/{LARGE_BYTES}", at + 999);
        let said = alpha.put(&id, &part, &[&range]).expect(202);
        assert_eq!(said.header("upload-offset"), Some((came + 1000).to_string().as_str()));
        let rest = desk_file(&world, "rest.bin", &bytes[at + 1000..]);
        let range = format!("Content-Range: bytes {}-{}/{LARGE_BYTES}", at + 1000, LARGE_BYTES - 1);
        let whole = format!("Repr-Digest: {}", digest_field(&bytes));
        alpha.put(&id, &rest, &[&range, &whole]).expect(204);
        is_received(&world, name, &bytes);
    }
}

/// A header that changes nothing, so that both versions are asked alike.
fn version_header(version: &str) -> &str {
    if version == "--http1.1" { "X-Asked: 1" } else { "X-Asked: 2" }
}

#[test]
fn what_is_begun_at_one_door_is_gone_on_with_and_withdrawn_at_another() {
    let world = world_with(&[WAITING]);
    let alpha = Robot::new(&world, ALPHA);
    let bytes = pattern(4, 300_000);
    // begun by SFTP, ended by the API
    let half = desk_file(&world, "half.csv", &bytes[..100_000]);
    let client = world.client(ALPHA);
    client.batch(&format!("put {} dropbox/intake/.half.csv\n", half.display())).expect_code(0);
    let id = text(&upload(&world, ".half.csv"), "id");
    assert_eq!(text(&alpha.shown(&id), "stage"), "receiving");
    let rest = desk_file(&world, "rest.csv", &bytes[100_000..]);
    let range = "Content-Range: bytes 100000-299999/300000";
    alpha.put(&id, &rest, &[range]).expect(204);
    assert_eq!(text(&upload(&world, ".half.csv"), "state"), "unfinished", "its name is temporary");
    client.batch("rename dropbox/intake/.half.csv dropbox/intake/half.csv\n").expect_code(0);
    is_received(&world, "half.csv", &bytes);
    // begun by the API, gone on with by SFTP: with fewer bytes than announced it is not whole
    let bytes = pattern(41, 300_000);
    let whole = desk_file(&world, "api.csv", &bytes);
    let id = text(&alpha.announce("api.csv", ", \"size\": 300000", &[]).expect(201).json(), "id");
    let part = desk_file(&world, "part.csv", &bytes[..50_000]);
    alpha.put(&id, &part, &["Content-Range: bytes 0-49999/300000"]).expect(202);
    let short = desk_file(&world, "short.csv", &bytes[..60_000]);
    client.batch(&format!("reput {} dropbox/intake/api.csv\n", short.display())).expect_code(1);
    assert_eq!(text(&upload(&world, "api.csv"), "state"), "unfinished");
    client.batch(&format!("reput {} dropbox/intake/api.csv\n", whole.display())).expect_code(0);
    is_received(&world, "api.csv", &bytes);
    // withdrawn where it did not come in; unfinished ones likewise
    client.batch("rm dropbox/intake/api.csv\n").expect_code(0);
    assert_eq!(text(&alpha.shown(&id), "stage"), "withdrawn");
    let id = alpha.announced("gone.csv");
    client.batch("rm dropbox/intake/gone.csv\n").expect_code(0);
    alpha.put(&id, &whole, &[]).expect(404);
    let id = alpha.announced("deleted.csv");
    let shown = alpha.ask(&format!("/participant-files/{id}"), &["--request", "DELETE"]).expect(200).json();
    assert_eq!(text(&shown, "stage"), "removed");
    assert!(!client.batch("ls -1 dropbox/intake\n").text().contains("deleted.csv"));
}

#[test]
fn a_wrong_digest_or_size_completes_nothing() {
    let world = world_with(&[WAITING]);
    let alpha = Robot::new(&world, ALPHA);
    let bytes = pattern(5, 200_000);
    let file = desk_file(&world, "a.csv", &bytes);
    let mut wrong = bytes.clone();
    wrong[150_000] ^= 1;
    let other = desk_file(&world, "wrong.csv", &wrong);
    let nothing_came = |id: &str| {
        let shown = alpha.shown(id);
        assert_eq!((text(&shown, "stage").as_str(), shown["sizeBytes"].as_u64()), ("receiving", Some(0)), "{shown}");
        assert!(events(&world, "upload-received").is_empty());
    };
    let id =
        text(&alpha.announce("a.csv", &format!(", \"sha256\": \"{}\"", sha256(&bytes)), &[]).expect(201).json(), "id");
    alpha.put(&id, &other, &[]).expect(400);
    nothing_came(&id);
    let content = format!("Content-Digest: {}", digest_field(&bytes));
    alpha.put(&id, &other, &[&content]).expect(400);
    nothing_came(&id);
    let whole = format!("Repr-Digest: {}", digest_field(&wrong));
    alpha.put(&id, &file, &[&whole]).expect(400);
    nothing_came(&id);
    for header in ["Content-Digest: sha-256=abc", "Repr-Digest: sha-256=:AAAA:", "Content-Range: bytes 5-1/9"] {
        alpha.put(&id, &file, &[header]).expect(400);
    }
    alpha.put(&id, &file, &["Content-Encoding: gzip"]).expect(415);
    alpha.put(&id, &file, &["Content-Range: bytes 0-9/10"]).expect(400);
    nothing_came(&id);
    // a request that says nothing of its content has none
    let path = format!("/participant-files/{id}/content");
    alpha.ask(&path, &["--request", "PUT"]).expect(411);
    nothing_came(&id);
    alpha.put(&id, &file, &[&content]).expect(204);
    is_received(&world, "a.csv", &bytes);
    // the size that was said counts, and an empty file is one
    let id = text(&alpha.announce("b.csv", ", \"size\": 10", &[]).expect(201).json(), "id");
    alpha.put(&id, &file, &[]).expect(400);
    alpha.put(&id, &file, &["Transfer-Encoding: chunked", "Content-Length:"]).expect(413);
    assert_eq!(text(&alpha.shown(&id), "stage"), "receiving");
    let id = text(&alpha.announce("empty.csv", ", \"size\": 0", &[]).expect(201).json(), "id");
    alpha.ask(&format!("/participant-files/{id}/content"), &["--request", "PUT", "--data-binary", ""]).expect(204);
    is_received(&world, "empty.csv", b"");
    assert_eq!(events(&world, "upload-received").len(), 2);
}

#[test]
fn a_request_that_is_repeated_with_its_key_makes_one_file() {
    let world = world_with(&[WAITING]);
    let alpha = Robot::new(&world, ALPHA);
    let key = "Idempotency-Key: 2026-11 run 1";
    let first = text(&alpha.announce("a.csv", ", \"size\": 5", &[key]).expect(201).json(), "id");
    let again = alpha.announce("a.csv", ", \"size\": 5", &[key]).expect(201);
    assert_eq!(text(&again.json(), "id"), first);
    alpha.announce("a.csv", ", \"size\": 6", &[key]).expect(422);
    alpha.announce("a.csv", ", \"size\": 5", &[]).expect(409);
    alpha.announce("b.csv", "", &[&format!("Idempotency-Key: {}", "k".repeat(256))]).expect(400);
    // the key of another account is another key
    let second = Robot::new(&world, SECOND);
    let other = text(&second.announce("c.csv", ", \"size\": 5", &[key]).expect(201).json(), "id");
    assert_ne!(other, first);
    assert_eq!(events(&world, "upload-started").len(), 2);
    // also after it was received
    alpha.put(&first, &desk_file(&world, "a.csv", b"12345"), &[]).expect(204);
    let again = alpha.announce("a.csv", ", \"size\": 5", &[key]).expect(201).json();
    assert_eq!((text(&again, "id"), text(&again, "state")), (first, "received".to_owned()));
}

#[test]
fn another_file_takes_its_place_before_it_is_handed_over_and_not_after() {
    let world = world_with(&[WAITING, ("POSTKLUIS_UPLOADS__SETTLE", "0s")]);
    let alpha = Robot::new(&world, ALPHA);
    let id = alpha.announced("a.csv");
    alpha.put(&id, &desk_file(&world, "1.csv", b"first"), &[]).expect(204);
    alpha.announce("a.csv", "", &[]).expect(409);
    let next = text(&alpha.announce("a.csv", ", \"replace\": true", &[]).expect(201).json(), "id");
    assert_eq!(text(&alpha.shown(&next), "fileName"), "a.csv");
    assert_ne!(text(&alpha.shown(&id), "stage"), "replaced", "not before the other one is whole");
    alpha.put(&next, &desk_file(&world, "2.csv", b"second"), &[]).expect(204);
    assert_eq!(text(&alpha.shown(&id), "stage"), "replaced");
    let shown = alpha.shown(&next);
    assert_eq!((text(&shown, "name"), text(&shown, "sha256")), ("a.csv".to_owned(), sha256(b"second")));
    let collected = world.server.desk("collected").display().to_string();
    eventually("it to be accepted", || (text(&alpha.shown(&next), "stage") == "accepted").then_some(()));
    world.server.done(&["upload", "collect", &next, "--to", &collected]);
    alpha.announce("a.csv", ", \"replace\": true", &[]).expect(409);
    assert_eq!(events(&world, "upload-replaced").len(), 1);
}

#[test]
fn nobody_reaches_what_is_not_theirs() {
    let world = world_with(&[WAITING]);
    let (alpha, second, beta) = (Robot::new(&world, ALPHA), Robot::new(&world, SECOND), Robot::new(&world, BETA));
    let file = desk_file(&world, "a.csv", b"of alpha");
    let id = alpha.announced("a.csv");
    let path = format!("/participant-files/{id}");
    let made_up = "/participant-files/0b9d6f7e-1111-4222-8333-0123456789ab";
    let strange = |robot: &Robot<'_>, path: &str| {
        let said = robot.ask(path, &[]);
        let put = robot.ask(&format!("{path}/content"), &["--upload-file", file.to_str().expect("a path")]);
        let gone = robot.ask(path, &["--request", "DELETE"]);
        [said, put, gone].map(|said| (said.status, said.body.replace(path, "THERE")))
    };
    assert_eq!(strange(&beta, &path), strange(&beta, made_up), "another organisation's is not there");
    assert_eq!(strange(&beta, &path)[0].0, 404);
    // a colleague sees it, as in the drop-box, and changes nothing
    assert_eq!(strange(&second, &path).map(|(status, _)| status), [200, 403, 403]);
    let nobody =
        ask(&world.server, &format!("/api/v1{path}/content"), &["--upload-file", file.to_str().expect("a path")]);
    assert_eq!(nobody.status, 401);
    for (product, status) in [("wages", 404), ("none-such", 404)] {
        let json = format!("{{\"product\": \"{product}\", \"fileName\": \"a.csv\"}}");
        let said = alpha.ask("/participant-files", &["--header", "Content-Type: application/json", "--data", &json]);
        assert_eq!(said.status, status, "{said:?}");
    }
    // clients of nobody
    let named = ask(
        &world.server,
        "/api/v1/clients/beta/participant-files",
        &[
            "--header",
            &alpha.bearer,
            "--header",
            "Content-Type: application/json",
            "--data",
            &format!("{{\"product\": \"{INTAKE}\", \"fileName\": \"b.csv\"}}"),
        ],
    );
    assert_eq!(named.status, 404, "{named:?}");
    assert_eq!((uploads(&world, "a.csv").len(), uploads(&world, "b.csv").len()), (1, 0));
    // a right that goes, and a block, stop what is on its way
    world.server.done(&["right", "decouple", "--account", ALPHA, "--product", INTAKE]);
    alpha.put(&id, &file, &[]).expect(404);
    world.server.done(&["right", "couple", "--account", ALPHA, "--product", INTAKE]);
    let large = desk_file(&world, "large.bin", &pattern(6, LARGE_BYTES));
    let mut slow = curl(&world.server);
    slow.args(["--limit-rate", "2M", "--header", &alpha.bearer, "--write-out", "%{http_code}", "--upload-file"])
        .arg(&large);
    let client = OnItsWay::start(slow.arg(url(&world.server, &format!("/api/v1{path}/content"))));
    eventually("some of it", || (alpha.shown(&id)["sizeBytes"].as_u64() > Some(1_000_000)).then_some(()));
    world.server.done(&["account", "block", ALPHA, "--reason", "test"]);
    let begun = std::time::Instant::now();
    client.ended();
    assert!(begun.elapsed() < std::time::Duration::from_secs(5), "within 5 s (J6): {:?}", begun.elapsed());
    assert_eq!(text(&upload(&world, "a.csv"), "state"), "unfinished");
    alpha.put(&id, &file, &[]).expect(403);
    // what trickles in is sealed as it comes, not when a piece is full: that would be after 100 s; and goes on no more
    world.server.done(&["account", "unblock", ALPHA]);
    let id = alpha.announced("trickle.csv");
    let mut slow = curl(&world.server);
    slow.args(["--header", &alpha.bearer, "--upload-file", "-"]);
    slow.arg(url(&world.server, &format!("/api/v1/participant-files/{id}/content")));
    let mut fed = std::process::Command::new("sh");
    fed.args(["-c", "while head -c 500 /dev/zero; do sleep 0.2; done | \"$@\"", "sh"]).arg(slow.get_program());
    let begun = std::time::Instant::now();
    let client = OnItsWay::start(fed.args(slow.get_args()));
    eventually("some of it", || (alpha.shown(&id)["sizeBytes"].as_u64() > Some(0)).then_some(()));
    assert!(begun.elapsed() < std::time::Duration::from_secs(30), "{:?}", begun.elapsed());
    world.server.done(&["account", "block", ALPHA, "--reason", "test"]);
    let begun = std::time::Instant::now();
    eventually("it to be closed", || (upload(&world, "trickle.csv")["isOpen"] == false).then_some(()));
    assert!(begun.elapsed() < std::time::Duration::from_secs(5), "within 5 s (J6): {:?}", begun.elapsed());
    client.ended();
    assert!(events(&world, "upload-received").is_empty());
}

#[test]
fn names_and_sizes_that_cannot_be_are_told_all_at_once_and_kept_nowhere() {
    let world = world_with(&[
        WAITING,
        ("POSTKLUIS_UPLOADS__MAX_FILE_BYTES", "1 MiB"),
        ("POSTKLUIS_UPLOADS__MAX_ACCOUNT_BYTES", "1536 KiB"),
        ("POSTKLUIS_UPLOADS__MAX_UNFINISHED_PER_ACCOUNT", "4"),
    ]);
    let alpha = Robot::new(&world, ALPHA);
    for name in [
        "../../etc/passwd",
        "..",
        ".",
        "a/b.csv",
        "a\\\\b.csv",
        "con\\u0000.csv",
        "a\\nb",
        "-rf",
        "a.csv.part",
        ".hidden.csv",
        "a.csv.done",
        "a:b",
        "",
        "a.",
        "caf\u{e9}\\u202egpj.exe",
    ] {
        let said = alpha.announce(name, "", &[]).expect(400);
        assert!(
            said.header("content-type").is_some_and(|kind| kind.starts_with("application/problem+json")),
            "{said:?}"
        );
    }
    alpha.announce(&"x".repeat(201), "", &[]).expect(400);
    let both = alpha.announce("a/b", ", \"sha256\": \"12\"", &[]).expect(400);
    assert!(both.body.contains("SHA-256") && both.body.contains("1 to 200"), "{both:?}");
    alpha.announce("a.csv", ", \"owner\": 1", &[]).expect(400);
    alpha.announce("a.csv", ", \"size\": -1", &[]).expect(400);
    alpha.announce("a.csv", ", \"size\": 2000000", &[]).expect(413);
    alpha.ask("/participant-files", &["--data", "product=intake&fileName=a.csv"]).expect(400);
    assert!(world.server.done(&["upload", "list"]).as_array().expect("a list").is_empty());
    // more than is allowed comes all the same
    let id = alpha.announced("large.csv");
    let large = desk_file(&world, "large.csv", &pattern(7, 1_100_000));
    alpha.put(&id, &large, &["Transfer-Encoding: chunked", "Expect:"]).expect(413);
    let fits = desk_file(&world, "fits.csv", &pattern(7, 1_000_000));
    alpha.put(&id, &fits, &[]).expect(204);
    // the account has no more room
    alpha.announce("b.csv", ", \"size\": 1000000", &[]).expect(429);
    let id = alpha.announced("b.csv");
    alpha.put(&id, &fits, &[]).expect(429);
    assert_eq!(text(&upload(&world, "b.csv"), "state"), "unfinished");
    for number in 0..3 {
        alpha.announced(&format!("n{number}.csv"));
    }
    alpha.announce("n4.csv", "", &[]).expect(429);
    assert_eq!(events(&world, "upload-received").len(), 1);
}

#[test]
fn an_intermediary_brings_it_for_the_client_in_the_path() {
    let world = world_with(&[WAITING]);
    organisation(&world.server, "bureau", &[]);
    robot(&world.server, "bureau", &[]);
    let login = robot_login("bureau");
    world.server.done(&["mandate", "add", "--intermediary", "bureau", "--for", "alpha", "--product", INTAKE]);
    world.server.done(&["right", "couple", "--account", &login, "--product", INTAKE, "--for", "alpha"]);
    let mut bureau = Robot { world: &world, bearer: bearer(&world, &login), base: "/api/v1/clients/alpha".to_owned() };
    let made = bureau.announce("a.csv", "", &[]).expect(201);
    let id = text(&made.json(), "id");
    assert_eq!(made.header("location"), Some(format!("/api/v1/clients/alpha/participant-files/{id}").as_str()));
    let done =
        bureau.put(&id, &desk_file(&world, "a.csv", b"of alpha"), &["Prefer: return=representation"]).expect(200);
    let receipt: Value = serde_json::from_str(&text(&done.json(), "receipt")).expect("a receipt");
    assert_eq!(
        (text(&receipt, "organisation"), text(&receipt, "onBehalfOf")),
        ("bureau".to_owned(), "alpha".to_owned())
    );
    assert_eq!(text(&upload(&world, "a.csv"), "organisation"), "alpha");
    // beside the client there is nothing
    for base in ["/api/v1", "/api/v1/clients/beta", "/api/v1/clients/nobody"] {
        bureau.base = base.to_owned();
        bureau.announce("b.csv", "", &[]).expect(404);
        bureau.ask(&format!("/participant-files/{id}"), &[]).expect(404);
        bureau.put(&id, &desk_file(&world, "a.csv", b"of alpha"), &[]).expect(404);
    }
    assert!(uploads(&world, "b.csv").is_empty());
}
