//! What a person changes of what they sign in with, forgotten passwords, own sessions, and links whose
//! time is over: what is told to whom, and what guessing and a lost mailbox come to (P03, M08, M09, PV12, PV14).

use postkluis::domain::account::{AccountKind, Language};
use postkluis::domain::bodies::BodyClass;
use postkluis::domain::history::HistoryQuery;
use postkluis::domain::ids::SessionId;
use postkluis::domain::moment::Span;
use postkluis::domain::names::{EmailAddress, Line, VersionName};
use postkluis::domain::refusal::{PasswordFlaw, Refusal, What};
use postkluis::domain::sign_in_record::SessionEnd;
use postkluis::operations::{Activation, DeliveryFilter, LinkRound, NewAccount, NewTerms, PortalVisit, StandingChange};

use super::people::{App, JAN, PASSWORD, from, home};
use super::{CHANNEL, World, login, org, refusal};

const NEW: &str = "heel iets anders dan eerst";
const PIET: &str = "piet@one.example";

impl World {
    /// Subject and text of the e-mails that leave now, each behind its address.
    pub(super) fn letters(&self) -> Vec<String> {
        let before = self.mailer.messages().len();
        self.operations.send_due_mail(100).unwrap();
        let new = self.mailer.messages().into_iter().skip(before);
        new.map(|message| format!("{}: {}\n{}", message.to, message.subject, message.text)).collect()
    }

    /// A session, 30 seconds after the last code.
    fn enter(&self, app: &App) -> String {
        self.pass(Span::from_seconds(30));
        self.sign_in(JAN, &app.code(self), &home()).unwrap()
    }

    fn is_open(&self, secret: &str) -> bool {
        self.operations.visit(secret, &home()).is_ok()
    }

    /// The code of the one link in these letters.
    #[track_caller]
    fn code_in(letters: &[String]) -> String {
        let all = letters.concat();
        let mut links = all.split("https://test.example/account/").skip(1);
        let code = links.next().expect("a link").chars().take_while(char::is_ascii_alphanumeric).collect();
        assert!(links.next().is_none(), "one link: {all}");
        code
    }
}

fn stage() -> (World, App, Vec<String>) {
    let world = World::new();
    let (app, codes) = world.activate(JAN);
    world.letters();
    (world, app, codes)
}

#[test]
fn a_password_is_changed_with_the_old_one_and_ends_the_sessions_elsewhere() {
    let (world, app, _) = stage();
    let (elsewhere, here) = (world.enter(&app), world.enter(&app));
    let visit = world.visit(&here);
    let link = world.link(JAN);
    world.pass(Span::from_seconds(30));
    let between = world.operations.check_password(JAN, PASSWORD, &home()).unwrap();
    let before = world.history();
    let change = |old: &str, new: &str| world.operations.change_password(&visit, old, new, &home());
    assert_eq!(refusal(change("not the old one", NEW)), Refusal::NotSignedIn);
    assert_eq!(refusal(change(PASSWORD, "kort")), Refusal::WeakPassword(PasswordFlaw::TooShort { least: 12 }));
    assert_eq!((world.history(), world.mails()), (before, 0), "nothing was stored or mailed");
    assert!(world.is_open(&elsewhere) && world.operations.look_at_link(&link).is_ok());

    change(PASSWORD, NEW).unwrap();
    assert_eq!((world.is_open(&elsewhere), world.is_open(&here)), (false, true));
    assert_eq!(world.told("signed-out")[0].event.detail.note.as_deref(), Some("the password was changed"));
    assert_eq!(refusal(world.operations.look_at_link(&link)), Refusal::LinkClosed, "a link under way closes");
    let late = world.operations.finish_sign_in(&between.secret, &app.code(&world), &home());
    assert_eq!(refusal(late), Refusal::NotSignedIn, "nor does the old password lead on");
    assert_eq!(refusal(world.operations.check_password(JAN, PASSWORD, &home())), Refusal::NotSignedIn);
    assert!(world.operations.check_password(JAN, NEW, &home()).is_ok());
    // M09: what, when, roughly from where, whom to call; no link that does something
    let letters = world.letters();
    assert_eq!(letters.len(), 1);
    for told in ["jan@one.example: Uw inloggegevens", "uw wachtwoord", "2026-11-23 10:0", "192.0.2.0/24", "Bel ons"] {
        assert!(letters[0].contains(told), "{told}: {}", letters[0]);
    }
    assert!(!letters[0].contains("/account/") && !letters[0].contains("192.0.2.1 "), "{}", letters[0]);
}

