//! Keeps out what vendors go on telling of people who were forgotten here.
//!
//! Nothing of them is kept but keyed digests of their names, addresses and vendors' ids; the key is not in the database. What
//! comes in is compared by its digests.

use std::collections::HashSet;

use serde_json::Value as Json;

use super::{
    forgotten_store as store,
    names::{Plain, orders},
    scan,
};
use crate::{config::Config, db::Conn, encryption::Encryption, error::Result, types::fold};

/// What stands in the place of what named somebody.
pub const MARK: &str = "[forgotten]";
/// What digests are made for.
const PURPOSE: &str = "forgotten person";
/// The most parts of a name that is looked for.
const PARTS: usize = 6;
/// What of a vendor's record tells of the person whose id stands beside it: the member with the id, and those.
const BESIDE: [(&str, &[&str]); 2] = [("requester_id", &["requester"]), ("user_id", &["from_email"])];

/// The people who were forgotten, as far as that can be known.
pub struct ForgottenPeople {
    key: Encryption,
    digests: HashSet<String>,
}

/// A person's name, as its digest is made of it.
fn name(parts: &str) -> String {
    format!("name {parts}")
}

fn address(email: &str) -> String {
    format!("email {}", fold(email))
}

fn id(system: &str, id: &str) -> String {
    format!("id {system} {id}")
}

/// The digests of what a person was known by: full names, addresses, and ids at vendors.
#[must_use]
pub fn digests(key: &Encryption, names: &[String], emails: &[String], ids: &[(String, String)]) -> Vec<String> {
    let names = names.iter().flat_map(|own| orders(own)).map(|own| name(own.trim()));
    let all = names.chain(emails.iter().map(|email| address(email))).chain(ids.iter().map(|(system, own)| id(system, own)));
    all.map(|text| key.digest(PURPOSE, &text)).collect()
}

impl ForgottenPeople {
    /// Those of this database; none when nobody was forgotten, or the key is not there with which that would be known.
    pub fn read(c: &mut Conn, config: &Config) -> Result<Option<Self>> {
        let mut known = store::digests(c)?;
        if known.is_empty() {
            return Ok(None);
        }
        let key = match Encryption::open(config) {
            Ok(key) => key,
            Err(error) => {
                tracing::warn!(%error, "people who were forgotten are not recognised in what vendors tell");
                return Ok(None);
            }
        };
        for (name, email) in store::present(c)? {
            for own in digests(&key, &[name], &[email], &[]) {
                known.remove(&own);
            }
        }
        Ok((!known.is_empty()).then_some(Self { key, digests: known }))
    }

    fn knows(&self, text: &str) -> bool {
        self.digests.contains(&self.key.digest(PURPOSE, text))
    }

    /// Takes out of a vendor's record what names somebody forgotten.
    pub fn blank(&self, system: &str, record: &mut Json) {
        match record {
            Json::String(text) => {
                if let Some(left) = self.without(text) {
                    *text = left;
                }
            }
            Json::Array(parts) => parts.iter_mut().for_each(|part| self.blank(system, part)),
            Json::Object(_) => self.blank_object(system, record),
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }

    fn blank_object(&self, system: &str, record: &mut Json) {
        for (member, beside) in BESIDE {
            let whose = match &record[member] {
                Json::Number(number) => number.to_string(),
                Json::String(text) => text.clone(),
                _ => continue,
            };
            if self.knows(&id(system, &whose)) {
                for name in beside {
                    record.get_mut(*name).into_iter().for_each(mark);
                }
            }
        }
        record.as_object_mut().into_iter().flat_map(|all| all.values_mut()).for_each(|part| self.blank(system, part));
    }

    /// A text without the names and addresses of people who were forgotten; nothing when it has none.
    #[must_use]
    pub fn without(&self, text: &str) -> Option<String> {
        let mut found = Vec::new();
        scan::emails(text, &mut found);
        found.retain(|finding| text.get(finding.start..finding.end).is_some_and(|email| self.knows(&address(email))));
        let plain = Plain::of(text);
        let words: Vec<(usize, usize)> = plain.words().collect();
        let mut at = 0;
        while at + 1 < words.len() {
            let most = PARTS.min(words.len() - at);
            let longest = (2..=most).rev().find(|count| {
                let (start, end) = (words[at].0, words[at + count - 1].1);
                self.knows(&name(&plain.text()[start..end]))
            });
            if let Some(count) = longest {
                let (start, end) = (words[at].0, words[at + count - 1].1);
                found.push(scan::Finding { start: plain.place(start), end: plain.place(end), token: MARK });
            }
            at += longest.unwrap_or(1);
        }
        found.iter_mut().for_each(|finding| finding.token = MARK);
        (!found.is_empty()).then(|| scan::replaced(text, found))
    }
}

impl std::fmt::Debug for ForgottenPeople {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("ForgottenPeople").field("digests", &self.digests.len()).finish_non_exhaustive()
    }
}

/// Puts the mark in the place of every text.
fn mark(record: &mut Json) {
    match record {
        Json::String(text) if !text.is_empty() => MARK.clone_into(text),
        Json::Array(parts) => parts.iter_mut().for_each(mark),
        Json::Object(parts) => parts.values_mut().for_each(mark),
        Json::String(_) | Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    #[test]
    fn what_names_somebody_forgotten_goes_and_nothing_else() {
        let key = || Encryption::of(&Secret::new("01".repeat(32))).unwrap();
        let ids = [("freshservice".to_owned(), "77".to_owned())];
        let known = digests(&key(), &["Zoë van O'Brien".to_owned()], &["Zoe@acme.example".to_owned()], &ids);
        assert!(known.iter().all(|digest| !digest.to_lowercase().contains("zo")), "{known:?}");
        let people = ForgottenPeople { key: key(), digests: known.into_iter().collect() };
        for (text, left) in [
            ("Call ZOE VAN O'BRIEN now", Some("Call [forgotten] now")),
            ("O'Brien, Zoë van.", Some("[forgotten].")),
            ("write to zoe@acme.example.", Some("write to [forgotten].")),
            ("mczoe@acme.example and Zoë", None),
            ("van O'Brien", None),
            ("", None),
        ] {
            assert_eq!(people.without(text).as_deref(), left, "{text}");
        }
        let mut record = serde_json::json!({"id": 4, "requester_id": 77, "requester": {"id": 77, "name": "Z", "email": "new@acme.example"},
            "subject": "For Zoë van O'Brien", "responder_id": 8});
        people.blank("freshservice", &mut record);
        let told = serde_json::json!({"id": 4, "requester_id": 77, "requester": {"id": 77, "name": MARK, "email": MARK},
            "subject": "For [forgotten]", "responder_id": 8});
        assert_eq!(record, told);
    }
}
