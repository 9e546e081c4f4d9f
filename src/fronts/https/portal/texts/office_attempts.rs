//! What the office reads of attempts to sign in as a machine account.

use crate::domain::refusal::What;
use crate::operations::AttemptOutcome;

super::catalogue! {
    attempts: "Laatste pogingen om in te loggen", "Last attempts to sign in";
    none: "Sinds de laatste start van de server is er geen poging van dit account gezien.", "No attempt of this account was seen since the server last started.";
    hint: "Wie inlogt, leest dit niet. Een onbekende sleutel kan ook van een vreemde zijn.", "Who signs in does not read this. An unknown key may be a stranger's too.";
    at: "Wanneer", "When";
    from: "Vanaf", "From";
    with: "Sleutel of token", "Key or token";
    outcome: "Uitkomst", "Outcome";
    entered: "ingelogd", "signed in";
    unknown_key: "sleutel onbekend bij dit account", "key unknown to this account";
    revoked: "ingetrokken", "revoked";
    ran_out: "verlopen", "run out";
    outside: "buiten de adressen van het account", "outside the addresses of the account";
    outside_organisation: "buiten de adressen van de organisatie", "outside the addresses of the organisation";
    blocked: "account of organisatie geblokkeerd", "account or organisation blocked";
    credential_blocked: "sleutel of token geblokkeerd", "key or token blocked";
    ended: "account beëindigd", "account ended";
    interrupted: "toegang onderbroken", "access interrupted";
    refused: "geweigerd", "refused";
}

impl Texts {
    /// What came of an attempt, and its tone.
    pub(in crate::fronts::https::portal) const fn told(
        &self,
        outcome: &AttemptOutcome,
    ) -> (&'static str, &'static str) {
        match outcome {
            AttemptOutcome::Entered => (self.entered, "done"),
            AttemptOutcome::UnknownKey => (self.unknown_key, "gone"),
            AttemptOutcome::Revoked => (self.revoked, "gone"),
            AttemptOutcome::RanOut => (self.ran_out, "gone"),
            AttemptOutcome::OutsideList(What::Organisation) => (self.outside_organisation, "gone"),
            AttemptOutcome::OutsideList(_) => (self.outside, "gone"),
            AttemptOutcome::Blocked => (self.blocked, "gone"),
            AttemptOutcome::CredentialBlocked => (self.credential_blocked, "gone"),
            AttemptOutcome::Ended => (self.ended, "gone"),
            AttemptOutcome::Interrupted => (self.interrupted, "busy"),
            AttemptOutcome::Refused(_) => (self.refused, "gone"),
        }
    }
}
