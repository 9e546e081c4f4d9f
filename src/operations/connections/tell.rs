//! Whom a change of a connection is told: the owner of the account and the administrators of
//! its organisation, each once (M09, M23).

use super::super::people::administrators_of;
use super::super::post::{Notice, Post};
use super::super::send_notices::mail_id;
use super::Failure;
use crate::domain::account::{Account, Language};
use crate::domain::connections::is_machine;
use crate::domain::decision::Decision;
use crate::domain::ids::LinkId;
use crate::domain::moment::Moment;
use crate::domain::names::{EmailAddress, LoginName};
use crate::domain::notice::{Addressed, Fact, NoticeKind};
use crate::domain::organisation::Organisation;
use crate::ports::catalog::CatalogView;

/// Administrators who are told; an organisation that has more has other means.
const MOST_ADMINISTRATORS: usize = 20;

/// What is told.
pub(super) struct Told {
    pub(super) kind: NoticeKind,
    /// Of this save or this end: the ids of its e-mails follow from it.
    pub(super) id: LinkId,
    /// Besides account, organisation, by whom and when.
    pub(super) facts: Vec<(Fact, String)>,
    /// Who is told too.
    pub(super) also: Option<EmailAddress>,
}

/// The decision with the e-mails about a change that somebody made.
pub(super) fn told(
    post: &Post,
    view: &dyn CatalogView,
    decision: Decision,
    (account, organisation, by): (&Account, &Organisation, &str),
    mut what: Told,
    now: Moment,
) -> Result<Decision, Failure> {
    what.facts.extend([(Fact::By, by.to_owned()), (Fact::At, now.millis().to_string())]);
    told_by_nobody(post, view, decision, (account, organisation), what, now)
}

/// The same for what came by itself.
pub(super) fn told_by_nobody(
    post: &Post,
    view: &dyn CatalogView,
    mut decision: Decision,
    (account, organisation): (&Account, &Organisation),
    what: Told,
    now: Moment,
) -> Result<Decision, Failure> {
    let mut facts =
        vec![(Fact::Address, account.login.to_string()), (Fact::Organisation, organisation.name.to_string())];
    facts.extend(what.facts);
    for Reader { to, login, language } in readers(view, account, what.also, now)? {
        let id = mail_id(what.kind, what.id.as_bytes(), &to.as_str().to_lowercase());
        let notice = Notice { id, kind: what.kind, delivery: None };
        let addressed = Addressed { to, login, facts: facts.clone(), last_error: None };
        decision = post.queue(decision, notice, &addressed, language, now)?;
    }
    Ok(decision)
}

struct Reader {
    to: EmailAddress,
    /// Their own account: who is blocked or has ended gets no e-mails.
    login: Option<LoginName>,
    language: Language,
}

fn readers(
    view: &dyn CatalogView,
    account: &Account,
    also: Option<EmailAddress>,
    now: Moment,
) -> Result<Vec<Reader>, Failure> {
    let administrators = administrators_of(view, &account.organisation, now)?;
    let mut readers: Vec<Reader> = Vec::new();
    for owner in [Some(account.mail_address().clone()), also].into_iter().flatten() {
        let own = LoginName::parse(owner.as_str()).ok();
        let own = own.map(|login| view.row::<Account>(&Account::key_of(&login))).transpose()?.flatten();
        let login = own.filter(|own| !is_machine(own)).map(|own| own.login);
        readers.push(Reader { to: owner, login, language: account.language });
    }
    for one in administrators.into_iter().take(MOST_ADMINISTRATORS) {
        readers.push(Reader { to: one.mail_address().clone(), login: Some(one.login.clone()), language: one.language });
    }
    let mut known = std::collections::BTreeSet::new();
    readers.retain(|reader| known.insert(reader.to.as_str().to_lowercase()));
    Ok(readers)
}
