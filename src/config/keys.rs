//! The one table of every section and key: its kind, default and explanation.
//! The file reader, the environment and the written example all follow it.

/// What values a key takes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// Text; a finer rule is applied when the section is built.
    Text,
    /// A whole number from `min` to `max`.
    Whole(u64, u64),
    /// Bytes: a whole number, or text such as "64 MiB".
    Bytes(u64, u64),
    /// A period such as "30s", in whole seconds from `min` to `max`.
    Period(u64, u64),
    /// A list of periods.
    Periods,
    /// A list of networks.
    Networks,
    /// One of these words.
    Choice(&'static [&'static str]),
}

/// One key of a section.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// A TOML value, or nothing when the key may be left out.
    pub(super) default: Option<&'static str>,
    pub(super) explain: &'static str,
}

/// One section with its keys; a section without keys refuses every key.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) name: &'static str,
    pub(super) explain: &'static str,
    pub(super) keys: &'static [Key],
}

pub(super) const fn key(name: &'static str, kind: Kind, default: &'static str, explain: &'static str) -> Key {
    Key { name, kind, default: Some(default), explain }
}

pub(super) const fn optional(name: &'static str, kind: Kind, explain: &'static str) -> Key {
    Key { name, kind, default: None, explain }
}

const MIB: u64 = 1024 * 1024;
const GIB: u64 = 1024 * MIB;
const HOUR: u64 = 3_600;
pub(super) const DAY: u64 = 24 * HOUR;

/// Every section, in the order of the written file.
pub(super) const SECTIONS: &[Section] = &[
    Section { name: "portal", explain: "What people see.", keys: PORTAL },
    Section {
        name: "organisation",
        explain: "Who runs this server; shown in the portal and in mail.",
        keys: ORGANISATION,
    },
    Section { name: "storage", explain: "The embedded catalog and the disk.", keys: STORAGE },
    Section { name: "sealing", explain: "Where the master key comes from.", keys: SEALING },
    Section { name: "sftp", explain: "The SFTP server.", keys: SFTP },
    Section { name: "sftp.folders", explain: "Names of the folders that SFTP users see.", keys: FOLDERS },
    Section { name: "https", explain: "The HTTPS server: portal and API.", keys: HTTPS },
    Section {
        name: "operator",
        explain: "The listener for operation: health, the office, publications.",
        keys: OPERATOR,
    },
    Section { name: "sign-in", explain: "How people sign in to the portal.", keys: SIGN_IN },
    Section {
        name: "connections",
        explain: "Machine accounts, keys and tokens that administrators make in the portal.",
        keys: super::connections::KEYS,
    },
    Section { name: "oidc", explain: "Sign-in through an identity provider. No keys in this version.", keys: &[] },
    Section { name: "spool", explain: "The folder where the back office drops files.", keys: SPOOL },
    Section { name: "uploads", explain: "Participant files that recipients upload.", keys: UPLOADS },
    Section { name: "deadlines", explain: "Working days and terms. No keys in this version.", keys: &[] },
    Section { name: "mail", explain: "Notices by e-mail.", keys: MAIL },
    Section { name: "webhooks", explain: "Notices by webhook. No keys in this version.", keys: &[] },
    Section { name: "logging", explain: "Logs, on standard error.", keys: LOGGING },
    Section { name: "retention", explain: "What happens after a delivery's window has ended.", keys: RETENTION },
    Section { name: "limits", explain: "Bounds on what one account or request may ask.", keys: LIMITS },
    Section { name: "terms", explain: "Terms of use, published with `postkluis terms publish`.", keys: TERMS },
    Section { name: "metrics", explain: "Measurements. No keys in this version.", keys: &[] },
];

const TERMS: &[Key] = &[key(
    "grace",
    Kind::Period(0, 3_650 * DAY),
    "\"42d\"",
    "After the first publication, accounts that were there before it sign in to SFTP and the API for so long without having accepted, to the end of the last day. A change counts from the next start on, also for a publication of before.",
)];

