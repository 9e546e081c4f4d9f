//! The words of mail about accounts (M01-M09): Dutch in B1 with "u", and English. A link
//! stands only in mail that is about nothing else than opening it.

use super::{Letter, Sender, Tongue, Words, sign_in};
use crate::domain::notice::NoticeKind;
use crate::domain::sign_in_record::CredentialChange;

/// What a mail about an account may tell; empty where it has nothing.
#[derive(Clone, Debug, Default)]
pub struct PersonFacts {
    /// Name of the organisation.
    pub organisation: String,
    /// Name of the person that it is about.
    pub person: String,
    /// Address of that person.
    pub address: String,
    /// Who did it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Last day, such as `2026-12-14`.
    pub until: String,
    /// When, such as `2026-11-23 14:05`.
    pub at: String,
    /// The link to open.
    pub link: String,
    /// Products that were coupled.
    pub added: Vec<String>,
    /// Products that were decoupled.
    pub removed: Vec<String>,
    /// The key, token or list of addresses that it is about.
    pub thing: String,
    /// What was changed of what somebody signs in with.
    pub change: Option<CredentialChange>,
    /// Roughly from where, such as `192.0.2.0/24`.
    pub network: String,
    /// Name of the client that it is about.
    pub client: String,
    /// Name of the intermediary that it is about.
    pub intermediary: String,
    /// Name of a version of the terms of use.
    pub terms_version: String,
    /// The day from which it applies, such as `2026-12-14`.
    pub terms_from: String,
}

