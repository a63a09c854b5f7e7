//! A record's own fields and tags on its page.

use crate::{
    custom::{self, noun, shows, store},
    db::{Conn, list::beside},
    error::Result,
    resource::panel::{Content, Looker, Panel, Panels, Tab, Whose},
    ui::{Item, Value},
};

/// The panel with them.
pub struct OfCustom;

impl Panels for OfCustom {
    fn of(&self, c: &mut Conn, looker: &Looker<'_>, whose: Whose<'_>) -> Result<Vec<Panel>> {
        let Some(noun) = noun(whose.entity).filter(|_| looker.page.is_staff()) else { return Ok(Vec::new()) };
        let kept = custom::of_record(c, noun.entity, whose.id, looker.policy)?;
        let fields = store::fields(c, noun.entity)?;
        let mut items = Vec::new();
        if let Some(own) = kept.json.get(beside::OWN).and_then(|own| own.as_object()) {
            for field in &fields {
                let value = own.get(&field.key).map_or(Value::None, |value| Value::beside(shows(&field.kind), value));
                items.push(Item::new(field.label.clone(), value));
            }
        }
        if !kept.tags.is_empty() {
            items.push(Item::new("Tags", Value::tags(kept.tags)));
        }
        if items.is_empty() {
            Ok(Vec::new())
        } else {
            Ok(vec![Panel::new(Tab::Overview, "custom", "Custom fields", Content::Facts(items))])
        }
    }
}
