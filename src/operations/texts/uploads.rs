//! The words of mail about participant files (M17, M18): that one was received, and what became of it. Nothing
//! of what stands in a file, no name of a person.

use super::{Letter, Sender, Tongue, Words};
use crate::domain::notice::NoticeKind;

/// What a mail about an upload tells; empty where it has nothing.
#[derive(Clone, Debug, Default)]
pub struct UploadFacts {
    /// Its id.
    pub number: String,
    /// Code of the organisation that it is of.
    pub organisation: String,
    /// Code of the product.
    pub product: String,
    /// Name of the file.
    pub file: String,
    /// Its size in bytes.
    pub size: String,
    /// Its SHA-256.
    pub sha256: String,
    /// When, such as `2026-11-23 14:05`.
    pub at: String,
    /// What was counted; of a duplicate, the id of the upload before it.
    pub finding: String,
}

/// A mail about an upload.
#[must_use]
pub fn about_upload(kind: NoticeKind, tongue: Tongue, sender: &Sender<'_>, facts: &UploadFacts) -> Words {
    let number = &facts.number;
    let is_duplicate = kind == NoticeKind::UploadReceived && !facts.finding.is_empty();
    let (subject, opening, advice): (String, Vec<&str>, Vec<&str>) = match (tongue, kind) {
        (Tongue::Dutch, NoticeKind::UploadReceived) if is_duplicate => (
            format!("Ontvangstbevestiging aanlevering {number}"),
            vec![
                "Wij hebben uw bestand ontvangen.",
                "U heeft ditzelfde bestand al eerder aangeleverd.",
                "Daarom verwerken wij het niet nog een keer.",
            ],
            vec!["U hoeft niets te doen."],
        ),
        (Tongue::English, NoticeKind::UploadReceived) if is_duplicate => (
            format!("Receipt of participant file {number}"),
            vec![
                "We have received your file.",
                "You delivered the same file before.",
                "So we do not process it again.",
            ],
            vec!["You do not have to do anything."],
        ),
        (Tongue::Dutch, NoticeKind::UploadAccepted) => (
            format!("Aanlevering goedgekeurd: {}", facts.product),
            vec!["Uw bestand is goedgekeurd."],
            vec!["U vindt het resultaat in het portaal en met SFTP in de map met ontvangstbewijzen."],
        ),
        (Tongue::English, NoticeKind::UploadAccepted) => (
            format!("Participant file accepted: {}", facts.product),
            vec!["Your file was accepted."],
            vec!["You find the result in the portal and with SFTP in the folder of receipts."],
        ),
        (Tongue::Dutch, NoticeKind::UploadRejected) => (
            format!("Aanlevering afgekeurd: {}", facts.product),
            vec!["Uw bestand is afgekeurd.", "Wij verwerken het niet."],
            vec![
                "In het resultaat staat per regel en kolom wat er niet klopt.",
                "U vindt het in het portaal en met SFTP in de map met ontvangstbewijzen.",
                "Verbeter het bestand en lever het opnieuw aan.",
            ],
        ),
        (Tongue::English, NoticeKind::UploadRejected) => (
            format!("Participant file rejected: {}", facts.product),
            vec!["Your file was rejected.", "We do not process it."],
            vec![
                "The result tells by line and column what is wrong.",
                "You find it in the portal and with SFTP in the folder of receipts.",
                "Correct the file and deliver it again.",
            ],
        ),
        (Tongue::Dutch, _) => (
            format!("Ontvangstbevestiging aanlevering {number}"),
            vec!["Wij hebben uw bestand ontvangen."],
            vec![
                "Het ondertekende ontvangstbewijs staat met SFTP in de map met ontvangstbewijzen.",
                "Het resultaat volgt later.",
            ],
        ),
        (Tongue::English, _) => (
            format!("Receipt of participant file {number}"),
            vec!["We have received your file."],
            vec!["With SFTP the signed receipt is in the folder of receipts.", "The result follows later."],
        ),
    };
    let owned = |lines: Vec<&str>| lines.into_iter().map(str::to_owned).collect();
    let why = match tongue {
        Tongue::Dutch => "U krijgt dit bericht omdat dit bestand met uw account is aangeleverd.",
        Tongue::English => "You receive this message because this file was delivered with your account.",
    };
    let facts = rows(tongue, facts, is_duplicate);
    Letter { subject, opening: owned(opening), facts, advice: owned(advice), action: None, why }.written(tongue, sender)
}

