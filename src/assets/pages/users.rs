//! Whom an asset is assigned to from its page.

use crate::{
    assets::{Assets, store},
    db::{Conn, Write},
    error::Result,
    resource::links::Link,
    web::Fields,
};

/// That a contact uses an asset.
pub struct User;

impl Link for User {
    type At = Assets;
    /// The contact.
    type Added = i64;
    /// The asset and the contact.
    type Address = (i64, i64);
    type Removed = i64;
    const DONE: (&'static str, &'static str) = ("Assigned.", "Unassigned.");

    fn added(mut fields: Fields) -> Result<i64> {
        let contact = fields.int("contact_id").required().value().unwrap_or_default();
        fields.finish()?;
        Ok(contact)
    }

    fn removed(address: (i64, i64), _: Fields) -> Result<(i64, i64)> {
        Ok(address)
    }

    fn add(w: &mut Write<'_>, id: i64, contact: i64) -> Result<()> {
        let mut wanted = users(w, id)?;
        if !wanted.contains(&contact) {
            wanted.push(contact);
        }
        store::assign(w, id, &wanted)
    }

    fn remove(w: &mut Write<'_>, id: i64, contact: i64) -> Result<()> {
        let mut wanted = users(w, id)?;
        wanted.retain(|known| *known != contact);
        store::assign(w, id, &wanted)
    }
}

fn users(c: &mut Conn, id: i64) -> Result<Vec<i64>> {
    Ok(store::contacts_of(c, id)?.iter().map(|contact| contact.inside().id).collect())
}
