//! Our neighbours on the platform: where they are, and calls to them with Core's service tokens (contract §3.3).

mod tokens;

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::Value;

pub use self::tokens::Tokens;
use crate::{
    config::Config,
    error::{Error, Result},
};

/// How long a neighbour may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a neighbour is asked.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: Method,
    /// With its query string; begins with a slash.
    pub path: String,
    /// The body, as JSON.
    pub body: Option<Value>,
}

/// What it answered.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub body: Vec<u8>,
}

/// Calls neighbours; the tokens are kept between the calls.
pub struct Services {
    http: reqwest::Client,
    tokens: Tokens,
}

impl Services {
    /// For the Core of this configuration.
    ///
    /// # Errors
    /// `Unavailable` where there is no platform.
    pub fn new(config: &Config) -> Result<Self> {
        let Some(core) = &config.core.url else {
            let message = "there is no platform to call: core.url is not set, so Codex runs by itself";
            return Err(Error::Unavailable(message.to_owned()));
        };
        let builder = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).no_proxy();
        let http = builder.build().map_err(Error::internal)?;
        Ok(Self { http, tokens: Tokens::new(core, &config.core.service_name) })
    }

    /// Calls a neighbour by its name in `services.json`. A token that is refused is fetched anew, once.
    ///
    /// # Errors
    /// `Invalid` for a service that the list does not name or a path that leads elsewhere; `Unavailable` when Core gives no
    /// token or nobody answers.
    pub async fn call(&mut self, config: &Config, service: &str, call: &Call) -> Result<Answer> {
        let missing =
            || Error::field("service", format!("{service:?} is not in the platform's list of services (services.json)"));
        let base = config.neighbour(service).ok_or_else(missing)?;
        if !call.path.starts_with('/') {
            return Err(Error::field("path", "must begin with a slash, such as /health"));
        }
        for last in [false, true] {
            let away = |what: &str| Error::Unavailable(format!("{what} ({service})"));
            let token = self.tokens.get(&self.http, service).await.ok_or_else(|| away("Core gave no token for this service"))?;
            let request = self.http.request(call.method.clone(), format!("{base}{}", call.path)).bearer_auth(token.expose());
            let request = if let Some(body) = &call.body { request.json(body) } else { request };
            let reply = request.send().await.map_err(|error| {
                away(if error.is_timeout() { "the service did not answer in time" } else { "the service cannot be reached" })
            })?;
            if reply.status() == StatusCode::UNAUTHORIZED && !last {
                self.tokens.forget(service);
                continue;
            }
            let status = reply.status();
            let body = reply.bytes().await.map_err(|_| away("the service broke off in its answer"))?;
            return Ok(Answer { status, body: body.to_vec() });
        }
        Err(Error::internal("a call was neither answered nor refused"))
    }
}
