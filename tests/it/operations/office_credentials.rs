//! What the operator's own people sign in with (P21, BIO2 5.17): they keep it as people of the portal do, at
//! their own door alone, and are told of each change and of links that end (P03, M08, M09).

use postkluis::domain::account::Language;
use postkluis::domain::history::Channel;
use postkluis::domain::moment::Span;
use postkluis::domain::names::EmailAddress;
use postkluis::domain::office::OfficeRole;
use postkluis::domain::refusal::Refusal;
use postkluis::operations::{Activation, LinkRound, NewOfficeMember};

use super::people::{App, JAN, PASSWORD, from, home};
use super::{CHANNEL, World, line, login, refusal};

const ANNA: &str = "anna@operator.example";
const NEW: &str = "heel iets anders dan eerst";

impl World {
    /// A session in the office, 30 seconds after the last code.
    fn enter_office(&self, password: &str, app: &App) -> String {
        self.pass(Span::from_seconds(30));
        let accepted = self.operations.check_office_password(ANNA, password, &home()).unwrap();
        self.operations.finish_office_sign_in(&accepted.secret, &app.code(self), &home()).unwrap()
    }

    fn is_in_office(&self, secret: &str) -> bool {
        self.operations.office_visit(secret, &home()).is_ok()
    }
}

/// The code of the link in these letters.
#[track_caller]
fn code_in(letters: &[String]) -> String {
    let all = letters.concat();
    let link = all.split("/account/").nth(1).expect("a link");
    link.chars().take_while(char::is_ascii_alphanumeric).collect()
}

#[test]
fn every_role_of_the_office_changes_what_it_signs_in_with_and_is_told() {
    for role in OfficeRole::ALL {
        let world = World::new();
        let (desk, app) = world.officer_with_app(ANNA, *role);
        world.letters();
        let (own, elsewhere) = (&desk.visit, world.enter_office(PASSWORD, &app));
        let before = world.stored();
        let change = |old: &str, new: &str| world.operations.change_password(own, old, new, &home());
        assert_eq!(refusal(change("not the old one", NEW)), Refusal::NotSignedIn);
        assert!(matches!(refusal(change(PASSWORD, "kort")), Refusal::WeakPassword(_)));
        assert_eq!(refusal(world.operations.begin_app(own, "not the old one", &home())), Refusal::NotSignedIn);
        assert_eq!(world.stored(), before, "nothing was stored or mailed");
        assert!(world.is_in_office(&elsewhere));

        change(PASSWORD, NEW).unwrap();
        assert!(!world.is_in_office(&elsewhere), "sessions elsewhere end");
        let set = world.told("password-set").pop().unwrap();
        assert_eq!((set.event.who.channel, set.event.who.login), (Channel::Office, Some(login(ANNA))));
        let codes = world.operations.make_recovery_codes(own, NEW, &home()).unwrap();
        let new = App(world.operations.begin_app(own, NEW, &home()).unwrap().typed);
        world.operations.finish_app(own, &new.code(&world), &home()).unwrap();
        let letters = world.letters();
        for told in ["Gewijzigd: uw wachtwoord", "er zijn nieuwe herstelcodes", "de app voor codes is vervangen"] {
            assert_eq!(letters.iter().filter(|letter| letter.contains(told)).count(), 1, "{told}: {letters:?}");
        }
        // a recovery code opens the own door, and the old password and app open none
        assert_eq!(refusal(world.operations.check_office_password(ANNA, PASSWORD, &home())), Refusal::NotSignedIn);
        let accepted = world.operations.check_office_password(ANNA, NEW, &home()).unwrap();
        let elsewhere = world.operations.finish_sign_in(&accepted.secret, &codes[0], &home());
        assert_eq!(refusal(elsewhere), Refusal::NotSignedIn, "the other door knows nothing of it");
        assert!(world.operations.finish_office_sign_in(&accepted.secret, &codes[0], &home()).is_ok());
        assert_eq!(world.operations.own_sign_ins(own, None, 10).unwrap().len(), 3);
    }
}

#[test]
fn who_was_taken_out_of_the_office_changes_nothing() {
    let world = World::new();
    let (desk, _) = world.officer_with_app(ANNA, OfficeRole::Officer);
    let end = postkluis::operations::StandingChange::End { reason: None, note: None };
    world.operations.end_office_member(&login(ANNA), end, CHANNEL).unwrap();
    let before = world.stored();
    assert!(world.operations.change_password(&desk.visit, PASSWORD, NEW, &home()).is_err());
    assert!(world.operations.make_recovery_codes(&desk.visit, PASSWORD, &home()).is_err());
    assert!(world.operations.own_passkeys(&desk.visit).is_err());
    assert_eq!(world.stored(), before);
}

