//! The provider of single sign-on over HTTP: what it says of itself, its keys, and codes redeemed for ID tokens.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jsonwebtoken::jwk::JwkSet;
use reqwest::{RequestBuilder, StatusCode};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::sync::Mutex;
use url::form_urlencoded;

use super::{
    id_token::{self, Doubt, Expected, IdClaims, Logout},
    sso_store::Begun,
};
use crate::{
    config::Oidc,
    error::{Error, Result},
};

/// Somebody is waiting for the answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The largest answer that is read.
const LARGEST: usize = 512 * 1024;
/// For how long what the provider says of itself counts.
const FRESH: Duration = Duration::from_hours(1);
/// The least time between two looks for newer keys, or for a provider that is away: anybody may begin to sign in.
const REFETCH_PAUSE: Duration = Duration::from_secs(1);

/// What the provider says of itself (`OpenID` Connect Discovery §3).
#[derive(Clone, Debug, Deserialize)]
pub struct Document {
    pub issuer: String,
    pub authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    pub end_session_endpoint: Option<String>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl Document {
    /// Whether an answer that names its issuer (or should) comes from this provider and no other (RFC 9207).
    pub fn sent(&self, issuer: Option<&str>) -> bool {
        match issuer {
            Some(issuer) => issuer == self.issuer,
            None => !self.authorization_response_iss_parameter_supported,
        }
    }
}

/// A provider.
#[derive(Debug)]
pub struct Provider {
    pub settings: Oidc,
    http: reqwest::Client,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    document: Option<(Instant, Arc<Document>)>,
    keys: Option<(Instant, Arc<JwkSet>)>,
    /// When it last said nothing of itself, and why.
    silent: Option<(Instant, String)>,
}

impl Provider {
    /// For these settings; nothing is asked yet.
    pub fn new(settings: Oidc) -> Result<Self> {
        let builder = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none());
        Ok(Self { settings, http: builder.build().map_err(Error::internal)?, known: Mutex::default() })
    }

    /// What it says of itself.
    ///
    /// # Errors
    /// `Unavailable`, in words for whoever signs in.
    pub async fn document(&self) -> Result<Arc<Document>> {
        let mut known = self.known.lock().await;
        if let Some((at, document)) = &known.document
            && at.elapsed() < FRESH
        {
            return Ok(document.clone());
        }
        if let Some((at, reason)) = &known.silent
            && at.elapsed() < REFETCH_PAUSE
        {
            return Err(self.away(reason));
        }
        let address = format!("{}/.well-known/openid-configuration", self.settings.issuer);
        let asked = self.ask::<Document>(self.http.get(address)).await.and_then(|document| self.checked(document));
        match (asked, &known.document) {
            (Ok(document), _) => {
                let document = Arc::new(document);
                known.document = Some((Instant::now(), document.clone()));
                Ok(document)
            }
            (Err(reason), Some((_, document))) => {
                tracing::warn!(reason, "the provider of single sign-on says nothing of itself; what it said before counts");
                Ok(document.clone())
            }
            (Err(reason), None) => {
                let away = self.away(&reason);
                known.silent = Some((Instant::now(), reason));
                Err(away)
            }
        }
    }

    fn checked(&self, document: Document) -> Result<Document, String> {
        if document.issuer.trim_end_matches('/') != self.settings.issuer {
            return Err("it calls itself by another issuer than oidc.issuer".to_owned());
        }
        let secure = self.settings.issuer.starts_with("https://");
        let ends = [&document.authorization_endpoint, &document.token_endpoint, &document.jwks_uri];
        let fits = |address: &str| {
            url::Url::parse(address).is_ok_and(|url| url.scheme() == "https" || !secure && url.scheme() == "http")
        };
        if ends.into_iter().chain(&document.end_session_endpoint).all(|address| fits(address)) {
            Ok(document)
        } else {
            Err("one of its addresses is not https".to_owned())
        }
    }

    fn away(&self, reason: &str) -> Error {
        tracing::warn!(reason, "the provider of single sign-on cannot be used");
        let name = &self.settings.name;
        Error::Unavailable(format!("Signing in with {name} does not work just now: {reason}. Try again in a moment."))
    }

    /// What the provider says of whoever brought this code.
    ///
    /// # Errors
    /// `Unavailable` when it cannot be asked, `Unauthorized` for a code or a token that does not hold.
    pub async fn redeem(&self, document: &Document, code: &str, begun: &Begun) -> Result<IdClaims> {
        let token = self.id_token(document, code, begun).await?;
        let expected = Expected { issuer: &document.issuer, client_id: &self.settings.client_id, nonce: &begun.nonce };
        let proved = id_token::prove(&token, &*self.keys(document, None).await?, expected, seconds());
        let proved = match proved {
            Err(Doubt::UnknownKey) => {
                id_token::prove(&token, &*self.keys(document, Some(REFETCH_PAUSE)).await?, expected, seconds())
            }
            other => other,
        };
        proved.map_err(|doubt| {
            tracing::warn!(?doubt, "an ID token of the provider of single sign-on is refused");
            self.refused()
        })
    }

