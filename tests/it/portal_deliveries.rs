//! Deliveries and documents of products in Chromium: who is coupled finds and reads them, by keyboard, also on a
//! narrow screen, and who is not sees nothing of them (F7, P07).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::programs::{finish, node};
use crate::support::server::Server;
use crate::support::stock::{events, eventually, organisation, product, robot, robot_login, text, write_file};

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

/// What Anne finds: one that a robot has fetched, one withdrawn, one that expired, and so many that a page does not
/// hold them.
fn fill(server: &Server) {
    let desk = server.desk("outgoing");
    let publish = |name: &str, seed: usize, product: &str, more: &[&str]| {
        let path = desk.join(name);
        write_file(&path, 70_000, seed);
        let path = path.display().to_string();
        server.done(&[&["delivery", "publish", &path, "--product", product], more].concat())
    };
    server.done(&["product", "add", "flash", "--name", "Flits", "--retention", "1s"]);
    server.done(&["agreement", "add", "--organisation", "alpha", "--product", "flash", "--purpose", "test"]);
    server.done(&["right", "couple", "--account", ANNE, "--product", "flash"]);
    publish("flash.csv", 1, "flash", &[]);
    // one whose agreement hides the history (A20)
    server.done(&["product", "add", "hushed", "--name", "Stil", "--retention", "30d"]);
    let agree = ["agreement", "add", "--organisation", "alpha", "--product", "hushed", "--purpose", "test"];
    server.done(&[&agree[..], &["--history-hidden"]].concat());
    server.done(&["right", "couple", "--account", ANNE, "--product", "hushed"]);
    publish("hushed.csv", 4, "hushed", &[]);
    let withdrawn = publish("wrong.csv", 2, "wages", &[]);
    server.done(&["delivery", "withdraw", text(&withdrawn["deliveries"][0], "id"), "--reason", "verkeerd"]);
    for week in 1..=49 {
        publish(&format!("week-{week}.csv"), week, "wages", &["--period", &format!("week {week}")]);
    }
    let counts = desk.join("counts.json");
    fs::write(&counts, "{\"personen\": 1200, \"regels\": 4800}").expect("counts");
    publish("salaries.csv", 3, "wages", &["--period", "oktober 2026", "--counts", counts.to_str().expect("a path")]);
    let client = robot(server, "alpha", &["wages", "hushed"]);
    client.batch("get outbox/wages/salaries.csv\nget outbox/hushed/hushed.csv\n").expect_code(0);
    // a window ends by the clock, and is over before retention has recorded that
    eventually("the short window to end", || {
        let open = server.done(&["delivery", "list", "--organisation", "alpha", "--product", "flash", "--available"]);
        open.as_array().is_some_and(Vec::is_empty).then_some(())
    });
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
    fill(&server);
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
    finds(&found);
    reads(&found);
    has_all_in_one(&found, &shots);
}

fn has_all_in_one(found: &Value, shots: &Path) {
    assert_eq!(found["together"], "Alle bestanden downloaden (zip)");
    assert_eq!(found["togetherNote"], "2 bestanden, samen 12,0 kB. De pakbon en de controlegetallen zitten erbij.");
    assert_eq!((&found["zipName"], &found["zipPart"]), (&json!(true), &json!([206, true])));
    assert_eq!(found["zipState"], "opgehaald");
    assert_eq!(found["beaGetsZip"], 404);
    finish(Command::new("unzip").args(["-tq", "delivery.zip"]).current_dir(shots)).expect_code(0);
}

fn finds(found: &Value) {
    assert_eq!(strings(found, "choices"), ["Alle producten", "Flits", "Stil", "wages"], "nothing of status");
    assert_eq!(found["listed"], json!([50, 3, 53]), "each once");
    assert_eq!(found["expired"], json!(["verlopen"]));
    assert_eq!(found["gone"], json!(["ingetrokken", "verlopen"]));
    assert_eq!(found["fetchedState"], json!(["opgehaald"]));
    assert_eq!((&found["found"], &found["kept"]), (&json!(["week 7"]), &"week 7".into()));
    assert_eq!(found["nothing"], "No deliveries fit this.");
    assert_eq!(found["broken"], json!(["\"><script>alert(1)</script>", "", ""]), "what breaks a rule is not filled in");
    assert_eq!(found["future"], 0);
}

fn reads(found: &Value) {
    let robot = robot_login("alpha");
    let by_robot = |what: &str| format!("{robot} | salaries.csv | {what} | SFTP");
    assert_eq!(strings(found, "rows"), [by_robot("verstuurd: 70,0 kB"), by_robot("helemaal opgehaald")]);
    let after = strings(found, "rowsAfter");
    let by_anne = |what: &str| format!("{ANNE} | salaries.csv | {what} | portaal");
    assert_eq!(after[2..], [by_anne("verstuurd: 70,0 kB"), by_anne("verstuurd: 10 bytes")], "a colleague too");
    assert_eq!(found["digestList"], true, "{found}");
    assert_eq!(found["part"], json!([206, true]));
    let commands = strings(found, "commands");
    assert_eq!(commands[0], "Get-FileHash salaries.csv");
    assert!(commands[2].starts_with("sha256sum -c wages_") && commands[2].ends_with(".sha256"), "{commands:?}");
    let slip = text(found, "slip");
    for wanted in ["Pakbon", "oktober 2026", "personen", "1200", "salaries.csv", "70,0 kB", "test"] {
        assert!(slip.contains(wanted), "{wanted}: {slip}");
    }
    assert_eq!(found["printed"], json!([]), "paper has no links and no menu");
    assert_eq!((&found["goneOffers"], &found["goneSlip"]), (&0.into(), &"Pakbon".into()));
    assert_eq!(strings(found, "specifications"), ["wages-1.5.pdf", "wages-example.csv"]);
    assert_eq!(found["beaGetsDelivery"], json!([404, 404, 404, 404, 404]));
    assert_eq!(found["beaList"], json!([1, 0]));
    // 5.10-13: neither who fetched it nor how far, also not by searching for what was fetched
    assert_eq!(found["hushed"], json!([["op te halen"], 0, 0]));
}
