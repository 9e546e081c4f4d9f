//! Mandates that two people of the operator have to want (`operator.four_eyes`): adding one, and what lets
//! one reach further; taking away needs one person alone. What nobody confirms stores and mails nothing.

use postkluis::domain::history::Happening;
use postkluis::domain::ids::MandateId;
use postkluis::domain::mandate::{Mandate, Scope};
use postkluis::domain::moment::{Moment, Span};
use postkluis::domain::office::OfficeRole;
use postkluis::domain::proposal::{PROPOSED_FOR, Proposal, ProposedAct};
use postkluis::domain::refusal::{Refusal, What};
use postkluis::operations::{MandateChange, OfficeVisit, Officer, StandingChange};

use super::mandates::{mandate_for, products};
use super::{CHANNEL, START, World, line, login, org, product, refusal};

fn days(count: u64) -> Moment {
    START.after(Span::from_days(count))
}

fn add(codes: &[&str]) -> ProposedAct {
    ProposedAct::AddMandate {
        intermediary: org("two"),
        client: org("one"),
        scope: Scope::new(products(codes)).unwrap(),
        from: None,
        until: Some(days(300)),
    }
}

/// A change of a mandate; the two that it names are those of the record, whatever is said.
fn change(mandate: MandateId, added: &[&str], removed: &[&str], until: Option<Moment>) -> ProposedAct {
    ProposedAct::WidenMandate {
        mandate,
        intermediary: org("sealed"),
        client: org("sealed"),
        added: products(added),
        removed: products(removed),
        until,
    }
}

/// Two officers and a security officer, where two people are asked.
struct Desk {
    world: World,
    anna: OfficeVisit,
    bert: OfficeVisit,
}

impl Desk {
    fn new() -> Self {
        let world = World::with_two();
        let anna = world.officer("anna@operator.example", OfficeRole::Officer);
        let bert = world.officer("bert@operator.example", OfficeRole::Officer);
        Self { world, anna, bert }
    }

    fn proposed(&self, act: ProposedAct, by: &OfficeVisit) -> Proposal {
        self.world.operations.do_or_propose(act, by).unwrap().expect("a proposal")
    }

    /// A mandate for `daily` that both wanted.
    fn agreed(&self) -> Mandate {
        let proposal = self.proposed(add(&["daily"]), &self.anna);
        self.world.operations.confirm_proposal(proposal.id, &self.bert).unwrap();
        self.mandates().pop().expect("a mandate")
    }

    fn mandates(&self) -> Vec<Mandate> {
        self.world.operations.mandates(None).unwrap()
    }

    fn stored(&self) -> (Vec<&'static str>, usize, Vec<Mandate>) {
        (self.world.history(), self.world.mails(), self.mandates())
    }

    fn told(&self, what: Happening) -> Vec<(Option<String>, String)> {
        let lines = self.world.whole_history().into_iter().filter(|line| line.event.what == what);
        let told = lines.map(|line| {
            (line.event.who.login.map(|login| login.to_string()), line.event.detail.note.unwrap_or_default())
        });
        told.collect()
    }
}

