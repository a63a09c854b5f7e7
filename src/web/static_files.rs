//! Serves `assets/`: stylesheet, scripts and icons, embedded in the binary so that nothing loads from elsewhere.

use super::{Path, Routes, Web, text::Accounted};
use crate::error::{Error, Result};
use axum::{
    Extension,
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use rust_embed::RustEmbed;
use std::{borrow::Cow, fmt::Write as _};

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Files;

/// How many hexadecimal digits of a file's hash its address carries.
const HASH_DIGITS: usize = 12;

/// `/static/…`, without signing in: the sign-in page needs its stylesheet too.
pub fn routes() -> Routes {
    Routes::new().get("/static/{*path}", show)
}

/// A file's address below the prefix; it changes with the content, so that it may be kept for ever.
#[must_use]
pub fn path(name: &str) -> String {
    match Files::get(name) {
        Some(file) => format!("/static/{name}?v={}", digest(&file.metadata.sha256_hash())),
        None => format!("/static/{name}"),
    }
}

async fn show(State(web): State<Web>, Path(name): Path<String>, uri: Uri, headers: HeaderMap) -> Result<Response> {
    let (bytes, hash) = if web.config.server.dev { from_disk(&name).await? } else { embedded(&name)? };
    let etag = format!("\"{hash}\"");
    let is_named = uri.query().is_some_and(|query| query.strip_prefix("v=") == Some(&hash));
    let caching = if is_named { "public, max-age=31536000, immutable" } else { "no-cache" };
    let seen = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let mut response = if seen.is_some_and(|seen| seen.contains(&etag)) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let body = match bytes {
            Cow::Borrowed(bytes) => Body::from(bytes),
            Cow::Owned(bytes) => Body::from(bytes),
        };
        // What is part of the program takes no memory while it is sent.
        (Extension(Accounted), [(header::CONTENT_TYPE, content_type(&name))], body).into_response()
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    response.headers_mut().insert(header::ETAG, HeaderValue::from_str(&etag).map_err(Error::internal)?);
    Ok(response)
}

type File = (Cow<'static, [u8]>, String);

fn embedded(name: &str) -> Result<File> {
    let file = Files::get(name).ok_or(Error::NotFound { what: "File" })?;
    let hash = digest(&file.metadata.sha256_hash());
    Ok((file.data, hash))
}

/// For development: what is in the folder now, if the program holds a file of that name at all.
async fn from_disk(name: &str) -> Result<File> {
    let (bytes, hash) = embedded(name)?;
    match tokio::fs::read(std::path::Path::new("assets").join(name)).await {
        Ok(bytes) => {
            let hash = digest(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes).as_ref());
            Ok((Cow::Owned(bytes), hash))
        }
        Err(_) => Ok((bytes, hash)),
    }
}

fn digest(hash: &[u8]) -> String {
    hash.iter().take(HASH_DIGITS / 2).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "json" | "webmanifest" => "application/json",
        _ => "text/plain; charset=utf-8",
    }
}
