//! What is asked of Datto RMM, page by page and record by record.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::{Map, Value, json};
use tokio::sync::OnceCell;

use super::{NAME, rate, token::Tokens, wire};
use crate::{
    config::{Config, Secret},
    db::Db,
    error::{Error, Result},
    sync::{
        budget::{Budget, fingerprint},
        credentials::Credentials,
        fault::{Cause, Fault},
        http::{Client, Reply},
        progress::Progress,
        windows::{Announced, Windows},
    },
};

/// The page size where the vendor does not tell its own.
const PAGE_SIZE: u32 = 250;
/// The largest page that we ask for, whatever is announced.
const LARGEST_PAGE: u32 = 500;
/// Page sizes that are tried when one is refused.
const SMALLER: [u32; 4] = [100, 50, 25, 10];
/// What the vendor documents: reads and writes in a window.
const DOCUMENTED: (Duration, u32, u32) = (Duration::from_mins(1), 600, 100);
/// The count on which reading draws.
const READS: &str = "read";
/// What may stand unescaped in a part of a path.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// One page of a list.
#[derive(Debug)]
pub struct Page {
    /// Its records, as they came.
    pub records: Vec<Value>,
    /// How many records the whole list has, where the vendor says so.
    pub total: Option<u64>,
    /// Whether the vendor says that there is another page.
    pub next: bool,
}

/// Which alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alerts {
    /// Those that still stand.
    Open,
    /// Those that were resolved.
    Resolved,
}

/// Whose alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of<'a> {
    /// The whole account's.
    Account,
    /// A site's, by uid.
    Site(&'a str),
    /// A device's, by uid.
    Device(&'a str),
}

/// What an audit came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Audit {
    /// This is what it found.
    Told(Map<String, Value>),
    /// There is no such device, or no audit of it.
    Gone,
    /// Devices of this class have no audit, or another one than was asked for.
    WrongClass,
}

/// A client for one Datto RMM account.
pub struct Datto {
    http: Client,
    root: String,
    /// What `system/pagination` announced, if it announced anything.
    announced: OnceCell<Option<u32>>,
    /// The page size that worked, by list.
    sizes: Mutex<HashMap<&'static str, u32>>,
}

impl Datto {
    /// A client for the configured account. Asks nothing yet.
    pub fn open(db: &Db, config: &Config) -> Result<Self> {
        let (window, reads, writes) = DOCUMENTED;
        let (root, key, secret) = credentials(config)?;
        let budget = Budget::counted(db, account(config)?, Windows::documented(window, reads, writes));
        Self::with(root, Tokens::shared(root, key, secret)?, budget)
    }

    /// A client for a single question, asked once, which no database counts.
    pub fn alone(config: &Config) -> Result<Self> {
        let (root, key, secret) = credentials(config)?;
        let mut alone = Self::with(root, Tokens::alone(root, key, secret)?, Budget::alone())?;
        alone.http = alone.http.once();
        Ok(alone)
    }

    fn with(root: &str, tokens: Arc<Tokens>, budget: Budget) -> Result<Self> {
        let http = Client::new(NAME, &format!("{root}/api/v2"), Credentials::Bearer(tokens), budget)?;
        Ok(Self { http: http.with_blocks(), root: root.to_owned(), announced: OnceCell::new(), sizes: Mutex::default() })
    }

    /// Says from now on in `progress` when it waits for the vendor.
    #[must_use]
    pub fn shown_in(mut self, progress: Arc<Progress>) -> Self {
        self.http.show(progress);
        self
    }

    /// Where the account lives, for messages.
    #[must_use]
    pub fn root(&self) -> &str {
        &self.root
    }

    /// How many requests had to be repeated so far.
    #[must_use]
    pub fn retries(&self) -> u32 {
        self.http.retries()
    }

    async fn read(&self, path: &str, shape: impl Fn(&Value) -> Result<(), String>) -> Result<Reply, Fault> {
        self.learn().await?;
        self.http.get(READS, path, shape).await
    }

