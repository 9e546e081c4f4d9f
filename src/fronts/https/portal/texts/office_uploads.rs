//! Texts of the office's pages about participant files (P21, issue 6).

super::catalogue! {
    lead: "Wat organisaties hebben aangeleverd, de nieuwste bovenaan. Wat erin staat, ziet u hier niet.", "What organisations uploaded, the newest first. What is in it you do not see here.";
    by: "Aangeleverd door (code)", "Uploaded by (code)";
    all_states: "Alle", "All";
    older: "Oudere bestanden", "Older files";
    expected: "Wat er verwacht wordt", "What is expected";
    expected_lead: "Bestanden die organisaties op vaste dagen aanleveren. Wat te laat is, staat bovenaan.", "Files that organisations upload on fixed days. What is late comes first.";
    expected_none: "Er wordt niets verwacht. Met de opdracht upload expect legt u dat vast.", "Nothing is expected. The command upload expect puts that on record.";
    too_many: "Er staan er meer dan hier passen. Zoek op een organisatie.", "There are more than fit here. Search for an organisation.";
    rhythm: "Wanneer", "When";
    next_day: "Uiterlijk", "At the latest";
    missed: "Gemist achter elkaar", "Missed in a row";
    waiting: "verwacht", "expected";
    came: "ontvangen", "received";
    late: "te laat ontvangen", "received late";
    missing: "te laat", "late";
    workdays: "elke werkdag", "each workday";
    weekly: "elke week op", "each week on";
    monthly: "elke maand op dag", "each month on day";
    quarterly: "in januari, april, juli en oktober op dag", "in January, April, July and October on day";
    yearly: "elk jaar op", "each year on";
    monday: "maandag", "Monday";
    tuesday: "dinsdag", "Tuesday";
    wednesday: "woensdag", "Wednesday";
    thursday: "donderdag", "Thursday";
    friday: "vrijdag", "Friday";
    saturday: "zaterdag", "Saturday";
    sunday: "zondag", "Sunday";
    decided: "Beoordeeld", "Judged";
    collected: "Overgedragen", "Handed over";
    by_folder: "via de map van de backoffice", "by the folder of the back office";
    by_command: "op verzoek van de backoffice", "as the back office asked";
    acknowledged: "Opgehaald gemeld", "Said to be taken away";
    replaces: "Het andere bestand", "The other file";
    accept: "Goedkeuren", "Accept";
    accept_lead: "De backoffice krijgt het bestand, of heeft het verwerkt. De organisatie krijgt een e-mail met het resultaat.", "The back office gets the file, or has processed it. The organisation gets an e-mail with the result.";
    reject: "Afkeuren", "Reject";
    reject_lead: "De backoffice krijgt het bestand niet, of heeft het niet verwerkt. De organisatie krijgt een e-mail met het resultaat en uw toelichting.", "The back office does not get the file, or did not process it. The organisation gets an e-mail with the result and your explanation.";
    report: "Toelichting voor de organisatie", "Explanation for the organisation";
    report_hint: "Noem geen persoonsgegevens. Verwijs naar regel en kolom.", "Name no personal data. Refer to line and column.";
    report_long: "De toelichting is te lang.", "The explanation is too long.";
    report_missing: "Schrijf waarom het bestand is afgekeurd.", "Write why the file is rejected.";
    done_accepted: "Goedgekeurd. De organisatie krijgt een e-mail.", "Accepted. The organisation gets an e-mail.";
    done_rejected: "Afgekeurd. De organisatie krijgt een e-mail.", "Rejected. The organisation gets an e-mail.";
}
