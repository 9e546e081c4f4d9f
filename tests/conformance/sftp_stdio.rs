//! `sftp-stdio`: the SFTP protocol core on standard input and output over the plain,
//! unchrooted file system, with the flags of OpenSSH's `sftp-server`, so that suites made
//! for that one run against this one unchanged. For tests only, never part of a package.

#![expect(clippy::disallowed_methods, reason = "this program for tests is the disk and the clock at once")]

mod flags;
mod plain_folder;
mod plain_listing;
mod real_path;
mod users;

use std::io::{ErrorKind, Read as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use postkluis::config::sftp::SftpSettings;
use postkluis::fronts::sftp::conversation::Conversation;
use postkluis::fronts::sftp::request_names::{EXTENSIONS, REQUESTS};
use postkluis::fronts::sftp::requests::CoreLimits;
use tokio::runtime::Runtime;

use flags::{Flags, Journal, Level};
use plain_folder::PlainFolder;
use users::Users;

/// Descriptors that are not for handles: OpenSSH keeps five, the runtime some more.
const OWN_DESCRIPTORS: u64 = 24;
/// Bytes read from standard input at a time.
const READ_BYTES: usize = 64 * 1024;
/// Between two looks at whether all is answered once standard input has ended.
const SETTLE: Duration = Duration::from_millis(2);

fn main() -> ExitCode {
    let flags = match Flags::read() {
        Ok(flags) => flags,
        Err(said) => {
            eprint!("{said}");
            return ExitCode::FAILURE;
        }
    };
    if let Some(query) = &flags.query {
        return answer(query);
    }
    let journal = flags.journal();
    if let Err(said) = prepare(&flags, &journal) {
        eprintln!("{said}");
        return ExitCode::from(255);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("sftp-stdio: no threads: {error}");
            return ExitCode::from(255);
        }
    };
    converse(&runtime, flags, journal)
}

/// `-Q requests`.
fn answer(query: &str) -> ExitCode {
    if !query.eq_ignore_ascii_case("requests") {
        eprintln!("Invalid query type");
        return ExitCode::FAILURE;
    }
    for name in REQUESTS.iter().copied().chain(EXTENSIONS.iter().map(|extension| extension.request)) {
        println!("{name}");
    }
    ExitCode::SUCCESS
}

/// The mask and the folder to start in; a folder that is not there is logged and passed over, as there.
fn prepare(flags: &Flags, journal: &Journal) -> Result<(), String> {
    if let Some(text) = &flags.umask {
        let mask = u32::from_str_radix(text, 8).ok().filter(|mask| *mask <= 0o777);
        let mask = mask.ok_or_else(|| format!("Invalid umask \"{text}\""))?;
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(mask));
    }
    if let Some(folder) = &flags.start {
        let folder = Users::of_this_system().start_folder(folder);
        if let Err(error) = std::env::set_current_dir(&folder) {
            journal.say(Level::Error, &format!("chdir to \"{folder}\" failed: {error}"));
        }
    }
    Ok(())
}

/// Reads here and writes on a thread of the runtime: one hop less for each small request.
fn converse(runtime: &Runtime, flags: Flags, journal: Journal) -> ExitCode {
    let settings = SftpSettings::default();
    let descriptors = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(1024);
    let handles = descriptors.saturating_sub(OWN_DESCRIPTORS).max(1);
    let limits = CoreLimits {
        max_handles: usize::try_from(handles).unwrap_or(usize::MAX),
        window_requests: settings.window_requests,
        window_bytes: settings.window_bytes,
        check_file_bytes: settings.check_file_bytes,
    };
    journal.say(Level::Info, "session opened");
    let conversation = Conversation::new(Arc::new(PlainFolder::new(flags, journal)), limits);
    let answers = conversation.clone();
    runtime.spawn(async move {
        answers.pump(|bytes| std::future::ready(write(&bytes).is_ok())).await;
        // nobody listens any more, while standard input may stay open
        std::process::exit(0);
    });
    let mut stdin = std::io::stdin().lock();
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let count = match stdin.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => {
                eprintln!("sftp-stdio: read: {error}");
                return ExitCode::FAILURE;
            }
        };
        if let Err(broken) = runtime.block_on(conversation.feed(buffer.get(..count).unwrap_or_default())) {
            eprintln!("sftp-stdio: bad message: {broken:?}");
            return ExitCode::from(11);
        }
        conversation.leave_to_pump();
    }
    // what was asked before the end is answered
    while !conversation.is_idle() {
        std::thread::sleep(SETTLE);
    }
    ExitCode::SUCCESS
}

fn write(bytes: &[u8]) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}
