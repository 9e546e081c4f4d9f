//! Bearer tokens (RFC 6750), and the penalty for wrong ones: after 20 within a
//! minute an address has to wait. Holds no token; the table is bounded.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, USER_AGENT};

use super::reply::Reply;
use crate::domain::moment::{Moment, Span};
use crate::domain::refusal::Refusal;
use crate::operations::{Caller, Failure, Operations, Visitor};

/// So many wrong tokens per address and window.
const MOST_WRONG: u32 = 20;

/// The window: one minute.
const WINDOW: Span = Span::from_seconds(60);

/// So many addresses are remembered; above it the one with the oldest window is forgotten.
const MOST_ADDRESSES: usize = 4_096;

/// Longer tokens are wrong without a look: ours have 4 + 43 characters.
const MOST_TOKEN_BYTES: usize = 256;

/// Wrong tokens of the last minute, by address.
#[derive(Default)]
pub(super) struct Penalties {
    wrong: Mutex<HashMap<IpAddr, (Moment, u32)>>,
}

impl Penalties {
    /// Seconds to wait when the address has to.
    fn wait_seconds(&self, address: IpAddr, now: Moment) -> Option<u64> {
        let wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, count) = *wrong.get(&network(address))?;
        let end = since.after(WINDOW);
        (count >= MOST_WRONG && now < end).then(|| end.since(now).millis().div_ceil(1_000))
    }

    fn count(&self, address: IpAddr, now: Moment) {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        if wrong.len() >= MOST_ADDRESSES {
            wrong.retain(|_, (since, _)| now < since.after(WINDOW));
            if wrong.len() >= MOST_ADDRESSES {
                let oldest = wrong.iter().min_by_key(|(_, (since, _))| *since).map(|(address, _)| *address);
                oldest.and_then(|address| wrong.remove(&address));
            }
        }
        let entry = wrong.entry(network(address)).or_insert((now, 0));
        if now >= entry.0.after(WINDOW) {
            *entry = (now, 0);
        }
        entry.1 = entry.1.saturating_add(1);
    }
}

/// An IPv6 customer has a /64 at least: it counts as one address.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

/// Signs in whoever asks, by the token in `Authorization`. Blocks.
///
/// # Errors
/// The reply: 401 without or with a wrong token, 429 after too many, 403 when blocked or ended.
pub(super) fn sign_in(
    operations: &Operations,
    penalties: &Penalties,
    headers: &HeaderMap,
    address: IpAddr,
) -> Result<Caller, Box<Reply>> {
    let Some(given) = headers.get(AUTHORIZATION) else { return Err(Box::new(Reply::not_signed_in(false))) };
    let now = operations.now();
    if let Some(seconds) = penalties.wait_seconds(address, now) {
        return Err(Box::new(Reply::too_often(seconds)));
    }
    let token = given.to_str().ok().and_then(|given| given.split_once(' ')).filter(|(scheme, token)| {
        scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && token.len() <= MOST_TOKEN_BYTES
    });
    let client = headers.get(USER_AGENT).and_then(|client| client.to_str().ok()).map(str::to_owned);
    let visitor = Visitor { address, client };
    let outcome = match token {
        Some((_, token)) => operations.sign_in_with_token(token.trim(), &visitor),
        None => Err(Refusal::NotSignedIn.into()),
    };
    outcome.map_err(|failure| {
        match &failure {
            Failure::Refused(Refusal::NotSignedIn) => penalties.count(address, now),
            Failure::Refused(Refusal::NotFromHere(list_of)) => {
                tracing::warn!(%address, "a token was refused: outside the allow list of the {list_of}");
                penalties.count(address, now);
            }
            _ => {}
        }
        Box::new(Reply::failure("signing in with a token", &failure))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_waits_after_twenty_wrong_tokens_until_the_minute_is_over() {
        let penalties = Penalties::default();
        let address: IpAddr = "192.0.2.7".parse().unwrap();
        let start = Moment::from_millis(1_000);
        for _ in 0..MOST_WRONG {
            assert_eq!(penalties.wait_seconds(address, start), None);
            penalties.count(address, start);
        }
        assert_eq!(penalties.wait_seconds(address, start), Some(60));
        assert_eq!(penalties.wait_seconds("::ffff:192.0.2.7".parse().unwrap(), start), Some(60));
        assert_eq!(penalties.wait_seconds("192.0.2.8".parse().unwrap(), start), None);
        assert_eq!(penalties.wait_seconds(address, start.after(WINDOW)), None);
        penalties.count(address, start.after(WINDOW));
        assert_eq!(penalties.wait_seconds(address, start.after(WINDOW)), None);
    }

    #[test]
    fn the_table_is_bounded() {
        let penalties = Penalties::default();
        for host in 0..10_000u32 {
            penalties.count(IpAddr::V4(host.into()), Moment::from_millis(u64::from(host)));
        }
        assert!(penalties.wrong.lock().unwrap().len() <= MOST_ADDRESSES);
    }
}
