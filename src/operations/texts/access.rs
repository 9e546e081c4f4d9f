//! The words of mail about blocks, ends and interruptions (M20, M21): Dutch in B1 with "u", and
//! English. The reason is one of the terms of use or none: what led to it is the operator's.

use super::{Letter, Sender, Tongue, Words};
use crate::domain::notice::NoticeKind;

/// What such a mail may tell; empty where it has nothing.
#[derive(Clone, Debug, Default)]
pub struct AccessFacts {
    /// What was done, by its word (`AccessChange`), or what becomes of an interruption (`InterruptionNews`).
    pub change: String,
    /// Login of the account; empty when it is about the organisation.
    pub account: String,
    /// Name of the organisation.
    pub organisation: String,
    /// The service that was ended or is there again, by its word.
    pub service: String,
    /// Fingerprint of a key, or id of a token.
    pub credential: String,
    /// The letter of the reason of the terms of use.
    pub reason: String,
    /// Last day of a block, such as `2026-12-14`.
    pub until: String,
    /// What an interruption is, as the operator wrote it.
    pub nature: String,
    /// Which doors it closes, by its word.
    pub channel: String,
    /// Its begin, such as `2026-11-23 14:05`.
    pub at: String,
    /// Its expected end.
    pub ends: String,
}

/// A text in Dutch and in English.
type Both = (&'static str, &'static str);

const fn of(tongue: Tongue, both: Both) -> &'static str {
    match tongue {
        Tongue::Dutch => both.0,
        Tongue::English => both.1,
    }
}

/// M20 or M21.
#[must_use]
pub fn about_access(kind: NoticeKind, tongue: Tongue, sender: &Sender<'_>, facts: &AccessFacts) -> Words {
    let letter = match kind {
        NoticeKind::InterruptionNews => interruption(tongue, facts),
        _ => access(kind == NoticeKind::OwnAccessChanged, tongue, facts),
    };
    letter.written(tongue, sender)
}

/// M20: what was done to an account, an organisation, or one key or token.
fn access(is_own: bool, tongue: Tongue, facts: &AccessFacts) -> Letter {
    let subject = subject_of(is_own, facts);
    let advice = advice_of(&facts.change, !facts.account.is_empty());
    let why = if is_own {
        (
            "U krijgt dit bericht omdat het over uw account of organisatie gaat.",
            "You receive this message because it is about your account or organisation.",
        )
    } else {
        (
            "U krijgt dit bericht omdat u beheerder bent van deze organisatie.",
            "You receive this message because you administer this organisation.",
        )
    };
    let shown = vec![
        (of(tongue, ("Account", "Account")), facts.account.clone()),
        (of(tongue, ("Organisatie", "Organisation")), facts.organisation.clone()),
        (of(tongue, ("Onderdeel", "Service")), of(tongue, service_of(&facts.service)).to_owned()),
        (of(tongue, ("Sleutel of token", "Key or token")), facts.credential.clone()),
        (of(tongue, ("Reden", "Reason")), of(tongue, reason_of(&facts.reason)).to_owned()),
        (of(tongue, ("Tot en met", "Until")), facts.until.clone()),
    ];
    Letter {
        subject: of(tongue, subject).to_owned(),
        opening: vec![format!("{}.", of(tongue, subject))],
        facts: shown.into_iter().filter(|(_, value)| !value.is_empty()).collect(),
        advice: advice.iter().map(|line| of(tongue, *line).to_owned()).collect(),
        action: None,
        why: of(tongue, why),
    }
}

fn subject_of(is_own: bool, facts: &AccessFacts) -> Both {
    let is_account = !facts.account.is_empty();
    match (facts.change.as_str(), is_account, is_own) {
        ("blocked", true, false) => ("Een account is geblokkeerd", "An account is blocked"),
        ("blocked", true, true) => ("Uw account is geblokkeerd", "Your account is blocked"),
        ("blocked", false, _) => ("Uw organisatie is geblokkeerd", "Your organisation is blocked"),
        ("unblocked", true, false) => ("Een account is niet meer geblokkeerd", "An account is no longer blocked"),
        ("unblocked", true, true) => ("Uw account is niet meer geblokkeerd", "Your account is no longer blocked"),
        ("unblocked", false, _) => {
            ("Uw organisatie is niet meer geblokkeerd", "Your organisation is no longer blocked")
        }
        ("ended", true, false) => ("Een account is beëindigd", "An account has ended"),
        ("ended", true, true) => ("Uw account is beëindigd", "Your account has ended"),
        ("ended", false, _) => {
            ("De toegang van uw organisatie is beëindigd", "The access of your organisation has ended")
        }
        ("service-ended", true, false) => {
            ("De toegang van een account is beperkt", "The access of an account is restricted")
        }
        ("service-ended", true, true) => ("Uw toegang is beperkt", "Your access is restricted"),
        ("service-ended", false, _) => {
            ("De toegang van uw organisatie is beperkt", "The access of your organisation is restricted")
        }
        ("service-restored", true, false) => {
            ("De toegang van een account is niet meer beperkt", "The access of an account is no longer restricted")
        }
        ("service-restored", true, true) => ("Uw toegang is niet meer beperkt", "Your access is no longer restricted"),
        ("service-restored", false, _) => (
            "De toegang van uw organisatie is niet meer beperkt",
            "The access of your organisation is no longer restricted",
        ),
        ("key-blocked", ..) => ("Een sleutel is geblokkeerd", "A key is blocked"),
        ("key-unblocked", ..) => ("Een sleutel is niet meer geblokkeerd", "A key is no longer blocked"),
        ("token-blocked", ..) => ("Een API-token is geblokkeerd", "An API token is blocked"),
        ("token-unblocked", ..) => ("Een API-token is niet meer geblokkeerd", "An API token is no longer blocked"),
        _ => ("De toegang is gewijzigd", "Access was changed"),
    }
}

