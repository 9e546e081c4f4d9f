//! Mandates of clients to intermediaries (D4, J8): the list, putting one on record, changing, blocking
//! and ending it. Where two people are asked, what lets a mandate reach further is proposed.

use std::collections::BTreeSet;

use super::super::form::{Form as Sent, escaped};
use super::super::texts::{OfficeMandateTexts, mandates::Texts as PortalTexts};
use super::sheet::{Cell, Field, Form, Given, Mistake, Part, Search, Sheet, Table};
use super::{Ask, Desk, Failure, MOST_ROWS, fits, paged, sought, wanted};
use crate::domain::ids::MandateId;
use crate::domain::mandate::{Mandate, MandatePhase, Scope};
use crate::domain::names::{OrganisationCode, ProductCode};
use crate::domain::office::OFFICE;
use crate::domain::proposal::ProposedAct;
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::Act;
use crate::fronts::https::reply::Reply;
use crate::operations::StandingChange;

impl Desk {
    /// The texts of these pages.
    pub(super) const fn mandate_words(&self) -> &'static OfficeMandateTexts {
        OfficeMandateTexts::of(self.guest.language)
    }

    /// What the portal's pages about mandates say too.
    pub(super) const fn portal_mandate_words(&self) -> &'static PortalTexts {
        PortalTexts::of(self.guest.language)
    }
}

/// The list, page by page.
pub(in crate::fronts::https) fn mandates(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    listing(ask, desk, None, String::new())
}

/// Puts one on record, or proposes it.
pub(in crate::fronts::https) fn add_mandate(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let sent = Sent::read(&ask.content);
    match read_new(ask, desk, &sent).and_then(|act| Ok(ask.site.operations.do_or_propose(act, &desk.visit)?)) {
        Ok(proposal) => {
            let word = if proposal.is_some() { "proposed" } else { "added" };
            desk.after(Ok(()), ("/office/mandates", word), |error| listing(ask, desk, None, error))
        }
        Err(mistake) => {
            desk.after(Err(mistake), ("/office/mandates", ""), |error| listing(ask, desk, Some(&sent), error))
        }
    }
}

fn read_new(ask: &Ask, desk: &Desk, sent: &Sent) -> Result<ProposedAct, Mistake> {
    let (words, own, portal) = (desk.words(), desk.mandate_words(), desk.portal_mandate_words());
    let intermediary = desk.read(sent, ("intermediary", portal.intermediary), OrganisationCode::parse)?;
    let client = desk.read(sent, ("client", portal.client), OrganisationCode::parse)?;
    let products = ticked(desk, sent)?;
    if products.is_empty() {
        return Err(Mistake::Said(own.choose_product.to_owned()));
    }
    let scope = Scope::new(products)?;
    let from = desk.read_first_day(ask, sent, ("from", words.from))?;
    let until = desk.read_last_day(ask, sent, ("until", words.until))?;
    Ok(ProposedAct::AddMandate { intermediary, client, scope, from, until })
}

/// One mandate.
pub(in crate::fronts::https) fn mandate(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    showing(ask, desk, None, String::new())
}

/// Changes its products or its end, or proposes that.
pub(in crate::fronts::https) fn change_mandate(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let (sent, id) = (Sent::read(&ask.content), id_in(ask)?);
    let to = format!("/office/mandates/{id}");
    match read_change(ask, desk, &sent, id).and_then(|act| Ok(ask.site.operations.do_or_propose(act, &desk.visit)?)) {
        Ok(proposal) => {
            let word = if proposal.is_some() { "proposed" } else { "saved" };
            desk.after(Ok(()), (&to, word), |error| showing(ask, desk, None, error))
        }
        Err(mistake) => desk.after(Err(mistake), (&to, ""), |error| showing(ask, desk, Some(&sent), error)),
    }
}

fn read_change(ask: &Ask, desk: &Desk, sent: &Sent, id: MandateId) -> Result<ProposedAct, Mistake> {
    let known = ask.site.operations.mandate(id)?;
    let (chosen, before) = (ticked(desk, sent)?, known.scope.products());
    if chosen.is_empty() {
        return Err(Mistake::Said(desk.mandate_words().choose_product.to_owned()));
    }
    Ok(ProposedAct::WidenMandate {
        mandate: id,
        added: chosen.difference(before).cloned().collect(),
        removed: before.difference(&chosen).cloned().collect(),
        until: desk.read_last_day(ask, sent, ("until", desk.words().until))?,
        intermediary: known.intermediary,
        client: known.client,
    })
}

fn ticked(desk: &Desk, sent: &Sent) -> Result<BTreeSet<ProductCode>, Mistake> {
    let codes = sent.names_after("product-").map(ProductCode::parse).collect::<Result<_, _>>();
    codes.map_err(|_| Mistake::Said(format!("{} {}", desk.words().check_field, desk.mandate_words().products)))
}

