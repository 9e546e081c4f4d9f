//! `permits`: the only authority on who may do what. Deny by default. Knows
//! facts, not where they come from; its whole truth table is a reviewed file,
//! `fixtures/rights-matrix.txt`.

use super::block::Access;
use super::moment::Moment;
use super::names::{LoginName, OrganisationCode, ProductCode};
use super::refusal::{Refusal, What};
use super::restriction::Service;

/// A right: this account may fetch this product of this recipient (C1, D2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Right {
    /// The account.
    pub login: LoginName,
    /// Whose deliveries.
    pub recipient: OrganisationCode,
    /// Of which product.
    pub product: ProductCode,
    /// Since when.
    pub since: Moment,
}

macro_rules! closed_set {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word in the rights matrix.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
    };
}

closed_set! {
    /// What is to be done.
    Act {
        /// See that a product's folder exists and what it holds.
        Browse = "browse",
        /// Read the bytes of a delivery.
        Fetch = "fetch",
        /// See deliveries and their state.
        ReadDeliveries = "read-deliveries",
        /// Read the history of an organisation.
        ReadHistory = "read-history",
        /// Confirm the digest of a delivery.
        Acknowledge = "acknowledge",
        /// Hide a file of a delivery from oneself.
        SignOff = "sign-off",
        /// Upload a participant file, and see and read what was uploaded.
        Deliver = "deliver",
        /// Collect, accept, reject or acknowledge a participant file.
        HandleUploads = "handle-uploads",
        /// Publish a delivery.
        Publish = "publish",
        /// Withdraw, replace, extend, hold or release a delivery.
        Steer = "steer",
        /// Add, change, block or end organisations, products, agreements and accounts.
        Administer = "administer",
        /// Couple or decouple a right.
        Couple = "couple",
        /// Judge requests, invite, appoint administrators and see who has what, of one organisation.
        ManageMembers = "manage-members",
        /// Make and end machine accounts, their keys, tokens, owners and allow lists, of one organisation.
        ManageConnections = "manage-connections",
        /// See what is known of an organisation and how to reach it (A16).
        ReadOrganisation = "read-organisation",
        /// Change how to reach an organisation, and ask for a change of its identity (A17, K4).
        ChangeOrganisation = "change-organisation",
        /// End windows, destroy keys, send e-mails.
        Maintain = "maintain",
        /// Block an organisation or an account.
        Block = "block",
        /// Say what is offered to everybody: products.
        Define = "define",
        /// See everything that the operator has, but for the contents of deliveries.
        Oversee = "oversee",
        /// Say who works in the office, and as what.
        ManageOffice = "manage-office",
        /// See and change what one signs in with oneself, and one's own sessions.
        KeepCredentials = "keep-credentials",
        /// Accept the terms of use for oneself, or refuse them (I6, I13).
        AnswerTerms = "answer-terms",
        /// Put security incidents on record, and what becomes of them (I3).
        KeepIncidents = "keep-incidents",
    }
}

closed_set! {
    /// Who wants to do it.
    Role {
        /// The operator, on a channel of the operator.
        Operator = "operator",
        /// Somebody of the operator, in the office.
        Officer = "officer",
        /// Somebody of the operator who also says who works in the office.
        OfficeAdministrator = "office-administrator",
        /// Somebody of the operator who watches, and can block.
        SecurityOfficer = "security-officer",
        /// The server itself.
        System = "system",
        /// A machine account.
        Machine = "machine",
        /// A person's account.
        Person = "person",
        /// A person's account that administers its organisation.
        Administrator = "administrator",
    }
}

closed_set! {
    /// Whether actor, its organisation and the recipient may act at all.
    Condition {
        /// None of them is blocked or ended.
        Open = "open",
        /// The account has not accepted the terms of use, and has to before it does anything else (I6).
        TermsOpen = "terms",
        /// The account, its organisation or the recipient is blocked (J6), or the account came from outside an
        /// allow list.
        Blocked = "blocked",
        /// One of them has ended.
        Ended = "ended",
    }
}

closed_set! {
    /// How the actor's organisation stands to the recipient.
    Relation {
        /// It is the recipient.
        Own = "own",
        /// It is an intermediary, acts for the recipient, and has a mandate in force for what is asked (D4).
        Mandated = "mandated",
        /// It is another organisation, or an intermediary that may not act for the recipient, or not here.
        Foreign = "foreign",
    }
}

