//! Checks participant files as they stream past, by the declared plan of their product, in bounded memory. Names
//! places and codes of what is wrong, never a value. Knows no state of an upload.

mod archive;
mod findings;
mod json;
mod lines;
mod records;
mod scanned;
mod text;
mod xml;

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

pub use scanned::WhenDown;

use crate::domain::check_plan::{CheckPlan, Content, NameMatch};
use crate::domain::check_sequence::{Sequenced, WhenBroken};
use crate::domain::names::ProductCode;
use crate::domain::verdict::CheckVerdict;
use crate::ports::checker::{Checked, Checker};
use crate::ports::failure::{Failure, Fault};
use crate::ports::scanner::Scanner;
use findings::Findings;
use scanned::ScannedRead;

/// Read at once.
const BLOCK_BYTES: usize = 256 * 1024;

/// The checks of every product that has any.
#[derive(Debug)]
pub struct StreamChecker {
    plans: BTreeMap<ProductCode, CheckPlan>,
    scanner: Option<(Arc<dyn Scanner>, WhenDown)>,
}

impl StreamChecker {
    /// Checks by these plans.
    #[must_use]
    pub const fn new(plans: BTreeMap<ProductCode, CheckPlan>) -> Self {
        Self { plans, scanner: None }
    }

    /// And every file passes the scanner, of products without a plan too.
    #[must_use]
    pub fn with_scanner(mut self, scanner: Arc<dyn Scanner>, when_down: WhenDown) -> Self {
        self.scanner = Some((scanner, when_down));
        self
    }
}

impl Checker for StreamChecker {
    fn is_wanted(&self, product: &ProductCode) -> Result<bool, Failure> {
        Ok(self.scanner.is_some() || self.plans.contains_key(product))
    }

    fn check(&self, file: &Checked, bytes: &mut dyn Read) -> Result<CheckVerdict, Failure> {
        let mut findings = Findings::new();
        let plan = self.plans.get(&file.product);
        match &self.scanner {
            None => plan.map_or(Ok(()), |plan| judge(plan, file, bytes, &mut findings))?,
            Some((scanner, when_down)) => {
                let mut scanned = ScannedRead::begin(scanner.as_ref(), *when_down, bytes)?;
                plan.map_or(Ok(()), |plan| judge(plan, file, &mut scanned, &mut findings))?;
                scanned.end(*when_down, &mut findings)?;
            }
        }
        let number = plan.and_then(|plan| judge_sequence(plan, file, &mut findings));
        Ok(findings.verdict().with_sequence(number))
    }
}

fn judge(plan: &CheckPlan, file: &Checked, bytes: &mut dyn Read, findings: &mut Findings) -> Result<(), Fault> {
    judge_name(plan, file, findings);
    if let Some(size) = file.size_bytes {
        judge_size(plan, size, findings);
        if size > plan.most_bytes {
            // what is refused for its size is not read to its end
            return Ok(());
        }
        return judge_content(plan, file, bytes, findings);
    }
    let mut counted = Counted { bytes, came: 0 };
    judge_content(plan, file, &mut counted, findings)?;
    let mut block = vec![0; BLOCK_BYTES];
    while !fill(&mut counted, &mut block)?.is_empty() {}
    judge_size(plan, counted.came, findings);
    Ok(())
}

fn judge_size(plan: &CheckPlan, size_bytes: u64, findings: &mut Findings) {
    if size_bytes < plan.least_bytes {
        findings.of_file(if size_bytes == 0 { "empty" } else { "too-small" });
    }
    if size_bytes > plan.most_bytes {
        findings.of_file("too-large");
    }
}

fn judge_content(plan: &CheckPlan, file: &Checked, bytes: &mut dyn Read, findings: &mut Findings) -> Result<(), Fault> {
    match &plan.content {
        Content::Opaque { archives: true } => Ok(()),
        Content::Opaque { archives: false } => archive::judge(bytes, findings),
        Content::Text(text) => text::judge(text, &file.client_marks, bytes, findings),
        Content::Json => json::judge(bytes, findings),
        Content::Xml => xml::judge(bytes, findings),
    }
}

/// Counts what passes, where the size is not known before.
struct Counted<'a> {
    bytes: &'a mut dyn Read,
    came: u64,
}

impl Read for Counted<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let length = self.bytes.read(into)?;
        self.came = self.came.saturating_add(length as u64);
        Ok(length)
    }
}

fn judge_name(plan: &CheckPlan, file: &Checked, findings: &mut Findings) {
    let name = file.name.as_str();
    let end = name.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase()).unwrap_or_default();
    if !plan.extensions.is_empty() && !plan.extensions.contains(&end) {
        findings.of_file("extension");
    }
    match plan.name.as_ref().map(|pattern| pattern.matches(name, &file.client_marks)) {
        None | Some(NameMatch::Fits(None)) => {}
        Some(NameMatch::Fits(Some(number))) => findings.numbered(number),
        Some(NameMatch::OtherClient) => findings.of_file("wrong-client-in-name"),
        Some(NameMatch::Differs) => findings.of_file("name"),
    }
}

/// Holds the number of the file against the last one; gives what is the last one once the file is accepted.
fn judge_sequence(plan: &CheckPlan, file: &Checked, findings: &mut Findings) -> Option<u64> {
    let (sequence, number) = (plan.sequence.as_ref()?, findings.number()?);
    let (what, missing, when) = match sequence.judge(file.last_sequence, number) {
        Sequenced::Next => return Some(number),
        Sequenced::Gap(missing) => ("sequence-gap", missing, sequence.gap),
        Sequenced::Repeat => ("sequence-repeated", 1, sequence.repeat),
    };
    match when {
        WhenBroken::Ignore => {}
        WhenBroken::Warn => findings.counted(what, missing),
        WhenBroken::Refuse => findings.of_file(what),
    }
    (what == "sequence-gap").then_some(number)
}

/// A block of what comes next; empty at the end.
fn fill<'a>(bytes: &mut dyn Read, block: &'a mut [u8]) -> Result<&'a [u8], Fault> {
    loop {
        match bytes.read(block) {
            Ok(length) => return Ok(block.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Fault::from_error("read a participant file for its checks", error)),
        }
    }
}
