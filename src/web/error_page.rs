//! The page that a person sees when something failed.

use super::errors::{About, public_message, title};
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
    prefix: &'a str,
    status: u16,
    title: &'a str,
    message: &'a str,
    fields: &'a [FieldError],
    request_id: &'a str,
    standalone: bool,
}

/// The error as a page of its own.
#[must_use]
pub fn render(about: &About, error: &Error) -> Response {
    let message = public_message(error);
    let page = ErrorPage {
        prefix: about.prefix.as_str(),
        status: error.status().as_u16(),
        title: title(error.status()),
        message: &message,
        fields: if let Error::Invalid(fields) = error { fields } else { &[] },
        request_id: about.id.as_str(),
        standalone: about.sign_in,
    };
    let html = page.render().unwrap_or(message.clone());
    let mut response = (error.status(), html).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}
