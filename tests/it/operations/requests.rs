//! From a request to an account with rights, over adapters in memory: who approves, who becomes
//! administrator, what is told to whom, and what guessing comes to (A1-A13, B4-B15, C1-C11).

use std::collections::BTreeSet;
use std::net::IpAddr;

use postkluis::domain::account::{AccountKind, Language};
use postkluis::domain::ids::LinkId;
use postkluis::domain::moment::Span;
use postkluis::domain::names::{EmailAddress, Kvk, MailDomain};
use postkluis::domain::refusal::{Refusal, What};
use postkluis::domain::request::Salutation;
use postkluis::operations::{Applicant, Caller, EmployerChoice, Judge, NewAccount, NewOrganisation, Visitor};

use super::{CHANNEL, World, file, line, login, name, org, product, refusal};

const OPERATOR: Judge = Judge::Operator { channel: CHANNEL, organisation: None };

fn somebody() -> Visitor {
    from("192.0.2.1")
}

fn from(address: &str) -> Visitor {
    Visitor { address: address.parse::<IpAddr>().unwrap(), client: Some("Firefox".to_owned()) }
}

fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

fn applicant(address: &str) -> Applicant {
    Applicant {
        salutation: Salutation::Madam,
        name: line("Anna de Vries"),
        email: email(address),
        language: Language::Dutch,
    }
}

fn products(codes: &[&str]) -> BTreeSet<postkluis::domain::names::ProductCode> {
    codes.iter().map(|code| product(code)).collect()
}

/// A world with an organisation of people: `school`, whose domain is `school.nl`, with an agreement for `daily`.
struct Office(World);

impl Office {
    fn new() -> Self {
        let world = World::new();
        let new = NewOrganisation {
            code: org("school"),
            name: line("School Voorbeeld"),
            oin: None,
            kvk: Kvk::parse("12345678").ok(),
            mail_domains: vec![MailDomain::parse("school.nl").unwrap()],
        };
        world.operations.add_organisation(new, CHANNEL).unwrap();
        world.agree("school", "daily", false);
        Self(world)
    }

    /// Both steps, for the organisation that is offered.
    fn ask(&self, address: &str, visitor: &Visitor) {
        let draft = self.0.operations.begin_account_request(applicant(address), visitor).unwrap();
        let choice = EmployerChoice::Offered(org("school"));
        self.0.operations.request_account(&draft, choice, visitor).unwrap();
    }

    /// What was mailed since the last time: kind, address, and the text.
    fn mailed(&self) -> Vec<(String, String)> {
        let before = self.0.mailer.messages().len();
        self.0.operations.send_due_mail(100).unwrap();
        let all = self.0.mailer.messages();
        all.into_iter()
            .skip(before)
            .map(|message| (message.subject, format!("{} {}", message.to, message.text)))
            .collect()
    }

    /// The secret of the one link in the mails that leave now.
    fn link(&self, before: &str) -> String {
        let mails = self.mailed();
        let texts: Vec<&str> =
            mails.iter().filter_map(|(_, text)| text.split_once(before).map(|(_, rest)| rest)).collect();
        assert_eq!(texts.len(), 1, "{mails:?}");
        texts[0].split_whitespace().next().unwrap().to_owned()
    }

    fn confirmed(&self, address: &str) -> LinkId {
        self.ask(address, &somebody());
        let code = self.link("https://test.example/account-request/confirm/");
        self.0.operations.confirm_request(&code, None, &somebody()).unwrap();
        let views = self.0.operations.account_requests(&OPERATOR).unwrap();
        views.iter().find(|view| view.request.email.as_str() == address).unwrap().request.id
    }

    /// An account of a person of `school`; the first one administers.
    fn person(&self, address: &str) {
        let id = self.confirmed(address);
        self.0.operations.approve_request(id, OPERATOR).unwrap();
        self.mailed();
    }

    /// A session in the portal, as far as operations know it: what rights it sees is of its begin (C10).
    fn caller(&self, address: &str) -> Caller {
        let mut caller = self.0.caller("one");
        caller.login = login(address);
        caller.organisation = org("school");
        caller.rights_as_of = Some(self.0.operations.now());
        self.0.let_in(&caller);
        caller
    }

    fn sees(&self, caller: &Caller) -> usize {
        self.0.operations.outbox_page(caller, &org("school"), &product("daily"), None, 100).map_or(0, |page| page.len())
    }
}

