//! What somebody signs in with, in Chromium: a forgotten password, changing password, app and codes, own
//! sessions; and what a stranger sees of all that (P03, P17 in part, M09, PV12, PV14).

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::clients::curl;
use crate::support::programs::{finish, node};
use crate::support::server::Server;
use crate::support::stock::{events, organisation, product, text};

const WALK: &str = concat!(include_str!("../clients/browser.js"), include_str!("../clients/portal_security.js"));
const ANNE: &str = "anne@alpha.example";

/// One person, and the link of her account.
fn stage() -> (Server, String) {
    let mut server = Server::prepare();
    server.set("POSTKLUIS_SIGN_IN__PASSWORD_MEMORY", "64 KiB");
    server.set("POSTKLUIS_ORGANISATION__CONTACT_PHONE", "088 123 45 67");
    server.serve();
    product(&server, "wages");
    organisation(&server, "alpha", &["wages"]);
    server.done(&["account", "add", ANNE, "--organisation", "alpha", "--kind", "person"]);
    let link = text(&server.done(&["account", "link", ANNE]), "link").to_owned();
    let path = link.split_once("/account/").expect("a link").1;
    let link = format!("https://localhost:{}/account/{path}", server.address("https").port());
    (server, link)
}

fn strings(found: &Value, member: &str) -> Vec<String> {
    let list = found[member].as_array().unwrap_or_else(|| panic!("no list {member} in {found}"));
    list.iter().map(|item| item.as_str().unwrap_or_default().to_owned()).collect()
}

/// The e-mails that left, with soft line breaks undone (RFC 2045, 6.7).
fn mails(server: &Server) -> Vec<String> {
    let files = fs::read_dir(server.mail_folder()).expect("e-mails").map(|entry| entry.expect("an entry").path());
    files.map(|path| fs::read_to_string(path).expect("an e-mail").replace("=\r\n", "")).collect()
}

#[test]
fn somebody_keeps_what_they_sign_in_with_in_a_browser() {
    let (server, link) = stage();
    let shots = std::env::var_os("POSTKLUIS_TEST_SCREENSHOTS").map_or_else(|| server.desk("pages"), PathBuf::from);
    fs::create_dir_all(&shots).expect("a folder for screenshots");
    let mut command = node();
    command.args(["-e", WALK, &link, ANNE]).arg(&shots).arg(server.mail_folder());
    let found = finish(&mut command).expect_code(0).json();
    for nothing in ["violations", "tooWide", "console", "elsewhere"] {
        assert_eq!(strings(&found, nothing), Vec::<String>::new(), "{nothing}");
    }
    assert_eq!(found["scripts"], 0, "none of these pages needs a script");
    assert_eq!(found["beforeTheCode"], "/sign-in/again", "the link of an e-mail alone opens nothing");
    assert_eq!((&found["openSessions"], &found["otherAfterEnd"]), (&2.into(), &"/sign-in/again".into()));
    assert!(found["notice"].as_str().expect("a notice").contains("Uw wachtwoord is gewijzigd"));
    assert_eq!(found["codes"], 10);
    let rows = strings(&found, "signIns");
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert!(rows[0].contains("vanuit een andere sessie uitgelogd") && rows[0].contains("127.0.0.1"), "{rows:?}");
    assert!(rows[1].contains("nog open") && rows[1].contains("Chrome, Linux"), "{rows:?}");
    // each change is told once, with what, and whom to call
    let mails = mails(&server);
    for told in [
        "uw wachtwoord, met de link uit een e-mail",
        "Gewijzigd: uw wachtwoord",
        "de app voor codes is vervangen",
        "er zijn nieuwe herstelcodes gemaakt",
    ] {
        assert!(mails.iter().any(|mail| mail.contains(told) && mail.contains("088 123 45 67")), "{told}");
    }
    assert_eq!(events(&server, "password-set").len(), 3);
}

#[test]
fn a_forgotten_password_tells_strangers_nothing() {
    let (server, _) = stage();
    let tell = |email: &str| {
        let page = curl(&server, "/forgotten-password", &["--include", "--data", &format!("email={email}")]);
        let page = page.expect_code(0).text();
        page.lines().filter(|line| !line.starts_with("date:")).collect::<Vec<_>>().join("\n")
    };
    let told = tell("anne%40alpha.example");
    assert!(told.starts_with("HTTP/2 303") && told.contains("location: /forgotten-password/sent"), "{told}");
    for other in ["nobody%40alpha.example", "", "%00", "%3Cscript%3E", "a%0D%0ABcc%3A+eve%40evil.example"] {
        assert_eq!(tell(other), told, "{other}");
    }
    for _ in 0..14 {
        tell("nobody%40alpha.example");
    }
    let (known, unknown) = (tell("anne%40alpha.example"), tell("nono%40alpha.example"));
    assert!(known.starts_with("HTTP/2 429"), "{known}");
    assert_eq!(known.replace("anne@", "nono@"), unknown);
    assert!(events(&server, "mail-sent").is_empty(), "nobody here has an active account");
}
