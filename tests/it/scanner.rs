//! ClamAV's own daemon with one signature of ours: what it finds, what is too large for it, and when it is down.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use postkluis::adapters::checker_stream::{StreamChecker, WhenDown};
use postkluis::adapters::scanner_clamd::{ClamdAddress, ScannerClamd};
use postkluis::domain::names::{OrganisationCode, ProductCode, UploadName};
use postkluis::domain::verdict::CheckVerdict;
use postkluis::ports::checker::{Checked, Checker};

use crate::checks::{AT_ONCE, becomes, errors, put, result};
use crate::fetch_stage::{ALPHA, eventually, text};
use crate::upload_stage::{events, upload, world_with};

/// What the signature matches: the whole of a file.
const EVIL: &[u8] = b"postkluis test file that our own signature matches\n";

/// The daemon, ended with its test.
struct Clamd(Child);

impl Drop for Clamd {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the daemon in a folder of its own; it takes files up to 1 MiB.
fn clamd(folder: &Path) -> Clamd {
    let database = folder.join("database");
    std::fs::create_dir_all(&database).unwrap();
    let digest = Command::new("md5sum").arg(write(folder, "evil", EVIL)).output().unwrap();
    let digest = String::from_utf8(digest.stdout).unwrap();
    let (digest, _) = digest.split_once(' ').unwrap();
    write(&database, "own.hdb", format!("{digest}:{}:Own.Test\n", EVIL.len()).as_bytes());
    let configuration = format!(
        "LocalSocket {0}/clamd.ctl\nDatabaseDirectory {0}/database\nForeground yes\nStreamMaxLength 1M\nLogFile {0}/clamd.log\n\
         TemporaryDirectory {0}\nUser {1}\n",
        folder.display(),
        who(),
    );
    let configured = write(folder, "clamd.conf", configuration.as_bytes());
    let mut daemon = Clamd(
        Command::new("clamd")
            .arg("--config-file")
            .arg(configured)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("clamd (Debian: clamav-daemon); tests/run installs it"),
    );
    let begun = std::time::Instant::now();
    while std::os::unix::net::UnixStream::connect(folder.join("clamd.ctl")).is_err() {
        let log = || std::fs::read_to_string(folder.join("clamd.log")).unwrap_or_default();
        assert!(daemon.0.try_wait().unwrap().is_none(), "clamd ended: {}", log());
        assert!(begun.elapsed() < Duration::from_secs(120), "clamd does not answer: {}", log());
        std::thread::sleep(Duration::from_millis(50));
    }
    daemon
}

fn who() -> String {
    String::from_utf8(Command::new("id").arg("-un").output().unwrap().stdout).unwrap().trim().to_owned()
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> std::path::PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn check(checker: &StreamChecker, bytes: &[u8]) -> Option<CheckVerdict> {
    let file = Checked {
        product: ProductCode::parse("suag").unwrap(),
        organisation: OrganisationCode::parse("duinstad").unwrap(),
        client_marks: vec!["duinstad".to_owned()],
        last_sequence: None,
        name: UploadName::parse("a.csv").unwrap(),
        size_bytes: Some(bytes.len() as u64),
    };
    checker.check(&file, &mut &*bytes).ok()
}

#[test]
fn a_real_clamd_finds_what_its_signature_says() {
    let folder = tempfile::tempdir().unwrap();
    let daemon = clamd(folder.path());
    let scanner = ScannerClamd::new(ClamdAddress::Unix(folder.path().join("clamd.ctl")), Duration::from_secs(60));
    let with = |when_down| StreamChecker::new(BTreeMap::new()).with_scanner(Arc::new(scanner.clone()), when_down);
    let checker = with(WhenDown::Wait);
    assert!(check(&checker, b"nothing of note\n").unwrap().is_accepted());
    assert!(check(&checker, b"").unwrap().is_accepted());
    let found = check(&checker, EVIL).unwrap();
    assert_eq!(found.faults()[0].code, "infected-Own-Test-UNOFFICIAL");
    // twice what it takes: it hangs up in the middle, and says why
    let large = vec![b'x'; 2 * 1024 * 1024];
    assert_eq!(check(&checker, &large).unwrap().faults()[0].code, "too-large-to-scan");
    assert!(check(&with(WhenDown::Accept), &large).unwrap().is_accepted());
    assert!(check(&checker, &large[..900 * 1024]).unwrap().is_accepted());
    drop(daemon);
    assert!(check(&checker, EVIL).is_none(), "a file waits while the scanner is down");
    assert!(check(&with(WhenDown::Accept), EVIL).unwrap().is_accepted());
    assert!(!check(&with(WhenDown::Reject), b"nothing of note\n").unwrap().is_accepted());
}

#[test]
fn files_wait_for_the_scanner_also_across_a_kill_and_are_judged_once() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("unix:{}/clamd.ctl", folder.path().display());
    let mut world =
        world_with(&[AT_ONCE, ("POSTKLUIS_UPLOADS__SCANNER", &address), ("POSTKLUIS_UPLOADS__SCANNER_TIMEOUT", "20s")]);
    let client = world.client(ALPHA);
    put(&world, &client, "good.csv", b"nothing of note\n");
    put(&world, &client, "evil.csv", EVIL);
    // it is tried, in vain
    eventually("a try", || world.server.logged().contains("reach the scanner").then_some(()));
    let waits = |world: &crate::fetch_stage::World, name: &str| {
        let stage = text(&upload(world, name), "stage");
        assert!(["received", "checking"].contains(&stage.as_str()), "{name}: {stage}");
    };
    becomes(&world, "good.csv", "checking");
    world.server.kill9();
    world.server.serve();
    let client = world.client(ALPHA);
    for name in ["good.csv", "evil.csv"] {
        waits(&world, name);
    }
    assert!(events(&world, "upload-accepted").is_empty() && events(&world, "upload-rejected").is_empty());
    let daemon = clamd(folder.path());
    becomes(&world, "good.csv", "collected");
    becomes(&world, "evil.csv", "rejected");
    assert_eq!(errors(&result(&client, "evil.csv")), ["0:0 infected-Own-Test-UNOFFICIAL"]);
    let once = ["upload-accepted", "upload-rejected", "upload-collected"].map(|word| events(&world, word).len());
    assert_eq!(once, [1, 1, 1]);

    // it goes down again, and files are not to wait for it
    drop(daemon);
    for (policy, stage) in [("accept", "collected"), ("reject", "rejected")] {
        world.server.stop();
        world.server.set("POSTKLUIS_UPLOADS__SCANNER_DOWN", policy);
        world.server.serve();
        let client = world.client(ALPHA);
        let name = format!("{policy}.csv");
        put(&world, &client, &name, policy.as_bytes());
        becomes(&world, &name, stage);
        let told = result(&client, &name).to_string();
        assert!(told.contains("not-scanned"), "{told}");
    }
}
