//! Fetching: what is on record before bytes leave, what counts as fetched, and
//! who may not.

use postkluis::domain::delivery::{DeliveryPart, ProgressState};
use postkluis::domain::refusal::{Refusal, What};
use postkluis::operations::{DeliveryFilter, Fetch, StandingChange};

use super::*;

fn opened(world: &World) -> (postkluis::domain::ids::DeliveryId, Fetch) {
    let published = world.publish("k1", &["one"], vec![file("a.csv", &[7; 5_000])]);
    let id = published.deliveries.first().unwrap().id;
    let fetch = world.operations.open_part(&world.caller("one"), id, DeliveryPart::Data(1)).unwrap();
    (id, fetch)
}

fn progress(world: &World, id: postkluis::domain::ids::DeliveryId) -> ProgressState {
    world.operations.any_delivery(id).unwrap().delivery.progress.state()
}

#[test]
fn what_must_be_on_record_is_there_before_the_bytes_leave() {
    let world = World::new();
    let (id, fetch) = opened(&world);
    let mut buffer = vec![0; 4_000];
    assert!(!world.history().contains(&"fetch-started"));
    fetch.read(0, &mut buffer).unwrap();
    assert!(world.history().contains(&"fetch-started"));
    assert!(!world.history().contains(&"file-released"));
    assert_eq!(progress(&world, id), ProgressState::Started);
    fetch.read(4_000, &mut buffer).unwrap();
    assert!(world.history().contains(&"file-released"), "before the last uncovered byte leaves (I8)");
    assert_eq!(progress(&world, id), ProgressState::Started, "not fetched: the transport took nothing yet");
    fetch.taken(0, 4_000).unwrap();
    fetch.taken(4_000, 1_000).unwrap();
    fetch.close().unwrap();
    assert_eq!(progress(&world, id), ProgressState::Fetched);
    assert!(world.history().contains(&"file-fetched"));
}

#[test]
fn what_left_before_a_cut_counts_with_what_leaves_after_it() {
    let world = World::new();
    let (id, fetch) = opened(&world);
    let mut buffer = vec![0; 4_000];
    fetch.read(0, &mut buffer).unwrap();
    fetch.taken(0, 1_000).unwrap();
    fetch.abandon().unwrap();
    drop(fetch);
    // Its client got more than it could confirm, and goes on where its own copy ends.
    let fetch = world.operations.open_part(&world.caller("one"), id, DeliveryPart::Data(1)).unwrap();
    assert!(!world.history().contains(&"file-released"));
    fetch.read(3_000, &mut buffer).unwrap();
    assert!(world.history().contains(&"file-released"), "all of it has left");
    fetch.taken(3_000, 2_000).unwrap();
    fetch.close().unwrap();
    assert_eq!(progress(&world, id), ProgressState::Started, "nobody confirmed what came between");
}

/// Reads without waiting: the bytes or the refusal, if they were at hand.
fn read_at_hand(fetch: &Fetch, offset: u64, length: usize) -> Option<Result<Vec<u8>, Failure>> {
    let (told, heard) = std::sync::mpsc::channel();
    let is_taken_on = fetch.read_at_hand(offset, length, move |read| told.send(read).unwrap());
    let read = heard.try_recv().ok();
    assert_eq!(is_taken_on, read.is_some(), "in memory everything is told at once");
    read
}

#[test]
fn what_is_at_hand_leaves_after_the_same_records() {
    let world = World::new();
    let (id, fetch) = opened(&world);
    assert_eq!(read_at_hand(&fetch, 0, 4_000).unwrap().unwrap(), vec![7; 4_000]);
    assert!(world.history().contains(&"fetch-started") && !world.history().contains(&"file-released"));
    assert_eq!(read_at_hand(&fetch, 4_000, 4_000).unwrap().unwrap(), vec![7; 1_000], "never short before the end");
    assert!(world.history().contains(&"file-released"));
    assert!(read_at_hand(&fetch, 5_000, 10).unwrap().unwrap().is_empty(), "the end of the file");
    fetch.taken(0, 5_000).unwrap();
    fetch.close().unwrap();
    assert_eq!(progress(&world, id), ProgressState::Fetched);
}

