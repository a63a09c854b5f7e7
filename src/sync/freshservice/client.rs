//! What is asked of Freshservice: three lists and single records, in both flavours of the product.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Map, Value};

use super::{NAME, wire};
use crate::{
    config::Secret,
    error::Result,
    sync::{
        budget::Budget,
        credentials::Credentials,
        fault::{Cause, Fault},
        http::Client,
        plan::Kind,
    },
};

/// The most records that the vendor gives in one page.
pub const PER_PAGE: usize = 100;

/// One of the vendor's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct List {
    /// The kind of row it becomes.
    pub kind: Kind,
    /// Path, wrapper key, and wrapper key of a single record, in plain Freshservice.
    plain: [&'static str; 3],
    /// The same in "for MSPs", where they differ.
    msp: [&'static str; 3],
}

/// The three lists, in the order in which they are read.
pub const LISTS: [List; 3] = [
    List { kind: Kind::Company, plain: ["departments", "departments", "department"], msp: ["companies", "companies", "company"] },
    List { kind: Kind::Contact, plain: ["requesters", "requesters", "requester"], msp: ["contacts", "contacts", "contact"] },
    List { kind: Kind::PsaAgent, plain: ["agents", "agents", "agent"], msp: ["agents", "agents", "agent"] },
];

impl List {
    /// What the list is called in messages.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.plain[0]
    }
}

/// One page of a list.
#[derive(Debug)]
pub struct Page {
    /// Its records, as they came.
    pub records: Vec<Value>,
    /// Whether the vendor says that there is another page.
    pub next: bool,
}

/// A client for one Freshservice account.
pub struct Freshservice {
    http: Client,
    /// Whether the account is known to use the MSP names, by list.
    msp: [AtomicBool; 3],
}

impl Freshservice {
    /// A client for the account at `url` (without `/api/v2`).
    pub fn new(url: &str, api_key: &Secret) -> Result<Self> {
        let base = format!("{}/api/v2", url.trim_end_matches('/').trim_end_matches("/api/v2"));
        let credentials = Credentials::Basic { user: api_key.expose().to_owned(), password: "X".to_owned() };
        Ok(Self { http: Client::new(NAME, &base, credentials, Budget::from_headers())?, msp: Default::default() })
    }

    /// How many requests had to be repeated so far.
    #[must_use]
    pub fn retries(&self) -> u32 {
        self.http.retries()
    }

    fn msp(&self, list: List) -> &AtomicBool {
        &self.msp[list.kind as usize]
    }

    fn path(&self, list: List) -> &'static str {
        if self.msp(list).load(Ordering::Relaxed) { list.msp[0] } else { list.plain[0] }
    }

    /// One page of a list, of all workspaces if asked for. A 404 on the first page means that the list
    /// has its other name; if that is 404 too, it is an error, never an empty list.
    pub async fn page(&self, list: List, number: u32, all_workspaces: bool) -> Result<Page, Fault> {
        let answer = self.named(list, self.path(list), number, all_workspaces).await;
        match answer {
            Err(fault)
                if fault.cause == Cause::Missing
                    && number == 1
                    && list.plain[0] != list.msp[0]
                    && !self.msp(list).load(Ordering::Relaxed) =>
            {
                match self.named(list, list.msp[0], number, all_workspaces).await {
                    Ok(page) => {
                        self.msp(list).store(true, Ordering::Relaxed);
                        Ok(page)
                    }
                    Err(_) => Err(fault),
                }
            }
            answer => answer,
        }
    }

    async fn named(&self, list: List, path: &str, number: u32, all_workspaces: bool) -> Result<Page, Fault> {
        let workspace = if all_workspaces { "&workspace_id=0" } else { "" };
        let path = format!("/{path}?page={number}&per_page={PER_PAGE}{workspace}");
        let mut reply = self.http.get(list.name(), &path, |json| shape(list, json)).await?;
        let key = [list.plain[1], list.msp[1]].into_iter().find(|key| reply.json.get(*key).is_some_and(Value::is_array));
        let records = key.and_then(|key| reply.json.get_mut(key)).map(Value::take);
        let Some(Value::Array(records)) = records else { return Ok(Page { records: Vec::new(), next: false }) };
        Ok(Page { records, next: reply.next })
    }

    /// One record by its id; `None` when the vendor says 404 or calls it deleted.
    pub async fn record(&self, list: List, id: &str) -> Result<Option<Map<String, Value>>, Fault> {
        let path = format!("/{}/{id}", self.path(list));
        let reply = self.http.get(list.name(), &path, |json| single(list, json, id).map(|_| ())).await;
        match reply {
            Ok(reply) => {
                Ok(single(list, &reply.json, id).ok().filter(|record| record.get("deleted") != Some(&Value::Bool(true))).cloned())
            }
            Err(fault) if fault.cause == Cause::Missing => Ok(None),
            Err(fault) => Err(fault),
        }
    }
}

/// Whether this is the list asked for.
fn shape(list: List, json: &Value) -> Result<(), String> {
    let found = [list.plain[1], list.msp[1]].into_iter().any(|key| json.get(key).is_some_and(Value::is_array));
    if found { Ok(()) } else { Err(format!("an answer without a list of {}", list.name())) }
}

/// The single record asked for, wrapped or bare.
fn single<'j>(list: List, json: &'j Value, id: &str) -> Result<&'j Map<String, Value>, String> {
    let wrapped = [list.plain[2], list.msp[2]].into_iter().find_map(|key| json.get(key)?.as_object());
    let record = wrapped.or_else(|| json.as_object()).ok_or_else(|| "an answer without a record".to_owned())?;
    match record.get("id").and_then(wire::id) {
        Some(found) if found == id => Ok(record),
        _ => Err(format!("an answer about something else than {id}")),
    }
}
