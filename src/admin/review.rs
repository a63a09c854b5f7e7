//! `/admin/review`: what a sync would not guess, with the candidates it saw, for a person to decide.

use askama::Template;
use axum::{extract::State, response::Response};

use crate::{
    agents::PageContext,
    auth::Admin,
    companies::store as companies,
    compliance::{RedactionPolicy, tell},
    db::Conn,
    error::{Error, Result},
    history::Unredacted,
    reconcile::review::{
        Candidate, Entry,
        decide::{self, Wish},
        exact::{self, Exact},
        review_store,
    },
    types::Scope,
    ui::{Crumb, Page, Section, filters},
    web::{Fields, Path, Reference, Web, encode_segment},
};

/// How many entries one page shows.
const SHOWN: i64 = 100;
/// How many decided ones stand below.
const DECIDED: i64 = 20;

#[derive(Template)]
#[template(path = "admin/review.html")]
struct ReviewPage {
    page: Page,
    crumbs: Vec<Crumb>,
    total: i64,
    exact: Vec<Exact>,
    open: Vec<Line>,
    decided: Vec<Line>,
}

struct Line {
    entry: Entry,
    what: &'static str,
    action: String,
    choices: Vec<Choice>,
    ask: &'static str,
    site: bool,
}

struct Choice {
    target: String,
    href: String,
    text: String,
    why: String,
    likely: bool,
}

/// `GET /admin/review`
pub async fn show(_: Admin, context: PageContext, State(web): State<Web>) -> Result<Response> {
    let policy = RedactionPolicy::of(&context.caller, &web.config, &context.query)?;
    let read = move |c: &mut Conn| {
        let decided = ["linked", "ignored"].map(|state| review_store::list(c, Some(state), DECIDED));
        let [linked, ignored] = decided;
        let (names, mut open) = (exact::names(c)?, review_store::list(c, Some("open"), SHOWN)?);
        open.iter_mut().for_each(|entry| exact::offer(&names, entry));
        let found = exact::find(c)?;
        let mut told = |entries: Vec<Entry>| tell(c, entries.into_iter().map(Unredacted::new).collect(), &policy);
        let (open, linked, ignored) = (told(open)?, told(linked?)?, told(ignored?)?);
        Ok((review_store::open(c)?, found, open, linked, ignored))
    };
    let (total, exact, open, mut decided, ignored) = web.db.read(&Scope::All, read).await?;
    decided.extend(ignored);
    decided.sort_by(|a, b| b.decided_at.cmp(&a.decided_at));
    decided.truncate(usize::try_from(DECIDED).unwrap_or(20));
    let page = context.titled(Section::Admin, "Review");
    context.show(&ReviewPage {
        crumbs: vec![Crumb { href: page.url("/admin/"), text: "Sync".to_owned() }],
        total,
        exact,
        open: open.into_iter().map(|entry| line(&page, entry)).collect(),
        decided: decided.into_iter().map(|entry| line(&page, entry)).collect(),
        page,
    })
}

fn line(page: &Page, entry: Entry) -> Line {
    let site = entry.kind == "site";
    let choice = |candidate: &Candidate| match &candidate.account_number {
        Some(number) if site => Choice {
            target: number.clone(),
            href: page.url(&format!("/companies/{}", encode_segment(number))),
            text: format!("{} ({number})", candidate.name),
            why: candidate.why.clone(),
            likely: candidate.fit.as_deref().is_some_and(|fit| fit != "similar"),
        },
        _ => Choice {
            target: candidate.id.to_string(),
            href: page.url(&format!("/assets/{}", candidate.id)),
            text: candidate.name.clone(),
            why: candidate.why.clone(),
            likely: false,
        },
    };
    Line {
        what: if site { "Site" } else { "Device" },
        action: page.url(&format!("/admin/review/{}", entry.id)),
        choices: entry.candidates.iter().map(choice).collect(),
        ask: if site { "Company" } else { "Number of the asset" },
        site,
        entry,
    }
}

