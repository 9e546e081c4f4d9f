//! Disk forms of interruptions and pauses of windows. Field order is the form.

use super::struct_form;
use crate::domain::ids::{DeliveryId, InterruptionId, PauseId};
use crate::domain::interruption::{Interruption, Reach};
use crate::domain::moment::Moment;
use crate::domain::names::{Line, OrganisationCode};
use crate::domain::pause::{PausedWindow, WindowPause};

struct_form! {
    InterruptionV1 = Interruption {
        id: InterruptionId,
        reach: Reach,
        nature: Line,
        from: Moment,
        until: Moment,
        pause: Option<PauseId>,
    }
    WindowPauseV1 = WindowPause {
        id: PauseId,
        organisation: Option<OrganisationCode>,
        since: Moment,
        until: Option<Moment>,
    }
    PausedWindowV1 = PausedWindow { pause: PauseId, delivery: DeliveryId, }
}
