//! Alerts on pages: the list of all, and the card on the pages of assets and companies.

use std::sync::LazyLock;

use axum::{extract::State, response::Response};

use super::words;
use crate::{
    agents::Frame,
    companies::pages::address,
    compliance::RedactionPolicy,
    db::{
        Conn,
        list::{ListQuery, Page as Found, Slice},
    },
    error::Result,
    monitoring::{
        alert::{AlertView, PRIORITIES, kind_words},
        alert_list_store::{self, ALERTS, Wanted},
    },
    resource::columns::Columns,
    ui::{Choice, Line, ListPage, Listing, Page, Row, Section, Shape, Table, Value},
    web::Web,
};

/// How many alerts a card shows; the list has the rest.
const SHOWN: i64 = 10;

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
    columns: || COLUMNS.shown(),
    placeholder: "Search alert, device, site",
    noun: "alerts",
    when_empty: "The Datto sync brings them in.",
};

/// `GET /alerts/`
pub async fn index(State(web): State<Web>, frame: Frame) -> Result<Response> {
    let listing = Listing::new(&SHAPE, &frame.page, &frame.query);
    let query = listing.ask()?;
    let wanted = Wanted::read(&frame.query)?;
    let policy = RedactionPolicy::of(&frame.caller, &web.config, &frame.query)?;
    let found = web.db.read(&frame.scope(), move |c| alert_list_store::list(c, &query, &wanted, &policy)).await?;
    let filters = vec![
        listing.filter("resolved", "State", vec![Choice::new("false", "Open"), Choice::new("true", "Resolved")]),
        listing.filter("priority", "Priority", PRIORITIES.iter().map(|word| Choice::word(word)).collect()),
        listing.filter("muted", "Muted", vec![Choice::new("false", "No"), Choice::new("true", "Yes")]),
    ];
    let rows = found.items.into_iter().map(|alert| row(&frame.page, &alert));
    let list = listing.list(filters, rows.collect(), found.total);
    frame.show(&ListPage { page: frame.titled(Section::Alerts, "Alerts"), action: None, list, import: None, tabs: Vec::new() })
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

fn device(page: &Page, alert: &AlertView) -> Value {
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

fn urgency(priority: &str) -> Value {
    let kind = match priority {
        "Critical" => "danger",
        "High" => "warning",
        "Moderate" => "info",
        _ => "",
    };
    Value::badge(kind, words(priority))
}

fn state(alert: &AlertView) -> Value {
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

/// The alerts of one asset or company, as a card shows them: open ones first.
pub struct Card {
    /// The table.
    pub table: Table,
    /// How many are open.
    pub open: i64,
}

/// Whose alerts a card shows.
#[derive(Clone, Copy)]
pub enum Of {
    /// An asset's, all of them.
    Asset(i64),
    /// A company's, the open ones.
    Company(i64),
}

/// Reads the alerts of a card, and how many of them are open.
pub fn read(c: &mut Conn, of: Of, policy: &RedactionPolicy) -> Result<(Found<AlertView>, i64)> {
    let all = ListQuery::everything(&ALERTS)?;
    let all = match of {
        Of::Asset(id) => all.and("alert.asset_id = {}", vec![id.into()]),
        Of::Company(id) => all.and("company.id = {}", vec![id.into()]),
    };
    let open = all.clone().and("alert.resolved = {}", vec![false.into()]);
    let count = open.count(c)?;
    let shown = if matches!(of, Of::Company(_)) { open } else { all };
    let shown = shown.with_slice(Some(Slice { limit: SHOWN, offset: 0 }));
    Ok((alert_list_store::list(c, &shown, &Wanted::default(), policy)?, count))
}

/// The card of what was read; `more` asks the list for the rest.
#[must_use]
pub fn card(page: &Page, of: Of, (found, open): &(Found<AlertView>, i64), more: &[(&str, &str)]) -> Card {
    let with_device = matches!(of, Of::Company(_));
    let mut heads = vec![("Alert", "cell--main"), ("Priority", "cell--end"), ("State", ""), ("Raised", "cell--sub")];
    if with_device {
        heads.insert(1, ("Device", "cell--sub cell--cut"));
    }
    let lines = found.items.iter().map(|alert| {
        let raised = Value::ago(alert.row.raised_at.as_deref());
        let mut cells = vec![Value::words(alert.row.message.clone()), urgency(&alert.row.priority), state(alert), raised];
        if with_device {
            cells.insert(1, device(page, alert));
        }
        Line { cells, post: None }
    });
    let query = serde_urlencoded::to_string(more).unwrap_or_default();
    let rest = found.total > SHOWN;
    let table = Table {
        label: "Alerts",
        heads,
        lines: lines.collect(),
        empty: if with_device { "No alert is open." } else { "No alert was raised." },
        more: rest.then(|| (page.url(&format!("/alerts/?{query}")), format!("All {} alerts", found.total))),
    };
    Card { table, open: *open }
}
