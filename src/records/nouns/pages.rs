//! A noun's pages: its list, a record, its forms.

use axum::{extract::State, response::Response};

use super::{
    AnyNoun, about,
    any::OfNoun,
    api::Asked,
    entities,
    table::{self, columns},
};
use crate::{
    agents::PageContext,
    companies::{pages::address, pages_store, store as companies},
    compliance::{RedactionPolicy, trail},
    db::{Conn, list::Kind as ListKind},
    entity::{
        Cell, Kind, Noun, Seen, Stands, ending,
        noun::{self, Paths, RECORD, besides, references},
        once::{lasting, of_type},
    },
    error::{Error, Result},
    history::Record,
    resource::{
        Resource,
        form_page::{self, FormPage, Part, Typed, or_none},
        forms::{self, Form},
        panel::{self, Looker, Panel, Tab},
        record_history::{Facts, RecordHistory},
        workspace::Workspace,
    },
    ui::{Choice, Crumb, Field, Head, Item, ListPage, Listing, Page, Row, Section, Shape, capitalised, link_to, words},
    web::{Fields, Path, Query, Routes, Web, encode_segment},
};

/// How many rows of another noun a form offers to choose from.
const OFFERED: i64 = 2_000;

/// A noun's pages.
pub fn routes<E: Noun>() -> Routes {
    let paths = Paths::of::<E>();
    Routes::new().get(paths.page, index::<E>).get(paths.page_one, show::<E>).merge(forms::routes::<OfNoun<E>>(
        paths.page_new,
        paths.page_one,
        [paths.page_edit, paths.page_retire, paths.page_restore],
    ))
}

