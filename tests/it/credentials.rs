//! Credentials entered over HTTP: used at once, sealed, never given back.

use serde_json::{Value, json};

use crate::freshservice::{API_KEY, Freshservice, Plan};
use crate::support::{App, Engine, both, eventually};

const CANARY: &str = "canary-9f2e1c77";
/// Lets addresses that are entered over HTTP be those of stand-ins.
const PRIVATE: &str = "CODEX_SYNC_PRIVATE_ADDRESSES";

async fn finished(app: &App, started: &Value) -> Value {
    let path = format!("/sync/status/{}", started["job_id"].as_str().unwrap_or_else(|| panic!("no job: {started}")));
    let admin = app.admin();
    eventually("the job ends", 60, || async { admin.get(&path).await.ok()["status"] != "running" }).await;
    admin.get(&path).await.ok()
}

fn key<'v>(seen: &'v Value, name: &str) -> &'v Value {
    seen["keys"].as_array().unwrap().iter().find(|key| key["name"] == name).unwrap()
}

both! {
    async fn what_is_entered_counts_at_the_next_job(engine: Engine) {
        let vendor = Freshservice::start(Plan::sized(3, 10).build()).await;
        let mut app = App::builder(&engine).env(PRIVATE, "true").start().await;
        let admin = app.admin();
        let path = "/api/sync/credentials/freshservice";
        admin.post("/sync/freshservice", &json!({})).await.status(500);
        let set = admin.put(path, &json!({"domain": vendor.url(), "api_key": API_KEY})).await.ok();
        assert_eq!((&set["configured"], &key(&set, "domain")["value"]), (&json!(true), &json!(vendor.url())));
        let secret = key(&set, "api_key");
        assert_eq!((&secret["set"], &secret["value"], &secret["origin"]), (&json!(true), &Value::Null, &json!("entered in the page")));
        assert_eq!(secret["fingerprint"].as_str().unwrap().len(), 8);
        let tried = admin.post(&format!("{path}/test"), &json!({})).await.ok();
        assert_eq!(tried["ok"], true, "{tried}");
        let done = finished(&app, &admin.post("/sync/freshservice", &json!({})).await.ok()).await;
        assert_eq!(done["status"], "completed", "{done}");
        app.cli().run_beside(&["sync", "freshservice"]).await.code(0);
        app.cli().run_beside(&["doctor"]).await.code(0);
        let shown = app.cli().run_beside(&["config", "show"]).await.code(0).stdout;
        assert!(shown.lines().any(|line| line.contains("freshservice.api_key") && line.contains("***") && line.contains("entered in the page")), "{shown}");

        // The environment wins over the page; the page says so and keeps what was entered.
        app.stop().await;
        let other = app.cli().env("CODEX_FRESHSERVICE_API_KEY", "wrong").run_beside(&["doctor", "--json"]).await;
        let finding = other.json().as_array().unwrap().iter().find(|found| found["check"] == "freshservice").cloned().unwrap();
        assert_eq!(finding["ok"], false, "{finding}");

        // Another key beside the database: said clearly, and nothing else suffers.
        let file = app.instance().join("credentials.key");
        let kept = std::fs::read(&file).unwrap();
        for lost in [Some("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="), Some("garbage"), None] {
            match lost {
                Some(text) => std::fs::write(&file, text).unwrap(),
                None => std::fs::remove_file(&file).unwrap(),
            }
            app.start().await;
            let admin = app.admin();
            let seen = admin.get(path).await.ok();
            assert!(seen["problem"].as_str().is_some_and(|why| why.contains("key")), "{lost:?}: {seen}");
            assert_eq!(seen["configured"], false);
            admin.get("/api/companies").await.ok();
            assert_eq!(admin.get("/health").await.status(200).json()["checks"]["database"]["status"], "healthy");
            assert!(admin.post("/sync/freshservice", &json!({})).await.status(500).error().contains("not configured"));
            app.stop().await;
        }
        std::fs::write(&file, kept).unwrap();
        app.start().await;
        let admin = app.admin();
        assert_eq!(admin.get(path).await.ok()["configured"], true);
        let gone = admin.delete(path).await.ok();
        assert_eq!((&gone["configured"], &key(&gone, "api_key")["entered"]), (&json!(false), &json!(false)));
        assert_eq!(app.database.number("SELECT count(*) FROM vendor_credentials"), 0);
    }

    async fn nothing_ever_tells_a_secret(engine: Engine) {
        let app = App::builder(&engine).env(PRIVATE, "true").env("CODEX_SERVER_LOG_LEVEL", "debug").start().await;
        let admin = app.admin();
        let mut told = String::new();
        let bodies = [
            ("datto", json!({"api_endpoint": "http://127.0.0.1:1", "public_key": format!("{CANARY}-p"), "secret_key": format!("{CANARY}-s")})),
            ("freshservice", json!({"domain": "http://127.0.0.1:1", "api_key": format!("{CANARY}-k")})),
            ("freshservice", json!({"domain": format!("two words {CANARY}"), "api_key": format!("{CANARY}\u{1}")})),
            ("datto", json!({"api_endpoint": format!("two words {CANARY}")})),
            ("datto", json!({"secret_key": CANARY.repeat(400)})),
        ];
        for (vendor, body) in bodies {
            let reply = admin.put(&format!("/api/sync/credentials/{vendor}"), &body).await;
            told.push_str(&reply.text());
        }
        for vendor in ["freshservice", "datto"] {
            let tried = admin.post(&format!("/api/sync/credentials/{vendor}/test"), &json!({})).await;
            assert_eq!(tried.json()["ok"], false);
            told.push_str(&tried.text());
        }
        finished(&app, &admin.post("/sync/freshservice", &json!({})).await.ok()).await;
        for path in ["/api/sync/credentials", "/api/sync/schedules", "/admin/", "/api/changes", "/health", "/sync/last/freshservice", "/api/openapi.json"] {
            told.push_str(&admin.get(path).await.text());
        }
        for words in [&["config", "show", "--json"][..], &["doctor", "--json"]] {
            let output = app.cli().run_beside(words).await;
            told.push_str(&(output.stdout + &output.stderr));
        }
        told.push_str(&app.log());
        told.push_str(&app.printed());
        for (table, columns) in [("vendor_credentials", "system || name || sealed || fingerprint || set_by"), ("settings", "name || value"), ("sync_jobs", "COALESCE(output, '') || COALESCE(error, '')"), ("sync_runs", "COALESCE(error, '')")] {
            told.push_str(&app.database.texts(&format!("SELECT {columns} FROM {table}")).join("\n"));
        }
        assert!(!told.contains("canary"), "{}", told.split("canary").next().unwrap_or_default().chars().rev().take(300).collect::<String>().chars().rev().collect::<String>());
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(app.instance().join("credentials.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        app.technician().get("/api/sync/credentials").await.status(403);
    }

    async fn an_address_is_changed_with_its_secrets_or_not_at_all(engine: Engine) {
        let vendor = Freshservice::start(Plan::sized(1, 1).build()).await;
        let thief = Thief::start().await;
        let app = App::builder(&engine).env(PRIVATE, "true").start().await;
        let admin = app.admin();
        let (psa, rmm) = ("/api/sync/credentials/freshservice", "/api/sync/credentials/datto");
        admin.put(psa, &json!({"domain": vendor.url(), "api_key": API_KEY})).await.ok();
        admin.put(rmm, &json!({"api_endpoint": vendor.url(), "public_key": CANARY, "secret_key": CANARY})).await.ok();
        for (path, body, missing) in [
            (psa, json!({"domain": thief.url()}), "api_key"),
            (rmm, json!({"api_endpoint": thief.url()}), "public_key"),
            (rmm, json!({"api_endpoint": thief.url(), "public_key": "mine"}), "secret_key"),
            (rmm, json!({"api_endpoint": thief.url(), "secret_key": "mine"}), "public_key"),
        ] {
            let refused = admin.put(path, &body).await.status(400);
            assert_eq!(refused.fields(), [missing], "{body}: {}", refused.text());
        }
        // The page holds the same line, and says so at the field.
        let form = format!("domain={}&api_key=", thief.url());
        let page = admin.post_raw("/admin/credentials/freshservice", "application/x-www-form-urlencoded", form).await.status(400);
        assert!(page.text().contains("must be sent again, because the domain changes"), "{}", page.text());
        // As it is, or in another spelling, an address needs nothing; a secret alone goes where the last one went.
        admin.put(psa, &json!({"domain": format!("{}/api/v2", vendor.url())})).await.ok();
        let form = format!("domain={}&api_key=", vendor.url());
        admin.post_raw("/admin/credentials/freshservice", "application/x-www-form-urlencoded", form).await.status(303);
        admin.put(psa, &json!({"api_key": API_KEY})).await.ok();
        for path in [psa, rmm] {
            admin.post(&format!("{path}/test"), &json!({})).await.ok();
        }
        assert_eq!(thief.heard(), "", "nothing was ever sent there");
        assert!(vendor.world(|state| state.requests.len()) > 0);
        // With a secret of its own it moves; the old one is gone for good.
        admin.put(psa, &json!({"domain": thief.url(), "api_key": "mine"})).await.ok();
        admin.put(rmm, &json!({"api_endpoint": thief.url(), "public_key": null, "secret_key": null})).await.ok();
        for path in [psa, rmm] {
            admin.post(&format!("{path}/test"), &json!({})).await.ok();
        }
        let heard = thief.heard();
        assert!(!heard.is_empty() && !heard.contains(CANARY) && !heard.contains(&basic(API_KEY)), "{heard}");
        for api in [app.service(), app.technician(), app.billing()] {
            api.get(psa).await.status(403);
            api.get("/api/sync/credentials").await.status(403);
            api.put(psa, &json!({"api_key": "x"})).await.status(403);
            api.post(&format!("{psa}/test"), &json!({})).await.status(403);
            api.delete(psa).await.status(403);
        }
    }

    async fn a_secret_on_disk_goes_to_no_address_that_was_entered(engine: Engine) {
        let vendor = Freshservice::start(Plan::sized(1, 1).build()).await;
        let thief = Thief::start().await;
        let path = "/api/sync/credentials/freshservice";
        let on_disk = format!("[freshservice]\ndomain = {}\napi_key = {API_KEY}\n", vendor.url());
        for (conf, env) in [(on_disk.as_str(), false), ("[display]\ncurrency = EUR\n", true)] {
            let mut builder = App::builder(&engine).configuration(conf).env(PRIVATE, "true");
            if env {
                builder = builder.env("FRESHSERVICE_API_KEY", API_KEY);
            }
            let app = builder.start().await;
            let admin = app.admin();
            assert_eq!(admin.put(path, &json!({"domain": thief.url()})).await.status(400).fields(), ["api_key"]);
            let both = admin.put(path, &json!({"domain": thief.url(), "api_key": "mine"})).await;
            if env {
                // The environment wins over what is entered, so that its key would go there.
                assert_eq!(both.status(400).fields(), ["api_key"]);
            } else {
                both.status(200);
                admin.post(&format!("{path}/test"), &json!({})).await.ok();
                assert!(thief.heard().contains(&basic("mine")));
                // Its own key forgotten, the one of the file must not take its place, nor its own the file's address.
                assert_eq!(admin.put(path, &json!({"api_key": null})).await.status(400).fields(), ["api_key"]);
                assert_eq!(admin.put(path, &json!({"domain": null})).await.status(400).fields(), ["api_key"]);
                // Not even when it was entered by an older version, or past Codex.
                app.database.execute("DELETE FROM vendor_credentials WHERE name = 'api_key'");
            }
            admin.post(&format!("{path}/test"), &json!({})).await.ok();
            if !env {
                let seen = admin.get(path).await.ok();
                assert!(seen["problem"].as_str().unwrap().contains("set both in the same place"), "{seen}");
                assert_eq!(key(&seen, "domain")["value"], vendor.url(), "what the file says counts");
            }
            assert!(!thief.heard().contains(&basic(API_KEY)), "{}", thief.heard());
            admin.delete(path).await.ok();
        }
    }

    async fn an_entered_address_is_public_and_https(engine: Engine) {
        let vendor = Freshservice::start(Plan::sized(1, 1).build()).await;
        let mut app = App::builder(&engine).env(PRIVATE, "true").start().await;
        let path = "/api/sync/credentials/freshservice";
        app.admin().put(path, &json!({"domain": vendor.url(), "api_key": API_KEY})).await.ok();
        app.stop().await;
        app.set_env(PRIVATE, "false");
        app.start().await;
        let admin = app.admin();
        // What was entered while it was allowed is not used any more, and the page says why.
        let asked = vendor.world(|state| state.requests.len());
        assert!(admin.get(path).await.ok()["problem"].as_str().unwrap().contains("https"));
        admin.post(&format!("{path}/test"), &json!({})).await.ok();
        assert_eq!(vendor.world(|state| state.requests.len()), asked);
        admin.delete(path).await.ok();
        for bad in [
            "http://acme.freshservice.com", "https://localhost", "localhost:443", "127.0.0.1", "https://127.1", "https://0x7f000001", "https://[::1]",
            "https://[::ffff:10.0.0.1]", "https://169.254.169.254", "https://10.0.0.1", "https://192.168.7.7", "https://[fd00::1]", "https://[fe80::1]",
            "https://metadata.google.internal", "https://acme.freshservice.com:8443", "https://acme.freshservice.com@evil.example",
            "https://evil.example/?x=.freshservice.com", "https://evil.example/x", "https://evil.example\\@acme.freshservice.com",
        ] {
            let refused = admin.put(path, &json!({"domain": bad, "api_key": "x"})).await.status(400);
            assert_eq!(refused.fields(), ["domain"], "{bad}: {}", refused.text());
            let refused = admin.put("/api/sync/credentials/datto", &json!({"api_endpoint": bad, "public_key": "x", "secret_key": "x"})).await.status(400);
            assert_eq!(refused.fields(), ["api_endpoint"], "{bad}: {}", refused.text());
            let form = format!("domain={}&api_key=x", url::form_urlencoded::byte_serialize(bad.as_bytes()).collect::<String>());
            admin.post_raw("/admin/credentials/freshservice", "application/x-www-form-urlencoded", form).await.status(400);
        }
        for good in ["acme", "acme.freshservice.com", "https://vendor.invalid"] {
            admin.put(path, &json!({"domain": good, "api_key": "x"})).await.ok();
        }
        assert_eq!(app.database.number("SELECT count(*) FROM vendor_credentials"), 2);
    }
}

fn basic(user: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(format!("{user}:X"))
}

/// Who listens where no secret should arrive, and keeps what came.
struct Thief {
    address: String,
    heard: std::sync::Arc<std::sync::Mutex<String>>,
}

impl Thief {
    async fn start() -> Self {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let heard = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
        let kept = heard.clone();
        tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let mut bytes = vec![0; 16_384];
                let count = connection.read(&mut bytes).await.unwrap_or(0);
                kept.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]));
                let _gone = connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}").await;
            }
        });
        Self { address, heard }
    }

    fn url(&self) -> &str {
        &self.address
    }

    fn heard(&self) -> String {
        self.heard.lock().unwrap().clone()
    }
}
