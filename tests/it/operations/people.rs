//! People over adapters in memory: activating, signing in with a second factor, sessions, and
//! what guessing and replaying come to (A12, B14, B15, C1, C10, J6, PV14).

use std::net::IpAddr;

use postkluis::domain::account::{AccountKind, Language};
use postkluis::domain::history::{HistoryLine, HistoryQuery};
use postkluis::domain::moment::Span;
use postkluis::domain::names::{EmailAddress, Line};
use postkluis::domain::refusal::{PasswordFlaw, Refusal, What};
use postkluis::operations::{Activation, NewAccount, PortalVisit, StandingChange, Visitor};
use totp_rs::{Algorithm, Builder};

use super::{CHANNEL, World, file, login, org, product, refusal};

pub(super) const JAN: &str = "jan@one.example";
pub(super) const PASSWORD: &str = "een lange zin die niemand raadt";

pub(super) fn from(address: &str) -> Visitor {
    Visitor { address: address.parse::<IpAddr>().unwrap(), client: Some("Firefox".to_owned()) }
}

pub(super) fn home() -> Visitor {
    from("192.0.2.1")
}

/// An app with its secret, as it stands in the QR code.
pub(super) struct App(pub(super) String);

impl App {
    pub(super) fn code(&self, world: &World) -> String {
        let secret = data_encoding::BASE32_NOPAD.decode(self.0.as_bytes()).unwrap();
        let app = Builder::new().with_algorithm(Algorithm::SHA1).with_secret(secret).build().unwrap();
        app.generate(world.operations.now().seconds()).to_string()
    }
}

impl World {
    pub(super) fn add_person(&self, email: &str) {
        self.add_somebody(email, false);
    }

    pub(super) fn add_somebody(&self, email: &str, is_administrator: bool) {
        let new = NewAccount {
            login: login(email),
            organisation: org("one"),
            kind: AccountKind::Person { email: EmailAddress::parse(email).unwrap() },
            is_administrator,
            language: Language::Dutch,
        };
        self.operations.add_account(new, CHANNEL).unwrap();
    }

    pub(super) fn link(&self, email: &str) -> String {
        let address = self.operations.make_account_link(&login(email), CHANNEL).unwrap();
        address.strip_prefix("https://test.example/account/").unwrap().to_owned()
    }

    /// Password and app chosen: the app, and the recovery codes.
    pub(super) fn activate(&self, email: &str) -> (App, Vec<String>) {
        self.add_person(email);
        self.choose(email)
    }

    /// The same for an account that is there.
    pub(super) fn choose(&self, email: &str) -> (App, Vec<String>) {
        let link = self.link(email);
        let chosen = self.operations.choose_password(&link, PASSWORD, &home()).unwrap();
        let Activation::AddApp { enrolment, .. } = chosen else { panic!("an app is to be added: {chosen:?}") };
        let app = App(enrolment.typed);
        let done = self.operations.confirm_app(&link, &app.code(self), &home()).unwrap();
        let Activation::Complete { recovery_codes } = done else { panic!("it is complete: {done:?}") };
        self.pass(Span::from_seconds(30));
        (app, recovery_codes)
    }

    pub(super) fn sign_in(
        &self,
        email: &str,
        code: &str,
        visitor: &Visitor,
    ) -> Result<String, postkluis::operations::Failure> {
        let accepted = self.operations.check_password(email, PASSWORD, visitor)?;
        self.operations.finish_sign_in(&accepted.secret, code, visitor)
    }

    pub(super) fn visit(&self, secret: &str) -> PortalVisit {
        self.operations.visit(secret, &home()).unwrap()
    }

    pub(super) fn pass(&self, span: Span) {
        self.clock.advance(span);
    }

    pub(super) fn told(&self, word: &str) -> Vec<HistoryLine> {
        let query = HistoryQuery { limit: 1_000, ..HistoryQuery::default() };
        let lines = self.operations.history(&query).unwrap();
        lines.into_iter().filter(|line| line.event.what.word() == word).collect()
    }
}

