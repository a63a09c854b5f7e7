//! The agents of vendors over HTTP, as Beacon reads them; clients do not: they are the provider's own people.

use axum::{Json, extract::State};

use super::{psa::PsaAgent, psa_store};
use crate::{
    auth::BillingReader,
    error::Result,
    web::{Query, Web},
};

pub(super) async fn index(caller: BillingReader, State(web): State<Web>, query: Query) -> Result<Json<Vec<PsaAgent>>> {
    let provider = query.text("provider")?.map(str::to_lowercase);
    let agents = web.db.read(&caller.scope(), move |c| psa_store::list(c, provider.as_deref())).await?;
    Ok(Json(agents))
}
