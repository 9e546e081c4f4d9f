//! Acceptance test 15 with real clients (J6): a blocked account cannot sign in by SFTP, token or portal;
//! its sessions, upload and download are cut within five seconds; mail about it stops; and what was
//! unfinished goes on when the block is lifted.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use totp_rs::{Algorithm, Builder};

use crate::fetch_stage::{ALPHA, LARGE_BYTES, OnItsWay, SECOND, World, eventually, pattern, text};
use crate::support::clients::curl;
use crate::support::server::Server;
use crate::upload_stage::{INTAKE, events, is_received, local, upload, uploads, world_with};

/// The promise of J6.
const CUT_WITHIN: Duration = Duration::from_secs(5);
const NAME: &str = "large.bin";
const ANNE: &str = "anne@alpha.example";

/// Looks until it is so, and fails when that takes longer than J6 allows.
#[track_caller]
fn within(what: &str, begun: Instant, is_so: impl Fn() -> bool) {
    while !is_so() {
        assert!(begun.elapsed() < CUT_WITHIN, "after {} s: {what}", begun.elapsed().as_secs());
    }
}

/// The first text between two marks.
#[track_caller]
fn between<'a>(page: &'a str, before: &str, after: &str) -> &'a str {
    let rest = page.split_once(before).unwrap_or_else(|| panic!("no {before} in {page}")).1;
    rest.split_once(after).unwrap_or_else(|| panic!("no {after} in {page}")).0
}

/// A person who is signed in to the portal; the arguments that make `curl` her browser.
fn portal_session(server: &Server) -> [String; 4] {
    server.done(&["account", "add", ANNE, "--organisation", "alpha", "--kind", "person"]);
    let link = text(&server.done(&["account", "link", ANNE]), "link").to_owned();
    let path = format!("/account/{}", link.split_once("/account/").expect("a link").1);
    let ask = |path: &str, arguments: &[&str]| {
        curl(server, path, &[&["--include"], arguments].concat()).expect_code(0).text()
    };
    let password = "een+lange+zin+die+niemand+raadt";
    let page = ask(&path, &["--data", &format!("password={password}&again={password}")]);
    let secret = between(&page, "<code class=\"key\">", "</code>").replace(' ', "");
    let secret = data_encoding::BASE32_NOPAD.decode(secret.as_bytes()).expect("a secret");
    let app = Builder::new().with_algorithm(Algorithm::SHA1).with_secret(secret).build().expect("an app");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("the time").as_secs();
    let page = ask(&format!("{path}/app"), &["--data", &format!("code={}", app.generate(now))]);
    let recovery = between(&page, "<li><code>", "</code>").to_owned();
    let jar = server.desk("browser").join("cookies").display().to_string();
    let browser = ["--cookie".to_owned(), jar.clone(), "--cookie-jar".to_owned(), jar];
    let as_her = |path: &str, data: &str| {
        let arguments: Vec<&str> = browser.iter().map(String::as_str).chain(["--data", data]).collect();
        ask(path, &arguments)
    };
    as_her("/sign-in", &format!("email={}&password={password}", ANNE.replace('@', "%40")));
    let entered = as_her("/sign-in/code", &format!("code={recovery}"));
    assert!(entered.starts_with("HTTP/2 303") && entered.contains("location: /"), "{entered}");
    browser
}

fn as_browser(server: &Server, browser: &[String], path: &str) -> String {
    let arguments: Vec<&str> = ["--include"].into_iter().chain(browser.iter().map(String::as_str)).collect();
    curl(server, path, &arguments).expect_code(0).text()
}

fn block(world: &World, login: &str) -> Instant {
    world.server.done(&["account", "block", login, "--reason", "vermoeden van misbruik"]);
    Instant::now()
}

