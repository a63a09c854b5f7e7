//! A licence's key: it comes in sealed, and goes out on one page to a person who asks for it.

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::Response,
};
use serde_json::json;

use super::{License, store};
use crate::web::openapi::schema as json;
use crate::{
    agents::PageContext,
    auth::Editor,
    config::{Config, Secret},
    db::{Conn, Write},
    encryption::Encryption,
    error::{Error, Result},
    history,
    resource::form_page::{FormPage, Part, Typed},
    ui::{Crumb, Field, Page, Section, filters, link_to},
    web::{Fields, Path, Preconditions, Reply, Routes, Web, disclosure},
};

/// What the sealed text is bound to.
const PURPOSE: &str = "codex license.license_key";
/// The column, and the word of disclosures.
const COLUMN: &str = "license_key";
/// The longest key.
const MOST: usize = 2_000;

/// The routes.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .put("/api/licenses/{id}/key", put)
        .tells("Keep the key of a licence, sealed; null forgets it", |_| {
            json::done(&[("has_key", json::flag()), ("id", json::int())])
        })
        .takes(|_| json::object(&[("key", json::or_null(serde_json::json!({"type": "string", "maxLength": MOST})))]))
        .get("/licenses/{id}/key", edit)
        .post("/licenses/{id}/key", save)
        .form("/licenses/{id}/key/show", "/licenses/{id}", show)
}

/// Reads the key that was sent, and seals it.
fn sealed(config: &Config, mut fields: Fields) -> Result<Option<String>> {
    fields.set_creating(!fields.has("key"));
    let key = if fields.has("key") { fields.text("key") } else { fields.text("key").required() };
    let key = key.max(MOST).value();
    fields.finish()?;
    key.filter(|key| !key.is_empty()).map(|key| Encryption::create(config)?.seal_same(PURPOSE, &key)).transpose()
}

/// `PUT /api/licenses/{id}/key`
async fn put(
    State(web): State<Web>,
    editor: Editor,
    Path(id): Path<i64>,
    conditions: Preconditions,
    fields: Fields,
) -> Result<Response> {
    let body = fields.digest();
    let key = sealed(&web.config, fields)?;
    let work = move |w: &mut Write<'_>| {
        let has_key = key.is_some();
        store::keep_key(w, id, key.clone())?;
        Reply::ok(&json!({ "success": true, "id": id, "has_key": has_key }))
    };
    conditions.run(&web, &editor.scope(), &editor.actor(), &body, work).await
}

fn form(context: &PageContext, license: &License, typed: &Typed) -> FormPage {
    let here = context.page.url(&format!("/licenses/{}", license.id));
    let page = context.titled(Section::Licences, "Licence key");
    let list = link_to(context.page.url("/licenses/"), "Licences");
    let hint = "It is sealed before it is stored, and replaces the one that is kept. Empty forgets it.";
    let field = Field::area("key", "Licence key", typed.text("key")).hint(hint);
    let part = Part { title: "Key", fields: vec![field] };
    let form = FormPage::editing(page, list, link_to(here, license.product.clone()), typed, vec![part]);
    FormPage { action: context.page.url(&format!("/licenses/{}/key", license.id)), ..form }
}

async fn license(web: &Web, editor: &Editor, id: i64) -> Result<License> {
    web.db.read(&editor.scope(), move |c: &mut Conn| history::get::<License>(c, id)).await
}

/// `GET /licenses/{id}/key`: never with the key that is kept in it.
async fn edit(State(web): State<Web>, editor: Editor, context: PageContext, Path(id): Path<i64>) -> Result<Response> {
    let license = license(&web, &editor, id).await?;
    context.show(&form(&context, &license, &Typed::default()))
}

/// `POST /licenses/{id}/key`
async fn save(
    State(web): State<Web>,
    editor: Editor,
    context: PageContext,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response> {
    let license = license(&web, &editor, id).await?;
    let key = match sealed(&web.config, fields) {
        Ok(key) => key,
        Err(error @ Error::Invalid(_)) => return form(&context, &license, &Typed::default()).fail(&context, error),
        Err(other) => return Err(other),
    };
    let done = if key.is_some() { "Key saved." } else { "Key removed." };
    web.db.write(&editor.scope(), &editor.actor(), move |w| store::keep_key(w, id, key)).await?;
    context.go(&format!("/licenses/{id}"), done)
}

/// Opens a key.
///
/// # Errors
/// `Unavailable`, with what to do, when it was sealed with another one.
fn opened(config: &Config, sealed: &str) -> Result<Secret> {
    let why = || "the licence key was sealed with another key; put credentials.key back, or enter it again".to_owned();
    Encryption::open(config)?.open_same(PURPOSE, sealed).ok_or_else(|| Error::Unavailable(why()))
}

#[derive(Template)]
#[template(path = "assets/secret.html")]
struct KeyPage {
    page: Page,
    crumbs: Vec<Crumb>,
    label: &'static str,
    hostname: String,
    secret: String,
    back: String,
}

/// `POST /licenses/{id}/key/show`
async fn show(State(web): State<Web>, editor: Editor, context: PageContext, Path(id): Path<i64>) -> Result<Response> {
    let license = license(&web, &editor, id).await?;
    let secret = opened(&web.config, license.license_key.as_deref().ok_or(Error::NotFound { what: "Licence key" })?)?;
    disclosure::secret(editor.name(), id, COLUMN);
    let page = context.titled(Section::Licences, format!("Key of {}", license.product));
    let back = page.url(&format!("/licenses/{id}"));
    let shown = KeyPage {
        crumbs: vec![link_to(page.url("/licenses/"), "Licences"), link_to(back.clone(), license.product.clone())],
        label: "Licence key",
        hostname: license.product,
        secret: secret.expose().to_owned(),
        back,
        page,
    };
    let mut response = context.show(&shown)?;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
