//! Checked values → typed sections. Every finer rule of a key stands here or
//! in `mail`; a breach is recorded and the reading goes on.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::tz::TimeZone;

use super::Config;
use super::checks;
use super::connections;
use super::file::Settings;
use super::mail;
use super::secrets::{CREDENTIAL, read_secret, refuse_readable_by_others, secret_path};
use super::sections::{
    FolderNames, HttpsSettings, Language, LimitSettings, LogFormat, LogLevel, LoggingSettings, OperatorSettings,
    OrganisationSettings, PortalSettings, RetentionSettings, SealingSettings, SftpFront, SignInSettings, SpoolSettings,
    StorageSettings, TermsSettings, TlsMinimum, UploadLimits,
};
use super::sftp::{PenaltySettings, SftpSettings, SshProfile};
use crate::domain::bodies::BodyPeriods;
use crate::domain::names::{EmailAddress, Line, NameFault, Oin, ProductCode};

/// The variable in which systemd names the folder of credentials.
pub(super) const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

const ADDRESS_RULE: &str = "an IP address with a port, such as 127.0.0.1:2222 or [::1]:2222";
const RECIPIENT_RULE: &str = "the public key that `age-keygen` shows: age1 and 58 more letters and digits";
const BACK_OFFICE_KEY: &str = "one public key: age1…, ssh-ed25519 … or ssh-rsa …";
const LINE_RULE: &str = "one line of at most 200 characters";
const FOLDER_RULE: &str = "1 to 32 lower-case letters, digits, hyphens and underscores";
const MAX_BANNER_CHARS: usize = 2_000;

/// What a web address in the configuration looks like.
const URL_RULE: &str = "https://HOST[:PORT][/PATH], without user name, query or fragment";

/// Builds all sections; nothing when any could not be built (then a fault is recorded).
pub(super) fn config(settings: &mut Settings, home: &Path, credentials: Option<&str>) -> Option<Config> {
    let portal = portal(settings, home);
    let organisation = organisation(settings);
    let storage = storage(settings);
    let sealing = sealing(settings, home, credentials);
    let sftp = sftp(settings);
    let folders = folders(settings);
    let https = https(settings, home, credentials);
    let operator = operator(settings);
    let sign_in = sign_in(settings, home);
    let connections = connections::read(settings);
    let spool = spool(settings);
    let uploads = uploads(settings, home);
    let mail = mail::read(settings, home, credentials);
    let logging = logging(settings);
    let retention = retention(settings);
    let limits = limits(settings);
    let terms = settings.period("terms.grace").map(|grace| TermsSettings { grace });
    let config = Some(()).and_then(|()| {
        Some(Config {
            home: home.to_owned(),
            portal: portal?,
            organisation: organisation?,
            storage: storage?,
            sealing: sealing?,
            sftp: sftp?,
            folders: folders?,
            https: https?,
            operator: operator?,
            sign_in: sign_in?,
            connections: connections?,
            spool: spool?,
            uploads: uploads?,
            mail: mail?,
            logging: logging?,
            retention: retention?,
            limits: limits?,
            terms: terms?,
        })
    });
    if config.is_none() && settings.is_faultless() {
        settings.fault("configuration".to_owned(), "", "could not be built; please report this".to_owned(), "");
    }
    config
}

