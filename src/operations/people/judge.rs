//! Requests are judged: by an administrator of the organisation, or by the operator (B4, B12).
//! The first person of an organisation becomes its administrator, in the same decision (A13, B7).

use super::super::NewOrganisation;
use super::super::manage_organisations::added;
use super::super::post::{Notice, Post};
use super::super::send_notices::mail_id;
use super::super::{Caller, Officer, case_of};
use super::members::{appointed, has_administrator};
use super::requests::{login_of, organisation_name};
use super::{Failure, Operations, credentials_of, ends, event};
use crate::domain::account::{Account, AccountKind};
use crate::domain::allow_list::AllowList;
use crate::domain::block::{Access, Standing};
use crate::domain::credentials::{ACTIVATION_DAYS, AccountLink, LinkPurpose};
use crate::domain::decision::Decision;
use crate::domain::history::{About, Channel, Event, Happening, Who};
use crate::domain::ids::LinkId;
use crate::domain::moment::{Moment, Span};
use crate::domain::names::{Line, OrganisationCode};
use crate::domain::notice::{Addressed, Fact, NoticeKind};
use crate::domain::office::OFFICE;
use crate::domain::organisation::Organisation;
use crate::domain::record::Row;
use crate::domain::refusal::{Refusal, What};
use crate::domain::request::{AccountRequest, Employer, RequestAddress, RequestStage};
use crate::domain::rights::{Act, Case, Ground, permits};
use crate::ports::catalog::CatalogView;

/// Who judges a request.
#[derive(Clone, Debug)]
pub enum Judge {
    /// An administrator, for the own organisation alone.
    Administrator(Caller),
    /// The operator.
    Operator {
        /// On which channel.
        channel: Channel,
        /// The organisation that the person belongs to, where the request does not name a known one.
        organisation: Option<OrganisationCode>,
    },
    /// Somebody of the office, in the same way.
    Officer {
        /// Who.
        by: Officer,
        /// As for the operator.
        organisation: Option<OrganisationCode>,
    },
}

/// A request as its judge sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestView {
    /// The request.
    pub request: AccountRequest,
    /// The name of the organisation, known or as it was written.
    pub organisation_name: String,
    /// The address has the mail domain of that organisation (A4).
    pub domain_fits: bool,
}

impl Judge {
    fn who(&self) -> Who {
        match self {
            Self::Administrator(caller) => caller.who(),
            Self::Operator { channel, .. } => Who::operator(*channel),
            Self::Officer { by, .. } => by.who(),
        }
    }

    /// Whether they may judge a request for this organisation.
    fn may(&self, view: &dyn CatalogView, organisation: Option<&OrganisationCode>, now: Moment) -> Result<(), Failure> {
        match (self, organisation) {
            (Self::Operator { .. }, _) => Ok(permits(Act::ManageMembers, Case::operator(Ground::None))?),
            (Self::Officer { by, .. }, _) => by.may(view, Act::ManageMembers, Ground::None, now),
            (Self::Administrator(caller), Some(organisation)) => {
                Ok(permits(Act::ManageMembers, case_of(view, caller, organisation, None, now)?)?)
            }
            (Self::Administrator(_), None) => Err(Refusal::NotFound(What::Request).into()),
        }
    }
}

impl Operations {
    /// Requests that wait for this judge, and invitations that were not taken up yet, the oldest first.
    ///
    /// # Errors
    /// `NotAllowed` for who judges nothing.
    pub fn account_requests(&self, judge: &Judge) -> Result<Vec<RequestView>, Failure> {
        let now = self.now();
        let mut views = self.catalog.look(|view| {
            match judge {
                Judge::Administrator(caller) => judge.may(view, Some(&caller.organisation), now)?,
                Judge::Officer { by, .. } => by.may(view, Act::Oversee, Ground::None, now)?,
                Judge::Operator { .. } => {}
            }
            let all = view.rows::<AccountRequest>(&AccountRequest::all(), None, self.settings.people.max_requests)?;
            let mut views = Vec::new();
            for request in all {
                let own = match (judge, &request.organisation) {
                    (Judge::Operator { .. } | Judge::Officer { .. }, _) => true,
                    (Judge::Administrator(caller), Employer::Known(code)) => *code == caller.organisation,
                    (Judge::Administrator(_), Employer::Stated { .. }) => false,
                };
                let is_shown = matches!(request.stage, RequestStage::Waiting { .. }) || request.invited_by.is_some();
                if own && is_shown {
                    views.push(seen(view, request)?);
                }
            }
            Ok(views)
        })?;
        views.sort_by_key(|view| view.request.made_at);
        Ok(views)
    }