/// Blocks it.
pub(in crate::fronts::https) fn block_mandate(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    stand(ask, desk, "blocked", |sent| desk.read_block(ask, sent))
}

/// Lifts its block.
pub(in crate::fronts::https) fn unblock_mandate(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    stand(ask, desk, "unblocked", |_| Ok(StandingChange::Unblock))
}

/// Ends it, with every right that follows from it.
pub(in crate::fronts::https) fn end_mandate(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    stand(ask, desk, "ended", |sent| desk.read_end(sent))
}

fn stand(
    ask: &Ask,
    desk: &Desk,
    word: &str,
    read: impl FnOnce(&Sent) -> Result<StandingChange, Mistake>,
) -> Result<Reply, Failure> {
    let (sent, id) = (Sent::read(&ask.content), id_in(ask)?);
    let outcome = read(&sent).and_then(|change| {
        ask.site.operations.change_mandate_standing(id, change, &desk.visit)?;
        Ok(())
    });
    desk.after(outcome, (&format!("/office/mandates/{id}"), word), |error| showing(ask, desk, None, error))
}

fn id_in(ask: &Ask) -> Result<MandateId, Failure> {
    MandateId::parse(ask.segment(0)).map_err(|_| Refusal::NotFound(What::Mandate).into())
}

fn state(desk: &Desk, phase: MandatePhase) -> Cell {
    let words = desk.portal_mandate_words();
    Cell::state(match phase {
        MandatePhase::InForce => (words.state_in_force, "done"),
        MandatePhase::Announced => (words.state_announced, "new"),
        MandatePhase::Blocked => (words.state_blocked, "gone"),
        MandatePhase::Over => (words.state_over, "gone"),
    })
}

fn end_of(ask: &Ask, desk: &Desk, mandate: &Mandate) -> String {
    let no_end = || desk.portal_mandate_words().no_end.to_owned();
    mandate.until.map_or_else(no_end, |until| desk.last_day(ask, until))
}

fn codes(mandate: &Mandate) -> String {
    mandate.scope.products().iter().map(ProductCode::as_str).collect::<Vec<_>>().join(", ")
}

fn listing(ask: &Ask, desk: &Desk, sent: Option<&Sent>, error: String) -> Result<Reply, Failure> {
    let (words, own, portal) = (desk.words(), desk.mandate_words(), desk.portal_mandate_words());
    let (asked, wanted, now) = (Sent::read(ask.query.as_bytes()), wanted(ask), ask.site.operations.now());
    let shows_all = asked.field("all") == "yes";
    let after = MandateId::parse(asked.field("after")).ok().map(|id| ask.site.operations.mandate(id)).transpose()?;
    let keep = |row: &Mandate| {
        (shows_all || row.phase(now) != MandatePhase::Over)
            && fits(&wanted, &[row.intermediary.as_str(), row.client.as_str(), &codes(row)])
    };
    let (rows, rest) = paged(|after| ask.site.operations.mandates(after), Clone::clone, keep, after)?;
    let rows = rows.iter().map(|row| {
        vec![
            Cell::link(
                format!("{} – {}", row.client, row.intermediary),
                desk.href(&format!("/office/mandates/{}", row.id)),
            ),
            codes(row).into(),
            desk.day(ask, row.from).into(),
            end_of(ask, desk, row).into(),
            state(desk, row.phase(now)),
        ]
    });
    let more = rest.map_or_else(String::new, |last| {
        let (all, show) = (if shows_all { "yes" } else { "" }, escaped(&wanted));
        desk.href(&format!("/office/mandates?show={show}&all={all}&after={}", last.id))
    });
    let none = Given(None);
    let scopes = vec![(String::new(), own.running.to_owned()), ("yes".to_owned(), own.all.to_owned())];
    let mut scope = none.choice("all", own.which, scopes, asked.field("all"));
    scope.required = false;
    let mut parts = vec![
        Part::Search(Search {
            action: "/office/mandates",
            fields: vec![none.kind("search", "show", own.search, &wanted), scope],
            button: words.search,
        }),
        Part::Table(Table {
            head: vec![own.mandate, own.products, words.from, words.until, words.state],
            rows: rows.collect(),
            empty: words.nothing_found,
            more,
            more_label: words.more,
            ..Table::default()
        }),
    ];
    if desk.may(Act::Administer) {
        let given = Given(sent);
        let (known, _) = sought(
            |after| ask.site.operations.organisations(after),
            |row| row.code.clone(),
            |row| row.code.as_str() != OFFICE,
        )?;
        let mut organisations = vec![(String::new(), desk.guest.texts().choose.to_owned())];
        organisations.extend(known.iter().map(|row| (row.code.to_string(), format!("{} ({})", row.name, row.code))));
        parts.push(Part::Form(Form {
            id: "add",
            title: own.add,
            lead: if ask.site.operations.asks_two() { words.two_lead } else { own.add_lead },
            action: desk.href("/office/mandates"),
            fields: vec![
                given.choice("intermediary", portal.intermediary, organisations.clone(), ""),
                given.choice("client", portal.client, organisations, ""),
                products(ask, desk, &given, "")?,
                given.kind("date", "from", words.from, "").hinted(own.from_hint),
                given.kind("date", "until", words.until, "").hinted(own.until_hint),
            ],
            button: own.add,
            ..Form::default()
        }));
    }
    let (title, lead) = (own.mandates.to_owned(), own.lead.to_owned());
    desk.sheet(ask, Sheet { title, lead, error, parts, ..Sheet::default() })
}