#[test]
fn the_first_person_of_an_organisation_is_approved_by_the_operator_and_administers() {
    // domain 5.10-1 (A13, B7), 5.10-5 (C1)
    let office = Office::new();
    office.ask("anna@school.nl", &somebody());
    assert!(office.0.operations.account_requests(&OPERATOR).unwrap().is_empty(), "not before the address is confirmed");
    let code = office.link("https://test.example/account-request/confirm/");
    assert_eq!(office.0.operations.look_at_request(&code).unwrap().email.as_str(), "anna@school.nl");
    office.0.operations.confirm_request(&code, None, &somebody()).unwrap();
    // once only (A12)
    assert_eq!(refusal(office.0.operations.confirm_request(&code, None, &somebody())), Refusal::LinkClosed);
    assert_eq!(refusal(office.0.operations.look_at_request(&code)), Refusal::LinkClosed);
    let told = office.mailed();
    assert_eq!(told.len(), 1, "the operator is told: {told:?}");
    assert!(told[0].1.starts_with("contact@test.example") && told[0].1.contains("Anna de Vries"), "{told:?}");
    let views = office.0.operations.account_requests(&OPERATOR).unwrap();
    assert_eq!((views.len(), views[0].domain_fits, views[0].organisation_name.as_str()), (1, true, "School Voorbeeld"));
    let account = office.0.operations.approve_request(views[0].request.id, OPERATOR).unwrap();
    assert!(account.is_administrator);
    let told = office.mailed();
    let subjects: Vec<&str> = told.iter().map(|(subject, _)| subject.as_str()).collect();
    assert_eq!(subjects.len(), 2, "{told:?}");
    assert!(subjects.contains(&"U bent beheerder van School Voorbeeld"), "M06: {subjects:?}");
    assert!(subjects.contains(&"Activeer uw account vóór 2026-12-14"), "M04: {subjects:?}");
    assert!(office.0.operations.account_requests(&OPERATOR).unwrap().is_empty(), "nothing is kept of the request");
    let history = office.0.history();
    for word in
        ["account-requested", "request-confirmed", "request-approved", "account-added", "administrator-appointed"]
    {
        assert_eq!(
            history.iter().filter(|known| **known == word).count(),
            if word == "account-added" { 4 } else { 1 },
            "{word}"
        );
    }
    assert_eq!(office.sees(&office.caller("anna@school.nl")), 0, "no right comes with an account (C1)");
}

#[test]
fn who_comes_next_waits_for_the_administrator() {
    // domain 5.10-2 (B12)
    let office = Office::new();
    office.person("anna@school.nl");
    let anna = Judge::Administrator(office.caller("anna@school.nl"));
    office.ask("bert@school.nl", &somebody());
    let code = office.link("https://test.example/account-request/confirm/");
    office.0.operations.confirm_request(&code, None, &somebody()).unwrap();
    let told = office.mailed();
    assert_eq!(told.len(), 1);
    assert!(
        told[0].0.starts_with("Nieuwe accountaanvraag") && told[0].1.starts_with("anna@school.nl"),
        "M02: {told:?}"
    );
    let views = office.0.operations.account_requests(&anna).unwrap();
    let account = office.0.operations.approve_request(views[0].request.id, anna.clone()).unwrap();
    assert!(!account.is_administrator);
    let told = office.mailed();
    assert!(told.len() == 1 && told[0].0.starts_with("Activeer uw account"), "{told:?}");
    // somebody of another organisation sees and judges nothing of it
    let id = office.confirmed("carla@school.nl");
    let mut foreign = office.0.caller("two");
    foreign.login = login("mail@two.example");
    office
        .0
        .operations
        .add_account(
            NewAccount {
                login: foreign.login.clone(),
                organisation: org("two"),
                kind: AccountKind::Person { email: email("mail@two.example") },
                is_administrator: true,
                language: Language::Dutch,
            },
            CHANNEL,
        )
        .unwrap();
    office.0.let_in(&foreign);
    let foreign = Judge::Administrator(foreign);
    assert!(office.0.operations.account_requests(&foreign).unwrap().is_empty());
    let missing = Refusal::NotFound(What::Request);
    assert_eq!(refusal(office.0.operations.approve_request(id, foreign.clone())), missing);
    assert_eq!(refusal(office.0.operations.reject_request(id, line("no"), foreign)), missing);
    // nor an ordinary member of the same one
    let bert = Judge::Administrator(office.caller("bert@school.nl"));
    assert!(matches!(refusal(office.0.operations.account_requests(&bert)), Refusal::NotAllowed(_)));
    assert_eq!(refusal(office.0.operations.approve_request(id, bert)), missing);
    // rejected, with the reason (M03), and asked anew
    office.mailed();
    office.0.operations.reject_request(id, line("Onbekend bij ons"), anna).unwrap();
    let told = office.mailed();
    assert!(
        told.len() == 1 && told[0].1.starts_with("carla@school.nl") && told[0].1.contains("Onbekend bij ons"),
        "{told:?}"
    );
    office.confirmed("carla@school.nl");
}

