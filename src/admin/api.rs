//! Starting syncs and looking at them over HTTP, in the shapes that neighbours read (contract §1.11).

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    handler::Handler,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::web::openapi::schema as json;
use crate::{
    accounts,
    auth::{Admin, Staff},
    compliance::{RedactionPolicy, tell},
    error::{Error, Result},
    jobs::{
        self, Options, Started,
        kind::JobKind,
        lease_store::{self, Job},
    },
    plan::Item,
    progress::Progress,
    pulls,
    reconcile::{
        decisions,
        plans_store::{self, Stored},
    },
    types::Scope,
    web::{Fields, Path, Query, Routes, Web, openapi::Schemas},
};

/// The routes of this room.
pub fn routes() -> Routes {
    let routes = Routes::new();
    let routes = starting(
        routes,
        "/sync/freshservice",
        freshservice,
        "Read companies, contacts, agents and assets from Freshservice, then assign account numbers",
    );
    let routes = starting(routes, "/sync/psa", psa, "Read companies, contacts, agents and assets from the service desk");
    let routes = starting(routes, "/sync/datto", datto, "Read devices from Datto RMM, then write account numbers there");
    let routes = starting(routes, "/sync/rmm", rmm, "Read devices from the RMM");
    let routes = starting(routes, "/sync/tickets", tickets, "Read tickets that have changed");
    let routes = starting(routes, "/sync/tickets/full-history", all_tickets, "Read all tickets");
    let routes = starting(routes, "/sync/create-account-numbers", create_account_numbers, "Assign account numbers");
    let routes = starting(routes, "/sync/push-to-datto", push_to_datto, "Write account numbers to Datto RMM");
    let routes = starting(routes, "/sync/push-to-freshservice", push_to_freshservice, "Write account numbers to Freshservice");
    let routes = starting(routes, "/sync/outbox", deliver, "Write what waits to the vendors");
    let routes = starting(routes, "/sync/agents", agents, "Mirror the users of Keycloak as agents in a job");
    let routes = starting(routes, "/sync/datto-audits", datto_audits, "Read audits of devices from Datto RMM");
    routes
        .merge(crate::outbox::api::routes())
        .get("/sync/status/{job_id}", status)
        .tells("Read a job", |schemas| json::with(json::one::<Job>(schemas), &[("current_tickets", json::int())]))
        .get("/sync/last/{script}", last)
        .tells("Read the newest job of a kind", json::one::<Job>)
        .get("/api/sync/plans", plans)
        .tells("List plans of syncs", json::list::<Stored>)
        .get("/api/sync/plans/{id}", plan)
        .tells("Read a plan with its items", |schemas| {
            json::with(json::one::<Stored>(schemas), &[("items", json::list::<Item>(schemas))])
        })
        .asks(&[("after", "count", "Items after this one.")])
        .post("/api/sync/plans/{id}/approve", approve)
        .tells("Approve a plan, or those of its items that are named", |_| {
            json::done(&[("applied", json::int()), ("stale", json::int())])
        })
        .may_take(|_| json::optional(&[("items", json::array(json::id_of("plan_item")))]))
        .post("/api/sync/plans/{id}/discard", discard)
        .tells("Discard a plan", |_| json::done(&[]))
}

/// One that starts a job: neighbours test `success`, also where it is refused.
fn starting<H: Handler<T, Web>, T: 'static>(routes: Routes, path: &'static str, handler: H, summary: &'static str) -> Routes {
    let refused = |_: &mut Schemas| json::object(&[("success", json::flag()), ("error", json::text())]);
    routes
        .post(path, handler)
        .tells(summary, |_| json::done(&[("job_id", json::text()), ("message", json::text())]))
        .answers(409, "Another job is in the way.", refused)
        .answers(500, "It could not be started: its vendor is not set up, for one.", refused)
}

/// Starts jobs of one kind: `POST /sync/…`. Always 200: Beacon and the pages test for exactly that.
macro_rules! starts {
    ($($name:ident: $caller:ty, $kind:path, $options:tt;)+) => {
        $(async fn $name(caller: $caller, State(web): State<Web>) -> Response {
            begin(&web, $kind, caller.name(), Options $options).await
        })+
    };
}

starts! {
    freshservice: Admin, pulls::freshservice::JOB, { follow_up: true, ..Options::default() };
    psa: Admin, pulls::freshservice::JOB, { ..Options::default() };
    datto: Admin, pulls::datto::JOB, { follow_up: true, ..Options::default() };
    rmm: Admin, pulls::datto::JOB, { ..Options::default() };
    tickets: Staff, pulls::freshservice::tickets::JOB, { ..Options::default() };
    all_tickets: Admin, pulls::freshservice::tickets::JOB, { full: true, ..Options::default() };
    create_account_numbers: Admin, accounts::assign::JOB, { ..Options::default() };
    push_to_datto: Admin, accounts::push_datto::JOB, { ..Options::default() };
    push_to_freshservice: Admin, accounts::push_freshservice::JOB, { ..Options::default() };
    agents: Admin, pulls::keycloak::JOB, { ..Options::default() };
    deliver: Admin, crate::outbox::JOB, { ..Options::default() };
    datto_audits: Admin, pulls::datto::audits::JOB, { ..Options::default() };
}

