//! Terms of use: no access before they are accepted, changes that apply by themselves, refusing them within
//! 42 days, machines and their time of grace, and telling everybody once (domain 5.10-17; I1-I14, 1Z-8, H5, M22).

use postkluis::domain::account::{Account, AccountKind, Language};
use postkluis::domain::block::{EndReason, Standing};
use postkluis::domain::history::{Happening, HistoryLine};
use postkluis::domain::names::VersionName;
use postkluis::domain::notice::{Addressed, Mail, NoticeKind};
use postkluis::domain::refusal::What;
use postkluis::domain::rights::Act;
use postkluis::domain::terms::TermsVersion;
use postkluis::operations::{NewTerms, PortalVisit, StandingChange, TermsState};

use super::people::{App, home};
use super::*;

const JAN: &str = "jan@one.example";
const EVA: &str = "eva@one.example";
const TEXT: &str = "# Artikel 1\n\nU gaat zorgvuldig om met gegevens.\n";

fn days(days: u64) -> Span {
    Span::from_days(days)
}

fn new_terms(world: &World, name: &str, after: Span) -> NewTerms {
    NewTerms {
        name: VersionName::parse(name).unwrap(),
        text: format!("{TEXT}\nVersie {name}.\n"),
        english: Some(format!("# Article 1\n\nVersion {name}.\n")),
        effective_at: world.operations.now().after(after),
    }
}

fn publish(world: &World, name: &str, after: Span) -> TermsVersion {
    world.operations.publish_terms(new_terms(world, name, after), CHANNEL).unwrap()
}

fn told(world: &World, what: Happening) -> Vec<HistoryLine> {
    let query = HistoryQuery { limit: 1_000, ..HistoryQuery::default() };
    let lines = world.operations.history(&query).unwrap();
    lines.into_iter().filter(|line| line.event.what == what).collect()
}

fn mails(world: &World, kind: NoticeKind) -> Vec<Addressed> {
    let all = world.operations.mail_queue(None).unwrap().into_iter();
    all.filter(|(mail, _): &(Mail, _)| mail.kind == kind).filter_map(|(_, to)| to).collect()
}

fn addresses(world: &World, kind: NoticeKind) -> Vec<String> {
    let mut all: Vec<String> = mails(world, kind).iter().map(|to| to.to.to_string()).collect();
    all.sort();
    all
}

/// What is stored of the history, the queue of e-mails and who may do what.
fn state(world: &World) -> (Vec<&'static str>, usize, u64) {
    (world.history(), world.mails(), world.operations.version())
}

fn robot(world: &World, login_name: &str) -> Account {
    let owner = EmailAddress::parse("owner@one.example").unwrap();
    let new = NewAccount {
        login: login(login_name),
        organisation: org("one"),
        kind: AccountKind::Machine { owner },
        is_administrator: false,
        language: Language::Dutch,
    };
    let account = world.operations.add_account(new, CHANNEL).unwrap();
    world.operations.couple(&login(login_name), None, &product("daily"), CHANNEL).unwrap();
    world.operations.add_key(&login(login_name), "SHA256:key", "ssh-ed25519 AAAA", None, CHANNEL).unwrap();
    account
}

fn sftp(world: &World, login_name: &str) -> Result<Caller, Failure> {
    world.operations.sign_in_with_key(login_name, "SHA256:key", &home())
}

/// An activated person who may see `daily`, and how they sign in.
struct Someone {
    email: &'static str,
    app: App,
}

impl Someone {
    fn join(world: &World, email: &'static str) -> Self {
        Self::arrive(world, email, false)
    }

    fn arrive(world: &World, email: &'static str, is_administrator: bool) -> Self {
        world.add_somebody(email, is_administrator);
        let (app, _) = world.choose(email);
        world.operations.couple(&login(email), None, &product("daily"), CHANNEL).unwrap();
        Self { email, app }
    }

