//! One key or token that is blocked, and access that was ended in part (J7, J8): what stops
//! at once, what goes on, and that lifting gives it back.

use postkluis::domain::block::EndReason;
use postkluis::domain::delivery::DeliveryPart;
use postkluis::domain::history::HistoryLine;
use postkluis::domain::interruption::Reach;
use postkluis::domain::refusal::What;
use postkluis::domain::restriction::{Restricted, Service};
use postkluis::domain::upload::UploadState;
use postkluis::operations::{
    Credential, DeliveryFilter, NewInterruption, Receiving, ServiceEnd, StandingChange, UploadMode,
};

use super::upload::{NEW, upload_name};
use super::*;

const GO_ON: UploadMode = UploadMode { append: false, create: true, truncate: false, exclusive: false };

fn visitor() -> Visitor {
    Visitor { address: IpAddr::V4(Ipv4Addr::LOCALHOST), client: None }
}

fn key_of(account: &str, fingerprint: &str) -> Credential {
    Credential::Key { login: login(account), fingerprint: fingerprint.to_owned() }
}

fn account(name: &str) -> Restricted {
    Restricted::Account(login(name))
}

fn ending(service: Service) -> ServiceEnd {
    ServiceEnd { service, reason: EndReason::Misuse, note: Some(line("reported by telephone")) }
}

impl World {
    fn block(&self, credential: &Credential, until: Option<Moment>) -> Result<(), Failure> {
        self.operations.block_credential(credential.clone(), line("lost laptop"), until, CHANNEL)
    }

    fn with_key(&self, account: &str, fingerprint: &str) -> Result<Caller, Failure> {
        self.operations.sign_in_with_key(account, fingerprint, &visitor())
    }

    fn one_delivery(&self) -> postkluis::domain::ids::DeliveryId {
        self.publish("k1", &["one"], vec![file("a.csv", b"aaa")]).deliveries.first().unwrap().id
    }

    fn lines_of(&self, word: &str) -> Vec<HistoryLine> {
        let query = HistoryQuery { limit: 1_000, ..HistoryQuery::default() };
        let lines = self.operations.history(&query).unwrap();
        lines.into_iter().filter(|line| line.event.what.word() == word).collect()
    }

    fn note(&self, word: &str) -> String {
        self.lines_of(word).last().unwrap().event.detail.note.clone().unwrap()
    }

    fn begin(&self, caller: &Caller, file_name: &str, mode: UploadMode) -> Result<Receiving, Failure> {
        self.operations.open_upload(caller, &product("intake"), &upload_name(file_name), mode)
    }

    fn state_of(&self, file_name: &str) -> UploadState {
        let filter = postkluis::operations::UploadFilter { limit: 100, ..Default::default() };
        let all = self.operations.all_uploads(&filter).unwrap();
        all.into_iter().find(|view| view.upload.name.as_str() == file_name).unwrap().upload.state
    }
}

#[test]
fn a_blocked_key_lets_nobody_in_and_its_open_file_ends_while_another_key_goes_on() {
    let world = World::new();
    let id = world.one_delivery();
    world.operations.add_key(&login("one-robot"), "SHA256:other", "ssh-ed25519 BBBB", None, CHANNEL).unwrap();
    let (blocked, other) = (world.caller("one"), world.with_key("one-robot", "SHA256:other").unwrap());
    let open = world.operations.open_part(&blocked, id, DeliveryPart::Data(1)).unwrap();
    let goes_on = world.operations.open_part(&other, id, DeliveryPart::Data(1)).unwrap();
    let mut buffer = [0; 1];
    assert!(open.read(0, &mut buffer).is_ok() && goes_on.read(0, &mut buffer).is_ok());

    world.block(&key_of("one-robot", "SHA256:key"), None).unwrap();
    assert_eq!(refusal(open.read(1, &mut buffer)), Refusal::Blocked);
    assert!(goes_on.read(1, &mut buffer).is_ok(), "the other key of the same account is no part of it");
    let may_stay = |fingerprint| world.operations.may_stay("one-robot", fingerprint, visitor().address).unwrap();
    assert!(!may_stay("SHA256:key") && may_stay("SHA256:other"));
    let refused = refusal(world.with_key("one-robot", "SHA256:key"));
    assert_eq!(refused, Refusal::BlockedCredential(What::Key));
    assert_eq!(refused.to_string(), "this key is blocked; ask the operator");
    assert!(world.with_key("one-robot", "SHA256:other").is_ok());
    assert!(world.with_key("two-robot", "SHA256:key").is_ok(), "the same key of somebody else is another one");
    assert_eq!(world.lines_of("sign-in-refused").len(), 1);
    assert_eq!(world.note("key-blocked"), "SHA256:key: lost laptop");
    assert_eq!(world.operations.blocked_credentials(&login("one-robot")).unwrap().len(), 1);

    world.operations.unblock_credential(key_of("one-robot", "SHA256:key"), CHANNEL).unwrap();
    assert!(open.read(1, &mut buffer).is_ok());
    assert!(world.with_key("one-robot", "SHA256:key").is_ok());
    assert!(world.operations.blocked_credentials(&login("one-robot")).unwrap().is_empty());
    assert_eq!((world.lines_of("key-unblocked").len(), world.lines_of("key-revoked").len()), (1, 0));
}