#[test]
fn a_passkey_of_the_office_opens_the_office_alone() {
    let world = World::new();
    let (desk, app) = world.officer_with_app(ANNA, OfficeRole::Administrator);
    let own = &desk.visit;
    world.letters();
    // the port of the portal counts its own challenges: one that is asked here is answered here
    let challenge = world.operations.begin_passkey(own, line("laptop"), PASSWORD, &home()).unwrap();
    world.operations.finish_passkey(own, &format!("laptop {challenge}"), &home()).unwrap();
    assert!(world.letters()[0].contains("er is een passkey toegevoegd"), "M09");
    let accepted = world.operations.check_office_password(ANNA, PASSWORD, &home()).unwrap();
    assert_eq!(world.operations.ask_passkey(&accepted.secret).unwrap(), None, "not at the other door");
    let challenge = world.operations.ask_passkey_at(Channel::Office, &accepted.secret).unwrap().expect("a challenge");
    let answer = format!("laptop {challenge}");
    let other = world.operations.finish_sign_in_with_passkey(&accepted.secret, &answer, &home());
    assert_eq!(refusal(other), Refusal::NotSignedIn);
    let finish = |answer: &str| {
        world.operations.finish_sign_in_with_passkey_at(Channel::Office, &accepted.secret, answer, &home())
    };
    let session = finish(&answer).unwrap();
    assert_eq!(
        world.operations.office_visit(&session, &home()).unwrap().visit.assurance.word(),
        "password-and-passkey"
    );
    assert_eq!(refusal(finish(&answer)), Refusal::NotSignedIn, "once");
    let id = world.operations.own_passkeys(own).unwrap()[0].id;
    world.operations.remove_passkey(own, id, PASSWORD, &home()).unwrap();
    assert!(world.operations.own_passkeys(own).unwrap().is_empty());
    assert!(world.is_in_office(&world.enter_office(PASSWORD, &app)), "the code goes on to work");
}

#[test]
fn a_forgotten_password_is_asked_for_at_the_own_door() {
    let world = World::new();
    let (_, app) = world.officer_with_app(ANNA, OfficeRole::Officer);
    world.activate(JAN);
    world.letters();
    let ask = |door, address: &str| world.operations.ask_new_password_at(door, address, &from("203.0.113.9")).unwrap();
    // who belongs to the other door is answered as a stranger, and gets nothing
    ask(Channel::Office, JAN);
    ask(Channel::Portal, ANNA);
    ask(Channel::Office, "nobody@operator.example");
    assert!(world.letters().is_empty());
    assert!(world.told("new-password-asked").iter().all(|line| line.event.about.login.is_none()));
    ask(Channel::Office, ANNA);
    let asked = world.told("new-password-asked").pop().unwrap();
    assert_eq!((asked.event.who.channel, asked.event.about.login), (Channel::Office, Some(login(ANNA))));
    let letters = world.letters();
    assert_eq!(letters.len(), 1);
    let code = code_in(&letters);
    assert_eq!(refusal(world.operations.link_opens_at(&code, Channel::Portal)), Refusal::LinkClosed);
    world.operations.link_opens_at(&code, Channel::Office).unwrap();
    let done = world.operations.choose_password(&code, NEW, &home()).unwrap();
    let Activation::PasswordSet { pending: Some(pending) } = done else { panic!("the code is asked for: {done:?}") };
    world.pass(Span::from_seconds(30));
    let other = world.operations.finish_sign_in(&pending.secret, &app.code(&world), &home());
    assert_eq!(refusal(other), Refusal::NotSignedIn);
    let session = world.operations.finish_office_sign_in(&pending.secret, &app.code(&world), &home()).unwrap();
    assert!(world.is_in_office(&session));
    assert!(world.letters()[0].contains("met de link uit een e-mail"), "M09");
}

#[test]
fn an_activation_of_the_office_that_ends_is_told_to_its_administrators_once_each() {
    let world = World::new();
    let email = EmailAddress::parse("new@operator.example").unwrap();
    let new = NewOfficeMember { email, role: OfficeRole::Officer, language: Language::Dutch };
    world.officer(ANNA, OfficeRole::Administrator);
    world.officer("bert@operator.example", OfficeRole::Officer);
    world.officer("watch@operator.example", OfficeRole::SecurityOfficer);
    let address = world.operations.add_office_member(new, CHANNEL).unwrap();
    world.letters();
    world.pass(Span::from_days(18));
    assert_eq!(world.operations.attend_to_links().unwrap(), LinkRound { reminded: 1, expired: 0 });
    assert_eq!(world.operations.attend_to_links().unwrap(), LinkRound::default());
    assert_eq!(world.restarted_with(|_| {}).attend_to_links().unwrap(), LinkRound::default(), "nor after a restart");
    let letters = world.letters();
    let to = |address: &str| letters.iter().find(|letter| letter.starts_with(address)).expect("a letter");
    assert_eq!(letters.len(), 2, "{letters:?}");
    assert!(to("new@").contains("Uw activatielink verloopt op") && to("new@").contains(&address));
    assert!(to("anna@").contains("Account van new@operator.example is nog niet geactiveerd"), "{letters:?}");
    assert!(!to("anna@").contains("/account/"), "whose link it is not");
    world.pass(Span::from_days(3));
    assert_eq!(world.operations.attend_to_links().unwrap(), LinkRound { reminded: 0, expired: 1 });
    assert_eq!(world.restarted_with(|_| {}).attend_to_links().unwrap(), LinkRound::default());
    let letters = world.letters();
    assert_eq!(letters.len(), 2, "{letters:?}");
    assert!(letters.concat().contains("Uw activatielink is verlopen") && !letters.concat().contains("/account/"));
}
