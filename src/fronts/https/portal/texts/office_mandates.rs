//! Texts of the office's pages about mandates.

super::catalogue! {
    mandates: "Machtigingen", "Mandates";
    mandate: "Machtiging", "Mandate";
    lead: "Met een machtiging werkt een intermediair voor een opdrachtgever. Tussen twee organisaties loopt er maar één tegelijk.", "Under a mandate an intermediary acts for a client. Between two organisations only one runs at a time.";
    search: "Zoeken op code van intermediair, opdrachtgever of product", "Search for a code of intermediary, client or product";
    which: "Wat u wilt zien", "What to show";
    running: "Wat niet voorbij is", "What is not over";
    all: "Alles, ook wat voorbij is", "Everything, also what is over";
    add: "Machtiging vastleggen", "Put a mandate on record";
    add_lead: "Doe dit als de opdrachtgever er schriftelijk mee akkoord is. De beheerder van de intermediair koppelt daarna zelf gebruikers.", "Do this when the client has agreed in writing. The administrator of the intermediary then couples users.";
    from_hint: "Laat leeg om meteen te beginnen.", "Leave empty to begin at once.";
    until_hint: "Laat leeg als er geen einde is afgesproken.", "Leave empty when no end was agreed.";
    products: "Producten", "Products";
    no_products: "Er zijn nog geen producten.", "There are no products yet.";
    choose_product: "Kies minstens één product.", "Choose at least one product.";
    change: "Producten of einde wijzigen", "Change products or end";
    change_lead: "Zet een vinkje bij elk product dat onder de machtiging valt. Wat u weghaalt, kan de intermediair meteen niet meer zien.", "Tick each product that the mandate is for. What you take away the intermediary can at once no longer see.";
    change_two_lead: "Een product erbij of een later einde gebeurt pas als een collega het bevestigt. Weghalen gebeurt meteen.", "Another product or a later end is done only when a colleague confirms it. Taking away is done at once.";
    new_until_hint: "Laat leeg om het einde te laten zoals het is.", "Leave empty to leave the end as it is.";
    rights: "Gekoppelde gebruikers", "Coupled users";
    rights_none: "Nog niemand is gekoppeld.", "Nobody is coupled yet.";
    rights_more: "Er zijn er meer dan hier staan.", "There are more than are shown here.";
    block_lead: "De intermediair kan dan niets meer doen voor deze opdrachtgever. De gekoppelde rechten blijven bewaard.", "The intermediary can then do nothing for this client. Coupled rights are kept.";
    end_lead: "Alle rechten die uit de machtiging volgen, vervallen meteen. Dit kunt u niet ongedaan maken.", "Every right that follows from the mandate is gone at once. This cannot be undone.";
    comes: "Komt erbij", "Is added";
    goes: "Gaat eraf", "Is taken away";
}
