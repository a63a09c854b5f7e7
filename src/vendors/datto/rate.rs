//! What Datto says about its own limits (`system/request_rate`), read without trust.

use std::time::Duration;

use serde_json::{Map, Value};

use super::wire;
use crate::vendors::rate_limit::windows::{Announced, Used};

/// What the vendor's answer says of its limits.
#[must_use]
pub fn read(json: &Value) -> Announced {
    let empty = Map::new();
    let record = json.as_object().unwrap_or(&empty);
    let used = |record: &Map<String, Value>, limit: &str, count: &str| {
        let limit = wire::integer(record, limit).and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0)?;
        let count = wire::integer(record, count).and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
        Some(Used { limit, count })
    };
    let operations = wire::object(record, "operationWriteStatus").into_iter().flatten();
    Announced {
        window: wire::float(record, "slidingTimeWindowSizeSeconds")
            .filter(|seconds| (0.05..=3600.0).contains(seconds))
            .map(Duration::from_secs_f64),
        reads: used(record, "accountRateLimit", "accountCount"),
        writes: used(record, "accountWriteRateLimit", "accountWriteCount"),
        cut_off: wire::float(record, "accountCutOffRatio").filter(|ratio| (0.1..=1.0).contains(ratio)),
        operations: operations
            .filter_map(|(name, value)| Some((name.clone(), used(value.as_object()?, "limit", "count")?)))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn limits_are_read_and_nonsense_is_not() {
        let rate = read(&json!({
            "slidingTimeWindowSizeSeconds": 60, "accountCount": 12, "accountRateLimit": 600, "accountCutOffRatio": 0.9,
            "accountWriteRateLimit": "100", "operationWriteStatus": { "site-variable-create": { "limit": 50, "count": 3 }, "x": 7 }
        }));
        assert_eq!(rate.window, Some(Duration::from_mins(1)));
        assert_eq!((rate.reads, rate.writes), (Some(Used { limit: 600, count: 12 }), Some(Used { limit: 100, count: 0 })));
        assert_eq!(rate.operations, [("site-variable-create".to_owned(), Used { limit: 50, count: 3 })]);
        for odd in [
            json!(null),
            json!([]),
            json!({ "accountRateLimit": 0, "accountCutOffRatio": 7, "slidingTimeWindowSizeSeconds": -1 }),
        ] {
            assert_eq!(read(&odd), Announced::default());
        }
    }
}
