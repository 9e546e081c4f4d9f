//! The operator's own people (domain 5.2, P21): who may do what in the office, at which door they
//! sign in, and that everything they do is on record with who did it.

use postkluis::domain::account::Language;
use postkluis::domain::history::{Channel, HistoryLine, HistoryQuery};
use postkluis::domain::moment::Span;
use postkluis::domain::names::EmailAddress;
use postkluis::domain::office::{OFFICE, OfficeRole};
use postkluis::domain::refusal::{Refusal, What};
use postkluis::operations::{
    Activation, Applicant, EmployerChoice, Judge, NewInterruption, NewOfficeMember, NewOrganisation, NewProduct,
    OfficeVisit, Officer, StandingChange, Visitor,
};

use super::people::{App, PASSWORD, home};
use super::{CHANNEL, START, World, line, login, org, product, refusal};

const ANNA: &str = "anna@operator.example";

impl World {
    pub(super) fn whole_history(&self) -> Vec<HistoryLine> {
        self.operations.history(&HistoryQuery { limit: 1_000, ..HistoryQuery::default() }).unwrap()
    }

    /// What is stored and mailed: a refusal leaves it as it was.
    pub(super) fn stored(&self) -> (usize, usize) {
        (self.whole_history().len(), self.operations.mail_queue(None).unwrap().len())
    }

    pub(super) fn officer(&self, email: &str, role: OfficeRole) -> OfficeVisit {
        self.officer_with_app(email, role).0
    }

    pub(super) fn officer_with_app(&self, email: &str, role: OfficeRole) -> (OfficeVisit, App) {
        let new = NewOfficeMember { email: EmailAddress::parse(email).unwrap(), role, language: Language::Dutch };
        let address = self.operations.add_office_member(new, CHANNEL).unwrap();
        let link = address.strip_prefix("/account/").expect("an address of the office").to_owned();
        let chosen = self.operations.choose_password(&link, PASSWORD, &home()).unwrap();
        let Activation::AddApp { enrolment, .. } = chosen else { panic!("an app is to be added: {chosen:?}") };
        let app = App(enrolment.typed);
        self.operations.confirm_app(&link, &app.code(self), &home()).unwrap();
        self.clock.advance(Span::from_seconds(60));
        let accepted = self.operations.check_office_password(email, PASSWORD, &home()).unwrap();
        let secret = self.operations.finish_office_sign_in(&accepted.secret, &app.code(self), &home()).unwrap();
        (self.operations.office_visit(&secret, &home()).unwrap(), app)
    }

    /// A request of somebody of an organisation that is not known.
    fn ask_from_unknown(&self, email: &str) {
        let email = EmailAddress::parse(email).unwrap();
        let (salutation, language) = (Default::default(), Language::Dutch);
        let applicant = Applicant { salutation, name: line("Piet Bos"), email, language };
        let draft = self.operations.begin_account_request(applicant, &home()).unwrap();
        let choice = EmployerChoice::Stated { name: line("Gemeente Nieuw"), kvk: None };
        self.operations.request_account(&draft, choice, &home()).unwrap();
        self.operations.send_due_mail(100).unwrap();
        let mail = self.mailer.messages().into_iter().rfind(|mail| mail.text.contains("/account-request/confirm/"));
        let text = mail.expect("a link").text;
        let code =
            text.split("/account-request/confirm/").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
        self.operations.confirm_request(&code, None, &home()).unwrap();
    }
}

fn new_product(code: &str) -> NewProduct {
    NewProduct {
        code: product(code),
        name: line(code),
        retention: Span::from_days(30),
        requires_marker: false,
        accepts_uploads: false,
        end_to_end: false,
    }
}

fn new_organisation(code: &str) -> NewOrganisation {
    NewOrganisation { code: org(code), name: line(code), oin: None, kvk: None, mail_domains: vec![] }
}

fn block() -> StandingChange {
    StandingChange::Block { reason: line("lost laptop"), until: None }
}

fn interruption() -> NewInterruption {
    NewInterruption {
        reach: postkluis::domain::interruption::Reach::All,
        nature: line("onderhoud"),
        from: None,
        until: START.after(Span::from_days(1)),
        tells_administrators: false,
    }
}

