//! Reading the RMM's lists whole, into staging, and taken up where an interrupted run left off.

use std::{
    collections::HashSet,
    sync::atomic::{AtomicBool, Ordering},
};

use serde_json::Value;

use super::{
    inventory::{Inventory, Sheet},
    sheets::{devices as sheet, numbers, sites_sheet, variables},
};
use crate::{
    assets::secrets::Sealer,
    error::{Error, Result},
    jobs::Job,
    reconcile::{
        paginator::{End, Paginator, Shown},
        staged_store,
        walk::{self, Staged},
    },
    types::{Actor, Scope},
    vendors::{
        datto::{
            NAME,
            client::{Datto, Page},
        },
        fault::Cause,
    },
};

/// Pages staged in one transaction.
const BATCH: usize = 40;
/// … or this many bytes of them.
const BATCH_BYTES: usize = 2_000_000;
/// So many sites in a row that cannot be read: the vendor is not well, and the run ends.
const FAULTS_ENOUGH: usize = 5;

/// What a run needs while it reads.
pub struct Reader {
    /// The job it belongs to.
    pub job: Job,
    /// The run.
    pub run: i64,
    /// The vendor.
    pub client: Datto,
    /// Whether an interrupted run has left pages.
    pub resumed: bool,
    /// Whether the vendor has shut us out, so that every further question would fail too.
    pub shut: AtomicBool,
    /// Seals the secrets among what devices tell.
    pub sealer: Sealer,
}

/// One of the vendor's lists.
#[derive(Clone, Copy, Debug)]
enum List<'a> {
    Sites,
    Devices,
    DevicesOf(&'a str),
    VariablesOf(&'a str),
}

impl List<'_> {
    fn key(self) -> String {
        match self {
            Self::Sites => "sites".to_owned(),
            Self::Devices => "devices".to_owned(),
            Self::DevicesOf(site) => format!("devices of {site}"),
            Self::VariablesOf(site) => format!("variables of {site}"),
        }
    }
}

/// Pages that wait to be staged together.
#[derive(Default)]
struct Stager {
    pages: Vec<(String, i64, String)>,
    bytes: usize,
}

/// Who takes the pages of a walk.
enum Sink<'i> {
    /// The inventory; of which site, when it is a site's own list.
    Inventory(&'i mut Inventory, Option<u32>),
    /// Whoever wants them as they are.
    Sheets(&'i mut Vec<Sheet>),
}

impl Sink<'_> {
    fn take(&mut self, list: &str, page: u32, sheet: Sheet) {
        match self {
            Self::Inventory(inventory, site) => inventory.take(list, i64::from(page), &sheet, *site),
            Self::Sheets(sheets) => sheets.push(sheet),
        }
    }
}

/// One walk over a list.
struct Walk<'w, 'i> {
    reader: &'w Reader,
    list: List<'w>,
    /// The name under which its pages are staged, when they are.
    key: Option<&'w str>,
    stager: &'w mut Stager,
    sink: &'w mut Sink<'i>,
}

impl walk::List for Walk<'_, '_> {
    type Page = Sheet;
    const FIRST: u32 = 0;

    async fn page(&mut self, number: u32) -> Result<Sheet> {
        let page = self.reader.ask(self.list, number).await?;
        let sink = &*self.sink;
        Ok(self.reader.digest(self.list, number, &page, &|uid| matches!(sink, Sink::Inventory(all, _) if all.wants(uid))))
    }

    fn shown(&self, sheet: &Sheet) -> Shown {
        let ids = sheet.ids.iter().map(|(uid, _)| uid.clone()).collect();
        Shown { ids, count: sheet.count, total: sheet.total, next: sheet.next }
    }

    async fn keep(&mut self, number: u32, sheet: Sheet) -> Result<()> {
        if let Some(key) = self.key {
            stage(self.stager, key, number, &sheet)?;
            if self.stager.pages.len() >= BATCH || self.stager.bytes >= BATCH_BYTES {
                self.reader.flush(self.stager).await?;
            }
        }
        self.take_over(number, sheet);
        Ok(())
    }

    fn broken(&self, why: String) -> Error {
        upstream(format!("the list of {}: {why}", self.list.key()))
    }
}

impl Staged for Walk<'_, '_> {
    fn read(&self, body: &str) -> Option<Sheet> {
        serde_json::from_str(body).ok()
    }

    /// The last page, unless it ended the list; of all devices the first one too.
    fn compared(&self, count: u32, at_end: bool) -> Vec<u32> {
        let is_long = matches!(self.list, List::Devices);
        let last = (!at_end || is_long).then_some(count - 1);
        is_long.then_some(0).into_iter().chain(last).collect()
    }

