//! Connections over adapters in memory: what an administrator makes and ends, who is told, what
//! is refused, when an end is told (issue 5 point 7; domain 3.3, 4.1-7, BIO2 5.16.02, M09, M23).

use postkluis::domain::account::{AccountKind, Language};
use postkluis::domain::allow_list::AllowList;
use postkluis::domain::block::EndReason;
use postkluis::domain::connections::{ConnectionFlaw, MOST_ENDED, MOST_KEYS, MOST_TOKENS};
use postkluis::domain::history::Channel;
use postkluis::domain::moment::{Moment, Span};
use postkluis::domain::names::{EmailAddress, MailDomain, VersionName};
use postkluis::domain::office::OfficeRole;
use postkluis::domain::refusal::{Refusal, What};
use postkluis::operations::{
    AttemptOutcome, Caller, Credential, Failure, JudgedKey, NewAccount, NewMachine, NewTerms, NewToken,
    OrganisationChange, StandingChange, Visitor,
};

use super::{CHANNEL, START, World, line, login, org, product, refusal};

pub(super) const ANNA: &str = "anna@one.example";
pub(super) const BERT: &str = "bert@one.example";
pub(super) const MACHINE: &str = "one-sftp";

pub(super) fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

fn key(name: &str) -> JudgedKey {
    JudgedKey { fingerprint: format!("SHA256:{name}"), line: format!("ssh-ed25519 {name}") }
}

pub(super) fn from(address: &str) -> Visitor {
    Visitor { address: address.parse().unwrap(), client: Some("OpenSSH_9.2".to_owned()) }
}

fn flaw<T: std::fmt::Debug>(outcome: Result<T, Failure>) -> ConnectionFlaw {
    match refusal(outcome) {
        Refusal::Connection(flaw) => flaw,
        other => panic!("a flaw was expected: {other:?}"),
    }
}

/// A world in which Anna and Bert administer `one`, whose mail domain is `one.example`.
pub(super) struct Desk {
    pub(super) world: World,
    pub(super) anna: Caller,
}

impl Desk {
    pub(super) fn new() -> Self {
        let world = World::new();
        for (code, domain) in [("one", "one.example"), ("two", "two.example")] {
            let mail_domains = Some(vec![MailDomain::parse(domain).unwrap()]);
            let change = OrganisationChange { mail_domains, ..OrganisationChange::default() };
            world.operations.change_organisation(&org(code), change, CHANNEL).unwrap();
        }
        let desk = Self { anna: world.caller("one"), world };
        desk.person("one", ANNA, true);
        desk.person("one", BERT, true);
        Self { anna: desk.portal("one", ANNA), ..desk }
    }

    fn person(&self, code: &str, address: &str, is_administrator: bool) {
        let new = NewAccount {
            login: login(address),
            organisation: org(code),
            kind: AccountKind::Person { email: email(address) },
            is_administrator,
            language: Language::Dutch,
        };
        self.world.operations.add_account(new, CHANNEL).unwrap();
    }

    /// Somebody in the portal.
    fn portal(&self, code: &str, address: &str) -> Caller {
        let mut caller = self.world.caller("one");
        (caller.login, caller.organisation, caller.channel) = (login(address), org(code), Channel::Portal);
        caller.credential = format!("SHA256:{address}");
        self.world.let_in(&caller);
        caller
    }

    pub(super) fn new_machine(login_name: &str, owner: &str) -> NewMachine {
        NewMachine {
            login: login(login_name),
            owner: email(owner),
            language: Language::English,
            allow_from: AllowList::default(),
        }
    }

    /// With a machine account that was told of already.
    fn with_machine() -> Self {
        let desk = Self::new();
        desk.world.operations.add_machine(&desk.anna, Self::new_machine(MACHINE, "ict@one.example")).unwrap();
        desk.mailed();
        desk
    }

