//! The words of mail, in Dutch (B1, "u") and English. Pure: facts in, words
//! out. Must not know recipients, accounts or tokens: the facts have no place
//! for personal data or for links that sign in.

mod access;
mod connections;
mod expected;
mod incidents;
mod mandates;
mod office;
mod people;
mod sign_in;
mod terms;
mod uploads;

pub use access::{AccessFacts, about_access};
pub use expected::about_expected;
pub use incidents::about_incident;
pub use mandates::mandate_expiring;
pub use people::{PersonFacts, about_person};
pub use terms::{about_terms, is_about_terms};
pub use uploads::{UploadFacts, about_upload};

/// A language that mail is written in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tongue {
    /// Dutch, the default.
    Dutch,
    /// English.
    English,
}

impl Tongue {
    /// The language of a tag such as `en`; Dutch unless it is English.
    #[must_use]
    pub fn of_tag(tag: &str) -> Self {
        if tag.eq_ignore_ascii_case("en") { Self::English } else { Self::Dutch }
    }

    /// `nl` or `en`, for `Content-Language`.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Dutch => "nl",
            Self::English => "en",
        }
    }
}

/// Who writes: the same in every mail of this server.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'a> {
    /// Name of the portal.
    pub portal: &'a str,
    /// Name of the organisation that runs it.
    pub organisation: &'a str,
    /// Web address of the portal; users sign in there.
    pub portal_url: &'a str,
    /// E-mail address for questions; empty when there is none.
    pub contact_mail: &'a str,
    /// Telephone number for questions; empty when there is none.
    pub contact_phone: &'a str,
}

/// What a mail may tell of a delivery.
#[derive(Clone, Copy, Debug)]
pub struct DeliveryFacts<'a> {
    /// Name of the product.
    pub product: &'a str,
    /// Name of the organisation that it is for.
    pub recipient: &'a str,
    /// Number of the delivery, such as `wage-data_20261123_000001`.
    pub number: &'a str,
    /// Period that the data is about; empty when not told.
    pub period: &'a str,
    /// Number of data files.
    pub files: usize,
    /// Last day on which it can be fetched, such as `2026-12-23`.
    pub available_until: &'a str,
}

/// One mail: subject (without the portal's prefix), plain text and HTML.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Words {
    /// Subject, one line.
    pub subject: String,
    /// Complete plain text.
    pub text: String,
    /// The same as HTML, all values escaped, nothing loaded from elsewhere.
    pub html: String,
}

/// M13: a delivery is ready.
#[must_use]
pub fn delivery_ready(tongue: Tongue, sender: &Sender<'_>, delivery: &DeliveryFacts<'_>) -> Words {
    let letter = match tongue {
        Tongue::Dutch => Letter {
            subject: format!("Nieuwe levering klaar: {} ({})", delivery.product, delivery.recipient),
            opening: vec!["Er staat een nieuwe levering voor u klaar.".to_owned()],
            facts: facts(tongue, delivery),
            advice: vec![
                "U kunt de levering ophalen in het portaal of met SFTP.".to_owned(),
                "In het portaal logt u eerst in.".to_owned(),
                "Na de laatste dag kunt u de levering niet meer ophalen.".to_owned(),
            ],
            action: None,
            why: coupled(tongue),
        },
        Tongue::English => Letter {
            subject: format!("New delivery ready: {} ({})", delivery.product, delivery.recipient),
            opening: vec!["A new delivery is ready for you.".to_owned()],
            facts: facts(tongue, delivery),
            advice: vec![
                "You can fetch the delivery in the portal or with SFTP.".to_owned(),
                "In the portal you sign in first.".to_owned(),
                "After the last day you can no longer fetch the delivery.".to_owned(),
            ],
            action: None,
            why: coupled(tongue),
        },
    };
    letter.written(tongue, sender)
}

