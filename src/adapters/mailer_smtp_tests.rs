//! Tests of the SMTP mailer against a tiny relay on a loopback port, which
//! answers by script and records what it was told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::*;
use crate::domain::names::EmailAddress;

/// How long the tiny relay waits for a line: a bound, never reached in a good run.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the tiny relay does.
#[derive(Clone, Copy, Default)]
struct Script {
    /// Extensions told after EHLO.
    extensions: &'static [&'static str],
    /// Answers in place of the good one.
    greeting: Option<&'static str>,
    auth: Option<&'static str>,
    rcpt: Option<&'static str>,
    data_end: Option<&'static str>,
    /// Say nothing at all.
    mute: bool,
    /// Close after this many messages.
    close_after: Option<usize>,
}

/// Serves `connections` connections, one after another; returns each one's lines.
fn relay(script: Script, connections: usize) -> (SocketAddr, JoinHandle<Vec<Vec<String>>>) {
    secured_relay(script, connections, None, false)
}

/// As `relay`, with TLS after STARTTLS or, if `wrapped`, from the start.
fn secured_relay(
    script: Script,
    connections: usize,
    tls: Option<Arc<ServerConfig>>,
    wrapped: bool,
) -> (SocketAddr, JoinHandle<Vec<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let one = move || {
        let stream = listener.accept().unwrap().0;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut lines = Vec::new();
        let upgrade = if wrapped { Some(stream) } else { serve(stream, script, false, &mut lines) };
        if let (Some(stream), Some(tls)) = (upgrade, &tls) {
            let secure = StreamOwned::new(ServerConnection::new(Arc::clone(tls)).unwrap(), stream);
            serve(secure, script, !wrapped, &mut lines);
        }
        lines
    };
    (address, std::thread::spawn(move || (0..connections).map(|_| one()).collect()))
}

/// Talks by script; gives the stream back when STARTTLS was asked for.
fn serve<S: Read + Write>(stream: S, script: Script, upgraded: bool, lines: &mut Vec<String>) -> Option<S> {
    let mut stream = BufReader::new(stream);
    let mut good = script.mute || upgraded || say(&mut stream, script.greeting.unwrap_or("220 tiny"));
    let (mut in_data, mut messages) = (false, 0);
    while good && script.close_after != Some(messages) {
        let mut line = String::new();
        if stream.read_line(&mut line).unwrap_or(0) == 0 {
            return None;
        }
        let line = line.trim_end().to_owned();
        let word = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
        lines.push(line);
        good = match (in_data, word.as_str()) {
            (true, ".") => {
                in_data = false;
                messages += 1;
                say(&mut stream, script.data_end.unwrap_or("250 2.0.0 taken"))
            }
            (true, _) => true,
            (false, "EHLO") => {
                script.extensions.iter().all(|extension| say(&mut stream, &format!("250-{extension}")))
                    && say(&mut stream, "250 8BITMIME")
            }
            (false, "STARTTLS") => return say(&mut stream, "220 go on").then(|| stream.into_inner()),
            (false, "AUTH") => say(&mut stream, script.auth.unwrap_or("235 2.7.0 welcome")),
            (false, "RCPT") => say(&mut stream, script.rcpt.unwrap_or("250 2.1.5 ok")),
            (false, "DATA") => {
                in_data = true;
                say(&mut stream, "354 go on")
            }
            (false, "QUIT") => {
                say(&mut stream, "221 bye");
                return None;
            }
            (false, _) => say(&mut stream, "250 2.0.0 ok"),
        };
    }
    None
}

fn say<S: Read + Write>(stream: &mut BufReader<S>, text: &str) -> bool {
    let stream = stream.get_mut();
    stream.write_all(format!("{text}\r\n").as_bytes()).is_ok() && stream.flush().is_ok()
}

/// A certificate for 127.0.0.1 that vouches for itself: the server's settings and its PEM.
fn certified() -> (Arc<ServerConfig>, Vec<u8>) {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    (Arc::new(config), made.cert.pem().into_bytes())
}

fn mailer(address: SocketAddr, protection: Protection, login: Option<(&str, &str)>) -> SmtpMailer {
    trusting(address, protection, login, None)
}

