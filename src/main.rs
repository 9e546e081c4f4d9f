//! Arguments in, exit code out. Everything else is in the library.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use postkluis::assembly::{self, Server, backup, check, demo, home, host_keys, protection};
use postkluis::config::sections::LogFormat;
use postkluis::config::{Config, environment};
use postkluis::fronts::cli::args::{Backup, CONFIRM, Command, CommandLine, HostKey, Restore, Running};
use postkluis::fronts::cli::client::{self, Request};
use postkluis::fronts::cli::{say, say_aside};
use postkluis::operations::Failure;
use postkluis::telemetry;
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

/// Done.
const DONE: u8 = 0;
/// Refused or failed.
const FAILED: u8 = 1;
/// Wrong usage.
const WRONG_USAGE: u8 = 2;

fn main() -> ExitCode {
    let line = match CommandLine::try_parse() {
        Ok(line) => line,
        Err(error) => {
            let is_help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            if !is_help && std::env::args_os().any(|argument| argument == "--json") {
                say(&json!({ "error": error.to_string() }).to_string());
            }
            // Nothing is to be done when the terminal is gone.
            let _ = error.print();
            return ExitCode::from(if is_help { DONE } else { WRONG_USAGE });
        }
    };
    let home = line.home.clone().or_else(|| std::env::var_os("POSTKLUIS_HOME").map(PathBuf::from));
    let home = home.unwrap_or_else(|| PathBuf::from("postkluis-home"));
    let home = std::path::absolute(&home).unwrap_or(home);
    let code = match line.command {
        Command::Init { sftp_listen, https_listen } => match home::init(&home, sftp_listen, https_listen) {
            Ok(new) => {
                let shown = home.display();
                let document = json!({ "home": shown.to_string(), "hostKeyFingerprint": new.host_fingerprint });
                let text = format!(
                    "made {shown}\nSSH host key: {}\nNext: postkluis check, then postkluis serve",
                    new.host_fingerprint
                );
                answer(line.json, &document, &text)
            }
            Err(failure) => failed(line.json, &failure),
        },
        Command::Check { dns, deep } => run_check(&home, dns, deep, line.json),
        Command::HostKey(command) => {
            let told = match command {
                HostKey::List => host_keys::list(&home),
                HostKey::Add { kind } => host_keys::add(&home, kind),
                HostKey::Retire { kind } => host_keys::retire(&home, kind),
            };
            match told {
                Ok((document, text)) => answer(line.json, &document, &text),
                Err(failure) => failed(line.json, &failure),
            }
        }
        Command::Serve => serve(&home),
        Command::Demo { keep } => runtime(|| demo::run(keep, line.json)),
        Command::Running(Running::Backup(Backup::Create { dir })) if !client::is_served(&home) => {
            told(line.json, backup::back_up_stopped(&home, &dir))
        }
        Command::Running(Running::Backup(Backup::Repair { dir })) if !client::is_served(&home) => {
            told(line.json, backup::repair_stopped(&home, &dir))
        }
        Command::Running(Running::Backup(Backup::Verify { dir, identity })) => {
            verify(line.json, &dir, identity.as_deref())
        }
        Command::Running(Running::Restore(restore)) if restore.from.as_os_str() != CONFIRM => {
            run_restore(line.json, &home, &restore)
        }
        Command::Running(Running::Restore(restore)) if !restore.yes => confirm(&home, line.json),
        Command::Running(_) => ask(&home, line.json, &[]),
    };
    ExitCode::from(code)
}

fn run_check(home: &Path, dns: bool, deep: bool, as_json: bool) -> u8 {
    let mut findings = check::check(home);
    if deep {
        findings.extend(assembly::deep::check(home));
    }
    let records = if dns { check::dns_records(home) } else { Vec::new() };
    let text: Vec<String> = findings.iter().map(check::Finding::line).chain(records.clone()).collect();
    let document = json!({
        "findings": findings.iter().map(check::Finding::document).collect::<Vec<_>>(),
        "dns": records,
    });
    answer(as_json, &document, &text.join("\n"));
    if findings.iter().any(|finding| finding.verdict == check::Verdict::Wrong) { FAILED } else { DONE }
}

