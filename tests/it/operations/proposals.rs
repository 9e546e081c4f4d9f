//! Acts that two people of the operator have to want (`operator.four_eyes`): who proposes cannot
//! confirm, what is confirmed is judged anew, and what nobody confirms goes.

use postkluis::domain::block::EndReason;
use postkluis::domain::history::Channel;
use postkluis::domain::moment::Span;
use postkluis::domain::office::OfficeRole;
use postkluis::domain::proposal::{PROPOSED_FOR, Proposal, ProposedAct};
use postkluis::domain::refusal::{Refusal, What};
use postkluis::operations::{Officer, StandingChange};

use super::{CHANNEL, World, login, org, refusal};

const KEY: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

fn add(code: &str) -> ProposedAct {
    ProposedAct::AddRecipientKey { organisation: org(code), fingerprint: String::new(), line: KEY.to_owned() }
}

impl World {
    fn keys(&self) -> usize {
        self.operations.recipient_keys(&org("sealed")).unwrap().len()
    }

    fn proposed(&self, by: Officer) -> Proposal {
        self.operations.do_or_propose(add("sealed"), by).unwrap().expect("a proposal")
    }
}

#[test]
fn one_person_is_enough_until_two_are_asked() {
    let world = World::new();
    let anna = world.officer("anna@operator.example", OfficeRole::Officer);
    assert_eq!(world.operations.do_or_propose(add("sealed"), &anna).unwrap(), None);
    assert_eq!(world.keys(), 1);
    let world = World::with_two();
    let anna = world.officer("anna@operator.example", OfficeRole::Officer);
    let before = world.stored();
    // neither the office nor the command line does it alone
    for by in [Officer::from(&anna), Officer::from(CHANNEL), Officer::Peer { uid: 0 }] {
        assert!(matches!(refusal(world.operations.add_recipient_key(&org("sealed"), KEY, by)), Refusal::NotAllowed(_)));
    }
    assert_eq!((world.stored(), world.keys()), (before, 0));
}

#[test]
fn who_proposes_cannot_confirm_and_the_second_one_does_it() {
    let world = World::with_two();
    let operations = &world.operations;
    let anna = world.officer("anna@operator.example", OfficeRole::Officer);
    let bert = world.officer("bert@operator.example", OfficeRole::Administrator);
    let watch = world.officer("watch@operator.example", OfficeRole::SecurityOfficer);
    let before = world.stored();
    assert!(matches!(refusal(operations.do_or_propose(add("sealed"), &watch)), Refusal::NotAllowed(_)));
    // nobody in particular proposes nothing, and neither does one for whom there is no organisation or no key
    assert!(matches!(refusal(operations.do_or_propose(add("sealed"), CHANNEL)), Refusal::NotAllowed(_)));
    assert_eq!(refusal(operations.do_or_propose(add("nobody"), &anna)), Refusal::NotFound(What::Organisation));
    let no_key = ProposedAct::AddRecipientKey {
        organisation: org("sealed"),
        fingerprint: String::new(),
        line: "no key".to_owned(),
    };
    assert!(operations.do_or_propose(no_key, &anna).is_err());
    assert_eq!(world.stored(), before);
    let proposal = world.proposed((&anna).into());
    assert_eq!((world.keys(), proposal.by.as_str()), (0, "anna@operator.example"));
    let before = world.stored();
    assert!(matches!(refusal(operations.do_or_propose(add("sealed"), &bert)), Refusal::Exists(What::Proposal, _)));
    for by in [&anna, &watch] {
        assert!(matches!(refusal(operations.confirm_proposal(proposal.id, by)), Refusal::NotAllowed(_)));
    }
    assert!(matches!(refusal(operations.confirm_proposal(proposal.id, CHANNEL)), Refusal::NotAllowed(_)));
    assert_eq!((world.stored(), world.keys()), (before, 0));
    operations.confirm_proposal(proposal.id, &bert).unwrap();
    assert_eq!(world.keys(), 1);
    assert!(operations.proposals(&bert).unwrap().is_empty());
    // one decision names both
    let lines = world.whole_history();
    let of = |what: &str| lines.iter().find(|line| line.event.what.word() == what).unwrap();
    let (added, confirmed) = (of("recipient-key-added"), of("proposal-confirmed"));
    assert_eq!((added.at, &added.event.who), (confirmed.at, &confirmed.event.who));
    assert_eq!(confirmed.event.who.login, Some(login("bert@operator.example")));
    assert!(confirmed.event.detail.note.as_ref().unwrap().contains("proposed by anna@operator.example"));
    let before = world.stored();
    assert_eq!(refusal(operations.confirm_proposal(proposal.id, &bert)), Refusal::NotFound(What::Proposal));
    assert_eq!(world.stored(), before);
    // retiring one is for two as well
    let fingerprint = operations.recipient_keys(&org("sealed")).unwrap()[0].fingerprint.clone();
    let retire = ProposedAct::RetireRecipientKey { organisation: org("sealed"), fingerprint, from: None };
    let proposal = operations.do_or_propose(retire, &bert).unwrap().expect("a proposal");
    operations.confirm_proposal(proposal.id, &anna).unwrap();
    assert!(operations.recipient_keys(&org("sealed")).unwrap()[0].retired_at.is_some());
}

