//! Who is told by e-mail of blocks, ends and interruptions, and who is not (J6, M20, M21).

use postkluis::domain::block::EndReason;
use postkluis::domain::interruption::{Interruption, Reach};
use postkluis::domain::restriction::{Restricted, Service};
use postkluis::operations::{Credential, NewInterruption, ServiceEnd, StandingChange, Telling};
use postkluis::ports::mailer::Message;

use super::*;

const TELL: Telling = Telling { inform_user: true, reason: Some(EndReason::Misuse) };

fn block() -> StandingChange {
    StandingChange::Block { reason: line("secret: found in a leak"), until: None }
}

fn block_until(days: u64) -> StandingChange {
    StandingChange::Block { reason: line("secret: found in a leak"), until: Some(START.after(Span::from_days(days))) }
}

impl World {
    fn person(&self, email: &str, code: &str, is_administrator: bool) {
        let new = NewAccount {
            login: login(email),
            organisation: org(code),
            kind: AccountKind::Person { email: EmailAddress::parse(email).unwrap() },
            is_administrator,
            language: Language::Dutch,
        };
        self.operations.add_account(new, CHANNEL).unwrap();
    }

    /// `anna` and `bert` administer `one`, `carl` works there, `dora` administers `two`.
    fn with_people() -> Self {
        let world = Self::new();
        for (email, code, is_administrator) in [
            ("anna@one.example", "one", true),
            ("bert@one.example", "one", true),
            ("carl@one.example", "one", false),
            ("dora@two.example", "two", true),
        ] {
            world.person(email, code, is_administrator);
        }
        world
    }

    fn change(&self, account: &str, change: StandingChange, telling: Telling) {
        self.operations.change_account_standing_telling(&login(account), change, telling, CHANNEL).unwrap();
    }

    /// The e-mails that leave now.
    fn leaving(&self) -> Vec<Message> {
        let before = self.mailer.messages().len();
        self.operations.send_due_mail(1_000).unwrap();
        self.mailer.messages().split_off(before)
    }

    /// Address and subject of every e-mail that leaves now, by address.
    fn sent(&self) -> Vec<(String, String)> {
        let mut sent: Vec<_> = self.leaving().into_iter().map(|mail| (mail.to.to_string(), mail.subject)).collect();
        sent.sort();
        sent
    }

    /// What is on record of e-mails that were not sent.
    fn kept(&self) -> Vec<String> {
        let mails = self.operations.mail_queue(None).unwrap().into_iter();
        mails.filter_map(|(_, to)| to.and_then(|to| to.last_error)).collect()
    }

    fn interrupt(&self, from: Option<Moment>, hours: u64, mail: bool) -> Interruption {
        let until = from.unwrap_or_else(|| self.operations.now()).after(Span::from_seconds(hours * 3_600));
        let nature = line("nieuwe schijven");
        let new = NewInterruption { reach: Reach::All, nature, from, until, tells_administrators: mail };
        self.operations.start_interruption(new, CHANNEL).unwrap()
    }

    fn mail_round(&self) -> Vec<(String, String)> {
        while self.operations.continue_interruption_mail().unwrap() > 0 {}
        self.sent()
    }
}

fn pair(to: &str, subject: &str) -> (String, String) {
    (to.to_owned(), subject.to_owned())
}

#[test]
fn a_block_is_told_to_the_administrators_and_to_the_user_only_if_so_asked() {
    let world = World::with_people();
    world.change("carl@one.example", block(), Telling::default());
    let blocked = "Een account is geblokkeerd";
    assert_eq!(world.sent(), [pair("anna@one.example", blocked), pair("bert@one.example", blocked)]);
    world.change("carl@one.example", StandingChange::Unblock, Telling::default());
    assert_eq!(world.sent().len(), 2);

    world.change("carl@one.example", block_until(3), TELL);
    let mails = world.leaving();
    assert_eq!(mails.len(), 3);
    for mail in &mails {
        assert!(mail.text.contains("misbruik") && mail.text.contains("contact@test.example"), "{}", mail.text);
        assert!(mail.text.contains("carl@one.example") && mail.text.contains("2026-11-26"), "{}", mail.text);
        // what led to it is the operator's
        assert!(!mail.text.contains("leak") && !mail.html.contains("leak"), "{}", mail.text);
    }
    let own: Vec<_> = mails.iter().filter(|mail| mail.to.as_str() == "carl@one.example").collect();
    assert_eq!(own.len(), 1, "one of them, although other mail to the account stops");
    assert_eq!(own[0].subject, "Uw account is geblokkeerd");
    let end = StandingChange::End { reason: Some(EndReason::TermsNotAccepted), note: Some(line("a secret")) };
    world.change("carl@one.example", end, TELL);
    let ended = world.sent();
    assert_eq!(ended[2], pair("carl@one.example", "Uw account is beëindigd"));
    assert_eq!(ended.len(), 3);
}

