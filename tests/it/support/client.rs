//! HTTP clients of the running program, one for each kind of caller.

use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use super::described;

/// A caller: a base address and perhaps a token.
#[derive(Clone, Debug)]
pub struct Api {
    base: String,
    token: Option<String>,
    http: reqwest::Client,
}

/// A whole answer.
#[derive(Debug)]
pub struct Reply {
    /// `GET /path`, for messages.
    pub asked: String,
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: reqwest::header::HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// A header's text, empty when it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{}: {error} in {}", self.asked, self.text()))
    }

    /// Fails unless the status was this.
    pub fn status(self, status: u16) -> Self {
        let shown: String = self.text().chars().take(2000).collect();
        assert_eq!(self.status, status, "{}: {shown}", self.asked);
        self
    }

    /// The JSON of an answer that had to be 200.
    pub fn ok(self) -> Value {
        self.status(200).json()
    }

    /// The `error` of a JSON body.
    pub fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }

    /// The fields named under `errors`.
    pub fn fields(&self) -> Vec<String> {
        let body = self.json();
        let named = |error: &Value| error["field"].as_str().unwrap_or_default().to_owned();
        body["errors"].as_array().into_iter().flatten().map(named).collect()
    }
}

impl Api {
    /// A caller of the program at this address.
    pub fn new(base: &str, token: Option<&str>) -> Self {
        let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
        let http = builder.timeout(std::time::Duration::from_secs(60)).build().expect("an HTTP client");
        Self { base: base.to_owned(), token: token.map(str::to_owned), http }
    }

    /// The same caller over connections made by this client.
    #[must_use]
    pub fn over(self, http: reqwest::Client) -> Self {
        Self { http, ..self }
    }

    /// A request that the test may still dress.
    pub async fn send(&self, method: Method, path: &str, dress: impl FnOnce(RequestBuilder) -> RequestBuilder) -> Reply {
        self.try_send(method.clone(), path, dress).await.unwrap_or_else(|error| panic!("{method} {path}: {error:?}"))
    }

    /// The same where the program may be gone.
    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        dress: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> reqwest::Result<Reply> {
        super::elsewhere::until_heard().await;
        let asked = format!("{method} {path}");
        let name = method.clone();
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let response = dress(request).send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await?.to_vec();
        let kind = headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        described::check(name.as_str(), path, status, kind.starts_with("application/json"), &body);
        Ok(Reply { asked, status, headers, body })
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, |request| request).await
    }

    /// GET with one header.
    pub async fn get_with(&self, path: &str, header: &str, value: &str) -> Reply {
        self.send(Method::GET, path, |request| request.header(header, value)).await
    }

    /// HEAD.
    pub async fn head(&self, path: &str) -> Reply {
        self.send(Method::HEAD, path, |request| request).await
    }

    /// POST with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(Method::POST, path, |request| request.json(body)).await
    }

    /// PUT with a JSON body.
    pub async fn put(&self, path: &str, body: &Value) -> Reply {
        self.send(Method::PUT, path, |request| request.json(body)).await
    }

    /// PATCH with a JSON merge patch.
    pub async fn patch(&self, path: &str, body: &Value) -> Reply {
        self.send(Method::PATCH, path, |request| request.json(body)).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Reply {
        self.send(Method::DELETE, path, |request| request).await
    }

    /// POST with a body of any bytes and media type.
    pub async fn post_raw(&self, path: &str, media: &str, body: impl Into<reqwest::Body>) -> Reply {
        self.send(Method::POST, path, |request| request.header("content-type", media).body(body)).await
    }
}
