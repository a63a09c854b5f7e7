//! The search page: what the palette finds, for those without scripts.

use askama::Template;
use axum::{extract::State, response::Response};
use serde_json::Value as Json;

use crate::{
    agents::PageContext,
    assets::AssetViewContext,
    error::Result,
    records::{entities, nouns::AnyNoun, search},
    ui::{Crumb, Page, Section, capitalised, filters, link_to},
    web::{Web, encode_segment},
};

/// How many hits of each kind are shown.
const SHOWN: i64 = 20;

struct Group {
    title: String,
    icon: &'static str,
    hits: Vec<(Crumb, String)>,
}

#[derive(Template)]
#[template(path = "records/search.html")]
struct SearchPage {
    page: Page,
    q: String,
    groups: Vec<Group>,
}

/// `GET /search?q=`
pub async fn show(State(web): State<Web>, context: PageContext) -> Result<Response> {
    let q = context.query.text("q")?.unwrap_or_default().to_owned();
    let text = q.clone();
    let view_context = AssetViewContext::of(&context.caller, &web.config, &context.query)?;
    let found = web.db.read(&context.scope(), move |c| search::find(c, &text, SHOWN, &view_context)).await?;
    let page = context.titled(Section::Elsewhere, "Search");
    let rooms = [
        ("companies", "Companies", "building-2"),
        ("contacts", "Contacts", "users"),
        ("assets", "Assets", "monitor"),
        ("tickets", "Tickets", "ticket"),
        ("billing_plans", "Billing plans", "credit-card"),
    ];
    let rooms = rooms.map(|(room, title, icon)| (room, title.to_owned(), icon, format!("/{room}")));
    let nouns = entities::nouns().map(AnyNoun::door);
    let nouns = nouns.map(|door| (door.api, capitalised(door.many), "router", door.page.to_owned()));
    let groups = rooms.into_iter().chain(nouns).map(|(room, title, icon, address): (&str, String, &str, String)| {
        let hits = found.get(room).and_then(Json::as_array).into_iter().flatten();
        Group { title, icon, hits: hits.map(|hit| link(&page, room, &address, hit)).collect() }
    });
    let groups = groups.filter(|group| !group.hits.is_empty()).collect();
    context.show(&SearchPage { page, q, groups })
}

fn link(page: &Page, room: &str, address: &str, hit: &Json) -> (Crumb, String) {
    let text = |name: &str| hit.get(name).and_then(Json::as_str).unwrap_or_default();
    if !text("url").is_empty() {
        return (link_to(page.url(text("url")), text("name")), String::new());
    }
    let id = hit.get("id").map(ToString::to_string).unwrap_or_default();
    let (key, detail) = match room {
        "companies" => (text("account_number").to_owned(), text("account_number")),
        "contacts" => (id, text("email")),
        _ => (id, text("company_name")),
    };
    (link_to(page.url(&format!("{address}/{}", encode_segment(&key))), text("name")), detail.to_owned())
}
