//! Datto's records with every field that the vendor sends.

use serde_json::{Map, Value, json};

/// The site in which the vendor keeps what was deleted.
pub const DELETED_DEVICES: &str = "Deleted Devices";
/// The vendor's word for "never", in milliseconds: the year 1.
pub const NEVER: i64 = -62_135_596_800_000;

/// A made-up GUID, the same for the same kind and number.
pub fn uid(kind: u32, number: usize) -> String {
    format!("{kind:08x}-5afe-4000-8000-{number:012x}")
}

/// A site.
pub fn site(number: usize, name: &str) -> Value {
    json!({
        "id": 400_000 + number, "uid": uid(1, number), "accountUid": "STANDIN01", "name": name, "description": null, "notes": null,
        "onDemand": false, "splashtopAutoInstall": true, "proxySettings": null,
        "devicesStatus": {"numberOfDevices": 0, "numberOfOnlineDevices": 0, "numberOfOfflineDevices": 0},
        "autotaskCompanyName": null, "autotaskCompanyId": null, "portalUrl": format!("https://rmm.example.com/site/{number}"),
    })
}

/// A site's variable.
pub fn variable(id: i64, name: &str, value: &str) -> Value {
    json!({"id": id, "name": name, "value": value, "masked": false})
}

fn udf(number: usize, members: usize) -> Value {
    let mut fields = Map::new();
    for member in 1..=members {
        let value = match member {
            2 => json!(format!("BITLOCKER-{number}")),
            4 => json!("Administrator"),
            6 => json!((4_562_258_970_092_i64 + i64::try_from(number).unwrap_or_default()).to_string()),
            7 => json!("Workstation"),
            300 => json!("last"),
            _ => Value::Null,
        };
        fields.insert(format!("udf{member}"), value);
    }
    Value::Object(fields)
}

/// A device of this site, all right, last seen at `now` (seconds).
pub fn device(number: usize, site: &Value, hostname: &str, now: i64) -> Value {
    let address = format!("10.{}.{}.{}", number / 62_500 % 250, number / 250 % 250, number % 250 + 1);
    json!({
        "id": 5_000_000 + number, "uid": uid(2, number), "siteId": site["id"], "siteUid": site["uid"], "siteName": site["name"],
        "deviceType": {"category": "Laptop", "type": "Main System Chassis"}, "deviceClass": "device", "hostname": hostname,
        "intIpAddress": address, "extIpAddress": "203.0.113.5", "operatingSystem": "Microsoft Windows 11 Pro 10.0.22631",
        "lastLoggedInUser": "CORP\\ava", "domain": "corp.local", "cagVersion": "4.4.2190.2190", "displayVersion": "4.4.2190",
        "description": "", "a64Bit": true, "rebootRequired": false, "online": true, "suspended": false, "deleted": false,
        "lastSeen": now * 1000, "lastReboot": (now - 900_000) * 1000, "lastAuditDate": (now - 40_000) * 1000,
        "creationDate": 1_763_683_200_000_i64, "udf": udf(number, 30), "snmpEnabled": false,
        "portalUrl": format!("https://rmm.example.com/device/{number}"),
        "webRemoteUrl": format!("https://rmm.example.com/remote/{number}"), "warrantyDate": "2027-03-01",
        "antivirus": {"antivirusProduct": "Defender", "antivirusStatus": "RunningAndUpToDate"},
        "patchManagement": {"patchStatus": "FullyPatched", "patchesApprovedPending": 0, "patchesNotApproved": 1, "patchesInstalled": 242},
        "softwareStatus": "Compliant", "networkProbe": false, "onboardedViaNetworkMonitor": false,
    })
}

/// The shapes that real accounts have among their devices.
pub fn vary(device: &mut Value, number: usize, now: i64) {
    match number % 20 {
        1 => device["lastSeen"] = json!(now - 3600),
        2 => {
            device["lastSeen"] = json!(jiff::Timestamp::from_second(now - 7200).unwrap_or_default().to_string());
            device["lastReboot"] = Value::Null;
        }
        3 => {
            (device["lastReboot"], device["lastAuditDate"]) = (json!(NEVER), json!(NEVER));
            device["warrantyDate"] = json!("");
        }
        4 => device["udf"] = Value::Null,
        5 => device["udf"] = udf(number, 300),
        6 => {
            (device["deviceClass"], device["operatingSystem"]) = (json!("printer"), Value::Null);
            device["deviceType"] = json!({"category": "Printer", "type": "Printer"});
            (device["antivirus"], device["patchManagement"]) = (Value::Null, Value::Null);
        }
        7 => {
            device["deviceClass"] = json!("esxihost");
            device["deviceType"] = json!({"category": "ESXI Host", "type": "ESXi Host"});
            device["operatingSystem"] = json!("VMware ESXi 8.0.2");
        }
        8 => {
            device["deviceClass"] = json!("rmmnetworkdevice");
            device["deviceType"] = json!({"category": "Network Device", "type": "Switch"});
            device["lastAuditDate"] = Value::Null;
        }
        9 => {
            (device["deviceClass"], device["deviceType"]) = (json!("unknown"), Value::Null);
            device["lastLoggedInUser"] = json!("");
        }
        10 => {
            device["deviceType"] = json!({"category": "Server", "type": "Rack Mount Chassis"});
            device["operatingSystem"] = json!("Microsoft Windows Server 2022 Standard 10.0.20348");
        }
        11 => {
            (device["online"], device["lastSeen"]) = (json!(false), json!((now - 86_400 * 20) * 1000));
        }
        12 => device["deviceType"] = json!({"category": "Desktop", "type": "Mini Tower"}),
        _ => {}
    }
}