    fn is_same(&self, staged: &Sheet, now: &Sheet) -> bool {
        staged.ids == now.ids
    }

    fn take_over(&mut self, number: u32, sheet: Sheet) {
        if matches!(self.list, List::Devices) {
            self.reader.job.progress.add(sheet.count);
        }
        self.sink.take(self.key.unwrap_or_default(), number, sheet);
    }
}

impl Reader {
    /// Reads everything.
    ///
    /// # Errors
    /// `Upstream` when the vendor cannot be read.
    pub async fn read(&self) -> Result<Inventory> {
        let mut inventory = Inventory::default();
        let mut stager = Stager::default();
        self.job.progress.begin("reading sites", None);
        self.sites(&mut inventory, &mut stager).await?;
        self.job.progress.begin("reading devices", None);
        match self.twice(List::Devices, &mut stager, &mut inventory, None).await {
            Ok(walk) => inventory.account_whole = !walk.is_disturbed(),
            Err(error) => self.tolerate(error, &mut inventory)?,
        }
        self.job.progress.begin("reading the sites' variables and devices", Some(inventory.sites.len() as u64));
        let mut faults = 0;
        for at in 0..u32::try_from(inventory.sites.len()).unwrap_or(u32::MAX) {
            let before = inventory.problems.len();
            self.site(at, &mut inventory, &mut stager).await?;
            faults = if inventory.problems.len() > before { faults + 1 } else { 0 };
            if faults >= FAULTS_ENOUGH {
                return Err(upstream(inventory.problems.join("; ")));
            }
            self.job.progress.add(1);
        }
        self.flush(&mut stager).await?;
        Ok(inventory)
    }

    async fn sites(&self, inventory: &mut Inventory, stager: &mut Stager) -> Result<()> {
        let mut sheets = Vec::new();
        let mut walk = self.walk(List::Sites, "sites", stager, &mut Sink::Sheets(&mut sheets)).await?;
        if walk.is_disturbed() {
            walk = self.walk(List::Sites, "sites again", stager, &mut Sink::Sheets(&mut sheets)).await?;
        }
        if !walk.is_whole() {
            return Err(upstream(format!("the list of sites broke off after {}", walk.seen().len())));
        }
        for sheet in sheets {
            inventory.skip(&sheet.skipped);
            for record in &sheet.records {
                let (Some(uid), Some(name)) = (record["uid"].as_str(), record["name"].as_str()) else { continue };
                inventory.add_site(uid.to_owned(), name.to_owned());
            }
        }
        Ok(())
    }

    /// One site: its account number, and its devices.
    async fn site(&self, at: u32, inventory: &mut Inventory, stager: &mut Stager) -> Result<()> {
        let Some(site) = inventory.site(at).cloned() else { return Ok(()) };
        if !site.deleted {
            let mut sheets = Vec::new();
            let list = List::VariablesOf(&site.uid);
            match self.walk(list, &list.key(), stager, &mut Sink::Sheets(&mut sheets)).await {
                Ok(walk) if walk.is_whole() => {
                    let numbers = numbers(&sheets);
                    if let Some(site) = inventory.sites.get_mut(at as usize) {
                        site.numbers = Some(numbers);
                    }
                }
                Ok(_) => inventory.problems.push(format!("{NAME}: the variables of site {} broke off", site.name)),
                Err(error) => self.tolerate(error, inventory)?,
            }
        }
        match self.twice(List::DevicesOf(&site.uid), stager, inventory, Some(at)).await {
            Ok(walk) => {
                if let Some(site) = inventory.sites.get_mut(at as usize) {
                    site.whole = walk.is_whole();
                }
                if !walk.is_whole() {
                    inventory.problems.push(format!("{NAME}: the devices of site {} broke off", site.name));
                }
            }
            Err(error) => self.tolerate(error, inventory)?,
        }
        Ok(())
    }

    /// Walks a list of devices, once more when it moved or came short.
    async fn twice(
        &self,
        list: List<'_>,
        stager: &mut Stager,
        inventory: &mut Inventory,
        site: Option<u32>,
    ) -> Result<Paginator> {
        let key = list.key();
        let walk = self.walk(list, &key, stager, &mut Sink::Inventory(inventory, site)).await?;
        if !walk.is_disturbed() {
            return Ok(walk);
        }
        tracing::info!(list = key, "the list moved while it was read; reading it again");
        self.walk(list, &format!("{key} again"), stager, &mut Sink::Inventory(inventory, site)).await
    }

