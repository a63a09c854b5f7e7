//! Adding and editing a contact.

use axum::response::Response;

use super::{LIST, detail};
use crate::{
    agents::PageContext,
    companies::{pages_store as company_pages, store as companies},
    compliance::{RedactionPolicy, trail},
    contacts::{
        Contact, ContactDetail, ContactView, Contacts,
        model::{DESIGNATIONS, EMPLOYMENT, EMPLOYMENTS, ROLES},
        pages_store as store, store as contacts,
    },
    db::Conn,
    error::{Error, Result},
    resource::{
        bulk_page::Many,
        form_page::{FormPage, Part, Typed, or_none, protected_as, section},
        forms::Form,
    },
    ui::{Choice, Field, Records, link_to, words},
    web::{Query, Web},
};

/// What a contact's form is made of: the contact, or the companies to choose from for a new one.
pub enum Ground {
    New(Vec<Choice>),
    Existing(Box<ContactView>),
}

impl Many for Contacts {
    const LIST: Records = LIST;
    const WORDS: (&'static str, &'static str) = ("contact", "contacts");
}

impl Form for Contacts {
    type Ground = Ground;
    const LISTS: &'static [&'static str] = &["secondary_emails"];
    const DOUBLES: (&'static str, &'static str) = ("This company has a contact with this name already", "name");

    fn ground(c: &mut Conn, id: Option<i64>, _: &Typed, policy: &RedactionPolicy) -> Result<Ground> {
        Ok(match id {
            Some(id) => Ground::Existing(Box::new(contacts::get_view(c, id)?.redact(policy))),
            None => Ground::New(company_pages::company_choices(c)?),
        })
    }

    fn begin(query: &Query) -> Typed {
        let mut typed = Typed::default();
        typed.set("company_id", query.get("company").unwrap_or_default());
        typed.set("active", true);
        typed.set("employment_type", EMPLOYMENT);
        typed
    }

    fn stands(ground: &Ground) -> Result<Typed> {
        match ground {
            Ground::New(_) => Ok(Typed::default()),
            Ground::Existing(view) => Typed::of(view),
        }
    }

    fn form(context: &PageContext, ground: &Ground, typed: &Typed) -> FormPage {
        let mut sections = parts(typed);
        let contact = match ground {
            Ground::New(companies) => {
                sections.insert(1, company(typed, companies.clone()));
                None
            }
            Ground::Existing(view) => {
                sections.last_mut().into_iter().for_each(|more| more.fields.push(protected_as(typed)));
                Some(link_to(context.page.url(&Self::page(&view.row.id)), view.row.name.clone()))
            }
        };
        FormPage::of(context, &LIST, contact, typed, sections)
    }

    fn page(key: &i64) -> String {
        format!("/contacts/{key}")
    }

    fn title(shown: &ContactDetail) -> String {
        shown.contact.row.name.clone()
    }

    fn mark(shown: &ContactDetail) -> Option<String> {
        Some(shown.contact.row.email.clone()).filter(|email| !email.is_empty())
    }

    fn doubles(c: &mut Conn, typed: &Typed, policy: &RedactionPolicy) -> Result<Vec<(String, String)>> {
        let Some(company) = companies::find_id(c, &typed.text("company_id"))? else { return Ok(Vec::new()) };
        let named = store::contacts_named(c, &typed.text("name"), company)?;
        Ok(trail::names(c, named, policy)?.into_iter().map(|(id, name)| (Self::page(&id), name)).collect())
    }

    async fn not_retired(web: &Web, context: &PageContext, key: i64, error: Error) -> Result<Response> {
        let status = error.status();
        detail::page(web, context, key, status, detail::Refused::attached(&error)).await
    }
}

/// Where a new contact is, and as what.
fn company(typed: &Typed, companies: Vec<Choice>) -> Part {
    let words = |known: &[&str]| or_none(known.iter().map(|word| Choice::new(*word, words(word))).collect());
    Part {
        title: "Company",
        fields: vec![
            Field::select("company_id", "Company", typed.text("company_id"), or_none(companies)),
            Field::select("role", "Role", typed.text("role"), words(ROLES)),
            Field::select("designation", "Designation", typed.text("designation"), words(DESIGNATIONS)),
            Field::check("is_primary", "The company's primary contact", typed.is_on("is_primary")),
        ],
    }
}

fn parts(typed: &Typed) -> Vec<Part> {
    let employments = EMPLOYMENTS.iter().map(|kind| Choice::word(kind)).collect();
    let employment = Field::select("employment_type", "Employment", typed.text("employment_type"), employments);
    let mut person = section::<Contact>(typed, "Person", vec![("employment_type", employment)]);
    // A name can be made of first and last name, but whoever types here types it.
    person.fields.first_mut().into_iter().for_each(|name| name.required = true);
    vec![person, section::<Contact>(typed, "Contact details", Vec::new())]
}