#[test]
fn a_blocked_account_is_out_by_every_door_and_its_upload_waits_for_it() {
    let mut world = world_with(&[("POSTKLUIS_SIGN_IN__PASSWORD_MEMORY", "64 KiB")]);
    world.publish("wages", &[("a.csv", b"salaries".to_vec())]);
    let client = world.client(ALPHA);
    let token = world.server.done(&["token", "add", "--account", ALPHA]);
    let bearer = format!("Authorization: Bearer {}", text(&token, "secret"));
    let ask = |world: &World| {
        curl(&world.server, "/api/v1/products", &["--include", "--header", &bearer]).expect_code(0).text()
    };
    assert!(ask(&world).contains(" 200"));

    let bytes = pattern(5, LARGE_BYTES);
    let from = local(&world, NAME, &bytes);
    let mut slow = Command::new("sftp");
    slow.args(["-l", "16000", "-F"]).arg(client.config()).args(["-b", "-", "vault"]).current_dir(client.folder());
    let mut slow = OnItsWay::start(&mut slow);
    slow.tell(&format!("put {} dropbox/{INTAKE}/", from.display()));
    let size = |row: &Value| row.get("sizeBytes").and_then(Value::as_u64).expect("a size");
    eventually("a part of the upload", || uploads(&world, NAME).first().map(size).filter(|size| *size > 1_000_000));

    let begun = block(&world, ALPHA);
    let live = || world.server.done(&["session", "list"]).as_array().expect("a list").len();
    within("the session goes on", begun, || live() == 0);
    within("the upload is open", begun, || upload(&world, NAME).get("isOpen").and_then(Value::as_bool) == Some(false));
    assert!(!slow.ended().success());
    let refused = client.batch("ls\n").expect_code(255);
    assert!(refused.stderr.contains("Permission denied"), "{}", refused.stderr);
    let answer = ask(&world);
    assert!(answer.contains(" 403") && answer.contains("urn:postkluis:problem:blocked"), "{answer}");
    // nothing of it is handed in, and a colleague neither reads it nor goes on with it
    assert_eq!(text(&upload(&world, NAME), "state"), "unfinished");
    let second = world.client(SECOND);
    second.batch(&format!("get dropbox/{INTAKE}/{NAME} taken.bin\n")).expect_code(1);
    second.batch(&format!("reput {} dropbox/{INTAKE}/{NAME}\n", from.display())).expect_code(1);
    second.batch(&format!("rename dropbox/{INTAKE}/{NAME} dropbox/{INTAKE}/other.bin\n")).expect_code(1);
    assert_eq!(text(&upload(&world, NAME), "state"), "unfinished");
    assert!(events(&world, "upload-received").is_empty());

    world.server.done(&["account", "unblock", ALPHA]);
    client.batch(&format!("reput {} dropbox/{INTAKE}/\n", from.display())).expect_code(0);
    is_received(&world, NAME, &bytes);
    assert!(ask(&world).contains(" 200"));
}

#[test]
fn a_download_that_runs_and_one_that_stands_still_are_cut() {
    let mut world = World::start();
    let id = world.publish("wages", &[(NAME, vec![7; LARGE_BYTES])]);
    let token = world.server.done(&["token", "add", "--account", ALPHA]);
    let bearer = format!("Authorization: Bearer {}", text(&token, "secret"));
    // slow enough that the server mostly waits for the client: without a look it would wait for a minute
    for (http, rate) in [("--http1.1", "20k"), ("--http2", "20k"), ("--http1.1", "2M")] {
        let ended = world.events(&id, "fetch-ended").len();
        let into = world.server.desk("fetched").join("part.bin");
        let _ = fs::remove_file(&into);
        let mut command = Command::new("curl");
        command.args([http, "--silent", "--max-time", "60", "--limit-rate", rate, "--cacert"]);
        command.arg(world.server.certificate()).args(["--header", &bearer, "--output"]).arg(&into);
        let port = world.server.address("https").port();
        command.arg(format!("https://localhost:{port}/api/v1/deliveries/{id}/files/1/content"));
        let mut downloading = command.spawn().expect("curl");
        eventually("a download that runs", || fs::metadata(&into).is_ok_and(|file| file.len() > 0).then_some(()));
        let begun = block(&world, ALPHA);
        within("the download goes on", begun, || world.events(&id, "fetch-ended").len() > ended);
        // what its own machine holds already it may still read
        downloading.kill().expect("curl");
        downloading.wait().expect("curl");
        assert_ne!(world.progress(&id), "fetched");
        world.server.done(&["account", "unblock", ALPHA]);
    }
}