fn portal(settings: &mut Settings, home: &Path) -> Option<PortalSettings> {
    let name = settings.parsed("portal.name", LINE_RULE, Line::parse);
    let zone_rule = "an IANA time zone such as \"Europe/Amsterdam\"";
    let time_zone = settings.parsed("portal.time_zone", zone_rule, |text| {
        TimeZone::get(text).map_err(|_| format!("\"{}\" is no known time zone", text.escape_debug()))
    });
    let base_url = settings.parsed_optional("portal.base_url", URL_RULE, web_address);
    let https_port =
        settings.text("https.listen").and_then(|text| address(&text).ok()).map_or(443, |listen| listen.port());
    let base_url = base_url.map(|url| url.unwrap_or_else(|| format!("https://localhost:{https_port}")));
    let language = match settings.text("portal.language")?.as_str() {
        "en" => Language::English,
        _ => Language::Dutch,
    };
    let file = |settings: &Settings, key| settings.text(key).map(|path| home.join(path));
    let style_sheet = file(settings, "portal.style_sheet");
    let start_text = file(settings, "portal.start_text");
    let start_text_english = file(settings, "portal.start_text_english");
    let employer_link = settings.parsed_optional("portal.employer_link", URL_RULE, web_address);
    let employer_notice = settings.parsed_optional("portal.employer_notice", LINE_RULE, Line::parse);
    Some(PortalSettings {
        name: name?,
        time_zone: time_zone?,
        base_url: base_url?,
        language,
        style_sheet,
        start_text,
        start_text_english,
        employer_link: employer_link?,
        employer_notice: employer_notice?,
    })
}

fn operator(settings: &mut Settings) -> Option<OperatorSettings> {
    let listen = settings.parsed_optional("operator.listen", ADDRESS_RULE, address)?;
    let base_url = settings.parsed_optional("operator.base_url", URL_RULE, web_address)?;
    let port = listen.map_or(443, |listen| listen.port());
    let four_eyes = settings.text("operator.four_eyes")? == "on";
    Some(OperatorSettings {
        listen,
        four_eyes,
        base_url: base_url.unwrap_or_else(|| format!("https://localhost:{port}")),
    })
}

fn organisation(settings: &mut Settings) -> Option<OrganisationSettings> {
    let name_key = if settings.text("organisation.name").is_some() { "organisation.name" } else { "portal.name" };
    let name = settings.text(name_key).and_then(|text| match Line::parse(&text) {
        Ok(line) => Some(line),
        Err(fault) => {
            // A bad portal name has been reported under its own key.
            if name_key == "organisation.name" {
                settings.refuse(name_key, fault.to_string(), LINE_RULE);
            }
            None
        }
    });
    let contact_mail = settings.parsed_optional("organisation.contact_mail", "one address", EmailAddress::parse);
    let contact_phone = settings.parsed_optional("organisation.contact_phone", LINE_RULE, Line::parse);
    let oin = settings.parsed_optional("organisation.oin", "20 digits", Oin::parse);
    Some(OrganisationSettings { name: name?, contact_mail: contact_mail?, contact_phone: contact_phone?, oin: oin? })
}

fn storage(settings: &mut Settings) -> Option<StorageSettings> {
    let section = StorageSettings {
        reserve_bytes: settings.whole("storage.reserve_bytes")?,
        ballast_bytes: settings.whole("storage.ballast_bytes")?,
        journal_segment_bytes: settings.whole("storage.journal_segment_bytes")?,
        index_cache_bytes: settings.whole("storage.index_cache_bytes")?,
        max_frame_bytes: settings.whole("storage.max_frame_bytes")?,
        scrub_bytes_per_second: settings.whole("storage.scrub_bytes_per_second")?,
        scrub_every: settings.period("storage.scrub_every")?,
        backup_recipient: settings.parsed_optional("storage.backup_recipient", RECIPIENT_RULE, age_recipient)?,
        snapshot_after_bytes: settings.whole("storage.snapshot_after_bytes")?,
        compact_segments: settings.count("storage.compact_segments")?,
        max_documents: settings.count("storage.max_documents")?,
        max_document_bytes: settings.whole("storage.max_document_bytes")?,
    };
    if section.max_frame_bytes > section.journal_segment_bytes {
        settings.refuse(
            "storage.max_frame_bytes",
            "is above storage.journal_segment_bytes".to_owned(),
            "at most one segment",
        );
    }
    Some(section)
}

/// The shape only: whether it is a key is judged where backups are sealed.
fn age_recipient(text: &str) -> Result<String, String> {
    let is_key = text.len() == 62
        && text.starts_with("age1")
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if is_key { Ok(text.to_owned()) } else { Err("is no age public key".to_owned()) }
}

