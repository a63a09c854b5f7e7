//! On the platform: Core's tokens, a key that changes under its id, a Core that goes away.

use serde_json::json;

use crate::core::{Core, Key, header, seconds_from_now, service_claims, unsigned, user_claims};
use crate::support::{App, Engine, both, eventually};

async fn start(engine: &Engine) -> (App, Core) {
    let core = Core::start().await;
    let app = App::builder(engine).core(&core).start().await;
    (app, core)
}

/// Whether this token may read.
async fn status(app: &App, token: &str) -> u16 {
    app.with_token(token).get("/api/companies").await.status
}

both! {
    async fn tokens_of_core_are_accepted_in_all_their_forms(engine: Engine) {
        let (app, core) = start(&engine).await;
        let mut forms = vec![core.user("ada", "ada@example.com", "admin"), core.service("ledger")];
        for missing in ["jti", "name", "preferred_username", "groups"] {
            let mut claims = user_claims("ada", "ada@example.com", "technician");
            claims.as_object_mut().unwrap().remove(missing);
            forms.push(core.token(&claims));
        }
        let mut helm = user_claims("admin", "", "admin");
        helm["sub"] = json!("admin");
        forms.push(core.token(&helm));
        let mut no_target = service_claims("beacon", "codex");
        no_target.as_object_mut().unwrap().remove("target_service");
        forms.push(core.token(&no_target));
        let mut seeds_issuer = user_claims("ada", "ada@example.com", "admin");
        seeds_issuer["iss"] = json!("hivematrix.core");
        forms.push(core.token(&seeds_issuer));
        for token in forms {
            assert_eq!(status(&app, &token).await, 200, "{token}");
        }
    }

    async fn everything_else_is_refused(engine: Engine) {
        let (app, core) = start(&engine).await;
        let good = user_claims("ada", "ada@example.com", "admin");
        let with = |name: &str, value: serde_json::Value| {
            let mut claims = good.clone();
            claims[name] = value;
            claims
        };
        let without = |name: &str| {
            let mut claims = good.clone();
            claims.as_object_mut().unwrap().remove(name);
            claims
        };
        let hmac = {
            let text = unsigned(&json!({"alg": "HS256", "typ": "JWT", "kid": crate::core::KID}), &good);
            let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &core.modulus());
            let tag = aws_lc_rs::hmac::sign(&key, text.as_bytes());
            use base64::Engine as _;
            format!("{text}.{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(tag.as_ref()))
        };
        let refused = [
            ("expired", core.token(&with("exp", json!(seconds_from_now(-120))))),
            ("no expiry", core.token(&without("exp"))),
            ("no issuer", core.token(&without("iss"))),
            ("another issuer", core.token(&with("iss", json!("https://evil.example")))),
            ("expiry as text", core.token(&with("exp", json!("never")))),
            ("another's key", Key::generate().sign(&header(), &good)),
            ("unsigned", format!("{}.", unsigned(&json!({"alg": "none"}), &good))),
            ("hmac with the public key", hmac),
            ("another target", core.token(&service_claims("ledger", "knowledgetree"))),
            ("claims that are no object", core.token(&json!(["admin"]))),
        ];
        for (what, token) in refused {
            let reply = app.with_token(&token).get("/api/companies").await;
            assert!(matches!(reply.status, 401 | 403), "{what}: {} {}", reply.status, reply.text());
            assert!(!reply.error().is_empty());
        }
    }

    async fn a_missing_level_is_a_clients(engine: Engine) {
        let (app, core) = start(&engine).await;
        app.with_token(&core.service("test")).post("/api/companies", &json!({"account_number": "1", "name": "Somebody"})).await.status(201);
        for level in [json!(null), json!("emperor"), json!(7)] {
            let mut claims = user_claims("eve", "eve@nowhere.example", "client");
            claims["permission_level"] = level.clone();
            let reply = app.with_token(&core.token(&claims)).get("/api/companies").await;
            assert!(matches!(reply.status, 401 | 403) || reply.json() == json!([]), "{level}: {}", reply.text());
        }
    }

    async fn a_key_that_changes_under_its_id_is_fetched_again(engine: Engine) {
        let (app, core) = start(&engine).await;
        let old = core.user("ada", "ada@example.com", "admin");
        assert_eq!(status(&app, &old).await, 200);
        core.change_key();
        let new = core.user("ada", "ada@example.com", "admin");
        assert_eq!(status(&app, &new).await, 200, "accepted after one look at the key set");
        assert_eq!(status(&app, &old).await, 401, "what the old key signed is over");
        let before = core.seen("jwks.json");
        for _ in 0..40 {
            let forged = Key::generate().sign(&header(), &user_claims("eve", "e@example.com", "admin"));
            assert_eq!(status(&app, &forged).await, 401);
        }
        assert!(core.seen("jwks.json") <= before + 3, "forged tokens must not make us hammer Core");
    }

    async fn core_may_be_away_at_start_and_later(engine: Engine) {
        let mut core = Core::start().await;
        let token = core.user("ada", "ada@example.com", "admin");
        core.go_away();
        let app = App::builder(&engine).core(&core).start().await;
        let early = app.with_token(&token).get("/api/companies").await;
        assert_eq!(early.status, 503, "no keys, nothing cached: {}", early.text());
        assert!(!early.header("retry-after").is_empty());
        let health = app.anonymous().get("/health").await.status(200).json();
        assert_eq!(health["status"], "degraded", "only our own database makes health fail");
        core.come_back().await;
        eventually("Core's keys are fetched", 40, || async { status(&app, &token).await == 200 }).await;
        core.go_away();
        for _ in 0..3 {
            assert_eq!(status(&app, &token).await, 200, "known keys go on working");
        }
    }

    async fn health_is_quick_when_core_hangs(engine: Engine) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = App::builder(&engine).env("CORE_SERVICE_URL", url).start().await;
        let began = std::time::Instant::now();
        app.anonymous().get("/health").await.status(200);
        assert!(began.elapsed().as_millis() < 1900, "{:?}: Helm gives us two seconds", began.elapsed());
    }

    async fn there_are_no_login_pages_and_no_stylesheet(engine: Engine) {
        let (app, core) = start(&engine).await;
        assert_eq!(app.anonymous().get_with("/login", "accept", "text/html").await.status, 404);
        let token = core.user("ada", "ada@example.com", "admin");
        let page = app.with_token(&token).get_with("/", "accept", "text/html").await.status(200).text();
        assert!(!page.contains("rel=\"stylesheet\""), "Nexus brings the styles");
        assert!(!page.contains("<style") && !page.contains("style=\""));
        assert_eq!(app.anonymous().post("/api/token", &json!({"username": "a", "password": "b"})).await.status, 410);
        let anonymous = app.anonymous().get_with("/companies/", "accept", "text/html").await;
        assert_eq!(anonymous.status, 401, "no redirect to a login page that does not exist");
    }

    async fn revocation_is_checked_when_asked_for(engine: Engine) {
        let core = Core::start().await;
        let app = App::builder(&engine).core(&core).env("CODEX_CORE_REVOCATION_CHECK", "true").start().await;
        let token = core.user("ada", "ada@example.com", "admin");
        assert_eq!(status(&app, &token).await, 200);
        assert!(core.seen("/api/token/validate") > 0, "nobody asked Core");
        assert_eq!(status(&app, &core.service("ledger")).await, 200, "service tokens have no session to check");
        core.revoke("session-of-mia");
        assert_eq!(status(&app, &core.user("mia", "mia@example.com", "technician")).await, 401);
    }

    async fn links_carry_the_prefix_of_nexus(engine: Engine) {
        let (app, core) = start(&engine).await;
        let token = core.user("ada", "ada@example.com", "admin");
        app.with_token(&token).post("/api/companies", &json!({"account_number": "1", "name": "Acme"})).await.status(201);
        let api = app.with_token(&token);
        let page = api.send(reqwest::Method::GET, "/companies/", |request| request.header("accept", "text/html").header("x-forwarded-prefix", "/codex")).await.status(200).text();
        for (at, _) in page.match_indices("href=\"/") {
            let link = &page[at + 6..at + 40];
            assert!(link.starts_with("/codex/") || link.starts_with("/static") || link.starts_with("/codex\""), "{link}");
        }
        assert!(page.contains("/codex/companies"));
        let link = |prefix: &'static str| {
            let api = api.clone();
            async move {
                let page = api.send(reqwest::Method::GET, "/companies/1", |request| request.header("accept", "text/html").header("x-forwarded-prefix", prefix)).await.status(200).text();
                let at = page.find("/companies/1").expect("a link to the company itself");
                page[..at].rsplit('"').next().unwrap().to_owned()
            }
        };
        for same in ["/codex", "/codex/", "codex", "codex/", "//codex", "/codex//"] {
            assert_eq!(link(same).await, "/codex", "{same}");
        }
        assert_eq!(link("msp//codex/").await, "/msp/codex");
        for none in ["", "/", "//", "//evil.example", "https://evil.example", "/a/../b", "/a\"b", "/<b>", "javascript:x"] {
            assert_eq!(link(none).await, "", "{none}");
        }
        let moved = api.send(reqwest::Method::GET, "/companies", |request| request.header("accept", "text/html").header("x-forwarded-prefix", "codex/")).await;
        assert!(moved.status == 200 || moved.header("location").starts_with("/codex/"), "{} {}", moved.status, moved.header("location"));
    }
}