#[test]
fn each_role_does_its_own_acts_and_no_other() {
    use OfficeRole::{Administrator, Officer as Plain, SecurityOfficer};
    type Try = fn(&World, Officer) -> Result<(), postkluis::operations::Failure>;
    let everybody: &[OfficeRole] = &[Plain, Administrator, SecurityOfficer];
    let acts: [(&str, Try, &[OfficeRole]); 12] = [
        ("oversee", |w, by| w.operations.work_queue(by).map(drop), everybody),
        ("look", |w, by| w.operations.look_at_account(&login("one-robot"), by).map(drop), everybody),
        ("block", |w, by| w.operations.change_account_standing(&login("one-robot"), block(), by), everybody),
        ("block all", |w, by| w.operations.change_organisation_standing(&org("one"), block(), by), everybody),
        (
            "unblock",
            |w, by| w.operations.change_account_standing(&login("one-robot"), StandingChange::Unblock, by),
            &[Plain, Administrator],
        ),
        (
            "organisation",
            |w, by| w.operations.add_organisation(new_organisation("new"), by).map(drop),
            &[Plain, Administrator],
        ),
        (
            "couple",
            |w, by| w.operations.couple(&login("one-robot"), None, &product("short"), by),
            &[Plain, Administrator],
        ),
        ("interrupt", |w, by| w.operations.start_interruption(interruption(), by).map(drop), &[Plain, Administrator]),
        ("link", |w, by| w.operations.send_link_anew(&login("waits@one.example"), by), &[Plain, Administrator]),
        ("product", |w, by| w.operations.add_product(new_product("extra"), by).map(drop), &[Administrator]),
        (
            "colleague",
            |w, by| {
                let email = EmailAddress::parse("new@operator.example").unwrap();
                let new = NewOfficeMember { email, role: Plain, language: Language::English };
                w.operations.add_office_member(new, by).map(drop)
            },
            &[Administrator],
        ),
        (
            "role",
            |w, by| w.operations.change_office_role(&login("other@operator.example"), SecurityOfficer, by),
            &[Administrator],
        ),
    ];
    for role in everybody {
        for (name, act, allowed) in &acts {
            let world = World::new();
            world.add_person_of("waits@one.example");
            let other = NewOfficeMember {
                email: EmailAddress::parse("other@operator.example").unwrap(),
                role: Plain,
                language: Language::Dutch,
            };
            world.operations.add_office_member(other, CHANNEL).unwrap();
            let visit = world.officer(ANNA, *role);
            if *name == "unblock" {
                world.operations.change_account_standing(&login("one-robot"), block(), CHANNEL).unwrap();
            }
            let before = world.stored();
            let outcome = act(&world, (&visit).into());
            if allowed.contains(role) {
                outcome.unwrap_or_else(|failure| panic!("{role:?} {name}: {failure}"));
                let lines = world.whole_history();
                let done = lines.iter().skip(before.0).find(|line| line.event.who.channel == Channel::Office);
                if !["oversee", "look"].contains(name) {
                    let who = &done.unwrap_or_else(|| panic!("{name} is on record")).event.who;
                    assert_eq!(who.login, Some(login(ANNA)), "{name}");
                    assert!(who.address.is_some() && who.credential.is_some(), "{name}");
                }
            } else {
                assert!(matches!(refusal(outcome), Refusal::NotAllowed(_)), "{role:?} {name}");
                assert_eq!(world.stored(), before, "{role:?} {name}: nothing is stored or mailed");
            }
        }
    }
}

impl World {
    fn add_person_of(&self, email: &str) {
        let new = postkluis::operations::NewAccount {
            login: login(email),
            organisation: org("one"),
            kind: postkluis::domain::account::AccountKind::Person { email: EmailAddress::parse(email).unwrap() },
            is_administrator: false,
            language: Language::Dutch,
        };
        self.operations.add_account(new, CHANNEL).unwrap();
    }
}