    /// The account itself: the smallest question that needs the rights.
    pub async fn account(&self) -> Result<Map<String, Value>, Fault> {
        let reply = self.read("/account", |json| bare(json, &["account"]).map(|_| ())).await?;
        Ok(bare(&reply.json, &["account"]).ok().cloned().unwrap_or_default())
    }

    /// The vendor's limits and how much of them is used; the budget follows them.
    pub async fn request_rate(&self) -> Result<Announced, Fault> {
        let reply = self.http.peek(READS, "/system/request_rate", |json| bare(json, &[]).map(|_| ())).await?;
        let announced = rate::read(&reply.json);
        self.http.budget().announced(&announced).await;
        Ok(announced)
    }

    /// Asks for the limits at the start and once in a while: people and other programs use the account too.
    /// Where the vendor does not tell, the documented ones stay in force.
    async fn learn(&self) -> Result<(), Fault> {
        if !self.http.budget().should_ask() {
            return Ok(());
        }
        match self.request_rate().await {
            Err(fault) if matches!(fault.cause, Cause::Blocked(_) | Cause::Denied(400 | 401, _)) => Err(fault),
            Err(fault) => {
                tracing::debug!(%fault, "the vendor did not tell its limits");
                Ok(())
            }
            Ok(_) => Ok(()),
        }
    }

    async fn write(&self, method: Method, operation: &str, path: &str, body: &Value) -> Result<(), Fault> {
        self.learn().await?;
        self.http.send(method, &format!("write:{operation}"), path, body).await.map(|_| ())
    }

    /// The page size that the vendor announces, else the documented one.
    pub async fn page_size(&self) -> Result<u32, Fault> {
        let announced = self.announced.get_or_try_init(|| async {
            match self.read("/system/pagination", |json| bare(json, &[]).map(|_| ())).await {
                Ok(reply) => {
                    let max = reply.json.as_object().and_then(|record| wire::integer(record, "max"));
                    Ok(max.and_then(|max| u32::try_from(max).ok()).filter(|max| *max > 0).map(|max| max.min(LARGEST_PAGE)))
                }
                Err(Fault { cause: Cause::Missing | Cause::Refused(..) | Cause::Broken(_), .. }) => Ok(None),
                Err(fault) => Err(fault),
            }
        });
        Ok(announced.await?.unwrap_or(PAGE_SIZE))
    }

    /// The account's sites; pages count from 0.
    pub async fn sites(&self, page: u32) -> Result<Page, Fault> {
        self.page("sites", "/account/sites", page).await
    }

    /// A site's variables.
    pub async fn site_variables(&self, site_uid: &str, page: u32) -> Result<Page, Fault> {
        self.page("variables", &format!("/site/{}/variables", part(site_uid)), page).await
    }

    /// The account's devices.
    pub async fn devices(&self, page: u32) -> Result<Page, Fault> {
        self.page("devices", "/account/devices", page).await
    }

    /// A site's devices.
    pub async fn site_devices(&self, site_uid: &str, page: u32) -> Result<Page, Fault> {
        self.page("devices", &format!("/site/{}/devices", part(site_uid)), page).await
    }

    /// Alerts. Muted ones are among them.
    pub async fn alerts(&self, which: Alerts, of: Of<'_>, page: u32) -> Result<Page, Fault> {
        let scope = match of {
            Of::Account => "/account".to_owned(),
            Of::Site(uid) => format!("/site/{}", part(uid)),
            Of::Device(uid) => format!("/device/{}", part(uid)),
        };
        let which = if which == Alerts::Open { "open" } else { "resolved" };
        self.page("alerts", &format!("{scope}/alerts/{which}"), page).await
    }

    /// A device's software. [`Cause::Missing`] without such a device, [`Cause::Absent`] for a class that has none.
    pub async fn software(&self, device_uid: &str, page: u32) -> Result<Page, Fault> {
        let answer = self.page("software", &format!("/audit/device/{}/software", part(device_uid)), page).await;
        answer.map_err(|fault| match fault.cause {
            Cause::Refused(400, _) => Fault { cause: Cause::Absent("software of a device of this class".to_owned()), ..fault },
            _ => fault,
        })
    }

