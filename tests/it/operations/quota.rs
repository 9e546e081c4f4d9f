//! Room for uploads of one organisation for one product, whichever of its accounts bring them (issue 6, point 6).

use postkluis::domain::decision::Decision;
use postkluis::domain::history::{About, Event, Happening, Who};
use postkluis::domain::refusal::What;
use postkluis::domain::upload_share::FolderSums;
use postkluis::operations::{Announcement, NewUpload, ProductChange, QuotaChange, UploadMode};
use postkluis::ports::catalog::Catalog;

use super::upload::{NEW, upload_name};
use super::*;

/// As the world is set.
const MOST: u64 = 2_000_000;

impl World {
    fn folder_bytes(&self, code: &str) -> Option<u64> {
        let key = FolderSums::key_of(&org(code), &product("intake"));
        let catalog: &dyn Catalog = &*self.catalog;
        catalog.look(|view| Ok(view.row::<FolderSums>(&key)?.map(|sums| sums.bytes))).unwrap()
    }

    fn set_quota(&self, quota: QuotaChange) {
        let change = ProductChange { upload_quota: Some(quota), ..ProductChange::default() };
        self.operations.change_product(&product("intake"), change, CHANNEL).unwrap();
    }

    fn announce(&self, caller: &Caller, file_name: &str, size_bytes: u64) -> Result<Announcement, Failure> {
        let new = NewUpload {
            product: product("intake"),
            name: upload_name(file_name),
            size_bytes: Some(size_bytes),
            sha256: None,
            media_type: None,
            metadata: String::new(),
            replaces: false,
            key: None,
        };
        self.operations.announce_upload(caller, &new)
    }
}

/// Fails unless it was refused for the room of the organisation.
#[track_caller]
fn is_too_much_of_one<T: std::fmt::Debug>(outcome: Result<T, Failure>, most: u64) {
    let Refusal::TooMuch(why) = refusal(outcome) else { panic!("it was refused for something else") };
    assert!(why.contains(&format!("of this organisation for intake may take {most} bytes together")), "{why}");
}

#[test]
fn accounts_of_one_organisation_share_the_room_of_a_product() {
    let world = World::with_dropbox();
    let (first, second, other) = (world.caller("one"), world.second(), world.caller("two"));
    world.put(&first, "a.csv", &vec![1; 900_000]).unwrap();
    world.put(&first, "b.csv", &vec![2; 500_000]).unwrap();
    let (rows, mails) = (world.all().len(), world.mails());

    // open, beyond the record, by the other account
    let open = world.open(&second, "c.csv", NEW).unwrap();
    open.write(0, &vec![3; 500_000]).unwrap();
    is_too_much_of_one(open.write(500_000, &vec![3; 100_001]), MOST);
    is_too_much_of_one(world.announce(&second, "d.csv", 100_001), MOST);
    let room = world.operations.upload_room_for(&second, &product("intake")).unwrap();
    assert_eq!((room.used_bytes, room.most_bytes), (1_900_000, MOST), "the narrower room is told");
    assert_eq!((world.all().len(), world.mails()), (rows + 1, mails), "of what was announced nothing is kept");
    assert_eq!(world.words_of("upload-refused"), 2);
    open.abandon().unwrap();
    assert_eq!(world.folder_bytes("one"), Some(1_900_000));

    // another organisation has its own room, and does not learn of this one
    world.put(&other, "a.csv", &vec![4; 900_000]).unwrap();
    assert_eq!((world.folder_bytes("one"), world.folder_bytes("two")), (Some(1_900_000), Some(900_000)));
    assert!(matches!(
        refusal(world.operations.upload_room_for(&other, &product("daily"))),
        Refusal::NotFound(_) | Refusal::NotAllowed(_)
    ));

    // what goes makes room
    world.operations.remove_upload(&first, &product("intake"), &upload_name("b.csv")).unwrap();
    assert_eq!(world.folder_bytes("one"), Some(1_400_000));
    world.announce(&second, "d.csv", 600_000).unwrap();
    world.wait(Span::from_days(400));
    world.operations.enforce_retention().unwrap();
    assert_eq!((world.folder_bytes("one"), world.folder_bytes("two")), (Some(0), Some(0)));
}

#[test]
fn an_operator_sets_the_room_of_a_product() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    world.put(&caller, "a.csv", &vec![1; 300_000]).unwrap();
    world.set_quota(QuotaChange::Bytes(200_000));
    assert_eq!(world.operations.upload_quota(&product("intake")).unwrap(), Some(200_000));
    assert_eq!(world.read_back(&caller, "a.csv").len(), 300_000, "what is there stays");
    let open = world.open(&caller, "b.csv", NEW).unwrap();
    is_too_much_of_one(open.write(0, b"x"), 200_000);
    open.abandon().unwrap();
    assert_eq!(world.look(&caller, "b.csv").unwrap().upload.size_bytes, 0);

    world.set_quota(QuotaChange::Bytes(300_001));
    let open = world.open(&caller, "b.csv", UploadMode::default()).unwrap();
    open.write(0, b"x").unwrap();
    is_too_much_of_one(open.write(1, b"y"), 300_001);
    open.abandon().unwrap();

    world.set_quota(QuotaChange::Configured);
    assert_eq!(world.operations.upload_quota(&product("intake")).unwrap(), None);
    world.put(&caller, "c.csv", &vec![1; 600_000]).unwrap();
    assert_eq!(world.words_of("product-changed"), 3);
    let nothing = ProductChange { upload_quota: Some(QuotaChange::Bytes(1)), ..ProductChange::default() };
    let unknown = world.operations.change_product(&product("none"), nothing, CHANNEL);
    assert!(matches!(refusal(unknown), Refusal::NotFound(What::Product)));
    assert_eq!(world.operations.upload_quota(&product("none")).unwrap(), None);
}

#[test]
fn sums_that_an_older_version_did_not_keep_are_counted_once() {
    let world = World::with_dropbox();
    let (first, second) = (world.caller("one"), world.second());
    world.put(&first, "a.csv", &vec![1; 900_000]).unwrap();
    world.put(&second, "b.csv", &vec![1; 700_000]).unwrap();
    world.put(&world.caller("two"), "c.csv", &[1; 50]).unwrap();
    let (now, key) = (world.operations.now(), FolderSums::key_of(&org("one"), &product("intake")));
    let event = Event::new(Happening::ProductChanged, Who::system(), About::default());
    world.catalog.decide(Box::new(move |_| Ok(Decision::new(now, event).remove(key)))).unwrap();
    assert_eq!(world.folder_bytes("one"), None);

    is_too_much_of_one(world.announce(&second, "d.csv", 400_001), MOST);
    world.announce(&second, "d.csv", 400_000).unwrap();
    assert_eq!(world.folder_bytes("one"), Some(1_600_000));
    world.put(&first, "e.csv", &vec![1; 400_000]).unwrap();
    is_too_much_of_one(world.announce(&second, "f.csv", 1), MOST);
}
