//! Every text of the portal, in Dutch (B1, "u") and English: one row of a catalogue has both; one
//! catalogue for each area. Holds no markup.

/// Makes a catalogue: `Texts` with one field for each row, and the tests that each row has to pass.
macro_rules! catalogue {
    ($($name:ident: $dutch:literal, $english:literal;)*) => {
        /// The texts in one language.
        pub(in crate::fronts::https::portal) struct Texts {
            $(pub(in crate::fronts::https::portal) $name: &'static str,)*
        }

        static DUTCH: Texts = Texts { $($name: $dutch,)* };
        static ENGLISH: Texts = Texts { $($name: $english,)* };

        impl Texts {
            /// The texts of a language.
            pub(in crate::fronts::https::portal) const fn of(language: crate::domain::account::Language) -> &'static Self {
                match language {
                    crate::domain::account::Language::Dutch => &DUTCH,
                    crate::domain::account::Language::English => &ENGLISH,
                }
            }
        }

        #[cfg(test)]
        mod rules {
            const ALL: &[(&str, &str, &str)] = &[$((stringify!($name), $dutch, $english),)*];

            #[test]
            fn each_text_is_there_in_both_languages_and_holds_no_markup() {
                crate::fronts::https::portal::texts::rules::both_languages(ALL);
            }

            #[test]
            fn dutch_texts_are_plain() {
                crate::fronts::https::portal::texts::rules::plain(ALL);
            }
        }
    };
}

mod connections;
pub(super) mod deliveries;
pub(super) mod documents;
pub(super) mod expected;
mod glossary;
pub(super) mod help;
pub(super) mod instructions;
pub(super) mod mandates;
mod office;
mod office_attempts;
pub(super) mod office_documents;
mod office_incidents;
mod office_mandates;
mod office_terms;
mod office_uploads;
pub(super) mod organisation;
mod pages;
pub(super) mod passkeys;
#[cfg(test)]
mod rules;
pub(super) mod security;
mod terms;
pub(super) mod upload_faults;
pub(super) mod upload_form;
pub(super) mod upload_script;
pub(super) mod uploads;

use catalogue;
pub(super) use connections::Texts as ConnectionTexts;
pub(super) use glossary::Texts as GlossaryTexts;
pub(super) use office::Texts as OfficeTexts;
pub(super) use office_attempts::Texts as OfficeAttemptTexts;
pub(super) use office_incidents::Texts as OfficeIncidentTexts;
pub(super) use office_mandates::Texts as OfficeMandateTexts;
pub(super) use office_terms::Texts as OfficeTermsTexts;
pub(super) use office_uploads::Texts as OfficeUploadTexts;
pub(super) use pages::Texts;
pub(super) use terms::Texts as TermsTexts;
