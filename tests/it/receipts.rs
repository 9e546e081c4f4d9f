//! Receipts, hand-over and results with the real server: OpenSSH's client puts a file, `ssh-keygen` checks what it
//! gets back, the back office finds the file and answers.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::fetch_stage::{ALPHA, BETA, SECOND, World, eventually, pattern, same, text};
use crate::support::programs::{PATIENCE, finish, finish_with};
use crate::upload_stage::{INTAKE, events, local, upload, world_with};

/// Taken in as soon as it is closed.
const AT_ONCE: (&str, &str) = ("POSTKLUIS_UPLOADS__SETTLE", "0s");

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The folder of a product in which the back office finds files.
fn intake(world: &World, product: &str) -> PathBuf {
    world.server.home().join("intake").join(product)
}

/// Names in the intake, in order; not those of its own housekeeping.
fn lying(world: &World, product: &str) -> Vec<String> {
    let Ok(listed) = fs::read_dir(intake(world, product)) else { return Vec::new() };
    let names = listed.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| !name.starts_with('.')).collect();
    names.sort();
    names
}

#[track_caller]
fn stage_becomes(world: &World, name: &str, stage: &str) -> Value {
    eventually(&format!("{name} to be {stage}"), || {
        let shown = upload(world, name);
        (text(&shown, "stage") == stage).then_some(shown)
    })
}

/// What `ssh-keygen -Y verify` says of a file and its signature.
fn verify(folder: &Path, signers: &Path, identity: &str, name: &str) -> crate::support::programs::Ended {
    let mut command = Command::new("ssh-keygen");
    command.args(["-Y", "verify", "-n", "postkluis-receipt", "-I", identity, "-f"]).arg(signers).arg("-s");
    command.arg(folder.join(format!("{name}.sig"))).current_dir(folder);
    finish_with(&mut command, &fs::read(folder.join(name)).expect("a paper"), PATIENCE)
}

