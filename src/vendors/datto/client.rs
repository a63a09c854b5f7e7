//! What is asked of Datto RMM, page by page and record by record.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use reqwest::Method;
use serde_json::{Map, Value, json};
use tokio::sync::OnceCell;

pub use super::answers::Page;
use super::{
    NAME,
    answers::{audited, bare, page, part, shape},
    rate,
    token::Tokens,
    wire,
};
use crate::{
    config::{Config, Secret},
    db::Db,
    error::{Error, Result},
    progress::Progress,
    vendors::{
        authorization::Credentials,
        fault::{Cause, Fault},
        http::{Client, Reply},
        rate_limit::{
            Budget, fingerprint,
            windows::{Announced, RATE, Windows},
        },
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
    Found(Map<String, Value>),
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
        let root = (root, config.datto.guarded);
        Self::with(root, Tokens::shared(root, key, secret)?, budget)
    }

    /// A client for a single question, asked once, which no database counts.
    pub fn alone(config: &Config) -> Result<Self> {
        let (root, key, secret) = credentials(config)?;
        let root = (root, config.datto.guarded);
        let mut alone = Self::with(root, Tokens::alone(root, key, secret)?, Budget::alone())?;
        alone.http = alone.http.once();
        Ok(alone)
    }

    fn with((root, guarded): (&str, bool), tokens: Arc<Tokens>, budget: Budget) -> Result<Self> {
        let http = Client::new(NAME, &format!("{root}/api/v2"), guarded, Credentials::Bearer(tokens), budget)?;
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
        let reply = self.http.peek(RATE, "/system/request_rate", |json| bare(json, &[]).map(|_| ())).await?;
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
        self.single(&format!("/device/{}", part(uid)), ("device", "uid"), uid).await
    }

    /// An alert by its uid; `None` when there is none (any more).
    pub async fn alert(&self, uid: &str) -> Result<Option<Map<String, Value>>, Fault> {
        self.single(&format!("/alert/{}", part(uid)), ("alert", "alertUid"), uid).await
    }

    /// A site by its uid; `None` when there is none (any more).
    pub async fn site(&self, uid: &str) -> Result<Option<Map<String, Value>>, Fault> {
        self.single(&format!("/site/{}", part(uid)), ("site", "uid"), uid).await
    }

    /// What the last audit of a device found. `class` is the device's `deviceClass`.
    pub async fn audit(&self, uid: &str, class: &str) -> Result<Audit, Fault> {
        let class = match class {
            "device" | "printer" | "esxihost" => class,
            _ => return Ok(Audit::WrongClass),
        };
        let path = format!("/audit/{class}/{}", part(uid));
        match self.read(&path, |json| audited(json).map(|_| ())).await {
            Ok(reply) => Ok(audited(&reply.json).ok().flatten().map_or(Audit::Gone, |record| Audit::Found(record.clone()))),
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

    /// A record by its uid, which it must name under `member`; wrapped in `key`, or bare.
    async fn single(&self, path: &str, (key, member): (&str, &str), uid: &str) -> Result<Option<Map<String, Value>>, Fault> {
        let about = |json: &Value| match bare(json, &[key])?.get(member).and_then(wire::id_of) {
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
