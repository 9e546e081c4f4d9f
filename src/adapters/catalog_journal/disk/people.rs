//! Disk forms of what people sign in with. Field order is the form.

use super::struct_form;
use crate::domain::credentials::{AccountLink, Assurance, CodeApp, Credentials, LinkPurpose, PasswordHash, WebSession};
use crate::domain::digest::Digest;
use crate::domain::ids::{FactorId, LinkId};
use crate::domain::moment::Moment;
use crate::domain::names::LoginName;

struct_form! {
    PasswordHashV1 = PasswordHash { phc: String, set_at: Moment, }
    CodeAppV1 = CodeApp { id: FactorId, added_at: Moment, confirmed_at: Option<Moment>, last_step: u64, }
    AccountLinkV1 = AccountLink { id: LinkId, login: LoginName, purpose: LinkPurpose, until: Moment, }
    CredentialsV1 = Credentials {
        login: LoginName,
        password: Option<PasswordHash>,
        code_apps: Vec<CodeApp>,
        recovery_codes: Vec<Digest>,
        link: Option<LinkId>,
        known_sources: Vec<Digest>,
    }
    WebSessionV1 = WebSession {
        secret_sha256: Digest,
        login: LoginName,
        begun_at: Moment,
        ends_at: Moment,
        assurance: Assurance,
    }
}