/// The audit of a device, with a serial number as makers and their contractors leave it.
pub fn audit(number: usize) -> Value {
    let serial = match number % 10 {
        3 => "To be filled by O.E.M.".to_owned(),
        4 => "....".to_owned(),
        5 => "0".to_owned(),
        6 => String::new(),
        _ => format!("SN{number:07}"),
    };
    let byte = |shift: usize| (number >> shift) & 0xff;
    let mac = format!("02:5A:FE:{:02X}:{:02X}:{:02X}", byte(16), byte(8), byte(0));
    json!({
        "systemInfo": {"manufacturer": "Latitude Works", "model": format!("LW-{}", number % 7), "totalPhysicalMemory": 17_179_869_184_i64,
            "username": "CORP\\ava", "dotNetVersion": "4.8", "totalCpuCores": 8},
        "bios": {"serialNumber": serial, "releaseDate": "2024-05-01", "smBiosVersion": "1.20.1", "instance": "BIOS"},
        "baseBoard": {"manufacturer": "Latitude Works", "product": "Board", "serialNumber": null},
        "nics": [
            {"instance": "Ethernet", "ipv4": "10.0.0.5", "ipv6": null, "macAddress": mac, "type": "Ethernet"},
            {"instance": "Dock", "ipv4": null, "ipv6": null, "macAddress": "00:50:B6:00:00:01", "type": "Ethernet"},
        ],
        "logicalDisks": [{"diskIdentifier": "C:", "size": 511_000_000_000_i64, "freespace": 120_000_000_000_i64, "description": "Local Fixed Disk"}],
        "processors": [{"name": "Core Ultra 7 155U"}],
        "physicalMemory": [{"size": 17_179_869_184_i64, "type": "DDR5", "speed": "5600"}],
        "displays": [{"instance": "Generic PnP Monitor"}], "videoBoards": [{"displayAdapter": "Integrated Graphics"}], "attachedDevices": [],
        "mobileInfo": [], "snmpInfo": {}, "portalUrl": format!("https://rmm.example.com/device/{number}"), "webRemoteUrl": null,
    })
}

/// An alert about this device.
pub fn alert(number: usize, device: &Value, now: i64, resolved: bool) -> Value {
    let context = match number % 5 {
        0 => json!({"@class": "perf_disk_usage_ctx", "diskName": "C:", "totalVolume": 250.0, "freeSpace": 9.5}),
        1 => json!({"@class": "online_offline_status_ctx", "status": "OFFLINE"}),
        2 => json!({"@class": "comp_script_ctx", "samples": {"Result": "backup failed"}}),
        3 => json!({"@class": "a_kind_that_nobody_documented_ctx", "deep": [{"er": 1}]}),
        _ => json!({"@class": "eventlog_ctx", "logName": "System", "code": 41}),
    };
    let at = (now - i64::try_from(number).unwrap_or_default() * 300) * 1000;
    let priority = ["Critical", "High", "Moderate", "Low", "Information", "Unknown"][number % 6];
    json!({
        "alertUid": uid(3, number), "priority": priority, "diagnostics": null,
        "resolved": resolved, "resolvedBy": resolved.then_some("riley"), "resolvedOn": resolved.then_some(at + 60_000), "muted": number % 9 == 8,
        "ticketNumber": null, "timestamp": at, "alertMonitorInfo": {"sendsEmails": true, "createsTicket": false}, "alertContext": context,
        "alertSourceInfo": {"deviceUid": device["uid"], "deviceName": device["hostname"], "siteUid": device["siteUid"], "siteName": device["siteName"]},
        "responseActions": [{"actionTime": at + 1000, "actionType": "EMAIL_SENT", "description": null, "actionReference": null, "actionReferenceInt": null}],
        "autoresolveMins": 0,
    })
}
