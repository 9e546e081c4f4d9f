//! The texts of the operator's office.

use crate::domain::block::EndReason;
use crate::domain::interruption::Reach;
use crate::domain::office::OfficeRole;
use crate::domain::proposal::ProposedAct;

super::catalogue! {
    office: "Kantoor", "Office";
    back: "Terug", "Back";
    sign_in_title: "Inloggen bij het kantoor", "Sign in to the office";
    sign_in_lead: "Log in met het adres en het wachtwoord van uw account voor het kantoor. Daarna vragen wij een code.", "Sign in with the address and the password of your account for the office. After that we ask for a code.";

    role_officer: "medewerker", "officer";
    role_administrator: "functioneel beheerder", "administrator of the office";
    role_security: "beveiligingsmedewerker", "security officer";

    queue: "Werkvoorraad", "Work queue";
    queue_lead: "Dit wacht op u of op een collega.", "This waits for you or for a colleague.";
    requests: "Aanvragen voor een account", "Requests for an account";
    requests_none: "Er wachten geen aanvragen op het kantoor.", "No requests wait for the office.";
    interruptions: "Storingen", "Interruptions";
    interruptions_lead: "Bij een storing of onderhoud kan niemand binnen, behalve het kantoor. Termijnen van leveringen lopen dan niet af.", "During an interruption nobody gets in but the office. Windows of deliveries wait meanwhile.";
    start_interruption: "Toegang onderbreken", "Interrupt access";
    start_interruption_lead: "Gebruikers lezen wat er is en wanneer het verwachte einde is. De onderbreking duurt tot u die beëindigt.", "Users read what it is and the expected end. The interruption goes on until you end it.";
    nature_hint: "Bijvoorbeeld: gepland onderhoud.", "Such as: planned maintenance.";
    from_hint: "Laat leeg om nu te beginnen. Met een later tijdstip kondigt u het aan.", "Leave empty to begin now. A later time announces it.";
    end_interruption: "Onderbreking beëindigen", "End the interruption";
    call_off: "Aankondiging intrekken", "Call it off";
    interruptions_none: "Alles is open.", "Everything is open.";
    proposals: "Voorstellen die op een tweede persoon wachten", "Proposals that wait for a second person";
    proposals_none: "Er wachten geen voorstellen.", "No proposals wait.";
    proposal: "Voorstel", "Proposal";
    proposal_title: "Voorstel beoordelen", "Judge a proposal";
    proposal_own: "Dit heeft u zelf voorgesteld. Een collega moet het bevestigen.", "You proposed this yourself. A colleague has to confirm it.";
    proposed_add_key: "Sleutel koppelen", "Couple a key";
    proposed_retire_key: "Sleutel niet meer gebruiken", "Retire a key";
    proposed_add_mandate: "Machtiging vastleggen", "Put a mandate on record";
    proposed_widen_mandate: "Machtiging uitbreiden", "Widen a mandate";
    confirmable_until: "Te bevestigen tot en met", "Can be confirmed until";
    confirm: "Bevestigen", "Confirm";
    confirm_lead: "Controleer bij de organisatie zelf of dit klopt. Het gebeurt zodra u bevestigt.", "Check with the organisation itself that this is right. It is done as soon as you confirm.";
    take_back: "Voorstel intrekken", "Take the proposal back";
    two_lead: "Dit gebeurt pas als een collega het bevestigt.", "This is done only when a colleague confirms it.";
    keys: "Sleutels voor leveringen", "Keys for deliveries";
    keys_none: "Deze organisatie heeft geen eigen sleutel.", "This organisation has no key of its own.";
    key: "Sleutel", "Key";
    key_hint: "Eén regel die begint met age1, ssh-ed25519 of ssh-rsa.", "One line that begins with age1, ssh-ed25519 or ssh-rsa.";
    fingerprint: "Vingerafdruk", "Fingerprint";
    add_key: "Sleutel koppelen", "Couple a key";
    retire_key: "Sleutel niet meer gebruiken", "Retire a key";
    in_use: "in gebruik", "in use";
    retired: "niet meer in gebruik", "retired";
    done_proposed: "Het voorstel staat klaar. Een collega moet het bevestigen.", "The proposal waits. A colleague has to confirm it.";
    done_confirmed: "Bevestigd en uitgevoerd.", "Confirmed and done.";
    done_proposal_rejected: "Het voorstel is afgewezen.", "The proposal is rejected.";
    unfetched: "Nog niet opgehaald", "Not fetched yet";
    unfetched_none: "Alle leveringen die nu klaarstaan, zijn opgehaald.", "All deliveries that are ready now were fetched.";
    mails: "E-mails die niet aankomen", "E-mails that do not arrive";
    mails_none: "Alle e-mails komen aan.", "All e-mails arrive.";
    mails_waiting: "E-mails die nog verstuurd worden:", "E-mails that are still to be sent:";
    mail_to: "Aan", "To";
    mail_error: "Laatste fout", "Last error";
    mail_given_up: "opgegeven", "given up";
    mail_tried_again: "wordt opnieuw geprobeerd", "is tried again";
    runs: "loopt", "runs";
    announced: "aangekondigd", "announced";
    nature: "Wat er is", "What it is";
    reach_label: "Wat er dicht is", "What is shut";
    reach_sftp: "SFTP", "SFTP";
    reach_https: "portaal en API", "portal and API";
    reach_all: "alles", "everything";
    from: "Vanaf", "From";
    expected_end: "Verwacht einde", "Expected end";
    available_until: "Op te halen tot en met", "Available until";
    delivery: "Levering", "Delivery";
    product: "Product", "Product";

    request: "Aanvraag voor een account", "Request for an account";
    approve: "Goedkeuren", "Approve";
    approve_lead: "De aanvrager krijgt een e-mail om het account te activeren. De eerste van een organisatie wordt beheerder.", "The requester gets an e-mail to activate the account. The first of an organisation becomes its administrator.";
    approve_known: "Koppelen aan een bekende organisatie", "Couple to an organisation that is known";
    approve_new: "Nieuwe organisatie maken", "Make a new organisation";
    approve_new_lead: "Controleer de gegevens eerst. De aanvrager wordt beheerder van deze organisatie.", "Check the data first. The requester becomes administrator of this organisation.";
    approve_new_button: "Organisatie maken en goedkeuren", "Make the organisation and approve";
    reject: "Afwijzen", "Reject";
    reject_lead: "De aanvrager krijgt de reden te lezen.", "The requester gets to read the reason.";

    organisations: "Organisaties", "Organisations";
    organisation: "Organisatie", "Organisation";
    add_organisation: "Organisatie toevoegen", "Add an organisation";
    search_organisation: "Zoeken op naam of code", "Search for a name or code";
    search: "Zoeken", "Search";
    nothing_found: "Niets gevonden.", "Nothing found.";
    there_is_more: "Er zijn er meer. Zoek op een deel van de naam.", "There are more. Search for a part of the name.";
    code: "Code", "Code";
    code_hint: "2 tot 32 kleine letters, cijfers en streepjes. De code verandert nooit meer.", "2 to 32 small letters, digits and hyphens. The code never changes.";
    name: "Naam", "Name";
    kvk: "KVK-nummer", "KVK number";
    oin: "OIN", "OIN";
    mail_domains: "Domeinen van e-mailadressen", "Domains of e-mail addresses";
    mail_domains_hint: "Bijvoorbeeld gemeente.nl. Zet een komma tussen meer domeinen.", "Such as city.example. Put a comma between several.";
    added_on: "Toegevoegd op", "Added on";
    add: "Toevoegen", "Add";
    change: "Gegevens wijzigen", "Change data";
    save: "Opslaan", "Save";

    accounts: "Mensen en machines", "People and machines";
    accounts_none: "Deze organisatie heeft geen accounts.", "This organisation has no accounts.";
    account: "Account", "Account";
    search_account: "Zoeken op account of organisatie", "Search for an account or organisation";
    kind: "Soort", "Kind";
    machine: "machine", "machine";
    person: "gebruiker", "user";
    administrator: "beheerder", "administrator";
    email: "E-mailadres", "E-mail address";
    activation: "Activeren", "Activation";
    waits_for_activation: "nog niet geactiveerd", "not activated yet";
    rights: "Rechten", "Rights";
    rights_none: "Dit account is aan geen product gekoppeld.", "This account is coupled to no product.";
    sessions: "Sessies", "Sessions";
    sessions_none: "Dit account is nu niet ingelogd.", "This account is not signed in now.";
    begun: "Begonnen", "Begun";
    ends_at: "Eindigt uiterlijk", "Ends at the latest";
    assurance: "Ingelogd met", "Signed in with";
    send_link: "Nieuwe link sturen", "Send a new link";
    send_link_lead: "Is de link te oud of kwijt? De oude link werkt daarna niet meer.", "Is the link too old or lost? The old link does not work after that.";

    products: "Producten", "Products";
    add_product: "Product toevoegen", "Add a product";
    change_product_lead: "Leveringen die er al zijn, blijven zoals ze zijn.", "Deliveries that are there already stay as they are.";
    retention: "Beschikbaar", "Available for";
    retention_hint: "Hoe lang een levering klaarstaat, zoals 30d of 12h.", "How long a delivery can be fetched, such as 30d or 12h.";
    requires_marker: "Spool wacht op een .done-bestand", "The spool waits for a .done file";
    accepts_uploads: "Aanleveren", "Uploads";
    accepts_uploads_label: "Afnemers mogen hiervoor bestanden aanleveren", "Recipients may upload files for it";
    end_to_end: "Eigen sleutel", "Own key";
    end_to_end_label: "Versleuteld met de sleutel van de afnemer", "Encrypted with the recipient's own key";

    agreements: "Overeenkomsten", "Agreements";
    agreement: "Overeenkomst", "Agreement";
    search_agreement: "Zoeken op organisatie, product of doel", "Search for an organisation, product or purpose";
    add_agreement: "Overeenkomst toevoegen", "Add an agreement";
    add_agreement_lead: "Product en doel veranderen daarna niet meer. De beheerder koppelt zelf gebruikers.", "Product and purpose never change after that. The administrator couples users.";
    purpose: "Doel", "Purpose";
    purpose_hint: "Waarvoor de afnemer de gegevens mag gebruiken.", "What the recipient may use the data for.";
    own_retention: "Eigen termijn", "Own period";
    own_retention_hint: "Laat leeg voor de termijn van het product.", "Leave empty for the period of the product.";
    agreement_from_hint: "Laat leeg om vandaag te beginnen.", "Leave empty to begin today.";
    history_hidden: "Historie niet zichtbaar voor de afnemer", "History hidden from the recipient";
    in_force: "geldig", "in force";
    not_yet: "nog niet begonnen", "not begun yet";
    ended_on: "Beëindigd op", "Ended on";
    end_agreement: "Overeenkomst beëindigen", "End the agreement";
    end_agreement_lead: "Leveringen die klaarstaan, blijven op te halen. Er komen geen nieuwe bij.", "Deliveries that are ready can still be fetched. No new ones come.";

    deliveries: "Leveringen", "Deliveries";
    deliveries_lead: "De inhoud van leveringen ziet het kantoor niet.", "The office does not see what is in deliveries.";
    organisation_code: "Code van de organisatie", "Code of the organisation";
    product_code: "Code van het product", "Code of the product";
    which: "Wat u wilt zien", "What to show";
    only_open: "Wat nu klaarstaat", "What is ready now";
    ended_too: "Alles, ook wat voorbij is", "Everything, also what is over";
    published_on: "Geplaatst op", "Published on";
    period: "Periode", "Period";
    files: "Bestanden", "Files";
    file: "Bestand", "File";
    size: "Grootte", "Size";
    fetched: "Opgehaald", "Fetched";
    fetched_in_part: "voor een deel", "in part";
    not_fetched: "nog niet", "not yet";
    more: "Verder", "Further";
    extend: "Termijn verlengen", "Extend the window";
    extend_lead: "De afnemer kan de levering ophalen tot en met deze dag.", "The recipient can fetch the delivery until this day.";
    hold: "Vasthouden", "Hold";
    hold_lead: "De bestanden worden niet vernietigd, ook niet na de termijn.", "The files are not destroyed, not even after the window.";
    release: "Vasthouden beëindigen", "Release";
    withdraw: "Intrekken", "Withdraw";
    withdraw_lead: "Niemand kan de levering daarna nog ophalen. De afnemer krijgt de reden te lezen.", "Nobody can fetch the delivery after that. The recipient gets to read the reason.";
    withdraw_sure: "Ja, ik wil deze levering intrekken", "Yes, I want to withdraw this delivery";
    done_withdrawn: "De levering is ingetrokken.", "The delivery is withdrawn.";

    history: "Historie", "History";
    history_lead: "Wie wat wanneer deed. Zonder dag ziet u de laatste 7 dagen.", "Who did what, and when. Without a day you see the last 7 days.";
    delivery_id: "Nummer (id) van de levering", "Id of the delivery";
    at: "Wanneer", "When";
    event: "Gebeurtenis", "Event";
    by: "Door", "By";
    about: "Over", "About";

    colleagues: "Collega's", "Colleagues";
    colleagues_lead: "Zij werken in het kantoor. Blokkeren en beëindigen doet u op de pagina van het account.", "They work in the office. Blocking and ending is done on the page of the account.";
    role: "Rol", "Role";
    language: "Taal", "Language";
    add_colleague: "Collega toevoegen", "Add a colleague";
    add_colleague_lead: "De collega krijgt een e-mail om het account te activeren.", "The colleague gets an e-mail to activate the account.";
    change_role: "Rol wijzigen", "Change a role";
    change_role_lead: "De nieuwe rol geldt meteen. Uw eigen rol kunt u niet wijzigen.", "The new role counts at once. You cannot change your own role.";

    state: "Status", "State";
    state_active: "actief", "active";
    state_blocked: "geblokkeerd", "blocked";
    state_ended: "beëindigd", "ended";
    reason: "Reden", "Reason";
    since: "Sinds", "Since";
    until: "Tot en met", "Until";
    until_hint: "Laat leeg als het einde niet bekend is.", "Leave empty when the end is not known.";
    note: "Toelichting", "Note";
    block: "Blokkeren", "Block";
    block_lead: "Inloggen, ophalen, aanleveren en e-mails stoppen meteen.", "Signing in, fetching, uploading and e-mails stop at once.";
    unblock: "Blokkering opheffen", "Lift the block";
    end: "Voorgoed beëindigen", "End for good";
    end_lead: "Dit kunt u niet ongedaan maken.", "This cannot be undone.";
    end_sure: "Ja, ik weet het zeker", "Yes, I am sure";
    not_sure: "Zet eerst een vinkje als u het zeker weet.", "Tick the box first if you are sure.";
    inform_user: "Informeer de gebruiker met een e-mail", "Tell the user by e-mail";
    told_reason: "Reden in e-mails", "Reason in e-mails";
    told_reason_hint: "Uw eigen tekst staat nooit in een e-mail.", "Your own text is never in an e-mail.";
    told_reason_none: "Geen reden noemen", "Give no reason";
    tell_administrators: "Stuur alle beheerders een e-mail", "Tell all administrators by e-mail";
    end_reason_none: "Geen: vanzelf, zoals bij vertrek", "None: by itself, as when somebody leaves";
    end_a: "a: misbruik", "a: misuse";
    end_b: "b: voorwaarden niet aanvaard", "b: terms not accepted";
    end_c: "c: bijzondere omstandigheden", "c: special circumstances";

    done_added: "Toegevoegd.", "Added.";
    done_saved: "Opgeslagen.", "Saved.";
    done_blocked: "Geblokkeerd. Open sessies worden verbroken.", "Blocked. Open sessions are cut.";
    done_unblocked: "De blokkering is opgeheven.", "The block is lifted.";
    done_ended: "Beëindigd.", "Ended.";
    done_sent: "De link is verstuurd.", "The link was sent.";
    done_started: "De onderbreking is vastgelegd.", "The interruption is on record.";
    done_interruption_ended: "De onderbreking is beëindigd.", "The interruption has ended.";
    done_approved: "De aanvraag is goedgekeurd. De aanvrager krijgt een e-mail.", "The request is approved. The requester gets an e-mail.";
    done_rejected: "De aanvraag is afgewezen. De aanvrager krijgt een e-mail.", "The request is rejected. The requester gets an e-mail.";

    check_field: "Controleer het veld", "Check the field";
    refused_exists: "Dit bestaat al:", "This exists already:";
    refused_not_found: "Dit is er niet, of niet meer.", "This is not there, or not any more.";
    refused_not_allowed: "Dit mag niet met uw rol, of het kan voor dit account niet.", "Your role may not do this, or this account cannot have it.";
    refused_state: "Dit kan nu niet. De gegevens zijn misschien intussen gewijzigd.", "This cannot be done now. The data may have changed meanwhile.";
    refused_input: "Controleer wat u heeft ingevuld.", "Check what you have filled in.";
    refused_too_much: "Er zijn er te veel. Ruim eerst iets op.", "There are too many. Clear something first.";
}