#[test]
fn a_file_is_receipted_handed_over_and_answered() {
    let world = world_with(&[AT_ONCE]);
    let bytes = pattern(1, 3 * 1024 * 1024 + 5);
    let from = local(&world, "data.csv", &bytes);
    let client = world.client(ALPHA);
    client.batch(&format!("put {} dropbox/intake/\nls -1 receipts\n", from.display())).expect_code(0);
    // at once, in the same session's next breath
    let said = client.batch("ls -la receipts/intake\nget receipts/intake/data.csv.receipt.*\n").expect_code(0).text();
    assert!(said.contains("-r--r-----") && said.contains("data.csv.receipt.json.sig"), "{said}");
    let folder = client.folder();
    let receipt: Value = serde_json::from_slice(&fs::read(folder.join("data.csv.receipt.json")).expect("a receipt"))
        .expect("a receipt is JSON");
    assert_eq!((text(&receipt, "sha256"), text(&receipt, "fileName")), (sha256(&bytes), "data.csv".to_owned()));
    assert_eq!((text(&receipt, "account"), text(&receipt, "organisation")), (ALPHA.to_owned(), "alpha".to_owned()));
    assert_eq!(receipt.get("size").and_then(Value::as_u64), Some(bytes.len() as u64));

    // its signature holds, and not for one changed byte
    let key = world.server.done(&["receipt-key", "show"]);
    let (signers, identity) = (folder.join("allowed_signers"), text(&key, "identity"));
    fs::write(&signers, format!("{}\n", text(&key, "allowedSigners"))).expect("the signers");
    let verified = verify(folder, &signers, &identity, "data.csv.receipt.json").expect_code(0).text();
    assert!(verified.contains("Good \"postkluis-receipt\" signature"), "{verified}");
    let mut changed = fs::read(folder.join("data.csv.receipt.json")).expect("a receipt");
    changed[40] ^= 1;
    fs::write(folder.join("changed.json"), &changed).expect("a changed receipt");
    fs::copy(folder.join("data.csv.receipt.json.sig"), folder.join("changed.json.sig")).expect("its signature");
    assert_ne!(verify(folder, &signers, &identity, "changed.json").status.code(), Some(0));
    assert_ne!(verify(folder, &signers, "somebody@else.example", "data.csv.receipt.json").status.code(), Some(0));

    // the back office has the file, once
    let shown = stage_becomes(&world, "data.csv", "collected");
    let id = text(&shown, "id");
    assert_eq!(text(&receipt, "id"), id);
    let name = format!("{id}_data.csv");
    assert_eq!(lying(&world, INTAKE), [name.clone(), format!("{name}.json")]);
    let handed_over = intake(&world, INTAKE).join(&name);
    same(&handed_over, &bytes);
    assert_eq!(fs::metadata(&handed_over).expect("it is there").mode() & 0o7777, 0o640);
    let note: Value =
        serde_json::from_slice(&fs::read(intake(&world, INTAKE).join(format!("{name}.json"))).expect("a note"))
            .expect("a note is JSON");
    assert_eq!((text(&note, "sha256"), text(&note, "file")), (sha256(&bytes), name.clone()));
    client.batch("get receipts/intake/data.csv.result.json first.json\n").expect_code(0);
    assert!(fs::read_to_string(folder.join("first.json")).expect("a result").contains("\"state\": \"accepted\""));

    // it answers, and takes the file away
    let results = intake(&world, INTAKE).join(".results");
    fs::write(results.join(".new"), b"{\"accepted\": true, \"rows\": 12}").expect("a result");
    fs::rename(results.join(".new"), results.join(format!("{id}.result.json"))).expect("a result");
    eventually("the result to be taken", || (!results.join(format!("{id}.result.json")).exists()).then_some(()));
    client
        .batch("get receipts/intake/data.csv.result.json\nget receipts/intake/data.csv.result.json.sig\n")
        .expect_code(0);
    let result = fs::read_to_string(folder.join("data.csv.result.json")).expect("a result");
    assert!(result.contains("\"by\": \"back-office\"") && result.contains("\"rows\":12"), "{result}");
    verify(folder, &signers, &identity, "data.csv.result.json").expect_code(0);
    fs::remove_file(&handed_over).expect("taken away");
    eventually("the acknowledgement", || (!events(&world, "upload-acknowledged").is_empty()).then_some(()));
    assert_eq!(text(&upload(&world, "data.csv"), "stage"), "collected");
    assert_eq!(events(&world, "upload-collected").len(), 1);
    assert_eq!(lying(&world, INTAKE), [format!("{name}.json")], "what was taken away does not come again");
}

#[test]
fn receipts_are_read_only_and_of_the_own_organisation() {
    let world = world_with(&[AT_ONCE]);
    let from = local(&world, "a.csv", b"of alpha");
    world.client(ALPHA).batch(&format!("put {} dropbox/intake/\n", from.display())).expect_code(0);
    let second = world.client(SECOND);
    second.batch("get receipts/intake/a.csv.receipt.json\n").expect_code(0);
    for line in [
        "rm receipts/intake/a.csv.receipt.json",
        "rename receipts/intake/a.csv.receipt.json receipts/intake/b",
        "mkdir receipts/x",
        "rmdir receipts/intake",
    ] {
        second.batch(&format!("{line}\n")).expect_code(1);
    }
    second.batch(&format!("put {} receipts/intake/a.csv.receipt.json\n", from.display())).expect_code(1);
    let beta = world.client(BETA);
    beta.batch("get receipts/intake/a.csv.receipt.json\n").expect_code(1);
    assert!(!beta.batch("ls -1 receipts/intake\n").expect_code(0).text().contains("a.csv"));
    world.server.done(&["right", "decouple", "--account", BETA, "--product", INTAKE]);
    assert!(!beta.batch("ls -1\n").expect_code(0).text().contains("receipts"));
    beta.batch("ls receipts/intake\n").expect_code(1);
    beta.batch("ls receipts\n").expect_code(1);
}