#[test]
fn an_activation_is_open_for_three_weeks_and_can_be_sent_anew() {
    // domain 5.10-3 (B15)
    let office = Office::new();
    let anna = |office: &Office| office.caller("anna@school.nl");
    office.person("anna@school.nl");
    let id = office.confirmed("bert@school.nl");
    office.mailed();
    office.0.operations.approve_request(id, Judge::Administrator(anna(&office))).unwrap();
    let code = office.link("https://test.example/account/");
    office.0.clock.advance(Span::from_days(20));
    let _ = office.0.operations.now();
    assert!(office.0.operations.look_at_link(&code).is_ok(), "on day 21");
    office.0.clock.advance(Span::from_days(1));
    assert_eq!(refusal(office.0.operations.look_at_link(&code)), Refusal::LinkClosed, "on day 22");
    office.0.operations.resend_link(&anna(&office), &login("bert@school.nl")).unwrap();
    let again = office.link("https://test.example/account/");
    assert!(office.0.operations.look_at_link(&again).is_ok());
    assert_eq!(refusal(office.0.operations.look_at_link(&code)), Refusal::LinkClosed);
    office.0.operations.resend_link(&anna(&office), &login("bert@school.nl")).unwrap();
    assert_eq!(refusal(office.0.operations.look_at_link(&again)), Refusal::LinkClosed, "only the newest opens");
}

#[test]
fn nobody_learns_who_has_an_account_and_nobody_s_box_is_filled() {
    // A2, A9, A11
    let office = Office::new();
    office.person("anna@school.nl");
    let before = office.0.mails();
    // the same answers for one that has an account
    office.ask("anna@school.nl", &somebody());
    let told = office.mailed();
    assert!(told.len() == 1 && told[0].0 == "U heeft al een account", "{told:?}");
    assert!(!told[0].1.contains("account-request"), "no link");
    // asked again and again, an address gets three e-mails at most
    for _ in 0..6 {
        office.ask("bert@school.nl", &from("192.0.2.2"));
    }
    assert_eq!(office.0.mails() - before, 1 + 3);
    office.mailed();
    // nor does waiting for approval make more of them
    office.confirmed("carla@school.nl");
    office.mailed();
    office.ask("carla@school.nl", &from("192.0.2.3"));
    assert!(office.mailed().is_empty());
    // one network is stopped
    for _ in 0..40 {
        let _ = office.0.operations.begin_account_request(applicant("dirk@school.nl"), &from("198.51.100.9"));
    }
    let outcome = office.0.operations.begin_account_request(applicant("dirk@school.nl"), &from("198.51.100.9"));
    assert!(matches!(refusal(outcome), Refusal::TriedTooOften { .. }));
    // mail of everybody's is refused, and domains that the operator refuses (A4)
    for address in ["anna@gmail.com", "anna@school.example"] {
        assert_eq!(
            refusal(office.0.operations.begin_account_request(applicant(address), &somebody())),
            Refusal::FreeMail
        );
    }
}

