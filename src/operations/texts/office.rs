//! The words of mail to people of the operator: Dutch in B1 with "u", and English.

use super::people::{PersonFacts, Said};
use super::{Sender, Tongue};
use crate::domain::notice::NoticeKind;

/// Whether mail of this kind goes to people of the operator alone.
pub(super) const fn is_of_office(kind: NoticeKind) -> bool {
    matches!(
        kind,
        NoticeKind::OfficeInvited
            | NoticeKind::OfficeActivationEnds
            | NoticeKind::OfficeActivationEnded
            | NoticeKind::ColleagueActivationEnds
    )
}

/// The words of such a mail.
pub(super) fn said(kind: NoticeKind, tongue: Tongue, sender: &Sender<'_>, facts: &PersonFacts) -> Said {
    match kind {
        NoticeKind::OfficeActivationEnds => activation_ends(tongue, facts),
        NoticeKind::OfficeActivationEnded => activation_ended(tongue, facts),
        NoticeKind::ColleagueActivationEnds => colleague_waits(tongue, facts),
        _ => invited(tongue, sender, facts),
    }
}

/// M08: the link works a few days more.
fn activation_ends(tongue: Tongue, facts: &PersonFacts) -> Said {
    match tongue {
        Tongue::Dutch => Said {
            subject: format!("Uw activatielink verloopt op {}", facts.until),
            opening: vec!["U heeft uw account voor het kantoor nog niet geactiveerd."],
            facts: vec![("Deze link werkt tot en met", facts.until.clone())],
            advice: vec![
                "U kiest een wachtwoord en voegt een app voor codes toe.",
                "Het kantoor is alleen bereikbaar vanaf uw werkplek.",
            ],
            action: Some("Account activeren"),
            why: "U krijgt dit bericht omdat een collega u een account heeft gegeven.",
        },
        Tongue::English => Said {
            subject: format!("Your activation link ends on {}", facts.until),
            opening: vec!["You have not activated your account for the office yet."],
            facts: vec![("This link works until", facts.until.clone())],
            advice: vec![
                "You choose a password and add an app for codes.",
                "The office can be reached from your place of work only.",
            ],
            action: Some("Activate account"),
            why: "You receive this message because a colleague gave you an account.",
        },
    }
}

/// M08: the link does not work any more.
fn activation_ended(tongue: Tongue, facts: &PersonFacts) -> Said {
    match tongue {
        Tongue::Dutch => Said {
            subject: "Uw activatielink is verlopen".to_owned(),
            opening: vec!["U heeft uw account voor het kantoor niet op tijd geactiveerd."],
            facts: vec![("De link werkte tot en met", facts.until.clone())],
            advice: vec!["Vraag een functioneel beheerder om een nieuwe link."],
            action: None,
            why: "U krijgt dit bericht omdat een collega u een account heeft gegeven.",
        },
        Tongue::English => Said {
            subject: "Your activation link has ended".to_owned(),
            opening: vec!["You did not activate your account for the office in time."],
            facts: vec![("The link worked until", facts.until.clone())],
            advice: vec!["Ask an administrator of the office for a new link."],
            action: None,
            why: "You receive this message because a colleague gave you an account.",
        },
    }
}

/// M08 to who can send the link anew.
fn colleague_waits(tongue: Tongue, facts: &PersonFacts) -> Said {
    match tongue {
        Tongue::Dutch => Said {
            subject: format!("Account van {} is nog niet geactiveerd", facts.address),
            opening: vec!["Een collega heeft het account voor het kantoor nog niet geactiveerd."],
            facts: vec![("Account", facts.address.clone()), ("Einde van de link", facts.until.clone())],
            advice: vec!["Is de link te oud of kwijt? Stuur een nieuwe: kies Collega's in het kantoor."],
            action: None,
            why: "U krijgt dit bericht omdat u functioneel beheerder bent.",
        },
        Tongue::English => Said {
            subject: format!("Account of {} is not activated yet", facts.address),
            opening: vec!["A colleague has not activated the account for the office yet."],
            facts: vec![("Account", facts.address.clone()), ("End of the link", facts.until.clone())],
            advice: vec!["Is the link too old or lost? Send a new one: choose Colleagues in the office."],
            action: None,
            why: "You receive this message because you are an administrator of the office.",
        },
    }
}

/// Somebody is to work in the office: the link to activate the account there.
fn invited(tongue: Tongue, sender: &Sender<'_>, facts: &PersonFacts) -> Said {
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