    fn sign_in(&self, world: &World) -> String {
        world.clock.advance(Span::from_seconds(30));
        world.sign_in(self.email, &self.app.code(world), &home()).unwrap()
    }

    fn visit(&self, world: &World) -> PortalVisit {
        world.visit(&self.sign_in(world))
    }
}

fn sees(world: &World, visit: &PortalVisit) -> usize {
    world.operations.newest_deliveries(&visit.caller, None, true, 10).unwrap().len()
}

impl World {
    /// The secret in the e-mail to the owner of a machine.
    fn terms_link(&self, name: &str) -> String {
        let start = format!("https://test.example/terms/for/{name}/");
        let messages = self.mailer.messages();
        let text = messages.iter().find_map(|message| message.text.split_once(&start)).unwrap().1;
        text.split_whitespace().next().unwrap().to_owned()
    }
}

fn not_accepted() -> Refusal {
    Refusal::TermsNotAccepted { address: String::new() }
}

#[test]
fn a_person_can_do_nothing_before_accepting_and_everything_after_it() {
    let world = World::new();
    let jan = Someone::join(&world, JAN);
    world.publish("k1", &["one"], vec![file("a.csv", b"aaa")]);
    assert_eq!(sees(&world, &jan.visit(&world)), 1, "nothing is published: nothing is asked");
    assert!(!jan.visit(&world).has_terms_open);

    let version = publish(&world, "1.0", days(10));
    let visit = jan.visit(&world);
    assert!(visit.has_terms_open, "asked from the publication on (I6)");
    let before = state(&world);
    assert_eq!(refusal(world.fetch(&visit.caller, "a.csv").map(drop)), not_accepted());
    let seen = world.operations.newest_deliveries(&visit.caller, None, true, 10);
    assert!(seen.is_err() || seen.unwrap().is_empty(), "nothing is seen");
    assert_eq!(refusal(world.operations.outbox_products(&visit.caller, &org("one"))), not_accepted());
    assert!(matches!(refusal(world.operations.accept_terms(&visit.caller, 7)), Refusal::WrongState(_)));
    assert_eq!(state(&world), before, "nothing was stored or mailed");

    world.operations.accept_terms(&visit.caller, version.number).unwrap();
    assert_eq!(world.fetch(&visit.caller, "a.csv").unwrap(), b"aaa", "in the same session");
    assert!(!jan.visit(&world).has_terms_open);
    let lines = told(&world, Happening::TermsAccepted);
    let [line] = lines.as_slice() else { panic!("one acceptance: {lines:?}") };
    let event = &line.event;
    assert_eq!(event.who.login, Some(login(JAN)));
    assert_eq!(event.who.address, Some(home().address), "from which address (I6)");
    assert_eq!(event.detail.note.as_deref(), Some("version 1.0, e-mail instead of paper"), "H5");
    let before = state(&world);
    assert!(matches!(refusal(world.operations.accept_terms(&visit.caller, version.number)), Refusal::WrongState(_)));
    assert_eq!(state(&world), before, "once");
}