    fn add_key(&self, name: &str, expires_at: Option<Moment>) -> Result<(), Failure> {
        self.world.operations.add_machine_key(&self.anna, &login(MACHINE), key(name), expires_at)
    }

    fn add_token(&self, days: u64) -> Result<NewToken, Failure> {
        let operations = &self.world.operations;
        let end = operations.now().after(Span::from_days(days));
        operations.add_machine_token(&self.anna, &login(MACHINE), operations.token_id(), end)
    }

    fn end(&self, days: u64) -> Moment {
        self.world.operations.now().after(Span::from_days(days))
    }

    /// What was mailed since the last time: to whom, subject and text.
    pub(super) fn mailed(&self) -> Vec<(String, String, String)> {
        let before = self.world.mailer.messages().len();
        self.world.operations.send_due_mail(100).unwrap();
        let all = self.world.mailer.messages().into_iter().skip(before);
        all.map(|message| (message.to.to_string(), message.subject, message.text)).collect()
    }

    /// That something is refused, and nothing was stored or mailed by it.
    #[track_caller]
    pub(super) fn refused<T: std::fmt::Debug>(&self, act: impl FnOnce(&Self) -> Result<T, Failure>) -> Refusal {
        let before = (self.world.history(), self.world.mails());
        let refusal = refusal(act(self));
        assert_eq!((self.world.history(), self.world.mails()), before, "{refusal}");
        refusal
    }

    #[track_caller]
    fn flawed<T: std::fmt::Debug>(&self, act: impl FnOnce(&Self) -> Result<T, Failure>) -> ConnectionFlaw {
        flaw(Err::<(), _>(self.refused(act).into()))
    }

    fn attempts(&self) -> Vec<(AttemptOutcome, u32)> {
        let found = self.world.operations.attempts(&self.anna, &login(MACHINE)).unwrap();
        found.into_iter().map(|one| (one.outcome, one.times)).collect()
    }
}

#[test]
fn a_machine_account_is_made_with_an_owner_and_sees_nothing() {
    let desk = Desk::new();
    let operations = &desk.world.operations;
    operations.add_machine(&desk.anna, Desk::new_machine(MACHINE, "ict@one.example")).unwrap();
    let told = desk.mailed();
    let mut readers: Vec<&str> = told.iter().map(|(to, ..)| to.as_str()).collect();
    readers.sort_unstable();
    assert_eq!(readers, [ANNA, BERT, "ict@one.example"], "owner and administrators, each once (M09)");
    let to_owner = told.iter().find(|(to, ..)| to == "ict@one.example").unwrap();
    assert!(
        to_owner.1.starts_with("New connection: one-sftp") && to_owner.2.contains("By: anna@one.example"),
        "{told:?}"
    );
    assert_eq!(desk.world.history().last(), Some(&"mail-sent"));
    let view = operations.machine(&desk.anna, &login(MACHINE)).unwrap();
    assert_eq!((view.account.mail_address().as_str(), view.keys.len(), view.tokens.len()), ("ict@one.example", 0, 0));
    // C1
    desk.add_key("a", None).unwrap();
    let robot = operations.sign_in_with_key(MACHINE, "SHA256:a", &from("192.0.2.1")).unwrap();
    assert!(operations.outbox_products(&robot, &org("one")).unwrap().is_empty());
    // those of others are not there
    let all: Vec<String> =
        operations.machines(&desk.anna).unwrap().into_iter().map(|view| view.account.login.to_string()).collect();
    assert_eq!(all, ["one-robot", MACHINE]);
    for other in ["two-robot", ANNA, "nobody"] {
        assert_eq!(
            desk.refused(|desk| desk.world.operations.machine(&desk.anna, &login(other))),
            Refusal::NotFound(What::Account)
        );
    }
}

