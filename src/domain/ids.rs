//! Typed identifiers. An id is parsed once and then cannot be confused with
//! another kind. Knows nothing of where ids come from: randomness is a port.

use core::fmt;

use super::names::NameFault;

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name([u8; 16]);

        impl $name {
            /// Makes the id from 16 random bytes, as a version 4 UUID (RFC 9562).
            #[must_use]
            pub const fn from_random(mut bytes: [u8; 16]) -> Self {
                bytes[6] = (bytes[6] & 0x0f) | 0x40;
                bytes[8] = (bytes[8] & 0x3f) | 0x80;
                Self(bytes)
            }

            /// The id as it was stored.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The 16 bytes of the id.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }

            /// Reads the hyphenated or plain hexadecimal form.
            ///
            /// # Errors
            /// Anything but 32 hexadecimal digits, hyphens apart.
            pub fn parse(text: &str) -> Result<Self, NameFault> {
                uuid_bytes(text).map(Self).ok_or_else(|| {
                    NameFault::new(text, "an id", "32 hexadecimal digits in five groups, as shown by `list`")
                })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_uuid(&self.0, f)
            }
        }
    };
}

random_id!(
    /// One publication: the files that the back office offered at one moment.
    PublicationId
);
random_id!(
    /// One delivery: a publication as one organisation receives it.
    DeliveryId
);
random_id!(
    /// One sealed payload in the vault; written once, never changed.
    PayloadId
);
random_id!(
    /// One upload of a participant file.
    UploadId
);
random_id!(
    /// One e-mail in the queue.
    MailId
);
random_id!(
    /// One agreement between an organisation and the operator.
    AgreementId
);
random_id!(
    /// One API token; the secret itself is never stored.
    TokenId
);
random_id!(
    /// One opening of a delivered file.
    FetchId
);
random_id!(
    /// One app or device that is somebody's second factor.
    FactorId
);
random_id!(
    /// One link in an e-mail about an account.
    LinkId
);
random_id!(
    /// One interruption of access.
    InterruptionId
);
random_id!(
    /// One mandate of a client to an intermediary.
    MandateId
);
random_id!(
    /// One pause of windows.
    PauseId
);
random_id!(
    /// One session of a person.
    SessionId
);
random_id!(
    /// One act that waits for a second person.
    ProposalId
);
random_id!(
    /// One instruction of the operator.
    InstructionId
);

fn write_uuid(bytes: &[u8; 16], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            f.write_str("-")?;
        }
        write!(f, "{byte:02x}")?;
    }
    Ok(())
}

fn uuid_bytes(text: &str) -> Option<[u8; 16]> {
    let mut nibbles = text.chars().filter(|c| *c != '-').map(|c| c.to_digit(16));
    let mut bytes = [0u8; 16];
    for byte in &mut bytes {
        let high = nibbles.next()??;
        let low = nibbles.next()??;
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    nibbles.next().is_none().then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_shown() {
        let id = DeliveryId::from_random([0xab; 16]);
        assert_eq!(DeliveryId::parse(&id.to_string()), Ok(id));
        assert_eq!(id.to_string().len(), 36);
    }

    #[test]
    fn a_wrong_id_is_refused() {
        for text in ["", "abc", "zz", "abababab-abab-4bab-abab-abababababababab"] {
            assert!(DeliveryId::parse(text).is_err(), "{text}");
        }
    }
}