const PORTAL: &[Key] = &[
    key("name", Kind::Text, "\"Postkluis\"", "Name of the portal, on pages and in the subject of mail. One line."),
    key("time_zone", Kind::Text, "\"Europe/Amsterdam\"", "Time zone in which days end, by its IANA name."),
    optional(
        "base_url",
        Kind::Text,
        "Address of the portal as users reach it, such as \"https://files.example.org\". Passkeys are bound to its name. Left out: https://localhost with the port of https.listen.",
    ),
    key(
        "language",
        Kind::Choice(&["nl", "en"]),
        "\"nl\"",
        "Language of mail and of pages for those who state no other.",
    ),
    optional(
        "style_sheet",
        Kind::Text,
        "A file with CSS that is laid over the portal's own, for the colours and letters of the house: it sets the --postkluis-… tokens anew. At most 256 KiB.",
    ),
    optional(
        "start_text",
        Kind::Text,
        "A text file for the start page: how to request a product, in Dutch. Lines that begin with # are headings, with - items of a list; an empty line ends a paragraph. At most 32 KiB. Left out: the portal's own text.",
    ),
    optional("start_text_english", Kind::Text, "The same in English."),
    optional(
        "employer_link",
        Kind::Text,
        "Address of the portal for employers, such as \"https://employers.example.org\": the welcome page then says that they go there.",
    ),
    optional(
        "employer_notice",
        Kind::Text,
        "What the welcome page says to them, in one line. Left out: its own sentence.",
    ),
];

const ORGANISATION: &[Key] = &[
    optional("name", Kind::Text, "Name of the organisation that runs this server. Left out: the portal's name."),
    optional("contact_mail", Kind::Text, "E-mail address for questions and reports of misuse."),
    optional("contact_phone", Kind::Text, "Telephone number for questions and reports of misuse."),
    optional("oin", Kind::Text, "Organisatie-identificatienummer, 20 digits."),
];

const STORAGE: &[Key] = &[
    key(
        "reserve_bytes",
        Kind::Bytes(MIB, 1024 * GIB),
        "\"256 MiB\"",
        "With less free disk than this, new files are refused; with less than a quarter of it, everything that must be put on record: changes, signing in, fetching.",
    ),
    key(
        "ballast_bytes",
        Kind::Bytes(0, 1024 * GIB),
        "\"64 MiB\"",
        "Size of the file data/ballast, which holds room: on a full disk, remove it to go on. It is made again when twice the reserve is free beside it. 0: none.",
    ),
    key("journal_segment_bytes", Kind::Bytes(MIB, GIB), "\"64 MiB\"", "Size at which a new journal segment begins."),
    key("index_cache_bytes", Kind::Bytes(MIB, 64 * GIB), "\"32 MiB\"", "Memory for the index of the catalog."),
    key("max_frame_bytes", Kind::Bytes(64 * 1024, 64 * MIB), "\"8 MiB\"", "Largest single batch in the journal."),
    key(
        "scrub_bytes_per_second",
        Kind::Bytes(0, GIB),
        "\"4 MiB\"",
        "How fast the vault is read and held against its digests, to find damage early; 0 for never.",
    ),
    key("max_documents", Kind::Whole(1, 1_000), "100", "Documents of one product, such as specifications."),
    key("max_document_bytes", Kind::Bytes(1024, GIB), "\"64 MiB\"", "Largest document of a product."),
    key("scrub_every", Kind::Period(1, 365 * DAY), "\"30d\"", "The whole vault is read so once in this long."),
    optional(
        "backup_recipient",
        Kind::Text,
        "age X25519 public key (age1…) that backups are sealed to, made with `age-keygen`; keep its identity away from this server. Left out: no backups.",
    ),
    key(
        "snapshot_after_bytes",
        Kind::Bytes(MIB, 1024 * GIB),
        "\"256 MiB\"",
        "A snapshot of the catalog is made when the journal has grown by closed segments of so many bytes. A start after a crash reads the newest snapshot and what came after it.",
    ),
    key(
        "compact_segments",
        Kind::Whole(0, 1_000),
        "16",
        "Segments of the journal that one look of retention removes at most, once the longest period of retention.history, history_fetches, history_sign_ins and history_mail is over for everything in them and both snapshots came after; 0 for never: then the journal grows for ever.",
    ),
];

const SEALING: &[Key] = &[
    key(
        "master_file",
        Kind::Text,
        "\"keys/master.age\"",
        "File with the master age identity, mode 0600, also one under a passphrase (age -p). \"credential:NAME\" takes a systemd credential.",
    ),
    optional(
        "passphrase_file",
        Kind::Text,
        "File with the passphrase of the master, mode 0600, or \"credential:NAME\". Without it, it is asked for on the terminal when the master has one.",
    ),
];

