//! What stands in the way of retiring a contact.

use crate::{db::Conn, error::Result, params};

/// How many live companies send their invoices to a contact.
pub fn billed_companies(conn: &mut Conn, contact_id: i64) -> Result<i64> {
    let sql = "SELECT count(*) FROM @companies company WHERE company.billing_contact_id = ?1 AND company.retired_at IS NULL";
    conn.one(sql, params![contact_id])?.get(0)
}

/// How many live assets a contact uses.
pub fn assigned_assets(conn: &mut Conn, contact_id: i64) -> Result<i64> {
    let sql = "SELECT count(*) FROM @asset_contacts assigned JOIN @assets asset ON asset.id = assigned.asset_id
               WHERE assigned.contact_id = ?1 AND asset.retired_at IS NULL";
    conn.one(sql, params![contact_id])?.get(0)
}
