//! A small file system of its own (tmpfs, so root is needed) for tests that fill a disk.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::programs::finish;

/// A small file system over a folder; gone with its value.
pub(crate) struct Disk {
    at: PathBuf,
    is_mounted: bool,
}

impl Disk {
    /// Mounts over `at`, or tells why the test does not run.
    pub(crate) fn mount(at: &Path, options: &str) -> Option<Self> {
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "none"]).arg(at).output();
        let why = match mounted {
            Ok(output) if output.status.success() => return Some(Self { at: at.to_owned(), is_mounted: true }),
            Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
            Err(error) => error.to_string(),
        };
        // Past the capture of the test harness: it must be seen.
        let told =
            writeln!(std::io::stderr(), "NOT RUN: what needs a small disk: a tmpfs cannot be mounted: {}", why.trim());
        told.expect("standard error");
        None
    }

    #[track_caller]
    pub(crate) fn resize(&self, size: &str) {
        let option = format!("remount,size={size}");
        finish(Command::new("mount").args(["-o", &option]).arg(&self.at)).expect_code(0);
    }

    #[track_caller]
    pub(crate) fn unmount(&mut self) {
        self.is_mounted = false;
        finish(Command::new("umount").arg(&self.at)).expect_code(0);
    }

    pub(crate) fn free(&self) -> u64 {
        rustix::fs::statvfs(&self.at).map(|disk| disk.f_bavail * disk.f_frsize).expect("the disk")
    }

    /// Makes a file of this size that is not the server's.
    pub(crate) fn take(&self, bytes: u64) {
        let size = usize::try_from(bytes).expect("a size");
        fs::write(self.at.join("taken"), vec![7; size]).expect("the file");
    }

    /// Writes a file until nothing more fits.
    pub(crate) fn fill(&self) -> PathBuf {
        let path = self.at.join("filler");
        let mut file = File::create(&path).expect("the filler");
        for size in [64 * 1024, 512, 1] {
            while file.write(&vec![7; size]).is_ok_and(|written| written > 0) {}
        }
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Only what this test mounted; the folder above it is the test's own.
        let is_gone =
            !self.is_mounted || Command::new("umount").arg(&self.at).status().is_ok_and(|status| status.success());
        if !is_gone {
            let _ = Command::new("umount").arg("-l").arg(&self.at).status();
        }
        if let Some(folder) = self.at.parent() {
            let _ = fs::remove_dir_all(folder);
        }
    }
}
