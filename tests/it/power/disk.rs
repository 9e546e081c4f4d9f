//! Disks out of image files: an outer XFS that can clone a file in a moment, and on it inner file systems whose
//! image is cloned while they are written to. Needs root and loop devices; unmounts all of it when it goes.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::support::programs::finish;

/// Says that a machine that cannot mount does without these tests.
const NO_MOUNT: &str = "POSTKLUIS_TEST_NO_MOUNT";
/// Of the outer file system; sparse, and what is removed is given back.
const OUTER_BYTES: u64 = 3 << 30;
/// Of an inner file system; sparse.
const INNER_BYTES: u64 = 1 << 30;
/// Of all disks: a file that shares its blocks with a clone can be written in no smaller pieces.
const SECTOR_BYTES: &str = "4096";
const SECTORS: &str = "size=4096";
/// A file system whose last file has just been closed may be in use for a moment.
const BUSY: Duration = Duration::from_millis(100);
const BUSY_TIMES: usize = 50;

/// What an inner file system is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Kind {
    Ext4,
    Xfs,
}

impl Kind {
    /// As both are set up where nobody changes anything. What `mkfs` would leave to be done while mounted is
    /// done at once: it would be written between the writes that count.
    fn make(self, image: &Path) -> Result<(), String> {
        let (program, arguments): (_, &[&str]) = match self {
            Self::Ext4 => ("mkfs.ext4", &["-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0"]),
            Self::Xfs => ("mkfs.xfs", &["-q", "-f", "-s", SECTORS]),
        };
        tried(Command::new(program).args(arguments).arg(image)).map(drop)
    }

    /// A cut has the same UUID as the file system that it was cut from, and both are mounted.
    const fn options(self) -> &'static str {
        match self {
            Self::Ext4 => "rw,data=ordered",
            Self::Xfs => "rw,nouuid",
        }
    }
}

/// A mounted image; gone with its value.
pub(super) struct Mount {
    at: PathBuf,
}

impl Mount {
    fn of(image: &Path, at: &Path, options: &str) -> Result<Self, String> {
        fs::create_dir_all(at).map_err(|error| error.to_string())?;
        // Without a cache between the device and the image: a clone of the image holds what the disk holds.
        let device = tried(
            Command::new("losetup")
                .args(["--find", "--show", "--direct-io=on", "--sector-size", SECTOR_BYTES])
                .arg(image),
        )?;
        let device = device.trim();
        let mounted = tried(Command::new("mount").args(["-o", options, device]).arg(at));
        // What is mounted is let go by the kernel when it is unmounted.
        let detached = tried(Command::new("losetup").args(["--detach", device]));
        let mount = mounted.map(|_| Self { at: at.to_owned() })?;
        detached?;
        let name = device.rsplit('/').next().unwrap_or_default();
        let is_direct = fs::read_to_string(format!("/sys/block/{name}/loop/dio")).unwrap_or_default();
        if is_direct.trim() == "1" { Ok(mount) } else { Err(format!("{device} goes through the page cache")) }
    }

    pub(super) fn at(&self) -> &Path {
        &self.at
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        for _ in 0..BUSY_TIMES {
            if Command::new("umount").arg(&self.at).output().is_ok_and(|said| said.status.success()) {
                return;
            }
            thread::sleep(BUSY);
        }
        let _ = Command::new("umount").arg("--lazy").arg(&self.at).status();
    }
}

/// The outer file system. Its fields go in this order: first it is unmounted, then its image goes.
pub(super) struct Ground {
    outer: Mount,
    /// What no power cut may touch, such as the identity that reads backups.
    folder: TempDir,
    _turn: MutexGuard<'static, ()>,
}

/// One at a time: loop devices are few, and the images take room.
static TURN: Mutex<()> = Mutex::new(());

