//! Disk forms of mandates and what follows from them. Field order is the form.

use super::{Form, struct_form};
use crate::domain::block::Standing;
use crate::domain::ids::MandateId;
use crate::domain::mandate::{AccountScope, Mandate, MandateDue, MandatedRight, Scope};
use crate::domain::moment::Moment;
use crate::domain::names::{LoginName, OrganisationCode, ProductCode};
use crate::ports::failure::Fault;

struct_form! {
    MandateV1 = Mandate {
        id: MandateId,
        intermediary: OrganisationCode,
        client: OrganisationCode,
        scope: Scope,
        from: Moment,
        until: Option<Moment>,
        standing: Standing,
        added_at: Moment,
        warned: bool,
        due: Option<Moment>,
    }
    MandatedRightV1 = MandatedRight { mandate: MandateId, login: LoginName, product: ProductCode, }
    MandateDueV1 = MandateDue {
        at: Moment,
        mandate: MandateId,
        intermediary: OrganisationCode,
        client: OrganisationCode,
    }
    AccountScopeV1 = AccountScope { login: LoginName, client: OrganisationCode, }
}

impl Form for Scope {
    /// The products, in order of code.
    type Disk = Vec<String>;

    fn to_disk(&self) -> Vec<String> {
        self.products().iter().map(Form::to_disk).collect()
    }

    fn from_disk(disk: Vec<String>) -> Result<Self, Fault> {
        let products = disk.into_iter().map(ProductCode::from_disk).collect::<Result<_, _>>()?;
        Self::new(products).map_err(|refusal| Fault::new(format!("read a stored scope of a mandate: {refusal}")))
    }
}
