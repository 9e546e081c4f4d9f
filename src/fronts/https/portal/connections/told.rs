//! What people are told of a flaw, a refused list or an attempt. Pure.

use crate::domain::account::Language;
use crate::domain::connections::{ConnectionFlaw, LEAST_RSA_BITS, MOST_KEYS, MOST_RSA_BITS, MOST_TOKENS};
use crate::domain::refusal::{Refusal, What};
use crate::fronts::https::portal::texts::ConnectionTexts;
use crate::operations::AttemptOutcome;

/// A flaw, in the reader's language.
pub(super) fn flaw(t: &ConnectionTexts, language: Language, flaw: &ConnectionFlaw) -> String {
    match (language, flaw) {
        (_, ConnectionFlaw::PrivateKey) => t.private_key.to_owned(),
        (_, ConnectionFlaw::NoKey) => t.no_key.to_owned(),
        (_, ConnectionFlaw::SeveralKeys) => t.several_keys.to_owned(),
        (_, ConnectionFlaw::KeyOptions) => t.key_options.to_owned(),
        (_, ConnectionFlaw::KeyIsHere) => t.key_is_here.to_owned(),
        (_, ConnectionFlaw::KeyInUse) => t.key_in_use.to_owned(),
        (_, ConnectionFlaw::KeyWasRevoked) => t.key_was_revoked.to_owned(),
        (_, ConnectionFlaw::LoginPrefix(prefix)) => format!("{} {prefix}…", t.wrong_login),
        (_, ConnectionFlaw::LoginTaken) => t.login_taken.to_owned(),
        (_, ConnectionFlaw::ForeignOwner) => t.foreign_owner.to_owned(),
        (_, ConnectionFlaw::EndPast) => t.end_past.to_owned(),
        (_, ConnectionFlaw::TokenMade) => t.token_made_before.to_owned(),
        (Language::English, flaw) => {
            let said = flaw.to_string();
            let mut letters = said.chars();
            let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
            format!("{first}{}.", letters.as_str())
        }
        (Language::Dutch, ConnectionFlaw::KeyKind(kind)) => {
            format!("Sleutels van de soort {kind} nemen wij niet aan. Maak een ed25519-sleutel.")
        }
        (Language::Dutch, ConnectionFlaw::RsaBits(bits)) => format!(
            "Een RSA-sleutel heeft {LEAST_RSA_BITS} tot {MOST_RSA_BITS} bits. Deze heeft er {bits}. \
             Maak liever een ed25519-sleutel."
        ),
        (Language::Dutch, ConnectionFlaw::ManyKeys) => {
            format!("Een account heeft hoogstens {MOST_KEYS} sleutels. Trek eerst een sleutel in.")
        }
        (Language::Dutch, ConnectionFlaw::ManyTokens) => {
            format!("Een account heeft hoogstens {MOST_TOKENS} tokens. Trek eerst een token in.")
        }
        (Language::Dutch, ConnectionFlaw::ManyMachines(most)) => {
            format!("Uw organisatie kan hoogstens {most} koppelingen maken. Beëindig er eerst een.")
        }
        (Language::Dutch, ConnectionFlaw::EndTooFar(days)) => {
            format!("Deze datum is te ver weg. Kies een dag binnen {days} dagen.")
        }
    }
}

/// A list of networks that cannot be read.
pub(super) fn networks(t: &ConnectionTexts, refusal: &Refusal) -> String {
    format!("{} ({refusal})", t.wrong_networks)
}

/// What came of an attempt, and what to do.
pub(super) fn attempt(t: &ConnectionTexts, outcome: &AttemptOutcome) -> (String, &'static str) {
    let text = match outcome {
        AttemptOutcome::Entered => return (t.attempt_entered.to_owned(), "done"),
        AttemptOutcome::UnknownKey => t.attempt_unknown_key,
        AttemptOutcome::Revoked => t.attempt_revoked,
        AttemptOutcome::RanOut => t.attempt_ran_out,
        AttemptOutcome::OutsideList(What::Organisation) => t.attempt_outside_organisation,
        AttemptOutcome::OutsideList(_) => t.attempt_outside,
        AttemptOutcome::Blocked => t.attempt_blocked,
        AttemptOutcome::CredentialBlocked => t.attempt_credential_blocked,
        AttemptOutcome::Ended => t.attempt_ended,
        AttemptOutcome::Interrupted => t.attempt_interrupted,
        AttemptOutcome::Refused(why) => return (format!("{} {why}", t.attempt_refused), "gone"),
    };
    (text.to_owned(), "gone")
}
