//! The people as JSON, for administrators.

use axum::{Extension, Json};

use super::{Identity, store};
use crate::{agents::UserView, auth::Admin, error::Result, types::Scope, web::Path};

/// `GET /api/users`
pub async fn index(_: Admin, Extension(identity): Extension<Identity>) -> Result<Json<Vec<UserView>>> {
    identity.list().await.map(Json)
}

/// `GET /api/users/{id}`
pub async fn show(_: Admin, Extension(identity): Extension<Identity>, Path(id): Path<i64>) -> Result<Json<UserView>> {
    identity.db.read(&Scope::All, move |c| store::show(c, id)).await.map(Json)
}
