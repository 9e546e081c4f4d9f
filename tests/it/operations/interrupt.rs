//! Interruptions and blocks: who is told what, and windows that wait (J1, J2, J5, J6).

use postkluis::domain::block::{EndReason, Standing};
use postkluis::domain::history::Happening;
use postkluis::domain::ids::DeliveryId;
use postkluis::domain::interruption::{Interruption, Reach};
use postkluis::operations::texts::Tongue;
use postkluis::operations::{NewInterruption, StandingChange};

use super::*;

fn hours(hours: u64) -> Span {
    Span::from_seconds(hours * 3_600)
}

fn start(world: &World, reach: Reach, from: Option<Moment>, lasts: Span) -> Interruption {
    let until = from.unwrap_or_else(|| world.operations.now()).after(lasts);
    let new = NewInterruption { reach, nature: line("maintenance"), from, until, tells_administrators: false };
    world.operations.start_interruption(new, CHANNEL).unwrap()
}

fn one(world: &World) -> DeliveryId {
    world.publish("k1", &["one"], vec![file("a.csv", b"aaa")]).deliveries.first().unwrap().id
}

fn until(world: &World, id: DeliveryId) -> String {
    world.operations.any_delivery(id).unwrap().delivery.available_until.to_string()
}

fn word(world: &World, id: DeliveryId) -> &'static str {
    world.operations.any_delivery(id).unwrap().delivery.availability.word()
}

fn count(world: &World, what: Happening) -> usize {
    let lines = world.operations.history(&HistoryQuery { limit: 1_000, ..HistoryQuery::default() }).unwrap();
    lines.iter().filter(|line| line.event.what == what).count()
}

/// Lets time pass in steps, with the timers of a server.
fn pass(world: &World, days: u64) {
    for _ in 0..days {
        world.clock.advance(Span::from_days(1));
        world.operations.begin_due_interruptions().unwrap();
        world.operations.enforce_retention().unwrap();
    }
}

#[test]
fn an_interruption_shuts_out_its_channel_with_nature_and_end_until_it_is_ended() {
    let world = World::new();
    one(&world);
    let caller = world.caller("one");
    let interruption = start(&world, Reach::Https, None, hours(2));
    assert!(world.operations.closure(Channel::Sftp).unwrap().is_none());
    let closure = world.operations.closure(Channel::Portal).unwrap().unwrap();
    assert_eq!(
        closure.sentence(Tongue::Dutch),
        "De toegang is onderbroken: maintenance. Verwacht einde: 2026-11-23 12:00."
    );
    assert_eq!(
        closure.sentence(Tongue::English),
        "Access is interrupted: maintenance. Expected end: 2026-11-23 12:00."
    );
    assert_eq!(closure.seconds(), 7_200);
    assert_eq!(world.fetch(&caller, "a.csv").is_ok(), caller.channel == Channel::Sftp);

    // an end that was only expected opens nothing
    world.clock.advance(hours(3));
    let late = world.operations.closure(Channel::Api).unwrap().unwrap();
    assert!(late.sentence(Tongue::English).contains("longer than expected"));
    assert_eq!(late.seconds(), 300);
    assert_eq!(world.operations.end_interruption(None, CHANNEL).unwrap().first().unwrap().id, interruption.id);
    assert!(world.operations.closure(Channel::Api).unwrap().is_none());
    assert!(world.operations.interruptions().unwrap().is_empty());
    assert!(matches!(refusal(world.operations.end_interruption(None, CHANNEL)), Refusal::WrongState(_)));
    assert_eq!((count(&world, Happening::InterruptionBegun), count(&world, Happening::InterruptionEnded)), (1, 1));
}

#[test]
fn an_open_file_ends_when_access_is_interrupted_and_goes_on_for_nobody() {
    let world = World::new();
    let id = one(&world);
    let caller = world.caller("one");
    let part = postkluis::domain::delivery::DeliveryPart::Data(1);
    let open = world.operations.open_part(&caller, id, part).unwrap();
    let mut buffer = [0; 1];
    assert!(open.read(0, &mut buffer).is_ok());
    start(&world, Reach::All, None, hours(2));
    assert_eq!(refusal(open.read(1, &mut buffer)), Refusal::Blocked);
    assert_eq!(refusal(world.operations.open_part(&caller, id, part).map(drop)), Refusal::Blocked);
    world.operations.end_interruption(None, CHANNEL).unwrap();
    assert_eq!(world.fetch(&caller, "a.csv").unwrap(), b"aaa");
}

