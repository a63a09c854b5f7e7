//! Into which companies a contact is put from their page.

use axum::response::Response;

use super::detail;
use crate::{
    agents::PageContext,
    companies::store as companies,
    contacts::{
        Contacts, Membership,
        model::{DESIGNATIONS, ROLES},
        store,
    },
    db::Write,
    error::{Error, FieldError, Result},
    resource::{form_page::Typed, links::Link},
    web::{Fields, Web},
};

/// A contact's place in a company.
pub struct Place;

impl Link for Place {
    type At = Contacts;
    /// The company's account number, and what they are there.
    type Added = (String, Membership);
    type Address = i64;
    /// The company's account number.
    type Removed = String;
    const DONE: (&'static str, &'static str) = ("Assigned.", "Removed from the company.");

    fn added(mut fields: Fields) -> Result<(String, Membership)> {
        let company = company(&mut fields);
        let role = fields.text("role").one_of(ROLES).value();
        let designation = fields.text("designation").one_of(DESIGNATIONS).value();
        let is_primary = fields.bool("is_primary").value().unwrap_or(false);
        fields.finish()?;
        Ok((company, Membership { role, designation, is_primary, ..Membership::default() }))
    }

    fn removed(contact: i64, mut fields: Fields) -> Result<(i64, String)> {
        let company = company(&mut fields);
        fields.finish()?;
        Ok((contact, company))
    }

    fn add(w: &mut Write<'_>, id: i64, (company, wanted): (String, Membership)) -> Result<()> {
        let company_id = companies::find_id(w, &company)?
            .ok_or_else(|| Error::field("company_id", format!("there is no company {company}")))?;
        let before = store::memberships(w, id)?.into_iter().find(|place| place.company_id == company_id);
        let Membership { role, designation, is_primary, .. } = wanted;
        let member = Membership { company_id, role, designation, is_primary, ..before.unwrap_or_default() };
        store::join(w, id, &member)
    }

    fn remove(w: &mut Write<'_>, id: i64, company: String) -> Result<()> {
        let company_id = companies::id_of(w, &company)?;
        store::leave(w, id, company_id).map(drop)
    }

    async fn refused(web: &Web, context: &PageContext, key: i64, wrong: Vec<FieldError>, typed: Typed) -> Result<Response> {
        let status = Error::Invalid(Vec::new()).status();
        let refused = detail::Refused { link: Some((wrong, typed)), ..detail::Refused::default() };
        detail::page(web, context, key, status, refused).await
    }
}

fn company(fields: &mut Fields) -> String {
    fields.key("company_id").required().max(50).value().unwrap_or_default()
}
