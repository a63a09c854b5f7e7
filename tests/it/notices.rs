//! Notices: each thing is told once, to whoever wants it, as they want it; and what is not delivered is listed.

use serde_json::{Value, json};

use crate::http_server::Response;
use crate::receiver::{Receiver, Smtp};
use crate::support::{App, Engine, both, eventually};

/// A sync that has run and failed, or has run well, as its rows say it.
fn ended(app: &App, status: &str, error: &str) {
    let at = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ");
    app.database.execute(&format!(
        "INSERT INTO sync_jobs (id, script, provider, sync_type, status, started_at, completed_at, started_by, host, pid, pid_started, heartbeat_at)
         VALUES ('{0}', 'datto', 'datto', 'manual', 'completed', '{at}', '{at}', 'test', 'x', 1, 1, '{at}');
         INSERT INTO sync_runs (source, job_id, dry_run, status, started_at, finished_at, error)
         VALUES ('datto', '{0}', FALSE, '{status}', '{at}', '{at}', {error})",
        uuid::Uuid::new_v4()
    ));
}

async fn app(engine: &Engine, smtp: &Smtp) -> App {
    App::builder(engine)
        .configuration(&smtp.configuration())
        .env("CODEX_SKIP_SCHEDULER", "")
        .env("CODEX_SERVER_PUBLIC_URL", "https://codex.example.com")
        .env("CODEX_OUTGOING_WEBHOOKS_PRIVATE_ADDRESSES", "true")
        .start()
        .await
}

/// The letters to somebody, unfolded.
fn letters(smtp: &Smtp, to: &str) -> Vec<String> {
    let mine = smtp.letters().into_iter().filter(|letter| letter.to == to);
    mine.map(|letter| letter.text.replace("=\n", "").replace("=3D", "=")).collect()
}

async fn address(app: &App) -> String {
    app.admin().get("/api/my/notices").await.ok()["email"].as_str().unwrap().to_owned()
}