#[test]
fn an_administrator_who_is_blocked_is_not_told_of_it_as_an_administrator() {
    let world = World::with_people();
    world.change("anna@one.example", block(), Telling::default());
    assert_eq!(world.sent(), [pair("bert@one.example", "Een account is geblokkeerd")]);
    // nobody is left who could read it
    world.change("bert@one.example", block(), Telling::default());
    assert_eq!((world.sent(), world.mails()), (vec![], 1));
    world.change("bert@one.example", StandingChange::Unblock, TELL);
    assert_eq!(world.sent(), [pair("bert@one.example", "Uw account is niet meer geblokkeerd")]);
}

#[test]
fn the_owner_of_a_robot_is_told_once() {
    let world = World::with_people();
    let owner = EmailAddress::parse("anna@one.example").unwrap();
    let new = NewAccount {
        login: login("one-more"),
        organisation: org("one"),
        kind: AccountKind::Machine { owner },
        is_administrator: false,
        language: Language::Dutch,
    };
    world.operations.add_account(new, CHANNEL).unwrap();
    world.change("one-more", block(), TELL);
    let blocked = "Een account is geblokkeerd";
    assert_eq!(world.sent(), [pair("anna@one.example", blocked), pair("bert@one.example", blocked)]);
    world.change("one-robot", block(), TELL);
    assert_eq!(world.sent()[2], pair("owner@one.example", "Uw account is geblokkeerd"));
}

#[test]
fn of_an_organisation_that_is_shut_out_its_administrators_hear_only_if_so_asked() {
    let world = World::with_people();
    let change = |change, telling| {
        world.operations.change_organisation_standing_telling(&org("one"), change, telling, CHANNEL).unwrap();
    };
    change(block(), Telling::default());
    assert_eq!((world.sent(), world.mails()), (vec![], 0));
    change(StandingChange::Unblock, Telling::default());
    let subjects: Vec<String> = world.sent().into_iter().map(|(_, subject)| subject).collect();
    assert_eq!(subjects, ["Uw organisatie is niet meer geblokkeerd"; 2]);
    change(block(), TELL);
    let blocked = "Uw organisatie is geblokkeerd";
    assert_eq!(world.sent(), [pair("anna@one.example", blocked), pair("bert@one.example", blocked)]);
    // an account of a blocked organisation: its administrators are shut out too
    let before = world.mails();
    world.change("carl@one.example", block(), Telling::default());
    assert_eq!(world.mails(), before);
}

#[test]
fn a_blocked_key_and_an_ended_service_are_told_too() {
    let world = World::with_people();
    let key = Credential::Key { login: login("one-robot"), fingerprint: "SHA256:key".to_owned() };
    world.operations.block_credential_telling(key.clone(), line("a leak"), None, TELL, CHANNEL).unwrap();
    let mails = world.leaving();
    assert_eq!(mails.len(), 3, "the owner of the robot and two administrators");
    for mail in &mails {
        assert_eq!(mail.subject, "Een sleutel is geblokkeerd");
        assert!(mail.text.contains("SHA256:key") && !mail.text.contains("leak"), "{}", mail.text);
    }
    world.operations.unblock_credential(key, CHANNEL).unwrap();
    assert_eq!(world.sent().len(), 2);
    let end = ServiceEnd { service: Service::Fetch, reason: EndReason::SpecialCircumstances, note: None };
    let subject = Restricted::Organisation(org("one"));
    world.operations.end_service(subject.clone(), end, CHANNEL).unwrap();
    let mails = world.leaving();
    assert_eq!(mails.len(), 2);
    assert!(mails[0].text.contains("leveringen ophalen") && mails[0].text.contains("bijzondere"), "{}", mails[0].text);
    world.operations.restore_service(subject, Service::Fetch, CHANNEL).unwrap();
    assert_eq!(world.sent()[0].1, "De toegang van uw organisatie is niet meer beperkt");
}

