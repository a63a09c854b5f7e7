//! A noun's pages: its list, a record, its forms.

use askama::Template;
use axum::{extract::State, response::Response};

use super::{
    AnyNoun, about,
    api::{company_asked, narrowed, one},
    door, entities, panel,
    table::{self, columns},
};
use crate::{
    agents::Frame,
    auth::Editor,
    companies::store as companies,
    compliance::RedactionPolicy,
    db::{Conn, list::Kind as ListKind},
    entity::{
        Cell, Kind, Noun, Seen, Stands,
        noun::{self, Paths, RECORD, besides, references},
        once::{lasting, of_type},
    },
    error::{Error, Result},
    history::Record,
    records::pages::{
        companies::{ListPage, address},
        edit::{self, FormPage, Part, Typed, changed},
        mention,
        record::{Facts, Past},
        store, words,
    },
    web::{
        Fields, Path, Routes, Web, encode_segment,
        view::{Choice, Crumb, Field, Item, Listing, Page, Row, Section, Shape, Timeline, Value, capitalised, filters},
    },
};

/// How many rows of another noun a form offers to choose from.
const OFFERED: i64 = 2_000;

/// A noun's pages.
pub fn routes<E: Noun>() -> Routes {
    let paths = Paths::of::<E>();
    Routes::new()
        .get(paths.page, index::<E>)
        .get(paths.page_new, new::<E>)
        .post(paths.page_new, create::<E>)
        .get(paths.page_one, show::<E>)
        .get(paths.page_edit, edit::<E>)
        .post(paths.page_edit, update::<E>)
        .form(paths.page_retire, paths.page_one, retire::<E>)
        .form(paths.page_restore, paths.page_one, restore::<E>)
}

fn shape<E: Noun>() -> &'static Shape {
    of_type::<E, Shape>(|| Shape {
        spec: noun::list::<E>(),
        path: Paths::of::<E>().page,
        api: Paths::of::<E>().list,
        columns: || columns::<E>().shown(),
        placeholder: lasting(format!("Search {}", E::DOOR.many)),
        noun: E::DOOR.many,
        when_empty: if E::ABOUT.is_some() {
            "They are written on the pages of records."
        } else {
            "Add one here or on a company's page."
        },
    })
}

/// What the person may see, if they may read this noun.
fn policy<E: Noun>(web: &Web, frame: &Frame) -> Result<RedactionPolicy> {
    let policy = RedactionPolicy::of(&frame.caller, &web.config, &frame.query)?;
    about::allow::<E>(&policy)?;
    Ok(policy)
}

async fn index<E: Noun>(State(web): State<Web>, frame: Frame) -> Result<Response> {
    let listing = Listing::new(shape::<E>(), &frame.page.prefix, &frame.query);
    let query = listing.ask()?;
    let company = company_asked(&frame.query)?;
    let policy = policy::<E>(&web, &frame)?;
    let read = move |c: &mut Conn| {
        let mut found = narrowed::<E>(c, &query, company.as_deref())?.run(c, noun::view::<E>)?;
        about::name(c, &mut found.items)?;
        about::log_disclosure(c, &found.items, &policy)?;
        Ok(found)
    };
    let found = web.db.read(&frame.scope(), read).await?;
    let row = |seen: &Seen<E>| Row {
        id: seen.row.id(),
        href: here::<E>(&frame.page, seen.row.id()),
        name: seen.title(),
        retired: seen.row.retired_at().is_some(),
        cells: columns::<E>().cells(&frame.page, seen),
    };
    let mut filters = Vec::new();
    for spec in E::FIELDS.iter().map(|field| &field.spec).filter(|spec| spec.is_listed) {
        if let Kind::Choice(known) = spec.kind {
            filters.push(listing.filter(
                spec.name,
                spec.label,
                known.iter().map(|word| Choice::new(*word, words(word))).collect(),
            ));
        }
    }
    for beside in besides::<E>().iter().filter(|beside| beside.kind == ListKind::Bool) {
        let choices = vec![Choice::new("true", "Yes"), Choice::new("false", "No")];
        filters.push(listing.filter(beside.name, beside.label, choices));
    }
    let list = listing.list(filters, found.items.iter().map(row).collect(), found.total);
    let action =
        (frame.page.may_write() && E::ABOUT.is_none()).then(|| (frame.page.url(Paths::of::<E>().page_new), new_words::<E>()));
    let tab = |noun: &dyn AnyNoun| {
        let door = noun.door();
        (frame.page.url(noun.paths().page), capitalised(door.many), door.page == E::DOOR.page)
    };
    // What is about other records stands beside no other list.
    let beside = entities::nouns().filter(|noun| noun.is_for_staff() == E::ABOUT.is_some());
    let tabs: Vec<_> = beside.map(tab).collect();
    let tabs = if tabs.len() > 1 { tabs } else { Vec::new() };
    frame.show(&ListPage {
        page: frame.titled(section::<E>(), capitalised(E::DOOR.many)),
        action,
        list,
        import: E::ABOUT.is_none().then_some(E::DOOR.api),
        tabs,
    })
}

