//! Who works in the office: adding, listing, another role, a new link. Ending and blocking is
//! that of all accounts (`block_access`).

use std::sync::Arc;

use super::super::StandingChange;
use super::super::people::{credentials_of, ends, person_of};
use super::super::post::{Notice, addressed};
use super::super::send_notices::mail_id;
use super::{Failure, Officer, Operations, office_code, role_of};
use crate::domain::account::{Account, AccountKind, Language};
use crate::domain::allow_list::AllowList;
use crate::domain::block::{Access, Standing};
use crate::domain::credentials::{ACTIVATION_DAYS, AccountLink, LinkPurpose};
use crate::domain::decision::Decision;
use crate::domain::history::{About, Channel, Event, Happening, Who};
use crate::domain::ids::LinkId;
use crate::domain::moment::{Moment, Span};
use crate::domain::names::{EmailAddress, Line, LoginName};
use crate::domain::notice::{Fact, NoticeKind};
use crate::domain::office::{MOST_OFFICERS, OfficeMember, OfficeRole};
use crate::domain::organisation::Organisation;
use crate::domain::record::Row as _;
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::Act;

/// Somebody who is to work in the office.
#[derive(Clone, Debug)]
pub struct NewOfficeMember {
    /// The address; it becomes the login name.
    pub email: EmailAddress,
    /// As what.
    pub role: OfficeRole,
    /// Language of pages and e-mails.
    pub language: Language,
}

/// Somebody of the office, as lists show them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OfficeMemberView {
    /// What they do.
    pub member: OfficeMember,
    /// Their account.
    pub account: Account,
    /// They have chosen what they sign in with.
    pub is_activated: bool,
}

impl Operations {
    /// Gives somebody an account in the office. They get an e-mail with the link to activate it, which is returned
    /// too: a secret, to be shown or dropped, not kept.
    ///
    /// # Errors
    /// `Exists` for an address that has an account, here or in the portal; `TooMuch`; `NotAllowed`.
    pub fn add_office_member(&self, new: NewOfficeMember, by: impl Into<Officer>) -> Result<String, Failure> {
        let who = self.acting(by, Act::ManageOffice)?;
        let (now, id, post) = (self.now(), LinkId::from_random(self.entropy.sixteen()), Arc::clone(&self.post));
        let (login, code) = (LoginName::parse(new.email.as_str()).map_err(Refusal::from)?, office_code()?);
        let name = Line::parse(&self.settings.sender.organisation).or_else(|_| Line::parse(code.as_str()));
        let name = name.map_err(Refusal::from)?;
        self.catalog.decide(Box::new(move |view| {
            if view.find(&Account::key_of(&login))?.is_some() {
                return Err(Refusal::Exists(What::Account, login.to_string()).into());
            }
            let members = view.rows::<OfficeMember>(&OfficeMember::all(), None, MOST_OFFICERS)?.len();
            if members >= MOST_OFFICERS {
                return Err(Refusal::TooMuch(format!("{MOST_OFFICERS} people have worked in the office")).into());
            }
            let known = view.row::<Organisation>(&Organisation::key_of(&code))?;
            if known.is_some() && members == 0 {
                return Err(Refusal::Exists(What::Organisation, format!("{code}, which is that of the office,")).into());
            }
            let account = Account {
                login: login.clone(),
                organisation: code.clone(),
                kind: AccountKind::Person { email: new.email },
                is_administrator: false,
                language: new.language,
                standing: Standing::Active,
                added_at: now,
                allow_from: AllowList::default(),
            };
            let event = self::event(Happening::OfficeMemberAdded, who.clone(), &account).with_note(new.role.word());
            let mut decision = Decision::new(now, event).put(account.clone()).put(OfficeMember {
                login,
                role: new.role,
                added_at: now,
            });
            if known.is_none() {
                let about = About { organisation: Some(code.clone()), ..About::default() };
                decision =
                    decision.and(Event::new(Happening::OrganisationAdded, who.clone(), about)).put(Organisation {
                        code,
                        name,
                        oin: None,
                        kvk: None,
                        mail_domains: Vec::new(),
                        standing: Standing::Active,
                        added_at: now,
                        allow_from: AllowList::default(),
                    });
            }
            let mut row = credentials_of(view, &account.login)?;
            row.link = Some(id);
            let until = ends(now, Span::from_days(ACTIVATION_DAYS));
            let link = AccountLink { id, login: account.login.clone(), purpose: LinkPurpose::Activate, until };
            let made = self::event(Happening::AccountLinkMade, who, &account).with_until(until);
            invited(&post, decision.and(made).put(row).put(link), &account, (id, until), now)
        }))?;
        self.account_address(id, Channel::Office)
    }