#[test]
fn what_is_no_good_account_is_refused() {
    let desk = Desk::new();
    let add = |login_name: &'static str, owner: &'static str| {
        move |desk: &Desk| desk.world.operations.add_machine(&desk.anna, Desk::new_machine(login_name, owner))
    };
    for bad in ["two-sftp", "one", "sftp", "one-x@two.example"] {
        assert_eq!(desk.flawed(add(bad, "ict@one.example")), ConnectionFlaw::LoginPrefix("one-".to_owned()), "{bad}");
    }
    assert_eq!(desk.flawed(add("one-robot", "ict@one.example")), ConnectionFlaw::LoginTaken);
    for elsewhere in ["ict@two.example", "ict@sub.one.example", "one.example@gmail.com"] {
        assert_eq!(desk.flawed(add(MACHINE, elsewhere)), ConnectionFlaw::ForeignOwner, "{elsewhere}");
    }
    // one of its people may own it, whatever the address
    desk.person("one", "hired@agency.example", false);
    add(MACHINE, "Hired@agency.example")(&desk).unwrap();
    // four in all, with the operator's
    for more in ["one-b", "one-c"] {
        add(more, "ict@one.example")(&desk).unwrap();
    }
    assert_eq!(desk.flawed(add("one-d", "ict@one.example")), ConnectionFlaw::ManyMachines(4));
    // one that ended counts for a day
    desk.world.operations.end_machine(&desk.anna, &login("one-c")).unwrap();
    assert_eq!(desk.flawed(add("one-d", "ict@one.example")), ConnectionFlaw::ManyMachines(4));
    desk.world.clock.advance(Span::from_days(1));
    add("one-d", "ict@one.example")(&desk).unwrap();
}

#[test]
fn only_an_administrator_of_the_organisation_may() {
    let desk = Desk::with_machine();
    desk.person("one", "user@one.example", false);
    desk.person("two", "chief@two.example", true);
    let (user, robot) = (desk.portal("one", "user@one.example"), desk.world.caller("one"));
    let only = Refusal::NotAllowed("only an administrator of the organisation may");
    for who in [&user, &robot] {
        assert_eq!(desk.refused(|desk| desk.world.operations.machines(who)), only);
        assert_eq!(desk.refused(|desk| desk.world.operations.add_machine(who, Desk::new_machine("one-x", BERT))), only);
        assert_eq!(
            desk.refused(|desk| desk.world.operations.add_machine_key(who, &login(MACHINE), key("a"), None)),
            only
        );
        assert_eq!(desk.refused(|desk| desk.world.operations.end_machine(who, &login(MACHINE))), only);
        assert_eq!(desk.refused(|desk| desk.world.operations.attempts(who, &login(MACHINE))), only);
    }
    // one of elsewhere learns not even that it is there
    let chief = desk.portal("two", "chief@two.example");
    let (machine, missing) = (login(MACHINE), Refusal::NotFound(What::Account));
    let id = desk.world.operations.token_id();
    let all = AllowList::default();
    assert_eq!(desk.refused(|desk| desk.world.operations.machine(&chief, &machine)), missing);
    assert_eq!(desk.refused(|desk| desk.world.operations.attempts(&chief, &machine)), missing);
    assert_eq!(desk.refused(|desk| desk.world.operations.add_machine_key(&chief, &machine, key("a"), None)), missing);
    assert_eq!(desk.refused(|desk| desk.world.operations.revoke_machine_key(&chief, &machine, "SHA256:a")), missing);
    assert_eq!(
        desk.refused(|desk| desk.world.operations.add_machine_token(&chief, &machine, id, desk.end(9))),
        missing
    );
    assert_eq!(desk.refused(|desk| desk.world.operations.revoke_machine_token(&chief, &machine, id)), missing);
    assert_eq!(desk.refused(|desk| desk.world.operations.change_allow_list(&chief, &machine, all.clone())), missing);
    let (owner, language) = (email("chief@two.example"), Language::Dutch);
    assert_eq!(
        desk.refused(|desk| desk.world.operations.change_owner(&chief, &machine, owner.clone(), language)),
        missing
    );
    assert_eq!(desk.refused(|desk| desk.world.operations.end_machine(&chief, &machine)), missing);
    // nor may one who is blocked meanwhile
    let block = StandingChange::Block { reason: line("test"), until: None };
    desk.world.operations.change_account_standing(&login(ANNA), block, CHANNEL).unwrap();
    assert_eq!(desk.refused(|desk| desk.add_key("a", None)), Refusal::Blocked);
}

