//! What an organisation tells of itself, over adapters in memory: who changes how to reach it, who
//! asks for another identity and who judges that (A16, A17, K4), and agreements without users (C4, C5).

use postkluis::domain::account::{AccountKind, Language};
use postkluis::domain::history::{HistoryLine, HistoryQuery};
use postkluis::domain::moment::{Moment, Span};
use postkluis::domain::names::{EmailAddress, Kvk};
use postkluis::domain::organisation_card::{
    ContactPerson, ContactPersons, ContactRole, IdentityChangeStage, OrganisationCard, OrganisationIdentity,
};
use postkluis::domain::refusal::{Refusal, What};
use postkluis::operations::{Caller, NewAccount, StandingChange};

use super::people::home;
use super::{CHANNEL, World, line, login, org, refusal};

const OFFICE: &str = "office@one.example";

fn identity(name: &str, kvk: &str) -> OrganisationIdentity {
    OrganisationIdentity { name: line(name), kvk: Kvk::parse(kvk).ok(), oin: None }
}

fn card(world: &World, phone: &str) -> OrganisationCard {
    let person = |role, name: &str| ContactPerson {
        role,
        name: line(name),
        email: EmailAddress::parse("anna@one.example").unwrap(),
        phone: None,
    };
    let persons = vec![person(ContactRole::Security, "Bert"), person(ContactRole::Functional, "Anna")];
    OrganisationCard {
        email: EmailAddress::parse("info@one.example").ok(),
        phone: Some(line(phone)),
        persons: ContactPersons::new(persons).unwrap(),
        ..OrganisationCard::empty(org("one"), world.operations.now())
    }
}

impl World {
    /// An administrator of `one`.
    fn administrator(&self) -> Caller {
        let new = NewAccount {
            login: login(OFFICE),
            organisation: org("one"),
            kind: AccountKind::Person { email: EmailAddress::parse(OFFICE).unwrap() },
            is_administrator: true,
            language: Language::Dutch,
        };
        self.operations.add_account(new, CHANNEL).unwrap();
        let (app, _) = self.choose(OFFICE);
        let secret = self.sign_in(OFFICE, &app.code(self), &home()).unwrap();
        self.operations.visit(&secret, &home()).unwrap().caller
    }

    fn all_lines(&self) -> Vec<HistoryLine> {
        self.operations.history(&HistoryQuery { limit: 1_000, ..HistoryQuery::default() }).unwrap()
    }
}

#[test]
fn an_administrator_changes_how_to_reach_the_organisation_at_once_and_on_record() {
    let world = World::new();
    let administrator = world.administrator();
    let (wanted, robot) = (card(&world, "030 1234567"), world.caller("one"));
    assert!(world.operations.change_organisation_card(&administrator, wanted.clone()).unwrap());
    // everybody of the organisation sees it, and the operator
    for seen in [world.operations.own_organisation(&robot), world.operations.organisation_view(&org("one"), CHANNEL)] {
        let seen = seen.unwrap();
        assert!(seen.card.says_the_same(&wanted));
        assert_eq!(seen.card.persons.of(ContactRole::Functional).unwrap().name, line("Anna"));
    }
    let lines = world.all_lines();
    let changes = || lines.iter().filter(|line| line.event.what.word() == "organisation-card-changed");
    assert_eq!(changes().count(), 1);
    let told = &changes().next_back().unwrap().event;
    assert_eq!(told.detail.note.as_deref(), Some("e-mail, telephone, contact persons"), "no names of people");
    assert_eq!(told.who.login, Some(login(OFFICE)));
    // saying the same again changes nothing
    assert!(!world.operations.change_organisation_card(&administrator, wanted).unwrap());
    assert_eq!(world.all_lines(), lines);
    // whatever organisation a card names, it is the own one that changes
    let foreign = OrganisationCard { organisation: org("two"), ..card(&world, "1") };
    assert!(world.operations.change_organisation_card(&administrator, foreign).unwrap());
    let other = world.operations.organisation_view(&org("two"), CHANNEL).unwrap().card;
    assert_eq!((other.phone, other.changed_at > Moment::from_millis(0)), (None, true));
}

