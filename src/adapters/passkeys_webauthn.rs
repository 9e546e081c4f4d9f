//! Passkeys by webauthn-rs. Bound to the name and origin of one address: that of the portal, or of the office. Knows no accounts.
//! User verification is always asked for and checked; attestation is not: any maker will do.

use webauthn_rs::prelude::{
    Passkey, PasskeyAuthentication, PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential, Url, Uuid,
    Webauthn, WebauthnBuilder,
};

use crate::domain::refusal::Refusal;
use crate::ports::failure::{Failure, Fault};
use crate::ports::passkeys::{Ceremony, Challenge, NewCredential, Passkeys, ShownCredential};

/// An answer of a browser is no longer: some kilobytes with attestation.
const MOST_ANSWER_BYTES: usize = 32 * 1024;

/// Passkeys of one door.
pub struct PasskeysWebauthn {
    webauthn: Option<Webauthn>,
}

impl PasskeysWebauthn {
    /// For the portal or the office at this address. Passkeys are bound to a name: an IP address has none.
    ///
    /// # Errors
    /// An address that is no URL.
    pub fn new(base_url: &str, portal: &str) -> Result<Self, Fault> {
        let origin = Url::parse(base_url)
            .map_err(|error| Fault::from_error("set passkeys up: portal.base_url or operator.base_url", error))?;
        let Some(name) = origin.domain() else { return Ok(Self { webauthn: None }) };
        let webauthn = WebauthnBuilder::new(name, &origin).and_then(|builder| builder.rp_name(portal).build());
        webauthn.map(|webauthn| Self { webauthn: Some(webauthn) }).map_err(failed)
    }

    fn webauthn(&self) -> Result<&Webauthn, Fault> {
        self.webauthn.as_ref().ok_or_else(|| Fault::new("use passkeys: the address has no name"))
    }
}

fn failed(error: impl core::fmt::Display) -> Fault {
    Fault::new(format!("make a challenge for a passkey: {error}"))
}

fn read(credential: &[u8]) -> Result<Passkey, Fault> {
    serde_json::from_slice(credential).map_err(|error| Fault::from_error("read a stored passkey", error))
}

fn written(passkey: &Passkey) -> Result<Vec<u8>, Fault> {
    serde_json::to_vec(passkey).map_err(|error| Fault::from_error("write a passkey", error))
}

fn options(challenge: &impl serde::Serialize) -> Result<String, Fault> {
    serde_json::to_string(challenge).map_err(failed)
}

/// What the browser sent, if it can be read at all.
fn answered<T: serde::de::DeserializeOwned>(answer: &str) -> Result<T, Refusal> {
    if answer.len() > MOST_ANSWER_BYTES {
        return Err(Refusal::WrongCode);
    }
    serde_json::from_str(answer).map_err(|_| Refusal::WrongCode)
}

impl Passkeys for PasskeysWebauthn {
    fn are_offered(&self) -> bool {
        self.webauthn.is_some()
    }

    fn ask_new(&self, user: &[u8; 16], login: &str, known: &[Vec<u8>]) -> Result<Challenge, Fault> {
        let known = known.iter().map(|one| Ok(read(one)?.cred_id().clone())).collect::<Result<Vec<_>, Fault>>()?;
        let begun = self.webauthn()?.start_passkey_registration(Uuid::from_bytes(*user), login, login, Some(known));
        let (challenge, state) = begun.map_err(failed)?;
        Ok(Challenge { options: options(&challenge)?, ceremony: Ceremony(Box::new(state)) })
    }

    fn check_new(&self, ceremony: &Ceremony, answer: &str) -> Result<NewCredential, Failure> {
        let state = ceremony.0.downcast_ref::<PasskeyRegistration>().ok_or(Refusal::WrongCode)?;
        let answer: RegisterPublicKeyCredential = answered(answer)?;
        let made = self.webauthn()?.finish_passkey_registration(&answer, state).map_err(|_| Refusal::WrongCode)?;
        Ok(NewCredential { id: made.cred_id().to_vec(), credential: written(&made)? })
    }

    fn ask(&self, known: &[Vec<u8>]) -> Result<Challenge, Fault> {
        let known = known.iter().map(|one| read(one)).collect::<Result<Vec<_>, _>>()?;
        let (challenge, state) = self.webauthn()?.start_passkey_authentication(&known).map_err(failed)?;
        Ok(Challenge { options: options(&challenge)?, ceremony: Ceremony(Box::new(state)) })
    }

    fn check(&self, ceremony: &Ceremony, known: &[Vec<u8>], answer: &str) -> Result<ShownCredential, Failure> {
        let state = ceremony.0.downcast_ref::<PasskeyAuthentication>().ok_or(Refusal::WrongCode)?;
        let answer: PublicKeyCredential = answered(answer)?;
        let shown = self.webauthn()?.finish_passkey_authentication(&answer, state).map_err(|_| Refusal::WrongCode)?;
        if !shown.user_verified() {
            return Err(Refusal::WrongCode.into());
        }
        for (at, one) in known.iter().enumerate() {
            let mut passkey = read(one)?;
            if passkey.update_credential(&shown).is_some() {
                return Ok(ShownCredential { at, credential: written(&passkey)? });
            }
        }
        Err(Refusal::WrongCode.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passkeys_are_bound_to_a_name_and_an_address_has_none() {
        let of = |url| PasskeysWebauthn::new(url, "Postkluis").unwrap();
        assert!(of("https://files.example.org").are_offered() && of("https://localhost:8443").are_offered());
        assert!(!of("https://192.0.2.1").are_offered() && !of("https://[2001:db8::1]:8443").are_offered());
        assert!(PasskeysWebauthn::new("files.example.org", "Postkluis").is_err());
    }

    #[test]
    fn a_challenge_asks_for_user_verification_and_nonsense_is_no_answer() {
        let passkeys = PasskeysWebauthn::new("https://files.example.org", "Postkluis").unwrap();
        let first = passkeys.ask_new(&[1; 16], "jan@example.org", &[]).unwrap();
        let second = passkeys.ask_new(&[1; 16], "jan@example.org", &[]).unwrap();
        assert_ne!(first.options, second.options, "each challenge is another");
        let options: serde_json::Value = serde_json::from_str(&first.options).unwrap();
        let wanted = &options["publicKey"];
        assert_eq!(wanted["rp"]["id"], "files.example.org");
        assert_eq!(wanted["authenticatorSelection"]["userVerification"], "required");
        for nonsense in ["", "{}", "[]", "null", &"x".repeat(40_000)] {
            assert!(passkeys.check_new(&first.ceremony, nonsense).is_err(), "{nonsense:.10}");
            assert!(passkeys.check(&first.ceremony, &[], nonsense).is_err(), "another ceremony: {nonsense:.10}");
        }
    }
}
