//! The pages of outgoing webhooks.

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};

use super::{
    model::{ACTIONS, DELIVERED, Endpoint, FAILED, Message, Wanted},
    store,
};
use crate::{
    agents::PageContext,
    auth::AdminPerson,
    config::Secret,
    error::{Error, FieldError, Result},
    records::entities::ENTITIES,
    types::Scope,
    ui::{
        Choice, Crumb, Field, FormPage, FormSection, Item, Line, Page, Post, Section, Table, Value, capitalised, filters,
        form::place_errors,
    },
    web::{Fields, Path, Web},
};

/// How many messages a page shows.
const SHOWN: i64 = 50;
const HOME: &str = "/admin/outgoing-webhooks";

#[derive(Template)]
#[template(path = "outgoing_webhooks/list.html")]
struct ListPage {
    page: Page,
    crumbs: Vec<Crumb>,
    endpoints: Table,
}

#[derive(Template)]
#[template(path = "outgoing_webhooks/endpoint.html")]
struct EndpointPage {
    page: Page,
    crumbs: Vec<Crumb>,
    facts: Vec<Item>,
    state: Value,
    problem: Option<String>,
    base: String,
    failed: i64,
    messages: Table,
}

#[derive(Template)]
#[template(path = "outgoing_webhooks/secret.html")]
struct SecretPage {
    page: Page,
    crumbs: Vec<Crumb>,
    secret: Value,
    lead: &'static str,
    back: String,
}

fn crumbs(page: &Page, below: Option<&Endpoint>) -> Vec<Crumb> {
    let mut crumbs = vec![Crumb { href: page.url("/admin/"), text: "Sync".to_owned() }];
    crumbs.push(Crumb { href: page.url(HOME), text: "Outgoing webhooks".to_owned() });
    crumbs.extend(below.map(|one| Crumb { href: page.url(&format!("{HOME}/{}", one.id)), text: one.name.clone() }));
    crumbs
}

fn state(endpoint: &Endpoint) -> Value {
    match (endpoint.enabled, &endpoint.failing_since) {
        (false, _) => Value::badge("", "Disabled"),
        (true, Some(_)) => Value::badge("danger", "Failing"),
        (true, None) => Value::badge("success", "Enabled"),
    }
}

fn chosen(list: Option<&Vec<String>>, all: &str) -> Value {
    list.map_or_else(
        || Value::words(all),
        |list| Value::words(list.iter().map(|word| word.replace('_', " ")).collect::<Vec<_>>().join(", ")),
    )
}

/// `GET /admin/outgoing-webhooks`
pub async fn index(_: AdminPerson, context: PageContext, State(web): State<Web>) -> Result<Response> {
    let endpoints = web.db.read(&Scope::All, store::all).await?;
    let page = context.titled(Section::Admin, "Outgoing webhooks");
    let line = |one: Endpoint| Line {
        cells: vec![
            Value::link(page.url(&format!("{HOME}/{}", one.id)), one.name.clone()),
            Value::words(&one.url),
            chosen(one.entities.as_ref(), "All records"),
            state(&one),
            Value::count(one.pending),
            Value::count(one.failed),
        ],
        post: None,
    };
    let endpoints = Table {
        label: "Outgoing webhooks",
        heads: vec![
            ("Name", "cell--main"),
            ("URL", "cell--cut"),
            ("Records", "cell--cut"),
            ("Status", "cell--sub"),
            ("Pending", "cell--number"),
            ("Failed", "cell--number"),
        ],
        lines: endpoints.into_iter().map(line).collect(),
        empty: "No outgoing webhooks yet.",
        more: None,
    };
    let crumbs = vec![Crumb { href: page.url("/admin/"), text: "Sync".to_owned() }];
    context.show(&ListPage { page, crumbs, endpoints })
}

/// `GET /admin/outgoing-webhooks/{id}`
pub async fn show(_: AdminPerson, context: PageContext, State(web): State<Web>, Path(id): Path<i64>) -> Result<Response> {
    let read = web.db.read(&Scope::All, move |c| Ok((store::get(c, id)?, store::messages(c, id, None, SHOWN)?)));
    let (endpoint, messages) = read.await?;
    let page = context.titled(Section::Admin, endpoint.name.clone());
    let base = page.url(&format!("{HOME}/{id}"));
    let view = EndpointPage {
        crumbs: crumbs(&page, None),
        facts: vec![
            Item::new("URL", Value::code(Some(&endpoint.url))),
            Item::new("Records", chosen(endpoint.entities.as_ref(), "All records")),
            Item::new("Events", chosen(endpoint.actions.as_ref(), "All events")),
            Item::new("People", Value::words(if endpoint.cleared { "Included" } else { "Withheld" })),
            Item::new("Failing since", Value::ago(endpoint.failing_since.as_deref())),
            Item::new("Added", Value::date(Some(&endpoint.created_at))),
        ],
        state: state(&endpoint),
        problem: endpoint.disabled_because.clone().filter(|_| !endpoint.enabled),
        failed: endpoint.failed,
        messages: table(&base, messages),
        base,
        page,
    };
    context.show(&view)
}