#[test]
fn the_first_one_counts_only_while_entitled() {
    let world = World::with_two();
    let operations = &world.operations;
    let anna = world.officer("anna@operator.example", OfficeRole::Officer);
    let bert = world.officer("bert@operator.example", OfficeRole::Administrator);
    let proposal = world.proposed((&anna).into());
    operations.change_office_role(&login("anna@operator.example"), OfficeRole::SecurityOfficer, &bert).unwrap();
    let before = world.stored();
    assert!(matches!(refusal(operations.confirm_proposal(proposal.id, &bert)), Refusal::NotAllowed(_)));
    operations.change_office_role(&login("anna@operator.example"), OfficeRole::Officer, &bert).unwrap();
    let end = StandingChange::End { reason: Some(EndReason::Misuse), note: None };
    operations.end_office_member(&login("anna@operator.example"), end, &bert).unwrap();
    assert!(refusal(operations.confirm_proposal(proposal.id, &bert)) != Refusal::NotFound(What::Proposal));
    assert_eq!((world.keys(), world.stored().1), (0, before.1));
    operations.reject_proposal(proposal.id, None, &bert).unwrap();
    assert!(operations.proposals(&bert).unwrap().is_empty());
}

#[test]
fn at_the_command_line_the_user_of_the_machine_is_who_asks() {
    let world = World::with_two();
    let operations = &world.operations;
    let bert = world.officer("bert@operator.example", OfficeRole::Officer);
    let proposal = world.proposed(Officer::Peer { uid: 998 });
    assert_eq!(proposal.by, "uid:998");
    assert!(matches!(
        refusal(operations.confirm_proposal(proposal.id, Officer::Peer { uid: 998 })),
        Refusal::NotAllowed(_)
    ));
    operations.confirm_proposal(proposal.id, &bert).unwrap();
    let made = world.whole_history().into_iter().find(|line| line.event.what.word() == "proposal-made").unwrap();
    assert_eq!((made.event.who.channel, made.event.who.credential.as_deref()), (Channel::CommandLine, Some("uid:998")));
}

#[test]
fn what_nobody_confirms_goes_after_two_weeks() {
    let world = World::with_two();
    let anna = world.officer("anna@operator.example", OfficeRole::Officer);
    let proposal = world.proposed((&anna).into());
    assert_eq!(world.operations.expire_proposals().unwrap(), 0);
    world.clock.advance(PROPOSED_FOR);
    // sessions are long over by then
    let bert = world.officer("bert@operator.example", OfficeRole::Officer);
    assert_eq!(refusal(world.operations.confirm_proposal(proposal.id, &bert)), Refusal::NotFound(What::Proposal));
    assert_eq!((world.operations.expire_proposals().unwrap(), world.keys()), (1, 0));
    assert_eq!(world.operations.expire_proposals().unwrap(), 0);
    let words = world.whole_history();
    assert_eq!(words.iter().filter(|line| line.event.what.word() == "proposal-expired").count(), 1);
    world.clock.advance(Span::from_seconds(1));
}
