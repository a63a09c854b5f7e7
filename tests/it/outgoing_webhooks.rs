//! Webhooks that Codex sends: signed, at least once, in order for each record, and to nobody who may not be told.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::http_server::{Request, Response};
use crate::receiver::Receiver;
use crate::support::{App, Engine, both, eventually};

const PRIVATE: &str = "CODEX_OUTGOING_WEBHOOKS_PRIVATE_ADDRESSES";

async fn app(engine: &Engine) -> App {
    App::builder(engine).env(PRIVATE, "true").start().await
}

/// Adds an endpoint; its path in the API, and its secret.
async fn endpoint(app: &App, body: Value) -> (String, String) {
    let made = app.admin().post("/api/outgoing-webhooks", &body).await.status(201);
    assert_eq!(made.header("cache-control"), "no-store");
    let made = made.json();
    let secret = made["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"), "{made}");
    (format!("/api/outgoing-webhooks/{}", made["id"]), secret)
}

/// Whether the first signature of a request is by this secret.
fn is_signed(request: &Request, secret: &str) -> bool {
    let header = |name: &str| request.header(name).unwrap_or_default().to_owned();
    let text = format!("{}.{}.{}", header("webhook-id"), header("webhook-timestamp"), String::from_utf8_lossy(&request.body));
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), text.as_bytes());
    let wanted = format!("v1,{}", STANDARD.encode(tag));
    header("webhook-signature").split(' ').any(|signature| signature == wanted)
}

