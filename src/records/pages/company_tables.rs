//! The tables on a company's page: its people and its devices.

use super::words;
use crate::{
    assets::AssetView,
    contacts::ContactView,
    ui::{Line, Page, Table, Value},
};

/// How many rows a card shows; the list has the rest.
const SHOWN: usize = 25;

/// The people of a company, whom to call first first.
pub fn contacts(page: &Page, all: &[ContactView]) -> Table {
    let mut ordered: Vec<&ContactView> = all.iter().collect();
    ordered.sort_by_key(|contact| (!contact.place.is_primary, !contact.row.active));
    let lines = ordered.iter().take(SHOWN).map(|contact| Line {
        cells: vec![
            Value::link(page.url(&format!("/contacts/{}", contact.row.id)), contact.row.name.clone()),
            place(
                contact.place.is_primary,
                contact.place.role.as_deref(),
                contact.place.designation.as_deref(),
                contact.row.active,
            ),
            Value::text(contact.row.job_title.as_deref()),
            Value::mail(Some(&contact.row.email)),
            Value::phone(contact.phone()),
        ],
        post: None,
    });
    let key = all.first().map(|contact| contact.place.account_number.clone()).unwrap_or_default();
    Table {
        label: "Contacts",
        heads: vec![
            ("Name", "cell--main"),
            ("Role", "cell--end"),
            ("Title", "cell--cut"),
            ("E-mail", "cell--sub cell--cut"),
            ("Phone", ""),
        ],
        lines: lines.collect(),
        empty: "No contact belongs to this company yet.",
        more: more(page, "contacts", "contacts", &key, all.len()),
    }
}

/// The devices of a company.
pub fn assets(page: &Page, all: &[AssetView]) -> Table {
    let key = all.first().and_then(|asset| asset.owner.account_number.clone()).unwrap_or_default();
    Table {
        label: "Assets",
        heads: vec![
            ("Host", "cell--main"),
            ("Type", "cell--sub"),
            ("System", "cell--cut"),
            ("State", "cell--end"),
            ("Last user", "cell--sub"),
            ("Seen", ""),
        ],
        lines: all.iter().take(SHOWN).map(|asset| Line { cells: asset_cells(page, asset), post: None }).collect(),
        empty: "No asset belongs to this company yet.",
        more: more(page, "assets", "assets", &key, all.len()),
    }
}

/// An asset in a table of few columns.
pub fn asset_cells(page: &Page, asset: &AssetView) -> Vec<Value> {
    vec![
        Value::link(page.url(&format!("/assets/{}", asset.row.id)), asset.row.hostname.clone()),
        Value::words(words(&asset.row.kind)),
        Value::text(asset.row.operating_system.as_deref()),
        super::assets::seen(asset.seen.online, asset.life),
        Value::text(asset.seen.last_logged_in_user.as_deref()),
        Value::ago(asset.seen.last_seen.as_deref()),
    ]
}

/// What a contact is to a company.
pub fn place(is_primary: bool, role: Option<&str>, designation: Option<&str>, active: bool) -> Value {
    let mut badges = Vec::new();
    if is_primary {
        badges.push(Value::badge("success", "Primary contact"));
    } else if let Some(designation) = designation {
        badges.push(Value::badge("", words(designation)));
    }
    if let Some(role) = role {
        badges.push(Value::badge("info", words(role)));
    }
    if !active {
        badges.push(Value::badge("", "Inactive"));
    }
    if badges.is_empty() { Value::None } else { Value::Many(badges) }
}

fn more(page: &Page, room: &str, noun: &str, key: &str, count: usize) -> Option<(String, String)> {
    let query = serde_urlencoded::to_string([("company_account_number", key)]).unwrap_or_default();
    (count > SHOWN).then(|| (page.url(&format!("/{room}/?{query}")), format!("All {count} {noun}")))
}
