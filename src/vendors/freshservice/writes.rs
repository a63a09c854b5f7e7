//! What is written to Freshservice, and what is read to write it safely. Nothing here repeats a write.

use std::sync::atomic::Ordering;

use reqwest::Method;
use serde_json::{Map, Value, json};

use super::{
    client::{Freshservice, LISTS},
    tickets::{about, escaped},
};
use crate::vendors::fault::{Cause, Fault};

impl Freshservice {
    /// Whoever the key belongs to.
    pub async fn me(&self) -> Result<Map<String, Value>, Fault> {
        let shape = |json: &Value| if json.is_object() { Ok(()) } else { Err("an answer without an agent".to_owned()) };
        let reply = self.http().get("agent", "/agents/me", shape).await?;
        Ok(reply.json.get("agent").unwrap_or(&reply.json).as_object().cloned().unwrap_or_default())
    }

    /// A department (a company in "for MSPs"); `None` when there is none (any more).
    pub async fn department(&self, id: &str) -> Result<Option<Map<String, Value>>, Fault> {
        self.either(0, id).await
    }

    /// A requester (a contact in "for MSPs"); `None` when there is none (any more).
    pub async fn requester(&self, id: &str) -> Result<Option<Map<String, Value>>, Fault> {
        self.either(1, id).await
    }

    /// Writes a department, and returns what the vendor says it is now (empty when it does not say).
    pub async fn put_department(&self, id: &str, body: &Value) -> Result<Map<String, Value>, Fault> {
        self.put(0, id, body).await
    }

    /// Writes a requester, as [`Freshservice::put_department`].
    pub async fn put_requester(&self, id: &str, body: &Value) -> Result<Map<String, Value>, Fault> {
        self.put(1, id, body).await
    }

    /// Writes a ticket, as [`Freshservice::put_department`].
    pub async fn put_ticket(&self, id: &str, body: &Value) -> Result<Map<String, Value>, Fault> {
        let path = format!("/tickets/{}", escaped(id));
        let json = self.http().send(Method::PUT, "update ticket", &path, body).await?;
        Ok(about(&json, &["ticket"], id).cloned().unwrap_or_default())
    }

    /// Adds a note to a ticket: `{"body", "private"}`. Returns the conversation that it became.
    pub async fn add_note(&self, id: &str, body: &Value) -> Result<Map<String, Value>, Fault> {
        let path = format!("/tickets/{}/notes", escaped(id));
        let json = self.http().send(Method::POST, "update ticket", &path, body).await?;
        Ok(json.get("conversation").unwrap_or(&json).as_object().cloned().unwrap_or_default())
    }

    /// A record by its id under the name that this account uses; both are tried while that is not known.
    async fn either(&self, list: usize, id: &str) -> Result<Option<Map<String, Value>>, Fault> {
        let list = LISTS[list];
        let found = self.record(list, id).await?;
        if found.is_some() || self.is_msp(list) {
            return Ok(found);
        }
        let [path, _, key] = list.names(true);
        let other = self.single(list.name(), &[key], &format!("/{path}/{}", escaped(id)), id).await;
        match other {
            Ok(Some(found)) => {
                self.set_msp(list);
                Ok(Some(found))
            }
            // An account without the other name refuses it in whatever way; the first answer stands.
            Ok(None) | Err(Fault { cause: Cause::Denied(..) | Cause::Refused(..), .. }) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Writes a record of a list: the body bare, and wrapped in its name when this account refuses that.
    async fn put(&self, list: usize, id: &str, body: &Value) -> Result<Map<String, Value>, Fault> {
        let list = LISTS[list];
        let [path, _, key] = list.names(self.is_msp(list));
        let path = format!("/{path}/{}", escaped(id));
        let bucket = format!("update {key}");
        let wrapped = json!({ key: body });
        let known = self.wraps.load(Ordering::Relaxed);
        let first = self.http().send(Method::PUT, &bucket, &path, if known { &wrapped } else { body }).await;
        let json = match first {
            Err(fault) if !known && matches!(fault.cause, Cause::Refused(400, _)) => {
                match self.http().send(Method::PUT, &bucket, &path, &wrapped).await {
                    Ok(json) => {
                        self.wraps.store(true, Ordering::Relaxed);
                        json
                    }
                    Err(Fault { cause: Cause::Refused(..), .. }) => return Err(fault),
                    Err(second) => return Err(second),
                }
            }
            answer => answer?,
        };
        Ok(about(&json, &[key], id).cloned().unwrap_or_default())
    }
}
