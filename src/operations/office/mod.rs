//! The operator's own people in the office: who acts for the operator, and as what `permits` judges
//! them. Signing in is that of all people; this says at which door.

mod members;
mod proposals;
mod queue;
mod requests;
mod sign_in;

pub use members::{NewOfficeMember, OfficeMemberView};
pub use proposals::Confirming;
pub(super) use proposals::WANTED_BY_TWO;
pub use queue::{QueuedDelivery, QueuedMail, WorkQueue};
pub use requests::PersonView;
pub use sign_in::OfficeVisit;

use super::sign_in::outside_of;
use super::{Caller, Failure, Operations};
use crate::domain::account::Account;
use crate::domain::block::Access;
use crate::domain::history::{Channel, Who};
use crate::domain::moment::Moment;
use crate::domain::names::{LoginName, OrganisationCode};
use crate::domain::office::{MOST_OFFICERS, OFFICE, OfficeMember, OfficeRole};
use crate::domain::organisation::Organisation;
use crate::domain::record::Row as _;
use crate::domain::refusal::Refusal;
use crate::domain::rights::{Act, Case, Condition, Ground, Relation, permits};
use crate::ports::catalog::CatalogView;

/// Who acts for the operator.
#[derive(Clone, Debug)]
pub enum Officer {
    /// Whoever is at a channel of the operator; nobody knows who.
    Channel(Channel),
    /// A user of the machine at the command line, by the number that the kernel tells.
    Peer {
        /// The number.
        uid: u32,
    },
    /// Somebody who signed in to the office.
    Person(Caller),
    /// One of them, who confirms what another proposed.
    Confirming(Confirming),
}

impl From<Channel> for Officer {
    fn from(channel: Channel) -> Self {
        Self::Channel(channel)
    }
}

impl From<&OfficeVisit> for Officer {
    fn from(visit: &OfficeVisit) -> Self {
        Self::Person(visit.visit.caller.clone())
    }
}

impl Officer {
    /// As the history names them.
    pub(super) fn who(&self) -> Who {
        match self {
            Self::Channel(channel) => Who::operator(*channel),
            Self::Peer { .. } => Who { credential: self.identity(), ..Who::operator(Channel::CommandLine) },
            Self::Person(caller) => caller.who(),
            Self::Confirming(confirming) => confirming.by().who(),
        }
    }

    /// Who they are when it matters that two are not the same: a login, or `uid:<n>` at the command line.
    pub(in crate::operations) fn identity(&self) -> Option<String> {
        match self {
            Self::Channel(_) => None,
            Self::Peer { uid } => Some(format!("{UID}{uid}")),
            Self::Person(caller) => Some(caller.login.to_string()),
            Self::Confirming(confirming) => confirming.by().identity(),
        }
    }

    /// Whether they may do this now.
    pub(super) fn may(&self, view: &dyn CatalogView, act: Act, ground: Ground, now: Moment) -> Result<(), Failure> {
        let case = match self {
            Self::Channel(channel) => {
                if !is_of_operator(*channel) {
                    return Err(Refusal::NotAllowed("only the operator may").into());
                }
                Case::operator(ground)
            }
            Self::Peer { .. } => Case::operator(ground),
            Self::Person(caller) => case_in_office(view, caller, ground, now)?,
            Self::Confirming(confirming) => return confirming.by().may(view, act, ground, now),
        };
        Ok(permits(act, case)?)
    }
}

impl Operations {
    /// Who does this, for the history, if they may.
    pub(super) fn acting(&self, by: impl Into<Officer>, act: Act) -> Result<Who, Failure> {
        let (by, now) = (by.into(), self.now());
        self.catalog.look(|view| by.may(view, act, Ground::None, now))?;
        Ok(by.who())
    }

    /// Refuses whoever may not see what the operator has.
    ///
    /// # Errors
    /// `NotAllowed`, `Blocked`, `Ended`.
    pub fn oversee(&self, by: impl Into<Officer>) -> Result<(), Failure> {
        self.acting(by, Act::Oversee).map(drop)
    }
}