/// What follows from it, and whom to ask.
fn advice_of(change: &str, is_account: bool) -> Vec<Both> {
    const ASK: Both = ("Heeft u vragen? Neem contact met ons op.", "Do you have questions? Contact us.");
    const AGAIN: Both = ("Alles werkt weer zoals daarvoor.", "Everything works again as before.");
    match change {
        "blocked" if is_account => vec![
            (
                "Met dit account kan nu niemand inloggen, ophalen of aanleveren.",
                "With this account nobody can sign in, fetch or deliver now.",
            ),
            ("Wij sturen over dit account geen andere berichten.", "We send no other messages about this account."),
            ASK,
        ],
        "blocked" => vec![
            (
                "Niemand van uw organisatie kan nu inloggen, ophalen of aanleveren.",
                "Nobody of your organisation can sign in, fetch or deliver now.",
            ),
            ("Wij sturen u zolang geen andere berichten.", "Meanwhile we send you no other messages."),
            ASK,
        ],
        "ended" => vec![
            (
                "Inloggen, ophalen en aanleveren kan niet meer. Sleutels en tokens werken niet meer.",
                "Signing in, fetching and delivering have ended. Keys and tokens no longer work.",
            ),
            ASK,
        ],
        "service-ended" => {
            vec![("De rest van de toegang blijft zoals die was.", "All other access stays as it was."), ASK]
        }
        "key-blocked" | "token-blocked" => vec![
            (
                "Niemand kan er nu mee inloggen. Het account werkt verder gewoon.",
                "Nobody can sign in with it now. The account itself goes on.",
            ),
            ASK,
        ],
        _ => vec![AGAIN],
    }
}

fn service_of(word: &str) -> Both {
    match word {
        "fetch" => ("leveringen ophalen", "fetching deliveries"),
        "deliver" => ("bestanden aanleveren", "delivering files"),
        "request" => ("producten aanvragen", "requesting products"),
        _ => ("", ""),
    }
}

fn reason_of(letter: &str) -> Both {
    match letter {
        "a" => ("a: misbruik, of een vermoeden daarvan", "a: misuse, or a suspicion of it"),
        "b" => ("b: de gebruiksvoorwaarden zijn niet geaccepteerd", "b: the terms of use are not accepted"),
        "c" => ("c: bijzondere omstandigheden", "c: special circumstances"),
        _ => ("", ""),
    }
}

/// M21: an interruption is announced or has begun, was called off, or is over.
fn interruption(tongue: Tongue, facts: &AccessFacts) -> Letter {
    let day = facts.at.get(..10).unwrap_or_default();
    let (subject, opening, advice): (String, Both, &[Both]) = match facts.change.as_str() {
        "announced" => (
            match tongue {
                Tongue::Dutch => format!("Onderhoud op {day}"),
                Tongue::English => format!("Maintenance on {day}"),
            },
            (
                "Wij gaan onderhoud doen. U heeft dan een tijd geen toegang.",
                "There will be maintenance. Then you have no access for a while.",
            ),
            &WAIT,
        ),
        "begun" => (
            of(tongue, ("De toegang is onderbroken", "Access is interrupted")).to_owned(),
            ("U heeft nu een tijd geen toegang.", "You have no access for a while now."),
            &WAIT,
        ),
        "called-off" => (
            match tongue {
                Tongue::Dutch => format!("Het onderhoud op {day} gaat niet door"),
                Tongue::English => format!("The maintenance on {day} is called off"),
            },
            ("U houdt gewoon toegang.", "You keep your access."),
            &NOTHING,
        ),
        _ => (
            of(tongue, ("De onderbreking is voorbij", "The interruption is over")).to_owned(),
            ("U heeft weer toegang, eerder dan verwacht.", "You have access again, earlier than expected."),
            &NOTHING,
        ),
    };
    let shown = vec![
        (of(tongue, ("Wat", "What")), facts.nature.clone()),
        (of(tongue, ("Voor", "For")), of(tongue, channel_of(&facts.channel)).to_owned()),
        (of(tongue, ("Begin", "Begin")), facts.at.clone()),
        (of(tongue, ("Verwacht einde", "Expected end")), facts.ends.clone()),
    ];
    Letter {
        subject,
        opening: vec![of(tongue, opening).to_owned()],
        facts: shown.into_iter().filter(|(_, value)| !value.is_empty()).collect(),
        advice: advice.iter().map(|line| of(tongue, *line).to_owned()).collect(),
        action: None,
        why: of(
            tongue,
            (
                "U krijgt dit bericht omdat u beheerder bent van uw organisatie.",
                "You receive this message because you administer your organisation.",
            ),
        ),
    }
}

