//! Allow lists with the real program, OpenSSH and `curl`: who comes from outside is met as
//! a stranger is, the operator learns of it, and whoever is left out later is cut off.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::ssh_algorithms::World;
use crate::support::clients::{SftpClient, curl, ssh_key};

const LOGIN: &str = "alpha-robot";
/// Addresses of this machine that the outside never uses.
const HOME: &str = "127.0.0.2";
const AWAY: &str = "127.0.0.1";
const PATIENCE: Duration = Duration::from_secs(30);

impl World {
    /// Whether SFTP lets the account in from an address, and what the client said of it.
    fn enters(&self, client: &SftpClient, address: &str) -> (bool, String) {
        let mut command = std::process::Command::new("sftp");
        command.arg("-F").arg(client.config()).args(["-o", &format!("BindAddress={address}")]);
        command.args(["-o", "LogLevel=DEBUG1", "-b", "-", "vault"]);
        let ended = crate::support::programs::finish_with(&mut command, b"ls\n", PATIENCE);
        (ended.status.success(), ended.stderr)
    }

    /// The whole answer to a token from an address, but for the time of day.
    fn answer(&self, token: &str, address: &str) -> String {
        let bearer = format!("Authorization: Bearer {token}");
        let arguments = ["--include", "--interface", address, "--header", &bearer];
        let said = curl(&self.server, "/api/v1/accounts/me", &arguments).expect_code(0).text();
        said.lines().filter(|line| !line.to_lowercase().starts_with("date:")).collect::<Vec<_>>().join("\n")
    }

    fn token(&self) -> String {
        let added = self.server.done(&["token", "add", "--account", LOGIN]);
        added.get("secret").and_then(Value::as_str).expect("a secret").to_owned()
    }

    fn allow(&self, noun: &str, who: &str, networks: &str) -> Value {
        self.server.done(&[noun, "change", who, "--allow-from", networks])
    }

    fn history(&self, event: &str) -> Vec<Value> {
        let lines = self.server.done(&["history", "list"]);
        let lines = lines.as_array().expect("a list").iter();
        lines.filter(|line| line.get("event") == Some(&json!(event))).cloned().collect()
    }
}

fn member<'a>(line: &'a Value, name: &str) -> &'a str {
    line.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// What the server answered while somebody tried to sign in.
fn answers(said: &str) -> Vec<&str> {
    let telling = ["Authentications that can continue", "Server accepts key", "Permission denied", "banner"];
    said.lines().filter(|line| telling.iter().any(|word| line.contains(word))).collect()
}

#[test]
fn a_key_from_outside_is_met_as_an_unknown_one() {
    let world = World::start(&[]);
    let stranger = ssh_key(&world.server.desk("strangers"), "stranger");
    world.allow("account", LOGIN, HOME);
    let (entered, said) = world.enters(&world.client, HOME);
    assert!(entered && said.contains("Server accepts key"), "{said}");
    let signed_in = world.history("signed-in").len();

    let (entered, outside) = world.enters(&world.client, AWAY);
    assert!(!entered, "{outside}");
    let (entered, unknown) = world.enters(&SftpClient::new(&world.server, LOGIN, &stranger), AWAY);
    assert!(!entered, "{unknown}");
    assert!(!answers(&outside).is_empty() && !outside.contains("Server accepts key"), "{outside}");
    assert_eq!(answers(&outside), answers(&unknown));

    let refused = world.history("sign-in-refused");
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!((member(&refused[0], "address"), member(&refused[0], "login")), (AWAY, LOGIN));
    assert_eq!(member(&refused[0], "channel"), "sftp");
    assert!(member(&refused[0], "note").contains("outside the allow list of the account"), "{refused:?}");
    assert_eq!(world.history("signed-in").len(), signed_in);
    let log = world.server.logged();
    assert_eq!(log.matches("outside the allow list of the account").count(), 1, "{log}");

    world.allow("account", LOGIN, "any");
    let client = SftpClient::new(&world.server, LOGIN, &world.key);
    assert!(world.enters(&client, AWAY).0);
}

