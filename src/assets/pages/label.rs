//! `/assets/{id}/label`: an asset's label for a label printer or a sheet, with a QR code that leads to its page and its serial
//! number as Code 128.

use askama::Template;
use axum::{extract::State, response::Response};

use super::LIST;
use crate::{
    agents::PageContext,
    assets::{AssetViewContext, store as assets},
    error::Result,
    ui::{Crumb, Page, codes, filters, link_to},
    web::{Path, Peer, Web},
};

#[derive(Template)]
#[template(path = "assets/label.html")]
struct LabelPage {
    page: Page,
    crumbs: Vec<Crumb>,
    hostname: String,
    company: String,
    /// What the bars say, and the bars.
    serial: Option<(String, Option<codes::Picture>)>,
    number: i64,
    qr: codes::Picture,
}

/// `GET /assets/{id}/label`
pub async fn show(State(web): State<Web>, context: PageContext, peer: Peer, Path(id): Path<i64>) -> Result<Response> {
    let view_context = AssetViewContext::of(&context.caller, &web.config, &context.query)?;
    let detail = web.db.read(&context.scope(), move |c| Ok(assets::get_detail(c, id)?.redact(&view_context))).await?;
    let asset = detail.asset;
    let hostname = asset.row.hostname.clone();
    let page = context.titled(LIST.section, format!("Label of {hostname}"));
    let serial = asset.row.serial_number.filter(|serial| !serial.trim().is_empty());
    let here = peer.base(&page.prefix, web.config.server.public_url.as_deref());
    context.show(&LabelPage {
        crumbs: vec![LIST.crumb(&page), link_to(page.url(&format!("/assets/{id}")), hostname.clone())],
        company: asset.owner.name.unwrap_or_default(),
        serial: serial.map(|serial| (serial.clone(), codes::code128(serial.trim()))),
        number: id,
        qr: codes::qr(&format!("{here}/assets/{id}"))?,
        hostname,
        page,
    })
}
