//! Terms of use (I1-I14): the versions, publishing one, who has accepted, and putting an acceptance on
//! record that was given on paper or otherwise.

use super::super::form::{Form as Sent, escaped};
use super::super::terms::text_of;
use super::super::texts::{OfficeTermsTexts, TermsTexts};
use super::sheet::{Cell, Form, Given, Mistake, Part, Search, Sheet, Table};
use super::{Ask, Desk, Failure, fits, paged, wanted};
use crate::domain::account::{Account, AccountKind};
use crate::domain::block::Access;
use crate::domain::names::{Line, LoginName, VersionName};
use crate::domain::office::OFFICE;
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::Act;
use crate::domain::terms::{AcceptedBy, TermsStanding};
use crate::fronts::https::reply::Reply;
use crate::operations::{AccountTerms, NewTerms, TermsOverview, TermsState};

impl Desk {
    /// The texts of these pages.
    pub(super) const fn terms_words(&self) -> &'static OfficeTermsTexts {
        OfficeTermsTexts::of(self.guest.language)
    }

    const fn portal_terms_words(&self) -> &'static TermsTexts {
        TermsTexts::of(self.guest.language)
    }
}

/// The versions, and the form that publishes one.
pub(in crate::fronts::https) fn terms(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    listing(ask, desk, None, String::new())
}

/// Publishes a version.
pub(in crate::fronts::https) fn publish_terms(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let sent = Sent::read(&ask.content);
    let outcome = read_new(ask, desk, &sent).and_then(|new| {
        ask.site.operations.publish_terms(new, &desk.visit)?;
        Ok(())
    });
    desk.after(outcome, ("/office/terms", "published"), |error| listing(ask, desk, Some(&sent), error))
}

fn read_new(ask: &Ask, desk: &Desk, sent: &Sent) -> Result<NewTerms, Mistake> {
    let own = desk.terms_words();
    let name = desk.read(sent, ("version", own.name), VersionName::parse)?;
    let effective_at = desk.read_first_day(ask, sent, ("from", own.from))?;
    let effective_at =
        effective_at.ok_or_else(|| Mistake::Said(format!("{} {}", desk.words().check_field, own.from)))?;
    let text = desk.read(sent, ("text", own.text), crate::domain::terms::parse_text)?;
    let english = desk.read_some(sent, ("english", own.english), crate::domain::terms::parse_text)?;
    desk.sure(sent)?;
    Ok(NewTerms { name, text, english, effective_at })
}

/// One version with its text.
pub(in crate::fronts::https) fn terms_version(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let name = VersionName::parse(ask.segment(0)).map_err(|_| Refusal::NotFound(What::Terms))?;
    let rows = ask.site.operations.terms_overview(&desk.visit)?;
    let row = rows.into_iter().find(|row| row.version.name == name).ok_or(Refusal::NotFound(What::Terms))?;
    let (own, portal, version) = (desk.terms_words(), desk.portal_terms_words(), &row.version);
    let mut facts: Vec<(&'static str, Cell)> = vec![
        (portal.state, state(desk, row.state)),
        (own.published, desk.time(ask, version.published_at).into()),
        (own.from, desk.time(ask, version.effective_at).into()),
        (own.refusable_until, desk.last_day(ask, version.refusable_until).into()),
        (own.accepted, row.accepted.to_string().into()),
        (own.digest, version.sha256.to_string().into()),
    ];
    facts.extend(version.english_sha256.map(|digest| (own.digest_english, digest.to_string().into())));
    if version.number == 1 {
        facts.push((own.grace_until, desk.last_day(ask, version.grace_until).into()));
    }
    let text = text_of(ask, &desk.guest, version)?;
    let title = format!("{} {}", own.title, version.name);
    let parts = vec![Part::Facts(facts), Part::Text(text)];
    desk.sheet(ask, Sheet { title, back: desk.href("/office/terms"), parts, ..Sheet::default() })
}