/// The words of a button, made once for each noun and verb.
struct Words<const NEW: bool>(&'static str);

/// `New subnet`
fn new_words<E: Noun>() -> &'static str {
    of_type::<E, Words<true>>(|| Words(lasting(format!("New {}", E::DOOR.one)))).0
}

/// `Add subnet`
fn add_words<E: Noun>() -> &'static str {
    of_type::<E, Words<false>>(|| Words(lasting(format!("Add {}", E::DOOR.one)))).0
}

/// Where a noun's pages stand in the rail.
fn section<E: Noun>() -> Section {
    if E::ABOUT.is_some() { Section::Elsewhere } else { Section::Network }
}

fn here<E: Noun>(page: &Page, id: i64) -> String {
    page.url(&format!("{}/{id}", E::DOOR.page))
}

#[derive(Template)]
#[template(path = "records/noun.html")]
struct NounPage {
    page: Page,
    crumbs: Vec<Crumb>,
    badges: Vec<Value>,
    lead: String,
    base: String,
    retired: bool,
    retired_at: String,
    may_retire: bool,
    retire_question: String,
    attached: Vec<Crumb>,
    warnings: Vec<String>,
    facts: Vec<(&'static str, Vec<Item>)>,
    panels: Vec<panel::Panel>,
    history: Option<Timeline>,
}

async fn show<E: Noun>(State(web): State<Web>, frame: Frame, Path(id): Path<i64>) -> Result<Response> {
    page::<E>(&web, &frame, id, None).await
}

/// A record's page, also after it could not be retired because of what stands in the error.
async fn page<E: Noun>(web: &Web, frame: &Frame, id: i64, refused: Option<Error>) -> Result<Response> {
    let policy = policy::<E>(web, frame)?;
    let page = frame.page.clone();
    let read = move |c: &mut Conn| {
        let seen = one::<E>(c, id, &policy)?;
        let is_live = seen.row.retired_at().is_none();
        let whose = panel::Whose { entity: E::ENTITY, id, account_number: seen.account_number.as_deref(), is_live };
        let panels = panel::all(c, &page, whose, &policy)?;
        let warnings = if is_live { seen.row.warnings(c)? } else { Vec::new() };
        let past = if page.is_staff() { Past::read(c, E::ENTITY, id, &policy)? } else { Past::default() };
        Ok((seen, panels, warnings, past))
    };
    let (seen, panels, warnings, past) = web.db.read(&frame.scope(), read).await?;
    let title = seen.title();
    let page = frame.titled(section::<E>(), title.clone());
    let status = refused.as_ref().map_or(axum::http::StatusCode::OK, Error::status);
    let attached = match &refused {
        Some(Error::Conflict { message, .. }) => {
            let list = message.strip_prefix("still attached: ").unwrap_or(message);
            list.split(", ").map(|what| mention(String::new(), what)).collect()
        }
        _ => Vec::new(),
    };
    let mut crumbs = crumbs::<E>(&page);
    if let (Some(number), Some(name)) = (&seen.account_number, &seen.company_name) {
        crumbs.push(mention(address(&page, number), name.clone()));
    }
    let retired_at = seen.row.retired_at().unwrap_or_default().to_owned();
    let built = NounPage {
        crumbs,
        badges: if retired_at.is_empty() { Vec::new() } else { vec![Value::badge("warning", "Retired")] },
        lead: format!("{} · {}", E::WHAT, seen.company_name.as_deref().unwrap_or("no company")),
        base: here::<E>(&page, id),
        retired: !retired_at.is_empty(),
        retired_at,
        may_retire: page.may_write(),
        retire_question: format!("Retire {title}? It leaves every list until it is restored."),
        attached,
        warnings,
        facts: facts(&page, &seen, &past),
        panels,
        history: page.is_staff().then(|| past.timeline(&page)),
        page,
    };
    frame.show_as(status, &built)
}

fn crumbs<E: Noun>(page: &Page) -> Vec<Crumb> {
    vec![mention(page.url(Paths::of::<E>().page), capitalised(E::DOOR.many))]
}

/// The headings of a noun's table, in their order.
fn sections<E: Noun>() -> Vec<&'static str> {
    let mut titles = Vec::new();
    for (title, _) in E::FIELDS.iter().filter_map(|field| field.spec.section) {
        if !titles.contains(&title) {
            titles.push(title);
        }
    }
    titles
}

