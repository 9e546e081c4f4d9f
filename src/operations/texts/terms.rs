//! The words of mail about terms of use (M22), and about who cancelled an account over them.

use super::people::PersonFacts;
use super::{Letter, Sender, Tongue, Words};
use crate::domain::notice::NoticeKind;

/// Whether an e-mail of this kind is written here.
#[must_use]
pub const fn is_about_terms(kind: NoticeKind) -> bool {
    matches!(kind, NoticeKind::TermsPublished | NoticeKind::TermsForMachine | NoticeKind::MemberLeft)
}

/// A mail about terms of use. The link to accept them for a machine account stands only in the one to its owner.
#[must_use]
pub fn about_terms(kind: NoticeKind, tongue: Tongue, sender: &Sender<'_>, facts: &PersonFacts) -> Words {
    let letter = match (kind, tongue) {
        (NoticeKind::TermsForMachine, Tongue::Dutch) => machine_dutch(facts),
        (NoticeKind::TermsForMachine, Tongue::English) => machine_english(facts),
        (NoticeKind::MemberLeft, Tongue::Dutch) => left_dutch(facts),
        (NoticeKind::MemberLeft, Tongue::English) => left_english(facts),
        (_, Tongue::Dutch) => published_dutch(sender, facts),
        (_, Tongue::English) => published_english(sender, facts),
    };
    letter.written(tongue, sender)
}

/// The page of a version, which anybody may read.
fn page(sender: &Sender<'_>, facts: &PersonFacts) -> String {
    format!("{}/terms/{}", sender.portal_url, facts.terms_version)
}