closed_set! {
    /// Whether the actor is coupled to the product of the recipient.
    Coupling {
        /// A right exists.
        Coupled = "coupled",
        /// No right exists.
        Uncoupled = "uncoupled",
    }
}

closed_set! {
    /// Whether an agreement is in force for recipient and product.
    Ground {
        /// One is.
        InForce = "in-force",
        /// None is.
        None = "none",
    }
}

closed_set! {
    /// Whether the delivery concerned can be fetched; `Available` when none is concerned.
    Presence {
        /// It can, or no delivery is concerned.
        Available = "available",
        /// Its window ended, or it was withdrawn or replaced.
        Gone = "gone",
    }
}

closed_set! {
    /// Which services were not ended for the actor, its organisation and the recipient (J7).
    Services {
        /// All are there.
        All = "all",
        /// All but fetching.
        WithoutFetch = "no-fetch",
        /// All but delivering.
        WithoutDeliver = "no-deliver",
        /// Neither fetching nor delivering.
        Neither = "neither",
    }
}

impl Services {
    /// What is left when one more is ended. Requesting is no act of this table.
    #[must_use]
    pub const fn without(self, service: Service) -> Self {
        match (self, service) {
            (services, Service::Request) => services,
            (Self::All | Self::WithoutFetch, Service::Fetch) => Self::WithoutFetch,
            (Self::All | Self::WithoutDeliver, Service::Deliver) => Self::WithoutDeliver,
            (Self::WithoutDeliver | Self::Neither, Service::Fetch)
            | (Self::WithoutFetch | Self::Neither, Service::Deliver) => Self::Neither,
        }
    }

    /// Whether this service is left; requesting always is, as far as this table knows.
    #[must_use]
    pub const fn include(self, service: Service) -> bool {
        match service {
            Service::Fetch => matches!(self, Self::All | Self::WithoutDeliver),
            Service::Deliver => matches!(self, Self::All | Self::WithoutFetch),
            Service::Request => true,
        }
    }
}

/// The facts of one case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Case {
    /// Who.
    pub role: Role,
    /// May they act at all.
    pub condition: Condition,
    /// How they stand to the recipient.
    pub relation: Relation,
    /// Are they coupled.
    pub coupling: Coupling,
    /// Is there an agreement.
    pub ground: Ground,
    /// Is the delivery there.
    pub presence: Presence,
    /// Which services were not ended.
    pub services: Services,
}

impl Case {
    /// The operator's case, where nothing about accounts matters.
    #[must_use]
    pub const fn operator(ground: Ground) -> Self {
        Self {
            role: Role::Operator,
            condition: Condition::Open,
            relation: Relation::Foreign,
            coupling: Coupling::Uncoupled,
            ground,
            presence: Presence::Available,
            services: Services::All,
        }
    }

    /// The same case when the account has not accepted the terms of use.
    #[must_use]
    pub fn with_terms_open(mut self) -> Self {
        self.condition = self.condition.max(Condition::TermsOpen);
        self
    }

    /// The same case with these services.
    #[must_use]
    pub const fn with(mut self, services: Services) -> Self {
        self.services = services;
        self
    }

    /// The same case when the standing of somebody concerned is `access`: the worst counts.
    #[must_use]
    pub fn under(mut self, access: Access) -> Self {
        self.condition = self.condition.max(match access {
            Access::Open => Condition::Open,
            Access::Blocked => Condition::Blocked,
            Access::Ended => Condition::Ended,
        });
        self
    }
}

/// Whether `act` is permitted in this case.
///
/// # Errors
/// `NotFound` where the actor may not even know that the thing exists, `TermsNotAccepted`, `Blocked`,
/// `Ended` and `ServiceEnded` where it is about the actor's own standing, `NotAllowed` otherwise.
pub fn permits(act: Act, case: Case) -> Result<(), Refusal> {
    match case.role {
        Role::Operator => permits_operator(act, case),
        Role::Officer | Role::OfficeAdministrator | Role::SecurityOfficer => permits_officer(act, case),
        Role::System => permits_system(act),
        Role::Machine | Role::Person | Role::Administrator => permits_account(act, case),
    }
}

