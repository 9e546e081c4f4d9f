//! Commands about interruptions of access.

use super::Office;
use crate::domain::history::Channel;
use crate::domain::ids::InterruptionId;
use crate::domain::interruption::Reach;
use crate::domain::names::Line;
use crate::fronts::cli::{Answer, args};
use crate::fronts::forms;
use crate::operations::{Failure, NewInterruption};

const CHANNEL: Channel = Channel::CommandLine;

pub(super) fn interruption(office: &Office, command: args::Interruption) -> Result<Answer, Failure> {
    let operations = &office.operations;
    let rows = match command {
        args::Interruption::Start { nature, until, from, channel, mail } => {
            let new = NewInterruption {
                reach: match channel {
                    args::ClosedChannel::Sftp => Reach::Sftp,
                    args::ClosedChannel::Https => Reach::Https,
                    args::ClosedChannel::All => Reach::All,
                },
                nature: Line::parse(&nature)?,
                from: from.as_deref().map(|text| office.from(text)).transpose()?,
                until: office.until(&until)?,
                tells_administrators: mail,
            };
            return Ok(Answer::one(forms::interruption(&operations.start_interruption(new, CHANNEL)?)));
        }
        args::Interruption::End { id } => {
            let id = id.as_deref().map(InterruptionId::parse).transpose()?;
            operations.end_interruption(id, CHANNEL)?;
            operations.interruptions()?
        }
        args::Interruption::List => operations.interruptions()?,
    };
    let columns = ["id", "state", "channel", "from", "until", "nature"];
    Ok(Answer::list(rows.iter().map(forms::interruption).collect(), &columns))
}
