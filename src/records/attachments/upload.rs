//! Takes a file in, piece by piece: as the whole body, or as the part of a form.

use axum::{extract::Request, http::header};
use futures_util::stream;

use crate::{
    attachments::files::{Folder, Placed},
    error::{Error, Result},
    types::clean,
    web::bodies::Pieces,
};

/// What a form may have around its file, in bytes.
const AROUND: usize = 64 * 1024;
/// The longest name, in characters.
const NAME: usize = 255;

/// The name of a file as it is kept: without folders, and never empty.
///
/// # Errors
/// `Invalid` when it is too long.
pub fn named(name: &str) -> Result<String> {
    let name = clean(name.rsplit(['/', '\\']).next().unwrap_or_default());
    let name: String = name.chars().filter(|letter| !letter.is_control()).collect();
    match name.trim() {
        "" | "." | ".." => Err(Error::field("name", "is required: what the file is called")),
        name if name.chars().count() > NAME => Err(Error::field("name", format!("must not be longer than {NAME} characters"))),
        name => Ok(name.to_owned()),
    }
}

/// Takes it in; what it is called, if its form says so.
///
/// # Errors
/// `TooLarge`, `Invalid` for a form without a file, `Storage`.
pub async fn take(folder: &Folder, request: Request, limit: usize) -> Result<(Placed, Option<String>)> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("multipart/form-data") {
        let mut draft = folder.draft(limit).await?;
        let mut pieces = Pieces::of(request, limit)?;
        while let Some(piece) = pieces.next().await? {
            draft.write(&piece).await?;
        }
        return Ok((draft.place().await?, None));
    }
    let boundary = multer::parse_boundary(kind).map_err(|_| Error::UnsupportedMedia("the form has no boundary".to_owned()))?;
    let pieces = Pieces::of(request, limit + AROUND)?;
    let body =
        stream::try_unfold(pieces, |mut pieces| async move { Ok::<_, Error>(pieces.next().await?.map(|piece| (piece, pieces))) });
    let mut form = multer::Multipart::new(body, boundary);
    while let Some(mut part) = form.next_field().await.map_err(broken)? {
        if part.name() != Some("file") {
            continue;
        }
        let name = part.file_name().map(named).transpose()?;
        let mut draft = folder.draft(limit).await?;
        while let Some(piece) = part.chunk().await.map_err(broken)? {
            draft.write(&piece).await?;
        }
        return Ok((draft.place().await?, name));
    }
    Err(Error::field("file", "is required"))
}

/// What is wrong with a form: what was wrong with its body, or the form itself.
fn broken(error: multer::Error) -> Error {
    match error {
        multer::Error::StreamReadFailed(cause) => match cause.downcast::<Error>() {
            Ok(known) => *known,
            Err(other) => Error::BadRequest(format!("the form could not be read: {other}")),
        },
        multer::Error::IncompleteStream | multer::Error::IncompleteFieldData { .. } => {
            Error::BadRequest("the body ended before it was complete".to_owned())
        }
        other => Error::BadRequest(format!("the form could not be read: {other}")),
    }
}
