//! What is asked of Freshservice: three lists and single records, in both flavours of the product.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::{Map, Value};

use super::{
    NAME,
    tickets::{about, escaped},
};
use crate::{
    config::{Config, Secret},
    db::Db,
    error::{Error, Result},
    plan::Kind,
    progress::Progress,
    vendors::{
        authorization::Credentials,
        fault::{Cause, Fault},
        http::Client,
        rate_limit::{Budget, fingerprint},
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

    /// Path, wrapper key, and wrapper key of a single record, in either flavour.
    pub(super) fn names(&self, msp: bool) -> [&'static str; 3] {
        if msp { self.msp } else { self.plain }
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
    /// Whether this account wants written records wrapped in their name.
    pub(super) wraps: AtomicBool,
    /// Optional parameters that this account refuses.
    refused: Mutex<HashSet<&'static str>>,
}

impl Freshservice {
    /// A client for the configured account.
    pub fn open(db: &Db, config: &Config) -> Result<Self> {
        let (url, key) = credentials(config)?;
        Self::with((url, config.freshservice.guarded), key, Budget::from_headers(db, account(config)?))
    }

    /// A client for a single question, asked once, which no database counts.
    pub fn alone(config: &Config) -> Result<Self> {
        let (url, key) = credentials(config)?;
        let mut alone = Self::with((url, config.freshservice.guarded), key, Budget::alone())?;
        alone.http = alone.http.once();
        Ok(alone)
    }

    fn with((url, guarded): (&str, bool), api_key: &Secret, budget: Budget) -> Result<Self> {
        let base = format!("{}/api/v2", url.trim_end_matches('/').trim_end_matches("/api/v2"));
        let credentials = Credentials::Basic { user: api_key.expose().to_owned(), password: "X".to_owned() };
        Ok(Self {
            http: Client::new(NAME, &base, guarded, credentials, budget)?,
            msp: Default::default(),
            wraps: AtomicBool::new(false),
            refused: Mutex::default(),
        })
    }

    /// Says from now on in `progress` when it waits for the vendor.
    #[must_use]
    pub fn shown_in(mut self, progress: Arc<Progress>) -> Self {
        self.http.show(progress);
        self
    }

    pub(super) fn http(&self) -> &Client {
        &self.http
    }

    pub(super) fn is_msp(&self, list: List) -> bool {
        self.msp(list).load(Ordering::Relaxed)
    }

    pub(super) fn set_msp(&self, list: List) {
        self.msp(list).store(true, Ordering::Relaxed);
    }

    pub(super) fn is_refused(&self, parameter: &str) -> bool {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).contains(parameter)
    }

    pub(super) fn refuse(&self, parameters: &[&'static str]) {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).extend(parameters);
    }

    /// The records that had broken characters so far.
    #[must_use]
    pub fn mended(&self) -> crate::vendors::mend::Mended {
        self.http.mended()
    }

    /// How many requests had to be repeated so far.
    #[must_use]
    pub fn retries(&self) -> u32 {
        self.http.retries()
    }

    fn msp(&self, list: List) -> &AtomicBool {
        let [companies, contacts, agents] = &self.msp;
        match list.kind {
            Kind::Company => companies,
            Kind::Contact => contacts,
            _ => agents,
        }
    }

    fn path(&self, list: List) -> &'static str {
        list.names(self.is_msp(list))[0]
    }

    /// One page of a list, of all workspaces if asked for. A 404 on the first page means that the list
    /// has its other name; if that is 404 too, it is an error, never an empty list.
    pub async fn page(&self, list: List, number: u32, all_workspaces: bool) -> Result<Page, Fault> {
        let answer = self.named(list, self.path(list), number, all_workspaces).await;
        match answer {
            Err(fault) if fault.cause == Cause::Missing && number == 1 && list.plain[0] != list.msp[0] && !self.is_msp(list) => {
                match self.named(list, list.msp[0], number, all_workspaces).await {
                    Ok(page) => {
                        self.set_msp(list);
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
        self.list(list.name(), &[list.plain[1], list.msp[1]], &path).await
    }

    /// One page of any list, under one of these keys.
    pub(super) async fn list(&self, bucket: &str, keys: &[&str], path: &str) -> Result<Page, Fault> {
        let key = |json: &Value| keys.iter().find(|key| json.get(**key).is_some_and(Value::is_array)).copied();
        let shape = |json: &Value| key(json).map(|_| ()).ok_or_else(|| format!("an answer without a list of {bucket}"));
        let mut reply = self.http.get(bucket, path, shape).await?;
        let records = key(&reply.json).and_then(|key| reply.json.get_mut(key)).map(Value::take);
        let Some(Value::Array(records)) = records else { return Ok(Page { records: Vec::new(), next: false }) };
        Ok(Page { records, next: reply.next })
    }

    /// Any single record; `None` when the vendor says 404.
    pub(super) async fn single(
        &self,
        bucket: &str,
        keys: &[&str],
        path: &str,
        id: &str,
    ) -> Result<Option<Map<String, Value>>, Fault> {
        match self.http.get(bucket, path, |json| about(json, keys, id).map(|_| ())).await {
            Ok(reply) => Ok(about(&reply.json, keys, id).ok().cloned()),
            Err(fault) if fault.cause == Cause::Missing => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// One record by its id; `None` when the vendor says 404 or calls it deleted.
    pub async fn record(&self, list: List, id: &str) -> Result<Option<Map<String, Value>>, Fault> {
        let path = format!("/{}/{}", self.path(list), escaped(id));
        let found = self.single(list.name(), &[list.plain[2], list.msp[2]], &path, id).await?;
        Ok(found.filter(|record| record.get("deleted") != Some(&Value::Bool(true))))
    }
}

/// The fingerprint of the configured account, under which its budget is kept.
pub fn account(config: &Config) -> Result<String> {
    let (url, key) = credentials(config)?;
    Ok(fingerprint(NAME, url, key.expose()))
}

/// The configured account, or what to set.
fn credentials(config: &Config) -> Result<(&str, &Secret)> {
    config.freshservice.credentials().ok_or_else(|| {
        Error::field(
            "freshservice",
            "domain and api_key are not set (codex.conf, or CODEX_FRESHSERVICE_DOMAIN and CODEX_FRESHSERVICE_API_KEY)",
        )
    })
}
