//! `/admin/backups`: every backup, how old it is, and whether it can be restored.

use askama::Template;
use axum::{extract::State, response::Response};

use super::{
    JOB, LISTED, megabytes,
    standing::{Standing, standing},
    store::{self, Backup, State as Condition},
};
use crate::{
    agents::PageContext,
    auth::Admin,
    config::Keep,
    error::Result,
    types::Scope,
    ui::{Crumb, Page, Section, Value, filters, time},
    web::Web,
};

#[derive(Template)]
#[template(path = "backups/list.html")]
struct BackupsPage {
    page: Page,
    crumbs: Vec<Crumb>,
    last: Option<String>,
    wrong: Vec<(String, String)>,
    start: String,
    schedule: String,
    folder: String,
    keep: Keep,
    encrypted: bool,
    rows: Vec<Line>,
}

struct Line {
    name: String,
    folder: String,
    at: String,
    by: String,
    state: Value,
    problem: Option<String>,
    checked_at: Option<String>,
    size: String,
    encrypted: bool,
    attachments: i64,
    rows: i64,
}

/// `GET /admin/backups`
pub async fn show(_: Admin, context: PageContext, State(web): State<Web>) -> Result<Response> {
    let (backups, standing) = web.db.read(&Scope::All, |c| Ok((store::list(c, LISTED)?, standing(c)?))).await?;
    let page = context.titled(Section::Admin, "Backups");
    let Standing { last, wrong, .. } = standing;
    let config = &web.config.backup;
    context.show(&BackupsPage {
        crumbs: vec![Crumb { href: page.url("/admin/"), text: "Sync".to_owned() }],
        last: last.map(|last| last.made_at),
        wrong: wrong.into_iter().map(|found| (found.title, found.detail)).collect(),
        start: page.url(&format!("/admin/sync/{}", JOB.as_str())),
        schedule: page.url(&format!("/admin/schedules/{}", JOB.as_str())),
        folder: config.to.display().to_string(),
        keep: config.keep,
        encrypted: !config.encrypt_to.is_empty(),
        rows: backups.into_iter().map(line).collect(),
        page,
    })
}

fn line(backup: Backup) -> Line {
    let state = match (&backup.missing_since, backup.state) {
        (Some(since), _) => Value::badge("", format!("Not there since {}", time::date(since))),
        (None, Condition::Restorable) => Value::badge("success", "Restorable"),
        (None, Condition::Unproven) => Value::badge("warning", "Not tried out"),
        (None, Condition::Broken) => Value::badge("danger", "Cannot be restored"),
        (None, Condition::Failed) => Value::badge("danger", "Failed"),
    };
    Line {
        name: backup.file.clone().unwrap_or_default(),
        folder: backup.folder,
        at: backup.made_at,
        by: backup.made_by,
        state,
        problem: backup.problem,
        checked_at: backup.checked_at,
        size: backup.file.map(|_| megabytes(u64::try_from(backup.bytes).unwrap_or(0))).unwrap_or_default(),
        encrypted: backup.encrypted,
        attachments: backup.attachments,
        rows: backup.rows,
    }
}
