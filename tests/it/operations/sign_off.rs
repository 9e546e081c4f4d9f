//! Delete after fetch: hidden for one account, restored by the operator, gone
//! with the delivery. Nothing is destroyed.

use postkluis::domain::history::{Happening, HistoryQuery};
use postkluis::domain::refusal::{Refusal, What};

use super::{CHANNEL, World, file, line, login, name, org, product, refusal};

impl World {
    fn sign_off(&self, code: &str, file_name: &str) -> Result<(), postkluis::operations::Failure> {
        self.operations.sign_off(&self.caller(code), &org(code), &product("daily"), &name(file_name))
    }

    /// A second robot of organisation `one`, coupled as the first.
    fn second_robot(&self) -> postkluis::operations::Caller {
        let mut second = self.caller("one");
        second.login = login("one-second");
        let owner = postkluis::domain::names::EmailAddress::parse("owner@one.example").unwrap();
        let new = postkluis::operations::NewAccount {
            login: second.login.clone(),
            organisation: org("one"),
            kind: postkluis::domain::account::AccountKind::Machine { owner },
            is_administrator: false,
            language: postkluis::domain::account::Language::Dutch,
        };
        self.operations.add_account(new, CHANNEL).unwrap();
        self.operations.couple(&second.login, None, &product("daily"), CHANNEL).unwrap();
        self.let_in(&second);
        second
    }
}

#[test]
fn what_one_account_signs_off_the_others_still_see_and_fetch() {
    let world = World::new();
    let files = || vec![file("a.csv", b"first"), file("b.csv", b"second")];
    let published = world.publish("k", &["one", "two"], files());
    let second = world.second_robot();
    let all = world.names("one");
    assert_eq!(all.len(), 4);
    let open = {
        let caller = world.caller("one");
        let entry = world.operations.outbox_entry(&caller, &org("one"), &product("daily"), &name("a.csv")).unwrap();
        world.operations.open_part(&caller, entry.delivery, entry.part).unwrap()
    };
    world.sign_off("one", "a.csv").unwrap();
    let hidden: Vec<_> = all.iter().filter(|name| *name != "a.csv").cloned().collect();
    assert_eq!(world.names("one"), hidden);
    assert_eq!(refusal(world.fetch(&world.caller("one"), "a.csv")), Refusal::NotFound(What::File));
    // What was open stays open, as on any file system.
    let mut bytes = [0; 5];
    assert_eq!(open.read(0, &mut bytes).unwrap(), 5);
    assert_eq!(&bytes, b"first");
    assert_eq!(world.names("two").len(), 4, "another organisation sees all");
    assert_eq!(world.fetch(&second, "a.csv").unwrap(), b"first");
    assert_eq!(world.payloads(), 2, "nothing is destroyed");
    let event = HistoryQuery { limit: 1_000, ..HistoryQuery::default() };
    let lines = world.operations.history(&event).unwrap();
    let lines: Vec<_> = lines.iter().filter(|line| line.event.what == Happening::FileSignedOff).collect();
    assert_eq!(lines.len(), 1);
    let event = &lines[0].event;
    assert_eq!(event.who.login, Some(login("one-robot")));
    assert_eq!(event.about.file, Some(name("a.csv")));
    assert_eq!(event.about.delivery, Some(published.deliveries[0].id));
}

#[test]
fn what_cannot_be_seen_cannot_be_signed_off_and_nothing_is_recorded() {
    let world = World::new();
    world.publish("k", &["one"], vec![file("a.csv", b"first")]);
    world.sign_off("one", "a.csv").unwrap();
    let before = world.history();
    let again = world.operations.sign_off(&world.caller("one"), &org("one"), &product("daily"), &name("a.csv"));
    assert_eq!(refusal(again), Refusal::NotFound(What::File));
    assert_eq!(refusal(world.sign_off("two", "a.csv")), Refusal::NotFound(What::File));
    let stranger = world.caller("two");
    let foreign = world.operations.sign_off(&stranger, &org("one"), &product("daily"), &name("a.csv"));
    assert_eq!(refusal(foreign), Refusal::NotFound(What::Folder));
    let uncoupled = world.operations.sign_off(&stranger, &org("two"), &product("short"), &name("a.csv"));
    assert_eq!(refusal(uncoupled), Refusal::NotFound(What::Folder));
    let signed_in = |words: &[&'static str]| words.iter().filter(|word| **word != "signed-in").count();
    assert_eq!(signed_in(&world.history()), signed_in(&before));
}

#[test]
fn the_operator_undoes_it_for_one_account() {
    let world = World::new();
    let published = world.publish("k", &["one", "two"], vec![file("a.csv", b"first"), file("b.csv", b"second")]);
    let id = published.deliveries[0].id;
    let undo = |who: &str| world.operations.undo_sign_off(id, &login(who), CHANNEL);
    for name in world.names("one") {
        world.sign_off("one", &name).unwrap();
    }
    assert!(world.names("one").is_empty());
    assert!(matches!(refusal(undo("two-robot")), Refusal::WrongState(_)));
    assert_eq!(refusal(undo("nobody")), Refusal::NotFound(What::Account));
    assert!(world.names("one").is_empty(), "refusals change nothing");
    assert_eq!(undo("one-robot").unwrap(), 4);
    assert_eq!(world.names("one").len(), 4);
    assert_eq!(world.fetch(&world.caller("one"), "b.csv").unwrap(), b"second");
    assert!(matches!(refusal(undo("one-robot")), Refusal::WrongState(_)));
    assert_eq!(world.history().iter().filter(|word| **word == "sign-off-undone").count(), 1);
}

#[test]
fn a_name_that_comes_again_with_another_delivery_is_seen() {
    let world = World::new();
    let first = world.publish("k1", &["one"], vec![file("a.csv", b"first")]);
    world.sign_off("one", "a.csv").unwrap();
    world.operations.withdraw(first.deliveries[0].id, &line("wrong"), CHANNEL).unwrap();
    let undone = world.operations.undo_sign_off(first.deliveries[0].id, &login("one-robot"), CHANNEL);
    assert!(matches!(refusal(undone), Refusal::WrongState(_)), "what has ended does not come back");
    world.publish("k2", &["one"], vec![file("a.csv", b"corrected")]);
    assert_eq!(world.fetch(&world.caller("one"), "a.csv").unwrap(), b"corrected");
}
