//! The integration tests, black box: they start the built program and talk to it over HTTP, by its
//! command line and through its database, on both engines. See tests/README.md.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test says what went wrong by failing"
)]
#![expect(clippy::pedantic, reason = "tests are read one by one")]
mod accounts;
mod accounts_datto;
mod answers;
mod api_keys;
mod architecture;
mod as_of;
mod asking;
mod assets;
mod attachments;
mod auth_people;
mod auth_platform;
mod backups;
mod bad_input;
mod billing;
mod billing_months;
mod bulk;
mod bulk_pages;
mod calendar;
mod client_scope;
mod command_line;
mod companies;
mod compliance;
mod configuration;
mod conformance;
mod contacts;
mod contract_index;
mod copying;
mod core;
mod costs;
mod credentials;
#[allow(dead_code, unused_imports, clippy::allow_attributes, reason = "a stand-in has what its vendor has, asked for or not")]
mod datto;
mod db_faults;
mod db_layer;
mod description;
mod devices;
mod doctor;
mod durability;
mod exporting;
#[cfg(feature = "postgres")]
mod failover;
mod feed;
mod field_tables;
mod finding;
mod first_run;
mod forget;
mod former;
mod forms;
mod freshness;
#[allow(dead_code, unused_imports, clippy::allow_attributes, reason = "a stand-in has what its vendor has, asked for or not")]
mod freshservice;
mod helm;
mod helm_install;
mod history_words;
mod http_server;
mod https;
mod import;
mod inside_nexus;
mod keeping;
mod kept_answers;
mod keycloak;
mod leavers;
mod licences;
mod limits;
mod list_habits;
mod local_tokens;
mod mail;
mod merge;
mod metrics;
mod migrations;
mod moving_in;
mod neighbours;
mod network;
mod notes;
mod notices;
mod outgoing_webhooks;
mod own_fields;
mod own_pages;
mod page_weight;
mod pages;
mod parsed;
mod permissions;
mod platform;
#[cfg(feature = "postgres")]
mod pooler;
#[cfg(feature = "postgres")]
mod postgres_encrypted;
mod protection;
mod receiver;
mod retention;
mod saved_views;
mod scans;
mod scheduler;
mod search;
mod second_factor;
mod secrets;
mod service_calls;
mod sessions;
mod several_instances;
mod single_sign_on;
mod slow_queries;
mod stand_ins;
mod stand_ins_datto;
mod support;
mod sync_audits;
mod sync_devices;
mod sync_hostile;
mod sync_jobs;
mod sync_matching;
mod sync_people;
mod sync_pull;
mod sync_safety;
mod sync_tickets;
mod sync_values;
mod sync_words;
mod sync_worlds;
mod systemd;
mod tags;
mod tenants;
mod ticket_push;
mod tickets;
mod undo;
#[allow(dead_code, unused_imports, clippy::allow_attributes, reason = "a stand-in has what its vendor has, asked for or not")]
mod user_accounts;
mod vendor_clients;
mod vendor_faults;
mod warranty;
mod webhooks;
mod workspaces;
