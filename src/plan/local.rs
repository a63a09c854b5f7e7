//! A row of ours, as a plan sees it.

use std::collections::HashSet;

use super::cells::Cells;

/// A row of ours, as far as a plan needs it.
#[derive(Clone, Debug, Default)]
pub struct Local {
    pub id: i64,
    /// Its revision.
    pub rev: i64,
    pub label: String,
    /// Whether it is a tombstone.
    pub retired: bool,
    /// Whether it was a person who retired it; then a sync does not bring it back.
    pub retired_by_hand: bool,
    /// Whether whom it was about is forgotten; then no plan tells of it either.
    pub is_forgotten: bool,
    /// Its ids at the vendor (usually one; several after a merge).
    pub external_ids: Vec<String>,
    /// Its columns.
    pub values: Cells,
    /// Columns that a person pinned.
    pub pins: HashSet<String>,
    /// A contact's companies.
    pub memberships: Vec<Membership>,
}

/// A contact's place in a company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The company.
    pub company_id: i64,
    /// Whether this vendor's sync made it; others are never removed by it.
    pub ours: bool,
}

impl Local {
    /// A text column, empty when null.
    #[must_use]
    pub fn text(&self, column: &str) -> &str {
        self.values.text(column)
    }
}
