//! Fetching by `curl`: lists, whole files, ranges, conditions and resumes as RFC 9110
//! and RFC 9530 have them, and who is refused how. SFTP is elsewhere.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::fetch_stage::{ALPHA, BETA, LARGE_BYTES, OnItsWay, World, eventually, pattern, same, size, text};
use crate::support::clients::curl;
use crate::support::programs::finish;

/// An answer as `curl` got it; names of headers in lower case.
struct Reply {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Reply {
    #[track_caller]
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name} in {:?}", self.headers))
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("no JSON document: {error}"))
    }

    /// Fails unless it is a problem document (RFC 9457) of this status.
    #[track_caller]
    fn is_problem(&self, status: u16) {
        let shown = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{shown}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.json().get("status"), Some(&status.into()), "{shown}");
    }

    /// Everything but the time of day.
    fn without_date(mut self) -> (u16, BTreeMap<String, String>, Vec<u8>) {
        self.headers.remove("date");
        (self.status, self.headers, self.body)
    }
}

/// Asks with more arguments of `curl`.
#[track_caller]
fn ask(world: &World, token: Option<&str>, path: &str, arguments: &[&str]) -> Reply {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let file = world.server.desk("answers").join(ASKED.fetch_add(1, Ordering::Relaxed).to_string());
    let (body, bearer) = (file.display().to_string(), format!("Authorization: Bearer {}", token.unwrap_or_default()));
    let mut all = vec!["--output", &body, "--dump-header", "-"];
    if token.is_some() {
        all.extend(["--header", &bearer]);
    }
    all.extend(arguments);
    let head = curl(&world.server, path, &all).expect_code(0).text();
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
    let headers = lines.filter_map(|line| line.split_once(": "));
    Reply {
        status: status.unwrap_or_else(|| panic!("no status: {head}")),
        headers: headers.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())).collect(),
        // Without a body no file is made.
        body: fs::read(&file).unwrap_or_default(),
    }
}

#[track_caller]
fn token(world: &World, login: &str) -> String {
    text(&world.server.done(&["token", "add", "--account", login]), "secret")
}

fn content(id: &str, file: usize) -> String {
    format!("/api/v1/deliveries/{id}/files/{file}/content")
}

/// `sha-256=:…:` (RFC 9530) of what `sha256sum` says about these bytes.
#[track_caller]
fn digest_field(world: &World, bytes: &[u8]) -> String {
    let file = world.server.desk("digests").join("bytes");
    fs::write(&file, bytes).expect("a file");
    let said = finish(Command::new("sha256sum").arg(&file)).expect_code(0).text();
    let digest = data_encoding::HEXLOWER.decode(said.split(' ').next().expect("a digest").as_bytes()).expect("hex");
    format!("sha-256=:{}:", data_encoding::BASE64.encode(&digest))
}

/// A world with one file in one delivery, and a token of who may fetch it.
fn world(size: usize) -> (World, String, String) {
    let mut world = World::start();
    let id = world.publish("wages", &[("salaries.csv", pattern(1, size))]);
    let token = token(&world, ALPHA);
    (world, id, token)
}

#[test]
fn everything_listed_is_fetched_and_has_the_digest_it_promises() {
    let mut world = World::start();
    world.publish("wages", &[("salaries.csv", pattern(1, 3_000_007)), ("empty.txt", Vec::new())]);
    world.publish("wages", &[("one.bin", pattern(2, 1))]);
    world.publish("letters", &[("letter.txt", b"Dear reader,\n".to_vec())]);
    let token = token(&world, ALPHA);
    let mut listed = Vec::new();
    let mut next = Some("/api/v1/deliveries?limit=1".to_owned());
    // Page by page, as the links lead.
    while let Some(path) = next {
        let page = ask(&world, Some(&token), &path, &[]);
        assert_eq!(page.status, 200);
        listed.extend(page.json().get("deliveries").and_then(Value::as_array).expect("deliveries").clone());
        let link = page.headers.get("link");
        next = link.map(|link| link.split(['<', '>']).nth(1).expect("a link").to_owned());
        assert!(listed.len() <= world.deliveries.len(), "{listed:?}");
    }
    let mut ids: Vec<String> = listed.iter().map(|delivery| text(delivery, "id")).collect();
    ids.sort_unstable();
    let mut wanted = world.deliveries.clone();
    wanted.sort_unstable();
    assert_eq!(ids, wanted);
    let mut given = 0;
    for delivery in &listed {
        for file in delivery.get("files").and_then(Value::as_array).expect("files") {
            let name = text(file, "fileName");
            let bytes = &world.given.iter().find(|given| given.name == name).expect("a file that was given").bytes;
            for protocol in ["--http1.1", "--http2"] {
                let reply = ask(&world, Some(&token), &text(file, "contentUri"), &[protocol]);
                assert_eq!((reply.status, &reply.body == bytes), (200, true), "{name} {protocol}");
                assert_eq!(reply.header("content-length"), bytes.len().to_string());
                let digest = digest_field(&world, bytes);
                assert_eq!(reply.header("repr-digest"), digest);
                assert_eq!(reply.header("content-digest"), digest);
                assert!(reply.header("content-disposition").contains(&name));
            }
            given += 1;
        }
        let id = text(delivery, "id");
        let slip = ask(&world, Some(&token), &format!("/api/v1/deliveries/{id}/packing-slip"), &[]);
        assert_eq!((slip.status, slip.header("content-type")), (200, "application/json"));
        assert!(slip.json().is_object());
        world.becomes_fetched(&id);
    }
    assert_eq!(given, world.given.len());
}

