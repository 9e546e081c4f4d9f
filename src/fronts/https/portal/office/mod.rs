//! The operator's office (P21), on the operator's listener: sign-in of the operator's people, what
//! waits for them, and what they steer. What they may do is judged by operations.

mod accounts;
mod agreements;
mod colleagues;
mod deliveries;
mod documents;
mod history;
mod incidents;
mod instructions;
mod interruptions;
mod mandates;
mod organisations;
mod products;
mod proposals;
mod queue;
mod sheet;
mod shelve;
mod sign_in;
mod terms;
mod uploads;

pub(in crate::fronts::https) use accounts::{
    account, accounts, block_account, end_account, send_link, unblock_account,
};
pub(in crate::fronts::https) use agreements::{add_agreement, agreement, agreements, end_agreement};
pub(in crate::fronts::https) use colleagues::{add_colleague, change_role, colleagues};
pub(in crate::fronts::https) use deliveries::{deliveries, delivery, extend, hold, release, withdraw};
pub(in crate::fronts::https) use documents::{document, documents, remove_document};
pub(in crate::fronts::https) use history::{history, history_csv};
pub(in crate::fronts::https) use incidents::{
    change_incident, close_incident, contain_incident, incident, incidents, note_incident, open_incident,
    reopen_incident, report_incident,
};
pub(in crate::fronts::https) use instructions::{board, give_instruction, instruction, withdraw_instruction};
pub(in crate::fronts::https) use interruptions::{end_interruption, interruptions, start_interruption};
pub(in crate::fronts::https) use mandates::{
    add_mandate, block_mandate, change_mandate, end_mandate, mandate, mandates, unblock_mandate,
};
pub(in crate::fronts::https) use organisations::{
    add_key, add_organisation, block_organisation, change_organisation, end_organisation, organisation, organisations,
    retire_key, unblock_organisation,
};
pub(in crate::fronts::https) use products::{add_product, change_product, product, products};
pub(in crate::fronts::https) use proposals::{confirm_proposal, proposal, reject_proposal};
pub(in crate::fronts::https) use queue::{approve, approve_new, queue, reject, request};
pub(in crate::fronts::https) use shelve::{Shelving, take_in};
pub(in crate::fronts::https) use sign_in::{ask_code, ask_password, check_code, check_password, home, sign_out};
pub(in crate::fronts::https::portal) use sign_in::{asking_code, not_entered};
pub(in crate::fronts::https) use terms::{publish_terms, record_acceptance, terms, terms_accounts, terms_version};
pub(in crate::fronts::https) use uploads::{
    accept_upload, expected_uploads, reject_upload, upload, upload_receipt, upload_result, uploads,
};

use super::form::{Form, without_office_cookie};
use super::texts::OfficeTexts;
use super::{Ask, Failure, Guest, Member, words as language_words};
use crate::domain::account::Language;
use crate::domain::block::{Access, EndReason, Standing};
use crate::domain::moment::Moment;
use crate::domain::rights::Act;
use crate::fronts::https::reply::Reply;
use crate::operations::{OfficeVisit, StandingChange, Telling};
use sheet::{Cell, Given, Mistake, Part};

/// The texts of the office.
mod words {
    pub(super) use super::super::texts::OfficeTexts as Texts;
}

/// So many rows stand on a page; whoever seeks another finds it by a part of its name.
const MOST_ROWS: usize = 200;

/// So many rows are looked through for one search.
const MOST_LOOKED_AT: usize = 20_000;

/// Somebody of the office.
pub(in crate::fronts::https) struct Desk {
    guest: Guest,
    /// As whom.
    pub(in crate::fronts::https) visit: OfficeVisit,
}

/// What the frame says in the office.
pub(in crate::fronts::https::portal) struct OfficeFrame {
    pub(in crate::fronts::https::portal) name: &'static str,
    pub(in crate::fronts::https::portal) signed: Option<SignedIn>,
}

