//! Calls from vendors: who may make them, and that none counts twice or puts old over new (contract §1.12).

use aws_lc_rs::hmac;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{App, Engine, Reply, both};

const SECRET: &str = "wh-5ecret-of-the-test";
const PATH: &str = "/webhooks/freshservice/ticket";

async fn listening(engine: &Engine) -> App {
    let text = format!("[webhooks]\nenabled = true\nsecret = {SECRET}\nlog_payloads = yes\n");
    let app = App::builder(engine).configuration(&text).start().await;
    app.company("204001", "Acme").await;
    app
}

async fn call(app: &App, body: &Value, headers: &[(&str, &str)]) -> Reply {
    let text = body.to_string();
    app.anonymous()
        .send(Method::POST, PATH, |request| {
            let request = request.header("content-type", "application/json").body(text);
            headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
        })
        .await
}

async fn shared(app: &App, body: &Value) -> Reply {
    call(app, body, &[("x-webhook-secret", SECRET)]).await
}

fn signature(stamp: &str, body: &Value) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let sign = hmac::sign(&key, format!("{stamp}{body}").as_bytes());
    format!("sha256={}", sign.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

fn event(kind: &str, status: &str, updated_at: &str) -> Value {
    json!({"event": format!("ticket.{kind}"), "ticket_id": "42", "subject": "Cannot print", "status_id": status, "priority_id": "3",
        "requester_email": "ava@acme.example", "requester_name": "Ava Patel", "responder_id": "21000900001", "updated_at": updated_at})
}

both! {
    async fn a_call_creates_changes_and_retires_a_ticket(engine: Engine) {
        let app = listening(&engine).await;
        let made = shared(&app, &event("updated", "2", "2026-03-01T10:00:00Z")).await.status(201).json();
        assert_eq!(made, json!({"status": "created", "ticket_id": 42, "provider": "freshservice"}));
        let ticket = app.service().get("/api/ticket/42").await.ok();
        assert_eq!((ticket["status"].as_str(), ticket["status_id"].as_i64(), ticket["priority"].as_str()), (Some("open"), Some(2), Some("high")));
        assert_eq!((ticket["responder_id"].as_i64(), ticket["last_updated_at"].as_str()), (Some(21_000_900_001), Some("2026-03-01T10:00:00Z")));

        let moved = shared(&app, &event("updated", "3", "2026-03-01T11:00:00Z")).await.status(200).json();
        assert_eq!(moved["status"], "updated");
        assert!(moved["changes"].as_array().unwrap().contains(&json!("status")), "{moved}");
        // Older news, and the same news again.
        for stale in [event("updated", "5", "2026-03-01T09:00:00Z"), event("updated", "3", "2026-03-01T11:00:00Z"), event("deleted", "2", "2026-03-01T10:30:00Z")] {
            assert_eq!(shared(&app, &stale).await.status(200).json()["status"], "ignored", "{stale}");
        }
        assert_eq!(app.service().get("/api/ticket/42").await.ok()["status"], "pending");
        assert_eq!(shared(&app, &event("updated", "99", "2026-03-01T11:30:00Z")).await.status(200).json()["status"], "updated");
        assert_eq!(app.service().get("/api/ticket/42").await.ok()["status"], "unknown");

        let gone = shared(&app, &event("deleted", "2", "2026-03-01T12:00:00Z")).await.status(200).json();
        assert_eq!((gone["status"].as_str(), gone["new_status"].as_str()), (Some("deleted"), Some("deleted")));
        assert_eq!(app.service().get("/api/tickets").await.ok()["total"], 0);
        assert_eq!(shared(&app, &event("updated", "2", "2026-03-01T13:00:00Z")).await.status(200).json()["status"], "updated");
        assert_eq!(app.service().get("/api/tickets").await.ok()["total"], 1, "it was restored at the vendor");

        let mut other = event("deleted", "2", "2026-03-01T14:00:00Z");
        other["ticket_id"] = json!(43);
        assert_eq!(shared(&app, &other).await.status(200).json()["status"], "ignored");
        let log = app.log();
        assert!(log.contains("webhook") && !log.contains("Cannot print") && !log.contains("Ava") && !log.contains(SECRET), "{log}");
    }

    async fn a_status_pinned_here_is_not_taken_back_by_a_call(engine: Engine) {
        let app = listening(&engine).await;
        shared(&app, &event("created", "2", "2026-03-01T10:00:00Z")).await.status(201);
        app.technician().post("/api/ticket/42/update", &json!({"status": "on hold"})).await.status(200);
        shared(&app, &event("updated", "3", "2026-03-01T11:00:00Z")).await.status(200);
        assert_eq!(app.service().get("/api/ticket/42").await.ok()["status"], "on_hold");
    }

    async fn nobody_calls_without_the_secret_and_no_signature_counts_twice(engine: Engine) {
        let app = listening(&engine).await;
        let body = event("created", "2", "2026-03-01T10:00:00Z");
        for headers in [vec![], vec![("x-webhook-secret", "wrong")], vec![("x-webhook-secret", "")], vec![("x-webhook-signature", "sha256=00"), ("x-webhook-secret", SECRET)]] {
            assert_eq!(call(&app, &body, &headers).await.status(401).error(), "Unauthorized", "{headers:?}");
        }
        let now = jiff::Timestamp::now().as_second();
        for age in [-301, 360] {
            let stamp = (now + age).to_string();
            call(&app, &body, &[("x-webhook-timestamp", &stamp), ("x-webhook-signature", &signature(&stamp, &body))]).await.status(401);
        }
        assert_eq!(app.service().get("/api/tickets").await.ok()["total"], 0);
        let stamp = now.to_string();
        let signed = [("x-webhook-timestamp", stamp.as_str()), ("x-webhook-signature", &signature(&stamp, &body))];
        call(&app, &body, &signed).await.status(201);
        call(&app, &body, &signed).await.status(401);
        let forged = event("updated", "5", "2026-03-01T12:00:00Z");
        call(&app, &forged, &signed).await.status(401);
        for wrong in [json!({"event": "ticket.updated"}), json!({"ticket_id": 1}), json!({"event": "ticket.updated", "ticket_id": "x"})] {
            assert_eq!(shared(&app, &wrong).await.status, 400, "{wrong}");
        }
        assert_eq!(shared(&app, &json!({"event": "asset.updated", "ticket_id": 42})).await.status(200).json()["status"], "ignored");
        let test = app.anonymous().send(Method::POST, "/webhooks/test", |request| request.header("x-webhook-secret", SECRET)).await.status(200).json();
        assert_eq!(test["status"], "ok");
        let health = app.anonymous().get("/webhooks/health").await.ok();
        assert_eq!((health["webhooks_enabled"].as_bool(), health["secret_configured"].as_bool()), (Some(true), Some(true)));
        assert!(!health.to_string().contains(SECRET));
    }

    async fn calls_are_refused_unless_they_are_wanted(engine: Engine) {
        let app = App::start_on(&engine).await;
        let body = event("created", "2", "2026-03-01T10:00:00Z");
        assert_eq!(shared(&app, &body).await.status(503).error(), "Webhooks are disabled");
        assert_eq!(app.anonymous().get("/webhooks/health").await.ok()["webhooks_enabled"], false);
        drop(app);
        let app = App::builder(&engine).configuration("[webhooks]\nenabled = true\n").start().await;
        assert_eq!(call(&app, &body, &[]).await.status, 401, "no secret set is no reason to let anybody in");
        drop(app);
        let text = format!("[webhooks]\nenabled = true\nsecret = {SECRET}\nallowed_ips = 203.0.113.0/24\n");
        let app = App::builder(&engine).configuration(&text).start().await;
        assert_eq!(shared(&app, &body).await.status(403).error(), "IP not allowed");
    }
}
