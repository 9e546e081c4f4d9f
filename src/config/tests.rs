//! Tests of the configuration as a whole: defaults, faults, environment,
//! the written file and the example files.

use std::os::unix::fs::PermissionsExt;

use super::mail::{MailEncryption, Relay};
use super::*;
use crate::domain::bodies::BodyClass;
use crate::domain::moment::Span;

fn read(text: &str, env: &[(&str, &str)]) -> Result<Config, ConfigFaults> {
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::from_text(Path::new("/srv/home"), Path::new("postkluis.toml"), text, env)
}

fn faults(text: &str, env: &[(&str, &str)]) -> String {
    read(text, env).expect_err("should be refused").to_string()
}

#[test]
fn an_empty_file_gives_the_documented_defaults() {
    let config = read("", &[]).unwrap();
    assert_eq!(config.portal.name.as_str(), "Postkluis");
    assert_eq!(config.portal.time_zone.iana_name(), Some("Europe/Amsterdam"));
    assert_eq!(config.portal.base_url, "https://localhost:8443");
    assert_eq!(config.sftp.listen.to_string(), "127.0.0.1:2222");
    assert_eq!(config.sftp.settings, sftp::SftpSettings::default());
    assert_eq!(config.https.key, Path::new("/srv/home/keys/https-key.pem"));
    let kept = BodyClass::ALL.iter().map(|class| config.retention.history.of(*class));
    assert_eq!(kept.collect::<Vec<_>>(), [365, 730, 180, 730].map(Span::from_days));
    assert_eq!(config.spool.settle.as_secs(), 5);
    assert!(matches!(&config.mail.relay, Relay::Folder(path) if path == Path::new("/srv/home/mail")));
    let patience = config.mail.retry.iter().map(|span| span.millis()).sum::<u64>();
    assert!(patience >= Span::from_days(2).millis(), "{patience}");
}

#[test]
fn all_faults_are_told_at_once_with_file_key_and_remedy() {
    let text = "[sftp]\nlisten = \"here\"\nkeep_alive = \"1s\"\nmax_sessions = 0\n[portl]\n[oidc]\nissuer = \"x\"\n[logging]\nlevel = \"warning\"\n";
    let told = faults(text, &[]);
    for part in [
        "postkluis.toml: sftp.keep_alive: unknown key; did you mean keepalive?; allowed: listen, ",
        "postkluis.toml: portl: unknown section; did you mean [portal]?",
        "postkluis.toml: oidc.issuer: unknown key; allowed: no keys yet in this section",
        "postkluis.toml: sftp.listen: is no address with a port; allowed: an IP address",
        "postkluis.toml: sftp.max_sessions: 0 is out of bounds; allowed: a whole number from 1 to 100000",
        "postkluis.toml: logging.level: unknown value \"warning\"; did you mean \"warn\"?; allowed: \"error\" or ",
    ] {
        assert!(told.contains(part), "{part}\nnot in\n{told}");
    }
    assert_eq!(told.lines().count(), 6, "{told}");
}

#[test]
fn a_syntax_fault_names_its_line() {
    assert!(faults("[portal]\nname = \n", &[]).contains("line 2:"));
}

#[test]
fn wrong_kinds_of_values_are_refused() {
    for (text, part) in [
        ("portal = 3", "portal: is a section"),
        ("[portal]\nname = 3", "portal.name: wrong kind of value (integer)"),
        ("[sftp]\nfolders = 3", "sftp.folders: is a section"),
        ("[sftp]\nmax_sessions = -1", "sftp.max_sessions: -1 is no such number"),
        ("[storage]\nreserve_bytes = \"1 Mb\"", "storage.reserve_bytes: 1 Mb is no such number"),
        ("[retention]\nhistory = \"1h\"", "retention.history: 1h is out of bounds"),
        ("[portal]\ntime_zone = \"Mars\"", "portal.time_zone: \"Mars\" is no known time zone"),
        ("[portal]\nbase_url = \"http://x.nl\"", "portal.base_url: is no https:// address"),
        ("[sftp.folders]\noutbox = \"dropbox\"", "sftp.folders.dropbox: \"dropbox\" is already"),
        ("[sftp.folders]\noutbox = \"../x\"", "sftp.folders.outbox: is no folder name"),
        ("[mail]\nretry = []", "mail.retry: is empty"),
    ] {
        let told = faults(text, &[]);
        assert!(told.contains(part), "{part}\nnot in\n{told}");
    }
}

