//! One record of a vendor, in our words.

use super::cells::Cells;

/// One vendor record in our words.
#[derive(Clone, Debug, Default)]
pub struct SourceRecord {
    /// The vendor's id, as its digits.
    pub external_id: String,
    /// How people recognise it in a plan.
    pub label: String,
    /// Our columns, as far as the record tells about them.
    pub values: Cells,
    /// Columns that every sync moves and history does not follow.
    pub observed: Cells,
    /// A company's number, when it has a usable one.
    pub account_number: Option<String>,
    /// A contact's companies by vendor id; `None` when the record does not tell.
    pub companies: Option<Vec<String>>,
    /// Fields that were there but unusable.
    pub ignored: Vec<String>,
}