#[test]
fn the_key_stays_the_same_over_restarts_and_comes_to_an_older_home() {
    let mut world = world_with(&[]);
    let before = world.server.done(&["receipt-key", "show"]);
    world.server.stop();
    world.server.serve();
    assert_eq!(world.server.done(&["receipt-key", "show"]), before);
    let facts = world.server.done(&["report", "crypto"]).to_string();
    assert!(facts.contains("signing key") && facts.contains(&text(&before, "fingerprint")), "{facts}");
    world.server.stop();
    let key = world.server.home().join("keys/signing.age");
    assert_eq!(fs::metadata(&key).expect("the key").mode() & 0o777, 0o600);
    fs::remove_file(&key).expect("as an older version left it");
    world.server.serve();
    assert_ne!(world.server.done(&["receipt-key", "show"]), before);
}

#[test]
fn a_sealed_intake_holds_what_only_the_back_office_opens() {
    let desk = tempfile::tempdir().expect("a desk");
    let identity = desk.path().join("identity");
    finish(Command::new("age-keygen").arg("-o").arg(&identity)).expect_code(0);
    let public = finish(Command::new("age-keygen").arg("-y").arg(&identity)).expect_code(0).text();
    let world = world_with(&[AT_ONCE, ("POSTKLUIS_UPLOADS__SEALED_INTAKE", public.trim())]);
    let bytes = pattern(3, 200_000);
    let from = local(&world, "a.csv", &bytes);
    world.client(ALPHA).batch(&format!("put {} dropbox/intake/\n", from.display())).expect_code(0);
    let id = text(&stage_becomes(&world, "a.csv", "collected"), "id");
    let name = format!("{id}_a.csv.age");
    assert_eq!(lying(&world, INTAKE), [name.clone(), format!("{name}.json")]);
    let opened = desk.path().join("opened");
    let mut age = Command::new("age");
    age.arg("-d").arg("-i").arg(&identity).arg("-o").arg(&opened).arg(intake(&world, INTAKE).join(&name));
    finish(&mut age).expect_code(0);
    same(&opened, &bytes);
}

#[test]
fn what_is_withdrawn_or_rejected_never_reaches_the_intake() {
    let world = world_with(&[("POSTKLUIS_UPLOADS__COLLECT_ONLY", INTAKE), AT_ONCE]);
    let client = world.client(ALPHA);
    for name in ["withdrawn.csv", "rejected.csv", "wanted.csv"] {
        let from = local(&world, name, name.as_bytes());
        client.batch(&format!("put {} dropbox/intake/\n", from.display())).expect_code(0);
        stage_becomes(&world, name, "accepted");
    }
    client.batch("rm dropbox/intake/withdrawn.csv\n").expect_code(0);
    let rejected = text(&upload(&world, "rejected.csv"), "id");
    let report = local(&world, "report.txt", b"wrong month");
    world.server.done(&["upload", "reject", &rejected, "--report", &report.display().to_string()]);
    let desk = world.server.desk("collected");
    let to = desk.display().to_string();
    for name in ["withdrawn.csv", "rejected.csv"] {
        let id = text(&upload(&world, name), "id");
        world.server.refused(&["upload", "collect", &id, "--to", &to]);
    }
    let wanted = text(&upload(&world, "wanted.csv"), "id");
    world.server.done(&["upload", "collect", &wanted, "--to", &to]);
    world.server.refused(&["upload", "collect", &wanted, "--to", &to]);
    let mut names: Vec<String> = fs::read_dir(&desk)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, [format!("{wanted}_wanted.csv"), format!("{wanted}_wanted.csv.json")]);
    same(&desk.join(format!("{wanted}_wanted.csv")), b"wanted.csv");
    assert!(lying(&world, INTAKE).is_empty());
    client
        .batch("get receipts/intake/rejected.csv.result.json\nget receipts/intake/withdrawn.csv.result.json\n")
        .expect_code(0);
    let read = |name: &str| fs::read_to_string(client.folder().join(name)).expect("a result");
    assert!(read("rejected.csv.result.json").contains("wrong month"));
    assert!(read("withdrawn.csv.result.json").contains("\"state\": \"withdrawn\""));
    assert_eq!(events(&world, "upload-collected").len(), 1);
}

