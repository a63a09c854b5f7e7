//! Single sign-on by OpenID Connect against a real provider over HTTP: with its discovery, its keys, its codes that work once,
//! and everything that a false one would try.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::{Value, json};

use crate::core::{Key, seconds_from_now, unsigned};
use crate::http_server::{Answer, Answers, Request, Response, Server};
use crate::support::{App, Engine, PASSWORD, Reply, both};

const SECRET: &str = "p&ss wörd:1";

/// What is remembered of a code until it is redeemed.
struct Code {
    nonce: String,
    challenge: String,
    redirect_uri: String,
}

struct State {
    key: Key,
    kid: &'static str,
    issuer: String,
    /// What is said of whoever signs in.
    person: Value,
    /// How the ID token lies.
    lie: &'static str,
    codes: HashMap<String, Code>,
    /// Answers nothing any more.
    is_away: bool,
}

struct World(Mutex<State>);

impl World {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hashed(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}

impl State {
    fn id_token(&self, nonce: &str) -> String {
        let mut claims = json!({
            "iss": self.issuer, "aud": "codex-client", "nonce": nonce, "iat": seconds_from_now(0), "exp": seconds_from_now(300),
        });
        claims.as_object_mut().unwrap().extend(self.person.as_object().unwrap().clone());
        let mut header = json!({"alg": "RS256", "typ": "JWT", "kid": self.kid});
        match self.lie {
            "nonce" => claims["nonce"] = json!("another"),
            "no nonce" => claims["nonce"] = Value::Null,
            "audience" => claims["aud"] = json!("another-client"),
            "audiences" => claims["aud"] = json!(["codex-client", "another-client"]),
            "party" => claims["azp"] = json!("another-client"),
            "expired" => claims["exp"] = json!(seconds_from_now(-120)),
            "no end" => claims["exp"] = Value::Null,
            "future" => claims["iat"] = json!(seconds_from_now(600)),
            "issuer" => claims["iss"] = json!("https://login.evil.example"),
            "subject" => claims["sub"] = json!(""),
            "none" => {
                header["alg"] = json!("none");
                return format!("{}.", unsigned(&header, &claims));
            }
            "hmac" => {
                header["alg"] = json!("HS256");
                let text = unsigned(&header, &claims);
                let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &self.key.modulus());
                return format!("{text}.{}", URL_SAFE_NO_PAD.encode(aws_lc_rs::hmac::sign(&key, text.as_bytes())));
            }
            "stranger" => return Key::generate().sign(&header, &claims),
            "own key" => {
                let stranger = Key::generate();
                header["jwk"] = stranger.public("theirs");
                header["kid"] = json!("theirs");
                return stranger.sign(&header, &claims);
            }
            _ => {}
        }
        self.key.sign(&header, &claims)
    }

