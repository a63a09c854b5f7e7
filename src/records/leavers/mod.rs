//! People who have left and still hold something: as JSON, and as a page on which each of it is taken back with one click.

mod pages;
pub mod store;
mod take;

use axum::{extract::State, response::Response};
use serde::Serialize;

use crate::web::openapi::schema as json;
use crate::{
    auth::Staff,
    compliance::RedactionPolicy,
    contacts::ContactView,
    db::Conn,
    error::Result,
    web::{ReadRequest, Routes, Web},
};
use store::{Held, Holding, OpenTicket};

/// The routes.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/leavers", index)
        .tells("List contacts who have left and still hold devices, seats, roles or open tickets", json::list::<Leaver>)
        .get("/leavers", pages::show)
        .form("/leavers/{id}/device", "/leavers", pages::take_device)
        .form("/leavers/{id}/seat", "/leavers", pages::release_seat)
        .form("/leavers/{id}/primary", "/leavers", pages::hand_over_primary)
        .form("/leavers/{id}/billing", "/leavers", pages::hand_over_billing)
}

/// One of them.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Leaver {
    pub id: i64,
    /// As the caller may see it.
    pub name: String,
    /// As the caller may see it, maybe empty.
    pub email: String,
    /// `inactive` or `retired`.
    pub status: &'static str,
    /// The account number of their first company.
    pub company_id: Option<String>,
    pub company_name: Option<String>,
    pub devices: Vec<Holding>,
    pub seats: Vec<Holding>,
    /// Companies whose primary contact they are.
    pub primary_contact_of: Vec<Holding>,
    /// Companies whose invoices they get.
    pub billing_contact_of: Vec<Holding>,
    /// Tickets of theirs that are still worked on.
    pub tickets: Vec<OpenTicket>,
}

impl Leaver {
    fn new(contact: ContactView, held: Held) -> Self {
        let place = (!contact.place.account_number.is_empty()).then_some(contact.place.clone());
        Self {
            id: contact.row.id,
            status: contact.status(),
            company_id: place.as_ref().map(|place| place.account_number.clone()),
            company_name: place.map(|place| place.company_name),
            name: contact.row.name,
            email: contact.row.email,
            devices: held.devices,
            seats: held.seats,
            primary_contact_of: held.primary,
            billing_contact_of: held.billing,
            tickets: held.tickets,
        }
    }
}

/// All of them, as this caller may see them.
fn all(c: &mut Conn, policy: &RedactionPolicy) -> Result<Vec<Leaver>> {
    let mut held = store::held(c)?;
    let people = store::people(c, held.keys().copied().collect(), policy)?;
    let leaver = |contact: ContactView| {
        let held = held.remove(&contact.row.id).unwrap_or_default();
        Leaver::new(contact, held)
    };
    Ok(people.into_iter().map(leaver).collect())
}

/// `GET /api/leavers`
async fn index(State(web): State<Web>, staff: Staff, request: ReadRequest) -> Result<Response> {
    let policy = RedactionPolicy::of(&staff, &web.config, &request.query)?;
    request.value(&web.db.read(&staff.scope(), move |c| all(c, &policy)).await?)
}
