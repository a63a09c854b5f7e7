//! Shows one secret of an asset to a person who asks for it by a click, and notes that they did.

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::Response,
};

use crate::{
    agents::PageContext,
    assets::{Asset, secrets},
    auth::Editor,
    error::{Error, Result},
    history,
    ui::{Crumb, Page, Section, filters, link_to},
    web::{Path, Web, disclosure},
};

#[derive(Template)]
#[template(path = "assets/secret.html")]
struct SecretPage {
    page: Page,
    crumbs: Vec<Crumb>,
    label: &'static str,
    hostname: String,
    secret: String,
    back: String,
}

/// `POST /assets/{id}/secrets/{name}`
pub async fn reveal(
    State(web): State<Web>,
    editor: Editor,
    context: PageContext,
    Path((id, name)): Path<(i64, String)>,
) -> Result<Response> {
    let kind = secrets::kind(&name).ok_or(Error::NotFound { what: "Key" })?;
    let asset: Asset = web.db.read(&editor.scope(), move |c| history::get(c, id)).await?;
    let sealed = asset.sealed(kind).ok_or(Error::NotFound { what: kind.label })?;
    let secret = secrets::open(&web.config, kind, sealed)?;
    disclosure::secret(editor.name(), id, kind.column);
    let page = context.titled(Section::Assets, format!("{} of {}", kind.label, asset.hostname));
    let back = page.url(&format!("/assets/{id}"));
    let shown = SecretPage {
        crumbs: vec![link_to(page.url("/assets/"), "Assets"), link_to(back.clone(), asset.hostname.clone())],
        label: kind.label,
        hostname: asset.hostname,
        secret: secret.expose().to_owned(),
        back,
        page,
    };
    let mut response = context.show(&shown)?;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
