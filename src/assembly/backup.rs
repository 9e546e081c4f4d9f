//! Makes, verifies and restores backups: brings the catalog's state, the files of
//! a home and the backup's folder together. A restored home stays shut until it is confirmed.
#![expect(clippy::disallowed_methods, reason = "makes and removes the files that say what state a home is in")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::home::{self, write_new};
use super::{ADMIN_SOCKET, StartError, key_facts, mail, open};
use crate::adapters::backup_folder::{self, BackupJob, FollowChain, PayloadToCopy};
use crate::adapters::catalog_journal::Audit;
use crate::config::{CONFIG_FILE, Config, environment};
use crate::domain::digest::Digest;
use crate::domain::history::{Channel, RESTORE_GAP_EVENTS};
use crate::domain::moment::Moment;
use crate::domain::refusal::Refusal;
use crate::fronts::cli::commands::{ConfirmRestore, Office};
use crate::fronts::cli::door;
use crate::fronts::cli::{Answer, say};
use crate::fronts::offload;
use crate::fronts::sessions::Sessions;
use crate::operations::{Failure, Fault, Operations, RESTORE_GAP_DELIVERIES, RestoredState};

/// Says that a home was restored and is not confirmed; lies in `data/`.
const RESTORED: &str = "data/restored.json";

/// What is known of the backup that a home was restored from.
#[derive(Serialize, Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RestoredFrom {
    made_at: u64,
    last_event: u64,
    unfinished_uploads: usize,
    missing_payloads: Vec<String>,
}

/// Follows the chain of a backup's journal.
#[derive(Default)]
struct JournalOfBackup(Audit);

impl FollowChain for JournalOfBackup {
    fn read(&mut self, path: &str, file: File) -> Result<(), Fault> {
        self.0.read(path, file)
    }

    fn end(&self) -> Result<Option<(u64, u64, Digest)>, Fault> {
        self.0.end()
    }
}

/// Makes or continues the backup of an open home in `target`.
pub(super) fn back_up(config: &Config, operations: &Operations, target: &Path) -> Result<Answer, Failure> {
    let recipient = config.storage.backup_recipient.as_deref().ok_or_else(|| {
        let what = "backups are sealed to storage.backup_recipient, which is not set: run `age-keygen -o backup-identity`, \
                    put the public key that it shows there, and keep the file away from this server";
        Refusal::BadRequest(what.to_owned())
    })?;
    let (home, target) = (resolved(&config.home), resolved(target));
    if target.starts_with(&home) || home.starts_with(&target) {
        return Err(Refusal::BadRequest("a backup cannot lie in its home, nor a home in its backup".to_owned()).into());
    }
    let made_at = operations.now();
    let _held = operations.hold_catalog();
    let scope = operations.backup_scope()?;
    let copies = scope.payloads.iter();
    let copies = copies.map(|row| PayloadToCopy { id: row.id, bytes: row.sealed_bytes, sha256: row.sealed_sha256 });
    let job = BackupJob {
        home: &config.home,
        recipient,
        standing: scope.standing,
        payloads: copies.collect(),
        unfinished_uploads: scope.unfinished_uploads,
        made_at,
        has_ended: &|id| operations.has_payload_ended(id),
    };
    let report = backup_folder::create(&target, job)?;
    for payload in &report.missing {
        tracing::error!(%payload, "ALARM: a payload on record is missing or damaged: it is not in the backup");
    }
    let note = format!("run {}, up to event {}", report.run, report.last_event);
    operations.record_backup(&note, report.written_bytes, Channel::CommandLine)?;
    Ok(Answer::one(json!({
        "folder": target.display().to_string(),
        "run": report.run,
        "madeAt": moment(made_at),
        "lastEvent": report.last_event,
        "writtenBytes": report.written_bytes,
        "totalBytes": report.total_bytes,
        "payloadsCopied": report.payloads_copied,
        "payloadsKept": report.payloads_kept,
        "filesRemoved": report.removed,
        "unfinishedUploadsLeftOut": report.unfinished_uploads,
        "endedMeanwhile": report.ended_meanwhile,
        "missingPayloads": report.missing,
    })))
}

