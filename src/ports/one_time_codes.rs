//! The port to time-based one-time codes (RFC 6238): six digits, steps of 30 seconds.

use super::failure::Fault;
use crate::domain::moment::Moment;

/// One-time codes.
pub trait OneTimeCodes: Send + Sync {
    /// The step whose code this is, of those around `at` (one to either side, for clocks that differ) that come
    /// after `last_step`.
    fn step_of(&self, secret: &[u8; 20], code: &str, at: Moment, last_step: u64) -> Option<u64>;

    /// What an app reads from a QR code: `otpauth://totp/…`.
    ///
    /// # Errors
    /// Names that such a link cannot hold.
    fn enrolment(&self, secret: &[u8; 20], issuer: &str, login: &str) -> Result<Enrolment, Fault>;
}

/// How an app comes to know its secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Enrolment {
    /// `otpauth://totp/…`.
    pub uri: String,
    /// The secret in Base32, to type over.
    pub typed: String,
}