#[test]
fn a_block_of_a_key_ends_at_its_moment() {
    let world = World::new();
    world.block(&key_of("one-robot", "SHA256:key"), Some(START.after(Span::from_seconds(60)))).unwrap();
    assert!(world.with_key("one-robot", "SHA256:key").is_err());
    world.clock.advance(Span::from_seconds(60));
    assert!(world.with_key("one-robot", "SHA256:key").is_ok());
    let again = world.operations.unblock_credential(key_of("one-robot", "SHA256:key"), CHANNEL);
    assert!(matches!(refusal(again), Refusal::WrongState(_)));
}

#[test]
fn a_blocked_or_revoked_token_is_refused_at_once_and_a_download_with_it_ends() {
    let world = World::new();
    let id = world.one_delivery();
    let operations = &world.operations;
    let token = operations.add_token(&login("one-robot"), None, CHANNEL).unwrap();
    let sign_in = || operations.sign_in_with_token(&token.secret, &visitor());
    let open = operations.open_part(&sign_in().unwrap(), id, DeliveryPart::Data(1)).unwrap();
    let mut buffer = [0; 1];
    assert!(open.read(0, &mut buffer).is_ok());
    world.block(&Credential::Token(token.token.id), None).unwrap();
    assert_eq!(refusal(sign_in()), Refusal::BlockedCredential(What::Token));
    assert_eq!(refusal(open.read(1, &mut buffer)), Refusal::Blocked);
    assert!(world.with_key("one-robot", "SHA256:key").is_ok(), "the key of the same account is no part of it");
    operations.unblock_credential(Credential::Token(token.token.id), CHANNEL).unwrap();
    assert!(sign_in().is_ok() && open.read(1, &mut buffer).is_ok());
    assert_eq!((world.lines_of("token-blocked").len(), world.lines_of("token-unblocked").len()), (1, 1));
    operations.revoke_token(token.token.id, CHANNEL).unwrap();
    assert_eq!(refusal(open.read(2, &mut buffer)), Refusal::Blocked);
    assert_eq!(refusal(sign_in()), Refusal::NotSignedIn);
}

#[test]
fn what_is_no_key_or_not_blocked_is_refused_and_changes_nothing() {
    let world = World::new();
    let operations = &world.operations;
    let before = (world.history().len(), world.mails());
    let (key, unknown) = (key_of("one-robot", "SHA256:key"), key_of("one-robot", "SHA256:none"));
    assert_eq!(refusal(world.block(&unknown, None)), Refusal::NotFound(What::Key));
    assert!(matches!(refusal(world.block(&key, Some(START))), Refusal::BadRequest(_)));
    assert!(matches!(refusal(operations.unblock_credential(key.clone(), CHANNEL)), Refusal::WrongState(_)));
    let foreign = Credential::Token(postkluis::domain::ids::TokenId::from_random([1; 16]));
    assert_eq!(refusal(world.block(&foreign, None)), Refusal::NotFound(What::Token));
    let lifted = operations.restore_service(account("one-robot"), Service::Fetch, CHANNEL);
    assert!(matches!(refusal(lifted), Refusal::WrongState(_)));
    let nobody = operations.end_service(account("nobody"), ending(Service::Fetch), CHANNEL);
    assert_eq!(refusal(nobody), Refusal::NotFound(What::Account));
    assert_eq!((world.history().len(), world.mails()), before);
    operations.revoke_key(&login("one-robot"), "SHA256:key", CHANNEL).unwrap();
    assert_eq!(refusal(world.block(&key, None)), Refusal::Ended(What::Key));
    assert!(world.with_key("one-robot", "SHA256:key").is_err());
}

