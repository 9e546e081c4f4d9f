//! Intermediaries and mandates over adapters in memory: what one account reaches for which client, what
//! the end of a mandate takes, and what never comes back with a new one (D1-D6, 4.3-8, 4.4, 5.10-21).

use std::collections::BTreeSet;

use postkluis::domain::account::{AccountKind, Language};
use postkluis::domain::decision::Decision;
use postkluis::domain::history::{About, Event, Happening, HistoryLine, HistoryQuery, Who};
use postkluis::domain::ids::{DeliveryId, MandateId};
use postkluis::domain::mandate::MandatePhase;
use postkluis::domain::moment::{Moment, Span};
use postkluis::domain::names::{EmailAddress, ProductCode, UploadName};
use postkluis::domain::record::RightHolder;
use postkluis::domain::refusal::{Refusal, What};
use postkluis::domain::rights::Right;
use postkluis::operations::{
    Caller, DeliveryFilter, Failure, MandateChange, NewAccount, NewMandate, NewProduct, StandingChange, UploadMode,
};

use postkluis::ports::catalog::Catalog as _;

use super::{CHANNEL, START, World, file, line, login, name, org, product, refusal};

pub(super) fn products(codes: &[&str]) -> BTreeSet<ProductCode> {
    codes.iter().map(|code| product(code)).collect()
}

fn days(count: u64) -> Moment {
    START.after(Span::from_days(count))
}

pub(super) fn mandate_for(client: &str, codes: &[&str], until: Option<Moment>) -> NewMandate {
    NewMandate { intermediary: org("two"), client: org(client), products: products(codes), from: None, until }
}

/// `two` is the intermediary of `one`, for `daily`; `two-robot` is coupled to it.
pub(super) struct Bureau {
    pub(super) world: World,
    pub(super) id: MandateId,
}

impl Bureau {
    pub(super) fn new() -> Self {
        Self::until(None)
    }

    pub(super) fn until(until: Option<Moment>) -> Self {
        let world = World::new();
        let id = world.operations.add_mandate(mandate_for("one", &["daily"], until), CHANNEL).unwrap().id;
        let bureau = Self { world, id };
        bureau.couple("two-robot", "daily").unwrap();
        bureau
    }

    pub(super) fn couple(&self, account: &str, code: &str) -> Result<(), Failure> {
        self.world.operations.couple(&login(account), Some(&org("one")), &product(code), CHANNEL)
    }

    /// `two-robot` where it acts for a client.
    pub(super) fn acting(&self, client: &str) -> Caller {
        self.world.caller("two").for_client(&org(client))
    }

    pub(super) fn person(&self, email: &str, organisation: &str, is_administrator: bool) -> Caller {
        let new = NewAccount {
            login: login(email),
            organisation: org(organisation),
            kind: AccountKind::Person { email: EmailAddress::parse(email).unwrap() },
            is_administrator,
            language: Language::Dutch,
        };
        self.world.operations.add_account(new, CHANNEL).unwrap();
        let mut caller = self.world.caller(organisation);
        caller.login = login(email);
        caller.rights_as_of = Some(self.world.operations.now());
        self.world.let_in(&caller);
        caller
    }

    pub(super) fn end(&self) {
        let change = StandingChange::End { reason: None, note: None };
        self.world.operations.change_mandate_standing(self.id, change, CHANNEL).unwrap();
    }

    pub(super) fn outbox(&self, client: &str) -> Result<Vec<String>, Failure> {
        let page =
            self.world.operations.outbox_page(&self.acting(client), &org(client), &product("daily"), None, 100)?;
        Ok(page.into_iter().map(|entry| entry.name.to_string()).collect())
    }

    pub(super) fn told(&self, word: &str) -> Vec<HistoryLine> {
        let query = HistoryQuery { limit: 1_000, ..HistoryQuery::default() };
        let lines = self.world.operations.history(&query).unwrap();
        lines.into_iter().filter(|line| line.event.what.word() == word).collect()
    }

