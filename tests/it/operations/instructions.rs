//! Instructions of the operator (I7): who gives them, until when they count, and that each is on record.

use postkluis::domain::ids::InstructionId;
use postkluis::domain::instruction::{MOST_INSTRUCTION_BYTES, MOST_INSTRUCTIONS};
use postkluis::domain::moment::Span;
use postkluis::domain::office::OfficeRole;
use postkluis::domain::refusal::{Refusal, What};
use postkluis::operations::NewInstruction;

use super::{CHANNEL, World, line, refusal};

fn new(days: Option<u64>, world: &World) -> NewInstruction {
    NewInstruction {
        title: line("Vervang uw sleutel"),
        text: "Gebruik vanaf 1 december een nieuwe sleutel.".to_owned(),
        english: None,
        until: days.map(|days| world.operations.now().after(Span::from_days(days))),
    }
}

#[test]
fn only_who_says_what_is_offered_gives_one_and_everybody_reads_it() {
    let world = World::new();
    let head = world.officer("head@operator.example", OfficeRole::Administrator);
    let others = [
        world.officer("bert@operator.example", OfficeRole::Officer),
        world.officer("watch@operator.example", OfficeRole::SecurityOfficer),
    ];
    let before = world.stored();
    for other in &others {
        assert!(matches!(refusal(world.operations.give_instruction(new(None, &world), other)), Refusal::NotAllowed(_)));
    }
    for text in ["", "a\u{7}b", &"x".repeat(MOST_INSTRUCTION_BYTES + 1)] {
        let bad = NewInstruction { text: text.to_owned(), ..new(None, &world) };
        assert!(matches!(refusal(world.operations.give_instruction(bad, &head)), Refusal::BadName(_)));
    }
    let bad = NewInstruction { until: Some(world.operations.now()), ..new(None, &world) };
    assert!(matches!(refusal(world.operations.give_instruction(bad, &head)), Refusal::BadRequest(_)));
    assert_eq!((world.stored(), world.operations.instructions().unwrap()), (before, vec![]));

    let first = world.operations.give_instruction(new(Some(2), &world), &head).unwrap();
    world.clock.advance(Span::from_seconds(1));
    let second = world.operations.give_instruction(new(None, &world), CHANNEL).unwrap();
    let shown = |world: &World| world.operations.instructions().unwrap().iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(shown(&world), [second.id, first.id], "the newest first");
    world.clock.advance(Span::from_days(2));
    assert_eq!(shown(&world), [second.id], "what is over is not on the board");
    assert_eq!(world.operations.all_instructions(CHANNEL).unwrap().len(), 2);
    let told = world.told("instruction-given");
    assert_eq!(told[0].event.detail.note.as_deref(), Some("Vervang uw sleutel"));
    assert_eq!(told[0].event.who.login.as_ref().map(ToString::to_string).as_deref(), Some("head@operator.example"));
}

#[test]
fn one_is_withdrawn_once_and_the_board_is_bounded() {
    let world = World::new();
    let watch = world.officer("watch@operator.example", OfficeRole::SecurityOfficer);
    let ids: Vec<InstructionId> = (0..MOST_INSTRUCTIONS)
        .map(|_| world.operations.give_instruction(new(Some(1), &world), CHANNEL).unwrap().id)
        .collect();
    let before = world.stored();
    assert!(matches!(refusal(world.operations.give_instruction(new(None, &world), CHANNEL)), Refusal::TooMuch(_)));
    assert!(matches!(refusal(world.operations.withdraw_instruction(ids[0], &watch)), Refusal::NotAllowed(_)));
    assert_eq!(world.stored(), before);
    world.operations.withdraw_instruction(ids[0], CHANNEL).unwrap();
    let gone = refusal(world.operations.withdraw_instruction(ids[0], CHANNEL));
    assert_eq!(gone, Refusal::NotFound(What::Instruction));
    world.operations.give_instruction(new(None, &world), CHANNEL).unwrap();
    assert_eq!(world.told("instruction-withdrawn").len(), 1);
}