#[test]
fn where_fetching_was_ended_everything_is_seen_and_nothing_fetched() {
    let world = World::with_dropbox();
    let id = world.one_delivery();
    let (caller, operations) = (world.caller("one"), &world.operations);
    let open = operations.open_part(&caller, id, DeliveryPart::Data(1)).unwrap();
    let mut buffer = [0; 1];
    assert!(open.read(0, &mut buffer).is_ok());
    operations.end_service(account("one-robot"), ending(Service::Fetch), CHANNEL).unwrap();
    assert_eq!(refusal(open.read(1, &mut buffer)), Refusal::ServiceEnded(Service::Fetch));
    for part in [DeliveryPart::PackingSlip, DeliveryPart::DigestList, DeliveryPart::Data(1)] {
        let refused = refusal(operations.open_part(&caller, id, part).map(drop));
        assert_eq!(refused, Refusal::ServiceEnded(Service::Fetch));
        assert!(refused.to_string().starts_with("fetching was ended for this account"), "{refused}");
    }
    assert_eq!(world.names("one").len(), 3, "browsing stays");
    assert!(operations.delivery(&caller, id).is_ok(), "and so does the list of deliveries");
    assert!(operations.may_stay("one-robot", "SHA256:key", visitor().address).unwrap(), "nobody is put out");
    let upload = world.begin(&caller, "b.csv", NEW).unwrap();
    upload.write(0, b"bbb").unwrap();
    upload.close().unwrap();
    assert_eq!(world.note("service-ended"), "fetch; a: misuse; reported by telephone");
    let again = operations.end_service(account("one-robot"), ending(Service::Fetch), CHANNEL);
    assert!(matches!(refusal(again), Refusal::WrongState(_)));
    // somebody else of the organisation may fetch what is coupled to them
    operations.couple(&login("one-second"), None, &product("daily"), CHANNEL).unwrap();
    let second = world.with_key("one-second", "SHA256:key").unwrap();
    assert_eq!(world.fetch(&second, "a.csv").unwrap(), b"aaa");

    operations.restore_service(account("one-robot"), Service::Fetch, CHANNEL).unwrap();
    assert!(open.read(1, &mut buffer).is_ok());
    assert_eq!(world.fetch(&caller, "a.csv").unwrap(), b"aaa");
    assert_eq!(world.note("service-restored"), "fetch");
}

#[test]
fn to_an_organisation_that_may_not_fetch_nothing_is_published() {
    let world = World::new();
    let id = world.one_delivery();
    let operations = &world.operations;
    let subject = Restricted::Organisation(org("one"));
    operations.end_service(subject.clone(), ending(Service::Fetch), CHANNEL).unwrap();
    let refused = refusal(operations.open_part(&world.caller("one"), id, DeliveryPart::Data(1)).map(drop));
    assert_eq!(refused, Refusal::ServiceEnded(Service::Fetch));
    let before = (world.payloads(), world.mails());
    let listed = operations.publish(&offer("k2", "daily", &["one"], vec![file("b.csv", b"bbb")]));
    assert!(matches!(refusal(listed), Refusal::NotAllowed(_)));
    assert_eq!((world.payloads(), world.mails()), before);
    let mut to_all = offer("k3", "daily", &[], vec![file("b.csv", b"bbb")]);
    to_all.skip_unready = true;
    let published = operations.publish(&to_all).unwrap();
    let recipients: Vec<_> = published.deliveries.iter().map(|delivery| delivery.organisation.as_str()).collect();
    assert_eq!(recipients, ["two"]);
    assert!(published.skipped.iter().any(|(code, why)| code.as_str() == "one" && why == "may not fetch any more"));
    operations.restore_service(subject, Service::Fetch, CHANNEL).unwrap();
    assert_eq!(world.fetch(&world.caller("one"), "a.csv").unwrap(), b"aaa");
    // another service takes nothing of it away
    operations.end_service(Restricted::Organisation(org("one")), ending(Service::Request), CHANNEL).unwrap();
    assert_eq!(world.fetch(&world.caller("one"), "a.csv").unwrap(), b"aaa");
}

