//! Uploads of participant files: what completes them and what does not, whose they are, their
//! bounds, and what time does to them.

use postkluis::domain::names::UploadName;
use postkluis::domain::upload::{ReceivedStage, UploadState};
use postkluis::operations::{Receiving, UploadFilter, UploadMode, UploadView};
use postkluis::ports::unfinished::Unfinished as _;

use super::*;

pub(super) const NEW: UploadMode = UploadMode { append: false, create: true, truncate: true, exclusive: false };
const GO_ON: UploadMode = UploadMode { append: false, create: true, truncate: false, exclusive: false };

pub(super) fn upload_name(text: &str) -> UploadName {
    UploadName::parse(text).unwrap()
}

impl World {
    /// As `new`, with a product `intake` that accepts uploads, to which `one-robot`, `one-second` and `two-robot`
    /// are coupled.
    pub(super) fn with_dropbox() -> Self {
        let world = Self::new();
        let operations = &world.operations;
        let new = NewProduct {
            code: product("intake"),
            name: line("intake"),
            retention: Span::from_days(30),
            requires_marker: false,
            accepts_uploads: true,
            end_to_end: false,
        };
        operations.add_product(new, CHANNEL).unwrap();
        let owner = EmailAddress::parse("second@one.example").unwrap();
        let second = NewAccount {
            login: login("one-second"),
            organisation: org("one"),
            kind: AccountKind::Machine { owner },
            is_administrator: false,
            language: Language::Dutch,
        };
        operations.add_account(second, CHANNEL).unwrap();
        operations.add_key(&login("one-second"), "SHA256:key", "ssh-ed25519 AAAA", None, CHANNEL).unwrap();
        for code in ["one", "two"] {
            world.agree(code, "intake", false);
        }
        for account in ["one-robot", "one-second", "two-robot"] {
            operations.couple(&login(account), None, &product("intake"), CHANNEL).unwrap();
        }
        world
    }

    pub(super) fn second(&self) -> Caller {
        let visitor = Visitor { address: IpAddr::V4(Ipv4Addr::LOCALHOST), client: None };
        self.operations.sign_in_with_key("one-second", "SHA256:key", &visitor).unwrap()
    }

    pub(super) fn open(&self, caller: &Caller, file_name: &str, mode: UploadMode) -> Result<Receiving, Failure> {
        self.operations.open_upload(caller, &product("intake"), &upload_name(file_name), mode)
    }

    pub(super) fn put(&self, caller: &Caller, file_name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let upload = self.open(caller, file_name, NEW)?;
        upload.write(0, bytes)?;
        upload.close()
    }

    pub(super) fn look(&self, caller: &Caller, file_name: &str) -> Result<UploadView, Failure> {
        self.operations.upload_entry(caller, &product("intake"), &upload_name(file_name))
    }

    pub(super) fn state(&self, caller: &Caller, file_name: &str) -> UploadState {
        self.look(caller, file_name).unwrap().upload.state
    }

    pub(super) fn read_back(&self, caller: &Caller, file_name: &str) -> Vec<u8> {
        let upload = self.operations.read_upload(caller, &product("intake"), &upload_name(file_name)).unwrap();
        let bytes = upload.read(0, 2_000_000).unwrap();
        upload.close().unwrap();
        bytes
    }

    pub(super) fn folder(&self, caller: &Caller) -> Vec<String> {
        let page = self.operations.upload_page(caller, &product("intake"), None, 1_000).unwrap();
        page.into_iter().map(|view| view.upload.name.to_string()).collect()
    }

    pub(super) fn all(&self) -> Vec<UploadView> {
        self.operations.all_uploads(&UploadFilter { limit: 100, ..UploadFilter::default() }).unwrap()
    }

    pub(super) fn words_of(&self, word: &str) -> usize {
        self.history().into_iter().filter(|other| *other == word).count()
    }

    pub(super) fn rename(&self, caller: &Caller, from: &str, to: &str, replace: bool) -> Result<(), Failure> {
        self.operations.rename_upload(caller, &product("intake"), &upload_name(from), &upload_name(to), replace)
    }

