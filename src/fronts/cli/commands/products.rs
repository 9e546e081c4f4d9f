//! Commands about products, agreements and rights.

use std::path::Path;

use serde_json::json;

use super::Office;
use super::texts::all_pages;
use crate::config::parse_bytes;
use crate::domain::history::Channel;
use crate::domain::moment::Span;
use crate::domain::names::{Line, LoginName, OrganisationCode, ProductCode};
use crate::domain::refusal::Refusal;
use crate::fronts::cli::{Answer, args};
use crate::fronts::forms;
use crate::operations::{Failure, NewAgreement, NewProduct, ProductChange, QuotaChange};

const CHANNEL: Channel = Channel::CommandLine;

pub(super) fn product(office: &Office, command: args::Product, folder: &Path) -> Result<Answer, Failure> {
    let operations = &office.operations;
    match command {
        args::Product::Add { code, name, retention, require_marker, accepts_uploads, end_to_end } => {
            let new = NewProduct {
                code: ProductCode::parse(&code)?,
                name: Line::parse(&name)?,
                retention: Span::parse(&retention)?,
                requires_marker: require_marker,
                accepts_uploads,
                end_to_end,
            };
            let added = operations.add_product(new, CHANNEL)?;
            Ok(Answer::said(format!("added product {code}"), forms::product(&added)))
        }
        args::Product::Document(command) => super::documents::document(office, command, folder),
        args::Product::List => {
            let rows =
                all_pages(|last| operations.products(last.map(|row: &crate::domain::product::Product| &row.code)))?;
            let columns = ["code", "name", "retention", "requiresMarker", "acceptsUploads", "endToEnd"];
            Ok(Answer::list(rows.iter().map(forms::product).collect(), &columns))
        }
        args::Product::Show { code } => shown(office, &ProductCode::parse(&code)?),
        args::Product::Change { code, name, retention, require_marker, end_to_end, upload_quota } => {
            let code = ProductCode::parse(&code)?;
            let change = ProductChange {
                name: name.as_deref().map(Line::parse).transpose()?,
                retention: retention.as_deref().map(Span::parse).transpose()?,
                requires_marker: require_marker,
                end_to_end,
                upload_quota: upload_quota.as_deref().map(quota).transpose()?,
            };
            operations.change_product(&code, change, CHANNEL)?;
            shown(office, &code)
        }
    }
}

fn shown(office: &Office, code: &ProductCode) -> Result<Answer, Failure> {
    let mut document = forms::product(&office.operations.product(code)?);
    if let Some(members) = document.as_object_mut() {
        members.insert("uploadQuotaBytes".to_owned(), json!(office.operations.upload_quota(code)?));
    }
    Ok(Answer::one(document))
}

fn quota(text: &str) -> Result<QuotaChange, Failure> {
    if text == "default" {
        return Ok(QuotaChange::Configured);
    }
    let wrong = || Refusal::BadRequest(format!("{text} is no size: use bytes, \"64 MiB\" or default"));
    Ok(QuotaChange::Bytes(parse_bytes(text).ok_or_else(wrong)?))
}

const AGREEMENT_COLUMNS: &[&str] =
    &["organisation", "product", "purpose", "retention", "from", "until", "endToEnd", "endedAt"];

pub(super) fn agreement(office: &Office, command: args::Agreement) -> Result<Answer, Failure> {
    let operations = &office.operations;
    match command {
        args::Agreement::Add { organisation, product, purpose, retention, from, until, end_to_end, history_hidden } => {
            let new = NewAgreement {
                organisation: OrganisationCode::parse(&organisation)?,
                product: ProductCode::parse(&product)?,
                purpose: Line::parse(&purpose)?,
                retention: retention.as_deref().map(Span::parse).transpose()?,
                from: from.as_deref().map(|text| office.from(text)).transpose()?,
                until: until.as_deref().map(|text| office.until(text)).transpose()?,
                end_to_end,
                history_hidden,
            };
            let added = operations.add_agreement(new, CHANNEL)?;
            Ok(Answer::said(format!("added agreement of {organisation} for {product}"), forms::agreement(&added)))
        }
        args::Agreement::List { organisation } => {
            let code = organisation.as_deref().map(OrganisationCode::parse).transpose()?;
            let rows = all_pages(|last| operations.agreements(code.as_ref(), last))?;
            Ok(Answer::list(rows.iter().map(forms::agreement).collect(), AGREEMENT_COLUMNS))
        }
        args::Agreement::Show { organisation, product } => {
            let code = OrganisationCode::parse(&organisation)?;
            let product = ProductCode::parse(&product)?;
            let rows = all_pages(|last| operations.agreements(Some(&code), last))?;
            let rows = rows.iter().filter(|row| row.product == product).map(forms::agreement);
            Ok(Answer::list(rows.collect(), AGREEMENT_COLUMNS))
        }
        args::Agreement::End { organisation, product } => {
            let code = OrganisationCode::parse(&organisation)?;
            operations.end_agreement(&code, &ProductCode::parse(&product)?, CHANNEL)?;
            let document = json!({ "organisation": organisation, "product": product });
            Ok(Answer::said(format!("ended the agreement of {organisation} for {product}"), document))
        }
    }
}

pub(super) fn right(office: &Office, command: args::Right) -> Result<Answer, Failure> {
    let operations = &office.operations;
    match command {
        args::Right::Couple(coupling) => {
            let (login, recipient, product) = coupled(&coupling)?;
            operations.couple(&login, recipient.as_ref(), &product, CHANNEL)?;
            Ok(Answer::said(
                format!("coupled {login} to {product}"),
                json!({ "login": login.as_str(), "product": product.as_str() }),
            ))
        }
        args::Right::Decouple(coupling) => {
            let (login, recipient, product) = coupled(&coupling)?;
            operations.decouple(&login, recipient.as_ref(), &product, CHANNEL)?;
            Ok(Answer::said(
                format!("decoupled {login} from {product}"),
                json!({ "login": login.as_str(), "product": product.as_str() }),
            ))
        }
        args::Right::List { account } => {
            let login = account.as_deref().map(LoginName::parse).transpose()?;
            let rows = all_pages(|last| operations.rights(login.as_ref(), last))?;
            Ok(Answer::list(rows.iter().map(forms::right).collect(), &["login", "recipient", "product", "since"]))
        }
    }
}

fn coupled(coupling: &args::Coupling) -> Result<(LoginName, Option<OrganisationCode>, ProductCode), Failure> {
    Ok((
        LoginName::parse(&coupling.account)?,
        coupling.recipient.as_deref().map(OrganisationCode::parse).transpose()?,
        ProductCode::parse(&coupling.product)?,
    ))
}
