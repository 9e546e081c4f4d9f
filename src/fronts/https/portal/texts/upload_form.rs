//! Texts of the form with which participant files are uploaded, and of what is refused there (P10).

super::catalogue! {
    title: "Bestand aanleveren", "Upload a file";
    title_for: "Bestand aanleveren voor", "Upload a file for";
    replace_title: "Bestand vervangen", "Replace a file";
    lead: "Kies het product en het bestand. Daarna krijgt u meteen een ontvangstbevestiging.", "Choose the product and the file. Then you get a receipt at once.";
    replace_lead: "Kies het nieuwe bestand. Het vorige bestand verwerken wij dan niet.", "Choose the new file. We then do not process the one before.";
    replace_name: "Het nieuwe bestand moet dezelfde naam hebben.", "The new file must have the same name.";
    none: "Er is nu geen product waarvoor u bestanden kunt aanleveren. De beheerder van uw organisatie regelt wie dat mag.", "There is no product now for which you can upload files. The administrator of your organisation decides who may.";
    product: "Voor welk product is het bestand?", "For which product is the file?";
    product_only: "Product", "Product";
    files: "Welk bestand levert u aan?", "Which file do you upload?";
    files_hint: "U kunt meer bestanden tegelijk kiezen.", "You can choose several files at once.";
    one_hint: "Kies één bestand.", "Choose one file.";
    name_hint: "Gebruik in de naam alleen letters zonder accent, cijfers, punten, streepjes en liggende streepjes. Geen spaties.", "Use only letters without accents, digits, dots, hyphens and underscores in the name. No spaces.";
    most: "Een bestand is hoogstens", "A file has at most";
    room: "U kunt nu nog zoveel aanleveren", "You can now upload so much";
    stay: "Laat deze pagina open tot u de ontvangstbevestiging ziet. Bij een groot bestand duurt dat even.", "Keep this page open until you see the receipt. With a large file that takes a while.";
    sealed: "Wij versleutelen uw bestand terwijl het binnenkomt.", "We encrypt your file while it comes in.";
    send: "Aanleveren", "Upload";
    send_replace: "Vervangen", "Replace";
    cancel: "Annuleren", "Cancel";
    wrong_title: "Niet ontvangen", "Not received";
    nothing_changed: "Wij hebben niets bewaard. Er is niets veranderd.", "We kept nothing. Nothing was changed.";
    again: "Opnieuw proberen", "Try again";
    some_title: "Niet alle bestanden zijn ontvangen", "Not all files were received";
    some_received: "Wel ontvangen", "Received";
    some_unread: "De bestanden die daarna kwamen, hebben wij niet gelezen. Lever ze opnieuw aan.", "We did not read the files that came after that. Upload them again.";
    no_file: "U heeft geen bestand gekozen.", "You did not choose a file.";
    no_product: "U heeft geen product gekozen.", "You did not choose a product.";
    wrong_name: "De naam van dit bestand kunnen wij niet gebruiken.", "We cannot use the name of this file.";
    try_name: "U kunt het bestand bijvoorbeeld deze naam geven", "You can for example give the file this name";
    temporary_name: "Deze naam is voor bestanden die nog niet af zijn. Geef het bestand een andere naam.", "This name is for files that are not finished. Give the file another name.";
    other_name: "De naam is anders dan die van het bestand dat u vervangt. Geef het bestand dezelfde naam. Of trek het oude in en lever het nieuwe apart aan.", "The name differs from that of the file that you replace. Give the file the same name. Or withdraw the old one and upload the new one separately.";
    too_large: "Het bestand is te groot.", "The file is too large.";
    too_full: "Er past nu niet meer bij. Er staan nog te veel bestanden van u of van uw organisatie. Probeer het later of neem contact met ons op.", "No more fits now. Too many files of yours or of your organisation are still here. Try later or contact us.";
    too_many: "U kunt hoogstens zoveel bestanden tegelijk aanleveren", "You can upload at most so many files at once";
    no_space: "Er is bij ons nu geen ruimte. Probeer het later nog eens.", "There is no space here now. Try again later.";
    name_taken: "Er is al een bestand met deze naam. Geef het bestand een andere naam. Of vervang het bestand dat er al is.", "There is a file of this name already. Give the file another name. Or replace the file that is there.";
    not_yours: "Een ander account is met een bestand van deze naam bezig. Geef het bestand een andere naam.", "Another account is busy with a file of this name. Give the file another name.";
    replaced_late: "Dit bestand kan niet meer worden vervangen. Wij hebben het al in behandeling of het is al afgerond.", "This file can no longer be replaced. We are processing it already or it is finished.";
    taken_over: "Het uploaden is afgebroken: u bent ergens anders opnieuw met dit bestand begonnen.", "The upload was broken off: you began anew with this file elsewhere.";
    no_right: "U kunt voor dit product geen bestanden aanleveren.", "You cannot upload files for this product.";
    interrupted: "Het bestand is niet helemaal aangekomen. Controleer uw verbinding en lever het opnieuw aan.", "The file did not arrive in full. Check your connection and upload it again.";
    too_slow: "Het uploaden heeft te lang stilgestaan. Controleer uw verbinding en lever het opnieuw aan.", "The upload stood still for too long. Check your connection and upload it again.";
    signed_out: "U bent intussen uitgelogd. Log in en lever het bestand opnieuw aan.", "You were signed out meanwhile. Sign in and upload the file again.";
    not_a_form: "Uw browser heeft iets gestuurd wat wij niet kunnen lezen. Open het formulier opnieuw.", "Your browser sent something that we cannot read. Open the form anew.";
}
