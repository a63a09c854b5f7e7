//! Editing one of a company's locations.

use axum::{extract::State, response::Response};

use super::{
    companies::address,
    edit::{FormPage, Part, Typed, changed, section},
    mention,
};
use crate::{
    agents::Frame,
    auth::Editor,
    companies::{Location, rules, store as companies},
    error::Result,
    web::{Fields, Path, Web, encode_segment, view::Section},
};

/// The form of a location.
#[must_use]
pub fn part(typed: &Typed) -> Part {
    section::<Location>(typed, "Location", Vec::new())
}

/// `GET /companies/{acct}/locations/{id}/edit`
pub async fn edit(State(web): State<Web>, _: Editor, frame: Frame, Path((key, id)): Path<(String, i64)>) -> Result<Response> {
    let form = stored(&web, &frame, &key, id).await?;
    frame.show(&form)
}

/// `POST /companies/{acct}/locations/{id}/edit`
pub async fn update(
    State(web): State<Web>,
    editor: Editor,
    frame: Frame,
    Path((key, id)): Path<(String, i64)>,
    sent: Fields,
) -> Result<Response> {
    let typed = Typed::new(sent.map().clone());
    let rev = typed.rev();
    let mut form = stored(&web, &frame, &key, id).await?;
    let wanted = key.clone();
    let saved = match rules::read_location(changed(&form, &sent), false) {
        Ok(input) => {
            web.db
                .write(&editor.scope(), &editor.actor(), move |w| {
                    let company_id = companies::id_of(w, &wanted)?;
                    companies::update_location(w, company_id, id, &input, rev)
                })
                .await
        }
        Err(error) => Err(error),
    };
    match saved {
        Ok(updated) => {
            let done = if updated.changed.is_empty() { "No changes to save." } else { "Saved." };
            frame.go(&format!("/companies/{}#locations", encode_segment(&key)), done)
        }
        Err(error) => {
            form.rev = typed.text("rev");
            form.sections = vec![part(&typed)];
            form.fail(&frame, error)
        }
    }
}

async fn stored(web: &Web, frame: &Frame, key: &str, id: i64) -> Result<FormPage> {
    let wanted = key.to_owned();
    let (number, name, location) = web
        .db
        .read(&frame.scope(), move |c| {
            let company_id = companies::id_of(c, &wanted)?;
            let company = companies::get_view(c, company_id)?;
            let (number, name) = (company.inside().row.account_number.clone(), company.inside().row.name.clone());
            Ok((number, name, companies::get_location(c, company_id, id)?))
        })
        .await?;
    let here = address(&frame.page, &number);
    let rev = location.rev;
    Ok(FormPage {
        page: frame.titled(Section::Companies, format!("Edit {}", location.name)),
        crumbs: vec![mention(frame.page.url("/companies/"), "Companies"), mention(here.clone(), name)],
        problems: Vec::new(),
        doubles: None,
        action: format!("{here}/locations/{id}/edit"),
        rev: rev.to_string(),
        sections: vec![part(&Typed::of(&location)?)],
        save: "Save",
        back: format!("{here}#locations"),
    })
}