    pub(super) fn stored(&self) -> (usize, usize) {
        (self.world.history().len(), self.world.mails())
    }
}

pub(super) fn nowhere<T: std::fmt::Debug>(outcome: Result<T, Failure>) {
    assert!(matches!(refusal(outcome), Refusal::NotFound(_)));
}

#[test]
fn an_intermediary_reaches_what_is_coupled_of_its_client_and_nothing_else() {
    let bureau = Bureau::new();
    let world = &bureau.world;
    world.publish("1", &["one", "two"], vec![file("a.csv", b"of each")]);
    let acting = bureau.acting("one");
    // exactly the coupled pair, by listing, by state, by bytes (5.10-21)
    assert_eq!(bureau.outbox("one").unwrap().len(), 3);
    assert_eq!(world.operations.outbox_products(&acting, &org("one")).unwrap().len(), 1);
    let filter = DeliveryFilter { limit: 10, ..DeliveryFilter::default() };
    let seen = world.operations.deliveries(&acting, &filter).unwrap();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].delivery.organisation, org("one"));
    let entry = world.operations.outbox_entry(&acting, &org("one"), &product("daily"), &name("a.csv")).unwrap();
    let fetch = world.operations.open_part(&acting, entry.delivery, entry.part).unwrap();
    let bytes = fetch.read_vec(0, 100).unwrap();
    fetch.taken(0, bytes.len()).unwrap();
    fetch.close().unwrap();
    assert_eq!(bytes, b"of each");
    // both are named: for whom, and who (D6, PV18)
    let fetched = bureau.told("file-fetched");
    assert_eq!(fetched.len(), 1);
    assert_eq!(fetched[0].event.about.organisation, Some(org("one")));
    assert_eq!(fetched[0].event.who.organisation, Some(org("two")));
    // it counts as fetched by the client (interfaces §7)
    assert!(world.operations.any_delivery(entry.delivery).unwrap().delivery.progress.fetched_at.is_some());
    // the client's own robot reads who did it
    let own = HistoryQuery { limit: 100, ..HistoryQuery::default() };
    let lines = world.operations.own_history(&world.caller("one"), &own).unwrap();
    assert!(lines.iter().any(|line| line.event.who.organisation == Some(org("two"))));
    // a product that is not coupled, a client without a mandate, an organisation that is not there
    nowhere(world.operations.outbox_page(&acting, &org("one"), &product("short"), None, 10));
    nowhere(bureau.outbox("sealed"));
    nowhere(bureau.outbox("nobody"));
    for client in ["sealed", "nobody"] {
        let (code, acting) = (org(client), bureau.acting(client));
        assert!(world.operations.outbox_products(&acting, &code).unwrap().is_empty());
        nowhere(world.operations.client(&world.caller("two"), &code));
    }
    let clients = world.operations.clients(&world.caller("two")).unwrap();
    assert_eq!(clients.iter().map(|client| client.code.as_str()).collect::<Vec<_>>(), ["one"]);
    // and the client reaches nothing of its intermediary
    let back = world.caller("one").for_client(&org("two"));
    nowhere(world.operations.outbox_page(&back, &org("two"), &product("daily"), None, 10));
}