#[test]
fn where_delivering_was_ended_an_unfinished_upload_waits_and_goes_on_when_it_is_lifted() {
    let world = World::with_dropbox();
    world.one_delivery();
    let (caller, operations) = (world.caller("one"), &world.operations);
    let second = world.with_key("one-second", "SHA256:key").unwrap();
    let upload = world.begin(&caller, "a.csv", NEW).unwrap();
    upload.write(0, b"first half ").unwrap();
    let reader = operations.read_upload(&second, &product("intake"), &upload_name("a.csv")).unwrap();
    assert_eq!(reader.read(0, 5).unwrap(), b"first");

    operations.end_service(account("one-robot"), ending(Service::Deliver), CHANNEL).unwrap();
    assert_eq!(refusal(upload.write(11, b"second half")), Refusal::ServiceEnded(Service::Deliver));
    assert_eq!(refusal(upload.close()), Refusal::ServiceEnded(Service::Deliver));
    for mode in [NEW, GO_ON] {
        let refused = refusal(world.begin(&caller, "a.csv", mode).map(drop));
        assert_eq!(refused, Refusal::ServiceEnded(Service::Deliver));
    }
    let marker = world.begin(&caller, "a.csv.done", NEW).map(drop);
    assert_eq!(refusal(marker), Refusal::ServiceEnded(Service::Deliver));
    for mode in [NEW, GO_ON] {
        assert!(matches!(refusal(world.begin(&second, "a.csv", mode).map(drop)), Refusal::NotAllowed(_)));
    }
    // not even read by colleagues, who may deliver
    assert!(matches!(refusal(reader.read(0, 5)), Refusal::NotAllowed(_)));
    let opened = operations.read_upload(&second, &product("intake"), &upload_name("a.csv"));
    assert!(matches!(refusal(opened.map(drop)), Refusal::NotAllowed(_)));
    assert_eq!((world.state_of("a.csv"), world.lines_of("upload-received").len()), (UploadState::Unfinished, 0));
    let folders = operations.dropbox_products(&caller).unwrap();
    assert_eq!(folders.len(), 1, "the folder stays, and says why");
    assert_eq!(world.fetch(&caller, "a.csv").unwrap(), b"aaa", "fetching goes on");

    operations.restore_service(account("one-robot"), Service::Deliver, CHANNEL).unwrap();
    let upload = world.begin(&caller, "a.csv", GO_ON).unwrap();
    upload.write(11, b"second half").unwrap();
    upload.close().unwrap();
    assert!(matches!(world.state_of("a.csv"), UploadState::Received { .. }));
}

/// Acceptance test 15, for a robot; the portal's sessions are in `people`, real clients in `shut_out`.
#[test]
fn a_blocked_account_is_out_by_every_door_and_what_is_unfinished_waits_for_it() {
    let world = World::with_dropbox();
    let id = world.one_delivery();
    let operations = &world.operations;
    let caller = world.caller("one");
    let token = operations.add_token(&login("one-robot"), None, CHANNEL).unwrap();
    let second = world.with_key("one-second", "SHA256:key").unwrap();
    let open = operations.open_part(&caller, id, DeliveryPart::Data(1)).unwrap();
    let (finished, unfinished) =
        (world.begin(&caller, "a.csv", NEW).unwrap(), world.begin(&caller, "b.part", NEW).unwrap());
    finished.write(0, b"whole").unwrap();
    unfinished.write(0, b"half").unwrap();
    let mut buffer = [0; 1];
    assert!(open.read(0, &mut buffer).is_ok());
    let before = world.payloads();

    let block = StandingChange::Block { reason: line("suspected misuse"), until: None };
    operations.change_account_standing(&login("one-robot"), block, CHANNEL).unwrap();
    assert_eq!(refusal(world.with_key("one-robot", "SHA256:key")), Refusal::Blocked);
    assert_eq!(refusal(operations.sign_in_with_token(&token.secret, &visitor())), Refusal::Blocked);
    assert!(!operations.may_stay("one-robot", "SHA256:key", visitor().address).unwrap());
    assert_eq!(refusal(open.read(1, &mut buffer)), Refusal::Blocked);
    assert_eq!(refusal(operations.open_part(&caller, id, DeliveryPart::Data(1)).map(drop)), Refusal::Blocked);
    assert_eq!(refusal(operations.outbox_products(&caller, &org("one"))), Refusal::Blocked);
    // an upload: no byte more, no close that completes, no rename, no marker, no colleague
    assert_eq!(refusal(finished.write(5, b"more")), Refusal::Blocked);
    assert_eq!(refusal(finished.close()), Refusal::Blocked);
    unfinished.abandon().unwrap();
    let rename = |who: &Caller| {
        operations.rename_upload(who, &product("intake"), &upload_name("b.part"), &upload_name("b.csv"), false)
    };
    assert_eq!(refusal(rename(&caller)), Refusal::Blocked);
    assert!(matches!(refusal(rename(&second)), Refusal::NotAllowed(_)));
    for (who, name) in [(&caller, "a.csv"), (&caller, "a.csv.done"), (&second, "a.csv"), (&second, "b.part")] {
        assert!(world.begin(who, name, GO_ON).is_err(), "{name}");
    }
    let taken = operations.read_upload(&second, &product("intake"), &upload_name("a.csv"));
    assert!(matches!(refusal(taken.map(drop)), Refusal::NotAllowed(_)));
    assert!(operations.remove_upload(&second, &product("intake"), &upload_name("a.csv")).is_err());
    assert_eq!((world.state_of("a.csv"), world.state_of("b.part")), (UploadState::Unfinished, UploadState::Unfinished));
    assert_eq!((world.payloads(), world.lines_of("upload-received").len()), (before, 0));
    operations.send_due_mail(1_000).unwrap();
    assert!(world.mailer.messages().is_empty(), "the delivery was ready before the block, and nobody is told now");

    operations.change_account_standing(&login("one-robot"), StandingChange::Unblock, CHANNEL).unwrap();
    assert_eq!(world.fetch(&world.caller("one"), "a.csv").unwrap(), b"aaa");
    let upload = world.begin(&caller, "a.csv", GO_ON).unwrap();
    upload.write(5, b" and more").unwrap();
    upload.close().unwrap();
    rename(&caller).unwrap();
    for name in ["a.csv", "b.csv"] {
        assert!(matches!(world.state_of(name), UploadState::Received { .. }), "{name}");
    }
}

