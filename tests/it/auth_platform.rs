//! On the platform: whose tokens count, how Core's keys are fetched, what happens while Core is away.
//! Contract §3.1 to §3.4.

use std::time::Duration;

use serde_json::{Value, json};

use crate::core::{Core, Key, header, seconds_from_now, service_claims, user_claims};
use crate::support::{App, Engine, both, eventually};

/// An address that any valid token may ask.
const ASKED: &str = "/api/public/user/theme?email=nobody@example.com";

fn admin() -> Value {
    user_claims("ada", "ada@msp.example.com", "admin")
}

fn merged(mut base: Value, change: Value) -> Value {
    for (name, value) in change.as_object().expect("an object") {
        base[name] = value.clone();
    }
    base
}

fn without(mut base: Value, name: &str) -> Value {
    base.as_object_mut().expect("an object").remove(name);
    base
}

async fn status(app: &App, token: &str) -> u16 {
    app.with_token(token).get(ASKED).await.status
}

both! {
    async fn tokens_of_core_are_accepted(engine: Engine) {
        let core = Core::start().await;
        let app = App::builder(&engine).core(&core).start().await;
        for claims in [
            admin(),
            without(without(admin(), "jti"), "name"),
            merged(admin(), json!({"email": "", "name": "", "preferred_username": ""})),
            merged(admin(), json!({"iss": "hivematrix.core"})),
            merged(admin(), json!({"exp": seconds_from_now(-55), "iat": seconds_from_now(-3600)})),
            merged(admin(), json!({"iat": seconds_from_now(60)})),
            service_claims("ledger", "codex"),
            without(service_claims("ledger", "codex"), "target_service"),
        ] {
            assert_eq!(status(&app, &core.token(&claims)).await, 200, "{claims}");
        }
        let with_hints = json!({"alg": "RS256", "typ": "JWT", "kid": crate::core::KID, "jku": "http://127.0.0.1:1/x", "x5u": "http://127.0.0.1:1/y"});
        assert_eq!(status(&app, &core.token_with(&with_hints, &admin())).await, 200, "hints in the header do not matter");
        assert_eq!(core.seen("jwks.json"), 1, "one fetch for all of them");
    }

    async fn a_level_that_is_missing_or_unknown_has_a_clients_rights(engine: Engine) {
        let core = Core::start().await;
        let app = App::builder(&engine).core(&core).start().await;
        app.with_token(&core.token(&admin())).get("/api/users").await.status(200);
        for level in [json!(null), json!(""), json!("Admin"), json!("root"), json!("admin ")] {
            let token = core.token(&merged(admin(), json!({"permission_level": level})));
            app.with_token(&token).get("/api/users").await.status(403);
        }
        app.with_token(&core.token(&without(admin(), "permission_level"))).get("/api/users").await.status(403);
    }

    async fn forged_tokens_are_refused_without_detail(engine: Engine) {
        let core = Core::start().await;
        let trap = Core::start().await;
        let app = App::builder(&engine).core(&core).start().await;
        assert_eq!(status(&app, &core.token(&admin())).await, 200);
        let forged = forgeries(&core, &trap);
        assert!(forged.len() >= 60, "{} kinds", forged.len());
        let anonymous = app.anonymous();
        for (kind, token) in &forged {
            let sent = anonymous.try_send(reqwest::Method::GET, ASKED, |request| {
                request.header("authorization", [b"Bearer ", token.as_bytes()].concat())
            });
            let Ok(reply) = sent.await else { continue };
            assert!(matches!(reply.status, 401 | 431), "{kind}: {}", reply.status);
            if reply.status == 401 {
                assert_eq!(reply.error(), "Invalid or expired token", "{kind}");
                assert_eq!(reply.header("www-authenticate"), "Bearer", "{kind}");
            }
        }
        assert!(core.seen("jwks.json") <= 2, "{} fetches", core.seen("jwks.json"));
        assert_eq!(trap.seen(""), 0, "no token makes us ask a stranger");
        assert_eq!(status(&app, &core.token(&admin())).await, 200);
    }

    async fn a_key_that_changes_under_its_name_is_fetched_once(engine: Engine) {
        let core = Core::start().await;
        let app = App::builder(&engine).core(&core).start().await;
        let old = core.token(&admin());
        assert_eq!(status(&app, &old).await, 200);
        core.change_key();
        assert_eq!(status(&app, &core.token(&admin())).await, 200, "after one refetch");
        assert_eq!(core.seen("jwks.json"), 2);
        assert_eq!(status(&app, &old).await, 401, "the old key no longer counts, remembered or not");
        core.change_key();
        assert_eq!(status(&app, &core.token(&admin())).await, 401, "not twice in thirty seconds");
        assert_eq!(core.seen("jwks.json"), 2);
    }

    async fn a_flood_of_unknown_keys_costs_one_fetch(engine: Engine) {
        let core = Core::start().await;
        let app = App::builder(&engine).core(&core).start().await;
        assert_eq!(status(&app, &core.token(&admin())).await, 200);
        let stranger = Key::generate();
        let tokens: Vec<String> = (0..200).map(|n| stranger.sign(&json!({"alg": "RS256", "kid": format!("k{n}")}), &admin())).collect();
        let began = std::time::Instant::now();
        let calls = tokens.into_iter().map(|token| {
            let api = app.with_token(&token);
            tokio::spawn(async move { api.get(ASKED).await.status })
        });
        for call in calls.collect::<Vec<_>>() {
            assert_eq!(call.await.unwrap(), 401);
        }
        // One for the right token, one for the flood; another for each half minute that a busy machine takes for it.
        let fetches = usize::try_from(began.elapsed().as_secs() / 30).unwrap() + 2;
        assert!((2..=fetches).contains(&core.seen("jwks.json")), "{} of {fetches}", core.seen("jwks.json"));
    }

    async fn rubbish_is_refused_even_before_there_are_keys(engine: Engine) {
        let mut core = Core::start().await;
        core.go_away();
        let app = App::builder(&engine).core(&core).start().await;
        let reply = app.with_token(&core.token(&admin())).get(ASKED).await.status(503);
        assert!(reply.error().contains("Core"), "{}", reply.error());
        assert_eq!(status(&app, "rubbish").await, 401);
        assert_eq!(status(&app, &core.token(&merged(admin(), json!({"exp": 5})))).await, 401);
        app.anonymous().get(ASKED).await.status(401);
        core.come_back().await;
        let token = core.token(&admin());
        eventually("the keys arrive", 10, || async { status(&app, &token).await == 200 }).await;
    }

    async fn revoked_sessions_end_only_when_asked_for(engine: Engine) {
        let mut core = Core::start().await;
        let plain = App::builder(&engine).core(&core).start().await;
        let asking = App::builder(&engine).core(&core).env("CODEX_CORE_REVOCATION_CHECK", "true").start().await;
        let ada = core.token(&admin());
        core.revoke("session-of-ada");
        assert_eq!(status(&plain, &ada).await, 200, "off by default");
        assert_eq!(core.seen("/api/token/validate"), 0);
        assert_eq!(status(&asking, &ada).await, 401);
        assert_eq!(status(&asking, &ada).await, 401);
        assert_eq!(core.seen("/api/token/validate"), 1, "the answer is remembered");
        for claims in [without(admin(), "jti"), service_claims("ledger", "codex")] {
            assert_eq!(status(&asking, &core.token(&claims)).await, 200, "without a session there is nothing to ask");
        }
        assert_eq!(core.seen("/api/token/validate"), 1);
        let bob = core.user("bob", "bob@msp.example.com", "technician");
        core.go_away();
        assert_eq!(status(&asking, &bob).await, 200, "Core away: the token stands");
    }

    async fn nobody_signs_in_here(engine: Engine) {
        let core = Core::start().await;
        let app = App::builder(&engine).fresh().core(&core).start().await;
        let gone = app.anonymous().post("/api/token", &json!({"username": "ada", "password": "x"})).await.status(410);
        assert!(gone.error().contains("/api/token/exchange"), "{}", gone.error());
        for path in ["/login", "/first-run", "/.well-known/jwks.json"] {
            app.anonymous().get(path).await.status(404);
        }
        app.anonymous().post("/service-token", &json!({})).await.status(404);
        let cookie = format!("codex_session={}", core.token(&admin()));
        app.anonymous().get_with(ASKED, "cookie", &cookie).await.status(401);
        assert!(!app.instance().join("keys").exists(), "no keys of our own");
    }

    async fn slow_keys_delay_nobody_for_long(engine: Engine) {
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", silent.local_addr().unwrap());
        let app = App::builder(&engine).env("CORE_SERVICE_URL", url).start().await;
        let token = Key::generate().sign(&header(), &admin());
        let begun = std::time::Instant::now();
        assert_eq!(status(&app, &token).await, 503);
        assert_eq!(status(&app, &token).await, 503);
        assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    }
}

