//! Mandates and terms of use in the operator's office (P21, D4, I1-I14) in Chromium: two people put a mandate
//! on record and let it reach further; a version is published, and an acceptance put on record.

use std::fs;

use serde_json::json;

use crate::office::{assert_all, member, shots, stage, strings, walked};
use crate::support::programs::node;
use crate::support::stock::{events, organisation, product, robot, text};

const WALK: &str = concat!(
    include_str!("../clients/browser.js"),
    include_str!("../clients/office_desk.js"),
    include_str!("../clients/office_mandates.js")
);

#[test]
fn two_people_put_a_mandate_on_record_and_publish_terms() {
    let server = stage(&[("POSTKLUIS_OPERATOR__FOUR_EYES", "on")]);
    let shots = shots(&server);
    product(&server, "exams");
    organisation(&server, "bureau", &[]);
    robot(&server, "alpha", &["wages"]);
    let base = format!("https://localhost:{}", server.address("operator").port());
    let link = |email: &str, role: &str| format!("{base}{}", member(&server, email, role));
    let (head, bert) = (link("head@operator.example", "administrator"), link("bert@operator.example", "officer"));
    let watch = link("watch@operator.example", "security-officer");
    let long = shots.join("terms.txt");
    // far more than any other form holds
    let paragraph = "De afnemer gaat zorgvuldig om met gegevens; één keer lezen is genoeg.\n\n";
    fs::write(&long, format!("# Artikel 1\n\n{}", paragraph.repeat(1_000))).expect("a text");
    let mut command = node();
    command.args(["-e", WALK, &base]).arg(&shots).args([&head, &bert, &watch]).arg(&long);
    let found = walked(&server, command);
    assert_eq!(strings(&found, "elsewhere"), Vec::<String>::new());
    let expected = json!({
        "nothing": "Kies minstens één product.",
        "kept": "bureau",
        "proposed": "Het voorstel staat klaar. Een collega moet het bevestigen.",
        "listed": 0,
        "own": 0,
        "confirmed": "Bevestigd en uitgevoerd.",
        "afterConfirm": 1,
        "wider": "Het voorstel staat klaar. Een collega moet het bevestigen.",
        "productsMeanwhile": "wages",
        "productsAfter": "exams, wages",
        "narrower": ["Opgeslagen.", "wages"],
        "watcherForms": 1,
        "blocked": "Geblokkeerd. Open sessies worden verbroken.",
        "unblocked": "De blokkering is opgeheven.",
        "ended": "Beëindigd.",
        "formsOfEnded": 0,
        "running": 0,
        "all": 1,
        "sought": 0,
        "cliProposed": [["add-mandate", true]],
        "cliMandates": 1,
        "bertForms": 0,
        "early": [true, true],
        "published": "Gepubliceerd. Alle gebruikers krijgen een e-mail.",
        "versions": 1,
        "whole": 1_000,
        "open": ["alpha-robot"],
        "recorded": "Vastgelegd dat de voorwaarden zijn geaccepteerd.",
        "openAfter": 0,
        "acceptedAfter": 1,
        "stranger": "/sign-in",
        "tooLarge": 413,
    });
    assert_all(&found, &expected);
    let notes = |what: &str| events(&server, what).iter().map(|line| text(line, "note").to_owned()).collect::<Vec<_>>();
    assert_eq!(notes("terms-published").len(), 1, "what a stranger sent is published by nobody");
    assert!(notes("terms-accepted")[0].contains("J. de Vries, brief 2026-114"), "{:?}", notes("terms-accepted"));
    let added = events(&server, "mandate-added");
    assert_eq!((text(&added[0], "login"), added.len()), ("bert@operator.example", 1));
    assert!(notes("proposal-confirmed").iter().any(|note| note.contains("proposed by head@operator.example")));
}
