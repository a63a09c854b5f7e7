//! The assets of a company and of a contact on their pages, and the marks by which an asset is shown.

use super::{AssetView, AssetViewContext, store};
use crate::{
    companies::Company,
    contacts::Contact,
    db::Conn,
    entity::ending::{Days, State},
    error::Result,
    history::Record as _,
    resource::panel::{Action, Content, Looker, Panel, Panels, Tab, Whose},
    ui::{Line, Page, Table, Value, count_of, words},
    web::encode_segment,
};

/// How many rows of a company are shown; the list has the rest.
const SHOWN: usize = 25;

/// This room's panels.
pub struct OfAssets;

impl Panels for OfAssets {
    fn of(&self, c: &mut Conn, looker: &Looker<'_>, whose: Whose<'_>) -> Result<Vec<Panel>> {
        let Looker { page, policy, config } = *looker;
        let view = AssetViewContext { policy: policy.clone(), days: config.assets.life, staff: page.is_staff() };
        match (whose.entity, whose.account_number) {
            (Company::ENTITY, Some(number)) => {
                let all: Vec<AssetView> = store::of_company(c, whose.id)?.into_iter().map(|asset| asset.redact(&view)).collect();
                let count = i64::try_from(all.len()).unwrap_or(i64::MAX);
                let days = Days::now();
                let ends = |asset: &&AssetView| days.state(asset.row.warranty_expires.as_deref()) == State::Ending;
                let ending = all.iter().filter(ends).count();
                let query = format!("company_account_number={}&warranty={}", encode_segment(number), State::Ending.as_str());
                let ending = (ending > 0).then(|| Action {
                    href: page.url(&format!("/assets/?{query}")),
                    words: count_of(i64::try_from(ending).unwrap_or(i64::MAX), "warranty ending", "warranties ending"),
                    adds: false,
                    edits: false,
                });
                let add = || Action::adding(page.url(&format!("/assets/new?company={}", encode_segment(number))), "New asset");
                let panel = Panel::new(Tab::Assets, "assets", "Assets", Content::Rows(of_company(page, &all)));
                Ok(vec![Panel {
                    count: Some(count),
                    actions: ending.into_iter().chain((page.may_write() && whose.is_live).then(add)).collect(),
                    lead: Some(count_of(count, "asset", "assets")),
                    ..panel
                }])
            }
            (Contact::ENTITY, _) => {
                let (devices, count) = devices_of_contact(c, looker, whose.id)?;
                let panel = Panel::new(Tab::Devices, "assets", "Devices", Content::Rows(devices));
                Ok(vec![Panel { count: Some(count), lead: Some(count_of(count, "device", "devices")), ..panel }])
            }
            _ => Ok(Vec::new()),
        }
    }
}

/// The devices that a contact uses, as the caller may see them, with the way onto each; and how many there are.
///
/// # Errors
/// When they cannot be read.
pub fn devices_of_contact(c: &mut Conn, looker: &Looker<'_>, contact: i64) -> Result<(Table, i64)> {
    let view = AssetViewContext { policy: looker.policy.clone(), days: looker.config.assets.life, staff: looker.page.is_staff() };
    let all: Vec<AssetView> = store::of_contact(c, contact)?.into_iter().map(|asset| asset.redact(&view)).collect();
    let count = i64::try_from(all.len()).unwrap_or(i64::MAX);
    Ok((of_contact(looker.page, &all), count))
}

/// The devices of a company.
fn of_company(page: &Page, all: &[AssetView]) -> Table {
    let key = all.first().and_then(|asset| asset.owner.account_number.clone()).unwrap_or_default();
    Table {
        label: "Assets",
        heads: vec![
            ("Hostname", "cell--main"),
            ("Type", "cell--sub"),
            ("OS", "cell--cut"),
            ("State", "cell--end"),
            ("Last user", "cell--sub"),
            ("Last seen", ""),
            ("", "cell--end"),
        ],
        lines: all.iter().take(SHOWN).map(|asset| Line { cells: cells(page, asset), post: None }).collect(),
        empty: "No asset belongs to this company yet.",
        more: more(page, &key, all.len()),
    }
}

/// The devices that a contact uses.
fn of_contact(page: &Page, all: &[AssetView]) -> Table {
    Table {
        label: "Devices",
        heads: vec![
            ("Hostname", "cell--main"),
            ("Type", "cell--sub"),
            ("OS", "cell--cut"),
            ("State", "cell--end"),
            ("Last user", ""),
            ("Last seen", "cell--sub"),
            ("", "cell--end"),
        ],
        lines: all.iter().map(|asset| Line { cells: cells(page, asset), post: None }).collect(),
        empty: "No device is assigned to this contact.",
        more: None,
    }
}

/// An asset in a table of few columns.
fn cells(page: &Page, asset: &AssetView) -> Vec<Value> {
    vec![
        Value::link(page.url(&format!("/assets/{}", asset.row.id)), asset.row.hostname.clone()),
        Value::words(words(&asset.row.kind)),
        Value::text(asset.row.operating_system.as_deref()),
        seen(asset.seen.online, asset.life),
        Value::text(asset.seen.last_logged_in_user.as_deref()),
        Value::ago(asset.seen.last_seen.as_deref()),
        connect(asset),
    ]
}

/// The way onto a device; nothing where there is none.
#[must_use]
pub fn connect(asset: &AssetView) -> Value {
    let href = asset.row.web_remote_url.as_deref().or(asset.row.portal_url.as_deref());
    match Value::away(href, "Connect") {
        away @ Value::Away { .. } => away,
        _ => Value::Empty,
    }
}

fn more(page: &Page, key: &str, count: usize) -> Option<(String, String)> {
    let query = serde_urlencoded::to_string([("company_account_number", key)]).unwrap_or_default();
    (count > SHOWN).then(|| (page.url(&format!("/assets/?{query}")), format!("All {count} assets")))
}

/// An asset's status; the usual one is plain words.
#[must_use]
pub fn status(word: &str) -> Value {
    match word {
        "repair" => Value::badge("warning", "Repair"),
        "active" => Value::words("Active"),
        other => Value::badge("", words(other)),
    }
}

/// A stage of life; the usual one is plain words.
#[must_use]
pub fn life(stage: &str) -> Value {
    match stage {
        "active" => Value::words("Active"),
        "quiet" => Value::badge("info", "Quiet"),
        "stale" => Value::badge("warning", "Stale"),
        other => Value::badge("", words(other)),
    }
}

/// Online or not, and whether it has been out of sight for long.
#[must_use]
pub fn seen(online: Option<bool>, stage: Option<&str>) -> Value {
    match stage {
        Some(stage) if stage != "active" && online != Some(true) => life(stage),
        _ => Value::online(online),
    }
}
