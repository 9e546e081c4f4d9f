//! Allow lists of addresses, and what goes on record of those who were refused before they
//! signed in: how much of it, and that nothing else changes.

use std::net::IpAddr;

use postkluis::domain::allow_list::AllowList;
use postkluis::domain::history::{Channel, Happening, HistoryLine, HistoryQuery};
use postkluis::domain::moment::Span;
use postkluis::domain::network::Network;
use postkluis::domain::refusal::{Refusal, What};
use postkluis::operations::{OrganisationChange, PenaltyImposed, StandingChange, Visitor};

use super::{CHANNEL, START, World, file, line, login, org, refusal};

const ROBOT: &str = "one-robot";
const KEY: &str = "SHA256:key";
/// As many events an hour as the world's settings allow.
const MOST_EVENTS: usize = 3;

fn at(address: &str) -> Visitor {
    Visitor { address: address.parse().unwrap(), client: Some("test".to_owned()) }
}

fn list(networks: &[&str]) -> AllowList {
    AllowList::parse(networks).unwrap()
}

impl World {
    fn allow_account(&self, networks: &[&str]) {
        self.operations.change_account(&login(ROBOT), list(networks), CHANNEL).unwrap();
    }

    fn allow_organisation(&self, networks: &[&str]) {
        let change = OrganisationChange { allow_from: Some(list(networks)), ..OrganisationChange::default() };
        self.operations.change_organisation(&org("one"), change, CHANNEL).unwrap();
    }

    /// Whether key and token let in from an address, which must agree at every door.
    fn lets_in(&self, token: &str, address: &str) -> bool {
        let visitor = at(address);
        let key = self.operations.sign_in_with_key(ROBOT, KEY, &visitor).is_ok();
        assert_eq!(self.operations.probe_key(ROBOT, KEY, &visitor).is_ok(), key, "{address}");
        assert_eq!(self.operations.sign_in_with_token(token, &visitor).is_ok(), key, "{address}");
        assert_eq!(self.operations.may_stay(ROBOT, KEY, visitor.address).unwrap(), key, "{address}");
        key
    }

    fn token(&self) -> String {
        self.operations.add_token(&login(ROBOT), None, CHANNEL).unwrap().secret
    }

    fn lines(&self, what: Happening) -> Vec<HistoryLine> {
        let query = HistoryQuery { limit: 1_000, ..HistoryQuery::default() };
        let all = self.operations.history(&query).unwrap();
        all.into_iter().filter(|line| line.event.what == what).collect()
    }

    fn notes(&self, what: Happening) -> Vec<String> {
        self.lines(what).into_iter().map(|line| line.event.detail.note.unwrap_or_default()).collect()
    }
}

#[test]
fn an_address_must_be_inside_both_lists() {
    let world = World::new();
    let token = world.token();
    let inside = |address: &str| world.lets_in(&token, address);
    assert!(inside("203.0.113.9") && inside("2001:db8::1"), "without lists from anywhere");

    world.allow_account(&["192.0.2.0/24", "2001:db8::/32"]);
    assert!(inside("192.0.2.7") && inside("::ffff:192.0.2.7") && inside("2001:db8::1"));
    assert!(!inside("192.0.3.7") && !inside("::ffff:192.0.3.7") && !inside("2001:db9::1"));

    world.allow_organisation(&["192.0.2.0/25", "198.51.100.0/24"]);
    assert!(inside("192.0.2.7"));
    for outside in ["192.0.2.200", "198.51.100.1", "2001:db8::1"] {
        assert!(!inside(outside), "{outside} is in one of the lists only");
    }

    world.allow_account(&["any"]);
    assert!(inside("198.51.100.1") && !inside("203.0.113.9"), "the organisation's alone");
    world.allow_organisation(&["any"]);
    assert!(inside("203.0.113.9"), "lifted");
}

#[test]
fn other_accounts_and_other_changes_leave_a_list_alone() {
    let world = World::new();
    world.allow_account(&["192.0.2.0/24"]);
    world.allow_organisation(&["192.0.0.0/16"]);
    let two = world.operations.sign_in_with_key("two-robot", KEY, &at("203.0.113.9"));
    assert!(two.is_ok(), "{two:?}");
    let change = OrganisationChange { name: Some(line("One more")), ..OrganisationChange::default() };
    world.operations.change_organisation(&org("one"), change, CHANNEL).unwrap();
    let block = StandingChange::Block { reason: line("test"), until: None };
    world.operations.change_account_standing(&login(ROBOT), block, CHANNEL).unwrap();
    world.operations.change_account_standing(&login(ROBOT), StandingChange::Unblock, CHANNEL).unwrap();
    assert_eq!(world.operations.account(&login(ROBOT)).unwrap().allow_from, list(&["192.0.2.0/24"]));
    assert_eq!(world.operations.organisation(&org("one")).unwrap().allow_from, list(&["192.0.0.0/16"]));
    let unknown = world.operations.change_account(&login("nobody"), list(&["192.0.2.1"]), CHANNEL);
    assert_eq!(refusal(unknown), Refusal::NotFound(What::Account));
}

