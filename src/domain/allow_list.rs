//! From which addresses somebody may come in: everywhere, or from listed networks only.
//! Knows nothing of sockets, and not whose list it is.

use core::fmt;
use std::net::IpAddr;

use super::names::NameFault;
use super::network::Network;
use super::refusal::Refusal;

/// Networks of one list at most: 64 of 18 bytes are little of a record's 16 KiB, and more than a list that
/// somebody still oversees.
pub const MOST_NETWORKS: usize = 64;

/// The word for a list that allows every address.
const ANY: &str = "any";

/// Networks from which somebody may come in; without any, from anywhere. Each once, in order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AllowList {
    networks: Vec<Network>,
}

impl AllowList {
    /// A list of these networks; of none, it allows every address.
    ///
    /// # Errors
    /// `TooMuch` for more than [`MOST_NETWORKS`] different ones.
    pub fn new(mut networks: Vec<Network>) -> Result<Self, Refusal> {
        networks.sort_unstable();
        networks.dedup();
        if networks.len() > MOST_NETWORKS {
            return Err(Refusal::TooMuch(format!(
                "an allow list holds at most {MOST_NETWORKS} networks, here are {}; join neighbours into larger ones",
                networks.len()
            )));
        }
        Ok(Self { networks })
    }

    /// Reads networks in CIDR form, or `any` alone for a list that allows every address.
    ///
    /// # Errors
    /// A text that is no network, `any` beside networks, no text at all, or too many networks.
    pub fn parse(texts: &[impl AsRef<str>]) -> Result<Self, Refusal> {
        let given = texts.iter().map(|text| text.as_ref().trim());
        if given.len() == 1 && given.clone().all(|text| text == ANY) {
            return Ok(Self::default());
        }
        if given.len() == 0 || given.clone().any(|text| text == ANY) {
            let what = "give the networks to allow, such as 192.0.2.0/24, or `any` alone to allow every address";
            return Err(Refusal::BadRequest(what.to_owned()));
        }
        let networks: Result<Vec<Network>, NameFault> = given.map(Network::parse).collect();
        Self::new(networks?)
    }

    /// Whether somebody may come from this address; an IPv4 address written as IPv6 is the IPv4 address.
    #[must_use]
    pub fn allows(&self, address: IpAddr) -> bool {
        self.networks.is_empty() || self.networks.iter().any(|network| network.contains(address))
    }

    /// Whether it allows every address.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.networks.is_empty()
    }

    /// The networks, in order; none when it allows every address.
    #[must_use]
    pub fn networks(&self) -> &[Network] {
        &self.networks
    }
}

impl fmt::Display for AllowList {
    /// As it is read: `any`, or the networks with commas between them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_open() {
            return f.write_str(ANY);
        }
        for (index, network) in self.networks.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            network.fmt(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(texts: &[&str]) -> AllowList {
        AllowList::parse(texts).expect("a list")
    }

    fn refused(texts: &[&str]) -> String {
        AllowList::parse(texts).expect_err("a refusal").to_string()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn without_networks_every_address_is_allowed() {
        for open in [AllowList::default(), list(&["any"]), AllowList::new(Vec::new()).expect("a list")] {
            assert!(open.is_open() && open.allows(address("203.0.113.9")) && open.allows(address("::1")));
            assert_eq!(open.to_string(), "any");
        }
    }

    #[test]
    fn what_is_in_one_of_the_networks_is_allowed_and_nothing_else() {
        let list = list(&["2001:db8::/32", " 192.0.2.0/24", "192.0.2.0/24", "198.51.100.7"]);
        for inside in ["192.0.2.255", "::ffff:192.0.2.1", "198.51.100.7", "2001:db8:ffff::1"] {
            assert!(list.allows(address(inside)), "{inside}");
        }
        for outside in ["192.0.3.0", "::ffff:192.0.3.0", "198.51.100.8", "2001:db9::1", "::192.0.2.1"] {
            assert!(!list.allows(address(outside)), "{outside}");
        }
        assert_eq!(list.to_string(), "192.0.2.0/24,198.51.100.7,2001:db8::/32");
        let shown = list.to_string();
        assert_eq!(AllowList::parse(&shown.split(',').collect::<Vec<_>>()), Ok(list), "what is written can be read");
    }

    #[test]
    fn every_address_of_one_family_is_not_every_address() {
        assert!(!list(&["0.0.0.0/0"]).allows(address("2001:db8::1")));
        assert!(!list(&["::/0"]).allows(address("192.0.2.1")));
        assert!(!list(&["::/0"]).is_open());
    }

    #[test]
    fn a_bad_list_is_refused_with_what_would_do() {
        for texts in [&[][..], &["any", "192.0.2.0/24"], &["192.0.2.0/24", "any"], &["any", "any"]] {
            assert!(refused(texts).contains("`any` alone"), "{texts:?}");
        }
        assert!(refused(&["192.0.2.0/24", "192.0.2.7/24"]).contains("192.0.2.7 for this address alone"));
        assert!(refused(&[""]).contains("is not a network"));
    }

    #[test]
    fn a_list_is_bounded() {
        let some = |count: usize| (0..count).map(|n| format!("192.0.2.{n}")).collect::<Vec<_>>();
        assert_eq!(AllowList::parse(&some(MOST_NETWORKS)).expect("as many as may be").networks().len(), MOST_NETWORKS);
        let refused = AllowList::parse(&some(MOST_NETWORKS + 1)).expect_err("one too many").to_string();
        assert!(refused.contains("at most 64") && refused.contains("65"), "{refused}");
        assert!(AllowList::parse(&[some(MOST_NETWORKS), some(MOST_NETWORKS)].concat()).is_ok(), "each counts once");
    }
}
