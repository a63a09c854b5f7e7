//! Devices as the RMM's own clients ask for them (contract §1.7): real values or null.

use axum::{extract::State, response::Response};
use serde::Serialize;
use serde_json::{Value, json};

use crate::entity::schema;
use crate::web::openapi::{Schemas, schema as json};
use crate::{
    assets::{
        AssetDetail, AssetView, AssetViewContext,
        audit::Software,
        audit_store,
        hardware::{self, Disk, Nic},
        list_store::{self, Filters, LIST},
        store,
    },
    auth::Reader,
    companies::store as companies,
    db::{
        Conn,
        list::{ListQuery, Slice},
    },
    entity::{Holds, Members, shape::Only},
    error::{Error, Result},
    resource::values,
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
            ("status", "string", "online or offline; others count as absent."),
            ("limit", "loose", "How many; 100 when absent."),
            ("offset", "loose", "After how many others."),
        ])
        .get("/api/rmm/devices", index)
        .tells("List the devices that the RMM knows", devices_answer)
        .asks(&[
            ("company_id", "string", "The account number of a company."),
            ("status", "string", "online or offline; others count as absent."),
            ("limit", "loose", "How many; 100 when absent."),
            ("offset", "loose", "After how many others."),
        ])
        .get("/api/datto/device/{id}", show)
        .tells("Read a device with its hardware and software", device_answer)
        .asks(DEVICE)
        .get("/api/rmm/device/{id}", show)
        .tells("Read a device with its hardware and software", device_answer)
        .asks(DEVICE)
}

/// How a device is named in an address.
const DEVICE: &[(&str, &str, &str)] = &[("id", "^device-[0-9]{1,18}$", "device- and the asset's id.")];

/// A device as these clients read it.
#[derive(Debug)]
struct Device {
    asset: AssetView,
    collected_at: Option<String>,
}

/// What a list tells of a device, and what it tells alone beside that.
const MEMBERS: (&[&str], &[&str]) = ALL.split_at(18);
const ALL: &[&str] = &[
    "id",
    "name",
    "company_id",
    "company_name",
    "status",
    "os",
    "device_type",
    "ip_address",
    "last_seen",
    "last_logged_in_user",
    "hostname",
    "type",
    "company",
    "asset_id",
    "life",
    "data_source",
    "observed_at",
    "collected_at",
    "os_version",
    "mac_address",
    "domain",
    "antivirus",
    "patch_status",
    "last_reboot",
    "serial_number",
    "manufacturer",
    "model",
];

crate::shaped! { Device: Members::only(ALL)
    .within(|device: &Device| &device.asset)
    .also("asset_id", "id")
    .also("company", "company_name")
    .also("os", "operating_system")
    .also("antivirus", "antivirus_product")
    .member("id", Holds::TEXT, |device| format!("device-{}", device.asset.row.id).into())
    .member("status", Holds::TEXT, |device| if device.asset.seen.online == Some(true) { "online" } else { "offline" }.into())
    .member("device_type", Holds::TEXT.or_null(), |device| {
        let row = &device.asset.row;
        filled(row.device_type.as_deref()).or(row.hardware_type.as_deref()).into()
    })
    .member("ip_address", Holds::TEXT.or_null(), |device| {
        let seen = &device.asset.seen;
        filled(seen.ext_ip_address.as_deref()).or(seen.int_ip_address.as_deref()).into()
    })
    .member("data_source", Holds::TEXT.or_null(), |device| (&device.asset.data_source).into())
    .member("observed_at", Holds::TEXT.or_null(), |device| (&device.asset.seen.observed_at).into())
    .member("collected_at", Holds::TEXT.or_null(), |device| (&device.collected_at).into())
    .member("os_version", Holds::TEXT.or_null(), |device| {
        let row = &device.asset.row;
        filled(row.os_version.as_deref()).or_else(|| row.operating_system.as_deref().and_then(build)).into()
    })
}

fn filled(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.trim().is_empty())
}

/// What the list can be asked; everything is read loosely, as old clients ask.
struct Params {
    company: Option<String>,
    online: Option<bool>,
    slice: Slice,
}

impl Params {
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
    let asked = Params::read(&request);
    let view_context = AssetViewContext::of(&caller, &web.config, &request.query)?;
    let (variant, slice) = (view_context.key(), asked.slice);
    list::part(&web, &caller.scope(), &variant, &request, LIST.entities, slice, move |conn| devices(conn, &asked, &view_context))
        .await
}

