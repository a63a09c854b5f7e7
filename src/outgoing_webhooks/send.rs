//! One POST to an address that somebody entered: nowhere private, not led elsewhere, and never for long.

use std::{sync::Arc, time::Duration};

use reqwest::{StatusCode, header};
use url::Url;

use crate::vendors::address::{PublicOnly, is_public_host};

/// How long the receiver may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why nothing arrived.
#[derive(Clone, Debug)]
pub struct Fault {
    /// What was answered, if anything was.
    pub status: Option<u16>,
    /// The reason, for administrators.
    pub message: String,
}

impl Fault {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { status: None, message: message.into() }
    }

    /// Whether the receiver wants nothing any more.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.status == Some(StatusCode::GONE.as_u16())
    }
}

/// Whether something may be sent to this address; `private` lets it be anywhere, and http.
///
/// # Errors
/// What is wrong, in words that fit behind the field's name.
pub fn check(address: &str, private: bool) -> Result<Url, String> {
    let url = Url::parse(address).map_err(|_| "must be an address such as https://host.example/path".to_owned())?;
    if url.scheme() != "https" && !(private && url.scheme() == "http") {
        return Err("must begin with https://".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() || url.host().is_none() {
        return Err("must not hold a user name or password".to_owned());
    }
    if !private && !is_public_host(&url) {
        let how = "for a test system the operator sets private_addresses in section [outgoing_webhooks] of codex.conf";
        return Err(format!("must be a public address; {how}"));
    }
    Ok(url)
}

/// Sends a JSON body with these headers; the status when it was taken.
///
/// # Errors
/// Everything else, a redirect too: nobody is led elsewhere.
pub async fn post(address: &str, headers: &[(&'static str, String)], body: String, private: bool) -> Result<u16, Fault> {
    let url = check(address, private).map_err(|why| Fault::new(format!("The address {why}")))?;
    let builder = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).no_proxy();
    let builder = builder.user_agent(concat!("codex/", env!("CARGO_PKG_VERSION")));
    let builder = if private { builder } else { builder.dns_resolver(Arc::new(PublicOnly::of(address))) };
    let http = builder.build().map_err(|_| Fault::new("No connection can be made"))?;
    let mut request = http.post(url).header(header::CONTENT_TYPE, "application/json");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let reply = request.body(body).send().await.map_err(|error| Fault::new(words(&error)))?;
    let status = reply.status();
    if status.is_success() {
        return Ok(status.as_u16());
    }
    let message = match status {
        status if status.is_redirection() => format!("It answered {status}; redirects are not followed"),
        status => format!("It answered {status}"),
    };
    Err(Fault { status: Some(status.as_u16()), message })
}

/// What went wrong, without the address.
fn words(error: &reqwest::Error) -> String {
    let inside = std::iter::successors(std::error::Error::source(error), |error| error.source())
        .any(|error| error.to_string().contains("private network"));
    let words = match () {
        () if inside => "The name leads into a private network",
        () if error.is_timeout() => "It did not answer within 10 seconds",
        () if error.is_connect() => "It cannot be reached",
        () => "The connection broke",
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn only_public_https_addresses_are_let_pass() {
        for good in ["https://hooks.example.com/codex?x=1", "https://hooks.example.com:8443/a", "https://8.8.8.8/"] {
            assert!(check(good, false).is_ok(), "{good}");
        }
        for bad in [
            "http://hooks.example.com/",
            "https://127.0.0.1/",
            "https://127.1/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://169.254.169.254/latest",
            "https://192.168.1.1:8443/",
            "https://localhost/",
            "https://printer.local/",
            "https://user:pw@hooks.example.com/",
            "ftp://hooks.example.com/",
            "hooks.example.com",
            "",
        ] {
            assert!(check(bad, false).is_err(), "{bad}");
        }
        assert!(check("http://127.0.0.1:9/x", true).is_ok() && check("ftp://127.0.0.1/", true).is_err());
    }
}
