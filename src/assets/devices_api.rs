//! Devices as the RMM's own clients ask for them (contract §1.7): real values or null.

use axum::{extract::State, response::Response};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    audit::{self, Software},
    audit_store,
    list_store::{self, Filters, LIST},
    model::{AssetDetail, AssetView},
    store,
    view_context::AssetViewContext,
};
use crate::web::openapi::{Schemas, schema as json};
use crate::{
    auth::Reader,
    companies::store as companies,
    db::{
        Conn,
        list::{ListQuery, Slice},
    },
    error::{Error, Result},
    web::{Path, ReadRequest, Routes, Web, list},
};

/// How many devices are listed when nobody says how many, and at most.
const LIMIT: (i64, i64) = (100, 10_000);

/// The same under both names of the RMM.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/datto/devices", index)
        .tells("List the devices that the RMM knows", devices_answer)
        .asks(&[
            ("company_id", "string", "The account number of a company."),
            ("status", "string", "online or offline."),
            ("limit", "integer", "How many; 100 when absent."),
            ("offset", "integer", "After how many others."),
        ])
        .get("/api/rmm/devices", index)
        .tells("List the devices that the RMM knows", devices_answer)
        .asks(&[
            ("company_id", "string", "The account number of a company."),
            ("status", "string", "online or offline."),
            ("limit", "integer", "How many; 100 when absent."),
            ("offset", "integer", "After how many others."),
        ])
        .get("/api/datto/device/{id}", show)
        .tells("Read a device with its hardware and software", json::one::<DeviceDetail>)
        .get("/api/rmm/device/{id}", show)
        .tells("Read a device with its hardware and software", json::one::<DeviceDetail>)
}

/// A device in the list.
#[expect(clippy::struct_field_names, reason = "the names are the contract's (§1.7)")]
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Device {
    id: String,
    name: String,
    company_id: Option<String>,
    company_name: Option<String>,
    status: &'static str,
    os: Option<String>,
    device_type: Option<String>,
    ip_address: Option<String>,
    last_seen: Option<String>,
    last_logged_in_user: Option<String>,
    hostname: String,
    r#type: String,
    company: Option<String>,
    asset_id: i64,
    life: Option<&'static str>,
    data_source: Option<String>,
    observed_at: Option<String>,
    collected_at: Option<String>,
}

impl Device {
    fn new(asset: AssetView, collected_at: Option<String>) -> Self {
        Self {
            id: format!("device-{}", asset.row.id),
            name: asset.row.hostname.clone(),
            company_id: asset.owner.account_number,
            company: asset.owner.name.clone(),
            company_name: asset.owner.name,
            status: if asset.seen.online == Some(true) { "online" } else { "offline" },
            os: asset.row.operating_system,
            device_type: filled(asset.row.device_type).or(asset.row.hardware_type),
            ip_address: filled(asset.seen.ext_ip_address).or(asset.seen.int_ip_address),
            last_seen: asset.seen.last_seen,
            last_logged_in_user: asset.seen.last_logged_in_user,
            hostname: asset.row.hostname,
            r#type: asset.row.kind,
            asset_id: asset.row.id,
            life: asset.life,
            data_source: asset.data_source,
            observed_at: asset.seen.observed_at,
            collected_at,
        }
    }
}

fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

/// What the list can be asked; everything is read loosely, as old clients ask.
struct Wish {
    company: Option<String>,
    online: Option<bool>,
    slice: Slice,
}

impl Wish {
    fn read(request: &ReadRequest) -> Self {
        let company = request.query.get("company_id").map(str::trim).filter(|key| !key.is_empty());
        let online = match request.query.get("status").map(|word| word.trim().to_ascii_lowercase()).as_deref() {
            Some("online") => Some(true),
            Some("offline") => Some(false),
            _ => None,
        };
        let limit = request.query.int_or("limit", LIMIT.0);
        let limit = if limit < 0 { LIMIT.0 } else { limit.min(LIMIT.1) };
        let slice = Slice { limit, offset: request.query.int_or("offset", 0).max(0) };
        Self { company: company.map(str::to_owned), online, slice }
    }
}

async fn index(State(web): State<Web>, caller: Reader, request: ReadRequest) -> Result<Response> {
    let wish = Wish::read(&request);
    let view_context = AssetViewContext::of(&caller, &web.config, &request.query)?;
    let (variant, slice) = (view_context.key(), wish.slice);
    list::part(&web, &caller.scope(), &variant, &request, LIST.entities, slice, move |conn| devices(conn, &wish, &view_context))
        .await
}

