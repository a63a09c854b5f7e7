//! Where administrators add fields and tags.

use askama::Template;
use axum::{extract::State, response::Response};
use serde_json::Value as Json;

use super::{
    api,
    tags::{Tags, merge_into},
};
use crate::{
    agents::PageContext,
    auth::Admin,
    compliance::RedactionPolicy,
    custom::{AddedField, COLORS, KINDS, Tag, nouns, store},
    db::{Conn, Write},
    error::{Error, Result},
    history,
    resource::{
        Resource as _,
        form_page::{FormPage, Part, Typed},
    },
    ui::{Choice, Crumb, Field, Line, Page, Post, Section, Table, Value, filters, label, link_to},
    web::{Fields, Path, Routes, Web},
};

/// The pages.
pub fn routes() -> Routes {
    Routes::new()
        .get("/admin/fields/", index)
        .get("/admin/fields/new", new_field)
        .post("/admin/fields/new", add_field)
        .get("/admin/fields/{id}/edit", edit_field)
        .post("/admin/fields/{id}/edit", save_field)
        .form("/admin/fields/{id}/retire", "/admin/fields/", retire_field)
        .form("/admin/fields/{id}/restore", "/admin/fields/", restore_field)
        .get("/admin/tags/new", new_tag)
        .post("/admin/tags/new", add_tag)
        .get("/admin/tags/{id}/edit", edit_tag)
        .post("/admin/tags/{id}/edit", save_tag)
        .form("/admin/tags/{id}/retire", "/admin/fields/", retire_tag)
        .form("/admin/tags/{id}/restore", "/admin/fields/", restore_tag)
}

/// Where they all lead back to.
const HERE: &str = "/admin/fields/";

#[derive(Template)]
#[template(path = "records/custom.html")]
struct CustomPage {
    page: Page,
    crumbs: Vec<Crumb>,
    fields: Table,
    tags: Table,
}

fn list_crumb(page: &Page) -> Crumb {
    link_to(page.url(HERE), "Custom fields and tags")
}

fn post(page: &Page, what: &str, id: i64, name: &str, is_retired: bool, consequence: &str) -> Post {
    let (verb, label) = if is_retired { ("restore", "Restore") } else { ("retire", "Retire") };
    Post {
        action: page.url(&format!("/admin/{what}/{id}/{verb}")),
        label,
        confirm: if is_retired { String::new() } else { format!("Retire {name}? {consequence}") },
        fields: Vec::new(),
    }
}

async fn index(_: Admin, context: PageContext, State(web): State<Web>) -> Result<Response> {
    let read = |c: &mut Conn| Ok((api::all(c)?, store::tags(c)?, store::tagged(c)?));
    let (fields, tags, tagged) = web.db.read(&context.scope(), read).await?;
    let page = context.titled(Section::Admin, "Custom fields and tags");
    let state = |retired: bool| if retired { Value::badge("warning", "Retired") } else { Value::words("") };
    let what = |entity: &str| nouns().iter().find(|noun| noun.entity == entity).map_or("", |noun| noun.what).to_owned();
    let field = |(field, count): (AddedField, i64)| Line {
        cells: vec![
            Value::link(page.url(&format!("/admin/fields/{}/edit", field.id)), field.label.clone()),
            Value::words(what(&field.entity)),
            Value::words(label(&field.kind)),
            Value::code(Some(&field.key)),
            Value::count(count),
            state(field.retired_at.is_some()),
        ],
        post: Some(post(&page, "fields", field.id, &field.label, field.retired_at.is_some(), "Its values are kept, and hidden.")),
    };
    let tag = |tag: Tag| Line {
        cells: vec![
            Value::link(page.url(&format!("/admin/tags/{}/edit", tag.id)), tag.name.clone()),
            Value::tags(vec![(tag.name.clone(), tag.color.clone())]),
            Value::text(tag.note.as_deref()),
            Value::count(tagged.get(&tag.id).copied().unwrap_or_default()),
            state(tag.retired_at.is_some()),
        ],
        post: Some(post(&page, "tags", tag.id, &tag.name, tag.retired_at.is_some(), "Records no longer show it.")),
    };
    let view = CustomPage {
        crumbs: vec![link_to(page.url("/admin/"), "Sync")],
        fields: Table {
            label: "Custom fields",
            heads: vec![
                ("Field", "cell--main"),
                ("Records", "cell--sub"),
                ("Kind", ""),
                ("Key", ""),
                ("In use", "cell--number"),
                ("", "cell--end"),
            ],
            lines: fields.into_iter().map(field).collect(),
            empty: "No custom fields yet.",
            more: None,
        },
        tags: Table {
            label: "Tags",
            heads: vec![
                ("Tag", "cell--main"),
                ("Looks like", ""),
                ("Used for", "cell--cut"),
                ("Records", "cell--number"),
                ("", "cell--end"),
            ],
            lines: tags.into_iter().map(tag).collect(),
            empty: "No tags yet.",
            more: None,
        },
        page,
    };
    context.show(&view)
}

