//! Into which companies a contact is put from their page.

use axum::{extract::State, response::Response};

use super::detail;
use crate::{
    agents::Frame,
    auth::Editor,
    companies::store as companies,
    contacts::{
        Contact, Membership,
        model::{DESIGNATIONS, ROLES},
        store as contacts,
    },
    error::{Error, Result},
    history,
    resource::form_page::Typed,
    web::{Fields, Path, Web},
};

/// `POST /contacts/{id}/companies/assign`: puts them into a company, or changes their place there.
pub async fn join(
    State(web): State<Web>,
    editor: Editor,
    frame: Frame,
    Path(id): Path<i64>,
    mut fields: Fields,
) -> Result<Response> {
    let typed = Typed::new(fields.map().clone());
    fields.set_creating(true);
    let company = fields.key("company_id").required().max(50).value().unwrap_or_default();
    let role = fields.text("role").one_of(ROLES).value();
    let designation = fields.text("designation").one_of(DESIGNATIONS).value();
    let is_primary = fields.bool("is_primary").value().unwrap_or(false);
    let saved = match fields.finish() {
        Ok(()) => {
            web.db
                .write(&editor.scope(), &editor.actor(), move |w| {
                    history::get::<Contact>(w, id)?;
                    let company_id = companies::find_id(w, &company)?
                        .ok_or_else(|| Error::field("company_id", format!("there is no company {company}")))?;
                    let before = contacts::memberships(w, id)?.into_iter().find(|place| place.company_id == company_id);
                    let member = Membership { company_id, role, designation, is_primary, ..before.unwrap_or_default() };
                    contacts::join(w, id, &member)
                })
                .await
        }
        Err(error) => Err(error),
    };
    match saved {
        Ok(()) => frame.go(&format!("/contacts/{id}"), "Assigned."),
        Err(Error::Invalid(wrong)) => {
            let status = Error::Invalid(Vec::new()).status();
            let refused = detail::Refused { link: Some((wrong, typed)), ..detail::Refused::default() };
            detail::page(&web, &frame, id, status, refused).await
        }
        Err(other) => Err(other),
    }
}

/// `POST /contacts/{id}/companies/remove`
pub async fn leave(
    State(web): State<Web>,
    editor: Editor,
    frame: Frame,
    Path(id): Path<i64>,
    mut fields: Fields,
) -> Result<Response> {
    fields.set_creating(true);
    let company = fields.key("company_id").required().max(50).value().unwrap_or_default();
    fields.finish()?;
    web.db
        .write(&editor.scope(), &editor.actor(), move |w| {
            history::get::<Contact>(w, id)?;
            let company_id = companies::id_of(w, &company)?;
            contacts::leave(w, id, company_id)
        })
        .await?;
    frame.go(&format!("/contacts/{id}"), "Taken out of the company.")
}
