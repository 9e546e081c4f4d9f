//! The words of mail about connections of machine accounts (M09, M23): Dutch in B1 with "u",
//! and English. None has a link that signs in, and none a secret.

use super::{Letter, PersonFacts, Sender, Tongue, Words};
use crate::domain::notice::NoticeKind;

/// A mail about a connection; `None` when this kind is about something else.
pub(super) fn about_connection(
    kind: NoticeKind,
    tongue: Tongue,
    sender: &Sender<'_>,
    facts: &PersonFacts,
) -> Option<Words> {
    let (subject, opening, change) = said(kind, tongue, facts)?;
    let comes_soon = matches!(kind, NoticeKind::KeyEnds | NoticeKind::TokenEnds);
    let (labels, advice, why) = match tongue {
        Tongue::Dutch => (
            ["Account", "Organisatie", "Eigenaar", change, "Geldig tot en met", "Door", "Op"],
            if comes_soon { DUTCH_RENEW } else { DUTCH_UNKNOWN },
            "U krijgt dit bericht omdat u eigenaar of beheerder van dit account bent.",
        ),
        Tongue::English => (
            ["Account", "Organisation", "Owner", change, "Valid until", "By", "On"],
            if comes_soon { ENGLISH_RENEW } else { ENGLISH_UNKNOWN },
            "You receive this message because you are owner or administrator of this account.",
        ),
    };
    let values = [&facts.address, &facts.organisation, &facts.person, &facts.thing, &facts.until, &facts.by, &facts.at];
    let told = labels.into_iter().zip(values.map(String::clone)).filter(|(_, value)| !value.is_empty());
    let letter = Letter {
        subject,
        opening: vec![opening.to_owned()],
        facts: told.collect(),
        advice: advice.iter().map(|&line| line.to_owned()).collect(),
        action: None,
        why,
    };
    Some(letter.written(tongue, sender))
}

const DUTCH_UNKNOWN: &[&str] =
    &["Klopt dit niet? Bel ons dan direct.", "Een beheerder ziet alles in het portaal, bij Koppelingen."];
const ENGLISH_UNKNOWN: &[&str] =
    &["Is this not right? Then call us at once.", "An administrator sees all of it in the portal, under Connections."];
const DUTCH_RENEW: &[&str] = &[
    "Daarna kan het account hiermee niet meer inloggen.",
    "Uw beheerder kan in het portaal een nieuwe toevoegen, bij Koppelingen.",
    "Zet de nieuwe eerst in uw systeem. Trek daarna de oude in.",
];
const ENGLISH_RENEW: &[&str] = &[
    "After that the account can no longer sign in with it.",
    "Your administrator can add a new one in the portal, under Connections.",
    "First put the new one into your system. Then revoke the old one.",
];

