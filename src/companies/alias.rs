//! A name under which a person has recognised a company.

use serde::Serialize;

/// Such a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Alias {
    /// As it was written.
    pub name: String,
    /// Where it was met: a vendor.
    pub source: String,
    /// Who recognised it.
    pub learnt_by: String,
    pub learnt_at: String,
}