#[test]
fn a_person_activates_and_signs_in_with_two_factors() {
    let world = World::new();
    let (app, recovery_codes) = world.activate(JAN);
    assert_eq!(recovery_codes.len(), 10);
    let secret = world.sign_in(JAN, &app.code(&world), &home()).unwrap();
    let visit = world.visit(&secret);
    assert_eq!((visit.caller.login.as_str(), visit.assurance.word()), (JAN, "password-and-code"));
    // a new account sees nothing (C1)
    assert!(world.operations.outbox_products(&visit.caller, &org("one")).unwrap().is_empty());
    world.operations.leave(&secret).unwrap();
    assert_eq!(refusal(world.operations.visit(&secret, &home())), Refusal::NotSignedIn);
    let (begins, ends) = (world.told("signed-in"), world.told("signed-out"));
    assert_eq!((begins.len(), ends.len()), (1, 1), "begin and end are on record (PV14)");
    assert_eq!(begins[0].event.who.channel.word(), "portal");
}

#[test]
fn a_link_is_looked_at_without_changing_anything_and_works_once_within_three_weeks() {
    let world = World::new();
    world.add_person(JAN);
    let link = world.link(JAN);
    let before = world.history();
    for _ in 0..3 {
        assert_eq!(world.operations.look_at_link(&link).unwrap().login, login(JAN));
    }
    assert_eq!(world.history(), before, "looking changes nothing (A12)");
    // on the last day it works, a day later it does not, and a new one can be made (B15)
    world.pass(Span::from_millis(Span::from_days(21).millis() - 1));
    assert!(world.operations.look_at_link(&link).is_ok());
    world.pass(Span::from_millis(1));
    assert_eq!(refusal(world.operations.look_at_link(&link)), Refusal::LinkClosed);
    assert_eq!(refusal(world.operations.choose_password(&link, PASSWORD, &home())), Refusal::LinkClosed);
    let again = world.link(JAN);
    let newest = world.link(JAN);
    assert_eq!(refusal(world.operations.look_at_link(&again)), Refusal::LinkClosed, "only the newest opens");
    let Activation::AddApp { enrolment, .. } = world.operations.choose_password(&newest, PASSWORD, &home()).unwrap()
    else {
        panic!("an app is to be added")
    };
    let app = App(enrolment.typed);
    world.operations.confirm_app(&newest, &app.code(&world), &home()).unwrap();
    assert_eq!(refusal(world.operations.look_at_link(&newest)), Refusal::LinkClosed, "it works once");
    for wrong in ["", "abc", &"a".repeat(52), &"a".repeat(5_000)] {
        assert_eq!(refusal(world.operations.look_at_link(wrong)), Refusal::LinkClosed, "{wrong}");
    }
    let mut changed = newest.into_bytes();
    *changed.last_mut().unwrap() ^= 1;
    let changed = String::from_utf8(changed).unwrap();
    assert_eq!(refusal(world.operations.look_at_link(&changed)), Refusal::LinkClosed);
}

#[test]
fn weak_passwords_are_refused_and_change_nothing() {
    let world = World::new();
    world.add_person(JAN);
    let link = world.link(JAN);
    let before = world.history();
    for (password, flaw) in [
        ("kort", PasswordFlaw::TooShort { least: 12 }),
        ("aaaaaaaaaaaaaaaaaaa", PasswordFlaw::Known),
        ("A password from a BREACH", PasswordFlaw::Known),
        ("ik werk bij example ja", PasswordFlaw::OwnName),
        (&"lang genoeg! ".repeat(20), PasswordFlaw::TooLong { most: 128 }),
    ] {
        let refused = refusal(world.operations.choose_password(&link, password, &home()));
        assert_eq!(refused, Refusal::WeakPassword(flaw), "{password}");
    }
    assert_eq!(world.history(), before);
    assert!(world.operations.look_at_link(&link).is_ok(), "the link stays open");
}

#[test]
fn a_password_without_a_second_factor_opens_nothing() {
    let world = World::new();
    world.add_person(JAN);
    let link = world.link(JAN);
    world.operations.choose_password(&link, PASSWORD, &home()).unwrap();
    assert_eq!(refusal(world.operations.check_password(JAN, PASSWORD, &home())), Refusal::NotSignedIn);
    assert_eq!(refusal(world.operations.confirm_app(&link, "000000", &home())), Refusal::WrongCode);
    assert!(world.told("second-factor-added").is_empty());
}

