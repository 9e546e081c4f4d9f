//! What administrators do about intermediaries, over adapters in memory: coupling own accounts for a client, taking
//! over the rights of a colleague, and stopping whoever acts for one's organisation (D2, D3, D5, 4.3-8, 4.4-5).

use std::collections::BTreeSet;

use postkluis::domain::moment::Span;
use postkluis::domain::refusal::{Refusal, What};
use postkluis::operations::{Caller, CopiedRight};

use super::mandates::{Bureau, mandate_for, nowhere, products};
use super::{CHANNEL, file, login, org, product, refusal};

#[test]
fn an_administrator_couples_own_accounts_on_behalf_within_the_mandate_only() {
    let bureau = Bureau::new();
    let world = &bureau.world;
    let boss = bureau.person("boss@two.example", "two", true).for_client(&org("one"));
    let colleague = bureau.person("kim@two.example", "two", false);
    assert_eq!(world.operations.couplable_products(&boss).unwrap().len(), 1, "the mandate's, not all of the client's");
    let mails = world.mails();
    let saved = world.operations.save_rights(&boss, &colleague.login, products(&["daily"])).unwrap();
    assert_eq!(saved.added, [product("daily")]);
    assert_eq!(world.mails() - mails, 1, "one M07 per save (C9, D3)");
    world.operations.send_due_mail(100).unwrap();
    let told = world.mailer.messages().into_iter().find(|message| message.to.as_str() == "kim@two.example").unwrap();
    assert!(told.subject.contains("(one)") && told.text.contains("Voor: one"), "the client is named: {}", told.subject);
    // seen after the next sign-in (C10): that session is older than the right
    world.clock.advance(Span::from_seconds(1));
    let mut again = colleague.clone();
    again.rights_as_of = Some(world.operations.now());
    world.publish("1", &["one"], vec![file("a.csv", b"x")]);
    assert_eq!(world.operations.newest_deliveries(&again.for_client(&org("one")), None, false, 9).unwrap().len(), 1);
    // event: both are named
    let coupled = bureau.told("right-coupled").pop().unwrap();
    assert_eq!(coupled.event.about.organisation, Some(org("one")));
    assert_eq!(coupled.event.who.organisation, Some(org("two")));
    // beyond the mandate, for somebody else's account, for somebody else's client, by somebody else
    let before = bureau.stored();
    let save = |caller: &Caller, account: &str, codes: &[&str]| {
        refusal(world.operations.save_rights(caller, &login(account), products(codes)))
    };
    assert!(matches!(
        save(&boss, "kim@two.example", &["daily", "short"]),
        Refusal::NotFound(_) | Refusal::NotAllowed(_)
    ));
    assert_eq!(save(&boss, "one-robot", &["daily"]), Refusal::NotFound(What::Account));
    for client in ["sealed", "nobody"] {
        let elsewhere = boss.for_client(&org(client));
        assert!(matches!(save(&elsewhere, "kim@two.example", &["daily"]), Refusal::NotFound(_)));
    }
    assert!(matches!(save(&again.for_client(&org("one")), "kim@two.example", &[]), Refusal::NotAllowed(_)));
    assert_eq!(bureau.stored(), before);
    // what belongs to the client is not the intermediary's to change (D5): it manages its own people alone
    assert!(world.operations.members(&boss).unwrap().iter().all(|member| member.account.organisation == org("two")));
    let removed = world.operations.save_rights(&boss, &colleague.login, BTreeSet::new()).unwrap();
    assert_eq!(removed.removed, [product("daily")]);
    nowhere(world.operations.outbox_page(&again.for_client(&org("one")), &org("one"), &product("daily"), None, 9));
}

