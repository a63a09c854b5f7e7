//! Databases of the service that came before Codex, in each of its three generations, as its programs left them: with
//! missing values, times without a zone, keys that lead nowhere, and text that is not what its column is for.

use std::path::Path;

use crate::support::{Database, Engine};

/// Which of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    Oldest,
    First,
    Later,
}

pub const ALL: [Generation; 3] = [Generation::Oldest, Generation::First, Generation::Later];

/// How many assets there are beside the odd ones.
pub const PLAIN: i64 = 40;

const TICKET: &str = "company_account_number VARCHAR(50), ticket_number VARCHAR(50), subject TEXT, description TEXT,
    description_text TEXT, status VARCHAR(50), priority VARCHAR(50), requester_email VARCHAR(150), requester_name VARCHAR(150),
    created_at VARCHAR(50), last_updated_at VARCHAR(50), closed_at VARCHAR(50), total_hours_spent DOUBLE PRECISION,
    conversations TEXT, notes TEXT";

/// Makes one, in a folder of its own.
pub fn database(engine: &Engine, folder: &Path, generation: Generation) -> Database {
    let folder = folder.join(format!("former-{generation:?}").to_lowercase());
    std::fs::create_dir_all(&folder).unwrap();
    let database = engine.database(&folder, None);
    database.execute(&schema(generation));
    database.execute(&rows(generation));
    database
}

/// Its address for the command.
pub fn address(database: &Database) -> String {
    database.url().unwrap_or_else(|| database.file().unwrap().to_str().unwrap().to_owned())
}

