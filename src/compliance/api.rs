//! Who read which protected records, for administrators.

use axum::{extract::State, response::Response};

use crate::web::disclosures_store::Disclosure;
use crate::web::openapi::schema as json;
use crate::{
    auth::{Admin, Person},
    error::{Error, Result},
    types::Scope,
    web::{ReadRequest, Routes, Web, disclosures_store as store, list},
};

/// How many readings one answer has when nobody says how many.
const USUAL: i64 = 100;

/// The routes of this room.
#[must_use]
pub fn routes() -> Routes {
    Routes::new().get("/api/disclosures", index).tells("List who has read protected data", json::list::<Disclosure>)
}

/// `GET /api/disclosures?caller=&entity=&record=&at__gte=`: the newest readings first. For people: who may clear a
/// service does not ask one.
async fn index(State(web): State<Web>, _: Admin, _: Person, request: ReadRequest) -> Result<Response> {
    let query = request.list(&store::DISCLOSURES)?;
    let slice = query.slice().unwrap_or(crate::db::list::Slice { limit: USUAL, offset: 0 });
    let query = query.with_slice(Some(slice));
    let record = request.query.text("record")?.map(str::parse::<i64>);
    let record = record.transpose().map_err(|_| Error::field("record", "must be a record's id"))?;
    web.disclosures.flush().await;
    let variant = format!("{record:?}");
    list::respond(&web, &Scope::All, &variant, &request, query, move |c, query, rows| {
        store::each(c, query, record, |disclosure| rows.push(&disclosure))
    })
    .await
}
