//! The texts of what every page has besides its menu: how long somebody stays signed in, and the
//! pages that help (P19). And of the start page (P01, P06).

super::catalogue! {
    help_menu: "Hulp en contact", "Help and contact";
    phone: "Telefoon", "Telephone";
    documents: "Documenten", "Documents";
    organisation: "Organisatie", "Organisation";

    session_title: "Hoe lang u ingelogd blijft", "How long you stay signed in";
    session_soon: "Wilt u ingelogd blijven? Anders logt het portaal u uit om", "Do you want to stay signed in? If not, the portal signs you out at";
    session_last: "Sla uw werk op en log daarna opnieuw in. Uw sessie eindigt om", "Save your work and then sign in again. Your session ends at";
    session_stay: "Blijf ingelogd", "Stay signed in";
    session_over: "U bent niet meer ingelogd.", "You are no longer signed in.";

    instructions: "Aanwijzingen", "Instructions";
    contact_title: "Contact", "Contact";
    contact_lead: "Heeft u een vraag over het portaal of over uw leveringen? Wij helpen u graag.", "Do you have a question about the portal or your deliveries? We are glad to help.";
    contact_administrator: "Gaat uw vraag over rechten of een account? Vraag dan eerst een beheerder van uw organisatie.", "Is your question about rights or an account? Ask an administrator of your organisation first.";
    contact_careful: "Stuur ons nooit een wachtwoord, een code of gegevens van personen per e-mail.", "Never send us a password, a code or data of persons by e-mail.";
    contact_number: "Ziet u een foutmelding met een nummer? Geef ons dat nummer door.", "Do you see an error with a number? Tell us that number.";
    contact_none: "Onze contactgegevens staan nog niet in het portaal.", "Our contact details are not in the portal yet.";
    email: "E-mail", "E-mail";

    maintenance_title: "Storing en onderhoud", "Failure and maintenance";
    maintenance_lead: "Hier leest u of het portaal, SFTP en de API werken.", "Here you read whether the portal, SFTP and the API work.";
    maintenance_none: "Er is nu geen storing bekend en er is geen onderhoud gepland.", "No failure is known now, and no maintenance is planned.";
    maintenance_now: "Nu", "Now";
    maintenance_planned: "Gepland", "Planned";
    maintenance_windows: "Leveringen verlopen niet tijdens een onderbreking. Daarna krijgt u de gemiste tijd erbij.", "Deliveries do not run out during an interruption. Afterwards you get the lost time back.";
    maintenance_mail: "Een e-mail van ons is een service. Kijk zelf regelmatig in het portaal of er iets klaarstaat.", "An e-mail from us is a service. Look in the portal regularly yourself whether something is ready.";
    channel_all: "Portaal, API en SFTP", "Portal, API and SFTP";
    channel_https: "Portaal en API", "Portal and API";
    channel_sftp: "SFTP", "SFTP";

    misuse_title: "Misbruik melden", "Report misuse";
    misuse_lead: "Denkt u dat iemand anders uw account of uw gegevens gebruikt? Bel ons direct.", "Do you think that somebody else uses your account or your data? Call us at once.";
    misuse_steps: "Wat u nu doet", "What you do now";
    misuse_call: "Bel ons. Wij kunnen de toegang meteen blokkeren.", "Call us. We can block access at once.";
    misuse_administrator: "Waarschuw een beheerder van uw organisatie. Die kan uw rechten meteen weghalen.", "Warn an administrator of your organisation, who can take your rights away at once.";
    misuse_keep: "Bewaar berichten en bestanden die u niet vertrouwt. Verwijder niets.", "Keep messages and files that you do not trust. Delete nothing.";
    misuse_told: "Vertel ons wat u zag, wanneer dat was en om welk account het gaat.", "Tell us what you saw, when that was and which account it is about.";
    misuse_security: "Vond u een zwakke plek in dit portaal? Ons beveiligingscontact staat in security.txt.", "Did you find a weakness in this portal? Our security contact is in security.txt.";

    welcome_title: "Veilig bestanden ontvangen en aanleveren", "Receive and deliver files safely";
    welcome_lead: "Dit is de beveiligde omgeving waarin wij gegevens uitwisselen met organisaties die daar recht op hebben.", "This is the secure environment in which we exchange data with organisations that are entitled to them.";
    welcome_can: "Wat u hier kunt doen", "What you can do here";
    welcome_fetch: "Bestanden ophalen die voor uw organisatie klaarstaan.", "Fetch files that are ready for your organisation.";
    welcome_deliver: "Deelnemersbestanden aanleveren.", "Deliver participant files.";
    welcome_history: "Zien wat er geleverd is, en wie het ophaalde.", "See what was delivered, and who fetched it.";
    welcome_request: "Een product aanvragen.", "Request a product.";
    welcome_account: "Nog geen account?", "No account yet?";
    welcome_account_lead: "U vraagt zelf een account aan met uw zakelijke e-mailadres. Uw beheerder of wij keuren het goed.", "You request an account yourself with your business e-mail address. Your administrator or we approve it.";
    employer_title: "Let op", "Take care";
    employer_lead: "Dit portaal is voor afnemers van gegevens. Bent u werkgever? Dan gebruikt u een ander portaal.", "This portal is for recipients of data. Are you an employer? Then you use another portal.";
    employer_link: "Naar het werkgeversportaal", "To the employer portal";

    new_title: "Nieuw voor u", "New for you";
    new_hint: "Haal de bestanden op vóór het einde van de termijn. Daarna kan dat niet meer.", "Fetch the files before the period ends. After that they are gone.";
    tasks_title: "Dit vraagt uw aandacht", "This needs your attention";
    task_requests: "Aanvragen voor een account beoordelen", "Judge requests for an account";
    task_second: "Wijs een tweede beheerder aan. Dan kan uw organisatie door als u er niet bent.", "Appoint a second administrator. Then your organisation can go on when you are away.";
    task_second_link: "Een tweede beheerder aanwijzen", "Appoint a second administrator";
    task_uncoupled: "Voor dit product is nog geen gebruiker gekoppeld:", "No user is coupled to this product yet:";
    task_contacts: "Vul de contactpersonen van uw organisatie in", "Give the contact persons of your organisation";
    how_title: "Een product aanvragen", "Request a product";
    how_lead: "Wilt u gegevens ontvangen die u nu niet krijgt? Of heeft u een ander doel? Dan vraagt u een product aan.", "Would you like to receive data that you do not get now? Or do you have another purpose? Then you request a product.";
    how_contact: "Neem contact met ons op. Wij bespreken wat u nodig heeft en wat mogelijk is. U hoort binnen 3 werkdagen van ons.", "Contact us. We discuss what you need and what is possible. You hear from us within 3 working days.";
    how_check: "Wij kijken of wij de gegevens mogen leveren, en hoe. Soms vragen wij een document dat uw recht aantoont.", "We look whether we may deliver the data, and how. Sometimes we ask for a document that shows your entitlement.";
    how_offer: "U krijgt een voorstel met de gegevens, de kosten en de planning. Bent u akkoord? Dan maken wij een overeenkomst.", "You get a proposal with the data, the costs and the planning. If you agree, we make an agreement.";
    how_deliver: "Daarna koppelt uw beheerder het product aan een gebruiker, en leveren wij. Dit alles duurt ongeveer 3 maanden.", "Then your administrator couples the product to a user, and we deliver. All of this takes about 3 months.";
}
