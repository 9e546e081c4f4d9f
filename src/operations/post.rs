//! Puts e-mails into the queue and reads them again: whom they are to, and what
//! the relay said, lie sealed under the key of the class "mail" and the month.

use std::sync::Arc;

use super::monthly_bodies::MonthlyBodies;
use super::{Failure, Fault};
use crate::domain::account::{Account, Language};
use crate::domain::bodies::{BodyClass, BodySlot};
use crate::domain::decision::Decision;
use crate::domain::ids::{DeliveryId, MailId};
use crate::domain::moment::Moment;
use crate::domain::names::{EmailAddress, LoginName};
use crate::domain::notice::{Addressed, Fact, Letter, Mail, MailState, NoticeKind};
use crate::ports::bodies::{BodyBinding, BodySeal as _, OpenedBody};
use crate::ports::clock::Clock;
use crate::ports::keyring::Keyring;

/// A new e-mail: which, what it says, and of which delivery.
pub(super) struct Notice {
    pub(super) id: MailId,
    pub(super) kind: NoticeKind,
    pub(super) delivery: Option<DeliveryId>,
}

/// Seals and opens the personal fields of e-mails. Shared with the rules that queue them.
pub(super) struct Post {
    bodies: MonthlyBodies,
}

impl Post {
    pub(super) fn new(keyring: Arc<dyn Keyring>, clock: Arc<dyn Clock>) -> Self {
        Self { bodies: MonthlyBodies::new(keyring, clock) }
    }

    /// The decision with a new e-mail in it, due at once.
    pub(super) fn queue(
        &self,
        decision: Decision,
        notice: Notice,
        to: &Addressed,
        language: Language,
        now: Moment,
    ) -> Result<Decision, Failure> {
        let Notice { id, kind, delivery } = notice;
        let (letter, closes_at) = self.sealed(id, to, now)?;
        let state = MailState::Queued { attempts: 0, next_at: now };
        Ok(decision.under(letter.0, closes_at).notify(Mail {
            id,
            kind,
            delivery,
            letter: kept(letter),
            language,
            queued_at: now,
            state,
        }))
    }

    /// The decision with an e-mail that came further.
    pub(super) fn change(
        &self,
        decision: Decision,
        mail: Mail,
        to: &Addressed,
        now: Moment,
    ) -> Result<Decision, Failure> {
        let (letter, closes_at) = self.sealed(mail.id, to, now)?;
        Ok(decision.under(letter.0, closes_at).notify(Mail { letter: kept(letter), ..mail }))
    }

    fn sealed(&self, id: MailId, to: &Addressed, now: Moment) -> Result<((BodySlot, Vec<u8>), Moment), Failure> {
        let (slot, closes_at) = self.bodies.slot_for(BodyClass::Mail, now)?;
        let bytes = self.bodies.seal(slot, BodyBinding::Letter(id), &written(to))?;
        Ok(((slot, bytes), closes_at))
    }

    /// Whom an e-mail is to; `None` once the key of its month was destroyed.
    pub(super) fn open(&self, mail: &Mail) -> Result<Option<Addressed>, Failure> {
        let (slot, bytes) = match &mail.letter {
            Letter::Plain(addressed) => return Ok(Some(addressed.clone())),
            Letter::Sealed { slot, bytes } => (*slot, bytes),
        };
        match self.bodies.open(slot, BodyBinding::Letter(mail.id), bytes)? {
            OpenedBody::Plain(bytes) => Ok(Some(read(&bytes).ok_or_else(|| {
                Fault::new(format!("read the e-mail {}: its fields are not what this version writes", mail.id))
            })?)),
            OpenedBody::Destroyed => Ok(None),
            OpenedBody::Missing => Err(Fault::new(format!(
                "ALARM: the key keys/bodies/{slot} is missing, and the e-mail {} lies under it; \
                 restore it from the newest shred-keys.age",
                mail.id
            ))
            .into()),
        }
    }
}

/// An e-mail to whoever answers for an account.
pub(super) fn addressed(account: &Account, facts: Vec<(Fact, String)>) -> Addressed {
    Addressed { to: account.mail_address().clone(), login: Some(account.login.clone()), facts, last_error: None }
}

fn kept((slot, bytes): (BodySlot, Vec<u8>)) -> Letter {
    Letter::Sealed { slot, bytes }
}

/// A line for each field: its word, a space, its value.
fn written(to: &Addressed) -> Vec<u8> {
    let mut text = String::new();
    let mut add = |word: &str, value: &str| {
        text.extend([word, " "]);
        text.extend(value.chars().map(|c| if c.is_control() { ' ' } else { c }));
        text.push('\n');
    };
    add("to", to.to.as_str());
    if let Some(login) = &to.login {
        add("login", login.as_str());
    }
    if let Some(error) = &to.last_error {
        add("error", error);
    }
    for (fact, value) in &to.facts {
        add(fact.word(), value);
    }
    text.into_bytes()
}

fn read(bytes: &[u8]) -> Option<Addressed> {
    let (mut to, mut login, mut facts, mut last_error) = (None, None, Vec::new(), None);
    for line in core::str::from_utf8(bytes).ok()?.lines() {
        let (word, value) = line.split_once(' ')?;
        match word {
            "to" => to = Some(EmailAddress::parse(value).ok()?),
            "login" => login = Some(LoginName::parse(value).ok()?),
            "error" => last_error = Some(value.to_owned()),
            word => facts.push((Fact::from_word(word)?, value.to_owned())),
        }
    }
    Some(Addressed { to: to?, login, facts, last_error })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_read_back_as_written_and_nothing_adds_a_field() {
        let addressed = |last_error| Addressed {
            to: EmailAddress::parse("jan@example.nl").unwrap(),
            login: LoginName::parse("jan@example.nl").ok(),
            facts: vec![(Fact::Reason, "to anna".to_owned()), (Fact::Added, String::new())],
            last_error,
        };
        for error in [None, Some("550 5.1.1 unknown".to_owned()), Some(String::new())] {
            assert_eq!(read(&written(&addressed(error.clone()))), Some(addressed(error)));
        }
        let evil = addressed(Some("451\nto eve@example.net".to_owned()));
        let back = read(&written(&evil)).unwrap();
        assert_eq!((back.to.as_str(), back.last_error.as_deref()), ("jan@example.nl", Some("451 to eve@example.net")));
        for bytes in [&b""[..], b"login jan@example.nl\n", b"\xff", b"from x\n", b"to\n"] {
            assert_eq!(read(bytes), None);
        }
    }
}