/// Who is signed in to the office.
pub(in crate::fronts::https::portal) struct SignedIn {
    pub(in crate::fronts::https::portal) login: String,
    pub(in crate::fronts::https::portal) role: &'static str,
    pub(in crate::fronts::https::portal) token: String,
    pub(in crate::fronts::https::portal) until: String,
    /// In groups: address, text, and whether it is the page that is shown.
    pub(in crate::fronts::https::portal) menu: Vec<Vec<(String, &'static str, bool)>>,
}

impl OfficeFrame {
    /// The frame of a page of the office.
    pub(in crate::fronts::https::portal) fn of(ask: &Ask, guest: &Guest) -> Self {
        let texts = OfficeTexts::of(guest.language);
        let signed = guest.desk.as_ref().map(|visit| SignedIn {
            login: visit.visit.account.login.to_string(),
            role: texts.role(visit.role),
            token: visit.visit.form_token.clone(),
            until: ask.site.operations.calendar().time_of(visit.visit.idle_until),
            menu: [
                // the day's work, who and what there is, and how the house is run
                vec![
                    ("/office", texts.queue),
                    ("/office/deliveries", texts.deliveries),
                    ("/office/uploads", super::texts::uploads::Texts::of(guest.language).title),
                    ("/office/history", texts.history),
                ],
                vec![
                    ("/office/organisations", texts.organisations),
                    ("/office/accounts", texts.accounts),
                    ("/office/products", texts.products),
                    ("/office/agreements", texts.agreements),
                    ("/office/mandates", super::texts::OfficeMandateTexts::of(guest.language).mandates),
                ],
                vec![
                    ("/office/terms", super::texts::OfficeTermsTexts::of(guest.language).title),
                    ("/office/instructions", super::texts::instructions::Texts::of(guest.language).title),
                    ("/office/interruptions", texts.interruptions),
                    ("/office/incidents", super::texts::OfficeIncidentTexts::of(guest.language).title),
                    ("/office/colleagues", texts.colleagues),
                ],
            ]
            .into_iter()
            .map(|group| group.into_iter().map(|(path, text)| (guest.link(path), text, ask.is_at(path))).collect())
            .collect(),
        });
        Self { name: texts.office, signed }
    }
}

impl Desk {
    /// Who sits there, or where a guest who has to sign in first is led.
    ///
    /// # Errors
    /// The way to the page where they sign in.
    pub(in crate::fronts::https) fn of(guest: &Guest) -> Result<Self, Box<Reply>> {
        match guest.desk.clone() {
            Some(visit) => Ok(Self { guest: guest.clone(), visit }),
            None => {
                let has_been = guest.secret.is_some();
                let reply = guest.onward(if has_been { "/sign-in/again" } else { "/sign-in" });
                Err(Box::new(if has_been { without_office_cookie(reply) } else { reply }))
            }
        }
    }

    /// The same person on pages about themselves, which are those of the portal.
    pub(in crate::fronts::https) fn oneself(&self) -> Member {
        Member { guest: self.guest.clone(), visit: self.visit.visit.clone() }
    }

    /// Whether a form was made for this session.
    pub(in crate::fronts::https) fn sent(&self, form: &Form) -> bool {
        form.field("token") == self.visit.visit.form_token
    }

    const fn words(&self) -> &'static OfficeTexts {
        OfficeTexts::of(self.guest.language)
    }

    /// The address of another page of the office, in the language that was asked for.
    fn href(&self, path: &str) -> String {
        if self.guest.language_was_asked && path.contains('?') {
            format!("{path}&lang={}", self.guest.texts().tag)
        } else {
            self.guest.link(path)
        }
    }

    /// Whether a form for this is worth showing; the operation judges whoever sends it.
    fn may(&self, act: Act) -> bool {
        self.visit.allowed.contains(&act)
    }

