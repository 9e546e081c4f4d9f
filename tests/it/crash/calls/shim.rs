//! The shared object between the program and the C library: compiled once, told through a mapped file at
//! which call to strike, and read back by its log. Knows nothing of what the program does.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::support::programs::finish;
use crate::support::server::Server;

/// Six fields of 64 bits, as in `shim.c`.
const CONTROL_BYTES: usize = 48;
/// Where `armed` lies; `kind`, `at` and the clock follow it.
const ARMED: u64 = 0;
/// Where the offset of the clock lies.
const CLOCK: u64 = 24;

/// What happens at the call that is struck.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Fault {
    KillBefore,
    KillAfter,
    Eio,
    Enospc,
    Short,
    SyncFails,
    /// Writes fail by chance while it lasts; the place is how many of a thousand.
    OftenFull,
}

impl Fault {
    pub(super) const ALL: [Self; 6] =
        [Self::KillBefore, Self::KillAfter, Self::Eio, Self::Enospc, Self::Short, Self::SyncFails];

    /// The number in `shim.c`; nought counts only.
    const fn number(self) -> u64 {
        match self {
            Self::KillBefore => 1,
            Self::KillAfter => 2,
            Self::Eio => 3,
            Self::Enospc => 4,
            Self::Short => 5,
            Self::SyncFails => 6,
            Self::OftenFull => 7,
        }
    }

    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::KillBefore => "killed before",
            Self::KillAfter => "killed after",
            Self::Eio => "EIO",
            Self::Enospc => "ENOSPC",
            Self::Short => "half, then EIO",
            Self::SyncFails => "EIO at every sync from it on",
            Self::OftenFull => "ENOSPC by chance",
        }
    }
}

/// A class of calls in a folder of the home, such as `sync data/vault/*`.
pub(super) type Named = String;

/// The shim as one server has it.
pub(super) struct Shim {
    control: File,
    log: PathBuf,
    home: PathBuf,
}

impl Shim {
    /// Puts the shim before this program, where its command line has one of these words.
    pub(super) fn before(server: &mut Server, words: &[&str]) -> Self {
        let folder = server.desk("faults");
        let (control, log, home) = (folder.join("control"), folder.join("calls.log"), server.home());
        fs::write(&control, [0; CONTROL_BYTES]).expect("the control file");
        fs::write(&log, b"").expect("the log of calls");
        let watched = [home.join("data"), home.join("keys"), home.join("spool"), server.desk("backup")];
        let roots = watched.map(|path| path.display().to_string()).join(":");
        server.set("LD_PRELOAD", &built().display().to_string());
        server.set("FAULTS_CONTROL", &control.display().to_string());
        server.set("FAULTS_LOG", &log.display().to_string());
        server.set("FAULTS_ROOTS", &roots);
        // The clients of the command line are the same program.
        server.set("FAULTS_COMMAND", &words.join(":"));
        let control = File::options().write(true).read(true).open(control).expect("the control file");
        Self { control, log, home }
    }

    /// From now on calls are counted, and this one is struck.
    pub(super) fn arm(&self, strike: Option<(Fault, u64)>) {
        let (kind, at) = strike.map_or((0, 0), |(fault, at)| (fault.number(), at));
        for (place, number) in [(8, kind), (16, at), (ARMED, 1)] {
            self.put(place, number);
        }
    }

    /// From now on the program's clock of the wall is off by so much.
    pub(super) fn set_clock(&self, offset_ms: i64) {
        self.control.write_all_at(&offset_ms.to_le_bytes(), CLOCK).expect("the control file");
    }

    /// The same, seen by a home that has no folders yet: everything below it counts.
    pub(super) fn watch_home(server: &mut Server) {
        let home = server.home().display().to_string();
        server.set("FAULTS_ROOTS", &home);
    }

    pub(super) fn disarm(&self) {
        self.put(ARMED, 0);
    }

    fn put(&self, place: u64, number: u64) {
        self.control.write_all_at(&number.to_le_bytes(), place).expect("the control file");
    }

    /// Without the shim from the next start on.
    pub(super) fn away(server: &mut Server) {
        for variable in ["LD_PRELOAD", "FAULTS_CONTROL", "FAULTS_LOG", "FAULTS_ROOTS", "FAULTS_COMMAND"] {
            server.unset(variable);
        }
    }

    /// Every counted call by name, and the first one that was struck.
    pub(super) fn read(&self) -> (Vec<Named>, Option<Named>) {
        let log = fs::read_to_string(&self.log).expect("the log of calls");
        let mut calls = BTreeMap::new();
        let mut struck = None;
        for line in log.lines() {
            let words: Vec<&str> = line.split('\t').collect();
            let [number, class, path, what] = words.as_slice() else { panic!("a line of the shim: {line}") };
            let number: u64 = number.parse().expect("the number of a call");
            let name = self.name(class, Path::new(path));
            if *what == "struck" && struck.is_none() {
                struck = Some(name.clone());
            }
            calls.insert(number, name);
        }
        (calls.into_values().collect(), struck)
    }

    fn name(&self, class: &str, path: &Path) -> Named {
        let below = path.strip_prefix(&self.home).unwrap_or(path);
        let folder = below.parent().unwrap_or(below);
        let parts: Vec<_> =
            folder.components().map(|part| general(&part.as_os_str().to_string_lossy()).to_owned()).collect();
        format!("{class} {}", parts.join("/"))
    }
}

/// One word for folders whose names are made up: identifiers and the fan of the vault.
fn general(part: &str) -> &str {
    let is_made_up = part.len() == 2 || part.len() >= 32;
    if is_made_up && part.chars().all(|letter| letter.is_ascii_hexdigit() || letter == '-') { "*" } else { part }
}

/// The shared object, compiled once in each run of the tests.
fn built() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/crash/calls/shim.c");
        let object = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("faults-{}.so", std::process::id()));
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o"]).arg(&object).arg(source);
        finish(compiler.arg("-ldl")).expect_code(0);
        object
    })
}
