//! `/admin/schedules/{job}`: when a kind of job runs by itself.

use axum::{extract::State, response::Response};

use crate::{
    agents::PageContext,
    auth::Admin,
    error::{Error, Result},
    jobs::{
        kind::JobKind,
        scheduler::{Scheduled, api, view},
    },
    resource::form_page::{FormPage, Part},
    types::Scope,
    ui::{Field, Section, link_to},
    vendors::credentials,
    web::{Fields, Path, Web},
};

fn kind(job: &str) -> Result<JobKind> {
    JobKind::parse(job).ok_or(Error::NotFound { what: "Job" })
}

async fn known(web: &Web, kind: JobKind) -> Result<Scheduled> {
    let config = credentials::effective(&web.db, &web.config).await?;
    web.db.read(&Scope::All, move |c| view::one(c, kind, &config)).await
}

/// `GET /admin/schedules/{job}`
pub async fn show(_: Admin, context: PageContext, State(web): State<Web>, Path(job): Path<String>) -> Result<Response> {
    let scheduled = known(&web, kind(&job)?).await?;
    context.show(&form(&context, &scheduled))
}

/// `POST /admin/schedules/{job}`; a field left empty goes back to the configuration.
pub async fn save(
    caller: Admin,
    context: PageContext,
    State(web): State<Web>,
    Path(job): Path<String>,
    mut fields: Fields,
) -> Result<Response> {
    let kind = kind(&job)?;
    let decision = api::sent(kind, &web.config, &mut fields);
    if let Err(error) = fields.finish() {
        return form(&context, &known(&web, kind).await?).fail(&context, error);
    }
    api::decide(&web, kind, decision, caller.name()).await?;
    context.go("/admin/", &format!("{}: schedule saved.", kind.label()))
}

/// `POST /admin/schedules/{job}/reset`: goes back to the configuration.
pub async fn reset(caller: Admin, context: PageContext, State(web): State<Web>, Path(job): Path<String>) -> Result<Response> {
    let kind = kind(&job)?;
    api::forget(&web, kind, caller.name()).await?;
    context.go("/admin/", &format!("{}: schedule reset to the configuration.", kind.label()))
}

fn form(context: &PageContext, scheduled: &Scheduled) -> FormPage {
    let page = context.titled(Section::Admin, format!("{} schedule", scheduled.label));
    let decided = scheduled.edited_by.is_some();
    let edited = |differs: bool, value: &str| if differs && decided { value.to_owned() } else { String::new() };
    let configured = &scheduled.configured;
    let cadence = Field::text("cadence", "Runs", edited(scheduled.cadence != configured.cadence, &scheduled.cadence))
        .hint("daily, hourly, every 5m, after datto, off, or a cron expression such as 0 2 * * *. Blank: as configured");
    let zone = Field::text("time_zone", "Time zone", edited(scheduled.time_zone != configured.time_zone, &scheduled.time_zone))
        .hint("Such as Europe/Berlin. Blank: as configured");
    let jitter = Field::line(
        "number",
        "jitter_seconds",
        "Random delay (seconds)",
        edited(scheduled.jitter_seconds != configured.jitter_seconds, &scheduled.jitter_seconds.to_string()),
    )
    .hint("Keeps several installations from starting at once. Blank: as configured");
    let enabled = Field::check("enabled", "Enabled", scheduled.enabled);
    FormPage {
        crumbs: vec![link_to(page.url("/admin/"), "Sync")],
        problems: Vec::new(),
        doubles: None,
        action: page.url(&format!("/admin/schedules/{}", scheduled.job)),
        rev: String::new(),
        sections: vec![Part { title: "Schedule", fields: vec![cadence, zone, jitter, enabled] }],
        save: "Save",
        back: page.url("/admin/"),
        page,
    }
}