/// One box for each product.
fn products(ask: &Ask, desk: &Desk, given: &Given<'_>, usual: &str) -> Result<Field, Failure> {
    let own = desk.mandate_words();
    let (known, _) = sought(|after| ask.site.operations.products(after), |row| row.code.clone(), |_| true)?;
    let offered: Vec<_> =
        known.iter().map(|row| (row.code.to_string(), format!("{} ({})", row.name, row.code))).collect();
    let hint = if offered.is_empty() { own.no_products } else { "" };
    Ok(given.checks("product", own.products, offered, usual).hinted(hint))
}

fn showing(ask: &Ask, desk: &Desk, sent: Option<&Sent>, error: String) -> Result<Reply, Failure> {
    let (words, own, portal) = (desk.words(), desk.mandate_words(), desk.portal_mandate_words());
    let sheet = ask.site.operations.mandate_sheet(id_in(ask)?, MOST_ROWS, &desk.visit)?;
    let (view, mandate) = (&sheet.view, &sheet.view.mandate);
    let organisation = |name: &str, code: &OrganisationCode| {
        Cell::link(format!("{name} ({code})"), desk.href(&format!("/office/organisations/{code}")))
    };
    let mut facts: Vec<(&'static str, Cell)> = vec![
        (portal.client, organisation(view.client_name.as_str(), &mandate.client)),
        (portal.intermediary, organisation(view.intermediary_name.as_str(), &mandate.intermediary)),
        (own.products, codes(mandate).into()),
        (words.from, desk.day(ask, mandate.from).into()),
        (words.until, end_of(ask, desk, mandate).into()),
        (words.added_on, desk.day(ask, mandate.added_at).into()),
        (words.state, state(desk, view.phase)),
    ];
    // what the standing says of a block or an end, after the state that tells of the period too
    facts.extend(desk.standing_facts(ask, &mandate.standing).into_iter().skip(1));
    let rights = sheet.rights.iter().map(|right| {
        let link = desk.href(&format!("/office/accounts/{}", right.login));
        vec![Cell::link(right.login.as_str(), link), right.product.as_str().into()]
    });
    let mut parts = vec![
        Part::Facts(facts),
        Part::Table(Table {
            title: own.rights,
            head: vec![words.account, words.product],
            rows: rights.collect(),
            empty: own.rights_none,
            ..Table::default()
        }),
    ];
    if sheet.rights.len() >= MOST_ROWS {
        parts.push(Part::Note(own.rights_more.to_owned()));
    }
    let base = format!("/office/mandates/{}", mandate.id);
    if view.phase != MandatePhase::Over {
        if desk.may(Act::Administer) {
            let given = Given(sent);
            parts.push(Part::Form(Form {
                id: "change",
                title: own.change,
                lead: if ask.site.operations.asks_two() { own.change_two_lead } else { own.change_lead },
                action: desk.href(&base),
                fields: vec![
                    products(ask, desk, &given, &codes(mandate).replace(',', ""))?,
                    given.kind("date", "until", words.until, "").hinted(own.new_until_hint),
                ],
                button: words.save,
                ..Form::default()
            }));
        }
        parts.extend(desk.standing_forms(ask, &mandate.standing, &base, Act::Administer).into_iter().map(|part| {
            match part {
                Part::Form(form) => Part::Form(of_mandate(own, form)),
                other => other,
            }
        }));
    }
    let title = format!("{} {} – {}", own.mandate, mandate.client, mandate.intermediary);
    desk.sheet(ask, Sheet { title, back: desk.href("/office/mandates"), error, parts, ..Sheet::default() })
}

/// The same forms as for accounts, without the e-mails to a user that only those bring.
fn of_mandate(own: &OfficeMandateTexts, form: Form) -> Form {
    let lead = match form.id {
        "block" => own.block_lead,
        "end" => own.end_lead,
        _ => form.lead,
    };
    let fields = form.fields.into_iter().filter(|field| !matches!(field.name, "inform" | "code")).collect();
    Form { lead, fields, ..form }
}
