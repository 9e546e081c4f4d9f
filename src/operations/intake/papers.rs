//! Receipts and results, as those see them who may read what their organisation uploaded, and the operator.

use super::both_of;
use crate::domain::ids::UploadId;
use crate::domain::intake::Intake;
use crate::domain::intake_rows::{IntakeEntry, IntakePaper, PaperKind, ReceiptEntry};
use crate::domain::moment::Moment;
use crate::domain::names::{OrganisationCode, ProductCode, UploadName};
use crate::domain::product::Product;
use crate::domain::receipt::NAMESPACE;
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::{Act, Case, Ground, Right, permits};
use crate::domain::upload::Upload;
use crate::operations::uploads::upload_of;
use crate::operations::{Caller, Failure, Operations};
use crate::ports::catalog::CatalogView;

/// One account has at most so many rights that are looked at.
const MOST_RIGHTS: usize = 100_000;

/// A received upload with what became of it and its papers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReceiptView {
    /// The upload.
    pub upload: Upload,
    /// What became of it.
    pub intake: Intake,
    /// Its papers, those that there are.
    pub papers: Vec<Paper>,
}

/// One paper under the name that it has in the folder of receipts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Paper {
    /// Which of them.
    pub file: ReceiptFile,
    /// When it was made.
    pub made_at: Moment,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The files about one upload in the folder of receipts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ReceiptFile {
    /// The receipt.
    Receipt,
    /// Its signature.
    ReceiptSignature,
    /// The result, for machines.
    Result,
    /// Its signature.
    ResultSignature,
    /// The result, for people.
    ResultText,
}

impl ReceiptFile {
    /// Every one, in order of ending.
    pub const ALL: [Self; 5] =
        [Self::Receipt, Self::ReceiptSignature, Self::Result, Self::ResultSignature, Self::ResultText];

    /// What stands after the name of the uploaded file (interfaces §4).
    #[must_use]
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Receipt => ".receipt.json",
            Self::ReceiptSignature => ".receipt.json.sig",
            Self::Result => ".result.json",
            Self::ResultSignature => ".result.json.sig",
            Self::ResultText => ".result.txt",
        }
    }

    const fn of(which: PaperKind, is_signature: bool) -> Self {
        match (which, is_signature) {
            (PaperKind::Receipt, false) => Self::Receipt,
            (PaperKind::Receipt, true) => Self::ReceiptSignature,
            (PaperKind::Result, false) => Self::Result,
            (PaperKind::Result, true) => Self::ResultSignature,
            (PaperKind::ResultText, _) => Self::ResultText,
        }
    }
}

/// What anybody checks receipts and results with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReceiptKey {
    /// As whom this server signs (`ssh-keygen -I`).
    pub identity: String,
    /// What its signatures are for (`ssh-keygen -n`).
    pub namespace: &'static str,
    /// The public key as a line of an OpenSSH key file.
    pub public_key: String,
    /// `SHA256:…`
    pub fingerprint: String,
    /// The line for the file of allowed signers (`ssh-keygen -f`).
    pub allowed_signers: String,
}

impl Operations {
    /// The key under receipts and results. Public.
    ///
    /// # Errors
    /// A fault of the keyring.
    pub fn receipt_key(&self) -> Result<ReceiptKey, Failure> {
        let (key, identity) = (self.signer.verifying_key()?, self.signer_name());
        let allowed_signers = format!("{identity} namespaces=\"{NAMESPACE}\" {}", key.line);
        Ok(ReceiptKey {
            identity,
            namespace: NAMESPACE,
            public_key: key.line,
            fingerprint: key.fingerprint,
            allowed_signers,
        })
    }

