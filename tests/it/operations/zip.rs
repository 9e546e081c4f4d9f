//! A delivery as one ZIP file: what of it counts for which file, and who may not.

use postkluis::domain::decision::Decision;
use postkluis::domain::delivery::{DeliveredFile, ProgressState};
use postkluis::domain::history::{About, Event, Happening, HistoryLine, Who};
use postkluis::domain::ids::DeliveryId;
use postkluis::domain::record::Row as _;
use postkluis::domain::zip_layout::FileChecksum;
use postkluis::operations::{Catalog, DeliveryZip};

use super::*;

fn published(world: &World, recipient: &str, files: Vec<OfferedFile>) -> DeliveryId {
    world.publish("k1", &[recipient], files).deliveries.first().unwrap().id
}

/// What happened, but for signing in.
fn happened(world: &World) -> Vec<&'static str> {
    world.history().into_iter().filter(|word| *word != "signed-in").collect()
}

fn lines(world: &World, event: &str) -> Vec<HistoryLine> {
    let query = HistoryQuery { limit: 1_000, ..HistoryQuery::default() };
    let lines = world.operations.history(&query).unwrap();
    lines.into_iter().filter(|line| line.event.what.word() == event).collect()
}

fn opened(world: &World, id: DeliveryId) -> DeliveryZip {
    world.operations.open_zip(&world.caller("one"), id).unwrap()
}

fn three(world: &World) -> DeliveryId {
    published(world, "one", vec![file("a.csv", &[7; 5_000]), file("empty.txt", &[]), file("c.csv", &[9; 3_000])])
}

/// Reads a range to its end; nothing is taken.
fn read(zip: &DeliveryZip, from: u64, to: u64) -> Vec<u8> {
    let mut all = Vec::new();
    while from + (all.len() as u64) < to {
        let at = from + all.len() as u64;
        let mut piece = vec![0; usize::try_from((to - at).min(700)).unwrap()];
        let length = zip.read(at, &mut piece).unwrap();
        assert!(length > 0, "nothing at {at}");
        all.extend_from_slice(&piece[..length]);
    }
    all
}

fn catalog(world: &World) -> Arc<dyn Catalog> {
    Arc::<MemoryCatalog>::clone(&world.catalog) as Arc<dyn Catalog>
}

fn place(zip: &[u8], wanted: &[u8]) -> u64 {
    zip.windows(wanted.len()).position(|window| window == wanted).unwrap() as u64
}

fn fetched(world: &World, id: DeliveryId) -> u32 {
    world.operations.any_delivery(id).unwrap().delivery.progress.files_fetched
}

fn progress(world: &World, id: DeliveryId) -> ProgressState {
    world.operations.any_delivery(id).unwrap().delivery.progress.state()
}

#[test]
fn any_range_is_a_part_of_the_same_bytes_and_reading_alone_fetches_nothing() {
    let world = World::new();
    let id = three(&world);
    let zip = opened(&world, id);
    assert!(!world.history().contains(&"fetch-started"));
    let size = zip.size_bytes();
    let whole = read(&zip, 0, size);
    assert_eq!(zip.read(size, &mut [0; 10]).unwrap(), 0, "the end");
    assert_eq!((&whole[..4], &whole[whole.len() - 22..whole.len() - 18]), (&b"PK\x03\x04"[..], &b"PK\x05\x06"[..]));
    for (from, to) in [(0, 1), (29, 31), (40, 5_100), (1, size), (size - 1, size), (5_060, 5_070), (8_000, size - 3)] {
        let again = opened(&world, id);
        assert_eq!(read(&again, from, to), whole[from as usize..to as usize], "{from} to {to}");
        assert_eq!((again.tag(), again.size_bytes()), (zip.tag(), size));
    }
    assert_eq!(progress(&world, id), ProgressState::Started);
    assert_eq!(fetched(&world, id), 0);
    zip.abandon().unwrap();
    assert_eq!(fetched(&world, id), 0, "nothing was taken");
}

