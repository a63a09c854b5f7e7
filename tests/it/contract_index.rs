//! The index of the contract (§1.0), row by row: whatever any generation of the service or any neighbour knows is answered, at `/…`
//! and at `/codex/…`.

use reqwest::Method;
use serde_json::{Value, json};

use crate::core::{Core, user_claims};
use crate::datto::{self, Datto};
use crate::freshservice::{self, Freshservice, department, requester, ticket};
use crate::support::{Api, App, Engine, both};

const TICKET: i64 = 4_711;

/// Who asks: a neighbour, or the pages of a person.
#[derive(Clone, Copy)]
enum By {
    Service,
    Page,
}

/// What the rows are about: the records of the world by the names that stand in braces.
struct World {
    app: App,
    core: Core,
    _psa: Freshservice,
    _rmm: Datto,
}

impl World {
    async fn start(engine: &Engine) -> Self {
        let now = jiff::Timestamp::now().as_second();
        let psa = freshservice::State {
            departments: vec![department(21_000_100_001, "Acme", Some(204_001))],
            requesters: vec![requester(21_000_300_001, "Ava", Some("Patel"), Some("ava@acme.example"), &[21_000_100_001])],
            tickets: vec![ticket(TICKET, 21_000_300_001, Some(21_000_100_001), 2, now - 7_200)],
            ..freshservice::State::default()
        };
        let (core, psa, rmm) = (Core::start().await, Freshservice::start(psa).await, Datto::start(datto::State::default()).await);
        let app = App::builder(engine).core(&core).freshservice(&psa).datto(&rmm).start().await;
        for source in ["freshservice", "tickets"] {
            app.cli().run_beside(&["sync", source]).await.code(0);
        }
        Self { app, core, _psa: psa, _rmm: rmm }
    }

    fn caller(&self, by: By) -> Api {
        match by {
            By::Service => self.app.with_token(&self.core.service("ledger")),
            By::Page => self.app.with_token(&self.core.token(&user_claims("ada", "ada@example.com", "admin"))),
        }
    }

    /// A path with a record of its own in each brace, made now: what deletes it leaves the others.
    async fn fill(&self, path: &str) -> String {
        let service = self.caller(By::Service);
        let number = jiff::Timestamp::now().as_nanosecond();
        let mut filled = path.replace("{ticket}", &TICKET.to_string()).replace("{acct}", "204001");
        for (name, list, body, key) in [
            ("{firm}", "/api/companies", json!({"name": format!("Firm {number}")}), "account_number"),
            ("{asset}", "/api/assets", json!({"hostname": format!("LT-{number}"), "company_account_number": "204001"}), "id"),
            ("{contact}", "/api/contacts", json!({"name": "Bo", "company_account_numbers": ["204001"]}), "id"),
            ("{network}", "/api/network_equipment", json!({"name": "SW", "type": "switch", "company_id": "204001"}), "id"),
            ("{plan}", "/api/billing-plans", json!({"plan_name": format!("Plan {number}"), "term_length": "1-Year"}), "id"),
        ] {
            if filled.contains(name) {
                let made = service.post(list, &body).await.status(201).json();
                filled = filled.replace(name, made[key].as_str().map_or_else(|| made[key].to_string(), str::to_owned).as_str());
            }
        }
        if filled.contains("{agent}") {
            let agents = self.caller(By::Page).get("/api/agents").await.ok();
            filled = filled.replace("{agent}", agents["agents"][0]["keycloak_id"].as_str().unwrap());
        }
        if filled.contains("{job}") {
            let job = self.app.database.texts("SELECT id FROM sync_jobs ORDER BY started_at, id");
            filled = filled.replace("{job}", &job[0]);
        }
        filled
    }
}

