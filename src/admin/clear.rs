//! `/admin/clear-data`: beginning anew, behind a fresh backup and a typed confirmation (contract §2.1).

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use jiff::Timestamp;

use crate::{
    agents::PageContext,
    auth::Admin,
    backups::{
        JOB,
        store::{self as backups, Backup},
    },
    error::{Error, Result},
    records::clear::{self, Kind},
    types::Scope,
    ui::{Crumb, Page, Section, filters, link_to, thousands},
    web::{Fields, Web},
};

/// How old the backup may be that one can go back to, in seconds.
const FRESH: i64 = 60 * 60;
/// What stands for every kind.
const ALL: &str = "all";

#[derive(Template)]
#[template(path = "admin/clear.html")]
struct ClearPage {
    page: Page,
    crumbs: Vec<Crumb>,
    problem: String,
    /// When the backup was made that one can go back to; none when there is no fresh one.
    backup: Option<String>,
    back_up: String,
    /// What can be cleared: what is sent, and how many records that is.
    kinds: Vec<(&'static str, i64)>,
    chosen: String,
}

/// `GET /admin/clear-data`
pub async fn show(_: Admin, context: PageContext, State(web): State<Web>) -> Result<Response> {
    form(&context, &web, StatusCode::OK, "", "").await
}

async fn form(context: &PageContext, web: &Web, status: StatusCode, problem: &str, chosen: &str) -> Result<Response> {
    let (backup, counts) = web.db.read(&Scope::All, |c| Ok((backups::last(c)?, clear::counts(c)?))).await?;
    let page = context.titled(Section::Admin, "Clear data");
    let all: i64 = counts.iter().map(|(_, count)| count).sum();
    let kinds = counts.iter().map(|(kind, count)| (kind.as_str(), *count)).chain([(ALL, all)]);
    let shown = ClearPage {
        crumbs: vec![link_to(page.url("/admin/"), "Sync")],
        problem: problem.to_owned(),
        backup: backup.filter(is_fresh).map(|backup| backup.made_at),
        back_up: page.url(&format!("/admin/sync/{}", JOB.as_str())),
        kinds: kinds.collect(),
        chosen: chosen.to_owned(),
        page,
    };
    context.show_as(status, &shown)
}

fn is_fresh(backup: &Backup) -> bool {
    let made = backup.made_at.parse::<Timestamp>().map_or(0, Timestamp::as_second);
    Timestamp::now().as_second() - made <= FRESH
}

/// What a person types to clear this.
fn phrase(what: &str) -> String {
    format!("clear {what}")
}

/// `POST /admin/clear-data`: `data_type` is `assets`, `contacts`, `companies`, `agents` or `all`, `confirm` says it once more.
pub async fn clear(caller: Admin, context: PageContext, State(web): State<Web>, mut fields: Fields) -> Result<Response> {
    let what = fields.text("data_type").max(20).get().value().unwrap_or_default();
    let confirm = fields.text("confirm").max(50).get().value().unwrap_or_default();
    if let Err(error) = fields.finish() {
        return form(&context, &web, error.status(), &error.to_string(), &what).await;
    }
    let kinds: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| what == ALL || what == kind.as_str()).collect();
    if kinds.is_empty() {
        return form(&context, &web, StatusCode::BAD_REQUEST, "Choose what to clear.", "").await;
    }
    if confirm.trim() != phrase(&what) {
        let problem = format!("Type \u{201c}{}\u{201d} to confirm. Nothing was cleared.", phrase(&what));
        return form(&context, &web, StatusCode::BAD_REQUEST, &problem, &what).await;
    }
    if !web.db.read(&Scope::All, |c| Ok(backups::last(c)?.is_some_and(|last| is_fresh(&last)))).await? {
        let problem = "There is no backup of the last hour that can be restored. Back up first. Nothing was cleared.";
        return form(&context, &web, StatusCode::CONFLICT, problem, &what).await;
    }
    let (db, actor) = (web.db.clone(), caller.actor());
    // In a task of its own: a browser that leaves does not stop it halfway.
    let work = tokio::spawn(async move {
        let mut done = Vec::new();
        for kind in kinds {
            let (retired, _) = clear::clear(&db, kind, &actor).await?;
            done.push(format!("{} {}", thousands(i64::try_from(retired).unwrap_or(i64::MAX)), kind.as_str()));
        }
        Ok::<_, Error>(done.join(", "))
    });
    let done = work.await.map_err(Error::internal)??;
    context.go("/admin/audit", &format!("Cleared: {done}. Each batch can be undone in the audit log."))
}
