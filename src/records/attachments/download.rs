//! Sends a file, piece by piece, as something to keep and never as something to show.

use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::Response,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    attachments::{Attachment, files::Folder},
    error::{Error, Result},
    web::text::Accounted,
};

/// What a browser may do with it, should it show it after all: nothing.
const POLICY: &str = "sandbox; default-src 'none'; frame-ancestors 'none'";

/// The file as an answer.
///
/// # Errors
/// `NotFound` when its content is not there.
pub async fn send(folder: &Folder, file: &Attachment) -> Result<Response> {
    let (length, pieces) = folder.read(&file.sha256).await?;
    let mut response = Response::new(Body::from_stream(pieces));
    let value = |text: &str| HeaderValue::from_str(text).map_err(Error::internal);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, value(&file.media_type)?);
    headers.insert(header::CONTENT_LENGTH, length.into());
    headers.insert(header::CONTENT_DISPOSITION, value(&disposition(&file.name))?);
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    response.extensions_mut().insert(Accounted);
    Ok(response)
}

/// To be kept under this name: plainly for old programs, and in all its letters.
fn disposition(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || ".-_ ()".contains(letter) { letter } else { '_' })
        .collect();
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{}", utf8_percent_encode(name, NON_ALPHANUMERIC))
}

#[cfg(test)]
mod tests {
    use super::disposition;

    #[test]
    fn a_name_stays_within_its_header() {
        assert_eq!(disposition("a\"b;\r\n.pdf"), "attachment; filename=\"a_b___.pdf\"; filename*=UTF-8''a%22b%3B%0D%0A%2Epdf");
        assert!(disposition("Übersicht.pdf").ends_with("UTF-8''%C3%9Cbersicht%2Epdf"));
    }
}
