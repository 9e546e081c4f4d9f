//! The operator's office (P21) in Chromium, on its own listener: who gets in at which door, a request
//! of an unknown organisation, a block, an interruption; and what answers there without TLS (8.20.02).

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::clients::ssh_key;
use crate::support::programs::{finish, node};
use crate::support::server::Server;
use crate::support::stock::{events, organisation, product, text, write_file};

const WALK: &str = concat!(
    include_str!("../clients/browser.js"),
    include_str!("../clients/office_desk.js"),
    include_str!("../clients/office.js")
);
const WALK_OF_TWO: &str = concat!(
    include_str!("../clients/browser.js"),
    include_str!("../clients/office_desk.js"),
    include_str!("../clients/office_products.js")
);

pub(crate) fn strings(found: &Value, member: &str) -> Vec<String> {
    let list = found[member].as_array().unwrap_or_else(|| panic!("no list {member} in {found}"));
    list.iter().map(|item| item.as_str().unwrap_or_default().to_owned()).collect()
}

pub(crate) fn stage(settings: &[(&str, &str)]) -> Server {
    let mut server = Server::prepare();
    for (variable, value) in settings {
        server.set(variable, value);
    }
    server.set("POSTKLUIS_SIGN_IN__PASSWORD_MEMORY", "64 KiB");
    server.set("POSTKLUIS_OPERATOR__LISTEN", "127.0.0.1:0");
    server.serve();
    product(&server, "wages");
    organisation(&server, "alpha", &["wages"]);
    server
}

pub(crate) fn shots(server: &Server) -> PathBuf {
    let shots = std::env::var_os("POSTKLUIS_TEST_SCREENSHOTS").map_or_else(|| server.desk("pages"), PathBuf::from);
    fs::create_dir_all(&shots).expect("a folder for screenshots");
    shots
}

/// What a walk saw, when no page had a fault that every page must be without.
pub(crate) fn walked(server: &Server, mut command: std::process::Command) -> Value {
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
    assert_eq!(found["scripts"], 0, "pages need no script");
    found
}

pub(crate) fn assert_all(found: &Value, expected: &Value) {
    for (member, value) in expected.as_object().expect("a table") {
        assert_eq!(&found[member], value, "{member}");
    }
}

/// Gives somebody an account in the office; the path of the link.
pub(crate) fn member(server: &Server, email: &str, role: &str) -> String {
    let added = server.done(&["office", "add", email, "--role", role]);
    let address = added["address"].as_str().expect("an address").to_owned();
    address[address.find("/account/").expect("a link")..].to_owned()
}

#[test]
fn the_office_at_work_in_a_browser() {
    let server = stage(&[]);
    let shots = shots(&server);
    let at = |channel: &str| format!("https://localhost:{}", server.address(channel).port());
    let (base, portal) = (at("operator"), at("https"));
    let head = format!("{base}{}", member(&server, "head@operator.example", "operator-admin"));
    let watch = format!("{base}{}", member(&server, "watch@operator.example", "security-officer"));
    let mut command = node();
    command.args(["-e", WALK, &base]).arg(&shots).arg(server.mail_folder()).args([&portal, &head, &watch]);
    let found = walked(&server, command);
    // who walks through both goes to both, and nowhere else
    let elsewhere = strings(&found, "elsewhere");
    assert!(elsewhere.iter().all(|url| url.starts_with(&base) || url.starts_with(&portal)), "{elsewhere:?}");
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
    assert_all(&found, &expected);
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

#[test]
fn two_people_make_a_product_steer_a_delivery_and_couple_a_key() {
    let server = stage(&[("POSTKLUIS_OPERATOR__FOUR_EYES", "on"), ("POSTKLUIS_STORAGE__MAX_DOCUMENT_BYTES", "1 MiB")]);
    let shots = shots(&server);
    let base = format!("https://localhost:{}", server.address("operator").port());
    write_file(&shots.join("exams.csv"), 20_000, 3);
    let key = |name: &str| {
        let private = ssh_key(&server.desk("keys-of-alpha"), name);
        PathBuf::from(format!("{}.pub", private.display()))
    };
    let (first, second) = (key("first"), key("second"));
    let link = |email: &str, role: &str| format!("{base}{}", member(&server, email, role));
    let (head, bert) = (link("head@operator.example", "administrator"), link("bert@operator.example", "officer"));
    let mut command = node();
    command.args(["-e", WALK_OF_TWO, &base]).arg(&shots).args([&head, &bert]);
    command.arg(fs::read_to_string(&first).expect("a key").trim()).arg(&second);
    let found = walked(&server, command);
    assert_eq!(strings(&found, "elsewhere"), Vec::<String>::new());
    let expected = json!({
        "mistake": ["Controleer het veld Beschikbaar", "exams"],
        "product": ["Toegevoegd.", 2],
        "documentAdded": ["Toegevoegd.", ["exams-1.0.pdf | 1.0 | 280,0 kB"]],
        "documentMistakes": [
            "Er is al een document met deze naam. Open dat document om een nieuwe versie te plaatsen, of geef het bestand een andere naam.",
            "De naam van dit bestand kan niet. Gebruik letters zonder accent, cijfers, punten, streepjes en lage streepjes.",
            "Dit bestand is leeg.",
            "Dit kan er niet bij. Een document mag niet groter zijn dan 1,0 MB. Het aantal documenten bij een product is hoogstens 100.",
        ],
        "documentReplaced": ["Opgeslagen.", ["exams-1.0.pdf | 1.1 | 14 bytes"]],
        "documentListed": [["exams-1.0.pdf", "1.1", 14]],
        "documentForged": [403, 422],
        "documentFormsOfBert": 0,
        "documentRemoved": ["Het document is verwijderd.", 0],
        "bertForms": 0,
        "agreement": "Toegevoegd.",
        "unfetched": 1,
        "extended": true,
        "held": 1,
        "withdrawn": "De levering is ingetrokken.",
        "keysBefore": 0,
        "own": 0,
        "ownForced": 422,
        "keysAfter": 1,
        "cliProposed": [["add-recipient-key", true]],
        "cliAlone": 1,
        "keysAtLast": 1,
        "csv": 1,
        "ended": "Beëindigd.",
        "delivery": 1,
    });
    assert_all(&found, &expected);
    let who = |what: &str| {
        let lines = events(&server, what);
        let line = lines.last().unwrap_or_else(|| panic!("no {what}"));
        (text(line, "login").to_owned(), text(line, "channel").to_owned())
    };
    let of = |login: &str| (login.to_owned(), "office".to_owned());
    for what in ["product-changed", "product-document-added", "product-document-removed"] {
        assert_eq!(who(what), of("head@operator.example"), "{what}");
    }
    let counted = |what: &str| events(&server, what).len();
    assert_eq!(
        (counted("product-document-added"), counted("product-document-removed")),
        (2, 2),
        "a new version is both"
    );
    for what in ["agreement-added", "delivery-extended", "delivery-held", "delivery-withdrawn", "agreement-ended"] {
        assert_eq!(who(what), of("bert@operator.example"), "{what}");
    }
    assert_eq!(who("recipient-key-added"), of("head@operator.example"));
    assert!(text(&events(&server, "proposal-confirmed")[0], "note").contains("proposed by bert@operator.example"));
}
