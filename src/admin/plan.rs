//! `/admin/plans/{id}`: what a run means to do, row by row with its reasons, and the decision about it.

use std::{sync::Arc, time::Duration};

use axum::{extract, response::Response};

use super::{
    plan_store::{self as store, Contexts},
    plan_view::{self, Accounts, Asked, PlanPage},
};
use crate::{
    agents::PageContext,
    auth::Admin,
    compliance::{RedactionPolicy, tell},
    db::Conn,
    error::{Error, Result},
    plan::{Action, Item, Kind, State},
    progress::Progress,
    reconcile::{decisions, plans_store},
    types::Scope,
    web::{Fields, Path, Query, Web},
};

/// How many items of each group are shown side by side, and how many of one group on a page of its own.
const SHOWN: (i64, i64) = (20, 200);
/// How many items are shown to be decided about.
const DECIDED: i64 = 500;

/// How long somebody waits for an approval before it goes on without them.
const PATIENCE: Duration = Duration::from_secs(8);

/// `GET /admin/plans/{id}`, `?kind=contact&action=update&page=2` for all of one group.
pub async fn show(
    _: Admin,
    context: PageContext,
    extract::State(web): extract::State<Web>,
    Path(id): Path<i64>,
) -> Result<Response> {
    let asked = asked(&context.query);
    let policy = RedactionPolicy::of(&context.caller, &web.config, &context.query)?;
    let read = move |c: &mut Conn| read(c, id, asked, &policy);
    let found = web.db.read(&Scope::All, read).await?;
    let page = PlanPage::new(&context, &found.plan, &found.counts, asked);
    let (held, contexts) = found.held;
    context.show(&page.with(found.groups, &found.accounts).deciding(held, &contexts, &web.config.display.currency))
}

struct Read {
    plan: plans_store::Stored,
    counts: Vec<store::Count>,
    groups: Vec<plan_view::Group>,
    accounts: Accounts,
    /// What waits, with what is known of its rows.
    held: (Vec<Item>, Contexts),
}

fn read(c: &mut Conn, id: i64, asked: Option<Asked>, policy: &RedactionPolicy) -> Result<Read> {
    let plan = plans_store::get(c, id)?;
    let counts = store::counts(c, id)?;
    let mut groups = Vec::new();
    // What waits stands apart, as long as somebody can decide about it.
    let apart = (plan.status == "held" && asked.is_none()).then_some(State::Held);
    let mut held = (Vec::new(), Contexts::default());
    if apart.is_some() {
        let items = store::held(c, id, DECIDED)?;
        held.1 = Contexts::read(c, &items)?;
        held.0 = tell(c, items, policy)?;
    }
    for action in plan_view::ORDER {
        for kind in Kind::all() {
            let of = counts.iter().filter(|count| count.kind == kind && count.action == action && Some(count.state) != apart);
            let total: i64 = of.map(|count| count.items).sum();
            let wanted = asked.is_none_or(|asked| (asked.kind, asked.action) == (kind, action));
            if total == 0 || !wanted {
                continue;
            }
            let page = match asked {
                None => (SHOWN.0, 0),
                Some(asked) => (SHOWN.1, (asked.page - 1).saturating_mul(SHOWN.1)),
            };
            let items = store::group(c, id, (kind, action), apart, page)?;
            let items = tell(c, items, policy)?;
            groups.push(plan_view::Group { kind, action, total, offset: page.1, items });
        }
    }
    let companies = groups.iter().filter(|group| group.kind == Kind::Company).flat_map(|group| &group.items);
    let accounts = store::accounts(c, companies.filter_map(|item| item.entity_id).collect())?;
    Ok(Read { plan, counts, groups, accounts, held })
}

fn asked(query: &Query) -> Option<Asked> {
    let (kind, action) = (Kind::parse(query.get("kind")?)?, Action::parse(query.get("action")?)?);
    Some(Asked { kind, action, page: query.int_or("page", 1).max(1) })
}

/// `POST /admin/plans/{id}/approve`, with `part=true` only its `items`. What takes long goes on without whoever asked for it.
pub async fn approve(
    caller: Admin,
    context: PageContext,
    extract::State(web): extract::State<Web>,
    Path(id): Path<i64>,
    mut fields: Fields,
) -> Result<Response> {
    let back = format!("/admin/plans/{id}");
    let part = fields.bool("part").get().value().unwrap_or(false);
    let items = fields.int_list("items").get().value().unwrap_or_default();
    fields.finish()?;
    if part && items.is_empty() {
        return context.go_sorry(&back, "Nothing was selected.");
    }
    let only = part.then_some(items);
    let (db, by) = (web.db.clone(), caller.name().to_owned());
    let work = tokio::spawn(async move { decisions::approve(&db, id, only, &by, Arc::new(Progress::default())).await });
    match tokio::time::timeout(PATIENCE, work).await {
        Err(_) => context.go("/admin/", &format!("Plan {id} is being applied.")),
        Ok(Err(cause)) => Err(Error::internal(cause)),
        Ok(Ok(Ok(applied))) => {
            let left = match applied.stale {
                0 => String::new(),
                n => format!(" {n} had changed since and were left alone."),
            };
            context.go(&back, &format!("{} applied.{left}", applied.done))
        }
        Ok(Ok(Err(error))) => sorry(&context, &back, error),
    }
}

/// `POST /admin/plans/{id}/discard`
pub async fn discard(
    caller: Admin,
    context: PageContext,
    extract::State(web): extract::State<Web>,
    Path(id): Path<i64>,
) -> Result<Response> {
    let back = format!("/admin/plans/{id}");
    match decisions::discard(&web.db, id, caller.name()).await {
        Ok(()) => context.go(&back, "Discarded. The rows stay as they are."),
        Err(error) => sorry(&context, &back, error),
    }
}

fn sorry(context: &PageContext, back: &str, error: Error) -> Result<Response> {
    match error {
        Error::Conflict { message, .. } => context.go_sorry(back, &super::words::sentence(&message)),
        Error::Invalid(_) => context.go_sorry(back, "Some of the selected changes no longer need approval. Nothing was applied."),
        other => Err(other),
    }
}
