//! Instructions of the operator (I7) through the real program: given in the office and at the command line, read by
//! anybody on the portal, withdrawn.

use std::fs;

use serde_json::json;

use crate::office::{assert_all, member, shots, stage, strings, walked};
use crate::support::clients::curl;
use crate::support::programs::node;
use crate::support::stock::{events, text};

const WALK: &str = concat!(
    include_str!("../clients/browser.js"),
    include_str!("../clients/office_desk.js"),
    include_str!("../clients/instructions.js")
);

#[test]
fn the_office_gives_an_instruction_that_users_read() {
    let server = stage(&[]);
    let shots = shots(&server);
    let at = |channel: &str| format!("https://localhost:{}", server.address(channel).port());
    let (base, portal) = (at("operator"), at("https"));
    let link = |email: &str, role: &str| format!("{base}{}", member(&server, email, role));
    let (head, bert) = (link("head@operator.example", "administrator"), link("bert@operator.example", "officer"));
    server.done(&["account", "add", "anne@alpha.example", "--organisation", "alpha", "--kind", "person"]);
    let anne = text(&server.done(&["account", "link", "anne@alpha.example"]), "link").to_owned();
    let anne = format!("{portal}/account/{}", anne.split_once("/account/").expect("a link").1);
    let mut command = node();
    command.args(["-e", WALK, &base]).arg(&shots).args([&portal, &head, &bert, &anne]);
    let found = walked(&server, command);
    let elsewhere = strings(&found, "elsewhere");
    assert!(elsewhere.iter().all(|url| url.starts_with(&base) || url.starts_with(&portal)), "{elsewhere:?}");
    let expected = json!({
        "bertForms": 0,
        "half": [1, "Vervang uw sleutel"],
        "given": "De aanwijzing staat op het portaal.",
        "onStart": ["Vervang uw sleutel"],
        "text": "Gebruik vanaf 1 december een nieuwe sleutel.",
        "english": "Replace your key",
        "script": 0,
        "withdrawn": "De aanwijzing is ingetrokken.",
        "afterwards": 0,
    });
    assert_all(&found, &expected);
    assert_eq!((events(&server, "instruction-given").len(), events(&server, "instruction-withdrawn").len()), (1, 1));

    // the same at the command line
    let file = server.desk("texts").join("nl.md");
    fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    fs::write(&file, "Meld storingen telefonisch.\n").expect("a text");
    let path = file.display().to_string();
    server.refused(&["instruction", "give", &path, "--title", "Storingen", "--until", "2020-01-01"]);
    let given = server.done(&["instruction", "give", &path, "--title", "Storingen"]);
    let page = curl(&server, "/instructions", &[]).expect_code(0).text();
    assert!(page.contains("Meld storingen telefonisch."), "{page}");
    server.done(&["instruction", "withdraw", text(&given, "id")]);
    assert_eq!(server.done(&["instruction", "list"]), json!([]));
    assert!(curl(&server, "/instructions", &[]).expect_code(0).text().contains("Er zijn nu geen aanwijzingen."));
}
