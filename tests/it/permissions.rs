//! Who may do what: one table of route × caller (contract §3.5). A new route without a row fails.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Api, App, Engine, PASSWORD, both};

/// The callers, in the order of the columns below; what the last two may follows from the columns ([`columns`]).
const CALLERS: [&str; 8] =
    ["anonymous", "client", "billing", "technician", "admin", "service", "a key that reads", "a key that writes"];

/// Everybody, without any token.
const PUBLIC: &str = "y y y y y y";
/// Everybody who is signed in; clients within their companies.
const SIGNED_IN: &str = "1 y y y y y";
/// People, not programs.
const PEOPLE: &str = "1 y y y y 3";
/// Those who change domain rows.
const EDITORS: &str = "1 3 3 y y y";
/// Technicians, administrators and services: those who watch syncs.
const STAFF: &str = "1 3 3 y y y";
/// Administrators and services.
const ADMINS: &str = "1 3 3 3 y y";

/// Those who change domain rows, people only: the forms of pages.
const STAFF_PEOPLE: &str = "1 3 3 y y 3";
/// Everybody but clients: the provider's own people.
const NO_CLIENTS: &str = "1 3 y y y y";
/// The provider's own people, and no services: pages of what is billed.
const NO_CLIENTS_PEOPLE: &str = "1 3 y y y 3";
/// Those who say how companies are counted, and freeze months.
const BILLING: &str = "1 3 y 3 y y";
/// The same, people only: pages.
const BILLING_PEOPLE: &str = "1 3 y 3 y 3";
/// Administrators, people only: pages, and who read what.
const ADMIN_PEOPLE: &str = "1 3 3 3 y 3";

