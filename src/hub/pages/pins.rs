//! Pinning a value from its record's page.

use axum::{extract::State, response::Response};

use crate::{
    agents::Frame,
    auth::Editor,
    companies::Company,
    error::{Error, Result},
    history::{self, pins},
    hub::history_store::{exists, has_field},
    web::{Fields, Path, Web, encode_segment},
};

/// `POST /records/{entity}/{id}/pin`: `field`, and `pinned` true or false.
pub async fn save(
    State(web): State<Web>,
    editor: Editor,
    frame: Frame,
    Path((entity, id)): Path<(String, i64)>,
    mut fields: Fields,
) -> Result<Response> {
    fields.set_creating(true);
    let field = fields.text("field").required().max(100).value().unwrap_or_default();
    let pinned = fields.bool("pinned").required().value().unwrap_or_default();
    fields.finish()?;
    let page = web
        .db
        .write(&editor.scope(), &editor.actor(), move |w| {
            let entity = exists(w, &entity, id)?;
            if !has_field(entity, &field) {
                return Err(Error::NotFound { what: "Field" });
            }
            if pinned {
                pins::pin(w, entity, id, &field)?;
            } else {
                pins::unpin(w, entity, id, &field)?;
            }
            Ok(match entity {
                "company" => {
                    let company: Company = history::get(w, id)?;
                    format!("/companies/{}", encode_segment(&company.account_number))
                }
                "contact" => format!("/contacts/{id}"),
                _ => format!("/assets/{id}"),
            })
        })
        .await?;
    frame.go(
        &page,
        if pinned { "Pinned: syncs leave this value alone." } else { "Unpinned: the next sync may change this value." },
    )
}
