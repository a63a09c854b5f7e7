//! Types that neighbours ask lists of assets for and that another room keeps: `?type=license`. Which those are is said where
//! rooms are joined.

use std::{
    pin::Pin,
    sync::{Arc, OnceLock},
};

use axum::response::Response;
use serde_json::Value;

use crate::{
    auth::Caller,
    error::Result,
    web::{ReadRequest, Web, openapi::Schemas},
};

/// A list that is being answered.
pub type Answering = Pin<Box<dyn Future<Output = Result<Response>> + Send>>;

/// One of those types.
#[derive(Clone, Copy, Debug)]
pub struct OtherType {
    /// The word after `type=`.
    pub word: &'static str,
    /// Answers the list.
    pub list: fn(Web, Arc<Caller>, ReadRequest) -> Answering,
    /// One row of it, for the API description.
    pub row: fn(&mut Schemas) -> Value,
}

static ALL: OnceLock<&'static [OtherType]> = OnceLock::new();

/// Says which there are, before any list is asked for; the first call counts.
pub fn register(all: &'static [OtherType]) {
    ALL.get_or_init(|| all);
}

/// All of them.
pub fn all() -> &'static [OtherType] {
    ALL.get().copied().unwrap_or_default()
}

/// The one that a request asks for.
pub fn asked(request: &ReadRequest) -> Result<Option<OtherType>> {
    let word = request.query.text("type")?;
    Ok(all().iter().copied().find(|other| word.is_some_and(|word| word.eq_ignore_ascii_case(other.word))))
}
