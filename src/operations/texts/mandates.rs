//! The words of mail about mandates (M23): Dutch in B1 with "u", and English.

use super::{Letter, PersonFacts, Sender, Tongue, Words};

/// M23: a mandate ends soon.
#[must_use]
pub fn mandate_expiring(tongue: Tongue, sender: &Sender<'_>, facts: &PersonFacts) -> Words {
    let products = facts.added.join(", ");
    let letter = match tongue {
        Tongue::Dutch => Letter {
            subject: format!("Een machtiging eindigt op {} ({})", facts.until, facts.client),
            opening: vec![
                "Een machtiging eindigt binnenkort.".to_owned(),
                "Daarna kan de intermediair niets meer doen voor de opdrachtgever.".to_owned(),
            ],
            facts: vec![
                ("Opdrachtgever", facts.client.clone()),
                ("Intermediair", facts.intermediary.clone()),
                ("Producten", products),
                ("Laatste dag", facts.until.clone()),
            ],
            advice: vec![
                "Wilt u de machtiging verlengen? Neem dan vóór die dag contact met ons op.".to_owned(),
                "Na die dag moeten rechten opnieuw worden gekoppeld.".to_owned(),
            ],
            action: None,
            why: "U krijgt dit bericht omdat u beheerder bent van een van beide organisaties.",
        },
        Tongue::English => Letter {
            subject: format!("A mandate ends on {} ({})", facts.until, facts.client),
            opening: vec![
                "A mandate ends soon.".to_owned(),
                "After that the intermediary can do nothing more for the client.".to_owned(),
            ],
            facts: vec![
                ("Client", facts.client.clone()),
                ("Intermediary", facts.intermediary.clone()),
                ("Products", products),
                ("Last day", facts.until.clone()),
            ],
            advice: vec![
                "Do you want to prolong the mandate? Then contact us before that day.".to_owned(),
                "After that day rights have to be coupled anew.".to_owned(),
            ],
            action: None,
            why: "You receive this message because you are an administrator of one of the two organisations.",
        },
    };
    letter.written(tongue, sender)
}
