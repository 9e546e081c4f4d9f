//! People: their links, passwords, second factors and sessions in the portal. What they may
//! do is not decided here: a session makes a `Caller`, and `permits` judges that one.

mod activate;
mod attempts;
mod forgotten;
mod judge;
mod members;
mod own_credentials;
mod own_sign_ins;
mod passkeys;
mod recovery;
mod remind;
mod requests;
mod sessions;
mod sign_in;
mod uncoupled;

use data_encoding::BASE32_NOPAD;

pub use activate::{Activation, LinkOffer};
pub use judge::{Judge, RequestView};
pub use members::{CouplableProduct, MemberView, RightsChange};
pub use own_credentials::OwnCredentials;
pub use own_sign_ins::{OpenSession, OwnSignIn};
pub use passkeys::OwnPasskey;
pub use remind::LinkRound;
pub use requests::{Applicant, EmployerChoice, RequestDraft, RequestLook};
pub use sessions::{EndedSessions, PortalVisit};
pub use sign_in::PasswordAccepted;

pub(super) use attempts::Attempts;
pub(super) use forgotten::Forgotten;
pub(super) use judge::activation_mail;
pub(super) use members::{accounts_of, administrators_of, can_be_judged_there, own_account, without_rights};
pub(super) use own_credentials::Enrolments;
pub(super) use own_sign_ins::SignInBook;
pub(super) use passkeys::Adding;
pub(super) use requests::Drafts;
pub(super) use sessions::LiveSessions;
pub(super) use sign_in::Pending;

use super::office::door_of;
use super::{Failure, Operations};
use crate::domain::account::{Account, AccountKind};
use crate::domain::credentials::Credentials;
use crate::domain::history::{About, Channel, Event, Happening, Who};
use crate::domain::ids::LinkId;
use crate::domain::moment::{Moment, Span};
use crate::domain::names::LoginName;
use crate::domain::refusal::{PasswordFlaw, Refusal};
use crate::ports::catalog::CatalogView;

/// Periods and bounds of `[sign-in]`.
#[derive(Clone, Debug)]
pub struct PeopleSettings {
    /// A session that was not used for so long ends.
    pub idle_timeout: Span,
    /// A session ends after so long whatever is done.
    pub session_lasts: Span,
    /// A password has at least so many characters.
    pub min_password_chars: usize,
    /// Sessions of one account; the oldest ends when one more begins.
    pub max_sessions_per_account: usize,
    /// Wrong passwords and codes for one account from one network before it has to wait.
    pub attempts: usize,
    /// Mail domains that are refused besides those of everybody's (A4).
    pub refused_mail_domains: Vec<String>,
    /// So many requests for accounts and invitations may wait at once.
    pub max_requests: usize,
}

/// Longest password, in characters: hashing it must cost no more than any other.
const MOST_PASSWORD_CHARS: usize = 128;

/// Purposes for which secrets are derived.
const LINK_SECRET: &str = "account link";
const APP_SECRET: &str = "one-time codes";

/// The secret part of a link: 128 bits.
const LINK_SECRET_BYTES: usize = 16;

impl Operations {
    /// What stands in a link: its id and its secret, in Base32, 52 characters.
    fn link_code(&self, id: LinkId) -> Result<String, Failure> {
        let derived = self.secrets.derive(LINK_SECRET, id.as_bytes())?;
        let secret = derived.get(..LINK_SECRET_BYTES).unwrap_or_default();
        Ok(BASE32_NOPAD.encode(&[id.as_bytes(), secret].concat()).to_ascii_lowercase())
    }

    /// The address of the page that a link to an account opens: a secret.
    pub(super) fn account_address(&self, id: LinkId, door: Channel) -> Result<String, Failure> {
        let sender = &self.settings.sender;
        let base = if door == Channel::Office { &sender.office_url } else { &sender.portal_url };
        Ok(format!("{base}/account/{}", self.link_code(id)?))
    }

    /// The same of a request.
    pub(super) fn request_address(&self, id: LinkId) -> Result<String, Failure> {
        Ok(format!("{}/account-request/confirm/{}", self.settings.sender.portal_url, self.link_code(id)?))
    }

