//! Puts the checks of participant files together as the configuration says: the declarations of a folder, and the
//! scanner. Checks nothing itself.

use std::sync::Arc;

use crate::adapters::checker_stream::{StreamChecker, WhenDown};
use crate::adapters::scanner_clamd::{ClamdAddress, ScannerClamd};
use crate::config::check_plans::{self, CheckPlans};
use crate::config::checks::{ScannerAddress, ScannerDown};
use crate::config::{Config, ConfigFault};
use crate::domain::product::Product;
use crate::operations::{Catalog, Checker, Fault};
use crate::ports::scanner::Scanner as _;

/// The checks that the configuration declares.
///
/// # Errors
/// A declaration is wrong; all that are wrong are named.
pub(super) fn checker(config: &Config, catalog: &dyn Catalog) -> Result<Arc<dyn Checker>, Fault> {
    let plans = plans(config).map_err(|faults| {
        let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
        Fault::new(format!("read the checks of participant files: {}", told.join("; ")))
    })?;
    warn_of_strangers(&plans, catalog)?;
    let checker = StreamChecker::new(plans);
    let checks = &config.uploads.checks;
    let when_down = match checks.scanner_down {
        ScannerDown::Wait => WhenDown::Wait,
        ScannerDown::Accept => WhenDown::Accept,
        ScannerDown::Reject => WhenDown::Reject,
    };
    Ok(match scanner(config) {
        Some(scanner) => Arc::new(checker.with_scanner(Arc::new(scanner), when_down)),
        None => Arc::new(checker),
    })
}

/// A declaration under a wrong name checks nothing: that is told.
fn warn_of_strangers(plans: &CheckPlans, catalog: &dyn Catalog) -> Result<(), Fault> {
    for code in plans.keys() {
        let key = Product::key_of(code);
        let product = catalog.look(|view| Ok(view.row::<Product>(&key)?));
        let product = product.map_err(|failure| Fault::from_error("look for the products of checks", failure))?;
        if !product.is_some_and(|product| product.accepts_uploads) {
            tracing::warn!(product = %code, "checks are declared for a product that takes no participant files");
        }
    }
    Ok(())
}

/// What is declared.
///
/// # Errors
/// Everything that is wrong.
pub(super) fn plans(config: &Config) -> Result<CheckPlans, Vec<ConfigFault>> {
    check_plans::read_folder(&config.uploads.checks.folder)
}

fn scanner(config: &Config) -> Option<ScannerClamd> {
    let address = match config.uploads.checks.scanner.clone()? {
        ScannerAddress::Unix(path) => ClamdAddress::Unix(path),
        ScannerAddress::Tcp(host, port) => ClamdAddress::Tcp(host, port),
    };
    Some(ScannerClamd::new(address, config.uploads.checks.scanner_timeout))
}

/// Whether the scanner answers; `None`: there is none.
pub(super) fn scanner_answers(config: &Config) -> Option<Result<(), Fault>> {
    let scanner = scanner(config)?;
    Some(scanner.begin().and_then(|scan| scan.end()).map(|_| ()))
}