#[test]
fn strangers_learn_nothing_about_accounts() {
    let world = World::new();
    world.activate(JAN);
    let of = |email: &str, password: &str| refusal(world.operations.check_password(email, password, &home()));
    assert_eq!(of(JAN, "a wrong password here"), of("nobody@one.example", "a wrong password here"));
    assert_eq!(of("one-robot", PASSWORD), Refusal::NotSignedIn, "robots have no password");
    assert_eq!(of("'; drop table", PASSWORD), Refusal::NotSignedIn);
    // waiting is asked of those that exist and those that do not alike
    for email in [JAN, "nobody@one.example"] {
        for _ in 0..3 {
            let _ = world.operations.check_password(email, "a wrong password here", &from("198.51.100.7"));
        }
        let refused = refusal(world.operations.check_password(email, PASSWORD, &from("198.51.100.7")));
        assert!(matches!(refused, Refusal::TriedTooOften { .. }), "{email}: {refused:?}");
    }
    assert!(world.operations.check_password(JAN, PASSWORD, &home()).is_ok(), "elsewhere the owner gets in");
}

#[test]
fn a_code_counts_once_and_a_recovery_code_once() {
    let world = World::new();
    let (app, recovery_codes) = world.activate(JAN);
    let code = app.code(&world);
    world.sign_in(JAN, &code, &home()).unwrap();
    assert_eq!(refusal(world.sign_in(JAN, &code, &home())), Refusal::WrongCode, "a code that was seen is worthless");
    let typed = recovery_codes[0].to_uppercase().replace('-', " ");
    let secret = world.sign_in(JAN, &typed, &home()).unwrap();
    assert_eq!(world.visit(&secret).assurance.word(), "password-and-recovery-code");
    assert_eq!(refusal(world.sign_in(JAN, &recovery_codes[0], &home())), Refusal::WrongCode);
    assert_eq!(world.told("recovery-code-used")[0].event.detail.note.as_deref(), Some("9 are left"));
}

#[test]
fn without_the_password_a_code_opens_nothing() {
    let world = World::new();
    let (app, _) = world.activate(JAN);
    let code = app.code(&world);
    for secret in ["", "made up"] {
        assert_eq!(refusal(world.operations.finish_sign_in(secret, &code, &home())), Refusal::NotSignedIn);
    }
    let accepted = world.operations.check_password(JAN, PASSWORD, &home()).unwrap();
    world.pass(Span::from_seconds(301));
    let late = world.operations.finish_sign_in(&accepted.secret, &app.code(&world), &home());
    assert_eq!(refusal(late), Refusal::NotSignedIn, "the password was shown too long ago");
    assert!(world.told("signed-in").is_empty());
}

#[test]
fn sessions_end_when_unused_and_in_any_case_and_when_there_are_too_many() {
    let world = World::new();
    let (app, _) = world.activate(JAN);
    let sign_in = || {
        world.pass(Span::from_seconds(30));
        world.sign_in(JAN, &app.code(&world), &home()).unwrap()
    };
    let idle = sign_in();
    world.pass(Span::from_seconds(1_199));
    world.visit(&idle);
    world.pass(Span::from_seconds(1_200));
    assert_eq!(refusal(world.operations.visit(&idle, &home())), Refusal::NotSignedIn);
    assert_eq!(world.operations.end_idle_sessions().unwrap(), 1);
    assert_eq!(world.told("signed-out")[0].event.detail.note.as_deref(), Some("it was not used"));
    let long = sign_in();
    for _ in 0..24 {
        world.visit(&long);
        world.pass(Span::from_seconds(1_190));
    }
    world.pass(Span::from_seconds(300));
    assert_eq!(refusal(world.operations.visit(&long, &home())), Refusal::NotSignedIn, "eight hours");
    assert_eq!(world.operations.end_idle_sessions().unwrap(), 1);
    let three = [sign_in(), sign_in(), sign_in()];
    assert_eq!(refusal(world.operations.visit(&three[0], &home())), Refusal::NotSignedIn, "two at most");
    world.visit(&three[1]);
    world.visit(&three[2]);
    assert_eq!(world.told("signed-in").len(), 5);
    assert_eq!(world.told("signed-out").len(), 3);
}

