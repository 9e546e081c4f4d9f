//! The nine terms that the terms of use define (I2), as the portal uses them.

super::catalogue! {
    title: "Begrippen", "Terms explained";
    lead: "Deze woorden hebben in de gebruiksvoorwaarden en in dit portaal steeds dezelfde betekenis.", "These words mean the same everywhere in the terms of use and in this portal.";
    incident: "Beveiligingsincident", "Security incident";
    incident_is: "Een gebeurtenis binnen of buiten onze organisatie die een bedreiging is of kan zijn. Het gaat om de betrouwbaarheid, de vertrouwelijkheid of de beschikbaarheid van gegevens.", "An event inside or outside our organisation that is or can be a threat to the reliability, confidentiality or availability of data.";
    user: "Gebruiker", "User";
    user_is: "Wie voor een organisatie met een account in dit portaal werkt.", "Whoever works in this portal with an account, for an organisation.";
    terms: "Gebruiksvoorwaarden", "Terms of use";
    terms_is: "De afspraken waaronder u dit portaal gebruikt. Elke versie heeft een nummer en een datum.", "The arrangements under which you use this portal. Each version has a number and a date.";
    personal: "Persoonsgegevens", "Personal data";
    personal_is: "Alle gegevens over iemand van wie bekend is, of bekend kan worden, wie het is.", "All data about somebody of whom it is known, or can become known, who they are.";
    notification: "Notificatie", "Notification";
    notification_is: "De e-mail waarmee wij u iets laten weten. Die is een service: het portaal is leidend.", "The e-mail by which we tell you something. It is a service: the portal takes precedence.";
    operator: "Wij", "We";
    operator_is: "De organisatie die dit portaal aanbiedt:", "The organisation that offers this portal:";
    service: "Webdienst", "Web service";
    service_is: "Wat u in dit portaal, met SFTP of met de API kunt doen: gegevens ophalen en aanleveren.", "What you can do in this portal, by SFTP or by the API: fetch data and deliver them.";
    website: "Website", "Website";
    website_is: "De pagina's die iedereen kan lezen zonder in te loggen, zoals deze.", "The pages that anybody can read without signing in, such as this one.";
    portal: "Portaal", "Portal";
    portal_is: "De beveiligde omgeving waarin u inlogt. Dit portaal heet:", "The secure environment into which you sign in. The name of this portal is:";
}