#[test]
fn guessing_the_old_password_in_an_open_browser_is_slow_and_keeps_nobody_out() {
    let (world, app, _) = stage();
    let visit = world.visit(&world.enter(&app));
    let thief = from("198.51.100.7");
    for _ in 0..3 {
        assert_eq!(
            refusal(world.operations.make_recovery_codes(&visit, "a guess at it", &thief)),
            Refusal::NotSignedIn
        );
    }
    let refused = refusal(world.operations.make_recovery_codes(&visit, PASSWORD, &thief));
    assert!(matches!(refused, Refusal::TriedTooOften { .. }), "{refused:?}");
    let refused = refusal(world.operations.begin_app(&visit, PASSWORD, &thief));
    assert!(matches!(refused, Refusal::TriedTooOften { .. }), "all pages count together: {refused:?}");
    assert!(world.operations.make_recovery_codes(&visit, PASSWORD, &home()).is_ok(), "the owner at home goes on");
    assert_eq!(world.told("recovery-codes-made").len(), 2);
}

#[test]
fn an_app_is_replaced_once_the_new_one_showed_a_code() {
    let (world, app, _) = stage();
    let (elsewhere, here) = (world.enter(&app), world.enter(&app));
    let visit = world.visit(&here);
    assert_eq!(refusal(world.operations.begin_app(&visit, "not the old one", &home())), Refusal::NotSignedIn);
    let nothing_begun = refusal(world.operations.finish_app(&visit, "000000", &home()));
    assert!(matches!(nothing_begun, Refusal::WrongState(_)), "{nothing_begun:?}");
    let new = App(world.operations.begin_app(&visit, PASSWORD, &home()).unwrap().typed);
    assert_eq!(refusal(world.operations.finish_app(&visit, "000000", &home())), Refusal::WrongCode);
    let other = refusal(world.operations.finish_app(&world.visit(&elsewhere), &new.code(&world), &home()));
    assert!(matches!(other, Refusal::WrongState(_)), "another session did not begin it: {other:?}");
    assert_eq!(world.mails(), 0);
    assert!(world.told("second-factor-removed").is_empty());
    world.operations.finish_app(&visit, &new.code(&world), &home()).unwrap();
    assert_eq!((world.is_open(&elsewhere), world.is_open(&here)), (false, true));
    world.pass(Span::from_seconds(30));
    assert_eq!(refusal(world.sign_in(JAN, &app.code(&world), &home())), Refusal::WrongCode, "the old app is out");
    world.sign_in(JAN, &new.code(&world), &home()).unwrap();
    assert!(world.letters()[0].contains("de app voor codes is vervangen"));
    // what was begun too long ago is not taken
    let late = App(world.operations.begin_app(&visit, PASSWORD, &home()).unwrap().typed);
    world.pass(Span::from_seconds(600));
    let refused = refusal(world.operations.finish_app(&visit, &late.code(&world), &home()));
    assert!(matches!(refused, Refusal::WrongState(_)), "{refused:?}");
}

#[test]
fn new_recovery_codes_take_the_place_of_the_old_ones_and_their_use_is_told() {
    let (world, app, old) = stage();
    let visit = world.visit(&world.enter(&app));
    let new = world.operations.make_recovery_codes(&visit, PASSWORD, &home()).unwrap();
    assert_eq!(new.len(), 10);
    assert!(world.letters()[0].contains("er zijn nieuwe herstelcodes gemaakt"));
    assert_eq!(refusal(world.sign_in(JAN, &old[0], &home())), Refusal::WrongCode);
    world.sign_in(JAN, &new[0], &home()).unwrap();
    assert_eq!(world.operations.own_credentials(&visit).unwrap().recovery_codes_left, 9);
    let letters = world.letters();
    assert!(letters[0].contains("er is ingelogd met een herstelcode"), "{letters:?}");
}