#[test]
fn a_key_signs_in_until_it_is_revoked_or_runs_out() {
    let desk = Desk::with_machine();
    let operations = &desk.world.operations;
    let visitor = from("192.0.2.1");
    desk.add_key("a", Some(desk.end(10))).unwrap();
    desk.add_key("b", None).unwrap();
    assert_eq!(desk.mailed().len(), 6, "two saves, three readers");
    for name in ["SHA256:a", "SHA256:b"] {
        operations.probe_key(MACHINE, name, &visitor).unwrap();
        operations.sign_in_with_key(MACHINE, name, &visitor).unwrap();
    }
    operations.revoke_machine_key(&desk.anna, &login(MACHINE), "SHA256:b").unwrap();
    assert!(!operations.may_stay(MACHINE, "SHA256:b", visitor.address).unwrap(), "sessions are cut");
    assert_eq!(refusal(operations.probe_key(MACHINE, "SHA256:b", &visitor)), Refusal::NotSignedIn);
    let told = desk.mailed();
    assert!(
        told.iter().all(|(_, subject, text)| subject.contains("one-sftp") && text.contains("SHA256:b")),
        "{told:?}"
    );
    assert_eq!(
        desk.refused(|desk| desk.world.operations.revoke_machine_key(&desk.anna, &login(MACHINE), "SHA256:b")),
        Refusal::WrongState("the key was revoked already".to_owned())
    );
    // the other one to the end of its time, and it can get a new end afterwards
    assert!(operations.may_stay(MACHINE, "SHA256:a", visitor.address).unwrap());
    desk.world.clock.advance(Span::from_days(10));
    assert!(!operations.may_stay(MACHINE, "SHA256:a", visitor.address).unwrap());
    assert_eq!(refusal(operations.probe_key(MACHINE, "SHA256:a", &visitor)), Refusal::NotSignedIn);
    desk.add_key("a", Some(desk.end(10))).unwrap();
    assert!(operations.may_stay(MACHINE, "SHA256:a", visitor.address).unwrap());
}

#[test]
fn a_key_belongs_to_one_account_and_is_never_taken_back() {
    let desk = Desk::with_machine();
    let operations = &desk.world.operations;
    // that of the operator's robots, of this organisation and of another
    assert_eq!(desk.flawed(|desk| desk.add_key("key", None)), ConnectionFlaw::KeyInUse);
    desk.add_key("a", None).unwrap();
    assert_eq!(desk.flawed(|desk| desk.add_key("a", None)), ConnectionFlaw::KeyIsHere);
    assert_eq!(desk.flawed(|desk| desk.add_key("b", Some(desk.end(0)))), ConnectionFlaw::EndPast);
    operations.revoke_machine_key(&desk.anna, &login(MACHINE), "SHA256:a").unwrap();
    assert_eq!(desk.flawed(|desk| desk.add_key("a", None)), ConnectionFlaw::KeyWasRevoked);
    assert_eq!(
        desk.refused(|desk| desk.world.operations.revoke_machine_key(&desk.anna, &login(MACHINE), "SHA256:c")),
        Refusal::NotFound(What::Key)
    );
    // it is free again when nobody can sign in with it any more
    for code in ["one", "two", "sealed"] {
        let end = StandingChange::End { reason: Some(EndReason::Misuse), note: None };
        assert_eq!(desk.flawed(|desk| desk.add_key("key", None)), ConnectionFlaw::KeyInUse);
        operations.change_account_standing(&login(&format!("{code}-robot")), end, CHANNEL).unwrap();
    }
    desk.add_key("key", None).unwrap();
}

