//! What is wrong with a participant file, in words, for each code of the checks.

super::catalogue! {
    name: "De naam van het bestand is anders dan is afgesproken.", "The name of the file is not as agreed.";
    extension: "De naam van het bestand eindigt anders dan is afgesproken.", "The name of the file does not end as agreed.";
    wrong_client: "Hier staat een andere organisatie dan die waarvoor u aanlevert.", "This names another organisation than the one you upload for.";
    empty: "Het bestand is leeg.", "The file is empty.";
    too_small: "Het bestand is kleiner dan mag.", "The file is smaller than allowed.";
    too_large: "Het bestand is groter dan mag.", "The file is larger than allowed.";
    encoding: "De tekens zijn anders opgeslagen dan is afgesproken.", "The characters are not encoded as agreed.";
    control_character: "Hier staat een teken dat niet in tekst hoort.", "This has a character that does not belong in text.";
    byte_order_mark: "Het bestand begint met een BOM. Die mag er niet staan.", "The file begins with a byte order mark, which is not allowed.";
    no_byte_order_mark: "Het bestand begint niet met een BOM. Die moet er staan.", "The file does not begin with a byte order mark, which is required.";
    line_end: "De regel eindigt anders dan is afgesproken.", "The line does not end as agreed.";
    line_too_long: "De regel is te lang.", "The line is too long.";
    column_names: "De namen van de kolommen zijn anders dan is afgesproken.", "The names of the columns are not as agreed.";
    column_count: "Het aantal kolommen klopt niet.", "The number of columns is not right.";
    record_length: "De regel heeft niet de juiste lengte.", "The line does not have the right length.";
    no_first_record: "Het voorlooprecord ontbreekt.", "The first record is missing.";
    no_last_record: "Het sluitrecord ontbreekt.", "The last record is missing.";
    after_the_last_record: "Na het sluitrecord staat nog iets.", "Something stands after the last record.";
    record_count: "Het aantal records is anders dan het sluitrecord zegt.", "The number of records differs from what the last record says.";
    missing: "Hier moet iets staan, maar de kolom is leeg.", "Something must stand here, but the column is empty.";
    too_long: "De waarde is te lang.", "The value is too long.";
    not_an_integer: "Dit is geen heel getal.", "This is not a whole number.";
    not_a_number: "Dit is geen getal.", "This is not a number.";
    not_a_date: "Dit is geen datum in de afgesproken vorm.", "This is not a date in the agreed form.";
    not_a_citizen_number: "Dit is geen geldig burgerservicenummer.", "This is not a valid citizen service number.";
    not_in_list: "Deze waarde komt niet voor in de afgesproken lijst.", "This value is not in the agreed list.";
    not_json: "Dit is geen geldige JSON.", "This is not valid JSON.";
    not_xml: "Dit is geen geldige XML.", "This is not valid XML.";
    too_complex: "Dit deel is te groot of te diep genest.", "This part is too large or nested too deeply.";
    document_type: "Een documenttype mag niet in de XML staan.", "A document type is not allowed in the XML.";
    infected: "De viruscontrole heeft iets gevonden in dit bestand.", "The virus scan found something in this file.";
    not_scanned: "Wij konden dit bestand niet op virussen controleren.", "We could not scan this file for viruses.";
    out_of_order: "Het volgnummer sluit niet aan op dat van het vorige bestand.", "The sequence number does not follow that of the file before.";
}

/// The sentence for a code; the code itself for one that has none.
pub(in crate::fronts::https::portal) fn said(t: &Texts, code: &str) -> String {
    let text = match code {
        "name" => t.name,
        "extension" => t.extension,
        "wrong-client" | "wrong-client-in-name" => t.wrong_client,
        "empty" => t.empty,
        "too-small" => t.too_small,
        "too-large" => t.too_large,
        "encoding" => t.encoding,
        "control-character" => t.control_character,
        "byte-order-mark" => t.byte_order_mark,
        "no-byte-order-mark" => t.no_byte_order_mark,
        "line-end" => t.line_end,
        "line-too-long" | "record-too-long" => t.line_too_long,
        "column-names" => t.column_names,
        "column-count" | "too-many-columns" => t.column_count,
        "record-length" => t.record_length,
        "no-first-record" => t.no_first_record,
        "no-last-record" => t.no_last_record,
        "after-the-last-record" => t.after_the_last_record,
        "record-count" => t.record_count,
        "missing" => t.missing,
        "too-long" => t.too_long,
        "not-an-integer" => t.not_an_integer,
        "not-a-number" => t.not_a_number,
        "not-a-date" => t.not_a_date,
        "not-a-citizen-number" => t.not_a_citizen_number,
        "not-in-list" => t.not_in_list,
        "not-json" => t.not_json,
        "not-xml" => t.not_xml,
        "nested-too-deep" | "piece-too-long" => t.too_complex,
        "document-type" => t.document_type,
        "not-scanned" | "too-large-to-scan" => t.not_scanned,
        "sequence-gap" => t.out_of_order,
        infected if infected.starts_with("infected-") => t.infected,
        other => return other.to_owned(),
    };
    text.to_owned()
}
