//! Commands that people paste into their own client, with the login and the host filled in.
//! Pure; holds no secret: what is secret stands as a placeholder.

use crate::fronts::server_facts::ServerFacts;

/// Commands for one client.
pub(super) struct Client {
    /// Its name.
    pub(super) name: &'static str,
    /// What to type.
    pub(super) lines: String,
}

/// The steps of the test: sign in, list, fetch.
pub(super) struct Steps {
    pub(super) sign_in: String,
    pub(super) list: String,
    pub(super) fetch: String,
}

/// The steps of the test with OpenSSH.
pub(super) fn steps(facts: &ServerFacts, login: &str, outbox: &str) -> Steps {
    let ServerFacts { sftp_host, sftp_port, .. } = facts;
    Steps {
        sign_in: format!("sftp -P {sftp_port} -i id_ed25519 {login}@{sftp_host}"),
        list: format!("ls -l {outbox}"),
        fetch: format!("get -r {outbox}"),
    }
}

/// Commands for clients that are much used.
pub(super) fn clients(facts: &ServerFacts, base_url: &str, login: &str, outbox: &str) -> Vec<Client> {
    let ServerFacts { sftp_host, sftp_port, host_keys, .. } = facts;
    let known = host_keys.iter().filter(|key| key.in_use).map(|key| key.known_hosts.clone()).collect::<Vec<_>>();
    let ed25519 = host_keys.iter().find(|key| key.in_use && key.known_hosts.contains(" ssh-ed25519 "));
    let winscp_key = ed25519.map_or_else(
        || "*".to_owned(),
        |key| format!("ssh-ed25519 255 {}", key.fingerprint.trim_start_matches("SHA256:")),
    );
    vec![
        Client {
            name: "OpenSSH",
            lines: format!(
                "ssh-keygen -t ed25519 -f id_ed25519\n\
                 cat > known_hosts <<'EOF'\n{}\nEOF\n\
                 echo 'get -r {outbox}' | sftp -b - -P {sftp_port} -i id_ed25519 -o UserKnownHostsFile=known_hosts \
                 {login}@{sftp_host}",
                known.join("\n")
            ),
        },
        Client {
            name: "WinSCP",
            lines: format!(
                "open sftp://{login}@{sftp_host}:{sftp_port}/ -hostkey=\"{winscp_key}\" -privatekey=\"id_ed25519.ppk\"\n\
                 synchronize local \"C:\\postkluis\" \"/{outbox}\"\n\
                 exit"
            ),
        },
        Client {
            name: "lftp",
            lines: format!(
                "lftp -e \"set sftp:connect-program 'ssh -a -x -i id_ed25519'; mirror {outbox} postkluis; exit\" \
                 -p {sftp_port} sftp://{login}@{sftp_host}"
            ),
        },
        Client {
            name: "curl (API)",
            lines: format!(
                "(umask 077; echo 'header = \"Authorization: Bearer TOKEN\"' > token.conf)\n\
                 curl --fail --config token.conf '{base_url}/api/v1/deliveries?available=true'\n\
                 curl --fail --config token.conf --remote-name --remote-header-name \
                 '{base_url}/api/v1/deliveries/ID/files/1/content'"
            ),
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fronts::server_facts::HostKeyFact;

    #[test]
    fn every_client_gets_the_login_the_host_and_the_key_that_is_in_use() {
        let key = |in_use, name: &str| HostKeyFact {
            in_use,
            algorithm: String::new(),
            fingerprint: format!("SHA256:{name}"),
            known_hosts: format!("[files.example]:22 ssh-ed25519 {name}"),
            sshfp: String::new(),
        };
        let facts = ServerFacts {
            sftp_host: "files.example".to_owned(),
            sftp_port: 22,
            host_keys: vec![key(true, "now"), key(false, "next")],
            certificate: None,
        };
        for client in clients(&facts, "https://files.example", "alpha-robot", "outbox") {
            assert!(client.lines.contains("files.example") && !client.lines.contains("next"), "{}", client.lines);
            assert!(client.lines.contains("alpha-robot") || client.name.starts_with("curl"), "{}", client.lines);
        }
        assert_eq!(steps(&facts, "alpha-robot", "ophalen").list, "ls -l ophalen");
    }
}
