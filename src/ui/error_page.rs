//! The page that a person sees when something failed.

use super::{Page, Reader, Theme, filters};
use crate::{
    auth::Caller,
    error::{Error, FieldError},
    web::errors::{About, public_message},
};
use askama::Template;
use axum::{
    http::{HeaderValue, Method, header},
    response::{IntoResponse, Response},
};

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    page: Page,
    status: u16,
    message: &'a str,
    hint: &'static str,
    fields: &'a [FieldError],
    /// Where the same request may be tried again.
    again: Option<&'a str>,
    /// The list without the view that its reader opens it with.
    whole: Option<String>,
    /// Whether signing in is the way on.
    sign_in: bool,
    /// Whether somebody else might get further.
    sign_out: bool,
    request_id: &'a str,
}

/// The error as a page of its own, for whoever asked, as far as that is known.
#[must_use]
pub fn render(about: &About, error: &Error, caller: Option<&Caller>) -> Response {
    let message = sentence(&public_message(error));
    let (title, hint) = words(error);
    let passing = error.status().is_server_error() && about.method == Method::GET;
    let again = format!("{}{}", about.prefix, about.target);
    // An address that asks nothing is wrong only by the reader's own view, of which something is not there any more.
    let is_view = about.method == Method::GET && about.target.ends_with('/') && matches!(error, Error::Invalid(_));
    let fields: &[FieldError] = if let Error::Invalid(fields) = error { fields } else { &[] };
    let mut frame = Page::outside(about.prefix.as_str(), about.sign_in, title).themed(&Theme::of(&about.headers));
    frame.reader = caller.and_then(Reader::of);
    let page = ErrorPage {
        page: frame,
        status: error.status().as_u16(),
        message: if fields.is_empty() && message.trim_end_matches('.') != title { &message } else { "" },
        hint,
        fields,
        again: passing.then_some(again.as_str()),
        whole: is_view.then(|| format!("{again}?view=all")),
        sign_in: about.sign_in && matches!(error, Error::Unauthorized(_) | Error::Gone { .. }),
        sign_out: about.sign_in && matches!(error, Error::Forbidden(_)),
        request_id: about.id.as_str(),
    };
    let html = page.render().unwrap_or(message.clone());
    let mut response = (error.status(), html).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

/// The heading of the page, and what to make of it.
fn words(error: &Error) -> (&'static str, &'static str) {
    match error {
        Error::NotFound { .. } | Error::Missing(_) => {
            ("Page not found", "Check the address. The page may have moved, or you may not have access to it.")
        }
        Error::Invalid(_) | Error::BadRequest(_) | Error::UnsupportedMedia(_) | Error::MethodNotAllowed => {
            ("That action isn't available", "Go back, change it, and send it again. Nothing was saved.")
        }
        Error::Unauthorized(_) => ("You are not signed in", ""),
        Error::Forbidden(_) => ("You don't have access", "Ask an administrator."),
        Error::Conflict { .. } | Error::Constraint(_) => ("That is not possible as things stand", "Nothing was saved."),
        Error::Gone { .. } => ("No longer valid", ""),
        Error::PreconditionFailed => ("Somebody else was faster", "Nothing was saved."),
        Error::TooLarge { .. } => ("Too large", "Nothing was saved."),
        Error::TooSlow => ("That took too long to arrive", "Nothing was saved."),
        Error::TooMany { .. } => ("Too many attempts", ""),
        Error::Unavailable(_) => ("Not available just now", "This usually passes within moments."),
        Error::Storage(_) => ("No room to save", "An administrator has to look at the disk."),
        Error::Damaged(_) => ("The database is damaged", ""),
        Error::Upstream { .. } => ("Another system did not answer", ""),
        Error::Internal(_) => {
            ("Something went wrong", "Tell an administrator the request below; it leads to the cause in the log.")
        }
    }
}

/// With a capital and a full stop, as people write.
fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    let Some(first) = letters.next() else { return String::new() };
    let stop = if message.ends_with(['.', '?', '!']) { "" } else { "." };
    format!("{}{}{stop}", first.to_uppercase(), letters.as_str())
}