#[test]
fn own_sessions_have_begin_and_end_and_place_and_nobody_sees_those_of_others() {
    let (world, app, _) = stage();
    let first = world.enter(&app);
    world.pass(Span::from_seconds(60));
    world.operations.leave(&first).unwrap();
    let (second, here) = (world.enter(&app), world.enter(&app));
    let visit = world.visit(&here);
    let told = world.operations.own_sign_ins(&visit, None, 50).unwrap();
    assert_eq!(told.len(), 3);
    assert_eq!((told[0].session, told[0].ended_at, told[0].ending), (visit.session, None, None), "the newest first");
    assert_eq!(told[2].ending, Some(SessionEnd::SignedOut));
    assert_eq!(told[2].ended_at.unwrap().since(told[2].begun_at), Span::from_seconds(60), "begin and end (PV14)");
    let place = told[0].place.as_ref().unwrap();
    assert_eq!((place.address.to_string(), place.client.as_str()), ("192.0.2.1".to_owned(), "Firefox"), "PV12");
    let next = world.operations.own_sign_ins(&visit, Some((told[0].begun_at, told[0].session)), 1).unwrap();
    assert_eq!(next, told[1..2], "a page goes on behind the last");
    // open ones can be ended from here, and by nobody else
    let open = world.operations.own_open_sessions(&visit).unwrap();
    assert_eq!(open.iter().map(|one| one.is_this).collect::<Vec<_>>(), [false, true]);
    let (piet_app, _) = world.activate(PIET);
    let accepted = world.operations.check_password(PIET, PASSWORD, &home()).unwrap();
    let piet = world.operations.finish_sign_in(&accepted.secret, &piet_app.code(&world), &home()).unwrap();
    let piet = world.visit(&piet);
    assert!(world.operations.own_sign_ins(&piet, None, 50).unwrap().iter().all(|one| one.session == piet.session));
    let foreign = world.operations.end_own_session(&piet, open[0].session);
    assert_eq!(refusal(foreign), Refusal::NotFound(What::Session));
    assert!(world.is_open(&second));
    world.operations.end_own_session(&visit, open[0].session).unwrap();
    assert!(!world.is_open(&second) && world.is_open(&here));
    assert_eq!(world.operations.own_sign_ins(&visit, None, 50).unwrap()[1].ending, Some(SessionEnd::EndedElsewhere));
    assert_eq!(
        refusal(world.operations.end_own_session(&visit, SessionId::from_bytes([1; 16]))),
        Refusal::NotFound(What::Session)
    );
    let third = world.enter(&app);
    assert_eq!(world.operations.end_other_sessions(&visit).unwrap(), 1);
    assert!(!world.is_open(&third) && world.is_open(&here));
    // begin and end are in the history as well, each end with its reason
    assert_eq!((world.told("signed-in").len(), world.told("signed-out").len()), (5, 3));
}

#[test]
fn every_end_of_a_session_is_on_record_with_its_reason() {
    let (world, app, _) = stage();
    let ending = |world: &World, visit: &PortalVisit, at: usize| {
        world.operations.own_sign_ins(visit, None, 50).unwrap()[at].ending
    };
    world.enter(&app);
    world.pass(Span::from_seconds(1_200));
    world.operations.end_idle_sessions().unwrap();
    let three = [world.enter(&app), world.enter(&app), world.enter(&app)];
    let visit = world.visit(&three[2]);
    assert_eq!(ending(&world, &visit, 3), Some(SessionEnd::Unused), "timeout");
    assert_eq!(ending(&world, &visit, 2), Some(SessionEnd::Crowded));
    let block = StandingChange::Block { reason: Line::parse("lost laptop").unwrap(), until: None };
    world.operations.change_account_standing(&login(JAN), block, CHANNEL).unwrap();
    world.operations.end_idle_sessions().unwrap();
    assert_eq!(refusal(world.operations.own_sign_ins(&visit, None, 50)), Refusal::Blocked, "PV14 after a block");
    world.operations.change_account_standing(&login(JAN), StandingChange::Unblock, CHANNEL).unwrap();
    assert_eq!(ending(&world, &visit, 0), Some(SessionEnd::NotAllowed), "cut");
}