#[test]
fn only_the_mail_domain_or_the_number_tells_an_organisation() {
    // A9
    let office = Office::new();
    let operations = &office.0.operations;
    let draft = operations.begin_account_request(applicant("anna@school.nl"), &somebody()).unwrap();
    let offered = operations.account_request_draft(&draft).unwrap().offered;
    assert_eq!(offered, [(org("school"), line("School Voorbeeld"))]);
    let stranger = operations.begin_account_request(applicant("eva@elders.nl"), &somebody()).unwrap();
    assert!(operations.account_request_draft(&stranger).unwrap().offered.is_empty(), "no list of customers");
    let chosen = EmployerChoice::Offered(org("school"));
    assert!(matches!(refusal(operations.request_account(&stranger, chosen, &somebody())), Refusal::BadRequest(_)));
    let stated = EmployerChoice::Stated { name: line("School"), kvk: Kvk::parse("12345678").ok() };
    operations.request_account(&stranger, stated, &somebody()).unwrap();
    let code = office.link("https://test.example/account-request/confirm/");
    operations.confirm_request(&code, None, &somebody()).unwrap();
    let view = operations.account_requests(&OPERATOR).unwrap().remove(0);
    assert_eq!(
        (view.organisation_name.as_str(), view.domain_fits),
        ("School Voorbeeld", false),
        "the judge sees that (A4)"
    );
    // a draft goes with Cancel, with its use and with time
    operations.drop_account_request(&draft);
    for gone in [draft.as_str(), stranger.as_str(), "", "zz", "00"] {
        assert_eq!(refusal(operations.account_request_draft(gone)), Refusal::LinkClosed);
    }
    let late = operations.begin_account_request(applicant("anna@school.nl"), &somebody()).unwrap();
    office.0.clock.advance(Span::from_seconds(1_800));
    assert_eq!(refusal(operations.account_request_draft(&late)), Refusal::LinkClosed);
}

#[test]
fn an_organisation_that_is_not_known_is_named_by_the_operator() {
    // B4
    let office = Office::new();
    let operations = &office.0.operations;
    let draft = operations.begin_account_request(applicant("eva@elders.nl"), &somebody()).unwrap();
    let stated = EmployerChoice::Stated { name: line("Elders"), kvk: None };
    operations.request_account(&draft, stated, &somebody()).unwrap();
    let code = office.link("https://test.example/account-request/confirm/");
    operations.confirm_request(&code, None, &somebody()).unwrap();
    let id = operations.account_requests(&OPERATOR).unwrap()[0].request.id;
    assert!(matches!(refusal(operations.approve_request(id, OPERATOR)), Refusal::BadRequest(_)));
    let named = Judge::Operator { channel: CHANNEL, organisation: Some(org("two")) };
    let account = operations.approve_request(id, named).unwrap();
    assert_eq!((account.organisation, account.is_administrator), (org("two"), true));
}

#[test]
fn who_is_invited_gives_a_name_and_is_approved() {
    // B13
    let office = Office::new();
    office.person("anna@school.nl");
    let anna = office.caller("anna@school.nl");
    let operations = &office.0.operations;
    let invite = |address: &str| operations.invite(&anna, email(address), Language::Dutch);
    assert_eq!(refusal(invite("bert@gmail.com")), Refusal::FreeMail);
    assert!(matches!(refusal(invite("bert@elders.nl")), Refusal::BadRequest(_)), "not of this organisation");
    assert!(matches!(refusal(invite("anna@school.nl")), Refusal::Exists(What::Account, _)));
    invite("bert@school.nl").unwrap();
    assert!(matches!(refusal(invite("bert@school.nl")), Refusal::Exists(What::Request, _)));
    let code = office.link("https://test.example/account-request/confirm/");
    assert!(operations.look_at_request(&code).unwrap().asks_name);
    assert!(matches!(refusal(operations.confirm_request(&code, None, &somebody())), Refusal::BadRequest(_)));
    operations.confirm_request(&code, Some((Salutation::Sir, line("Bert Bos"))), &somebody()).unwrap();
    let told = office.mailed();
    assert!(told.len() == 1 && told[0].1.starts_with("anna@school.nl") && told[0].1.contains("Bert Bos"), "{told:?}");
    let judge = Judge::Administrator(anna);
    let view = operations.account_requests(&judge).unwrap().remove(0);
    assert_eq!(view.request.invited_by, Some(login("anna@school.nl")));
    operations.approve_request(view.request.id, judge).unwrap();
}

#[test]
fn what_is_not_confirmed_in_time_goes() {
    let office = Office::new();
    office.ask("anna@school.nl", &somebody());
    let code = office.link("https://test.example/account-request/confirm/");
    assert_eq!(office.0.operations.expire_requests().unwrap(), 0);
    office.0.clock.advance(Span::from_seconds(48 * 3_600));
    assert_eq!(refusal(office.0.operations.confirm_request(&code, None, &somebody())), Refusal::LinkClosed);
    assert_eq!(office.0.operations.expire_requests().unwrap(), 1);
    assert_eq!(office.0.operations.expire_requests().unwrap(), 0);
    assert!(office.0.history().contains(&"request-expired"));
}

