//! The calendar of participant files with the real server (M19): set and listed on the command line, met by OpenSSH's
//! client, kept over a kill. What happens as days go by is tried in `operations/expected.rs`, where they do.

use serde_json::Value;

use crate::fetch_stage::{ALPHA, World, eventually, pattern, text};
use crate::upload_stage::{INTAKE, events, local, world};

fn expected(world: &World) -> Value {
    let list = world.server.done(&["upload", "expected"]);
    let rows = list.as_array().expect("a list");
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows[0].clone()
}

#[test]
fn what_is_expected_is_set_met_and_taken_back() {
    let mut world = world();
    let whom = ["--organisation", "alpha", "--product", INTAKE];
    let expect = |world: &World, every: &str, remind: &str| {
        let words = ["upload", "expect", whom[0], whom[1], whom[2], whom[3], "--every", every, "--remind", remind];
        world.server.run(&words)
    };
    // refused, with what is wrong and what to do; nothing is kept of it
    for (every, remind, wanted) in [("monday", "0", "weekly:mon"), ("weekly:mon", "6", "at most 5 days")] {
        let said = expect(&world, every, remind);
        assert_ne!(said.status.code(), Some(0));
        assert!(said.stderr.contains(wanted), "{}", said.stderr);
    }
    assert_eq!(world.server.done(&["upload", "expected"]), Value::Array(Vec::new()));
    assert_eq!(events(&world, "upload-expected").len(), 0);

    // a day that is not over while this runs
    expect(&world, "yearly:01-01", "30").expect_code(0);
    let row = expected(&world);
    assert_eq!([text(&row, "state"), text(&row, "every")], ["waiting", "yearly:01-01"]);
    assert!(text(&row, "expectedBy").ends_with("-01-01"), "{row}");
    assert_eq!(events(&world, "upload-expected").len(), 1);
    world.server.kill9();
    world.server.serve();
    assert_eq!(expected(&world), row, "after a kill it is what it was");

    let from = local(&world, "people.csv", &pattern(1, 1_000));
    world.client(ALPHA).batch(&format!("put {} dropbox/{INTAKE}/\n", from.display())).expect_code(0);
    let row = eventually("the file to be seen", || {
        let row = expected(&world);
        (text(&row, "state") == "received").then_some(row)
    });
    let list = world.server.done(&["upload", "list"]);
    assert_eq!(text(&row, "uploadId"), text(&list[0], "id"));
    let missing = world.server.done(&["upload", "expected", "--state", "missing"]);
    assert_eq!(missing, Value::Array(Vec::new()));

    world.server.done(&["upload", "unexpect", whom[0], whom[1], whom[2], whom[3]]);
    assert_eq!(world.server.done(&["upload", "expected"]), Value::Array(Vec::new()));
    assert_eq!(events(&world, "upload-not-expected").len(), 1);
}