both! {
    async fn a_source_that_stays_broken_is_told_once_and_once_when_it_works_again(engine: Engine) {
        let (smtp, chat) = (Smtp::start().await, Receiver::start().await);
        let app = app(&engine, &smtp).await;
        let admin = address(&app).await;
        // Two processes tell as much as one.
        let _second = app.beside().await;
        app.admin().post("/api/notice-channels", &json!({"name": "Operations", "format": "slack", "url": chat.url()})).await.status(201);
        ended(&app, "failed", "'401 <unauthorized>'");
        eventually("a letter", 20, async || letters(&smtp, &admin).len() == 1).await;
        eventually("a message", 20, async || chat.requests().len() == 1).await;
        let letter = letters(&smtp, &admin).remove(0);
        assert!(letter.contains("Subject: Codex: Datto RMM sync failed"), "{letter}");
        assert!(letter.contains("401 <unauthorized>") && letter.contains("https://codex.example.com/admin/"), "{letter}");
        // Chats are read by many: no detail.
        assert_eq!(chat.bodies()[0], json!({"text": "Datto RMM sync failed\n<https://codex.example.com/admin/|Open in Codex>"}));
        assert_eq!(smtp.letters().len(), 1, "nobody but administrators is told unless they choose so");
        let open = app.technician().get("/api/notices").await.ok();
        assert_eq!((open[0]["kind"].as_str(), open[0]["title"].as_str()), (Some("sync"), Some("Datto RMM sync failed")));

        ended(&app, "failed", "'403 forbidden'");
        eventually("the reason moves", 20, async || app.admin().get("/api/notices").await.ok()[0]["detail"] == "403 forbidden").await;
        tokio::time::sleep(std::time::Duration::from_secs(6)).await;
        assert_eq!((letters(&smtp, &admin).len(), chat.requests().len()), (1, 1), "told again");

        ended(&app, "done", "NULL");
        eventually("a second letter", 20, async || letters(&smtp, &admin).len() == 2).await;
        assert!(letters(&smtp, &admin)[1].contains("Subject: Codex: Resolved: Datto RMM sync failed"), "{:?}", letters(&smtp, &admin)[1]);
        eventually("a second message", 20, async || chat.requests().len() == 2).await;
        assert_eq!(app.admin().get("/api/notices").await.ok(), json!([]));
    }

    async fn people_choose_what_and_how_and_the_digest_is_one_mail(engine: Engine) {
        let smtp = Smtp::start().await;
        let mut app = app(&engine, &smtp).await;
        let admin = address(&app).await;
        let tess = app.technician().get("/api/my/notices").await.ok();
        let kinds = |known: &Value| known["kinds"].as_array().unwrap().iter().map(|kind| format!("{}={}", kind["kind"].as_str().unwrap(), kind["how"].as_str().unwrap())).collect::<Vec<_>>();
        assert_eq!(kinds(&tess), ["sync=off", "warranty=off", "contract=off", "license=off"]);
        assert_eq!(kinds(&app.admin().get("/api/my/notices").await.ok())[..2], ["sync=now", "plan=now"]);
        assert_eq!(kinds(&app.billing().get("/api/my/notices").await.ok()), ["contract=off", "license=off"]);
        let wrong = app.technician().put("/api/my/notices", &json!({"sync": "hourly", "digest_at": "25:00", "time_zone": "Mars/Base", "plan": "now"})).await.status(400);
        assert_eq!(wrong.fields(), ["sync", "plan", "digest_at", "time_zone"]);
        let saved = app.technician().put("/api/my/notices", &json!({"sync": "now", "digest_at": "07:30", "time_zone": "Europe/Berlin"})).await.ok();
        assert_eq!((saved["digest_at"].as_str(), saved["time_zone"].as_str()), (Some("07:30"), Some("Europe/Berlin")));
        assert_eq!(kinds(&saved)[0], "sync=now");
        app.admin().put("/api/my/notices", &json!({"sync": "off"})).await.status(200);

        let day = |days: i64| jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_hours(24 * days)).unwrap().strftime("%Y-%m-%d").to_string();
        app.company("100001", "Acme").await;
        app.company("100002", "Globex").await;
        app.admin().put("/api/companies/100001", &json!({"contract_end_date": day(20)})).await.status(200);
        app.admin().put("/api/companies/100002", &json!({"contract_end_date": day(200)})).await.status(200);
        for name in ["LT-1", "LT-2"] {
            let asset = app.asset(name, "100001").await;
            app.admin().put(&format!("/api/assets/{}", asset["id"]), &json!({"warranty_expires": day(10)})).await.status(200);
        }
        for (product, days, renews) in [("Office Suite", 10, true), ("Backup", 20, false), ("Later", 40, true)] {
            let body = json!({"company_id": "100001", "product": product, "vendor": "Contoso", "seats": 1, "expires_on": day(days), "auto_renews": renews});
            app.admin().post("/api/licenses", &body).await.status(201);
        }
        // Days are looked at seldom, and at each start.
        app.stop().await;
        app.start().await;
        ended(&app, "failed", "'no'");
        let mail = letters(&smtp, "tess@example.com");
        assert!(mail.is_empty(), "{mail:?}");
        eventually("five things are open", 30, async || app.admin().get("/api/notices").await.ok().as_array().unwrap().len() == 5).await;
        eventually("the technician is told", 20, async || smtp.letters().len() == 1).await;
        assert_ne!(smtp.letters()[0].to, admin);
        // The digest comes at its time, in one mail.
        assert_eq!(app.database.number("SELECT count(*) FROM notice_deliveries WHERE how = 'daily' AND state = 'pending'"), 4);
        app.database.execute("UPDATE notice_deliveries SET due_at = '2020-01-01T00:00:00Z' WHERE how = 'daily'");
        eventually("the digest", 20, async || smtp.letters().len() == 2).await;
        let digest = letters(&smtp, &admin).remove(0);
        assert!(digest.contains("Subject: Codex daily digest: 4 notices"), "{digest}");
        assert!(digest.contains("Acme: 2 warranties end on ") && digest.contains("The contract of Acme ends on "), "{digest}");
        assert!(digest.contains(&format!("Acme: Office Suite renews on {}", day(10))) && digest.contains(&format!("Acme: Backup ends on {}", day(20))), "{digest}");
        assert!(!digest.contains("LT-1") && !digest.contains("Globex"), "{digest}");
    }

    async fn what_waits_and_what_was_disabled_is_told(engine: Engine) {
        let smtp = Smtp::start().await;
        let app = app(&engine, &smtp).await;
        let admin = address(&app).await;
        ended(&app, "held", "NULL");
        let at = "2026-11-28T08:00:00Z";
        app.database.execute(&format!(
            "INSERT INTO sync_plans (id, run_id, source, status, created_at, held_because, summary)
             VALUES (7, (SELECT MAX(id) FROM sync_runs), 'datto', 'held', '{at}', '263 of 697 would be retired (limit 34)', '{{}}');
             INSERT INTO sync_plan_items (plan_id, entity, action, state, label, reason, fields, moves)
             VALUES (7, 'asset', 'retire', 'held', 'LT-1', 'gone', '{{}}', '[]');
             INSERT INTO review_items (system, kind, external_id, label, reason, candidates, state, created_at, updated_at)
             VALUES ('datto', 'site', '9', 'Canary site', 'unknown', '[]', 'open', '{at}', '{at}');"
        ));
        let webhook = app.admin().post("/api/outgoing-webhooks", &json!({"name": "Automation", "url": "https://hooks.example.com/"})).await.status(201).json();
        app.database.execute("UPDATE webhook_endpoints SET enabled = FALSE, disabled_because = 'Nothing could be delivered for 3 days'");
        eventually("three things are open", 20, async || app.admin().get("/api/notices").await.ok().as_array().unwrap().len() == 3).await;
        eventually("what is told at once is", 20, async || app.database.number("SELECT count(*) FROM notice_deliveries WHERE state = 'sent'") == 2).await;
        let told = letters(&smtp, &admin).join("\n");
        assert!(told.contains("Datto RMM sync: 1 change waits for approval") && told.contains("/admin/plans/7"), "{told}");
        assert!(told.contains("Outgoing webhook Automation was disabled") && told.contains(&format!("/admin/outgoing-webhooks/{}", webhook["id"])), "{told}");
        assert!(!told.contains("review") && !told.contains("Canary"), "the digest is for tomorrow: {told}");
        // What is well again before the digest is no news.
        app.database.execute("UPDATE review_items SET state = 'ignored'");
        eventually("the review is over", 20, async || app.admin().get("/api/notices").await.ok().as_array().unwrap().len() == 2).await;
        app.database.execute("UPDATE notice_deliveries SET due_at = '2020-01-01T00:00:00Z' WHERE how = 'daily'");
        eventually("it is dropped", 20, async || app.database.number("SELECT count(*) FROM notice_deliveries WHERE state = 'dropped'") == 1).await;
        assert!(!letters(&smtp, &admin).join("\n").contains("review"));
    }

    async fn what_the_server_refuses_is_listed_and_sent_again(engine: Engine) {
        let smtp = Smtp::start().await;
        let app = app(&engine, &smtp).await;
        smtp.refuse(Some("550 no such mailbox"));
        ended(&app, "failed", "'no'");
        eventually("it is listed", 20, async || app.admin().get("/api/notices/undelivered").await.ok().as_array().unwrap().len() == 1).await;
        let listed = app.admin().get("/api/notices/undelivered").await.ok();
        assert_eq!(listed[0]["given_up"], true);
        assert!(listed[0]["error"].as_str().unwrap().contains("no such mailbox"), "{listed}");
        let page = app.admin().get("/admin/notices").await.status(200).text();
        assert!(page.contains("no such mailbox") && page.contains("Datto RMM sync failed"), "{page}");
        assert!(!app.log().contains("no such mailbox"), "{}", app.log());
        smtp.refuse(None);
        app.admin().post(&format!("/api/notices/undelivered/{}/retry", listed[0]["id"]), &json!({})).await.status(200);
        eventually("it is sent", 20, async || smtp.letters().len() == 1).await;
        assert_eq!(app.admin().get("/api/notices/undelivered").await.ok(), json!([]));
        let own = app.admin().post("/api/mail/test", &json!({})).await.ok();
        assert_eq!(own["delivered"], true);
    }

    async fn channels_are_tested_kept_sealed_and_removed(engine: Engine) {
        let (smtp, chat) = (Smtp::start().await, Receiver::start().await);
        let app = app(&engine, &smtp).await;
        let admin = app.admin();
        let wrong = admin.post("/api/notice-channels", &json!({"name": "x", "format": "irc", "url": "nonsense", "kinds": ["weather"]})).await.status(400);
        assert_eq!(wrong.fields(), ["format", "url", "kinds"]);
        let teams = json!({"name": "Team", "format": "teams", "url": chat.url(), "kinds": ["contract"]});
        let made = admin.post("/api/notice-channels", &teams).await.status(201).json();
        assert!(made.get("url").is_none(), "{made}");
        let path = format!("/api/notice-channels/{}", made["id"]);
        assert_eq!(admin.post(&format!("{path}/test"), &json!({})).await.ok()["delivered"], true);
        let told = chat.bodies().remove(0);
        assert_eq!(told["attachments"][0]["content"]["body"][0]["text"], "Test message from Codex");
        chat.answer(&[Response::new(404, "text/plain", "")]);
        let tested = admin.post(&format!("{path}/test"), &json!({})).await.ok();
        assert!(tested["error"].as_str().unwrap().contains("404"), "{tested}");
        assert!(!app.database.texts("SELECT url FROM notice_channels")[0].contains("127.0.0.1"));
        // It wants to hear of contracts alone.
        chat.answer(&[Response::new(200, "text/plain", "")]);
        let before = chat.requests().len();
        ended(&app, "failed", "'no'");
        eventually("the letter", 20, async || smtp.letters().len() == 1).await;
        assert_eq!(chat.requests().len(), before);
        admin.delete(&path).await.status(200);
        assert_eq!(admin.get("/api/notice-channels").await.ok(), json!([]));
    }
}
