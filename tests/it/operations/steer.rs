//! Withdraw, replace, extend, hold and release, with their limits (engine §3).

use postkluis::domain::delivery::Availability;
use postkluis::domain::refusal::Refusal;

use super::*;

fn one(world: &World) -> postkluis::domain::ids::DeliveryId {
    world.publish("k1", &["one"], vec![file("a.csv", b"aaa")]).deliveries.first().unwrap().id
}

fn delivery(world: &World, id: postkluis::domain::ids::DeliveryId) -> postkluis::domain::delivery::Delivery {
    world.operations.any_delivery(id).unwrap().delivery
}

#[test]
fn a_withdrawn_publication_is_gone_for_everybody_with_a_notice() {
    let world = World::new();
    let published = world.publish("k1", &["one", "two"], vec![file("a.csv", b"aaa")]);
    assert_eq!(world.operations.withdraw_publication(published.publication, &line("wrong file"), CHANNEL).unwrap(), 2);
    assert!(world.names("one").is_empty() && world.names("two").is_empty());
    assert_eq!((world.payloads(), world.mails()), (0, 4));
    let again = world.operations.withdraw_publication(published.publication, &line("again"), CHANNEL);
    assert!(matches!(refusal(again), Refusal::WrongState(_)));
    assert_eq!(world.mails(), 4);
    world.operations.send_due_mail(10).unwrap();
    // The notice that it is ready would be pointless now; the withdrawal is told.
    assert!(world.mailer.messages().iter().all(|message| message.subject.contains("ingetrokken")));
    assert_eq!(world.mailer.messages().len(), 2);
}

#[test]
fn a_corrected_delivery_takes_name_and_place_of_the_faulty_one() {
    let world = World::new();
    let old = one(&world);
    let published =
        world.operations.replace(old, offer("k2", "daily", &[], vec![file("a.csv", b"corrected")])).unwrap();
    let new = published.deliveries.first().unwrap().id;
    assert_eq!(delivery(&world, old).availability.word(), "replaced");
    assert!(matches!(delivery(&world, old).availability, Availability::Replaced { by, .. } if by == new));
    assert_eq!(delivery(&world, new).replaces, Some(old));
    assert_eq!(world.names("one").len(), 3);
    assert_eq!(world.fetch(&world.caller("one"), "a.csv").unwrap(), b"corrected");
    assert_eq!(world.payloads(), 1);
    assert!(matches!(
        refusal(world.operations.replace(old, offer("k3", "daily", &[], vec![file("a.csv", b"x")]))),
        Refusal::WrongState(_)
    ));
}

#[test]
fn an_extended_window_lasts_longer_and_cannot_be_shortened_or_revived() {
    let world = World::new();
    let id = one(&world);
    let before = delivery(&world, id).available_until;
    assert!(matches!(refusal(world.operations.extend(id, START, CHANNEL)), Refusal::BadRequest(_)));
    let until = world.operations.extend(id, START.after(Span::from_days(60)), CHANNEL).unwrap();
    assert!(until > before);
    assert_eq!(delivery(&world, id).promised_until, before, "the packing slip keeps its bytes");
    for _ in 0..40 {
        world.clock.advance(Span::from_days(1));
        let _ = world.operations.now();
    }
    assert!(world.operations.enforce_retention().unwrap().expired.is_empty());
    assert_eq!(world.fetch(&world.caller("one"), "a.csv").unwrap(), b"aaa");
    for _ in 0..30 {
        world.clock.advance(Span::from_days(1));
        let _ = world.operations.now();
    }
    world.operations.enforce_retention().unwrap();
    let late = world.operations.extend(id, START.after(Span::from_days(200)), CHANNEL);
    assert!(matches!(refusal(late), Refusal::WrongState(_)));
}

#[test]
fn a_held_delivery_outlives_its_window_unseen_until_it_is_released() {
    let world = World::new();
    let id = one(&world);
    world.operations.hold(id, &line("a court asked"), CHANNEL).unwrap();
    assert!(matches!(refusal(world.operations.hold(id, &line("again"), CHANNEL)), Refusal::WrongState(_)));
    assert_eq!(world.fetch(&world.caller("one"), "a.csv").unwrap(), b"aaa", "inside its window it can be fetched");
    for _ in 0..40 {
        world.clock.advance(Span::from_days(1));
        let _ = world.operations.now();
    }
    let report = world.operations.enforce_retention().unwrap();
    assert!(report.shredded.is_empty());
    assert!(world.names("one").is_empty(), "hidden after its window");
    assert_eq!((world.payloads(), delivery(&world, id).availability.word()), (1, "held"));
    world.operations.release(id, CHANNEL).unwrap();
    let report = world.operations.enforce_retention().unwrap();
    assert_eq!(report.expired, vec![id]);
    world.clock.advance(Span::from_days(2));
    let _ = world.operations.now();
    world.operations.confirm_time(CHANNEL).unwrap();
    let report = world.operations.enforce_retention().unwrap();
    assert_eq!((report.shredded, world.payloads()), (vec![id], 0));
    assert!(matches!(refusal(world.operations.release(id, CHANNEL)), Refusal::WrongState(_)));
}

#[test]
fn a_hold_released_in_time_goes_back_to_its_window() {
    let world = World::new();
    let id = one(&world);
    world.operations.hold(id, &line("a question"), CHANNEL).unwrap();
    world.operations.release(id, CHANNEL).unwrap();
    assert_eq!(world.fetch(&world.caller("one"), "a.csv").unwrap(), b"aaa");
    assert_eq!(delivery(&world, id).availability.word(), "available");
}
