//! Texts about instructions of the operator (I7), in the portal and in the office.

super::catalogue! {
    title: "Aanwijzingen", "Instructions";
    lead: "Naast de gebruiksvoorwaarden volgt u ook deze aanwijzingen.", "Beside the terms of use you follow these instructions too.";
    none: "Er zijn nu geen aanwijzingen.", "There are no instructions now.";
    since: "Sinds", "Since";
    until: "Tot en met", "Until";
    only_dutch: "Deze aanwijzing is er alleen in het Nederlands.", "This instruction is available in Dutch only.";
    office_lead: "Aanwijzingen staan op het portaal, ook voor wie niet is ingelogd.", "Instructions stand on the portal, also for who is not signed in.";
    subject: "Onderwerp", "Subject";
    state: "Status", "State";
    shown: "zichtbaar", "shown";
    over: "voorbij", "over";
    give: "Aanwijzing geven", "Give an instruction";
    give_lead: "Gebruikers zien de aanwijzing meteen op hun startpagina.", "Users see the instruction at once on their start page.";
    subject_dutch: "Onderwerp in het Nederlands", "Subject in Dutch";
    text_dutch: "Tekst in het Nederlands", "Text in Dutch";
    text_hint: "Zeg wat gebruikers moeten doen. Een regel die begint met - is een punt van een lijst.", "Say what users are to do. A line that begins with - is an item of a list.";
    subject_english: "Onderwerp in het Engels", "Subject in English";
    text_english: "Tekst in het Engels", "Text in English";
    english_hint: "Niet verplicht. Vul dan beide velden in, of geen van beide.", "Not required. Then fill in both fields, or neither.";
    until_hint: "Laat leeg als de aanwijzing blijft tot u haar intrekt.", "Leave empty when it stays until you withdraw it.";
    withdraw: "Intrekken", "Withdraw";
    withdraw_lead: "Niemand ziet de aanwijzing daarna nog. In de historie blijft staan dat zij er was.", "Nobody sees the instruction after that. The history keeps that it was there.";
    done_given: "De aanwijzing staat op het portaal.", "The instruction stands on the portal.";
    done_withdrawn: "De aanwijzing is ingetrokken.", "The instruction is withdrawn.";
}
