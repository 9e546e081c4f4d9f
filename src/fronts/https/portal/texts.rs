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
    free_mail: "Gebruik het zakelijke e-mailadres van uw organisatie.", "Use the business e-mail address of your organisation.";
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

    access: "Toegangsrechten beheren", "Manage access rights";
    access_saved: "De rechten zijn opgeslagen. De gebruiker krijgt een e-mail.", "The rights are saved. The user gets an e-mail.";
    access_approved: "De aanvraag is goedgekeurd. De gebruiker krijgt een e-mail om het account te activeren.", "The request is approved. The user gets an e-mail to activate the account.";
    access_rejected: "De aanvraag is afgewezen. De aanvrager krijgt een e-mail.", "The request is rejected. The requester gets an e-mail.";
    access_invited: "De uitnodiging is verstuurd.", "The invitation was sent.";
    access_link_sent: "De nieuwe link is verstuurd. De oude link werkt niet meer.", "The new link was sent. The old link does not work any more.";
    access_appointed: "Deze gebruiker is nu beheerder.", "This user is an administrator now.";
    access_dismissed: "Deze gebruiker is geen beheerder meer.", "This user is no longer an administrator.";
    second_administrator: "Uw organisatie heeft maar één beheerder. Wijs een tweede aan, voor als u er niet bent.", "Your organisation has one administrator only. Appoint a second one, for when you are away.";
    requests: "Aanvragen beoordelen", "Requests to judge";
    requests_wait: "Er wachten aanvragen voor een account op u.", "Requests for an account wait for you.";
    organisation_label: "Organisatie", "Organisation";
    requested_on: "Aangevraagd op", "Requested on";
    domain_differs: "Let op: dit e-mailadres hoort niet bij de adressen van uw organisatie.", "Take care: this address is not one of your organisation's.";
    approve: "Goedkeuren", "Approve";
    reject: "Afwijzen", "Reject";
    reason: "Reden van afwijzing", "Reason of rejection";
    reason_missing: "Vul een reden in. De aanvrager krijgt deze te lezen.", "Give a reason. The requester gets to read it.";
    members: "Gebruikers", "Users";
    members_lead: "Klik op een gebruiker om producten te koppelen of te ontkoppelen.", "Click a user to couple or decouple products.";
    account: "Account", "Account";
    kind: "Soort", "Kind";
    products: "Producten", "Products";
    kind_machine: "automatisch (SFTP of API)", "automatic (SFTP or API)";
    kind_person: "gebruiker", "user";
    kind_administrator: "beheerder", "administrator";
    member_active: "actief", "active";
    member_waits: "nog niet geactiveerd", "not activated yet";
    member_blocked: "geblokkeerd", "blocked";
    member_ended: "beëindigd", "ended";
    who_has_what: "Wie heeft wat", "Who has what";
    invitations: "Uitgenodigd, nog niet gereageerd", "Invited, no answer yet";
    add_user: "Gebruiker toevoegen", "Add a user";
    add_user_lead: "Nodig een collega uit. De collega krijgt een e-mail en vult een naam in. Daarna keurt u het account goed.", "Invite a colleague. The colleague gets an e-mail and gives a name. Then you approve the account.";
    invite: "Uitnodigen", "Invite";
    invited_already: "Voor dit adres is er al een account of een aanvraag.", "There is an account or a request for this address already.";
    invited_elsewhere: "Dit adres hoort niet bij uw organisatie. Gebruik een adres van uw organisatie.", "This address is not one of your organisation's. Use one that is.";
    products_hint: "Zet een vinkje bij de producten die deze gebruiker mag zien. Weghalen werkt meteen.", "Tick the products that this user may see. Taking one away works at once.";
    no_products: "Uw organisatie heeft nog geen overeenkomst voor een product.", "Your organisation has no agreement for a product yet.";
    left_over: "overeenkomst beëindigd", "agreement ended";
    save: "Opslaan", "Save";
    administrator_title: "Beheerder", "Administrator";
    appoint_lead: "Een beheerder beoordeelt accounts en koppelt producten.", "An administrator judges accounts and couples products.";
    appoint: "Beheerder maken", "Make administrator";
    dismiss_lead: "Deze gebruiker is beheerder van uw organisatie.", "This user is administrator of your organisation.";
    dismiss_self: "U bent beheerder. Stopt u daarmee? Dan kunt u deze pagina niet meer openen.", "You are an administrator. If you stop, you can no longer open this page.";
    dismiss: "Geen beheerder meer", "No longer administrator";
    last_administrator: "Uw organisatie houdt minstens één beheerder. Wijs eerst een andere aan.", "Your organisation keeps at least one administrator. Appoint another one first.";
    activation: "Activeren", "Activation";
    activation_lead: "Dit account is nog niet geactiveerd. Is de link te oud of kwijt? Stuur dan een nieuwe.", "This account is not activated yet. If the link is too old or lost, send a new one.";
    resend: "Nieuwe link sturen", "Send a new link";
    no_agreement: "Uw organisatie heeft geen overeenkomst voor dit product.", "Your organisation has no agreement for this product.";
    changed_meanwhile: "De gegevens zijn intussen gewijzigd. Ga terug en probeer het opnieuw.", "The data were changed meanwhile. Go back and try again.";
    filter: "Zoeken op gebruiker of product", "Search for a user or a product";
    filter_hint: "Vul een deel van de naam in.", "Enter a part of the name.";
    filter_apply: "Zoeken", "Search";
    filter_nothing: "Niets gevonden.", "Nothing found.";
    as_csv: "Ophalen als CSV-bestand", "Fetch as a CSV file";
    yes: "ja", "yes";
    no: "nee", "no";

    request_title: "Account aanvragen", "Request an account";
    request_step_1: "Stap 1 van 2", "Step 1 of 2";
    request_step_2: "Stap 2 van 2", "Step 2 of 2";
    request_lead: "U kunt zelf een account aanvragen. Uw e-mailadres wordt uw inlognaam.", "You can request an account yourself. Your e-mail address becomes your login name.";
    required_note: "Velden met (verplicht) moet u invullen.", "Fields with (required) must be filled in.";
    salutation: "Aanhef", "Salutation";
    salutation_neutral: "Geen voorkeur", "No preference";
    salutation_madam: "Mevrouw", "Madam";
    salutation_sir: "De heer", "Sir";
    salutation_missing: "Kies een aanhef.", "Choose a salutation.";
    choose: "Maak een keuze", "Make a choice";
    name: "Naam", "Name";
    name_missing: "Vul uw aanhef en naam in.", "Give your salutation and your name.";
    business_email: "Zakelijk e-mailadres", "Business e-mail address";
    business_email_hint: "Gebruik het adres van uw werk. Daaraan zien wij waar u werkt.", "Use the address of your work. It tells us where you work.";
    email_wrong: "Dit e-mailadres klopt niet, of kan geen inlognaam zijn.", "This e-mail address is wrong, or cannot be a login name.";
    cancel: "Annuleren", "Cancel";
    request_choose: "Kies uw organisatie", "Choose your organisation";
    request_offered: "Organisaties bij uw e-mailadres", "Organisations of your e-mail address";
    request_other: "Mijn organisatie staat er niet bij", "My organisation is not listed";
    request_other_lead: "Staat uw organisatie er niet bij? Vul dan de naam in.", "Is your organisation not listed? Then give its name.";
    request_none_offered: "Vul de naam van uw organisatie in. Met het KVK-nummer vinden wij haar sneller.", "Give the name of your organisation. With the KVK number we find it sooner.";
    organisation_name: "Naam van de organisatie", "Name of the organisation";
    organisation_missing: "Kies uw organisatie, of vul de naam in.", "Choose your organisation, or give its name.";
    kvk_hint: "8 cijfers. U hoeft dit niet in te vullen.", "8 digits. You need not fill it in.";
    kvk_wrong: "Een KVK-nummer heeft 8 cijfers.", "A KVK number has 8 digits.";
    request_account: "Account aanvragen", "Request account";
    request_sent_title: "Wij hebben uw aanvraag ontvangen", "We have received your request";
    request_sent_lead: "Ga naar uw e-mail. Open de link in ons bericht om uw e-mailadres te bevestigen. De link werkt 48 uur.", "Go to your e-mail. Open the link in our message to confirm your address. The link works for 48 hours.";
    request_late_title: "U deed er te lang over", "It took too long";
    request_late_lead: "Wij hebben uw gegevens gewist. Begin opnieuw met uw aanvraag.", "We have wiped your details. Begin your request again.";
    request_closed_lead: "De link is al gebruikt, vervangen of te oud. U kunt een account opnieuw aanvragen.", "The link was used already, was replaced, or is too old. You can request an account again.";
    request_confirmed_title: "Uw e-mailadres is bevestigd", "Your e-mail address is confirmed";
    request_confirmed_lead: "Uw beheerder of wij beoordelen uw aanvraag. Daarna krijgt u een e-mail.", "Your administrator or we judge your request. After that you get an e-mail.";
    confirm_title: "Bevestig uw e-mailadres", "Confirm your e-mail address";
    confirm_lead: "Klik op de knop om te bevestigen dat dit e-mailadres van u is.", "Press the button to confirm that this address is yours.";
    confirm: "Bevestigen", "Confirm";
    invited_title: "U bent uitgenodigd", "You are invited";
    invited_lead: "Vul uw gegevens in. Uw beheerder keurt uw account daarna goed.", "Give your details. Your administrator then approves your account.";

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