    /// A device by its uid; `None` when there is none (any more).
    pub async fn device(&self, uid: &str) -> Result<Option<Map<String, Value>>, Fault> {
        self.single(&format!("/device/{}", part(uid)), "device", uid).await
    }

    /// A site by its uid; `None` when there is none (any more).
    pub async fn site(&self, uid: &str) -> Result<Option<Map<String, Value>>, Fault> {
        self.single(&format!("/site/{}", part(uid)), "site", uid).await
    }

    /// What the last audit of a device found. `class` is the device's `deviceClass`.
    pub async fn audit(&self, uid: &str, class: &str) -> Result<Audit, Fault> {
        let class = match class {
            "device" | "printer" | "esxihost" => class,
            _ => return Ok(Audit::WrongClass),
        };
        let path = format!("/audit/{class}/{}", part(uid));
        match self.read(&path, |json| bare(json, &[]).map(|_| ())).await {
            Ok(reply) => Ok(bare(&reply.json, &["audit", "data"]).map_or(Audit::Gone, |record| Audit::Told(record.clone()))),
            Err(Fault { cause: Cause::Missing, .. }) => Ok(Audit::Gone),
            Err(Fault { cause: Cause::Refused(400, _), .. }) => Ok(Audit::WrongClass),
            Err(fault) => Err(fault),
        }
    }

    /// Makes a variable of a site. What happens when it exists already is not documented: look first.
    pub async fn set_variable(&self, site_uid: &str, name: &str, value: &str) -> Result<(), Fault> {
        let path = format!("/site/{}/variable", part(site_uid));
        let body = json!({ "name": name, "value": value, "masked": false });
        self.write(Method::PUT, "site-variable-create", &path, &body).await
    }

    /// Changes a variable of a site, by its id.
    pub async fn update_variable(&self, site_uid: &str, id: &str, name: &str, value: &str) -> Result<(), Fault> {
        let path = format!("/site/{}/variable/{}", part(site_uid), part(id));
        let body = json!({ "name": name, "value": value });
        self.write(Method::POST, "site-variable-update", &path, &body).await
    }

    async fn single(&self, path: &str, key: &str, uid: &str) -> Result<Option<Map<String, Value>>, Fault> {
        let about = |json: &Value| match bare(json, &[key])?.get("uid").and_then(wire::id_of) {
            Some(found) if found.eq_ignore_ascii_case(uid.trim()) => Ok(()),
            _ => Err(format!("an answer about another {key}")),
        };
        match self.read(path, about).await {
            Ok(reply) => Ok(bare(&reply.json, &[key]).ok().cloned()),
            Err(Fault { cause: Cause::Missing, .. }) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// One page of a list. We count pages ourselves: the vendor's link to the next one forgets parameters,
    /// and our token goes to no address that an answer names.
    async fn page(&self, list: &'static str, path: &str, number: u32) -> Result<Page, Fault> {
        let announced = self.page_size().await?;
        let known = self.sizes.lock().unwrap_or_else(PoisonError::into_inner).get(list).copied();
        let first = known.unwrap_or(announced);
        let told = self.announced.get().is_some_and(Option::is_some);
        // Software is refused with the same status for devices that have none.
        let firm = known.is_some() || number > 0 || (list == "software" && told);
        let smaller = SMALLER.into_iter().filter(|size| *size < first && !firm);
        let mut refused = None;
        for size in std::iter::once(first).chain(smaller) {
            let asked = format!("{path}?page={number}&max={size}");
            match self.read(&asked, |json| shape(json, list)).await {
                Ok(reply) => {
                    self.sizes.lock().unwrap_or_else(PoisonError::into_inner).insert(list, size);
                    return Ok(page(reply.json, list, size));
                }
                Err(fault) if matches!(fault.cause, Cause::Refused(400, _)) => refused = refused.or(Some(fault)),
                Err(fault) => return Err(fault),
            }
        }
        Err(refused.unwrap_or_else(|| Fault {
            service: NAME,
            method: "GET",
            path: path.to_owned(),
            cause: Cause::Missing,
            attempts: 0,
        }))
    }
}

/// The fingerprint of the configured account, under which its budget is kept.
pub fn account(config: &Config) -> Result<String> {
    let (root, key, _) = credentials(config)?;
    Ok(fingerprint(NAME, root, key.expose()))
}

/// The configured account, or what to set.
fn credentials(config: &Config) -> Result<(&str, &Secret, &Secret)> {
    config.datto.credentials().ok_or_else(|| {
        Error::field(
            "datto",
            "api_endpoint, public_key and secret_key are not all set (section [datto] of codex.conf, or \
             CODEX_DATTO_API_ENDPOINT, CODEX_DATTO_PUBLIC_KEY and CODEX_DATTO_SECRET_KEY)",
        )
    })
}

/// A part of a path that cannot lead out of it.
fn part(text: &str) -> String {
    let text = text.trim();
    if text.bytes().all(|b| b == b'.') { "-".to_owned() } else { utf8_percent_encode(text, PATH).to_string() }
}

/// A single object, bare or wrapped in one of these keys.
fn bare<'j>(json: &'j Value, wrappers: &[&str]) -> Result<&'j Map<String, Value>, String> {
    let object = json.as_object().ok_or_else(|| "an answer that is no object".to_owned())?;
    Ok(wrappers.iter().find_map(|key| object.get(*key)?.as_object()).unwrap_or(object))
}

