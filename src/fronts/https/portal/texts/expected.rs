//! Texts of participant files that are expected, and by when (P10, 4.5).

super::catalogue! {
    title: "Wat wij van u verwachten", "What we expect of you";
    title_of: "Wat wij verwachten van", "What we expect of";
    by: "Uiterlijk", "At the latest";
    waiting: "nog aan te leveren", "still to be uploaded";
    received: "ontvangen", "received";
    late: "te laat ontvangen", "received late";
    missing: "te laat", "late";
    missing_hint: "Het vorige bestand is er niet. Lever het nu nog aan.", "The file before is not here. Upload it now.";
    to_file: "Naar het bestand", "To the file";
    task_missing: "Het bestand is te laat voor", "The file is late for";
    task_waiting: "Nog een bestand aan te leveren voor", "A file still to be uploaded for";
    task_by: "uiterlijk", "at the latest";
    client_late: "Bestanden te laat:", "Files late:";
}
