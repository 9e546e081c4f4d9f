//! The texts of passkeys.

super::catalogue! {
    title: "Passkeys", "Passkeys";
    lead: "Een passkey is een sleutel in uw telefoon, computer of wachtwoordbeheerder. U gebruikt hem bij het inloggen in plaats van een code. Een nagemaakte site kan er niets mee.", "A passkey is a key in your telephone, computer or password manager. You use it when you sign in, in the place of a code. A site that only looks like ours can do nothing with it.";
    none: "U heeft nog geen passkey.", "You have no passkey yet.";
    added_on: "Toegevoegd op", "Added on";
    used_on: "Laatst gebruikt op", "Last used on";
    never_used: "Nog niet gebruikt", "Not used yet";
    add: "Passkey toevoegen", "Add a passkey";
    add_lead: "Kies een naam waaraan u deze passkey herkent. Daarna vraagt uw browser om uw vinger, gezicht of pincode.", "Choose a name by which you know this passkey. After that your browser asks for your finger, face or PIN.";
    name: "Naam van de passkey", "Name of the passkey";
    name_hint: "Bijvoorbeeld: laptop van het werk.", "For instance: laptop at work.";
    name_missing: "Vul een naam in van hoogstens 200 tekens.", "Give a name of at most 200 characters.";
    current: "Uw huidige wachtwoord", "Your present password";
    current_wrong: "Uw huidige wachtwoord klopt niet.", "Your present password is wrong.";
    make: "Passkey maken", "Make the passkey";
    make_lead: "Klik op de knop. Uw browser vraagt waar u de passkey wilt bewaren.", "Press the button. Your browser asks where you want to keep the passkey.";
    not_made: "Er is geen passkey gemaakt. Begin opnieuw.", "No passkey was made. Begin again.";
    known_already: "Deze passkey hoort al bij een account.", "This passkey belongs to an account already.";
    too_many: "U heeft het grootste aantal passkeys. Verwijder er eerst een.", "You have the largest number of passkeys. Remove one first.";
    remove: "Passkey verwijderen", "Remove the passkey";
    remove_lead: "Deze passkey werkt daarna niet meer. U logt dan in met een code uit uw app. Passkey:", "This passkey does not work any more after that. You then sign in with a code from your app. Passkey:";
    done_added: "De passkey is toegevoegd. U kunt hem gebruiken als u weer inlogt.", "The passkey was added. You can use it when you sign in again.";
    done_removed: "De passkey is verwijderd.", "The passkey was removed.";
    or_passkey: "Of gebruik uw passkey", "Or use your passkey";
    use_it: "Passkey gebruiken", "Use a passkey";
    failed: "Dat is niet gelukt. Probeer het opnieuw.", "That did not work. Try again.";
    not_taken: "Deze passkey werkt hier niet. Probeer het opnieuw, of vul een code in.", "This passkey does not work here. Try again, or enter a code.";
    unsupported: "Uw browser kan geen passkeys gebruiken.", "Your browser cannot use passkeys.";
    without_script: "Voor passkeys is JavaScript nodig. Met een code uit uw app werkt alles zonder.", "Passkeys need JavaScript. With a code from your app everything works without.";
}
