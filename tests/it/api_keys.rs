//! API keys: a program of a person's own, which does what they may do within the limits of its key.

use reqwest::Method;
use serde_json::{Value, json};

use crate::core::{Core, user_claims};
use crate::support::{Api, App, Engine, PASSWORD, Reply, both, eventually};

async fn made(api: &Api, mut body: Value) -> (Value, String) {
    body["current_password"] = PASSWORD.into();
    let reply = api.post("/api/keys", &body).await.status(201);
    assert_eq!(reply.header("cache-control"), "no-store");
    let key = reply.json();
    assert!(reply.header("location").ends_with(&format!("/api/keys/{}", key["id"])));
    let text = key["key"].as_str().unwrap().to_owned();
    assert!(text.starts_with("codex_") && text.len() > 40, "{text}");
    (key, text)
}

/// GET with the key in its own header.
async fn with_key(app: &App, key: &str, path: &str) -> Reply {
    app.anonymous().get_with(path, "x-api-key", key).await
}

async fn send(app: &App, key: &str, method: Method, path: &str, body: &Value) -> Reply {
    app.anonymous().send(method, path, |request| request.header("x-api-key", key).json(body)).await
}

fn file(app: &App) -> Vec<u8> {
    let mut all = Vec::new();
    for name in ["codex.db", "codex.db-wal"] {
        all.extend(std::fs::read(app.instance().join(name)).unwrap_or_default());
    }
    all
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

both! {
    async fn a_limit_that_is_misspelt_makes_no_key(engine: Engine) {
        let app = App::start_on(&engine).await;
        for (name, hint) in [("type", "did you mean types?"), ("nouns", "there is no such field"), ("company", "did you mean companies?")] {
            let refused = app.technician().post("/api/keys", &json!({"name": "Report", name: ["companies"], "current_password": PASSWORD})).await.status(400);
            assert!(refused.fields() == [name] && refused.text().contains(hint), "{}", refused.text());
        }
        assert_eq!(app.technician().get("/api/keys").await.ok(), json!([]));
    }

    async fn a_key_is_shown_once_and_comes_in_two_headers(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        let (key, text) = made(&app.technician(), json!({"name": "Nightly report"})).await;
        assert_eq!((&key["access"], &key["state"], &key["owner"]), (&json!("read"), &json!("active"), &json!("tess")));
        assert_eq!((&key["types"], &key["companies"], &key["last_used_at"]), (&Value::Null, &Value::Null, &Value::Null));
        assert_eq!(with_key(&app, &text, "/api/companies").await.ok().as_array().unwrap().len(), 1);
        app.with_token(&text).get("/codex/api/companies").await.status(200);
        for (name, value) in [("x-api-key", format!("{text}x")), ("x-api-key", "codex_".to_owned()), ("x-api-key", "nonsense".to_owned())] {
            let refused = app.anonymous().get_with("/api/companies", name, &value).await.status(401);
            assert_eq!(refused.error(), "Invalid or expired token");
        }
        let both = app.technician().get_with("/api/companies", "x-api-key", &text).await;
        assert_eq!(both.status, 401, "one caller at a time");
        assert_eq!(with_key(&app, &text, "/api/public/user/theme").await.status, 200);

        let told = app.technician().get(&format!("/api/keys/{}", key["id"])).await.ok();
        assert_eq!((told.get("key"), &told["starts_with"]), (None, &json!(text.get(..10).unwrap())));
        let listed = app.admin().get("/api/keys").await.text() + &app.admin().get("/api/changes?types=api_key").await.text();
        assert!(listed.contains("Nightly report") && !listed.contains(&text), "{listed}");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM api_keys WHERE digest LIKE 'codex%'"), 0);
        assert!(!holds(app.log().as_bytes(), &text), "a key in the log");
        if engine.name() == "sqlite" {
            assert!(!holds(&file(&app), &text) && holds(&file(&app), "Nightly report"), "a key in the database");
        }
        eventually("its use is noted", 5, || async {
            app.technician().get("/api/keys").await.ok()[0]["last_used_at"].is_string()
        }).await;
        app.database.execute("UPDATE api_keys SET last_used_at = '2026-01-01T00:00:00Z'");
        for _ in 0..5 {
            with_key(&app, &text, "/api/companies").await.status(200);
        }
        assert_eq!(app.database.texts("SELECT last_used_at FROM api_keys"), ["2026-01-01T00:00:00Z"], "once a minute at most");
    }

    async fn a_key_ends_at_once_whoever_ends_it(engine: Engine) {
        let app = App::start_on(&engine).await;
        let (tess, ask) = (app.technician(), "/api/companies");
        let (key, text) = made(&tess, json!({"name": "One"})).await;
        let path = format!("/api/keys/{}", key["id"]);
        app.billing().get(&path).await.status(404);
        app.billing().delete(&path).await.status(404);
        assert_eq!(app.billing().get("/api/keys").await.ok(), json!([]));
        assert_eq!(tess.post("/api/keys", &json!({"name": "ONE", "current_password": PASSWORD})).await.status(409).fields(), ["name"], "one of each name");
        assert_eq!(tess.delete(&path).await.ok()["state"], "revoked");
        with_key(&app, &text, ask).await.status(401);
        tess.delete(&path).await.status(200);

        let (_, text) = made(&tess, json!({"name": "One"})).await;
        app.cli().run_beside(&["users", "disable", "tess"]).await.success();
        with_key(&app, &text, ask).await.status(401);
        assert_eq!(app.admin().get("/api/keys?owner=TESS").await.ok()[0]["state"], "owner_disabled");
        app.cli().run_beside(&["users", "enable", "tess"]).await.success();
        with_key(&app, &text, ask).await.status(200);
        app.database.execute("UPDATE api_keys SET expires_at = '2026-01-01T00:00:00Z'");
        with_key(&app, &text, ask).await.status(401);
        let (key, text) = made(&app.admin(), json!({"name": "One", "expires_in_days": 1096})).await;
        let other = app.beside().await;
        other.api(Some(&text)).get(ask).await.status(200);
        app.admin().delete(&format!("/api/keys/{}", key["id"])).await.status(200);
        other.api(Some(&text)).get(ask).await.status(401);
        let trail = app.admin().get("/api/changes?types=api_key").await.ok();
        let actions: Vec<_> = trail["changes"].as_array().unwrap().iter().map(|change| change["action"].as_str().unwrap()).collect();
        assert_eq!(actions, ["create", "revoke", "create", "create", "revoke"]);
        let told = app.technician().get("/api/changes?types=api_key").await;
        assert!(told.status == 401 || !told.text().contains("\"One\""), "{}", told.text());
    }

    async fn a_key_is_made_for_who_knows_the_password(engine: Engine) {
        let app = App::start_on(&engine).await;
        let tess = app.technician();
        for body in [json!({"name": "k"}), json!({"name": "k", "current_password": "guess"}), json!({"name": "k", "current_password": ""})] {
            assert_eq!(tess.post("/api/keys", &body).await.status(400).fields(), ["current_password"], "{body}");
        }
        assert_eq!(tess.get("/api/keys").await.ok(), json!([]));
        let mut statuses = Vec::new();
        for _ in 0..6 {
            statuses.push(tess.post("/api/keys", &json!({"name": "k", "current_password": "guess"})).await.status);
        }
        assert!(statuses.contains(&429), "guesses are limited: {statuses:?}");
    }

    async fn keys_that_have_expired_leave_room_for_others(engine: Engine) {
        let app = App::start_on(&engine).await;
        let tess = app.technician();
        made(&tess, json!({"name": "first"})).await;
        for number in 0..99 {
            app.database.execute(&format!(
                "INSERT INTO api_keys (subject, name, name_folded, beginning, digest, writes, created_at, expires_at)
                 SELECT subject, 'old {number}', 'old {number}', 'codex_x', 'digest-{number}', FALSE, created_at, expires_at FROM api_keys WHERE name = 'first'"
            ));
        }
        tess.post("/api/keys", &json!({"name": "one more", "current_password": PASSWORD})).await.status(409);
        app.database.execute("UPDATE api_keys SET expires_at = '2026-01-01T00:00:00Z' WHERE name LIKE 'old %'");
        made(&tess, json!({"name": "one more"})).await;
    }

    async fn a_contact_that_others_share_is_not_a_limited_keys_to_change(engine: Engine) {
        let app = App::start_on(&engine).await;
        let ada = app.admin();
        app.company("100001", "Acme").await;
        app.company("100002", "Other").await;
        let shared = app.contact("Ava", "ava@acme.example", &["100001", "100002"]).await["id"].clone();
        let own = app.contact("Ben", "ben@acme.example", &["100001"]).await["id"].clone();
        app.contact("Olga", "olga@other.example", &["100002"]).await;
        let (_, one) = made(&ada, json!({"name": "one", "access": "read-write", "companies": ["100001"]})).await;
        let new = json!({"name": "Olga", "email": "Olga@other.example", "company_account_numbers": ["100001"]});
        let taken = send(&app, &one, Method::POST, "/api/contacts", &new).await.status(409).json();
        assert!(taken["error"].as_str().unwrap().contains("email") && taken.get("id").is_none(), "nothing of whose it is: {taken}");
        send(&app, &one, Method::PUT, &format!("/api/contacts/{own}"), &json!({"email": "olga@other.example"})).await.status(409);
        let path = format!("/api/contacts/{shared}");
        let refused = send(&app, &one, Method::PUT, &path, &json!({"email": "mine@acme.example"})).await.status(403);
        assert!(refused.error().contains("also belongs to a company"), "{}", refused.text());
        send(&app, &one, Method::DELETE, &path, &json!({})).await.status(403);
        send(&app, &one, Method::DELETE, &format!("{path}?force=true"), &json!({})).await.status(403);
        send(&app, &one, Method::PUT, &path, &json!({"title": "Owner", "email": "ava@acme.example"})).await.status(200);
        send(&app, &one, Method::PUT, &format!("/api/contacts/{own}"), &json!({"email": "benno@acme.example"})).await.status(200);
        send(&app, &one, Method::DELETE, &format!("/api/contacts/{own}"), &json!({})).await;
        assert_eq!(ada.get(&path).await.ok()["email"], "ava@acme.example");
        ada.put(&path, &json!({"email": "ava.p@acme.example"})).await.status(200);
    }

    async fn what_is_wrong_with_a_new_key_is_named(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        let client = app.client_of("cleo", "100001").await;
        app.company("100002", "Other").await;
        for (mut body, field) in [
            (json!({}), "name"),
            (json!({"name": "a", "access": "write"}), "access"),
            (json!({"name": "a", "types": ["assets"]}), "types"),
            (json!({"name": "a", "types": []}), "types"),
            (json!({"name": "a", "companies": []}), "companies"),
            (json!({"name": "a", "companies": ["100002", "999"]}), "companies.0"),
            // An id is no account number: the key would be another company's.
            (json!({"name": "a", "companies": ["1"]}), "companies.0"),
            (json!({"name": "a", "expires_in_days": 0}), "expires_in_days"),
            (json!({"name": "a", "expires_in_days": 1097}), "expires_in_days"),
        ] {
            body["current_password"] = PASSWORD.into();
            assert_eq!(client.post("/api/keys", &body).await.status(400).fields(), [field], "{body}");
        }
        assert_eq!(client.get("/api/keys").await.ok(), json!([]));
        let (_, key) = made(&client, json!({"name": "mine", "access": "read-write"})).await;
        let seen = with_key(&app, &key, "/api/companies").await.ok();
        assert_eq!((seen.as_array().unwrap().len(), &seen[0]["account_number"]), (1, &json!("100001")), "a client's key is a client");
        send(&app, &key, Method::POST, "/api/companies", &json!({"name": "New"})).await.status(403);
    }

    async fn limits_hold_for_writes_types_and_companies(engine: Engine) {
        let app = App::start_on(&engine).await;
        let ada = app.admin();
        for (number, name) in [("100001", "Acme"), ("100002", "Other")] {
            app.company(number, name).await;
            app.asset(&format!("LT-{number}"), number).await;
            app.contact(&format!("Ava {number}"), &format!("ava@{number}.example"), &[number]).await;
        }
        let (_, reads) = made(&ada, json!({"name": "reads"})).await;
        with_key(&app, &reads, "/api/changes").await.status(200);
        let refused = send(&app, &reads, Method::PUT, "/api/companies/100001", &json!({"name": "x"})).await.status(403);
        assert!(refused.error().contains("only reads"), "{}", refused.error());
        send(&app, &reads, Method::POST, "/sync/freshservice", &json!({})).await.status(403);

        let (_, assets) = made(&ada, json!({"name": "assets", "access": "read-write", "types": ["asset"]})).await;
        assert_eq!(with_key(&app, &assets, "/api/assets").await.ok().as_array().unwrap().len(), 2);
        with_key(&app, &assets, "/api/companies/100001/assets").await.status(200);
        for path in ["/api/companies", "/api/companies/bulk", "/api/search?q=ava", "/api/changes", "/api/contacts", "/api/history/asset/1", "/api/users", "/api/openapi.json?x"] {
            let status = with_key(&app, &assets, path).await.status;
            assert_eq!(status, if path.contains("openapi") { 200 } else { 403 }, "{path}");
        }
        send(&app, &assets, Method::PUT, "/api/assets/1", &json!({"description": "by key"})).await.status(200);

        let (_, one) = made(&ada, json!({"name": "one", "access": "read-write", "companies": ["100001"]})).await;
        for path in ["/api/companies", "/api/assets", "/api/contacts"] {
            let text = with_key(&app, &one, path).await.status(200).text();
            assert!(text.contains("100001") && !text.contains("100002"), "{path}: {text}");
        }
        let bulk = with_key(&app, &one, "/api/companies/bulk?include_tickets=true").await.ok();
        assert_eq!(bulk.as_array().unwrap().len(), 1);
        for path in ["/api/companies/100002", "/api/assets/2", "/api/contacts/2", "/api/companies/100002/assets"] {
            with_key(&app, &one, path).await.status(404);
        }
        for path in ["/api/changes", "/api/search?q=ava", "/api/users", "/api/outbox", "/api/sync/review", "/api/companies/100001/attached"] {
            with_key(&app, &one, path).await.status(403);
        }
        send(&app, &one, Method::POST, "/api/companies", &json!({"name": "New"})).await.status(403);
        let stray = send(&app, &one, Method::POST, "/api/contacts", &json!({"name": "Stray", "email": "s@x.example"})).await;
        assert_eq!(stray.status(400).fields(), ["company_account_numbers"]);
        let there = send(&app, &one, Method::POST, "/api/assets", &json!({"hostname": "X", "company_account_number": "100002"})).await;
        assert!(matches!(there.status, 400 | 404), "{}", there.text());
        send(&app, &one, Method::PUT, "/api/assets/2", &json!({"hostname": "X"})).await.status(404);
        send(&app, &one, Method::POST, "/api/assets", &json!({"hostname": "X", "company_account_number": "100001"})).await.status(201);
        app.database.execute("UPDATE companies SET retired_at = '2026-11-01T00:00:00Z' WHERE account_number = '100001'");
        assert_eq!(with_key(&app, &one, "/api/assets").await.ok(), json!([]), "a company that is retired opens nothing");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM companies"), 2);
    }

    async fn history_and_disclosures_name_the_key(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        app.admin().put("/api/companies/100001", &json!({"compliance_level": "hipaa"})).await.status(200);
        let contact = app.contact("Ava Patel", "ava@acme.example", &["100001"]).await;
        let (_, text) = made(&app.technician(), json!({"name": "Import", "access": "read-write"})).await;
        send(&app, &text, Method::PUT, &format!("/api/contacts/{}", contact["id"]), &json!({"title": "Owner"})).await.status(200);
        let feed = app.admin().get("/api/changes?types=contact").await.ok();
        let last = feed["changes"].as_array().unwrap().last().unwrap();
        assert_eq!((&last["actor_kind"], &last["actor"]), (&json!("key"), &json!("Import (key of tess)")));
        with_key(&app, &text, "/api/contacts").await.status(200);
        let read = app.admin().get("/api/disclosures").await.text();
        assert!(read.contains("Import (key of tess)"), "{read}");

        let (_, bills) = made(&app.billing(), json!({"name": "Invoices"})).await;
        let masked = with_key(&app, &bills, "/api/contacts").await.status(200).text();
        assert!(!masked.contains("Ava Patel"), "a key sees what its owner sees: {masked}");
        let lowered = send(&app, &text, Method::PUT, "/api/companies/100001", &json!({"compliance_level": "standard"})).await;
        lowered.status(403);
        let (_, root) = made(&app.admin(), json!({"name": "Root", "access": "read-write"})).await;
        let lowered = send(&app, &root, Method::PUT, "/api/companies/100001", &json!({"compliance_level": "standard"})).await;
        lowered.status(403);
    }

    async fn a_key_asks_only_so_often(engine: Engine) {
        let app = App::builder(&engine).env("CODEX_LIMITS_KEY_REQUESTS", "5").start().await;
        let (_, one) = made(&app.admin(), json!({"name": "one"})).await;
        let (_, two) = made(&app.admin(), json!({"name": "two"})).await;
        let mut left = Vec::new();
        for _ in 0..5 {
            let reply = with_key(&app, &one, "/api/companies").await.status(200);
            assert_eq!((reply.header("ratelimit-limit"), reply.header("ratelimit-policy")), ("5", "5;w=60"));
            assert!((1..=60).contains(&reply.header("ratelimit-reset").parse::<u64>().unwrap()));
            left.push(reply.header("ratelimit-remaining").to_owned());
        }
        assert_eq!(left, ["4", "3", "2", "1", "0"]);
        let refused = with_key(&app, &one, "/api/companies").await.status(429);
        let wait: u64 = refused.header("retry-after").parse().unwrap();
        assert!((1..=60).contains(&wait) && refused.header("ratelimit-remaining") == "0", "{wait}");
        assert!(refused.error().contains("too many requests"), "{}", refused.text());
        assert_eq!(with_key(&app, &one, "/health").await.status, 429, "whatever it asks");
        assert_eq!(with_key(&app, &two, "/api/nothing").await.status(404).header("ratelimit-limit"), "5", "errors say it too");
        assert_eq!(app.admin().get("/api/companies").await.header("ratelimit-limit"), "", "people are not counted");
    }

    async fn keys_work_on_the_platform(engine: Engine) {
        let core = Core::start().await;
        let app = App::builder(&engine).core(&core).start().await;
        let person = |name: &str, level: &str| app.with_token(&core.token(&user_claims(name, &format!("{name}@msp.example.com"), level)));
        let ada = person("ada", "admin");
        ada.post("/api/companies", &json!({"account_number": "100001", "name": "Acme"})).await.status(201);
        ada.post("/api/companies", &json!({"account_number": "100002", "name": "Other"})).await.status(201);
        let contact = json!({"name": "Cleo", "email": "cleo@msp.example.com", "company_account_numbers": ["100001"]});
        ada.post("/api/contacts", &contact).await.status(201);
        let (_, root) = made(&ada, json!({"name": "root", "access": "read-write"})).await;
        send(&app, &root, Method::POST, "/api/companies", &json!({"account_number": "100003", "name": "New"})).await.status(201);
        let (_, client) = made(&person("cleo", "client"), json!({"name": "mine"})).await;
        let seen = with_key(&app, &client, "/api/companies").await.ok();
        assert_eq!((seen.as_array().unwrap().len(), &seen[0]["account_number"]), (1, &json!("100001")));
        let cookie = app.anonymous().get_with("/api/companies", "cookie", &format!("codex_session={root}")).await;
        assert_eq!(cookie.status, 401);
        let owners = ada.get("/api/keys").await.ok();
        assert_eq!((&owners[0]["owner"], &owners[1]["owner"]), (&json!("cleo"), &json!("ada")));
        app.database.execute("UPDATE agents SET enabled = FALSE WHERE username = 'ada'");
        with_key(&app, &root, "/api/companies").await.status(401);
        with_key(&app, &client, "/api/companies").await.status(200);
        let page = ada.get_with("/settings", "accept", "text/html").await.status(200).text();
        assert!(page.contains("API keys") && page.contains("Owner disabled"), "{page}");
        let cli = app.cli().run_beside(&["keys", "create", "by hand", "--user", "cleo@msp.example.com"]).await.success();
        let seen = with_key(&app, cli.stdout.trim(), "/api/companies").await.ok();
        assert_eq!(seen.as_array().unwrap().len(), 1, "a client's key from the command line is a client's");
    }

    async fn the_command_line_makes_lists_and_revokes(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        let create = ["keys", "create", "Inventory", "--user", "TESS", "--write", "--type", "asset", "--company", "100001", "--days", "7", "--json"];
        let made: Value = serde_json::from_str(&app.cli().run_beside(&create).await.success().stdout).unwrap();
        assert_eq!((&made["access"], &made["types"], &made["companies"]), (&json!("read-write"), &json!(["asset"]), &json!(["100001"])));
        with_key(&app, made["key"].as_str().unwrap(), "/api/assets").await.status(200);
        let listed = app.cli().run_beside(&["keys", "list", "--user", "tess"]).await.success().stdout;
        assert!(listed.contains("Inventory") && listed.contains("asset; 100001") && !listed.contains(made["key"].as_str().unwrap()), "{listed}");
        app.cli().run_beside(&["keys", "revoke", &made["id"].to_string()]).await.success();
        with_key(&app, made["key"].as_str().unwrap(), "/api/assets").await.status(401);
        for (arguments, words) in [
            (&["keys", "create", "x", "--user", "nobody"][..], "User not found"),
            (&["keys", "create", "x", "--user", "ada", "--type", "things"][..], "must be some of"),
            (&["keys", "create", "x", "--user", "ada", "--company", "999"][..], "there is no company 999"),
            (&["keys", "revoke", "99"][..], "API key not found"),
        ] {
            let output = app.cli().run_beside(arguments).await;
            assert!(output.stderr.contains(words) && output.code != 0, "{arguments:?}: {}", output.stderr);
        }
    }

    async fn pages_show_a_key_once_and_end_it(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        let tess = app.technician();
        let form = async |api: &Api, path: &str, fields: &[(&str, &str)]| {
            api.send(Method::POST, path, |request| request.header("accept", "text/html").form(fields)).await
        };
        assert!(tess.get_with("/account/keys/new", "accept", "text/html").await.status(200).text().contains("value=\"subnet\""));
        let refused = form(&tess, "/account/keys/new", &[("name", ""), ("companies", "999"), ("types[]", "asset")]).await.status(400).text();
        assert!(refused.contains("id=\"name-error\"") && refused.contains("999") && refused.contains("value=\"asset\" checked"), "{refused}");
        let fields = [("name", "Report <b>"), ("access", "read"), ("companies", "100001\n"), ("types[]", ""), ("types[]", "asset"), ("expires_in_days", "30"), ("current_password", PASSWORD)];
        let unproved = form(&tess, "/account/keys/new", &fields[..6]).await.status(400).text();
        assert!(unproved.contains("id=\"current_password-error\""), "{unproved}");
        let reply = form(&tess, "/account/keys/new", &fields).await.status(201);
        assert_eq!(reply.header("cache-control"), "no-store");
        let page = reply.text().replace("<wbr>", "");
        let text: String = page.split_once("X-API-Key: ").unwrap().1.chars().take_while(|c| c.is_ascii_alphanumeric() || "_-".contains(*c)).collect();
        with_key(&app, &text, "/api/assets").await.status(200);
        with_key(&app, &text, "/api/companies").await.status(403);
        let account = tess.get_with("/settings", "accept", "text/html").await.status(200).text();
        assert!(account.contains("Report &#60;b&#62;") && account.contains("asset; 100001") && !account.contains(&text), "{account}");
        assert!(with_key(&app, &text, "/settings").await.status(403).error().contains("limited"));
        let id = tess.get("/api/keys").await.ok()[0]["id"].to_string();
        form(&app.billing(), &format!("/account/keys/{id}/revoke"), &[]).await.status(404);
        let all = app.admin().get_with("/admin/keys", "accept", "text/html").await.status(200).text();
        assert!(all.contains("tess") && all.contains("Report"), "{all}");
        form(&app.admin(), &format!("/admin/keys/{id}/revoke"), &[]).await.status(303);
        with_key(&app, &text, "/api/assets").await.status(401);
    }
}