#[test]
fn what_a_blocked_account_handed_in_is_not_handed_over_before_the_block_is_lifted() {
    let world = World::with_dropbox();
    let operations = &world.operations;
    let upload = world.begin(&world.caller("one"), "a.csv", NEW).unwrap();
    upload.write(0, b"whole").unwrap();
    upload.close().unwrap();
    let block = StandingChange::Block { reason: line("suspected misuse"), until: None };
    operations.change_account_standing(&login("one-robot"), block.clone(), CHANNEL).unwrap();
    let round = || {
        world.clock.advance(Span::from_seconds(60));
        let round = operations.advance_intake().unwrap();
        assert!(round.failed.is_empty(), "{:?}", round.failed);
        (round.judged, round.handed_over)
    };
    for _ in 0..3 {
        assert_eq!(round(), (0, 0));
    }
    assert!(world.handover.files().is_empty());
    operations.change_account_standing(&login("one-robot"), StandingChange::Unblock, CHANNEL).unwrap();
    let (first, second) = (round(), round());
    assert_eq!((first.0 + second.0, first.1 + second.1), (1, 1));
    assert_eq!(world.handover.files().len(), 2, "the file and its slip");

    // the block of its organisation does the same
    let upload = world.begin(&world.caller("one"), "b.csv", NEW).unwrap();
    upload.write(0, b"another").unwrap();
    upload.close().unwrap();
    operations.change_organisation_standing(&org("one"), block, CHANNEL).unwrap();
    assert_eq!(round(), (0, 0));
    operations.change_organisation_standing(&org("one"), StandingChange::Unblock, CHANNEL).unwrap();
    let (first, second) = (round(), round());
    assert_eq!(first.1 + second.1, 1);
}