#[test]
fn keys_and_tokens_are_bounded_and_old_ones_go() {
    let desk = Desk::with_machine();
    let (operations, machine) = (&desk.world.operations, login(MACHINE));
    for number in 0..MOST_KEYS {
        desk.add_key(&format!("k{number}"), None).unwrap();
    }
    assert_eq!(desk.flawed(|desk| desk.add_key("more", None)), ConnectionFlaw::ManyKeys);
    for _ in 0..MOST_TOKENS {
        desk.add_token(5).unwrap();
    }
    assert_eq!(desk.flawed(|desk| desk.add_token(5)), ConnectionFlaw::ManyTokens);
    for number in 0..40 {
        desk.world.clock.advance(Span::from_seconds(60));
        let oldest = operations.machine(&desk.anna, &machine).unwrap();
        let valid = oldest.keys.iter().rev().find(|one| one.key.revoked_at.is_none()).unwrap();
        operations.revoke_machine_key(&desk.anna, &machine, &valid.key.fingerprint).unwrap();
        desk.add_key(&format!("n{number}"), None).unwrap();
        let token = oldest.tokens.iter().rev().find(|one| one.token.revoked_at.is_none()).unwrap();
        operations.revoke_machine_token(&desk.anna, &machine, token.token.id).unwrap();
        desk.add_token(5).unwrap();
    }
    let view = operations.machine(&desk.anna, &machine).unwrap();
    assert_eq!((view.keys.len(), view.tokens.len()), (MOST_KEYS + MOST_ENDED, MOST_TOKENS + MOST_ENDED));
    assert!(view.keys.iter().any(|one| one.key.fingerprint == "SHA256:n39" && one.key.revoked_at.is_none()));
    assert!(view.keys.iter().all(|one| one.key.fingerprint != "SHA256:k0"), "the oldest is gone");
}

#[test]
fn a_token_has_an_end_and_its_secret_is_told_once() {
    let desk = Desk::with_machine();
    let (operations, machine) = (&desk.world.operations, login(MACHINE));
    let id = operations.token_id();
    let made = operations.add_machine_token(&desk.anna, &machine, id, desk.end(90)).unwrap();
    assert_eq!((made.token.id, made.token.expires_at), (id, Some(desk.end(90))));
    assert!(operations.sign_in_with_token(&made.secret, &from("192.0.2.1")).is_ok());
    let told = desk.mailed();
    assert_eq!(told.len(), 3);
    assert!(
        told.iter().all(|(_, subject, text)| !text.contains(&made.secret) && !subject.contains("pkt_")),
        "{told:?}"
    );
    assert!(told.iter().any(|(_, _, text)| text.contains(&id.to_string())), "{told:?}");
    // a form that is sent twice makes one
    assert_eq!(
        desk.flawed(|desk| desk.world.operations.add_machine_token(&desk.anna, &machine, id, desk.end(90))),
        ConnectionFlaw::TokenMade
    );
    assert_eq!(desk.flawed(|desk| desk.add_token(0)), ConnectionFlaw::EndPast);
    assert_eq!(desk.flawed(|desk| desk.add_token(367)), ConnectionFlaw::EndTooFar(365));
    assert!(operations.usual_token_end() > desk.end(89) && operations.latest_token_end() >= desk.end(365));
    operations.revoke_machine_token(&desk.anna, &machine, id).unwrap();
    assert_eq!(refusal(operations.sign_in_with_token(&made.secret, &from("192.0.2.1"))), Refusal::NotSignedIn);
    assert_eq!(
        desk.refused(|desk| desk.world.operations.revoke_machine_token(&desk.anna, &machine, id)),
        Refusal::WrongState("the token was revoked already".to_owned())
    );
}