/// Subject, first sentence, and what the change is called.
fn said(kind: NoticeKind, tongue: Tongue, facts: &PersonFacts) -> Option<(String, &'static str, &'static str)> {
    let (login, until) = (&facts.address, &facts.until);
    let (subject, opening, change) = match (kind, tongue) {
        (NoticeKind::MachineAdded, Tongue::Dutch) => {
            ("Nieuwe koppeling", "Uw organisatie heeft een account voor een systeem gemaakt.", "")
        }
        (NoticeKind::MachineAdded, Tongue::English) => {
            ("New connection", "Your organisation has made an account for a system.", "")
        }
        (NoticeKind::MachineEnded, Tongue::Dutch) => {
            ("Koppeling beëindigd", "Dit account is beëindigd. Het kan niet meer inloggen.", "")
        }
        (NoticeKind::MachineEnded, Tongue::English) => {
            ("Connection ended", "This account was ended. It can no longer sign in.", "")
        }
        (NoticeKind::OwnerChanged, Tongue::Dutch) => {
            ("Eigenaar van een koppeling gewijzigd", "De gegevens van de eigenaar van dit account zijn gewijzigd.", "")
        }
        (NoticeKind::OwnerChanged, Tongue::English) => {
            ("Owner of a connection changed", "The details of the owner of this account were changed.", "")
        }
        (NoticeKind::KeyAdded, Tongue::Dutch) => {
            ("SSH-sleutel toegevoegd", "Aan dit account is een SSH-sleutel toegevoegd.", "Sleutel")
        }
        (NoticeKind::KeyAdded, Tongue::English) => ("SSH key added", "An SSH key was added to this account.", "Key"),
        (NoticeKind::KeyRevoked, Tongue::Dutch) => {
            ("SSH-sleutel ingetrokken", "Een SSH-sleutel van dit account is ingetrokken.", "Sleutel")
        }
        (NoticeKind::KeyRevoked, Tongue::English) => {
            ("SSH key revoked", "An SSH key of this account was revoked.", "Key")
        }
        (NoticeKind::TokenAdded, Tongue::Dutch) => {
            ("API-token gemaakt", "Voor dit account is een API-token gemaakt.", "Token")
        }
        (NoticeKind::TokenAdded, Tongue::English) => {
            ("API token made", "An API token was made for this account.", "Token")
        }
        (NoticeKind::TokenRevoked, Tongue::Dutch) => {
            ("API-token ingetrokken", "Een API-token van dit account is ingetrokken.", "Token")
        }
        (NoticeKind::TokenRevoked, Tongue::English) => {
            ("API token revoked", "An API token of this account was revoked.", "Token")
        }
        (NoticeKind::AllowListChanged, Tongue::Dutch) => (
            "Toegestane adressen gewijzigd",
            "De adressen waarvan dit account mag inloggen zijn gewijzigd.",
            "Adressen",
        ),
        (NoticeKind::AllowListChanged, Tongue::English) => (
            "Allowed addresses changed",
            "The addresses from which this account may sign in were changed.",
            "Addresses",
        ),
        (NoticeKind::KeyEnds, Tongue::Dutch) => {
            let subject = format!("Uw sleutel verloopt na {until}: {login}");
            return Some((subject, "Een SSH-sleutel van dit account verloopt binnenkort.", "Sleutel"));
        }
        (NoticeKind::KeyEnds, Tongue::English) => {
            return Some((
                format!("Your key ends after {until}: {login}"),
                "An SSH key of this account ends soon.",
                "Key",
            ));
        }
        (NoticeKind::TokenEnds, Tongue::Dutch) => {
            let subject = format!("Uw API-token verloopt na {until}: {login}");
            return Some((subject, "Een API-token van dit account verloopt binnenkort.", "Token"));
        }
        (NoticeKind::TokenEnds, Tongue::English) => {
            let subject = format!("Your API token ends after {until}: {login}");
            return Some((subject, "An API token of this account ends soon.", "Token"));
        }
        _ => return None,
    };
    Some((format!("{subject}: {login}"), opening, change))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [NoticeKind; 10] = [
        NoticeKind::MachineAdded,
        NoticeKind::MachineEnded,
        NoticeKind::OwnerChanged,
        NoticeKind::KeyAdded,
        NoticeKind::KeyRevoked,
        NoticeKind::TokenAdded,
        NoticeKind::TokenRevoked,
        NoticeKind::AllowListChanged,
        NoticeKind::KeyEnds,
        NoticeKind::TokenEnds,
    ];

    fn every(value: &str) -> Vec<(NoticeKind, Tongue, Words)> {
        let sender = Sender {
            portal: "Postkluis",
            organisation: "Dienst Voorbeeld",
            portal_url: "https://files.example.org",
            contact_mail: "vragen@example.org",
            contact_phone: "",
        };
        let text = || value.to_owned();
        let facts = PersonFacts {
            organisation: text(),
            person: text(),
            address: text(),
            by: text(),
            until: text(),
            at: text(),
            thing: text(),
            ..PersonFacts::default()
        };
        let of = |kind| {
            [Tongue::Dutch, Tongue::English]
                .map(|tongue| (kind, tongue, about_connection(kind, tongue, &sender, &facts).unwrap()))
        };
        KINDS.into_iter().flat_map(of).collect()
    }

    #[test]
    fn every_letter_is_plain_and_says_why_it_comes_and_what_to_do() {
        for (kind, tongue, words) in every("waarde") {
            for sentence in words.text.split(['.', '?', '!', '\n']) {
                assert!(sentence.split_whitespace().count() <= 20, "{kind:?}: {sentence}");
            }
            let (why, does) = match (tongue, kind) {
                (Tongue::Dutch, NoticeKind::KeyEnds | NoticeKind::TokenEnds) => ("U krijgt", "nieuwe toevoegen"),
                (Tongue::English, NoticeKind::KeyEnds | NoticeKind::TokenEnds) => ("You receive", "add a new one"),
                (Tongue::Dutch, _) => ("U krijgt", "Bel ons"),
                (Tongue::English, _) => ("You receive", "call us"),
            };
            for form in [&words.text, &words.html] {
                assert!(form.contains(why) && form.contains(does) && form.contains("vragen@example.org"), "{form}");
            }
        }
    }

    #[test]
    fn values_can_neither_break_the_html_nor_the_lines() {
        for (_, _, words) in every("<img src=x onerror=\"a\">'&\r\nBcc: x@y.nl") {
            assert!(!words.html.contains("<img") && !words.html.contains("onerror=\""), "{}", words.html);
            assert!(!words.subject.contains(['\r', '\n']));
            assert!(!words.text.contains("\nBcc") && !words.text.contains('\r'), "{}", words.text);
        }
    }
}
