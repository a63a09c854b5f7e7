//! Says on every answer that a vendor's data feeds how old that data is: `X-Codex-Data-Age`, in seconds.
//! It is made for each answer anew, so that no cache can freeze it.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode},
    middleware::Next,
    response::Response,
};
use jiff::Timestamp;

use super::{SOURCES, store};
use crate::{db::Db, types::Scope};

/// The header.
const HEADER: &str = "x-codex-data-age";

/// When each source was read last, as of some state of the database.
type LastReads = (u64, Vec<(&'static str, i64)>);

/// The ages of all sources; clones share what they know.
#[derive(Clone, Debug)]
pub struct Ages {
    db: Db,
    known: Arc<Mutex<Option<LastReads>>>,
}

impl Ages {
    /// Over this database.
    #[must_use]
    pub fn new(db: Db) -> Self {
        Self { db, known: Arc::default() }
    }

    /// The age in seconds of the oldest of the sources that feed this room and were ever read.
    pub async fn of(&self, room: &str) -> Option<i64> {
        let feeding = SOURCES.iter().filter(|source| source.feeds.contains(&room)).map(|source| source.name);
        let read = self.read().await?;
        let oldest = feeding.filter_map(|name| read.iter().find(|(known, _)| *known == name)).map(|(_, at)| *at).min()?;
        Some((Timestamp::now().as_second() - oldest).max(0))
    }

    /// When each source was read last; asked again only when something has changed.
    async fn read(&self) -> Option<Vec<(&'static str, i64)>> {
        let change_notifier = self.db.change_notifier();
        if let (Some(now), Some((then, read))) = (change_notifier, &*self.known.lock().unwrap_or_else(PoisonError::into_inner))
            && now == *then
        {
            return Some(read.clone());
        }
        let read = self.db.read(&Scope::All, store::as_of_all).await.ok()?;
        if let Some(change_notifier) = change_notifier {
            *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some((change_notifier, read.clone()));
        }
        Some(read)
    }
}

/// Adds the header to what a room's list answers.
pub async fn stamp(State(ages): State<Ages>, request: Request, next: Next) -> Response {
    let room = if matches!(*request.method(), Method::GET | Method::HEAD) { room(request.uri().path()) } else { None };
    let mut response = next.run(request).await;
    let fine = response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
    if let Some(room) = room.filter(|_| fine)
        && let Some(age) = ages.of(room).await
    {
        response.headers_mut().insert(HEADER, HeaderValue::from(age));
    }
    response
}

/// The room whose data an address shows.
fn room(path: &str) -> Option<&'static str> {
    let mut parts = path.strip_prefix("/api/")?.trim_end_matches('/').split('/');
    let (first, last) = (parts.next()?, parts.next_back().unwrap_or_default());
    Some(match (first, last) {
        ("companies" | "company", "bulk" | "assets") => "assets",
        ("companies" | "company", "tickets") => "tickets",
        ("companies" | "company" | "contacts", _) => "companies",
        ("assets", _) => "assets",
        ("datto" | "rmm", _) => "devices",
        ("alerts", _) => "alerts",
        ("psa" | "freshservice", "agents" | "companies" | "contacts") => "contacts",
        ("psa", "config") => return None,
        ("tickets" | "ticket" | "freshservice" | "psa" | "change_requests", _) => "tickets",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_belongs_to_the_room_whose_rows_it_lists() {
        for (path, want) in [
            ("/api/companies", Some("companies")),
            ("/api/companies/100001/contacts", Some("companies")),
            ("/api/companies/100001/assets", Some("assets")),
            ("/api/companies/bulk", Some("assets")),
            ("/api/companies/100001/tickets", Some("tickets")),
            ("/api/assets/", Some("assets")),
            ("/api/rmm/devices", Some("devices")),
            ("/api/tickets/active", Some("tickets")),
            ("/api/psa/agents", Some("contacts")),
            ("/api/alerts", Some("alerts")),
            ("/api/search", None),
            ("/health", None),
        ] {
            assert_eq!(room(path), want, "{path}");
        }
    }
}