const SFTP: &[Key] = &[
    key("listen", Kind::Text, "\"127.0.0.1:2222\"", "Address and port to listen on."),
    key("max_sessions", Kind::Whole(1, 100_000), "1000", "Sessions at once, over all accounts."),
    key(
        "profile",
        Kind::Choice(&["standard", "modern"]),
        "\"standard\"",
        "Algorithms of SSH. modern: key exchange that also withstands quantum computers (mlkem768x25519-sha256), so only recent clients, such as OpenSSH 9.9 or paramiko 5, can connect. standard: also curve25519 and groups 16 and 18, for others.",
    ),
    key("max_unauthenticated", Kind::Whole(1, 100_000), "100", "Connections at once that have not signed in yet."),
    key(
        "max_unauthenticated_per_address",
        Kind::Whole(1, 100_000),
        "10",
        "Of these, at most so many of one address (IPv6: of one /64).",
    ),
    key("login_grace", Kind::Period(1, 600), "\"30s\"", "Time from connecting to being signed in."),
    key("max_attempts", Kind::Whole(1, 20), "6", "Attempts to sign in per connection."),
    key(
        "penalty_after",
        Kind::Whole(0, 10_000),
        "10",
        "So many connections of one address (IPv6: of one /64) that come to nothing - no key was let in, the time to sign in passed, or it was not SSH - have it refused for a while; each further one doubles the time. Signing in makes good for all. 0: never.",
    ),
    key(
        "penalty_window",
        Kind::Period(1, DAY),
        "\"10m\"",
        "Time without such a connection after which all are forgotten.",
    ),
    key("penalty_base", Kind::Period(1, DAY), "\"30s\"", "How long an address is refused the first time."),
    key("penalty_max", Kind::Period(1, 7 * DAY), "\"1h\"", "How long an address is refused at most."),
    key(
        "penalty_exempt",
        Kind::Networks,
        "[]",
        "Networks that are never refused so, and not held to max_unauthenticated_per_address: those behind which many clients share one address.",
    ),
    key("idle_timeout", Kind::Period(10, DAY), "\"15m\"", "A session without any request for this long is closed."),
    key("keepalive", Kind::Period(1, HOUR), "\"30s\"", "Time between keep-alive messages."),
    key("max_handles", Kind::Whole(1, 4_096), "256", "Open files and folders per session."),
    key("window_requests", Kind::Whole(1, 1_024), "64", "Requests taken on at once per session."),
    key("window_bytes", Kind::Bytes(256 * 1024, GIB), "\"8 MiB\"", "Bytes of replies held per session."),
    key(
        "check_file_bytes",
        Kind::Bytes(256, 1024 * GIB),
        "\"1 GiB\"",
        "Most bytes read for the digests of one check-file request; that of a whole delivered file is on record and needs no reading.",
    ),
    key(
        "rekey_limit_bytes",
        Kind::Bytes(64 * 1024, GIB),
        "\"1 GiB\"",
        "Bytes after which keys are exchanged anew (RFC 4253, section 9: at most 1 GiB).",
    ),
    key("drain_grace", Kind::Period(0, HOUR), "\"30s\"", "Time that sessions get to finish when the server stops."),
    optional("banner", Kind::Text, "Text shown before signing in, at most 2000 characters."),
];

const FOLDERS: &[Key] = &[
    key("outbox", Kind::Text, "\"outbox\"", "Deliveries to fetch; in Dutch for instance \"ophalen\"."),
    key("dropbox", Kind::Text, "\"dropbox\"", "Where participant files are written; for instance \"aanleveren\"."),
    key(
        "receipts",
        Kind::Text,
        "\"receipts\"",
        "Receipts and results of participant files; for instance \"terugkoppeling\".",
    ),
    key("documents", Kind::Text, "\"documents\"", "Product specifications; for instance \"documenten\"."),
    key("clients", Kind::Text, "\"clients\"", "The clients of an intermediary; for instance \"klanten\"."),
];