async fn begin(web: &Web, kind: JobKind, by: &str, options: Options) -> Response {
    match jobs::start(&web.db, &web.config, kind, options, by).await {
        Ok(started) => {
            let message = said(kind, &started);
            Json(json!({ "success": true, "job_id": started.job_id, "message": message })).into_response()
        }
        Err(error) => refusal(&error),
    }
}

/// What to tell whoever started a job.
#[must_use]
pub fn said(kind: JobKind, started: &Started) -> String {
    let what = if started.already { "is already running" } else { "started" };
    format!("{} {what}", kind.label())
}

fn refusal(error: &Error) -> Response {
    if matches!(error, Error::Internal(_)) {
        tracing::error!(%error, "a sync could not be started");
    }
    let text = if matches!(error, Error::Internal(_)) { "Internal error".to_owned() } else { error.to_string() };
    let status = if matches!(error, Error::Conflict { .. }) { StatusCode::CONFLICT } else { StatusCode::INTERNAL_SERVER_ERROR };
    (status, Json(json!({ "success": false, "error": text }))).into_response()
}

/// One job; one whose process died says so.
async fn status(_caller: Staff, State(web): State<Web>, Path(job_id): Path<String>) -> Result<Response> {
    let mut job = find(&web, job_id.clone()).await?;
    if job.as_ref().is_some_and(|job| job.status == "running") && jobs::reap(&web.db).await? > 0 {
        job = find(&web, job_id).await?;
    }
    let tickets = pulls::freshservice::tickets::JOB.as_str();
    if let Some(job) = job.as_ref().filter(|job| job.script == tickets && job.status == "running") {
        let mut body = serde_json::to_value(job).map_err(Error::internal)?;
        body["current_tickets"] = web.db.read(&Scope::All, pulls::freshservice::tickets::live).await?.into();
        return Ok(Json(body).into_response());
    }
    job.map(|job| Json(job).into_response()).ok_or(Error::NotFound { what: "Job" })
}

async fn find(web: &Web, job_id: String) -> Result<Option<Job>> {
    web.db.read(&Scope::All, move |c| lease_store::find(c, &job_id)).await
}

/// The newest job of a script, under either of its names.
async fn last(_caller: Staff, State(web): State<Web>, Path(script): Path<String>) -> Result<Response> {
    let name = JobKind::parse(&script).map_or(script, |kind| kind.as_str().to_owned());
    let read = |name: String| web.db.read(&Scope::All, move |c| lease_store::last(c, &name));
    let mut job = read(name.clone()).await?;
    if job.as_ref().is_some_and(|job| job.status == "running") && jobs::reap(&web.db).await? > 0 {
        job = read(name).await?;
    }
    job.map(|job| Json(job).into_response()).ok_or(Error::Missing("No sync found for this script"))
}

async fn plans(_caller: Admin, State(web): State<Web>) -> Result<Json<Vec<Stored>>> {
    Ok(Json(web.db.read(&Scope::All, |c| plans_store::list(c, 100)).await?))
}

/// A plan with its items, a thousand at a time: `?after=<item id>`.
async fn plan(caller: Admin, State(web): State<Web>, Path(id): Path<i64>, query: Query) -> Result<Json<Value>> {
    let policy = RedactionPolicy::of(&caller, &web.config, &query)?;
    let after = query.count("after")?.unwrap_or(0);
    let read = move |c: &mut crate::db::Conn| {
        let (plan, items) = (plans_store::get(c, id)?, plans_store::items(c, id, after, 1000)?);
        Ok((plan, tell(c, items, &policy)?))
    };
    let (stored, items): (Stored, Vec<Item>) = web.db.read(&Scope::All, read).await?;
    let mut body = serde_json::to_value(stored).map_err(Error::internal)?;
    body["items"] = serde_json::to_value(items).map_err(Error::internal)?;
    Ok(Json(body))
}

/// Approves a plan; with `items` only these of it, and the others go on waiting.
async fn approve(caller: Admin, State(web): State<Web>, Path(id): Path<i64>, mut fields: Fields) -> Result<Json<Value>> {
    let only = fields.int_list("items").get().value();
    fields.finish()?;
    let (db, by) = (web.db.clone(), caller.name().to_owned());
    // In a task of its own: a client that leaves does not stop it halfway.
    let work = tokio::spawn(async move { decisions::approve(&db, id, only, &by, Arc::new(Progress::default())).await });
    let applied = work.await.map_err(Error::internal)??;
    Ok(Json(json!({ "success": true, "applied": applied.done, "stale": applied.stale })))
}

async fn discard(caller: Admin, State(web): State<Web>, Path(id): Path<i64>) -> Result<Json<Value>> {
    decisions::discard(&web.db, id, caller.name()).await?;
    Ok(Json(json!({ "success": true })))
}
