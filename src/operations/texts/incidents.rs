//! The words of mail to the operator about the report of a security incident: Dutch in B1 with "u", and English.
//! They name the incident by its number alone: what happened stands in the register.

use super::{Letter, PersonFacts, Sender, Tongue, Words};
use crate::domain::notice::NoticeKind;

/// That the authority is to be told of an incident: soon, or already.
#[must_use]
pub fn about_incident(kind: NoticeKind, tongue: Tongue, sender: &Sender<'_>, facts: &PersonFacts) -> Words {
    let number = &facts.thing;
    let is_late = kind == NoticeKind::IncidentReportLate;
    let (subject, opening) = match (tongue, is_late) {
        (Tongue::Dutch, false) => (
            format!("Incident {number}: meld het vóór {}", facts.at),
            vec![
                "Bij een beveiligingsincident zijn misschien persoonsgegevens betrokken.",
                "De termijn van 72 uur is bijna voorbij.",
            ],
        ),
        (Tongue::English, false) => (
            format!("Incident {number}: report it before {}", facts.at),
            vec!["Personal data may be involved in a security incident.", "The period of 72 hours is almost over."],
        ),
        (Tongue::Dutch, true) => (
            format!("Incident {number}: termijn voor de melding voorbij"),
            vec![
                "Bij een beveiligingsincident zijn misschien persoonsgegevens betrokken.",
                "De termijn van 72 uur is voorbij.",
            ],
        ),
        (Tongue::English, true) => (
            format!("Incident {number}: the period for the report is over"),
            vec!["Personal data may be involved in a security incident.", "The period of 72 hours is over."],
        ),
    };
    let (names, advice, why) = match tongue {
        Tongue::Dutch => (
            ["Incident", "Ernst", "Uiterlijk"],
            if is_late {
                vec![
                    "Meld het zo snel mogelijk. Zeg daarbij waarom het later is.",
                    "Leg de melding vast in het register.",
                ]
            } else {
                vec![
                    "Meld het bij de toezichthouder. Of leg vast waarom dat niet nodig is.",
                    "Leg de melding vast in het register.",
                ]
            },
            "U krijgt dit bericht omdat er nog geen melding in het register staat.",
        ),
        Tongue::English => (
            ["Incident", "Severity", "At the latest"],
            if is_late {
                vec!["Report it as soon as possible. Say why it is later.", "Put the report on record in the register."]
            } else {
                vec![
                    "Report it to the authority. Or put on record why that is not needed.",
                    "Put the report on record in the register.",
                ]
            },
            "You receive this message because no report is on record in the register yet.",
        ),
    };
    let severity = severity(tongue, &facts.reason).to_owned();
    let rows = names.into_iter().zip([number.clone(), severity, facts.at.clone()]).collect();
    let owned = |lines: Vec<&str>| lines.into_iter().map(str::to_owned).collect();
    Letter { subject, opening: owned(opening), facts: rows, advice: owned(advice), action: None, why }
        .written(tongue, sender)
}

fn severity(tongue: Tongue, word: &str) -> &str {
    match (tongue, word) {
        (Tongue::Dutch, "low") => "laag",
        (Tongue::Dutch, "medium") => "middel",
        (Tongue::Dutch, "high") => "hoog",
        (Tongue::Dutch, "critical") => "kritiek",
        (_, word) => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_mails_name_number_severity_and_deadline_in_both_languages() {
        let facts = PersonFacts {
            thing: "12".to_owned(),
            reason: "high".to_owned(),
            at: "2026-11-30 14:05".to_owned(),
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
        for (tongue, grave) in [(Tongue::Dutch, "hoog"), (Tongue::English, "high")] {
            for kind in [NoticeKind::IncidentReportDue, NoticeKind::IncidentReportLate] {
                let words = about_incident(kind, tongue, &sender, &facts);
                for part in ["12", grave, "2026-11-30 14:05"] {
                    assert!(words.text.contains(part), "{part} in {}", words.text);
                }
                for sentence in words.text.split(['.', '?', '!', '\n']) {
                    assert!(sentence.split_whitespace().count() <= 20, "{sentence}");
                }
                subjects.insert(words.subject);
            }
        }
        assert_eq!(subjects.len(), 4);
    }
}
