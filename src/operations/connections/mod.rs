//! What an administrator does about the connections of the own organisation (P14): machine
//! accounts with their owners, keys, tokens and allow lists. Never beyond the organisation.

mod attempts;
mod keys;
mod machines;
mod owner;
mod tell;
mod tokens;
mod uses;
mod warn;

pub use attempts::{Attempt, AttemptOutcome};
pub use keys::{JudgedKey, KeyView};
pub use machines::{MachineView, NewMachine};
pub use tokens::TokenView;
pub use uses::LastUse;

pub(super) use attempts::KnownAttempts;
pub(super) use uses::KnownUses;

use super::{Caller, Failure, Operations, case_of};
use crate::domain::account::Account;
use crate::domain::block::Access;
use crate::domain::connections::is_machine;
use crate::domain::history::{About, Event, Happening};
use crate::domain::moment::{Moment, Span};
use crate::domain::names::LoginName;
use crate::domain::organisation::Organisation;
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::{Act, permits};
use crate::ports::catalog::CatalogView;

/// Periods and bounds of `[connections]`.
#[derive(Clone, Debug)]
pub struct ConnectionSettings {
    /// Machine accounts of one organisation that have not ended.
    pub max_machines: usize,
    /// A token lasts so long when nobody says otherwise.
    pub token_lasts: Span,
    /// A token lasts so long at most.
    pub max_token_lasts: Span,
    /// The end of a key or token is told so long before it (M23).
    pub warn_before: Span,
}

/// All accounts together have at most so many tokens that are looked at.
const MOST_TOKENS_IN_ALL: usize = 100_000;

/// Keys and tokens are read so many at a time.
const PAGE: usize = 1_000;

fn may_manage(view: &dyn CatalogView, caller: &Caller, now: Moment) -> Result<(), Failure> {
    Ok(permits(Act::ManageConnections, case_of(view, caller, &caller.organisation, None, now)?)?)
}

/// A machine account of the caller's organisation that has not ended; any other does not exist for them.
fn own_machine(view: &dyn CatalogView, caller: &Caller, login: &LoginName, now: Moment) -> Result<Account, Failure> {
    may_manage(view, caller, now)?;
    let account = view.row::<Account>(&Account::key_of(login))?;
    let own = account.filter(|account| {
        is_machine(account) && account.organisation == caller.organisation && account.standing.at(now) != Access::Ended
    });
    Ok(own.ok_or(Refusal::NotFound(What::Account))?)
}

fn organisation_of(view: &dyn CatalogView, caller: &Caller) -> Result<Organisation, Failure> {
    let row = view.row::<Organisation>(&Organisation::key_of(&caller.organisation))?;
    Ok(row.ok_or(Refusal::NotFound(What::Organisation))?)
}

fn event(what: Happening, caller: &Caller, login: &LoginName) -> Event {
    let organisation = Some(caller.organisation.clone());
    Event::new(what, caller.who(), About { organisation, login: Some(login.clone()), ..About::default() })
}

impl Operations {
    /// The longest that a token may last from now: to the end of that day.
    #[must_use]
    pub fn latest_token_end(&self) -> Moment {
        self.clock.midnight_closing(self.now().after(self.settings.connections.max_token_lasts))
    }

    /// When a token ends for which nobody said when.
    #[must_use]
    pub fn usual_token_end(&self) -> Moment {
        self.clock.midnight_closing(self.now().after(self.settings.connections.token_lasts))
    }
}
