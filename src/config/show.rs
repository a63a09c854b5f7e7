//! What `config show` prints: each setting, its value without secrets, where it came from.

use serde::Serialize;

use super::{
    database::without_password,
    keys::{Kind, keys},
    sources::Resolved,
};

/// One setting as shown to a person.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct Shown {
    /// `section.name`.
    pub key: String,
    /// The value; `***` for a secret that is set, empty when unset.
    pub value: String,
    /// Where it was said.
    pub origin: String,
    /// The environment variable that sets it.
    pub variable: String,
    /// What it is for.
    pub help: &'static str,
}

/// Every setting, in the order of the table.
pub fn all(resolved: &Resolved) -> Vec<Shown> {
    let shown = |key: &super::Key| {
        let value = resolved.values.get(&(key.section, key.name)).cloned().unwrap_or_default();
        let text = match key.kind {
            _ if value.text.is_empty() => String::new(),
            Kind::Plain => value.text,
            Kind::Secret => "***".to_owned(),
            Kind::Address => without_password(&value.text),
        };
        Shown { key: key.path(), value: text, origin: value.origin, variable: key.variable(), help: key.help }
    };
    keys().iter().map(shown).collect()
}
