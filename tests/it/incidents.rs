//! The register of security incidents with the real program (I3): opened, noted, changed, reported, closed and listed on
//! the command line, kept over a kill, told of when a report is due.

use serde_json::{Value, json};

use crate::office::{assert_all, member, shots, stage as office_stage, strings, walked};
use crate::support::programs::node;
use crate::support::server::Server;
use crate::support::stock::{events, eventually, organisation, product, text, write_file};

const WALK: &str = concat!(
    include_str!("../clients/browser.js"),
    include_str!("../clients/office_desk.js"),
    include_str!("../clients/office_incidents.js")
);

fn stage() -> Server {
    let mut server = Server::prepare();
    server.set("POSTKLUIS_ORGANISATION__CONTACT_MAIL", "beheer@example.org");
    server.serve();
    product(&server, "wages");
    organisation(&server, "alpha", &["wages"]);
    server
}

const OPEN: [&str; 14] = [
    "incident",
    "open",
    "--title",
    "Sleutel kwijt",
    "--description",
    "Een sleutel lag op straat.",
    "--threatens",
    "confidentiality,reliability",
    "--origin",
    "outside",
    "--severity",
    "high",
    "--personal-data",
    "unknown",
];

fn opened(server: &Server, more: &[&str]) -> Value {
    server.done(&[&OPEN[..], more].concat())
}

fn kinds(shown: &Value) -> Vec<&str> {
    shown["entries"].as_array().expect("entries").iter().map(|entry| text(entry, "kind")).collect()
}

#[test]
fn an_incident_is_kept_from_its_discovery_to_its_end() {
    let mut server = stage();
    let file = server.desk("files").join("salaries.csv");
    write_file(&file, 700, 1);
    server.done(&["delivery", "publish", &file.display().to_string(), "--product", "wages"]);
    let delivery = text(&server.done(&["delivery", "list"])[0], "id").to_owned();
    let lines = |server: &Server| server.done(&["history", "list"]).as_array().expect("lines").len();
    let before = lines(&server);
    for (more, said) in [
        (&["--organisation", "nobody"][..], "no such organisation"),
        (&["--delivery", "00000000-0000-4000-8000-000000000000"], "no such delivery"),
        (&["--discovered", "2999-01-01"], "before now"),
        (&["--from", "2999-01-01"], "before it was discovered"),
    ] {
        let told = server.refused(&[&OPEN[..], more].concat());
        assert!(told.contains(said), "{told}");
    }
    let mut citizen = OPEN;
    citizen[5] = "Bestand van 111222333.";
    let told = server.refused(&citizen);
    assert!(told.contains("citizen number") && !told.contains("111222333"), "{told}");
    assert_eq!(server.done(&["incident", "list"]), json!([]));
    assert_eq!(lines(&server), before);

    let first = opened(&server, &["--organisation", "alpha", "--product", "wages", "--delivery", &delivery]);
    assert_eq!((&first["number"], text(&first, "state")), (&json!(1), "open"));
    assert_eq!(first["threatens"], json!(["reliability", "confidentiality"]));
    assert_eq!((&first["isReportPending"], &first["deliveries"]), (&json!(true), &json!([delivery])));
    server.done(&["incident", "note", "1", "Gevonden door de portier."]);
    server.done(&["incident", "note", "1", "Sleutel ingetrokken.", "--measure"]);
    server.kill9();
    server.serve();
    let shown = server.done(&["incident", "show", "1"]);
    assert_eq!(kinds(&shown), ["opened", "note", "measure"]);
    let by = text(&shown["entries"][1], "by").to_owned();
    assert!(by.starts_with("uid:"), "{by}");

    // what is refused on the way to its end
    assert!(server.refused(&["incident", "close", "1", "Klaar."]).contains("personal data"));
    assert!(server.refused(&["incident", "reopen", "1", "Toch."]).contains("not closed"));
    assert!(server.refused(&["incident", "show", "2"]).contains("no such incident"));
    assert!(server.refused(&["incident", "change", "1", "--severity", "high"]).contains("already"));
    assert_eq!(server.run(&["incident", "report", "1"]).status.code(), Some(2));
    server.done(&["incident", "change", "1", "--personal-data", "yes", "--from", "2026-01-01", "--concerns-none"]);
    assert!(server.refused(&["incident", "close", "1", "Klaar."]).contains("reported to the authority"));
    server.done(&["incident", "contain", "1", "Niemand komt er nog in."]);
    server.done(&["incident", "report", "1", "--reference", "AP-2026-7"]);
    server.done(&["incident", "report", "1", "--persons-told", "Per brief aan alle betrokkenen."]);
    let closed = server.done(&["incident", "close", "1", "Sleutels liggen nu in een kluis."]);
    let steps = ["opened", "note", "measure", "changed", "contained", "reported", "persons-told", "closed"];
    assert_eq!(kinds(&closed), steps);
    assert_eq!((text(&closed, "state"), text(&closed, "reportReference")), ("closed", "AP-2026-7"));
    assert_eq!((&closed["organisations"], &closed["isReportPending"]), (&json!([]), &json!(false)));
    assert_ne!(closed["personsToldAt"], Value::Null);
    assert!(server.refused(&["incident", "note", "1", "Nog iets."]).contains("open it again"));
    server.done(&["incident", "reopen", "1", "Er was een tweede sleutel."]);
    for (word, count) in [
        ("incident-opened", 1),
        ("incident-noted", 2),
        ("incident-changed", 2),
        ("incident-reported", 2),
        ("incident-closed", 1),
        ("incident-reopened", 1),
    ] {
        let told = events(&server, word);
        assert_eq!(told.len(), count, "{word}");
        assert!(told.iter().all(|line| text(line, "note").starts_with("incident 1: ")), "{told:?}");
    }
}

