//! The one mapping from refusals and faults to SFTP status codes. What the
//! user may not know becomes "no such file"; a fault shows only a reference.

#![deny(clippy::wildcard_enum_match_arm)]

use super::shelf::{ShelfError, ShelfErrorKind};
use crate::domain::refusal::Refusal;
use crate::operations::Failure;

/// The status for a failed request.
pub(super) fn shelf_error(failure: Failure) -> ShelfError {
    match failure {
        Failure::Refused(refusal) => ShelfError { kind: kind_of(&refusal), message: refusal.to_string() },
        Failure::Faulted(fault) => {
            let reference = crate::telemetry::report("answer an SFTP request", &fault);
            let message = format!("something broke here; ask the operator about reference {reference}");
            ShelfError { kind: ShelfErrorKind::Failure, message }
        }
    }
}

fn kind_of(refusal: &Refusal) -> ShelfErrorKind {
    match refusal {
        Refusal::NotFound(_) | Refusal::Gone(_) | Refusal::BadName(_) => ShelfErrorKind::NoSuchFile,
        Refusal::NotAllowed(_)
        | Refusal::NotSignedIn
        | Refusal::NotFromHere(_)
        | Refusal::Blocked
        | Refusal::BlockedCredential(_)
        | Refusal::ServiceEnded(_)
        | Refusal::Interrupted { .. }
        | Refusal::TermsNotAccepted { .. }
        | Refusal::Ended(_)
        | Refusal::NoAgreement { .. } => ShelfErrorKind::PermissionDenied,
        Refusal::Exists(..)
        | Refusal::BadRequest(_)
        | Refusal::WrongState(_)
        | Refusal::NoRecipientKey(_)
        | Refusal::TooMuch(_)
        | Refusal::NoSpace
        | Refusal::Changed(_)
        | Refusal::LinkClosed
        | Refusal::FreeMail
        | Refusal::WeakPassword(_)
        | Refusal::Connection(_)
        | Refusal::WrongCode
        | Refusal::TriedTooOften { .. }
        | Refusal::ClockNotTrusted => ShelfErrorKind::Failure,
    }
}