/// M16: a delivery was withdrawn. `reason` is the operator's line.
#[must_use]
pub fn delivery_withdrawn(tongue: Tongue, sender: &Sender<'_>, delivery: &DeliveryFacts<'_>, reason: &str) -> Words {
    let mut facts = ended_facts(tongue, delivery);
    let letter = match tongue {
        Tongue::Dutch => {
            facts.push(("Reden", reason.to_owned()));
            Letter {
                subject: format!("Levering ingetrokken: {}", delivery.product),
                opening: vec![
                    "Wij hebben een levering ingetrokken.".to_owned(),
                    "U kunt deze levering niet meer ophalen.".to_owned(),
                ],
                facts,
                advice: vec![
                    "Heeft u de bestanden al opgehaald? Gebruik ze dan niet meer.".to_owned(),
                    "Verwijder de bestanden uit uw systemen.".to_owned(),
                ],
                action: None,
                why: coupled(tongue),
            }
        }
        Tongue::English => {
            facts.push(("Reason", reason.to_owned()));
            Letter {
                subject: format!("Delivery withdrawn: {}", delivery.product),
                opening: vec![
                    "We have withdrawn a delivery.".to_owned(),
                    "You can no longer fetch this delivery.".to_owned(),
                ],
                facts,
                advice: vec![
                    "Have you already fetched the files? Then stop using them.".to_owned(),
                    "Remove the files from your systems.".to_owned(),
                ],
                action: None,
                why: coupled(tongue),
            }
        }
    };
    letter.written(tongue, sender)
}

/// M16: a delivery was replaced; `delivery` is the old one, `new_number` the new
/// one's number, `new_until` the last day on which that can be fetched.
#[must_use]
pub fn delivery_replaced(
    tongue: Tongue,
    sender: &Sender<'_>,
    delivery: &DeliveryFacts<'_>,
    new_number: &str,
    new_until: &str,
) -> Words {
    let mut facts = ended_facts(tongue, delivery);
    let letter = match tongue {
        Tongue::Dutch => {
            facts.push(("Nieuwe levering", new_number.to_owned()));
            facts.push(("Op te halen tot en met", new_until.to_owned()));
            Letter {
                subject: format!("Levering vervangen: {}", delivery.product),
                opening: vec!["Wij hebben een levering vervangen door een nieuwe.".to_owned()],
                facts,
                advice: vec![
                    "Haal de nieuwe levering op in het portaal of met SFTP.".to_owned(),
                    "Gebruik de oude bestanden niet meer en verwijder ze uit uw systemen.".to_owned(),
                ],
                action: None,
                why: coupled(tongue),
            }
        }
        Tongue::English => {
            facts.push(("New delivery", new_number.to_owned()));
            facts.push(("Available until", new_until.to_owned()));
            Letter {
                subject: format!("Delivery replaced: {}", delivery.product),
                opening: vec!["We have replaced a delivery with a new one.".to_owned()],
                facts,
                advice: vec![
                    "Fetch the new delivery in the portal or with SFTP.".to_owned(),
                    "Stop using the old files and remove them from your systems.".to_owned(),
                ],
                action: None,
                why: coupled(tongue),
            }
        }
    };
    letter.written(tongue, sender)
}

/// A mail before it is laid out.
struct Letter {
    subject: String,
    opening: Vec<String>,
    facts: Vec<(&'static str, String)>,
    advice: Vec<String>,
    /// What to do: a label and its address; the portal when there is nothing else.
    action: Option<(&'static str, String)>,
    /// Why it comes.
    why: &'static str,
}

/// Why mail about deliveries comes.
const fn coupled(tongue: Tongue) -> &'static str {
    match tongue {
        Tongue::Dutch => "U krijgt dit bericht omdat uw account aan dit product is gekoppeld.",
        Tongue::English => "You receive this message because your account is coupled to this product.",
    }
}

fn facts(tongue: Tongue, delivery: &DeliveryFacts<'_>) -> Vec<(&'static str, String)> {
    let mut facts = ended_facts(tongue, delivery);
    let (files, until) = match tongue {
        Tongue::Dutch => ("Aantal bestanden", "Op te halen tot en met"),
        Tongue::English => ("Number of files", "Available until"),
    };
    facts.push((files, delivery.files.to_string()));
    facts.push((until, delivery.available_until.to_owned()));
    facts
}

/// The facts that still hold when a delivery can no longer be fetched.
fn ended_facts(tongue: Tongue, delivery: &DeliveryFacts<'_>) -> Vec<(&'static str, String)> {
    let (product, recipient, number, period) = match tongue {
        Tongue::Dutch => ("Product", "Voor", "Levering", "Periode"),
        Tongue::English => ("Product", "For", "Delivery", "Period"),
    };
    let mut facts = vec![
        (product, delivery.product.to_owned()),
        (recipient, delivery.recipient.to_owned()),
        (number, delivery.number.to_owned()),
    ];
    if !delivery.period.is_empty() {
        facts.push((period, delivery.period.to_owned()));
    }
    facts
}

impl Letter {
    fn written(self, tongue: Tongue, sender: &Sender<'_>) -> Words {
        let closing = closing(tongue, sender, self.why);
        let portal = match tongue {
            Tongue::Dutch => "Portaal (u logt in)",
            Tongue::English => "Portal (sign in)",
        };
        let action = self.action.clone().unwrap_or((portal, sender.portal_url.to_owned()));
        Words {
            text: self.as_text(&action, sender, &closing),
            html: self.as_html(tongue, &action, sender, &closing),
            subject: one_line(&self.subject),
        }
    }

