//! Views that people save of their lists: filters, columns and order under a name, for themselves or for everybody who works
//! here. They are kept as the query of the list's address, so that a list obeys a view as it obeys its address.

mod api;
mod pages;
mod store;

use serde::Serialize;

use crate::{
    auth::{Caller, Level},
    db::Conn,
    error::{Error, Result},
    ui::ListView,
    web::{Fields, Query, Routes, Sent, openapi::schema as json},
};

/// The most characters of a name, of a list's name, and of a query.
const LONGEST: (usize, usize, usize) = (60, 60, 4_000);

/// What of an address is no part of a view: which page of it is shown, and which view it is.
const PASSING: [&str; 4] = ["page", "offset", "limit", "view"];

/// The routes.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/views", api::index)
        .tells("List your saved views and those that colleagues share", json::list::<SavedView>)
        .asks(&[("list", "string", "Only those of this list, by its path: assets, network/equipment.")])
        .post("/api/views", api::create)
        .makes("Save a view of a list", json::one::<SavedView>)
        .takes(|_| body(true))
        .get("/api/views/{id}", api::show)
        .tells("Read a saved view", json::one::<SavedView>)
        .put("/api/views/{id}", api::update)
        .tells("Change a saved view, or open its list with it", json::one::<SavedView>)
        .takes(|_| body(false))
        .delete("/api/views/{id}", api::delete)
        .does("Delete a saved view")
        .form("/views", "/", pages::create)
        .form("/views/{id}", "/", pages::update)
        .form("/views/{id}/delete", "/", pages::delete)
}

fn body(creating: bool) -> serde_json::Value {
    let query = serde_json::json!({"type": ["string", "null"], "maxLength": LONGEST.2});
    let optional = [("query", query), ("shared", json::flag()), ("is_default", json::flag())];
    let name = ("name", json::words(LONGEST.0));
    if !creating {
        return json::optional(&[&[name][..], &optional].concat());
    }
    let list = serde_json::json!({"type": "string", "maxLength": LONGEST.1, "pattern": "^[a-z/_-]*[a-z_-][a-z/_-]*$"});
    json::with(json::object(&[("list", list), name]), &optional)
}

/// A view as it is told.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct SavedView {
    pub id: i64,
    /// The path of the list's page, without its outer slashes: `assets`.
    pub list: String,
    pub name: String,
    /// Filters, columns and order, as in the address of the list's page: `type=server&sort=-last_seen&col=online`.
    pub query: String,
    /// Whether everybody who works here sees it.
    pub shared: bool,
    /// Who saved it.
    pub owner: String,
    /// Whether you saved it.
    pub is_own: bool,
    /// Whether you open the list with it.
    pub is_default: bool,
    pub created_at: String,
    pub updated_at: String,
}

/// Who asks for views.
#[derive(Clone, Debug)]
struct Asker {
    /// The subject of their token.
    subject: String,
    /// Whether they work here: others see nobody's views but their own.
    is_staff: bool,
    is_admin: bool,
}

impl Asker {
    /// The person behind a request; none when a program asks.
    fn of(caller: &Caller) -> Option<Self> {
        let user = caller.user()?;
        Some(Self { subject: user.sub.clone(), is_staff: user.level != Level::Client, is_admin: caller.is_admin() })
    }

    /// Whether they may change a view that they see.
    fn may_change(&self, view: &SavedView) -> bool {
        view.is_own || self.is_admin
    }
}

/// The views that this person can choose on a list's page, their own first. `list` is the page's path.
///
/// # Errors
/// When they cannot be read.
pub fn of_list(c: &mut Conn, caller: &Caller, list: &str) -> Result<Vec<ListView>> {
    let Some(asker) = Asker::of(caller) else { return Ok(Vec::new()) };
    let all = store::all(c, &asker, Some(list.trim_matches('/')))?;
    let view = |view: SavedView| ListView {
        id: view.id,
        may_change: asker.may_change(&view),
        owner: (!view.is_own).then_some(view.owner),
        name: view.name,
        query: view.query,
        is_shared: view.shared,
        is_default: view.is_default,
    };
    Ok(all.into_iter().map(view).collect())
}

/// What was sent of a view; what was not sent stays.
#[derive(Clone, Debug, Default)]
struct Patch {
    list: Option<String>,
    name: Option<String>,
    query: Option<String>,
    shared: Option<bool>,
    is_default: Option<bool>,
}

impl Patch {
    /// Reads and checks it, naming every wrong value.
    fn read(mut fields: Fields, creating: bool, is_staff: bool) -> Result<Self> {
        fields.set_creating(creating);
        let list = if creating {
            let known = |list: &String| if is_list(list) { Ok(()) } else { Err(NO_LIST.to_owned()) };
            fields.text("list").required().check(known).value()
        } else {
            None
        };
        let name = fields.text("name");
        let name = if creating { name.required() } else { name.not_null() }.max(LONGEST.0).value();
        let shared = fields.bool("shared").not_null().value();
        if shared == Some(true) && !is_staff {
            return Err(Error::Forbidden("shared: only people who work here share views".to_owned()));
        }
        let patch = Self {
            list: list.map(|list| list.trim_matches('/').to_owned()),
            name: name.map(|name| name.trim().to_owned()),
            query: match fields.text("query").max(LONGEST.2).get() {
                Sent::Value(query) => Some(plain(&query)),
                Sent::Null => Some(String::new()),
                Sent::Absent => None,
            },
            shared,
            is_default: fields.bool("is_default").not_null().value(),
        };
        fields.finish()?;
        Ok(patch)
    }
}

const NO_LIST: &str = "must be the path of a list's page, like assets or network/equipment";

fn is_list(text: &str) -> bool {
    let path = text.trim_matches('/');
    let known = |letter: char| letter.is_ascii_lowercase() || matches!(letter, '/' | '_' | '-');
    !path.is_empty() && path.len() <= LONGEST.1 && path.chars().all(known)
}

/// A query as it is kept: what says something, without what passes.
fn plain(query: &str) -> String {
    let asked = Query::parse(query.trim_start_matches('?'));
    let pairs = asked.iter().filter_map(|(name, value)| Some((name, value.ok()?.trim())));
    let kept: Vec<(&str, &str)> = pairs.filter(|(name, value)| !value.is_empty() && !PASSING.contains(name)).collect();
    serde_urlencoded::to_string(kept).unwrap_or_default()
}