    /// Everybody who works or worked in the office, by login.
    ///
    /// # Errors
    /// `NotAllowed`.
    pub fn office_members(&self, by: impl Into<Officer>) -> Result<Vec<OfficeMemberView>, Failure> {
        self.oversee(by)?;
        self.catalog.look(|view| {
            let members = view.rows::<OfficeMember>(&OfficeMember::all(), None, MOST_OFFICERS)?;
            let mut views = Vec::new();
            for member in members {
                let Some(account) = view.row::<Account>(&Account::key_of(&member.login))? else { continue };
                let is_activated = credentials_of(view, &member.login)?.are_complete();
                views.push(OfficeMemberView { member, account, is_activated });
            }
            Ok(views)
        })
    }

    /// Ends the account of somebody of the office.
    ///
    /// # Errors
    /// `NotFound` for an account that is none of the office; as `change_account_standing`.
    pub fn end_office_member(
        &self,
        login: &LoginName,
        ending: StandingChange,
        by: impl Into<Officer>,
    ) -> Result<(), Failure> {
        if self.catalog.look(|view| role_of(view, login))?.is_none() {
            return Err(Refusal::NotFound(What::Account).into());
        }
        self.change_account_standing(login, ending, by)
    }

    /// Gives somebody of the office another role; it counts from their next request on. Nobody changes the own role.
    ///
    /// # Errors
    /// `NotFound`; `WrongState` when it is theirs already or they have left; `NotAllowed`.
    pub fn change_office_role(
        &self,
        login: &LoginName,
        role: OfficeRole,
        by: impl Into<Officer>,
    ) -> Result<(), Failure> {
        let who = self.acting(by, Act::ManageOffice)?;
        let (now, login) = (self.now(), login.clone());
        if who.login.as_ref() == Some(&login) {
            return Err(Refusal::NotAllowed("nobody changes the own role").into());
        }
        self.catalog.decide(Box::new(move |view| {
            let row = view.row::<OfficeMember>(&OfficeMember::key_of(&login))?;
            let mut row = row.ok_or(Refusal::NotFound(What::Account))?;
            let account = person_of(view, &login)?.ok_or(Refusal::NotFound(What::Account))?;
            if row.role == role || account.standing.at(now) == Access::Ended {
                return Err(Refusal::WrongState("nothing changed".to_owned()).into());
            }
            let note = format!("{}, before {}", role.word(), row.role.word());
            row.role = role;
            Ok(Decision::new(now, event(Happening::OfficeRoleChanged, who, &account).with_note(&note)).put(row))
        }))?;
        Ok(())
    }
}

/// The e-mail to somebody who is to work in the office.
pub(super) fn invited(
    post: &super::super::post::Post,
    decision: Decision,
    account: &Account,
    (link, until): (LinkId, Moment),
    now: Moment,
) -> Result<Decision, Failure> {
    let kind = NoticeKind::OfficeInvited;
    let facts = vec![(Fact::AccountLink, link.to_string()), (Fact::Until, until.millis().to_string())];
    let notice = Notice { id: mail_id(kind, link.as_bytes(), account.login.as_str()), kind, delivery: None };
    post.queue(decision, notice, &addressed(account, facts), account.language, now)
}

fn event(what: Happening, who: Who, account: &Account) -> Event {
    let about = About {
        organisation: Some(account.organisation.clone()),
        login: Some(account.login.clone()),
        ..About::default()
    };
    Event::new(what, who, about)
}