fn trusting(
    address: SocketAddr,
    protection: Protection,
    login: Option<(&str, &str)>,
    trust_pem: Option<Vec<u8>>,
) -> SmtpMailer {
    let server = SmtpServer {
        host: address.ip().to_string(),
        port: address.port(),
        protection,
        login: login.map(|(user, password)| (user.to_owned(), Zeroizing::new(password.to_owned()))),
        trust_pem,
        timeout: Duration::from_millis(2_000),
    };
    let from = EmailAddress::parse("portal@example.org").unwrap();
    SmtpMailer::new(server, Letterhead::new("Postkluis", &from).unwrap()).unwrap()
}

fn message(id: &str) -> Message {
    Message {
        id: id.to_owned(),
        to: EmailAddress::parse("jan@example.net").unwrap(),
        subject: "Klaar".to_owned(),
        text: "Eén levering.\n.begint met een punt\n".to_owned(),
        html: "<p>Eén levering.</p>".to_owned(),
        language: "nl",
        date_seconds: 1_795_569_041,
    }
}

fn outcome_with(script: Script) -> MailOutcome {
    let (address, served) = relay(script, 1);
    let mailer = mailer(address, Protection::Plain, Some(("u", "geheim")));
    let outcome = mailer.send(&message("a-1"));
    drop(mailer);
    served.join().unwrap();
    outcome
}

const WITH_AUTH: Script = Script {
    extensions: &["AUTH PLAIN LOGIN"],
    greeting: None,
    auth: None,
    rcpt: None,
    data_end: None,
    mute: false,
    close_after: None,
};

#[test]
fn messages_go_over_one_connection_with_envelope_and_headers() {
    let (address, served) = relay(Script::default(), 1);
    let mailer = mailer(address, Protection::StartTlsIfOffered, None);
    assert_eq!(mailer.send(&message("a-1")), MailOutcome::Accepted);
    assert_eq!(mailer.send(&message("a-2")), MailOutcome::Accepted);
    drop(mailer);
    let lines = served.join().unwrap().concat();
    for line in [
        "RCPT TO:<jan@example.net>",
        "Message-ID: <a-1@example.org>",
        "Message-ID: <a-2@example.org>",
        "Auto-Submitted: auto-generated",
    ] {
        assert!(lines.iter().any(|l| l == line), "{line} not in {lines:?}");
    }
    assert!(lines.iter().any(|l| l.starts_with("MAIL FROM:<portal@example.org>")), "{lines:?}");
    assert_eq!(lines.iter().filter(|l| l.starts_with("EHLO")).count(), 1);
}

#[test]
fn a_connection_that_the_relay_closed_is_replaced() {
    let (address, served) = relay(Script { close_after: Some(1), ..Script::default() }, 2);
    let mailer = mailer(address, Protection::Plain, None);
    assert_eq!(mailer.send(&message("a-1")), MailOutcome::Accepted);
    assert_eq!(mailer.send(&message("a-2")), MailOutcome::Accepted);
    drop(mailer);
    assert_eq!(served.join().unwrap().len(), 2);
}

#[test]
fn refused_for_now_is_deferred_and_refused_for_good_is_rejected() {
    let deferred = |why: &str| MailOutcome::Deferred(why.to_owned());
    let rejected = |why: &str| MailOutcome::Rejected(why.to_owned());
    for (script, expected) in [
        (
            Script { rcpt: Some("451 4.7.1 jan@example.net greylisted"), ..WITH_AUTH },
            deferred("the relay answered 451 4.7.1 (sending)"),
        ),
        (
            Script { rcpt: Some("550 5.1.1 <jan@example.net> unknown"), ..WITH_AUTH },
            rejected("the relay answered 550 5.1.1 (sending)"),
        ),
        (
            Script { data_end: Some("554 no jan@example.net here"), ..WITH_AUTH },
            rejected("the relay answered 554 (sending)"),
        ),
        (Script { data_end: Some("452 4.3.1 full"), ..WITH_AUTH }, deferred("the relay answered 452 4.3.1 (sending)")),
        (
            Script { rcpt: Some("530 5.7.0 sign in first"), ..WITH_AUTH },
            deferred("the relay answered 530 5.7.0 (sending)"),
        ),
        (Script { auth: Some("535 5.7.8 bad"), ..WITH_AUTH }, deferred("the relay answered 535 5.7.8 (signing in)")),
        (Script { greeting: Some("554 go away"), ..WITH_AUTH }, deferred("the relay answered 554 (connecting)")),
    ] {
        assert_eq!(outcome_with(script), expected);
    }
}

