//! What the office reads about documents of products.

super::catalogue! {
    title: "Documenten", "Documents";
    of_product: "Documenten bij dit product", "Documents of this product";
    lead: "Iedereen met een recht op dit product kan deze documenten lezen, zoals de productspecificatie. Het systeem legt vast wie ze leest.", "Everybody with a right to this product can read these documents, such as its specification. The system records who reads them.";
    none: "Er zijn nog geen documenten bij dit product.", "There are no documents for this product yet.";
    name: "Document", "Document";
    version: "Versie", "Version";
    version_hint: "Bijvoorbeeld 1.5. Dit mag leeg blijven.", "For example 1.5. This may stay empty.";
    size: "Grootte", "Size";
    digest: "Controlegetal (SHA-256)", "Checksum (SHA-256)";
    add: "Document toevoegen", "Add a document";
    add_lead: "Kies het bestand. Het is te lezen zodra u het toevoegt.", "Choose the file. It can be read as soon as you add it.";
    file: "Bestand", "File";
    file_hint: "De naam mag letters zonder accent, cijfers, punten, streepjes en lage streepjes hebben.", "Its name may have letters without accents, digits, dots, hyphens and underscores.";
    replace: "Nieuwe versie plaatsen", "Put a new version in its place";
    replace_lead: "Het document houdt zijn naam, zodat verwijzingen blijven werken. De oude versie is daarna niet meer te lezen.", "The document keeps its name, so that links go on working. The old version cannot be read afterwards.";
    remove: "Document verwijderen", "Remove the document";
    remove_lead: "Daarna kan niemand het meer lezen. In de geschiedenis blijft staan dat het er was.", "Nobody can read it afterwards. The history goes on to say that it was there.";
    remove_sure: "Ja, verwijder dit document.", "Yes, remove this document.";
    removed: "Het document is verwijderd.", "The document was removed.";
    choose_file: "Kies een bestand.", "Choose a file.";
    bad_name: "De naam van dit bestand kan niet. Gebruik letters zonder accent, cijfers, punten, streepjes en lage streepjes.", "This file name cannot be used. Use letters without accents, digits, dots, hyphens and underscores.";
    exists: "Er is al een document met deze naam. Open dat document om een nieuwe versie te plaatsen, of geef het bestand een andere naam.", "There is a document with this name already. Open that document to put a new version in its place, or give the file another name.";
    empty: "Dit bestand is leeg.", "This file is empty.";
    at_most: "Dit kan er niet bij. Een document mag niet groter zijn dan", "There is no room for this. A document may not be larger than";
    at_most_of_product: "Het aantal documenten bij een product is hoogstens", "The number of documents of a product is at most";
    ended_early: "Het bestand kwam niet helemaal binnen. Probeer het opnieuw.", "The file did not come in whole. Try it again.";
}
