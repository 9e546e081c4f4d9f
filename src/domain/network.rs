//! Parts of the address space: one address or all that begin alike, as written
//! in CIDR (RFC 4632, RFC 4291 §2.3). Knows nothing of sockets.

use core::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::names::NameFault;

const WHAT: &str = "a network";
const RULE: &str =
    "the first address and the number of bits that count, such as 192.0.2.0/24 or 2001:db8::/32, or one address";

/// What one IPv6 subscriber is given at least (RFC 6177): the addresses in it are one source.
const IPV6_SOURCE_BITS: u8 = 64;

/// All addresses that begin with the same bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Network {
    first: IpAddr,
    bits: u8,
}

impl Network {
    /// Reads `192.0.2.0/24`, `2001:db8::/32`, or one address.
    ///
    /// # Errors
    /// It is no address, the length is out of bounds, or bits are set behind it; the fault says which, and what
    /// would do.
    pub fn parse(text: &str) -> Result<Self, NameFault> {
        let fault = |rule: String| NameFault::new(text, WHAT, rule);
        let (address, digits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| NameFault::new(text, WHAT, RULE))?;
        let most = width(address);
        let bits = match digits {
            None => most,
            // `parse` alone would take a sign
            Some(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                let bits = digits.parse().ok().filter(|bits| *bits <= most);
                let family = if address.is_ipv4() { "IPv4" } else { "IPv6" };
                bits.ok_or_else(|| fault(format!("a length from 0 to {most}, the bits of an {family} address")))?
            }
            Some(_) => return Err(NameFault::new(text, WHAT, RULE)),
        };
        let first = begin(address, bits);
        if first != address {
            let network = Self { first, bits };
            return Err(fault(format!("{network} for the whole network or {address} for this address alone")));
        }
        Ok(Self { first, bits }.plain())
    }

    /// What counts as one source of connections: an IPv4 address, or the /64 of an IPv6 address.
    #[must_use]
    pub fn source_of(address: IpAddr) -> Self {
        let address = address.to_canonical();
        let bits = if address.is_ipv4() { width(address) } else { IPV6_SOURCE_BITS };
        Self { first: begin(address, bits), bits }
    }

    /// About from where an address comes, for people: 256 addresses, or the /48 of one site (RFC 6177).
    #[must_use]
    pub fn around(address: IpAddr) -> Self {
        let address = address.to_canonical();
        let bits = if address.is_ipv4() { 24 } else { 48 };
        Self { first: begin(address, bits), bits }
    }

    /// Whether an address lies in it; an IPv4 address written as IPv6 is the IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.first.is_ipv4() && begin(address, self.bits) == self.first
    }

    /// `::ffff:192.0.2.0/120` is 192.0.2.0/24.
    fn plain(self) -> Self {
        match (self.first.to_canonical(), self.bits.checked_sub(128 - 32)) {
            (first @ IpAddr::V4(_), Some(bits)) if self.first.is_ipv6() => Self { first, bits },
            _ => self,
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.bits == width(self.first) { self.first.fmt(f) } else { write!(f, "{}/{}", self.first, self.bits) }
    }
}

const fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The address with nothing set behind `bits`.
fn begin(address: IpAddr, bits: u8) -> IpAddr {
    let bits = u32::from(bits);
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(u32::BITS.saturating_sub(bits)).unwrap_or(0);
            Ipv4Addr::from_bits(address.to_bits() & mask).into()
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(u128::BITS.saturating_sub(bits)).unwrap_or(0);
            Ipv6Addr::from_bits(address.to_bits() & mask).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn networks_are_read_written_and_hold_what_begins_alike() {
        for (text, shown, inside, outside) in [
            ("192.0.2.0/24", "192.0.2.0/24", "192.0.2.255", "192.0.3.0"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.7", "192.0.2.6"),
            ("192.0.2.7/32", "192.0.2.7", "::ffff:192.0.2.7", "192.0.2.8"),
            ("2001:DB8::/32", "2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("::1", "::1", "::1", "0.0.0.1"),
            ("::ffff:192.0.2.0/120", "192.0.2.0/24", "192.0.2.1", "192.0.1.1"),
            ("128.0.0.0/1", "128.0.0.0/1", "255.255.255.255", "127.0.0.1"),
        ] {
            let network = Network::parse(text).expect(text);
            assert_eq!(network.to_string(), shown);
            assert_eq!(Network::parse(shown), Ok(network), "what is written can be read");
            assert!(network.contains(address(inside)), "{inside} in {text}");
            assert!(!network.contains(address(outside)), "{outside} not in {text}");
        }
        let all = Network::parse("0.0.0.0/0").expect("everything");
        assert!(all.contains(address("203.0.113.9")) && !all.contains(address("::1")));
        assert!(Network::parse("::/0").expect("everything").contains(address("2001:db8::1")));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in
            ["", "/", "/8", "192.0.2.0/", "192.0.2.0/33", "::/129", "192.0.2.1/24", "192.0.2.0/+8", "1.2.3/8", "host"]
        {
            assert!(Network::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_fault_says_what_would_do() {
        let said = |text| Network::parse(text).expect_err(text).to_string();
        let set = said("192.0.2.7/24");
        assert!(set.contains("192.0.2.0/24 for the whole network or 192.0.2.7 for this address alone"), "{set}");
        assert!(said("2001:db8::1/32").contains("2001:db8::/32 for the whole network"));
        assert!(said("192.0.2.0/33").contains("a length from 0 to 32, the bits of an IPv4 address"));
        assert!(said("192.0.2.0/4294967296").contains("from 0 to 32"));
        assert!(said("::/129").contains("a length from 0 to 128, the bits of an IPv6 address"));
        assert!(said("vault.example").contains("such as 192.0.2.0/24"));
    }

    #[test]
    fn one_source_is_an_ipv4_address_or_half_an_ipv6_address() {
        let source = |text| Network::source_of(address(text)).to_string();
        assert_eq!(source("192.0.2.7"), "192.0.2.7");
        assert_eq!(source("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(source("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
    }
}