    pub(super) fn wait(&self, span: Span) {
        self.clock.advance(span);
    }
}

fn is_received(state: &UploadState) -> bool {
    matches!(state, UploadState::Received { .. })
}

#[test]
fn a_closed_file_of_a_final_name_is_received_and_reads_back() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    let bytes: Vec<u8> = (0..200_000_u32).map(|n| (n % 251) as u8).collect();
    world.put(&caller, "a.csv", &bytes).unwrap();
    let view = world.look(&caller, "a.csv").unwrap();
    assert!(is_received(&view.upload.state) && !view.is_open);
    assert_eq!(view.upload.size_bytes, bytes.len() as u64);
    let expected = <sha2::Sha256 as sha2::Digest>::digest(&bytes);
    assert_eq!(view.upload.state.sha256().unwrap().as_bytes()[..], expected[..]);
    assert_eq!(world.read_back(&caller, "a.csv"), bytes);
    assert_eq!((world.words_of("upload-started"), world.words_of("upload-received")), (1, 1));
    assert_eq!((world.payloads(), world.mails()), (1, 1));
}

#[test]
fn a_broken_connection_completes_nothing_and_can_be_resumed() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    let upload = world.open(&caller, "a.csv", NEW).unwrap();
    upload.write(0, b"first half ").unwrap();
    upload.abandon().unwrap();
    let view = world.look(&caller, "a.csv").unwrap();
    assert_eq!((view.upload.state, view.upload.size_bytes), (UploadState::Unfinished, 11));
    assert_eq!(world.payloads(), 0);
    let upload = world.open(&caller, "a.csv", GO_ON).unwrap();
    upload.write(11, b"second half").unwrap();
    upload.close().unwrap();
    assert!(is_received(&world.state(&caller, "a.csv")));
    assert_eq!(world.read_back(&caller, "a.csv"), b"first half second half");
    let words = (world.words_of("upload-paused"), world.words_of("upload-resumed"), world.words_of("upload-received"));
    assert_eq!(words, (1, 1, 1));
}

#[test]
fn who_comes_back_takes_over_and_the_old_handle_can_do_no_more() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    let old = world.open(&caller, "a.csv", NEW).unwrap();
    old.write(0, b"abc").unwrap();
    let new = world.open(&caller, "a.csv", GO_ON).unwrap();
    assert!(matches!(refusal(old.write(3, b"x")), Refusal::WrongState(_)));
    assert!(matches!(refusal(old.close()), Refusal::WrongState(_)));
    new.write(3, b"def").unwrap();
    new.close().unwrap();
    assert_eq!(world.read_back(&caller, "a.csv"), b"abcdef");
}

#[test]
fn a_temporary_name_is_complete_when_it_gets_a_final_one() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    for temporary in ["a.csv.filepart", ".a.csv.Xy", "a.part"] {
        world.put(&caller, temporary, b"abc").unwrap();
        assert_eq!(world.state(&caller, temporary), UploadState::Unfinished, "{temporary}");
        let last = format!("final-{}", world.words_of("upload-received"));
        world.rename(&caller, temporary, &last, false).unwrap();
        assert!(is_received(&world.state(&caller, &last)));
        assert_eq!(refusal(world.look(&caller, temporary)), Refusal::NotFound(postkluis::domain::refusal::What::File));
        assert_eq!(world.read_back(&caller, &last), b"abc");
    }
    assert_eq!((world.words_of("upload-received"), world.words_of("upload-renamed")), (3, 3));
}

#[test]
fn an_empty_marker_completes_the_file_it_names_and_is_no_data() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    let upload = world.open(&caller, "a.csv", NEW).unwrap();
    upload.write(0, b"abc").unwrap();
    upload.abandon().unwrap();
    let marker = world.open(&caller, "a.csv.done", NEW).unwrap();
    assert!(matches!(refusal(marker.write(0, b"x")), Refusal::WrongState(_)));
    marker.close().unwrap();
    assert!(is_received(&world.state(&caller, "a.csv")));
    assert_eq!(world.folder(&caller), ["a.csv"]);
    assert_eq!(world.words_of("upload-received"), 1);
}

