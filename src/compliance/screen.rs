//! The second net: strikes from texts that nothing else hides what tells of protected people.
//!
//! Whose names are looked for is read once for each state of the data, before a request of somebody from whom texts are
//! kept; where it cannot be known, such texts are withheld.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash as _, Hasher as _},
    sync::Arc,
};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use serde_json::Value as Json;
use tokio::sync::Mutex;

use super::{RedactionPolicy, names::Names, names_store, scan};
use crate::{
    auth::Caller,
    db::{self, Conn, list::beside::Strike},
    error::{Error, Result},
    history::protection,
    types::Scope,
    web::{Query, Web},
};

/// What stands in the place of a text when nobody knows whose names must not be in it.
pub const WITHHELD: &str = "[WITHHELD]";

/// What the names depend on.
const ENTITIES: &[&str] = &["contact", "company", protection::PROTECTION];

tokio::task_local! {
    /// The net of the request that this task answers.
    static REQUEST: Arc<Screen>;
    /// What is struck from texts for whoever made it, if anything is.
    static STRIKE: Option<Strike>;
}

/// What is struck from texts in the request that this task answers, for rooms that know no policy.
#[must_use]
pub fn strike() -> Option<Strike> {
    STRIKE.try_with(Clone::clone).ok().flatten()
}

/// The same by the policy of whoever made the request.
fn strike_for(caller: &Caller, web: &Web, query: &str) -> Option<Strike> {
    // What is wrong with the question says whoever answers it.
    let policy = RedactionPolicy::of(caller, &web.config, &Query::parse(query)).ok()?;
    policy.strikes().then(|| Strike::new(policy.key(), move |text| policy.screen(text)))
}

/// What is struck from texts, as of one state of the data.
#[derive(Debug)]
pub struct Screen {
    names: Names,
    /// Whether anybody is protected at all.
    pub anybody: bool,
    /// What tells it from others in keys of caches.
    pub version: u64,
}

impl Screen {
    /// That of the request that this task answers; none when it has none.
    #[must_use]
    pub fn current() -> Option<Arc<Self>> {
        REQUEST.try_with(Arc::clone).ok()
    }

    /// One that looks for these people's names.
    ///
    /// # Errors
    /// `Internal` when they are too many.
    pub fn new(people: &[String], anybody: bool, version: u64) -> Result<Self> {
        Ok(Self { names: Names::new(people)?, anybody, version })
    }

    fn read(c: &mut Conn, versions: &str) -> Result<Self> {
        let mut hasher = DefaultHasher::new();
        versions.hash(&mut hasher);
        let anybody = protection::anybody(c)?;
        Self::new(&names_store::protected(c)?, anybody, hasher.finish())
    }

    /// A text without what tells of people; JSON stays JSON.
    #[must_use]
    pub fn of(&self, text: &str) -> String {
        if text.starts_with(['{', '['])
            && let Ok(mut value) = serde_json::from_str::<Json>(text)
        {
            self.within(&mut value);
            return value.to_string();
        }
        let mut found = Vec::new();
        scan::find(text, &mut found);
        self.names.find(text, &mut found);
        if found.is_empty() { text.to_owned() } else { scan::replaced(text, found) }
    }

    fn within(&self, value: &mut Json) {
        match value {
            Json::String(text) => *text = self.of(text),
            Json::Number(number) => {
                let text = number.to_string();
                let shown = self.of(&text);
                if shown != text {
                    *value = shown.into();
                }
            }
            Json::Array(all) => all.iter_mut().for_each(|value| self.within(value)),
            Json::Object(members) => members.values_mut().for_each(|value| self.within(value)),
            Json::Null | Json::Bool(_) => {}
        }
    }
}

/// The net that was made last, with the versions of the data it is made of and the count of changes then.
type Known = (Option<u64>, String, Arc<Screen>);

/// Where requests get their net from; clones share it.
#[derive(Clone)]
pub struct Screens {
    web: Web,
    known: Arc<Mutex<Option<Known>>>,
}

impl Screens {
    /// Over this database.
    #[must_use]
    pub fn new(web: Web) -> Self {
        Self { web, known: Arc::default() }
    }

    /// The net of now.
    async fn get(&self) -> Result<Arc<Screen>> {
        let mut known = self.known.lock().await;
        let now = self.web.db.changes_of(ENTITIES);
        let mut before = None;
        if let Some((then, versions, screen)) = &*known {
            if now.is_some() && *then == now {
                return Ok(Arc::clone(screen));
            }
            before = Some(versions.clone());
        }
        let read = self.web.db.read(&Scope::All, move |c| {
            let versions = db::versions(c, ENTITIES)?;
            let screen = if before.as_ref() == Some(&versions) { None } else { Some(Screen::read(c, &versions)?) };
            Ok((versions, screen))
        });
        let (versions, screen) = read.await?;
        let screen = match (screen, &*known) {
            (Some(new), _) => Arc::new(new),
            (None, Some((_, _, screen))) => Arc::clone(screen),
            (None, None) => return Err(Error::internal("no names were read")),
        };
        *known = Some((now, versions, Arc::clone(&screen)));
        Ok(screen)
    }
}

/// The middleware that gives its net to each request of somebody who is not cleared, or asks for less.
pub async fn follow(State(screens): State<Screens>, request: Request, next: Next) -> Response {
    let needs = request.extensions().get::<Arc<Caller>>().is_some_and(|caller| !caller.is_cleared(&screens.web.config))
        || request.uri().query().is_some_and(|query| query.contains("filter"));
    if !needs {
        return next.run(request).await;
    }
    let caller = request.extensions().get::<Arc<Caller>>().cloned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let web = screens.web.clone();
    let answered = async move {
        let strike = caller.and_then(|caller| strike_for(&caller, &web, &query));
        STRIKE.scope(strike, next.run(request)).await
    };
    match screens.get().await {
        Ok(screen) => REQUEST.scope(screen, answered).await,
        Err(error) => {
            tracing::warn!(%error, "the names of protected people cannot be read just now; texts are withheld");
            answered.await
        }
    }
}