    /// What was done, when a page comes after it.
    fn notice(&self, ask: &Ask) -> &'static str {
        let words = self.words();
        match ask.query.split('&').find_map(|pair| pair.strip_prefix("done=")).unwrap_or_default() {
            "added" => words.done_added,
            "saved" => words.done_saved,
            "blocked" => words.done_blocked,
            "unblocked" => words.done_unblocked,
            "ended" => words.done_ended,
            "sent" => words.done_sent,
            "confirmed" => words.done_confirmed,
            "proposal-rejected" => words.done_proposal_rejected,
            "proposed" => words.done_proposed,
            "published" => self.terms_words().done_published,
            "incident-opened" => self.incident_words().done_opened,
            "incident-step" => self.incident_words().done_step,
            "given" => self.instruction_words().done_given,
            "instruction-withdrawn" => self.instruction_words().done_withdrawn,
            "accepted" => self.terms_words().done_accepted,
            "document-removed" => self.document_words().removed,
            "withdrawn" => words.done_withdrawn,
            "started" => words.done_started,
            "interruption-ended" => words.done_interruption_ended,
            "approved" => words.done_approved,
            "rejected" => words.done_rejected,
            "upload-accepted" => self.upload_words().done_accepted,
            "upload-rejected" => self.upload_words().done_rejected,
            _ => "",
        }
    }

    /// A day in words.
    fn day(&self, ask: &Ask, at: Moment) -> String {
        language_words::date(self.guest.language, ask.site.operations.calendar().date_of(at))
    }

    /// A day and time in words.
    fn time(&self, ask: &Ask, at: Moment) -> String {
        format!("{} {}", self.day(ask, at), ask.site.operations.calendar().time_of(at))
    }

    /// The last day of a period that ends then, in words.
    fn last_day(&self, ask: &Ask, until: Moment) -> String {
        super::page::last_day(&ask.site.operations, self.guest.language, until)
    }

    const fn yes_no(&self, is_so: bool) -> &'static str {
        let texts = self.guest.texts();
        if is_so { texts.yes } else { texts.no }
    }

    /// Refuses what cannot be undone until its box is ticked.
    fn sure(&self, sent: &Form) -> Result<(), Mistake> {
        if sent.field("sure") == "yes" { Ok(()) } else { Err(Mistake::Said(self.words().not_sure.to_owned())) }
    }

    /// A standing, and until when.
    fn standing(&self, ask: &Ask, standing: &Standing) -> Cell {
        let (words, now) = (self.words(), ask.site.operations.now());
        Cell::state(match standing.at(now) {
            Access::Open => (words.state_active, "done"),
            Access::Blocked => (words.state_blocked, "gone"),
            Access::Ended => (words.state_ended, "gone"),
        })
    }

    /// What is known of a block or an end.
    fn standing_facts(&self, ask: &Ask, standing: &Standing) -> Vec<(&'static str, Cell)> {
        let words = self.words();
        let mut facts = vec![(words.state, self.standing(ask, standing))];
        match standing {
            Standing::Active => {}
            Standing::Blocked(block) => {
                facts.push((words.reason, block.reason.as_str().into()));
                facts.push((words.since, self.time(ask, block.since).into()));
                facts.extend(block.until.map(|until| (words.until, self.time(ask, until).into())));
            }
            Standing::Ended { at, reason } => {
                facts.push((words.since, self.time(ask, *at).into()));
                facts.extend(reason.map(|reason| (words.reason, words.end_reason(reason).into())));
            }
        }
        facts
    }

    /// The forms that block, unblock and end, as far as the standing and the role leave room for them.
    fn standing_forms(&self, ask: &Ask, standing: &Standing, base: &str, change: Act) -> Vec<Part> {
        let (words, none) = (self.words(), Given(None));
        let access = standing.at(ask.site.operations.now());
        let mut parts = Vec::new();
        if access == Access::Open && self.may(Act::Block) {
            let reasons = [("", words.told_reason_none), ("a", words.end_a), ("b", words.end_b), ("c", words.end_c)];
            let reasons = reasons.map(|(value, label)| (value.to_owned(), label.to_owned())).to_vec();
            let mut told_reason = none.choice("code", words.told_reason, reasons, "").hinted(words.told_reason_hint);
            told_reason.required = false;
            parts.push(Part::Form(sheet::Form {
                id: "block",
                title: words.block,
                lead: words.block_lead,
                action: self.href(&format!("{base}/block")),
                fields: vec![
                    none.text("reason", words.reason, "").required(),
                    none.kind("date", "until", words.until, "").hinted(words.until_hint),
                    told_reason,
                    none.kind("checkbox", "inform", words.inform_user, ""),
                ],
                button: words.block,
                is_grave: true,
                ..sheet::Form::default()
            }));
        }
        if access == Access::Blocked && self.may(change) {
            parts.push(Part::Form(sheet::Form {
                id: "unblock",
                title: words.unblock,
                action: self.href(&format!("{base}/unblock")),
                fields: vec![none.kind("checkbox", "inform", words.inform_user, "")],
                button: words.unblock,
                ..sheet::Form::default()
            }));
        }
        if access != Access::Ended && self.may(change) {
            let reasons = [("", words.end_reason_none), ("a", words.end_a), ("b", words.end_b), ("c", words.end_c)];
            let reasons = reasons.map(|(value, label)| (value.to_owned(), label.to_owned())).to_vec();
            let mut why = none.choice("why", words.reason, reasons, "");
            why.required = false;
            parts.push(Part::Form(sheet::Form {
                id: "end",
                title: words.end,
                lead: words.end_lead,
                action: self.href(&format!("{base}/end")),
                fields: vec![
                    why,
                    none.text("note", words.note, ""),
                    none.kind("checkbox", "inform", words.inform_user, ""),
                    none.kind("checkbox", "sure", words.end_sure, "").required(),
                ],
                button: words.end,
                is_grave: true,
                ..sheet::Form::default()
            }));
        }
        parts
    }

    /// The change of standing that a form asks for.
    fn read_block(&self, ask: &Ask, sent: &Form) -> Result<StandingChange, Mistake> {
        let words = self.words();
        let reason = self.read(sent, ("reason", words.reason), crate::domain::names::Line::parse)?;
        Ok(StandingChange::Block { reason, until: self.read_last_day(ask, sent, ("until", words.until))? })
    }

    fn read_end(&self, sent: &Form) -> Result<StandingChange, Mistake> {
        self.sure(sent)?;
        let reason = reason_in(sent, "why");
        let note = self.read_some(sent, ("note", self.words().note), crate::domain::names::Line::parse)?;
        Ok(StandingChange::End { reason, note })
    }

    /// Whom a form says is told (M20).
    fn read_telling(sent: &Form) -> Telling {
        Telling { inform_user: sent.field("inform") == "yes", reason: reason_in(sent, "code") }
    }
}