#[test]
fn a_block_ends_sessions_and_mail_links_at_once() {
    let world = World::new();
    let (app, _) = world.activate(JAN);
    let secret = world.sign_in(JAN, &app.code(&world), &home()).unwrap();
    let link = world.link(JAN);
    let reason = Line::parse("lost laptop").unwrap();
    let block = StandingChange::Block { reason, until: None };
    world.operations.change_account_standing(&login(JAN), block, CHANNEL).unwrap();
    assert_eq!(refusal(world.operations.visit(&secret, &home())), Refusal::NotSignedIn);
    assert_eq!(refusal(world.operations.look_at_link(&link)), Refusal::LinkClosed);
    assert_eq!(world.operations.end_idle_sessions().unwrap(), 1);
    world.pass(Span::from_seconds(30));
    assert_eq!(refusal(world.sign_in(JAN, &app.code(&world), &home())), Refusal::Blocked, "told to the owner alone");
    assert_eq!(world.told("sign-in-refused").len(), 1);
}

#[test]
fn a_new_password_ends_the_sessions_and_keeps_the_second_factor() {
    let world = World::new();
    let (app, _) = world.activate(JAN);
    let secret = world.sign_in(JAN, &app.code(&world), &home()).unwrap();
    let link = world.link(JAN);
    let done = world.operations.choose_password(&link, "heel iets anders dan eerst", &home()).unwrap();
    let Activation::PasswordSet { pending: Some(pending) } = done else { panic!("the code is asked for: {done:?}") };
    assert_eq!(refusal(world.operations.visit(&secret, &home())), Refusal::NotSignedIn);
    assert_eq!(refusal(world.operations.check_password(JAN, PASSWORD, &home())), Refusal::NotSignedIn);
    world.pass(Span::from_seconds(30));
    let accepted = world.operations.check_password(JAN, "heel iets anders dan eerst", &home()).unwrap();
    world.operations.finish_sign_in(&accepted.secret, &app.code(&world), &home()).unwrap();
    // who set it is asked for the second factor at once, and for nothing else
    world.pass(Span::from_seconds(30));
    world.operations.finish_sign_in(&pending.secret, &app.code(&world), &home()).unwrap();
}

#[test]
fn added_rights_are_seen_by_the_next_session_and_removed_ones_at_once() {
    let world = World::new();
    let (app, _) = world.activate(JAN);
    world.publish("first", &["one"], vec![file("a.csv", b"one")]);
    let secret = world.sign_in(JAN, &app.code(&world), &home()).unwrap();
    world.pass(Span::from_seconds(1));
    world.operations.couple(&login(JAN), None, &product("daily"), CHANNEL).unwrap();
    let products = |secret: &str| world.operations.outbox_products(&world.visit(secret).caller, &org("one")).unwrap();
    assert!(products(&secret).is_empty(), "the running session does not see it yet (C10)");
    world.pass(Span::from_seconds(30));
    let next = world.sign_in(JAN, &app.code(&world), &home()).unwrap();
    assert_eq!(products(&next).len(), 1);
    let caller = world.visit(&next).caller;
    assert_eq!(world.fetch(&caller, "a.csv").unwrap(), b"one");
    world.operations.decouple(&login(JAN), None, &product("daily"), CHANNEL).unwrap();
    assert!(products(&next).is_empty(), "removals act at once (C10)");
    assert_eq!(refusal(world.fetch(&caller, "a.csv")), Refusal::NotFound(What::Folder));
}

#[test]
fn looking_how_long_a_session_lasts_does_not_make_it_last() {
    let world = World::new();
    let (app, _) = world.activate(JAN);
    let secret = world.sign_in(JAN, &app.code(&world), &home()).unwrap();
    let until = world.visit(&secret).idle_until;
    for _ in 0..19 {
        world.pass(Span::from_seconds(60));
        let looked = world.operations.look_at_session(&secret, &home()).unwrap();
        assert_eq!(looked.idle_until, until, "a page that is open counts as no use (WCAG 2.2.1)");
    }
    // who asks to stay uses it
    assert!(world.visit(&secret).idle_until > until);
    world.pass(Span::from_seconds(1_200));
    assert_eq!(refusal(world.operations.look_at_session(&secret, &home())), Refusal::NotSignedIn);
    let before = world.history();
    assert_eq!(refusal(world.operations.look_at_session("made up", &home())), Refusal::NotSignedIn);
    assert_eq!(world.history(), before);
}