/// Everything that differs from mail to mail, in one language.
pub(super) struct Said {
    pub(super) subject: String,
    pub(super) opening: Vec<&'static str>,
    pub(super) facts: Vec<(&'static str, String)>,
    pub(super) advice: Vec<&'static str>,
    pub(super) action: Option<&'static str>,
    pub(super) why: &'static str,
}

/// A mail about an account.
#[must_use]
pub fn about_person(kind: NoticeKind, tongue: Tongue, sender: &Sender<'_>, facts: &PersonFacts) -> Words {
    if let Some(words) = super::connections::about_connection(kind, tongue, sender, facts) {
        return words;
    }
    let said = match tongue {
        _ if super::office::is_of_office(kind) => super::office::said(kind, tongue, sender, facts),
        Tongue::Dutch => dutch(kind, sender, facts),
        Tongue::English => english(kind, sender, facts),
    };
    let owned = |lines: Vec<&'static str>| lines.into_iter().map(str::to_owned).collect();
    let letter = Letter {
        subject: said.subject,
        opening: owned(said.opening),
        facts: said.facts.into_iter().filter(|(_, value)| !value.is_empty()).collect(),
        advice: owned(said.advice),
        action: said.action.map(|label| (label, facts.link.clone())),
        why: said.why,
    };
    letter.written(tongue, sender)
}

fn dutch(kind: NoticeKind, sender: &Sender<'_>, facts: &PersonFacts) -> Said {
    let portal = sender.portal;
    let of = ("Organisatie", facts.organisation.clone());
    match kind {
        NoticeKind::AccountRequested => Said {
            subject: "Bevestig uw e-mailadres".to_owned(),
            opening: vec!["U heeft een account aangevraagd.", "Bevestig eerst dat dit e-mailadres van u is."],
            facts: vec![("Deze link werkt tot en met", facts.until.clone())],
            advice: vec![
                "Daarna beoordelen wij of uw beheerder de aanvraag.",
                "Heeft u niets aangevraagd? Dan hoeft u niets te doen.",
            ],
            action: Some("Bevestigen"),
            why: "U krijgt dit bericht omdat met dit adres een account is aangevraagd.",
        },
        NoticeKind::AccountKnown => Said {
            subject: "U heeft al een account".to_owned(),
            opening: vec!["Met dit e-mailadres is een account aangevraagd.", "U heeft al een account."],
            facts: Vec::new(),
            advice: vec![
                "U kunt inloggen in het portaal.",
                "Wachtwoord vergeten? Kies dat op de pagina om in te loggen.",
                "Heeft u niets aangevraagd? Dan hoeft u niets te doen.",
            ],
            action: None,
            why: "U krijgt dit bericht omdat met dit adres een account is aangevraagd.",
        },
        NoticeKind::RequestWaits => Said {
            subject: "Nieuwe accountaanvraag: beoordelen".to_owned(),
            opening: vec!["Iemand heeft een account aangevraagd.", "Wilt u deze aanvraag beoordelen?"],
            facts: vec![
                ("Naam", facts.person.clone()),
                ("E-mailadres", facts.address.clone()),
                of,
                ("Aangevraagd op", facts.at.clone()),
            ],
            advice: vec![
                "Log in en kies Toegangsrechten beheren.",
                "Kent u deze persoon niet? Wijs de aanvraag dan af.",
            ],
            action: None,
            why: "U krijgt dit bericht omdat u aanvragen beoordeelt.",
        },
        NoticeKind::RequestRejected => Said {
            subject: "Uw accountaanvraag is afgewezen".to_owned(),
            opening: vec!["Uw aanvraag voor een account is afgewezen."],
            facts: vec![of, ("Reden", facts.reason.clone())],
            advice: vec!["Heeft u vragen? Neem contact op met uw beheerder of met ons."],
            action: None,
            why: "U krijgt dit bericht omdat u een account heeft aangevraagd.",
        },
        NoticeKind::AccountApproved | NoticeKind::ActivationEnds => Said {
            subject: if kind == NoticeKind::AccountApproved {
                format!("Activeer uw account vóór {}", facts.until)
            } else {
                format!("Uw activatielink verloopt op {}", facts.until)
            },
            opening: vec!["Uw aanvraag is goedgekeurd.", "U kunt uw account nu activeren."],
            facts: vec![of, ("Deze link werkt tot en met", facts.until.clone())],
            advice: vec![
                "U kiest een wachtwoord en voegt een app voor codes toe.",
                "Daarna kunt u inloggen.",
                "Uw beheerder koppelt daarna producten aan uw account.",
                "Is de link te oud? Vraag uw beheerder om een nieuwe.",
            ],
            action: Some("Account activeren"),
            why: "U krijgt dit bericht omdat u een account heeft aangevraagd.",
        },
        NoticeKind::Invited => Said {
            subject: format!("U bent uitgenodigd voor {portal}"),
            opening: vec!["Uw beheerder nodigt u uit om een account te maken."],
            facts: vec![
                ("Uitgenodigd door", facts.by.clone()),
                of,
                ("Deze link werkt tot en met", facts.until.clone()),
            ],
            advice: vec![
                "Vul uw gegevens in. Uw beheerder keurt uw account daarna goed.",
                "U kiest zelf uw wachtwoord.",
                "Verwacht u deze uitnodiging niet? Dan hoeft u niets te doen.",
            ],
            action: Some("Uitnodiging bekijken"),
            why: "U krijgt dit bericht omdat een beheerder u heeft uitgenodigd.",
        },
        NoticeKind::BecameAdministrator => Said {
            subject: format!("U bent beheerder van {}", facts.organisation),
            opening: vec!["U bent nu beheerder van uw organisatie."],
            facts: vec![of, ("Account", facts.address.clone())],
            advice: vec![
                "U beoordeelt accounts van collega's en koppelt producten aan hun account.",
                "Wijs meteen een tweede beheerder aan. Dan gaat alles door als u er niet bent.",
            ],
            action: None,
            why: "U krijgt dit bericht omdat u beheerder bent geworden.",
        },
        NoticeKind::RightsChanged => Said {
            subject: if facts.client.is_empty() {
                "Uw rechten zijn gewijzigd".to_owned()
            } else {
                format!("Uw rechten zijn gewijzigd ({})", facts.client)
            },
            opening: vec!["Uw beheerder heeft gewijzigd welke producten u kunt zien."],
            facts: vec![
                ("Account", facts.address.clone()),
                ("Voor", facts.organisation.clone()),
                ("Gekoppeld", facts.added.join(", ")),
                ("Ontkoppeld", facts.removed.join(", ")),
            ],
            advice: vec!["Bent u ingelogd? Log dan uit en weer in om de wijziging te zien."],
            action: None,
            why: "U krijgt dit bericht omdat de rechten van uw account zijn gewijzigd.",
        },
        _ => sign_in::dutch(kind, sender, facts),
    }
}

fn english(kind: NoticeKind, sender: &Sender<'_>, facts: &PersonFacts) -> Said {
    let portal = sender.portal;
    let of = ("Organisation", facts.organisation.clone());
    match kind {
        NoticeKind::AccountRequested => Said {
            subject: "Confirm your e-mail address".to_owned(),
            opening: vec!["You have requested an account.", "First confirm that this e-mail address is yours."],
            facts: vec![("This link works until", facts.until.clone())],
            advice: vec![
                "After that we or your administrator judge the request.",
                "You requested nothing? Then you need not do anything.",
            ],
            action: Some("Confirm"),
            why: "You receive this message because an account was requested with this address.",
        },
        NoticeKind::AccountKnown => Said {
            subject: "You have an account already".to_owned(),
            opening: vec!["An account was requested with this e-mail address.", "You have an account already."],
            facts: Vec::new(),
            advice: vec![
                "You can sign in to the portal.",
                "Forgot your password? Choose that on the page to sign in.",
                "You requested nothing? Then you need not do anything.",
            ],
            action: None,
            why: "You receive this message because an account was requested with this address.",
        },
        NoticeKind::RequestWaits => Said {
            subject: "New account request: please judge".to_owned(),
            opening: vec!["Somebody has requested an account.", "Would you judge this request?"],
            facts: vec![
                ("Name", facts.person.clone()),
                ("E-mail address", facts.address.clone()),
                of,
                ("Requested on", facts.at.clone()),
            ],
            advice: vec![
                "Sign in and choose Manage access rights.",
                "You do not know this person? Then reject the request.",
            ],
            action: None,
            why: "You receive this message because you judge requests.",
        },
        NoticeKind::RequestRejected => Said {
            subject: "Your account request was rejected".to_owned(),
            opening: vec!["Your request for an account was rejected."],
            facts: vec![of, ("Reason", facts.reason.clone())],
            advice: vec!["Do you have questions? Contact your administrator or us."],
            action: None,
            why: "You receive this message because you requested an account.",
        },
        NoticeKind::AccountApproved | NoticeKind::ActivationEnds => Said {
            subject: if kind == NoticeKind::AccountApproved {
                format!("Activate your account before {}", facts.until)
            } else {
                format!("Your activation link ends on {}", facts.until)
            },
            opening: vec!["Your request was approved.", "You can now activate your account."],
            facts: vec![of, ("This link works until", facts.until.clone())],
            advice: vec![
                "You choose a password and add an app for codes.",
                "After that you can sign in.",
                "Your administrator then couples products to your account.",
                "The link is too old? Ask your administrator for a new one.",
            ],
            action: Some("Activate account"),
            why: "You receive this message because you requested an account.",
        },
        NoticeKind::Invited => Said {
            subject: format!("You are invited to {portal}"),
            opening: vec!["Your administrator invites you to make an account."],
            facts: vec![("Invited by", facts.by.clone()), of, ("This link works until", facts.until.clone())],
            advice: vec![
                "Give your details. Your administrator then approves your account.",
                "You choose your own password.",
                "You did not expect this? Then you need not do anything.",
            ],
            action: Some("See the invitation"),
            why: "You receive this message because an administrator has invited you.",
        },
        NoticeKind::BecameAdministrator => Said {
            subject: format!("You are administrator of {}", facts.organisation),
            opening: vec!["You are now administrator of your organisation."],
            facts: vec![of, ("Account", facts.address.clone())],
            advice: vec![
                "You judge accounts of colleagues and couple products to their accounts.",
                "Appoint a second administrator at once. Then all goes on while you are away.",
            ],
            action: None,
            why: "You receive this message because you became administrator.",
        },
        NoticeKind::RightsChanged => Said {
            subject: if facts.client.is_empty() {
                "Your rights were changed".to_owned()
            } else {
                format!("Your rights were changed ({})", facts.client)
            },
            opening: vec!["Your administrator has changed which products you can see."],
            facts: vec![
                ("Account", facts.address.clone()),
                ("For", facts.organisation.clone()),
                ("Coupled", facts.added.join(", ")),
                ("Decoupled", facts.removed.join(", ")),
            ],
            advice: vec!["Are you signed in? Sign out and in again to see the change."],
            action: None,
            why: "You receive this message because the rights of your account were changed.",
        },
        _ => sign_in::english(kind, sender, facts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [NoticeKind; 18] = [
        NoticeKind::AccountRequested,
        NoticeKind::AccountKnown,
        NoticeKind::RequestWaits,
        NoticeKind::RequestRejected,
        NoticeKind::AccountApproved,
        NoticeKind::Invited,
        NoticeKind::BecameAdministrator,
        NoticeKind::RightsChanged,
        NoticeKind::ActivationEnds,
        NoticeKind::CredentialsChanged,
        NoticeKind::OfficeInvited,
        NoticeKind::OfficeActivationEnds,
        NoticeKind::OfficeActivationEnded,
        NoticeKind::ColleagueActivationEnds,
        NoticeKind::NewPasswordLink,
        NoticeKind::ActivationEnded,
        NoticeKind::MemberActivationEnds,
        NoticeKind::MemberActivationEnded,
    ];

    fn every(value: &str, link: &str) -> Vec<(NoticeKind, Tongue, Words)> {
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
            reason: text(),
            until: text(),
            at: text(),
            link: link.to_owned(),
            added: vec![text()],
            removed: vec![text()],
            thing: text(),
            change: Some(CredentialChange::Password),
            network: text(),
            client: text(),
            intermediary: text(),
            ..PersonFacts::default()
        };
        let of = |kind| {
            [Tongue::Dutch, Tongue::English].map(|tongue| (kind, tongue, about_person(kind, tongue, &sender, &facts)))
        };
        KINDS.into_iter().flat_map(of).collect()
    }

    #[test]
    fn only_mail_that_opens_something_has_a_link() {
        let link = "https://files.example.org/account/abc";
        for (kind, _, words) in every("waarde", link) {
            let opens = matches!(
                kind,
                NoticeKind::AccountRequested
                    | NoticeKind::AccountApproved
                    | NoticeKind::Invited
                    | NoticeKind::ActivationEnds
                    | NoticeKind::OfficeInvited
                    | NoticeKind::OfficeActivationEnds
                    | NoticeKind::NewPasswordLink
            );
            assert_eq!(
                (words.text.contains(link), words.html.contains(&format!("href=\"{link}\""))),
                (opens, opens),
                "{kind:?}"
            );
        }
    }

    #[test]
    fn every_letter_is_plain_and_says_why_it_comes() {
        for (kind, tongue, words) in every("waarde", "https://files.example.org/account/abc") {
            for sentence in words.text.split(['.', '?', '!', '\n']) {
                assert!(sentence.split_whitespace().count() <= 20, "{kind:?}: {sentence}");
            }
            let (why, service) = match tongue {
                Tongue::Dutch => ("U krijgt dit bericht omdat", "Deze e-mail is een service"),
                Tongue::English => ("You receive this message because", "This e-mail is a service"),
            };
            for form in [&words.text, &words.html] {
                assert!(form.contains(why) && form.contains(service) && form.contains("vragen@example.org"), "{form}");
            }
        }
    }

    #[test]
    fn names_can_neither_break_the_html_nor_the_lines() {
        for (_, _, words) in
            every("<img src=x onerror=\"a\">'&\r\nBcc: x@y.nl", "https://files.example.org/account/abc")
        {
            assert!(!words.html.contains("<img") && !words.html.contains("onerror=\""), "{}", words.html);
            assert!(!words.subject.contains(['\r', '\n']));
            assert!(!words.text.contains("\nBcc") && !words.text.contains('\r'), "{}", words.text);
        }
    }
}