#[test]
fn who_is_no_administrator_or_is_blocked_changes_nothing() {
    let world = World::new();
    let (robot, administrator) = (world.caller("one"), world.administrator());
    let before = (world.all_lines(), world.mails());
    let not_allowed = Refusal::NotAllowed("only an administrator of the organisation may");
    let outcome = world.operations.change_organisation_card(&robot, card(&world, "1"));
    assert_eq!(refusal(outcome), not_allowed);
    assert_eq!(refusal(world.operations.ask_identity_change(&robot, identity("Een", "12345678"))), not_allowed);
    assert_eq!(refusal(world.operations.uncoupled_products(&robot)), not_allowed);
    assert_eq!((world.all_lines(), world.mails()), before);
    let block = StandingChange::Block { reason: line("suspicion"), until: None };
    world.operations.change_organisation_standing(&org("one"), block, CHANNEL).unwrap();
    let before = (world.all_lines(), world.mails());
    assert_eq!(refusal(world.operations.own_organisation(&robot)), Refusal::Blocked);
    let outcome = world.operations.change_organisation_card(&administrator, card(&world, "1"));
    assert_eq!(refusal(outcome), Refusal::Blocked);
    assert_eq!((world.all_lines(), world.mails()), before);
}

#[test]
fn the_operator_judges_another_identity() {
    let world = World::new();
    let (administrator, operations) = (world.administrator(), &world.operations);
    let same = refusal(operations.ask_identity_change(&administrator, identity("one", "x")));
    assert!(matches!(same, Refusal::BadRequest(_)));
    assert!(operations.identity_changes(None, CHANNEL).unwrap().is_empty());
    operations.ask_identity_change(&administrator, identity("Organisatie Een", "12345678")).unwrap();
    let asked_at = operations.identity_changes(None, CHANNEL).unwrap()[0].asked_at;
    // one at a time; until it is judged everything stays
    let before = (world.all_lines(), world.mails());
    let second = operations.ask_identity_change(&administrator, identity("Organisatie Twee", "12345678"));
    assert!(matches!(refusal(second), Refusal::WrongState(_)));
    let earlier = Some(Moment::from_millis(asked_at.millis() - 1));
    let outcome = operations.approve_identity_change(&org("one"), earlier, CHANNEL);
    assert!(matches!(refusal(outcome), Refusal::WrongState(_)), "another one than was looked at");
    let none = operations.approve_identity_change(&org("two"), None, CHANNEL);
    assert_eq!(refusal(none), Refusal::NotFound(What::Request));
    assert_eq!((world.all_lines(), world.mails()), before);
    assert_eq!(operations.organisation(&org("one")).unwrap().name, line("one"));

    operations
        .reject_identity_change(&org("one"), Some(asked_at), line("staat niet in het register"), CHANNEL)
        .unwrap();
    let change = operations.own_organisation(&administrator).unwrap().change.unwrap();
    assert!(
        matches!(change.stage, IdentityChangeStage::Rejected { reason, .. } if reason == line("staat niet in het register"))
    );
    assert!(operations.identity_changes(None, CHANNEL).unwrap().is_empty());
    let again = operations.reject_identity_change(&org("one"), None, line("x"), CHANNEL);
    assert_eq!(refusal(again), Refusal::NotFound(What::Request));

    world.clock.advance(Span::from_days(1));
    operations.ask_identity_change(&administrator, identity("Organisatie Een", "87654321")).unwrap();
    operations.approve_identity_change(&org("one"), None, CHANNEL).unwrap();
    let view = operations.own_organisation(&administrator).unwrap();
    assert_eq!((view.organisation.name, view.change), (line("Organisatie Een"), None));
    assert_eq!(view.organisation.kvk, Kvk::parse("87654321").ok());
    let words: Vec<_> = world.history().into_iter().filter(|word| word.contains("identity-change")).collect();
    let wanted = ["asked", "rejected", "asked", "approved"].map(|word| format!("identity-change-{word}"));
    assert_eq!(words, wanted);
}

#[test]
fn an_administrator_sees_agreements_that_nobody_fetches_for_and_nobody_is_mailed() {
    let world = World::new();
    let mails = world.mails();
    let administrator = world.administrator();
    let uncoupled = world.operations.uncoupled_products(&administrator).unwrap();
    assert_eq!(uncoupled.iter().map(|product| product.code.as_str()).collect::<Vec<_>>(), ["short"], "C5");
    assert_eq!(world.mails(), mails, "C4");
}
