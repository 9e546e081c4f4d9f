//! The texts of documents of products (F7).

super::catalogue! {
    title: "Documenten", "Documents";
    lead: "Hier staan de specificaties en andere documenten van uw producten.", "Here are the specifications and other documents of your products.";
    none: "Er zijn nu geen documenten voor u.", "There are no documents for you now.";
    on_record: "Haalt u een document op? Dan leggen wij dat vast, net als bij een levering.", "When you fetch a document, we put that on record, as with a delivery.";
    document: "Document", "Document";
    version: "Versie", "Version";
    added: "Geplaatst op", "Added on";
    digests: "Controlegetallen (SHA-256)", "Checksums (SHA-256)";
    of_product: "Documenten bij dit product", "Documents of this product";
}
