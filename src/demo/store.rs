//! Whether the database is empty enough for made-up data.

use crate::{db::Conn, error::Result};

/// No company, contact or asset, not even a retired one.
pub fn is_empty(c: &mut Conn) -> Result<bool> {
    for sql in [
        "SELECT company.id FROM @companies company LIMIT 1",
        "SELECT contact.id FROM @contacts contact LIMIT 1",
        "SELECT asset.id FROM @assets asset LIMIT 1",
    ] {
        if c.first(sql, &[])?.is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}