impl Texts {
    /// A role of the office.
    pub(in crate::fronts::https::portal) const fn role(&self, role: OfficeRole) -> &'static str {
        match role {
            OfficeRole::Officer => self.role_officer,
            OfficeRole::Administrator => self.role_administrator,
            OfficeRole::SecurityOfficer => self.role_security,
        }
    }

    /// What is proposed.
    pub(in crate::fronts::https::portal) const fn proposed(&self, act: &ProposedAct) -> &'static str {
        match act {
            ProposedAct::AddRecipientKey { .. } => self.proposed_add_key,
            ProposedAct::RetireRecipientKey { .. } => self.proposed_retire_key,
            ProposedAct::AddMandate { .. } => self.proposed_add_mandate,
            ProposedAct::WidenMandate { .. } => self.proposed_widen_mandate,
        }
    }

    /// Which doors an interruption closes.
    pub(in crate::fronts::https::portal) const fn reach(&self, reach: Reach) -> &'static str {
        match reach {
            Reach::Sftp => self.reach_sftp,
            Reach::Https => self.reach_https,
            Reach::All => self.reach_all,
        }
    }

    /// Why access was ended.
    pub(in crate::fronts::https::portal) const fn end_reason(&self, reason: EndReason) -> &'static str {
        match reason {
            EndReason::Misuse => self.end_a,
            EndReason::TermsNotAccepted => self.end_b,
            EndReason::SpecialCircumstances => self.end_c,
        }
    }
}
