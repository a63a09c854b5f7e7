//! The people as JSON, for administrators.

use axum::{Extension, Json, extract::State};

use super::{Identity, store};
use crate::{
    agents::{UserView, users_api::seen},
    auth::Admin,
    error::{Error, Result},
    types::Scope,
    web::{Path, Web},
};

/// `GET /api/users`
pub async fn index(
    caller: Admin,
    State(web): State<Web>,
    Extension(identity): Extension<Identity>,
) -> Result<Json<Vec<UserView>>> {
    seen(&web, &caller, identity.list().await?).await.map(Json)
}

/// `GET /api/users/{id}`
pub async fn show(
    caller: Admin,
    State(web): State<Web>,
    Extension(identity): Extension<Identity>,
    Path(id): Path<i64>,
) -> Result<Json<UserView>> {
    let user = identity.db.read(&Scope::All, move |c| store::show(c, id)).await?;
    seen(&web, &caller, vec![user]).await?.pop().map(Json).ok_or(Error::NotFound { what: "User" })
}
