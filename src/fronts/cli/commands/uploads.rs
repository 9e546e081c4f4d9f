//! Commands about participant files: looking at them, and what the back office does with them.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::Office;
use super::texts::{all_pages, read_text};
use crate::domain::expected_upload::Rhythm;
use crate::domain::history::Channel;
use crate::domain::ids::UploadId;
use crate::domain::intake_rows::MOST_REPORT_BYTES;
use crate::domain::names::{OrganisationCode, ProductCode, UploadName};
use crate::domain::receipt::Report;
use crate::domain::refusal::{Refusal, What};
use crate::domain::verdict::CheckFault;
use crate::fronts::cli::{Answer, args};
use crate::fronts::source_file::FileSource;
use crate::fronts::{forms, intake_forms};
use crate::operations::{ExpectedView, Failure, NewExpectation, ReceiptFile, Source as _, UploadFilter, UploadView};

const CHANNEL: Channel = Channel::CommandLine;

pub(super) fn upload(office: &Office, command: args::Upload, folder: &Path) -> Result<Answer, Failure> {
    let operations = &office.operations;
    let id_of = |id: &str| UploadId::parse(id);
    match command {
        args::Upload::List { organisation, product, after } => {
            let filter = UploadFilter {
                organisation: organisation.as_deref().map(OrganisationCode::parse).transpose()?,
                product: product.as_deref().map(ProductCode::parse).transpose()?,
                after: after.as_deref().map(UploadId::parse).transpose()?,
                limit: usize::MAX,
            };
            let rows = operations.all_uploads(&filter)?;
            let document = |view: &UploadView| -> Result<Value, Failure> {
                let receipt = operations.any_receipt(view.upload.id)?;
                Ok(intake_forms::with_stage(forms::upload(view), receipt.as_ref()))
            };
            let rows = rows.iter().map(document).collect::<Result<Vec<_>, _>>()?;
            let columns = ["id", "organisation", "product", "name", "state", "stage", "sizeBytes", "changedAt"];
            Ok(Answer::list(rows, &columns))
        }
        args::Upload::Show { id } => shown(office, id_of(&id)?),
        args::Upload::Collect { id, to } => {
            operations.collect_upload(id_of(&id)?, &folder.join(to), CHANNEL)?;
            shown(office, id_of(&id)?)
        }
        args::Upload::Accept { id, report: from } => {
            operations.accept_upload(id_of(&id)?, report(folder, from)?, CHANNEL)?;
            shown(office, id_of(&id)?)
        }
        args::Upload::Reject { id, report: from } => {
            operations.reject_upload(id_of(&id)?, report(folder, from)?, CHANNEL)?;
            shown(office, id_of(&id)?)
        }
        args::Upload::Acknowledge { id } => {
            operations.acknowledge_upload(id_of(&id)?, CHANNEL)?;
            shown(office, id_of(&id)?)
        }
        args::Upload::Expect { organisation, product, every, remind } => {
            let new = NewExpectation {
                organisation: OrganisationCode::parse(&organisation)?,
                product: ProductCode::parse(&product)?,
                rhythm: Rhythm::parse(&every)?,
                remind_days: remind,
            };
            operations.expect_uploads(new, CHANNEL)?;
            expected(office, Some(&organisation), |view| view.expected.product.as_str() == product)
        }
        args::Upload::Unexpect { organisation, product } => {
            let (organisation, product) = (OrganisationCode::parse(&organisation)?, ProductCode::parse(&product)?);
            operations.expect_no_uploads(&organisation, &product, CHANNEL)?;
            let said = format!("nothing is expected of {organisation} for {product} any more");
            Ok(Answer::said(said, json!({ "organisation": organisation.as_str(), "product": product.as_str() })))
        }
        args::Upload::Expected { organisation, state } => expected(office, organisation.as_deref(), |view| {
            state.as_deref().is_none_or(|state| view.state.word() == state)
        }),
        args::Upload::Check { file, product, organisation, name } => {
            check(office, &folder.join(file), (&product, &organisation), name)
        }
        args::Upload::Receipt { id } => paper(office, id_of(&id)?, ReceiptFile::Receipt),
        args::Upload::Result { id } => paper(office, id_of(&id)?, ReceiptFile::Result),
    }
}

