//! The words of mail about participant files that are expected (M19): Dutch in B1 with "u", and English.

use super::{Letter, PersonFacts, Sender, Tongue, Words};
use crate::domain::notice::NoticeKind;

/// M19: by when a file is expected, or that it did not come.
#[must_use]
pub fn about_expected(kind: NoticeKind, tongue: Tongue, sender: &Sender<'_>, facts: &PersonFacts) -> Words {
    let (day, product) = (&facts.until, &facts.thing);
    let is_missing = kind == NoticeKind::UploadMissing;
    let (subject, opening, advice) = match (tongue, is_missing) {
        (Tongue::Dutch, false) => (
            format!("Aanlevering verwacht op {day}"),
            vec!["Wij verwachten een deelnemersbestand van u.", "Wij hebben het nog niet ontvangen."],
            vec![
                "Lever het bestand aan vóór het einde van deze dag.",
                "Is het al onderweg? Dan hoeft u niets te doen.",
            ],
        ),
        (Tongue::English, false) => (
            format!("Participant file expected on {day}"),
            vec!["We expect a participant file from you.", "We have not received it yet."],
            vec![
                "Deliver the file before the end of this day.",
                "Is it on its way? Then you do not have to do anything.",
            ],
        ),
        (Tongue::Dutch, true) => (
            format!("Aanlevering niet ontvangen: {product} ({day})"),
            vec!["Wij verwachtten een deelnemersbestand van u.", "Wij hebben het niet ontvangen."],
            vec![
                "Controleer of uw systeem het bestand heeft verstuurd.",
                "Lever het bestand alsnog zo snel mogelijk aan.",
                "Een bestand dat is afgekeurd, telt niet mee.",
            ],
        ),
        (Tongue::English, true) => (
            format!("Participant file not received: {product} ({day})"),
            vec!["We expected a participant file from you.", "We did not receive it."],
            vec![
                "Check whether your system sent the file.",
                "Deliver the file as soon as possible.",
                "A file that was rejected does not count.",
            ],
        ),
    };
    let names = match tongue {
        Tongue::Dutch => ["Product", "Voor", "Verwacht op"],
        Tongue::English => ["Product", "For", "Expected on"],
    };
    let why = match tongue {
        Tongue::Dutch => "U krijgt dit bericht omdat u beheerder bent of dit product mag aanleveren.",
        Tongue::English => "You receive this message because you are an administrator or may deliver this product.",
    };
    let rows = names.into_iter().zip([product.clone(), facts.organisation.clone(), day.clone()]).collect();
    let owned = |lines: Vec<&str>| lines.into_iter().map(str::to_owned).collect();
    Letter { subject, opening: owned(opening), facts: rows, advice: owned(advice), action: None, why }
        .written(tongue, sender)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_mails_name_product_organisation_and_day_in_both_languages() {
        let facts = PersonFacts {
            thing: "Loongegevens".to_owned(),
            organisation: "Gemeente Demo".to_owned(),
            until: "2026-11-30".to_owned(),
            ..PersonFacts::default()
        };
        let sender = Sender {
            portal: "Portaal",
            organisation: "Dienst",
            portal_url: "https://portal.example",
            contact_mail: "",
            contact_phone: "",
        };
        let mut subjects = std::collections::BTreeSet::new();
        for tongue in [Tongue::Dutch, Tongue::English] {
            for kind in [NoticeKind::UploadExpected, NoticeKind::UploadMissing] {
                let words = about_expected(kind, tongue, &sender, &facts);
                for part in ["Loongegevens", "Gemeente Demo", "2026-11-30"] {
                    assert!(words.text.contains(part), "{part} in {}", words.text);
                }
                subjects.insert(words.subject);
            }
        }
        assert!(subjects.contains("Aanlevering verwacht op 2026-11-30"), "{subjects:?}");
        assert_eq!(subjects.len(), 4);
    }
}