#[test]
fn a_portal_session_of_a_blocked_person_ends_and_links_and_mail_with_it() {
    let world = world_with(&[("POSTKLUIS_SIGN_IN__PASSWORD_MEMORY", "64 KiB")]);
    let server = &world.server;
    let browser = portal_session(server);
    assert!(as_browser(server, &browser, "/start").starts_with("HTTP/2 200"));
    let begun = block(&world, ANNE);
    let page = as_browser(server, &browser, "/start");
    assert!(page.starts_with("HTTP/2 303") && page.contains("location: /sign-in"), "{page}");
    within("the end of the session is not on record", begun, || !events(&world, "signed-out").is_empty());
    // neither the password nor a link lets her in again
    let form = format!("email={}&password=een+lange+zin+die+niemand+raadt", ANNE.replace('@', "%40"));
    let arguments = ["--include", "--data", &form];
    let first = curl(server, "/sign-in", &arguments).expect_code(0).text();
    assert!(!first.contains("__Host-postkluis=;") && events(&world, "signed-in").len() == 1, "{first}");
    let link = text(&server.done(&["account", "link", ANNE]), "link").to_owned();
    let path = format!("/account/{}", link.split_once("/account/").expect("a link").1);
    assert!(curl(server, &path, &["--include"]).expect_code(0).text().starts_with("HTTP/2 410"));
}

#[test]
fn the_operator_says_who_is_told() {
    let world = World::start();
    let server = &world.server;
    for (email, arguments) in [(ANNE, &[][..]), ("bert@alpha.example", &["--administrator"])] {
        let add = ["account", "add", email, "--organisation", "alpha", "--kind", "person"];
        server.done(&[&add[..], arguments].concat());
    }
    let letters = |what: &str| {
        let mut found: Vec<String> = Vec::new();
        for entry in
            fs::read_dir(server.mail_folder()).map(|entries| entries.flatten().collect::<Vec<_>>()).unwrap_or_default()
        {
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            if text.contains(what) {
                found.push(text.lines().find(|line| line.starts_with("To: ")).unwrap_or_default().to_owned());
            }
        }
        found.sort();
        found
    };
    let reason = ["--reason", "GEHEIM: lek gevonden", "--reason-code", "a"];
    server.done(&[&["account", "block", ANNE], &reason[..]].concat());
    eventually("the letter to the administrator", || (letters("Een account is geblokkeerd").len() == 1).then_some(()));
    server.done(&["account", "unblock", ANNE]);
    server.done(&[&["account", "block", ANNE, "--inform-user"], &reason[..]].concat());
    eventually("the letter to her", || (letters("Uw account is geblokkeerd").len() == 1).then_some(()));
    assert!(letters("Uw account is geblokkeerd")[0].contains(ANNE));
    assert!(letters("GEHEIM").is_empty(), "what led to it is the operator's");

    let from = ["--from", "2099-01-01T10:00:00Z", "--until", "2099-01-01T12:00:00Z"];
    let start = [&["interruption", "start", "--nature", "nieuwe schijven", "--mail"], &from[..]].concat();
    let started = server.done(&start);
    let bert = eventually("the announcement", || {
        let told = letters("Onderhoud op 2099-01-01");
        (!told.is_empty()).then_some(told)
    });
    assert!(bert.len() == 1 && bert[0].contains("bert@alpha.example"), "{bert:?}");
    server.done(&["interruption", "end", &text(&started, "id")]);
    eventually("that it is called off", || (letters("gaat niet door").len() == 1).then_some(()));
}