#[test]
fn a_file_is_fetched_when_all_its_bytes_were_taken_whatever_the_ranges() {
    let world = World::new();
    let id = three(&world);
    let zip = opened(&world, id);
    let whole = read(&zip, 0, zip.size_bytes());
    drop(zip);
    let (first, third) = (place(&whole, &[7; 5_000]), place(&whole, &[9; 3_000]));
    let zip = opened(&world, id);
    let until = first + 4_999;
    read(&zip, 0, until);
    zip.taken(0, usize::try_from(until).unwrap()).unwrap();
    zip.close().unwrap();
    assert_eq!(fetched(&world, id), 0, "one byte is missing");
    assert!(!world.history().contains(&"file-fetched"));
    let ended = lines(&world, "fetch-ended");
    assert_eq!(ended.last().unwrap().event.detail.bytes, Some(4_999), "bytes of the file, not of what is around it");
    // the missing byte, and the header of the empty file but for its last byte
    let zip = opened(&world, id);
    let third_header = whole.windows(4).enumerate().filter(|(_, four)| four == b"PK\x03\x04").nth(2).unwrap().0 as u64;
    assert!(until + 30 < third_header && third_header < third);
    read(&zip, until, third_header - 1);
    zip.taken(until, usize::try_from(third_header - 1 - until).unwrap()).unwrap();
    assert_eq!(fetched(&world, id), 1, "the first file, and not the empty one yet");
    read(&zip, third_header - 1, third + 3_000);
    zip.taken(third_header - 1, 1).unwrap();
    assert_eq!(fetched(&world, id), 2, "the empty one");
    assert_eq!(progress(&world, id), ProgressState::Started);
    zip.taken(third_header, usize::try_from(third + 3_000 - third_header).unwrap()).unwrap();
    assert_eq!(progress(&world, id), ProgressState::Fetched, "what follows the files does not count");
    zip.close().unwrap();
    let mut names: Vec<String> =
        lines(&world, "file-fetched").iter().map(|line| line.event.about.file.as_ref().unwrap().to_string()).collect();
    names.sort();
    assert_eq!(names, ["a.csv", "c.csv", "empty.txt"], "each once");
}

#[test]
fn what_a_single_download_fetched_and_what_the_zip_brings_are_one_record() {
    let world = World::new();
    let id = three(&world);
    let caller = world.caller("one");
    let single = world.operations.open_part(&caller, id, postkluis::domain::delivery::DeliveryPart::Data(1)).unwrap();
    single.read(0, &mut [0; 2_000]).unwrap();
    single.taken(0, 2_000).unwrap();
    single.close().unwrap();
    let zip = opened(&world, id);
    let whole = read(&zip, 0, zip.size_bytes());
    let at = place(&whole, &[7; 5_000]) + 2_000;
    zip.taken(at, 3_000).unwrap();
    assert_eq!(fetched(&world, id), 1, "both together are the file");
}

#[test]
fn the_account_has_one_file_open_and_the_zip_no_more_than_sixteen() {
    let world = World::new();
    let files: Vec<OfferedFile> = (0..40).map(|number| file(&format!("f{number}.csv"), &[7; 10])).collect();
    let id = published(&world, "one", files);
    let zip = opened(&world, id);
    let mut piece = vec![0; 100_000];
    let length = zip.read(0, &mut piece).unwrap();
    assert!(zip.is_full(), "the rest waits for the transport");
    assert_eq!(lines(&world, "fetch-started").len(), 16);
    zip.taken(0, length).unwrap();
    assert!(!zip.is_full());
    let mut at = length as u64;
    while at < zip.size_bytes() {
        let length = zip.read(at, &mut piece).unwrap();
        zip.taken(at, length).unwrap();
        at += length as u64;
    }
    assert_eq!(progress(&world, id), ProgressState::Fetched);
    // four may be open; each of these counts as one
    let others: Vec<DeliveryZip> = (0..3).map(|_| opened(&world, id)).collect();
    assert!(matches!(refusal(world.operations.open_zip(&world.caller("one"), id).map(|_| ())), Refusal::TooMuch(_)));
    drop(others);
    zip.close().unwrap();
    let again: Vec<DeliveryZip> = (0..4).map(|_| opened(&world, id)).collect();
    assert_eq!(again.len(), 4);
}

