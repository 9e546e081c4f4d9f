//! Every text of the portal, in Dutch (B1, "u") and English: one row of the table has both. Holds
//! no markup.

use crate::domain::account::Language;

macro_rules! catalogue {
    ($($name:ident: $dutch:literal, $english:literal;)*) => {
        /// The texts in one language.
        pub(super) struct Texts {
            /// For `lang` (RFC 5646).
            pub(super) tag: &'static str,
            $(pub(super) $name: &'static str,)*
        }

        static DUTCH: Texts = Texts { tag: "nl", $($name: $dutch,)* };
        static ENGLISH: Texts = Texts { tag: "en", $($name: $english,)* };

        #[cfg(test)]
        const ALL: &[(&str, &str, &str)] = &[$((stringify!($name), $dutch, $english),)*];
    };
}

catalogue! {
    skip_to_content: "Naar de inhoud", "Skip to content";
    main_menu: "Hoofdmenu", "Main menu";
    other_language: "English", "Nederlands";
    contact: "Contact", "Contact";
    misuse: "Misbruik melden? Bel ons direct.", "Report misuse? Call us at once.";
    back: "Terug", "Back";
    required: "(verplicht)", "(required)";

    welcome_title: "Welkom", "Welcome";
    welcome_lead: "Hier haalt u de bestanden op die voor uw organisatie klaarstaan.", "Here you fetch the files that are ready for your organisation.";
    welcome_who: "U heeft een account nodig. Een beheerder van uw organisatie of de contactpersoon hieronder helpt u daarbij.", "You need an account. An administrator of your organisation, or the contact below, can help you.";
    welcome_robots: "Haalt u bestanden automatisch op? Gebruik dan SFTP of de API.", "Do you fetch files automatically? Then use SFTP or the API.";

    sign_in: "Inloggen", "Sign in";
    sign_in_lead: "Log in met uw zakelijke e-mailadres en uw wachtwoord. Daarna vragen wij een code.", "Sign in with your business e-mail address and your password. After that we ask for a code.";
    email: "E-mailadres", "E-mail address";
    password: "Wachtwoord", "Password";
    next: "Ga verder", "Continue";
    wrong_password: "Uw e-mailadres of wachtwoord klopt niet, of uw account is nog niet actief.", "Your e-mail address or password is wrong, or your account is not active yet.";
    code_title: "Code invullen", "Enter a code";
    code_lead: "Open de app op uw telefoon en vul de code van 6 cijfers in.", "Open the app on your telephone and enter the code of 6 digits.";
    code_lost: "Heeft u uw telefoon niet? Vul dan een van uw herstelcodes in.", "No telephone at hand? Then enter one of your recovery codes.";
    code: "Code", "Code";
    wrong_code: "Deze code klopt niet of is al gebruikt. Wacht op de volgende code.", "This code is wrong or was used already. Wait for the next code.";
    begin_again: "U deed er te lang over. Log opnieuw in.", "It took too long. Sign in again.";
    blocked: "Uw account is geblokkeerd. Neem contact met ons op.", "Your account is blocked. Please contact us.";
    ended: "Uw account is beëindigd. Neem contact met ons op.", "Your account has ended. Please contact us.";
    tried_too_often: "U heeft het te vaak geprobeerd. Probeer het later opnieuw. Wachttijd in seconden:", "You tried too often. Try again later. Seconds to wait:";
    not_from_here: "U kunt vanaf dit adres niet inloggen.", "You cannot sign in from this address.";
    sign_out: "Uitloggen", "Sign out";
    signed_out_title: "U bent uitgelogd", "You are signed out";
    signed_out_lead: "Sluit ook uw browser als u een gedeelde computer gebruikt.", "Close your browser too when you use a shared computer.";
    session_ended: "U bent uitgelogd, omdat u een tijd niets heeft gedaan of te lang was ingelogd. Log opnieuw in.", "You were signed out, because you did nothing for a while or were signed in for too long. Sign in again.";
    session_until: "Doet u niets? Dan logt het portaal u uit om", "If you do nothing, the portal signs you out at";

    activate_title: "Uw account activeren", "Activate your account";
    new_password_title: "Nieuw wachtwoord kiezen", "Choose a new password";
    activate_for: "Account:", "Account:";
    activate_until: "Deze link werkt tot en met", "This link works until";
    choose_lead: "Kies een wachtwoord van minstens het aantal tekens hieronder. Een zin is goed te onthouden. U mag alle tekens gebruiken.", "Choose a password of at least the number of characters below. A sentence is easy to remember. You may use any character.";
    least_chars: "Minstens zoveel tekens:", "At least so many characters:";
    again: "Herhaal het wachtwoord", "Repeat the password";
    not_the_same: "De twee wachtwoorden zijn niet gelijk.", "The two passwords are not the same.";
    too_short: "Uw wachtwoord is te kort. Gebruik minstens zoveel tekens:", "Your password is too short. Use at least so many characters:";
    too_long: "Uw wachtwoord is te lang. Gebruik hoogstens zoveel tekens:", "Your password is too long. Use at most so many characters:";
    own_name: "In uw wachtwoord staat een deel van uw naam of adres. Kies een ander wachtwoord.", "Your password has a part of your name or address in it. Choose another one.";
    known: "Dit wachtwoord is te makkelijk te raden. Kies een ander wachtwoord.", "This password is too easy to guess. Choose another one.";
    app_title: "App toevoegen", "Add an app";
    app_lead: "Bij het inloggen vragen wij ook een code uit een app op uw telefoon. Gebruik een app voor eenmalige codes.", "When you sign in we also ask for a code from an app on your telephone. Use an app for one-time codes.";
    app_scan: "Scan deze QR-code met de app.", "Scan this QR code with the app.";
    app_qr: "QR-code voor de app", "QR code for the app";
    app_type: "Kunt u niet scannen? Typ dan deze sleutel over in de app:", "Cannot scan it? Then type this key into the app:";
    app_confirm: "Vul daarna de code in die de app laat zien.", "Then enter the code that the app shows.";
    recovery_title: "Bewaar uw herstelcodes", "Keep your recovery codes";
    recovery_lead: "Uw account is actief. Bent u uw telefoon kwijt? Dan kunt u met een herstelcode inloggen. Elke code werkt één keer. Wij laten ze maar één keer zien: print ze of schrijf ze op, en bewaar ze veilig.", "Your account is active. If you lose your telephone, you can sign in with a recovery code. Each code works once. We show them only once: print them or write them down, and keep them safe.";
    password_set_title: "Uw wachtwoord is gewijzigd", "Your password was changed";
    password_set_lead: "U kunt nu inloggen met uw nieuwe wachtwoord.", "You can now sign in with your new password.";
    link_closed_title: "Deze link werkt niet meer", "This link does not work any more";
    link_closed_lead: "De link is al gebruikt, vervangen of te oud. Vraag uw beheerder of de contactpersoon om een nieuwe link.", "The link was used already, was replaced, or is too old. Ask your administrator or the contact for a new one.";

    start: "Start", "Start";
    start_hello: "U bent ingelogd als", "You are signed in as";
    start_products: "Een product aanvragen of wijzigen? Neem contact met ons op. Wij bespreken dan wat u nodig heeft en wat mogelijk is.", "Would you like to request or change a product? Contact us. We then discuss what you need and what is possible.";
    start_new: "Klaar om op te halen", "Ready to fetch";
    start_nothing: "Er staat nu niets voor u klaar.", "Nothing is ready for you now.";
    start_all: "Alle leveringen", "All deliveries";
    start_no_rights: "Ziet u een product niet? Uw beheerder kan het aan uw account koppelen. Log daarna opnieuw in.", "Is a product missing? Your administrator can couple it to your account. Sign in again after that.";
    organisation: "Uw organisatie", "Your organisation";
    organisation_code: "Code", "Code";
    kvk: "KVK-nummer", "KVK number";
    oin: "OIN", "OIN";

    deliveries: "Leveringen", "Deliveries";
    deliveries_lead: "Dit zijn de leveringen van uw organisatie, de nieuwste eerst.", "These are the deliveries of your organisation, the newest first.";
    deliveries_none: "Er zijn geen leveringen.", "There are no deliveries.";
    deliveries_more: "Oudere leveringen", "Older deliveries";
    product: "Product", "Product";
    number: "Levering", "Delivery";
    period: "Periode", "Period";
    published: "Geplaatst op", "Published on";
    until: "Op te halen tot en met", "Available until";
    state: "Status", "State";
    files: "Bestanden", "Files";
    size: "Grootte", "Size";
    digest: "SHA-256", "SHA-256";
    download: "Ophalen", "Fetch";
    packing_slip: "Pakbon", "Packing slip";
    sealed_note: "Deze bestanden zijn versleuteld met de sleutel van uw organisatie. Na het ophalen opent u ze met uw eigen sleutel.", "These files are encrypted with your organisation's key. After fetching you open them with your own key.";
    purpose: "Doel", "Purpose";
    purpose_note: "Gebruik de gegevens alleen voor dit doel.", "Use the data for this purpose only.";
    state_new: "nieuw", "new";
    state_started: "deels opgehaald", "fetched in part";
    state_fetched: "opgehaald", "fetched";
    state_acknowledged: "ontvangst bevestigd", "receipt confirmed";
    state_held: "vastgehouden", "held";
    state_expired: "verlopen", "expired";
    state_withdrawn: "ingetrokken", "withdrawn";
    state_replaced: "vervangen", "replaced";
    state_shredded: "vernietigd", "destroyed";
    gone_lead: "De bestanden van deze levering kunt u niet meer ophalen.", "The files of this delivery can no longer be fetched.";

    not_found_title: "Deze pagina is er niet", "This page is not there";
    not_found_lead: "Misschien klopt het adres niet, of heeft u geen rechten voor deze pagina.", "The address may be wrong, or you may have no right to this page.";
    fault_title: "Er ging bij ons iets mis", "Something went wrong on our side";
    fault_lead: "Probeer het later opnieuw. Blijft het misgaan? Geef ons dan dit nummer door:", "Try again later. If it goes on, tell us this number:";
    refused_title: "Dit kan nu niet", "This cannot be done now";
    closed_title: "U kunt nu niet inloggen", "You cannot sign in now";
    elsewhere: "Dit formulier kwam niet van deze site. Er is niets gewijzigd.", "This form did not come from this site. Nothing was changed.";
}

impl Texts {
    /// The texts of a language.
    pub(super) const fn of(language: Language) -> &'static Self {
        match language {
            Language::Dutch => &DUTCH,
            Language::English => &ENGLISH,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_is_there_in_both_languages_and_holds_no_markup() {
        for (name, dutch, english) in ALL {
            for text in [dutch, english] {
                assert!(!text.trim().is_empty() && text.trim() == *text, "{name}");
                assert!(!text.contains(['<', '>', '&']), "{name}: {text}");
            }
        }
    }

    #[test]
    fn dutch_texts_are_plain() {
        for (name, dutch, _) in ALL {
            let longest = dutch.split(['.', '?', ':']).map(|sentence| sentence.split_whitespace().count()).max();
            assert!(longest.unwrap_or(0) <= 22, "{name} has a sentence of more than 22 words: {dutch}");
            for stiff in ["dient", "middels", "teneinde", "conform", "derhalve", "welke ", "je ", "jouw"] {
                assert!(!format!(" {dutch} ").contains(&format!(" {stiff}")), "{name}: \"{stiff}\"");
            }
        }
    }
}