fn words(all: &[&str]) -> Vec<Choice> {
    all.iter().map(|word| Choice::new(*word, label(word))).collect()
}

fn field_form(context: &PageContext, stands: Option<&AddedField>, typed: &Typed) -> FormPage {
    let mut fields = Vec::new();
    if stands.is_none() {
        let choices = nouns().iter().map(|noun| Choice::new(noun.entity, noun.what)).collect();
        fields.push(Field::select("type", "Record type", typed.text("type"), choices).required());
    }
    fields.push(Field::text("label", "Label", typed.text("label")).required());
    if stands.is_none() {
        let hint = "The name in the API, CSV and filters. It can't be changed later.";
        fields.push(Field::text("key", "Key", typed.text("key")).required().hint(hint));
    }
    fields.extend([
        Field::select("kind", "Kind", typed.text("kind"), words(&KINDS)).required(),
        Field::area("choices", "Choices", typed.text("choices")).hint("For the kind Choice. One per line."),
        Field::text("help", "Help text", typed.text("help")).hint("Shown below the field in forms."),
        Field::line("number", "position", "Order", typed.text("position")).hint("Lower numbers come first."),
        Field::check("required", "Required", typed.is_on("required")),
    ]);
    let sections = vec![Part { title: "Field", fields }];
    let page = |title: String| context.titled(Section::Admin, title);
    match stands {
        None => FormPage::adding(page("New custom field".to_owned()), list_crumb(&context.page), "Add field", sections),
        Some(field) => {
            let record = link_to(context.page.url(&format!("/admin/fields/{}", field.id)), field.label.clone());
            let form =
                FormPage::editing(page(format!("Edit {}", field.label)), list_crumb(&context.page), record, typed, sections);
            FormPage { back: context.page.url(HERE), crumbs: vec![list_crumb(&context.page)], ..form }
        }
    }
}

async fn new_field(_: Admin, context: PageContext) -> Result<Response> {
    let begin = match api::begin() {
        Json::Object(map) => map,
        _ => serde_json::Map::new(),
    };
    context.show(&field_form(&context, None, &Typed::new(begin)))
}

/// What a form sent for a field: an empty box of choices is none, and an empty order is the first.
fn sent_field(fields: &Fields) -> Fields {
    let mut map = fields.map().clone();
    for (name, empty) in [("choices", Json::Null), ("position", 0.into())] {
        if map.get(name).and_then(Json::as_str).is_some_and(|text| text.trim().is_empty()) {
            map.insert(name.to_owned(), empty);
        }
    }
    Fields::from_form(map)
}

async fn add_field(admin: Admin, context: PageContext, State(web): State<Web>, fields: Fields) -> Result<Response> {
    let typed = Typed::new(fields.map().clone());
    let saved = match api::input(sent_field(&fields), true) {
        Ok(input) => web.db.write(&admin.scope(), &admin.actor(), move |w| api::add(w, &input)).await,
        Err(error) => Err(error),
    };
    match saved {
        Ok(field) => context.go(HERE, &format!("{} added.", field.label)),
        Err(error) => field_form(&context, None, &typed).fail(&context, error),
    }
}

async fn field(web: &Web, context: &PageContext, id: i64) -> Result<AddedField> {
    web.db.read(&context.scope(), move |c| history::get(c, id)).await
}

async fn edit_field(_: Admin, context: PageContext, State(web): State<Web>, Path(id): Path<i64>) -> Result<Response> {
    let field = field(&web, &context, id).await?;
    context.show(&field_form(&context, Some(&field), &Typed::of(&field)?))
}

