//! What ends when, as a calendar that other programs subscribe to.

mod ics;
pub mod store;

use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};

use crate::{
    auth::Reader,
    companies::store as companies,
    compliance::RedactionPolicy,
    db::Conn,
    error::{Error, Result},
    types::office,
    web::{ReadRequest, Routes, Web, etag},
};
use store::Kind;

/// What a key is limited to that reads this and nothing else.
pub const KEYS_FOR: (&str, &str) = ("calendar", "Calendar feed");
/// Where it is.
pub const PATH: &str = "/api/calendar.ics";
/// From how many days ago until how many days ahead.
const WINDOW: (i64, i64) = (-30, 400);

/// The feed.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get(PATH, feed)
        .sends("Subscribe to the ends of warranties, contracts and licences (iCalendar)", "text/calendar")
        .asks(&[
            ("company", "string", "Of one company, by its account number or id."),
            (
                "kinds",
                "^((warranty|contract|license)(,(warranty|contract|license))*)?$",
                "Some of warranty, contract and license, with commas between.",
            ),
            ("key", "string", "An API key that is limited to the calendar feed, for programs that cannot send headers."),
        ])
}

fn kinds(text: Option<&str>) -> Result<Vec<Kind>> {
    let wrong = || Error::field("kinds", "must be some of warranty, contract and license, with commas between");
    let words = text.unwrap_or_default().split(',').map(str::trim).filter(|word| !word.is_empty());
    let known = |word: &str| Kind::ALL.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(word));
    let asked = words.map(|word| known(word).ok_or_else(wrong)).collect::<Result<Vec<_>>>()?;
    Ok(if asked.is_empty() { Kind::ALL.to_vec() } else { asked })
}

/// `GET /api/calendar.ics`
async fn feed(State(web): State<Web>, caller: Reader, request: ReadRequest) -> Result<Response> {
    // What ends tells of nobody; a wrong `filter` is refused as everywhere.
    RedactionPolicy::of(&caller, &web.config, &request.query)?;
    let kinds = kinds(request.query.text("kinds")?)?;
    let company = request.query.text("company")?.map(str::to_owned);
    let (from, until) = (office::day_from_today(WINDOW.0), office::day_from_today(WINDOW.1));
    let read = move |c: &mut Conn| {
        let missing = |key: &str| Error::field("company", format!("there is no company {key}"));
        let company = match &company {
            Some(key) => Some(companies::find_id(c, key)?.ok_or_else(|| missing(key))?),
            None => None,
        };
        store::events(c, &kinds, (&from, &until), company)
    };
    let events = web.db.read(&caller.scope(), read).await?;
    let text = ics::write(&events, web.config.server.public_url.as_deref());
    let tag = format!("\"{}\"", etag::hash(&[text.as_bytes()]));
    request.tagged(&tag, || {
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("text/calendar; charset=utf-8")),
            (header::CONTENT_DISPOSITION, HeaderValue::from_static("inline; filename=\"codex.ics\"")),
        ];
        (headers, text).into_response()
    })
}
