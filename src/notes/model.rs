//! A note: free text about any record.

use crate::{
    db::{Value, list::Kind},
    entity::{
        Noun,
        noun::{About, Beside, Card, Door, search_text},
    },
    types::Actor,
};

crate::entity! {
    /// Something that one of the provider's own people has written about a record.
    pub struct Note: "note", "Note", "notes" {
        /// The noun of the record.
        entity: String = text("Record", 50).required().listed(),
        /// Which one.
        entity_id: i64 = int("Record's id").required().listed(),
        /// Whose the record is, if it is a company's.
        company_id: Option<i64> = int("Company").id_of("company").told().internal(),
        /// The text, in Markdown.
        body: String = markdown("Text", 50_000).section("Note").required().searched(),
        /// Whether it stands before the others.
        pinned: bool = flag("Pinned").section("Note").usual(),
        /// Who wrote it.
        author: String = told("Author").on_page("Note").searched().usual(),
    }
}

impl Note {
    fn derived_columns(&self) -> Vec<(&'static str, Value)> {
        vec![("search_text", search_text(self).into())]
    }
}

impl Noun for Note {
    const DOOR: Door =
        Door { api: "notes", page: "/notes", one: "note", many: "notes", title: "summary", sort: "-pinned,-updated_at" };
    const ABOUT: Option<About<Self>> = Some(About {
        record: |note| (&note.entity, note.entity_id),
        belong: |note, company| note.company_id = company,
        card: |note| Card { body: &note.body, by: &note.author, at: &note.updated_at, is_pinned: note.pinned },
    });
    // Every other noun: the names of their records stand beside notes.
    const READS: &'static [&'static str] = &[
        "location",
        "contact",
        "asset",
        "ticket",
        "change_request",
        "psa_agent",
        "equipment",
        "interface",
        "connection",
        "subnet",
        "vlan",
        "license",
        "license_seat",
        "billing_plan",
        "feature_option",
        "feature_category",
        "billing_settings",
        "billing_exclusion",
        "custom_field",
        "tag",
        "attachment",
    ];
    // The longest beginning that a list has room for.
    const BESIDE: &'static [Beside] = &[Beside::new("summary", "Note", "substr(note.body, 1, 80)", Kind::Text)];

    fn company_id(&self) -> i64 {
        self.company_id.unwrap_or_default()
    }

    fn written_by(&mut self, actor: &Actor) {
        self.author.clone_from(&actor.name);
    }
}