/// Route, callers (`y`: allowed, `1`: 401, `3`: 403), and what the allowed ones are answered when they send `{}` for
/// a company, contact or asset of the world: one status for all of them, or one each in the order of the columns, the
/// last one also for those that are not named.
const TABLE: &[(&str, &str, &str)] = &[
    ("GET /.well-known/jwks.json", PUBLIC, "200"),
    ("POST /account/password", PEOPLE, "400"),
    ("GET /companies/{acct}/locations/{id}/edit", STAFF_PEOPLE, "404"),
    ("POST /companies/{acct}/locations/{id}/edit", STAFF_PEOPLE, "404"),
    ("GET /records/{entity}/{id}", STAFF_PEOPLE, "303"),
    ("GET /api/alerts", SIGNED_IN, "200"),
    ("GET /api/asset/{id}", SIGNED_IN, "200"),
    ("GET /api/assets", SIGNED_IN, "200"),
    ("POST /api/assets", EDITORS, "400"),
    ("PATCH /api/assets", EDITORS, "400"),
    ("DELETE /api/assets", EDITORS, "400"),
    ("POST /api/assets/{id}/merge", EDITORS, "400"),
    ("DELETE /api/assets/{id}", EDITORS, "200"),
    ("GET /api/assets/{id}", SIGNED_IN, "200"),
    ("PATCH /api/assets/{id}", EDITORS, "200"),
    ("PUT /api/assets/{id}", EDITORS, "200"),
    ("POST /api/assets/{id}/restore", EDITORS, "200"),
    ("GET /api/changes", STAFF, "200"),
    ("GET /api/batches/{id}", STAFF, "404"),
    ("POST /api/batches/{id}/undo", EDITORS, "404"),
    ("POST /api/changes/{seq}/undo", EDITORS, "409"),
    ("GET /api/companies", SIGNED_IN, "200"),
    ("POST /api/companies", EDITORS, "400"),
    ("GET /api/companies/bulk", SIGNED_IN, "200"),
    ("PATCH /api/companies", EDITORS, "400"),
    ("DELETE /api/companies", ADMINS, "400"),
    ("POST /api/companies/{acct}/merge", ADMINS, "400"),
    ("PATCH /api/companies/{acct}/locations", EDITORS, "400"),
    ("DELETE /api/companies/{acct}/locations", EDITORS, "400"),
    ("DELETE /api/companies/{acct}", ADMINS, "200"),
    ("GET /api/companies/{acct}", SIGNED_IN, "200"),
    ("PATCH /api/companies/{acct}", EDITORS, "200"),
    ("PUT /api/companies/{acct}", EDITORS, "200"),
    ("GET /api/companies/{acct}/aliases", STAFF, "200"),
    ("GET /api/companies/{acct}/assets", SIGNED_IN, "200"),
    ("GET /api/companies/{acct}/attached", SIGNED_IN, "200"),
    ("GET /api/companies/{acct}/contacts", SIGNED_IN, "200"),
    ("GET /api/companies/{acct}/locations", SIGNED_IN, "200"),
    ("POST /api/companies/{acct}/locations", EDITORS, "400"),
    ("DELETE /api/companies/{acct}/locations/{id}", EDITORS, "404"),
    ("GET /api/companies/{acct}/locations/{id}", SIGNED_IN, "404"),
    ("PATCH /api/companies/{acct}/locations/{id}", EDITORS, "404"),
    ("PUT /api/companies/{acct}/locations/{id}", EDITORS, "404"),
    ("POST /api/companies/{acct}/restore", EDITORS, "200"),
    ("GET /api/companies/{acct}/tickets", SIGNED_IN, "200"),
    ("GET /api/companies/{acct}/users", SIGNED_IN, "200"),
    ("GET /api/change_requests", SIGNED_IN, "200"),
    ("GET /api/change_requests/{id}", SIGNED_IN, "404"),
    ("GET /api/config/freshservice_domain", SIGNED_IN, "200"),
    ("GET /api/freshservice/agents", NO_CLIENTS, "200"),
    ("GET /api/freshservice/ticket/{id}", SIGNED_IN, "404 502 502 502 502"),
    ("GET /api/freshservice/tickets", SIGNED_IN, "200"),
    ("GET /api/psa/config", SIGNED_IN, "200"),
    ("GET /api/psa/tickets", SIGNED_IN, "200"),
    ("GET /api/psa/tickets/active", SIGNED_IN, "200"),
    ("GET /api/ticket/{id}", SIGNED_IN, "404 502 502 502 502"),
    ("POST /api/ticket/{id}/update", EDITORS, "404"),
    ("GET /api/tickets", SIGNED_IN, "200"),
    ("GET /api/tickets/active", SIGNED_IN, "200"),
    ("GET /api/company/{acct}", SIGNED_IN, "200"),
    ("GET /api/contact/{id}", SIGNED_IN, "200"),
    ("GET /api/contacts", SIGNED_IN, "200"),
    ("POST /api/contacts", EDITORS, "400"),
    ("PATCH /api/contacts", EDITORS, "400"),
    ("DELETE /api/contacts", EDITORS, "400"),
    ("POST /api/contacts/{id}/merge", EDITORS, "400"),
    ("POST /api/contacts/{id}/forget", ADMINS, "400"),
    ("DELETE /api/contacts/{id}", EDITORS, "200"),
    ("GET /api/contacts/{id}", SIGNED_IN, "200"),
    ("PATCH /api/contacts/{id}", EDITORS, "200"),
    ("PUT /api/contacts/{id}", EDITORS, "200"),
    ("POST /api/contacts/{id}/restore", EDITORS, "200"),
    ("GET /api/compliance/policy", ADMIN_PEOPLE, "200"),
    ("GET /api/backups", ADMINS, "200"),
    ("GET /api/disclosures", ADMIN_PEOPLE, "200"),
    ("GET /api/disclosures/counts", ADMIN_PEOPLE, "200"),
    ("GET /api/health", PUBLIC, "200"),
    ("GET /api/history/{entity}/{id}", STAFF, "200"),
    ("PUT /api/my/password", PEOPLE, "400"),
    ("GET /api/my/settings", PEOPLE, "200"),
    ("PUT /api/my/settings", PEOPLE, "200"),
    ("GET /api/pins/{entity}/{id}", STAFF, "200"),
    ("DELETE /api/pins/{entity}/{id}/{field}", EDITORS, "200"),
    ("PUT /api/pins/{entity}/{id}/{field}", EDITORS, "200"),
    ("GET /api/openapi.json", PUBLIC, "200"),
    ("GET /apispec.json", PUBLIC, "200"),
    ("GET /api/outbox", ADMINS, "200"),
    ("GET /api/outbox/{id}", ADMINS, "404"),
    ("POST /api/outbox/{id}/approve", ADMINS, "404"),
    ("POST /api/outbox/{id}/discard", ADMINS, "404"),
    ("POST /api/outbox/{id}/retry", ADMINS, "404"),
    ("POST /api/companies/{acct}/push", EDITORS, "409"),
    ("POST /api/contacts/{id}/push", EDITORS, "409"),
    ("GET /api/billing_summary", NO_CLIENTS, "200"),
    ("GET /api/billing/trueup", NO_CLIENTS, "200"),
    ("GET /api/billing/settings/{acct}", NO_CLIENTS, "200"),
    ("PUT /api/billing/settings/{acct}", BILLING, "200"),
    ("PATCH /api/billing/settings/{acct}", BILLING, "200"),
    ("GET /api/billing/exclusions", NO_CLIENTS, "400"),
    ("POST /api/billing/exclusions", BILLING, "400"),
    ("GET /api/billing/exclusions/{id}", NO_CLIENTS, "404"),
    ("PUT /api/billing/exclusions/{id}", BILLING, "404"),
    ("PATCH /api/billing/exclusions/{id}", BILLING, "404"),
    ("DELETE /api/billing/exclusions/{id}", BILLING, "404"),
    ("POST /api/feature-options/{id}/restore", ADMINS, "404"),
    ("GET /api/billing/compare", NO_CLIENTS, "200"),
    ("GET /api/billing/snapshots", NO_CLIENTS, "200"),
    ("POST /api/billing/snapshots", BILLING, "400"),
    ("GET /api/billing/snapshots/{id}", NO_CLIENTS, "404"),
    ("GET /billing/snapshots", NO_CLIENTS_PEOPLE, "200"),
    ("GET /billing/snapshots/{id}", NO_CLIENTS_PEOPLE, "404"),
    ("POST /billing/snapshots/freeze", BILLING_PEOPLE, "400"),
    ("GET /billing/compare", NO_CLIENTS_PEOPLE, "200"),
    ("GET /billing/trueup", NO_CLIENTS_PEOPLE, "200"),
    ("POST /billing/trueup/settings", BILLING_PEOPLE, "404"),
    ("POST /billing/trueup/exclude", BILLING_PEOPLE, "303"),
    ("POST /billing/trueup/include", BILLING_PEOPLE, "400"),
    ("GET /api/billing-plans", SIGNED_IN, "200"),
    ("POST /api/billing-plans", ADMINS, "400"),
    ("GET /api/billing-plans/{plan}", SIGNED_IN, "404"),
    ("PUT /api/billing-plans/{plan}", ADMINS, "404"),
    ("PATCH /api/billing-plans/{plan}", ADMINS, "404"),
    ("DELETE /api/billing-plans/{plan}", ADMINS, "404"),
    ("POST /api/billing-plans/{plan}/restore", ADMINS, "404"),
    ("GET /api/billing-plans/{plan}/{term}", SIGNED_IN, "404"),
    ("GET /api/feature-options", SIGNED_IN, "200"),
    ("POST /api/feature-options", ADMINS, "400"),
    ("GET /api/feature-options/{id}", SIGNED_IN, "404"),
    ("PUT /api/feature-options/{id}", ADMINS, "404"),
    ("PATCH /api/feature-options/{id}", ADMINS, "404"),
    ("DELETE /api/feature-options/{id}", ADMINS, "404"),
    ("GET /billing-plans/api/bulk-plans", SIGNED_IN, "200"),
    ("GET /billing-plans/api/plans", SIGNED_IN, "200"),
    ("GET /billing-plans/api/plans/{plan}/{term}", SIGNED_IN, "404"),
    ("GET /billing-plans/api/feature-options", SIGNED_IN, "200"),
    ("GET /billing-plans/api/feature-categories", SIGNED_IN, "200"),
    ("GET /billing-plans/export", ADMINS, "200"),
    ("POST /billing-plans/import", ADMIN_PEOPLE, "415"),
    ("GET /billing-plans/", PEOPLE, "200"),
    ("GET /billing-plans/edit", ADMIN_PEOPLE, "404"),
    ("GET /billing-plans/features/", PEOPLE, "200"),
    ("POST /billing-plans/save", ADMIN_PEOPLE, "400"),
    ("POST /billing-plans/create", ADMIN_PEOPLE, "400"),
    ("POST /billing-plans/delete", ADMIN_PEOPLE, "400"),
    ("POST /billing-plans/copy-terms", ADMIN_PEOPLE, "400"),
    ("POST /billing-plans/features/add", ADMIN_PEOPLE, "303"),
    ("POST /billing-plans/features/categories/add", ADMIN_PEOPLE, "303"),
    ("POST /billing-plans/features/{id}/edit", ADMIN_PEOPLE, "404"),
    ("POST /billing-plans/features/{id}/delete", ADMIN_PEOPLE, "404"),
    ("GET /api/psa/agents", NO_CLIENTS, "200"),
    ("GET /api/public/user/home-page", SIGNED_IN, "200"),
    ("GET /api/public/user/theme", SIGNED_IN, "200"),
    ("GET /api/search", SIGNED_IN, "200"),
    ("GET /api/sync/jobs/{job_id}/events", STAFF, "404"),
    ("GET /api/sync/jobs/{job_id}/log", STAFF, "404"),
    ("GET /api/sync/credentials", ADMIN_PEOPLE, "200"),
    ("DELETE /api/sync/credentials/{system}", ADMIN_PEOPLE, "200"),
    ("GET /api/sync/credentials/{system}", ADMIN_PEOPLE, "200"),
    ("PUT /api/sync/credentials/{system}", ADMIN_PEOPLE, "400"),
    ("POST /api/sync/credentials/{system}/test", ADMIN_PEOPLE, "200"),
    ("GET /api/sync/schedules", STAFF, "200"),
    ("DELETE /api/sync/schedules/{job}", ADMINS, "200"),
    ("GET /api/sync/schedules/{job}", STAFF, "200"),
    ("PUT /api/sync/schedules/{job}", ADMINS, "200"),
    ("GET /api/sync/sources", STAFF, "200"),
    ("GET /api/sync/plans", ADMINS, "200"),
    ("GET /api/sync/plans/{id}", ADMINS, "404"),
    ("POST /api/sync/plans/{id}/approve", ADMINS, "404"),
    ("POST /api/sync/plans/{id}/discard", ADMINS, "404"),
    ("POST /api/sync/runs/{id}/undo", ADMINS, "404"),
    ("POST /api/token", PUBLIC, "400"),
    ("POST /api/token/revoke", PUBLIC, "400 404 404 404 404 200 401 401"),
    ("POST /api/token/validate", PUBLIC, "400 200 200 200 200 200 401 401"),
    ("GET /api/users", ADMINS, "200"),
    ("GET /api/users/{id}", ADMINS, "200"),
    ("GET /api/datto/device/{id}", SIGNED_IN, "400"),
    ("GET /api/datto/devices", SIGNED_IN, "200"),
    ("GET /api/rmm/device/{id}", SIGNED_IN, "400"),
    ("GET /api/rmm/devices", SIGNED_IN, "200"),
    ("GET /assets/api/search", PEOPLE, "200"),
    ("PUT /assets/{id}/update-contacts", EDITORS, "400"),
    ("GET /companies/api/search", PEOPLE, "200"),
    ("GET /companies/{acct}/locations", SIGNED_IN, "200"),
    ("POST /companies/{acct}/locations", EDITORS, "400"),
    ("DELETE /companies/{acct}/locations/{id}", EDITORS, "404"),
    ("PUT /companies/{acct}/update", EDITORS, "200"),
    ("GET /contacts/api/search", PEOPLE, "200"),
    ("PUT /contacts/{id}/update", EDITORS, "200"),
    ("GET /first-run", PUBLIC, "410"),
    ("POST /first-run", PUBLIC, "410"),
    ("GET /health", PUBLIC, "200"),
    // For this machine, and whoever has a token of its own for it; the callers of this table come with others.
    ("GET /metrics", "y 3 3 3 3 3", "200"),
    ("GET /login", PUBLIC, "200 303 303 303 303 303"),
    ("POST /login", PUBLIC, "401 401 401 401 401 429"),
    ("POST /logout", PUBLIC, "303"),
    ("POST /service-token", PUBLIC, "400"),
    ("GET /static/{*path}", PUBLIC, "200"),
    ("POST /sync/freshservice", ADMINS, "200"),
    ("GET /sync/last/{script}", STAFF, "404"),
    ("POST /sync/create-account-numbers", ADMINS, "200"),
    ("POST /sync/outbox", ADMINS, "200"),
    ("POST /sync/psa", ADMINS, "200"),
    ("POST /sync/datto", ADMINS, "200"),
    ("POST /sync/datto-audits", ADMINS, "200"),
    ("POST /sync/rmm", ADMINS, "200"),
    ("GET /api/sync/review", ADMINS, "200"),
    ("GET /api/assets/{id}/sources", STAFF, "200"),
    ("POST /api/sync/review/accept-exact", ADMINS, "200"),
    ("POST /api/sync/review/{id}/create-company", ADMINS, "404"),
    ("POST /api/sync/review/{id}/link", ADMINS, "400"),
    ("POST /api/sync/review/{id}/ignore", ADMINS, "404"),
    ("POST /sync/push-to-datto", ADMINS, "200"),
    ("POST /sync/push-to-freshservice", ADMINS, "200"),
    ("GET /sync/status/{job_id}", STAFF, "404"),
    ("POST /sync/tickets", STAFF, "200"),
    ("POST /sync/tickets/full-history", ADMINS, "200"),
    ("POST /webhooks/freshservice/ticket", PUBLIC, "503"),
    ("GET /webhooks/health", PUBLIC, "200"),
    ("POST /webhooks/superops/ticket", PUBLIC, "503"),
    ("POST /webhooks/test", PUBLIC, "503"),
    // pages of companies, contacts and assets
    ("GET /", PEOPLE, "200"),
    ("GET /alerts/", PEOPLE, "200"),
    ("GET /assets/", PEOPLE, "200"),
    ("GET /assets/{id}", PEOPLE, "200"),
    ("GET /assets/{id}/label", PEOPLE, "200"),
    ("GET /tickets/", PEOPLE, "200"),
    ("GET /tickets/{id}", PEOPLE, "404"),
    ("POST /tickets/{id}/update", STAFF_PEOPLE, "404"),
    ("GET /companies/", PEOPLE, "200"),
    ("GET /companies/{acct}", PEOPLE, "200"),
    ("GET /contacts/", PEOPLE, "200"),
    ("GET /contacts/{id}", PEOPLE, "200"),
    ("GET /search", PEOPLE, "200"),
    ("GET /import", STAFF_PEOPLE, "200"),
    ("POST /import", STAFF_PEOPLE, "400"),
    ("POST /api/import/{kind}", EDITORS, "400"),
    ("GET /api/companies/{acct}/topology", SIGNED_IN, "200"),
    ("GET /companies/{acct}/topology", PEOPLE, "200"),
    ("GET /bulk/assets", STAFF_PEOPLE, "400"),
    ("POST /bulk/assets", STAFF_PEOPLE, "400"),
    ("POST /bulk/assets/retire", STAFF_PEOPLE, "400"),
    ("GET /bulk/companies", STAFF_PEOPLE, "400"),
    ("POST /bulk/companies", STAFF_PEOPLE, "400"),
    ("POST /bulk/companies/retire", ADMIN_PEOPLE, "400"),
    ("GET /bulk/contacts", STAFF_PEOPLE, "400"),
    ("POST /bulk/contacts", STAFF_PEOPLE, "400"),
    ("POST /bulk/contacts/retire", STAFF_PEOPLE, "400"),
    ("GET /assets/new", STAFF_PEOPLE, "200"),
    ("GET /assets/{id}/edit", STAFF_PEOPLE, "200"),
    ("GET /companies/{acct}/features", STAFF_PEOPLE, "200"),
    ("POST /companies/{acct}/features", STAFF_PEOPLE, "303"),
    ("GET /companies/new", STAFF_PEOPLE, "200"),
    ("GET /companies/{acct}/edit", STAFF_PEOPLE, "200"),
    ("GET /contacts/new", STAFF_PEOPLE, "200"),
    ("GET /contacts/{id}/edit", STAFF_PEOPLE, "200"),
    ("POST /assets/new", STAFF_PEOPLE, "400"),
    ("POST /assets/{id}/secrets/{name}", STAFF_PEOPLE, "404"),
    ("POST /assets/{id}/assign-user", STAFF_PEOPLE, "400"),
    ("POST /assets/{id}/edit", STAFF_PEOPLE, "303"),
    ("POST /assets/{id}/restore", STAFF_PEOPLE, "303"),
    ("POST /assets/{id}/retire", STAFF_PEOPLE, "303"),
    ("POST /assets/{id}/unassign-user/{contact}", STAFF_PEOPLE, "303"),
    ("POST /companies/new", STAFF_PEOPLE, "400"),
    ("POST /companies/{acct}/edit", STAFF_PEOPLE, "303"),
    ("POST /companies/{acct}/locations/add", STAFF_PEOPLE, "400"),
    ("POST /companies/{acct}/locations/{id}/remove", STAFF_PEOPLE, "404"),
    ("POST /companies/{acct}/restore", STAFF_PEOPLE, "303"),
    ("POST /contacts/new", STAFF_PEOPLE, "400"),
    ("POST /contacts/{id}/companies/assign", STAFF_PEOPLE, "400"),
    ("POST /contacts/{id}/companies/remove", STAFF_PEOPLE, "400"),
    ("POST /contacts/{id}/edit", STAFF_PEOPLE, "303"),
    ("POST /contacts/{id}/restore", STAFF_PEOPLE, "303"),
    ("POST /contacts/{id}/retire", STAFF_PEOPLE, "303"),
    ("POST /records/changes/{seq}/undo", STAFF_PEOPLE, "303"),
    ("POST /records/batches/{id}/undo", STAFF_PEOPLE, "404"),
    ("GET /companies/{acct}/merge", ADMIN_PEOPLE, "200"),
    ("POST /companies/{acct}/merge", ADMIN_PEOPLE, "400"),
    ("GET /contacts/{id}/forget", ADMIN_PEOPLE, "200"),
    ("POST /contacts/{id}/forget", ADMIN_PEOPLE, "400"),
    ("GET /contacts/{id}/merge", STAFF_PEOPLE, "200"),
    ("POST /contacts/{id}/merge", STAFF_PEOPLE, "400"),
    ("GET /contacts/{id}/move", STAFF_PEOPLE, "200"),
    ("POST /contacts/{id}/move", STAFF_PEOPLE, "400"),
    ("GET /assets/{id}/merge", STAFF_PEOPLE, "200"),
    ("POST /assets/{id}/merge", STAFF_PEOPLE, "400"),
    ("POST /records/{entity}/{id}/pin", STAFF_PEOPLE, "400"),
    ("POST /records/{entity}/{id}/push", STAFF_PEOPLE, "400"),
    ("POST /companies/{acct}/retire", ADMIN_PEOPLE, "409"),
    // what people save of their lists
    ("GET /api/views", PEOPLE, "200"),
    ("POST /api/views", PEOPLE, "400"),
    ("GET /api/views/{id}", PEOPLE, "404"),
    ("PUT /api/views/{id}", PEOPLE, "404"),
    ("DELETE /api/views/{id}", PEOPLE, "404"),
    ("POST /views", PEOPLE, "400"),
    ("POST /views/{id}", PEOPLE, "404"),
    ("POST /views/{id}/delete", PEOPLE, "404"),
    // programs of people's own: they make and end no keys
    ("GET /api/keys", PEOPLE, "200"),
    ("POST /api/keys", PEOPLE, "400"),
    ("GET /api/keys/{id}", PEOPLE, "404"),
    ("DELETE /api/keys/{id}", PEOPLE, "404"),
    ("GET /account/keys/new", PEOPLE, "200"),
    ("POST /account/keys/new", PEOPLE, "400"),
    ("POST /account/keys/{id}/revoke", PEOPLE, "404"),
    ("GET /admin/keys", ADMIN_PEOPLE, "200"),
    ("POST /admin/keys/{id}/revoke", ADMIN_PEOPLE, "404"),
    // files on records
    ("GET /api/attachments", STAFF, "200"),
    ("POST /api/attachments", EDITORS, "400"),
    ("GET /api/attachments/{id}", STAFF, "404"),
    ("GET /api/attachments/{id}/content", STAFF, "404"),
    ("DELETE /api/attachments/{id}", EDITORS, "404"),
    ("POST /api/attachments/{id}/restore", EDITORS, "404"),
    ("POST /records/{entity}/{id}/attachments", STAFF_PEOPLE, "303"),
    ("POST /attachments/{id}/remove", STAFF_PEOPLE, "404"),
    ("POST /attachments/{id}/restore", STAFF_PEOPLE, "404"),
    // fields and tags that are added to record types
    ("GET /api/custom_fields", STAFF, "200"),
    ("POST /api/custom_fields", ADMINS, "400"),
    ("GET /api/custom_fields/{id}", STAFF, "404"),
    ("PUT /api/custom_fields/{id}", ADMINS, "404"),
    ("PATCH /api/custom_fields/{id}", ADMINS, "404"),
    ("DELETE /api/custom_fields/{id}", ADMINS, "404"),
    ("POST /api/custom_fields/{id}/restore", ADMINS, "404"),
    ("GET /api/tags", SIGNED_IN, "200"),
    ("POST /api/tags", EDITORS, "400"),
    ("GET /api/tags/{id}", SIGNED_IN, "404"),
    ("PUT /api/tags/{id}", EDITORS, "404"),
    ("PATCH /api/tags/{id}", EDITORS, "404"),
    ("DELETE /api/tags/{id}", EDITORS, "404"),
    ("POST /api/tags/{id}/restore", EDITORS, "404"),
    ("POST /api/tags/{id}/merge", ADMINS, "400"),
    ("POST /api/tags/{id}/records", EDITORS, "400"),
    ("POST /records/{entity}/tags", STAFF_PEOPLE, "400"),
    ("GET /admin/fields/", ADMIN_PEOPLE, "200"),
    ("GET /admin/fields/new", ADMIN_PEOPLE, "200"),
    ("POST /admin/fields/new", ADMIN_PEOPLE, "400"),
    ("GET /admin/fields/{id}/edit", ADMIN_PEOPLE, "404"),
    ("POST /admin/fields/{id}/edit", ADMIN_PEOPLE, "404"),
    ("POST /admin/fields/{id}/retire", ADMIN_PEOPLE, "404"),
    ("POST /admin/fields/{id}/restore", ADMIN_PEOPLE, "404"),
    ("GET /admin/tags/new", ADMIN_PEOPLE, "200"),
    ("POST /admin/tags/new", ADMIN_PEOPLE, "400"),
    ("GET /admin/tags/{id}/edit", ADMIN_PEOPLE, "404"),
    ("POST /admin/tags/{id}/edit", ADMIN_PEOPLE, "404"),
    ("POST /admin/tags/{id}/retire", ADMIN_PEOPLE, "404"),
    ("POST /admin/tags/{id}/restore", ADMIN_PEOPLE, "404"),
    ("GET /api/agents", ADMINS, "200"),
    ("GET /api/agents/{id}", ADMINS, "404"),
    ("PUT /api/agents/{id}/settings", ADMINS, "404"),
    ("POST /api/agents/sync", ADMINS, "409"),
    ("POST /sync/agents", ADMINS, "500"),
    ("GET /agents", ADMIN_PEOPLE, "200"),
    ("GET /api/my/second-factor", PEOPLE, "200"),
    ("POST /api/my/second-factor", PEOPLE, "400"),
    ("DELETE /api/my/second-factor", PEOPLE, "400"),
    ("POST /api/my/second-factor/confirm", PEOPLE, "400"),
    ("POST /api/my/second-factor/recovery-codes", PEOPLE, "400"),
    ("POST /account/second-factor", PEOPLE, "303"),
    ("POST /account/second-factor/confirm", PEOPLE, "404"),
    ("POST /account/second-factor/codes", PEOPLE, "303"),
    ("POST /account/second-factor/off", PEOPLE, "303"),
    ("DELETE /api/accounts/{id}/second-factor", ADMIN_PEOPLE, "409"),
    ("POST /admin/users/{id}/second-factor/off", ADMIN_PEOPLE, "409"),
    ("POST /login/code", PUBLIC, "410"),
    ("GET /login/sso", PUBLIC, "404"),
    ("GET /login/sso/callback", PUBLIC, "404"),
    ("POST /oidc/backchannel-logout", PUBLIC, "404"),
    ("DELETE /api/accounts/{id}/single-sign-on", ADMIN_PEOPLE, "404"),
    ("POST /admin/users/{id}/single-sign-on/unlink", ADMIN_PEOPLE, "404"),
    ("GET /api/accounts", ADMIN_PEOPLE, "200"),
    ("POST /api/accounts", ADMIN_PEOPLE, "400"),
    ("GET /api/accounts/{id}", ADMIN_PEOPLE, "200"),
    ("PUT /api/accounts/{id}", ADMIN_PEOPLE, "200"),
    ("PATCH /api/accounts/{id}", ADMIN_PEOPLE, "200"),
    ("POST /api/accounts/{id}/password-link", ADMIN_PEOPLE, "200"),
    ("POST /admin/users/{id}/link", ADMIN_PEOPLE, "200"),
    ("GET /set-password", PUBLIC, "410"),
    ("POST /set-password", PUBLIC, "410"),
    ("GET /api/my/sessions", PEOPLE, "200"),
    ("DELETE /api/my/sessions", PEOPLE, "200"),
    ("DELETE /api/my/sessions/{session}", PEOPLE, "404"),
    ("POST /account/sessions/end-others", PEOPLE, "303"),
    ("POST /account/sessions/{session}/end", PEOPLE, "404"),
    ("GET /api/accounts/{id}/sessions", ADMIN_PEOPLE, "200"),
    ("DELETE /api/accounts/{id}/sessions", ADMIN_PEOPLE, "200"),
    ("DELETE /api/accounts/{id}/sessions/{session}", ADMIN_PEOPLE, "404"),
    ("POST /admin/users/{id}/sessions/end", ADMIN_PEOPLE, "303"),
    ("POST /admin/users/{id}/sessions/{session}/end", ADMIN_PEOPLE, "404"),
    ("PUT /api/licenses/{id}/key", EDITORS, "400"),
    ("GET /api/calendar.ics", SIGNED_IN, "200"),
    ("GET /api/leavers", STAFF, "200"),
    ("GET /leavers", STAFF_PEOPLE, "200"),
    ("POST /leavers/{id}/device", STAFF_PEOPLE, "400"),
    ("POST /leavers/{id}/seat", STAFF_PEOPLE, "400"),
    ("POST /leavers/{id}/primary", STAFF_PEOPLE, "400"),
    ("POST /leavers/{id}/billing", STAFF_PEOPLE, "400"),
    ("GET /licenses/{id}/key", STAFF_PEOPLE, "404"),
    ("POST /licenses/{id}/key", STAFF_PEOPLE, "404"),
    ("POST /licenses/{id}/key/show", STAFF_PEOPLE, "404"),
    // pages about oneself and for administrators
    ("GET /docs", PUBLIC, "200"),
    ("GET /settings", PEOPLE, "200"),
    ("POST /settings", PEOPLE, "303"),
    ("POST /account/sign-out-everywhere", PEOPLE, "303"),
    ("GET /admin/", ADMIN_PEOPLE, "200"),
    ("POST /admin/sync/{job}", ADMIN_PEOPLE, "303"),
    ("GET /admin/credentials/{system}", ADMIN_PEOPLE, "200"),
    ("POST /admin/credentials/{system}", ADMIN_PEOPLE, "400"),
    ("POST /admin/credentials/{system}/forget", ADMIN_PEOPLE, "303"),
    ("POST /admin/credentials/{system}/test", ADMIN_PEOPLE, "303"),
    ("GET /admin/compliance", ADMIN_PEOPLE, "200"),
    ("GET /admin/backups", ADMIN_PEOPLE, "200"),
    ("GET /admin/disclosures", ADMIN_PEOPLE, "200"),
    ("GET /admin/outbox", ADMIN_PEOPLE, "200"),
    ("POST /admin/outbox/{id}/approve", ADMIN_PEOPLE, "404"),
    ("POST /admin/outbox/{id}/discard", ADMIN_PEOPLE, "404"),
    ("POST /admin/outbox/{id}/retry", ADMIN_PEOPLE, "404"),
    ("GET /admin/audit", ADMIN_PEOPLE, "200"),
    ("GET /admin/clear-data", ADMIN_PEOPLE, "200"),
    ("POST /admin/clear-data", ADMIN_PEOPLE, "400"),
    ("GET /admin/review", ADMIN_PEOPLE, "200"),
    ("POST /admin/review/accept-exact", ADMIN_PEOPLE, "303"),
    ("POST /admin/review/{id}/create-company", ADMIN_PEOPLE, "404"),
    ("POST /admin/review/{id}/ignore", ADMIN_PEOPLE, "404"),
    ("POST /admin/review/{id}/link", ADMIN_PEOPLE, "303"),
    ("GET /admin/schedules/{job}", ADMIN_PEOPLE, "200"),
    ("POST /admin/schedules/{job}", ADMIN_PEOPLE, "303"),
    ("POST /admin/schedules/{job}/reset", ADMIN_PEOPLE, "303"),
    ("GET /admin/jobs/{id}", ADMIN_PEOPLE, "404"),
    ("POST /admin/runs/{id}/undo", ADMIN_PEOPLE, "404"),
    ("GET /admin/plans/{id}", ADMIN_PEOPLE, "404"),
    ("POST /admin/plans/{id}/approve", ADMIN_PEOPLE, "404"),
    ("POST /admin/plans/{id}/discard", ADMIN_PEOPLE, "404"),
    ("GET /api/outgoing-webhooks", ADMIN_PEOPLE, "200"),
    ("POST /api/outgoing-webhooks", ADMIN_PEOPLE, "400"),
    ("GET /api/outgoing-webhooks/{id}", ADMIN_PEOPLE, "404"),
    ("PUT /api/outgoing-webhooks/{id}", ADMIN_PEOPLE, "404"),
    ("PATCH /api/outgoing-webhooks/{id}", ADMIN_PEOPLE, "404"),
    ("DELETE /api/outgoing-webhooks/{id}", ADMIN_PEOPLE, "404"),
    ("POST /api/outgoing-webhooks/{id}/secret", ADMIN_PEOPLE, "404"),
    ("POST /api/outgoing-webhooks/{id}/test", ADMIN_PEOPLE, "404"),
    ("GET /api/outgoing-webhooks/{id}/messages", ADMIN_PEOPLE, "404"),
    ("POST /api/outgoing-webhooks/{id}/replay", ADMIN_PEOPLE, "404"),
    ("GET /admin/outgoing-webhooks", ADMIN_PEOPLE, "200"),
    ("GET /admin/outgoing-webhooks/new", ADMIN_PEOPLE, "200"),
    ("POST /admin/outgoing-webhooks/new", ADMIN_PEOPLE, "400"),
    ("GET /admin/outgoing-webhooks/{id}", ADMIN_PEOPLE, "404"),
    ("GET /admin/outgoing-webhooks/{id}/edit", ADMIN_PEOPLE, "404"),
    ("POST /admin/outgoing-webhooks/{id}/edit", ADMIN_PEOPLE, "404"),
    ("POST /admin/outgoing-webhooks/{id}/test", ADMIN_PEOPLE, "404"),
    ("POST /admin/outgoing-webhooks/{id}/secret", ADMIN_PEOPLE, "404"),
    ("POST /admin/outgoing-webhooks/{id}/replay", ADMIN_PEOPLE, "404"),
    ("POST /admin/outgoing-webhooks/{id}/remove", ADMIN_PEOPLE, "404"),
    ("GET /api/notices", STAFF, "200"),
    ("GET /api/my/notices", PEOPLE, "200"),
    ("PUT /api/my/notices", PEOPLE, "200"),
    ("GET /api/notice-channels", ADMIN_PEOPLE, "200"),
    ("POST /api/notice-channels", ADMIN_PEOPLE, "400"),
    ("DELETE /api/notice-channels/{id}", ADMIN_PEOPLE, "404"),
    ("POST /api/notice-channels/{id}/test", ADMIN_PEOPLE, "404"),
    ("GET /api/notices/undelivered", ADMIN_PEOPLE, "200"),
    ("POST /api/notices/undelivered/{id}/retry", ADMIN_PEOPLE, "404"),
    ("POST /api/mail/test", ADMIN_PEOPLE, "409"),
    ("GET /account/notices", PEOPLE, "200"),
    ("POST /account/notices", PEOPLE, "303"),
    ("GET /admin/notices", ADMIN_PEOPLE, "200"),
    ("POST /admin/notices/test-mail", ADMIN_PEOPLE, "303"),
    ("GET /admin/notices/channels/new", ADMIN_PEOPLE, "200"),
    ("POST /admin/notices/channels/new", ADMIN_PEOPLE, "400"),
    ("GET /admin/notices/channels/{id}", ADMIN_PEOPLE, "404"),
    ("POST /admin/notices/channels/{id}/test", ADMIN_PEOPLE, "404"),
    ("POST /admin/notices/channels/{id}/remove", ADMIN_PEOPLE, "404"),
    ("POST /admin/notices/undelivered/{id}/retry", ADMIN_PEOPLE, "404"),
    ("GET /admin/users", ADMIN_PEOPLE, "200"),
    ("GET /admin/users/new", ADMIN_PEOPLE, "200"),
    ("POST /admin/users/new", ADMIN_PEOPLE, "400"),
    ("GET /admin/users/{id}", ADMIN_PEOPLE, "200"),
    ("POST /admin/users/{id}", ADMIN_PEOPLE, "400"),
    ("POST /admin/users/{id}/password", ADMIN_PEOPLE, "400"),
    ("POST /admin/users/{id}/enabled", ADMIN_PEOPLE, "400"),
];