#[test]
fn a_report_that_is_due_is_mailed_to_the_operator_at_once() {
    let mut server = stage();
    opened(&server, &["--discovered", "2026-01-01"]);
    let far = opened(&server, &[]);
    assert_eq!(far["number"], 2);
    let pending = server.done(&["incident", "list", "--state", "pending"]);
    assert_eq!(pending.as_array().expect("a list").len(), 2);
    // the server asks every minute, and when it starts
    server.stop();
    server.serve();
    let told = eventually("a reminder", || {
        let told = events(&server, "incident-reminded");
        (!told.is_empty()).then_some(told)
    });
    assert_eq!((told.len(), text(&told[0], "note")), (1, "incident 1: incident-report-late"));
    assert!(server.logged().contains("ALARM: no report of this incident"));
    let letter = eventually("an e-mail to the operator", || {
        let letters = std::fs::read_dir(server.mail_folder()).ok()?.filter_map(Result::ok);
        let letters = letters.map(|entry| std::fs::read_to_string(entry.path()).unwrap_or_default());
        letters.into_iter().find(|letter| letter.contains("Incident 1: "))
    });
    assert!(letter.contains("beheer@example.org") && !letter.contains("straat"), "{letter}");
    let listed = |state: &str| {
        let rows = server.done(&["incident", "list", "--state", state]);
        rows.as_array().expect("a list").iter().map(|row| row["number"].clone()).collect::<Vec<_>>()
    };
    server.done(&["incident", "report", "2", "--not-needed", "Alles was versleuteld."]);
    assert_eq!((listed("pending"), listed("open")), (vec![json!(1)], vec![json!(2), json!(1)]));
}

#[test]
fn the_office_keeps_the_register_in_a_browser() {
    let server = office_stage(&[]);
    let shots = shots(&server);
    let base = format!("https://localhost:{}", server.address("operator").port());
    let link = |email: &str, role: &str| format!("{base}{}", member(&server, email, role));
    let (watch, bert) = (link("watch@operator.example", "security-officer"), link("bert@operator.example", "officer"));
    let mut command = node();
    command.args(["-e", WALK, &base]).arg(&shots).args([&watch, &bert]);
    let found = walked(&server, command);
    assert_eq!(strings(&found, "elsewhere"), Vec::<String>::new());
    let expected = json!({
        "none": "Er zijn geen incidenten.",
        "citizen": [1, "Sleutel kwijt", true],
        "unknown": [1, "alpha, nobody"],
        "opened": "Het incident is vastgelegd.",
        "title": "1. Sleutel kwijt",
        "noted": "Vastgelegd.",
        "notYet": [0, 1],
        "script": 0,
        "refused": [1, "high", "Sleutel kwijt"],
        "stale": 1,
        "pending": ["1"],
        "closable": [1, 0],
        "closed": ["Vastgelegd.", 1],
        "steps": ["open", "Maatregel", "gewijzigd", "ingedamd", "gemeld", "gesloten", "heropend"],
        "open": ["1"],
        "shut": "Er zijn geen incidenten.",
        "english": "1. Sleutel kwijt",
        "stranger": "/sign-in",
    });
    assert_all(&found, &expected);
    let told = |what: &str| events(&server, what).iter().map(|line| text(line, "login").to_owned()).collect::<Vec<_>>();
    assert_eq!(told("incident-opened"), ["watch@operator.example"]);
    assert_eq!(told("incident-closed"), ["bert@operator.example"]);
    let shown = server.done(&["incident", "show", "1"]);
    assert_eq!((text(&shown, "severity"), text(&shown, "personalData")), ("high", "yes"));
    assert_eq!(shown["organisations"], json!(["alpha"]));
    // what was left alone in the form is what it was, to the millisecond
    assert_eq!(text(&shown["entries"][2], "text"), "severity: medium -> high\npersonal data: unknown -> yes");
}
