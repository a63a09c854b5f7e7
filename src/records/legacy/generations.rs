//! The tables of the service that came before Codex, as data: a line for each column, and what becomes of it.
//!
//! Three generations are known (contract §5). They share most tables; where a column means something else in one of them,
//! that generation has its own line. A column that is not here is reported, not passed over.

/// What the rows of a table are here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    FeatureCategory,
    FeatureOption,
    Plan,
    /// What a plan has of one feature.
    PlanFeature,
    Company,
    Contact,
    Location,
    /// A company's deviation from its plan.
    Override,
    /// That a contact belongs to a company.
    Membership,
    Asset,
    /// That a contact uses a device.
    Assignment,
    /// That a site of an RMM is a company.
    Site,
    /// A vendor's agent.
    PsaAgent,
    Ticket,
    /// One of the provider's own people.
    Agent,
}

/// What becomes of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// This field of our record, read by the rules of its line in the field table. Of several columns for one field the
    /// first that says something counts.
    Field(&'static str),
    /// Read by the code of its kind: keys, references, and what several columns say together.
    Code,
    /// Left behind, for this reason.
    Left(&'static str),
}
use To::{Code, Field, Left};

/// Columns and what becomes of them.
pub type Columns = &'static [(&'static str, To)];

/// A table.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// What its rows are here.
    pub kind: Kind,
    /// The columns that name a row; the order in which rows are read, too.
    pub key: &'static [&'static str],
    /// Its columns.
    pub columns: &'static [Columns],
}

impl Table {
    /// Every column with what becomes of it.
    pub fn columns(&self) -> impl Iterator<Item = (&'static str, To)> {
        self.columns.iter().copied().flatten().copied()
    }
}

/// A generation.
#[derive(Debug)]
pub struct Generation {
    /// What people call it.
    pub name: &'static str,
    /// Its contacts, whose columns mean something else in each of them.
    contacts: &'static Table,
}

impl Generation {
    /// Its tables, in the order in which they are brought: what others refer to comes first.
    pub fn tables(&self) -> impl Iterator<Item = &'static Table> {
        BEFORE.iter().chain(std::iter::once(self.contacts)).chain(AFTER)
    }
}

/// The first Python service, whose records are Freshservice's.
pub static FIRST: Generation = Generation { name: "the first Python service", contacts: &FIRST_CONTACTS };
/// The later Python service, whose records may be any vendor's.
pub static LATER: Generation = Generation { name: "the later Python service", contacts: &LATER_CONTACTS };
/// The client database from which both come.
pub static OLDEST: Generation = Generation { name: "the client database before it (Nexus)", contacts: &OLDEST_CONTACTS };

/// Tables that are left behind whole, and why.
pub const LEFT: &[(&str, &str)] = &[
    ("users", "people sign in anew: their passwords and keys cannot be taken over (codex users add)"),
    ("sync_jobs", "the log of former syncs has no use here"),
    ("scheduler_jobs", "schedules are settings here ([scheduler], or the page of schedules)"),
];