fn state(desk: &Desk, state: TermsState) -> Cell {
    let portal = desk.portal_terms_words();
    Cell::state(match state {
        TermsState::Coming => (portal.state_coming, "new"),
        TermsState::InForce => (portal.state_now, "done"),
        TermsState::Earlier => (portal.state_earlier, "gone"),
    })
}

fn listing(ask: &Ask, desk: &Desk, sent: Option<&Sent>, error: String) -> Result<Reply, Failure> {
    let (own, portal, given) = (desk.terms_words(), desk.portal_terms_words(), Given(sent));
    let versions = ask.site.operations.terms_overview(&desk.visit)?;
    let rows = versions.iter().map(|row: &TermsOverview| {
        let version = &row.version;
        vec![
            Cell::link(version.name.as_str(), desk.href(&format!("/office/terms/versions/{}", version.name))),
            desk.day(ask, version.published_at).into(),
            desk.day(ask, version.effective_at).into(),
            desk.last_day(ask, version.refusable_until).into(),
            row.accepted.to_string().into(),
            state(desk, row.state),
        ]
    });
    let mut parts = vec![Part::Table(Table {
        head: vec![own.name, own.published, own.from, own.refusable_until, own.accepted, portal.state],
        rows: rows.collect(),
        empty: portal.none,
        ..Table::default()
    })];
    if !versions.is_empty() {
        parts.push(Part::Onward(desk.href("/office/terms/accounts"), own.who));
    }
    if desk.may(Act::Define) {
        parts.push(Part::Form(Form {
            id: "publish",
            title: own.publish,
            lead: own.publish_lead,
            action: desk.href("/office/terms"),
            fields: vec![
                given.text("version", own.name, "").required().hinted(own.name_hint),
                given.kind("date", "from", own.from, "").required().hinted(own.from_hint),
                given.kind("textarea", "text", own.text, "").required().hinted(own.text_hint),
                given.kind("textarea", "english", own.english, "").hinted(own.english_hint),
                Given(None).kind("checkbox", "sure", own.sure, "").required(),
            ],
            button: own.publish,
            ..Form::default()
        }));
    }
    let (title, lead) = (own.title.to_owned(), own.lead.to_owned());
    desk.sheet(ask, Sheet { title, lead, error, parts, ..Sheet::default() })
}

/// Who has accepted, and who has not, page by page.
pub(in crate::fronts::https) fn terms_accounts(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let (words, own, now) = (desk.words(), desk.terms_words(), ask.site.operations.now());
    let (asked, wanted) = (Sent::read(ask.query.as_bytes()), wanted(ask));
    let which = asked.field("which");
    let keep = |(account, terms): &(Account, AccountTerms)| {
        let is_accepted = terms.accepted.is_some();
        account.organisation.as_str() != OFFICE
            && account.standing.at(now) != Access::Ended
            && (which == "all" || is_accepted == (which == "accepted"))
            && fits(&wanted, &[account.login.as_str(), account.organisation.as_str()])
    };
    let (rows, rest) = paged(
        |after| ask.site.operations.accounts_under_terms(after, &desk.visit),
        |(account, _)| account.login.clone(),
        keep,
        LoginName::parse(asked.field("after")).ok(),
    )?;
    let rows = rows.iter().map(|(account, terms)| {
        let kind = match account.kind {
            AccountKind::Machine { .. } => words.machine,
            AccountKind::Person { .. } if account.is_administrator => words.administrator,
            AccountKind::Person { .. } => words.person,
        };
        vec![
            Cell::link(account.login.as_str(), desk.href(&format!("/office/accounts/{}", account.login))),
            kind.into(),
            account.organisation.as_str().into(),
            standing(desk, terms.standing),
            how(ask, desk, terms).into(),
        ]
    });
    let more = rest.map_or_else(String::new, |login| {
        let (show, login) = (escaped(&wanted), escaped(login.as_str()));
        desk.href(&format!("/office/terms/accounts?show={show}&which={}&after={login}", escaped(which)))
    });
    let none = Given(None);
    let choices = [("", own.show_open), ("accepted", own.show_accepted), ("all", own.show_all)];
    let choices = choices.map(|(value, label)| (value.to_owned(), label.to_owned())).to_vec();
    let mut choice = none.choice("which", words.which, choices, which);
    choice.required = false;
    let parts = vec![
        Part::Search(Search {
            action: "/office/terms/accounts",
            fields: vec![none.kind("search", "show", words.search_account, &wanted), choice],
            button: words.search,
        }),
        Part::Table(Table {
            head: vec![words.account, words.kind, words.organisation, own.terms, own.how],
            rows: rows.collect(),
            empty: words.nothing_found,
            more,
            more_label: words.more,
            ..Table::default()
        }),
    ];
    let (title, lead) = (own.who.to_owned(), own.accounts_lead.to_owned());
    desk.sheet(ask, Sheet { title, lead, back: desk.href("/office/terms"), parts, ..Sheet::default() })
}