#[test]
fn places_end_with_the_key_of_their_month_and_rows_are_bounded() {
    let (world, app, _) = stage();
    for _ in 0..210 {
        world.operations.leave(&world.enter(&app)).unwrap();
    }
    let visit = world.visit(&world.enter(&app));
    assert_eq!(world.operations.own_sign_ins(&visit, None, 1_000).unwrap().len(), 200);
    world.operations.leave(&world.enter(&app)).unwrap();
    for _ in 0..14 {
        world.pass(Span::from_days(30));
        world.operations.enforce_retention().unwrap();
    }
    let visit = world.visit(&world.enter(&app));
    let told = world.operations.own_sign_ins(&visit, None, 1_000).unwrap();
    assert_eq!(told.len(), 1, "what lay under a key that is gone, is gone");
    let keys = world.operations.body_keys().unwrap();
    assert!(keys.iter().any(|key| key.key.slot.class() == BodyClass::SignIns && key.key.destroyed_at.is_some()));
    assert_eq!(world.told("sign-in-records-removed").len(), 1);
}

#[test]
fn a_forgotten_password_is_chosen_anew_by_mail_and_opens_nothing_by_itself() {
    let (world, app, codes) = stage();
    let session = world.enter(&app);
    world.operations.ask_new_password(JAN, &from("203.0.113.9")).unwrap();
    assert!(world.is_open(&session), "asking changes nothing");
    let letters = world.letters();
    assert!(letters[0].contains("Kies een nieuw wachtwoord") && letters[0].contains("203.0.113.0/24"), "{letters:?}");
    let code = World::code_in(&letters);
    let before = world.history();
    for _ in 0..3 {
        world.operations.look_at_link(&code).unwrap();
    }
    assert_eq!(world.history(), before, "looking changes nothing");
    // whoever has only the mailbox gets no second factor by it
    let thief = from("203.0.113.9");
    assert_eq!(refusal(world.operations.confirm_app(&code, "000000", &thief)), Refusal::LinkClosed);
    assert_eq!(refusal(world.operations.app_to_add(&code)), Refusal::LinkClosed);
    let done = world.operations.choose_password(&code, NEW, &thief).unwrap();
    let Activation::PasswordSet { pending: Some(pending) } = done else { panic!("the code is asked for: {done:?}") };
    assert!(!world.is_open(&session), "all sessions end");
    assert_eq!(refusal(world.operations.visit(&pending.secret, &thief)), Refusal::NotSignedIn);
    for guess in ["000000", PASSWORD, NEW] {
        assert_eq!(refusal(world.operations.finish_sign_in(&pending.secret, guess, &thief)), Refusal::WrongCode);
    }
    let refused = refusal(world.operations.finish_sign_in(&pending.secret, &codes[0], &thief));
    assert!(matches!(refused, Refusal::TriedTooOften { .. }), "{refused:?}");
    assert_eq!(refusal(world.operations.choose_password(&code, NEW, &thief)), Refusal::LinkClosed, "once");
    // the owner is told, and signs in with the second factor as it was
    let letters = world.letters();
    assert!(letters[0].contains("uw wachtwoord, met de link uit een e-mail"), "{letters:?}");
    world.pass(Span::from_seconds(30));
    let accepted = world.operations.check_password(JAN, NEW, &home()).unwrap();
    world.operations.finish_sign_in(&accepted.secret, &app.code(&world), &home()).unwrap();
    // within the hour
    world.operations.ask_new_password(JAN, &home()).unwrap();
    let code = World::code_in(&world.letters());
    world.pass(Span::from_seconds(3_600));
    assert_eq!(refusal(world.operations.look_at_link(&code)), Refusal::LinkClosed);
}