fn lines(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn told(facts: Vec<(&'static str, String)>) -> Vec<(&'static str, String)> {
    facts.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

fn published_dutch(sender: &Sender<'_>, facts: &PersonFacts) -> Letter {
    Letter {
        subject: format!("Nieuwe gebruiksvoorwaarden per {}", facts.terms_from),
        opening: lines(&[
            "Wij hebben nieuwe gebruiksvoorwaarden gepubliceerd.",
            "U kunt ze nu al lezen op onze website.",
        ]),
        facts: told(vec![
            ("Versie", facts.terms_version.clone()),
            ("Gelden vanaf", facts.terms_from.clone()),
            ("Niet akkoord? Dan opzeggen tot en met", facts.until.clone()),
        ]),
        advice: lines(&[
            "Heeft u eerder voorwaarden geaccepteerd? Dan gelden de nieuwe vanzelf en hoeft u niets te doen.",
            "Heeft u nog niets geaccepteerd? Dan vragen wij dat als u inlogt.",
            "Gaat u niet akkoord? Zeg dan uw account op in het portaal.",
            "Dat kan tot zes weken na de publicatie.",
        ]),
        action: Some(("Gebruiksvoorwaarden lezen", page(sender, facts))),
        why: "U krijgt dit bericht omdat u een account heeft of beheert.",
    }
}

fn published_english(sender: &Sender<'_>, facts: &PersonFacts) -> Letter {
    Letter {
        subject: format!("New terms of use from {}", facts.terms_from),
        opening: lines(&["We have published new terms of use.", "You can read them on our website now."]),
        facts: told(vec![
            ("Version", facts.terms_version.clone()),
            ("Apply from", facts.terms_from.clone()),
            ("You do not agree? Cancel until", facts.until.clone()),
        ]),
        advice: lines(&[
            "Have you accepted terms before? Then the new ones apply by themselves.",
            "Have you accepted none yet? Then we ask you when you sign in.",
            "Do you not agree? Then cancel your account in the portal.",
            "You can do so until six weeks after the publication.",
        ]),
        action: Some(("Read the terms of use", page(sender, facts))),
        why: "You receive this message because you have an account or look after one.",
    }
}

fn machine_dutch(facts: &PersonFacts) -> Letter {
    Letter {
        subject: format!("Nieuwe gebruiksvoorwaarden per {}: uw akkoord is nodig", facts.terms_from),
        opening: lines(&[
            "U bent eigenaar van een automatisch account.",
            "Wilt u voor dit account de gebruiksvoorwaarden accepteren?",
        ]),
        facts: told(vec![
            ("Account", facts.by.clone()),
            ("Versie", facts.terms_version.clone()),
            ("Gelden vanaf", facts.terms_from.clone()),
            ("Accepteer ze uiterlijk op", facts.until.clone()),
        ]),
        advice: lines(&[
            "Open de link, lees de voorwaarden en ga akkoord.",
            "Zonder akkoord krijgt dit account geen toegang via SFTP en de API.",
            "Een beheerder van uw organisatie kan dit ook in het portaal doen.",
        ]),
        action: Some(("Lezen en accepteren", facts.link.clone())),
        why: "U krijgt dit bericht omdat u eigenaar bent van dit account.",
    }
}

fn machine_english(facts: &PersonFacts) -> Letter {
    Letter {
        subject: format!("New terms of use from {}: please accept them", facts.terms_from),
        opening: lines(&["You own an automatic account.", "Would you accept the terms of use for this account?"]),
        facts: told(vec![
            ("Account", facts.by.clone()),
            ("Version", facts.terms_version.clone()),
            ("Apply from", facts.terms_from.clone()),
            ("Accept them on this day at the latest", facts.until.clone()),
        ]),
        advice: lines(&[
            "Open the link, read the terms and accept them.",
            "Without that this account has no access by SFTP and the API.",
            "An administrator of your organisation can do this in the portal too.",
        ]),
        action: Some(("Read and accept", facts.link.clone())),
        why: "You receive this message because you own this account.",
    }
}

fn left_dutch(facts: &PersonFacts) -> Letter {
    let advice: &[&str] = if facts.reason.is_empty() {
        &["Kijk of een collega het werk kan overnemen."]
    } else {
        &["Deze organisatie heeft nu geen beheerder meer.", "Wijs samen met de organisatie een nieuwe beheerder aan."]
    };
    Letter {
        subject: "Een account is opgezegd".to_owned(),
        opening: lines(&[
            "Een gebruiker gaat niet akkoord met de gebruiksvoorwaarden.",
            "Het account van deze gebruiker is daarom beëindigd.",
        ]),
        facts: told(vec![("Organisatie", facts.organisation.clone()), ("Account", facts.address.clone())]),
        advice: lines(advice),
        action: None,
        why: "U krijgt dit bericht omdat u accounts beheert.",
    }
}

fn left_english(facts: &PersonFacts) -> Letter {
    let advice: &[&str] = if facts.reason.is_empty() {
        &["See whether a colleague can take the work over."]
    } else {
        &["This organisation has no administrator any more.", "Appoint a new one together with the organisation."]
    };
    Letter {
        subject: "An account was cancelled".to_owned(),
        opening: lines(&["A user does not accept the terms of use.", "The account of this user has ended for that."]),
        facts: told(vec![("Organisation", facts.organisation.clone()), ("Account", facts.address.clone())]),
        advice: lines(advice),
        action: None,
        why: "You receive this message because you look after accounts.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [NoticeKind; 3] = [NoticeKind::TermsPublished, NoticeKind::TermsForMachine, NoticeKind::MemberLeft];

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
            address: text(),
            by: text(),
            until: text(),
            reason: text(),
            terms_version: text(),
            terms_from: text(),
            link: link.to_owned(),
            ..PersonFacts::default()
        };
        let of = |kind| {
            [Tongue::Dutch, Tongue::English].map(|tongue| (kind, tongue, about_terms(kind, tongue, &sender, &facts)))
        };
        KINDS.into_iter().flat_map(of).collect()
    }

    #[test]
    fn only_the_owner_of_a_machine_gets_a_link_that_accepts() {
        let link = "https://files.example.org/terms/for/robot/abc";
        for (kind, _, words) in every("1.0", link) {
            let is_owner = kind == NoticeKind::TermsForMachine;
            assert_eq!((words.text.contains(link), words.html.contains(link)), (is_owner, is_owner), "{kind:?}");
            assert!(is_about_terms(kind));
        }
    }

    #[test]
    fn every_letter_is_plain_says_why_it_comes_and_keeps_values_apart() {
        for (kind, tongue, words) in every("1.0", "https://files.example.org") {
            for sentence in words.text.split(['.', '?', '!', '\n']) {
                assert!(sentence.split_whitespace().count() <= 20, "{kind:?}: {sentence}");
            }
            let why = match tongue {
                Tongue::Dutch => "U krijgt dit bericht omdat",
                Tongue::English => "You receive this message because",
            };
            assert!(words.text.contains(why) && words.html.contains(why), "{kind:?}");
        }
        for (_, _, words) in every("<img src=x>\"'&\r\nBcc: x@y.nl", "https://files.example.org") {
            assert!(!words.html.contains("<img") && !words.text.contains("\nBcc"), "{}", words.html);
            assert!(!words.subject.contains(['\r', '\n']));
        }
    }
}