#[test]
fn a_change_applies_by_itself_and_can_be_refused_through_day_42_and_not_after() {
    let world = World::new();
    let (jan, eva) = (Someone::join(&world, JAN), Someone::join(&world, EVA));
    let first = publish(&world, "1.0", days(10));
    for one in [&jan, &eva] {
        world.operations.accept_terms(&one.visit(&world).caller, first.number).unwrap();
    }
    world.clock.advance(days(100));
    assert!(world.operations.terms_refusable().unwrap().is_none());
    let before = state(&world);
    let late = jan.visit(&world);
    assert!(matches!(refusal(world.operations.refuse_terms(&late.caller)), Refusal::WrongState(_)));
    assert_eq!(world.mails(), before.1);

    // the change: read before it applies (I12), and it applies without a click (I13)
    let published = world.operations.now();
    publish(&world, "2.0", days(14));
    assert_eq!(world.operations.terms_coming().unwrap().unwrap().name.as_str(), "2.0");
    assert_eq!(world.operations.terms_in_force().unwrap().unwrap().name.as_str(), "1.0");
    world.clock.advance(days(14));
    world.publish("k1", &["one"], vec![file("a.csv", b"aaa")]);
    assert_eq!(world.operations.terms_in_force().unwrap().unwrap().name.as_str(), "2.0");
    assert!(world.operations.terms_coming().unwrap().is_none());
    let visit = jan.visit(&world);
    assert!(!visit.has_terms_open);
    assert_eq!(world.fetch(&visit.caller, "a.csv").unwrap(), b"aaa");
    assert_eq!(told(&world, Happening::TermsAccepted).len(), 2, "nobody clicked again");

    // the last day: day 42 after the publication, after it applies (1Z-8)
    let last = world.operations.terms_refusable().unwrap().unwrap().refusable_until;
    let day = |at: Moment| at.millis() / days(1).millis();
    assert_eq!(day(last.before(Span::from_millis(1))), day(published) + 42);
    let ahead = last.before(Span::from_seconds(60)).since(world.operations.now());
    world.clock.advance(ahead);
    let secret = jan.sign_in(&world);
    world.operations.refuse_terms(&world.visit(&secret).caller).unwrap();
    let account = world.operations.account(&login(JAN)).unwrap();
    assert!(matches!(account.standing, Standing::Ended { reason: Some(EndReason::TermsNotAccepted), .. }));
    assert_eq!(refusal(world.operations.visit(&secret, &home())), Refusal::NotSignedIn, "its sessions end");
    assert_eq!(refusal(world.fetch(&visit.caller, "a.csv").map(drop)), Refusal::Ended(What::Account));
    let ended = told(&world, Happening::AccountEnded);
    assert!(ended.last().unwrap().event.detail.note.as_deref().unwrap().starts_with("b: "), "{ended:?}");
    assert_eq!(told(&world, Happening::TermsRefused).len(), 1);

    world.clock.advance(last.since(world.operations.now()));
    let visit = eva.visit(&world);
    assert!(matches!(refusal(world.operations.refuse_terms(&visit.caller)), Refusal::WrongState(_)), "not after");
    assert_eq!(world.operations.account(&login(EVA)).unwrap().standing, Standing::Active);
    assert_eq!(told(&world, Happening::TermsRefused).len(), 1);
}

#[test]
fn who_never_accepted_may_refuse_too_and_others_hear_of_it() {
    let world = World::new();
    let (jan, eva) = (Someone::join(&world, JAN), Someone::arrive(&world, EVA, true));
    let version = publish(&world, "1.0", days(10));
    // the last administrator goes as well: nobody is held, and the operator is told
    let eva_visit = eva.visit(&world);
    world.operations.accept_terms(&eva_visit.caller, version.number).unwrap();
    world.operations.refuse_terms(&jan.visit(&world).caller).unwrap();
    assert_eq!(addresses(&world, NoticeKind::MemberLeft), [EVA]);
    world.operations.refuse_terms(&eva.visit(&world).caller).unwrap();
    assert_eq!(addresses(&world, NoticeKind::MemberLeft), ["contact@test.example", EVA]);
    assert_eq!(world.operations.administrators(&org("one")).unwrap(), 0);
    // who is blocked answers nothing
    let kim = Someone::join(&world, "kim@one.example");
    let visit = kim.visit(&world);
    let block = StandingChange::Block { reason: line("misuse"), until: None };
    world.operations.change_account_standing(&login("kim@one.example"), block, CHANNEL).unwrap();
    let before = state(&world);
    assert_eq!(refusal(world.operations.accept_terms(&visit.caller, version.number)), Refusal::Blocked);
    assert_eq!(refusal(world.operations.refuse_terms(&visit.caller)), Refusal::Blocked);
    assert_eq!(state(&world), before);
}