fn permits_operator(act: Act, case: Case) -> Result<(), Refusal> {
    match act {
        Act::Publish if case.condition != Condition::Open => {
            Err(Refusal::NotAllowed("the recipient is blocked or has ended"))
        }
        // Nobody of the recipient could take it.
        Act::Publish if !case.services.include(Service::Fetch) => {
            Err(Refusal::NotAllowed("fetching was ended for the recipient"))
        }
        Act::Publish | Act::Couple if case.ground == Ground::None => {
            Err(Refusal::NotAllowed("there is no agreement in force"))
        }
        Act::Publish
        | Act::Couple
        | Act::Steer
        | Act::Administer
        | Act::ManageMembers
        | Act::ReadOrganisation
        | Act::Maintain
        | Act::Block
        | Act::Define
        | Act::Oversee
        | Act::ManageOffice
        | Act::KeepIncidents
        | Act::HandleUploads
        | Act::ReadDeliveries
        | Act::ReadHistory => Ok(()),
        // The operator administers accounts of all; this is the administrator's word for the own organisation's.
        Act::ManageConnections => Err(Refusal::NotAllowed("the operator administers accounts by the command line")),
        // The operator steers deliveries but does not read or confirm them for a recipient.
        Act::Browse | Act::Fetch | Act::Acknowledge | Act::SignOff | Act::Deliver | Act::ChangeOrganisation => {
            Err(Refusal::NotAllowed("only the recipient's accounts may"))
        }
        Act::KeepCredentials => Err(Refusal::NotAllowed("only the person may")),
        // What the operator puts on record of an acceptance is an act of administration.
        Act::AnswerTerms => Err(Refusal::NotAllowed("only who is bound by the terms may")),
    }
}

/// Somebody who signed in to the office: the role says how far the operator's rights go (domain 5.2).
fn permits_officer(act: Act, case: Case) -> Result<(), Refusal> {
    match case.condition {
        Condition::Open => {}
        Condition::TermsOpen => return Err(Refusal::TermsNotAccepted { address: String::new() }),
        Condition::Blocked => return Err(Refusal::Blocked),
        Condition::Ended => return Err(Refusal::Ended(What::Account)),
    }
    let is_watching = matches!(case.role, Role::SecurityOfficer);
    let is_administrator = matches!(case.role, Role::OfficeAdministrator);
    match act {
        Act::Oversee | Act::ReadHistory | Act::ReadDeliveries | Act::ReadOrganisation | Act::Block => Ok(()),
        // Whoever sees something says so; the register is the security officer's own (I3).
        Act::KeepIncidents => Ok(()),
        Act::Administer | Act::ManageMembers | Act::Steer | Act::HandleUploads if !is_watching => Ok(()),
        Act::Couple if !is_watching && case.ground == Ground::InForce => Ok(()),
        Act::Couple if !is_watching => Err(Refusal::NotAllowed("there is no agreement in force")),
        Act::Define | Act::ManageOffice | Act::Maintain if is_administrator => Ok(()),
        // What they sign in with themselves is theirs, as it is everybody's.
        Act::KeepCredentials if matches!(case.relation, Relation::Own) => Ok(()),
        Act::KeepCredentials => Err(Refusal::NotAllowed("only of oneself")),
        Act::Administer | Act::ManageMembers | Act::Steer | Act::HandleUploads | Act::Couple => {
            Err(Refusal::NotAllowed("a security officer reads, blocks and keeps incidents, and changes nothing else"))
        }
        Act::Define | Act::ManageOffice | Act::Maintain => {
            Err(Refusal::NotAllowed("only an administrator of the office may"))
        }
        Act::Publish
        | Act::Browse
        | Act::Fetch
        | Act::Acknowledge
        | Act::SignOff
        | Act::Deliver
        | Act::AnswerTerms
        | Act::ManageConnections
        | Act::ChangeOrganisation => Err(Refusal::NotAllowed("nobody of the office does")),
    }
}

fn permits_system(act: Act) -> Result<(), Refusal> {
    match act {
        Act::Maintain => Ok(()),
        Act::Browse
        | Act::Fetch
        | Act::ReadDeliveries
        | Act::ReadHistory
        | Act::Acknowledge
        | Act::Deliver
        | Act::SignOff
        | Act::Publish
        | Act::Steer
        | Act::HandleUploads
        | Act::Administer
        | Act::ManageMembers
        | Act::Block
        | Act::Define
        | Act::Oversee
        | Act::ManageOffice
        | Act::ManageConnections
        | Act::ReadOrganisation
        | Act::ChangeOrganisation
        | Act::Couple
        | Act::AnswerTerms
        | Act::KeepIncidents
        | Act::KeepCredentials => Err(Refusal::NotAllowed("the server does this for nobody")),
    }
}

