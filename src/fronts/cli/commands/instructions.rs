//! Commands about instructions of the operator.

use std::path::Path;

use serde_json::{Value, json};

use super::Office;
use super::texts::read_text;
use crate::domain::history::Channel;
use crate::domain::ids::InstructionId;
use crate::domain::instruction::Instruction;
use crate::domain::names::Line;
use crate::fronts::cli::{Answer, args};
use crate::operations::{Failure, NewInstruction};

const CHANNEL: Channel = Channel::CommandLine;

pub(super) fn instruction(office: &Office, command: args::Instruction, folder: &Path) -> Result<Answer, Failure> {
    let operations = &office.operations;
    match command {
        args::Instruction::Give { file, title, english, english_title, until } => {
            let english = match (english_title, english) {
                (Some(title), Some(file)) => Some((Line::parse(&title)?, read_text(folder, &file)?)),
                _ => None,
            };
            let new = NewInstruction {
                title: Line::parse(&title)?,
                text: read_text(folder, &file)?,
                english,
                until: until.as_deref().map(|text| office.until(text)).transpose()?,
            };
            Ok(Answer::one(form(office, &operations.give_instruction(new, CHANNEL)?)))
        }
        args::Instruction::List => {
            let rows = operations.all_instructions(CHANNEL)?;
            let columns = ["id", "state", "givenAt", "until", "title"];
            Ok(Answer::list(rows.iter().map(|row| form(office, row)).collect(), &columns))
        }
        args::Instruction::Withdraw { id } => {
            let row = operations.withdraw_instruction(InstructionId::parse(&id)?, CHANNEL)?;
            Ok(Answer::said(format!("withdrawn: {}", row.title), json!({ "id": id })))
        }
    }
}

fn form(office: &Office, row: &Instruction) -> Value {
    json!({
        "id": row.id.to_string(),
        "state": if row.counts(office.operations.now()) { "shown" } else { "over" },
        "title": row.title.as_str(),
        "text": row.text,
        "englishTitle": row.english.as_ref().map(|(title, _)| title.as_str()),
        "english": row.english.as_ref().map(|(_, text)| text.as_str()),
        "givenAt": row.given_at.to_string(),
        "until": row.until.map(|until| until.to_string()),
    })
}
