//! Agreements: adding, listing, ending. Data set and purpose never change (E17).

use super::manage_organisations::organisation_of;
use super::manage_products::{product_of, refuse_no_retention};
use super::{Failure, MOST_AGREEMENTS, Officer, Operations};
use crate::domain::agreement::Agreement;
use crate::domain::decision::Decision;
use crate::domain::history::{About, Event, Happening, Who};
use crate::domain::ids::AgreementId;
use crate::domain::moment::{Moment, Span};
use crate::domain::names::{Line, OrganisationCode, ProductCode};
use crate::domain::record::Row;
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::Act;

/// What is needed to add an agreement.
#[derive(Clone, Debug)]
pub struct NewAgreement {
    /// The recipient.
    pub organisation: OrganisationCode,
    /// The product.
    pub product: ProductCode,
    /// The purpose.
    pub purpose: Line,
    /// Own retention.
    pub retention: Option<Span>,
    /// From when; now when `None`.
    pub from: Option<Moment>,
    /// Until when.
    pub until: Option<Moment>,
    /// Sealed to the recipient's own keys.
    pub end_to_end: bool,
    /// The recipient does not see the history (A20).
    pub history_hidden: bool,
}

impl Operations {
    /// Adds an agreement. Nobody is notified of it (C4).
    ///
    /// # Errors
    /// `NotFound` for organisation or product, `BadRequest` for a period that is none, `Exists` when
    /// one is in force at its beginning.
    pub fn add_agreement(&self, new: NewAgreement, by: impl Into<Officer>) -> Result<Agreement, Failure> {
        let who = self.acting(by, Act::Administer)?;
        let now = self.now();
        let from = new.from.unwrap_or(now);
        if new.until.is_some_and(|until| until <= from) {
            return Err(Refusal::BadRequest("an agreement must end after it begins".to_owned()).into());
        }
        if let Some(retention) = new.retention {
            refuse_no_retention(retention)?;
        }
        let agreement = Agreement {
            id: AgreementId::from_random(self.entropy.sixteen()),
            organisation: new.organisation,
            product: new.product,
            purpose: new.purpose,
            retention: new.retention,
            from,
            until: new.until,
            end_to_end: new.end_to_end,
            history_hidden: new.history_hidden,
            added_at: now,
            ended_at: None,
        };
        let row = agreement.clone();
        self.catalog.decide(Box::new(move |view| {
            organisation_of(view, &row.organisation)?;
            product_of(view, &row.product)?;
            let prefix = Agreement::keys_of(&row.organisation, Some(&row.product));
            let others = view.rows::<Agreement>(&prefix, None, MOST_AGREEMENTS)?;
            if others.len() >= MOST_AGREEMENTS {
                return Err(Refusal::TooMuch(format!("at most {MOST_AGREEMENTS} agreements for one product")).into());
            }
            if let Some(other) = others.iter().find(|other| other.is_in_force(row.from)) {
                let name = format!("{} for {} and {}", other.id, row.organisation, row.product);
                return Err(Refusal::Exists(What::Agreement, name).into());
            }
            let event = event(Happening::AgreementAdded, &row, who).with_note(row.purpose.as_str());
            Ok(Decision::new(now, event).put(row))
        }))?;
        Ok(agreement)
    }

    /// Agreements, of one organisation or all, in order of organisation and product.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn agreements(
        &self,
        organisation: Option<&OrganisationCode>,
        after: Option<&Agreement>,
    ) -> Result<Vec<Agreement>, Failure> {
        let prefix = organisation.map_or_else(Agreement::all, |code| Agreement::keys_of(code, None));
        let after = after.map(|a| Agreement::key_of(&a.organisation, &a.product, a.id));
        self.catalog.look(|view| Ok(view.rows(&prefix, after.as_ref(), self.settings.max_page)?))
    }

    /// Ends the agreement in force for an organisation and product now. Deliveries that were
    /// published stay available until the promised moment.
    ///
    /// # Errors
    /// `NotFound` when none is in force.
    pub fn end_agreement(
        &self,
        organisation: &OrganisationCode,
        product: &ProductCode,
        by: impl Into<Officer>,
    ) -> Result<(), Failure> {
        let who = self.acting(by, Act::Administer)?;
        let (now, organisation, product) = (self.now(), organisation.clone(), product.clone());
        self.catalog.decide(Box::new(move |view| {
            let agreement = super::agreement_in_force(view, &organisation, &product, now)?;
            let mut row = agreement.ok_or(Refusal::NotFound(What::Agreement))?;
            row.ended_at = Some(now);
            Ok(Decision::new(now, event(Happening::AgreementEnded, &row, who)).put(row))
        }))?;
        Ok(())
    }
}

fn event(what: Happening, agreement: &Agreement, who: impl Into<Who>) -> Event {
    let about = About {
        organisation: Some(agreement.organisation.clone()),
        product: Some(agreement.product.clone()),
        ..About::default()
    };
    Event::new(what, who.into(), about)
}