/// As `back_up`, of a home whose server is stopped.
///
/// # Errors
/// The configuration is wrong, a server has the home, or as `back_up`.
pub fn back_up_stopped(home: &Path, target: &Path) -> Result<(Value, String), Failure> {
    let config =
        Config::load(home, environment()).map_err(|faults| Fault::from_error("read the configuration", faults))?;
    if restored_from(home)?.is_some() {
        return Err(crate::operations::shut_until_confirmed().into());
    }
    let operations = open(&config)?;
    let answer = back_up(&config, &operations, target)?;
    Ok((answer.document, answer.text))
}

/// Puts payloads of an open home back that were lost or damaged.
pub(super) fn repair(operations: &Operations, from: &Path) -> Result<Answer, Failure> {
    let from = resolved(from);
    backup_folder::refuse_foreign(&from)?;
    let copy_of = |id| backup_folder::payload(&from, id);
    let report = operations.repair_vault(&copy_of, Channel::CommandLine)?;
    let left = report.left.iter().map(|(id, why)| json!({ "payload": id.to_string(), "why": why }));
    let document = json!({
        "read": report.read,
        "repaired": report.repaired.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "left": left.collect::<Vec<_>>(),
    });
    let mut lines = vec![format!("{} payloads read, {} put back", report.read, report.repaired.len())];
    lines.extend(report.repaired.iter().map(|id| format!("  put back {id}")));
    lines.extend(report.left.iter().map(|(id, why)| format!("  still damaged {id}: {why}")));
    Ok(Answer::said(lines.join("\n"), document))
}

/// As `repair`, of a home whose server is stopped.
///
/// # Errors
/// The configuration is wrong, a server has the home, or there is no backup.
pub fn repair_stopped(home: &Path, from: &Path) -> Result<(Value, String), Failure> {
    let config =
        Config::load(home, environment()).map_err(|faults| Fault::from_error("read the configuration", faults))?;
    if restored_from(home)?.is_some() {
        return Err(crate::operations::shut_until_confirmed().into());
    }
    let operations = open(&config)?;
    let answer = repair(&operations, from)?;
    Ok((answer.document, answer.text))
}

/// Looks whether a backup is whole; the flag says so.
///
/// # Errors
/// There is no backup, or it cannot be read at all.
pub fn verify(target: &Path, identity: Option<&Path>) -> Result<(Value, String, bool), Failure> {
    let identity = identity.map(backup_folder::read_identity).transpose()?;
    let found = backup_folder::verify(target, identity.as_ref(), &mut JournalOfBackup::default())?;
    let document = json!({
        "folder": target.display().to_string(),
        "run": found.run,
        "madeAt": moment(found.made_at),
        "lastEvent": found.last_event,
        "files": found.files,
        "bytes": found.bytes,
        "opened": found.was_opened,
        "unfinishedUploadsLeftOut": found.unfinished_uploads,
        "wrong": found.wrong,
    });
    let is_whole = found.wrong.is_empty();
    let mut text = Answer::one(document.clone()).text;
    if is_whole && !found.was_opened {
        text.push_str("\nwhat is sealed was not opened; give --identity to look into it too");
    }
    Ok((document, text, is_whole))
}