#[test]
fn an_administrator_sees_who_acts_for_the_organisation_and_stops_it() {
    let bureau = Bureau::new();
    let world = &bureau.world;
    let own = bureau.person("hoofd@one.example", "one", true);
    let plain = bureau.person("jan@one.example", "one", false);
    let other = bureau.person("hoofd@sealed.example", "sealed", true);
    let boss = bureau.person("boss@two.example", "two", true);
    let given = world.operations.given_mandates(&own).unwrap();
    assert_eq!(given.len(), 1);
    assert_eq!((given[0].mandate.id, given[0].intermediary_name.as_str()), (bureau.id, "two"));
    assert_eq!(world.operations.held_mandates(&boss).unwrap().len(), 1);
    assert!(world.operations.given_mandates(&other).unwrap().is_empty());
    let before = bureau.stored();
    assert!(matches!(refusal(world.operations.given_mandates(&plain)), Refusal::NotAllowed(_)));
    assert!(matches!(refusal(world.operations.stop_mandate(&plain, bureau.id)), Refusal::NotAllowed(_)));
    for stranger in [&other, &boss] {
        assert_eq!(refusal(world.operations.stop_mandate(stranger, bureau.id)), Refusal::NotFound(What::Mandate));
    }
    assert_eq!(bureau.stored(), before);
    world.operations.stop_mandate(&own, bureau.id).unwrap();
    nowhere(bureau.outbox("one"));
    let ended = bureau.told("mandate-ended");
    assert_eq!(ended[0].event.who.login, Some(login("hoofd@one.example")));
    assert!(world.operations.given_mandates(&own).unwrap().is_empty());
}

#[test]
fn rights_of_a_colleague_are_looked_through_and_taken_over_in_one_go() {
    let bureau = Bureau::new();
    let world = &bureau.world;
    world.operations.add_mandate(mandate_for("sealed", &["daily", "short"], None), CHANNEL).unwrap();
    let boss = bureau.person("boss@two.example", "two", true);
    let (kim, lee) = (bureau.person("kim@two.example", "two", false), bureau.person("lee@two.example", "two", false));
    for (client, codes) in [("one", &["daily"][..]), ("sealed", &["daily", "short"])] {
        world.operations.save_rights(&boss.for_client(&org(client)), &kim.login, products(codes)).unwrap();
    }
    world.operations.save_rights(&boss.for_client(&org("sealed")), &lee.login, products(&["daily"])).unwrap();
    let pairs = |rights: Vec<CopiedRight>| -> Vec<(String, String)> {
        rights.into_iter().map(|right| (right.client.to_string(), right.product.to_string())).collect()
    };
    let look = |from: &Caller, to: &Caller| world.operations.copyable_rights(&boss, &from.login, &to.login);
    let found = pairs(look(&kim, &lee).unwrap());
    assert_eq!(found, [("one".to_owned(), "daily".to_owned()), ("sealed".to_owned(), "short".to_owned())]);
    let of = |client: &str| -> Vec<usize> {
        let rights = world.operations.client_rights(&boss, &lee.login).unwrap();
        rights.iter().filter(|one| one.mandate.mandate.client == org(client)).map(|one| one.coupled.len()).collect()
    };
    assert_eq!((of("one"), of("sealed")), (vec![0], vec![1]));
    // somebody else's account, what is not there, and who is no administrator
    let before = bureau.stored();
    let copy = |caller: &Caller, to: &str, client: &str, code: &str| {
        let wanted = BTreeSet::from([(org(client), product(code))]);
        refusal(world.operations.copy_rights(caller, &kim.login, &login(to), wanted))
    };
    assert_eq!(copy(&boss, "one-robot", "one", "daily"), Refusal::NotFound(What::Account));
    assert!(matches!(copy(&boss, "lee@two.example", "one", "short"), Refusal::WrongState(_)));
    assert!(matches!(copy(&boss, "lee@two.example", "sealed", "daily"), Refusal::WrongState(_)), "coupled already");
    assert!(matches!(copy(&kim, "lee@two.example", "one", "daily"), Refusal::NotAllowed(_)));
    assert_eq!(bureau.stored(), before);
    let mails = world.mails();
    let wanted = [("one", "daily"), ("sealed", "short")].map(|(client, code)| (org(client), product(code)));
    world.operations.copy_rights(&boss, &kim.login, &lee.login, BTreeSet::from(wanted)).unwrap();
    assert_eq!(world.mails() - mails, 1, "one e-mail for the whole (C9)");
    world.operations.send_due_mail(100).unwrap();
    let told = world.mailer.messages().into_iter().rfind(|mail| mail.to.as_str() == "lee@two.example").unwrap();
    assert!(told.subject.contains("(one, sealed)") && told.text.contains("sealed: short"), "{}", told.text);
    assert_eq!((of("one"), of("sealed")), (vec![1], vec![2]));
    assert!(look(&kim, &lee).unwrap().is_empty());
    // what a mandate that is over gave is taken over by nobody
    bureau.end();
    assert!(
        world
            .operations
            .client_rights(&boss, &kim.login)
            .unwrap()
            .iter()
            .all(|one| one.mandate.mandate.client == org("sealed"))
    );
}