/// Every way we know to make a token that Core did not make, by kind.
fn forgeries(core: &Core, trap: &Core) -> Vec<(String, String)> {
    let stranger = Key::generate();
    let good = core.token(&admin());
    let [head, body, signature]: [&str; 3] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let mut all: Vec<(String, String)> = Vec::new();
    let mut add = |kind: &str, token: String| all.push((kind.to_owned(), token));
    for alg in
        ["none", "None", "NONE", "nOnE", "HS256", "HS384", "HS512", "RS384", "RS512", "PS256", "ES256", "EdDSA", "rs256", ""]
    {
        let header = merged(header(), json!({"alg": alg}));
        add(&format!("alg {alg}, no signature"), format!("{}.", crate::core::unsigned(&header, &admin())));
        add(&format!("alg {alg}, borrowed signature"), format!("{}.{signature}", crate::core::unsigned(&header, &admin())));
        add(&format!("alg {alg}, core's own signature"), core.token_with(&header, &admin()));
    }
    add("hmac with the public modulus", hmac(&merged(header(), json!({"alg": "HS256"})), &core.modulus()));
    add("a stranger's key under core's name", stranger.sign(&header(), &admin()));
    add(
        "another body under a good signature",
        format!(
            "{head}.{}.{signature}",
            crate::core::unsigned(&json!({}), &merged(admin(), json!({"sub": "root"}))).split('.').nth(1).unwrap()
        ),
    );
    for kid in [
        json!("unknown"),
        json!(""),
        json!(null),
        json!(0),
        json!(["hivematrix-signing-key-1"]),
        json!({"a": 1}),
        json!("../../../dev/null"),
        json!("' OR 1=1 --"),
        json!("hivematrix-signing-key-1\0"),
        json!(trap.url()),
        json!("x".repeat(5000)),
    ] {
        add(
            &format!("kid {}", kid.to_string().chars().take(40).collect::<String>()),
            core.token_with(&merged(header(), json!({"kid": kid})), &admin()),
        );
    }
    add("no kid", core.token_with(&without(header(), "kid"), &admin()));
    add("no alg", core.token_with(&without(header(), "alg"), &admin()));
    let jwks = format!("{}/.well-known/jwks.json", trap.url());
    add("jku", trap.token_with(&merged(header(), json!({"jku": jwks, "kid": "theirs"})), &admin()));
    add("x5u", trap.token_with(&merged(header(), json!({"x5u": jwks})), &admin()));
    add("jwk", stranger.sign(&merged(header(), json!({"jwk": stranger.public("theirs"), "kid": "theirs"})), &admin()));
    add("jwk under core's name", stranger.sign(&merged(header(), json!({"jwk": stranger.public(crate::core::KID)})), &admin()));
    add("crit", core.token_with(&merged(header(), json!({"crit": ["exp"]})), &admin()));
    add("b64 false", core.token_with(&merged(header(), json!({"b64": false})), &admin()));
    add("zip", core.token_with(&merged(header(), json!({"zip": "DEF"})), &admin()));
    add("another typ", core.token_with(&merged(header(), json!({"typ": "at+jwt"})), &admin()));
    for change in [
        json!({"iss": "evil"}),
        json!({"iss": null}),
        json!({"iss": ["hivematrix-core"]}),
        json!({"iss": "hivematrix-core/"}),
        json!({"exp": seconds_from_now(-60)}),
        json!({"exp": null}),
        json!({"exp": "tomorrow"}),
        json!({"exp": -1}),
        json!({"iat": seconds_from_now(120)}),
        json!({"nbf": seconds_from_now(120)}),
        json!({"aud": "codex"}),
        json!({"aud": ["nexus"]}),
        json!({"sub": ""}),
        json!({"sub": null}),
        json!({"target_service": "ledger"}),
        json!({"type": "service"}),
        json!({"type": "service", "calling_service": "ledger"}),
        json!({"type": "service", "sub": "service:ledger"}),
        json!({"type": "service", "sub": "service:ledger", "calling_service": "ledger"}),
        json!({"type": ["service"]}),
        json!({"type": "Service"}),
        json!({"calling_service": "ledger"}),
        json!({"sub": "service:ledger"}),
        json!({"permission_level": ["admin"]}),
    ] {
        add(&format!("user with {change}"), core.token(&merged(admin(), change)));
    }
    for name in ["iss", "sub", "exp"] {
        add(&format!("without {name}"), core.token(&without(admin(), name)));
    }
    for change in [
        json!({"target_service": "beacon"}),
        json!({"target_service": ""}),
        json!({"sub": "service:beacon"}),
        json!({"sub": "ledger"}),
        json!({"calling_service": ""}),
        json!({"calling_service": null}),
        json!({"type": null}),
        json!({"exp": seconds_from_now(-60)}),
    ] {
        add(&format!("service with {change}"), core.token(&merged(service_claims("ledger", "codex"), change)));
    }
    for (kind, token) in [
        ("empty", String::new()),
        ("a word", "admin".to_owned()),
        ("dots", "..".to_owned()),
        ("two parts", format!("{head}.{body}")),
        ("four parts", format!("{good}.{signature}")),
        ("no signature", format!("{head}.{body}.")),
        ("signature cut", good[..good.len() - 4].to_owned()),
        ("signature longer", format!("{good}AAAA")),
        ("padding", format!("{head}=.{body}.{signature}")),
        ("not base64", format!("{head}.{body}.!!!!")),
        ("two tokens", format!("{good} {good}")),
        ("a comma", format!("{good},{good}")),
        ("quoted", format!("\"{good}\"")),
        ("oversized", core.token(&merged(admin(), json!({"groups": "x".repeat(17_000)})))),
        ("huge", "A".repeat(200_000)),
        ("another alphabet", "ünïcode".repeat(20)),
        ("header is an array", format!("W10.{body}.{signature}")),
    ] {
        add(kind, token);
    }
    all
}

fn hmac(header: &Value, secret: &[u8]) -> String {
    use base64::Engine as _;
    let text = crate::core::unsigned(header, &admin());
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
    let tag = aws_lc_rs::hmac::sign(&key, text.as_bytes());
    format!("{text}.{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(tag))
}
