//! Alerts as JSON.

use axum::{extract::State, response::Response};

use super::alert::AlertView;
use super::{
    alert_list_store::{self, ALERTS, Wanted},
    devices_api,
};
use crate::web::openapi::schema as json;
use crate::{
    auth::Reader,
    compliance::RedactionPolicy,
    error::Result,
    web::{ReadRequest, Routes, Web, list},
};

/// The priorities of `PRIORITIES` in `alert.rs`, some of them with commas between them.
const PRIORITIES: &str = "^(Critical|High|Moderate|Low|Information|Unknown)(,(Critical|High|Moderate|Low|Information|Unknown))*$";

/// What can be asked about alerts, and about devices by clients of the RMM.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/alerts", index)
        .tells("List the alerts of the RMM", json::list::<AlertView>)
        .asks(&[("priority", PRIORITIES, "Alerts of this priority, or of one of several with commas between them.")])
        .merge(devices_api::routes())
}

async fn index(State(web): State<Web>, caller: Reader, request: ReadRequest) -> Result<Response> {
    let query = request.list(&ALERTS)?;
    let wanted = Wanted::read(&request.query)?;
    let policy = RedactionPolicy::of(&caller, &web.config, &request.query)?;
    let variant = wanted.key() + &policy.key();
    list::respond(&web, &caller.scope(), &variant, &request, query, move |conn, query, rows| {
        alert_list_store::each(conn, query, &wanted, &policy, |alert| rows.push(&alert))
    })
    .await
}