fn schema(generation: Generation) -> String {
    use Generation::{First, Later, Oldest};
    let company = match generation {
        Oldest => "freshservice_id BIGINT UNIQUE, primary_contact_name VARCHAR(150)",
        First => "freshservice_id BIGINT UNIQUE NOT NULL",
        Later => "external_id BIGINT UNIQUE, external_source VARCHAR(50), psa_provider VARCHAR(50), compliance_level VARCHAR(20)",
    };
    let contract = "created_at VARCHAR(100), updated_at VARCHAR(100), head_user_id BIGINT, prime_user_id BIGINT, prime_user_name VARCHAR(150),
        workspace_id INTEGER, billing_plan VARCHAR(100), managed_users VARCHAR(100), managed_devices VARCHAR(100), managed_network VARCHAR(100),
        contract_term VARCHAR(50), contract_term_length VARCHAR(50), contract_start_date VARCHAR(100), contract_end_date VARCHAR(100),
        address TEXT, support_level VARCHAR(100), phone_system VARCHAR(100), email_system VARCHAR(100), datto_portal_url VARCHAR(255),";
    let contract = if generation == Oldest { "" } else { contract };
    let contact = match generation {
        Oldest => "",
        First => "freshservice_id BIGINT UNIQUE, external_id VARCHAR(100),",
        Later => "external_id BIGINT UNIQUE, external_source VARCHAR(50),",
    };
    let person = "first_name VARCHAR(150), last_name VARCHAR(150), primary_email VARCHAR(150), is_agent BOOLEAN, vip_user BOOLEAN, has_logged_in BOOLEAN,
        address TEXT, job_title VARCHAR(150), department_ids TEXT, department_names TEXT, reporting_manager_id BIGINT, location_id BIGINT,
        location_name VARCHAR(150), language VARCHAR(10), time_zone VARCHAR(100), time_format VARCHAR(10),
        can_see_all_tickets_from_associated_departments BOOLEAN, can_see_all_changes_from_associated_departments BOOLEAN,
        created_at VARCHAR(100), updated_at VARCHAR(100), background_information TEXT, work_schedule_id BIGINT, user_number VARCHAR(50),";
    let person = if generation == Oldest { "" } else { person };
    let udfs: String = (1..=30).map(|number| format!("udf{number} TEXT, ")).collect();
    let udfs = if generation == Oldest { String::new() } else { udfs };
    let site = if generation == Later { "rmm_site_name" } else { "datto_site_name" };
    let mut all = format!(
        "CREATE TABLE companies (account_number VARCHAR(50) PRIMARY KEY, name TEXT NOT NULL, description TEXT, plan_selected VARCHAR(100),
            profit_or_non_profit VARCHAR(50), company_main_number VARCHAR(50), company_start_date VARCHAR(100), head_name VARCHAR(150), domains TEXT,
            {contract} {company});
         CREATE TABLE contacts (id INTEGER PRIMARY KEY, {contact} {person} name VARCHAR(150) NOT NULL, email VARCHAR(150) NOT NULL, title VARCHAR(150),
            employment_type VARCHAR(100), active BOOLEAN, mobile_phone_number VARCHAR(50), work_phone_number VARCHAR(50), secondary_emails TEXT);
         CREATE TABLE contact_company_link (contact_id INTEGER, company_account_number VARCHAR(50), PRIMARY KEY (contact_id, company_account_number));
         CREATE TABLE assets (id BIGINT PRIMARY KEY, hostname TEXT NOT NULL, company_account_number VARCHAR(50) NOT NULL, hardware_type VARCHAR(100),
            operating_system VARCHAR(100), last_logged_in_user VARCHAR(150), {site} VARCHAR(150), antivirus_product VARCHAR(100), description TEXT,
            ext_ip_address VARCHAR(50), int_ip_address VARCHAR(50), domain VARCHAR(100), last_audit_date VARCHAR(50), last_reboot VARCHAR(50),
            last_seen VARCHAR(50), online BOOLEAN, patch_status VARCHAR(50), backup_usage_tb VARCHAR(50), enabled_administrators TEXT,
            device_type VARCHAR(50), {udfs} portal_url VARCHAR(255), web_remote_url VARCHAR(255));
         CREATE TABLE asset_contact_link (asset_id INTEGER, contact_id INTEGER, PRIMARY KEY (asset_id, contact_id));
         CREATE TABLE company_feature_overrides (id INTEGER PRIMARY KEY, company_account_number VARCHAR(50) NOT NULL, feature_key VARCHAR(100) NOT NULL,
            value VARCHAR(100) NOT NULL, override_enabled BOOLEAN NOT NULL);
         CREATE TABLE locations (id INTEGER PRIMARY KEY, name VARCHAR(150) NOT NULL, address VARCHAR(255), phone_number VARCHAR(50),
            company_account_number VARCHAR(50) NOT NULL);"
    );
    all += match generation {
        Later => {
            "CREATE TABLE rmm_site_links (id INTEGER PRIMARY KEY, company_account_number VARCHAR(50) NOT NULL, rmm_site_uid VARCHAR(100) NOT NULL,
                rmm_provider VARCHAR(50) NOT NULL);"
        }
        Oldest | First => {
            "CREATE TABLE datto_site_links (id INTEGER PRIMARY KEY, company_account_number VARCHAR(50) NOT NULL, datto_site_uid VARCHAR(100) NOT NULL);"
        }
    };
    if generation == Oldest {
        all += "CREATE TABLE users (id INTEGER PRIMARY KEY, username VARCHAR(150), email VARCHAR(150), password_hash VARCHAR(200),
                    permission_level VARCHAR(50), company_account_number VARCHAR(50), api_key VARCHAR(64));
                CREATE TABLE scheduler_jobs (id INTEGER PRIMARY KEY, job_name VARCHAR(150), script_path VARCHAR(255), interval_minutes INTEGER,
                    enabled BOOLEAN, last_run VARCHAR(100), last_status VARCHAR(50), last_run_log TEXT);";
        return all;
    }
    let costs = [
        "per_user_cost",
        "per_workstation_cost",
        "per_server_cost",
        "per_vm_cost",
        "per_switch_cost",
        "per_firewall_cost",
        "per_hour_ticket_cost",
        "backup_base_fee_workstation",
        "backup_base_fee_server",
        "backup_included_tb",
        "backup_per_tb_fee",
    ];
    let costs: String = costs.iter().map(|cost| format!("{cost} NUMERIC(10,2), ")).collect();
    all += &format!(
        "CREATE TABLE billing_plans (id INTEGER PRIMARY KEY, plan_name VARCHAR(100) NOT NULL, term_length VARCHAR(50) NOT NULL, support_level VARCHAR(100) NOT NULL,
            {costs} antivirus VARCHAR(100), soc VARCHAR(100), password_manager VARCHAR(100), sat VARCHAR(100), email_security VARCHAR(100),
            network_management VARCHAR(100));
         CREATE TABLE plan_features (id INTEGER PRIMARY KEY, plan_id INTEGER NOT NULL, feature_type VARCHAR(100) NOT NULL, feature_value VARCHAR(150) NOT NULL);
         CREATE TABLE feature_options (id INTEGER PRIMARY KEY, feature_category VARCHAR(100) NOT NULL, option_value VARCHAR(100) NOT NULL,
            display_name VARCHAR(150), feature_type VARCHAR(100), description TEXT);
         CREATE TABLE sync_jobs (id VARCHAR(50) PRIMARY KEY, script VARCHAR(50), status VARCHAR(20), started_at VARCHAR(50), output TEXT, success BOOLEAN);
         CREATE TABLE agents (keycloak_id VARCHAR(100) PRIMARY KEY, username VARCHAR(150) NOT NULL, email VARCHAR(150) NOT NULL, first_name VARCHAR(150),
            last_name VARCHAR(150), enabled BOOLEAN, theme_preference VARCHAR(20), preferred_color_theme VARCHAR(20), knowledgetree_view_preference VARCHAR(20),
            home_page_preference VARCHAR(50), created_at VARCHAR(100), updated_at VARCHAR(100), last_synced_at VARCHAR(100));"
    );
    all + &if generation == First {
        format!("CREATE TABLE ticket_details (ticket_id BIGINT PRIMARY KEY, {TICKET});")
    } else {
        format!(
            "CREATE TABLE ticket_details (id INTEGER PRIMARY KEY, external_id BIGINT NOT NULL, external_source VARCHAR(50) NOT NULL, {TICKET},
                status_id INTEGER, priority_id INTEGER, ticket_type VARCHAR(50), requester_id BIGINT, responder_id BIGINT, group_id BIGINT, department_id BIGINT,
                fr_due_by VARCHAR(50), due_by VARCHAR(50), first_responded_at VARCHAR(50), agent_responded_at VARCHAR(50), webhook_updated_at VARCHAR(50));
             CREATE TABLE feature_category_config (id INTEGER PRIMARY KEY, feature_key VARCHAR(100) NOT NULL, display_name VARCHAR(150) NOT NULL,
                full_name VARCHAR(255), description TEXT);
             CREATE TABLE psa_agents (id INTEGER PRIMARY KEY, external_id BIGINT NOT NULL, external_source VARCHAR(50) NOT NULL, email VARCHAR(150),
                first_name VARCHAR(100), last_name VARCHAR(100), active BOOLEAN, job_title VARCHAR(150), department_ids TEXT, group_ids TEXT,
                created_at VARCHAR(50), updated_at VARCHAR(50), provider_data TEXT);"
        )
    }
}