#[test]
fn the_api_shows_and_withdraws_and_tells_nobody_else() {
    let world = world_with(&[("POSTKLUIS_UPLOADS__COLLECT_ONLY", INTAKE), AT_ONCE]);
    let from = local(&world, "a.csv", b"of alpha");
    let client = world.client(ALPHA);
    client.batch(&format!("put {} dropbox/intake/\n", from.display())).expect_code(0);
    stage_becomes(&world, "a.csv", "accepted");
    let id = text(&upload(&world, "a.csv"), "id");
    let token = |login: &str| text(&world.server.done(&["token", "add", "--account", login]), "secret");
    let (own, seconds, foreign) = (token(ALPHA), token(SECOND), token(BETA));
    let ask = |token: Option<&str>, method: &str, path: &str| -> (u16, String) {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "-X", method, "-w", "\n%{http_code}", "--cacert"]).arg(world.server.certificate());
        if let Some(token) = token {
            curl.args(["-H", &format!("Authorization: Bearer {token}")]);
        }
        let port = world.server.address("https").port();
        let said = finish(curl.arg(format!("https://localhost:{port}/api/v1{path}"))).expect_code(0).text();
        let (body, status) = said.rsplit_once('\n').expect("a status");
        (status.trim().parse().expect("a number"), body.to_owned())
    };
    let file = format!("/participant-files/{id}");
    let (status, listed) = ask(Some(&own), "GET", "/participant-files");
    assert_eq!(status, 200, "{listed}");
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    assert_eq!(listed.pointer("/participantFiles/0/stage").and_then(Value::as_str), Some("accepted"), "{listed}");
    let (status, receipt) = ask(Some(&seconds), "GET", &format!("{file}/receipt"));
    client.batch("get receipts/intake/a.csv.receipt.json\n").expect_code(0);
    let shown = fs::read_to_string(client.folder().join("a.csv.receipt.json")).expect("a receipt");
    assert_eq!((status, receipt), (200, shown), "byte for byte");
    assert!(ask(Some(&own), "GET", &format!("{file}/receipt/signature")).1.contains("BEGIN SSH SIGNATURE"));
    let (status, key) = ask(None, "GET", "/receipt-key");
    assert!(status == 200 && key.contains("allowedSigners"), "{key}");
    for (method, path) in [("GET", ""), ("GET", "/receipt"), ("GET", "/result"), ("DELETE", "")] {
        assert_eq!(ask(Some(&foreign), method, &format!("{file}{path}")).0, 404, "{method} {path}");
        assert_eq!(ask(None, method, &format!("{file}{path}")).0, 401, "{method} {path}");
    }
    assert_eq!(ask(Some(&own), "GET", "/participant-files?owner=1").0, 400);
    assert_eq!(ask(Some(&own), "GET", "/participant-files/none").0, 404);
    assert_eq!(ask(Some(&seconds), "DELETE", &file).0, 403, "another account uploaded it");
    assert_eq!(text(&upload(&world, "a.csv"), "stage"), "accepted");
    let (status, gone) = ask(Some(&own), "DELETE", &file);
    assert!(status == 200 && gone.contains("\"stage\":\"withdrawn\""), "{gone}");
    assert_eq!(ask(Some(&own), "DELETE", &file).0, 409);
    assert_eq!(events(&world, "upload-withdrawn").len(), 1);
}
