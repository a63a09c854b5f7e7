//! Stand-alone: tokens that Codex issues itself, and sign-in by browser.

use reqwest::Method;
use serde_json::{Value, json};

use crate::core::{Key, header, unsigned, user_claims};
use crate::support::{App, Engine, PASSWORD, Reply, both};

async fn sign_in(app: &App, user: &str, password: &str) -> Reply {
    let form = [("username", user), ("password", password)];
    app.anonymous().send(Method::POST, "/login", |request| request.header("origin", app.base()).form(&form)).await
}

fn session_cookie(reply: &Reply) -> Option<String> {
    let mut cookies = reply.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
    cookies.find(|cookie| cookie.to_lowercase().contains("httponly") && !cookie.contains("Max-Age=0")).map(str::to_owned)
}

both! {
    async fn a_password_buys_a_token(engine: Engine) {
        let app = App::start_on(&engine).await;
        let reply = app.anonymous().post("/api/token", &json!({"username": "tess", "password": PASSWORD})).await.ok();
        let token = reply["token"].as_str().expect("a token").to_owned();
        app.with_token(&token).get("/api/companies").await.ok();
        let valid = app.anonymous().post("/api/token/validate", &json!({"token": token})).await.ok();
        assert_eq!((&valid["valid"], &valid["user"]["permission_level"]), (&json!(true), &json!("technician")));
        assert_eq!(app.anonymous().post("/api/token", &json!({"username": "tess", "password": "wrong"})).await.status, 401);
        assert_eq!(app.anonymous().post("/api/token", &json!({"username": "nobody", "password": PASSWORD})).await.status, 401);
        app.anonymous().post("/api/token", &json!({"username": "tess"})).await.status(400);
        app.with_token(&token).post("/api/token/revoke", &json!({"token": token})).await.ok();
        assert_eq!(app.with_token(&token).get("/api/companies").await.status, 401, "revoked");
        let wrong = app.service().post("/api/token/validate", &json!({"token": 5})).await.status(400);
        assert_eq!(wrong.json(), json!({"error": "token: must be text", "valid": false}), "what was sent is judged, not the header");
        let gone = app.anonymous().post("/api/token/validate", &json!({"token": token})).await;
        assert_eq!((gone.status, gone.json()["valid"].clone()), (401, json!(false)));
        app.technician().get("/api/companies").await.ok();
    }

    async fn the_key_set_verifies_our_tokens(engine: Engine) {
        let app = App::start_on(&engine).await;
        let set: jsonwebtoken::jwk::JwkSet = serde_json::from_value(app.anonymous().get("/.well-known/jwks.json").await.ok()).unwrap();
        let token = &app.tokens().admin;
        let head = jsonwebtoken::decode_header(token).unwrap();
        assert_eq!(head.alg, jsonwebtoken::Algorithm::RS256);
        let key = set.find(&head.kid.expect("a kid")).expect("its key is in the set");
        let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
        rules.set_issuer(&[crate::core::ISSUER]);
        let claims = jsonwebtoken::decode::<Value>(token, &jsonwebtoken::DecodingKey::from_jwk(key).unwrap(), &rules).unwrap().claims;
        assert_eq!((&claims["preferred_username"], &claims["permission_level"]), (&json!("ada"), &json!("admin")));
        assert!(claims["jti"].is_string() && claims["sub"].is_string());
        for secret in ["\"d\"", "\"p\"", "\"q\"", "PRIVATE"] {
            assert!(!app.anonymous().get("/.well-known/jwks.json").await.text().contains(secret));
        }
    }

    async fn forged_tokens_are_refused(engine: Engine) {
        let app = App::start_on(&engine).await;
        let good = app.tokens().admin.clone();
        let parts: Vec<&str> = good.split('.').collect();
        let claims = user_claims("ada", "ada@msp.example.com", "admin");
        let stranger = Key::generate();
        let forged = [
            String::new(), "x".to_owned(), "a.b.c".to_owned(), format!("{}.{}.", parts[0], parts[1]), format!("{}.{}", parts[0], parts[1]),
            format!("{}.", unsigned(&json!({"alg": "none", "typ": "JWT"}), &claims)),
            format!("{}.{}", unsigned(&json!({"alg": "none"}), &claims), parts[2]),
            format!("{}.{}", unsigned(&header(), &claims), parts[2]),
            stranger.sign(&header(), &claims),
            stranger.sign(&jsonwebtoken_header(&good), &claims),
            stranger.sign(&json!({"alg": "RS256", "kid": "../../etc/passwd"}), &claims),
            stranger.sign(&json!({"alg": "RS256", "jku": format!("{}/evil.json", app.base()), "kid": "x"}), &claims),
            format!("{good}x"), format!(" {good} {good}"), "ü".repeat(50), "A".repeat(100_000),
        ];
        for token in forged {
            let sent = app.anonymous().try_send(Method::GET, "/api/companies", |request| request.header("authorization", format!("Bearer {token}").into_bytes())).await;
            if let Ok(reply) = sent {
                assert!(matches!(reply.status, 401 | 400 | 431), "{}: {}", &token[..token.len().min(60)], reply.status);
            }
        }
        for scheme in ["", "Basic ", "bearer", "Token "] {
            let reply = app.anonymous().get_with("/api/companies", "authorization", &format!("{scheme}{good}")).await;
            assert_eq!(reply.status, 401, "{scheme}");
        }
        app.admin().get("/api/companies").await.ok();
    }

    async fn service_tokens_need_a_client_secret(engine: Engine) {
        let app = App::start_on(&engine).await;
        for body in [json!({}), json!({"calling_service": "ledger", "target_service": "codex"}), json!({"calling_service": "ledger", "target_service": "codex", "client_secret": "guess"})] {
            let reply = app.anonymous().post("/service-token", &body).await;
            assert!(matches!(reply.status, 400 | 401 | 403), "{body}: {} {}", reply.status, reply.text());
        }
    }

    async fn disabled_users_are_out_at_once(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.technician().get("/api/companies").await.ok();
        app.cli().run_beside(&["users", "disable", "tess"]).await.code(0);
        crate::support::eventually("the disabled user's token is refused", 70, || async { app.technician().get("/api/companies").await.status == 401 }).await;
        assert_eq!(app.anonymous().post("/api/token", &json!({"username": "tess", "password": PASSWORD})).await.status, 401);
        let listed = app.cli().run_beside(&["users", "list"]).await.code(0);
        assert!(listed.stdout.contains("tess") && listed.stdout.contains("ada"), "{}", listed.stdout);
    }

    async fn the_session_cookie_is_careful(engine: Engine) {
        let app = App::start_on(&engine).await;
        let page = app.anonymous().get_with("/login", "accept", "text/html").await.status(200);
        assert!(page.text().contains("<form") && page.text().contains("password"));
        let reply = sign_in(&app, "tess", PASSWORD).await;
        assert!(matches!(reply.status, 302 | 303), "{} {}", reply.status, reply.text());
        let cookie = session_cookie(&reply).expect("a session cookie");
        let (name, _) = cookie.split_once('=').unwrap();
        assert_ne!(name, "session", "Nexus owns that name");
        let lower = cookie.to_lowercase();
        assert!(lower.contains("httponly") && lower.contains("samesite="), "{cookie}");
        let pair = cookie.split(';').next().unwrap().to_owned();
        let home = app.anonymous().get_with("/", "cookie", &pair).await;
        assert_eq!(home.status, 200);
        assert!(home.text().contains("tess"));
        assert!(app.anonymous().get_with("/", "accept", "text/html").await.status == 303, "without a session: to the login page");
        let wrong = sign_in(&app, "tess", "wrong").await;
        assert!(session_cookie(&wrong).is_none() && wrong.status != 303, "{}", wrong.status);
    }

    async fn a_cookie_alone_does_not_write(engine: Engine) {
        let app = App::start_on(&engine).await;
        let pair = session_cookie(&sign_in(&app, "ada", PASSWORD).await).unwrap().split(';').next().unwrap().to_owned();
        let body = json!({"account_number": "1", "name": "Forged"});
        for origin in [None, Some("https://evil.example"), Some("null")] {
            let reply = app.anonymous().send(Method::POST, "/api/companies", |request| {
                let request = request.header("cookie", &pair).header("sec-fetch-site", "cross-site").json(&body);
                match origin {
                    Some(origin) => request.header("origin", origin),
                    None => request,
                }
            }).await;
            assert!(matches!(reply.status, 400 | 401 | 403), "{origin:?}: {} {}", reply.status, reply.text());
        }
        assert_eq!(app.service().get("/api/companies").await.ok(), json!([]));
    }

    async fn guessing_passwords_is_slowed_down(engine: Engine) {
        let app = App::start_on(&engine).await;
        let mut limited = false;
        for _ in 0..25 {
            let reply = app.anonymous().post("/api/token", &json!({"username": "bill", "password": "guess"})).await;
            if reply.status == 429 {
                assert!(reply.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0));
                limited = true;
                break;
            }
            assert_eq!(reply.status, 401);
        }
        assert!(limited, "25 wrong passwords in a row");
        let right = app.anonymous().post("/api/token", &json!({"username": "bill", "password": PASSWORD})).await;
        assert_eq!(right.status, 429, "while it is limited the right one does not help either");
    }

    async fn logging_out_ends_the_session(engine: Engine) {
        let app = App::start_on(&engine).await;
        let pair = session_cookie(&sign_in(&app, "tess", PASSWORD).await).unwrap().split(';').next().unwrap().to_owned();
        assert_eq!(app.anonymous().get_with("/", "cookie", &pair).await.status, 200);
        let out = app.anonymous().send(Method::POST, "/logout", |request| request.header("cookie", &pair).header("origin", app.base())).await;
        assert!(matches!(out.status, 200 | 302 | 303), "{} {}", out.status, out.text());
        let after = app.anonymous().get_with("/", "cookie", &pair).await;
        assert_ne!(after.status, 200, "the old cookie still works");
    }
}

fn jsonwebtoken_header(token: &str) -> Value {
    serde_json::to_value(jsonwebtoken::decode_header(token).unwrap()).unwrap()
}