#[test]
fn where_somebody_acts_for_one_organisation_nothing_of_another_is_there() {
    let bureau = Bureau::new();
    let world = &bureau.world;
    world.publish("1", &["one"], vec![file("one.csv", b"x")]);
    world.publish("2", &["two"], vec![file("two.csv", b"x")]);
    let of = |caller: &Caller| -> (DeliveryId, Vec<String>) {
        let seen = world.operations.newest_deliveries(caller, None, false, 10).unwrap();
        assert_eq!(seen.len(), 1);
        (seen[0].delivery.id, seen.iter().map(|view| view.delivery.organisation.to_string()).collect())
    };
    let (own, acting) = (world.caller("two"), bureau.acting("one"));
    let ((own_id, own_names), (client_id, client_names)) = (of(&own), of(&acting));
    assert_eq!((own_names, client_names), (vec!["two".to_owned()], vec!["one".to_owned()]));
    // an id of the one does not exist where the other is asked
    nowhere(world.operations.delivery(&own, client_id));
    nowhere(world.operations.delivery(&acting, own_id));
    nowhere(
        world.operations.open_part(&own, client_id, postkluis::domain::delivery::DeliveryPart::Data(1)).map(|_| ()),
    );
    let asked = HistoryQuery { delivery: Some(client_id), limit: 10, ..HistoryQuery::default() };
    nowhere(world.operations.own_history(&own, &asked));
    assert!(!world.operations.own_history(&acting, &asked).unwrap().is_empty());
    // histories do not mix: what was done for the client stands with the client
    let entry = world.operations.outbox_entry(&acting, &org("one"), &product("daily"), &name("one.csv")).unwrap();
    world.operations.open_part(&acting, entry.delivery, entry.part).unwrap().read_vec(0, 10).unwrap();
    let query = HistoryQuery { limit: 100, ..HistoryQuery::default() };
    let of_own = world.operations.own_history(&own, &query).unwrap();
    assert!(of_own.iter().all(|line| line.event.about.organisation != Some(org("one"))), "{of_own:?}");
    let of_client = world.operations.own_history(&acting, &query).unwrap();
    assert!(of_client.iter().any(|line| line.event.what.word() == "fetch-started"));
    assert!(of_client.iter().all(|line| line.event.about.organisation == Some(org("one"))));
}

#[test]
fn the_end_of_a_mandate_takes_everything_at_once_and_stops_an_open_read() {
    let bureau = Bureau::new();
    let world = &bureau.world;
    world.publish("1", &["one"], vec![file("a.csv", b"0123456789")]);
    let acting = bureau.acting("one");
    let entry = world.operations.outbox_entry(&acting, &org("one"), &product("daily"), &name("a.csv")).unwrap();
    let fetch = world.operations.open_part(&acting, entry.delivery, entry.part).unwrap();
    assert_eq!(fetch.read_vec(0, 4).unwrap(), b"0123");
    bureau.end();
    nowhere(fetch.read_vec(4, 4));
    nowhere(bureau.outbox("one"));
    nowhere(world.operations.delivery(&acting, entry.delivery));
    nowhere(
        world.operations.own_history(
            &acting,
            &HistoryQuery { delivery: Some(entry.delivery), limit: 10, ..HistoryQuery::default() },
        ),
    );
    assert!(world.operations.clients(&world.caller("two")).unwrap().is_empty());
    assert!(
        world.operations.rights(Some(&login("two-robot")), None).unwrap().iter().all(|r| r.recipient == org("two"))
    );
    let gone = bureau.told("right-decoupled");
    assert_eq!(gone.len(), 1);
    assert_eq!(
        (gone[0].event.about.login.as_ref(), gone[0].event.about.organisation.as_ref()),
        (Some(&login("two-robot")), Some(&org("one")))
    );
    // e-mail stops with it: what was queued for the old right is not sent, and a new delivery tells only the client
    let before = world.mails();
    world.publish("2", &["one"], vec![file("b.csv", b"x")]);
    assert_eq!(world.mails() - before, 1);
    world.operations.send_due_mail(100).unwrap();
    assert!(world.mailer.messages().iter().all(|message| message.to.as_str() != "owner@two.example"));
    // it cannot be ended twice, blocked or changed any more
    let before = bureau.stored();
    let again = StandingChange::End { reason: None, note: None };
    assert!(matches!(
        refusal(world.operations.change_mandate_standing(bureau.id, again, CHANNEL)),
        Refusal::WrongState(_)
    ));
    let change = MandateChange { until: Some(days(9)), ..MandateChange::default() };
    assert!(matches!(refusal(world.operations.change_mandate(bureau.id, change, CHANNEL)), Refusal::WrongState(_)));
    assert_eq!(bureau.stored(), before);
}