#[test]
fn nothing_leaves_while_it_cannot_be_put_on_record_and_asking_again_records_it() {
    let world = World::new();
    let (_, fetch) = opened(&world);
    let mut buffer = vec![0; 5_000];
    world.catalog.set_full(true);
    assert_eq!(refusal(fetch.read(0, &mut buffer)), Refusal::NoSpace);
    assert_eq!(refusal(read_at_hand(&fetch, 0, 5_000).unwrap()), Refusal::NoSpace);
    assert_eq!(refusal(fetch.read(0, &mut buffer)), Refusal::NoSpace, "a refused record is asked for again");
    assert!(!world.history().contains(&"fetch-started"));
    world.catalog.set_full(false);
    assert_eq!(fetch.read(0, &mut buffer).unwrap(), 5_000);
    let history = world.history();
    assert!(history.contains(&"fetch-started") && history.contains(&"file-released"), "{history:?}");
}

#[test]
fn a_removed_right_ends_reading_by_either_way_at_once() {
    let world = World::new();
    let (_, fetch) = opened(&world);
    assert!(read_at_hand(&fetch, 0, 10).unwrap().is_ok());
    world.operations.decouple(&login("one-robot"), None, &product("daily"), CHANNEL).unwrap();
    assert!(matches!(refusal(read_at_hand(&fetch, 10, 10).unwrap()), Refusal::NotFound(_)));
    assert!(matches!(refusal(fetch.read(10, &mut [0; 10])), Refusal::NotFound(_)));
}

#[test]
fn a_cut_connection_never_counts_for_more_than_was_taken_and_a_resume_completes() {
    let world = World::new();
    let (id, fetch) = opened(&world);
    let mut buffer = vec![0; 5_000];
    fetch.read(0, &mut buffer).unwrap();
    fetch.taken(0, 3_000).unwrap();
    fetch.abandon().unwrap();
    assert_eq!(progress(&world, id), ProgressState::Started);
    let view = world.operations.any_delivery(id).unwrap();
    assert_eq!(view.coverage.first().unwrap().coverage.bytes(), 3_000);
    let rest = world.operations.open_part(&world.caller("one"), id, DeliveryPart::Data(1)).unwrap();
    rest.read(3_000, &mut buffer).unwrap();
    rest.taken(3_000, 2_000).unwrap();
    rest.close().unwrap();
    assert_eq!(progress(&world, id), ProgressState::Fetched);
}

#[test]
fn packing_slips_and_digests_do_not_count() {
    let world = World::new();
    let (id, fetch) = opened(&world);
    drop(fetch);
    for part in [DeliveryPart::PackingSlip, DeliveryPart::DigestList] {
        let fetch = world.operations.open_part(&world.caller("one"), id, part).unwrap();
        let mut bytes = vec![0; 10_000];
        assert!(fetch.read(0, &mut bytes).unwrap() > 0);
        fetch.close().unwrap();
    }
    assert_eq!(progress(&world, id), ProgressState::Published);
}

#[test]
fn an_empty_file_is_fetched_by_opening_and_closing_it() {
    let world = World::new();
    let published = world.publish("k1", &["one"], vec![file("empty.csv", b"")]);
    let id = published.deliveries.first().unwrap().id;
    assert_eq!(world.fetch(&world.caller("one"), "empty.csv").unwrap(), b"");
    assert_eq!(progress(&world, id), ProgressState::Fetched);
}

#[test]
fn an_empty_file_whose_end_was_read_is_fetched_even_when_the_client_hangs_up() {
    let world = World::new();
    let published = world.publish("k1", &["one"], vec![file("empty.csv", b"")]);
    let id = published.deliveries.first().unwrap().id;
    let open = || world.operations.open_part(&world.caller("one"), id, DeliveryPart::Data(1)).unwrap();
    open().abandon().unwrap();
    assert_eq!(progress(&world, id), ProgressState::Published, "opened and not read");
    let fetch = open();
    assert_eq!(fetch.read(0, &mut [0; 10]).unwrap(), 0);
    fetch.abandon().unwrap();
    assert_eq!(progress(&world, id), ProgressState::Fetched);
}