#[test]
fn a_change_of_a_list_is_in_the_history() {
    let world = World::new();
    world.allow_account(&["192.0.2.0/24", "2001:db8::/32"]);
    world.allow_account(&["any"]);
    world.allow_organisation(&["192.0.2.0/24"]);
    let account = world.lines(Happening::AccountChanged);
    assert_eq!(account[0].event.about.login, Some(login(ROBOT)));
    assert_eq!(
        world.notes(Happening::AccountChanged),
        ["allowed networks (2): 192.0.2.0/24,2001:db8::/32", "any address is allowed"]
    );
    assert_eq!(world.notes(Happening::OrganisationChanged), ["allowed networks (1): 192.0.2.0/24"]);
}

#[test]
fn an_outsider_is_told_what_a_stranger_is_and_the_history_knows_better() {
    let world = World::new();
    let token = world.token();
    world.allow_account(&["192.0.2.0/24"]);
    let mails = world.mails();
    let version = world.operations.version();
    let away = at("203.0.113.9");
    let stranger = refusal(world.operations.sign_in_with_token("pkt_wrong", &away)).to_string();
    for refused in [
        refusal(world.operations.probe_key(ROBOT, KEY, &away)),
        refusal(world.operations.sign_in_with_key(ROBOT, KEY, &away)),
        refusal(world.operations.sign_in_with_token(&token, &away)),
    ] {
        assert_eq!(refused, Refusal::NotFromHere(What::Account));
        assert_eq!(refused.to_string(), stranger);
    }
    let lines = world.lines(Happening::SignInRefused);
    assert_eq!(lines.len(), 1, "once an hour for each account and address: {lines:?}");
    let (who, note) = (&lines[0].event.who, lines[0].event.detail.note.as_deref().unwrap());
    assert_eq!(who.address, Some("203.0.113.9".parse::<IpAddr>().unwrap()));
    assert_eq!((who.login.as_ref(), who.channel), (Some(&login(ROBOT)), Channel::Sftp));
    assert_eq!(who.credential.as_deref(), Some(KEY));
    assert_eq!(note, "the address is outside the allow list of the account; the key was named, not proven");
    assert!(world.lines(Happening::SignedIn).is_empty());
    assert_eq!((world.mails(), world.operations.version()), (mails, version), "nothing else happened");

    world.allow_organisation(&["203.0.113.0/24"]);
    world.allow_account(&["any"]);
    world.clock.advance(Span::from_seconds(3_600));
    let refused = refusal(world.operations.sign_in_with_token(&token, &at("192.0.2.7")));
    assert_eq!(refused, Refusal::NotFromHere(What::Organisation));
    let last = world.lines(Happening::SignInRefused).pop().unwrap().event;
    assert_eq!(last.detail.note.as_deref(), Some("the address is outside the allow list of the organisation"));
    assert!(last.who.credential.unwrap().starts_with("token:") && last.who.channel == Channel::Api);
}

#[test]
fn from_outside_nothing_tells_a_blocked_or_ended_account_or_key() {
    let world = World::new();
    let token = world.token();
    world.allow_account(&["192.0.2.0/24"]);
    let (away, home) = (at("203.0.113.9"), at("192.0.2.7"));
    let block = StandingChange::Block { reason: line("test"), until: None };
    world.operations.change_account_standing(&login(ROBOT), block, CHANNEL).unwrap();
    assert_eq!(refusal(world.operations.sign_in_with_key(ROBOT, KEY, &home)), Refusal::Blocked);
    let outside = Refusal::NotFromHere(What::Account);
    assert_eq!(refusal(world.operations.sign_in_with_key(ROBOT, KEY, &away)), outside);
    assert_eq!(refusal(world.operations.sign_in_with_token(&token, &away)), outside);
    world.operations.revoke_key(&login(ROBOT), KEY, CHANNEL).unwrap();
    assert_eq!(refusal(world.operations.sign_in_with_key(ROBOT, KEY, &home)), Refusal::Ended(What::Key));
    assert_eq!(refusal(world.operations.sign_in_with_key(ROBOT, KEY, &away)), outside);
    for visitor in [&home, &away] {
        assert_eq!(refusal(world.operations.probe_key(ROBOT, KEY, visitor)), Refusal::NotSignedIn);
    }
}