static BEFORE: &[Table] = &[
    Table {
        name: "feature_category_config",
        kind: Kind::FeatureCategory,
        key: &["id"],
        columns: &[&[
            ("id", Code),
            ("feature_key", Code),
            ("display_name", Field("name")),
            ("full_name", Code),
            ("description", Field("description")),
        ]],
    },
    Table {
        name: "feature_options",
        kind: Kind::FeatureOption,
        key: &["id"],
        columns: &[&[
            ("id", Code),
            ("feature_category", Code),
            ("feature_type", Code),
            ("option_value", Field("name")),
            ("display_name", Field("name")),
            ("description", Field("description")),
        ]],
    },
    Table {
        name: "billing_plans",
        kind: Kind::Plan,
        key: &["id"],
        columns: &[&[
            ("id", Code),
            ("plan_name", Field("name")),
            ("term_length", Code),
            ("support_level", Field("support_level")),
            ("per_user_cost", Field("per_user_cents")),
            ("per_workstation_cost", Field("per_workstation_cents")),
            ("per_server_cost", Field("per_server_cents")),
            ("per_vm_cost", Field("per_vm_cents")),
            ("per_switch_cost", Field("per_switch_cents")),
            ("per_firewall_cost", Field("per_firewall_cents")),
            ("per_hour_ticket_cost", Field("per_hour_ticket_cents")),
            ("backup_base_fee_workstation", Field("backup_workstation_cents")),
            ("backup_base_fee_server", Field("backup_server_cents")),
            ("backup_included_tb", Field("backup_included_milli_tb")),
            ("backup_per_tb_fee", Field("backup_per_tb_cents")),
            ("backup_cost_per_gb_workstation", Field("backup_per_gb_workstation_micros")),
            ("backup_cost_per_gb_server", Field("backup_per_gb_server_micros")),
            ("antivirus", Code),
            ("soc", Code),
            ("password_manager", Code),
            ("sat", Code),
            ("email_security", Code),
            ("network_management", Code),
        ]],
    },
    Table {
        name: "plan_features",
        kind: Kind::PlanFeature,
        key: &["id"],
        columns: &[&[("id", Code), ("plan_id", Code), ("feature_type", Code), ("feature_value", Code)]],
    },
    Table {
        name: "companies",
        kind: Kind::Company,
        key: &["account_number"],
        columns: &[&[
            ("account_number", Code),
            ("id", Code),
            ("freshservice_id", Code),
            ("external_id", Code),
            ("external_source", Code),
            ("psa_provider", Code),
            ("compliance_level", Code),
            ("name", Field("name")),
            ("description", Field("description")),
            ("created_at", Field("vendor_created_at")),
            ("updated_at", Field("vendor_updated_at")),
            ("head_user_id", Field("head_user_id")),
            ("head_name", Field("head_name")),
            ("prime_user_id", Field("prime_user_id")),
            ("prime_user_name", Field("prime_user_name")),
            ("primary_contact_name", Field("primary_contact_name")),
            ("domains", Field("domains")),
            ("workspace_id", Field("workspace_id")),
            // Ledger bills by the first; the former edit page wrote the second.
            ("plan_selected", Field("plan")),
            ("billing_plan", Field("plan")),
            ("managed_users", Field("managed_users")),
            ("managed_devices", Field("managed_devices")),
            ("managed_network", Field("managed_network")),
            ("contract_term_length", Field("contract_term")),
            ("contract_term", Field("contract_term")),
            ("contract_start_date", Field("contract_start_date")),
            ("contract_end_date", Field("contract_end_date")),
            ("company_start_date", Field("start_date")),
            ("profit_or_non_profit", Field("profit_or_non_profit")),
            ("company_main_number", Field("main_number")),
            ("address", Field("address")),
            ("support_level", Field("support_level")),
            ("phone_system", Field("phone_system")),
            ("email_system", Field("email_system")),
            ("datto_portal_url", Field("datto_portal_url")),
        ]],
    },
];

/// What contacts of all generations have.
const CONTACT: Columns = &[
    ("id", Code),
    ("name", Field("name")),
    ("primary_email", Field("email")),
    ("email", Field("email")),
    ("secondary_emails", Field("secondary_emails")),
    ("job_title", Field("job_title")),
    ("title", Field("job_title")),
    ("employment_type", Field("employment_type")),
    ("active", Code),
    ("mobile_phone_number", Field("mobile_phone_number")),
    ("work_phone_number", Field("work_phone_number")),
];