impl Ground {
    /// None where the surroundings say that nothing can be mounted; told loudly then.
    pub(super) fn set() -> Option<Self> {
        if std::env::var_os(NO_MOUNT).is_some_and(|value| value == "1") {
            // Past the capture of the test harness: it must be seen.
            let told = writeln!(std::io::stderr(), "NOT RUN: power cuts ({NO_MOUNT}=1): nothing is known of them");
            told.expect("standard error");
            return None;
        }
        match Self::try_set() {
            Ok(ground) => Some(ground),
            Err(why) => panic!(
                "power cuts need root, free loop devices (/dev/loop*), and mkfs.xfs and mkfs.ext4 (Debian: xfsprogs, \
                 e2fsprogs), or {NO_MOUNT}=1 to do without them: {why}"
            ),
        }
    }

    fn try_set() -> Result<Self, String> {
        // A test that failed in its turn has cleared its ground.
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
        fs::create_dir_all(target).map_err(|error| error.to_string())?;
        let folder = tempfile::Builder::new().prefix("power-").tempdir_in(target).map_err(|error| error.to_string())?;
        let image = folder.path().join("outer.img");
        sparse(&image, OUTER_BYTES)?;
        tried(Command::new("mkfs.xfs").args(["-q", "-m", "reflink=1", "-s", SECTORS]).arg(&image))?;
        let outer = Mount::of(&image, &folder.path().join("outer"), "rw,discard")?;
        Ok(Self { outer, folder, _turn: turn })
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A new inner file system.
    #[track_caller]
    pub(super) fn disk(&self, kind: Kind, name: &str) -> Disk {
        let image = self.outer.at().join(name).with_extension("img");
        sparse(&image, INNER_BYTES).expect("an image");
        kind.make(&image).expect("a file system");
        self.mounted(kind, image)
    }

    /// The file system as the power cut left it. Mounting it replays its journal, as a machine does that comes back.
    #[track_caller]
    pub(super) fn mounted(&self, kind: Kind, image: PathBuf) -> Disk {
        let name = image.file_stem().expect("a name").to_owned();
        let mount = Mount::of(&image, &self.folder().join(name), kind.options());
        Disk { mount: mount.unwrap_or_else(|why| panic!("{}: {why}", image.display())), kind, image }
    }

    /// Bytes of the machine's disk that all of it takes.
    pub(super) fn bytes(&self) -> u64 {
        use std::os::unix::fs::MetadataExt as _;
        fs::metadata(self.folder().join("outer.img")).map_or(0, |found| found.blocks() * 512)
    }
}

/// An inner file system with its image; both go with the value, in this order.
pub(super) struct Disk {
    mount: Mount,
    pub(super) kind: Kind,
    image: PathBuf,
}

impl Disk {
    pub(super) fn at(&self) -> &Path {
        self.mount.at()
    }

    /// Everything that was written so far is on the disk.
    #[track_caller]
    pub(super) fn settle(&self) {
        finish(Command::new("sync").arg("--file-system").arg(self.at())).expect_code(0);
    }

    /// Cuts the power of a copy: what the disk holds at this moment, in a new image.
    #[track_caller]
    pub(super) fn cut(&self, name: &str) -> PathBuf {
        let path = self.image.with_file_name(name).with_extension("img");
        let from = File::open(&self.image).expect("the image");
        let to = File::create_new(&path).expect("a new image");
        rustix::fs::ioctl_ficlone(&to, &from).expect("a clone of the image");
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // While it is still mounted: the space comes back when the mount goes.
        let _ = fs::remove_file(&self.image);
    }
}

fn sparse(path: &Path, bytes: u64) -> Result<(), String> {
    File::create_new(path).and_then(|file| file.set_len(bytes)).map_err(|error| format!("{}: {error}", path.display()))
}

/// Standard output of a program that ended well.
fn tried(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let said = command.output().map_err(|error| format!("{name}: {error}"))?;
    if said.status.success() {
        return Ok(String::from_utf8_lossy(&said.stdout).into_owned());
    }
    Err(format!("{name}: {}", String::from_utf8_lossy(&said.stderr).trim()))
}
