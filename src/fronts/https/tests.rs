//! The front against a real client (curl) over loopback, with every port in memory.
//! Each refusal also asserts what is on record.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::HttpsFront;
use crate::adapters::memory::{
    CountingEntropy, FixedClock, MemoryCatalog, MemoryCodes, MemoryHandover, MemoryKeyring, MemoryMailer,
    MemoryPasskeys, MemoryPasswords, MemoryUnfinished, MemoryVault,
};
use crate::config::Config;
use crate::domain::account::{AccountKind, Language};
use crate::domain::bodies::BodyPeriods;
use crate::domain::history::{Channel, HistoryQuery};
use crate::domain::moment::{Moment, Span};
use crate::domain::names::{EmailAddress, Line, LoginName, OrganisationCode, ProductCode};
use crate::operations::DocumentSettings;
use crate::operations::{
    ConnectionSettings, IntakeSettings, MailSender, NewAccount, NewAgreement, NewOrganisation, NewProduct, NoChecks,
    Operations, PeopleSettings, Ports, Settings, UploadSettings,
};

const PUBLICATION: &str = "9b2f7c1e-52f0-4a55-9d43-0d8c6a1f7e10";

struct World {
    home: tempfile::TempDir,
    operations: Arc<Operations>,
    clock: Arc<FixedClock>,
    public: SocketAddr,
    operator: SocketAddr,
    token: String,
    stop: watch::Sender<bool>,
    served: Vec<JoinHandle<()>>,
}