const HTTPS: &[Key] = &[
    key("listen", Kind::Text, "\"127.0.0.1:8443\"", "Address and port to listen on."),
    key("certificate", Kind::Text, "\"keys/https-cert.pem\"", "Certificate chain, PEM."),
    key("key", Kind::Text, "\"keys/https-key.pem\"", "Private key of the certificate, PEM, mode 0600."),
    key("tls_minimum", Kind::Choice(&["1.2", "1.3"]), "\"1.2\"", "Oldest TLS version spoken."),
    key("max_connections", Kind::Whole(1, 100_000), "1000", "Connections at once."),
    key("handshake_timeout", Kind::Period(1, 120), "\"10s\"", "Time for the TLS handshake."),
    key("header_timeout", Kind::Period(1, 120), "\"10s\"", "Time for the head of a request to arrive."),
    key(
        "request_timeout",
        Kind::Period(1, HOUR),
        "\"60s\"",
        "Time in which a body must make progress and a request be answered.",
    ),
    key("idle_timeout", Kind::Period(1, HOUR), "\"60s\"", "A connection without a request for this long is closed."),
    key("drain_grace", Kind::Period(0, HOUR), "\"30s\"", "Time that requests get to finish when the server stops."),
];

const OPERATOR: &[Key] = &[
    optional(
        "listen",
        Kind::Text,
        "Address and port to listen on, such as \"127.0.0.1:9443\". Left out: no such listener.",
    ),
    key(
        "four_eyes",
        Kind::Choice(&["on", "off"]),
        "\"off\"",
        "on: coupling and retiring keys of an organisation, and mandates that are new or reach further, wait until a second person of the operator confirms it, in the office or at the command line.",
    ),
    optional(
        "base_url",
        Kind::Text,
        "Address of the office as its people reach it, such as \"https://office.example.org:9443\". Left out: https://localhost with the port of operator.listen.",
    ),
];

const SPOOL: &[Key] = &[
    key(
        "settle_seconds",
        Kind::Whole(0, HOUR),
        "5",
        "A file without marker counts as complete after this many seconds without change.",
    ),
    key("rescan_seconds", Kind::Whole(1, 600), "10", "Seconds between full scans of the folder."),
    key("max_files_per_delivery", Kind::Whole(1, 10_000), "1000", "Files in one .delivery folder."),
    key(
        "staging_kept",
        Kind::Period(HOUR, 30 * DAY),
        "\"24h\"",
        "Files staged through the API that no publication took are deleted after this long.",
    ),
];

const SIGN_IN: &[Key] = &[
    key("idle_timeout", Kind::Period(60, DAY), "\"20m\"", "A session that was not used for so long ends."),
    key("session_lasts", Kind::Period(300, 7 * DAY), "\"8h\"", "A session ends after so long, whatever is done."),
    key(
        "max_sessions_per_account",
        Kind::Whole(1, 100),
        "5",
        "Sessions of one account at once; the oldest ends when one more begins.",
    ),
    key(
        "attempts",
        Kind::Whole(1, 100),
        "5",
        "Wrong passwords and codes for one account from one network before it has to wait: 15 seconds, then twice as long each time, up to 15 minutes.",
    ),
    key("min_password_chars", Kind::Whole(8, 64), "12", "A password has at least so many characters."),
    optional(
        "refused_mail_domains",
        Kind::Text,
        "Mail domains, separated by spaces, with which no account can be requested; those of everybody's, such as gmail.com, are refused anyway.",
    ),
    key(
        "max_requests",
        Kind::Whole(10, 100_000),
        "1000",
        "So many requests for accounts and invitations may wait at once.",
    ),
    optional(
        "known_passwords",
        Kind::Text,
        "A file with passwords that are known from breaches; nobody can choose one of them, nor one that is easy to guess. Lines of passwords, at most 64 MiB; or lines of SHA-1 digests of any size, sorted, as haveibeenpwned.com gives them ordered by hash: they are searched on the disk.",
    ),
    key(
        "password_memory",
        Kind::Bytes(8 * 1024, GIB),
        "\"64 MiB\"",
        "Memory that one check of a password takes (Argon2id, 3 passes); two are checked at once.",
    ),
];