pub(super) fn receipt_key(office: &Office, command: args::ReceiptKeyCommand) -> Result<Answer, Failure> {
    match command {
        args::ReceiptKeyCommand::Show => {
            let key = office.operations.receipt_key()?;
            // as it stands in a file of allowed signers
            Ok(Answer::said(key.allowed_signers.clone(), intake_forms::receipt_key(&key)))
        }
    }
}

fn expected(
    office: &Office,
    organisation: Option<&str>,
    is_wanted: impl Fn(&ExpectedView) -> bool,
) -> Result<Answer, Failure> {
    let organisation = organisation.map(OrganisationCode::parse).transpose()?;
    let rows = all_pages(|last: Option<&ExpectedView>| {
        office.operations.expected_uploads(organisation.as_ref(), last.map(|view| &view.expected))
    })?;
    let columns = ["organisation", "product", "every", "expectedBy", "state", "uploadId", "missedInARow"];
    Ok(Answer::list(rows.iter().filter(|view| is_wanted(view)).map(intake_forms::expected).collect(), &columns))
}

/// What the checks say of a file of this machine.
fn check(
    office: &Office,
    path: &Path,
    (product, organisation): (&str, &str),
    name: Option<String>,
) -> Result<Answer, Failure> {
    let own_name = || path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name = UploadName::parse(&name.unwrap_or_else(own_name))?;
    let (product, organisation) = (ProductCode::parse(product)?, OrganisationCode::parse(organisation)?);
    let source = FileSource::open(path)?;
    let mut bytes = source.open()?;
    let size = Some(source.size_bytes());
    let tried = office.operations.try_upload_of(&organisation, (&product, &name), size, &mut bytes)?;
    let (document, verdict) = (intake_forms::tried(&tried), &tried.verdict);
    let mut lines = vec![match tried.duplicate_of {
        Some(id) => format!("{} of {id}", tried.word()),
        None => tried.word().to_owned(),
    }];
    lines.extend(verdict.counts().iter().map(|(name, count)| format!("{name}: {count}")));
    lines.push(format!("errors: {}", verdict.fault_count()));
    let told = |fault: &CheckFault| format!("  line {}, column {}: {}", fault.line, fault.column, fault.code);
    lines.extend(verdict.faults().iter().map(told));
    Ok(Answer::said(lines.join("\n"), document))
}

fn shown(office: &Office, id: UploadId) -> Result<Answer, Failure> {
    let (view, receipt) = (office.operations.any_upload(id)?, office.operations.any_receipt(id)?);
    Ok(Answer::one(intake_forms::with_stage(forms::upload(&view), receipt.as_ref())))
}

/// A paper, byte for byte: its text ends with a line feed, which printing adds.
fn paper(office: &Office, id: UploadId, file: ReceiptFile) -> Result<Answer, Failure> {
    let found = office.operations.any_receipt(id)?.into_iter().flat_map(|view| view.papers);
    let paper = found.into_iter().find(|paper| paper.file == file).ok_or(Refusal::NotFound(What::File))?;
    let text = String::from_utf8_lossy(&paper.bytes).trim_end().to_owned();
    let document = serde_json::from_slice(&paper.bytes).unwrap_or_else(|_| json!({ "text": text }));
    Ok(Answer::said(text, document))
}

fn report(folder: &Path, from: Option<PathBuf>) -> Result<Option<Report>, Failure> {
    let Some(from) = from else { return Ok(None) };
    let text = read_text(folder, &from)?;
    if text.len() > MOST_REPORT_BYTES {
        return Err(Refusal::TooMuch(format!("a report has at most {MOST_REPORT_BYTES} bytes")).into());
    }
    Ok(Some(match serde_json::from_str::<Value>(&text) {
        Ok(value) => Report::Json(value.to_string()),
        Err(_) => Report::Text(text),
    }))
}
