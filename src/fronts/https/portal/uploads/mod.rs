//! Participant files (P10): what an organisation uploaded and what became of it, receipts and results, withdrawing,
//! replacing, and the form. Of the own organisation at `/participant-files`, of a client below `/clients/{code}`.
//! Decides no right: the operations do, as for robots.

pub(super) mod expected;
mod form;
mod list;
mod one;
mod papers;
mod pour;
pub(super) mod said;
mod script;
mod take_in;

pub(in crate::fronts::https) use form::{ask_file, ask_replacement};
pub(in crate::fronts::https) use list::list;
pub(in crate::fronts::https) use one::{ask_withdrawal, one, withdraw};
pub(in crate::fronts::https) use papers::{
    allowed_signers, receipt, receipt_signature, result, result_signature, result_text,
};
pub(in crate::fronts::https::portal) use pour::Paced;
pub(in crate::fronts::https) use script::script;
pub(in crate::fronts::https) use take_in::{Taking, take_in};

use super::texts::mandates::Texts as ClientTexts;
use super::texts::uploads::Texts;
use super::{Ask, Failure, Member, words};
use crate::domain::ids::UploadId;
use crate::domain::moment::Moment;
use crate::domain::refusal::{Refusal, What};
use crate::operations::SeenUpload;

/// Whose participant files a page is about.
struct Place {
    /// Where they lie.
    base: String,
    /// Where their list is, in the language that was asked for.
    home: String,
    /// Name and code of the client; empty for the own organisation.
    client: String,
    code: String,
    words: &'static ClientTexts,
}

impl Place {
    fn of(ask: &Ask, member: &Member) -> Result<Self, Failure> {
        let (caller, words) = (&member.visit.caller, ClientTexts::of(member.guest.language));
        let is_own = caller.recipient() == &caller.organisation;
        let (base, client, code) = if is_own {
            ("/participant-files".to_owned(), String::new(), String::new())
        } else {
            let client = ask.site.operations.client(caller, caller.recipient())?;
            (format!("/clients/{}/participant-files", client.code), client.name.to_string(), client.code.to_string())
        };
        Ok(Self { home: member.guest.link(&base), base, client, code, words })
    }

    /// The address of one upload, or of something below it.
    fn link(&self, member: &Member, below: &str) -> String {
        member.guest.link(&format!("{}/{below}", self.base))
    }
}

/// Who uploaded a file: the account, and for whom when that is another organisation (D6).
struct Uploader {
    login: String,
    /// Whose account, and on behalf of whom; both empty for the own organisation.
    organisation: String,
    client: String,
}

impl Uploader {
    fn of(seen: &SeenUpload) -> Self {
        let (organisation, client) = if seen.is_on_behalf() {
            (seen.by.1.to_string(), seen.of.1.to_string())
        } else {
            (String::new(), String::new())
        };
        Self { login: seen.view.upload.login.to_string(), organisation, client }
    }
}

const fn texts(member: &Member) -> &'static Texts {
    Texts::of(member.guest.language)
}

/// The upload that the path names. An id that cannot be one is not there.
fn upload_id(ask: &Ask) -> Result<UploadId, Failure> {
    UploadId::parse(ask.segment(0)).map_err(|_| Refusal::NotFound(What::File).into())
}

/// Day and time, such as `23 november 2026, 14:05`.
fn moment(ask: &Ask, member: &Member, at: Moment) -> String {
    let calendar = ask.site.operations.calendar();
    format!("{}, {}", words::date(member.guest.language, calendar.date_of(at)), calendar.time_of(at))
}