#[test]
fn a_first_publication_locks_out_no_robot_for_42_days() {
    let world = World::new();
    world.publish("k1", &["one"], vec![file("a.csv", b"aaa")]);
    let (token, caller) =
        (world.operations.add_token(&login("one-robot"), None, CHANNEL).unwrap(), world.caller("one"));
    let version = publish(&world, "1.0", days(1));
    assert_eq!(world.fetch(&caller, "a.csv").unwrap(), b"aaa");
    let by_token = || world.operations.sign_in_with_token(&token.secret, &home());
    world.clock.advance(version.grace_until.before(Span::from_millis(1)).since(world.operations.now()));
    world.publish("k2", &["one"], vec![file("b.csv", b"bbb")]);
    assert!(sftp(&world, "one-robot").is_ok() && by_token().is_ok(), "to the end of the day");
    assert!(world.operations.may_stay("one-robot", "SHA256:key", home().address).unwrap());
    world.clock.advance(Span::from_millis(1));
    let where_to = Refusal::TermsNotAccepted { address: "https://test.example/terms".to_owned() };
    assert_eq!(refusal(sftp(&world, "one-robot")), where_to);
    assert_eq!(refusal(by_token()), where_to);
    assert!(!world.operations.may_stay("one-robot", "SHA256:key", home().address).unwrap(), "live sessions are cut");
    assert_eq!(refusal(world.fetch(&caller, "b.csv").map(drop)), not_accepted(), "and open ones see nothing more");
    let refused = told(&world, Happening::SignInRefused);
    assert!(refused.last().unwrap().event.detail.note.as_deref().unwrap().contains("terms of use"), "{refused:?}");
    // a wrong key still learns nothing
    assert_eq!(refusal(world.operations.sign_in_with_key("one-robot", "SHA256:other", &home())), Refusal::NotSignedIn);
    world.operations.record_acceptance(&login("one-robot"), line("letter of 3 May"), CHANNEL).unwrap();
    assert!(sftp(&world, "one-robot").is_ok() && by_token().is_ok());
    assert_eq!(world.fetch(&caller, "b.csv").unwrap(), b"bbb");
    let lines = told(&world, Happening::TermsAccepted);
    assert_eq!(
        lines.last().unwrap().event.detail.note.as_deref(),
        Some("version 1.0, recorded by the operator: letter of 3 May")
    );
}

