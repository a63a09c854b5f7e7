//! What a vendor tells of one device, in our words.

use super::{
    fields::{self, SourceValues},
    matching::DeviceIdentifiers,
};
use crate::{assets::Observation, plan::cells::Cells};

/// The name under which a vendor's users of an asset are kept among its words.
pub const USERS: &str = "users";

/// One vendor record, read. A column that the record does not tell about is not in the cells, and what
/// we have stays; one it says is empty is null.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeviceRecord {
    /// The vendor's id.
    pub external_id: String,
    /// How people recognise it in a plan.
    pub label: String,
    /// Our columns, as far as the record tells about them; `company_id` among them.
    pub values: Cells,
    /// What is kept among the vendor's words and is no column of ours (the class that an audit asks for).
    pub extras: Cells,
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
    /// Whether it is not to be stored yet, because whose it is could not be read.
    pub waits: bool,
    /// Whether a person decided whose it is: then a move is theirs, not the vendor's.
    pub decided: bool,
    /// Why it is no live device, although it is listed.
    pub gone: Option<String>,
}

/// The contacts that a vendor said use an asset.
pub fn users_of(words: &SourceValues) -> Vec<i64> {
    let listed = words.get(USERS).and_then(serde_json::Value::as_array);
    listed.into_iter().flatten().filter_map(serde_json::Value::as_i64).collect()
}

impl DeviceRecord {
    /// The vendor's words once this record is laid over what it told before.
    #[must_use]
    pub fn words(&self, before: Option<&SourceValues>) -> SourceValues {
        let mut words = fields::overlay(before, &self.values);
        for (name, value) in self.extras.iter() {
            words.insert(name.to_owned(), value.to_json());
        }
        if let Some(users) = &self.users {
            words.insert(USERS.to_owned(), serde_json::json!(users));
        }
        // So it was kept before it was the purchase date.
        words.remove("acquired");
        words
    }

    /// What tells it from others, as far as the record says.
    #[must_use]
    pub fn identifiers(&self) -> DeviceIdentifiers {
        let serial = Some(self.values.text("serial_number")).filter(|serial| !serial.is_empty());
        DeviceIdentifiers::of(self.values.text("hostname"), serial, &self.macs)
    }

    /// The company that the record says it belongs to.
    #[must_use]
    pub fn company(&self) -> Option<i64> {
        match self.values.get("company_id") {
            Some(crate::db::Value::Int(id)) => Some(*id),
            _ => None,
        }
    }
}