#[test]
fn ranges_are_answered_as_rfc_9110_has_them() {
    let size = 200_003;
    let (world, id, token) = world(size);
    let (path, bytes) = (content(&id, 1), &world.given[0].bytes);
    let whole = digest_field(&world, bytes);
    for protocol in ["--http1.1", "--http2"] {
        for (range, from, to) in [
            ("0-0", 0, 1),
            ("0-99", 0, 100),
            ("65530-65545", 65_530, 65_546),
            ("131072-131072", 131_072, 131_073),
            ("200002-", 200_002, size),
            ("-5", size - 5, size),
            ("-999999", 0, size),
            ("199000-999999", 199_000, size),
        ] {
            let reply = ask(&world, Some(&token), &path, &[protocol, "--range", range]);
            let part = bytes.get(from..to).expect("a part");
            assert_eq!((reply.status, reply.body == part), (206, true), "{range}: {} bytes", reply.body.len());
            assert_eq!(reply.header("content-range"), format!("bytes {from}-{}/{size}", to - 1));
            assert_eq!(reply.header("content-length"), part.len().to_string());
            assert_eq!(reply.header("content-digest"), digest_field(&world, part));
            assert_eq!(reply.header("repr-digest"), whole);
        }
        for range in ["bytes=200003-", "bytes=200003-200009", "bytes=-0", "bytes=99999999999999999999999-"] {
            let reply = ask(&world, Some(&token), &path, &[protocol, "--header", &format!("Range: {range}")]);
            reply.is_problem(416);
            assert_eq!(reply.header("content-range"), format!("bytes */{size}"));
        }
        // A server may ignore several ranges, and must ignore what is malformed or in another unit.
        for range in ["bytes=0-1,5-9", "bytes=5-2", "bytes=a-b", "bytes", "lines=1-2", "bytes=--1"] {
            let reply = ask(&world, Some(&token), &path, &[protocol, "--header", &format!("Range: {range}")]);
            assert_eq!((reply.status, &reply.body == bytes), (200, true), "{range}");
        }
    }
}

#[test]
fn ranges_that_together_are_the_file_make_it_fetched() {
    let (world, id, token) = world(200_003);
    let mut got = Vec::new();
    for (range, progress) in [("150000-", "started"), ("0-99999", "started"), ("100000-149999", "fetched")] {
        let reply = ask(&world, Some(&token), &content(&id, 1), &["--range", range]);
        assert_eq!(reply.status, 206);
        got.push(reply.body);
        world.ended(&id, got.len());
        assert_eq!(world.progress(&id), progress, "after {range}");
    }
    got.rotate_left(1);
    assert!(got.concat() == world.given[0].bytes);
    world.becomes_fetched(&id);
}