#[test]
fn one_person_alone_adds_no_mandate() {
    let desk = Desk::new();
    let operations = &desk.world.operations;
    let before = desk.stored();
    for by in [Officer::from(&desk.anna), Officer::from(CHANNEL), Officer::Peer { uid: 0 }] {
        let outcome = operations.add_mandate(mandate_for("one", &["daily"], None), by);
        assert!(matches!(refusal(outcome), Refusal::NotAllowed(_)));
    }
    // what cannot be is said before anybody else is asked
    let nobody = ProposedAct::AddMandate {
        intermediary: org("nobody"),
        client: org("one"),
        scope: Scope::new(products(&["daily"])).unwrap(),
        from: None,
        until: None,
    };
    assert_eq!(refusal(operations.do_or_propose(nobody, &desk.anna)), Refusal::NotFound(What::Organisation));
    let own = ProposedAct::AddMandate {
        intermediary: org("one"),
        client: org("one"),
        scope: Scope::new(products(&["daily"])).unwrap(),
        from: None,
        until: None,
    };
    assert!(matches!(refusal(operations.do_or_propose(own, &desk.anna)), Refusal::BadRequest(_)));
    assert_eq!(refusal(operations.do_or_propose(add(&["nothing"]), &desk.anna)), Refusal::NotFound(What::Product));
    assert!(matches!(refusal(operations.do_or_propose(add(&["daily"]), CHANNEL)), Refusal::NotAllowed(_)));
    let watch = desk.world.officer("watch@operator.example", OfficeRole::SecurityOfficer);
    let before_watch = desk.stored();
    assert!(matches!(refusal(operations.do_or_propose(add(&["daily"]), &watch)), Refusal::NotAllowed(_)));
    assert_eq!(desk.stored(), before_watch);
    assert_eq!((before.2.len(), desk.mandates().len()), (0, 0));
    assert!(operations.proposals(&desk.anna).unwrap().is_empty());
    assert!(desk.told(Happening::MandateAdded).is_empty());
}

#[test]
fn the_second_person_adds_it_and_the_history_names_both() {
    let desk = Desk::new();
    let operations = &desk.world.operations;
    let proposal = desk.proposed(add(&["daily", "short"]), &desk.anna);
    assert_eq!((proposal.act.word(), proposal.act.organisation()), ("add-mandate", &org("one")));
    let before = desk.stored();
    assert_eq!(before.2, []);
    assert!(matches!(refusal(operations.confirm_proposal(proposal.id, &desk.anna)), Refusal::NotAllowed(_)));
    let again = operations.do_or_propose(add(&["daily", "short"]), &desk.bert);
    assert!(matches!(refusal(again), Refusal::Exists(What::Proposal, _)));
    assert_eq!(desk.stored(), before);
    desk.world.clock.advance(Span::from_seconds(600));
    operations.confirm_proposal(proposal.id, &desk.bert).unwrap();
    let added = desk.mandates().pop().unwrap();
    assert_eq!((added.intermediary, added.client, added.until), (org("two"), org("one"), Some(days(300))));
    // it begins when the second one said so, not when the first one did
    assert_eq!((added.from, added.added_at), (operations.now(), operations.now()));
    let (made, confirmed) = (desk.told(Happening::ProposalMade), desk.told(Happening::ProposalConfirmed));
    assert!(made[0].1.contains("add-mandate one to two: daily, short until "), "{made:?}");
    assert_eq!(confirmed[0].0.as_deref(), Some("bert@operator.example"));
    assert!(confirmed[0].1.contains("proposed by anna@operator.example"));
    assert_eq!(desk.told(Happening::MandateAdded)[0].0.as_deref(), Some("bert@operator.example"));
    assert!(operations.proposals(&desk.anna).unwrap().is_empty());
    // the same again is judged anew, and there is one already
    let outcome = operations.do_or_propose(add(&["daily"]), &desk.anna);
    assert!(matches!(refusal(outcome), Refusal::Exists(What::Mandate, _)));
}