/// The same people, devices and tickets in each; what a generation has no column for is left out.
fn rows(generation: Generation) -> String {
    use Generation::{First, Later, Oldest};
    let of_vendor = if generation == Later { "external_id" } else { "freshservice_id" };
    let mut all = format!(
        "INSERT INTO companies (account_number, name, {of_vendor}, description, plan_selected, company_main_number, company_start_date, domains) VALUES
            ('100001', 'Acme', 11, 'Makes anvils', 'Gold', '+1 253 555 0114', '2019-05-01', '[\"acme.com\", \"acme.org\"]'),
            (' 100002 ', 'Bolt', 12, NULL, NULL, NULL, NULL, 'bolt.com, bolt.org'),
            ('A/B 1', 'Slash & Co', 13, NULL, NULL, NULL, NULL, '{{\"not\": \"a list\"}}');
         INSERT INTO contacts (id, name, email, title, employment_type, active, work_phone_number, secondary_emails) VALUES
            (3, 'Ava Patel', 'ava@example.com', 'Director', 'Full Time', 'true', '253-555-0100', '[\"a@example.org\"]'),
            (5, 'Ava Patel junior', 'AVA@example.com', NULL, NULL, NULL, NULL, 'not json'),
            (8, '', 'nobody', NULL, 'Contractor', 'false', NULL, NULL);
         INSERT INTO contact_company_link VALUES (3, '100001'), (5, ' 100002 '), (77, '100001'), (8, '999999');
         INSERT INTO assets (id, hostname, company_account_number, hardware_type, operating_system, last_seen, online, backup_usage_tb, portal_url) VALUES
            (7, 'LT-7', '100001', 'Laptop', 'Windows 11', '2025-10-01 12:00:00', 'true', '1.25', 'https://rmm.example/7'),
            (9, 'SRV-9', '999999', 'Server', NULL, 'yesterday', NULL, NULL, 'javascript:alert(1)'),
            (11, '{}', ' 100002 ', NULL, NULL, NULL, 'false', NULL, NULL),
            (3000000000, 'TOO-FAR', '100001', NULL, NULL, NULL, NULL, NULL, NULL);
         INSERT INTO asset_contact_link VALUES (7, 3), (7, 5), (9, 99);
         INSERT INTO company_feature_overrides VALUES (1, '100001', 'antivirus', 'SentinelOne', 'true'), (2, '100001', 'soc', 'Off', 'false'),
            (3, '100001', 'antivirus', 'Another', 'true');
         INSERT INTO locations VALUES (4, 'Head office', '1 Main St', NULL, '100001'), (6, 'Nowhere', NULL, NULL, '999999');",
        "x".repeat(200)
    );
    for id in 100..100 + PLAIN {
        all += &format!(
            "INSERT INTO assets (id, hostname, company_account_number, hardware_type, operating_system, domain, last_seen, online, description)
             VALUES ({id}, 'PC-{id}', '{}', 'Desktop', 'System {id}', 'd{id}.example', '2025-10-01T12:00:00', 'true', 'Number {id}');",
            if id % 2 == 0 { "100001" } else { " 100002 " }
        );
    }
    all += match generation {
        Later => "INSERT INTO rmm_site_links VALUES (1, '100001', 'UID-1', 'datto'), (2, '100001', 'UID-2', 'superops');",
        Oldest | First => "INSERT INTO datto_site_links VALUES (1, '100001', 'UID-1'), (2, '999999', 'UID-2');",
    };
    if generation == Oldest {
        return all
            + "UPDATE companies SET primary_contact_name = 'Ava Patel' WHERE account_number = '100001';
               INSERT INTO users VALUES (1, 'ada', 'ada@example.com', 'pbkdf2:x', 'admin', NULL, 'canary-key');
               INSERT INTO scheduler_jobs VALUES (1, 'pull', 'pull_datto.py', 1440, 'true', NULL, NULL, NULL);";
    }
    all += "UPDATE companies SET billing_plan = 'Silver', contract_term = '1 Year', contract_term_length = '1-Year',
                contract_start_date = '2024-01-15T00:00:00Z', created_at = '2020-01-01T08:00:00', head_user_id = 21000000001, workspace_id = 2
            WHERE account_number = '100001';
            UPDATE companies SET contract_start_date = '15/01/2024', contract_term = '3 years' WHERE account_number = ' 100002 ';
            UPDATE contacts SET first_name = 'Ava', last_name = 'Patel', primary_email = email, job_title = title, department_ids = '[11]',
                vip_user = 'true', created_at = '2021-02-03 04:05:06' WHERE id = 3;
            UPDATE contacts SET primary_email = email;
            UPDATE assets SET udf1 = 'tenant', udf2 = 'canary-bitlocker', udf6 = '1374389534720', udf7 = 'Laptop', enabled_administrators = 'root' WHERE id = 7;
            INSERT INTO billing_plans (id, plan_name, term_length, support_level, per_user_cost, per_workstation_cost, backup_included_tb, antivirus, soc) VALUES
                (1, 'Gold', '1 Year', 'Billed Hourly', NULL, NULL, NULL, NULL, NULL),
                (2, 'Gold', '1-Year', 'All Inclusive', 19.99, 150, NULL, 'Not Included', 'Arctic'),
                (6, 'Silver', 'Month to Month', 'Billed Hourly', NULL, 0, 2, NULL, NULL);
            INSERT INTO plan_features VALUES (1, 2, 'antivirus', 'SentinelOne'), (2, 2, 'web_filtering', 'Yes'), (3, 99, 'soc', 'No');
            INSERT INTO feature_options VALUES (1, 'antivirus', 'SentinelOne', 'SentinelOne', 'antivirus', 'EDR'), (4, 'antivirus', 'sentinelone', NULL, NULL, NULL);
            INSERT INTO sync_jobs VALUES ('j-1', 'datto', 'completed', '2025-01-01', 'x', 'true');
            INSERT INTO agents (keycloak_id, username, email, first_name, last_name, enabled, theme_preference, preferred_color_theme,
                knowledgetree_view_preference, home_page_preference) VALUES
                ('kc-1', 'ada', 'ada@example.com', 'Ada', 'Byron', 'true', 'dark', 'matrix', 'tree', 'ledger'),
                ('kc-2', 'bob', 'bob@example.com', NULL, NULL, 'false', 'pink', NULL, 'grid', NULL);";
    all += match generation {
        First => {
            "UPDATE contacts SET freshservice_id = 20000 + id, external_id = 'HR-' || CAST(id AS TEXT);
             INSERT INTO ticket_details (ticket_id, company_account_number, ticket_number, subject, description, description_text, status, priority, requester_email,
                created_at, last_updated_at, closed_at, total_hours_spent, conversations, notes) VALUES "
        }
        _ => {
            "UPDATE contacts SET external_id = 20000 + id, external_source = 'freshservice';
             UPDATE companies SET external_source = 'freshservice', psa_provider = 'freshservice';
             UPDATE companies SET compliance_level = 'phi' WHERE account_number = ' 100002 ';
             INSERT INTO feature_category_config VALUES (2, 'web_filtering', 'Web filter', 'Web filtering', 'DNS');
             INSERT INTO psa_agents (id, external_id, external_source, email, first_name, active, group_ids, provider_data) VALUES
                (12, 31000, 'freshservice', 'tess@example.com', 'Tess', NULL, '[1, 2]', '{\"a\": 1}');
             INSERT INTO ticket_details (external_id, company_account_number, ticket_number, subject, description, description_text, status, priority, requester_email,
                created_at, last_updated_at, closed_at, total_hours_spent, conversations, notes, id, external_source) VALUES "
        }
    };
    let more = |id: i64| if generation == Later { format!(", {id}, 'freshservice'") } else { String::new() };
    all += &format!(
        "(5001, '100001', '5001', 'Printer', '<p>It <script>x</script>smokes</p>', 'It smokes', 'Closed', 'Medium', 'ava@example.com',
            '2025-03-01 08:00:00', '2025-03-02T09:00:00', '2025-03-02T09:00:00Z', 1.5,
            '[{{\"id\": 901, \"body\": \"Off and on?\", \"from_email\": \"help@example.com\", \"created_at\": \"2025-03-01T10:00:00Z\", \"incoming\": false, \"private\": false}}]',
            '[{{\"id\": 902, \"body\": \"Toner\", \"created_at\": \"2025-03-01T11:00:00Z\", \"private\": true}}, {{\"text\": \"Asked twice\", \"user\": \"ada\", \"created_at\": \"2025-03-01T12:00:00\"}}]'{}),
         (5002, NULL, NULL, NULL, NULL, NULL, NULL, 'Whenever', 'no address', '2025-04-01', NULL, NULL, NULL, 'not json', NULL{});",
        more(1),
        more(2)
    );
    all
}