#[test]
fn a_new_mandate_brings_no_old_right_back() {
    // ended by hand, and by the clock alone before anything put that on record; at the same moment and later
    for (by_clock, later) in [(false, 0), (false, 5), (true, 0), (true, 5)] {
        let bureau = Bureau::until(Some(days(1)));
        let world = &bureau.world;
        world.publish("1", &["one"], vec![file("a.csv", b"x")]);
        if by_clock {
            world.clock.advance(Span::from_days(1));
        } else {
            bureau.end();
        }
        nowhere(bureau.outbox("one"));
        world.clock.advance(Span::from_days(later));
        let new = world.operations.add_mandate(mandate_for("one", &["daily"], None), CHANNEL).unwrap();
        nowhere(bureau.outbox("one"));
        assert!(world.operations.clients(&world.caller("two")).unwrap().is_empty());
        let held = bureau.told(if by_clock { "mandate-expired" } else { "mandate-ended" });
        assert_eq!(held.len(), 1, "the end stands on record before the new one begins to count");
        // coupled anew it counts again
        bureau.couple("two-robot", "daily").unwrap();
        assert!(!bureau.outbox("one").unwrap().is_empty());
        assert_ne!(new.id, bureau.id);
        // the round finds nothing left of the old one
        assert_eq!(world.operations.settle_mandates().unwrap(), 0);
        assert!(!bureau.outbox("one").unwrap().is_empty());
    }
}

#[test]
fn a_right_that_no_mandate_leads_to_has_no_force() {
    let bureau = Bureau::new();
    let world = &bureau.world;
    bureau.end();
    // whatever left it there: a row of a right, and one of its holder, without one that leads from the mandate to it
    let (now, right) = (
        world.operations.now(),
        Right { login: login("two-robot"), recipient: org("one"), product: product("daily"), since: START },
    );
    let holder = RightHolder { recipient: org("one"), product: product("daily"), login: login("two-robot") };
    let event = Event::new(Happening::RightCoupled, Who::operator(CHANNEL), About::default());
    world.catalog.decide(Box::new(move |_| Ok(Decision::new(now, event).put(right).put(holder)))).unwrap();
    world.operations.add_mandate(mandate_for("one", &["daily"], None), CHANNEL).unwrap();
    let mails = world.mails();
    world.publish("1", &["one"], vec![file("a.csv", b"x")]);
    assert_eq!(world.mails() - mails, 1, "the client's own robot alone");
    nowhere(bureau.outbox("one"));
    assert!(world.operations.clients(&world.caller("two")).unwrap().is_empty());
    bureau.couple("two-robot", "daily").unwrap();
    assert!(!bureau.outbox("one").unwrap().is_empty());
}

#[test]
fn its_time_begins_and_ends_by_the_clock() {
    let world = World::new();
    let new = NewMandate { from: Some(days(2)), ..mandate_for("one", &["daily"], Some(days(4))) };
    let id = world.operations.add_mandate(new, CHANNEL).unwrap().id;
    let bureau = Bureau { world, id };
    let world = &bureau.world;
    // nothing is coupled before it begins
    let before = bureau.stored();
    assert!(matches!(refusal(bureau.couple("two-robot", "daily")), Refusal::NotAllowed(_)));
    assert_eq!(bureau.stored(), before);
    world.clock.advance(Span::from_days(2));
    bureau.couple("two-robot", "daily").unwrap();
    world.publish("1", &["one"], vec![file("a.csv", b"0123456789")]);
    let acting = bureau.acting("one");
    let entry = world.operations.outbox_entry(&acting, &org("one"), &product("daily"), &name("a.csv")).unwrap();
    let fetch = world.operations.open_part(&acting, entry.delivery, entry.part).unwrap();
    fetch.read_vec(0, 4).unwrap();
    world.clock.advance(Span::from_days(2));
    nowhere(bureau.outbox("one"));
    // a handle that is open ends with the round that puts it on record, every two seconds
    assert_eq!(world.operations.settle_mandates().unwrap(), 1);
    nowhere(fetch.read_vec(4, 4));
    assert_eq!(bureau.told("mandate-expired").len(), 1);
    assert_eq!(world.operations.settle_mandates().unwrap(), 0);
}