fn shape<E: Noun>() -> &'static Shape {
    of_type::<E, Shape>(|| Shape {
        spec: noun::list::<E>(),
        path: Paths::of::<E>().page,
        api: Paths::of::<E>().list,
        bulk: None,
        yields: &[],
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

async fn index<E: Noun>(State(web): State<Web>, context: PageContext) -> Result<Response> {
    let listing = Listing::new(shape::<E>(), &context.page, &context.query);
    let query = listing.ask()?;
    let asked = Asked::read::<E>(&context.query)?;
    let policy = OfNoun::<E>::view(&context.caller, &web.config, &context.query)?;
    let read = move |c: &mut Conn| {
        let query = asked.narrow::<E>(c, &query)?;
        let query = about::by_shown::<E>(c, query, &policy)?;
        let mut found = query.run(c, noun::view::<E>)?;
        about::complete(c, &mut found.items, &policy)?;
        Ok(found)
    };
    let found = web.db.read(&context.scope(), read).await?;
    let row = |seen: &Seen<E>| Row {
        id: seen.row.id(),
        href: here::<E>(&context.page, seen.row.id()),
        name: seen.title(),
        retired: seen.row.retired_at().is_some(),
        cells: columns::<E>().cells(&context.page, seen),
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
    if let Some(ends) = E::ENDS {
        filters.push(listing.filter(ends.name, ends.label, ending::choices()));
    }
    for beside in besides::<E>().iter().filter(|beside| beside.kind == ListKind::Bool) {
        let choices = vec![Choice::new("true", "Yes"), Choice::new("false", "No")];
        filters.push(listing.filter(beside.name, beside.label, choices));
    }
    let list = listing.list(filters, found.items.iter().map(row).collect(), found.total);
    let action =
        (context.page.may_write() && E::ABOUT.is_none()).then(|| (context.page.url(Paths::of::<E>().page_new), new_words::<E>()));
    let tab = |noun: &dyn AnyNoun| {
        let door = noun.door();
        (context.page.url(noun.paths().page), capitalised(door.many), door.page == E::DOOR.page)
    };
    let beside = entities::nouns().filter(|noun| noun.section() == section::<E>());
    let tabs: Vec<_> = beside.map(tab).collect();
    let tabs = if tabs.len() > 1 { tabs } else { Vec::new() };
    context.show(&ListPage {
        page: context.titled(section::<E>(), capitalised(E::DOOR.many)),
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
pub fn section<E: Noun>() -> Section {
    if E::ABOUT.is_some() { Section::Elsewhere } else { E::SECTION }
}

fn here<E: Noun>(page: &Page, id: i64) -> String {
    page.url(&format!("{}/{id}", E::DOOR.page))
}

async fn show<E: Noun>(State(web): State<Web>, context: PageContext, Path(id): Path<i64>) -> Result<Response> {
    page::<E>(&web, &context, id, None).await
}

/// A record's page, also after it could not be retired because of what stands in the error.
async fn page<E: Noun>(web: &Web, context: &PageContext, id: i64, refused: Option<Error>) -> Result<Response> {
    let policy = OfNoun::<E>::view(&context.caller, &web.config, &context.query)?;
    let (page, config) = (context.page.clone(), web.config.clone());
    let read = move |c: &mut Conn| {
        let seen = OfNoun::<E>::answer(c, id, &policy)?;
        let is_live = seen.row.retired_at().is_none();
        let whose = panel::Whose { entity: E::ENTITY, id, account_number: seen.account_number.as_deref(), is_live };
        let panels = panel::all(c, &Looker { page: &page, policy: &policy, config: &config }, whose)?;
        let warnings = if is_live { seen.row.warnings(c)? } else { Vec::new() };
        let past = if page.is_staff() { RecordHistory::read(c, E::ENTITY, id, &policy)? } else { RecordHistory::default() };
        Ok((seen, panels, warnings, past))
    };
    let (seen, panels, warnings, past) = web.db.read(&context.scope(), read).await?;
    let page = context.titled(section::<E>(), seen.title());
    let status = refused.as_ref().map_or(axum::http::StatusCode::OK, Error::status);
    let attached = refused.as_ref().map(forms::attached).unwrap_or_default();
    let mut crumbs = vec![list_crumb::<E>(&page)];
    if let (Some(number), Some(name)) = (&seen.account_number, &seen.company_name) {
        crumbs.push(link_to(address(&page, number), name.clone()));
    }
    let base = here::<E>(&page, id);
    let form = (page.may_write() && seen.row.retired_at().is_none()).then(|| format!("{base}/edit"));
    let section = |(title, items)| Panel::section(Tab::Overview, title, items, form.as_deref());
    let mut all: Vec<Panel> = facts(&page, &seen, &past).into_iter().map(section).collect();
    all.extend(panels);
    if page.is_staff() {
        all.push(Panel::history(past.timeline(&page)));
    }
    let head = Head {
        crumbs,
        lead: format!("{} · {}", E::WHAT, seen.company_name.as_deref().unwrap_or("no company")),
        attached,
        ..Head::new(&page, base, seen.row.retired_at())
    };
    context.show_as(status, &Workspace::new(&context.query, head, &[], all)?.warning(warnings))
}

fn list_crumb<E: Noun>(page: &Page) -> Crumb {
    link_to(page.url(Paths::of::<E>().page), capitalised(E::DOOR.many))
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

fn facts<E: Noun>(page: &Page, seen: &Seen<E>, past: &RecordHistory) -> Vec<(&'static str, Vec<Item>)> {
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

/// What a form's references can be, as far as the company is known.
type Choices = Vec<(&'static str, Vec<Choice>)>;

fn choices<E: Noun>(c: &mut Conn, company: Option<i64>, own: Option<&E>, policy: &RedactionPolicy) -> Result<Choices> {
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
            if to.are_people {
                found = trail::names(c, found, policy)?;
            }
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
        form_page::section::<E>(typed, title, own.collect())
    };
    sections::<E>().into_iter().map(part).collect()
}

/// What a noun's form is made of.
pub struct Ground<E> {
    seen: Option<Seen<E>>,
    companies: Vec<Choice>,
    choices: Choices,
}

impl<E: Noun> Form for OfNoun<E> {
    type Ground = Ground<E>;

    fn ground(c: &mut Conn, id: Option<i64>, typed: &Typed, policy: &RedactionPolicy) -> Result<Ground<E>> {
        let (companies, choices) = match id {
            Some(id) => {
                let seen = Self::answer(c, id, policy)?;
                let choices = choices(c, Some(seen.row.company_id()), Some(&seen.row), policy)?;
                return Ok(Ground { seen: Some(seen), companies: Vec::new(), choices });
            }
            None if E::ABOUT.is_some() => (Vec::new(), Vec::new()),
            None => {
                let company = companies::find_id(c, &typed.text("company_id"))?;
                (pages_store::company_choices(c)?, choices::<E>(c, company, None, policy)?)
            }
        };
        Ok(Ground { seen: None, companies, choices })
    }

    fn begin(query: &Query) -> Typed {
        let mut typed = Typed::default();
        typed.set("company_id", query.get("company").unwrap_or_default());
        for name in [RECORD.0, RECORD.1].into_iter().filter(|_| E::ABOUT.is_some()) {
            typed.set(name, query.get(name).unwrap_or_default());
        }
        for (name, value) in query.iter() {
            // What the page from which one comes says already.
            if let (true, Ok(value)) = (references::<E>().any(|(field, _)| field.spec.name == name), value) {
                typed.set(name, value);
            }
        }
        typed
    }

    fn stands(ground: &Ground<E>) -> Result<Typed> {
        ground.seen.as_ref().map_or_else(|| Ok(Typed::default()), Typed::of)
    }

    fn form(context: &PageContext, ground: &Ground<E>, typed: &Typed) -> FormPage {
        let mut sections = parts::<E>(typed, &ground.choices);
        let list = list_crumb::<E>(&context.page);
        if let Some(seen) = &ground.seen {
            let page = context.titled(section::<E>(), format!("Edit {}", seen.title()));
            let record = link_to(here::<E>(&context.page, seen.row.id()), seen.title());
            return FormPage::editing(page, list, record, typed, sections);
        }
        let page = context.titled(section::<E>(), new_words::<E>());
        if E::ABOUT.is_some() {
            return writing::<E>(context, typed, FormPage::adding(page, list, add_words::<E>(), sections));
        }
        let company = typed.text("company_id");
        let hint = if company.is_empty() && !ground.choices.is_empty() {
            "What it refers to can be chosen once the company is known."
        } else {
            ""
        };
        let company = Field::select("company_id", "Company", company, or_none(ground.companies.clone())).required().hint(hint);
        sections.insert(0, Part { title: "Company", fields: vec![company] });
        FormPage::adding(page, list, add_words::<E>(), sections)
    }

    fn page(key: &i64) -> String {
        format!("{}/{key}", E::DOOR.page)
    }

    fn title(shown: &Seen<E>) -> String {
        shown.title()
    }

    fn added(shown: &Seen<E>) -> String {
        if E::ABOUT.is_some() { format!("{} added.", E::WHAT) } else { format!("{} was added.", shown.title()) }
    }

    fn retired(_: &mut Conn, _: i64, _: &RedactionPolicy) -> Result<String> {
        Ok("Retired.".to_owned())
    }

    fn added_at(key: &i64, shown: &Seen<E>) -> String {
        let record = E::ABOUT.map(|about| (about.record)(&shown.row));
        record.map_or_else(|| Self::page(key), |(entity, id)| format!("/records/{entity}/{id}"))
    }

    /// What was sent, with the record that the form's address names.
    fn complete(query: &Query, fields: Fields) -> Fields {
        let mut map = fields.map().clone();
        for name in [RECORD.0, RECORD.1].into_iter().filter(|_| E::ABOUT.is_some()) {
            if let (None, Some(value)) = (map.get(name), query.get(name)) {
                map.insert(name.to_owned(), value.into());
            }
        }
        Fields::from_form(map)
    }

    async fn not_retired(web: &Web, context: &PageContext, key: i64, error: Error) -> Result<Response> {
        page::<E>(web, context, key, Some(error)).await
    }
}

/// The form of something that is written about a record.
fn writing<E: Noun>(context: &PageContext, typed: &Typed, form: FormPage) -> FormPage {
    let (entity, id) = (typed.text(RECORD.0), typed.text(RECORD.1));
    let back = context.page.url(&format!("/records/{}/{}", encode_segment(&entity), encode_segment(&id)));
    let record = format!("{}={}&{}={}", RECORD.0, encode_segment(&entity), RECORD.1, encode_segment(&id));
    let mut crumbs = form.crumbs;
    crumbs.push(link_to(back.clone(), words(&entity)));
    FormPage { crumbs, action: context.page.url(&format!("{}?{record}", Paths::of::<E>().page_new)), back, ..form }
}
