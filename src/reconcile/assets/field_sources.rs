//! What each vendor says of an asset, field by field, and who is believed: for the page and the API.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use serde::Serialize;
use serde_json::Value;

use super::{
    fields,
    planner::Local,
    rows_store,
    sources_store::{self, Source},
};
use crate::web::openapi::{schema as json, values::Held};
use crate::{
    assets::Asset,
    auth::Staff,
    compliance::{Level, Personal, Protected, RedactionPolicy, Veiled, trail},
    db::Conn,
    entity::Entity as _,
    error::{Error, Result},
    history::protection,
    types::Scope,
    web::{Path, Query, Routes, Web},
};

/// One field of an asset.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct FieldSource {
    pub field: String,
    /// What the asset has; null for what is no field of an asset here.
    #[schema(value_type = Held)]
    pub value: Value,
    /// Who said so: a vendor, `pinned` when a person did for good, `here` when nobody else knows it.
    pub from: Option<String>,
    /// What each vendor says.
    #[schema(value_type = BTreeMap<String, Held>)]
    pub said: BTreeMap<String, Value>,
}

/// What vendors say of one asset.
#[derive(Clone, Debug, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub struct FieldSources {
    /// Who is believed where two speak.
    pub prefer: String,
    /// The vendors that know it, each with since when it says so.
    pub systems: BTreeMap<String, String>,
    /// Field by field.
    pub fields: Vec<FieldSource>,
    /// The asset.
    #[serde(skip)]
    pub asset: i64,
    /// How strictly its people are protected.
    #[serde(skip)]
    pub protection: Level,
}

impl Protected for FieldSources {
    const ENTITY: &'static str = "asset";
    const TELLS: &'static [(&'static str, Personal)] = &[("value", Personal::Device)];
    type Viewer = RedactionPolicy;

    fn record(&self) -> i64 {
        self.asset
    }

    fn level(&self) -> Level {
        self.protection
    }

    /// What is no column of an asset may be anything.
    fn redacted(mut self, policy: &RedactionPolicy) -> Self {
        if !policy.shows(self.protection, Personal::Device) {
            self.fields.retain(|field_source| {
                Asset::synced().any(|column| column == field_source.field) && !trail::is_personal("asset", &field_source.field)
            });
        }
        self
    }
}

/// What is kept among the words and says nothing to a person.
const SILENT: &[&str] = &["users", "device_class", "udf", "bitlocker_key", "windows_key"];

/// Reads it; nothing when no vendor knows the asset.
///
/// # Errors
/// `NotFound`.
pub fn of(c: &mut Conn, prefer: &str, asset_id: i64) -> Result<Veiled<FieldSources>> {
    let row = rows_store::by_ids(c, &[asset_id])?.remove(&asset_id).ok_or(Error::NotFound { what: "Asset" })?;
    let sources = sources_store::of(c, vec![asset_id])?.remove(&asset_id).unwrap_or_default();
    let systems = sources.iter().map(|source| (source.system.clone(), source.told_at.clone())).collect();
    let mut names: Vec<&str> = Asset::synced().collect();
    for name in sources.iter().flat_map(|source| source.words.keys()) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names.retain(|name| !SILENT.contains(name));
    let fields = names.into_iter().filter_map(|name| field_source(prefer, &row, &sources, name)).collect();
    let protection = Level::from_rank(Some(protection::of::<Asset>(c, asset_id)?));
    Ok(Veiled::new(FieldSources { prefer: prefer.to_owned(), systems, fields, asset: asset_id, protection }))
}

fn field_source(prefer: &str, row: &Local, sources: &[Source], name: &str) -> Option<FieldSource> {
    let said: BTreeMap<String, Value> = sources
        .iter()
        .filter_map(|source| Some((source.system.clone(), source.words.get(name).filter(|value| !value.is_null())?.clone())))
        .collect();
    let value = row.values.get(name).map_or(Value::Null, crate::db::Value::to_json);
    if said.is_empty() && !row.pins.contains(name) {
        return None;
    }
    let told: Vec<_> = sources.iter().map(|source| (source.system.as_str(), &source.words)).collect();
    let preferred = fields::preferred(name, prefer, &told);
    let from = match preferred {
        _ if row.pins.contains(name) => Some("pinned".to_owned()),
        Some((system, told)) if row.values.get(name).is_none() || *told == value => Some(system.to_owned()),
        _ if value.is_null() => None,
        _ => Some("here".to_owned()),
    };
    Some(FieldSource { field: name.to_owned(), value, from, said })
}

/// The routes of this room.
pub fn routes() -> Routes {
    Routes::new().get("/api/assets/{id}/sources", show).tells("Tell what each vendor says of an asset", json::one::<FieldSources>)
}

async fn show(caller: Staff, State(web): State<Web>, Path(id): Path<i64>, query: Query) -> Result<Json<FieldSources>> {
    let (prefer, policy) = (web.config.assets.prefer, RedactionPolicy::of(&caller, &web.config, &query)?);
    Ok(Json(web.db.read(&Scope::All, move |c| of(c, prefer, id)).await?.redact(&policy)))
}
