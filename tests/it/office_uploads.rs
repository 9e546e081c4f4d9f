//! Participant files in the operator's office in Chromium (P21; issue 6): found by whose they are, by whom and how far
//! they came; rejected with the reason, said to be processed; what is expected, late first.

use std::fs;

use serde_json::json;

use crate::office::{assert_all, member, shots, stage, strings, walked};
use crate::support::programs::node;
use crate::support::stock::{events, eventually, organisation, robot, robot_login, text, write_file};

const WALK: &str = concat!(
    include_str!("../clients/browser.js"),
    include_str!("../clients/office_desk.js"),
    include_str!("../clients/office_uploads.js")
);

#[test]
fn the_office_finds_judges_and_expects_participant_files() {
    let server = stage(&[("POSTKLUIS_UPLOADS__COLLECT_ONLY", "intake"), ("POSTKLUIS_UPLOADS__SETTLE", "0s")]);
    let shots = shots(&server);
    server.done(&["product", "add", "intake", "--name", "Deelnemers", "--retention", "30d", "--accepts-uploads"]);
    server.done(&["agreement", "add", "--organisation", "alpha", "--product", "intake", "--purpose", "test"]);
    organisation(&server, "beta", &["intake"]);
    organisation(&server, "bureau", &[]);
    server.done(&["organisation", "change", "bureau", "--name", "De Balans"]);
    server.done(&["mandate", "add", "--intermediary", "bureau", "--for", "alpha", "--product", "intake"]);
    let (alpha, bureau) = (robot(&server, "alpha", &["intake"]), robot(&server, "bureau", &[]));
    server.done(&["right", "couple", "--account", &robot_login("bureau"), "--product", "intake", "--for", "alpha"]);
    for (whom, every) in [("alpha", "yearly:01-01"), ("beta", "weekly:mon")] {
        server.done(&["upload", "expect", "--organisation", whom, "--product", "intake", "--every", every]);
    }
    let desk = server.desk("files");
    for (seed, (name, to)) in
        (1..).zip([("goed.csv", "goed.csv"), ("fout.csv", "fout.csv"), ("half.csv", "half.csv.part")])
    {
        write_file(&desk.join(name), 2_000, seed);
        alpha.batch(&format!("put {} dropbox/intake/{to}\n", desk.join(name).display())).expect_code(0);
    }
    write_file(&desk.join("namens.csv"), 3_000, 9);
    let from = desk.join("namens.csv");
    bureau.batch(&format!("put {} clients/alpha/dropbox/intake/\n", from.display())).expect_code(0);
    eventually("three files in order", || {
        let list = server.done(&["upload", "list"]);
        let accepted = list.as_array()?.iter().filter(|one| one["stage"] == "accepted").count();
        (accepted == 3).then_some(())
    });

    let base = format!("https://localhost:{}", server.address("operator").port());
    let link = |email: &str, role: &str| format!("{base}{}", member(&server, email, role));
    let (bert, watch) = (link("bert@operator.example", "officer"), link("watch@operator.example", "security-officer"));
    let collected = shots.join("collected");
    fs::create_dir_all(&collected).expect("a folder for the back office");
    let mut command = node();
    command.args(["-e", WALK, &base]).arg(&shots).args([&bert, &watch]).arg(&collected);
    let found = walked(&server, command);
    assert_eq!(strings(&found, "elsewhere"), Vec::<String>::new());
    let expected = json!({
        "listed": 4,
        "first": "namens.csv",
        "sought": [1, 4, 0, 0, 3],
        "formsOfUnfinished": 0,
        "uploader": "alpha-robot",
        "noReason": ["Schrijf waarom het bestand is afgekeurd.", "accepted"],
        "rejected": ["Afgekeurd. De organisatie krijgt een e-mail.", "afgekeurd", "rejected"],
        "report": true,
        "processed": ["Goedgekeurd. De organisatie krijgt een e-mail.", "verwerkt"],
        "papers": [
            [200, true, "attachment; filename=\"goed.csv.receipt.json\""],
            [200, true, "attachment; filename=\"goed.csv.result.json\""],
        ],
        "formsAfter": 0,
        "watcherForms": 0,
        "onBehalf": "bureau-robot van De Balans, namens alpha",
        "missing": 404,
        "expectedOfBeta": 1,
    });
    assert_all(&found, &expected);
    assert_eq!(found["byBureau"][0], 1);
    assert!(found["byBureau"][1].as_str().is_some_and(|row| row.contains("De Balans, namens alpha")), "{found}");
    // refused, and nothing changed
    assert_eq!(
        (&found["forged"][0], &found["forged"][1], &found["forged"][2]),
        (&json!(422), &json!(403), &json!("accepted"))
    );
    let rows = strings(&found, "expected");
    assert!(rows.len() == 2 && rows[0].starts_with("beta") && rows[0].contains("elke week op maandag"), "{rows:?}");
    assert!(rows[1].contains("elk jaar op 1-1") && rows[1].contains("ontvangen"), "{rows:?}");
    // by whom, and told to the organisation
    let rejected = events(&server, "upload-rejected");
    assert_eq!((rejected.len(), text(&rejected[0], "login")), (1, "bert@operator.example"));
    assert_eq!(events(&server, "upload-answered").len(), 1);
}
