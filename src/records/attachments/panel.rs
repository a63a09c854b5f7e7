//! A record's files on its page.

use super::api;
use crate::{
    attachments::{Attachment, store},
    db::Conn,
    error::Result,
    resource::panel::{Content, File, Files, Looker, Panel, Panels, Tab, Whose},
    ui::{Page, Value},
};

/// The panel with them.
pub struct OfAttachments;

impl Panels for OfAttachments {
    fn of(&self, c: &mut Conn, looker: &Looker<'_>, whose: Whose<'_>) -> Result<Vec<Panel>> {
        let takes = api::takes_files(whose.entity);
        let (page, policy) = (looker.page, looker.policy);
        if !takes || !page.is_staff() || !policy.sees_all() {
            return Ok(Vec::new());
        }
        let files = store::of_record(c, whose.entity, whose.id)?;
        api::log_disclosure(c, &files, policy)?;
        let may_write = page.may_write() && whose.is_live;
        if files.is_empty() && !may_write {
            return Ok(Vec::new());
        }
        let (removed, there): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| file.retired_at.is_some());
        let count = i64::try_from(there.len()).ok();
        let shown = |verb: &'static str| move |file: Attachment| card(page, &file, may_write.then_some(verb));
        let files = Files {
            there: there.into_iter().map(shown("remove")).collect(),
            removed: removed.into_iter().map(shown("restore")).collect(),
            action: may_write.then(|| page.url(&format!("/records/{}/{}/attachments", whose.entity, whose.id))),
        };
        let panel = Panel::new(Tab::Files, "attachments", "Files", Content::Files(files));
        Ok(vec![Panel { count, ..panel }])
    }
}

fn card(page: &Page, file: &Attachment, verb: Option<&str>) -> File {
    File {
        href: page.url(&format!("/api/attachments/{}/content", file.id)),
        name: file.name.clone(),
        size: size(file.bytes),
        by: file.author.clone(),
        at: Value::ago(Some(&file.created_at)),
        action: verb.map(|verb| page.url(&format!("/attachments/{}/{verb}", file.id))),
    }
}

/// A size as people read it.
fn size(bytes: i64) -> String {
    match bytes {
        ..1_024 => format!("{bytes} bytes"),
        1_024..1_048_576 => format!("{} KB", (bytes + 512) / 1_024),
        _ => format!("{}.{} MB", bytes / 1_048_576, bytes % 1_048_576 * 10 / 1_048_576),
    }
}
