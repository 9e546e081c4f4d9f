//! Which algorithms SSH offers, to whom, and the limits of the protocol itself.
//! Knows nothing of connections.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use russh::keys::{Algorithm, EcdsaCurve, HashAlg, PrivateKey};
use russh::server::Config;
use russh::{MethodKind, MethodSet, Preferred, SshId, cipher, compression, kex, mac};

use super::greeting::{Hello, SERVER_ID};
use crate::config::sftp::{SftpSettings, SshProfile};

/// Every refused key costs the same time, found or not.
const REJECTION_TIME: Duration = Duration::from_millis(100);
/// Unanswered keepalives before a connection is given up.
const KEEPALIVE_MAX: usize = 3;
/// Receive window of a channel, in bytes: what may be under way towards us.
const WINDOW_BYTES: u32 = 2 * 1024 * 1024;
/// Most payload of an SSH packet (RFC 4253 §6.1).
const PACKET_BYTES: u32 = 32_768;
/// Longest time with the same keys (RFC 4253 §9).
const REKEY_TIME: Duration = Duration::from_secs(3600);
/// russh accepts no more than this between rekeys.
const MAX_REKEY_BYTES: usize = 1 << 30;

const STANDARD_KEX: &[kex::Name] = &[
    kex::MLKEM768X25519_SHA256,
    kex::CURVE25519,
    kex::CURVE25519_PRE_RFC_8731,
    kex::DH_G16_SHA512,
    kex::DH_G18_SHA512,
    kex::EXTENSION_SUPPORT_AS_SERVER,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_SERVER,
];
const MODERN_KEX: &[kex::Name] =
    &[kex::MLKEM768X25519_SHA256, kex::EXTENSION_SUPPORT_AS_SERVER, kex::EXTENSION_OPENSSH_STRICT_KEX_AS_SERVER];
const CIPHERS: &[cipher::Name] = &[
    cipher::AES_128_GCM,
    cipher::AES_256_GCM,
    cipher::CHACHA20_POLY1305,
    cipher::AES_256_CTR,
    cipher::AES_192_CTR,
    cipher::AES_128_CTR,
];
const GCM: &[cipher::Name] = &[cipher::AES_128_GCM, cipher::AES_256_GCM];
const MACS: &[mac::Name] = &[mac::HMAC_SHA512_ETM, mac::HMAC_SHA256_ETM];
/// Signatures of host keys, and what `server-sig-algs` names for those of clients: never SHA-1.
const KEYS: &[Algorithm] = &[
    Algorithm::Ed25519,
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
    Algorithm::SkEd25519,
    Algorithm::SkEcdsaSha2NistP256,
    Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
    Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
];

/// The two offers that a client may get.
pub(super) struct Offers {
    whole: Arc<Config>,
    gcm: Arc<Config>,
}

impl Offers {
    /// Offers with these host keys, of which the first of a kind is the one used.
    pub(super) fn new(keys: &[PrivateKey], settings: &SftpSettings) -> Self {
        Self {
            whole: Arc::new(ssh_config(keys.to_vec(), settings, CIPHERS)),
            gcm: Arc::new(ssh_config(keys.to_vec(), settings, GCM)),
        }
    }

    /// The client's order decides among what is offered, and OpenSSH puts AES-GCM, which costs both ends
    /// least, behind all others: one that knows it is offered nothing else.
    pub(super) fn offer_to(&self, hello: &Hello) -> Arc<Config> {
        let knows_gcm = GCM.iter().any(|name| hello.offers_cipher(name.as_ref()));
        Arc::clone(if hello.is_openssh() && knows_gcm { &self.gcm } else { &self.whole })
    }
}

fn ssh_config(keys: Vec<PrivateKey>, settings: &SftpSettings, ciphers: &'static [cipher::Name]) -> Config {
    let rekey = settings.rekey_limit_bytes.min(MAX_REKEY_BYTES);
    let kex = match settings.profile {
        SshProfile::Standard => STANDARD_KEX,
        SshProfile::Modern => MODERN_KEX,
    };
    Config {
        server_id: SshId::Standard(Cow::Borrowed(SERVER_ID)),
        methods: MethodSet::from(&[MethodKind::PublicKey][..]),
        auth_rejection_time: REJECTION_TIME,
        auth_rejection_time_initial: Some(Duration::ZERO),
        keys,
        limits: russh::Limits::new(rekey, rekey, REKEY_TIME),
        window_size: WINDOW_BYTES,
        maximum_packet_size: PACKET_BYTES,
        preferred: Preferred {
            kex: Cow::Borrowed(kex),
            key: Cow::Borrowed(KEYS),
            host_key_certificates: Cow::Borrowed(&[]),
            cipher: Cow::Borrowed(ciphers),
            mac: Cow::Borrowed(MACS),
            compression: Cow::Borrowed(&[compression::NONE]),
        },
        max_auth_attempts: settings.max_attempts,
        inactivity_timeout: Some(settings.idle_timeout),
        keepalive_interval: Some(settings.keepalive),
        keepalive_max: KEEPALIVE_MAX,
        nodelay: true,
        ..Config::default()
    }
}