const UPLOADS: &[Key] = &[
    key("max_file_bytes", Kind::Bytes(MIB, 16 * 1024 * GIB), "\"1 TiB\"", "Largest file that may be uploaded."),
    key(
        "max_unfinished_per_account",
        Kind::Whole(1, 1_000_000),
        "1000",
        "Uploads of one account that may be unfinished at once.",
    ),
    key(
        "max_account_bytes",
        Kind::Bytes(MIB, 1024 * 1024 * GIB),
        "\"2 TiB\"",
        "Bytes that the uploads of one account may take together, from the first byte until they are gone.",
    ),
    key(
        "max_product_bytes",
        Kind::Bytes(MIB, 1024 * 1024 * GIB),
        "\"8 TiB\"",
        "The same of all accounts of one organisation for one product; product change --upload-quota sets it for one.",
    ),
    key(
        "max_extents",
        Kind::Whole(16, 65_536),
        "1024",
        "Parts in which one upload may lie before it is finished: breaks, resumes and writes out of order make them.",
    ),
    key(
        "reorder_bytes",
        Kind::Bytes(256 * 1024, GIB),
        "\"8 MiB\"",
        "Bytes of one open upload that came early and wait in memory for those before them.",
    ),
    key(
        "unfinished_kept",
        Kind::Period(DAY, 365 * DAY),
        "\"7d\"",
        "An upload that is not finished goes at the end of the day this long after it was begun.",
    ),
    key(
        "resume_grace",
        Kind::Period(0, DAY),
        "\"15m\"",
        "Its account can open a received upload again for this long, to go on with it.",
    ),
    key(
        "received_kept",
        Kind::Period(HOUR, 365 * DAY),
        "\"7d\"",
        "A received upload is shown under its name for this long; then the name is free again.",
    ),
    key(
        "uncollected_kept",
        Kind::Period(DAY, 3_650 * DAY),
        "\"90d\"",
        "The bytes of a received upload that nobody collected are gone after this long; not below received_kept.",
    ),
    key(
        "settle",
        Kind::Period(0, DAY),
        "\"5s\"",
        "A received upload is checked and handed over when its account did not go on with it for this long. One that was renamed to its final name, or marked, is not waited for.",
    ),
    key(
        "duplicate_window",
        Kind::Period(0, 3_650 * DAY),
        "\"7d\"",
        "The same bytes for the same product within this long are a duplicate: the receipt says of which, and they are not handed over again. 0: never.",
    ),
    key(
        "cleared_after",
        Kind::Period(HOUR, 3_650 * DAY),
        "\"7d\"",
        "The bytes of an upload that was collected or rejected, or is a duplicate, are gone after this long.",
    ),
    key(
        "receipts_kept",
        Kind::Period(DAY, 3_650 * DAY),
        "\"730d\"",
        "Receipt and result of an upload are kept for this long.",
    ),
    optional(
        "sealed_intake",
        Kind::Text,
        "age or SSH public key of the back office. With it, files in intake/ are .age files that only its own key opens. Left out: they lie there readable for the group of the folder.",
    ),
    optional(
        "collect_only",
        Kind::Text,
        "Codes of products, with commas between, whose files are not put into intake/: they wait for `postkluis upload collect`.",
    ),
    key(
        "checks_folder",
        Kind::Text,
        "\"checks\"",
        "Folder with one declaration for each product whose files are checked, <product>.toml; see docs/CHECKS.md.",
    ),
    optional(
        "scanner",
        Kind::Text,
        "ClamAV's daemon, \"unix:PATH\" or \"tcp:HOST:PORT\": every file passes it. Left out: nothing is scanned.",
    ),
    key(
        "scanner_down",
        Kind::Choice(&["wait", "accept", "reject"]),
        "\"wait\"",
        "What becomes of a file when the scanner does not answer: it waits in `checking` until it does, or is accepted or rejected, and its result says so.",
    ),
    key(
        "scanner_timeout",
        Kind::Period(1, HOUR),
        "\"60s\"",
        "How long the scanner may take for one answer, or for taking one piece of a file.",
    ),
];

