//! The contacts of a company on its page.

use super::{ContactView, store};
use crate::{
    companies::Company,
    db::Conn,
    error::Result,
    history::Record as _,
    resource::panel::{Action, Content, Looker, Panel, Panels, Tab, Whose},
    ui::{Line, Page, Table, Value, count_of, words},
    web::encode_segment,
};

/// How many rows the panel shows; the list has the rest.
const SHOWN: usize = 25;

/// This room's panels.
pub struct OfContacts;

impl Panels for OfContacts {
    fn of(&self, c: &mut Conn, looker: &Looker<'_>, whose: Whose<'_>) -> Result<Vec<Panel>> {
        let Some(number) = whose.account_number.filter(|_| whose.entity == Company::ENTITY) else { return Ok(Vec::new()) };
        let found = store::of_company(c, whose.id)?;
        let mut people: Vec<ContactView> = found.into_iter().map(|contact| contact.redact(looker.policy)).collect();
        ContactView::order(&mut people, looker.policy);
        let count = i64::try_from(people.len()).unwrap_or(i64::MAX);
        let add = || Action::adding(looker.page.url(&format!("/contacts/new?company={}", encode_segment(number))), "New contact");
        let panel = Panel::new(Tab::Contacts, "contacts", "Contacts", Content::Rows(table(looker.page, &people)));
        Ok(vec![Panel {
            count: Some(count),
            actions: (looker.page.may_write() && whose.is_live).then(add).into_iter().collect(),
            lead: Some(count_of(count, "contact", "contacts")),
            ..panel
        }])
    }
}

/// The people of a company, whom to call first first.
fn table(page: &Page, all: &[ContactView]) -> Table {
    let mut ordered: Vec<&ContactView> = all.iter().collect();
    ordered.sort_by_key(|contact| (!contact.place.is_primary, !contact.row.active));
    let lines = ordered.iter().take(SHOWN).map(|contact| Line {
        cells: vec![
            Value::link(page.url(&format!("/contacts/{}", contact.row.id)), contact.row.name.clone()),
            place(
                contact.place.is_primary,
                contact.place.role.as_deref(),
                contact.place.designation.as_deref(),
                contact.row.active,
            ),
            Value::text(contact.row.job_title.as_deref()),
            Value::mail(Some(&contact.row.email)),
            Value::phone(contact.phone()),
        ],
        post: None,
    });
    let key = all.first().map(|contact| contact.place.account_number.clone()).unwrap_or_default();
    Table {
        label: "Contacts",
        heads: vec![
            ("Name", "cell--main"),
            ("Role", "cell--end"),
            ("Title", "cell--cut"),
            ("E-mail", "cell--sub cell--cut"),
            ("Phone", ""),
        ],
        lines: lines.collect(),
        empty: "No contact belongs to this company yet.",
        more: more(page, &key, all.len()),
    }
}

/// What a contact is to a company.
#[must_use]
pub fn place(is_primary: bool, role: Option<&str>, designation: Option<&str>, active: bool) -> Value {
    let mut badges = Vec::new();
    if is_primary {
        badges.push(Value::badge("success", "Primary contact"));
    } else if let Some(designation) = designation {
        badges.push(Value::badge("", words(designation)));
    }
    if let Some(role) = role {
        badges.push(Value::badge("info", words(role)));
    }
    if !active {
        badges.push(Value::badge("", "Inactive"));
    }
    if badges.is_empty() { Value::None } else { Value::Many(badges) }
}

fn more(page: &Page, key: &str, count: usize) -> Option<(String, String)> {
    let query = serde_urlencoded::to_string([("company_account_number", key)]).unwrap_or_default();
    (count > SHOWN).then(|| (page.url(&format!("/contacts/?{query}")), format!("All {count} contacts")))
}
