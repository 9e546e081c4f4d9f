//! What becomes of received participant files: the receipt at once, the check, the hand-over that happens once, the
//! result, and the ends. Every refusal also shows that nothing was stored, mailed or handed over.

use std::path::Path;

use postkluis::domain::ids::UploadId;
use postkluis::domain::intake::IntakeState;
use postkluis::domain::receipt::Report;
use postkluis::domain::upload::UploadState;
use postkluis::domain::verdict::{CheckFault, CheckVerdict};
use postkluis::operations::{ReceiptFile, ReceiptView};
use postkluis::ports::handover::ResultFile;

use super::upload::{NEW, upload_name};
use super::*;

const SETTLED: Span = Span::from_seconds(6);

impl World {
    fn receipt(&self, caller: &Caller, name: &str) -> ReceiptView {
        self.operations.receipt_named(caller, &product("intake"), &upload_name(name)).unwrap()
    }

    fn stage(&self, caller: &Caller, name: &str) -> &'static str {
        self.receipt(caller, name).intake.state.word()
    }

    fn paper(&self, caller: &Caller, name: &str, file: ReceiptFile) -> Option<String> {
        let papers = self.receipt(caller, name).papers.into_iter();
        papers.filter(|paper| paper.file == file).map(|paper| String::from_utf8(paper.bytes).unwrap()).next()
    }

    /// Puts a file and waits until it was taken in.
    fn take_in(&self, caller: &Caller, name: &str, bytes: &[u8]) -> UploadId {
        self.put(caller, name, bytes).unwrap();
        self.wait(SETTLED);
        self.round();
        self.receipt(caller, name).upload.id
    }

    fn round(&self) {
        let round = self.operations.advance_intake().unwrap();
        assert!(round.failed.is_empty(), "{:?}", round.failed);
    }

    fn handed_over(&self) -> Vec<String> {
        self.handover.files().into_keys().collect()
    }
}

#[test]
fn a_receipt_is_there_at_once_and_the_owner_is_told() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    world.put(&caller, "a.csv", b"hello").unwrap();
    let receipt = world.paper(&caller, "a.csv", ReceiptFile::Receipt).unwrap();
    let sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    for part in [
        "\"kind\": \"receipt\"",
        "\"receivedAt\": \"2026-11-23T10:00:00",
        "\"account\": \"one-robot\"",
        "\"organisation\": \"one\"",
        "\"onBehalfOf\": null",
        "\"fileName\": \"a.csv\"",
        "\"size\": 5",
        sha256,
        "\"signer\": \"postkluis@test.example\"",
    ] {
        assert!(receipt.contains(part), "{part} in {receipt}");
    }
    let signature = world.paper(&caller, "a.csv", ReceiptFile::ReceiptSignature).unwrap();
    assert!(signature.starts_with("-----BEGIN SSH SIGNATURE-----\n"), "{signature}");
    assert_eq!(world.paper(&caller, "a.csv", ReceiptFile::Result), None);
    assert_eq!(world.mails(), 1);
    world.operations.send_due_mail(10).unwrap();
    let mail = world.mailer.messages().pop().unwrap();
    assert_eq!(mail.to.as_str(), "owner@one.example");
    assert!(mail.subject.contains("Ontvangstbevestiging aanlevering"), "{}", mail.subject);
    for part in ["a.csv", sha256, "2026-11-23", "Grootte (bytes): 5"] {
        assert!(mail.text.contains(part), "{part} in {}", mail.text);
    }
    // others of the organisation read it, nobody else does
    assert_eq!(world.receipt(&world.second(), "a.csv"), world.receipt(&caller, "a.csv"));
    let id = world.receipt(&caller, "a.csv").upload.id;
    let two = world.caller("two");
    assert!(world.operations.receipt_page(&two, &product("intake"), None, 10).unwrap().is_empty());
    assert_eq!(
        refusal(world.operations.own_receipt(&two, id)),
        Refusal::NotFound(postkluis::domain::refusal::What::File)
    );
    assert!(world.operations.own_receipts(&two, None, 10).unwrap().is_empty());
}

