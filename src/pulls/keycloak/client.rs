//! Asks Keycloak's administration API: a token of the master realm, lists by pages.

use std::time::Duration;

use reqwest::{Response, StatusCode};
use serde_json::Value;

use crate::{
    config::keycloak::Account,
    error::{Error, Result},
    web::encode_segment,
};

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Rows that are asked for at once; Keycloak gives as many when nobody says how many.
const PAGE: usize = 100;
/// More rows than this is no list of people.
const MOST: usize = 100_000;
/// The largest answer that is read.
const LARGEST: usize = 16 * 1024 * 1024;

/// One Keycloak.
pub struct Client {
    http: reqwest::Client,
    account: Account,
    token: Option<String>,
}

fn failed(message: impl Into<String>) -> Error {
    Error::Upstream { service: "Keycloak", message: message.into() }
}

fn away(error: &reqwest::Error) -> Error {
    failed(if error.is_timeout() {
        "it did not answer in time"
    } else if error.is_connect() {
        "it cannot be reached"
    } else {
        "the connection broke"
    })
}

async fn json(mut response: Response) -> Result<Value> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| away(&error))? {
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST {
            return Err(failed("an answer is too large"));
        }
    }
    serde_json::from_slice(&body).map_err(|_| failed("it answered something that is no JSON"))
}

impl Client {
    /// For this account; nothing is asked yet.
    pub fn new(account: Account) -> Result<Self> {
        let builder = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).no_proxy();
        Ok(Self { http: builder.build().map_err(Error::internal)?, account, token: None })
    }

    async fn token(&mut self) -> Result<String> {
        if let Some(token) = &self.token {
            return Ok(token.clone());
        }
        let Account { url, user, password, .. } = &self.account;
        let form = [("grant_type", "password"), ("client_id", "admin-cli"), ("username", user), ("password", password.expose())];
        let address = format!("{url}/realms/master/protocol/openid-connect/token");
        let response = self.http.post(address).form(&form).send().await.map_err(|error| away(&error))?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::BAD_REQUEST => {
                return Err(failed("the administrator's name or password is refused"));
            }
            other => return Err(failed(format!("it answered {} when asked for a token", other.as_u16()))),
        }
        let token = json(response).await?.get("access_token").and_then(Value::as_str).map(str::to_owned);
        let token = token.ok_or_else(|| failed("it gave no token"))?;
        self.token = Some(token.clone());
        Ok(token)
    }

    /// What stands at a path of the realm, if anything does. A token lasts a minute: one that is refused is renewed once.
    async fn find(&mut self, path: &str, query: &[(&str, String)]) -> Result<Option<Value>> {
        let address = format!("{}/admin/realms/{}/{path}", self.account.url, self.account.realm);
        for last in [false, true] {
            let token = self.token().await?;
            let request = self.http.get(&address).query(query).bearer_auth(token);
            let response = request.send().await.map_err(|error| away(&error))?;
            match response.status() {
                StatusCode::OK => return json(response).await.map(Some),
                StatusCode::NOT_FOUND => return Ok(None),
                StatusCode::UNAUTHORIZED if !last => self.token = None,
                StatusCode::FORBIDDEN => return Err(failed(format!("its administrator may not read {path}"))),
                other => return Err(failed(format!("it answered {} for {path}", other.as_u16()))),
            }
        }
        Err(failed("its token is refused"))
    }

    async fn get(&mut self, path: &str, query: &[(&str, String)]) -> Result<Value> {
        self.find(path, query).await?.ok_or_else(|| failed(format!("it answered 404 for {path}")))
    }

    /// The user with this id; none when Keycloak has none.
    pub async fn user(&mut self, id: &str) -> Result<Option<Value>> {
        self.find(&format!("users/{}", encode_segment(id)), &[]).await
    }

    /// Every row of a list, each once. A page that brings nothing new ends with an error: such a list has no end.
    pub async fn all(&mut self, path: &str) -> Result<Vec<Value>> {
        let (mut rows, mut read): (Vec<Value>, usize) = (Vec::new(), 0);
        let mut known = std::collections::HashSet::new();
        loop {
            let page = self.get(path, &[("first", read.to_string()), ("max", PAGE.to_string())]).await?;
            let Value::Array(page) = page else { return Err(failed(format!("{path} is no list"))) };
            if page.is_empty() {
                return Ok(rows);
            }
            let before = known.len();
            read += page.len();
            // While somebody is added, rows move back: those of the page before come again.
            rows.extend(page.into_iter().filter(|row| match row.get("id").and_then(Value::as_str) {
                Some(id) => known.insert(id.to_owned()),
                None => true,
            }));
            if known.len() == before || read > MOST {
                return Err(failed(format!("{path} repeats its pages")));
            }
        }
    }

    /// How many users there are.
    pub async fn count(&mut self) -> Result<usize> {
        let count = self.get("users/count", &[]).await?;
        count
            .as_u64()
            .and_then(|count| usize::try_from(count).ok())
            .ok_or_else(|| failed("it does not say how many users there are"))
    }
}