/// What contacts of both Python services have beside that.
const PYTHON_CONTACT: Columns = &[
    ("first_name", Field("first_name")),
    ("last_name", Field("last_name")),
    ("is_agent", Field("is_agent")),
    ("vip_user", Field("vip_user")),
    ("has_logged_in", Field("has_logged_in")),
    ("address", Field("address")),
    ("department_ids", Code),
    ("department_names", Code),
    ("reporting_manager_id", Field("reporting_manager_id")),
    ("location_id", Field("location_id")),
    ("location_name", Field("location_name")),
    ("language", Field("language")),
    ("time_zone", Field("time_zone")),
    ("time_format", Field("time_format")),
    ("can_see_all_tickets_from_associated_departments", Field("can_see_all_tickets")),
    ("can_see_all_changes_from_associated_departments", Field("can_see_all_changes")),
    ("created_at", Field("vendor_created_at")),
    ("updated_at", Field("vendor_updated_at")),
    ("background_information", Field("background_information")),
    ("work_schedule_id", Field("work_schedule_id")),
    ("user_number", Field("user_number")),
];

/// The vendor's id under its first name; `external_id` is then the vendor's own reference to another system.
static FIRST_CONTACTS: Table = Table {
    name: "contacts",
    kind: Kind::Contact,
    key: &["id"],
    columns: &[CONTACT, PYTHON_CONTACT, &[("freshservice_id", Code), ("external_id", Field("vendor_reference"))]],
};

static LATER_CONTACTS: Table = Table {
    name: "contacts",
    kind: Kind::Contact,
    key: &["id"],
    columns: &[CONTACT, PYTHON_CONTACT, &[("external_id", Code), ("external_source", Code)]],
};

static OLDEST_CONTACTS: Table = Table { name: "contacts", kind: Kind::Contact, key: &["id"], columns: &[CONTACT] };

static AFTER: &[Table] = &[
    Table {
        name: "locations",
        kind: Kind::Location,
        key: &["id"],
        columns: &[&[
            ("id", Code),
            ("name", Field("name")),
            ("address", Field("address")),
            ("phone_number", Field("phone_number")),
            ("company_account_number", Code),
        ]],
    },
    Table {
        name: "company_feature_overrides",
        kind: Kind::Override,
        key: &["id"],
        columns: &[&[
            ("id", Code),
            ("company_account_number", Code),
            ("feature_key", Code),
            ("value", Code),
            ("override_enabled", Code),
        ]],
    },
    Table {
        name: "contact_company_link",
        kind: Kind::Membership,
        key: &["contact_id", "company_account_number"],
        columns: &[&[("contact_id", Code), ("company_account_number", Code)]],
    },
    Table {
        name: "assets",
        kind: Kind::Asset,
        key: &["id"],
        columns: &[
            &[
                ("id", Code),
                ("hostname", Field("hostname")),
                ("company_account_number", Code),
                ("hardware_type", Field("hardware_type")),
                ("device_type", Field("device_type")),
                ("operating_system", Field("operating_system")),
                ("last_logged_in_user", Field("last_logged_in_user")),
                ("datto_site_name", Field("rmm_site_name")),
                ("rmm_site_name", Field("rmm_site_name")),
                ("antivirus_product", Field("antivirus_product")),
                ("description", Field("description")),
                ("ext_ip_address", Field("ext_ip_address")),
                ("int_ip_address", Field("int_ip_address")),
                ("domain", Field("domain")),
                ("last_audit_date", Field("last_audit_date")),
                ("last_reboot", Field("last_reboot")),
                ("last_seen", Field("last_seen")),
                ("online", Field("online")),
                ("patch_status", Field("patch_status")),
                ("backup_usage_tb", Field("backup_usage_tb")),
                ("enabled_administrators", Field("enabled_administrators")),
                ("portal_url", Field("portal_url")),
                ("web_remote_url", Field("web_remote_url")),
            ],
            UDFS,
        ],
    },
    Table {
        name: "asset_contact_link",
        kind: Kind::Assignment,
        key: &["asset_id", "contact_id"],
        columns: &[&[("asset_id", Code), ("contact_id", Code)]],
    },
    Table {
        name: "datto_site_links",
        kind: Kind::Site,
        key: &["id"],
        columns: &[&[("id", Code), ("company_account_number", Code), ("datto_site_uid", Code)]],
    },
    Table {
        name: "rmm_site_links",
        kind: Kind::Site,
        key: &["id"],
        columns: &[&[("id", Code), ("company_account_number", Code), ("rmm_site_uid", Code), ("rmm_provider", Code)]],
    },
    Table {
        name: "psa_agents",
        kind: Kind::PsaAgent,
        key: &["id"],
        columns: &[
            PSA_AGENT,
            &[("external_id", Code), ("external_source", Code), ("provider_data", Left("the vendor tells it again"))],
        ],
    },
    // For a while in between, when their id was Freshservice's.
    Table { name: "freshservice_agents", kind: Kind::PsaAgent, key: &["id"], columns: &[PSA_AGENT] },
    Table {
        name: "ticket_details",
        kind: Kind::Ticket,
        key: &["ticket_id", "external_source", "external_id"],
        columns: &[TICKET],
    },
    Table {
        name: "agents",
        kind: Kind::Agent,
        key: &["keycloak_id"],
        columns: &[&[
            ("keycloak_id", Code),
            ("username", Code),
            ("email", Code),
            ("first_name", Code),
            ("last_name", Code),
            ("enabled", Code),
            ("theme_preference", Code),
            ("preferred_color_theme", Code),
            ("knowledgetree_view_preference", Code),
            ("home_page_preference", Code),
            // Codex keeps when it came to know somebody.
            ("created_at", Code),
            ("updated_at", Code),
            ("last_synced_at", Code),
        ]],
    },
];

