//! The pages about intermediaries in Chromium, with the 40 clients of `fixtures/intermediary/clients.csv`: coupling
//! for a client, taking rights over, fetching for a client, ending a mandate (P13; D1-D3, C9, 4.3-8, 4.4).

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::programs::{finish, node};
use crate::support::server::Server;
use crate::support::stock::{events, product, text, write_file};

const WALK: &str = concat!(include_str!("../clients/browser.js"), include_str!("../clients/portal_mandates.js"));
const CLIENTS: &str = include_str!("../../fixtures/intermediary/clients.csv");

/// `bureau` with its people, its 40 clients with a mandate each, and one organisation more that gave none.
fn stage() -> Server {
    let mut server = Server::prepare();
    server.set("POSTKLUIS_SIGN_IN__PASSWORD_MEMORY", "64 KiB");
    server.set("POSTKLUIS_ORGANISATION__CONTACT_MAIL", "info@example.org");
    server.serve();
    product(&server, "suag");
    product(&server, "verzuim");
    server.done(&["organisation", "add", "bureau", "--name", "Administratiekantoor De Balans"]);
    server.done(&["organisation", "add", "losdorp", "--name", "Gemeente Losdorp"]);
    for line in CLIENTS.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let [code, name, products] = cells.as_slice() else { panic!("three cells: {line}") };
        server.done(&["organisation", "add", code, "--name", name]);
        let mut mandate = vec!["mandate", "add", "--intermediary", "bureau", "--for", code];
        for product in products.split(' ') {
            server.done(&["agreement", "add", "--organisation", code, "--product", product, "--purpose", "test"]);
            mandate.extend(["--product", product]);
        }
        server.done(&mandate);
    }
    for (login, organisation, is_administrator) in [
        ("iris@bureau.example", "bureau", true),
        ("kim@bureau.example", "bureau", false),
        ("lee@bureau.example", "bureau", false),
        ("hans@zomerdam.example", "zomerdam", true),
    ] {
        let mut add = vec!["account", "add", login, "--organisation", organisation, "--kind", "person"];
        add.extend(is_administrator.then_some("--administrator"));
        server.done(&add);
    }
    let file = server.desk("files").join("suag_2026-11.csv");
    write_file(&file, 70_000, 1);
    server.done(&[
        "delivery",
        "publish",
        &file.display().to_string(),
        "--product",
        "suag",
        "--organisation",
        "zomerdam",
        "--organisation",
        "aardenburg",
    ]);
    server
}

fn strings(found: &Value, member: &str) -> Vec<String> {
    let list = found[member].as_array().unwrap_or_else(|| panic!("no list {member} in {found}"));
    list.iter().map(|item| item.as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn forty_clients_stay_easy_and_apart_in_a_browser() {
    assert_eq!(CLIENTS.lines().count(), 41);
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
    assert!(console.iter().all(|line| line.contains("status of 404") || line.contains("status of 403")), "{console:?}");
    assert_eq!(found["scripts"], 0, "pages need no script");
    let numbers =
        ["held", "filtered", "offered", "copyable", "copyableAfter", "clients", "listed", "own", "thoughtAgain"];
    assert_eq!(numbers.map(|name| found[name].as_u64()), [40, 2, 40, 1, 0, 1, 1, 0, 1].map(Some), "{found}");
    assert_eq!((&found["givenLeft"], &found["clientsAfter"], &found["kimAfter"]), (&0.into(), &0.into(), &404.into()));
    assert_eq!(found["strangers"], serde_json::json!([404, 404, 403]));
    assert_eq!(found["elsewhereStatus"], serde_json::json!([404, 404, 404]));
    assert_eq!((&found["kimMayNot"], &found["fetched"]), (&403.into(), &"suag_2026-11.csv".into()));
    let csv = "login,client,product\r\nkim@bureau.example,zomerdam,suag\r\nlee@bureau.example,zomerdam,suag\r\n";
    assert_eq!(found["csv"], csv);
    // the client is unmistakable (4.4-2)
    for title in ["clientTitle", "listTitle", "deliveryTitle"] {
        assert!(text(&found, title).contains("Gemeente Zomerdam"), "{title}: {found}");
    }
    assert!(text(&found, "saved").contains("opgeslagen") && text(&found, "ended").contains("beëindigd"), "{found}");
    // one mail per save, which names the client; what was done names both
    let mails = server.done(&["mail", "queue"]);
    let changed = mails.as_array().expect("a list").iter().filter(|mail| mail["kind"] == "rights-changed").count();
    assert_eq!(changed, 2);
    let coupled = events(&server, "right-coupled");
    assert_eq!(coupled.len(), 2);
    assert!(coupled.iter().all(|line| line["organisation"] == "zomerdam" && line["actingOrganisation"] == "bureau"));
    assert_eq!(text(&events(&server, "mandate-ended")[0], "login"), "hans@zomerdam.example");
    assert_eq!(events(&server, "right-decoupled").len(), 2);
}