#[test]
fn an_accepted_file_is_handed_over_once_with_its_note() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    world.put(&caller, "a.csv", b"hello").unwrap();
    world.round();
    assert_eq!(world.stage(&caller, "a.csv"), "received", "its account may go on with it");
    assert!(world.handed_over().is_empty());
    world.wait(SETTLED);
    world.round();
    let id = world.receipt(&caller, "a.csv").upload.id;
    assert_eq!(world.stage(&caller, "a.csv"), "collected");
    assert_eq!(world.handed_over(), [format!("intake/{id}_a.csv"), format!("intake/{id}_a.csv.json")]);
    let files = world.handover.files();
    assert_eq!(files[&format!("intake/{id}_a.csv")], b"hello");
    let note = String::from_utf8(files[&format!("intake/{id}_a.csv.json")].clone()).unwrap();
    assert!(note.contains("\"organisation\": \"one\"") && note.contains("\"fileName\": \"a.csv\""), "{note}");
    for _ in 0..3 {
        world.wait(SETTLED);
        world.round();
    }
    assert_eq!(world.handover.written(), 1);
    let words = ["upload-accepted", "upload-hand-over-begun", "upload-collected", "upload-acknowledged"];
    assert_eq!(words.map(|word| world.words_of(word)), [1, 1, 1, 0]);
    let result = world.paper(&caller, "a.csv", ReceiptFile::Result).unwrap();
    assert!(result.contains("\"state\": \"accepted\""), "{result}");
    assert_eq!(world.mails(), 1, "nothing was checked: the receipt said all");
    world.handover.take_all();
    world.round();
    assert_eq!(world.words_of("upload-acknowledged"), 1);
    assert_eq!(world.handover.written(), 1, "what was taken away does not come again");
    // then it is cleared, and its papers stay
    world.wait(Span::from_days(8));
    world.operations.enforce_retention().unwrap();
    world.round();
    world.operations.enforce_retention().unwrap();
    assert_eq!((world.stage(&caller, "a.csv"), world.payloads()), ("cleared", 0));
    assert!(world.paper(&caller, "a.csv", ReceiptFile::Receipt).is_some());
    assert_eq!(world.operations.upload_room(&caller).unwrap().used_bytes, 0);
    world.wait(Span::from_days(730));
    world.round();
    assert!(world.operations.receipt_page(&caller, &product("intake"), None, 10).unwrap().is_empty());
    assert!(world.operations.own_receipts(&caller, None, 10).unwrap().is_empty());
    assert_eq!(world.words_of("upload-forgotten"), 1);
}

#[test]
fn a_file_that_was_renamed_to_its_final_name_is_not_waited_for() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    world.put(&caller, "a.csv.part", b"hello").unwrap();
    world.rename(&caller, "a.csv.part", "a.csv", false).unwrap();
    world.round();
    assert_eq!(world.stage(&caller, "a.csv"), "accepted");
    assert!(matches!(
        refusal(world.open(&caller, "a.csv", postkluis::operations::UploadMode { truncate: false, ..NEW })),
        Refusal::WrongState(_)
    ));
    world.round();
    assert_eq!(world.stage(&caller, "a.csv"), "collected");
}

#[test]
fn a_file_that_goes_on_gets_another_receipt_and_the_first_one_goes() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    world.put(&caller, "a.csv", b"first half ").unwrap();
    let before = world.paper(&caller, "a.csv", ReceiptFile::Receipt).unwrap();
    let upload = world.open(&caller, "a.csv", postkluis::operations::UploadMode { truncate: false, ..NEW }).unwrap();
    assert!(world.operations.receipt_named(&caller, &product("intake"), &upload_name("a.csv")).is_err());
    world.wait(SETTLED);
    world.round();
    assert!(world.handed_over().is_empty(), "it is unfinished");
    upload.write(11, b"second half").unwrap();
    upload.close().unwrap();
    let after = world.paper(&caller, "a.csv", ReceiptFile::Receipt).unwrap();
    assert!(before.contains("\"size\": 11") && after.contains("\"size\": 22"), "{after}");
    assert_eq!(world.operations.own_receipts(&caller, None, 10).unwrap().len(), 1);
    world.wait(SETTLED);
    world.round();
    world.round();
    assert_eq!(world.handover.files().into_values().next().unwrap(), b"first half second half");
    assert_eq!(world.mails(), 2, "each time it was received its owner is told");
}

