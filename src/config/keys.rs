//! Every setting there is: its name, its default, its other names, what it is for.

/// What a setting's value looks like; decides how it is shown and whether a file may hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Shown as it is.
    Plain,
    /// Shown as `***`; may come from the file that `CODEX_…_FILE` names.
    Secret,
    /// An address that may carry a password, which alone is hidden.
    Address,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Section of `codex.conf`.
    pub section: &'static str,
    /// Key within the section.
    pub name: &'static str,
    /// The value when nobody says anything; empty means "none".
    pub default: &'static str,
    /// How it is shown.
    pub kind: Kind,
    /// Other environment variables that set it, the weakest first (`CODEX_SECTION_KEY` beats them all).
    pub also_env: &'static [&'static str],
    /// Older places in `codex.conf`, the weakest first.
    pub also_conf: &'static [(&'static str, &'static str)],
    /// One sentence for `config show` and the README.
    pub help: &'static str,
}

impl Key {
    /// The environment variable made from section and name: `CODEX_FRESHSERVICE_API_KEY`.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("CODEX_{}_{}", self.section, self.name).replace('.', "_").to_uppercase()
    }

    /// `section.name`, as `config show` prints it.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }
}

const fn key(section: &'static str, name: &'static str, default: &'static str, help: &'static str) -> Key {
    Key { section, name, default, kind: Kind::Plain, also_env: &[], also_conf: &[], help }
}

impl Key {
    const fn kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    const fn env(mut self, names: &'static [&'static str]) -> Self {
        self.also_env = names;
        self
    }

    const fn conf(mut self, places: &'static [(&'static str, &'static str)]) -> Self {
        self.also_conf = places;
        self
    }
}

/// One of the vendor's custom fields, whose name at the vendor is by default ours.
const fn field(name: &'static str) -> Key {
    key("freshservice.fields", name, name, "The custom field at Freshservice that holds this value")
}

/// Every setting, in the order in which the README lists them.
#[must_use]
pub fn keys() -> &'static [Key] {
    KEYS
}

