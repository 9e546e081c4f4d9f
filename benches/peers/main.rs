//! Whole processes side by side, in rounds taken in turn: this server, sealed at
//! rest, against OpenSSH, rclone, ProFTPD and nginx, the same client and cipher.
//! `cargo bench --bench peers -- [--quick] [WORK]...`; docs/PERFORMANCE.md says more.

#[path = "../support/clients.rs"]
mod clients;
mod crowd;
mod far;
mod ideal;
mod load;
#[path = "../support/measure.rs"]
mod measure;
#[path = "../support/served.rs"]
mod served;
mod server;
mod table;
mod tree;
mod web;
#[path = "../support/world.rs"]
mod world;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use postkluis::domain::history::Channel;
use postkluis::domain::names::LoginName;
use tokio::runtime::Runtime;

use clients::{make_key, sftp};
use crowd::Guest;
use measure::print_machine;
use served::Outcome;
use server::Server;
use table::{Rounds, Unit, rounds};

/// What can be measured, in this order: memory while the servers are fresh.
const WORKS: [&str; 11] =
    ["memory", "download", "ideal", "upload", "small", "streams", "far", "logins", "listing", "https", "load"];
/// Rounds that count, after one that warms up; of the servers that no target names fewer.
const ROUNDS: Rounds = Rounds { first_two: 5, others: 3 };
/// The same with `--quick`.
const QUICK_ROUNDS: Rounds = Rounds { first_two: 2, others: 1 };
const GIB: u64 = 1 << 30;
const MIB: u64 = 1 << 20;
const SMALL_FILES: usize = 2_000;
const SMALL_BYTES: u64 = 10 * 1024;
const NAMES: usize = 50_000;
/// Names of one delivery: the largest bound that the configuration takes.
const NAMES_PER_DELIVERY: usize = 10_000;
const STREAMS: usize = 8;
const STREAM_BYTES: u64 = 128 * MIB;
const FAR_BYTES: u64 = 100 * MIB;
const FAR_ONE_WAY: Duration = Duration::from_millis(25);
const LOGINS: usize = 240;
const SESSIONS: [usize; 2] = [100, 1_000];
const BUSY: usize = 200;
const BUSY_FOR: Duration = Duration::from_secs(8);

