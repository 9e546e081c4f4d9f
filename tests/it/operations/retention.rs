//! The end of windows, e-mail that fails and succeeds, and a clock that jumps.

use postkluis::domain::delivery::{Availability, DeliveryPart};
use postkluis::domain::notice::MailState;
use postkluis::domain::refusal::Refusal;
use postkluis::ports::mailer::MailOutcome;

use super::*;

fn availability(world: &World, id: postkluis::domain::ids::DeliveryId) -> &'static str {
    world.operations.any_delivery(id).unwrap().delivery.availability.word()
}

#[test]
fn the_key_of_a_publication_that_never_came_on_record_is_destroyed_too() {
    let world = World::new();
    // Its content changes while it is read: refused after the shred key was made.
    let changing = Text { bytes: b"aaa".to_vec(), changed: Mutex::new(true) };
    let files = vec![OfferedFile { name: name("a.csv"), source: Arc::new(changing) }];
    let refused = refusal(world.operations.publish(&offer("k1", "short", &["one"], files)));
    assert!(matches!(refused, Refusal::Changed(_)), "{refused}");
    assert_eq!(world.keyring.living_slots().unwrap().len(), 1);
    assert!(world.operations.enforce_retention().unwrap().slots_destroyed.is_empty());
    pass(&world, 2);
    assert_eq!(world.operations.enforce_retention().unwrap().slots_destroyed.len(), 1);
    assert!(world.keyring.living_slots().unwrap().is_empty());
    assert!(world.operations.enforce_retention().unwrap().slots_destroyed.is_empty());
}

/// Lets time pass in steps, as a server that runs sees it.
fn pass(world: &World, days: u64) {
    for _ in 0..days {
        world.clock.advance(Span::from_days(1));
        let _ = world.operations.now();
    }
}

#[test]
fn the_records_of_shred_keys_tell_what_was_destroyed_without_the_history() {
    let world = World::new();
    world.publish("k1", &["one"], vec![file("a.csv", b"aaa")]);
    pass(&world, 3);
    world.publish("k2", &["one"], vec![file("b.csv", b"bbb")]);
    let slots = world.operations.slot_records(None).unwrap();
    let [first, second] = slots.as_slice() else { panic!("{slots:?}") };
    assert_eq!((first.destroyed_at, second.destroyed_at), (None, None));
    pass(&world, 30);
    assert_eq!(world.operations.enforce_retention().unwrap().slots_destroyed.len(), 1);
    let slots = world.operations.slot_records(None).unwrap();
    assert_eq!(slots.iter().map(|slot| slot.destroyed_at.is_some()).collect::<Vec<_>>(), [true, false]);
    assert_eq!(world.operations.slot_records(Some(&first.slot)).unwrap().len(), 1, "the next page");
}

#[test]
fn available_until_the_promised_moment_and_gone_after_it() {
    let world = World::new();
    let published = world.publish("k1", &["one"], vec![file("a.csv", b"aaa")]);
    let delivery = published.deliveries.first().unwrap();
    // 30 days from 23 November, closed by the midnight of its last day.
    assert_eq!(delivery.available_until.to_string(), "2026-12-24T00:00:00Z");
    pass(&world, 30);
    let report = world.operations.enforce_retention().unwrap();
    assert!(report.expired.is_empty() && report.shredded.is_empty());
    assert_eq!(world.fetch(&world.caller("one"), "a.csv").unwrap(), b"aaa");

    let open = world.operations.open_part(&world.caller("one"), delivery.id, DeliveryPart::Data(1)).unwrap();
    world.clock.advance(Span::from_seconds(14 * 3_600));
    // Hidden at once, also before any timer has run.
    assert!(world.names("one").is_empty());
    let refused =
        refusal(world.operations.open_part(&world.caller("one"), delivery.id, DeliveryPart::Data(1)).map(drop));
    assert!(matches!(refused, Refusal::Gone(Some(_))), "{refused}");
    let report = world.operations.enforce_retention().unwrap();
    assert_eq!(report.expired, vec![delivery.id]);
    assert_eq!(availability(&world, delivery.id), "expired");
    // A handle that was open may finish within the grace, and no longer.
    let mut buffer = [0; 3];
    assert!(open.read(0, &mut buffer).is_ok());
    world.clock.advance(Span::from_seconds(2 * 3_600));
    assert!(matches!(refusal(open.read(0, &mut buffer)), Refusal::Gone(_)));
    drop(open);

    pass(&world, 1);
    let report = world.operations.enforce_retention().unwrap();
    assert_eq!(report.shredded, vec![delivery.id]);
    assert_eq!((report.slots_destroyed.len(), report.payloads_removed), (1, 1));
    assert_eq!(availability(&world, delivery.id), "shredded");
    assert_eq!(world.payloads(), 0);
    // Metadata and history stay; a second round finds nothing to do.
    assert!(world.history().contains(&"delivery-shredded"));
    let again = world.operations.enforce_retention().unwrap();
    assert!(again.expired.is_empty() && again.slots_destroyed.is_empty() && again.shredded.is_empty());
}

