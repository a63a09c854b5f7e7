//! The search page: what the palette finds, for those without scripts.

use askama::Template;
use axum::{extract::State, response::Response};
use serde_json::Value as Json;

use super::address;
use crate::{
    agents::PageContext,
    assets::{Asset, AssetViewContext},
    billing::{FeatureOption, Plan},
    companies::{Company, Location},
    contacts::Contact,
    custom::Tag,
    error::Result,
    history::Record as _,
    records::{entities, search},
    tickets::Ticket,
    ui::{Crumb, Page, Section, capitalised, filters, link_to},
    web::Web,
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
        ("companies", Company::ENTITY, "Companies", "building-2"),
        ("locations", Location::ENTITY, "Locations", "map-pin"),
        ("contacts", Contact::ENTITY, "Contacts", "users"),
        ("assets", Asset::ENTITY, "Assets", "monitor"),
        ("tickets", Ticket::ENTITY, "Tickets", "ticket"),
        ("billing_plans", Plan::ENTITY, "Billing plans", "credit-card"),
        ("feature_options", FeatureOption::ENTITY, "Feature options", "credit-card"),
        ("tags", Tag::ENTITY, "Tags", "tag"),
    ];
    let rooms = rooms.map(|(room, entity, title, icon)| (room, entity, title.to_owned(), icon));
    let nouns = entities::nouns().map(|noun| (noun.door().api, noun.name(), capitalised(noun.door().many), "router"));
    let groups = rooms.into_iter().chain(nouns).map(|(room, entity, title, icon): (&str, &str, String, &str)| {
        let hits = found.get(room).and_then(Json::as_array).into_iter().flatten();
        Group { title, icon, hits: hits.map(|hit| link(&page, entity, hit)).collect() }
    });
    let groups = groups.filter(|group| !group.hits.is_empty()).collect();
    context.show(&SearchPage { page, q, groups })
}

fn link(page: &Page, entity: &str, hit: &Json) -> (Crumb, String) {
    let text = |name: &str| hit.get(name).and_then(Json::as_str).unwrap_or_default();
    if !text("url").is_empty() {
        return (link_to(page.url(text("url")), text("name")), String::new());
    }
    let id = hit.get("id").map(ToString::to_string).unwrap_or_default();
    let (key, detail) = match entity {
        Company::ENTITY => (text("account_number").to_owned(), text("account_number")),
        Location::ENTITY => (text("company_id").to_owned(), text("company_name")),
        Contact::ENTITY => (id, text("email")),
        _ => (id, text("company_name")),
    };
    (link_to(page.url(&address::with_key(entity, &key)), text("name")), detail.to_owned())
}