#[test]
fn every_key_can_be_overridden_by_the_environment() {
    for section in keys::SECTIONS {
        for key in section.keys {
            let name = keys::variable(section.name, key.name);
            let told = faults("", &[(&name, "\u{1}")]);
            assert!(
                told.starts_with(&format!("environment {name}: {}.{}: ", section.name, key.name)),
                "{name}: {told}"
            );
            assert_eq!(told.lines().count(), 1, "{told}");
        }
    }
}

#[test]
fn the_environment_wins_over_the_file() {
    let config = read(
        "[spool]\nsettle_seconds = 9\n[mail]\nrelay = \"folder:x\"\n",
        &[
            ("POSTKLUIS_SPOOL__SETTLE_SECONDS", "0"),
            ("POSTKLUIS_MAIL__RELAY", "smtp://127.0.0.1:2525"),
            ("POSTKLUIS_MAIL__STARTTLS", "none"),
            ("POSTKLUIS_MAIL__RETRY", "1s, 2s"),
            ("POSTKLUIS_SFTP__FOLDERS__OUTBOX", "ophalen"),
            ("POSTKLUIS_SFTP__WINDOW_BYTES", "16 MiB"),
            ("POSTKLUIS_SFTP__LOGIN_GRACE", "5s"),
            ("POSTKLUIS_HOME", "/somewhere"),
            ("HOME", "/root"),
        ],
    )
    .unwrap();
    assert_eq!(config.spool.settle.as_secs(), 0);
    assert_eq!(config.folders.outbox, "ophalen");
    assert_eq!(config.sftp.settings.window_bytes, 16 * 1024 * 1024);
    assert_eq!(config.mail.retry, [Span::from_seconds(1), Span::from_seconds(2)]);
    let Relay::Smtp(relay) = config.mail.relay else { unreachable!("a relay was given") };
    assert_eq!((relay.host.as_str(), relay.port, relay.encryption), ("127.0.0.1", 2525, MailEncryption::Plain));
}

#[test]
fn unknown_variables_are_refused_by_name() {
    let told = faults("", &[("POSTKLUIS_MAIL__RELAI", "x"), ("POSTKLUIS_SIGN_IN__MODE", "x")]);
    assert!(
        told.contains("environment POSTKLUIS_MAIL__RELAI: unknown variable; did you mean POSTKLUIS_MAIL__RELAY?"),
        "{told}"
    );
    assert!(told.contains("environment POSTKLUIS_SIGN_IN__MODE: unknown variable"), "{told}");
    assert_eq!(keys::variable("sign-in", "mode"), "POSTKLUIS_SIGN_IN__MODE");
}

#[test]
fn unencrypted_mail_leaves_this_host_never() {
    for word in ["none", "opportunistic"] {
        let text = format!(
            "[mail]\nrelay = \"smtp://mail.example.org:25\"\nfrom = \"a@example.org\"\nstarttls = \"{word}\"\n"
        );
        assert!(faults(&text, &[]).contains("mail.starttls"));
        assert!(read(&text.replace("mail.example.org", "localhost"), &[]).is_ok());
    }
    assert!(faults("[mail]\nrelay = \"smtp://mail.example.org\"\n", &[]).contains("mail.from: must be set"));
}