#[test]
fn the_same_file_again_is_recognised_and_not_handed_over_twice() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    let first = world.take_in(&caller, "a.csv", b"the same");
    world.put(&caller, "b.csv", b"the same").unwrap();
    let receipt = world.paper(&caller, "b.csv", ReceiptFile::Receipt).unwrap();
    assert!(receipt.contains(&format!("\"duplicateOf\": \"{first}\"")), "{receipt}");
    let result = world.paper(&caller, "b.csv", ReceiptFile::Result).unwrap();
    assert!(result.contains("\"state\": \"duplicate\"") && result.contains(&first.to_string()), "{result}");
    world.wait(SETTLED);
    world.round();
    world.round();
    assert_eq!((world.stage(&caller, "b.csv"), world.handover.written()), ("duplicate", 1));
    let again = refusal(world.operations.accept_upload(world.receipt(&caller, "b.csv").upload.id, None, CHANNEL));
    assert!(matches!(again, Refusal::WrongState(_)), "{again}");
    // another organisation's file is another file, and so is one after the window
    let two = world.caller("two");
    world.take_in(&two, "a.csv", b"the same");
    world.round();
    assert_eq!(world.stage(&two, "a.csv"), "collected");
    world.wait(Span::from_days(8));
    world.operations.enforce_retention().unwrap();
    world.take_in(&caller, "c.csv", b"the same");
    world.round();
    assert_eq!((world.stage(&caller, "c.csv"), world.handover.written()), ("collected", 3));
}

#[test]
fn a_file_is_not_gone_on_with_once_another_was_recognised_as_the_same() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    world.put(&caller, "a.csv", b"the same").unwrap();
    world.put(&caller, "b.csv", b"the same").unwrap();
    let go_on = postkluis::operations::UploadMode { truncate: false, ..NEW };
    assert!(matches!(refusal(world.open(&caller, "a.csv", go_on)), Refusal::WrongState(_)));
    assert_eq!(world.read_back(&caller, "a.csv"), b"the same");
}

#[test]
fn what_the_checks_reject_never_reaches_the_back_office_unless_it_overrules_them() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    let fault = CheckFault { line: 3, column: 2, code: "not-a-date".to_owned() };
    world.checker.script(CheckVerdict::rejected(vec![("records".to_owned(), 9)], vec![fault], 1));
    let id = world.take_in(&caller, "a.csv", b"wrong");
    world.round();
    assert_eq!(world.checker.read(), [("a.csv".to_owned(), b"wrong".to_vec())]);
    assert_eq!((world.stage(&caller, "a.csv"), world.handover.written()), ("rejected", 0));
    let result = world.paper(&caller, "a.csv", ReceiptFile::Result).unwrap();
    for part in ["\"state\": \"rejected\"", "\"line\": 3, \"column\": 2, \"code\": \"not-a-date\"", "\"records\": 9"] {
        assert!(result.contains(part), "{part} in {result}");
    }
    assert!(world.paper(&caller, "a.csv", ReceiptFile::ResultText).unwrap().contains("line 3"));
    assert_eq!((world.mails(), world.words_of("upload-check-begun")), (2, 1));
    let collected = refusal(world.operations.collect_upload(id, Path::new("/desk"), CHANNEL));
    assert!(matches!(collected, Refusal::WrongState(_)), "{collected}");
    assert!(world.handed_over().is_empty());
    // the same file may be sent again after it was rejected
    world.checker.script(CheckVerdict::accepted(vec![("records".to_owned(), 9)]));
    world.take_in(&caller, "b.csv", b"wrong");
    world.round();
    assert_eq!(world.stage(&caller, "b.csv"), "collected");
    world.operations.accept_upload(id, Some(Report::Text("by hand".to_owned())), CHANNEL).unwrap();
    world.round();
    assert_eq!((world.stage(&caller, "a.csv"), world.handover.written()), ("collected", 2));
}

#[test]
fn a_check_that_fails_is_tried_again_and_holds_up_nothing_else() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    world.checker.script(CheckVerdict::accepted(Vec::new()));
    world.checker.fail(true);
    world.put(&caller, "a.csv", b"hello").unwrap();
    world.wait(SETTLED);
    assert_eq!(world.operations.advance_intake().unwrap().failed.len(), 1);
    assert_eq!(world.stage(&caller, "a.csv"), "checking");
    world.checker.fail(false);
    assert!(world.operations.advance_intake().unwrap().failed.is_empty(), "it waits");
    assert_eq!(world.stage(&caller, "a.csv"), "checking");
    world.wait(Span::from_seconds(31));
    world.round();
    world.round();
    assert_eq!(world.stage(&caller, "a.csv"), "collected");
}