fn facts<E: Noun>(page: &Page, seen: &Seen<E>, past: &Past) -> Vec<(&'static str, Vec<Item>)> {
    let facts = Facts { page, action: format!("/records/{}/{}/pin", E::ENTITY, seen.row.id()), past };
    let named = || {
        let names = besides::<E>().iter().filter_map(|beside| Some((beside.names?.0, table::value(page, seen, beside))));
        names.collect::<Vec<_>>()
    };
    let mut all: Vec<(&str, Vec<Item>)> =
        sections::<E>().into_iter().map(|title| (title, facts.section(&seen.row, title, named()))).collect();
    if let Some((_, first)) = all.first_mut() {
        let others = besides::<E>().iter().filter(|beside| beside.names.is_none() && beside.name != E::DOOR.title);
        first.extend(others.map(|beside| Item::new(beside.label, table::value(page, seen, beside))));
    }
    all
}

async fn new<E: Noun>(State(web): State<Web>, _: Editor, frame: Frame) -> Result<Response> {
    let mut typed = Typed::default();
    typed.set("company_id", frame.query.get("company").unwrap_or_default());
    for (name, value) in frame.query.iter() {
        // What the page from which one comes says already.
        if let (true, Ok(value)) = (references::<E>().any(|(field, _)| field.spec.name == name), value) {
            typed.set(name, value);
        }
    }
    let form = adding::<E>(&web, &frame, &typed).await?;
    frame.show(&form)
}

async fn create<E: Noun>(State(web): State<Web>, editor: Editor, frame: Frame, fields: Fields) -> Result<Response> {
    let fields = about_record::<E>(&frame, &fields);
    let typed = Typed::new(fields.map().clone());
    let saved = match door::read::<E>(fields, true) {
        Ok(input) => {
            let work = move |w: &mut crate::db::Write<'_>| {
                let id = door::create(w, &input)?.id();
                noun::get::<E>(w, id)
            };
            web.db.write(&editor.scope(), &editor.actor(), work).await
        }
        Err(error) => Err(error),
    };
    match saved {
        Ok(seen) => {
            let record = E::ABOUT.map(|about| (about.record)(&seen.row)).map(|(entity, id)| format!("/records/{entity}/{id}"));
            let own = || format!("{}/{}", E::DOOR.page, seen.row.id());
            let done = if E::ABOUT.is_some() { format!("{} added.", E::WHAT) } else { format!("{} was added.", seen.title()) };
            frame.go(&record.unwrap_or_else(own), &done)
        }
        Err(error) => adding::<E>(&web, &frame, &typed).await?.fail(&frame, error),
    }
}

