//! Publishing: all or none, once, with every refusal leaving nothing behind.

use std::sync::{Arc, Mutex};

use postkluis::domain::history::Happening;
use postkluis::domain::refusal::{Refusal, What};
use postkluis::operations::{ProductChange, StandingChange};

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
fn who_is_left_out_is_on_record_with_the_reason() {
    let world = World::new();
    let mut offer = offer("k", "daily", &[], vec![file("a.csv", b"a")]);
    offer.skip_unready = true;
    let published = world.operations.publish(&offer).unwrap();
    let query = HistoryQuery { limit: 1_000, ..HistoryQuery::default() };
    let lines = world.operations.history(&query).unwrap();
    let left_out: Vec<_> = lines.iter().filter(|line| line.event.what == Happening::RecipientLeftOut).collect();
    let [line] = left_out.as_slice() else { panic!("{left_out:?}") };
    let about = &line.event.about;
    assert_eq!((about.organisation.as_ref(), about.publication), (Some(&org("sealed")), Some(published.publication)));
    assert!(line.event.detail.note.as_deref().is_some_and(|note| note.contains("recipient key")));
}

#[test]
fn a_key_is_used_until_the_day_it_is_retired_from() {
    let world = World::new();
    let (first, second) = ("ssh-ed25519 AAAAfirst", "ssh-ed25519 AAAAsecond");
    let add = |line| world.operations.add_recipient_key(&org("sealed"), line, CHANNEL).unwrap().fingerprint;
    let (print, _) = (add(first), add(second));
    let retire = |from| world.operations.retire_recipient_key(&org("sealed"), &print, from, CHANNEL);
    let tomorrow = world.operations.now().after(Span::from_days(1));
    retire(Some(tomorrow)).unwrap();
    // The header of the memory keyring names the keys it was made for.
    let sealed_to = |key: &str, line: &str| {
        world.publish(key, &["sealed"], vec![file(&format!("{key}.csv"), b"data")]);
        let bytes = world.fetch(&world.caller("sealed"), &format!("{key}.csv.age")).unwrap();
        bytes.windows(line.len()).any(|window| window == line.as_bytes())
    };
    assert!(sealed_to("k1", first) && sealed_to("k2", second));
    world.clock.advance(Span::from_days(1));
    assert!(!sealed_to("k3", first) && sealed_to("k4", second));
    let again = world.fetch(&world.caller("sealed"), "k1.csv.age").unwrap();
    assert!(again.windows(first.len()).any(|window| window == first.as_bytes()), "it stays as it was made");
    let refused = refusal(retire(Some(tomorrow.after(Span::from_days(9)))));
    assert!(matches!(refused, Refusal::WrongState(_)), "a retired key does not come back by a date: {refused}");
    add(first);
    assert!(sealed_to("k5", first));
}

#[test]
fn an_organisation_has_no_more_keys_in_use_than_one_header_holds() {
    let world = World::new();
    let add = |number: usize| {
        world.operations.add_recipient_key(&org("sealed"), &format!("ssh-ed25519 AAAAkey{number:03}"), CHANNEL)
    };
    let mut last = String::new();
    // Retired ones stay, and do not count: neither among the valid ones nor in finding these.
    for number in 0..150 {
        if !last.is_empty() {
            world.operations.retire_recipient_key(&org("sealed"), &last, None, CHANNEL).unwrap();
        }
        last = add(number).unwrap().fingerprint;
    }
    world.publish("k1", &["sealed"], vec![file("a.csv", b"a")]);
    (200..215).for_each(|number| drop(add(number).unwrap()));
    assert!(matches!(refusal(add(300)), Refusal::TooMuch(_)));
}

#[test]
fn an_agreement_is_never_weaker_than_its_product() {
    let world = World::new();
    let change = ProductChange { end_to_end: Some(true), ..ProductChange::default() };
    world.operations.change_product(&product("daily"), change, CHANNEL).unwrap();
    let refused = refusal(world.operations.publish(&offer("k1", "daily", &["one"], vec![file("a.csv", b"a")])));
    assert!(matches!(&refused, Refusal::NoRecipientKey(who) if who == &["one"]), "{refused}");
    assert_eq!((world.payloads(), world.names("one").len()), (0, 0));
    world.operations.add_recipient_key(&org("one"), "ssh-ed25519 AAAAone", CHANNEL).unwrap();
    world.publish("k2", &["one"], vec![file("a.csv", b"a")]);
    assert!(world.names("one").contains(&"a.csv.age".to_owned()));
    // The other way round: taken back for the product, it stays where the agreement demands it.
    let change = ProductChange { end_to_end: Some(false), ..ProductChange::default() };
    world.operations.change_product(&product("daily"), change, CHANNEL).unwrap();
    world.publish("k3", &["one"], vec![file("b.csv", b"b")]);
    assert!(world.names("one").contains(&"b.csv".to_owned()));
    let refused = refusal(world.operations.publish(&offer("k4", "daily", &["sealed"], vec![file("b.csv", b"b")])));
    assert!(matches!(refused, Refusal::NoRecipientKey(_)), "{refused}");
}

/// A file during whose reading something happens.
struct Meanwhile(Box<dyn Fn() + Send + Sync>);

impl Source for Meanwhile {
    fn open(&self) -> Result<Box<dyn std::io::Read + Send>, Fault> {
        (self.0)();
        Ok(Box::new(std::io::Cursor::new(b"data".to_vec())))
    }

    fn size_bytes(&self) -> u64 {
        4
    }

    fn verify_unchanged(&self) -> Result<(), Failure> {
        Ok(())
    }
}

#[test]
fn what_becomes_end_to_end_while_it_is_sealed_does_not_appear_readable() {
    let world = World::new();
    let operations = Arc::clone(&world.operations);
    let turn = Meanwhile(Box::new(move || {
        let change = ProductChange { end_to_end: Some(true), ..ProductChange::default() };
        operations.change_product(&product("daily"), change, CHANNEL).unwrap();
    }));
    let turned = OfferedFile { name: name("a.csv"), source: Arc::new(turn) };
    let refused = refusal(world.operations.publish(&offer("k1", "daily", &["one"], vec![turned])));
    assert!(matches!(refused, Refusal::WrongState(_)), "{refused}");
    assert_eq!((world.payloads(), world.names("one").len()), (0, 0));
}

#[test]
fn what_was_sealed_to_a_key_given_up_meanwhile_does_not_appear() {
    let world = World::new();
    let add = |line| world.operations.add_recipient_key(&org("sealed"), line, CHANNEL).unwrap().fingerprint;
    let (lost, _) = (add("ssh-ed25519 AAAAlost"), add("ssh-ed25519 AAAAkept"));
    let operations = Arc::clone(&world.operations);
    let retire = Meanwhile(Box::new(move || {
        operations.retire_recipient_key(&org("sealed"), &lost, None, CHANNEL).unwrap();
    }));
    let file = OfferedFile { name: name("a.csv"), source: Arc::new(retire) };
    let refused = refusal(world.operations.publish(&offer("k1", "daily", &["sealed"], vec![file])));
    assert!(matches!(refused, Refusal::WrongState(_)), "{refused}");
    assert_eq!((world.payloads(), world.names("sealed").len()), (0, 0));
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