#[test]
fn a_full_disk_at_the_hand_over_loses_nothing_and_hands_over_once() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    world.put(&caller, "a.csv", b"hello").unwrap();
    world.wait(SETTLED);
    world.handover.fill(true);
    let round = world.operations.advance_intake().unwrap();
    assert_eq!((round.judged, round.failed.len()), (1, 1));
    assert!(matches!(world.receipt(&caller, "a.csv").intake.state, IntakeState::HandingOver { .. }));
    let withdrawn = refusal(world.operations.remove_upload(&caller, &product("intake"), &upload_name("a.csv")));
    assert!(matches!(withdrawn, Refusal::WrongState(_)), "a part may lie there: {withdrawn}");
    world.handover.fill(false);
    world.wait(Span::from_seconds(31));
    world.round();
    assert_eq!((world.stage(&caller, "a.csv"), world.handover.written()), ("collected", 1));
}

#[test]
fn what_was_taken_before_it_was_on_record_does_not_come_again() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    world.put(&caller, "a.csv", b"hello").unwrap();
    world.wait(SETTLED);
    // the disk of the catalog fills up between the note and the record of it
    let catalog = Arc::clone(&world.catalog);
    world.handover.after_next_put(move || catalog.set_full(true));
    assert_eq!(world.operations.advance_intake().unwrap().failed.len(), 1);
    assert!(matches!(world.receipt(&caller, "a.csv").intake.state, IntakeState::HandingOver { .. }));
    assert_eq!(world.handed_over().len(), 2, "the back office sees it");
    world.handover.take_all();
    world.catalog.set_full(false);
    world.wait(Span::from_seconds(31));
    world.round();
    assert_eq!((world.stage(&caller, "a.csv"), world.handover.written()), ("collected", 1));
    assert!(world.handed_over().is_empty());
    world.round();
    assert_eq!(world.words_of("upload-acknowledged"), 1);
}

#[test]
fn a_file_is_collected_into_a_folder_once() {
    let world = World::with_dropbox();
    let new = NewProduct {
        code: product("by-hand"),
        name: line("by hand"),
        retention: Span::from_days(30),
        requires_marker: false,
        accepts_uploads: true,
        end_to_end: false,
    };
    world.operations.add_product(new, CHANNEL).unwrap();
    world.agree("one", "by-hand", false);
    world.operations.couple(&login("one-robot"), None, &product("by-hand"), CHANNEL).unwrap();
    let caller = world.caller("one");
    let upload = world.operations.open_upload(&caller, &product("by-hand"), &upload_name("a.csv"), NEW).unwrap();
    upload.write(0, b"hello").unwrap();
    upload.close().unwrap();
    let id = upload.id();
    let desk = Path::new("/desk");
    assert!(matches!(refusal(world.operations.collect_upload(id, desk, CHANNEL)), Refusal::WrongState(_)));
    world.wait(SETTLED);
    for _ in 0..3 {
        world.round();
    }
    assert!(world.handed_over().is_empty(), "it waits to be collected");
    world.handover.fill(true);
    assert_eq!(refusal(world.operations.collect_upload(id, desk, CHANNEL)), Refusal::NoSpace);
    world.handover.fill(false);
    let elsewhere = refusal(world.operations.collect_upload(id, Path::new("/other"), CHANNEL));
    assert!(elsewhere.to_string().contains("/desk"), "it may lie there: {elsewhere}");
    world.operations.collect_upload(id, desk, CHANNEL).unwrap();
    assert_eq!(world.handed_over(), [format!("/desk/{id}_a.csv"), format!("/desk/{id}_a.csv.json")]);
    assert!(matches!(refusal(world.operations.collect_upload(id, desk, CHANNEL)), Refusal::WrongState(_)));
    assert_eq!(world.handover.written(), 1);
    world.operations.acknowledge_upload(id, CHANNEL).unwrap();
    assert_eq!(world.words_of("upload-acknowledged"), 1);
}