#[test]
fn addresses_and_owner_are_changed_once_and_told_once() {
    let desk = Desk::with_machine();
    let (operations, machine) = (&desk.world.operations, login(MACHINE));
    desk.add_key("a", None).unwrap();
    let list = AllowList::parse(&["192.0.2.0/24"]).unwrap();
    operations.change_allow_list(&desk.anna, &machine, list.clone()).unwrap();
    assert!(operations.may_stay(MACHINE, "SHA256:a", "192.0.2.9".parse().unwrap()).unwrap());
    assert!(!operations.may_stay(MACHINE, "SHA256:a", "198.51.100.1".parse().unwrap()).unwrap());
    desk.mailed();
    let before = (desk.world.history(), desk.world.mails());
    operations.change_allow_list(&desk.anna, &machine, list).unwrap();
    operations.change_owner(&desk.anna, &machine, email("ict@one.example"), Language::English).unwrap();
    assert_eq!((desk.world.history(), desk.world.mails()), before, "as it was already");
    // the owner before is told too; one who is owner and administrator gets one e-mail
    operations.change_owner(&desk.anna, &machine, email(BERT), Language::Dutch).unwrap();
    let mut readers: Vec<String> = desk.mailed().into_iter().map(|(to, ..)| to).collect();
    readers.sort_unstable();
    assert_eq!(readers, [ANNA, BERT, "ict@one.example"]);
    let elsewhere = email("ict@two.example");
    assert_eq!(
        desk.flawed(|desk| desk.world.operations.change_owner(
            &desk.anna,
            &machine,
            elsewhere.clone(),
            Language::Dutch
        )),
        ConnectionFlaw::ForeignOwner
    );
    // a blocked administrator gets none
    let block = StandingChange::Block { reason: line("test"), until: None };
    operations.change_account_standing(&login(BERT), block, CHANNEL).unwrap();
    desk.mailed();
    operations.change_allow_list(&desk.anna, &machine, AllowList::default()).unwrap();
    let readers: Vec<String> = desk.mailed().into_iter().map(|(to, ..)| to).collect();
    assert_eq!(readers, [ANNA]);
}

#[test]
fn an_end_takes_everything_at_once() {
    let desk = Desk::with_machine();
    let (operations, machine) = (&desk.world.operations, login(MACHINE));
    desk.add_key("a", None).unwrap();
    let token = desk.add_token(9).unwrap();
    operations.couple(&machine, None, &product("daily"), CHANNEL).unwrap();
    desk.mailed();
    operations.end_machine(&desk.anna, &machine).unwrap();
    let visitor = from("192.0.2.1");
    assert!(!operations.may_stay(MACHINE, "SHA256:a", visitor.address).unwrap());
    assert_eq!(refusal(operations.sign_in_with_token(&token.secret, &visitor)), Refusal::NotSignedIn);
    assert!(operations.rights(Some(&machine), None).unwrap().is_empty());
    let history = desk.world.history();
    assert!(history.contains(&"account-ended") && history.contains(&"right-decoupled"), "{history:?}");
    assert_eq!(desk.mailed().len(), 3);
    assert_eq!(
        desk.refused(|desk| desk.world.operations.end_machine(&desk.anna, &machine)),
        Refusal::NotFound(What::Account)
    );
    assert!(operations.machines(&desk.anna).unwrap().iter().all(|view| view.account.login != machine));
    // its name is never given away again
    assert_eq!(
        desk.flawed(|desk| desk.world.operations.add_machine(&desk.anna, Desk::new_machine(MACHINE, BERT))),
        ConnectionFlaw::LoginTaken
    );
}

