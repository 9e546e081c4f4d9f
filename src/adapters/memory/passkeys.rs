//! Passkeys in memory: toys that only behave. A challenge is a number; whoever answers with the name of a
//! device and that number has shown it.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::refusal::Refusal;
use crate::ports::failure::{Failure, Fault};
use crate::ports::passkeys::{Ceremony, Challenge, NewCredential, Passkeys, ShownCredential};

/// Knows challenges by their number.
#[derive(Debug, Default)]
pub struct MemoryPasskeys {
    last: AtomicU64,
}

impl MemoryPasskeys {
    fn challenge(&self) -> Challenge {
        let number = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        Challenge { options: number.to_string(), ceremony: Ceremony(Box::new(number)) }
    }
}

/// The device in an answer such as `phone 7`, when 7 was asked for.
fn device<'a>(ceremony: &Ceremony, answer: &'a str) -> Result<&'a str, Refusal> {
    let (device, number) = answer.split_once(' ').ok_or(Refusal::WrongCode)?;
    let asked = ceremony.0.downcast_ref::<u64>();
    if asked.is_some_and(|asked| asked.to_string() == number) { Ok(device) } else { Err(Refusal::WrongCode) }
}

impl Passkeys for MemoryPasskeys {
    fn are_offered(&self) -> bool {
        true
    }

    fn ask_new(&self, _user: &[u8; 16], _login: &str, _known: &[Vec<u8>]) -> Result<Challenge, Fault> {
        Ok(self.challenge())
    }

    fn check_new(&self, ceremony: &Ceremony, answer: &str) -> Result<NewCredential, Failure> {
        let device = device(ceremony, answer)?.as_bytes().to_vec();
        Ok(NewCredential { id: device.clone(), credential: device })
    }

    fn ask(&self, _known: &[Vec<u8>]) -> Result<Challenge, Fault> {
        Ok(self.challenge())
    }

    fn check(&self, ceremony: &Ceremony, known: &[Vec<u8>], answer: &str) -> Result<ShownCredential, Failure> {
        let device = device(ceremony, answer)?.as_bytes().to_vec();
        let at = known.iter().position(|one| *one == device).ok_or(Refusal::WrongCode)?;
        Ok(ShownCredential { at, credential: device })
    }
}
