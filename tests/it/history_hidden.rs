//! An agreement may hide the history from its recipient: over the API, in exports and lists; never from the operator
//! (A20, domain 5.10-13). The page of such a delivery is looked at in `portal_deliveries`.

use serde_json::Value;

use crate::doors_stage::{ask, bearer};
use crate::fetch_stage::{ALPHA, World, eventually, pattern, text};

#[test]
fn the_api_hides_what_the_agreement_hides_and_the_operator_sees_it() {
    let mut world = World::start();
    world.publish("wages", &[("wages.csv", pattern(1, 3_000))]);
    let add = ["product", "add", "hushed", "--name", "hushed", "--retention", "30d"];
    world.server.done(&add);
    let agree = ["agreement", "add", "--organisation", "alpha", "--product", "hushed", "--purpose", "testing"];
    world.server.done(&[&agree[..], &["--history-hidden"]].concat());
    world.server.done(&["right", "couple", "--account", ALPHA, "--product", "hushed"]);
    let (hidden, _) = world.publish_to("alpha", "hushed", &[("hushed.csv", pattern(2, 3_000))]);
    let shown = world.deliveries[0].clone();
    for name in ["outbox/wages/wages.csv", "outbox/hushed/hushed.csv"] {
        world.client(ALPHA).batch(&format!("get {name}\n")).expect_code(0);
    }
    world.becomes_fetched(&hidden);
    world.becomes_fetched(&shown);
    let header = bearer(&world, ALPHA);
    let get = |path: &str| ask(&world.server, path, &["--header", &header]);
    // what is not hidden says who fetched it, what is hidden is as unknown as a delivery that never was
    let fetches = get(&format!("/api/v1/deliveries/{shown}/fetches")).expect(200).body;
    assert!(fetches.contains(ALPHA), "{fetches}");
    let of_hidden = get(&format!("/api/v1/deliveries/{hidden}/fetches")).expect(404);
    let of_nothing = get("/api/v1/deliveries/00000000-0000-4000-8000-000000000000/fetches").expect(404);
    assert_eq!(of_hidden.json(), of_nothing.json());
    // the list and the delivery itself do not say how far it was fetched
    let one = |id: &str| get(&format!("/api/v1/deliveries/{id}")).expect(200).json();
    for (id, is_shown) in [(&shown, true), (&hidden, false)] {
        let form = one(id);
        for member in ["progress", "startedAt", "fetchedAt", "filesFetched"] {
            assert_eq!(form.get(member).is_some(), is_shown, "{member}: {form}");
        }
        for member in ["bytesSent", "fetchedAt"] {
            assert_eq!(form.pointer(&format!("/files/0/{member}")).is_some(), is_shown, "{member}: {form}");
        }
    }
    let listed = get("/api/v1/deliveries").expect(200).json();
    let row = listed["deliveries"].as_array().expect("a list").iter().find(|row| text(row, "id") == hidden).cloned();
    assert_eq!(row.expect("it is listed").get("fetchedAt"), None);
    // the operator: who, when, how much
    let lines = world.server.done(&["history", "list", "--delivery", &hidden]);
    let lines = lines.as_array().expect("a list");
    assert!(
        lines.iter().any(|line| text(line, "event") == "file-fetched" && text(line, "login") == ALPHA),
        "{lines:?}"
    );
    assert_eq!(world.delivery(&hidden).get("progress"), Some(&Value::from("fetched")));
}

/// A new agreement mails nobody: administrators couple people themselves (C4, domain 5.10-10).
#[test]
fn a_new_agreement_mails_nobody() {
    let world = World::start();
    let add = ["account", "add", "anne@alpha.example", "--organisation", "alpha", "--kind", "person"];
    world.server.done(&add);
    world.server.done(&["product", "add", "fresh", "--name", "fresh", "--retention", "30d"]);
    let mails = || world.server.done(&["mail", "queue"]).as_array().expect("a list").clone();
    let history = || world.server.done(&["history", "list"]).as_array().expect("a list").clone();
    // those who are coupled to something hear of deliveries
    world.publish_to("alpha", "wages", &[("wages.csv", pattern(1, 10))]);
    eventually("those e-mails to leave", || {
        let all = mails();
        (!all.is_empty() && all.iter().all(|mail| text(mail, "state") == "sent")).then_some(())
    });
    let mailed = mails().len();
    let before = history().len();
    world.server.done(&["agreement", "add", "--organisation", "alpha", "--product", "fresh", "--purpose", "testing"]);
    let after = history();
    let new: Vec<_> = after.iter().skip(before).map(|line| text(line, "event")).collect();
    assert_eq!((new, mails().len()), (vec!["agreement-added".to_owned()], mailed));
}