#[test]
fn an_end_that_comes_is_told_once_also_over_a_restart() {
    let desk = Desk::with_machine();
    let operations = &desk.world.operations;
    desk.add_key("long", Some(START.after(Span::from_days(100)))).unwrap();
    desk.add_key("short", Some(START.after(Span::from_days(10)))).unwrap();
    desk.add_key("endless", None).unwrap();
    desk.add_token(100).unwrap();
    desk.mailed();
    assert_eq!(operations.tell_ends().unwrap(), 0, "not in the first half of a short time");
    desk.world.clock.advance(Span::from_days(5));
    assert_eq!(operations.tell_ends().unwrap(), 1);
    let told = desk.mailed();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told.iter().any(|(to, subject, _)| to == ANNA && subject.contains("Uw sleutel verloopt")), "{told:?}");
    assert_eq!(operations.tell_ends().unwrap(), 0);
    desk.world.clock.advance(Span::from_millis(Span::from_days(65).millis() - 1));
    assert_eq!(operations.tell_ends().unwrap(), 0, "30 days before it, not sooner");
    // who is blocked is told afterwards
    let block = StandingChange::Block { reason: line("test"), until: None };
    operations.change_account_standing(&login(MACHINE), block, CHANNEL).unwrap();
    desk.world.clock.advance(Span::from_millis(1));
    assert_eq!(operations.tell_ends().unwrap(), 0);
    operations.change_account_standing(&login(MACHINE), StandingChange::Unblock, CHANNEL).unwrap();
    desk.mailed();
    assert_eq!(operations.tell_ends().unwrap(), 2, "a key and a token");
    let subjects: Vec<String> = desk.mailed().into_iter().map(|(_, subject, _)| subject).collect();
    assert_eq!(subjects.len(), 6);
    assert!(subjects.iter().any(|subject| subject.contains("Your API token ends")), "{subjects:?}");
    let again = desk.world.restarted_with(|_| {});
    assert_eq!(again.tell_ends().unwrap(), 0, "it is on record");
    assert_eq!(desk.world.history().iter().filter(|word| **word == "credential-end-told").count(), 3);
    // a new end is told anew
    desk.world.clock.advance(Span::from_days(30));
    desk.add_key("long", Some(desk.end(20))).unwrap();
    desk.world.clock.advance(Span::from_days(11));
    assert_eq!(again.tell_ends().unwrap(), 1);
}

#[test]
fn attempts_are_told_to_the_administrator_and_to_nobody_else() {
    let desk = Desk::with_machine();
    let (operations, machine) = (&desk.world.operations, login(MACHINE));
    let (home, away) = (from("192.0.2.1"), from("198.51.100.1"));
    desk.add_key("a", Some(desk.end(10))).unwrap();
    let token = desk.add_token(10).unwrap();
    let stranger = refusal(operations.probe_key("one-nobody", "SHA256:x", &away));
    for _ in 0..3 {
        assert_eq!(refusal(operations.probe_key(MACHINE, "SHA256:x", &away)), stranger, "the door tells nothing");
    }
    assert_eq!(desk.attempts(), [(AttemptOutcome::UnknownKey, 3)]);
    let step = || desk.world.clock.advance(Span::from_seconds(1));
    step();
    operations.sign_in_with_key(MACHINE, "SHA256:a", &home).unwrap();
    step();
    operations.sign_in_with_token(&token.secret, &home).unwrap();
    step();
    operations.change_allow_list(&desk.anna, &machine, AllowList::parse(&["192.0.2.1"]).unwrap()).unwrap();
    let _ = refusal(operations.probe_key(MACHINE, "SHA256:a", &away));
    step();
    let block = StandingChange::Block { reason: line("test"), until: None };
    operations.change_account_standing(&machine, block, CHANNEL).unwrap();
    let _ = refusal(operations.sign_in_with_key(MACHINE, "SHA256:a", &home));
    operations.change_account_standing(&machine, StandingChange::Unblock, CHANNEL).unwrap();
    step();
    operations.block_credential(Credential::Token(token.token.id), line("test"), None, CHANNEL).unwrap();
    let _ = refusal(operations.sign_in_with_token(&token.secret, &home));
    assert!(operations.machine(&desk.anna, &machine).unwrap().tokens.iter().all(|one| one.is_blocked));
    desk.world.clock.advance(Span::from_days(10));
    let _ = refusal(operations.probe_key(MACHINE, "SHA256:a", &home));
    step();
    operations.revoke_machine_token(&desk.anna, &machine, token.token.id).unwrap();
    let _ = refusal(operations.sign_in_with_token(&token.secret, &home));
    let outcomes: Vec<AttemptOutcome> = desk.attempts().into_iter().map(|(outcome, _)| outcome).collect();
    assert_eq!(
        outcomes,
        [
            AttemptOutcome::Revoked,
            AttemptOutcome::RanOut,
            AttemptOutcome::CredentialBlocked,
            AttemptOutcome::Blocked,
            AttemptOutcome::OutsideList(What::Account),
            AttemptOutcome::Entered,
            AttemptOutcome::Entered,
            AttemptOutcome::UnknownKey,
        ]
    );
    // the operator tells them apart too, also who only watches; the door told nobody (4.1-7)
    let watch = desk.world.officer("watch@operator.example", OfficeRole::SecurityOfficer);
    let seen = operations.attempts_seen(&machine, &watch).unwrap();
    assert_eq!(seen.into_iter().map(|one| one.outcome).collect::<Vec<_>>(), outcomes);
    assert_eq!(refusal(operations.attempts_seen(&login("nobody"), &watch)), Refusal::NotFound(What::Account));
    assert_eq!(refusal(operations.probe_key(MACHINE, "SHA256:a", &home)), stranger, "run out");
    assert_eq!(refusal(operations.probe_key(MACHINE, "SHA256:x", &home)), stranger, "unknown");
}

