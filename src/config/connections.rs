//! `[connections]`: what administrators may make in the portal, and where clients reach SFTP.
//! Knows nothing of accounts.

use super::file::Settings;
use super::keys::{DAY, Key, Kind, key, optional};
use crate::domain::moment::Span;

/// `[connections]`.
#[derive(Clone, Debug)]
pub struct ConnectionLimits {
    /// Machine accounts of one organisation.
    pub max_machine_accounts: usize,
    /// How long a token lasts when nobody says otherwise.
    pub token_lasts: Span,
    /// How long a token lasts at most.
    pub max_token_lasts: Span,
    /// How long before its end a key or token is told of.
    pub warn_before: Span,
    /// Host name and port by which clients reach SFTP.
    pub sftp_address: Option<(String, u16)>,
}

pub(super) const KEYS: &[Key] = &[
    key(
        "max_machine_accounts",
        Kind::Whole(1, 10_000),
        "100",
        "Machine accounts of one organisation that its administrators may make; the operator's count too, and those that ended today.",
    ),
    key(
        "token_lasts",
        Kind::Period(DAY, 3_650 * DAY),
        "\"90d\"",
        "An API token ends after so long, if nobody says when.",
    ),
    key(
        "max_token_lasts",
        Kind::Period(DAY, 3_650 * DAY),
        "\"365d\"",
        "An API token made in the portal ends after so long at the latest.",
    ),
    key(
        "warn_before",
        Kind::Period(DAY, 365 * DAY),
        "\"30d\"",
        "Owner and administrators are told so long before an SSH key or API token ends; of one that lasts shorter, at half of its time.",
    ),
    optional(
        "sftp_address",
        Kind::Text,
        "Host name and port by which clients reach SFTP, such as \"files.example.org:22\", shown in the portal. Left out: the host of portal.base_url and the port of sftp.listen.",
    ),
];

const ADDRESS_RULE: &str = "a host name with a port, such as files.example.org:22";

pub(super) fn read(settings: &mut Settings) -> Option<ConnectionLimits> {
    let sftp_address = settings.parsed_optional("connections.sftp_address", ADDRESS_RULE, host_and_port)?;
    let section = ConnectionLimits {
        max_machine_accounts: settings.count("connections.max_machine_accounts")?,
        token_lasts: settings.period("connections.token_lasts")?,
        max_token_lasts: settings.period("connections.max_token_lasts")?,
        warn_before: settings.period("connections.warn_before")?,
        sftp_address,
    };
    if section.max_token_lasts < section.token_lasts {
        let is_below = "is below connections.token_lasts".to_owned();
        settings.refuse("connections.max_token_lasts", is_below, "at least as long");
    }
    Some(section)
}

fn host_and_port(text: &str) -> Result<(String, u16), &'static str> {
    let wrong = "is no host name with a port";
    let (host, port) = text.rsplit_once(':').ok_or(wrong)?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    let port = port.parse().ok().filter(|port| *port > 0).ok_or(wrong)?;
    if host.is_empty() || host.len() > 253 || !host.chars().all(is_plain) {
        return Err(wrong);
    }
    Ok((host.to_ascii_lowercase(), port))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::Config;

    fn read(section: &str) -> Result<Config, String> {
        let home = tempfile::tempdir().unwrap();
        let text = format!("[connections]\n{section}\n");
        Config::from_text(home.path(), Path::new("f"), &text, std::iter::empty()).map_err(|faults| faults.to_string())
    }

    #[test]
    fn an_address_has_a_host_and_a_port() {
        let address =
            |text: &str| read(&format!("sftp_address = \"{text}\"")).map(|read| read.connections.sftp_address);
        assert_eq!(address("Files.example.org:22"), Ok(Some(("files.example.org".to_owned(), 22))));
        for wrong in ["files.example.org", "files.example.org:0", "files.example.org:66000", ":22", "a b:22", "a<b>:22"]
        {
            let said = address(wrong).unwrap_err();
            assert!(said.contains("sftp_address") && said.contains("such as files.example.org:22"), "{said}");
        }
    }

    #[test]
    fn the_longest_time_of_a_token_is_no_shorter_than_the_usual_one() {
        assert!(read("max_token_lasts = \"90d\"").is_ok());
        let said = read("max_token_lasts = \"89d\"").unwrap_err();
        assert!(said.contains("max_token_lasts") && said.contains("at least as long"), "{said}");
    }
}
