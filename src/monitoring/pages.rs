//! The list of alerts.

use std::sync::LazyLock;

use axum::{extract::State, response::Response};

use crate::{
    agents::PageContext,
    companies::pages::address,
    compliance::RedactionPolicy,
    error::Result,
    monitoring::{
        alert::{AlertView, PRIORITIES, kind_words},
        alert_list_store::{self, ALERTS, Wanted},
    },
    resource::columns::Columns,
    ui::{Choice, ListPage, Listing, Page, Row, Section, Shape, Value, words},
    web::{Routes, Web},
};

static COLUMNS: LazyLock<Columns<AlertView>> = LazyLock::new(|| {
    Columns::new("message", "Alert", |alert: &AlertView| Value::words(alert.row.message.clone()))
        .usual("priority", "Priority", "cell--end", |_, alert| urgency(&alert.row.priority))
        .usual("resolved", "State", "", |_, alert| state(alert))
        .usual("hostname", "Device", "cell--sub cell--cut", device)
        .usual("company_name", "Company", "cell--sub cell--cut", company)
        .usual("timestamp", "Raised", "", |_, alert| Value::ago(alert.row.raised_at.as_deref()))
        .other("kind", "Kind", "", |_, alert| Value::words(kind_words(&alert.row.kind)))
        .rest(|alert| &alert.row)
});

static SHAPE: Shape = Shape {
    spec: &ALERTS,
    path: "/alerts/",
    api: "/api/alerts",
    bulk: None,
    yields: &[],
    columns: || COLUMNS.shown(),
    placeholder: "Search alert, device, site",
    noun: "alerts",
    when_empty: "The Datto sync brings them in.",
};

/// Its route.
#[must_use]
pub fn routes() -> Routes {
    Routes::new().get("/alerts/", index)
}

/// `GET /alerts/`
pub async fn index(State(web): State<Web>, context: PageContext) -> Result<Response> {
    let listing = Listing::new(&SHAPE, &context.page, &context.query);
    let query = listing.ask()?;
    let wanted = Wanted::read(&context.query)?;
    let policy = RedactionPolicy::of(&context.caller, &web.config, &context.query)?;
    let found = web.db.read(&context.scope(), move |c| alert_list_store::list(c, &query, &wanted, &policy)).await?;
    let filters = vec![
        listing.filter("resolved", "State", vec![Choice::new("false", "Open"), Choice::new("true", "Resolved")]),
        listing.filter("priority", "Priority", PRIORITIES.iter().map(|word| Choice::word(word)).collect()),
        listing.filter("muted", "Muted", vec![Choice::new("false", "No"), Choice::new("true", "Yes")]),
    ];
    let rows = found.items.into_iter().map(|alert| row(&context.page, &alert));
    let list = listing.list(filters, rows.collect(), found.total);
    context.show(&ListPage {
        page: context.titled(Section::Alerts, "Alerts"),
        action: None,
        list,
        import: None,
        tabs: Vec::new(),
    })
}

fn row(page: &Page, alert: &AlertView) -> Row {
    let href = match alert.row.asset_id {
        Some(id) => page.url(&format!("/assets/{id}#alerts")),
        None => {
            let query = serde_urlencoded::to_string([("alert_uid", &alert.row.alert_uid)]).unwrap_or_default();
            page.url(&format!("/alerts/?{query}"))
        }
    };
    Row { id: alert.id, href, name: alert.row.message.clone(), retired: false, cells: COLUMNS.cells(page, alert) }
}

pub(super) fn device(page: &Page, alert: &AlertView) -> Value {
    match (alert.row.asset_id, &alert.hostname) {
        (Some(id), Some(name)) => Value::link(page.url(&format!("/assets/{id}")), name.clone()),
        (_, name) => Value::text(name.as_deref()),
    }
}

fn company(page: &Page, alert: &AlertView) -> Value {
    match (&alert.company_id, &alert.company_name) {
        (Some(number), Some(name)) => Value::link(address(page, number), name.clone()),
        _ => Value::None,
    }
}

pub(super) fn urgency(priority: &str) -> Value {
    let kind = match priority {
        "Critical" => "danger",
        "High" => "warning",
        "Moderate" => "info",
        _ => "",
    };
    Value::badge(kind, words(priority))
}

pub(super) fn state(alert: &AlertView) -> Value {
    let mut badges = vec![match (alert.row.resolved, alert.row.gone) {
        (false, _) => Value::badge("danger", "Open"),
        (true, false) => Value::badge("success", "Resolved"),
        (true, true) => Value::badge("", "Gone at the vendor"),
    }];
    if alert.row.muted {
        badges.push(Value::badge("", "Muted"));
    }
    Value::Many(badges)
}