/// What curl saw.
struct Seen {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

fn settings() -> Settings {
    Settings {
        sender: MailSender::default(),
        open_grace: Span::from_days(1),
        shred_delay: Span::from_days(1),
        history_kept: BodyPeriods {
            sign_ins: Span::from_days(365),
            fetches: Span::from_days(730),
            mail: Span::from_days(180),
            changes: Span::from_days(730),
        },
        coverage_step_bytes: 64 << 20,
        max_open_fetches: 16,
        max_files_per_delivery: 100,
        max_file_bytes: u64::MAX,
        max_stranger_events: 3,
        max_page: 1_000,
        mail_retries: Vec::new(),
        uploads: UploadSettings {
            max_file_bytes: 1 << 20,
            max_unfinished: 10,
            max_account_bytes: 1 << 20,
            max_product_bytes: 1 << 20,
            max_extents: 64,
            max_early_bytes: 1 << 20,
            unfinished_kept: Span::from_days(7),
            resume_grace: Span::from_days(1),
            received_kept: Span::from_days(7),
            uncollected_kept: Span::from_days(90),
        },
        intake: IntakeSettings {
            settle: Span::ZERO,
            duplicate_window: Span::from_days(7),
            cleared_after: Span::from_days(7),
            receipts_kept: Span::from_days(730),
            sealed_to: None,
            collect_only: Vec::new(),
        },
        scrub_every: Span::from_days(30),
        compact_segments: 16,
        four_eyes: false,
        documents: DocumentSettings { max_per_product: 3, max_bytes: 100_000 },
        people: PeopleSettings {
            idle_timeout: Span::from_seconds(1_200),
            session_lasts: Span::from_days(1),
            min_password_chars: 12,
            max_sessions_per_account: 5,
            attempts: 5,
            refused_mail_domains: Vec::new(),
            max_requests: 100,
        },
        terms_grace: Span::from_days(42),
        connections: ConnectionSettings {
            max_machines: 4,
            token_lasts: Span::from_days(90),
            max_token_lasts: Span::from_days(365),
            warn_before: Span::from_days(30),
        },
    }
}

fn members(operations: &Operations) -> String {
    let channel = Channel::CommandLine;
    let line = |text: &str| Line::parse(text).unwrap();
    let (code, product) = (OrganisationCode::parse("gemeente").unwrap(), ProductCode::parse("polis").unwrap());
    let organisation =
        NewOrganisation { code: code.clone(), name: line("Gemeente"), oin: None, kvk: None, mail_domains: Vec::new() };
    operations.add_organisation(organisation, channel).unwrap();
    let new = NewProduct {
        code: product.clone(),
        name: line("Polis"),
        retention: Span::from_days(30),
        requires_marker: false,
        accepts_uploads: false,
        end_to_end: false,
    };
    operations.add_product(new, channel).unwrap();
    let agreement = NewAgreement {
        organisation: code.clone(),
        product: product.clone(),
        purpose: line("Testing"),
        retention: None,
        from: None,
        until: None,
        end_to_end: false,
        history_hidden: false,
    };
    operations.add_agreement(agreement, channel).unwrap();
    let login = LoginName::parse("robot").unwrap();
    let account = NewAccount {
        login: login.clone(),
        organisation: code,
        kind: AccountKind::Machine { owner: EmailAddress::parse("a@example.org").unwrap() },
        is_administrator: false,
        language: Language::Dutch,
    };
    operations.add_account(account, channel).unwrap();
    operations.couple(&login, None, &product, channel).unwrap();
    operations.add_token(&login, None, channel).unwrap().secret
}

fn write_certificate(home: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let keys = home.join("keys");
    std::fs::create_dir_all(&keys).unwrap();
    std::fs::write(keys.join("https-cert.pem"), made.cert.pem()).unwrap();
    let key = keys.join("https-key.pem");
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
}

async fn world() -> World {
    world_with("").await
}

async fn world_with(config: &str) -> World {
    let home = tempfile::tempdir().unwrap();
    write_certificate(home.path());
    let config = Config::from_text(home.path(), Path::new("test.toml"), config, std::iter::empty()).unwrap();
    let clock = Arc::new(FixedClock::at(Moment::from_millis(1_795_569_041_000)));
    let vault = Arc::new(MemoryVault::new());
    let keyring = Arc::new(MemoryKeyring::new());
    let ports = Ports {
        catalog: Arc::new(MemoryCatalog::new()),
        vault: Arc::<MemoryVault>::clone(&vault),
        unfinished: Arc::new(MemoryUnfinished::new(vault)),
        secrets: Arc::clone(&keyring) as Arc<_>,
        signer: Arc::clone(&keyring) as Arc<_>,
        checker: Arc::new(NoChecks),
        handover: Arc::new(MemoryHandover::new()),
        keyring,
        passwords: Arc::new(MemoryPasswords),
        codes: Arc::new(MemoryCodes),
        passkeys: Arc::new(MemoryPasskeys::default()),
        office_passkeys: Arc::new(MemoryPasskeys::default()),
        clock: Arc::clone(&clock) as Arc<_>,
        entropy: Arc::new(CountingEntropy::new()),
        mailer: Arc::new(MemoryMailer::new()),
    };
    let operations = Arc::new(Operations::new(ports, settings()));
    let token = members(&operations);
    let front = Arc::new(HttpsFront::new(Arc::new(config), Arc::clone(&operations)).unwrap());
    let (stop, stopping) = watch::channel(false);
    let public = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let operator = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addresses = (public.local_addr().unwrap(), operator.local_addr().unwrap());
    let (one, two) = (Arc::clone(&front), stopping.clone());
    let served = vec![
        tokio::spawn(async move { one.serve(public, two).await }),
        tokio::spawn(async move { front.serve_operator(operator, stopping).await.unwrap() }),
    ];
    World { home, operations, clock, public: addresses.0, operator: addresses.1, token, stop, served }
}

impl World {
    async fn curl(&self, arguments: &[&str]) -> Seen {
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--noproxy", "*", "--max-time", "20", "--cacert"]);
        command.arg(self.home.path().join("keys/https-cert.pem"));
        let head = tempfile::NamedTempFile::new().unwrap();
        command.arg("--dump-header").arg(head.path()).args(["--write-out", "%{stderr}%{http_code}"]).args(arguments);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let status = told.get(told.len().saturating_sub(3)..).and_then(|code| code.parse().ok());
        let head = std::fs::read_to_string(head.path()).unwrap();
        Seen { status: status.unwrap_or_else(|| panic!("{told}")), head, body: output.stdout }
    }

    fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.public.port())
    }

    async fn ask(&self, path: &str, more: &[&str]) -> Seen {
        let (url, bearer) = (self.url(path), format!("Authorization: Bearer {}", self.token));
        let mut arguments = vec!["-H", bearer.as_str()];
        arguments.extend(more);
        arguments.push(&url);
        self.curl(&arguments).await
    }

    async fn publish(&self, content: &[u8]) -> String {
        let file = self.home.path().join("content");
        std::fs::write(&file, content).unwrap();
        let base = format!("http://{}/operator/publications/{PUBLICATION}", self.operator);
        let put = self.curl(&["-T", file.to_str().unwrap(), &format!("{base}/files/data.csv")]).await;
        assert_eq!(put.status, 201, "{}", String::from_utf8_lossy(&put.body));
        let wanted = ["-H", "Content-Type: application/json", "-d", r#"{"product": "polis"}"#, &base];
        let published = self.curl(&wanted).await;
        assert_eq!(published.status, 201, "{}", String::from_utf8_lossy(&published.body));
        published.json().pointer("/deliveries/0/id").unwrap().as_str().unwrap().to_owned()
    }

    fn happenings(&self) -> Vec<&'static str> {
        let query = HistoryQuery { limit: 1_000, ..HistoryQuery::default() };
        self.operations.history(&query).unwrap().iter().map(|line| line.event.what.word()).collect()
    }

    /// Stops the servers: on return what left is on record.
    async fn stop(mut self) -> Vec<&'static str> {
        self.stop.send(true).unwrap();
        for served in self.served.drain(..) {
            served.await.unwrap();
        }
        self.happenings()
    }
}

fn content(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at * 31 % 251).unwrap()).collect()
}

fn digest(bytes: &[u8]) -> String {
    format!("sha-256=:{}:", data_encoding::BASE64.encode(&Sha256::digest(bytes)))
}

fn count(happenings: &[&str], word: &str) -> usize {
    happenings.iter().filter(|known| **known == word).count()
}

#[tokio::test]
async fn a_file_is_fetched_whole_and_counts_as_fetched() {
    for version in ["--http1.1", "--http2"] {
        let world = world().await;
        let bytes = content(3_000_000);
        let id = world.publish(&bytes).await;
        let seen = world.ask(&format!("/api/v1/deliveries/{id}/files/1/content"), &[version]).await;
        assert_eq!(seen.status, 200);
        assert!(seen.body == bytes);
        assert!(seen.head.starts_with(if version == "--http2" { "HTTP/2 200" } else { "HTTP/1.1 200" }));
        assert_eq!(seen.header("content-length"), Some("3000000"));
        assert_eq!(seen.header("content-type"), Some("application/octet-stream"));
        assert_eq!(
            seen.header("content-disposition"),
            Some("attachment; filename=\"data.csv\"; filename*=UTF-8''data.csv")
        );
        assert_eq!(seen.header("repr-digest"), Some(digest(&bytes).as_str()));
        assert_eq!(seen.header("content-digest"), Some(digest(&bytes).as_str()));
        assert_eq!(seen.header("accept-ranges"), Some("bytes"));
        assert_eq!(seen.header("last-modified"), Some("Wed, 25 Nov 2026 01:10:41 GMT"));
        let happenings = world.stop().await;
        assert_eq!(count(&happenings, "file-fetched"), 1, "{version}: {happenings:?}");
    }
}

