//! The seats of a contact or a device that becomes one with another.

use super::{
    model::Seat,
    store::{holds_another, of_holder},
};
use crate::{
    assets::Asset,
    contacts::Contact,
    db::{Conn, Write},
    error::Result,
    history::{self, Record as _},
    resource::dependents::{Dependent, Moved},
};

/// Nobody holds two seats of one licence: of two that meet, one is let go. The others follow as every noun's rows do.
pub struct Held;

impl Dependent for Held {
    fn attached(&self, _c: &mut Conn, _entity: &str, _id: i64) -> Result<Vec<(&'static str, i64)>> {
        Ok(Vec::new())
    }

    fn release(&self, _w: &mut Write<'_>, _entity: &str, _id: i64) -> Result<()> {
        Ok(())
    }

    fn hand_over(&self, w: &mut Write<'_>, entity: &str, from: i64, to: i64) -> Result<Vec<Moved>> {
        let holder = |id: i64| match entity {
            Contact::ENTITY => Some((Some(id), None)),
            Asset::ENTITY => Some((None, Some(id))),
            _ => None,
        };
        let (Some(theirs), Some((contact, asset))) = (holder(from), holder(to)) else { return Ok(Vec::new()) };
        let mut released = Vec::new();
        for (id, license) in of_holder(w, theirs)? {
            if holds_another(w, license, contact, asset, id)? {
                history::retire::<Seat>(w, id, Some("whoever holds it holds another"))?;
                released.push(id);
            }
        }
        Ok(vec![Moved::in_history(Seat::ENTITY, released)])
    }
}
