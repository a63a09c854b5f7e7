//! Adding, editing and removing one of a company's locations.

use axum::response::Response;

use super::{address, detail};
use crate::{
    agents::PageContext,
    companies::{Company, Location, Locations},
    db::Conn,
    error::{Error, Result},
    history,
    resource::{
        form_page::{FormPage, Part, Typed, section},
        forms::Form,
    },
    ui::{Section, link_to},
    web::{Path, Query, Web, encode_segment},
};

/// The form of a location.
#[must_use]
pub fn part(typed: &Typed) -> Part {
    section::<Location>(typed, "Location", Vec::new())
}

impl Form for Locations {
    /// A location stands on its company's page; only one that there is has a page to edit it.
    type Ground = Option<(Company, Location)>;

    fn ground(c: &mut Conn, id: Option<i64>, _: &Typed, (): &()) -> Result<Self::Ground> {
        let Some(id) = id else { return Ok(None) };
        let location: Location = history::get(c, id)?;
        Ok(Some((history::get(c, location.company_id)?, location)))
    }

    fn begin(_: &Query) -> Typed {
        Typed::default()
    }

    fn stands(ground: &Self::Ground) -> Result<Typed> {
        let Some((_, location)) = ground else { return Ok(Typed::default()) };
        let mut typed = Typed::of(location)?;
        typed.set("rev", location.rev);
        Ok(typed)
    }

    fn form(context: &PageContext, ground: &Self::Ground, typed: &Typed) -> FormPage {
        let list = link_to(context.page.url("/companies/"), "Companies");
        let Some((company, location)) = ground else {
            return FormPage::adding(context.titled(Section::Companies, "New location"), list, "Add location", vec![part(typed)]);
        };
        let here = address(&context.page, &company.account_number);
        let page = context.titled(Section::Companies, format!("Edit {}", location.name));
        let company = link_to(here.clone(), company.name.clone());
        let form = FormPage::editing(page, list, company, typed, vec![part(typed)]);
        FormPage { action: format!("{here}/locations/{}/edit", location.id), back: format!("{here}#locations"), ..form }
    }

    fn page((company, _): &Self::Key) -> String {
        format!("/companies/{}#locations", encode_segment(company))
    }

    fn title(shown: &Location) -> String {
        shown.name.clone()
    }

    fn retired(_: &mut Conn, _: i64, (): &()) -> Result<String> {
        Ok("The location is removed.".to_owned())
    }

    async fn not_added(
        web: &Web,
        context: &PageContext,
        Path(key): Path<String>,
        typed: Typed,
        error: Error,
    ) -> Result<Response> {
        let status = error.status();
        match error {
            Error::Invalid(wrong) => {
                let refused = detail::Refused { location: Some((wrong, typed)), ..detail::Refused::default() };
                detail::page(web, context, key, status, refused).await
            }
            other => Err(other),
        }
    }
}
