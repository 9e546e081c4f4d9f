//! The one place that knows every part: builds the server from its
//! configuration, starts it, drains it, stops it.

pub mod backup;
mod ballast;
pub mod check;
mod checks;
pub mod deep;
pub mod demo;
pub mod home;
pub mod host_keys;
mod key_facts;
mod mail;
mod passphrase;
pub mod protection;
mod server_facts;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::adapters::catalog_journal::{CatalogJournal, JournalSettings};
use crate::adapters::clock_system::SystemClock;
use crate::adapters::entropy_system::SystemEntropy;
use crate::adapters::handover_folder::HandoverFolder;
use crate::adapters::keyring_folder::{KeyringFolder, MasterSource};
use crate::adapters::one_time_codes_totp::OneTimeCodesTotp;
use crate::adapters::passkeys_webauthn::PasskeysWebauthn;
use crate::adapters::passwords_argon2::{HashCost, KnownPasswords, PasswordsArgon2};
use crate::adapters::vault_folder::{UnfinishedFolder, VaultFolder};
use crate::config::Config;
use crate::fronts::cli::commands::Office;
use crate::fronts::cli::door;
use crate::fronts::https::HttpsFront;
use crate::fronts::sessions::Sessions;
use crate::fronts::sftp::outbox::FrontDoor;
use crate::fronts::spool::Spool;
use crate::fronts::{offload, sftp};
use crate::housekeeping::{self, Timers};
use crate::operations::DocumentSettings;
use crate::operations::{
    Clock, ConnectionSettings, Failure, Fault, IntakeSettings, Keyring, MailSender, MonthlyBodies, Operations,
    PeopleSettings, Ports, Secrets, Settings, Signer, UploadSettings, shut_until_confirmed,
};
use ballast::Ballast;

/// Coverage of a running fetch is made durable every so many bytes (engine §2, I8).
const COVERAGE_STEP_BYTES: u64 = 64 << 20;

/// Files stop at the reserve, records only at this part of it: signing in and fetching are put on
/// record first, and what was delivered must stay within reach when the files have filled the disk.
const RECORDS_SHARE: u64 = 4;

/// Folder of the spool below the home.
pub const SPOOL: &str = "spool";

/// Where participant files reach the back office, below the home.
pub const INTAKE: &str = "intake";

/// Socket of the command line below the home.
pub const ADMIN_SOCKET: &str = "run/admin.sock";

/// A server that answers.
pub struct Server {
    /// Where SFTP answers.
    pub sftp: SocketAddr,
    /// Where HTTPS answers.
    pub https: SocketAddr,
    /// Where the operator's listener answers, if there is one.
    pub operator: Option<SocketAddr>,
    /// The operations, for the demo.
    pub operations: Arc<Operations>,
    shutdown: watch::Sender<bool>,
    tasks: JoinSet<()>,
    spool: Option<Spool>,
}

/// Why a server did not start or a demo did not succeed.
#[derive(Debug)]
pub enum StartError {
    /// An operation or port failed.
    Failure(Failure),
    /// The process could not set itself up.
    Io(std::io::Error),
}

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Failure(failure) => failure.fmt(f),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StartError {}

