//! What an alert's context says, in words.

use serde_json::{Map, Value};

use crate::{
    monitoring::alert::kind_words,
    vendors::datto::wire::{float, text},
};

/// The longest message, in characters.
const LONGEST: usize = 300;

/// What happened. Classes that nobody documented are told by their members.
#[must_use]
pub fn message(kind: &str, context: &Map<String, Value>) -> String {
    let said = |key: &str| text(context, key);
    let words = match kind {
        "perf_disk_usage_ctx" => disk(context),
        "online_offline_status_ctx" => said("status").map(|status| format!("Device is {}", status.to_lowercase())),
        "eventlog_ctx" => event(context),
        "comp_script_ctx" => context.get("samples").and_then(Value::as_object).map(|samples| pairs(samples, &[])),
        "srvc_status_ctx" => said("serviceName").map(|name| join([Some(format!("Service {name}")), said("status")], " is ")),
        "process_status_ctx" => said("processName").map(|name| join([Some(format!("Process {name}")), said("status")], " is ")),
        "perf_resource_usage_ctx" => said("type").map(|what| join([Some(what), percent(context)], " at ")),
        "process_resource_usage_ctx" => said("processName").map(|name| join([Some(name), percent(context)], " uses ")),
        "srvc_resource_usage_ctx" => said("serviceName").map(|name| join([Some(name), percent(context)], " uses ")),
        "antivirus_ctx" => said("productName").map(|name| join([Some(name), said("status")], ": ")),
        "ping_ctx" => said("instanceName").or_else(|| said("host")).map(|host| format!("{host} does not answer to ping")),
        "patch_ctx" => said("policyUid").or_else(|| said("result")).map(|_| pairs(context, &["policyUid", "patchUid"])),
        "sw_action_ctx" => said("packageName").map(|name| join([Some(name), said("actionType")], ": ")),
        _ => None,
    };
    let words = words.filter(|words| !words.trim().is_empty()).unwrap_or_else(|| {
        let told = pairs(context, &[]);
        join([Some(kind_words(kind)), Some(told).filter(|told| !told.is_empty())], ": ")
    });
    crate::types::clean(&words).chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

fn join<const N: usize>(parts: [Option<String>; N], between: &str) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join(between)
}

fn disk(context: &Map<String, Value>) -> Option<String> {
    let name = text(context, "diskName")?;
    let unit = text(context, "unitOfMeasure").unwrap_or_else(|| "GB".to_owned());
    Some(match (float(context, "freeSpace"), float(context, "totalVolume")) {
        (Some(free), Some(total)) => format!("Disk {name} has {free} {unit} free of {total} {unit}"),
        (Some(free), None) => format!("Disk {name} has {free} {unit} free"),
        _ => format!("Disk {name} is nearly full"),
    })
}

fn event(context: &Map<String, Value>) -> Option<String> {
    let log = text(context, "logName");
    let code = text(context, "code").map(|code| format!("event {code}"));
    let source = text(context, "source");
    let head = [log, source, code].into_iter().flatten().collect::<Vec<_>>().join(", ");
    let head = Some(head).filter(|head| !head.is_empty());
    let all = join([head, text(context, "description")], ": ");
    Some(all).filter(|all| !all.is_empty())
}

fn percent(context: &Map<String, Value>) -> Option<String> {
    float(context, "percentage").map(|share| format!("{share} %"))
}

/// The plain members of an object: `Result: backup failed, code: 41`.
fn pairs(object: &Map<String, Value>, without: &[&str]) -> String {
    let told = object.iter().filter(|(name, _)| !name.starts_with('@') && !without.contains(&name.as_str()));
    let told = told.filter_map(|(name, _)| Some(format!("{name}: {}", text(object, name)?)));
    told.take(6).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_class_is_told_in_words() {
        for (context, words) in [
            (
                json!({"@class": "perf_disk_usage_ctx", "diskName": "C:", "totalVolume": 250.0, "freeSpace": 9.5}),
                "Disk C: has 9.5 GB free of 250 GB",
            ),
            (json!({"@class": "online_offline_status_ctx", "status": "OFFLINE"}), "Device is offline"),
            (json!({"@class": "comp_script_ctx", "samples": {"Result": "backup failed"}}), "Result: backup failed"),
            (json!({"@class": "eventlog_ctx", "logName": "System", "code": 41}), "System, event 41"),
            (json!({"@class": "eventlog_ctx"}), "Event log entry"),
            (
                json!({"@class": "a_kind_that_nobody_documented_ctx", "deep": [{"er": 1}], "level": 3}),
                "A kind that nobody documented: level: 3",
            ),
            (json!({"@class": "perf_disk_usage_ctx", "diskName": {"odd": 1}}), "Disk usage"),
            (json!({}), "Alert"),
        ] {
            let context = context.as_object().unwrap();
            let kind = text(context, "@class").unwrap_or_default();
            assert_eq!(message(&kind, context), words);
        }
    }
}
