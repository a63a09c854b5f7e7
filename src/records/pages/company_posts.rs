//! What is done to a company from its page: retire, restore, locations.

use axum::{extract::State, response::Response};

use super::{company, edit::Typed};
use crate::{
    agents::Frame,
    auth::{Admin, Editor},
    companies::{Company, rules, store as companies},
    error::{Error, Result},
    history,
    records::{remove, retire::retire_company},
    web::{Fields, Path, Web, encode_segment},
};

fn page_of(key: &str) -> String {
    format!("/companies/{}", encode_segment(key))
}

/// `POST /companies/{acct}/retire`: refused with the list of what is still attached.
pub async fn retire(State(web): State<Web>, admin: Admin, frame: Frame, Path(key): Path<String>) -> Result<Response> {
    let wanted = key.clone();
    let done = web
        .db
        .write(&admin.scope(), &admin.actor(), move |w| {
            let id = companies::id_of(w, &wanted)?;
            retire_company(w, id, false)
        })
        .await;
    match done {
        Ok(company) => frame.go(&page_of(&key), &format!("{} is retired.", company.name)),
        Err(Error::Conflict { details, message }) if details.contains_key("attached") => {
            let attached = details.get("attached").and_then(|value| value.as_object());
            let attached = attached.into_iter().flatten().map(|(kind, count)| (kind.clone(), count.as_i64().unwrap_or(0)));
            let refused = company::Refused { attached: attached.collect(), ..company::Refused::default() };
            company::page(&web, &frame, key, Error::conflict(message).status(), refused).await
        }
        Err(other) => Err(other),
    }
}

/// `POST /companies/{acct}/restore`
pub async fn restore(State(web): State<Web>, editor: Editor, frame: Frame, Path(key): Path<String>) -> Result<Response> {
    let wanted = key.clone();
    web.db
        .write(&editor.scope(), &editor.actor(), move |w| {
            let id = companies::id_of(w, &wanted)?;
            history::restore::<Company>(w, id, None)
        })
        .await?;
    frame.go(&page_of(&key), "Restored.")
}

/// `POST /companies/{acct}/locations/add`
pub async fn add_location(
    State(web): State<Web>,
    editor: Editor,
    frame: Frame,
    Path(key): Path<String>,
    fields: Fields,
) -> Result<Response> {
    let typed = Typed::new(fields.map().clone());
    let wanted = key.clone();
    let saved = match rules::read_location(fields, true) {
        Ok(input) => {
            web.db
                .write(&editor.scope(), &editor.actor(), move |w| {
                    let company_id = companies::id_of(w, &wanted)?;
                    companies::add_location(w, &input.made(|location| location.company_id = company_id)?)
                })
                .await
        }
        Err(error) => Err(error),
    };
    match saved {
        Ok(location) => frame.go(&format!("{}#locations", page_of(&key)), &format!("{} was added.", location.name)),
        Err(Error::Invalid(wrong)) => {
            let status = Error::Invalid(Vec::new()).status();
            let refused = company::Refused { location: Some((wrong, typed)), ..company::Refused::default() };
            company::page(&web, &frame, key, status, refused).await
        }
        Err(other) => Err(other),
    }
}

/// `POST /companies/{acct}/locations/{id}/remove`
pub async fn remove_location(
    State(web): State<Web>,
    editor: Editor,
    frame: Frame,
    Path((key, location)): Path<(String, i64)>,
) -> Result<Response> {
    let wanted = key.clone();
    web.db
        .write(&editor.scope(), &editor.actor(), move |w| {
            let id = companies::id_of(w, &wanted)?;
            remove::location(w, id, location)
        })
        .await?;
    frame.go(&format!("{}#locations", page_of(&key)), "The location is removed.")
}