#[test]
fn without_starttls_nothing_is_sent_when_it_is_required() {
    let (address, served) = relay(WITH_AUTH, 1);
    let mailer = mailer(address, Protection::StartTls, Some(("u", "geheim")));
    let outcome = mailer.send(&message("a-1"));
    assert!(matches!(&outcome, MailOutcome::Deferred(why) if why.contains("STARTTLS")), "{outcome:?}");
    drop(mailer);
    let lines = served.join().unwrap().concat();
    assert!(!lines.iter().any(|line| ["AUTH", "MAIL", "DATA"].iter().any(|word| line.starts_with(word))), "{lines:?}");
}

#[test]
fn the_login_and_the_message_go_only_through_tls() {
    let (tls, pem) = certified();
    let script = Script { extensions: &["STARTTLS", "AUTH PLAIN"], ..Script::default() };
    for (protection, wrapped) in [(Protection::StartTls, false), (Protection::Tls, true)] {
        let (address, served) = secured_relay(script, 1, Some(Arc::clone(&tls)), wrapped);
        let mailer = trusting(address, protection, Some(("u", "geheim")), Some(pem.clone()));
        assert_eq!(mailer.send(&message("a-1")), MailOutcome::Accepted, "{protection:?}");
        drop(mailer);
        let lines = served.join().unwrap().concat();
        let at = |word: &str| lines.iter().position(|line| line.starts_with(word));
        assert!(at("AUTH PLAIN").is_some() && at("AUTH PLAIN") < at("MAIL FROM"), "{lines:?}");
        assert!(wrapped || at("STARTTLS") < at("AUTH PLAIN"), "{lines:?}");
    }
}

#[test]
fn a_relay_with_a_certificate_of_its_own_making_gets_nothing() {
    let (tls, _) = certified();
    let script = Script { extensions: &["STARTTLS", "AUTH PLAIN"], ..Script::default() };
    for (protection, wrapped) in [(Protection::StartTls, false), (Protection::Tls, true)] {
        let (address, served) = secured_relay(script, 1, Some(Arc::clone(&tls)), wrapped);
        let outcome = mailer(address, protection, Some(("u", "geheim"))).send(&message("a-1"));
        assert!(matches!(&outcome, MailOutcome::Deferred(why) if why.contains("certificate")), "{outcome:?}");
        let lines = served.join().unwrap().concat();
        assert!(!lines.iter().any(|line| line.starts_with("AUTH") || line.starts_with("MAIL")), "{lines:?}");
    }
}

#[test]
fn a_relay_that_is_not_there_or_speaks_no_tls_defers() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let outcome = mailer(closed, Protection::Plain, None).send(&message("a-1"));
    assert!(matches!(&outcome, MailOutcome::Deferred(why) if why.contains("(connecting)")), "{outcome:?}");

    let (address, served) = relay(Script::default(), 1);
    let outcome = mailer(address, Protection::Tls, None).send(&message("a-1"));
    assert!(matches!(&outcome, MailOutcome::Deferred(_)), "{outcome:?}");
    served.join().unwrap();
}

#[test]
fn a_mute_relay_costs_no_more_than_the_time_limit() {
    let (address, served) = relay(Script { mute: true, ..Script::default() }, 1);
    let mut patient = mailer(address, Protection::Plain, None);
    patient.server.timeout = Duration::from_millis(50);
    let outcome = patient.send(&message("a-1"));
    assert_eq!(outcome, MailOutcome::Deferred("the relay did not answer in time (connecting)".to_owned()));
    served.join().unwrap();
}

#[test]
fn the_password_is_never_shown() {
    let mailer = mailer("127.0.0.1:1".parse().unwrap(), Protection::StartTls, Some(("u", "geheim")));
    assert!(!format!("{mailer:?} {:?}", mailer.server).contains("geheim"));
}

#[test]
fn a_trust_file_without_certificate_is_a_fault() {
    let from = EmailAddress::parse("portal@example.org").unwrap();
    let server = SmtpServer {
        host: "localhost".to_owned(),
        port: 1,
        protection: Protection::StartTls,
        login: None,
        trust_pem: Some(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec()),
        timeout: Duration::from_secs(1),
    };
    assert!(SmtpMailer::new(server, Letterhead::new("Postkluis", &from).unwrap()).is_err());
}