#[test]
fn a_list_that_leaves_somebody_out_ends_what_is_open() {
    for of_organisation in [false, true] {
        let world = World::new();
        world.publish("a", &["one"], vec![file("a.csv", b"0123456789")]);
        let caller = world.caller("one");
        let entry =
            world.operations.outbox_entry(&caller, &org("one"), &super::product("daily"), &super::name("a.csv"));
        let entry = entry.unwrap();
        let fetch = world.operations.open_part(&caller, entry.delivery, entry.part).unwrap();
        let mut bytes = [0; 4];
        assert_eq!(fetch.read(0, &mut bytes).unwrap(), 4);
        let leave_out = |networks: &[&str]| {
            if of_organisation { world.allow_organisation(networks) } else { world.allow_account(networks) }
        };
        leave_out(&["192.0.2.0/24"]);
        assert_eq!(refusal(fetch.read(4, &mut bytes)), Refusal::Blocked);
        assert!(world.fetch(&caller, "a.csv").is_err(), "and nothing new begins");
        assert!(!world.operations.may_stay(ROBOT, KEY, caller.address).unwrap());
        assert!(world.operations.may_stay(ROBOT, KEY, "192.0.2.7".parse().unwrap()).unwrap());
        leave_out(&["127.0.0.0/8"]);
        assert_eq!(world.fetch(&caller, "a.csv").unwrap(), b"0123456789");
    }
}

#[test]
fn two_addresses_of_one_account_are_judged_apart() {
    let world = World::new();
    world.publish("a", &["one"], vec![file("a.csv", b"0123456789")]);
    let (home, away) = (at("192.0.2.7"), at("203.0.113.9"));
    let home = world.operations.sign_in_with_key(ROBOT, KEY, &home).unwrap();
    let away = world.operations.sign_in_with_key(ROBOT, KEY, &away).unwrap();
    world.allow_account(&["192.0.2.0/24"]);
    assert!(world.fetch(&home, "a.csv").is_ok(), "what is known of one address");
    assert!(world.fetch(&away, "a.csv").is_err(), "says nothing of another");
    assert!(world.fetch(&home, "a.csv").is_ok());
}

#[test]
fn a_flood_of_outsiders_stays_within_its_bound() {
    let world = World::new();
    let token = world.token();
    world.allow_account(&["192.0.2.0/24"]);
    for host in 1..=50 {
        let away = at(&format!("203.0.113.{host}"));
        assert!(world.operations.sign_in_with_token(&token, &away).is_err());
        assert!(world.operations.probe_key(ROBOT, KEY, &away).is_err());
    }
    assert_eq!(world.lines(Happening::SignInRefused).len(), MOST_EVENTS);
    let imposed = penalty("198.51.100.7");
    world.operations.note_penalty(&imposed).unwrap();
    assert_eq!(world.lines(Happening::AddressPenalised).len(), 1, "the other kind has its own bound");
    world.clock.advance(Span::from_seconds(3_600));
    assert!(world.operations.sign_in_with_token(&token, &at("203.0.113.99")).is_err());
    let notes = world.notes(Happening::SignInRefused);
    assert_eq!(notes.len(), MOST_EVENTS + 1);
    assert!(notes[MOST_EVENTS].ends_with("; 94 refusals before it are not on record"), "{notes:?}");
}

fn penalty(address: &str) -> PenaltyImposed {
    let address = address.parse().unwrap();
    let source = Network::source_of(address);
    PenaltyImposed { address, source, lasts: Span::from_seconds(30), faults: 10, refused: 4 }
}

#[test]
fn penalties_are_in_the_history_and_a_flood_of_them_is_bounded() {
    let world = World::new();
    let version = world.operations.version();
    world.operations.note_penalty(&penalty("2001:db8::7")).unwrap();
    let event = world.lines(Happening::AddressPenalised).remove(0).event;
    assert_eq!((event.who.address, event.who.channel), (Some("2001:db8::7".parse().unwrap()), Channel::Sftp));
    assert_eq!((event.who.login, event.who.organisation), (None, None));
    assert_eq!(event.detail.until, Some(START.after(Span::from_seconds(30))));
    assert_eq!(
        event.detail.note.as_deref(),
        Some("2001:db8::/64: 10 connections came to nothing, 4 were refused before")
    );
    for host in 1..=50 {
        world.operations.note_penalty(&penalty(&format!("203.0.113.{host}"))).unwrap();
    }
    assert_eq!(world.lines(Happening::AddressPenalised).len(), MOST_EVENTS);
    world.clock.advance(Span::from_seconds(3_600));
    world.operations.note_penalty(&penalty("203.0.113.99")).unwrap();
    let last = world.notes(Happening::AddressPenalised).pop().unwrap();
    assert!(last.ends_with("; 48 penalties before it are not on record"), "{last}");
    assert_eq!(world.operations.version(), version, "it concerns nobody's access");
}