#[test]
fn a_report_of_misuse_is_dealt_with_by_one_end() {
    let world = World::new();
    let operations = &world.operations;
    let token = operations.add_token(&login("one-robot"), None, CHANNEL).unwrap();
    let person = NewAccount {
        login: login("jan@one.example"),
        organisation: org("one"),
        kind: AccountKind::Person { email: EmailAddress::parse("jan@one.example").unwrap() },
        is_administrator: false,
        language: Language::Dutch,
    };
    operations.add_account(person, CHANNEL).unwrap();
    let link = operations.make_account_link(&login("jan@one.example"), CHANNEL).unwrap();
    let link = link.strip_prefix("https://test.example/account/").unwrap();
    assert!(operations.look_at_link(link).is_ok());
    let before = world.history().len();
    let end = StandingChange::End { reason: Some(EndReason::Misuse), note: None };
    operations.change_account_standing(&login("one-robot"), end.clone(), CHANNEL).unwrap();
    // one decision, and everything of it on record
    let words = world.history().split_off(before);
    assert_eq!(words, ["account-ended", "key-revoked", "token-revoked"]);
    assert!(operations.keys(&login("one-robot")).unwrap().iter().all(|key| key.revoked_at.is_some()));
    assert!(operations.tokens(&login("one-robot")).unwrap().iter().all(|token| token.revoked_at.is_some()));
    assert!(operations.sign_in_with_token(&token.secret, &visitor()).is_err());
    operations.change_account_standing(&login("jan@one.example"), end, CHANNEL).unwrap();
    assert_eq!(refusal(operations.look_at_link(link)), Refusal::LinkClosed);
}

#[test]
fn a_link_opens_nothing_while_the_organisation_is_blocked() {
    let world = World::new();
    let operations = &world.operations;
    let person = NewAccount {
        login: login("jan@one.example"),
        organisation: org("one"),
        kind: AccountKind::Person { email: EmailAddress::parse("jan@one.example").unwrap() },
        is_administrator: false,
        language: Language::Dutch,
    };
    operations.add_account(person, CHANNEL).unwrap();
    let link = operations.make_account_link(&login("jan@one.example"), CHANNEL).unwrap();
    let link = link.strip_prefix("https://test.example/account/").unwrap();
    let block = StandingChange::Block { reason: line("incident"), until: None };
    operations.change_organisation_standing(&org("one"), block, CHANNEL).unwrap();
    assert_eq!(refusal(operations.look_at_link(link)), Refusal::LinkClosed);
    operations.change_organisation_standing(&org("one"), StandingChange::Unblock, CHANNEL).unwrap();
    assert!(operations.look_at_link(link).is_ok());
}

#[test]
fn what_was_judged_on_one_channel_says_nothing_of_another() {
    let world = World::new();
    let id = world.one_delivery();
    let operations = &world.operations;
    let token = operations.add_token(&login("one-robot"), None, CHANNEL).unwrap();
    let (sftp, api) = (world.caller("one"), operations.sign_in_with_token(&token.secret, &visitor()).unwrap());
    let new = NewInterruption {
        reach: Reach::Sftp,
        nature: line("maintenance"),
        from: None,
        until: START.after(Span::from_days(1)),
        tells_administrators: false,
    };
    operations.start_interruption(new, CHANNEL).unwrap();
    // each asked while what was found for the other is still kept
    assert!(operations.open_part(&api, id, DeliveryPart::Data(1)).is_ok());
    assert_eq!(refusal(operations.open_part(&sftp, id, DeliveryPart::Data(1)).map(drop)), Refusal::Blocked);
    assert!(operations.open_part(&api, id, DeliveryPart::Data(1)).is_ok());
}

#[test]
fn a_whole_end_takes_what_a_part_left() {
    let world = World::new();
    let operations = &world.operations;
    operations.end_service(account("one-robot"), ending(Service::Deliver), CHANNEL).unwrap();
    let end = StandingChange::End { reason: Some(EndReason::Misuse), note: None };
    operations.change_account_standing(&login("one-robot"), end, CHANNEL).unwrap();
    assert!(matches!(refusal(world.with_key("one-robot", "SHA256:key")), Refusal::Ended(_)));
    let more = operations.end_service(account("one-robot"), ending(Service::Fetch), CHANNEL);
    assert!(matches!(refusal(more), Refusal::WrongState(_)));
    assert_eq!(operations.ended_services(&account("one-robot")).unwrap().len(), 1);
}

#[test]
fn a_key_whose_row_is_not_there_lets_nobody_in() {
    let world = World::new();
    let mut caller = world.caller("one");
    let filter = DeliveryFilter { limit: 10, ..DeliveryFilter::default() };
    assert!(world.operations.deliveries(&caller, &filter).is_ok());
    caller.credential = "SHA256:nothing".to_owned();
    let before = world.history();
    assert_eq!(refusal(world.operations.deliveries(&caller, &filter)), Refusal::Blocked);
    assert_eq!(refusal(world.operations.outbox_products(&caller, &org("one"))), Refusal::Blocked);
    assert_eq!((world.history(), world.mails()), (before, 0));
}
