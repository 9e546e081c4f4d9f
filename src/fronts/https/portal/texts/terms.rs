//! The texts of the pages about terms of use.

super::catalogue! {
    title: "Gebruiksvoorwaarden", "Terms of use";
    none: "Er zijn nog geen gebruiksvoorwaarden gepubliceerd.", "No terms of use have been published yet.";
    version: "Versie", "Version";
    applies: "Deze versie geldt vanaf", "This version applies from";
    applies_now: "Deze versie geldt nu.", "This version applies now.";
    applied_once: "Dit is een oude versie. Zij geldt niet meer.", "This is an old version. It does not apply any more.";
    comes: "Deze versie geldt nog niet.", "This version does not apply yet.";
    published: "Gepubliceerd op", "Published on";
    only_dutch: "Deze tekst is er alleen in het Nederlands.", "This text is available in Dutch only.";
    all_versions: "Alle versies", "All versions";
    from: "Geldt vanaf", "Applies from";
    state: "Status", "State";
    state_now: "geldt nu", "applies now";
    state_coming: "geldt binnenkort", "applies soon";
    state_earlier: "oud", "old";
    change_notice: "Er komen nieuwe gebruiksvoorwaarden. Zij gelden vanaf", "New terms of use are coming. They apply from";
    change_read: "Lees de nieuwe voorwaarden", "Read the new terms";

    accepted_on: "U ging akkoord op", "You agreed on";
    accepted_later: "Latere versies gelden vanzelf, tenzij u opzegt.", "Later versions apply by themselves, unless you cancel.";
    glossary: "Begrippen", "Terms explained";
    accept_title: "Accepteer de gebruiksvoorwaarden", "Accept the terms of use";
    accept_lead: "Lees de gebruiksvoorwaarden. Gaat u akkoord? Dan kunt u het portaal gebruiken.", "Read the terms of use. Do you agree? Then you can use the portal.";
    accept_changed: "Er geldt intussen een andere versie. Lees deze versie en ga daarna akkoord.", "Another version applies by now. Read this one, and accept it then.";
    accept_question: "Gaat u akkoord?", "Do you agree?";
    accept_paper: "Met uw akkoord verklaart u ook dat u goed bereikbaar bent per e-mail. U krijgt dan mogelijk geen post op papier meer.", "By accepting you also state that you can be reached well by e-mail. You may then no longer receive paper mail.";
    accept: "Ik ga akkoord", "I agree";
    refuse_link: "Ik ga niet akkoord en zeg mijn account op", "I do not agree, and cancel my account";
    refuse_until: "Opzeggen kan tot en met", "You can cancel until";
    refuse_over: "De termijn om deze voorwaarden te weigeren is voorbij. Gaat u niet akkoord? Log dan uit en neem contact met ons op.", "The time to refuse these terms is over. Do you not agree? Then sign out and contact us.";

    refuse_title: "Uw account opzeggen", "Cancel your account";
    refuse_lead: "U gaat niet akkoord met de gebruiksvoorwaarden. Daarom zegt u uw account op.", "You do not agree to the terms of use. Therefore you cancel your account.";
    refuse_what: "Wat gebeurt er?", "What happens?";
    refuse_at_once: "Uw account eindigt meteen en u wordt uitgelogd.", "Your account ends at once and you are signed out.";
    refuse_reach: "U kunt geen leveringen meer zien of ophalen. Ook uw sleutels en tokens werken niet meer.", "You can no longer see or fetch deliveries. Your keys and tokens stop working too.";
    refuse_told: "De beheerders van uw organisatie krijgen hierover een e-mail.", "The administrators of your organisation get an e-mail about it.";
    refuse_told_us: "Wij krijgen hierover een e-mail.", "We get an e-mail about it.";
    refuse_final: "U kunt dit niet ongedaan maken.", "You cannot undo this.";
    refuse_last: "U bent de enige beheerder van uw organisatie. Na het opzeggen kan niemand daar nog accounts beheren. Wijs eerst een andere beheerder aan.", "You are the only administrator of your organisation. After this nobody can manage its accounts. Appoint another one first.";
    refuse_sure: "Weet u het zeker?", "Are you sure?";
    refuse: "Ja, zeg mijn account op", "Yes, cancel my account";
    refuse_not: "Nee, ga terug", "No, go back";
    refused_title: "Uw account is opgezegd", "Your account is cancelled";
    refused_lead: "U bent uitgelogd. Wilt u later weer een account? Neem dan contact met ons op.", "You are signed out. Do you want an account again later? Then contact us.";
    late_title: "U kunt niet meer opzeggen via deze pagina", "You can no longer cancel on this page";
    late_lead: "De termijn om de gebruiksvoorwaarden te weigeren is voorbij. Neem contact met ons op.", "The time to refuse the terms of use is over. Please contact us.";

    machines_title: "Voorwaarden voor automatische accounts", "Terms for automatic accounts";
    machines_lead: "Voor deze accounts zijn de gebruiksvoorwaarden nog niet geaccepteerd. De eigenaar of een beheerder kan dat doen.", "For these accounts the terms of use are not accepted yet. The owner or an administrator can do so.";
    machines_none: "Voor al uw automatische accounts zijn de voorwaarden geaccepteerd.", "The terms are accepted for all your automatic accounts.";
    machines_done: "De voorwaarden zijn geaccepteerd. Het account heeft meteen toegang.", "The terms are accepted. The account has access at once.";
    machines_link: "Er zijn automatische accounts waarvoor de gebruiksvoorwaarden nog niet zijn geaccepteerd.", "There are automatic accounts for which the terms of use are not accepted yet.";
    machines_accept: "Accepteren voor", "Accept for";
    account: "Account", "Account";
    owner: "Eigenaar", "Owner";
    access: "Toegang", "Access";
    access_until: "zonder akkoord tot en met", "without acceptance until";
    access_none: "geen toegang tot iemand akkoord gaat", "none until somebody accepts";

    owner_title: "Accepteer de gebruiksvoorwaarden voor een automatisch account", "Accept the terms of use for an automatic account";
    owner_lead: "U bent de eigenaar van dit account. Lees de gebruiksvoorwaarden en ga akkoord. Daarna heeft het account toegang.", "You own this account. Read the terms of use and accept them. After that the account has access.";
    owner_refuse_link: "Ik ga niet akkoord en zeg dit account op", "I do not agree, and cancel this account";
    owner_refuse_title: "Een automatisch account opzeggen", "Cancel an automatic account";
    owner_refuse_lead: "U gaat niet akkoord met de gebruiksvoorwaarden. Daarom zegt u dit account op.", "You do not agree to the terms of use. Therefore you cancel this account.";
    owner_refuse_at_once: "Het account eindigt meteen. Sleutels en tokens werken niet meer.", "The account ends at once. Its keys and tokens stop working.";
    owner_refuse: "Ja, zeg dit account op", "Yes, cancel this account";
    owner_refused_title: "Het account is opgezegd", "The account is cancelled";
    owner_refused_lead: "Heeft uw organisatie later weer een account nodig? Vraag het aan uw beheerder. Dit is het account:", "Does your organisation need an account again later? Ask your administrator. This is the account:";
    owner_done_title: "De gebruiksvoorwaarden zijn geaccepteerd", "The terms of use are accepted";
    owner_done_lead: "Dank u wel. Het account heeft meteen toegang. Dit is het account:", "Thank you. The account has access at once. This is the account:";
    link_closed_lead: "Deze link werkt niet meer. Misschien zijn de voorwaarden al geaccepteerd. Vraag het aan uw beheerder of aan ons.", "This link does not work any more. Perhaps the terms are accepted already. Ask your administrator or us.";
}
