//! The operator's office (P21) in Chromium, on its own listener: who gets in at which door, a request
//! of an unknown organisation, a block, an interruption; and what answers there without TLS (8.20.02).

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::programs::{finish, node};
use crate::support::server::Server;
use crate::support::stock::{events, organisation, product, text};

const WALK: &str = concat!(include_str!("../clients/browser.js"), include_str!("../clients/office.js"));

fn strings(found: &Value, member: &str) -> Vec<String> {
    let list = found[member].as_array().unwrap_or_else(|| panic!("no list {member} in {found}"));
    list.iter().map(|item| item.as_str().unwrap_or_default().to_owned()).collect()
}

fn stage() -> Server {
    let mut server = Server::prepare();
    server.set("POSTKLUIS_SIGN_IN__PASSWORD_MEMORY", "64 KiB");
    server.set("POSTKLUIS_OPERATOR__LISTEN", "127.0.0.1:0");
    server.serve();
    product(&server, "wages");
    organisation(&server, "alpha", &["wages"]);
    server
}

/// Gives somebody an account in the office; the path of the link.
fn member(server: &Server, email: &str, role: &str) -> String {
    let added = server.done(&["office", "add", email, "--role", role]);
    let address = added["address"].as_str().expect("an address").to_owned();
    address[address.find("/account/").expect("a link")..].to_owned()
}

#[test]
fn the_office_at_work_in_a_browser() {
    let server = stage();
    let shots = std::env::var_os("POSTKLUIS_TEST_SCREENSHOTS").map_or_else(|| server.desk("pages"), PathBuf::from);
    fs::create_dir_all(&shots).expect("a folder for screenshots");
    let at = |channel: &str| format!("https://localhost:{}", server.address(channel).port());
    let (base, portal) = (at("operator"), at("https"));
    let head = format!("{base}{}", member(&server, "head@operator.example", "operator-admin"));
    let watch = format!("{base}{}", member(&server, "watch@operator.example", "security-officer"));
    let mut command = node();
    command.args(["-e", WALK, &base]).arg(&shots).arg(server.mail_folder()).args([&portal, &head, &watch]);
    let operator = server.command();
    command.arg(operator.get_program()).args(operator.get_args());
    command.envs(operator.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let found = finish(&mut command).expect_code(0).json();
    for nothing in ["violations", "tooWide"] {
        assert_eq!(strings(&found, nothing), Vec::<String>::new(), "{nothing}");
    }
    // Chromium tells of pages that are refused on purpose; nothing else
    let refused = ["422", "403", "410", "503"].map(|status| format!("status of {status}"));
    for line in strings(&found, "console") {
        assert!(refused.iter().any(|status| line.contains(status)), "{line}");
    }
    // who walks through both goes to both, and nowhere else
    let elsewhere = strings(&found, "elsewhere");
    assert!(elsewhere.iter().all(|url| url.starts_with(&base) || url.starts_with(&portal)), "{elsewhere:?}");
    assert_eq!(found["scripts"], 0, "pages need no script");
    let expected = json!({
        "before": "/sign-in",
        "prefilled": "Gemeente Nieuw",
        "mistake": ["Controleer het veld Code", "Nieuw!"],
        "pietIsAdministrator": 1,
        "watcherForms": 0,
        "watcherFormsOfAccount": 1,
        "pietAfterBlock": "/sign-in/again",
        "found": 1,
        "renamed": "Gemeente Nieuw-Zuid",
        "shut": [503, true],
        "reopened": 200,
        "colleagues": 3,
        "linkElsewhere": 410,
        "linkHere": 200,
        "forged": [403, 403],
        "cookies": ["__Host-postkluis-office Strict true true"],
        "after": "/sign-in",
        "watcherEnded": "/sign-in/again",
    });
    for (member, value) in expected.as_object().expect("a table") {
        assert_eq!(&found[member], value, "{member}");
    }
    assert_eq!(found["atPortal"], found["nobody"], "nobody learns who works in the office");
    assert_eq!(found["atPortal"], found["atOffice"]);
    // everything that was done names who did it
    let who = |what: &str| {
        let lines = events(&server, what);
        let line = lines.iter().find(|line| line["channel"] == "office").unwrap_or_else(|| panic!("no {what}"));
        text(line, "login").to_owned()
    };
    for what in ["organisation-changed", "request-approved", "account-unblocked", "interruption-begun"] {
        assert_eq!(who(what), "head@operator.example", "{what}");
    }
    assert_eq!(who("account-blocked"), "watch@operator.example");
    assert!(events(&server, "organisation-added").iter().all(|line| text(line, "organisation") != "evil"));
}
