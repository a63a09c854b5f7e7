//! The list of assets.

use std::sync::LazyLock;

use axum::{extract::State, response::Response};

use super::LIST;
use crate::{
    agents::PageContext,
    assets::{
        AssetView, AssetViewContext,
        list_store::{self, Filters, NO_COMPANY},
        model::{STATUSES, TYPES},
        panels::{connect, life, seen, status},
        staleness::STAGES,
    },
    companies::pages::address,
    entity::ending,
    error::Result,
    resource::{columns::Columns, values::ends},
    ui::{
        Choice, ListPage, Listing, Page, Row, Shape, Value,
        listing::{ROOMY, WIDE},
        words,
    },
    web::Web,
};

static COLUMNS: LazyLock<Columns<AssetView>> = LazyLock::new(|| {
    Columns::new("hostname", "Hostname", |asset: &AssetView| Value::words(asset.row.hostname.clone()))
        .usual("online", "Online", "cell--end", |_, asset| seen(asset.seen.online, asset.life))
        .usual("company_name", "Company", "cell--sub cell--cut", company)
        .usual("type", "Type", "cell--sub", |_, asset| Value::words(words(&asset.row.kind)))
        .other("status", "Status", "", |_, asset| status(&asset.row.status))
        .fields(|asset| &asset.row, &["operating_system"])
        .fields(|asset| &asset.seen, &["last_logged_in_user", "int_ip_address"])
        .fields(|asset| &asset.row, &["serial_number"])
        .fields(|asset| &asset.seen, &["last_seen"])
        .other("warranty", "Warranty", "", |_, asset| {
            ends(ending::Days::now().state(asset.row.warranty_expires.as_deref()).as_str())
        })
        .other("life", "Lifecycle", "", |_, asset| asset.life.map_or(Value::None, life))
        .usual("connect", "Connect", "cell--end", |_, asset| connect(asset))
        .rest(|asset| &asset.row)
        .rest(|asset| &asset.seen)
});

static SHAPE: Shape = Shape {
    spec: &list_store::LIST,
    path: "/assets/",
    api: "/api/assets",
    bulk: Some(("/bulk/assets", "Edit, assign or retire")),
    yields: &[("serial_number", WIDE), ("int_ip_address", WIDE), ("type", ROOMY)],
    columns: || COLUMNS.shown(),
    placeholder: "Search hostname, serial, IP, user, model",
    noun: "assets",
    when_empty: "Add an asset, or let a sync bring them in.",
};

/// `GET /assets/`
pub async fn index(State(web): State<Web>, context: PageContext) -> Result<Response> {
    let listing = Listing::new(&SHAPE, &context.page, &context.query);
    let query = listing.ask()?;
    let asked = Filters::read(&context.query)?;
    let view_context = AssetViewContext::of(&context.caller, &web.config, &context.query)?;
    let found = web.db.read(&context.scope(), move |c| list_store::list(c, &query, &asked, &view_context)).await?;
    let choices = |known: &[&str]| known.iter().map(|word| Choice::new(*word, words(word))).collect();
    let filters = vec![
        listing.filter("type", "Type", choices(TYPES)),
        listing.filter("company", "Company", vec![Choice::new(NO_COMPANY, "Unassigned")]),
        listing.filter("status", "Status", choices(STATUSES)),
        listing.filter("life", "Lifecycle", choices(&STAGES)),
        listing.filter("warranty", "Warranty", ending::choices()),
        listing.filter("online", "Online", vec![Choice::new("true", "Online"), Choice::new("false", "Offline")]),
    ];
    let rows = found.items.into_iter().map(|asset| row(&context.page, &asset));
    let list = listing.list(filters, rows.collect(), found.total);
    let action = context.page.may_write().then(|| (context.page.url("/assets/new"), LIST.new));
    context.show(&ListPage {
        page: context.titled(LIST.section, LIST.title),
        action,
        list,
        import: Some("assets"),
        tabs: Vec::new(),
    })
}

fn company(page: &Page, asset: &AssetView) -> Value {
    match (&asset.owner.account_number, &asset.owner.name) {
        (Some(number), Some(name)) => Value::link(address(page, number), name.clone()),
        _ => Value::None,
    }
}

fn row(page: &Page, asset: &AssetView) -> Row {
    Row {
        id: asset.row.id,
        href: page.url(&format!("/assets/{}", asset.row.id)),
        name: asset.row.hostname.clone(),
        retired: asset.row.retired_at.is_some(),
        cells: COLUMNS.cells(page, asset),
    }
}
