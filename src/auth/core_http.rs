//! The HTTP client for questions to Core about tokens: quick to give up, and never led elsewhere.

use std::time::Duration;

use crate::error::{Error, Result};

/// Somebody is waiting for the answer to their own request meanwhile.
const TIMEOUT: Duration = Duration::from_secs(2);

/// A client without redirects and without a proxy: Core is on this machine or in this network.
pub fn client() -> Result<reqwest::Client> {
    let builder = reqwest::Client::builder().timeout(TIMEOUT).connect_timeout(TIMEOUT);
    builder.redirect(reqwest::redirect::Policy::none()).no_proxy().build().map_err(Error::internal)
}

/// What went wrong, in words without addresses.
pub fn reason(error: &reqwest::Error) -> String {
    let words = if error.is_timeout() {
        "it did not answer in time"
    } else if error.is_connect() {
        "it cannot be reached"
    } else {
        "the connection broke"
    };
    words.to_owned()
}