    /// Whose sessions a logout token ends.
    ///
    /// # Errors
    /// `BadRequest` for one that does not hold, `Unavailable` when the provider's keys cannot be had.
    pub async fn logout(&self, document: &Document, token: &str) -> Result<Logout> {
        let prove = |keys: &JwkSet| id_token::prove_logout(token, keys, &document.issuer, &self.settings.client_id, seconds());
        let proved = match prove(&*self.keys(document, None).await?) {
            Err(Doubt::UnknownKey) => prove(&*self.keys(document, Some(REFETCH_PAUSE)).await?),
            other => other,
        };
        proved.map_err(|doubt| {
            tracing::warn!(?doubt, "a logout token of the provider of single sign-on is refused");
            Error::BadRequest("this logout token does not hold; the log of Codex has the reason".to_owned())
        })
    }

    fn refused(&self) -> Error {
        let name = &self.settings.name;
        Error::Unauthorized(format!(
            "What {name} answered cannot be trusted, so you are not signed in. Try again; if it happens again, tell an administrator: \
             the log of Codex has the reason."
        ))
    }

    /// Redeems a code.
    async fn id_token(&self, document: &Document, code: &str, begun: &Begun) -> Result<String> {
        let Oidc { client_id, client_secret, .. } = &self.settings;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", begun.redirect_uri.as_str()),
            ("code_verifier", begun.code_verifier.as_str()),
        ];
        let request = self.http.post(&document.token_endpoint);
        let methods = document.token_endpoint_auth_methods_supported.as_ref();
        let basic = methods.is_none_or(|methods| methods.iter().any(|method| method == "client_secret_basic"));
        let request = match client_secret {
            Some(secret) if basic => {
                let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
                request.basic_auth(encoded(client_id), Some(encoded(secret.expose())))
            }
            Some(secret) => {
                form.extend([("client_id", client_id.as_str()), ("client_secret", secret.expose())]);
                request
            }
            None => {
                form.push(("client_id", client_id));
                request
            }
        };
        let answer = self.send(request.form(&form)).await.map_err(|reason| self.away(&reason))?;
        let (status, body) = answer;
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        match (status, body.get("id_token").and_then(Value::as_str)) {
            (StatusCode::OK, Some(token)) => Ok(token.to_owned()),
            (StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => {
                let error: String = body.get("error").and_then(Value::as_str).unwrap_or("no reason").chars().take(60).collect();
                tracing::warn!(error, "the provider of single sign-on does not redeem a code");
                Err(self.refused())
            }
            (StatusCode::OK, None) => Err(self.away("it gave no ID token; oidc.scopes must contain openid")),
            (other, _) => Err(self.away(&format!("it answered {}", other.as_u16()))),
        }
    }

    /// Its keys; with a pause, newer ones than those that are known, unless those are younger than that.
    async fn keys(&self, document: &Document, newer: Option<Duration>) -> Result<Arc<JwkSet>> {
        let mut known = self.known.lock().await;
        if let Some((at, keys)) = &known.keys
            && at.elapsed() < newer.unwrap_or(FRESH)
        {
            return Ok(keys.clone());
        }
        match (self.ask::<LenientSet>(self.http.get(&document.jwks_uri)).await, &known.keys) {
            (Ok(set), _) => {
                let keys = Arc::new(set.usable());
                known.keys = Some((Instant::now(), keys.clone()));
                Ok(keys)
            }
            (Err(reason), Some((_, keys))) => {
                tracing::warn!(reason, "the keys of the provider of single sign-on cannot be fetched; those we have stay in use");
                Ok(keys.clone())
            }
            (Err(reason), None) => Err(self.away(&reason)),
        }
    }

    async fn ask<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, String> {
        let (status, body) = self.send(request).await?;
        if status != StatusCode::OK {
            return Err(format!("it answered {}", status.as_u16()));
        }
        serde_json::from_slice(&body).map_err(|_| "it answered something that cannot be read".to_owned())
    }

    async fn send(&self, request: RequestBuilder) -> Result<(StatusCode, Vec<u8>), String> {
        let mut response = request.header("accept", "application/json").send().await.map_err(|error| broken(&error))?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| broken(&error))? {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST {
                return Err("its answer is too large".to_owned());
            }
        }
        Ok((response.status(), body))
    }
}

/// Keys of which some may be of a kind that we do not know.
#[derive(Deserialize)]
struct LenientSet {
    keys: Vec<Value>,
}

impl LenientSet {
    /// Those that can prove a signature.
    fn usable(self) -> JwkSet {
        let signs = |key: &Value| key.get("use").and_then(Value::as_str).is_none_or(|usage| usage == "sig");
        JwkSet { keys: self.keys.into_iter().filter(signs).filter_map(|key| serde_json::from_value(key).ok()).collect() }
    }
}

fn broken(error: &reqwest::Error) -> String {
    let words = if error.is_timeout() {
        "it did not answer in time"
    } else if error.is_connect() {
        "it cannot be reached"
    } else {
        "the connection broke"
    };
    words.to_owned()
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit a double for the next 285,000 years")]
fn seconds() -> f64 {
    jiff::Timestamp::now().as_millisecond() as f64 / 1000.0
}
