//! Randomness from the operating system, through aws-lc.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

use crate::ports::entropy::Entropy;

/// The system's random source.
#[derive(Debug, Default)]
pub struct SystemEntropy {
    random: SystemRandom,
}

impl SystemEntropy {
    /// The system's random source.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Entropy for SystemEntropy {
    fn fill(&self, into: &mut [u8]) {
        #[expect(clippy::panic, reason = "without randomness no key or id may ever be made")]
        if self.random.fill(into).is_err() {
            panic!("the operating system gives no randomness");
        }
    }
}