    /// Approves a request: the account is there, without any right (C1), and gets the link to activate it within
    /// three weeks (M04, B15). The first person of an organisation becomes its administrator (M06).
    ///
    /// # Errors
    /// `NotFound` for the request, `WrongState` while its address is not confirmed, `NotAllowed`, `Exists`.
    pub fn approve_request(&self, id: LinkId, judge: Judge) -> Result<Account, Failure> {
        self.approve(id, judge, None)
    }

    /// Approves a request of an organisation that is not known: the organisation is made in the same decision, and the
    /// person becomes its administrator.
    ///
    /// # Errors
    /// As `approve_request`; `Exists` for a code that is taken; `BadRequest` for a request of an organisation that is
    /// known.
    pub fn approve_request_of_new(
        &self,
        id: LinkId,
        new: NewOrganisation,
        by: impl Into<Officer>,
    ) -> Result<Account, Failure> {
        let (by, now) = (by.into(), self.now());
        self.acting(by.clone(), Act::Administer)?;
        let judge = Judge::Officer { by, organisation: None };
        // no identity is made for an organisation that nobody waits for
        self.catalog.look(|view| judged(view, id, &judge, now).map(drop))?;
        let new = self.drawn_up(new, now)?;
        self.approve(id, judge, Some(new))
    }

    fn approve(&self, id: LinkId, judge: Judge, new: Option<Organisation>) -> Result<Account, Failure> {
        let link = LinkId::from_random(self.entropy.sixteen());
        let (now, post) = (self.now(), std::sync::Arc::clone(&self.post));
        let made = std::sync::Arc::new(std::sync::Mutex::new(None));
        let out = std::sync::Arc::clone(&made);
        self.catalog.decide(Box::new(move |view| {
            let (request, known) = judged(view, id, &judge, now)?;
            if new.is_some() && known.is_some() {
                return Err(
                    Refusal::BadRequest("this person belongs to an organisation that is known".to_owned()).into()
                );
            }
            let organisation = known
                .or_else(|| new.clone())
                .ok_or_else(|| Refusal::BadRequest("say which organisation this person belongs to".to_owned()))?;
            if organisation.standing.at(now) != Access::Open {
                return Err(Refusal::WrongState("the organisation is blocked or has ended".to_owned()).into());
            }
            let login = login_of(&request.email)?;
            if view.find(&Account::key_of(&login))?.is_some() {
                return Err(Refusal::Exists(What::Account, login.to_string()).into());
            }
            let is_first = !has_administrator(view, &organisation.code)?;
            if is_first && matches!(judge, Judge::Administrator(_)) {
                return Err(Refusal::NotAllowed("only the operator approves the first person").into());
            }
            let account = Account {
                login: login.clone(),
                organisation: organisation.code.clone(),
                kind: AccountKind::Person { email: request.email.clone() },
                is_administrator: is_first,
                language: request.language,
                standing: Standing::Active,
                added_at: now,
                allow_from: AllowList::default(),
            };
            let until = ends(now, Span::from_days(ACTIVATION_DAYS));
            let row = AccountLink { id: link, login: login.clone(), purpose: LinkPurpose::Activate, until };
            let mut credentials = credentials_of(view, &login)?;
            credentials.link = Some(link);
            let who = judge.who();
            let approved = event(Happening::RequestApproved, who.clone(), &account);
            let decision = match new {
                Some(new) => Decision::new(now, added(view, &new, who.clone())?).and(approved).put(new),
                None => Decision::new(now, approved),
            };
            let mut decision = decision
                .and(event(Happening::AccountAdded, who.clone(), &account))
                .and(event(Happening::AccountLinkMade, who.clone(), &account).with_until(until))
                .put(account.clone())
                .put(credentials)
                .put(row);
            decision = activation_mail(&post, decision, &account, &organisation, (link, until), now)?;
            if is_first {
                decision = appointed(&post, decision, &account, &organisation, who, now)?;
            }
            *super::super::locked(&out) = Some(account);
            Ok(without(decision, &request)?)
        }))?;
        let account = super::super::locked(&made).take();
        Ok(account.ok_or(Refusal::NotFound(What::Request))?)
    }