#[test]
fn what_reaches_further_waits_and_what_takes_away_does_not() {
    let desk = Desk::new();
    let operations = &desk.world.operations;
    let mandate = desk.agreed();
    operations.couple(&login("two-robot"), Some(&org("one")), &product("daily"), CHANNEL).unwrap();
    let before = desk.stored();
    let wider = |added: &[&str], until| MandateChange { added: products(added), removed: products(&[]), until };
    for change in [wider(&["short"], None), wider(&[], Some(days(400)))] {
        for by in [Officer::from(&desk.anna), Officer::from(CHANNEL)] {
            let outcome = operations.change_mandate(mandate.id, change.clone(), by);
            assert!(matches!(refusal(outcome), Refusal::NotAllowed(_)), "{change:?}");
        }
    }
    assert_eq!(desk.stored(), before);
    // another product in the place of one is more too: what goes with it waits as well
    let proposal = desk.proposed(change(mandate.id, &["short"], &["daily"], None), &desk.anna);
    assert_eq!(proposal.act.organisation(), &org("one"), "the two of the record");
    assert_eq!(desk.mandates(), before.2);
    assert!(matches!(refusal(operations.confirm_proposal(proposal.id, &desk.anna)), Refusal::NotAllowed(_)));
    operations.confirm_proposal(proposal.id, &desk.bert).unwrap();
    assert_eq!(desk.mandates()[0].scope.products(), &products(&["short"]));
    let sheet = operations.mandate_sheet(mandate.id, 10, &desk.anna).unwrap();
    assert_eq!((sheet.rights, sheet.view.mandate.id), (vec![], mandate.id), "with every right to what went");
    // an earlier end is one person's, and so are a block, its end and the end of all
    let earlier = change(mandate.id, &[], &[], Some(days(200)));
    assert_eq!(operations.do_or_propose(earlier, &desk.anna).unwrap(), None);
    assert_eq!(desk.mandates()[0].until, Some(days(200)));
    let block = StandingChange::Block { reason: line("Onderzoek"), until: None };
    for standing in [block, StandingChange::Unblock, StandingChange::End { reason: None, note: None }] {
        operations.change_mandate_standing(mandate.id, standing, &desk.anna).unwrap();
    }
    assert!(operations.proposals(&desk.anna).unwrap().is_empty());
    let over = operations.do_or_propose(change(mandate.id, &["daily"], &[], None), &desk.anna);
    assert!(matches!(refusal(over), Refusal::WrongState(_)));
}

#[test]
fn what_was_taken_back_or_came_too_late_is_not_done() {
    let desk = Desk::new();
    let operations = &desk.world.operations;
    let proposal = desk.proposed(add(&["daily"]), &desk.anna);
    operations.reject_proposal(proposal.id, None, &desk.anna).unwrap();
    let before = desk.stored();
    assert_eq!(refusal(operations.confirm_proposal(proposal.id, &desk.bert)), Refusal::NotFound(What::Proposal));
    assert_eq!(desk.stored(), before);
    let late = desk.proposed(add(&["daily"]), &desk.anna);
    desk.world.clock.advance(PROPOSED_FOR);
    let carla = desk.world.officer("carla@operator.example", OfficeRole::Officer);
    let before = desk.stored();
    assert_eq!(refusal(operations.confirm_proposal(late.id, &carla)), Refusal::NotFound(What::Proposal));
    assert_eq!(desk.stored(), before);
    assert_eq!((operations.expire_proposals().unwrap(), desk.mandates()), (1, vec![]));
}

#[test]
fn what_changed_meanwhile_is_judged_anew() {
    let desk = Desk::new();
    let operations = &desk.world.operations;
    let mandate = desk.agreed();
    let proposal = desk.proposed(change(mandate.id, &["short"], &[], None), &desk.anna);
    let end = StandingChange::End { reason: None, note: None };
    operations.change_mandate_standing(mandate.id, end, &desk.bert).unwrap();
    let before = desk.stored();
    assert!(matches!(refusal(operations.confirm_proposal(proposal.id, &desk.bert)), Refusal::WrongState(_)));
    assert_eq!(desk.stored(), before);
    assert_eq!(operations.proposals(&desk.bert).unwrap().len(), 1, "it waits on, to be rejected");
}

#[test]
fn where_one_is_enough_the_act_is_done_at_once() {
    let world = World::new();
    let anna = world.officer("anna@operator.example", OfficeRole::Officer);
    assert_eq!(world.operations.do_or_propose(add(&["daily"]), &anna).unwrap(), None);
    let mandate = world.operations.mandates(None).unwrap().pop().unwrap();
    assert_eq!(world.operations.do_or_propose(change(mandate.id, &["short"], &[], None), &anna).unwrap(), None);
    assert_eq!(world.operations.mandate(mandate.id).unwrap().scope.products(), &products(&["daily", "short"]));
}
