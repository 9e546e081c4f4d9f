//! What grows: organisations, deliveries, files in a folder, bytes. The work `size` is
//! 200 organisations, 10,000 deliveries and a folder of 10,000 files; the others have
//! their own files. `cargo bench --bench scale -- [WORK]...`; docs/PERFORMANCE.md says more.

#[path = "../support/clients.rs"]
mod clients;
mod engine;
mod fanout;
#[path = "../support/measure.rs"]
mod measure;
mod million;
#[path = "../support/served.rs"]
mod served;
#[path = "../support/world.rs"]
mod world;

use std::fs;
use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use postkluis::domain::names::{OrganisationCode, ProductCode};
use postkluis::operations::{Caller, Operations};

use clients::{Sshd, make_key, sftp};
use measure::{cpu_seconds_of, median, print_machine, ratio};
use served::{Outcome, Served};

/// What can be measured, in this order. Without names all but `million`, which takes 10 GB and 20 minutes.
const WORKS: [&str; 4] = ["size", "fanout", "engine", "million"];
const ORGANISATIONS: usize = 200;
/// Publications to all; with 200 organisations 10,000 deliveries.
const PUBLICATIONS: usize = 50;
/// Files in the one folder, and how many of them are one delivery.
const FILES: usize = 10_000;
const FILES_PER_DELIVERY: usize = 1_000;
const SMALL_BYTES: u64 = 1_024;
const MIB: u64 = 1 << 20;
/// Sizes published to one and to all in turn, and how many pairs of each.
const FAN_OUTS: [(u64, usize); 2] = [(MIB, 7), (256 * MIB, 3)];
/// Pairs of listings, and starts of each kind.
const ROUNDS: usize = 5;
const PAGE: usize = 1_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test` may build and run benches; only `cargo bench` means to measure.
    if !arguments.iter().any(|argument| argument == "--bench") {
        println!("scale: nothing measured; run it with `cargo bench --bench scale`");
        return;
    }
    if let Err(error) = run(&arguments) {
        eprintln!("scale: {error}");
        std::process::exit(1);
    }
}

/// One bench: its home, and the key of the first robot.
struct Scale {
    folder: PathBuf,
    home: PathBuf,
    key: PathBuf,
}

fn run(arguments: &[String]) -> Outcome<()> {
    let chosen: Vec<&str> = arguments.iter().map(String::as_str).filter(|word| !word.starts_with("--")).collect();
    if let Some(unknown) = chosen.iter().find(|word| !WORKS.contains(word)) {
        return Err(format!("there is no work `{unknown}`; there are: {}", WORKS.join(" ")).into());
    }
    let folder = tempfile::Builder::new().prefix("postkluis-scale-").tempdir()?;
    print_machine(folder.path());
    for work in WORKS {
        let is_chosen = if chosen.is_empty() { work != "million" } else { chosen.contains(&work) };
        if !is_chosen {
            continue;
        }
        // Each its own folder, gone before the next: the large ones would not fit beside each other.
        let own = folder.path().join(work);
        fs::create_dir(&own)?;
        println!("\n== {work}");
        match work {
            "size" => Scale { home: own.join("home"), key: own.join("key"), folder: own.clone() }.measure()?,
            "fanout" => fanout::measure(&own)?,
            "engine" => engine::measure(&own)?,
            _ => million::measure(&own, million::wanted(arguments)?)?,
        }
        fs::remove_dir_all(&own)?;
    }
    Ok(())
}

impl Scale {
    fn measure(&self) -> Outcome<()> {
        self.fill_and_publish()?;
        self.list_over_sftp()?;
        self.start_up()
    }

    fn fill_and_publish(&self) -> Outcome<()> {
        world::make_home(&self.home)?;
        make_key(&self.key)?;
        let operations = world::open(&self.home)?;
        let begun = Instant::now();
        for product in ["daily", "large", "bulk"] {
            world::add_product(&operations, product)?;
        }
        for number in 1..=ORGANISATIONS {
            world::add_organisation(&operations, number)?;
            for product in ["daily", "large"] {
                world::agree(&operations, number, product)?;
            }
        }
        world::agree(&operations, 1, "bulk")?;
        let caller = world::add_key(&operations, &self.key.with_extension("pub"))?;
        row("make 200 organisations, accounts, 401 agreements and rights", &seconds(begun.elapsed()));
        self.publish_many(&operations)?;
        self.fan_out(&operations)?;
        self.fill_folder(&operations)?;
        list_by_operations(&operations, &caller)
    }

    fn publish_many(&self, operations: &Operations) -> Outcome<()> {
        println!("\n-- {PUBLICATIONS} publications of one file of 1 KiB to all {ORGANISATIONS}");
        let before = Disk::of(&self.home)?;
        let (begun, cpu) = (Instant::now(), own_cpu()?);
        let mut each = Vec::new();
        let mut deliveries = 0;
        for number in 0..PUBLICATIONS {
            let begun = Instant::now();
            let published =
                world::publish(operations, "daily", true, &[(format!("daily-{number:05}.csv"), SMALL_BYTES)])?;
            each.push(begun.elapsed().as_secs_f64());
            deliveries += published.deliveries.len();
        }
        let (wall, cpu) = (begun.elapsed(), own_cpu()? - cpu);
        row("deliveries", &deliveries.to_string());
        row("total wall", &seconds(wall));
        row("total CPU", &format!("{cpu:.2} s"));
        row("one publication, median", &format!("{:.1} ms", median(&each) * 1e3));
        let (first, last) = (each.get(..10).unwrap_or_default(), each.get(40..).unwrap_or_default());
        row("last ten against first ten, medians", &format!("{:.2}", median(last) / median(first)));
        let used = Disk::of(&self.home)?.since(&before);
        let count = deliveries.max(1) as u64;
        row(
            "disk per delivery: vault, journal, index",
            &format!("{} B, {} B, {} B", used.vault / count, used.journal / count, used.index / count),
        );
        Ok(())
    }

    fn fan_out(&self, operations: &Operations) -> Outcome<()> {
        for (bytes, pairs) in FAN_OUTS {
            println!(
                "\n-- one file of {} MiB to 1 and to {ORGANISATIONS} organisations, {pairs} pairs in turn",
                bytes / MIB
            );
            let (mut wall, mut cpu, mut disk) = ([vec![], vec![]], [vec![], vec![]], [vec![], vec![]]);
            for pair in 0..pairs {
                let [wall_one, wall_all] = &mut wall;
                let [cpu_one, cpu_all] = &mut cpu;
                let [disk_one, disk_all] = &mut disk;
                for (to_all, wall, cpu, disk) in
                    [(false, wall_one, cpu_one, disk_one), (true, wall_all, cpu_all, disk_all)]
                {
                    let name = format!("large-{bytes}-{pair}-{to_all}.bin");
                    let before = Disk::of(&self.home)?;
                    let (begun, spent) = (Instant::now(), own_cpu()?);
                    world::publish(operations, "large", to_all, &[(name, bytes)])?;
                    wall.push(begun.elapsed().as_secs_f64());
                    cpu.push(own_cpu()? - spent);
                    let used = Disk::of(&self.home)?.since(&before);
                    disk.push((used.vault + used.journal) as f64);
                }
            }
            let [wall_one, wall_all] = &wall;
            let [cpu_one, cpu_all] = &cpu;
            let [disk_one, disk_all] = &disk;
            let times = |values: &[f64]| format!("{:.1} ms", median(values) * 1e3);
            row("wall to one, to all", &format!("{}, {}", times(wall_one), times(wall_all)));
            row("wall ratio", &ratio(wall_all, wall_one));
            row("CPU to one, to all (10 ms steps)", &format!("{}, {}", times(cpu_one), times(cpu_all)));
            row("vault and journal bytes to one, to all", &format!("{:.0}, {:.0}", median(disk_one), median(disk_all)));
            row("disk ratio", &format!("{:.4}", median(disk_all) / median(disk_one)));
        }
        Ok(())
    }

    fn fill_folder(&self, operations: &Operations) -> Outcome<()> {
        println!("\n-- one folder of {FILES} files of 1 KiB, in deliveries of {FILES_PER_DELIVERY}");
        let begun = Instant::now();
        for delivery in 0..FILES / FILES_PER_DELIVERY {
            let files: Vec<_> = (0..FILES_PER_DELIVERY)
                .map(|file| (format!("bulk-{:06}.csv", delivery * FILES_PER_DELIVERY + file), SMALL_BYTES))
                .collect();
            world::publish(operations, "bulk", false, &files)?;
        }
        row("publish them, wall", &seconds(begun.elapsed()));
        Ok(())
    }

    fn list_over_sftp(&self) -> Outcome<()> {
        let names = {
            let operations = world::open(&self.home)?;
            let caller = world::add_key(&operations, &self.second_key()?)?;
            page_through(&operations, &caller)?
        };
        println!("\n-- the OpenSSH client lists that folder ({} names), {ROUNDS} pairs in turn", names.len());
        let Some(program) = Sshd::program() else {
            println!("not measured: this machine has no sshd (apt-get install openssh-server)");
            return Ok(());
        };
        let plain = self.folder.join("plain");
        fs::create_dir(&plain)?;
        for name in &names {
            fs::File::create(plain.join(name))?.write_all(&[b'x'; 1_024])?;
        }
        let theirs = Sshd::start(&program, &self.folder, &self.key)?;
        let ours = Served::start(&self.home, &[])?;
        let ours_at = ours.at("sftp")?;
        let user = std::env::var("USER").unwrap_or_else(|_| "root".to_owned());
        let (wanted, idle) = ("ls -l outbox/bulk\n", "pwd\n");
        let plain = format!("ls -l {}\n", plain.display());
        let mut wall = [vec![], vec![]];
        let mut cpu = [vec![], vec![]];
        let mut sign_in = [vec![], vec![]];
        // The first pair warms both up and is not counted.
        for round in 0..=ROUNDS {
            let our_idle = sftp(ours_at, world::ROBOT, &self.key, idle)?;
            let their_idle = sftp(theirs.at, &user, &self.key, idle)?;
            let our_cpu = cpu_seconds_of(ours.pid())?;
            let our_wall = sftp(ours_at, world::ROBOT, &self.key, wanted)?;
            let our_cpu = cpu_seconds_of(ours.pid())? - our_cpu;
            let their_cpu = cpu_seconds_of(theirs.pid())?;
            let their_wall = sftp(theirs.at, &user, &self.key, &plain)?;
            // Its session is counted once the listener has reaped it.
            std::thread::sleep(Duration::from_millis(200));
            let their_cpu = cpu_seconds_of(theirs.pid())? - their_cpu;
            if round > 0 {
                for (values, ours, theirs) in [
                    (&mut wall, our_wall.as_secs_f64(), their_wall.as_secs_f64()),
                    (&mut cpu, our_cpu, their_cpu),
                    (&mut sign_in, our_idle.as_secs_f64(), their_idle.as_secs_f64()),
                ] {
                    let [a, b] = values;
                    a.push(ours);
                    b.push(theirs);
                }
            }
        }
        ours.stop()?;
        compare("whole session `ls -l`, wall (ms)", &wall, 1e3);
        compare("session with no listing, wall (ms)", &sign_in, 1e3);
        compare("whole session `ls -l`, server CPU (ms, 10 ms steps)", &cpu, 1e3);
        Ok(())
    }

    fn second_key(&self) -> Outcome<PathBuf> {
        let key = self.folder.join("second-key");
        make_key(&key)?;
        Ok(key.with_extension("pub"))
    }

    fn start_up(&self) -> Outcome<()> {
        println!("\n-- start of the server on this home, from the process to its `ready` line, {ROUNDS} of each");
        let disk = Disk::of(&self.home)?;
        let mib = |bytes: u64| format!("{:.1} MiB", bytes as f64 / MIB as f64);
        row("journal, index", &format!("{}, {}", mib(disk.journal), mib(disk.index)));
        let index = self.home.join("data/catalog/index");
        type Before = fn(Served, &Path) -> Outcome<()>;
        let kinds: [(&str, Before); 3] = [
            ("after SIGTERM", |served, _| served.stop()),
            ("after SIGKILL (index read in full)", |served, _| {
                drop(served);
                Ok(())
            }),
            ("after SIGTERM, index deleted", |served, index| {
                served.stop()?;
                Ok(fs::remove_dir_all(index)?)
            }),
        ];
        for (what, before) in kinds {
            let (mut wall, mut cpu) = (Vec::new(), Vec::new());
            for _ in 0..ROUNDS {
                before(Served::start(&self.home, &[])?, &index)?;
                let begun = Instant::now();
                let served = Served::start(&self.home, &[])?;
                wall.push(begun.elapsed().as_secs_f64());
                cpu.push(cpu_seconds_of(served.pid())?);
                served.stop()?;
            }
            row(what, &format!("{:.2} s wall, {:.2} s CPU", median(&wall), median(&cpu)));
        }
        Ok(())
    }
}

/// Every name of the folder, page by page.
fn page_through(operations: &Operations, caller: &Caller) -> Outcome<Vec<String>> {
    let (organisation, product) = (OrganisationCode::parse(world::FIRST)?, ProductCode::parse("bulk")?);
    let mut names = Vec::new();
    let mut after = None;
    loop {
        let page = operations.outbox_page(caller, &organisation, &product, after.as_ref(), PAGE)?;
        let Some(last) = page.last() else { return Ok(names) };
        after = Some(last.name.clone());
        names.extend(page.iter().map(|entry| entry.name.to_string()));
    }
}

fn list_by_operations(operations: &Operations, caller: &Caller) -> Outcome<()> {
    let mut each = Vec::new();
    let mut count = 0;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        count = page_through(operations, caller)?.len();
        each.push(begun.elapsed().as_secs_f64());
    }
    row("names in the folder (data files and their digests)", &count.to_string());
    row("list them by the operations, pages of 1,000", &format!("{:.1} ms", median(&each) * 1e3));
    Ok(())
}

/// Bytes in the parts of a home.
struct Disk {
    vault: u64,
    journal: u64,
    index: u64,
}

impl Disk {
    fn of(home: &Path) -> Outcome<Self> {
        let data = home.join("data");
        Ok(Self {
            vault: bytes_below(&data.join("vault"))?,
            journal: bytes_below(&data.join("catalog/journal"))?,
            index: bytes_below(&data.join("catalog/index"))?,
        })
    }

    const fn since(&self, before: &Self) -> Self {
        Self {
            vault: self.vault.saturating_sub(before.vault),
            journal: self.journal.saturating_sub(before.journal),
            index: self.index.saturating_sub(before.index),
        }
    }
}

fn bytes_below(folder: &Path) -> Outcome<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { bytes_below(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}

fn own_cpu() -> Outcome<f64> {
    cpu_seconds_of(std::process::id())
}

fn compare(what: &str, [ours, theirs]: &[Vec<f64>; 2], unit: f64) {
    let numbers = format!("{:.0} against sshd {:.0}", median(ours) * unit, median(theirs) * unit);
    row(what, &format!("{numbers}, ratio {}", ratio(ours, theirs)));
}

fn row(what: &str, value: &str) {
    println!("{what:<58} {value}");
    // Lines appear as they are measured, also in a file; a closed output is no reason to stop measuring.
    let _ = stdout().flush();
}

fn seconds(duration: Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
}
