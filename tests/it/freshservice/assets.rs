//! Freshservice's assets, whose type fields carry the number of the type that defines them.

use serde_json::{Value, json};

use super::{Plan, State, generate};
use crate::http_server::Request;

/// The type at the root, which defines the fields of all hardware.
pub const HARDWARE: i64 = 21_000_380_001;
/// A type below it.
pub const LAPTOP: i64 = 21_000_380_002;

/// The tree of types.
pub fn asset_types() -> Vec<Value> {
    let kind = |id: i64, name: &str, parent: Option<i64>| {
        json!({"id": id, "name": name, "parent_asset_type_id": parent, "visible": true, "description": null,
            "created_at": "2023-01-01T08:00:00Z", "updated_at": "2023-01-01T08:00:00Z"})
    };
    vec![kind(HARDWARE, "Hardware", None), kind(LAPTOP, "Laptop", Some(HARDWARE)), kind(21_000_380_003, "Software", None)]
}

/// An asset of this company.
pub fn asset(number: i64, name: &str, department: Option<i64>, user: Option<i64>, serial: Option<&str>) -> Value {
    let field = |key: &str, kind: i64| format!("{key}_{kind}");
    let mut fields = serde_json::Map::new();
    fields.insert(field("product", HARDWARE), json!(21_000_010_001_i64));
    fields.insert(field("vendor", HARDWARE), Value::Null);
    fields.insert(field("cost", HARDWARE), json!("1200.0"));
    fields.insert(field("serial_number", HARDWARE), json!(serial));
    fields.insert(field("warranty", HARDWARE), json!(36));
    fields.insert(field("acquisition_date", HARDWARE), json!("2024-05-01T00:00:00Z"));
    fields.insert(field("warranty_expiry_date", HARDWARE), json!("2027-05-01T00:00:00Z"));
    fields.insert(field("asset_state", HARDWARE), json!("In Use"));
    fields.insert(field("hostname", LAPTOP), json!(name));
    fields.insert(field("mac_addresses", LAPTOP), Value::Null);
    fields.insert(field("os", LAPTOP), json!("Windows 11"));
    json!({
        "id": 21_000_700_000 + number, "display_id": number, "name": name, "description": null, "asset_type_id": LAPTOP, "impact": "low",
        "author_type": "User", "usage_type": "permanent", "asset_tag": format!("ASSET-{number}"), "user_id": user, "department_id": department,
        "location_id": null, "agent_id": null, "group_id": null, "assigned_on": "2024-05-02T00:00:00Z", "end_of_life": "2029-05-01",
        "discovery_enabled": true, "workspace_id": 2, "created_at": "2024-05-01T08:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
        "type_fields": fields,
    })
}

/// The assets that a list with these parameters has.
pub fn selected(request: &Request, mut records: Vec<Value>) -> Vec<Value> {
    let trash = request.param("trashed") == Some("true");
    records.retain(|asset| (asset["trashed"] == true) == trash);
    if request.param("include") != Some("type_fields") {
        records.iter_mut().filter_map(Value::as_object_mut).for_each(|fields| {
            fields.remove("type_fields");
        });
    }
    records
}

impl Plan {
    /// Puts assets into a world that has people: named and numbered as the stand-in Datto's devices,
    /// so that the two meet.
    pub fn asset_room(&self, state: &mut State) {
        for number in 0..self.assets {
            let person = state.requesters.get(number % state.requesters.len().max(1)).cloned().unwrap_or_default();
            let department = state.departments.get(number * 31 % self.sites.max(1) % state.departments.len().max(1));
            let department = department.and_then(|department| department["id"].as_i64());
            let name = format!("{}-A{number:05}", ["LT", "WS", "SRV", "PC"][number % 4]);
            let serial = format!("SN{number:07}");
            let id = i64::try_from(number).unwrap_or_default() + 1;
            let serial = (number % 10 < 3).then_some(serial.as_str());
            let mut made = asset(id, &name, department, person["id"].as_i64(), serial);
            made["updated_at"] = json!(generate::time(state.clock - 86_400));
            state.assets.push(made);
        }
    }
}