#[test]
fn a_gap_is_named_and_what_lies_beyond_it_is_sent_again() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    let upload = world.open(&caller, "a.csv", NEW).unwrap();
    upload.write(0, b"abc").unwrap();
    upload.write(6, b"ghi").unwrap();
    let said = refusal(upload.close()).to_string();
    assert!(said.contains("3 to 6"), "{said}");
    let view = world.look(&caller, "a.csv").unwrap().upload;
    assert_eq!((view.state, view.size_bytes), (UploadState::Unfinished, 3));
    assert_eq!(world.payloads(), 0);
}

#[test]
fn a_received_file_can_be_resumed_for_a_while_and_never_thrown_away() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    world.put(&caller, "a.csv", b"half").unwrap();
    assert!(matches!(refusal(world.open(&caller, "a.csv", NEW)), Refusal::WrongState(_)));
    let again = world.open(&caller, "a.csv", GO_ON).unwrap();
    again.write(4, b" and whole").unwrap();
    again.close().unwrap();
    assert_eq!(world.read_back(&caller, "a.csv"), b"half and whole");
    assert_eq!((world.words_of("upload-resumed"), world.words_of("upload-received")), (1, 2));
    world.wait(Span::from_seconds(901));
    assert!(matches!(refusal(world.open(&caller, "a.csv", GO_ON)), Refusal::WrongState(_)));
    world.operations.enforce_retention().unwrap();
    assert_eq!(world.payloads(), 1, "the payload of the half is gone");
    assert!(world.unfinished.inventory().unwrap().is_empty());
    assert_eq!(world.read_back(&caller, "a.csv"), b"half and whole");
    assert_eq!(world.words_of("upload-refused"), 2);
}

#[test]
fn the_time_of_last_change_is_kept_also_after_the_close() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    let upload = world.open(&caller, "a.csv", NEW).unwrap();
    upload.write(0, b"abc").unwrap();
    upload.set_mtime(1_700_000_000).unwrap();
    upload.close().unwrap();
    assert_eq!(world.look(&caller, "a.csv").unwrap().upload.shown_mtime_seconds(), 1_700_000_000);
    world.operations.set_upload_mtime(&caller, &product("intake"), &upload_name("a.csv"), 1_600_000_000).unwrap();
    assert_eq!(world.look(&caller, "a.csv").unwrap().upload.shown_mtime_seconds(), 1_600_000_000);
    assert!(is_received(&world.state(&caller, "a.csv")));
}

#[test]
fn names_differ_by_more_than_case() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    world.put(&caller, "a.csv", b"abc").unwrap();
    let said = refusal(world.open(&caller, "A.csv", NEW)).to_string();
    assert!(said.contains("a.csv is there already"), "{said}");
    assert_eq!(world.folder(&caller), ["a.csv"]);
    let exclusive = UploadMode { exclusive: true, ..GO_ON };
    assert!(matches!(refusal(world.open(&caller, "a.csv", exclusive)), Refusal::Exists(..)));
}

#[test]
fn posix_rename_replaces_an_own_unfinished_file_and_never_one_that_was_handed_over() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    let old = world.open(&caller, "a.csv", NEW).unwrap();
    old.write(0, b"old").unwrap();
    old.abandon().unwrap();
    world.put(&caller, "b.part", b"new").unwrap();
    assert!(matches!(refusal(world.rename(&caller, "b.part", "a.csv", false)), Refusal::Exists(..)));
    world.rename(&caller, "b.part", "a.csv", true).unwrap();
    assert_eq!(world.read_back(&caller, "a.csv"), b"new");
    world.operations.advance_intake().unwrap();
    world.operations.advance_intake().unwrap();
    world.put(&caller, "c.part", b"newer").unwrap();
    assert!(matches!(refusal(world.rename(&caller, "c.part", "a.csv", true)), Refusal::WrongState(_)));
    assert_eq!(world.read_back(&caller, "a.csv"), b"new");
    assert_eq!(world.folder(&caller), ["a.csv", "c.part"]);
    assert_eq!(world.words_of("upload-removed"), 1);
    let room = world.operations.upload_room(&caller).unwrap();
    assert_eq!((room.unfinished, room.used_bytes), (1, 8));
}