/// A vendor's agents.
const PSA_AGENT: Columns = &[
    ("id", Code),
    ("email", Field("email")),
    ("first_name", Field("first_name")),
    ("last_name", Field("last_name")),
    ("active", Code),
    ("job_title", Field("job_title")),
    ("department_ids", Field("department_ids")),
    ("group_ids", Field("group_ids")),
    ("created_at", Field("vendor_created_at")),
    ("updated_at", Field("vendor_updated_at")),
];

/// The user-defined fields of devices.
const UDFS: Columns = &[
    ("udf1", Code),
    ("udf2", Code),
    ("udf3", Code),
    ("udf4", Code),
    ("udf5", Code),
    ("udf6", Code),
    ("udf7", Code),
    ("udf8", Code),
    ("udf9", Code),
    ("udf10", Code),
    ("udf11", Code),
    ("udf12", Code),
    ("udf13", Code),
    ("udf14", Code),
    ("udf15", Code),
    ("udf16", Code),
    ("udf17", Code),
    ("udf18", Code),
    ("udf19", Code),
    ("udf20", Code),
    ("udf21", Code),
    ("udf22", Code),
    ("udf23", Code),
    ("udf24", Code),
    ("udf25", Code),
    ("udf26", Code),
    ("udf27", Code),
    ("udf28", Code),
    ("udf29", Code),
    ("udf30", Code),
];

/// What tickets of both Python services have, and what those of the later one have beside that.
const TICKET: Columns = &[
    ("ticket_id", Code),
    ("id", Code),
    ("external_id", Code),
    ("external_source", Code),
    ("company_account_number", Code),
    ("ticket_number", Code),
    ("subject", Field("subject")),
    ("description", Code),
    ("description_text", Code),
    ("status", Code),
    ("priority", Code),
    ("requester_email", Field("requester_email")),
    ("requester_name", Field("requester_name")),
    ("created_at", Field("vendor_created_at")),
    ("last_updated_at", Code),
    ("closed_at", Field("closed_at")),
    ("total_hours_spent", Code),
    ("conversations", Code),
    ("notes", Code),
    ("status_id", Field("status_id")),
    ("priority_id", Field("priority_id")),
    ("ticket_type", Field("ticket_type")),
    ("requester_id", Field("requester_id")),
    ("responder_id", Field("responder_id")),
    ("group_id", Field("group_id")),
    ("department_id", Field("department_id")),
    ("fr_due_by", Field("fr_due_by")),
    ("due_by", Field("due_by")),
    ("first_responded_at", Field("first_responded_at")),
    ("agent_responded_at", Field("agent_responded_at")),
    ("webhook_updated_at", Code),
];
