//! What branches of an account's root have in common: `/<name>/<product>/<file>`, in the drop-box, the
//! receipts and the documents (interfaces §4). Knows paths; what is in a branch its shelf says.

use super::outbox::Listed;
use super::reply::shelf_error;
use super::shelf::{Attributes, Entry, FolderCursor, ShelfError};
use crate::domain::moment::Moment;
use crate::domain::names::ProductCode;
use crate::domain::product::Product;
use crate::domain::refusal::{Refusal, What};

/// Where a path in a branch leads.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Place<'a> {
    /// The branch itself.
    Top,
    /// The folder of a product.
    Product(ProductCode),
    /// A file in it, under this name.
    File(ProductCode, &'a str),
}

/// Whether a path leads into the branch of this name.
pub(super) fn leads_to(path: &str, branch: &str) -> bool {
    path.split('/').find(|part| !part.is_empty()) == Some(branch)
}

/// Where a path in a branch leads, whatever the branch is called.
pub(super) fn place(path: &str) -> Result<Place<'_>, ShelfError> {
    let mut parts = path.split('/').filter(|part| !part.is_empty()).skip(1);
    let product = |code: &str| ProductCode::parse(code).map_err(|_| not_found(What::Folder));
    match (parts.next(), parts.next(), parts.next()) {
        (None, ..) => Ok(Place::Top),
        (Some(code), None, _) => Ok(Place::Product(product(code)?)),
        (Some(code), Some(name), None) => Ok(Place::File(product(code)?, name)),
        _ => Err(not_found(What::File)),
    }
}

/// The branch as the root shows it, to those who find something in it.
pub(super) fn in_root(name: &str, products: &[Product], attributes: Attributes) -> Option<Entry> {
    (!products.is_empty()).then(|| Entry { name: name.to_owned(), attributes })
}

/// One of the products of a branch.
pub(super) fn among(products: Vec<Product>, code: &ProductCode) -> Result<Product, ShelfError> {
    products.into_iter().find(|product| product.code == *code).ok_or_else(|| not_found(What::Folder))
}

/// A folder for each product. A branch without any is not there.
pub(super) fn folders(
    products: Vec<Product>,
    folder: impl Fn(Moment) -> Attributes,
) -> Result<Box<dyn FolderCursor>, ShelfError> {
    if products.is_empty() {
        return Err(not_found(What::Folder));
    }
    let entry = |product: Product| Entry { name: product.code.to_string(), attributes: folder(product.added_at) };
    Ok(Box::new(Listed(products.into_iter().map(entry).collect())))
}

/// There is nothing here for who asks.
pub(super) fn not_found(what: What) -> ShelfError {
    shelf_error(Refusal::NotFound(what).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_the_branch_a_product_or_a_file_and_nowhere_else() {
        let code = || ProductCode::parse("wages").unwrap();
        assert!(leads_to("/dropbox/wages", "dropbox") && leads_to("dropbox", "dropbox"));
        assert!(!leads_to("/", "dropbox") && !leads_to("/x/dropbox", "dropbox"));
        assert_eq!(place("/dropbox/").unwrap(), Place::Top);
        assert_eq!(place("/dropbox/wages").unwrap(), Place::Product(code()));
        assert_eq!(place("/dropbox/wages/a.csv").unwrap(), Place::File(code(), "a.csv"));
        for nowhere in ["/dropbox/W!", "/dropbox/W!/a.csv", "/dropbox/wages/deep/a.csv"] {
            assert!(place(nowhere).is_err(), "{nowhere}");
        }
    }
}