const KEYS: &[Key] = &[
    key("server", "bind", "127.0.0.1:5010", "Address and port to listen on; port 0 picks a free one"),
    key("server", "public_url", "", "The address people use, when a reverse proxy stands in front"),
    key("server", "trusted_proxies", "127.0.0.0/8, ::1/128", "Networks whose forwarded headers count"),
    key("server", "log_level", "info", "trace, debug, info, warn or error, or a tracing filter").env(&["LOG_LEVEL", "RUST_LOG"]),
    key("server", "log_format", "text", "text, or json for one object a line"),
    key(
        "server",
        "tls_cert",
        "",
        "Certificate in PEM, with those that vouch for it, in the instance folder unless the path is absolute: Codex then speaks https itself",
    ),
    key("server", "tls_key", "", "The key of that certificate, in PEM"),
    key("server", "metrics_token", "", "Bearer token with which /metrics may be read from elsewhere than this machine")
        .kind(Kind::Secret),
    key("server", "dev", "false", "Read assets from disk, log at debug, cache nothing"),
    key("limits", "body_kib", "24576", "Request bodies that are held at once, in KiB; past it, writes are answered with 503"),
    key("limits", "answer_kib", "32768", "Answers that are held at once, kept or waiting to be sent, in KiB"),
    key("limits", "cache_kib", "16384", "Answers that are kept until their data changes, in KiB"),
    key(
        "limits",
        "disclosure_kib",
        "4096",
        "Readings of protected records that wait to be stored, in KiB; past it, they are refused with 503",
    ),
    key("limits", "connections", "10240", "Connections at once; past it, the one that has been idle longest is closed"),
    key(
        "limits",
        "key_requests",
        "1200",
        "Requests that an API key makes in a minute, of all processes on one database; past it, it is answered with 429",
    ),
    key("limits", "attachment_mib", "50", "The largest file that is put on a record, in MiB"),
    key("limits", "body_seconds", "10", "A request body that pauses for so long is refused"),
    key("limits", "head_seconds", "20", "A request whose head takes longer is dropped"),
    key("limits", "send_seconds", "30", "A connection that takes nothing of its answer for so long is closed"),
    key("database", "connection_string", "", "postgresql://… or sqlite:///…; unset means codex.db in the instance folder")
        .kind(Kind::Address),
    key(
        "database",
        "direct_connection_string",
        "",
        "The same database past PgBouncer, postgresql://…, for backups and restores, which cannot work through a pooler",
    )
    .kind(Kind::Address),
    key("database", "db_host", "", "PostgreSQL host, used with the four below when there is no connection string")
        .env(&["DB_HOST"])
        .conf(&[("database_credentials", "db_host")]),
    key("database", "db_port", "5432", "PostgreSQL port").env(&["DB_PORT"]).conf(&[("database_credentials", "db_port")]),
    key("database", "db_name", "", "PostgreSQL database")
        .env(&["DB_NAME"])
        .conf(&[("database_credentials", "db_dbname"), ("database_credentials", "db_name")]),
    key("database", "db_user", "", "PostgreSQL user").env(&["DB_USER"]).conf(&[("database_credentials", "db_user")]),
    key("database", "db_password", "", "PostgreSQL password").kind(Kind::Secret).env(&["DB_PASSWORD"]),
    key(
        "database",
        "slow_query_ms",
        "1000",
        "Statements that take so many milliseconds are logged, without their values; 0 logs none",
    ),
    key("database", "pool_size", "4", "PostgreSQL: sessions of each process that read; two more write and look for changes"),
    key("database", "statement_timeout", "120", "PostgreSQL: seconds that a statement may take"),
    key("database", "lock_timeout", "5", "PostgreSQL: seconds that a statement waits for a lock; past it, 503"),
    key(
        "database",
        "pgbouncer",
        "false",
        "A pooler in transaction mode (PgBouncer) stands before PostgreSQL: nothing is kept in a session",
    ),
    key("core", "url", "", "Address of Core; setting it makes Codex a service of the platform").env(&["CORE_SERVICE_URL"]),
    key("core", "issuer", "hivematrix-core, hivematrix.core", "Issuers whose tokens are accepted").env(&["JWT_ISSUER"]),
    key("core", "revocation_check", "false", "Ask Core whether a user's session was revoked"),
    key("core", "service_name", "codex", "Our name among the services of the platform").env(&["SERVICE_NAME"]),
    key("helm", "url", "", "Address of Helm, which is given the log of the runs on the platform").env(&["HELM_SERVICE_URL"]),
    key("platform", "services", "", "File with the platform's list of services (services.json)"),
    key("keycloak", "url", "", "Address of Keycloak, whose users are mirrored as agents on the platform")
        .env(&["KEYCLOAK_SERVER_URL", "KEYCLOAK_BACKEND_URL"]),
    key("keycloak", "realm", "hivematrix", "The realm with the users").env(&["KEYCLOAK_REALM"]),
    key("keycloak", "admin_user", "admin", "An administrator of the master realm, as whom the users are read")
        .env(&["KEYCLOAK_ADMIN_USER"]),
    key("keycloak", "admin_password", "", "The password of that administrator").kind(Kind::Secret).env(&["KEYCLOAK_ADMIN_PASS"]),
    key(
        "oidc",
        "issuer",
        "",
        "Issuer of an OpenID Connect provider (Keycloak, Microsoft Entra, …) with which people sign in, stand-alone",
    ),
    key("oidc", "client_id", "", "What Codex is called at the provider"),
    key("oidc", "client_secret", "", "The secret of that client; unset for a public client").kind(Kind::Secret),
    key("oidc", "scopes", "openid profile email", "Scopes that are asked for"),
    key("oidc", "name", "single sign-on", "What people call the provider: the button says \"Sign in with …\""),
    key(
        "oidc",
        "role_claim",
        "",
        "Claim of the ID token that holds roles, such as roles, groups or realm_access.roles; unset leaves roles to Codex",
    ),
    key("oidc", "role_admin", "", "Values of that claim that make an administrator"),
    key("oidc", "role_technician", "", "… a technician"),
    key("oidc", "role_billing", "", "… somebody who sees billing"),
    key("oidc", "role_client", "", "… a client"),
    key(
        "oidc",
        "default_role",
        "",
        "Role of who has none of these values: admin, technician, billing or client; unset keeps them out",
    ),
    key("oidc", "create_users", "false", "Add people who are not known here when they first sign in"),
    key("oidc", "email_domains", "", "Domains of which an e-mail address must be; unset means any"),
    key(
        "oidc",
        "trust_email",
        "false",
        "Believe e-mail addresses that the provider does not call verified, as Microsoft Entra calls none",
    ),
    key("oidc", "local_sign_in", "everybody", "Who may still sign in with a password of Codex: everybody, admins or nobody"),
    key("freshservice", "domain", "", "Account name, host name or full address of the Freshservice account")
        .env(&["FRESHSERVICE_DOMAIN"])
        .conf(&[("integrations", "freshservice_domain")]),
    key("freshservice", "web_domain", "", "Host of links to Freshservice, when it differs from the domain"),
    key("freshservice", "api_key", "", "API key of a Freshservice agent")
        .kind(Kind::Secret)
        .env(&["FRESHSERVICE_API_KEY"])
        .conf(&[("integrations", "freshservice_api_key")]),
    key("freshservice", "statuses", "", "Words for the account's ticket statuses by code, such as 8 = scheduled, 42 = on_hold"),
    key(
        "freshservice",
        "default_ticket_hours",
        "0.25",
        "Hours of a closed ticket whose time sheet was read and is empty: 0.25 as the first predecessor counted, 0 as the second",
    )
    .conf(&[("tickets", "default_ticket_hours"), ("sync", "default_ticket_hours")]),
    key("freshservice", "push_ticket_updates", "false", "Write a ticket's status and notes that are set here to Freshservice"),
    key("freshservice", "professional_services_group_id", "", "The agents' group that does projects, as Beacon shows it"),
    key("freshservice", "helpdesk_group_id", "", "The agents' group that answers first, as Beacon shows it"),
    field("account_number"),
    field("plan_selected"),
    field("billing_plan"),
    field("managed_users"),
    field("managed_devices"),
    field("managed_network"),
    field("contract_term"),
    field("contract_start_date"),
    field("contract_end_date"),
    field("company_start_date"),
    field("profit_or_non_profit"),
    field("company_main_number"),
    field("address"),
    field("support_level"),
    field("phone_system"),
    field("email_system"),
    field("datto_portal_url"),
    field("user_number"),
    key("webhooks", "enabled", "false", "Take calls from vendors at /webhooks/…"),
    key("webhooks", "secret", "", "What such a call must carry (X-Webhook-Secret) or be signed with (X-Webhook-Signature)")
        .kind(Kind::Secret),
    key("webhooks", "allowed_ips", "", "Addresses or networks that such calls may come from; unset means any"),
    key("webhooks", "log_payloads", "false", "Log the fields of each call, without what people wrote"),
    key(
        "outgoing_webhooks",
        "private_addresses",
        "false",
        "Let endpoints and channels be private addresses, or http: for test systems alone",
    ),
    key("mail", "host", "", "SMTP server; unset means that Codex sends no mail"),
    key("mail", "port", "", "Its port; unset means 587 for starttls, 465 for tls, 25 for none"),
    key("mail", "tls", "starttls", "starttls, tls (encrypted from the first byte) or none (for a server on this machine alone)"),
    key(
        "mail",
        "ca_file",
        "",
        "File with certificates in PEM that are trusted beside the system's, for a server with one of its own",
    ),
    key("mail", "user", "", "User name at the SMTP server; unset means that it asks for none"),
    key("mail", "password", "", "Password at the SMTP server").kind(Kind::Secret),
    key("mail", "from", "", "Sender of every mail, such as Codex <codex@example.com>"),
    key("datto", "api_endpoint", "", "Datto RMM platform (concord, merlot, …), host or full address")
        .conf(&[("integrations", "datto_api_url")]),
    key("datto", "public_key", "", "Datto RMM API key").kind(Kind::Secret).conf(&[("integrations", "datto_api_key")]),
    key("datto", "secret_key", "", "Datto RMM API secret").kind(Kind::Secret).conf(&[("integrations", "datto_api_secret")]),
    key("datto.fields", "account_number", "AccountNumber", "The site variable that holds the account number"),
    key("datto.fields", "device_type", "udf7", "The user-defined field that holds the type of a device"),
    key("datto.fields", "enabled_administrators", "udf4", "The user-defined field that lists the enabled administrators"),
    key("datto.fields", "bitlocker_key", "udf2", "The user-defined field that holds a device's BitLocker key: kept encrypted"),
    key("datto.fields", "windows_key", "udf9", "The user-defined field that holds a device's Windows key: kept encrypted"),
    key("datto.fields", "backup_bytes", "udf6", "The user-defined field that holds the size of a device's backup in bytes"),
    key(
        "sync",
        "follow_up",
        "on",
        "After a sync that was started over HTTP, assign missing account numbers (Freshservice) or write them to the sites (Datto)",
    ),
    key("sync", "retire_minimum", "3", "A run may always retire this many rows of a kind without approval"),
    key("sync", "retire_percent", "5", "… or this share of the source's live rows, whichever is more"),
    key(
        "sync",
        "private_addresses",
        "false",
        "Let vendors' addresses that are entered in the page or over HTTP be private ones or http: for test systems alone",
    ),
    key("compliance", "cleared_services", "ledger, knowledgetree, helm", "Services that see protected companies' data"),
    key(
        "compat",
        "ledger_asset_billing",
        "false",
        "Give Ledger the fields that switch on its billing by asset type; no effect yet",
    ),
    key("compat", "include_inactive_contacts", "true", "List inactive contacts where neighbours expect them"),
    key("display", "currency", "USD", "Currency of amounts on pages, as an ISO 4217 code"),
    key("display", "time_zone", "UTC", "The office's time zone, as an IANA name: by its day what ends is told"),
    key(
        "assets",
        "prefer",
        "datto",
        "Who is believed where two vendors tell different things of an asset: datto or freshservice",
    ),
    key("scheduler", "enabled", "true", "Whether jobs run by themselves while the server runs"),
    key("scheduler", "skip", "", "Any value keeps jobs from running by themselves").env(&["CODEX_SKIP_SCHEDULER"]),
    key("scheduler", "run_on_startup", "false", "Run every scheduled job when the server starts, too")
        .conf(&[("scheduler", "sync_run_on_startup")]),
    key("scheduler", "time_zone", "local", "Time zone of the times below, as an IANA name; local is the server's own"),
    key("scheduler", "jitter_seconds", "0", "Put each run off by a random time of at most so many seconds"),
    key(
        "scheduler",
        "freshservice",
        "daily",
        "When Freshservice is read: daily (02:00), hourly, frequent, every 4h, a cron expression, off",
    )
    .conf(&[("scheduler", "sync_psa_schedule"), ("scheduler", "sync_freshservice_schedule")]),
    key("scheduler", "freshservice_enabled", "true", "Whether Freshservice is read by itself")
        .conf(&[("scheduler", "sync_psa_enabled"), ("scheduler", "sync_freshservice_enabled")]),
    key("scheduler", "datto", "daily", "When Datto RMM is read: daily (03:00), or as above")
        .conf(&[("scheduler", "sync_rmm_schedule"), ("scheduler", "sync_datto_schedule")]),
    key("scheduler", "datto_enabled", "true", "Whether Datto RMM is read by itself")
        .conf(&[("scheduler", "sync_rmm_enabled"), ("scheduler", "sync_datto_enabled")]),
    key("scheduler", "datto_audits", "after datto", "When the audits of Datto devices are read"),
    key(
        "scheduler",
        "tickets",
        "frequent",
        "When tickets are read: frequent (every 5 minutes), hourly, daily (04:00), or as above",
    )
    .conf(&[("scheduler", "sync_tickets_schedule")]),
    key("scheduler", "tickets_enabled", "true", "Whether tickets are read by themselves")
        .conf(&[("scheduler", "sync_tickets_enabled")]),
    key(
        "scheduler",
        "keycloak_agents",
        "every 10m",
        "When Keycloak's users are mirrored, on the platform: until then the API keys of somebody disabled there go on",
    ),
    key("scheduler", "outbox", "every 1m", "When writes that wait for a vendor are sent, if there are any"),
    key("scheduler", "create_account_numbers", "off", "When account numbers are written to Freshservice"),
    key("scheduler", "push_to_datto", "off", "When account numbers are written to Datto RMM"),
    key("scheduler", "push_to_freshservice", "off", "When drifted account numbers are repaired at Freshservice"),
    key("scheduler", "freeze_month", "off", "On which day of a month (1 to 28, at 06:00) the true-up of the last one is frozen"),
    key("backup", "when", "daily", "When a backup is made by itself: daily (01:30), or as the jobs above; off"),
    key("backup", "to", "", "The folder for backups; unset means backups/ in the instance folder"),
    key(
        "backup",
        "keep",
        "7d,4w,12m",
        "Which backups are kept there: the newest of each of so many days, weeks and months; the others are deleted",
    ),
    key("backup", "encrypt_to", "", "Recipients (age1…, as age-keygen prints them) to whom backups are encrypted, by commas"),
    key(
        "scheduler",
        "retention",
        "daily",
        "When what is older than [retention] says is removed: daily (04:30), a cron expression, off",
    ),
    key("retention", "history_days", "", "For how many days changes of records are kept, at least 100; unset means for ever"),
    key(
        "retention",
        "disclosures_days",
        "",
        "For how many days readings of protected records are kept, at least 2192 (six years); unset means for ever",
    ),
    key(
        "retention",
        "jobs_days",
        "",
        "For how many days ended jobs, their logs, runs and plans are kept, at least 7; unset means the newest 200 jobs and 500 runs",
    ),
    key("retention", "staging_days", "30", "For how many days what a failed sync had read is kept, at least 1"),
    key("retention", "outbox_days", "180", "For how many days what was written to vendors is kept, at least 1"),
    key("retention", "webhooks_days", "7", "For how many days delivered messages of outgoing webhooks are kept, at least 1"),
    key("retention", "notices_days", "90", "For how many days notices that are over are kept, at least 1"),
    key(
        "credentials",
        "key",
        "",
        "Key that protects credentials entered in the page; unset means credentials.key beside the database",
    )
    .kind(Kind::Secret),
    key("assets", "life_quiet_days", "14", "A device that the RMM has not seen for so many days is quiet"),
    key("assets", "life_stale_days", "30", "… is stale"),
    key("assets", "life_archived_days", "90", "… is archived; a company may have days of its own"),
    key("assets", "archived_leave_billing", "false", "Leave archived assets out of the lists that neighbours bill from"),
];

/// Sections that belong to later work, or to vendors not served yet: accepted, ignored, mentioned once.
pub const LATER: &[&str] = &["psa", "rmm", "psa.superops", "superops", "billing", "agents"];
