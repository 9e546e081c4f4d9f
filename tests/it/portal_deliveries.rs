//! Deliveries and documents of products in Chromium: who is coupled finds and reads them, by keyboard, also on a
//! narrow screen, and who is not sees nothing of them (F7, P07).

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::programs::{finish, node};
use crate::support::server::Server;
use crate::support::stock::{events, organisation, product, text, write_file};

const WALK: &str = concat!(include_str!("../clients/browser.js"), include_str!("../clients/portal_deliveries.js"));
const ANNE: &str = "anne@alpha.example";

fn stage() -> Server {
    let mut server = Server::prepare();
    server.set("POSTKLUIS_SIGN_IN__PASSWORD_MEMORY", "64 KiB");
    server.set("POSTKLUIS_ORGANISATION__CONTACT_MAIL", "info@example.org");
    server.serve();
    product(&server, "wages");
    product(&server, "status");
    organisation(&server, "alpha", &["wages", "status"]);
    for login in [ANNE, "bea@alpha.example"] {
        server.done(&["account", "add", login, "--organisation", "alpha", "--kind", "person"]);
    }
    server.done(&["right", "couple", "--account", ANNE, "--product", "wages"]);
    server
}

fn strings(found: &Value, member: &str) -> Vec<String> {
    let list = found[member].as_array().unwrap_or_else(|| panic!("no list {member} in {found}"));
    list.iter().map(|item| item.as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_person_finds_deliveries_and_documents_of_the_own_products_alone() {
    let server = stage();
    let desk = server.desk("files");
    let mut added = Vec::new();
    for (code, file, version) in
        [("wages", "wages-1.5.pdf", "1.5"), ("wages", "wages-example.csv", ""), ("status", "status.pdf", "2")]
    {
        let path = desk.join(file);
        write_file(&path, 90_000, added.len() + 1);
        let path = path.display().to_string();
        let mut add = vec!["product", "document", "add", code, &path];
        add.extend((!version.is_empty()).then_some(["--version", version]).into_iter().flatten());
        added.push(server.done(&add));
    }
    let shots = std::env::var_os("POSTKLUIS_TEST_SCREENSHOTS").map_or_else(|| server.desk("pages"), PathBuf::from);
    fs::create_dir_all(&shots).expect("a folder for screenshots");
    let base = format!("https://localhost:{}", server.address("https").port());
    let mut command = node();
    command.args(["-e", WALK, &base]).arg(&shots);
    let operator = server.command();
    command.arg(operator.get_program()).args(operator.get_args());
    command.envs(operator.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let found = finish(&mut command).expect_code(0).json();
    for nothing in ["violations", "tooWide", "console", "elsewhere"] {
        assert_eq!(strings(&found, nothing), Vec::<String>::new(), "{nothing}");
    }
    assert_eq!(found["scripts"], 0, "pages need no script");
    assert_eq!(strings(&found, "documents"), ["wages-1.5.pdf", "wages-example.csv"], "and nothing of status");
    assert_eq!(strings(&found, "versions"), ["1.5", ""]);
    assert_eq!(found["specification"], json!(["wages-1.5.pdf", text(&added[0], "sha256")]));
    assert_eq!(found["digest"], added[0]["sha256"]);
    let bea = text(&found, "beaSees");
    assert!(!bea.contains("wages") && bea.contains("geen documenten"), "{bea}");
    assert_eq!(found["beaGets"], json!([404, 404, 404]));
    let read = events(&server, "product-document-read");
    assert_eq!(read.len(), 1, "{found}");
    assert_eq!((text(&read[0], "login"), text(&read[0], "channel")), (ANNE, "portal"));
}