    /// What the provider tells by itself when somebody signs out there; `lie` says how it lies.
    fn logout_token(&self, whose: &Value, lie: &str) -> String {
        let mut claims = json!({
            "iss": self.issuer, "aud": "codex-client", "iat": seconds_from_now(0), "exp": seconds_from_now(120),
            "jti": uuid::Uuid::new_v4().to_string(), "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        });
        claims.as_object_mut().unwrap().extend(whose.as_object().unwrap().clone());
        let header = json!({"alg": "RS256", "typ": "logout+jwt", "kid": self.kid});
        match lie {
            "nonce" => claims["nonce"] = json!("one"),
            "no event" => claims["events"] = json!({"http://schemas.openid.net/event/other": {}}),
            "event" => claims["events"] = json!({"http://schemas.openid.net/event/backchannel-logout": true}),
            "audience" => claims["aud"] = json!("another-client"),
            "issuer" => claims["iss"] = json!("https://login.evil.example"),
            "expired" => claims["exp"] = json!(seconds_from_now(-120)),
            "no end" => claims["exp"] = Value::Null,
            "no time" => claims["iat"] = Value::Null,
            "future" => claims["iat"] = json!(seconds_from_now(600)),
            "no identifier" => claims["jti"] = Value::Null,
            "nobody" => (claims["sub"], claims["sid"]) = (Value::Null, Value::Null),
            "earlier" => claims["iat"] = json!(seconds_from_now(-300)),
            "none" => return format!("{}.", unsigned(&json!({"alg": "none"}), &claims)),
            "stranger" => return Key::generate().sign(&header, &claims),
            _ => {}
        }
        self.key.sign(&header, &claims)
    }

    fn redeem(&mut self, request: &Request) -> Response {
        let refused = |error: &str| Response::json(400, &json!({"error": error}));
        let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let basic = STANDARD.encode(format!("{}:{}", encoded("codex-client"), encoded(SECRET)));
        if request.header("authorization") != Some(&format!("Basic {basic}")) {
            return Response::json(401, &json!({"error": "invalid_client"}));
        }
        let form: HashMap<String, String> = url::form_urlencoded::parse(&request.body).into_owned().collect();
        let field = |name: &str| form.get(name).cloned().unwrap_or_default();
        let Some(code) = self.codes.remove(&field("code")) else { return refused("invalid_grant") };
        let proved = hashed(&field("code_verifier")) == code.challenge && field("redirect_uri") == code.redirect_uri;
        if !proved || field("grant_type") != "authorization_code" {
            return refused("invalid_grant");
        }
        let token = self.id_token(&code.nonce);
        Response::json(200, &json!({"access_token": "opaque", "token_type": "Bearer", "id_token": token}))
    }
}

impl Answers for World {
    fn answer(&self, request: &Request) -> Answer {
        let mut state = self.state();
        if state.is_away {
            return Answer::Reset;
        }
        let issuer = state.issuer.clone();
        Answer::Whole(match request.path.as_str() {
            "/realms/msp/.well-known/openid-configuration" => Response::json(
                200,
                &json!({
                    "issuer": if state.lie == "discovery" { "https://login.evil.example" } else { issuer.as_str() },
                    "authorization_endpoint": format!("{issuer}/auth"), "token_endpoint": format!("{issuer}/token"),
                    "jwks_uri": format!("{issuer}/certs"), "end_session_endpoint": format!("{issuer}/logout"),
                    "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
                    "authorization_response_iss_parameter_supported": true,
                }),
            ),
            "/realms/msp/certs" => {
                let encryption = json!({"kty": "RSA", "use": "enc", "alg": "RSA-OAEP", "kid": "enc", "n": "AQAB", "e": "AQAB"});
                Response::json(200, &json!({"keys": [encryption, {"kty": "unheard of"}, state.key.public(state.kid)]}))
            }
            "/realms/msp/auth" => {
                let asked = |name: &str| request.param(name).unwrap_or_default().to_owned();
                assert_eq!((asked("response_type"), asked("client_id")), ("code".to_owned(), "codex-client".to_owned()));
                assert_eq!(
                    (asked("scope"), asked("code_challenge_method")),
                    ("openid profile email".to_owned(), "S256".to_owned())
                );
                let name = format!("code-{}", uuid::Uuid::new_v4());
                let redirect_uri = asked("redirect_uri");
                let mut back = url::Url::parse(&redirect_uri).expect("a redirect URI");
                back.query_pairs_mut().extend_pairs([("code", name.as_str()), ("state", &asked("state")), ("iss", &issuer)]);
                state.codes.insert(name, Code { nonce: asked("nonce"), challenge: asked("code_challenge"), redirect_uri });
                Response::new(302, "text/plain", "").with("location", back)
            }
            "/realms/msp/token" => state.redeem(request),
            _ => Response::json(404, &json!({"error": "not found"})),
        })
    }
}

struct Provider {
    world: Arc<World>,
    _server: Server,
}

impl Provider {
    async fn start() -> Self {
        let state = State {
            key: Key::generate(),
            kid: "one",
            issuer: String::new(),
            person: person("tess"),
            lie: "",
            codes: HashMap::new(),
            is_away: false,
        };
        let world = Arc::new(World(Mutex::new(state)));
        let server = Server::start(0, Arc::clone(&world) as Arc<dyn Answers>).await.expect("a port");
        world.state().issuer = format!("http://127.0.0.1:{}/realms/msp", server.port());
        Self { world, _server: server }
    }

    async fn app(&self, engine: &Engine, settings: &[(&str, &str)]) -> App {
        let builder = App::builder(engine)
            .env("CODEX_OIDC_ISSUER", self.world.state().issuer.clone())
            .env("CODEX_OIDC_CLIENT_ID", "codex-client")
            .env("CODEX_OIDC_CLIENT_SECRET", SECRET)
            .env("CODEX_OIDC_NAME", "Acme Login");
        settings.iter().fold(builder, |builder, (name, value)| builder.env(&format!("CODEX_OIDC_{name}"), *value)).start().await
    }

    fn lie(&self, how: &'static str) {
        self.world.state().lie = how;
    }

    fn says(&self, person: Value) {
        self.world.state().person = person;
    }
}

fn person(name: &str) -> Value {
    json!({"sub": format!("subject-of-{name}"), "email": format!("{name}@msp.example.com"), "email_verified": true,
           "preferred_username": name, "name": format!("{name} of the provider")})
}

async fn page(app: &App, path: &str, cookie: &str) -> Reply {
    app.anonymous().send(Method::GET, path, |request| request.header("accept", "text/html").header("cookie", cookie)).await
}

/// Begins to sign in: what the browser keeps, and the path to which the provider leads back.
async fn sent(app: &App, next: &str) -> (String, String) {
    let begun = page(app, &format!("/login/sso?next={next}"), "").await.status(303);
    let cookie = begun.header("set-cookie").to_owned();
    assert!(cookie.starts_with("codex_sso=") && cookie.contains("HttpOnly; SameSite=Lax"), "{cookie}");
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
    let back = http.get(begun.header("location")).send().await.expect("the provider");
    let back = back.headers()["location"].to_str().unwrap().to_owned();
    let path = back.strip_prefix(app.base()).unwrap_or_else(|| panic!("leads back to {back}")).to_owned();
    (cookie.split(';').next().unwrap().to_owned(), path)
}

/// All the way there and back.
async fn signed_in(app: &App) -> Reply {
    let (cookie, back) = sent(app, "%2Fassets%2F").await;
    page(app, &back, &cookie).await
}

fn session(reply: &Reply) -> String {
    let cookies = reply.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
    cookies
        .filter_map(|cookie| cookie.split(';').next())
        .find(|pair| pair.starts_with("codex_session="))
        .unwrap_or_default()
        .to_owned()
}

/// What the page says that is shown in place of signing in.
async fn refusal(app: &App, status: u16) -> String {
    let reply = signed_in(app).await;
    assert_eq!(session(&reply), "", "somebody is signed in: {}", reply.text());
    reply.status(status).text()
}

async fn account(app: &App, name: &str) -> Value {
    let accounts = app.admin().get("/api/accounts").await.ok();
    accounts.as_array().unwrap().iter().find(|account| account["username"] == name).cloned().unwrap_or_default()
}

/// The provider tells that somebody has signed out there.
async fn told(app: &App, token: &str) -> Reply {
    let form = [("logout_token", token)];
    app.anonymous().send(Method::POST, "/oidc/backchannel-logout", |request| request.form(&form)).await
}

async fn is_signed_in(app: &App, cookie: &str) -> bool {
    app.anonymous().get_with("/api/companies", "cookie", cookie).await.status == 200
}

both! {
    async fn whoever_signs_out_at_the_provider_is_signed_out_here(engine: Engine) {
        let provider = Provider::start().await;
        let app = provider.app(&engine, &[]).await;
        let of = |sid: &str| {
            let mut person = person("tess");
            person["sid"] = json!(sid);
            person
        };
        let mut sessions = HashMap::new();
        for sid in ["one", "two", "three"] {
            provider.says(of(sid));
            sessions.insert(sid, session(&signed_in(&app).await.status(303)));
        }
        provider.says(person("ada"));
        let ada = session(&signed_in(&app).await.status(303));
        let local = app.anonymous().send(Method::POST, "/login", |request| request.form(&[("username", "tess"), ("password", PASSWORD)])).await;
        let local = session(&local.status(303));
        let token = |whose: Value, lie: &str| provider.world.state().logout_token(&whose, lie);

        for lie in ["nonce", "no event", "event", "audience", "issuer", "expired", "no end", "no time", "future", "no identifier", "nobody", "none", "stranger"] {
            let refused = told(&app, &token(json!({"sub": "subject-of-tess", "sid": "one"}), lie)).await.status(400);
            assert!(refused.error().contains("does not hold"), "{lie}: {}", refused.text());
            assert!(is_signed_in(&app, &sessions["one"]).await, "{lie}");
        }
        told(&app, "nonsense").await.status(400);
        assert_eq!(app.anonymous().send(Method::POST, "/oidc/backchannel-logout", |request| request.form(&[("logout_token", "")])).await.status(400).fields(), ["logout_token"]);
        // What was opened after the token was made is not ended by it, however often it is sent.
        told(&app, &token(json!({"sub": "subject-of-tess"}), "earlier")).await.status(200);
        assert!(is_signed_in(&app, &sessions["one"]).await);

        // One session, by the provider's name for it.
        let done = told(&app, &token(json!({"sid": "one"}), "")).await.status(200);
        assert_eq!((done.header("cache-control"), done.text().as_str()), ("no-store", ""));
        assert_eq!((is_signed_in(&app, &sessions["one"]).await, is_signed_in(&app, &sessions["two"]).await), (false, true));
        // It must be that person's.
        told(&app, &token(json!({"sub": "subject-of-ada", "sid": "two"}), "")).await.status(200);
        assert!(is_signed_in(&app, &sessions["two"]).await);
        assert!(!is_signed_in(&app, &ada).await, "of hers nobody knows to which session it belongs");
        // Everything of somebody that the provider has opened, and nothing else.
        told(&app, &token(json!({"sub": "subject-of-tess"}), "")).await.status(200);
        for sid in ["two", "three"] {
            assert!(!is_signed_in(&app, &sessions[sid]).await, "{sid}");
        }
        assert!(is_signed_in(&app, &local).await, "a session by password is none of the provider's");
        told(&app, &token(json!({"sub": "somebody-unknown"}), "")).await.status(200);
        assert!(!app.log().contains("eyJ"), "no token stands in the log");
    }

    async fn somebody_known_signs_in_and_out_at_the_provider(engine: Engine) {
        let provider = Provider::start().await;
        let app = provider.app(&engine, &[]).await;
        let door = page(&app, "/login?next=%2Fassets%2F", "").await.status(200).text();
        assert!(door.contains("Sign in with Acme Login") && door.contains("/login/sso?next=%2Fassets%2F") && door.contains("name=\"password\""), "{door}");
        let done = signed_in(&app).await.status(303);
        assert_eq!(done.header("location"), "/assets/");
        let cookie = session(&done);
        let own = app.anonymous().get_with("/api/my/sessions", "cookie", &cookie).await.ok();
        let here = own.as_array().unwrap().iter().find(|session| session["current"] == true).unwrap();
        assert_eq!((&here["kind"], &here["single_sign_on"]), (&json!("browser"), &json!(true)));
        assert_eq!((&account(&app, "tess").await["single_sign_on"], &account(&app, "tess").await["permission_level"]), (&json!(true), &json!("technician")));

        provider.says(json!({"sub": "subject-of-tess", "email": "tess.new@elsewhere.example"}));
        let again = session(&signed_in(&app).await.status(303));
        app.anonymous().get_with("/api/companies", "cookie", &again).await.status(200);
        assert_eq!(account(&app, "tess").await["email"], "tess@msp.example.com", "the subject counts, not the address");

        let out = app.anonymous().send(Method::POST, "/logout", |request| request.header("cookie", &again)).await.status(200);
        let leads = out.header("refresh").strip_prefix("0; url=").unwrap().to_owned();
        let issuer = provider.world.state().issuer.clone();
        let back = url::form_urlencoded::byte_serialize(format!("{}/login?signed_out=1", app.base()).as_bytes()).collect::<String>();
        assert_eq!(leads, format!("{issuer}/logout?client_id=codex-client&post_logout_redirect_uri={back}"));
        assert!(out.header("set-cookie").contains("Max-Age=0"));
        app.anonymous().get_with("/api/companies", "cookie", &again).await.status(401);
        let local = app.anonymous().send(Method::POST, "/login", |request| request.form(&[("username", "tess"), ("password", PASSWORD)])).await;
        let local = session(&local.status(303));
        app.anonymous().send(Method::POST, "/logout", |request| request.header("cookie", &local)).await.status(303);
        let told = app.log() + &app.admin().get("/api/changes?types=user").await.text();
        assert!(told.contains("single_sign_on") && !told.contains(SECRET) && !told.contains("eyJ"), "{told}");
    }

    async fn what_does_not_hold_signs_nobody_in(engine: Engine) {
        let provider = Provider::start().await;
        let app = provider.app(&engine, &[]).await;
        for how in ["nonce", "no nonce", "audience", "audiences", "party", "expired", "no end", "future", "issuer", "subject", "none", "hmac", "stranger", "own key"] {
            provider.lie(how);
            let text = refusal(&app, 401).await;
            assert!(text.contains("cannot be trusted") && text.contains("Sign in with Acme Login"), "{how}: {text}");
        }
        provider.lie("");
        assert!(app.log().contains("nonce") && !app.log().contains("eyJ"), "the log says why, without tokens");

        let (cookie, back) = sent(&app, "%2F").await;
        page(&app, &back, "").await.status(410);
        page(&app, &back, &cookie).await.status(410);
        let (_, back) = sent(&app, "%2F").await;
        let (other, _) = sent(&app, "%2F").await;
        assert!(page(&app, &back, &other).await.status(410).text().contains("another browser"));
        let (cookie, back) = sent(&app, "%2F").await;
        page(&app, &back, &cookie).await.status(303);
        page(&app, &back, &cookie).await.status(410);
        let (cookie, back) = sent(&app, "%2F").await;
        app.database.execute("UPDATE sign_in_requests SET expires_at = '2026-01-01T00:00:00Z'");
        page(&app, &back, &cookie).await.status(410);
        let (cookie, back) = sent(&app, "%2F").await;
        app.database.execute("UPDATE sign_in_requests SET code_verifier = 'stolen'");
        page(&app, &back, &cookie).await.status(401);

        let (cookie, used) = sent(&app, "%2F").await;
        page(&app, &used, &cookie).await.status(303);
        let code = used.split("code=").nth(1).unwrap().split('&').next().unwrap();
        let (cookie, back) = sent(&app, "%2F").await;
        let fresh = back.split("code=").nth(1).unwrap().split('&').next().unwrap();
        page(&app, &back.replace(fresh, code), &cookie).await.status(401);
        let (cookie, back) = sent(&app, "%2F").await;
        let (stem, _) = back.split_once("&iss=").unwrap();
        assert!(page(&app, &format!("{stem}&iss=https%3A%2F%2Flogin.evil.example"), &cookie).await.status(401).text().contains("does not come from"));
        let (cookie, back) = sent(&app, "%2F").await;
        page(&app, back.split_once("&iss=").unwrap().0, &cookie).await.status(401);
        let (cookie, back) = sent(&app, "%2F").await;
        let (stem, rest) = back.split_once("code=").unwrap();
        let rest = rest.split_once('&').unwrap().1;
        let denied = page(&app, &format!("{stem}{rest}&error=access_denied"), &cookie).await.status(403).text();
        assert!(denied.contains("did not let you in"), "{denied}");
        page(&app, "/login/sso/callback", "").await.status(410);
        for next in ["https%3A%2F%2Fevil.example", "%2F%2Fevil.example"] {
            let (cookie, back) = sent(&app, next).await;
            assert_eq!(page(&app, &back, &cookie).await.status(303).header("location"), "/");
        }
    }

    async fn keys_that_change_are_fetched_anew(engine: Engine) {
        let provider = Provider::start().await;
        let app = provider.app(&engine, &[]).await;
        signed_in(&app).await.status(303);
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        {
            let mut state = provider.world.state();
            (state.kid, state.key) = ("two", Key::generate());
        }
        signed_in(&app).await.status(303);
        provider.lie("stranger");
        signed_in(&app).await.status(401);
    }

    async fn only_who_is_known_comes_in(engine: Engine) {
        let provider = Provider::start().await;
        let app = provider.app(&engine, &[]).await;
        provider.says(person("noa"));
        let unknown = refusal(&app, 403).await;
        assert!(unknown.contains("no account for noa@msp.example.com") && unknown.contains("Ask an administrator"), "{unknown}");
        for unverified in [json!(false), json!("false"), Value::Null] {
            let mut tess = person("tess");
            tess["email_verified"] = unverified;
            provider.says(tess);
            assert!(refusal(&app, 403).await.contains("has been verified"));
        }
        let mut nobody = person("tess");
        nobody["email"] = Value::Null;
        provider.says(nobody);
        assert!(refusal(&app, 403).await.contains("does not tell your e-mail"));
        provider.says(person("tess"));
        signed_in(&app).await.status(303);
        let mut thief = person("tess");
        thief["sub"] = json!("another subject");
        provider.says(thief.clone());
        assert!(refusal(&app, 403).await.contains("linked with another account"));
        let id = account(&app, "tess").await["id"].clone();
        app.technician().delete(&format!("/api/accounts/{id}/single-sign-on")).await.status(403);
        app.admin().delete(&format!("/api/accounts/{id}/single-sign-on")).await.status(204);
        app.admin().delete(&format!("/api/accounts/{id}/single-sign-on")).await.status(404);
        signed_in(&app).await.status(303);

        app.cli().run_beside(&["users", "disable", "tess"]).await.success();
        assert!(refusal(&app, 403).await.contains("is disabled"));
        app.cli().run_beside(&["users", "disable", "bill"]).await.success();
        provider.says(person("bill"));
        assert!(refusal(&app, 403).await.contains("is disabled"));
        assert_eq!(account(&app, "bill").await["single_sign_on"], false, "nothing is half done");
    }

    async fn an_issuer_that_verifies_no_addresses_is_trusted_by_setting(engine: Engine) {
        let provider = Provider::start().await;
        let app = provider.app(&engine, &[("TRUST_EMAIL", "true"), ("EMAIL_DOMAINS", "msp.example.com")]).await;
        provider.says(json!({"sub": "entra-1", "email": "Tess@MSP.example.com", "tid": "tenant"}));
        let cookie = session(&signed_in(&app).await.status(303));
        provider.says(json!({"sub": "entra-3", "email": "ada@msp.example.com"}));
        assert!(refusal(&app, 403).await.contains("administrator"), "nobody becomes one by an address that is not verified");
        let tess = account(&app, "tess").await;
        app.admin().delete(&format!("/api/accounts/{}/single-sign-on", tess["id"])).await.status(204);
        app.anonymous().get_with("/api/my/sessions", "cookie", &cookie).await.status(401);
        provider.says(json!({"sub": "entra-2", "email": "tess@msp.example.com.evil.example"}));
        let text = refusal(&app, 403).await;
        assert!(text.contains("domain"), "{text}");
    }

    async fn people_are_added_with_the_roles_of_the_provider(engine: Engine) {
        let provider = Provider::start().await;
        let settings = [
            ("CREATE_USERS", "true"),
            ("ROLE_CLAIM", "realm_access.roles"),
            ("ROLE_ADMIN", "codex-admins"),
            ("ROLE_TECHNICIAN", "codex-technicians, helpdesk"),
            ("ROLE_CLIENT", "customers"),
        ];
        let app = provider.app(&engine, &settings).await;
        app.company("100001", "Acme").await;
        app.contact("Cleo", "cleo@msp.example.com", &["100001"]).await;
        let with = |name: &str, roles: Value| {
            let mut person = person(name);
            person["realm_access"] = json!({"roles": roles});
            person
        };
        provider.says(with("noa", json!(["other"])));
        assert!(refusal(&app, 403).await.contains("has no role in Codex"));
        provider.says(with("noa", json!(["helpdesk"])));
        let cookie = session(&signed_in(&app).await.status(303));
        let noa = account(&app, "noa").await;
        assert_eq!((&noa["permission_level"], &noa["has_password"], &noa["name"]), (&json!("technician"), &json!(false), &json!("noa of the provider")));
        app.anonymous().get_with("/api/agents", "cookie", &cookie).await.status(403);
        provider.says(with("noa", json!(["helpdesk", "codex-admins"])));
        let admin = session(&signed_in(&app).await.status(303));
        app.anonymous().get_with("/api/agents", "cookie", &admin).await.status(200);
        provider.says(with("noa", json!(["helpdesk"])));
        signed_in(&app).await.status(303);
        app.anonymous().get_with("/api/agents", "cookie", &admin).await.status(403);

        let key = |cookie: &str| {
            let (api, cookie) = (app.anonymous(), cookie.to_owned());
            async move { api.send(Method::POST, "/api/keys", |request| request.header("cookie", cookie).json(&json!({"name": "k"}))).await }
        };
        key(&admin).await.status(201);
        let own = json!({"current_password": "x", "new_password": "a very long new password"});
        app.anonymous().send(Method::PUT, "/api/my/password", |request| request.header("cookie", &admin).json(&own)).await.status(409);
        app.database.execute("UPDATE sessions SET created_at = '2026-01-01T00:00:00Z' WHERE method = 'sso'");
        assert_eq!(key(&admin).await.status(400).fields(), ["current_password"], "too long ago");
        let settings = page(&app, "/settings", &admin).await.status(200).text();
        assert!(!settings.contains("id=\"second-factor\"") && !settings.contains("id=\"current_password\""), "{settings}");

        provider.says(with("cleo", json!("customers")));
        signed_in(&app).await.status(303);
        assert_eq!((&account(&app, "cleo").await["permission_level"], &account(&app, "cleo").await["company_account_number"]), (&json!("client"), &json!("100001")));
        let mut namesake = with("tess", json!(["helpdesk"]));
        (namesake["sub"], namesake["email"]) = (json!("subject-of-another"), json!("tess@elsewhere.example"));
        provider.says(namesake);
        let text = refusal(&app, 403).await;
        assert!(text.contains("Your account cannot be used here: username is taken by another user."), "{text}");
        provider.says(with("carl", json!("customers")));
        assert!(refusal(&app, 403).await.contains("company"));
        assert_eq!(account(&app, "carl").await, Value::Null);
    }

    async fn passwords_stay_for_whom_the_setting_says(engine: Engine) {
        let provider = Provider::start().await;
        let app = provider.app(&engine, &[("LOCAL_SIGN_IN", "admins")]).await;
        let token = async |app: &App, name: &str| app.anonymous().post("/api/token", &json!({"username": name, "password": PASSWORD})).await;
        assert!(token(&app, "tess").await.status(403).error().contains("sign in with Acme Login"));
        token(&app, "ada").await.status(200);
        let form = app.anonymous().send(Method::POST, "/login", |request| request.header("accept", "text/html").form(&[("username", "tess"), ("password", PASSWORD)])).await;
        assert!(form.status(403).text().contains("sign in with Acme Login"));
        let wrong = app.anonymous().post("/api/token", &json!({"username": "tess", "password": "wrong"})).await;
        assert!(!wrong.status(401).text().contains("Acme"), "nobody learns who there is");
        let app = provider.app(&engine, &[("LOCAL_SIGN_IN", "nobody")]).await;
        token(&app, "ada").await.status(403);
        let door = page(&app, "/login", "").await.status(200).text();
        assert!(!door.contains("name=\"password\"") && door.contains("/login/sso?next=%2F"), "{door}");
    }

    async fn one_address_begins_only_so_many(engine: Engine) {
        let provider = Provider::start().await;
        let app = provider.app(&engine, &[]).await;
        let (cookie, back) = sent(&app, "%2F").await;
        for _ in 1..60 {
            page(&app, "/login/sso", "").await.status(303);
        }
        let refused = page(&app, "/login/sso", "").await.status(429);
        assert!(refused.text().contains("Too many"), "{}", refused.text());
        page(&app, &back, &cookie).await.status(303);
    }

    async fn a_provider_that_is_away_or_another_is_said_to_be_so(engine: Engine) {
        let provider = Provider::start().await;
        let app = provider.app(&engine, &[]).await;
        provider.world.state().is_away = true;
        let text = page(&app, "/login/sso", "").await.status(503).text();
        assert!(text.contains("does not work just now") && text.contains("name=\"password\""), "{text}");
        provider.world.state().is_away = false;
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        provider.lie("discovery");
        assert!(page(&app, "/login/sso", "").await.status(503).text().contains("another issuer"));
        provider.lie("");
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        let (cookie, back) = sent(&app, "%2F").await;
        assert!(app.cli().run_beside(&["doctor"]).await.stdout.contains("single sign-on"));
        provider.world.state().is_away = true;
        page(&app, &back, &cookie).await.status(503);
        let plain = App::start_on(&engine).await;
        page(&plain, "/login/sso", "").await.status(404);
        assert!(!page(&plain, "/login", "").await.text().contains("/login/sso"));
        for (name, value, words) in [
            ("CODEX_OIDC_ISSUER", "http://login.example.com", "https://"),
            ("CODEX_OIDC_ISSUER", "https://login.example.com", "client_id"),
            ("CODEX_OIDC_LOCAL_SIGN_IN", "nobody", "nobody could sign in"),
        ] {
            let output = App::builder(&engine).env(name, value).prepare().cli().run_beside(&["config", "show"]).await;
            assert!(output.code != 0 && output.stderr.contains(words), "{name}: {}", output.stderr);
        }
    }
}
