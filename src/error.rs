//! Every way a request or a command can fail, and the one map from failure to status.

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

/// Shorthand for results that fail with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One field that was wrong, and what would be right.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq, utoipa::ToSchema)]
pub struct FieldError {
    /// The field's name as the client sent it (dotted or indexed for nested ones).
    pub field: String,
    /// What is wrong and what would be right, as a sentence fragment.
    pub message: String,
}

impl FieldError {
    /// What is said of a field that was not sent.
    pub const REQUIRED: &'static str = "is required";
    /// What is said of one that was sent without a value.
    pub const EMPTY: &'static str = "must not be empty";

    /// Whether it says no more than that a value is missing.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        [Self::REQUIRED, Self::EMPTY].contains(&self.message.as_str())
    }
}

/// A failure, by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing, or it is another tenant's.
    #[error("{what} not found")]
    NotFound {
        /// The thing's name in the singular, capitalised ("Company").
        what: &'static str,
    },
    /// There is no such thing, in words that clients know.
    #[error("{0}")]
    Missing(&'static str),
    /// The input is wrong; every wrong field is listed.
    #[error("{}", join(.0))]
    Invalid(Vec<FieldError>),
    /// The request cannot be understood at all (not JSON, not UTF-8).
    #[error("{0}")]
    BadRequest(String),
    /// No valid credentials.
    #[error("{0}")]
    Unauthorized(String),
    /// The role may never do this.
    #[error("{0}")]
    Forbidden(String),
    /// The state of the data forbids it; `details` are extra members of the JSON body.
    #[error("{message}")]
    Conflict {
        /// What stands in the way.
        message: String,
        /// Extra members for the body, for example `{"attached": {"assets": 3}}`.
        details: serde_json::Map<String, serde_json::Value>,
    },
    /// A constraint of the database refused the row; the text names the constraint or column. Stores
    /// turn the ones they expect into field errors with [`OnConstraint::on_unique`].
    #[error("the change contradicts another record")]
    Constraint(String),
    /// Once valid, no longer: a pruned cursor, a retired endpoint.
    #[error("{message}")]
    Gone {
        /// What happened and where to go.
        message: String,
        /// Extra members for the body.
        details: serde_json::Map<String, serde_json::Value>,
    },
    /// `If-Match` names another version than the stored one.
    #[error("the record has changed since you read it; read it again and repeat your change")]
    PreconditionFailed,
    /// The method exists for other paths only.
    #[error("this method is not allowed here")]
    MethodNotAllowed,
    /// The body exceeds the limit (bytes).
    #[error("the body is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The body comes too slowly, or not at all.
    #[error("the body was sent too slowly")]
    TooSlow,
    /// The body's media type is not one we read.
    #[error("{0}")]
    UnsupportedMedia(String),
    /// Too many attempts.
    #[error("too many requests; try again in {retry_after} seconds")]
    TooMany {
        /// Seconds until another attempt is worthwhile.
        retry_after: u64,
    },
    /// Cannot be served just now: full queue, lock held elsewhere, database away, keys unreachable.
    #[error("{0}")]
    Unavailable(String),
    /// The disk is full or read-only.
    #[error("{0}")]
    Storage(String),
    /// The database cannot be read as it was written; the text says what was found.
    #[error("the database is damaged; restore a backup (codex restore): {0}")]
    Damaged(String),
    /// Another system failed us.
    #[error("{service}: {message}")]
    Upstream {
        /// Which system ("Freshservice", "Core").
        service: &'static str,
        /// What it did, without secrets.
        message: String,
    },
    /// A bug or an unforeseen failure; the text goes to the log, never to a client.
    #[error("internal: {0}")]
    Internal(String),
}

fn join(fields: &[FieldError]) -> String {
    fields.iter().map(|f| format!("{}: {}", f.field, f.message)).collect::<Vec<_>>().join("; ")
}

impl Error {
    /// One wrong field.
    #[must_use]
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError { field: field.into(), message: message.into() }])
    }

    /// A conflict without extra members.
    #[must_use]
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::Conflict { message: message.into(), details: serde_json::Map::new() }
    }

    /// A value that must be one record's alone and is another one's already.
    #[must_use]
    pub fn taken(field: &str, message: &str) -> Self {
        let mut details = serde_json::Map::new();
        details.insert("errors".to_owned(), serde_json::json!([{ "field": field, "message": message }]));
        Self::Conflict { message: format!("{field}: {message}"), details }
    }

    /// A conflict that names fields as what is wrong with them, for a form that shows it beside them.
    #[must_use]
    pub fn beside_fields(self) -> Self {
        let named = match &self {
            Self::Conflict { details, .. } => details.get("errors").cloned(),
            _ => None,
        };
        named.and_then(|errors| serde_json::from_value(errors).ok()).map_or(self, Self::Invalid)
    }

    /// An unforeseen failure, keeping only its text.
    #[must_use]
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        Self::Internal(cause.to_string())
    }

    /// The HTTP status of this failure.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotFound { .. } | Self::Missing(_) => StatusCode::NOT_FOUND,
            Self::Invalid(_) | Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::Conflict { .. } | Self::Constraint(_) => StatusCode::CONFLICT,
            Self::Gone { .. } => StatusCode::GONE,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::UnsupportedMedia(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Storage(_) => StatusCode::INSUFFICIENT_STORAGE,
            Self::Upstream { .. } => StatusCode::BAD_GATEWAY,
            Self::Damaged(_) | Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// Turns a refused constraint into words for the person who typed the value.
pub trait OnConstraint<T> {
    /// If the constraint that refused names `column`, the error becomes a 409 with `message`.
    ///
    /// # Errors
    /// The error itself, renamed or not.
    fn on_unique(self, column: &str, message: &str) -> Result<T>;
}

impl<T> OnConstraint<T> for Result<T> {
    fn on_unique(self, column: &str, message: &str) -> Result<T> {
        self.map_err(|error| match error {
            Error::Constraint(text) if text.contains(column) => {
                let mut details = serde_json::Map::new();
                details.insert("message".to_owned(), message.into());
                details.insert("errors".to_owned(), serde_json::json!([{ "field": column, "message": message }]));
                Error::Conflict { message: message.to_owned(), details }
            }
            other => other,
        })
    }
}

impl axum::response::IntoResponse for Error {
    /// A bare status with the error in the extensions; `web::errors` writes the body, once, as JSON
    /// or as a page, because only it knows the path, the request id and who is asking.
    fn into_response(self) -> axum::response::Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(std::sync::Arc::new(self));
        response
    }
}
