//! Who may bring a resumable upload: an account with a token, or a person with the session of the portal, whose own
//! pages alone can send what is asked for.

use std::net::IpAddr;

use hyper::header::{AUTHORIZATION, COOKIE, HeaderName};

use crate::domain::history::Channel;
use crate::domain::refusal::Refusal;
use crate::fronts::https::ask::Ask;
use crate::fronts::https::bearer;
use crate::fronts::https::portal::{Guest, Member, is_from_elsewhere};
use crate::fronts::https::reply::Reply;
use crate::operations::Caller;

/// The header that every request of a tus client has, and that a page of another site cannot send.
pub(super) const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");

/// Who asks, there where the path says. Blocks.
///
/// # Errors
/// The reply: an interruption, 401, 403, 404 for what can be no client.
pub(super) fn of(ask: &Ask, address: IpAddr) -> Result<Caller, Box<Reply>> {
    let by_session = !ask.headers.contains_key(AUTHORIZATION) && ask.headers.contains_key(COOKIE);
    let channel = if by_session { Channel::Portal } else { Channel::Api };
    match ask.site.operations.closure(channel) {
        Ok(None) => {}
        Ok(Some(closure)) => return Err(Box::new(Reply::refusal(&closure.refusal()))),
        Err(failure) => return Err(super::failed(&failure)),
    }
    let caller = if by_session {
        of_session(ask, address)?
    } else {
        bearer::sign_in(&ask.site.operations, &ask.site.penalties, &ask.headers, address)?
    };
    ask.place(&caller).map_err(|failure| super::failed(&failure))
}

/// Cookies come along with whatever page asks. Browsers let no page of another site send the header of tus without
/// asking here first, which is never allowed; and they say where a request comes from.
fn of_session(ask: &Ask, address: IpAddr) -> Result<Caller, Box<Reply>> {
    if !ask.headers.contains_key(TUS_RESUMABLE) || is_from_elsewhere(&ask.headers, ask.authority.as_deref()) {
        return Err(Box::new(Reply::refusal(&Refusal::NotAllowed("only from a page of this site"))));
    }
    let guest = Guest::of(ask, address).map_err(|failure| super::failed(&failure))?;
    let Ok(member) = Member::of(&guest) else { return Err(Box::new(Reply::not_signed_in(false))) };
    // nothing before the terms of use are accepted (I6)
    if member.visit.has_terms_open {
        let address = format!("{}/terms/accept", ask.site.config.portal.base_url);
        return Err(Box::new(Reply::refusal(&Refusal::TermsNotAccepted { address })));
    }
    Ok(member.visit.caller)
}