#[test]
fn conditions_are_judged_by_the_strong_etag() {
    let (world, id, token) = world(70_001);
    let (path, bytes) = (content(&id, 1), &world.given[0].bytes);
    let asked = |headers: &[&str]| {
        let arguments: Vec<&str> = headers.iter().flat_map(|header| ["--header", header]).collect();
        ask(&world, Some(&token), &path, &arguments)
    };
    let head = ask(&world, Some(&token), &path, &["--head"]);
    assert_eq!((head.status, head.header("content-length")), (200, "70001"));
    assert_eq!(head.header("repr-digest"), digest_field(&world, bytes));
    assert_eq!(head.header("accept-ranges"), "bytes");
    let (etag, date) = (head.header("etag").to_owned(), head.header("last-modified").to_owned());
    assert!(etag.starts_with('"') && etag.ends_with('"') && etag.len() > 2, "a strong one: {etag}");

    for known in [etag.as_str(), &format!("W/{etag}"), &format!("\"x\", {etag}"), "*"] {
        let reply = asked(&[&format!("If-None-Match: {known}")]);
        assert_eq!((reply.status, reply.body.len(), reply.header("etag")), (304, 0, etag.as_str()), "{known}");
    }
    assert_eq!(asked(&[&format!("If-Modified-Since: {date}")]).status, 304);
    asked(&["If-Match: \"stale\""]).is_problem(412);
    asked(&["If-Unmodified-Since: Thu, 01 Jan 1998 00:00:00 GMT"]).is_problem(412);
    assert_eq!(world.progress(&id), "published", "nothing of the file has left so far");
    assert!(world.events(&id, "fetch-started").is_empty());

    assert_eq!(asked(&["If-None-Match: \"stale\""]).status, 200);
    assert_eq!(asked(&[&format!("If-Match: {etag}")]).status, 200);
    for right in [&etag, &date] {
        let reply = asked(&["Range: bytes=1000-1999", &format!("If-Range: {right}")]);
        assert_eq!((reply.status, reply.body == bytes[1_000..2_000]), (206, true), "{right}");
    }
    for stale in ["\"stale\"", &format!("W/{etag}"), "Thu, 01 Jan 1998 00:00:00 GMT"] {
        let reply = asked(&["Range: bytes=1000-1999", &format!("If-Range: {stale}")]);
        assert_eq!((reply.status, &reply.body == bytes), (200, true), "the whole file, not a part of another: {stale}");
    }
}

#[test]
fn a_cut_download_is_only_started_and_curl_resumes_it() {
    for protocol in ["--http1.1", "--http2"] {
        let (world, id, token) = world(LARGE_BYTES);
        let local = world.server.desk("fetched").join("salaries.csv");
        let bearer = format!("Authorization: Bearer {token}");
        let url = format!("https://localhost:{}{}", world.server.address("https").port(), content(&id, 1));
        let command = |arguments: &[&str]| {
            let mut command = Command::new("curl");
            command.args(["--silent", "--show-error", "--fail", protocol, "--cacert"]).arg(world.server.certificate());
            command.args(["--header", &bearer, "--output"]).arg(&local).args(arguments).arg(&url);
            command
        };
        let slow = OnItsWay::start(&mut command(&["--limit-rate", "2M"]));
        eventually("a part of the file", || (size(&local) >= 1024 * 1024).then_some(()));
        slow.kill();
        let had = fs::read(&local).expect("a part").len();
        assert!(had < LARGE_BYTES, "the whole file came before curl was killed");
        same(&local, &world.given[0].bytes[..had]);
        let bytes = |line: &Value| line.get("bytes").and_then(Value::as_u64).expect("bytes");
        let sent = bytes(&world.ended(&id, 1)[0]);
        assert!(size(&local) <= sent && sent < world.given[0].bytes.len() as u64, "{sent} bytes are said to have left");
        assert_eq!(world.progress(&id), "started");
        assert!(world.events(&id, "file-fetched").is_empty() && world.events(&id, "file-released").is_empty());

        finish(&mut command(&["--continue-at", "-"])).expect_code(0);
        same(&local, &world.given[0].bytes);
        world.becomes_fetched(&id);
        assert_eq!(bytes(&world.ended(&id, 2)[1]), (LARGE_BYTES - had) as u64, "only the rest was sent again");
    }
}

#[test]
fn without_a_good_token_there_is_one_answer() {
    let world = World::start_with(&[("POSTKLUIS_LOGGING__LEVEL", "trace")]);
    let good = token(&world, ALPHA);
    let made = world.server.done(&["token", "add", "--account", ALPHA]);
    let (revoked, revoked_id) = (text(&made, "secret"), text(&made, "id"));
    let list = "/api/v1/deliveries";
    assert_eq!(ask(&world, Some(&revoked), list, &[]).status, 200);
    world.server.done(&["token", "revoke", &revoked_id]);

    let missing = ask(&world, None, list, &[]);
    missing.is_problem(401);
    assert_eq!(missing.header("www-authenticate"), "Bearer realm=\"postkluis\"");
    let mut flipped = good.clone();
    let last = if flipped.pop() == Some('A') { 'B' } else { 'A' };
    flipped.push(last);
    let first = ask(&world, Some("pk_wrong"), list, &[]);
    first.is_problem(401);
    assert!(first.header("www-authenticate").contains("error=\"invalid_token\""));
    let wanted = first.without_date();
    // Fewer than the twenty after which an address has to wait.
    for wrong in [revoked.as_str(), &flipped, &good.to_uppercase(), "", &"x".repeat(5_000)] {
        assert!(ask(&world, Some(wrong), list, &[]).without_date() == wanted, "{wrong:?} is refused otherwise");
    }
    for header in [format!("Authorization: Basic {good}"), format!("Authorization: {good}"), format!("Cookie: {good}")]
    {
        ask(&world, None, list, &["--header", &header]).is_problem(401);
    }
    ask(&world, None, &format!("{list}?access_token={good}"), &[]).is_problem(401);
    assert_eq!(ask(&world, Some(&good), list, &[]).status, 200, "the good one still opens");
    let (log, history) = (world.log(), world.server.done(&["history", "list"]).to_string());
    for secret in [&good, &revoked, &flipped] {
        assert!(!log.contains(secret.as_str()) && !history.contains(secret.as_str()), "a token was written down");
    }
}