    /// The id in a link, when its secret fits.
    fn link_in(&self, code: &str) -> Result<LinkId, Failure> {
        let closed = || Failure::from(Refusal::LinkClosed);
        if code.len() > 100 {
            return Err(closed());
        }
        let bytes = BASE32_NOPAD.decode(code.to_ascii_uppercase().as_bytes()).map_err(|_| closed())?;
        let (id, _) = bytes.split_first_chunk::<16>().ok_or_else(closed)?;
        let id = LinkId::from_bytes(*id);
        // compared as text of fixed length, all of it: what differs where is not told by the time
        let (given, wanted) = (code.to_ascii_lowercase(), self.link_code(id)?);
        let differs = given.len() != wanted.len()
            || given.bytes().zip(wanted.bytes()).fold(0, |differs, (a, b)| differs | (a ^ b)) != 0;
        if differs { Err(closed()) } else { Ok(id) }
    }

    /// Whether a password may be chosen by this account (NIST SP 800-63B §5.1.1.2): long enough, not known from
    /// breaches, not made of the account's own name. No rule of composition.
    fn judge_password(&self, login: &LoginName, password: &str) -> Result<(), Failure> {
        let length = password.chars().count();
        let lower = password.to_lowercase();
        let own = login.as_str().split(['@', '.', '-', '_', '+']).find(|part| part.len() >= 4 && lower.contains(part));
        let least = self.settings.people.min_password_chars;
        let flaw = if length < least {
            PasswordFlaw::TooShort { least }
        } else if length > MOST_PASSWORD_CHARS {
            PasswordFlaw::TooLong { most: MOST_PASSWORD_CHARS }
        } else if own.is_some() {
            PasswordFlaw::OwnName
        } else if is_monotonous(password) || self.is_of_this_place(&lower) || self.passwords.is_known(password)? {
            PasswordFlaw::Known
        } else {
            return Ok(());
        };
        Err(Refusal::WeakPassword(flaw).into())
    }

    /// The name of the portal or of who runs it, with digits and marks around it.
    fn is_of_this_place(&self, lower: &str) -> bool {
        let letters = |text: &str| text.to_lowercase().chars().filter(|c| c.is_alphabetic()).collect::<String>();
        let (sender, password) = (&self.settings.sender, letters(lower));
        let names = [letters(&sender.portal), letters(&sender.organisation)];
        !password.is_empty()
            && names.iter().any(|name| !name.is_empty() && password.replace(name.as_str(), "").is_empty())
    }
}

/// Few different characters, however many there are.
fn is_monotonous(password: &str) -> bool {
    password.chars().collect::<std::collections::BTreeSet<char>>().len() < 5
}

/// What a person signs in with; nothing yet when there is no row.
pub(super) fn credentials_of(view: &dyn CatalogView, login: &LoginName) -> Result<Credentials, Failure> {
    let row = view.row::<Credentials>(&Credentials::key_of(login))?;
    Ok(row.unwrap_or_else(|| Credentials::none(login.clone())))
}

/// The account, when it is a person's.
pub(super) fn person_of(view: &dyn CatalogView, login: &LoginName) -> Result<Option<Account>, Failure> {
    let account = view.row::<Account>(&Account::key_of(login))?;
    Ok(account.filter(|account| matches!(account.kind, AccountKind::Person { .. })))
}

/// The same, when its person signs in at this door.
fn person_at(view: &dyn CatalogView, login: &LoginName, door: Channel) -> Result<Option<Account>, Failure> {
    let account = person_of(view, login)?;
    Ok(if door_of(view, login)? == door { account } else { None })
}

pub(super) fn event(what: Happening, who: Who, account: &Account) -> Event {
    let about = About {
        organisation: Some(account.organisation.clone()),
        login: Some(account.login.clone()),
        ..About::default()
    };
    Event::new(what, who, about)
}

/// The end of a period that begins now.
pub(super) const fn ends(now: Moment, lasts: Span) -> Moment {
    now.after(lasts)
}