#[test]
fn nobody_sees_what_is_not_theirs() {
    let world = World::new();
    let published = world.publish("k1", &["one"], vec![file("a.csv", b"aaa")]);
    let id = published.deliveries.first().unwrap().id;
    let stranger = world.caller("two");
    for part in [DeliveryPart::Data(1), DeliveryPart::PackingSlip, DeliveryPart::DigestList] {
        assert!(matches!(refusal(world.operations.open_part(&stranger, id, part).map(drop)), Refusal::NotFound(_)));
    }
    assert!(matches!(refusal(world.operations.delivery(&stranger, id).map(drop)), Refusal::NotFound(_)));
    let foreign = world.operations.outbox_page(&stranger, &org("one"), &product("daily"), None, 10);
    assert!(matches!(refusal(foreign), Refusal::NotFound(What::Folder)));
    let filter = DeliveryFilter {
        organisation: Some(org("one")),
        product: Some(product("daily")),
        limit: 10,
        ..DeliveryFilter::default()
    };
    assert!(matches!(refusal(world.operations.deliveries(&stranger, &filter).map(drop)), Refusal::NotFound(_)));
    // An own product without a coupling (C1).
    let uncoupled = world.operations.outbox_page(&stranger, &org("two"), &product("short"), None, 10);
    assert!(matches!(refusal(uncoupled), Refusal::NotFound(What::Folder)));
    assert!(!world.history().contains(&"fetch-started"));
}

#[test]
fn a_removed_right_a_block_and_a_withdrawal_end_an_open_handle() {
    type Ending = fn(&World, postkluis::domain::ids::DeliveryId);
    type Check = fn(&Refusal) -> bool;
    let endings: [(Ending, Check); 4] = [
        (
            |world, _| world.operations.decouple(&login("one-robot"), None, &product("daily"), CHANNEL).unwrap(),
            |refusal| matches!(refusal, Refusal::NotFound(_)),
        ),
        (
            |world, _| {
                let block = StandingChange::Block { reason: line("test"), until: None };
                world.operations.change_account_standing(&login("one-robot"), block, CHANNEL).unwrap();
            },
            |refusal| matches!(refusal, Refusal::Blocked),
        ),
        (
            |world, _| {
                let block = StandingChange::Block { reason: line("test"), until: None };
                world.operations.change_organisation_standing(&org("one"), block, CHANNEL).unwrap();
            },
            |refusal| matches!(refusal, Refusal::Blocked),
        ),
        (
            |world, id| world.operations.withdraw(id, &line("wrong month"), CHANNEL).unwrap(),
            |refusal| matches!(refusal, Refusal::Gone(Some(_))),
        ),
    ];
    for (end, is_expected) in endings {
        let world = World::new();
        let (id, fetch) = opened(&world);
        let mut buffer = vec![0; 100];
        fetch.read(0, &mut buffer).unwrap();
        end(&world, id);
        let refused = refusal(fetch.read(100, &mut buffer));
        assert!(is_expected(&refused), "{refused}");
    }
}

#[test]
fn open_files_are_bounded_per_account() {
    let world = World::new();
    let (id, first) = opened(&world);
    let caller = world.caller("one");
    let more: Vec<Fetch> =
        (0..3).map(|_| world.operations.open_part(&caller, id, DeliveryPart::Data(1)).unwrap()).collect();
    assert!(matches!(
        refusal(world.operations.open_part(&caller, id, DeliveryPart::Data(1)).map(drop)),
        Refusal::TooMuch(_)
    ));
    drop(more);
    drop(first);
    assert!(world.operations.open_part(&caller, id, DeliveryPart::Data(1)).is_ok());
}

#[test]
fn sign_in_tells_strangers_nothing_and_records_sessions() {
    let world = World::new();
    let visitor = Visitor { address: IpAddr::V4(Ipv4Addr::LOCALHOST), client: None };
    for (login, key) in [("nobody", "SHA256:key"), ("one-robot", "SHA256:other"), ("../x", "SHA256:key")] {
        assert_eq!(refusal(world.operations.sign_in_with_key(login, key, &visitor)), Refusal::NotSignedIn);
    }
    assert_eq!(refusal(world.operations.sign_in_with_token("pkt_wrong", &visitor)), Refusal::NotSignedIn);
    assert!(!world.history().contains(&"signed-in"));
    let caller = world.caller("one");
    world.operations.sign_out(&caller).unwrap();
    assert!(world.history().ends_with(&["signed-in", "signed-out"]));
    let token =
        world.operations.add_token(&login("one-robot"), Some(START.after(Span::from_days(1))), CHANNEL).unwrap();
    assert!(world.operations.sign_in_with_token(&token.secret, &visitor).is_ok());
    world.clock.advance(Span::from_days(1));
    assert_eq!(refusal(world.operations.sign_in_with_token(&token.secret, &visitor)), Refusal::NotSignedIn);
}
