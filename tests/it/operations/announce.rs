//! Uploads that are announced and known by their id: repeated, gone on with at the right byte, taken over, taken back,
//! expired; and what is said of them held against what comes.

use postkluis::domain::digest::Digest;
use postkluis::domain::ids::UploadId;
use postkluis::domain::refusal::What;
use postkluis::domain::upload::UploadState;
use postkluis::operations::{Announced, Announcement, NewUpload, UploadFrom};

use super::upload::upload_name;
use super::*;

fn new(name: &str) -> NewUpload {
    NewUpload {
        product: product("intake"),
        name: upload_name(name),
        size_bytes: None,
        sha256: None,
        media_type: None,
        metadata: String::new(),
        replaces: false,
        key: None,
    }
}

impl World {
    fn announced(&self, caller: &Caller, new: &NewUpload) -> Result<Announced, Failure> {
        match self.operations.announce_upload(caller, new)? {
            Announcement::Made(announced) => Ok(*announced),
            Announcement::KeyReused => panic!("the key was used before"),
        }
    }

    fn bring(&self, caller: &Caller, id: UploadId, from: UploadFrom, bytes: &[u8]) -> Result<(), Failure> {
        let upload = self.operations.open_announced(caller, id, from)?;
        let offset = if let UploadFrom::Offset(offset) = from { offset } else { 0 };
        upload.write(offset, bytes)?;
        upload.finish()
    }
}

#[test]
fn the_same_announcement_is_the_same_upload_and_of_nobody_else() {
    let world = World::with_dropbox();
    let (caller, second) = (world.caller("one"), world.second());
    let with_key = |name: &str| NewUpload { key: Some("run".to_owned()), ..new(name) };
    let id = world.announced(&caller, &with_key("a.csv")).unwrap().view.upload.id;
    assert_eq!(world.announced(&caller, &with_key("a.csv")).unwrap().view.upload.id, id);
    let other = world.operations.announce_upload(&caller, &with_key("b.csv")).unwrap();
    assert_eq!(other, Announcement::KeyReused);
    assert_ne!(world.announced(&second, &with_key("c.csv")).unwrap().view.upload.id, id);
    assert!(matches!(refusal(world.announced(&caller, &new("a.csv"))), Refusal::Exists(What::File, _)));
    assert_eq!((world.words_of("upload-started"), world.payloads(), world.mails()), (2, 0, 0));
    world.bring(&caller, id, UploadFrom::Beginning, b"abc").unwrap();
    let again = world.announced(&caller, &with_key("a.csv")).unwrap();
    assert!(matches!(again.view.upload.state, UploadState::Received { .. }));
}

#[test]
fn who_comes_to_another_byte_disturbs_nobody_and_who_comes_to_the_end_takes_over() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    let id = world.announced(&caller, &new("a.csv")).unwrap().view.upload.id;
    let first = world.operations.open_announced(&caller, id, UploadFrom::Offset(0)).unwrap();
    first.write(0, b"abc").unwrap();
    for wrong in [0, 2, 4, u64::MAX] {
        let refused = refusal(world.operations.open_announced(&caller, id, UploadFrom::Offset(wrong)));
        assert!(matches!(refused, Refusal::WrongState(ref why) if why.contains("3 bytes")), "{refused}");
    }
    first.write(3, b"def").unwrap();
    let next = world.operations.open_announced(&caller, id, UploadFrom::Offset(6)).unwrap();
    assert!(matches!(refusal(first.write(6, b"x")), Refusal::WrongState(_)));
    assert!(matches!(refusal(first.finish()), Refusal::WrongState(_)));
    next.write(6, b"ghi").unwrap();
    next.finish().unwrap();
    assert_eq!(world.read_back(&caller, "a.csv"), b"abcdefghi");
    assert!(matches!(
        refusal(world.operations.open_announced(&caller, id, UploadFrom::Offset(9))),
        Refusal::WrongState(_)
    ));
    assert_eq!(world.words_of("upload-received"), 1);
}

#[test]
fn what_was_said_is_held_against_what_comes() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    let sha256 = Digest::new(<sha2::Sha256 as sha2::Digest>::digest(b"right").into());
    let said = NewUpload { size_bytes: Some(5), sha256: Some(sha256), ..new("a.csv") };
    let id = world.announced(&caller, &said).unwrap().view.upload.id;
    let size = || world.operations.announced(&caller, id).unwrap().view.upload.size_bytes;
    assert!(matches!(refusal(world.bring(&caller, id, UploadFrom::Beginning, b"righ")), Refusal::WrongState(_)));
    assert_eq!(size(), 4, "a part of it is kept");
    assert!(matches!(refusal(world.bring(&caller, id, UploadFrom::Offset(4), b"d")), Refusal::BadRequest(_)));
    assert_eq!((size(), world.payloads(), world.mails()), (0, 0, 0), "nobody knows which byte is wrong");
    world.bring(&caller, id, UploadFrom::Offset(0), b"right").unwrap();
    assert_eq!(world.read_back(&caller, "a.csv"), b"right");
    assert_eq!((world.words_of("upload-received"), world.payloads(), world.mails()), (1, 1, 1));
}

#[test]
fn colleagues_and_strangers_bring_nothing_and_names_are_judged_before() {
    let world = World::with_dropbox();
    let (caller, second, stranger) = (world.caller("one"), world.second(), world.caller("two"));
    let id = world.announced(&caller, &new("a.csv")).unwrap().view.upload.id;
    let open = |who: &Caller| refusal(world.operations.open_announced(who, id, UploadFrom::Beginning));
    assert!(matches!(open(&second), Refusal::NotAllowed(_)));
    assert!(matches!(open(&stranger), Refusal::NotFound(What::File)));
    assert!(matches!(refusal(world.operations.own_announced(&second, id)), Refusal::NotFound(What::File)));
    assert!(matches!(refusal(world.operations.take_back_upload(&stranger, id)), Refusal::NotFound(What::File)));
    assert!(matches!(refusal(world.operations.take_back_upload(&second, id)), Refusal::NotAllowed(_)));
    for name in [".a.csv", "a.part", "a.csv.done"] {
        assert!(matches!(refusal(world.announced(&caller, &new(name))), Refusal::BadRequest(_)), "{name}");
    }
    let elsewhere = NewUpload { product: product("wages"), ..new("b.csv") };
    assert!(matches!(refusal(world.announced(&caller, &elsewhere)), Refusal::NotFound(_)));
    assert_eq!((world.folder(&caller), world.payloads(), world.mails()), (vec!["a.csv".to_owned()], 0, 0));
}

#[test]
fn one_that_is_never_brought_goes_in_its_time_and_frees_its_name() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    let id = world.announced(&caller, &new("a.csv")).unwrap().view.upload.id;
    world.wait(Span::from_days(9));
    world.operations.enforce_retention().unwrap();
    assert!(matches!(
        world.operations.announced(&caller, id).unwrap(),
        Announced { view, plan: None } if matches!(view.upload.state, UploadState::Expired { .. })
    ));
    assert!(matches!(refusal(world.bring(&caller, id, UploadFrom::Beginning, b"x")), Refusal::NotFound(_)));
    assert!(world.announced(&caller, &new("a.csv")).is_ok());
    assert_eq!((world.payloads(), world.mails()), (0, 0));
}