fn sealing(settings: &mut Settings, home: &Path, credentials: Option<&str>) -> Option<SealingSettings> {
    let is_credential = settings.text("sealing.master_file")?.starts_with(CREDENTIAL);
    let master_file = key_file(settings, "sealing.master_file", home, credentials)?;
    let read = |text: &str| secret_path(home, credentials, text).and_then(|path| read_secret(&path));
    let passphrase =
        settings.parsed_optional("sealing.passphrase_file", "a file with mode 0600, or credential:NAME", read)?;
    Some(SealingSettings { master_file, is_credential, passphrase })
}

/// A private key file: it may not exist yet, but must not be open to others.
fn key_file(settings: &mut Settings, path: &str, home: &Path, credentials: Option<&str>) -> Option<PathBuf> {
    settings.parsed(path, "a file with mode 0600, or credential:NAME", |text| {
        let file = secret_path(home, credentials, text)?;
        if file.exists() {
            refuse_readable_by_others(&file)?;
        }
        Ok::<_, String>(file)
    })
}

fn sftp(settings: &mut Settings) -> Option<SftpFront> {
    let listen = settings.parsed("sftp.listen", ADDRESS_RULE, address);
    let banner = settings.parsed_optional("sftp.banner", "at most 2000 characters", |text| {
        let fits = text.chars().count() <= MAX_BANNER_CHARS && !text.chars().any(|c| c.is_control() && c != '\n');
        fits.then(|| text.to_owned()).ok_or("is too long or holds control characters")
    });
    let profile = match settings.text("sftp.profile")?.as_str() {
        "modern" => SshProfile::Modern,
        _ => SshProfile::Standard,
    };
    let penalties = penalties(settings);
    let limits = SftpSettings {
        profile,
        max_sessions: settings.count("sftp.max_sessions")?,
        max_sessions_per_account: settings.count("limits.max_sessions_per_account")?,
        max_unauthenticated: settings.count("sftp.max_unauthenticated")?,
        max_unauthenticated_per_address: settings.count("sftp.max_unauthenticated_per_address")?,
        penalties: penalties?,
        login_grace: duration(settings, "sftp.login_grace")?,
        max_attempts: settings.count("sftp.max_attempts")?,
        idle_timeout: duration(settings, "sftp.idle_timeout")?,
        keepalive: duration(settings, "sftp.keepalive")?,
        max_handles: settings.count("sftp.max_handles")?,
        window_requests: settings.count("sftp.window_requests")?,
        window_bytes: settings.count("sftp.window_bytes")?,
        check_file_bytes: settings.whole("sftp.check_file_bytes")?,
        rekey_limit_bytes: settings.count("sftp.rekey_limit_bytes")?,
        drain_grace: duration(settings, "sftp.drain_grace")?,
        banner: banner?,
    };
    Some(SftpFront { listen: listen?, settings: limits })
}

fn penalties(settings: &mut Settings) -> Option<PenaltySettings> {
    let section = PenaltySettings {
        after: settings.count("sftp.penalty_after")?,
        window: duration(settings, "sftp.penalty_window")?,
        base: duration(settings, "sftp.penalty_base")?,
        most: duration(settings, "sftp.penalty_max")?,
        exempt: settings.networks("sftp.penalty_exempt")?,
    };
    if section.base > section.most {
        settings.refuse("sftp.penalty_base", "is above sftp.penalty_max".to_owned(), "at most sftp.penalty_max");
    }
    Some(section)
}

