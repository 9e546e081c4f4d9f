//! Participant files in the portal, in Chromium: uploading with the browser's own dialogue, receipt and result,
//! replacing and withdrawing, for oneself and for a client, and what is refused (P10; G1, 3.11, 4.4, 4.5).

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::programs::{finish, node};
use crate::support::server::Server;
use crate::support::stock::{events, organisation, text};

const WALK: &str = concat!(include_str!("../clients/browser.js"), include_str!("../clients/portal_uploads.js"));

fn stage() -> Server {
    let mut server = Server::prepare();
    server.set("POSTKLUIS_SIGN_IN__PASSWORD_MEMORY", "64 KiB");
    server.set("POSTKLUIS_ORGANISATION__CONTACT_MAIL", "info@example.org");
    server.set("POSTKLUIS_UPLOADS__COLLECT_ONLY", "intake");
    server.set("POSTKLUIS_UPLOADS__MAX_FILE_BYTES", "1 MiB");
    server.set("POSTKLUIS_UPLOADS__MAX_ACCOUNT_BYTES", "8 MiB");
    server.serve();
    for (code, name) in [("intake", "Deelnemers pensioenen"), ("wages", "Loonopgaven")] {
        server.done(&["product", "add", code, "--name", name, "--retention", "30d", "--accepts-uploads"]);
    }
    organisation(&server, "alpha", &["intake", "wages"]);
    organisation(&server, "beta", &["intake"]);
    server.done(&["organisation", "change", "alpha", "--name", "Pensioenfonds Alpha"]);
    server.done(&["organisation", "add", "bureau", "--name", "Administratiekantoor De Balans"]);
    server.done(&["mandate", "add", "--intermediary", "bureau", "--for", "alpha", "--product", "intake"]);
    for (login, code) in
        [("anne@alpha.example", "alpha"), ("bert@beta.example", "beta"), ("iris@bureau.example", "bureau")]
    {
        server.done(&["account", "add", login, "--organisation", code, "--kind", "person"]);
    }
    for (login, product) in
        [("anne@alpha.example", "intake"), ("anne@alpha.example", "wages"), ("bert@beta.example", "intake")]
    {
        server.done(&["right", "couple", "--account", login, "--product", product]);
    }
    server.done(&["right", "couple", "--account", "iris@bureau.example", "--product", "intake", "--for", "alpha"]);
    server
}

fn strings(found: &Value, member: &str) -> Vec<String> {
    let list = found[member].as_array().unwrap_or_else(|| panic!("no list {member} in {found}"));
    list.iter().map(|item| item.as_str().unwrap_or_default().to_owned()).collect()
}

/// Whether any file below a folder holds these bytes.
fn holds(folder: &std::path::Path, wanted: &[u8]) -> bool {
    fs::read_dir(folder).expect("a folder").any(|entry| {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            return holds(&path, wanted);
        }
        fs::read(&path).is_ok_and(|bytes| bytes.windows(wanted.len()).any(|window| window == wanted))
    })
}

#[test]
fn people_upload_read_replace_and_withdraw_in_a_browser() {
    let server = stage();
    let shots = std::env::var_os("POSTKLUIS_TEST_SCREENSHOTS").map_or_else(|| server.desk("pages"), PathBuf::from);
    fs::create_dir_all(&shots).expect("a folder for screenshots");
    let base = format!("https://localhost:{}", server.address("https").port());
    let mut command = node();
    command.args(["-e", WALK, &base]).arg(&shots);
    let operator = server.command();
    command.arg(operator.get_program()).args(operator.get_args());
    command.envs(operator.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let found = finish(&mut command).expect_code(0).json();
    for nothing in ["violations", "tooWide", "elsewhere"] {
        assert_eq!(strings(&found, nothing), Vec::<String>::new(), "{nothing}");
    }
    // Chromium tells of pages that are refused on purpose; nothing else
    let console = strings(&found, "console");
    let is_meant = |line: &String| ["400", "404", "409", "413", "429"].iter().any(|code| line.contains(code));
    assert!(console.iter().all(is_meant), "{console:?}");
    // receipt and result
    assert!(text(&found, "said").contains("ontvangen"), "{found}");
    assert_eq!((&found["digest"], &found["duplicate"]), (&json!(true), &json!("dubbel")));
    assert!(text(&found, "verified").starts_with("Good \"postkluis-receipt\" signature for postkluis@"), "{found}");
    assert!(text(&found, "result").contains("Het bestand is goedgekeurd."), "{found}");
    // what was refused changed nothing, and said why
    assert!(text(&found, "wrongName").contains("Deelnemers_november__2_.csv"), "{found}");
    assert_eq!(found["evil"], json!([0, 1]), "{found}");
    assert!(text(&found, "tooLarge").contains("te groot") && text(&found, "tooFull").contains("past"), "{found}");
    assert_eq!((&found["unchanged"], &found["several"]), (&json!(true), &json!("?done=several")));
    assert_eq!(found["some"][0], 2);
    assert!(found["some"][1].as_str().is_some_and(|said| said.contains("d e.csv") && said.contains("d_e.csv")));
    // replaced, withdrawn, rejected
    assert!(text(&found, "otherName").contains("dezelfde naam"), "{found}");
    assert_eq!((&found["replaced"], &found["old"]), (&json!([true, true]), &json!(["vervangen", true])));
    assert_eq!((&found["withdrawn"], &found["late"]), (&json!("ingetrokken"), &json!(409)));
    assert_eq!(found["rejected"], json!(["afgekeurd", "In regel 3 ontbreekt de einddatum."]));
    assert_eq!(
        (&found["listed"], &found["byState"], &found["byProduct"]),
        (&8.into(), &json!([1, "ingetrokken"]), &4.into())
    );
    // forged: no token, a wrong one, one that comes late, two from elsewhere; then what is no form of ours
    assert_eq!(found["forged"], json!([403, 403, 403, 403, 403, 400, 404, 400, 400, 404, 400, 400]));
    assert_eq!(found["forgedKept"], json!([0, 0]), "nothing was stored, and nothing happened");
    assert!(!holds(&server.home().join("data"), b"forged"), "nothing of a forged form reached the disk");
    // interrupted, and signed out meanwhile: nothing is left
    assert_eq!((&found["receiving"], &found["afterCut"]), (&json!([1, "wordt geüpload"]), &0.into()));
    assert_eq!(found["signedOut"], json!([403, true, "removed"]));
    // by whom and for whom
    assert!(text(&found, "clientTitle").contains("Pensioenfonds Alpha"), "{found}");
    let on_behalf = "iris@bureau.example van Administratiekantoor De Balans, namens Pensioenfonds Alpha";
    assert!(text(&found, "onBehalf").contains(on_behalf), "{found}");
    assert_eq!(found["ownOfIris"], 404);
    // another organisation
    assert_eq!(found["strangers"], json!([404, 404, 404, 404, 404, 404, 404, 404]));
    assert_eq!((&found["alike"], &found["bertSees"]), (&1.into(), &0.into()));
    // sealed: nothing of a file lies on the disk as it was
    assert!(!holds(&server.home().join("data"), b"for alpha"));
    assert_eq!(events(&server, "upload-withdrawn").len(), 1);
    assert_eq!(events(&server, "upload-replaced").len(), 1);
    let mails = server.done(&["mail", "queue"]);
    let count = |kind: &str| mails.as_array().expect("a list").iter().filter(|mail| mail["kind"] == kind).count();
    assert_eq!(count("upload-received"), events(&server, "upload-received").len());
}