#[test]
fn the_owner_of_a_new_machine_account_gets_the_link_to_accept_the_terms() {
    let desk = Desk::new();
    let operations = &desk.world.operations;
    let terms = NewTerms {
        name: VersionName::parse("1.0").unwrap(),
        text: "Ga zorgvuldig om met gegevens.".to_owned(),
        english: None,
        effective_at: operations.now().after(Span::from_days(1)),
    };
    let version = operations.publish_terms(terms, CHANNEL).unwrap();
    operations.accept_terms(&desk.anna, version.number).unwrap();
    desk.mailed();
    operations.add_machine(&desk.anna, Desk::new_machine(MACHINE, "ict@one.example")).unwrap();
    let told = desk.mailed();
    let asked: Vec<_> = told.iter().filter(|(_, _, text)| text.contains(&format!("/terms/for/{MACHINE}/"))).collect();
    assert_eq!((asked.len(), asked[0].0.as_str()), (1, "ict@one.example"), "{told:?}");
}

#[test]
fn the_last_use_is_on_record_once_an_hour() {
    let desk = Desk::with_machine();
    let operations = &desk.world.operations;
    let token = desk.add_token(9).unwrap();
    let used = || desk.world.history().iter().filter(|word| **word == "token-used").count();
    for seconds in [0, 10, 3_000] {
        desk.world.clock.advance(Span::from_seconds(seconds));
        operations.sign_in_with_token(&token.secret, &from("192.0.2.1")).unwrap();
    }
    assert_eq!(used(), 1);
    let last = operations.machine(&desk.anna, &login(MACHINE)).unwrap().last_use.unwrap();
    assert_eq!(
        (last.at, last.address.map(|address| address.to_string())),
        (operations.now(), Some("192.0.2.1".to_owned())),
        "to the second in memory"
    );
    operations.sign_in_with_token(&token.secret, &from("198.51.100.1")).unwrap();
    desk.world.clock.advance(Span::from_seconds(3_600));
    operations.sign_in_with_token(&token.secret, &from("198.51.100.1")).unwrap();
    assert_eq!(used(), 3, "from elsewhere, and an hour later");
    // after a restart what is on record is known
    let again = desk.world.restarted_with(|_| {});
    let last = again.machine(&desk.anna, &login(MACHINE)).unwrap().last_use.unwrap();
    // the address is personal: it ends with the history of its month
    assert_eq!((last.at, last.address), (operations.now(), None));
}