fn folders(settings: &mut Settings) -> Option<FolderNames> {
    let mut taken: Vec<String> = Vec::new();
    let mut name = |key: &str| {
        let path = format!("sftp.folders.{key}");
        let name = settings.parsed(&path, FOLDER_RULE, |text| {
            let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
            match text {
                _ if !(1..=32).contains(&text.len()) || !text.chars().all(inner) => Err("is no folder name".to_owned()),
                _ if taken.iter().any(|other| other == text) => {
                    Err(format!("\"{text}\" is already the name of another folder"))
                }
                _ => Ok(text.to_owned()),
            }
        })?;
        taken.push(name.clone());
        Some(name)
    };
    let (outbox, dropbox, receipts) = (name("outbox"), name("dropbox"), name("receipts"));
    let (documents, clients) = (name("documents"), name("clients"));
    Some(FolderNames {
        outbox: outbox?,
        dropbox: dropbox?,
        receipts: receipts?,
        documents: documents?,
        clients: clients?,
    })
}

fn https(settings: &mut Settings, home: &Path, credentials: Option<&str>) -> Option<HttpsSettings> {
    let listen = settings.parsed("https.listen", ADDRESS_RULE, address);
    let key = key_file(settings, "https.key", home, credentials);
    let tls_minimum = match settings.text("https.tls_minimum")?.as_str() {
        "1.3" => TlsMinimum::Tls13,
        _ => TlsMinimum::Tls12,
    };
    Some(HttpsSettings {
        listen: listen?,
        certificate: home.join(settings.text("https.certificate")?),
        key: key?,
        tls_minimum,
        max_connections: settings.count("https.max_connections")?,
        handshake_timeout: duration(settings, "https.handshake_timeout")?,
        header_timeout: duration(settings, "https.header_timeout")?,
        request_timeout: duration(settings, "https.request_timeout")?,
        idle_timeout: duration(settings, "https.idle_timeout")?,
        drain_grace: duration(settings, "https.drain_grace")?,
    })
}

fn spool(settings: &mut Settings) -> Option<SpoolSettings> {
    Some(SpoolSettings {
        settle: Duration::from_secs(settings.whole("spool.settle_seconds")?),
        rescan: Duration::from_secs(settings.whole("spool.rescan_seconds")?),
        max_files_per_delivery: settings.count("spool.max_files_per_delivery")?,
        staging_kept: duration(settings, "spool.staging_kept")?,
    })
}

fn sign_in(settings: &mut Settings, home: &Path) -> Option<SignInSettings> {
    let section = SignInSettings {
        idle_timeout: settings.period("sign-in.idle_timeout")?,
        session_lasts: settings.period("sign-in.session_lasts")?,
        max_sessions_per_account: settings.count("sign-in.max_sessions_per_account")?,
        attempts: settings.count("sign-in.attempts")?,
        min_password_chars: settings.count("sign-in.min_password_chars")?,
        refused_mail_domains: settings
            .text("sign-in.refused_mail_domains")
            .map(|text| text.split_whitespace().map(str::to_lowercase).collect())
            .unwrap_or_default(),
        max_requests: settings.count("sign-in.max_requests")?,
        known_passwords: settings.text("sign-in.known_passwords").map(|path| home.join(path)),
        password_memory: settings.count("sign-in.password_memory")?,
    };
    if section.session_lasts < section.idle_timeout {
        settings.refuse("sign-in.session_lasts", "is below sign-in.idle_timeout".to_owned(), "at least as long");
    }
    Some(section)
}