#[test]
fn two_products_end_on_their_own_days() {
    let world = World::new();
    let daily = world.publish("k1", &["one"], vec![file("a.csv", b"aaa")]).deliveries.first().unwrap().id;
    let short = world.operations.publish(&offer("k2", "short", &["one"], vec![file("b.csv", b"b")])).unwrap();
    let short = short.deliveries.first().unwrap().id;
    world.clock.advance(Span::from_seconds(11));
    assert_eq!(world.operations.enforce_retention().unwrap().expired, vec![short]);
    assert_eq!((availability(&world, short), availability(&world, daily)), ("expired", "available"));
}

#[test]
fn nothing_is_destroyed_while_the_clock_is_not_trusted() {
    let world = World::new();
    let id = world.publish("k1", &["one"], vec![file("a.csv", b"aaa")]).deliveries.first().unwrap().id;
    world.clock.set(START.after(Span::from_days(365)));
    let report = world.operations.enforce_retention().unwrap();
    assert!(report.clock_not_trusted && report.shredded.is_empty() && report.expired.is_empty());
    assert_eq!(world.fetch(&world.caller("one"), "a.csv").unwrap(), b"aaa");
    world.operations.confirm_time(CHANNEL).unwrap();
    let report = world.operations.enforce_retention().unwrap();
    assert_eq!((report.expired, report.shredded), (vec![id], vec![id]));
    assert!(world.history().contains(&"time-confirmed"));
}

#[test]
fn a_payload_stays_while_one_header_lives() {
    let world = World::new();
    let published = world.publish("k1", &["one", "two"], vec![file("a.csv", b"aaa")]);
    assert_eq!(world.payloads(), 1);
    world.operations.withdraw(published.deliveries.first().unwrap().id, &line("not for you"), CHANNEL).unwrap();
    assert_eq!(world.payloads(), 1);
    assert_eq!(world.fetch(&world.caller("two"), "a.csv").unwrap(), b"aaa");
    world.operations.withdraw(published.deliveries.get(1).unwrap().id, &line("nor you"), CHANNEL).unwrap();
    assert_eq!(world.payloads(), 0, "the last header went (I7)");
}

#[test]
fn mail_that_fails_waits_is_tried_again_and_stays_visible() {
    let world = World::new();
    world.mailer.script(MailOutcome::Deferred("451 later".to_owned()));
    world.publish("k1", &["one"], vec![file("a.csv", b"aaa")]);
    assert_eq!(world.operations.send_due_mail(10).unwrap().deferred, 1);
    assert_eq!(world.operations.send_due_mail(10).unwrap(), postkluis::operations::MailRound::default());
    world.clock.advance(Span::from_seconds(60));
    assert_eq!(world.operations.send_due_mail(10).unwrap().sent, 1);
    let messages = world.mailer.messages();
    let message = messages.last().unwrap();
    assert_eq!(message.to.as_str(), "owner@one.example");
    assert!(message.text.contains("2026-12-23"), "the last day to fetch: {}", message.text);
    let queue = world.operations.mail_queue(None).unwrap();
    assert!(matches!(queue.first().unwrap().0.state, MailState::Sent { .. }));

    for _ in 0..3 {
        world.mailer.script(MailOutcome::Deferred("451 later".to_owned()));
    }
    world.publish("k2", &["two"], vec![file("a.csv", b"aaa")]);
    for _ in 0..3 {
        world.operations.send_due_mail(10).unwrap();
        world.clock.advance(Span::from_seconds(300));
    }
    let queue = world.operations.mail_queue(None).unwrap();
    let failed = queue.iter().find(|(mail, _)| matches!(mail.state, MailState::Failed { .. })).unwrap();
    assert_eq!(failed.1.as_ref().unwrap().last_error.as_deref(), Some("451 later"));
    assert!(world.history().contains(&"mail-failed"));
    assert_eq!(world.operations.retry_mail().unwrap(), 1);
    assert_eq!(world.operations.send_due_mail(10).unwrap().sent, 1);
}

#[test]
fn blocked_accounts_get_no_mail() {
    let world = World::new();
    world.publish("k1", &["one"], vec![file("a.csv", b"aaa")]);
    let block = postkluis::operations::StandingChange::Block { reason: line("test"), until: None };
    world.operations.change_account_standing(&login("one-robot"), block, CHANNEL).unwrap();
    assert_eq!(world.operations.send_due_mail(10).unwrap().failed, 1);
    assert!(world.mailer.messages().is_empty(), "J6");
}

#[test]
fn recovery_sets_orphans_aside_and_alarms_for_holes() {
    let world = World::new();
    let id = world.publish("k1", &["one"], vec![file("a.csv", b"aaa")]).deliveries.first().unwrap().id;
    let payload = *world.vault.inventory().unwrap().first().unwrap();
    let orphan = postkluis::domain::ids::PayloadId::from_random([0xee; 16]);
    let key = postkluis::ports::keyring::FileKey::new([1; 16]);
    world.vault.store(orphan, &key, None, &mut b"left by a crash".as_slice()).unwrap();
    let recovery = world.operations.recover().unwrap();
    assert_eq!((recovery.set_aside, recovery.missing.len()), (vec![orphan], 0));
    assert_eq!(world.operations.recover().unwrap().set_aside.len(), 0, "idempotent (I9)");
    world.vault.remove(payload).unwrap();
    assert_eq!(world.operations.recover().unwrap().missing, vec![payload]);
    assert!(matches!(world.operations.any_delivery(id).unwrap().delivery.availability, Availability::Available));
}
