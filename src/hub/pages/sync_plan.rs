//! A sync's plan: what it would change, row by row and field by field, and the decision about it.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};
use serde_json::Value as Json;

use super::{count_of, mention, record::said, sync::state, sync::vendor, words};
use crate::{
    agents::Frame,
    auth::Admin,
    error::{Error, Result},
    sync::{
        decisions,
        plan::{Action, Item, Kind},
        plans_store::{self, Stored},
        progress::Progress,
    },
    types::Scope,
    web::{
        Path, Web,
        view::{Crumb, Page, Section, Value, filters},
    },
};

/// How many items one page shows.
const SHOWN: i64 = 1_000;

struct Group {
    title: String,
    items: Vec<Item>,
}

#[derive(Template)]
#[template(path = "sync/plan.html")]
struct PlanPage {
    page: Page,
    crumbs: Vec<Crumb>,
    plan: Stored,
    badge: Value,
    made_by: String,
    open: bool,
    held: i64,
    groups: Vec<Group>,
    next: Option<String>,
}

impl PlanPage {
    fn told(&self, value: &Json) -> String {
        said(value)
    }

    fn field(&self, name: &str) -> String {
        words(name)
    }
}

/// `GET /admin/plans/{id}?after=`
pub async fn show(State(web): State<Web>, _: Admin, frame: Frame, Path(id): Path<i64>) -> Result<Response> {
    let after = frame.query.int_or("after", 0);
    let (plan, items, held) = web
        .db
        .read(&Scope::All, move |c| {
            let held = plans_store::count_in(c, id, crate::sync::plan::State::Held)?;
            Ok((plans_store::get(c, id)?, plans_store::items(c, id, after, SHOWN)?, held))
        })
        .await?;
    let page = Page { waiting: 0, ..frame.titled(Section::Admin, format!("Plan {id}")) };
    let full = i64::try_from(items.len()).unwrap_or(0) == SHOWN;
    let next = items.last().filter(|_| full).map(|last| page.url(&format!("/admin/plans/{id}?after={}", last.id)));
    frame.show(&PlanPage {
        crumbs: vec![mention(page.url("/admin/"), "Sync")],
        badge: state(&plan.status),
        made_by: vendor(&plan.source),
        open: matches!(plan.status.as_str(), "held" | "proposed"),
        held,
        groups: groups(items),
        next,
        plan,
        page,
    })
}

/// By what is done, the dangerous first.
fn groups(items: Vec<Item>) -> Vec<Group> {
    const ORDER: [Action; 8] = [
        Action::Retire,
        Action::Review,
        Action::Update,
        Action::Adopt,
        Action::Restore,
        Action::Create,
        Action::Pinned,
        Action::Skipped,
    ];
    let mut groups = Vec::new();
    for (action, kind) in ORDER.into_iter().flat_map(|action| Kind::ALL.map(|kind| (action, kind))) {
        let some: Vec<Item> = items.iter().filter(|item| item.action == action && item.kind == kind).cloned().collect();
        if some.is_empty() {
            continue;
        }
        let count = i64::try_from(some.len()).unwrap_or(i64::MAX);
        let kinds = count_of(count, kind.as_str().trim_start_matches("psa_"), kind.plural());
        groups.push(Group { title: format!("{}: {kinds}", doing(action)), items: some });
    }
    groups
}

fn doing(action: Action) -> &'static str {
    match action {
        Action::Create => "To add",
        Action::Adopt => "To link and update",
        Action::Restore => "To restore",
        Action::Update => "To change",
        Action::Retire => "To retire",
        Action::Pinned => "Pinned, left alone",
        Action::Review => "To be looked at",
        Action::Skipped => "Skipped",
    }
}

/// `POST /admin/plans/{id}/approve`
pub async fn approve(State(web): State<Web>, admin: Admin, frame: Frame, Path(id): Path<i64>) -> Result<Response> {
    match decisions::approve(&web.db, id, admin.name(), Arc::new(Progress::default())).await {
        Ok(applied) => {
            let left = if applied.stale > 0 {
                format!(" {} had changed since and were left alone.", applied.stale)
            } else {
                String::new()
            };
            frame.go(&format!("/admin/plans/{id}"), &format!("Approved: {} applied.{left}", applied.done))
        }
        Err(Error::Conflict { message, .. }) => frame.go_sorry(&format!("/admin/plans/{id}"), &format!("{message}.")),
        Err(other) => Err(other),
    }
}

/// `POST /admin/plans/{id}/discard`
pub async fn discard(State(web): State<Web>, admin: Admin, frame: Frame, Path(id): Path<i64>) -> Result<Response> {
    match decisions::discard(&web.db, id, admin.name()).await {
        Ok(()) => frame.go("/admin/", "Discarded: the rows stay as they are."),
        Err(Error::Conflict { message, .. }) => frame.go_sorry(&format!("/admin/plans/{id}"), &format!("{message}.")),
        Err(other) => Err(other),
    }
}
