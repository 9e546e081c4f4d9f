//! The port to randomness, so that rules and tests can be repeated.

/// A source of random bytes fit for keys and tokens.
pub trait Entropy: Send + Sync {
    /// Fills `into` with random bytes.
    fn fill(&self, into: &mut [u8]);

    /// 16 random bytes, for ids.
    fn sixteen(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        bytes
    }
}
