//! Uploads with the script of the portal, in Chromium: dropping, progress, pausing, going on after a kill of the server
//! and in another visit, cancelling, refusals, all of it by keyboard (P10; domain 3.3: WCAG 4.1.3; issue 6, points 1
//! and 6).

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::programs::{finish_with, node};
use crate::support::server::Server;
use crate::support::stock::{events, organisation, text};

const WALK: &str = concat!(include_str!("../clients/browser.js"), include_str!("../clients/portal_uploads_script.js"));

/// The whole walk, on a machine with more to do.
const WITHIN: Duration = Duration::from_secs(420);

fn stage() -> Server {
    let mut server = Server::prepare();
    server.set("POSTKLUIS_SIGN_IN__PASSWORD_MEMORY", "64 KiB");
    server.set("POSTKLUIS_ORGANISATION__CONTACT_MAIL", "info@example.org");
    server.set("POSTKLUIS_UPLOADS__COLLECT_ONLY", "intake");
    server.set("POSTKLUIS_UPLOADS__MAX_FILE_BYTES", "16 MiB");
    server.set("POSTKLUIS_UPLOADS__MAX_ACCOUNT_BYTES", "40 MiB");
    server.serve();
    // the same place after a kill
    let port = server.address("https").port();
    server.set("POSTKLUIS_HTTPS__LISTEN", &format!("127.0.0.1:{port}"));
    for (code, name) in [("intake", "Deelnemers pensioenen"), ("wages", "Loonopgaven")] {
        server.done(&["product", "add", code, "--name", name, "--retention", "30d", "--accepts-uploads"]);
    }
    organisation(&server, "alpha", &["intake", "wages"]);
    server.done(&["organisation", "change", "alpha", "--name", "Pensioenfonds Alpha"]);
    server.done(&["organisation", "add", "bureau", "--name", "Administratiekantoor De Balans"]);
    server.done(&["mandate", "add", "--intermediary", "bureau", "--for", "alpha", "--product", "intake"]);
    for (login, code) in [("anne@alpha.example", "alpha"), ("iris@bureau.example", "bureau")] {
        server.done(&["account", "add", login, "--organisation", code, "--kind", "person"]);
    }
    for product in ["intake", "wages"] {
        server.done(&["right", "couple", "--account", "anne@alpha.example", "--product", product]);
    }
    server.done(&["right", "couple", "--account", "iris@bureau.example", "--product", "intake", "--for", "alpha"]);
    server
}

fn strings(found: &Value, member: &str) -> Vec<String> {
    let list = found[member].as_array().unwrap_or_else(|| panic!("no list {member} in {found}"));
    list.iter().map(|item| item.as_str().unwrap_or_default().to_owned()).collect()
}

/// Waits until the walk lays down this file, or is over.
fn awaited(file: &Path, walk: &thread::JoinHandle<Value>) -> bool {
    let since = Instant::now();
    while !file.exists() {
        if walk.is_finished() || since.elapsed() > WITHIN {
            return false;
        }
        thread::sleep(Duration::from_millis(50));
    }
    true
}

#[test]
fn large_files_are_uploaded_piece_by_piece_and_gone_on_with() {
    let mut server = stage();
    let folder = std::env::var_os("POSTKLUIS_TEST_SCREENSHOTS").map_or_else(|| server.desk("pages"), PathBuf::from);
    fs::create_dir_all(&folder).expect("a folder for screenshots");
    for name in ["kill", "start", "started"] {
        let _ = fs::remove_file(folder.join(name));
    }
    let base = format!("https://localhost:{}", server.address("https").port());
    let mut command = node();
    command.args(["-e", WALK, &base]).arg(&folder);
    let operator = server.command();
    command.arg(operator.get_program()).args(operator.get_args());
    command.envs(operator.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let walk = thread::spawn(move || finish_with(&mut command, b"", WITHIN).expect_code(0).json());
    if awaited(&folder.join("kill"), &walk) {
        server.kill9();
        if awaited(&folder.join("start"), &walk) {
            server.serve();
            fs::write(folder.join("started"), "").expect("a file for the walk");
        }
    }
    let found = walk.join().expect("the walk");
    for nothing in ["violations", "tooWide", "elsewhere", "policy"] {
        assert_eq!(strings(&found, nothing), Vec::<String>::new(), "{nothing}");
    }
    // Chromium tells of requests that are refused or get lost on purpose; nothing else
    let console = strings(&found, "console");
    let is_meant =
        |line: &String| ["400", "401", "409", "413", "429", "net::ERR_"].iter().any(|code| line.contains(code));
    assert!(console.iter().all(is_meant), "{console:?}");
    // dropped, and on its way
    assert_eq!((&found["over"], &found["moves"]), (&json!(1), &json!(true)), "{found}");
    let far = text(&found, "far");
    assert!(far.contains("van 12,0") && far.contains("%)") && far.contains("nog minder dan een minuut"), "{far}");
    // between two pieces nobody has it open
    let other_tab = text(&found, "otherTab");
    assert!(["wordt geüpload", "niet compleet"].iter().any(|word| other_tab.contains(word)), "{other_tab}");
    // paused: the key that pauses goes on, and nothing comes meanwhile
    assert!(text(&found, "kept").starts_with("Verdergaan"), "{found}");
    assert_eq!((&found["still"], &found["wentOn"], &found["digest"]), (&json!(true), &json!(true), &json!(true)));
    // what people hear: each change of state, and not each step
    let told = strings(&found, "told");
    for wanted in ["gepauzeerd", "wordt geüpload", "geen verbinding", "ontvangen"] {
        assert!(told.iter().any(|said| said.contains(wanted)), "{wanted}: {told:?}");
    }
    assert!(told.len() <= 14, "{told:?}");
    // in another visit
    assert!(text(&found, "unfinished").contains("herladen.csv"), "{found}");
    assert!(found["resumedAt"].as_u64().is_some_and(|at| at > 0), "{found}");
    assert_eq!((&found["digestAfterReload"], &found["anew"]), (&json!(true), &json!(true)));
    assert!(text(&found, "other").contains("ander bestand met deze naam"), "{found}");
    // cancelled, and signed out
    assert_eq!((&found["waiting"], &found["cancelled"]), (&json!("wacht"), &json!([1, 0])));
    assert_eq!(found["signedOut"], json!(["gepauzeerd", true]));
    assert_eq!(events(&server, "upload-removed").len(), 2, "the cancelled one, and the part of another file");
    // refused with the reason, and nothing kept
    let refused = strings(&found, "refused");
    for (said, wanted) in refused.iter().zip(["kunnen wij niet gebruiken", "te groot", "Er past nu niet meer bij"]) {
        assert!(said.starts_with("niet ontvangen") && said.contains(wanted), "{said}");
    }
    assert_eq!((refused.len(), &found["nothingOf"]), (3, &json!(0)));
    assert!(text(&found, "taken").contains("al een bestand met deze naam"), "{found}");
    assert!(text(&found, "otherName").contains("dezelfde naam"), "{found}");
    assert_eq!((&found["replaced"], &found["guarded"]), (&json!("vervangen"), &json!("received")));
    // for a client
    assert_eq!(found["onBehalf"][0], "clients/alpha");
    let facts = found["onBehalf"][1].as_str().unwrap_or_default();
    assert!(
        facts.contains("iris@bureau.example van Administratiekantoor De Balans, namens Pensioenfonds Alpha"),
        "{facts}"
    );
}