#[test]
fn a_foreign_delivery_is_as_unknown_as_one_that_never_was() {
    let (world, id, alpha) = world(1_000);
    let (own, _) = world.publish_to("beta", "wages", &[("own.csv", b"own".to_vec())]);
    let beta = token(&world, BETA);
    let listed = ask(&world, Some(&beta), "/api/v1/deliveries", &[]).json();
    let listed: Vec<String> =
        listed.get("deliveries").and_then(Value::as_array).expect("a list").iter().map(|row| text(row, "id")).collect();
    assert_eq!(listed, [own.as_str()]);
    let never = "00000000-0000-4000-8000-000000000000";
    for rest in ["", "/packing-slip", "/fetches", "/files/1", "/files/1/content", "/files/2", "/files/2/content"] {
        let of = |id: &str| format!("/api/v1/deliveries/{id}{rest}");
        for more in [&[][..], &["--range", "0-9"], &["--http1.1"]] {
            let foreign = ask(&world, Some(&beta), &of(&id), more);
            foreign.is_problem(404);
            assert!(foreign.without_date() == ask(&world, Some(&beta), &of(never), more).without_date(), "{rest}");
        }
        let (foreign, nowhere) = (of(&id), of(never));
        let heads = [foreign, nowhere].map(|path| {
            let head = ask(&world, Some(&beta), &path, &["--head"]);
            assert_eq!(head.status, 404);
            let (status, headers, _) = head.without_date();
            (status, headers)
        });
        assert_eq!(heads[0], heads[1], "{rest}");
        if !rest.contains('2') {
            assert_eq!(ask(&world, Some(&alpha), &of(&id), &[]).status, 200, "{rest} is there for who may");
        }
    }
    let history = ask(&world, Some(&beta), "/api/v1/history", &[]);
    assert_eq!(history.status, 200);
    assert!(!String::from_utf8_lossy(&history.body).contains(&id));
    ask(&world, Some(&beta), &format!("/api/v1/history?delivery={id}"), &[]).is_problem(404);
    ask(&world, Some(&beta), "/api/v1/organisations/alpha", &[]).is_problem(404);
    let told = world.server.done(&["history", "list", "--delivery", &id]).to_string();
    assert!(!told.contains(BETA), "{told}");

    // Nothing but the routes is there, and nothing but reading.
    for path in
        ["/etc/passwd", "/api/v1/../../etc/passwd", "/api/v1/deliveries/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd"]
    {
        ask(&world, Some(&alpha), path, &["--path-as-is"]).is_problem(404);
    }
    for file in ["0", "01", "+1", "2", "99999999999999999999", "..%2f1"] {
        ask(&world, Some(&alpha), &format!("/api/v1/deliveries/{id}/files/{file}/content"), &[]).is_problem(404);
    }
    // Content that nobody asked for costs no client the answer.
    for protocol in ["--http1.1", "--http2"] {
        for method in ["PUT", "POST", "DELETE", "PATCH"] {
            let arguments = [protocol, "--request", method, "--data", "x"];
            let reply = ask(&world, Some(&alpha), &content(&id, 1), &arguments);
            reply.is_problem(405);
            assert_eq!(reply.header("allow"), "GET, HEAD");
            ask(&world, Some(&alpha), "/nothing", &arguments).is_problem(404);
        }
        let arguments = [protocol, "--request", "GET", "--data", "x"];
        ask(&world, None, "/api/v1/deliveries", &arguments).is_problem(401);
        assert_eq!(ask(&world, Some(&alpha), &content(&id, 1), &arguments).status, 200);
    }
}