/// The same rows for every noun of the one door: what is behind its list and its pages, and what the allowed are answered;
/// there is no record of it in the world.
const OF_NOUN: [(&str, &str, &str); 18] = [
    ("GET /api/{list}", SIGNED_IN, "200"),
    ("POST /api/{list}", EDITORS, "400"),
    ("PATCH /api/{list}", EDITORS, "400"),
    ("DELETE /api/{list}", EDITORS, "400"),
    ("GET /api/{list}/{id}", SIGNED_IN, "404"),
    ("PUT /api/{list}/{id}", EDITORS, "404"),
    ("PATCH /api/{list}/{id}", EDITORS, "404"),
    ("DELETE /api/{list}/{id}", EDITORS, "404"),
    ("POST /api/{list}/{id}/restore", EDITORS, "404"),
    ("GET /api/companies/{acct}/{list}", SIGNED_IN, "200"),
    ("GET {page}/", PEOPLE, "200"),
    ("GET {page}/new", STAFF_PEOPLE, "200"),
    ("POST {page}/new", STAFF_PEOPLE, "400"),
    ("GET {page}/{id}", PEOPLE, "404"),
    ("GET {page}/{id}/edit", STAFF_PEOPLE, "404"),
    ("POST {page}/{id}/edit", STAFF_PEOPLE, "404"),
    ("POST {page}/{id}/retire", STAFF_PEOPLE, "404"),
    ("POST {page}/{id}/restore", STAFF_PEOPLE, "404"),
];

