//! Passwords and one-time codes in memory: toys that only behave. A hash is the password behind a
//! word, a code is the step in digits.

use crate::domain::moment::Moment;
use crate::ports::failure::{Failure, Fault};
use crate::ports::one_time_codes::{Enrolment, OneTimeCodes};
use crate::ports::passwords::Passwords;

/// Hashes nothing; knows no breached password.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemoryPasswords;

impl Passwords for MemoryPasswords {
    fn hash(&self, password: &str) -> Result<String, Failure> {
        Ok(format!("plain:{password}"))
    }

    fn verify(&self, password: &str, phc: Option<&str>) -> Result<bool, Failure> {
        Ok(phc.is_some_and(|phc| phc.strip_prefix("plain:") == Some(password)))
    }

    fn is_known(&self, _password: &str) -> Result<bool, Failure> {
        Ok(false)
    }
}

/// The code of each step is its number.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemoryCodes;

impl OneTimeCodes for MemoryCodes {
    fn step_of(&self, _secret: &[u8; 20], code: &str, at: Moment, last_step: u64) -> Option<u64> {
        code.parse().ok().filter(|step| *step == at.seconds() / 30 && *step > last_step)
    }

    fn enrolment(&self, _secret: &[u8; 20], issuer: &str, login: &str) -> Result<Enrolment, Fault> {
        Ok(Enrolment { uri: format!("otpauth://totp/{issuer}:{login}"), typed: "MEMORY".to_owned() })
    }
}