    /// A list that cannot be read is a problem, but does not stop the others; one that shows that
    /// nothing can be read does.
    fn tolerate(&self, error: Error, inventory: &mut Inventory) -> Result<()> {
        match error {
            Error::Upstream { message, .. } if !self.shut.load(Ordering::Relaxed) => {
                inventory.problems.push(format!("{NAME}: {message}"));
                Ok(())
            }
            other => Err(other),
        }
    }

    /// The ids of every device, read once more; `None` when they moved meanwhile or could not be read whole.
    pub async fn read_again(&self, inventory: &Inventory) -> Result<Option<HashSet<String>>> {
        let mut found = HashSet::new();
        self.job.progress.begin("reading all devices a second time", Some(inventory.sites.len() as u64));
        let lists = inventory.sites.iter().map(|site| List::DevicesOf(&site.uid)).chain([List::Devices]);
        for list in lists {
            let mut stager = Stager::default();
            let mut sheets = Vec::new();
            let sink = &mut Sink::Sheets(&mut sheets);
            let mut pages = Walk { reader: self, list, key: None, stager: &mut stager, sink };
            match walk::walk(&mut pages, Paginator::new(End::Told), 0).await {
                Ok(walk) if !walk.is_disturbed() => found.extend(walk.seen().iter().cloned()),
                Ok(_) | Err(Error::Upstream { .. }) => return Ok(None),
                Err(error) => return Err(error),
            }
            self.job.progress.add(1);
        }
        Ok(Some(found))
    }

    /// Keeps a device that only its own address still gave.
    pub async fn keep_found(&self, inventory: &mut Inventory, records: &[Value]) -> Result<()> {
        let sheet = sheet("own addresses", 0, records, &self.sealer, |_| true);
        let mut stager = Stager::default();
        stage(&mut stager, "found", 0, &sheet)?;
        self.flush(&mut stager).await?;
        inventory.take("found", 0, &sheet, None);
        Ok(())
    }

    async fn walk(&self, list: List<'_>, key: &str, stager: &mut Stager, sink: &mut Sink<'_>) -> Result<Paginator> {
        let mut pages = Walk { reader: self, list, key: Some(key), stager, sink };
        let fresh = || Paginator::new(End::Told);
        if !self.resumed {
            return walk::walk(&mut pages, fresh(), 0).await;
        }
        let (run, name) = (self.run, key.to_owned());
        let staged = self.job.db.read(&Scope::All, move |c| staged_store::of(c, run, &name, "")).await?;
        match walk::resume(&mut pages, fresh(), &staged).await? {
            Some((walk, None)) => Ok(walk),
            Some((walk, Some(next))) => walk::walk(&mut pages, walk, next).await,
            None => {
                let name = key.to_owned();
                self.job.write(&Actor::system("sync"), move |w| staged_store::forget(w, run, &name)).await?;
                walk::walk(&mut pages, fresh(), 0).await
            }
        }
    }

    async fn ask(&self, list: List<'_>, number: u32) -> Result<Page> {
        let answer = match list {
            List::Sites => self.client.sites(number).await,
            List::Devices => self.client.devices(number).await,
            List::DevicesOf(site) => self.client.site_devices(site, number).await,
            List::VariablesOf(site) => self.client.site_variables(site, number).await,
        };
        answer.map_err(|fault| {
            if matches!(fault.cause, Cause::Denied(400 | 401, _) | Cause::Blocked(_) | Cause::Limited(_)) {
                self.shut.store(true, Ordering::Relaxed);
            }
            fault.into()
        })
    }

    fn digest(&self, list: List<'_>, number: u32, page: &Page, wanted: &dyn Fn(&str) -> bool) -> Sheet {
        let mut sheet = match list {
            List::Sites => sites_sheet(number, &page.records),
            List::VariablesOf(_) => variables(self.job.config.datto.fields.vendor_name("account_number"), &page.records),
            List::Devices | List::DevicesOf(_) => sheet(&list.key(), number, &page.records, &self.sealer, wanted),
        };
        (sheet.total, sheet.next) = (page.total, page.next);
        sheet
    }

    async fn flush(&self, stager: &mut Stager) -> Result<()> {
        let Stager { pages, .. } = std::mem::take(stager);
        if pages.is_empty() {
            return Ok(());
        }
        let run = self.run;
        self.job.write(&Actor::system("sync"), move |w| staged_store::put(w, run, &pages)).await
    }
}

fn stage(stager: &mut Stager, key: &str, number: u32, sheet: &Sheet) -> Result<()> {
    let body = serde_json::to_string(sheet).map_err(Error::internal)?;
    stager.bytes += body.len();
    stager.pages.push((key.to_owned(), i64::from(number), body));
    Ok(())
}

fn upstream(message: String) -> Error {
    Error::Upstream { service: NAME, message }
}
