//! The agents of vendors over HTTP, as Beacon reads them.

use axum::{Json, extract::State};

use super::{psa::AgentView, psa_store};
use crate::{
    auth::Reader,
    error::Result,
    web::{Query, Web},
};

pub(super) async fn index(caller: Reader, State(web): State<Web>, query: Query) -> Result<Json<Vec<AgentView>>> {
    let provider = query.text("provider")?.map(str::to_lowercase);
    let agents = web.db.read(&caller.scope(), move |c| psa_store::list(c, provider.as_deref())).await?;
    Ok(Json(agents.into_iter().map(AgentView::from).collect()))
}
