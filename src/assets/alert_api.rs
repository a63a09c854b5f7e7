//! Alerts over HTTP.

use axum::{extract::State, response::Response};

use super::alert_list_store::{self, ALERTS, Wanted};
use crate::{
    auth::Reader,
    compliance::RedactionPolicy,
    error::Result,
    web::{Ask, Routes, Web, list},
};

/// What can be asked about alerts.
#[must_use]
pub fn routes() -> Routes {
    Routes::new().get("/api/alerts", index)
}

async fn index(State(web): State<Web>, caller: Reader, ask: Ask) -> Result<Response> {
    let query = ask.list(&ALERTS)?;
    let wanted = Wanted::read(&ask.query)?;
    let policy = RedactionPolicy::of(&caller, &web.config, &ask.query)?;
    let variant = wanted.key() + &policy.key();
    list::respond(&web, &caller.scope(), &variant, &ask, query, move |conn, query, rows| {
        alert_list_store::each(conn, query, &wanted, &policy, |alert| rows.push(&alert))
    })
    .await
}
