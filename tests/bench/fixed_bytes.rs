//! The ceiling of what is measured: a server that does nothing but send bytes which it has in memory, with the same libraries.
//! `fixed_bytes DIR` answers `/NAME` with what the file of that name holds, and whoever sends `If-None-Match` with 304.

use std::{collections::HashMap, error::Error, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};

type Files = Arc<HashMap<String, Bytes>>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("fixed_bytes DIR")?;
    let mut files = HashMap::new();
    for file in std::fs::read_dir(folder)? {
        let file = file?;
        files.insert(format!("/{}", file.file_name().to_string_lossy()), Bytes::from(std::fs::read(file.path())?));
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    say(&format!("listening on http://{}", listener.local_addr()?));
    axum::serve(listener, Router::new().fallback(answer).with_state(Arc::new(files))).await?;
    Ok(())
}

async fn answer(State(files): State<Files>, uri: Uri, headers: HeaderMap) -> Response {
    let tag = [(header::ETAG, HeaderValue::from_static("\"fixed\""))];
    if headers.contains_key(header::IF_NONE_MATCH) {
        return (StatusCode::NOT_MODIFIED, tag).into_response();
    }
    let Some(bytes) = files.get(uri.path()) else { return StatusCode::NOT_FOUND.into_response() };
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    (tag, kind, bytes.clone()).into_response()
}

#[expect(clippy::print_stdout, reason = "whoever started it reads where it listens")]
fn say(line: &str) {
    println!("{line}");
}