/// Every row: those above, and those of each noun.
fn table() -> Vec<(String, &'static str, &'static str)> {
    let mut rows: Vec<_> = TABLE.iter().map(|(route, callers, answers)| ((*route).to_owned(), *callers, *answers)).collect();
    for noun in codex::records::entities::nouns() {
        let door = noun.door();
        let named = |route: &str| route.replace("{list}", door.api).replace("{page}", door.page);
        // What is written about anybody is read by the provider's own people and cleared services.
        let callers = |callers: &'static str| match callers {
            SIGNED_IN | EDITORS if noun.is_for_staff() => STAFF,
            PEOPLE if noun.is_for_staff() => STAFF_PEOPLE,
            other => other,
        };
        rows.extend(OF_NOUN.iter().map(|(route, who, answers)| (named(route), callers(who), *answers)));
    }
    rows
}

/// Routes that end the caller's own session or password: asked last.
const LAST: [&str; 4] = ["POST /logout", "POST /api/token/revoke", "POST /account/password", "POST /account/sign-out-everywhere"];

/// Who of all callers may: an administrator's keys may what an administrator may who is no person, and one that only
/// reads gets nothing else.
fn columns<'a>(row: &'a str, method: &str) -> Vec<&'a str> {
    let mut columns: Vec<&str> = row.split(' ').collect();
    let (anonymous, program) = (columns[0], columns[5]);
    columns.push(if method == "GET" || anonymous == "y" { program } else { "3" });
    columns.push(program);
    columns
}