#[test]
fn a_block_closes_it_and_lifting_that_opens_it_with_its_rights() {
    let bureau = Bureau::new();
    let world = &bureau.world;
    world.publish("1", &["one"], vec![file("a.csv", b"x")]);
    let stand = |change| world.operations.change_mandate_standing(bureau.id, change, CHANNEL);
    let before = bureau.stored();
    assert!(matches!(refusal(stand(StandingChange::Unblock)), Refusal::WrongState(_)));
    assert_eq!(bureau.stored(), before);
    let blocked = stand(StandingChange::Block { reason: line("onderzoek"), until: None }).unwrap();
    assert_eq!(blocked.phase(world.operations.now()), MandatePhase::Blocked);
    nowhere(bureau.outbox("one"));
    assert!(matches!(refusal(bureau.couple("two-robot", "short")), Refusal::NotAllowed(_)));
    let mails = world.mails();
    world.publish("2", &["one"], vec![file("b.csv", b"x")]);
    assert_eq!(world.mails() - mails, 1, "only the client hears of it (J6)");
    stand(StandingChange::Unblock).unwrap();
    assert!(!bureau.outbox("one").unwrap().is_empty());
    assert_eq!((bureau.told("mandate-blocked").len(), bureau.told("mandate-unblocked").len()), (1, 1));
    let note = bureau.told("mandate-blocked")[0].event.detail.note.clone().unwrap();
    assert!(note.contains("to two") && note.contains("onderzoek"), "{note}");
}

#[test]
fn products_come_and_go_with_the_scope_and_the_agreement_stays_the_clients() {
    let bureau = Bureau::new();
    let world = &bureau.world;
    // outside the scope, and outside the client's agreements (B11, D6)
    let before = bureau.stored();
    assert!(matches!(refusal(bureau.couple("two-robot", "short")), Refusal::NotAllowed(_)));
    assert_eq!(bureau.stored(), before);
    let change = |added: &[&str], removed: &[&str]| {
        let change = MandateChange { added: products(added), removed: products(removed), until: None };
        world.operations.change_mandate(bureau.id, change, CHANNEL)
    };
    change(&["short"], &[]).unwrap();
    bureau.couple("two-robot", "short").unwrap();
    // what goes takes its rights, and coming back brings none
    change(&[], &["daily"]).unwrap();
    nowhere(bureau.outbox("one"));
    change(&["daily"], &[]).unwrap();
    nowhere(bureau.outbox("one"));
    let acting = bureau.acting("one");
    let left = world.operations.outbox_products(&acting, &org("one")).unwrap();
    assert_eq!(left.iter().map(|product| product.code.as_str()).collect::<Vec<_>>(), ["short"]);
    world.operations.end_agreement(&org("one"), &product("daily"), CHANNEL).unwrap();
    let before = bureau.stored();
    assert!(matches!(refusal(bureau.couple("two-robot", "daily")), Refusal::NoAgreement { .. }));
    assert!(matches!(refusal(change(&[], &["daily", "short"])), Refusal::BadRequest(_)), "none left");
    assert_eq!(refusal(change(&["nothing"], &[])), Refusal::NotFound(What::Product));
    assert_eq!(bureau.stored(), before);
}

