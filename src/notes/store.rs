//! Notes in the database.

use super::Note;
use crate::{db::Write, error::Result, history, params};

/// A record gives way to another that is the same thing: what was written about it goes along.
pub fn hand_over(w: &mut Write<'_>, entity: &str, from: i64, to: i64) -> Result<()> {
    let sql = "SELECT note.id FROM @notes note WHERE note.entity = ?1 AND note.entity_id = ?2 ORDER BY note.id";
    let ids: Vec<i64> = w.map(sql, params![entity, from], |row| row.get(0))?;
    for id in ids {
        history::update(w, id, None, Some("its record gave way to another"), |note: &mut Note| {
            note.entity_id = to;
            Ok(())
        })?;
    }
    Ok(())
}
