//! Records of devices, good and odd.

use serde_json::{Map, Value, json};

use super::{super::inventory::Site, build, device};
use crate::{
    config::{Config, FieldNames},
    db::Value as Cell,
    reconcile::assets::DeviceRecord,
};

fn names() -> FieldNames {
    Config::for_instance(std::path::Path::new("/nonexistent")).unwrap().datto.fields
}

fn map(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn read(value: Value) -> DeviceRecord {
    let site = Site { uid: "s-1".to_owned(), name: "Acme".to_owned(), ..Site::default() };
    device(&map(value), Some(&site), Some(7), &names()).unwrap()
}

#[test]
fn a_record_becomes_columns() {
    let told = read(json!({
        "uid": "ABC-1", "hostname": " LT-A00001 ", "deviceType": {"category": "Laptop"}, "deviceClass": "device",
        "operatingSystem": "Microsoft Windows 11 Pro 10.0.22631", "lastSeen": 1_793_121_702_000_i64, "lastReboot": "never",
        "online": true, "warrantyDate": "2027-03-01", "antivirus": {"antivirusProduct": "Defender"}, "description": "",
        "patchManagement": {"patchStatus": "FullyPatched"}, "extIpAddress": "203.0.113.5",
        "udf": {"udf1": null, "udf4": "Administrator", "udf6": "4562258970092", "udf7": "Workstation", "udf300": "last"},
    }));
    assert_eq!((told.external_id.as_str(), told.values.text("hostname")), ("ABC-1", "LT-A00001"));
    assert_eq!((told.values.text("kind"), told.values.text("hardware_type")), ("laptop", "Laptop"));
    assert_eq!(told.values.text("os_version"), "10.0.22631");
    assert_eq!(
        (told.values.text("backup_usage_tb"), told.values.get("backup_data_bytes")),
        ("4.15", Some(&Cell::Int(4_562_258_970_092)))
    );
    assert_eq!((told.values.text("device_type"), told.values.text("enabled_administrators")), ("Workstation", "Administrator"));
    assert_eq!(
        told.values.text("udf"),
        r#"{"udf4":"Administrator","udf6":"4562258970092","udf7":"Workstation","udf300":"last"}"#
    );
    assert_eq!((told.values.text("warranty_expires"), told.values.get("description")), ("2027-03-01", Some(&Cell::Null)));
    assert_eq!((told.company(), told.place.as_deref()), (Some(7), Some("s-1")));
    let seen = told.seen.unwrap();
    assert_eq!((seen.online, seen.last_seen.as_deref(), seen.last_reboot), (Some(true), Some("2026-10-27T17:21:42Z"), None));
    assert_eq!(seen.patch_status.as_deref(), Some("FullyPatched"));
}

#[test]
fn a_secret_has_a_column_of_its_own_once_it_is_sealed() {
    let sealed = "sealed:00112233aabbccdd:c2FtcGxlIG9mIHNlYWxlZCB0ZXh0LCBub3Qgb3BlbmVkIGFueXdoZXJl";
    let told = read(json!({"uid": "u", "hostname": "h", "udf": {"UDF2": sealed, "udf5": "yes", "udf9": "not sealed"}}));
    assert_eq!(told.values.text("bitlocker_key"), sealed);
    assert_eq!(told.values.get("windows_key"), None, "what is not sealed is not stored, and what we have stays");
    assert_eq!(told.values.text("udf"), r#"{"udf5":"yes"}"#);
    let gone = read(json!({"uid": "u", "hostname": "h", "udf": null}));
    assert_eq!(gone.values.get("bitlocker_key"), Some(&Cell::Null));
    assert_eq!(read(json!({"uid": "u", "hostname": "h"})).values.get("bitlocker_key"), None);
}

#[test]
fn odd_members_are_told_and_change_nothing() {
    let told = read(
        json!({"uid": "u", "hostname": "h", "deviceType": "Laptop", "udf": [1], "domain": {}, "online": [], "warrantyDate": "soon"}),
    );
    assert_eq!(told.ignored.len(), 5, "{:?}", told.ignored);
    for column in ["udf", "domain", "warranty_expires", "device_type", "hardware_type"] {
        assert_eq!(told.values.get(column), None, "{column}");
    }
    for odd in [json!({"hostname": "h"}), json!({"uid": [], "hostname": "h"})] {
        assert!(device(&map(odd.clone()), None, None, &names()).is_none(), "{odd}");
    }
    // Only what has no id at all is left out.
    for (odd, label) in [
        (json!({"uid": "u"}), "Device u"),
        (json!({"uid": "u", "hostname": 7}), "7"),
        (json!({"uid": "u", "hostname": {}}), "Device u"),
    ] {
        let told = device(&map(odd), None, None, &names()).unwrap();
        assert_eq!((told.label.as_str(), told.ignored.len()), (label, 1), "{:?}", told.ignored);
    }
    assert!(read(json!({"uid": "u", "hostname": "h", "deleted": true})).gone.is_some());
}

#[test]
fn a_build_is_a_number_with_dots() {
    assert_eq!(build("macOS 14.5"), Some("14.5"));
    for none in ["Windows 10", "10.0", "Ubuntu", ""] {
        assert_eq!(build(none), None, "{none}");
    }
}
