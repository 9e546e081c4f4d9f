//! One blocked key or token, and access that was ended in part, with the real program, OpenSSH and
//! `curl` (J7, J8): cut within five seconds, told in a sentence, and given back.

use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::fetch_stage::{ALPHA, LARGE_BYTES, World, text};
use crate::support::clients::{SftpClient, curl, ssh_key};
use crate::support::programs::finish;
use crate::upload_stage::{INTAKE, local, upload, world};

/// The promise of J6.
const CUT_WITHIN: Duration = Duration::from_secs(5);

/// A client that has signed in and waits for its user; ended at the latest with the test.
struct Waiting(Child);

impl Waiting {
    fn begin(client: &SftpClient) -> Self {
        let mut command = Command::new("sftp");
        command.arg("-F").arg(client.config()).args(["-b", "-", "vault"]);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut waiting = Self(child.expect("sftp"));
        waiting.0.stdin.as_mut().expect("its input").write_all(b"ls\n").expect("a line");
        waiting
    }

    fn is_cut(&mut self) {
        // the pipe may be broken already
        let _ = self.0.stdin.as_mut().expect("its input").write_all(b"ls\n");
        let ended = self.0.wait().expect("the client");
        assert!(!ended.success(), "{ended}");
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // it may have ended already
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn live(world: &World) -> Vec<Value> {
    world.server.done(&["session", "list"]).as_array().expect("a list").clone()
}

fn wait_for_live(world: &World, count: usize, within: Duration) {
    let begun = Instant::now();
    while live(world).len() != count {
        assert!(begun.elapsed() < within, "{:?} instead of {count} sessions", live(world));
    }
}

fn events(world: &World, event: &str) -> usize {
    let lines = world.server.done(&["history", "list"]);
    lines.as_array().expect("a list").iter().filter(|line| text(line, "event") == event).count()
}

#[test]
fn a_blocked_key_is_cut_within_seconds_and_can_be_lifted() {
    let world = World::start();
    let other = ssh_key(&world.server.desk("other"), "other");
    let public = format!("{}.pub", other.display());
    let client = world.client(ALPHA);
    let mut waiting = Waiting::begin(&client);
    wait_for_live(&world, 1, Duration::from_secs(30));
    let fingerprint = text(&live(&world)[0], "credential").to_owned();
    world.server.done(&["key", "add", "--account", ALPHA, "--file", &public]);

    let block = ["key", "block", "--account", ALPHA, "--fingerprint", &fingerprint, "--reason", "laptop verloren"];
    world.server.done(&block);
    wait_for_live(&world, 0, CUT_WITHIN);
    waiting.is_cut();
    let refused = client.batch("ls\n").expect_code(255);
    assert!(refused.stderr.contains("Permission denied"), "{}", refused.stderr);
    let keys = world.server.done(&["key", "list", "--account", ALPHA]);
    let of = |keys: &Value| keys.as_array().unwrap().iter().filter(|key| key["blocked"] == true).count();
    assert_eq!((keys.as_array().unwrap().len(), of(&keys)), (2, 1), "{keys}");
    // the other key of the same account lets in
    SftpClient::new(&world.server, ALPHA, &other).batch("ls\n").expect_code(0);

    world.server.done(&["key", "unblock", "--account", ALPHA, &fingerprint]);
    world.client(ALPHA).batch("ls\n").expect_code(0);
    let refused = world.server.refused(&["key", "unblock", "--account", ALPHA, &fingerprint]);
    assert!(refused.contains("is not blocked"), "{refused}");
    assert_eq!((events(&world, "key-blocked"), events(&world, "key-unblocked")), (1, 1));
}

#[test]
fn a_blocked_token_ends_a_download_that_runs_and_is_refused() {
    let mut world = World::start();
    let id = world.publish("wages", &[("large.bin", vec![7; LARGE_BYTES])]);
    let token = world.server.done(&["token", "add", "--account", ALPHA]);
    let bearer = format!("Authorization: Bearer {}", text(&token, "secret"));
    let path = format!("/api/v1/deliveries/{id}/files/1/content");
    let into = world.server.desk("fetched").join("large.bin");
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--max-time", "60", "--limit-rate", "1M", "--cacert"]);
    command.arg(world.server.certificate()).args(["--header", &bearer, "--output"]).arg(&into);
    command.arg(format!("https://localhost:{}{path}", world.server.address("https").port()));
    let downloading = std::thread::spawn(move || finish(&mut command));
    crate::support::stock::eventually("a download that runs", || {
        (std::fs::metadata(&into).map_or(0, |file| file.len()) > 0).then_some(())
    });
    world.server.done(&["token", "block", &text(&token, "id"), "--reason", "uitgelekt"]);
    let cut = downloading.join().expect("curl");
    assert_ne!(cut.status.code(), Some(0), "the download was whole");
    let refused = curl(&world.server, &path, &["--include", "--header", &bearer]).expect_code(0).text();
    assert!(refused.contains(" 403") && refused.contains("this token is blocked"), "{refused}");
    assert_ne!(world.progress(&id), "fetched");
    world.server.done(&["token", "unblock", &text(&token, "id")]);
    let again = curl(&world.server, "/api/v1/products", &["--include", "--header", &bearer]).expect_code(0).text();
    assert!(again.contains(" 200"), "{again}");
}

#[test]
fn a_service_that_was_ended_is_refused_with_a_sentence_on_every_channel() {
    let mut world = world();
    let id = world.publish("wages", &[("a.csv", b"salaries".to_vec())]);
    let token = world.server.done(&["token", "add", "--account", ALPHA]);
    let bearer = format!("Authorization: Bearer {}", text(&token, "secret"));
    let ask = |world: &World, path: &str| {
        curl(&world.server, path, &["--include", "--header", &bearer]).expect_code(0).text()
    };
    let client = world.client(ALPHA);
    let without = world.server.run(&["account", "restrict", ALPHA, "--service", "fetch"]).expect_code(2);
    assert!(without.stderr.contains("--reason"), "{}", without.stderr);

    let reason = ["--reason-code", "a", "--note", "misbruik gemeld"];
    let shown = world.server.done(&[&["account", "restrict", ALPHA, "--service", "fetch"], &reason[..]].concat());
    assert_eq!(shown["endedServices"][0]["service"], "fetch", "{shown}");
    let listed = client.batch("ls -1 outbox/wages\n").expect_code(0).text();
    assert!(listed.contains("a.csv"), "{listed}");
    let fetched = client.batch("get outbox/wages/a.csv\n").expect_code(1);
    assert!(fetched.stderr.contains("ermission denied"), "{}", fetched.stderr);
    let content = ask(&world, &format!("/api/v1/deliveries/{id}/files/1/content"));
    assert!(content.contains(" 403") && content.contains("urn:postkluis:problem:service-ended"), "{content}");
    assert!(content.contains("fetching was ended for this account or its organisation"), "{content}");
    assert!(ask(&world, &format!("/api/v1/deliveries/{id}")).contains(" 200"));

    let reason = ["--reason", "c"];
    world.server.done(&[&["organisation", "restrict", "alpha", "--service", "deliver"], &reason[..]].concat());
    let path = local(&world, "in.csv", b"from the participant");
    let put = format!("put {} dropbox/{INTAKE}/in.csv\n", path.display());
    let refused = client.batch(&put).expect_code(1);
    assert!(refused.stderr.contains("ermission denied"), "{}", refused.stderr);
    assert!(world.server.done(&["upload", "list"]).as_array().unwrap().is_empty());

    world.server.done(&["organisation", "lift", "alpha", "--service", "deliver"]);
    let shown = world.server.done(&["account", "lift", ALPHA, "--service", "fetch"]);
    assert_eq!(shown["endedServices"], serde_json::json!([]));
    client.batch("get outbox/wages/a.csv\n").expect_code(0);
    client.batch(&put).expect_code(0);
    assert_eq!(text(&upload(&world, "in.csv"), "state"), "received");
    assert_eq!((events(&world, "service-ended"), events(&world, "service-restored")), (2, 2));
}