const MAIL: &[Key] = &[
    key(
        "relay",
        Kind::Text,
        "\"folder:mail\"",
        "\"smtp://HOST:PORT\" (STARTTLS), \"smtps://HOST:PORT\" (TLS from the start) or \"folder:PATH\" (one .eml file per message).",
    ),
    key("from", Kind::Text, "\"postkluis@localhost.localdomain\"", "Sender. Must be set for a relay on another host."),
    optional("user", Kind::Text, "User name at the relay; needs password_file."),
    optional(
        "password_file",
        Kind::Text,
        "File with the password at the relay, mode 0600. \"credential:NAME\" takes a systemd credential.",
    ),
    key(
        "starttls",
        Kind::Choice(&["required", "opportunistic", "none"]),
        "\"required\"",
        "Encryption with an smtp:// relay; less than \"required\" is only allowed for a relay on this host.",
    ),
    optional("trust", Kind::Text, "PEM file with an extra certification authority for the relay."),
    key("timeout_seconds", Kind::Whole(1, 600), "30", "Seconds that one step of talking to the relay may take."),
    key(
        "retry",
        Kind::Periods,
        "[\"1m\", \"5m\", \"15m\", \"1h\", \"2h\", \"4h\", \"8h\", \"12h\", \"21h\"]",
        "Waits between tries after a temporary failure; together at least 48 hours is wise. At most 32.",
    ),
    key("max_per_minute", Kind::Whole(1, 100_000), "600", "Messages handed to the relay per minute."),
    key("max_queue", Kind::Whole(100, 10_000_000), "100000", "Messages waiting; above this an alarm is raised."),
];

const LOGGING: &[Key] = &[
    key(
        "level",
        Kind::Choice(&["error", "warn", "info", "debug", "trace"]),
        "\"info\"",
        "Least grave message that is still logged.",
    ),
    key("format", Kind::Choice(&["text", "json"]), "\"text\"", "Lines for people, or one JSON document per line."),
];

const RETENTION: &[Key] = &[
    key(
        "open_grace",
        Kind::Period(0, DAY),
        "\"1h\"",
        "How long a download that was going on at the end of the window may still run.",
    ),
    key(
        "shred_delay",
        Kind::Period(0, 30 * DAY),
        "\"24h\"",
        "Time between the end of a day's windows and the destruction of that day's key.",
    ),
    key(
        "history",
        Kind::Period(DAY, 36_525 * DAY),
        "\"730d\"",
        "How long events are kept after the end of their month, those of the next three keys apart: what people and operators changed, deliveries, uploads. Then the key that they lie under is destroyed, and the history shows only that there was something.",
    ),
    key(
        "history_fetches",
        Kind::Period(DAY, 36_525 * DAY),
        "\"730d\"",
        "The same for fetches: proof to both sides of what was delivered, so as long as the changes.",
    ),
    key(
        "history_sign_ins",
        Kind::Period(DAY, 36_525 * DAY),
        "\"365d\"",
        "The same for sign-ins, refusals at the door and ends of sessions: long enough to look back on an intruder.",
    ),
    key("history_mail", Kind::Period(DAY, 36_525 * DAY), "\"180d\"", "The same for what became of e-mails."),
    key("tick_seconds", Kind::Whole(1, HOUR), "60", "Seconds between looks for windows that have ended."),
];

const LIMITS: &[Key] = &[
    key("page_size", Kind::Whole(1, 1_000), "100", "Items on a page of a list when the request names no number."),
    key("max_page_size", Kind::Whole(1, 10_000), "1000", "Items on a page of a list at most."),
    key(
        "max_open_fetches_per_account",
        Kind::Whole(1, 10_000),
        "256",
        "Files that one account may have open at once, over all sessions.",
    ),
    key(
        "max_stranger_events_per_hour",
        Kind::Whole(1, 10_000),
        "200",
        "Events in the history, in any hour and of each kind, about those who were refused before they signed in: addresses refused for a while, and known keys and tokens from outside an allow list. Further ones are counted in the next.",
    ),
    key("max_sessions_per_account", Kind::Whole(1, 10_000), "32", "SFTP sessions that one account may have at once."),
    key(
        "max_delivery_bytes",
        Kind::Bytes(MIB, 16 * 1024 * GIB),
        "\"1 TiB\"",
        "Largest single file that may be published.",
    ),
];

/// The section of that name.
pub(super) fn section(name: &str) -> Option<&'static Section> {
    SECTIONS.iter().find(|section| section.name == name)
}

/// The environment variable that overrides a key.
pub(super) fn variable(section: &str, key: &str) -> String {
    let section = section.replace('-', "_").replace('.', "__");
    format!("{PREFIX}{section}__{key}").to_uppercase()
}

/// What every variable of this program begins with.
pub(super) const PREFIX: &str = "POSTKLUIS_";
