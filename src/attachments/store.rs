//! Attachments in the database.

use super::Attachment;
use crate::{db::Conn, error::Result, history::Record as _, params};

/// The files of a record, the newest first.
pub fn of_record(c: &mut Conn, entity: &str, id: i64) -> Result<Vec<Attachment>> {
    let sql = format!(
        "SELECT {} FROM @attachments attachment WHERE attachment.entity = ?1 AND attachment.entity_id = ?2
         ORDER BY attachment.created_at DESC, attachment.id DESC",
        Attachment::SELECT
    );
    c.map(&sql, params![entity, id], |row| Attachment::from_row(row, 0))
}

/// Every file after an id, at most so many.
pub fn page(c: &mut Conn, after: i64, most: i64) -> Result<Vec<Attachment>> {
    let sql = format!(
        "SELECT {} FROM @attachments attachment WHERE attachment.id > ?1 ORDER BY attachment.id LIMIT ?2",
        Attachment::SELECT
    );
    c.map(&sql, params![after, most], |row| Attachment::from_row(row, 0))
}

/// The contents of every attachment, retired or not, each once.
pub fn contents(c: &mut Conn) -> Result<Vec<String>> {
    let sql = "SELECT DISTINCT attachment.sha256 FROM @attachments attachment ORDER BY attachment.sha256";
    c.unscoped(|c| c.map(sql, params![], |row| row.get(0)))
}

/// Whether any attachment, retired or not, has this content.
pub fn is_used(c: &mut Conn, sha256: &str) -> Result<bool> {
    let sql = "SELECT 1 FROM @attachments attachment WHERE attachment.sha256 = ?1 LIMIT 1";
    c.unscoped(|c| Ok(c.first(sql, params![sha256])?.is_some()))
}
