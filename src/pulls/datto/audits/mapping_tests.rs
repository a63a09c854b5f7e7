use std::collections::HashSet;

use serde_json::json;

use super::*;

fn read(value: Value) -> Audit {
    audit(value.as_object().unwrap())
}

#[test]
fn a_computers_audit_is_read_whole() {
    let found = read(json!({
        "systemInfo": {"manufacturer": "Dell Inc.", "model": "Latitude 5540", "totalPhysicalMemory": 17_179_869_184_i64, "username": "CORP\\ava", "totalCpuCores": 10},
        "bios": {"serialNumber": "5CG1234ABC", "releaseDate": "2024-05-01", "smBiosVersion": "1.24.1"},
        "baseBoard": {"product": "0X1"}, "displays": [], "mobileInfo": null,
        "nics": [
            {"instance": "Realtek USB GbE", "macAddress": "00:E0:4C:68:00:01", "ipv4": "10.0.0.9"},
            {"instance": "Intel I219-LM", "macAddress": "d8-bb-c1-ab-cd-ef", "ipv4": "10.0.0.5", "type": "Ethernet"}
        ],
        "logicalDisks": [
            {"diskIdentifier": "C:", "size": 500, "freespace": "100", "description": "Local Fixed Disk"},
            {"diskIdentifier": "D:", "size": 9, "freespace": 9, "description": "Removable Disk"}
        ],
        "processors": [{"name": "Xeon"}, {"name": "Xeon"}],
    }));
    assert_eq!(found.serial_number.as_deref(), Some("5CG1234ABC"));
    assert_eq!((found.manufacturer.as_deref(), found.model.as_deref()), (Some("Dell Inc."), Some("Latitude 5540")));
    assert_eq!(
        (found.hardware.cpu.as_deref(), found.hardware.cpu_cores, found.hardware.ram_bytes),
        (Some("2 × Xeon"), Some(10), Some(17_179_869_184))
    );
    assert_eq!(found.mac_address.as_deref(), Some("D8:BB:C1:AB:CD:EF"));
    assert_eq!(
        found.disks.iter().map(|disk| (disk.counts, disk.free_bytes)).collect::<Vec<_>>(),
        [(true, Some(100)), (false, Some(9))]
    );
    let details = found.hardware.details.unwrap();
    assert!(details.contains("0X1") && !details.contains("ava") && !details.contains("displays"), "{details}");
}

#[test]
fn junk_is_nothing() {
    for serial in ["To be filled by O.E.M.", "....", "0", "", "None"] {
        assert_eq!(read(json!({"bios": {"serialNumber": serial}})).serial_number, None, "{serial}");
    }
    for odd in [json!({}), json!({"systemInfo": [], "bios": 3, "nics": {}, "logicalDisks": "x", "processors": [1, null, {}]})] {
        assert_eq!(read(odd), Audit::default());
    }
    assert_eq!(
        read(json!({"nics": [{"macAddress": "00:00:00:00:00:00"}, {"macAddress": "ff:ff:ff:ff:ff:ff"}]})).mac_address,
        None
    );
    let made_up = json!({"nics": [{"instance": "Ethernet", "macAddress": "02:5a:fe:00:00:01"}]});
    assert_eq!(read(made_up).mac_address.as_deref(), Some("02:5A:FE:00:00:01"), "the only one there is");
}

#[test]
fn a_host_has_stores_and_its_own_serial() {
    let found = read(json!({
        "systemInfo": {"manufacturer": "HPE", "model": "DL360", "serviceTag": "CZ12345678"},
        "processors": [{"name": "Xeon", "numberOfCores": 16}],
        "physicalMemory": [{"size": "34359738368"}, {"size": 34_359_738_368_i64}],
        "datastores": [{"datastoreName": "ds1", "size": 1000, "freeSpace": 400}], "guests": [{"guestName": "DC1"}],
    }));
    assert_eq!(
        (found.serial_number.as_deref(), found.hardware.cpu_cores, found.hardware.ram_bytes),
        (Some("CZ12345678"), Some(16), Some(68_719_476_736))
    );
    assert_eq!((found.disks[0].name.as_deref(), found.disks[0].free_bytes), (Some("ds1"), Some(400)));
    assert!(found.hardware.details.unwrap().contains("DC1"));
}

#[test]
fn programs_are_named_once() {
    let found = software(&[
        json!({"name": "Zoom", "version": null}),
        json!({"name": "Firefox", "version": "145.0"}),
        json!({"name": "Zoom"}),
        json!({"version": "1"}),
        json!(7),
    ]);
    let names: Vec<(&str, Option<&str>)> = found.iter().map(|one| (one.name.as_str(), one.version.as_deref())).collect();
    assert_eq!(names, [("Firefox", Some("145.0")), ("Zoom", None)]);
}

#[test]
fn the_makers_address_stays_whatever_is_in_use() {
    let nics = |all: Value| read(json!({ "nics": all })).nics;
    let none = HashSet::new();
    let wired =
        |ip: Value| json!({"instance": "Intel(R) Ethernet Connection I219-LM", "macAddress": "D8:BB:C1:AB:CD:EF", "ipv4": ip});
    let radio =
        |mac: &str, ip: Value| json!({"instance": "Intel(R) Wi-Fi 6 AX201", "macAddress": mac, "ipv4": ip, "type": "Wireless"});
    let first = nics(json!([radio("DA:A1:19:5C:00:17", json!("10.0.0.7")), wired(Value::Null)]));
    assert_eq!(lasting(&first, None, &none).as_deref(), Some("D8:BB:C1:AB:CD:EF"), "an idle card is the maker's all the same");
    let second = nics(json!([radio("3C:58:C2:00:11:22", json!("10.0.0.7")), wired(Value::Null)]));
    assert_eq!(lasting(&second, None, &none).as_deref(), Some("D8:BB:C1:AB:CD:EF"), "the wired card before a radio");
    assert_eq!(lasting(&second, Some("3C-58-C2-00-11-22"), &none).as_deref(), Some("3C:58:C2:00:11:22"), "what it was stays");
    let away = nics(json!([radio("5E:A1:19:5C:00:99", json!("10.0.0.8"))]));
    assert_eq!(
        lasting(&away, Some("D8:BB:C1:AB:CD:EF"), &none).as_deref(),
        Some("D8:BB:C1:AB:CD:EF"),
        "an unplugged card is not told of"
    );
    assert_eq!(lasting(&away, Some("DA:A1:19:5C:00:17"), &none).as_deref(), Some("5E:A1:19:5C:00:99"));
    let other = nics(json!([{"instance": "Ethernet", "macAddress": "A4:BB:6D:00:00:09"}]));
    assert_eq!(lasting(&other, Some("D8:BB:C1:AB:CD:EF"), &none).as_deref(), Some("A4:BB:6D:00:00:09"), "another board");
    let dock = HashSet::from(["a4bb6d000009".to_owned()]);
    assert_eq!(lasting(&other, Some("D8:BB:C1:AB:CD:EF"), &dock).as_deref(), Some("D8:BB:C1:AB:CD:EF"));
    assert_eq!(lasting(&other, Some("A4:BB:6D:00:00:09"), &dock), None);
    let guest = nics(json!([{"instance": "vmxnet3 Ethernet Adapter", "macAddress": "00:50:56:AA:00:01"}]));
    assert_eq!(lasting(&guest, None, &none).as_deref(), Some("00:50:56:AA:00:01"), "a guest has no other");
}
