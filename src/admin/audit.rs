//! `/admin/audit`: who changed what, newest first, of every kind of record.

use std::collections::HashSet;

use askama::Template;
use axum::{extract::State, response::Response};

use crate::{
    agents::PageContext,
    auth::Admin,
    compliance::{RedactionPolicy, trail},
    db::Conn,
    error::{Error, Result},
    history::{feed, retention},
    records::{
        entities::{self, ENTITIES},
        pages::{
            record::{self, Mentioned},
            store::Names,
        },
    },
    types::Scope,
    ui::{Choice, Crumb, Event, Field, Page, Section, Timeline, capitalised, filters, link_to},
    web::Web,
};

/// How many changes one page shows.
const SHOWN: i64 = 100;

#[derive(Template)]
#[template(path = "admin/audit.html")]
struct AuditPage {
    page: Page,
    crumbs: Vec<Crumb>,
    fields: Vec<Field>,
    changes: Timeline,
    newer: Option<String>,
    older: Option<String>,
}

/// `GET /admin/audit`, narrowed by `actor`, `entity`, `action` and `until`; `before=<seq>` for older changes.
pub async fn show(_: Admin, context: PageContext, State(web): State<Web>) -> Result<Response> {
    let asked =
        |name: &str| Ok::<_, Error>(context.query.text(name)?.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned));
    let wanted =
        feed::Wanted { actor: asked("actor")?, entity: asked("entity")?, action: asked("action")?, until: asked("until")? };
    let before = Some(context.query.int_or("before", 0)).filter(|seq| *seq > 0);
    let policy = RedactionPolicy::of(&context.caller, &web.config, &context.query)?;
    let told = wanted.clone();
    let read = move |c: &mut Conn| {
        let changes = feed::before(c, before.unwrap_or(i64::MAX), &told, SHOWN)?;
        let changes = trail::changes(c, changes, &policy)?;
        let names = (Names::of(c, &changes)?, Mentioned::of(c, &changes, &policy)?);
        let short = i64::try_from(changes.len()).unwrap_or(0) < SHOWN;
        let removed = retention::kept(c)?.since.filter(|_| short);
        Ok((changes, removed, names))
    };
    let (changes, removed, (names, mentioned)) = web.db.read(&Scope::All, read).await?;
    let page = context.titled(Section::Admin, "Audit log");
    let address = |before: Option<i64>| {
        let before = before.map(|seq| seq.to_string());
        let all = [
            ("actor", &wanted.actor),
            ("entity", &wanted.entity),
            ("action", &wanted.action),
            ("until", &wanted.until),
            ("before", &before),
        ];
        let told: Vec<(&str, &str)> = all.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect();
        page.url(&format!("/admin/audit?{}", serde_urlencoded::to_string(told).unwrap_or_default()))
    };
    let full = i64::try_from(changes.len()).unwrap_or(0) == SHOWN;
    let older = changes.last().filter(|_| full).map(|last| address(Some(last.seq)));
    let mut batches = HashSet::new();
    let events = changes.iter().map(|change| {
        // What was done together is undone together, where the newest of it stands.
        let batch = change.batch_id.filter(|batch| batches.insert(*batch));
        let undo_all = batch.map(|batch| page.url(&format!("/records/batches/{batch}/undo")));
        let event = record::event(change, &mentioned);
        let named = names.find(&page, change).map(|(href, name)| link_to(href, name));
        // A user or an API key has no page among the records.
        let has_page = entities::named(&change.entity).is_ok();
        let address = || page.url(&format!("/records/{}/{}", change.entity, change.entity_id));
        let subject = named.or_else(|| has_page.then(|| link_to(address(), called(change))));
        let toward = if subject.is_none() { called(change) } else { event.toward.clone() };
        Event { subject, toward, undo_all, run: None, ..event }
    });
    let changes = Timeline { events: events.collect(), more: None, kept_since: removed };
    context.show(&AuditPage {
        crumbs: vec![link_to(page.url("/admin/"), "Sync")],
        fields: fields(&wanted),
        changes,
        newer: before.map(|_| address(None)),
        older,
        page,
    })
}

/// A record that has no name of its own here.
fn called(change: &trail::RedactedChange) -> String {
    format!("{} {}", change.entity.replace('_', " "), change.entity_id)
}

fn fields(wanted: &feed::Wanted) -> Vec<Field> {
    let said = |text: &Option<String>| text.clone().unwrap_or_default();
    let any = || Choice::new("", "Any");
    let kinds = ENTITIES.iter().map(|entity| Choice::new(entity.name(), entity.what()));
    let actions = record::ACTIONS.iter().map(|(value, _, alone)| Choice::new(*value, capitalised(alone)));
    vec![
        Field::text("actor", "Who", said(&wanted.actor)).hint("A user, service or vendor, by its whole name"),
        Field::select("entity", "Record", said(&wanted.entity), [any()].into_iter().chain(kinds).collect()),
        Field::select("action", "What", said(&wanted.action), [any()].into_iter().chain(actions).collect()),
        Field::line("date", "until", "Until", said(&wanted.until)),
    ]
}