/// Restores a new home from a backup. It stays shut until it is confirmed.
///
/// # Errors
/// The home is not empty, the identity does not open the backup, the backup is damaged where nothing can be
/// restored without it, or the disk fails; then the home has no configuration and is to be removed.
pub fn restore(
    home: &Path,
    target: &Path,
    identity: &Path,
    shred_keys: Option<&Path>,
) -> Result<(Value, String), Failure> {
    let is_empty = match fs::read_dir(home) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        entries => {
            entries.map_err(|error| Fault::from_error(format!("look at {}", home.display()), error))?.next().is_none()
        }
    };
    if !is_empty {
        let why = format!("{} is not empty; a backup is restored into a new home, nothing was changed", home.display());
        return Err(Refusal::WrongState(why).into());
    }
    let identity = backup_folder::read_identity(identity)?;
    home::make_folders(home)?;
    let restored = backup_folder::restore(target, home, &identity, shred_keys)?;
    let from = RestoredFrom {
        made_at: restored.made_at.millis(),
        last_event: restored.last_event,
        unfinished_uploads: restored.unfinished_uploads,
        missing_payloads: restored.missing.clone(),
    };
    let marker = serde_json::to_vec_pretty(&from).map_err(|error| Fault::from_error("write the state", error))?;
    write_new(&home.join(RESTORED), &marker, 0o600)?;
    record(home, &restored.config, restored.made_at)?;
    // The configuration comes last: a home with it is whole.
    write_new(&home.join(CONFIG_FILE), &restored.config, 0o640)?;
    let document = json!({
        "home": home.display().to_string(),
        "run": restored.run,
        "madeAt": moment(restored.made_at),
        "lastEvent": restored.last_event,
        "payloads": restored.payloads,
        "shredKeys": restored.shred_keys,
        "missingPayloads": restored.missing,
        "unfinishedUploadsLeftOut": restored.unfinished_uploads,
        "eventNumbersSkipped": RESTORE_GAP_EVENTS,
        "deliveryNumbersSkipped": RESTORE_GAP_DELIVERIES,
    });
    let text = Answer::one(document.clone()).text;
    Ok((document, format!("{text}\nNext: postkluis check, postkluis serve, then postkluis restore confirm")))
}

/// Opens the new home once: its index is rebuilt, and the restore is put on record.
fn record(home: &Path, config: &[u8], made_at: Moment) -> Result<(), Failure> {
    let text = std::str::from_utf8(config).map_err(|error| Fault::from_error("read the configuration", error))?;
    let config = Config::from_text(home, &home.join(CONFIG_FILE), text, environment());
    let config = config.map_err(|faults| Fault::from_error("read the restored configuration", faults))?;
    open(&config)?.record_restore(made_at)
}

/// What this home was restored from, while it is not confirmed.
fn restored_from(home: &Path) -> Result<Option<RestoredFrom>, Failure> {
    let path = home.join(RESTORED);
    let doing = || format!("read {}", path.display());
    match fs::read(&path) {
        Ok(text) => Ok(Some(serde_json::from_slice(&text).map_err(|error| Fault::from_error(doing(), error))?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Fault::from_error(doing(), error).into()),
    }
}

/// Whether this home was restored and is not confirmed.
///
/// # Errors
/// A fault that names the file.
pub fn is_unconfirmed(home: &Path) -> Result<bool, Failure> {
    Ok(restored_from(home)?.is_some())
}

/// Serves the command line alone until the restored home is confirmed (`true`) or `stop` ends. Nothing listens,
/// no e-mail leaves, no drop is taken, no window ends.
///
/// # Errors
/// A store does not open, or the socket cannot be made.
pub async fn await_confirmation(config: &Config, stop: impl Future<Output = ()>) -> Result<bool, StartError> {
    let opening = config.clone();
    let operations = offload(move || open(&opening)).await?;
    let admin = config.home.join(ADMIN_SOCKET);
    let admin = door::bind(&admin)?;
    let (confirmed, mut is_confirmed) = watch::channel(false);
    let (shutdown, until) = watch::channel(false);
    let office = Office {
        operations: Arc::clone(&operations),
        sessions: Sessions::default(),
        time_zone: config.portal.time_zone.clone(),
        key_facts: key_facts::teller(config),
        mail_test: mail::tester(config)?,
        back_up: Box::new(|_| Err(crate::operations::shut_until_confirmed().into())),
        repair: Box::new(|_| Err(crate::operations::shut_until_confirmed().into())),
        restored: Some(confirmation(config.home.clone(), operations, confirmed)),
    };
    let mut tasks = JoinSet::new();
    tasks.spawn(door::serve(admin, Arc::new(office), until));
    say("shut: this home was restored; look through it and run `postkluis restore confirm`");
    let is_open = tokio::select! {
        changed = is_confirmed.wait_for(|confirmed| *confirmed) => changed.is_ok(),
        () = stop => false,
    };
    // The door may have ended already.
    let _ = shutdown.send(true);
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "the command line's door had failed");
        }
    }
    Ok(is_open)
}

