//! What is asked of Freshservice about assets.

use serde_json::{Map, Value};

use super::{
    client::{Freshservice, Page},
    tickets::{ListParams, escaped, module, paged},
};
use crate::vendors::fault::{Cause, Fault};

impl Freshservice {
    /// Assets, each with the fields of its type. [`Cause::Absent`] when the account has none of this.
    pub async fn assets(&self, page: u32, ask: ListParams) -> Result<Page, Fault> {
        let path = format!("/assets?include=type_fields&{}", paged(page, ask));
        module("assets", page, self.list("assets", &["assets"], &path).await)
    }

    /// The types of assets, which form a tree. [`Cause::Absent`] when the account has none of this.
    pub async fn asset_types(&self, page: u32) -> Result<Page, Fault> {
        let path = format!("/asset_types?{}", paged(page, ListParams::default()));
        module("types of assets", page, self.list("asset types", &["asset_types"], &path).await)
    }

    /// One asset by its display id; `None` when there is none (any more). One in the trash may still answer.
    pub async fn asset(&self, display_id: &str) -> Result<Option<Map<String, Value>>, Fault> {
        let path = format!("/assets/{}?include=type_fields", escaped(display_id));
        let shape = |json: &Value| if json.is_object() { Ok(()) } else { Err("an answer without a record".to_owned()) };
        match self.http().get("asset", &path, shape).await {
            Ok(reply) => Ok(reply.json.get("asset").unwrap_or(&reply.json).as_object().cloned()),
            Err(Fault { cause: Cause::Missing, .. }) => Ok(None),
            Err(fault) => Err(fault),
        }
    }
}