/// The company that somebody means who typed a name instead of an account number; what was typed, when it is nobody's name.
async fn meant(web: &Web, typed: String) -> Result<String> {
    let read = move |c: &mut Conn| {
        if companies::find_id(c, &typed)?.is_some() {
            return Ok(typed);
        }
        let named = exact::names(c)?.exact(&typed).map(|company| company.number.clone());
        Ok(named.unwrap_or(typed))
    };
    web.db.read(&Scope::All, read).await
}

/// `POST /admin/review/{id}/link`: the target is an account number, a company's name, or the id of an asset.
pub async fn link(
    caller: Admin,
    context: PageContext,
    State(web): State<Web>,
    Path(id): Path<i64>,
    mut fields: Fields,
) -> Result<Response> {
    fields.set_creating(true);
    let target = fields.key("target").max(50).required().get().value().unwrap_or_default();
    if let Err(error) = fields.finish() {
        return sorry(&context, error);
    }
    let target = Reference::Key(meant(&web, target).await?);
    match decide::link(&web.db, &web.config, id, target, &caller.actor()).await {
        Ok(entry) => context.go("/admin/review", &format!("{}: {}.", entry.label, entry.decision.unwrap_or_default())),
        Err(error) => sorry(&context, error),
    }
}

/// `POST /admin/review/accept-exact`: the sites that are ticked.
pub async fn accept_exact(caller: Admin, context: PageContext, State(web): State<Web>, mut fields: Fields) -> Result<Response> {
    let ids = fields.int_list("ids").get().value().unwrap_or_default();
    if let Err(error) = fields.finish() {
        return sorry(&context, error);
    }
    if ids.is_empty() {
        return context.go_sorry("/admin/review", "No site was selected.");
    }
    match exact::accept(&web.db, &web.config, Some(ids), false, &caller.actor()).await {
        Ok(done) => {
            let devices: i64 = done.linked.iter().map(|one| one.devices).sum();
            let mut said = format!("{} sites linked, with {devices} devices.", done.linked.len());
            for refused in &done.refused {
                said = format!("{said} {}: {}.", refused.site, refused.error);
            }
            context.go("/admin/review", &said)
        }
        Err(error) => sorry(&context, error),
    }
}

/// `POST /admin/review/{id}/create-company`
pub async fn create_company(
    caller: Admin,
    context: PageContext,
    State(web): State<Web>,
    Path(id): Path<i64>,
    mut fields: Fields,
) -> Result<Response> {
    let wish = Wish { name: fields.text("name").max(255).get().value(), ..Wish::default() };
    if let Err(error) = fields.finish() {
        return sorry(&context, error);
    }
    match decide::create_company(&web.db, &web.config, id, wish, &caller.actor()).await {
        Ok(entry) => context.go("/admin/review", &format!("{}: {}.", entry.label, entry.decision.unwrap_or_default())),
        Err(error) => sorry(&context, error),
    }
}

/// `POST /admin/review/{id}/ignore`
pub async fn ignore(caller: Admin, context: PageContext, State(web): State<Web>, Path(id): Path<i64>) -> Result<Response> {
    match decide::ignore(&web.db, id, &caller.actor()).await {
        Ok(entry) => context.go("/admin/review", &format!("{} ignored.", entry.label)),
        Err(error) => sorry(&context, error),
    }
}

fn sorry(context: &PageContext, error: Error) -> Result<Response> {
    match error {
        Error::Invalid(wrong) => {
            let words: Vec<String> = wrong.iter().map(|wrong| wrong.message.clone()).collect();
            context.go_sorry("/admin/review", &super::words::sentence(&words.join("; ")))
        }
        Error::Conflict { message, .. } => context.go_sorry("/admin/review", &super::words::sentence(&message)),
        other => Err(other),
    }
}