#[test]
fn nobody_signs_in_at_the_other_door() {
    let world = World::new();
    world.officer(ANNA, OfficeRole::Officer);
    let (app, _) = world.activate("jan@one.example");
    world.clock.advance(Span::from_seconds(60));
    let before = world.stored();
    // the same answer as for who does not exist
    let operations = &world.operations;
    assert_eq!(refusal(operations.check_password(ANNA, PASSWORD, &home())), Refusal::NotSignedIn);
    assert_eq!(refusal(operations.check_password("nobody@x.example", PASSWORD, &home())), Refusal::NotSignedIn);
    assert_eq!(refusal(operations.check_office_password("jan@one.example", PASSWORD, &home())), Refusal::NotSignedIn);
    // a password that was right at one door opens nothing at the other
    let accepted = operations.check_password("jan@one.example", PASSWORD, &home()).unwrap();
    let crossed = operations.finish_office_sign_in(&accepted.secret, &app.code(&world), &home());
    assert_eq!(refusal(crossed), Refusal::NotSignedIn);
    assert_eq!(world.stored(), before);
    let session = operations.finish_sign_in(&accepted.secret, &app.code(&world), &home()).unwrap();
    assert_eq!(refusal(operations.office_visit(&session, &home())), Refusal::NotSignedIn);
    let visit = operations.visit(&session, &home()).unwrap();
    // nobody of the portal acts for the operator, whatever a page would ask
    let foreign = Officer::Person(visit.caller);
    let refused = operations.add_organisation(new_organisation("new"), foreign);
    assert!(matches!(refusal(refused), Refusal::NotAllowed(_)));
    for channel in [Channel::Portal, Channel::Sftp, Channel::Office] {
        assert!(matches!(refusal(operations.oversee(channel)), Refusal::NotAllowed(_)), "{channel:?}");
    }
}

#[test]
fn a_session_of_the_office_ends_with_a_block_and_each_sign_in_is_on_record() {
    let world = World::new();
    let visit = world.officer(ANNA, OfficeRole::Officer);
    let by = Officer::from(&visit);
    let words = |world: &World, what: &str| {
        let lines = world.whole_history().into_iter().filter(|line| line.event.what.word() == what);
        lines.map(|line| line.event.who).collect::<Vec<_>>()
    };
    let begun = words(&world, "signed-in");
    assert_eq!((begun.len(), begun[0].channel, &begun[0].login), (1, Channel::Office, &Some(login(ANNA))));
    world.operations.change_account_standing(&login(ANNA), block(), CHANNEL).unwrap();
    let before = world.stored();
    assert_eq!(refusal(world.operations.add_organisation(new_organisation("new"), by.clone())), Refusal::Blocked);
    assert_eq!(world.stored(), before);
    assert_eq!(world.operations.end_idle_sessions().unwrap(), 1);
    assert_eq!(words(&world, "signed-out")[0].channel, Channel::Office);
    // who watches may block a colleague, and not give the access back
    let watcher = world.officer("sec@operator.example", OfficeRole::SecurityOfficer);
    let back = world.operations.change_account_standing(&login(ANNA), StandingChange::Unblock, &watcher);
    assert!(matches!(refusal(back), Refusal::NotAllowed(_)));
    let plain = world.officer("piet@operator.example", OfficeRole::Officer);
    let back = world.operations.change_account_standing(&login(ANNA), StandingChange::Unblock, &plain);
    assert!(matches!(refusal(back), Refusal::NotAllowed(_)));
    let head = world.officer("head@operator.example", OfficeRole::Administrator);
    world.operations.change_account_standing(&login(ANNA), StandingChange::Unblock, &head).unwrap();
}

