//! The list of contacts.

use axum::{extract::State, response::Response};

use super::{companies::ListPage, companies::address, store, words};
use crate::{
    agents::Frame,
    compliance::Lens,
    contacts::{
        ContactView,
        list_store::{self, Places},
        model::{DESIGNATIONS, ROLES},
    },
    error::Result,
    web::{
        Web,
        view::{Choice, Listing, Page, Row, Section, Shape, Shown, Value},
    },
};

static SHAPE: Shape = Shape {
    spec: &list_store::LIST,
    path: "/contacts/",
    api: "/api/contacts",
    columns: &[
        Shown { key: "name", label: "Name", class: "cell--main", usual: true },
        Shown { key: "company_id", label: "Company", class: "cell--sub cell--cut", usual: true },
        Shown { key: "role", label: "Role", class: "", usual: true },
        Shown { key: "title", label: "Title", class: "cell--cut", usual: true },
        Shown { key: "email", label: "E-mail", class: "cell--sub cell--cut", usual: true },
        Shown { key: "phone", label: "Phone", class: "", usual: true },
        Shown { key: "work_phone_number", label: "Work phone", class: "", usual: false },
        Shown { key: "mobile_phone_number", label: "Mobile", class: "", usual: false },
        Shown { key: "location_name", label: "Location", class: "cell--cut", usual: false },
        Shown { key: "active", label: "State", class: "cell--end", usual: true },
        Shown { key: "updated_at", label: "Changed", class: "", usual: false },
    ],
    placeholder: "Search name, e-mail, telephone",
    noun: "contacts",
    when_empty: "Add a contact, or let a sync bring them in.",
};

/// `GET /contacts/`
pub async fn index(State(web): State<Web>, frame: Frame) -> Result<Response> {
    let listing = Listing::new(&SHAPE, &frame.page.prefix, &frame.query);
    let query = listing.ask()?;
    let places = Places::read(&frame.query)?;
    let lens = Lens::of(&frame.caller, &web.config, &frame.query)?;
    let (found, companies) = web
        .db
        .read(&frame.scope(), move |c| {
            let found = list_store::list(c, &query, &places, &lens)?;
            let companies = store::companies_of(c, found.items.iter().map(|contact| contact.row.id).collect())?;
            Ok((found, companies))
        })
        .await?;
    let rows = found.items.into_iter().map(|contact| {
        let belongs = companies.get(&contact.row.id).map_or(&[][..], Vec::as_slice);
        row(&frame.page, contact, belongs)
    });
    let choices = |known: &[&str]| known.iter().map(|word| Choice::new(*word, words(word))).collect();
    let filters = vec![
        listing.filter("active", "State", vec![Choice::new("true", "Active"), Choice::new("false", "Inactive")]),
        listing.filter("role", "Role", choices(ROLES)),
        listing.filter("designation", "Designation", choices(DESIGNATIONS)),
        listing.filter("is_primary", "Primary contact", vec![Choice::new("true", "Yes"), Choice::new("false", "No")]),
    ];
    let list = listing.list(filters, rows.collect(), found.total);
    let action = frame.page.may_write().then(|| (frame.page.url("/contacts/new"), "New contact"));
    frame.show(&ListPage { page: frame.titled(Section::Contacts, "Contacts"), action, list })
}

fn row(page: &Page, contact: ContactView, belongs: &[store::Belongs]) -> Row {
    let company = match belongs {
        [] => Value::None,
        [only] => Value::link(address(page, &only.account_number), only.name.clone()),
        [first, rest @ ..] => Value::Many(vec![
            Value::link(address(page, &first.account_number), first.name.clone()),
            Value::badge("", format!("+{}", rest.len())),
        ]),
    };
    Row {
        id: contact.row.id,
        href: page.url(&format!("/contacts/{}", contact.row.id)),
        name: contact.row.name.clone(),
        retired: contact.row.retired_at.is_some(),
        cells: vec![
            Value::words(contact.row.name.clone()),
            company,
            super::company_tables::place(
                contact.place.is_primary,
                contact.place.role.as_deref(),
                contact.place.designation.as_deref(),
                true,
            ),
            Value::text(contact.row.job_title.as_deref()),
            Value::mail(Some(&contact.row.email)),
            Value::phone(contact.phone()),
            Value::phone(contact.row.work_phone_number.as_deref()),
            Value::phone(contact.row.mobile_phone_number.as_deref()),
            Value::text(contact.row.location_name.as_deref()),
            state(contact.row.active),
            Value::ago(Some(&contact.row.updated_at)),
        ],
    }
}

/// Whether somebody is still there.
pub fn state(active: bool) -> Value {
    if active { Value::Dot { kind: "good", text: "Active".into() } } else { Value::Dot { kind: "", text: "Inactive".into() } }
}
