//! Signing in at the office: the steps of everybody's sign-in, for the operator's people alone.
//! Whoever belongs to the other door is told what a stranger is told.

use super::super::people::{PasswordAccepted, PortalVisit};
use super::super::{Failure, Operations, Visitor};
use super::{Officer, role_of};
use crate::domain::history::Channel;
use crate::domain::office::OfficeRole;
use crate::domain::refusal::Refusal;
use crate::domain::rights::{Act, Ground};

/// Somebody of the office asks for a page.
#[derive(Clone, Debug)]
pub struct OfficeVisit {
    /// As whom.
    pub visit: PortalVisit,
    /// What they do there.
    pub role: OfficeRole,
    /// What the role may do: forms for anything else are not worth showing.
    pub allowed: Vec<Act>,
}

impl Operations {
    /// As `check_password`, at the door of the office.
    ///
    /// # Errors
    /// As `check_password`; `NotSignedIn` for an account of the portal, after the same work.
    pub fn check_office_password(
        &self,
        login: &str,
        password: &str,
        visitor: &Visitor,
    ) -> Result<PasswordAccepted, Failure> {
        self.check_password_at(Channel::Office, login, password, visitor)
    }

    /// As `finish_sign_in`, at the door of the office.
    ///
    /// # Errors
    /// As `finish_sign_in`.
    pub fn finish_office_sign_in(&self, secret: &str, code: &str, visitor: &Visitor) -> Result<String, Failure> {
        self.finish_sign_in_at(Channel::Office, secret, code, visitor)
    }

    /// The session in the office with this secret; using it puts off its end. The role is that of this moment.
    ///
    /// # Errors
    /// `NotSignedIn`, also for a session in the portal.
    pub fn office_visit(&self, secret: &str, visitor: &Visitor) -> Result<OfficeVisit, Failure> {
        let visit = self.visit_at(Channel::Office, secret, visitor)?;
        let now = self.now();
        self.catalog.look(|view| {
            let role = role_of(view, &visit.caller.login)?.ok_or(Refusal::NotSignedIn)?;
            Officer::Person(visit.caller.clone()).may(view, Act::Oversee, Ground::None, now)?;
            let by = Officer::Person(visit.caller.clone());
            let mut allowed = Vec::new();
            for act in Act::ALL {
                match by.may(view, *act, Ground::InForce, now) {
                    Ok(()) => allowed.push(*act),
                    Err(Failure::Refused(_)) => {}
                    Err(fault) => return Err(fault),
                }
            }
            Ok(OfficeVisit { visit: visit.clone(), role, allowed })
        })
    }

    /// Whether a link of an e-mail is to be opened at this door.
    ///
    /// # Errors
    /// `LinkClosed`, whatever is wrong with it.
    pub fn link_opens_at(&self, code: &str, door: Channel) -> Result<(), Failure> {
        let offer = self.look_at_link(code)?;
        let own = self.catalog.look(|view| super::door_of(view, &offer.login))?;
        if own == door { Ok(()) } else { Err(Refusal::LinkClosed.into()) }
    }
}
