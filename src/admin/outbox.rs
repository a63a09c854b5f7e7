//! `/admin/outbox`: what is to be written to vendors, what became of it, and what a person must decide.

use askama::Template;
use axum::{extract::State, response::Response};

use crate::{
    agents::PageContext,
    auth::Admin,
    compliance::{RedactionPolicy, tell},
    db::Conn,
    error::{Error, Result},
    outbox::{Entry, State as Standing, Values, api, store},
    types::Scope,
    ui::{Crumb, Moved, Page, Section, Value, filters},
    web::{Path, Web},
};

/// How many entries one page shows.
const SHOWN: i64 = 200;

#[derive(Template)]
#[template(path = "admin/outbox.html")]
struct OutboxPage {
    page: Page,
    crumbs: Vec<Crumb>,
    lines: Vec<Line>,
}

struct Line {
    label: String,
    vendor: &'static str,
    state: Value,
    reason: String,
    at: String,
    by: String,
    error: Option<String>,
    moved: Vec<Moved>,
    base: String,
    overwrite: bool,
    retry: bool,
    discard: bool,
}

/// `GET /admin/outbox`
pub async fn show(_: Admin, context: PageContext, State(web): State<Web>) -> Result<Response> {
    let policy = RedactionPolicy::of(&context.caller, &web.config, &context.query)?;
    let read = move |c: &mut Conn| {
        let entries = store::list(c, None, SHOWN)?;
        tell(c, entries, &policy)
    };
    let entries = web.db.read(&Scope::All, read).await?;
    let page = context.titled(Section::Admin, "Outbox");
    context.show(&OutboxPage {
        crumbs: vec![Crumb { href: page.url("/admin/"), text: "Sync".to_owned() }],
        lines: entries.into_iter().map(|entry| line(&page, entry)).collect(),
        page,
    })
}

fn line(page: &Page, entry: Entry) -> Line {
    let state = match entry.state {
        Standing::Pending => Value::badge("info", "To be sent"),
        Standing::Sending => Value::badge("info", "Being sent"),
        Standing::Unknown => Value::badge("warning", "Outcome unknown"),
        Standing::Done => Value::badge("success", "Written"),
        Standing::Conflict => Value::badge("warning", "Differs there"),
        Standing::Failed => Value::badge("danger", "Failed"),
        Standing::Discarded => Value::badge("", "Discarded"),
    };
    let before = entry.found.as_ref().or(entry.seen_before.as_ref()).or(entry.expected.as_ref());
    Line {
        vendor: entry.operation.vendor().name,
        state,
        moved: moved(&entry.wanted, before),
        base: page.url(&format!("/admin/outbox/{}", entry.id)),
        overwrite: entry.state == Standing::Conflict,
        retry: entry.state == Standing::Failed,
        discard: !entry.state.is_over() && !entry.state.is_under_way(),
        label: entry.label,
        reason: entry.reason,
        at: entry.created_at,
        by: entry.created_by,
        error: entry.error,
    }
}

fn moved(wanted: &Values, before: Option<&Values>) -> Vec<Moved> {
    let said = super::words::value;
    let one = |(field, new): (&String, &serde_json::Value)| Moved {
        field: field.replace('_', " "),
        old: before.and_then(|before| before.get(field)).map(said).unwrap_or_default(),
        new: said(new),
    };
    wanted.iter().map(one).collect()
}

/// `POST /admin/outbox/{id}/approve`: what the vendor has instead is overwritten.
pub async fn approve(caller: Admin, context: PageContext, State(web): State<Web>, Path(id): Path<i64>) -> Result<Response> {
    again(&caller, &context, &web, id, true).await
}

/// `POST /admin/outbox/{id}/retry`
pub async fn retry(caller: Admin, context: PageContext, State(web): State<Web>, Path(id): Path<i64>) -> Result<Response> {
    again(&caller, &context, &web, id, false).await
}

async fn again(caller: &Admin, context: &PageContext, web: &Web, id: i64, overwrite: bool) -> Result<Response> {
    match web.db.write(&caller.scope(), &caller.actor(), move |w| store::retry(w, id, overwrite)).await {
        Ok(entry) => {
            api::deliver(web, caller.name()).await;
            context.go("/admin/outbox", &format!("{} is on its way.", entry.inside().label))
        }
        Err(error) => sorry(context, error),
    }
}

/// `POST /admin/outbox/{id}/discard`
pub async fn discard(caller: Admin, context: PageContext, State(web): State<Web>, Path(id): Path<i64>) -> Result<Response> {
    match web.db.write(&caller.scope(), &caller.actor(), move |w| store::discard(w, id)).await {
        Ok(entry) => context.go("/admin/outbox", &format!("{} is not sent.", entry.inside().label)),
        Err(error) => sorry(&context, error),
    }
}

fn sorry(context: &PageContext, error: Error) -> Result<Response> {
    match error {
        Error::Conflict { message, .. } => context.go_sorry("/admin/outbox", &super::words::sentence(&message)),
        other => Err(other),
    }
}
