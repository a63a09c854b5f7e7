//! How requests prove who sends them: a key that never changes, or a token that runs out.

use std::{future::Future, pin::Pin, sync::Arc};

use reqwest::RequestBuilder;

use super::fault::Fault;

/// A token, once it has been fetched.
pub type Fetching<'a> = Pin<Box<dyn Future<Output = Result<String, Fault>> + Send + 'a>>;

/// Where tokens come from.
pub trait TokenSource: Send + Sync {
    /// The present token. With `refused`, one that is another than this: whoever asks first fetches it,
    /// all others get the same.
    fn token<'a>(&'a self, refused: Option<&'a str>) -> Fetching<'a>;

    /// What must never be printed.
    fn secrets(&self) -> Vec<&str>;
}

/// What a client signs its requests with.
pub enum Credentials {
    /// HTTP Basic.
    Basic {
        /// For Freshservice the API key.
        user: String,
        /// Anything.
        password: String,
    },
    /// A bearer token.
    Bearer(Arc<dyn TokenSource>),
}

impl Credentials {
    /// The token to send; none with HTTP Basic.
    pub async fn token(&self, refused: Option<&str>) -> Result<Option<String>, Fault> {
        match self {
            Self::Basic { .. } => Ok(None),
            Self::Bearer(source) => source.token(refused).await.map(Some),
        }
    }

    /// Adds the proof to a request.
    pub fn sign(&self, request: RequestBuilder, token: Option<&str>) -> RequestBuilder {
        match (self, token) {
            (Self::Basic { user, password }, _) => request.basic_auth(user, Some(password)),
            (Self::Bearer(_), Some(token)) => request.bearer_auth(token),
            (Self::Bearer(_), None) => request,
        }
    }

    /// What must never be printed.
    #[must_use]
    pub fn secrets<'s>(&'s self, token: Option<&'s str>) -> Vec<&'s str> {
        match self {
            Self::Basic { user, .. } => vec![user],
            Self::Bearer(source) => source.secrets().into_iter().chain(token).collect(),
        }
    }
}