/// Debian packages of the servers and clients, by a program of each.
const PACKAGES: [(&str, &str); 7] = [
    ("/usr/sbin/sshd", "openssh-server"),
    ("/usr/bin/sftp", "openssh-client"),
    ("/usr/bin/rclone", "rclone"),
    ("/usr/sbin/proftpd", "proftpd-core"),
    ("/usr/lib/proftpd/mod_sftp.so", "proftpd-mod-crypto"),
    ("/usr/sbin/nginx", "nginx-light"),
    ("/usr/bin/curl", "curl"),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test` may build and run benches; only `cargo bench` means to measure.
    if !arguments.iter().any(|argument| argument == "--bench") {
        println!("peers: nothing measured; run it with `cargo bench --bench peers`");
        return;
    }
    if let Err(error) = run(&arguments) {
        eprintln!("peers: {error}");
        std::process::exit(1);
    }
}

fn run(arguments: &[String]) -> Outcome<()> {
    let chosen: Vec<&str> = arguments.iter().map(String::as_str).filter(|word| !word.starts_with("--")).collect();
    if let Some(unknown) = chosen.iter().find(|word| !WORKS.contains(word)) {
        return Err(format!("there is no work `{unknown}`; there are: {}", WORKS.join(" ")).into());
    }
    let is_quick = arguments.iter().any(|argument| argument == "--quick");
    install()?;
    let folder = tempfile::Builder::new().prefix("postkluis-peers-").tempdir()?;
    let begun = Instant::now();
    print_machine(folder.path());
    let bench = Bench::prepare(folder.path(), if is_quick { QUICK_ROUNDS } else { ROUNDS })?;
    println!("prepared in {:.0} s", begun.elapsed().as_secs_f64());
    for work in WORKS {
        if chosen.is_empty() || chosen.contains(&work) {
            let from = Instant::now();
            bench.measure(work)?;
            println!("   ({work}: {:.0} s; load now {})", from.elapsed().as_secs_f64(), load_average());
        }
    }
    for server in bench.servers {
        server.stop()?;
    }
    println!("\nall of it took {:.0} s", begun.elapsed().as_secs_f64());
    Ok(())
}

/// Installs what is missing, as root; says what is missing otherwise.
fn install() -> Outcome<()> {
    let missing: Vec<&str> =
        PACKAGES.iter().filter(|(program, _)| !Path::new(program).exists()).map(|(_, package)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("installing {}", missing.join(" "));
    let install = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null()).stdout(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    // Old lists may do; what cannot be installed is told below.
    install(&["update", "-qq"]);
    let wanted = [&["install", "-y", "-qq", "--no-install-recommends"], missing.as_slice()].concat();
    if install(&wanted) { Ok(()) } else { Err(format!("install these packages first: {}", missing.join(" ")).into()) }
}

fn load_average() -> String {
    fs::read_to_string("/proc/loadavg").unwrap_or_default().split(' ').take(1).collect()
}

/// All servers, over the same bytes.
struct Bench {
    folder: PathBuf,
    plain: PathBuf,
    key: PathBuf,
    rounds: Rounds,
    /// CPU seconds of ours for a GiB, once `download` has measured them.
    download_cpu: OnceLock<f64>,
    asked: web::Asked,
    /// Ours first, then OpenSSH's.
    servers: Vec<Server>,
    guest: Guest,
    runtime: Runtime,
}

impl Bench {
    fn prepare(folder: &Path, rounds: Rounds) -> Outcome<Self> {
        let (home, key, plain) = (folder.join("home"), folder.join("key"), folder.join("plain"));
        make_key(&key)?;
        let asked = publish(&home, &key)?;
        let ours = Server::ours(&home)?;
        for part in ["large", "small", "streams"] {
            fs::create_dir_all(plain.join(part))?;
        }
        // The same bytes for the others: what ours delivers.
        let large = plain.join("large");
        sftp(ours.at, &ours.login, &key, &format!("get outbox/large/large.bin {}\n", large.display()))?;
        let bytes = fs::read(large.join("large.bin"))?;
        let first = |count: u64| bytes.get(..usize::try_from(count).ok()?).ok_or("the large file came short").ok();
        for (name, count) in [("streams/stream.bin", STREAM_BYTES), ("streams/far.bin", FAR_BYTES)] {
            fs::write(plain.join(name), first(count).ok_or("the large file came short")?)?;
        }
        for file in 0..SMALL_FILES {
            let content = first(SMALL_BYTES).ok_or("the large file came short")?;
            fs::write(plain.join("small").join(format!("small-{file:05}.bin")), content)?;
        }
        drop(bytes);
        let mut servers = vec![ours, Server::openssh(folder, &key, &plain)?];
        for (what, started) in [
            ("rclone", Server::rclone(folder, &key, &plain, false)),
            ("rclone over crypt", Server::rclone(folder, &key, &plain, true)),
            ("ProFTPD", Server::proftpd(folder, &key, &plain)),
        ] {
            match started {
                Ok(server) => servers.push(server),
                Err(error) => println!("{what} is not measured: {error}"),
            }
        }
        for server in &servers {
            println!("{:<26} {}", server.name, server.version);
        }
        let guest = Guest::new(&key)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        Ok(Self {
            folder: folder.to_owned(),
            plain,
            key,
            rounds,
            download_cpu: OnceLock::new(),
            asked,
            servers,
            guest,
            runtime,
        })
    }

    fn all(&self) -> Vec<&Server> {
        self.servers.iter().collect()
    }

    /// Ours and OpenSSH's.
    fn two(&self) -> Vec<&Server> {
        self.servers.iter().take(2).collect()
    }

    fn ours(&self) -> Outcome<&Server> {
        Ok(self.servers.first().ok_or("no server")?)
    }

    fn sftp(&self, server: &Server, lines: &str) -> Outcome<f64> {
        Ok(sftp(server.at, &server.login, &self.key, lines)?.as_secs_f64())
    }

    fn measure(&self, work: &str) -> Outcome<()> {
        let gib = Unit { name: "GiB", count: 1.0 };
        match work {
            "download" => {
                let cpu = rounds("download of 1 GiB, one session", &gib, self.rounds, &self.all(), |server| {
                    self.sftp(server, &format!("get {} /dev/null\n", server.remote("large/large.bin")))
                })?;
                if let Some(cpu) = cpu {
                    self.download_cpu.get_or_init(|| cpu);
                }
                Ok(())
            }
            "upload" => self.upload(),
            "ideal" => ideal::measure(&self.folder, GIB, self.rounds.first_two, self.download_cpu.get().copied()),
            "small" => self.small(),
            "streams" => self.streams(),
            "far" => self.far(),
            "logins" => self.logins(),
            "listing" => self.listing(),
            "https" => {
                web::measure(&self.runtime, &self.folder, &self.plain, self.ours()?, &self.asked, self.rounds.first_two)
            }
            "memory" => self.runtime.block_on(load::memory(&self.guest, &self.all(), &SESSIONS)),
            _ => {
                let is_quick = self.rounds.first_two < ROUNDS.first_two;
                let lasts = if is_quick { BUSY_FOR / 4 } else { BUSY_FOR };
                let [_, idle] = SESSIONS;
                self.runtime.block_on(load::crowd(&self.guest, self.ours()?, idle, BUSY, lasts))?;
                for server in self.two() {
                    self.runtime.block_on(load::latency(&self.guest, server))?;
                }
                Ok(())
            }
        }
    }

    /// Where the others take long and no target names them: they warm up and count once.
    const fn short(&self) -> Rounds {
        Rounds { others: 1, ..self.rounds }
    }

    fn table(
        &self,
        title: &str,
        unit: &Unit,
        count: Rounds,
        servers: &[&Server],
        work: impl FnMut(&Server) -> Outcome<f64>,
    ) -> Outcome<()> {
        rounds(title, unit, count, servers, work).map(|_| ())
    }

    fn upload(&self) -> Outcome<()> {
        let unit = Unit { name: "GiB", count: 1.0 };
        let from = self.plain.join("large/large.bin");
        self.table("upload of 1 GiB, one session", &unit, self.short(), &self.all(), |server| {
            let to = server.fresh_upload();
            let wall = self.sftp(server, &format!("put {} {to}\n", from.display()))?;
            if !server.is_ours() {
                // Plain ones would fill the disk; ours keeps what it has received, as it must.
                self.sftp(server, &format!("rm {to}\n"))?;
            }
            Ok(wall)
        })
    }

    fn small(&self) -> Outcome<()> {
        let unit = Unit { name: "file", count: SMALL_FILES as f64 };
        let into = self.folder.join("fetched");
        let fetch = |server: &Server, pattern: &str, into: &Path| {
            self.sftp(server, &format!("get {} {}\n", server.remote(pattern), into.display()))
        };
        let title = format!("download of {SMALL_FILES} files of 10 KiB, one session");
        self.table(&title, &unit, self.short(), &self.all(), |server| {
            empty(&into)?;
            fetch(server, "small/small-*.bin", &into)
        })?;
        let title = format!("download of {SMALL_FILES} files of 10 KiB, 4 sessions at once");
        // 500 of the 2,000 each.
        let parts = [
            "small/small-00[0-4]*.bin",
            "small/small-00[5-9]*.bin",
            "small/small-01[0-4]*.bin",
            "small/small-01[5-9]*.bin",
        ];
        self.table(&title, &unit, self.rounds, &self.two(), |server| {
            empty(&into)?;
            at_once(parts.len(), |lane| fetch(server, parts.get(lane).copied().unwrap_or_default(), &into))
        })
    }

    fn streams(&self) -> Outcome<()> {
        let unit = Unit { name: "GiB", count: (STREAMS as u64 * STREAM_BYTES) as f64 / GIB as f64 };
        self.table(&format!("{STREAMS} sessions at once, 128 MiB each"), &unit, self.rounds, &self.two(), |server| {
            let lines = format!("get {} /dev/null\n", server.remote("streams/stream.bin"));
            at_once(STREAMS, |_| self.sftp(server, &lines))
        })
    }

    fn far(&self) -> Outcome<()> {
        let unit = Unit { name: "GiB", count: FAR_BYTES as f64 / GIB as f64 };
        self.table("download of 100 MiB over 50 ms of round trip", &unit, self.rounds, &self.two(), |server| {
            let at = self.runtime.block_on(far::delayed(server.at, FAR_ONE_WAY))?;
            let lines = format!("get {} /dev/null\n", server.remote("streams/far.bin"));
            Ok(sftp(at, &server.login, &self.key, &lines)?.as_secs_f64())
        })
    }

    fn logins(&self) -> Outcome<()> {
        let unit = Unit { name: "login", count: LOGINS as f64 };
        self.table("signing in, beginning SFTP, ending; 8 at once", &unit, self.rounds, &self.all(), |server| {
            self.runtime.block_on(self.guest.sign_in_and_out(server, LOGINS))
        })
    }

    /// On a home and a folder of its own, in memory where the machine has such a place: publishing so many files
    /// is bound by the disk, listing them never touches it.
    fn listing(&self) -> Outcome<()> {
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() { memory } else { self.folder.as_path() };
        let folder = tempfile::Builder::new().prefix("postkluis-listing-").tempdir_in(place)?;
        let (home, plain) = (folder.path().join("home"), folder.path().join("plain"));
        world::make_home(&home)?;
        {
            let operations = world::open(&home)?;
            world::add_organisation(&operations, 1)?;
            world::add_product(&operations, "many")?;
            world::agree(&operations, 1, "many")?;
            world::add_key(&operations, &self.key.with_extension("pub"))?;
            for delivery in 0..NAMES / NAMES_PER_DELIVERY {
                let files: Vec<_> = (0..NAMES_PER_DELIVERY)
                    .map(|file| (format!("name-{:06}.csv", delivery * NAMES_PER_DELIVERY + file), 1))
                    .collect();
                world::publish(&operations, "many", false, &files)?;
            }
        }
        fs::create_dir_all(plain.join("many"))?;
        for file in 0..NAMES {
            fs::File::create(plain.join(format!("many/name-{file:06}.csv")))?.write_all(b"x")?;
        }
        let ours = Server::ours(&home)?;
        let theirs = Server::openssh(folder.path(), &self.key, &plain)?;
        let unit = Unit { name: "name", count: NAMES as f64 };
        self.table(
            &format!("`ls -f` of {NAMES} names, one session"),
            &unit,
            self.rounds,
            &[&ours, &theirs],
            |server| self.sftp(server, &format!("ls -f {}\n", server.remote("many"))),
        )?;
        ours.stop()
    }
}

/// A home with the files, and one robot who may fetch them over both channels.
fn publish(home: &Path, key: &Path) -> Outcome<web::Asked> {
    world::make_home(home)?;
    let operations = world::open(home)?;
    world::add_organisation(&operations, 1)?;
    for product in ["large", "small", "streams"] {
        world::add_product(&operations, product)?;
        world::agree(&operations, 1, product)?;
    }
    world::add_key(&operations, &key.with_extension("pub"))?;
    let large = world::publish(&operations, "large", false, &[("large.bin".to_owned(), GIB)])?;
    let streams = [("stream.bin".to_owned(), STREAM_BYTES), ("far.bin".to_owned(), FAR_BYTES)];
    world::publish(&operations, "streams", false, &streams)?;
    let names: Vec<_> = (0..SMALL_FILES).map(|file| (format!("small-{file:05}.bin"), SMALL_BYTES)).collect();
    let small = world::publish(&operations, "small", false, &names)?;
    let content = |published: &postkluis::operations::Published| {
        let id = published.deliveries.first().map(|delivery| delivery.id.to_string()).ok_or("nothing was published")?;
        Ok::<_, &str>(format!("/api/v1/deliveries/{id}/files/1/content"))
    };
    let token = operations.add_token(&LoginName::parse(world::ROBOT)?, None, Channel::CommandLine)?;
    Ok(web::Asked {
        large: content(&large)?,
        small: content(&small)?,
        secret: token.secret,
        certificate: home.join("keys/https-cert.pem"),
        certificate_key: home.join("keys/https-key.pem"),
    })
}

/// Runs so many lanes at once; the wall seconds until the last has ended.
fn at_once(lanes: usize, work: impl Fn(usize) -> Outcome<f64> + Sync) -> Outcome<f64> {
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let work = &work;
        let running: Vec<_> =
            (0..lanes).map(|lane| scope.spawn(move || work(lane).map_err(|error| error.to_string()))).collect();
        for lane in running {
            lane.join().map_err(|_| "a lane panicked")??;
        }
        Ok::<_, Box<dyn std::error::Error>>(())
    })?;
    Ok(begun.elapsed().as_secs_f64())
}

/// Every round fetches into an empty folder.
fn empty(folder: &Path) -> Outcome<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    Ok(fs::create_dir(folder)?)
}
