//! What a monitor of the RMM raised: an observation of the vendor's, kept as it was told. It has a field table like any noun,
//! and no history: nobody edits it here, and the vendor's own times say when it was raised and when it ended.

use crate::{
    compliance::{Level, Personal, Protected, RedactionPolicy},
    entity::{Holds, Members, redact},
    types::{SearchText, fold},
};

/// How urgent an alert can be, the most urgent first.
pub const PRIORITIES: [&str; 6] = ["Critical", "High", "Moderate", "Low", "Information", "Unknown"];

/// A priority in the one spelling, and its place among them.
#[must_use]
pub fn priority(word: &str) -> (&'static str, i64) {
    let known = (0_i64..).zip(PRIORITIES).find(|(_, known)| known.eq_ignore_ascii_case(word.trim()));
    known.map_or(("Unknown", 5), |(place, known)| (known, place))
}

crate::facet! {
    /// An alert as the vendor told it, and whose it is.
    pub struct Alert: "alert", "alerts", "id" {
        /// The vendor's id of it.
        alert_uid: String = told("Alert at the vendor").listed(),
        /// One of [`PRIORITIES`].
        priority: String = told("Priority"),
        /// Its place among them.
        severity: i64 = int("Severity").told().internal(),
        /// What happened, in words.
        message: String = told("Alert").personal(Personal::Private).folded("alert.message_folded"),
        /// The vendor's class of its context (`perf_disk_usage_ctx`).
        kind: String = told("Kind").listed(),
        raised_at: Option<String> = moment("Raised", 50).named("timestamp").told().listed(),
        /// Whether it is over.
        resolved: bool = flag("Resolved").told().listed(),
        /// Since when.
        resolved_at: Option<String> = moment("Resolved", 50).told().listed(),
        /// By whom.
        resolved_by: Option<String> = told("Resolved by").personal(Personal::Private).listed(),
        /// Whether it ended by vanishing at the vendor.
        gone: bool = flag("Gone at the vendor").told().listed(),
        /// Whether the vendor keeps quiet about it.
        muted: bool = flag("Muted").told().listed(),
        /// The ticket that was made of it.
        ticket_number: Option<String> = told("Ticket").code().listed(),
        /// The asset that it is about.
        asset_id: Option<i64> = int("Device's number").told().listed(),
        /// The company of its site; that of its asset comes first.
        company_id: Option<i64> = int("Company").id_of("company").told().internal(),
        /// The device's id at the vendor.
        device_uid: Option<String> = told("Device at the vendor").code().listed(),
        /// The device's name when it was raised.
        device_name: Option<String> = told("Device").internal(),
        /// The site's id at the vendor.
        site_uid: Option<String> = told("Site at the vendor").code().listed(),
        site_name: Option<String> = told("Site").listed(),
        /// What the vendor found out about it.
        diagnostics: Option<String> = told("Diagnostics").personal(Personal::Private),
        /// The vendor's context: a JSON object as text.
        context: Option<String> = json("Context", Layout::AsSent).told().personal(Personal::Private),
        /// What the monitor does with it: a JSON object as text.
        monitor: Option<String> = json("Monitor", Layout::AsSent).told(),
        /// What was done: a JSON array as text.
        actions: Option<String> = json("Actions", Layout::AsSent).told().personal(Personal::Private),
        /// After how many minutes it resolves itself.
        autoresolve_mins: Option<i64> = int("Resolves itself after minutes").told(),
        /// The system that raised it.
        source: String = told("Vendor").named("data_source"),
        /// When we heard of it.
        first_seen_at: String = moment("First heard of", 50).told(),
        /// When what we know of it last changed.
        updated_at: String = moment("Last changed", 50).told().listed(),
        message_folded: String = told("Alert, folded").internal(),
        search_text: String = told("Search key").internal(),
    }
}

impl Alert {
    /// Takes out of its texts what the second net strikes for this caller.
    pub fn strike(&mut self, policy: &RedactionPolicy) {
        self.message = policy.screen(&self.message);
        for text in [&mut self.resolved_by, &mut self.diagnostics, &mut self.context, &mut self.actions] {
            *text = text.take().map(|text| policy.screen(&text));
        }
    }

    /// The same with what follows from other fields.
    #[must_use]
    pub fn complete(mut self) -> Self {
        let (word, severity) = priority(&self.priority);
        (self.priority, self.severity) = (word.to_owned(), severity);
        if self.message.is_empty() {
            self.message = kind_words(&self.kind);
        }
        self.message_folded = fold(&self.message);
        let key = SearchText::new().words([&self.message]).words(&self.device_name).words(&self.site_name);
        self.search_text = self.ticket_number.iter().fold(key, |key, ticket| key.number(ticket)).finish();
        self
    }
}

/// An alert as it is told: the row, and whose it is.
#[derive(Clone, Debug)]
pub struct AlertView {
    /// Our number of it.
    pub id: i64,
    /// The row.
    pub row: Alert,
    /// The asset's name, or the device's name at the vendor.
    pub hostname: Option<String>,
    /// The company's key.
    pub company_id: Option<String>,
    /// The company's name.
    pub company_name: Option<String>,
    /// How strictly the company's people are protected.
    pub protection: Level,
}

crate::shaped! { AlertView: Members::first(CONTRACT)
    .part(|alert: &AlertView| &alert.row)
    .member("id", Holds::INT, |alert| alert.id.into())
    .member("hostname", Holds::TEXT.or_null(), |alert| (&alert.hostname).into())
    .member("company_id", Holds::TEXT.or_null(), |alert| (&alert.company_id).into())
    .member("company_account_number", Holds::TEXT.or_null(), |alert| (&alert.company_id).into())
    .member("company_name", Holds::TEXT.or_null(), |alert| (&alert.company_name).into())
}

/// What stands first; the other fields follow in the order of the table.
const CONTRACT: &[&str] = &[
    "id",
    "alert_uid",
    "priority",
    "message",
    "kind",
    "timestamp",
    "resolved",
    "resolved_at",
    "resolved_by",
    "gone",
    "muted",
    "ticket_number",
    "asset_id",
    "hostname",
    "company_id",
    "company_account_number",
    "company_name",
];

/// What the vendor wrote down may name people.
impl Protected for AlertView {
    const ENTITY: &'static str = "alert";
    const TELLS: &'static [(&'static str, Personal)] = crate::personal_fields![Alert];
    type Viewer = RedactionPolicy;

    fn record(&self) -> i64 {
        self.id
    }

    fn level(&self) -> Level {
        self.protection
    }

    fn redacted(mut self, policy: &RedactionPolicy) -> Self {
        if !policy.shows(self.protection, Personal::Private) {
            redact(&mut self.row, |_, _| None);
            self.row.message = kind_words(&self.row.kind);
        }
        self.row.strike(policy);
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
