//! Stand-alone: the first administrator, passwords, sessions that end, attempts that are limited.

use reqwest::Method;
use serde_json::json;

use crate::support::{Api, App, Engine, PASSWORD, Reply, both};

/// An address that any valid token may ask.
const ASKED: &str = "/api/public/user/theme";

async fn sign_in(app: &App, user: &str, password: &str, dress: &[(&str, &str)]) -> Reply {
    let form = [("username", user), ("password", password), ("next", "/companies/?q=a")];
    let dressed = |request: reqwest::RequestBuilder| {
        dress.iter().fold(request.form(&form), |request, (name, value)| request.header(*name, *value))
    };
    app.anonymous().send(Method::POST, "/login", dressed).await
}

fn pair(reply: &Reply) -> String {
    reply.header("set-cookie").split(';').next().unwrap_or_default().to_owned()
}

async fn with_cookie(app: &App, cookie: &str, path: &str) -> u16 {
    app.anonymous().get_with(path, "cookie", cookie).await.status
}

async fn post_form(api: &Api, path: &str, form: &[(&str, &str)]) -> Reply {
    api.send(Method::POST, path, |request| request.header("accept", "text/html").form(form)).await
}

both! {
    async fn the_first_administrator_comes_by_a_link_that_works_once(engine: Engine) {
        let app = App::builder(&engine).fresh().start().await;
        let line = app.line("Sign in: ").expect("a link");
        let path = line.split_once("Sign in: ").unwrap().1.trim_start_matches(app.base()).to_owned();
        assert!(path.starts_with("/first-run?token="), "{path}");
        let token = path.split_once("token=").unwrap().1.to_owned();
        let anonymous = app.anonymous();
        let page = anonymous.get_with(&path, "accept", "text/html").await.status(200).text();
        assert!(page.contains("name=\"username\"") && page.contains("name=\"password\"") && page.contains(&token));
        anonymous.get("/first-run?token=guess").await.status(410);
        anonymous.get("/first-run").await.status(410);

        let weak = [("token", token.as_str()), ("username", "Ada"), ("email", "ada@example.com"), ("password", "qwxyz")];
        let refused = post_form(&anonymous, "/first-run", &weak).await.status(400).text();
        assert!(refused.contains("at least 8") && refused.contains("ada@example.com") && !refused.contains("qwxyz"), "{refused}");
        let good = [("token", token.as_str()), ("username", "Ada"), ("email", "Ada@Example.com"), ("password", PASSWORD)];
        let made = post_form(&anonymous, "/first-run", &good).await.status(303);
        assert_eq!(made.header("location"), "/");
        assert_eq!(with_cookie(&app, &pair(&made), ASKED).await, 200);

        post_form(&anonymous, "/first-run", &good).await.status(410);
        anonymous.get(&path).await.status(410);
        let bought = anonymous.post("/api/token", &json!({"username": "ada@example.COM", "password": PASSWORD})).await.ok();
        let users = app.with_token(bought["token"].as_str().unwrap()).get("/api/users").await.ok();
        assert_eq!((users.as_array().unwrap().len(), &users[0]["permission_level"]), (1, &json!("admin")));
    }

    async fn every_start_prints_a_fresh_link_until_there_is_an_administrator(engine: Engine) {
        let mut app = App::builder(&engine).fresh().start().await;
        let first = app.line("Sign in: ").expect("a link");
        app.stop().await;
        app.start().await;
        let second = app.line("Sign in: ").expect("another link");
        assert_ne!(first, second);
        let add = ["users", "add", "root", "--email", "root@example.com", "--role", "admin", "--password-stdin"];
        let cli = app.cli();
        tokio::task::spawn_blocking(move || cli.run_with_input(&add, PASSWORD).success()).await.unwrap();
        let path = second.split_once("Sign in: ").unwrap().1.trim_start_matches(app.base()).to_owned();
        app.anonymous().get(&path).await.status(410);
        app.stop().await;
        app.start().await;
        app.anonymous().get("/health").await.status(200);
        assert!(!app.printed().contains("Sign in: "), "{}", app.printed());
    }

    async fn the_cookie_fits_the_way_the_browser_came(engine: Engine) {
        let app = App::start_on(&engine).await;
        let plain = sign_in(&app, "TESS", PASSWORD, &[]).await.status(303);
        assert_eq!(plain.header("location"), "/companies/?q=a");
        let cookie = plain.header("set-cookie");
        assert!(cookie.starts_with("codex_session=") && cookie.contains("; Path=/;") && cookie.contains("; HttpOnly; SameSite=Lax"), "{cookie}");
        assert!(!cookie.contains("Secure"), "{cookie}");
        let behind = [("x-forwarded-proto", "https"), ("x-forwarded-host", "hub.example"), ("x-forwarded-prefix", "/codex")];
        let proxied = sign_in(&app, "tess@MSP.example.com", PASSWORD, &behind).await.status(303);
        assert_eq!(proxied.header("location"), "/codex/companies/?q=a");
        let cookie = proxied.header("set-cookie");
        assert!(cookie.contains("; Path=/codex;") && cookie.ends_with("; Secure"), "{cookie}");
        for next in ["//evil.example", "https://evil.example/", "/\\evil.example", ""] {
            let form = [("username", "tess"), ("password", PASSWORD), ("next", next)];
            assert_eq!(post_form(&app.anonymous(), "/login", &form).await.status(303).header("location"), "/", "{next}");
        }
        let signed_in = app.anonymous().get_with("/login?next=%2Fassets%2F", "cookie", &pair(&plain)).await.status(303);
        assert_eq!(signed_in.header("location"), "/assets/");
    }

    async fn a_new_password_ends_the_other_sessions(engine: Engine) {
        let app = App::start_on(&engine).await;
        let here = pair(&sign_in(&app, "tess", PASSWORD, &[]).await);
        let there = pair(&sign_in(&app, "tess", PASSWORD, &[]).await);
        let change = |old: &str, new: &str| {
            let body = json!({"current_password": old, "new_password": new});
            let (api, here) = (app.anonymous(), here.clone());
            async move { api.send(Method::PUT, "/api/my/password", |request| request.header("cookie", here).json(&body)).await }
        };
        assert_eq!(change("wrong", "another good one").await.status(400).fields(), ["current_password"]);
        assert_eq!(change(PASSWORD, "tess").await.status(400).fields(), ["new_password"]);
        assert_eq!(with_cookie(&app, &there, ASKED).await, 200);
        change(PASSWORD, "another good one").await.status(204);
        assert_eq!((with_cookie(&app, &here, ASKED).await, with_cookie(&app, &there, ASKED).await), (200, 401));
        assert_eq!(app.technician().get(ASKED).await.status, 401, "tokens of programs end too");
        sign_in(&app, "tess", PASSWORD, &[]).await.status(401);
        sign_in(&app, "tess", "another good one", &[]).await.status(303);
        let feed = app.admin().get("/api/changes?entity=user").await.text();
        assert!(feed.contains("password_changed_at") && !feed.contains("argon2"), "{feed}");
    }

    async fn who_is_disabled_is_out_with_the_next_request(engine: Engine) {
        let app = App::start_on(&engine).await;
        let cookie = pair(&sign_in(&app, "tess", PASSWORD, &[]).await);
        app.technician().get(ASKED).await.status(200);
        app.cli().run_beside(&["users", "disable", "tess"]).await.success();
        assert_eq!((app.technician().get(ASKED).await.status, with_cookie(&app, &cookie, ASKED).await), (401, 401));
        let right = sign_in(&app, "tess", PASSWORD, &[]).await.status(401).text();
        assert!(right.contains("The user name or the password is wrong"), "nobody learns why");
        app.cli().run_beside(&["token", "create", "--user", "tess"]).await.code(1);
        app.cli().run_beside(&["users", "enable", "tess"]).await.success();
        assert_eq!(with_cookie(&app, &cookie, ASKED).await, 401, "old sessions stay ended");
        sign_in(&app, "tess", PASSWORD, &[]).await.status(303);
    }

    async fn attempts_are_limited_for_one_account_and_for_one_address(engine: Engine) {
        let app = App::start_on(&engine).await;
        let from = |address: &'static str| [("x-forwarded-for", address)];
        let mut statuses = Vec::new();
        for n in 0..6 {
            let name = if n % 2 == 0 { "bill" } else { "BILL@msp.example.com" };
            statuses.push(sign_in(&app, name, "wrong", &from("203.0.113.1")).await.status);
        }
        assert_eq!(statuses, [401, 401, 401, 401, 401, 429]);
        let here = sign_in(&app, "bill", PASSWORD, &from("203.0.113.1")).await.status(429);
        assert!((1..=30).contains(&here.header("retry-after").parse::<u64>().unwrap()));
        assert!(here.text().contains("Try again in"));
        sign_in(&app, "bill", PASSWORD, &from("203.0.113.2")).await.status(303);
        sign_in(&app, "bill", PASSWORD, &from("203.0.113.1")).await.status(429);
        sign_in(&app, "tess", PASSWORD, &from("203.0.113.1")).await.status(303);

        let mut tried = 0;
        while sign_in(&app, &format!("nobody-{tried}"), "wrong", &from("203.0.113.9")).await.status == 401 {
            tried += 1;
            assert!(tried < 40, "one address may try for ever");
        }
        assert_eq!(tried, 20);
        sign_in(&app, "tess", PASSWORD, &from("203.0.113.9")).await.status(429);
        sign_in(&app, "tess", PASSWORD, &from("203.0.113.10")).await.status(303);
    }

    async fn many_who_guess_together_are_slowed_and_the_owner_is_not(engine: Engine) {
        let app = App::start_on(&engine).await;
        let from = |address: &'static str| [("x-forwarded-for", address)];
        sign_in(&app, "bill", PASSWORD, &from("203.0.113.1")).await.status(303);
        // A guess each from ninety-nine addresses, and one more that is really made.
        sign_in(&app, "bill", "wrong", &from("198.51.100.1")).await.status(401);
        app.database.execute("UPDATE sign_in_attempts SET failures = 99 WHERE subject LIKE 'user:%' AND subject NOT LIKE '%|%'");
        sign_in(&app, "bill", "wrong", &from("198.51.100.2")).await.status(401);
        let stranger = sign_in(&app, "bill", PASSWORD, &from("198.51.100.3")).await.status(429);
        assert!((1..=60).contains(&stranger.header("retry-after").parse::<u64>().unwrap()), "a minute at most");
        sign_in(&app, "tess", PASSWORD, &from("198.51.100.3")).await.status(303);
        sign_in(&app, "bill", PASSWORD, &from("203.0.113.1")).await.status(303);

        // Who waited as told has their turn, however many go on guessing in between; a wrong guess ends it.
        let their_turn = "UPDATE sign_in_attempts SET blocked_until = '2026-01-01T00:00:00Z' WHERE subject LIKE 'turn:%'";
        let guessing = "UPDATE sign_in_attempts SET blocked_until = '2099-01-01T00:00:00Z' WHERE subject LIKE 'user:%' AND subject NOT LIKE '%|%'";
        sign_in(&app, "bill", "wrong", &from("198.51.100.4")).await.status(429);
        for statement in [their_turn, guessing] {
            app.database.execute(statement);
        }
        sign_in(&app, "bill", "wrong", &from("198.51.100.4")).await.status(401);
        let again = sign_in(&app, "bill", PASSWORD, &from("198.51.100.4")).await.status(429);
        assert!(again.header("retry-after").parse::<u64>().unwrap() > 30, "longer after a failure of its own");
        app.database.execute(guessing);
        sign_in(&app, "bill", PASSWORD, &from("198.51.100.3")).await.status(303);
    }

    async fn a_failure_of_ours_is_no_guess(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.database.execute("ALTER TABLE sessions RENAME TO sessions_away");
        for _ in 0..7 {
            sign_in(&app, "bill", PASSWORD, &[]).await.status(500);
        }
        app.database.execute("ALTER TABLE sessions_away RENAME TO sessions");
        sign_in(&app, "bill", PASSWORD, &[]).await.status(303);
        assert_eq!(app.database.number("SELECT CAST(COALESCE(SUM(failures), 0) AS BIGINT) FROM sign_in_attempts"), 0);
    }

    async fn a_clock_that_was_set_back_keeps_nobody_out(engine: Engine) {
        let app = App::start_on(&engine).await;
        for _ in 0..5 {
            sign_in(&app, "bill", "wrong", &[]).await.status(401);
        }
        sign_in(&app, "bill", PASSWORD, &[]).await.status(429);
        app.database.execute("UPDATE sign_in_attempts SET last_at = '2099-01-01T00:00:00Z', blocked_until = '2099-01-01T00:15:00Z'");
        sign_in(&app, "bill", PASSWORD, &[]).await.status(303);
    }

    async fn attempts_do_not_fill_the_database(engine: Engine) {
        let app = App::start_on(&engine).await;
        sign_in(&app, "bill", PASSWORD, &[]).await.status(303);
        app.database.execute(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000)
             INSERT INTO sign_in_attempts (subject, failures, last_at, blocked_until)
             SELECT 'name:' || i || '|address:198.51.100.1', 1, '2090-01-01T00:00:00Z', '2090-01-01T00:00:00Z' FROM n",
        );
        sign_in(&app, "tess", "wrong", &[]).await.status(401);
        assert!(app.database.number("SELECT COUNT(*) FROM sign_in_attempts") <= 10_000);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM sign_in_attempts WHERE subject LIKE 'user:%|%'"), 1, "the newest stays");
    }

    async fn many_attempts_at_once_are_many_attempts(engine: Engine) {
        let app = App::start_on(&engine).await;
        let calls = (0..30).map(|_| {
            let api = app.anonymous();
            tokio::spawn(async move { api.post("/api/token", &json!({"username": "bill", "password": "wrong"})).await.status })
        });
        let mut refused = 0;
        for call in calls.collect::<Vec<_>>() {
            let status = call.await.unwrap();
            assert!(matches!(status, 401 | 429), "{status}");
            refused += usize::from(status == 401);
        }
        assert_eq!(refused, 5, "only the free attempts were made");
    }

    async fn services_sign_in_with_a_secret_of_their_own(engine: Engine) {
        let app = App::start_on(&engine).await;
        let secret = app.cli().run_beside(&["token", "client", "ledger"]).await.success().stdout.trim().to_owned();
        let ask = |secret: &str| json!({"calling_service": "ledger", "target_service": "codex", "client_secret": secret});
        let reply = app.anonymous().post("/service-token", &ask(&secret)).await.ok();
        let api = app.with_token(reply["token"].as_str().unwrap());
        api.get(ASKED).await.status(200);
        assert_eq!(api.get("/api/my/settings").await.status(403).error(), "This endpoint is for users only");
        assert_eq!(reply["expires_in"], 300);
        app.anonymous().post("/service-token", &ask("wrong")).await.status(401);
        app.anonymous().post("/service-token", &json!({"calling_service": "beacon", "client_secret": secret})).await.status(401);
        // A service is named as Core has it named (contract §3.3), and in no other way.
        let other_name = app.anonymous().post("/service-token", &json!({"client_id": "ledger", "client_secret": secret})).await.status(400);
        assert_eq!(other_name.fields(), ["calling_service"]);
        let renewed = app.cli().run_beside(&["token", "client", "ledger"]).await.success().stdout.trim().to_owned();
        app.anonymous().post("/service-token", &ask(&secret)).await.status(401);
        let other = json!({"calling_service": "ledger", "target_service": "beacon", "client_secret": renewed});
        assert!(app.cli().run_beside(&["token", "clients"]).await.success().stdout.starts_with("ledger "));
        let elsewhere = app.anonymous().post("/service-token", &other).await.ok();
        app.with_token(elsewhere["token"].as_str().unwrap()).get(ASKED).await.status(401);
        api.get(ASKED).await.status(200);
        app.cli().run_beside(&["token", "revoke", "ledger"]).await.success();
        api.get(ASKED).await.status(401);
        app.anonymous().post("/service-token", &ask(&renewed)).await.status(401);
        app.cli().run_beside(&["token", "revoke", "ledger"]).await.code(1);
    }

    async fn instances_of_one_database_accept_each_others_tokens(engine: Engine) {
        let app = App::start_on(&engine).await;
        let other = app.beside().await;
        let bought = other.api(None).post("/api/token", &json!({"username": "tess", "password": PASSWORD})).await.ok();
        let token = bought["token"].as_str().unwrap();
        app.with_token(token).get(ASKED).await.status(200);
        app.with_token(token).post("/api/token/revoke", &json!({})).await.status(200);
        other.api(Some(token)).get(ASKED).await.status(401);
    }
}