struct World {
    app: App,
    callers: Vec<Api>,
    company: Value,
    contact: Value,
    asset: Value,
}

async fn world(engine: &Engine) -> World {
    // A vendor that nobody reaches: a sync may be started, and fails.
    let app = App::builder(engine)
        .env("CODEX_FRESHSERVICE_DOMAIN", "http://127.0.0.1:1")
        .env("CODEX_FRESHSERVICE_API_KEY", "x")
        .env("CODEX_DATTO_API_ENDPOINT", "http://127.0.0.1:1")
        .env("CODEX_DATTO_PUBLIC_KEY", "x")
        .env("CODEX_DATTO_SECRET_KEY", "x")
        .start()
        .await;
    let company = app.company("100001", "Acme").await;
    let contact = app.contact("Ava", "ava@example.com", &["100001"]).await;
    let asset = app.asset("LT-1", "100001").await;
    let client = app.client_of("cleo", "100001").await;
    let mut callers = vec![app.anonymous(), client, app.billing(), app.technician(), app.admin(), app.service()];
    for access in ["read", "read-write"] {
        let key = app
            .admin()
            .post("/api/keys", &json!({"name": access, "access": access, "current_password": PASSWORD}))
            .await
            .status(201)
            .json();
        callers.push(app.with_token(key["key"].as_str().unwrap()));
    }
    World { app, callers, company, contact, asset }
}

