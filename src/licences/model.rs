//! A licence and its seats.

use super::store;
use crate::{
    assets::model::TARGET as ASSET,
    companies::{contract, model::canonical_term},
    contacts::model::TARGET as CONTACT,
    db::{Conn, Value, list::Kind},
    entity::{
        Noun, Target,
        noun::{Beside, Door, Ends, search_text},
    },
    error::{Error, Result},
    ui::Section,
};

static LICENSE: Target = Target {
    entity: "license",
    what: "licence",
    table: "licenses",
    title: "product",
    page: Some("/licenses/"),
    are_people: false,
};

crate::entity! {
    /// What a company may use, for how many, and until when.
    pub struct License: "license", "Licence", "licenses" {
        /// Whose it is.
        company_id: i64 = int("Company").id_of("company").told().internal(),
        /// What may be used.
        product: String = text("Product", 150).section("Licence").required().searched().usual(),
        /// Who sells it.
        vendor: Option<String> = text("Vendor", 150).section("Licence").searched().usual(),
        /// For how many; none when it does not say.
        seats: Option<i64> = int("Seats").range(0, 1_000_000, "must be from 0 to 1,000,000 seats").section("Licence").usual(),
        /// What one term of all seats costs.
        price: Option<i64> = money("Price per term").section("Licence"),
        /// Such as `1-Year` or `Month to Month`.
        term: Option<String> = text("Term", 50).section("Licence").listed(),
        /// `YYYY-MM-DD`.
        starts_on: Option<String> = day("Starts").section("Licence").listed(),
        /// `YYYY-MM-DD`; the day until which somebody decides when it renews by itself.
        expires_on: Option<String> = day("Ends or renews").section("Licence").also(&["renews_on", "ends_on"]).usual(),
        /// Whether it goes on unless somebody ends it.
        auto_renews: bool = flag("Auto-renews").section("Licence").listed(),
        /// Sealed; [`super::keys`] is its only way in and out.
        license_key: Option<String> = told("Licence key"),
        notes: Option<String> = long("Notes", 10_000).section("Licence").searched(),
    }
    secrets: "license_key";
}

impl License {
    fn derived_columns(&self) -> Vec<(&'static str, Value)> {
        vec![("search_text", search_text(self).into())]
    }
}

impl Noun for License {
    const DOOR: Door = Door {
        api: "licenses",
        page: "/licenses",
        one: "licence",
        many: "licences",
        title: "product",
        sort: "company_name,product",
    };
    const SECTION: Section = Section::Licences;
    const ENDS: Option<Ends> = Some(Ends { column: "expires_on", sql: "license.expires_on", name: "renewal", label: "Renewal" });
    const BESIDE: &'static [Beside] = &[
        Beside::new("seats_used", "Seats used", store::USED, Kind::Int).usual(),
        Beside::new("seats_free", "Seats free", store::FREE, Kind::Int).usual(),
        Beside::new("over", "Over-assigned", store::OVER, Kind::Bool),
        Beside::new("under", "Under-assigned", store::UNDER, Kind::Bool),
        Beside::new("has_key", "Key stored", store::HAS_KEY, Kind::Bool),
    ];
    const READS: &'static [&'static str] = &["license_seat"];

    fn company_id(&self) -> i64 {
        self.company_id
    }

    fn check(&mut self, _c: &mut Conn, sent: &[&'static str]) -> Result<()> {
        self.term = self.term.as_deref().map(canonical_term);
        // A term that somebody has said tells the end that nobody has.
        if self.expires_on.is_none()
            && !sent.contains(&"expires_on")
            && (sent.contains(&"starts_on") || sent.contains(&"term"))
            && let (Some(starts), Some(term)) = (&self.starts_on, &self.term)
        {
            self.expires_on = contract::end(starts, term);
        }
        match (&self.starts_on, &self.expires_on) {
            (Some(starts), Some(expires)) if expires < starts => {
                let field = if sent.contains(&"expires_on") { "expires_on" } else { "starts_on" };
                Err(Error::field(field, "a licence ends after it has started"))
            }
            _ => Ok(()),
        }
    }

    fn warnings(&self, c: &mut Conn) -> Result<Vec<String>> {
        let (Some(seats), used) = (self.seats, store::used(c, self.id)?) else { return Ok(Vec::new()) };
        let more = used - seats;
        Ok(if more > 0 { vec![format!("{used} seats are assigned and {seats} are licensed: {more} over.")] } else { Vec::new() })
    }
}

crate::entity! {
    /// One seat of a licence, held by a contact or by a device.
    pub struct Seat: "license_seat", "Licence seat", "license_seats" {
        /// Whose it is.
        company_id: i64 = int("Company").id_of("company").told().internal(),
        /// Of what.
        license_id: i64 = reference("Licence", &LICENSE).section("Seat").required().usual(),
        /// Who holds it.
        contact_id: Option<i64> = reference("Contact", &CONTACT).section("Seat").usual(),
        /// What holds it.
        asset_id: Option<i64> = reference("Device", &ASSET).section("Seat").usual(),
    }
}

impl Seat {
    fn derived_columns(&self) -> Vec<(&'static str, Value)> {
        vec![("search_text", search_text(self).into())]
    }
}

impl Noun for Seat {
    const DOOR: Door = Door {
        api: "license_seats",
        page: "/license-seats",
        one: "seat",
        many: "licence seats",
        title: "license_name",
        sort: "company_name,license_name,id",
    };
    const SECTION: Section = Section::Licences;
    const BESIDE: &'static [Beside] = &[];
    const ONE_OF: &'static [&'static str] = &["contact_id", "asset_id"];

    fn company_id(&self) -> i64 {
        self.company_id
    }

    /// A seat that nobody and nothing holds is none.
    fn is_bound_by(_column: &str) -> bool {
        true
    }

    fn check(&mut self, c: &mut Conn, sent: &[&'static str]) -> Result<()> {
        match (self.contact_id, self.asset_id) {
            (None, None) => Err(Error::field("contact_id", "is required, or asset_id: a contact or a device holds a seat")),
            (Some(_), Some(_)) => {
                let field = if sent.contains(&"contact_id") { "contact_id" } else { "asset_id" };
                Err(Error::field(field, "a seat is held by a contact or by a device, not by both"))
            }
            (contact, asset) if store::holds_another(c, self.license_id, contact, asset, self.id)? => {
                let field = if contact.is_some() { "contact_id" } else { "asset_id" };
                Err(Error::field(field, "holds a seat of this licence already"))
            }
            _ => Ok(()),
        }
    }

    fn warnings(&self, c: &mut Conn) -> Result<Vec<String>> {
        store::license_of(c, self)?.map_or_else(|| Ok(Vec::new()), |license| license.warnings(c))
    }
}