/// Whether this is a page of the list asked for.
fn shape(json: &Value, list: &str) -> Result<(), String> {
    if !json.get(list).is_some_and(Value::is_array) {
        return Err(format!("an answer without a list of {list}"));
    }
    match json.get("pageDetails") {
        None | Some(Value::Null | Value::Object(_)) => Ok(()),
        Some(_) => Err("an answer with unusable page details".to_owned()),
    }
}

fn page(mut json: Value, list: &str, size: u32) -> Page {
    let records = match json.get_mut(list).map(Value::take) {
        Some(Value::Array(records)) => records,
        _ => Vec::new(),
    };
    let details = json.get("pageDetails").and_then(Value::as_object);
    let total = details.and_then(|d| wire::integer(d, "totalCount")).and_then(|n| u64::try_from(n).ok());
    let next = match details.and_then(|d| d.get("nextPageUrl")) {
        Some(Value::String(url)) => !url.trim().is_empty() && url.trim() != "null",
        Some(_) => false,
        None => records.len() >= size as usize,
    };
    Page { records, total, next }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_what_it_says_it_is() {
        for odd in
            [json!([]), json!({}), json!({ "devices": {} }), json!({ "sites": [] }), json!({ "devices": [], "pageDetails": 7 })]
        {
            assert!(shape(&odd, "devices").is_err(), "{odd}");
        }
        let full = json!({ "pageDetails": { "totalCount": "3", "nextPageUrl": "https://elsewhere.example/?page=1" }, "devices": [1, 2] });
        assert!(shape(&full, "devices").is_ok());
        let read = page(full, "devices", 2);
        assert_eq!((read.records.len(), read.total, read.next), (2, Some(3), true));
        let last = page(json!({ "pageDetails": { "nextPageUrl": null }, "devices": [1, 2] }), "devices", 2);
        assert_eq!((last.total, last.next), (None, false));
        assert!(page(json!({ "devices": [1, 2] }), "devices", 2).next, "without page details a full page is not the last");
    }

    #[test]
    fn parts_of_a_path_stay_in_their_place() {
        assert_eq!(part(" 1b-2c "), "1b-2c");
        assert_eq!(part("a/../b?c"), "a%2F..%2Fb%3Fc");
        assert_eq!(part(".."), "-");
    }

    #[test]
    fn single_objects_come_bare_or_wrapped() {
        assert_eq!(bare(&json!({ "uid": 1 }), &["device"]).unwrap().len(), 1);
        assert_eq!(bare(&json!({ "device": { "uid": 1, "x": 2 } }), &["device"]).unwrap().len(), 2);
        assert!(bare(&json!([{}]), &["device"]).is_err());
    }
}