#[test]
fn a_token_from_outside_is_met_as_a_wrong_one() {
    let world = World::start(&[]);
    let token = world.token();
    world.allow("organisation", "alpha", &format!("{HOME},::1,192.0.2.0/24"));
    assert!(world.answer(&token, HOME).contains(" 200"));
    let refused = world.answer(&token, AWAY);
    assert!(refused.contains(" 401") && !refused.contains("allow"), "{refused}");
    assert_eq!(refused, world.answer("pkt_wrong", AWAY));
    let told = world.history("sign-in-refused");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((member(&told[0], "address"), member(&told[0], "channel")), (AWAY, "api"));
    assert!(member(&told[0], "note").contains("outside the allow list of the organisation"), "{told:?}");
    assert_eq!(world.server.logged().matches("outside the allow list of the organisation").count(), 1);

    // the account's own list narrows that of the organisation, and widens nothing
    world.allow("account", LOGIN, &format!("{AWAY},{HOME}"));
    assert!(world.answer(&token, HOME).contains(" 200") && world.answer(&token, AWAY).contains(" 401"));
    world.allow("organisation", "alpha", "any");
    assert!(world.answer(&token, AWAY).contains(" 200"));
    // it waits as long as others that show wrong tokens
    world.allow("account", LOGIN, HOME);
    let begun = Instant::now();
    while !world.answer(&token, AWAY).contains(" 429") {
        assert!(begun.elapsed() < PATIENCE, "the address never has to wait");
    }
    assert!(world.answer(&token, HOME).contains(" 200"));
}

#[test]
fn addresses_of_both_families_are_told_apart_on_one_socket() {
    let mapped = "[::ffff:127.0.0.1]:0";
    let world = World::start(&[("POSTKLUIS_SFTP__LISTEN", mapped)]);
    world.allow("account", LOGIN, "127.0.0.0/30");
    let (entered, said) = world.enters(&world.client, "::ffff:127.0.0.2");
    assert!(entered, "an IPv4 address written as IPv6: {said}");
    world.allow("account", LOGIN, "127.0.0.1/32,::1");
    assert!(!world.enters(&world.client, "::ffff:127.0.0.2").0);
    assert!(world.enters(&world.client, "::ffff:127.0.0.1").0);
    let addresses: BTreeSet<String> =
        world.history("sign-in-refused").iter().map(|line| member(line, "address").replace("::ffff:", "")).collect();
    assert_eq!(addresses, BTreeSet::from([HOME.to_owned()]));
}

#[test]
fn lists_are_shown_kept_and_refused_when_wrong() {
    let mut world = World::start(&[]);
    let listed = json!(["192.0.2.0/24", "198.51.100.7", "2001:db8::/32"]);
    let shown = world.allow("account", LOGIN, "2001:db8::/32,192.0.2.0/24,::ffff:198.51.100.7,192.0.2.0/24");
    assert_eq!(shown.get("allowFrom"), Some(&listed));
    world.allow("organisation", "alpha", "192.0.2.0/24");
    for (networks, why) in [
        ("192.0.2.7/24", "192.0.2.0/24 for the whole network or 192.0.2.7 for this address alone"),
        ("192.0.2.0/24,192.0.2.0/33", "a length from 0 to 32, the bits of an IPv4 address"),
        ("2001:db8::/129", "a length from 0 to 128, the bits of an IPv6 address"),
        ("vault.example", "such as 192.0.2.0/24"),
        ("any,192.0.2.0/24", "`any` alone"),
        ("", "is not a network"),
    ] {
        for (noun, who) in [("account", LOGIN), ("organisation", "alpha")] {
            let said = world.server.refused(&[noun, "change", who, "--allow-from", networks]);
            assert!(said.contains(why), "{networks}: {said}");
        }
    }
    let many: Vec<String> = (0..65).map(|n| format!("192.0.2.{n}")).collect();
    let said = world.server.refused(&["account", "change", LOGIN, "--allow-from", &many.join(",")]);
    assert!(said.contains("at most 64 networks"), "{said}");
    world.server.run(&["account", "change", LOGIN]).expect_code(2);
    let said = world.server.refused(&["account", "change", "nobody", "--allow-from", "any"]);
    assert!(said.contains("no such account"), "{said}");
    assert_eq!(world.history("account-changed").len(), 1, "what was refused changed nothing");
    assert_eq!(world.history("organisation-changed").len(), 1);

    world.server.kill9();
    world.server.serve();
    assert_eq!(world.server.done(&["account", "show", LOGIN]).get("allowFrom"), Some(&listed));
    assert_eq!(world.server.done(&["account", "list"])[0].get("allowFrom"), Some(&listed));
    for organisation in
        [world.server.done(&["organisation", "show", "alpha"]), world.server.done(&["organisation", "list"])[0].clone()]
    {
        assert_eq!(organisation.get("allowFrom"), Some(&json!(["192.0.2.0/24"])));
    }
    let text = world.server.run(&["account", "list"]).expect_code(0).text();
    assert!(text.contains("ALLOWFROM") && text.contains("198.51.100.7"), "{text}");
    world.server.done(&["organisation", "change", "alpha", "--name", "Alpha again"]);
    let shown = world.server.done(&["organisation", "show", "alpha"]);
    assert_eq!(shown.get("allowFrom"), Some(&json!(["192.0.2.0/24"])), "what is not named stays");
}