/// What happened, as people say it.
fn event(action: &str) -> String {
    ACTIONS.iter().find(|(known, _)| *known == action).map_or_else(|| capitalised(action), |(_, label)| (*label).to_owned())
}

fn table(base: &str, messages: Vec<Message>) -> Table {
    let line = |one: Message| {
        let (state, post) = match one.state.as_str() {
            DELIVERED => (Value::badge("success", "Delivered"), "Send again"),
            FAILED => (Value::badge("danger", "Failed"), "Retry"),
            _ => (Value::badge("info", "Pending"), "Send now"),
        };
        let post = Post {
            action: format!("{base}/replay"),
            label: post,
            confirm: String::new(),
            fields: vec![("message", one.id.to_string())],
        };
        Line {
            cells: vec![
                Value::words(format!("{} {}", capitalised(&one.entity.replace('_', " ")), one.entity_id)),
                Value::words(event(&one.action)),
                state,
                Value::count(one.attempts),
                Value::text(one.last_error.as_deref()),
                Value::ago(Some(&one.created_at)),
            ],
            post: Some(post),
        }
    };
    Table {
        label: "Messages",
        heads: vec![
            ("Record", "cell--main"),
            ("Event", "cell--sub"),
            ("Status", "cell--sub"),
            ("Attempts", "cell--number"),
            ("Last error", "cell--cut"),
            ("Created", ""),
        ],
        lines: messages.into_iter().map(line).collect(),
        empty: "No messages yet.",
        more: None,
    }
}

/// `GET /admin/outgoing-webhooks/new`
pub async fn new(_: AdminPerson, context: PageContext) -> Result<Response> {
    form(&context, StatusCode::OK, None, None, &[])
}

/// `POST /admin/outgoing-webhooks/new`: shows the secret, this once.
pub async fn create(_: AdminPerson, context: PageContext, State(web): State<Web>, fields: Fields) -> Result<Response> {
    let made = match Wanted::read(fields.clone(), true, web.config.private_webhooks) {
        Ok(wanted) => super::create(&web.db, &web.config, &context.actor(), wanted).await,
        Err(error) => Err(error),
    };
    match made.map_err(Error::beside_fields) {
        Ok((endpoint, secret)) => {
            secret_page(&context, StatusCode::CREATED, &endpoint, &secret, "Receivers check messages with it.")
        }
        Err(Error::Invalid(errors)) => form(&context, StatusCode::BAD_REQUEST, None, Some(&fields), &errors),
        Err(other) => Err(other),
    }
}

