//! Instructions of the operator (I7): given, read by everybody, withdrawn.

use super::{Failure, Officer, Operations};
use crate::domain::decision::Decision;
use crate::domain::history::{About, Event, Happening, Who};
use crate::domain::ids::InstructionId;
use crate::domain::instruction::{Instruction, MOST_INSTRUCTIONS, parse_text};
use crate::domain::moment::Moment;
use crate::domain::names::Line;
use crate::domain::record::Row as _;
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::Act;
use crate::ports::catalog::CatalogView;

/// An instruction that the operator gives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewInstruction {
    /// What it is about, in Dutch.
    pub title: Line,
    /// What users are to do, in Dutch.
    pub text: String,
    /// The same in English.
    pub english: Option<(Line, String)>,
    /// Until when; until it is withdrawn when `None`.
    pub until: Option<Moment>,
}

impl Operations {
    /// Gives an instruction: users see it from now on.
    ///
    /// # Errors
    /// `BadName` for a text that cannot be kept; `BadRequest` for an end that has passed; `TooMuch`; `NotAllowed`.
    pub fn give_instruction(&self, new: NewInstruction, by: impl Into<Officer>) -> Result<Instruction, Failure> {
        let (who, now) = (self.acting(by, Act::Define)?, self.now());
        if new.until.is_some_and(|until| until <= now) {
            return Err(Refusal::BadRequest("the end of an instruction is later than now".to_owned()).into());
        }
        let english = match new.english {
            Some((title, text)) => Some((title, parse_text(&text)?)),
            None => None,
        };
        let row = Instruction {
            id: InstructionId::from_random(self.entropy.sixteen()),
            title: new.title,
            text: parse_text(&new.text)?,
            english,
            given_at: now,
            until: new.until,
        };
        let given = row.clone();
        self.catalog.decide(Box::new(move |view| {
            if all(view)?.len() >= MOST_INSTRUCTIONS {
                let why = format!("{MOST_INSTRUCTIONS} instructions are on the board; withdraw those that are over");
                return Err(Refusal::TooMuch(why).into());
            }
            let event = event(Happening::InstructionGiven, who, &row);
            Ok(Decision::new(now, event).put(row).leaving_access_as_it_is())
        }))?;
        Ok(given)
    }

    /// Withdraws an instruction: nobody sees it any more.
    ///
    /// # Errors
    /// `NotFound`; `NotAllowed`.
    pub fn withdraw_instruction(&self, id: InstructionId, by: impl Into<Officer>) -> Result<Instruction, Failure> {
        let (who, now, key) = (self.acting(by, Act::Define)?, self.now(), Instruction::key_of(id));
        let found = |view: &dyn CatalogView| {
            view.row::<Instruction>(&Instruction::key_of(id))?.ok_or(Refusal::NotFound(What::Instruction).into())
        };
        let row: Instruction = self.catalog.look(found)?;
        self.catalog.decide(Box::new(move |view| {
            let row: Instruction = view.row(&key)?.ok_or(Refusal::NotFound(What::Instruction))?;
            let event = event(Happening::InstructionWithdrawn, who, &row);
            Ok(Decision::new(now, event).remove(key).leaving_access_as_it_is())
        }))?;
        Ok(row)
    }

    /// What users see now, the newest first. Anybody may read it, as the terms of use.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn instructions(&self) -> Result<Vec<Instruction>, Failure> {
        let now = self.now();
        let mut rows = self.catalog.look(all)?;
        rows.retain(|row| row.counts(now));
        Ok(rows)
    }

    /// The same with those that are over, for the operator.
    ///
    /// # Errors
    /// `NotAllowed`.
    pub fn all_instructions(&self, by: impl Into<Officer>) -> Result<Vec<Instruction>, Failure> {
        self.oversee(by)?;
        self.catalog.look(all)
    }
}

fn all(view: &dyn CatalogView) -> Result<Vec<Instruction>, Failure> {
    let mut rows = view.rows::<Instruction>(&Instruction::all(), None, MOST_INSTRUCTIONS)?;
    rows.sort_by_key(|row| core::cmp::Reverse((row.given_at, row.id)));
    Ok(rows)
}

fn event(what: Happening, who: Who, row: &Instruction) -> Event {
    let event = Event::new(what, who, About::default()).with_note(row.title.as_str());
    match row.until {
        Some(until) => event.with_until(until),
        None => event,
    }
}
