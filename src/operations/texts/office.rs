//! The words of mail to people of the operator: Dutch in B1 with "u", and English.

use super::people::{PersonFacts, Said};
use super::{Sender, Tongue};

/// Somebody is to work in the office: the link to activate the account there.
pub(super) fn invited(tongue: Tongue, sender: &Sender<'_>, facts: &PersonFacts) -> Said {
    let portal = sender.portal;
    match tongue {
        Tongue::Dutch => Said {
            subject: format!("Activeer uw account voor het kantoor van {portal}"),
            opening: vec!["U heeft een account gekregen voor het kantoor van dit portaal."],
            facts: vec![("Deze link werkt tot en met", facts.until.clone())],
            advice: vec![
                "U kiest een wachtwoord en voegt een app voor codes toe.",
                "Daarna kunt u inloggen.",
                "Het kantoor is alleen bereikbaar vanaf uw werkplek.",
                "Is de link te oud? Vraag uw functioneel beheerder om een nieuwe.",
            ],
            action: Some("Account activeren"),
            why: "U krijgt dit bericht omdat een collega u een account heeft gegeven.",
        },
        Tongue::English => Said {
            subject: format!("Activate your account for the office of {portal}"),
            opening: vec!["You were given an account for the office of this portal."],
            facts: vec![("This link works until", facts.until.clone())],
            advice: vec![
                "You choose a password and add an app for codes.",
                "After that you can sign in.",
                "The office can be reached from your place of work only.",
                "Is the link too old? Ask your administrator of the office for a new one.",
            ],
            action: Some("Activate account"),
            why: "You receive this message because a colleague gave you an account.",
        },
    }
}