#[test]
fn a_mandate_that_cannot_be_is_refused() {
    let bureau = Bureau::new();
    let world = &bureau.world;
    let before = bureau.stored();
    let add = |new| refusal(world.operations.add_mandate(new, CHANNEL));
    assert!(matches!(add(mandate_for("one", &["short"], None)), Refusal::Exists(What::Mandate, _)), "one at a time");
    assert!(matches!(add(mandate_for("two", &["daily"], None)), Refusal::BadRequest(_)), "for itself");
    assert!(matches!(add(mandate_for("sealed", &[], None)), Refusal::BadRequest(_)));
    assert!(matches!(add(mandate_for("sealed", &["daily"], Some(START))), Refusal::BadRequest(_)));
    assert_eq!(add(mandate_for("nobody", &["daily"], None)), Refusal::NotFound(What::Organisation));
    assert_eq!(add(mandate_for("sealed", &["nothing"], None)), Refusal::NotFound(What::Product));
    assert_eq!(bureau.stored(), before);
}

#[test]
fn an_account_for_one_client_reaches_that_client_alone_whatever_is_coupled() {
    let bureau = Bureau::new();
    let world = &bureau.world;
    world.operations.add_mandate(mandate_for("sealed", &["daily"], None), CHANNEL).unwrap();
    let new = |organisation: &str| NewAccount {
        login: login("two-one-robot"),
        organisation: org(organisation),
        kind: AccountKind::Machine { owner: EmailAddress::parse("owner@two.example").unwrap() },
        is_administrator: false,
        language: Language::Dutch,
    };
    let before = bureau.stored();
    let add = |new, client| refusal(world.operations.add_account_for_client(new, org(client), CHANNEL));
    assert!(matches!(add(new("two"), "two"), Refusal::BadRequest(_)));
    assert_eq!(add(new("two"), "nobody"), Refusal::NotFound(What::Organisation));
    let person = AccountKind::Person { email: EmailAddress::parse("a@two.example").unwrap() };
    assert!(matches!(add(NewAccount { kind: person, ..new("two") }, "one"), Refusal::BadRequest(_)));
    assert_eq!(bureau.stored(), before);
    world.operations.add_account_for_client(new("two"), org("one"), CHANNEL).unwrap();
    let scoped = login("two-one-robot");
    world.operations.couple(&scoped, Some(&org("one")), &product("daily"), CHANNEL).unwrap();
    let before = bureau.stored();
    for recipient in [None, Some(org("sealed"))] {
        let outcome = world.operations.couple(&scoped, recipient.as_ref(), &product("daily"), CHANNEL);
        assert!(matches!(refusal(outcome), Refusal::NotAllowed(_)), "never to another");
    }
    assert_eq!(bureau.stored(), before);
    world.publish("1", &["one"], vec![file("a.csv", b"x")]);
    let mut caller = world.caller("two");
    caller.login = scoped.clone();
    world.let_in(&caller);
    assert_eq!(world.operations.newest_deliveries(&caller.for_client(&org("one")), None, false, 9).unwrap().len(), 1);
    assert!(world.operations.outbox_products(&caller, &org("two")).unwrap().is_empty(), "not even its own");
    assert_eq!(world.operations.only_client_of(&scoped).unwrap(), Some(org("one")));
}

#[test]
fn an_upload_for_a_client_lands_there_and_names_who_brought_it() {
    let bureau = Bureau::new();
    let world = &bureau.world;
    let new = NewProduct {
        code: product("files"),
        name: line("files"),
        retention: Span::from_days(30),
        requires_marker: false,
        accepts_uploads: true,
        end_to_end: false,
    };
    world.operations.add_product(new, CHANNEL).unwrap();
    for code in ["one", "two"] {
        world.agree(code, "files", false);
    }
    let change = MandateChange { added: products(&["files"]), ..MandateChange::default() };
    world.operations.change_mandate(bureau.id, change, CHANNEL).unwrap();
    bureau.couple("two-robot", "files").unwrap();
    let acting = bureau.acting("one");
    let (code, name) = (product("files"), UploadName::parse("deelnemers.csv").unwrap());
    let mode = UploadMode { create: true, truncate: true, ..UploadMode::default() };
    let upload = world.operations.open_upload(&acting, &code, &name, mode).unwrap();
    upload.write(0, b"a;b").unwrap();
    upload.close().unwrap();
    let view = world.operations.upload_entry(&acting, &code, &name).unwrap();
    assert_eq!((view.upload.organisation, view.upload.login), (org("one"), login("two-robot")));
    let received = bureau.told("upload-received");
    assert_eq!(received[0].event.about.organisation, Some(org("one")));
    assert_eq!(received[0].event.who.organisation, Some(org("two")));
    // not in its own drop-box, nor anywhere once the mandate is over (4.4-4)
    assert!(world.operations.dropbox_products(&world.caller("two")).unwrap().is_empty());
    let second = UploadName::parse("meer.csv").unwrap();
    let open = world.operations.open_upload(&acting, &code, &second, mode).unwrap();
    bureau.end();
    nowhere(open.write(0, b"x"));
    nowhere(world.operations.upload_entry(&acting, &code, &name));
    nowhere(world.operations.open_upload(&acting, &code, &second, mode).map(|_| ()));
}