#[test]
fn asking_for_a_new_password_answers_everybody_the_same_and_mails_only_owners() {
    let (world, _, _) = stage();
    world.add_person(PIET);
    world.add_person("blocked@one.example");
    let block = StandingChange::Block { reason: Line::parse("lost laptop").unwrap(), until: None };
    world.operations.change_account_standing(&login("blocked@one.example"), block, CHANNEL).unwrap();
    let ask = |address: &str, from_where: &str| world.operations.ask_new_password(address, &from(from_where));
    for stranger in [PIET, "blocked@one.example", "nobody@one.example", "one-robot", "", "x y", "a\r\nBcc: b@c.nl"] {
        assert!(ask(stranger, "192.0.2.1").is_ok(), "{stranger}");
    }
    assert_eq!(world.mails(), 0, "not active, blocked, unknown, a robot, nonsense");
    let asked = world.told("new-password-asked");
    assert_eq!(asked.len(), 7, "each is on record, as one of an owner is: the same work");
    assert!(asked.iter().all(|line| line.event.about.login.is_none()), "what was typed is not kept");
    assert!(ask(JAN, "192.0.2.1").is_ok());
    assert_eq!(world.letters().len(), 1);
    // an address gets three links an hour, whoever asks; the last one stays open
    let mut last = Vec::new();
    for third in 0..5 {
        assert!(ask(JAN, &format!("198.51.100.{third}")).is_ok(), "the answer stays the same");
        let letters = world.letters();
        if !letters.is_empty() {
            last = letters;
        }
    }
    assert_eq!(world.told("new-password-asked").iter().filter(|line| line.event.about.login.is_some()).count(), 3);
    assert!(world.operations.look_at_link(&World::code_in(&last)).is_ok(), "nobody can close it by asking on");
    world.pass(Span::from_seconds(3_600));
    assert!(ask(JAN, "192.0.2.1").is_ok());
    assert_eq!(world.letters().len(), 1, "an hour later there is a new one");
    // a network that asks too often is refused, whatever it asks
    for _ in 0..20 {
        let _ = ask("nobody@one.example", "203.0.113.7");
    }
    let before = world.history();
    for address in [JAN, "nobody@one.example"] {
        assert_eq!(refusal(ask(address, "203.0.113.7")), Refusal::TriedTooOften { seconds: 3_600 });
    }
    assert_eq!(world.history(), before);
    assert!(ask(JAN, "203.0.113.8").is_ok(), "others go on");
}

#[test]
fn who_does_not_activate_is_told_three_days_before_and_at_the_end_once_each() {
    let world = World::new();
    let new = NewAccount {
        login: login(JAN),
        organisation: org("one"),
        kind: AccountKind::Person { email: EmailAddress::parse(JAN).unwrap() },
        is_administrator: true,
        language: Language::Dutch,
    };
    world.operations.add_account(new, CHANNEL).unwrap();
    let (app, _) = world.choose(JAN);
    world.operations.ask_new_password(JAN, &home()).unwrap();
    world.letters();
    world.add_person(PIET);
    let link = world.link(PIET);
    world.pass(Span::from_days(17));
    world.operations.attend_to_links().unwrap();
    assert_eq!(world.letters().len(), 0, "four days before nothing is said; links for passwords just go");
    assert_eq!(world.told("account-link-expired").len(), 1);
    world.pass(Span::from_days(1));
    assert_eq!(world.operations.attend_to_links().unwrap(), LinkRound { reminded: 1, expired: 0 });
    for _ in 0..3 {
        assert_eq!(world.operations.attend_to_links().unwrap(), LinkRound::default(), "once");
    }
    let letters = world.letters();
    assert_eq!(letters.len(), 2, "{letters:?}");
    let to = |address: &str| letters.iter().find(|letter| letter.starts_with(address)).unwrap();
    assert!(to(PIET).contains("Uw activatielink verloopt op 2026-12-14") && to(PIET).contains(&link));
    assert!(to(JAN).contains("Activatielink van piet@one.example verloopt op 2026-12-14") && !to(JAN).contains(&link));
    // day 21 works, day 22 does not (5.10-3)
    world.pass(Span::from_millis(Span::from_days(3).millis() - 1));
    assert!(world.operations.look_at_link(&link).is_ok(), "day 21");
    world.pass(Span::from_millis(1));
    assert_eq!(refusal(world.operations.look_at_link(&link)), Refusal::LinkClosed, "day 22");
    assert_eq!(world.operations.attend_to_links().unwrap(), LinkRound { reminded: 0, expired: 1 });
    assert_eq!(world.operations.attend_to_links().unwrap(), LinkRound::default());
    let letters = world.letters().concat();
    assert!(letters.contains("Uw activatielink is verlopen"), "{letters}");
    assert!(letters.contains("Activatielink van piet@one.example is verlopen") && !letters.contains("/account/"));
    // the administrator sends a new one, and it works (B15)
    let app_code = world.enter(&app);
    world.operations.resend_link(&world.visit(&app_code).caller, &login(PIET)).unwrap();
    let again = World::code_in(&world.letters());
    assert!(world.operations.choose_password(&again, PASSWORD, &home()).is_ok());
    let lines = world.operations.history(&HistoryQuery { limit: 1_000, ..HistoryQuery::default() }).unwrap();
    assert!(lines.iter().any(|line| line.event.what.word() == "activation-reminded"));
}

