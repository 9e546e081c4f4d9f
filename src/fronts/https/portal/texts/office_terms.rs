//! Texts of the office's pages about terms of use.

super::catalogue! {
    title: "Voorwaarden", "Terms of use";
    lead: "Nieuwe voorwaarden gelden vanaf hun datum vanzelf. Tot 42 dagen na publicatie kunnen gebruikers opzeggen.", "New terms apply from their date by themselves. Until 42 days after publication users can cancel.";
    accepted: "Geaccepteerd door", "Accepted by";
    published: "Gepubliceerd", "Published";
    refusable_until: "Te weigeren tot en met", "Can be refused until";
    grace_until: "Oude accounts zonder akkoord tot en met", "Older accounts without acceptance until";
    digest: "SHA-256 van de tekst", "SHA-256 of the text";
    digest_english: "SHA-256 van de Engelse tekst", "SHA-256 of the English text";
    who: "Wie heeft geaccepteerd, en wie nog niet", "Who has accepted, and who not yet";
    publish: "Nieuwe versie publiceren", "Publish a new version";
    publish_lead: "Iedereen krijgt hierover een e-mail. U kunt een versie daarna niet meer wijzigen of intrekken.", "Everybody gets an e-mail about it. After that you cannot change a version or take it back.";
    name: "Versie", "Version";
    name_hint: "Zoals gebruikers die noemen, bijvoorbeeld 2.0.", "As users name it, such as 2.0.";
    from: "Geldt vanaf", "Applies from";
    from_hint: "Een dag na vandaag.", "A day after today.";
    text: "Tekst in het Nederlands", "Text in Dutch";
    text_hint: "Gewone tekst. Een regel die begint met # is een kop, een regel met - een punt van een lijst.", "Plain text. A line that begins with # is a heading, one with - an item of a list.";
    english: "Tekst in het Engels", "Text in English";
    english_hint: "Niet verplicht. De Nederlandse tekst geldt.", "Not required. The Dutch text is what counts.";
    sure: "Ja, deze tekst kan naar alle gebruikers", "Yes, this text can go to all users";
    done_published: "Gepubliceerd. Alle gebruikers krijgen een e-mail.", "Published. All users get an e-mail.";
    done_accepted: "Vastgelegd dat de voorwaarden zijn geaccepteerd.", "Put on record that the terms are accepted.";
    accounts_lead: "Van mensen geldt dit voor het portaal, van machines voor SFTP en API.", "Of people this counts for the portal, of machines for SFTP and API.";
    show_open: "Wie nog niet akkoord is", "Who has not accepted";
    show_accepted: "Wie akkoord is", "Who has accepted";
    show_all: "Iedereen", "Everybody";
    terms: "Gebruiksvoorwaarden", "Terms of use";
    state_accepted: "akkoord", "accepted";
    state_grace: "nog niet akkoord", "not accepted yet";
    state_open: "niet akkoord", "not accepted";
    state_unbound: "niet gevraagd", "not asked";
    how: "Bijzonderheden", "Particulars";
    by_oneself: "zelf, op", "by themselves, on";
    by_owner: "door de eigenaar", "by the owner";
    by_administrator: "door de beheerder", "by the administrator";
    by_operator: "vastgelegd door het kantoor:", "recorded by the office:";
    no_access: "geen toegang", "no access";
    access_until: "toegang tot en met", "access until";
    record: "Akkoord vastleggen", "Put an acceptance on record";
    record_lead: "Alleen als de voorwaarden op papier of op een andere manier zijn geaccepteerd. Dit komt in de historie.", "Only when the terms were accepted on paper or in another way. This is put in the history.";
    record_by: "Wie ging akkoord, en hoe weet u dat?", "Who accepted, and how do you know?";
    record_by_hint: "Bijvoorbeeld: J. de Vries, brief van 3 maart, nummer 2026-114.", "Such as: J. de Vries, letter of 3 March, number 2026-114.";
}
