//! The second factor of stand-alone users: set up, asked for, recovered from, turned off; as limited as passwords.

use aws_lc_rs::hmac;
use reqwest::Method;
use serde_json::json;

use crate::support::{Api, App, Engine, PASSWORD, Reply, both};

/// What an app shows for this secret, some steps from now.
fn code(secret: &str, steps: i64) -> String {
    let mut bits = String::new();
    for letter in secret.bytes() {
        let five = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|known| *known == letter).expect("base32");
        bits += &format!("{five:05b}");
    }
    let bytes: Vec<u8> =
        bits.as_bytes().chunks_exact(8).map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap()).collect();
    let step = jiff::Timestamp::now().as_second() / 30 + steps;
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &bytes), &step.to_be_bytes());
    let at = usize::from(tag.as_ref()[19] & 15);
    let four = u32::from_be_bytes(tag.as_ref()[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", four % 1_000_000)
}

/// Codes may be used once: the tests forget that they were.
fn forget(app: &App) {
    app.database.execute("UPDATE second_factors SET last_step = 0");
    app.database.execute("DELETE FROM sign_in_attempts");
}

/// Sets up tess's factor; its secret and the recovery codes.
async fn enrolled(app: &App) -> (String, Vec<String>) {
    let tess = app.technician();
    let begun = tess.post("/api/my/second-factor", &json!({"current_password": PASSWORD})).await.status(200);
    assert_eq!(begun.header("cache-control"), "no-store");
    let secret = begun.json()["secret"].as_str().unwrap().to_owned();
    let on = tess.post("/api/my/second-factor/confirm", &json!({"code": code(&secret, 0)})).await.ok();
    let codes = on["recovery_codes"].as_array().unwrap().iter().map(|code| code.as_str().unwrap().to_owned()).collect();
    forget(app);
    (secret, codes)
}

async fn token(app: &App, code: Option<&str>) -> Reply {
    let mut body = json!({"username": "tess", "password": PASSWORD});
    if let Some(code) = code {
        body["code"] = code.into();
    }
    app.anonymous().post("/api/token", &body).await
}

async fn form(api: &Api, path: &str, fields: &[(&str, &str)]) -> Reply {
    api.send(Method::POST, path, |request| request.header("accept", "text/html").form(fields)).await
}

/// The challenge in the form that asks for the code.
async fn challenge(app: &App) -> String {
    let page = form(&app.anonymous(), "/login", &[("username", "tess"), ("password", PASSWORD), ("next", "/assets/")]).await;
    assert_eq!(page.header("set-cookie"), "", "nobody is signed in yet");
    let text = page.status(200).text();
    text.split_once("name=\"challenge\" value=\"").unwrap().1.split('"').next().unwrap().to_owned()
}

both! {
    async fn the_code_is_asked_for_once_it_is_confirmed(engine: Engine) {
        let app = App::start_on(&engine).await;
        let tess = app.technician();
        assert_eq!(tess.get("/api/my/second-factor").await.ok(), json!({"enabled": false, "since": null, "recovery_codes_left": 0}));
        assert_eq!(tess.post("/api/my/second-factor", &json!({"current_password": "wrong"})).await.status(400).fields(), ["current_password"]);
        let begun = tess.post("/api/my/second-factor", &json!({"current_password": PASSWORD})).await.ok();
        assert!(begun["uri"].as_str().unwrap().starts_with("otpauth://totp/Codex:tess?secret="), "{begun}");
        token(&app, None).await.status(200);
        assert_eq!(tess.post("/api/my/second-factor/confirm", &json!({"code": "000000"})).await.status(400).fields(), ["code"]);
        token(&app, None).await.status(200);
        forget(&app);
        let (secret, codes) = enrolled(&app).await;
        assert_eq!((secret.len(), codes.len(), codes[0].len()), (32, 10, 19), "{codes:?}");
        let state = tess.get("/api/my/second-factor").await.ok();
        assert_eq!((&state["enabled"], &state["recovery_codes_left"]), (&json!(true), &json!(10)));
        tess.post("/api/my/second-factor", &json!({"current_password": PASSWORD})).await.status(409);

        assert!(token(&app, None).await.status(401).error().contains("code"));
        token(&app, Some("123")).await.status(401);
        let now = code(&secret, 0);
        token(&app, Some(&now)).await.status(200);
        token(&app, Some(&now)).await.status(401);
        let accounts = app.admin().get("/api/accounts").await.ok();
        let account = accounts.as_array().unwrap().iter().find(|account| account["username"] == "tess").unwrap();
        assert_eq!(account["second_factor"], true);

        let kept = app.database.texts("SELECT secret FROM second_factors").concat() + &app.database.texts("SELECT digest FROM recovery_codes").concat();
        let told = kept + &app.admin().get("/api/changes").await.text() + &app.log();
        assert!(!told.contains(&secret) && codes.iter().all(|code| !told.contains(code.as_str())), "secrets are sealed or digests");
        assert!(told.contains("second_factor"), "history tells that it was turned on");
    }

    async fn browsers_are_asked_on_a_page_of_its_own(engine: Engine) {
        let app = App::start_on(&engine).await;
        let (secret, codes) = enrolled(&app).await;
        let anonymous = app.anonymous();
        let waits = challenge(&app).await;
        let wrong = form(&anonymous, "/login/code", &[("challenge", &waits), ("code", "000000"), ("next", "/assets/")]).await;
        assert!(wrong.status(401).text().contains(&waits), "the same sign-in goes on");
        forget(&app);
        let right = [("challenge", waits.as_str()), ("code", &code(&secret, 0)), ("next", "/assets/")];
        let reply = form(&anonymous, "/login/code", &right).await.status(303);
        assert_eq!(reply.header("location"), "/assets/");
        let cookie = reply.header("set-cookie").split(';').next().unwrap().to_owned();
        assert_eq!(anonymous.get_with("/api/my/settings", "cookie", &cookie).await.status, 200);
        form(&anonymous, "/login/code", &right).await.status(410);
        form(&anonymous, "/login/code", &[("challenge", "guess"), ("code", &codes[0])]).await.status(410);

        let spaced = codes[0].to_uppercase().replace('-', " ");
        let recovered = form(&anonymous, "/login/code", &[("challenge", &challenge(&app).await), ("code", &spaced)]).await;
        assert_eq!(recovered.status(303).header("location"), "/");
        form(&anonymous, "/login/code", &[("challenge", &challenge(&app).await), ("code", &codes[0])]).await.status(401);
        assert_eq!(app.technician().get("/api/my/second-factor").await.ok()["recovery_codes_left"], 9);

        let waits = challenge(&app).await;
        app.database.execute("UPDATE sign_in_challenges SET expires_at = '2026-01-01T00:00:00Z'");
        form(&anonymous, "/login/code", &[("challenge", &waits), ("code", &codes[1])]).await.status(410);
        let waits = challenge(&app).await;
        let cli = app.cli();
        tokio::task::spawn_blocking(move || cli.run_with_input(&["users", "passwd", "tess", "--password-stdin"], "another good one").success()).await.unwrap();
        form(&anonymous, "/login/code", &[("challenge", &waits), ("code", &codes[1])]).await.status(410);
    }

    async fn wrong_codes_are_slowed_down_as_wrong_passwords_are(engine: Engine) {
        let app = App::start_on(&engine).await;
        let (secret, _) = enrolled(&app).await;
        let waits = challenge(&app).await;
        let mut statuses = Vec::new();
        for _ in 0..6 {
            statuses.push(form(&app.anonymous(), "/login/code", &[("challenge", &waits), ("code", "000000")]).await.status);
        }
        assert_eq!(statuses, [401, 401, 401, 401, 401, 429]);
        let right = form(&app.anonymous(), "/login/code", &[("challenge", &waits), ("code", &code(&secret, 0))]).await.status(429);
        assert!((1..=30).contains(&right.header("retry-after").parse::<u64>().unwrap()), "{}", right.text());
        token(&app, Some(&code(&secret, 0))).await.status(429);
        app.anonymous().post("/api/token", &json!({"username": "bill", "password": PASSWORD})).await.status(200);
    }

    async fn it_is_turned_off_by_its_owner_or_an_administrator(engine: Engine) {
        let app = App::start_on(&engine).await;
        let (secret, codes) = enrolled(&app).await;
        let tess = app.technician();
        let off = async |password: &str, code: &str| {
            tess.send(Method::DELETE, "/api/my/second-factor", |request| request.json(&json!({"current_password": password, "code": code}))).await
        };
        assert_eq!(off("wrong", &codes[1]).await.status(400).fields(), ["current_password"]);
        assert_eq!(off(PASSWORD, "").await.status(400).fields(), ["code"]);
        assert_eq!(off(PASSWORD, "000000").await.status(400).fields(), ["code"]);
        token(&app, None).await.status(401);
        let anew = async |code: &str| tess.post("/api/my/second-factor/recovery-codes", &json!({"current_password": PASSWORD, "code": code})).await;
        assert_eq!(anew("").await.status(400).fields(), ["code"]);
        assert_eq!(anew("nonsense").await.status(400).fields(), ["code"]);
        forget(&app);
        let fresh = anew(&code(&secret, 0)).await.ok();
        token(&app, Some(&codes[0])).await.status(401);
        token(&app, Some(fresh["recovery_codes"][0].as_str().unwrap())).await.status(200);
        off(PASSWORD, fresh["recovery_codes"][1].as_str().unwrap()).await.status(204);
        token(&app, None).await.status(200);
        off(PASSWORD, "000000").await.status(404);
        forget(&app);

        let (again, _) = enrolled(&app).await;
        assert_ne!(secret, again);
        let accounts = app.admin().get("/api/accounts").await.ok();
        let id = accounts.as_array().unwrap().iter().find(|account| account["username"] == "tess").unwrap()["id"].to_string();
        tess.delete(&format!("/api/accounts/{id}/second-factor")).await.status(403);
        let page = app.admin().get_with(&format!("/admin/users/{id}"), "accept", "text/html").await.status(200).text();
        assert!(page.contains("Two-step sign-in"), "{page}");
        app.admin().delete(&format!("/api/accounts/{id}/second-factor")).await.status(204);
        token(&app, None).await.status(200);
        enrolled(&app).await;
        form(&app.admin(), &format!("/admin/users/{id}/second-factor/off"), &[]).await.status(303);
        token(&app, None).await.status(200);
        enrolled(&app).await;
        app.cli().run_beside(&["users", "reset-factor", "tess"]).await.success();
        token(&app, None).await.status(200);
        app.cli().run_beside(&["users", "reset-factor", "tess"]).await.code(1);
    }

    async fn confirming_it_ends_the_sessions_without_it(engine: Engine) {
        let app = App::start_on(&engine).await;
        let other = token(&app, None).await.ok()["token"].as_str().unwrap().to_owned();
        app.with_token(&other).get("/api/my/settings").await.status(200);
        enrolled(&app).await;
        app.with_token(&other).get("/api/my/settings").await.status(401);
        app.technician().get("/api/my/settings").await.status(200);
    }

    async fn a_secret_that_was_begun_is_good_for_a_quarter_of_an_hour(engine: Engine) {
        let app = App::start_on(&engine).await;
        let tess = app.technician();
        let begun = tess.post("/api/my/second-factor", &json!({"current_password": PASSWORD})).await.ok();
        app.database.execute("UPDATE second_factors SET created_at = '2026-01-01T00:00:00Z'");
        tess.post("/api/my/second-factor/confirm", &json!({"code": code(begun["secret"].as_str().unwrap(), 0)})).await.status(410);
        assert_eq!(form(&tess, "/account/second-factor/confirm", &[("code", "123456")]).await.status(303).header("location"), "/settings");
        enrolled(&app).await;
    }

    async fn a_code_forgives_wrong_passwords_before_it(engine: Engine) {
        let app = App::start_on(&engine).await;
        let (secret, _) = enrolled(&app).await;
        for _ in 0..4 {
            form(&app.anonymous(), "/login", &[("username", "tess"), ("password", "wrong")]).await.status(401);
        }
        let waits = challenge(&app).await;
        form(&app.anonymous(), "/login/code", &[("challenge", &waits), ("code", &code(&secret, 0))]).await.status(303);
        for _ in 0..4 {
            form(&app.anonymous(), "/login", &[("username", "tess"), ("password", "wrong")]).await.status(401);
        }
        assert!(!challenge(&app).await.is_empty(), "four mistakes cost nothing again");
    }

    async fn the_account_page_sets_it_up(engine: Engine) {
        let app = App::start_on(&engine).await;
        let tess = app.technician();
        assert_eq!(form(&tess, "/account/second-factor", &[("current_password", "wrong")]).await.status(303).header("location"), "/settings");
        let begun = form(&tess, "/account/second-factor", &[("current_password", PASSWORD)]).await;
        assert_eq!(begun.header("cache-control"), "no-store");
        let page = begun.status(200).text();
        assert!(page.contains("<svg class=\"qr\"") && page.contains("M4 4h1v1h-1z") && !page.contains(" style="), "{page}");
        let sealed = app.database.texts("SELECT secret FROM second_factors");
        assert_eq!(sealed.len(), 1);
        let shown: Vec<&str> = page.split(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == ' ')).filter(|text| text.len() == 39).collect();
        let secret = shown.first().expect("the key in groups of four").replace(' ', "");
        let wrong = form(&tess, "/account/second-factor/confirm", &[("code", "000000")]).await.status(400).text();
        assert!(wrong.contains("id=\"code-error\"") && !wrong.contains("<svg class=\"qr\"") && !wrong.contains(shown[0]), "{wrong}");
        let listed = form(&tess, "/account/second-factor/confirm", &[("code", &code(&secret, 0))]).await.status(200).text();
        assert_eq!(listed.matches("<code>").count(), 10, "{listed}");
        let recovery = listed.split_once("<code>").unwrap().1.split_once("</code>").unwrap().0.to_owned();
        let settings = tess.get_with("/settings", "accept", "text/html").await.status(200).text();
        assert!(settings.contains("10 recovery codes are left"), "{settings}");
        form(&tess, "/account/second-factor/off", &[("current_password", PASSWORD)]).await.status(303);
        assert_eq!(tess.get("/api/my/second-factor").await.ok()["enabled"], true, "a code is needed");
        form(&tess, "/account/second-factor/off", &[("current_password", PASSWORD), ("code", &recovery)]).await.status(303);
        assert_eq!(tess.get("/api/my/second-factor").await.ok()["enabled"], false);
    }
}