#[test]
fn a_request_of_an_unknown_organisation_waits_for_the_office_and_makes_its_administrator() {
    let world = World::new();
    let visit = world.officer(ANNA, OfficeRole::Officer);
    world.ask_from_unknown("piet@nieuw.example");
    let queue = world.operations.work_queue(&visit).unwrap();
    assert_eq!(queue.requests.len(), 1);
    assert_eq!(queue.requests[0].organisation_name, "Gemeente Nieuw");
    let id = queue.requests[0].request.id;
    let judge = |organisation| Judge::Officer { by: (&visit).into(), organisation };
    let before = world.stored();
    // which organisation it is has to be said first (B4)
    assert!(matches!(refusal(world.operations.approve_request(id, judge(None))), Refusal::BadRequest(_)));
    let watcher = world.officer("sec@operator.example", OfficeRole::SecurityOfficer);
    let watching = Judge::Officer { by: (&watcher).into(), organisation: Some(org("one")) };
    assert_eq!(refusal(world.operations.approve_request(id, watching)), Refusal::NotFound(What::Request));
    let into_office = world.operations.approve_request(id, judge(Some(org(OFFICE))));
    assert_eq!(refusal(into_office), Refusal::NotFound(What::Organisation));
    let after = world.stored();
    world.operations.add_organisation(new_organisation("nieuw"), &visit).unwrap();
    let account = world.operations.approve_request(id, judge(Some(org("nieuw")))).unwrap();
    assert!(account.is_administrator, "the first one becomes administrator (A13)");
    assert!(before.0 < after.0, "only the sign-in of the watcher came between");
    let approved = world.whole_history().into_iter().find(|line| line.event.what.word() == "request-approved").unwrap();
    assert_eq!((approved.event.who.login, approved.event.who.channel), (Some(login(ANNA)), Channel::Office));
    assert!(world.operations.work_queue(&visit).unwrap().requests.is_empty());
    // the next one comes with the organisation, in one decision
    world.ask_from_unknown("kim@tweede.example");
    let id = world.operations.work_queue(&visit).unwrap().requests[0].request.id;
    let before = (world.stored(), world.operations.organisations(None).unwrap().len());
    let new = |code: &str| world.operations.approve_request_of_new(id, new_organisation(code), &visit);
    assert!(matches!(refusal(new("nieuw")), Refusal::Exists(What::Organisation, _)), "the code is taken");
    assert!(matches!(refusal(new(OFFICE)), Refusal::Exists(What::Organisation, _)));
    let watching = world.operations.approve_request_of_new(id, new_organisation("tweede"), &watcher);
    assert!(matches!(refusal(watching), Refusal::NotAllowed(_)));
    assert_eq!((world.stored(), world.operations.organisations(None).unwrap().len()), before);
    assert!(new("tweede").unwrap().is_administrator);
    let lines = world.whole_history();
    let of = |what: &str| lines.iter().rev().find(|line| line.event.what.word() == what).unwrap();
    let (made, judged) = (of("organisation-added"), of("request-approved"));
    assert_eq!((made.at, &made.event.who, made.sequence + 1), (judged.at, &judged.event.who, judged.sequence));
    assert_eq!(refusal(new("derde")), Refusal::NotFound(What::Request));
    assert!(world.operations.organisation(&org("derde")).is_err());
    // the second one waits for that administrator once she can act there (B12), no more for the office
    assert_eq!(world.operations.look_at_account(&account.login, &visit).unwrap().account.login, account.login);
}

#[test]
fn the_office_is_no_customer() {
    let world = World::new();
    let before = world.stored();
    let taken = world.operations.add_organisation(new_organisation(OFFICE), CHANNEL);
    assert!(matches!(refusal(taken), Refusal::Exists(What::Organisation, _)));
    let inside = postkluis::operations::NewAccount {
        login: login("eve@one.example"),
        organisation: org(OFFICE),
        kind: postkluis::domain::account::AccountKind::Person {
            email: EmailAddress::parse("eve@one.example").unwrap(),
        },
        is_administrator: true,
        language: Language::Dutch,
    };
    assert!(matches!(refusal(world.operations.add_account(inside, CHANNEL)), Refusal::NotAllowed(_)));
    assert_eq!(world.stored(), before);
    let new = |email: &str| NewOfficeMember {
        email: EmailAddress::parse(email).unwrap(),
        role: OfficeRole::Administrator,
        language: Language::Dutch,
    };
    world.add_person_of("waits@one.example");
    let before = world.stored();
    // an address of the portal is none of the office, and the other way round
    let taken = world.operations.add_office_member(new("waits@one.example"), CHANNEL);
    assert!(matches!(refusal(taken), Refusal::Exists(What::Account, _)));
    assert_eq!(world.stored(), before);
    world.operations.add_office_member(new(ANNA), CHANNEL).unwrap();
    let members = world.operations.office_members(CHANNEL).unwrap();
    assert_eq!((members.len(), members[0].is_activated), (1, false));
    // nobody changes the own role
    let head = world.officer("head@operator.example", OfficeRole::Administrator);
    let own = world.operations.change_office_role(&login("head@operator.example"), OfficeRole::Officer, &head);
    assert!(matches!(refusal(own), Refusal::NotAllowed(_)));
    // keys and tokens open nothing for somebody of the office
    let visitor = Visitor { address: "192.0.2.9".parse().unwrap(), client: None };
    world.operations.add_key(&login(ANNA), "SHA256:anna", "ssh-ed25519 AAAA", None, CHANNEL).unwrap_err();
    assert!(world.operations.sign_in_with_key(ANNA, "SHA256:anna", &visitor).is_err());
    world.operations.add_token(&login(ANNA), None, CHANNEL).unwrap_err();
}