#[test]
fn another_account_of_the_organisation_reads_and_changes_nothing() {
    let world = World::with_dropbox();
    let (caller, second) = (world.caller("one"), world.second());
    let upload = world.open(&caller, "a.csv", NEW).unwrap();
    upload.write(0, b"abc").unwrap();
    assert_eq!(world.read_back(&second, "a.csv"), b"abc");
    upload.write(3, b"def").unwrap();
    upload.abandon().unwrap();
    assert!(matches!(refusal(world.open(&second, "a.csv", GO_ON)), Refusal::NotAllowed(_)));
    assert!(matches!(refusal(world.rename(&second, "a.csv", "b.csv", true)), Refusal::NotAllowed(_)));
    let removed = world.operations.remove_upload(&second, &product("intake"), &upload_name("a.csv"));
    assert!(matches!(refusal(removed), Refusal::NotAllowed(_)));
    assert_eq!(world.look(&caller, "a.csv").unwrap().upload.size_bytes, 6);
}

#[test]
fn another_organisation_sees_nothing_and_may_use_the_same_name() {
    let world = World::with_dropbox();
    let (one, two) = (world.caller("one"), world.caller("two"));
    world.put(&one, "a.csv", b"of one").unwrap();
    assert!(world.folder(&two).is_empty());
    assert!(matches!(refusal(world.look(&two, "a.csv")), Refusal::NotFound(_)));
    world.put(&two, "a.csv", b"of two").unwrap();
    assert_eq!((world.read_back(&one, "a.csv"), world.read_back(&two, "a.csv")), (b"of one".into(), b"of two".into()));
}

#[test]
fn only_coupled_accounts_with_an_agreement_deliver_and_only_where_uploads_are_taken() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    let stranger = world.caller("sealed");
    assert!(world.operations.dropbox_products(&stranger).unwrap().is_empty());
    assert!(matches!(refusal(world.open(&stranger, "a.csv", NEW)), Refusal::NotFound(_)));
    let daily = world.operations.open_upload(&caller, &product("daily"), &upload_name("a.csv"), NEW);
    assert!(matches!(refusal(daily), Refusal::NotFound(_)));
    world.operations.end_agreement(&org("one"), &product("intake"), CHANNEL).unwrap();
    assert!(matches!(refusal(world.open(&caller, "a.csv", NEW)), Refusal::NotFound(_)));
    assert!(world.operations.dropbox_products(&caller).unwrap().is_empty());
    assert!(world.all().is_empty() && world.payloads() == 0);
    assert_eq!(world.words_of("upload-started"), 0);
}

#[test]
fn a_removed_right_stops_an_open_handle_and_what_had_arrived_stays_unfinished() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    let upload = world.open(&caller, "a.csv", NEW).unwrap();
    upload.write(0, b"abc").unwrap();
    world.operations.decouple(&login("one-robot"), None, &product("intake"), CHANNEL).unwrap();
    assert!(matches!(refusal(upload.write(3, b"def")), Refusal::NotFound(_)));
    assert!(matches!(refusal(upload.close()), Refusal::NotFound(_)));
    let all = world.all();
    let [view] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!((&view.upload.state, view.upload.size_bytes, view.is_open), (&UploadState::Unfinished, 3, false));
    assert_eq!((world.payloads(), world.words_of("upload-received")), (0, 0));
}

