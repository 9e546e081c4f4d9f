//! The rest of the matrix of clients (docs/CONFORMANCE.md) for uploads: each puts a file, goes on
//! with one of which the first half is there, and renames it when it is whole.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::client_matrix::{psftp, surroundings};
use crate::fetch_sftp::Mounted;
use crate::fetch_stage::{ALPHA, World, eventually, pattern};
use crate::support::programs::{finish, node};
use crate::upload_stage::{is_received, local, upload, uploads, world};

const SOME_MIB: usize = 3 * 1024 * 1024 + 77;
/// Where every client uploads.
const INTO: &str = "/dropbox/intake";

/// A world, and what is to be uploaded.
struct Matter {
    world: World,
    bytes: Vec<u8>,
    whole: PathBuf,
    half: PathBuf,
    /// With three files.
    folder: PathBuf,
}

impl Matter {
    #[track_caller]
    fn new() -> Self {
        let world = world();
        let bytes = pattern(7, SOME_MIB);
        let (whole, half) = (local(&world, "whole", &bytes), local(&world, "half", &bytes[..SOME_MIB / 2]));
        let folder = world.server.desk("folder");
        for number in 1..=3 {
            fs::write(folder.join(format!("file-{number}.csv")), pattern(number, 40_000 * number)).expect("a file");
        }
        Self { world, bytes, whole, half, folder }
    }

    /// Fails unless these names were received with the whole file.
    #[track_caller]
    fn came_as(&self, names: &[&str]) {
        for name in names {
            is_received(&self.world, name, &self.bytes);
        }
    }

    #[track_caller]
    fn folder_came(&self) {
        for number in 1..=3 {
            is_received(&self.world, &format!("file-{number}.csv"), &pattern(number, 40_000 * number));
        }
    }
}

#[test]
fn scp_puts_files_with_their_times() {
    let matter = Matter::new();
    let client = matter.world.client(ALPHA);
    let scp = |arguments: &[&str]| finish(Command::new("scp").args(["-s", "-F"]).arg(client.config()).args(arguments));
    let (whole, to) = (matter.whole.display().to_string(), format!("vault:{INTO}"));
    scp(&["-p", &whole, &format!("{to}/whole.csv")]).expect_code(0);
    matter.came_as(&["whole.csv"]);
    let files: Vec<_> = (1..=3).map(|number| matter.folder.join(format!("file-{number}.csv"))).collect();
    let files: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
    let arguments: Vec<_> = files.iter().map(String::as_str).chain([to.as_str()]).collect();
    scp(&arguments).expect_code(0);
    matter.folder_came();
    let said = scp(&["-r", &matter.folder.display().to_string(), &to]).expect_code(1).stderr;
    assert!(said.contains("failed to upload directory"), "a drop-box has no folders of its own: {said}");
}

#[test]
fn psftp_puts_resumes_and_renames() {
    let matter = Matter::new();
    let (whole, half) = (matter.whole.display(), matter.half.display());
    let lines = format!(
        "cd {INTO}\nput {whole} whole.csv\nput {half} resumed.csv.part\nreput {whole} resumed.csv.part\n\
         mv resumed.csv.part resumed.csv\nmput {}/*.csv\nls\n",
        matter.folder.display()
    );
    let said = finish(&mut psftp(&matter.world, ALPHA, &lines)).expect_code(0).text();
    assert!(said.contains("resumed.csv") && !said.contains("filepart"), "{said}");
    matter.came_as(&["whole.csv", "resumed.csv"]);
    matter.folder_came();
}

#[test]
fn net_sftp_foreign_puts_resumes_and_renames() {
    let matter = Matter::new();
    let client = matter.world.client(ALPHA);
    let mut perl = Command::new("perl");
    perl.args(["-e", include_str!("../clients/net_sftp_foreign_upload.pl")]).arg(client.config());
    finish(perl.args([&matter.whole, &matter.half, &matter.folder]).arg(INTO)).expect_code(0);
    matter.came_as(&["whole.csv", "resumed.csv"]);
    matter.folder_came();
}

#[test]
fn ssh2_sftp_client_puts_appends_and_renames() {
    let matter = Matter::new();
    let mut command = node();
    command.args(["-e", include_str!("../clients/ssh2_sftp_client_upload.js")]);
    command.args(surroundings(&matter.world, ALPHA)).args([&matter.whole, &matter.half, &matter.folder]);
    finish(command.arg(INTO)).expect_code(0);
    matter.came_as(&["stream.csv", "fast.csv", "resumed.csv"]);
    matter.folder_came();
}

#[test]
fn libssh2_puts_goes_on_and_renames() {
    let matter = Matter::new();
    let mut command = matter.world.python(include_str!("../clients/libssh2_upload.py"), ALPHA);
    finish(command.arg(&matter.whole).arg(INTO)).expect_code(0);
    matter.came_as(&["whole.csv", "resumed.csv"]);
}

#[test]
fn a_mounted_drop_box_takes_copies_where_the_machine_lets_it_mount() {
    let matter = Matter::new();
    let Some(mounted) = Mounted::told(&matter.world, "dropbox/intake", &[]) else { return };
    let at = mounted.at();
    let mut copy = Command::new("cp");
    finish(copy.arg(&matter.whole).arg(at.join("whole.csv"))).expect_code(0);
    let mut copy = Command::new("cp");
    finish(copy.arg(&matter.whole).arg(at.join(".moved.csv"))).expect_code(0);
    assert_eq!(uploads(&matter.world, "moved.csv").len(), 0);
    fs::rename(at.join(".moved.csv"), at.join("moved.csv")).expect("a rename");
    // a mount closes when the last of those who have a file open has closed it
    for name in ["whole.csv", "moved.csv"] {
        eventually(&format!("{name} to be received"), || {
            (upload(&matter.world, name).get("state")?.as_str()? == "received").then_some(())
        });
    }
    matter.came_as(&["whole.csv", "moved.csv"]);
}
