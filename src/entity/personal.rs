//! What of people stands in the fields of a table.

use super::{Field, Fielded};
use crate::{compliance::Personal, db::Value};

/// Leaves of each personal field what `see` does.
pub fn redact<P: Fielded>(row: &mut P, see: impl Fn(Personal, &str) -> Option<String>) {
    for field in P::FIELDS {
        let Some(personal) = field.spec.personal else { continue };
        let Some(text) = (field.read)(row).text().map(|text| see(personal, text)) else { continue };
        let value = if field.spec.is_nullable { Value::from(text) } else { Value::from(text.unwrap_or_default()) };
        if (field.write)(row, &value).is_err() {
            // It cannot be: such a field holds text. Should it be all the same, nothing is shown.
            *row = P::default();
        }
    }
}

/// How many of these fields tell of people.
#[must_use]
pub const fn count<E>(fields: &[Field<E>]) -> usize {
    let (mut at, mut count) = (0, 0);
    while at < fields.len() {
        if fields[at].spec.personal.is_some() {
            count += 1;
        }
        at += 1;
    }
    count
}

/// Puts the names of those fields, and of what they tell, into their places from `to` on; where the next ones begin.
pub const fn list<E>(all: &mut [(&'static str, Personal)], mut to: usize, fields: &[Field<E>]) -> usize {
    let mut at = 0;
    while at < fields.len() {
        if let Some(personal) = fields[at].spec.personal {
            all[to] = (fields[at].spec.name, personal);
            to += 1;
        }
        at += 1;
    }
    to
}

/// The fields of these tables that tell of people, with what they tell, and these others.
#[macro_export]
macro_rules! personal_fields {
    ($($part:ty),+ $(; $($other:expr),* $(,)?)?) => {{
        use $crate::{compliance::Personal as Told, entity::{Fielded as Telling, personal::{count, list}}};
        const OTHERS: &[(&str, Told)] = &[$($($other),*)?];
        const COUNT: usize = OTHERS.len() $(+ count(<$part as Telling>::FIELDS))+;
        const ALL: [(&str, Told); COUNT] = {
            let mut all = [("", Told::Private); COUNT];
            let mut to = 0;
            $(to = list(&mut all, to, <$part as Telling>::FIELDS);)+
            let mut at = 0;
            while at < OTHERS.len() {
                all[to + at] = OTHERS[at];
                at += 1;
            }
            all
        };
        &ALL
    }};
}
