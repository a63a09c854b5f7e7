//! `/admin/credentials/{system}`: what a vendor asks for. Written here, never shown again.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};

use crate::{
    agents::PageContext,
    auth::AdminPerson,
    error::{Error, Result},
    ui::{Crumb, Field, Page, Section, filters, form, link_to},
    vendors::{
        self,
        credentials::{self, Credentials, api, connection_test, view},
    },
    web::{Fields, Path, Web},
};

#[derive(Template)]
#[template(path = "admin/credentials.html")]
struct CredentialsPage {
    page: Page,
    crumbs: Vec<Crumb>,
    known: Credentials,
    fields: Vec<Field>,
    action: String,
    entered: bool,
    problems: Vec<String>,
}

async fn known(web: &Web, system: &str) -> Result<Credentials> {
    let all = view::all(&web.db, &web.config).await?;
    all.into_iter().find(|found| found.system == system).ok_or(Error::NotFound { what: "Vendor" })
}

/// What people call a key of a vendor's credentials.
fn called(name: &str) -> &'static str {
    match name {
        "domain" => "Domain",
        "api_endpoint" => "API address",
        "api_key" | "public_key" => "API key",
        _ => "API secret key",
    }
}

fn page(context: &PageContext, known: Credentials) -> CredentialsPage {
    let page = context.titled(Section::Admin, format!("{} credentials", known.label));
    let fields = known.keys.iter().map(|key| match key.name {
        "domain" => Field::text(key.name, called(key.name), key.value.clone().unwrap_or_default())
            .hint("The account's name, such as acme for acme.freshservice.com"),
        "api_endpoint" => Field::text(key.name, called(key.name), key.value.clone().unwrap_or_default())
            .hint("The address of your region, such as https://concord-api.centrastage.net"),
        "api_key" | "public_key" => Field::line("password", key.name, called(key.name), ""),
        _ => Field::line("password", "secret_key", called(key.name), ""),
    });
    CredentialsPage {
        crumbs: vec![link_to(page.url("/admin/"), "Sync")],
        fields: fields.collect(),
        action: page.url(&format!("/admin/credentials/{}", known.system)),
        entered: known.keys.iter().any(|key| key.entered),
        problems: Vec::new(),
        known,
        page,
    }
}

/// `GET /admin/credentials/{system}`
pub async fn show(_: AdminPerson, context: PageContext, State(web): State<Web>, Path(system): Path<String>) -> Result<Response> {
    context.show(&page(&context, known(&web, &system).await?))
}

/// `POST /admin/credentials/{system}`; what is left empty stays as it is.
pub async fn save(
    caller: AdminPerson,
    context: PageContext,
    State(web): State<Web>,
    Path(system): Path<String>,
    mut fields: Fields,
) -> Result<Response> {
    let vendor = vendors::vendor(&system)?;
    let changes = api::sent(&system, &mut fields)?;
    let kept = match fields.finish() {
        Ok(()) => credentials::change(&web.db, &web.config, vendor, changes, caller.name()).await,
        wrong => wrong,
    };
    if let Err(Error::Invalid(wrong)) = kept {
        let mut page = page(&context, known(&web, &system).await?);
        page.problems = form::place_errors(page.fields.iter_mut(), &wrong);
        return context.show_as(StatusCode::BAD_REQUEST, &page);
    }
    kept?;
    told(&context, &web, vendor, "Kept. ").await
}

/// `POST /admin/credentials/{system}/test`
pub async fn test(_: AdminPerson, context: PageContext, State(web): State<Web>, Path(system): Path<String>) -> Result<Response> {
    told(&context, &web, vendors::vendor(&system)?, "").await
}

/// Tries what counts now, and says what the vendor said.
async fn told(context: &PageContext, web: &Web, vendor: vendors::Vendor, before: &str) -> Result<Response> {
    let back = format!("/admin/credentials/{}", vendor.system);
    match connection_test::run(&web.db, &web.config, vendor).await? {
        Ok(said) => context.go(&back, &format!("{before}{}: {said}.", vendor.name)),
        Err(said) => context.go_sorry(&back, &format!("{before}{} does not accept it: {said}.", vendor.name)),
    }
}

/// `POST /admin/credentials/{system}/forget`: what other sources say counts again.
pub async fn forget(
    caller: AdminPerson,
    context: PageContext,
    State(web): State<Web>,
    Path(system): Path<String>,
) -> Result<Response> {
    let vendor = vendors::vendor(&system)?;
    let changes = vendor.keys.iter().map(|(name, _)| (*name, None)).collect();
    credentials::change(&web.db, &web.config, vendor, changes, caller.name()).await?;
    context.go(&format!("/admin/credentials/{system}"), "Forgotten. What the configuration says counts again.")
}