fn devices(conn: &mut Conn, wish: &Wish, view_context: &AssetViewContext) -> Result<(Value, i64)> {
    let mut query = ListQuery::everything(&LIST)?.with_slice(Some(wish.slice));
    if let Some(key) = &wish.company {
        query = match companies::find_id(conn, key)? {
            Some(id) => query.and("asset.company_id = {}", vec![id.into()]),
            None => query.and("1 = 0", Vec::new()),
        };
    }
    query = match wish.online {
        Some(true) => query.and("seen.online = true", Vec::new()),
        // What nobody knows counts as offline.
        Some(false) => query.and("seen.online IS NULL OR seen.online = false", Vec::new()),
        None => query,
    };
    let found = list_store::list(conn, &query, &Filters::default(), view_context)?;
    let mut collected = audit_store::collected(conn, found.items.iter().map(|asset| asset.row.id).collect())?;
    let devices: Vec<Device> = found
        .items
        .into_iter()
        .map(|asset| {
            let at = collected.remove(&asset.row.id);
            Device::new(asset, at)
        })
        .collect();
    Ok((json!({"count": devices.len(), "total": found.total, "devices": devices}), found.total))
}

/// What the list answers.
fn devices_answer(schemas: &mut Schemas) -> Value {
    json::object(&[("count", json::int()), ("total", json::int()), ("devices", json::list::<Device>(schemas))])
}

/// One device in full.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct DeviceDetail {
    #[serde(flatten)]
    device: Device,
    os_version: Option<String>,
    mac_address: Option<String>,
    domain: Option<String>,
    antivirus: Option<String>,
    patch_status: Option<String>,
    last_reboot: Option<String>,
    serial_number: Option<String>,
    manufacturer: Option<String>,
    model: Option<String>,
    installed_software: Vec<Software>,
    hardware: Value,
    health: Value,
    disks: Vec<audit::Disk>,
    network_adapters: Vec<audit::Nic>,
}

async fn show(State(web): State<Web>, caller: Reader, Path(key): Path<String>, request: ReadRequest) -> Result<Response> {
    let number = key.strip_prefix("device-").ok_or_else(|| Error::BadRequest("Invalid device ID format".to_owned()))?;
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    if !digits {
        return Err(Error::BadRequest("Invalid device ID".to_owned()));
    }
    // A number beyond all ids is the id of nothing.
    let id: i64 = number.parse().map_err(|_| Error::NotFound { what: "Device" })?;
    let view_context = AssetViewContext::of(&caller, &web.config, &request.query)?;
    let (detail, software) = web
        .db
        .read(&caller.scope(), move |conn| {
            let detail = store::get_detail(conn, id).map_err(|error| match error {
                Error::NotFound { .. } => Error::NotFound { what: "Device" },
                other => other,
            })?;
            Ok((detail, audit_store::software(conn, id, "")?))
        })
        .await?;
    request.value(&tell(detail.redact(&view_context), software))
}

fn tell(detail: AssetDetail, installed_software: Vec<Software>) -> DeviceDetail {
    let AssetDetail { asset, inside, .. } = detail;
    let hardware = inside.hardware.unwrap_or_default();
    let disk_usage = match (hardware.disk_bytes, hardware.disk_free_bytes) {
        (Some(size), Some(free)) => audit::used_percent(size, free),
        _ => None,
    };
    DeviceDetail {
        os_version: filled(asset.row.os_version.clone()).or_else(|| asset.row.operating_system.as_deref().and_then(build)),
        mac_address: asset.row.mac_address.clone(),
        domain: asset.row.domain.clone(),
        antivirus: asset.row.antivirus_product.clone(),
        patch_status: asset.seen.patch_status.clone(),
        last_reboot: asset.seen.last_reboot.clone(),
        serial_number: asset.row.serial_number.clone(),
        manufacturer: asset.row.manufacturer.clone(),
        model: asset.row.model.clone(),
        installed_software,
        hardware: json!({
            "cpu": hardware.cpu,
            "ram_gb": hardware.ram_bytes.map(audit::gigabytes),
            "disk_gb": hardware.disk_bytes.map(audit::gigabytes),
        }),
        health: json!({"cpu_usage": null, "ram_usage": null, "disk_usage": disk_usage}),
        disks: inside.disks,
        network_adapters: inside.network_adapters,
        device: Device::new(asset, inside.collected_at),
    }
}

/// The build at the end of a system's name: `10.0.22631` of `Microsoft Windows 11 Pro 10.0.22631`.
fn build(system: &str) -> Option<String> {
    let last = system.split_whitespace().next_back()?;
    let is_build = last.contains('.') && last.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    is_build.then(|| last.to_owned())
}

#[cfg(test)]
mod tests {
    use super::build;

    #[test]
    fn a_build_is_read_only_where_there_is_one() {
        assert_eq!(build("Microsoft Windows 11 Pro 10.0.22631").as_deref(), Some("10.0.22631"));
        for system in ["Microsoft Windows 11 Pro", "Debian 13", "macOS 15.", "", "v1.2"] {
            assert_eq!(build(system), None, "{system}");
        }
    }
}
