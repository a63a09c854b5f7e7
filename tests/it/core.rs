//! A stand-in Core: real RS256 tokens, a key set that can change under the same `kid`, revocation,
//! service tokens, and the habit of going away.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::http_server::{Answer, Answers, Request, Response, Server};

/// The constant key id that Core never changes, not even with its key.
pub const KID: &str = "hivematrix-signing-key-1";
/// The issuer that Core writes into every token.
pub const ISSUER: &str = "hivematrix-core";

/// Seconds since 1970 now, moved by so many.
pub fn seconds_from_now(by: i64) -> i64 {
    jiff::Timestamp::now().as_second() + by
}

/// An RSA key that can sign a token.
pub struct Key(KeyPair);

impl Key {
    /// A fresh key of this many bits' worth.
    pub fn generate() -> Self {
        Self(KeyPair::generate(KeySize::Rsa2048).expect("an RSA key"))
    }

    /// Its public half as an entry of a key set.
    pub fn public(&self, kid: &str) -> Value {
        let public = self.0.public_key();
        json!({
            "kty": "RSA", "alg": "RS256", "use": "sig", "kid": kid,
            "n": URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero()),
            "e": URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero()),
        })
    }

    /// The modulus alone, as a forger would use it for an HMAC.
    pub fn modulus(&self) -> Vec<u8> {
        self.0.public_key().modulus().big_endian_without_leading_zero().to_vec()
    }

    /// Signs these claims under this header.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let text = unsigned(header, claims);
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).expect("a signature");
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// The first two parts of a token.
pub fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()))
}

/// The header that Core writes.
pub fn header() -> Value {
    json!({"alg": "RS256", "typ": "JWT", "kid": KID})
}

/// The claims of a person's token, as Core makes them.
pub fn user_claims(name: &str, email: &str, level: &str) -> Value {
    json!({
        "iss": ISSUER, "sub": format!("keycloak-{name}"), "jti": format!("session-of-{name}"), "name": name, "email": email,
        "preferred_username": name, "permission_level": level, "groups": [level], "iat": seconds_from_now(0), "exp": seconds_from_now(3600),
    })
}

/// The claims of a service's token, as Core makes them.
pub fn service_claims(calling: &str, target: &str) -> Value {
    json!({
        "iss": ISSUER, "sub": format!("service:{calling}"), "type": "service", "calling_service": calling, "target_service": target,
        "iat": seconds_from_now(0), "exp": seconds_from_now(300),
    })
}

struct State {
    key: Key,
    revoked: Vec<String>,
    requests: Vec<String>,
}

struct World(Mutex<State>);

impl World {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answers for World {
    fn answer(&self, request: &Request) -> Answer {
        let mut state = self.state();
        state.requests.push(format!("{} {}", request.method, request.path));
        let body = request.json();
        Answer::Whole(match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/.well-known/jwks.json") => Response::json(200, &json!({"keys": [state.key.public(KID)]})),
            ("GET", "/health") => Response::json(200, &json!({"status": "healthy", "service": "core"})),
            ("POST", "/service-token") => {
                let calling = body["calling_service"].as_str().unwrap_or_default();
                let target = body["target_service"].as_str().unwrap_or_default();
                Response::json(200, &json!({"token": state.key.sign(&header(), &service_claims(calling, target))}))
            }
            ("POST", "/api/token/validate") => {
                let bearer = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
                let token = body["token"].as_str().or(bearer).unwrap_or_default();
                let claims = claims_of(token);
                let known = claims["jti"].as_str().is_some_and(|jti| !state.revoked.iter().any(|gone| gone == jti));
                if known {
                    Response::json(200, &json!({"valid": true, "user": claims}))
                } else {
                    Response::json(401, &json!({"valid": false, "error": "Session expired or revoked"}))
                }
            }
            _ => Response::json(404, &json!({"error": "not found"})),
        })
    }
}

fn claims_of(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap_or_default();
    URL_SAFE_NO_PAD.decode(part).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

/// The running stand-in.
pub struct Core {
    world: Arc<World>,
    server: Option<Server>,
    port: u16,
}

impl Core {
    /// Serves a Core with a fresh key on a free port.
    pub async fn start() -> Self {
        let state = State { key: Key::generate(), revoked: Vec::new(), requests: Vec::new() };
        let world = Arc::new(World(Mutex::new(state)));
        let server = Server::start(0, Arc::clone(&world) as Arc<dyn Answers>).await.expect("Core's port");
        let port = server.port();
        Self { world, server: Some(server), port }
    }

    /// Its address, as `CORE_SERVICE_URL` takes it.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Signs these claims with the present key.
    pub fn token(&self, claims: &Value) -> String {
        self.world.state().key.sign(&header(), claims)
    }

    /// Signs these claims under a header of the test's own.
    pub fn token_with(&self, header: &Value, claims: &Value) -> String {
        self.world.state().key.sign(header, claims)
    }

    /// A token of a person.
    pub fn user(&self, name: &str, email: &str, level: &str) -> String {
        self.token(&user_claims(name, email, level))
    }

    /// A token of another service.
    pub fn service(&self, name: &str) -> String {
        self.token(&service_claims(name, "codex"))
    }

    /// The present key's modulus.
    pub fn modulus(&self) -> Vec<u8> {
        self.world.state().key.modulus()
    }

    /// Replaces the key; its id stays.
    pub fn change_key(&self) {
        self.world.state().key = Key::generate();
    }

    /// Ends the session with this `jti`.
    pub fn revoke(&self, jti: &str) {
        self.world.state().revoked.push(jti.to_owned());
    }

    /// How many requests so far had this text.
    pub fn seen(&self, text: &str) -> usize {
        self.world.state().requests.iter().filter(|line| line.contains(text)).count()
    }

    /// Goes off the net.
    pub fn go_away(&mut self) {
        self.server = None;
    }

    /// Comes back on the same port.
    pub async fn come_back(&mut self) {
        let world = Arc::clone(&self.world) as Arc<dyn Answers>;
        self.server = Some(Server::start(self.port, world).await.expect("Core's old port"));
    }
}
