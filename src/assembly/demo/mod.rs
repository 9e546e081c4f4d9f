//! `postkluis demo`: the sample world through a real server, a full round
//! trip over SFTP, HTTPS and e-mail, expiry seen, and a report. Fails loudly
//! when a step fails.
#![expect(clippy::disallowed_methods, reason = "the demonstration makes and reads its own files")]

mod pull;
mod world;

use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use russh::keys::{Algorithm, PrivateKey, ssh_key};
use serde_json::{Value, json};

use self::pull::{Client, Robot, failed};
use self::world::World;
use super::{Server, StartError, home};
use crate::config::{Config, environment};
use crate::fronts::cli::client::{self, Request};

/// Expiry must be seen within this time.
const EXPIRY_PATIENCE: Duration = Duration::from_secs(90);

/// Publication through the spool must be seen within this time.
const SPOOL_PATIENCE: Duration = Duration::from_secs(60);

/// How often the demo looks again while it waits.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

struct Demo {
    home: PathBuf,
    work: PathBuf,
    as_json: bool,
    world: World,
    robots: Vec<Robot>,
}

/// Runs the demo; with `keep` the server goes on until it is interrupted.
///
/// # Errors
/// The first step that fails, in words.
pub async fn run(keep: bool, as_json: bool) -> Result<(), StartError> {
    let folder = std::env::temp_dir().join(format!("postkluis-demo-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let world = World::sample().map_err(|error| failed(format!("read the sample world: {error}")))?;
    let demo = Demo { home: folder.join("home"), work: folder.join("work"), as_json, world, robots: Vec::new() };
    let outcome = demo.run(keep).await;
    if outcome.is_ok() && !keep {
        std::fs::remove_dir_all(&folder)?;
    } else {
        crate::fronts::cli::say_aside(&format!("The demo's files are in {}", folder.display()));
    }
    outcome
}

impl Demo {
    async fn run(mut self, keep: bool) -> Result<(), StartError> {
        let begun = Instant::now();
        std::fs::create_dir_all(&self.work)?;
        self.tell("1. Make a home: configuration, keys, self-signed certificate");
        let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let new = home::init(&self.home, any, any)?;
        self.note(&format!("SSH host key {}", new.host_fingerprint));
        let config = self.config()?;
        let server = Server::start(&config).await?;
        self.note(&format!("serving: sftp={} https={}", server.sftp, server.https));

        self.tell("2. Organisations, products, agreements, accounts, rights");
        self.make_world(&server).await?;

        self.tell("3. Publish: by the spool, by the command line, and one with a window of seconds");
        self.publish().await?;

        self.tell("4. Fetch over SFTP, as the recipients' robots do");
        let files = self.fetch_all(&server).await?;
        self.tell("5. Fetch over HTTPS with a token, and resume");
        self.fetch_https(&server).await?;
        self.tell("6. Open what was sealed end to end with the recipient's own key");
        self.open_end_to_end().await?;

        self.tell("7. The notification e-mails");
        let mails = self.wait_for_mails().await?;

        self.tell("8. The window of seconds ends: expired, then shredded");
        self.wait_for_expiry(&server).await?;

        self.tell("9. What the history says");
        let history = self.ask(&["history", "list"]).await?;
        self.show_history(&history);
        self.close(&server, files, mails, &history, begun).await?;
        if keep {
            self.keep(&server).await?;
        }
        server.stop().await;
        Ok(())
    }

    fn tell(&self, text: &str) {
        if !self.as_json {
            crate::fronts::cli::say(&format!("\n{text}"));
        }
    }

    fn note(&self, text: &str) {
        if !self.as_json {
            crate::fronts::cli::say(&format!("   {text}"));
        }
    }

    /// The configuration of `init` with the demo's own values laid over it.
    fn config(&self) -> Result<Config, StartError> {
        let own = [
            ("POSTKLUIS_MAIL__RELAY", "folder:mail"),
            ("POSTKLUIS_RETENTION__SHRED_DELAY", "0s"),
            ("POSTKLUIS_RETENTION__OPEN_GRACE", "0s"),
            ("POSTKLUIS_RETENTION__TICK_SECONDS", "1"),
            ("POSTKLUIS_SPOOL__SETTLE_SECONDS", "1"),
        ];
        let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Config::load(&self.home, environment().chain(own)).map_err(|faults| failed(faults.to_string()))
    }

    /// Runs one command over the admin socket, as a person would, and shows it.
    async fn ask(&self, arguments: &[&str]) -> Result<Value, StartError> {
        let shown: Vec<String> = arguments
            .iter()
            .map(|argument| if argument.contains(' ') { format!("\"{argument}\"") } else { (*argument).to_owned() })
            .collect();
        self.note(&format!("$ postkluis --home {} {}", self.home.display(), shown.join(" ")));
        self.ask_silently(arguments).await
    }

    async fn ask_silently(&self, arguments: &[&str]) -> Result<Value, StartError> {
        let request = Request {
            arguments: arguments.iter().map(ToString::to_string).collect(),
            folder: self.work.display().to_string(),
        };
        let home = self.home.clone();
        let response = crate::fronts::offload(move || Ok(client::ask(&home, &request))).await?.map_err(failed)?;
        if response.exit == 0 {
            return Ok(response.document);
        }
        Err(failed(format!("`postkluis {}` failed: {}", arguments.join(" "), response.text)))
    }

    async fn make_world(&mut self, server: &Server) -> Result<(), StartError> {
        let known_hosts = self.work.join("known_hosts");
        let host_key = std::fs::read_to_string(self.home.join("keys/ssh_host_ed25519_key.pub"))?;
        std::fs::write(&known_hosts, format!("[{}]:{} {host_key}", server.sftp.ip(), server.sftp.port()))?;
        for product in &self.world.product {
            let arguments =
                ["product", "add", &product.code, "--name", &product.name, "--retention", &product.retention];
            self.ask(&arguments).await?;
        }
        let mut robots = Vec::new();
        for organisation in &self.world.organisation {
            let code = organisation.code.as_str();
            let arguments = ["organisation", "add", code, "--name", &organisation.name, "--oin", &organisation.oin];
            let domain = ["--mail-domain", &organisation.mail_domain];
            self.ask(&[&arguments[..], &domain[..]].concat()).await?;
            if organisation.end_to_end {
                let recipient = self.make_age_key(code)?;
                let file = recipient.display().to_string();
                self.ask(&["recipient-key", "add", "--organisation", code, "--file", &file]).await?;
            }
            let account = organisation.account.as_str();
            let machine = ["--kind", "machine", "--owner", &organisation.owner];
            self.ask(&[&["account", "add", account, "--organisation", code][..], &machine[..]].concat()).await?;
            let private_key = self.make_ssh_key(account)?;
            let public = format!("{}.pub", private_key.display());
            self.ask(&["key", "add", "--account", account, "--file", &public]).await?;
            for product in self.world.product.iter().filter(|product| product.recipients.contains(&organisation.code)) {
                let mut arguments = vec!["agreement", "add", "--organisation", code, "--product", &product.code];
                arguments.extend(["--purpose", "Uitvoering van de wet"]);
                if organisation.end_to_end {
                    arguments.push("--end-to-end");
                }
                self.ask(&arguments).await?;
                self.ask(&["right", "couple", "--account", account, "--product", &product.code]).await?;
            }
            robots.push(Robot { login: account.to_owned(), private_key, known_hosts: known_hosts.clone() });
        }
        self.robots = robots;
        Ok(())
    }

    fn make_ssh_key(&self, name: &str) -> Result<PathBuf, StartError> {
        let wrong = |error: ssh_key::Error| failed(format!("make a key: {error}"));
        let key = PrivateKey::random(&mut russh::keys::key::safe_rng(), Algorithm::Ed25519).map_err(wrong)?;
        let path = self.work.join(name);
        write_private(&path, key.to_openssh(ssh_key::LineEnding::LF).map_err(wrong)?.as_bytes())?;
        let public = key.public_key().to_openssh().map_err(wrong)?;
        std::fs::write(path.with_extension("pub"), format!("{public}\n"))?;
        Ok(path)
    }

    fn make_age_key(&self, name: &str) -> Result<PathBuf, StartError> {
        use age::secrecy::ExposeSecret;
        let identity = age::x25519::Identity::generate();
        write_private(&self.work.join(format!("{name}.age-key")), identity.to_string().expose_secret().as_bytes())?;
        let path = self.work.join(format!("{name}.age-recipient"));
        std::fs::write(&path, format!("{}\n", identity.to_public()))?;
        Ok(path)
    }

    async fn publish(&self) -> Result<(), StartError> {
        for (at, product) in self.world.product.iter().enumerate() {
            let name = format!("{}_2026-11.csv", product.code);
            let file = self.work.join(&name);
            world::write_data(&file, product)?;
            self.note(&format!("{name}: {} records, {} bytes", product.records, std::fs::metadata(&file)?.len()));
            let records = product.records.to_string();
            if at == 0 {
                self.publish_by_spool(&product.code, &file, &records).await?;
            } else {
                let counts = self.work.join("counts.json");
                std::fs::write(&counts, format!("{{\"records\": {records}}}"))?;
                let mut arguments = vec!["delivery", "publish", &name, "--product", &product.code];
                arguments.extend(["--period", "2026-11", "--counts", "counts.json"]);
                self.ask(&arguments).await?;
            }
        }
        Ok(())
    }

    async fn publish_by_spool(&self, product: &str, file: &Path, records: &str) -> Result<(), StartError> {
        let target = self.home.join("spool").join(product);
        std::fs::create_dir_all(&target)?;
        let drop = self.work.join("november.delivery");
        std::fs::create_dir_all(&drop)?;
        let name = file.file_name().unwrap_or_default();
        std::fs::copy(file, drop.join(name))?;
        std::fs::write(drop.join("toelichting.txt"), "Levering over november 2026.\n")?;
        std::fs::write(drop.join("delivery.toml"), format!("period = \"2026-11\"\n[counts]\nrecords = {records}\n"))?;
        self.note(&format!("$ mv november.delivery {}/", target.display()));
        std::fs::rename(&drop, target.join("november.delivery"))?;
        let expected = self.world.product.iter().filter(|p| p.code == product).flat_map(|p| &p.recipients).count();
        let begun = Instant::now();
        loop {
            let rows = self.ask_silently(&["delivery", "list", "--product", product]).await?;
            if rows.as_array().is_some_and(|rows| rows.len() == expected) {
                self.note(&format!("published from the spool to {expected} organisations"));
                return Ok(());
            }
            if begun.elapsed() > SPOOL_PATIENCE {
                return Err(failed(format!("the spool published nothing of {product} within {SPOOL_PATIENCE:?}")));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    async fn fetch_all(&self, server: &Server) -> Result<usize, StartError> {
        let mut files = 0;
        for robot in &self.robots {
            self.note(&format!("$ {}  # get -r outbox", pull::sftp_command(robot, server.sftp)));
            let into = self.work.join(format!("fetched-{}", robot.login));
            let client = pull::fetch_outbox(robot, server.sftp, &into).await?;
            let right = pull::check_digests(&into)?;
            if right == 0 {
                return Err(failed(format!("{} fetched no file", robot.login)));
            }
            files += right;
            let client = if client == Client::OpenSsh { "OpenSSH sftp" } else { "own SFTP client" };
            self.note(&format!("{}: {right} files by {client}, every digest right (sha256sum -c)", robot.login));
        }
        Ok(files)
    }

    async fn fetch_https(&self, server: &Server) -> Result<(), StartError> {
        let robot = self.robots.first().ok_or_else(|| failed("there is no robot".to_owned()))?;
        let token = self.ask(&["token", "add", "--account", &robot.login, "--expires", "1d"]).await?;
        let secret = token.get("secret").and_then(Value::as_str).unwrap_or_default().to_owned();
        let base = format!("https://localhost:{}/api/v1", server.https.port());
        let certificate = self.home.join("keys/https-cert.pem");
        let certificate = certificate.display();
        self.note(&format!("$ curl --cacert {certificate} -H \"Authorization: Bearer $TOKEN\" {base}/deliveries"));
        if !pull::is_present("curl") {
            return Err(failed("curl is not installed: apt-get install curl".to_owned()));
        }
        let config = self.work.join("curl.conf");
        write_private(
            &config,
            format!(
                "cacert = \"{certificate}\"\nheader = \"Authorization: Bearer {secret}\"\nfail-with-body\nsilent\n"
            )
            .as_bytes(),
        )?;
        let list = curl(&config, &[&format!("{base}/deliveries?available=true")]).await?;
        let list: Value = serde_json::from_slice(&list).map_err(|error| failed(format!("read the list: {error}")))?;
        let delivery = list.pointer("/deliveries/0").ok_or_else(|| failed(format!("no delivery in {list}")))?;
        let id = delivery.get("id").and_then(Value::as_str).unwrap_or_default();
        let digest = delivery.pointer("/files/0/sha256").and_then(Value::as_str).unwrap_or_default();
        let content = format!("{base}/deliveries/{id}/files/1/content");
        let file = self.work.join("by-https");
        let shown = file.display().to_string();
        curl(&config, &["-r", "0-999999", "-o", &shown, &content]).await?;
        self.note(&format!("$ curl … --continue-at - -o by-https {content}"));
        curl(&config, &["--continue-at", "-", "-o", &shown, &content]).await?;
        let found = pull::digest_of(&file)?;
        if found != digest {
            return Err(failed(format!("over HTTPS the digest is {found}, it should be {digest}")));
        }
        self.note(&format!("fetched in two parts, digest right: {digest}"));
        Ok(())
    }

    async fn open_end_to_end(&self) -> Result<(), StartError> {
        for organisation in self.world.organisation.iter().filter(|organisation| organisation.end_to_end) {
            let product = self.world.product.iter().find(|product| product.recipients.contains(&organisation.code));
            let product = product.ok_or_else(|| failed("no end-to-end product".to_owned()))?;
            let name = format!("{}_2026-11.csv", product.code);
            let folder = self.work.join(format!("fetched-{}", organisation.account)).join("outbox").join(&product.code);
            let sealed = folder.join(format!("{name}.age"));
            let key = self.work.join(format!("{}.age-key", organisation.code));
            self.note(&format!("$ age -d -i {} -o {name} {}", key.display(), sealed.display()));
            let opened = self.work.join("opened.csv");
            open_age(&key, &sealed, &opened)?;
            if pull::digest_of(&opened)? != pull::digest_of(&self.work.join(&name))? {
                return Err(failed(format!("{name} opened by {} is not what was published", organisation.code)));
            }
            self.note(&format!(
                "{}: opened with its own key, equal to what was published; the server cannot",
                organisation.code
            ));
        }
        Ok(())
    }

    async fn wait_for_mails(&self) -> Result<usize, StartError> {
        let expected: usize = self.world.product.iter().map(|product| product.recipients.len()).sum();
        let begun = Instant::now();
        loop {
            let queue = self.ask_silently(&["mail", "queue"]).await?;
            let sent =
                queue.as_array().into_iter().flatten().filter(|mail| mail.get("state") == Some(&json!("sent"))).count();
            if sent == expected {
                break;
            }
            if begun.elapsed() > SPOOL_PATIENCE {
                return Err(failed(format!(
                    "{sent} of {expected} e-mails were sent within {SPOOL_PATIENCE:?}: {queue}"
                )));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        self.ask(&["mail", "queue"]).await?;
        let folder = self.home.join("mail");
        let mut letters: Vec<PathBuf> =
            std::fs::read_dir(&folder)?.filter_map(Result::ok).map(|entry| entry.path()).collect();
        letters.sort();
        if letters.len() != expected {
            return Err(failed(format!("{} of {expected} e-mails lie in {}", letters.len(), folder.display())));
        }
        if let Some(letter) = letters.first() {
            self.note(&format!("{expected} e-mails in {}; the head of one:", folder.display()));
            let text = String::from_utf8_lossy(&std::fs::read(letter)?).into_owned();
            for line in text.lines().take_while(|line| !line.is_empty()) {
                self.note(&format!("  {line}"));
            }
        }
        Ok(expected)
    }

    async fn wait_for_expiry(&self, server: &Server) -> Result<(), StartError> {
        let short = self.world.product.iter().find(|product| product.retention.ends_with('s'));
        let short = short.ok_or_else(|| failed("no product with a window of seconds".to_owned()))?;
        let begun = Instant::now();
        let mut seen = String::new();
        loop {
            let rows = self.ask_silently(&["delivery", "list", "--product", &short.code]).await?;
            let state = rows.pointer("/0/availability").and_then(Value::as_str).unwrap_or_default().to_owned();
            if state != seen {
                self.note(&format!("{}: {state} after {:.0?}", short.code, begun.elapsed()));
                seen = state;
            }
            if seen == "shredded" {
                break;
            }
            if begun.elapsed() > EXPIRY_PATIENCE {
                return Err(failed(format!("{} is {seen}, not shredded, after {EXPIRY_PATIENCE:?}", short.code)));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        let recipient = short.recipients.first();
        let organisation = self.world.organisation.iter().find(|organisation| Some(&organisation.code) == recipient);
        let account = organisation.map(|organisation| organisation.account.as_str()).unwrap_or_default();
        let robot = self.robots.iter().find(|robot| robot.login == account);
        let robot = robot.ok_or_else(|| failed(format!("no robot {account}")))?;
        let path = format!("outbox/{0}/{0}_2026-11.csv", short.code);
        if pull::can_fetch(robot, server.sftp, &self.work.join("too-late"), &path).await? {
            return Err(failed(format!("{path} can still be fetched after its window")));
        }
        self.note(&format!("{path} cannot be fetched any more; its metadata and history stay"));
        Ok(())
    }

    fn show_history(&self, history: &Value) {
        let mut counts = std::collections::BTreeMap::new();
        for line in history.as_array().into_iter().flatten() {
            *counts.entry(line.get("event").and_then(Value::as_str).unwrap_or_default()).or_insert(0) += 1;
        }
        for (event, count) in counts {
            self.note(&format!("{count:>4}  {event}"));
        }
    }

    async fn close(
        &self,
        server: &Server,
        files: usize,
        mails: usize,
        history: &Value,
        begun: Instant,
    ) -> Result<(), StartError> {
        let rows = self.ask_silently(&["delivery", "list"]).await?;
        let lines = history.as_array().map_or(0, Vec::len);
        // What must be true at the end: everything was fetched, and is either there or shredded.
        for row in rows.as_array().into_iter().flatten() {
            let progress = row.get("progress").and_then(Value::as_str).unwrap_or_default();
            if progress != "fetched" {
                let name = row.get("name").and_then(Value::as_str).unwrap_or_default();
                return Err(failed(format!("{name} is {progress} in the history, though it was fetched in full")));
            }
        }
        if self.as_json {
            let document = json!({
                "deliveries": rows, "filesFetched": files, "mails": mails, "historyLines": lines,
                "sftp": server.sftp.to_string(), "https": server.https.to_string(),
            });
            crate::fronts::cli::say(&format!("{document:#}"));
            return Ok(());
        }
        self.tell("The closing table");
        let columns = ["name", "organisation", "progress", "availability", "availableUntil", "endToEnd"];
        let table = crate::fronts::cli::Answer::list(rows.as_array().cloned().unwrap_or_default(), &columns);
        crate::fronts::cli::say(&table.text);
        crate::fronts::cli::say(&format!(
            "\n{files} files fetched with the right digest, {mails} e-mails, {lines} lines of history, {:.1?} in all",
            begun.elapsed()
        ));
        Ok(())
    }

    async fn keep(&self, server: &Server) -> Result<(), StartError> {
        self.tell("The server goes on. Try it by hand, from another terminal; Ctrl-C ends it:");
        for robot in &self.robots {
            self.note(&format!("$ {}", pull::sftp_command(robot, server.sftp)));
        }
        self.note(&format!("$ postkluis --home {} delivery list", self.home.display()));
        tokio::signal::ctrl_c().await?;
        Ok(())
    }
}

async fn curl(config: &Path, arguments: &[&str]) -> Result<Vec<u8>, StartError> {
    let mut command = tokio::process::Command::new("curl");
    command.arg("--config").arg(config).args(arguments).stdin(std::process::Stdio::null()).kill_on_drop(true);
    let output = command.output().await?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    Err(failed(format!("curl {} failed ({}): {}", arguments.join(" "), output.status, said.trim())))
}

fn open_age(key: &Path, sealed: &Path, opened: &Path) -> Result<(), StartError> {
    let wrong = |error: &dyn std::fmt::Display| failed(format!("open {}: {error}", sealed.display()));
    let key = std::fs::read_to_string(key)?;
    let identity: age::x25519::Identity = key.trim().parse().map_err(|error: &str| wrong(&error))?;
    let decryptor = age::Decryptor::new_buffered(std::io::BufReader::new(std::fs::File::open(sealed)?))
        .map_err(|error| wrong(&error))?;
    let mut plain =
        decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity)).map_err(|error| wrong(&error))?;
    std::io::copy(&mut plain, &mut std::fs::File::create(opened)?)?;
    Ok(())
}

fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    std::io::Write::write_all(&mut file, bytes)
}
