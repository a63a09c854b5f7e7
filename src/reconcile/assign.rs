//! From a plan's fields to a row's columns.

use super::planner::losses;
use crate::{entity::Entity, error::Result, plan::FieldChange};

/// What the name of a change begins with that is about a link and not about a column.
pub const LINK: &str = "link:";

/// Sets the columns of these changes.
pub fn assign<E: Entity>(row: &mut E, changes: &[FieldChange]) -> Result<()> {
    let is_column = |field: &str| !matches!(field, losses::COMPANIES | losses::PEOPLE) && !field.starts_with(LINK);
    changes.iter().filter(|change| is_column(&change.field)).try_for_each(|change| row.assign(&change.field, &change.value()))
}
