//! Whole processes side by side, in pairs taken in turn: this server, sealed
//! at rest, against OpenSSH's over plain files, the same client and cipher for
//! both. `cargo bench --bench peers`.

#[path = "../support/clients.rs"]
mod clients;
#[path = "../support/measure.rs"]
mod measure;
#[path = "../support/served.rs"]
mod served;
#[path = "../support/world.rs"]
mod world;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clients::{Sshd, make_key, sftp};
use measure::{median, print_machine, ratio};
use served::{Outcome, Served};

/// Pairs that count; the first, which warms both up, does not.
const PAIRS: usize = 5;
const LARGE_BYTES: u64 = 1 << 30;
const SMALL_FILES: usize = 2_000;
const SMALL_BYTES: u64 = 10 * 1024;

fn main() {
    // `cargo test` may build and run benches; only `cargo bench` means to measure.
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("peers: nothing measured; run it with `cargo bench --bench peers`");
        return;
    }
    if let Err(error) = run() {
        eprintln!("peers: {error}");
        std::process::exit(1);
    }
}

fn run() -> Outcome<()> {
    let folder = tempfile::Builder::new().prefix("postkluis-peers-").tempdir()?;
    let folder = folder.path();
    print_machine(folder);
    let Some(program) = Sshd::program() else {
        println!("not measured: this machine has no sshd (apt-get install openssh-server)");
        return Ok(());
    };
    let (home, key, plain) = (folder.join("home"), folder.join("key"), folder.join("plain"));
    let fetched = folder.join("fetched");
    make_key(&key)?;
    publish(&home, &key)?;
    fs::create_dir(&plain)?;
    fs::create_dir(&fetched)?;
    let sides = Sides { ours: Served::start(&home)?, theirs: Sshd::start(&program, folder, &key)?, key };
    sides.copy_plain(&plain)?;

    println!("\n-- download of 1 GiB to /dev/null, {PAIRS} pairs in turn");
    let theirs = format!("get {}/large.bin /dev/null\n", plain.display());
    sides.measure("get outbox/large/large.bin /dev/null\n", &theirs, None)?;

    println!("\n-- download of {SMALL_FILES} files of 10 KiB in one session, {PAIRS} pairs in turn");
    let into = fetched.display();
    let ours = format!("get outbox/small/small-*.bin {into}\n");
    let theirs = format!("get {}/small-*.bin {into}\n", plain.display());
    sides.measure(&ours, &theirs, Some(&fetched))?;
    sides.ours.stop()
}

/// A home with the files, and one robot who may fetch them.
fn publish(home: &Path, key: &Path) -> Outcome<()> {
    world::make_home(home)?;
    let operations = world::open(home)?;
    world::add_organisation(&operations, 1)?;
    for product in ["large", "small"] {
        world::add_product(&operations, product)?;
        world::agree(&operations, 1, product)?;
    }
    world::add_key(&operations, &key.with_extension("pub"))?;
    world::publish(&operations, "large", false, &[("large.bin".to_owned(), LARGE_BYTES)])?;
    let small: Vec<_> = (0..SMALL_FILES).map(|file| (format!("small-{file:05}.bin"), SMALL_BYTES)).collect();
    world::publish(&operations, "small", true, &small)?;
    Ok(())
}

/// Both servers.
struct Sides {
    ours: Served,
    theirs: Sshd,
    key: PathBuf,
}

/// One work on one server: wall seconds and server CPU seconds.
#[derive(Default)]
struct Taken {
    wall: Vec<f64>,
    cpu: Vec<f64>,
}

impl Sides {
    /// The same bytes for the other server: what this one delivers.
    fn copy_plain(&self, plain: &Path) -> Outcome<()> {
        let into = plain.display();
        sftp(self.ours.sftp, world::ROBOT, &self.key, &format!("get outbox/large/large.bin {into}\n"))?;
        let small = fs::read(plain.join("large.bin"))?;
        let small = small.get(..usize::try_from(SMALL_BYTES)?).ok_or("the large file came short")?;
        for file in 0..SMALL_FILES {
            fs::File::create(plain.join(format!("small-{file:05}.bin")))?.write_all(small)?;
        }
        Ok(())
    }

    fn measure(&self, ours: &str, theirs: &str, fetched: Option<&Path>) -> Outcome<()> {
        let (mut our, mut their) = (Taken::default(), Taken::default());
        for pair in 0..=PAIRS {
            empty(fetched)?;
            let cpu = self.ours.cpu_seconds()?;
            let wall = sftp(self.ours.sftp, world::ROBOT, &self.key, ours)?;
            our.note(pair, wall, self.ours.cpu_seconds()? - cpu);
            empty(fetched)?;
            let cpu = self.theirs.cpu_seconds()?;
            let user = std::env::var("USER").unwrap_or_else(|_| "root".to_owned());
            let wall = sftp(self.theirs.at, &user, &self.key, theirs)?;
            // A session is counted once the listener has reaped it.
            std::thread::sleep(Duration::from_millis(200));
            their.note(pair, wall, self.theirs.cpu_seconds()? - cpu);
        }
        for (what, ours, theirs) in [("wall", &our.wall, &their.wall), ("server CPU", &our.cpu, &their.cpu)] {
            let (own, other) = (median(ours), median(theirs));
            println!("{what:<12} {own:.2} s against sshd {other:.2} s, ratio {}", ratio(ours, theirs));
        }
        Ok(())
    }
}

impl Taken {
    fn note(&mut self, pair: usize, wall: Duration, cpu: f64) {
        if pair > 0 {
            self.wall.push(wall.as_secs_f64());
            self.cpu.push(cpu);
        }
    }
}

/// Both fetch into an empty folder.
fn empty(folder: Option<&Path>) -> Outcome<()> {
    if let Some(folder) = folder {
        fs::remove_dir_all(folder)?;
        fs::create_dir(folder)?;
    }
    Ok(())
}
