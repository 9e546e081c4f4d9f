//! Uploads as people look at them: the newest first, by product and stage, page by page; and what is thrown away of
//! those that did not arrive whole.

use postkluis::domain::ids::UploadId;
use postkluis::domain::refusal::What;
use postkluis::domain::upload_stage::UploadStage;
use postkluis::operations::{SeenFilter, SeenUploads, StandingChange};

use super::upload::NEW;
use super::*;

impl World {
    fn seen(&self, caller: &Caller, filter: SeenFilter) -> SeenUploads {
        self.operations.seen_uploads(caller, &filter).unwrap()
    }

    fn names_seen(&self, caller: &Caller, filter: SeenFilter) -> Vec<String> {
        self.seen(caller, filter).uploads.iter().map(|seen| seen.view.upload.name.to_string()).collect()
    }

    fn id_of(&self, caller: &Caller, name: &str) -> UploadId {
        self.look(caller, name).unwrap().upload.id
    }
}

fn all() -> SeenFilter {
    SeenFilter { limit: 10, ..SeenFilter::default() }
}

#[test]
fn the_newest_come_first_page_by_page_and_by_stage() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    for (day, name) in ["a.csv", "b.csv", "c.csv", "d.csv", "e.csv"].iter().enumerate() {
        world.wait(Span::from_days(u64::try_from(day).unwrap()));
        world.put(&caller, name, name.as_bytes()).unwrap();
    }
    let open = world.open(&caller, "f.csv", NEW).unwrap();
    open.write(0, b"half").unwrap();
    world.open(&caller, "g.csv.part", NEW).unwrap().close().unwrap();
    let mut on_their_way = world.names_seen(&caller, all());
    let received = on_their_way.split_off(2);
    assert_eq!(received, ["e.csv", "d.csv", "c.csv", "b.csv", "a.csv"]);
    on_their_way.sort();
    assert_eq!(on_their_way, ["f.csv", "g.csv.part"]);
    let first = world.seen(&caller, SeenFilter { limit: 2, ..all() });
    assert_eq!((first.uploads.len(), first.uploads[2].stage()), (4, UploadStage::Received));
    let second = world.seen(&caller, SeenFilter { limit: 2, before: first.next, ..all() });
    let names: Vec<String> = second.uploads.iter().map(|seen| seen.view.upload.name.to_string()).collect();
    assert_eq!(names, ["c.csv", "b.csv"], "what is on its way stands on the first page alone");
    let third = world.seen(&caller, SeenFilter { limit: 2, before: second.next, ..all() });
    assert_eq!((third.uploads.len(), third.next), (1, None));
    // by stage and product
    world.operations.withdraw_upload(&caller, world.id_of(&caller, "e.csv")).unwrap();
    let staged = |stage| SeenFilter { stage: Some(stage), ..all() };
    assert_eq!(world.names_seen(&caller, staged(UploadStage::Withdrawn)), ["e.csv"]);
    assert_eq!(world.names_seen(&caller, staged(UploadStage::Receiving)).len(), 2);
    assert_eq!(
        world.names_seen(&caller, SeenFilter { product: Some(product("daily")), ..all() }),
        Vec::<String>::new()
    );
    assert_eq!(world.names_seen(&caller, SeenFilter { product: Some(product("intake")), ..all() }).len(), 7);
    // a colleague sees the same and changes nothing of it; another organisation sees nothing
    assert_eq!(world.names_seen(&world.second(), all()).len(), 7);
    let id = world.id_of(&caller, "d.csv");
    assert!(world.operations.seen_upload(&caller, id).unwrap().may_take_back);
    let colleague = world.operations.seen_upload(&world.second(), id).unwrap();
    assert!(!colleague.may_take_back && !colleague.may_replace && colleague.receipt.is_some());
    let two = world.caller("two");
    assert_eq!(world.names_seen(&two, all()), Vec::<String>::new());
    for strange in [id, open.id(), UploadId::from_bytes([9; 16])] {
        assert_eq!(refusal(world.operations.seen_upload(&two, strange)), Refusal::NotFound(What::File));
        let before = SeenFilter { before: Some(strange), ..all() };
        assert_eq!(refusal(world.operations.seen_uploads(&two, &before)), Refusal::NotFound(What::File));
    }
    // a page may end at what the asker does not see: the next one begins there all the same
    world.operations.decouple(&caller.login, None, &product("intake"), CHANNEL).unwrap();
    let before = SeenFilter { before: Some(id), ..all() };
    assert_eq!(world.seen(&world.caller("one"), before), SeenUploads { uploads: Vec::new(), next: None });
}

#[test]
fn a_file_can_be_replaced_while_it_bears_its_name() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    world.put(&caller, "a.csv", b"hello").unwrap();
    let id = world.id_of(&caller, "a.csv");
    let found = world.operations.seen_upload(&caller, id).unwrap();
    assert!(found.may_take_back && found.may_replace && !found.seen.is_on_behalf());
    world.wait(Span::from_days(1));
    world.operations.advance_intake().unwrap();
    let found = world.operations.seen_upload(&caller, id).unwrap();
    assert_eq!(found.seen.stage(), UploadStage::Collected);
    assert!(!found.may_take_back && !found.may_replace, "the back office has it");
}

#[test]
fn only_what_is_half_ones_own_and_written_by_nobody_is_thrown_away() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    let (second, two) = (world.second(), world.caller("two"));
    world.put(&caller, "whole.csv", b"hello").unwrap();
    let whole = world.id_of(&caller, "whole.csv");
    let half = world.open(&caller, "half.csv", NEW).unwrap();
    half.write(0, b"half").unwrap();
    let (id, mails, events) = (half.id(), world.mails(), world.history().len());
    let discard = |caller: &Caller, id| world.operations.discard_upload(caller, id).unwrap();
    assert!(!discard(&caller, id), "it is written");
    half.abandon().unwrap();
    assert!(!discard(&second, id) && !discard(&two, id), "it is another account's");
    assert!(!discard(&caller, whole), "it was received");
    let paused = world.history().len();
    assert_eq!((paused, world.mails()), (events + 1, mails), "interrupted, and nothing else");
    assert!(world.look(&caller, "half.csv").is_ok() && world.look(&caller, "whole.csv").is_ok());
    assert!(discard(&caller, id));
    assert!(!discard(&caller, id), "once");
    assert_eq!((world.words_of("upload-removed"), world.mails()), (1, mails));
    assert!(world.look(&caller, "half.csv").is_err());
    assert_eq!(world.operations.upload_room(&caller).unwrap().used_bytes, 5);
    // and the name is free again
    world.put(&caller, "half.csv", b"whole now").unwrap();
    // what a blocked account had on its way waits (J6)
    let half = world.open(&caller, "later.csv", NEW).unwrap();
    half.write(0, b"half").unwrap();
    half.abandon().unwrap();
    let block = StandingChange::Block { reason: line("looked into"), until: None };
    world.operations.change_account_standing(&login("one-robot"), block, CHANNEL).unwrap();
    assert!(!discard(&caller, half.id()));
    assert_eq!(world.words_of("upload-removed"), 1);
}