fn uploads(settings: &mut Settings, home: &Path) -> Option<UploadLimits> {
    let section = UploadLimits {
        max_file_bytes: settings.whole("uploads.max_file_bytes")?,
        max_unfinished_per_account: settings.whole("uploads.max_unfinished_per_account")?,
        max_account_bytes: settings.whole("uploads.max_account_bytes")?,
        max_product_bytes: settings.whole("uploads.max_product_bytes")?,
        max_extents: settings.count("uploads.max_extents")?,
        reorder_bytes: settings.count("uploads.reorder_bytes")?,
        unfinished_kept: settings.period("uploads.unfinished_kept")?,
        resume_grace: settings.period("uploads.resume_grace")?,
        received_kept: settings.period("uploads.received_kept")?,
        uncollected_kept: settings.period("uploads.uncollected_kept")?,
        settle: settings.period("uploads.settle")?,
        duplicate_window: settings.period("uploads.duplicate_window")?,
        cleared_after: settings.period("uploads.cleared_after")?,
        receipts_kept: settings.period("uploads.receipts_kept")?,
        sealed_intake: settings.parsed_optional("uploads.sealed_intake", BACK_OFFICE_KEY, back_office_key)?,
        collect_only: settings
            .parsed_optional("uploads.collect_only", "codes of products with commas between", product_codes)?
            .unwrap_or_default(),
        checks: checks::read(settings, home)?,
    };
    for (key, least, is_below) in [
        ("uploads.received_kept", "uploads.resume_grace", section.received_kept < section.resume_grace),
        ("uploads.uncollected_kept", "uploads.received_kept", section.uncollected_kept < section.received_kept),
    ] {
        if is_below {
            settings.refuse(key, format!("is below {least}"), &format!("at least {least}"));
        }
    }
    Some(section)
}

/// Whether it is a public key is judged by the keyring, at the start.
fn back_office_key(text: &str) -> Result<String, &'static str> {
    let is_one =
        text.lines().count() == 1 && ["age1", "ssh-ed25519 ", "ssh-rsa "].iter().any(|of| text.starts_with(of));
    if is_one { Ok(text.to_owned()) } else { Err("this is no public key of a kind that can be used") }
}

fn product_codes(text: &str) -> Result<Vec<ProductCode>, NameFault> {
    text.split(',').map(|code| ProductCode::parse(code.trim())).collect()
}

fn logging(settings: &Settings) -> Option<LoggingSettings> {
    let level = match settings.text("logging.level")?.as_str() {
        "error" => LogLevel::Error,
        "warn" => LogLevel::Warn,
        "debug" => LogLevel::Debug,
        "trace" => LogLevel::Trace,
        _ => LogLevel::Info,
    };
    let format = match settings.text("logging.format")?.as_str() {
        "json" => LogFormat::Json,
        _ => LogFormat::Text,
    };
    Some(LoggingSettings { level, format })
}

fn retention(settings: &Settings) -> Option<RetentionSettings> {
    Some(RetentionSettings {
        open_grace: settings.period("retention.open_grace")?,
        shred_delay: settings.period("retention.shred_delay")?,
        history: BodyPeriods {
            changes: settings.period("retention.history")?,
            fetches: settings.period("retention.history_fetches")?,
            sign_ins: settings.period("retention.history_sign_ins")?,
            mail: settings.period("retention.history_mail")?,
        },
        tick: Duration::from_secs(settings.whole("retention.tick_seconds")?),
    })
}

fn limits(settings: &mut Settings) -> Option<LimitSettings> {
    let section = LimitSettings {
        page_size: settings.count("limits.page_size")?,
        max_page_size: settings.count("limits.max_page_size")?,
        max_open_fetches_per_account: settings.count("limits.max_open_fetches_per_account")?,
        max_stranger_events_per_hour: settings.count("limits.max_stranger_events_per_hour")?,
        max_delivery_bytes: settings.whole("limits.max_delivery_bytes")?,
    };
    if section.page_size > section.max_page_size {
        settings.refuse("limits.page_size", "is above limits.max_page_size".to_owned(), "at most limits.max_page_size");
    }
    Some(section)
}

fn duration(settings: &Settings, path: &str) -> Option<Duration> {
    settings.period(path).map(|span| Duration::from_millis(span.millis()))
}

fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "is no address with a port")
}

fn web_address(text: &str) -> Result<String, &'static str> {
    let rest = text.strip_prefix("https://").ok_or("is no https:// address")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/[]%".contains(c);
    if rest.is_empty() || rest.starts_with(['/', ':']) || !rest.chars().all(plain) {
        return Err("is no plain web address");
    }
    Ok(text.trim_end_matches('/').to_owned())
}