impl World {
    /// A path of the table with the world's own records in its braces.
    fn fill(&self, path: &str) -> String {
        // No run is there that certainly has ended, or certainly has not.
        let id = if path.contains("/keys/") || path.contains("/runs/") {
            "999999".to_owned()
        } else if path.contains("/contacts") {
            self.contact["id"].to_string()
        } else if path.contains("/assets") || path.contains("{asset}") {
            self.asset["id"].to_string()
        } else {
            self.company["id"].to_string()
        };
        let mut out = String::new();
        let mut rest = path;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, tail) = after.split_once('}').unwrap();
            out.push_str(before);
            out.push_str(match name {
                "acct" | "account" => "100001",
                "entity" => "company",
                "field" => "name",
                "script" | "job" | "system" => "freshservice",
                "*path" => "codex.css",
                _ => &id,
            });
            rest = tail;
        }
        out + rest
    }
}

fn routes() -> Vec<String> {
    let mut routes: Vec<String> =
        codex::app::route_table().iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    // Reads first, then writes, then what ends sessions.
    routes.sort_by_key(|route| {
        (LAST.contains(&route.as_str()), !route.starts_with("GET"), route.starts_with("DELETE"), route.clone())
    });
    routes.dedup();
    routes
}

#[test]
fn every_route_has_a_row_and_every_row_a_route() {
    let routed: BTreeSet<String> = routes().into_iter().collect();
    let table = table();
    let rows: BTreeSet<String> = table.iter().map(|(route, ..)| route.clone()).collect();
    assert_eq!(rows.len(), table.len(), "a route has two rows");
    let missing: Vec<_> = routed.difference(&rows).collect();
    assert!(missing.is_empty(), "routes without a row in the permission table: {missing:#?}");
    let stale: Vec<_> = rows.difference(&routed).collect();
    assert!(stale.is_empty(), "rows of the permission table without a route: {stale:#?}");
}