#[test]
fn mail_that_waits_for_somebody_who_is_blocked_is_not_sent() {
    let world = World::with_people();
    // ready for the robot, whose owner reads it
    world.publish("k1", &["one"], vec![file("a.csv", b"aaa")]);
    world.change("one-robot", block(), Telling::default());
    let told = world.sent();
    assert!(told.iter().all(|(to, _)| to != "owner@one.example"), "{told:?}");
    assert_eq!(world.kept().len(), 1);
    assert!(world.kept()[0].starts_with("not sent: the account is blocked or has ended"), "{:?}", world.kept());
    world.change("one-robot", StandingChange::Unblock, Telling::default());
    world.sent();
    // what was kept goes when the operator has it tried again
    assert_eq!(world.operations.retry_mail().unwrap(), 1);
    assert!(world.sent().iter().any(|(to, _)| to == "owner@one.example"));

    // the organisation's block stops mail to its accounts in the same way
    world.publish("k2", &["one"], vec![file("b.csv", b"bbb")]);
    world.operations.change_organisation_standing(&org("one"), block(), CHANNEL).unwrap();
    assert!(world.sent().is_empty());
    assert_eq!(world.kept().len(), 1);
    world.operations.change_organisation_standing(&org("one"), StandingChange::Unblock, CHANNEL).unwrap();
    world.sent();

    // and so does the block of the person who answers for a robot
    world.person("owner@one.example", "one", false);
    world.publish("k3", &["one"], vec![file("c.csv", b"ccc")]);
    world.change("owner@one.example", block(), Telling::default());
    let told = world.sent();
    assert!(told.iter().all(|(to, _)| to != "owner@one.example"), "{told:?}");
}

#[test]
fn of_what_may_no_longer_be_fetched_nobody_is_told_that_it_is_ready() {
    let world = World::with_people();
    world.publish("k1", &["one"], vec![file("a.csv", b"aaa")]);
    let end = ServiceEnd { service: Service::Fetch, reason: EndReason::Misuse, note: None };
    world.operations.end_service(Restricted::Account(login("one-robot")), end, CHANNEL).unwrap();
    let told = world.sent();
    assert!(told.iter().all(|(_, subject)| !subject.starts_with("Nieuwe levering")), "{told:?}");
    assert_eq!(world.kept().len(), 1);
}

#[test]
fn an_interruption_is_told_once_to_every_administrator_and_taken_back_to_those_who_were_told() {
    let world = World::with_people();
    let quiet = world.interrupt(Some(START.after(Span::from_days(9))), 1, false);
    assert!(world.mail_round().is_empty());
    world.operations.end_interruption(Some(quiet.id), CHANNEL).unwrap();
    assert!(world.mail_round().is_empty());

    let announced = world.interrupt(Some(START.after(Span::from_days(9))), 2, true);
    let to = ["anna@one.example", "bert@one.example", "dora@two.example"];
    let subject = "Onderhoud op 2026-12-02";
    assert_eq!(world.mail_round(), to.map(|to| pair(to, subject)));
    assert!(world.mail_round().is_empty(), "exactly once");
    // somebody who came later was not told, and hears nothing of its end
    world.person("emma@two.example", "two", true);
    world.operations.end_interruption(Some(announced.id), CHANNEL).unwrap();
    assert_eq!(world.mail_round(), to.map(|to| pair(to, "Het onderhoud op 2026-12-02 gaat niet door")));
    assert!(world.mail_round().is_empty());
    assert!(world.history().contains(&"interruption-told"));
}

#[test]
fn the_end_of_an_interruption_is_told_when_it_comes_early() {
    let world = World::with_people();
    world.interrupt(None, 2, true);
    while world.operations.continue_interruption_mail().unwrap() > 0 {}
    let mails = world.leaving();
    assert_eq!(mails.len(), 3);
    assert!(mails.iter().all(|mail| mail.subject == "De toegang is onderbroken"));
    let text = &mails[0].text;
    assert!(text.contains("nieuwe schijven") && text.contains("2026-11-23 12:00"), "{text}");
    world.clock.advance(Span::from_seconds(3_600));
    world.operations.end_interruption(None, CHANNEL).unwrap();
    let over: Vec<String> = world.mail_round().into_iter().map(|(_, subject)| subject).collect();
    assert_eq!(over, ["De onderbreking is voorbij"; 3]);

    world.interrupt(None, 1, true);
    assert_eq!(world.mail_round().len(), 3);
    world.clock.advance(Span::from_seconds(7_200));
    world.operations.end_interruption(None, CHANNEL).unwrap();
    assert!(world.mail_round().is_empty(), "an end that was expected, or late, is not told");
}

#[test]
fn many_administrators_are_told_in_batches_and_a_round_that_was_cut_off_goes_on() {
    let world = World::new();
    for number in 0..250 {
        world.person(&format!("a{number:03}@one.example"), "one", true);
    }
    let interruption = world.interrupt(Some(START.after(Span::from_days(1))), 2, true);
    assert_eq!(world.operations.continue_interruption_mail().unwrap(), 100);
    assert_eq!(world.mails(), 100);
    // called off before the others were told: they never hear of it
    world.operations.end_interruption(Some(interruption.id), CHANNEL).unwrap();
    let mut told = 0;
    loop {
        let queued = world.operations.continue_interruption_mail().unwrap();
        told += queued;
        if queued == 0 {
            break;
        }
    }
    assert_eq!((told, world.mails()), (100, 200));
    let rounds = world.history().into_iter().filter(|word| *word == "interruption-told").count();
    assert!(rounds >= 2, "{rounds}");
}
