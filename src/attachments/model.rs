//! A file on a record.

use crate::{db::Value, entity::Members};

crate::entity! {
    /// A file that one of the provider's own people has put on a record.
    pub struct Attachment: "attachment", "Attachment", "attachments" {
        /// The noun of the record.
        entity: String = text("Record", 50).required(),
        /// Which one.
        entity_id: i64 = int("Record's id").required(),
        /// Whose the record is, if it is a company's.
        company_id: Option<i64> = int("Company").id_of("company").told().internal(),
        /// What the file is called.
        name: String = text("Name", 255).required(),
        /// What it is, by its content.
        media_type: String = told("Type"),
        /// How long it is.
        bytes: i64 = int("Size").told(),
        /// What is in it, as its SHA-256.
        sha256: String = told("SHA-256"),
        /// Who put it there.
        author: String = told("Author"),
    }
}

impl Attachment {
    #[expect(clippy::unused_self, reason = "the shape that every record has")]
    fn derived_columns(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }
}

crate::shaped! { Attachment: Members::first(&["id", "entity", "entity_id", "name", "media_type", "bytes", "sha256", "author"])
    .record(|file: &Attachment| file)
}
