//! Passwords by Argon2id (RFC 9106), and a list of known ones in a file. Knows no accounts.
#![expect(clippy::disallowed_methods, reason = "the list of known passwords is a file that the operator names")]

mod known;

use std::sync::{Condvar, Mutex, PoisonError};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::domain::refusal::Refusal;
use crate::ports::failure::{Failure, Fault};
use crate::ports::passwords::Passwords;
pub use known::KnownPasswords;

/// What a hash costs: 64 MiB and 3 passes is the second choice of RFC 9106 §4, for machines with little memory.
#[derive(Clone, Copy, Debug)]
pub struct HashCost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Default for HashCost {
    fn default() -> Self {
        Self { memory_kib: 64 * 1024, passes: 3 }
    }
}

/// Argon2id with one lane.
pub struct PasswordsArgon2 {
    argon: Argon2<'static>,
    /// The hash of nothing anybody chose, to spend the same time on unknown accounts.
    decoy: String,
    known: KnownPasswords,
    turns: Turns,
}

/// So many are hashed at once: each takes its memory.
const AT_ONCE: usize = 2;

/// So many may wait for their turn.
const MOST_WAITING: usize = 64;

/// Who is told to come back, comes back after so many seconds.
const COME_BACK_SECONDS: u64 = 10;

/// Lets few in at a time.
#[derive(Default)]
struct Turns {
    counts: Mutex<Counts>,
    freed: Condvar,
}

#[derive(Default)]
struct Counts {
    running: usize,
    waiting: usize,
}

/// Held while one is hashed.
struct Turn<'a>(&'a Turns);

impl Turns {
    fn take(&self) -> Result<Turn<'_>, Refusal> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.waiting >= MOST_WAITING {
            return Err(Refusal::TriedTooOften { seconds: COME_BACK_SECONDS });
        }
        counts.waiting += 1;
        while counts.running >= AT_ONCE {
            counts = self.freed.wait(counts).unwrap_or_else(PoisonError::into_inner);
        }
        counts.waiting -= 1;
        counts.running += 1;
        Ok(Turn(self))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.counts.lock().unwrap_or_else(PoisonError::into_inner).running -= 1;
        self.0.freed.notify_one();
    }
}

impl PasswordsArgon2 {
    /// With passwords that are known besides those of everybody's.
    ///
    /// # Errors
    /// A cost that Argon2 does not take.
    pub fn new(cost: HashCost, known: KnownPasswords) -> Result<Self, Fault> {
        let params = Params::new(cost.memory_kib, cost.passes, 1, None)
            .map_err(|error| Fault::new(format!("set up password hashing: {error}")))?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let decoy = hashed(&argon, "no password is this one")?;
        Ok(Self { argon, decoy, known, turns: Turns::default() })
    }
}

fn hashed(argon: &Argon2<'_>, password: &str) -> Result<String, Fault> {
    let hash = argon.hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string()).map_err(|error| Fault::new(format!("hash a password: {error}")))
}

impl Passwords for PasswordsArgon2 {
    fn hash(&self, password: &str) -> Result<String, Failure> {
        let _turn = self.turns.take()?;
        Ok(hashed(&self.argon, password)?)
    }

    fn verify(&self, password: &str, phc: Option<&str>) -> Result<bool, Failure> {
        let _turn = self.turns.take()?;
        let parsed = PasswordHash::new(phc.unwrap_or(&self.decoy))
            .map_err(|error| Fault::new(format!("read the hash of a password: {error}")))?;
        let fits = self.argon.verify_password(password.as_bytes(), &parsed).is_ok();
        Ok(fits && phc.is_some())
    }

    fn is_known(&self, password: &str) -> Result<bool, Failure> {
        Ok(self.known.hold(password)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cheap() -> PasswordsArgon2 {
        let known = KnownPasswords::of_lines("een bekende zin\n");
        PasswordsArgon2::new(HashCost { memory_kib: 64, passes: 1 }, known).unwrap()
    }

    #[test]
    fn a_password_has_its_own_hash_and_no_other() {
        let passwords = cheap();
        let hash = passwords.hash("correct horse battery").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{hash}");
        assert!(passwords.verify("correct horse battery", Some(&hash)).unwrap());
        assert!(!passwords.verify("correct horse batterz", Some(&hash)).unwrap());
        assert_ne!(passwords.hash("correct horse battery").unwrap(), hash, "each hash has its own salt");
        assert!(passwords.verify("x", Some("no hash")).is_err());
    }

    #[test]
    fn without_a_hash_nothing_fits() {
        assert!(!cheap().verify("no password is this one", None).unwrap());
    }

    #[test]
    fn known_passwords_are_found_in_any_case() {
        let passwords = cheap();
        assert!(passwords.is_known("Een Bekende Zin").unwrap() && !passwords.is_known("een andere zin").unwrap());
    }

    #[test]
    fn few_are_hashed_at_once_and_few_wait() {
        let passwords = std::sync::Arc::new(cheap());
        let held: Vec<_> = (0..AT_ONCE).map(|_| passwords.turns.take().unwrap()).collect();
        let waiting: Vec<_> = (0..MOST_WAITING)
            .map(|_| {
                let passwords = std::sync::Arc::clone(&passwords);
                std::thread::spawn(move || passwords.verify("a password", None).unwrap())
            })
            .collect();
        while passwords.turns.counts.lock().unwrap().waiting < MOST_WAITING {
            std::thread::yield_now();
        }
        assert!(passwords.verify("one more", None).is_err());
        drop(held);
        assert!(waiting.into_iter().all(|waiting| !waiting.join().unwrap()));
        assert!(!passwords.verify("now there is room", None).unwrap());
    }
}
