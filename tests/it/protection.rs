//! What the running server shows of its memory to others: nothing. Read by its own
//! user, beside a process that can be read, so that the refusal is the server's.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::geteuid;

use crate::support::programs::finish;
use crate::support::server::clean_command;

/// The user that nobody is; root would be allowed everything.
const NOBODY: u32 = 65_534;

/// Ended, whatever the test comes to.
struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// As an ordinary user: root becomes nobody, everybody else stays who they are.
fn as_user(mut command: Command) -> Command {
    if geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

fn give(path: &Path) {
    if geteuid().is_root() {
        chown(path, Some(NOBODY), Some(NOBODY)).expect("chown");
    }
}

fn reads(pid: u32, file: &str) -> bool {
    let mut command = as_user(Command::new("head"));
    let status = command.args(["-c", "1", &format!("/proc/{pid}/{file}")]).stdout(Stdio::null()).status();
    status.expect("head").success()
}

#[test]
fn its_memory_cannot_be_read_by_its_own_user_and_never_becomes_a_core_file() {
    let folder = tempfile::Builder::new().prefix("postkluis-").tempdir().expect("a temporary folder");
    give(folder.path());
    let program = folder.path().join("postkluis");
    fs::copy(env!("CARGO_BIN_EXE_postkluis"), &program).expect("the program");
    let home = folder.path().join("home");
    let mut init = as_user(clean_command(&program));
    init.arg("--home").arg(&home).args(["init", "--sftp-listen", "127.0.0.1:0", "--https-listen", "127.0.0.1:0"]);
    finish(&mut init).expect_code(0);
    let mut serve = as_user(clean_command(&program));
    serve.arg("--home").arg(&home).arg("serve").stdout(Stdio::piped()).stderr(Stdio::null());
    serve.env("POSTKLUIS_MAIL__RELAY", format!("folder:{}", home.join("mail").display()));
    serve.env("POSTKLUIS_MAIL__FROM", "portal@example.org");
    let mut server = Ending(serve.spawn().expect("the server"));
    let mut line = String::new();
    BufReader::new(server.0.stdout.take().expect("standard output")).read_line(&mut line).expect("a line");
    assert!(line.starts_with("ready "), "{line}");

    let pid = server.0.id();
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).expect("the limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("the core limit");
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");

    let other = Ending(as_user(Command::new("sleep")).arg("300").spawn().expect("sleep"));
    for file in ["maps", "environ"] {
        assert!(reads(other.0.id(), file), "an ordinary process of the same user can be read: {file}");
        assert!(!reads(pid, file), "the server's {file} can be read");
    }
    assert!(fs::File::open(format!("/proc/{pid}/mem")).is_err() || geteuid().is_root());
}