fn rows(tongue: Tongue, facts: &UploadFacts, is_duplicate: bool) -> Vec<(&'static str, String)> {
    let names = match (tongue, is_duplicate) {
        (Tongue::Dutch, true) => {
            ["Bestand", "Grootte (bytes)", "SHA-256", "Tijd", "Product", "Voor", "Nummer", "Gelijk aan nummer"]
        }
        (Tongue::Dutch, false) => {
            ["Bestand", "Grootte (bytes)", "SHA-256", "Tijd", "Product", "Voor", "Nummer", "Geteld"]
        }
        (Tongue::English, true) => {
            ["File", "Size (bytes)", "SHA-256", "Time", "Product", "For", "Number", "Same as number"]
        }
        (Tongue::English, false) => ["File", "Size (bytes)", "SHA-256", "Time", "Product", "For", "Number", "Counted"],
    };
    let values = [
        &facts.file,
        &facts.size,
        &facts.sha256,
        &facts.at,
        &facts.product,
        &facts.organisation,
        &facts.number,
        &facts.finding,
    ];
    names
        .into_iter()
        .zip(values)
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name, value.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [NoticeKind; 3] = [NoticeKind::UploadReceived, NoticeKind::UploadAccepted, NoticeKind::UploadRejected];

    fn every(value: &str, finding: &str) -> Vec<(Tongue, Words)> {
        let sender = Sender {
            portal: "Postkluis",
            organisation: "Dienst Voorbeeld",
            portal_url: "https://files.example.org",
            contact_mail: "vragen@example.org",
            contact_phone: "",
        };
        let facts = UploadFacts {
            number: "0a1b".to_owned(),
            organisation: "gemeente".to_owned(),
            product: "leerlingen".to_owned(),
            file: value.to_owned(),
            size: "17".to_owned(),
            sha256: "ab".repeat(32),
            at: "2026-11-23 14:05".to_owned(),
            finding: finding.to_owned(),
        };
        [Tongue::Dutch, Tongue::English]
            .into_iter()
            .flat_map(|tongue| KINDS.map(|kind| (tongue, about_upload(kind, tongue, &sender, &facts))))
            .collect()
    }

    #[test]
    fn a_receipt_by_mail_tells_name_size_digest_and_time() {
        for (_, words) in every("deelnemers.csv", "") {
            for fact in ["deelnemers.csv", "17", &"ab".repeat(32), "2026-11-23 14:05", "0a1b"] {
                assert!(words.text.contains(fact) && words.html.contains(fact), "{fact}: {}", words.text);
            }
        }
    }

    #[test]
    fn sentences_are_at_most_twenty_words() {
        for (_, words) in every("a.csv", "records 3").into_iter().chain(every("a.csv", "")) {
            for sentence in words.text.split(['.', '?', '!', '\n']) {
                assert!(sentence.split_whitespace().count() <= 20, "{sentence}");
            }
        }
    }

    #[test]
    fn values_can_neither_break_the_html_nor_the_lines() {
        for (_, words) in every("<b>\r\nBcc: x@y.nl", "<i>") {
            assert!(!words.html.contains("<b>") && !words.html.contains("<i>"), "{}", words.html);
            assert!(!words.text.contains("\nBcc") && !words.subject.contains(['\r', '\n']));
        }
    }

    #[test]
    fn a_duplicate_is_told_as_such() {
        let words = &every("a.csv", "9f9f")[0].1;
        assert!(words.text.contains("ditzelfde bestand") && words.text.contains("Gelijk aan nummer: 9f9f"));
    }
}
