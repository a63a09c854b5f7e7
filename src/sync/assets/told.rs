//! What a vendor tells of one device, in our words.

use crate::{assets::Observation, sync::cells::Cells};

/// One vendor record, read. A column that the record does not tell about is not in the cells, and what
/// we have stays; one it says is empty is null.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// The vendor's id.
    pub external_id: String,
    /// How people recognise it in a plan.
    pub label: String,
    /// Our columns, as far as the record tells about them; `company_id` among them.
    pub values: Cells,
    /// What moves without history, when this vendor watches devices.
    pub seen: Option<Observation>,
    /// The vendor's place of it (a site), which says whose it is.
    pub place: Option<String>,
    /// Every network address that the record names.
    pub macs: Vec<String>,
    /// Who uses it, by their ids here; `None` when the record does not tell.
    pub users: Option<Vec<i64>>,
    /// Fields that were there but unusable.
    pub ignored: Vec<String>,
    /// Why it is no live device, although it is listed.
    pub gone: Option<String>,
}

impl Told {
    /// The company that the record says it belongs to.
    #[must_use]
    pub fn company(&self) -> Option<i64> {
        match self.values.get("company_id") {
            Some(crate::db::Value::Int(id)) => Some(*id),
            _ => None,
        }
    }
}