#[test]
fn a_right_that_ends_cuts_it_and_nothing_more_is_put_on_record() {
    let world = World::new();
    let id = three(&world);
    let zip = opened(&world, id);
    read(&zip, 0, 4_000);
    zip.taken(0, 4_000).unwrap();
    world.operations.decouple(&login("one-robot"), None, &product("daily"), CHANNEL).unwrap();
    let before = happened(&world);
    assert!(matches!(refusal(zip.read(4_000, &mut [0; 10])), Refusal::NotFound(_)), "content");
    assert!(matches!(refusal(zip.read(0, &mut [0; 10])), Refusal::NotFound(_)), "and structure");
    assert!(matches!(refusal(zip.may_go_on()), Refusal::NotFound(_)));
    assert!(matches!(refusal(world.operations.open_zip(&world.caller("one"), id).map(|_| ())), Refusal::NotFound(_)));
    assert_eq!(happened(&world), before);
    assert!(matches!(refusal(world.operations.open_zip(&world.caller("two"), id).map(|_| ())), Refusal::NotFound(_)));
}

#[test]
fn nothing_leaves_while_it_cannot_be_put_on_record() {
    let world = World::new();
    let zip = opened(&world, three(&world));
    world.catalog.set_full(true);
    assert_eq!(refusal(zip.read(0, &mut [0; 100])), Refusal::NoSpace);
    world.catalog.set_full(false);
    assert_eq!(zip.read(0, &mut [0; 100]).unwrap(), 100);
}

#[test]
fn what_was_published_before_checksums_were_kept_gives_the_same_bytes() {
    let world = World::new();
    let id = three(&world);
    let zip = opened(&world, id);
    let whole = read(&zip, 0, zip.size_bytes());
    drop(zip);
    let rows: Vec<DeliveredFile> =
        catalog(&world).look(|view| Ok(view.rows(&DeliveredFile::keys_of(id), None, 10)?)).unwrap();
    assert_eq!(rows.len(), 3);
    let keys: Vec<_> = rows.iter().map(|row| FileChecksum::key_of(row.payload)).collect();
    catalog(&world)
        .decide(Box::new(move |view| {
            let event = Event::new(Happening::PayloadRemoved, Who::system(), About::default());
            let mut decision = Decision::new(START, event);
            for key in keys {
                assert!(view.find(&key)?.is_some(), "kept at publication");
                decision = decision.remove(key);
            }
            Ok(decision)
        }))
        .unwrap();
    let before = happened(&world);
    let zip = opened(&world, id);
    zip.prepare().unwrap();
    assert_eq!(happened(&world), before, "reading a file for its checksum is no fetch");
    assert_eq!(read(&zip, 0, zip.size_bytes()), whole);
}

#[test]
fn checksums_go_with_their_payloads() {
    let world = World::new();
    let id = three(&world);
    let kept = || catalog(&world).look(|view| Ok(view.rows::<FileChecksum>(&FileChecksum::all(), None, 10)?.len()));
    assert_eq!(kept().unwrap(), 3);
    world.operations.withdraw(id, &line("wrong"), CHANNEL).unwrap();
    world.clock.advance(Span::from_days(60));
    world.operations.enforce_retention().unwrap();
    assert_eq!(kept().unwrap(), 0);
    assert!(matches!(refusal(world.operations.open_zip(&world.caller("one"), id).map(|_| ())), Refusal::Gone(_)));
}