/// A reason of the terms of use, if one was chosen.
fn reason_in(sent: &Form, field: &str) -> Option<EndReason> {
    match sent.field(field) {
        "a" => Some(EndReason::Misuse),
        "b" => Some(EndReason::TermsNotAccepted),
        "c" => Some(EndReason::SpecialCircumstances),
        _ => None,
    }
}

/// What is sought.
fn wanted(ask: &Ask) -> String {
    Form::read(ask.query.as_bytes()).field("show").trim().chars().take(64).collect()
}

/// Whether any of these texts has what is sought in it.
fn fits(wanted: &str, texts: &[&str]) -> bool {
    let wanted = wanted.to_lowercase();
    texts.iter().any(|text| text.to_lowercase().contains(&wanted))
}

/// Reads a list page by page, keeps what is wanted, and says whether there may be more.
fn sought<T, K>(
    mut page: impl FnMut(Option<&K>) -> Result<Vec<T>, Failure>,
    key: impl Fn(&T) -> K,
    keep: impl Fn(&T) -> bool,
) -> Result<(Vec<T>, bool), Failure> {
    let (mut kept, mut looked_at, mut after) = (Vec::new(), 0, None);
    loop {
        let rows = page(after.as_ref())?;
        let Some(last) = rows.last() else { return Ok((kept, false)) };
        after = Some(key(last));
        looked_at += rows.len();
        kept.extend(rows.into_iter().filter(&keep));
        if kept.len() > MOST_ROWS || looked_at >= MOST_LOOKED_AT {
            kept.truncate(MOST_ROWS);
            return Ok((kept, true));
        }
    }
}

/// Rows of one page of a list that is read on.
const PAGE: usize = 50;

/// One page of what is wanted of a long list, and after what the rest begins.
fn paged<T, K>(
    mut page: impl FnMut(Option<&K>) -> Result<Vec<T>, Failure>,
    key: impl Fn(&T) -> K,
    keep: impl Fn(&T) -> bool,
    mut after: Option<K>,
) -> Result<(Vec<T>, Option<K>), Failure> {
    let (mut kept, mut looked_at): (Vec<T>, usize) = (Vec::new(), 0);
    loop {
        let rows = page(after.as_ref())?;
        let Some(last) = rows.last().map(&key) else { return Ok((kept, None)) };
        looked_at += rows.len();
        for row in rows.into_iter().filter(&keep) {
            if kept.len() == PAGE {
                let last = kept.last().map(&key);
                return Ok((kept, last));
            }
            kept.push(row);
        }
        if looked_at >= MOST_LOOKED_AT {
            return Ok((kept, Some(last)));
        }
        after = Some(last);
    }
}

/// Both ways to say a language, for the account of somebody new.
fn languages() -> Vec<(String, String)> {
    vec![("nl".to_owned(), "Nederlands".to_owned()), ("en".to_owned(), "English".to_owned())]
}

fn language_in(sent: &Form) -> Language {
    if sent.field("language") == "en" { Language::English } else { Language::Dutch }
}

impl Guest {
    /// The frame's part of the office; none in the portal.
    pub(in crate::fronts::https::portal) fn office_frame(&self, ask: &Ask) -> Option<OfficeFrame> {
        ask.is_in_office().then(|| OfficeFrame::of(ask, self))
    }
}