fn confirmation(home: PathBuf, operations: Arc<Operations>, confirmed: watch::Sender<bool>) -> ConfirmRestore {
    Box::new(move |is_sure| {
        let from = restored_from(&home)?;
        let from = from.ok_or_else(|| Refusal::WrongState("this home waits for no confirmation".to_owned()))?;
        if !is_sure {
            let told = told(&from, &operations.restored_state()?);
            return Err(Refusal::WrongState(format!("{told}\nNothing was opened; confirm with --yes")).into());
        }
        let state = operations.confirm_restore(Channel::CommandLine)?;
        let path = home.join(RESTORED);
        let removed = fs::remove_file(&path).and_then(|()| File::open(home.join("data"))?.sync_all());
        removed.map_err(|error| Fault::from_error(format!("remove {}", path.display()), error))?;
        // The server opens once this has been answered; nobody waits only when it is being stopped.
        let _ = confirmed.send(true);
        let document = json!({
            "confirmed": true,
            "lostDeliveries": state.lost.len(),
            "lostUploads": state.lost_uploads.len(),
            "lostDocuments": state.lost_documents.len(),
            "mailsOwed": state.mails_owed,
        });
        Ok(Answer::said(format!("{}\nConfirmed: the server opens now", told(&from, &state)), document))
    })
}

/// What the time between backup and restore may have undone.
fn told(from: &RestoredFrom, state: &RestoredState) -> String {
    let at = moment(Moment::from_millis(from.made_at));
    let mut lines = vec![
        format!("This home was restored from a backup of {at}, which ends with event {}.", from.last_event),
        "What happened after it is not known here: accesses that were revoked or blocked since are open again, and \
         e-mails that were sent since may be sent once more."
            .to_owned(),
        format!(
            "There are {} accounts, {} SSH keys, {} API tokens and {} rights; look through them with the commands list.",
            state.accounts, state.keys, state.tokens, state.rights
        ),
        format!("{} e-mails are owed and will be sent.", state.mails_owed),
        format!("{} uploads were not finished; their bytes are lost.", from.unfinished_uploads),
        format!(
            "{} payloads were not in the backup as they should be. {} deliveries cannot be read any more and end now:",
            from.missing_payloads.len(),
            state.lost.len()
        ),
    ];
    lines.extend(state.lost.iter().map(|id| format!("  {id}")));
    if !state.lost_documents.is_empty() {
        lines
            .push(format!("{} documents of products cannot be read any more and end now:", state.lost_documents.len()));
        lines.extend(state.lost_documents.iter().map(|row| format!("  {}/{}", row.product, row.name)));
    }
    if !state.lost_uploads.is_empty() {
        lines.push(format!("{} received uploads cannot be read any more and end now:", state.lost_uploads.len()));
        lines.extend(state.lost_uploads.iter().map(|id| format!("  {id}")));
    }
    lines.join("\n")
}

/// RFC 3339 in UTC.
fn moment(at: Moment) -> String {
    let millis = i64::try_from(at.millis()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis).map_or_else(|_| at.millis().to_string(), |at| at.to_string())
}

/// The path as it really lies, as far as it is there.
fn resolved(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for above in absolute.ancestors() {
        if let Ok(real) = above.canonicalize() {
            return absolute.strip_prefix(above).map_or(real.clone(), |rest| real.join(rest));
        }
    }
    absolute
}