#[test]
fn a_robot_made_after_the_publication_waits_for_its_owner_or_an_administrator() {
    let world = World::new();
    let (jan, eva) = (Someone::join(&world, JAN), Someone::arrive(&world, EVA, true));
    let version = publish(&world, "1.0", days(1));
    world.clock.advance(Span::from_millis(1));
    robot(&world, "late-robot");
    robot(&world, "later-robot");
    assert!(matches!(refusal(sftp(&world, "late-robot")), Refusal::TermsNotAccepted { .. }));
    // its owner got a link; looking changes nothing, and no other link opens
    let asked = mails(&world, NoticeKind::TermsForMachine);
    assert_eq!(asked.len(), 2);
    world.operations.send_due_mail(100).unwrap();
    let link = world.terms_link("late-robot");
    let before = state(&world);
    assert_eq!(world.operations.look_at_terms_link("late-robot", &link).unwrap().login, login("late-robot"));
    for (name, code) in [("late-robot", "a".repeat(26)), ("later-robot", link.clone()), ("nobody", link.clone())] {
        assert_eq!(refusal(world.operations.look_at_terms_link(name, &code)), Refusal::LinkClosed);
        let taken = world.operations.accept_terms_by_link(name, &code, version.number, &home());
        assert_eq!(refusal(taken), Refusal::LinkClosed);
    }
    assert_eq!(state(&world), before);
    world.operations.accept_terms_by_link("late-robot", &link, version.number, &home()).unwrap();
    assert!(sftp(&world, "late-robot").is_ok());
    assert!(sftp(&world, "later-robot").is_err());
    assert_eq!(refusal(world.operations.look_at_terms_link("late-robot", &link)), Refusal::LinkClosed, "once");

    // an administrator, who has to have accepted first, does it in the portal; nobody else does
    let visit = eva.visit(&world);
    let accept = |name: &str| world.operations.accept_terms_for_machine(&visit.caller, &login(name), version.number);
    assert_eq!(refusal(accept("later-robot")), not_accepted());
    world.operations.accept_terms(&visit.caller, version.number).unwrap();
    let other = jan.visit(&world);
    world.operations.accept_terms(&other.caller, version.number).unwrap();
    let by_other = world.operations.accept_terms_for_machine(&other.caller, &login("later-robot"), version.number);
    assert!(matches!(refusal(by_other), Refusal::NotAllowed(_)));
    let listed = world.operations.machines_without_terms(&visit.caller).unwrap();
    let listed: Vec<_> = listed.iter().map(|one| (one.account.login.as_str(), one.until.is_some())).collect();
    assert_eq!(listed, [("later-robot", false), ("one-robot", true)]);
    assert_eq!(refusal(accept("two-robot")), Refusal::NotFound(What::Account), "of another organisation");
    assert_eq!(refusal(accept(JAN)), Refusal::NotFound(What::Account), "a person answers for themselves");
    accept("later-robot").unwrap();
    assert!(sftp(&world, "later-robot").is_ok());
    let by: Vec<_> =
        told(&world, Happening::TermsAccepted).into_iter().filter_map(|line| line.event.detail.note).collect();
    assert!(by.iter().any(|note| note.contains("by the owner owner@one.example")), "{by:?}");
    assert!(by.iter().any(|note| note.contains(&format!("by the administrator {EVA}"))), "{by:?}");
}

#[test]
fn an_owner_who_does_not_accept_cancels_the_machine_account() {
    let world = World::new();
    let eva = Someone::arrive(&world, EVA, true);
    let version = publish(&world, "1.0", days(1));
    world.operations.accept_terms(&eva.visit(&world).caller, version.number).unwrap();
    world.clock.advance(Span::from_millis(1));
    robot(&world, "late-robot");
    robot(&world, "other-robot");
    world.operations.send_due_mail(100).unwrap();
    let link = world.terms_link("late-robot");
    let before = state(&world);
    for (name, code) in [("late-robot", "a".repeat(26)), ("other-robot", link.clone()), ("nobody", link.clone())] {
        assert_eq!(refusal(world.operations.refuse_terms_by_link(name, &code, &home())), Refusal::LinkClosed);
    }
    assert_eq!(state(&world), before);
    world.operations.refuse_terms_by_link("late-robot", &link, &home()).unwrap();
    let account = world.operations.account(&login("late-robot")).unwrap();
    assert!(matches!(account.standing, Standing::Ended { reason: Some(EndReason::TermsNotAccepted), .. }));
    assert!(sftp(&world, "late-robot").is_err());
    // its keys end in the same decision, and the administrators are told
    let (refused, revoked) = (told(&world, Happening::TermsRefused), told(&world, Happening::KeyRevoked));
    assert_eq!((refused.len(), revoked.len(), refused[0].at), (1, 1, revoked[0].at));
    assert_eq!(addresses(&world, NoticeKind::MemberLeft), [EVA]);
    let after = state(&world);
    assert_eq!(refusal(world.operations.refuse_terms_by_link("late-robot", &link, &home())), Refusal::LinkClosed);
    let accepted = world.operations.accept_terms_by_link("late-robot", &link, version.number, &home());
    assert_eq!(refusal(accepted), Refusal::LinkClosed, "it does not come back");
    assert_eq!(state(&world), after);
}

