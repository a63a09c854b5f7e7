//! A company's premises.

use serde::Serialize;

use crate::db::Value;

crate::entity! {
    /// One address of a company.
    pub struct Location: "location", "Location", "locations" {
        /// Whose it is.
        company_id: i64 = int("Company").told(),
        /// Such as `Head office`.
        name: String = text("Name", 150).required(),
        /// Postal.
        address: Option<String> = text("Address", 255).required(),
        /// Telephone.
        phone_number: Option<String> = phone("Phone", 50),
    }
}

impl Location {
    #[expect(clippy::unused_self, reason = "the shape that every record has")]
    fn derived_columns(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }
}

/// The location object of contract §1.1.8.
#[derive(Clone, Debug, Serialize)]
pub struct LocationView {
    /// The row's id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Postal.
    pub address: Option<String>,
    /// Telephone.
    pub phone_number: Option<String>,
}

impl From<Location> for LocationView {
    fn from(location: Location) -> Self {
        Self { id: location.id, name: location.name, address: location.address, phone_number: location.phone_number }
    }
}