#[tokio::test]
async fn ranges_resumes_and_conditions_follow_rfc_9110() {
    let world = world().await;
    let bytes = content(600_000);
    let id = world.publish(&bytes).await;
    let path = format!("/api/v1/deliveries/{id}/files/1/content");

    let head = world.ask(&path, &["--head"]).await;
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, Some("600000"), head.head.len()));
    let etag = head.header("etag").unwrap().to_owned();
    let date = head.header("last-modified").unwrap().to_owned();
    assert_eq!(count(&world.happenings(), "fetch-started"), 0);

    let part = world.ask(&path, &["-r", "1000-1999"]).await;
    assert_eq!((part.status, part.header("content-range")), (206, Some("bytes 1000-1999/600000")));
    assert!(Some(part.body.as_slice()) == bytes.get(1_000..2_000));
    assert_eq!(part.header("content-digest"), Some(digest(&part.body).as_str()));
    assert_eq!(part.header("repr-digest"), Some(digest(&bytes).as_str()));

    let long = world.ask(&path, &["-r", "-500000"]).await;
    assert_eq!((long.status, long.header("content-digest")), (206, Some(digest(&long.body).as_str())));
    assert!(Some(long.body.as_slice()) == bytes.get(100_000..));

    let outside = world.ask(&path, &["-r", "600000-"]).await;
    assert_eq!((outside.status, outside.header("content-range")), (416, Some("bytes */600000")));
    for (condition, status) in [
        (format!("If-Range: {etag}"), 206),
        (format!("If-Range: {date}"), 206),
        ("If-Range: \"other\"".to_owned(), 200),
        (format!("If-None-Match: {etag}"), 304),
        ("If-Match: \"other\"".to_owned(), 412),
        (format!("If-Match: {etag}"), 206),
    ] {
        let seen = world.ask(&path, &["-r", "10-19", "-H", &condition]).await;
        assert_eq!(seen.status, status, "{condition}");
    }
    let malformed = world.ask(&path, &["-H", "Range: bytes=9-2"]).await;
    assert_eq!((malformed.status, malformed.body.len()), (200, 600_000));

    let saved = world.home.path().join("saved");
    std::fs::write(&saved, bytes.get(..250_000).unwrap()).unwrap();
    let resumed = world.ask(&path, &["--continue-at", "-", "-o", saved.to_str().unwrap()]).await;
    assert_eq!(resumed.status, 206);
    assert!(std::fs::read(&saved).unwrap() == bytes);
}

