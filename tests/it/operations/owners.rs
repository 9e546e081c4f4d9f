//! A machine account changes hands before its terms of use are accepted: the link of the owner before is dead, the
//! new one has theirs, whoever made the change (I6, BIO2 5.16.02).

use postkluis::domain::account::Language;
use postkluis::domain::decision::Decision;
use postkluis::domain::history::{About, Event, Happening, HistoryQuery, Who};
use postkluis::domain::moment::Span;
use postkluis::domain::names::VersionName;
use postkluis::domain::office::OfficeRole;
use postkluis::domain::record::MailDue;
use postkluis::domain::refusal::{Refusal, What};
use postkluis::operations::{Catalog as _, NewTerms};

use super::connections::{ANNA, BERT, Desk, MACHINE, email, from};
use super::{CHANNEL, World, login};

#[test]
fn a_new_owner_gets_the_link_to_accept_the_terms_and_that_of_the_owner_before_is_dead() {
    let desk = Desk::new();
    let (operations, machine) = (&desk.world.operations, login(MACHINE));
    let terms = NewTerms {
        name: VersionName::parse("1.0").unwrap(),
        text: "Ga zorgvuldig om met gegevens.".to_owned(),
        english: None,
        effective_at: operations.now().after(Span::from_days(1)),
    };
    let version = operations.publish_terms(terms, CHANNEL).unwrap();
    operations.accept_terms(&desk.anna, version.number).unwrap();
    operations.add_machine(&desk.anna, Desk::new_machine(MACHINE, "ict@one.example")).unwrap();
    let links = |mailed: Vec<(String, String, String)>| {
        let start = format!("/terms/for/{MACHINE}/");
        let link = |text: &str| Some(text.split_once(&start)?.1.split_whitespace().next()?.to_owned());
        mailed.into_iter().filter_map(|(to, _, text)| Some((to, link(&text)?))).collect::<Vec<_>>()
    };
    let first = links(desk.mailed());
    let opens = |link: &str| operations.look_at_terms_link(MACHINE, link).is_ok();
    assert!(first.len() == 1 && opens(&first[0].1), "{first:?}");

    // another language alone asks nobody anew
    operations.change_owner(&desk.anna, &machine, email("ict@one.example"), Language::Dutch).unwrap();
    assert_eq!(links(desk.mailed()), [], "the owner is the same");
    // in the portal: one decision has the owner, what is told of it and the link
    let before = desk.world.history().len();
    operations.change_owner(&desk.anna, &machine, email(BERT), Language::Dutch).unwrap();
    assert_eq!(desk.world.history()[before..], ["account-changed"]);
    assert!(!opens(&first[0].1), "at once, whether anybody read an e-mail or not");
    let second = links(desk.mailed());
    assert_eq!(second.iter().map(|(to, _)| to.as_str()).collect::<Vec<_>>(), [BERT], "he alone");
    assert!(opens(&second[0].1));

    // by the operator, who may name somebody of elsewhere; twice in a row, before anything was sent
    operations.give_to_owner(&machine, email("first@agency.example"), CHANNEL).unwrap();
    operations.give_to_owner(&machine, email("hired@agency.example"), CHANNEL).unwrap();
    let state = (desk.world.history(), desk.world.mails());
    operations.give_to_owner(&machine, email("hired@agency.example"), CHANNEL).unwrap();
    assert_eq!((desk.world.history(), desk.world.mails()), state, "as it was already");
    assert!(!opens(&second[0].1));
    let third = links(desk.mailed());
    assert_eq!(third.iter().map(|(to, _)| to.as_str()).collect::<Vec<_>>(), ["hired@agency.example"]);
    let failed: Vec<_> = told(&desk.world, "mail-failed");
    assert_eq!(failed, ["not sent: the account has another owner by now"], "to the one in between");
    for dead in [&first[0].1, &second[0].1] {
        let visitor = from("192.0.2.1");
        let by_dead = |desk: &Desk| desk.world.operations.accept_terms_by_link(MACHINE, dead, version.number, &visitor);
        assert_eq!(desk.refused(by_dead), Refusal::LinkClosed);
        assert_eq!(
            desk.refused(|desk| desk.world.operations.refuse_terms_by_link(MACHINE, dead, &visitor)),
            Refusal::LinkClosed
        );
    }
    operations.accept_terms_by_link(MACHINE, &third[0].1, version.number, &from("192.0.2.1")).unwrap();
    // accepted: whoever comes after is asked nothing
    operations.give_to_owner(&machine, email(BERT), CHANNEL).unwrap();
    assert_eq!(links(desk.mailed()), []);

    // what may not be: a person's account, one that has ended, who only watches
    let give =
        |name: &'static str| move |desk: &Desk| desk.world.operations.give_to_owner(&login(name), email(BERT), CHANNEL);
    assert!(matches!(desk.refused(give(ANNA)), Refusal::BadRequest(_)));
    assert_eq!(desk.refused(give("nobody")), Refusal::NotFound(What::Account));
    let watch = desk.world.officer("watch@operator.example", OfficeRole::SecurityOfficer);
    let watching = |desk: &Desk| desk.world.operations.give_to_owner(&login(MACHINE), email(ANNA), &watch);
    assert!(matches!(desk.refused(watching), Refusal::NotAllowed(_)));
    operations.end_machine(&desk.anna, &machine).unwrap();
    let ended = |desk: &Desk| desk.world.operations.give_to_owner(&login(MACHINE), email(ANNA), CHANNEL);
    assert_eq!(desk.refused(ended), Refusal::Ended(What::Account));
}

/// The notes of the lines of history with this word.
fn told(world: &World, word: &str) -> Vec<String> {
    let query = HistoryQuery { limit: 1_000, ..HistoryQuery::default() };
    let lines = world.operations.history(&query).unwrap().into_iter().filter(|line| line.event.what.word() == word);
    lines.filter_map(|line| line.event.detail.note).collect()
}

#[test]
fn who_is_added_while_everybody_is_told_is_asked_once_and_no_mail_waits_for_a_second_turn() {
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
    operations.add_machine(&desk.anna, Desk::new_machine(MACHINE, "ict@one.example")).unwrap();
    desk.world.clock.advance(Span::from_seconds(1));
    while operations.keep_terms().unwrap() {}
    let asked = |mailed: &[(String, String, String)]| {
        mailed.iter().filter(|(_, _, text)| text.contains(&format!("/terms/for/{MACHINE}/"))).count()
    };
    assert_eq!(asked(&desk.mailed()), 1);
    assert_eq!(operations.waiting_mail(100).unwrap(), 0);

    // a second turn, as older versions could leave one: dropped, and what stands behind it goes out
    let (mail, _) = operations.mail_queue(None).unwrap().remove(0);
    let (now, event) = (operations.now(), Event::new(Happening::MailDeferred, Who::system(), About::default()));
    let turn = MailDue { at: now, mail: mail.id };
    desk.world.catalog.decide(Box::new(move |_| Ok(Decision::new(now, event).put(turn)))).unwrap();
    desk.world.clock.advance(Span::from_seconds(1));
    operations.give_to_owner(&login(MACHINE), email(BERT), CHANNEL).unwrap();
    assert_eq!(asked(&desk.mailed()), 1, "the new owner");
    assert_eq!(operations.waiting_mail(100).unwrap(), 0);
    assert_eq!(told(&desk.world, "mail-removed"), ["a second turn of this e-mail in the queue"]);
}
