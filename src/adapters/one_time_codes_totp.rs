//! One-time codes as apps show them (RFC 6238): SHA-1, six digits, steps of 30 seconds,
//! which is what every app can do. Knows no accounts.

use totp_rs::{Algorithm, Builder, Totp};

use crate::domain::moment::Moment;
use crate::ports::failure::Fault;
use crate::ports::one_time_codes::{Enrolment, OneTimeCodes};

/// Length of a step.
const STEP_SECONDS: u64 = 30;

/// Steps to either side whose codes are taken too: clocks of telephones differ a little.
const SKEW_STEPS: u16 = 1;

/// One-time codes of this kind.
#[derive(Clone, Copy, Debug)]
pub struct OneTimeCodesTotp;

fn totp(secret: &[u8; 20], issuer: &str, login: &str) -> Result<Totp, Fault> {
    // both stand in a URI whose parts are told apart by colons
    let plain = |text: &str| text.replace(':', " ");
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_skew(SKEW_STEPS)
        .with_step_duration(STEP_SECONDS)
        .with_secret(secret.to_vec())
        .with_issuer(Some(plain(issuer)))
        .with_account_name(plain(login))
        .build()
        .map_err(|error| Fault::new(format!("set up one-time codes: {error}")))
}

impl OneTimeCodes for OneTimeCodesTotp {
    fn step_of(&self, secret: &[u8; 20], code: &str, at: Moment, last_step: u64) -> Option<u64> {
        let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        let step = totp(secret, "any", "any").ok()?.check(&digits, at.seconds())?;
        (step > last_step).then_some(step)
    }

    fn enrolment(&self, secret: &[u8; 20], issuer: &str, login: &str) -> Result<Enrolment, Fault> {
        let totp = totp(secret, issuer, login)?;
        let uri = totp.to_url().map_err(|error| Fault::new(format!("write the link for an app: {error}")))?;
        Ok(Enrolment { uri, typed: totp.secret().to_base32() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Secret and times of RFC 6238, appendix B; the last six of its eight digits.
    const SECRET: &[u8; 20] = b"12345678901234567890";

    #[test]
    fn codes_of_the_standard_are_taken_once() {
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924")] {
            let at = Moment::from_millis(seconds * 1_000);
            let step = OneTimeCodesTotp.step_of(SECRET, code, at, 0).unwrap();
            assert_eq!(step, seconds / 30);
            assert_eq!(OneTimeCodesTotp.step_of(SECRET, code, at, step), None, "no code counts twice");
            let spaced = format!(" {} {}", &code[..3], &code[3..]);
            assert_eq!(OneTimeCodesTotp.step_of(SECRET, &spaced, at, 0), Some(step));
            let late =
                |more: u64| OneTimeCodesTotp.step_of(SECRET, code, Moment::from_millis((seconds + more) * 1_000), 0);
            assert_eq!((late(30), late(90)), (Some(step), None));
        }
        for code in ["", "28708", "2870822", "abcdef", "２８７０８２"] {
            assert_eq!(OneTimeCodesTotp.step_of(SECRET, code, Moment::from_millis(59_000), 0), None, "{code}");
        }
    }

    #[test]
    fn an_app_learns_the_secret_from_a_uri() {
        let enrolment = OneTimeCodesTotp.enrolment(SECRET, "Portaal: test", "jan@example.org").unwrap();
        assert!(enrolment.uri.starts_with("otpauth://totp/"), "{}", enrolment.uri);
        assert!(enrolment.uri.contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), "{}", enrolment.uri);
        assert_eq!(enrolment.typed, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }
}