#[tokio::test]
async fn a_part_is_not_the_whole_and_parts_add_up() {
    let world = world().await;
    let id = world.publish(&content(600_000)).await;
    let path = format!("/api/v1/deliveries/{id}/files/1/content");
    world.ask(&path, &["-r", "0-299999"]).await;
    let shown = world.ask(&format!("/api/v1/deliveries/{id}"), &[]).await.json();
    assert_eq!(shown.pointer("/progress"), Some(&json!("started")));
    assert_eq!(count(&world.happenings(), "file-fetched"), 0);
    world.ask(&path, &["-r", "300000-"]).await;
    let happenings = world.stop().await;
    assert_eq!(count(&happenings, "file-released"), 1, "{happenings:?}");
    assert_eq!(count(&happenings, "file-fetched"), 1, "{happenings:?}");
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_the_file_unfetched() {
    use std::io::Read as _;
    let world = world().await;
    let bytes = content(32 << 20);
    let id = world.publish(&bytes).await;
    for version in ["--http1.1", "--http2"] {
        let mut command = Command::new("curl");
        command.args(["--silent", "--insecure", "--noproxy", "*", version, "-H"]);
        command.arg(format!("Authorization: Bearer {}", world.token));
        command.arg(world.url(&format!("/api/v1/deliveries/{id}/files/1/content")));
        let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
        tokio::task::spawn_blocking(move || {
            let mut some = vec![0; 100_000];
            child.stdout.take().unwrap().read_exact(&mut some).unwrap();
            child.kill().unwrap();
            child.wait().unwrap();
        })
        .await
        .unwrap();
    }
    let happenings = world.stop().await;
    assert_eq!(count(&happenings, "fetch-started"), 2, "{happenings:?}");
    assert_eq!(count(&happenings, "fetch-ended"), 2, "{happenings:?}");
    assert_eq!(count(&happenings, "file-released") + count(&happenings, "file-fetched"), 0, "{happenings:?}");
}

#[tokio::test]
async fn strangers_and_wrong_paths_learn_nothing_and_every_answer_has_its_headers() {
    let world = world().await;
    let id = world.publish(b"one").await;
    let path = format!("/api/v1/deliveries/{id}");
    // the first use of a token is on record
    world.ask(&path, &[]).await;
    let before = world.happenings().len();
    let mut answers = vec![
        (401, world.curl(&[&world.url(&path)]).await),
        (401, world.curl(&["-H", "Authorization: Bearer pkt_wrong", &world.url(&path)]).await),
        (404, world.ask(&format!("{path}/"), &[]).await),
        (404, world.ask("/api/v1/deliveries/", &[]).await),
        (404, world.ask("/nothing", &[]).await),
        (404, world.ask("/api/v1/deliveries/nonsense", &[]).await),
        (404, world.ask(&format!("{path}/files/2"), &[]).await),
        (404, world.ask("/api/v1/organisations/other", &[]).await),
        (405, world.ask(&path, &["-X", "DELETE"]).await),
        (400, world.ask("/api/v1/deliveries?limit=0&x=1", &[]).await),
        (404, world.ask("/.well-known/security.txt", &[]).await),
        (404, world.curl(&["-X", "POST", &world.url(&format!("/operator/publications/{PUBLICATION}"))]).await),
    ];
    for (status, seen) in &answers {
        assert_eq!(seen.status, *status, "{}", seen.head);
        assert_eq!(seen.header("content-type"), Some("application/problem+json"));
        assert_eq!(seen.json().get("status"), Some(&json!(status)));
    }
    assert!(answers.iter().any(|(_, seen)| seen.header("www-authenticate").is_some()));
    assert_eq!(world.happenings().len(), before);
    answers.push((200, world.ask("/api/v1/products", &[]).await));
    answers.push((200, world.curl(&[&world.url("/api/v1/openapi.json")]).await));
    answers.push((200, world.curl(&[&world.url("/health/live")]).await));
    for (status, seen) in answers {
        assert_eq!(seen.status, status);
        for name in [
            "cache-control",
            "strict-transport-security",
            "x-content-type-options",
            "x-frame-options",
            "content-security-policy",
            "referrer-policy",
        ] {
            assert!(seen.header(name).is_some(), "{name}: {}", seen.head);
        }
        assert_eq!(seen.header("api-version"), Some("1.0.0"));
        assert_eq!(seen.header("server"), None);
    }
}

#[tokio::test]
async fn too_many_wrong_tokens_make_an_address_wait() {
    let world = world().await;
    let url = world.url("/api/v1/products");
    let mut arguments = vec!["-H", "Authorization: Bearer pkt_wrong", "-o", "/dev/null"];
    arguments.extend(std::iter::repeat_n(url.as_str(), 20));
    world.curl(&arguments).await;
    let seen = world.ask("/api/v1/products", &[]).await;
    assert_eq!((seen.status, seen.header("retry-after")), (429, Some("60")));
    world.clock.advance(Span::from_seconds(60));
    assert_eq!(world.ask("/api/v1/products", &[]).await.status, 200);
}

#[tokio::test]
async fn deliveries_are_listed_page_by_page_with_their_history() {
    let world = world().await;
    let id = world.publish(b"one").await;
    let list = world.ask("/api/v1/deliveries?limit=1&available=true", &[]).await;
    let next = format!("</api/v1/deliveries?limit=1&after={id}&available=true>; rel=\"next\"");
    assert_eq!((list.status, list.header("link")), (200, Some(next.as_str())));
    assert_eq!(list.json().pointer("/deliveries/0/files/0/fileName"), Some(&json!("data.csv")));
    let rest = world.ask(&format!("/api/v1/deliveries?limit=1&after={id}"), &[]).await;
    assert_eq!((rest.json(), rest.header("link")), (json!({ "deliveries": [] }), None));
    let file = world.ask(&format!("/api/v1/deliveries/{id}/files/1"), &[]).await.json();
    assert_eq!(file.get("contentUri"), Some(&json!(format!("/api/v1/deliveries/{id}/files/1/content"))));
    assert_eq!(file.get("size"), Some(&json!(3)));
    let slip = world.ask(&format!("/api/v1/deliveries/{id}/packing-slip"), &[]).await;
    assert_eq!((slip.status, slip.header("content-type")), (200, Some("application/json")));
    assert_eq!(slip.json().pointer("/files/0/name"), Some(&json!("data.csv")));
    world.ask(&format!("/api/v1/deliveries/{id}/files/1/content"), &[]).await;
    let fetches = world.ask(&format!("/api/v1/deliveries/{id}/fetches"), &[]).await.json();
    assert_eq!(fetches.pointer("/fetches/0/event"), Some(&json!("fetch-started")));
    let csv = world.ask("/api/v1/history?since=2026-01-01T00:00:00%2B01:00", &["-H", "Accept: text/csv"]).await;
    assert!(csv.header("content-type").unwrap().starts_with("text/csv"));
    assert!(String::from_utf8(csv.body).unwrap().contains("delivery-published"));
}

#[tokio::test]
async fn publishing_again_gives_the_same_and_a_web_page_cannot() {
    let world = world().await;
    let id = world.publish(b"one").await;
    assert!(!world.home.path().join("spool/.incoming").join(PUBLICATION).exists());
    let base = format!("http://{}/operator/publications/{PUBLICATION}", world.operator);
    let json = ["-H", "Content-Type: application/json", "-d", r#"{"product": "polis"}"#];
    let again = world.curl(&[&json[..], &[base.as_str()]].concat()).await;
    assert_eq!((again.status, again.json().pointer("/deliveries/0/id")), (200, Some(&json!(id))));
    let forged = world.curl(&[&json[..], &["-H", "Origin: https://evil.example", base.as_str()]].concat()).await;
    assert_eq!(forged.status, 403);
    let plain = world.curl(&["-d", r#"{"product": "polis"}"#, &base]).await;
    assert_eq!(plain.status, 400);
    let wrong = ["-H", "Content-Digest: sha-256=:AAAA:", "-T", "/etc/hostname", &format!("{base}/files/x.csv")];
    assert_eq!(world.curl(&wrong).await.status, 400);
    let bad_name = world.curl(&["-T", "/etc/hostname", &format!("{base}/files/.hidden")]).await;
    assert_eq!(bad_name.status, 400);
    let staged = std::fs::read_dir(world.home.path().join("spool/.incoming").join(PUBLICATION)).unwrap();
    assert_eq!(staged.count(), 0);
    assert_eq!(count(&world.stop().await, "delivery-published"), 1);
}

#[tokio::test]
async fn a_tls_version_below_the_minimum_is_refused() {
    let world = world_with("[https]\ntls_minimum = \"1.3\"\n").await;
    let mut command = Command::new("curl");
    command.args(["--silent", "--insecure", "--noproxy", "*", "--tls-max", "1.2"]).arg(world.url("/health/live"));
    let refused = tokio::task::spawn_blocking(move || command.status().unwrap()).await.unwrap();
    assert!(!refused.success());
    assert_eq!(world.curl(&["--tlsv1.3", &world.url("/health/live")]).await.status, 200);
}

#[tokio::test]
async fn a_silent_connection_is_closed() {
    use tokio::io::AsyncReadExt as _;
    let world = world_with("[https]\nhandshake_timeout = \"1s\"\n").await;
    let mut silent = tokio::net::TcpStream::connect(world.public).await.unwrap();
    let read = tokio::time::timeout(Duration::from_secs(10), silent.read(&mut [0; 16])).await;
    assert_eq!(read.unwrap().unwrap(), 0);
}
