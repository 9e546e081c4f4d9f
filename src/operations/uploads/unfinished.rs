//! Uploads that are not whole yet: what somebody can go on with after a break, at whatever door it was begun. Who may
//! see them is decided where they are written.

use super::announce::Announced;
use super::browse::UploadView;
use super::upload_of;
use crate::domain::names::{LoginName, ProductCode};
use crate::domain::upload::{Upload, UploadEntry, UploadState};
use crate::domain::upload_plan::UploadPlan;
use crate::operations::{Caller, Failure, Operations};

/// So many names of one folder are looked through.
const MOST_NAMES: usize = 10_000;

/// So many are shown.
const MOST_UNFINISHED: usize = 100;

impl Operations {
    /// The caller's own unfinished uploads with what was said of each, the newest first; of whom the caller is there
    /// for, and of the products that it may upload for. A colleague's are not among them.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn own_unfinished(&self, caller: &Caller) -> Result<Vec<Announced>, Failure> {
        let views = self.unfinished_of(caller, None, Some(&caller.login))?;
        self.catalog.look(|catalog| {
            let said = views.into_iter().map(|view| {
                let plan = catalog.row::<UploadPlan>(&UploadPlan::key_of(view.upload.id))?;
                Ok(Announced { view, plan })
            });
            said.collect()
        })
    }

    /// Unfinished uploads of the products that the caller may upload for, of one account or of all.
    pub(super) fn unfinished_of(
        &self,
        caller: &Caller,
        product: Option<&ProductCode>,
        login: Option<&LoginName>,
    ) -> Result<Vec<UploadView>, Failure> {
        let mut found: Vec<Upload> = Vec::new();
        for offered in self.dropbox_products(caller)? {
            if product.is_some_and(|wanted| *wanted != offered.code) {
                continue;
            }
            let prefix = UploadEntry::keys_of(caller.recipient(), &offered.code);
            self.catalog.look(|view| {
                for entry in view.rows::<UploadEntry>(&prefix, None, MOST_NAMES)? {
                    let upload = upload_of(view, entry.upload)?;
                    let is_wanted = login.is_none_or(|login| *login == upload.login);
                    if is_wanted && upload.state == UploadState::Unfinished {
                        found.push(upload);
                    }
                }
                Ok(())
            })?;
        }
        found.sort_by_key(|upload| core::cmp::Reverse((upload.begun_at, upload.id)));
        found.truncate(MOST_UNFINISHED);
        Ok(found.into_iter().map(|upload| self.as_it_is(upload)).collect())
    }
}