/// Puts an acceptance on record that was given on paper or otherwise, and how that is known.
pub(in crate::fronts::https) fn record_acceptance(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let sent = Sent::read(&ask.content);
    let login = LoginName::parse(ask.segment(0)).map_err(|_| Refusal::NotFound(What::Account))?;
    let outcome = desk
        .read(&sent, ("by", desk.terms_words().record_by), Line::parse)
        .and_then(|by| Ok(ask.site.operations.record_acceptance(&login, by, &desk.visit)?));
    super::accounts::ended_with(ask, desk, outcome, "accepted")
}

/// What the terms mean for an account, as facts of its page.
pub(super) fn facts(ask: &Ask, desk: &Desk, terms: &AccountTerms) -> Vec<(&'static str, Cell)> {
    let own = desk.terms_words();
    let mut facts = vec![(own.terms, standing(desk, terms.standing))];
    let how = how(ask, desk, terms);
    facts.extend((!how.is_empty()).then(|| (own.how, how.into())));
    facts
}

/// The form that puts an acceptance on record, where one is asked for.
pub(super) fn form(desk: &Desk, login: &LoginName, terms: &AccountTerms) -> Option<Part> {
    let own = desk.terms_words();
    let is_asked = matches!(terms.standing, TermsStanding::InGrace(_) | TermsStanding::Open);
    (is_asked && desk.may(Act::Administer)).then(|| {
        Part::Form(Form {
            id: "terms",
            title: own.record,
            lead: own.record_lead,
            action: desk.href(&format!("/office/accounts/{login}/terms")),
            fields: vec![Given(None).text("by", own.record_by, "").required().hinted(own.record_by_hint)],
            button: own.record,
            ..Form::default()
        })
    })
}

fn standing(desk: &Desk, standing: TermsStanding) -> Cell {
    let own = desk.terms_words();
    Cell::state(match standing {
        TermsStanding::Accepted => (own.state_accepted, "done"),
        TermsStanding::InGrace(_) => (own.state_grace, "busy"),
        TermsStanding::Open => (own.state_open, "gone"),
        TermsStanding::Unbound => (own.state_unbound, "new"),
    })
}

/// Which version was accepted when and by whom; else how long the account goes on without.
fn how(ask: &Ask, desk: &Desk, terms: &AccountTerms) -> String {
    let own = desk.terms_words();
    let Some((row, name)) = &terms.accepted else {
        return match terms.standing {
            TermsStanding::InGrace(until) => format!("{} {}", own.access_until, desk.last_day(ask, until)),
            TermsStanding::Open => own.no_access.to_owned(),
            TermsStanding::Unbound | TermsStanding::Accepted => String::new(),
        };
    };
    let day = desk.day(ask, row.at);
    let by = match &row.by {
        AcceptedBy::Oneself => format!("{} {day}", own.by_oneself),
        AcceptedBy::Owner(address) => format!("{day}, {} {address}", own.by_owner),
        AcceptedBy::Administrator(login) => format!("{day}, {} {login}", own.by_administrator),
        AcceptedBy::Operator(line) => format!("{day}, {} {line}", own.by_operator),
    };
    format!("{} {name}: {by}", own.name)
}
