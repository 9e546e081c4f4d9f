//! What the checks are told of a file, what becomes of the numbers that files carry, and that files wait together
//! while nothing can be judged. What checks find is tested beside them.

use postkluis::domain::names::{Kvk, Oin};
use postkluis::domain::verdict::CheckVerdict;
use postkluis::operations::OrganisationChange;

use super::upload::{NEW, upload_name};
use super::*;

const SETTLED: Span = Span::from_seconds(6);

fn accepted(number: u64) -> CheckVerdict {
    CheckVerdict::accepted(Vec::new()).with_sequence(Some(number))
}

impl World {
    /// Puts a file for `product` and lets the checks say this of it.
    fn judged(&self, caller: &Caller, product_code: &str, name: &str, verdict: CheckVerdict) {
        self.checker.script(verdict);
        let upload = self.operations.open_upload(caller, &product(product_code), &upload_name(name), NEW).unwrap();
        upload.write(0, name.as_bytes()).unwrap();
        upload.close().unwrap();
        self.wait(SETTLED);
        let round = self.operations.advance_intake().unwrap();
        assert!(round.failed.is_empty(), "{:?}", round.failed);
    }

    /// The last number that the checks were told of.
    fn last_told(&self) -> Option<u64> {
        self.checker.asked().last().unwrap().last_sequence
    }
}

#[test]
fn checks_know_the_organisation_of_the_path_by_its_code_oin_and_kvk_number() {
    let world = World::with_dropbox();
    world.judged(&world.caller("one"), "intake", "a.csv", CheckVerdict::accepted(Vec::new()));
    assert_eq!(world.checker.asked()[0].client_marks, ["one"]);
    let change = OrganisationChange {
        oin: Some(Oin::parse("00000003123456780000").unwrap()),
        kvk: Some(Kvk::parse("12345678").unwrap()),
        ..OrganisationChange::default()
    };
    world.operations.change_organisation(&org("one"), change, CHANNEL).unwrap();
    world.judged(&world.caller("one"), "intake", "b.csv", CheckVerdict::accepted(Vec::new()));
    let asked = world.checker.asked().pop().unwrap();
    assert_eq!(asked.client_marks, ["one", "00000003123456780000", "12345678"]);
    assert_eq!((asked.product, asked.organisation), (product("intake"), org("one")));
    world.judged(&world.caller("two"), "intake", "c.csv", CheckVerdict::accepted(Vec::new()));
    assert_eq!(world.checker.asked().pop().unwrap().client_marks, ["two"]);
}

#[test]
fn the_last_number_is_that_of_an_accepted_file_that_stands() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    world.judged(&caller, "intake", "a.csv", accepted(7));
    assert_eq!(world.last_told(), None);
    world.judged(&caller, "intake", "b.csv", accepted(8));
    assert_eq!(world.last_told(), Some(7));
    let rejected = CheckVerdict::rejected(Vec::new(), Vec::new(), 1).with_sequence(Some(9));
    world.judged(&caller, "intake", "c.csv", rejected);
    world.judged(&caller, "intake", "d.csv", CheckVerdict::accepted(Vec::new()));
    assert_eq!(world.last_told(), Some(8), "neither a rejected file nor one without a number counts");
    world.judged(&world.caller("two"), "intake", "e.csv", accepted(1));
    assert_eq!(world.last_told(), None, "each organisation numbers its own");
    // it is on record: a restart knows it
    world.checker.script(CheckVerdict::accepted(Vec::new()));
    let upload = world.operations.open_upload(&caller, &product("intake"), &upload_name("f.csv"), NEW).unwrap();
    upload.write(0, b"f").unwrap();
    upload.close().unwrap();
    world.wait(SETTLED);
    world.restarted_with(|_| {}).advance_intake().unwrap();
    assert_eq!(world.last_told(), Some(8));
}

#[test]
fn the_number_of_a_file_that_was_taken_back_is_free_again() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    let new = NewProduct {
        code: product("by-hand"),
        name: line("by-hand"),
        retention: Span::from_days(30),
        requires_marker: false,
        accepts_uploads: true,
        end_to_end: false,
    };
    world.operations.add_product(new, CHANNEL).unwrap();
    world.agree("one", "by-hand", false);
    world.operations.couple(&login("one-robot"), None, &product("by-hand"), CHANNEL).unwrap();
    world.judged(&caller, "by-hand", "a.csv", accepted(7));
    world.judged(&caller, "by-hand", "b.csv", accepted(8));
    let b = world.operations.receipt_named(&caller, &product("by-hand"), &upload_name("b.csv")).unwrap().upload.id;
    world.operations.withdraw_upload(&caller, b).unwrap();
    world.judged(&caller, "by-hand", "c.csv", accepted(8));
    assert_eq!(world.last_told(), Some(7));
    // the back office refuses it: the same number is expected once more
    let c = world.operations.receipt_named(&caller, &product("by-hand"), &upload_name("c.csv")).unwrap().upload.id;
    world.operations.reject_upload(c, None, CHANNEL).unwrap();
    world.judged(&caller, "by-hand", "d.csv", accepted(8));
    assert_eq!(world.last_told(), Some(7));
}

#[test]
fn while_nothing_can_be_judged_one_file_is_tried_in_each_round_and_each_is_judged_once() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    world.checker.script(CheckVerdict::accepted(Vec::new()));
    world.checker.fail(true);
    for name in ["a.csv", "b.csv", "c.csv"] {
        world.put(&caller, name, name.as_bytes()).unwrap();
    }
    world.wait(SETTLED);
    let round = world.operations.advance_intake().unwrap();
    assert_eq!((round.failed.len(), round.judged, world.checker.asked().len()), (1, 0, 1));
    for _ in 0..5 {
        world.wait(Span::from_seconds(31));
        assert_eq!(world.operations.advance_intake().unwrap().failed.len(), 1);
    }
    let mails = world.mails();
    assert_eq!(world.words_of("upload-check-begun"), 3, "each begins once, however often it is tried");
    assert_eq!((world.words_of("upload-accepted"), world.handover.written()), (0, 0));
    world.checker.fail(false);
    let after = world.restarted_with(|_| {});
    for _ in 0..3 {
        world.wait(Span::from_seconds(31));
        after.advance_intake().unwrap();
    }
    assert_eq!((world.words_of("upload-accepted"), world.handover.written()), (3, 3));
    assert_eq!((world.words_of("upload-check-begun"), world.mails() - mails), (3, 3));
}