const WAIT: [Both; 2] = [
    ("De termijn van leveringen wordt daarna verlengd.", "The windows of deliveries are extended afterwards."),
    ("U hoeft niets te doen.", "You need not do anything."),
];

const NOTHING: [Both; 1] = [("U hoeft niets te doen.", "You need not do anything.")];

fn channel_of(word: &str) -> Both {
    match word {
        "sftp" => ("SFTP", "SFTP"),
        "https" => ("het portaal en de API", "the portal and the API"),
        "all" => ("het portaal, de API en SFTP", "the portal, the API and SFTP"),
        _ => ("", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGES: [&str; 9] = [
        "blocked",
        "unblocked",
        "ended",
        "service-ended",
        "service-restored",
        "key-blocked",
        "key-unblocked",
        "token-blocked",
        "token-unblocked",
    ];
    const NEWS: [&str; 4] = ["announced", "begun", "called-off", "over"];

    fn sender() -> Sender<'static> {
        Sender {
            portal: "Postkluis",
            organisation: "Dienst Voorbeeld",
            portal_url: "https://files.example.org",
            contact_mail: "vragen@example.org",
            contact_phone: "",
        }
    }

    fn facts(change: &str, account: &str) -> AccessFacts {
        AccessFacts {
            change: change.to_owned(),
            account: account.to_owned(),
            organisation: "Gemeente Demo".to_owned(),
            service: "fetch".to_owned(),
            credential: "SHA256:abc".to_owned(),
            reason: "a".to_owned(),
            until: "2026-12-14".to_owned(),
            nature: "nieuwe schijven".to_owned(),
            channel: "all".to_owned(),
            at: "2026-12-14 18:00".to_owned(),
            ends: "2026-12-14 20:00".to_owned(),
        }
    }

    fn every() -> Vec<(String, Tongue, Words)> {
        let mut all = Vec::new();
        for tongue in [Tongue::Dutch, Tongue::English] {
            for change in CHANGES {
                for (kind, account) in [
                    (NoticeKind::AccessChanged, "robot-1"),
                    (NoticeKind::OwnAccessChanged, "robot-1"),
                    (NoticeKind::OwnAccessChanged, ""),
                ] {
                    let words = about_access(kind, tongue, &sender(), &facts(change, account));
                    all.push((format!("{change} {kind:?} {account}"), tongue, words));
                }
            }
            for news in NEWS {
                let words = about_access(NoticeKind::InterruptionNews, tongue, &sender(), &facts(news, ""));
                all.push((news.to_owned(), tongue, words));
            }
        }
        all
    }

    #[test]
    fn every_letter_is_plain_and_says_why_it_comes_and_whom_to_ask() {
        for (what, tongue, words) in every() {
            for sentence in words.text.split(['.', '?', '!', '\n']) {
                assert!(sentence.split_whitespace().count() <= 20, "{what}: {sentence}");
            }
            let (why, service) = match tongue {
                Tongue::Dutch => ("U krijgt dit bericht omdat", "Deze e-mail is een service"),
                Tongue::English => ("You receive this message because", "This e-mail is a service"),
            };
            for form in [&words.text, &words.html] {
                assert!(form.contains(why) && form.contains(service) && form.contains("vragen@example.org"), "{form}");
            }
            assert_ne!(words.subject, "De toegang is gewijzigd", "{what} has words of its own");
        }
    }

    #[test]
    fn subjects_are_those_of_the_letters_named_in_the_requirements() {
        let subject = |kind, change| about_access(kind, Tongue::Dutch, &sender(), &facts(change, "robot-1")).subject;
        assert_eq!(subject(NoticeKind::AccessChanged, "blocked"), "Een account is geblokkeerd");
        assert_eq!(subject(NoticeKind::OwnAccessChanged, "ended"), "Uw account is beëindigd");
        assert_eq!(subject(NoticeKind::InterruptionNews, "announced"), "Onderhoud op 2026-12-14");
    }
}