    /// Rejects a request, with the reason that the person is told (M03).
    ///
    /// # Errors
    /// As `approve_request`.
    pub fn reject_request(&self, id: LinkId, reason: Line, judge: Judge) -> Result<(), Failure> {
        let (now, post) = (self.now(), std::sync::Arc::clone(&self.post));
        self.catalog.decide(Box::new(move |view| {
            let (request, organisation) = judged(view, id, &judge, now)?;
            let about = About {
                organisation: organisation.as_ref().map(|row| row.code.clone()),
                login: Some(login_of(&request.email)?),
                ..About::default()
            };
            let event = Event::new(Happening::RequestRejected, judge.who(), about).with_note(reason.as_str());
            let facts = vec![
                (Fact::Organisation, organisation_name(&request, organisation.as_ref())),
                (Fact::Reason, reason.to_string()),
            ];
            let to = Addressed { to: request.email.clone(), login: None, facts, last_error: None };
            let kind = NoticeKind::RequestRejected;
            let notice = Notice { id: mail_id(kind, id.as_bytes(), to.to.as_str()), kind, delivery: None };
            let decision = post.queue(Decision::new(now, event), notice, &to, request.language, now)?;
            Ok(without(decision, &request)?)
        }))?;
        Ok(())
    }
}

/// M04, with the link.
pub(in crate::operations) fn activation_mail(
    post: &Post,
    decision: Decision,
    account: &Account,
    organisation: &Organisation,
    (link, until): (LinkId, Moment),
    now: Moment,
) -> Result<Decision, Failure> {
    let kind = NoticeKind::AccountApproved;
    let facts = vec![
        (Fact::Organisation, organisation.name.to_string()),
        (Fact::AccountLink, link.to_string()),
        (Fact::Until, until.millis().to_string()),
    ];
    let to = super::super::post::addressed(account, facts);
    let notice = Notice { id: mail_id(kind, link.as_bytes(), account.login.as_str()), kind, delivery: None };
    post.queue(decision, notice, &to, account.language, now)
}

/// A confirmed request that this judge may judge, and its organisation.
fn judged(
    view: &dyn CatalogView,
    id: LinkId,
    judge: &Judge,
    now: Moment,
) -> Result<(AccountRequest, Option<Organisation>), Failure> {
    let request = view.row::<AccountRequest>(&AccountRequest::key_of(id))?.ok_or(Refusal::NotFound(What::Request))?;
    let code = match (&request.organisation, judge) {
        (_, Judge::Operator { organisation: Some(code), .. } | Judge::Officer { organisation: Some(code), .. })
        | (Employer::Known(code), _) => Some(code.clone()),
        (Employer::Stated { .. }, _) => None,
    };
    judge.may(view, code.as_ref(), now).map_err(|failure| match failure {
        // whoever may not judge it may not know that it is there
        Failure::Refused(Refusal::NotAllowed(_)) => Refusal::NotFound(What::Request).into(),
        other => other,
    })?;
    if !matches!(request.stage, RequestStage::Waiting { .. }) {
        return Err(Refusal::WrongState("the address of this request is not confirmed yet".to_owned()).into());
    }
    let organisation = match &code {
        // nobody comes into the office by a request
        Some(code) if code.as_str() == OFFICE => return Err(Refusal::NotFound(What::Organisation).into()),
        Some(code) => {
            Some(view.row::<Organisation>(&Organisation::key_of(code))?.ok_or(Refusal::NotFound(What::Organisation))?)
        }
        None => None,
    };
    Ok((request, organisation))
}

fn seen(view: &dyn CatalogView, request: AccountRequest) -> Result<RequestView, Failure> {
    let known = match &request.organisation {
        Employer::Known(code) => view.row::<Organisation>(&Organisation::key_of(code))?,
        Employer::Stated { .. } => None,
    };
    let domain = crate::domain::request::domain_of(&request.email);
    let domain_fits = known.as_ref().is_some_and(|row| row.mail_domains.iter().any(|own| own.as_str() == domain));
    Ok(RequestView { organisation_name: organisation_name(&request, known.as_ref()), domain_fits, request })
}

fn without(decision: Decision, request: &AccountRequest) -> Result<Decision, Refusal> {
    let login = login_of(&request.email)?;
    Ok(decision.remove(AccountRequest::key_of(request.id)).remove(RequestAddress::key_of(&login)))
}
