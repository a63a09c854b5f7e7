//! What a monitor of the RMM raised: an event of the vendor's, kept as it was told.

use serde::Serialize;
use serde_json::Value;

use crate::compliance::{Level, Personal, Protected, RedactionPolicy};

/// How urgent an alert can be, the most urgent first.
pub const PRIORITIES: [&str; 6] = ["Critical", "High", "Moderate", "Low", "Information", "Unknown"];

/// A priority in the one spelling, and its place among them.
#[must_use]
pub fn priority(word: &str) -> (&'static str, i64) {
    let known = (0_i64..).zip(PRIORITIES).find(|(_, known)| known.eq_ignore_ascii_case(word.trim()));
    known.map_or(("Unknown", 5), |(place, known)| (known, place))
}

/// An alert as the vendor told it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Alert {
    /// The vendor's id of it.
    pub alert_uid: String,
    /// The device's id at the vendor.
    pub device_uid: Option<String>,
    /// The device's name when it was raised.
    pub device_name: Option<String>,
    /// The site's id at the vendor.
    pub site_uid: Option<String>,
    /// The site's name.
    pub site_name: Option<String>,
    /// One of [`PRIORITIES`].
    pub priority: String,
    /// The vendor's class of its context (`perf_disk_usage_ctx`).
    pub kind: String,
    /// What happened, in words.
    pub message: String,
    pub raised_at: Option<String>,
    /// Whether the vendor keeps quiet about it.
    pub muted: bool,
    /// Whether it is over.
    pub resolved: bool,
    /// Since when.
    pub resolved_at: Option<String>,
    /// By whom.
    pub resolved_by: Option<String>,
    /// The ticket that was made of it.
    pub ticket_number: Option<String>,
    /// What the vendor found out about it.
    pub diagnostics: Option<String>,
    /// The vendor's context: a JSON object as text.
    pub context: Option<String>,
    /// What the monitor does with it: a JSON object as text.
    pub monitor: Option<String>,
    /// What was done: a JSON array as text.
    pub actions: Option<String>,
    /// After how many minutes it resolves itself.
    pub autoresolve_mins: Option<i64>,
}

/// An alert as the API tells it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Alert)]
pub struct AlertView {
    /// Our number of it.
    pub id: i64,
    /// The vendor's id of it.
    pub alert_uid: String,
    /// One of [`PRIORITIES`].
    pub priority: String,
    /// What happened, in words.
    pub message: String,
    /// The vendor's class of its context.
    pub kind: String,
    /// When it was raised.
    pub timestamp: Option<String>,
    /// Whether it is over.
    pub resolved: bool,
    /// Since when.
    pub resolved_at: Option<String>,
    /// By whom.
    pub resolved_by: Option<String>,
    /// Whether it ended by vanishing at the vendor.
    pub gone: bool,
    /// Whether the vendor keeps quiet about it.
    pub muted: bool,
    /// The ticket that was made of it.
    pub ticket_number: Option<String>,
    /// The asset it is about.
    pub asset_id: Option<i64>,
    /// That asset's name, or the device's name at the vendor.
    pub hostname: Option<String>,
    /// The company's key.
    pub company_id: Option<String>,
    /// The same.
    pub company_account_number: Option<String>,
    /// The company's name.
    pub company_name: Option<String>,
    /// The device's id at the vendor.
    pub device_uid: Option<String>,
    /// The site's id at the vendor.
    pub site_uid: Option<String>,
    /// The site's name at the vendor.
    pub site_name: Option<String>,
    /// What the vendor found out about it.
    pub diagnostics: Option<String>,
    /// The vendor's context, as it came.
    pub context: Value,
    /// What the monitor does with it.
    pub monitor: Value,
    /// What was done.
    pub actions: Value,
    /// After how many minutes it resolves itself.
    pub autoresolve_mins: Option<i64>,
    /// The system that raised it.
    pub data_source: String,
    /// When we heard of it.
    pub first_seen_at: String,
    /// When what we know of it last changed.
    pub updated_at: String,
    /// How strictly the company's people are protected.
    #[serde(skip)]
    pub protection: Level,
}

/// What the vendor wrote down may name people.
impl Protected for AlertView {
    const ENTITY: &'static str = "alert";
    const TELLS: &'static [(&'static str, Personal)] = &[("message", Personal::Private), ("resolved_by", Personal::Private)];
    type Viewer = RedactionPolicy;

    fn record(&self) -> i64 {
        self.id
    }

    fn level(&self) -> Level {
        self.protection
    }

    fn redacted(mut self, policy: &RedactionPolicy) -> Self {
        if !policy.shows(self.protection, Personal::Private) {
            self.message = kind_words(&self.kind);
            (self.diagnostics, self.resolved_by) = (None, None);
            (self.context, self.actions) = (Value::Null, Value::Null);
        }
        self
    }
}

/// A class of contexts as people read it: `perf_disk_usage_ctx` is `Disk usage`.
#[must_use]
pub fn kind_words(kind: &str) -> String {
    let known = match kind {
        "perf_disk_usage_ctx" => "Disk usage",
        "perf_resource_usage_ctx" => "Processor or memory usage",
        "perf_mon_ctx" => "Performance counter",
        "online_offline_status_ctx" => "Online or offline",
        "eventlog_ctx" => "Event log entry",
        "comp_script_ctx" => "Component monitor",
        "srvc_status_ctx" => "Service state",
        "srvc_resource_usage_ctx" => "Service resource usage",
        "process_status_ctx" => "Process state",
        "process_resource_usage_ctx" => "Process resource usage",
        "antivirus_ctx" => "Antivirus",
        "ransomware_ctx" => "Ransomware",
        "patch_ctx" => "Patch",
        "ping_ctx" => "Ping",
        "sw_action_ctx" => "Software change",
        "fs_object_ctx" => "File or folder",
        "sec_management_ctx" | "sec_center_ctx" => "Security",
        "" => "Alert",
        _ => "",
    };
    if !known.is_empty() {
        return known.to_owned();
    }
    let plain = kind.trim_end_matches("_ctx").replace(['_', '-'], " ");
    let mut letters = plain.trim().chars();
    letters.next().map_or_else(|| "Alert".to_owned(), |first| first.to_uppercase().chain(letters).collect())
}