#[test]
fn rights_are_saved_at_once_with_one_mail() {
    // domain 5.10-6 (C2), -7 (C9), -8 (C10), -9 (C11), -11 (B11)
    let office = Office::new();
    office.person("anna@school.nl");
    office.person("bert@school.nl");
    let operations = &office.0.operations;
    operations.publish(&super::offer("k1", "daily", &["school"], vec![file("a.csv", b"aaa")])).unwrap();
    let (anna, bert) = (office.caller("anna@school.nl"), office.caller("bert@school.nl"));
    office.mailed();
    let save = |who: &Caller, codes: &[&str]| operations.save_rights(who, &login("bert@school.nl"), products(codes));
    assert!(matches!(refusal(save(&bert, &["daily"])), Refusal::NotAllowed(_)), "nobody couples himself (C2)");
    assert!(matches!(refusal(save(&anna, &["short"])), Refusal::NoAgreement { .. }), "B11");
    assert!(office.mailed().is_empty());
    office.0.clock.advance(Span::from_seconds(10));
    let change = save(&anna, &["daily"]).unwrap();
    assert_eq!((change.added, change.removed.len()), (vec![product("daily")], 0));
    let told = office.mailed();
    assert!(
        told.len() == 1 && told[0].0 == "Uw rechten zijn gewijzigd" && told[0].1.starts_with("bert@school.nl"),
        "M07: {told:?}"
    );
    assert_eq!(office.sees(&bert), 0, "not in the session that runs (C10)");
    let later = office.caller("bert@school.nl");
    assert_eq!(office.sees(&later), 3, "after signing in again");
    assert_eq!(save(&anna, &["daily"]).unwrap(), postkluis::operations::RightsChange::default());
    assert!(office.mailed().is_empty(), "no change, no mail");
    // an open handle fails at its next read
    let entry = operations.outbox_page(&later, &org("school"), &product("daily"), None, 100).unwrap().remove(0);
    let entry = operations.outbox_entry(&later, &org("school"), &product("daily"), &name(entry.name.as_str())).unwrap();
    let fetch = operations.open_part(&later, entry.delivery, entry.part).unwrap();
    assert!(fetch.read(0, &mut [0; 1]).is_ok());
    save(&anna, &[]).unwrap();
    assert!(fetch.read(0, &mut [0; 1]).is_err(), "removals act at once (C10, C11)");
    assert_eq!(office.sees(&later), 0);
    // of other organisations nobody can be reached
    let foreign = operations.save_rights(&anna, &login("two-robot"), products(&["daily"]));
    assert_eq!(refusal(foreign), Refusal::NotFound(What::Account));
    assert_eq!(operations.members(&anna).unwrap().len(), 2);
    assert!(matches!(refusal(operations.members(&bert)), Refusal::NotAllowed(_)));
}

#[test]
fn an_organisation_keeps_an_administrator() {
    // B8, B9
    let office = Office::new();
    office.person("anna@school.nl");
    office.person("bert@school.nl");
    let operations = &office.0.operations;
    let anna = office.caller("anna@school.nl");
    let (a, b) = (login("anna@school.nl"), login("bert@school.nl"));
    assert_eq!(operations.administrators(&org("school")).unwrap(), 1);
    assert!(matches!(refusal(operations.set_administrator(&anna, &a, false)), Refusal::WrongState(_)));
    operations.set_administrator(&anna, &b, true).unwrap();
    let told = office.mailed();
    assert!(told.len() == 1 && told[0].0 == "U bent beheerder van School Voorbeeld", "M06: {told:?}");
    operations.set_administrator(&anna, &a, false).unwrap();
    assert!(matches!(refusal(operations.set_administrator(&anna, &a, true)), Refusal::NotAllowed(_)), "no longer one");
    assert_eq!(operations.administrators(&org("school")).unwrap(), 1);
    let bert = office.caller("bert@school.nl");
    assert!(matches!(refusal(operations.set_administrator(&bert, &login("one-robot"), true)), Refusal::NotFound(_)));
}