#[test]
fn nobody_is_told_of_an_account_that_may_not_act_and_rounds_are_bounded() {
    let (world, _, _) = stage();
    world.add_person(PIET);
    world.link(PIET);
    let block = StandingChange::Block { reason: Line::parse("on hold").unwrap(), until: None };
    world.operations.change_account_standing(&login(PIET), block, CHANNEL).unwrap();
    for number in 0..120 {
        let one = format!("user{number}@one.example");
        world.add_person(&one);
        world.link(&one);
    }
    world.pass(Span::from_days(19));
    assert_eq!(world.operations.attend_to_links().unwrap().reminded, 100);
    assert_eq!(world.operations.attend_to_links().unwrap().reminded, 20, "the next round goes on");
    world.pass(Span::from_days(3));
    assert_eq!(world.operations.attend_to_links().unwrap().expired, 100);
    assert_eq!(world.operations.attend_to_links().unwrap().expired, 21, "the link of who is blocked goes too");
    let mails = world.operations.mail_queue(None).unwrap();
    assert!(mails.iter().all(|(_, to)| to.as_ref().unwrap().login != Some(login(PIET))), "and is not mailed");
    assert_eq!(mails.len(), 240);
}

#[test]
fn a_reminder_leaves_exactly_once_whatever_stops_in_between() {
    let (world, _, _) = stage();
    world.add_person(PIET);
    world.link(PIET);
    world.pass(Span::from_days(18));
    assert_eq!(world.operations.attend_to_links().unwrap().reminded, 1);
    // the server stops before anything was sent, and again after it
    for expected in [1, 1] {
        let again = world.restarted_with(|_| {});
        assert_eq!(again.attend_to_links().unwrap(), LinkRound::default(), "what was told is not told again");
        again.send_due_mail(100).unwrap();
        let letters = world.mailer.messages();
        let told = letters.iter().filter(|mail| mail.to.to_string() == PIET && mail.subject.contains("verloopt op"));
        assert_eq!(told.count(), expected);
    }
    world.pass(Span::from_days(3));
    assert_eq!(world.restarted_with(|_| {}).attend_to_links().unwrap(), LinkRound { reminded: 0, expired: 1 });
    let again = world.restarted_with(|_| {});
    assert_eq!(again.attend_to_links().unwrap(), LinkRound::default());
    again.send_due_mail(100).unwrap();
    world.restarted_with(|_| {}).send_due_mail(100).unwrap();
    let letters = world.mailer.messages();
    assert_eq!(letters.iter().filter(|mail| mail.subject == "Uw activatielink is verlopen").count(), 1);
}

#[test]
fn who_has_not_accepted_the_terms_still_keeps_the_account_safe() {
    let (world, app, _) = stage();
    let terms = NewTerms {
        name: VersionName::parse("1.0").unwrap(),
        text: "Ga zorgvuldig om met gegevens.".to_owned(),
        english: None,
        effective_at: world.operations.now().after(Span::from_days(1)),
    };
    world.operations.publish_terms(terms, CHANNEL).unwrap();
    let visit = world.visit(&world.enter(&app));
    assert!(visit.has_terms_open);
    assert_eq!(world.operations.own_credentials(&visit).unwrap().recovery_codes_left, 10);
    world.operations.change_password(&visit, PASSWORD, NEW, &home()).unwrap();
    assert!(world.operations.check_password(JAN, NEW, &home()).is_ok());
    // and does nothing else
    let filter = DeliveryFilter { limit: 10, ..DeliveryFilter::default() };
    let refused = refusal(world.operations.deliveries(&visit.caller, &filter));
    assert!(matches!(refused, Refusal::TermsNotAccepted { .. }), "{refused:?}");
}