    fn as_text(&self, (label, url): &(&str, String), sender: &Sender<'_>, closing: &[String]) -> String {
        let mut lines = self.opening.clone();
        lines.push(String::new());
        lines.extend(self.facts.iter().map(|(name, value)| format!("{name}: {}", one_line(value))));
        lines.push(String::new());
        lines.extend(self.advice.iter().cloned());
        lines.push(format!("{label}: {}", one_line(url)));
        lines.push(String::new());
        lines.extend(closing.iter().cloned());
        lines.push(String::new());
        lines.push(one_line(sender.organisation));
        lines.push(one_line(sender.portal));
        lines.push(String::new());
        lines.join("\n")
    }

    fn as_html(
        &self,
        tongue: Tongue,
        (label, url): &(&str, String),
        sender: &Sender<'_>,
        closing: &[String],
    ) -> String {
        let paragraph = |lines: &[String]| {
            format!("<p>{}</p>\n", lines.iter().map(|line| escaped(line)).collect::<Vec<_>>().join("<br>\n"))
        };
        let rows: String = self
            .facts
            .iter()
            .map(|(name, value)| {
                format!("<tr><th scope=\"row\" align=\"left\">{}</th><td>{}</td></tr>\n", escaped(name), escaped(value))
            })
            .collect();
        let url = escaped(url);
        let signature = [sender.organisation.to_owned(), sender.portal.to_owned()];
        format!(
            "<!DOCTYPE html>\n<html lang=\"{}\">\n<head><meta charset=\"utf-8\"><title>{}</title></head>\n<body>\n{}<table>\n{rows}</table>\n{}<p>{}: <a href=\"{url}\">{url}</a></p>\n{}{}</body>\n</html>\n",
            tongue.tag(),
            escaped(&self.subject),
            paragraph(&self.opening),
            paragraph(&self.advice),
            escaped(label),
            paragraph(closing),
            paragraph(&signature),
        )
    }
}

/// Why this mail comes, and whom to ask.
fn closing(tongue: Tongue, sender: &Sender<'_>, why: &str) -> Vec<String> {
    let contact = [sender.contact_mail, sender.contact_phone].into_iter().filter(|part| !part.is_empty()).map(one_line);
    let contact = contact.collect::<Vec<_>>();
    let mut lines = match tongue {
        Tongue::Dutch => vec![why.to_owned(), "Deze e-mail is een service. Het portaal is altijd leidend.".to_owned()],
        Tongue::English => {
            vec![why.to_owned(), "This e-mail is a service. The portal always takes precedence.".to_owned()]
        }
    };
    lines.push(match (tongue, contact.is_empty()) {
        (Tongue::Dutch, true) => "Heeft u vragen? Neem contact op met ons.".to_owned(),
        (Tongue::Dutch, false) => format!("Heeft u vragen? Neem contact op: {}", contact.join(", ")),
        (Tongue::English, true) => "Do you have questions? Please contact us.".to_owned(),
        (Tongue::English, false) => format!("Do you have questions? Contact us: {}", contact.join(", ")),
    });
    lines
}

/// Values come from people: whatever they hold, they stay on their line.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENDER: Sender<'static> = Sender {
        portal: "Postkluis",
        organisation: "Dienst Voorbeeld",
        portal_url: "https://files.example.org",
        contact_mail: "vragen@example.org",
        contact_phone: "",
    };
    const DELIVERY: DeliveryFacts<'static> = DeliveryFacts {
        product: "Loongegevens",
        recipient: "Gemeente Voorbeeld",
        number: "wage-data_20261123_000001",
        period: "2026-10",
        files: 3,
        available_until: "2026-12-23",
    };

    fn every_letter(sender: &Sender<'_>, delivery: &DeliveryFacts<'_>, line: &str) -> Vec<(Tongue, Words)> {
        [Tongue::Dutch, Tongue::English]
            .into_iter()
            .flat_map(|tongue| {
                [
                    (tongue, delivery_ready(tongue, sender, delivery)),
                    (tongue, delivery_withdrawn(tongue, sender, delivery, line)),
                    (tongue, delivery_replaced(tongue, sender, delivery, line, "2026-12-31")),
                ]
            })
            .collect()
    }

    #[test]
    fn a_ready_delivery_is_told_completely_in_text_and_html() {
        let words = delivery_ready(Tongue::Dutch, &SENDER, &DELIVERY);
        assert_eq!(words.subject, "Nieuwe levering klaar: Loongegevens (Gemeente Voorbeeld)");
        for fact in [
            "Loongegevens",
            "Gemeente Voorbeeld",
            "wage-data_20261123_000001",
            "2026-10",
            "3",
            "2026-12-23",
            "https://files.example.org",
        ] {
            assert!(words.text.contains(fact), "{fact}");
            assert!(words.html.contains(fact), "{fact}");
        }
    }

    #[test]
    fn every_letter_says_why_it_comes_and_whom_to_ask() {
        for (tongue, words) in every_letter(&SENDER, &DELIVERY, "Verkeerde periode") {
            let service = match tongue {
                Tongue::Dutch => "Deze e-mail is een service",
                Tongue::English => "This e-mail is a service",
            };
            for form in [&words.text, &words.html] {
                assert!(
                    form.contains(service) && form.contains("vragen@example.org") && form.contains("Dienst Voorbeeld"),
                    "{form}"
                );
            }
            assert!(words.html.contains(&format!("lang=\"{}\"", tongue.tag())));
        }
    }

    #[test]
    fn sentences_are_at_most_twenty_words() {
        for (_, words) in every_letter(&SENDER, &DELIVERY, "Verkeerde periode") {
            for sentence in words.text.split(['.', '?', '!', '\n']) {
                assert!(sentence.split_whitespace().count() <= 20, "{sentence}");
            }
        }
    }

    #[test]
    fn values_can_neither_break_the_html_nor_the_lines() {
        let evil = "<img src=x onerror=\"a\">'&\r\nBcc: x@y.nl";
        let delivery = DeliveryFacts { product: evil, recipient: evil, period: evil, ..DELIVERY };
        let sender = Sender { portal: evil, organisation: evil, contact_phone: evil, ..SENDER };
        for (_, words) in every_letter(&sender, &delivery, evil) {
            assert!(!words.html.contains("<img") && !words.html.contains("onerror=\""), "{}", words.html);
            assert!(!words.subject.contains(['\r', '\n']));
            assert!(!words.text.contains("\nBcc") && !words.text.contains('\r'), "{}", words.text);
        }
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere_and_no_link_carries_a_query() {
        for (_, words) in every_letter(&SENDER, &DELIVERY, "x") {
            for forbidden in ["<img", "<script", "<link", "url(", "?token", "href=\"https://files.example.org?"] {
                assert!(!words.html.contains(forbidden), "{forbidden}");
            }
        }
    }

    #[test]
    fn a_period_that_is_not_told_leaves_no_empty_line() {
        let delivery = DeliveryFacts { period: "", ..DELIVERY };
        assert!(!delivery_ready(Tongue::Dutch, &SENDER, &delivery).text.contains("Periode"));
    }

    #[test]
    fn dutch_is_the_default() {
        assert_eq!(Tongue::of_tag("fr"), Tongue::Dutch);
        assert_eq!(Tongue::of_tag("EN"), Tongue::English);
    }
}