/// What was sent, with the record that the form's address names.
fn about_record<E: Noun>(frame: &Frame, fields: &Fields) -> Fields {
    let mut map = fields.map().clone();
    for name in [RECORD.0, RECORD.1].into_iter().filter(|_| E::ABOUT.is_some()) {
        if let (None, Some(value)) = (map.get(name), frame.query.get(name)) {
            map.insert(name.to_owned(), value.into());
        }
    }
    Fields::from_form(map)
}

async fn edit<E: Noun>(State(web): State<Web>, _: Editor, frame: Frame, Path(id): Path<i64>) -> Result<Response> {
    let form = editing::<E>(&web, &frame, id, None).await?;
    frame.show(&form)
}

async fn update<E: Noun>(
    State(web): State<Web>,
    editor: Editor,
    frame: Frame,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response> {
    let typed = Typed::new(fields.map().clone());
    let rev = typed.rev();
    let sent = changed(&editing::<E>(&web, &frame, id, None).await?, &fields);
    let saved = match door::read::<E>(sent, false) {
        Ok(input) => web.db.write(&editor.scope(), &editor.actor(), move |w| door::update(w, id, &input, rev)).await,
        Err(error) => Err(error),
    };
    match saved {
        Ok(updated) => {
            let done = if updated.changed.is_empty() { "No changes to save." } else { "Saved." };
            frame.go(&format!("{}/{id}", E::DOOR.page), done)
        }
        Err(error) => editing::<E>(&web, &frame, id, Some(&typed)).await?.fail(&frame, error),
    }
}

async fn retire<E: Noun>(State(web): State<Web>, editor: Editor, frame: Frame, Path(id): Path<i64>) -> Result<Response> {
    let _may_read = policy::<E>(&web, &frame)?;
    match web.db.write(&editor.scope(), &editor.actor(), move |w| door::retire::<E>(w, id, false)).await {
        Ok(_) => frame.go(&format!("{}/{id}", E::DOOR.page), "Retired."),
        Err(refused @ Error::Conflict { .. }) => page::<E>(&web, &frame, id, Some(refused)).await,
        Err(other) => Err(other),
    }
}

async fn restore<E: Noun>(State(web): State<Web>, editor: Editor, frame: Frame, Path(id): Path<i64>) -> Result<Response> {
    let _may_read = policy::<E>(&web, &frame)?;
    web.db.write(&editor.scope(), &editor.actor(), move |w| door::restore::<E>(w, id, None)).await?;
    frame.go(&format!("{}/{id}", E::DOOR.page), "Restored.")
}

/// What a form's references can be, as far as the company is known.
type Choices = Vec<(&'static str, Vec<Choice>)>;

fn choices<E: Noun>(c: &mut Conn, company: Option<i64>, own: Option<&E>) -> Result<Choices> {
    let mut all = Vec::new();
    for (field, to) in references::<E>() {
        let mut some = vec![Choice::new("", "–")];
        if let Some(company) = company {
            let mut found = noun::choices(c, to, company, OFFERED)?;
            found.retain(|(id, _)| to.entity != E::ENTITY || Some(*id) != own.map(Record::id));
            // What stands there stays choosable by its name, retired or not.
            let stands = own.and_then(|row| match (field.read)(row) {
                Cell::Int(id) if !found.iter().any(|(known, _)| *known == id) => Some(id),
                _ => None,
            });
            found.extend(noun::names(c, to, stands.into_iter().collect())?);
            some.extend(found.into_iter().map(|(id, name)| Choice::new(id.to_string(), name)));
        }
        all.push((field.spec.column, some));
    }
    Ok(all)
}

fn parts<E: Noun>(typed: &Typed, choices: &Choices) -> Vec<Part> {
    let part = |title| {
        let own = E::section(title, Stands::OnPage).filter_map(|field| {
            let (_, offered) = choices.iter().find(|(column, _)| *column == field.spec.column)?;
            let select = Field::select(field.spec.name, field.spec.label, typed.text(field.spec.name), offered.clone());
            Some((field.spec.column, if field.spec.is_required { select.required() } else { select }))
        });
        edit::section::<E>(typed, title, own.collect())
    };
    sections::<E>().into_iter().map(part).collect()
}

async fn adding<E: Noun>(web: &Web, frame: &Frame, typed: &Typed) -> Result<FormPage> {
    let _may_read = policy::<E>(web, frame)?;
    if E::ABOUT.is_some() {
        return Ok(writing::<E>(frame, typed));
    }
    let wanted = typed.text("company_id");
    let (mut offered, choices) = web
        .db
        .read(&frame.scope(), move |c| {
            let company = companies::find_id(c, &wanted)?;
            Ok((store::company_choices(c)?, choices::<E>(c, company, None)?))
        })
        .await?;
    offered.insert(0, Choice::new("", "–"));
    let company = Field::select("company_id", "Company", typed.text("company_id"), offered).required();
    let hint = "What it refers to can be chosen once the company is known.";
    let company = if typed.text("company_id").is_empty() && !choices.is_empty() { company.hint(hint) } else { company };
    let mut sections = parts::<E>(typed, &choices);
    sections.insert(0, Part { title: "Company", fields: vec![company] });
    let back = frame.page.url(Paths::of::<E>().page);
    Ok(FormPage {
        page: frame.titled(section::<E>(), new_words::<E>()),
        crumbs: crumbs::<E>(&frame.page),
        problems: Vec::new(),
        doubles: None,
        action: frame.page.url(Paths::of::<E>().page_new),
        rev: String::new(),
        sections,
        save: add_words::<E>(),
        back,
    })
}

/// The form of something that is written about a record.
fn writing<E: Noun>(frame: &Frame, typed: &Typed) -> FormPage {
    let name = |column: &str| frame.query.get(column).map_or_else(|| typed.text(column), str::to_owned);
    let (entity, id) = (name(RECORD.0), name(RECORD.1));
    let back = frame.page.url(&format!("/records/{}/{}", encode_segment(&entity), encode_segment(&id)));
    let record = format!("{}={}&{}={}", RECORD.0, encode_segment(&entity), RECORD.1, encode_segment(&id));
    let mut crumbs = crumbs::<E>(&frame.page);
    crumbs.push(mention(back.clone(), words(&entity)));
    FormPage {
        page: frame.titled(section::<E>(), new_words::<E>()),
        crumbs,
        problems: Vec::new(),
        doubles: None,
        action: frame.page.url(&format!("{}?{record}", Paths::of::<E>().page_new)),
        rev: String::new(),
        sections: parts::<E>(typed, &Vec::new()),
        save: add_words::<E>(),
        back,
    }
}

/// The form of a row as it stands, or with what was typed.
async fn editing<E: Noun>(web: &Web, frame: &Frame, id: i64, typed: Option<&Typed>) -> Result<FormPage> {
    let policy = policy::<E>(web, frame)?;
    let (seen, choices) = web
        .db
        .read(&frame.scope(), move |c| {
            let seen = one::<E>(c, id, &policy)?;
            let choices = choices(c, Some(seen.row.company_id()), Some(&seen.row))?;
            Ok((seen, choices))
        })
        .await?;
    let (stands, title, back) = (Typed::of(&seen)?, seen.title(), here::<E>(&frame.page, id));
    let typed = typed.unwrap_or(&stands);
    let mut crumbs = crumbs::<E>(&frame.page);
    crumbs.push(mention(back.clone(), title.clone()));
    Ok(FormPage {
        page: frame.titled(section::<E>(), format!("Edit {title}")),
        crumbs,
        problems: Vec::new(),
        doubles: None,
        action: format!("{back}/edit"),
        rev: typed.text("rev"),
        sections: parts::<E>(typed, &choices),
        save: "Save",
        back,
    })
}
