//! Publishing: all or none, once, with every refusal leaving nothing behind.

use std::sync::{Arc, Mutex};

use postkluis::domain::refusal::{Refusal, What};
use postkluis::operations::StandingChange;

use super::*;

#[test]
fn one_publication_reaches_everybody_with_an_agreement_at_the_same_instant() {
    let world = World::new();
    world.operations.add_recipient_key(&org("sealed"), "age1 sealed", CHANNEL).unwrap();
    let published = world.publish("k1", &[], vec![file("a.csv", b"aaa"), file("b.csv", b"bb")]);
    assert_eq!(published.deliveries.len(), 3);
    let day = "20261123";
    let expected = [
        "a.csv".to_owned(),
        "b.csv".to_owned(),
        format!("daily_{day}_000001.packing-slip.json"),
        format!("daily_{day}_000001.sha256"),
    ];
    assert_eq!(world.names("one"), expected);
    assert_eq!(world.names("two"), expected);
    assert!(world.names("sealed").contains(&"a.csv.age".to_owned()));
    // Two files once for both readable organisations, and once more for the sealed one.
    assert_eq!(world.payloads(), 4);
    // One e-mail per coupled account (I5), none of them about the data.
    assert_eq!(world.mails(), 3);
    assert_eq!(world.fetch(&world.caller("one"), "a.csv").unwrap(), b"aaa");
    assert_eq!(world.fetch(&world.caller("two"), "b.csv").unwrap(), b"bb");
}

#[test]
fn the_same_source_is_published_once() {
    let world = World::new();
    let first = world.publish("k1", &["one"], vec![file("a.csv", b"aaa")]);
    let again = world.publish("k1", &["one"], vec![file("a.csv", b"aaa")]);
    assert!(!first.existed && again.existed);
    assert_eq!((first.publication, first.deliveries), (again.publication, again.deliveries));
    assert_eq!((world.payloads(), world.mails(), world.names("one").len()), (1, 1, 3));
}

#[test]
fn every_refusal_leaves_nothing_stored_and_nothing_mailed() {
    let world = World::new();
    let block = StandingChange::Block { reason: line("test"), until: None };
    world.operations.change_organisation_standing(&org("two"), block, CHANNEL).unwrap();
    let changed = OfferedFile {
        name: name("a.csv"),
        source: Arc::new(Text { bytes: b"aaa".to_vec(), changed: Mutex::new(true) }),
    };
    let fine = || vec![file("a.csv", b"aaa")];
    let mut wrong_number = offer("k", "daily", &["one"], fine());
    wrong_number.sequence = Some(7);
    type Check = fn(&Refusal) -> bool;
    let cases: Vec<(Offer, Check)> = vec![
        (offer("k", "daily", &["nobody"], fine()), |r| matches!(r, Refusal::BadRequest(_))),
        (offer("k", "none", &["one"], fine()), |r| matches!(r, Refusal::NotFound(What::Product))),
        (offer("k", "daily", &["two"], fine()), |r| matches!(r, Refusal::NotAllowed(_))),
        (offer("k", "daily", &["sealed"], fine()), |r| matches!(r, Refusal::NoRecipientKey(who) if who == &["sealed"])),
        (offer("k", "daily", &["one", "sealed"], fine()), |r| matches!(r, Refusal::NoRecipientKey(_))),
        (offer("k", "daily", &["one"], vec![]), |r| matches!(r, Refusal::BadRequest(_))),
        (offer("k", "daily", &["one"], vec![file("A.csv", b"1"), file("a.csv", b"2")]), |r| {
            matches!(r, Refusal::BadRequest(_))
        }),
        (offer("k", "daily", &["one"], vec![file("a.part", b"1")]), |r| matches!(r, Refusal::BadRequest(_))),
        (offer("k", "daily", &["one"], vec![changed]), |r| matches!(r, Refusal::Changed(_))),
        (wrong_number, |r| matches!(r, Refusal::BadRequest(_))),
    ];
    let count = cases.len();
    for (offer, is_expected) in cases {
        let refused = refusal(world.operations.publish(&offer));
        assert!(is_expected(&refused), "{refused}");
    }
    assert_eq!((world.payloads(), world.mails(), world.names("one").len()), (0, 0, 0));
    let refusals = world.history().into_iter().filter(|word| *word == "publication-refused").count();
    assert_eq!(refusals, count, "every refusal is in the history");
}

#[test]
fn outside_an_agreement_nothing_is_published() {
    let world = World::new();
    world.operations.end_agreement(&org("one"), &product("daily"), CHANNEL).unwrap();
    let refused = refusal(world.operations.publish(&offer("k", "daily", &["one"], vec![file("a.csv", b"a")])));
    assert!(matches!(refused, Refusal::NoAgreement { .. }), "{refused}");
    assert_eq!(world.payloads(), 0);
}

#[test]
fn an_unready_recipient_is_left_out_visibly_only_when_asked() {
    let world = World::new();
    let mut offer = offer("k", "daily", &[], vec![file("a.csv", b"a")]);
    offer.skip_unready = true;
    let published = world.operations.publish(&offer).unwrap();
    assert_eq!(published.deliveries.len(), 2);
    assert_eq!(published.skipped.len(), 1);
    assert!(world.names("sealed").is_empty());
}

#[test]
fn a_name_in_use_gets_the_delivery_number_and_nothing_is_overwritten() {
    let world = World::new();
    world.publish("k1", &["one"], vec![file("a.csv", b"first")]);
    world.publish("k2", &["one"], vec![file("a.csv", b"second")]);
    let caller = world.caller("one");
    assert_eq!(world.fetch(&caller, "a.csv").unwrap(), b"first");
    assert_eq!(world.fetch(&caller, "a_20261123_000002.csv").unwrap(), b"second");
    let slip = world.fetch(&caller, "daily_20261123_000002.packing-slip.json").unwrap();
    let slip: serde_json::Value = serde_json::from_slice(&slip).unwrap();
    assert_eq!(slip.pointer("/files/0/originalName").unwrap(), "a.csv");
    assert_eq!(slip.pointer("/files/0/name").unwrap(), "a_20261123_000002.csv");
    assert_eq!(slip.pointer("/previousSequence").unwrap(), 1);
}

#[test]
fn the_number_that_the_publisher_expects_is_held() {
    let world = World::new();
    let numbered = |key: &str, number| {
        let mut offer = offer(key, "daily", &["one"], vec![file("a.csv", b"a")]);
        offer.sequence = Some(number);
        world.operations.publish(&offer)
    };
    numbered("k1", 1).unwrap();
    numbered("k2", 2).unwrap();
    assert!(matches!(refusal(numbered("k3", 2)), Refusal::Exists(What::Delivery, _)));
    assert!(matches!(refusal(numbered("k4", 4)), Refusal::BadRequest(_)));
    assert_eq!(world.payloads(), 2);
}

#[test]
fn the_digest_list_names_what_is_delivered() {
    let world = World::new();
    world.publish("k1", &["one"], vec![file("a.csv", b"aaa")]);
    let list = world.fetch(&world.caller("one"), "daily_20261123_000001.sha256").unwrap();
    // SHA-256 of "aaa".
    let expected = "9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0  a.csv\n";
    assert_eq!(String::from_utf8(list).unwrap(), expected);
}
