//! Passkeys in Chromium with a virtual authenticator: made, shown, refused without user verification, removed,
//! and the same pages without a script (BIO2 5.17.01).

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::clients::curl;
use crate::support::programs::{finish, node};
use crate::support::server::Server;
use crate::support::stock::{events, organisation, product, text};

const WALK: &str = concat!(include_str!("../clients/browser.js"), include_str!("../clients/portal_passkeys.js"));
const ANNE: &str = "anne@alpha.example";

/// Passkeys are bound to the portal's address: the server must know its port before it starts.
fn stage() -> (Server, String) {
    let mut server = Server::prepare();
    let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
    server.set("POSTKLUIS_HTTPS__LISTEN", &format!("127.0.0.1:{port}"));
    server.set("POSTKLUIS_PORTAL__BASE_URL", &format!("https://localhost:{port}"));
    server.set("POSTKLUIS_SIGN_IN__PASSWORD_MEMORY", "64 KiB");
    server.serve();
    product(&server, "wages");
    organisation(&server, "alpha", &["wages"]);
    server.done(&["account", "add", ANNE, "--organisation", "alpha", "--kind", "person"]);
    let link = text(&server.done(&["account", "link", ANNE]), "link").to_owned();
    (server, link)
}

fn strings(found: &Value, member: &str) -> Vec<String> {
    let list = found[member].as_array().unwrap_or_else(|| panic!("no list {member} in {found}"));
    list.iter().map(|item| item.as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn somebody_signs_in_with_a_passkey_in_a_browser() {
    let (server, link) = stage();
    let shots = std::env::var_os("POSTKLUIS_TEST_SCREENSHOTS").map_or_else(|| server.desk("pages"), PathBuf::from);
    fs::create_dir_all(&shots).expect("a folder for screenshots");
    let mut command = node();
    command.args(["-e", WALK, &link, ANNE]).arg(&shots);
    let found = finish(&mut command).expect_code(0).json();
    for nothing in ["violations", "tooWide", "console", "elsewhere"] {
        assert_eq!(strings(&found, nothing), Vec::<String>::new(), "{nothing}");
    }
    assert_eq!((&found["scriptsBefore"], &found["made"]), (&0.into(), &1.into()), "no script without a passkey");
    assert_eq!(found["entered"], "/start");
    assert_eq!(
        found["policy"],
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    assert!(found["with"].as_str().expect("a row").contains("wachtwoord en passkey"), "{found}");
    assert_eq!(found["unverified"], "/sign-in/code", "a device that does not know its owner opens nothing");
    assert_eq!(found["hiddenWithoutScript"], true);
    assert!(found["saidWithoutScript"].as_str().expect("a text").contains("code uit uw app"));
    assert_eq!(found["left"], 0);
    let begun = events(&server, "signed-in");
    assert_eq!(text(begun.last().expect("a session"), "credential"), "password-and-passkey");
    assert_eq!((events(&server, "passkey-added").len(), events(&server, "passkey-removed").len()), (1, 1));
    // only pages with a passkey may have a script
    let page = curl(&server, "/sign-in/code", &["--include"]).expect_code(0).text();
    assert!(!page.contains("script"), "{page}");
    let script = curl(&server, "/assets/passkeys.js", &["--include"]).expect_code(0).text();
    assert!(script.contains("content-type: text/javascript") && script.contains("nosniff"), "{script}");
}
