//! The words of mail about signing in (M08, M09, P03): Dutch in B1 with "u", and English. No link
//! in mail about a change: who made it could be somebody else.

use super::Sender;
use super::people::{PersonFacts, Said};
use crate::domain::notice::NoticeKind;
use crate::domain::sign_in_record::CredentialChange;

pub(super) fn dutch(kind: NoticeKind, sender: &Sender<'_>, facts: &PersonFacts) -> Said {
    let (account, of) = (("Account", facts.address.clone()), ("Organisatie", facts.organisation.clone()));
    match kind {
        NoticeKind::NewPasswordLink => Said {
            subject: "Kies een nieuw wachtwoord".to_owned(),
            opening: vec!["Er is gevraagd om een nieuw wachtwoord voor uw account."],
            facts: vec![account, ("Gevraagd op", facts.at.clone()), ("Vanaf netwerk", facts.network.clone())],
            advice: vec![
                "De link werkt één uur en maar één keer.",
                "Daarna logt u in met uw tweede stap, zoals een code uit uw app.",
                "Heeft u dit niet gevraagd? Dan hoeft u niets te doen.",
            ],
            action: Some("Nieuw wachtwoord kiezen"),
            why: "U krijgt dit bericht omdat op de inlogpagina uw e-mailadres is ingevuld.",
        },
        NoticeKind::ActivationEnded => Said {
            subject: "Uw activatielink is verlopen".to_owned(),
            opening: vec![
                "U heeft uw account niet op tijd geactiveerd.",
                "De link in ons eerdere bericht werkt niet meer.",
            ],
            facts: vec![of, ("De link werkte tot en met", facts.until.clone())],
            advice: vec!["Wilt u het account nog gebruiken? Vraag uw beheerder om een nieuwe link."],
            action: None,
            why: "U krijgt dit bericht omdat u een account heeft aangevraagd.",
        },
        NoticeKind::MemberActivationEnds => Said {
            subject: format!("Activatielink van {} verloopt op {}", facts.address, facts.until),
            opening: vec!["Een gebruiker van uw organisatie heeft het account nog niet geactiveerd."],
            facts: vec![account, of, ("De link werkt tot en met", facts.until.clone())],
            advice: vec![
                "De gebruiker heeft ook een bericht gekregen.",
                "Is de link kwijt? Stuur een nieuwe: log in en kies Toegangsrechten beheren.",
            ],
            action: None,
            why: "U krijgt dit bericht omdat u beheerder bent van uw organisatie.",
        },
        NoticeKind::MemberActivationEnded => Said {
            subject: format!("Activatielink van {} is verlopen", facts.address),
            opening: vec!["Een gebruiker van uw organisatie heeft het account niet op tijd geactiveerd."],
            facts: vec![account, of, ("De link werkte tot en met", facts.until.clone())],
            advice: vec!["Is het account nog nodig? Stuur een nieuwe link: log in en kies Toegangsrechten beheren."],
            action: None,
            why: "U krijgt dit bericht omdat u beheerder bent van uw organisatie.",
        },
        _ => Said {
            subject: "Uw inloggegevens zijn gewijzigd".to_owned(),
            opening: vec!["De gegevens waarmee u inlogt zijn gewijzigd."],
            facts: vec![
                account,
                ("Gewijzigd", facts.change.map(in_dutch).unwrap_or_default().to_owned()),
                ("Op", facts.at.clone()),
                ("Vanaf netwerk", facts.network.clone()),
                ("Bel ons", sender.contact_phone.to_owned()),
            ],
            advice: vec![
                "Heeft u dit zelf gedaan? Dan hoeft u niets te doen.",
                "Heeft u dit niet zelf gedaan? Bel ons dan direct.",
            ],
            action: None,
            why: "U krijgt dit bericht omdat de inloggegevens van uw account zijn gewijzigd.",
        },
    }
}

