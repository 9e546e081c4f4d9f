//! Pages that help, open to everybody (P19): contact, failure and maintenance, reporting misuse.

use askama::Template;
use hyper::StatusCode;

use super::page::{Frame, shown, tongue};
use super::texts::help::Texts;
use super::{Ask, Failure, Guest};
use crate::domain::history::Channel;
use crate::fronts::https::reply::Reply;

#[derive(Template)]
#[template(path = "contact.html", config = "src/fronts/https/portal/askama.toml")]
struct Contact {
    frame: Frame,
}

#[derive(Template)]
#[template(path = "misuse.html", config = "src/fronts/https/portal/askama.toml")]
struct Misuse {
    frame: Frame,
}

#[derive(Template)]
#[template(path = "maintenance.html", config = "src/fronts/https/portal/askama.toml")]
struct Maintenance {
    frame: Frame,
    now: Vec<Disturbance>,
    planned: Vec<Disturbance>,
}

/// One interruption as it is told.
#[derive(Clone)]
struct Disturbance {
    channel: &'static str,
    sentence: String,
}

/// Whom to ask.
pub(in crate::fronts::https) fn contact(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    shown(StatusCode::OK, guest, &Contact { frame: Frame::of(ask, guest) })
}

/// Whom to call when somebody misuses an account (J3).
pub(in crate::fronts::https) fn misuse(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    shown(StatusCode::OK, guest, &Misuse { frame: Frame::of(ask, guest) })
}

/// What does not work now, and what is planned (J2). It can be read while SFTP is shut; while the portal is shut,
/// every page says why.
pub(in crate::fronts::https) fn maintenance(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    let (operations, texts) = (&ask.site.operations, Texts::of(guest.language));
    let told = |channel, closures: Vec<crate::operations::Closure>| {
        closures
            .into_iter()
            .map(move |closure| Disturbance { channel, sentence: closure.sentence(tongue(guest)) })
            .collect::<Vec<_>>()
    };
    let now = told(texts.channel_sftp, operations.closure(Channel::Sftp)?.into_iter().collect());
    let (portal, sftp) =
        (operations.announced_closures(Channel::Portal)?, operations.announced_closures(Channel::Sftp)?);
    let (both, only_portal): (Vec<_>, Vec<_>) = portal.into_iter().partition(|closure| sftp.contains(closure));
    let only_sftp = sftp.into_iter().filter(|closure| !both.contains(closure)).collect();
    let planned = [
        told(texts.channel_all, both.clone()),
        told(texts.channel_https, only_portal),
        told(texts.channel_sftp, only_sftp),
    ];
    shown(StatusCode::OK, guest, &Maintenance { frame: Frame::of(ask, guest), now, planned: planned.concat() })
}