#[test]
fn what_is_announced_is_told_ahead_and_begins_at_its_moment_on_record() {
    let world = World::new();
    let from = START.after(hours(24));
    let announced = start(&world, Reach::All, Some(from), hours(2));
    assert!(world.operations.closure(Channel::Sftp).unwrap().is_none());
    let told = world.operations.announced_closures(Channel::Sftp).unwrap();
    assert_eq!(
        told.first().unwrap().sentence(Tongue::Dutch),
        "Van 2026-11-24 10:00 tot 2026-11-24 12:00 is er geen toegang: maintenance."
    );
    assert_eq!(world.operations.begin_due_interruptions().unwrap(), 0);
    world.clock.advance(hours(24));
    // closed from that moment, before any timer has run
    assert!(world.operations.closure(Channel::Sftp).unwrap().is_some());
    assert_eq!(world.operations.begin_due_interruptions().unwrap(), 1);
    assert_eq!(world.operations.begin_due_interruptions().unwrap(), 0);
    assert!(world.operations.announced_closures(Channel::Sftp).unwrap().is_empty());
    assert_eq!(count(&world, Happening::InterruptionBegun), 1);
    world.operations.end_interruption(Some(announced.id), CHANNEL).unwrap();
    assert!(matches!(refusal(world.operations.end_interruption(Some(announced.id), CHANNEL)), Refusal::NotFound(_)));

    let called_off = start(&world, Reach::Sftp, Some(world.operations.now().after(hours(1))), hours(1));
    world.operations.end_interruption(Some(called_off.id), CHANNEL).unwrap();
    world.clock.advance(hours(2));
    assert!(world.operations.closure(Channel::Sftp).unwrap().is_none());
    let backwards =
        NewInterruption { reach: Reach::All, nature: line("x"), from: None, until: START, tells_administrators: true };
    assert!(matches!(refusal(world.operations.start_interruption(backwards, CHANNEL)), Refusal::BadRequest(_)));
    assert!(world.operations.interruptions().unwrap().is_empty());
}

#[test]
fn a_window_that_runs_out_during_an_interruption_is_there_again_after_it() {
    let world = World::new();
    let id = one(&world);
    assert_eq!(until(&world, id), "2026-12-24T00:00:00Z");
    pass(&world, 29);
    start(&world, Reach::All, None, hours(24));
    // 22 December, 10:00, to 26 December, 10:00
    pass(&world, 4);
    assert_eq!(word(&world, id), "available");
    assert_eq!((count(&world, Happening::WindowPaused), count(&world, Happening::DeliveryExpired)), (1, 0));
    world.operations.end_interruption(None, CHANNEL).unwrap();
    world.operations.enforce_retention().unwrap();
    // as long again as it took, to the end of that day
    assert_eq!(until(&world, id), "2026-12-31T00:00:00Z");
    assert_eq!(world.fetch(&world.caller("one"), "a.csv").unwrap(), b"aaa");
    assert_eq!((count(&world, Happening::DeliveryExtended), count(&world, Happening::WindowsResumed)), (1, 1));
    world.operations.enforce_retention().unwrap();
    assert_eq!((until(&world, id).as_str(), count(&world, Happening::DeliveryExtended)), ("2026-12-31T00:00:00Z", 1));
    pass(&world, 8);
    assert_eq!(word(&world, id), "shredded");
    assert!(world.keyring.living_slots().unwrap().is_empty(), "no key is left behind");
    assert_eq!(world.payloads(), 0);
}

#[test]
fn a_window_that_ends_soon_after_an_interruption_is_extended_and_a_later_one_is_not() {
    let world = World::new();
    let soon = one(&world);
    pass(&world, 10);
    let later = world.publish("k2", &["one"], vec![file("b.csv", b"bbb")]).deliveries.first().unwrap().id;
    let before = until(&world, later);
    pass(&world, 18);
    start(&world, Reach::Sftp, None, hours(24));
    pass(&world, 2);
    world.operations.end_interruption(None, CHANNEL).unwrap();
    world.operations.enforce_retention().unwrap();
    // 23 December, 10:00, and two days
    assert_eq!(until(&world, soon), "2026-12-26T00:00:00Z");
    assert_eq!(until(&world, later), before);
    assert_eq!(world.fetch(&world.caller("one"), "a.csv").unwrap(), b"aaa");
}