#[test]
fn the_back_office_answers_with_a_file() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    let id = world.take_in(&caller, "a.csv", b"hello");
    world.round();
    let said = Ok((false, Report::Json("{\"accepted\":false,\"rows\":3}".to_owned())));
    let result = ResultFile { product: product("intake"), upload: id, said };
    world.handover.answer(result.clone());
    world.round();
    let paper = world.paper(&caller, "a.csv", ReceiptFile::Result).unwrap();
    for part in ["\"state\": \"rejected\"", "\"by\": \"back-office\"", "\"report\": {\"accepted\":false,\"rows\":3}"] {
        assert!(paper.contains(part), "{part} in {paper}");
    }
    assert_eq!((world.mails(), world.words_of("upload-answered")), (2, 1));
    // a crash came before the file went
    world.handover.answer(result);
    world.round();
    assert_eq!(world.words_of("upload-answered"), 1);
    assert!(world.handover.refused().is_empty());
    // what names nothing, another product's, or cannot be read is put aside
    let said = || Ok((true, Report::Text(String::new())));
    for (code, upload, said) in [
        ("intake", UploadId::from_bytes([9; 16]), said()),
        ("daily", id, said()),
        ("intake", id, Err("a result is a JSON object".to_owned())),
    ] {
        world.handover.answer(ResultFile { product: product(code), upload, said });
    }
    world.round();
    assert_eq!(world.handover.refused().len(), 3);
    assert_eq!((world.mails(), world.words_of("upload-answered")), (2, 1));
}

#[test]
fn what_is_withdrawn_in_time_is_gone_and_never_handed_over() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    world.put(&caller, "a.csv", b"a mistake").unwrap();
    let name = upload_name("a.csv");
    let another = refusal(world.operations.remove_upload(&world.second(), &product("intake"), &name));
    assert!(matches!(another, Refusal::NotAllowed(_)), "{another}");
    world.operations.remove_upload(&caller, &product("intake"), &name).unwrap();
    for _ in 0..3 {
        world.wait(SETTLED);
        world.round();
    }
    assert!(world.handed_over().is_empty() && world.folder(&caller).is_empty());
    assert_eq!((world.stage(&caller, "a.csv"), world.payloads()), ("withdrawn", 0));
    let view = world.receipt(&caller, "a.csv");
    assert!(matches!(view.upload.state, UploadState::Expired { received_sha256: Some(_), .. }));
    let result = world.paper(&caller, "a.csv", ReceiptFile::Result).unwrap();
    assert!(result.contains("\"state\": \"withdrawn\"") && result.contains("\"by\": \"account\""), "{result}");
    assert_eq!(world.operations.upload_room(&caller).unwrap().used_bytes, 0);
    // its name is free, and its bytes are no duplicate
    let id = world.take_in(&caller, "a.csv", b"a mistake");
    world.round();
    assert_eq!(world.stage(&caller, "a.csv"), "collected");
    let late = refusal(world.operations.withdraw_upload(&caller, id));
    assert!(matches!(late, Refusal::WrongState(_)), "{late}");
    assert_eq!((world.handover.written(), world.words_of("upload-withdrawn")), (1, 1));
}

#[test]
fn what_the_back_office_rejects_before_it_has_it_never_comes() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    world.put(&caller, "a.csv", b"hello").unwrap();
    let id = world.receipt(&caller, "a.csv").upload.id;
    world.operations.reject_upload(id, Some(Report::Text("wrong month".to_owned())), CHANNEL).unwrap();
    for _ in 0..3 {
        world.wait(SETTLED);
        world.round();
    }
    assert!(world.handed_over().is_empty());
    let result = world.paper(&caller, "a.csv", ReceiptFile::Result).unwrap();
    assert!(result.contains("wrong month") && result.contains("\"state\": \"rejected\""), "{result}");
    assert_eq!(world.mails(), 2);
    assert!(matches!(refusal(world.operations.accept_upload(id, None, CHANNEL)), Refusal::WrongState(_)));
    let large = Some(Report::Text("x".repeat(20_000)));
    world.put(&caller, "b.csv", b"other").unwrap();
    let id = world.receipt(&caller, "b.csv").upload.id;
    assert!(matches!(refusal(world.operations.reject_upload(id, large, CHANNEL)), Refusal::TooMuch(_)));
    assert_eq!((world.stage(&caller, "b.csv"), world.mails()), ("received", 3));
}

