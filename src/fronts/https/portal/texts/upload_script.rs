//! Texts of the script that uploads participant files piece by piece (P10). It fills in what stands in braces.

super::catalogue! {
    drop: "U kunt bestanden ook hierheen slepen.", "You can also drag files to here.";
    stay: "Laat deze pagina open tot het uploaden klaar is. Valt de verbinding weg, dan gaan wij vanzelf verder waar het gebleven was.", "Keep this page open until the upload has finished. If the connection is lost, we go on by ourselves where it stopped.";
    title: "Uw uploads", "Your uploads";
    receipt: "Ontvangstbevestiging bekijken", "See the receipt";
    sign_in: "Inloggen in een nieuw tabblad", "Sign in in a new tab";
    unfinished: "Nog niet af", "Not finished yet";
    unfinished_lead: "Kies hierboven hetzelfde bestand nog een keer. Dan gaan wij verder waar het gebleven was.", "Choose the same file again above. We then go on where it stopped.";
    until: "te hervatten tot", "can be resumed until";
    came_of: "van", "of";
    waiting: "wacht", "waiting";
    running: "wordt geüpload", "being uploaded";
    lost: "verbinding weg", "connection lost";
    paused: "gepauzeerd", "paused";
    failed: "niet ontvangen", "not received";
    done: "ontvangen", "received";
    pause: "Pauzeren", "Pause";
    resume: "Verdergaan", "Go on";
    again: "Opnieuw proberen", "Try again";
    cancel: "Annuleren", "Cancel";
    remove: "Weghalen", "Remove";
    progress: "Voortgang van {name}", "Progress of {name}";
    far: "{done} van {whole} ({percent} %)", "{done} of {whole} ({percent} %)";
    left: "nog ongeveer {time}", "about {time} left";
    soon: "nog minder dan een minuut", "less than a minute left";
    found: "Er was al {done} binnen. Wij gaan daar verder.", "We had {done} already. We go on from there.";
    lost_why: "Wij hebben nu geen verbinding met u. Wij proberen het steeds opnieuw.", "We have no connection with you now. We keep trying.";
    no_connection: "Het lukt al lang niet om verbinding te maken. Ga verder als uw verbinding er weer is.", "We have not reached you for a long time. Go on when your connection is back.";
    signed_out: "U bent uitgelogd. Log in en ga dan hier verder. Wat binnen is, blijft bewaard.", "You are signed out. Sign in, then go on here. What has arrived is kept.";
    gone: "Wat er van dit bestand binnen was, is er niet meer. Het is ergens anders verwijderd of het heeft te lang gewacht.", "What had arrived of this file is gone. It was removed elsewhere or waited too long.";
    other: "Er staat nog een deel van een ander bestand met deze naam. Begint u opnieuw, dan verdwijnt dat deel.", "A part of another file of this name is still here. If you start anew, that part goes.";
    refused: "Dit kan nu niet. Probeer het later nog eens of neem contact met ons op.", "This cannot be done now. Try again later or contact us.";
    unreadable: "Uw browser kan dit bestand niet meer lezen. Is het veranderd of verplaatst? Kies het dan opnieuw.", "Your browser can no longer read this file. Was it changed or moved? Then choose it again.";
    sure: "Wilt u {name} niet meer aanleveren? Wat er al van binnen is, verdwijnt.", "Do you no longer want to upload {name}? What has arrived of it goes.";
    removed: "Weggehaald.", "Removed.";
    not_removed: "Het weghalen is niet gelukt. U vindt het bestand bij uw deelnemersbestanden.", "It could not be removed. You find the file among your participant files.";
    chosen: "Gekozen bestanden: {count}. Druk nu op de knop om ze aan te leveren.", "Files chosen: {count}. Now press the button to upload them.";
}
