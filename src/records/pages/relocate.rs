//! `/contacts/{id}/move`: a contact goes to another company, with the devices that they use.

use axum::{extract::State, response::Response};
use serde_json::Map;

use crate::{
    agents::PageContext,
    assets::{AssetViewContext, rules as asset_rules, store as assets},
    auth::Editor,
    companies::{pages_store, store as companies},
    contacts::{Contact, Membership, store as contacts},
    db::{Conn, Write},
    error::{Error, Result},
    history::{Record as _, batches},
    resource::form_page::{FormPage, Part, or_none},
    ui::{Choice, Field, Section, count_of, link_to},
    web::{Fields, Path, Web},
};

/// Who is to move, with what.
struct Known {
    name: String,
    places: Vec<Membership>,
    companies: Vec<Choice>,
    /// What they use: id and hostname.
    devices: Vec<(i64, String)>,
}

/// `GET` of it.
pub async fn show(_: Editor, State(web): State<Web>, context: PageContext, Path(id): Path<i64>) -> Result<Response> {
    let known = known(&web, &context, id).await?;
    context.show(&form(&context, id, &known, String::new(), None))
}

async fn known(web: &Web, context: &PageContext, id: i64) -> Result<Known> {
    let view = AssetViewContext::of(&context.caller, &web.config, &context.query)?;
    let read = move |c: &mut Conn| {
        let contact = contacts::get_view(c, id)?.redact(&view.policy);
        let devices = assets::of_contact(c, id)?.into_iter().map(|asset| asset.redact(&view));
        Ok(Known {
            name: contact.row.name,
            places: contacts::memberships(c, id)?,
            devices: devices.map(|asset| (asset.row.id, asset.row.hostname)).collect(),
            companies: pages_store::company_choices(c)?,
        })
    };
    web.db.read(&context.scope(), read).await
}

fn form(context: &PageContext, id: i64, known: &Known, company: String, devices: Option<Vec<String>>) -> FormPage {
    let page = context.titled(Section::Contacts, format!("Move {}", known.name));
    let here = page.url(&format!("/contacts/{id}"));
    let from: Vec<&str> = known.places.iter().map(|place| place.company_name.as_str()).collect();
    let hint = if from.is_empty() { String::new() } else { format!("Leaves {}", from.join(", ")) };
    let to = Field::select("company", "To company", company, or_none(known.companies.clone())).required().hint(hint);
    let choices: Vec<Choice> = known.devices.iter().map(|(id, name)| Choice::new(id.to_string(), name.clone())).collect();
    let chosen = devices.unwrap_or_else(|| choices.iter().map(|choice| choice.value.clone()).collect());
    let along = (!choices.is_empty()).then(|| Field::many("devices", "Devices that move too", chosen, choices));
    FormPage {
        crumbs: vec![link_to(page.url("/contacts/"), "Contacts"), link_to(here.clone(), known.name.clone())],
        problems: Vec::new(),
        doubles: None,
        action: format!("{here}/move"),
        rev: String::new(),
        sections: vec![Part { title: "Move", fields: std::iter::once(to).chain(along).collect() }],
        save: "Move",
        back: here,
        page,
    }
}

/// `POST` of it: all of it together, so that one undo takes it back.
pub async fn save(
    editor: Editor,
    State(web): State<Web>,
    context: PageContext,
    Path(id): Path<i64>,
    mut fields: Fields,
) -> Result<Response> {
    fields.set_creating(true);
    let company = fields.key("company").required().max(50).value().unwrap_or_default();
    let devices = fields.int_list("devices").get().value().unwrap_or_default();
    let known = known(&web, &context, id).await?;
    let view = AssetViewContext::of(&editor, &web.config, &context.query)?;
    let (to, along) = (company.clone(), devices.clone());
    let work = move |w: &mut Write<'_>| {
        let to = companies::find_id(w, &to)?.ok_or_else(|| Error::field("company", "choose a company"))?;
        let batch = batches::begin(w, "update", Contact::ENTITY)?;
        let places = contacts::memberships(w, id)?;
        for place in places.iter().filter(|place| place.company_id != to) {
            contacts::leave(w, id, place.company_id)?;
        }
        if !places.iter().any(|place| place.company_id == to) {
            contacts::join(w, id, &Membership { company_id: to, ..Membership::default() })?;
        }
        let used: Vec<i64> = assets::of_contact(w, id)?.iter().map(|asset| asset.inside().row.id).collect();
        let moved = along.iter().filter(|device| used.contains(device));
        let mut count = 0;
        for device in moved {
            let input = asset_rules::read(Fields::new(Map::from_iter([("company_id".to_owned(), to.into())])), false)?;
            assets::update(w, *device, &input, None, &view.policy)?;
            count += 1;
        }
        batches::end(w, batch)?;
        Ok(count)
    };
    let moved = match fields.finish() {
        Ok(()) => web.db.write(&context.scope(), &context.actor(), work).await,
        Err(error) => Err(error),
    };
    match moved {
        Ok(0) => context.go(&format!("/contacts/{id}"), "Moved."),
        Ok(n) => context.go(&format!("/contacts/{id}"), &format!("Moved with {}.", count_of(n, "device", "devices"))),
        Err(error) => {
            let chosen = devices.iter().map(i64::to_string).collect();
            form(&context, id, &known, company, Some(chosen)).fail(&context, error)
        }
    }
}
