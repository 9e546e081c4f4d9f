//! Checks in memory: every product has the verdict that the test scripted, or none.

use std::io::Read;
use std::sync::Mutex;

use super::locked;
use crate::domain::names::ProductCode;
use crate::domain::verdict::CheckVerdict;
use crate::ports::checker::{Checked, Checker};
use crate::ports::failure::{Failure, Fault};

/// Checks in memory.
#[derive(Debug, Default)]
pub struct MemoryChecker {
    verdict: Mutex<Option<CheckVerdict>>,
    is_down: Mutex<bool>,
    read: Mutex<Vec<(String, Vec<u8>)>>,
    asked: Mutex<Vec<Checked>>,
}

impl MemoryChecker {
    /// Nothing is checked.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on every file gets this verdict.
    pub fn script(&self, verdict: CheckVerdict) {
        *locked(&self.verdict) = Some(verdict);
    }

    /// From now on checks fail, or do not.
    pub fn fail(&self, is_down: bool) {
        *locked(&self.is_down) = is_down;
    }

    /// The files that were checked: name and bytes.
    #[must_use]
    pub fn read(&self) -> Vec<(String, Vec<u8>)> {
        locked(&self.read).clone()
    }

    /// What it was told of each file that it was asked to check.
    #[must_use]
    pub fn asked(&self) -> Vec<Checked> {
        locked(&self.asked).clone()
    }
}

impl Checker for MemoryChecker {
    fn is_wanted(&self, _product: &ProductCode) -> Result<bool, Failure> {
        Ok(locked(&self.verdict).is_some())
    }

    fn check(&self, file: &Checked, bytes: &mut dyn Read) -> Result<CheckVerdict, Failure> {
        locked(&self.asked).push(file.clone());
        if *locked(&self.is_down) {
            return Err(Fault::new("check a file: the scanner does not answer").into());
        }
        let mut all = Vec::new();
        bytes.read_to_end(&mut all).map_err(|error| Fault::from_error("read a file to check", error))?;
        locked(&self.read).push((file.name.to_string(), all));
        Ok(locked(&self.verdict).clone().unwrap_or_else(|| CheckVerdict::accepted(Vec::new())))
    }
}
