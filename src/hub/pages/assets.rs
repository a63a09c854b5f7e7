//! The list of assets.

use axum::{extract::State, response::Response};

use super::{companies::ListPage, companies::address, words};
use crate::{
    agents::Frame,
    assets::{
        AssetView, Eyes,
        life::STAGES,
        list_store::{self, Filters, NO_COMPANY},
        model::{STATUSES, TYPES},
    },
    error::Result,
    web::{
        Web,
        view::{Choice, Listing, Page, Row, Section, Shape, Shown, Value},
    },
};

static SHAPE: Shape = Shape {
    spec: &list_store::LIST,
    path: "/assets/",
    api: "/api/assets",
    columns: &[
        Shown { key: "hostname", label: "Host", class: "cell--main", usual: true },
        Shown { key: "online", label: "Online", class: "cell--end", usual: true },
        Shown { key: "company_name", label: "Company", class: "cell--sub cell--cut", usual: true },
        Shown { key: "type", label: "Type", class: "cell--sub", usual: true },
        Shown { key: "status", label: "Status", class: "", usual: false },
        Shown { key: "operating_system", label: "System", class: "cell--cut", usual: true },
        Shown { key: "last_logged_in_user", label: "Last user", class: "cell--cut", usual: true },
        Shown { key: "int_ip_address", label: "Address", class: "", usual: true },
        Shown { key: "serial_number", label: "Serial number", class: "", usual: true },
        Shown { key: "manufacturer", label: "Maker", class: "cell--cut", usual: false },
        Shown { key: "model", label: "Model", class: "cell--cut", usual: false },
        Shown { key: "warranty_expires", label: "Warranty ends", class: "", usual: false },
        Shown { key: "antivirus_product", label: "Antivirus", class: "cell--cut", usual: false },
        Shown { key: "patch_status", label: "Patches", class: "", usual: false },
        Shown { key: "last_seen", label: "Seen", class: "", usual: true },
        Shown { key: "life", label: "Life", class: "", usual: false },
    ],
    placeholder: "Search host, serial number, system, model",
    noun: "assets",
    when_empty: "Add an asset, or let a sync bring them in.",
};

/// `GET /assets/`
pub async fn index(State(web): State<Web>, frame: Frame) -> Result<Response> {
    let listing = Listing::new(&SHAPE, &frame.page.prefix, &frame.query);
    let query = listing.ask()?;
    let asked = Filters::read(&frame.query)?;
    let eyes = Eyes::of(&frame.caller, &web.config, &frame.query)?;
    let found = web.db.read(&frame.scope(), move |c| list_store::list(c, &query, &asked, &eyes)).await?;
    let choices = |known: &[&str]| known.iter().map(|word| Choice::new(*word, words(word))).collect();
    let filters = vec![
        listing.filter("type", "Type", choices(TYPES)),
        listing.filter("company", "Company", vec![Choice::new(NO_COMPANY, "Nobody's yet")]),
        listing.filter("status", "Status", choices(STATUSES)),
        listing.filter("life", "Life", choices(&STAGES)),
        listing.filter("online", "Online", vec![Choice::new("true", "Online"), Choice::new("false", "Offline")]),
    ];
    let rows = found.items.into_iter().map(|asset| row(&frame.page, asset));
    let list = listing.list(filters, rows.collect(), found.total);
    let action = frame.page.may_write().then(|| (frame.page.url("/assets/new"), "New asset"));
    frame.show(&ListPage { page: frame.titled(Section::Assets, "Assets"), action, list })
}

fn row(page: &Page, asset: AssetView) -> Row {
    let company = match (&asset.owner.account_number, &asset.owner.name) {
        (Some(number), Some(name)) => Value::link(address(page, number), name.clone()),
        _ => Value::None,
    };
    Row {
        id: asset.row.id,
        href: page.url(&format!("/assets/{}", asset.row.id)),
        name: asset.row.hostname.clone(),
        retired: asset.row.retired_at.is_some(),
        cells: vec![
            Value::words(asset.row.hostname),
            seen(asset.seen.online, asset.life),
            company,
            Value::words(words(&asset.row.kind)),
            status(&asset.row.status),
            Value::text(asset.row.operating_system.as_deref()),
            Value::text(asset.seen.last_logged_in_user.as_deref()),
            Value::code(asset.seen.int_ip_address.as_deref()),
            Value::code(asset.row.serial_number.as_deref()),
            Value::text(asset.row.manufacturer.as_deref()),
            Value::text(asset.row.model.as_deref()),
            Value::date(asset.row.warranty_expires.as_deref()),
            Value::text(asset.row.antivirus_product.as_deref()),
            Value::text(asset.seen.patch_status.as_deref()),
            Value::ago(asset.seen.last_seen.as_deref()),
            asset.life.map_or(Value::None, life),
        ],
    }
}

/// An asset's status; the usual one is plain words.
pub fn status(word: &str) -> Value {
    match word {
        "repair" => Value::badge("warning", "Repair"),
        "active" => Value::words("Active"),
        other => Value::badge("", words(other)),
    }
}

/// A stage of life; the usual one is plain words.
pub fn life(stage: &str) -> Value {
    match stage {
        "active" => Value::words("Active"),
        "quiet" => Value::badge("info", "Quiet"),
        "stale" => Value::badge("warning", "Stale"),
        other => Value::badge("", words(other)),
    }
}

/// Online or not, and whether it has been out of sight for long.
pub fn seen(online: Option<bool>, stage: Option<&str>) -> Value {
    match stage {
        Some(stage) if stage != "active" && online != Some(true) => life(stage),
        _ => Value::online(online),
    }
}
