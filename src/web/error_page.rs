//! The page that a person sees when something failed.

use super::{
    errors::{About, public_message, title},
    view::{Page, filters},
};
use crate::error::{Error, FieldError};
use askama::Template;
use axum::{
    http::HeaderValue,
    http::header,
    response::{IntoResponse, Response},
};

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    page: Page,
    status: u16,
    message: &'a str,
    fields: &'a [FieldError],
    request_id: &'a str,
}

/// The error as a page of its own. It knows nobody: whoever failed may be anyone.
#[must_use]
pub fn render(about: &About, error: &Error) -> Response {
    let message = sentence(&public_message(error));
    let page = ErrorPage {
        page: Page::outside(about.prefix.as_str(), about.sign_in, title(error.status())),
        status: error.status().as_u16(),
        message: &message,
        fields: if let Error::Invalid(fields) = error { fields } else { &[] },
        request_id: about.id.as_str(),
    };
    let html = page.render().unwrap_or(message.clone());
    let mut response = (error.status(), html).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

/// With a capital and a full stop, as people write.
fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    let Some(first) = letters.next() else { return String::new() };
    let stop = if message.ends_with(['.', '?', '!']) { "" } else { "." };
    format!("{}{}{stop}", first.to_uppercase(), letters.as_str())
}