fn serve(home: &Path) -> u8 {
    // first: the configuration reads secrets already
    let protection = match protection::protect() {
        Ok(protection) => protection,
        Err(error) => {
            complain(&format!("the process cannot be kept from being dumped: {error}"));
            return FAILED;
        }
    };
    let config = match Config::load(home, environment()) {
        Ok(config) => config,
        Err(faults) => {
            complain(&format!("{faults}"));
            return FAILED;
        }
    };
    let form = match config.logging.format {
        LogFormat::Text => telemetry::Form::Text,
        LogFormat::Json => telemetry::Form::Json,
    };
    if let Err(error) = telemetry::start(config.logging.level.word(), form) {
        complain(&error.to_string());
        return FAILED;
    }
    if let Err(why) = protection.locked {
        tracing::info!(%why, "memory may be swapped out: encrypt the swap space, or lift the limit");
    }
    runtime(|| async move {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        if backup::is_unconfirmed(&config.home)? {
            let stop = async {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
            };
            if !backup::await_confirmation(&config, stop).await? {
                return Ok(());
            }
        }
        let server = Server::start(&config).await?;
        let operator = server.operator.map(|address| format!(" operator={address}")).unwrap_or_default();
        say(&format!("ready sftp={} https={}{operator}", server.sftp, server.https));
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: transfers in flight may finish");
        server.stop().await;
        Ok(())
    })
}

/// Runs `work` on a runtime of its own and turns its end into an exit code.
fn runtime<F>(work: impl FnOnce() -> F) -> u8
where
    F: Future<Output = Result<(), assembly::StartError>>,
{
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!("the runtime cannot be started: {error}"));
            return FAILED;
        }
    };
    match runtime.block_on(work()) {
        Ok(()) => DONE,
        Err(error) => {
            complain(&error.to_string());
            FAILED
        }
    }
}

fn told(as_json: bool, outcome: Result<(Value, String), Failure>) -> u8 {
    match outcome {
        Ok((document, text)) => answer(as_json, &document, &text),
        Err(failure) => failed(as_json, &failure),
    }
}

fn verify(as_json: bool, folder: &Path, identity: Option<&Path>) -> u8 {
    match backup::verify(folder, identity) {
        Ok((document, text, is_whole)) => {
            answer(as_json, &document, &text);
            if is_whole { DONE } else { FAILED }
        }
        Err(failure) => failed(as_json, &failure),
    }
}

fn run_restore(as_json: bool, home: &Path, restore: &Restore) -> u8 {
    let Some(identity) = &restore.identity else {
        complain("restore needs --identity FILE: the age identity of storage.backup_recipient");
        return WRONG_USAGE;
    };
    told(as_json, backup::restore(home, &restore.from, identity, restore.shred_keys.as_deref()))
}

/// Shows what the restore may have undone; on a terminal it asks and confirms.
fn confirm(home: &Path, as_json: bool) -> u8 {
    let code = ask(home, as_json, &[]);
    if as_json || !std::io::stdin().is_terminal() {
        return code;
    }
    say_aside("Type `open` to confirm:");
    let mut typed = String::new();
    match std::io::stdin().read_line(&mut typed) {
        Ok(_) if typed.trim() == "open" => ask(home, as_json, &["--yes"]),
        _ => code,
    }
}

/// Sends this command, with `more` behind it, to the server of the home.
fn ask(home: &Path, as_json: bool, more: &[&str]) -> u8 {
    let folder = std::env::current_dir().unwrap_or_default().to_string_lossy().into_owned();
    let given = std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    let arguments = given.chain(more.iter().map(ToString::to_string)).collect();
    match client::ask(home, &Request { arguments, folder }) {
        Ok(response) if response.exit == DONE => answer(as_json, &response.document, &response.text),
        Ok(response) => {
            if as_json {
                say(&response.document.to_string());
            }
            complain(&response.text);
            response.exit
        }
        Err(why) => {
            if as_json {
                say(&json!({ "error": why }).to_string());
            }
            complain(&why);
            FAILED
        }
    }
}

fn answer(as_json: bool, document: &Value, text: &str) -> u8 {
    if as_json {
        say(&format!("{document:#}"))
    } else {
        say(text)
    };
    DONE
}

fn failed(as_json: bool, failure: &Failure) -> u8 {
    if as_json {
        say(&json!({ "error": failure.to_string() }).to_string());
    }
    complain(&failure.to_string());
    FAILED
}

/// One message on standard error.
fn complain(text: &str) {
    say_aside(&format!("postkluis: {text}"));
}
