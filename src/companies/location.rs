//! A company's premises.

use crate::{
    db::Value,
    entity::{Holds, Members, noun::search_text},
};

crate::entity! {
    /// One address of a company.
    pub struct Location: "location", "Location", "locations" {
        /// Whose it is.
        company_id: i64 = int("Company").id_of("company").told().internal(),
        /// Such as `Head office`.
        name: String = text("Name", 150).section("Location").required().searched(),
        /// Postal.
        address: Option<String> = text("Address", 255).section("Location").required().searched(),
        phone_number: Option<String> = phone("Phone", 50).section("Location").searched(),
    }
}

impl Location {
    fn derived_columns(&self) -> Vec<(&'static str, Value)> {
        vec![("search_text", search_text(self).into())]
    }
}

// The location object of contract §1.1.8.
crate::shaped! { Location: Members::first(&["id"])
    .part(|location: &Location| location)
    .member("id", Holds::INT, |location| location.id.into())
}