pub(super) fn english(kind: NoticeKind, sender: &Sender<'_>, facts: &PersonFacts) -> Said {
    let (account, of) = (("Account", facts.address.clone()), ("Organisation", facts.organisation.clone()));
    match kind {
        NoticeKind::NewPasswordLink => Said {
            subject: "Choose a new password".to_owned(),
            opening: vec!["A new password was asked for your account."],
            facts: vec![account, ("Asked on", facts.at.clone()), ("From network", facts.network.clone())],
            advice: vec![
                "The link works for one hour, and once only.",
                "After that you sign in with your second step, such as a code from your app.",
                "You did not ask for this? Then you need not do anything.",
            ],
            action: Some("Choose a new password"),
            why: "You receive this message because your address was given on the page to sign in.",
        },
        NoticeKind::ActivationEnded => Said {
            subject: "Your activation link has ended".to_owned(),
            opening: vec![
                "You did not activate your account in time.",
                "The link in our earlier message does not work any more.",
            ],
            facts: vec![of, ("The link worked until", facts.until.clone())],
            advice: vec!["Would you still like to use the account? Ask your administrator for a new link."],
            action: None,
            why: "You receive this message because you requested an account.",
        },
        NoticeKind::MemberActivationEnds => Said {
            subject: format!("Activation link of {} ends on {}", facts.address, facts.until),
            opening: vec!["A user of your organisation has not activated the account yet."],
            facts: vec![account, of, ("The link works until", facts.until.clone())],
            advice: vec![
                "The user has got a message too.",
                "Is the link lost? Send a new one: sign in and choose Manage access rights.",
            ],
            action: None,
            why: "You receive this message because you are administrator of your organisation.",
        },
        NoticeKind::MemberActivationEnded => Said {
            subject: format!("Activation link of {} has ended", facts.address),
            opening: vec!["A user of your organisation did not activate the account in time."],
            facts: vec![account, of, ("The link worked until", facts.until.clone())],
            advice: vec!["Is the account still needed? Send a new link: sign in and choose Manage access rights."],
            action: None,
            why: "You receive this message because you are administrator of your organisation.",
        },
        _ => Said {
            subject: "Your sign-in details were changed".to_owned(),
            opening: vec!["What you sign in with was changed."],
            facts: vec![
                account,
                ("Changed", facts.change.map(in_english).unwrap_or_default().to_owned()),
                ("On", facts.at.clone()),
                ("From network", facts.network.clone()),
                ("Call us", sender.contact_phone.to_owned()),
            ],
            advice: vec![
                "You did this yourself? Then you need not do anything.",
                "You did not do this? Then call us at once.",
            ],
            action: None,
            why: "You receive this message because the sign-in details of your account were changed.",
        },
    }
}

const fn in_dutch(change: CredentialChange) -> &'static str {
    match change {
        CredentialChange::Password => "uw wachtwoord",
        CredentialChange::PasswordByLink => "uw wachtwoord, met de link uit een e-mail",
        CredentialChange::App => "de app voor codes is vervangen",
        CredentialChange::RecoveryCodes => "er zijn nieuwe herstelcodes gemaakt",
        CredentialChange::RecoveryCodeUsed => "er is ingelogd met een herstelcode",
        CredentialChange::PasskeyAdded => "er is een passkey toegevoegd",
        CredentialChange::PasskeyRemoved => "er is een passkey verwijderd",
    }
}

const fn in_english(change: CredentialChange) -> &'static str {
    match change {
        CredentialChange::Password => "your password",
        CredentialChange::PasswordByLink => "your password, with the link of an e-mail",
        CredentialChange::App => "the app for codes was replaced",
        CredentialChange::RecoveryCodes => "new recovery codes were made",
        CredentialChange::RecoveryCodeUsed => "a recovery code was used to sign in",
        CredentialChange::PasskeyAdded => "a passkey was added",
        CredentialChange::PasskeyRemoved => "a passkey was removed",
    }
}
