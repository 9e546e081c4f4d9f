//! The texts of the page about the own organisation (A16, A17, K4).

super::catalogue! {
    title: "Organisatie", "Organisation";
    lead: "Dit zijn de gegevens van uw organisatie, zoals wij die kennen.", "These are your organisation's data, as we know them.";
    only_administrators: "Klopt er iets niet? Vraag een beheerder van uw organisatie om dit te wijzigen.", "Is something wrong? Ask an administrator of your organisation to change it.";
    name: "Naam", "Name";
    unknown: "niet ingevuld", "not given";
    reach: "Contactgegevens", "Contact details";
    reach_lead: "Wij gebruiken deze gegevens als wij uw organisatie willen bereiken. Een wijziging geldt meteen.", "We use these when we want to reach your organisation. A change counts at once.";
    email: "Algemeen e-mailadres", "General e-mail address";
    phone: "Telefoonnummer", "Telephone number";
    address: "Postadres", "Postal address";
    address_hint: "Op één regel, zoals: Plein 1, 1234 AB Plaats", "On one line, such as: Plein 1, 1234 AB Town";
    persons: "Contactpersonen", "Contact persons";
    persons_hint: "Laat de naam leeg als er voor dit onderwerp geen contactpersoon is.", "Leave the name empty when there is no contact person for this subject.";
    functional: "Functioneel: over de gegevens", "Functional: about the data";
    technical: "Technisch: over de verbinding", "Technical: about the connection";
    privacy: "Privacy: over persoonsgegevens", "Privacy: about personal data";
    security: "Beveiliging: over incidenten", "Security: about incidents";
    person_name: "Naam", "Name";
    person_email: "E-mailadres", "E-mail address";
    person_phone: "Telefoonnummer", "Telephone number";
    save: "Opslaan", "Save";
    saved: "De contactgegevens zijn opgeslagen.", "The contact details are saved.";
    identity: "Naam, KVK-nummer of OIN wijzigen", "Change name, KVK number or OIN";
    identity_lead: "Deze gegevens controleren wij eerst. Vraag de wijziging hier aan. Wij nemen daarna contact met u op als dat nodig is.", "We check these first. Ask for the change here. We contact you when that is needed.";
    identity_ask: "Wijziging aanvragen", "Ask for the change";
    identity_asked: "Wij hebben uw aanvraag ontvangen. Tot wij haar beoordelen blijven de oude gegevens staan.", "We have received your request. Until we judge it, the old data stay.";
    identity_waits: "Deze wijziging wacht op onze beoordeling. Aangevraagd op:", "This change waits for us to judge it. Asked on:";
    identity_rejected: "Uw laatste aanvraag is afgewezen. De reden:", "Your last request was rejected. The reason:";
    identity_same: "U heeft niets gewijzigd.", "You changed nothing.";
    wrong: "Controleer wat u invulde. Dit klopt niet:", "Check what you filled in. This is wrong:";
    person_incomplete: "Vul bij een contactpersoon een naam en een e-mailadres in.", "Give a name and an e-mail address for a contact person.";
}