#[test]
fn after_day_42_or_an_acceptance_an_owner_refuses_nothing() {
    let world = World::new();
    let version = publish(&world, "1.0", days(1));
    world.clock.advance(Span::from_millis(1));
    robot(&world, "late-robot");
    robot(&world, "other-robot");
    world.operations.send_due_mail(100).unwrap();
    let (link, other) = (world.terms_link("late-robot"), world.terms_link("other-robot"));
    world.operations.accept_terms_by_link("other-robot", &other, version.number, &home()).unwrap();
    let before = state(&world);
    assert_eq!(refusal(world.operations.refuse_terms_by_link("other-robot", &other, &home())), Refusal::LinkClosed);
    world.clock.advance(days(43));
    let late = refusal(world.operations.refuse_terms_by_link("late-robot", &link, &home()));
    assert!(matches!(late, Refusal::WrongState(_)), "{late:?}");
    assert_eq!(state(&world), before);
    assert!(world.operations.look_at_terms_link("late-robot", &link).is_ok(), "accepting goes on");
}

#[test]
fn what_cannot_be_published_changes_nothing() {
    let world = World::new();
    publish(&world, "1.0", days(10));
    let before = state(&world);
    let publish = |new: NewTerms| refusal(world.operations.publish_terms(new, CHANNEL));
    let good = new_terms(&world, "2.0", days(20));
    for effective_at in [world.operations.now(), START.before(days(1)), START.after(days(10)), START.after(days(9))] {
        assert!(matches!(publish(NewTerms { effective_at, ..good.clone() }), Refusal::BadRequest(_)));
    }
    let again = NewTerms { name: VersionName::parse("1.0").unwrap(), ..good.clone() };
    assert!(matches!(publish(again), Refusal::Exists(What::Terms, _)));
    for text in [String::new(), "  \n".to_owned(), "a\u{0}b".to_owned(), "x".repeat(200_000)] {
        assert!(matches!(publish(NewTerms { text: text.clone(), ..good.clone() }), Refusal::BadName(_)));
        assert!(matches!(publish(NewTerms { english: Some(text), ..good.clone() }), Refusal::BadName(_)));
    }
    assert_eq!(state(&world), before);
    world.operations.publish_terms(good, CHANNEL).unwrap();
    let list = world.operations.terms_overview(CHANNEL).unwrap();
    let list: Vec<_> = list.iter().map(|row| (row.version.name.as_str(), row.state, row.accepted)).collect();
    assert_eq!(list, [("2.0", TermsState::Coming, 0), ("1.0", TermsState::Coming, 0)]);
    assert!(matches!(
        refusal(world.operations.record_acceptance(&login("nobody"), line("x"), CHANNEL)),
        Refusal::NotFound(What::Account)
    ));
}

#[test]
fn every_version_stays_readable_in_its_languages() {
    let world = World::new();
    let long = format!("# Lang\n\n{}", "één regel tekst\n".repeat(5_000));
    let new = NewTerms { text: long.clone(), english: None, ..new_terms(&world, "1.0", days(1)) };
    world.operations.publish_terms(new, CHANNEL).unwrap();
    publish(&world, "2.0", days(2));
    world.clock.advance(days(400));
    let text = |name: &str, language| {
        let version = world.operations.terms_named(&VersionName::parse(name).unwrap()).unwrap();
        world.operations.terms_text(version.number, language).unwrap()
    };
    assert_eq!(text("1.0", Language::Dutch), (long.trim().to_owned(), Language::Dutch), "I14");
    assert_eq!(text("1.0", Language::English).1, Language::Dutch, "there is no other");
    let (english, language) = text("2.0", Language::English);
    assert!(english.contains("Version 2.0") && language == Language::English);
    assert!(matches!(
        refusal(world.operations.terms_named(&VersionName::parse("3.0").unwrap())),
        Refusal::NotFound(What::Terms)
    ));
}

