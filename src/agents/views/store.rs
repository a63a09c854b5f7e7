//! The rows of `saved_views` and `default_views`.

use super::{Asker, Patch, SavedView};
use crate::{
    db::{Conn, Row, Write},
    error::{Error, OnConstraint as _, Result},
    params,
    types::{fold, now},
};

/// A view as this person (`?1`) sees it.
const VIEW: &str =
    "SELECT view.id, view.list, view.name, view.query, view.shared, coalesce(agent.name, ''), coalesce(agent.username, ''),
        view.owner = ?1, (SELECT count(*) FROM default_views chosen WHERE chosen.owner = ?1 AND chosen.view_id = view.id),
        view.created_at, view.updated_at
    FROM saved_views view LEFT JOIN agents agent ON agent.keycloak_id = view.owner
    WHERE (view.owner = ?1 OR (view.shared AND ?2))";

fn view(row: &Row) -> Result<SavedView> {
    let (name, username): (String, String) = (row.get(5)?, row.get(6)?);
    Ok(SavedView {
        id: row.get(0)?,
        list: row.get(1)?,
        name: row.get(2)?,
        query: row.get(3)?,
        shared: row.get(4)?,
        owner: if name.is_empty() { username } else { name },
        is_own: row.get(7)?,
        is_default: row.get::<i64>(8)? > 0,
        created_at: row.get(9)?,
        updated_at: row.get(10)?,
    })
}

/// The views that this person sees, of one list or of all: their own first, then by name.
pub fn all(c: &mut Conn, asker: &Asker, list: Option<&str>) -> Result<Vec<SavedView>> {
    let sql = format!(
        "{VIEW} AND (?3 = '' OR view.list = ?3)
         ORDER BY view.list, CASE WHEN view.owner = ?1 THEN 0 ELSE 1 END, view.name_folded, view.id"
    );
    c.all(&sql, params![&asker.subject, asker.is_staff, list.unwrap_or_default()])?.iter().map(view).collect()
}

/// One that this person sees.
///
/// # Errors
/// `NotFound`, also when it is somebody else's own.
pub fn get(c: &mut Conn, asker: &Asker, id: i64) -> Result<SavedView> {
    let found = c.first(&format!("{VIEW} AND view.id = ?3"), params![&asker.subject, asker.is_staff, id])?;
    view(&found.ok_or(Error::NotFound { what: "Saved view" })?)
}

/// What is said of a name that another view of the list has.
const TAKEN: &str = "you already have a view of this list with this name";

/// Saves a view.
pub fn create(w: &mut Write<'_>, asker: &Asker, wanted: &Patch) -> Result<SavedView> {
    let name = wanted.name.clone().unwrap_or_default();
    let row = w
        .one(
            "INSERT INTO saved_views (owner, list, name, name_folded, query, shared, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7) RETURNING id",
            params![
                &asker.subject,
                wanted.list.as_deref().unwrap_or_default(),
                &name,
                fold(&name),
                wanted.query.as_deref().unwrap_or_default(),
                wanted.shared.unwrap_or_default(),
                now()
            ],
        )
        .on_unique("name", TAKEN)?;
    let made = get(w, asker, row.get(0)?)?;
    open_with(w, asker, &made, wanted.is_default)?;
    get(w, asker, made.id)
}

/// Changes a view as far as this person may; with which view they open the list is theirs to say of any.
///
/// # Errors
/// `Forbidden` for somebody else's, unless an administrator changes it.
pub fn update(w: &mut Write<'_>, asker: &Asker, id: i64, wanted: &Patch) -> Result<SavedView> {
    let before = get(w, asker, id)?;
    let changes = wanted.name.is_some() || wanted.query.is_some() || wanted.shared.is_some();
    if changes {
        may_change(asker, &before)?;
        let name = wanted.name.clone().unwrap_or(before.name.clone());
        let shared = wanted.shared.unwrap_or(before.shared);
        w.run(
            "UPDATE saved_views SET name = ?2, name_folded = ?3, query = ?4, shared = ?5, updated_at = ?6 WHERE id = ?1",
            params![id, &name, fold(&name), wanted.query.as_ref().unwrap_or(&before.query), shared, now()],
        )
        .on_unique("name", TAKEN)?;
        if before.shared && !shared {
            w.run(
                "DELETE FROM default_views WHERE view_id = ?1 AND owner <> (SELECT owner FROM saved_views WHERE id = ?1)",
                params![id],
            )?;
        }
    }
    open_with(w, asker, &before, wanted.is_default)?;
    // An administrator who takes somebody's view back from all no longer sees it.
    Ok(get(w, asker, id).unwrap_or(SavedView { shared: false, is_default: false, ..before }))
}

/// Deletes a view, for everybody who opened a list with it too.
///
/// # Errors
/// `Forbidden` for somebody else's, unless an administrator deletes it.
pub fn delete(w: &mut Write<'_>, asker: &Asker, id: i64) -> Result<SavedView> {
    let view = get(w, asker, id)?;
    may_change(asker, &view)?;
    w.run("DELETE FROM default_views WHERE view_id = ?1", params![id])?;
    w.run("DELETE FROM saved_views WHERE id = ?1", params![id])?;
    Ok(view)
}

fn may_change(asker: &Asker, view: &SavedView) -> Result<()> {
    if asker.may_change(view) { Ok(()) } else { Err(Error::Forbidden(format!("This view is {}'s", view.owner))) }
}

/// Says whether this person opens the list with this view.
fn open_with(w: &mut Write<'_>, asker: &Asker, view: &SavedView, wanted: Option<bool>) -> Result<()> {
    match wanted {
        Some(true) => {
            w.run(
                "INSERT INTO default_views (owner, list, view_id) VALUES (?1, ?2, ?3)
                 ON CONFLICT (owner, list) DO UPDATE SET view_id = ?3",
                params![&asker.subject, &view.list, view.id],
            )?;
        }
        Some(false) => {
            w.run("DELETE FROM default_views WHERE owner = ?1 AND view_id = ?2", params![&asker.subject, view.id])?;
        }
        None => {}
    }
    Ok(())
}