#[test]
fn a_password_comes_from_a_private_file_and_is_never_shown() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("password");
    std::fs::write(&path, "geheim-42\n").unwrap();
    let text = "[mail]\nrelay = \"smtps://mail.example.org\"\nfrom = \"a@example.org\"\nuser = \"u\"\npassword_file = \"password\"\n";
    std::fs::write(home.path().join(CONFIG_FILE), text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let told = Config::load(home.path(), std::iter::empty()).unwrap_err().to_string();
    assert!(told.contains("mail.password_file") && told.contains("chmod 600") && !told.contains("geheim-42"), "{told}");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let config = Config::load(home.path(), std::iter::empty()).unwrap();
    assert!(!format!("{config:?}").contains("geheim-42"));
    let Relay::Smtp(relay) = config.mail.relay else { unreachable!("a relay was given") };
    let (user, password) = relay.login.unwrap();
    assert_eq!((user.as_str(), password.reveal()), ("u", "geheim-42"));
}

#[test]
fn a_relay_with_a_password_in_it_is_not_echoed() {
    let told = faults("[mail]\nrelay = \"smtp://u:geheim@mail.example.org\"\n", &[]);
    assert!(told.contains("mail.password_file") && !told.contains("geheim"), "{told}");
}

#[test]
fn a_key_file_open_to_others_is_refused() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join("keys")).unwrap();
    let key = home.path().join("keys/https-key.pem");
    std::fs::write(&key, "x").unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
    let told = Config::defaults(home.path()).unwrap_err().to_string();
    assert!(told.contains("https.key") && told.contains("chmod 600"), "{told}");
}

#[test]
fn a_missing_file_tells_of_init() {
    let home = tempfile::tempdir().unwrap();
    let told = Config::load(home.path(), std::iter::empty()).unwrap_err().to_string();
    assert!(told.contains("postkluis.toml") && told.contains("postkluis init"), "{told}");
}

#[test]
fn the_written_file_reads_back_and_explains_every_key() {
    let text = default_file_text("127.0.0.1:0", "[::1]:9443");
    let config = read(&text, &[]).unwrap();
    assert_eq!(config.sftp.listen.port(), 0);
    assert_eq!(config.portal.base_url, "https://localhost:9443");
    let mut in_section = String::new();
    let mut seen = Vec::new();
    for line in text.lines() {
        assert!(line.chars().count() <= 130, "{line}");
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            in_section = name.to_owned();
        } else if let Some((name, _)) = line.split_once(" = ").filter(|_| !line.starts_with("# ")) {
            seen.push(format!("{in_section}.{}", name.trim_start_matches('#')));
        }
    }
    let known: Vec<String> =
        keys::SECTIONS.iter().flat_map(|s| s.keys.iter().map(|key| format!("{}.{}", s.name, key.name))).collect();
    assert_eq!(seen, known);
}

#[test]
fn the_written_defaults_are_valid_when_uncommented() {
    let text = default_file_text("127.0.0.1:2222", "127.0.0.1:8443");
    let uncomment = |line: &str| match line.strip_prefix('#') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_lowercase()) => rest.to_owned(),
        _ => line.to_owned(),
    };
    let text: Vec<String> = text.lines().map(uncomment).collect();
    let written = read(&text.join("\n"), &[]).unwrap();
    assert_eq!(format!("{written:?}"), format!("{:?}", read("", &[]).unwrap()));
}

#[test]
fn the_example_files_are_valid() {
    for (name, text) in [
        ("small-agency", include_str!("../../config/small-agency.toml")),
        ("demo", include_str!("../../config/demo.toml")),
        ("hardened", include_str!("../../config/hardened.toml")),
    ] {
        let credentials = tempfile::tempdir().unwrap();
        for secret in ["mail-password", "master"] {
            let path = credentials.path().join(secret);
            std::fs::write(&path, "x").unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        let folder = credentials.path().display().to_string();
        let told = read(text, &[("CREDENTIALS_DIRECTORY", &folder)]).map(|_| ()).map_err(|faults| faults.to_string());
        assert_eq!(told, Ok(()), "{name}");
    }
}
