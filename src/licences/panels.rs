//! The key of a licence, on the licence's own page.

use super::License;
use crate::{
    db::Conn,
    error::Result,
    history::{self, Record as _},
    resource::panel::{Action, Content, Looker, Panel, Panels, Tab, Whose},
    ui::{Line, Post, Table, Value},
};

/// This room's panels.
pub struct OfLicenses;

impl Panels for OfLicenses {
    fn of(&self, c: &mut Conn, looker: &Looker<'_>, whose: Whose<'_>) -> Result<Vec<Panel>> {
        if whose.entity != License::ENTITY || !looker.page.may_write() {
            return Ok(Vec::new());
        }
        let has_key = history::get::<License>(c, whose.id)?.license_key.is_some();
        let base = looker.page.url(&format!("/licenses/{}/key", whose.id));
        let line = Line {
            cells: vec![Value::words("Sealed"), Value::words("Who looks at it is logged.")],
            post: Some(Post { action: format!("{base}/show"), label: "Show key", confirm: String::new(), fields: Vec::new() }),
        };
        let table = Table {
            label: "Licence key",
            heads: vec![("Key", "cell--main"), ("", "cell--sub")],
            lines: if has_key { vec![line] } else { Vec::new() },
            empty: "No key stored.",
            more: None,
        };
        let change = Action {
            href: base,
            words: if has_key { "Replace key".to_owned() } else { "Enter key".to_owned() },
            adds: !has_key,
            edits: false,
        };
        let panel = Panel::new(Tab::Overview, "key", "Licence key", Content::Rows(table));
        Ok(vec![Panel { actions: whose.is_live.then_some(change).into_iter().collect(), ..panel }])
    }
}