both! {
    async fn the_table_holds(engine: Engine) {
        let (world, table) = (world(&engine).await, table());
        let mut wrong = Vec::new();
        for route in routes() {
            let Some((_, row, answers)) = table.iter().find(|(name, ..)| *name == route) else { continue };
            let (method, path) = route.split_once(' ').unwrap();
            let path = world.fill(path);
            let mut seen = Vec::new();
            for ((caller, name), expected) in world.callers.iter().zip(CALLERS).zip(columns(row, method)) {
                let method = Method::from_bytes(method.as_bytes()).unwrap();
                let reply = caller.send(method.clone(), &path, |request| {
                    let request = request.header("accept", "application/json");
                    if method == Method::GET { request } else { request.json(&json!({})) }
                }).await;
                let expected = match expected {
                    "1" => "401".to_owned(),
                    "3" => "403".to_owned(),
                    _ => {
                        seen.push(reply.status.to_string());
                        continue;
                    }
                };
                if reply.status.to_string() != expected {
                    wrong.push(format!("{route} as {name}: {} instead of {expected}", reply.status));
                }
            }
            let answers: Vec<&str> = answers.split(' ').collect();
            let last = answers[answers.len() - 1];
            let answers: Vec<&str> = answers.into_iter().chain(std::iter::repeat(last)).take(seen.len()).collect();
            if seen != answers {
                wrong.push(format!("{route}: the allowed are answered {} instead of {}", seen.join(" "), answers.join(" ")));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert_eq!(world.app.anonymous().get("/health").await.status, 200);
    }

    async fn a_rehearsal_does_nothing_or_is_refused(engine: Engine) {
        let world = world(&engine).await;
        let state = || {
            let count = |table: &str| world.app.database.number(&format!("SELECT count(*) FROM {table}"));
            let tables = ["sync_jobs", "settings", "pins", "outbox", "vendor_credentials", "users", "sessions", "schedules", "idempotency_keys", "api_keys"];
            (world.app.database.number("SELECT version FROM head"), tables.map(count))
        };
        let (admin, before) = (&world.callers[4], state());
        let mut rehearsed = 0;
        for route in codex::app::route_table().iter().filter(|route| route.method != "GET") {
            let path = format!("{}?dry_run=true", world.fill(route.path));
            let reply = admin.send(Method::from_bytes(route.method.as_bytes()).unwrap(), &path, |request| request.json(&json!({}))).await;
            rehearsed += usize::from(route.rehearses);
            if !route.rehearses {
                assert_eq!((reply.status, reply.fields()), (400, vec!["dry_run".to_owned()]), "{} {path}: {}", route.method, reply.text());
            }
            assert_eq!(state(), before, "{} {path} did something: {}", route.method, reply.text());
        }
        assert!(rehearsed > 30, "only {rehearsed} routes can be rehearsed");
        for (method, path) in [("POST", "/api/companies"), ("PUT", "/api/contacts/{id}"), ("DELETE", "/api/assets/{id}"), ("POST", "/api/sync/review/accept-exact")] {
            assert!(codex::app::route_table().iter().any(|route| (route.method, route.path, route.rehearses) == (method, path, true)), "{method} {path}");
        }
    }

    async fn the_other_mount_point_is_guarded_too(engine: Engine) {
        let (world, table) = (world(&engine).await, table());
        for route in routes() {
            let Some((_, row, _)) = table.iter().find(|(name, ..)| *name == route) else { continue };
            let (method, path) = route.split_once(' ').unwrap();
            if row.starts_with('1') {
                let path = format!("/codex{}", world.fill(path));
                let method = Method::from_bytes(method.as_bytes()).unwrap();
                let reply = world.app.anonymous().send(method, &path, |request| request.json(&json!({}))).await;
                assert_eq!(reply.status, 401, "{route} under /codex");
            }
        }
    }
}