impl From<Failure> for StartError {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<std::io::Error> for StartError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

/// Opens the stores of a home and recovers what a crash left. Nothing is served yet.
///
/// # Errors
/// A store does not open; the fault names it.
pub fn open(config: &Config) -> Result<Arc<Operations>, Failure> {
    let data = config.home.join("data");
    let journal = JournalSettings {
        segment_bytes: config.storage.journal_segment_bytes,
        index_cache_bytes: config.storage.index_cache_bytes,
        max_frame_bytes: config.storage.max_frame_bytes,
        snapshot_after_bytes: config.storage.snapshot_after_bytes,
        reserve_bytes: config.storage.reserve_bytes / RECORDS_SHARE,
        ..JournalSettings::default()
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new(config.portal.time_zone.clone()));
    let mut keyring: Option<Arc<KeyringFolder>> = None;
    // The keys are opened under the catalog's lock: opening removes what an unfinished writing left of them.
    let catalog = CatalogJournal::open_sealing(&data.join("catalog"), journal, || {
        let opened = Arc::new(KeyringFolder::open(config.home.join("keys"), &master(config))?);
        keyring = Some(Arc::clone(&opened));
        Ok(Arc::new(MonthlyBodies::new(opened as Arc<dyn Keyring>, Arc::clone(&clock))))
    })?;
    let keyring = keyring.ok_or_else(|| Fault::new("open the catalog: it asked for no keys"))?;
    // made here in the home of an older version: a receipt is not to wait for it
    keyring.verifying_key()?;
    let mut settings = settings(config);
    if let Some(line) = &settings.intake.sealed_to {
        let judged = keyring.judge_recipient(line);
        let judged = judged.map_err(|failure| Fault::from_error("use the key uploads.sealed_intake", failure))?;
        settings.intake.sealed_to = Some(judged.line);
    }
    let checker = checks::checker(config, &catalog)?;
    let ports = Ports {
        catalog: Arc::new(catalog),
        vault: Arc::new(VaultFolder::open(data.join("vault"), config.storage.reserve_bytes)?),
        unfinished: Arc::new(UnfinishedFolder::open(data.join("vault"), config.storage.reserve_bytes)?),
        secrets: Arc::clone(&keyring) as Arc<dyn Secrets>,
        signer: Arc::clone(&keyring) as Arc<dyn Signer>,
        checker,
        handover: Arc::new(HandoverFolder::new(config.home.join(INTAKE), config.storage.reserve_bytes)),
        keyring,
        passwords: Arc::new(passwords(config)?),
        codes: Arc::new(OneTimeCodesTotp),
        passkeys: Arc::new(PasskeysWebauthn::new(&config.portal.base_url, config.portal.name.as_str())?),
        office_passkeys: Arc::new(PasskeysWebauthn::new(&config.operator.base_url, config.portal.name.as_str())?),
        clock,
        entropy: Arc::new(SystemEntropy::new()),
        mailer: mail::mailer(config)?,
    };
    let operations = Arc::new(Operations::new(ports, settings));
    let recovery = operations.recover()?;
    for key in &recovery.lost_body_keys {
        tracing::error!(%key, "ALARM: a key of the history is missing; put keys/bodies back from a backup");
    }
    operations.take_up_sessions()?;
    for payload in &recovery.missing {
        tracing::error!(%payload, "ALARM: a payload on record is not in the vault or has another size");
    }
    if !recovery.set_aside.is_empty() || !recovery.left_alone.is_empty() || recovery.temporaries > 0 {
        tracing::warn!(
            temporaries = recovery.temporaries,
            set_aside = recovery.set_aside.len(),
            left_alone = recovery.left_alone.len(),
            "recovery found what an unfinished publication left"
        );
    }
    Ok(operations)
}

/// Password hashing at the cost, and with the list of known ones, that the configuration says.
fn passwords(config: &Config) -> Result<PasswordsArgon2, Fault> {
    let known = match &config.sign_in.known_passwords {
        Some(path) => KnownPasswords::in_file(path)?,
        None => KnownPasswords::of_lines(""),
    };
    let memory_kib = u32::try_from(config.sign_in.password_memory / 1_024).unwrap_or(u32::MAX);
    PasswordsArgon2::new(HashCost { memory_kib, ..HashCost::default() }, known)
}

/// Where the configuration says that the master is.
fn master(config: &Config) -> MasterSource {
    let sealing = &config.sealing;
    MasterSource {
        file: sealing.master_file.clone(),
        is_credential: sealing.is_credential,
        passphrase: passphrase::of_master(sealing.passphrase.clone()),
    }
}

fn settings(config: &Config) -> Settings {
    let text = |text: Option<&dyn ToString>| text.map(ToString::to_string).unwrap_or_default();
    Settings {
        sender: MailSender {
            portal: config.portal.name.to_string(),
            organisation: config.organisation.name.to_string(),
            portal_url: config.portal.base_url.clone(),
            contact_mail: text(config.organisation.contact_mail.as_ref().map(|mail| mail as &dyn ToString)),
            office_url: config.operator.base_url.clone(),
            contact_phone: text(config.organisation.contact_phone.as_ref().map(|phone| phone as &dyn ToString)),
        },
        open_grace: config.retention.open_grace,
        shred_delay: config.retention.shred_delay,
        history_kept: config.retention.history.clone(),
        coverage_step_bytes: COVERAGE_STEP_BYTES,
        max_open_fetches: config.limits.max_open_fetches_per_account,
        max_files_per_delivery: config.spool.max_files_per_delivery,
        max_file_bytes: config.limits.max_delivery_bytes,
        max_stranger_events: config.limits.max_stranger_events_per_hour,
        max_page: config.limits.max_page_size,
        mail_retries: config.mail.retry.clone(),
        uploads: UploadSettings {
            max_file_bytes: config.uploads.max_file_bytes,
            max_unfinished: config.uploads.max_unfinished_per_account,
            max_account_bytes: config.uploads.max_account_bytes,
            max_product_bytes: config.uploads.max_product_bytes,
            max_extents: config.uploads.max_extents,
            max_early_bytes: config.uploads.reorder_bytes,
            unfinished_kept: config.uploads.unfinished_kept,
            resume_grace: config.uploads.resume_grace,
            received_kept: config.uploads.received_kept,
            uncollected_kept: config.uploads.uncollected_kept,
        },
        intake: IntakeSettings {
            settle: config.uploads.settle,
            duplicate_window: config.uploads.duplicate_window,
            cleared_after: config.uploads.cleared_after,
            receipts_kept: config.uploads.receipts_kept,
            sealed_to: config.uploads.sealed_intake.clone(),
            collect_only: config.uploads.collect_only.clone(),
        },
        scrub_every: config.storage.scrub_every,
        compact_segments: config.storage.compact_segments,
        four_eyes: config.operator.four_eyes,
        documents: DocumentSettings {
            max_per_product: config.storage.max_documents,
            max_bytes: config.storage.max_document_bytes,
        },
        people: PeopleSettings {
            idle_timeout: config.sign_in.idle_timeout,
            session_lasts: config.sign_in.session_lasts,
            min_password_chars: config.sign_in.min_password_chars,
            max_sessions_per_account: config.sign_in.max_sessions_per_account,
            attempts: config.sign_in.attempts,
            refused_mail_domains: config.sign_in.refused_mail_domains.clone(),
            max_requests: config.sign_in.max_requests,
        },
        terms_grace: config.terms.grace,
        connections: ConnectionSettings {
            max_machines: config.connections.max_machine_accounts,
            token_lasts: config.connections.token_lasts,
            max_token_lasts: config.connections.max_token_lasts,
            warn_before: config.connections.warn_before,
        },
    }
}

impl Server {
    /// Builds everything, recovers, and begins to answer.
    ///
    /// # Errors
    /// A store does not open or an address cannot be listened on; nothing answers then.
    pub async fn start(config: &Config) -> Result<Self, Failure> {
        if backup::is_unconfirmed(&config.home)? {
            return Err(shut_until_confirmed().into());
        }
        let opening = config.clone();
        let operations = offload(move || open(&opening)).await?;
        let host_keys = host_keys::read(&config.home.join("keys"))?;
        let front = HttpsFront::new(Arc::new(config.clone()), Arc::clone(&operations));
        let front = Arc::new(front.map_err(|error| {
            Fault::from_error("set HTTPS up: https.certificate, https.key, portal.style_sheet", error)
        })?);
        let sftp_listener = listen("sftp.listen", config.sftp.listen).await?;
        let https_listener = listen("https.listen", config.https.listen).await?;
        let operator_listener = match config.operator.listen {
            Some(address) => Some(listen("operator.listen", address).await?),
            None => None,
        };
        let admin = config.home.join(ADMIN_SOCKET);
        let admin = door::bind(&admin)
            .map_err(|error| Fault::from_error(format!("make the socket {}", admin.display()), error))?;
        let spool = config.home.join(SPOOL);
        let spool = Spool::start(&spool, config.spool.clone(), Arc::clone(&operations))
            .map_err(|error| Fault::from_error(format!("watch the spool {}", spool.display()), error))?;

        let (shutdown, stop) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let address = |listener: &TcpListener| {
            listener.local_addr().map_err(|error| Fault::from_error("read a listener's address", error))
        };
        let (sftp_address, https_address) = (address(&sftp_listener)?, address(&https_listener)?);
        front.tell(server_facts::gather(config, &host_keys, sftp_address.port()));
        let host_keys = host_keys.into_iter().filter(|key| key.in_use).map(|key| key.key).collect();
        let operator_address = operator_listener.as_ref().map(address).transpose()?;
        let sessions = Sessions::default();
        let front_door = FrontDoor::new(Arc::clone(&operations), config.folders.clone());
        tasks.spawn(sftp::listener::serve(
            sftp_listener,
            host_keys,
            config.sftp.settings.clone(),
            Arc::new(front_door),
            sessions.clone(),
            stop.clone(),
        ));
        let (public, until) = (Arc::clone(&front), stop.clone());
        tasks.spawn(async move { public.serve(https_listener, until).await });
        if let Some(listener) = operator_listener {
            let until = stop.clone();
            tasks.spawn(async move {
                if let Err(error) = front.serve_operator(listener, until).await {
                    tracing::error!(%error, "the operator's listener had to stop");
                }
            });
        }
        let office = Office {
            operations: Arc::clone(&operations),
            sessions: sessions.clone(),
            time_zone: config.portal.time_zone.clone(),
            key_facts: key_facts::teller(config),
            mail_test: mail::tester(config)?,
            back_up: {
                let (config, operations) = (config.clone(), Arc::clone(&operations));
                Box::new(move |target| backup::back_up(&config, &operations, target))
            },
            repair: {
                let operations = Arc::clone(&operations);
                Box::new(move |from| backup::repair(&operations, from))
            },
            restored: None,
        };
        tasks.spawn(door::serve(admin, Arc::new(office), stop.clone()));
        let timers = Timers {
            retention: config.retention.tick,
            mails_per_minute: config.mail.max_per_minute,
            mails_waiting: config.mail.max_queue,
            scrub_bytes_per_second: config.storage.scrub_bytes_per_second,
        };
        housekeeping::start(&mut tasks, &operations, timers, &stop);
        let ballast =
            Ballast::new(&config.home.join("data"), config.storage.ballast_bytes, config.storage.reserve_bytes);
        tasks.spawn(ballast.keep(stop.clone()));
        tasks.spawn(sessions.keep_to_those_with_access(Arc::clone(&operations), stop.clone()));
        Ok(Self {
            sftp: sftp_address,
            https: https_address,
            operator: operator_address,
            operations,
            shutdown,
            tasks,
            spool: Some(spool),
        })
    }

    /// Stops taking connections, lets transfers in flight finish for the configured grace, and stops.
    pub async fn stop(mut self) {
        // Nobody listening any more is fine: then everything has stopped already.
        let _ = self.shutdown.send(true);
        self.operations.stop_handing_over();
        if let Some(spool) = self.spool.take() {
            let stopped = tokio::task::spawn_blocking(move || spool.stop()).await;
            if stopped.is_err() {
                tracing::error!("the spool did not stop in order");
            }
        }
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a part of the server had failed");
            }
        }
    }
}

async fn listen(key: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        Fault::from_error(format!("listen on {address} ({key}); is another server running there?"), error).into()
    })
}
