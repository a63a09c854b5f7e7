//! A field that administrators have added, and a tag.

use crate::{
    db::{Value, list::beside::Shows},
    entity::{Cell, Holds, Members},
    types::fold,
};

/// What a field can hold.
pub const KINDS: [&str; 8] = ["text", "long_text", "number", "money", "date", "yes_no", "choice", "link"];

/// The colours of tags; each is readable in both themes.
pub const COLORS: [&str; 9] = ["gray", "red", "orange", "yellow", "green", "teal", "blue", "purple", "pink"];

crate::entity! {
    /// A field that administrators have added to a noun.
    pub struct AddedField: "custom_field", "Custom field", "custom_fields" {
        /// The noun.
        entity: String = text("Record type", 50).named("type").required(),
        /// Its name in JSON, CSV and filters, which never changes.
        key: String = text("Key", 40).required(),
        /// What people call it.
        label: String = text("Label", 80).required(),
        /// What it holds.
        kind: String = choice("Kind", &KINDS).required(),
        /// What a choice offers, as a JSON array.
        choices: Option<String> = text_list("Choices", 100, 100),
        /// What helps to fill it in.
        help: Option<String> = text("Help", 200),
        /// Whether a new record must have it.
        required: bool = flag("Required"),
        /// Where it stands among the others.
        position: i64 = int("Order").range(0, 9999, "must be from 0 to 9999"),
    }
}

impl AddedField {
    #[expect(clippy::unused_self, reason = "the shape that every record has")]
    fn derived_columns(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    /// What a choice offers.
    #[must_use]
    pub fn offers(&self) -> Vec<String> {
        self.choices.as_deref().and_then(|list| serde_json::from_str(list).ok()).unwrap_or_default()
    }

    /// Its name in filters, CSV, forms and history: `cf.door_code`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}{}", crate::db::list::beside::PREFIX, self.key)
    }

    /// Whether its values are what somebody has written, and may tell of anybody.
    #[must_use]
    pub fn is_written(&self) -> bool {
        matches!(self.kind.as_str(), "text" | "long_text" | "link")
    }

    /// How many decimals its numbers have; nothing for what is no number.
    #[must_use]
    pub fn decimals(&self) -> Option<u32> {
        match self.kind.as_str() {
            "number" => Some(4),
            "money" => Some(2),
            _ => None,
        }
    }
}

crate::shaped! { AddedField: Members::first(&["id", "type", "key", "label", "kind", "choices", "help", "required", "position"])
    .record(|field: &AddedField| field)
    .member("choices", Holds::TEXTS.or_null(), |field| Cell::from(field.choices.as_deref()).embedded())
}

/// How the values of a kind are shown.
#[must_use]
pub fn shows(kind: &str) -> Shows {
    match kind {
        "number" | "money" => Shows::Number,
        "date" => Shows::Day,
        "yes_no" => Shows::Flag,
        "link" => Shows::Link,
        _ => Shows::Text,
    }
}

crate::entity! {
    /// A word that records of any kind can be marked with.
    pub struct Tag: "tag", "Tag", "tags" {
        /// The word.
        name: String = text("Name", 40).required(),
        /// Its colour.
        color: String = choice("Colour", &COLORS).emptied("gray"),
        /// What it is for.
        note: Option<String> = text("Used for", 200),
    }
}

impl Tag {
    fn derived_columns(&self) -> Vec<(&'static str, Value)> {
        vec![("name_folded", fold(&self.name).into())]
    }
}

crate::shaped! { Tag: Members::first(&["id", "name", "color", "note"]).record(|tag: &Tag| tag) }
