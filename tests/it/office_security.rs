//! What the operator's own people sign in with, in Chromium: a forgotten password, a passkey of the office, and the
//! pages of the portal about oneself at the office's door (P03, P17, P21, M09).

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;

use crate::office::{assert_all, member, strings};
use crate::support::programs::{finish, node};
use crate::support::server::Server;
use crate::support::stock::{events, text};

const WALK: &str = concat!(
    include_str!("../clients/browser.js"),
    include_str!("../clients/office_desk.js"),
    include_str!("../clients/office_security.js")
);

#[test]
fn people_of_the_office_keep_what_they_sign_in_with_in_a_browser() {
    let mut server = Server::prepare();
    let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
    server.set("POSTKLUIS_OPERATOR__LISTEN", &format!("127.0.0.1:{port}"));
    server.set("POSTKLUIS_OPERATOR__BASE_URL", &format!("https://localhost:{port}"));
    server.set("POSTKLUIS_SIGN_IN__PASSWORD_MEMORY", "64 KiB");
    server.serve();
    let shots = std::env::var_os("POSTKLUIS_TEST_SCREENSHOTS").map_or_else(|| server.desk("pages"), PathBuf::from);
    fs::create_dir_all(&shots).expect("a folder for screenshots");
    let base = format!("https://localhost:{port}");
    let link = format!("{base}{}", member(&server, "head@operator.example", "administrator"));
    let mut command = node();
    command.args(["-e", WALK, &base, &link]).arg(&shots).arg(server.mail_folder());
    let found = finish(&mut command).expect_code(0).json();
    for nothing in ["violations", "tooWide", "elsewhere"] {
        assert_eq!(strings(&found, nothing), Vec::<String>::new(), "{nothing}");
    }
    assert!(strings(&found, "console").iter().all(|line| line.contains("status of 403")), "{found}");
    let expected = serde_json::json!({
        "scriptsBefore": 0,
        "made": 1,
        "entered": "/office",
        "wrong": "Uw huidige wachtwoord klopt niet.",
        "changed": "/security",
        "codes": 10,
        "sessions": 2,
        "forged": 403,
        "beforeTheCode": "/sign-in/again",
        "back": "/office",
        "signedOut": "/sign-in",
    });
    assert_all(&found, &expected);
    let begun = events(&server, "signed-in");
    let with: Vec<&str> = begun.iter().map(|line| text(line, "credential")).collect();
    assert!(with.contains(&"password-and-passkey") && begun.iter().all(|line| line["channel"] == "office"), "{with:?}");
    assert_eq!(events(&server, "password-set").len(), 3, "at first, changed, and by link");
}