#[test]
fn each_bound_is_said_put_on_record_and_changes_nothing() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    let upload = world.open(&caller, "a.csv", NEW).unwrap();
    assert!(matches!(refusal(upload.write(1_000_000, b"x")), Refusal::TooMuch(_)));
    assert!(matches!(refusal(upload.set_size(1_000_001)), Refusal::TooMuch(_)));
    upload.write(0, &vec![1; 900_000]).unwrap();
    let other = world.open(&caller, "b.csv", NEW).unwrap();
    assert!(matches!(refusal(other.write(0, &vec![1; 700_000])), Refusal::TooMuch(_)));
    other.write(0, &vec![1; 600_000]).unwrap();
    assert_eq!(world.operations.upload_room(&caller).unwrap().used_bytes, 1_500_000);
    assert!(matches!(refusal(other.close()), Refusal::WrongState(_)));
    upload.abandon().unwrap();
    assert_eq!(world.operations.upload_room(&caller).unwrap().used_bytes, 1_500_000);
    let furthest = world.open(&caller, "a.csv", UploadMode::default()).unwrap();
    assert!(matches!(refusal(furthest.write(u64::MAX, b"x")), Refusal::TooMuch(_)));
    drop(furthest);
    world.put(&caller, "c.part", b"").unwrap();
    assert!(matches!(refusal(world.open(&caller, "e.csv", NEW)), Refusal::TooMuch(_)));
    assert_eq!(world.folder(&caller), ["a.csv", "b.csv", "c.part"]);
    assert_eq!(world.unfinished.inventory().unwrap().len(), 3, "nothing of them is complete");
    world.operations.remove_upload(&caller, &product("intake"), &upload_name("a.csv")).unwrap();
    assert_eq!(world.operations.upload_room(&caller).unwrap().used_bytes, 600_000);
    assert_eq!(world.words_of("upload-refused"), 4);
}

#[test]
fn appending_goes_on_at_the_end_or_not_at_all() {
    const APPEND: UploadMode = UploadMode { append: true, create: true, truncate: false, exclusive: false };
    let world = World::with_dropbox();
    let caller = world.caller("one");
    let first = world.open(&caller, "a.csv", NEW).unwrap();
    first.write(0, b"0123456789").unwrap();
    first.abandon().unwrap();

    // as `reput`: what the client takes for the end must be the end
    for wrong in [5, 11] {
        let opened = world.open(&caller, "a.csv", APPEND).unwrap();
        let Refusal::WrongState(why) = refusal(opened.write(wrong, b"x")) else { panic!("it was taken") };
        assert!(why.contains("10"), "{why}");
        assert!(matches!(refusal(opened.close()), Refusal::WrongState(_)), "and nothing is handed in");
    }
    // as asyncssh: from zero with each call, and with each packet from there
    let opened = world.open(&caller, "a.csv", APPEND).unwrap();
    for (offset, data) in [(0, "ab"), (2, "cd"), (0, "ef"), (2, "gh")] {
        opened.write(offset, data.as_bytes()).unwrap();
    }
    assert!(matches!(refusal(opened.write(3, b"x")), Refusal::WrongState(_)));
    opened.abandon().unwrap();
    // what an older connection wrote last may have come after this client looked
    let older = world.open(&caller, "a.csv", APPEND).unwrap();
    older.write(18, b"ij").unwrap();
    let newer = world.open(&caller, "a.csv", APPEND).unwrap();
    assert!(matches!(refusal(newer.write(0, b"x")), Refusal::WrongState(_)));
    drop(newer);
    let last = world.open(&caller, "a.csv", APPEND).unwrap();
    last.write(20, b"k").unwrap();
    last.close().unwrap();
    assert_eq!(world.read_back(&caller, "a.csv"), b"0123456789abcdefghijk");
}

