//! The secrets among what an RMM tells of a device: sealed columns of their own, opened for one page alone.

use std::{collections::BTreeSet, sync::OnceLock};

use serde_json::{Map, Value};

use super::Asset;
use crate::{
    config::{Config, FieldNames, Secret},
    encryption::{Encryption, is_sealed},
    error::{Error, Result},
};

/// A sealed column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The column, and its name in history, plans and `[datto.fields]`.
    pub column: &'static str,
    /// What people call it.
    pub label: &'static str,
}

/// Every secret of an asset.
pub const KINDS: [Kind; 2] =
    [Kind { column: "bitlocker_key", label: "BitLocker key" }, Kind { column: "windows_key", label: "Windows key" }];

/// Stands where a secret was told and could not be sealed: what is stored stays.
pub const UNSEALED: &str = "not sealed";

/// The kind of a column.
#[must_use]
pub fn kind(column: &str) -> Option<Kind> {
    KINDS.into_iter().find(|kind| kind.column == column)
}

/// What the sealed text is bound to.
fn purpose(kind: Kind) -> String {
    format!("codex asset.{}", kind.column)
}

/// Opens a sealed value of an asset.
///
/// # Errors
/// `Unavailable`, with what to do, when the key is another or not there.
pub fn open(config: &Config, kind: Kind, sealed: &str) -> Result<Secret> {
    Encryption::open(config)?.open_same(&purpose(kind), sealed).ok_or_else(|| {
        Error::Unavailable(format!(
            "the {} was sealed with another key; put credentials.key back, or let the next sync read it again",
            kind.label
        ))
    })
}

impl Asset {
    /// A sealed value.
    #[must_use]
    pub fn sealed(&self, kind: Kind) -> Option<&str> {
        match kind.column {
            "bitlocker_key" => self.bitlocker_key.as_deref(),
            _ => self.windows_key.as_deref(),
        }
    }
}

/// Under which names the vendor keeps secrets among its user-defined fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names(Vec<(Kind, String)>);

impl Names {
    /// As configured. A field that the operator gave another meaning is none of ours.
    #[must_use]
    pub fn of(fields: &FieldNames) -> Self {
        let secret = |ours: &str| kind(ours).is_some();
        let taken: BTreeSet<String> =
            fields.iter().filter(|(ours, _)| !secret(ours)).map(|(_, theirs)| theirs.to_lowercase()).collect();
        let names = KINDS.into_iter().map(|kind| (kind, fields.vendor_name(kind.column).to_lowercase()));
        Self(names.filter(|(_, theirs)| !theirs.is_empty() && !taken.contains(theirs)).collect())
    }

    /// The secret that a user-defined field of this name holds.
    #[must_use]
    pub fn kind(&self, field: &str) -> Option<Kind> {
        let field = field.trim();
        self.0.iter().find(|(_, theirs)| theirs.eq_ignore_ascii_case(field)).map(|(kind, _)| *kind)
    }

    /// Every secret that the vendor keeps.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> {
        self.0.iter().map(|(kind, _)| *kind)
    }

    /// Tells these names from others.
    #[must_use]
    pub fn key(&self) -> String {
        self.0.iter().map(|(kind, theirs)| format!("{}={theirs}", kind.column)).collect::<Vec<_>>().join(" ")
    }
}

/// Seals secrets where they come in, with the key of this instance, which is made when the first one comes.
/// Without a key nothing can be sealed, and what comes in is left out.
pub struct Sealer {
    names: Names,
    config: Config,
    encryption: OnceLock<std::result::Result<Encryption, String>>,
}

impl Sealer {
    /// As configured.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self { names: Names::of(&config.datto.fields), config: config.clone(), encryption: OnceLock::new() }
    }

    /// Why something could not be sealed.
    #[must_use]
    pub fn problem(&self) -> Option<&str> {
        self.encryption.get()?.as_ref().err().map(String::as_str)
    }

    /// Seals one value.
    ///
    /// # Errors
    /// `Unavailable` when there is no key.
    pub fn seal(&self, kind: Kind, text: &str) -> Result<String> {
        let encryption = self.encryption.get_or_init(|| Encryption::create(&self.config).map_err(|error| error.to_string()));
        let encryption = encryption.as_ref().map_err(|why| Error::Unavailable(why.clone()))?;
        encryption.seal_same(&purpose(kind), text)
    }

    /// Takes the secrets out of a vendor's user-defined fields: each value is sealed where it stands,
    /// whatever was in it. `text` reads a value as text.
    pub fn hide(&self, fields: &mut Map<String, Value>, text: impl Fn(&Value) -> Option<String>) {
        for (name, value) in fields.iter_mut() {
            let Some(kind) = self.names.kind(name) else { continue };
            *value = match text(value) {
                None => Value::Null,
                Some(plain) => self.seal(kind, &plain).unwrap_or_else(|_| UNSEALED.to_owned()).into(),
            };
        }
    }
}

/// What a field that may hold a secret tells, once it has passed [`Sealer::hide`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretField {
    /// There is none.
    None,
    /// It is this, sealed.
    Sealed(String),
    /// There is one, but it could not be sealed.
    Unknown,
}

impl SecretField {
    /// Reads a field's value. What is not sealed is not believed: it is never stored.
    #[must_use]
    pub fn of(value: Option<&str>) -> Self {
        match value {
            None => Self::None,
            Some(text) if is_sealed(text) => Self::Sealed(text.to_owned()),
            Some(_) => Self::Unknown,
        }
    }
}