/// What an identity of the command line begins with; no login has a colon.
const UID: &str = "uid:";

/// Whether whoever has this identity may do it now, wherever they are.
fn identity_may(view: &dyn CatalogView, identity: &str, act: Act, ground: Ground, now: Moment) -> Result<(), Failure> {
    if identity.starts_with(UID) {
        return Ok(permits(act, Case::operator(ground))?);
    }
    let login = LoginName::parse(identity).map_err(Refusal::from)?;
    let role = role_of(view, &login)?.ok_or(Refusal::NotAllowed("only the operator may"))?;
    Ok(permits(act, standing_in_office(view, &login, role, ground, now)?.0)?)
}

/// Channels on which whoever gets there is the operator.
const fn is_of_operator(channel: Channel) -> bool {
    match channel {
        Channel::Api | Channel::Spool | Channel::CommandLine | Channel::System => true,
        Channel::Sftp | Channel::Portal | Channel::Office => false,
    }
}

/// The facts of a case about somebody of the office; they ask nothing of the state before now.
fn case_in_office(view: &dyn CatalogView, caller: &Caller, ground: Ground, now: Moment) -> Result<Case, Failure> {
    let role = role_of(view, &caller.login)?.filter(|_| caller.channel == Channel::Office);
    let role = role.ok_or(Refusal::NotAllowed("only the operator may"))?;
    let (case, account) = standing_in_office(view, &caller.login, role, ground, now)?;
    match account {
        Some(account) if outside_of(view, &account, caller.address)?.is_some() => Ok(case.under(Access::Blocked)),
        _ => Ok(case),
    }
}

/// The facts of a case about somebody of the office and what is their own.
pub(super) fn own_case_in_office(view: &dyn CatalogView, caller: &Caller, now: Moment) -> Result<Case, Failure> {
    Ok(Case { relation: Relation::Own, ..case_in_office(view, caller, Ground::None, now)? })
}

/// The same, without from where they come.
fn standing_in_office(
    view: &dyn CatalogView,
    login: &LoginName,
    role: OfficeRole,
    ground: Ground,
    now: Moment,
) -> Result<(Case, Option<Account>), Failure> {
    let mut case = Case { role: role.role(), ..Case::operator(ground) };
    let account = view.row::<Account>(&Account::key_of(login))?;
    match &account {
        Some(account) => {
            case = case.under(account.standing.at(now));
            match view.row::<Organisation>(&Organisation::key_of(&account.organisation))? {
                Some(organisation) => case = case.under(organisation.standing.at(now)),
                None => case.condition = Condition::Ended,
            }
        }
        None => case.condition = Condition::Ended,
    }
    Ok((case, account))
}

/// What somebody does in the office; `None` for every other account.
pub(super) fn role_of(view: &dyn CatalogView, login: &LoginName) -> Result<Option<OfficeRole>, Failure> {
    Ok(view.row::<OfficeMember>(&OfficeMember::key_of(login))?.map(|row| row.role))
}

/// Where the person of this account signs in, and nowhere else.
pub(super) fn door_of(view: &dyn CatalogView, login: &LoginName) -> Result<Channel, Failure> {
    Ok(if role_of(view, login)?.is_some() { Channel::Office } else { Channel::Portal })
}

/// Who administers the office and can act.
pub(super) fn administrators_of_office(view: &dyn CatalogView, now: Moment) -> Result<Vec<Account>, Failure> {
    let members = view.rows::<OfficeMember>(&OfficeMember::all(), None, MOST_OFFICERS)?;
    let mut found = Vec::new();
    for member in members.into_iter().filter(|member| member.role == OfficeRole::Administrator) {
        let account = view.row::<Account>(&Account::key_of(&member.login))?;
        found.extend(account.filter(|account| account.standing.at(now) == Access::Open));
    }
    Ok(found)
}

/// The code of the organisation that accounts of the office belong to.
pub(super) fn office_code() -> Result<OrganisationCode, Refusal> {
    Ok(OrganisationCode::parse(OFFICE)?)
}