#[test]
fn unfinished_uploads_go_with_their_day_and_received_ones_stage_by_stage() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    world.put(&caller, "a.csv", b"received").unwrap();
    let open = world.open(&caller, "b.csv", NEW).unwrap();
    open.write(0, b"never finished").unwrap();
    world.wait(Span::from_days(6));
    world.operations.enforce_retention().unwrap();
    assert_eq!(world.folder(&caller), ["a.csv", "b.csv"]);
    world.wait(Span::from_days(2));
    let report = world.operations.enforce_retention().unwrap();
    assert_eq!(report.uploads_expired.len(), 1);
    assert!(matches!(refusal(open.write(0, b"x")), Refusal::WrongState(_)));
    assert!(world.folder(&caller).is_empty(), "a.csv was shown for seven days");
    assert!(world.unfinished.inventory().unwrap().is_empty());
    let stage = |view: &UploadView| match view.upload.state {
        UploadState::Received { stage, .. } => Some(stage),
        _ => None,
    };
    assert_eq!(world.all().iter().filter_map(stage).collect::<Vec<_>>(), [ReceivedStage::Kept]);
    assert_eq!(world.payloads(), 1);
    world.put(&caller, "a.csv", b"the name is free again").unwrap();
    world.wait(Span::from_days(83));
    world.operations.enforce_retention().unwrap();
    assert_eq!(world.payloads(), 1, "the first a.csv is gone, the second is not");
    assert_eq!(world.words_of("upload-expired"), 2);
    let room = world.operations.upload_room(&caller).unwrap();
    assert_eq!((room.unfinished, room.used_bytes), (0, 22));
}

#[test]
fn a_start_keeps_what_can_be_resumed_and_clears_the_rest() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    let upload = world.open(&caller, "a.csv", NEW).unwrap();
    upload.write(0, b"abc").unwrap();
    world.put(&caller, "b.csv", b"received").unwrap();
    let stray = postkluis::domain::ids::UploadId::from_random([9; 16]);
    struct NoKeys;
    impl postkluis::ports::unfinished::ExtentKeys for NoKeys {
        fn fresh(&self) -> Result<(postkluis::ports::keyring::FileKey, Vec<u8>), Failure> {
            Ok((postkluis::ports::keyring::FileKey::new([0; 16]), Vec::new()))
        }
        fn open(&self, _: &[u8]) -> Result<postkluis::ports::keyring::FileKey, Failure> {
            Ok(postkluis::ports::keyring::FileKey::new([0; 16]))
        }
    }
    let limits = postkluis::ports::unfinished::UnfinishedLimits { max_bytes: 10, max_extents: 10, max_early_bytes: 10 };
    world.unfinished.begin(stray, Arc::new(NoKeys), limits).unwrap();
    let recovery = world.operations.recover().unwrap();
    assert_eq!((recovery.uploads_removed, recovery.set_aside.len(), recovery.missing.len()), (1, 0, 0));
    assert_eq!(world.unfinished.inventory().unwrap().len(), 2);
    assert_eq!(world.look(&caller, "a.csv").unwrap().upload.size_bytes, 3);
    // thrown away to begin anew, and then the crash
    upload.abandon().unwrap();
    world.unfinished.remove(upload.id()).unwrap();
    world.operations.recover().unwrap();
    assert_eq!(world.look(&caller, "a.csv").unwrap().upload.size_bytes, 0);
    world.put(&caller, "a.csv", b"anew").unwrap();
    assert_eq!(world.read_back(&caller, "a.csv"), b"anew");
}

#[test]
fn what_a_write_was_refused_of_is_not_complete_when_it_is_closed() {
    let world = World::with_dropbox();
    let caller = world.caller("one");
    let upload = world.open(&caller, "a.csv", NEW).unwrap();
    upload.write(0, &vec![1; 999_999]).unwrap();
    assert!(matches!(refusal(upload.write(999_999, b"xy")), Refusal::TooMuch(_)));
    assert!(matches!(refusal(upload.write(1_000_000, b"")), Refusal::WrongState(_)));
    assert!(matches!(refusal(upload.close()), Refusal::WrongState(_)));
    let view = world.look(&caller, "a.csv").unwrap();
    assert_eq!((view.upload.state, view.upload.size_bytes, view.is_open), (UploadState::Unfinished, 999_999, false));
    assert_eq!((world.payloads(), world.words_of("upload-received")), (0, 0));
}