#[test]
fn own_receipts_are_listed_page_by_page() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    for n in 0..5_u8 {
        world.put(&caller, &format!("{n}.csv"), &[n]).unwrap();
        world.wait(Span::from_seconds(1));
    }
    let all = world.operations.own_receipts(&caller, None, 10).unwrap();
    let names: Vec<String> = all.iter().map(|view| view.upload.name.to_string()).collect();
    assert_eq!(names, ["0.csv", "1.csv", "2.csv", "3.csv", "4.csv"]);
    let page = world.operations.own_receipts(&caller, Some(all[1].upload.id), 2).unwrap();
    assert_eq!(page, all[2..4]);
    world.operations.decouple(&login("one-robot"), None, &product("intake"), CHANNEL).unwrap();
    assert!(world.operations.own_receipts(&caller, None, 10).unwrap().is_empty());
    assert!(world.operations.receipt_products(&caller).unwrap().is_empty());
}

#[test]
fn a_file_takes_the_place_of_one_that_was_not_handed_over() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    world.put(&caller, "a.csv", b"wrong").unwrap();
    let first = world.receipt(&caller, "a.csv").upload.id;
    world.put(&caller, "a.csv.part", b"right").unwrap();
    let taken = refusal(world.rename(&caller, "a.csv.part", "a.csv", false)).to_string();
    assert!(taken.contains("received already"), "{taken}");
    world.put(&world.second(), "b.csv.part", b"of another").unwrap();
    let another = refusal(world.rename(&world.second(), "b.csv.part", "a.csv", true));
    assert!(matches!(another, Refusal::NotAllowed(_)), "{another}");
    assert_eq!(world.stage(&caller, "a.csv"), "received");
    world.rename(&caller, "a.csv.part", "a.csv", true).unwrap();
    let second = world.receipt(&caller, "a.csv").upload.id;
    let old = world.operations.own_receipt(&caller, first).unwrap();
    assert_eq!((old.intake.state.word(), world.payloads()), ("replaced", 1));
    let result = old.papers.iter().find(|paper| paper.file == ReceiptFile::Result).unwrap();
    assert!(String::from_utf8_lossy(&result.bytes).contains(&format!("\"replacedBy\": \"{second}\"")));
    world.round();
    world.round();
    assert_eq!(world.handed_over(), [format!("intake/{second}_a.csv"), format!("intake/{second}_a.csv.json")]);
    assert_eq!(world.handover.files()[&format!("intake/{second}_a.csv")], b"right");
    // then nothing takes its place any more
    world.put(&caller, "a.csv.part", b"too late").unwrap();
    let late = refusal(world.rename(&caller, "a.csv.part", "a.csv", true));
    assert!(matches!(late, Refusal::WrongState(_)), "{late}");
    assert_eq!((world.words_of("upload-replaced"), world.handover.written()), (1, 1));
}

#[test]
fn the_same_bytes_may_take_the_place_of_themselves() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    world.put(&caller, "a.csv", b"the same").unwrap();
    world.put(&caller, "a.csv.part", b"the same").unwrap();
    world.rename(&caller, "a.csv.part", "a.csv", true).unwrap();
    world.round();
    world.round();
    assert_eq!((world.stage(&caller, "a.csv"), world.handover.written()), ("collected", 1));
}

#[test]
fn after_a_restore_what_was_on_its_way_waits_for_the_back_office() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    let gone = world.take_in(&caller, "gone.csv", b"handed over before");
    world.put(&caller, "a.csv", b"on its way").unwrap();
    let id = world.receipt(&caller, "a.csv").upload.id;
    world.operations.confirm_restore(CHANNEL).unwrap();
    for _ in 0..3 {
        world.wait(SETTLED);
        world.round();
    }
    assert_eq!((world.stage(&caller, "a.csv"), world.handover.written()), ("received", 1));
    assert_eq!(world.words_of("upload-held-back"), 1);
    world.operations.accept_upload(id, None, CHANNEL).unwrap();
    world.round();
    assert_eq!((world.stage(&caller, "a.csv"), world.handover.written()), ("collected", 2));
    assert_eq!(world.operations.own_receipt(&caller, gone).unwrap().intake.state.word(), "collected");
}