/// Method, path, body, who asks, and the status. The order is the index's; what asks Keycloak is in `keycloak.rs`, what is posted as a
/// form in `billing.rs` and `forms.rs`.
fn rows() -> Vec<(&'static str, &'static str, Value, By, u16)> {
    use By::{Page, Service};
    let none = Value::Null;
    let plan = |number: i64| json!({"plan_name": format!("New {}", jiff::Timestamp::now().as_nanosecond() + i128::from(number)), "term_length": "1-Year"});
    vec![
        ("GET", "/api/companies", none.clone(), Service, 200),
        ("POST", "/api/companies", json!({"name": "New"}), Service, 201),
        ("GET", "/api/companies/bulk?include_tickets=true", none.clone(), Service, 200),
        ("GET", "/api/companies/{acct}", none.clone(), Service, 200),
        ("PUT", "/api/companies/{firm}", json!({"description": "Ours"}), Service, 200),
        ("DELETE", "/api/companies/{firm}", none.clone(), Service, 200),
        ("GET", "/api/companies/{acct}/assets", none.clone(), Service, 200),
        ("GET", "/api/companies/{acct}/contacts", none.clone(), Service, 200),
        ("GET", "/api/companies/{acct}/users", none.clone(), Service, 200),
        ("GET", "/api/companies/{acct}/locations", none.clone(), Service, 200),
        ("GET", "/api/companies/{acct}/tickets", none.clone(), Service, 200),
        ("GET", "/api/company/{acct}", none.clone(), Service, 200),
        ("GET", "/api/assets", none.clone(), Service, 200),
        ("POST", "/api/assets", json!({"hostname": "LT-2", "company_account_number": "204001"}), Service, 201),
        ("GET", "/api/assets/{asset}", none.clone(), Service, 200),
        ("PUT", "/api/assets/{asset}", json!({"description": "Spare"}), Service, 200),
        ("DELETE", "/api/assets/{asset}", none.clone(), Service, 200),
        ("GET", "/api/contacts", none.clone(), Service, 200),
        (
            "POST",
            "/api/contacts",
            json!({"company_id": "204001", "name": "Cy", "phone": "555 0100", "is_primary": false}),
            Service,
            201,
        ),
        ("GET", "/api/contacts/{contact}", none.clone(), Service, 200),
        ("PUT", "/api/contacts/{contact}", json!({"job_title": "Clerk"}), Service, 200),
        ("GET", "/api/network_equipment", none.clone(), Service, 200),
        ("POST", "/api/network_equipment", json!({"name": "SW", "type": "switch", "company_id": "204001"}), Service, 201),
        ("GET", "/api/network_equipment/{network}", none.clone(), Service, 200),
        ("PUT", "/api/network_equipment/{network}", json!({"model": "X"}), Service, 200),
        ("DELETE", "/api/network_equipment/{network}", none.clone(), Service, 200),
        ("GET", "/api/billing_summary", none.clone(), Service, 200),
        ("GET", "/api/users", none.clone(), Service, 200),
        ("GET", "/api/users/{agent}", none.clone(), Service, 200),
        // On the platform Core issues the tokens (contract §1.5).
        ("POST", "/api/token", json!({"username": "ada", "password": "x"}), Service, 410),
        ("GET", "/api/tickets", none.clone(), Service, 200),
        ("GET", "/api/tickets/active", none.clone(), Service, 200),
        ("GET", "/api/ticket/{ticket}", none.clone(), Service, 200),
        ("POST", "/api/ticket/{ticket}/update", json!({"notes": "Rang"}), Service, 200),
        ("GET", "/api/freshservice/tickets", none.clone(), Service, 200),
        ("GET", "/api/freshservice/ticket/{ticket}", none.clone(), Service, 200),
        ("GET", "/api/datto/devices", none.clone(), Service, 200),
        ("GET", "/api/datto/device/device-{asset}", none.clone(), Service, 200),
        ("GET", "/api/rmm/devices", none.clone(), Service, 200),
        ("GET", "/api/rmm/device/device-{asset}", none.clone(), Service, 200),
        ("GET", "/api/psa/agents", none.clone(), Service, 200),
        ("GET", "/api/psa/config", none.clone(), Service, 200),
        ("GET", "/api/psa/tickets", none.clone(), Service, 200),
        ("GET", "/api/psa/tickets/active", none.clone(), Service, 200),
        ("GET", "/api/billing-plans", none.clone(), Service, 200),
        ("POST", "/api/billing-plans", plan(1), Service, 201),
        ("GET", "/api/billing-plans/{plan}", none.clone(), Service, 200),
        ("PUT", "/api/billing-plans/{plan}", json!({"per_user_cost": 5}), Service, 200),
        ("GET", "/api/billing-plans/Managed%20Gold/1-Year", none.clone(), Service, 200),
        ("GET", "/api/feature-options", none.clone(), Service, 200),
        ("POST", "/api/feature-options", json!({"feature_type": "soc", "value": "Managed"}), Service, 201),
        ("GET", "/billing-plans/api/bulk-plans", none.clone(), Service, 200),
        ("GET", "/billing-plans/api/plans", none.clone(), Service, 200),
        ("GET", "/billing-plans/api/plans/Managed%20Gold/1-Year", none.clone(), Service, 200),
        ("GET", "/billing-plans/api/feature-options", none.clone(), Service, 200),
        ("GET", "/billing-plans/api/feature-categories", none.clone(), Service, 200),
        ("GET", "/billing-plans/export", none.clone(), Page, 200),
        ("GET", "/api/agents", none.clone(), Page, 200),
        ("GET", "/api/agents/{agent}", none.clone(), Page, 200),
        ("PUT", "/api/agents/{agent}/settings", json!({"theme_preference": "dark"}), Page, 200),
        ("GET", "/api/my/settings", none.clone(), Page, 200),
        ("PUT", "/api/my/settings", json!({"theme_preference": "dark"}), Page, 200),
        ("GET", "/api/public/user/theme?email=x%40example.com", none.clone(), Service, 200),
        ("GET", "/api/public/user/home-page?email=x%40example.com", none.clone(), Service, 200),
        ("POST", "/sync/freshservice", none.clone(), Page, 200),
        ("POST", "/sync/psa", none.clone(), Page, 200),
        ("POST", "/sync/datto", none.clone(), Page, 200),
        ("POST", "/sync/tickets", none.clone(), Service, 200),
        ("POST", "/sync/tickets/full-history", none.clone(), Page, 200),
        ("POST", "/sync/create-account-numbers", none.clone(), Page, 200),
        ("POST", "/sync/push-to-datto", none.clone(), Page, 200),
        ("GET", "/sync/status/{job}", none.clone(), Service, 200),
        ("GET", "/sync/last/freshservice", none.clone(), Service, 200),
        ("GET", "/sync/last/psa", none.clone(), Service, 200),
        ("GET", "/health", none.clone(), Service, 200),
        ("GET", "/api/health", none.clone(), Service, 200),
        ("GET", "/webhooks/health", none.clone(), Service, 200),
        // Nobody has turned them on.
        ("POST", "/webhooks/freshservice/ticket", json!({"event": "ticket.updated", "ticket_id": TICKET}), Service, 503),
        ("POST", "/webhooks/superops/ticket", json!({}), Service, 503),
        ("POST", "/webhooks/test", json!({}), Service, 503),
        ("GET", "/companies/api/search", none.clone(), Page, 200),
        ("PUT", "/companies/{firm}/update", json!({"description": "Ours"}), Page, 200),
        ("GET", "/companies/{acct}/locations", none.clone(), Page, 200),
        ("POST", "/companies/{acct}/locations", json!({"name": "Depot", "address": "1 Road"}), Page, 200),
        ("GET", "/contacts/api/search", none.clone(), Page, 200),
        ("PUT", "/contacts/{contact}/update", json!({"first_name": "Bo"}), Page, 200),
        ("GET", "/assets/api/search", none.clone(), Page, 200),
        ("PUT", "/assets/{asset}/update-contacts", json!({"contact_ids": []}), Page, 200),
        ("GET", "/docs", none.clone(), Page, 200),
        ("GET", "/apispec.json", none, Page, 200),
    ]
}

both! {
    async fn nothing_in_the_index_is_unanswered_at_either_mount_point(engine: Engine) {
        let world = World::start(&engine).await;
        let gold = json!({"plan_name": "Managed Gold", "term_length": "1-Year", "soc": "Full"});
        world.caller(By::Service).post("/api/billing-plans", &gold).await.status(201);
        // Agents are made from tokens.
        world.caller(By::Page).get("/api/my/settings").await.ok();
        let mut wrong = Vec::new();
        for mount in ["", "/codex"] {
            for (method, path, body, by, expected) in rows() {
                let filled = world.fill(path).await;
                let name = Method::from_bytes(method.as_bytes()).unwrap();
                let reply = world.caller(by).send(name, &format!("{mount}{filled}"), |request| {
                    if body.is_null() { request } else { request.json(&body) }
                }).await;
                // An option that is there is found, not made again (contract §1.8.3).
                let expected = if path == "/api/feature-options" && method == "POST" && !mount.is_empty() { 200 } else { expected };
                if reply.status != expected {
                    wrong.push(format!("{method} {mount}{path}: {} instead of {expected}: {}", reply.status, reply.text()));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}