#[test]
fn everybody_is_told_exactly_once_in_batches_also_across_a_restart() {
    let world = World::new();
    for number in 0..120 {
        world.add_person(&format!("user{number:03}@one.example"));
    }
    for number in 0..3 {
        robot(&world, &format!("extra-robot-{number}"));
    }
    world.add_person("owner@one.example");
    let gone = StandingChange::End { reason: None, note: None };
    world.operations.change_account_standing(&login("user007@one.example"), gone, CHANNEL).unwrap();
    let version = publish(&world, "1.0", days(10));
    assert_eq!(world.mails(), 0, "the publication itself is one small decision");
    assert!(world.operations.keep_terms().unwrap());
    let after_one = world.mails();
    assert!((1..=50).contains(&after_one), "{after_one}");
    // a server that starts again goes on where this one was
    let again = world.restarted_with(|_| {});
    while again.keep_terms().unwrap() {}
    assert!(!world.operations.keep_terms().unwrap());
    let people = addresses(&world, NoticeKind::TermsPublished);
    let distinct: std::collections::BTreeSet<_> = people.iter().collect();
    assert_eq!((people.len(), distinct.len()), (120, 120), "119 living users and the owner, each once");
    // each machine that has to accept has a link of its own for its owner
    assert_eq!(mails(&world, NoticeKind::TermsForMachine).len(), 6);
    while world.operations.send_due_mail(100).unwrap().sent > 0 {}
    let sent = world.mailer.messages();
    let one = sent.iter().find(|message| message.to.as_str() == "user001@one.example").unwrap();
    assert_eq!(one.subject, "Nieuwe gebruiksvoorwaarden per 2026-12-03", "M22");
    assert!(one.text.contains("https://test.example/terms/1.0") && one.text.contains("2027-01-04"), "{}", one.text);
    assert!(!one.text.contains("/terms/for/"));
    assert_eq!(sent.len(), 126);

    // who accepted for machines is told of a change once, without a link
    for name in ["one-robot", "two-robot", "sealed-robot", "extra-robot-0", "extra-robot-1", "extra-robot-2"] {
        world.operations.record_acceptance(&login(name), line("on paper"), CHANNEL).unwrap();
    }
    publish(&world, "2.0", days(20));
    while world.operations.keep_terms().unwrap() {}
    assert_eq!(mails(&world, NoticeKind::TermsForMachine).len(), 6, "none is asked again");
    let people = addresses(&world, NoticeKind::TermsPublished);
    let of_owners = people.iter().filter(|address| address.starts_with("owner@")).count();
    assert_eq!((people.len(), of_owners), (120 + 122, 1 + 3));
    assert_eq!(version.number, 1);
    assert!(told(&world, Happening::TermsTold).iter().all(|line| line.event.who.login.is_none()));
}

#[test]
fn another_time_of_grace_counts_from_the_next_look_on_and_is_on_record() {
    let world = World::new();
    publish(&world, "1.0", days(1));
    let again = world.restarted_with(|settings| settings.terms_grace = Span::from_seconds(60));
    again.keep_terms().unwrap();
    assert_eq!(told(&world, Happening::TermsGraceChanged).len(), 1);
    world.clock.advance(Span::from_seconds(60));
    assert!(matches!(refusal(sftp(&world, "one-robot")), Refusal::TermsNotAccepted { .. }));
    while world.operations.keep_terms().unwrap() {}
    assert!(sftp(&world, "one-robot").is_ok(), "and back");
    assert_eq!(told(&world, Happening::TermsGraceChanged).len(), 2);
}

#[test]
fn the_act_exists_for_people_alone() {
    assert_eq!(Act::AnswerTerms.word(), "answer-terms");
    let world = World::new();
    let caller = world.caller("one");
    publish(&world, "1.0", days(1));
    let before = state(&world);
    assert!(matches!(refusal(world.operations.accept_terms(&caller, 1)), Refusal::NotAllowed(_)));
    assert!(matches!(refusal(world.operations.refuse_terms(&caller)), Refusal::NotAllowed(_)));
    assert_eq!(state(&world), before);
}
