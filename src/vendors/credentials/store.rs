//! The rows of the credentials that were entered in the page, sealed.

use crate::{db::Conn, error::Result, params, types::now, web::settings_store};

/// The setting under which the salt of the fingerprints is kept.
const SALT: &str = "credentials_salt";

/// One credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The vendor.
    pub system: String,
    /// The key in its section.
    pub name: String,
    /// The value, sealed.
    pub sealed: String,
    /// Names the key that sealed it.
    pub key_id: String,
    /// What people see of it.
    pub fingerprint: String,
    /// Who entered it.
    pub set_by: String,
    pub set_at: String,
}

/// Every credential.
pub fn all(c: &mut Conn) -> Result<Vec<Stored>> {
    let sql = "SELECT system, name, sealed, key_id, fingerprint, set_by, set_at FROM vendor_credentials ORDER BY system, name";
    let rows = c.all(sql, &[])?;
    let stored = |row: &crate::db::Row| {
        Ok(Stored {
            system: row.get(0)?,
            name: row.get(1)?,
            sealed: row.get(2)?,
            key_id: row.get(3)?,
            fingerprint: row.get(4)?,
            set_by: row.get(5)?,
            set_at: row.get(6)?,
        })
    };
    rows.iter().map(stored).collect()
}

/// Keeps one credential.
pub fn set(c: &mut Conn, new: &Stored) -> Result<()> {
    let sql = "INSERT INTO vendor_credentials (system, name, sealed, key_id, fingerprint, set_by, set_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
               ON CONFLICT (system, name) DO UPDATE SET sealed = excluded.sealed, key_id = excluded.key_id,
               fingerprint = excluded.fingerprint, set_by = excluded.set_by, set_at = excluded.set_at";
    c.run(sql, params![&new.system, &new.name, &new.sealed, &new.key_id, &new.fingerprint, &new.set_by, now()]).map(|_| ())
}

/// Forgets one credential of a vendor.
pub fn forget(c: &mut Conn, system: &str, name: &str) -> Result<()> {
    c.run("DELETE FROM vendor_credentials WHERE system = ?1 AND name = ?2", params![system, name]).map(|_| ())
}

/// The salt of the fingerprints, when there is one.
pub fn salt(c: &mut Conn) -> Result<Option<String>> {
    settings_store::find(c, SALT)
}

/// The salt of the fingerprints; `fresh` becomes it when there is none.
pub fn salt_or(w: &mut crate::db::Write<'_>, fresh: String) -> Result<String> {
    if let Some(salt) = settings_store::find(w, SALT)? {
        return Ok(salt);
    }
    settings_store::set(w, SALT, &fresh)?;
    Ok(fresh)
}
