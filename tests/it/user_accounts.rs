//! Accounts of stand-alone users, managed by API and page: added, changed, disabled, invited, reset.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Api, App, Engine, PASSWORD, Reply, both};

async fn sign_in(app: &App, name: &str, password: &str) -> u16 {
    app.anonymous().post("/api/token", &json!({"username": name, "password": password})).await.status
}

async fn form(api: &Api, path: &str, fields: &[(&str, &str)]) -> Reply {
    api.send(Method::POST, path, |request| request.header("accept", "text/html").form(fields)).await
}

/// The token in a link.
fn token(link: &Value) -> String {
    link["url"].as_str().unwrap().split_once("/set-password?token=").unwrap().1.to_owned()
}

async fn set(app: &App, token: &str, password: &str) -> Reply {
    form(&app.anonymous(), "/set-password", &[("token", token), ("password", password), ("repeat_password", password)]).await
}

both! {
    async fn accounts_are_added_changed_and_disabled(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        let ada = app.admin();
        let body = json!({"username": "cleo", "email": "cleo@acme.example", "role": "client", "company_account_number": "100001", "password": "correct horse"});
        let made = ada.post("/api/accounts", &body).await.status(201);
        let location = made.header("location").to_owned();
        let cleo = made.json();
        assert_eq!((&cleo["permission_level"], &cleo["company_account_number"], &cleo["has_password"]), (&json!("client"), &json!("100001"), &json!(true)));
        assert!(cleo.get("link").is_none() && !cleo.to_string().contains("correct horse"));
        assert_eq!(sign_in(&app, "cleo", "correct horse").await, 200);

        let changed = ada.patch(&location, &json!({"role": "billing", "name": "Cleo Moss"})).await.status(200);
        assert_eq!((&changed.json()["permission_level"], &changed.json()["company_account_number"]), (&json!("billing"), &Value::Null));
        let stale = ada.send(Method::PATCH, &location, |request| request.header("if-match", "\"1-1\"").json(&json!({"name": "x"}))).await;
        stale.status(412);
        let tried = ada.patch(&format!("{location}?dry_run=true"), &json!({"enabled": false})).await.ok();
        assert_eq!((&tried["dry_run"], &tried["enabled"]), (&json!(true), &json!(false)));
        let bought = app.anonymous().post("/api/token", &json!({"username": "cleo", "password": "correct horse"})).await.ok();
        let token = bought["token"].as_str().unwrap();
        app.with_token(token).get("/api/my/settings").await.status(200);
        assert_eq!(ada.put(&location, &json!({"enabled": false})).await.ok()["enabled"], false);
        app.with_token(token).get("/api/my/settings").await.status(401);
        assert_eq!(sign_in(&app, "cleo", "correct horse").await, 401);
        ada.put(&location, &json!({"enabled": true})).await.status(200);
        assert_eq!(sign_in(&app, "cleo", "correct horse").await, 200);
        let listed = ada.get("/api/accounts").await.ok();
        assert_eq!(listed.as_array().unwrap().len(), 4);
        let trail = ada.get("/api/changes?types=user").await.text();
        assert!(trail.contains("\"enabled\"") && !trail.contains("correct horse") && !trail.contains("argon2"), "{trail}");
        assert_eq!(ada.get("/api/users").await.ok().as_array().unwrap().len(), 4, "neighbours still see users");
    }

    async fn what_is_wrong_is_named_and_nobody_locks_themselves_out(engine: Engine) {
        let app = App::start_on(&engine).await;
        let ada = app.admin();
        for (body, fields) in [
            (json!({}), vec!["username", "email", "role"]),
            (json!({"username": "x", "email": "x@y.example", "role": "root"}), vec!["role"]),
            (json!({"username": "x", "email": "x@y.example", "role": "client"}), vec!["company_account_number"]),
            (json!({"username": "x", "email": "x@y.example", "role": "client", "company": "999"}), vec!["company_account_number"]),
            (json!({"username": "x", "email": "x@y.example", "role": "billing", "password": "short"}), vec!["password"]),
            (json!({"username": "x", "email": "x@y.example", "role": "billing", "password": 12345678}), vec!["password"]),
        ] {
            assert_eq!(ada.post("/api/accounts", &body).await.status(400).fields(), fields, "{body}");
        }
        let taken = ada.post("/api/accounts", &json!({"username": "TESS", "email": "x@y.example", "role": "billing"})).await;
        assert_eq!(taken.status(409).fields(), ["username"]);
        let accounts = ada.get("/api/accounts").await.ok();
        assert_eq!(accounts.as_array().unwrap().len(), 3);
        let own = accounts.as_array().unwrap().iter().find(|account| account["username"] == "ada").unwrap();
        let path = format!("/api/accounts/{}", own["id"]);
        assert_eq!(ada.patch(&path, &json!({"enabled": false})).await.status(400).fields(), ["enabled"]);
        assert_eq!(ada.patch(&path, &json!({"role": "client", "company": "1"})).await.status(400).fields(), ["company_account_number"]);
        assert_eq!(ada.patch(&path, &json!({"role": "billing"})).await.status(400).fields(), ["role"]);
        ada.get("/api/accounts/999").await.status(404);
        ada.patch("/api/accounts/999", &json!({})).await.status(404);
        ada.post("/api/accounts/999/password-link", &json!({})).await.status(404);
        let key = ada.post("/api/keys", &json!({"name": "k", "access": "read-write", "current_password": PASSWORD})).await.status(201).json();
        let program = app.with_token(key["key"].as_str().unwrap());
        program.get("/api/accounts").await.status(403);
        program.post("/api/accounts", &json!({"username": "x", "email": "x@y.example", "role": "admin"})).await.status(403);
    }

    async fn who_is_invited_sets_a_password_once(engine: Engine) {
        let app = App::start_on(&engine).await;
        let ada = app.admin();
        let body = json!({"username": "noa", "email": "noa@msp.example.com", "permission_level": "technician"});
        let made = ada.post("/api/accounts", &body).await.status(201);
        assert_eq!(made.header("cache-control"), "no-store");
        let noa = made.json();
        assert_eq!((&noa["has_password"], &noa["link"]["kind"]), (&json!(false), &json!("invitation")));
        assert!(noa["link"]["url"].as_str().unwrap().starts_with(app.base()), "{noa}");
        let token = token(&noa["link"]);
        assert_eq!(sign_in(&app, "noa", "").await, 400);
        assert_eq!(sign_in(&app, "noa", PASSWORD).await, 401);
        let page = app.anonymous().get_with(&format!("/set-password?token={token}"), "accept", "text/html").await.status(200).text();
        assert!(page.contains("value=\"noa\"") && page.contains(&token), "{page}");
        let refused = form(&app.anonymous(), "/set-password", &[("token", &token), ("password", "long enough"), ("repeat_password", "another one")]).await;
        assert!(refused.status(400).text().contains("id=\"repeat_password-error\""));
        let once = form(&app.anonymous(), "/set-password", &[("token", &token), ("password", "long enough")]).await;
        assert!(once.status(400).text().contains("id=\"repeat_password-error\""));
        assert!(set(&app, &token, "short").await.status(400).text().contains("id=\"password-error\""));
        assert_eq!(set(&app, &token, "noa's own password").await.status(303).header("location"), "/login?password_set=1");
        assert_eq!(sign_in(&app, "noa", "noa's own password").await, 200);
        set(&app, &token, "a second password").await.status(410);
        app.anonymous().get(&format!("/set-password?token={token}")).await.status(410);
        let text = ada.get("/api/changes?types=user").await.text() + &app.log();
        assert!(!text.contains(&token), "a link in history or log");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM password_links"), 0);
    }

    async fn a_reset_link_ends_sessions_and_earlier_links(engine: Engine) {
        let app = App::start_on(&engine).await;
        let ada = app.admin();
        let accounts = ada.get("/api/accounts").await.ok();
        let id = accounts.as_array().unwrap().iter().find(|account| account["username"] == "tess").unwrap()["id"].clone();
        let make = async || ada.post(&format!("/api/accounts/{id}/password-link"), &json!({})).await.status(200).json();
        let (first, second) = (make().await, make().await);
        assert_eq!(second["kind"], "reset");
        app.anonymous().get(&format!("/set-password?token={}", token(&first))).await.status(410);
        app.technician().get("/api/my/settings").await.status(200);
        ada.put(&format!("/api/accounts/{id}"), &json!({"enabled": false})).await.status(200);
        set(&app, &token(&second), "tess's new password").await.status(410);
        ada.post(&format!("/api/accounts/{id}/password-link"), &json!({})).await.status(409);
        ada.put(&format!("/api/accounts/{id}"), &json!({"enabled": true})).await.status(200);
        set(&app, &token(&second), "tess's new password").await.status(410);
        let fresh = make().await;
        set(&app, &token(&fresh), "tess's new password").await.status(303);
        assert_eq!((sign_in(&app, "tess", PASSWORD).await, sign_in(&app, "tess", "tess's new password").await), (401, 200));
        app.technician().get("/api/my/settings").await.status(401);
        let third = make().await;
        app.database.execute("UPDATE password_links SET expires_at = '2026-01-01T00:00:00Z'");
        set(&app, &token(&third), "tess's third password").await.status(410);
        app.technician().post(&format!("/api/accounts/{id}/password-link"), &json!({})).await.status(401);
    }

    async fn a_link_dies_with_the_address_it_was_sent_to(engine: Engine) {
        let app = App::start_on(&engine).await;
        let ada = app.admin();
        let body = json!({"username": "noa", "email": "noa@msp.example.com", "role": "technician"});
        let noa = ada.post("/api/accounts", &body).await.status(201).json();
        let path = format!("/api/accounts/{}", noa["id"]);
        ada.patch(&path, &json!({"name": "Noa Berg"})).await.status(200);
        app.anonymous().get(&format!("/set-password?token={}", token(&noa["link"]))).await.status(200);
        ada.patch(&path, &json!({"email": "noa.berg@msp.example.com"})).await.status(200);
        set(&app, &token(&noa["link"]), "noa's own password").await.status(410);
        let again = ada.post(&format!("{path}/password-link"), &json!({})).await.ok();
        form(&ada, &format!("/admin/users/{}/enabled", noa["id"]), &[("enabled", "false")]).await.status(303);
        form(&ada, &format!("/admin/users/{}/enabled", noa["id"]), &[("enabled", "true")]).await.status(303);
        set(&app, &token(&again), "noa's own password").await.status(410);
    }

    async fn a_reset_by_somebody_else_revokes_api_keys(engine: Engine) {
        let app = App::start_on(&engine).await;
        let ada = app.admin();
        let accounts = ada.get("/api/accounts").await.ok();
        let id = accounts.as_array().unwrap().iter().find(|account| account["username"] == "tess").unwrap()["id"].clone();
        let key = async |api: &Api, password: &str| {
            let body = json!({"name": "k", "current_password": password});
            api.post("/api/keys", &body).await.status(201).json()["key"].as_str().unwrap().to_owned()
        };
        let asked = async |key: &str| app.with_token(key).get("/api/companies").await.status;
        let signed_in = async |password: &str| {
            let bought = app.anonymous().post("/api/token", &json!({"username": "tess", "password": password})).await.ok();
            app.with_token(bought["token"].as_str().unwrap())
        };
        let first = key(&app.technician(), PASSWORD).await;
        form(&ada, &format!("/admin/users/{id}/password"), &[("new_password", "set by ada")]).await.status(303);
        assert_eq!(asked(&first).await, 401);
        let second = key(&signed_in("set by ada").await, "set by ada").await;
        assert_eq!(asked(&second).await, 200);
        let link = ada.post(&format!("/api/accounts/{id}/password-link"), &json!({})).await.ok();
        set(&app, &token(&link), "set by link").await.status(303);
        assert_eq!(asked(&second).await, 401);
        let third = key(&signed_in("set by link").await, "set by link").await;
        let tess = signed_in("set by link").await;
        let change = async |old: &str, new: &str, revoke: bool| {
            tess.put("/api/my/password", &json!({"current_password": old, "new_password": new, "revoke_keys": revoke})).await.status(204)
        };
        change("set by link", "her own choice", false).await;
        assert_eq!(asked(&third).await, 200, "one's own change leaves them");
        change("her own choice", "her next choice", true).await;
        assert_eq!(asked(&third).await, 401);
        let fourth = key(&tess, "her next choice").await;
        form(&tess, "/account/sign-out-everywhere", &[("revoke_keys", "true")]).await.status(303);
        assert_eq!(asked(&fourth).await, 401);
        let fifth = key(&signed_in("her next choice").await, "her next choice").await;
        assert_eq!(ada.send(Method::DELETE, &format!("/api/accounts/{id}/sessions"), |request| request.json(&json!({"revoke_keys": true}))).await.ok()["ended"], 1);
        assert_eq!(asked(&fifth).await, 401);
        let told = ada.get("/api/changes?types=api_key").await.text();
        assert_eq!(told.matches("\"revoke\"").count(), 5, "{told}");
    }

    async fn pages_invite_and_reset(engine: Engine) {
        let app = App::start_on(&engine).await;
        let ada = app.admin();
        let invited = form(&ada, "/admin/users/new", &[("username", "noa"), ("email", "noa@msp.example.com"), ("role", "billing")]).await;
        assert_eq!(invited.header("cache-control"), "no-store");
        let text = invited.status(201).text().replace("<wbr>", "");
        assert!(text.contains("Invitation link") && text.contains("/set-password?token="), "{text}");
        let accounts = ada.get("/api/accounts").await.ok();
        let id = accounts.as_array().unwrap().iter().find(|account| account["username"] == "noa").unwrap()["id"].to_string();
        let page = ada.get_with(&format!("/admin/users/{id}"), "accept", "text/html").await.status(200).text();
        assert!(page.contains("Invitation link"), "{page}");
        let text = form(&ada, &format!("/admin/users/{id}/link"), &[]).await.status(200).text();
        let text = text.replace("<wbr>", "");
        let token: String = text.split_once("token=").unwrap().1.chars().take_while(|c| c.is_ascii_alphanumeric() || "_-".contains(*c)).collect();
        set(&app, &token, "noa's own password").await.status(303);
        assert_eq!(sign_in(&app, "noa", "noa's own password").await, 200);
        form(&app.technician(), &format!("/admin/users/{id}/link"), &[]).await.status(403);
    }
}