async fn save_field(
    admin: Admin,
    context: PageContext,
    State(web): State<Web>,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response> {
    let stands = field(&web, &context, id).await?;
    let typed = Typed::new(fields.map().clone());
    let rev = typed.rev();
    let saved = match api::input(sent_field(&fields), false) {
        Ok(input) => web.db.write(&admin.scope(), &admin.actor(), move |w| api::change(w, id, &input, rev)).await,
        Err(error) => Err(error),
    };
    match saved {
        Ok(_) => context.go(HERE, "Saved."),
        Err(error) => field_form(&context, Some(&stands), &typed).fail(&context, error),
    }
}

async fn retire_field(admin: Admin, context: PageContext, State(web): State<Web>, Path(id): Path<i64>) -> Result<Response> {
    web.db.write(&admin.scope(), &admin.actor(), move |w| history::retire::<AddedField>(w, id, None)).await?;
    context.go(HERE, "Retired.")
}

async fn restore_field(admin: Admin, context: PageContext, State(web): State<Web>, Path(id): Path<i64>) -> Result<Response> {
    web.db.write(&admin.scope(), &admin.actor(), move |w| history::restore::<AddedField>(w, id, None)).await?;
    context.go(HERE, "Restored.")
}

/// A tag's form; one that is there can be merged into one of `others`.
fn tag_form(context: &PageContext, stands: Option<&Tag>, others: &[Tag], typed: &Typed) -> FormPage {
    let mut fields = vec![
        Field::text("name", "Name", typed.text("name")).required(),
        Field::select("color", "Colour", typed.text("color"), words(&COLORS)),
        Field::text("note", "Used for", typed.text("note")),
    ];
    if !others.is_empty() {
        let choices = others.iter().map(|tag| Choice::new(tag.id.to_string(), tag.name.clone()));
        let choices = std::iter::once(Choice::new("", "–")).chain(choices).collect();
        let hint = "Its records get that tag instead, and this one is retired.";
        fields.push(Field::select("into", "Merge into", typed.text("into"), choices).hint(hint));
    }
    let sections = vec![Part { title: "Tag", fields }];
    match stands {
        None => FormPage::adding(context.titled(Section::Admin, "New tag"), list_crumb(&context.page), "Add tag", sections),
        Some(tag) => {
            let page = context.titled(Section::Admin, format!("Edit {}", tag.name));
            let record = link_to(context.page.url(&format!("/admin/tags/{}", tag.id)), tag.name.clone());
            let form = FormPage::editing(page, list_crumb(&context.page), record, typed, sections);
            FormPage { back: context.page.url(HERE), crumbs: vec![list_crumb(&context.page)], ..form }
        }
    }
}

async fn new_tag(_: Admin, context: PageContext) -> Result<Response> {
    let page = tag_form(&context, None, &[], &Typed::default());
    let action = context.page.url("/admin/tags/new");
    context.show(&FormPage { action, ..page })
}

async fn add_tag(admin: Admin, context: PageContext, State(web): State<Web>, fields: Fields) -> Result<Response> {
    let typed = Typed::new(fields.map().clone());
    let saved = match Tags::read(fields, true) {
        Ok(input) => web.db.write(&admin.scope(), &admin.actor(), move |w| Tags::create(w, &(), &input, &())).await,
        Err(error) => Err(error),
    };
    match saved {
        Ok(_) => context.go(HERE, "Tag added."),
        Err(error) => {
            let form = tag_form(&context, None, &[], &typed);
            FormPage { action: context.page.url("/admin/tags/new"), ..form }.fail(&context, error)
        }
    }
}

/// A tag, and those into which it can be merged.
async fn tag(web: &Web, context: &PageContext, id: i64) -> Result<(Tag, Vec<Tag>)> {
    let read = move |c: &mut Conn| {
        let mut others = store::tags(c)?;
        others.retain(|other| other.id != id && other.retired_at.is_none());
        Ok((history::get(c, id)?, others))
    };
    web.db.read(&context.scope(), read).await
}

async fn edit_tag(_: Admin, context: PageContext, State(web): State<Web>, Path(id): Path<i64>) -> Result<Response> {
    let (tag, others) = tag(&web, &context, id).await?;
    context.show(&tag_form(&context, Some(&tag), &others, &Typed::of(&tag)?))
}

async fn save_tag(
    admin: Admin,
    context: PageContext,
    State(web): State<Web>,
    Path(id): Path<i64>,
    mut fields: Fields,
) -> Result<Response> {
    let (tag, others) = tag(&web, &context, id).await?;
    let typed = Typed::new(fields.map().clone());
    let rev = typed.rev();
    let into = fields.int("into").value();
    let policy = RedactionPolicy::of(&context.caller, &web.config, &context.query)?;
    let types = context.caller.types();
    let saved = match Tags::read(fields, false) {
        Ok(input) => {
            let work = move |w: &mut Write<'_>| match into {
                Some(into) => {
                    merge_into(w, id, into, &policy, types.as_deref()).map(|(tag, _)| format!("Merged into {}.", tag.name))
                }
                None => Tags::update(w, id, &input, rev, &()).map(|_| "Saved.".to_owned()),
            };
            web.db.write(&admin.scope(), &admin.actor(), work).await
        }
        Err(error) => Err(error),
    };
    match saved {
        Ok(done) => context.go(HERE, &done),
        Err(error) => tag_form(&context, Some(&tag), &others, &typed).fail(&context, error),
    }
}

async fn retire_tag(admin: Admin, context: PageContext, State(web): State<Web>, Path(id): Path<i64>) -> Result<Response> {
    web.db.write(&admin.scope(), &admin.actor(), move |w| history::retire::<Tag>(w, id, None)).await?;
    context.go(HERE, "Retired.")
}

async fn restore_tag(admin: Admin, context: PageContext, State(web): State<Web>, Path(id): Path<i64>) -> Result<Response> {
    match web.db.write(&admin.scope(), &admin.actor(), move |w| Tags::restore(w, id)).await {
        Ok(()) => context.go(HERE, "Restored."),
        Err(Error::Conflict { message, .. }) => context.go_sorry(HERE, &message),
        Err(other) => Err(other),
    }
}