both! {
    async fn what_changes_is_told_signed_in_order_and_once(engine: Engine) {
        let (app, receiver) = (app(&engine).await, Receiver::start().await);
        // Two processes send as much as one.
        let _second = app.beside().await;
        app.company("100001", "Before").await;
        let (path, secret) = endpoint(&app, json!({"name": "Automation", "url": receiver.url(), "entities": ["company"], "actions": ["create", "update"]})).await;
        app.company("100002", "Acme").await;
        app.contact("Ava Patel", "ava@example.com", &["100002"]).await;
        for name in ["Acme B", "Acme C", "Acme D"] {
            app.admin().put("/api/companies/100002", &json!({"name": name})).await.status(200);
        }
        eventually("four messages", 20, async || receiver.requests().len() >= 4).await;
        let (requests, bodies) = (receiver.requests(), receiver.bodies());
        let names: Vec<&str> = bodies.iter().map(|body| body["data"]["fields"]["name"]["new"].as_str().unwrap()).collect();
        assert_eq!(names, ["Acme", "Acme B", "Acme C", "Acme D"]);
        assert_eq!(bodies[0]["type"], "company.create");
        assert_eq!(bodies[3]["type"], "company.update");
        assert!(bodies.iter().all(|body| body["data"].get("actor").is_none()), "{bodies:?}");
        for request in &requests {
            assert!(is_signed(request, &secret), "{:?}", request.headers);
        }
        let ids: std::collections::BTreeSet<_> = requests.iter().map(|request| request.header("webhook-id")).collect();
        assert_eq!(ids.len(), 4);
        eventually("all are delivered", 10, async || app.admin().get(&path).await.ok()["pending"] == 0).await;
        assert_eq!(receiver.requests().len(), 4);
        assert!(app.technician().get(&path).await.status == 403 && app.service().get(&path).await.status == 403);
        // The secret is nowhere else.
        let told = [app.admin().get(&path).await.text(), app.admin().get("/api/outgoing-webhooks").await.text(), app.log()].join(" ");
        assert!(!told.contains("whsec_"), "{told}");
        assert!(!app.database.texts("SELECT secret || COALESCE(former_secret, '') FROM webhook_endpoints").join(" ").contains(&secret[6..]));
    }

    async fn what_fails_is_tried_again_in_order_then_listed_and_replayed(engine: Engine) {
        let (app, receiver) = (app(&engine).await, Receiver::start().await);
        receiver.answer(&[Response::new(500, "text/plain", "no")]);
        let (path, _) = endpoint(&app, json!({"name": "Automation", "url": receiver.url(), "entities": ["company"]})).await;
        app.company("100001", "Acme").await;
        app.admin().put("/api/companies/100001", &json!({"name": "Acme B"})).await.status(200);
        eventually("an attempt", 20, async || !receiver.requests().is_empty()).await;
        eventually("it fails", 10, async || app.admin().get(&path).await.ok()["failing_since"].is_string()).await;
        // The second waits for the first.
        assert!(receiver.bodies().iter().all(|body| body["type"] == "company.create"));
        let messages = app.admin().get(&format!("{path}/messages?state=pending")).await.ok();
        assert_eq!(messages.as_array().unwrap().len(), 2);
        assert_eq!(messages[1]["last_status"], 500);
        receiver.answer(&[Response::new(204, "text/plain", "")]);
        eventually("both arrive", 30, async || app.admin().get(&path).await.ok()["pending"] == 0).await;
        let bodies = receiver.bodies();
        assert_eq!(bodies.last().unwrap()["type"], "company.update");
        assert_eq!(app.admin().get(&path).await.ok()["failing_since"], Value::Null);

        // After twelve hours it is given up, listed, and sent again on demand under the same id.
        receiver.answer(&[Response::new(503, "text/plain", "no")]);
        app.admin().put("/api/companies/100001", &json!({"name": "Acme C"})).await.status(200);
        eventually("it fails again", 20, async || app.admin().get(&path).await.ok()["failing_since"].is_string()).await;
        app.database.execute("UPDATE webhook_messages SET created_at = '2020-01-01T00:00:00Z', due_at = '2020-01-01T00:00:00Z' WHERE state = 'pending'");
        eventually("it is given up", 60, async || app.admin().get(&path).await.ok()["failed"] == 1).await;
        let failed = app.admin().get(&format!("{path}/messages?state=failed")).await.ok();
        receiver.answer(&[Response::new(204, "text/plain", "")]);
        let before = receiver.requests().len();
        assert_eq!(app.admin().post(&format!("{path}/replay"), &json!({})).await.ok()["queued"], 1);
        eventually("it arrives", 20, async || app.admin().get(&path).await.ok()["failed"] == 0 && receiver.requests().len() > before).await;
        let again = receiver.requests().last().unwrap().header("webhook-id").unwrap().to_owned();
        assert!(again.ends_with(&format!("_{}", failed[0]["seq"])), "{again} {failed}");

        // A range.
        eventually("nothing waits", 10, async || app.admin().get(&path).await.ok()["pending"] == 0).await;
        let before = receiver.requests().len();
        assert_eq!(app.admin().post(&format!("{path}/replay"), &json!({"from": 1})).await.ok()["queued"], 3);
        eventually("the range arrives", 20, async || receiver.requests().len() >= before + 3).await;
        let reply = app.admin().post(&format!("{path}/replay"), &json!({"to": 5})).await.status(400);
        assert_eq!(reply.fields(), ["from"]);

        // One, by what the receiver calls it; that of another endpoint is none of this one's.
        eventually("nothing waits", 10, async || app.admin().get(&path).await.ok()["pending"] == 0).await;
        let before = receiver.requests().len();
        assert_eq!(app.admin().post(&format!("{path}/replay"), &json!({"message": again})).await.ok()["queued"], 1);
        eventually("it arrives once more", 20, async || receiver.requests().len() > before).await;
        assert_eq!(receiver.requests().last().unwrap().header("webhook-id").unwrap(), again);
        let foreign = again.replacen("msg_", "msg_9", 1);
        assert_eq!(app.admin().post(&format!("{path}/replay"), &json!({"message": foreign})).await.status(400).fields(), ["message"]);
    }

    async fn nobody_is_led_elsewhere_and_private_places_are_refused(engine: Engine) {
        let (app_private, receiver, other) = (app(&engine).await, Receiver::start().await, Receiver::start().await);
        receiver.answer(&[Response::new(302, "text/plain", "").with("location", other.url())]);
        let (path, _) = endpoint(&app_private, json!({"name": "Redirects", "url": receiver.url()})).await;
        let tested = app_private.admin().post(&format!("{path}/test"), &json!({})).await.ok();
        assert_eq!((&tested["delivered"], &tested["status"]), (&json!(false), &json!(302)));
        assert!(other.requests().is_empty(), "the redirect was followed");
        receiver.answer(&[Response::new(200, "text/plain", "ok")]);
        assert_eq!(app_private.admin().post(&format!("{path}/test"), &json!({})).await.ok()["delivered"], true);
        assert_eq!(receiver.bodies().last().unwrap()["type"], "codex.test");
        // One that takes too long.
        let mut slow = Response::new(200, "text/plain", "ok");
        slow.delay = std::time::Duration::from_secs(13);
        receiver.answer(&[slow]);
        let tested = app_private.admin().post(&format!("{path}/test"), &json!({})).await.ok();
        assert!(tested["error"].as_str().unwrap().contains("within 10 seconds"), "{tested}");
        drop(app_private);

        let app = App::start_on(&engine).await;
        for url in [receiver.url().as_str(), "https://127.0.0.1/", "https://169.254.169.254/x", "https://10.0.0.1/", "http://example.com/", "https://localhost/", "nonsense"] {
            let reply = app.admin().post("/api/outgoing-webhooks", &json!({"name": "x", "url": url})).await.status(400);
            assert_eq!(reply.fields(), ["url"], "{url}");
        }
        // One that was stored before is checked again each time.
        let (path, _) = endpoint(&app, json!({"name": "Stored", "url": "https://hooks.example.com/"})).await;
        app.database.execute(&format!("UPDATE webhook_endpoints SET url = '{}'", receiver.url()));
        let before = receiver.requests().len();
        let tested = app.admin().post(&format!("{path}/test"), &json!({})).await.ok();
        assert_eq!(tested["delivered"], false, "{tested}");
        assert_eq!(receiver.requests().len(), before);
    }

    async fn endpoints_are_changed_rotated_disabled_and_removed(engine: Engine) {
        let (app, receiver) = (app(&engine).await, Receiver::start().await);
        let (path, first) = endpoint(&app, json!({"name": "Automation", "url": receiver.url()})).await;
        let admin = app.admin();
        assert_eq!(admin.post("/api/outgoing-webhooks", &json!({"name": "automation", "url": receiver.url()})).await.status(409).fields(), ["name"]);
        assert_eq!(admin.patch(&path, &json!({"entities": ["wrong"], "actions": []})).await.status(400).fields(), ["entities", "actions"]);
        assert_eq!(admin.patch(&path, &json!({"entities": ["asset"]})).await.ok()["entities"], json!(["asset"]));
        assert_eq!(admin.patch(&path, &json!({"entities": null})).await.ok()["entities"], Value::Null);

        let second = admin.post(&format!("{path}/secret"), &json!({})).await.ok()["secret"].as_str().unwrap().to_owned();
        admin.post(&format!("{path}/test"), &json!({})).await.status(200);
        let request = receiver.requests().last().unwrap().clone();
        assert!(is_signed(&request, &first) && is_signed(&request, &second), "both sign for a day");
        app.database.execute("UPDATE webhook_endpoints SET former_until = '2020-01-01T00:00:00Z'");
        admin.post(&format!("{path}/test"), &json!({})).await.status(200);
        let request = receiver.requests().last().unwrap().clone();
        assert!(!is_signed(&request, &first) && is_signed(&request, &second));

        // One that wants nothing any more, and one that has not worked for days.
        receiver.answer(&[Response::new(410, "text/plain", "")]);
        app.company("100001", "Acme").await;
        eventually("it is disabled", 20, async || admin.get(&path).await.ok()["enabled"] == false).await;
        assert!(admin.get(&path).await.ok()["disabled_because"].as_str().unwrap().contains("410"));
        receiver.answer(&[Response::new(500, "text/plain", "")]);
        let again = admin.patch(&path, &json!({"enabled": true})).await.ok();
        assert_eq!((&again["enabled"], &again["disabled_because"]), (&json!(true), &Value::Null));
        eventually("it fails", 20, async || admin.get(&path).await.ok()["failing_since"].is_string()).await;
        app.database.execute("UPDATE webhook_endpoints SET failing_since = '2020-01-01T00:00:00Z'");
        eventually("it is disabled again", 60, async || admin.get(&path).await.ok()["enabled"] == false).await;

        let page = admin.get(&path.replace("/api/", "/admin/")).await.status(200).text();
        assert!(page.contains("Nothing could be delivered for 3 days"), "{page}");
        assert_eq!(admin.delete(&path).await.status(200).json()["name"], "Automation");
        admin.get(&path).await.status(404);
        assert_eq!(app.database.number("SELECT count(*) FROM webhook_messages"), 0);
    }

    async fn a_range_counts_what_the_endpoint_is_told_alone(engine: Engine) {
        let (app, receiver) = (app(&engine).await, Receiver::start().await);
        let (path, _) = endpoint(&app, json!({"name": "Automation", "url": receiver.url(), "actions": ["retire"], "enabled": false})).await;
        let admin = app.admin();
        admin.patch(&path, &json!({"enabled": false})).await.status(200);
        // Far more than is replayed at once, of which the endpoint is told one.
        app.database.execute(
            "INSERT INTO changes (seq, at, actor_kind, actor, entity, entity_id, action, fields)
             WITH RECURSIVE n (i) AS (SELECT 1000001 UNION ALL SELECT i + 1 FROM n WHERE i < 1012000)
             SELECT i, '2026-01-01T00:00:00Z', 'user', 'ada', 'company', 1, CASE WHEN i = 1011000 THEN 'retire' ELSE 'update' END, '{}' FROM n",
        );
        app.database.execute("UPDATE webhook_endpoints SET after = 2000000");
        assert_eq!(admin.post(&format!("{path}/replay"), &json!({"from": 1_000_001})).await.ok()["queued"], 1);
        assert_eq!(admin.post(&format!("{path}/replay"), &json!({"from": 1_000_001, "to": 1_010_999})).await.ok()["queued"], 0);
        app.database.execute("UPDATE webhook_endpoints SET actions = NULL");
        let refused = admin.post(&format!("{path}/replay"), &json!({"from": 1_000_001})).await.status(400);
        assert_eq!(refused.fields(), ["from"]);
        assert_eq!(admin.post(&format!("{path}/replay"), &json!({"from": 1_000_001, "to": 1_001_200})).await.ok()["queued"], 1_200);
        assert_eq!(app.database.number("SELECT count(*) FROM webhook_messages"), 1_201);
    }

    async fn people_are_told_to_cleared_endpoints_alone(engine: Engine) {
        let (app, receiver) = (app(&engine).await, Receiver::start().await);
        endpoint(&app, json!({"name": "Automation", "url": receiver.url()})).await;
        app.company("100001", "Acme Health").await;
        app.admin().put("/api/companies/100001", &json!({"compliance_level": "hipaa"})).await.status(200);
        let ava = app.contact("Ava Canary", "ava.canary@example.com", &["100001"]).await;
        app.admin().put(&format!("/api/contacts/{}", ava["id"]), &json!({"title": "Canary Officer"})).await.status(200);
        eventually("the contact is told", 20, async || receiver.bodies().iter().any(|body| body["type"] == "contact.update")).await;
        let told: String = receiver.requests().iter().map(|request| String::from_utf8_lossy(&request.body).into_owned()).collect();
        assert!(!told.to_lowercase().contains("canary"), "{told}");
        assert!(told.contains("withheld"), "{told}");

        // One that an administrator has cleared is told, and each reading is logged.
        let cleared = Receiver::start().await;
        let (path, _) = endpoint(&app, json!({"name": "Directory", "url": cleared.url(), "entities": ["contact"], "cleared": true})).await;
        app.admin().put(&format!("/api/contacts/{}", ava["id"]), &json!({"title": "Canary Chief"})).await.status(200);
        let told = |text: &str| cleared.bodies().iter().any(|body| body.to_string().contains(text));
        eventually("the cleared one is told", 20, async || told("Canary Chief")).await;
        let logged = app.admin().get("/api/disclosures?caller=webhook%20Directory").await.ok();
        assert_eq!(logged.as_array().unwrap().len(), 1, "{logged}");
        assert_eq!((&logged[0]["entity"], &logged[0]["record_ids"]), (&json!("contact"), &json!([ava["id"]])));
        assert_eq!(app.admin().patch(&path, &json!({"cleared": false})).await.ok()["cleared"], false);
    }
}
