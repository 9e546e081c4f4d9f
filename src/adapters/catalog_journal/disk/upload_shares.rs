//! Disk form of what uploads take and may take by product. Field order is the form.

use super::struct_form;
use crate::domain::names::{OrganisationCode, ProductCode};
use crate::domain::upload_share::{FolderSums, UploadQuota};

struct_form! {
    FolderSumsV1 = FolderSums { organisation: OrganisationCode, product: ProductCode, bytes: u64, }
    UploadQuotaV1 = UploadQuota { product: ProductCode, bytes: u64, }
}

#[cfg(test)]
mod tests {
    use super::super::{decode, encode};
    use super::*;
    use crate::domain::record::Record;

    /// Number of the kind, then the bytes. Never change a line: catalogs on disk hold such bytes.
    const GOLDEN: [&str; 2] = ["115 01036f6e6506696e74616b65f0a204", "116 0106696e74616b65808040"];

    #[test]
    fn bytes_are_written_and_read_as_ever() {
        let product = ProductCode::parse("intake").unwrap();
        let organisation = OrganisationCode::parse("one").unwrap();
        let records: [Record; 2] = [
            FolderSums { organisation, product: product.clone(), bytes: 70_000 }.into(),
            UploadQuota { product, bytes: 1 << 20 }.into(),
        ];
        for (line, record) in GOLDEN.into_iter().zip(records) {
            let hex = data_encoding::HEXLOWER.encode(&encode(&record).unwrap());
            assert_eq!(format!("{} {hex}", record.kind()), line);
            let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
            assert_eq!(decode(record.kind(), &bytes).unwrap(), record);
        }
    }
}