#[test]
fn both_organisations_are_warned_once_before_the_end() {
    let bureau = Bureau::until(Some(days(100)));
    let world = &bureau.world;
    bureau.person("hoofd@one.example", "one", true);
    bureau.person("boss@two.example", "two", true);
    bureau.person("kim@two.example", "two", false);
    world.clock.advance(Span::from_millis(Span::from_days(70).millis() - 1));
    assert_eq!(world.operations.settle_mandates().unwrap(), 0);
    world.clock.advance(Span::from_millis(1));
    assert_eq!((world.operations.settle_mandates().unwrap(), world.operations.settle_mandates().unwrap()), (1, 0));
    world.operations.send_due_mail(100).unwrap();
    let mails: Vec<_> =
        world.mailer.messages().into_iter().filter(|mail| mail.subject.contains("machtiging")).collect();
    let mut to: Vec<String> = mails.iter().map(|mail| mail.to.to_string()).collect();
    to.sort();
    assert_eq!(to, ["boss@two.example", "hoofd@one.example"], "administrators of both, nobody else (M23)");
    assert!(mails.iter().all(|mail| mail.subject.contains("(one)") && mail.text.contains("Intermediair: two")));
    // prolonged, it is warned of anew before the new end
    let change = MandateChange { until: Some(days(400)), ..MandateChange::default() };
    world.operations.change_mandate(bureau.id, change, CHANNEL).unwrap();
    assert_eq!(world.operations.settle_mandates().unwrap(), 0);
    world.clock.advance(Span::from_days(300));
    assert_eq!(world.operations.settle_mandates().unwrap(), 1);
    world.operations.send_due_mail(100).unwrap();
    assert_eq!(world.mailer.messages().iter().filter(|mail| mail.subject.contains("machtiging")).count(), 4);
}

#[test]
fn what_a_client_has_waiting_is_counted() {
    let bureau = Bureau::new();
    let world = &bureau.world;
    for number in 1..=3 {
        world.publish(&number.to_string(), &["one"], vec![file(&format!("{number}.csv"), b"0123")]);
    }
    let acting = bureau.acting("one");
    let open = |name_: &str| {
        let entry = world.operations.outbox_entry(&acting, &org("one"), &product("daily"), &name(name_)).unwrap();
        world.operations.open_part(&acting, entry.delivery, entry.part).unwrap()
    };
    let whole = open("1.csv");
    let length = whole.read_vec(0, 4).unwrap().len();
    whole.taken(0, length).unwrap();
    whole.close().unwrap();
    open("2.csv").read_vec(0, 2).unwrap();
    let counts = |at: &World| at.operations.clients(&at.caller("two")).unwrap()[0].counts;
    assert_eq!((counts(world).new, counts(world).not_fetched, counts(world).ends_soon), (1, 2, 0));
    world.clock.advance(Span::from_days(28));
    assert_eq!((counts(world).not_fetched, counts(world).ends_soon), (2, 2));
    world.clock.advance(Span::from_days(5));
    assert_eq!(counts(world).not_fetched, 0);
}