fn secret_page(
    context: &PageContext,
    status: StatusCode,
    endpoint: &Endpoint,
    secret: &Secret,
    lead: &'static str,
) -> Result<Response> {
    let page = context.titled(Section::Admin, "Signing secret");
    let view = SecretPage {
        crumbs: crumbs(&page, Some(endpoint)),
        secret: Value::code(Some(secret.expose())),
        lead,
        back: page.url(&format!("{HOME}/{}", endpoint.id)),
        page,
    };
    let mut response = context.show_as(status, &view)?;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// `GET /admin/outgoing-webhooks/{id}/edit`
pub async fn edit(_: AdminPerson, context: PageContext, State(web): State<Web>, Path(id): Path<i64>) -> Result<Response> {
    let endpoint = web.db.read(&Scope::All, move |c| store::get(c, id)).await?;
    form(&context, StatusCode::OK, Some(&endpoint), None, &[])
}

/// `POST /admin/outgoing-webhooks/{id}/edit`
pub async fn save(
    _: AdminPerson,
    context: PageContext,
    State(web): State<Web>,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response> {
    let endpoint = web.db.read(&Scope::All, move |c| store::get(c, id)).await?;
    let saved = match Wanted::read(fields.clone(), false, web.config.private_webhooks) {
        Ok(wanted) => {
            // A box that is not ticked is not sent.
            let off = |sent: Option<bool>| Some(sent.unwrap_or(false));
            let wanted = Wanted { cleared: off(wanted.cleared), enabled: off(wanted.enabled), ..wanted };
            web.db.write(&Scope::All, &context.actor(), move |w| store::update(w, id, &wanted)).await
        }
        Err(error) => Err(error),
    };
    match saved.map_err(Error::beside_fields) {
        Ok(endpoint) => context.go(&format!("{HOME}/{id}"), &format!("{} is saved.", endpoint.name)),
        Err(Error::Invalid(errors)) => form(&context, StatusCode::BAD_REQUEST, Some(&endpoint), Some(&fields), &errors),
        Err(other) => Err(other),
    }
}

/// The form, with what is stored or what was typed.
fn form(
    context: &PageContext,
    status: StatusCode,
    stored: Option<&Endpoint>,
    sent: Option<&Fields>,
    errors: &[FieldError],
) -> Result<Response> {
    let text = |name: &str, stored: Option<&String>| match sent {
        Some(sent) => sent.raw_text(name).unwrap_or_default().to_owned(),
        None => stored.cloned().unwrap_or_default(),
    };
    let list = |name: &str, stored: Option<&Vec<String>>| match sent {
        Some(sent) => sent.clone().text_list(name).value().unwrap_or_default(),
        None => stored.cloned().unwrap_or_default(),
    };
    let kinds = ENTITIES.iter().map(|entity| Choice::new(entity.name(), entity.what())).collect();
    let actions = ACTIONS.map(|(action, label)| Choice::new(action, label)).to_vec();
    let mut what = vec![
        Field::text("name", "Name", text("name", stored.map(|one| &one.name))).required(),
        Field::line("url", "url", "URL", text("url", stored.map(|one| &one.url))).required().hint("Must be public and https."),
    ];
    if let Some(stored) = stored {
        let enabled = sent.map_or(stored.enabled, |sent| sent.has("enabled"));
        what.push(Field::check("enabled", "Enabled", enabled));
    }
    let cleared = sent.map_or(stored.is_some_and(|one| one.cleared), |sent| sent.has("cleared"));
    what.push(
        Field::check("cleared", "Include people's data", cleared)
            .hint("Of protected companies too: what is sent is logged like every other reading."),
    );
    let mut limits = vec![
        Field::many("entities", "Records", list("entities", stored.and_then(|one| one.entities.as_ref())), kinds),
        Field::many("actions", "Events", list("actions", stored.and_then(|one| one.actions.as_ref())), actions),
    ];
    let problems = place_errors(what.iter_mut().chain(&mut limits), errors);
    let page =
        context.titled(Section::Admin, stored.map_or("New outgoing webhook".to_owned(), |one| format!("Edit {}", one.name)));
    let here = stored.map_or_else(|| HOME.to_owned(), |one| format!("{HOME}/{}", one.id));
    let view = FormPage {
        crumbs: crumbs(&page, stored),
        problems,
        action: page.url(&if stored.is_some() { format!("{here}/edit") } else { format!("{HOME}/new") }),
        rev: String::new(),
        sections: vec![
            FormSection { title: "Endpoint", fields: what },
            FormSection { title: "Send only (nothing selected: everything)", fields: limits },
        ],
        save: "Save",
        back: page.url(&here),
        page,
    };
    context.show_as(status, &view)
}

/// `POST /admin/outgoing-webhooks/{id}/test`
pub async fn test(_: AdminPerson, context: PageContext, State(web): State<Web>, Path(id): Path<i64>) -> Result<Response> {
    let back = format!("{HOME}/{id}");
    match super::test(&web.db, &web.config, id).await? {
        Ok(status) => context.go(&back, &format!("Test message delivered ({status}).")),
        Err(fault) => context.go_sorry(&back, &format!("Test message not delivered. {}.", fault.message)),
    }
}

/// `POST /admin/outgoing-webhooks/{id}/secret`: shows the new one, this once.
pub async fn rotate(_: AdminPerson, context: PageContext, State(web): State<Web>, Path(id): Path<i64>) -> Result<Response> {
    let (endpoint, secret) = super::rotate(&web.db, &web.config, &context.actor(), id).await?;
    let lead = "Messages are signed with the old secret too for 24 hours.";
    secret_page(&context, StatusCode::OK, &endpoint, &secret, lead)
}

/// `POST /admin/outgoing-webhooks/{id}/replay`: one message, or all that failed.
pub async fn replay(
    _: AdminPerson,
    context: PageContext,
    State(web): State<Web>,
    Path(id): Path<i64>,
    mut fields: Fields,
) -> Result<Response> {
    let message = fields.int("message").value();
    fields.finish()?;
    let queued = web.db.write(&Scope::All, &context.actor(), move |w| store::replay(w, id, message)).await?;
    let done = if queued == 1 { "1 message is queued.".to_owned() } else { format!("{queued} messages are queued.") };
    context.go(&format!("{HOME}/{id}"), &done)
}

/// `POST /admin/outgoing-webhooks/{id}/remove`
pub async fn remove(_: AdminPerson, context: PageContext, State(web): State<Web>, Path(id): Path<i64>) -> Result<Response> {
    let endpoint = web.db.write(&Scope::All, &context.actor(), move |w| store::remove(w, id)).await?;
    context.go(HOME, &format!("{} is removed.", endpoint.name))
}