#[test]
fn a_block_of_an_organisation_holds_its_windows_and_nobody_elses() {
    let world = World::new();
    let published = world.publish("k1", &["one", "two"], vec![file("a.csv", b"aaa")]);
    let of = |code: &str| published.deliveries.iter().find(|d| d.organisation.as_str() == code).unwrap().id;
    pass(&world, 20);
    let block = StandingChange::Block { reason: line("suspected misuse"), until: None };
    world.operations.change_organisation_standing(&org("one"), block.clone(), CHANNEL).unwrap();
    pass(&world, 5);
    // a block in the place of another goes on with the same pause
    world.operations.change_organisation_standing(&org("one"), block, CHANNEL).unwrap();
    pass(&world, 15);
    assert_eq!((word(&world, of("one")), word(&world, of("two"))), ("available", "shredded"));
    world.operations.change_organisation_standing(&org("one"), StandingChange::Unblock, CHANNEL).unwrap();
    world.operations.enforce_retention().unwrap();
    // blocked for 20 days until 2 January
    assert_eq!(until(&world, of("one")), "2027-01-23T00:00:00Z");
    assert_eq!(world.fetch(&world.caller("one"), "a.csv").unwrap(), b"aaa");
    assert_eq!(count(&world, Happening::WindowPaused), 1);
}

#[test]
fn a_block_that_ends_by_itself_lets_windows_run_on_and_what_was_withdrawn_meanwhile_ends() {
    let world = World::new();
    let kept = one(&world);
    let withdrawn = world.publish("k2", &["one"], vec![file("b.csv", b"bbb")]).deliveries.first().unwrap().id;
    let block = StandingChange::Block { reason: line("incident"), until: Some(START.after(Span::from_days(40))) };
    world.operations.change_organisation_standing(&org("one"), block, CHANNEL).unwrap();
    pass(&world, 35);
    assert_eq!(count(&world, Happening::WindowPaused), 2);
    world.operations.withdraw(withdrawn, &line("wrong file"), CHANNEL).unwrap();
    pass(&world, 6);
    // never longer again than the whole window was, which closed with its day
    assert_eq!(until(&world, kept), "2027-02-02T00:00:00Z");
    assert_eq!((word(&world, kept), word(&world, withdrawn)), ("available", "shredded"));
    pass(&world, 40);
    assert_eq!(word(&world, kept), "shredded");
    assert!(world.keyring.living_slots().unwrap().is_empty(), "no key is left behind");
}

#[test]
fn an_end_is_for_good_with_its_reason_on_record() {
    let world = World::new();
    one(&world);
    let caller = world.caller("one");
    let end = |reason, note: Option<&str>| StandingChange::End { reason, note: note.map(line) };
    let misuse = end(Some(EndReason::Misuse), Some("reported by telephone"));
    world.operations.change_account_standing(&login("one-robot"), misuse.clone(), CHANNEL).unwrap();
    assert!(world.fetch(&caller, "a.csv").is_err());
    let visitor = Visitor { address: IpAddr::V4(Ipv4Addr::LOCALHOST), client: None };
    let refused = refusal(world.operations.sign_in_with_key("one-robot", "SHA256:key", &visitor));
    assert!(matches!(refused, Refusal::Ended(_)), "{refused}");
    let again = refusal(world.operations.change_account_standing(&login("one-robot"), misuse, CHANNEL));
    assert!(matches!(again, Refusal::WrongState(_)), "{again}");
    world.operations.change_organisation_standing(&org("two"), end(None, None), CHANNEL).unwrap();
    let lines = world.operations.history(&HistoryQuery { limit: 1_000, ..HistoryQuery::default() }).unwrap();
    let note = |what| lines.iter().find(|line| line.event.what == what).unwrap().event.detail.note.clone();
    assert_eq!(note(Happening::AccountEnded).as_deref(), Some("a: misuse; reported by telephone"));
    assert_eq!(note(Happening::OrganisationEnded), None);
    let account = world.operations.account(&login("one-robot")).unwrap();
    assert!(matches!(account.standing, Standing::Ended { reason: Some(EndReason::Misuse), .. }));
}

#[test]
fn a_pause_that_is_settled_late_still_gives_a_day() {
    let world = World::new();
    let id = one(&world);
    let block = StandingChange::Block { reason: line("incident"), until: Some(START.after(Span::from_days(32))) };
    world.operations.change_organisation_standing(&org("one"), block, CHANNEL).unwrap();
    pass(&world, 31);
    assert_eq!(count(&world, Happening::WindowPaused), 1);
    // no timer runs for half a year
    for _ in 0..180 {
        world.clock.advance(Span::from_days(1));
        let _ = world.operations.now();
    }
    world.operations.enforce_retention().unwrap();
    assert_eq!(until(&world, id), "2027-06-23T00:00:00Z");
    assert_eq!(world.fetch(&world.caller("one"), "a.csv").unwrap(), b"aaa");
}