    /// The products of which the caller may read receipts, in order of code.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn receipt_products(&self, caller: &Caller) -> Result<Vec<Product>, Failure> {
        let now = self.now();
        self.catalog.look(|view| {
            let prefix = Right::keys_of(&caller.login, Some(caller.recipient()));
            let mut products = Vec::new();
            for right in view.rows::<Right>(&prefix, None, MOST_RIGHTS)? {
                match self.may_read_receipts(view, caller, caller.recipient(), &right.product, now) {
                    Ok(product) => products.push(product),
                    Err(Failure::Refused(Refusal::NotFound(_))) => {}
                    Err(failure) => return Err(failure),
                }
            }
            Ok(products)
        })
    }

    /// One page of the receipts of a product, in order of name: the newest upload of each.
    ///
    /// # Errors
    /// `NotFound` for a folder that the caller may not know.
    pub fn receipt_page(
        &self,
        caller: &Caller,
        product: &ProductCode,
        after: Option<&UploadName>,
        limit: usize,
    ) -> Result<Vec<ReceiptView>, Failure> {
        let (now, organisation) = (self.now(), caller.recipient());
        self.catalog.look(|view| {
            self.may_read_receipts(view, caller, organisation, product, now)?;
            let after = after.map(|name| ReceiptEntry::key_of(organisation, product, name));
            let prefix = ReceiptEntry::keys_of(organisation, product);
            let entries = view.rows::<ReceiptEntry>(&prefix, after.as_ref(), limit)?;
            entries.iter().map(|entry| receipt_of(view, entry.upload)).collect()
        })
    }

    /// What there is about the newest upload of a name.
    ///
    /// # Errors
    /// `NotFound` when it is not there or not for the caller.
    pub fn receipt_named(
        &self,
        caller: &Caller,
        product: &ProductCode,
        name: &UploadName,
    ) -> Result<ReceiptView, Failure> {
        let (now, organisation) = (self.now(), caller.recipient());
        self.catalog.look(|view| {
            self.may_read_receipts(view, caller, organisation, product, now)?;
            let entry = view.row::<ReceiptEntry>(&ReceiptEntry::key_of(organisation, product, name))?;
            let entry = entry.filter(|entry| entry.name == *name).ok_or(Refusal::NotFound(What::File))?;
            receipt_of(view, entry.upload)
        })
    }

    /// A received upload of the caller's organisation, with its papers.
    ///
    /// # Errors
    /// `NotFound` when it is not there or not for the caller.
    pub fn own_receipt(&self, caller: &Caller, id: UploadId) -> Result<ReceiptView, Failure> {
        let now = self.now();
        self.catalog.look(|view| {
            let not_found = || Failure::from(Refusal::NotFound(What::File));
            let upload = upload_of(view, id)?;
            if upload.organisation != *caller.recipient() {
                return Err(not_found());
            }
            match self.may_read_receipts(view, caller, &upload.organisation, &upload.product, now) {
                Ok(_) => receipt_of(view, id),
                Err(Failure::Refused(Refusal::NotFound(_) | Refusal::NotAllowed(_))) => Err(not_found()),
                Err(failure) => Err(failure),
            }
        })
    }

    /// Received uploads of the caller's organisation in the order in which they came, of the products that the
    /// caller is coupled to: at most `limit`, after this one.
    ///
    /// # Errors
    /// `NotFound` when `after` is not one of them.
    pub fn own_receipts(
        &self,
        caller: &Caller,
        after: Option<UploadId>,
        limit: usize,
    ) -> Result<Vec<ReceiptView>, Failure> {
        let organisation = caller.recipient();
        let limit = limit.clamp(1, self.settings.max_page);
        let after = match after {
            Some(id) => {
                let view = self.own_receipt(caller, id)?;
                Some(IntakeEntry::key_of(organisation, view.intake.received_at, id))
            }
            None => None,
        };
        let allowed: Vec<ProductCode> =
            self.receipt_products(caller)?.into_iter().map(|product| product.code).collect();
        self.catalog.look(|view| {
            let (mut found, mut after) = (Vec::new(), after);
            loop {
                let prefix = IntakeEntry::keys_of(organisation);
                let page = view.rows::<IntakeEntry>(&prefix, after.as_ref(), self.settings.max_page)?;
                let Some(last) = page.last() else { return Ok(found) };
                after = Some(IntakeEntry::key_of(organisation, last.received_at, last.upload));
                for entry in page {
                    if found.len() == limit {
                        return Ok(found);
                    }
                    if allowed.contains(&upload_of(view, entry.upload)?.product) {
                        found.push(receipt_of(view, entry.upload)?);
                    }
                }
            }
        })
    }

    /// What became of an upload and its papers, for the operator; `None` for one that was not received.
    ///
    /// # Errors
    /// `NotFound` when it does not exist.
    pub fn any_receipt(&self, id: UploadId) -> Result<Option<ReceiptView>, Failure> {
        permits(Act::ReadDeliveries, Case::operator(Ground::None))?;
        self.catalog.look(|view| match view.row::<Intake>(&Intake::key_of(id))? {
            Some(_) => receipt_of(view, id).map(Some),
            None => upload_of(view, id).map(|_| None),
        })
    }

    /// Whether the caller may read what became of uploads of an organisation for a product: as deliveries, also
    /// when the agreement has ended since.
    fn may_read_receipts(
        &self,
        view: &dyn CatalogView,
        caller: &Caller,
        organisation: &OrganisationCode,
        product: &ProductCode,
        now: Moment,
    ) -> Result<Product, Failure> {
        let not_found = || Refusal::NotFound(What::Folder);
        match permits(Act::ReadDeliveries, self.known_case(view, caller, organisation, product, now)?) {
            Err(Refusal::NotFound(_)) => return Err(not_found().into()),
            judged => judged?,
        }
        let product = view.row::<Product>(&Product::key_of(product))?.filter(|product| product.accepts_uploads);
        product.ok_or_else(|| not_found().into())
    }
}

fn receipt_of(view: &dyn CatalogView, id: UploadId) -> Result<ReceiptView, Failure> {
    let upload = upload_of(view, id)?;
    let intake = match view.row::<Intake>(&Intake::key_of(id))? {
        Some(intake) => intake,
        None => both_of(view, id).map_err(|_| Refusal::NotFound(What::File))?.1,
    };
    let mut papers = Vec::new();
    for which in [PaperKind::Receipt, PaperKind::Result, PaperKind::ResultText] {
        let Some(paper) = view.row::<IntakePaper>(&IntakePaper::key_of(id, which))? else { continue };
        let made_at = paper.made_at;
        papers.push(Paper { file: ReceiptFile::of(which, false), made_at, bytes: paper.bytes });
        if !paper.signature.is_empty() {
            papers.push(Paper { file: ReceiptFile::of(which, true), made_at, bytes: paper.signature });
        }
    }
    Ok(ReceiptView { upload, intake, papers })
}