fn permits_account(act: Act, case: Case) -> Result<(), Refusal> {
    match case.condition {
        Condition::Open => {}
        // Nothing else before the terms are accepted (I6), but for what keeps the own account safe.
        Condition::TermsOpen if matches!(act, Act::AnswerTerms | Act::KeepCredentials) => {}
        Condition::TermsOpen => return Err(Refusal::TermsNotAccepted { address: String::new() }),
        Condition::Blocked => return Err(Refusal::Blocked),
        Condition::Ended => return Err(Refusal::Ended(What::Account)),
    }
    // an intermediary reaches what is coupled to it as the recipient's own accounts do (D2)
    let reaches = case.relation != Relation::Foreign && case.coupling == Coupling::Coupled;
    match act {
        Act::Browse | Act::ReadDeliveries if reaches => Ok(()),
        Act::Fetch if reaches && !case.services.include(Service::Fetch) => Err(Refusal::ServiceEnded(Service::Fetch)),
        Act::Fetch | Act::Acknowledge | Act::SignOff if reaches => match case.presence {
            Presence::Available => Ok(()),
            Presence::Gone => Err(Refusal::Gone(None)),
        },
        // What nobody asked for is not taken: without an agreement there is no purpose (B11).
        Act::Deliver if reaches && case.ground == Ground::InForce && !case.services.include(Service::Deliver) => {
            Err(Refusal::ServiceEnded(Service::Deliver))
        }
        Act::Deliver if reaches && case.ground == Ground::InForce => Ok(()),
        Act::Deliver => Err(Refusal::NotFound(What::Folder)),
        Act::ReadHistory if reaches => Ok(()),
        // The history of the own organisation is the administrator's without any coupling (4.3).
        Act::ReadHistory if case.role == Role::Administrator && case.relation == Relation::Own => Ok(()),
        // An administrator manages the own organisation and no other (B9, B12, C2), and couples what there is an
        // agreement for (B11): of the own organisation, or of a client within its mandate (D2, D6).
        Act::ManageMembers | Act::ManageConnections
            if case.role == Role::Administrator && case.relation == Relation::Own =>
        {
            Ok(())
        }
        Act::Couple if case.role == Role::Administrator && case.relation != Relation::Foreign => match case.ground {
            Ground::InForce => Ok(()),
            Ground::None => Err(Refusal::NotAllowed("there is no agreement in force")),
        },
        // A person answers for themselves; for a machine its owner does (I6, I13).
        Act::AnswerTerms if case.role != Role::Machine && case.relation == Relation::Own => Ok(()),
        Act::AnswerTerms => Err(Refusal::NotAllowed("only a person may, for themselves")),
        // Everybody of an organisation sees what is known of it; its administrators say how to reach it (A16, A17).
        Act::ReadOrganisation if case.relation == Relation::Own => Ok(()),
        Act::ChangeOrganisation if case.role == Role::Administrator && case.relation == Relation::Own => Ok(()),
        Act::ReadOrganisation => Err(Refusal::NotFound(What::Organisation)),
        Act::ManageMembers | Act::ManageConnections | Act::Couple | Act::ChangeOrganisation => {
            Err(Refusal::NotAllowed("only an administrator of the organisation may"))
        }
        // Keys and tokens of a machine are its administrator's.
        Act::KeepCredentials if case.role == Role::Machine => Err(Refusal::NotAllowed("only a person may")),
        Act::KeepCredentials if case.relation == Relation::Own => Ok(()),
        Act::KeepCredentials => Err(Refusal::NotAllowed("only of oneself")),
        Act::Browse | Act::ReadDeliveries | Act::Fetch | Act::Acknowledge | Act::SignOff | Act::ReadHistory => {
            Err(Refusal::NotFound(What::Delivery))
        }
        Act::Publish
        | Act::Steer
        | Act::HandleUploads
        | Act::Administer
        | Act::Maintain
        | Act::Block
        | Act::Define
        | Act::Oversee
        | Act::KeepIncidents
        | Act::ManageOffice => Err(Refusal::NotAllowed("only the operator may")),
    }
}
