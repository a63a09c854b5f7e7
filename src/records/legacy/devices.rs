//! Devices, who uses them, and the RMM's sites.

use serde_json::{Map, Value as Json};

use super::{
    bring::{Bringing, id, is_that, keep, refuse_taken_away, refused},
    report::Outcome,
    row::Row,
    values,
};
use crate::{
    assets::{
        self, Asset, Observation,
        model::{STATUSES, backup_bytes, type_of_category},
        secrets::{KINDS, Names, UNSEALED},
    },
    companies::Company,
    db::Write,
    encryption,
    error::Result,
    history::{self, Record as _, links},
    types::fold,
    vendors,
};

/// How many user-defined fields a device has.
const UDFS: usize = 30;

impl Bringing<'_> {
    pub fn asset(&mut self, w: &mut Write<'_>, row: &Row<'_>) -> Result<Outcome> {
        let id = id(row)?;
        let known = history::find::<Asset>(w, id)?;
        let mut asset = known.clone().unwrap_or_else(|| Asset { status: STATUSES[0].to_owned(), ..Asset::default() });
        row.fill(&mut asset, &mut self.losses)?;
        let mut seen = Observation::default();
        row.fill(&mut seen, &mut self.losses)?;
        if asset.hostname.is_empty() {
            asset.hostname = format!("Asset {id}");
            self.losses.value(row, "hostname", "is empty; the asset is called by its id");
        }
        asset.company_id = self.company_if_any(row);
        let categories = [&asset.hardware_type, &asset.device_type].into_iter().flatten();
        let kind = categories.map(|category| type_of_category(category)).find(|kind| *kind != type_of_category(""));
        kind.unwrap_or(type_of_category("")).clone_into(&mut asset.kind);
        self.user_defined(row, &mut asset)?;
        let is_alike = |known: &Asset| fold(&known.hostname) == fold(&asset.hostname) && known.company_id == asset.company_id;
        is_that(w, known.as_ref().map(|known| (known, known.hostname.as_str())), None, is_alike)?;
        let (id, outcome) = keep(w, Some(id), known.as_ref(), asset)?;
        if outcome == Outcome::New {
            assets::store::observe(w, id, &Observation { observed_at: seen.last_seen.clone(), ..seen })?;
        }
        self.assets.insert(id);
        Ok(outcome)
    }

    /// The user-defined fields: what means something to us in its own column, secrets sealed and nowhere else.
    fn user_defined(&self, row: &Row<'_>, asset: &mut Asset) -> Result<()> {
        let fields = &self.config.datto.fields;
        let names = Names::of(fields);
        let mut others = Map::new();
        for (column, text) in (1..=UDFS).filter_map(|number| Some((format!("udf{number}"), row.text(&format!("udf{number}"))?))) {
            let Some(kind) = names.kind(&column) else {
                others.insert(column, Json::from(text));
                continue;
            };
            let sealed = Some(self.seal(kind, &text)?);
            match KINDS.iter().position(|known| *known == kind) {
                Some(0) => asset.bitlocker_key = sealed,
                _ => asset.windows_key = sealed,
            }
        }
        let bytes = row.text(&fields.vendor_name("backup_bytes").to_lowercase());
        let bytes = bytes.and_then(|text| values::whole(&text)).filter(|bytes| *bytes >= 0);
        asset.backup_data_bytes = bytes.unwrap_or_else(|| asset.backup_usage_tb.as_deref().map_or(0, backup_bytes));
        asset.udf = (!others.is_empty()).then(|| Json::Object(others).to_string());
        Ok(())
    }

    /// A rehearsal makes no key; without one nothing that is here was sealed.
    fn seal(&self, kind: assets::secrets::Kind, text: &str) -> Result<String> {
        if self.dry_run && self.config.credentials_key.is_none() && !encryption::place(self.config).exists() {
            return Ok(UNSEALED.to_owned());
        }
        self.sealer.seal(kind, text)
    }

    pub fn assignment(&mut self, w: &mut Write<'_>, row: &Row<'_>) -> Result<Outcome> {
        let asset = row.text("asset_id").and_then(|text| values::whole(&text)).filter(|id| self.assets.contains(id));
        let asset =
            asset.ok_or_else(|| refused(format!("there is no asset {} here", row.raw("asset_id").unwrap_or_default())))?;
        let contact = self.contact_of(row)?;
        let mut users: Vec<i64> = assets::store::contacts_of(w, asset)?.iter().map(|user| user.inside().id).collect();
        if users.contains(&contact) {
            return Ok(Outcome::Same);
        }
        let uses = |side: &Json| side.as_array().is_some_and(|users| users.iter().any(|user| user.as_i64() == Some(contact)));
        refuse_taken_away::<Asset>(w, asset, "contacts", uses)?;
        users.push(contact);
        assets::store::assign(w, asset, &users)?;
        Ok(Outcome::New)
    }

    /// A site of an RMM is known again by the next sync, which then asks nobody whose it is.
    pub fn site(&mut self, w: &mut Write<'_>, row: &Row<'_>) -> Result<Outcome> {
        let company = self.company_of(row)?;
        let uid = row.text("rmm_site_uid").or_else(|| row.text("datto_site_uid")).ok_or_else(|| refused("has no uid"))?;
        let system = row.text("rmm_provider").unwrap_or_else(|| vendors::datto::VENDOR.system.to_owned());
        let vendor = vendors::find(&system).ok_or_else(|| refused(format!("{system} is no vendor that Codex knows")))?;
        let uid = uid.to_lowercase();
        match links::find(w, vendor.system, Company::ENTITY, &uid)? {
            Some(other) if other == company => Ok(Outcome::Same),
            Some(other) => Err(refused(format!("the site is another company's here (id {other})"))),
            None => {
                let link = format!("link:{}", vendor.system);
                refuse_taken_away::<Company>(w, company, &link, |side| side.as_str() == Some(uid.as_str()))?;
                links::link(w, Company::ENTITY, company, vendor.system, &uid)?;
                Ok(Outcome::New)
            }
        }
    }
}