fn devices(conn: &mut Conn, asked: &Params, view_context: &AssetViewContext) -> Result<(Value, i64)> {
    let mut query = ListQuery::everything(&LIST)?.with_slice(Some(asked.slice));
    if let Some(key) = &asked.company {
        query = match companies::find_standing_id(conn, key)? {
            Some(id) => query.and("asset.company_id = {}", vec![id.into()]),
            None => query.and("1 = 0", Vec::new()),
        };
    }
    query = match asked.online {
        Some(true) => query.and("seen.online = true", Vec::new()),
        // What nobody knows counts as offline.
        Some(false) => query.and("seen.online IS NULL OR seen.online = false", Vec::new()),
        None => query,
    };
    let found = list_store::list(conn, &query, &Filters::default(), view_context)?;
    let mut collected = audit_store::collected(conn, found.items.iter().map(|asset| asset.row.id).collect())?;
    let device = |asset: AssetView| Device { collected_at: collected.remove(&asset.row.id), asset };
    let devices: Vec<Device> = found.items.into_iter().map(device).collect();
    let told: Vec<_> = devices.iter().map(|device| Only(device, MEMBERS.0)).collect();
    Ok((json!({"count": told.len(), "total": found.total, "devices": told}), found.total))
}

/// What one device answers.
fn device_answer(schemas: &mut Schemas) -> Value {
    let number = || json::or_null(json::number());
    let hardware = json::object(&[("cpu", json::or_null(json::text())), ("ram_gb", number()), ("disk_gb", number())]);
    let health = json::object(&[("cpu_usage", number()), ("ram_usage", number()), ("disk_usage", number())]);
    let more = [
        ("installed_software", json::list::<Software>(schemas)),
        ("hardware", hardware),
        ("health", health),
        ("disks", json::list::<Disk>(schemas)),
        ("network_adapters", json::list::<Nic>(schemas)),
    ];
    json::with(schema::only::<Device>(ALL), &more)
}

/// What the list answers.
fn devices_answer(_: &mut Schemas) -> Value {
    json::object(&[("count", json::int()), ("total", json::int()), ("devices", json::array(schema::only::<Device>(MEMBERS.0)))])
}

/// One device in full.
#[derive(Debug, Serialize)]
struct DeviceDetail<'a> {
    #[serde(flatten)]
    device: Only<'a, Device>,
    #[serde(flatten)]
    more: Only<'a, Device>,
    installed_software: Vec<Software>,
    hardware: Value,
    health: Value,
    disks: Vec<Disk>,
    network_adapters: Vec<Nic>,
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
    let (detail, installed_software) = web
        .db
        .read(&caller.scope(), move |conn| {
            let detail = store::get_detail(conn, id).map_err(|error| match error {
                Error::NotFound { .. } => Error::NotFound { what: "Device" },
                other => other,
            })?;
            Ok((detail, audit_store::software(conn, id, "")?))
        })
        .await?;
    let AssetDetail { asset, inside, .. } = detail.redact(&view_context);
    let device = Device { asset, collected_at: inside.collected_at };
    let found = inside.hardware.unwrap_or_default();
    let disk_usage = found.disk_bytes.zip(found.disk_free_bytes).and_then(|(size, free)| hardware::used_percent(size, free));
    request.value(&DeviceDetail {
        device: Only(&device, MEMBERS.0),
        more: Only(&device, MEMBERS.1),
        installed_software,
        hardware: json!({
            "cpu": found.cpu,
            "ram_gb": found.ram_bytes.map(values::gigabytes),
            "disk_gb": found.disk_bytes.map(values::gigabytes),
        }),
        health: json!({"cpu_usage": null, "ram_usage": null, "disk_usage": disk_usage}),
        disks: inside.disks,
        network_adapters: inside.network_adapters,
    })
}

/// The build at the end of a system's name: `10.0.22631` of `Microsoft Windows 11 Pro 10.0.22631`.
fn build(system: &str) -> Option<&str> {
    let last = system.split_whitespace().next_back()?;
    let is_build = last.contains('.') && last.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    is_build.then_some(last)
}

#[cfg(test)]
mod tests {
    use super::build;

    #[test]
    fn a_build_is_read_only_where_there_is_one() {
        assert_eq!(build("Microsoft Windows 11 Pro 10.0.22631"), Some("10.0.22631"));
        for system in ["Microsoft Windows 11 Pro", "Debian 13", "macOS 15.", "", "v1.2"] {
            assert_eq!(build(system), None, "{system}");
        }
    }
}
